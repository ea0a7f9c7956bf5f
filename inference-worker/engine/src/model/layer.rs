//! A chunk of tokens through a range of layers.
//!
//! All lanes go through [`Pass::run`] together. The tokens of a chunk are divided into blocks, and
//! each block belongs to a lane: norms, rotations, gates and quantisation are done by the owner of a
//! token, so that blocks are written by one lane and read by the others after the next barrier.
//! Matrices are divided by rows ([`super::linear`]), attention by query heads
//! ([`super::attention`]). A value's arithmetic never depends on who computes it.

use super::{
	attention::{attend, runs, scores_needed, unit},
	config::Config,
	kv::{grow, KvCache, PAGE},
	linear::Group,
	threads::{lock, own, read, share, write, Lane, Step},
	weights::Embedding,
	Cancel,
};
use crate::{
	error::{EngineError, Result},
	kernels::{quantise, FloatOps, Kernel, QuantisedActivations},
	numerics::rope::RopeTable,
};
use aria_primitives::manifest::Gate;
use std::sync::{Mutex, RwLock};

/// Tokens that a block has at least, as long as there are so many.
const LEAST_BLOCK: usize = 8;

/// The weights of a layer.
pub(super) struct Layer {
	/// Its number in the model.
	pub number: u16,
	pub attention_norm: Vec<f32>,
	/// Query, key and value.
	pub attention_input: Group,
	pub attention_sub_norm: Option<Vec<f32>>,
	pub attention_output: Group,
	pub feed_forward_norm: Vec<f32>,
	/// Gate and up.
	pub feed_forward_input: Group,
	pub feed_forward_sub_norm: Option<Vec<f32>>,
	pub down: Group,
}

impl Layer {
	fn groups(&self) -> [&Group; 4] {
		[&self.attention_input, &self.attention_output, &self.feed_forward_input, &self.down]
	}

	/// Bytes of the matrices.
	pub fn bytes(&self) -> usize {
		self.groups().iter().map(|group| group.bytes()).sum()
	}

	/// Rows of the lane and group that have most.
	pub fn most_rows(&self) -> usize {
		self.groups().iter().map(|group| group.most_rows()).max().unwrap_or(0)
	}
}

/// The tokens of a chunk that belong to a lane.
#[derive(Default)]
pub(super) struct Block {
	/// The first of them, in the chunk.
	pub first: usize,
	pub tokens: usize,
	/// The residual stream, `[tokens, hidden]`.
	pub x: Vec<f32>,
	/// What the next matrices read, `[tokens, inputs]`.
	pub inputs: QuantisedActivations,
	/// The same as floats.
	floats: Vec<f32>,
	/// Rotated queries, `[tokens, heads × head_dim]`.
	queries: Vec<f32>,
	/// One token's outputs of a matrix, and of another.
	row: Vec<f32>,
	other: Vec<f32>,
	/// Cosines and sines, `[tokens, head_dim / 2]`.
	cos: Vec<f32>,
	sin: Vec<f32>,
}

/// What a lane works with.
#[derive(Default)]
pub(super) struct Scratch {
	/// Exact products of its rows.
	pub acc: Vec<i32>,
	/// Scores of attention.
	scores: Vec<f32>,
	/// Outputs of attention, `[units, head_dim]`.
	attention: Vec<f32>,
	/// A row of a head of floats.
	pub row: Vec<f32>,
}

/// What enters a range of layers.
#[derive(Clone, Copy, Debug)]
pub enum Input<'a> {
	/// Token ids, for the first stage.
	Tokens(&'a [u32]),
	/// The residual stream that the stage before gave out, `[tokens, hidden]`.
	Activations(&'a [f32]),
}

/// What matrices that share their input were given for one token, and their exact products with it.
#[derive(Clone, Debug, PartialEq)]
pub struct Products {
	/// What the activations were multiplied by.
	pub scale: f32,
	/// The activations as integers.
	pub inputs: Vec<i8>,
	/// For each matrix its sums, one a row: of query, key and value; of attention's output; of gate and
	/// up; of down.
	pub sums: Vec<Vec<i32>>,
}

/// Divides a chunk into blocks and makes room for it. Gives the number of blocks.
pub(super) fn prepare(
	config: &Config,
	most_rows: usize,
	tokens: usize,
	positions: usize,
	blocks: &mut [RwLock<Block>],
	scratch: &mut [RwLock<Scratch>],
) -> Result<usize> {
	const WHAT: &str = "activations";
	let lanes = scratch.len();
	let count = tokens.div_ceil(LEAST_BLOCK).clamp(1, lanes);
	let widest = config.hidden.max(config.query_dim()).max(config.feed_forward);
	for (index, block) in blocks.iter_mut().map(own).enumerate().take(count) {
		let range = share(tokens, index, count);
		(block.first, block.tokens) = (range.start, range.len());
		let tokens = block.tokens;
		grow(&mut block.x, tokens * config.hidden, WHAT)?;
		grow(&mut block.floats, tokens * widest, WHAT)?;
		grow(&mut block.queries, tokens * config.query_dim(), WHAT)?;
		grow(&mut block.row, widest.max(config.kv_dim()), WHAT)?;
		grow(&mut block.other, config.feed_forward.max(config.kv_dim()), WHAT)?;
		grow(&mut block.cos, tokens * config.head_dim / 2, WHAT)?;
		grow(&mut block.sin, tokens * config.head_dim / 2, WHAT)?;
	}
	let units = (tokens * config.heads).div_ceil(lanes);
	// Scores grow by pages, not at every token.
	let positions = positions.next_multiple_of(PAGE);
	for scratch in scratch.iter_mut().map(own) {
		grow(&mut scratch.acc, tokens * most_rows, "products")?;
		grow(&mut scratch.scores, scores_needed(config.group(), positions), "scores")?;
		grow(&mut scratch.attention, units * config.head_dim, WHAT)?;
	}
	Ok(count)
}

/// One chunk on its way through the layers.
pub(super) struct Pass<'a> {
	pub config: &'a Config,
	pub kernel: &'a dyn Kernel,
	pub rope: &'a RopeTable,
	pub embedding: Option<Embedding<'a>>,
	pub layers: &'a [Layer],
	pub kv: &'a KvCache,
	pub blocks: &'a [RwLock<Block>],
	pub scratch: &'a [RwLock<Scratch>],
	pub input: Input<'a>,
	/// Position of the first token.
	pub position: usize,
	pub tokens: usize,
	/// Whether the feed-forward part of the last layer is left out.
	pub short: bool,
	pub cancel: &'a Cancel,
	/// Where the products of the chunk's first token are written down, if they are: four times a layer.
	pub tap: Option<&'a Mutex<Vec<Products>>>,
}

impl Pass<'_> {
	/// What one lane does. Afterwards the blocks hold what the last layer gives out.
	pub fn run(&self, lane: &Lane<'_>) -> Step {
		self.own(lane, |block| self.enter(block))?;
		for (index, layer) in self.layers.iter().enumerate() {
			if lane.index == 0 && self.cancel.is_cancelled() {
				return Err(EngineError::Cancelled.into());
			}
			self.attention(lane, index, layer)?;
			// All lanes leave it out, or none: they wait for each other in it.
			if !self.short || index + 1 < self.layers.len() {
				self.feed_forward(lane, layer)?;
			}
		}
		self.own(lane, |block| self.leave(block))
	}

	fn attention(&self, lane: &Lane<'_>, index: usize, layer: &Layer) -> Step {
		self.own(lane, |block| {
			self.norm_all(block, &layer.attention_norm, layer, "the input of query, key and value")
		})?;
		self.multiply(lane, &layer.attention_input)?;
		self.own(lane, |block| {
			self.rotate_and_keep(lane, block, index, layer);
			Ok(())
		})?;
		lane.wait()?;
		self.attend(lane, index);
		lane.wait()?;
		self.own(lane, |block| self.attention_outputs(block, layer))?;
		self.multiply(lane, &layer.attention_output)?;
		self.own(lane, |block| {
			self.add_outputs(block, &layer.attention_output);
			self.norm_all(block, &layer.feed_forward_norm, layer, "the input of gate and up")
		})
	}

	fn feed_forward(&self, lane: &Lane<'_>, layer: &Layer) -> Step {
		self.multiply(lane, &layer.feed_forward_input)?;
		self.own(lane, |block| self.gate(block, layer))?;
		self.multiply(lane, &layer.down)?;
		self.own(lane, |block| {
			self.add_outputs(block, &layer.down);
			Ok(())
		})
	}

	/// Runs `work` on the lane's block, if it has one.
	fn own(&self, lane: &Lane<'_>, work: impl FnOnce(&mut Block) -> Result<()>) -> Step {
		if let Some(block) = self.blocks.get(lane.index) {
			work(&mut write(block))?;
		}
		Ok(())
	}

	/// The products of all blocks with the lane's share of a group, between two barriers.
	fn multiply(&self, lane: &Lane<'_>, group: &Group) -> Step {
		lane.wait()?;
		if let Some(scratch) = self.scratch.get(lane.index) {
			let acc = &mut write(scratch).acc;
			group.multiply(self.kernel, lane.index, self.tokens, self.blocks, acc);
		}
		lane.wait()?;
		// Before the first lane comes to the next product, nobody writes over these.
		if let Some(tap) = self.tap.filter(|_| lane.index == 0) {
			lock(tap).extend(self.products(group));
		}
		Ok(())
	}

	/// What the first token was multiplied by, and what came out.
	fn products(&self, group: &Group) -> Option<Products> {
		let block = read(self.blocks.first()?);
		let inputs = &block.inputs;
		Some(Products {
			scale: inputs.scales.first().copied()?,
			inputs: inputs.values.get(..inputs.len)?.to_vec(),
			sums: group.sums(self.scratch, self.tokens),
		})
	}

	/// Sets residual stream and rotary tables of a block.
	fn enter(&self, block: &mut Block) -> Result<()> {
		let Config { hidden, head_dim, .. } = *self.config;
		let size = block.tokens * hidden;
		match self.input {
			Input::Tokens(tokens) => {
				let tokens = tokens.iter().skip(block.first);
				for (x, token) in block.x[..size].chunks_exact_mut(hidden).zip(tokens) {
					if let Some(embedding) = &self.embedding {
						embedding.row(*token as usize, x);
					}
				}
			}
			Input::Activations(values) => {
				let start = block.first * hidden;
				block.x[..size].copy_from_slice(&values[start..start + size]);
			}
		}
		let half = head_dim / 2;
		let tables = block.cos.chunks_exact_mut(half).zip(block.sin.chunks_exact_mut(half));
		for (token, (cos, sin)) in tables.take(block.tokens).enumerate() {
			self.rope.at((self.position + block.first + token) as u32, cos, sin);
		}
		Ok(())
	}

	/// Normalises the residual stream of all tokens and quantises it.
	fn norm_all(
		&self,
		block: &mut Block,
		gain: &[f32],
		layer: &Layer,
		what: &'static str,
	) -> Result<()> {
		let size = block.tokens * self.config.hidden;
		let rows = block.x[..size].chunks_exact(self.config.hidden);
		let outs = block.floats[..size].chunks_exact_mut(self.config.hidden);
		for (x, out) in rows.zip(outs) {
			norm(self.kernel.float(), x, gain, self.config.epsilon, out);
		}
		self.quantise(block, self.config.hidden, layer, what)
	}

	/// Makes integers of `[tokens, length]` floats.
	fn quantise(
		&self,
		block: &mut Block,
		length: usize,
		layer: &Layer,
		what: &'static str,
	) -> Result<()> {
		let floats = &block.floats[..block.tokens * length];
		quantise(self.kernel, floats, block.tokens, length, &mut block.inputs)
			.map_err(|error| at(error, Some(layer.number), what))
	}

	/// One token's outputs of a matrix of `group`.
	fn output(
		&self,
		inputs: &QuantisedActivations,
		group: &Group,
		matrix: usize,
		first: usize,
		token: usize,
		out: &mut [f32],
	) {
		let scale = inputs.scales.get(token).copied().unwrap_or(1.0);
		let (ops, token) = (self.kernel.float(), first + token);
		group.output(ops, self.scratch, matrix, token, self.tokens, scale, out);
	}

	/// Turns queries and keys, and puts keys and values into the cache.
	fn rotate_and_keep(&self, lane: &Lane<'_>, block: &mut Block, index: usize, layer: &Layer) {
		let Config { head_dim, kv_heads, .. } = *self.config;
		let (query_dim, kv_dim, half) =
			(self.config.query_dim(), self.config.kv_dim(), head_dim / 2);
		let ops = self.kernel.float();
		let group = &layer.attention_input;
		let heads = self.kv.layer(index);
		for token in 0..block.tokens {
			let cos = &block.cos[token * half..(token + 1) * half];
			let sin = &block.sin[token * half..(token + 1) * half];
			let query = &mut block.queries[token * query_dim..(token + 1) * query_dim];
			self.output(&block.inputs, group, 0, block.first, token, query);
			query.chunks_exact_mut(head_dim).for_each(|head| (ops.rotate)(head, cos, sin));

			let (keys, values) = (&mut block.row[..kv_dim], &mut block.other[..kv_dim]);
			self.output(&block.inputs, group, 1, block.first, token, keys);
			self.output(&block.inputs, group, 2, block.first, token, values);
			keys.chunks_exact_mut(head_dim).for_each(|head| (ops.rotate)(head, cos, sin));
			// Each lane begins with another head, so that they seldom wait for each other.
			for step in 0..kv_heads {
				let head = (step + lane.index) % kv_heads;
				let range = head * head_dim..(head + 1) * head_dim;
				let position = self.position + block.first + token;
				write(&heads[head]).write(position, &keys[range.clone()], &values[range]);
			}
		}
	}

	/// The lane's share of attention, into its scratch.
	fn attend(&self, lane: &Lane<'_>, index: usize) {
		let Config { head_dim, heads, .. } = *self.config;
		let group = self.config.group();
		let Some(scratch) = self.scratch.get(lane.index) else { return };
		let mut scratch = write(scratch);
		let Scratch { scores, attention, .. } = &mut *scratch;
		let range = share(self.tokens * heads, lane.index, self.scratch.len());
		let mut done = 0;
		for run in runs(range, self.tokens, group) {
			let block = read(&self.blocks[self.block_of(run.token)]);
			let first = run.kv_head * group + run.heads.start;
			let start = (run.token - block.first) * self.config.query_dim() + first * head_dim;
			let size = run.heads.len() * head_dim;
			attend(
				self.kernel.float(),
				&read(&self.kv.layer(index)[run.kv_head]),
				self.position + run.token + 1,
				head_dim,
				&block.queries[start..start + size],
				scores,
				&mut attention[done..done + size],
			);
			done += size;
		}
	}

	/// Collects what the lanes found for the tokens of a block; sub-norm; quantises.
	fn attention_outputs(&self, block: &mut Block, layer: &Layer) -> Result<()> {
		let Config { head_dim, heads, epsilon, .. } = *self.config;
		let (query_dim, group) = (self.config.query_dim(), self.config.group());
		for token in 0..block.tokens {
			let out = &mut block.floats[token * query_dim..(token + 1) * query_dim];
			let target = match &layer.attention_sub_norm {
				Some(_) => &mut block.row[..query_dim],
				None => &mut *out,
			};
			for (head, target) in target.chunks_exact_mut(head_dim).enumerate() {
				let unit = unit(head, block.first + token, self.tokens, group);
				let (lane, place) = self.lane_of(unit, self.tokens * heads);
				let values = &read(&self.scratch[lane]).attention;
				target.copy_from_slice(&values[place * head_dim..(place + 1) * head_dim]);
			}
			if let Some(gain) = &layer.attention_sub_norm {
				norm(self.kernel.float(), &block.row[..query_dim], gain, epsilon, out);
			}
		}
		self.quantise(block, query_dim, layer, "the input of attention's output")
	}

	/// Adds the outputs of a group of one matrix to the residual stream.
	fn add_outputs(&self, block: &mut Block, group: &Group) {
		let hidden = self.config.hidden;
		for token in 0..block.tokens {
			let row = &mut block.row[..hidden];
			self.output(&block.inputs, group, 0, block.first, token, row);
			(self.kernel.float().add)(&mut block.x[token * hidden..(token + 1) * hidden], row);
		}
	}

	/// `act(gate) × up`; sub-norm; quantises.
	fn gate(&self, block: &mut Block, layer: &Layer) -> Result<()> {
		let Config { feed_forward, gate, epsilon, .. } = *self.config;
		let ops = self.kernel.float();
		let group = &layer.feed_forward_input;
		for token in 0..block.tokens {
			let out = &mut block.floats[token * feed_forward..(token + 1) * feed_forward];
			let (row, up) = (&mut block.row[..feed_forward], &mut block.other[..feed_forward]);
			let target = match &layer.feed_forward_sub_norm {
				Some(_) => &mut *row,
				None => &mut *out,
			};
			self.output(&block.inputs, group, 0, block.first, token, target);
			self.output(&block.inputs, group, 1, block.first, token, up);
			match gate {
				Gate::SquaredRelu => (ops.squared_relu_mul)(target, up),
				Gate::Silu => (ops.silu_mul)(target, up),
			}
			if let Some(gain) = &layer.feed_forward_sub_norm {
				norm(ops, row, gain, epsilon, out);
			}
		}
		self.quantise(block, feed_forward, layer, "the input of down")
	}

	/// Checks what leaves the range (`docs/protocol/numerics.md`, rule 4).
	fn leave(&self, block: &mut Block) -> Result<()> {
		let values = &block.x[..block.tokens * self.config.hidden];
		if is_finite(self.kernel.float(), values) {
			Ok(())
		} else {
			let layer = self.layers.last().map(|layer| layer.number);
			Err(EngineError::NotFinite { layer, what: "the output of the stage" })
		}
	}

	fn block_of(&self, token: usize) -> usize {
		place_in_shares(token, self.tokens, self.blocks.len()).0
	}

	fn lane_of(&self, unit: usize, units: usize) -> (usize, usize) {
		place_in_shares(unit, units, self.scratch.len())
	}
}

/// Which share of [`share`] an index is in, and where in it.
fn place_in_shares(index: usize, total: usize, count: usize) -> (usize, usize) {
	let (each, more) = (total / count, total % count);
	let longer = more * (each + 1);
	if index < longer {
		(index / (each + 1), index % (each + 1))
	} else {
		// Without any in the shorter shares, no index is beyond the longer ones.
		let rest = index - longer;
		(more + rest / each.max(1), rest % each.max(1))
	}
}

/// `(x × r) × g`, `r = 1 ÷ √(mean of squares + ε)`.
pub(super) fn norm(ops: &FloatOps, x: &[f32], gain: &[f32], epsilon: f32, out: &mut [f32]) {
	let v = (ops.sum_squares)(x) / x.len() as f32;
	(ops.norm)(x, 1.0 / (v + epsilon).sqrt(), gain, out);
}

/// The error of a quantisation, with the place.
pub(super) fn at(error: EngineError, layer: Option<u16>, what: &'static str) -> EngineError {
	match error {
		EngineError::NotFinite { .. } => EngineError::NotFinite { layer, what },
		other => other,
	}
}

/// Whether no value is infinite or NaN.
pub(super) fn is_finite(ops: &FloatOps, values: &[f32]) -> bool {
	(ops.absmax_bits)(values) < f32::INFINITY.to_bits()
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn places_should_be_those_of_the_shares() {
		for total in 1..40 {
			for count in 1..9 {
				for lane in 0..count {
					for (place, index) in share(total, lane, count).enumerate() {
						assert_eq!(place_in_shares(index, total, count), (lane, place));
					}
				}
			}
		}
	}
}
