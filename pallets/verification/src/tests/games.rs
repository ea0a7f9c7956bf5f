//! Whole audits: who wins, who loses, and that nothing else changes.

use super::support::*;
use crate::{
	mock::{
		enter_epoch, free, mint, next_block, stake_account, AuditPot, BurntSum, Era, Faults,
		LotteryRevoked, Parameters, Passes, Revoked, System, Test, Unvested, Verification, MARKET,
	},
	Audits, Event, Phase, Seats,
};
use aria_primitives::{
	audit::{AuditParams, Named, Verdict},
	hashing::sha256,
	traits::AuditDraw,
	views::AuditStatus,
	Balance, ARIA,
};
use codec::Encode;
use frame_support::assert_ok;
use sp_core::H256;

/// What a right seat is paid, where the stages' shares have what the pot may not give.
const FEE: Balance = AuditParams::DEFAULT.verifier_fee;

/// What of it comes out of the pot if `count` seats are paid: all, or their part of the bound.
fn of_pot(count: Balance) -> Balance {
	FEE.min(PRICE * Balance::from(AuditParams::DEFAULT.fee_ppm) / 1_000_000 / count)
}

/// Lets verifiers that register now count from the next epoch of the tests on.
fn second_round(game: &Game) {
	enter_epoch(DRAWN_IN + 2);
	assert_eq!(game.audit().round, 0);
}

#[test]
fn an_honest_record_should_pass() {
	with_game(|| {
		let all = verifiers(50, 3);
		let game = Game::begin(3, None);
		let (money, pot) = (all_money(), free(&AuditPot::get()));
		assert!(Verification::is_drawn(SETTLED_IN) && !Verification::is_closed(SETTLED_IN));
		let honest: Vec<_> = all.iter().map(|one| (one, Conduct::Honest)).collect();
		game.play(&honest);

		assert_eq!(game.verdict(), Some(Verdict::Passed));
		System::assert_last_event(
			Event::<Test>::Decided { id: game.id, verdict: Verdict::Passed }.into(),
		);
		for verifier in &all {
			assert_eq!(verifier.free(), FREE + FEE);
			assert_eq!(verifier.stake(), STAKE);
		}
		assert_eq!(free(&AuditPot::get()), pot - 3 * of_pot(3));
		// The rest is the stages', a third each.
		for stage in 0..3 {
			let left = Unvested::get()[&(SETTLED_IN, node(stage))];
			assert_eq!(left, SHARE - (FEE - of_pot(3)));
			let tally = Verification::tally(node(stage), 3);
			assert_eq!((tally.passed, tally.failed, tally.pass_rate()), (1, 0, 1_000_000));
		}
		assert_eq!(Passes::get(), [node(0), node(1), node(2)]);
		assert_eq!((all_money(), BurntSum::get()), (money, 0));
		assert!(Revoked::get().is_empty() && Faults::get().is_empty());
		assert!(Verification::is_closed(SETTLED_IN));
		assert!(<Verification as AuditDraw>::is_closed_through(SETTLED_IN));
		let at = System::block_number();
		assert_eq!(
			Verification::status(game.id, SETTLED_IN, true),
			AuditStatus::Decided { verdict: Verdict::Passed, at }
		);
		assert_eq!(Seats::<Test>::iter().count() + Audits::<Test>::iter().count(), 0);
	});
}

#[test]
fn a_lying_stage_should_be_found_wherever_it_is() {
	for (stages, liar) in [(1, 0), (2, 0), (2, 1), (3, 0), (3, 1), (3, 2)] {
		with_game(|| {
			let all = verifiers(50, 3);
			let game = Game::begin(stages, Some(liar));
			let (money, pot) = (all_money(), free(&AuditPot::get()));
			let honest: Vec<_> = all.iter().map(|one| (one, Conduct::Honest)).collect();
			game.play(&honest);
			// Disputed: others may come. Nobody is left who could.
			assert_eq!((game.verdict(), game.audit().round), (None, 1));
			game.end_window();

			assert_eq!(game.verdict(), Some(Verdict::Failed { stage: liar }));
			for stage in 0..stages {
				let (worker, lies) = (node(stage), u16::from(stage) == liar);
				let stake = free(&stake_account(&worker));
				assert_eq!(stake, if lies { STAKE / 2 } else { STAKE });
				// Who worked on what is false has nothing of it either.
				let behind = u16::from(stage) >= liar;
				let left = Unvested::get()[&(SETTLED_IN, worker.clone())];
				assert_eq!(left, if behind { 0 } else { SHARE });
				let tally = Verification::tally(worker, 3);
				let expected = (u32::from(!behind), u32::from(lies));
				assert_eq!((tally.passed, tally.failed), expected);
			}
			let behind = stages - liar as u8;
			let liar = node(liar as u8);
			assert_eq!(Faults::get(), std::slice::from_ref(&liar));
			assert_eq!(LotteryRevoked::get(), [(liar.clone(), SETTLED_IN)]);
			let revoked = Revoked::get();
			assert_eq!(revoked.len(), usize::from(behind));
			assert_eq!((revoked[0].0, &revoked[0].1.worker), (3, &liar));
			assert_eq!((revoked[0].1.work, revoked[0].1.burnt), (5_000, 77));
			assert_eq!(revoked[0].1.latency_ms_per_token, 100);

			// The requester has its price, the verifiers their whole fees; the rest is burnt.
			assert_eq!(free(&requester()), FREE + PRICE);
			let fees = 3 * AuditParams::DEFAULT.verifier_fee;
			assert!(all.iter().all(|one| one.free() == FREE + fees / 3));
			let taken = STAKE / 2 + SHARE * Balance::from(behind);
			assert_eq!(BurntSum::get(), taken - PRICE - fees);
			assert_eq!((all_money(), free(&AuditPot::get())), (money, pot));
		});
	}
}

#[test]
fn a_lying_sampler_should_be_the_last_stage() {
	with_game(|| {
		let all = verifiers(50, 2);
		let game = Game::begin(3, None);
		game.play(&[(&all[0], Conduct::Output), (&all[1], Conduct::Output)]);
		game.end_window();
		assert_eq!(game.verdict(), Some(Verdict::Failed { stage: 2 }));
		assert_eq!(Faults::get(), [node(2)]);
	});
}

#[test]
fn a_false_accusation_should_cost_the_accuser() {
	with_game(|| {
		let few = verifiers(50, 3);
		let game = Game::begin(2, None);
		let (money, pot) = (all_money(), free(&AuditPot::get()));
		let more = verifiers(60, 6);
		let minted = all_money() - money;
		second_round(&game);
		game.play(&[
			(&few[0], Conduct::Honest),
			(&few[1], Conduct::Honest),
			(&few[2], Conduct::Accuse(1)),
		]);
		assert_eq!((game.audit().round, game.phase()), (1, Some(Phase::Commit)));
		let honest: Vec<_> = more.iter().map(|one| (one, Conduct::Honest)).collect();
		game.play(&honest);

		assert_eq!(game.verdict(), Some(Verdict::Passed));
		let params = AuditParams::DEFAULT;
		assert_eq!(few[2].free(), FREE - params.commit_bond);
		assert_eq!(few[2].stake(), STAKE * 3 / 4);
		System::assert_has_event(
			Event::<Test>::Overruled {
				id: game.id,
				verifier: few[2].account.clone(),
				slashed: STAKE / 4,
			}
			.into(),
		);
		for verifier in few[..2].iter().chain(&more) {
			assert_eq!((verifier.free(), verifier.stake()), (FREE + FEE, STAKE));
		}
		// Who accused pays for the second round; neither pot nor stages do.
		let lost = params.commit_bond + STAKE / 4;
		assert_eq!(free(&AuditPot::get()), pot + lost - 8 * FEE);
		assert_eq!(Unvested::get()[&(SETTLED_IN, node(0))], SHARE);
		assert!(Faults::get().is_empty() && Revoked::get().is_empty());
		assert_eq!((all_money(), BurntSum::get()), (money + minted, 0));
	});
}

#[test]
fn a_true_accusation_should_win_in_the_second_round() {
	with_game(|| {
		let few = verifiers(50, 3);
		let game = Game::begin(2, Some(1));
		let more = verifiers(60, 6);
		let money = all_money();
		second_round(&game);
		// Two of three echo what the executors computed.
		game.play(&[
			(&few[0], Conduct::Honest),
			(&few[1], Conduct::Echo),
			(&few[2], Conduct::Echo),
		]);
		let honest: Vec<_> = more.iter().map(|one| (one, Conduct::Honest)).collect();
		game.play(&honest);

		assert_eq!(game.verdict(), Some(Verdict::Failed { stage: 1 }));
		let bond = AuditParams::DEFAULT.commit_bond;
		for echo in &few[1..] {
			assert_eq!((echo.free(), echo.stake()), (FREE - bond, STAKE * 3 / 4));
		}
		assert_eq!(few[0].free(), FREE + AuditParams::DEFAULT.verifier_fee);
		assert_eq!(free(&requester()), FREE + PRICE);
		assert_eq!(all_money(), money);
	});
}

#[test]
fn one_accuser_alone_should_convict_nobody() {
	with_game(|| {
		let all = verifiers(50, 1);
		let game = Game::begin(2, Some(0));
		let money = all_money();
		game.play(&[(&all[0], Conduct::Honest)]);
		game.end_window();
		assert_eq!(game.verdict(), Some(Verdict::Unaudited));
		assert_eq!(Verification::status(game.id, SETTLED_IN, true), AuditStatus::Unaudited);
		assert_eq!((all[0].free(), all[0].stake()), (FREE, STAKE));
		assert!(Faults::get().is_empty());
		// No emission, no failure.
		assert_eq!(Revoked::get().len(), 2);
		assert_eq!((all_money(), BurntSum::get()), (money, 0));
	});
}

#[test]
fn seats_without_a_majority_should_leave_the_record_unaudited() {
	with_game(|| {
		let all = verifiers(50, 3);
		let game = Game::begin(3, None);
		let money = all_money();
		game.play(&[
			(&all[0], Conduct::Honest),
			(&all[1], Conduct::Accuse(0)),
			(&all[2], Conduct::Accuse(2)),
		]);
		game.end_window();
		assert_eq!(game.verdict(), Some(Verdict::Unaudited));
		assert!(all.iter().all(|one| (one.free(), one.stake()) == (FREE, STAKE)));
		assert_eq!((all_money(), BurntSum::get()), (money, 0));
	});
}

#[test]
fn a_record_that_nobody_comes_for_should_be_unaudited() {
	with_game(|| {
		let _all = verifiers(50, 3);
		let game = Game::begin(2, Some(0));
		let (money, began) = (all_money(), System::block_number());
		game.end_window();
		assert_eq!(game.verdict(), Some(Verdict::Unaudited));
		assert_eq!(System::block_number(), began + AuditParams::DEFAULT.window + 1);
		assert_eq!(Revoked::get().len(), 2);
		assert_eq!(all_money(), money);
	});
}

#[test]
fn a_record_should_not_wait_when_there_is_no_verifier_at_all() {
	with_game(|| {
		enter_epoch(SETTLED_IN);
		let game = Game::make(2, None, 0).settle(None);
		enter_epoch(DRAWN_IN);
		assert_eq!(game.verdict(), Some(Verdict::Unaudited));
		assert!(Verification::is_closed(SETTLED_IN));
	});
}

#[test]
fn who_does_not_go_on_should_lose_its_bond() {
	with_game(|| {
		let all = verifiers(50, 3);
		let game = Game::begin(2, None);
		let (money, pot) = (all_money(), free(&AuditPot::get()));
		for verifier in &all {
			assert_ok!(verifier.commit(&game, Conduct::Honest));
		}
		game.end_window();
		// The first does not reveal, the second does not open.
		for verifier in &all[1..] {
			assert_ok!(verifier.reveal(&game, Conduct::Honest));
		}
		game.end_window();
		assert_ok!(all[2].open(&game, Conduct::Honest));
		game.end_window();

		assert_eq!(game.verdict(), Some(Verdict::Passed));
		let bond = AuditParams::DEFAULT.commit_bond;
		assert_eq!(all[0].free(), FREE - bond);
		assert_eq!(all[1].free(), FREE - bond);
		assert_eq!(all[2].free(), FREE + FEE);
		assert!(all.iter().all(|one| one.stake() == STAKE));
		assert_eq!(free(&AuditPot::get()), pot + 2 * bond - of_pot(1));
		assert_eq!(all_money(), money);
	});
}

#[test]
fn a_stage_that_did_not_sign_should_not_pay_for_its_gateway() {
	with_game(|| {
		let all = verifiers(50, 3);
		enter_epoch(SETTLED_IN);
		let mut game = Game::make(3, Some(1), 0);
		game.entry.signed_stages = 0b101;
		let game = game.settle(None);
		enter_epoch(DRAWN_IN);
		let money = all_money();
		let honest: Vec<_> = all.iter().map(|one| (one, Conduct::Honest)).collect();
		game.play(&honest);
		game.end_window();

		assert_eq!(game.verdict(), Some(Verdict::Failed { stage: 1 }));
		assert_eq!(free(&stake_account(&node(1))), STAKE);
		assert_eq!(free(&stake_account(&gateway())), GATEWAY_STAKE - PRICE);
		assert_eq!(free(&requester()), FREE + PRICE);
		assert!(Faults::get().is_empty());
		// The stage behind worked on what is false.
		let revoked = Revoked::get();
		assert_eq!((revoked.len(), &revoked[0].1.worker), (1, &node(2)));
		assert_eq!(all_money(), money);
	});
}

#[test]
fn a_refund_should_never_come_out_of_the_pot() {
	with_game(|| {
		let all = verifiers(50, 3);
		enter_epoch(SETTLED_IN);
		let mut game = Game::make(1, Some(0), 0);
		game.entry.price = 1_000 * ARIA;
		let game = game.settle(None);
		enter_epoch(DRAWN_IN);
		let pot = free(&AuditPot::get());
		let honest: Vec<_> = all.iter().map(|one| (one, Conduct::Honest)).collect();
		game.play(&honest);
		game.end_window();
		// All of the stake, and the share: less than the price.
		assert_eq!(free(&requester()), FREE + STAKE + SHARE);
		assert_eq!(free(&stake_account(&node(0))), 0);
		let fees = 3 * AuditParams::DEFAULT.verifier_fee;
		assert_eq!(free(&AuditPot::get()), pot - fees);
	});
}

#[test]
fn fees_should_be_bounded_by_the_price_over_the_odds() {
	with_game(|| {
		let all = verifiers(50, 3);
		enter_epoch(SETTLED_IN);
		let mut game = Game::make(1, None, 0);
		game.entry.price = ARIA / 100;
		let game = game.settle(None);
		enter_epoch(DRAWN_IN);
		let pot = free(&AuditPot::get());
		let honest: Vec<_> = all.iter().map(|one| (one, Conduct::Honest)).collect();
		game.play(&honest);
		// Drawn for certain: 30,000 ppm of a hundredth, for three.
		assert_eq!(pot - free(&AuditPot::get()), 3 * (ARIA / 100 * 3 / 100 / 3));
	});
}

#[test]
fn an_empty_pot_should_pay_nothing_and_stop_nobody() {
	with_game(|| {
		let all = verifiers(50, 3);
		let game = Game::begin(1, None);
		let pot = AuditPot::get();
		use frame_support::traits::fungible::Mutate;
		let left = free(&pot) - crate::mock::ED;
		assert_ok!(<crate::mock::Balances as Mutate<_>>::transfer(
			&pot,
			&gateway(),
			left,
			frame_support::traits::tokens::Preservation::Preserve
		));
		let honest: Vec<_> = all.iter().map(|one| (one, Conduct::Honest)).collect();
		game.play(&honest);
		assert_eq!(game.verdict(), Some(Verdict::Passed));
		// What the stages give is there all the same.
		assert!(all.iter().all(|one| one.free() == FREE + FEE - of_pot(3)));
	});
}

#[test]
fn a_record_that_is_pruned_should_end_its_audit_without_harm() {
	with_game(|| {
		let all = verifiers(50, 3);
		let game = Game::begin(2, Some(0));
		let money = all_money();
		assert_ok!(all[0].commit(&game, Conduct::Honest));
		crate::mock::Records::mutate(|records| records.remove(&game.id));
		assert_eq!(
			all[1].commit_hash(&game, H256::zero()).unwrap_err().error,
			crate::Error::<Test>::NoRecord.into()
		);
		game.end_window();
		assert_eq!(game.verdict(), Some(Verdict::Unaudited));
		assert_eq!(all[0].free(), FREE);
		assert_eq!(all_money(), money);
	});
}

#[test]
fn named_verifiers_should_pass_a_record_but_accuse_nobody() {
	for (liar, verdict) in [(None, Verdict::Passed), (Some(0), Verdict::Unaudited)] {
		with_game(|| {
			let all = verifiers(50, 3);
			let names: Named =
				vec![all[0].account.clone(), all[1].account.clone()].try_into().unwrap();
			enter_epoch(SETTLED_IN);
			let game = Game::make(2, liar, 0).settle(Some(names.using_encoded(sha256)));
			enter_epoch(DRAWN_IN);
			let commit = |who: &Verifier, names: Named| {
				let commitment = who.commitment(&game, Conduct::Honest);
				let origin = signed(&who.account);
				Verification::commit(origin, game.id, who.proof(&game), commitment, names)
			};
			let refusal = |result: frame_support::dispatch::DispatchResultWithPostInfo| {
				result.unwrap_err().error
			};
			assert_eq!(
				refusal(commit(&all[0], Named::default())),
				crate::Error::<Test>::OtherNames.into()
			);
			assert_eq!(
				refusal(commit(&all[2], names.clone())),
				crate::Error::<Test>::NotNamed.into()
			);
			for verifier in &all[..2] {
				assert_ok!(commit(verifier, names.clone()));
			}
			game.end_window();
			for verifier in &all[..2] {
				assert_ok!(verifier.reveal(&game, Conduct::Honest));
			}
			game.end_window();
			for verifier in &all[..2] {
				assert_ok!(verifier.open(&game, Conduct::Honest));
			}
			game.end_window();
			assert_eq!(game.verdict(), Some(verdict));
			assert!(Faults::get().is_empty());
		});
	}
}

#[test]
fn named_verifiers_should_neither_overrule_each_other_nor_make_a_name() {
	with_game(|| {
		let all = verifiers(50, 3);
		let names = names_of(&all);
		enter_epoch(SETTLED_IN);
		let game = Game::make(2, None, 0).settle(Some(names.using_encoded(sha256)));
		enter_epoch(DRAWN_IN);
		let money = all_money();
		// The requester's own are the most.
		let found = [Conduct::Honest, Conduct::Honest, Conduct::Output];
		let played: Vec<_> = all.iter().zip(found).collect();
		game.play_named(&played, &names);

		assert_eq!(game.verdict(), Some(Verdict::Passed));
		assert_eq!((all[2].free(), all[2].stake()), (FREE, STAKE));
		assert!(all[..2].iter().all(|one| one.free() > FREE));
		assert!(Passes::get().is_empty());
		let tally = Verification::tally(node(0), 3);
		assert_eq!((tally.passed, tally.failed), (0, 0));
		assert_eq!(all_money(), money);
	});
}

#[test]
fn parameters_should_stay_those_of_the_beginning() {
	with_game(|| {
		let all = verifiers(50, 3);
		let game = Game::begin(1, None);
		Parameters::set(AuditParams { window: 200, verifier_fee: 0, ..AuditParams::DEFAULT });
		let honest: Vec<_> = all.iter().map(|one| (one, Conduct::Honest)).collect();
		game.play(&honest);
		assert!(all.iter().all(|one| one.free() == FREE + FEE));
		// What lies outside of its range counts as its end.
		Parameters::set(AuditParams { window: 1, ..AuditParams::DEFAULT });
		assert_eq!(Verification::audit_parameters().window, 100);
		next_block();
	});
}

#[test]
fn a_failure_should_take_everything_that_has_not_vested() {
	with_game(|| {
		let all = verifiers(50, 3);
		let game = Game::begin(2, Some(0));
		// What it earned elsewhere, later.
		mint(&MARKET, 7 * SHARE);
		Unvested::mutate(|unvested| unvested.insert((SETTLED_IN + 3, node(0)), 7 * SHARE));
		let money = all_money();
		let honest: Vec<_> = all.iter().map(|one| (one, Conduct::Honest)).collect();
		game.play(&honest);
		game.end_window();
		assert_eq!(game.verdict(), Some(Verdict::Failed { stage: 0 }));
		assert!(Unvested::get().iter().all(|((_, who), left)| *who != node(0) || *left == 0));
		let taken = STAKE / 2 + 8 * SHARE + SHARE;
		assert_eq!(BurntSum::get(), taken - PRICE - 3 * FEE);
		assert_eq!(all_money(), money);
	});
}

#[test]
fn a_third_of_lying_seats_should_not_save_a_stage() {
	with_game(|| {
		let few = verifiers(50, 3);
		let game = Game::begin(1, Some(0));
		let more = verifiers(60, 4);
		second_round(&game);
		game.play(&[
			(&few[0], Conduct::Honest),
			(&few[1], Conduct::Honest),
			(&few[2], Conduct::Echo),
		]);
		// Four of seven: less than two thirds, more than half.
		game.play(&[
			(&more[0], Conduct::Honest),
			(&more[1], Conduct::Honest),
			(&more[2], Conduct::Echo),
			(&more[3], Conduct::Echo),
		]);
		assert_eq!(game.verdict(), Some(Verdict::Failed { stage: 0 }));
	});
}

#[test]
fn accusers_should_count_together_only_if_they_found_the_same() {
	with_game(|| {
		let few = verifiers(50, 3);
		let game = Game::begin(1, Some(0));
		// Two ran the record; the third blames the same stage with a root that it made up.
		let lazy = &few[2];
		let mut made_up = lazy.what(&game, Conduct::Honest);
		let aria_primitives::audit::Finding::Boundary { roots, .. } = &mut made_up.finding else {
			panic!("it accuses")
		};
		roots[0] = H256::repeat_byte(9);
		let genesis = Verification::genesis();
		let hash =
			aria_primitives::audit::commitment(&genesis, &game.id, 0, &lazy.account, &made_up);
		for honest in &few[..2] {
			assert_ok!(honest.commit(&game, Conduct::Honest));
		}
		assert_ok!(lazy.commit_hash(&game, hash));
		game.end_window();
		for honest in &few[..2] {
			assert_ok!(honest.reveal(&game, Conduct::Honest));
		}
		assert_ok!(lazy.reveal_what(&game, made_up));
		game.end_window();
		for honest in &few[..2] {
			assert_ok!(honest.open(&game, Conduct::Honest));
		}
		// It has no leaf that leads to that root.
		let refused = lazy.open(&game, Conduct::Honest).unwrap_err().error;
		assert_eq!(refused, crate::Error::<Test>::OpeningNotOfRecord.into());
		game.end_window();
		game.end_window();
		assert_eq!(game.verdict(), Some(Verdict::Failed { stage: 0 }));
		assert_eq!(lazy.free(), FREE - AuditParams::DEFAULT.commit_bond);
	});
	// Votes for the same stage with other roots are other votes.
	let vote = |byte: u8| (aria_primitives::audit::Blame::Stage(0), H256::repeat_byte(byte));
	let votes = [(vote(1), 1u32), (vote(2), 1), (vote(3), 1)].into();
	assert_eq!(crate::audit::verdict_of(&votes).0, Verdict::Unaudited);
	let votes = [(vote(1), 2u32), (vote(2), 1)].into();
	assert_eq!(crate::audit::verdict_of(&votes), (Verdict::Failed { stage: 0 }, vote(1).1));
}

#[test]
fn fees_should_wait_for_the_audits_that_were_open_when_they_were_earned() {
	with_game(|| {
		let all = verifiers(50, 2);
		enter_epoch(SETTLED_IN);
		let games = [0, 1].map(|number| Game::make(1, None, number).settle(None));
		enter_epoch(DRAWN_IN);
		let money = all_money();
		// Both have a seat in the first, and one of them accuses in the second as well.
		let accuse = Conduct::Accuse(0);
		for verifier in &all {
			assert_ok!(verifier.commit(&games[0], Conduct::Honest));
		}
		assert_ok!(all[0].commit(&games[1], accuse));
		games[0].end_window();
		for verifier in &all {
			assert_ok!(verifier.reveal(&games[0], Conduct::Honest));
		}
		assert_ok!(all[0].reveal(&games[1], accuse));
		games[0].end_window();
		for verifier in &all {
			assert_ok!(verifier.open(&games[0], Conduct::Honest));
		}
		assert_ok!(all[0].open(&games[1], accuse));
		games[0].end_window();
		assert_eq!(games[0].verdict(), Some(Verdict::Passed));
		assert_eq!((games[1].verdict(), games[1].audit().round), (None, 1));
		// Nothing can turn out about the second; the first is in an audit yet.
		assert_eq!(all[1].free(), FREE + FEE);
		assert_eq!(all[0].free(), FREE - AuditParams::DEFAULT.commit_bond);
		assert_eq!(Verification::verifier(all[0].account.clone()).unwrap().fees(), FEE);
		let claim = || Verification::claim_fees(signed(&gateway()), all[0].account.clone());
		assert_eq!(claim().unwrap_err(), crate::Error::<Test>::NothingRipe.into());

		games[1].end_window();
		assert_eq!(games[1].verdict(), Some(Verdict::Unaudited));
		assert_eq!(all[0].free(), FREE);
		assert_ok!(claim());
		System::assert_last_event(
			Event::<Test>::FeesPaid { verifier: all[0].account.clone(), amount: FEE }.into(),
		);
		assert_eq!(all[0].free(), FREE + FEE);
		assert_eq!(claim().unwrap_err(), crate::Error::<Test>::NothingRipe.into());
		assert_eq!(
			Verification::claim_fees(signed(&gateway()), gateway()).unwrap_err(),
			crate::Error::<Test>::NotVerifier.into()
		);
		assert_eq!(all_money(), money);
	});
}

#[test]
fn counts_of_verdicts_should_be_forgotten_with_their_eras() {
	with_game(|| {
		let all = verifiers(50, 3);
		let game = Game::begin(1, None);
		let honest: Vec<_> = all.iter().map(|one| (one, Conduct::Honest)).collect();
		game.play(&honest);
		use aria_primitives::traits::Uptime;
		let rate = || Verification::audit_pass_rate(&node(0), 3);
		assert_eq!(rate(), Some(1_000_000));
		assert_eq!(Verification::audit_pass_rate(&node(0), 4), None);
		assert_eq!(Verification::uptime(&node(0), 3), None);
		Era::set(3 + crate::TALLY_ERAS);
		for epoch in 0..8 {
			enter_epoch(DRAWN_IN + 10 + epoch);
		}
		assert_eq!(rate(), Some(1_000_000));
		Era::set(4 + crate::TALLY_ERAS);
		enter_epoch(DRAWN_IN + 20);
		assert_eq!(rate(), None);
	});
}

#[test]
fn prices_should_raise_the_odds_of_a_draw_and_be_limited_by_stakes() {
	with_game(|| {
		use crate::Drawn;
		use aria_primitives::traits::{RecordStakes, StageStake};
		// Half of a stake of 10 ARIA is lost: 3/7 of that is the most.
		assert_eq!(Verification::price_limit(10 * ARIA), 5 * ARIA * 3 / 7);
		assert_eq!(Verification::price_limit(0), 0);
		assert_eq!(Verification::shared_limit(10 * ARIA), 10 * ARIA);
		enter_epoch(SETTLED_IN);
		let best = 1_000_000;
		let settle = |number: u8, price: Balance| {
			let game = Game::make(1, None, number);
			crate::mock::Records::mutate(|records| records.insert(game.id, game.entry.clone()));
			assert_ok!(Verification::note_settled(game.id, best, true));
			let stages = vec![StageStake::default()].try_into().unwrap();
			let stake = 10 * ARIA;
			let stakes = RecordStakes { stages, named: None, price, cost: 0, stake };
			assert_ok!(Verification::note_stakes(game.id, stakes));
			game.id
		};
		let dear = settle(1, 5 * ARIA * 3 / 7);
		for number in 2..10 {
			settle(number, ARIA / 100);
		}
		crate::mock::MaxDrawsPerBlock::set(12);
		enter_epoch(DRAWN_IN);
		// At its limit a record is drawn for sure; others as rarely as ever.
		assert_eq!(Drawn::<Test>::get(dear).unwrap().probability_ppm, 1_000_000);
		let others = Drawn::<Test>::iter().filter(|(id, _)| *id != dear);
		assert!(others.into_iter().all(|(_, info)| info.probability_ppm == 20_000));
	});
}

#[test]
fn the_chains_numbers_should_be_those_that_the_inequalities_are_proved_for() {
	use aria_math::audit::{AuditParameters, PARAMETERS};
	let numbers = crate::impls::arithmetic;
	assert_eq!(numbers(&AuditParams::DEFAULT), AuditParameters::DEFAULT);
	let all = |small: u32, large: u128| AuditParams {
		window: small,
		first_seats: small,
		further_seats: small,
		positions: u8::try_from(small).unwrap_or(u8::MAX),
		floor_ppm: small,
		verifier_fee: large,
		fee_ppm: small,
		levy_ppm: small,
		commit_bond: large,
		fail_slash: small,
		false_verdict_slash: small,
		canary_slash: large,
		canary_rate: small,
		canary_fee: large,
		canary_bond: large,
		canary_ppm: small,
		catch_ppm: small,
		silence_slash: large,
		max_seat_stake: large,
	};
	for (params, values) in [(all(0, 0), 0), (all(u32::MAX, u128::MAX), u128::MAX)] {
		let expected = AuditParameters::within_ranges([values; PARAMETERS]);
		assert_eq!(numbers(&params.clamped()), expected);
	}
}
