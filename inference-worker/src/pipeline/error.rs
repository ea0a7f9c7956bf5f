//! Why there is no answer, or no record of it.

use aria_primitives::record::LayerRange;
use std::time::Duration;

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PipelineError {
	/// The query can't be answered by this model.
	#[error("the query: {0}")]
	Query(String),
	/// The job contradicts itself.
	#[error("the job: {0}")]
	Job(String),
	/// A stage failed, and nobody else runs its layers.
	#[error(
		"layers {}..{} are not served by any worker that can be reached (the last one tried: \
		 {reason}): ask again later", .layers.first, .layers.end
	)]
	NoReplica {
		/// Which stage.
		stage: u16,
		/// Its layers.
		layers: LayerRange,
		/// What the last worker failed with.
		reason: String,
		/// When asking again makes sense, if a worker said so.
		retry_after: Option<Duration>,
	},
	/// The tokens have no text.
	#[error("the answer has no text: {0}")]
	Text(String),
}

/// Why an answer has no record.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoRecord {
	/// No token was drawn: there is nothing to pay for.
	#[error("no token was drawn")]
	NoTokens,
	/// Neighbours do not agree on what passed between them; one of the two is wrong.
	#[error("stages {before} and {behind} do not agree on the boundary between them")]
	Disagreement {
		/// The stage that gave.
		before: u16,
		/// The stage that received.
		behind: u16,
	},
	/// The first stage worked on another prompt than the query's.
	#[error("the first stage worked on another prompt")]
	OtherPrompt,
	/// A stage that has to speak for the record was lost, and nobody could take its place.
	#[error(
		"stage {stage} was lost before the record was complete ({reason}), and has no replica"
	)]
	NoReplica {
		/// Which stage.
		stage: u16,
		/// What it failed with.
		reason: String,
	},
}
