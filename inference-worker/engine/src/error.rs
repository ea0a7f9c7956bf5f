//! What can go wrong, said so that the reader knows what to do next.

use std::path::PathBuf;

/// What the engine answers with.
pub type Result<T> = std::result::Result<T, EngineError>;

/// Why there is no result.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
	/// A file of a package is not what the manifest says.
	#[error("{file}: {field}: {reason}")]
	Package {
		/// The file's name inside the package.
		file: String,
		/// The field or tensor.
		field: String,
		/// What is wrong with it, and what to do.
		reason: String,
	},
	/// The operating system refused to read or write.
	#[error("cannot read or write {path}: {source}")]
	Io {
		/// What was to be read or written.
		path: PathBuf,
		/// The system's reason.
		source: std::io::Error,
	},
	/// A token that the vocabulary does not have.
	#[error("token {token} at position {position} is not in the vocabulary of {vocab}")]
	TokenOutOfRange {
		/// The token.
		token: u32,
		/// Entries of the vocabulary.
		vocab: u32,
		/// Where it stands.
		position: u32,
	},
	/// More positions than the session or the model has.
	#[error(
		"{needed} positions are needed and there are {context}: shorten the prompt or the answer"
	)]
	ContextExceeded {
		/// Positions needed.
		needed: u64,
		/// Positions there are.
		context: u64,
	},
	/// A value is infinite or NaN where the numerics have no result (rule 4).
	#[error("{what} is not finite{}", at_layer(.layer))]
	NotFinite {
		/// The layer, if it happened in one.
		layer: Option<u16>,
		/// Which value.
		what: &'static str,
	},
	/// Sampling parameters outside their range.
	#[error("sampling: {reason}")]
	Sampling {
		/// Which, and what is allowed.
		reason: String,
	},
	/// A kernel that this build or this processor does not have.
	#[error("there is no kernel {name} here; there are {available}")]
	KernelUnavailable {
		/// What was asked for.
		name: String,
		/// What there is, separated by commas.
		available: String,
	},
	/// Somebody asked to stop. The session is as it was before the call.
	#[error("cancelled")]
	Cancelled,
	/// A range of layers that the model or the package does not have.
	#[error("layers: {reason}")]
	Layers {
		/// Which, and which there are.
		reason: String,
	},
	/// A session was asked for something it cannot do.
	#[error("session: {reason}")]
	Session {
		/// What, and what to do instead.
		reason: String,
	},
	/// The tokenizer does not load, or gives what the manifest does not allow.
	#[error("{file}: {reason}")]
	Tokenizer {
		/// The file's name inside the package.
		file: String,
		/// What is wrong.
		reason: String,
	},
	/// The chat template does not parse or does not render.
	#[error("chat template: {reason}")]
	Template {
		/// What is wrong.
		reason: String,
	},
	/// The memory is not to be had.
	#[error("no memory for {bytes} bytes of {what}: allow fewer positions, layers or sessions")]
	Memory {
		/// What it was for.
		what: &'static str,
		/// How much.
		bytes: u64,
	},
	/// Threads cannot be started.
	#[error("threads: {reason}")]
	Threads {
		/// Why.
		reason: String,
	},
}

fn at_layer(layer: &Option<u16>) -> String {
	layer.map_or_else(String::new, |layer| format!(" in layer {layer}"))
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn messages_should_name_the_place() {
		let error = EngineError::NotFinite { layer: Some(3), what: "the input of the gate" };
		assert_eq!(error.to_string(), "the input of the gate is not finite in layer 3");
		let error = EngineError::NotFinite { layer: None, what: "a logit" };
		assert_eq!(error.to_string(), "a logit is not finite");
		let error = EngineError::Package {
			file: "common.safetensors".into(),
			field: "output_norm".into(),
			reason: "a gain is NaN".into(),
		};
		assert_eq!(error.to_string(), "common.safetensors: output_norm: a gain is NaN");
	}
}
