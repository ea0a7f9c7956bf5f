//! What to do next about a canary (`docs/protocol/audit.md`, "Canaries").

use super::ledger::{Fate, Seen};
use aria_primitives::{BlockNumber, EpochIndex};

/// Fewest slots that have to be left of the epoch with the right when a commitment is sent: it has to be
/// in a block of that epoch.
pub const LEAST_SLOTS: u64 = 10;
/// Fewest blocks that a ticket has to be good for when the record is handed to the settler.
pub const LEAST_LIFE: BlockNumber = 20;
/// Blocks behind a ticket's end after which no block takes its record any more.
const LATE: BlockNumber = 100;

/// Where a canary stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
	/// The best block.
	pub best: BlockNumber,
	/// Its epoch.
	pub epoch: EpochIndex,
	/// Slots that are left of that.
	pub slots_left: u64,
	/// The epoch whose right is used.
	pub right: EpochIndex,
	/// The last block at which the ticket pays.
	pub expiry: BlockNumber,
	/// Whether the settler has the record.
	pub given: bool,
	/// What the chain has of the commitment.
	pub commitment: Seen,
	/// What became of the record.
	pub record: Fate,
}

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
	/// Send the commitment.
	Commit,
	/// Hand the record to the settler.
	Settle,
	/// Show it.
	Reveal,
	/// Have the bond back.
	Withdraw,
	/// Nothing before another block.
	Wait,
	/// It is over.
	Forget(End),
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
	/// Nothing of it is on chain.
	Unmade,
	/// It was shown, and there is a verdict.
	Shown,
	/// The draw passed it over, and the bond is free again.
	PassedOver,
	/// The commitment stays without a record, or was not shown in time: the bond is lost.
	Lost,
}

/// What to do. Before its commitment is in a final block, in the epoch of the right, no record is settled.
pub fn step(place: &Place) -> Step {
	let Place { best, epoch, slots_left, right, expiry, given, commitment, record } = *place;
	let lives = best.saturating_add(LEAST_LIFE) <= expiry;
	if !given {
		return match commitment {
			Seen::Absent if epoch == right && slots_left >= LEAST_SLOTS && lives => Step::Commit,
			Seen::Absent if epoch > right || !lives => Step::Forget(End::Unmade),
			Seen::Absent | Seen::Fresh => Step::Wait,
			Seen::Final { right: true } if lives => Step::Settle,
			Seen::Final { .. } => Step::Forget(End::Lost),
		};
	}
	let gone = commitment == Seen::Absent;
	match record {
		Fate::Unsettled if best > expiry.saturating_add(LATE) => Step::Forget(End::Lost),
		Fate::Unsettled | Fate::Pending | Fate::Drawn => Step::Wait,
		Fate::HeldBack { shown: false } if !gone => Step::Reveal,
		Fate::HeldBack { .. } => Step::Wait,
		Fate::PassedOver if gone => Step::Forget(End::PassedOver),
		Fate::PassedOver => Step::Withdraw,
		Fate::Over if gone => Step::Forget(End::Shown),
		Fate::Over => Step::Forget(End::Lost),
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	fn at(change: impl Fn(&mut Place)) -> Step {
		let mut place = Place {
			best: 1_000,
			epoch: 5,
			slots_left: 50,
			right: 5,
			expiry: 1_200,
			given: false,
			commitment: Seen::Absent,
			record: Fate::Unsettled,
		};
		change(&mut place);
		step(&place)
	}

	fn given(commitment: Seen, record: Fate) -> Step {
		at(|place| {
			(place.given, place.epoch) = (true, 8);
			(place.commitment, place.record) = (commitment, record);
		})
	}

	const FINAL: Seen = Seen::Final { right: true };

	#[test]
	fn a_canary_should_go_its_way() {
		assert_eq!(at(|_| ()), Step::Commit);
		assert_eq!(at(|place| place.commitment = Seen::Fresh), Step::Wait);
		assert_eq!(at(|place| place.commitment = FINAL), Step::Settle);
		for record in [Fate::Unsettled, Fate::Pending, Fate::Drawn] {
			assert_eq!(given(FINAL, record), Step::Wait);
		}
		assert_eq!(given(FINAL, Fate::HeldBack { shown: false }), Step::Reveal);
		assert_eq!(given(Seen::Absent, Fate::HeldBack { shown: true }), Step::Wait);
		assert_eq!(given(Seen::Absent, Fate::Over), Step::Forget(End::Shown));
	}

	#[test]
	fn a_record_should_never_be_settled_without_its_commitment() {
		for epoch in [5, 6] {
			for slots_left in [0, 9, 50] {
				for commitment in [Seen::Absent, Seen::Fresh, Seen::Final { right: false }] {
					let next = at(|place| {
						(place.epoch, place.slots_left) = (epoch, slots_left);
						place.commitment = commitment;
					});
					assert_ne!(next, Step::Settle, "{epoch} {slots_left} {commitment:?}");
				}
			}
		}
		let foreign = at(|place| place.commitment = Seen::Final { right: false });
		assert_eq!(foreign, Step::Forget(End::Lost));
	}

	#[test]
	fn what_comes_too_late_should_be_given_up() {
		assert_eq!(at(|place| place.slots_left = 9), Step::Wait);
		assert_eq!(at(|place| place.epoch = 6), Step::Forget(End::Unmade));
		assert_eq!(at(|place| place.best = 1_181), Step::Forget(End::Unmade));
		let late = at(|place| (place.best, place.commitment) = (1_181, FINAL));
		assert_eq!(late, Step::Forget(End::Lost));
		// A commitment of the last block of the epoch is good in the next one.
		assert_eq!(at(|place| (place.epoch, place.commitment) = (6, FINAL)), Step::Settle);
		let unsettled = at(|place| {
			(place.given, place.best, place.commitment) = (true, 1_301, FINAL);
		});
		assert_eq!(unsettled, Step::Forget(End::Lost));
	}

	#[test]
	fn what_is_not_drawn_should_be_withdrawn() {
		assert_eq!(given(FINAL, Fate::PassedOver), Step::Withdraw);
		assert_eq!(given(Seen::Absent, Fate::PassedOver), Step::Forget(End::PassedOver));
		assert_eq!(given(FINAL, Fate::Over), Step::Forget(End::Lost));
	}
}
