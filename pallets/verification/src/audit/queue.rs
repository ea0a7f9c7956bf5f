//! Which audit begins, and which goes on, in which block.

use crate::{
	audit::types::{
		Audit, CanaryLots, EpochTerms, Phase, QueueEnds, MAX_DEADLINES, MAX_FORGOTTEN, TALLY_ERAS,
	},
	pallet::{
		Audits, CanaryFunds, ClosedThrough, Config, Deadlines, Drawn, Event, OpenAudits, Pallet,
		PendingEpochs, Tallies, TalliesFrom, Terms, Waiting, WaitingEnds,
	},
	types::{DrawnStatus, SettledRecord},
	weights::WeightInfo,
};
use aria_math::wide::{mul_div_floor, mul_ppm};
use aria_primitives::{
	audit::{canary_seed, round_seed, AuditParams, Verdict, REVIEW_ROUND},
	traits::{AuditDraw, Ledger, WorkSink},
	BlockNumber, EpochIndex, Ppm, RecordId, PPM,
};
use frame_support::{traits::Get, weights::Weight};
use sp_runtime::SaturatedConversion;

/// One part of so many is what audits may take of a block's time.
const BLOCK_PART: u64 = 5;
/// Most epochs that a block finds closed, one after the other.
const CLOSE_STEPS: u32 = 16;

impl<T: Config> Pallet<T> {
	/// The parameters of the game as they are now, each within its range.
	pub(crate) fn params() -> AuditParams {
		T::Parameters::get().clamped()
	}

	/// How many more audits may wait for their beginning.
	pub(crate) fn room_to_wait() -> u32 {
		let waiting = u32::try_from(WaitingEnds::<T>::get().len()).unwrap_or(u32::MAX);
		T::MaxWaiting::get().saturating_sub(waiting)
	}

	/// Lets the audit of a drawn record wait for its beginning.
	pub(crate) fn enqueue_audit(
		id: RecordId,
		epoch: EpochIndex,
		probability_ppm: Ppm,
		record: SettledRecord,
	) {
		Audits::<T>::insert(id, Audit::waiting(epoch, probability_ppm, record.stakes));
		OpenAudits::<T>::mutate(epoch, |count| *count = count.saturating_add(1));
		WaitingEnds::<T>::mutate(|ends| {
			Waiting::<T>::insert(ends.next, id);
			ends.next = ends.next.saturating_add(1);
		});
	}

	/// Takes audits on whose window is over, then begins others: at most
	/// [`Config::MaxStepsPerBlock`] together, and none once they have taken a fifth of the block. The
	/// others wait. Returns the weight of it.
	pub(crate) fn run_audits(now: BlockNumber) -> Weight {
		let mut weight = T::WeightInfo::audits_idle();
		let budget = T::BlockWeights::get().max_block.ref_time() / BLOCK_PART;
		let mut steps = 0u32;
		let has_room = |steps: u32, weight: &Weight| {
			steps < T::MaxStepsPerBlock::get() && weight.ref_time() < budget
		};
		let mut free = now.saturating_add(1);
		for id in Deadlines::<T>::take(now) {
			if !has_room(steps, &weight) {
				let due = Self::put_off(id, free);
				let full = T::DbWeight::get().reads(due.saturating_sub(free).into());
				weight = weight.saturating_add(T::WeightInfo::put_off()).saturating_add(full);
				// What is full stays full in this block.
				free = due;
				continue;
			}
			steps = steps.saturating_add(1);
			weight = weight.saturating_add(Self::step(id));
		}
		while has_room(steps, &weight) {
			let Some(id) = Self::next_waiting() else { break };
			steps = steps.saturating_add(1);
			weight = weight.saturating_add(Self::begin(id));
		}
		weight.saturating_add(Self::close_epochs())
	}

	pub(crate) fn next_waiting() -> Option<RecordId> {
		let ends: QueueEnds = WaitingEnds::<T>::get();
		if ends.is_empty() {
			return None;
		}
		let id = Waiting::<T>::take(ends.first);
		WaitingEnds::<T>::put(QueueEnds { first: ends.first.saturating_add(1), ..ends });
		id
	}

	pub(crate) fn begin(id: RecordId) -> Weight {
		let Some(mut audit) = Audits::<T>::get(id) else { return T::WeightInfo::begin_audit() };
		audit.params = Self::params();
		if Self::weight_in(T::CurrentEpoch::get()) == 0 {
			// Nobody can come: why wait.
			return T::WeightInfo::begin_audit().saturating_add(Self::decide(
				id,
				audit,
				Verdict::Unaudited,
			));
		}
		Self::fund_canaries(&id, &audit);
		Self::begin_round(id, audit, 0);
		T::WeightInfo::begin_audit()
	}

	/// Sets aside for canaries what this record's draw is worth.
	fn fund_canaries(id: &RecordId, audit: &Audit) {
		let price = T::Ledger::get(id).map_or(0, |record| record.price);
		let part = mul_ppm(price, audit.params.canary_ppm);
		let odds = u128::from(audit.probability_ppm.max(1));
		let amount = mul_div_floor(part, u128::from(PPM), odds).unwrap_or(0);
		CanaryFunds::<T>::mutate(|budget| {
			budget.amount = budget.amount.saturating_add(amount);
			budget.audits = budget.audits.saturating_add(1);
		});
	}

	/// In an epoch's first block: fixes its terms, and forgets old counts of verdicts. Returns the weight
	/// of these.
	pub(crate) fn begin_epoch() -> Weight {
		let epoch = T::CurrentEpoch::get();
		if Terms::<T>::get().is_some_and(|terms| terms.lots.epoch == epoch) {
			return Weight::zero();
		}
		let audits = CanaryFunds::<T>::mutate(|budget| core::mem::take(&mut budget.audits));
		let seed = canary_seed(epoch, &T::Beacon::get());
		let lots = CanaryLots { epoch, seed, audits, total: Self::weight_in(epoch) };
		Terms::<T>::put(EpochTerms { params: Self::params(), lots });

		let oldest = TalliesFrom::<T>::get();
		if oldest.saturating_add(TALLY_ERAS) >= T::Work::current_era() {
			return Weight::zero();
		}
		let most = MAX_FORGOTTEN as usize;
		let forgotten = Tallies::<T>::drain_prefix(oldest).take(most).count();
		if forgotten < most {
			TalliesFrom::<T>::put(oldest.saturating_add(1));
		}
		let forgotten: u64 = forgotten.saturated_into();
		T::DbWeight::get().reads_writes(forgotten.saturating_add(1), forgotten.saturating_add(1))
	}

	/// The terms of this epoch.
	pub(crate) fn terms() -> EpochTerms {
		Terms::<T>::get().unwrap_or_default()
	}

	/// Begins a round in this block.
	pub(crate) fn begin_round(id: RecordId, mut audit: Audit, round: u8) {
		let epoch = T::CurrentEpoch::get();
		audit.round = round;
		audit.round_epoch = epoch;
		audit.seed = round_seed(&id, round, &T::Beacon::get());
		audit.total = Self::weight_in(epoch);
		audit.committed = 0;
		audit.claimed = 0;
		audit.rebutted = 0;
		audit.revealed = 0;
		let (seed, total) = (audit.seed, audit.total);
		let until = Self::enter(id, audit, Phase::Commit);
		Self::deposit_event(Event::RoundBegan { id, round, seed, total, until });
	}

	/// Puts the audit into a window that begins with this block; returns the window's last block.
	pub(crate) fn enter(id: RecordId, mut audit: Audit, phase: Phase) -> BlockNumber {
		audit.phase = phase;
		audit.until = Self::now().saturating_add(audit.params.window);
		let until = audit.until;
		Self::schedule(id, audit, until.saturating_add(1));
		if phase != Phase::Commit {
			Self::deposit_event(Event::WindowBegan { id, phase, until });
		}
		until
	}

	/// Writes the audit down, with a place in the first block from `at` on that has one; returns that
	/// block.
	fn schedule(id: RecordId, mut audit: Audit, at: BlockNumber) -> BlockNumber {
		let mut due = at;
		// As many audits as there are places in so many blocks can't have begun.
		while Deadlines::<T>::decode_len(due).unwrap_or(0) >= MAX_DEADLINES as usize {
			due = due.saturating_add(1);
		}
		Deadlines::<T>::mutate(due, |ids| {
			let _ = ids.try_push(id);
		});
		audit.due = due;
		Audits::<T>::insert(id, audit);
		due
	}

	/// Takes the audit out of the block in which it is due.
	#[cfg(feature = "runtime-benchmarks")]
	pub(crate) fn unschedule(id: &RecordId, audit: &Audit) {
		Deadlines::<T>::mutate_exists(audit.due, |entry| {
			if let Some(ids) = entry {
				ids.retain(|other| other != id);
				if ids.is_empty() {
					*entry = None;
				}
			}
		});
	}

	/// Puts an audit off to the first block from `at` on that has a place; returns that block.
	pub(crate) fn put_off(id: RecordId, at: BlockNumber) -> BlockNumber {
		Audits::<T>::get(id).map_or(at, |audit| Self::schedule(id, audit, at))
	}

	/// Ends the window of an audit that is due; returns the weight of it.
	pub(crate) fn step(id: RecordId) -> Weight {
		let Some(mut audit) = Audits::<T>::get(id) else { return T::WeightInfo::step_audit() };
		if !T::Ledger::contains(&id) {
			return Self::conclude(id, audit, Verdict::Unaudited);
		}
		let next = match audit.phase {
			Phase::Commit if audit.claimed > 0 => Phase::Rebut,
			Phase::Commit | Phase::Rebut if audit.rebutted > 0 => Phase::Answer,
			Phase::Commit | Phase::Rebut | Phase::Answer if audit.committed > 0 => Phase::Reveal,
			Phase::Reveal if audit.revealed > 0 => Phase::Open,
			Phase::Canary => {
				let verdict = audit.verdict.unwrap_or(Verdict::Unaudited);
				let is_found = matches!(verdict, Verdict::Failed { .. } | Verdict::Silent);
				if is_found || audit.canary.is_none() {
					return Self::conclude(id, audit, verdict);
				}
				// Not by the call that showed it, whose block, and with it the seats, could be chosen.
				Self::begin_round(id, audit, REVIEW_ROUND);
				return T::WeightInfo::step_audit();
			}
			Phase::Waiting => return T::WeightInfo::step_audit(),
			phase if phase.is_dispute() => return Self::step_disputes(id, audit),
			_ => return Self::end_round(id, audit),
		};
		if next == Phase::Open {
			audit.beacon = T::Beacon::get();
		}
		Self::enter(id, audit, next);
		T::WeightInfo::step_audit()
	}

	/// Notes how far all epochs are over and audited; returns the weight of what it looked at beyond one.
	fn close_epochs() -> Weight {
		let Some(last) = T::CurrentEpoch::get().checked_sub(1) else { return Weight::zero() };
		let mut next = ClosedThrough::<T>::get().map_or(0, |epoch| epoch.saturating_add(1));
		if next > last {
			return Weight::zero();
		}
		if Audits::<T>::count() == 0 && PendingEpochs::<T>::decode_len().unwrap_or(0) == 0 {
			ClosedThrough::<T>::put(last);
			return Weight::zero();
		}
		let mut steps = 0u32;
		while steps < CLOSE_STEPS && next <= last && <Self as AuditDraw>::is_closed(next) {
			ClosedThrough::<T>::put(next);
			next = next.saturating_add(1);
			steps = steps.saturating_add(1);
		}
		T::DbWeight::get().reads(u64::from(steps).saturating_mul(2))
	}

	/// Forgets a decided audit.
	pub(crate) fn remove_audit(id: RecordId, audit: &Audit, verdict: Verdict, canary: bool) {
		Audits::<T>::remove(id);
		OpenAudits::<T>::mutate_exists(audit.epoch, |entry| {
			let left = entry.unwrap_or(0).saturating_sub(1);
			*entry = (left > 0).then_some(left);
		});
		let at = Self::now();
		Drawn::<T>::mutate(id, |entry| {
			if let Some(info) = entry {
				info.status = DrawnStatus::Decided { verdict, at, canary };
			}
		});
		Self::deposit_event(Event::Decided { id, verdict });
	}
}
