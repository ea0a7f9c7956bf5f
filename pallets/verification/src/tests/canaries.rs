//! Records that are false on purpose.

use super::support::*;
use crate::{
	mock::{
		assert_state_unchanged, enter_epoch, free, mint, next_block, stake_account, BurntSum,
		Faults, LotteryRevoked, Revoked, System, Test, Verification,
	},
	Canaries, CanaryBudget, CanaryFunds, CanaryInfo, Error, Event, Phase, CANARY_LIFE,
	MAX_CANARIES,
};
use aria_primitives::{
	audit::{canary_hash, AuditParams, Verdict},
	AccountId, Balance, ARIA,
};
use frame_support::{assert_noop, assert_ok};
use sp_core::H256;
use sp_runtime::{DispatchError, DispatchResult, TokenError};

const NONCE: H256 = H256::repeat_byte(42);

fn maker() -> AccountId {
	account(5)
}

fn fund() {
	CanaryFunds::<Test>::put(CanaryBudget { amount: 10 * ARIA, audits: 100 });
}

fn hash_of(game: &Game, stage: u16) -> H256 {
	canary_hash(&Verification::genesis(), &game.id, stage, &maker(), &NONCE)
}

/// Commits to a canary of two stages that is false at `stage`, or, if nobody lies, is said to be; then
/// settles and draws it.
fn canary(liar: Option<u16>, stage: u16) -> Game {
	mint(&maker(), FREE);
	fund();
	enter_epoch(SETTLED_IN);
	let game = Game::make(2, liar, 0);
	assert_ok!(Verification::commit_canary(signed(&maker()), hash_of(&game, stage)));
	next_block();
	let game = game.settle(None);
	enter_epoch(DRAWN_IN);
	game
}

fn show(game: &Game, stage: u16) -> DispatchResult {
	Verification::reveal_canary(signed(&requester()), game.id, stage, maker(), NONCE)
}

fn all_with(verifiers: &[Verifier], conduct: Conduct) -> Vec<(&Verifier, Conduct)> {
	verifiers.iter().map(|one| (one, conduct)).collect()
}

#[test]
fn a_canary_that_is_caught_should_pay_those_who_caught_it() {
	with_game(|| {
		let all = verifiers(50, 3);
		let game = canary(Some(1), 1);
		let money = all_money();
		game.play(&all_with(&all, Conduct::Honest));
		game.end_window();
		assert_eq!((game.phase(), game.verdict()), (Some(Phase::Canary), None));
		assert!(!Verification::is_closed(SETTLED_IN));
		assert_ok!(show(&game, 1));
		System::assert_last_event(Event::<Test>::CanaryShown { id: game.id, stage: 1 }.into());
		game.end_window();

		assert_eq!(game.verdict(), Some(Verdict::Failed { stage: 1 }));
		let params = AuditParams::DEFAULT;
		for verifier in &all {
			let earned = params.verifier_fee + params.catch_bonus / 3;
			assert_eq!((verifier.free(), verifier.stake()), (FREE + earned, STAKE));
		}
		// Its maker's worker keeps stake and name; what the record would have paid it goes back.
		assert_eq!(free(&stake_account(&node(1))), STAKE);
		assert!(Faults::get().is_empty() && LotteryRevoked::get().is_empty());
		assert_eq!(Revoked::get().len(), 1);
		assert_eq!(free(&requester()), FREE + SHARE);
		assert_eq!(free(&maker()), FREE + params.canary_fee);
		// All that was set aside is spent.
		let left = 10 * ARIA - params.canary_fee - params.catch_bonus;
		let audits = CanaryFunds::<Test>::get();
		assert_eq!((audits.amount - left, audits.audits), (PRICE * 2 / 100, 1));
		assert_eq!((all_money(), BurntSum::get()), (money, 0));
		assert_eq!(Canaries::<Test>::count(), 0);
	});
}

#[test]
fn a_canary_that_is_passed_should_cost_those_who_passed_it() {
	with_game(|| {
		let lazy = verifiers(50, 3);
		let game = canary(Some(0), 0);
		let more = verifiers(60, 6);
		let money = all_money();
		enter_epoch(DRAWN_IN + 2);
		game.play(&all_with(&lazy, Conduct::Echo));
		assert_eq!(game.phase(), Some(Phase::Canary));
		assert_eq!(game.audit().verdict, Some(Verdict::Passed));
		assert_ok!(show(&game, 0));
		assert_noop!(show(&game, 0), Error::<Test>::NotInWindow);
		game.end_window();
		assert_eq!((game.audit().round, game.phase()), (2, Some(Phase::Commit)));
		// Those whom it is about have said what they have to say.
		assert!(lazy[0].commit(&game, Conduct::Honest).is_err());
		game.play(&all_with(&more, Conduct::Honest));

		assert_eq!(game.verdict(), Some(Verdict::Failed { stage: 0 }));
		let params = AuditParams::DEFAULT;
		for echo in &lazy {
			assert_eq!(echo.free(), FREE - params.commit_bond);
			assert_eq!(echo.stake(), STAKE - params.canary_slash);
		}
		// They knew that it was one: a fee, and no bonus.
		let fee = PRICE * 3 / 100 / 6;
		assert!(more.iter().all(|one| one.free() == FREE + fee));
		assert_eq!(free(&maker()), FREE + params.canary_fee);
		assert_eq!(free(&stake_account(&node(0))), STAKE);
		assert_eq!((all_money(), BurntSum::get()), (money, 0));
	});
}

#[test]
fn a_false_canary_should_cost_its_maker() {
	with_game(|| {
		let all = verifiers(50, 3);
		let game = canary(None, 1);
		let more = verifiers(60, 6);
		let money = all_money();
		enter_epoch(DRAWN_IN + 2);
		game.play(&all_with(&all, Conduct::Honest));
		assert_ok!(show(&game, 1));
		game.end_window();
		game.play(&all_with(&more, Conduct::Honest));

		assert_eq!(game.verdict(), Some(Verdict::Passed));
		assert_eq!(free(&maker()), FREE - AuditParams::DEFAULT.canary_bond);
		for verifier in all.iter().chain(&more) {
			assert!(verifier.free() > FREE && verifier.stake() == STAKE);
		}
		assert_eq!((all_money(), BurntSum::get()), (money, 0));
	});
}

#[test]
fn a_canary_that_nobody_looks_at_again_should_count_neither_way() {
	with_game(|| {
		let all = verifiers(50, 3);
		let game = canary(Some(0), 0);
		game.play(&all_with(&all, Conduct::Echo));
		assert_ok!(show(&game, 0));
		game.end_window();
		game.end_window();
		assert_eq!(game.verdict(), Some(Verdict::Passed));
		assert_eq!(free(&maker()), FREE);
		assert!(all.iter().all(|one| one.free() > FREE && one.stake() == STAKE));
	});
}

#[test]
fn a_review_without_a_majority_should_count_neither_way() {
	with_game(|| {
		let all = verifiers(50, 3);
		let game = canary(None, 1);
		let more = verifiers(60, 2);
		enter_epoch(DRAWN_IN + 2);
		game.play(&all_with(&all, Conduct::Honest));
		assert_ok!(show(&game, 1));
		game.end_window();
		game.play(&[(&more[0], Conduct::Honest), (&more[1], Conduct::Accuse(0))]);
		assert_eq!(game.verdict(), Some(Verdict::Passed));
		assert_eq!(free(&maker()), FREE);
		assert!(more.iter().all(|one| (one.free(), one.stake()) == (FREE, STAKE)));
	});
}

#[test]
fn a_silent_gateway_should_spoil_a_review() {
	with_game(|| {
		let all = verifiers(50, 3);
		let game = canary(Some(0), 0);
		let more = verifiers(60, 3);
		enter_epoch(DRAWN_IN + 2);
		game.play(&all_with(&all, Conduct::Echo));
		assert_ok!(show(&game, 0));
		game.end_window();
		for verifier in &more {
			assert_ok!(verifier.claim(&game));
		}
		game.end_window();
		game.end_window();
		assert_eq!(game.verdict(), Some(Verdict::Passed));
		assert!(more.iter().all(|one| one.free() == FREE));
		assert_eq!(free(&maker()), FREE);
	});
}

#[test]
fn a_canary_should_not_excuse_another_stage() {
	with_game(|| {
		let all = verifiers(50, 3);
		let game = canary(Some(0), 1);
		game.play(&all_with(&all, Conduct::Honest));
		game.end_window();
		assert_ok!(show(&game, 1));
		game.end_window();
		assert_eq!(game.verdict(), Some(Verdict::Failed { stage: 0 }));
		assert_eq!(free(&stake_account(&node(0))), STAKE / 2);
		assert_eq!(Faults::get(), [node(0)]);
		assert_eq!(free(&maker()), FREE);
	});
}

#[test]
fn a_verdict_should_stand_when_no_canary_is_shown() {
	with_game(|| {
		let all = verifiers(50, 3);
		let game = canary(Some(1), 1);
		game.play(&all_with(&all, Conduct::Honest));
		game.end_window();
		game.end_window();
		assert_eq!(game.verdict(), Some(Verdict::Failed { stage: 1 }));
		assert_eq!(Faults::get(), [node(1)]);
		// Its bond waits, and is lost after a day.
		let hash = hash_of(&game, 1);
		let forget = || Verification::forget_canary(signed(&account(9)), hash);
		assert_noop!(forget(), Error::<Test>::CanaryAlive);
		let at = Canaries::<Test>::get(hash).unwrap().at;
		let back = System::block_number();
		System::set_block_number(at + CANARY_LIFE + 1);
		assert_ok!(forget());
		System::set_block_number(back);
		assert_eq!(free(&maker()), FREE - AuditParams::DEFAULT.canary_bond);
		assert_noop!(forget(), Error::<Test>::UnknownCanary);
	});
}

#[test]
fn a_canary_should_need_a_budget() {
	with_game(|| {
		mint(&maker(), FREE);
		let commit = |byte| Verification::commit_canary(signed(&maker()), H256::repeat_byte(byte));
		let refused = |byte: u8, error: DispatchError| {
			let result = assert_state_unchanged(|| commit(byte));
			assert_eq!(result.unwrap_err(), error);
		};
		refused(1, Error::<Test>::NoCanaryBudget.into());
		let params = AuditParams::DEFAULT;
		let cost: Balance = params.canary_fee + params.catch_bonus;
		for (amount, audits) in [(cost - 1, 100), (cost, 99)] {
			CanaryFunds::<Test>::put(CanaryBudget { amount, audits });
			refused(1, Error::<Test>::NoCanaryBudget.into());
		}
		CanaryFunds::<Test>::put(CanaryBudget { amount: cost, audits: 100 });
		assert_ok!(commit(1));
		assert_eq!(CanaryFunds::<Test>::get(), CanaryBudget::default());
		fund();
		refused(1, Error::<Test>::CanaryKnown.into());
		let poor = Verification::commit_canary(signed(&account(77)), H256::repeat_byte(2));
		assert_eq!(poor.unwrap_err(), TokenError::FundsUnavailable.into());
	});
}

#[test]
fn there_should_be_no_more_canaries_than_may_be() {
	with_game(|| {
		mint(&maker(), FREE);
		fund();
		let hash = |number: u32| H256::from_low_u64_be(number.into());
		let info = CanaryInfo { maker: account(9), at: 1, bond: 0, reserved: 0 };
		(0..MAX_CANARIES).for_each(|number| Canaries::<Test>::insert(hash(number), &info));
		assert_noop!(
			Verification::commit_canary(signed(&maker()), hash(MAX_CANARIES)),
			Error::<Test>::TooManyCanaries
		);
	});
}

#[test]
fn drawn_records_should_fund_canaries_by_their_odds() {
	with_game(|| {
		let _all = verifiers(50, 1);
		let _game = Game::begin(1, None);
		// Drawn for certain: 20,000 ppm of its price.
		let expected = CanaryBudget { amount: PRICE * 2 / 100, audits: 1 };
		assert_eq!(CanaryFunds::<Test>::get(), expected);
	});
}

#[test]
fn a_canary_should_be_shown_as_it_was_committed_to() {
	with_game(|| {
		let all = verifiers(50, 3);
		let game = canary(Some(1), 1);
		assert_noop!(show(&game, 1), Error::<Test>::NotInWindow);
		let other = Game::make(2, None, 9);
		assert_noop!(show(&other, 1), Error::<Test>::NoAudit);
		game.play(&all_with(&all, Conduct::Honest));
		game.end_window();

		let stranger = signed(&account(9));
		assert_noop!(
			Verification::reveal_canary(stranger, game.id, 1, maker(), NONCE),
			Error::<Test>::NotRequester
		);
		assert_noop!(show(&game, 2), Error::<Test>::NotAStage);
		assert_noop!(show(&game, 0), Error::<Test>::UnknownCanary);
		let origin = || signed(&requester());
		assert_noop!(
			Verification::reveal_canary(origin(), game.id, 1, account(9), NONCE),
			Error::<Test>::UnknownCanary
		);
		assert_noop!(
			Verification::reveal_canary(origin(), game.id, 1, maker(), H256::zero()),
			Error::<Test>::UnknownCanary
		);
		// Committed to when the record was there already.
		Canaries::<Test>::mutate(hash_of(&game, 1), |info| {
			info.as_mut().unwrap().at = game.entry.settled_at;
		});
		assert_noop!(show(&game, 1), Error::<Test>::CanaryTooLate);
		Canaries::<Test>::mutate(hash_of(&game, 1), |info| {
			info.as_mut().unwrap().at = game.entry.settled_at - 1;
		});
		assert_ok!(show(&game, 1));
		assert_noop!(show(&game, 1), Error::<Test>::NotInWindow);
		game.end_window();
	});
}

#[test]
fn a_record_that_was_drawn_by_order_should_be_no_canary() {
	with_game(|| {
		let all = verifiers(50, 3);
		mint(&maker(), FREE);
		fund();
		enter_epoch(SETTLED_IN);
		let game = Game::make(2, Some(0), 0);
		assert_ok!(Verification::commit_canary(signed(&maker()), hash_of(&game, 0)));
		next_block();
		let game = game.settle(None);
		let order = crate::mock::RuntimeOrigin::root();
		assert_ok!(Verification::force_draw(order, game.id, SETTLED_IN));
		enter_epoch(DRAWN_IN);
		game.play(&all_with(&all, Conduct::Honest));
		game.end_window();
		assert_noop!(show(&game, 0), Error::<Test>::DrawnByOrder);
	});
}
