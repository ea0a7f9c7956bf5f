//! Benchmarks. Keys are made and used by host functions, so that they work in wasm too.

mod world;

use self::world::{anybody, closed_bucket, rich, set_block, World, NOW};
use super::*;
use crate::Pallet as Market;
use alloc::{boxed::Box, vec::Vec};
use aria_primitives::{
	query::Sampling,
	record::{Payment, MAX_STAGES},
	ticket::AuditMode,
	traits::Ledger,
	AccountId, BlockNumber, RecordId, ARIA,
};
use codec::{Decode, Encode};
use frame_benchmarking::v2::*;
use frame_support::{
	dispatch::DispatchResultWithPostInfo,
	traits::{fungible::Mutate, Get, Hooks, UnfilteredDispatchable},
};
use frame_system::RawOrigin;
use sp_runtime::DispatchError;

fn requester<T: Config>() -> AccountId {
	rich::<T>(account("requester", 0, 0))
}

#[benchmarks]
mod benchmarks {
	use super::*;

	#[benchmark]
	fn deposit() {
		let caller = requester::<T>();

		#[extrinsic_call]
		_(RawOrigin::Signed(caller.clone()), ARIA);

		assert_eq!(Escrows::<T>::get(&caller).held, ARIA);
	}

	#[benchmark]
	fn withdraw() {
		let caller = requester::<T>();
		Market::<T>::do_deposit(&caller, 2 * ARIA).unwrap();

		#[extrinsic_call]
		_(RawOrigin::Signed(caller.clone()), ARIA);

		assert_eq!(Escrows::<T>::get(&caller).held, ARIA);
	}

	#[benchmark]
	fn register_gateway() {
		let caller = rich::<T>(account("gateway", 0, 0));

		#[extrinsic_call]
		_(RawOrigin::Signed(caller.clone()));

		assert!(Gateways::<T>::contains_key(&caller));
	}

	#[benchmark]
	fn restore_gateway_stake() {
		use aria_primitives::traits::RecordFunds;
		let world = World::new::<T>(0);
		let slashed = Pallet::<T>::slash_gateway(&world.gateway, 1_000_000_000, &world.gateway);

		#[extrinsic_call]
		_(RawOrigin::Signed(world.gateway.clone()));

		assert!(slashed > 0);
		assert!(Gateways::<T>::get(&world.gateway)
			.is_some_and(|info| info.stake == T::GatewayStake::get()));
	}

	#[benchmark]
	fn raise_gateway_stake() {
		let world = World::new::<T>(0);

		#[extrinsic_call]
		_(RawOrigin::Signed(world.gateway.clone()), ARIA);

		let raised = T::GatewayStake::get().saturating_add(ARIA);
		assert!(Gateways::<T>::get(&world.gateway).is_some_and(|info| info.stake == raised));
	}

	#[benchmark]
	fn unbond_gateway() {
		let world = World::new::<T>(0);

		#[extrinsic_call]
		_(RawOrigin::Signed(world.gateway.clone()));

		assert!(Gateways::<T>::get(&world.gateway)
			.is_some_and(|info| info.state != GatewayState::Active));
	}

	#[benchmark]
	fn withdraw_gateway_stake() {
		let world = World::new::<T>(0);
		Market::<T>::do_unbond_gateway(&world.gateway).unwrap();
		set_block::<T>(NOW + T::GatewayUnbonding::get());

		#[extrinsic_call]
		_(RawOrigin::Signed(world.gateway.clone()));

		assert!(!Gateways::<T>::contains_key(&world.gateway));
	}

	#[benchmark]
	fn register_key() {
		// Every place of the caller is taken by a key that may be forgotten.
		let world = World::new::<T>(0);
		let caller = rich::<T>(account("caller", 0, 0));
		let register = |key: AccountId| {
			Market::<T>::do_register_key(
				caller.clone(),
				key,
				world.gateway.clone(),
				ARIA,
				ARIA,
				BlockNumber::MAX,
			)
		};
		for index in 0..T::MaxKeysPerRequester::get() {
			let key: AccountId = account("key", index, 0);
			register(key.clone()).unwrap();
			Market::<T>::do_revoke_key(&caller, key).unwrap();
		}
		set_block::<T>(NOW + T::MaxTicketLifetime::get() + 1);
		let key: AccountId = account("new key", 0, 0);

		#[extrinsic_call]
		_(
			RawOrigin::Signed(caller.clone()),
			key.clone(),
			world.gateway.clone(),
			ARIA,
			ARIA,
			BlockNumber::MAX,
		);

		assert!(Keys::<T>::contains_key(&key));
		assert_eq!(KeysOf::<T>::get(&caller).len(), 1);
	}

	#[benchmark]
	fn update_key() {
		let world = World::new::<T>(0);
		let key: AccountId = world.case().key.into();
		let requester = world.case().requester.clone();

		#[extrinsic_call]
		_(RawOrigin::Signed(requester), key.clone(), 1, 1, BlockNumber::MAX);

		assert_eq!(Keys::<T>::get(&key).map(|info| info.allowance), Some(1));
	}

	#[benchmark]
	fn revoke_key() {
		let world = World::new::<T>(0);
		let key: AccountId = world.case().key.into();
		let requester = world.case().requester.clone();
		for index in 1..T::MaxKeysPerRequester::get() {
			let (requester, gateway) = (requester.clone(), world.gateway.clone());
			let other = account("key", index, 0);
			let expiry = BlockNumber::MAX;
			Market::<T>::do_register_key(requester, other, gateway, 1, 1, expiry).unwrap();
		}

		#[extrinsic_call]
		_(RawOrigin::Signed(requester), key.clone());

		assert!(Keys::<T>::get(&key).is_some_and(|info| info.revoked));
	}

	#[benchmark]
	fn settle(s: Linear<1, { MAX_STAGES }>) {
		let settlement = World::new::<T>(s).ticketed();
		let id = settlement.id;

		#[extrinsic_call]
		_(RawOrigin::Signed(anybody()), Box::new(settlement));

		assert!(T::Ledger::contains(&id));
	}

	#[benchmark]
	fn settle_request(s: Linear<1, { MAX_STAGES }>) {
		let world = World::new::<T>(s);
		let asked = world.request::<T>(world.case().requester.clone());
		world.crowd::<T>();
		Market::<T>::do_match_request(world.gateway.clone(), asked, world.matched()).unwrap();
		let body = world.case().body(&world.workers, asked);
		let settlement = world.settlement(body, Payment::Request(asked));
		let id = settlement.id;

		#[extrinsic_call]
		settle(RawOrigin::Signed(anybody()), Box::new(settlement));

		assert!(T::Ledger::contains(&id));
	}

	/// The largest settlement of a record that is settled already.
	#[benchmark]
	fn settle_again() {
		let settlement = Box::new(World::new::<T>(MAX_STAGES).ticketed());
		Market::<T>::settle(RawOrigin::Signed(anybody()).into(), settlement.clone()).unwrap();
		let call = Call::<T>::settle { settlement }.encode();
		let result: DispatchResultWithPostInfo;

		#[block]
		{
			// As an extrinsic is: a call that succeeds is measured with its decoding too.
			let call = Call::<T>::decode(&mut call.as_slice()).unwrap();
			result = call.dispatch_bypass_filter(RawOrigin::Signed(anybody()).into());
		}

		let refused = result.unwrap_err();
		assert_eq!(refused.error, DispatchError::from(Error::<T>::AlreadySettled));
	}

	/// `k` signers (the gateway and workers), `n` entries, `s` stages beyond the first of each entry
	/// that signed, `u` stages that did not.
	///
	/// Every entry has a requester, key, model, query, output and anchor of its own, every signer
	/// but the gateway is a worker of its own, and so is everybody who did not sign. Ranges are such
	/// that each worker that signs has a stage at every point, and no two in one record.
	#[benchmark]
	fn settle_batch(k: Linear<4, 25>, n: Linear<8, 24>, s: Linear<0, 31>, u: Linear<0, 24>) {
		let batch = World::batch::<T>(k, n, s, u);
		assert_eq!(Market::<T>::batch_weight(&batch), T::WeightInfo::settle_batch(k, n, s, u));
		let ids: Vec<RecordId> = batch.entries.iter().map(|entry| entry.id).collect();

		#[extrinsic_call]
		_(RawOrigin::Signed(anybody()), Box::new(batch));

		for id in ids {
			assert!(T::Ledger::contains(&id));
		}
	}

	#[benchmark]
	fn release() {
		let world = World::new::<T>(1);
		let payee = closed_bucket::<T>(&world, 1).remove(0);

		#[extrinsic_call]
		_(RawOrigin::Signed(anybody()), 0, payee.clone());

		assert!(!Unvested::<T>::contains_key(0, &payee));
		assert!(!Unclaimed::<T>::contains_key(&payee));
	}

	#[benchmark]
	fn claim() {
		let world = World::new::<T>(1);
		let payee: AccountId = world.workers[0].account();
		T::Currency::mint_into(&Market::<T>::pot(), ARIA).unwrap();
		Unclaimed::<T>::insert(&payee, ARIA);

		#[extrinsic_call]
		_(RawOrigin::Signed(anybody()), payee.clone());

		assert!(!Unclaimed::<T>::contains_key(&payee));
	}

	#[benchmark]
	fn request(p: Linear<1, { MAX_PROMPT_BYTES }>) {
		let world = World::new::<T>(0);
		let caller = rich::<T>(account("caller", 0, 0));
		world.crowd::<T>();
		let text = alloc::vec![b'a'; p as usize];
		let deadline = NOW + T::RequestDeadlineMax::get();

		#[extrinsic_call]
		_(
			RawOrigin::Signed(caller.clone()),
			world.case().model,
			RequestPrompt::Text(text.try_into().unwrap()),
			Sampling::GREEDY,
			10,
			ARIA,
			deadline,
			AuditMode::Any,
		);

		assert_eq!(Escrows::<T>::get(&caller).reserved, ARIA);
	}

	#[benchmark]
	fn match_request(s: Linear<1, { MAX_STAGES }>) {
		let world = World::new::<T>(s);
		let id = world.request::<T>(world.case().requester.clone());

		#[extrinsic_call]
		_(RawOrigin::Signed(world.gateway.clone()), id, world.matched());

		assert!(Requests::<T>::get(id).is_some_and(|kept| !kept.is_open(NOW)));
	}

	#[benchmark]
	fn cancel_request() {
		let world = World::new::<T>(0);
		let requester = world.case().requester.clone();
		let id = world.request::<T>(requester.clone());
		world.crowd::<T>();

		#[extrinsic_call]
		_(RawOrigin::Signed(requester), id);

		assert!(!Requests::<T>::contains_key(id));
	}

	/// `r` requests of as many requesters meet their deadline.
	#[benchmark]
	fn expire_requests(r: Linear<0, { T::MaxOpenRequestsPerBlock::get() }>) {
		let world = World::new::<T>(0);
		for index in 0..r {
			world.request::<T>(rich::<T>(account("other", index, 0)));
		}
		let deadline = NOW + T::RequestDeadlineMax::get();

		#[block]
		{
			Market::<T>::on_initialize(deadline.into());
		}

		assert_eq!(Requests::<T>::iter().count(), 0);
	}

	/// `r` payments out of a closed bucket.
	#[benchmark]
	fn drain(r: Linear<0, { T::MaxReleasesPerBlock::get() }>) {
		let world = World::new::<T>(r.min(MAX_STAGES));
		let payees = closed_bucket::<T>(&world, r);

		#[block]
		{
			Market::<T>::drain(r);
		}

		for payee in payees {
			assert!(!Unvested::<T>::contains_key(0, &payee));
		}
	}

	impl_benchmark_test_suite!(Market, crate::mock::new_test_ext(), crate::mock::Test);
}
