//! Examples of every reason, and properties of any plan.
#![allow(clippy::unwrap_used)]

use super::*;
use aria_primitives::{
	consent::{Consent, RewardMode, RewardPreference, Schedule, Window},
	ARIA, PPM,
};
use proptest::prelude::*;
use std::{collections::BTreeMap, time::Instant};

/// Monday, the fifth of January 1970, at noon UTC.
const NOON: Moment = (4 * 24 + 12) * 3_600_000;

fn account(number: u8) -> AccountId {
	AccountId::new([number; 32])
}

fn range(first: u16, end: u16) -> LayerRange {
	LayerRange { first, end }
}

fn consent() -> Consent {
	Consent {
		cpu_percent: 25,
		schedule: Schedule::always(),
		task_types: vec![TaskType::TextGeneration].try_into().unwrap(),
		max_bandwidth_mbps: 100,
		max_memory_mb: 4096,
		reward_preference: RewardPreference {
			payout: account(0),
			minimum_price: 10,
			mode: RewardMode::Keep,
		},
	}
}

fn change_consent(candidate: &mut Candidate, change: impl Fn(&mut Consent)) {
	change(&mut candidate.consent.as_mut().unwrap().consent);
}

/// A worker in order with these layers.
pub(crate) fn candidate(number: u8, layers: &[(u16, u16)]) -> Candidate {
	Candidate {
		account: account(number),
		peer: [number; 32],
		addresses: Default::default(),
		layers: layers.iter().map(|(first, end)| range(*first, *end)).collect(),
		stake: ARIA,
		minimum_stake_met: true,
		room: Balance::MAX,
		reputation: PPM,
		consent: Some(ConsentVersion {
			version: 1,
			consent: consent(),
			set_at: 1,
			superseded_at: None,
		}),
		registered: true,
		active: true,
		resting: false,
		region: 756,
		load: 0.0,
		round_trip: Some(Duration::from_millis(20)),
		bandwidth_mbps: 100,
		records: 1_000,
		advert_age: Duration::from_secs(10),
	}
}

fn demand(layers: u16) -> Demand {
	Demand {
		model: ModelId::repeat_byte(1),
		layers,
		price: 100,
		at_stake: 0,
		at: NOON,
		whole_model: false,
		first: None,
		last: None,
		region: None,
		seed: plain_seed(),
	}
}

/// A seed of a plan that prefers no newcomer.
fn plain_seed() -> u64 {
	(0..).find(|seed| !prefers_newcomers(*seed)).unwrap()
}

fn newcomer_seed() -> u64 {
	(0..).find(|seed| prefers_newcomers(*seed)).unwrap()
}

fn prefers_newcomers(seed: u64) -> bool {
	let newcomer = Candidate { records: 0, ..candidate(1, &[(0, 1)]) };
	let draw = Draw::new(seed);
	let runner = draw.runner(&newcomer, vec![range(0, 1)]);
	draw.newcomer(&[&runner]).is_some()
}

fn planned(candidates: &[Candidate], demand: &Demand) -> Planned {
	match plan(candidates, demand) {
		Ok(planned) => planned,
		Err(none) => panic!("{none}: {:?}", none.passed),
	}
}

fn unplanned(candidates: &[Candidate], demand: &Demand) -> NoPlan {
	match plan(candidates, demand) {
		Ok(planned) => panic!("a plan: {:?}", planned.plan.stages),
		Err(none) => none,
	}
}

/// Who runs which layers.
fn stages(planned: &Planned) -> Vec<(u8, u16, u16)> {
	let stages = planned.plan.stages.iter();
	stages.map(|place| (place.peer[0], place.layers.first, place.layers.end)).collect()
}

fn standbys(planned: &Planned) -> Vec<Vec<u8>> {
	let standbys = planned.plan.standbys.iter();
	standbys.map(|places| places.iter().map(|place| place.peer[0]).collect()).collect()
}

fn reasons(passed: &[PassedOver]) -> BTreeMap<AccountId, Reason> {
	let reasons: BTreeMap<_, _> =
		passed.iter().map(|passed| (passed.account.clone(), passed.reason.clone())).collect();
	assert_eq!(reasons.len(), passed.len(), "somebody has two reasons");
	reasons
}

#[test]
fn a_worker_with_the_whole_model_should_come_first() {
	let slow = Candidate { round_trip: None, load: 0.9, ..candidate(1, &[(0, 12)]) };
	let all = [slow, candidate(2, &[(0, 6)]), candidate(3, &[(6, 12)])];
	let planned = planned(&all, &demand(12));

	assert_eq!(stages(&planned), [(1, 0, 12)]);
	let reasons = reasons(&planned.passed);
	assert_eq!(reasons[&account(2)], Reason::LayersNotNeeded { by: account(1) });
	assert_eq!(reasons[&account(3)], Reason::LayersNotNeeded { by: account(1) });
}

#[test]
fn thirds_should_be_joined_with_the_replica_standing_by() {
	let all = [
		candidate(1, &[(0, 4)]),
		candidate(2, &[(4, 8)]),
		candidate(3, &[(8, 12)]),
		Candidate { load: 0.5, ..candidate(4, &[(4, 8)]) },
	];
	let planned = planned(&all, &demand(12));

	assert_eq!(stages(&planned), [(1, 0, 4), (2, 4, 8), (3, 8, 12)]);
	assert_eq!(standbys(&planned), [vec![], vec![4], vec![]]);
	assert!(planned.passed.is_empty());
}

#[test]
fn who_holds_more_should_run_a_part_of_it() {
	let all = [candidate(1, &[(0, 7)]), candidate(2, &[(5, 12)])];
	let stages = stages(&planned(&all, &demand(12)));

	assert!(stages == [(1, 0, 7), (2, 7, 12)] || stages == [(1, 0, 5), (2, 5, 12)], "{stages:?}");
}

#[test]
fn fewer_stages_should_cost_less() {
	let all = [
		candidate(1, &[(0, 4)]),
		candidate(2, &[(4, 8)]),
		candidate(3, &[(8, 12)]),
		candidate(4, &[(4, 12)]),
	];
	assert_eq!(stages(&planned(&all, &demand(12))), [(1, 0, 4), (4, 4, 12)]);
}

#[test]
fn better_workers_should_be_chosen() {
	let worse: [fn(&mut Candidate); 3] = [
		|worker| worker.load = 0.9,
		|worker| worker.round_trip = Some(Duration::from_millis(300)),
		|worker| worker.bandwidth_mbps = 1,
	];
	for (case, worsen) in worse.iter().enumerate() {
		let mut first = candidate(1, &[(0, 12)]);
		worsen(&mut first);
		for seed in 0..20 {
			let demand = Demand { seed, ..demand(12) };
			let planned = planned(&[first.clone(), candidate(2, &[(0, 12)])], &demand);
			assert_eq!(stages(&planned), [(2, 0, 12)], "case {case}");
			assert_eq!(standbys(&planned), [[1]]);
		}
	}
}

#[test]
fn the_better_known_should_get_more_but_not_all() {
	let share = |reputations: [u32; 2]| {
		let all = [1, 2].map(|number| Candidate {
			reputation: PPM / 100 * reputations[usize::from(number - 1)],
			..candidate(number, &[(0, 12)])
		});
		let first =
			|seed: &u64| stages(&planned(&all, &Demand { seed: *seed, ..demand(12) }))[0].0 == 1;
		(0..1_000).filter(first).count()
	};
	// The chance of the less known is half of what it is known less: 40 % beside 70 % gives a quarter.
	assert!((450..550).contains(&share([50, 50])));
	assert!((200..300).contains(&share([40, 70])));
	assert!((1..100).contains(&share([0, 95])));
	assert_eq!(share([100, 0]) / 100, 9);
}

#[test]
fn a_hop_within_a_country_should_be_preferred() {
	let all = [
		candidate(1, &[(0, 6)]),
		Candidate { region: 840, ..candidate(2, &[(6, 12)]) },
		candidate(3, &[(6, 12)]),
	];
	for seed in 0..20 {
		let planned = planned(&all, &Demand { seed, ..demand(12) });
		assert_eq!(stages(&planned), [(1, 0, 6), (3, 6, 12)]);
	}
}

#[test]
fn one_plan_in_ten_should_prefer_a_newcomer() {
	let newcomer = Candidate { records: 0, reputation: PPM / 4, ..candidate(1, &[(0, 12)]) };
	let all = [newcomer, candidate(2, &[(0, 12)])];
	let chosen = |seed| stages(&planned(&all, &Demand { seed, ..demand(12) }))[0].0;

	assert_eq!(chosen(newcomer_seed()), 1);
	assert_eq!(chosen(plain_seed()), 2);
	let count = (0..2_000).filter(|seed| chosen(*seed) == 1).count();
	assert!((150..350).contains(&count), "{count} of 2000");
}

#[test]
fn a_newcomer_should_get_a_stage_of_several() {
	let mut all: Vec<Candidate> = (10..40).map(|number| candidate(number, &[(6, 12)])).collect();
	all.push(candidate(1, &[(0, 6)]));
	all.push(Candidate { records: 3, round_trip: None, ..candidate(2, &[(6, 12)]) });
	let demand = Demand { seed: newcomer_seed(), ..demand(12) };

	assert_eq!(stages(&planned(&all, &demand)), [(1, 0, 6), (2, 6, 12)]);
}

#[test]
fn nobody_should_run_two_stages() {
	let all = [candidate(1, &[(0, 4), (8, 12)]), candidate(2, &[(4, 8)])];
	let none = unplanned(&all, &demand(12));
	assert_eq!(none.uncovered, [range(8, 12)]);

	let all = [all[0].clone(), all[1].clone(), Candidate { load: 0.9, ..candidate(3, &[(0, 4)]) }];
	assert_eq!(stages(&planned(&all, &demand(12))), [(3, 0, 4), (2, 4, 8), (1, 8, 12)]);
}

#[test]
fn every_obstacle_should_have_its_reason() {
	let helper = candidate(100, &[(0, 12)]);
	let reason = |change: fn(&mut Candidate)| {
		let mut worker = candidate(1, &[(0, 12)]);
		change(&mut worker);
		let planned = planned(&[worker, helper.clone()], &demand(12));
		assert_eq!(stages(&planned), [(100, 0, 12)]);
		reasons(&planned.passed).remove(&account(1)).unwrap()
	};

	let unregistered = reason(|worker| (worker.registered, worker.active) = (false, false));
	assert_eq!(unregistered, Reason::NotRegistered);
	assert_eq!(reason(|worker| worker.active = false), Reason::Draining);
	let resting = reason(|worker| (worker.active, worker.resting) = (false, true));
	assert_eq!(resting, Reason::Resting);
	assert_eq!(
		reason(|worker| worker.minimum_stake_met = false),
		Reason::StakeTooLow { stake: ARIA }
	);
	assert_eq!(reason(|worker| worker.consent = None), Reason::NoConsent);
	let withdrawn = reason(|worker| worker.consent.as_mut().unwrap().superseded_at = Some(2));
	assert_eq!(withdrawn, Reason::NoConsent);
	let audits_only = reason(|worker| {
		change_consent(worker, |c| c.task_types = vec![TaskType::Audit].try_into().unwrap());
	});
	assert_eq!(audits_only, Reason::TaskNotAllowed);
	let night = reason(|worker| {
		change_consent(worker, |consent| {
			consent.schedule.windows = vec![Window { from: 1320, to: 360 }].try_into().unwrap();
		});
	});
	let opens = Some(NOON + 10 * 3_600_000);
	assert_eq!(night, Reason::OutsideHours { opens, utc_offset_minutes: 0 });
	let dear = reason(|worker| {
		change_consent(worker, |consent| consent.reward_preference.minimum_price = 101);
	});
	assert_eq!(dear, Reason::PriceTooLow { offered: 100, minimum: 101 });
	let old = Duration::from_millis(MAX_ADVERT_LIFE + 1);
	let silent = reason(|worker| worker.advert_age = Duration::from_millis(MAX_ADVERT_LIFE + 1));
	assert_eq!(silent, Reason::AdvertTooOld { age: old });
	assert_eq!(reason(|worker| worker.layers.clear()), Reason::LayersNotServed);
	assert_eq!(reason(|worker| worker.layers = vec![range(12, 20)]), Reason::LayersNotServed);
	assert_eq!(reason(|worker| worker.layers = vec![range(5, 5)]), Reason::LayersNotServed);
	assert_eq!(reason(|worker| worker.load = 1.0), Reason::Busy);
	assert_eq!(reason(|worker| worker.load = f32::NAN), Reason::Busy);
}

#[test]
fn demands_should_have_their_reasons() {
	let all = [
		candidate(1, &[(0, 6)]),
		candidate(2, &[(6, 12)]),
		candidate(3, &[(0, 12)]),
		Candidate { region: 0, ..candidate(4, &[(0, 12)]) },
	];
	let whole = planned(&all, &Demand { whole_model: true, region: Some(756), ..demand(12) });
	assert_eq!(stages(&whole), [(3, 0, 12)]);
	let because = reasons(&whole.passed);
	assert_eq!(because[&account(1)], Reason::WholeModelDemanded);
	assert_eq!(because[&account(4)], Reason::Region { wanted: 756, is: 0 });

	let first = planned(&all[..2], &Demand { first: Some(account(1)), ..demand(12) });
	assert_eq!(stages(&first), [(1, 0, 6), (2, 6, 12)]);

	let several =
		[all[0].clone(), candidate(5, &[(0, 6)]), all[1].clone(), candidate(6, &[(6, 12)])];
	let named = Demand { first: Some(account(5)), last: Some(account(6)), ..demand(12) };
	let both = planned(&several, &named);
	assert_eq!(stages(&both), [(5, 0, 6), (6, 6, 12)]);
	assert_eq!(standbys(&both), [vec![0u8; 0], vec![]]);
	let because = reasons(&both.passed);
	assert_eq!(because[&account(1)], Reason::FirstDemanded { by: account(5) });
	assert_eq!(because[&account(2)], Reason::LastDemanded { by: account(6) });
}

#[test]
fn who_is_demanded_and_not_here_should_leave_the_end_uncovered() {
	let all = [candidate(1, &[(0, 6)]), candidate(2, &[(6, 12)]), candidate(3, &[(0, 12)])];
	let none = unplanned(&all, &Demand { last: Some(account(9)), ..demand(12) });

	assert_eq!(none.uncovered, [range(11, 12)]);
	assert_eq!(none.retry_after, None);
	let because = reasons(&none.passed);
	assert_eq!(because[&account(1)], Reason::Incomplete { missing: range(11, 12) });
	assert_eq!(because[&account(2)], Reason::LastDemanded { by: account(9) });
}

#[test]
fn a_demanded_end_should_run_it_although_another_has_the_whole_model() {
	let all = [candidate(1, &[(0, 6)]), candidate(3, &[(0, 12)])];
	let planned = planned(&all, &Demand { first: Some(account(1)), ..demand(12) });
	assert_eq!(stages(&planned), [(1, 0, 6), (3, 6, 12)]);

	let none = unplanned(
		&all[..1],
		&Demand { first: Some(account(1)), last: Some(account(1)), ..demand(12) },
	);
	assert_eq!(none.uncovered, [range(6, 12)]);
}

#[test]
fn who_is_outdone_should_learn_by_whom() {
	let mut all: Vec<Candidate> = (1..=6).map(|number| candidate(number, &[(0, 12)])).collect();
	all[5].load = 0.99;
	let planned = planned(&all, &demand(12));

	assert_eq!(planned.plan.standbys[0].len(), STANDBYS);
	let by = planned.plan.stages[0].node.clone();
	assert_eq!(reasons(&planned.passed), BTreeMap::from([(account(6), Reason::PassedOver { by })]));
}

#[test]
fn whose_stake_does_not_answer_for_it_should_be_no_stage_of_several() {
	let cramped =
		|number, layers: &[(u16, u16)]| Candidate { room: ARIA / 10, ..candidate(number, layers) };
	let all = [cramped(1, &[(0, 6)]), candidate(2, &[(6, 12)]), candidate(3, &[(0, 6)])];
	let dear = Demand { at_stake: ARIA / 5, ..demand(12) };
	for seed in 0..20 {
		let planned = planned(&all, &Demand { seed, ..dear.clone() });
		assert_eq!(stages(&planned), [(3, 0, 6), (2, 6, 12)]);
		// Nor does it stand by: it would sign too.
		assert_eq!(standbys(&planned), [vec![0u8; 0], vec![]]);
		let because = reasons(&planned.passed);
		let expected = Reason::NoRoom { room: ARIA / 10, price: ARIA / 5 };
		assert_eq!(because, BTreeMap::from([(account(1), expected)]));
	}
	// Just enough is enough, and what nobody may audit needs no stake.
	for at_stake in [0, ARIA / 10] {
		let planned = planned(&all[..2], &Demand { at_stake, ..dear.clone() });
		assert_eq!(stages(&planned), [(1, 0, 6), (2, 6, 12)]);
	}
}

#[test]
fn who_computes_alone_should_need_no_room() {
	let alone = Candidate { room: 0, ..candidate(1, &[(0, 12)]) };
	let all = [alone, Candidate { room: 0, ..candidate(2, &[(0, 12)]) }, candidate(3, &[(0, 6)])];
	let dear = Demand { at_stake: ARIA, ..demand(12) };
	let planned = planned(&all[..1], &dear);
	assert_eq!(stages(&planned), [(1, 0, 12)]);
	let both = self::planned(&all, &dear);
	assert_eq!(both.plan.standbys.iter().map(Vec::len).sum::<usize>(), 1);
	// As one of two stages it does.
	let none = unplanned(&all, &Demand { first: Some(account(3)), ..dear });
	assert!(none.no_room && reasons(&none.passed)[&account(1)].code() == "no_room");
}

#[test]
fn of_equals_those_with_more_room_should_be_preferred() {
	let half = |number, room| Candidate { room, ..candidate(number, &[(6, 12)]) };
	let all = [candidate(1, &[(0, 6)]), half(2, ARIA), half(3, 100 * ARIA)];
	let second = |all: &[Candidate], seed| {
		stages(&planned(all, &Demand { seed, at_stake: ARIA, ..demand(12) }))[1].0
	};
	// By more than chance, and by no more than other differences.
	let roomy = (0..400).filter(|seed| second(&all, *seed) == 3).count();
	assert!(roomy > 350, "{roomy} of 400");
	let mut far = all.clone();
	far[2].round_trip = Some(Duration::from_millis(40));
	assert!((0..20).all(|seed| second(&far, seed) == 2));
}

#[test]
fn without_room_anywhere_it_should_be_said_what_helps() {
	let cramped =
		|number, layers: &[(u16, u16)]| Candidate { room: ARIA / 10, ..candidate(number, layers) };
	let all = [cramped(1, &[(0, 6)]), cramped(2, &[(6, 12)])];
	let dear = Demand { at_stake: ARIA / 5, ..demand(12) };
	let none = unplanned(&all, &dear);
	assert!(none.no_room);
	assert_eq!(none.retry_after, Some(ROOM_RETRY));
	let said = none.to_string();
	for words in ["the stakes of 2", "the 0.2 ARIA", "fewer tokens", "bond_more", "in 60 s"] {
		assert!(said.contains(words), "{said}");
	}

	// Where something else is missing, that is what is said.
	let none = unplanned(&all[..1], &dear);
	assert!(!none.no_room && none.retry_after.is_none(), "{none}");
	// Somebody who is merely busy does.
	let busy = Candidate { load: 1.0, ..candidate(4, &[(6, 12)]) };
	let none = unplanned(&[candidate(3, &[(0, 6)]), all[1].clone(), busy], &dear);
	assert!(!none.no_room);
	assert_eq!(none.retry_after, Some(BUSY_RETRY));
}

#[test]
fn gaps_should_be_named() {
	let all = [candidate(1, &[(0, 4)]), candidate(2, &[(8, 10)])];
	let none = unplanned(&all, &demand(12));

	assert_eq!(none.uncovered, [range(4, 8), range(10, 12)]);
	assert_eq!(none.retry_after, None);
	assert_eq!(
		none.to_string(),
		"nobody may compute layers 4..8, 10..12: 2 workers of this model were passed over"
	);
	assert_eq!(reasons(&none.passed)[&account(1)], Reason::Incomplete { missing: range(4, 8) });
	assert_eq!(unplanned(&[], &demand(3)).uncovered, [range(0, 3)]);
	unplanned(&all, &demand(0));
}

#[test]
fn the_hour_alone_should_tell_when_to_ask_again() {
	let shut = |number, layers, from| {
		let mut worker = candidate(number, layers);
		let windows = vec![Window { from, to: from + 60 }];
		worker.consent.as_mut().unwrap().consent.schedule.windows = windows.try_into().unwrap();
		worker
	};
	// Opens at 13:00, 15:00 and 14:00; the second half is needed, and one of two for the first.
	let all =
		[shut(1, &[(0, 6)], 13 * 60), shut(2, &[(6, 12)], 15 * 60), shut(3, &[(0, 6)], 14 * 60)];
	let hours = |count: u64| Some(Duration::from_secs(count * 3_600));
	assert_eq!(unplanned(&all, &demand(12)).retry_after, hours(3));
	let open = candidate(4, &[(6, 12)]);
	assert_eq!(unplanned(&[all[0].clone(), open.clone()], &demand(12)).retry_after, hours(1));
	// Another obstacle remains.
	let draining = Candidate { active: false, ..all[0].clone() };
	assert_eq!(unplanned(&[draining, open.clone()], &demand(12)).retry_after, None);

	let busy = Candidate { load: 1.0, ..candidate(5, &[(0, 6)]) };
	assert_eq!(unplanned(&[busy, open], &demand(12)).retry_after, Some(BUSY_RETRY));
}

#[test]
fn a_thousand_workers_should_be_planned_quickly() {
	let mut all = Vec::new();
	for number in 0..1_000u16 {
		let first = number * 7 % 61;
		let mut worker = candidate(1, &[(first, first + 1 + number % 9), (62, 64)]);
		worker.account = AccountId::new(std::array::from_fn(|byte| {
			if byte < 2 {
				number.to_le_bytes()[byte]
			} else {
				9
			}
		}));
		worker.load = f32::from(number % 10) / 11.0;
		all.push(worker);
	}
	let mut best = Duration::MAX;
	for seed in 0..5 {
		let demand = Demand { seed, ..demand(64) };
		let start = Instant::now();
		planned(&all, &demand);
		best = best.min(start.elapsed());
	}
	// The build of the tests is not optimised.
	let limit = Duration::from_millis(if cfg!(debug_assertions) { 1_000 } else { 50 });
	assert!(best < limit, "{best:?}");
}

fn any_candidate(layers: u16) -> impl Strategy<Value = Candidate> {
	let range = (0..layers, 1..=layers);
	(
		proptest::collection::vec(range, 1..3),
		(0.0f32..1.2, 0..=PPM, 0u32..40, 0u64..400),
		(proptest::bool::weighted(0.9), proptest::bool::weighted(0.9), 0u16..3, 0u32..50, 1..9u128),
	)
		.prop_map(
			move |(
				ranges,
				(load, reputation, records, trip),
				(active, staked, region, mbps, room),
			)| {
				let layers: Vec<(u16, u16)> =
					ranges.into_iter().map(|(first, length)| (first, first + length)).collect();
				Candidate {
					load,
					reputation,
					records,
					region,
					active,
					minimum_stake_met: staked,
					room,
					bandwidth_mbps: mbps,
					round_trip: (trip > 50).then(|| Duration::from_millis(trip)),
					..candidate(1, &layers)
				}
			},
		)
}

fn any_case() -> impl Strategy<Value = (Vec<Candidate>, Demand)> {
	(1u16..24).prop_flat_map(|layers| {
		let candidates = proptest::collection::vec(any_candidate(layers), 0..30);
		let named = || proptest::option::weighted(0.15, 1u8..10);
		let stakes = prop_oneof![Just(0u128), 1..9u128];
		let demands = (proptest::bool::weighted(0.1), named(), named(), any::<u64>(), stakes);
		(candidates, demands).prop_map(
			move |(mut candidates, (whole_model, first, last, seed, at_stake))| {
				for (number, candidate) in (1..).zip(&mut candidates) {
					(candidate.account, candidate.peer) = (account(number), [number; 32]);
				}
				let (first, last) = (first.map(account), last.map(account));
				(candidates, Demand { whole_model, first, last, seed, at_stake, ..demand(layers) })
			},
		)
	})
}

fn held(candidate: &Candidate, layers: &LayerRange) -> bool {
	(layers.first..layers.end)
		.all(|layer| candidate.layers.iter().any(|run| run.contains(&range(layer, layer + 1))))
}

proptest! {
	#[test]
	fn plans_should_keep_every_rule((candidates, demand) in any_case()) {
		let of = |account: &AccountId| candidates.iter().find(|c| c.account == *account).unwrap();
		match plan(&candidates, &demand) {
			Ok(planned) => {
				let mut next = 0;
				let mut working = BTreeSet::new();
				for place in &planned.plan.stages {
					prop_assert_eq!(place.layers.first, next);
					prop_assert!(place.layers.end > next);
					next = place.layers.end;
					prop_assert!(held(of(&place.node), &place.layers));
					prop_assert!(working.insert(place.node.clone()), "twice");
				}
				prop_assert_eq!(next, demand.layers);
				let ends = (planned.plan.stages.first().unwrap(), planned.plan.stages.last().unwrap());
				prop_assert!(demand.first.as_ref().is_none_or(|first| *first == ends.0.node));
				prop_assert!(demand.last.as_ref().is_none_or(|last| *last == ends.1.node));
				prop_assert!(!demand.whole_model || planned.plan.stages.len() == 1);
				prop_assert_eq!(planned.plan.standbys.len(), planned.plan.stages.len());
				let mut seen = working.clone();
				for (stage, standbys) in planned.plan.stages.iter().zip(&planned.plan.standbys) {
					prop_assert!(standbys.len() <= STANDBYS);
					for standby in standbys {
						prop_assert_eq!(standby.layers, stage.layers);
						prop_assert!(held(of(&standby.node), &stage.layers));
						prop_assert!(!working.contains(&standby.node));
						seen.insert(standby.node.clone());
					}
				}
				for place in planned.plan.stages.iter().chain(planned.plan.standbys.iter().flatten()) {
					let worker = of(&place.node);
					prop_assert!(worker.active && worker.minimum_stake_met && worker.load < 1.0);
					prop_assert!(planned.plan.stages.len() == 1 || worker.room >= demand.at_stake);
				}
				let passed = reasons(&planned.passed);
				for candidate in &candidates {
					let used = seen.contains(&candidate.account);
					prop_assert_ne!(used, passed.contains_key(&candidate.account));
				}
			}
			Err(none) => {
				prop_assert_eq!(reasons(&none.passed).len(), candidates.len());
				prop_assert!(!none.uncovered.is_empty());
				let because = |passed: &PassedOver| matches!(passed.reason, Reason::NoRoom { .. });
				prop_assert!(!none.no_room || none.passed.iter().any(because));
				prop_assert!(demand.at_stake > 0 || !none.passed.iter().any(because));
			}
		}
	}

	#[test]
	fn plans_should_not_depend_on_the_order_of_adverts((mut candidates, demand) in any_case()) {
		let show = |result: Result<Planned, NoPlan>| match result {
			Ok(planned) => (planned.plan.stages, planned.plan.standbys, reasons(&planned.passed), None),
			Err(none) => (Vec::new(), Vec::new(), reasons(&none.passed), Some(none.uncovered)),
		};
		let before = show(plan(&candidates, &demand));
		candidates.reverse();
		prop_assert_eq!(before, show(plan(&candidates, &demand)));
	}

	#[test]
	fn a_plan_should_be_found_wherever_there_is_one((candidates, demand) in any_case()) {
		// With one range a worker, reaching as far as possible again and again finds out.
		let demand = Demand { whole_model: false, first: None, last: None, at_stake: 0, ..demand };
		let single: Vec<Candidate> = candidates
			.into_iter()
			.map(|mut candidate| {
				candidate.layers.truncate(1);
				candidate
			})
			.collect();
		let fit = single.iter().filter(|c| c.active && c.minimum_stake_met && c.load < 1.0);
		let runs: Vec<LayerRange> = fit.map(|candidate| candidate.layers[0]).collect();
		let mut reached = 0;
		while reached < demand.layers {
			let further = runs.iter().filter(|run| run.first <= reached).map(|run| run.end).max();
			match further.filter(|end| *end > reached) {
				Some(end) => reached = end,
				None => break,
			}
		}
		prop_assert_eq!(plan(&single, &demand).is_ok(), reached >= demand.layers);
	}
}
