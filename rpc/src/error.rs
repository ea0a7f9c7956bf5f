//! What a method refuses, and why.

use crate::{chain::ChainError, views::ss58};
use aria_primitives::{AccountId, BlockNumber, RecordId};
use jsonrpsee::types::{ErrorObject, ErrorObjectOwned};
use sp_core::H256;

/// Every error of these methods. Codes never change their meaning; `docs/rpc.md` lists them.
///
/// On the wire: `code` as [`Error::code`] gives it, `message` for people, and `data` with
/// [`Error::name`] for programs.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
	/// A parameter that should be a hash is none.
	#[error(
		"`{parameter}` is no hash: give 32 bytes as 64 hex digits, with or without 0x; got {got}"
	)]
	InvalidHash {
		/// The parameter's name.
		parameter: &'static str,
		/// What came instead.
		got: String,
	},
	/// No record has this id at that block.
	#[error(
		"there is no record {id:?} at block {at:?}: check the id; if it was settled a moment ago, \
		 ask again when its block is imported, or finalised for a proof; if it may have left the state, \
		 ask a node whose index reaches as far back"
	)]
	UnknownRecord {
		/// The id.
		id: RecordId,
		/// The block at which it was looked up.
		at: H256,
	},
	/// A page of a length that is not served.
	#[error("`page.limit` is {got}: ask for 1 to 1000 records, or leave it away for 100")]
	InvalidPageSize {
		/// The limit as it came.
		got: String,
	},
	/// A parameter that should be an account is none.
	#[error(
		"`{parameter}` is no account: give an SS58 address, or its public key as 64 hex digits; \
		 got {got}"
	)]
	InvalidAccount {
		/// The parameter's name.
		parameter: &'static str,
		/// What came instead.
		got: String,
	},
	/// The node has no such block.
	#[error("this node knows no block {0:?}: check the hash, or wait until the node is synced")]
	UnknownBlock(H256),
	/// The node has the block, but not its state any more.
	#[error(
		"the state of block {0:?} is discarded: leave `at` away, give a newer block, or ask a node \
		 that runs with --state-pruning archive"
	)]
	DiscardedState(H256),
	/// The account has no such consent.
	#[error("{account} has no {}", which_consent(.version))]
	UnknownConsent {
		/// The account in SS58.
		account: String,
		/// The version asked for; the one in force if none.
		version: Option<u64>,
	},
	/// The account has no work in that era.
	#[error("{account} has no work in era {era}: give an era in which it signed settled records")]
	NoWorkInEra {
		/// The account in SS58.
		account: String,
		/// The era.
		era: u64,
	},
	/// The node's own index cannot answer now.
	#[error("the index of records cannot answer: {0}; ask again in a while")]
	IndexUnavailable(String),
	/// The runtime or the database failed.
	#[error("the node could not read its chain: {0}; its log may say more")]
	Runtime(String),
	/// A page cannot begin after this id.
	#[error(
		"`page.after` is {0:?}, which the index does not hold: give `next` of the page before"
	)]
	UnknownCursor(RecordId),
	/// The record has left the state, and this node does not keep the state that had it.
	#[error(
		"the record {id:?} has left the state: block {settled_at} settled it, whose state this node has \
		 discarded; ask a node that runs with --state-pruning archive"
	)]
	RecordPruned {
		/// The id.
		id: RecordId,
		/// The block that settled it.
		settled_at: BlockNumber,
	},
	/// Too much of this is asked for at once.
	#[error("the node is busy: {0}; ask again in a while, or ask another node")]
	Busy(&'static str),
}

impl Error {
	/// The JSON-RPC error code.
	pub fn code(&self) -> i32 {
		match self {
			Error::InvalidHash { .. } => 7001,
			Error::UnknownRecord { .. } => 7002,
			Error::InvalidPageSize { .. } => 7003,
			Error::InvalidAccount { .. } => 7004,
			Error::UnknownBlock(_) | Error::DiscardedState(_) => 7005,
			Error::UnknownConsent { .. } => 7006,
			Error::NoWorkInEra { .. } => 7007,
			Error::IndexUnavailable(_) => 7008,
			Error::Runtime(_) => 7009,
			Error::UnknownCursor(_) => 7010,
			Error::Busy(_) => 7011,
			Error::RecordPruned { .. } => 7012,
		}
	}

	/// The error's name, one for each code.
	pub fn name(&self) -> &'static str {
		match self {
			Error::InvalidHash { .. } => "InvalidHash",
			Error::UnknownRecord { .. } => "UnknownRecord",
			Error::InvalidPageSize { .. } => "InvalidPageSize",
			Error::InvalidAccount { .. } => "InvalidAccount",
			Error::UnknownBlock(_) | Error::DiscardedState(_) => "UnknownBlock",
			Error::UnknownConsent { .. } => "UnknownConsent",
			Error::NoWorkInEra { .. } => "NoWorkInEra",
			Error::IndexUnavailable(_) => "IndexUnavailable",
			Error::Runtime(_) => "Runtime",
			Error::UnknownCursor(_) => "UnknownCursor",
			Error::Busy(_) => "Busy",
			Error::RecordPruned { .. } => "RecordPruned",
		}
	}

	/// [`Error::UnknownConsent`] of an account.
	pub(crate) fn unknown_consent(account: &AccountId, version: Option<u64>) -> Self {
		Error::UnknownConsent { account: ss58(account), version }
	}

	/// [`Error::NoWorkInEra`] of an account.
	pub(crate) fn no_work(account: &AccountId, era: u64) -> Self {
		Error::NoWorkInEra { account: ss58(account), era }
	}

	/// [`Error::IndexUnavailable`] of an index that is still being filled.
	pub(crate) fn still_indexing(indexed: Option<BlockNumber>, finalized: BlockNumber) -> Self {
		Error::IndexUnavailable(match indexed {
			Some(number) if number >= finalized => {
				"it reads the records of blocks whose state is discarded".into()
			}
			Some(number) => format!("it is at block {number} of {finalized}"),
			None => "it is empty and about to be filled".into(),
		})
	}

	/// What a failed read of block `at` means to the caller, who may have chosen that block.
	pub(crate) fn reading(at: H256) -> impl Fn(ChainError) -> Self {
		move |error| match error {
			ChainError::NoState => Error::DiscardedState(at),
			ChainError::Failed(reason) => Error::Runtime(reason),
		}
	}
}

fn which_consent(version: &Option<u64>) -> String {
	match version {
		Some(version) => format!(
			"consent of version {version}, or it is no longer kept: leave `version` away for the one \
			 in force"
		),
		None => "consent in force: its owner sets one on chain before it can work".into(),
	}
}

impl From<Error> for ErrorObjectOwned {
	fn from(error: Error) -> Self {
		ErrorObject::owned(error.code(), error.to_string(), Some(error.name()))
	}
}
