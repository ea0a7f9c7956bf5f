//! # Verification
//!
//! The draw of settled records for audit (paper, 3.2: spot checks;
//! `docs/protocol/verification.md`).
//!
//! ## Pallet API
//!
//! See the [`pallet`] module for its configuration, storage, calls, events and errors.
//!
//! ## Terminology
//!
//! * **Pending record**: settled, auditable, and not yet reached by the draw of its epoch.
//! * **Draw**: the pass over all pending records of one epoch under one seed.
//! * **Drawn record**: one that the draw picked; an audit is open on it.
//! * **Unaudited record**: one that nobody may check, because its requester allowed no audit.
//!
//! ## Overview
//!
//! The market notes each record that it settles through [`aria_primitives::traits::AuditDraw`].
//! Records of epoch `e` are drawn from the start of epoch `e +` [`Config::DrawDelay`]: by then the
//! randomness has come from blocks that were made after the last of them was settled, so nobody
//! could know while settling which records would be looked at. A record is drawn with a probability
//! that falls with the lowest reputation among its stages, from certainty down to
//! [`Config::FloorPpm`].
//!
//! ### Key concepts
//!
//! * **Seed**: fixed once for an epoch, when its draw begins, and kept until the draw ends, however
//!   many blocks that takes. The draw waits if the randomness could be known before the epoch's
//!   last record was settled.
//! * **Lot**: a record is drawn if `sha256(seed ‖ id)`, read as a number, falls below its
//!   probability ([`Pallet::lot_falls_on`]). Seed and probability stay with each drawn record, so
//!   anybody can draw again.
//! * **Bounded work**: a block draws for one epoch, and for at most [`Config::MaxDrawsPerBlock`]
//!   records; the next block goes on. [`Config::MaxPerEpoch`] keeps an epoch from settling more than
//!   the blocks of an epoch draw for, so that each draw ends in the epoch in which it begins, and the
//!   queue of epochs stays short. Epochs without records take no place in it.
//! * **Late draws**: where an epoch has fewer blocks than expected, or the randomness is not young
//!   enough, its draw ends later. [`AuditDraw::is_drawn`](aria_primitives::traits::AuditDraw) says
//!   when, and what the epoch earned must not vest before.
//! * **Order of the hooks**: this pallet must begin its blocks after the one that changes epochs;
//!   otherwise a draw begins a block later.
//! * **Statuses** are kept as long as the records they belong to, that is for good. A record that
//!   was passed over leaves nothing behind, which is how it is known.
//!
//! ### Example
//!
#![doc = docify::embed!("src/tests/draw.rs", draw_should_pick_every_record_of_a_stranger)]
#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
mod draw;
mod impls;
#[cfg(test)]
mod mock;
#[cfg(test)]
mod tests;
#[cfg(any(feature = "try-runtime", test))]
mod try_state;
mod types;
pub mod weights;

pub use pallet::*;
pub use types::{
	DrawCause, DrawInfo, DrawState, DrawnStatus, PendingEpoch, SettledRecord, MAX_PENDING_EPOCHS,
};
pub use weights::WeightInfo;

#[frame_support::pallet]
pub mod pallet {
	use crate::{
		types::{DrawInfo, DrawState, PendingEpoch, SettledRecord, MAX_PENDING_EPOCHS},
		weights::WeightInfo,
	};
	use aria_primitives::{
		traits::AuditDraw, views::AuditStatus, AccountId, EpochIndex, Ppm, RecordId, PPM,
	};
	use frame_support::{pallet_prelude::*, traits::Randomness};
	use frame_system::pallet_prelude::*;
	use sp_core::H256;

	/// The version of the storage in code.
	const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

	#[pallet::pallet]
	#[pallet::storage_version(STORAGE_VERSION)]
	pub struct Pallet<T>(_);

	#[pallet::config]
	pub trait Config: frame_system::Config<AccountId = AccountId> {
		/// The epoch of this block; never decreases, but may skip.
		type CurrentEpoch: Get<EpochIndex>;

		/// Randomness that nobody can know before the epoch ahead of this one, with the block since
		/// which it can be known.
		type Randomness: Randomness<H256, BlockNumberFor<Self>>;

		/// Who may order the audit of a pending record.
		type DrawOrigin: EnsureOrigin<Self::RuntimeOrigin>;

		/// Epochs from the settlement of a record to its draw; at least 1.
		#[pallet::constant]
		type DrawDelay: Get<u64>;

		/// The probability of an audit at the best reputation, in parts per million; above 0.
		#[pallet::constant]
		type FloorPpm: Get<Ppm>;

		/// Most records that a block draws for; at least 1.
		#[pallet::constant]
		type MaxDrawsPerBlock: Get<u32>;

		/// Most auditable records that an epoch settles; at least 1. At most
		/// [`Config::MaxDrawsPerBlock`] for each block that an epoch has at least, or draws fall
		/// behind whenever epochs are full.
		#[pallet::constant]
		type MaxPerEpoch: Get<u32>;

		/// Weights of the calls and of the draw.
		type WeightInfo: WeightInfo;
	}

	/// Pending records of each epoch, by their ids.
	#[pallet::storage]
	pub type Settled<T: Config> = StorageDoubleMap<
		_,
		Twox64Concat,
		EpochIndex,
		Identity,
		RecordId,
		SettledRecord,
		OptionQuery,
	>;

	/// Epochs with records that are not all drawn yet, the oldest first.
	#[pallet::storage]
	pub type PendingEpochs<T: Config> =
		StorageValue<_, BoundedVec<PendingEpoch, ConstU32<MAX_PENDING_EPOCHS>>, ValueQuery>;

	/// The draw that a block began and could not finish; always of the oldest pending epoch.
	#[pallet::storage]
	pub type Cursor<T: Config> = StorageValue<_, DrawState, OptionQuery>;

	/// The last epoch whose records were all drawn.
	#[pallet::storage]
	pub type DrawnThrough<T: Config> = StorageValue<_, EpochIndex, OptionQuery>;

	/// Drawn records, with all that it takes to draw them again.
	#[pallet::storage]
	pub type Drawn<T: Config> = StorageMap<_, Identity, RecordId, DrawInfo, OptionQuery>;

	/// Records that nobody may check.
	#[pallet::storage]
	pub type Unaudited<T: Config> = StorageMap<_, Identity, RecordId, (), OptionQuery>;

	#[pallet::event]
	#[pallet::generate_deposit(pub(super) fn deposit_event)]
	pub enum Event<T: Config> {
		/// A record waits for its draw.
		RecordPending {
			/// The record.
			id: RecordId,
			/// The epoch that settled it.
			epoch: EpochIndex,
		},
		/// A record will not be audited.
		RecordUnaudited {
			/// The record.
			id: RecordId,
		},
		/// The draw of an epoch has begun under this seed.
		DrawBegun {
			/// The epoch.
			epoch: EpochIndex,
			/// The seed of all its lots.
			seed: H256,
		},
		/// A record was drawn for audit.
		RecordDrawn {
			/// The record.
			id: RecordId,
			/// The epoch that settled it.
			epoch: EpochIndex,
			/// How probable that was, in parts per million.
			probability_ppm: Ppm,
		},
		/// The draw of an epoch has ended.
		EpochDrawn {
			/// The epoch.
			epoch: EpochIndex,
			/// How many records it was drawn for.
			records: u32,
			/// How many of them it picked.
			drawn: u32,
		},
		/// The draw of a pending record was made certain.
		DrawForced {
			/// The record.
			id: RecordId,
			/// The epoch that settled it.
			epoch: EpochIndex,
		},
	}

	#[pallet::error]
	pub enum Error<T> {
		/// The epoch has as many auditable records as it may have: settle the record in the next
		/// epoch, or with a ticket that allows no audit.
		EpochFull,
		/// Too many epochs wait for their draw: settle the record again when the draws have caught
		/// up, a few blocks from now.
		TooManyPendingEpochs,
		/// The record was noted before: there is nothing left to do.
		AlreadyNoted,
		/// No such record waits for a draw in that epoch: take the epoch from the record, and note
		/// that a record whose epoch was drawn can't be drawn again.
		NotPending,
		/// The record's draw is certain already: wait for it.
		AlreadyForced,
	}

	#[pallet::hooks]
	impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
		fn on_initialize(_n: BlockNumberFor<T>) -> Weight {
			Self::draw_due(T::CurrentEpoch::get())
		}

		fn integrity_test() {
			assert!(T::DrawDelay::get() > 0, "DrawDelay must be at least 1 epoch");
			assert!(T::FloorPpm::get() > 0, "FloorPpm must be above 0, or trust is never checked");
			assert!(T::FloorPpm::get() <= PPM, "FloorPpm must be at most 1,000,000");
			assert!(T::MaxDrawsPerBlock::get() > 0, "MaxDrawsPerBlock must be at least 1");
			assert!(T::MaxPerEpoch::get() > 0, "MaxPerEpoch must be at least 1");
			assert!(
				T::WeightInfo::draw(T::MaxDrawsPerBlock::get()).ref_time()
					<= T::BlockWeights::get().max_block.ref_time(),
				"the draws of a block take longer than a block: lower MaxDrawsPerBlock",
			);
		}

		#[cfg(feature = "try-runtime")]
		fn try_state(_n: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
			Self::do_try_state()
		}
	}

	#[pallet::call]
	impl<T: Config> Pallet<T> {
		/// Make the draw of a pending record certain.
		///
		/// ## Dispatch Origin
		///
		/// [`Config::DrawOrigin`].
		///
		/// ## Details
		///
		/// The record is drawn with its epoch, with probability 1 whatever its workers' reputation.
		/// Works until the epoch's draw has reached the record.
		///
		/// ## Parameters
		///
		/// - `id`: The record.
		/// - `epoch`: The epoch that settled it, as the record says.
		///
		/// ## Errors
		///
		/// - [`Error::NotPending`]: If no such record waits for a draw in `epoch`.
		/// - [`Error::AlreadyForced`]: If this was ordered before.
		///
		/// ## Events
		///
		/// - [`Event::DrawForced`]: At once. The draw itself deposits [`Event::RecordDrawn`].
		#[pallet::call_index(0)]
		#[pallet::weight(T::WeightInfo::force_draw())]
		pub fn force_draw(origin: OriginFor<T>, id: RecordId, epoch: EpochIndex) -> DispatchResult {
			T::DrawOrigin::ensure_origin(origin)?;
			Self::do_force_draw(id, epoch)
		}
	}

	#[pallet::view_functions]
	impl<T: Config> Pallet<T> {
		/// Where a record stands in its audit; `record_epoch` and `auditable` are the record's own.
		pub fn audit_status(
			id: RecordId,
			record_epoch: EpochIndex,
			auditable: bool,
		) -> AuditStatus {
			Self::status(id, record_epoch, auditable)
		}

		/// How and when a record was drawn, if it was.
		pub fn drawn(id: RecordId) -> Option<DrawInfo> {
			Drawn::<T>::get(id)
		}

		/// How many records of an epoch wait for their draw.
		pub fn pending(epoch: EpochIndex) -> u32 {
			Self::pending_records(epoch)
		}

		/// Whether an epoch is over and none of its records waits for its draw.
		pub fn is_drawn(epoch: EpochIndex) -> bool {
			<Self as AuditDraw>::is_drawn(epoch)
		}
	}
}
