//! Drawing the next token from logits (`docs/protocol/numerics.md`, "Sampling").
//!
//! Weights are integers, so that their sums are exact in any order. That is what lets cutting off
//! and drawing go without a sort: both ask for the shortest beginning, in some order, whose weights
//! reach a sum, and partitioning finds it in linear time.

pub mod rng;

use crate::{
	error::{EngineError, Result},
	numerics::{elementary::exp, reduce::LANES},
};
use aria_primitives::{query::Sampling, PPM};

/// A token that may be drawn.
#[derive(Clone, Copy, Debug)]
struct Candidate {
	/// Ascending keys are descending logits, then ascending ids.
	key: u64,
	/// `floor(p × 2^30)`.
	weight: u32,
}

impl Candidate {
	/// `logit` must not be NaN.
	fn new(logit: f32, id: usize, weight: u32) -> Self {
		// Adding +0 makes −0, which equals +0, into it. Then the bits of positive floats ascend with
		// their value and those of negative ones descend.
		let bits = (logit + 0.0).to_bits();
		let ascending = if bits >> 31 == 0 { bits | (1 << 31) } else { !bits };
		Self { key: (u64::from(!ascending) << 32) | id as u64, weight }
	}

	/// The token.
	fn id(&self) -> u32 {
		self.key as u32
	}
}

/// Memory that one sampling leaves to the next: at most 16 bytes a token of the vocabulary.
#[derive(Clone, Debug, Default)]
pub struct SampleScratch {
	candidates: Vec<Candidate>,
	weights: Vec<u32>,
}

/// Draws token `index` (from 0) of an answer from `logits`, one for each id of the vocabulary.
///
/// Takes time linear in the vocabulary, whatever is cut off.
///
/// # Errors
///
/// [`EngineError::Sampling`] if `sampling` is out of its ranges or there are no logits,
/// [`EngineError::NotFinite`] if a logit is infinite or NaN, or becomes so by the temperature and is
/// the greatest.
pub fn sample(
	logits: &[f32],
	sampling: &Sampling,
	index: u32,
	scratch: &mut SampleScratch,
) -> Result<u32> {
	if !sampling.is_valid() {
		return Err(EngineError::Sampling {
			reason: "temperature_milli must be at most 100000 and top_p_ppm in 1..=1000000".into(),
		});
	}
	if u32::try_from(logits.len()).is_err() {
		return Err(EngineError::Sampling { reason: "more logits than there are ids".into() });
	}
	let (best, greatest) = greatest(logits)?;
	if sampling.temperature_milli == 0 {
		return Ok(best);
	}
	let temperature = sampling.temperature_milli as f32 / 1000.0;
	let top = greatest / temperature;
	if !top.is_finite() {
		return Err(EngineError::NotFinite { layer: None, what: "a logit over the temperature" });
	}
	let weight = |logit: f32| (exp(logit / temperature - top) * (1u32 << 30) as f32) as u32;

	let random = rng::random(sampling.seed, index);
	let keep = match usize::try_from(sampling.top_k) {
		Ok(k) if k > 0 && k < logits.len() => Some(k),
		_ => None,
	};
	let drawn = if keep.is_none() && sampling.top_p_ppm == PPM {
		draw_from_all(logits, weight, random, &mut scratch.weights)
	} else {
		let candidates = &mut scratch.candidates;
		candidates.clear();
		if let Some(keep) = keep {
			candidates
				.extend(logits.iter().enumerate().map(|(id, logit)| Candidate::new(*logit, id, 0)));
			candidates.select_nth_unstable_by_key(keep, |candidate| candidate.key);
			candidates.truncate(keep);
			for candidate in candidates.iter_mut() {
				let logit = logits.get(candidate.id() as usize).copied().unwrap_or_default();
				candidate.weight = weight(logit);
			}
		} else {
			// Without weight a token is never drawn and moves no sum: it need not be kept.
			candidates.extend(logits.iter().enumerate().filter_map(|(id, logit)| {
				let weight = weight(*logit);
				(weight > 0).then(|| Candidate::new(*logit, id, weight))
			}));
		}
		draw(candidates, sampling.top_p_ppm, random)
	};
	// The greatest logit has the weight 2^30, so that the sum exceeds what is drawn from it.
	Ok(drawn.unwrap_or(best))
}

/// The greatest logit and the smallest id that has it. Fails if any logit is not finite.
fn greatest(logits: &[f32]) -> Result<(u32, f32)> {
	if !logits.iter().fold(true, |finite, logit| finite & logit.is_finite()) {
		return Err(EngineError::NotFinite { layer: None, what: "a logit" });
	}
	// In lanes, so that it compiles to vector code.
	let mut lanes = [f32::NEG_INFINITY; LANES];
	let rows = logits.chunks_exact(LANES);
	let rest = rows.remainder();
	for row in rows {
		for (lane, logit) in lanes.iter_mut().zip(row) {
			*lane = if *logit > *lane { *logit } else { *lane };
		}
	}
	let greatest = lanes.iter().chain(rest).copied().fold(f32::NEG_INFINITY, f32::max);
	match logits.iter().position(|logit| *logit == greatest) {
		Some(id) => Ok((id as u32, greatest)),
		None => Err(EngineError::Sampling { reason: "there are no logits".into() }),
	}
}

/// Draws where nothing is cut off: one pass for the sum, one for the token.
fn draw_from_all(
	logits: &[f32],
	weight: impl Fn(f32) -> u32,
	random: u64,
	weights: &mut Vec<u32>,
) -> Option<u32> {
	weights.clear();
	weights.extend(logits.iter().map(|logit| weight(*logit)));
	let mut left = rng::scaled(random, weights.iter().map(|weight| u64::from(*weight)).sum());
	for (id, weight) in weights.iter().enumerate() {
		match left.checked_sub(u64::from(*weight)) {
			Some(rest) => left = rest,
			None => return Some(id as u32),
		}
	}
	None
}

/// Cuts the candidates off at `top_p_ppm` and draws one of those that are left.
fn draw(candidates: &mut [Candidate], top_p_ppm: u32, random: u64) -> Option<u32> {
	let mut kept = candidates;
	if top_p_ppm < PPM {
		let whole = u128::from(total(kept)) * u128::from(top_p_ppm);
		let enough = |sum: u64| u128::from(sum) * u128::from(PPM) >= whole;
		let count = shortest_beginning(kept, |candidate| candidate.key, enough);
		kept = kept.get_mut(..count)?;
	}
	let drawn = rng::scaled(random, total(kept));
	let count = shortest_beginning(kept, |candidate| u64::from(candidate.id()), |sum| sum > drawn);
	kept.get(..count)?.iter().map(Candidate::id).max()
}

fn total(candidates: &[Candidate]) -> u64 {
	candidates.iter().map(|candidate| u64::from(candidate.weight)).sum()
}

/// The length of the shortest beginning, in ascending order of `key`, whose sum of weights is
/// `enough`; all if none is. That many of `candidates` stand in front afterwards, in any order.
///
/// `enough` must stay true when the sum grows. Halves by partitioning what holds the end, which is
/// linear altogether.
fn shortest_beginning(
	candidates: &mut [Candidate],
	key: impl Fn(&Candidate) -> u64,
	enough: impl Fn(u64) -> bool,
) -> usize {
	/// From here on a sort is as fast.
	const FEW: usize = 32;
	let (mut rest, mut before, mut sum) = (candidates, 0, 0u64);
	while rest.len() > FEW {
		let middle = rest.len() / 2;
		rest.select_nth_unstable_by_key(middle, &key);
		let (low, high) = rest.split_at_mut(middle);
		let with_low = sum + total(low);
		if enough(with_low) {
			rest = low;
		} else {
			rest = high;
			before += middle;
			sum = with_low;
		}
	}
	rest.sort_unstable_by_key(&key);
	for candidate in rest.iter() {
		before += 1;
		sum += u64::from(candidate.weight);
		if enough(sum) {
			break;
		}
	}
	before
}

#[cfg(test)]
mod tests;
