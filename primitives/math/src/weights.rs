//! What weights in the lottery for primary slots are made with: a bound on growth, a cap on one's
//! share, a ratio that none exceeds. [`lottery_weights`](crate::lottery::lottery_weights) puts them
//! together.

use crate::PPM;

/// How many times the smallest weight the largest may be.
pub const MAX_RATIO: u64 = 16;

/// `proposed`, but at most `previous` grown by `growth_ppm`; who had less than `entry` may have
/// `entry`, so that a newcomer can begin.
pub fn limit_growth(previous: u64, proposed: u64, growth_ppm: u32, entry: u64) -> u64 {
	let factor = u128::from(PPM).saturating_add(u128::from(growth_ppm));
	let limit = u128::from(previous).saturating_mul(factor) / u128::from(PPM);
	let limit = u64::try_from(limit).unwrap_or(u64::MAX);
	proposed.min(limit.max(entry))
}

/// Lowers the largest weights to one level, the highest at which none is more than `share_ppm` of
/// all that remain.
///
/// Where no level can do that, because there are fewer than `1 / share` weights above zero, all
/// become zero, which [`normalise`] turns into equal weights.
pub fn cap_share(weights: &mut [u64], share_ppm: u32) {
	let share = u128::from(share_ppm.min(PPM));
	let holds = |level: u64| {
		let sum = weights
			.iter()
			.fold(0_u128, |sum, weight| sum.saturating_add(u128::from(*weight.min(&level))));
		u128::from(level).saturating_mul(u128::from(PPM)) <= sum.saturating_mul(share)
	};
	// The capped sum is concave in the level, so that the levels that hold reach from 0 to the one
	// that is sought: at most 64 halvings of the interval find it.
	let mut good = 0_u64;
	let mut bound = weights.iter().copied().max().unwrap_or(0);
	while good < bound {
		let middle = bound.saturating_sub(bound.saturating_sub(good) / 2);
		if holds(middle) {
			good = middle;
		} else {
			bound = middle.saturating_sub(1);
		}
	}
	for weight in weights.iter_mut() {
		*weight = (*weight).min(good);
	}
}

/// Scales weights so that the largest becomes `max` and none is less than `max / MAX_RATIO`
/// (rounded up): `weights[i]` into `out[i]`.
///
/// A `max` of zero counts as one, so that no weight is zero. Weights that are all zero become all
/// `max`: without work, the lottery is uniform. If the slices differ in length, weights without a
/// place in `out` take no part, and places without a weight get zero.
pub fn normalise(weights: &[u64], out: &mut [u64], max: u64) {
	out.fill(0);
	let max = max.max(1);
	let smallest = max.div_ceil(MAX_RATIO);
	let largest = weights.iter().take(out.len()).copied().max().unwrap_or(0);
	for (weight, place) in weights.iter().zip(out.iter_mut()) {
		// At most `max`, as no weight is above the largest.
		let scaled = u128::from(*weight)
			.saturating_mul(u128::from(max))
			.checked_div(u128::from(largest))
			.map_or(max, |scaled| u64::try_from(scaled).unwrap_or(max));
		*place = scaled.max(smallest);
	}
}
