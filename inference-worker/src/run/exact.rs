//! Plans of ranges that workers have in memory exactly so.
//!
//! A worker runs the ranges that it advertises, each as one piece: a part of a range, or two of them
//! joined, is not served. Where a plan has such a stage, the layers are divided in other ways, each of
//! which is made of advertised ranges, and planned again with one of these ranges a worker.

use crate::{
	pipeline::Plan,
	plan::{
		has_room, may_work, no_room, place, plan, Candidate, Demand, NoPlan, PassedOver, Planned,
		Reason, ROOM_RETRY, STANDBYS,
	},
};
use aria_primitives::{
	record::{LayerRange, MAX_STAGES},
	AccountId,
};
use std::{
	cmp::Reverse,
	collections::{BTreeMap, BTreeSet, BinaryHeap},
};

/// Ways to divide the layers that are tried.
const TRIES: usize = 24;
/// Beginnings of ways that are kept on the way to these.
const MOST_STEPS: usize = 4_096;

/// Chooses stages and standbys of exactly the ranges in `candidates`.
///
/// # Errors
/// As [`plan`].
pub fn plan_exact(candidates: &[Candidate], demand: &Demand) -> Result<Planned, NoPlan> {
	let ranges: BTreeMap<&AccountId, &[LayerRange]> = candidates
		.iter()
		.map(|candidate| (&candidate.account, candidate.layers.as_slice()))
		.collect();
	let mut none = match plan(candidates, demand) {
		Ok(mut planned) if is_exact(&planned, &ranges) => {
			trim(&mut planned, &ranges);
			return Ok(complete(planned, candidates));
		}
		Ok(planned) => {
			let missing = LayerRange { first: 0, end: demand.layers };
			let mut passed = planned.passed;
			explain(candidates, BTreeSet::new(), &mut passed, |_| Reason::Incomplete { missing });
			NoPlan { passed, uncovered: vec![missing], retry_after: None, no_room: false }
		}
		Err(none) => none,
	};
	let mut able = able(candidates, demand);
	// Who has the whole model in memory answers alone, whatever its room.
	let whole = LayerRange { first: 0, end: demand.layers };
	let alone = able.iter().any(|candidate| {
		candidate.layers.contains(&whole) && may_run(candidate, demand, true, true)
	});
	let mut cramped: Vec<&Candidate> = Vec::new();
	if !alone && !demand.whole_model {
		(able, cramped) = able.into_iter().partition(|candidate| has_room(candidate, demand));
	}
	for cramped in &cramped {
		none.passed.retain(|passed| passed.account != cramped.account);
		let (account, reason) = (cramped.account.clone(), no_room(cramped, demand));
		none.passed.push(PassedOver { account, reason });
	}
	for division in divisions(&able, demand) {
		let Some(seated) = seat(&able, &division, demand) else { continue };
		let Ok(mut planned) = plan(&seated, demand) else { continue };
		if !is_exact(&planned, &ranges) {
			continue;
		}
		stand_by(&mut planned.plan, &able, demand);
		let used = used(&planned.plan);
		planned.passed.retain(|passed| !used.contains(&passed.account));
		// Why somebody may not work at all is known from the plan of all.
		let mut known = used;
		known.extend(planned.passed.iter().map(|passed| passed.account.clone()));
		let before = none.passed.into_iter().filter(|before| {
			!matches!(before.reason, Reason::Incomplete { .. })
				&& known.insert(before.account.clone())
		});
		planned.passed.extend(before);
		return Ok(complete(planned, candidates));
	}
	let whatever_stakes = Demand { at_stake: 0, ..demand.clone() };
	if !cramped.is_empty() && plan_exact(candidates, &whatever_stakes).is_ok() {
		(none.no_room, none.retry_after) = (true, Some(ROOM_RETRY));
	}
	Err(none)
}

/// A plan in which every candidate that has no part has a reason.
fn complete(planned: Planned, candidates: &[Candidate]) -> Planned {
	let used = used(&planned.plan);
	let Planned { plan, mut passed } = planned;
	explain(candidates, used, &mut passed, |candidate| {
		let contested = |range: &LayerRange| {
			let mut stages = plan.stages.iter();
			stages.find(|place| range.first < place.layers.end && place.layers.first < range.end)
		};
		match candidate.layers.iter().find_map(contested) {
			Some(place) => Reason::PassedOver { by: place.node.clone() },
			None => Reason::LayersNotServed,
		}
	});
	Planned { plan, passed }
}

/// Adds a reason for each candidate that is neither `used` nor has one.
fn explain(
	candidates: &[Candidate],
	mut used: BTreeSet<AccountId>,
	passed: &mut Vec<PassedOver>,
	reason: impl Fn(&Candidate) -> Reason,
) {
	used.extend(passed.iter().map(|passed| passed.account.clone()));
	for candidate in candidates {
		if used.insert(candidate.account.clone()) {
			let account = candidate.account.clone();
			passed.push(PassedOver { account, reason: reason(candidate) });
		}
	}
}

/// Who takes part in a plan.
fn used(plan: &Plan) -> BTreeSet<AccountId> {
	let places = plan.stages.iter().chain(plan.standbys.iter().flatten());
	places.map(|place| place.node.clone()).collect()
}

/// Those who may work, each once, in an order that does not depend on that of their adverts.
fn able<'c>(candidates: &'c [Candidate], demand: &Demand) -> Vec<&'c Candidate> {
	let mut accounts = BTreeSet::new();
	let first_of_each = candidates.iter().filter(|candidate| accounts.insert(&candidate.account));
	let mut able: Vec<&Candidate> =
		first_of_each.filter(|candidate| may_work(candidate, demand)).collect();
	able.sort_by(|one, other| one.account.cmp(&other.account));
	able
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

/// Whether `candidate` may run a stage that is the first or the last one, or neither, given whom the
/// client demands for these.
fn may_run(candidate: &Candidate, demand: &Demand, first: bool, last: bool) -> bool {
	let fits = |named: &Option<AccountId>, at_end: bool| match named {
		Some(named) => (*named == candidate.account) == at_end,
		None => true,
	};
	fits(&demand.first, first) && fits(&demand.last, last)
}

/// Ways to put the model's layers together of ranges that somebody has, those of fewest pieces first.
///
/// How many pieces are left is known from the beginning, so that each way leads to the end.
fn divisions(candidates: &[&Candidate], demand: &Demand) -> Vec<Vec<LayerRange>> {
	let layers = demand.layers;
	let mut from: BTreeMap<u16, BTreeSet<LayerRange>> = BTreeMap::new();
	for candidate in candidates {
		for range in &candidate.layers {
			let (first, last) = (range.first == 0, range.end == layers);
			let inside = !range.is_empty() && range.end <= layers;
			if inside && may_run(candidate, demand, first, last) {
				from.entry(range.first).or_default().insert(*range);
			}
		}
	}
	let mut left: BTreeMap<u16, usize> = BTreeMap::from([(layers, 0)]);
	for (first, ranges) in from.iter().rev() {
		let fewest = ranges.iter().filter_map(|range| left.get(&range.end)).min().copied();
		if let Some(fewest) = fewest {
			left.insert(*first, fewest.saturating_add(1));
		}
	}
	let mut found = Vec::new();
	// Fewest pieces in all come first; of these, the way that has come furthest.
	let mut ways: BinaryHeap<(Reverse<usize>, usize, Vec<LayerRange>)> = BinaryHeap::new();
	if let Some(fewest) = left.get(&0) {
		ways.push((Reverse(*fewest), 0, Vec::new()));
	}
	let mut steps = 0;
	while let Some((_, pieces, way)) = ways.pop() {
		let at = way.last().map_or(0, |range| range.end);
		if at == layers {
			found.push(way);
			if found.len() >= TRIES {
				break;
			}
			continue;
		}
		let pieces = pieces + 1;
		for range in from.get(&at).into_iter().flatten() {
			let Some(rest) = left.get(&range.end) else { continue };
			let all = pieces.saturating_add(*rest);
			if all > MAX_STAGES as usize || steps >= MOST_STEPS {
				continue;
			}
			steps += 1;
			let mut longer = way.clone();
			longer.push(*range);
			ways.push((Reverse(all), pieces, longer));
		}
	}
	found
}

/// The candidates that have pieces of a division, each with one of them, such that every piece has
/// somebody; whoever is left takes the piece that fewest have. `None` if some piece has nobody: who holds
/// several pieces can run only one of them.
fn seat(
	candidates: &[&Candidate],
	division: &[LayerRange],
	demand: &Demand,
) -> Option<Vec<Candidate>> {
	let last = division.len().checked_sub(1)?;
	let choices: Vec<Vec<usize>> = candidates
		.iter()
		.map(|candidate| {
			let pieces = division.iter().enumerate().filter(|(piece, range)| {
				candidate.layers.contains(range)
					&& may_run(candidate, demand, *piece == 0, *piece == last)
			});
			pieces.map(|(piece, _)| piece).collect()
		})
		.collect();
	let mut seats: Vec<Option<usize>> = vec![None; candidates.len()];
	for piece in 0..division.len() {
		let mut asked = vec![false; candidates.len()];
		if !find(piece, &choices, &mut seats, &mut asked) {
			return None;
		}
	}
	let mut holders = vec![1usize; division.len()];
	let mut seated = Vec::with_capacity(candidates.len());
	for ((candidate, choices), seat) in candidates.iter().zip(&choices).zip(seats) {
		let fewest =
			|| choices.iter().copied().min_by_key(|piece| (holders.get(*piece).copied(), *piece));
		let (piece, spare) = match seat {
			Some(piece) => (piece, false),
			None => match fewest() {
				Some(piece) => (piece, true),
				None => continue,
			},
		};
		if let Some(count) = holders.get_mut(piece).filter(|_| spare) {
			*count += 1;
		}
		let layers = division.get(piece).copied().into_iter().collect();
		seated.push(Candidate { layers, ..(*candidate).clone() });
	}
	Some(seated)
}

/// Gives a piece to a candidate, who may have to give another one up to somebody else: matching by
/// augmenting paths, of at most as many steps as there are pieces.
fn find(
	piece: usize,
	choices: &[Vec<usize>],
	seats: &mut [Option<usize>],
	asked: &mut [bool],
) -> bool {
	for (candidate, choices_of) in choices.iter().enumerate() {
		let Some(asked_before) = asked.get_mut(candidate) else { continue };
		if *asked_before || !choices_of.contains(&piece) {
			continue;
		}
		*asked_before = true;
		let held = seats.get(candidate).copied().flatten();
		if held.is_none_or(|held| find(held, choices, seats, asked)) {
			if let Some(seat) = seats.get_mut(candidate) {
				*seat = Some(piece);
			}
			return true;
		}
	}
	false
}

/// Adds standbys that hold a stage's layers besides the piece that they were planned with.
fn stand_by(plan: &mut Plan, able: &[&Candidate], demand: &Demand) {
	let Plan { stages, standbys } = plan;
	let last = stages.len().saturating_sub(1);
	for (index, (stage, standbys)) in stages.iter().zip(standbys.iter_mut()).enumerate() {
		let named =
			(index == 0 && demand.first.is_some()) || (index == last && demand.last.is_some());
		let others = able.iter().filter(|candidate| {
			!named
				&& candidate.layers.contains(&stage.layers)
				&& stages.iter().all(|stage| stage.node != candidate.account)
		});
		for candidate in others {
			if standbys.len() >= STANDBYS {
				break;
			}
			if standbys.iter().all(|standby| standby.node != candidate.account) {
				standbys.push(place(candidate, stage.layers));
			}
		}
	}
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;
	use crate::{
		run::live::testing::{snapshot, MONDAY},
		shards::{choose_with, count},
	};
	use aria_network::wire::advert::Addresses;
	use aria_primitives::{Balance, ModelId};
	use proptest::prelude::*;
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
			room: Balance::MAX,
			reputation: 500_000,
			consent: snapshot(|_| ()).consent,
			registered: true,
			active: true,
			resting: false,
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
			at_stake: 0,
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
	fn pieces_should_go_to_those_whose_stakes_answer_for_them() {
		let roomy = [candidate(1, &[(0, 2), (2, 6)]), candidate(2, &[(0, 2)])];
		let cramped =
			|byte, ranges: &[(u16, u16)]| Candidate { room: 9, ..candidate(byte, ranges) };
		let dear = Demand { at_stake: 10, ..demand(1) };
		let nodes = |candidates: &[Candidate], demand: &Demand| -> Vec<u8> {
			let stages = plan_exact(candidates, demand).unwrap().plan.stages;
			stages.iter().map(|place| place.peer[0]).collect()
		};
		// Who holds both pieces has to take the one that only the cramped one holds besides.
		let mut all = vec![cramped(3, &[(2, 6)])];
		all.extend(roomy);
		assert_eq!(nodes(&all, &dear), [2, 1]);
		let planned = plan_exact(&all, &dear).unwrap();
		assert_eq!(planned.passed.len(), 1);
		let reason = &planned.passed.first().unwrap().reason;
		assert_eq!(*reason, Reason::NoRoom { room: 9, price: 10 });

		// In pieces that are no whole model in memory, too.
		let pieces = [(0, 3), (3, 6)];
		let both = [cramped(4, &pieces), candidate(5, &pieces)];
		let none = plan_exact(&both, &dear).unwrap_err();
		assert!(none.no_room && none.retry_after == Some(ROOM_RETRY), "{none}");
		assert!(none.passed.iter().any(|passed| passed.reason.code() == "no_room"));
		assert_eq!(none.passed.len(), 2);
		// Alone, it answers for itself.
		assert_eq!(nodes(&[cramped(6, &[(0, 6)]), both[1].clone()], &dear), [6]);
		// Where layers are missing, no stake helps.
		let none = plan_exact(&[cramped(7, &[(0, 3)])], &dear).unwrap_err();
		assert!(!none.no_room && none.retry_after.is_none(), "{none}");
	}

	#[test]
	fn many_ranges_should_not_take_long() {
		let ranges: Vec<(u16, u16)> = (0..LAYERS)
			.flat_map(|first| (first + 1..=LAYERS).map(move |end| (first, end)))
			.collect();
		let candidates: Vec<Candidate> = (0..100).map(|byte| candidate(byte, &ranges)).collect();
		let demand = demand(1);
		assert!(divisions(&able(&candidates, &demand), &demand).len() <= TRIES);
		check(&candidates);
	}

	#[test]
	fn a_division_of_many_pieces_should_be_found() {
		// Thousands of ways lead through the pairs, and single layers alone to the end.
		let mut candidates: Vec<Candidate> = (0..30)
			.map(|layer| candidate(layer, &[(layer.into(), u16::from(layer) + 1)]))
			.collect();
		let pairs =
			(0u8..14).map(|pair| candidate(30 + pair, &[(pair.into(), u16::from(pair) + 2)]));
		candidates.extend(pairs);
		let demand = Demand { layers: 30, ..demand(1) };
		let ways = divisions(&able(&candidates, &demand), &demand);
		assert_eq!(ways.len(), TRIES);
		assert!(ways.windows(2).all(|ways| ways[0].len() <= ways[1].len()));
		assert!(plan_exact(&candidates, &demand).is_ok());
	}

	#[test]
	fn who_holds_several_ranges_should_run_the_one_that_nobody_else_can() {
		// All of them are needed, each for one third.
		let candidates = [
			candidate(1, &[(0, 2), (2, 4)]),
			candidate(2, &[(2, 4), (4, 6)]),
			candidate(3, &[(0, 2), (2, 4)]),
		];
		let plans = check(&candidates);
		assert!(plans.iter().all(|stages| stages.len() == 3));
		// A worker is no two stages.
		let candidates = [candidate(1, &[(0, 2), (2, 4)]), candidate(2, &[(4, 6)])];
		assert!(plan_exact(&candidates, &demand(1)).is_err());
	}

	#[test]
	fn who_holds_several_ranges_should_stand_by_for_all_of_them() {
		let candidates = [
			candidate(1, &[(0, 2)]),
			candidate(2, &[(2, 4)]),
			candidate(3, &[(4, 6)]),
			Candidate { load: 0.9, ..candidate(4, &[(0, 2), (2, 4)]) },
		];
		let planned = plan_exact(&candidates, &demand(1)).unwrap();
		let standbys: Vec<usize> = planned.plan.standbys.iter().map(Vec::len).collect();
		assert_eq!(standbys, [1, 1, 0]);
		assert!(planned.passed.is_empty());
	}

	#[test]
	fn every_candidate_should_be_in_a_plan_or_know_why_not() {
		let candidates = [
			candidate(1, &[(0, 4)]),
			candidate(2, &[(2, 6)]),
			candidate(3, &[(4, 6)]),
			Candidate { load: 1.0, ..candidate(4, &[(0, 6)]) },
			Candidate { load: 0.9, ..candidate(5, &[(4, 6)]) },
		];
		for seed in 0..20 {
			let planned = plan_exact(&candidates, &demand(seed)).unwrap();
			let mut all = used(&planned.plan);
			for passed in &planned.passed {
				assert!(all.insert(passed.account.clone()), "{passed:?}");
			}
			assert_eq!(all.len(), candidates.len());
		}
		let none = plan_exact(&candidates[..2], &demand(1)).unwrap_err();
		assert_eq!(none.passed.len(), 2);
	}

	#[test]
	fn a_demanded_end_should_be_kept_for_who_is_demanded() {
		let candidates = [
			candidate(1, &[(0, 2), (2, 4)]),
			candidate(2, &[(0, 2)]),
			candidate(3, &[(2, 4)]),
			candidate(4, &[(4, 6)]),
		];
		for seed in 0..20 {
			let demand = Demand { first: Some(AccountId::new([1; 32])), ..demand(seed) };
			let stages = plan_exact(&candidates, &demand).unwrap().plan.stages;
			let nodes: Vec<u8> = stages.iter().map(|place| place.peer[0]).collect();
			assert_eq!(nodes, [1, 3, 4]);
		}
	}

	proptest! {
		/// Workers join with whatever room they have, each chooses for itself, and some are gone later:
		/// while those who are left have all layers, they are a plan.
		#[test]
		fn chosen_ranges_that_cover_a_model_should_be_a_plan(
			lengths in proptest::collection::vec(1u16..4, 1..20),
			joins in proptest::collection::vec(
				(1u16..60, any::<u64>(), proptest::bool::weighted(0.7)),
				1..40,
			),
			seed in any::<u64>(),
		) {
			let mut layers = 0;
			let mut shards = Vec::new();
			for length in lengths {
				shards.push(LayerRange { first: layers, end: layers + length });
				layers += length;
			}
			let mut holders: Vec<Vec<LayerRange>> = Vec::new();
			let mut candidates: Vec<Candidate> = Vec::new();
			for (byte, (room, chance, stays)) in (1u8..).zip(joins) {
				let Some(range) = choose_with(&count(&shards, &holders), room, chance) else {
					continue;
				};
				holders.push(vec![range]);
				if stays {
					candidates.push(candidate(byte, &[(range.first, range.end)]));
				}
			}
			let here = |layer: u16| {
				let mut held = candidates.iter().flat_map(|candidate| &candidate.layers);
				held.any(|range| range.first <= layer && layer < range.end)
			};
			let covered = (0..layers).all(here);
			let planned = plan_exact(&candidates, &Demand { layers, ..demand(seed) });
			prop_assert_eq!(planned.is_ok(), covered);
			for place in planned.iter().flat_map(|planned| &planned.plan.stages) {
				let holds = |c: &Candidate| c.peer == place.peer && c.layers.contains(&place.layers);
				prop_assert!(candidates.iter().any(holds), "{:?}", place);
			}
		}
	}
}
