use super::*;
use crate::{CurrentEra, Event};
use aria_math::emission::EmissionSchedule;

#[test]
fn first_era_should_begin_when_the_first_block_does() {
	build_and_execute(|| {
		assert_eq!(CurrentEra::<Test>::get(), None);
		assert_eq!(RewardDistributor::current_era(), 0);

		run_to(1);

		assert_eq!(CurrentEra::<Test>::get(), Some(EraPosition { index: 0, start: 1 }));
		System::assert_last_event(Event::<Test>::EraStarted { era: 0, pool: 10_000_000 }.into());
		let info = RewardDistributor::era(0).unwrap();
		assert_eq!((info.worker_pool, info.author_pool), (9_000_000, 1_000_000));
		assert_eq!(RewardDistributor::pool(0), Some(9_000_000));
		assert_eq!(RewardDistributor::base_rate(0), None);
		assert_eq!(RewardDistributor::pool(1), None);
	});
}

#[test]
fn era_should_end_when_its_length_is_reached() {
	build_and_execute(|| {
		run_to(10);
		assert_eq!(RewardDistributor::current_era(), 0);

		run_to(11);

		assert_eq!(<RewardDistributor as WorkSink>::current_era(), 1);
		assert_eq!(era_info(0).end, Some(11));
		assert_eq!(era_info(0).state, EraState::Closed);
		assert_eq!(era_info(1).start, 11);
		System::assert_has_event(Event::<Test>::EraEnded { era: 0, pool: 10_000_000 }.into());
		System::assert_has_event(Event::<Test>::EraStarted { era: 1, pool: 10_000_000 }.into());
	});
}

#[test]
fn pool_should_cover_the_blocks_between_when_blocks_are_skipped() {
	build_and_execute(|| {
		begin_block(1);
		note(stage(alice(), 1_000));

		begin_block(35);

		assert_eq!(era_info(0).end, Some(35));
		assert_eq!(era_info(0).pool(), 34_000_000);
		assert_eq!(era_info(1).start, 35);
		settle(0);
		assert_eq!(balance(&alice()), 34_000_000 * 9 / 10);
	});
}

#[test]
fn pool_should_follow_the_schedule_when_it_halves_within_an_era() {
	build_and_execute(|| {
		Schedule::set(EmissionSchedule { initial: 1_000_000, interval: 5 });

		run_to(11);

		// Four blocks at the full rate, five at half of it, one at a quarter.
		assert_eq!(era_info(0).pool(), 4_000_000 + 2_500_000 + 250_000);
		System::assert_has_event(Event::<Test>::EraEnded { era: 0, pool: 6_750_000 }.into());
	});
}

#[test]
fn pools_should_add_up_to_the_emission_when_eras_follow_one_another() {
	build_and_execute(|| {
		Schedule::set(EmissionSchedule { initial: 999_999, interval: 17 });
		AuthorShare::set(333_333);
		EraLength::set(7);

		run_to(100);

		let current = RewardDistributor::current_era();
		let pools: Balance = (0..current).map(|era| era_info(era).pool()).sum();
		let emission = Schedule::get().emission_between(1, era_info(current).start.into());
		assert_eq!(pools, emission);
	});
}

#[test]
fn work_should_count_in_the_era_in_which_it_is_noted() {
	build_and_execute(|| {
		run_to(10);
		note(stage(alice(), 1_000));
		run_to(11);
		note(stage(alice(), 2_000));
		note(stage(bob(), 500));

		assert_eq!(line(0, &alice()).work, 1_000);
		assert_eq!(line(1, &alice()).work, 2_000);
		assert_eq!((era_info(0).workers, era_info(0).total_work), (1, 1_000));
		assert_eq!((era_info(1).workers, era_info(1).total_work), (2, 2_500));
	});
}

#[test]
fn era_should_begin_at_the_first_block_seen_when_the_chain_is_older() {
	build_and_execute(|| {
		begin_block(500);

		assert_eq!(CurrentEra::<Test>::get(), Some(EraPosition { index: 0, start: 500 }));
	});
}
