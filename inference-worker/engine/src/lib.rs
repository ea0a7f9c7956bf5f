//! Bit-exact inference of ternary language models on a CPU.
//!
//! The same model and query give the same bits on every machine, with any instruction set, any
//! number of threads, any division of the prompt into chunks and any division of the layers into
//! stages; so a check of an answer is `==` (paper, 3.2: Proof of Useful Work). The arithmetic is
//! written down in `docs/protocol/numerics.md`.
//!
//! | module | what it does |
//! |---|---|
//! | [`numerics`] | the arithmetic, scalar and plain: the reference for everything faster |
//! | [`kernels`] | matrix products and vector operations for each instruction set |
//! | [`package`] | models on disk: the manifest, tensors in shards, proofs of chunks |
//! | [`model`] | any range of layers of a transformer, sessions, the pipeline |
//! | [`sampler`] | logits to a token |
//! | [`trace`] | Merkle trees over what passes between stages |
//! | [`text`] | tokens to text and back, chat templates |
//! | [`generate`] | from a query to an answer |
//! | [`audit`] | a record again, and what is wrong with it |
//!
//! A model is opened, loaded and asked:
//!
//! ```no_run
//! use aria_engine::{
//!     kernels,
//!     model::{Model, ModelOptions, Pipeline},
//!     package::Package,
//! };
//!
//! # fn main() -> aria_engine::Result<()> {
//! let package = Package::open("models/aria-wordnet".as_ref())?;
//! let options = ModelOptions { layers: None, kernel: kernels::best(), threads: 2 };
//! let model = Model::load(&package, options, &mut |_, _| ())?;
//! let mut pipeline = Pipeline::new(vec![model.session(1024)?])?;
//! pipeline.prefill(&[1, 2, 3], usize::MAX)?;
//! let logits = pipeline.logits()?;
//! # let _ = logits;
//! # Ok(())
//! # }
//! ```
//!
//! Architecture invariant: this crate knows no chain, no network and no async runtime. `unsafe` is
//! found in [`kernels`] and in the mapping of files alone. Whatever a package, a prompt or a
//! neighbour's activations hold, the answer is a value or an [`EngineError`], never a panic.

pub mod audit;
pub mod error;
pub mod generate;
pub mod kernels;
pub mod model;
pub mod numerics;
pub mod package;
pub mod sampler;
pub mod text;
pub mod trace;

pub use error::{EngineError, Result};
