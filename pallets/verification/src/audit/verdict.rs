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
	audit::{is_majority, Blame, FindingKind, Verdict, REVIEW_ROUND},
	record::RecordEntry,
	traits::Ledger,
	AccountId, RecordId,
};
use frame_support::weights::Weight;
use sp_core::H256;
use sp_runtime::SaturatedConversion;

impl<T: Config> Pallet<T> {
	/// All seats of an audit.
	pub(crate) fn seats_of(id: &RecordId) -> Vec<(AccountId, Seat)> {
		Seats::<T>::iter_prefix(id).collect()
	}

	/// What a seat says of a record of `stages` stages, if it counts: whom it blames, and what it found
	/// in place of a boundary. Who is not answered blames the gateway.
	pub(crate) fn vote_of(seat: &Seat, stages: u16) -> Option<Vote> {
		match seat.state {
			SeatState::Counted { finding } => Some(finding.vote(stages)),
			SeatState::Claimed => Some(FindingKind::Query.vote(stages)),
			_ => None,
		}
	}

	/// Counts the seats of a round that is over, and goes on from there; returns the weight of it.
	pub(crate) fn end_round(id: RecordId, mut audit: Audit) -> Weight {
		let record = T::Ledger::get(&id);
		let stages = record.as_ref().map_or(0, |record| record.body.stages.len());
		let stages = stages.saturated_into();
		let seats = Self::seats_of(&id);
		let weight = T::WeightInfo::end_round(seats.len().saturated_into());
		let is_review = audit.round == REVIEW_ROUND;
		let mut votes = BTreeMap::<Vote, u32>::new();
		for (worker, seat) in &seats {
			if let Some(vote) = Self::vote_of(seat, stages) {
				// A review is not for those to judge whom it is about.
				if !is_review || seat.round == REVIEW_ROUND {
					let count = votes.entry(vote).or_default();
					*count = count.saturating_add(1);
				}
			} else {
				// It did not go on with what it began.
				Self::drop_seat(&id, worker, seat, Bond::Lost);
			}
		}
		let (verdict, root) = verdict_of(&votes);
		let further = if is_review {
			audit.root = root;
			Self::end_review(id, audit, verdict)
		} else if audit.round == 0 && audit.stakes.named.is_none() && is_disputed(&votes) {
			Self::begin_round(id, audit, 1);
			Weight::zero()
		} else {
			audit.root = root;
			let verdict = Self::sound(&audit, verdict);
			let accuses = |record: &RecordEntry| {
				seats.iter().any(|(_, seat)| Self::accusation(record, seat).is_some())
			};
			if record.as_ref().is_some_and(accuses) {
				Self::hold_for_disputes(id, audit, verdict)
			} else {
				Self::decide(id, audit, verdict)
			}
		};
		weight.saturating_add(further)
	}

	/// What the seats' verdict is worth: those whom a requester chose may find nothing wrong, and accuse
	/// nobody.
	pub(crate) fn sound(audit: &Audit, verdict: Verdict) -> Verdict {
		if verdict == Verdict::Passed || audit.stakes.named.is_none() {
			verdict
		} else {
			Verdict::Unaudited
		}
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
		// No record whose verifiers were named comes here; were one to, they would accuse nobody.
		let review = Self::sound(&audit, review);
		let verdict = match (review, audit.canary.take()) {
			(Verdict::Failed { stage }, Some(canary)) if stage == canary.stage => {
				audit.canary = Some(canary);
				review
			}
			(Verdict::Passed, Some(canary)) => {
				// There was nothing to catch.
				Self::forfeit_canary(&canary.by, canary.bond);
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

/// What a seat says: [`FindingKind::vote`].
pub(crate) type Vote = (Blame, H256);

/// Whether a first round can't decide: somebody says that something is wrong.
fn is_disputed(votes: &BTreeMap<Vote, u32>) -> bool {
	votes.keys().any(|(blame, _)| *blame != Blame::Nobody)
}

/// What more than half of the seats say, at least two of them if it is against somebody; with what they
/// found in place of a boundary.
pub(crate) fn verdict_of(votes: &BTreeMap<Vote, u32>) -> (Verdict, H256) {
	let all = votes.values().fold(0u32, |sum, count| sum.saturating_add(*count));
	votes
		.iter()
		.find(|((blame, _), count)| {
			is_majority(**count, all) && (*blame == Blame::Nobody || **count >= 2)
		})
		.map_or((Verdict::Unaudited, H256::zero()), |((blame, root), _)| {
			(Verdict::from(*blame), *root)
		})
}
