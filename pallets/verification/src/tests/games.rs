//! Whole audits: who wins, who loses, and that nothing else changes.

use super::support::*;
use crate::{
	mock::{
		enter_epoch, free, next_block, stake_account, AuditPot, BurntSum, Faults, LotteryRevoked,
		Parameters, Revoked, System, Test, Unvested, Verification,
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

/// What a seat is paid out of the pot if `count` are: the whole fee, or their part of the bound.
fn fee(count: Balance) -> Balance {
	let params = AuditParams::DEFAULT;
	params.verifier_fee.min(PRICE * Balance::from(params.fee_ppm) / 1_000_000 / count)
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
			assert_eq!(verifier.free(), FREE + fee(3));
			assert_eq!(verifier.stake(), STAKE);
		}
		assert_eq!(free(&AuditPot::get()), pot - 3 * fee(3));
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
				let left = Unvested::get()[&(SETTLED_IN, worker)];
				assert_eq!(left, if lies { 0 } else { SHARE });
			}
			let liar = node(liar as u8);
			assert_eq!(Faults::get(), [liar.clone()]);
			assert_eq!(LotteryRevoked::get(), [(liar.clone(), SETTLED_IN)]);
			let revoked = Revoked::get();
			assert_eq!(revoked.len(), 1);
			assert_eq!((revoked[0].0, &revoked[0].1.worker), (3, &liar));
			assert_eq!((revoked[0].1.work, revoked[0].1.burnt), (5_000, 77));
			assert_eq!(revoked[0].1.latency_ms_per_token, 100);

			// The requester has its price, the verifiers their whole fees; the rest is burnt.
			assert_eq!(free(&requester()), FREE + PRICE);
			let fees = 3 * AuditParams::DEFAULT.verifier_fee;
			assert!(all.iter().all(|one| one.free() == FREE + fees / 3));
			assert_eq!(BurntSum::get(), STAKE / 2 + SHARE - PRICE - fees);
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
		let money = all_money();
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
			assert_eq!((verifier.free(), verifier.stake()), (FREE + fee(8), STAKE));
		}
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
		assert_eq!(all[2].free(), FREE + fee(1));
		assert!(all.iter().all(|one| one.stake() == STAKE));
		assert_eq!(free(&AuditPot::get()), pot + 2 * bond - fee(1));
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
		assert!(Faults::get().is_empty() && Revoked::get().is_empty());
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
		assert!(all.iter().all(|one| one.free() == FREE));
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
fn parameters_should_stay_those_of_the_beginning() {
	with_game(|| {
		let all = verifiers(50, 3);
		let game = Game::begin(1, None);
		Parameters::set(AuditParams { window: 200, verifier_fee: 0, ..AuditParams::DEFAULT });
		let honest: Vec<_> = all.iter().map(|one| (one, Conduct::Honest)).collect();
		game.play(&honest);
		assert!(all.iter().all(|one| one.free() == FREE + fee(3)));
		// What lies outside of its range counts as its end.
		Parameters::set(AuditParams { window: 1, ..AuditParams::DEFAULT });
		assert_eq!(Verification::audit_parameters().window, 100);
		next_block();
	});
}
