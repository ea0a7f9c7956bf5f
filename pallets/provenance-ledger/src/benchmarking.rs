//! Benchmarks of writing a record, of closing a block, and of removing records.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use alloc::vec::Vec;
use aria_primitives::{
	hashing::sha256,
	record::{
		Anchor, EnergySource, FinishReason, LayerRange, RecordBody, RecordEntry, Stage,
		MAX_BOUNDARIES, MAX_STAGES, RECORD_VERSION,
	},
	traits::{Ledger, RecordUses},
	AccountId, BlockNumber, RecordId,
};
use frame_benchmarking::v2::*;
use frame_support::traits::{Get, Hooks};
use sp_core::H256;
use sp_runtime::BoundedVec;

fn id(n: u32) -> RecordId {
	sha256(&n.to_le_bytes())
}

/// A record with as many stages as there may be.
fn widest_entry() -> RecordEntry {
	let stages: Vec<Stage> = (0..MAX_STAGES as u16)
		.map(|n| Stage {
			node: AccountId::new([n as u8; 32]),
			layers: LayerRange { first: n, end: n + 1 },
			energy_mj: 1_000,
			energy_source: EnergySource::Rapl,
			consent_version: 1,
		})
		.collect();
	let boundaries: Vec<H256> = (0..MAX_BOUNDARIES).map(id).collect();
	RecordEntry {
		body: RecordBody {
			version: RECORD_VERSION,
			model_id: H256::repeat_byte(1),
			query_hash: H256::repeat_byte(2),
			output_hash: H256::repeat_byte(3),
			output_tokens_hash: H256::repeat_byte(4),
			finish_reason: FinishReason::Stop,
			prompt_tokens: 1_000,
			cached_tokens: 0,
			output_tokens: 1_000,
			stages: BoundedVec::try_from(stages).expect("MAX_STAGES stages fit"),
			boundaries: BoundedVec::try_from(boundaries).expect("MAX_BOUNDARIES boundaries fit"),
			energy_mj: 1_000 * u64::from(MAX_STAGES),
			latency_ms: 1_000,
			timestamp: 1_000,
			anchor: Anchor { number: 0, hash: H256::zero() },
			ticket_hash: H256::repeat_byte(5),
		},
		signed_stages: u32::MAX,
		requester: AccountId::new([6; 32]),
		gateway: AccountId::new([7; 32]),
		price: 1,
		settled_at: 1,
		epoch: 0,
		era: 0,
		auditable: true,
	}
}

fn fill_block<T: Config>(n: u32) {
	let ids: Vec<RecordId> = (0..n).map(id).collect();
	let ids: BoundedVec<RecordId, T::MaxRecordsPerBlock> =
		BoundedVec::try_from(ids).expect("n is within the bound");
	BlockRecords::<T>::put(ids);
}

#[benchmarks]
mod benchmarks {
	use super::*;

	#[benchmark]
	fn insert() {
		let entry = widest_entry();
		let new = id(u32::MAX);
		fill_block::<T>(T::MaxRecordsPerBlock::get() - 1);

		let result;
		#[block]
		{
			result = <Pallet<T> as Ledger>::insert(new, entry.clone());
		}

		assert!(result.is_ok());
		assert_eq!(Records::<T>::get(new), Some(entry));
	}

	#[benchmark]
	fn on_finalize(n: Linear<0, { T::MaxRecordsPerBlock::get() }>) {
		fill_block::<T>(n);
		let block = frame_system::Pallet::<T>::block_number();

		#[block]
		{
			Pallet::<T>::on_finalize(block);
		}

		assert_ne!(RecordsRoot::<T>::get(), H256::zero());
		assert_eq!(SettledIn::<T>::iter().count(), usize::from(n > 0));
	}

	/// The longest list there may be, of which so many records are removed.
	#[benchmark]
	fn prune(n: Linear<0, { T::MaxPrunedPerBlock::get() }>) {
		let settled: BlockNumber = 1;
		T::Uses::benchmark_release();
		let mut entry = widest_entry();
		let ids: Vec<RecordId> = (0..T::MaxRecordsPerBlock::get()).map(id).collect();
		for id in ids.iter().take(n as usize) {
			// Each has hashes of its own, as records usually do.
			(entry.body.output_hash, entry.body.query_hash) = (*id, *id);
			Records::<T>::insert(id, entry.clone());
			ByOutput::<T>::insert(id, id, ());
			ByQuery::<T>::insert(id, id, ());
		}
		let ids: BoundedVec<RecordId, T::MaxRecordsPerBlock> =
			BoundedVec::try_from(ids).expect("it is the bound");
		SettledIn::<T>::insert(settled, ids);
		Oldest::<T>::put(OldestRecord { block: settled, position: 0 });
		let now = settled.saturating_add(T::Window::get()).saturating_add(1);

		let steps;
		#[block]
		{
			steps = Pallet::<T>::prune(now, n);
		}

		assert_eq!(steps, n);
		assert_eq!(Records::<T>::iter_keys().count(), 0);
	}

	impl_benchmark_test_suite!(Pallet, crate::mock::new_test_ext(), crate::mock::Test);
}
