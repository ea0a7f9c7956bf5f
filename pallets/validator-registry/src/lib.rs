//! # Validator registry
//!
//! Who may make blocks and vote on finality: candidates with their stakes, the set of every session,
//! links to workers, heartbeats, and what offences cost (paper, 3.2).
//!
//! ## Terminology
//!
//! - **Validator**: an account registered here.
//! - **Candidate**: a validator that may be chosen for the next session.
//! - **Active**: in the set of this session; **queued**: in the set of the next one.
//! - **Link**: a validator and a worker that both say they belong together.
//! - **Work**: what a linked worker computed, in thousands of parameter-tokens; **waiting** while its
//!   records can fail an audit, **verified** afterwards.
//! - **Weight**: a validator's part in BABE's lottery for primary slots.
//!
//! ## Overview
//!
//! The session pallet asks for the next set at the beginning of each session. It gets the candidates
//! with session keys that staked most, up to [`Config::MaxValidators`]; with fewer than
//! [`Config::MinValidators`] of them, the set stays as it is, so that a chain never chooses to stop.
//!
//! ### Key concepts
//!
//! - **Stake**: held, never transferred, slashed while held. Genesis may let validators in without.
//! - **Presence**: a validator is there in a session if it authored a block or sent a heartbeat. One
//!   that was silent for more than [`Config::HeartbeatGrace`] sessions in a row is chilled, as long as
//!   enough others remain.
//! - **Offence**: burns a part of the stake, ends the candidacy, and disables the validator as far as
//!   the session pallet's strategy allows. Of one session the worst offence counts; that is noted for
//!   the last [`MAX_OFFENCE_NOTES`] sessions in which the validator offended, until it leaves.
//! - **Verified work**: a sum for each validator, of which each session leaves [`Config::WorkKeep`].
//!   Work comes in through [`LotteryWork`](aria_primitives::traits::LotteryWork), and is added when
//!   audits of its epoch are over, of [`Config::MaxWorkPerBlock`] workers a block.
//! - **Weights**: by verified work, when a set is announced ([`Pallet::announce_weights`]); bounded in
//!   share, in growth from one session to the next, and in the ratio of largest to smallest.
//!   Who may be in the set is up to stake alone.
//! - **Places**: there are [`Config::MaxCandidates`]; when all are taken, a newcomer has to stake more
//!   than the last candidate, which is chilled.
//! - **Time**: slot and epoch are genesis values, read through [`SlotDurationOf`],
//!   [`MinimumPeriodOf`] and [`EpochLengthOf`].
//!
//! ### Example
#![doc = docify::embed!("src/tests/life.rs", a_candidate_should_become_active_and_leave)]
#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

mod candidates;
mod links;
mod lottery;
pub mod migrations;
mod offences;
mod sessions;
mod time;
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
pub use sessions::IdentificationOf;
pub use time::*;
pub use types::*;
pub use weights::WeightInfo;

/// The balances that stakes are held in.
pub(crate) type CurrencyOf<T> = <T as Config>::Currency;

/// Makes workers for benchmarks.
#[cfg(feature = "runtime-benchmarks")]
pub trait BenchmarkHelper {
	/// Registers a worker.
	fn register_worker(worker: &aria_primitives::AccountId);
}

/// [`BenchmarkHelper`] by way of the pallet that keeps the workers.
#[cfg(feature = "runtime-benchmarks")]
pub struct RegisterThrough<W>(core::marker::PhantomData<W>);
#[cfg(feature = "runtime-benchmarks")]
impl<W: aria_primitives::traits::Workers> BenchmarkHelper for RegisterThrough<W> {
	fn register_worker(worker: &aria_primitives::AccountId) {
		let layers = aria_primitives::record::LayerRange { first: 0, end: 1 };
		W::benchmark_worker(worker, &aria_primitives::ModelId::zero(), layers);
	}
}

#[frame_support::pallet]
pub mod pallet {
	use crate::{
		ChillReason, DefaultEpochLength, DefaultSlotDuration, Link, OffenceNotes, PendingWork,
		ValidatorInfo, ValidatorState, ValidatorView, VerifiedWork, WeightInfo,
		DEFAULT_EPOCH_LENGTH, DEFAULT_SLOT_DURATION, MAX_WORK_EPOCHS,
	};
	use alloc::vec::Vec;
	use aria_primitives::{
		traits::{AuditDraw, WorkerRegistration},
		AccountId, Balance, BlockNumber, EpochIndex, Ppm, PPM,
	};
	use frame_support::{
		pallet_prelude::*,
		traits::fungible::{self, hold::Mutate as _},
	};
	use frame_system::pallet_prelude::*;
	use sp_runtime::Perbill;
	use sp_staking::SessionIndex;

	const STORAGE_VERSION: StorageVersion = StorageVersion::new(2);

	#[pallet::pallet]
	#[pallet::storage_version(STORAGE_VERSION)]
	pub struct Pallet<T>(_);

	#[pallet::config]
	pub trait Config:
		frame_system::Config<AccountId = AccountId>
		+ pallet_session::Config<ValidatorId = AccountId>
	{
		/// The balances that stakes are held in.
		type Currency: fungible::Inspect<AccountId, Balance = Balance>
			+ fungible::Mutate<AccountId>
			+ fungible::hold::Inspect<AccountId, Reason = Self::RuntimeHoldReason>
			+ fungible::hold::Mutate<AccountId, Reason = Self::RuntimeHoldReason>;

		/// The runtime's reasons for holds.
		type RuntimeHoldReason: From<HoldReason>;

		/// Who is a worker.
		type Workers: WorkerRegistration;

		/// Stake that a candidate needs, in planck.
		#[pallet::constant]
		type MinimumStake: Get<Balance>;

		/// Blocks between unbonding and withdrawing; must outlast the evidence of offences.
		#[pallet::constant]
		type UnbondingPeriod: Get<BlockNumber>;

		/// Most candidates.
		#[pallet::constant]
		type MaxCandidates: Get<u32>;

		/// Most validators of a session.
		#[pallet::constant]
		type MaxValidators: Get<u32>;

		/// Fewest validators that are chosen: with fewer eligible ones the set stays.
		#[pallet::constant]
		type MinValidators: Get<u32>;

		/// Most workers that a validator is linked with, proposals included.
		#[pallet::constant]
		type MaxLinkedWorkers: Get<u32>;

		/// Sessions in a row that a validator may be silent without being chilled.
		#[pallet::constant]
		type HeartbeatGrace: Get<u32>;

		/// Least part of the stake that an offence costs, unless the offence is free.
		#[pallet::constant]
		type OffenceSlash: Get<Perbill>;

		/// In which epoch work is settled, and when no audit of an epoch's records can fail any more.
		type Audit: AuditDraw;

		/// What each session leaves of a validator's verified work, in parts per million.
		#[pallet::constant]
		type WorkKeep: Get<Ppm>;

		/// Highest share of one validator in the lottery, in parts per million of all weight, where
		/// there are many.
		#[pallet::constant]
		type SlotShare: Get<Ppm>;

		/// Highest share where there are few, in parts per million of an equal one; at least the
		/// whole. Of both bounds the higher one holds.
		#[pallet::constant]
		type SlotShareMultiple: Get<Ppm>;

		/// How much a share may grow from one session to the next, in parts per million of itself.
		#[pallet::constant]
		type SlotGrowth: Get<Ppm>;

		/// Most workers whose work one block counts.
		#[pallet::constant]
		type MaxWorkPerBlock: Get<u32>;

		/// Weights of the calls.
		type WeightInfo: WeightInfo;

		/// Makes workers for benchmarks.
		#[cfg(feature = "runtime-benchmarks")]
		type BenchmarkHelper: crate::BenchmarkHelper;
	}

	/// Why the pallet holds funds.
	#[pallet::composite_enum]
	pub enum HoldReason {
		/// A validator's stake.
		#[codec(index = 0)]
		Stake,
	}

	/// The validators.
	#[pallet::storage]
	pub type Validators<T: Config> = StorageMap<_, Blake2_128Concat, AccountId, ValidatorInfo>;

	/// Those who may be chosen, and their stakes.
	#[pallet::storage]
	pub type Candidates<T: Config> =
		StorageValue<_, BoundedBTreeMap<AccountId, Balance, T::MaxCandidates>, ValueQuery>;

	/// The workers that each validator claims; absent if none.
	#[pallet::storage]
	pub type Links<T: Config> = StorageMap<
		_,
		Blake2_128Concat,
		AccountId,
		BoundedVec<Link, T::MaxLinkedWorkers>,
		ValueQuery,
	>;

	/// The validator that a worker agreed to.
	#[pallet::storage]
	pub type ValidatorOf<T: Config> = StorageMap<_, Blake2_128Concat, AccountId, AccountId>;

	/// What validators were slashed, by session of the offence; absent if nothing.
	#[pallet::storage]
	pub type Offences<T: Config> =
		StorageMap<_, Blake2_128Concat, AccountId, OffenceNotes, ValueQuery>;

	/// Work that can still fail an audit, by the epoch that settled it and by worker.
	#[pallet::storage]
	pub type WaitingWork<T: Config> = StorageDoubleMap<
		_,
		Twox64Concat,
		EpochIndex,
		Blake2_128Concat,
		AccountId,
		PendingWork,
		OptionQuery,
	>;

	/// Epochs with work that waits, the oldest first.
	#[pallet::storage]
	pub type WorkEpochs<T: Config> =
		StorageValue<_, BoundedVec<EpochIndex, ConstU32<MAX_WORK_EPOCHS>>, ValueQuery>;

	/// Verified work of validators; absent if there was none.
	#[pallet::storage]
	pub type VerifiedWorkOf<T: Config> =
		StorageMap<_, Blake2_128Concat, AccountId, VerifiedWork, OptionQuery>;

	/// The set that was announced last, in its order, with the weights that it has in the lottery.
	#[pallet::storage]
	pub type SlotWeights<T: Config> =
		StorageValue<_, BoundedVec<(AccountId, u64), T::MaxValidators>, ValueQuery>;

	/// A slot, in milliseconds. Set by genesis.
	#[pallet::storage]
	pub type SlotDuration<T: Config> = StorageValue<_, u64, ValueQuery, DefaultSlotDuration>;

	/// An epoch, in slots. Set by genesis.
	#[pallet::storage]
	pub type EpochLength<T: Config> = StorageValue<_, u64, ValueQuery, DefaultEpochLength>;

	/// What a chain begins with.
	#[pallet::genesis_config]
	pub struct GenesisConfig<T: Config> {
		/// The first candidates. The minimum stake is held where the balance allows, and waived where
		/// it does not. Their keys come from the session pallet's genesis, which must be built after
		/// this one.
		pub validators: Vec<T::AccountId>,
		/// A slot, in milliseconds: even, at least 2.
		pub slot_duration: u64,
		/// An epoch, in slots: at least 1.
		pub epoch_length: u64,
		/// Verified work that some of the first validators begin with, in thousands of
		/// parameter-tokens. Without any, all weigh the same.
		pub work: Vec<(T::AccountId, u128)>,
	}

	impl<T: Config> Default for GenesisConfig<T> {
		fn default() -> Self {
			Self {
				validators: Vec::new(),
				slot_duration: DEFAULT_SLOT_DURATION,
				epoch_length: DEFAULT_EPOCH_LENGTH,
				work: Vec::new(),
			}
		}
	}

	#[pallet::genesis_build]
	impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
		fn build(&self) {
			// These reach whoever writes a chain specification, never a block.
			assert!(
				self.slot_duration >= 2 && self.slot_duration.is_multiple_of(2),
				"validatorRegistry.slotDuration must be even and at least 2 milliseconds"
			);
			assert!(
				self.epoch_length >= 1,
				"validatorRegistry.epochLength must be at least 1 slot"
			);
			SlotDuration::<T>::put(self.slot_duration);
			EpochLength::<T>::put(self.epoch_length);

			let minimum = T::MinimumStake::get();
			for validator in &self.validators {
				if Validators::<T>::contains_key(validator) {
					continue;
				}
				let held =
					<T as Config>::Currency::hold(&HoldReason::Stake.into(), validator, minimum);
				let stake = if held.is_ok() { minimum } else { 0 };
				let listed = Pallet::<T>::admit(validator, stake, None);
				assert!(listed.is_ok(), "validatorRegistry.validators has more than MaxCandidates");
				Validators::<T>::insert(
					validator,
					ValidatorInfo::new(stake, held.is_err(), Pallet::<T>::now()),
				);
			}
			for (validator, sum) in &self.work {
				assert!(
					Validators::<T>::contains_key(validator),
					"validatorRegistry.work names an account that is not among its validators"
				);
				VerifiedWorkOf::<T>::insert(validator, VerifiedWork { sum: *sum, session: 0 });
			}
		}
	}

	#[pallet::event]
	#[pallet::generate_deposit(pub(super) fn deposit_event)]
	pub enum Event<T: Config> {
		/// A candidate registered.
		Registered {
			/// The validator.
			validator: AccountId,
			/// Its stake, in planck.
			stake: Balance,
		},
		/// A validator put more on hold.
		Bonded {
			/// The validator.
			validator: AccountId,
			/// What was added, in planck.
			amount: Balance,
			/// Its stake now, in planck.
			stake: Balance,
		},
		/// A validator is no candidate any more; it leaves at the session after the next.
		Chilled {
			/// The validator.
			validator: AccountId,
			/// Why.
			reason: ChillReason,
		},
		/// A validator is a candidate again.
		Resumed {
			/// The validator.
			validator: AccountId,
		},
		/// A validator's stake will unlock.
		Unbonding {
			/// The validator.
			validator: AccountId,
			/// The first block in which it may withdraw.
			until: BlockNumber,
		},
		/// A validator left with its stake.
		Withdrawn {
			/// The validator.
			validator: AccountId,
			/// What was released, in planck.
			amount: Balance,
		},
		/// A validator claims a worker.
		LinkProposed {
			/// The validator.
			validator: AccountId,
			/// The worker.
			worker: AccountId,
		},
		/// A worker agreed to a validator.
		Linked {
			/// The validator.
			validator: AccountId,
			/// The worker.
			worker: AccountId,
		},
		/// A link, or a proposal of one, is gone.
		Unlinked {
			/// The validator.
			validator: AccountId,
			/// The worker.
			worker: AccountId,
		},
		/// An active validator says that it is there.
		Heartbeat {
			/// The validator.
			validator: AccountId,
			/// The session.
			session: SessionIndex,
		},
		/// An active validator was silent for a session.
		Absent {
			/// The validator.
			validator: AccountId,
			/// The session.
			session: SessionIndex,
			/// Sessions in a row so far.
			absences: u32,
		},
		/// A validator committed an offence.
		Slashed {
			/// The validator.
			validator: AccountId,
			/// The session of the offence.
			session: SessionIndex,
			/// What was burnt, in planck.
			amount: Balance,
			/// Its stake now, in planck.
			stake: Balance,
		},
		/// Too few candidates have keys: the set stays as it is.
		TooFewCandidates {
			/// The session that the set was to be for.
			session: SessionIndex,
			/// How many there are.
			eligible: u32,
		},
		/// Work of an epoch, audited or passed over, was added to the sums of validators.
		WorkCounted {
			/// The epoch that settled it.
			epoch: EpochIndex,
			/// Workers that did it.
			workers: u32,
			/// How much it was, in thousands of parameter-tokens.
			work: u128,
		},
		/// A worker failed an audit: none of its work of that epoch will count.
		WorkRevoked {
			/// The validator that the worker was linked with.
			validator: AccountId,
			/// The worker.
			worker: AccountId,
			/// The epoch.
			epoch: EpochIndex,
			/// How much it was, in thousands of parameter-tokens.
			work: u128,
		},
		/// The weights of the lottery change: [`SlotWeights`] has them.
		WeightsAnnounced {
			/// The first session in which they hold.
			session: SessionIndex,
		},
	}

	#[pallet::error]
	pub enum Error<T> {
		/// The account is a validator already: call `bond_more` or `resume`.
		AlreadyRegistered,
		/// The account is no validator: call `register_candidate` first.
		NotRegistered,
		/// The stake is below `MinimumStake`: offer, or add, at least what is missing.
		StakeTooLow,
		/// All places are taken by candidates that staked as much: stake more than the last one.
		TooManyCandidates,
		/// Nothing to bond: name an amount above 0.
		ZeroAmount,
		/// The validator is no candidate: call `resume` first.
		NotCandidate,
		/// The validator is a candidate already: there is nothing to resume.
		AlreadyCandidate,
		/// The stake unlocks already: call `resume` to stay, or wait.
		AlreadyUnbonding,
		/// Only an unbonding validator can withdraw: call `unbond` first.
		NotUnbonding,
		/// The stake is not unlocked yet: wait for the block that `Unbonding` named.
		StillUnbonding,
		/// The validator is in the set of this session or the next: wait until it has left.
		StillActive,
		/// The validator is not in the set of this session: only active ones send heartbeats.
		NotActive,
		/// A heartbeat of this session is there already: the next one is due in the next session.
		AlreadyBeat,
		/// The account is no worker: let it call `register_worker` first.
		WorkerNotRegistered,
		/// The worker agreed to a validator already: let it unlink first.
		WorkerTaken,
		/// The validator claims this worker already: let the worker accept.
		AlreadyLinked,
		/// The validator has as many links as it may: unlink a worker first.
		TooManyLinks,
		/// There is no such link: the validator proposes it with `link_worker`.
		NoSuchLink,
		/// Only the validator and the worker of a link can remove it.
		NotParty,
	}

	#[pallet::hooks]
	impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
		fn on_initialize(_: BlockNumberFor<T>) -> Weight {
			Self::count_work()
		}

		fn integrity_test() {
			assert!(T::MinValidators::get() >= 1, "MinValidators must not be 0");
			assert!(
				T::MinValidators::get() <= T::MaxValidators::get(),
				"MinValidators must not be above MaxValidators"
			);
			assert!(
				T::MaxValidators::get() <= T::MaxCandidates::get(),
				"MaxValidators must not be above MaxCandidates"
			);
			assert!(T::UnbondingPeriod::get() > 0, "UnbondingPeriod must not be 0");
			assert!(T::WorkKeep::get() < PPM, "WorkKeep must be below 1,000,000: work has to fade");
			assert!(
				T::SlotShareMultiple::get() >= PPM,
				"SlotShareMultiple must be at least 1,000,000: an equal share must be permitted"
			);
			assert!(T::SlotShare::get() <= PPM, "SlotShare must be at most 1,000,000");
			assert!(T::SlotGrowth::get() > 0, "SlotGrowth must not be 0: weights could not change");
			assert!(T::MaxWorkPerBlock::get() > 0, "MaxWorkPerBlock must not be 0");
		}

		#[cfg(feature = "try-runtime")]
		fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
			Self::do_try_state()
		}
	}

	#[pallet::call]
	impl<T: Config> Pallet<T> {
		/// Makes the caller a candidate.
		///
		/// ## Dispatch Origin
		///
		/// Signed by the account that will be the validator.
		///
		/// ## Details
		///
		/// Puts `stake` on hold. The candidate is chosen only once it has session keys
		/// (`session.set_keys`), and is active from the session after the next.
		///
		/// ## Parameters
		///
		/// - `stake`: planck to hold.
		///
		/// ## Errors
		///
		/// - [`Error::AlreadyRegistered`]: the caller is a validator already.
		/// - [`Error::StakeTooLow`]: `stake` is below [`Config::MinimumStake`].
		/// - [`Error::TooManyCandidates`]: all places are taken, and nobody staked less.
		/// - Those of the currency, if the caller can't hold `stake`.
		///
		/// ## Events
		///
		/// - [`Event::Registered`].
		/// - [`Event::Chilled`] for the candidate whose place it took.
		#[pallet::call_index(0)]
		#[pallet::weight(<T as Config>::WeightInfo::register_candidate())]
		pub fn register_candidate(origin: OriginFor<T>, stake: Balance) -> DispatchResult {
			let validator = ensure_signed(origin)?;
			ensure!(!Validators::<T>::contains_key(&validator), Error::<T>::AlreadyRegistered);
			ensure!(stake >= T::MinimumStake::get(), Error::<T>::StakeTooLow);
			let displaced = Self::place_for(stake)?;

			<T as Config>::Currency::hold(&HoldReason::Stake.into(), &validator, stake)?;
			Self::admit(&validator, stake, displaced)?;
			Validators::<T>::insert(&validator, ValidatorInfo::new(stake, false, Self::now()));
			Self::deposit_event(Event::Registered { validator, stake });
			Ok(())
		}

		/// Adds to the caller's stake.
		///
		/// ## Dispatch Origin
		///
		/// Signed by a validator that does not unbond.
		///
		/// ## Parameters
		///
		/// - `amount`: planck to add.
		///
		/// ## Errors
		///
		/// - [`Error::ZeroAmount`]: `amount` is 0.
		/// - [`Error::NotRegistered`]: the caller is no validator.
		/// - [`Error::AlreadyUnbonding`]: the validator is leaving.
		/// - Those of the currency, if the caller can't hold `amount`.
		///
		/// ## Events
		///
		/// - [`Event::Bonded`].
		#[pallet::call_index(1)]
		#[pallet::weight(<T as Config>::WeightInfo::bond_more())]
		pub fn bond_more(origin: OriginFor<T>, amount: Balance) -> DispatchResult {
			let validator = ensure_signed(origin)?;
			ensure!(amount > 0, Error::<T>::ZeroAmount);
			let stake = Self::mutate(&validator, |info| {
				ensure!(
					!matches!(info.state, ValidatorState::Unbonding { .. }),
					Error::<T>::AlreadyUnbonding
				);
				Self::add_stake(&validator, info, amount)?;
				Ok(info.stake)
			})?;
			Self::deposit_event(Event::Bonded { validator, amount, stake });
			Ok(())
		}

		/// Takes the caller off the list of candidates.
		///
		/// ## Dispatch Origin
		///
		/// Signed by a candidate.
		///
		/// ## Details
		///
		/// An active validator goes on until the set changes, at the session after the next, and must
		/// not be switched off before. If too few candidates remain, the set stays.
		///
		/// ## Errors
		///
		/// - [`Error::NotRegistered`]: the caller is no validator.
		/// - [`Error::NotCandidate`]: the validator is chilled or unbonds.
		///
		/// ## Events
		///
		/// - [`Event::Chilled`].
		#[pallet::call_index(2)]
		#[pallet::weight(<T as Config>::WeightInfo::chill())]
		pub fn chill(origin: OriginFor<T>) -> DispatchResult {
			let validator = ensure_signed(origin)?;
			Self::mutate(&validator, |info| {
				ensure!(info.state == ValidatorState::Candidate, Error::<T>::NotCandidate);
				Self::retire(&validator, info, ChillReason::Asked);
				Ok(())
			})
		}

		/// Makes the caller a candidate again, after being chilled or while unbonding.
		///
		/// ## Dispatch Origin
		///
		/// Signed by a validator that is no candidate.
		///
		/// ## Errors
		///
		/// - [`Error::NotRegistered`]: the caller is no validator.
		/// - [`Error::AlreadyCandidate`]: the validator is a candidate.
		/// - [`Error::StakeTooLow`]: its stake is below [`Config::MinimumStake`].
		/// - [`Error::TooManyCandidates`]: all places are taken, and nobody staked less.
		///
		/// ## Events
		///
		/// - [`Event::Resumed`].
		/// - [`Event::Chilled`] for the candidate whose place it took.
		#[pallet::call_index(3)]
		#[pallet::weight(<T as Config>::WeightInfo::resume())]
		pub fn resume(origin: OriginFor<T>) -> DispatchResult {
			let validator = ensure_signed(origin)?;
			Self::mutate(&validator, |info| {
				ensure!(info.state != ValidatorState::Candidate, Error::<T>::AlreadyCandidate);
				ensure!(
					info.stake_waived || info.stake >= T::MinimumStake::get(),
					Error::<T>::StakeTooLow
				);
				let displaced = Self::place_for(info.stake)?;
				Self::admit(&validator, info.stake, displaced)?;
				info.state = ValidatorState::Candidate;
				info.absences = 0;
				Ok(())
			})?;
			Self::deposit_event(Event::Resumed { validator });
			Ok(())
		}

		/// Begins to unlock the caller's stake; a candidate stops being one.
		///
		/// ## Dispatch Origin
		///
		/// Signed by a validator that does not unbond yet.
		///
		/// ## Details
		///
		/// The stake can be slashed until it is withdrawn, [`Config::UnbondingPeriod`] blocks from now
		/// at the earliest.
		///
		/// ## Errors
		///
		/// - [`Error::NotRegistered`]: the caller is no validator.
		/// - [`Error::AlreadyUnbonding`]: its stake unlocks already.
		///
		/// ## Events
		///
		/// - [`Event::Chilled`], if it was a candidate.
		/// - [`Event::Unbonding`].
		#[pallet::call_index(4)]
		#[pallet::weight(<T as Config>::WeightInfo::unbond())]
		pub fn unbond(origin: OriginFor<T>) -> DispatchResult {
			let validator = ensure_signed(origin)?;
			let until = Self::now().saturating_add(T::UnbondingPeriod::get());
			Self::mutate(&validator, |info| {
				match info.state {
					ValidatorState::Candidate => Self::retire(&validator, info, ChillReason::Asked),
					ValidatorState::Chilled { .. } => (),
					ValidatorState::Unbonding { .. } => {
						return Err(Error::<T>::AlreadyUnbonding.into())
					}
				}
				info.state = ValidatorState::Unbonding { until };
				Ok(())
			})?;
			Self::deposit_event(Event::Unbonding { validator, until });
			Ok(())
		}

		/// Releases the caller's stake and forgets the validator with its links.
		///
		/// ## Dispatch Origin
		///
		/// Signed by an unbonding validator.
		///
		/// ## Errors
		///
		/// - [`Error::NotRegistered`]: the caller is no validator.
		/// - [`Error::NotUnbonding`]: it does not unbond.
		/// - [`Error::StillUnbonding`]: its stake is not unlocked yet.
		/// - [`Error::StillActive`]: it is in the set of this session or the next.
		///
		/// ## Events
		///
		/// - [`Event::Withdrawn`].
		#[pallet::call_index(5)]
		#[pallet::weight(<T as Config>::WeightInfo::withdraw())]
		pub fn withdraw(origin: OriginFor<T>) -> DispatchResult {
			let validator = ensure_signed(origin)?;
			let info = Validators::<T>::get(&validator).ok_or(Error::<T>::NotRegistered)?;
			let ValidatorState::Unbonding { until } = info.state else {
				return Err(Error::<T>::NotUnbonding.into());
			};
			ensure!(Self::now() >= until, Error::<T>::StillUnbonding);
			ensure!(
				!Self::is_active(&validator) && !Self::is_queued(&validator),
				Error::<T>::StillActive
			);
			let amount = Self::forget(&validator)?;
			Self::deposit_event(Event::Withdrawn { validator, amount });
			Ok(())
		}

		/// Claims a worker, which has to accept.
		///
		/// ## Dispatch Origin
		///
		/// Signed by a candidate.
		///
		/// ## Parameters
		///
		/// - `worker`: the worker; it may be the caller's own account.
		///
		/// ## Errors
		///
		/// - [`Error::NotRegistered`]: the caller is no validator.
		/// - [`Error::NotCandidate`]: it is chilled or unbonds.
		/// - [`Error::WorkerNotRegistered`]: `worker` is no worker.
		/// - [`Error::AlreadyLinked`]: the caller claims it already.
		/// - [`Error::WorkerTaken`]: it agreed to another validator.
		/// - [`Error::TooManyLinks`]: the caller has [`Config::MaxLinkedWorkers`].
		///
		/// ## Events
		///
		/// - [`Event::LinkProposed`].
		#[pallet::call_index(6)]
		#[pallet::weight(<T as Config>::WeightInfo::link_worker())]
		pub fn link_worker(origin: OriginFor<T>, worker: AccountId) -> DispatchResult {
			let validator = ensure_signed(origin)?;
			Self::propose(&validator, &worker)?;
			Self::deposit_event(Event::LinkProposed { validator, worker });
			Ok(())
		}

		/// Agrees to a validator's claim.
		///
		/// ## Dispatch Origin
		///
		/// Signed by the worker.
		///
		/// ## Parameters
		///
		/// - `validator`: who claims the caller.
		///
		/// ## Errors
		///
		/// - [`Error::WorkerNotRegistered`]: the caller is no worker.
		/// - [`Error::WorkerTaken`]: the caller agreed to a validator already.
		/// - [`Error::NoSuchLink`]: the validator does not claim the caller.
		///
		/// ## Events
		///
		/// - [`Event::Linked`].
		#[pallet::call_index(7)]
		#[pallet::weight(<T as Config>::WeightInfo::accept_link())]
		pub fn accept_link(origin: OriginFor<T>, validator: AccountId) -> DispatchResult {
			let worker = ensure_signed(origin)?;
			Self::accept(&validator, &worker)?;
			Self::deposit_event(Event::Linked { validator, worker });
			Ok(())
		}

		/// Removes a link, accepted or not.
		///
		/// ## Dispatch Origin
		///
		/// Signed by the validator or the worker.
		///
		/// ## Parameters
		///
		/// - `validator`, `worker`: the two sides; the caller is one of them.
		///
		/// ## Errors
		///
		/// - [`Error::NotParty`]: the caller is neither.
		/// - [`Error::NoSuchLink`]: there is no such link.
		///
		/// ## Events
		///
		/// - [`Event::Unlinked`].
		#[pallet::call_index(8)]
		#[pallet::weight(<T as Config>::WeightInfo::unlink())]
		pub fn unlink(
			origin: OriginFor<T>,
			validator: AccountId,
			worker: AccountId,
		) -> DispatchResult {
			let who = ensure_signed(origin)?;
			ensure!(who == validator || who == worker, Error::<T>::NotParty);
			Self::cut(&validator, &worker)?;
			Self::deposit_event(Event::Unlinked { validator, worker });
			Ok(())
		}

		/// Says that the caller is there in this session. Free if it succeeds.
		///
		/// ## Dispatch Origin
		///
		/// Signed by an active validator.
		///
		/// ## Errors
		///
		/// - [`Error::NotRegistered`]: the caller is no validator.
		/// - [`Error::NotActive`]: it is not in the set of this session.
		/// - [`Error::AlreadyBeat`]: it said so already.
		///
		/// ## Events
		///
		/// - [`Event::Heartbeat`].
		#[pallet::call_index(9)]
		#[pallet::weight(<T as Config>::WeightInfo::heartbeat())]
		pub fn heartbeat(origin: OriginFor<T>) -> DispatchResultWithPostInfo {
			let validator = ensure_signed(origin)?;
			let session = pallet_session::CurrentIndex::<T>::get();
			Self::mutate(&validator, |info| {
				ensure!(Self::is_active(&validator), Error::<T>::NotActive);
				ensure!(info.heartbeat != Some(session), Error::<T>::AlreadyBeat);
				info.heartbeat = Some(session);
				info.seen = Some(session);
				Ok(())
			})?;
			Self::deposit_event(Event::Heartbeat { validator, session });
			Ok(Pays::No.into())
		}
	}

	#[pallet::view_functions]
	impl<T: Config> Pallet<T> {
		/// The validator, and whether it is in the sets of this session and the next.
		pub fn validator(account: AccountId) -> Option<ValidatorView> {
			Some(ValidatorView {
				info: Validators::<T>::get(&account)?,
				has_keys: Self::has_keys(&account),
				active: Self::is_active(&account),
				queued: Self::is_queued(&account),
			})
		}

		/// The set of this session, in the order that consensus knows it by.
		pub fn active_set() -> Vec<AccountId> {
			pallet_session::Validators::<T>::get()
		}

		/// Candidates with their stakes in planck, those to be chosen first in front.
		pub fn candidates() -> Vec<(AccountId, Balance)> {
			Self::ranked()
		}

		/// The set that was announced last, with its weights in the lottery.
		pub fn slot_weights() -> Vec<(AccountId, u64)> {
			SlotWeights::<T>::get().into_inner()
		}

		/// The validator's verified work as of now, in thousands of parameter-tokens.
		pub fn work(validator: AccountId) -> u128 {
			Self::verified_work(&validator)
		}

		/// The workers that the validator claims.
		pub fn links(validator: AccountId) -> Vec<Link> {
			Links::<T>::get(validator).into_inner()
		}

		/// The validator that the worker agreed to.
		pub fn validator_of(worker: AccountId) -> Option<AccountId> {
			ValidatorOf::<T>::get(worker)
		}
	}
}
