//! What verifiers and gateways call within the windows of a round.

use crate::{
	audit::types::{Audit, Phase, Seat, SeatState},
	pallet::{Audits, Config, Error, Event, HoldReason, Pallet, Seats, Verifiers},
};
use aria_primitives::{
	audit::{
		commitment, positions, FindingKind, Named, Opening, OpeningFault, Reveal, Sealed, SeatProof,
	},
	record::RecordEntry,
	traits::Ledger,
	AccountId, RecordId,
};
use frame_support::{ensure, traits::fungible::MutateHold};
use frame_system::pallet_prelude::BlockNumberFor;
use sp_core::H256;
use sp_runtime::{traits::Zero, DispatchError, DispatchResult, SaturatedConversion};

impl<T: Config> Pallet<T> {
	/// The hash of the chain's first block.
	pub(crate) fn genesis() -> H256 {
		frame_system::Pallet::<T>::block_hash(BlockNumberFor::<T>::zero())
	}

	/// The audit of a record, and the record.
	fn open_audit(id: &RecordId) -> Result<(Audit, RecordEntry), DispatchError> {
		let audit = Audits::<T>::get(id).ok_or(Error::<T>::NoAudit)?;
		let record = T::Ledger::get(id).ok_or(Error::<T>::NoRecord)?;
		Ok((audit, record))
	}

	/// Whether the audit is in this window.
	pub(crate) fn is_in(audit: &Audit, phase: Phase) -> bool {
		audit.phase == phase && Self::now() <= audit.until
	}

	pub(crate) fn do_commit(
		id: RecordId,
		worker: AccountId,
		proof: &SeatProof,
		commitment: H256,
		named: &Named,
	) -> DispatchResult {
		let (mut audit, record) = Self::open_audit(&id)?;
		let seat = Self::seat_of_round(&id, &audit, &worker)?;
		let output = match &seat {
			Some(seat) => seat.output,
			None => {
				ensure!(Self::is_in(&audit, Phase::Commit), Error::<T>::NotInWindow);
				Self::seat_output(&id, &audit, &record, &worker, proof, named)?
			}
		};
		Self::take_seat(id, &mut audit, worker, seat, output, SeatState::Committed { commitment })
	}

	pub(crate) fn do_claim_silence(
		id: RecordId,
		worker: AccountId,
		proof: &SeatProof,
		named: &Named,
	) -> DispatchResult {
		let (mut audit, record) = Self::open_audit(&id)?;
		ensure!(Self::is_in(&audit, Phase::Commit), Error::<T>::NotInWindow);
		let seat = Self::seat_of_round(&id, &audit, &worker)?;
		ensure!(seat.is_none(), Error::<T>::SpokeAlready);
		let output = Self::seat_output(&id, &audit, &record, &worker, proof, named)?;
		Self::take_seat(id, &mut audit, worker, None, output, SeatState::Claimed)
	}

	/// The worker's seat in this round, if it has one that may still commit; an error if it has spoken.
	fn seat_of_round(
		id: &RecordId,
		audit: &Audit,
		worker: &AccountId,
	) -> Result<Option<Seat>, DispatchError> {
		let Some(seat) = Seats::<T>::get(id, worker) else { return Ok(None) };
		ensure!(seat.round == audit.round, Error::<T>::SpokeAlready);
		let in_time = match seat.state {
			SeatState::Claimed => Self::is_in(audit, Phase::Commit),
			SeatState::Rebutted => [Phase::Commit, Phase::Rebut, Phase::Answer]
				.into_iter()
				.any(|phase| Self::is_in(audit, phase)),
			_ => return Err(Error::<T>::SpokeAlready.into()),
		};
		ensure!(in_time, Error::<T>::NotInWindow);
		Ok(Some(seat))
	}

	/// Writes down what a seat says first, or after it was answered; the bond goes on hold with the
	/// first.
	pub(crate) fn take_seat(
		id: RecordId,
		audit: &mut Audit,
		worker: AccountId,
		before: Option<Seat>,
		output: [u8; 32],
		state: SeatState,
	) -> DispatchResult {
		let bond = match &before {
			Some(seat) => seat.bond,
			None => {
				let bond = audit.params.commit_bond;
				T::Currency::hold(&HoldReason::Seat.into(), &worker, bond)?;
				Verifiers::<T>::mutate(&worker, |entry| {
					if let Some(info) = entry {
						info.seats = info.seats.saturating_add(1);
					}
				});
				bond
			}
		};
		match before.map(|seat| seat.state) {
			Some(SeatState::Claimed) => audit.claimed = audit.claimed.saturating_sub(1),
			Some(SeatState::Rebutted) => audit.rebutted = audit.rebutted.saturating_sub(1),
			_ => (),
		}
		let round = audit.round;
		let claims = state == SeatState::Claimed;
		if claims {
			audit.claimed = audit.claimed.saturating_add(1);
		} else {
			audit.committed = audit.committed.saturating_add(1);
		}
		Seats::<T>::insert(id, &worker, Seat { round, output, bond, state });
		Audits::<T>::insert(id, &*audit);
		Self::deposit_event(if claims {
			Event::SilenceClaimed { id, round, verifier: worker }
		} else {
			Event::Committed { id, round, verifier: worker }
		});
		Ok(())
	}

	pub(crate) fn do_post_handover(
		id: RecordId,
		gateway: &AccountId,
		verifier: AccountId,
		_sealed: Sealed,
	) -> DispatchResult {
		let (mut audit, record) = Self::open_audit(&id)?;
		ensure!(record.gateway == *gateway, Error::<T>::NotGateway);
		let in_time = Self::is_in(&audit, Phase::Commit) || Self::is_in(&audit, Phase::Rebut);
		ensure!(in_time, Error::<T>::NotInWindow);
		let mut seat = Seats::<T>::get(id, &verifier)
			.filter(|seat| seat.round == audit.round && seat.state == SeatState::Claimed)
			.ok_or(Error::<T>::NoClaim)?;
		seat.state = SeatState::Rebutted;
		audit.claimed = audit.claimed.saturating_sub(1);
		audit.rebutted = audit.rebutted.saturating_add(1);
		Seats::<T>::insert(id, &verifier, seat);
		Audits::<T>::insert(id, audit);
		// What was posted lies in the block's body, where the verifier finds it.
		Self::deposit_event(Event::HandoverPosted { id, verifier });
		Ok(())
	}

	pub(crate) fn do_reveal(id: RecordId, worker: AccountId, reveal: Reveal) -> DispatchResult {
		let (mut audit, record) = Self::open_audit(&id)?;
		ensure!(Self::is_in(&audit, Phase::Reveal), Error::<T>::NotInWindow);
		let mut seat = Seats::<T>::get(id, &worker).ok_or(Error::<T>::NotCommitted)?;
		let SeatState::Committed { commitment: expected } = seat.state else {
			return Err(Error::<T>::NotCommitted.into());
		};
		let made = commitment(&Self::genesis(), &id, seat.round, &worker, &reveal);
		ensure!(seat.round == audit.round && made == expected, Error::<T>::RevealMismatch);
		ensure!(reveal.finding.agrees_with(&record.body), Error::<T>::FindingRefuted);

		let finding = reveal.finding.kind();
		// Who could not run the record has nothing to open.
		seat.state = if finding == FindingKind::Query {
			SeatState::Counted { finding }
		} else {
			SeatState::Revealed { root: reveal.root, finding }
		};
		audit.revealed = audit.revealed.saturating_add(1);
		Seats::<T>::insert(id, &worker, seat);
		Audits::<T>::insert(id, audit);
		Self::deposit_event(Event::Revealed { id, verifier: worker, finding });
		Ok(())
	}

	pub(crate) fn do_open(id: RecordId, worker: AccountId, openings: &[Opening]) -> DispatchResult {
		let (audit, record) = Self::open_audit(&id)?;
		ensure!(Self::is_in(&audit, Phase::Open), Error::<T>::NotInWindow);
		let mut seat = Seats::<T>::get(id, &worker).ok_or(Error::<T>::NotRevealed)?;
		let SeatState::Revealed { root, finding } = seat.state else {
			return Err(Error::<T>::NotRevealed.into());
		};
		ensure!(seat.round == audit.round, Error::<T>::NotRevealed);
		let body = &record.body;
		let opens = finding.opens(body.stages.len().saturated_into());
		let count = audit.params.positions;
		let places = positions(&audit.beacon, &id, &worker, count, opens, body);
		ensure!(places.len() == openings.len(), Error::<T>::OpeningCount);
		for (place, opening) in places.iter().zip(openings) {
			opening.check(place, &root, &seat.output, finding, body).map_err(
				|fault| match fault {
					OpeningFault::Position => Error::<T>::OpeningOfOtherPosition,
					OpeningFault::Own => Error::<T>::OpeningMismatch,
					OpeningFault::Record => Error::<T>::OpeningNotOfRecord,
				},
			)?;
		}
		seat.state = SeatState::Counted { finding };
		Seats::<T>::insert(id, &worker, seat);
		Self::deposit_event(Event::Opened { id, verifier: worker });
		Ok(())
	}
}
