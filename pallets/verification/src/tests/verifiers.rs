//! Becoming a verifier, and ceasing to be one.

use super::support::*;
use crate::{
	mock::{
		assert_state_unchanged, enter_epoch, mint, stake_account, Inactive, MaxVerifiers,
		Parameters, System, Test, Unwilling, Verification, NO_CONSENT, NO_WORKER,
	},
	Error, Event, VerifierKeys, VerifierWeight,
};
use aria_primitives::{audit::AuditParams, ARIA};
use frame_support::assert_ok;
use sp_core::Pair;
use sp_runtime::DispatchError;

fn register(verifier: &Verifier) -> sp_runtime::DispatchResult {
	Verification::register_verifier(signed(&verifier.account), verifier.pair.public())
}

fn retire(caller: u8, verifier: &Verifier) -> sp_runtime::DispatchResult {
	Verification::retire_verifier(signed(&account(caller)), verifier.account.clone())
}

fn refused(call: impl FnOnce() -> sp_runtime::DispatchResult, error: impl Into<DispatchError>) {
	assert_eq!(assert_state_unchanged(call).unwrap_err(), error.into());
}

#[test]
fn a_worker_should_become_a_verifier_and_count_two_epochs_later() {
	with_game(|| {
		enter_epoch(3);
		let one = Verifier::new(50);
		assert_ok!(register(&one));
		System::assert_last_event(
			Event::<Test>::VerifierRegistered {
				worker: one.account.clone(),
				key: one.pair.public(),
				weight: STAKE,
				from: 5,
			}
			.into(),
		);
		let weights = |epochs: core::ops::Range<u64>| -> Vec<u128> {
			epochs.map(Verification::weight_in).collect()
		};
		assert_eq!(weights(3..7), [0, 0, STAKE, STAKE]);
		enter_epoch(4);
		let two = Verifier::new(51).register();
		assert_eq!(weights(3..7), [0, 0, STAKE, 2 * STAKE]);
		enter_epoch(9);
		// What is pending is added up when the next one comes.
		let three = Verifier::new(52).register();
		assert_eq!(weights(9..12), [2 * STAKE, 2 * STAKE, 3 * STAKE]);
		assert_eq!(VerifierWeight::<Test>::get().counted, 2 * STAKE);

		for (seed, verifier) in [(51, &two), (52, &three), (50, &one)] {
			assert_ok!(retire(seed, verifier));
		}
		assert_eq!(VerifierWeight::<Test>::get(), Default::default());
		assert_eq!(VerifierKeys::<Test>::iter().count(), 0);
		// It may come back, with another key.
		assert_ok!(register(&one));
	});
}

#[test]
fn no_more_than_a_bound_of_the_stake_should_count() {
	with_game(|| {
		Parameters::set(AuditParams { max_seat_stake: 150 * ARIA, ..AuditParams::DEFAULT });
		let one = Verifier::new(50);
		mint(&stake_account(&one.account), 200 * ARIA);
		let one = one.register();
		assert_eq!(Verification::verifier(one.account).unwrap().weight, 150 * ARIA);
	});
}

#[test]
fn register_verifier_should_fail_when_something_is_missing_or_taken() {
	with_game(|| {
		let (one, two) = (Verifier::new(50), Verifier::new(51));
		let stranger = Verifier { account: account(90), pair: Pair::from_seed(&[90; 32]) };
		refused(|| register(&stranger), NO_WORKER);
		Inactive::mutate(|set| set.insert(one.account.clone()));
		refused(|| register(&one), NO_WORKER);
		Inactive::mutate(|set| set.clear());
		Unwilling::mutate(|set| set.insert(one.account.clone()));
		refused(|| register(&one), NO_CONSENT);
		Unwilling::mutate(|set| set.clear());

		// What a canary takes has to be there.
		Parameters::set(AuditParams { canary_slash: STAKE + 1, ..AuditParams::DEFAULT });
		refused(|| register(&one), Error::<Test>::StakeTooLow);
		Parameters::set(AuditParams::DEFAULT);

		assert_ok!(register(&one));
		refused(|| register(&one), Error::<Test>::AlreadyVerifier);
		let copy = Verifier { account: two.account.clone(), pair: one.pair.clone() };
		refused(|| register(&copy), Error::<Test>::VerifierKeyTaken);
		MaxVerifiers::set(1);
		refused(|| register(&two), Error::<Test>::TooManyVerifiers);
	});
}

#[test]
fn retire_verifier_should_wait_for_open_seats() {
	with_game(|| {
		let one = Verifier::new(50).register();
		let stranger = Verifier::new(60);
		refused(|| retire(60, &stranger), Error::<Test>::NotVerifier);
		let game = Game::begin(1, None);
		assert_ok!(one.commit(&game, Conduct::Honest));
		refused(|| retire(50, &one), Error::<Test>::SeatsOpen);
		while game.verdict().is_none() {
			game.end_window();
		}
		assert_ok!(retire(50, &one));
		System::assert_last_event(
			Event::<Test>::VerifierRetired { worker: one.account.clone() }.into(),
		);
	});
}

#[test]
fn others_should_retire_only_those_who_can_audit_no_more() {
	with_game(|| {
		use aria_primitives::traits::Accountable;
		let (one, two) = (Verifier::new(50).register(), Verifier::new(51).register());
		refused(|| retire(9, &one), Error::<Test>::NotYourVerifier);
		// One lost stake that counts, the other left.
		assert_eq!(crate::mock::Mock::slash(&one.account, 1, &gateway()), 1);
		assert_ok!(retire(9, &one));
		Inactive::mutate(|set| set.insert(two.account.clone()));
		assert_ok!(retire(9, &two));
		mint(&stake_account(&one.account), 1);
	});
}

#[test]
fn more_stake_should_displace_less_where_all_places_are_taken() {
	with_game(|| {
		let (sybil, rich) = (Verifier::new(50).register(), Verifier::new(60));
		mint(&stake_account(&rich.account), 1);
		let displace = |who: &Verifier, other: &Verifier| {
			let key = who.pair.public();
			Verification::displace_verifier(signed(&who.account), key, other.account.clone())
		};
		refused(|| displace(&rich, &sybil), Error::<Test>::PlacesFree);
		MaxVerifiers::set(1);
		refused(|| register(&rich), Error::<Test>::TooManyVerifiers);
		let equal = Verifier::new(61);
		refused(|| displace(&equal, &sybil), Error::<Test>::NoMoreStake);
		refused(|| displace(&rich, &equal), Error::<Test>::NotVerifier);

		// Not from an audit that is going on.
		let game = Game::begin(1, None);
		assert_ok!(sybil.commit(&game, Conduct::Honest));
		refused(|| displace(&rich, &sybil), Error::<Test>::SeatsOpen);
		while game.verdict().is_none() {
			game.end_window();
		}
		assert_ok!(displace(&rich, &sybil));
		assert_eq!(Verification::verifier(sybil.account.clone()), None);
		let info = Verification::verifier(rich.account.clone()).unwrap();
		assert_eq!(info.weight, STAKE + 1);
		// It has no key that another one has.
		refused(|| displace(&sybil, &rich), Error::<Test>::NoMoreStake);
	});
}
