//! What an answer costs on this chain (`docs/protocol/economics.md`, the price of an answer).

use crate::runtime::Constants;
pub use aria_primitives::price::{free_from, price, Price};
use aria_primitives::{traits::Offer, Balance};

impl Constants {
	/// [`price()`] with this chain's fee for bytes.
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
