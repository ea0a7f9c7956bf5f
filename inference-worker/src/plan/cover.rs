//! The cheapest stages that cover all layers: dynamic programming over the boundaries at which ranges
//! begin and end.
//!
//! For every boundary the [`LABELS`] cheapest ways to get there are kept, each with the workers that it
//! takes, because nobody may run two stages. With one range a worker this finds the optimum; where
//! workers hold several ranges that don't touch, it may miss the optimum, and never gives a plan that
//! breaks a rule.

use super::{
	cost::{ABROAD, NEWCOMER},
	Candidate,
};
use aria_primitives::record::{LayerRange, MAX_STAGES};
use std::collections::BTreeSet;

/// Boundaries that are looked at, the first and the last included; with more, those of the best
/// workers count.
pub const MAX_BOUNDARIES: usize = 129;
/// Separate ranges of a worker that are looked at, the longest ones.
pub const MAX_RUNS: usize = 8;
/// Ways to a boundary that are kept.
const LABELS: usize = 8;
/// Workers that are looked at for a stage, best first.
const CHOICES: usize = 12;
/// Of these, those that are tried for each way to the stage's beginning.
const TRIED: usize = 4;

/// A worker that may work.
#[derive(Clone)]
pub(super) struct Runner<'c> {
	pub(super) candidate: &'c Candidate,
	/// Sorted, apart from each other, within the model.
	pub(super) runs: Vec<LayerRange>,
	/// Of a stage, in microseconds.
	pub(super) cost: i64,
	/// Decides between equals.
	pub(super) tie: u64,
}

/// Who has to run the first and the last stage: `Some(None)` is somebody who is not here.
#[derive(Clone, Copy)]
pub(super) struct Ends {
	pub(super) first: Option<Option<usize>>,
	pub(super) last: Option<Option<usize>>,
}

impl Ends {
	/// Whether runner `index` is named for an end.
	fn name(&self, index: usize) -> bool {
		self.first == Some(Some(index)) || self.last == Some(Some(index))
	}

	/// Who has to run between two boundaries, if somebody has to: `Some(None)` is nobody who is here.
	fn demanded(&self, from: usize, to: usize, last: usize) -> Option<Option<usize>> {
		let first = self.first.filter(|_| from == 0);
		let last = self.last.filter(|_| to == last);
		match (first, last) {
			(Some(first), Some(last)) if first != last => Some(None),
			(first, last) => first.or(last),
		}
	}

	/// Whether runner `index` may run from boundary `from` to boundary `to` of `0..=last`. Who is
	/// demanded for an end is kept for it.
	fn allow(&self, index: usize, from: usize, to: usize, last: usize) -> bool {
		let fits = |named: &Option<Option<usize>>, at_end: bool| match named {
			Some(named) => (*named == Some(index)) == at_end,
			None => true,
		};
		fits(&self.first, from == 0) && fits(&self.last, to == last)
	}
}

/// `layers` clipped to the model, sorted, ranges that touch joined; at most [`MAX_RUNS`].
pub(super) fn runs(layers: &[LayerRange], count: u16) -> Vec<LayerRange> {
	let mut ranges: Vec<LayerRange> = layers
		.iter()
		.map(|range| LayerRange { first: range.first, end: range.end.min(count) })
		.filter(|range| !range.is_empty())
		.collect();
	ranges.sort_unstable();
	let mut runs: Vec<LayerRange> = Vec::new();
	for range in ranges {
		match runs.last_mut() {
			Some(last) if range.first <= last.end => last.end = last.end.max(range.end),
			_ => runs.push(range),
		}
	}
	if runs.len() > MAX_RUNS {
		runs.sort_by_key(|run| (std::cmp::Reverse(run.len()), run.first));
		runs.truncate(MAX_RUNS);
		runs.sort_unstable();
	}
	runs
}

/// A way from layer 0 to a boundary.
#[derive(Clone)]
struct Label {
	cost: i64,
	/// Runners, with the boundaries between which they run.
	steps: Vec<(usize, usize, usize)>,
}

/// A run between boundaries, by where it ends: who, and from where.
type Endings = Vec<Vec<(usize, usize)>>;

/// Stages that cover `0..layers`, by runner. `runners` are sorted, best first; `preferred` gets a part if
/// that is not too costly.
///
/// # Errors
/// The layers that can't be covered.
pub(super) fn cover(
	runners: &[Runner<'_>],
	layers: u16,
	ends: Ends,
	preferred: Option<usize>,
) -> Result<Vec<(usize, LayerRange)>, Vec<LayerRange>> {
	let boundaries = boundaries(runners, layers);
	let last = boundaries.len().saturating_sub(1);
	let endings = endings(runners, &boundaries);
	let covers = |index: usize, from: usize, to: usize| {
		let range = boundaries.get(from).zip(boundaries.get(to));
		runners.get(index).zip(range).is_some_and(|(runner, (first, end))| {
			let range = LayerRange { first: *first, end: *end };
			runner.runs.iter().any(|run| run.contains(&range))
		})
	};
	let mut labels: Vec<Vec<Label>> = vec![Vec::new(); boundaries.len()];
	if let Some(start) = labels.first_mut() {
		start.push(Label { cost: 0, steps: Vec::new() });
	}
	for from in 0..last {
		let (done, ahead) = labels.split_at_mut(from + 1);
		let here = done.get(from).map(Vec::as_slice).unwrap_or_default();
		if here.is_empty() {
			continue;
		}
		let mut best: Vec<usize> = Vec::with_capacity(CHOICES + 1);
		for to in (from + 1..=last).rev() {
			// Whose run reaches further reaches this far too: the list only grows, and keeps its best.
			for (index, begin) in endings.get(to).map(Vec::as_slice).unwrap_or_default() {
				if *begin <= from && !ends.name(*index) {
					if let Err(place) = best.binary_search(index) {
						best.insert(place, *index);
						best.truncate(CHOICES);
					}
				}
			}
			let demanded = ends.demanded(from, to, last);
			let favoured = demanded
				.unwrap_or(preferred)
				.filter(|index| ends.allow(*index, from, to, last) && covers(*index, from, to));
			let others = if demanded.is_some() { &[][..] } else { best.as_slice() };
			let Some(there) = ahead.get_mut(to - from - 1) else { continue };
			for label in here {
				let choices = favoured.iter().chain(others);
				extend(label, choices, (from, to), runners, preferred, there);
			}
		}
	}
	match labels.pop().and_then(|end| end.into_iter().next()) {
		Some(Label { steps, .. }) => Ok(steps
			.into_iter()
			.filter_map(|(index, from, to)| {
				let (first, end) = (*boundaries.get(from)?, *boundaries.get(to)?);
				Some((index, LayerRange { first, end }))
			})
			.collect()),
		None => {
			let furthest = labels.iter().rposition(|labels| !labels.is_empty());
			let reached = furthest.and_then(|place| boundaries.get(place)).copied();
			Err(uncovered(runners, layers, ends, reached.unwrap_or_default()))
		}
	}
}

/// Adds the ways that lead on from `label`, between two boundaries, to those that are known `there`.
fn extend<'a>(
	label: &Label,
	choices: impl Iterator<Item = &'a usize>,
	(from, to): (usize, usize),
	runners: &[Runner<'_>],
	preferred: Option<usize>,
	there: &mut Vec<Label>,
) {
	if label.steps.len() >= MAX_STAGES as usize {
		return;
	}
	let before = label.steps.last().and_then(|(index, ..)| runners.get(*index));
	let region = before.map_or(0, |runner| runner.candidate.region);
	let unused = choices.filter(|index| label.steps.iter().all(|(used, ..)| used != *index));
	for index in unused.take(TRIED) {
		let Some(runner) = runners.get(*index) else { continue };
		let here = runner.candidate.region;
		let abroad = if region != 0 && here != 0 && region != here { ABROAD } else { 0 };
		let bonus = if preferred == Some(*index) { NEWCOMER } else { 0 };
		let cost = label.cost + runner.cost + abroad - bonus;
		let place = there.partition_point(|known| known.cost <= cost);
		if place < LABELS {
			let mut steps = label.steps.clone();
			steps.push((*index, from, to));
			there.insert(place, Label { cost, steps });
			there.truncate(LABELS);
		}
	}
}

/// 0, the number of layers, and where runs begin and end, those of the best workers first.
fn boundaries(runners: &[Runner<'_>], layers: u16) -> Vec<u16> {
	let mut boundaries = BTreeSet::from([0, layers]);
	let ends = runners.iter().flat_map(|runner| &runner.runs).flat_map(|run| [run.first, run.end]);
	for end in ends {
		if boundaries.len() >= MAX_BOUNDARIES {
			break;
		}
		boundaries.insert(end);
	}
	boundaries.into_iter().collect()
}

/// The runs, as far as they lie between boundaries.
fn endings(runners: &[Runner<'_>], boundaries: &[u16]) -> Endings {
	let mut endings = vec![Vec::new(); boundaries.len()];
	for (index, runner) in runners.iter().enumerate() {
		for run in &runner.runs {
			let begin = boundaries.partition_point(|boundary| *boundary < run.first);
			let behind = boundaries.partition_point(|boundary| *boundary <= run.end);
			let Some(end) = behind.checked_sub(1) else { continue };
			if let Some(ending) = endings.get_mut(end).filter(|_| begin < end) {
				ending.push((index, begin));
			}
		}
	}
	endings
}

/// The layers that nobody may run; if there are none, what lies behind the layer up to which stages
/// could be found.
fn uncovered(runners: &[Runner<'_>], layers: u16, ends: Ends, reached: u16) -> Vec<LayerRange> {
	let holds = |runner: &Runner<'_>, layer: u16| {
		runner.runs.iter().any(|run| run.first <= layer && layer < run.end)
	};
	let by = |named: Option<usize>, layer: u16| {
		named.and_then(|index| runners.get(index)).is_some_and(|runner| holds(runner, layer))
	};
	let is_covered = |layer: u16| {
		let first = ends.first.filter(|_| layer == 0);
		let last = ends.last.filter(|_| layer.saturating_add(1) == layers);
		match (first, last) {
			(None, None) => runners.iter().any(|runner| holds(runner, layer)),
			(first, last) => {
				first.is_none_or(|named| by(named, layer))
					&& last.is_none_or(|named| by(named, layer))
			}
		}
	};
	let mut ranges: Vec<LayerRange> = Vec::new();
	for layer in (0..layers).filter(|layer| !is_covered(*layer)) {
		match ranges.last_mut() {
			Some(range) if range.end == layer => range.end = layer.saturating_add(1),
			_ => ranges.push(LayerRange { first: layer, end: layer.saturating_add(1) }),
		}
	}
	if ranges.is_empty() {
		ranges.push(LayerRange { first: reached, end: layers });
	}
	ranges
}
