//! Plans of ranges that workers have in memory exactly so.
//!
//! A worker runs the ranges that it advertises, each as one piece: a part of a range, or two of them
//! joined, is not served. Where a plan has such a stage, the layers are divided in other ways, each of
//! which is made of advertised ranges, and planned again with the workers of these ranges alone.

use crate::plan::{plan, Candidate, Demand, NoPlan, Planned};
use aria_primitives::{record::LayerRange, AccountId};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Ways to divide the layers that are tried.
const TRIES: usize = 24;
/// Ways that are looked at on the way to these.
const MOST_STEPS: usize = 4_096;

/// Chooses stages and standbys of exactly the ranges in `candidates`.
///
/// # Errors
/// As [`plan`].
pub fn plan_exact(candidates: &[Candidate], demand: &Demand) -> Result<Planned, NoPlan> {
	let mut planned = plan(candidates, demand)?;
	let ranges: BTreeMap<&AccountId, &[LayerRange]> = candidates
		.iter()
		.map(|candidate| (&candidate.account, candidate.layers.as_slice()))
		.collect();
	if is_exact(&planned, &ranges) {
		trim(&mut planned, &ranges);
		return Ok(planned);
	}
	// Who was passed over by the plan of all, and why, is what counts for those who are left out here.
	let passed = std::mem::take(&mut planned.passed);
	for division in divisions(candidates, demand.layers) {
		let pieces: BTreeSet<LayerRange> = division.into_iter().collect();
		let fitting = spread(candidates, &pieces);
		let Ok(mut planned) = plan(&fitting, demand) else { continue };
		if is_exact(&planned, &ranges) {
			trim(&mut planned, &ranges);
			let chosen: BTreeSet<_> =
				planned.passed.iter().map(|passed| passed.account.clone()).collect();
			planned
				.passed
				.extend(passed.into_iter().filter(|passed| !chosen.contains(&passed.account)));
			return Ok(planned);
		}
	}
	let whole = LayerRange { first: 0, end: demand.layers };
	Err(NoPlan { passed, uncovered: vec![whole], retry_after: None })
}

/// The candidates that have pieces of a division, each with pieces that do not touch: a plan would join
/// those. Who has several keeps the one that fewest others are left with.
fn spread(candidates: &[Candidate], pieces: &BTreeSet<LayerRange>) -> Vec<Candidate> {
	let mine = |candidate: &Candidate| -> BTreeSet<LayerRange> {
		candidate.layers.iter().filter(|range| pieces.contains(range)).copied().collect()
	};
	let mut order: Vec<(BTreeSet<LayerRange>, &Candidate)> =
		candidates.iter().map(|candidate| (mine(candidate), candidate)).collect();
	order.retain(|(mine, _)| !mine.is_empty());
	// Who has no choice is asked first.
	order.sort_by_key(|(mine, _)| mine.len());
	let mut holders: BTreeMap<LayerRange, usize> = BTreeMap::new();
	let mut spread = Vec::with_capacity(order.len());
	for (mine, candidate) in order {
		let mut ranked: Vec<LayerRange> = mine.into_iter().collect();
		ranked.sort_by_key(|range| (holders.get(range).copied().unwrap_or(0), *range));
		let mut kept: Vec<LayerRange> = Vec::new();
		for range in ranked {
			let touches = |other: &LayerRange| range.first <= other.end && other.first <= range.end;
			if !kept.iter().any(touches) {
				*holders.entry(range).or_default() += 1;
				kept.push(range);
			}
		}
		spread.push(Candidate { layers: kept, ..candidate.clone() });
	}
	spread
}

fn is_exact(planned: &Planned, ranges: &BTreeMap<&AccountId, &[LayerRange]>) -> bool {
	planned
		.plan
		.stages
		.iter()
		.all(|place| ranges.get(&place.node).is_some_and(|ranges| ranges.contains(&place.layers)))
}

/// Leaves out standbys that would have to run a part of a range.
fn trim(planned: &mut Planned, ranges: &BTreeMap<&AccountId, &[LayerRange]>) {
	for standbys in &mut planned.plan.standbys {
		standbys.retain(|place| {
			ranges.get(&place.node).is_some_and(|ranges| ranges.contains(&place.layers))
		});
	}
}

/// Ways to put `0..layers` together of ranges that somebody has, those of fewest pieces first.
fn divisions(candidates: &[Candidate], layers: u16) -> Vec<Vec<LayerRange>> {
	let mut from: BTreeMap<u16, BTreeSet<LayerRange>> = BTreeMap::new();
	for range in candidates.iter().flat_map(|candidate| &candidate.layers) {
		if !range.is_empty() && range.end <= layers {
			from.entry(range.first).or_default().insert(*range);
		}
	}
	let mut found = Vec::new();
	let mut ways: VecDeque<Vec<LayerRange>> = VecDeque::from([Vec::new()]);
	let mut steps = 0;
	while let Some(way) = ways.pop_front() {
		let at = way.last().map_or(0, |range| range.end);
		if at == layers {
			found.push(way);
			if found.len() >= TRIES {
				break;
			}
			continue;
		}
		for range in from.get(&at).into_iter().flatten() {
			steps += 1;
			if steps > MOST_STEPS {
				return found;
			}
			let mut longer = way.clone();
			longer.push(*range);
			ways.push_back(longer);
		}
	}
	found
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;
	use crate::run::live::testing::{snapshot, MONDAY};
	use aria_network::wire::advert::Addresses;
	use aria_primitives::ModelId;
	use std::time::Duration;

	const LAYERS: u16 = 6;

	fn candidate(byte: u8, ranges: &[(u16, u16)]) -> Candidate {
		Candidate {
			account: AccountId::new([byte; 32]),
			peer: [byte; 32],
			addresses: Addresses::default(),
			layers: ranges
				.iter()
				.map(|(first, end)| LayerRange { first: *first, end: *end })
				.collect(),
			stake: 1,
			minimum_stake_met: true,
			reputation: 500_000,
			consent: snapshot(|_| ()).consent,
			registered: true,
			active: true,
			region: 0,
			load: 0.0,
			round_trip: Some(Duration::from_millis(1)),
			bandwidth_mbps: 100,
			records: 100,
			advert_age: Duration::ZERO,
		}
	}

	fn demand(seed: u64) -> Demand {
		Demand {
			model: ModelId::zero(),
			layers: LAYERS,
			price: 1_000,
			at: MONDAY,
			whole_model: false,
			first: None,
			last: None,
			region: None,
			seed,
		}
	}

	fn check(candidates: &[Candidate]) -> Vec<Vec<LayerRange>> {
		(0..20)
			.map(|seed| {
				let planned = plan_exact(candidates, &demand(seed)).unwrap();
				let stages = &planned.plan.stages;
				for place in stages.iter().chain(planned.plan.standbys.iter().flatten()) {
					let candidate = candidates
						.iter()
						.find(|candidate| candidate.account == place.node)
						.unwrap();
					assert!(candidate.layers.contains(&place.layers), "{place:?}");
				}
				stages.iter().map(|place| place.layers).collect()
			})
			.collect()
	}

	#[test]
	fn stages_should_be_ranges_that_are_in_memory() {
		// 0..4 could run 0..2 before 2..6, but does not have that in memory.
		check(&[candidate(1, &[(0, 4)]), candidate(2, &[(4, 6)]), candidate(3, &[(2, 6)])]);
		// Everything, in pieces, is no whole model.
		let all = [(0, 2), (2, 4), (4, 6)];
		let plans = check(&[candidate(1, &all), candidate(2, &all), candidate(3, &all)]);
		assert!(plans.iter().all(|stages| stages.len() == 3));
	}

	#[test]
	fn a_whole_model_should_still_be_preferred() {
		let plans =
			check(&[candidate(1, &[(0, 2)]), candidate(2, &[(2, 6)]), candidate(3, &[(0, 6)])]);
		assert!(plans.iter().all(|stages| stages.len() == 1));
	}

	#[test]
	fn what_nobody_has_in_memory_should_be_no_plan() {
		let candidates = [candidate(1, &[(0, 4)]), candidate(2, &[(2, 6)])];
		assert!(plan_exact(&candidates, &demand(1)).is_err());
	}

	#[test]
	fn many_ranges_should_not_take_long() {
		let ranges: Vec<(u16, u16)> = (0..LAYERS)
			.flat_map(|first| (first + 1..=LAYERS).map(move |end| (first, end)))
			.collect();
		let candidates: Vec<Candidate> = (0..100).map(|byte| candidate(byte, &ranges)).collect();
		assert!(divisions(&candidates, LAYERS).len() <= TRIES);
		check(&candidates);
	}
}
