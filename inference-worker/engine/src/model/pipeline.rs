//! Stages one after another in one process: what a network of workers computes, without the network.

use super::{Activations, Cancel, Input, Session};
use crate::error::{EngineError, Result};

/// Sessions that together run all layers of a model, in order, over one sequence.
pub struct Pipeline {
	stages: Vec<Session>,
	cancel: Cancel,
	/// The last token's residual stream behind the last layer.
	state: Vec<f32>,
	hidden: Vec<f32>,
	logits: Vec<f32>,
	/// Whether `hidden` is the state of the last token.
	ready: bool,
}

/// Is told what each stage but the last gives out: the stage's index, the position of the first token,
/// and the activations. The last stage's leaves of a trace are final hidden states, which
/// [`Pipeline::hidden`] has.
pub type Observer<'a> = dyn FnMut(usize, u32, Activations<'_>) -> Result<()> + 'a;

impl Pipeline {
	/// A pipeline of `stages`, which must cover the layers of one model from the first to the last.
	///
	/// # Errors
	///
	/// [`EngineError::Layers`] where they leave a gap or overlap, [`EngineError::Session`] where one
	/// has seen another number of positions or has other dimensions.
	pub fn new(stages: Vec<Session>) -> Result<Self> {
		let (Some(first), Some(last)) = (stages.first(), stages.last()) else {
			return Err(EngineError::Layers { reason: "a pipeline has at least one stage".into() });
		};
		let (config, position) = (first.model().config().clone(), first.position());
		let model_id = first.model().model_id();
		let mut next = 0;
		for stage in &stages {
			let range = stage.model().layers();
			if range.first != next {
				let reason = format!("a stage begins at layer {}, expected {next}", range.first);
				return Err(EngineError::Layers { reason });
			}
			next = range.end;
			if stage.position() != position || stage.model().model_id() != model_id {
				let reason = "the stages are not of one model and at one position".into();
				return Err(EngineError::Session { reason });
			}
		}
		if !last.model().is_last() {
			let reason = format!("the stages end at layer {next} of {}", config.layers);
			return Err(EngineError::Layers { reason });
		}
		Ok(Self {
			state: vec![0.0; config.hidden],
			hidden: vec![0.0; config.hidden],
			logits: vec![0.0; config.vocab],
			stages,
			cancel: Cancel::new(),
			ready: false,
		})
	}

	/// What ends a step early, from any thread.
	pub fn cancel(&self) -> Cancel {
		self.cancel.clone()
	}

	/// Listens to another request to cancel from now on.
	pub fn set_cancel(&mut self, cancel: Cancel) {
		self.cancel = cancel;
	}

	/// The stages.
	pub fn stages(&self) -> &[Session] {
		&self.stages
	}

	/// Positions seen.
	pub fn position(&self) -> u32 {
		self.stages.first().map_or(0, Session::position)
	}

	/// Most positions: of the stage that has room for the fewest.
	pub fn max_positions(&self) -> usize {
		self.stages.iter().map(Session::max_positions).min().unwrap_or(0)
	}

	/// Bytes of keys and values.
	pub fn kv_bytes(&self) -> usize {
		self.stages.iter().map(Session::kv_bytes).sum()
	}

	/// Forgets all positions from `positions` on.
	pub fn truncate(&mut self, positions: u32) {
		if positions < self.position() {
			self.ready = false;
		}
		self.stages.iter_mut().for_each(|stage| stage.truncate(positions));
	}

	/// Runs `tokens`, at most `chunk` at a time, and gives the final hidden state of the last.
	///
	/// # Errors
	///
	/// As [`Session::forward`]; then all stages are at the position that they had before the call.
	pub fn prefill(&mut self, tokens: &[u32], chunk: usize) -> Result<&[f32]> {
		self.observed(tokens, chunk, &mut |_, _, _| Ok(()))
	}

	/// Runs one token, and gives its final hidden state.
	///
	/// # Errors
	///
	/// As [`Self::prefill`].
	pub fn decode(&mut self, token: u32) -> Result<&[f32]> {
		self.prefill(&[token], 1)
	}

	/// As [`Self::prefill`]; `observer` is told what passes between stages.
	///
	/// # Errors
	///
	/// As [`Self::prefill`], and whatever `observer` fails with.
	pub fn observed(
		&mut self,
		tokens: &[u32],
		chunk: usize,
		observer: &mut Observer<'_>,
	) -> Result<&[f32]> {
		let start = self.position();
		self.ready = false;
		let result = self.run(tokens, chunk.max(1), observer);
		if let Err(error) = result {
			self.truncate(start);
			return Err(error);
		}
		self.ready = true;
		Ok(&self.hidden)
	}

	fn run(&mut self, tokens: &[u32], chunk: usize, observer: &mut Observer<'_>) -> Result<()> {
		if tokens.is_empty() {
			let reason = "nothing to work on; give at least one token".into();
			return Err(EngineError::Session { reason });
		}
		// Before any work, and with the whole length.
		let needed = u64::from(self.position()).saturating_add(tokens.len() as u64);
		let context = self.max_positions() as u64;
		if needed > context {
			return Err(EngineError::ContextExceeded { needed, context });
		}
		let mut left = tokens;
		while !left.is_empty() {
			let (part, behind) = left.split_at(chunk.min(left.len()));
			self.pass(part, behind.is_empty(), observer)?;
			left = behind;
		}
		Ok(())
	}

	/// One chunk through all stages; the final hidden state of its last token if it is the last.
	fn pass(&mut self, tokens: &[u32], last: bool, observer: &mut Observer<'_>) -> Result<()> {
		let position = self.position();
		let Some((first, others)) = self.stages.split_first_mut() else { return Ok(()) };
		let mut activations = first.forward(Input::Tokens(tokens), &self.cancel)?;
		for (index, stage) in others.iter_mut().enumerate() {
			observer(index, position, activations)?;
			activations = stage.forward(Input::Activations(activations.values), &self.cancel)?;
		}
		if last {
			self.state.copy_from_slice(activations.last());
			if let Some(stage) = self.stages.last() {
				stage.final_hidden(&self.state, &mut self.hidden)?;
			}
		}
		Ok(())
	}

	/// The final hidden state of the last token: what the last stage's leaf of a trace holds.
	///
	/// # Errors
	///
	/// [`EngineError::Session`] before the first token, and after [`Self::truncate`] or an error.
	pub fn hidden(&self) -> Result<&[f32]> {
		self.is_ready()?;
		Ok(&self.hidden)
	}

	/// The logits of the last token, one for each entry of the vocabulary.
	///
	/// # Errors
	///
	/// As [`Self::hidden`], and [`EngineError::NotFinite`].
	pub fn logits(&mut self) -> Result<&[f32]> {
		self.is_ready()?;
		if let Some(stage) = self.stages.last_mut() {
			stage.logits(&self.hidden, &mut self.logits)?;
		}
		Ok(&self.logits)
	}

	fn is_ready(&self) -> Result<()> {
		if self.ready {
			Ok(())
		} else {
			let reason = "there is no last token; run at least one first".into();
			Err(EngineError::Session { reason })
		}
	}
}

impl std::fmt::Debug for Pipeline {
	fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
		f.debug_struct("Pipeline").field("stages", &self.stages).finish_non_exhaustive()
	}
}
