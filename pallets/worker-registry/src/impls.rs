//! The registry's logic, and what other pallets see of it.

use crate::{
	Config, Error, Event, HoldReason, Pallet, PeerKey, PeerSignature, Peers, Served, ServedShard,
	Services, ServicesOf, Serving, ShardsOf, Superseded, WorkerInfo, WorkerState, Workers,
};
use aria_math::{quality::latency_score, reputation};
use aria_primitives::{
	hashing,
	record::LayerRange,
	traits::{self, Models},
	AccountId, Balance, BlockNumber, ModelId, Ppm, PPM,
};
use frame_support::{
	ensure,
	storage::with_storage_layer,
	traits::{
		fungible::{hold::Mutate as _, Inspect as _},
		tokens::{Fortitude, Precision, Preservation, Restriction},
		Get,
	},
};
use frame_system::pallet_prelude::BlockNumberFor;
use sp_core::{ed25519, H256};
use sp_runtime::{
	traits::{SaturatedConversion, Zero},
	DispatchError, DispatchResult,
};

impl<T: Config> Pallet<T> {
	/// The current block.
	pub(crate) fn now() -> BlockNumber {
		frame_system::Pallet::<T>::block_number().saturated_into()
	}

	/// The hash of the chain's first block.
	pub(crate) fn genesis() -> H256 {
		frame_system::BlockHash::<T>::get(BlockNumberFor::<T>::zero())
	}

	/// The worker, with its reputation as of now.
	pub fn info(worker: &AccountId) -> Option<WorkerInfo> {
		Workers::<T>::get(worker).map(|mut info| {
			info.reputation = Self::faded(&info);
			info
		})
	}

	/// The worker's libp2p key.
	pub fn peer_of(worker: &AccountId) -> Option<PeerKey> {
		Workers::<T>::get(worker).map(|info| info.peer)
	}

	/// Burns `slash_ppm` of the worker's stake, and leaves it `keep_ppm` of its reputation. Returns
	/// what was burnt, in planck. Fails with `InvalidFraction` or `NotRegistered`.
	pub fn apply_punishment(
		worker: &AccountId,
		slash_ppm: Ppm,
		keep_ppm: Ppm,
	) -> Result<Balance, DispatchError> {
		ensure!(slash_ppm <= PPM, Error::<T>::InvalidFraction);
		let (slashed, info) = Self::mutate(worker, |info| {
			let due = sp_runtime::Permill::from_parts(slash_ppm).mul_ceil(info.stake);
			let slashed = if due.is_zero() {
				0
			} else {
				T::Currency::burn_held(
					&HoldReason::Stake.into(),
					worker,
					due,
					Precision::BestEffort,
					Fortitude::Force,
				)?
			};
			info.stake = info.stake.saturating_sub(slashed);
			info.reputation = reputation::fall(info.reputation, keep_ppm);
			Ok((slashed, info.clone()))
		})?;
		Self::deposit_event(Event::Punished {
			worker: worker.clone(),
			slashed,
			stake: info.stake,
			reputation: Self::faded(&info),
		});
		Ok(slashed)
	}

	/// The worker's reputation after its idle eras.
	fn faded(info: &WorkerInfo) -> Ppm {
		let idle = Self::now()
			.saturating_sub(info.active_at)
			.checked_div(T::EraLength::get())
			.unwrap_or_default();
		reputation::decay(info.reputation, idle)
	}

	/// Changes a worker, or nothing if `change` fails.
	pub(crate) fn mutate<R>(
		worker: &AccountId,
		change: impl FnOnce(&mut WorkerInfo) -> Result<R, DispatchError>,
	) -> Result<R, DispatchError> {
		Workers::<T>::try_mutate(worker, |entry| {
			change(entry.as_mut().ok_or(Error::<T>::NotRegistered)?)
		})
	}

	/// [`Self::mutate`] for a worker that is not leaving.
	pub(crate) fn mutate_staying<R>(
		worker: &AccountId,
		change: impl FnOnce(&mut WorkerInfo) -> Result<R, DispatchError>,
	) -> Result<R, DispatchError> {
		Self::mutate(worker, |info| {
			ensure!(!matches!(info.state, WorkerState::Unbonding { .. }), Error::<T>::Unbonding);
			change(info)
		})
	}

	/// Fails unless the worker is registered and not leaving.
	pub(crate) fn ensure_staying(worker: &AccountId) -> DispatchResult {
		let info = Workers::<T>::get(worker).ok_or(Error::<T>::NotRegistered)?;
		ensure!(!matches!(info.state, WorkerState::Unbonding { .. }), Error::<T>::Unbonding);
		Ok(())
	}

	/// Fails unless the key is free and signed the account on this chain.
	pub(crate) fn ensure_peer(
		worker: &AccountId,
		peer: &PeerKey,
		signature: &PeerSignature,
	) -> DispatchResult {
		ensure!(!Peers::<T>::contains_key(peer), Error::<T>::PeerTaken);
		let message = hashing::peer_binding(&Self::genesis(), worker);
		let signed = sp_io::crypto::ed25519_verify(
			&ed25519::Signature::from_raw(*signature),
			message.as_bytes(),
			&ed25519::Public::from_raw(*peer),
		);
		ensure!(signed, Error::<T>::BadPeerSignature);
		Ok(())
	}

	/// Writes a new worker, whose stake is on hold already.
	pub(crate) fn insert_worker(worker: &AccountId, peer: PeerKey, region: u16, stake: Balance) {
		let now = Self::now();
		Peers::<T>::insert(peer, worker);
		Workers::<T>::insert(
			worker,
			WorkerInfo {
				peer,
				region,
				stake,
				state: WorkerState::Active,
				reputation: reputation::INITIAL_SCORE,
				settled: 0,
				registered_at: now,
				active_at: now,
			},
		);
		Self::enlist(worker);
	}

	/// Forgets a worker.
	pub(crate) fn remove_worker(worker: &AccountId, info: &WorkerInfo) {
		let old = Served::<T>::get(worker);
		Self::replace_served(worker, &old.shards, ServicesOf::<T>::default());
		Peers::<T>::remove(info.peer);
		Workers::<T>::remove(worker);
		Self::delist(worker);
	}

	/// The shards in order, if all lie within pinned models and none overlap.
	pub(crate) fn checked_shards(mut shards: ShardsOf<T>) -> Result<ShardsOf<T>, DispatchError> {
		for shard in shards.iter() {
			let model = T::Models::pinned(&shard.model)?;
			ensure!(
				!shard.layers.is_empty() && shard.layers.end <= model.layers,
				Error::<T>::LayersOutOfRange
			);
		}
		shards.sort();
		let apart = shards.iter().zip(shards.iter().skip(1)).all(|(left, right)| {
			left.model != right.model || left.layers.end <= right.layers.first
		});
		ensure!(apart, Error::<T>::OverlappingShards);
		Ok(shards)
	}

	/// Makes a worker serve the checked shards. If layers are dropped, what was served is kept for
	/// work that began before; fails if it would take the place of what is still needed.
	pub(crate) fn change_served(worker: &AccountId, shards: ShardsOf<T>) -> DispatchResult {
		let Services { shards: old, superseded } = Served::<T>::get(worker);
		let drops = !old.iter().all(|shard| covers(&shards, &shard.model, &shard.layers));
		let superseded = if drops {
			let now = Self::now();
			let free =
				superseded.is_none_or(|last| now >= last.at.saturating_add(T::ServedGrace::get()));
			ensure!(free, Error::<T>::ServedChangedRecently);
			Some(Superseded { shards: old.clone(), at: now })
		} else {
			superseded
		};
		Self::replace_served(worker, &old, Services { shards, superseded });
		Ok(())
	}

	/// Replaces what a worker serves and served, and keeps the index; `old` is what it serves.
	pub(crate) fn replace_served(worker: &AccountId, old: &[ServedShard], new: ServicesOf<T>) {
		for shard in old {
			Serving::<T>::remove(shard.model, worker);
		}
		for shard in new.shards.iter() {
			Serving::<T>::insert(shard.model, worker, ());
		}
		if new.shards.is_empty() && new.superseded.is_none() {
			Served::<T>::remove(worker);
		} else {
			Served::<T>::insert(worker, new);
		}
	}

	/// Whether the worker serves the layers, or did when work began at `began`.
	fn serves(
		worker: &AccountId,
		model: &ModelId,
		layers: &LayerRange,
		began: BlockNumber,
	) -> bool {
		let services = Served::<T>::get(worker);
		covers(&services.shards, model, layers)
			|| services
				.superseded
				.is_some_and(|last| began < last.at && covers(&last.shards, model, layers))
	}
}

/// Whether the ordered shards of the model, joined where they touch, cover the layers.
fn covers(shards: &[ServedShard], model: &ModelId, layers: &LayerRange) -> bool {
	let mut reached = layers.first;
	for shard in shards.iter().filter(|shard| shard.model == *model) {
		if shard.layers.first <= reached {
			reached = reached.max(shard.layers.end);
		}
	}
	!layers.is_empty() && reached >= layers.end
}

impl<T: Config> traits::Workers for Pallet<T> {
	fn ensure_may_work(
		worker: &AccountId,
		model: &ModelId,
		layers: &LayerRange,
		began: BlockNumber,
	) -> DispatchResult {
		let info = Workers::<T>::get(worker).ok_or(Error::<T>::NotRegistered)?;
		match info.state {
			WorkerState::Active => (),
			WorkerState::Draining { since } => ensure!(began < since, Error::<T>::Draining),
			WorkerState::Unbonding { since, .. } => ensure!(began < since, Error::<T>::Unbonding),
			WorkerState::Resting { since } => ensure!(began < since, Error::<T>::Resting),
		}
		ensure!(info.stake >= T::MinimumStake::get(), Error::<T>::InsufficientStake);
		ensure!(Self::serves(worker, model, layers, began), Error::<T>::NotServing);
		Ok(())
	}

	fn stake(worker: &AccountId) -> Balance {
		Workers::<T>::get(worker).map_or(0, |info| info.stake)
	}

	fn reputation(worker: &AccountId) -> Ppm {
		Self::info(worker).map_or(0, |info| info.reputation)
	}

	fn note_settled(worker: &AccountId, latency_ms_per_token: u32) {
		let latency = latency_score(latency_ms_per_token.into(), T::LatencyTarget::get().into());
		Workers::<T>::mutate(worker, |entry| {
			if let Some(info) = entry {
				info.reputation = reputation::settle(Self::faded(info), latency);
				info.settled = info.settled.saturating_add(1);
				info.active_at = Self::now();
			}
		});
	}

	fn stake_from_earnings(worker: &AccountId, amount: Balance) -> Balance {
		// A failure leaves the earnings where they are, free on the worker's account.
		let taken = with_storage_layer::<_, DispatchError, _>(|| {
			Self::mutate_staying(worker, |info| {
				let free = T::Currency::reducible_balance(
					worker,
					Preservation::Protect,
					Fortitude::Polite,
				);
				let take = T::TargetStake::get().saturating_sub(info.stake).min(amount).min(free);
				if take > 0 {
					T::Currency::hold(&HoldReason::Stake.into(), worker, take)?;
					info.stake = info.stake.saturating_add(take);
				}
				Ok((take, info.stake))
			})
		});
		let Ok((amount, stake)) = taken else { return 0 };
		if amount > 0 {
			Self::deposit_event(Event::StakeEarned { worker: worker.clone(), amount, stake });
		}
		amount
	}

	#[cfg(feature = "runtime-benchmarks")]
	fn benchmark_worker(worker: &AccountId, model: &ModelId, layers: LayerRange) {
		use frame_support::traits::fungible::Mutate as _;
		let stake = T::MinimumStake::get();
		let funds = stake.saturating_add(T::Currency::minimum_balance());
		let _ = T::Currency::mint_into(worker, funds);
		if !Workers::<T>::contains_key(worker) {
			// The account's bytes stand in for a peer key: unique, and never dialled.
			let held = T::Currency::hold(&HoldReason::Stake.into(), worker, stake);
			let stake = if held.is_ok() { stake } else { 0 };
			Self::insert_worker(worker, <[u8; 32]>::from(worker.clone()), 0, stake);
		}
		let Services { shards: old, superseded } = Served::<T>::get(worker);
		let mut shards = old.clone();
		let shard = ServedShard { model: *model, layers };
		if !shards.contains(&shard) && shards.try_push(shard).is_ok() {
			shards.sort();
			Self::replace_served(worker, &old, Services { shards, superseded });
		}
	}
}

impl<T: Config> traits::Accountable for Pallet<T> {
	fn ensure_active(worker: &AccountId) -> DispatchResult {
		let info = Workers::<T>::get(worker).ok_or(Error::<T>::NotRegistered)?;
		match info.state {
			WorkerState::Active => (),
			WorkerState::Draining { .. } => return Err(Error::<T>::Draining.into()),
			WorkerState::Unbonding { .. } => return Err(Error::<T>::Unbonding.into()),
			WorkerState::Resting { .. } => return Err(Error::<T>::Resting.into()),
		}
		ensure!(info.stake >= T::MinimumStake::get(), Error::<T>::InsufficientStake);
		Ok(())
	}

	fn stake(worker: &AccountId) -> Balance {
		<Self as traits::Workers>::stake(worker)
	}

	fn slash(worker: &AccountId, amount: Balance, to: &AccountId) -> Balance {
		// A failure takes nothing, and there is nobody to tell: `to` exists, and no stake is 0 by
		// mistake.
		let moved = with_storage_layer::<_, DispatchError, _>(|| {
			Self::mutate(worker, |info| {
				let due = amount.min(info.stake);
				if due.is_zero() {
					return Ok((0, info.stake));
				}
				let moved = T::Currency::transfer_on_hold(
					&HoldReason::Stake.into(),
					worker,
					to,
					due,
					Precision::BestEffort,
					Restriction::Free,
					Fortitude::Force,
				)?;
				info.stake = info.stake.saturating_sub(moved);
				Ok((moved, info.stake))
			})
		});
		let Ok((amount, stake)) = moved else { return 0 };
		if !amount.is_zero() {
			Self::deposit_event(Event::Slashed { worker: worker.clone(), amount, stake });
		}
		amount
	}

	fn note_fault(worker: &AccountId) {
		let reputation = Workers::<T>::mutate(worker, |entry| {
			let info = entry.as_mut()?;
			info.reputation = reputation::fall(info.reputation, reputation::FAULT_FACTOR_PPM);
			Some(Self::faded(info))
		});
		if let Some(reputation) = reputation {
			Self::deposit_event(Event::ReputationCut { worker: worker.clone(), reputation });
		}
	}

	fn note_passed(worker: &AccountId) {
		Workers::<T>::mutate(worker, |entry| {
			if let Some(info) = entry {
				info.reputation = reputation::pass_audit(info.reputation);
			}
		});
	}

	#[cfg(feature = "runtime-benchmarks")]
	fn benchmark_stake(worker: &AccountId, stake: Balance) {
		use frame_support::traits::fungible::Mutate as _;
		let funds = stake.saturating_add(T::Currency::minimum_balance());
		let _ = T::Currency::mint_into(worker, funds);
		if T::Currency::hold(&HoldReason::Stake.into(), worker, stake).is_ok() {
			Self::insert_worker(worker, <[u8; 32]>::from(worker.clone()), 0, stake);
		}
	}
}

impl<T: Config> traits::WorkerRegistration for Pallet<T> {
	fn is_registered(worker: &AccountId) -> bool {
		Workers::<T>::contains_key(worker)
	}
}
