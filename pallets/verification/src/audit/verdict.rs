//! What the seats of an audit say together.

use crate::{
	audit::{
		money::Bond,
		types::{Audit, Phase, Seat, SeatState},
	},
	pallet::{Canaries, Config, Pallet, Seats},
	weights::WeightInfo,
};
use alloc::{collections::BTreeMap, vec::Vec};
use aria_primitives::{
	audit::{is_majority, Blame, Verdict, REVIEW_ROUND},
	traits::Ledger,
	AccountId, RecordId,
};
use frame_support::weights::Weight;
use sp_runtime::SaturatedConversion;

impl<T: Config> Pallet<T> {
	/// All seats of an audit.
	pub(crate) fn seats_of(id: &RecordId) -> Vec<(AccountId, Seat)> {
		Seats::<T>::iter_prefix(id).collect()
	}

	/// Whom a seat blames in a record of `stages` stages, if it counts.
	pub(crate) fn blame_of(seat: &Seat, stages: u16) -> Option<Blame> {
		match seat.state {
			SeatState::Counted { finding } => Some(finding.blame(stages)),
			_ => None,
		}
	}

	/// Counts the seats of a round that is over, and goes on from there; returns the weight of it.
	pub(crate) fn end_round(id: RecordId, audit: Audit) -> Weight {
		let stages = T::Ledger::get(&id).map_or(0, |record| record.body.stages.len());
		let stages = stages.saturated_into();
		let seats = Self::seats_of(&id);
		let weight = T::WeightInfo::end_round(seats.len().saturated_into());
		let is_review = audit.round == REVIEW_ROUND;
		let mut votes = BTreeMap::<Blame, u32>::new();
		for (worker, seat) in &seats {
			if let Some(blame) = Self::blame_of(seat, stages) {
				// A review is not for those to judge whom it is about.
				if !is_review || seat.round == REVIEW_ROUND {
					let count = votes.entry(blame).or_default();
					*count = count.saturating_add(1);
				}
			} else if seat.state != SeatState::Claimed {
				// It did not go on with what it began.
				Self::drop_seat(&id, worker, seat, Bond::Lost);
			}
		}
		let further = if is_review {
			Self::end_review(id, audit, verdict_of(&votes))
		} else if audit.round == 0 && audit.stakes.named.is_none() && is_disputed(&votes) {
			Self::begin_round(id, audit, 1);
			Weight::zero()
		} else {
			// Those whom a requester chose may find nothing wrong, and accuse nobody.
			let verdict = match (verdict_of(&votes), audit.stakes.named) {
				(Verdict::Passed, _) => Verdict::Passed,
				(verdict, None) => verdict,
				(_, Some(_)) => Verdict::Unaudited,
			};
			Self::decide(id, audit, verdict)
		};
		weight.saturating_add(further)
	}

	/// What follows when nobody has answered those who say so, though there was time: who committed
	/// need not go on.
	pub(crate) fn silence_stands(id: RecordId, audit: Audit) -> Weight {
		let seats = Self::seats_of(&id);
		let weight = T::WeightInfo::end_round(seats.len().saturated_into());
		for (worker, seat) in &seats {
			if matches!(seat.state, SeatState::Committed { .. } | SeatState::Rebutted) {
				Self::drop_seat(&id, worker, seat, Bond::Released);
			}
		}
		let further = if audit.round == REVIEW_ROUND {
			Self::end_review(id, audit, Verdict::Silent)
		} else if audit.stakes.named.is_some() {
			Self::decide(id, audit, Verdict::Unaudited)
		} else {
			Self::decide(id, audit, Verdict::Silent)
		};
		weight.saturating_add(further)
	}

	/// Holds a verdict back for a window, if somebody may have made the record false on purpose, and
	/// lets follow what follows from it otherwise.
	pub(crate) fn decide(id: RecordId, mut audit: Audit, verdict: Verdict) -> Weight {
		let began = audit.phase != Phase::Waiting;
		if began && Canaries::<T>::count() > 0 && T::Ledger::contains(&id) {
			audit.verdict = Some(verdict);
			Self::enter(id, audit, Phase::Canary);
			return T::WeightInfo::step_audit();
		}
		Self::conclude(id, audit, verdict)
	}

	/// What follows when others have looked at a canary again that was passed, and say `review`.
	fn end_review(id: RecordId, mut audit: Audit, review: Verdict) -> Weight {
		let before = audit.verdict.unwrap_or(Verdict::Unaudited);
		let verdict = match (review, audit.canary.take()) {
			(Verdict::Failed { stage }, Some(canary)) if stage == canary.stage => {
				audit.canary = Some(canary);
				review
			}
			(Verdict::Passed, Some(canary)) => {
				// There was nothing to catch.
				Self::forfeit_canary(&canary.maker, canary.bond);
				Self::release_reserve(canary.reserved);
				before
			}
			(_, canary) => {
				// Nobody can tell: neither maker nor reviewers are right or wrong.
				canary.into_iter().for_each(|canary| Self::return_canary(&id, canary));
				for (worker, seat) in Self::seats_of(&id) {
					if seat.round == REVIEW_ROUND {
						Self::drop_seat(&id, &worker, &seat, Bond::Released);
					}
				}
				before
			}
		};
		Self::conclude(id, audit, verdict)
	}
}

/// Whether a first round can't decide: it accuses a stage, or the gateway by more than a third.
fn is_disputed(votes: &BTreeMap<Blame, u32>) -> bool {
	let accuses_stage = votes.keys().any(|blame| matches!(blame, Blame::Stage(_)));
	accuses_stage || (!votes.is_empty() && verdict_of(votes) != Verdict::Passed)
}

/// What two thirds of the seats say; at least two of them, if it is against somebody.
pub(crate) fn verdict_of(votes: &BTreeMap<Blame, u32>) -> Verdict {
	let all = votes.values().fold(0u32, |sum, count| sum.saturating_add(*count));
	votes
		.iter()
		.find(|(blame, count)| {
			is_majority(**count, all) && (**blame == Blame::Nobody || **count >= 2)
		})
		.map_or(Verdict::Unaudited, |(blame, _)| Verdict::from(*blame))
}
