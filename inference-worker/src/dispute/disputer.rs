//! A party at each block: what is next in each of its disputes, in time.

use super::{
	chain::{Accusation, Action, DisputeChain, Hearing, Wanted},
	evidence::{Evidence, Matter, Stuck},
	say,
	step::{other, step, Move, Place},
	LOG,
};
use crate::audit::ledger::LedgerError;
use aria_engine::audit::dispute::Trace;
use aria_primitives::{
	dispute::{sums_of, Dispute, Fork, Hashes, Pair, Party, Step},
	hashing::merkle_root,
	record::boundary,
	AccountId, RecordId,
};
use futures::{stream, StreamExt};
use sp_core::H256;
use std::{
	collections::{HashMap, HashSet},
	sync::{
		atomic::{AtomicU64, Ordering},
		Arc, Mutex, MutexGuard, PoisonError,
	},
	time::{Duration, Instant},
};
use tokio_util::sync::CancellationToken;

/// Disputes that are looked at together: each may wait for a block, and all have the same windows.
const AT_ONCE: usize = 32;
/// Before something that came to nothing is tried again.
const AGAIN: Duration = Duration::from_secs(5);
/// Windows of disputes: how far back something is looked for that was posted.
const WINDOWS: u32 = 7;

/// What a party is made of.
pub struct DisputerParts {
	/// The chain.
	pub chain: Arc<dyn DisputeChain>,
	/// The worker's account.
	pub account: AccountId,
	/// The record run again.
	pub evidence: Arc<Evidence>,
}

/// What a party did since its process began.
#[derive(Debug, Default)]
pub struct Counters {
	/// Disputes that it opened.
	pub opened: AtomicU64,
	/// Answers that it posted.
	pub posted: AtomicU64,
	/// Blocks of the other side that it proved false.
	pub proven: AtomicU64,
}

/// A worker that contests what is said of it, and answers for what it says of others.
pub struct Disputer {
	parts: DisputerParts,
	/// What it did.
	pub counters: Counters,
	/// What there is nothing to do about any more.
	done: Mutex<HashSet<(Side, Move)>>,
	/// When something was tried last.
	tried: Mutex<HashMap<(Side, Move), Instant>>,
}

/// One side of one dispute.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Side {
	record: RecordId,
	accuser: AccountId,
	me: Party,
}

/// One accusation, as one side looks at it.
struct Look<'a> {
	hearing: &'a Hearing,
	accusation: &'a Accusation,
	side: Side,
	matter: Matter,
}

impl Look<'_> {
	/// How far back something may have been posted.
	fn blocks(&self) -> u32 {
		self.hearing.length.saturating_mul(WINDOWS)
	}

	/// Whether leaves under `root` are what this side stands for.
	fn stands_for(&self, root: &H256) -> bool {
		let body = &self.hearing.entry.body;
		let Matter { index, me, .. } = self.matter;
		match me {
			Party::Executor => {
				let made = boundary(index, root, &body.query_hash);
				body.boundaries.get(usize::from(index)) == Some(&made)
			}
			Party::Accuser => *root == self.accusation.root,
		}
	}
}

/// What a move comes to.
enum Outcome {
	/// This is sent.
	Send(Action),
	/// It is not known yet.
	Later,
	/// There is nothing to say; why.
	Nothing(&'static str),
}

/// The items of both sides.
struct Items {
	/// One's own.
	trace: Arc<Trace>,
	/// The first that differs.
	fork: Option<Fork>,
	/// The executor's.
	executor: Vec<H256>,
}

impl Disputer {
	/// A party that has done nothing yet.
	pub fn new(parts: DisputerParts) -> Arc<Self> {
		Arc::new(Self {
			parts,
			counters: Counters::default(),
			done: Mutex::default(),
			tried: Mutex::default(),
		})
	}

	/// Looks at each block until `shutdown`.
	pub async fn run(self: Arc<Self>, shutdown: CancellationToken) {
		loop {
			let looked = tokio::select! {
				() = shutdown.cancelled() => break,
				looked = self.look() => looked,
			};
			if let Err(error) = looked {
				tracing::debug!(target: LOG, %error, "disputes can't be looked at");
			}
			tokio::select! {
				() = shutdown.cancelled() => break,
				() = self.parts.chain.next_block() => {}
			}
		}
		self.parts.evidence.end();
	}

	/// One look at everything in which this worker is a party.
	pub(super) async fn look(&self) -> Result<(), LedgerError> {
		let hearings = self.parts.chain.hearings().await?;
		let records: Vec<RecordId> = hearings.open.iter().map(|hearing| hearing.record).collect();
		self.parts.evidence.keep(&records);
		lock(&self.done).retain(|(side, _)| records.contains(&side.record));
		lock(&self.tried).retain(|(side, _), _| records.contains(&side.record));
		let best = hearings.at;
		let mut sides: Vec<Look<'_>> =
			hearings.open.iter().flat_map(|hearing| self.sides(hearing)).collect();
		// The first to end goes first.
		sides.sort_by_key(|look| look.hearing.until);
		stream::iter(sides)
			.for_each_concurrent(AT_ONCE, |look| async move {
				if let Err(error) = self.advance(&look, best).await {
					tracing::warn!(
						target: LOG, record = ?look.side.record, accuser = %look.side.accuser,
						me = ?look.side.me, %error, "a dispute does not go on"
					);
				}
			})
			.await;
		Ok(())
	}

	/// The sides that this worker has in a hearing.
	fn sides<'a>(&self, hearing: &'a Hearing) -> Vec<Look<'a>> {
		let me = &self.parts.account;
		let mut looks = Vec::new();
		for accusation in &hearing.accusations {
			let is_executor = hearing.executor(accusation) == Some(me);
			let is_accuser = accusation.accuser == *me;
			for (party, is_mine) in [(Party::Executor, is_executor), (Party::Accuser, is_accuser)] {
				if is_mine {
					let (record, index) = (hearing.record, accusation.index);
					let accuser = accusation.accuser.clone();
					looks.push(Look {
						hearing,
						accusation,
						side: Side { record, accuser, me: party },
						matter: Matter { record, index, me: party },
					});
				}
			}
		}
		looks
	}

	/// Does what is next about one side.
	async fn advance(&self, look: &Look<'_>, best: u32) -> Result<(), Stuck> {
		let (hearing, dispute) = (look.hearing, look.accusation.dispute.as_ref());
		let next = step(&Place {
			best,
			window: hearing.window,
			until: hearing.until,
			me: look.side.me,
			opener: hearing.opener(look.accusation),
			dispute,
		});
		if next == Move::Wait || !self.is_due(look, next) {
			return Ok(());
		}
		let leaves = match self.leaves(look) {
			Ok(Some(leaves)) => leaves,
			Ok(None) => {
				// The run for them has begun.
				self.untry(look, next);
				return Ok(());
			}
			Err(error) => {
				lock(&self.done).insert((look.side.clone(), next));
				return Err(error);
			}
		};
		let outcome = match (next, dispute) {
			(Move::Prepare | Move::Wait, _) => return Ok(()),
			(Move::Open, _) => Outcome::Send(Action::Open),
			(_, None) => return Ok(()),
			(Move::Nodes, _) => sent(say::own_nodes(&leaves), Action::Nodes),
			(Move::Leaf, Some(dispute)) => self.leaf(look, dispute, &leaves).await?,
			(Move::Defence, Some(dispute)) => self.defence(look, dispute, &leaves).await?,
			(Move::Reply, Some(dispute)) => self.reply(look, dispute),
			(Move::Blocks, Some(dispute)) => self.blocks(look, dispute).await?,
			(Move::Prove, Some(dispute)) => self.prove(look, dispute).await?,
		};
		match outcome {
			Outcome::Send(action) => self.send(look, next, action).await,
			Outcome::Later => self.untry(look, next),
			Outcome::Nothing(reason) => {
				tracing::info!(
					target: LOG, record = ?look.side.record, accuser = %look.side.accuser,
					me = ?look.side.me, reason, "nothing to say in a dispute"
				);
				lock(&self.done).insert((look.side.clone(), next));
			}
		}
		Ok(())
	}

	/// One's own leaves, if they are known and are what this side stands for.
	fn leaves(&self, look: &Look<'_>) -> Result<Option<Arc<Vec<H256>>>, Stuck> {
		let Some(leaves) = self.parts.evidence.leaves(look.matter, &look.hearing.entry) else {
			return Ok(None);
		};
		match look.stands_for(&merkle_root(&leaves)) {
			true => Ok(Some(leaves)),
			false => Err(Stuck::Other(
				"this worker does not compute again what it stands for: there is nothing to contest. \
				 Check its memory and its packages"
					.to_owned(),
			)),
		}
	}

	/// The accuser finds the node that differs.
	async fn leaf(
		&self,
		look: &Look<'_>,
		dispute: &Dispute,
		leaves: &[H256],
	) -> Result<Outcome, Stuck> {
		let Step::Nodes { roots } = dispute.step else { return Ok(Outcome::Later) };
		let Some(nodes) = self.posted(look, Wanted::Nodes(roots.executor)).await? else {
			return Ok(Outcome::Later);
		};
		Ok(match say::node_that_differs(leaves, &nodes) {
			Some((fork, below)) => forked(fork, below, Action::Leaf),
			None => Outcome::Nothing("the executor's nodes are one's own"),
		})
	}

	/// The executor finds the leaf that differs, and posts the items of its position.
	async fn defence(
		&self,
		look: &Look<'_>,
		dispute: &Dispute,
		leaves: &[H256],
	) -> Result<Outcome, Stuck> {
		let Step::Leaf { first, nodes, .. } = dispute.step else { return Ok(Outcome::Later) };
		let Some(below) = self.posted(look, Wanted::Leaf(nodes)).await? else {
			return Ok(Outcome::Later);
		};
		let Some((fork, leaf)) = say::leaf_that_differs(leaves, first, &below) else {
			return Ok(Outcome::Nothing("the accuser's leaves are one's own"));
		};
		Ok(match self.trace(look, position_of(look, leaf)) {
			Some(trace) => forked(fork, trace.hashes(), Action::Defence),
			None => Outcome::Later,
		})
	}

	/// The accuser posts the items of that position.
	fn reply(&self, look: &Look<'_>, dispute: &Dispute) -> Outcome {
		let Step::Defence { position, .. } = dispute.step else { return Outcome::Later };
		match self.trace(look, position) {
			Some(trace) => sent(trace.hashes(), Action::Reply),
			None => Outcome::Later,
		}
	}

	/// Either finds the sums that differ, and posts its blocks of them.
	async fn blocks(&self, look: &Look<'_>, dispute: &Dispute) -> Result<Outcome, Stuck> {
		let (Step::Traces { position, traces } | Step::Blocks { position, traces, .. }) =
			dispute.step
		else {
			return Ok(Outcome::Later);
		};
		let Some(Items { trace, fork, .. }) = self.items(look, position, &traces).await? else {
			return Ok(Outcome::Later);
		};
		let Some(fork) = fork else {
			return Ok(Outcome::Nothing("both sides have the same items: a quorum decides"));
		};
		Ok(match trace.blocks(fork.index).map(<[H256]>::to_vec) {
			Some(blocks) => forked(fork, blocks, Action::Blocks),
			None => Outcome::Nothing("the first difference lies in floats: a quorum decides"),
		})
	}

	/// Either proves a block of the other's false.
	async fn prove(&self, look: &Look<'_>, dispute: &Dispute) -> Result<Outcome, Stuck> {
		let Step::Blocks { position, traces, item, sums, .. } = dispute.step else {
			return Ok(Outcome::Later);
		};
		let against = other(look.side.me);
		let Some(Items { trace, executor, .. }) = self.items(look, position, &traces).await? else {
			return Ok(Outcome::Later);
		};
		if sums_of(&trace.layers, item).is_none() {
			return Ok(Outcome::Nothing("the item in dispute is none of sums"));
		}
		let theirs = *sums.of(against);
		let Some(posted) = self.posted(look, Wanted::Blocks(theirs)).await? else {
			return Ok(Outcome::Later);
		};
		if !self.parts.evidence.may_run() {
			return Ok(Outcome::Later);
		}
		let roots = (traces.executor, theirs);
		let entry = &look.hearing.entry;
		let evidence = &self.parts.evidence;
		let proof = evidence.proof(entry, trace, item, posted, executor, roots).await?;
		Ok(match proof {
			Some(proof) => Outcome::Send(Action::Prove(against, Box::new(proof))),
			None => Outcome::Nothing("the other side's sums are right"),
		})
	}

	/// The items of both sides at `position`, which the chain has; `None` if they are not known yet.
	async fn items(
		&self,
		look: &Look<'_>,
		position: u32,
		traces: &Pair,
	) -> Result<Option<Items>, Stuck> {
		let Some(trace) = self.trace(look, position) else { return Ok(None) };
		let (mine, me) = (trace.hashes(), look.side.me);
		if merkle_root(&mine) != *traces.of(me) {
			return Err(Stuck::Other(
				"the items that this worker posted are not those that it computes now: check its \
				 memory and its packages"
					.to_owned(),
			));
		}
		let wanted = match me {
			Party::Executor => Wanted::Reply(traces.accuser),
			Party::Accuser => Wanted::Defence(traces.executor),
		};
		let Some(theirs) = self.posted(look, wanted).await? else { return Ok(None) };
		let (executor, accuser) = match me {
			Party::Executor => (mine, theirs),
			Party::Accuser => (theirs, mine),
		};
		let fork = say::fork(&executor, &accuser);
		Ok(Some(Items { trace, fork, executor }))
	}

	fn trace(&self, look: &Look<'_>, position: u32) -> Option<Arc<Trace>> {
		self.parts.evidence.trace(look.matter, &look.hearing.entry, position)
	}

	async fn posted(&self, look: &Look<'_>, wanted: Wanted) -> Result<Option<Vec<H256>>, Stuck> {
		let Side { record, accuser, .. } = &look.side;
		Ok(self.parts.chain.posted(wanted, *record, accuser, look.blocks()).await?)
	}

	/// Sends something, and counts what a block has.
	async fn send(&self, look: &Look<'_>, next: Move, action: Action) {
		let Side { record, accuser, me } = &look.side;
		let (name, counter) = (action.name(), self.counter(&action));
		match self.parts.chain.send(*record, accuser, action).await {
			Ok(()) => {
				counter.fetch_add(1, Ordering::Relaxed);
				tracing::info!(target: LOG, ?record, %accuser, ?me, "the chain has the {name}");
			}
			Err(LedgerError::Later(reason)) => {
				tracing::info!(
					target: LOG, ?record, %accuser, ?me, %reason, "the {name} is sent again"
				);
			}
			Err(LedgerError::Never(reason)) => {
				tracing::warn!(
					target: LOG, ?record, %accuser, ?me, %reason, "the chain refuses the {name}"
				);
				lock(&self.done).insert((look.side.clone(), next));
			}
		}
	}

	fn counter(&self, action: &Action) -> &AtomicU64 {
		match action {
			Action::Open => &self.counters.opened,
			Action::Prove(..) => &self.counters.proven,
			_ => &self.counters.posted,
		}
	}

	/// Whether it is time to try something; takes note that it is tried now.
	fn is_due(&self, look: &Look<'_>, next: Move) -> bool {
		let key = (look.side.clone(), next);
		if lock(&self.done).contains(&key) {
			return false;
		}
		let now = Instant::now();
		let mut tried = lock(&self.tried);
		let due = tried.get(&key).is_none_or(|last| now.saturating_duration_since(*last) >= AGAIN);
		if due {
			tried.insert(key, now);
		}
		due
	}

	/// A run goes on that this waits for: it is looked at again with the next block.
	fn untry(&self, look: &Look<'_>, next: Move) {
		lock(&self.tried).remove(&(look.side.clone(), next));
	}
}

/// The position of a leaf of the boundary in dispute.
fn position_of(look: &Look<'_>, leaf: u32) -> u32 {
	let body = &look.hearing.entry.body;
	let is_last = usize::from(look.matter.index) == body.stages.len();
	let first = if is_last { body.prompt_tokens.saturating_sub(1) } else { 0 };
	first.saturating_add(leaf)
}

/// What is sent with so many hashes, if the chain takes as many.
fn sent(hashes: Vec<H256>, action: impl FnOnce(Hashes) -> Action) -> Outcome {
	match Hashes::try_from(hashes) {
		Ok(hashes) => Outcome::Send(action(hashes)),
		Err(_) => Outcome::Nothing("there are more hashes than the chain takes"),
	}
}

fn forked(
	fork: Fork,
	hashes: Vec<H256>,
	action: impl FnOnce(Box<Fork>, Hashes) -> Action,
) -> Outcome {
	sent(hashes, |hashes| action(Box::new(fork), hashes))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
	mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
