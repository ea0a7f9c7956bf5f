//! # Consent registry
//!
//! What each worker allows, version by version: share of CPU, hours, kinds of task, bytes, memory,
//! and what happens to its earnings (paper, 3.1 and 6.2; `docs/protocol/consent.md`).
//!
//! ## Pallet API
//!
//! See the [`pallet`] module for the configuration, calls, storage, events and errors. Other
//! pallets reach this one through [`aria_primitives::traits::Consents`].
//!
//! ## Terminology
//!
//! * **Consent**: the terms under which a worker lends its machine
//!   ([`Consent`](aria_primitives::consent::Consent)).
//! * **Version**: one set of terms of one worker and the blocks in which it held
//!   ([`ConsentVersion`](aria_primitives::consent::ConsentVersion)). Versions count from 1 for each
//!   worker and never repeat, not even after a withdrawal or a pruning, so that a record that names
//!   a version names it for ever.
//! * **In force**: set, and neither replaced nor withdrawn.
//! * **Superseded**: replaced by the next version, or withdrawn.
//!
//! ## Overview
//!
//! A stage of a record names the version that its worker worked under and the block at which the
//! work began (its anchor). A settlement asks this pallet whether that version permitted the task
//! at that time, and fails with this pallet's error if it did not.
//!
//! ### Key concepts
//!
//! * **Grace**: work that is under way when a worker changes its terms may still be settled under
//!   the superseded version for [`Config::GracePeriod`] blocks. A withdrawal is stricter: work that
//!   began after it is refused at once.
//! * **History**: superseded versions are kept for [`Config::HistoryPeriod`] blocks, so that an
//!   audit can read the terms behind a record. After that anybody may prune them. A worker keeps
//!   [`Config::MaxVersions`] at most; when they are full, a new one takes the oldest one's place if
//!   that one is old enough.
//! * **Deposit**: [`Config::DepositBase`] and [`Config::DepositPerVersion`] for each version kept
//!   are on hold. They are taken at the prices of the last change by the worker; pruning never
//!   raises them. When no version is left, nothing is on hold.
//!
//! Anybody may set a consent, before or after registering as a worker.
//!
//! ### Example
//!
#![doc = docify::embed!("src/tests/set_consent.rs", set_consent_should_store_version_one_when_terms_are_valid)]
#![cfg_attr(not(feature = "std"), no_std)]

#[cfg(feature = "runtime-benchmarks")]
extern crate alloc;

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
#[cfg(test)]
mod mock;
mod permission;
#[cfg(test)]
mod tests;
#[cfg(any(feature = "try-runtime", test))]
mod try_state;
mod types;
mod versions;
pub mod weights;

pub use pallet::*;
pub use types::{History, Refusal};
pub use weights::WeightInfo;

#[frame_support::pallet]
pub mod pallet {
	use crate::{History, Refusal, WeightInfo};
	use aria_primitives::{
		consent::{Consent, ConsentVersion, TaskType},
		AccountId, Balance, BlockNumber, Moment,
	};
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

		/// On hold while a worker has any version, in planck.
		#[pallet::constant]
		type DepositBase: Get<Balance>;

		/// On hold for each version kept, in planck.
		#[pallet::constant]
		type DepositPerVersion: Get<Balance>;

		/// Blocks for which work may still be settled under a superseded version.
		#[pallet::constant]
		type GracePeriod: Get<BlockNumber>;

		/// Blocks for which a superseded version is kept; longer than the grace period and than any
		/// audit of a record that names the version.
		#[pallet::constant]
		type HistoryPeriod: Get<BlockNumber>;

		/// Most versions kept for one worker; at least 2.
		#[pallet::constant]
		type MaxVersions: Get<u32>;

		/// Where donated earnings go.
		#[pallet::constant]
		type DonationAccount: Get<AccountId>;

		/// Weights of the calls.
		type WeightInfo: WeightInfo;
	}

	/// Why this pallet holds funds.
	#[pallet::composite_enum]
	pub enum HoldReason {
		/// Pays for the versions of a worker's consent that the chain keeps.
		#[codec(index = 0)]
		ConsentDeposit,
	}

	/// The pallet.
	#[pallet::pallet]
	#[pallet::storage_version(STORAGE_VERSION)]
	pub struct Pallet<T>(_);

	/// The version in force, for each worker that has one.
	#[pallet::storage]
	pub type Current<T: Config> = StorageMap<_, Blake2_128Concat, AccountId, u32, OptionQuery>;

	/// The versions kept, by worker and version.
	#[pallet::storage]
	pub type Versions<T: Config> = StorageDoubleMap<
		_,
		Blake2_128Concat,
		AccountId,
		Twox64Concat,
		u32,
		ConsentVersion,
		OptionQuery,
	>;

	/// Which versions each worker has had and which of them are kept. Never removed: it is what
	/// keeps version numbers from being given twice.
	#[pallet::storage]
	pub type Histories<T: Config> = StorageMap<_, Blake2_128Concat, AccountId, History, ValueQuery>;

	#[pallet::event]
	#[pallet::generate_deposit(pub(super) fn deposit_event)]
	pub enum Event<T: Config> {
		/// A worker without a consent in force set one.
		ConsentSet {
			/// The worker.
			worker: AccountId,
			/// The version now in force.
			version: u32,
		},
		/// A worker changed its terms.
		ConsentUpdated {
			/// The worker.
			worker: AccountId,
			/// The version now in force.
			version: u32,
			/// The version that it supersedes.
			previous: u32,
		},
		/// A worker withdrew its consent; it permits nothing now.
		ConsentWithdrawn {
			/// The worker.
			worker: AccountId,
			/// The version that was in force.
			version: u32,
		},
		/// Old versions were removed and their deposits released.
		VersionsPruned {
			/// The worker.
			worker: AccountId,
			/// The oldest version removed.
			first: u32,
			/// The newest version removed.
			last: u32,
		},
	}

	#[pallet::error]
	pub enum Error<T> {
		/// The share of CPU is 0 or above 100. Give a whole percentage from 1 to 100.
		CpuPercentOutOfRange,
		/// The schedule has a day beyond bit 6, an offset beyond 14 hours, or a window that is empty
		/// or leaves the day. Windows are minutes `from..to` of a day; `from > to` runs over midnight.
		InvalidSchedule,
		/// No kind of task is accepted. Name at least one, or withdraw the consent.
		NoTaskTypes,
		/// A kind of task is named twice. Name each once.
		DuplicateTaskType,
		/// The bandwidth is 0. Give at least 1 megabit a second.
		BandwidthZero,
		/// The memory is 0. Give at least 1 mebibyte.
		MemoryZero,
		/// The account has no consent in force. Set one with `set_consent`.
		NotSet,
		/// The account has a consent in force. Change it with `update_consent`.
		AlreadySet,
		/// The terms are those already in force. There is nothing to do.
		Unchanged,
		/// As many versions are kept as may be, and the oldest is still needed. Wait until the block
		/// that the view function `prunable_from` gives.
		TooManyVersions,
		/// No version of this worker is old enough. Wait until the block that the view function
		/// `prunable_from` gives.
		NothingToPrune,
		/// The worker has no consent in force, or the work began after it withdrew. Choose another
		/// worker.
		NoConsent,
		/// The worker has no such version, or it was pruned. Take the version in force at the
		/// record's anchor.
		UnknownVersion,
		/// The version was set after the record's anchor, or superseded longer ago than the grace
		/// period. Take the version in force at the anchor and settle in time.
		VersionNotInForce,
		/// The version does not accept this kind of task. Choose another worker.
		TaskNotPermitted,
		/// The time lies outside the version's schedule. Choose another worker or another time.
		OutsideSchedule,
	}

	#[pallet::hooks]
	impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
		fn integrity_test() {
			assert!(
				T::MaxVersions::get() >= 2,
				"MaxVersions must leave room for a version in force beside a superseded one",
			);
			assert!(
				T::HistoryPeriod::get() > T::GracePeriod::get(),
				"HistoryPeriod must exceed GracePeriod, or versions in their grace could be pruned",
			);
		}

		#[cfg(feature = "try-runtime")]
		fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
			Self::do_try_state()
		}
	}

	#[pallet::call]
	impl<T: Config> Pallet<T> {
		/// Sets the caller's consent, for the first time or after a withdrawal.
		///
		/// ## Dispatch origin
		///
		/// Must be `Signed`; the signer need not be registered as a worker.
		///
		/// ## Details
		///
		/// The terms become the caller's next version, in force from this block. The deposit for the
		/// versions kept is put on hold. If as many are kept as may be, the oldest is removed.
		///
		/// ## Parameters
		///
		/// - `consent`: the terms.
		///
		/// ## Errors
		///
		/// - [`Error::AlreadySet`]: a consent is in force.
		/// - [`Error::CpuPercentOutOfRange`], [`Error::InvalidSchedule`], [`Error::NoTaskTypes`],
		///   [`Error::DuplicateTaskType`], [`Error::BandwidthZero`], [`Error::MemoryZero`]: the terms
		///   make no sense.
		/// - [`Error::TooManyVersions`]: no version may be removed for the new one yet.
		/// - `Token::FundsUnavailable`: the caller can't afford the deposit.
		///
		/// ## Events
		///
		/// - [`Event::ConsentSet`], and [`Event::VersionsPruned`] if the oldest version made room.
		#[pallet::call_index(0)]
		#[pallet::weight(T::WeightInfo::set_consent())]
		pub fn set_consent(origin: OriginFor<T>, consent: Consent) -> DispatchResult {
			let worker = ensure_signed(origin)?;
			Self::do_set(worker, consent)
		}

		/// Replaces the caller's terms.
		///
		/// ## Dispatch origin
		///
		/// Must be `Signed` by an account with a consent in force.
		///
		/// ## Details
		///
		/// The new terms become the next version; the previous one is superseded in this block and
		/// stays valid for work under way for the grace period.
		///
		/// ## Parameters
		///
		/// - `consent`: the new terms, complete.
		///
		/// ## Errors
		///
		/// - [`Error::NotSet`]: no consent is in force.
		/// - [`Error::Unchanged`]: the terms are the same.
		/// - The errors of [`Pallet::set_consent`] on terms, versions and deposit.
		///
		/// ## Events
		///
		/// - [`Event::ConsentUpdated`], and [`Event::VersionsPruned`] if the oldest version made room.
		#[pallet::call_index(1)]
		#[pallet::weight(T::WeightInfo::update_consent())]
		pub fn update_consent(origin: OriginFor<T>, consent: Consent) -> DispatchResult {
			let worker = ensure_signed(origin)?;
			Self::do_update(worker, consent)
		}

		/// Withdraws the caller's consent.
		///
		/// ## Dispatch origin
		///
		/// Must be `Signed` by an account with a consent in force.
		///
		/// ## Details
		///
		/// From this block on the account permits nothing; work that began before may be settled for
		/// the grace period. The deposit stays until the versions are pruned.
		///
		/// ## Errors
		///
		/// - [`Error::NotSet`]: no consent is in force.
		///
		/// ## Events
		///
		/// - [`Event::ConsentWithdrawn`].
		#[pallet::call_index(2)]
		#[pallet::weight(T::WeightInfo::withdraw_consent())]
		pub fn withdraw_consent(origin: OriginFor<T>) -> DispatchResult {
			let worker = ensure_signed(origin)?;
			Self::do_withdraw(worker)
		}

		/// Removes a worker's versions that nobody needs any more and releases their deposits.
		///
		/// ## Dispatch origin
		///
		/// Must be `Signed` by anybody.
		///
		/// ## Details
		///
		/// Removes, oldest first, the versions that were superseded at least the history period ago.
		/// The deposit that is not needed for the rest goes back to the worker.
		///
		/// ## Parameters
		///
		/// - `worker`: whose versions.
		///
		/// ## Errors
		///
		/// - [`Error::NothingToPrune`]: no version is old enough.
		///
		/// ## Events
		///
		/// - [`Event::VersionsPruned`].
		#[pallet::call_index(3)]
		#[pallet::weight(T::WeightInfo::prune(T::MaxVersions::get()))]
		pub fn prune(origin: OriginFor<T>, worker: AccountId) -> DispatchResultWithPostInfo {
			ensure_signed(origin)?;
			let pruned = Self::do_prune(worker)?;
			Ok(Some(T::WeightInfo::prune(pruned)).into())
		}
	}

	#[pallet::view_functions]
	impl<T: Config> Pallet<T> {
		/// The version of `worker`'s consent that is in force.
		pub fn consent(worker: AccountId) -> Option<ConsentVersion> {
			Self::current(&worker)
		}

		/// Version `version` of `worker`'s consent, if it is kept.
		pub fn consent_version(worker: AccountId, version: u32) -> Option<ConsentVersion> {
			Self::version(&worker, version)
		}

		/// Whether `worker` permits this kind of task at `at` (milliseconds since the Unix epoch)
		/// under the version in force; the reason if not.
		pub fn permits(worker: AccountId, task: TaskType, at: Moment) -> Result<(), Refusal> {
			Self::check_current(&worker, task, at)
		}

		/// The first block in which the oldest version of `worker` may be pruned; `None` while that
		/// version is in force, or if none is kept.
		pub fn prunable_from(worker: AccountId) -> Option<BlockNumber> {
			Self::prunable_at(&worker, Histories::<T>::get(&worker).oldest)
		}
	}
}
