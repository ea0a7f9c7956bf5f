//! What it costs to give a stage to a worker, in microseconds of the client's time or what is worth as
//! much. Only comparisons of sums matter.

use super::{cover::Runner, Candidate};
use aria_primitives::{record::LayerRange, AccountId, PPM};

/// Every stage: one more machine that may fail, one more hop a token.
pub(super) const STAGE: i64 = 20_000;
/// A hop between two countries, where both are known.
pub(super) const ABROAD: i64 = 40_000;
/// What a chosen newcomer is worth; more than any worker's own cost but the slowest link's.
pub(super) const NEWCOMER: i64 = 500_000;
/// A round trip that nobody measured.
const UNKNOWN_ROUND_TRIP: i64 = 100_000;
/// The longest one that makes a difference.
const LONGEST_ROUND_TRIP: i64 = 2_000_000;
/// A worker with all of its sessions taken.
const FULL_LOAD: f64 = 100_000.0;
/// A worker without any reputation, at most: each plan draws how much of it counts, so that work is
/// shared among idle workers, more of it to the better known, instead of all going to the best known.
const NO_REPUTATION: i64 = 200_000;
/// Steps of that draw.
const DRAWN: i64 = 1 << 10;
/// A link of one megabit a second: a token's activations are some ten kilobytes.
const ONE_MEGABIT: i64 = 80_000;
/// Differences below this are no reason to always take the same one of two.
const JITTER: u64 = 5_000;

/// One plan in this many prefers a newcomer.
pub const NEWCOMER_SHARE: u64 = 10;
/// Who has fewer settled records than this is a newcomer.
pub const NEWCOMER_RECORDS: u32 = 20;

/// What a seed decides.
pub(super) struct Draw {
	seed: u64,
}

impl Draw {
	pub(super) fn new(seed: u64) -> Self {
		Self { seed: mix(seed) }
	}

	/// A number that the seed and the account decide.
	fn of(&self, account: &AccountId) -> u64 {
		let bytes: &[u8; 32] = account.as_ref();
		bytes.chunks_exact(8).fold(self.seed, |state, eight| {
			let word = eight.try_into().map(u64::from_le_bytes).unwrap_or_default();
			mix(state ^ word)
		})
	}

	/// `candidate`, which may run any part of `runs`, with its cost.
	pub(super) fn runner<'c>(&self, candidate: &'c Candidate, runs: Vec<LayerRange>) -> Runner<'c> {
		let tie = self.of(&candidate.account);
		let round_trip = match candidate.round_trip {
			Some(time) => i64::try_from(time.as_micros()).unwrap_or(LONGEST_ROUND_TRIP),
			None => UNKNOWN_ROUND_TRIP,
		};
		// A load that is no number becomes 0 by the conversion; such a worker is busy and not here.
		let load = (f64::from(candidate.load.clamp(0.0, 1.0)) * FULL_LOAD) as i64;
		let reputation = i64::from(candidate.reputation.min(PPM));
		let bandwidth = ONE_MEGABIT / i64::from(candidate.bandwidth_mbps).max(1);
		let unknown = NO_REPUTATION - NO_REPUTATION * reputation / i64::from(PPM);
		let drawn = i64::try_from(tie >> 32).unwrap_or_default() % DRAWN;
		let jitter = i64::try_from(tie % JITTER).unwrap_or_default();
		let cost = STAGE
			+ round_trip.min(LONGEST_ROUND_TRIP)
			+ load + unknown * drawn / DRAWN
			+ bandwidth
			+ jitter;
		Runner { candidate, runs, cost, tie }
	}

	/// The newcomer that this plan prefers, if it is a plan that prefers one.
	pub(super) fn newcomer<'c>(&self, runners: &[&Runner<'c>]) -> Option<&'c AccountId> {
		if !self.seed.is_multiple_of(NEWCOMER_SHARE) {
			return None;
		}
		let newcomers = runners.iter().filter(|runner| runner.candidate.records < NEWCOMER_RECORDS);
		newcomers.min_by_key(|runner| runner.tie).map(|runner| &runner.candidate.account)
	}
}

/// A permutation of the numbers that looks like chance.
fn mix(state: u64) -> u64 {
	let state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
	let state = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
	let state = (state ^ (state >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
	state ^ (state >> 31)
}
