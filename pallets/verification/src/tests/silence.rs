//! Gateways that do not answer, and verifiers that say so.

use super::support::*;
use crate::{
	mock::{free, stake_account, AuditPot, BurntSum, Faults, Revoked, System, Test, Verification},
	Error, Event, Phase, SeatState,
};
use aria_primitives::audit::{AuditParams, Sealed, Verdict};
use frame_support::{assert_noop, assert_ok};
use sp_runtime::DispatchResult;

fn post(game: &Game, who: &aria_primitives::AccountId, verifier: &Verifier) -> DispatchResult {
	let sealed = Sealed { ephemeral: [1; 32], bytes: vec![2; 500].try_into().unwrap() };
	Verification::post_handover(signed(who), game.id, verifier.account.clone(), Box::new(sealed))
}

#[test]
fn silence_should_stand_when_most_say_so_and_nobody_is_answered() {
	with_game(|| {
		let all = verifiers(50, 3);
		let game = Game::begin(2, None);
		let (money, pot) = (all_money(), free(&AuditPot::get()));
		assert_ok!(all[0].claim(&game));
		assert_ok!(all[1].claim(&game));
		assert_ok!(all[2].commit(&game, Conduct::Honest));
		game.end_window();
		assert_eq!(game.phase(), Some(Phase::Rebut));
		game.end_window();
		// Who was answered goes on, and then others may come: silence is a finding like others.
		assert_ok!(all[2].reveal(&game, Conduct::Honest));
		game.end_window();
		assert_ok!(all[2].open(&game, Conduct::Honest));
		game.end_window();
		assert_eq!((game.verdict(), game.audit().round), (None, 1));
		game.end_window();

		assert_eq!(game.verdict(), Some(Verdict::Silent));
		let params = AuditParams::DEFAULT;
		assert_eq!(free(&stake_account(&gateway())), GATEWAY_STAKE - params.silence_slash);
		assert_eq!(free(&requester()), FREE + PRICE);
		for claimant in &all[..2] {
			assert_eq!(claimant.free(), FREE + params.verifier_fee);
		}
		// Who was answered loses nothing and is paid nothing.
		assert_eq!((all[2].free(), all[2].stake()), (FREE, STAKE));
		// It is nobody's work, and no stage's fault.
		assert_eq!(Revoked::get().len(), 2);
		assert!(Faults::get().is_empty());
		assert_eq!(BurntSum::get(), params.silence_slash - PRICE - 2 * params.verifier_fee);
		assert_eq!((all_money(), free(&AuditPot::get())), (money, pot));
	});
}

#[test]
fn a_false_claim_should_be_rebutted_and_the_record_judged() {
	with_game(|| {
		let all = verifiers(50, 3);
		let game = Game::begin(2, None);
		let money = all_money();
		assert_ok!(all[0].claim(&game));
		assert_ok!(all[1].claim(&game));
		assert_ok!(all[2].commit(&game, Conduct::Honest));
		game.end_window();
		for claimant in &all[..2] {
			assert_ok!(post(&game, &gateway(), claimant));
			System::assert_last_event(
				Event::<Test>::HandoverPosted { id: game.id, verifier: claimant.account.clone() }
					.into(),
			);
		}
		game.end_window();
		assert_eq!(game.phase(), Some(Phase::Answer));
		// One goes on, the other has no answer to that.
		assert_ok!(all[0].commit(&game, Conduct::Honest));
		game.end_window();
		for verifier in [&all[0], &all[2]] {
			assert_ok!(verifier.reveal(&game, Conduct::Honest));
		}
		game.end_window();
		for verifier in [&all[0], &all[2]] {
			assert_ok!(verifier.open(&game, Conduct::Honest));
		}
		game.end_window();

		assert_eq!(game.verdict(), Some(Verdict::Passed));
		assert_eq!(all[1].free(), FREE - AuditParams::DEFAULT.commit_bond);
		assert!(all[0].free() > FREE && all[2].free() > FREE);
		assert_eq!(free(&stake_account(&gateway())), GATEWAY_STAKE);
		assert_eq!((all_money(), BurntSum::get()), (money, 0));
	});
}

#[test]
fn an_answer_within_the_first_window_should_do() {
	with_game(|| {
		let all = verifiers(50, 3);
		let game = Game::begin(1, None);
		for verifier in &all {
			assert_ok!(verifier.claim(&game));
		}
		assert_ok!(post(&game, &gateway(), &all[0]));
		// One commits at once, another when it was answered after all, off chain.
		assert_ok!(all[0].commit(&game, Conduct::Honest));
		assert_ok!(all[1].commit(&game, Conduct::Honest));
		assert_eq!((game.audit().committed, game.audit().claimed), (2, 1));
		game.end_window();
		assert_eq!(game.phase(), Some(Phase::Rebut));
		game.end_window();
		assert_eq!(game.phase(), Some(Phase::Reveal));
		for verifier in &all[..2] {
			assert_ok!(verifier.reveal(&game, Conduct::Honest));
		}
		game.end_window();
		for verifier in &all[..2] {
			assert_ok!(verifier.open(&game, Conduct::Honest));
		}
		game.end_window();
		assert_eq!(game.audit().round, 1);
		game.end_window();
		assert_eq!(game.verdict(), Some(Verdict::Passed));
		// Too few said so: it counts neither for nor against the third.
		assert_eq!(all[2].free(), FREE);
	});
}

#[test]
fn one_claim_alone_should_open_a_second_round_and_not_stand() {
	with_game(|| {
		let all = verifiers(50, 1);
		let game = Game::begin(1, None);
		assert_ok!(all[0].claim(&game));
		game.end_window();
		assert_eq!(game.phase(), Some(Phase::Rebut));
		game.end_window();
		assert_eq!((game.phase(), game.audit().round), (Some(Phase::Commit), 1));
		game.end_window();
		assert_eq!(game.verdict(), Some(Verdict::Unaudited));
		assert_eq!(all[0].free(), FREE);
		assert_eq!(free(&stake_account(&gateway())), GATEWAY_STAKE);
	});
}

#[test]
fn garbage_should_count_as_silence_when_most_get_it() {
	with_game(|| {
		let all = verifiers(50, 3);
		let game = Game::begin(2, Some(0));
		let money = all_money();
		game.play(&[
			(&all[0], Conduct::Garbage),
			(&all[1], Conduct::Garbage),
			(&all[2], Conduct::Garbage),
		]);
		assert_eq!(game.audit().round, 1);
		game.end_window();
		assert_eq!(game.verdict(), Some(Verdict::Silent));
		let params = AuditParams::DEFAULT;
		assert_eq!(free(&stake_account(&gateway())), GATEWAY_STAKE - params.silence_slash);
		assert!(all.iter().all(|one| one.free() == FREE + params.verifier_fee));
		assert_eq!(all_money(), money);
	});
}

#[test]
fn who_has_others_run_a_right_record_again_should_lose_its_bond_alone() {
	with_game(|| {
		let all = verifiers(50, 3);
		let game = Game::begin(2, None);
		let money = all_money();
		game.play(&[
			(&all[0], Conduct::Garbage),
			(&all[1], Conduct::Honest),
			(&all[2], Conduct::Honest),
		]);
		// Others may look; nobody is left.
		assert_eq!(game.audit().round, 1);
		game.end_window();
		assert_eq!(game.verdict(), Some(Verdict::Passed));
		// It ran nothing. A gateway may have handed garbage to it: so it keeps its stake.
		let params = AuditParams::DEFAULT;
		assert_eq!((all[0].free(), all[0].stake()), (FREE - params.commit_bond, STAKE));
		// What it lost pays those who ran it.
		assert_eq!(all[1].free(), FREE + params.verifier_fee);
		assert_eq!(all_money(), money);
	});
}

#[test]
fn a_claim_that_nobody_answers_should_cost_nothing() {
	with_game(|| {
		let all = verifiers(50, 3);
		let game = Game::begin(2, None);
		assert_ok!(all[0].claim(&game));
		for honest in &all[1..] {
			assert_ok!(honest.commit(&game, Conduct::Honest));
		}
		game.end_window();
		assert_eq!(game.phase(), Some(Phase::Rebut));
		game.end_window();
		for honest in &all[1..] {
			assert_ok!(honest.reveal(&game, Conduct::Honest));
		}
		game.end_window();
		for honest in &all[1..] {
			assert_ok!(honest.open(&game, Conduct::Honest));
		}
		game.end_window();
		assert_eq!(game.audit().round, 1);
		game.end_window();
		assert_eq!(game.verdict(), Some(Verdict::Passed));
		assert_eq!((all[0].free(), all[0].stake()), (FREE, STAKE));
	});
}

#[test]
fn silence_in_the_second_round_should_stand_too() {
	with_game(|| {
		let few = verifiers(50, 2);
		let game = Game::begin(2, None);
		let more = verifiers(60, 3);
		crate::mock::enter_epoch(DRAWN_IN + 2);
		// Accusers whom the gateway helps, and no answer for those who would judge them.
		game.play(&[(&few[0], Conduct::Accuse(0)), (&few[1], Conduct::Accuse(0))]);
		for verifier in &more {
			assert_ok!(verifier.claim(&game));
		}
		game.end_window();
		game.end_window();
		assert_eq!(game.verdict(), Some(Verdict::Silent));
		assert!(Faults::get().is_empty());
		// They may have been answered: nobody knows whether they are wrong.
		assert!(few.iter().all(|one| (one.free(), one.stake()) == (FREE, STAKE)));
	});
}

#[test]
fn post_handover_should_be_refused_where_it_is_no_answer() {
	with_game(|| {
		let all = verifiers(50, 3);
		let game = Game::begin(1, None);
		assert_noop!(post(&game, &gateway(), &all[0]), Error::<Test>::NoClaim);
		assert_ok!(all[0].claim(&game));
		assert_ok!(all[1].commit(&game, Conduct::Honest));
		assert_noop!(post(&game, &requester(), &all[0]), Error::<Test>::NotGateway);
		assert_noop!(post(&game, &gateway(), &all[1]), Error::<Test>::NoClaim);
		assert_ok!(post(&game, &gateway(), &all[0]));
		assert_eq!(game.seat(&all[0]).unwrap().state, SeatState::Rebutted);
		assert_noop!(post(&game, &gateway(), &all[0]), Error::<Test>::NoClaim);
		assert_noop!(all[0].claim(&game), Error::<Test>::SpokeAlready);
		game.end_window();
		game.end_window();
		assert_eq!(game.phase(), Some(Phase::Reveal));
		assert_noop!(post(&game, &gateway(), &all[0]), Error::<Test>::NotInWindow);
		let strange = Game::make(1, None, 9);
		assert_noop!(post(&strange, &gateway(), &all[0]), Error::<Test>::NoAudit);
	});
}

#[test]
fn a_record_that_is_handed_to_friends_alone_should_be_silence() {
	with_game(|| {
		// One friend of the gateway says that all is well; two others are not answered, nor are those
		// of the second round.
		let few = verifiers(50, 3);
		let game = Game::begin(1, Some(0));
		let more = verifiers(60, 3);
		crate::mock::enter_epoch(DRAWN_IN + 2);
		assert_ok!(few[0].commit(&game, Conduct::Echo));
		assert_ok!(few[1].claim(&game));
		game.end_window();
		game.end_window();
		assert_ok!(few[0].reveal(&game, Conduct::Echo));
		game.end_window();
		assert_ok!(few[0].open(&game, Conduct::Echo));
		game.end_window();
		assert_eq!(game.audit().round, 1);
		for verifier in &more {
			assert_ok!(verifier.claim(&game));
		}
		game.end_window();
		game.end_window();
		assert_eq!(game.verdict(), Some(Verdict::Silent));
		let slash = AuditParams::DEFAULT.silence_slash;
		assert_eq!(free(&stake_account(&gateway())), GATEWAY_STAKE - slash);
	});
}
