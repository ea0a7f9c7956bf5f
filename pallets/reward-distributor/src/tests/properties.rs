//! Random eras: what is paid can be recomputed, and nothing is created beyond the schedule.

use super::*;
use crate::{TotalMinted, TotalUnclaimed};
use aria_math::emission::EmissionSchedule;
use proptest::prelude::*;

fn any_source() -> impl Strategy<Value = EnergySource> {
	prop_oneof![
		Just(EnergySource::Estimate),
		Just(EnergySource::Rapl),
		Just(EnergySource::Powermetrics),
		Just(EnergySource::Meter),
	]
}

fn any_stage() -> impl Strategy<Value = WorkNote> {
	(
		0..12_u32,
		0..4_u8,
		0..1_000_000_000_u64,
		0..100_000_u64,
		any_source(),
		0..30_000_000_u64,
		0..2_000_u32,
	)
		.prop_map(
			|(worker, model, work, energy_mj, energy_source, burnt, latency_ms_per_token)| {
				WorkNote {
					worker: account(worker),
					model: ModelId::repeat_byte(model),
					work: work.into(),
					energy_mj,
					energy_source,
					burnt: burnt.into(),
					latency_ms_per_token,
				}
			},
		)
}

fn any_parts() -> impl Strategy<Value = BTreeMap<AccountId, u32>> {
	proptest::collection::btree_map((0..12_u32).prop_map(account), 0..=1_000_000_u32, 0..12)
}

proptest! {
	#![proptest_config(ProptestConfig::with_cases(48))]

	#[test]
	fn payments_should_be_those_recomputed_when_eras_are_random(
		eras in proptest::collection::vec(proptest::collection::vec(any_stage(), 0..25), 1..4),
		authors in proptest::collection::vec(0..20_u32, 0..10),
		uptimes in any_parts(),
		pass_rates in any_parts(),
		meters in proptest::collection::vec((0..12_u32).prop_map(account), 0..6),
		limit in 1..20_u32,
		interval in 1..40_u64,
		rate_cap in prop_oneof![
			Just(10_000_000_000_000_000_000_u128),
			(1..100_000_000_000_u64).prop_map(u128::from),
		],
		dilution in prop_oneof![Just(u32::MAX), 1..64_u32],
	) {
		build_and_execute(|| {
			HistoryEras::set(1_000);
			MaxWorkersPerBlock::set(limit);
			Schedule::set(EmissionSchedule { initial: BLOCK_EMISSION, interval });
			RateCap::set(rate_cap);
			Dilution::set(dilution);
			Uptimes::set(uptimes.clone());
			PassRates::set(pass_rates.clone());
			RegisteredMeters::set(meters.clone());

			let count = eras.len() as EraIndex;
			for (era, stages) in (0..count).zip(eras.clone()) {
				run_to(era * 10 + 1);
				stages.into_iter().for_each(note);
				authors.iter().for_each(|author| {
					RewardDistributor::note_author(account(100 + author))
				});
			}
			for era in 0..count {
				settle(era);
			}

			let mut paid = 0;
			for era in 0..count {
				assert_paid_as_recomputed(era);
				let info = era_info(era);
				assert!(info.paid() <= info.pool());
				paid += info.paid();
				for (worker, line) in Lines::<Test>::iter_prefix(era) {
					let explanation = RewardDistributor::explain(era, worker).unwrap();
					assert!(explanation.settled);
					assert_eq!(explanation.payout, line.payout.map_or(0, |payout| payout.amount));
					assert!(explanation.payout <= explanation.by_rate);
					assert!(explanation.payout <= explanation.burn_bound);
					assert!(explanation.payout == 0 || explanation.payout < line.burnt);
				}
			}
			// Later eras had neither work nor authors.
			assert_eq!(TotalMinted::<Test>::get() + TotalUnclaimed::<Test>::get(), paid);
			assert_eq!(Balances::total_issuance(), TotalMinted::<Test>::get());
			let emitted = Schedule::get().total_emission_until(System::block_number().into());
			assert!(paid <= emitted);
		});
	}
}
