//! Looking at what is due.

use super::{
	super::{
		grouping::{self, Ready},
		ledger::{Heads, Presence, Unreachable},
		rules::{Seen, Step},
		store::{Change, Phase, State, StoreError},
	},
	jobs::Flight,
	Settler,
};
use aria_primitives::{record::Settlement, Moment, RecordId};
use futures::future::{join_all, BoxFuture};
use sp_core::H256;
use std::sync::Arc;

/// Records that are asked for at once.
const LOOKS: usize = 16;
/// Longest time between two rounds, in milliseconds.
const IDLE: u64 = 60_000;

/// What a round came to.
pub struct Round {
	/// When to make the next one, unless something happens before.
	pub next: Moment,
	/// Submissions; each is polled to its end, or dropped as in a crash.
	pub jobs: Vec<BoxFuture<'static, ()>>,
}

/// Why a settlement could not be looked at.
enum Blind {
	Chain(Unreachable),
	Store(StoreError),
}

struct Look {
	settlement: Settlement,
	state: State,
	presence: Presence,
	at_anchor: Option<H256>,
}

/// Milliseconds until a store that failed is tried again: a disk that was full may have room soon.
const STORE_AGAIN: u64 = 15_000;

impl Settler {
	/// One round. Jobs of earlier rounds may still run.
	pub async fn round(self: &Arc<Self>) -> Round {
		let now = self.now();
		let (due, next) = match self.due(now) {
			Ok(found) => found,
			Err(error) => {
				tracing::error!(target: "aria::settle", %error, "pending settlements can't be read");
				let next = now.saturating_add(STORE_AGAIN);
				return Round { next, jobs: Vec::new() };
			}
		};
		tracing::trace!(target: "aria::settle", due = due.len(), next, now, "a round");
		if due.is_empty() {
			return Round { next, jobs: Vec::new() };
		}
		match self.work(now, due).await {
			Ok(jobs) => {
				let again = now.saturating_add(self.pace.rules.poll);
				Round { next: next.min(again), jobs }
			}
			Err(Blind::Chain(error)) => {
				let failures = self.count_unreached(&error);
				let next = self.pace.backoff.after(now, &H256::zero(), failures);
				Round { next, jobs: Vec::new() }
			}
			Err(Blind::Store(error)) => {
				tracing::error!(target: "aria::settle", %error, "settlements can't be kept");
				let next = now.saturating_add(STORE_AGAIN);
				Round { next, jobs: Vec::new() }
			}
		}
	}

	/// What is due and not in flight, the oldest first; and when the first of the others is. Where one
	/// is due, those that were never tried come along, since they may share a batch.
	fn due(&self, now: Moment) -> Result<(Vec<(RecordId, State)>, Moment), StoreError> {
		// Before the states: one that lands in between would be read as it was, and written back so.
		let flying = self.flying().ids.clone();
		let mut waiting = self.store.states()?;
		waiting.retain(|(id, _)| !flying.contains(id));
		let any = waiting.iter().any(|(_, state)| state.next_try <= now);
		let (mut due, rest): (Vec<_>, Vec<_>) = waiting.into_iter().partition(|(_, state)| {
			let fresh = state.attempts == 0 && state.phase == Phase::Waiting;
			state.next_try <= now || (any && fresh)
		});
		due.sort_by_key(|(id, state)| (state.added_at, *id));
		due.truncate(self.pace.per_round);
		let idle = now.saturating_add(IDLE);
		let next = rest.iter().map(|(_, state)| state.next_try).min().unwrap_or(idle).min(idle);
		Ok((due, next))
	}

	async fn work(
		self: &Arc<Self>,
		now: Moment,
		due: Vec<(RecordId, State)>,
	) -> Result<Vec<BoxFuture<'static, ()>>, Blind> {
		// Before the records: what is absent then at a final block is absent at this one too.
		let heads = self.chain.heads().await.map_err(Blind::Chain)?;
		let mut changes = Vec::new();
		let mut ready = Vec::new();
		for some in due.chunks(LOOKS) {
			let looks = some.iter().map(|(id, state)| self.look(*id, state.clone()));
			for look in join_all(looks).await {
				let Some(Look { settlement, state, presence, at_anchor }) = look? else { continue };
				let seen = Seen { now, heads, presence, at_anchor };
				match self.pace.rules.next(&settlement, &state, &seen) {
					Step::Settle(settled) => {
						tracing::info!(target: "aria::settle", id = ?settlement.id, block = settled.block, "settled for good");
						changes.push((settlement.id, Change::Settle(settled)));
					}
					Step::Fail(reason) => {
						tracing::warn!(target: "aria::settle", id = ?settlement.id, %reason, "it can't be settled; kept aside");
						changes.push((settlement.id, Change::Fail { at: now, reason }));
					}
					Step::Wait(state) => changes.push((settlement.id, Change::Keep(state))),
					Step::Submit => ready.push((settlement, state)),
				}
			}
		}
		self.reached();
		self.store.apply(&changes).map_err(Blind::Store)?;
		Ok(self.jobs(ready, heads))
	}

	async fn look(&self, id: RecordId, state: State) -> Result<Option<Look>, Blind> {
		let Some(settlement) = self.store.settlement(&id).map_err(Blind::Store)? else {
			return Ok(None);
		};
		let presence = self.chain.record(id).await.map_err(Blind::Chain)?;
		let at_anchor = match presence {
			Presence::Absent => {
				let number = settlement.body.anchor.number;
				self.chain.hash_of(number).await.map_err(Blind::Chain)?
			}
			Presence::Best | Presence::Final => None,
		};
		Ok(Some(Look { settlement, state, presence, at_anchor }))
	}

	/// Jobs for as many groups as there is room for; the rest stays due, and a job that ends wakes.
	fn jobs(self: &Arc<Self>, ready: Vec<Ready>, heads: Heads) -> Vec<BoxFuture<'static, ()>> {
		let groups = match self.signers {
			Some(_) => grouping::group(ready, &self.account, self.pace.batch),
			None => ready.into_iter().map(|one| vec![one]).collect(),
		};
		let mut jobs: Vec<BoxFuture<'static, ()>> = Vec::new();
		for group in groups {
			let ids = group.iter().map(|(settlement, _)| settlement.id).collect();
			let Some(flight) = Flight::take_off(self, ids) else { break };
			jobs.push(Box::pin(flight.submit(group, heads)));
		}
		jobs
	}
}
