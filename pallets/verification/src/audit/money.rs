//! What follows from a verdict: for stages, gateway and requester first, then for each seat.
//!
//! All that is taken from somebody goes through the audit pot, and within the same block on to whom it
//! belongs. What stays in the pot is bonds, and what overruled verifiers lost.

use crate::{
	audit::types::{Audit, Phase, Seat, SeatState, ShownCanary},
	pallet::{Config, Event, HoldReason, Pallet, Seats, Verifiers},
	weights::WeightInfo,
};
use alloc::vec::Vec;
use aria_math::wide::{mul_div_ceil, mul_div_floor, mul_ppm};
use aria_primitives::{
	audit::{Blame, Verdict, REVIEW_ROUND},
	record::RecordEntry,
	traits::{Accountable, Consents, Ledger, LotteryWork, RecordFunds, WorkNote, WorkSink},
	AccountId, Balance, Ppm, RecordId, PPM,
};
use frame_support::{
	traits::{
		fungible::{Inspect, Mutate, MutateHold},
		tokens::{Fortitude, Precision, Preservation, Restriction},
		Get,
	},
	weights::Weight,
};
use sp_runtime::SaturatedConversion;

/// What becomes of a seat's bond.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bond {
	/// It is free again.
	Released,
	/// It goes to the pot.
	Lost,
}

/// What a seat that said what the verdict says is paid, in planck.
#[derive(Clone, Copy, Default)]
struct Pay {
	/// Out of what was taken from who is to blame.
	by_fault: Balance,
	/// Out of the pot's own money.
	by_pot: Balance,
	/// For whoever caught a canary, out of what is set aside for it.
	bonus: Balance,
}

/// What all seats were paid, in planck.
#[derive(Clone, Copy, Default)]
struct Paid {
	by_fault: Balance,
	bonus: Balance,
}

impl<T: Config> Pallet<T> {
	/// Lets everything follow that follows from a verdict, and ends the audit; returns the weight.
	pub(crate) fn conclude(id: RecordId, mut audit: Audit, verdict: Verdict) -> Weight {
		let seats = if audit.phase == Phase::Waiting { Vec::new() } else { Self::seats_of(&id) };
		let weight = T::WeightInfo::conclude(seats.len().saturated_into());
		let canary = audit.canary.take();
		let Some(record) = T::Ledger::get(&id) else {
			// Without the record nobody could go on, and nobody can be named.
			for (worker, seat) in seats {
				Self::drop_seat(&id, &worker, &seat, Bond::Released);
			}
			canary.into_iter().for_each(|canary| Self::return_canary(&id, canary));
			Self::remove_audit(id, &audit, Verdict::Unaudited);
			return weight;
		};
		let (proven, other) = match canary {
			Some(canary) if verdict == (Verdict::Failed { stage: canary.stage }) => {
				(Some(canary), None)
			}
			other => (None, other),
		};
		// It was shown where something else came out: it counts neither for nor against its maker.
		other.into_iter().for_each(|canary| Self::return_canary(&id, canary));
		let taken = match verdict {
			Verdict::Passed => 0,
			Verdict::Unaudited => {
				Self::revoke_all(&audit, &record);
				0
			}
			Verdict::Silent => Self::punish_gateway(&audit, &record),
			Verdict::Failed { stage } => {
				Self::punish_stage(&audit, &record, stage, proven.is_some())
			}
		};
		let pay = Self::pay_of(&audit, &record, &seats, verdict, taken, proven.as_ref());
		let stages = record.body.stages.len().saturated_into();
		let paid = Self::settle_seats(&id, &audit, stages, seats, verdict, pay, proven.is_some());
		Self::burn(taken.saturating_sub(paid.by_fault));
		if let Some(canary) = proven {
			let fee = audit.params.canary_fee.min(canary.reserved);
			let spent = Self::pay_worker(&canary.maker, fee).saturating_add(paid.bonus);
			let reserved = canary.reserved.saturating_sub(spent);
			Self::return_canary(&id, ShownCanary { reserved, ..canary });
		}
		Self::remove_audit(id, &audit, verdict);
		weight
	}

	/// Whether a stage signed the record.
	pub(crate) fn stage_signed(record: &RecordEntry, stage: u16) -> bool {
		usize::from(stage) < record.body.stages.len()
			&& record.signed_stages.checked_shr(u32::from(stage)).unwrap_or(0) & 1 == 1
	}

	/// Takes share and stake of a stage that failed, and gives the requester the price back out of
	/// that; returns what is left in the pot, in planck. The maker of a canary loses the share only.
	fn punish_stage(audit: &Audit, record: &RecordEntry, stage: u16, canary: bool) -> Balance {
		let (pot, index) = (T::AuditPot::get(), usize::from(stage));
		let Some(node) = record.body.stages.get(index).map(|stage| &stage.node) else { return 0 };
		let taken = if Self::stage_signed(record, stage) {
			let share = audit.stakes.stages.get(index).map_or(0, |stake| stake.share);
			let withheld = T::Funds::withhold(audit.epoch, node, share, &pot);
			Self::revoke(audit, record, index);
			if canary {
				withheld
			} else {
				let missing = record.price.saturating_sub(withheld);
				let due = Self::part_of_stake(node, audit.params.fail_slash).max(missing);
				let slashed = T::Workers::slash(node, due, &pot);
				T::Workers::note_fault(node);
				T::Lottery::revoke_work(node, audit.epoch);
				withheld.saturating_add(slashed)
			}
		} else {
			// It never said that this is its work. The gateway said that the record may do without.
			T::Funds::slash_gateway(&record.gateway, record.price, &pot)
		};
		Self::refund(record, taken)
	}

	/// Takes stake of a gateway that was silent, and gives the requester the price back out of it;
	/// returns what is left in the pot, in planck.
	fn punish_gateway(audit: &Audit, record: &RecordEntry) -> Balance {
		let due = audit.params.silence_slash.max(record.price);
		let taken = T::Funds::slash_gateway(&record.gateway, due, &T::AuditPot::get());
		Self::revoke_all(audit, record);
		Self::refund(record, taken)
	}

	/// Gives the requester of `taken` planck up to the record's price; returns what is left. Never
	/// more than was taken: who pays himself could draw the pot out otherwise.
	fn refund(record: &RecordEntry, taken: Balance) -> Balance {
		let due = taken.min(record.price);
		let refunded = T::Funds::refund(&record.requester, &T::AuditPot::get(), due);
		taken.saturating_sub(refunded)
	}

	fn part_of_stake(worker: &AccountId, part: Ppm) -> Balance {
		let stake = T::Workers::stake(worker);
		mul_div_ceil(stake, part.into(), PPM.into()).unwrap_or(stake)
	}

	/// Takes a stage's work out of emission.
	fn revoke(audit: &Audit, record: &RecordEntry, index: usize) {
		let body = &record.body;
		let (Some(stage), Some(stake)) = (body.stages.get(index), audit.stakes.stages.get(index))
		else {
			return;
		};
		let latency = u64::from(body.latency_ms).checked_div(body.new_tokens());
		T::Work::revoke_work(
			record.era,
			WorkNote {
				worker: stage.node.clone(),
				model: body.model_id,
				work: stake.work,
				energy_mj: stage.energy_mj,
				energy_source: stage.energy_source,
				burnt: stake.burnt,
				latency_ms_per_token: latency.unwrap_or_default().saturated_into(),
			},
		);
	}

	/// Takes the work of all stages that signed out of emission.
	fn revoke_all(audit: &Audit, record: &RecordEntry) {
		for index in 0..record.body.stages.len() {
			if Self::stage_signed(record, index.saturated_into()) {
				Self::revoke(audit, record, index);
			}
		}
	}

	/// What each seat that said what the verdict says is paid, where `taken` planck are left of what
	/// was taken from who is to blame.
	fn pay_of(
		audit: &Audit,
		record: &RecordEntry,
		seats: &[(AccountId, Seat)],
		verdict: Verdict,
		taken: Balance,
		canary: Option<&ShownCanary>,
	) -> Pay {
		let stages = record.body.stages.len().saturated_into();
		let right = |seat: &Seat| Self::is_right(seat, stages, verdict);
		let count = seats.iter().filter(|(_, seat)| right(seat)).count() as u128;
		let Some(of_fault) = taken.checked_div(count) else { return Pay::default() };
		let fee = audit.params.verifier_fee;
		let by_fault = of_fault.min(fee);
		// On average no more than the records' own parts for audits, however many are drawn.
		let odds = u128::from(audit.probability_ppm.max(1));
		let part = mul_ppm(record.price, audit.params.fee_ppm);
		let most = mul_div_floor(part, u128::from(PPM), odds).unwrap_or(0);
		let of_pot = most.checked_div(count).unwrap_or(0);
		let by_pot = fee.saturating_sub(by_fault).min(of_pot);
		let bonus = canary.map_or(0, |canary| {
			let caught = |seat: &Seat| right(seat) && seat.round != REVIEW_ROUND;
			let catchers = seats.iter().filter(|(_, seat)| caught(seat)).count() as u128;
			let left = canary.reserved.saturating_sub(audit.params.canary_fee);
			audit.params.catch_bonus.min(left).checked_div(catchers).unwrap_or(0)
		});
		Pay { by_fault, by_pot, bonus }
	}

	/// Whether a seat said what the verdict says.
	fn is_right(seat: &Seat, stages: u16, verdict: Verdict) -> bool {
		if seat.state == SeatState::Claimed {
			return verdict == Verdict::Silent;
		}
		Self::blame_of(seat, stages).is_some_and(|blame| Verdict::from(blame) == verdict)
	}

	/// Frees, pays and slashes seats.
	fn settle_seats(
		id: &RecordId,
		audit: &Audit,
		stages: u16,
		seats: Vec<(AccountId, Seat)>,
		verdict: Verdict,
		pay: Pay,
		canary: bool,
	) -> Paid {
		// A gateway may serve one verifier and not the other: who says so is not wrong, nor is who says
		// something else of a record whose gateway was silent.
		let is_final = matches!(verdict, Verdict::Passed | Verdict::Failed { .. });
		let can_be_wrong = |blame: &Blame| is_final && *blame != Blame::Gateway;
		let mut paid = Paid::default();
		for (worker, seat) in seats {
			if Self::is_right(&seat, stages, verdict) {
				Self::drop_seat(id, &worker, &seat, Bond::Released);
				let fee = pay.by_fault.saturating_add(pay.by_pot);
				if Self::pay_worker(&worker, fee) >= pay.by_fault {
					paid.by_fault = paid.by_fault.saturating_add(pay.by_fault);
				}
				if seat.round != REVIEW_ROUND {
					let bonus = Self::pay_worker(&worker, pay.bonus);
					paid.bonus = paid.bonus.saturating_add(bonus);
				}
				continue;
			}
			let Some(blame) = Self::blame_of(&seat, stages).filter(can_be_wrong) else {
				Self::drop_seat(id, &worker, &seat, Bond::Released);
				continue;
			};
			Self::drop_seat(id, &worker, &seat, Bond::Lost);
			let due = if canary && blame == Blame::Nobody {
				audit.params.canary_slash
			} else {
				Self::part_of_stake(&worker, audit.params.false_verdict_slash)
			};
			let slashed = T::Workers::slash(&worker, due, &T::AuditPot::get());
			Self::deposit_event(Event::Overruled { id: *id, verifier: worker, slashed });
		}
		paid
	}

	/// Ends a seat.
	pub(crate) fn drop_seat(id: &RecordId, worker: &AccountId, seat: &Seat, bond: Bond) {
		let reason = HoldReason::Seat.into();
		// A bond is always there in full; were it not, what there is goes the same way.
		let _ = match bond {
			Bond::Released => {
				T::Currency::release(&reason, worker, seat.bond, Precision::BestEffort)
			}
			Bond::Lost => T::Currency::transfer_on_hold(
				&reason,
				worker,
				&T::AuditPot::get(),
				seat.bond,
				Precision::BestEffort,
				Restriction::Free,
				Fortitude::Force,
			),
		};
		Seats::<T>::remove(id, worker);
		Verifiers::<T>::mutate(worker, |entry| {
			if let Some(info) = entry {
				info.seats = info.seats.saturating_sub(1);
			}
		});
		if bond == Bond::Lost {
			let amount = seat.bond;
			Self::deposit_event(Event::BondLost { id: *id, verifier: worker.clone(), amount });
		}
	}

	/// Pays at most `amount` out of the pot to where the worker's consent says, or to the worker;
	/// returns what was paid, in planck: what the pot has of it, or nothing.
	pub(crate) fn pay_worker(worker: &AccountId, amount: Balance) -> Balance {
		let pot = T::AuditPot::get();
		let free = T::Currency::reducible_balance(&pot, Preservation::Preserve, Fortitude::Polite);
		let amount = amount.min(free);
		if amount == 0 {
			return 0;
		}
		let pay = |to: &AccountId| {
			T::Currency::transfer(&pot, to, amount, Preservation::Preserve).is_ok()
		};
		if pay(&T::Consents::payout(worker)) || pay(worker) {
			amount
		} else {
			0
		}
	}

	/// Burns what was taken and nobody is owed.
	fn burn(amount: Balance) {
		if amount == 0 {
			return;
		}
		let burnt = T::Currency::burn_from(
			&T::AuditPot::get(),
			amount,
			Preservation::Preserve,
			Precision::BestEffort,
			Fortitude::Polite,
		);
		let amount = burnt.unwrap_or(0);
		Self::deposit_event(Event::Burnt { amount });
	}

	/// Brings the pot to the existential deposit, so that whatever is owed to it can come.
	pub(crate) fn endow_pot() {
		let pot = T::AuditPot::get();
		let lacking = T::Currency::minimum_balance().saturating_sub(T::Currency::balance(&pot));
		if lacking > 0 {
			let endowed = T::Currency::mint_into(&pot, lacking);
			debug_assert!(endowed.is_ok(), "the pot can be endowed with the existential deposit");
		}
	}
}
