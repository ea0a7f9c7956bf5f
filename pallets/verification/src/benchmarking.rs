//! Benchmarks of the draw and of the calls.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use aria_primitives::{hashing::sha256, traits::AuditDraw, EpochIndex, RecordId};
use codec::Encode;
use frame_benchmarking::v2::*;
use frame_support::traits::{EnsureOrigin, Get, Hooks, Randomness};

fn id(n: u32) -> RecordId {
	sha256(&n.to_le_bytes())
}

/// Notes `n` records of strangers, all of which will be drawn; returns their epoch.
fn note<T: Config>(n: u32) -> EpochIndex {
	for n in 0..n {
		Pallet::<T>::note_settled(id(n), 0, true).expect("the epoch is not full");
	}
	T::CurrentEpoch::get()
}

#[benchmarks]
mod benchmarks {
	use super::*;

	#[benchmark]
	fn on_initialize_idle() {
		note::<T>(1);
		let block = frame_system::Pallet::<T>::block_number();

		#[block]
		{
			Pallet::<T>::on_initialize(block);
		}

		assert!(DrawnThrough::<T>::get().is_none());
	}

	/// The seed is set beforehand, because at genesis no randomness is young enough; the randomness
	/// is read all the same, so that it is paid for.
	#[benchmark]
	fn draw(n: Linear<1, { T::MaxDrawsPerBlock::get().min(T::MaxPerEpoch::get()) }>) {
		let epoch = note::<T>(n);
		let due = epoch.saturating_add(T::DrawDelay::get());
		let (seed, _) = T::Randomness::random(&epoch.encode());
		Cursor::<T>::put(DrawState { epoch, seed, records: 0, drawn: 0 });

		#[block]
		{
			let _ = T::CurrentEpoch::get();
			let _ = T::Randomness::random(&epoch.encode());
			Pallet::<T>::draw_due(due);
		}

		assert_eq!(DrawnThrough::<T>::get(), Some(epoch));
		assert!(Drawn::<T>::contains_key(id(n - 1)));
	}

	#[benchmark]
	fn force_draw() -> Result<(), BenchmarkError> {
		let origin =
			T::DrawOrigin::try_successful_origin().map_err(|_| BenchmarkError::Weightless)?;
		let epoch = note::<T>(1);

		#[extrinsic_call]
		_(origin as T::RuntimeOrigin, id(0), epoch);

		assert!(Settled::<T>::get(epoch, id(0)).is_some_and(|record| record.forced));
		Ok(())
	}

	impl_benchmark_test_suite!(Pallet, crate::mock::new_test_ext(), crate::mock::Test);
}
