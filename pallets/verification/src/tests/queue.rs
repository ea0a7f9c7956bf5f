//! When audits begin and go on, and how much of that a block does.

use super::support::*;
use crate::{
	mock::{
		enter_epoch, id, next_block, CurrentEpoch, Era, MaxDrawsPerBlock, MaxSteps, MaxWaiting,
		System, Test, Verification,
	},
	Audits, ClosedThrough, Deadlines, OpenAudits, Phase, Tallies, Tally, WaitingEnds, WeightInfo,
	MAX_DEADLINES, TALLY_ERAS,
};
use aria_primitives::{audit::Verdict, traits::AuditDraw};
use frame_support::{assert_ok, BoundedVec};
use sp_core::ConstU32;

type DbWeight = <Test as frame_system::Config>::DbWeight;

/// Settles so many records of one stage, and draws them.
fn drawn(count: u8) -> Vec<Game> {
	enter_epoch(SETTLED_IN);
	let games: Vec<Game> =
		(0..count).map(|number| Game::make(1, None, number).settle(None)).collect();
	enter_epoch(DRAWN_IN);
	games
}

fn in_phase(games: &[Game], phase: Phase) -> usize {
	games.iter().filter(|game| game.phase() == Some(phase)).count()
}

#[test]
fn a_block_should_begin_so_many_audits_and_the_next_go_on() {
	with_game(|| {
		let _all = verifiers(50, 1);
		MaxDrawsPerBlock::set(12);
		MaxSteps::set(5);
		let games = drawn(12);
		assert_eq!(in_phase(&games, Phase::Commit), 5);
		assert_eq!(WaitingEnds::<Test>::get().len(), 7);
		assert_eq!(OpenAudits::<Test>::get(SETTLED_IN), 12);
		next_block();
		assert_eq!(in_phase(&games, Phase::Commit), 10);
		Verification::do_try_state().unwrap();
		next_block();
		assert_eq!(in_phase(&games, Phase::Commit), 12);
		assert!(WaitingEnds::<Test>::get().is_empty());
	});
}

#[test]
fn a_block_should_put_off_what_it_does_not_get_to() {
	with_game(|| {
		let all = verifiers(50, 1);
		MaxDrawsPerBlock::set(12);
		MaxSteps::set(12);
		let games = drawn(12);
		for game in &games {
			assert_ok!(all[0].commit(game, Conduct::Honest));
		}
		MaxSteps::set(5);
		let until = games[0].audit().until;
		while System::block_number() <= until {
			next_block();
			Verification::do_try_state().unwrap();
		}
		assert_eq!(in_phase(&games, Phase::Reveal), 5);
		// The others are over as well, but for the record.
		let late = games.iter().find(|game| game.phase() == Some(Phase::Commit)).unwrap();
		assert!(all[0].reveal(late, Conduct::Honest).is_err());
		assert_eq!(late.audit().due, until + 2);
		next_block();
		assert_eq!(in_phase(&games, Phase::Reveal), 10);
		next_block();
		assert_eq!(in_phase(&games, Phase::Reveal), 12);
		// Each has its whole window, whenever it began.
		let windows = games.iter().map(|game| game.audit().until);
		assert_eq!(windows.max().unwrap(), System::block_number() + 100);
		Verification::do_try_state().unwrap();
	});
}

#[test]
fn audits_should_weigh_what_they_take() {
	with_game(|| {
		let _all = verifiers(50, 1);
		MaxSteps::set(5);
		let draw = <() as WeightInfo>::draw(1);
		enter_epoch(SETTLED_IN);
		let game = Game::make(1, None, 0).settle(None);
		let begin = <() as WeightInfo>::begin_audit();
		assert_eq!(enter_epoch(DRAWN_IN), draw.saturating_add(begin));
		while System::block_number() < game.audit().until {
			next_block();
		}
		let idle = <() as WeightInfo>::on_initialize_idle();
		let ended = <() as WeightInfo>::end_round(0);
		let concluded = <() as WeightInfo>::conclude(1, 0);
		let expected = idle.saturating_add(ended).saturating_add(concluded);
		assert_eq!(next_block(), expected);
		assert_eq!(game.verdict(), Some(Verdict::Unaudited));
	});
}

#[test]
fn the_draw_should_wait_when_too_many_audits_do() {
	with_game(|| {
		let _all = verifiers(50, 1);
		MaxSteps::set(0);
		enter_epoch(SETTLED_IN);
		let games: Vec<Game> =
			(0..6).map(|number| Game::make(1, None, number).settle(None)).collect();
		// Fewer places than the draw finds.
		MaxWaiting::set(3);
		enter_epoch(DRAWN_IN);
		assert_eq!(in_phase(&games, Phase::Waiting), 3);
		assert_eq!(Verification::pending(SETTLED_IN), 3);
		next_block();
		assert_eq!(Verification::pending(SETTLED_IN), 3);
		Verification::do_try_state().unwrap();

		MaxSteps::set(2);
		next_block();
		assert_eq!(in_phase(&games, Phase::Commit), 2);
		next_block();
		assert_eq!(Verification::pending(SETTLED_IN), 1);
		next_block();
		assert!(<Verification as AuditDraw>::is_drawn(SETTLED_IN));
	});
}

#[test]
fn epochs_should_close_in_order() {
	with_game(|| {
		let _all = verifiers(50, 1);
		let game = Game::begin(1, None);
		let closed = <Verification as AuditDraw>::is_closed;
		let through = <Verification as AuditDraw>::is_closed_through;
		assert_eq!(ClosedThrough::<Test>::get(), Some(SETTLED_IN - 1));
		enter_epoch(DRAWN_IN + 3);
		assert!(!closed(SETTLED_IN) && closed(SETTLED_IN + 1));
		assert!(through(SETTLED_IN - 1) && !through(SETTLED_IN) && !through(SETTLED_IN + 1));
		game.end_window();
		assert_eq!(game.verdict(), Some(Verdict::Unaudited));
		assert!(closed(SETTLED_IN) && through(DRAWN_IN + 2));
		assert!(!closed(DRAWN_IN + 3) && !through(DRAWN_IN + 3));
		assert_eq!(Audits::<Test>::count(), 0);
		assert_eq!(Deadlines::<Test>::iter().count() + OpenAudits::<Test>::iter().count(), 0);
	});
}

#[test]
fn skipped_epochs_should_close_at_once_when_nothing_is_open() {
	with_game(|| {
		enter_epoch(100_000);
		assert_eq!(ClosedThrough::<Test>::get(), Some(99_999));
		// With something open, some in each block.
		let _all = verifiers(50, 1);
		let game = Game::make(1, None, 0);
		CurrentEpoch::set(100_001);
		let _game = game.settle(None);
		let found = DbWeight::get().reads(2);
		let expected = <() as WeightInfo>::draw(1)
			.saturating_add(<() as WeightInfo>::begin_audit())
			.saturating_add(found);
		assert_eq!(enter_epoch(100_050), expected);
		assert_eq!(ClosedThrough::<Test>::get(), Some(100_000));
	});
}

#[test]
fn a_block_should_weigh_the_full_blocks_that_it_passes_when_it_puts_audits_off() {
	with_game(|| {
		let _all = verifiers(50, 1);
		MaxDrawsPerBlock::set(2);
		let games = drawn(2);
		while System::block_number() < games[0].audit().until {
			next_block();
		}
		MaxSteps::set(0);
		let due = games[0].audit().due;
		for block in [due + 1, due + 2] {
			let full: Vec<_> = (0..MAX_DEADLINES).map(id).collect();
			let full: BoundedVec<_, ConstU32<MAX_DEADLINES>> = full.try_into().unwrap();
			Deadlines::<Test>::insert(block, full);
		}
		// The second one does not pass them again.
		let expected = <() as WeightInfo>::on_initialize_idle()
			.saturating_add(<() as WeightInfo>::put_off().saturating_mul(2))
			.saturating_add(DbWeight::get().reads(2));
		assert_eq!(next_block(), expected);
		assert!(games.iter().all(|game| game.audit().due == due + 3));
		(due + 1..due + 3).for_each(Deadlines::<Test>::remove);
	});
}

#[test]
fn an_epochs_beginning_should_weigh_the_counts_that_it_forgets() {
	with_game(|| {
		enter_epoch(1);
		for worker in 0..3 {
			Tallies::<Test>::insert(0, account(worker), Tally { passed: 1, failed: 0 });
		}
		Era::set(TALLY_ERAS + 1);
		let idle = <() as WeightInfo>::on_initialize_idle();
		assert_eq!(enter_epoch(2), idle.saturating_add(DbWeight::get().reads_writes(4, 4)));
		assert_eq!(Tallies::<Test>::iter().count(), 0);
	});
}
