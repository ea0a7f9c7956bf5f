//! The draw: one epoch a block, and so many records.

use crate::{
	impls::arithmetic,
	pallet::{Config, Cursor, Drawn, DrawnThrough, Event, Pallet, PendingEpochs, Settled},
	types::{DrawCause, DrawInfo, DrawState, DrawnStatus, PendingEpoch, SettledRecord},
	weights::WeightInfo,
};
use aria_math::{
	audit::AuditParameters,
	draw::{draw, reduce},
};
use aria_primitives::{hashing::sha256, EpochIndex, Ppm, RecordId, PPM};
use codec::Encode;
use frame_support::{
	traits::{Get, Randomness},
	weights::Weight,
};
use sp_core::H256;
use sp_runtime::SaturatedConversion;

impl<T: Config> Pallet<T> {
	/// Whether the lot under `seed` falls on a record that is drawn with `probability_ppm`: the
	/// first eight bytes of `sha256(seed ‖ id)`, as a little-endian number over 2^64, lie below it.
	pub fn lot_falls_on(id: &RecordId, seed: &H256, probability_ppm: Ppm) -> bool {
		let random = (seed, id).using_encoded(sha256);
		draw(reduce(random.as_fixed_bytes()), probability_ppm)
	}

	/// Draws for the oldest pending epoch if it is due in epoch `current`; returns the weight of
	/// what was done.
	pub(crate) fn draw_due(current: EpochIndex) -> Weight {
		let oldest = PendingEpochs::<T>::get().first().copied();
		let Some(oldest) = oldest.filter(|oldest| Self::is_due(oldest.epoch, current)) else {
			return T::WeightInfo::on_initialize_idle();
		};
		let Some(mut state) = Self::begun_draw(&oldest) else {
			return T::WeightInfo::draw(0);
		};

		// Each record may be drawn, and needs a place among those that wait for their audit.
		let limit = T::MaxDrawsPerBlock::get().min(Self::room_to_wait());
		if limit == 0 {
			Cursor::<T>::put(state);
			return T::WeightInfo::draw(0);
		}
		let mut processed = 0u32;
		let numbers = arithmetic(&Self::terms().params);
		for (id, record) in Settled::<T>::drain_prefix(state.epoch).take(limit as usize) {
			processed = processed.saturating_add(1);
			state.records = state.records.saturating_add(1);
			if Self::draw_record(&state, &numbers, id, record) {
				state.drawn = state.drawn.saturating_add(1);
			}
		}

		// The second condition can't hold before the first, but if it ever did, an epoch that has
		// run dry must not keep the next ones from their draw.
		if state.records >= oldest.records || processed < limit {
			Self::end_draw(&state);
		} else {
			Cursor::<T>::put(state);
		}
		T::WeightInfo::draw(processed)
	}

	/// Whether records of `epoch` are drawn in epoch `current`.
	pub(crate) fn is_due(epoch: EpochIndex, current: EpochIndex) -> bool {
		current >= Self::draw_epoch(epoch)
	}

	/// The epoch from whose start on records of `epoch` are drawn.
	pub(crate) fn draw_epoch(epoch: EpochIndex) -> EpochIndex {
		epoch.saturating_add(T::DrawDelay::get())
	}

	/// The draw that an earlier block began, or else a new one under a seed that is fixed now;
	/// `None` while that seed could have been known when the epoch's last record was settled.
	fn begun_draw(pending: &PendingEpoch) -> Option<DrawState> {
		let epoch = pending.epoch;
		if let Some(state) = Cursor::<T>::get().filter(|state| state.epoch == epoch) {
			return Some(state);
		}
		let (seed, known_since) = T::Randomness::random(&epoch.encode());
		if known_since.saturated_into::<u32>() <= pending.last_settled_at {
			return None;
		}
		Self::deposit_event(Event::DrawBegun { epoch, seed });
		Some(DrawState { epoch, seed, records: 0, drawn: 0 })
	}

	/// Draws for one record; returns whether it was picked.
	fn draw_record(
		state: &DrawState,
		numbers: &AuditParameters,
		id: RecordId,
		record: SettledRecord,
	) -> bool {
		let (probability_ppm, cause) = if record.forced {
			(PPM, DrawCause::Order)
		} else {
			(Self::probability(record.reputation, &record.stakes, numbers), DrawCause::Lot)
		};
		if !Self::lot_falls_on(&id, &state.seed, probability_ppm) {
			return false;
		}
		let DrawState { epoch, seed, .. } = *state;
		let at = Self::now();
		let status = DrawnStatus::Open;
		Drawn::<T>::insert(id, DrawInfo { epoch, at, seed, probability_ppm, cause, status });
		Self::enqueue_audit(id, epoch, probability_ppm, record);
		Self::deposit_event(Event::RecordDrawn { id, epoch, probability_ppm });
		true
	}

	fn end_draw(state: &DrawState) {
		let DrawState { epoch, records, drawn, .. } = *state;
		Cursor::<T>::kill();
		PendingEpochs::<T>::mutate(|queue| queue.retain(|pending| pending.epoch != epoch));
		DrawnThrough::<T>::put(epoch);
		Self::deposit_event(Event::EpochDrawn { epoch, records, drawn });
	}
}
