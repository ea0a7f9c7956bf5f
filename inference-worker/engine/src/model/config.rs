//! The dimensions of a model that this engine can run.

use crate::{
	error::{EngineError, Result},
	numerics::NUMERICS_VERSION,
	package::layout::MANIFEST_FILE,
};
use aria_primitives::manifest::{Attention, Gate, Head, Manifest};

/// Most inputs of a matrix: sums of ternary products over them fit an `i32`.
pub const MAX_INPUTS: usize = 1 << 20;

/// What a manifest says about the arithmetic, checked and in the types that code counts with.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
	/// Width of the residual stream.
	pub hidden: usize,
	/// Width of the feed-forward block.
	pub feed_forward: usize,
	/// Layers of the whole model.
	pub layers: u16,
	/// Entries of the vocabulary.
	pub vocab: usize,
	/// Positions that the model was made for.
	pub context: usize,
	/// Query heads.
	pub heads: usize,
	/// Key and value heads; divides `heads`.
	pub kv_heads: usize,
	/// Values of a head; even.
	pub head_dim: usize,
	/// Base of the rotary embedding.
	pub rope_theta: u32,
	/// `ε` of the norms.
	pub epsilon: f32,
	/// The gate of the feed-forward block.
	pub gate: Gate,
	/// Whether the head is the embedding.
	pub tied: bool,
}

impl Config {
	/// Reads a manifest that has passed its own checks. Fails with the field that this engine does
	/// not know.
	pub fn new(manifest: &Manifest) -> Result<Self> {
		if manifest.numerics_version != NUMERICS_VERSION {
			return Err(refused(
				"numerics_version",
				format!(
					"{} is not known, this engine follows {NUMERICS_VERSION}: update it",
					manifest.numerics_version
				),
			));
		}
		let Attention::Gqa { heads, kv_heads, head_dim } = manifest.attention else {
			return Err(refused(
				"attention",
				"mla is not supported by numerics 1: use a gqa model",
			));
		};
		let config = Self {
			hidden: manifest.hidden as usize,
			feed_forward: manifest.feed_forward as usize,
			layers: manifest.layers,
			vocab: manifest.vocab as usize,
			context: manifest.context as usize,
			heads: heads.into(),
			kv_heads: kv_heads.into(),
			head_dim: head_dim.into(),
			rope_theta: manifest.rope_theta,
			epsilon: f32::from_bits(manifest.norm_epsilon_bits),
			gate: manifest.gate,
			tied: manifest.head == Head::Tied,
		};
		// A manifest can be built without its check, so nothing below relies on it.
		let sized = [config.hidden, config.feed_forward, config.query_dim()];
		if sized.iter().any(|inputs| *inputs == 0 || *inputs > MAX_INPUTS) {
			let reason = format!("a matrix has 1 to {MAX_INPUTS} inputs");
			return Err(refused("hidden, feed_forward, heads × head_dim", reason));
		}
		let even = config.head_dim > 0 && config.head_dim.is_multiple_of(2);
		if config.kv_heads == 0 || !config.heads.is_multiple_of(config.kv_heads) || !even {
			return Err(refused(
				"attention",
				"heads must be a multiple of kv_heads and head_dim even",
			));
		}
		if config.vocab == 0 || config.layers == 0 || config.context == 0 {
			return Err(refused("vocab, layers, context", "must be above 0"));
		}
		if !(config.epsilon.is_finite() && config.epsilon > 0.0) || config.rope_theta == 0 {
			return Err(refused("norm_epsilon_bits, rope_theta", "must be finite and above 0"));
		}
		Ok(config)
	}

	/// Outputs of the query matrix: `heads × head_dim`.
	pub fn query_dim(&self) -> usize {
		self.heads * self.head_dim
	}

	/// Outputs of the key and of the value matrix: `kv_heads × head_dim`.
	pub fn kv_dim(&self) -> usize {
		self.kv_heads * self.head_dim
	}

	/// Query heads that share a head of the keys.
	pub fn group(&self) -> usize {
		self.heads / self.kv_heads
	}
}

fn refused(field: &str, reason: impl Into<String>) -> EngineError {
	EngineError::Package { file: MANIFEST_FILE.into(), field: field.into(), reason: reason.into() }
}
