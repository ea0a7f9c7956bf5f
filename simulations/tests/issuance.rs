//! Forty years of issuance: never more than the schedule, halvings included.

#![allow(clippy::unwrap_used)]

use aria_math::{
	emission::{EmissionSchedule, CAP, HALVING_INTERVAL, INITIAL_BLOCK_EMISSION},
	Balance, ARIA,
};
use aria_simulations::economics::{
	chain::Pools, parameters::YEAR_BLOCKS, simulation::Simulation, Parameters, Scenario, Setting,
};
use proptest::prelude::*;

const YEARS: u32 = 40;

/// Emission of the blocks from 1 up to, and without, `end`: blocks between two halvings are counted,
/// and multiplied with what each of them emits.
fn by_halvings(initial: Balance, interval: u64, end: u64) -> Balance {
	(0..128_u64)
		.map(|halving| {
			let first = halving.saturating_mul(interval).max(1);
			let last = (halving + 1).saturating_mul(interval).min(end);
			Balance::from(last.saturating_sub(first)) * (initial >> halving)
		})
		.sum()
}

#[test]
fn a_halving_should_come_every_four_years() {
	assert_eq!(HALVING_INTERVAL, 4 * YEAR_BLOCKS);
}

#[test]
fn pools_of_forty_years_should_be_the_schedule_and_stay_below_the_cap() {
	let parameters = Parameters::default();
	let length = u64::from(parameters.era_blocks);
	let eras = parameters.eras(YEARS);
	assert_eq!(eras, 58_440);
	let mut issued: Balance = 0;
	let mut before = Balance::MAX;
	let mut halved = 0;
	for era in 0..eras {
		let start = 1 + era * length;
		let end = start + length;
		let pools = Pools::of(&parameters.schedule, start, end, parameters.author_share_ppm);
		assert!(pools.total() <= before, "no era emits more than the one before");
		halved += u32::from(pools.total() < before && era > 0);
		before = pools.total();
		issued += pools.total();
		assert_eq!(issued, by_halvings(INITIAL_BLOCK_EMISSION, HALVING_INTERVAL, end));
		assert!(issued < CAP);
	}
	// Eras begin at block 1: each halving falls on an era's last block, the tenth one included, so that
	// an era emits less twice, once by that block and once by all the others.
	assert_eq!(halved, 19);
	// Ten halvings leave a part of 2^-10 to come.
	let rest = CAP - issued;
	assert!(rest > CAP >> 11 && rest < CAP >> 9, "{rest}");
}

#[test]
fn an_era_with_a_halving_in_it_should_emit_by_the_block() {
	let schedule = EmissionSchedule::DEFAULT;
	let start = HALVING_INTERVAL - 3_599;
	let pools = Pools::of(&schedule, start, start + 3_600, 200_000);
	assert_eq!(pools.total(), 3_599 * (ARIA / 2) + ARIA / 4);
	assert_eq!(pools.authors, pools.total() / 5);
}

#[test]
fn a_network_should_never_mint_more_than_the_schedule_in_forty_years() {
	for scenario in Scenario::ALL {
		let setting = Setting::new(scenario);
		let mut simulation = Simulation::new(setting, 1).unwrap();
		let genesis = setting.assumptions.genesis;
		for _ in 0..setting.parameters.eras(YEARS) {
			let era = simulation.step().unwrap();
			let scheduled = by_halvings(INITIAL_BLOCK_EMISSION, HALVING_INTERVAL, era.end);
			assert!(era.minted() <= era.scheduled, "era {}", era.index);
			assert!(simulation.ledger().minted() <= scheduled);
			assert!(era.supply <= genesis + scheduled);
			assert!(era.supply < genesis + CAP);
		}
		assert!(simulation.ledger().minted() > 0);
	}
}

proptest! {
	#![proptest_config(ProptestConfig {
		cases: 64,
		failure_persistence: None,
		..ProptestConfig::default()
	})]

	#[test]
	fn eras_of_any_length_should_emit_the_schedule_without_rest(
		initial in 0_u128..1_000_000_000_000_000,
		interval in 1_u64..100_000,
		lengths in prop::collection::vec(1_u64..50_000, 1..60),
		author_share_ppm in 0_u32..=1_000_000,
	) {
		let schedule = EmissionSchedule { initial, interval };
		let (mut start, mut issued) = (1, 0);
		for length in lengths {
			let end = start + length;
			let pools = Pools::of(&schedule, start, end, author_share_ppm);
			issued += pools.workers + pools.authors;
			start = end;
		}
		prop_assert_eq!(issued, by_halvings(initial, interval, start));
		prop_assert!(issued <= schedule.cap());
	}
}
