//! What a gateway says to a session, and how the session ends well: totals and a signature.

use super::{failed, Exit, Stage};
use crate::pipeline::{
	answer::worked_on,
	narrow,
	order::check_replan,
	record::{check, check_answer, Known},
	types::Dialer,
	wide,
};
use aria_network::wire::pipeline::{FromStage, Stages, ToStage, Totals};
use aria_primitives::record::RecordBody;
use sp_core::Pair;
use tokio::time::Instant;

impl<D: Dialer> Stage<'_, D> {
	pub(super) fn hear(&mut self, message: Option<Result<ToStage, String>>) -> Result<(), Exit> {
		self.heard = Instant::now();
		let message = match message {
			Some(Ok(message)) => message,
			Some(Err(reason)) => return Err(Exit::Gone(reason)),
			None => return Err(Exit::Gone("the gateway has left".to_owned())),
		};
		match message {
			ToStage::Ping(ping) => self.say(FromStage::Pong { ping, position: self.position }),
			ToStage::Replan { attempt, stages } => self.replan(attempt, stages),
			ToStage::Stop { tokens } => self.stop(tokens),
			ToStage::Sign(body) => self.sign(&body),
			ToStage::Close => Err(Exit::Closed),
		}
	}

	/// Links again with whom the neighbours have become.
	fn replan(&mut self, attempt: u32, stages: Stages) -> Result<(), Exit> {
		if attempt <= self.attempt {
			return Err(failed("a replacement of an earlier attempt was ordered"));
		}
		let all_layers = self.host.own().all_layers;
		check_replan(&self.stages, &stages, self.task.stage, all_layers)
			.map_err(|reason| failed(format!("the replacement: {reason}")))?;
		let old = std::mem::replace(&mut self.stages, stages.into_inner());
		self.attempt = attempt;
		let is_new = |stage: usize| match (old.get(stage), self.stages.get(stage)) {
			(Some(old), Some(new)) => old.peer != new.peer,
			_ => true,
		};
		let (new_previous, new_next) = (is_new(self.task.previous()), is_new(self.task.next()));
		if new_previous {
			self.input = None;
			self.input_attempt = 0;
			self.pending.clear();
		}
		if new_next {
			self.connect();
		}
		for link in std::mem::take(&mut self.early) {
			self.take_link(link);
		}
		Ok(())
	}

	fn stop(&mut self, tokens: u32) -> Result<(), Exit> {
		if tokens == 0 || tokens > self.task.limit {
			return Err(failed(format!("an answer can't have {tokens} tokens")));
		}
		if self.stop.is_some_and(|before| before != tokens) {
			return Err(failed("the answer was said to have another length before"));
		}
		if self.finish.is_some() && tokens > self.drawn {
			return Err(failed("the answer has ended before that token"));
		}
		self.stop = Some(tokens);
		self.complete()
	}

	/// Says the totals, once everything that the answer needs is computed.
	pub(super) fn complete(&mut self) -> Result<(), Exit> {
		let Some(tokens) = self.stop else { return Ok(()) };
		let computed = self.position >= worked_on(self.task.prompt, tokens)
			&& (!self.task.is_last() || self.drawn >= tokens);
		if self.totals.is_some() || !computed {
			return Ok(());
		}
		self.end_text(tokens)?;
		let Some(worker) = &mut self.worker else { return Ok(()) };
		let (energy, before, behind) = worker.totals(tokens, &self.order.query_hash);
		let totals = Totals {
			energy_mj: energy.mj,
			energy_source: energy.source,
			consent_version: self.consent_version,
			before,
			behind,
		};
		self.totals = Some(totals.clone());
		self.say(FromStage::Totals(totals))
	}

	/// Ends the last stage's text where the gateway ended the answer, which may be before the last
	/// token that was drawn.
	fn end_text(&mut self, tokens: u32) -> Result<(), Exit> {
		if self.worker.is_none() || !self.task.is_last() {
			return Ok(());
		}
		if tokens < self.drawn {
			self.text = self.host.answer_text(&self.task);
			if let Some(text) = &mut self.text {
				for token in self.tokens.iter().take(wide(tokens)) {
					text.push(*token).map_err(|error| failed(error.to_string()))?;
				}
			}
			self.drawn = tokens;
			self.tokens.truncate(wide(tokens));
		}
		if let Some(text) = &mut self.text {
			text.cancel().map_err(|error| failed(error.to_string()))?;
			self.finish = text.finish();
		}
		Ok(())
	}

	fn sign(&mut self, body: &RecordBody) -> Result<(), Exit> {
		let (Some(totals), Some(tokens)) = (&self.totals, self.stop) else {
			return Err(failed("a signature was asked for before the totals were said"));
		};
		let parts = self.host.parts();
		let known = Known {
			order: &self.order,
			stages: &self.stages,
			stage: self.task.stage,
			totals,
			tokens,
			genesis: &parts.genesis,
			now: crate::run::live::now(),
		};
		let refused = |what: String| {
			failed(format!("the record is not signed: its {what} is not what this stage knows"))
		};
		check(body, &known).map_err(refused)?;
		if let (true, Some(query), Some(text)) =
			(self.task.is_last(), &self.order.query, &self.text)
		{
			let drawn = self.tokens.get(..wide(tokens)).unwrap_or_default();
			check_answer(body, query, drawn, text).map_err(refused)?;
		}
		let id = body.id(&parts.genesis);
		// One record an attempt: a replacement changes the record, nothing else does.
		if self.signed.is_some_and(|(attempt, signed)| attempt == self.attempt && signed != id) {
			return Err(failed("another record was signed before"));
		}
		self.signed = Some((self.attempt, id));
		parts.guard.signed(id, body);
		tracing::debug!(
			target: "aria::pipeline",
			record = ?id,
			tokens = narrow(self.tokens.len()),
			"signed a record"
		);
		self.say(FromStage::Signature(parts.pair.sign(id.as_bytes()).into()))
	}
}
