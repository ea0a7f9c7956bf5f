//! Why a model is not fetched.

use aria_engine::EngineError;
use aria_primitives::{record::LayerRange, ModelId};
use std::{io, path::PathBuf};

use crate::shards::StoreError;

/// Why there is no package.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
	/// No peer gave it.
	#[error(
		"no peer gave {what} of model {model:?} ({tried}); what is here is kept: try again later"
	)]
	NoPeer {
		/// The model.
		model: ModelId,
		/// What was asked for.
		what: String,
		/// Who was asked, and what happened.
		tried: String,
	},
	/// The disk is full.
	#[error(
		"no space for {path}: {missing} more bytes are needed; free them or choose another folder for \
		 models, then start again: what is here is kept"
	)]
	DiskFull {
		/// What was to be written.
		path: PathBuf,
		/// Bytes that are lacking.
		missing: u64,
	},
	/// The system refused.
	#[error("cannot read or write {path}: {source}")]
	Io {
		/// What was to be read or written.
		path: PathBuf,
		/// The system's reason.
		source: io::Error,
	},
	/// Another transfer, of this process or another one, writes into this folder.
	#[error("{path} is in use by another transfer of this model: wait for it or end it")]
	InUse {
		/// The folder.
		path: PathBuf,
	},
	/// Layers that the model does not have.
	#[error("layers {}..{} were asked for, and the model has {layers}", .asked.first, .asked.end)]
	Layers {
		/// What was asked for.
		asked: LayerRange,
		/// The model's number of layers.
		layers: u16,
	},
	/// All bytes are those of the manifest, and the engine refuses them.
	#[error("{path} is what the manifest says, and no engine runs it: {reason}")]
	BadModel {
		/// The file.
		path: PathBuf,
		/// What is wrong.
		reason: String,
	},
	/// The engine refuses a file.
	#[error(transparent)]
	Package(#[from] EngineError),
	/// The store refuses the package.
	#[error(transparent)]
	Store(#[from] StoreError),
	/// The process is ending.
	#[error("interrupted; what is here is kept")]
	Interrupted,
}

/// Names the file in an error of the system.
pub(super) fn io_error(path: &std::path::Path) -> impl FnOnce(io::Error) -> FetchError + '_ {
	move |source| FetchError::Io { path: path.to_owned(), source }
}
