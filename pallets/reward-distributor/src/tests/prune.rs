use super::*;
use crate::{Authored, Event, ModelEnergy};

fn entries(era: EraIndex) -> usize {
	Lines::<Test>::iter_prefix(era).count()
		+ Authored::<Test>::iter_prefix(era).count()
		+ ModelEnergy::<Test>::iter_prefix(era).count()
}

#[test]
fn lines_should_be_removed_when_their_history_is_over() {
	build_and_execute(|| {
		run_to(1);
		note(stage(alice(), 1_000));
		RewardDistributor::note_author(bob());

		// Era 2 is settled in block 41: then two later ones are.
		run_to(41);
		assert_eq!(entries(0), 3);
		assert!(RewardDistributor::explain(0, alice()).is_some());
		run_to(42);

		assert_eq!(entries(0), 0);
		assert_eq!(RewardDistributor::explain(0, alice()), None);
		assert_eq!(era_info(0).paid_workers, 9_000_000);
		System::assert_has_event(Event::<Test>::EraPruned { era: 0 }.into());
	});
}

#[test]
fn lines_should_be_removed_over_several_blocks_when_they_are_many() {
	build_and_execute(|| {
		const LIMIT: u32 = 4;
		MaxWorkersPerBlock::set(LIMIT);
		run_to(1);
		for number in 0..10 {
			note(stage(account(number), 1_000));
			RewardDistributor::note_author(account(number));
		}
		run_to(41);
		assert_eq!(entries(0), 21);

		let mut blocks = 0;
		while entries(0) > 0 {
			let before = entries(0);
			run_to(System::block_number() + 1);
			assert!(before - entries(0) <= LIMIT as usize);
			blocks += 1;
		}

		assert_eq!(blocks, 6);
	});
}
