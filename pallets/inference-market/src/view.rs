//! What dashboards and other pallets read.

use crate::pallet::*;
use aria_primitives::{
	traits::{Models, Obligations},
	AccountId, Balance, ModelId,
};

impl<T: Config> Pallet<T> {
	/// What an answer costs by the gateway's offer, in planck; `None` if there is no offer.
	pub(crate) fn quoted(
		model_id: &ModelId,
		gateway: &AccountId,
		prompt: u32,
		cached: u32,
		output: u32,
		stages: u32,
	) -> Option<Balance> {
		let offer = T::Models::offer(model_id, gateway).ok()?;
		Some(Self::price(&offer, prompt, cached, output, stages).total())
	}
}

impl<T: Config> Obligations for Pallet<T> {
	fn unvested(account: &AccountId) -> Balance {
		UnvestedTotal::<T>::get(account)
	}
}
