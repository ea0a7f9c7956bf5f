//! The end of a job: totals, the record, signatures; and what becomes of stages that are lost.

use super::{
	run::{Phase, Run},
	seat::Loss,
};
use crate::pipeline::{
	error::{NoRecord, PipelineError},
	record::{build, is_signed, SignedRecord},
	types::Dialer,
};
use aria_network::wire::pipeline::{ToStage, Totals};
use aria_primitives::{record::Payment, Signature};
use std::time::Instant;

impl<D: Dialer> Run<'_, D> {
	/// A worker does no more for the job. Somebody else takes its seat, unless all that is missing is
	/// the signature of a stage that need not sign (`docs/protocol/record.md`, "Who signs").
	pub(super) fn lose(&mut self, stage: usize, loss: Loss) -> Result<(), PipelineError> {
		let is_last = stage + 1 == self.seats.len();
		tracing::debug!(target: "aria::pipeline", stage, reason = %loss.reason, "a stage is lost");
		match self.phase {
			Phase::Done => Ok(()),
			Phase::Answering => {
				self.replace(stage, loss).map_err(|loss| self.no_replica(stage, loss))
			}
			Phase::Totals if !is_last && self.is_spent(stage) => {
				self.leave(stage);
				self.sign_if_complete();
				Ok(())
			}
			Phase::Totals => {
				self.replace_for_record(stage, loss);
				Ok(())
			}
			Phase::Signing { .. } if !is_last => {
				self.leave(stage);
				self.end_if_signed();
				Ok(())
			}
			Phase::Signing { .. } => {
				self.sign_again(stage, loss);
				Ok(())
			}
		}
	}

	/// Whether a stage has said its totals, and no other one still needs anything of it.
	fn is_spent(&self, stage: usize) -> bool {
		let target = self.target();
		self.seats.iter().enumerate().all(|(other, seat)| {
			let computed = seat.totals.is_some() || seat.gone || seat.position >= target;
			if other == stage {
				seat.totals.is_some()
			} else {
				computed
			}
		})
	}

	/// Goes on without a stage; its totals stay.
	fn leave(&mut self, stage: usize) {
		if let Some(seat) = self.seats.get_mut(stage) {
			seat.vacate();
			seat.gone = true;
			seat.signature = None;
		}
	}

	/// Has the stage computed again for the record alone; without anybody for it there is none.
	fn replace_for_record(&mut self, stage: usize, loss: Loss) {
		if let Err(loss) = self.replace(stage, loss) {
			let stage = u16::try_from(stage).unwrap_or(u16::MAX);
			self.unrecord(NoRecord::NoReplica { stage, reason: loss.reason });
		}
	}

	/// The last stage, which has to sign, is lost: its replacement has used other energy, so that the
	/// record changes for all. It needs its neighbours to compute.
	fn sign_again(&mut self, last: usize, loss: Loss) {
		self.phase = Phase::Totals;
		for seat in &mut self.seats {
			seat.signature = None;
		}
		let gone: Vec<usize> = (0..self.seats.len()).filter(|stage| self.is_gone(*stage)).collect();
		self.replace_for_record(last, loss);
		for stage in gone {
			if matches!(self.phase, Phase::Totals) {
				self.replace_for_record(stage, Loss::new("it was lost before it signed"));
			}
		}
	}

	fn is_gone(&self, stage: usize) -> bool {
		self.seats.get(stage).is_some_and(|seat| seat.gone)
	}

	fn unrecord(&mut self, reason: NoRecord) {
		tracing::warn!(target: "aria::pipeline", %reason, "an answer has no record");
		self.end_pauses();
		self.unrecorded = Some(reason);
		self.phase = Phase::Done;
	}

	pub(super) fn take_totals(
		&mut self,
		stage: usize,
		totals: Totals,
	) -> Result<(), PipelineError> {
		if !matches!(self.phase, Phase::Totals) {
			return self.lose(stage, Loss::new("it says totals that it was not asked for"));
		}
		let target = self.target();
		let Some(seat) = self.seats.get_mut(stage) else { return Ok(()) };
		if seat.totals.is_some() {
			return self.lose(stage, Loss::new("it says totals twice"));
		}
		if seat.accepted != Some(totals.consent_version) {
			return self.lose(stage, Loss::new("it changes its consent within an answer"));
		}
		seat.totals = Some(totals);
		seat.position = seat.position.max(target);
		self.progress = Instant::now();
		self.sign_if_complete();
		Ok(())
	}

	/// Makes the record and asks for signatures, once all stages have said their totals.
	fn sign_if_complete(&mut self) {
		let totals: Vec<Totals> =
			self.seats.iter().filter_map(|seat| seat.totals.clone()).collect();
		let Some(ended) = self.ended.filter(|_| totals.len() == self.seats.len()) else { return };
		let answer = self.answered();
		let built = build(self.job, &self.genesis, &answer, ended, &self.places(), &totals);
		let body = match built {
			Ok(body) => body,
			Err(reason) => return self.unrecord(reason),
		};
		for seat in self.seats.iter().filter(|seat| !seat.gone) {
			seat.say(ToStage::Sign(body.clone()));
		}
		let until = Instant::now() + self.timing.sign;
		let id = body.id(&self.genesis);
		self.phase = Phase::Signing { id, body: Box::new(body), until };
	}

	pub(super) fn take_signature(
		&mut self,
		stage: usize,
		signature: Signature,
	) -> Result<(), PipelineError> {
		let Phase::Signing { id, .. } = &self.phase else {
			// Over a record that a replacement has changed; it was on its way.
			return Ok(());
		};
		let id = *id;
		let Some(seat) = self.seats.get_mut(stage) else { return Ok(()) };
		if !is_signed(&id, &signature, &seat.place.node) {
			if self.attempt > 0 {
				// It may be over the record before this one.
				return Ok(());
			}
			return self.lose(stage, Loss::new("its signature is not over the record"));
		}
		seat.signature = Some(signature);
		self.end_if_signed();
		Ok(())
	}

	/// Ends the job once nobody is waited for.
	fn end_if_signed(&mut self) {
		if self.seats.iter().all(|seat| seat.gone || seat.signature.is_some()) {
			self.end_with_record();
		}
	}

	fn end_with_record(&mut self) {
		self.end_pauses();
		if let Phase::Signing { id, body, .. } = std::mem::replace(&mut self.phase, Phase::Done) {
			self.record = Some(SignedRecord {
				id,
				body: *body,
				signatures: self.seats.iter().map(|seat| seat.signature.clone()).collect(),
				payment: Payment::Ticket(self.job.payment.clone()),
			});
		}
	}

	/// Goes on without those who do not sign in time; the last stage has to.
	pub(super) fn look_for_signatures(&mut self, now: Instant) -> Result<(), PipelineError> {
		match &self.phase {
			Phase::Signing { until, .. } if now >= *until => {}
			_ => return Ok(()),
		}
		let last = self.seats.len().saturating_sub(1);
		if self.seats.get(last).is_some_and(|seat| seat.signature.is_none()) {
			return self.lose(last, Loss::new("it does not sign"));
		}
		self.end_with_record();
		Ok(())
	}
}
