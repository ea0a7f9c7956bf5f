//! Records leave the state.

use crate::{
	mock::{
		assert_state_unchanged, build_and_execute, entry, id, new_test_ext, next_block,
		output_hash, query_hash, Forgotten, Ledger, Needed, System, Test, Window, MAX_PRUNED,
		MAX_RECORDS,
	},
	ByOutput, ByQuery, Event, Oldest, OldestRecord, PrunedStats, Records, RecordsTotal, SettledIn,
	Stats, WeightInfo,
};
use aria_primitives::{traits::Ledger as _, views::NetworkStats, BlockNumber};
use frame_support::{assert_ok, traits::Hooks, weights::Weight};

/// As many records as are given, in this block.
fn settle(numbers: impl IntoIterator<Item = u32>) {
	for n in numbers {
		assert_ok!(Ledger::insert(id(n), entry(n)));
	}
}

/// Makes blocks until this one has begun.
fn go_to(block: BlockNumber) {
	while System::block_number() < block {
		next_block();
	}
}

/// What is left of the block is for the ledger; returns how much of it is taken.
fn idle() -> Weight {
	Ledger::on_idle(System::block_number(), Weight::MAX)
}

fn is_there(n: u32) -> bool {
	let there = Records::<Test>::contains_key(id(n));
	assert_eq!(ByOutput::<Test>::contains_key(output_hash(n), id(n)), there);
	assert_eq!(ByQuery::<Test>::contains_key(query_hash(n), id(n)), there);
	there
}

#[test]
fn record_should_stay_through_its_window_and_leave_behind_it() {
	build_and_execute(|| {
		settle([1]);
		go_to(1 + Window::get());
		idle();
		assert!(is_there(1));

		next_block();
		idle();
		assert!(!is_there(1));
		assert_eq!(Ledger::record(id(1)), None);
		assert!(Ledger::by_output(output_hash(1), None, 10).is_empty());
		assert!(Ledger::by_query(query_hash(1), None, 10).is_empty());
		assert_eq!(Forgotten::get(), vec![id(1)]);
		System::assert_last_event(Event::<Test>::RecordsPruned { records: 1, since: 2 }.into());
		assert_eq!(SettledIn::<Test>::iter().count(), 0);
	});
}

#[test]
fn sums_should_stay_when_records_leave() {
	build_and_execute(|| {
		settle([1, 2]);
		next_block();
		settle([3]);
		let (total, sums) = (RecordsTotal::<Test>::get(), Stats::<Test>::get());
		go_to(2 + Window::get());
		idle();
		assert_eq!((RecordsTotal::<Test>::get(), Stats::<Test>::get()), (total, sums));
		let gone = PrunedStats::<Test>::get();
		assert_eq!((gone.inferences, gone.output_tokens, gone.measured_mj), (2, 40, 20));
		assert!(is_there(3));
	});
}

#[test]
fn nothing_should_happen_while_every_window_is_open() {
	build_and_execute(|| {
		settle([1]);
		for _ in 1..Window::get() {
			next_block();
			assert_state_unchanged(idle);
		}
		assert_eq!(Ledger::records_since(), 0);
		assert_eq!(PrunedStats::<Test>::get(), NetworkStats::default());
	});
}

#[test]
fn a_block_should_remove_no_more_than_its_steps_and_the_next_one_go_on() {
	build_and_execute(|| {
		const { assert!(MAX_PRUNED < MAX_RECORDS) };
		settle(0..MAX_RECORDS);
		// An empty block 0 is a step.
		Oldest::<Test>::put(OldestRecord { block: 1, position: 0 });
		go_to(2 + Window::get());
		idle();
		let there = (0..MAX_RECORDS).filter(|n| is_there(*n)).count();
		assert_eq!(there, (MAX_RECORDS - MAX_PRUNED) as usize);
		assert_eq!(Oldest::<Test>::get(), OldestRecord { block: 1, position: MAX_PRUNED });
		assert_eq!(Ledger::records_since(), 2);
		assert_ok!(Ledger::do_try_state());

		idle();
		assert!((0..MAX_RECORDS).all(|n| !is_there(n)));
		assert_eq!(Ledger::records_since(), 2);
		assert_eq!(SettledIn::<Test>::get(1), None);
		// In the order of settlement, each once.
		assert_eq!(Forgotten::get(), (0..MAX_RECORDS).map(id).collect::<Vec<_>>());
	});
}

#[test]
fn a_block_should_remove_no_more_than_it_has_room_for() {
	build_and_execute(|| {
		settle(0..4);
		Oldest::<Test>::put(OldestRecord { block: 1, position: 0 });
		go_to(2 + Window::get());
		let now = System::block_number();
		for too_little in
			[Weight::zero(), <() as WeightInfo>::prune(0).saturating_sub(Weight::from_parts(1, 0))]
		{
			assert_state_unchanged(|| {
				assert_eq!(Ledger::on_idle(now, too_little), Weight::zero());
			});
		}

		let room = <() as WeightInfo>::prune(3);
		assert_eq!(Ledger::on_idle(now, room), room);
		assert_eq!((0..4).filter(|n| is_there(*n)).count(), 1);
	});
}

#[test]
fn a_needed_record_should_stay_and_hold_up_those_behind_it() {
	build_and_execute(|| {
		settle([1, 2, 3]);
		next_block();
		settle([4]);
		Needed::set(vec![id(2)]);
		go_to(100);
		idle();
		assert!(!is_there(1) && is_there(2) && is_there(3) && is_there(4));
		let blocked = Oldest::<Test>::get();
		assert_eq!(blocked, OldestRecord { block: 1, position: 1 });
		assert_state_unchanged(idle);

		Needed::set(Vec::new());
		while Oldest::<Test>::get().block < 3 {
			idle();
		}
		assert!((1..=4).all(|n| !is_there(n)));
	});
}

#[test]
fn a_longer_window_should_keep_what_is_left_and_a_shorter_one_let_go() {
	build_and_execute(|| {
		settle([1]);
		go_to(5);
		settle([2]);
		Window::set(50);
		go_to(40);
		idle();
		assert!(is_there(1) && is_there(2));
		Window::set(35);
		idle();
		assert!(!is_there(1) && is_there(2));
		// A window beyond the chain's age keeps everything.
		Window::set(BlockNumber::MAX);
		assert_state_unchanged(idle);
		assert!(is_there(2));
	});
}

#[test]
fn a_record_that_has_left_should_not_come_up_in_new_lists() {
	build_and_execute(|| {
		settle([1]);
		go_to(2 + Window::get());
		idle();
		settle([7]);
		next_block();
		let settled = System::block_number() - 1;
		assert_eq!(SettledIn::<Test>::get(settled).map(Vec::from), Some(vec![id(7)]));
		assert_eq!(Ledger::by_output(output_hash(7), None, 10), vec![id(7)]);
	});
}

#[test]
fn try_state_should_fail_when_lists_and_records_disagree() {
	let broken: [fn(); 5] = [
		|| SettledIn::<Test>::remove(1),
		|| SettledIn::<Test>::insert(2, SettledIn::<Test>::get(1).unwrap()),
		|| Oldest::<Test>::put(OldestRecord { block: 2, position: 0 }),
		|| Oldest::<Test>::put(OldestRecord { block: 1, position: 1 }),
		|| PrunedStats::<Test>::mutate(|sums| sums.inferences += 1),
	];
	for break_it in broken {
		new_test_ext().execute_with(|| {
			settle([1, 2]);
			next_block();
			assert_ok!(Ledger::do_try_state());
			break_it();
			assert!(Ledger::do_try_state().is_err());
		});
	}
}
