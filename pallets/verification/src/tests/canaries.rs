//! Records that are false on purpose.

use super::support::*;
use crate::{
	mock::{
		enter_epoch, free, mint, next_block, stake_account, AuditPot, Balances, BurntSum, Faults,
		LotteryRevoked, MaxVerifiers, Mock, Parameters, Revoked, System, Test, Verification, ED,
		PARAMS,
	},
	Audits, Canaries, CanaryBudget, CanaryFunds, CanaryInfo, CanaryLots, Error, Event, FormerQueue,
	FormerVerifiers, Phase, Terms, VerifierInfo, Verifiers, CANARY_EPOCHS, CANARY_LIFE,
	MAX_CANARIES, MAX_FORMER_TERMS,
};
use aria_primitives::{
	audit::{canary_hash, prove_canary, AuditParams, SeatProof, Verdict},
	hashing::sha256,
	traits::{Accountable, AuditDraw},
	AccountId, Balance, ARIA,
};
use codec::Encode;
use frame_support::{
	assert_noop, assert_ok,
	traits::{fungible::Mutate, tokens::Preservation},
};
use sp_core::H256;
use sp_runtime::{DispatchResult, TokenError};

const NONCE: H256 = H256::repeat_byte(42);
/// The verifier that makes canaries.
const MAKER: u8 = 40;
const FEE: Balance = AuditParams::DEFAULT.verifier_fee;

/// Who commits for it.
fn poster() -> AccountId {
	account(5)
}

fn maker() -> AccountId {
	account(MAKER)
}

fn maker_pair() -> sp_core::sr25519::Pair {
	sp_core::Pair::from_seed(&[MAKER; 32])
}

fn maker_key() -> sp_core::sr25519::Public {
	sp_core::Pair::public(&maker_pair())
}

/// The proof of the maker's right of an epoch.
fn right(lots: &CanaryLots) -> SeatProof {
	prove_canary(&maker_pair(), lots.epoch, &lots.seed).1
}

fn hash_of(game: &Game, stage: u16) -> H256 {
	canary_hash(&Verification::genesis(), &game.id, stage, &maker(), &NONCE)
}

fn commit(hash: H256) -> DispatchResult {
	Verification::commit_canary(signed(&poster()), hash)
}

/// Begins the epoch in which a canary is made: so many audits went before that the maker has the right
/// for sure. All verifiers have a seat in each round, whoever is the maker.
fn prepare() {
	Parameters::set(AuditParams { first_seats: 8, further_seats: 16, ..PARAMS });
	let _maker = Verifier::new(MAKER).register();
	mint(&poster(), FREE);
	CanaryFunds::<Test>::put(CanaryBudget { amount: 10 * ARIA, audits: 100_000 });
	enter_epoch(SETTLED_IN);
}

/// Commits to a canary of two stages that is false at `stage`, or, if nobody lies, is said to be; then
/// settles and draws it.
fn canary(liar: Option<u16>, stage: u16) -> Game {
	prepare();
	let game = Game::make(2, liar, 0);
	assert_ok!(commit(hash_of(&game, stage)));
	next_block();
	let game = game.settle(None);
	enter_epoch(DRAWN_IN);
	game
}

fn lots(game: &Game, stage: u16) -> CanaryLots {
	Canaries::<Test>::get(hash_of(game, stage)).map(|info| info.lots).unwrap_or_default()
}

fn show(game: &Game, stage: u16) -> DispatchResult {
	let proof = right(&lots(game, stage));
	Verification::reveal_canary(signed(&requester()), game.id, stage, maker(), NONCE, proof)
}

/// What the record cost its maker, with those that are not drawn, and the fee: each is drawn for sure.
fn reward() -> Balance {
	COST + AuditParams::DEFAULT.canary_fee
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
		// Nobody passed it, so there is no slash to share; the pot pays no more than for any record.
		let fee = PRICE * 3 / 100 / 3;
		for verifier in &all {
			assert_eq!((verifier.free(), verifier.stake()), (FREE + fee, STAKE));
		}
		// Its maker's worker keeps stake and name; what the record would have paid it goes back.
		assert_eq!(free(&stake_account(&node(1))), STAKE);
		assert!(Faults::get().is_empty() && LotteryRevoked::get().is_empty());
		assert_eq!(Revoked::get().len(), 1);
		assert_eq!(free(&requester()), FREE + SHARE);
		assert_eq!((free(&maker()), free(&poster())), (FREE + reward(), FREE));
		let funds = CanaryFunds::<Test>::get();
		assert_eq!(funds.amount, 10 * ARIA + PRICE * 2 / 100 - reward());
		let tally = Verification::tally(node(1), 3);
		assert_eq!((tally.passed, tally.failed), (0, 0), "it says nothing of its worker");
		let drawn = Verification::drawn(game.id).unwrap().status;
		assert!(matches!(drawn, crate::DrawnStatus::Decided { canary: true, .. }));
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
		// The maker has its part of what they lost.
		let lost = 3 * (params.canary_slash + params.commit_bond);
		assert_eq!(free(&maker()), FREE + reward() + lost / 2);
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
		assert_eq!(free(&poster()), FREE - AuditParams::DEFAULT.canary_bond);
		assert_eq!(free(&maker()), FREE);
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
		assert_eq!(free(&poster()), FREE);
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
		assert_eq!(free(&poster()), FREE);
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
		assert_eq!(free(&poster()), FREE);
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
		assert_eq!((free(&maker()), free(&poster())), (FREE, FREE));
	});
}

#[test]
fn a_record_whose_verifiers_were_named_should_be_no_canary() {
	with_game(|| {
		let all = verifiers(50, 3);
		let names = names_of(&all);
		prepare();
		let game = Game::make(2, Some(0), 0);
		assert_ok!(commit(hash_of(&game, 0)));
		next_block();
		let game = game.settle(Some(names.using_encoded(sha256)));
		enter_epoch(DRAWN_IN);
		let found: Vec<_> = all.iter().map(|one| (one, Conduct::Echo)).collect();
		game.play_named(&found, &names);
		assert_eq!(
			(game.phase(), game.audit().verdict),
			(Some(Phase::Canary), Some(Verdict::Passed))
		);
		assert_noop!(show(&game, 0), Error::<Test>::NamedRecord);
		game.end_window();
		assert_eq!(game.verdict(), Some(Verdict::Passed));
		assert!(all.iter().all(|one| one.free() > FREE && one.stake() == STAKE));
	});
}

#[test]
fn a_review_by_verifiers_that_the_requester_named_should_prove_nothing() {
	with_game(|| {
		let all = verifiers(50, 3);
		let game = canary(Some(0), 0);
		let more = verifiers(60, 6);
		enter_epoch(DRAWN_IN + 2);
		game.play(&all_with(&all, Conduct::Echo));
		assert_ok!(show(&game, 0));
		// This can't happen; if it did, those who passed the record would keep what they have.
		let names = names_of(&more);
		Audits::<Test>::mutate(game.id, |audit| {
			audit.as_mut().unwrap().stakes.named = Some(names.using_encoded(sha256));
		});
		game.end_window();
		game.play_named(&all_with(&more, Conduct::Honest), &names);
		assert_eq!(game.verdict(), Some(Verdict::Passed));
		assert!(all.iter().chain(&more).all(|one| one.stake() == STAKE));
		assert_eq!((free(&maker()), free(&poster())), (FREE, FREE));
	});
}

#[test]
fn a_canary_should_live_as_long_as_its_audit_may_be_open() {
	with_game(|| {
		let all = verifiers(50, 3);
		let game = canary(Some(1), 1);
		let hash = hash_of(&game, 1);
		let forget = || Verification::forget_canary(signed(&account(9)), hash);
		// Windows are long, or the queue stands: its day is over before it may be shown.
		let back = System::block_number();
		System::set_block_number(back + CANARY_LIFE + 1);
		assert_noop!(forget(), Error::<Test>::CanaryAlive);
		System::set_block_number(back);
		game.play(&all_with(&all, Conduct::Honest));
		game.end_window();
		assert_ok!(show(&game, 1));
		game.end_window();
		assert!(Faults::get().is_empty());
	});
}

#[test]
fn what_a_canary_takes_should_not_be_promised_twice() {
	with_game(|| {
		let all = verifiers(50, 3);
		prepare();
		let whole =
			AuditParams { first_seats: 8, further_seats: 16, catch_ppm: 1_000_000, ..PARAMS };
		Parameters::set(whole);
		CanaryFunds::<Test>::put(CanaryBudget::default());
		let game = Game::make(2, Some(0), 0);
		assert_ok!(commit(hash_of(&game, 0)));
		next_block();
		let game = game.settle(None);
		enter_epoch(DRAWN_IN);
		let left = free(&AuditPot::get()) - ED;
		let to = gateway();
		assert_ok!(<Balances as Mutate<AccountId>>::transfer(
			&AuditPot::get(),
			&to,
			left,
			Preservation::Preserve
		));
		let money = all_money();
		game.play(&[
			(&all[0], Conduct::Honest),
			(&all[1], Conduct::Honest),
			(&all[2], Conduct::Echo),
		]);
		game.end_window();
		assert_ok!(show(&game, 0));
		game.end_window();
		assert_eq!(game.verdict(), Some(Verdict::Failed { stage: 0 }));
		// All that the third lost is theirs, in equal parts, and there is nothing else.
		let lost = AuditParams::DEFAULT.canary_slash + AuditParams::DEFAULT.commit_bond;
		for catcher in &all[..2] {
			assert_eq!(catcher.free(), FREE + lost / 2);
		}
		assert_eq!(free(&AuditPot::get()), ED);
		assert_eq!(all_money(), money);
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
		enter_epoch(SETTLED_IN + CANARY_EPOCHS + 1);
		let at = Canaries::<Test>::get(hash).unwrap().at;
		let back = System::block_number();
		System::set_block_number(at + CANARY_LIFE + 1);
		assert_ok!(forget());
		System::set_block_number(back);
		assert_eq!(free(&poster()), FREE - AuditParams::DEFAULT.canary_bond);
		assert_noop!(forget(), Error::<Test>::UnknownCanary);
	});
}

#[test]
fn any_account_should_commit_once_if_it_has_the_bond() {
	with_game(|| {
		mint(&poster(), FREE);
		let hash = H256::repeat_byte(1);
		assert_ok!(commit(hash));
		System::assert_last_event(Event::<Test>::CanaryCommitted { hash, by: poster() }.into());
		assert_eq!(free(&poster()), FREE - AuditParams::DEFAULT.canary_bond);
		assert_noop!(commit(hash), Error::<Test>::CanaryKnown);
		let poor = Verification::commit_canary(signed(&account(77)), H256::repeat_byte(2));
		assert_eq!(poor.unwrap_err(), TokenError::FundsUnavailable.into());
	});
}

#[test]
fn there_should_be_no_more_canaries_than_may_be() {
	with_game(|| {
		mint(&poster(), FREE);
		let hash = |number: u32| H256::from_low_u64_be(number.into());
		let lots = CanaryLots::default();
		let info = CanaryInfo { by: account(9), at: 1, bond: 0, lots };
		(0..MAX_CANARIES).for_each(|number| Canaries::<Test>::insert(hash(number), &info));
		assert_noop!(commit(hash(MAX_CANARIES)), Error::<Test>::TooManyCanaries);
	});
}

#[test]
fn rights_should_be_drawn_by_what_an_epoch_began_with() {
	with_game(|| {
		prepare();
		let terms = Terms::<Test>::get().unwrap();
		assert_eq!(terms.lots.epoch, SETTLED_IN);
		assert_eq!(terms.params, Verification::audit_parameters());
		assert_eq!((terms.lots.audits, terms.lots.total), (100_000, STAKE));
		assert_eq!(CanaryFunds::<Test>::get().audits, 0);
		next_block();
		assert_eq!(Terms::<Test>::get(), Some(terms));
		enter_epoch(SETTLED_IN + 1);
		let next = Verification::epoch_terms().lots;
		assert_eq!((next.epoch, next.audits), (SETTLED_IN + 1, 0));
		assert_ne!(next.seed, terms.lots.seed);
	});
}

#[test]
fn a_canary_without_a_right_should_be_a_lie_like_others() {
	with_game(|| {
		let all = verifiers(50, 3);
		let game = canary(Some(0), 0);
		game.play(&all_with(&all, Conduct::Honest));
		game.end_window();
		let hash = hash_of(&game, 0);
		let info = Canaries::<Test>::get(hash).unwrap();
		let good = right(&info.lots);
		let show = |proof| {
			Verification::reveal_canary(signed(&requester()), game.id, 0, maker(), NONCE, proof)
		};
		// It is another epoch's, or another verifier's.
		let other = right(&CanaryLots { epoch: 1, ..info.lots });
		assert_noop!(show(other), Error::<Test>::BadSeatProof);
		// No audits, no canaries.
		Canaries::<Test>::mutate(hash, |info| info.as_mut().unwrap().lots.audits = 0);
		assert_noop!(show(good), Error::<Test>::NoCanaryRight);
		Canaries::<Test>::insert(hash, &info);
		// Its key has to be older.
		let set = |change: &dyn Fn(&mut VerifierInfo)| {
			Verifiers::<Test>::mutate(maker(), |info| change(info.as_mut().unwrap()));
		};
		set(&|info| info.from = SETTLED_IN + 1);
		assert_noop!(show(good), Error::<Test>::VerifierTooNew);
		set(&|info| info.from = 2);
		let before = Verifiers::<Test>::take(maker()).unwrap();
		assert_noop!(show(good), Error::<Test>::NotVerifier);
		Verifiers::<Test>::insert(maker(), before);

		game.end_window();
		assert_eq!(game.verdict(), Some(Verdict::Failed { stage: 0 }));
		assert_eq!(Faults::get(), [node(0)]);
	});
}

#[test]
fn a_right_should_pay_for_one_canary_and_excuse_the_stake_of_others() {
	with_game(|| {
		let all = verifiers(50, 3);
		prepare();
		let games = [0, 1].map(|number| Game::make(1, Some(0), number));
		for game in &games {
			assert_ok!(commit(hash_of(game, 0)));
		}
		next_block();
		let games = games.map(|game| game.settle(None));
		enter_epoch(DRAWN_IN);
		for game in &games {
			for verifier in &all {
				assert_ok!(verifier.commit(game, Conduct::Honest));
			}
		}
		games[0].end_window();
		for game in &games {
			for verifier in &all {
				assert_ok!(verifier.reveal(game, Conduct::Honest));
			}
		}
		games[0].end_window();
		for game in &games {
			for verifier in &all {
				assert_ok!(verifier.open(game, Conduct::Honest));
			}
		}
		games[0].end_window();
		// The second round, for which nobody is left, and the window for canaries.
		games[0].end_window();
		for game in &games {
			assert_ok!(show(game, 0));
		}
		games[0].end_window();
		for game in &games {
			assert_eq!(game.verdict(), Some(Verdict::Failed { stage: 0 }));
		}
		assert_eq!(free(&stake_account(&node(0))), STAKE);
		assert_eq!((free(&maker()), free(&poster())), (FREE + reward(), FREE));
		// The second one cost its worker the epoch's lottery: no right excuses work without end.
		assert_eq!(LotteryRevoked::get(), [(node(0), SETTLED_IN)]);
	});
}

#[test]
fn a_canary_should_take_all_fees_that_are_not_paid() {
	with_game(|| {
		let all = verifiers(50, 3);
		let game = canary(Some(0), 0);
		let more = verifiers(60, 6);
		enter_epoch(DRAWN_IN + 2);
		// Fees that wait.
		crate::FeesOwed::<Test>::put(5 * FEE);
		Verifiers::<Test>::mutate(&all[0].account, |info| {
			let info = info.as_mut().unwrap();
			(info.owed, info.ripening) = (2 * FEE, 3 * FEE);
		});
		game.play(&all_with(&all, Conduct::Echo));
		assert_ok!(show(&game, 0));
		game.end_window();
		game.play(&all_with(&more, Conduct::Honest));
		assert_eq!(game.verdict(), Some(Verdict::Failed { stage: 0 }));
		System::assert_has_event(
			Event::<Test>::FeesForfeited { verifier: all[0].account.clone(), amount: 5 * FEE }
				.into(),
		);
		assert_eq!(Verification::verifier(all[0].account.clone()).unwrap().fees(), 0);
		assert_eq!(crate::FeesOwed::<Test>::get(), 0);
	});
}

#[test]
fn a_canary_that_was_passed_over_should_have_its_bond_back() {
	with_game(|| {
		prepare();
		let game = Game::make(1, Some(0), 0);
		assert_ok!(commit(hash_of(&game, 0)));
		next_block();
		let game = game.settle(None);
		let withdraw = |who: AccountId| {
			Verification::withdraw_canary(signed(&who), game.id, 0, maker(), NONCE)
		};
		assert_noop!(withdraw(account(9)), Error::<Test>::NotRequester);
		assert_noop!(withdraw(requester()), Error::<Test>::CanaryMayBeDrawn);
		// As if the lot had passed it over.
		crate::Settled::<Test>::remove(SETTLED_IN, game.id);
		crate::PendingEpochs::<Test>::kill();
		enter_epoch(DRAWN_IN);
		assert!(<Verification as AuditDraw>::is_drawn(SETTLED_IN));
		assert_ok!(withdraw(requester()));
		System::assert_last_event(
			Event::<Test>::CanaryReturned { id: game.id, by: poster() }.into(),
		);
		assert_eq!(free(&poster()), FREE);
		assert_noop!(withdraw(requester()), Error::<Test>::UnknownCanary);
	});
	with_game(|| {
		let _all = verifiers(50, 3);
		let game = canary(Some(1), 1);
		assert_noop!(
			Verification::withdraw_canary(signed(&requester()), game.id, 1, maker(), NONCE),
			Error::<Test>::CanaryMayBeDrawn
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

		let proof = right(&lots(&game, 1));
		let reveal = |who: AccountId, maker: AccountId, nonce: H256| {
			Verification::reveal_canary(signed(&who), game.id, 1, maker, nonce, proof)
		};
		assert_noop!(reveal(account(9), maker(), NONCE), Error::<Test>::NotRequester);
		assert_noop!(show(&game, 2), Error::<Test>::NotAStage);
		assert_noop!(show(&game, 0), Error::<Test>::UnknownCanary);
		assert_noop!(reveal(requester(), account(9), NONCE), Error::<Test>::UnknownCanary);
		let zero = H256::zero();
		assert_noop!(reveal(requester(), maker(), zero), Error::<Test>::UnknownCanary);
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
		prepare();
		let game = Game::make(2, Some(0), 0);
		assert_ok!(commit(hash_of(&game, 0)));
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

/// A verifier with more stake takes the place of the maker.
fn displace(seed: u8) {
	let rich = Verifier::new(seed);
	mint(&stake_account(&rich.account), 1);
	MaxVerifiers::set(Verifiers::<Test>::count());
	let key = sp_core::Pair::public(&rich.pair);
	assert_ok!(Verification::displace_verifier(signed(&rich.account), key, maker()));
	MaxVerifiers::set(1_000);
}

#[test]
fn a_displaced_verifier_should_show_its_canaries() {
	with_game(|| {
		let all = verifiers(50, 3);
		let game = canary(Some(1), 1);
		displace(70);
		assert_eq!(Verification::verifier(maker()), None);
		game.play(&all_with(&all, Conduct::Honest));
		game.end_window();
		assert_ok!(show(&game, 1));
		game.end_window();

		assert_eq!(game.verdict(), Some(Verdict::Failed { stage: 1 }));
		assert_eq!(free(&stake_account(&node(1))), STAKE);
		assert!(Faults::get().is_empty() && LotteryRevoked::get().is_empty());
		assert_eq!((free(&maker()), free(&poster())), (FREE + reward(), FREE));
	});
}

#[test]
fn who_was_retired_by_others_should_show_its_canaries_by_the_key_that_it_had() {
	with_game(|| {
		let all = verifiers(50, 3);
		let game = canary(Some(1), 1);
		assert_eq!(Mock::slash(&maker(), 1, &gateway()), 1);
		assert_ok!(Verification::retire_verifier(signed(&account(9)), maker()));
		// It registers again, with another key: the right was the old one's.
		let pair: sp_core::sr25519::Pair = sp_core::Pair::from_seed(&[99; 32]);
		let key = sp_core::Pair::public(&pair);
		assert_ok!(Verification::register_verifier(signed(&maker()), key));
		game.play(&all_with(&all, Conduct::Honest));
		game.end_window();
		let lots = lots(&game, 1);
		let other = prove_canary(&pair, lots.epoch, &lots.seed).1;
		assert_noop!(
			Verification::reveal_canary(signed(&requester()), game.id, 1, maker(), NONCE, other),
			Error::<Test>::BadSeatProof
		);
		assert_ok!(show(&game, 1));
		assert_eq!(FormerVerifiers::<Test>::get(maker())[0].canary, Some(lots.epoch));
		game.end_window();
		assert_eq!(game.verdict(), Some(Verdict::Failed { stage: 1 }));
		assert!(Faults::get().is_empty());
	});
}

#[test]
fn a_former_verifier_should_have_the_right_once_and_for_what_was_committed_to_before() {
	with_game(|| {
		let _all = verifiers(50, 3);
		let game = canary(Some(1), 1);
		let hash = hash_of(&game, 1);
		let info = Canaries::<Test>::get(hash).unwrap();
		let ended_at = System::block_number();
		assert_ok!(Verification::retire_verifier(signed(&maker()), maker()));
		let proof = right(&info.lots);
		let use_it = |at: u32| {
			Canaries::<Test>::mutate(hash, |info| info.as_mut().unwrap().at = at);
			let info = Canaries::<Test>::get(hash).unwrap();
			Verification::use_right(&maker(), &info, PARAMS.canary_rate, &proof)
		};
		assert_eq!(use_it(ended_at + 1), Err(Error::<Test>::NotVerifier.into()));
		assert_eq!(use_it(ended_at), Ok(false));
		assert_eq!(use_it(info.at), Ok(true), "it is used");
		let early = CanaryInfo { lots: CanaryLots { epoch: 1, ..info.lots }, ..info };
		let early = Verification::use_right(&maker(), &early, PARAMS.canary_rate, &proof);
		assert_eq!(early, Err(Error::<Test>::NotVerifier.into()));
	});
}

#[test]
fn former_verifiers_should_be_kept_as_long_as_a_canary_lives() {
	with_game(|| {
		prepare();
		let kept = || FormerVerifiers::<Test>::get(maker()).len();
		let retire = || Verification::retire_verifier(signed(&maker()), maker());
		let register = || Verification::register_verifier(signed(&maker()), maker_key());
		// Where there are no canaries, and before it counts, nothing is kept.
		assert_ok!(retire());
		assert_eq!(kept(), 0);
		assert_ok!(commit(H256::repeat_byte(1)));
		assert_ok!(register());
		assert_ok!(retire());
		assert_eq!(kept(), 0);
		// At most so many times, the earliest goes first.
		for round in 1..=u64::from(MAX_FORMER_TERMS) + 2 {
			assert_ok!(register());
			enter_epoch(SETTLED_IN + 2 * round);
			assert_ok!(retire());
			Verification::do_try_state().unwrap();
		}
		assert_eq!(kept(), MAX_FORMER_TERMS as usize);
		let terms = FormerVerifiers::<Test>::get(maker());
		assert_eq!(terms[0].from, SETTLED_IN + 6);

		let last = System::block_number() + CANARY_LIFE;
		// Audits of what was committed to in the last epochs may be open.
		System::set_block_number(last + 1);
		for _ in 0..u64::from(MAX_FORMER_TERMS) {
			next_block();
		}
		assert_eq!(FormerQueue::<Test>::iter().count(), 3);
		System::set_block_number(last - 2);
		enter_epoch(SETTLED_IN + 2 * (u64::from(MAX_FORMER_TERMS) + 2) + CANARY_EPOCHS + 1);
		System::set_block_number(last - 1);
		while FormerQueue::<Test>::iter().count() > 1 {
			System::set_block_number(last - 1);
			next_block();
			Verification::do_try_state().unwrap();
		}
		assert_eq!(kept(), 1, "the last canary may be shown in this block");
		next_block();
		assert_eq!((kept(), FormerQueue::<Test>::iter().count()), (0, 0));
	});
}
