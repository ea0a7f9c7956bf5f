//! Who is asked, and what follows for those who do not answer.

use super::*;
use crate::{
	mock::{
		answer, build_and_execute, next_block, run_to, AnswerWindow, Closed, CurrentEra, PerEra,
		ALICE, BOB, CHARLIE, ERA, MINIMUM, WINDOW,
	},
	Attendances, Challenges, Closing, ClosingList, EraTally, WorkerState, MAX_ASKED, TALLIES,
};
use aria_math::{reputation, uptime::uptime_ppm};
use aria_primitives::traits::{Uptime, Workers as _};
use std::collections::BTreeSet;

/// A worker that takes work.
fn works(who: &AccountId, seed: u8) {
	register(who, seed, MINIMUM);
	serve(who, 0, 24);
}

fn ask(places: std::ops::Range<u32>) {
	let now = System::block_number();
	WorkerRegistry::ask(now, now + WINDOW + 1, places);
}

fn is_asked(who: &AccountId) -> bool {
	WorkerRegistry::challenge(who.clone()).is_some()
}

fn state(who: &AccountId) -> WorkerState {
	WorkerRegistry::info(who).unwrap().state
}

fn events() -> Vec<Event<Test>> {
	let events = System::read_events_for_pallet::<Event<Test>>();
	System::reset_events();
	events
}

#[test]
fn only_who_takes_work_should_be_asked() {
	build_and_execute(|| {
		works(&ALICE, 1);
		ask(0..1);
		assert!(is_asked(&ALICE));
		// Not twice at once.
		System::reset_events();
		ask(0..1);
		assert_eq!(events(), vec![]);

		register(&BOB, 2, MINIMUM);
		ask(1..2);
		assert!(!is_asked(&BOB), "who serves nothing");
		serve(&BOB, 0, 24);
		Closed::set(BTreeSet::from([BOB]));
		ask(1..2);
		assert!(!is_asked(&BOB), "who is outside its hours");
		Closed::set(BTreeSet::new());
		assert_ok!(WorkerRegistry::rest(signed(&BOB)));
		ask(1..2);
		assert!(!is_asked(&BOB), "who rests");
		assert_ok!(WorkerRegistry::drain(signed(&BOB)));
		ask(1..2);
		assert!(!is_asked(&BOB), "who leaves");
		assert_ok!(WorkerRegistry::resume(signed(&BOB)));
		assert_ok!(WorkerRegistry::punish(RuntimeOrigin::root(), BOB, 1_000));
		ask(1..2);
		assert!(!is_asked(&BOB), "who lacks stake");
		assert_ok!(WorkerRegistry::bond_more(signed(&BOB), MINIMUM));
		// Beyond the roster there is nobody.
		ask(1..9);
		assert!(is_asked(&BOB));
	});
}

#[test]
fn who_misses_a_challenge_should_rest_and_lose_uptime() {
	build_and_execute(|| {
		works(&ALICE, 1);
		(0..100).for_each(|_| WorkerRegistry::note_settled(&ALICE, 0));
		let before = WorkerRegistry::info(&ALICE).unwrap().reputation;
		ask(0..1);
		run_to(1 + WINDOW);
		assert_eq!(state(&ALICE), WorkerState::Active);
		System::reset_events();
		next_block();

		let since = 2 + WINDOW;
		assert_eq!(state(&ALICE), WorkerState::Resting { since });
		assert_eq!(
			events(),
			vec![
				Event::Missed { worker: ALICE, era: 3, missed: 1 },
				Event::Resting { worker: ALICE, since }
			]
		);
		assert_eq!(WorkerRegistry::uptime(&ALICE, 3), Some(uptime_ppm(0, 1)));
		assert_eq!(WorkerRegistry::uptime(&ALICE, 2), None);
		assert_eq!(WorkerRegistry::audit_pass_rate(&ALICE, 3), None);
		// One absence in an era is no lapse, but for time that went by.
		let idle = (WINDOW + 1) / ERA;
		let after = WorkerRegistry::info(&ALICE).unwrap().reputation;
		assert_eq!(after, reputation::decay(before, idle));
		// Who rests is not asked, until it is back.
		ask(0..1);
		assert!(!is_asked(&ALICE));
		assert_ok!(WorkerRegistry::resume(signed(&ALICE)));
		ask(0..1);
		assert!(is_asked(&ALICE));
	});
}

#[test]
fn who_is_absent_again_in_an_era_should_lose_reputation() {
	build_and_execute(|| {
		works(&ALICE, 1);
		(0..100).for_each(|_| WorkerRegistry::note_settled(&ALICE, 0));
		let kept = |score| reputation::fall(score, reputation::LAPSE_FACTOR_PPM);
		let first = crate::Workers::<Test>::get(&ALICE).unwrap().reputation;
		let miss = || {
			ask(0..1);
			run_to(System::block_number() + WINDOW + 1);
			assert_ok!(WorkerRegistry::resume(signed(&ALICE)));
			crate::Workers::<Test>::get(&ALICE).unwrap().reputation
		};
		assert_eq!(miss(), first);
		assert_eq!(miss(), kept(first));
		let reputation = WorkerRegistry::info(&ALICE).unwrap().reputation;
		assert!(events().contains(&Event::ReputationCut { worker: ALICE, reputation }));
		// Another era begins with another one that is forgiven.
		CurrentEra::set(4);
		assert_eq!(miss(), kept(first));
		assert_eq!(miss(), kept(kept(first)));
		let tallies = WorkerRegistry::attendance(ALICE);
		let tally = |era| EraTally { era, answered: 0, missed: 2, rests: 0 };
		assert_eq!(tallies, [tally(3), tally(4)]);
	});
}

#[test]
fn what_was_announced_or_is_allowed_should_not_count() {
	build_and_execute(|| {
		let loses_nothing = |who: &AccountId| {
			let tally = WorkerRegistry::tally_of(who, 3);
			assert_eq!(tally.map_or(0, |tally| tally.missed), 0);
			assert_eq!(<WorkerRegistry as Uptime>::uptime(who, 3), None);
			assert!(!is_asked(who));
		};
		for (seed, who) in [(1, &ALICE), (2, &BOB), (3, &CHARLIE)] {
			works(who, seed);
		}
		ask(0..3);
		// A machine that goes to sleep; one whose hours are over; one that leaves.
		assert_ok!(WorkerRegistry::rest(signed(&ALICE)));
		Closed::set(BTreeSet::from([BOB]));
		assert_ok!(WorkerRegistry::drain(signed(&CHARLIE)));
		run_to(System::block_number() + WINDOW + 1);
		[ALICE, BOB, CHARLIE].iter().for_each(loses_nothing);
		assert_eq!(state(&BOB), WorkerState::Active);
	});
}

#[test]
fn blocks_should_ask_as_often_as_they_are_told() {
	build_and_execute(|| {
		for (seed, who) in [(1, &ALICE), (2, &BOB), (3, &CHARLIE)] {
			works(who, seed);
		}
		// Six of ten blocks draw somebody; who was asked by the block before is passed over.
		PerEra::set(2);
		let (mut asked, mut answered) = (0, 0);
		for _ in 0..1_000 {
			next_block();
			let now = System::block_number();
			let open: Vec<(AccountId, crate::Challenge)> = Challenges::<Test>::iter().collect();
			for (who, challenge) in open {
				if challenge.asked_at == now {
					asked += 1;
				} else {
					let seed = [ALICE, BOB, CHARLIE].iter().position(|each| *each == who).unwrap();
					let signature = answer(seed as u8 + 1, &who);
					assert_ok!(WorkerRegistry::answer(signed(&who), signature));
					answered += 1;
				}
			}
		}
		assert!((440..=560).contains(&asked), "{asked} of 1,000 blocks asked");
		assert!(asked - answered <= 3);
		let each = [ALICE, BOB, CHARLIE].map(|who| Attendances::<Test>::get(who)[0].answered);
		assert!(each.iter().all(|count| (120..=215).contains(count)), "{each:?}");
		assert_eq!(WorkerRegistry::uptime(&ALICE, 3), Some(1_000_000));
		PerEra::set(0);
		let before = Challenges::<Test>::iter().count();
		run_to(System::block_number() + 50);
		assert!(Challenges::<Test>::iter().count() <= before);
	});
}

#[test]
fn the_same_block_should_ask_the_same_workers() {
	let asked = || {
		let mut whom = Vec::new();
		build_and_execute(|| {
			for (seed, who) in [(1, &ALICE), (2, &BOB), (3, &CHARLIE)] {
				works(who, seed);
			}
			PerEra::set(3);
			run_to(20);
			whom = events();
		});
		whom
	};
	assert_eq!(asked(), asked());
}

#[test]
fn a_window_that_was_changed_should_fill_no_block_beyond_its_room() {
	build_and_execute(|| {
		works(&ALICE, 1);
		works(&BOB, 2);
		let closes = 1 + WINDOW + 1;
		let full = vec![CHARLIE; MAX_ASKED as usize - 1];
		let full: ClosingList = BoundedVec::truncate_from(full);
		Closing::<Test>::insert(closes, full);
		ask(0..2);
		assert!(is_asked(&ALICE) && !is_asked(&BOB));
		// Who stands in a list and was not asked is passed over.
		run_to(closes);
		assert_eq!(state(&ALICE), WorkerState::Resting { since: closes });
		assert_eq!(state(&BOB), WorkerState::Active);
	});
}

#[test]
fn a_shorter_window_should_not_close_an_earlier_challenge() {
	build_and_execute(|| {
		works(&ALICE, 1);
		PerEra::set(ERA);
		AnswerWindow::set(200);
		next_block();
		let closes = WorkerRegistry::challenge(ALICE).unwrap().closes;
		assert_eq!(closes, 2 + 200 + 1);
		AnswerWindow::set(WINDOW);
		run_to(closes - 1);
		assert_eq!(state(&ALICE), WorkerState::Active);
		PerEra::set(0);
		next_block();
		assert_eq!(state(&ALICE), WorkerState::Resting { since: closes });
	});
}

#[test]
fn tallies_should_be_kept_for_so_many_eras() {
	build_and_execute(|| {
		works(&ALICE, 1);
		for era in 0..TALLIES + 5 {
			CurrentEra::set(100 + era);
			ask(0..1);
			next_block();
			assert_ok!(WorkerRegistry::answer(signed(&ALICE), answer(1, &ALICE)));
		}
		let tallies = WorkerRegistry::attendance(ALICE);
		assert_eq!(tallies.len() as u32, TALLIES);
		assert_eq!((tallies[0].era, tallies[31].era), (105, 136));
		assert_eq!(WorkerRegistry::tally_of(&ALICE, 104), None);
		// An era that is forgotten counts nothing any more.
		CurrentEra::set(50);
		ask(0..1);
		next_block();
		assert_ok!(WorkerRegistry::answer(signed(&ALICE), answer(1, &ALICE)));
		assert_eq!(WorkerRegistry::attendance(ALICE), tallies);
	});
}
