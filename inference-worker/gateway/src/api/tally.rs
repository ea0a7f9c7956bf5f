//! What a request used: for limits, metrics and the log.

use crate::{
	backend::{Event, Request, Usage},
	limits::Charge,
	metrics::Metrics,
};
use std::{sync::Arc, time::Instant};

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
	/// With all its answers.
	Complete,
	/// The client went away.
	Cancelled,
	/// The client took nothing.
	Stalled,
	/// The backend gave up.
	Failed,
	/// The gateway stopped.
	Stopped,
}

/// Counts while a request is answered, and sums up when it is dropped.
pub(super) struct Tally {
	metrics: Arc<Metrics>,
	charge: Charge,
	received: Instant,
	request_id: Arc<str>,
	key: String,
	model: String,
	choices: Vec<Counted>,
	has_token: bool,
	/// How it ended, as far as is known.
	pub end: End,
}

struct Counted {
	prompt: u32,
	begun: bool,
	tokens: u32,
	replaced: u32,
	last: Option<Instant>,
	usage: Option<Usage>,
}

impl Tally {
	/// Of a request that was `received` then and asks `model` as many questions as there are
	/// `requests`, of which `width` begin at once.
	pub fn new(
		metrics: Arc<Metrics>,
		charge: Charge,
		received: Instant,
		model: String,
		requests: &[Request],
		width: usize,
	) -> Self {
		let choices = requests
			.iter()
			.enumerate()
			.map(|(index, request)| Counted {
				prompt: u32::try_from(request.prompt_tokens.len()).unwrap_or(u32::MAX),
				begun: index < width,
				tokens: 0,
				replaced: 0,
				last: None,
				usage: None,
			})
			.collect();
		let first = requests.first();
		Self {
			metrics,
			charge,
			received,
			request_id: first.map_or_else(|| "".into(), |request| request.request_id.clone()),
			key: first.map_or_else(String::new, |request| request.principal.name.clone()),
			model,
			choices,
			has_token: false,
			end: End::Cancelled,
		}
	}

	/// Takes note of what happened to the choice `index`.
	pub fn note(&mut self, index: usize, event: &Event) {
		let Some(choice) = self.choices.get_mut(index) else { return };
		choice.begun = true;
		match event {
			Event::Token { .. } => {
				let now = Instant::now();
				if !self.has_token {
					self.has_token = true;
					self.metrics.first_token.observe((now - self.received).as_secs_f64());
				}
				if let Some(last) = choice.last.replace(now) {
					self.metrics.per_token.observe((now - last).as_secs_f64());
				}
				choice.tokens = choice.tokens.saturating_add(1);
			}
			Event::Replaced => {
				choice.replaced = choice.replaced.saturating_add(1);
				self.metrics.replaced.inc();
			}
			Event::Finished(finished) => {
				let usage = finished.usage;
				choice.usage = Some(usage);
				for (kind, count) in [
					("prompt", usage.prompt_tokens),
					("cached", usage.cached_tokens),
					("completion", usage.completion_tokens),
				] {
					self.metrics.tokens.with_label_values(&[kind]).inc_by(u64::from(count));
				}
			}
			Event::Failed(refused) => {
				tracing::warn!(
					target: "aria::gateway",
					request = &*self.request_id,
					choice = index,
					"an answer broke off: {refused}",
				);
			}
		}
	}

	/// Workers of the choice `index` that were replaced.
	pub fn replaced(&self, index: usize) -> u32 {
		self.choices.get(index).map_or(0, |choice| choice.replaced)
	}
}

impl Drop for Tally {
	fn drop(&mut self) {
		let (mut prompt, mut completion) = (0u64, 0u64);
		for choice in self.choices.iter().filter(|choice| choice.begun) {
			let usage = choice.usage.unwrap_or(Usage {
				prompt_tokens: choice.prompt,
				completion_tokens: choice.tokens,
				cached_tokens: 0,
			});
			prompt = prompt.saturating_add(usage.prompt_tokens.into());
			completion = completion.saturating_add(usage.completion_tokens.into());
		}
		self.charge.set_used(prompt.saturating_add(completion));
		match self.end {
			End::Complete => {}
			End::Cancelled => self.metrics.cancelled.inc(),
			End::Stalled => self.metrics.stalled.inc(),
			End::Failed | End::Stopped => self.metrics.failed.inc(),
		}
		// The backend says at the level of info that an answer is complete, and where it comes from.
		tracing::debug!(
			target: "aria::gateway",
			request = &*self.request_id,
			key = self.key.as_str(),
			model = self.model.as_str(),
			choices = self.choices.len(),
			prompt,
			completion,
			milliseconds = u64::try_from(self.received.elapsed().as_millis()).unwrap_or(u64::MAX),
			end = ?self.end,
			"a request has ended",
		);
	}
}
