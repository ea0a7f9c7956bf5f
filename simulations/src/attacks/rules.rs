//! The defences that attacks are tried against.

use aria_math::audit::AuditParameters;

/// Blocks of an epoch in the mean: 120 slots, of which a third has a block.
pub const EPOCH_BLOCKS: u32 = 40;

/// Epochs between a record and its draw.
pub const DRAW_DELAY: u64 = 2;

/// Epochs between a record and its pay, at least.
pub const VESTING_EPOCHS: u64 = 3;

/// Unvested value is at most this many times the stake.
pub const UNVESTED_FACTOR: u128 = 10;

/// Rules of the protocol (`docs/protocol/audit.md`). Each can be switched off, to see whether the
/// attack that it is there for would pay without it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
	/// A record's price, compared with the least stake of its stages, raises the probability of its
	/// draw, and is limited.
	pub price_in_draw: bool,
	/// A failure takes all that the worker has unvested, not the record's share alone.
	pub forfeit_all: bool,
	/// What records of several stages cost while they are not vested is bounded by the stake of each of
	/// their stages, and stages behind the one to blame have nothing of a false record.
	pub bound_shared: bool,
	/// What a gateway's records cost while they are not vested is bounded by its stake.
	pub bound_gateway: bool,
	/// A failure draws all records of the worker that are not vested, and silence all of the gateway,
	/// again and again until somebody looks. The chain has no such rule
	/// (`docs/design/018-audit-game.md`).
	pub draw_shared: bool,
	/// Buckets open in order: nothing vests past an audit that is open.
	pub vest_in_order: bool,
	/// More than half of the seats of both rounds decide, not two thirds.
	pub simple_majority: bool,
	/// A claim of silence is a finding like others, and opens a second round.
	pub silence_is_finding: bool,
	/// In the mean an audit costs the pot no more than its record brought.
	pub fees_from_record: bool,
	/// Positions of a commitment are opened.
	pub openings: bool,
	/// There are canaries.
	pub canaries: bool,
	/// A canary takes all fees that a verifier has not been paid yet.
	pub pending_fees: bool,
	/// The right to make a canary is drawn by stake, and nobody sees who has it; else they are first
	/// come, first served.
	pub canary_lots: bool,
	/// A canary's query is its maker's own.
	pub canary_own_query: bool,
	/// Who catches a canary is paid out of slashes alone.
	pub bonus_from_slashes: bool,
	/// In a full list of verifiers more stake displaces less.
	pub displacement: bool,
	/// Emission for a record is at most β times what was burnt on it.
	pub burn_bound: bool,
}

impl Rules {
	/// Those of the chain.
	pub const CHAIN: Self = Self {
		price_in_draw: true,
		forfeit_all: true,
		bound_shared: true,
		bound_gateway: true,
		draw_shared: false,
		vest_in_order: true,
		simple_majority: true,
		silence_is_finding: true,
		fees_from_record: true,
		openings: true,
		canaries: true,
		pending_fees: true,
		canary_lots: true,
		canary_own_query: true,
		bonus_from_slashes: true,
		displacement: true,
		burn_bound: true,
	};
}

/// Rules and numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setting {
	/// The numbers.
	pub parameters: AuditParameters,
	/// The rules.
	pub rules: Rules,
}

impl Setting {
	/// The chain's defences with their default numbers.
	pub const DEFAULT: Self = Self { parameters: AuditParameters::DEFAULT, rules: Rules::CHAIN };

	/// With other rules.
	pub fn with(self, change: impl FnOnce(&mut Rules)) -> Self {
		let mut setting = self;
		change(&mut setting.rules);
		setting
	}

	/// Epochs that so many rounds of an audit take.
	pub fn audit_epochs(&self, rounds: u32) -> u64 {
		u64::from(self.parameters.round_blocks().saturating_mul(rounds).div_ceil(EPOCH_BLOCKS))
	}
}
