//! The chain and the gateway, as who makes canaries needs them.

use super::Accounts;
use crate::audit::{kept::Kept, ledger::LedgerError};
use aria_chain_client::audit::CanaryLots;
use aria_primitives::{
	audit::SeatProof, record::Settlement, AccountId, Balance, BlockNumber, EpochIndex, RecordId,
};
use futures::future::BoxFuture;
use sp_core::{sr25519, H256};

/// What a block says of rights to make canaries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct View {
	/// The block.
	pub best: BlockNumber,
	/// Its epoch.
	pub epoch: EpochIndex,
	/// Slots that are left of that.
	pub slots_left: u64,
	/// What the epoch's rights are drawn by.
	pub lots: CanaryLots,
	/// Audits for each right.
	pub rate: u32,
	/// What a commitment puts on hold, in planck.
	pub bond: Balance,
	/// What counts of this worker's stake, in planck; 0 if it is no verifier in this epoch.
	pub stake: Balance,
	/// The last epoch whose right was used.
	pub used: Option<EpochIndex>,
}

/// What the chain has of a commitment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
	/// Nothing in the best block.
	Absent,
	/// It, in a block that may still be replaced.
	Fresh,
	/// It, in a final block.
	Final {
		/// Whether it was made in the epoch with the right.
		right: bool,
	},
}

/// What became of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
	/// It is not on chain.
	Unsettled,
	/// It waits for its draw.
	Pending,
	/// It is under audit.
	Drawn,
	/// Its verdict is held back for whoever made a canary.
	HeldBack {
		/// Whether it was shown.
		shown: bool,
	},
	/// The draw passed it over.
	PassedOver,
	/// There is a verdict, or there will be none.
	Over,
}

/// What an account has, in planck.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Funds {
	/// Free to be transferred.
	pub free: Balance,
	/// Free in escrow.
	pub escrow: Balance,
}

/// The chain for a maker of canaries.
pub trait CanaryLedger: Send + Sync + 'static {
	/// The chain's first block.
	fn genesis(&self) -> H256;

	/// Waits for the next block, or a while.
	fn next_block(&self) -> BoxFuture<'_, ()>;

	/// The best block; `None` before the first epoch has begun.
	fn view(&self) -> BoxFuture<'_, Result<Option<View>, LedgerError>>;

	/// What an account has.
	fn funds<'a>(&'a self, account: &'a AccountId) -> BoxFuture<'a, Result<Funds, LedgerError>>;

	/// How far the commitment `hash` is, whose right is of the epoch `right`.
	fn commitment(&self, hash: H256, right: EpochIndex)
		-> BoxFuture<'_, Result<Seen, LedgerError>>;

	/// What became of a record.
	fn fate(&self, id: RecordId) -> BoxFuture<'_, Result<Fate, LedgerError>>;

	/// Commits as `by`, and waits until a block has it.
	fn commit<'a>(
		&'a self,
		by: &'a sr25519::Pair,
		hash: H256,
	) -> BoxFuture<'a, Result<(), LedgerError>>;

	/// Shows a canary as its `requester`, with the proof of the right, and waits until a block has it.
	fn reveal<'a>(
		&'a self,
		requester: &'a sr25519::Pair,
		id: RecordId,
		stage: u16,
		nonce: H256,
		proof: SeatProof,
	) -> BoxFuture<'a, Result<(), LedgerError>>;

	/// Has the bond of one back that the draw passed over.
	fn withdraw<'a>(
		&'a self,
		requester: &'a sr25519::Pair,
		id: RecordId,
		stage: u16,
		nonce: H256,
	) -> BoxFuture<'a, Result<(), LedgerError>>;
}

/// A false record, signed by all that have to, that nobody else has yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
	/// The stage that is false, from 0: this worker's.
	pub stage: u16,
	/// The record, ready to be settled.
	pub settlement: Settlement,
	/// What verifiers ask for.
	pub kept: Kept,
	/// The last block at which its ticket pays.
	pub expiry: BlockNumber,
}

/// Makes false records, by this process' own gateway.
pub trait Forge: Send + Sync + 'static {
	/// Asks `question` for `accounts` where this worker has a stage, and has that computed falsely. What
	/// comes out is kept nowhere.
	fn make<'a>(
		&'a self,
		accounts: &'a Accounts,
		question: String,
	) -> BoxFuture<'a, Result<Made, String>>;

	/// Keeps what verifiers ask for, and has the record settled; the same again does nothing more.
	fn settle(&self, settlement: Settlement, kept: Kept) -> BoxFuture<'_, Result<(), String>>;
}
