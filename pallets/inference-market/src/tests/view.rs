//! View functions, and what other pallets ask.

use super::fixtures::*;
use crate::mock::*;
use aria_primitives::{price::Price, traits::Obligations};
use frame_support::assert_ok;

#[test]
fn quote_should_be_the_price_when_the_record_is_settled() {
	with_setup(|| {
		assert_eq!(Market::quote(MODEL, gateway(), 100, 20, 50, 2), Some(PRICE));
		assert_eq!(Market::quote(MODEL, stranger(), 100, 20, 50, 2), None);
		assert_ok!(settle(Draft::new(2).settlement()));
		assert_eq!(Market::escrow(requester()).held, DEPOSIT - PRICE);
	});
}

#[test]
fn views_should_be_empty_when_there_is_nothing() {
	build_and_execute(|| {
		assert_eq!(Market::escrow(stranger()), Default::default());
		assert_eq!(Market::spending_key(stranger()), None);
		assert_eq!(Market::gateway(stranger()), None);
		assert_eq!(Market::open_request(MODEL), None);
		assert_eq!(Market::unvested(stranger()), 0);
	});
}

#[test]
fn unvested_should_sum_epochs_when_an_account_earned_in_several() {
	with_setup(|| {
		assert_ok!(settle(Draft::new(1).settlement()));
		put("epoch", (), 6u64);
		assert_ok!(settle(Draft::new(1).nonce(2).settlement()));
		let twice = TOKEN_PRICE * 60 / 100 * 2;
		assert_eq!(Market::unvested(worker(0)), twice);
		assert_eq!(<Market as Obligations>::unvested(&worker(0)), twice);
	});
}

#[test]
fn capped_should_take_bytes_first_when_little_is_left() {
	let price = Price { tokens: 100, bytes: 10 };
	assert_eq!(price.capped(200), price);
	assert_eq!(price.capped(50), Price { tokens: 40, bytes: 10 });
	assert_eq!(price.capped(5), Price { tokens: 0, bytes: 5 });
}
