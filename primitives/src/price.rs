//! What an answer costs (`docs/protocol/economics.md`, the price of an answer).
//!
//! The chain takes a price by these functions, and who orders an answer foresees it by the same.

use crate::{traits::Offer, Balance};

/// A price in its two parts, in planck.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
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

	/// At most `most` together: bytes first, since they cost the chain whatever the price is.
	pub fn capped(&self, most: Balance) -> Self {
		let bytes = self.bytes.min(most);
		Self { tokens: self.tokens.min(most.saturating_sub(bytes)), bytes }
	}
}

/// The price of an answer of `output` tokens to a prompt of `prompt` tokens, of which the state of
/// `cached` was at hand, computed by `stages` stages. `byte_fee` is what a byte of a record costs, in
/// planck.
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
	Price { tokens, bytes: cost(byte_fee, record_bytes(stages)) }
}

/// Least price of a record of `stages` stages whose submitter pays no fee, in planck: `least` for one
/// of a single stage, and a sixth of it more for each further one
/// (`docs/protocol/settlement.md`).
pub const fn free_from(least: Balance, stages: u32) -> Balance {
	let more = stages.saturating_sub(1) as Balance;
	least.saturating_add(more.saturating_mul(least) / 6)
}

/// Bytes of the SCALE-encoded body of a record with `stages` stages, `0..=32`
/// (`docs/protocol/record.md`).
pub const fn record_bytes(stages: u32) -> u32 {
	// Version, five hashes, finish reason, three counts, energy, latency, time, anchor, and the
	// lengths of two lists.
	const FIXED: u32 = 2 + 5 * 32 + 1 + 3 * 4 + 8 + 4 + 8 + 36 + 2;
	// Node, layers, energy, its source, version of the consent.
	const STAGE: u32 = 32 + 4 + 8 + 1 + 4;
	const BOUNDARY: u32 = 32;
	FIXED
		.saturating_add(BOUNDARY)
		.saturating_add(stages.saturating_mul(STAGE.saturating_add(BOUNDARY)))
}
