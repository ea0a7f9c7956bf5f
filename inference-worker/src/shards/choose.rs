//! Which layers a worker takes: where replicas are fewest.
//!
//! A worker runs a range of layers as one piece or not at all, so ranges that workers choose for
//! themselves have to fit together: they are **blocks**, as many shards as a power of two, beginning at
//! a multiple of that, the last one of each size cut off at the model's end. Of two blocks one contains
//! the other, or they share no layer; so wherever blocks cover a model, the longest of them do so
//! without overlapping, and are a plan (`docs/design/014-blocks-of-shards.md`).

use aria_primitives::record::LayerRange;
use std::{
	collections::{BTreeMap, BTreeSet},
	iter::successors,
	time::Duration,
};

/// Replicas that every shard should have (paper, 3.1: R).
pub const REPLICAS: usize = 3;
/// How long [`restore`] lets others go first, at most.
const LONGEST_WAIT: u64 = 60_000;

/// A shard that has fewer replicas than it should.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vacancy {
	/// Its layers.
	pub layers: LayerRange,
	/// Replicas that it has.
	pub replicas: usize,
	/// How long to wait, and then look again, before it is fetched: so that not everybody who sees the
	/// same takes the same. Shorter where fewer replicas are left.
	pub wait: Duration,
}

/// The blocks of a model's `shards`, which follow each other: every shard, the whole model, and between
/// them two, four, eight shards and so on, each aligned to its own size.
pub fn blocks(shards: &[LayerRange]) -> BTreeSet<LayerRange> {
	let sizes =
		successors(Some(1), |size: &usize| (*size < shards.len()).then(|| size.saturating_mul(2)));
	let span = |part: &[LayerRange]| {
		Some(LayerRange { first: part.first()?.first, end: part.last()?.end })
	};
	sizes.flat_map(|size| shards.chunks(size).filter_map(span)).collect()
}

/// For each of a model's `shards`, how many of `holders`, each with its ranges, can run it as a part of a
/// plan: those with a block that contains it. Another range may fit nobody else's.
pub fn count(shards: &[LayerRange], holders: &[Vec<LayerRange>]) -> Vec<(LayerRange, usize)> {
	let blocks = blocks(shards);
	let holds = |ranges: &[LayerRange], shard: &LayerRange| {
		ranges.iter().any(|range| range.contains(shard) && blocks.contains(range))
	};
	shards
		.iter()
		.map(|shard| (*shard, holders.iter().filter(|ranges| holds(ranges, shard)).count()))
		.collect()
}

/// The layers that a newcomer with room for `most_layers` takes, of a model's shards with their number of
/// replicas: the largest block that fits and contains the rarest shard that fits, because a longer range
/// makes a pipeline of fewer stages. Equals are drawn by chance.
///
/// `None` if no shard fits.
pub fn choose(replicas: &[(LayerRange, usize)], most_layers: u16) -> Option<LayerRange> {
	choose_with(replicas, most_layers, rand::random())
}

/// As [`choose`], with a seed that decides between equals.
pub fn choose_with(
	replicas: &[(LayerRange, usize)],
	most_layers: u16,
	seed: u64,
) -> Option<LayerRange> {
	let counted = counted(replicas);
	let fits = |layers: &LayerRange| layers.len() <= most_layers;
	let (rarest, _) = counted
		.iter()
		.filter(|(layers, _)| fits(layers))
		.min_by_key(|(layers, count)| (*count, draw(seed, layers)))?;
	let shards: Vec<LayerRange> = counted.iter().map(|(layers, _)| *layers).collect();
	let around = blocks(&shards).into_iter().filter(|block| block.contains(rarest) && fits(block));
	around.max_by_key(LayerRange::len)
}

/// The shards with fewer than [`REPLICAS`] replicas that a worker with room for `room` more layers
/// should take besides those in `mine`, rarest first, as many as fit.
pub fn restore(
	replicas: &[(LayerRange, usize)],
	mine: &[LayerRange],
	room: u16,
	seed: u64,
) -> Vec<Vacancy> {
	let mut shards = counted(replicas);
	shards.retain(|(layers, count)| {
		*count < REPLICAS && !mine.iter().any(|range| range.contains(layers))
	});
	shards.sort_by_key(|(layers, count)| (*count, draw(seed, layers)));
	let mut room = room;
	let mut vacancies = Vec::new();
	for (layers, count) in shards {
		if layers.len() > room {
			continue;
		}
		room -= layers.len();
		let longest = LONGEST_WAIT * (count as u64 + 1) / REPLICAS as u64;
		let wait = Duration::from_millis(draw(seed.rotate_left(17), &layers) % longest.max(1));
		vacancies.push(Vacancy { layers, replicas: count, wait });
	}
	vacancies
}

/// Each shard once, by its layers, with the sum of its counts; empty ones left out.
fn counted(replicas: &[(LayerRange, usize)]) -> Vec<(LayerRange, usize)> {
	let mut shards: BTreeMap<LayerRange, usize> = BTreeMap::new();
	for (layers, count) in replicas.iter().filter(|(layers, _)| !layers.is_empty()) {
		let sum = shards.entry(*layers).or_default();
		*sum = sum.saturating_add(*count);
	}
	shards.into_iter().collect()
}

/// A number that looks like chance, and follows from its arguments.
fn draw(seed: u64, layers: &LayerRange) -> u64 {
	let place = (u64::from(layers.first) << 16) | u64::from(layers.end);
	let mut state = seed ^ place.wrapping_mul(0x9E37_79B9_7F4A_7C15);
	for _ in 0..2 {
		state = (state ^ (state >> 31)).wrapping_mul(0xD6E8_FEB8_6659_FD93);
	}
	state ^ (state >> 32)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;

	fn range(first: u16, end: u16) -> LayerRange {
		LayerRange { first, end }
	}

	fn thirds(counts: [usize; 3]) -> Vec<(LayerRange, usize)> {
		let ranges = [range(0, 4), range(4, 8), range(8, 12)];
		ranges.into_iter().zip(counts).collect()
	}

	#[test]
	fn the_rarest_shard_should_be_taken() {
		for seed in 0..50 {
			assert_eq!(choose_with(&thirds([2, 1, 3]), 4, seed), Some(range(4, 8)));
		}
		assert_eq!(choose(&thirds([2, 2, 0]), 4), Some(range(8, 12)));
	}

	#[test]
	fn blocks_should_be_aligned_and_end_with_the_model() {
		let shards: Vec<LayerRange> = (0..5).map(|at| range(at * 2, at * 2 + 2)).collect();
		let all: Vec<(u16, u16)> =
			blocks(&shards).into_iter().map(|block| (block.first, block.end)).collect();
		let expected = [(0, 2), (0, 4), (0, 8), (0, 10), (2, 4), (4, 6), (4, 8), (6, 8), (8, 10)];
		assert_eq!(all, expected);
		assert!(blocks(&[]).is_empty());
	}

	#[test]
	fn of_two_blocks_one_should_contain_the_other_or_share_nothing() {
		for count in 1..=64 {
			let shards: Vec<LayerRange> = (0..count).map(|at| range(at, at + 1)).collect();
			let blocks = blocks(&shards);
			for (one, other) in blocks.iter().flat_map(|one| blocks.iter().map(move |o| (one, o))) {
				let apart = one.end <= other.first || other.end <= one.first;
				assert!(apart || one.contains(other) || other.contains(one), "{one:?} {other:?}");
			}
			assert!(blocks.contains(&range(0, count)));
		}
	}

	#[test]
	fn the_largest_block_that_there_is_room_for_should_be_taken() {
		assert_eq!(choose_with(&thirds([1, 0, 2]), 8, 1), Some(range(0, 8)));
		assert_eq!(choose_with(&thirds([1, 0, 2]), 11, 1), Some(range(0, 8)));
		assert_eq!(choose_with(&thirds([2, 1, 0]), 12, 1), Some(range(0, 12)));
		// The last two thirds are no block.
		assert_eq!(choose_with(&thirds([2, 1, 0]), 8, 1), Some(range(8, 12)));
	}

	#[test]
	fn only_blocks_should_count_as_replicas() {
		let shards = [range(0, 4), range(4, 8), range(8, 12)];
		let counts = |ranges: &[LayerRange]| -> Vec<usize> {
			let holders: Vec<Vec<LayerRange>> = ranges.iter().map(|range| vec![*range]).collect();
			count(&shards, &holders).into_iter().map(|(_, count)| count).collect()
		};
		assert_eq!(counts(&[range(0, 8), range(8, 12), range(0, 12)]), [2, 2, 2]);
		// 0..8 and 4..12 are no plan.
		assert_eq!(counts(&[range(0, 8), range(4, 12)]), [1, 1, 0]);
		assert_eq!(counts(&[range(0, 2), range(2, 4), range(1, 12)]), [0, 0, 0]);
	}

	#[test]
	fn nothing_should_be_taken_where_nothing_fits() {
		assert_eq!(choose_with(&thirds([0, 0, 0]), 3, 1), None);
		assert_eq!(choose_with(&[], 100, 1), None);
		assert_eq!(choose_with(&[(range(3, 3), 0)], 100, 1), None);
	}

	#[test]
	fn newcomers_should_spread_over_equals() {
		let chosen: BTreeSet<_> =
			(0..60).filter_map(|seed| choose_with(&thirds([1, 1, 1]), 4, seed)).collect();
		assert_eq!(chosen.len(), 3);
	}

	#[test]
	fn what_is_rare_should_be_restored_rarest_first_as_far_as_there_is_room() {
		let shards = thirds([2, 0, 3]);
		let layers = |mine: &[LayerRange], room| -> Vec<LayerRange> {
			restore(&shards, mine, room, 5).into_iter().map(|vacancy| vacancy.layers).collect()
		};
		assert_eq!(layers(&[], 12), [range(4, 8), range(0, 4)]);
		assert_eq!(layers(&[], 7), [range(4, 8)]);
		assert_eq!(layers(&[range(2, 9)], 12), [range(0, 4)]);
		assert!(layers(&[], 3).is_empty());
	}

	#[test]
	fn who_restores_should_not_come_all_at_once() {
		let waits: BTreeSet<Duration> = (0..100)
			.map(|seed| restore(&thirds([0, 3, 3]), &[], 12, seed).remove(0).wait)
			.collect();
		assert!(waits.len() > 90);
		assert!(waits.last().unwrap() <= &Duration::from_millis(LONGEST_WAIT / 3));
	}
}
