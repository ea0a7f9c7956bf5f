//! What is refused within a round: each error, and nothing changed.

use super::support::*;
use crate::{
	mock::{
		assert_state_unchanged, enter_epoch, mint, next_block, stake_account, Inactive, Parameters,
		Payouts, System, Test, Unwilling, Verification, NO_CONSENT, NO_WORKER,
	},
	Error, Event, Phase, SeatState,
};
use aria_primitives::{
	audit::{AuditParams, Finding, FindingKind, Named, Reveal, SeatProof},
	record::boundary,
	ARIA,
};
use frame_support::{assert_ok, dispatch::Pays};
use sp_core::H256;
use sp_runtime::{DispatchError, DispatchResult, TokenError};

type Outcome = frame_support::dispatch::DispatchResultWithPostInfo;

/// Runs a call that has to fail with this error and to change nothing.
fn refused(call: impl FnOnce() -> Outcome, error: impl Into<DispatchError>) {
	let result = assert_state_unchanged(call);
	assert_eq!(result.unwrap_err().error, error.into());
}

fn plain(result: DispatchResult) -> Outcome {
	result.map(Into::into).map_err(Into::into)
}

#[test]
fn a_good_round_should_cost_its_verifier_no_fee() {
	with_game(|| {
		let all = verifiers(50, 1);
		let game = Game::begin(2, None);
		let conduct = Conduct::Honest;
		assert_eq!(all[0].commit(&game, conduct).unwrap().pays_fee, Pays::No);
		System::assert_last_event(
			Event::<Test>::Committed { id: game.id, round: 0, verifier: all[0].account.clone() }
				.into(),
		);
		assert_eq!(all[0].free(), FREE - AuditParams::DEFAULT.commit_bond);
		assert_eq!(Verification::verifier(all[0].account.clone()).unwrap().seats, 1);
		game.end_window();
		assert_eq!(all[0].reveal(&game, conduct).unwrap().pays_fee, Pays::No);
		System::assert_last_event(
			Event::<Test>::Revealed {
				id: game.id,
				verifier: all[0].account.clone(),
				finding: FindingKind::Valid,
			}
			.into(),
		);
		game.end_window();
		assert_eq!(all[0].open(&game, conduct).unwrap().pays_fee, Pays::No);
		assert_eq!(
			game.seat(&all[0]).unwrap().state,
			SeatState::Counted { finding: FindingKind::Valid }
		);
		game.end_window();
		assert_eq!(Verification::verifier(all[0].account.clone()).unwrap().seats, 0);
	});
}

#[test]
fn strangers_should_have_no_say() {
	with_game(|| {
		let all = verifiers(50, 1);
		let stranger = Verifier::new(90);
		let game = Game::begin(1, None);
		refused(|| stranger.commit(&game, Conduct::Honest), Error::<Test>::NotVerifier);
		refused(|| plain(stranger.claim(&game)), Error::<Test>::NotVerifier);
		assert_ok!(all[0].commit(&game, Conduct::Honest));
		game.end_window();
		refused(|| stranger.reveal(&game, Conduct::Honest), Error::<Test>::NotCommitted);
		assert_ok!(all[0].reveal(&game, Conduct::Honest));
		game.end_window();
		refused(|| stranger.open(&game, Conduct::Honest), Error::<Test>::NotRevealed);
	});
}

#[test]
fn nothing_should_be_said_twice() {
	with_game(|| {
		let all = verifiers(50, 2);
		let game = Game::begin(1, None);
		assert_ok!(all[0].commit(&game, Conduct::Honest));
		refused(|| all[0].commit(&game, Conduct::Echo), Error::<Test>::SpokeAlready);
		refused(|| plain(all[0].claim(&game)), Error::<Test>::SpokeAlready);
		assert_ok!(all[1].claim(&game));
		refused(|| plain(all[1].claim(&game)), Error::<Test>::SpokeAlready);
		game.end_window();
		game.end_window();
		assert_ok!(all[0].reveal(&game, Conduct::Honest));
		refused(|| all[0].reveal(&game, Conduct::Honest), Error::<Test>::NotCommitted);
		refused(|| all[1].reveal(&game, Conduct::Honest), Error::<Test>::NotCommitted);
		game.end_window();
		assert_ok!(all[0].open(&game, Conduct::Honest));
		refused(|| all[0].open(&game, Conduct::Honest), Error::<Test>::NotRevealed);
	});
}

#[test]
fn everything_should_have_its_window() {
	with_game(|| {
		let all = verifiers(50, 2);
		let (honest, late) = (&all[0], &all[1]);
		let game = Game::begin(1, None);
		let window = Error::<Test>::NotInWindow;
		let what = || honest.what(&game, Conduct::Honest);
		refused(|| honest.reveal_what(&game, what()), Error::<Test>::NotInWindow);
		assert_ok!(honest.commit(&game, Conduct::Honest));
		refused(|| honest.reveal_what(&game, what()), Error::<Test>::NotInWindow);
		refused(|| honest.open_with(&game, vec![]), Error::<Test>::NotInWindow);

		// The last block of the window is in it, the one after is not.
		while System::block_number() < game.audit().until {
			next_block();
		}
		assert_eq!(game.phase(), Some(Phase::Commit));
		refused(|| honest.reveal_what(&game, what()), Error::<Test>::NotInWindow);
		game.end_window();
		refused(|| late.commit(&game, Conduct::Honest), window);
		refused(|| plain(late.claim(&game)), Error::<Test>::NotInWindow);
		refused(|| honest.open_with(&game, vec![]), Error::<Test>::NotInWindow);
		assert_ok!(honest.reveal(&game, Conduct::Honest));
		game.end_window();
		refused(|| honest.reveal_what(&game, what()), Error::<Test>::NotInWindow);
		let openings = honest.openings(&game, Conduct::Honest);
		game.end_window();
		refused(|| honest.open_with(&game, openings), Error::<Test>::NoAudit);
	});
}

#[test]
fn what_is_not_audited_should_be_unknown() {
	with_game(|| {
		let all = verifiers(50, 1);
		let game = Game::begin(1, None);
		let proof = all[0].proof(&game);
		let origin = || signed(&all[0].account);
		let other = Game::make(1, None, 5);
		enter_epoch(DRAWN_IN);
		let pending = Game::make(1, None, 6).settle(None);
		for id in [other.id, pending.id] {
			refused(
				|| Verification::commit(origin(), id, proof, H256::zero(), Named::default()),
				Error::<Test>::NoAudit,
			);
			refused(
				|| plain(Verification::claim_silence(origin(), id, proof, Named::default())),
				Error::<Test>::NoAudit,
			);
			let reveal =
				Reveal { root: H256::zero(), finding: Finding::Valid, nonce: H256::zero() };
			refused(
				|| Verification::reveal(origin(), id, Box::new(reveal)),
				Error::<Test>::NoAudit,
			);
			refused(
				|| Verification::open(origin(), id, Default::default()),
				Error::<Test>::NoAudit,
			);
		}
	});
}

#[test]
fn a_seat_should_take_all_that_it_needs() {
	with_game(|| {
		let all = verifiers(50, 2);
		let one = &all[0];
		let game = Game::begin(2, None);
		let commit = || one.commit(&game, Conduct::Honest);

		Inactive::mutate(|set| set.insert(one.account.clone()));
		refused(commit, NO_WORKER);
		Inactive::mutate(|set| set.clear());
		Unwilling::mutate(|set| set.insert(one.account.clone()));
		refused(commit, NO_CONSENT);
		Unwilling::mutate(|set| set.clear());

		// Its stake has to be what it was.
		use aria_primitives::traits::Accountable;
		assert_eq!(crate::mock::Mock::slash(&one.account, ARIA, &gateway()), ARIA);
		refused(commit, Error::<Test>::StakeFell);
		mint(&stake_account(&one.account), ARIA);

		// Its key has to have made the proof, for this round of this audit.
		let hash = one.commitment(&game, Conduct::Honest);
		let with = |proof: SeatProof| {
			let origin = signed(&one.account);
			Verification::commit(origin, game.id, proof, hash, Named::default())
		};
		refused(|| with(all[1].proof(&game)), Error::<Test>::BadSeatProof);
		refused(
			|| with(SeatProof { pre_output: [255; 32], proof: [255; 64] }),
			Error::<Test>::BadSeatProof,
		);
		let mut proof = one.proof(&game);
		proof.proof[3] ^= 1;
		refused(|| with(proof), Error::<Test>::BadSeatProof);

		// And there has to be money for the bond.
		let left = one.free();
		use frame_support::traits::{fungible::Mutate, tokens::Preservation};
		assert_ok!(<crate::mock::Balances as Mutate<_>>::transfer(
			&one.account,
			&gateway(),
			left - crate::mock::ED,
			Preservation::Preserve
		));
		refused(commit, TokenError::FundsUnavailable);
		mint(&one.account, FREE);
		assert_ok!(commit());
	});
}

#[test]
fn who_took_part_should_not_judge() {
	with_game(|| {
		// A stage's worker, and one that is paid where a stage is.
		mint(&node(1), FREE);
		let part =
			Verifier { account: node(0), pair: sp_core::Pair::from_seed(&[1; 32]) }.register();
		let paid = Verifier::new(60).register();
		let payee = Verifier::new(61).register();
		let game = Game::begin(2, None);
		refused(|| part.commit(&game, Conduct::Honest), Error::<Test>::PartyToRecord);
		let purse = account(99);
		Payouts::mutate(|payouts| {
			payouts.insert(node(1), purse.clone());
			payouts.insert(paid.account.clone(), purse.clone());
			payouts.insert(requester(), payee.account.clone());
		});
		refused(|| paid.commit(&game, Conduct::Honest), Error::<Test>::PartyToRecord);
		refused(|| payee.commit(&game, Conduct::Honest), Error::<Test>::PartyToRecord);
		Payouts::mutate(|payouts| payouts.clear());
		assert_ok!(paid.commit(&game, Conduct::Honest));
	});
}

#[test]
fn a_key_should_count_two_epochs_after_it_was_registered() {
	with_game(|| {
		let _old = verifiers(50, 1);
		enter_epoch(SETTLED_IN);
		let game = Game::make(1, None, 0).settle(None);
		enter_epoch(DRAWN_IN - 1);
		let new = Verifier::new(60).register();
		enter_epoch(DRAWN_IN);
		assert_eq!(game.audit().total, STAKE);
		refused(|| new.commit(&game, Conduct::Honest), Error::<Test>::VerifierTooNew);
		enter_epoch(DRAWN_IN + 1);
		// It is for the round's beginning, not for now.
		refused(|| new.commit(&game, Conduct::Honest), Error::<Test>::VerifierTooNew);
	});
}

#[test]
fn seats_should_fall_to_some() {
	with_game(|| {
		Parameters::set(AuditParams { first_seats: 3, ..AuditParams::DEFAULT });
		let all = verifiers(50, 20);
		let game = Game::begin(1, None);
		let mut seats = 0;
		for verifier in &all {
			match assert_outcome(verifier.commit(&game, Conduct::Honest)) {
				None => seats += 1,
				Some(error) => assert_eq!(error, Error::<Test>::NoSeat.into()),
			}
		}
		// Three are expected, and more than nine are rarer than once in six hundred; the lots of this
		// test do not change.
		assert!(seats <= 9, "{seats}");
		assert_eq!(game.audit().committed, seats);
	});
}

fn assert_outcome(result: Outcome) -> Option<DispatchError> {
	result.err().map(|error| error.error)
}

#[test]
fn a_round_should_have_no_more_than_four_times_the_seats_expected() {
	with_game(|| {
		Parameters::set(AuditParams { first_seats: 2, ..AuditParams::DEFAULT });
		let all = verifiers(50, 10);
		let game = Game::begin(1, None);
		// As if the lots had fallen on all.
		crate::Audits::<Test>::mutate(game.id, |audit| audit.as_mut().unwrap().total = 1);
		for verifier in &all[..8] {
			assert_ok!(verifier.commit(&game, Conduct::Honest));
		}
		refused(|| all[8].commit(&game, Conduct::Honest), Error::<Test>::SeatsTaken);
		refused(|| plain(all[9].claim(&game)), Error::<Test>::SeatsTaken);
	});
}

#[test]
fn a_copied_commitment_should_be_of_no_use() {
	with_game(|| {
		let all = verifiers(50, 3);
		let game = Game::begin(2, None);
		let hash = all[0].commitment(&game, Conduct::Honest);
		assert_ok!(all[0].commit_hash(&game, hash));
		// The same hash, and the same trees under a nonce of its own.
		assert_ok!(all[1].commit_hash(&game, hash));
		let stolen = Reveal { nonce: H256::zero(), ..all[0].what(&game, Conduct::Honest) };
		let made = aria_primitives::audit::commitment(
			&Verification::genesis(),
			&game.id,
			0,
			&all[2].account,
			&stolen,
		);
		assert_ok!(all[2].commit_hash(&game, made));
		game.end_window();
		assert_ok!(all[0].reveal(&game, Conduct::Honest));
		let original = all[0].what(&game, Conduct::Honest);
		refused(|| all[1].reveal_what(&game, original), Error::<Test>::RevealMismatch);
		assert_ok!(all[2].reveal_what(&game, stolen));
		game.end_window();
		let original = all[0].openings(&game, Conduct::Honest);
		assert_ok!(all[0].open_with(&game, original.clone()));
		// The root is over leaves that only the first one's lot makes.
		let result = assert_state_unchanged(|| all[2].open(&game, Conduct::Honest));
		assert_eq!(result.unwrap_err().error, Error::<Test>::OpeningMismatch.into());
		assert!(all[2].open_with(&game, original).is_err());
		game.end_window();
		let bond = AuditParams::DEFAULT.commit_bond;
		assert_eq!((all[1].free(), all[2].free()), (FREE - bond, FREE - bond));
		assert!(all[0].free() > FREE);
	});
}

#[test]
fn a_reveal_should_be_what_was_committed_to() {
	with_game(|| {
		let all = verifiers(50, 2);
		let game = Game::begin(2, None);
		assert_ok!(all[0].commit(&game, Conduct::Honest));
		game.end_window();
		let good = all[0].what(&game, Conduct::Honest);
		for bad in [
			Reveal { root: H256::zero(), ..good.clone() },
			Reveal { nonce: H256::zero(), ..good.clone() },
			Reveal { finding: Finding::Query, ..good.clone() },
			all[0].what(&game, Conduct::Accuse(0)),
		] {
			refused(|| all[0].reveal_what(&game, bad), Error::<Test>::RevealMismatch);
		}
		assert_ok!(all[0].reveal_what(&game, good));
	});
}

#[test]
fn a_finding_should_not_contradict_the_record_by_its_own_roots() {
	with_game(|| {
		let all = verifiers(50, 1);
		let game = Game::begin(3, None);
		let body = &game.entry.body;
		let Finding::Boundary { roots, index } = all[0].finding(&game, Conduct::Accuse(1)) else {
			panic!("it accuses")
		};
		let Finding::Output { roots: right } = all[0].finding(&game, Conduct::Output) else {
			panic!("it accuses")
		};
		assert_eq!(index, 2);
		let short = roots[..2].to_vec().try_into().unwrap();
		let bad = [
			// It agrees there; it differs before; there is no such boundary; roots are missing.
			Finding::Boundary { index: 1, roots: roots.clone() },
			Finding::Boundary { index: 3, roots: roots.clone() },
			Finding::Boundary { index: 0, roots: roots.clone() },
			Finding::Boundary { index: 4, roots: roots.clone() },
			Finding::Boundary { index: 2, roots: short },
			Finding::Boundary { index: 2, roots: right.clone() },
			Finding::Output { roots: roots.clone() },
		];
		for (number, finding) in bad.into_iter().enumerate() {
			assert!(!finding.agrees_with(body), "{number}");
		}
		let made = boundary(2, &roots[1], &body.query_hash);
		assert_ne!(made, body.boundaries[2]);
		for good in [
			Finding::Boundary { index: 2, roots },
			Finding::Output { roots: right },
			Finding::Valid,
			Finding::Query,
		] {
			assert!(good.agrees_with(body), "{good:?}");
		}
	});
}

#[test]
fn a_refuted_finding_should_not_be_revealed() {
	with_game(|| {
		let all = verifiers(50, 1);
		let game = Game::begin(2, None);
		let mut what = all[0].what(&game, Conduct::Accuse(0));
		let Finding::Boundary { index, .. } = &mut what.finding else { panic!("it accuses") };
		*index = 2;
		let hash = aria_primitives::audit::commitment(
			&Verification::genesis(),
			&game.id,
			0,
			&all[0].account,
			&what,
		);
		assert_ok!(all[0].commit_hash(&game, hash));
		game.end_window();
		refused(|| all[0].reveal_what(&game, what), Error::<Test>::FindingRefuted);
	});
}

#[test]
fn openings_should_be_those_that_were_picked() {
	with_game(|| {
		Parameters::set(AuditParams { positions: 8, ..AuditParams::DEFAULT });
		let all = verifiers(50, 1);
		let game = Game::begin(3, None);
		assert_ok!(all[0].commit(&game, Conduct::Honest));
		game.end_window();
		assert_ok!(all[0].reveal(&game, Conduct::Honest));
		game.end_window();
		let good = all[0].openings(&game, Conduct::Honest);
		assert_eq!(good.len(), 8);
		let with = |change: &dyn Fn(&mut Vec<aria_primitives::audit::Opening>)| {
			let mut openings = good.clone();
			change(&mut openings);
			all[0].open_with(&game, openings)
		};
		refused(|| with(&|all| all.truncate(7)), Error::<Test>::OpeningCount);
		refused(|| with(&|all| all.clear()), Error::<Test>::OpeningCount);
		refused(|| with(&|all| all[0].data[32] ^= 1), Error::<Test>::OpeningOfOtherPosition);
		refused(
			|| with(&|all| all[0].data = Default::default()),
			Error::<Test>::OpeningOfOtherPosition,
		);
		refused(|| with(&|all| all[0].data[40] ^= 1), Error::<Test>::OpeningMismatch);
		refused(|| with(&|all| all[3].own_root = H256::zero()), Error::<Test>::OpeningMismatch);
		refused(
			|| with(&|all| all[3].root_path = Default::default()),
			Error::<Test>::OpeningMismatch,
		);
		refused(
			|| with(&|all| all[7].record.path = Default::default()),
			Error::<Test>::OpeningNotOfRecord,
		);
		refused(
			|| with(&|all| all[7].record.root = H256::zero()),
			Error::<Test>::OpeningNotOfRecord,
		);
		// Another position's opening in the place of one.
		let other = good.iter().position(|one| one.data != good[0].data).unwrap();
		refused(
			|| with(&|all| all.swap(0, other)),
			if good[0].data[32..36] == good[other].data[32..36] {
				Error::<Test>::OpeningMismatch
			} else {
				Error::<Test>::OpeningOfOtherPosition
			},
		);
		assert_ok!(all[0].open_with(&game, good));
	});
}

#[test]
fn whoever_ran_nothing_should_have_nothing_to_open() {
	with_game(|| {
		// Stage 0 lies. Who runs nothing knows what an honest run would give as little as what it gave:
		// here it makes leaves up.
		let all = verifiers(50, 1);
		let game = Game::begin(2, Some(0));
		let made_up =
			Reveal { root: H256::repeat_byte(3), finding: Finding::Valid, nonce: H256::zero() };
		let hash = aria_primitives::audit::commitment(
			&Verification::genesis(),
			&game.id,
			0,
			&all[0].account,
			&made_up,
		);
		assert_ok!(all[0].commit_hash(&game, hash));
		game.end_window();
		assert_ok!(all[0].reveal_what(&game, made_up));
		game.end_window();
		for conduct in [Conduct::Honest, Conduct::Echo] {
			let result = assert_state_unchanged(|| all[0].open(&game, conduct));
			assert!(result.is_err());
		}
		game.end_window();
		assert_eq!(all[0].free(), FREE - AuditParams::DEFAULT.commit_bond);
		assert_eq!(game.verdict(), Some(aria_primitives::audit::Verdict::Unaudited));
	});
}
