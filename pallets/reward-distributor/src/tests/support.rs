//! Work counts as far as the fees burnt on it support it.

use super::*;
use crate::ModelEnergy;

/// 100 planck a unit of weighted work.
const CAP: u128 = 100 * 1_000_000_000_000;

/// A first era in which a burnt planck supports 0.9 × 16 / 100 units of work.
fn begin() {
	RateCap::set(CAP);
	Dilution::set(16);
	run_to(1);
}

#[test]
fn work_should_count_in_full_when_its_burnt_fees_support_it() {
	build_and_execute(|| {
		begin();
		note(WorkNote { burnt: 10_000, ..stage(alice(), 1_440) });

		let line = line(0, &alice());
		assert_eq!((line.work, line.energy_mj(), line.records), (1_440, 1_000, 1));
	});
}

#[test]
fn work_should_count_in_part_when_its_burnt_fees_support_no_more() {
	build_and_execute(|| {
		begin();
		note(WorkNote { burnt: 10_000, ..stage(alice(), 5_000) });

		let line = line(0, &alice());
		assert_eq!((line.work, line.records, line.burnt), (1_440, 1, 10_000));
		// The same part of the energy: 1,440 of 5,000.
		assert_eq!(line.energy_nj, 288_000_000);
		assert_eq!(line.latency_ms(), 200);
		assert_eq!(era_info(0).total_work, 1_440);
		let explanation = RewardDistributor::explain(0, alice()).unwrap();
		assert_eq!((explanation.work, explanation.energy_mj), (1_440, 288));
		settle(0);
		assert_paid_as_recomputed(0);
	});
}

#[test]
fn work_should_leave_no_trace_when_next_to_nothing_is_burnt_on_it() {
	build_and_execute(|| {
		begin();
		assert_state_unchanged(|| {
			// Seven planck support 0.96 units: none.
			for burnt in 0..8 {
				note(WorkNote { burnt, ..stage(alice(), u128::MAX) });
			}
		});
		assert_eq!(era_info(0).workers, 0);

		note(WorkNote { burnt: 8, ..stage(alice(), u128::MAX) });
		assert_eq!(line(0, &alice()).work, 1);
	});
}

#[test]
fn reward_should_stay_when_others_work_without_burning() {
	build_and_execute(|| {
		begin();
		note(stage(alice(), 50_000));
		for number in 10..20 {
			note(WorkNote { burnt: 0, ..stage(account(number), 1_000_000_000_000) });
		}
		note(WorkNote { burnt: 1_000, ..stage(bob(), 1_000_000_000_000) });

		settle(0);

		// The cap binds as if she had been alone.
		assert_eq!(balance(&alice()), 5_000_000);
		assert_eq!((line(0, &bob()).work, balance(&bob())), (144, 900));
		assert_eq!(era_info(0).workers, 2);
		assert_paid_as_recomputed(0);
	});
}

#[test]
fn base_rate_should_fall_to_a_sixteenth_of_the_cap_when_the_pool_over_beta_is_burnt() {
	build_and_execute(|| {
		begin();
		note(WorkNote { burnt: 10_000_000, ..stage(alice(), u128::MAX) });

		settle(0);

		assert_eq!(RewardDistributor::base_rate(0), Some(CAP / 16));
		assert_eq!(balance(&alice()), 9_000_000);
	});
}

#[test]
fn efficiency_should_be_the_same_when_only_a_part_of_the_work_counts() {
	build_and_execute(|| {
		begin();
		note(WorkNote { energy_mj: 100_000, ..stage(account(1), 1_000) });
		note(WorkNote { energy_mj: 300_000, ..stage(account(2), 1_000) });
		run_to(11);
		for (worker, burnt) in [(11, 1_000_000), (12, 1_000)] {
			note(WorkNote { energy_mj: 250_000, burnt, ..stage(account(worker), 1_000) });
		}

		let explain = |worker| RewardDistributor::explain(1, account(worker)).unwrap();
		let (whole, part) = (explain(11), explain(12));
		assert_eq!((whole.work, part.work), (1_000, 144));
		assert_eq!((whole.expected_energy_mj, part.expected_energy_mj), (200_000, 28_800));
		assert_eq!((whole.energy_mj, part.energy_mj), (250_000, 36_000));
		assert_eq!((whole.efficiency_ppm, part.efficiency_ppm), (800_000, 800_000));
	});
}

#[test]
fn averages_should_count_energy_only_of_supported_work() {
	build_and_execute(|| {
		begin();
		note(WorkNote { energy_mj: 100_000, ..stage(alice(), 1_000) });
		// Who burns nothing makes nobody look wasteful.
		note(WorkNote { energy_mj: 1, burnt: 0, ..stage(bob(), 1_000_000_000) });
		let used = ModelUse { energy_nj: 100_000_000_000, work: 1_000 };
		assert_eq!(ModelEnergy::<Test>::get(0, model()), used);

		note(WorkNote { energy_mj: 2_000_000, burnt: 10_000, ..stage(bob(), 10_000) });
		let used = ModelUse { energy_nj: 388_000_000_000, work: 2_440 };
		assert_eq!(ModelEnergy::<Test>::get(0, model()), used);
	});
}

#[test]
fn support_should_go_by_the_terms_of_the_era_when_parameters_change_within_it() {
	build_and_execute(|| {
		begin();
		Dilution::set(1);
		note(WorkNote { burnt: 10_000, ..stage(alice(), 5_000) });
		assert_eq!(line(0, &alice()).work, 1_440);

		run_to(11);
		note(WorkNote { burnt: 10_000, ..stage(alice(), 5_000) });
		assert_eq!(line(1, &alice()).work, 90);
	});
}

#[test]
fn support_should_saturate_when_figures_are_absurd() {
	let terms = Terms { beta_ppm: 900_000, rate_cap: 1, dilution: u32::MAX, ..Default::default() };
	assert_eq!(terms.supported_work(0), 0);
	assert_eq!(terms.supported_work(Balance::MAX), u128::MAX);
	// Without a rate nothing is ever earned.
	assert_eq!(Terms { rate_cap: 0, ..terms }.supported_work(Balance::MAX), 0);
	let highest = Terms { rate_cap: u128::MAX, ..terms };
	assert_eq!(highest.supported_work(1_000_000), 0);

	let absurd = WorkNote { energy_mj: u64::MAX, burnt: 2, ..stage(alice(), u128::MAX) };
	let counted = Counted::of(&absurd, &Terms { dilution: 1, ..terms });
	assert_eq!(counted, Counted { work: 1_000_000_000_000, energy_nj: 1 });
}

#[test]
fn the_lottery_should_hear_of_the_work_that_counts() {
	build_and_execute(|| {
		begin();
		note(WorkNote { burnt: 10_000, ..stage(alice(), 5_000) });
		note(WorkNote { burnt: 10_000, ..stage(alice(), 60) });
		note(WorkNote { burnt: 7, ..stage(bob(), 5_000) });

		assert_eq!(LotteryNotes::get(), BTreeMap::from([(alice(), 1_500)]));
	});
}
