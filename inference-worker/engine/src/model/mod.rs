//! A transformer, or any contiguous range of its layers, on a CPU.
//!
//! | module | what it does |
//! |---|---|
//! | [`config`] | a manifest's dimensions, checked |
//! | `weights` | tensors of a package into the layout of a kernel |
//! | `linear` | matrices that share an input, divided among lanes |
//! | `attention` | attention over pages of keys and values |
//! | `layer` | a chunk of tokens through layers |
//! | `kv` | keys and values of a session |
//! | [`session`] | the state of one sequence |
//! | [`pipeline`] | stages one after another in one process |
//! | [`random`] | packages with random weights, for tests and measurements |
//! | `threads` | lanes in lockstep |
//!
//! Architecture invariant: which lane computes a value, in which chunk and in which stage, never
//! decides its bits.

mod attention;
pub mod config;
mod kv;
mod layer;
mod linear;
pub mod pipeline;
pub mod random;
pub mod session;
mod threads;
mod weights;

pub use config::Config;
pub use kv::PAGE;
pub use layer::{Input, Products};
pub use pipeline::Pipeline;
pub use session::{Activations, Session};
pub use threads::MAX_THREADS;

use crate::{
	error::{EngineError, Result},
	kernels::Kernel,
	numerics::rope::RopeTable,
	package::Package,
};
use aria_primitives::{record::LayerRange, ModelId};
use layer::Layer;
use linear::Head;
use std::sync::{
	atomic::{AtomicBool, Ordering},
	Arc,
};
use threads::Threads;
use weights::{Embedding, EmbeddingTable};

/// How a model is to be run.
#[derive(Clone)]
pub struct ModelOptions {
	/// The layers to run; all if `None`.
	pub layers: Option<LayerRange>,
	/// What computes matrix products.
	pub kernel: Arc<dyn Kernel>,
	/// Threads, `1 ..=` [`MAX_THREADS`]. One thread is the caller's own.
	pub threads: usize,
}

/// The weights of a range of layers in memory, and the threads that work with them.
///
/// The first range has the embedding too, the last one the output norm and the head. Any number of
/// sessions run on a model at once; with more than one thread they take turns, chunk by chunk.
pub struct Model {
	model_id: ModelId,
	config: Config,
	range: LayerRange,
	kernel: Arc<dyn Kernel>,
	threads: Threads,
	rope: RopeTable,
	embedding: Option<EmbeddingTable>,
	layers: Vec<Layer>,
	output: Option<Output>,
	/// Bytes of weights that each token of an answer reads.
	weight_bytes: usize,
}

/// What the last range has.
struct Output {
	norm: Vec<f32>,
	head: Head,
}

impl Model {
	/// Reads a range of layers of `package` into memory. `progress` gets tensors done and all.
	///
	/// Values are checked as they are read, Merkle roots are not: see [`Package::verify`].
	///
	/// # Errors
	///
	/// [`EngineError::Layers`] if the model has no such range, [`EngineError::Package`] with the
	/// file and tensor that is missing or wrong, [`EngineError::Threads`].
	pub fn load(
		package: &Package,
		options: ModelOptions,
		progress: &mut dyn FnMut(u64, u64),
	) -> Result<Arc<Self>> {
		let config = Config::new(&package.manifest)?;
		let range = options.layers.unwrap_or(LayerRange { first: 0, end: config.layers });
		if range.first >= range.end || range.end > config.layers {
			let LayerRange { first, end } = range;
			let reason =
				format!("{first}..{end} is no range of this model's layers 0..{}", config.layers);
			return Err(EngineError::Layers { reason });
		}
		let threads = Threads::new(options.threads)?;
		let loader = weights::Loader::new(
			package,
			&config,
			options.kernel.as_ref(),
			threads.count(),
			range,
			progress,
		);
		let weights::Loaded { embedding, layers, output } = loader.load()?;
		let layer_bytes: usize = layers.iter().map(Layer::bytes).sum();
		let head_bytes = output.as_ref().map_or(0, |(_, head)| head.bytes());
		let weight_bytes = layer_bytes + head_bytes;
		tracing::debug!(
			first = range.first,
			end = range.end,
			kernel = options.kernel.name(),
			threads = threads.count(),
			weight_bytes,
			"loaded layers"
		);
		Ok(Arc::new(Self {
			model_id: package.model_id(),
			rope: RopeTable::new(config.rope_theta, config.head_dim),
			config,
			range,
			kernel: options.kernel,
			threads,
			embedding,
			layers,
			output: output.map(|(norm, head)| Output { norm, head }),
			weight_bytes,
		}))
	}

	/// The hash of the manifest that the weights belong to.
	pub fn model_id(&self) -> ModelId {
		self.model_id
	}

	/// The model's dimensions.
	pub fn config(&self) -> &Config {
		&self.config
	}

	/// The layers that are here.
	pub fn layers(&self) -> LayerRange {
		self.range
	}

	/// Whether the range begins with the first layer, and so takes tokens.
	pub fn is_first(&self) -> bool {
		self.embedding.is_some()
	}

	/// Whether the range ends with the last layer, and so gives logits.
	pub fn is_last(&self) -> bool {
		self.output.is_some()
	}

	/// What computes matrix products.
	pub fn kernel(&self) -> &dyn Kernel {
		self.kernel.as_ref()
	}

	/// Threads that work on a step.
	pub fn threads(&self) -> usize {
		self.threads.count()
	}

	/// Bytes of weights that each token of an answer reads: all matrices of the range, and the head
	/// where it is the last. What a decode step is bound by.
	pub fn weight_bytes(&self) -> usize {
		self.weight_bytes
	}

	/// Bytes that keys and values of one position take: `layers × 2 × kv_heads × head_dim × 4`.
	pub fn kv_bytes_per_position(&self) -> usize {
		usize::from(self.range.len()) * 2 * self.config.kv_dim() * size_of::<f32>()
	}

	/// A new sequence of at most `max_positions`, `1 ..= context`.
	///
	/// It takes memory as it grows, in pages of [`PAGE`] positions, and never more for keys and
	/// values than [`Self::kv_bytes_per_position`] times `max_positions`, rounded up to a page.
	///
	/// # Errors
	///
	/// [`EngineError::ContextExceeded`] beyond the model's context, [`EngineError::Session`] for 0.
	pub fn session(self: &Arc<Self>, max_positions: usize) -> Result<Session> {
		Session::new(self.clone(), max_positions)
	}

	/// The rows of the embedding, where they are here.
	fn embedding_rows(&self) -> Option<Embedding<'_>> {
		match (self.embedding.as_ref()?, &self.output) {
			(EmbeddingTable::Own(rows), _) => Some(Embedding::Rows(rows)),
			(EmbeddingTable::Head, Some(output)) => Some(output.head.as_embedding()),
			(EmbeddingTable::Head, None) => None,
		}
	}
}

impl std::fmt::Debug for Model {
	fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
		f.debug_struct("Model")
			.field("config", &self.config)
			.field("layers", &self.range)
			.field("kernel", &self.kernel.name())
			.field("threads", &self.threads.count())
			.finish_non_exhaustive()
	}
}

/// Asks a step to end early. Clones ask the same step.
#[derive(Clone, Debug, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
	/// Nobody has asked yet.
	pub fn new() -> Self {
		Self::default()
	}

	/// Asks.
	pub fn cancel(&self) {
		self.0.store(true, Ordering::Release);
	}

	/// Whether somebody has asked.
	pub fn is_cancelled(&self) -> bool {
		self.0.load(Ordering::Acquire)
	}
}
