//! The chain, as a party of a dispute needs it.

use crate::audit::ledger::LedgerError;
use aria_primitives::{
	audit::Verdict,
	dispute::{BlockProof, Dispute, Fork, Hashes, Pair, Party},
	record::RecordEntry,
	AccountId, BlockNumber, RecordId,
};
use futures::future::BoxFuture;
use sp_core::H256;

/// The windows of disputes, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Window {
	/// Whom the verdict is against opens one.
	Dispute,
	/// Executors post the nodes of their boundaries.
	Nodes,
	/// Accusers say below which node theirs differ first.
	Leaf,
	/// Executors say at which leaf, and post their items.
	Defence,
	/// Accusers post theirs.
	Reply,
	/// Both post the blocks of the first sums that differ.
	Blocks,
	/// Anybody proves a block false.
	Proof,
}

/// A counted seat that accuses a stage which signed, with the dispute about it, if there is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accusation {
	/// The seat's verifier.
	pub accuser: AccountId,
	/// The boundary that differs first, from 1.
	pub index: u16,
	/// What the verifier found in its place.
	pub root: H256,
	/// The dispute.
	pub dispute: Option<Dispute>,
}

/// A record whose verdict is held back, and that this worker may have a say in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hearing {
	/// The record.
	pub record: RecordId,
	/// The same as the chain has it.
	pub entry: RecordEntry,
	/// The window.
	pub window: Window,
	/// The last block that takes something in it.
	pub until: BlockNumber,
	/// Blocks of a window.
	pub length: BlockNumber,
	/// What the seats said.
	pub verdict: Option<Verdict>,
	/// What they found in place of the boundary of the stage that failed.
	pub root: H256,
	/// The accusations in which this worker is executor or accuser.
	pub accusations: Vec<Accusation>,
}

impl Hearing {
	/// The executor of an accusation.
	pub fn executor(&self, accusation: &Accusation) -> Option<&AccountId> {
		let stage = usize::from(accusation.index).checked_sub(1)?;
		self.entry.body.stages.get(stage).map(|stage| &stage.node)
	}

	/// Who has to open the dispute: the executor against whom the verdict is what the accuser found, the
	/// accuser otherwise.
	pub fn opener(&self, accusation: &Accusation) -> Party {
		let stage = accusation.index.saturating_sub(1);
		let is_right =
			self.verdict == Some(Verdict::Failed { stage }) && self.root == accusation.root;
		if is_right {
			Party::Executor
		} else {
			Party::Accuser
		}
	}
}

/// All hearings in the state of one block.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hearings {
	/// The block.
	pub at: BlockNumber,
	/// Those in which this worker is a party.
	pub open: Vec<Hearing>,
}

/// What a party has posted, by what the chain keeps of it: the rest lies in a block's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
	/// The executor's nodes under this root.
	Nodes(H256),
	/// The accuser's leaves below this node of its own.
	Leaf(Pair),
	/// The executor's items under this root.
	Defence(H256),
	/// The accuser's items under this root.
	Reply(H256),
	/// A party's blocks of these sums.
	Blocks(H256),
}

/// What a party sends about one accusation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
	/// `open_dispute`.
	Open,
	/// `post_nodes`.
	Nodes(Hashes),
	/// `accuse_leaf`.
	Leaf(Box<Fork>, Hashes),
	/// `defend_leaf`.
	Defence(Box<Fork>, Hashes),
	/// `reply_trace`.
	Reply(Hashes),
	/// `post_blocks`.
	Blocks(Box<Fork>, Hashes),
	/// `prove_false`.
	Prove(Party, Box<BlockProof>),
}

impl Action {
	/// A word or two for logs.
	pub fn name(&self) -> &'static str {
		match self {
			Self::Open => "dispute",
			Self::Nodes(_) => "nodes",
			Self::Leaf(..) => "node that differs",
			Self::Defence(..) => "leaf that differs",
			Self::Reply(_) => "trace",
			Self::Blocks(..) => "blocks",
			Self::Prove(..) => "proof",
		}
	}
}

/// The chain for a party.
pub trait DisputeChain: Send + Sync + 'static {
	/// Waits for the next block, or a while.
	fn next_block(&self) -> BoxFuture<'_, ()>;

	/// The hearings in which this worker is a party.
	fn hearings(&self) -> BoxFuture<'_, Result<Hearings, LedgerError>>;

	/// The hashes that make what is wanted, as somebody posted them in a dispute within the last `blocks`.
	/// What else stood in the call may be anybody's, and is not looked at.
	fn posted<'a>(
		&'a self,
		wanted: Wanted,
		record: RecordId,
		accuser: &'a AccountId,
		blocks: BlockNumber,
	) -> BoxFuture<'a, Result<Option<Vec<H256>>, LedgerError>>;

	/// Sends something about a dispute, and waits until a block has it.
	fn send<'a>(
		&'a self,
		record: RecordId,
		accuser: &'a AccountId,
		action: Action,
	) -> BoxFuture<'a, Result<(), LedgerError>>;
}
