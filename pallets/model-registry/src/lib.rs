//! # Model registry
//!
//! Which models exist, byte by byte, who sells their tokens at what price, which of them may earn,
//! and what they are called (paper, 5.3; `docs/protocol/manifest.md`).
//!
//! ## Pallet API
//!
//! See the [`pallet`] module for the configuration, calls, storage, events and errors. Other
//! pallets reach this one through [`aria_primitives::traits::Models`].
//!
//! ## Terminology
//!
//! * **Manifest**: everything that decides the bits of an answer but for the query: dimensions,
//!   numerics, the Merkle root of each tensor ([`Manifest`](aria_primitives::manifest::Manifest)).
//! * **Model**: a registered manifest. Its id is the SHA-256 of the manifest's canonical bytes,
//!   computed by the chain, so that nobody can claim an id for other weights.
//! * **Offer**: the prices at which one seller (a gateway, a worker) serves a model. Prices are not
//!   part of the model.
//! * **Pinned**: allowed to earn. Pins are decided by governance.
//! * **Alias**: a name such as `aria-2b-1bit` that governance points at a model, and may later
//!   point at another.
//!
//! ## Overview
//!
//! Anybody registers a manifest under a deposit for its bytes; the chain checks that dimensions,
//! tensors and shards fit together. Governance pins the models whose work it wants paid, and names
//! them. Sellers set offers. A settlement asks for the pinned model and the seller's offer.
//!
//! ### Key concepts
//!
//! * **Deposits**: [`Config::DepositBase`] and [`Config::DepositPerByte`] for a manifest,
//!   [`Config::OfferDeposit`] for an offer. Each is released in the amount that was taken, whatever
//!   the price is then.
//! * **Unregistering**: only the owner may, and only while the model is not pinned, has no alias
//!   and no offer. So that strangers' offers can't keep a deposit for ever, the owner may dismiss
//!   offers for a model that is not pinned.
//! * **Small reads**: manifests lie apart from the entries, so that a settlement never reads
//!   kilobytes.
//!
//! ### Example
//!
#![doc = docify::embed!("src/tests/register_model.rs", register_model_should_give_the_hash_of_the_manifest_as_id)]
#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

mod access;
mod aliases;
#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
#[cfg(any(test, feature = "runtime-benchmarks"))]
pub mod fixtures;
#[cfg(test)]
mod mock;
mod models;
mod offers;
#[cfg(test)]
mod tests;
#[cfg(any(feature = "try-runtime", test))]
mod try_state;
mod types;
pub mod weights;

pub use pallet::*;
pub use types::{
	AliasName, ManifestBytes, ModelEntry, OfferEntry, MAX_ALIAS_BYTES, MIN_ALIAS_BYTES, OFFERS_PAGE,
};
pub use weights::WeightInfo;

#[frame_support::pallet]
pub mod pallet {
	use crate::{AliasName, ManifestBytes, ModelEntry, OfferEntry, WeightInfo};
	use alloc::vec::Vec;
	use aria_primitives::{traits::Offer, views::ModelView, AccountId, Balance, ModelId};
	use frame_support::{pallet_prelude::*, traits::fungible};
	use frame_system::pallet_prelude::*;

	/// The in-code storage version.
	const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

	#[pallet::config]
	pub trait Config: frame_system::Config<AccountId = AccountId> {
		/// Holds the deposits.
		type Currency: fungible::Inspect<AccountId, Balance = Balance>
			+ fungible::Mutate<AccountId>
			+ fungible::InspectHold<AccountId, Reason = Self::RuntimeHoldReason>
			+ fungible::MutateHold<AccountId>;

		/// The runtime's reasons for holds.
		type RuntimeHoldReason: From<HoldReason>;

		/// Who may pin and unpin models.
		type PinOrigin: EnsureOrigin<Self::RuntimeOrigin>;

		/// Who may set and remove aliases.
		type AliasOrigin: EnsureOrigin<Self::RuntimeOrigin>;

		/// On hold for each model, in planck.
		#[pallet::constant]
		type DepositBase: Get<Balance>;

		/// On hold for each byte of a manifest, in planck.
		#[pallet::constant]
		type DepositPerByte: Get<Balance>;

		/// On hold for each offer, in planck.
		#[pallet::constant]
		type OfferDeposit: Get<Balance>;

		/// Most that an offer may ask for a token, in planck.
		#[pallet::constant]
		type MaxTokenPrice: Get<Balance>;

		/// Most models pinned at a time.
		#[pallet::constant]
		type MaxPinned: Get<u32>;

		/// Most aliases of one model.
		#[pallet::constant]
		type MaxAliasesPerModel: Get<u32>;

		/// Weights of the calls.
		type WeightInfo: WeightInfo;
	}

	/// Why this pallet holds funds.
	#[pallet::composite_enum]
	pub enum HoldReason {
		/// Pays for the bytes of a manifest.
		#[codec(index = 0)]
		ModelDeposit,
		/// Pays for an offer.
		#[codec(index = 1)]
		OfferDeposit,
	}

	/// The pallet.
	#[pallet::pallet]
	#[pallet::storage_version(STORAGE_VERSION)]
	pub struct Pallet<T>(_);

	/// The registered models.
	#[pallet::storage]
	pub type Models<T: Config> = StorageMap<_, Identity, ModelId, ModelEntry, OptionQuery>;

	/// Their manifests in canonical bytes.
	#[pallet::storage]
	pub type Manifests<T: Config> = StorageMap<_, Identity, ModelId, ManifestBytes, OptionQuery>;

	/// Offers by model and seller.
	#[pallet::storage]
	pub type Offers<T: Config> = StorageDoubleMap<
		_,
		Identity,
		ModelId,
		Blake2_128Concat,
		AccountId,
		OfferEntry,
		OptionQuery,
	>;

	/// How many offers a model has.
	#[pallet::storage]
	pub type OfferCount<T: Config> = StorageMap<_, Identity, ModelId, u32, ValueQuery>;

	/// The pinned models, in the order in which they were pinned.
	#[pallet::storage]
	pub type PinnedModels<T: Config> =
		StorageValue<_, BoundedVec<ModelId, T::MaxPinned>, ValueQuery>;

	/// The model that an alias names.
	#[pallet::storage]
	pub type Aliases<T: Config> = StorageMap<_, Blake2_128Concat, AliasName, ModelId, OptionQuery>;

	/// The aliases that name a model.
	#[pallet::storage]
	pub type AliasesOf<T: Config> =
		StorageMap<_, Identity, ModelId, BoundedVec<AliasName, T::MaxAliasesPerModel>, ValueQuery>;

	#[pallet::event]
	#[pallet::generate_deposit(pub(super) fn deposit_event)]
	pub enum Event<T: Config> {
		/// A model was registered.
		ModelRegistered {
			/// Its id: SHA-256 of the manifest.
			model: ModelId,
			/// Who registered it.
			owner: AccountId,
			/// What is on hold for it, in planck.
			deposit: Balance,
		},
		/// A model was removed and its deposit released.
		ModelUnregistered {
			/// Its id.
			model: ModelId,
		},
		/// A seller set prices for a model, for the first time or again.
		OfferSet {
			/// The model.
			model: ModelId,
			/// The seller.
			seller: AccountId,
			/// The prices.
			offer: Offer,
		},
		/// An offer was removed and its deposit released.
		OfferRemoved {
			/// The model.
			model: ModelId,
			/// The seller.
			seller: AccountId,
		},
		/// A model may earn from now on.
		ModelPinned {
			/// Its id.
			model: ModelId,
		},
		/// A model may not earn any more.
		ModelUnpinned {
			/// Its id.
			model: ModelId,
		},
		/// An alias names a model now.
		AliasSet {
			/// The alias.
			name: AliasName,
			/// What it names.
			model: ModelId,
			/// What it named before.
			previous: Option<ModelId>,
		},
		/// An alias names nothing any more.
		AliasRemoved {
			/// The alias.
			name: AliasName,
			/// What it named.
			model: ModelId,
		},
	}

	#[pallet::error]
	pub enum Error<T> {
		/// The bytes are no manifest, or bytes follow it. Encode it as `docs/protocol/manifest.md`
		/// says.
		MalformedManifest,
		/// The manifest's version is not one that this runtime knows. Encode it as version 1.
		UnknownManifestVersion,
		/// A dimension of the manifest is 0, too large, or does not divide as it must; or a special
		/// token lies outside the vocabulary. Compare with the limits in `docs/protocol/manifest.md`.
		BadDimensions,
		/// Tensors are missing, repeated, out of order, or belong to no layer. List all of them
		/// ascending by layer and role.
		BadTensors,
		/// Shards overlap, leave a gap, or do not cover the layers. List ranges that follow each other
		/// from layer 0 to the last.
		BadShards,
		/// The model is registered. Use it under its id.
		AlreadyRegistered,
		/// No such model is registered. Register its manifest first.
		UnknownModel,
		/// Only the account that registered the model may do this.
		NotOwner,
		/// The model is pinned. It must be unpinned first.
		StillPinned,
		/// An alias names the model. It must be removed or pointed elsewhere first.
		StillAliased,
		/// There are offers for the model. They must be removed or dismissed first.
		StillOffered,
		/// The price of an output token is 0. Ask for at least 1 planck.
		PriceZero,
		/// A price is above the limit. Ask for `MaxTokenPrice` at most.
		PriceTooHigh,
		/// The seller has no offer for this model. Set one with `set_offer`.
		NoOffer,
		/// The model is pinned already. There is nothing to do.
		AlreadyPinned,
		/// The model is not pinned, so that it can't earn. Choose a pinned one.
		NotPinned,
		/// As many models are pinned as may be. Unpin one first.
		TooManyPinned,
		/// The name is no alias. Use 3 to 64 of `a-z`, `0-9`, `.` and `-`, a letter first.
		InvalidAlias,
		/// The alias names this model already. There is nothing to do.
		AliasUnchanged,
		/// The model has as many aliases as it may. Remove one first.
		TooManyAliases,
		/// There is no such alias. See the view function `aliases`.
		UnknownAlias,
	}

	#[pallet::hooks]
	impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
		fn integrity_test() {
			assert!(T::MaxPinned::get() > 0, "MaxPinned of 0 would let no model earn");
			assert!(T::MaxAliasesPerModel::get() > 0, "MaxAliasesPerModel of 0 allows no alias");
			assert!(T::MaxTokenPrice::get() > 0, "MaxTokenPrice of 0 allows no offer");
			// Prompt, cached and output tokens are counted in 32 bits each.
			assert!(
				T::MaxTokenPrice::get().checked_mul(3 * u128::from(u32::MAX)).is_some(),
				"MaxTokenPrice must leave the price of the largest record in range",
			);
		}

		#[cfg(feature = "try-runtime")]
		fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
			Self::do_try_state()
		}
	}

	#[pallet::call]
	impl<T: Config> Pallet<T> {
		/// Registers a model by its manifest.
		///
		/// ## Dispatch origin
		///
		/// Must be `Signed`; the signer becomes the owner.
		///
		/// ## Details
		///
		/// The chain computes the id as the SHA-256 of the bytes, checks that dimensions, tensors and
		/// shards fit together, and holds a deposit for the bytes. The model earns nothing before it
		/// is pinned.
		///
		/// ## Parameters
		///
		/// - `manifest`: the canonical bytes, at most 16 KiB.
		///
		/// ## Errors
		///
		/// - [`Error::MalformedManifest`], [`Error::UnknownManifestVersion`],
		///   [`Error::BadDimensions`], [`Error::BadTensors`], [`Error::BadShards`]: the manifest is
		///   wrong.
		/// - [`Error::AlreadyRegistered`]: the model is there.
		/// - `Token::FundsUnavailable`: the caller can't afford the deposit.
		///
		/// ## Events
		///
		/// - [`Event::ModelRegistered`].
		#[pallet::call_index(0)]
		#[pallet::weight(T::WeightInfo::register_model(manifest.len() as u32))]
		pub fn register_model(origin: OriginFor<T>, manifest: ManifestBytes) -> DispatchResult {
			let owner = ensure_signed(origin)?;
			Self::do_register(owner, manifest).map(|_| ())
		}

		/// Removes a model and releases its deposit.
		///
		/// ## Dispatch origin
		///
		/// Must be `Signed` by the model's owner.
		///
		/// ## Details
		///
		/// Records that name the model stay; whoever keeps the manifest can register it again under
		/// the same id.
		///
		/// ## Parameters
		///
		/// - `model`: its id.
		///
		/// ## Errors
		///
		/// - [`Error::UnknownModel`], [`Error::NotOwner`].
		/// - [`Error::StillPinned`], [`Error::StillAliased`], [`Error::StillOffered`]: something hangs
		///   on the model.
		///
		/// ## Events
		///
		/// - [`Event::ModelUnregistered`].
		#[pallet::call_index(1)]
		#[pallet::weight(T::WeightInfo::unregister_model())]
		pub fn unregister_model(origin: OriginFor<T>, model: ModelId) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_unregister(who, model)
		}

		/// Sets the caller's prices for a model's tokens.
		///
		/// ## Dispatch origin
		///
		/// Must be `Signed` by the seller.
		///
		/// ## Details
		///
		/// The first offer for a model puts a deposit on hold; later ones replace its prices.
		///
		/// ## Parameters
		///
		/// - `model`: its id.
		/// - `offer`: prices in planck a token; prompt and cached tokens may be free.
		///
		/// ## Errors
		///
		/// - [`Error::PriceZero`]: output tokens may not be free.
		/// - [`Error::PriceTooHigh`]: a price is above [`Config::MaxTokenPrice`].
		/// - [`Error::UnknownModel`]: no such model.
		/// - `Token::FundsUnavailable`: the caller can't afford the deposit.
		///
		/// ## Events
		///
		/// - [`Event::OfferSet`].
		#[pallet::call_index(2)]
		#[pallet::weight(T::WeightInfo::set_offer())]
		pub fn set_offer(origin: OriginFor<T>, model: ModelId, offer: Offer) -> DispatchResult {
			let seller = ensure_signed(origin)?;
			Self::do_set_offer(seller, model, offer)
		}

		/// Removes the caller's offer for a model and releases its deposit.
		///
		/// ## Dispatch origin
		///
		/// Must be `Signed` by the seller.
		///
		/// ## Parameters
		///
		/// - `model`: its id.
		///
		/// ## Errors
		///
		/// - [`Error::NoOffer`]: the caller has no offer for it.
		///
		/// ## Events
		///
		/// - [`Event::OfferRemoved`].
		#[pallet::call_index(3)]
		#[pallet::weight(T::WeightInfo::remove_offer())]
		pub fn remove_offer(origin: OriginFor<T>, model: ModelId) -> DispatchResult {
			let seller = ensure_signed(origin)?;
			Self::drop_offer(seller, model)
		}

		/// Lets a model earn.
		///
		/// ## Dispatch origin
		///
		/// Must be [`Config::PinOrigin`].
		///
		/// ## Parameters
		///
		/// - `model`: its id.
		///
		/// ## Errors
		///
		/// - [`Error::UnknownModel`], [`Error::AlreadyPinned`].
		/// - [`Error::TooManyPinned`]: [`Config::MaxPinned`] are pinned.
		///
		/// ## Events
		///
		/// - [`Event::ModelPinned`].
		#[pallet::call_index(4)]
		#[pallet::weight(T::WeightInfo::pin())]
		pub fn pin(origin: OriginFor<T>, model: ModelId) -> DispatchResult {
			T::PinOrigin::ensure_origin(origin)?;
			Self::do_pin(model)
		}

		/// Lets a model earn no more.
		///
		/// ## Dispatch origin
		///
		/// Must be [`Config::PinOrigin`].
		///
		/// ## Details
		///
		/// Records of the model that are not settled yet can't be settled any more.
		///
		/// ## Parameters
		///
		/// - `model`: its id.
		///
		/// ## Errors
		///
		/// - [`Error::UnknownModel`], [`Error::NotPinned`].
		///
		/// ## Events
		///
		/// - [`Event::ModelUnpinned`].
		#[pallet::call_index(5)]
		#[pallet::weight(T::WeightInfo::unpin())]
		pub fn unpin(origin: OriginFor<T>, model: ModelId) -> DispatchResult {
			T::PinOrigin::ensure_origin(origin)?;
			Self::do_unpin(model)
		}

		/// Points an alias at a model.
		///
		/// ## Dispatch origin
		///
		/// Must be [`Config::AliasOrigin`].
		///
		/// ## Details
		///
		/// An alias that names another model is taken from it.
		///
		/// ## Parameters
		///
		/// - `name`: the alias.
		/// - `model`: the id of what it shall name.
		///
		/// ## Errors
		///
		/// - [`Error::InvalidAlias`]: the name is not of the allowed form.
		/// - [`Error::UnknownModel`]: no such model.
		/// - [`Error::AliasUnchanged`]: it names this model.
		/// - [`Error::TooManyAliases`]: the model has [`Config::MaxAliasesPerModel`].
		///
		/// ## Events
		///
		/// - [`Event::AliasSet`].
		#[pallet::call_index(6)]
		#[pallet::weight(T::WeightInfo::set_alias())]
		pub fn set_alias(origin: OriginFor<T>, name: AliasName, model: ModelId) -> DispatchResult {
			T::AliasOrigin::ensure_origin(origin)?;
			Self::do_set_alias(name, model)
		}

		/// Removes an alias.
		///
		/// ## Dispatch origin
		///
		/// Must be [`Config::AliasOrigin`].
		///
		/// ## Parameters
		///
		/// - `name`: the alias.
		///
		/// ## Errors
		///
		/// - [`Error::UnknownAlias`]: there is none.
		///
		/// ## Events
		///
		/// - [`Event::AliasRemoved`].
		#[pallet::call_index(7)]
		#[pallet::weight(T::WeightInfo::remove_alias())]
		pub fn remove_alias(origin: OriginFor<T>, name: AliasName) -> DispatchResult {
			T::AliasOrigin::ensure_origin(origin)?;
			Self::do_remove_alias(name)
		}

		/// Removes somebody's offer for the caller's model, while that model is not pinned, and
		/// releases the seller's deposit.
		///
		/// ## Dispatch origin
		///
		/// Must be `Signed` by the model's owner.
		///
		/// ## Details
		///
		/// Offers for a model that can't earn are of no use, but would keep its owner from
		/// unregistering it.
		///
		/// ## Parameters
		///
		/// - `model`: its id.
		/// - `seller`: whose offer.
		///
		/// ## Errors
		///
		/// - [`Error::UnknownModel`], [`Error::NotOwner`].
		/// - [`Error::StillPinned`]: sellers of a pinned model are not the owner's to dismiss.
		/// - [`Error::NoOffer`]: the seller has none.
		///
		/// ## Events
		///
		/// - [`Event::OfferRemoved`].
		#[pallet::call_index(8)]
		#[pallet::weight(T::WeightInfo::dismiss_offer())]
		pub fn dismiss_offer(
			origin: OriginFor<T>,
			model: ModelId,
			seller: AccountId,
		) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_dismiss_offer(who, model, seller)
		}
	}

	#[pallet::view_functions]
	impl<T: Config> Pallet<T> {
		/// The entry of a model.
		pub fn model(model: ModelId) -> Option<ModelEntry> {
			Models::<T>::get(model)
		}

		/// The manifest of a model, in canonical bytes.
		pub fn manifest(model: ModelId) -> Option<ManifestBytes> {
			Manifests::<T>::get(model)
		}

		/// A page of the offers for a model, at most 64, after the seller `after`; the order is fixed
		/// but means nothing.
		pub fn offers(model: ModelId, after: Option<AccountId>) -> Vec<(AccountId, Offer)> {
			Self::offers_page(&model, after)
		}

		/// The model that an alias names.
		pub fn alias(name: AliasName) -> Option<ModelId> {
			Aliases::<T>::get(name)
		}

		/// The aliases of a model.
		pub fn aliases(model: ModelId) -> Vec<AliasName> {
			AliasesOf::<T>::get(model).into_inner()
		}

		/// The pinned models, in the order in which they were pinned.
		pub fn pinned_models() -> Vec<ModelView> {
			Self::pinned_list()
		}
	}
}
