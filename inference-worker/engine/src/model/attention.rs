//! Attention over the positions of a session.
//!
//! The unit of work is one query head of one token. Units are ordered by head of the keys first, so
//! that a lane reads as few heads as possible, and the heads of a group walk through a page of keys
//! together: it is read from memory once.

use super::kv::KvHead;
use crate::kernels::FloatOps;
use std::ops::Range;

/// Scores that a lane keeps at most, unless a single head has more positions.
const MAX_SCORES: usize = 1 << 18;

/// Query heads that are worked on together over `positions`.
fn together(positions: usize) -> usize {
	(MAX_SCORES / positions.max(1)).max(1)
}

/// Scores that [`attend`] needs room for, with up to `group` heads and up to `positions`.
pub(super) fn scores_needed(group: usize, positions: usize) -> usize {
	group.saturating_mul(positions).min(MAX_SCORES.max(positions))
}

/// A run of query heads of one token that read one head of the keys.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Run {
	/// The head of the keys.
	pub kv_head: usize,
	/// The token in its chunk.
	pub token: usize,
	/// Query heads of the group, from 0.
	pub heads: Range<usize>,
}

/// Divides the units `range` of all `kv_heads × tokens × group` into runs.
pub(super) fn runs(range: Range<usize>, tokens: usize, group: usize) -> impl Iterator<Item = Run> {
	let mut next = range.start;
	std::iter::from_fn(move || {
		if next >= range.end {
			return None;
		}
		let (pair, first) = (next / group, next % group);
		let end = group.min(first + (range.end - next));
		next += end - first;
		Some(Run { kv_head: pair / tokens, token: pair % tokens, heads: first..end })
	})
}

/// The unit of query head `head` of `token`: where [`runs`] has it.
pub(super) fn unit(head: usize, token: usize, tokens: usize, group: usize) -> usize {
	(head / group * tokens + token) * group + head % group
}

/// Attention of some query heads over the first `positions` of a head of the keys.
///
/// `queries` and `out` are `[heads, head_dim]`; `scores` has [`scores_needed`] values.
pub(super) fn attend(
	ops: &FloatOps,
	cache: &KvHead,
	positions: usize,
	head_dim: usize,
	queries: &[f32],
	scores: &mut [f32],
	out: &mut [f32],
) {
	let values = together(positions) * head_dim;
	for (queries, out) in queries.chunks(values).zip(out.chunks_mut(values)) {
		attend_together(ops, cache, positions, head_dim, queries, scores, out);
	}
}

fn attend_together(
	ops: &FloatOps,
	cache: &KvHead,
	positions: usize,
	head_dim: usize,
	queries: &[f32],
	scores: &mut [f32],
	out: &mut [f32],
) {
	let mut first = 0;
	for (keys, _) in cache.pages(positions, head_dim) {
		for (query, scores) in queries.chunks_exact(head_dim).zip(scores.chunks_mut(positions)) {
			(ops.dots)(query, keys, &mut scores[first..]);
		}
		first += keys.len() / head_dim;
	}
	let factor = 1.0 / (head_dim as f32).sqrt();
	for (_, scores) in queries.chunks_exact(head_dim).zip(scores.chunks_mut(positions)) {
		(ops.scale)(scores, factor);
		// Beside a NaN it may be any score; the NaN stays one, and with it the sum and all outputs.
		let max = (ops.max)(scores);
		(ops.exp_shifted)(scores, max);
	}
	out.fill(0.0);
	let mut first = 0;
	for (_, values) in cache.pages(positions, head_dim) {
		for (out, scores) in out.chunks_exact_mut(head_dim).zip(scores.chunks(positions)) {
			(ops.mix)(out, &scores[first..], values);
		}
		first += values.len() / head_dim;
	}
	for (out, scores) in out.chunks_exact_mut(head_dim).zip(scores.chunks(positions)) {
		(ops.scale)(out, 1.0 / (ops.sum)(scores));
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn runs_should_visit_every_unit_once_and_in_order() {
		let (kv_heads, tokens, group) = (3, 4, 5);
		let total = kv_heads * tokens * group;
		for cut in 0..=total {
			let mut next = 0;
			for range in [0..cut, cut..total] {
				for run in runs(range, tokens, group) {
					for head in run.heads {
						assert_eq!(
							unit(run.kv_head * group + head, run.token, tokens, group),
							next
						);
						next += 1;
					}
				}
			}
			assert_eq!(next, total);
		}
	}

	#[test]
	fn scores_should_be_bounded() {
		assert_eq!(scores_needed(4, 4096), 4 * 4096);
		assert_eq!(scores_needed(60_000, 1 << 20), 1 << 20);
		for (group, positions) in [(4, 4096), (60_000, 1 << 20), (60_000, 7), (1, 1)] {
			assert!(together(positions).min(group) * positions <= scores_needed(group, positions));
		}
	}
}
