use super::*;
use crate::{Authored, Event};

fn author_blocks(author: u32, blocks: u32) {
	for _ in 0..blocks {
		RewardDistributor::note_author(account(author));
	}
}

#[test]
fn authors_should_share_their_pool_when_they_authored_blocks() {
	build_and_execute(|| {
		run_to(1);
		author_blocks(1, 3);
		author_blocks(2, 1);
		assert_eq!(Authored::<Test>::get(0, account(1)), 3);
		assert_eq!(era_info(0).authored, 4);

		settle(0);

		assert_eq!(balance(&account(1)), 750_000);
		assert_eq!(balance(&account(2)), 250_000);
		assert_eq!((era_info(0).paid_authors, era_info(0).paid_workers), (1_000_000, 0));
		System::assert_has_event(
			Event::<Test>::AuthorPaid { era: 0, author: account(1), amount: 750_000 }.into(),
		);
	});
}

#[test]
fn rest_should_not_be_minted_when_the_pool_does_not_divide() {
	build_and_execute(|| {
		run_to(1);
		for author in 1..=3 {
			author_blocks(author, 1);
		}

		settle(0);

		assert_eq!(Balances::total_issuance(), 999_999);
		System::assert_has_event(
			Event::<Test>::EraSettled { era: 0, workers: 0, paid: 999_999, unminted: 9_000_001 }
				.into(),
		);
	});
}

#[test]
fn authors_should_be_paid_over_several_blocks_when_they_are_many() {
	build_and_execute(|| {
		MaxWorkersPerBlock::set(2);
		run_to(1);
		for author in 1..=5 {
			author_blocks(author, 1);
		}
		note(stage(account(9), 1_000));
		run_to(20);

		let paid = || (1..=5).filter(|author| balance(&account(*author)) > 0).count();
		let mut blocks = 0;
		while era_info(0).state != EraState::Settled {
			let before = paid();
			begin_block(System::block_number() + 1);
			assert!(paid() - before <= 2);
			blocks += 1;
		}

		// The line and one author, two authors, two authors, the worker.
		assert_eq!(blocks, 4);
		for author in 1..=5 {
			assert_eq!(balance(&account(author)), 200_000);
		}
		assert_eq!(balance(&account(9)), 9_000_000);
	});
}

#[test]
fn author_should_wait_when_its_part_is_below_the_existential_deposit() {
	build_and_execute(|| {
		AuthorShare::set(10);
		run_to(1);
		author_blocks(1, 1);
		author_blocks(2, 1);

		settle(0);

		assert_eq!(RewardDistributor::unclaimed(account(1)), 50);
		System::assert_has_event(
			Event::<Test>::RewardDeferred { era: 0, account: account(2), amount: 50 }.into(),
		);
	});
}
