//! The chain, as a verifier and a gateway need it.

use super::seat::Lots;
use aria_primitives::{
	audit::{Named, Opening, Reveal, Sealed, SeatProof},
	record::RecordEntry,
	AccountId, Balance, BlockNumber, RecordId,
};
use futures::future::BoxFuture;
use sp_core::{sr25519, H256};

/// Why the chain did not do what was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError {
	/// The same may work a little later.
	#[error("{0}")]
	Later(String),
	/// It will never work.
	#[error("{0}")]
	Never(String),
}

/// The window that an audit is in (`docs/protocol/audit.md`, rounds).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Window {
	/// Verifiers commit, or say that they are not answered.
	Commit,
	/// The gateway answers those who say so.
	Rebut,
	/// Those commit.
	Answer,
	/// Verifiers say what they committed to.
	Reveal,
	/// Verifiers open leaves.
	Open,
	/// Nothing of verifiers' is taken: before an audit, and behind it.
	Other,
}

/// A round of an audit that is not over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Open {
	/// Its lots.
	pub lots: Lots,
	/// The window.
	pub window: Window,
	/// The last block that takes something in it.
	pub until: BlockNumber,
	/// Blocks of a window.
	pub length: BlockNumber,
	/// Positions that each verifier opens.
	pub positions: u8,
	/// What positions are picked by, once it may be known.
	pub beacon: H256,
	/// What this verifier has at stake in it, as far as it counts, in planck; 0 if it does not count in
	/// this round.
	pub stake: Balance,
}

/// Everything that is under audit, in the state of one block.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Docket {
	/// The block.
	pub at: BlockNumber,
	/// The audits, by record.
	pub open: Vec<Open>,
}

/// What the chain has of this verifier in an audit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
	/// Nothing.
	Nothing,
	/// That it is not answered.
	Claimed,
	/// That, and the gateway has answered on chain.
	Rebutted,
	/// A commitment.
	Committed,
	/// What was committed to.
	Revealed,
	/// Everything.
	Counted,
	/// Something in another round: it may say nothing in this one.
	Elsewhere,
}

/// What a verifier sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
	/// `commit`.
	Commit {
		/// Of the seat.
		proof: SeatProof,
		/// What is committed to.
		commitment: H256,
		/// Whom the requester named.
		named: Named,
	},
	/// `claim_silence`.
	Claim {
		/// Of the seat.
		proof: SeatProof,
		/// Whom the requester named.
		named: Named,
	},
	/// `reveal`.
	Reveal(Reveal),
	/// `open`.
	Open(Vec<Opening>),
}

impl Action {
	/// A word or two for logs.
	pub fn name(&self) -> &'static str {
		match self {
			Self::Commit { .. } => "commitment",
			Self::Claim { .. } => "claim of silence",
			Self::Reveal(_) => "reveal",
			Self::Open(_) => "openings",
		}
	}
}

/// Which hand-over is looked for.
pub type Accepts<'a> = dyn Fn(&Sealed) -> bool + Send + Sync + 'a;

/// The chain for a verifier.
pub trait Ledger: Send + Sync + 'static {
	/// The chain's first block.
	fn genesis(&self) -> H256;

	/// Waits for the next block, or a while.
	fn next_block(&self) -> BoxFuture<'_, ()>;

	/// What is under audit.
	fn docket(&self) -> BoxFuture<'_, Result<Docket, LedgerError>>;

	/// A settled record.
	fn record(&self, id: RecordId) -> BoxFuture<'_, Result<Option<RecordEntry>, LedgerError>>;

	/// How far the chain has this verifier.
	fn standing(&self, id: RecordId, round: u8) -> BoxFuture<'_, Result<Standing, LedgerError>>;

	/// A hand-over that was posted on chain for this verifier within the last `blocks` and that `accepts`,
	/// the latest of several. Beside the gateway's anybody may have put others.
	fn posted<'a>(
		&'a self,
		id: RecordId,
		blocks: BlockNumber,
		accepts: &'a Accepts<'a>,
	) -> BoxFuture<'a, Result<Option<Sealed>, LedgerError>>;

	/// Sends something about the audit of `id`, and waits until a block has it.
	fn send(&self, id: RecordId, action: Action) -> BoxFuture<'_, Result<(), LedgerError>>;
}

/// A verifier in a round of an audit, as a gateway has to know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
	/// The round's lots.
	pub lots: Lots,
	/// The verifier's key.
	pub key: sr25519::Public,
	/// What it has at stake in it, as far as it counts, in planck.
	pub stake: Balance,
}

/// Somebody says on chain that the gateway does not answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
	/// The record.
	pub record: RecordId,
	/// Who says so.
	pub claimant: AccountId,
	/// The claimant's key.
	pub key: sr25519::Public,
}

/// The chain for a gateway that hands over.
pub trait Witness: Send + Sync + 'static {
	/// Waits for the next block, or a while.
	fn next_block(&self) -> BoxFuture<'_, ()>;

	/// A verifier in the open round of a record's audit; `None` if that is not the round, or the account
	/// was no verifier when the audit began.
	fn candidate<'a>(
		&'a self,
		record: RecordId,
		round: u8,
		verifier: &'a AccountId,
	) -> BoxFuture<'a, Result<Option<Candidate>, LedgerError>>;

	/// Whether the account is the node of a stage of the record that a counted seat accuses, while that
	/// may be contested.
	fn accused<'a>(
		&'a self,
		record: RecordId,
		node: &'a AccountId,
	) -> BoxFuture<'a, Result<bool, LedgerError>>;

	/// Whether nobody may ask for a record's hand-over any more; `None` if the chain does not know the
	/// record.
	fn is_over(&self, record: RecordId) -> BoxFuture<'_, Result<Option<bool>, LedgerError>>;

	/// Claims of silence against this gateway that it may answer now and has not.
	fn claims(&self) -> BoxFuture<'_, Result<Vec<Claim>, LedgerError>>;

	/// Posts a sealed hand-over for one who claims silence.
	fn post(&self, claim: Claim, sealed: Sealed) -> BoxFuture<'_, Result<(), LedgerError>>;
}
