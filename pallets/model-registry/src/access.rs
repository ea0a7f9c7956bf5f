//! What other pallets and the runtime API read.

use crate::{AliasName, AliasesOf, Config, Error, Models, Offers, Pallet, PinnedModels};
use alloc::vec::Vec;
use aria_primitives::{
	traits::{self, ModelInfo, Offer},
	views::ModelView,
	AccountId, ModelId,
};
use sp_runtime::DispatchError;

impl<T: Config> Pallet<T> {
	/// What the chain keeps of the model's manifest at hand; `None` if it is not registered.
	pub fn info(model: &ModelId) -> Option<ModelInfo> {
		Models::<T>::get(model).map(|entry| entry.info)
	}

	/// Whether the model is registered and pinned.
	pub fn is_pinned(model: &ModelId) -> bool {
		Models::<T>::get(model).is_some_and(|entry| entry.pinned_at.is_some())
	}

	/// The aliases of the model, each in ASCII.
	pub fn aliases_of(model: &ModelId) -> Vec<Vec<u8>> {
		AliasesOf::<T>::get(model).into_iter().map(AliasName::into_inner).collect()
	}

	pub(crate) fn pinned_list() -> Vec<ModelView> {
		PinnedModels::<T>::get()
			.into_iter()
			.filter_map(|id| Some(ModelView { id, info: Self::info(&id)?, pinned: true }))
			.collect()
	}
}

impl<T: Config> traits::Models for Pallet<T> {
	fn pinned(model: &ModelId) -> Result<ModelInfo, DispatchError> {
		let entry = Models::<T>::get(model).ok_or(Error::<T>::UnknownModel)?;
		entry.pinned_at.ok_or(Error::<T>::NotPinned)?;
		Ok(entry.info)
	}

	fn offer(model: &ModelId, seller: &AccountId) -> Result<Offer, DispatchError> {
		let entry = Offers::<T>::get(model, seller).ok_or(Error::<T>::NoOffer)?;
		Ok(entry.offer)
	}

	#[cfg(feature = "runtime-benchmarks")]
	fn benchmark_model(layers: u16, seller: &AccountId, offer: Offer) -> ModelId {
		crate::benchmarking::pinned_model::<T>(layers, seller, offer)
	}
}
