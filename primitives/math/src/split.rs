//! Cutting an amount into parts that add up to it again (docs/protocol/economics.md).
//!
//! Both functions use largest remainders: every part gets its share rounded down, and the few
//! planck left over go, one each, to the parts that lost most by the rounding; of equals, the one
//! with the lower index comes first. So a part is within one planck of its exact share, and a part
//! of weight zero is zero.

use crate::{wide::mul_div_rem, Balance, PPM};

/// Splits `total` by weights in ppm.
///
/// The parts add up to `total`. `None` unless the weights add up to exactly [`PPM`].
pub fn split_exact<const N: usize>(total: Balance, weights_ppm: &[u32; N]) -> Option<[Balance; N]> {
	let sum = weights_ppm.iter().fold(0_u64, |sum, weight| sum.saturating_add(u64::from(*weight)));
	if sum != u64::from(PPM) {
		return None;
	}
	let mut parts: [Balance; N] = [0; N];
	let mut remainders: [(u128, usize); N] = [(0, 0); N];
	let weights = weights_ppm.iter().map(|weight| u128::from(*weight));
	apportion(total, u128::from(PPM), weights, &mut parts, &mut remainders);
	Some(parts)
}

/// Splits `total` in proportion to `weights`, the part of `weights[i]` into `out[i]`.
///
/// Returns what was not distributed: 0, or all of `total` if every weight is zero (or there is
/// none). The parts and the returned amount always add up to `total`. If the slices differ in
/// length, weights without a place in `out` take no part, and places without a weight get zero.
pub fn split_proportional(total: Balance, weights: &[u64], out: &mut [Balance]) -> Balance {
	out.fill(0);
	let used = weights.get(..weights.len().min(out.len())).unwrap_or_default();
	let sum = used.iter().fold(0_u128, |sum, weight| sum.saturating_add(u128::from(*weight)));
	if sum == 0 {
		return total;
	}
	let mut remainders = alloc::vec![(0_u128, 0_usize); used.len()];
	let weights = used.iter().map(|weight| u128::from(*weight));
	apportion(total, sum, weights, out, &mut remainders)
}

/// Writes the parts of `total` for `weights`, which add up to `sum`; `remainders` is scratch space
/// with a place for each weight. Returns what was not distributed, which is 0.
fn apportion(
	total: Balance,
	sum: u128,
	weights: impl Iterator<Item = u128>,
	parts: &mut [Balance],
	remainders: &mut [(u128, usize)],
) -> Balance {
	let mut left = total;
	let places = parts.iter_mut().zip(remainders.iter_mut());
	for (index, (weight, (part, slot))) in weights.zip(places).enumerate() {
		let (share, remainder) = mul_div_rem(total, weight, sum).unwrap_or((0, 0));
		*part = share;
		*slot = (remainder, index);
		left = left.saturating_sub(share);
	}
	// Remainders are below `sum` and add up to `left × sum`: more than `left` of them are not zero.
	remainders.sort_unstable_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
	for (_, index) in remainders.iter() {
		if left == 0 {
			break;
		}
		if let Some(part) = parts.get_mut(*index) {
			*part = part.saturating_add(1);
			left = left.saturating_sub(1);
		}
	}
	left
}
