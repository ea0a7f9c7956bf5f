//! Which layers a worker takes: where replicas are fewest.

use aria_primitives::record::LayerRange;
use std::{cmp::Reverse, collections::BTreeMap, time::Duration};

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

/// The layers that a newcomer with room for `most_layers` takes, of shards with their number of
/// replicas: the rarest shard that fits, and beside it as many neighbours as there is room for, rarer
/// ones first, because a longer range makes a pipeline of fewer stages. Equals are drawn by chance.
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
	let shards = counted(replicas);
	let fits = |layers: &LayerRange| layers.len() <= most_layers;
	let rarest = |(layers, count): &(LayerRange, usize)| (*count, draw(seed, layers));
	let mut taken =
		shards.iter().filter(|(layers, _)| fits(layers)).min_by_key(|shard| rarest(shard))?.0;
	loop {
		let neighbours = shards.iter().filter_map(|(layers, count)| {
			let touches = layers.first == taken.end || layers.end == taken.first;
			let joined =
				LayerRange { first: taken.first.min(layers.first), end: taken.end.max(layers.end) };
			(touches && fits(&joined)).then_some((rarest(&(*layers, *count)), joined))
		});
		match neighbours.min_by_key(|(key, _)| *key) {
			Some((_, joined)) => taken = joined,
			None => return Some(taken),
		}
	}
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
	let mut shards: Vec<_> = shards.into_iter().collect();
	// Where ranges overlap, the longer one is looked at first.
	shards.sort_by_key(|(layers, _)| (layers.first, Reverse(layers.end)));
	shards
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
	use std::collections::BTreeSet;

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
	fn neighbours_should_be_taken_while_there_is_room() {
		assert_eq!(choose_with(&thirds([2, 1, 0]), 8, 1), Some(range(4, 12)));
		assert_eq!(choose_with(&thirds([2, 0, 1]), 11, 1), Some(range(4, 12)));
		assert_eq!(choose_with(&thirds([2, 1, 0]), 12, 1), Some(range(0, 12)));
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
