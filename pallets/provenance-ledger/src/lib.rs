//! # Provenance ledger
//!
//! Every settled inference as an immutable record: which weights, which computers, how much energy,
//! under whose consent (paper, 3.2 and 6.1; `docs/protocol/record.md`). Old records leave the state and
//! stay provable (`docs/protocol/retention.md`).
//!
//! ## Pallet API
//!
//! See the [`pallet`] module for its configuration, storage, events and errors. There is no call:
//! the market writes records through [`aria_primitives::traits::Ledger`], nothing that is written is
//! ever changed, and nobody can have a record removed: it leaves when its time has come.
//!
//! ## Terminology
//!
//! * **Record**: a [`RecordEntry`](aria_primitives::record::RecordEntry) under its id, the
//!   domain-separated SHA-256 of its body, which every stage signed.
//! * **State index**: ids of records by the hash of their output and by the hash of their query,
//!   readable and provable on chain. Indices by model and by node are left to the node's own index.
//! * **Records root**: the Merkle root over the ids that one block settled, in order.
//! * **Window**: for how many blocks a record stays in state at least, [`Config::Window`].
//!
//! ## Overview
//!
//! The market checks a record and hands it over; this pallet stores it, indexes it, counts it into
//! [`NetworkStats`](aria_primitives::views::NetworkStats) and puts its id on the block's list. When
//! the block ends, the list's root is stored for the runtime to put into the next leaf of the
//! Merkle mountain range, so that an older record proves against any later header.
//!
//! ### Key concepts
//!
//! * **The block's list** ([`BlockRecords`]) is emptied when the next block begins, so the state at
//!   a block's hash holds exactly the ids that this block settled: an indexer reads it there.
//! * **Leaves** of the records root are `leaf_hash(id)` in the order of settlement
//!   (`docs/protocol/hashing.md`). [`Pallet::record_inclusion`] gives the path at the block's state.
//!   The root stays until the next block ends, so whoever makes a leaf while that block begins
//!   reads the root of its parent.
//! * **Every record is listed** under the hash of its output and under that of its query, however
//!   many others are. Anybody may settle records with a hash that they have seen, but a list without
//!   an end has no place that they could take: they make it longer, pay for each entry as for their
//!   own records, and nobody else's record is missing from it.
//! * **Pages**: a list is read in pages of at most [`Config::MaxPage`] ids, in ascending order, from
//!   any id on. Writing an entry costs the same however long its list is.
//! * **Leaving**: blocks with time left ([`Hooks::on_idle`](frame_support::traits::Hooks)) remove the
//!   oldest records whose window is over and which nothing needs any more ([`Config::Uses`]), with both
//!   entries of the state index, at most [`Config::MaxPrunedPerBlock`] of them. They go in the order in
//!   which they came: one that is still needed holds up those behind it. Sums stay.
//! * **Who pays for the bytes**: the market's fee per byte of a record, which is what the entry's
//!   place in the state costs. This pallet takes nothing.
//! * **Measured energy**: a stage's figure counts as measured if hardware counted it and the stage
//!   signed the record; every other figure counts as an estimate.
//!
//! ### Example
//!
#![doc = docify::embed!("src/tests/insert.rs", insert_should_store_the_record_and_say_so)]
#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
mod impls;
pub mod migrations;
#[cfg(test)]
mod mock;
mod prune;
mod stats;
#[cfg(test)]
mod tests;
#[cfg(any(feature = "try-runtime", test))]
mod try_state;
mod types;
pub mod weights;

pub use pallet::*;
pub use types::OldestRecord;
pub use weights::WeightInfo;

#[frame_support::pallet]
pub mod pallet {
	use crate::{types::OldestRecord, weights::WeightInfo};
	use alloc::vec::Vec;
	use aria_primitives::{
		record::RecordEntry,
		traits::{RecordIndex, RecordUses},
		views::NetworkStats,
		AccountId, BlockNumber, ModelId, OutputHash, QueryHash, RecordId,
	};
	use frame_support::pallet_prelude::*;
	use frame_system::pallet_prelude::*;
	use sp_core::H256;
	use sp_runtime::SaturatedConversion;

	/// The version of the storage in code.
	const STORAGE_VERSION: StorageVersion = StorageVersion::new(2);

	#[pallet::pallet]
	#[pallet::storage_version(STORAGE_VERSION)]
	pub struct Pallet<T>(_);

	#[pallet::config]
	pub trait Config: frame_system::Config<AccountId = AccountId> {
		/// Most records that one block settles; at least 1.
		#[pallet::constant]
		type MaxRecordsPerBlock: Get<u32>;

		/// Most ids of one page of the state index; at least 1.
		#[pallet::constant]
		type MaxPage: Get<u32>;

		/// Blocks for which a record stays in state at least, behind the one that settled it.
		type Window: Get<BlockNumber>;

		/// Whatever may need a record for longer than that.
		type Uses: RecordUses;

		/// Most steps that one block takes to remove records: a record is one, and a block whose
		/// records are all gone is one. At least 1.
		#[pallet::constant]
		type MaxPrunedPerBlock: Get<u32>;

		/// Weights of writing a record, of closing a block, and of removing records.
		type WeightInfo: WeightInfo;
	}

	/// Records by their ids. No entry is ever changed; it goes when its time is over.
	#[pallet::storage]
	pub type Records<T: Config> = StorageMap<_, Identity, RecordId, RecordEntry, OptionQuery>;

	/// Ids of records by the hash of their output, ascending.
	#[pallet::storage]
	pub type ByOutput<T: Config> =
		StorageDoubleMap<_, Blake2_128Concat, OutputHash, Identity, RecordId, (), OptionQuery>;

	/// Ids of records by the hash of their query, ascending.
	#[pallet::storage]
	pub type ByQuery<T: Config> =
		StorageDoubleMap<_, Blake2_128Concat, QueryHash, Identity, RecordId, (), OptionQuery>;

	/// Ids of the records that this block settled, in order. Emptied when the next block begins.
	#[pallet::storage]
	pub type BlockRecords<T: Config> =
		StorageValue<_, BoundedVec<RecordId, T::MaxRecordsPerBlock>, ValueQuery>;

	/// Ids of the records that a block settled, in order, as long as one of them is in state.
	#[pallet::storage]
	pub type SettledIn<T: Config> = StorageMap<
		_,
		Twox64Concat,
		BlockNumber,
		BoundedVec<RecordId, T::MaxRecordsPerBlock>,
		OptionQuery,
	>;

	/// Up to where records have left the state.
	#[pallet::storage]
	pub type Oldest<T: Config> = StorageValue<_, OldestRecord, ValueQuery>;

	/// Merkle root over the ids of the last block that ended; zero before the first one did.
	#[pallet::storage]
	pub type RecordsRoot<T: Config> = StorageValue<_, H256, ValueQuery>;

	/// How many records were written, those included that have left the state.
	#[pallet::storage]
	pub type RecordsTotal<T: Config> = StorageValue<_, u64, ValueQuery>;

	/// Energy and output over all records that were written.
	#[pallet::storage]
	pub type Stats<T: Config> = StorageValue<_, NetworkStats, ValueQuery>;

	/// What of that belongs to records that have left the state.
	#[pallet::storage]
	pub type PrunedStats<T: Config> = StorageValue<_, NetworkStats, ValueQuery>;

	#[pallet::event]
	#[pallet::generate_deposit(pub(super) fn deposit_event)]
	pub enum Event<T: Config> {
		/// A record was written.
		RecordWritten {
			/// The record's id.
			id: RecordId,
			/// The weights.
			model: ModelId,
			/// Hash of the answer.
			output_hash: OutputHash,
			/// Hash of the query.
			query_hash: QueryHash,
		},
		/// Records left the state.
		RecordsPruned {
			/// How many.
			records: u32,
			/// The first block all of whose records are in state.
			since: BlockNumber,
		},
	}

	#[pallet::error]
	pub enum Error<T> {
		/// A record with this id is there already: it was settled before, so do not send it again.
		RecordExists,
		/// This block has as many records as it may have: send the record again in the next one.
		BlockFull,
	}

	#[pallet::hooks]
	impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
		fn on_initialize(_n: BlockNumberFor<T>) -> Weight {
			BlockRecords::<T>::kill();
			// How many records will come is not known yet, so the root is paid for the most.
			T::DbWeight::get()
				.writes(1)
				.saturating_add(T::WeightInfo::on_finalize(T::MaxRecordsPerBlock::get()))
		}

		fn on_idle(n: BlockNumberFor<T>, remaining: Weight) -> Weight {
			Self::prune_within(n.saturated_into(), remaining)
		}

		fn on_finalize(n: BlockNumberFor<T>) {
			Self::close_block(n.saturated_into());
		}

		fn integrity_test() {
			assert!(T::MaxRecordsPerBlock::get() > 0, "MaxRecordsPerBlock must be at least 1");
			assert!(T::MaxPage::get() > 0, "MaxPage must be at least 1");
			assert!(T::MaxPrunedPerBlock::get() > 0, "no record would ever leave the state");
			assert!(
				T::WeightInfo::on_finalize(T::MaxRecordsPerBlock::get()).ref_time() <=
					T::BlockWeights::get().max_block.ref_time(),
				"the records root of a full block takes longer than a block: lower MaxRecordsPerBlock",
			);
		}

		#[cfg(feature = "try-runtime")]
		fn try_state(_n: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
			Self::do_try_state()
		}
	}

	#[pallet::view_functions]
	impl<T: Config> Pallet<T> {
		/// The record with this id.
		pub fn record(id: RecordId) -> Option<RecordEntry> {
			Records::<T>::get(id)
		}

		/// Ids of records with this output, ascending, after `after`; at most `limit`, and at most
		/// `MaxPage`.
		pub fn by_output(hash: OutputHash, after: Option<RecordId>, limit: u32) -> Vec<RecordId> {
			<Self as RecordIndex>::by_output(&hash, after, limit)
		}

		/// Ids of records of this query, ascending, after `after`; at most `limit`, and at most
		/// `MaxPage`.
		pub fn by_query(hash: QueryHash, after: Option<RecordId>, limit: u32) -> Vec<RecordId> {
			<Self as RecordIndex>::by_query(&hash, after, limit)
		}

		/// Ids of the records that this block settled, in order.
		pub fn block_records() -> Vec<RecordId> {
			BlockRecords::<T>::get().into_inner()
		}

		/// Where a record stands among the ids that this block settled: its index, how many there
		/// are, and the path from its leaf up to the root, for
		/// [`aria_primitives::hashing::verify_merkle_proof`]. `None` if this block did not settle
		/// it.
		pub fn record_inclusion(id: RecordId) -> Option<(u32, u32, Vec<H256>)> {
			Self::inclusion_of(&id)
		}

		/// The first block all of whose records are in state; those of blocks before it have left.
		pub fn records_since() -> BlockNumber {
			Oldest::<T>::get().whole_since()
		}

		/// Energy and output over all records that were written.
		pub fn stats() -> NetworkStats {
			Stats::<T>::get()
		}
	}
}
