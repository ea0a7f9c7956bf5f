//! From verified work to the weights of BABE's lottery for primary slots
//! (`docs/protocol/consensus.md`).

use crate::{
	odds::ONE_Q64,
	weights::{cap_share, limit_growth, normalise, MAX_RATIO},
	wide::mul_div_floor,
	PPM,
};
use alloc::{vec, vec::Vec};

/// The largest weight before weights are brought to their lowest terms. Those of a hundred validators
/// stay below 2^28 together, and BABE adds weights up in 64 bits.
pub const WEIGHT_SCALE: u64 = 1_600_000;

/// The whole, when shares are compared.
const WHOLE: u64 = 1 << 60;

/// What bounds the share of one validator.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LotteryRules {
	/// Highest share of all weight, in ppm, where there are many validators.
	pub share_ppm: u32,
	/// Highest share in multiples of an equal one, in ppm, where there are few. Of both bounds the
	/// higher one holds.
	pub multiple_ppm: u32,
	/// How much a share may grow from one epoch to the next, in ppm of itself.
	pub growth_ppm: u32,
}

impl LotteryRules {
	/// The highest share of one among so many validators, in ppm. Never less than an equal share,
	/// rounded up.
	pub fn highest_share_ppm(&self, validators: u32) -> u32 {
		let validators = validators.max(1);
		let equal = PPM.div_ceil(validators);
		let few = self.multiple_ppm.checked_div(validators).unwrap_or(0);
		self.share_ppm.max(few).max(equal).min(PPM)
	}
}

/// Weights for the lottery: `work[i]` is the verified work of a validator, `previous[i]` its weight
/// in the epoch before, 0 for a newcomer. Places of `previous` beyond those of `work` do not count,
/// missing ones are 0.
///
/// 1. Work is scaled so that nobody has less than a sixteenth of the largest; without any work all
///    are equal.
/// 2. As far as the bounds on growth and share leave room, shares are in proportion to that. What
///    a bound cuts off goes to the others in the same proportion. A newcomer's share begins with a
///    sixteenth of an equal one; where nobody was there before, growth has no bound.
/// 3. The smallest is raised to a sixteenth of the largest again, and the largest lowered to the
///    cap: of ratio, cap and growth, the one named first holds where not all can.
/// 4. The weights are brought to their lowest terms.
///
/// So no weight is 0, none is above [`WEIGHT_SCALE`], and no sum of them overflows, whatever the
/// work.
pub fn lottery_weights(work: &[u128], previous: &[u64], rules: &LotteryRules) -> Vec<u64> {
	let members = u32::try_from(work.len()).unwrap_or(u32::MAX);
	let cap_ppm = rules.highest_share_ppm(members);
	let proposed = proposed(work);
	let bounds = bounds(work.len(), previous, cap_ppm, rules.growth_ppm);
	let mut weights = vec![0; work.len()];
	normalise(&filled(&proposed, &bounds), &mut weights, WEIGHT_SCALE);
	cap_share(&mut weights, cap_ppm);
	reduce(&mut weights);
	weights
}

/// What is left of `sum` after `epochs` of which each leaves `keep_ppm`: rounded down, and less
/// than `sum / 2^40` off.
pub fn decayed(sum: u128, keep_ppm: u32, epochs: u32) -> u128 {
	if keep_ppm >= PPM || epochs == 0 {
		return sum;
	}
	// Both below one from here on, so that their products fit.
	let mut power = mul_div_floor(u128::from(keep_ppm), ONE_Q64, u128::from(PPM)).unwrap_or(0);
	let mut factor = ONE_Q64;
	let mut left = epochs;
	while left > 0 {
		if left & 1 == 1 {
			factor = mul_div_floor(factor, power, ONE_Q64).unwrap_or(0);
		}
		power = power.saturating_mul(power) >> 64;
		left >>= 1;
	}
	mul_div_floor(sum, factor, ONE_Q64).unwrap_or(0)
}

/// Work in integers from `WEIGHT_SCALE / MAX_RATIO` to `WEIGHT_SCALE`.
fn proposed(work: &[u128]) -> Vec<u64> {
	let largest = work.iter().copied().max().unwrap_or(0);
	// What the shift drops is far below a weight's precision.
	let shift = 64_u32.saturating_sub(largest.leading_zeros());
	let fitting: Vec<u64> =
		work.iter().map(|work| u64::try_from(*work >> shift).unwrap_or(u64::MAX)).collect();
	let mut out = vec![0; fitting.len()];
	normalise(&fitting, &mut out, WEIGHT_SCALE);
	out
}

/// The highest share of each member, in parts of [`WHOLE`].
fn bounds(members: usize, previous: &[u64], cap_ppm: u32, growth_ppm: u32) -> Vec<u64> {
	let part = |a: u64, b: u128, c: u128| {
		let part = mul_div_floor(u128::from(a), b, c).unwrap_or(0);
		u64::try_from(part).unwrap_or(WHOLE)
	};
	let cap = part(WHOLE, u128::from(cap_ppm), u128::from(PPM));
	let before = || previous.iter().copied().chain(core::iter::repeat(0)).take(members);
	let total = before().fold(0_u128, |sum, weight| sum.saturating_add(u128::from(weight)));
	if total == 0 {
		return vec![cap; members];
	}
	let places = u64::try_from(members).unwrap_or(u64::MAX).saturating_mul(MAX_RATIO);
	let entry = WHOLE.checked_div(places).unwrap_or(WHOLE);
	before()
		.map(|weight| limit_growth(part(weight, u128::from(WHOLE), total), cap, growth_ppm, entry))
		.collect()
}

/// Shares in proportion to `proposed`, none above its bound, together at most [`WHOLE`], and as
/// near to that as the bounds permit.
fn filled(proposed: &[u64], bounds: &[u64]) -> Vec<u64> {
	let share = |level: u64, proposed: u64, bound: u64| {
		let share = u128::from(proposed).saturating_mul(u128::from(level));
		u64::try_from(share).unwrap_or(u64::MAX).min(bound)
	};
	let fits = |level: u64| {
		let sum = proposed.iter().zip(bounds).fold(0_u128, |sum, (proposed, bound)| {
			sum.saturating_add(u128::from(share(level, *proposed, *bound)))
		});
		sum <= u128::from(WHOLE)
	};
	// What is proposed is at least 1, so that at the level of the whole all are at their bounds; the
	// sum grows with the level.
	let (mut good, mut bound) = (0_u64, WHOLE);
	while good < bound {
		let middle = bound.saturating_sub(bound.saturating_sub(good) / 2);
		if fits(middle) {
			good = middle;
		} else {
			bound = middle.saturating_sub(1);
		}
	}
	proposed.iter().zip(bounds).map(|(proposed, bound)| share(good, *proposed, *bound)).collect()
}

/// Divides all weights by what divides each of them.
fn reduce(weights: &mut [u64]) {
	let divisor = weights.iter().fold(0, |divisor, weight| greatest_common(divisor, *weight));
	for weight in weights.iter_mut() {
		*weight = weight.checked_div(divisor).unwrap_or(*weight);
	}
}

/// The greatest common divisor; that of a number and 0 is the number.
fn greatest_common(mut a: u64, mut b: u64) -> u64 {
	while b > 0 {
		(a, b) = (b, a.checked_rem(b).unwrap_or(0));
	}
	a
}
