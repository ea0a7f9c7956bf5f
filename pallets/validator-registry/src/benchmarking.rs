//! Benchmarks, each of the worst case of its call. None needs session keys: what they would add is a
//! read a candidate, which is counted.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use alloc::{collections::BTreeMap, vec, vec::Vec};
use aria_primitives::{
	traits::{AuditDraw, LotteryWork},
	AccountId, Balance, EpochIndex,
};
use frame_benchmarking::v2::*;
use frame_support::{
	traits::{
		fungible::{hold::Mutate as _, Inspect, Mutate},
		ConstU32, Get,
	},
	BoundedVec,
};
use frame_system::RawOrigin;
use sp_runtime::Perbill;
use sp_staking::{
	offence::{OffenceDetails, OnOffenceHandler},
	SessionIndex,
};

/// Sessions over which work has faded.
const MANY_SESSIONS: SessionIndex = 63;

/// The minimum stake, or a small one where there is none.
fn stake<T: Config>() -> Balance {
	T::MinimumStake::get().max(CurrencyOf::<T>::minimum_balance()).max(1)
}

fn fund<T: Config>(who: &AccountId) {
	let funds = stake::<T>()
		.saturating_mul(10)
		.saturating_add(CurrencyOf::<T>::minimum_balance().saturating_mul(10));
	CurrencyOf::<T>::mint_into(who, funds).expect("a benchmark account can be funded");
}

fn funded<T: Config>() -> AccountId {
	let caller: AccountId = whitelisted_caller();
	fund::<T>(&caller);
	caller
}

/// Makes an account a candidate with the minimum stake.
fn seat<T: Config>(who: &AccountId) {
	let amount = stake::<T>();
	fund::<T>(who);
	CurrencyOf::<T>::hold(&HoldReason::Stake.into(), who, amount).expect("it is funded");
	Pallet::<T>::admit(who, amount, None).expect("there is a place");
	Validators::<T>::insert(who, ValidatorInfo::new(amount, false, 0));
}

/// Replaces all candidates by `count` new ones.
fn seat_many<T: Config>(count: u32) -> Vec<AccountId> {
	Candidates::<T>::kill();
	let seated: Vec<AccountId> = (0..count).map(|index| account("candidate", index, 0)).collect();
	seated.iter().for_each(seat::<T>);
	seated
}

/// A candidate among as many others as there may be.
fn candidate<T: Config>() -> AccountId {
	seat_many::<T>(T::MaxCandidates::get().saturating_sub(1));
	let caller: AccountId = whitelisted_caller();
	seat::<T>(&caller);
	caller
}

/// Marks a validator as chilled, and frees its place.
fn chilled<T: Config>() -> AccountId {
	let caller = candidate::<T>();
	Pallet::<T>::chill(RawOrigin::Signed(caller.clone()).into()).expect("it is a candidate");
	caller
}

/// Gives the validator as many accepted links as it may have.
fn link_all<T: Config>(validator: &AccountId, count: u32) -> Vec<AccountId> {
	let workers: Vec<AccountId> = (0..count).map(|index| account("worker", index, 0)).collect();
	let links = workers
		.iter()
		.map(|worker| {
			ValidatorOf::<T>::insert(worker, validator);
			Link { worker: worker.clone(), accepted: true }
		})
		.collect::<Vec<_>>();
	Links::<T>::insert(validator, BoundedVec::truncate_from(links));
	workers
}

/// Gives the validator as many notes of offences as are kept, of the first sessions.
fn note_most_offences<T: Config>(validator: &AccountId) {
	let note = OffenceNote { base: 1, fraction: Perbill::one() };
	let notes: BTreeMap<SessionIndex, OffenceNote> =
		(0..MAX_OFFENCE_NOTES).map(|session| (session, note.clone())).collect();
	Offences::<T>::insert(validator, OffenceNotes::try_from(notes).expect("as many as fit"));
}

#[benchmarks]
mod benchmarks {
	use super::*;

	#[benchmark]
	fn register_candidate() {
		seat_many::<T>(T::MaxCandidates::get());
		let caller = funded::<T>();
		let amount = stake::<T>().saturating_add(1);

		#[extrinsic_call]
		_(RawOrigin::Signed(caller.clone()), amount);

		assert!(Candidates::<T>::get().contains_key(&caller));
	}

	#[benchmark]
	fn bond_more() {
		let caller = candidate::<T>();

		#[extrinsic_call]
		_(RawOrigin::Signed(caller.clone()), 1);

		assert_eq!(Candidates::<T>::get().get(&caller), Some(&stake::<T>().saturating_add(1)));
	}

	#[benchmark]
	fn chill() {
		let caller = candidate::<T>();

		#[extrinsic_call]
		_(RawOrigin::Signed(caller.clone()));

		assert!(!Candidates::<T>::get().contains_key(&caller));
	}

	#[benchmark]
	fn resume() {
		let caller = chilled::<T>();
		// The place it left is taken, by one that it outbids.
		seat::<T>(&account("candidate", T::MaxCandidates::get(), 0));
		Pallet::<T>::bond_more(RawOrigin::Signed(caller.clone()).into(), 1).expect("it has funds");

		#[extrinsic_call]
		_(RawOrigin::Signed(caller.clone()));

		assert!(Candidates::<T>::get().contains_key(&caller));
	}

	#[benchmark]
	fn unbond() {
		let caller = candidate::<T>();

		#[extrinsic_call]
		_(RawOrigin::Signed(caller.clone()));

		assert!(!Candidates::<T>::get().contains_key(&caller));
	}

	#[benchmark]
	fn withdraw() {
		let caller = candidate::<T>();
		link_all::<T>(&caller, T::MaxLinkedWorkers::get());
		note_most_offences::<T>(&caller);
		Pallet::<T>::unbond(RawOrigin::Signed(caller.clone()).into()).expect("it is a candidate");
		let unlocked = Pallet::<T>::now().saturating_add(T::UnbondingPeriod::get());
		frame_system::Pallet::<T>::set_block_number(unlocked.into());

		#[extrinsic_call]
		_(RawOrigin::Signed(caller.clone()));

		assert!(!Validators::<T>::contains_key(&caller));
	}

	#[benchmark]
	fn link_worker() {
		let caller = candidate::<T>();
		link_all::<T>(&caller, T::MaxLinkedWorkers::get().saturating_sub(1));
		let worker: AccountId = account("newcomer", 0, 0);
		T::BenchmarkHelper::register_worker(&worker);

		#[extrinsic_call]
		_(RawOrigin::Signed(caller.clone()), worker);

		assert_eq!(Links::<T>::get(&caller).len() as u32, T::MaxLinkedWorkers::get());
	}

	#[benchmark]
	fn accept_link() {
		let validator: AccountId = account("validator", 0, 0);
		seat_many::<T>(0);
		seat::<T>(&validator);
		link_all::<T>(&validator, T::MaxLinkedWorkers::get().saturating_sub(1));
		let caller: AccountId = whitelisted_caller();
		T::BenchmarkHelper::register_worker(&caller);
		Pallet::<T>::link_worker(RawOrigin::Signed(validator.clone()).into(), caller.clone())
			.expect("the worker is free");

		#[extrinsic_call]
		_(RawOrigin::Signed(caller.clone()), validator.clone());

		assert_eq!(ValidatorOf::<T>::get(&caller), Some(validator));
	}

	#[benchmark]
	fn unlink() {
		let caller = candidate::<T>();
		let workers = link_all::<T>(&caller, T::MaxLinkedWorkers::get());
		let worker = workers.first().cloned().expect("there is a place for a link");

		#[extrinsic_call]
		_(RawOrigin::Signed(caller.clone()), caller.clone(), worker.clone());

		assert!(!ValidatorOf::<T>::contains_key(&worker));
	}

	#[benchmark]
	fn heartbeat() {
		let caller = candidate::<T>();
		let mut active: Vec<AccountId> =
			(1..T::MaxValidators::get()).map(|index| account("candidate", index, 0)).collect();
		active.push(caller.clone());
		pallet_session::Validators::<T>::put(active);

		#[extrinsic_call]
		_(RawOrigin::Signed(caller.clone()));

		assert!(Validators::<T>::get(&caller).is_some_and(|info| info.heartbeat.is_some()));
	}

	#[benchmark]
	fn note_author() {
		let author = candidate::<T>();

		#[block]
		{
			Pallet::<T>::note_author(&author);
		}

		assert!(Validators::<T>::get(&author).is_some_and(|info| info.seen.is_some()));
	}

	/// Linear in `c`, the candidates.
	#[benchmark]
	fn new_session(c: Linear<1, { T::MaxCandidates::get() }>) {
		seat_many::<T>(c);
		let chosen;

		#[block]
		{
			chosen = Pallet::<T>::plan(7);
		}

		assert!(chosen.is_none());
	}

	/// Linear in `v`, the validators of the session, all of them silent.
	#[benchmark]
	fn end_session(v: Linear<1, { T::MaxValidators::get() }>) {
		let active = seat_many::<T>(v);
		pallet_session::Validators::<T>::put(active.clone());

		#[block]
		{
			Pallet::<T>::close(7);
		}

		for validator in active {
			assert!(Validators::<T>::get(&validator).is_some_and(|info| info.absences == 1));
		}
	}

	/// Linear in `o`, the offenders, all of them active and with as many notes as are kept.
	#[benchmark]
	fn on_offence(o: Linear<1, { T::MaxValidators::get() }>) {
		let active = seat_many::<T>(T::MaxValidators::get());
		pallet_session::Validators::<T>::put(active.clone());
		active.iter().for_each(note_most_offences::<T>);
		let offenders: Vec<OffenceDetails<AccountId, (AccountId, ())>> = active
			.into_iter()
			.take(o as usize)
			.map(|validator| OffenceDetails { offender: (validator, ()), reporters: vec![] })
			.collect();
		let fractions = vec![Perbill::from_percent(50); o as usize];

		#[block]
		{
			<Pallet<T> as OnOffenceHandler<_, _, _>>::on_offence(
				&offenders,
				&fractions,
				MAX_OFFENCE_NOTES,
			);
		}

		for details in offenders {
			let stake_left = Validators::<T>::get(&details.offender.0).map(|info| info.stake);
			assert!(stake_left.is_some_and(|left| left < stake::<T>()));
		}
	}

	#[benchmark]
	fn note_work() {
		let validator: AccountId = account("validator", 0, 0);
		let worker: AccountId = account("worker", 0, 0);
		ValidatorOf::<T>::insert(&worker, &validator);

		#[block]
		{
			<Pallet<T> as LotteryWork>::note_work(&worker, 1_000_000);
		}

		assert!(WaitingWork::<T>::contains_key(T::Audit::current_epoch(), &worker));
	}

	/// Linear in `n`, the workers, whose validators all differ as far as there are places.
	#[benchmark]
	fn count_work(n: Linear<0, { T::MaxWorkPerBlock::get() }>) {
		const EPOCH: EpochIndex = 0;
		pallet_session::CurrentIndex::<T>::put(MANY_SESSIONS);
		WorkEpochs::<T>::put(BoundedVec::<_, ConstU32<MAX_WORK_EPOCHS>>::truncate_from(vec![
			EPOCH,
		]));
		let validators = seat_many::<T>(n.min(T::MaxCandidates::get()));
		for (index, validator) in (0..n).zip(validators.iter().cycle()) {
			let worker: AccountId = account("worker", index, 0);
			let pending = PendingWork { validator: validator.clone(), work: 1_000_000 };
			WaitingWork::<T>::insert(EPOCH, &worker, pending);
			VerifiedWorkOf::<T>::insert(validator, VerifiedWork { sum: u128::MAX, session: 0 });
		}
		let counted;

		#[block]
		{
			counted = Pallet::<T>::count_epoch(EPOCH);
		}

		assert_eq!(counted, n);
	}

	/// Linear in `v`, the validators of the next session, whose weights all change.
	#[benchmark]
	fn announce_weights(v: Linear<1, { T::MaxValidators::get() }>) {
		pallet_session::CurrentIndex::<T>::put(MANY_SESSIONS);
		let validators = seat_many::<T>(v);
		let before: Vec<(AccountId, u64)> = validators.iter().cloned().zip(1..).collect();
		SlotWeights::<T>::put(BoundedVec::<_, T::MaxValidators>::truncate_from(before));
		for (index, validator) in (0u128..).zip(&validators) {
			let sum = u128::MAX >> (index % 64);
			VerifiedWorkOf::<T>::insert(validator, VerifiedWork { sum, session: 0 });
		}
		let weights;

		#[block]
		{
			weights = Pallet::<T>::announce_weights(&validators);
		}

		assert_eq!(weights.len(), v as usize);
		assert!(weights.iter().all(|weight| *weight > 0));
	}

	impl_benchmark_test_suite!(Pallet, crate::mock::new_test_ext(), crate::mock::Test);
}
