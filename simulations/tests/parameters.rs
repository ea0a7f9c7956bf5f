//! The simulation's numbers are the runtime's, and its glue between the functions of aria-math is the
//! pallets'.

#![allow(clippy::unwrap_used)]

use aria_runtime::{genesis, parameters as runtime};
use aria_simulations::economics::{
	chain::{record_bytes, supported_work},
	Parameters,
};
use pallet_reward_distributor::Terms;
use proptest::prelude::*;

#[test]
fn every_parameter_should_be_the_runtimes() {
	let slots = genesis::EPOCH_SLOTS;
	let (blocks, of_slots) = genesis::LIVE_EPOCH_CONFIG.c;
	let of_runtime = Parameters {
		schedule: runtime::Schedule::get(),
		era_blocks: runtime::EraLength::get(),
		author_share_ppm: runtime::AuthorShare::get(),
		beta_ppm: runtime::Beta::get(),
		rate_cap: runtime::RateCap::get(),
		dilution: runtime::Dilution::get(),
		latency_target_ms: runtime::LatencyTarget::get(),
		split: runtime::Split::get().weights(),
		byte_fee: runtime::ByteFee::get(),
		free_from: runtime::FreeFrom::get(),
		most_token_price: runtime::MaxTokenPrice::get(),
		epoch_records: runtime::records_per_epoch(slots),
		epoch_blocks: u32::try_from(slots * blocks / of_slots).unwrap(),
		worker_stake: runtime::WorkerTargetStake::get(),
		gateway_stake: runtime::GatewayStake::get(),
		validator_stake: runtime::ValidatorMinimumStake::get(),
	};
	assert_eq!(
		Parameters::default(),
		of_runtime,
		"change `Parameters::default`, and run `make economics`"
	);
}

#[test]
fn a_record_should_have_the_markets_bytes() {
	for stages in 0..=32 {
		assert_eq!(record_bytes(stages), pallet_inference_market::record_bytes(stages));
	}
}

proptest! {
	#![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

	#[test]
	fn supported_work_should_be_the_reward_distributors(
		burnt in any::<u128>(),
		shift in 0_u32..128,
		beta_ppm in 0_u32..=1_000_000,
		rate_cap in 0_u128..1_000_000_000_000_000_000,
		dilution in any::<u32>(),
	) {
		let parameters = Parameters { beta_ppm, rate_cap, dilution, ..Parameters::default() };
		let terms = Terms { beta_ppm, rate_cap, dilution, ..Terms::default() };
		let burnt = burnt >> shift;
		prop_assert_eq!(supported_work(burnt, &parameters), terms.supported_work(burnt));
	}
}
