//! Benchmarks, each of the worst case of its call.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use alloc::vec::Vec;
use aria_primitives::{
	hashing,
	record::LayerRange,
	traits::{Consents, Models, Offer, Workers as _},
	uptime::answer_message,
	AccountId, Balance, BlockNumber, EraIndex, ModelId, ARIA, PPM,
};
use frame_benchmarking::v2::*;
use frame_support::{
	traits::{
		fungible::{Inspect, Mutate},
		EnsureOrigin, Get,
	},
	BoundedVec,
};
use frame_system::{pallet_prelude::BlockNumberFor, RawOrigin};
use sp_core::{ed25519, H256};

/// Any price that is one.
const OFFER: Offer = Offer { prompt_price: 1, cached_price: 1, output_price: 1 };

/// An account that can pay any stake here.
fn funded<T: Config>() -> AccountId {
	let caller: AccountId = whitelisted_caller();
	let funds = T::TargetStake::get()
		.saturating_mul(4)
		.saturating_add(T::Currency::minimum_balance().saturating_mul(10))
		.saturating_add(ARIA);
	T::Currency::mint_into(&caller, funds).expect("benchmark account can be funded");
	caller
}

/// A new peer key and its signature for the account.
fn bound_peer<T: Config>(account: &AccountId) -> (PeerKey, PeerSignature) {
	let public = sp_io::crypto::ed25519_generate(0.into(), None);
	let message = hashing::peer_binding(&Pallet::<T>::genesis(), account);
	let signature: ed25519::Signature =
		sp_io::crypto::ed25519_sign(0.into(), &public, message.as_bytes())
			.expect("the key was made above");
	(public.into(), signature.into())
}

fn registered<T: Config>() -> AccountId {
	registered_with_peer::<T>().0
}

/// A worker and its peer key.
fn registered_with_peer<T: Config>() -> (AccountId, PeerKey) {
	let caller = funded::<T>();
	let (peer, signature) = bound_peer::<T>(&caller);
	let stake: Balance = T::MinimumStake::get();
	Pallet::<T>::register_worker(
		RawOrigin::Signed(caller.clone()).into(),
		peer,
		signature,
		756,
		stake,
	)
	.expect("benchmark worker can be registered");
	(caller, peer)
}

/// Has a worker tallies of as many eras as are kept, so that the next one makes room.
fn full_tallies<T: Config>(worker: &AccountId) {
	let era: EraIndex = T::Era::get();
	let tallies: Vec<EraTally> = (0..TALLIES)
		.map(|index| EraTally { era: index, answered: 1, missed: 2, rests: 3 })
		.filter(|tally| tally.era < era)
		.collect();
	Attendances::<T>::insert(worker, Tallies::truncate_from(tallies));
}

/// So many workers that may be asked, in the first places of the roster.
fn askable<T: Config>(count: u32) -> Vec<AccountId> {
	(0..count)
		.map(|index| {
			let worker: AccountId = account("worker", index, 0);
			let layers = LayerRange { first: 0, end: 1 };
			Pallet::<T>::benchmark_worker(&worker, &H256::repeat_byte(1), layers);
			T::Consents::benchmark_consent(&worker);
			full_tallies::<T>(&worker);
			worker
		})
		.collect()
}

/// The block from which on challenges of `now` are over.
fn closes_at<T: Config>(now: BlockNumber) -> BlockNumber {
	now.saturating_add(T::Uptime::get().window).saturating_add(1)
}

/// Makes the worker serve as many models as it can, as it did before, and lets it drop them.
fn serve_all<T: Config>(worker: &AccountId) {
	let mut shards: Vec<ServedShard> = (0..T::MaxServed::get())
		.map(|index| ServedShard {
			model: H256(sp_io::hashing::sha2_256(&index.to_le_bytes())),
			layers: LayerRange { first: 0, end: 1 },
		})
		.collect();
	shards.sort();
	let shards: ShardsOf<T> = BoundedVec::truncate_from(shards);
	let at = Pallet::<T>::now();
	let superseded = Some(Superseded { shards: shards.clone(), at });
	Pallet::<T>::replace_served(worker, &[], Services { shards, superseded });
	let free = at.saturating_add(T::ServedGrace::get());
	frame_system::Pallet::<T>::set_block_number(free.into());
}

#[benchmarks]
mod benchmarks {
	use super::*;

	#[benchmark]
	fn register_worker() {
		let caller = funded::<T>();
		let (peer, signature) = bound_peer::<T>(&caller);
		let stake = T::MinimumStake::get();

		#[extrinsic_call]
		_(RawOrigin::Signed(caller.clone()), peer, signature, 756, stake);

		assert_eq!(Peers::<T>::get(peer), Some(caller));
	}

	#[benchmark]
	fn bond_more() {
		let caller = registered::<T>();

		#[extrinsic_call]
		_(RawOrigin::Signed(caller.clone()), ARIA);

		let stake = Pallet::<T>::info(&caller).map(|info| info.stake);
		assert_eq!(stake, Some(T::MinimumStake::get().saturating_add(ARIA)));
	}

	/// Linear in `s`, the shards that the worker serves from now on; it served as many as it may.
	#[benchmark]
	fn set_served(s: Linear<0, { T::MaxServed::get() }>) {
		let caller = registered::<T>();
		serve_all::<T>(&caller);
		let shards: Vec<ServedShard> = (1..=s)
			.map(|layers| {
				let layers = layers as u16;
				// The number of layers sets the models apart.
				let model: ModelId = T::Models::benchmark_model(layers, &caller, OFFER);
				ServedShard { model, layers: LayerRange { first: 0, end: layers } }
			})
			.collect();
		let shards = BoundedVec::truncate_from(shards);

		#[extrinsic_call]
		_(RawOrigin::Signed(caller.clone()), shards);

		assert_eq!(Served::<T>::get(&caller).shards.len() as u32, s);
	}

	#[benchmark]
	fn set_region() {
		let caller = registered::<T>();

		#[extrinsic_call]
		_(RawOrigin::Signed(caller.clone()), 276);

		assert_eq!(Pallet::<T>::info(&caller).map(|info| info.region), Some(276));
	}

	#[benchmark]
	fn rotate_peer() {
		let caller = registered::<T>();
		let (peer, signature) = bound_peer::<T>(&caller);

		#[extrinsic_call]
		_(RawOrigin::Signed(caller.clone()), peer, signature);

		assert_eq!(Pallet::<T>::peer_of(&caller), Some(peer));
	}

	#[benchmark]
	fn drain() {
		let caller = registered::<T>();

		#[extrinsic_call]
		_(RawOrigin::Signed(caller.clone()));

		let state = Pallet::<T>::info(&caller).map(|info| info.state);
		assert!(matches!(state, Some(WorkerState::Draining { .. })));
	}

	#[benchmark]
	fn resume() {
		let caller = registered::<T>();
		Pallet::<T>::drain(RawOrigin::Signed(caller.clone()).into()).expect("it is active");
		Pallet::<T>::unbond(RawOrigin::Signed(caller.clone()).into()).expect("it drains");

		#[extrinsic_call]
		_(RawOrigin::Signed(caller.clone()));

		let state = Pallet::<T>::info(&caller).map(|info| info.state);
		assert_eq!(state, Some(WorkerState::Active));
	}

	#[benchmark]
	fn unbond() {
		let caller = registered::<T>();
		Pallet::<T>::drain(RawOrigin::Signed(caller.clone()).into()).expect("it is active");

		#[extrinsic_call]
		_(RawOrigin::Signed(caller.clone()));

		let state = Pallet::<T>::info(&caller).map(|info| info.state);
		assert!(matches!(state, Some(WorkerState::Unbonding { .. })));
	}

	#[benchmark]
	fn withdraw() {
		let caller = registered::<T>();
		serve_all::<T>(&caller);
		Pallet::<T>::drain(RawOrigin::Signed(caller.clone()).into()).expect("it is active");
		Pallet::<T>::unbond(RawOrigin::Signed(caller.clone()).into()).expect("it drains");
		let unlocked = Pallet::<T>::now().saturating_add(T::UnbondingPeriod::get());
		frame_system::Pallet::<T>::set_block_number(unlocked.into());

		#[extrinsic_call]
		_(RawOrigin::Signed(caller.clone()));

		assert!(!Workers::<T>::contains_key(&caller));
	}

	#[benchmark]
	fn punish() -> Result<(), BenchmarkError> {
		let worker = registered::<T>();
		let origin =
			T::PunishOrigin::try_successful_origin().map_err(|()| BenchmarkError::Weightless)?;

		#[extrinsic_call]
		_(origin as T::RuntimeOrigin, worker.clone(), PPM / 2);

		let stake = Pallet::<T>::info(&worker).map(|info| info.stake).unwrap_or_default();
		assert!(stake <= T::MinimumStake::get());
		Ok(())
	}

	#[benchmark]
	fn rest() {
		let (caller, _) = registered_with_peer::<T>();
		full_tallies::<T>(&caller);
		let now = Pallet::<T>::now();
		Challenges::<T>::insert(&caller, Challenge { asked_at: now, closes: closes_at::<T>(now) });

		#[extrinsic_call]
		_(RawOrigin::Signed(caller.clone()));

		let state = Pallet::<T>::info(&caller).map(|info| info.state);
		assert!(matches!(state, Some(WorkerState::Resting { .. })));
	}

	#[benchmark]
	fn answer() {
		let (caller, peer) = registered_with_peer::<T>();
		full_tallies::<T>(&caller);
		let asked_at = Pallet::<T>::now();
		let closes = closes_at::<T>(asked_at);
		Challenges::<T>::insert(&caller, Challenge { asked_at, closes });
		frame_system::Pallet::<T>::set_block_number(asked_at.saturating_add(1).into());
		let block = H256::repeat_byte(7);
		frame_system::BlockHash::<T>::insert(BlockNumberFor::<T>::from(asked_at), block);
		let message = answer_message(&Pallet::<T>::genesis(), &caller, asked_at, &block);
		let signature: ed25519::Signature = sp_io::crypto::ed25519_sign(
			0.into(),
			&ed25519::Public::from_raw(peer),
			message.as_bytes(),
		)
		.expect("the key was made above");

		#[extrinsic_call]
		_(RawOrigin::Signed(caller.clone()), signature.into());

		assert!(!Challenges::<T>::contains_key(&caller));
	}

	/// Linear in `n`, the workers that the block asks.
	#[benchmark]
	fn ask(n: Linear<0, { MAX_ASKED }>) {
		let _ = askable::<T>(n);
		let now = Pallet::<T>::now();
		let closes = closes_at::<T>(now);

		#[block]
		{
			// What decides whom is read and computed for each in any case.
			let _ = (RosterSize::<T>::get(), T::Uptime::get());
			let beacon = T::Beacon::get();
			let places = (0..n).filter(|place| crate::challenges::lot(&beacon, *place) >= 1);
			Pallet::<T>::ask(now, closes, places);
		}

		assert_eq!(Closing::<T>::get(closes).len() as u32, n);
	}

	/// Linear in `n`, the challenges that the block closes, none of which was answered.
	#[benchmark]
	fn close(n: Linear<0, { MAX_ASKED }>) {
		let workers = askable::<T>(n);
		let now = Pallet::<T>::now();
		let closes = closes_at::<T>(now);
		Pallet::<T>::ask(now, closes, 0..n);
		frame_system::Pallet::<T>::set_block_number(closes.into());

		#[block]
		{
			Pallet::<T>::close_challenges(closes);
		}

		assert!(workers.iter().all(|worker| {
			let state = Pallet::<T>::info(worker).map(|info| info.state);
			matches!(state, Some(WorkerState::Resting { .. }))
		}));
	}

	impl_benchmark_test_suite!(Pallet, crate::mock::new_test_ext(), crate::mock::Test);
}
