//! A verifier and a gateway against a chain that tests move block by block.
#![allow(clippy::unwrap_used)]

use super::{
	ask::{ask, is_of, AskError},
	conduct::Machine,
	kept::{HandOvers, Kept},
	ledger::{
		Accepts, Action, Candidate, Claim, Docket, Ledger, LedgerError, Open, Standing, Window,
		Witness,
	},
	parts::{Gateways, Library, NoHandover, VerifierParts},
	seal::{seal, unseal},
	seat::Lots,
	serve::Giving,
	store::CaseStore,
	verifier::Verifier,
};
use crate::limits::{Governor, Limits};
use aria_engine::{
	generate::{Generator, QueryTrace},
	kernels,
	model::{
		random::{write_random_package, RandomShape},
		Cancel, Model, ModelOptions, Pipeline,
	},
	package::Package,
	text::ChatTokenizer,
};
use aria_network::wire::audit::{AuditRequest, DisputeRequest};
use aria_primitives::{
	audit::{self, Finding, FindingKind, Handover, Named, Reveal, Sealed},
	hashing::sha256,
	query::{CanonicalQuery, Sampling, QUERY_VERSION},
	record::{Anchor, EnergySource, LayerRange, RecordBody, RecordEntry, Stage, RECORD_VERSION},
	AccountId, Balance, RecordId, ARIA,
};
use codec::Encode;
use futures::future::BoxFuture;
use sp_core::{sr25519, Pair, H256};
use std::{
	ops::ControlFlow,
	path::Path,
	sync::{atomic::Ordering, Arc, Mutex},
	time::{Duration, SystemTime, UNIX_EPOCH},
};
use tokio_util::compat::TokioAsyncReadCompatExt;

mod crowd;

/// The last block of each window.
const UNTIL: u32 = 1_000;
const LENGTH: u32 = 100;
const BEACON: H256 = H256([6; 32]);
const STAKE: Balance = 10 * ARIA;
const GENESIS: H256 = H256([3; 32]);

fn account(byte: u8) -> AccountId {
	AccountId::new([byte; 32])
}

/// A model of four layers, and an answer by two honest stages.
struct Town {
	package: Arc<Package>,
	handed: Handover,
	entry: RecordEntry,
	id: RecordId,
	_dir: tempfile::TempDir,
}

impl Town {
	fn new() -> Self {
		let shape = RandomShape {
			hidden: 32,
			feed_forward: 48,
			layers: 4,
			heads: 2,
			kv_heads: 1,
			head_dim: 16,
			vocab: 300,
			context: 64,
			shards: 2,
			..RandomShape::bitnet_2b4t()
		};
		let dir = tempfile::tempdir().unwrap();
		write_random_package(&dir.path().join("m"), &shape, 1, &mut |_, _| ()).unwrap();
		let package = Arc::new(Package::open(&dir.path().join("m")).unwrap());
		let query = CanonicalQuery {
			version: QUERY_VERSION,
			model_id: package.model_id(),
			prompt_tokens: vec![65, 66, 67, 68].try_into().unwrap(),
			sampling: Sampling { temperature_milli: 900, ..Sampling::GREEDY },
			max_tokens: 6,
			stop: Default::default(),
			salt: [8; 32],
		};
		let ranges = [LayerRange { first: 0, end: 1 }, LayerRange { first: 1, end: 4 }];
		let sessions = ranges.map(|layers| {
			let kernel = kernels::by_name("scalar").unwrap();
			let options = ModelOptions { layers: Some(layers), kernel, threads: 1 };
			Model::load(&package, options, &mut |_, _| ()).unwrap().session(32).unwrap()
		});
		let tokenizer = Arc::new(ChatTokenizer::open(&package).unwrap());
		let pipeline = Pipeline::new(sessions.into()).unwrap();
		let mut trace = QueryTrace::new(&query, 2);
		let answer = Generator::new(&package, pipeline, tokenizer)
			.generate(&query, Some(&mut trace), &Cancel::new(), &mut |_| ControlFlow::Continue(()))
			.unwrap();
		let stages: Vec<Stage> = ranges
			.iter()
			.zip(1u8..)
			.map(|(layers, byte)| Stage {
				node: account(byte),
				layers: *layers,
				energy_mj: 1,
				energy_source: EnergySource::Estimate,
				consent_version: 1,
			})
			.collect();
		let body = RecordBody {
			version: RECORD_VERSION,
			model_id: query.model_id,
			query_hash: query.hash(),
			output_hash: sha256(&[answer.text.as_bytes(), &query.salt].concat()),
			output_tokens_hash: sha256(&answer.tokens.encode()),
			finish_reason: answer.finish_reason,
			prompt_tokens: 4,
			cached_tokens: 0,
			output_tokens: answer.tokens.len() as u32,
			stages: stages.try_into().unwrap(),
			boundaries: trace.boundaries().try_into().unwrap(),
			energy_mj: 2,
			latency_ms: 1,
			timestamp: 1,
			anchor: Anchor { number: 1, hash: H256::zero() },
			ticket_hash: H256::zero(),
		};
		let id = body.id(&GENESIS);
		let entry = RecordEntry {
			body,
			signed_stages: 3,
			requester: account(3),
			gateway: account(4),
			price: ARIA,
			settled_at: 900,
			epoch: 1,
			era: 1,
			auditable: true,
		};
		let handed = Handover { query, tokens: answer.tokens };
		Self { package, handed, entry, id, _dir: dir }
	}

	fn lots(&self) -> Lots {
		Lots {
			record: self.id,
			seed: H256::repeat_byte(5),
			round: 0,
			// Everybody has a seat.
			expected: 3,
			total: STAKE,
			named: None,
		}
	}
}

struct State {
	at: u32,
	window: Window,
	standing: Standing,
	committed: Option<H256>,
	revealed: Option<Reveal>,
	sent: Vec<&'static str>,
	/// What lies in the blocks, the earliest first.
	posted: Vec<Sealed>,
	gone: bool,
}

/// The chain, and everything else around a verifier.
struct World {
	town: Town,
	me: AccountId,
	pair: sr25519::Pair,
	state: Mutex<State>,
	/// Whether the gateway answers.
	answers: bool,
}

impl World {
	fn new(town: Town, answers: bool) -> Arc<Self> {
		let (pair, _) = sr25519::Pair::generate();
		let state = Mutex::new(State {
			at: UNTIL - LENGTH,
			window: Window::Commit,
			standing: Standing::Nothing,
			committed: None,
			revealed: None,
			sent: Vec::new(),
			posted: Vec::new(),
			gone: false,
		});
		Arc::new(Self { town, me: account(9), pair, state, answers })
	}

	fn with<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
		change(&mut self.state.lock().unwrap())
	}

	/// The window, with so many blocks left of it.
	fn is_in(&self, window: Window, left: u32) {
		self.with(|state| {
			state.window = window;
			state.at = UNTIL - left;
		});
	}

	fn sent(&self) -> Vec<&'static str> {
		self.with(|state| state.sent.clone())
	}

	fn verifier(self: &Arc<Self>, dir: &Path) -> Arc<Verifier> {
		Verifier::new(VerifierParts {
			ledger: self.clone(),
			account: self.me.clone(),
			pair: self.pair.clone(),
			store: CaseStore::open(&dir.join("audits.redb"), GENESIS).unwrap(),
			folder: dir.join("audits"),
			gateways: self.clone(),
			library: self.clone(),
			machine: Machine {
				governor: Governor::new(Limits::NONE),
				busy: Arc::new(|| false),
				allowed: Arc::new(|| true),
				weigh: |_, _| 1 << 20,
				threads: 1,
				kernel: kernels::best(),
			},
		})
	}

	/// Looks until something more was sent.
	async fn until_sent(&self, verifier: &Arc<Verifier>, count: usize) {
		for _ in 0..500 {
			verifier.look().await.unwrap();
			if self.sent().len() >= count {
				return;
			}
			tokio::time::sleep(Duration::from_millis(20)).await;
		}
		panic!("nothing more than {:?} was sent", self.sent());
	}

	fn take(&self, action: Action) {
		let (town, me) = (&self.town, &self.me);
		self.with(|state| {
			let name = action.name();
			match action {
				Action::Commit { proof, commitment, named } => {
					assert!(named.is_empty());
					assert!(town.lots().proves(&self.pair.public(), STAKE, &proof).is_some());
					state.committed = Some(commitment);
					state.standing = Standing::Committed;
				}
				Action::Claim { proof, .. } => {
					assert!(town.lots().proves(&self.pair.public(), STAKE, &proof).is_some());
					state.standing = Standing::Claimed;
				}
				Action::Reveal(reveal) => {
					let made = audit::commitment(&GENESIS, &town.id, 0, me, &reveal);
					assert_eq!(state.committed, Some(made));
					assert!(reveal.finding.agrees_with(&town.entry.body));
					state.standing = match reveal.finding {
						Finding::Query => Standing::Counted,
						_ => Standing::Revealed,
					};
					state.revealed = Some(reveal);
				}
				Action::Open(openings) => {
					let reveal = state.revealed.clone().unwrap();
					let kind = reveal.finding.kind();
					let (body, beacon) = (&town.entry.body, BEACON);
					let places = audit::positions(&beacon, &town.id, me, 2, kind.opens(2), body);
					assert_eq!(places.len(), openings.len());
					let lots = town.lots();
					let seat = lots.draw(&self.pair, STAKE).unwrap();
					for (place, opening) in places.iter().zip(&openings) {
						let checked = opening.check(place, &reveal.root, &seat.output, kind, body);
						assert_eq!(checked, Ok(()));
					}
					state.standing = Standing::Counted;
				}
			}
			state.sent.push(name);
		});
	}
}

impl Ledger for World {
	fn genesis(&self) -> H256 {
		GENESIS
	}

	fn next_block(&self) -> BoxFuture<'_, ()> {
		Box::pin(tokio::time::sleep(Duration::from_millis(10)))
	}

	fn docket(&self) -> BoxFuture<'_, Result<Docket, LedgerError>> {
		let docket = self.with(|state| {
			let open = Open {
				lots: self.town.lots(),
				window: state.window,
				until: UNTIL,
				length: LENGTH,
				positions: 2,
				beacon: BEACON,
				stake: STAKE,
			};
			let open = if state.gone { Vec::new() } else { vec![open] };
			Docket { at: state.at, open }
		});
		Box::pin(async move { Ok(docket) })
	}

	fn record(&self, id: RecordId) -> BoxFuture<'_, Result<Option<RecordEntry>, LedgerError>> {
		let entry = (id == self.town.id).then(|| self.town.entry.clone());
		Box::pin(async move { Ok(entry) })
	}

	fn standing(&self, _: RecordId, _: u8) -> BoxFuture<'_, Result<Standing, LedgerError>> {
		let standing = self.with(|state| state.standing);
		Box::pin(async move { Ok(standing) })
	}

	fn posted<'a>(
		&'a self,
		_: RecordId,
		_: u32,
		accepts: &'a Accepts<'a>,
	) -> BoxFuture<'a, Result<Option<Sealed>, LedgerError>> {
		let posted = self.with(|state| state.posted.clone());
		let found = posted.into_iter().rev().find(|sealed| accepts(sealed));
		Box::pin(async move { Ok(found) })
	}

	fn send(&self, _: RecordId, action: Action) -> BoxFuture<'_, Result<(), LedgerError>> {
		self.take(action);
		Box::pin(async { Ok(()) })
	}
}

impl Gateways for World {
	fn hand_over<'a>(
		&'a self,
		gateway: &'a AccountId,
		request: AuditRequest,
		body: &'a RecordBody,
	) -> BoxFuture<'a, Result<(Handover, Named), NoHandover>> {
		Box::pin(async move {
			assert_eq!((gateway, request.record), (&account(4), self.town.id));
			assert!(is_of(&self.town.handed, body) || self.town.entry.body == *body);
			match self.answers {
				true => Ok((self.town.handed.clone(), Named::default())),
				false => Err(NoHandover::Silent("nobody is there".to_owned())),
			}
		})
	}
}

impl Library for World {
	fn package(
		&self,
		_: aria_primitives::ModelId,
		layers: Vec<LayerRange>,
	) -> BoxFuture<'_, Result<Arc<Package>, String>> {
		assert_eq!(layers.len(), 2);
		let package = self.town.package.clone();
		Box::pin(async move { Ok(package) })
	}
}

#[tokio::test]
async fn an_audit_should_go_its_way_through_a_restart_of_the_verifier() {
	let world = World::new(Town::new(), true);
	let dir = tempfile::tempdir().unwrap();
	let verifier = world.verifier(dir.path());
	world.until_sent(&verifier, 1).await;
	assert_eq!(world.sent(), ["commitment"]);
	verifier.look().await.unwrap();
	tokio::time::sleep(Duration::from_millis(20)).await;
	assert_eq!(world.sent().len(), 1);
	assert_eq!(verifier.counters.accused.load(Ordering::Relaxed), 0);

	drop(verifier);
	let verifier = world.verifier(dir.path());
	world.is_in(Window::Reveal, 50);
	world.until_sent(&verifier, 2).await;
	// What would come too late is not sent.
	world.is_in(Window::Open, 0);
	verifier.look().await.unwrap();
	tokio::time::sleep(Duration::from_millis(20)).await;
	assert_eq!(world.sent().len(), 2);
	world.is_in(Window::Open, 50);
	world.until_sent(&verifier, 3).await;
	assert_eq!(world.sent(), ["commitment", "reveal", "openings"]);
	let kind = world.with(|state| state.revealed.as_ref().map(|reveal| reveal.finding.kind()));
	assert_eq!(kind, Some(FindingKind::Valid));

	world.with(|state| state.gone = true);
	verifier.look().await.unwrap();
	assert_eq!(std::fs::read_dir(dir.path().join("audits")).unwrap().count(), 0);
	assert_eq!(verifier.counters.missed.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn openings_should_be_made_anew_where_what_was_kept_is_gone() {
	let world = World::new(Town::new(), true);
	let dir = tempfile::tempdir().unwrap();
	let verifier = world.verifier(dir.path());
	world.until_sent(&verifier, 1).await;
	world.is_in(Window::Reveal, 50);
	world.until_sent(&verifier, 2).await;
	std::fs::remove_dir_all(dir.path().join("audits")).unwrap();
	world.is_in(Window::Open, 50);
	world.until_sent(&verifier, 3).await;
}

#[tokio::test]
async fn a_lie_should_be_said_with_its_boundary() {
	let mut town = Town::new();
	town.entry.body.boundaries[1] = sha256(b"another boundary");
	let world = World::new(town, true);
	let dir = tempfile::tempdir().unwrap();
	let verifier = world.verifier(dir.path());
	world.until_sent(&verifier, 1).await;
	world.is_in(Window::Reveal, 50);
	world.until_sent(&verifier, 2).await;
	let kind = world.with(|state| state.revealed.as_ref().map(|reveal| reveal.finding.kind()));
	assert!(matches!(kind, Some(FindingKind::Boundary { index: 1, .. })), "{kind:?}");
	assert_eq!(verifier.counters.accused.load(Ordering::Relaxed), 1);
	world.is_in(Window::Open, 50);
	world.until_sent(&verifier, 3).await;
}

#[tokio::test]
async fn silence_should_be_said_late_and_once() {
	let world = World::new(Town::new(), false);
	let dir = tempfile::tempdir().unwrap();
	let verifier = world.verifier(dir.path());
	verifier.look().await.unwrap();
	tokio::time::sleep(Duration::from_millis(20)).await;
	assert!(world.sent().is_empty());
	world.is_in(Window::Commit, LENGTH / 4);
	world.until_sent(&verifier, 1).await;
	assert_eq!(world.sent(), ["claim of silence"]);
	verifier.look().await.unwrap();
	tokio::time::sleep(Duration::from_millis(20)).await;
	assert_eq!(world.sent().len(), 1);
}

fn posted(world: &World, handed: &Handover) -> Sealed {
	let sealed = seal(handed, &world.pair.public(), &world.town.id).unwrap();
	let (ephemeral, bytes) = sealed.split_first_chunk::<32>().unwrap();
	Sealed { ephemeral: *ephemeral, bytes: bytes.to_vec().try_into().unwrap() }
}

/// What a verifier whose claim was answered says when this lies in the blocks.
async fn said_of(posts: impl FnOnce(&World) -> Vec<Sealed>) -> Option<Finding> {
	let world = World::new(Town::new(), false);
	let posts = posts(Arc::as_ref(&world));
	world.with(|state| {
		state.posted = posts;
		state.standing = Standing::Rebutted;
	});
	let dir = tempfile::tempdir().unwrap();
	let verifier = world.verifier(dir.path());
	world.until_sent(&verifier, 1).await;
	world.is_in(Window::Reveal, 50);
	world.until_sent(&verifier, 2).await;
	world.with(|state| state.revealed.clone().map(|reveal| reveal.finding))
}

/// Whoever is answered on chain and says nothing loses its bond, so garbage is a finding.
#[tokio::test]
async fn garbage_that_a_gateway_posts_should_be_said_of_it() {
	let other = |world: &World| {
		let mut other = world.town.handed.clone();
		other.tokens[0] ^= 1;
		posted(world, &other)
	};
	assert_eq!(said_of(|world| vec![other(world)]).await, Some(Finding::Query));
	// Not even sealed to the verifier's key.
	let noise = Sealed { ephemeral: [7; 32], bytes: vec![8; 90].try_into().unwrap() };
	assert_eq!(said_of(|_| vec![noise]).await, Some(Finding::Query));
}

#[tokio::test]
async fn what_others_put_beside_a_hand_over_should_not_be_held_against_the_gateway() {
	let noise = || Sealed { ephemeral: [7; 32], bytes: vec![8; 90].try_into().unwrap() };
	let finding = said_of(|world| vec![noise(), posted(world, &world.town.handed), noise()]);
	assert_eq!(finding.await, Some(Finding::Valid));
}

#[tokio::test]
async fn parties_should_not_judge_themselves() {
	let mut town = Town::new();
	town.entry.requester = account(9);
	let world = World::new(town, true);
	let dir = tempfile::tempdir().unwrap();
	let verifier = world.verifier(dir.path());
	for _ in 0..3 {
		verifier.look().await.unwrap();
		// What a look begins goes on behind it.
		tokio::time::sleep(Duration::from_millis(20)).await;
	}
	assert!(world.sent().is_empty());
	assert_eq!(verifier.counters.runs.load(Ordering::Relaxed), 0);
}

/// The chain for a gateway.
struct Court {
	world: Arc<World>,
	claims: Vec<Claim>,
	over: Mutex<Vec<RecordId>>,
	posts: Mutex<Vec<Sealed>>,
}

impl Witness for Court {
	fn next_block(&self) -> BoxFuture<'_, ()> {
		Box::pin(tokio::time::sleep(Duration::from_millis(10)))
	}

	fn candidate<'a>(
		&'a self,
		record: RecordId,
		round: u8,
		verifier: &'a AccountId,
	) -> BoxFuture<'a, Result<Option<Candidate>, LedgerError>> {
		Box::pin(async move {
			let World { town, me, pair, .. } = &*self.world;
			let known = record == town.id && round == 0 && verifier == me;
			Ok(known.then(|| Candidate { lots: town.lots(), key: pair.public(), stake: STAKE }))
		})
	}

	fn accused<'a>(
		&'a self,
		record: RecordId,
		node: &'a AccountId,
	) -> BoxFuture<'a, Result<bool, LedgerError>> {
		// The key of this world's worker stands for the stage's.
		let key = AccountId::new(self.world.pair.public().0);
		Box::pin(async move { Ok(record == self.world.town.id && *node == key) })
	}

	fn is_over(&self, record: RecordId) -> BoxFuture<'_, Result<Option<bool>, LedgerError>> {
		let over = self.over.lock().unwrap().contains(&record);
		Box::pin(async move { Ok(Some(over)) })
	}

	fn claims(&self) -> BoxFuture<'_, Result<Vec<Claim>, LedgerError>> {
		let claims = self.claims.clone();
		Box::pin(async move { Ok(claims) })
	}

	fn post(&self, _: Claim, sealed: Sealed) -> BoxFuture<'_, Result<(), LedgerError>> {
		self.posts.lock().unwrap().push(sealed);
		Box::pin(async { Ok(()) })
	}
}

fn giving(world: &Arc<World>, dir: &Path, claims: Vec<Claim>) -> (Arc<Giving>, Arc<Court>) {
	let kept = HandOvers::open(&dir.join("handovers.redb"), GENESIS).unwrap();
	let handed = world.town.handed.clone();
	let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as u64;
	kept.keep(&world.town.id, &Kept { handed, named: Named::default() }, now).unwrap();
	let court = Arc::new(Court {
		world: world.clone(),
		claims,
		over: Mutex::default(),
		posts: Mutex::default(),
	});
	(Giving::new(court.clone(), Arc::new(kept)), court)
}

async fn asked(
	giving: &Arc<Giving>,
	request: &AuditRequest,
	pair: &sr25519::Pair,
) -> Result<Handover, AskError> {
	let (near, far) = tokio::io::duplex(1 << 16);
	let giving = giving.clone();
	let served = tokio::spawn(async move { giving.serve(far.compat()).await });
	let answer = ask(near.compat(), request, pair).await;
	served.await.unwrap().unwrap();
	answer.map(|(handed, _)| handed)
}

#[tokio::test]
async fn a_gateway_should_answer_who_proves_a_seat_and_nobody_else() {
	let world = World::new(Town::new(), true);
	let dir = tempfile::tempdir().unwrap();
	let (giving, _) = giving(&world, dir.path(), Vec::new());
	let seat = world.town.lots().draw(&world.pair, STAKE).unwrap();
	let request = AuditRequest {
		record: world.town.id,
		round: 0,
		verifier: world.me.clone(),
		proof: seat.proof,
	};
	let handed = asked(&giving, &request, &world.pair).await.unwrap();
	assert_eq!(handed, world.town.handed);
	assert!(is_of(&handed, &world.town.entry.body));

	let (stranger, _) = sr25519::Pair::generate();
	let forged = world.town.lots().draw(&stranger, STAKE).unwrap();
	for wrong in [
		AuditRequest { record: H256::zero(), ..request.clone() },
		AuditRequest { round: 1, ..request.clone() },
		AuditRequest { verifier: account(1), ..request.clone() },
		AuditRequest { proof: forged.proof, ..request.clone() },
	] {
		let refused = asked(&giving, &wrong, &world.pair).await;
		assert!(matches!(refused, Err(AskError::Refused(_))), "{wrong:?}");
	}
	// Who overhears it can't read it.
	assert!(matches!(asked(&giving, &request, &stranger).await, Err(AskError::Sealed(_))));
	assert_eq!(giving.counters.handed.load(Ordering::Relaxed), 2);
	assert_eq!(giving.counters.refused.load(Ordering::Relaxed), 4);
}

#[tokio::test]
async fn a_gateway_should_answer_a_stage_that_is_accused_and_nobody_else() {
	let world = World::new(Town::new(), true);
	let dir = tempfile::tempdir().unwrap();
	let (giving, _) = giving(&world, dir.path(), Vec::new());
	let asked = |request: DisputeRequest, pair: sr25519::Pair| {
		let (near, far) = tokio::io::duplex(1 << 16);
		let giving = giving.clone();
		async move {
			let served = tokio::spawn(async move { giving.serve_accused(far.compat()).await });
			let answer = ask(near.compat(), &request, &pair).await;
			served.await.unwrap().unwrap();
			answer.map(|(handed, _)| handed)
		}
	};
	let node = AccountId::new(world.pair.public().0);
	let request = DisputeRequest { record: world.town.id, node };
	let handed = asked(request.clone(), world.pair.clone()).await.unwrap();
	assert_eq!(handed, world.town.handed);
	let (stranger, _) = sr25519::Pair::generate();
	// Whoever asks for it, it is sealed to the stage.
	let overheard = asked(request.clone(), stranger.clone()).await;
	assert!(matches!(overheard, Err(AskError::Sealed(_))));
	for wrong in [
		DisputeRequest { record: H256::zero(), ..request.clone() },
		DisputeRequest { node: AccountId::new(stranger.public().0), ..request },
	] {
		let refused = asked(wrong, stranger.clone()).await;
		assert!(matches!(refused, Err(AskError::Refused(_))));
	}
}

#[tokio::test]
async fn what_an_accusation_was_made_of_should_be_kept_until_the_audit_is_over() {
	let mut town = Town::new();
	town.entry.body.boundaries[1] = sha256(b"another boundary");
	let world = World::new(town, true);
	let dir = tempfile::tempdir().unwrap();
	let verifier = world.verifier(dir.path());
	world.until_sent(&verifier, 1).await;
	world.is_in(Window::Reveal, 50);
	world.until_sent(&verifier, 2).await;
	world.is_in(Window::Open, 50);
	world.until_sent(&verifier, 3).await;
	let id = world.town.id;
	for window in [Window::Open, Window::Other] {
		world.is_in(window, 50);
		verifier.look().await.unwrap();
		assert_eq!(verifier.accused(id).unwrap(), Some(world.town.handed.clone()));
	}
	assert_eq!(std::fs::read_dir(dir.path().join("audits")).unwrap().count(), 0);
	assert_eq!(verifier.accused(H256::zero()).unwrap(), None);
	world.with(|state| state.gone = true);
	verifier.look().await.unwrap();
	assert_eq!(verifier.accused(id).unwrap(), None);
}

#[tokio::test]
async fn a_gateway_should_answer_claims_on_chain_and_forget_what_is_over() {
	let world = World::new(Town::new(), true);
	let dir = tempfile::tempdir().unwrap();
	let claim =
		Claim { record: world.town.id, claimant: world.me.clone(), key: world.pair.public() };
	let (giving, court) = giving(&world, dir.path(), vec![claim]);
	let shutdown = tokio_util::sync::CancellationToken::new();
	let task = tokio::spawn(giving.clone().run(shutdown.clone()));
	for _ in 0..200 {
		if !court.posts.lock().unwrap().is_empty() {
			break;
		}
		tokio::time::sleep(Duration::from_millis(10)).await;
	}
	tokio::time::sleep(Duration::from_millis(50)).await;
	shutdown.cancel();
	task.await.unwrap();
	let posts = court.posts.lock().unwrap().clone();
	assert_eq!(posts.len(), 1, "a claim is answered once");
	let sealed = [posts[0].ephemeral.as_slice(), &posts[0].bytes].concat();
	assert_eq!(unseal(&sealed, &world.pair, &world.town.id).unwrap(), world.town.handed);

	giving.clear(2).await;
	let seat = world.town.lots().draw(&world.pair, STAKE).unwrap();
	let request = AuditRequest {
		record: world.town.id,
		round: 0,
		verifier: world.me.clone(),
		proof: seat.proof,
	};
	assert!(asked(&giving, &request, &world.pair).await.is_ok());
	court.over.lock().unwrap().push(world.town.id);
	giving.clear(2).await;
	assert!(matches!(asked(&giving, &request, &world.pair).await, Err(AskError::Refused(_))));
}
