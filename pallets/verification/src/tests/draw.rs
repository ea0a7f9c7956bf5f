//! When epochs are drawn, under which seed, and how much of them in a block.

use crate::{
	mock::{
		build_and_execute, enter_epoch, id, next_block, note, seed_of, CurrentEpoch, KnownSince,
		MaxDrawsPerBlock, MaxPerEpoch, RuntimeEvent, Seed, System, Test, Verification, DELAY,
		FLOOR,
	},
	Cursor, DrawCause, DrawInfo, DrawState, Drawn, DrawnStatus, DrawnThrough, Event, PendingEpochs,
	Settled, WeightInfo,
};
use aria_primitives::{traits::AuditDraw, EpochIndex, PPM};
use frame_support::assert_ok;
use sp_core::H256;

fn drawn_ids() -> Vec<H256> {
	let mut ids: Vec<H256> = Drawn::<Test>::iter_keys().collect();
	ids.sort();
	ids
}

fn waiting(epoch: EpochIndex) -> u32 {
	Settled::<Test>::iter_key_prefix(epoch).count() as u32
}

#[test]
#[docify::export]
fn draw_should_pick_every_record_of_a_stranger() {
	build_and_execute(|| {
		// given two records of epoch 0 whose workers have no reputation yet
		note(0..2, 0);

		// when the epoch after the next begins
		enter_epoch(1);
		assert_eq!(Verification::drawn(id(0)), None);
		enter_epoch(2);

		// then both are drawn, and the epoch is done
		for n in 0..2 {
			assert_eq!(
				Verification::drawn(id(n)),
				Some(DrawInfo {
					epoch: 0,
					at: System::block_number(),
					seed: seed_of(0),
					probability_ppm: PPM,
					cause: DrawCause::Lot,
					status: DrawnStatus::Open,
				})
			);
		}
		System::assert_last_event(
			Event::<Test>::EpochDrawn { epoch: 0, records: 2, drawn: 2 }.into(),
		);
	});
}

#[test]
fn draw_should_tell_of_its_seed_and_of_each_drawn_record() {
	build_and_execute(|| {
		note(0..1, 0);
		enter_epoch(2);
		let events: Vec<_> = System::events().into_iter().map(|record| record.event).collect();
		let expected: Vec<RuntimeEvent> = vec![
			Event::<Test>::DrawBegun { epoch: 0, seed: seed_of(0) }.into(),
			Event::<Test>::RecordDrawn { id: id(0), epoch: 0, probability_ppm: PPM }.into(),
			Event::<Test>::EpochDrawn { epoch: 0, records: 1, drawn: 1 }.into(),
		];
		assert_eq!(events, expected);
	});
}

#[test]
fn draw_should_leave_nothing_but_the_drawn_records() {
	build_and_execute(|| {
		note(0..3, 0);
		enter_epoch(2);
		assert_eq!(waiting(0), 0);
		assert_eq!(Verification::pending(0), 0);
		assert!(PendingEpochs::<Test>::get().is_empty());
		assert_eq!(Cursor::<Test>::get(), None);
		assert_eq!(DrawnThrough::<Test>::get(), Some(0));
		assert_eq!(drawn_ids().len(), 3);
	});
}

#[test]
fn draw_should_do_no_more_than_its_limit_in_a_block() {
	build_and_execute(|| {
		note(0..10, 0);
		let idle = <() as WeightInfo>::on_initialize_idle();
		assert_eq!(enter_epoch(1), idle);

		assert_eq!(enter_epoch(2), <() as WeightInfo>::draw(4));
		assert_eq!((waiting(0), Verification::pending(0)), (6, 6));
		assert_eq!(
			Cursor::<Test>::get(),
			Some(DrawState { epoch: 0, seed: seed_of(0), records: 4, drawn: 4 })
		);
		assert_eq!(DrawnThrough::<Test>::get(), None);
		Verification::do_try_state().unwrap();

		assert_eq!(next_block(), <() as WeightInfo>::draw(4));
		assert_eq!(next_block(), <() as WeightInfo>::draw(2));
		System::assert_last_event(
			Event::<Test>::EpochDrawn { epoch: 0, records: 10, drawn: 10 }.into(),
		);
		assert_eq!(next_block(), idle);
	});
}

#[test]
fn draw_should_end_in_the_block_that_reaches_the_last_record() {
	build_and_execute(|| {
		note(0..8, 0);
		enter_epoch(2);
		next_block();
		assert_eq!(DrawnThrough::<Test>::get(), Some(0));
		assert_eq!(Cursor::<Test>::get(), None);
	});
}

#[test]
fn draw_should_keep_its_seed_over_its_blocks() {
	build_and_execute(|| {
		note(0..10, 0);
		enter_epoch(2);
		let seed = seed_of(0);
		// Neither younger randomness nor another epoch touches a draw that has begun.
		Seed::set(H256::repeat_byte(99));
		enter_epoch(3);
		Seed::set(H256::repeat_byte(100));
		next_block();
		assert_eq!(DrawnThrough::<Test>::get(), Some(0));
		assert_eq!(drawn_ids().len(), 10);
		assert!(Drawn::<Test>::iter_values().all(|info| info.seed == seed));
	});
}

#[test]
fn draw_should_take_another_seed_for_each_epoch() {
	build_and_execute(|| {
		note(0..1, 0);
		enter_epoch(1);
		note(1..2, 0);
		enter_epoch(2);
		enter_epoch(3);
		let seeds = [0, 1].map(|n| Verification::drawn(id(n)).unwrap().seed);
		assert_eq!(seeds, [seed_of(0), seed_of(1)]);
		assert_ne!(seeds[0], seeds[1]);
	});
}

#[test]
fn draw_should_pick_the_same_records_whatever_the_limit_of_a_block() {
	let draw_with = |limit: u32| {
		let mut ids = Vec::new();
		build_and_execute(|| {
			MaxPerEpoch::set(200);
			MaxDrawsPerBlock::set(limit);
			note(0..200, PPM / 2);
			enter_epoch(2);
			while DrawnThrough::<Test>::get().is_none() {
				next_block();
			}
			ids = drawn_ids();
		});
		ids
	};
	let at_once = draw_with(200);
	assert!(at_once.len() > 50 && at_once.len() < 150);
	for limit in [1, 7, 64] {
		assert_eq!(draw_with(limit), at_once);
	}
}

#[test]
fn draw_should_be_one_that_anybody_can_repeat() {
	build_and_execute(|| {
		MaxPerEpoch::set(100);
		MaxDrawsPerBlock::set(100);
		note(0..100, PPM);
		enter_epoch(2);
		for n in 0..100 {
			assert_eq!(
				Verification::drawn(id(n)).is_some(),
				Verification::lot_falls_on(&id(n), &seed_of(0), FLOOR)
			);
		}
	});
}

#[test]
fn draw_should_go_epoch_by_epoch_when_epochs_were_skipped() {
	build_and_execute(|| {
		for epoch in 0..3 {
			enter_epoch(epoch);
			note(epoch as u32 * 10..epoch as u32 * 10 + 2, 0);
		}
		// The draw of epoch 0 took place at the beginning of epoch 2.
		assert_eq!(DrawnThrough::<Test>::get(), Some(0));

		// Epochs 3 to 8 have no block: one block draws for one epoch, the oldest first.
		enter_epoch(9);
		assert_eq!(DrawnThrough::<Test>::get(), Some(1));
		note(90..92, 0);
		next_block();
		assert_eq!(DrawnThrough::<Test>::get(), Some(2));
		next_block();
		enter_epoch(10);
		assert_eq!(DrawnThrough::<Test>::get(), Some(2));
		enter_epoch(11);
		assert_eq!(DrawnThrough::<Test>::get(), Some(9));
		assert_eq!(drawn_ids().len(), 8);
	});
}

#[test]
fn epoch_should_be_drawn_when_the_draw_has_reached_its_last_record() {
	build_and_execute(|| {
		let is_drawn = <Verification as AuditDraw>::is_drawn;
		note(0..10, 0);
		assert!(!is_drawn(0));
		enter_epoch(1);
		assert!(!is_drawn(0));

		// Two blocks leave some of its ten records, the third does not.
		enter_epoch(2);
		next_block();
		assert_eq!(Verification::pending(0), 2);
		assert!(!is_drawn(0) && !Verification::is_drawn(0));
		next_block();
		assert!(is_drawn(0) && Verification::is_drawn(0));
	});
}

#[test]
fn epoch_should_not_be_drawn_however_old_it_is_when_the_draw_lags_behind() {
	build_and_execute(|| {
		let is_drawn = <Verification as AuditDraw>::is_drawn;
		note(0..8, 0);
		enter_epoch(1);
		note(8..16, 0);
		// Epochs without a block: the draws begin late.
		enter_epoch(50);
		assert_eq!((is_drawn(0), is_drawn(1)), (false, false));
		next_block();
		assert_eq!((is_drawn(0), is_drawn(1)), (true, false));
		next_block();
		assert!(!is_drawn(1));
		next_block();
		assert!(is_drawn(1));
		// An epoch with records waits for its own draw, whatever was drawn before.
		note(16..17, 0);
		enter_epoch(51);
		assert!(!is_drawn(50));
	});
}

#[test]
fn epoch_should_not_be_drawn_when_the_draw_waits_for_its_seed() {
	build_and_execute(|| {
		note(0..1, 0);
		CurrentEpoch::set(DELAY);
		KnownSince::set(0);
		next_block();
		assert!(!<Verification as AuditDraw>::is_drawn(0));
		KnownSince::set(System::block_number());
		next_block();
		assert!(<Verification as AuditDraw>::is_drawn(0));
	});
}

#[test]
fn epoch_should_be_drawn_when_it_is_over_and_had_nothing_to_draw() {
	build_and_execute(|| {
		let is_drawn = <Verification as AuditDraw>::is_drawn;
		enter_epoch(5);
		// A record that nobody may check waits for nothing.
		assert_ok!(Verification::note_settled(id(0), 0, false));
		assert!(!is_drawn(5) && !is_drawn(6));
		assert!((0..5).all(is_drawn));
		enter_epoch(6);
		assert!(is_drawn(5) && !is_drawn(6));
	});
}

#[test]
fn draw_of_a_full_epoch_should_end_within_as_many_blocks_as_the_bound_is_made_for() {
	build_and_execute(|| {
		let blocks = MaxPerEpoch::get() / MaxDrawsPerBlock::get();
		for epoch in 0..4 {
			enter_epoch(epoch);
			(1..blocks).for_each(|_| {
				next_block();
			});
			let first = epoch as u32 * MaxPerEpoch::get();
			note(first..first + MaxPerEpoch::get(), 0);
			let drawn = epoch.checked_sub(DELAY);
			assert!(drawn.is_none_or(<Verification as AuditDraw>::is_drawn));
		}
	});
}

#[test]
fn draw_should_pass_over_empty_epochs() {
	build_and_execute(|| {
		for epoch in 1..100 {
			assert_eq!(enter_epoch(epoch), <() as WeightInfo>::on_initialize_idle());
		}
		note(0..1, 0);
		assert_eq!(PendingEpochs::<Test>::get().len(), 1);
		enter_epoch(101);
		assert_eq!(DrawnThrough::<Test>::get(), Some(99));
	});
}

#[test]
fn draw_should_wait_when_the_seed_could_be_known_at_settlement() {
	build_and_execute(|| {
		next_block();
		note(0..1, 0);
		let settled_at = System::block_number();

		// given randomness as old as the epoch's last record, or older
		CurrentEpoch::set(DELAY);
		for known_since in [settled_at - 1, settled_at] {
			KnownSince::set(known_since);
			assert_eq!(next_block(), <() as WeightInfo>::draw(0));
			assert_eq!(Verification::pending(0), 1);
			assert_eq!(Cursor::<Test>::get(), None);
			assert!(System::events().is_empty());
		}

		// when it is younger, the draw takes place
		KnownSince::set(settled_at + 1);
		next_block();
		assert_eq!(DrawnThrough::<Test>::get(), Some(0));
		assert!(Verification::drawn(id(0)).is_some());
	});
}

#[test]
fn draw_should_end_when_an_epoch_runs_dry() {
	build_and_execute(|| {
		note(0..3, 0);
		// This can't happen; if it did, later epochs would still be drawn.
		Settled::<Test>::remove(0, id(1));
		enter_epoch(2);
		System::assert_last_event(
			Event::<Test>::EpochDrawn { epoch: 0, records: 2, drawn: 2 }.into(),
		);
		assert!(PendingEpochs::<Test>::get().is_empty());
	});
}
