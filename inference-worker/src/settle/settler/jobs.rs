//! Submitting one settlement or one batch.

use super::{
	super::{
		batch::{collect, BatchRequest},
		grouping::{self, Ready},
		ledger::{Heads, SubmitError, Submitted},
		store::{Change, Phase, State},
	},
	Settler,
};
use aria_primitives::{
	record::{Batch, Settlement},
	AccountId, BlockNumber, RecordId, Signature,
};
use sp_runtime::BoundedVec;
use std::{collections::HashMap, sync::Arc, time::Duration};

/// Milliseconds until a record that is in a block is looked for in a final one.
const SOON: u64 = 500;

/// Keeps its records from other jobs and rounds until it is dropped.
pub struct Flight {
	settler: Arc<Settler>,
	ids: Vec<RecordId>,
}

impl Flight {
	/// Takes the records, unless as many jobs run as may, or another one has one of these.
	pub fn take_off(settler: &Arc<Settler>, ids: Vec<RecordId>) -> Option<Self> {
		let mut flying = settler.flying();
		if flying.jobs >= settler.pace.at_once || ids.iter().any(|id| flying.ids.contains(id)) {
			return None;
		}
		flying.jobs = flying.jobs.saturating_add(1);
		flying.ids.extend(ids.iter().copied());
		drop(flying);
		Some(Self { settler: settler.clone(), ids })
	}

	/// Submits `group`: one settlement alone, several as a batch if all of its stages sign it.
	pub async fn submit(self, mut group: Vec<Ready>, heads: Heads) {
		match (group.len(), group.pop()) {
			(1, Some((settlement, state))) => self.alone(settlement, state, heads).await,
			(_, Some(last)) => {
				group.push(last);
				self.batch(group, heads).await;
			}
			(_, None) => {}
		}
	}

	async fn alone(&self, settlement: Settlement, state: State, heads: Heads) {
		let id = settlement.id;
		let sent = self.sent(state, heads);
		if !self.keep(&[(id, sent.clone())]) {
			return self.hold().await;
		}
		tracing::debug!(target: "aria::settle", ?id, attempt = sent.attempts, "submitted");
		let result = self.settler.chain.submit_settle(settlement).await;
		let (block, mut outcomes) = outcomes(result, &[id], heads);
		let outcome = outcomes.remove(&id).unwrap_or_else(|| Err(unsaid()));
		let state = self.after(&id, sent, block, outcome);
		self.keep(&[(id, state)]);
	}

	async fn batch(&self, group: Vec<Ready>, heads: Heads) {
		let Some(signatures) = self.signatures(&group).await else { return };
		let sent: Vec<(RecordId, State)> = group
			.iter()
			.map(|(settlement, state)| (settlement.id, self.sent(state.clone(), heads)))
			.collect();
		if !self.keep(&sent) {
			return self.hold().await;
		}
		let entries = group.iter().map(|(settlement, _)| grouping::entry(settlement)).collect();
		let batch = Batch {
			entries: BoundedVec::truncate_from(entries),
			signatures: BoundedVec::truncate_from(signatures),
		};
		let ids: Vec<RecordId> = sent.iter().map(|(id, _)| *id).collect();
		tracing::debug!(target: "aria::settle", records = ids.len(), "a batch is submitted");
		let result = self.settler.chain.submit_batch(batch).await;
		let (block, mut outcomes) = outcomes(result, &ids, heads);
		let after: Vec<(RecordId, State)> = sent
			.into_iter()
			.map(|(id, state)| {
				let outcome = outcomes.remove(&id).unwrap_or_else(|| Err(unsaid()));
				// Whatever it was, it shall not stop others a second time.
				let alone = outcome.is_err();
				let state = self.after(&id, state, block, outcome);
				(id, State { alone, ..state })
			})
			.collect();
		self.keep(&after);
	}

	/// The signatures for a batch of `group`. If one is missing, the records that lack it are marked to be
	/// settled alone, and all go into the next round.
	async fn signatures(&self, group: &[Ready]) -> Option<Vec<(AccountId, Signature)>> {
		let settler = &self.settler;
		let asked = settler.signers.as_ref()?;
		let signers = grouping::signers(group, &settler.account).into_iter().collect();
		let entries = group.iter().map(|(settlement, _)| grouping::entry(settlement)).collect();
		let request = BatchRequest {
			signers: BoundedVec::truncate_from(signers),
			entries: BoundedVec::truncate_from(entries),
		};
		let missing = match collect(
			Arc::new(request),
			&settler.store.genesis(),
			&settler.gateway,
			asked.as_ref(),
			settler.pace.sign_within,
		)
		.await
		{
			Ok(signatures) => return Some(signatures),
			Err(missing) => missing,
		};
		tracing::debug!(target: "aria::settle", missing = missing.len(), "a batch was not signed by all");
		let now = settler.now();
		let states: Vec<(RecordId, State)> = group
			.iter()
			.map(|(settlement, state)| {
				let lacks =
					settlement.body.stages.iter().any(|stage| missing.contains(&stage.node));
				let state = State {
					alone: state.alone || lacks,
					phase: Phase::Waiting,
					next_try: now,
					..state.clone()
				};
				(settlement.id, state)
			})
			.collect();
		self.keep(&states);
		None
	}

	/// The state of what is about to be handed to the chain.
	fn sent(&self, state: State, heads: Heads) -> State {
		let now = self.settler.now();
		State {
			attempts: state.attempts.saturating_add(1),
			phase: Phase::Sent { at: heads.best, since: now },
			next_try: now.saturating_add(self.settler.pace.rules.poll),
			..state
		}
	}

	/// The state after the chain's word at `block`.
	fn after(
		&self,
		id: &RecordId,
		sent: State,
		block: BlockNumber,
		outcome: Result<(), SubmitError>,
	) -> State {
		let pace = &self.settler.pace;
		let now = self.settler.now();
		let soon = now.saturating_add(pace.rules.poll);
		let later = pace.backoff.after(now, id, sent.attempts);
		let last_error = outcome.as_ref().err().map(ToString::to_string);
		if let Some(error) = &last_error {
			tracing::debug!(target: "aria::settle", ?id, %error, attempts = sent.attempts, "not settled by this try");
		}
		let (phase, next_try) = match outcome {
			// Somebody else's block is as good: the id binds all that was signed.
			Ok(()) | Err(SubmitError::AlreadySettled) => {
				// Mostly it is final at once, or a block later; its price stays reserved until then.
				(Phase::Included { block, since: now }, now.saturating_add(SOON))
			}
			Err(SubmitError::Later(_)) => (Phase::Waiting, later),
			Err(SubmitError::Never(reason)) => (Phase::Refused { at: block, reason }, soon),
			Err(SubmitError::Unreachable(_)) => (sent.phase, later),
		};
		State { phase, next_try, last_error, ..sent }
	}

	/// Nothing is submitted that could not be noted before; the next try is not at once.
	async fn hold(&self) {
		tokio::time::sleep(Duration::from_millis(self.settler.pace.backoff.first)).await;
	}

	/// Writes the states down; whether that worked.
	fn keep(&self, states: &[(RecordId, State)]) -> bool {
		let changes: Vec<(RecordId, Change)> =
			states.iter().map(|(id, state)| (*id, Change::Keep(state.clone()))).collect();
		match self.settler.store.apply(&changes) {
			Ok(()) => true,
			Err(error) => {
				tracing::error!(target: "aria::settle", %error, "the state of a settlement can't be kept");
				false
			}
		}
	}
}

impl Drop for Flight {
	fn drop(&mut self) {
		let mut flying = self.settler.flying();
		flying.jobs = flying.jobs.saturating_sub(1);
		for id in &self.ids {
			flying.ids.remove(id);
		}
		drop(flying);
		self.settler.wake.notify_one();
	}
}

/// What became of each of `ids`, and the block that says so.
fn outcomes(
	result: Result<Submitted, SubmitError>,
	ids: &[RecordId],
	heads: Heads,
) -> (BlockNumber, HashMap<RecordId, Result<(), SubmitError>>) {
	match result {
		Ok(Submitted { block, outcomes }) => (block, outcomes.into_iter().collect()),
		Err(error) => {
			// A batch is refused as a whole for what is wrong with it, which says nothing of an entry.
			let error = match error {
				SubmitError::Never(reason) if ids.len() > 1 => SubmitError::Later(reason),
				SubmitError::AlreadySettled if ids.len() > 1 => {
					SubmitError::Later("all of the batch is settled".to_owned())
				}
				other => other,
			};
			// The refusal was judged on the best block, or on one after it.
			let block = heads.best.saturating_add(1);
			(block, ids.iter().map(|id| (*id, Err(error.clone()))).collect())
		}
	}
}

fn unsaid() -> SubmitError {
	SubmitError::Unreachable("the node did not say what became of this record".to_owned())
}
