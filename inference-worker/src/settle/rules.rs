//! What to do next about one settlement, out of what is known of it and of the chain. No input or output.

use super::{
	ledger::{Heads, Presence},
	store::{Phase, Settled, State},
};
use aria_primitives::{
	record::{Payment, Settlement},
	BlockNumber, Moment,
};
use sp_core::H256;

/// Numbers of the chain (`docs/protocol/settlement.md`), and how patient to be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rules {
	/// Most blocks between a record's anchor and the block that settles it.
	pub anchor_age: BlockNumber,
	/// Blocks after the anchor within which no stage's signature may be missing.
	pub signing_grace: BlockNumber,
	/// Milliseconds between looks at a settlement that is on its way.
	pub poll: u64,
	/// Blocks after which one that is on its way and in no block counts as lost.
	pub patience_blocks: BlockNumber,
	/// Milliseconds after which it does, where fewer blocks were made.
	pub patience: u64,
}

impl Default for Rules {
	fn default() -> Self {
		Self {
			anchor_age: 100,
			signing_grace: 20,
			poll: 3_000,
			patience_blocks: 8,
			patience: 90_000,
		}
	}
}

/// What was seen of the chain.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Seen {
	/// The time here: milliseconds since the Unix epoch.
	pub now: Moment,
	/// Where the chain stood before the rest was asked.
	pub heads: Heads,
	/// Where the record is.
	pub presence: Presence,
	/// Hash of the best chain's block with the number of the record's anchor.
	pub at_anchor: Option<H256>,
}

/// What to do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Step {
	/// It is settled for good.
	Settle(Settled),
	/// It never will be.
	Fail(String),
	/// Look again when this state says.
	Wait(State),
	/// Submit it.
	Submit,
}

impl Rules {
	/// The next step.
	pub fn next(&self, settlement: &Settlement, state: &State, seen: &Seen) -> Step {
		let Seen { now, heads, .. } = *seen;
		match seen.presence {
			Presence::Final => return Step::Settle(Settled { at: now, block: heads.finalized }),
			Presence::Best => {
				let phase = match state.phase {
					Phase::Included { .. } => state.phase.clone(),
					_ => Phase::Included { block: heads.best, since: now },
				};
				return Step::Wait(State { phase, ..self.later(state, now) });
			}
			Presence::Absent => {}
		}
		let on_its_way = match &state.phase {
			Phase::Waiting => false,
			Phase::Refused { at, reason } => {
				return if heads.finalized >= *at {
					Step::Fail(reason.clone())
				} else {
					Step::Wait(self.later(state, now))
				};
			}
			Phase::Sent { at, since } => !self.is_lost(*at, *since, seen),
			// Once its block's height is final without it, another branch won.
			Phase::Included { block, since } => {
				heads.finalized < *block && !self.is_lost(*block, *since, seen)
			}
		};
		if on_its_way {
			return Step::Wait(self.later(state, now));
		}
		self.may_submit(settlement, state, seen)
	}

	fn is_lost(&self, block: BlockNumber, since: Moment, seen: &Seen) -> bool {
		seen.heads.best > block.saturating_add(self.patience_blocks)
			|| seen.now > since.saturating_add(self.patience)
	}

	fn may_submit(&self, settlement: &Settlement, state: &State, seen: &Seen) -> Step {
		let Settlement { body, payment, signatures, .. } = settlement;
		let Heads { best, finalized } = seen.heads;
		let wait = |why: &str| {
			Step::Wait(State {
				phase: Phase::Waiting,
				last_error: Some(why.to_owned()),
				..self.later(state, seen.now)
			})
		};
		if signatures.len() != body.stages.len() {
			return Step::Fail("there is not one place for each stage's signature".to_owned());
		}
		if signatures.last().is_none_or(Option::is_none) {
			return Step::Fail("the last stage did not sign".to_owned());
		}
		// What ends with a block ends for good when that block is final.
		let mut ends = vec![(
			body.anchor.number.saturating_add(self.anchor_age),
			format!("its anchor is more than {} blocks old", self.anchor_age),
		)];
		if let Payment::Ticket(paid) = payment {
			ends.push((paid.ticket.expiry, "its ticket has expired".to_owned()));
		}
		for (last, why) in ends {
			if finalized >= last {
				return Step::Fail(why);
			}
			if best >= last {
				return wait(&why);
			}
		}
		if best < body.anchor.number {
			return wait("the chain is behind the record's anchor");
		}
		if seen.at_anchor.is_some_and(|hash| hash != body.anchor.hash) {
			return if finalized >= body.anchor.number {
				Step::Fail("its anchor is a block of a fork".to_owned())
			} else {
				wait("its anchor is not on the best chain now")
			};
		}
		let may_miss_from = body.anchor.number.saturating_add(self.signing_grace);
		if signatures.iter().any(Option::is_none) && best < may_miss_from {
			return wait("a stage that has not signed still has time to");
		}
		Step::Submit
	}

	fn later(&self, state: &State, now: Moment) -> State {
		State { next_try: now.saturating_add(self.poll), ..state.clone() }
	}
}

#[cfg(test)]
mod tests {
	use super::{super::testing, *};

	const RULES: Rules = Rules {
		anchor_age: 100,
		signing_grace: 20,
		poll: 1_000,
		patience_blocks: 8,
		patience: 60_000,
	};
	const NOW: Moment = 1_000_000;
	/// The block that [`testing::settlement`] names as its anchor.
	const ANCHOR: BlockNumber = testing::ANCHOR.number;

	fn seen(best: BlockNumber, finalized: BlockNumber, presence: Presence) -> Seen {
		let at_anchor = Some(testing::ANCHOR.hash);
		Seen { now: NOW, heads: Heads { best, finalized }, presence, at_anchor }
	}

	fn state(phase: Phase) -> State {
		State { phase, ..State::fresh(NOW - 5_000, 0) }
	}

	fn next(phase: Phase, seen: Seen) -> Step {
		RULES.next(&testing::settlement(1, &[1, 2], 100), &state(phase), &seen)
	}

	fn waits(step: &Step) -> bool {
		matches!(step, Step::Wait(state) if state.next_try == NOW + 1_000)
	}

	#[test]
	fn presence_should_decide_before_anything_else() {
		let phases = [
			Phase::Waiting,
			Phase::Sent { at: ANCHOR, since: NOW },
			Phase::Included { block: ANCHOR + 1, since: NOW },
			Phase::Refused { at: ANCHOR, reason: "no".to_owned() },
		];
		for phase in phases {
			let done = next(phase.clone(), seen(ANCHOR + 5, ANCHOR + 3, Presence::Final));
			assert_eq!(done, Step::Settle(Settled { at: NOW, block: ANCHOR + 3 }));
			let Step::Wait(state) = next(phase, seen(ANCHOR + 5, ANCHOR, Presence::Best)) else {
				panic!("it is in the best block");
			};
			assert!(matches!(state.phase, Phase::Included { .. }));
		}
	}

	#[test]
	fn what_is_on_its_way_should_be_waited_for_until_it_is_lost() {
		let sent = Phase::Sent { at: ANCHOR + 1, since: NOW - 1_000 };
		let absent = |best, finalized| seen(best, finalized, Presence::Absent);
		assert!(waits(&next(sent.clone(), absent(ANCHOR + 9, ANCHOR + 8))));
		assert_eq!(next(sent, absent(ANCHOR + 10, ANCHOR + 8)), Step::Submit);
		let old = Phase::Sent { at: ANCHOR + 1, since: NOW - 60_001 };
		assert_eq!(next(old, absent(ANCHOR + 1, ANCHOR)), Step::Submit);

		let included = Phase::Included { block: ANCHOR + 4, since: NOW - 1_000 };
		assert!(waits(&next(included.clone(), absent(ANCHOR + 5, ANCHOR + 3))));
		assert_eq!(next(included, absent(ANCHOR + 5, ANCHOR + 4)), Step::Submit);
	}

	#[test]
	fn refusals_should_count_when_their_block_is_final() {
		let refused = Phase::Refused { at: ANCHOR + 2, reason: "TicketReplayed".to_owned() };
		let absent = |finalized| seen(ANCHOR + 9, finalized, Presence::Absent);
		assert!(waits(&next(refused.clone(), absent(ANCHOR + 1))));
		assert_eq!(next(refused, absent(ANCHOR + 2)), Step::Fail("TicketReplayed".to_owned()));
	}

	#[test]
	fn anchors_should_end_a_wait() {
		let waiting =
			|best, finalized| next(Phase::Waiting, seen(best, finalized, Presence::Absent));
		assert_eq!(waiting(ANCHOR + 99, ANCHOR + 90), Step::Submit);
		assert!(waits(&waiting(ANCHOR + 100, ANCHOR + 99)));
		assert!(
			matches!(waiting(ANCHOR + 101, ANCHOR + 100), Step::Fail(why) if why.contains("100"))
		);
		assert!(waits(&waiting(ANCHOR - 1, ANCHOR - 1)));

		let fork = |finalized| {
			let at_anchor = Some(H256::zero());
			let seen = Seen { at_anchor, ..seen(ANCHOR + 2, finalized, Presence::Absent) };
			next(Phase::Waiting, seen)
		};
		assert!(waits(&fork(ANCHOR - 1)));
		assert!(matches!(fork(ANCHOR), Step::Fail(why) if why.contains("fork")));
	}

	#[test]
	fn tickets_should_end_a_wait() {
		let mut settlement = testing::settlement(1, &[1], 100);
		let Payment::Ticket(paid) = &mut settlement.payment else { panic!("a ticket pays") };
		paid.ticket.expiry = ANCHOR + 10;
		let fresh = state(Phase::Waiting);
		let next = |best, finalized| {
			RULES.next(&settlement, &fresh, &seen(best, finalized, Presence::Absent))
		};
		assert_eq!(next(ANCHOR + 9, ANCHOR), Step::Submit);
		assert!(waits(&next(ANCHOR + 10, ANCHOR + 9)));
		assert!(
			matches!(next(ANCHOR + 11, ANCHOR + 10), Step::Fail(why) if why.contains("ticket"))
		);
	}

	#[test]
	fn a_missing_signature_should_have_its_time() {
		let fresh = state(Phase::Waiting);
		let next = |settlement: &Settlement, best| {
			RULES.next(settlement, &fresh, &seen(best, ANCHOR, Presence::Absent))
		};
		let without_first = testing::without(testing::settlement(1, &[1, 2], 100), 0);
		// The settling block is the best one's child, and has to be the 21st after the anchor or later.
		assert!(waits(&next(&without_first, ANCHOR + 19)));
		assert_eq!(next(&without_first, ANCHOR + 20), Step::Submit);

		let without_last = testing::without(testing::settlement(1, &[1, 2], 100), 1);
		assert!(
			matches!(next(&without_last, ANCHOR + 50), Step::Fail(why) if why.contains("last"))
		);
	}
}
