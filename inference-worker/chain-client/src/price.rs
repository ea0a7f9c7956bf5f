//! What an answer costs (`docs/protocol/economics.md`, the price of an answer).

use crate::runtime::Constants;
use aria_primitives::{traits::Offer, Balance};

/// Bytes of a record that do not depend on its stages.
const FIXED_BYTES: Balance = 265;
/// Bytes of a record for each stage.
const STAGE_BYTES: Balance = 81;

/// A price in its two parts, in planck.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Price {
	/// For tokens, by the gateway's offer.
	pub tokens: Balance,
	/// For the record's bytes.
	pub bytes: Balance,
}

impl Price {
	/// Both.
	pub fn total(&self) -> Balance {
		self.tokens.saturating_add(self.bytes)
	}
}

/// The price of an answer of `output` tokens to a prompt of `prompt` tokens, of which the state of
/// `cached` was at hand, computed by `stages` stages; `byte_fee` as in
/// [`Constants::byte_fee`], in planck.
pub fn price(
	offer: &Offer,
	prompt: u32,
	cached: u32,
	output: u32,
	stages: u32,
	byte_fee: Balance,
) -> Price {
	let cost = |price: Balance, count: u32| price.saturating_mul(Balance::from(count));
	let tokens = cost(offer.prompt_price, prompt.saturating_sub(cached))
		.saturating_add(cost(offer.cached_price, cached))
		.saturating_add(cost(offer.output_price, output));
	let length = STAGE_BYTES.saturating_mul(Balance::from(stages)).saturating_add(FIXED_BYTES);
	Price { tokens, bytes: byte_fee.saturating_mul(length) }
}

/// Least price of a record of `stages` stages whose submitter pays no fee, in planck; `least` as in
/// [`Constants::free_from`].
pub fn free_from(least: Balance, stages: u32) -> Balance {
	let more = Balance::from(stages.saturating_sub(1));
	least.saturating_add(more.saturating_mul(least) / 6)
}

impl Constants {
	/// [`price`] with this chain's fee for bytes.
	pub fn price(
		&self,
		offer: &Offer,
		prompt: u32,
		cached: u32,
		output: u32,
		stages: u32,
	) -> Price {
		price(offer, prompt, cached, output, stages, self.byte_fee)
	}

	/// Least price of a record of `stages` stages whose settlement is free, in planck.
	pub fn free_from(&self, stages: u32) -> Balance {
		free_from(self.free_from, stages)
	}
}

#[cfg(test)]
mod tests {
	use super::*;

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
}
