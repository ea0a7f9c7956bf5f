//! Shows the chain that this worker is there: answers challenges, says that the machine goes to sleep, and
//! that it is back (`docs/protocol/uptime.md`). A pause is none of it: the process is there all the same.

use super::{
	common::Common,
	patience::{patiently, AGAIN},
};
use crate::seldom::Seldom;
use anyhow::Result;
use aria_chain_client::{At, Call, ChainError, Challenge, Head, SubmitError, WorkerView};
use aria_primitives::BlockNumber;
use std::{
	sync::{
		atomic::{AtomicBool, AtomicU64, Ordering},
		Arc,
	},
	time::Duration,
};
use tokio::time::timeout;

/// How long the end of the process waits for the node to take that the worker rests. What it has taken goes
/// on by itself.
const FAREWELL: Duration = Duration::from_secs(5);
/// How often an answer to one challenge may fail in a block: the branch that asked may come to nothing. What
/// no block took costs nothing, and is sent again as long as the challenge is open.
const TRIES: u32 = 4;
/// Answers that were not taken, in the log.
static UNANSWERED: Seldom = Seldom::new();

/// This worker's presence on chain.
pub struct Presence {
	common: Common,
	/// Whether its layers are in memory: before, it is not back.
	serving: AtomicBool,
	/// Challenges that were answered.
	answered: AtomicU64,
}

/// What is to be done about a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
	Nothing,
	Answer(Challenge),
	Resume,
}

/// What to do in the state of block `at`. Who is `back` takes work: its layers are in memory, and the
/// process is not about to end.
fn step(
	worker: Option<&WorkerView>,
	challenge: Option<Challenge>,
	at: BlockNumber,
	back: bool,
) -> Step {
	// The next block is the first that can take an answer.
	let next = at.saturating_add(1);
	match challenge {
		Some(open) if open.asked_at < next && next < open.closes => Step::Answer(open),
		_ if back && worker.is_some_and(WorkerView::rests) => Step::Resume,
		_ => Step::Nothing,
	}
}

/// How often an answer failed in a block; that pays its fee.
#[derive(Debug, Default)]
struct Tries {
	of: Option<Challenge>,
	failed: u32,
}

impl Tries {
	/// Whether the challenge may be answered once more.
	fn may(&self, challenge: Challenge) -> bool {
		self.of != Some(challenge) || self.failed < TRIES
	}

	/// Takes note that an answer failed.
	fn fail(&mut self, challenge: Challenge) {
		if self.of != Some(challenge) {
			*self = Self { of: Some(challenge), failed: 0 };
		}
		self.failed = self.failed.saturating_add(1);
	}
}

impl Presence {
	/// Answers challenges from now on, until the process ends.
	pub fn start(common: &Common) -> Arc<Self> {
		let presence = Arc::new(Self {
			common: common.clone(),
			serving: AtomicBool::new(false),
			answered: AtomicU64::new(0),
		});
		tokio::spawn(presence.clone().keep());
		presence
	}

	/// Challenges that were answered since the process began.
	pub fn answered(&self) -> u64 {
		self.answered.load(Ordering::Relaxed)
	}

	/// Says that the worker is back, if it rests, and again whenever it was put to rest for an absence.
	/// `None` if the process is to end meanwhile.
	///
	/// # Errors
	/// What no later try mends.
	pub async fn back(&self) -> Result<Option<()>> {
		let Common { chain, pair, account, stop, .. } = &self.common;
		let back = patiently("the worker says that it is back", stop, || async move {
			let worker = chain.worker(account, At::Best).await?;
			if worker.is_some_and(|worker| worker.rests()) {
				let included = chain.submit(pair, Call::Resume).await?;
				tracing::info!(
					target: "aria::worker", block = included.number, "the worker is back on chain"
				);
			}
			Ok(())
		});
		let back = back.await?;
		self.serving.store(true, Ordering::Release);
		Ok(back)
	}

	/// Says that the worker rests, if the node takes it in time: nobody counts on it, and nobody asks it.
	pub async fn rest(&self) {
		let Common { chain, pair, account, .. } = &self.common;
		if chain.unreachable_for().is_some() {
			return;
		}
		let said = timeout(FAREWELL, async {
			let worker = chain.worker(account, At::Best).await?;
			if worker.is_some_and(|worker| worker.active) {
				chain.submit(pair, Call::Rest).await?;
			}
			Ok::<(), SubmitError>(())
		});
		match said.await {
			Ok(Ok(())) => tracing::info!(target: "aria::worker", "the worker rests on chain"),
			Ok(Err(error)) => tracing::warn!(
				target: "aria::worker", %error, "the chain does not know that this worker rests"
			),
			Err(_) => {
				tracing::debug!(target: "aria::worker", "the chain hears later that it rests")
			}
		}
	}

	async fn keep(self: Arc<Self>) {
		let Common { chain, shutdown, .. } = &self.common;
		let mut head = chain.head();
		let mut tries = Tries::default();
		loop {
			let tip = *head.borrow_and_update();
			let done = tokio::select! {
				() = shutdown.cancelled() => return,
				done = self.look(tip, &mut tries) => done,
			};
			if let Err(error) = done {
				tracing::debug!(target: "aria::worker", %error, "a challenge could not be looked at");
			}
			tokio::select! {
				() = shutdown.cancelled() => return,
				changed = head.changed() => {
					if changed.is_err() {
						return;
					}
				}
				// What failed is looked at again, on a chain without blocks too.
				() = tokio::time::sleep(AGAIN) => {}
			}
		}
	}

	/// Does what the state of the best block asks for.
	async fn look(&self, tip: Head, tries: &mut Tries) -> Result<(), ChainError> {
		let Common { chain, pair, account, identity, live, .. } = &self.common;
		let (number, hash) = tip.best;
		let at = At::Block(hash);
		let back = self.serving.load(Ordering::Acquire) && !live.is_draining();
		let (worker, challenge) =
			tokio::try_join!(chain.worker(account, at), chain.challenge(account, at))?;
		match step(worker.as_ref(), challenge, number, back) {
			Step::Nothing => {}
			Step::Answer(open) => {
				let block = if open.asked_at == number {
					Some(hash)
				} else {
					chain.block_hash(open.asked_at).await?
				};
				let Some(block) = block.filter(|_| tries.may(open)) else { return Ok(()) };
				let signature =
					identity.sign_answer(&chain.genesis(), account, open.asked_at, &block);
				match chain.submit(pair, Call::Answer(signature)).await {
					Ok(included) => {
						self.answered.fetch_add(1, Ordering::Relaxed);
						tracing::debug!(
							target: "aria::worker",
							asked_at = open.asked_at,
							block = included.number,
							"a challenge was answered"
						);
					}
					Err(error) => {
						if matches!(error, SubmitError::Failed { .. }) {
							tries.fail(open);
						}
						if let Some(unsaid) = UNANSWERED.turn() {
							tracing::warn!(
								target: "aria::worker",
								%error,
								asked_at = open.asked_at,
								unsaid,
								"a challenge is not answered yet; who misses one rests until it is back. See \
								 that the account can pay a fee, and that the node is not behind"
							);
						}
					}
				}
			}
			Step::Resume => match chain.submit(pair, Call::Resume).await {
				Ok(included) => tracing::warn!(
					target: "aria::worker",
					block = included.number,
					"this worker was put to rest, since it missed a challenge, and is back: it counts \
					 against its rewards of the era if its machine or its node sleeps unannounced"
				),
				Err(error) => tracing::warn!(
					target: "aria::worker", %error, "the worker rests; that it is back is said again"
				),
			},
		}
		Ok(())
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::run::live::testing::snapshot;
	use aria_chain_client::WorkerState;

	fn worker(state: WorkerState) -> Option<WorkerView> {
		let worker = snapshot(|_| ()).worker?;
		Some(WorkerView { active: state == WorkerState::Active, state, ..worker })
	}

	#[test]
	fn a_challenge_should_be_answered_while_a_block_can_take_it() {
		let open = Challenge { asked_at: 10, closes: 111 };
		let active = worker(WorkerState::Active);
		let at = |number| step(active.as_ref(), Some(open), number, true);
		for number in [10, 11, 109] {
			assert_eq!(at(number), Step::Answer(open));
		}
		// A block of a branch without the one that asks; and too late.
		for number in [8, 110, 111, u32::MAX] {
			assert_eq!(at(number), Step::Nothing);
		}
		// While layers are loaded, and while the process ends, too.
		assert_eq!(step(active.as_ref(), Some(open), 10, false), Step::Answer(open));
	}

	#[test]
	fn who_rests_should_say_when_it_is_back() {
		let resting = worker(WorkerState::Resting { since: 5 });
		assert_eq!(step(resting.as_ref(), None, 10, true), Step::Resume);
		assert_eq!(step(resting.as_ref(), None, 10, false), Step::Nothing);
		for other in [
			worker(WorkerState::Active),
			worker(WorkerState::Draining { since: 5 }),
			worker(WorkerState::Unbonding { since: 5, until: 9 }),
			None,
		] {
			assert_eq!(step(other.as_ref(), None, 10, true), Step::Nothing);
		}
	}

	#[test]
	fn an_answer_should_fail_a_few_times_at_most() {
		let (one, other) =
			(Challenge { asked_at: 1, closes: 9 }, Challenge { asked_at: 2, closes: 9 });
		let mut tries = Tries::default();
		for _ in 0..TRIES {
			assert!(tries.may(one));
			tries.fail(one);
		}
		assert!(!tries.may(one) && tries.may(other));
		tries.fail(other);
		assert!(tries.may(other));
	}
}
