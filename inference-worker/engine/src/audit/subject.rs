//! What is checked.

use crate::{
	error::{EngineError, Result},
	trace::{BoundaryTrace, Hash},
};
use aria_primitives::{
	audit,
	hashing::sha256,
	query::{CanonicalQuery, QUERY_VERSION},
	record::RecordBody,
};
use codec::Encode;

/// A record with what was handed over for it, and the numbers of its model's manifest.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
	/// What was asked, as the gateway hands it over.
	pub query: &'a CanonicalQuery,
	/// The answer's tokens, as the gateway hands them over.
	pub tokens: &'a [u32],
	/// What the stages signed.
	pub body: &'a RecordBody,
	/// The manifest's end tokens.
	pub eos: &'a [u32],
	/// The manifest's positions.
	pub context: u32,
	/// The manifest's width of the residual stream.
	pub hidden: u32,
}

impl Subject<'_> {
	/// Whether query and tokens are those of the record: their hashes, their counts, and the boundary
	/// `B_0`, which the query alone decides.
	pub fn belongs_together(&self) -> bool {
		let Self { query, tokens, body, .. } = self;
		query.version == QUERY_VERSION
			&& query.model_id == body.model_id
			&& query.hash() == body.query_hash
			&& sha256(&tokens.encode()) == body.output_tokens_hash
			&& usize::try_from(body.prompt_tokens) == Ok(query.prompt_tokens.len())
			&& usize::try_from(body.output_tokens) == Ok(tokens.len())
			&& body.boundaries.first() == Some(&self.prompt_boundary())
	}

	fn prompt_boundary(&self) -> Hash {
		let Self { query, body, .. } = self;
		BoundaryTrace::prompt(query.salt, &query.prompt_tokens).boundary(0, &body.query_hash)
	}

	/// Stages of the record.
	pub fn stages(&self) -> u16 {
		u16::try_from(self.body.stages.len()).unwrap_or(u16::MAX)
	}

	/// Positions that the answer needed: its last token was drawn and not worked on.
	pub fn positions(&self) -> u32 {
		self.body.prompt_tokens.saturating_add(self.body.output_tokens).saturating_sub(1)
	}

	/// Leaves of boundary `index`, from 1 (`docs/protocol/audit.md`, rounds).
	pub fn leaves(&self, index: u16) -> u32 {
		audit::leaves(self.body, index)
	}

	/// The position of leaf `leaf` of boundary `index`.
	pub fn position(&self, index: u16, leaf: u32) -> u32 {
		if index < self.stages() {
			leaf
		} else {
			self.body.prompt_tokens.saturating_sub(1).saturating_add(leaf)
		}
	}

	/// Refuses a record that no honest stages can have made of any query: there is nothing to run. The
	/// chain refuses such records too, so that this shows another release.
	pub(super) fn check(&self) -> Result<()> {
		let refused = |reason: &str| Err(EngineError::Session { reason: reason.to_owned() });
		let stages = &self.body.stages;
		if stages.is_empty() || self.body.boundaries.len() != stages.len().saturating_add(1) {
			return refused("the record has no stage, or not one boundary more than stages");
		}
		let mut next = 0;
		for stage in stages {
			if stage.layers.first != next || stage.layers.is_empty() {
				return refused("the record's stages do not follow on each other from layer 0");
			}
			next = stage.layers.end;
		}
		if self.body.prompt_tokens == 0 || self.body.output_tokens == 0 {
			return refused("the record has no prompt or no answer: there is nothing to run");
		}
		if self.positions() > self.context {
			let (needed, context) = (self.positions().into(), self.context.into());
			return Err(EngineError::ContextExceeded { needed, context });
		}
		Ok(())
	}
}
