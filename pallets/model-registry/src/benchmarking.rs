//! Benchmarks of the calls, each in its most expensive case.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use crate::{
	fixtures, AliasName, Aliases, AliasesOf, Call, Config, Models, Offers, Pallet, PinnedModels,
	MAX_ALIAS_BYTES,
};
use aria_primitives::{
	hashing::sha256, manifest::MAX_MANIFEST_BYTES, traits::Offer, AccountId, ModelId,
};
use frame_benchmarking::v2::*;
use frame_support::{
	traits::{
		fungible::{Inspect, Mutate},
		EnsureOrigin, Get,
	},
	BoundedVec,
};
use frame_system::RawOrigin;

/// Bytes that a layer adds to the manifests of [`fixtures`].
const LAYER_BYTES: u32 = 9 * 36;

const OFFER: Offer = Offer { prompt_price: 1, cached_price: 1, output_price: 1 };

/// Gives the account what the largest model and an offer cost, twice.
fn fund<T: Config>(account: &AccountId) {
	let amount = Pallet::<T>::deposit_for(MAX_MANIFEST_BYTES)
		.saturating_add(T::OfferDeposit::get())
		.saturating_add(T::Currency::minimum_balance())
		.saturating_mul(2);
	T::Currency::mint_into(account, amount).expect("an account can be funded");
}

/// A registered model of that many layers; another `seed` gives another model.
fn registered<T: Config>(owner: &AccountId, layers: u16, seed: u32) -> ModelId {
	fund::<T>(owner);
	let bytes = fixtures::bytes(&fixtures::variant(layers, seed));
	Pallet::<T>::do_register(owner.clone(), bytes).expect("fixtures are valid")
}

/// Registers and pins the model of that many layers, unless that was done, and sets the offer.
pub(crate) fn pinned_model<T: Config>(layers: u16, seller: &AccountId, offer: Offer) -> ModelId {
	let model = fixtures::manifest(layers).model_id();
	if !Models::<T>::contains_key(model) {
		registered::<T>(seller, layers, 0);
	}
	if !Pallet::<T>::is_pinned(&model) {
		Pallet::<T>::do_pin(model).expect("fewer models are pinned than may be");
	}
	fund::<T>(seller);
	Pallet::<T>::do_set_offer(seller.clone(), model, offer).expect("the offer is within limits");
	model
}

/// Leaves room for one more pin.
fn fill_pins<T: Config>() {
	let others = (1..T::MaxPinned::get()).map(|n| sha256(&n.to_le_bytes())).collect();
	let pinned: BoundedVec<ModelId, T::MaxPinned> = BoundedVec::truncate_from(others);
	PinnedModels::<T>::put(pinned);
}

/// The `n`th alias of the greatest length.
fn name(n: u32) -> AliasName {
	let mut name = [b'a'; MAX_ALIAS_BYTES as usize];
	for (bit, letter) in name.iter_mut().rev().take(32).enumerate() {
		*letter = if (n >> bit) & 1 == 1 { b'1' } else { b'0' };
	}
	AliasName::truncate_from(name.to_vec())
}

#[benchmarks]
mod benchmarks {
	use super::*;

	/// `b` is the length of the manifest; the one measured is never shorter but at the very end.
	#[benchmark]
	fn register_model(b: Linear<512, MAX_MANIFEST_BYTES>) -> Result<(), BenchmarkError> {
		let owner: AccountId = whitelisted_caller();
		fund::<T>(&owner);
		let layers = (b.div_ceil(LAYER_BYTES) as u16).clamp(1, fixtures::MOST_LAYERS);
		let manifest = fixtures::manifest(layers);
		let bytes = fixtures::bytes(&manifest);

		#[extrinsic_call]
		_(RawOrigin::Signed(owner), bytes);

		assert!(Models::<T>::contains_key(manifest.model_id()));
		Ok(())
	}

	#[benchmark]
	fn unregister_model() -> Result<(), BenchmarkError> {
		let owner: AccountId = whitelisted_caller();
		let model = registered::<T>(&owner, fixtures::MOST_LAYERS, 0);

		#[extrinsic_call]
		_(RawOrigin::Signed(owner), model);

		assert!(!Models::<T>::contains_key(model));
		Ok(())
	}

	#[benchmark]
	fn set_offer() -> Result<(), BenchmarkError> {
		let owner: AccountId = account("owner", 0, 0);
		let model = registered::<T>(&owner, 1, 0);
		let seller: AccountId = whitelisted_caller();
		fund::<T>(&seller);

		#[extrinsic_call]
		_(RawOrigin::Signed(seller.clone()), model, OFFER);

		assert!(Offers::<T>::contains_key(model, seller));
		Ok(())
	}

	#[benchmark]
	fn remove_offer() -> Result<(), BenchmarkError> {
		let seller: AccountId = whitelisted_caller();
		let model = registered::<T>(&seller, 1, 0);
		Pallet::<T>::do_set_offer(seller.clone(), model, OFFER)?;

		#[extrinsic_call]
		_(RawOrigin::Signed(seller.clone()), model);

		assert!(!Offers::<T>::contains_key(model, seller));
		Ok(())
	}

	#[benchmark]
	fn pin() -> Result<(), BenchmarkError> {
		let origin =
			T::PinOrigin::try_successful_origin().map_err(|_| BenchmarkError::Weightless)?;
		let model = registered::<T>(&whitelisted_caller(), 1, 0);
		fill_pins::<T>();

		#[extrinsic_call]
		_(origin as T::RuntimeOrigin, model);

		assert!(Pallet::<T>::is_pinned(&model));
		Ok(())
	}

	#[benchmark]
	fn unpin() -> Result<(), BenchmarkError> {
		let origin =
			T::PinOrigin::try_successful_origin().map_err(|_| BenchmarkError::Weightless)?;
		let model = registered::<T>(&whitelisted_caller(), 1, 0);
		fill_pins::<T>();
		Pallet::<T>::do_pin(model)?;

		#[extrinsic_call]
		_(origin as T::RuntimeOrigin, model);

		assert!(!Pallet::<T>::is_pinned(&model));
		Ok(())
	}

	/// The alias is the last of a model with all aliases, and becomes the last of another.
	#[benchmark]
	fn set_alias() -> Result<(), BenchmarkError> {
		let origin =
			T::AliasOrigin::try_successful_origin().map_err(|_| BenchmarkError::Weightless)?;
		let owner: AccountId = whitelisted_caller();
		let (before, after) = (registered::<T>(&owner, 1, 0), registered::<T>(&owner, 1, 1));
		let most = T::MaxAliasesPerModel::get();
		for n in 0..most {
			Pallet::<T>::do_set_alias(name(n), before)?;
		}
		for n in 1..most {
			Pallet::<T>::do_set_alias(name(most + n), after)?;
		}
		let moved = name(most - 1);

		#[extrinsic_call]
		_(origin as T::RuntimeOrigin, moved.clone(), after);

		assert_eq!(Aliases::<T>::get(moved), Some(after));
		assert_eq!(AliasesOf::<T>::get(after).len() as u32, most);
		Ok(())
	}

	#[benchmark]
	fn remove_alias() -> Result<(), BenchmarkError> {
		let origin =
			T::AliasOrigin::try_successful_origin().map_err(|_| BenchmarkError::Weightless)?;
		let model = registered::<T>(&whitelisted_caller(), 1, 0);
		let most = T::MaxAliasesPerModel::get();
		for n in 0..most {
			Pallet::<T>::do_set_alias(name(n), model)?;
		}
		let last = name(most - 1);

		#[extrinsic_call]
		_(origin as T::RuntimeOrigin, last.clone());

		assert!(!Aliases::<T>::contains_key(last));
		Ok(())
	}

	#[benchmark]
	fn dismiss_offer() -> Result<(), BenchmarkError> {
		let owner: AccountId = whitelisted_caller();
		let model = registered::<T>(&owner, 1, 0);
		let seller: AccountId = account("seller", 0, 0);
		fund::<T>(&seller);
		Pallet::<T>::do_set_offer(seller.clone(), model, OFFER)?;

		#[extrinsic_call]
		_(RawOrigin::Signed(owner), model, seller.clone());

		assert!(!Offers::<T>::contains_key(model, seller));
		Ok(())
	}

	impl_benchmark_test_suite!(Pallet, crate::mock::new_test_ext(), crate::mock::Test);
}
