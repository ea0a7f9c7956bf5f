//! What follows from a verdict: for stages, gateway and requester first, then for each seat.
//!
//! All that is taken from somebody goes through the audit pot. The requester has its part within the same
//! block; verifiers' fees stay there until nothing can turn out about them any more. Beside those, what
//! stays in the pot is bonds, and what overruled verifiers lost beyond fees.

use crate::{
	audit::types::{Audit, Phase, Seat, SeatState, ShownCanary, VerifierInfo, MOST_WINDOWS},
	impls::arithmetic,
	pallet::{
		CanaryFunds, Config, Error, Event, FeesOwed, HoldReason, Pallet, Seats, Tallies, Verifiers,
	},
	weights::WeightInfo,
};
use alloc::vec::Vec;
use aria_math::{
	audit::{canary_pay, canary_slash_split, seat_fee},
	wide::{mul_div_ceil, mul_div_floor},
};
use aria_primitives::{
	audit::{AuditParams, Blame, FindingKind, Verdict, REVIEW_ROUND},
	record::RecordEntry,
	traits::{Accountable, Consents, Ledger, LotteryWork, RecordFunds, WorkNote, WorkSink},
	AccountId, Balance, BlockNumber, Ppm, RecordId, PPM,
};
use frame_support::{
	traits::{
		fungible::{Inspect, Mutate, MutateHold},
		tokens::{Fortitude, Precision, Preservation, Restriction},
		Get,
	},
	weights::Weight,
};
use sp_runtime::{DispatchResult, SaturatedConversion};

/// What becomes of a seat's bond.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bond {
	/// It is free again.
	Released,
	/// It goes to the pot.
	Lost,
}

/// What each seat that said what the verdict says is due, in planck.
#[derive(Clone, Copy, Default)]
struct Pay {
	/// Out of what was taken from who is to blame.
	by_fault: Balance,
	/// Out of all that there is for it: of who is to blame, of seats that were overruled, of the pot,
	/// and of the stages' shares.
	fee: Balance,
}

impl<T: Config> Pallet<T> {
	/// Lets everything follow that follows from a verdict, and ends the audit; returns the weight.
	pub(crate) fn conclude(id: RecordId, mut audit: Audit, verdict: Verdict) -> Weight {
		let seats = if audit.phase == Phase::Waiting { Vec::new() } else { Self::seats_of(&id) };
		let record = T::Ledger::get(&id);
		let stages = record.as_ref().map_or(0, |record| record.body.stages.len());
		let weight = T::WeightInfo::conclude(stages.saturated_into(), seats.len().saturated_into());
		let canary = audit.canary.take();
		let Some(record) = record else {
			// Without the record nobody could go on, and nobody can be named.
			for (worker, seat) in seats {
				Self::drop_seat(&id, &worker, &seat, Bond::Released);
			}
			canary.into_iter().for_each(|canary| Self::return_canary(&id, canary));
			Self::drop_disputes(&id);
			Self::remove_audit(id, &audit, Verdict::Unaudited, false);
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
				Self::punish_stage(&audit, &record, stage, proven.as_ref())
			}
		};
		if proven.is_none() {
			Self::count_verdict(&audit, &record, verdict);
		}
		let is_canary = proven.is_some();
		Self::settle_seats(&id, &audit, &record, seats, verdict, taken, proven);
		Self::remove_audit(id, &audit, verdict, is_canary);
		weight
	}

	/// Whether a stage signed the record.
	pub(crate) fn stage_signed(record: &RecordEntry, stage: u16) -> bool {
		usize::from(stage) < record.body.stages.len()
			&& record.signed_stages.checked_shr(u32::from(stage)).unwrap_or(0) & 1 == 1
	}

	/// Takes everything unvested and stake of a stage that failed, and what those behind it have of the
	/// record; gives the requester the price back out of that. Returns what is left in the pot, in
	/// planck. A canary's stage loses the share only, and where its maker's right was used before, its
	/// worker's part in the lottery.
	fn punish_stage(
		audit: &Audit,
		record: &RecordEntry,
		stage: u16,
		canary: Option<&ShownCanary>,
	) -> Balance {
		let (pot, index) = (T::AuditPot::get(), usize::from(stage));
		let Some(node) = record.body.stages.get(index).map(|stage| &stage.node) else { return 0 };
		if let Some(canary) = canary {
			let withheld = Self::withhold_share(audit, record, index);
			Self::revoke(audit, record, index);
			if canary.unpaid {
				// Or one right would excuse work without end that nobody did.
				T::Lottery::revoke_work(node, audit.epoch);
			}
			return Self::refund(record, withheld);
		}
		let mut taken = if Self::stage_signed(record, stage) {
			let forfeited = T::Funds::forfeit(node, &pot);
			let due = Self::part_of_stake(node, audit.params.fail_slash).max(record.price);
			let slashed = T::Workers::slash(node, due, &pot);
			T::Workers::note_fault(node);
			Self::revoke(audit, record, index);
			T::Lottery::revoke_work(node, audit.epoch);
			forfeited.saturating_add(slashed)
		} else {
			// It never said that this is its work. The gateway said that the record may do without.
			T::Funds::slash_gateway(&record.gateway, record.price, &pot)
		};
		// Work on what is false is worth nothing, or the first stage could take the blame for all.
		for behind in index.saturating_add(1)..record.body.stages.len() {
			if Self::stage_signed(record, behind.saturated_into()) {
				taken = taken.saturating_add(Self::withhold_share(audit, record, behind));
				Self::revoke(audit, record, behind);
			}
		}
		Self::refund(record, taken)
	}

	/// Takes a stage's share of the record, as far as it has not vested; returns what was taken, in
	/// planck.
	fn withhold_share(audit: &Audit, record: &RecordEntry, index: usize) -> Balance {
		let share = audit.stakes.stages.get(index).map_or(0, |stake| stake.share);
		let node = record.body.stages.get(index).map(|stage| &stage.node);
		node.map_or(0, |node| T::Funds::withhold(audit.epoch, node, share, &T::AuditPot::get()))
	}

	/// Counts what the verdict says of each stage that it says something of. That it passed says nothing
	/// where the requester chose who was to look.
	fn count_verdict(audit: &Audit, record: &RecordEntry, verdict: Verdict) {
		let count = |index: usize, passed: bool| {
			if passed && audit.stakes.named.is_some() {
				return;
			}
			let signed = Self::stage_signed(record, index.saturated_into());
			let Some(stage) = record.body.stages.get(index).filter(|_| signed) else { return };
			Tallies::<T>::mutate(record.era, &stage.node, |entry| {
				let tally = entry.get_or_insert_with(Default::default);
				let part = if passed { &mut tally.passed } else { &mut tally.failed };
				*part = part.saturating_add(1);
			});
			if passed {
				T::Workers::note_passed(&stage.node);
			}
		};
		match verdict {
			Verdict::Passed => {
				(0..record.body.stages.len()).for_each(|index| count(index, true));
			}
			Verdict::Failed { stage } => {
				let stage = usize::from(stage);
				(0..stage).for_each(|index| count(index, true));
				count(stage, false);
			}
			Verdict::Silent | Verdict::Unaudited => (),
		}
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

	pub(crate) fn part_of_stake(worker: &AccountId, part: Ppm) -> Balance {
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

	/// Whether a seat said what the verdict says.
	pub(crate) fn is_right(audit: &Audit, seat: &Seat, stages: u16, verdict: Verdict) -> bool {
		Self::vote_of(seat, stages).is_some_and(|(blame, root)| {
			let is_failure = matches!(verdict, Verdict::Failed { .. });
			Verdict::from(blame) == verdict && (!is_failure || root == audit.root)
		})
	}

	/// Frees, slashes and pays seats, where `taken` planck are left of what was taken from who is to
	/// blame; burns what is left of those; pays the maker of a canary.
	fn settle_seats(
		id: &RecordId,
		audit: &Audit,
		record: &RecordEntry,
		seats: Vec<(AccountId, Seat)>,
		verdict: Verdict,
		taken: Balance,
		canary: Option<ShownCanary>,
	) {
		let stages = record.body.stages.len().saturated_into();
		let (right, others): (Vec<_>, Vec<_>) =
			seats.into_iter().partition(|(_, seat)| Self::is_right(audit, seat, stages, verdict));
		let lost = Self::overrule(
			id,
			audit,
			stages,
			others,
			verdict,
			canary.as_ref().map(|shown| shown.stage),
		);
		let (lost, for_canary) = if canary.is_some() { (0, lost) } else { (lost, 0) };

		let count = right.len() as u128;
		let pay = Self::pay_of(audit, record, count, verdict, (taken, lost, for_canary));
		// Those of a review knew that it is one, and so did its maker.
		let (bonus, makers) = canary_slash_split(for_canary, &arithmetic(&audit.params));
		let is_catcher = |worker: &AccountId, seat: &Seat| {
			let is_maker = canary.as_ref().is_some_and(|shown| shown.maker == *worker);
			seat.round != REVIEW_ROUND && !is_maker
		};
		let catchers = right.iter().filter(|(worker, seat)| is_catcher(worker, seat)).count();
		let bonus = bonus.checked_div(catchers as u128).unwrap_or(0);
		for (worker, seat) in &right {
			Self::drop_seat(id, worker, seat, Bond::Released);
			let bonus = if is_catcher(worker, seat) { bonus } else { 0 };
			Self::owe(worker, pay.fee.saturating_add(bonus), &audit.params);
		}
		Self::burn(taken.saturating_sub(pay.by_fault.saturating_mul(count)));
		if let Some(canary) = canary {
			if !canary.unpaid {
				Self::pay_maker(audit, record, &canary.maker, makers);
			}
			Self::return_canary(id, canary);
		}
	}

	/// Ends the seats that did not say what the verdict says; returns what those lost who were wrong,
	/// in planck.
	fn overrule(
		id: &RecordId,
		audit: &Audit,
		stages: u16,
		seats: Vec<(AccountId, Seat)>,
		verdict: Verdict,
		canary: Option<u16>,
	) -> Balance {
		// A gateway may serve one verifier and not the other: who says so is not wrong, nor is who says
		// something else of a record whose gateway was silent. Whom a requester chose to judge acquits, and
		// convicts nobody, not even those of another mind.
		let is_final = audit.stakes.named.is_none()
			&& matches!(verdict, Verdict::Passed | Verdict::Failed { .. });
		// It ran nothing, and had others run the record again: that has its price.
		let called_others = |seat: &Seat| {
			let finding = FindingKind::Query;
			is_final && seat.round == 0 && seat.state == SeatState::Counted { finding }
		};
		let can_be_wrong = |blame: &Blame| is_final && *blame != Blame::Gateway;
		let mut lost: Balance = 0;
		for (worker, seat) in seats {
			let blame = Self::vote_of(&seat, stages).map(|(blame, _)| blame);
			let Some(blame) = blame.filter(can_be_wrong) else {
				let is_lost = called_others(&seat);
				let bond = if is_lost { Bond::Lost } else { Bond::Released };
				Self::drop_seat(id, &worker, &seat, bond);
				// The maker of a canary may be its gateway, and hand over garbage.
				if is_lost && canary.is_none() {
					lost = lost.saturating_add(seat.bond);
				}
				continue;
			};
			Self::drop_seat(id, &worker, &seat, Bond::Lost);
			let due = if canary.is_some() && blame == Blame::Nobody {
				Self::forfeit_fees(&worker);
				audit.params.canary_slash
			} else {
				Self::part_of_stake(&worker, audit.params.false_verdict_slash)
			};
			let slashed = T::Workers::slash(&worker, due, &T::AuditPot::get());
			lost = lost.saturating_add(slashed).saturating_add(seat.bond);
			Self::deposit_event(Event::Overruled { id: *id, verifier: worker, slashed });
		}
		lost
	}

	/// What each of `count` right seats is due: first out of what was taken from who is to blame, then
	/// out of what overruled seats lost, then out of the pot, on average no more than the records' own
	/// parts for audits, and what is missing then out of the stages' shares. `(taken, lost, for_canary)`
	/// is what came to the pot by this verdict: of who is to blame, of overruled seats, and of those that
	/// passed a canary.
	fn pay_of(
		audit: &Audit,
		record: &RecordEntry,
		count: u128,
		verdict: Verdict,
		(taken, lost, for_canary): (Balance, Balance, Balance),
	) -> Pay {
		let Some(of_fault) = taken.checked_div(count) else { return Pay::default() };
		let full = audit.params.verifier_fee;
		let by_fault = of_fault.min(full);
		let missing = full.saturating_sub(by_fault);
		let by_losers = lost.checked_div(count).unwrap_or(0).min(missing);
		let missing = missing.saturating_sub(by_losers);
		let shares = audit
			.stakes
			.stages
			.iter()
			.fold(0, |sum: Balance, stake| sum.saturating_add(stake.share));
		let counted = u32::try_from(count).unwrap_or(u32::MAX);
		let numbers = arithmetic(&audit.params);
		let due = seat_fee(record.price, shares, audit.probability_ppm, counted, &numbers);
		// Of the pot, what is not somebody's already.
		let spare = Self::spare()
			.saturating_sub(taken)
			.saturating_sub(for_canary)
			.saturating_sub(by_losers.saturating_mul(count));
		let by_pot = due.pot.min(missing).min(spare.checked_div(count).unwrap_or(0));
		let missing = missing.saturating_sub(by_pot);
		let by_shares = if verdict == Verdict::Passed {
			let wanted = due.shares.min(missing).saturating_mul(count);
			Self::levy(audit, record, wanted, shares).checked_div(count).unwrap_or(0)
		} else {
			0
		};
		let fee = by_fault.saturating_add(by_losers).saturating_add(by_pot);
		Pay { by_fault, fee: fee.saturating_add(by_shares) }
	}

	/// Takes `wanted` out of the stages' shares, from each by its own, where they have `shares` together;
	/// returns what was taken, in planck.
	fn levy(audit: &Audit, record: &RecordEntry, wanted: Balance, shares: Balance) -> Balance {
		let pot = T::AuditPot::get();
		let stages = record.body.stages.iter().zip(audit.stakes.stages.iter());
		stages.fold(0, |sum: Balance, (stage, stake)| {
			let part = mul_div_floor(wanted, stake.share, shares).unwrap_or(0);
			sum.saturating_add(T::Funds::withhold(audit.epoch, &stage.node, part, &pot))
		})
	}

	/// Pays the maker of a canary: what it cost, with those that were made like it and not drawn, and the
	/// fee, out of what is set aside; and its part of what those lost who passed it.
	fn pay_maker(audit: &Audit, record: &RecordEntry, maker: &AccountId, slashes: Balance) {
		let numbers = arithmetic(&audit.params);
		let cost = audit.stakes.cost.min(record.price);
		let due = canary_pay(cost, audit.probability_ppm, &numbers);
		let amount = CanaryFunds::<T>::mutate(|budget| {
			let amount = due.min(budget.amount);
			budget.amount = budget.amount.saturating_sub(amount);
			amount
		});
		Self::pay_worker(maker, amount.saturating_add(slashes).min(Self::spare()));
	}

	/// What the pot has that it owes nobody, in planck.
	fn spare() -> Balance {
		let pot = T::AuditPot::get();
		let free = T::Currency::reducible_balance(&pot, Preservation::Preserve, Fortitude::Polite);
		free.saturating_sub(FeesOwed::<T>::get())
	}

	/// Writes down what a verifier is due, and pays what it was due long enough: audits that were open
	/// when it earned that are over, so that no canary among them is unknown.
	pub(crate) fn owe(worker: &AccountId, amount: Balance, params: &AuditParams) {
		let now = Self::now();
		let ripe = Verifiers::<T>::mutate(worker, |entry| {
			let info = entry.as_mut()?;
			info.owed = info.owed.saturating_add(amount);
			let ripe = Self::ripen(info, now, params.window);
			FeesOwed::<T>::mutate(|sum| *sum = sum.saturating_add(amount));
			Some(ripe)
		});
		match ripe {
			Some(ripe) => Self::pay_owed(worker, ripe),
			// Who has a seat can't retire; were it gone all the same, nothing holds its fee back.
			None => {
				Self::pay_worker(worker, amount);
			}
		}
	}

	/// Takes out what is to be paid now; returns it, in planck.
	fn ripen(info: &mut VerifierInfo, now: BlockNumber, window: BlockNumber) -> Balance {
		if info.seats == 0 {
			let all = info.fees();
			(info.owed, info.ripening) = (0, 0);
			return all;
		}
		if now < info.ripe_at {
			return 0;
		}
		let ripe = info.ripening;
		(info.ripening, info.owed) = (info.owed, 0);
		info.ripe_at = now.saturating_add(MOST_WINDOWS.saturating_mul(window));
		ripe
	}

	/// Pays what of its fees a verifier need not wait for any more.
	pub(crate) fn do_claim_fees(worker: &AccountId) -> DispatchResult {
		let window = Self::params().window;
		let ripe = Verifiers::<T>::try_mutate(worker, |entry| -> Result<Balance, Error<T>> {
			let info = entry.as_mut().ok_or(Error::<T>::NotVerifier)?;
			let now = Self::now();
			let is_ripe = info.seats == 0 || now >= info.ripe_at;
			if info.fees() == 0 || !is_ripe {
				return Err(Error::<T>::NothingRipe);
			}
			Ok(Self::ripen(info, now, window))
		})?;
		Self::pay_owed(worker, ripe);
		Ok(())
	}

	/// Pays `amount` of what is owed to a verifier.
	pub(crate) fn pay_owed(worker: &AccountId, amount: Balance) {
		if amount == 0 {
			return;
		}
		FeesOwed::<T>::mutate(|sum| *sum = sum.saturating_sub(amount));
		let amount = Self::pay_worker(worker, amount);
		Self::deposit_event(Event::FeesPaid { verifier: worker.clone(), amount });
	}

	/// Leaves all fees of a verifier with the pot that it has not been paid.
	fn forfeit_fees(worker: &AccountId) {
		let fees = Verifiers::<T>::mutate(worker, |entry| {
			entry.as_mut().map_or(0, |info| {
				let fees = info.fees();
				(info.owed, info.ripening) = (0, 0);
				fees
			})
		});
		if fees > 0 {
			FeesOwed::<T>::mutate(|sum| *sum = sum.saturating_sub(fees));
			Self::deposit_event(Event::FeesForfeited { verifier: worker.clone(), amount: fees });
		}
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
