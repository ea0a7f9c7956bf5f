//! What the runtime answers to RPC servers and dashboards.

use crate::{
	audit::Verdict, consent::ConsentVersion, record::RecordEntry, traits::ModelInfo, AccountId,
	Balance, BlockNumber, EpochIndex, EraIndex, ModelId, Ppm, RecordId,
};
use alloc::vec::Vec;
use codec::{Decode, Encode};
use scale_info::TypeInfo;

/// Where a record stands in its audit (`docs/protocol/verification.md`).
#[derive(
	Clone,
	Copy,
	PartialEq,
	Eq,
	Encode,
	Decode,
	codec::DecodeWithMemTracking,
	codec::MaxEncodedLen,
	TypeInfo,
	Debug,
)]
pub enum AuditStatus {
	/// Its epoch has not been drawn yet.
	Pending {
		/// The epoch at whose start it will be.
		draw_epoch: EpochIndex,
	},
	/// The draw passed it over.
	NotDrawn,
	/// It was drawn, and there is no verdict.
	Drawn {
		/// The block of the draw.
		at: BlockNumber,
	},
	/// Nobody could or might check it, or those who did were not of one mind.
	Unaudited,
	/// There is a verdict; never [`Verdict::Unaudited`].
	Decided {
		/// The verdict.
		verdict: Verdict,
		/// Its block.
		at: BlockNumber,
	},
}

/// A stage's node beside the consent that it worked under.
#[derive(Clone, PartialEq, Eq, Encode, Decode, TypeInfo, Debug)]
pub struct TracedNode {
	/// The node.
	pub node: AccountId,
	/// Its libp2p ed25519 public key, if it is still registered.
	pub peer: Option<[u8; 32]>,
	/// The version of its consent that the record names, if still kept.
	pub consent: Option<ConsentVersion>,
	/// Its reputation now.
	pub reputation: Ppm,
}

/// A record with everything that the chain knows around it.
#[derive(Clone, PartialEq, Eq, Encode, Decode, TypeInfo, Debug)]
pub struct Trace {
	/// The record's id.
	pub id: RecordId,
	/// The record.
	pub record: RecordEntry,
	/// The model, if registered.
	pub model: Option<ModelInfo>,
	/// Aliases that name the model now, in UTF-8.
	pub aliases: Vec<Vec<u8>>,
	/// Whether the model is pinned now.
	pub pinned: bool,
	/// The nodes in order of their stages.
	pub nodes: Vec<TracedNode>,
	/// Where the record stands in its audit.
	pub audit: AuditStatus,
}

/// Every factor of a worker's reward in an era (paper, section 7).
#[derive(Clone, PartialEq, Eq, Encode, Decode, TypeInfo, Debug)]
pub struct RewardExplanation {
	/// The era.
	pub era: EraIndex,
	/// The worker.
	pub worker: AccountId,
	/// Whether the era's figures are final.
	pub settled: bool,
	/// First block of the era.
	pub era_start: BlockNumber,
	/// One past the last block of the era, if it is over.
	pub era_end: Option<BlockNumber>,
	/// Emission scheduled for the workers in the era, in planck.
	pub pool: Balance,
	/// Work of the worker, in thousands of parameter-tokens.
	pub work: u128,
	/// Records that the work comes from.
	pub records: u32,
	/// Uptime, in parts per million.
	pub uptime_ppm: Ppm,
	/// Latency score, in parts per million.
	pub latency_ppm: Ppm,
	/// Audits passed, in parts per million.
	pub audit_ppm: Ppm,
	/// Quality out of these three.
	pub quality_ppm: Ppm,
	/// Energy, in millijoules.
	pub energy_mj: u128,
	/// Energy that the network's average would have taken, in millijoules.
	pub expected_energy_mj: u128,
	/// Largest efficiency that the worker's source of energy figures allows.
	pub efficiency_ceiling_ppm: Ppm,
	/// Efficiency.
	pub efficiency_ppm: Ppm,
	/// work × quality × efficiency.
	pub weighted: u128,
	/// Sum of `weighted` over all workers of the era (so far, if not settled).
	pub total_weighted: u128,
	/// Pool share by weight, before bounds, in planck.
	pub by_rate: Balance,
	/// Fees burnt on the worker's records, in planck.
	pub burnt: Balance,
	/// Most that those allow, in planck.
	pub burn_bound: Balance,
	/// What was or would be paid, in planck.
	pub payout: Balance,
	/// Where it goes.
	pub payout_account: AccountId,
}

/// Energy and output of the network since genesis (paper, 3.2: Proof of Sobriety).
#[derive(
	Clone,
	Copy,
	PartialEq,
	Eq,
	Encode,
	Decode,
	codec::DecodeWithMemTracking,
	codec::MaxEncodedLen,
	TypeInfo,
	Debug,
	Default,
)]
pub struct NetworkStats {
	/// Settled inferences.
	pub inferences: u64,
	/// Tokens of prompts that were computed.
	pub prompt_tokens: u64,
	/// Tokens of answers.
	pub output_tokens: u64,
	/// Energy that hardware counted, in millijoules.
	pub measured_mj: u128,
	/// Energy that a model estimated, in millijoules.
	pub estimated_mj: u128,
	/// Tokens of answers whose energy was measured in every stage.
	pub measured_output_tokens: u64,
}

/// A model as dashboards list it.
#[derive(Clone, PartialEq, Eq, Encode, Decode, TypeInfo, Debug)]
pub struct ModelView {
	/// Its id.
	pub id: ModelId,
	/// What the chain keeps at hand.
	pub info: ModelInfo,
	/// Whether it is pinned.
	pub pinned: bool,
}
