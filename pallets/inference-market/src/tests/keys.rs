//! `register_key`, `update_key`, `revoke_key`.

use super::fixtures::*;
use crate::{mock::*, Error, Event, Keys, KeysOf};
use frame_support::{assert_noop, assert_ok};

fn register(seed: u8, key: u8) -> sp_runtime::DispatchResult {
	Market::register_key(signed(seed), account(key), gateway(), 10, 5, NOW + 50)
}

#[test]
fn register_key_should_bind_it_when_the_gateway_takes_keys() {
	with_setup(|| {
		assert_ok!(register(STRANGER, 50));

		let info = Market::spending_key(account(50)).unwrap();
		assert_eq!((info.requester, info.gateway), (stranger(), gateway()));
		assert_eq!((info.allowance, info.hourly_cap, info.spent), (10, 5, 0));
		assert_eq!(
			market_events(),
			vec![Event::KeyRegistered {
				key: account(50),
				requester: stranger(),
				gateway: gateway(),
				allowance: 10,
				hourly_cap: 5,
				expiry: NOW + 50,
			}]
		);
	});
}

#[test]
fn register_key_should_fail_when_something_is_wrong() {
	with_setup(|| {
		assert_noop!(
			Market::register_key(signed(STRANGER), account(50), stranger(), 1, 1, NOW + 1),
			Error::<Test>::UnknownGateway
		);
		assert_noop!(
			Market::register_key(signed(STRANGER), account(50), gateway(), 1, 1, NOW),
			Error::<Test>::ExpiryInPast
		);
		assert_noop!(register(STRANGER, KEY), Error::<Test>::KeyTaken);
		assert_noop!(register(REQUESTER, KEY), Error::<Test>::KeyTaken);
		for key in 0..MAX_KEYS as u8 {
			assert_ok!(register(STRANGER, 50 + key));
		}
		assert_noop!(register(STRANGER, 60), Error::<Test>::TooManyKeys);
	});
}

#[test]
fn update_key_should_keep_what_was_spent_when_limits_change() {
	with_setup(|| {
		assert_ok!(settle(Draft::new(2).settlement()));
		System::reset_events();
		assert_ok!(Market::update_key(
			signed(REQUESTER),
			spending_key(),
			2 * PRICE,
			2 * PRICE,
			NOW + 7
		));

		let info = Market::spending_key(spending_key()).unwrap();
		assert_eq!((info.allowance, info.hourly_cap, info.expiry), (2 * PRICE, 2 * PRICE, NOW + 7));
		assert_eq!((info.spent, info.spent_in_hour), (PRICE, PRICE));
		assert_eq!(
			market_events(),
			vec![Event::KeyUpdated {
				key: spending_key(),
				allowance: 2 * PRICE,
				hourly_cap: 2 * PRICE,
				expiry: NOW + 7,
			}]
		);
	});
}

#[test]
fn update_key_should_fail_when_it_is_not_ones_own() {
	with_setup(|| {
		let update = |seed, key, expiry| Market::update_key(signed(seed), key, 1, 1, expiry);
		assert_noop!(update(STRANGER, spending_key(), NOW + 1), Error::<Test>::NotKeyOwner);
		assert_noop!(update(REQUESTER, account(50), NOW + 1), Error::<Test>::UnknownKey);
		assert_noop!(update(REQUESTER, spending_key(), NOW), Error::<Test>::ExpiryInPast);
	});
}

#[test]
fn revoke_key_should_stop_it_at_once_when_its_owner_asks() {
	with_setup(|| {
		let draft = Draft::new(2);
		assert_noop!(
			Market::revoke_key(signed(STRANGER), spending_key()),
			Error::<Test>::NotKeyOwner
		);
		assert_ok!(Market::revoke_key(signed(REQUESTER), spending_key()));

		assert_eq!(Market::spending_key(spending_key()), None);
		refuse(draft.settlement(), Error::<Test>::UnknownKey);
		assert_noop!(
			Market::revoke_key(signed(REQUESTER), spending_key()),
			Error::<Test>::UnknownKey
		);
		assert_eq!(market_events(), vec![Event::KeyRevoked { key: spending_key() }]);
	});
}

#[test]
fn revoked_key_should_not_come_back_when_a_used_ticket_may_still_live() {
	with_setup(|| {
		assert_ok!(settle(Draft::new(2).settlement()));
		assert_ok!(Market::revoke_key(signed(REQUESTER), spending_key()));
		assert_noop!(register(REQUESTER, KEY), Error::<Test>::KeyTaken);

		run_to(NOW + TICKET_LIFETIME);
		let again = |expiry| {
			let (key, gateway) = (spending_key(), gateway());
			Market::register_key(signed(REQUESTER), key, gateway, ALLOWANCE, HOURLY_CAP, expiry)
		};
		assert_noop!(again(NOW + 1_000), Error::<Test>::KeyTaken);
		run_to(NOW + TICKET_LIFETIME + 1);
		assert_ok!(again(NOW + 1_000));
		assert_eq!(KeysOf::<Test>::get(requester()).len(), 1);
		assert_eq!(Market::spending_key(spending_key()).unwrap().spent, 0);
	});
}

#[test]
fn register_key_should_free_places_when_revoked_keys_are_forgotten() {
	with_setup(|| {
		for key in 0..MAX_KEYS as u8 {
			assert_ok!(Market::register_key(
				signed(STRANGER),
				account(50 + key),
				gateway(),
				1,
				1,
				KEY_EXPIRY
			));
			assert_ok!(Market::revoke_key(signed(STRANGER), account(50 + key)));
		}
		let register =
			|| Market::register_key(signed(STRANGER), account(60), gateway(), 1, 1, KEY_EXPIRY);
		assert_noop!(register(), Error::<Test>::TooManyKeys);
		run_to(NOW + TICKET_LIFETIME + 1);
		assert_ok!(register());
		assert_eq!(KeysOf::<Test>::get(stranger()).len(), 1);
		assert!(!Keys::<Test>::contains_key(account(50)));
	});
}
