//! What the tables hold, as SCALE.

use aria_primitives::{record::Settlement, BlockNumber, Moment};
use codec::{Decode, Encode};

/// How far a settlement is.
#[derive(Clone, PartialEq, Eq, Encode, Decode, Debug)]
pub enum Phase {
	/// Nothing of it is on its way.
	Waiting,
	/// It was handed to the chain, or is about to be, and no word came back.
	Sent {
		/// The best block before.
		at: BlockNumber,
		/// When: milliseconds since the Unix epoch.
		since: Moment,
	},
	/// A block has it that is not final yet.
	Included {
		/// The block.
		block: BlockNumber,
		/// When that was noticed.
		since: Moment,
	},
	/// The chain refused it for good, at a block that is not final yet.
	Refused {
		/// The block.
		at: BlockNumber,
		/// Why.
		reason: String,
	},
}

/// How far a settlement is, and when to look at it next.
#[derive(Clone, PartialEq, Eq, Encode, Decode, Debug)]
pub struct State {
	/// When it was added: milliseconds since the Unix epoch.
	pub added_at: Moment,
	/// How often it was submitted.
	pub attempts: u32,
	/// When to look at it next.
	pub next_try: Moment,
	/// What went wrong last.
	pub last_error: Option<String>,
	/// Whether it is to be settled alone, since a batch with it came to nothing.
	pub alone: bool,
	/// How far it is.
	pub phase: Phase,
}

impl State {
	/// Of a settlement that was added `now` and is looked at when `wait` milliseconds are over.
	pub fn fresh(now: Moment, wait: u64) -> Self {
		Self {
			added_at: now,
			attempts: 0,
			next_try: now.saturating_add(wait),
			last_error: None,
			alone: false,
			phase: Phase::Waiting,
		}
	}
}

/// A record that is in the state of a final block.
#[derive(Clone, Copy, PartialEq, Eq, Encode, Decode, Debug)]
pub struct Settled {
	/// When that was noticed: milliseconds since the Unix epoch.
	pub at: Moment,
	/// The last final block then.
	pub block: BlockNumber,
}

/// A settlement that no later block can take.
#[derive(Clone, PartialEq, Eq, Encode, Decode, Debug)]
pub struct Failed {
	/// It, for whoever looks into it.
	pub settlement: Settlement,
	/// When it was added: milliseconds since the Unix epoch.
	pub added_at: Moment,
	/// When it was given up.
	pub failed_at: Moment,
	/// How often it was submitted.
	pub attempts: u32,
	/// Why it can't be settled.
	pub reason: String,
}

/// What becomes of a pending settlement.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Change {
	/// It stays pending, in this state.
	Keep(State),
	/// It is settled for good.
	Settle(Settled),
	/// It is kept aside.
	Fail {
		/// When.
		at: Moment,
		/// Why.
		reason: String,
	},
}
