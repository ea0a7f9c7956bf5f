//! # Worker registry
//!
//! Who may run inference: identity, stake, served shards, region and reputation of every worker,
//! and the way in and out (paper, 5.1).
//!
//! ## Terminology
//!
//! - **Worker**: an account whose process runs stages of inferences.
//! - **Peer**: the libp2p identity of that process, an ed25519 key.
//! - **Served shard**: layers of a model that the worker holds and runs.
//! - **Draining**: finishing what has begun and taking nothing new.
//! - **Resting**: the same, of a worker that will be back.
//! - **Challenge**: the chain asks a worker to show that it is there.
//!
//! ## Overview
//!
//! A worker registers with a peer key that signed its account, and with a stake. It says what it
//! serves, and works; settled work makes its reputation grow and may fill its stake up from
//! earnings. To leave, it drains, unbonds, waits, and withdraws; whatever can still be slashed or
//! refunded keeps it from withdrawing.
//!
//! ### Key concepts
//!
//! - **Binding**: the account signs the call, the peer key signs
//!   [`aria_primitives::hashing::peer_binding`], so neither can claim the other. A peer belongs to
//!   one worker.
//! - **Stake**: held, never transferred. [`Config::MinimumStake`] is needed to register and to
//!   work; earnings fill it up to [`Config::TargetStake`].
//! - **Reputation**: ppm, grows with every settled stage, less where the answer was slow, falls by a
//!   punishment, a failed audit or repeated absence, fades after a long idleness
//!   ([`aria_math::reputation`]).
//! - **Uptime**: each block asks some of the workers that take work, drawn by the beacon. Whoever is
//!   asked has its peer key sign the block's hash, within a window. An answer that is missed counts
//!   against the worker's rewards of the era, and lets it rest until it says that it is back. Nobody
//!   is asked outside the hours of its consent, or while it rests or leaves.
//! - **Began**: a worker answers for what it took on. Work that began before it drained or dropped
//!   layers settles all the same, whatever it calls since; layers are dropped at most once in
//!   [`Config::ServedGrace`] blocks, so that what it served until then is known.
//!
//! ### Example
#![doc = docify::embed!("src/tests/life.rs", a_worker_should_come_work_and_leave)]
#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

mod challenges;
mod impls;
pub mod migrations;
#[cfg(any(feature = "try-runtime", test))]
mod try_state;
mod types;
pub mod weights;

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
		challenges::stands_since, Challenge, ClosingList, EraTally, PeerKey, PeerSignature,
		ServedShard, ServicesOf, Tallies, WeightInfo, WorkerInfo, WorkerState, MAX_ASKED, MAX_PAGE,
		MAX_REGION,
	};
	use alloc::vec::Vec;
	use aria_math::reputation;
	use aria_primitives::{
		traits::{Consents, Models, Obligations},
		uptime::UptimeParams,
		AccountId, Balance, BlockNumber, EraIndex, ModelId, Ppm, PPM,
	};
	use frame_support::{
		pallet_prelude::*,
		traits::{
			fungible::{self, hold::Mutate as _},
			tokens::Precision,
			UnixTime,
		},
	};
	use frame_system::pallet_prelude::*;
	use sp_core::H256;
	use sp_runtime::SaturatedConversion;

	const STORAGE_VERSION: StorageVersion = StorageVersion::new(2);

	#[pallet::pallet]
	#[pallet::storage_version(STORAGE_VERSION)]
	pub struct Pallet<T>(_);

	#[pallet::config]
	pub trait Config: frame_system::Config<AccountId = AccountId, Hash = H256> {
		/// The balances that stakes are held in.
		type Currency: fungible::Inspect<AccountId, Balance = Balance>
			+ fungible::Mutate<AccountId>
			+ fungible::hold::Inspect<AccountId, Reason = Self::RuntimeHoldReason>
			+ fungible::hold::Mutate<AccountId, Reason = Self::RuntimeHoldReason>;

		/// The runtime's reasons for holds.
		type RuntimeHoldReason: From<HoldReason>;

		/// Which models there are.
		type Models: Models;

		/// What keeps a worker from withdrawing.
		type Obligations: Obligations;

		/// When a worker's consent lets it be asked.
		type Consents: Consents;

		/// The chain's clock.
		type Time: UnixTime;

		/// Randomness that was not known before the block began.
		type Beacon: Get<H256>;

		/// The era in which challenges count now.
		type Era: Get<EraIndex>;

		/// How often workers are asked, within the ranges of [`UptimeParams::clamped`].
		type Uptime: Get<UptimeParams>;

		/// Who may punish a worker.
		type PunishOrigin: EnsureOrigin<Self::RuntimeOrigin>;

		/// Stake needed to register and to work, in planck.
		#[pallet::constant]
		type MinimumStake: Get<Balance>;

		/// Stake up to which earnings are taken, in planck.
		#[pallet::constant]
		type TargetStake: Get<Balance>;

		/// Blocks between unbonding and withdrawing; must outlast every deadline of an audit.
		#[pallet::constant]
		type UnbondingPeriod: Get<BlockNumber>;

		/// Blocks between two calls that drop served layers; at least the age that the anchor of a
		/// record may have, so that everything that can settle finds what was served.
		#[pallet::constant]
		type ServedGrace: Get<BlockNumber>;

		/// Blocks of an era, in which idleness is counted for reputation, and challenges.
		#[pallet::constant]
		type EraLength: Get<BlockNumber>;

		/// Milliseconds a new token that clients are promised: settled work that is slower lets
		/// reputation grow as much slower.
		#[pallet::constant]
		type LatencyTarget: Get<u32>;

		/// Most served shards of a worker.
		#[pallet::constant]
		type MaxServed: Get<u32>;

		/// Weights of the calls.
		type WeightInfo: WeightInfo;
	}

	/// Why the pallet holds funds.
	#[pallet::composite_enum]
	pub enum HoldReason {
		/// A worker's stake.
		#[codec(index = 0)]
		Stake,
	}

	/// The workers.
	#[pallet::storage]
	pub type Workers<T: Config> = StorageMap<_, Blake2_128Concat, AccountId, WorkerInfo>;

	/// Whose peer a key is.
	#[pallet::storage]
	pub type Peers<T: Config> = StorageMap<_, Blake2_128Concat, PeerKey, AccountId>;

	/// What each worker serves, and served before it dropped layers; absent if neither.
	#[pallet::storage]
	pub type Served<T: Config> =
		StorageMap<_, Blake2_128Concat, AccountId, ServicesOf<T>, ValueQuery>;

	/// Which workers serve layers of a model: the index of what [`Served`] says of now.
	#[pallet::storage]
	pub type Serving<T: Config> =
		StorageDoubleMap<_, Identity, ModelId, Blake2_128Concat, AccountId, ()>;

	/// All workers, in places that are counted from 0 without a gap: challenges are drawn from it.
	#[pallet::storage]
	pub type Roster<T: Config> = StorageMap<_, Twox64Concat, u32, AccountId>;

	/// How many places there are.
	#[pallet::storage]
	pub type RosterSize<T: Config> = StorageValue<_, u32, ValueQuery>;

	/// The place of each worker.
	#[pallet::storage]
	pub type Places<T: Config> = StorageMap<_, Blake2_128Concat, AccountId, u32>;

	/// Challenges that wait for an answer.
	#[pallet::storage]
	pub type Challenges<T: Config> = StorageMap<_, Blake2_128Concat, AccountId, Challenge>;

	/// Whose challenges a block closes. Those that were answered stand in it too.
	#[pallet::storage]
	pub type Closing<T: Config> = StorageMap<_, Twox64Concat, BlockNumber, ClosingList, ValueQuery>;

	/// What came of each worker's challenges in the last eras.
	#[pallet::storage]
	pub type Attendances<T: Config> =
		StorageMap<_, Blake2_128Concat, AccountId, Tallies, ValueQuery>;

	#[pallet::event]
	#[pallet::generate_deposit(pub(super) fn deposit_event)]
	pub enum Event<T: Config> {
		/// A worker registered.
		Registered {
			/// The worker.
			worker: AccountId,
			/// Its peer key.
			peer: PeerKey,
			/// UN M49 code of its region.
			region: u16,
			/// Its stake, in planck.
			stake: Balance,
		},
		/// A worker put more on hold.
		Bonded {
			/// The worker.
			worker: AccountId,
			/// What was added, in planck.
			amount: Balance,
			/// Its stake now, in planck.
			stake: Balance,
		},
		/// Earnings went into a worker's stake.
		StakeEarned {
			/// The worker.
			worker: AccountId,
			/// What was added, in planck.
			amount: Balance,
			/// Its stake now, in planck.
			stake: Balance,
		},
		/// A worker changed what it serves.
		ServedSet {
			/// The worker.
			worker: AccountId,
			/// How many shards it serves now.
			shards: u32,
		},
		/// A worker changed its region.
		RegionSet {
			/// The worker.
			worker: AccountId,
			/// UN M49 code of its region.
			region: u16,
		},
		/// A worker changed its peer key.
		PeerRotated {
			/// The worker.
			worker: AccountId,
			/// The key before.
			old: PeerKey,
			/// The key now.
			new: PeerKey,
		},
		/// A worker takes no more work.
		Draining {
			/// The worker.
			worker: AccountId,
			/// Work that began in this block or later is not its own.
			since: BlockNumber,
		},
		/// A worker takes work again.
		Resumed {
			/// The worker.
			worker: AccountId,
		},
		/// A worker's stake will unlock.
		Unbonding {
			/// The worker.
			worker: AccountId,
			/// The first block in which it may withdraw.
			until: BlockNumber,
		},
		/// A worker left with its stake.
		Withdrawn {
			/// The worker.
			worker: AccountId,
			/// What was released, in planck.
			amount: Balance,
		},
		/// A worker lost stake and reputation.
		Punished {
			/// The worker.
			worker: AccountId,
			/// What was burnt, in planck.
			slashed: Balance,
			/// Its stake now, in planck.
			stake: Balance,
			/// Its reputation now, in ppm.
			reputation: Ppm,
		},
		/// A worker lost stake by an audit.
		Slashed {
			/// The worker.
			worker: AccountId,
			/// What it lost, in planck.
			amount: Balance,
			/// Its stake now, in planck.
			stake: Balance,
		},
		/// A worker lost reputation by an audit, or by a further challenge that it missed in an era.
		ReputationCut {
			/// The worker.
			worker: AccountId,
			/// Its reputation now, in ppm.
			reputation: Ppm,
		},
		/// A worker is asked to show that it is there.
		Challenged {
			/// The worker.
			worker: AccountId,
			/// The last block that takes its answer.
			until: BlockNumber,
		},
		/// A worker showed that it is there.
		Answered {
			/// The worker.
			worker: AccountId,
		},
		/// A worker did not answer in time.
		Missed {
			/// The worker.
			worker: AccountId,
			/// The era in which that counts.
			era: EraIndex,
			/// How many it has missed in the era.
			missed: u32,
		},
		/// A worker takes no work until it says that it is back.
		Resting {
			/// The worker.
			worker: AccountId,
			/// Work that began in this block or later is not its own.
			since: BlockNumber,
		},
	}

	#[pallet::error]
	pub enum Error<T> {
		/// The account is a worker already: change it with `rotate_peer`, `set_region`, `bond_more`.
		AlreadyRegistered,
		/// The account is no worker: call `register_worker` first.
		NotRegistered,
		/// The peer key did not sign this account on this chain: sign
		/// `sha256("aria/peer/v1" ‖ genesis hash ‖ account)` with the libp2p key.
		BadPeerSignature,
		/// The peer key belongs to a worker already: use another key.
		PeerTaken,
		/// The stake is below `MinimumStake`: offer at least that.
		StakeTooLow,
		/// The region is no UN M49 code: use 0 to 999.
		BadRegion,
		/// Nothing to bond: name an amount above 0.
		ZeroAmount,
		/// A shard's layers are empty or beyond the model: name `first < end <= layers`.
		LayersOutOfRange,
		/// Two shards of one model overlap: merge them.
		OverlappingShards,
		/// Only an active worker can rest, and only one that is active or rests can drain: it drains or
		/// unbonds already, or rests.
		NotActive,
		/// The worker is active already: there is nothing to resume.
		AlreadyActive,
		/// Only a draining worker can unbond: call `drain` first.
		NotDraining,
		/// Only an unbonding worker can withdraw: call `unbond` first.
		NotUnbonding,
		/// The stake is not unlocked yet: wait for the block that `Unbonding` named.
		StillUnbonding,
		/// Something can still be slashed or refunded: wait until all earnings have vested.
		ObligationsPending,
		/// The fraction is above the whole: name at most 1,000,000 ppm.
		InvalidFraction,
		/// The worker's stake is below `MinimumStake`: it has to call `bond_more`.
		InsufficientStake,
		/// The worker drained before this work began: leave it out.
		Draining,
		/// The worker was leaving when this work began, or is leaving now: leave it out, or let it
		/// call `resume`.
		Unbonding,
		/// The worker neither serves these layers nor did when this work began: it has to call
		/// `set_served`.
		NotServing,
		/// Layers were dropped less than `ServedGrace` blocks ago: keep those that are served, or
		/// wait. Layers can be added at any time.
		ServedChangedRecently,
		/// The worker rested when this work began: leave it out, or let it call `resume`.
		Resting,
		/// No challenge waits for this worker's answer: answer in a block behind the one that asks, and
		/// within its window.
		NotChallenged,
		/// The worker's peer key did not sign the hash of the block that asks: sign that of the branch
		/// on which the answer is sent.
		BadAnswer,
	}

	#[pallet::hooks]
	impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
		fn on_initialize(now: BlockNumberFor<T>) -> Weight {
			Self::run_challenges(now.saturated_into())
		}

		fn integrity_test() {
			assert!(
				T::TargetStake::get() >= T::MinimumStake::get(),
				"TargetStake must not be below MinimumStake"
			);
			assert!(T::UnbondingPeriod::get() > 0, "UnbondingPeriod must not be 0");
			assert!(T::ServedGrace::get() > 0, "ServedGrace must not be 0");
			assert!(
				T::UnbondingPeriod::get() >= T::ServedGrace::get(),
				"UnbondingPeriod must not be below ServedGrace"
			);
			assert!(T::EraLength::get() > 0, "EraLength must not be 0");
			assert!(T::MaxServed::get() > 0, "MaxServed must not be 0");
			assert!(T::LatencyTarget::get() > 0, "a latency of zero cannot be met");
			let challenges =
				T::WeightInfo::ask(MAX_ASKED).saturating_add(T::WeightInfo::close(MAX_ASKED));
			let block = T::BlockWeights::get().max_block.ref_time();
			assert!(
				challenges.ref_time() <= block / 4,
				"the challenges of a block take more than a quarter of it: lower MAX_ASKED"
			);
		}

		#[cfg(feature = "try-runtime")]
		fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
			Self::do_try_state()
		}
	}

	#[pallet::call]
	impl<T: Config> Pallet<T> {
		/// Makes the caller a worker.
		///
		/// ## Dispatch Origin
		///
		/// Signed by the account that will be the worker.
		///
		/// ## Details
		///
		/// Puts `stake` on hold and binds the peer key to the account. The worker serves nothing
		/// until [`Pallet::set_served`].
		///
		/// ## Parameters
		///
		/// - `peer`: the ed25519 public key of the worker's libp2p identity.
		/// - `peer_signature`: that key's signature of the binding to this account and chain.
		/// - `region`: UN M49 numeric region code, 0 for unknown.
		/// - `stake`: planck to hold.
		///
		/// ## Errors
		///
		/// - [`Error::AlreadyRegistered`]: the caller is a worker already.
		/// - [`Error::StakeTooLow`]: `stake` is below [`Config::MinimumStake`].
		/// - [`Error::BadRegion`]: the region is above 999.
		/// - [`Error::PeerTaken`]: another worker has this key.
		/// - [`Error::BadPeerSignature`]: the key did not sign this account on this chain.
		/// - Those of the currency, if the caller can't hold `stake`.
		///
		/// ## Events
		///
		/// - [`Event::Registered`].
		#[pallet::call_index(0)]
		#[pallet::weight(T::WeightInfo::register_worker())]
		pub fn register_worker(
			origin: OriginFor<T>,
			peer: PeerKey,
			peer_signature: PeerSignature,
			region: u16,
			stake: Balance,
		) -> DispatchResult {
			let worker = ensure_signed(origin)?;
			ensure!(!Workers::<T>::contains_key(&worker), Error::<T>::AlreadyRegistered);
			ensure!(stake >= T::MinimumStake::get(), Error::<T>::StakeTooLow);
			ensure!(region <= MAX_REGION, Error::<T>::BadRegion);
			Self::ensure_peer(&worker, &peer, &peer_signature)?;

			T::Currency::hold(&HoldReason::Stake.into(), &worker, stake)?;
			Self::insert_worker(&worker, peer, region, stake);
			Self::deposit_event(Event::Registered { worker, peer, region, stake });
			Ok(())
		}

		/// Adds to the caller's stake.
		///
		/// ## Dispatch Origin
		///
		/// Signed by a worker.
		///
		/// ## Parameters
		///
		/// - `amount`: planck to add.
		///
		/// ## Errors
		///
		/// - [`Error::ZeroAmount`]: `amount` is 0.
		/// - [`Error::NotRegistered`]: the caller is no worker.
		/// - [`Error::Unbonding`]: the worker is leaving.
		/// - Those of the currency, if the caller can't hold `amount`.
		///
		/// ## Events
		///
		/// - [`Event::Bonded`].
		#[pallet::call_index(1)]
		#[pallet::weight(T::WeightInfo::bond_more())]
		pub fn bond_more(origin: OriginFor<T>, amount: Balance) -> DispatchResult {
			let worker = ensure_signed(origin)?;
			ensure!(amount > 0, Error::<T>::ZeroAmount);
			let stake = Self::mutate_staying(&worker, |info| {
				T::Currency::hold(&HoldReason::Stake.into(), &worker, amount)?;
				info.stake = info.stake.saturating_add(amount);
				Ok(info.stake)
			})?;
			Self::deposit_event(Event::Bonded { worker, amount, stake });
			Ok(())
		}

		/// Says what the caller serves from now on.
		///
		/// ## Dispatch Origin
		///
		/// Signed by a worker.
		///
		/// ## Details
		///
		/// Replaces everything said before. If that drops layers, stages that began before this
		/// block are settled against what was served until now too, and no layers can be dropped
		/// in the next [`Config::ServedGrace`] blocks. Adding layers, or cutting them into shards
		/// in another way, is always possible.
		///
		/// ## Parameters
		///
		/// - `shards`: layers of pinned models, without overlap; none to serve nothing.
		///
		/// ## Errors
		///
		/// - [`Error::NotRegistered`]: the caller is no worker.
		/// - [`Error::Unbonding`]: the worker is leaving.
		/// - [`Error::LayersOutOfRange`]: layers are empty or beyond their model.
		/// - [`Error::OverlappingShards`]: two shards of one model share a layer.
		/// - [`Error::ServedChangedRecently`]: this drops layers, and so did a call less than
		///   [`Config::ServedGrace`] blocks ago.
		/// - Those of [`Config::Models`], if a model is unknown or not pinned.
		///
		/// ## Events
		///
		/// - [`Event::ServedSet`].
		#[pallet::call_index(2)]
		#[pallet::weight(T::WeightInfo::set_served(shards.len() as u32))]
		pub fn set_served(
			origin: OriginFor<T>,
			shards: BoundedVec<ServedShard, T::MaxServed>,
		) -> DispatchResult {
			let worker = ensure_signed(origin)?;
			Self::ensure_staying(&worker)?;
			let shards = Self::checked_shards(shards)?;
			let count = shards.len() as u32;
			Self::change_served(&worker, shards)?;
			Self::deposit_event(Event::ServedSet { worker, shards: count });
			Ok(())
		}

		/// Says where the caller is.
		///
		/// ## Dispatch Origin
		///
		/// Signed by a worker.
		///
		/// ## Parameters
		///
		/// - `region`: UN M49 numeric region code, 0 for unknown.
		///
		/// ## Errors
		///
		/// - [`Error::BadRegion`]: the region is above 999.
		/// - [`Error::NotRegistered`]: the caller is no worker.
		///
		/// ## Events
		///
		/// - [`Event::RegionSet`].
		#[pallet::call_index(3)]
		#[pallet::weight(T::WeightInfo::set_region())]
		pub fn set_region(origin: OriginFor<T>, region: u16) -> DispatchResult {
			let worker = ensure_signed(origin)?;
			ensure!(region <= MAX_REGION, Error::<T>::BadRegion);
			Self::mutate(&worker, |info| {
				info.region = region;
				Ok(())
			})?;
			Self::deposit_event(Event::RegionSet { worker, region });
			Ok(())
		}

		/// Binds another peer key to the caller; the one before becomes free.
		///
		/// ## Dispatch Origin
		///
		/// Signed by a worker.
		///
		/// ## Parameters
		///
		/// - `peer`: the new ed25519 public key of the worker's libp2p identity.
		/// - `peer_signature`: the new key's signature of the binding.
		///
		/// ## Errors
		///
		/// - [`Error::NotRegistered`]: the caller is no worker.
		/// - [`Error::PeerTaken`]: a worker, perhaps this one, has the key.
		/// - [`Error::BadPeerSignature`]: the key did not sign this account on this chain.
		///
		/// ## Events
		///
		/// - [`Event::PeerRotated`].
		#[pallet::call_index(4)]
		#[pallet::weight(T::WeightInfo::rotate_peer())]
		pub fn rotate_peer(
			origin: OriginFor<T>,
			peer: PeerKey,
			peer_signature: PeerSignature,
		) -> DispatchResult {
			let worker = ensure_signed(origin)?;
			let old = Self::mutate(&worker, |info| {
				Self::ensure_peer(&worker, &peer, &peer_signature)?;
				Peers::<T>::remove(info.peer);
				Peers::<T>::insert(peer, &worker);
				Ok(core::mem::replace(&mut info.peer, peer))
			})?;
			Self::deposit_event(Event::PeerRotated { worker, old, new: peer });
			Ok(())
		}

		/// Stops taking work.
		///
		/// ## Dispatch Origin
		///
		/// Signed by a worker that is active or rests.
		///
		/// ## Details
		///
		/// What began before this block, or before the worker rested, can still be settled.
		///
		/// ## Errors
		///
		/// - [`Error::NotRegistered`]: the caller is no worker.
		/// - [`Error::NotActive`]: the worker drains or unbonds already.
		///
		/// ## Events
		///
		/// - [`Event::Draining`].
		#[pallet::call_index(5)]
		#[pallet::weight(T::WeightInfo::drain())]
		pub fn drain(origin: OriginFor<T>) -> DispatchResult {
			let worker = ensure_signed(origin)?;
			let since = Self::mutate(&worker, |info| {
				let since = stands_since(info, Self::now()).ok_or(Error::<T>::NotActive)?;
				info.state = WorkerState::Draining { since };
				Ok(since)
			})?;
			Self::give_up_challenge(&worker);
			Self::deposit_event(Event::Draining { worker, since });
			Ok(())
		}

		/// Takes work again, out of resting, draining or unbonding.
		///
		/// ## Dispatch Origin
		///
		/// Signed by a worker that rests, drains or unbonds.
		///
		/// ## Details
		///
		/// Free if the worker rested.
		///
		/// ## Errors
		///
		/// - [`Error::NotRegistered`]: the caller is no worker.
		/// - [`Error::AlreadyActive`]: the worker is active.
		///
		/// ## Events
		///
		/// - [`Event::Resumed`].
		#[pallet::call_index(6)]
		#[pallet::weight(T::WeightInfo::resume())]
		pub fn resume(origin: OriginFor<T>) -> DispatchResultWithPostInfo {
			let worker = ensure_signed(origin)?;
			let before = Self::mutate(&worker, |info| {
				ensure!(info.state != WorkerState::Active, Error::<T>::AlreadyActive);
				Ok(core::mem::replace(&mut info.state, WorkerState::Active))
			})?;
			Self::deposit_event(Event::Resumed { worker });
			let rested = matches!(before, WorkerState::Resting { .. });
			let pays = if rested { Pays::No } else { Pays::Yes };
			Ok(pays.into())
		}

		/// Begins to unlock the caller's stake.
		///
		/// ## Dispatch Origin
		///
		/// Signed by a draining worker.
		///
		/// ## Details
		///
		/// What began before the worker drained can still be settled. The stake can be slashed until
		/// it is withdrawn, [`Config::UnbondingPeriod`] blocks from now at the earliest.
		///
		/// ## Errors
		///
		/// - [`Error::NotRegistered`]: the caller is no worker.
		/// - [`Error::NotDraining`]: the worker does not drain.
		///
		/// ## Events
		///
		/// - [`Event::Unbonding`].
		#[pallet::call_index(7)]
		#[pallet::weight(T::WeightInfo::unbond())]
		pub fn unbond(origin: OriginFor<T>) -> DispatchResult {
			let worker = ensure_signed(origin)?;
			let until = Self::now().saturating_add(T::UnbondingPeriod::get());
			Self::mutate(&worker, |info| {
				let WorkerState::Draining { since } = info.state else {
					return Err(Error::<T>::NotDraining.into());
				};
				info.state = WorkerState::Unbonding { since, until };
				Ok(())
			})?;
			Self::deposit_event(Event::Unbonding { worker, until });
			Ok(())
		}

		/// Releases the caller's stake and forgets the worker.
		///
		/// ## Dispatch Origin
		///
		/// Signed by an unbonding worker.
		///
		/// ## Errors
		///
		/// - [`Error::NotRegistered`]: the caller is no worker.
		/// - [`Error::NotUnbonding`]: the worker does not unbond.
		/// - [`Error::StillUnbonding`]: the stake is not unlocked yet.
		/// - [`Error::ObligationsPending`]: some of its earnings have not vested.
		///
		/// ## Events
		///
		/// - [`Event::Withdrawn`].
		#[pallet::call_index(8)]
		#[pallet::weight(T::WeightInfo::withdraw())]
		pub fn withdraw(origin: OriginFor<T>) -> DispatchResult {
			let worker = ensure_signed(origin)?;
			let info = Workers::<T>::get(&worker).ok_or(Error::<T>::NotRegistered)?;
			let WorkerState::Unbonding { until, .. } = info.state else {
				return Err(Error::<T>::NotUnbonding.into());
			};
			ensure!(Self::now() >= until, Error::<T>::StillUnbonding);
			ensure!(T::Obligations::unvested(&worker) == 0, Error::<T>::ObligationsPending);

			let amount = T::Currency::release_all(
				&HoldReason::Stake.into(),
				&worker,
				Precision::BestEffort,
			)?;
			Self::remove_worker(&worker, &info);
			Self::deposit_event(Event::Withdrawn { worker, amount });
			Ok(())
		}

		/// Burns a part of a worker's stake and makes its reputation fall.
		///
		/// ## Dispatch Origin
		///
		/// [`Config::PunishOrigin`].
		///
		/// ## Parameters
		///
		/// - `worker`: whom.
		/// - `slash_ppm`: which part of its stake, in ppm.
		///
		/// ## Errors
		///
		/// - [`Error::InvalidFraction`]: `slash_ppm` is above 1,000,000.
		/// - [`Error::NotRegistered`]: `worker` is no worker.
		///
		/// ## Events
		///
		/// - [`Event::Punished`].
		#[pallet::call_index(9)]
		#[pallet::weight(T::WeightInfo::punish())]
		pub fn punish(origin: OriginFor<T>, worker: AccountId, slash_ppm: Ppm) -> DispatchResult {
			T::PunishOrigin::ensure_origin(origin)?;
			Self::apply_punishment(&worker, slash_ppm, reputation::FAULT_FACTOR_PPM)?;
			Ok(())
		}

		/// Takes no work until [`Pallet::resume`], since the caller's machine is about to sleep.
		///
		/// ## Dispatch Origin
		///
		/// Signed by an active worker.
		///
		/// ## Details
		///
		/// What began before this block can still be settled. Nobody asks a worker that rests, and a
		/// challenge that waits is forgotten. The first four calls in an era are free.
		///
		/// ## Errors
		///
		/// - [`Error::NotRegistered`]: the caller is no worker.
		/// - [`Error::NotActive`]: the worker rests, drains or unbonds.
		///
		/// ## Events
		///
		/// - [`Event::Resting`].
		#[pallet::call_index(10)]
		#[pallet::weight(T::WeightInfo::rest())]
		pub fn rest(origin: OriginFor<T>) -> DispatchResultWithPostInfo {
			let worker = ensure_signed(origin)?;
			let free = Self::begin_rest(&worker)?;
			let pays = if free { Pays::No } else { Pays::Yes };
			Ok(pays.into())
		}

		/// Answers the challenge that waits for the caller.
		///
		/// ## Dispatch Origin
		///
		/// Signed by a worker.
		///
		/// ## Details
		///
		/// Free if it is taken.
		///
		/// ## Parameters
		///
		/// - `signature`: the peer key's signature of [`aria_primitives::uptime::answer_message`] for the
		///   block that asks.
		///
		/// ## Errors
		///
		/// - [`Error::NotRegistered`]: the caller is no worker.
		/// - [`Error::NotChallenged`]: no challenge waits, it is of this very block, or its window is over.
		/// - [`Error::BadAnswer`]: the peer key did not sign the hash of the block that asks.
		///
		/// ## Events
		///
		/// - [`Event::Answered`].
		#[pallet::call_index(11)]
		#[pallet::weight(T::WeightInfo::answer())]
		pub fn answer(
			origin: OriginFor<T>,
			signature: PeerSignature,
		) -> DispatchResultWithPostInfo {
			let worker = ensure_signed(origin)?;
			Self::take_answer(&worker, &signature)?;
			Self::deposit_event(Event::Answered { worker });
			Ok(Pays::No.into())
		}
	}

	#[pallet::view_functions]
	impl<T: Config> Pallet<T> {
		/// The worker, with its reputation as of now.
		pub fn worker(account: AccountId) -> Option<WorkerInfo> {
			Self::info(&account)
		}

		/// The account of the worker with this peer key.
		pub fn worker_by_peer(peer: PeerKey) -> Option<AccountId> {
			Peers::<T>::get(peer)
		}

		/// The account's reputation in ppm, as of now; 0 for a stranger.
		pub fn reputation(account: AccountId) -> Ppm {
			Self::info(&account).map_or(0, |info| info.reputation.min(PPM))
		}

		/// The challenge that waits for the worker's answer.
		pub fn challenge(account: AccountId) -> Option<Challenge> {
			Challenges::<T>::get(account)
		}

		/// What came of the worker's challenges in the last eras, oldest first.
		pub fn attendance(account: AccountId) -> Vec<EraTally> {
			Attendances::<T>::get(account).into_inner()
		}

		/// What the worker serves, ordered by model and first layer.
		pub fn served(account: AccountId) -> Vec<ServedShard> {
			Served::<T>::get(account).shards.into_inner()
		}

		/// Workers that serve layers of the model, after `after`, at most `limit` and at most 256.
		/// The order is that of storage keys; the last of a page is the next one's `after`. They may
		/// be draining: ask [`Pallet::worker`].
		pub fn workers_serving(
			model: ModelId,
			after: Option<AccountId>,
			limit: u32,
		) -> Vec<AccountId> {
			let workers = match after {
				Some(after) => Serving::<T>::iter_key_prefix_from(
					model,
					Serving::<T>::hashed_key_for(model, after),
				),
				None => Serving::<T>::iter_key_prefix(model),
			};
			workers.take(limit.min(MAX_PAGE) as usize).collect()
		}
	}
}
