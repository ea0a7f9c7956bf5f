//! Tokens of a job: the answer, how it ends, and how long it paused.

use super::{
	answer_text,
	run::{Phase, Run},
	seat::Loss,
};
use crate::pipeline::{
	error::{NoRecord, PipelineError},
	narrow,
	record::Ended,
	types::{Dialer, Event},
	wide,
};
use aria_network::wire::pipeline::ToStage;
use aria_primitives::record::FinishReason;
use std::time::{Duration, Instant, SystemTime};

/// Tokens after a replacement that a pause is looked for at: one may have been on its way before.
const TOKENS_OF_A_PAUSE: u32 = 2;

/// A pause after a replacement.
pub(super) struct Pause {
	stage: usize,
	since: Instant,
	longest: Duration,
	tokens: u32,
}

impl Pause {
	/// A pause of the answer because of `stage`, which was last heard of at `since`.
	pub fn new(stage: usize, since: Instant) -> Self {
		Self { stage, since, longest: Duration::ZERO, tokens: 0 }
	}
}

impl<D: Dialer> Run<'_, D> {
	pub(super) fn take_token(
		&mut self,
		stage: usize,
		index: u32,
		token: u32,
		finish: Option<FinishReason>,
	) -> Result<(), PipelineError> {
		if !matches!(self.phase, Phase::Answering) {
			// It was on its way when the answer was ended.
			return Ok(());
		}
		if wide(index) != self.tokens.len() || token >= self.job.tokenizer.vocab() {
			return self.lose(stage, Loss::new("it draws a token that can't be the next"));
		}
		let (text, ends) =
			self.text.push(token).map_err(|error| PipelineError::Text(error.to_string()))?;
		if ends != finish {
			self.take_back()?;
			return self.lose(stage, Loss::new("it does not know where the answer ends"));
		}
		self.tokens.push(token);
		self.mark_token(ends.is_some());
		self.tell(Event::Token { index, token, text });
		if ends.is_some() {
			return self.end_answer();
		}
		Ok(())
	}

	/// Makes the text that of the tokens again.
	fn take_back(&mut self) -> Result<(), PipelineError> {
		self.text = answer_text(self.job, self.checked);
		for token in &self.tokens {
			self.text.push(*token).map_err(|error| PipelineError::Text(error.to_string()))?;
		}
		Ok(())
	}

	/// Notes when a token came, and says which pauses are over.
	fn mark_token(&mut self, ends: bool) {
		let now = Instant::now();
		let before = self.last;
		self.progress = now;
		self.first.get_or_insert(now);
		self.last = Some(now);
		let mut over = Vec::new();
		self.pauses.retain_mut(|pause| {
			let since = before.map_or(pause.since, |before| before.max(pause.since));
			pause.longest = pause.longest.max(now.saturating_duration_since(since));
			pause.tokens += 1;
			let goes_on = pause.tokens < TOKENS_OF_A_PAUSE && !ends;
			if !goes_on {
				over.push((pause.stage, pause.longest));
			}
			goes_on
		});
		for (stage, waited) in over {
			self.tell_replaced(stage, waited);
		}
	}

	fn tell_replaced(&mut self, stage: usize, waited: Duration) {
		let stage = u16::try_from(stage).unwrap_or(u16::MAX);
		tracing::info!(target: "aria::pipeline", stage, ?waited, "an answer goes on");
		self.tell(Event::Replaced { stage, waited });
	}

	/// Says the pauses of replacements after which no token came.
	pub(super) fn end_pauses(&mut self) {
		for pause in std::mem::take(&mut self.pauses) {
			let waited = if pause.tokens > 0 { pause.longest } else { pause.since.elapsed() };
			self.tell_replaced(pause.stage, waited);
		}
	}

	/// Ends the answer with the tokens that there are.
	pub(super) fn cancel(&mut self) -> Result<(), PipelineError> {
		self.text.cancel().map_err(|error| PipelineError::Text(error.to_string()))?;
		if self.tokens.is_empty() {
			self.unrecorded = Some(NoRecord::NoTokens);
			self.pauses.clear();
			self.phase = Phase::Done;
			return Ok(());
		}
		self.end_answer()
	}

	/// Asks the stages for what the record needs.
	fn end_answer(&mut self) -> Result<(), PipelineError> {
		let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
		let last = self.last.unwrap_or(self.started);
		let latency = last.saturating_duration_since(self.started);
		self.ended = Some(Ended {
			// A record with none is refused (`docs/protocol/settlement.md`).
			latency_ms: u32::try_from(latency.as_millis()).unwrap_or(u32::MAX).max(1),
			timestamp: since_epoch
				.map_or(0, |time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX)),
		});
		self.phase = Phase::Totals;
		let tokens = narrow(self.tokens.len());
		for seat in &self.seats {
			seat.say(ToStage::Stop { tokens });
		}
		Ok(())
	}
}
