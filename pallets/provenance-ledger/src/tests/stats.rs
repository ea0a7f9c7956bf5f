//! Sums over all records.

use crate::{
	mock::{build_and_execute, entry, id, next_block, stage, Ledger},
	stats,
};
use aria_primitives::{record::EnergySource, traits::Ledger as _, views::NetworkStats};
use frame_support::assert_ok;
use sp_runtime::BoundedVec;

#[test]
fn stats_should_count_new_tokens_and_measured_energy() {
	build_and_execute(|| {
		assert_eq!(Ledger::stats(), NetworkStats::default());
		assert_ok!(Ledger::insert(id(1), entry(1)));
		next_block();
		assert_ok!(Ledger::insert(id(2), entry(2)));
		assert_eq!(
			Ledger::stats(),
			NetworkStats {
				inferences: 2,
				prompt_tokens: 120,
				output_tokens: 40,
				measured_mj: 20,
				estimated_mj: 0,
				measured_output_tokens: 40,
			}
		);
	});
}

#[test]
fn stats_should_tell_sources_apart_stage_by_stage() {
	build_and_execute(|| {
		let mut mixed = entry(1);
		mixed.body.stages = BoundedVec::try_from(vec![
			stage(1, EnergySource::Rapl),
			stage(20, EnergySource::Estimate),
			stage(300, EnergySource::Powermetrics),
			stage(4_000, EnergySource::Meter),
		])
		.unwrap();
		mixed.signed_stages = 0b1111;
		assert_ok!(Ledger::insert(id(1), mixed));
		let stats = Ledger::stats();
		assert_eq!((stats.measured_mj, stats.estimated_mj), (4_301, 20));
		// One estimate among its stages, and the record's tokens are no measured tokens.
		assert_eq!((stats.output_tokens, stats.measured_output_tokens), (20, 0));
	});
}

#[test]
fn stats_should_take_a_figure_for_an_estimate_when_its_stage_did_not_sign() {
	build_and_execute(|| {
		let mut half_signed = entry(1);
		half_signed.body.stages =
			BoundedVec::try_from(vec![stage(1, EnergySource::Rapl), stage(20, EnergySource::Rapl)])
				.unwrap();
		half_signed.signed_stages = 0b01;
		assert_ok!(Ledger::insert(id(1), half_signed));
		let stats = Ledger::stats();
		assert_eq!((stats.measured_mj, stats.estimated_mj), (1, 20));
		assert_eq!(stats.measured_output_tokens, 0);
	});
}

#[test]
fn add_should_count_no_measured_token_when_there_is_no_stage() {
	let mut bare = entry(1);
	bare.body.stages = BoundedVec::new();
	let mut sums = NetworkStats::default();
	stats::add(&mut sums, &bare);
	assert_eq!(sums.inferences, 1);
	assert_eq!(sums.output_tokens, 20);
	assert_eq!(sums.measured_output_tokens, 0);
}

#[test]
fn add_should_saturate_when_sums_reach_their_limit() {
	let mut cached = entry(1);
	// More cached than prompt tokens is nonsense that the market refuses; here it counts 0.
	cached.body.cached_tokens = u32::MAX;
	let full = NetworkStats {
		inferences: u64::MAX,
		prompt_tokens: u64::MAX,
		output_tokens: u64::MAX,
		measured_mj: u128::MAX,
		estimated_mj: u128::MAX,
		measured_output_tokens: u64::MAX,
	};
	let mut sums = full;
	stats::add(&mut sums, &cached);
	assert_eq!(sums, full);

	let mut sums = NetworkStats::default();
	stats::add(&mut sums, &cached);
	assert_eq!(sums.prompt_tokens, 0);
}
