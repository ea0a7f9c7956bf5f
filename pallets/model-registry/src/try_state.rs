//! What must hold of the pallet's state after every block.

use crate::{
	types::{info_of, is_valid_alias},
	Aliases, AliasesOf, Config, HoldReason, Manifests, Models, OfferCount, Offers, Pallet,
	PinnedModels,
};
use alloc::collections::{BTreeMap, BTreeSet};
use aria_primitives::{hashing::sha256, manifest::Manifest, AccountId, Balance, ModelId};
use frame_support::{ensure, traits::fungible::InspectHold};
use sp_runtime::TryRuntimeError;

impl<T: Config> Pallet<T> {
	/// Checks the invariants; the first that is broken as an error.
	pub(crate) fn do_try_state() -> Result<(), TryRuntimeError> {
		Self::check_models()?;
		Self::check_pins()?;
		Self::check_offers()?;
		Self::check_aliases()
	}

	fn check_models() -> Result<(), TryRuntimeError> {
		let mut deposits: BTreeMap<AccountId, Balance> = BTreeMap::new();
		let mut count = 0usize;
		for (model, entry) in Models::<T>::iter() {
			// 1. Every model has a manifest that is valid, hashes to its id and says what the entry
			// says.
			let bytes = Manifests::<T>::get(model).ok_or("a model without a manifest")?;
			ensure!(sha256(&bytes) == model, "a manifest that does not hash to its model's id");
			let manifest = Manifest::from_bytes(&bytes).map_err(|_| "an invalid manifest")?;
			ensure!(info_of(&manifest) == entry.info, "an entry that disagrees with its manifest");
			count = count.saturating_add(1);
			let sum = deposits.entry(entry.owner).or_default();
			*sum = sum.saturating_add(entry.deposit);
		}
		// 2. Every manifest has a model.
		ensure!(Manifests::<T>::iter_keys().count() == count, "a manifest without a model");
		// 3. Owners have on hold exactly what their models' entries say.
		for (owner, sum) in deposits {
			let held = T::Currency::balance_on_hold(&HoldReason::ModelDeposit.into(), &owner);
			ensure!(held == sum, "model deposits on hold differ from those of the entries");
		}
		Ok(())
	}

	fn check_pins() -> Result<(), TryRuntimeError> {
		// 4. The list of pins has exactly the models that are pinned, each once.
		let list = PinnedModels::<T>::get();
		let listed: BTreeSet<ModelId> = list.iter().copied().collect();
		ensure!(listed.len() == list.len(), "a model is pinned twice");
		let pinned: BTreeSet<ModelId> = Models::<T>::iter()
			.filter(|(_, entry)| entry.pinned_at.is_some())
			.map(|(model, _)| model)
			.collect();
		ensure!(pinned == listed, "the list of pins differs from the entries");
		Ok(())
	}

	fn check_offers() -> Result<(), TryRuntimeError> {
		let mut deposits: BTreeMap<AccountId, Balance> = BTreeMap::new();
		let mut counts: BTreeMap<ModelId, u32> = BTreeMap::new();
		for (model, seller, entry) in Offers::<T>::iter() {
			// 5. Offers are for registered models, and output is never free.
			ensure!(Models::<T>::contains_key(model), "an offer for an unknown model");
			ensure!(entry.offer.output_price > 0, "an offer of free output");
			let count = counts.entry(model).or_default();
			*count = count.saturating_add(1);
			let sum = deposits.entry(seller).or_default();
			*sum = sum.saturating_add(entry.deposit);
		}
		// 6. The counters count the offers, and none is 0.
		let counters: BTreeMap<ModelId, u32> = OfferCount::<T>::iter().collect();
		ensure!(counters == counts, "the counter of offers differs from the offers");
		// 7. Sellers have on hold exactly what their offers' entries say.
		for (seller, sum) in deposits {
			let held = T::Currency::balance_on_hold(&HoldReason::OfferDeposit.into(), &seller);
			ensure!(held == sum, "offer deposits on hold differ from those of the entries");
		}
		Ok(())
	}

	fn check_aliases() -> Result<(), TryRuntimeError> {
		let mut listed = 0usize;
		for (model, names) in AliasesOf::<T>::iter() {
			// 8. Lists of aliases are of registered models, not empty, and agree with the map.
			ensure!(Models::<T>::contains_key(model), "an alias of an unknown model");
			ensure!(!names.is_empty(), "an empty list of aliases");
			for name in names {
				ensure!(is_valid_alias(&name), "an alias of a wrong form");
				ensure!(Aliases::<T>::get(&name) == Some(model), "an alias that names another");
				listed = listed.saturating_add(1);
			}
		}
		// 9. Every alias is in its model's list, once.
		ensure!(Aliases::<T>::iter_keys().count() == listed, "an alias that no model lists");
		Ok(())
	}
}
