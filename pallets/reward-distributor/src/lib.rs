//! # Reward Distributor Pallet
//!
//! Pays out the emission: counts work by eras, fixes an era's pool by the halving schedule, and pays
//! workers by the formula of the paper, section 7, so that anybody can recompute a reward line by
//! line from chain state (`docs/protocol/economics.md`).
//!
//! ## Pallet API
//!
//! See the [`pallet`] module for the interfaces of this pallet: its configuration trait, calls,
//! storage, events, errors and view functions.
//!
//! ## Terminology
//!
//! * **Work**: new tokens × the stage's share of layers × active parameters, in thousands of
//!   parameter-tokens.
//! * **Pool**: what the schedule emits in the blocks of an era. A part of it is for block authors,
//!   the rest for workers.
//! * **Line**: the sums over one worker's stages in one era ([`WorkLine`]).
//! * **Weighted work**: work × quality × efficiency.
//! * **Burn bound**: β times the fees burnt on a worker's records.
//! * **Supported work**: what of a stage's work counts, because the fees burnt on it suffice.
//!
//! ## Overview
//!
//! Whoever settles records tells this pallet each signed stage through
//! [`WorkSink`](aria_primitives::traits::WorkSink). An era's lines are paid once audits of its
//! records are through:
//!
//! ```text
//! work      = min(work done, β × burnt × dilution / cap), for each stage
//! weighted  = work × quality × efficiency
//! base_rate = min(cap, pool / Σ weighted)
//! payout    = min(base_rate × weighted, β × burnt)
//! ```
//!
//! What the bounds cut off is not minted, and not carried over. So the supply follows the schedule
//! from below, and whoever pays for work that only itself does burns more than it gets.
//!
//! ### Key concepts
//!
//! * **Support**: pools are shared by work, so work on which almost nothing is burnt would take from
//!   everybody's reward at no cost, although the burn bound leaves next to nothing of it to who did
//!   it. So a stage's work counts only as far as its burnt fees could be paid back for it at the
//!   highest rate divided by [`Dilution`](pallet::Config::Dilution) ([`Terms::supported_work`]), and
//!   not at all if nothing is burnt. Energy counts in the same proportion, in efficiencies and in
//!   averages alike.
//! * **Quality** is the product of uptime, latency score and share of audits passed. What nobody
//!   measures counts as perfect: it is left out of the formula for everybody.
//! * **Efficiency** compares a worker's energy with what the network's average would have been for
//!   the same work on the same models. The average is that of the era before, by which it is known
//!   when the work is done; where there is none, the worker's own figure stands for it and
//!   efficiency is 1. The ceiling is the lowest among the sources of the line's figures: 1.0 for an
//!   estimate, 1.1 for hardware that the worker reads itself, 2.0 for a meter with a registered key.
//! * **Units**: energy claims are in millijoules; own and expected energy are summed up in nanojoules,
//!   so that small works are not lost, and rounded up to millijoules once, before they are used. Rates
//!   are in planck per 10^12 units of weighted work. All other rounding is downwards.
//! * **Terms** of an era (β, cap, dilution, authors' share, latency target) are written down when it
//!   begins.
//! * **Explanations** read one line, whatever the number of workers: a running sum over the era holds
//!   each worker's weighted work by the factors that it had when its last stage was noted. Settlement
//!   does not use that sum, but adds up the factors that it fixes.
//! * **Settlement** goes on over as many blocks as it takes, with at most
//!   [`MaxWorkersPerBlock`](pallet::Config::MaxWorkersPerBlock) accounts in each: factors are fixed
//!   and summed, authors are paid, workers are paid. It begins
//!   [`SettleDelay`](pallet::Config::SettleDelay) eras after the era's end, or once audits of its
//!   records are over, if that is later. Lines of settled eras are
//!   kept for [`HistoryEras`](pallet::Config::HistoryEras), their totals for ever.
//! * **Deferral**: an amount that an account cannot receive (below the existential deposit, say)
//!   waits in [`Unclaimed`](pallet::Unclaimed) until somebody claims it for the account.
//! * **Blocks** are numbered from 1; the era of blocks `start..end` has the pool
//!   `Σ emission(block)` over exactly these, however long it lasted.
//!
//! ### Example
#![doc = docify::embed!("src/tests/settle.rs", worker_should_be_paid_when_its_era_is_settled)]
#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

mod eras;
mod explain;
mod settlement;
#[cfg(any(feature = "try-runtime", test))]
mod try_state;
mod types;
pub mod weights;
mod work;

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
#[cfg(test)]
mod mock;
#[cfg(test)]
mod tests;

pub use pallet::*;
pub use types::*;
pub use weights::WeightInfo;

#[frame_support::pallet]
pub mod pallet {
	use crate::{
		types::{EraInfo, EraPosition, ModelUse, WorkLine},
		WeightInfo,
	};
	use aria_math::emission::EmissionSchedule;
	use aria_primitives::{
		traits, views::RewardExplanation, AccountId, Balance, BlockNumber, EpochIndex, EraIndex,
		ModelId, Ppm, PPM,
	};
	use frame_support::{
		pallet_prelude::*,
		traits::{fungible, Contains},
	};
	use frame_system::pallet_prelude::*;
	use sp_runtime::SaturatedConversion;

	/// The in-code storage version.
	const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

	#[pallet::pallet]
	#[pallet::storage_version(STORAGE_VERSION)]
	pub struct Pallet<T>(_);

	#[pallet::config]
	pub trait Config: frame_system::Config<AccountId = AccountId> {
		/// The native currency, of which rewards are minted.
		type Currency: fungible::Inspect<AccountId, Balance = Balance> + fungible::Mutate<AccountId>;

		/// Where a worker's earnings go.
		type Consents: traits::Consents;

		/// Uptime and passed audits of workers.
		type Uptime: traits::Uptime;

		/// Who weighs validators by the work that counts.
		type Lottery: traits::LotteryWork;

		/// Who knows whether audits of an era's records are over.
		type Audit: traits::AuditDraw;

		/// Workers whose energy meter has a registered key. Figures from other meters count as
		/// measured by the worker itself.
		type Meters: Contains<AccountId>;

		/// Who may end an era early.
		type EraOrigin: EnsureOrigin<Self::RuntimeOrigin>;

		/// When how much may be minted.
		type Schedule: Get<EmissionSchedule>;

		/// Blocks of an era.
		#[pallet::constant]
		type EraLength: Get<BlockNumber>;

		/// Part of an era's pool for block authors, by blocks authored, in parts per million.
		#[pallet::constant]
		type AuthorShare: Get<Ppm>;

		/// β: most that emission pays for work, as a part of the fees burnt on it, in parts per
		/// million. Below one, so that paying oneself loses money.
		#[pallet::constant]
		type Beta: Get<Ppm>;

		/// Highest base rate, in planck per 10^12 units of weighted work.
		#[pallet::constant]
		type RateCap: Get<u128>;

		/// How far below [`Config::RateCap`] the base rate may fall before work stops counting in
		/// full: 16 for a sixteenth. The work of a stage counts up to
		/// `β × burnt × Dilution / RateCap`.
		#[pallet::constant]
		type Dilution: Get<u32>;

		/// Latency up to which the latency score is 1, in milliseconds a new token.
		#[pallet::constant]
		type LatencyTarget: Get<u32>;

		/// Eras between the end of an era and its settlement, in which audits come to an end.
		#[pallet::constant]
		type SettleDelay: Get<EraIndex>;

		/// Most accounts that one block deals with when an era is settled or cleaned up.
		#[pallet::constant]
		type MaxWorkersPerBlock: Get<u32>;

		/// Settled eras whose lines are kept for [`Pallet::explain`].
		#[pallet::constant]
		type HistoryEras: Get<EraIndex>;

		/// Weights of calls, hooks and of what other pallets call.
		type WeightInfo: WeightInfo;
	}

	/// The era in which work counts. Nothing until the pallet's first block.
	#[pallet::storage]
	pub type CurrentEra<T: Config> = StorageValue<_, EraPosition, OptionQuery>;

	/// Whether the current era ends with this block, whatever its length.
	#[pallet::storage]
	pub type EraEnding<T: Config> = StorageValue<_, bool, ValueQuery>;

	/// Eras by number: for ever, as the account of what was minted.
	#[pallet::storage]
	pub type Eras<T: Config> = StorageMap<_, Twox64Concat, EraIndex, EraInfo, OptionQuery>;

	/// The epoch in which each era ended that is over and not settled: no audit of a later one's
	/// records concerns it.
	#[pallet::storage]
	pub type EraEpochs<T: Config> = StorageMap<_, Twox64Concat, EraIndex, EpochIndex, OptionQuery>;

	/// The oldest era that is not settled.
	#[pallet::storage]
	pub type NextToSettle<T: Config> = StorageValue<_, EraIndex, ValueQuery>;

	/// The oldest era whose lines are kept.
	#[pallet::storage]
	pub type NextToPrune<T: Config> = StorageValue<_, EraIndex, ValueQuery>;

	/// Work by era and worker.
	#[pallet::storage]
	pub type Lines<T: Config> = StorageDoubleMap<
		_,
		Twox64Concat,
		EraIndex,
		Blake2_128Concat,
		AccountId,
		WorkLine,
		OptionQuery,
	>;

	/// Blocks by era and author.
	#[pallet::storage]
	pub type Authored<T: Config> =
		StorageDoubleMap<_, Twox64Concat, EraIndex, Blake2_128Concat, AccountId, u32, ValueQuery>;

	/// Energy and work by era and model: the averages that the next era compares with.
	#[pallet::storage]
	pub type ModelEnergy<T: Config> =
		StorageDoubleMap<_, Twox64Concat, EraIndex, Identity, ModelId, ModelUse, ValueQuery>;

	/// Awarded amounts that an account could not receive, in planck.
	#[pallet::storage]
	pub type Unclaimed<T: Config> = StorageMap<_, Blake2_128Concat, AccountId, Balance, ValueQuery>;

	/// Sum of [`Unclaimed`], in planck.
	#[pallet::storage]
	pub type TotalUnclaimed<T: Config> = StorageValue<_, Balance, ValueQuery>;

	/// Everything that this pallet ever minted, in planck.
	#[pallet::storage]
	pub type TotalMinted<T: Config> = StorageValue<_, Balance, ValueQuery>;

	#[pallet::event]
	#[pallet::generate_deposit(pub(crate) fn deposit_event)]
	pub enum Event<T: Config> {
		/// An era began.
		EraStarted {
			/// The era.
			era: EraIndex,
			/// Its pool in planck, authors' part included, if it ends when it is due to.
			pool: Balance,
		},
		/// The current era will end with this block.
		EraEndScheduled {
			/// The era.
			era: EraIndex,
		},
		/// An era is over; it waits for its settlement.
		EraEnded {
			/// The era.
			era: EraIndex,
			/// Its pool in planck, authors' part included.
			pool: Balance,
		},
		/// Everybody who earned something in an era was paid.
		EraSettled {
			/// The era.
			era: EraIndex,
			/// Workers that had work in it.
			workers: u32,
			/// Awarded to workers and authors, in planck.
			paid: Balance,
			/// What of the pool nobody earned, in planck; it will never be minted.
			unminted: Balance,
		},
		/// A worker's reward was minted.
		RewardPaid {
			/// The era.
			era: EraIndex,
			/// The worker.
			worker: AccountId,
			/// To whom, by the worker's consent.
			account: AccountId,
			/// How much, in planck.
			amount: Balance,
		},
		/// A block author's part was minted.
		AuthorPaid {
			/// The era.
			era: EraIndex,
			/// The author.
			author: AccountId,
			/// How much, in planck.
			amount: Balance,
		},
		/// An account could not receive what it was awarded; the amount waits to be claimed.
		RewardDeferred {
			/// The era.
			era: EraIndex,
			/// The account.
			account: AccountId,
			/// How much, in planck.
			amount: Balance,
		},
		/// Deferred rewards were minted.
		Claimed {
			/// To whom.
			account: AccountId,
			/// How much, in planck.
			amount: Balance,
		},
		/// The lines of a settled era were removed; its totals stay.
		EraPruned {
			/// The era.
			era: EraIndex,
		},
		/// Work does not count any more, because of an audit.
		WorkRevoked {
			/// The era.
			era: EraIndex,
			/// The worker.
			worker: AccountId,
			/// How much, in thousands of parameter-tokens.
			work: u128,
		},
	}

	#[pallet::error]
	pub enum Error<T> {
		/// No reward of this account was deferred. Rewards that could be minted are on the payout
		/// account already; ask `explain` about an era.
		NothingToClaim,
		/// The account still cannot receive the amount: it lies below the existential deposit, and
		/// the account does not exist. Send the account the existential deposit, or wait until more
		/// has been added up, and claim again.
		CannotReceive,
		/// The current era ends with this block already. Wait for the next one.
		AlreadyEnding,
	}

	#[pallet::hooks]
	impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
		fn on_initialize(now: BlockNumberFor<T>) -> Weight {
			let weight = Self::roll_over(now.saturated_into());
			weight.saturating_add(Self::settle_or_prune())
		}

		fn integrity_test() {
			assert!(T::EraLength::get() > 0, "an era has at least one block");
			assert!(T::AuthorShare::get() <= PPM, "authors get at most the whole pool");
			assert!(T::Beta::get() < PPM, "with a beta of one or more, paying oneself is free");
			assert!(T::RateCap::get() > 0, "with a cap of zero nobody earns");
			assert!(T::Dilution::get() > 0, "with a dilution of zero no work counts");
			assert!(T::LatencyTarget::get() > 0, "a latency of zero cannot be met");
			assert!(T::MaxWorkersPerBlock::get() > 0, "settlement must go on");
			assert!(T::HistoryEras::get() > 0, "the last era's averages are needed");
			assert!(T::Schedule::get().interval > 0, "with an interval of zero nothing is emitted");
			assert!(
				T::Schedule::get().cap() < Balance::MAX,
				"the supply must be far below what a balance can hold",
			);
		}

		#[cfg(feature = "try-runtime")]
		fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
			Self::do_try_state()
		}
	}

	#[pallet::extra_constants]
	impl<T: Config> Pallet<T> {
		/// Emission of a block before the first halving, in planck.
		fn initial_block_emission() -> Balance {
			T::Schedule::get().initial
		}

		/// Blocks between two halvings.
		fn halving_interval() -> u64 {
			T::Schedule::get().interval
		}
	}

	#[pallet::call]
	impl<T: Config> Pallet<T> {
		/// Mint the caller's deferred rewards.
		///
		/// ## Dispatch origin
		///
		/// Signed, by the account whose rewards were deferred.
		///
		/// ## Errors
		///
		/// - [`Error::NothingToClaim`] if none were.
		/// - [`Error::CannotReceive`] if the account still cannot receive them.
		///
		/// ## Events
		///
		/// - [`Event::Claimed`]
		#[pallet::call_index(0)]
		#[pallet::weight(T::WeightInfo::claim())]
		pub fn claim(origin: OriginFor<T>) -> DispatchResult {
			let account = ensure_signed(origin)?;
			Self::do_claim(account)
		}

		/// Mint the deferred rewards of another account, to that account.
		///
		/// ## Details
		///
		/// For accounts that cannot pay a fee, such as one that does not exist yet, or that nobody
		/// can sign for, such as the donation account.
		///
		/// ## Dispatch origin
		///
		/// Signed, by anybody.
		///
		/// ## Parameters
		///
		/// - `account`: whose rewards were deferred, and who receives them.
		///
		/// ## Errors
		///
		/// - [`Error::NothingToClaim`] if none were.
		/// - [`Error::CannotReceive`] if the account still cannot receive them.
		///
		/// ## Events
		///
		/// - [`Event::Claimed`]
		#[pallet::call_index(1)]
		#[pallet::weight(T::WeightInfo::claim_for())]
		pub fn claim_for(origin: OriginFor<T>, account: AccountId) -> DispatchResult {
			ensure_signed(origin)?;
			Self::do_claim(account)
		}

		/// End the current era with this block.
		///
		/// ## Details
		///
		/// The next block begins a new era. The pool of the ended one is what the schedule emits in
		/// the blocks that it did last.
		///
		/// ## Dispatch origin
		///
		/// [`Config::EraOrigin`].
		///
		/// ## Errors
		///
		/// - [`Error::AlreadyEnding`] if somebody called this in the same block.
		///
		/// ## Events
		///
		/// - [`Event::EraEndScheduled`]
		#[pallet::call_index(2)]
		#[pallet::weight(T::WeightInfo::force_new_era())]
		pub fn force_new_era(origin: OriginFor<T>) -> DispatchResult {
			T::EraOrigin::ensure_origin(origin)?;
			ensure!(!EraEnding::<T>::get(), Error::<T>::AlreadyEnding);
			EraEnding::<T>::put(true);
			Self::deposit_event(Event::EraEndScheduled { era: Self::current_era() });
			Ok(())
		}
	}

	#[pallet::view_functions]
	impl<T: Config> Pallet<T> {
		/// Every factor of a worker's reward in an era. Final once the era is settled; before, what
		/// it would be if the era were settled now, with each other worker's factors as they were
		/// when its last stage was noted. Nothing if no work of the worker counts in the era, or if
		/// its lines are no longer kept.
		pub fn explain(era: EraIndex, worker: AccountId) -> Option<RewardExplanation> {
			Self::explanation(era, worker)
		}

		/// The number of the era in which work counts.
		pub fn current_era() -> EraIndex {
			CurrentEra::<T>::get().map_or(0, |position| position.index)
		}

		/// An era.
		pub fn era(index: EraIndex) -> Option<EraInfo> {
			Eras::<T>::get(index)
		}

		/// Emission for the workers of an era, in planck; for the current era, what it will be if
		/// the era ends when it is due to.
		pub fn pool(era: EraIndex) -> Option<Balance> {
			Eras::<T>::get(era).map(|info| info.worker_pool)
		}

		/// What an era paid, in planck per 10^12 units of weighted work, before the burn bound.
		/// Nothing until its weighted work is summed up.
		pub fn base_rate(era: EraIndex) -> Option<u128> {
			Eras::<T>::get(era).filter(|info| info.state.is_summed()).map(|info| {
				aria_math::reward::base_rate(
					info.worker_pool,
					info.total_weighted,
					info.terms.rate_cap,
				)
			})
		}

		/// Deferred rewards of an account, in planck.
		pub fn unclaimed(account: AccountId) -> Balance {
			Unclaimed::<T>::get(account)
		}
	}
}
