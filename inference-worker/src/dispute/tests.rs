//! Both sides of disputes against a chain that tests move window by window, with a model whose matrices
//! one of them has otherwise.
#![allow(clippy::unwrap_used)]

use super::{
	chain::{Accusation, Action, DisputeChain, Hearing, Hearings, Wanted, Window},
	evidence::{Evidence, Handed},
	Disputer, DisputerParts,
};
use crate::{
	audit::{conduct::Machine, ledger::LedgerError, Library, NoHandover},
	limits::{Governor, Limits},
};
use aria_engine::{
	audit::{dispute::leaves, Conduct, Subject},
	generate::{Generator, QueryTrace},
	kernels,
	model::{
		random::{write_random_package, RandomShape},
		Cancel, Model, ModelOptions, Pipeline,
	},
	package::Package,
	text::ChatTokenizer,
	EngineError,
};
use aria_math::bitlinear::{sums, Packing};
use aria_primitives::{
	audit::{leaves as leaf_count, Handover, Verdict},
	dispute::{
		block_hash, item_count, leaves_below, node_count, node_height, sums_of, Dispute, Matrix,
		Pair, Party, Standing, Step,
	},
	hashing::{merkle_root, sha256},
	query::{CanonicalQuery, Sampling, QUERY_VERSION},
	record::{
		boundary, Anchor, EnergySource, LayerRange, RecordBody, RecordEntry, Stage, RECORD_VERSION,
	},
	AccountId, ModelId, RecordId, ARIA,
};
use codec::Encode;
use futures::future::BoxFuture;
use sp_core::H256;
use std::{
	collections::BTreeMap,
	fs,
	ops::ControlFlow,
	sync::{
		atomic::{AtomicBool, AtomicU64, Ordering},
		Arc, Mutex,
	},
	time::Duration,
};

/// The last block of each window.
const UNTIL: u32 = 1_000;
const GENESIS: H256 = H256([3; 32]);
/// The stage in dispute, and the boundary behind it.
const STAGE: u16 = 1;
const INDEX: u16 = STAGE + 1;
/// The layers of each stage.
const STAGES: [LayerRange; 2] = [LayerRange { first: 0, end: 1 }, LayerRange { first: 1, end: 4 }];
/// In which windows something is posted or found, in order.
const WINDOWS: [Window; 7] = [
	Window::Dispute,
	Window::Nodes,
	Window::Leaf,
	Window::Defence,
	Window::Reply,
	Window::Blocks,
	Window::Proof,
];

fn account(byte: u8) -> AccountId {
	AccountId::new([byte; 32])
}

fn executor() -> AccountId {
	account(2)
}

fn accuser() -> AccountId {
	account(9)
}

/// A package, and the same with one matrix of the stage in dispute turned around.
struct Models {
	right: Arc<Package>,
	other: Arc<Package>,
	_dir: tempfile::TempDir,
}

impl Models {
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
			shards: 1,
			..RandomShape::bitnet_2b4t()
		};
		let dir = tempfile::tempdir().unwrap();
		let path = dir.path().join("m");
		write_random_package(&path, &shape, 1, &mut |_, _| ()).unwrap();
		let mut files: BTreeMap<String, Vec<u8>> = BTreeMap::new();
		for entry in fs::read_dir(&path).unwrap() {
			let path = entry.unwrap().path();
			let name = path.file_name().unwrap().to_str().unwrap().to_owned();
			files.insert(name, fs::read(&path).unwrap());
		}
		let file = files.get_mut("shard-000.safetensors").unwrap();
		let (length, rest) = file.split_at_mut(8);
		let length = u64::from_le_bytes(length.try_into().unwrap()) as usize;
		let (header, data) = rest.split_at_mut(length);
		let header: serde_json::Value = serde_json::from_slice(header).unwrap();
		let offset =
			|place: usize| header["layers.2.up"]["data_offsets"][place].as_u64().unwrap() as usize;
		// Each weight becomes its opposite; the scale behind them stays.
		for byte in &mut data[offset(0)..offset(1) - 4] {
			*byte = 0b1010_1010 - *byte;
		}
		let right = Arc::new(Package::open(&path).unwrap());
		let other = Arc::new(Package::from_memory(files).unwrap());
		assert_eq!(right.model_id(), other.model_id());
		Self { right, other, _dir: dir }
	}
}

fn load(package: &Package, layers: LayerRange) -> Arc<Model> {
	let kernel = kernels::by_name("scalar").unwrap();
	let options = ModelOptions { layers: Some(layers), kernel, threads: 1 };
	Model::load(package, options, &mut |_, _| ()).unwrap()
}

/// Weights without limits.
struct Plain<'a>(&'a Package);

impl Conduct for Plain<'_> {
	fn model(&mut self, layers: LayerRange) -> Result<Arc<Model>, EngineError> {
		Ok(load(self.0, layers))
	}

	fn turn(&mut self) -> Option<usize> {
		Some(64)
	}
}

/// A record whose second stage computed with the weights of `package`.
fn record(package: &Package) -> (RecordEntry, Handover) {
	let query = CanonicalQuery {
		version: QUERY_VERSION,
		model_id: package.model_id(),
		prompt_tokens: vec![65, 66, 67, 68].try_into().unwrap(),
		sampling: Sampling::GREEDY,
		max_tokens: 4,
		stop: Default::default(),
		salt: [8; 32],
	};
	let sessions = STAGES.map(|layers| load(package, layers).session(32).unwrap());
	let tokenizer = Arc::new(ChatTokenizer::open(package).unwrap());
	let mut trace = QueryTrace::new(&query, 2);
	let answer = Generator::new(package, Pipeline::new(sessions.into()).unwrap(), tokenizer)
		.generate(&query, Some(&mut trace), &Cancel::new(), &mut |_| ControlFlow::Continue(()))
		.unwrap();
	let stages: Vec<Stage> = STAGES
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
	(entry, Handover { query, tokens: answer.tokens })
}

struct State {
	window: Window,
	at: u32,
	dispute: Option<Dispute>,
	/// What stands in blocks.
	posted: Vec<Vec<H256>>,
	sent: Vec<(AccountId, &'static str)>,
}

/// The chain, and what else parties need.
struct World {
	models: Models,
	/// What each side computes with.
	executors: Arc<Package>,
	accusers: Arc<Package>,
	entry: RecordEntry,
	handed: Handover,
	id: RecordId,
	verdict: Verdict,
	/// What the accuser found in place of the boundary.
	root: H256,
	/// Whether machines allow work.
	allowed: Arc<AtomicBool>,
	/// How often query and tokens were asked for.
	asked: AtomicU64,
	state: Mutex<State>,
}

impl World {
	/// `false_stage`: the executor has the other weights; the accuser otherwise.
	fn new(false_stage: bool, verdict: Verdict) -> Arc<Self> {
		let models = Models::new();
		let (executors, accusers) = match false_stage {
			true => (models.other.clone(), models.right.clone()),
			false => (models.right.clone(), models.other.clone()),
		};
		let (entry, handed) = record(&executors);
		let root = {
			let manifest = &models.right.manifest;
			let subject = Subject {
				query: &handed.query,
				tokens: &handed.tokens,
				body: &entry.body,
				eos: &manifest.eos,
				context: manifest.context,
				hidden: manifest.hidden,
			};
			merkle_root(&leaves(&subject, INDEX, &mut Plain(&accusers)).unwrap())
		};
		let id = entry.body.id(&GENESIS);
		let state = Mutex::new(State {
			window: Window::Dispute,
			at: UNTIL - 50,
			dispute: None,
			posted: Vec::new(),
			sent: Vec::new(),
		});
		let (allowed, asked) = (Arc::new(AtomicBool::new(true)), AtomicU64::new(0));
		Arc::new(Self {
			models,
			executors,
			accusers,
			entry,
			handed,
			id,
			verdict,
			root,
			allowed,
			asked,
			state,
		})
	}

	fn with<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
		change(&mut self.state.lock().unwrap())
	}

	fn sent(&self) -> Vec<(AccountId, &'static str)> {
		self.with(|state| state.sent.clone())
	}

	fn party(self: &Arc<Self>, me: AccountId, package: &Arc<Package>) -> Arc<Disputer> {
		let allowed = self.allowed.clone();
		let machine = Machine {
			governor: Governor::new(Limits::NONE),
			busy: Arc::new(|| false),
			allowed: Arc::new(move || allowed.load(Ordering::Relaxed)),
			weigh: |_, _| 1 << 20,
			threads: 1,
			kernel: kernels::best(),
		};
		let library = Arc::new(Shelf(package.clone()));
		Disputer::new(DisputerParts {
			chain: Arc::new(View { world: self.clone(), me: me.clone() }),
			account: me,
			evidence: Evidence::new(self.clone(), library, machine),
		})
	}

	fn parties(self: &Arc<Self>) -> [Arc<Disputer>; 2] {
		[self.party(executor(), &self.executors), self.party(accuser(), &self.accusers)]
	}

	/// Whether everything is posted that is to be posted in the window.
	fn is_served(&self) -> bool {
		self.with(|state| {
			let Some(dispute) = &state.dispute else { return false };
			match (state.window, dispute.step) {
				(Window::Dispute, _) => true,
				(Window::Nodes, step) => matches!(step, Step::Nodes { .. }),
				(Window::Leaf, step) => matches!(step, Step::Leaf { .. }),
				(Window::Defence, step) => matches!(step, Step::Defence { .. }),
				(Window::Reply, step) => matches!(step, Step::Traces { .. }),
				(Window::Blocks, step) => {
					matches!(step, Step::Blocks { executor: true, accuser: true, .. })
				}
				(Window::Proof, _) => [Party::Executor, Party::Accuser]
					.iter()
					.any(|party| dispute.standing(*party) == Standing::False),
			}
		})
	}

	async fn serve(&self, window: Window, parties: &[Arc<Disputer>; 2]) {
		self.with(|state| state.window = window);
		for _ in 0..500 {
			for party in parties {
				party.look().await.unwrap();
			}
			if self.is_served() {
				return;
			}
			tokio::time::sleep(Duration::from_millis(20)).await;
		}
		panic!("nothing more than {:?} was sent in {window:?}", self.sent());
	}

	/// What the chain does with a call; as `pallet-verification` has it.
	fn take(&self, me: &AccountId, action: Action) {
		let me_is = if *me == executor() { Party::Executor } else { Party::Accuser };
		let body = &self.entry.body;
		let count = leaf_count(body, INDEX);
		let height = node_height(count);
		let layers = STAGES[usize::from(STAGE)];
		self.with(|state| {
			state.sent.push((me.clone(), action.name()));
			if let Action::Open = action {
				assert_eq!((state.window, &state.dispute), (Window::Dispute, &None));
				state.dispute = Some(Dispute {
					by: me_is,
					opener: me.clone(),
					bond: 1,
					stage: STAGE,
					root: self.root,
					executor: Standing::Stands,
					accuser: Standing::Stands,
					step: Step::Open,
				});
				return;
			}
			let dispute = state.dispute.as_mut().unwrap();
			let (hashes, step) = match (action, dispute.step) {
				(Action::Nodes(nodes), Step::Open) => {
					assert_eq!((state.window, me_is), (Window::Nodes, Party::Executor));
					let root = merkle_root(&nodes);
					let made = boundary(INDEX, &root, &body.query_hash);
					assert_eq!(body.boundaries.get(usize::from(INDEX)), Some(&made));
					let roots = Pair { executor: root, accuser: self.root };
					(nodes, Step::Nodes { roots })
				}
				(Action::Leaf(fork, below), Step::Nodes { roots }) => {
					assert_eq!((state.window, me_is), (Window::Leaf, Party::Accuser));
					assert!(fork.is_first(&roots, node_count(count, height)));
					let (first, count) = leaves_below(count, height, fork.index);
					assert_eq!(below.len() as u32, count);
					assert_eq!(merkle_root(&below), fork.accuser.hash);
					let nodes = fork.hashes();
					(below, Step::Leaf { first, count, nodes })
				}
				(Action::Defence(fork, items), Step::Leaf { first, count, nodes }) => {
					assert_eq!((state.window, me_is), (Window::Defence, Party::Executor));
					assert!(fork.is_first(&nodes, count));
					assert_eq!(items.len() as u32, item_count(&layers));
					let position = body.prompt_tokens - 1 + first + fork.index;
					let trace = merkle_root(&items);
					(items, Step::Defence { position, trace })
				}
				(Action::Reply(items), Step::Defence { position, trace }) => {
					assert_eq!((state.window, me_is), (Window::Reply, Party::Accuser));
					let traces = Pair { executor: trace, accuser: merkle_root(&items) };
					(items, Step::Traces { position, traces })
				}
				(Action::Blocks(fork, blocks), before) => {
					assert_eq!(state.window, Window::Blocks);
					let (position, traces, mut executor, mut accuser) = match before {
						Step::Traces { position, traces } => (position, traces, false, false),
						Step::Blocks { position, traces, executor, accuser, .. } => {
							(position, traces, executor, accuser)
						}
						other => panic!("{other:?}"),
					};
					match me_is {
						Party::Executor => executor = true,
						Party::Accuser => accuser = true,
					}
					assert!(fork.is_first(&traces, item_count(&layers)));
					let sums = fork.hashes();
					assert_eq!(merkle_root(&blocks), *sums.of(me_is));
					let item = fork.index;
					let step = Step::Blocks { position, traces, item, sums, executor, accuser };
					(blocks, step)
				}
				(Action::Prove(against, proof), Step::Blocks { traces, item, sums: pair, .. }) => {
					assert_eq!(state.window, Window::Proof);
					let manifest = &self.models.right.manifest;
					let at = sums_of(&layers, item).unwrap();
					let matrix = Matrix::of(manifest, at.layer, at.role).unwrap();
					let (posted, items) = (pair.of(against), item_count(&layers));
					let checked = proof.check(&matrix, posted, &traces.executor, at.input, items);
					assert_eq!(checked, Ok(()));
					let right = sums(Packing::Ternary2, &proof.weights, proof.values()).unwrap();
					assert_ne!(block_hash(&right), proof.hash, "nothing is false");
					dispute.find(against, Standing::False);
					return;
				}
				(action, step) => panic!("{} at {step:?}", action.name()),
			};
			dispute.step = step;
			state.posted.push(hashes.into_inner());
		});
	}
}

impl Handed for World {
	fn handed<'a>(
		&'a self,
		_: Party,
		_: RecordId,
		_: &'a RecordEntry,
	) -> BoxFuture<'a, Result<Handover, NoHandover>> {
		self.asked.fetch_add(1, Ordering::Relaxed);
		Box::pin(async move { Ok(self.handed.clone()) })
	}
}

/// One package.
struct Shelf(Arc<Package>);

impl Library for Shelf {
	fn package(
		&self,
		_: ModelId,
		layers: Vec<LayerRange>,
	) -> BoxFuture<'_, Result<Arc<Package>, String>> {
		assert_eq!(layers, STAGES);
		Box::pin(async move { Ok(self.0.clone()) })
	}
}

/// The chain, as one account sees it.
struct View {
	world: Arc<World>,
	me: AccountId,
}

impl DisputeChain for View {
	fn next_block(&self) -> BoxFuture<'_, ()> {
		Box::pin(tokio::time::sleep(Duration::from_millis(10)))
	}

	fn hearings(&self) -> BoxFuture<'_, Result<Hearings, LedgerError>> {
		let world = &self.world;
		let (at, window, dispute) =
			world.with(|state| (state.at, state.window, state.dispute.clone()));
		let accusation = Accusation { accuser: accuser(), index: INDEX, root: world.root, dispute };
		let hearing = Hearing {
			record: world.id,
			entry: world.entry.clone(),
			window,
			until: UNTIL,
			length: 100,
			verdict: Some(world.verdict),
			root: match world.verdict {
				Verdict::Failed { .. } => world.root,
				_ => H256::zero(),
			},
			accusations: vec![accusation],
		};
		Box::pin(async move { Ok(Hearings { at, open: vec![hearing] }) })
	}

	fn posted<'a>(
		&'a self,
		wanted: Wanted,
		record: RecordId,
		by: &'a AccountId,
		_: u32,
	) -> BoxFuture<'a, Result<Option<Vec<H256>>, LedgerError>> {
		assert_eq!((record, by), (self.world.id, &accuser()));
		let root = match wanted {
			Wanted::Nodes(root)
			| Wanted::Defence(root)
			| Wanted::Reply(root)
			| Wanted::Blocks(root) => root,
			Wanted::Leaf(nodes) => nodes.accuser,
		};
		let found = self.world.with(|state| {
			let mut latest = state.posted.iter().rev();
			latest.find(|hashes| merkle_root(hashes) == root).cloned()
		});
		Box::pin(async move { Ok(found) })
	}

	fn send<'a>(
		&'a self,
		record: RecordId,
		by: &'a AccountId,
		action: Action,
	) -> BoxFuture<'a, Result<(), LedgerError>> {
		assert_eq!((record, by), (self.world.id, &accuser()));
		self.world.take(&self.me, action);
		Box::pin(async { Ok(()) })
	}
}

fn standings(world: &World) -> (Standing, Standing) {
	world.with(|state| {
		let dispute = state.dispute.as_ref().unwrap();
		(dispute.executor, dispute.accuser)
	})
}

#[tokio::test]
async fn a_false_stage_should_be_proven_false_by_whom_others_outvoted() {
	let world = World::new(true, Verdict::Passed);
	let parties = world.parties();
	for window in WINDOWS {
		world.serve(window, &parties).await;
	}
	assert_eq!(standings(&world), (Standing::False, Standing::Stands));
	assert_eq!(world.sent().first(), Some(&(accuser(), "dispute")));
	assert_eq!(parties[1].counters.opened.load(Ordering::Relaxed), 1);
	assert_eq!(parties[1].counters.proven.load(Ordering::Relaxed), 1);
	assert_eq!(parties[0].counters.proven.load(Ordering::Relaxed), 0);
	// The item in dispute is the matrix that is another.
	let step = world.with(|state| state.dispute.as_ref().unwrap().step);
	let Step::Blocks { item, .. } = step else { panic!("{step:?}") };
	let at = sums_of(&STAGES[usize::from(STAGE)], item).unwrap();
	assert_eq!((at.layer, at.role), (2, aria_primitives::manifest::TensorRole::Up));
}

#[tokio::test]
async fn an_honest_stage_should_contest_what_a_false_majority_says() {
	let world = World::new(false, Verdict::Failed { stage: STAGE });
	let parties = world.parties();
	for window in WINDOWS {
		world.serve(window, &parties).await;
	}
	assert_eq!(standings(&world), (Standing::Stands, Standing::False));
	assert_eq!(world.sent().first(), Some(&(executor(), "dispute")));
	// Nothing is sent twice.
	let sent = world.sent();
	for party in &parties {
		party.look().await.unwrap();
	}
	assert_eq!(world.sent(), sent);
}

#[tokio::test]
async fn parties_that_begin_anew_in_each_window_should_come_to_the_same() {
	let world = World::new(false, Verdict::Failed { stage: STAGE });
	for window in WINDOWS {
		world.serve(window, &world.parties()).await;
	}
	assert_eq!(standings(&world), (Standing::Stands, Standing::False));
}

#[tokio::test]
async fn who_does_not_compute_the_same_again_should_not_contest() {
	// The record is false, and the stage computes rightly since.
	let world = World::new(true, Verdict::Failed { stage: STAGE });
	let mended = world.party(executor(), &world.models.right);
	for _ in 0..100 {
		mended.look().await.unwrap();
		tokio::time::sleep(Duration::from_millis(10)).await;
	}
	assert!(world.sent().is_empty());
	// Nor does anybody open what is for the other to open, or too late.
	let [executor, accuser] = world.parties();
	for _ in 0..20 {
		accuser.look().await.unwrap();
		tokio::time::sleep(Duration::from_millis(10)).await;
	}
	world.with(|state| state.at = UNTIL);
	for _ in 0..20 {
		executor.look().await.unwrap();
		tokio::time::sleep(Duration::from_millis(10)).await;
	}
	assert!(world.sent().is_empty());
}

#[tokio::test]
async fn a_machine_that_allows_nothing_should_not_begin_with_a_dispute() {
	let world = World::new(false, Verdict::Failed { stage: STAGE });
	world.allowed.store(false, Ordering::Relaxed);
	let parties = world.parties();
	for _ in 0..50 {
		for party in &parties {
			party.look().await.unwrap();
		}
		tokio::time::sleep(Duration::from_millis(10)).await;
	}
	assert!(world.sent().is_empty());
	assert_eq!(world.asked.load(Ordering::Relaxed), 0, "nothing is fetched for it, either");
	// It is never too late within the window.
	world.allowed.store(true, Ordering::Relaxed);
	for window in WINDOWS {
		world.serve(window, &parties).await;
	}
	assert_eq!(standings(&world), (Standing::Stands, Standing::False));
}
