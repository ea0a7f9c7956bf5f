//! Prices (`docs/protocol/economics.md`, the price of an answer).

use aria_primitives::{
	price::{free_from, price, record_bytes, Price},
	traits::Offer,
	Balance,
};

const OFFER: Offer = Offer { prompt_price: 10, cached_price: 1, output_price: 100 };

#[test]
fn tokens_should_cost_what_the_offer_says() {
	let price = price(&OFFER, 20, 5, 3, 1, 100_000);
	assert_eq!(price.tokens, 15 * 10 + 5 + 3 * 100);
	assert_eq!(price.bytes, 346 * 100_000);
	assert_eq!(price.total(), price.tokens + price.bytes);
}

#[test]
fn each_stage_should_add_its_bytes() {
	let bytes = |stages| price(&OFFER, 1, 0, 1, stages, 1).bytes;
	assert_eq!(bytes(0), 265);
	assert_eq!(bytes(3), 265 + 3 * 81);
	assert_eq!(bytes(3), Balance::from(record_bytes(3)));
}

#[test]
fn more_cached_than_asked_should_cost_no_prompt() {
	assert_eq!(price(&OFFER, 2, 5, 0, 1, 0).tokens, 5);
}

#[test]
fn further_stages_should_ask_a_sixth_more() {
	assert_eq!(free_from(6_000, 1), 6_000);
	assert_eq!(free_from(6_000, 0), 6_000);
	assert_eq!(free_from(6_000, 32), 6_000 + 31 * 1_000);
}

#[test]
fn what_is_too_much_should_end_at_the_greatest_number() {
	let dear =
		Offer { prompt_price: Balance::MAX, cached_price: 1, output_price: Balance::MAX / 2 };
	let price = price(&dear, 2, 0, 3, u32::MAX, Balance::MAX);
	assert_eq!(price, Price { tokens: Balance::MAX, bytes: Balance::MAX });
	assert_eq!(price.total(), Balance::MAX);
	assert_eq!(free_from(Balance::MAX, u32::MAX), Balance::MAX);
}
