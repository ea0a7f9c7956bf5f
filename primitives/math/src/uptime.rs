//! Uptime by challenge: how many workers a block asks, whom, and what an era's answers come to
//! (docs/protocol/uptime.md).

use crate::{quality::ratio_ppm, PPM};

/// How many of `workers` a block asks, so that each is asked `per_era` times in `era_blocks` blocks
/// on average. What does not come out even is decided by a uniformly random number: one more is
/// asked with the probability of the remainder. None if an era has no blocks.
pub fn asked(workers: u32, per_era: u32, era_blocks: u32, random: u64) -> u32 {
	let expected = u64::from(workers).saturating_mul(u64::from(per_era));
	let era = u64::from(era_blocks);
	let (Some(whole), Some(rest)) = (expected.checked_div(era), expected.checked_rem(era)) else {
		return 0;
	};
	// random / 2^64 < rest / era, without a division.
	let one_more = u128::from(random).saturating_mul(u128::from(era)) < u128::from(rest) << 64;
	u32::try_from(whole.saturating_add(one_more.into())).unwrap_or(u32::MAX)
}

/// Which of `workers`, counted from 0, a uniformly random number falls on; `None` if there are none.
///
/// Each is as probable as any other, but for less than 2^-32.
pub fn pick(random: u64, workers: u32) -> Option<u32> {
	if workers == 0 {
		return None;
	}
	let place = u128::from(random).saturating_mul(u128::from(workers)) >> 64;
	u32::try_from(place).ok()
}

/// The factor uptime of an era in ppm, rounded down: `(answered + 1) / (answered + missed + 1)`.
///
/// The one that is added is the benefit of the doubt. Who was never asked has 1, and one miss among
/// few challenges, of which chance makes some, does not take everything.
pub fn uptime_ppm(answered: u32, missed: u32) -> u32 {
	let kept = u64::from(answered).saturating_add(1);
	ratio_ppm(kept, kept.saturating_add(missed.into()), PPM)
}
