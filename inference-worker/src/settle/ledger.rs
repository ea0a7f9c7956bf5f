//! What settling asks of the chain.

use aria_primitives::{
	record::{Batch, Settlement},
	BlockNumber, RecordId,
};
use futures::future::BoxFuture;
use sp_core::H256;

/// Where the chain stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Heads {
	/// Number of the best block.
	pub best: BlockNumber,
	/// Number of the last final block.
	pub finalized: BlockNumber,
}

/// Where a record is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Presence {
	/// In neither state.
	Absent,
	/// In the state of the best block, and not yet in that of the last final one.
	Best,
	/// In the state of the last final block.
	Final,
}

/// Nobody answers for the chain now.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the chain is not reached: {0}")]
pub struct Unreachable(pub String);

/// Why a submission, or one record of it, came to nothing.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SubmitError {
	/// The record is in the state already, whoever submitted it.
	#[error("the record is settled already")]
	AlreadySettled,
	/// Refused, and nothing of it is on its way; the same may be taken later.
	#[error("not yet: {0}")]
	Later(String),
	/// Refused, and no later block will take it.
	#[error("refused: {0}")]
	Never(String),
	/// Unknown: the connection broke, or no block included it while somebody watched. It may still be
	/// on its way.
	#[error("no word of it: {0}")]
	Unreachable(String),
}

/// A transaction that a block included.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Submitted {
	/// The block.
	pub block: BlockNumber,
	/// What became of each record, in any order.
	pub outcomes: Vec<(RecordId, Result<(), SubmitError>)>,
}

/// The chain, as far as settling needs it.
///
/// Methods are called from several tasks at once, submissions too, never twice for the same record at
/// the same time. Each ends by itself within a minute or so, a silent node included.
pub trait Ledger: Send + Sync {
	/// Hash of the first block.
	fn genesis(&self) -> H256;

	/// The best and the last final block.
	///
	/// # Errors
	/// [`Unreachable`], as in the others.
	fn heads(&self) -> BoxFuture<'_, Result<Heads, Unreachable>>;

	/// Hash of the block with this number on the best chain; `None` if there is none.
	fn hash_of(&self, number: BlockNumber) -> BoxFuture<'_, Result<Option<H256>, Unreachable>>;

	/// Whether the record is in the state of the last final or of the best block.
	fn record(&self, id: RecordId) -> BoxFuture<'_, Result<Presence, Unreachable>>;

	/// Submits one record (`InferenceMarket::settle`) and returns when a block included it, or when it
	/// was refused: by the pool, by a dry run, or by the block.
	fn submit_settle(
		&self,
		settlement: Settlement,
	) -> BoxFuture<'_, Result<Submitted, SubmitError>>;

	/// The same for a batch (`InferenceMarket::settle_batch`). An error is that of the whole call; what
	/// the chain refused of its entries is in the outcomes.
	fn submit_batch(&self, batch: Batch) -> BoxFuture<'_, Result<Submitted, SubmitError>>;
}

/// Refusals that no later block takes back: the record, its ticket or its signatures are wrong, or
/// its time is over.
const NEVER: &[&str] = &[
	"UnknownRecordVersion",
	"RecordIdMismatch",
	"EmptyStage",
	"LayersOverlap",
	"LayersIncomplete",
	"LayersBeyondModel",
	"DuplicateStage",
	"NoStages",
	"BoundaryCount",
	"CachedExceedsPrompt",
	"NoTokens",
	"LatencyZero",
	"LatencyTooLong",
	"EnergyZero",
	"EnergyImplausible",
	"EnergySumMismatch",
	"RecordTooOld",
	"AnchorTooOld",
	"TokensExceedContext",
	// Judged at the anchor, which does not change.
	"NotRegistered",
	"Draining",
	"Unbonding",
	"NoConsent",
	"UnknownVersion",
	"VersionNotInForce",
	"TaskNotPermitted",
	"OutsideSchedule",
	"SignatureCount",
	"BadStageSignature",
	"BadGatewaySignature",
	"UnknownTicketVersion",
	"TicketMismatch",
	"TicketForAnotherQuery",
	"TicketExpired",
	"TicketReplayed",
	"BadTicketSignature",
	"NonceTooOld",
	"UnknownKey",
	"ForeignTicket",
	"WrongGateway",
	"GatewayUnbonded",
	"UnknownRequest",
	"MatchLapsed",
	"RequestMismatch",
	"TokensExceedRequest",
	"StagesDiffer",
];

/// What the chain's error `name` means for a record, as named in `docs/protocol/settlement.md`.
///
/// Whatever is not known here counts as [`SubmitError::Later`]: an anchor's age ends every wait.
pub fn refusal(name: &str) -> SubmitError {
	if name == "AlreadySettled" {
		SubmitError::AlreadySettled
	} else if NEVER.contains(&name) {
		SubmitError::Never(name.to_owned())
	} else {
		SubmitError::Later(name.to_owned())
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn refusals_should_be_for_good_only_where_nothing_can_change_them() {
		assert_eq!(refusal("AlreadySettled"), SubmitError::AlreadySettled);
		for name in ["AnchorTooOld", "BadStageSignature", "TicketReplayed", "OutsideSchedule"] {
			assert_eq!(refusal(name), SubmitError::Never(name.to_owned()));
		}
		for name in ["EscrowInsufficient", "HourlyCapExceeded", "BlockFull", "SomethingNew"] {
			assert_eq!(refusal(name), SubmitError::Later(name.to_owned()));
		}
	}
}
