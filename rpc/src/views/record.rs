//! A record.

use super::encoding::{account, decimal};
use aria_primitives::{
	record::{Anchor, EnergySource, FinishReason, LayerRange, RecordEntry, Stage},
	AccountId, Balance, BlockNumber, EpochIndex, EraIndex, ModelId, Moment, OutputHash,
	PaymentHash, QueryHash, RecordId,
};
use serde::{Deserialize, Serialize};
use sp_core::H256;

/// A settled record (paper, 6.1; `docs/protocol/record.md`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RecordView {
	/// The record's id.
	pub id: RecordId,
	/// Version of the record's body.
	pub version: u16,
	/// The weights.
	pub model_id: ModelId,
	/// The question.
	pub query_hash: QueryHash,
	/// Hash of the answer's text.
	pub output_hash: OutputHash,
	/// Hash of the answer's token ids.
	pub output_tokens_hash: H256,
	/// Why the answer ended: `stop`, `length` or `cancelled`.
	pub finish_reason: FinishReason,
	/// Tokens of the prompt, the cached ones included.
	pub prompt_tokens: u32,
	/// Tokens of the prompt whose state was at hand.
	pub cached_tokens: u32,
	/// Tokens of the answer.
	pub output_tokens: u32,
	/// The stages in order of their layers.
	pub stages: Vec<StageView>,
	/// Hashes between stages: one more than stages.
	pub boundaries: Vec<H256>,
	/// Energy of all stages, in millijoules.
	#[serde(with = "decimal")]
	pub energy_mj: u64,
	/// From the query's arrival to the last token, in milliseconds.
	pub latency_ms: u32,
	/// When the answer ended: milliseconds since the Unix epoch.
	pub timestamp: Moment,
	/// A block that was recent then.
	pub anchor: AnchorView,
	/// The ticket or on-chain request that paid.
	pub ticket_hash: PaymentHash,
	/// Whose escrow paid.
	#[serde(with = "account")]
	pub requester: AccountId,
	/// Which gateway served, or who matched the on-chain request.
	#[serde(with = "account")]
	pub gateway: AccountId,
	/// What was taken from the escrow, in planck.
	#[serde(with = "decimal")]
	pub price: Balance,
	/// The block that settled it.
	pub settled_at: BlockNumber,
	/// The epoch that settled it.
	#[serde(with = "decimal")]
	pub epoch: EpochIndex,
	/// The era in which its work counts.
	pub era: EraIndex,
	/// Whether the requester allows an audit.
	pub auditable: bool,
}

/// A stage of a record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StageView {
	/// The worker.
	#[serde(with = "account")]
	pub node: AccountId,
	/// The layers that it ran: `first..end`, without `end`.
	pub layers: LayerRange,
	/// Its energy, in millijoules.
	#[serde(with = "decimal")]
	pub energy_mj: u64,
	/// Where that figure comes from: `estimate`, `rapl`, `powermetrics` or `meter`.
	pub energy_source: EnergySource,
	/// The version of the consent that it worked under.
	pub consent_version: u32,
	/// Whether it signed the record.
	pub signed: bool,
}

/// A block that a record names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AnchorView {
	/// Its number.
	pub number: BlockNumber,
	/// Its hash.
	pub hash: H256,
}

impl RecordView {
	/// The record `entry` with its id.
	pub fn new(id: RecordId, entry: RecordEntry) -> Self {
		let RecordEntry {
			body,
			signed_stages,
			requester,
			gateway,
			price,
			settled_at,
			epoch,
			era,
			auditable,
		} = entry;
		let stages = (0u32..)
			.zip(body.stages)
			.map(|(index, stage)| StageView::new(stage, has_bit(signed_stages, index)))
			.collect();
		Self {
			id,
			version: body.version,
			model_id: body.model_id,
			query_hash: body.query_hash,
			output_hash: body.output_hash,
			output_tokens_hash: body.output_tokens_hash,
			finish_reason: body.finish_reason,
			prompt_tokens: body.prompt_tokens,
			cached_tokens: body.cached_tokens,
			output_tokens: body.output_tokens,
			stages,
			boundaries: body.boundaries.into_inner(),
			energy_mj: body.energy_mj,
			latency_ms: body.latency_ms,
			timestamp: body.timestamp,
			anchor: body.anchor.into(),
			ticket_hash: body.ticket_hash,
			requester,
			gateway,
			price,
			settled_at,
			epoch,
			era,
			auditable,
		}
	}
}

impl StageView {
	/// The stage, and whether its node signed.
	pub fn new(stage: Stage, signed: bool) -> Self {
		let Stage { node, layers, energy_mj, energy_source, consent_version } = stage;
		Self { node, layers, energy_mj, energy_source, consent_version, signed }
	}
}

impl From<Anchor> for AnchorView {
	fn from(Anchor { number, hash }: Anchor) -> Self {
		Self { number, hash }
	}
}

fn has_bit(bits: u32, index: u32) -> bool {
	1u32.checked_shl(index).is_some_and(|mask| bits & mask != 0)
}
