//! What can go wrong, and what to do then.

use crate::fit::Mismatch;
use aria_primitives::BlockNumber;
use sp_core::H256;
use std::time::Duration;

/// Why the chain could not be read.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ChainError {
	/// Nobody answers. The connection is tried again by itself; later calls work again.
	#[error(
		"no answer from the node at {url} (for {away:.0?}): {reason}. Check that it runs and that the \
		 address is right; it is tried again by itself"
	)]
	Unreachable {
		/// Where the node should be.
		url: String,
		/// For how long it has been away; zero if the connection broke just now.
		away: Duration,
		/// What was seen.
		reason: String,
	},
	/// The chain's runtime is not one that this program fits.
	#[error("the node at {url} can't be used: {mismatch}")]
	Incompatible {
		/// Where the node is.
		url: String,
		/// What differs, and what to update.
		mismatch: Mismatch,
	},
	/// After a reconnection there is another chain at the address.
	#[error(
		"the node at {url} is now of another chain: its genesis is {found:?}, that of this run is \
		 {expected:?}. Name a node of the right chain, or start again if the chain was made anew"
	)]
	OtherChain {
		/// Where the node is.
		url: String,
		/// The genesis hash of the first connection.
		expected: H256,
		/// The genesis hash now.
		found: H256,
	},
	/// The node answered with an error, for example because it has dropped an old block's state.
	#[error("the node refused {method}: {message} (code {code})")]
	Refused {
		/// What was asked.
		method: String,
		/// JSON-RPC's code of the error.
		code: i32,
		/// The node's words.
		message: String,
	},
	/// The node's answer is no such answer.
	#[error("the node's answer to {method} is not understood: {reason}. Update the node or this program")]
	BadAnswer {
		/// What was asked.
		method: String,
		/// What is wrong with the answer.
		reason: String,
	},
	/// The chain has no such block, or this node dropped it.
	#[error("the node has no block {block}: ask for a later one, or a node that keeps all blocks")]
	NoBlock {
		/// Its number or hash.
		block: String,
	},
	/// This program closed the connection.
	#[error("the connection to the chain is closed: this program is ending")]
	Closed,
}

impl ChainError {
	/// Whether the same call may work a little later without anybody's doing.
	pub fn is_transient(&self) -> bool {
		matches!(self, ChainError::Unreachable { .. })
	}
}

/// Why a node's pool did not take a transaction, or did not keep it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
	/// Its nonce is used, for example by another process with the same key.
	Stale,
	/// Another transaction with its nonce is in the pool, and stays there.
	NonceTaken,
	/// Its nonce lies ahead of what the pool takes.
	Future,
	/// The account can't pay the fee.
	Payment,
	/// The pool is full.
	PoolFull,
	/// The pool refused the same bytes lately, and does so for a while.
	Banned,
	/// It is too heavy or too long for any block.
	TooLarge,
	/// Signature, lifetime or form do not hold; a fresh signature may.
	Invalid,
	/// No block took it within its lifetime; none can any more.
	Expired,
	/// The node gave another reason.
	Other,
}

impl Refusal {
	/// What a node's error means (`author_submitExtrinsic`); `data` is the error's detail.
	pub(crate) fn of(code: i32, message: &str, data: &str) -> Self {
		match code {
			1010 if data.contains("outdated") => Refusal::Stale,
			1010 if data.contains("in the future") => Refusal::Future,
			1010 if data.contains("pay some fees") => Refusal::Payment,
			1010 if data.contains("exhaust the block limits") => Refusal::TooLarge,
			1010 => Refusal::Invalid,
			1012 => Refusal::Banned,
			1013 | 1014 => Refusal::NonceTaken,
			1016 => Refusal::PoolFull,
			1021 => Refusal::Future,
			_ if message.contains("too large") || message.contains("oversized") => {
				Refusal::TooLarge
			}
			_ => Refusal::Other,
		}
	}

	fn hint(&self) -> &'static str {
		match self {
			Refusal::Stale | Refusal::NonceTaken => {
				"send it again; if this repeats, another process uses the same key"
			}
			Refusal::Future => "send it again when the transactions before it are in a block",
			Refusal::Payment => "transfer something to the account, then send it again",
			Refusal::PoolFull | Refusal::Banned => "send it again in a minute",
			Refusal::TooLarge => "divide it into smaller transactions",
			Refusal::Invalid | Refusal::Expired => "send it again",
			Refusal::Other => "see the node's log",
		}
	}
}

/// What who settles records should do about an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Advice {
	/// The record is on chain: nothing is left to do.
	Settled,
	/// The same may work later: send it again.
	Later,
	/// Divide the batch, or settle its records alone: that shows what is wrong with each.
	Divide,
	/// It will never work: give up and keep the reason.
	Never,
}

impl Advice {
	/// What an error of the chain's means for a settlement, by its name such as
	/// `InferenceMarket::AnchorTooOld` (`docs/protocol/settlement.md`, checks). `Later` is for what
	/// time or somebody's deposit mends; the record's anchor puts an end to every wait.
	pub fn on_settlement(name: &str) -> Self {
		match name {
			"InferenceMarket::AlreadySettled" | "ProvenanceLedger::RecordExists" => Advice::Settled,
			"InferenceMarket::BatchFailed" => Advice::Divide,
			"ProvenanceLedger::BlockFull"
			| "Verification::EpochFull"
			| "Verification::TooManyPendingEpochs"
			| "InferenceMarket::AnchorUnknown"
			| "InferenceMarket::RecordFromFuture"
			| "InferenceMarket::MissingSignature"
			| "InferenceMarket::EscrowInsufficient"
			| "InferenceMarket::HourlyCapExceeded"
			| "InferenceMarket::AllowanceExceeded"
			| "InferenceMarket::KeyExpired"
			| "WorkerRegistry::InsufficientStake"
			| "Exhausted"
			| "Unavailable" => Advice::Later,
			_ => Advice::Never,
		}
	}
}

/// Why a transaction did not do what it should.
#[derive(Clone, Debug, thiserror::Error)]
pub enum SubmitError {
	/// The chain could not be used: nothing was sent, or the chain is another one since.
	#[error(transparent)]
	Chain(#[from] ChainError),
	/// A block took the transaction, and the call failed in it; the fee is paid.
	#[error("the chain refused the call in block {number}: {name}")]
	Failed {
		/// `Pallet::Error` for a pallet's error, otherwise for example `Token::FundsUnavailable`.
		name: String,
		/// The block.
		block: H256,
		/// Its number.
		number: BlockNumber,
	},
	/// The node's pool did not take or keep it; it had no effect.
	#[error("the node did not take the transaction: {message}; {}", .reason.hint())]
	Refused {
		/// The kind of refusal.
		reason: Refusal,
		/// The node's words.
		message: String,
	},
	/// Nobody knows yet: a block may take it until its lifetime ends.
	#[error(
		"no block is known to hold the transaction (nonce {nonce}) after {waited:.0?}; it may still be \
		 taken until block {expires}. Look at what it should change before it is sent again"
	)]
	Undecided {
		/// Its nonce.
		nonce: u32,
		/// The last block that may take it.
		expires: BlockNumber,
		/// For how long it was waited for.
		waited: Duration,
	},
	/// The call itself is malformed.
	#[error("the call can't be sent: {0}")]
	BadCall(String),
}

impl SubmitError {
	/// What to do if the transaction was a settlement. Sending one again is safe: the chain takes a
	/// record and a ticket once.
	pub fn advice(&self) -> Advice {
		match self {
			SubmitError::Chain(ChainError::Closed) => Advice::Later,
			SubmitError::Chain(_) | SubmitError::Undecided { .. } => Advice::Later,
			SubmitError::Failed { name, .. } => Advice::on_settlement(name),
			SubmitError::Refused { reason: Refusal::TooLarge, .. } => Advice::Divide,
			SubmitError::Refused { .. } => Advice::Later,
			SubmitError::BadCall(_) => Advice::Never,
		}
	}

	/// The name of the error with which the call failed in a block, for example
	/// `InferenceMarket::TicketReplayed`.
	pub fn name(&self) -> Option<&str> {
		match self {
			SubmitError::Failed { name, .. } => Some(name),
			_ => None,
		}
	}
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;

	#[test]
	fn settlements_should_be_given_up_only_when_nothing_can_mend_them() {
		assert_eq!(Advice::on_settlement("InferenceMarket::AlreadySettled"), Advice::Settled);
		assert_eq!(Advice::on_settlement("ProvenanceLedger::BlockFull"), Advice::Later);
		assert_eq!(Advice::on_settlement("InferenceMarket::BatchFailed"), Advice::Divide);
		assert_eq!(Advice::on_settlement("InferenceMarket::TicketReplayed"), Advice::Never);
		assert_eq!(Advice::on_settlement("InferenceMarket::AnchorTooOld"), Advice::Never);
	}

	#[test]
	fn a_pools_refusal_should_be_told_apart() {
		let invalid = |data| Refusal::of(1010, "Invalid Transaction", data);

		assert_eq!(invalid("\"Transaction is outdated\""), Refusal::Stale);
		assert_eq!(
			invalid("\"Inability to pay some fees (e.g. account balance too low)\""),
			Refusal::Payment
		);
		assert_eq!(invalid("\"Transaction would exhaust the block limits\""), Refusal::TooLarge);
		assert_eq!(invalid("\"Transaction has a bad signature\""), Refusal::Invalid);
		assert_eq!(Refusal::of(1016, "Immediately Dropped", ""), Refusal::PoolFull);
		assert_eq!(Refusal::of(1014, "Priority is too low: (1 vs 1)", ""), Refusal::NonceTaken);
		assert_eq!(Refusal::of(-32603, "Internal error", ""), Refusal::Other);
	}

	#[test]
	fn a_lost_connection_should_be_a_reason_to_come_back() {
		let error = SubmitError::Chain(ChainError::Unreachable {
			url: "ws://127.0.0.1:1".into(),
			away: Duration::from_secs(3),
			reason: "refused".into(),
		});

		assert_eq!(error.advice(), Advice::Later);
		assert!(error.to_string().contains("ws://127.0.0.1:1"));
	}
}
