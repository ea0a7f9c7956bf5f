//! From a query to an answer.
//!
//! A [`Generator`] holds a pipeline over one sequence. Keys and values stay from answer to answer, so
//! that a prompt which begins like the last one, as a chat that goes on does, is worked on from the
//! first token that differs.
//!
//! What ends an answer, in this order: a token that the manifest lists in `eos`; a stop sequence in
//! the text, wherever tokens cut it; `max_tokens`, or the context, in which prompt and answer have to
//! fit together. The token that ends it is one of the answer's tokens; its text, or that of the stop
//! sequence and of whatever follows it, is not part of the answer's text.

use crate::{
	error::{EngineError, Result},
	model::{Activations, Cancel, Pipeline},
	package::Package,
	sampler::{sample, SampleScratch},
	text::{ChatTokenizer, StopScanner},
	trace::{BoundaryTrace, Hash},
};
use aria_primitives::{
	query::{CanonicalQuery, QUERY_VERSION},
	record::FinishReason,
	ModelId, QueryHash,
};
use std::{
	ops::ControlFlow,
	sync::Arc,
	time::{Duration, Instant},
};

/// Tokens of a prompt that are worked on at once, if nobody says: enough for the kernels, and few
/// enough for what passes between stages to stay small.
const CHUNK: usize = 512;

/// A token of an answer, when it was drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step<'a> {
	/// Its place in the answer, from 0.
	pub index: u32,
	/// The token.
	pub token: u32,
	/// The text that has become certain with it: the next piece of the answer, often empty.
	pub text: &'a str,
	/// Why the answer ends with it, if it does.
	pub finish: Option<FinishReason>,
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
	/// Its tokens, the one that ended it included.
	pub tokens: Vec<u32>,
	/// Its text: that of the tokens, up to the stop sequence if one ended it.
	pub text: String,
	/// Why it ended.
	pub finish_reason: FinishReason,
	/// Tokens of the prompt.
	pub prompt_tokens: u32,
	/// Those of them whose keys and values were at hand.
	pub cached_tokens: u32,
	/// How long it took.
	pub timings: Timings,
}

/// How long the parts of an answer took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timings {
	/// From the query to its first token.
	pub first_token: Duration,
	/// From the first token to the last.
	pub rest: Duration,
}

impl Answer {
	/// Tokens of the prompt that were worked on, a second; 0 if there were none.
	pub fn prompt_rate(&self) -> f64 {
		rate(self.prompt_tokens.saturating_sub(self.cached_tokens).into(), self.timings.first_token)
	}

	/// Tokens of the answer behind the first, a second; 0 if there were none.
	pub fn answer_rate(&self) -> f64 {
		rate(self.tokens.len().saturating_sub(1) as f64, self.timings.rest)
	}
}

fn rate(count: f64, time: Duration) -> f64 {
	let seconds = time.as_secs_f64();
	if seconds > 0.0 {
		count / seconds
	} else {
		0.0
	}
}

/// The boundaries of one query while it is answered (`docs/protocol/record.md`, "Boundaries").
#[derive(Clone, Debug)]
pub struct QueryTrace {
	query_hash: QueryHash,
	/// `B_0` and one behind each stage.
	boundaries: Vec<BoundaryTrace>,
}

impl QueryTrace {
	/// The trace of `query` through `stages` stages.
	pub fn new(query: &CanonicalQuery, stages: usize) -> Self {
		let mut boundaries = vec![BoundaryTrace::prompt(query.salt, &query.prompt_tokens)];
		boundaries.resize_with(stages.saturating_add(1), || BoundaryTrace::new(query.salt));
		Self { query_hash: query.hash(), boundaries }
	}

	/// Stages of the pipeline.
	pub fn stages(&self) -> usize {
		self.boundaries.len().saturating_sub(1)
	}

	/// The trees: of the prompt, of what each stage but the last gave on, of the last stage.
	pub fn trees(&self) -> &[BoundaryTrace] {
		&self.boundaries
	}

	/// `B_0 … B_n`, as a record holds them.
	pub fn boundaries(&self) -> Vec<Hash> {
		(0u16..)
			.zip(&self.boundaries)
			.map(|(index, tree)| tree.boundary(index, &self.query_hash))
			.collect()
	}

	/// Takes what `stage`, but the last, gave on for positions from `position` on.
	pub fn passed(
		&mut self,
		stage: usize,
		position: u32,
		activations: Activations<'_>,
	) -> Result<()> {
		let Some(tree) = self.boundaries.get_mut(stage.saturating_add(1)) else {
			return Err(other_stages());
		};
		let tokens = activations.values.chunks_exact(activations.hidden.max(1));
		for (position, x) in (position..).zip(tokens) {
			tree.push_activation(position, x)?;
		}
		Ok(())
	}

	/// Takes back what stages gave on for positions from `position` on: a step that was cancelled is no
	/// part of an answer, however far it got, so that the boundaries follow from query and answer.
	pub fn truncate(&mut self, position: u32) {
		let last = self.stages();
		for tree in self.boundaries.iter_mut().take(last).skip(1) {
			tree.truncate(position);
		}
	}

	/// Takes the final hidden state of `position` and the token that was drawn from it.
	pub fn drawn(&mut self, position: u32, hidden: &[f32], token: u32) -> Result<()> {
		match self.boundaries.last_mut() {
			Some(tree) => tree.push_final(position, hidden, token),
			None => Err(other_stages()),
		}
	}
}

fn other_stages() -> EngineError {
	EngineError::Session {
		reason: "the trace was made for fewer stages: make it for those of the pipeline".to_owned(),
	}
}

/// Positions that a pipeline needs to answer: prompt and answer, as far as the context goes.
pub fn positions(prompt_tokens: usize, max_tokens: u32, context: usize) -> usize {
	prompt_tokens
		.saturating_add(usize::try_from(max_tokens).unwrap_or(usize::MAX))
		.clamp(1, context.max(1))
}

/// Answers queries to one model, one after another.
pub struct Generator {
	pipeline: Pipeline,
	tokenizer: Arc<ChatTokenizer>,
	model_id: ModelId,
	eos: Vec<u32>,
	vocab: u32,
	context: usize,
	chunk: usize,
	/// The tokens whose keys and values the pipeline holds.
	held: Vec<u32>,
	scratch: SampleScratch,
}

impl Generator {
	/// A generator over the stages of `pipeline`, which run the model of `package`.
	pub fn new(package: &Package, mut pipeline: Pipeline, tokenizer: Arc<ChatTokenizer>) -> Self {
		pipeline.truncate(0);
		Self {
			pipeline,
			tokenizer,
			model_id: package.model_id(),
			eos: package.manifest.eos.to_vec(),
			vocab: package.manifest.vocab,
			context: package.manifest.context as usize,
			chunk: CHUNK,
			held: Vec::new(),
			scratch: SampleScratch::default(),
		}
	}

	/// Works on at most `chunk` tokens of a prompt at once from now on. Answers stay the same;
	/// cancelling takes effect sooner, and boundaries between stages take less memory.
	pub fn set_chunk(&mut self, chunk: usize) {
		self.chunk = chunk.max(1);
	}

	/// The stages.
	pub fn pipeline(&self) -> &Pipeline {
		&self.pipeline
	}

	/// The tokenizer.
	pub fn tokenizer(&self) -> &Arc<ChatTokenizer> {
		&self.tokenizer
	}

	/// Forgets all keys and values.
	pub fn forget(&mut self) {
		self.pipeline.truncate(0);
		self.held.clear();
	}

	/// Answers `query`. `on_step` gets each token when it is drawn, and breaks to end the answer there;
	/// `cancel` ends it from any thread, during the prompt too. Both count as
	/// [`FinishReason::Cancelled`], which is no error.
	///
	/// With a `trace`, which must be new and of as many stages, every position of the prompt is worked
	/// on again where there are several stages: their boundaries have leaves for cached positions too.
	///
	/// # Errors
	///
	/// [`EngineError::Session`] for a query to another model or of another version, without a prompt,
	/// or with a stop sequence that is empty or no UTF-8; [`EngineError::TokenOutOfRange`];
	/// [`EngineError::ContextExceeded`] if the prompt leaves no room for a token, or prompt and answer
	/// do not fit the pipeline; [`EngineError::Sampling`]; whatever a step fails with. The generator
	/// can be asked again afterwards.
	pub fn generate(
		&mut self,
		query: &CanonicalQuery,
		mut trace: Option<&mut QueryTrace>,
		cancel: &Cancel,
		on_step: &mut dyn FnMut(&Step<'_>) -> ControlFlow<()>,
	) -> Result<Answer> {
		let start = Instant::now();
		let mut scanner = StopScanner::new(self.check(query)?);
		let limit = self.limit(query)?;
		if trace.as_ref().is_some_and(|trace| trace.stages() != self.pipeline.stages().len()) {
			return Err(other_stages());
		}
		self.pipeline.set_cancel(cancel.clone());

		let tokenizer = self.tokenizer.clone();
		let mut stream = tokenizer.stream();
		let prompt: &[u32] = &query.prompt_tokens;
		let mut answer = Answer {
			tokens: Vec::new(),
			text: String::new(),
			finish_reason: FinishReason::Length,
			prompt_tokens: u32::try_from(prompt.len()).unwrap_or(u32::MAX),
			cached_tokens: 0,
			timings: Timings::default(),
		};
		if limit == 0 {
			return Ok(answer);
		}
		answer.cached_tokens = self.reuse(prompt, trace.is_some());
		let rest = prompt.get(answer.cached_tokens as usize..).unwrap_or_default();
		if !self.advance(rest, trace.as_deref_mut())? {
			answer.finish_reason = FinishReason::Cancelled;
			return Ok(answer);
		}

		let mut first = None;
		loop {
			let index = u32::try_from(answer.tokens.len()).unwrap_or(u32::MAX);
			let token = self.draw(query, index, trace.as_deref_mut())?;
			answer.tokens.push(token);

			let mut finish = None;
			let mut text = String::new();
			if self.eos.contains(&token) {
				finish = Some(FinishReason::Stop);
			} else {
				text = scanner.push(&stream.push(token)?);
				if scanner.stopped() {
					finish = Some(FinishReason::Stop);
				} else if answer.tokens.len() >= limit {
					finish = Some(FinishReason::Length);
				}
			}
			if finish.is_some() {
				text.push_str(&scanner.push(&stream.finish()?));
				text.push_str(&scanner.finish());
				// What the stream held back may have completed a stop sequence.
				finish = finish
					.map(|reason| if scanner.stopped() { FinishReason::Stop } else { reason });
			}
			answer.text.push_str(&text);
			let now = *first.get_or_insert_with(Instant::now);
			answer.timings = Timings { first_token: now - start, rest: now.elapsed() };

			let flow = on_step(&Step { index, token, text: &text, finish });
			if let Some(reason) = finish {
				answer.finish_reason = reason;
				break;
			}
			if flow.is_break() || !self.advance(&[token], trace.as_deref_mut())? {
				// The text follows from the tokens, whether or not all of it got to the client.
				let text = scanner.push(&stream.finish()?);
				answer.text.push_str(&text);
				answer.text.push_str(&scanner.finish());
				answer.finish_reason = FinishReason::Cancelled;
				break;
			}
		}
		Ok(answer)
	}

	/// Refuses a query that this generator cannot answer, and gives its stop sequences.
	fn check(&self, query: &CanonicalQuery) -> Result<Vec<String>> {
		let refused = |reason: String| Err(EngineError::Session { reason });
		if query.version != QUERY_VERSION {
			return refused(format!(
				"the query has version {}, this engine answers version {QUERY_VERSION}",
				query.version
			));
		}
		if query.model_id != self.model_id {
			return refused(format!(
				"the query asks model {:?}, this is {:?}",
				query.model_id, self.model_id
			));
		}
		if query.prompt_tokens.is_empty() {
			return refused("the prompt has no tokens: give it at least one".to_owned());
		}
		for (position, token) in (0u32..).zip(query.prompt_tokens.iter()) {
			if *token >= self.vocab {
				let (token, vocab) = (*token, self.vocab);
				return Err(EngineError::TokenOutOfRange { token, vocab, position });
			}
		}
		if !query.sampling.is_valid() {
			return Err(EngineError::Sampling {
				reason: "temperature_milli must be at most 100000 and top_p_ppm in 1..=1000000"
					.to_owned(),
			});
		}
		let mut stops = Vec::with_capacity(query.stop.len());
		for stop in &query.stop {
			match String::from_utf8(stop.to_vec()) {
				Ok(text) if !text.is_empty() => stops.push(text),
				_ => {
					return refused("a stop sequence is empty or no UTF-8: leave it out".to_owned())
				}
			}
		}
		Ok(stops)
	}

	/// Most tokens of the answer.
	fn limit(&self, query: &CanonicalQuery) -> Result<usize> {
		let prompt = query.prompt_tokens.len();
		let exceeded = |needed: usize, context: usize| EngineError::ContextExceeded {
			needed: needed as u64,
			context: context as u64,
		};
		if prompt >= self.context {
			return Err(exceeded(prompt.saturating_add(1), self.context));
		}
		let needed = positions(prompt, query.max_tokens, self.context);
		// The last token is drawn and not worked on.
		let room = self.pipeline.max_positions();
		if needed.saturating_sub(1).max(prompt) > room {
			return Err(exceeded(needed, room));
		}
		Ok(needed - prompt)
	}

	/// Forgets what does not begin `prompt`, and gives how much does. The last token is always worked
	/// on, because the answer begins with its hidden state.
	fn reuse(&mut self, prompt: &[u32], traced: bool) -> u32 {
		let same = self.held.iter().zip(prompt).take_while(|(held, token)| held == token).count();
		let same = if traced && self.pipeline.stages().len() > 1 {
			0
		} else {
			same.min(prompt.len().saturating_sub(1))
		};
		self.held.truncate(same);
		let same = u32::try_from(same).unwrap_or(u32::MAX);
		self.pipeline.truncate(same);
		same
	}

	/// Works on `tokens`; `false` if that was cancelled.
	fn advance(&mut self, tokens: &[u32], trace: Option<&mut QueryTrace>) -> Result<bool> {
		let result = match trace {
			Some(trace) => {
				let start = self.pipeline.position();
				let result = self
					.pipeline
					.observed(tokens, self.chunk, &mut |stage, position, activations| {
						trace.passed(stage, position, activations)
					})
					.map(|_| ());
				if result.is_err() {
					trace.truncate(start);
				}
				result
			}
			None => self.pipeline.prefill(tokens, self.chunk).map(|_| ()),
		};
		match result {
			Ok(()) => {
				self.held.extend_from_slice(tokens);
				Ok(true)
			}
			Err(EngineError::Cancelled) => Ok(false),
			Err(error) => Err(error),
		}
	}

	/// Draws the next token from the last hidden state.
	fn draw(
		&mut self,
		query: &CanonicalQuery,
		index: u32,
		trace: Option<&mut QueryTrace>,
	) -> Result<u32> {
		let logits = self.pipeline.logits()?;
		let token = sample(logits, &query.sampling, index, &mut self.scratch)?;
		if let Some(trace) = trace {
			let position = self.pipeline.position().saturating_sub(1);
			trace.drawn(position, self.pipeline.hidden()?, token)?;
		}
		Ok(token)
	}
}

impl std::fmt::Debug for Generator {
	fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
		f.debug_struct("Generator")
			.field("model_id", &self.model_id)
			.field("stages", &self.pipeline.stages().len())
			.field("held", &self.held.len())
			.finish_non_exhaustive()
	}
}
