//! Benchmarks of the calls, each in its most expensive case.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use crate::{Call, Config, Current, Histories, Pallet, Versions};
use alloc::vec;
use aria_primitives::{
	consent::{Consent, RewardMode, RewardPreference, Schedule, TaskType, Window, MAX_WINDOWS},
	AccountId, BlockNumber,
};
use frame_benchmarking::v2::*;
use frame_support::traits::{
	fungible::{Inspect, Mutate},
	Get,
};
use frame_system::RawOrigin;
use sp_runtime::BoundedVec;

/// Gives the worker what deposits for all its versions cost, twice.
pub(crate) fn fund<T: Config>(worker: &AccountId) {
	let amount = Pallet::<T>::deposit_for(T::MaxVersions::get())
		.saturating_add(T::Currency::minimum_balance())
		.saturating_mul(2);
	T::Currency::mint_into(worker, amount).expect("an account can be funded");
}

/// A consent that permits everything and is as long as one can be; only the last window is wide.
pub(crate) fn widest(payout: &AccountId, cpu_percent: u8) -> Consent {
	let mut windows = BoundedVec::new();
	for from in 1..MAX_WINDOWS as u16 {
		windows.try_push(Window { from, to: from + 1 }).expect("below the bound");
	}
	windows.try_push(Window::ALL_DAY).expect("at the bound");
	let tasks = vec![TaskType::TextGeneration, TaskType::Embedding, TaskType::Audit];
	Consent {
		cpu_percent,
		schedule: Schedule { days: Schedule::ALL_DAYS, utc_offset_minutes: 0, windows },
		task_types: BoundedVec::truncate_from(tasks),
		max_bandwidth_mbps: 1_000,
		max_memory_mb: 65_536,
		reward_preference: RewardPreference {
			payout: payout.clone(),
			minimum_price: 0,
			mode: RewardMode::Keep,
		},
	}
}

/// A funded worker with that many versions, the last of them in force.
fn worker_with<T: Config>(versions: u32) -> AccountId {
	let worker: AccountId = whitelisted_caller();
	fund::<T>(&worker);
	for version in 0..versions {
		let consent = widest(&worker, 1 + (version % 2) as u8);
		if version == 0 {
			Pallet::<T>::do_set(worker.clone(), consent).expect("nothing is in force");
		} else {
			Pallet::<T>::do_update(worker.clone(), consent).expect("the terms differ");
		}
	}
	worker
}

fn pass<T: Config>(blocks: BlockNumber) {
	let then = Pallet::<T>::now() + blocks;
	frame_system::Pallet::<T>::set_block_number(then.into());
}

#[benchmarks]
mod benchmarks {
	use super::*;

	#[benchmark]
	fn set_consent() -> Result<(), BenchmarkError> {
		let worker = worker_with::<T>(T::MaxVersions::get());
		Pallet::<T>::do_withdraw(worker.clone())?;
		pass::<T>(T::HistoryPeriod::get());
		let consent = widest(&worker, 50);

		#[extrinsic_call]
		_(RawOrigin::Signed(worker.clone()), consent);

		assert_eq!(Current::<T>::get(&worker), Some(T::MaxVersions::get() + 1));
		assert!(!Versions::<T>::contains_key(&worker, 1));
		Ok(())
	}

	#[benchmark]
	fn update_consent() -> Result<(), BenchmarkError> {
		let worker = worker_with::<T>(T::MaxVersions::get());
		pass::<T>(T::HistoryPeriod::get());
		let consent = widest(&worker, 50);

		#[extrinsic_call]
		_(RawOrigin::Signed(worker.clone()), consent);

		assert_eq!(Current::<T>::get(&worker), Some(T::MaxVersions::get() + 1));
		assert!(!Versions::<T>::contains_key(&worker, 1));
		Ok(())
	}

	#[benchmark]
	fn withdraw_consent() -> Result<(), BenchmarkError> {
		let worker = worker_with::<T>(T::MaxVersions::get());

		#[extrinsic_call]
		_(RawOrigin::Signed(worker.clone()));

		assert!(!Current::<T>::contains_key(&worker));
		Ok(())
	}

	#[benchmark]
	fn prune(v: Linear<1, { T::MaxVersions::get() }>) -> Result<(), BenchmarkError> {
		let worker = worker_with::<T>(v);
		Pallet::<T>::do_withdraw(worker.clone())?;
		pass::<T>(T::HistoryPeriod::get());
		let anybody: AccountId = account("anybody", 0, 0);

		#[extrinsic_call]
		_(RawOrigin::Signed(anybody), worker.clone());

		assert_eq!(Histories::<T>::get(&worker).kept(), 0);
		Ok(())
	}

	impl_benchmark_test_suite!(Pallet, crate::mock::new_test_ext(), crate::mock::Test);
}
