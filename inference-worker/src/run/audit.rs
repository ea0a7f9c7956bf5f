//! Audits, put together: a worker that runs others' records again, and a gateway that hands over what it
//! answered (`docs/protocol/audit.md`).

use super::{
	choice::weight_bytes,
	common::Common,
	config::Config,
	live::{now, Live},
	patience::{patiently, Trouble, AGAIN},
	serve::take,
	stages::Stages,
	unit,
	worker::Loader,
};
use crate::{
	audit::{
		ask::{ask, is_of, AskError, Question},
		canary::Orders,
		conduct::Machine,
		ledger::{
			Action, Candidate, Claim, Docket, Ledger, LedgerError, Open, Standing, Window, Witness,
		},
		seat::{self, Lots},
		store::CaseStore,
		Counters, Gateways, Giving, HandOvers, Library, NoHandover, Verifier, VerifierParts,
	},
	limits::Governor,
};
use anyhow::{Context, Result};
use aria_chain_client::{
	audit::{Audit, Phase, SeatState, VerifierInfo},
	At, Call, Chain, SubmitError,
};
use aria_engine::package::Package;
use aria_network::{
	wire::{
		advert::Addresses,
		audit::{gateway_place, AuditRequest},
		AUDIT_PROTOCOL, DISPUTE_PROTOCOL,
	},
	Handle,
};
use aria_primitives::{
	audit::{Handover, Named, Sealed},
	consent::TaskType,
	record::{LayerRange, RecordBody, RecordEntry},
	views::AuditStatus,
	AccountId, Balance, BlockNumber, ModelId, RecordId, ARIA,
};
use futures::future::BoxFuture;
use sp_core::{sr25519, Pair, H256};
use std::{
	collections::HashMap,
	sync::{Arc, Mutex, MutexGuard, PoisonError},
	time::Duration,
};
use tokio::time::timeout;

/// How long a new block is waited for before the chain is read all the same.
const LOOK: Duration = Duration::from_secs(15);
/// Least time between two readings: blocks of a development chain come fast.
const PAUSE: Duration = Duration::from_millis(300);
/// How long a gateway is looked for.
const SEARCH: Duration = Duration::from_secs(12);
/// Peers that say to be a gateway and are asked.
const MOST_PEERS: usize = 4;
/// Gateways whose peers are remembered.
const MOST_KNOWN: usize = 4_096;
/// Before a registration that was refused is tried again.
const REGISTER_AGAIN: Duration = Duration::from_secs(60);
/// Between two looks at fees, and at whether to remain a verifier.
const UPKEEP: Duration = Duration::from_secs(30);
/// Fewest fees that are claimed, in planck: a claim costs a fee itself.
const LEAST_CLAIM: Balance = ARIA / 100;

// --- a verifier ---------------------------------------------------------------------------------

/// Begins to verify: with a key of its own, once the chain knows it. It goes on in the background until
/// the process ends.
///
/// # Errors
/// A key or a file that can't be used.
pub(super) fn verify(
	config: &Config,
	common: &Common,
	loader: &Arc<Loader>,
	governor: &Arc<Governor>,
	stages: &Arc<Stages>,
	canaries: &Arc<Orders>,
) -> Result<Arc<Verifier>> {
	let path = config.verifier_key_file();
	let (pair, new) = seat::key(&path).context("the verifier's key")?;
	if new {
		tracing::info!(target: "aria::audit", path = %path.display(), "a verifier's key was made");
	}
	let genesis = common.chain.genesis();
	let live = common.live.clone();
	let paid = stages.clone();
	let machine = Machine {
		governor: governor.clone(),
		busy: Arc::new(move || paid.sessions() > 0),
		allowed: Arc::new(move || may_audit(&live)),
		weigh: weight_bytes,
		threads: config.threads,
		kernel: config.kernel.clone(),
	};
	let chain = Arc::new(VerifierChain {
		chain: common.chain.clone(),
		worker: common.pair.clone(),
		account: common.account.clone(),
	});
	let verifier = Verifier::new(VerifierParts {
		ledger: chain,
		account: common.account.clone(),
		pair: pair.clone(),
		store: CaseStore::open(&config.audits_file(), genesis)?,
		folder: config.audits_dir(),
		gateways: Arc::new(NetworkGateways::new(common.handle.clone(), pair.clone())),
		library: loader.clone(),
		machine,
	});
	let (common, running) = (common.clone(), verifier.clone());
	let upkeep = Upkeep {
		common: common.clone(),
		key: pair.public(),
		canaries: canaries.clone(),
		verifier: verifier.clone(),
	};
	tokio::spawn(async move {
		let registered = upkeep.register().await;
		match registered {
			Ok(Some(())) => {
				tokio::spawn(upkeep.run());
				running.run(common.shutdown.clone()).await;
			}
			Ok(None) => {}
			Err(error) => {
				let error = format!("{error:#}");
				tracing::error!(target: "aria::audit", error, "this worker audits nothing");
			}
		}
	});
	Ok(verifier)
}

/// Whether the consent in force allows audits now.
fn may_audit(live: &Live) -> bool {
	let snapshot = live.snapshot();
	!live.is_paused()
		&& snapshot.consent.is_some_and(|version| {
			version.superseded_at.is_none()
				&& version.consent.accepts(TaskType::Audit)
				&& version.consent.schedule.allows(now())
		})
}

/// Keeps the worker among the verifiers, and takes what it has earned.
struct Upkeep {
	common: Common,
	/// The verifier's key.
	key: sr25519::Public,
	/// Canaries that need it to remain one.
	canaries: Arc<Orders>,
	verifier: Arc<Verifier>,
}

/// What a verifier does besides audits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Chore {
	/// Nothing.
	None,
	/// Claim fees.
	Claim,
	/// Retire: it leaves, or has less stake than counts, which no seat is taken with.
	Retire,
}

/// What there is to do for a verifier with this entry: `stake` it has, in planck, unless it leaves;
/// `canaries` are not over.
fn chore(info: &VerifierInfo, best: BlockNumber, stake: Option<Balance>, canaries: usize) -> Chore {
	let unfit = stake.is_none_or(|stake| stake < info.weight);
	if unfit && info.seats == 0 && canaries == 0 {
		// With it all fees are paid.
		return Chore::Retire;
	}
	let fees = info.owed.saturating_add(info.ripening);
	match fees >= LEAST_CLAIM && (info.seats == 0 || best >= info.ripe_at) {
		true => Chore::Claim,
		false => Chore::None,
	}
}

/// Whose place a worker with `stake` planck that count takes: that of the verifier with the least, if that
/// is less and it has no seat.
fn least(verifiers: &[(AccountId, VerifierInfo)], stake: Balance) -> Option<AccountId> {
	let free = verifiers.iter().filter(|(_, info)| info.seats == 0 && info.weight < stake);
	free.min_by_key(|(account, info)| (info.weight, account.clone()))
		.map(|(account, _)| account.clone())
}

impl Upkeep {
	/// Looks after the verifier until the process ends.
	async fn run(self) {
		let Common { shutdown, .. } = &self.common;
		loop {
			tokio::select! {
				() = shutdown.cancelled() => return,
				() = tokio::time::sleep(UPKEEP) => {}
			}
			let done = tokio::select! {
				() = shutdown.cancelled() => return,
				done = self.look() => done,
			};
			if let Err(reason) = done {
				tracing::warn!(
					target: "aria::audit", reason, "a verifier's upkeep waits; it is tried again"
				);
			}
		}
	}

	async fn look(&self) -> Result<(), String> {
		let Common { chain, pair, account, live, .. } = &self.common;
		let snapshot = live.snapshot();
		let (best, hash) = chain.head().borrow().best;
		let info = chain.verifier(account, At::Block(hash)).await;
		// Before the chain says what this worker is, nothing follows.
		let Some(worker) = snapshot.worker else { return Ok(()) };
		let Some(info) = info.map_err(|error| error.to_string())? else {
			// Displaced, or retired for a fall of its stake.
			if worker.active && may_audit(live) {
				return self.enter().await.map_err(|error| error.to_string());
			}
			return Ok(());
		};
		let stake = worker.active.then_some(worker.stake);
		let (call, said) = match chore(&info, best, stake, self.canaries.open()) {
			Chore::None => return Ok(()),
			Chore::Claim => (Call::ClaimFees(account.clone()), "fees were claimed"),
			Chore::Retire => (
				Call::RetireVerifier(account.clone()),
				"this worker is no verifier now: it leaves, or registers again with the stake that it has",
			),
		};
		let is_claim = matches!(call, Call::ClaimFees(_));
		chain.submit(pair, call).await.map_err(|error| error.to_string())?;
		if is_claim {
			Counters::count(&self.verifier.counters.fee_claims);
		}
		tracing::info!(target: "aria::audit", "{said}");
		Ok(())
	}

	/// Registers the verifier, in the place of one with less stake where all are taken.
	async fn enter(&self) -> Result<(), SubmitError> {
		const FULL: &str = "Verification::TooManyVerifiers";
		let Common { chain, pair, live, .. } = &self.common;
		let error = match chain.submit(pair, Call::RegisterVerifier(self.key)).await {
			Ok(_) => return Ok(()),
			Err(error) if error.name() == Some(FULL) => error,
			Err(error) => return Err(error),
		};
		let stake = live.snapshot().worker.map_or(0, |worker| worker.stake);
		let terms = chain.epoch_terms(At::Best).await?;
		let most = terms.map_or(Balance::MAX, |terms| terms.params.max_seat_stake);
		let verifiers = chain.verifiers(At::Best).await?;
		let Some(other) = least(&verifiers, stake.min(most)) else { return Err(error) };
		let call = Call::DisplaceVerifier { key: self.key, other: other.clone() };
		chain.submit(pair, call).await?;
		Counters::count(&self.verifier.counters.displaced);
		tracing::info!(target: "aria::audit", %other, "the place of a verifier with less stake was taken");
		Ok(())
	}

	/// Has the chain know the verifier's key. `None` if the process is to end meanwhile.
	///
	/// # Errors
	/// Another key that is registered already.
	async fn register(&self) -> Result<Option<()>> {
		let Common { chain, account, stop, live, .. } = &self.common;
		let key = self.key;
		let mut said = false;
		loop {
			let known = patiently("the verifier is looked up", stop, || async {
				chain.verifier(account, At::Best).await.map_err(Trouble::from)
			});
			let Some(known) = known.await? else { return Ok(None) };
			match known {
				Some(VerifierInfo { key: known, from, .. }) if known == key => {
					tracing::info!(target: "aria::audit", from_epoch = from, "this worker is a verifier");
					return Ok(Some(()));
				}
				Some(_) => anyhow::bail!(
					"another verifier's key is registered for this account: put its file back in place \
					 as keys/verifier in the base path, or retire that verifier on chain, then start again"
				),
				None => {}
			}
			if may_audit(live) {
				match self.enter().await {
					Ok(()) => continue,
					Err(error) => {
						tracing::warn!(
							target: "aria::audit", %error, "the verifier is not registered; that is tried again"
						);
					}
				}
			} else if !said {
				said = true;
				tracing::warn!(
					target: "aria::audit",
					"no audits: the consent in force does not allow them now; start with --loosen-consent to \
					 set one that does"
				);
			}
			tokio::select! {
				() = stop.cancelled() => return Ok(None),
				() = tokio::time::sleep(REGISTER_AGAIN) => {}
			}
		}
	}
}

impl Library for Loader {
	fn package(
		&self,
		model: ModelId,
		layers: Vec<LayerRange>,
	) -> BoxFuture<'_, Result<Arc<Package>, String>> {
		Box::pin(async move {
			for range in layers {
				let (bar, progress) = crate::shards::bar("fetching");
				let fetched = self.fetcher.fetch(model, Some(range), progress).await;
				bar.finish_and_clear();
				fetched.map_err(|error| error.to_string())?;
			}
			unit::verify(&self.packages, model).await.map_err(|error| format!("{error:#}"))?;
			self.packages.package(&model).ok_or_else(|| "the package has vanished".to_owned())
		})
	}
}

/// Gateways by the table of providers.
pub(super) struct NetworkGateways {
	handle: Handle,
	/// The key that hand-overs are sealed to: the verifier's, or an accused stage's.
	pair: sr25519::Pair,
	/// Who answered for a gateway last.
	known: Mutex<HashMap<AccountId, [u8; 32]>>,
}

impl NetworkGateways {
	/// Gateways that hand over to `pair`.
	pub fn new(handle: Handle, pair: sr25519::Pair) -> Self {
		Self { handle, pair, known: Mutex::default() }
	}

	fn known(&self) -> MutexGuard<'_, HashMap<AccountId, [u8; 32]>> {
		self.known.lock().unwrap_or_else(PoisonError::into_inner)
	}

	async fn ask_one<Q: Question>(
		&self,
		peer: [u8; 32],
		request: &Q,
	) -> Result<(Handover, Named), NoHandover> {
		let silent = |error: &dyn std::fmt::Display| NoHandover::Silent(error.to_string());
		// A gateway that works too has an advert with its addresses; of others the table knows them.
		let known = self.handle.directory().borrow().clone();
		let known = known.iter().find(|worker| worker.peer == peer);
		let addresses: Addresses =
			known.map(|worker| worker.advert.addresses.clone()).unwrap_or_default();
		let opened = self.handle.open(peer, &addresses, Q::PROTOCOL).await;
		let stream = opened.map_err(|error| silent(&error))?;
		ask(stream, request, &self.pair).await.map_err(|error| match error {
			AskError::Refused(reason) => NoHandover::Refused(reason),
			other => silent(&other),
		})
	}

	/// The hand-over of a record from its gateway: from who answered for it last, or from whoever says to
	/// be it.
	pub async fn search<Q: Question>(
		&self,
		gateway: &AccountId,
		request: &Q,
		body: &RecordBody,
	) -> Result<(Handover, Named), NoHandover> {
		let known = self.known().get(gateway).copied();
		if let Some(peer) = known {
			if let Ok((handed, named)) = self.ask_one(peer, request).await {
				if is_of(&handed, body) {
					return Ok((handed, named));
				}
			}
		}
		let (name, range) = gateway_place(gateway);
		let found = timeout(SEARCH, self.handle.providers(name, range)).await;
		let mut peers = found.unwrap_or_default();
		// Who is connected is asked first.
		peers.sort_by_key(|peer| self.handle.round_trip(peer).unwrap_or(Duration::MAX));
		let mut last = NoHandover::Silent("the gateway is not found on the network".to_owned());
		for peer in peers.into_iter().take(MOST_PEERS) {
			match self.ask_one(peer, request).await {
				Ok((handed, named)) if is_of(&handed, body) => {
					let mut known = self.known();
					if known.len() >= MOST_KNOWN {
						known.clear();
					}
					known.insert(gateway.clone(), peer);
					return Ok((handed, named));
				}
				Ok(_) => {
					last = NoHandover::Silent("what came is not the record's".to_owned());
				}
				Err(error) => last = error,
			}
		}
		Err(last)
	}
}

impl Gateways for NetworkGateways {
	fn hand_over<'a>(
		&'a self,
		gateway: &'a AccountId,
		request: AuditRequest,
		body: &'a RecordBody,
	) -> BoxFuture<'a, Result<(Handover, Named), NoHandover>> {
		Box::pin(async move { self.search(gateway, &request, body).await })
	}
}

/// The chain, for a verifier.
struct VerifierChain {
	chain: Chain,
	/// The worker's key, which signs.
	worker: sr25519::Pair,
	account: AccountId,
}

pub(super) fn later(error: impl std::fmt::Display) -> LedgerError {
	LedgerError::Later(error.to_string())
}

/// What becomes of something that could not be sent.
pub(super) fn unsent(error: SubmitError) -> LedgerError {
	/// It was in time when it was sent, or another block may still take it.
	const PASSING: [&str; 2] = ["Verification::NotInWindow", "Verification::SeatsTaken"];
	let lasts = match &error {
		SubmitError::Failed { name, .. } => !PASSING.contains(&name.as_str()),
		SubmitError::BadCall(_) => true,
		SubmitError::Chain(_) | SubmitError::Refused { .. } | SubmitError::Undecided { .. } => {
			false
		}
	};
	match lasts {
		true => LedgerError::Never(error.to_string()),
		false => later(error),
	}
}

fn window(phase: Phase) -> Window {
	match phase {
		Phase::Commit => Window::Commit,
		Phase::Rebut => Window::Rebut,
		Phase::Answer => Window::Answer,
		Phase::Reveal => Window::Reveal,
		Phase::Open => Window::Open,
		_ => Window::Other,
	}
}

fn lots(record: RecordId, audit: &Audit) -> Lots {
	Lots {
		record,
		seed: audit.seed,
		round: audit.round,
		expected: audit.params.seats(audit.round),
		total: audit.total,
		named: audit.stakes.named,
	}
}

/// What counts of a verifier's stake in a round.
fn weight(info: Option<&VerifierInfo>, audit: &Audit) -> Balance {
	info.filter(|info| info.from <= audit.round_epoch).map_or(0, |info| info.weight)
}

pub(super) async fn next_block(chain: &Chain) {
	let mut head = chain.head();
	head.borrow_and_update();
	tokio::time::sleep(PAUSE).await;
	if timeout(LOOK, head.changed()).await.is_ok_and(|changed| changed.is_err()) {
		// The connection is closed: this process ends.
		tokio::time::sleep(AGAIN).await;
	}
}

impl Ledger for VerifierChain {
	fn genesis(&self) -> H256 {
		self.chain.genesis()
	}

	fn next_block(&self) -> BoxFuture<'_, ()> {
		Box::pin(next_block(&self.chain))
	}

	fn docket(&self) -> BoxFuture<'_, Result<Docket, LedgerError>> {
		Box::pin(async move {
			let (number, hash) = self.chain.head().borrow().best;
			let at = At::Block(hash);
			let audits = self.chain.audits(at).await.map_err(later)?;
			let info = self.chain.verifier(&self.account, at).await.map_err(later)?;
			let open = audits.into_iter().map(|(record, audit)| Open {
				lots: lots(record, &audit),
				window: window(audit.phase),
				until: audit.until,
				length: audit.params.window,
				positions: audit.params.positions,
				beacon: audit.beacon,
				stake: weight(info.as_ref(), &audit),
			});
			Ok(Docket { at: number, open: open.collect() })
		})
	}

	fn record(&self, id: RecordId) -> BoxFuture<'_, Result<Option<RecordEntry>, LedgerError>> {
		Box::pin(async move { self.chain.record(id, At::Best).await.map_err(later) })
	}

	fn standing(&self, id: RecordId, round: u8) -> BoxFuture<'_, Result<Standing, LedgerError>> {
		Box::pin(async move {
			let seats = self.chain.seats(id, At::Best).await.map_err(later)?;
			let mine = seats.into_iter().find(|(account, _)| *account == self.account);
			Ok(match mine {
				None => Standing::Nothing,
				Some((_, seat)) if seat.round != round => Standing::Elsewhere,
				Some((_, seat)) => match seat.state {
					SeatState::Claimed => Standing::Claimed,
					SeatState::Rebutted => Standing::Rebutted,
					SeatState::Committed { .. } => Standing::Committed,
					SeatState::Revealed { .. } => Standing::Revealed,
					SeatState::Counted { .. } => Standing::Counted,
				},
			})
		})
	}

	fn posted(
		&self,
		id: RecordId,
		blocks: BlockNumber,
	) -> BoxFuture<'_, Result<Option<Sealed>, LedgerError>> {
		Box::pin(async move {
			let posted = self.chain.posted_handover(id, &self.account, blocks).await;
			posted.map_err(later)
		})
	}

	fn send(&self, id: RecordId, action: Action) -> BoxFuture<'_, Result<(), LedgerError>> {
		let call = match action {
			Action::Commit { proof, commitment, named } => {
				Call::CommitAudit { record: id, proof, commitment, named }
			}
			Action::Claim { proof, named } => Call::ClaimSilence { record: id, proof, named },
			Action::Reveal(reveal) => Call::RevealAudit { record: id, reveal: Box::new(reveal) },
			Action::Open(openings) => Call::OpenAudit { record: id, openings },
		};
		Box::pin(
			async move { self.chain.submit(&self.worker, call).await.map(|_| ()).map_err(unsent) },
		)
	}
}

// --- a gateway ----------------------------------------------------------------------------------

/// Begins to hand over what is kept, to who proves a seat. It goes on in the background until the process
/// ends.
///
/// # Errors
/// A network that has ended, or streams that somebody takes already.
pub(super) async fn give(common: &Common, kept: Arc<HandOvers>) -> Result<Arc<Giving>> {
	let witness = Arc::new(GatewayChain {
		chain: common.chain.clone(),
		pair: common.pair.clone(),
		account: common.account.clone(),
	});
	let giving = Giving::new(witness, kept);
	let serving = giving.clone();
	take(common.handle.accept(AUDIT_PROTOCOL)?, &common.shutdown, move |_, stream| {
		let giving = serving.clone();
		async move {
			if let Err(error) = giving.serve(stream).await {
				tracing::debug!(target: "aria::audit", %error, "a verifier was not answered");
			}
		}
	});
	let serving = giving.clone();
	take(common.handle.accept(DISPUTE_PROTOCOL)?, &common.shutdown, move |_, stream| {
		let giving = serving.clone();
		async move {
			if let Err(error) = giving.serve_accused(stream).await {
				tracing::debug!(target: "aria::audit", %error, "an accused stage was not answered");
			}
		}
	});
	let (name, range) = gateway_place(&common.account);
	common.handle.provide(name, range).await?;
	tokio::spawn(giving.clone().run(common.shutdown.clone()));
	Ok(giving)
}

/// The chain, for a gateway that hands over.
struct GatewayChain {
	chain: Chain,
	pair: sr25519::Pair,
	account: AccountId,
}

impl Witness for GatewayChain {
	fn next_block(&self) -> BoxFuture<'_, ()> {
		Box::pin(next_block(&self.chain))
	}

	fn candidate<'a>(
		&'a self,
		record: RecordId,
		round: u8,
		verifier: &'a AccountId,
	) -> BoxFuture<'a, Result<Option<Candidate>, LedgerError>> {
		Box::pin(async move {
			let hash = self.chain.head().borrow().best.1;
			let at = At::Block(hash);
			let Some(audit) = self.chain.audit(record, at).await.map_err(later)? else {
				return Ok(None);
			};
			let is_open = matches!(audit.phase, Phase::Commit | Phase::Rebut | Phase::Answer);
			if !is_open || audit.round != round {
				return Ok(None);
			}
			let info = self.chain.verifier(verifier, at).await.map_err(later)?;
			let stake = weight(info.as_ref(), &audit);
			let candidate =
				info.map(|info| Candidate { lots: lots(record, &audit), key: info.key, stake });
			Ok(candidate.filter(|_| stake > 0))
		})
	}

	fn accused<'a>(
		&'a self,
		record: RecordId,
		node: &'a AccountId,
	) -> BoxFuture<'a, Result<bool, LedgerError>> {
		Box::pin(async move {
			let hash = self.chain.head().borrow().best.1;
			let at = At::Block(hash);
			let Some(audit) = self.chain.audit(record, at).await.map_err(later)? else {
				return Ok(false);
			};
			if super::dispute::window(audit.phase).is_none() {
				return Ok(false);
			}
			let Some(entry) = self.chain.record(record, at).await.map_err(later)? else {
				return Ok(false);
			};
			let seats = self.chain.seats(record, at).await.map_err(later)?;
			let accused = seats.iter().filter_map(|(_, seat)| super::dispute::accused(seat));
			let nodes = accused
				.filter_map(|(index, _)| entry.body.stages.get(usize::from(index).checked_sub(1)?));
			let found = nodes.map(|stage| &stage.node).any(|found| found == node);
			Ok(found)
		})
	}

	fn is_over(&self, record: RecordId) -> BoxFuture<'_, Result<Option<bool>, LedgerError>> {
		Box::pin(async move {
			let Some(trace) = self.chain.trace(record, At::Finalized).await.map_err(later)? else {
				return Ok(None);
			};
			if matches!(trace.audit, AuditStatus::Pending { .. }) {
				return Ok(Some(false));
			}
			let audit = self.chain.audit(record, At::Finalized).await.map_err(later)?;
			Ok(Some(audit.is_none()))
		})
	}

	fn claims(&self) -> BoxFuture<'_, Result<Vec<Claim>, LedgerError>> {
		Box::pin(async move {
			let (number, hash) = self.chain.head().borrow().best;
			let at = At::Block(hash);
			let mut claims = Vec::new();
			for (record, audit) in self.chain.audits(at).await.map_err(later)? {
				let is_open = matches!(audit.phase, Phase::Commit | Phase::Rebut);
				if !is_open || audit.claimed == 0 || number >= audit.until {
					continue;
				}
				let entry = self.chain.record(record, at).await.map_err(later)?;
				if entry.is_none_or(|entry| entry.gateway != self.account) {
					continue;
				}
				for (claimant, seat) in self.chain.seats(record, at).await.map_err(later)? {
					if seat.state != SeatState::Claimed || seat.round != audit.round {
						continue;
					}
					let info = self.chain.verifier(&claimant, at).await.map_err(later)?;
					if let Some(VerifierInfo { key, .. }) = info {
						claims.push(Claim { record, claimant, key });
					}
				}
			}
			Ok(claims)
		})
	}

	fn post(&self, claim: Claim, sealed: Sealed) -> BoxFuture<'_, Result<(), LedgerError>> {
		let Claim { record, claimant, .. } = claim;
		let call = Call::PostHandover { record, verifier: claimant, sealed: Box::new(sealed) };
		Box::pin(
			async move { self.chain.submit(&self.pair, call).await.map(|_| ()).map_err(unsent) },
		)
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	fn info(change: impl Fn(&mut VerifierInfo)) -> VerifierInfo {
		let mut info = VerifierInfo {
			key: sr25519::Public::from_raw([1; 32]),
			weight: 10 * ARIA,
			from: 1,
			seats: 0,
			owed: 0,
			ripening: 0,
			ripe_at: 500,
			canary: None,
		};
		change(&mut info);
		info
	}

	fn of(best: BlockNumber, change: impl Fn(&mut VerifierInfo)) -> Chore {
		chore(&info(change), best, Some(10 * ARIA), 0)
	}

	#[test]
	fn ripe_fees_should_be_claimed() {
		assert_eq!(of(400, |_| ()), Chore::None);
		assert_eq!(of(400, |info| info.owed = ARIA / 50), Chore::Claim);
		let seated = |info: &mut VerifierInfo| (info.owed, info.seats) = (ARIA / 50, 1);
		assert_eq!(of(400, seated), Chore::None);
		assert_eq!(of(500, seated), Chore::Claim);
		// Not worth the fee of the call.
		assert_eq!(of(400, |info| info.owed = ARIA / 1_000), Chore::None);
	}

	#[test]
	fn who_leaves_or_lost_stake_should_retire_once_it_has_no_seat() {
		let free = info(|_| ());
		assert_eq!(chore(&free, 1, None, 0), Chore::Retire);
		assert_eq!(chore(&free, 1, Some(9 * ARIA), 0), Chore::Retire);
		assert_eq!(chore(&free, 1, Some(11 * ARIA), 0), Chore::None);
		assert_eq!(chore(&info(|info| info.seats = 1), 1, None, 0), Chore::None);
		// Who retires can't show what it made any more.
		assert_eq!(chore(&free, 1, None, 1), Chore::None);
	}

	#[test]
	fn the_verifier_with_the_least_stake_should_be_displaced() {
		let account = |byte: u8| AccountId::new([byte; 32]);
		let verifiers = [
			(account(1), info(|info| info.weight = 30 * ARIA)),
			(account(2), info(|info| (info.weight, info.seats) = (10 * ARIA, 1))),
			(account(3), info(|info| info.weight = 20 * ARIA)),
		];
		assert_eq!(least(&verifiers, 25 * ARIA), Some(account(3)));
		assert_eq!(least(&verifiers, 20 * ARIA), None);
		assert_eq!(least(&[], ARIA), None);
	}
}
