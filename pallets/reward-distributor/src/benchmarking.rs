//! Benchmarks of the calls, of the hook's steps, and of what other pallets call.

use super::*;
use aria_primitives::{
	record::EnergySource,
	traits::{Consents, LotteryWork, WorkNote, WorkSink},
	AccountId, EraIndex, ModelId, ARIA, PPM,
};
use frame_benchmarking::v2::*;
use frame_support::traits::{fungible::Inspect, EnsureOrigin, Get};
use frame_system::RawOrigin;

/// The era that the steps of a settlement work on.
const ERA: EraIndex = 0;

/// Begins the first era.
fn begin<T: Config>() {
	CurrentEra::<T>::kill();
	Pallet::<T>::roll_over(1);
}

/// A stage that earns something.
fn stage(worker: AccountId) -> WorkNote {
	WorkNote {
		worker,
		model: ModelId::repeat_byte(7),
		work: 1_000_000_000,
		energy_mj: 10_000,
		energy_source: EnergySource::Rapl,
		burnt: 1_000 * ARIA,
		latency_ms_per_token: SLOW_MS,
	}
}

/// Above any target, so that the latency score is computed.
const SLOW_MS: u32 = 100_000;

fn worker(index: u32) -> AccountId {
	account("worker", index, 0)
}

/// An era with `n` lines, ended after 1,000 blocks.
fn era_with_lines<T: Config>(n: u32) -> EraInfo {
	begin::<T>();
	for index in 0..n {
		T::Consents::benchmark_consent(&worker(index));
		Pallet::<T>::note_work(stage(worker(index)));
	}
	ended::<T>()
}

/// Ends the first era after 1,000 blocks.
fn ended<T: Config>() -> EraInfo {
	let mut info = Eras::<T>::get(ERA).unwrap_or_else(|| Pallet::<T>::open_era(1));
	let (workers, authors) = Pallet::<T>::pools(info.start, 1_001, PPM / 10);
	info.end = Some(1_001);
	info.worker_pool = workers;
	info.author_pool = authors;
	info.state = EraState::Closed;
	Eras::<T>::insert(ERA, info.clone());
	info
}

/// Has an amount wait for the account.
fn defer<T: Config>(account: &AccountId) -> u128 {
	let amount = T::Currency::minimum_balance().saturating_add(ARIA);
	Unclaimed::<T>::insert(account, amount);
	TotalUnclaimed::<T>::put(amount);
	amount
}

#[benchmarks]
mod benchmarks {
	use super::*;

	#[benchmark]
	fn claim() -> Result<(), BenchmarkError> {
		let caller: AccountId = whitelisted_caller();
		let amount = defer::<T>(&caller);

		#[extrinsic_call]
		_(RawOrigin::Signed(caller.clone()));

		assert_eq!(T::Currency::balance(&caller), amount);
		Ok(())
	}

	#[benchmark]
	fn claim_for() -> Result<(), BenchmarkError> {
		let caller: AccountId = whitelisted_caller();
		let other = worker(0);
		let amount = defer::<T>(&other);

		#[extrinsic_call]
		_(RawOrigin::Signed(caller), other.clone());

		assert_eq!(T::Currency::balance(&other), amount);
		Ok(())
	}

	#[benchmark]
	fn force_new_era() -> Result<(), BenchmarkError> {
		let origin =
			T::EraOrigin::try_successful_origin().map_err(|_| BenchmarkError::Weightless)?;
		begin::<T>();

		#[extrinsic_call]
		_(origin as T::RuntimeOrigin);

		assert!(EraEnding::<T>::get());
		Ok(())
	}

	#[benchmark]
	fn note_work() -> Result<(), BenchmarkError> {
		begin::<T>();
		// A second era, so that there is an average to compare with.
		Pallet::<T>::note_work(stage(worker(1)));
		CurrentEra::<T>::put(EraPosition { index: 1, start: 2 });
		Eras::<T>::insert(1, Pallet::<T>::open_era(2));
		// More than any fee supports, so that what counts of it is computed.
		let note = WorkNote { work: u128::MAX, ..stage(worker(0)) };
		T::Lottery::benchmark_link(&worker(0));

		#[block]
		{
			Pallet::<T>::note_work(note);
		}

		assert!(Lines::<T>::contains_key(1, worker(0)));
		Ok(())
	}

	#[benchmark]
	fn note_author() -> Result<(), BenchmarkError> {
		begin::<T>();
		let author = worker(0);

		#[block]
		{
			Pallet::<T>::note_author(author);
		}

		assert_eq!(Authored::<T>::get(ERA, worker(0)), 1);
		Ok(())
	}

	#[benchmark]
	fn roll_over() -> Result<(), BenchmarkError> {
		begin::<T>();
		let now = T::EraLength::get().saturating_add(1);

		#[block]
		{
			Pallet::<T>::roll_over(now);
		}

		assert_eq!(Pallet::<T>::current_era(), 1);
		Ok(())
	}

	/// Linear in the lines of one block.
	#[benchmark]
	fn sum_lines(n: Linear<0, { T::MaxWorkersPerBlock::get() }>) -> Result<(), BenchmarkError> {
		let mut info = era_with_lines::<T>(n);
		let summed;

		#[block]
		{
			summed = Pallet::<T>::sum_lines(ERA, &mut info, None, n.saturating_add(1));
		}

		assert_eq!(summed, n);
		Ok(())
	}

	/// Linear in the authors of one block.
	#[benchmark]
	fn pay_authors(n: Linear<0, { T::MaxWorkersPerBlock::get() }>) -> Result<(), BenchmarkError> {
		begin::<T>();
		for index in 0..n {
			Pallet::<T>::note_author(worker(index));
		}
		let mut info = ended::<T>();
		let paid;

		#[block]
		{
			paid = Pallet::<T>::pay_authors(ERA, &mut info, None, n.saturating_add(1));
		}

		assert_eq!(paid, n);
		Ok(())
	}

	/// Linear in the lines of one block.
	#[benchmark]
	fn pay_workers(n: Linear<0, { T::MaxWorkersPerBlock::get() }>) -> Result<(), BenchmarkError> {
		let mut info = era_with_lines::<T>(n);
		info.terms.rate_cap = u128::MAX;
		Pallet::<T>::sum_lines(ERA, &mut info, None, n.saturating_add(1));
		let paid;

		#[block]
		{
			paid = Pallet::<T>::pay_workers(ERA, &mut info, None, n.saturating_add(1));
		}

		assert_eq!(paid, n);
		assert!(n == 0 || info.paid_workers > 0);
		Ok(())
	}

	/// Linear in the entries that one block removes.
	#[benchmark]
	fn prune(n: Linear<0, { T::MaxWorkersPerBlock::get() }>) -> Result<(), BenchmarkError> {
		begin::<T>();
		for index in 0..n {
			Lines::<T>::insert(ERA, worker(index), WorkLine::default());
		}
		let removed;

		#[block]
		{
			removed = Pallet::<T>::prune(ERA, n.saturating_add(1));
		}

		assert_eq!(removed, n);
		Ok(())
	}

	impl_benchmark_test_suite!(Pallet, crate::mock::new_test_ext(), crate::mock::Test);
}
