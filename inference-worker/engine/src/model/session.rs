//! The state of one sequence in a range of layers.

use super::{
	kv::{grow, KvCache},
	layer::{at, is_finite, norm, prepare, Block, Input, Layer, Pass, Products, Scratch},
	linear::HeadWeights,
	threads::{lock, own, write},
	Cancel, Model, Output,
};
use crate::{
	error::{EngineError, Result},
	kernels::{quantise, QuantisedActivations},
};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

/// Tokens of a chunk that each lane has.
const CHUNK_A_LANE: usize = 32;
/// Most tokens of a chunk, and least where a lane alone would have fewer.
const CHUNK: std::ops::RangeInclusive<usize> = 64..=256;
/// Floats of a chunk's widest activations at most: 64 MiB.
const MAX_CHUNK_FLOATS: usize = 16 << 20;

/// One sequence: keys and values of its positions so far, and memory to work with.
///
/// Memory: keys and values as [`Model::session`] says; what the last call gave out,
/// `tokens × hidden × 4` bytes; and a bounded amount to work with, of a chunk of at most 256 tokens.
/// A step of one token allocates nothing that depends on the model's size, but a page every
/// [`PAGE`] positions.
pub struct Session {
	model: Arc<Model>,
	max_positions: usize,
	position: usize,
	kv: KvCache,
	/// One for each lane.
	blocks: Vec<RwLock<Block>>,
	scratch: Vec<RwLock<Scratch>>,
	/// What the last call gave out.
	out: Vec<f32>,
	/// The final hidden state in integers.
	head_input: QuantisedActivations,
	/// Most rows that a lane has of any group.
	most_rows: usize,
	/// Tokens worked on together.
	chunk: usize,
	/// Whether the feed-forward part of the last layer is left out.
	short: bool,
}

/// The residual stream behind the last layer of a range, before the output norm.
#[derive(Clone, Copy, Debug)]
pub struct Activations<'a> {
	/// Tokens.
	pub tokens: usize,
	/// Values of a token.
	pub hidden: usize,
	/// `[tokens, hidden]`.
	pub values: &'a [f32],
}

impl<'a> Activations<'a> {
	/// The values of one token of the call.
	pub fn token(&self, index: usize) -> Option<&'a [f32]> {
		let start = index.checked_mul(self.hidden)?;
		self.values.get(start..start.checked_add(self.hidden)?)
	}

	/// The values of the last token.
	pub fn last(&self) -> &'a [f32] {
		self.tokens.checked_sub(1).and_then(|last| self.token(last)).unwrap_or(&[])
	}
}

impl Session {
	pub(super) fn new(model: Arc<Model>, max_positions: usize) -> Result<Self> {
		let context = model.config.context;
		if max_positions == 0 {
			let reason = "a session of 0 positions holds no token; ask for at least 1".into();
			return Err(EngineError::Session { reason });
		}
		if max_positions > context {
			let (needed, context) = (max_positions as u64, context as u64);
			return Err(EngineError::ContextExceeded { needed, context });
		}
		let config = &model.config;
		let lanes = model.threads.count();
		let widest = config.hidden.max(config.query_dim()).max(config.feed_forward);
		let chunk = (CHUNK_A_LANE * lanes).clamp(*CHUNK.start(), *CHUNK.end());
		Ok(Self {
			max_positions,
			position: 0,
			kv: KvCache::new(model.layers.len(), config.kv_heads, config.head_dim),
			blocks: (0..lanes).map(|_| RwLock::default()).collect(),
			scratch: (0..lanes).map(|_| RwLock::default()).collect(),
			out: Vec::new(),
			head_input: QuantisedActivations::default(),
			most_rows: model.layers.iter().map(Layer::most_rows).max().unwrap_or(0),
			chunk: chunk.min((MAX_CHUNK_FLOATS / widest).max(1)),
			short: false,
			model,
		})
	}

	/// The model that the session runs on.
	pub fn model(&self) -> &Arc<Model> {
		&self.model
	}

	/// Positions seen: the next token's position.
	pub fn position(&self) -> u32 {
		self.position as u32
	}

	/// Most positions.
	pub fn max_positions(&self) -> usize {
		self.max_positions
	}

	/// Forgets all positions from `positions` on. What was before stays: a prompt that begins like
	/// the last one goes on from there. Does nothing if there are no more.
	pub fn truncate(&mut self, positions: u32) {
		self.position = self.position.min(positions as usize);
		self.kv.truncate(self.position);
	}

	/// Computes falsely from now on: the last layer of the range adds nothing by its feed-forward part. For
	/// canaries (`docs/protocol/audit.md`); who does not run the layers sees nothing of it.
	pub fn cut_short(&mut self) {
		self.short = true;
	}

	/// Bytes of keys and values now.
	pub fn kv_bytes(&self) -> usize {
		self.kv.bytes()
	}

	/// Runs the next tokens through the layers, any number of them, and gives what leaves the last
	/// layer for each.
	///
	/// # Errors
	///
	/// On any error the session is at the position that it had before the call, and goes on from
	/// there. [`EngineError::TokenOutOfRange`]; [`EngineError::ContextExceeded`];
	/// [`EngineError::Session`] for an input of the wrong kind or length;
	/// [`EngineError::NotFinite`] where the numerics have no result; [`EngineError::Cancelled`],
	/// which is looked for before each layer of each chunk; [`EngineError::Memory`].
	pub fn forward(&mut self, input: Input<'_>, cancel: &Cancel) -> Result<Activations<'_>> {
		self.work(input, cancel, None)
	}

	/// As [`Self::forward`] of one token, with everything that its matrices were given and gave on the
	/// way: for each layer the products of query, key and value, of attention's output, of gate and up,
	/// and of down.
	///
	/// # Errors
	///
	/// As [`Self::forward`], and [`EngineError::Session`] for more than one token.
	pub fn traced(&mut self, input: Input<'_>, cancel: &Cancel) -> Result<Vec<Products>> {
		let tokens = self.check(input)?;
		if tokens != 1 {
			let reason = format!("{tokens} tokens are to be traced: give it one at a time");
			return Err(EngineError::Session { reason });
		}
		let tap = Mutex::new(Vec::new());
		self.work(input, cancel, Some(&tap))?;
		Ok(tap.into_inner().unwrap_or_else(PoisonError::into_inner))
	}

	fn work(
		&mut self,
		input: Input<'_>,
		cancel: &Cancel,
		tap: Option<&Mutex<Vec<Products>>>,
	) -> Result<Activations<'_>> {
		let hidden = self.model.config.hidden;
		let tokens = self.check(input)?;
		let end = self.position + tokens;
		self.kv.reserve(end)?;
		grow(&mut self.out, tokens * hidden, "outputs")?;
		let mut done = 0;
		while done < tokens {
			let count = self.chunk.min(tokens - done);
			let part = match input {
				Input::Tokens(all) => Input::Tokens(&all[done..done + count]),
				Input::Activations(all) => {
					Input::Activations(&all[done * hidden..(done + count) * hidden])
				}
			};
			self.pass(part, done, count, cancel, tap)?;
			done += count;
		}
		// Only now: whatever failed before is written over by the next call.
		self.position = end;
		Ok(Activations { tokens, hidden, values: &self.out[..tokens * hidden] })
	}

	/// The number of tokens of an input that is right.
	fn check(&self, input: Input<'_>) -> Result<usize> {
		let config = &self.model.config;
		let refused = |reason: String| Err(EngineError::Session { reason });
		let tokens = match input {
			Input::Tokens(tokens) => {
				if !self.model.is_first() {
					let first = self.model.range.first;
					return refused(format!(
						"a stage that begins at layer {first} takes activations, not tokens"
					));
				}
				tokens.len()
			}
			Input::Activations(values) => {
				if self.model.is_first() {
					return refused("the first stage takes tokens, not activations".into());
				}
				if values.len() % config.hidden != 0 {
					return refused(format!(
						"{} activations are no multiple of {}, the values of a token",
						values.len(),
						config.hidden
					));
				}
				values.len() / config.hidden
			}
		};
		if tokens == 0 {
			return refused("nothing to work on; give at least one token".into());
		}
		let needed = self.position.saturating_add(tokens);
		if needed > self.max_positions {
			let (needed, context) = (needed as u64, self.max_positions as u64);
			return Err(EngineError::ContextExceeded { needed, context });
		}
		match input {
			Input::Tokens(all) => {
				let unknown = |token: &u32| *token as usize >= config.vocab;
				if let Some(index) = all.iter().position(unknown) {
					return Err(EngineError::TokenOutOfRange {
						token: all[index],
						vocab: config.vocab as u32,
						position: (self.position + index) as u32,
					});
				}
			}
			Input::Activations(values) => {
				if !is_finite(self.model.kernel.float(), values) {
					return Err(EngineError::NotFinite {
						layer: None,
						what: "an input of the stage",
					});
				}
			}
		}
		Ok(tokens)
	}

	/// One chunk, `done` tokens into the call.
	fn pass(
		&mut self,
		input: Input<'_>,
		done: usize,
		tokens: usize,
		cancel: &Cancel,
		tap: Option<&Mutex<Vec<Products>>>,
	) -> Result<()> {
		let model = &*self.model;
		let hidden = model.config.hidden;
		let position = self.position + done;
		let count = prepare(
			&model.config,
			self.most_rows,
			tokens,
			position + tokens,
			&mut self.blocks,
			&mut self.scratch,
		)?;
		let pass = Pass {
			config: &model.config,
			kernel: model.kernel.as_ref(),
			rope: &model.rope,
			embedding: model.embedding_rows(),
			layers: &model.layers,
			kv: &self.kv,
			blocks: &self.blocks[..count],
			scratch: &self.scratch,
			input,
			position,
			tokens,
			short: self.short,
			cancel,
			tap,
		};
		model.threads.run(|lane| pass.run(lane))?;
		for block in self.blocks.iter_mut().take(count).map(own) {
			let start = (done + block.first) * hidden;
			let size = block.tokens * hidden;
			self.out[start..start + size].copy_from_slice(&block.x[..size]);
		}
		Ok(())
	}

	/// The final hidden state of a token that left the last layer: `rmsnorm(x, output_norm)`. `x` and
	/// `out` have `hidden` values.
	///
	/// # Errors
	///
	/// [`EngineError::Session`] if this is not the last stage or a length is wrong,
	/// [`EngineError::NotFinite`].
	pub fn final_hidden(&self, x: &[f32], out: &mut [f32]) -> Result<()> {
		let config = &self.model.config;
		let Output { norm: gain, .. } = output_of(&self.model)?;
		length("values of a token", x.len(), config.hidden)?;
		length("values of a hidden state", out.len(), config.hidden)?;
		let ops = self.model.kernel.float();
		norm(ops, x, gain, config.epsilon, out);
		if is_finite(ops, out) {
			Ok(())
		} else {
			Err(EngineError::NotFinite { layer: None, what: "the final hidden state" })
		}
	}

	/// The logits of a final hidden state: `hidden` has `hidden` values, `out` one for each entry of
	/// the vocabulary.
	///
	/// # Errors
	///
	/// As [`Self::final_hidden`].
	pub fn logits(&mut self, hidden: &[f32], out: &mut [f32]) -> Result<()> {
		let model = self.model.clone();
		let Output { head, .. } = output_of(&model)?;
		length("values of a hidden state", hidden.len(), model.config.hidden)?;
		length("logits", out.len(), model.config.vocab)?;
		let kernel = model.kernel.as_ref();
		let not_finite = |what| EngineError::NotFinite { layer: None, what };
		match head.weights {
			HeadWeights::Int8(_) => {
				quantise(kernel, hidden, 1, hidden.len(), &mut self.head_input)
					.map_err(|error| at(error, None, "the final hidden state"))?;
			}
			HeadWeights::Float(_) => {
				if !is_finite(kernel.float(), hidden) {
					return Err(not_finite("the final hidden state"));
				}
			}
		}
		let mut rest = out;
		let mut parts = Vec::with_capacity(head.rows.len());
		for rows in &head.rows {
			let (part, behind) = std::mem::take(&mut rest).split_at_mut(rows.len());
			parts.push(Mutex::new(part));
			rest = behind;
		}
		let (quantised, scratch) = (&self.head_input, &self.scratch);
		model.threads.run(|lane| {
			let (Some(part), Some(scratch)) = (parts.get(lane.index), scratch.get(lane.index))
			else {
				return Ok(());
			};
			let mut out = lock(part);
			head.multiply(kernel, lane.index, hidden, quantised, &mut write(scratch), &mut out)?;
			if is_finite(kernel.float(), &out) {
				Ok(())
			} else {
				Err(not_finite("a logit").into())
			}
		})
	}
}

/// Norm and head of a last stage.
fn output_of(model: &Model) -> Result<&Output> {
	model.output.as_ref().ok_or_else(|| EngineError::Session {
		reason: format!(
			"a stage that ends at layer {} of {} has no head; ask the last stage",
			model.range.end, model.config.layers
		),
	})
}

impl std::fmt::Debug for Session {
	fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
		f.debug_struct("Session")
			.field("layers", &self.model.range)
			.field("position", &self.position)
			.field("max_positions", &self.max_positions)
			.field("kv_bytes", &self.kv_bytes())
			.finish_non_exhaustive()
	}
}

fn length(what: &str, is: usize, want: usize) -> Result<()> {
	if is == want {
		Ok(())
	} else {
		Err(EngineError::Session { reason: format!("{is} {what} instead of {want}") })
	}
}
