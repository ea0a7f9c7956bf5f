//! What holds between any two calls.

use crate::{
	audit::types::{Phase, SeatState},
	pallet::{
		Audits, Canaries, ClosedThrough, Config, Cursor, Deadlines, Disputes, Drawn, DrawnThrough,
		FeesOwed, FormerQueue, FormerQueueEnds, FormerVerifiers, HoldReason, OpenAudits, Pallet,
		PendingEpochs, Seats, Settled, Tallies, TalliesFrom, Unaudited, VerifierKeys,
		VerifierWeight, Verifiers, Waiting, WaitingEnds,
	},
	types::{DrawCause, DrawnStatus},
};
use alloc::collections::{BTreeMap, BTreeSet};
use aria_primitives::{
	traits::AuditDraw, AccountId, Balance, BlockNumber, EpochIndex, RecordId, PPM,
};
use frame_support::{
	ensure,
	traits::{
		fungible::{Inspect, InspectHold},
		Get,
	},
};
use sp_runtime::TryRuntimeError;

impl<T: Config> Pallet<T> {
	/// Checks the invariants of the draw and of audits; the error names the one that is broken.
	pub(crate) fn do_try_state() -> Result<(), TryRuntimeError> {
		Self::try_draw()?;
		Self::try_queues()?;
		Self::try_seats()?;
		Self::try_disputes()?;
		Self::try_verifiers()?;
		Self::try_former()
	}

	fn try_draw() -> Result<(), TryRuntimeError> {
		let queue = PendingEpochs::<T>::get();
		let cursor = Cursor::<T>::get();

		// 1. Pending epochs ascend, after the last one drawn and up to this one, and have records.
		let mut before = DrawnThrough::<T>::get();
		for pending in queue.iter() {
			ensure!(before < Some(pending.epoch), "Pending epochs do not ascend");
			ensure!(pending.records > 0, "A pending epoch has no record");
			ensure!(
				pending.expected_ppm <= u64::from(pending.records).saturating_mul(PPM.into()),
				"More draws are expected than there are records"
			);
			before = Some(pending.epoch);
		}
		ensure!(before <= Some(T::CurrentEpoch::get()), "An epoch of the queue lies ahead");

		// 2. A draw under way is that of the oldest pending epoch, and not at its end.
		if let Some(state) = cursor {
			let oldest = queue.first().ok_or("A draw is under way, but no epoch is pending")?;
			ensure!(state.epoch == oldest.epoch, "The draw under way is not that of the oldest");
			ensure!(state.records < oldest.records, "The draw under way has no record left");
			ensure!(state.drawn <= state.records, "More records were drawn than were looked at");
		}

		// 3. There are as many entries in each epoch as wait there, and none elsewhere.
		let mut entries = BTreeMap::<EpochIndex, u32>::new();
		for (epoch, _) in Settled::<T>::iter_keys() {
			let count = entries.entry(epoch).or_default();
			*count = count.saturating_add(1);
		}
		let waiting: BTreeMap<EpochIndex, u32> = queue
			.iter()
			.map(|pending| (pending.epoch, Self::pending_records(pending.epoch)))
			.collect();
		ensure!(entries == waiting, "The queue's counts differ from the entries of its epochs");

		// 4. A record has one status.
		for (epoch, id, _) in Settled::<T>::iter() {
			ensure!(!Drawn::<T>::contains_key(id), "A pending record is drawn");
			ensure!(!Unaudited::<T>::contains_key(id), "A pending record is unaudited");
			ensure!(Some(epoch) > DrawnThrough::<T>::get(), "A record waits in a drawn epoch");
		}

		// 5. Whoever draws again draws the same.
		for (id, info) in Drawn::<T>::iter() {
			ensure!(!Unaudited::<T>::contains_key(id), "A drawn record is unaudited");
			ensure!(
				Self::lot_falls_on(&id, &info.seed, info.probability_ppm),
				"A drawn record would not be drawn again"
			);
			ensure!(
				info.cause == DrawCause::Lot || info.probability_ppm == PPM,
				"An ordered draw was left to chance"
			);
			ensure!(info.at <= Self::now(), "A record was drawn in a block ahead");

			// 6. A drawn record has an audit or a verdict.
			ensure!(
				(info.status == DrawnStatus::Open) == Audits::<T>::contains_key(id),
				"A drawn record has neither an audit nor a verdict, or both"
			);
		}
		Ok(())
	}

	fn try_queues() -> Result<(), TryRuntimeError> {
		// 7. Every audit is in exactly one queue: where audits wait, or of the block in which it is
		// due, which lies ahead and behind its window.
		let mut queued = BTreeMap::<RecordId, Option<BlockNumber>>::new();
		let ends = WaitingEnds::<T>::get();
		let mut waiting = 0u64;
		for (number, id) in Waiting::<T>::iter() {
			ensure!((ends.first..ends.next).contains(&number), "A waiting audit has no number");
			ensure!(queued.insert(id, None).is_none(), "An audit waits twice");
			waiting = waiting.saturating_add(1);
		}
		ensure!(waiting == ends.len(), "The numbers of waiting audits have a gap");
		for (block, ids) in Deadlines::<T>::iter() {
			ensure!(block > Self::now() && !ids.is_empty(), "A block's queue is left over");
			for id in ids {
				ensure!(queued.insert(id, Some(block)).is_none(), "An audit is due twice");
			}
		}
		let mut open = BTreeMap::<EpochIndex, u32>::new();
		for (id, audit) in Audits::<T>::iter() {
			let due = match audit.phase {
				Phase::Waiting => None,
				_ => Some(audit.due),
			};
			ensure!(queued.remove(&id) == Some(due), "An audit is in no queue, or the wrong one");
			ensure!(due.is_none_or(|due| due > audit.until), "An audit is due within its window");
			let count = open.entry(audit.epoch).or_default();
			*count = count.saturating_add(1);
		}
		ensure!(queued.is_empty(), "A queue has an audit that is not open");

		// 8. Epochs count their audits, and closed ones have none.
		let counts: BTreeMap<EpochIndex, u32> = OpenAudits::<T>::iter().collect();
		ensure!(counts == open, "An epoch's audits are miscounted");
		if let Some(closed) = ClosedThrough::<T>::get() {
			ensure!(
				open.keys().all(|epoch| *epoch > closed),
				"An epoch that is closed has an audit"
			);
			ensure!(<Self as AuditDraw>::is_closed(closed), "A closed epoch is not closed");
		}
		Ok(())
	}

	fn try_seats() -> Result<(), TryRuntimeError> {
		// 9. Seats belong to open audits, and the audit counts those of its round.
		let mut bonds = BTreeMap::<AccountId, Balance>::new();
		let mut taken = BTreeMap::<AccountId, u32>::new();
		let mut spoke = BTreeMap::<RecordId, (u32, u32, u32)>::new();
		for (id, worker, seat) in Seats::<T>::iter() {
			let audit = Audits::<T>::get(id).ok_or("A seat is in no audit")?;
			ensure!(seat.round <= audit.round, "A seat is in a round to come");
			if seat.round == audit.round && !audit.phase.has_verdict() {
				let (committed, claimed, rebutted) = spoke.entry(id).or_default();
				let count = match seat.state {
					SeatState::Claimed => claimed,
					SeatState::Rebutted => rebutted,
					_ => committed,
				};
				*count = count.saturating_add(1);
			}
			let sum = bonds.entry(worker.clone()).or_default();
			*sum = sum.saturating_add(seat.bond);
			let count = taken.entry(worker).or_default();
			*count = count.saturating_add(1);
		}
		for (id, audit) in Audits::<T>::iter().filter(|(_, audit)| !audit.phase.has_verdict()) {
			let said = (audit.committed, audit.claimed, audit.rebutted);
			ensure!(
				spoke.remove(&id).unwrap_or_default() == said,
				"An audit's seats are miscounted"
			);
		}

		// 10. What is on hold for seats and canaries is the sum of their bonds.
		let workers: BTreeSet<AccountId> =
			bonds.keys().cloned().chain(Verifiers::<T>::iter_keys()).collect();
		for worker in workers {
			let held = T::Currency::balance_on_hold(&HoldReason::Seat.into(), &worker);
			ensure!(
				held == bonds.get(&worker).copied().unwrap_or(0),
				"A verifier's bonds are not what it has on hold"
			);
			let seats = Verifiers::<T>::get(&worker).map_or(0, |info| info.seats);
			ensure!(
				seats == taken.get(&worker).copied().unwrap_or(0),
				"A verifier's seats are miscounted"
			);
		}
		let mut canaries = BTreeMap::<AccountId, Balance>::new();
		let shown = Audits::<T>::iter_values().filter_map(|audit| audit.canary);
		let shown = shown.map(|canary| (canary.by, canary.bond));
		let hidden = Canaries::<T>::iter_values().map(|canary| (canary.by, canary.bond));
		for (by, bond) in shown.chain(hidden) {
			let sum = canaries.entry(by).or_default();
			*sum = sum.saturating_add(bond);
		}
		for (by, sum) in canaries {
			let held = T::Currency::balance_on_hold(&HoldReason::Canary.into(), &by);
			ensure!(held == sum, "The bonds of canaries are not what is on hold for them");
		}
		Ok(())
	}

	fn try_disputes() -> Result<(), TryRuntimeError> {
		// 14. A dispute is one of an audit in a window of them, its accuser has a seat, and what openers
		// have on hold is the sum of their bonds.
		let mut bonds = BTreeMap::<AccountId, Balance>::new();
		for (id, accuser, dispute) in Disputes::<T>::iter() {
			let audit = Audits::<T>::get(id).ok_or("A dispute is in no audit")?;
			ensure!(audit.phase.is_dispute(), "A dispute is left over");
			ensure!(audit.verdict.is_some(), "A dispute is about no verdict");
			ensure!(Seats::<T>::contains_key(id, &accuser), "A dispute has no accuser");
			let sum = bonds.entry(dispute.opener).or_default();
			*sum = sum.saturating_add(dispute.bond);
		}
		for (opener, sum) in bonds {
			let held = T::Currency::balance_on_hold(&HoldReason::Dispute.into(), &opener);
			ensure!(held == sum, "The bonds of disputes are not what is on hold for them");
		}
		Ok(())
	}

	fn try_verifiers() -> Result<(), TryRuntimeError> {
		// 11. The weight of all verifiers is the sum of theirs, and keys lead back to them.
		let mut keys = 0u32;
		let mut sum: Balance = 0;
		for (worker, info) in Verifiers::<T>::iter() {
			ensure!(
				VerifierKeys::<T>::get(info.key).as_ref() == Some(&worker),
				"A verifier's key does not lead back to it"
			);
			keys = keys.saturating_add(1);
			sum = sum.saturating_add(info.weight);
		}
		ensure!(VerifierKeys::<T>::iter_keys().count() as u32 == keys, "A key without a verifier");
		let total = VerifierWeight::<T>::get();
		let all = total
			.pending
			.iter()
			.fold(total.counted, |sum, (_, weight)| sum.saturating_add(*weight));
		ensure!(all == sum, "The weight of verifiers is not the sum of theirs");

		// 12. What verifiers are owed is the sum of their fees, and the pot has it.
		let fees = Verifiers::<T>::iter_values()
			.fold(0, |sum: Balance, info| sum.saturating_add(info.fees()));
		ensure!(fees == FeesOwed::<T>::get(), "The sum of fees is not what verifiers are owed");
		let pot = T::Currency::balance(&T::AuditPot::get());
		ensure!(fees == 0 || pot >= fees, "The pot owes more than it has");

		// 13. No verdict is counted in an era that is forgotten.
		let from = TalliesFrom::<T>::get();
		ensure!(
			Tallies::<T>::iter_keys().all(|(era, _)| era >= from),
			"Verdicts of a forgotten era are counted"
		);
		Ok(())
	}

	fn try_former() -> Result<(), TryRuntimeError> {
		// 15. All that is kept of former verifiers has a place in the queue that drops it, in order; their
		// times ascend, and end before they are verifiers again.
		let ends = FormerQueueEnds::<T>::get();
		let mut queued = BTreeSet::<(BlockNumber, AccountId)>::new();
		let mut before = 0;
		for number in ends.first..ends.next {
			let (ended_at, _, worker) =
				FormerQueue::<T>::get(number).ok_or("The queue has a gap")?;
			ensure!(ended_at >= before, "The queue of former verifiers is in no order");
			before = ended_at;
			queued.insert((ended_at, worker));
		}
		ensure!(
			FormerQueue::<T>::iter_keys().count() as u64 == ends.len(),
			"The queue of former verifiers is miscounted"
		);
		for (worker, terms) in FormerVerifiers::<T>::iter() {
			ensure!(!terms.is_empty(), "Nothing is kept of a former verifier");
			let mut after = None;
			for term in &terms {
				ensure!(after < Some(term.from), "The times of a former verifier do not ascend");
				after = Some(term.from);
				ensure!(
					queued.contains(&(term.ended_at, worker.clone())),
					"A former verifier would never be dropped"
				);
			}
			let now = Verifiers::<T>::get(&worker);
			ensure!(
				now.is_none_or(|info| after < Some(info.from)),
				"A verifier was one in an epoch ahead"
			);
		}
		Ok(())
	}
}
