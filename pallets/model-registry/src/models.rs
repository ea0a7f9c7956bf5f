//! Registering and pinning models.

use crate::{
	types::info_of, AliasesOf, Config, Error, Event, HoldReason, ManifestBytes, Manifests,
	ModelEntry, Models, OfferCount, Pallet, PinnedModels,
};
use aria_primitives::{
	hashing::sha256, manifest::Manifest, AccountId, Balance, BlockNumber, ModelId,
};
use frame_support::{
	ensure,
	traits::{fungible::MutateHold, tokens::Precision, Get},
};
use sp_runtime::{DispatchError, DispatchResult, SaturatedConversion};

impl<T: Config> Pallet<T> {
	/// The current block.
	pub fn now() -> BlockNumber {
		frame_system::Pallet::<T>::block_number().saturated_into()
	}

	/// Deposit for a manifest of that many bytes, in planck.
	pub fn deposit_for(bytes: u32) -> Balance {
		T::DepositPerByte::get().saturating_mul(bytes.into()).saturating_add(T::DepositBase::get())
	}

	pub(crate) fn do_register(
		owner: AccountId,
		bytes: ManifestBytes,
	) -> Result<ModelId, DispatchError> {
		let model = sha256(&bytes);
		ensure!(!Models::<T>::contains_key(model), Error::<T>::AlreadyRegistered);
		let manifest = Manifest::from_bytes(&bytes).map_err(Error::<T>::from)?;

		let deposit = Self::deposit_for(bytes.len().saturated_into());
		T::Currency::hold(&HoldReason::ModelDeposit.into(), &owner, deposit)?;
		let entry = ModelEntry {
			owner: owner.clone(),
			deposit,
			info: info_of(&manifest),
			registered_at: Self::now(),
			pinned_at: None,
		};
		Models::<T>::insert(model, entry);
		Manifests::<T>::insert(model, bytes);
		Self::deposit_event(Event::ModelRegistered { model, owner, deposit });
		Ok(model)
	}

	pub(crate) fn do_unregister(who: AccountId, model: ModelId) -> DispatchResult {
		let entry = Self::owned_and_not_pinned(&who, &model)?;
		ensure!(AliasesOf::<T>::decode_len(model).unwrap_or(0) == 0, Error::<T>::StillAliased);
		ensure!(OfferCount::<T>::get(model) == 0, Error::<T>::StillOffered);

		let reason = HoldReason::ModelDeposit.into();
		T::Currency::release(&reason, &who, entry.deposit, Precision::Exact)?;
		Models::<T>::remove(model);
		Manifests::<T>::remove(model);
		Self::deposit_event(Event::ModelUnregistered { model });
		Ok(())
	}

	pub(crate) fn do_pin(model: ModelId) -> DispatchResult {
		let mut entry = Models::<T>::get(model).ok_or(Error::<T>::UnknownModel)?;
		ensure!(entry.pinned_at.is_none(), Error::<T>::AlreadyPinned);
		PinnedModels::<T>::try_mutate(|pinned| pinned.try_push(model))
			.map_err(|_| Error::<T>::TooManyPinned)?;
		entry.pinned_at = Some(Self::now());
		Models::<T>::insert(model, entry);
		Self::deposit_event(Event::ModelPinned { model });
		Ok(())
	}

	pub(crate) fn do_unpin(model: ModelId) -> DispatchResult {
		let mut entry = Models::<T>::get(model).ok_or(Error::<T>::UnknownModel)?;
		ensure!(entry.pinned_at.take().is_some(), Error::<T>::NotPinned);
		PinnedModels::<T>::mutate(|pinned| pinned.retain(|other| *other != model));
		Models::<T>::insert(model, entry);
		Self::deposit_event(Event::ModelUnpinned { model });
		Ok(())
	}

	/// The entry of a model that its owner may take apart.
	pub(crate) fn owned_and_not_pinned(
		who: &AccountId,
		model: &ModelId,
	) -> Result<ModelEntry, Error<T>> {
		let entry = Models::<T>::get(model).ok_or(Error::<T>::UnknownModel)?;
		ensure!(entry.owner == *who, Error::<T>::NotOwner);
		ensure!(entry.pinned_at.is_none(), Error::<T>::StillPinned);
		Ok(entry)
	}
}
