//! Noting settled records, ordering draws, and answering where a record stands.

use crate::{
	audit::types::CANARY_LIFE,
	pallet::{
		Canaries, ClosedThrough, Config, Cursor, Drawn, Error, Event, OpenAudits, Pallet,
		PendingEpochs, Settled, Tallies, Unaudited, WaitingEnds,
	},
	types::{DrawnStatus, PendingEpoch, SettledRecord},
};
use aria_math::audit::{
	draw_probability_ppm, liability, record_limit, shared_limit, AuditParameters,
};
use aria_primitives::{
	audit::{AuditParams, Verdict},
	record::RecordEntry,
	traits::{AuditDraw, RecordStakes, Uptime},
	views::AuditStatus,
	AccountId, Balance, BlockNumber, EpochIndex, EraIndex, Ppm, RecordId, PPM,
};
use frame_support::{ensure, traits::Get};
use sp_runtime::{DispatchResult, SaturatedConversion};

impl<T: Config> Pallet<T> {
	/// Where a record stands in its audit. `record_epoch` is the epoch that settled it, `auditable`
	/// whether its requester allows an audit; the ledger keeps both.
	pub fn status(id: RecordId, record_epoch: EpochIndex, auditable: bool) -> AuditStatus {
		if !auditable || Unaudited::<T>::contains_key(id) {
			return AuditStatus::Unaudited;
		}
		if let Some(info) = Drawn::<T>::get(id) {
			return match info.status {
				DrawnStatus::Open => AuditStatus::Drawn { at: info.at },
				DrawnStatus::Decided { verdict: Verdict::Unaudited, .. } => AuditStatus::Unaudited,
				DrawnStatus::Decided { verdict, at, .. } => AuditStatus::Decided { verdict, at },
			};
		}
		let due = Self::is_due(record_epoch, T::CurrentEpoch::get());
		if !due || Settled::<T>::contains_key(record_epoch, id) {
			return AuditStatus::Pending { draw_epoch: Self::draw_epoch(record_epoch) };
		}
		AuditStatus::NotDrawn
	}

	/// Whether an audit of the record may be open or come, or somebody may still show or withdraw a
	/// canary that it is: then the ledger has to keep it.
	pub fn needs(record: &RecordEntry) -> bool {
		// A canary was committed to before its record was settled, and can be forgotten in the end.
		let canaries = Canaries::<T>::count() > 0
			&& Self::now() <= record.settled_at.saturating_add(CANARY_LIFE);
		canaries || !Self::is_closed_through(record.epoch)
	}

	/// Forgets where a record stands, because the ledger does not keep it any more.
	pub fn forget(id: &RecordId) {
		Drawn::<T>::remove(id);
		Unaudited::<T>::remove(id);
	}

	/// How many records of `epoch` wait for their draw.
	pub(crate) fn pending_records(epoch: EpochIndex) -> u32 {
		let settled = PendingEpochs::<T>::get()
			.iter()
			.find(|pending| pending.epoch == epoch)
			.map_or(0, |pending| pending.records);
		let processed = Cursor::<T>::get()
			.filter(|state| state.epoch == epoch)
			.map_or(0, |state| state.records);
		settled.saturating_sub(processed)
	}

	pub(crate) fn now() -> BlockNumber {
		frame_system::Pallet::<T>::block_number().saturated_into()
	}

	pub(crate) fn do_force_draw(id: RecordId, epoch: EpochIndex) -> DispatchResult {
		Settled::<T>::try_mutate(epoch, id, |record| -> DispatchResult {
			let record = record.as_mut().ok_or(Error::<T>::NotPending)?;
			ensure!(!record.forced, Error::<T>::AlreadyForced);
			record.forced = true;
			Self::deposit_event(Event::DrawForced { id, epoch });
			Ok(())
		})
	}

	/// Counts one more record into `epoch`.
	fn count_pending(epoch: EpochIndex) -> DispatchResult {
		let now = Self::now();
		PendingEpochs::<T>::try_mutate(|queue| -> DispatchResult {
			if let Some(pending) = queue.iter_mut().find(|pending| pending.epoch == epoch) {
				ensure!(pending.records < T::MaxPerEpoch::get(), Error::<T>::EpochFull);
				pending.records = pending.records.saturating_add(1);
				pending.last_settled_at = now;
				return Ok(());
			}
			queue
				.try_push(PendingEpoch { epoch, records: 1, last_settled_at: now, expected_ppm: 0 })
				.map_err(|_| Error::<T>::TooManyPendingEpochs.into())
		})
	}

	/// How probable the draw of a record is by the lot.
	pub(crate) fn probability(
		reputation: Ppm,
		stakes: &RecordStakes,
		numbers: &AuditParameters,
	) -> Ppm {
		let at_stake = liability(stakes.stake, numbers);
		draw_probability_ppm(reputation, stakes.price, at_stake, numbers)
	}

	/// Counts that a record of `epoch` will be drawn with that probability, if audits have room for it.
	///
	/// All that wait or are expected to be drawn have to find a place, and the likelier its draw is, the
	/// fewer places are for a record: those that are always drawn, newcomers' among them, never take more
	/// than a half from those that seldom are.
	fn count_expected(epoch: EpochIndex, probability_ppm: Ppm) -> DispatchResult {
		let (places, part) = (u64::from(T::MaxWaiting::get()), u64::from(probability_ppm.min(PPM)));
		let kept = places.saturating_mul(part) / 2;
		let most = places.saturating_mul(PPM.into()).saturating_sub(kept);
		let waiting = WaitingEnds::<T>::get().len().saturating_mul(PPM.into());
		PendingEpochs::<T>::try_mutate(|queue| -> DispatchResult {
			let expected =
				queue.iter().fold(waiting, |sum, pending| sum.saturating_add(pending.expected_ppm));
			ensure!(expected.saturating_add(part) <= most, Error::<T>::EpochFull);
			if let Some(pending) = queue.iter_mut().find(|pending| pending.epoch == epoch) {
				pending.expected_ppm = pending.expected_ppm.saturating_add(part);
			}
			Ok(())
		})
	}
}

impl<T: Config> Uptime for Pallet<T> {
	/// The worker registry measures it.
	fn uptime(_: &AccountId, _: EraIndex) -> Option<Ppm> {
		None
	}

	fn audit_pass_rate(worker: &AccountId, era: EraIndex) -> Option<Ppm> {
		Tallies::<T>::get(era, worker).map(|tally| tally.pass_rate())
	}
}

/// The numbers as `aria_math` takes them.
pub(crate) fn arithmetic(params: &AuditParams) -> AuditParameters {
	AuditParameters {
		window_blocks: params.window,
		seats: params.first_seats,
		further_seats: params.further_seats,
		positions: params.positions.into(),
		floor_ppm: params.floor_ppm,
		verifier_fee: params.verifier_fee,
		fee_ppm: params.fee_ppm,
		levy_ppm: params.levy_ppm,
		commit_bond: params.commit_bond,
		fail_slash_ppm: params.fail_slash,
		false_verdict_slash_ppm: params.false_verdict_slash,
		canary_slash: params.canary_slash,
		canary_rate: params.canary_rate,
		canary_fee: params.canary_fee,
		canary_bond: params.canary_bond,
		canary_ppm: params.canary_ppm,
		catch_ppm: params.catch_ppm,
		silence_slash: params.silence_slash,
		max_seat_stake: params.max_seat_stake,
	}
}

impl<T: Config> AuditDraw for Pallet<T> {
	fn current_epoch() -> EpochIndex {
		T::CurrentEpoch::get()
	}

	/// Whether nothing of the epoch waits for its draw: it is over, and each of its auditable
	/// records was drawn or passed over. An epoch without such records has nothing to wait for.
	fn is_drawn(epoch: EpochIndex) -> bool {
		epoch < T::CurrentEpoch::get()
			&& PendingEpochs::<T>::get().iter().all(|pending| pending.epoch != epoch)
	}

	/// Whether nothing of the epoch waits for its draw, and each of its drawn records has a verdict.
	fn is_closed(epoch: EpochIndex) -> bool {
		Self::is_drawn(epoch) && OpenAudits::<T>::get(epoch) == 0
	}

	/// The same of all epochs up to this one. It may be known some blocks later.
	fn is_closed_through(epoch: EpochIndex) -> bool {
		ClosedThrough::<T>::get().is_some_and(|last| epoch <= last)
	}

	/// Notes a settled record. Nothing changes when it fails.
	///
	/// # Errors
	///
	/// - [`Error::AlreadyNoted`]: if this epoch has noted the record, or it is unaudited.
	/// - [`Error::EpochFull`]: if the epoch has its [`Config::MaxPerEpoch`] records.
	/// - [`Error::TooManyPendingEpochs`]: if the draws are that far behind.
	///
	/// # Events
	///
	/// - [`Event::RecordPending`], or [`Event::RecordUnaudited`] if the record is not auditable.
	fn note_settled(id: RecordId, reputation: Ppm, auditable: bool) -> DispatchResult {
		if !auditable {
			ensure!(!Unaudited::<T>::contains_key(id), Error::<T>::AlreadyNoted);
			Unaudited::<T>::insert(id, ());
			Self::deposit_event(Event::RecordUnaudited { id });
			return Ok(());
		}
		let epoch = T::CurrentEpoch::get();
		ensure!(!Settled::<T>::contains_key(epoch, id), Error::<T>::AlreadyNoted);
		Self::count_pending(epoch)?;
		let stakes = RecordStakes::default();
		Settled::<T>::insert(epoch, id, SettledRecord { reputation, forced: false, stakes });
		Self::deposit_event(Event::RecordPending { id, epoch });
		Ok(())
	}

	fn price_limit(stake: Balance) -> Balance {
		record_limit(liability(stake, &arithmetic(&Self::terms().params)))
	}

	fn shared_limit(stake: Balance) -> Balance {
		shared_limit(stake)
	}

	/// Notes what hangs on a record that this epoch noted. Nothing changes when it fails.
	///
	/// # Errors
	///
	/// - [`Error::EpochFull`]: if so many wait for their audit, or are expected to be drawn, that there is
	///   no room for a record that is as likely to be.
	fn note_stakes(id: RecordId, stakes: RecordStakes) -> DispatchResult {
		let epoch = T::CurrentEpoch::get();
		Settled::<T>::try_mutate(epoch, id, |entry| -> DispatchResult {
			let Some(record) = entry else { return Ok(()) };
			let numbers = arithmetic(&Self::terms().params);
			let probability = Self::probability(record.reputation, &stakes, &numbers);
			Self::count_expected(epoch, probability)?;
			record.stakes = stakes;
			Ok(())
		})
	}
}
