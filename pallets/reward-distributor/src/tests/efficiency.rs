use super::*;

/// A first era in which the model took 200 mJ for 1,000 units of work, and the second era open.
fn with_average() {
	run_to(1);
	note(WorkNote { energy_mj: 100, ..stage(account(1), 1_000) });
	note(WorkNote { energy_mj: 300, ..stage(account(2), 1_000) });
	run_to(11);
}

fn efficiency_of(worker: u32, energy_mj: u64, energy_source: EnergySource) -> u32 {
	note(WorkNote { energy_mj, energy_source, ..stage(account(worker), 1_000) });
	RewardDistributor::explain(1, account(worker)).unwrap().efficiency_ppm
}

#[test]
fn efficiency_should_be_one_when_no_average_is_known() {
	build_and_execute(|| {
		run_to(1);
		note(WorkNote { energy_mj: 1, ..stage(account(1), 1_000) });
		note(WorkNote { energy_mj: 1_000_000, ..stage(account(2), 1_000) });

		settle(0);

		assert_eq!(balance(&account(1)), balance(&account(2)));
		assert_eq!(line(0, &account(2)).factors.unwrap().efficiency_ppm, 1_000_000);
	});
}

#[test]
fn efficiency_should_stop_at_the_ceiling_of_the_source_when_little_is_used() {
	build_and_execute(|| {
		with_average();
		RegisteredMeters::set(vec![account(15)]);

		assert_eq!(efficiency_of(11, 100, EnergySource::Estimate), 1_000_000);
		assert_eq!(efficiency_of(12, 100, EnergySource::Rapl), 1_100_000);
		assert_eq!(efficiency_of(13, 100, EnergySource::Powermetrics), 1_100_000);
		assert_eq!(efficiency_of(14, 100, EnergySource::Meter), 1_100_000);
		assert_eq!(efficiency_of(15, 100, EnergySource::Meter), 2_000_000);
		settle(1);
		assert_paid_as_recomputed(1);
	});
}

#[test]
fn efficiency_should_follow_the_average_when_it_is_between_the_bounds() {
	build_and_execute(|| {
		with_average();
		RegisteredMeters::set(vec![account(11), account(12), account(13)]);

		assert_eq!(efficiency_of(11, 160, EnergySource::Meter), 1_250_000);
		assert_eq!(efficiency_of(12, 200, EnergySource::Meter), 1_000_000);
		assert_eq!(efficiency_of(13, 250, EnergySource::Meter), 800_000);
	});
}

#[test]
fn efficiency_should_be_one_half_when_much_is_used_or_nothing_is_claimed() {
	build_and_execute(|| {
		with_average();

		assert_eq!(efficiency_of(11, 400, EnergySource::Rapl), 500_000);
		assert_eq!(efficiency_of(12, 800_000, EnergySource::Rapl), 500_000);
		assert_eq!(efficiency_of(13, 0, EnergySource::Rapl), 500_000);
	});
}

#[test]
fn ceiling_should_be_the_lowest_when_sources_are_mixed() {
	build_and_execute(|| {
		with_average();
		RegisteredMeters::set(vec![account(11)]);

		assert_eq!(efficiency_of(11, 50, EnergySource::Meter), 2_000_000);
		assert_eq!(efficiency_of(11, 50, EnergySource::Rapl), 1_100_000);
		assert_eq!(efficiency_of(11, 50, EnergySource::Estimate), 1_000_000);
		assert_eq!(efficiency_of(11, 50, EnergySource::Meter), 1_000_000);
		assert_eq!(line(1, &account(11)).ceiling_ppm, 1_000_000);
	});
}

#[test]
fn expected_energy_should_add_up_when_works_are_small() {
	build_and_execute(|| {
		with_average();

		// A fifth of a millijoule each.
		for _ in 0..11 {
			note(WorkNote { energy_mj: 1, ..stage(account(11), 1) });
		}

		let line = line(1, &account(11));
		assert_eq!(line.expected_energy_nj, 2_200_000);
		assert_eq!(line.expected_energy_mj(), 3);
		assert_eq!(line.energy_mj(), 11);
	});
}

#[test]
fn averages_should_be_kept_apart_when_models_differ() {
	build_and_execute(|| {
		let large = ModelId::repeat_byte(8);
		run_to(1);
		note(WorkNote { energy_mj: 100, ..stage(account(1), 1_000) });
		note(WorkNote { energy_mj: 5_000, model: large, ..stage(account(1), 1_000) });
		run_to(11);
		note(WorkNote { energy_mj: 100, ..stage(account(11), 1_000) });
		note(WorkNote { energy_mj: 6_000, model: large, ..stage(account(11), 1_000) });
		// Nobody ran this one before.
		note(WorkNote { energy_mj: 7, model: ModelId::zero(), ..stage(account(11), 1_000) });

		let line = line(1, &account(11));

		assert_eq!(line.expected_energy_mj(), 100 + 5_000 + 7);
		assert_eq!(line.energy_mj(), 100 + 6_000 + 7);
	});
}

#[test]
fn average_should_be_forgotten_when_an_era_goes_by_without_the_model() {
	build_and_execute(|| {
		with_average();
		run_to(21);

		note(WorkNote { energy_mj: 900, ..stage(account(11), 1_000) });

		assert_eq!(line(2, &account(11)).expected_energy_mj(), 900);
	});
}
