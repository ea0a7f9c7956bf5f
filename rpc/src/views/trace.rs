//! A record with all that the chain knows around it.

use super::{
	consent::ConsentView,
	encoding::{account, decimal},
	record::RecordView,
};
use aria_primitives::{
	audit::Verdict,
	consent::TaskType,
	traits::ModelInfo,
	views::{AuditStatus, Trace, TracedNode},
	AccountId, BlockNumber, EpochIndex, Ppm,
};
use serde::{Deserialize, Serialize};
use sp_core::H256;

/// Where an answer comes from: the record, the model, and each node with the consent under which it
/// worked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TraceView {
	/// The record.
	pub record: RecordView,
	/// Its model; `null` if it is not registered.
	pub model: Option<ModelInfoView>,
	/// Names of the model now.
	pub aliases: Vec<String>,
	/// Whether the model is pinned now.
	pub pinned: bool,
	/// The nodes in the order of the record's stages.
	pub nodes: Vec<TracedNodeView>,
	/// Where the record stands in its audit.
	pub audit: AuditView,
}

/// What the chain keeps of a model at hand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ModelInfoView {
	/// Number of layers.
	pub layers: u16,
	/// Parameters that take part in every token.
	#[serde(with = "decimal")]
	pub active_parameters: u64,
	/// Positions that it was made for.
	pub context: u32,
	/// What it is for.
	pub task_type: TaskType,
}

/// A node of a record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TracedNodeView {
	/// Its account.
	#[serde(with = "account")]
	pub node: AccountId,
	/// Its libp2p ed25519 public key; `null` if it is no longer registered.
	pub peer: Option<H256>,
	/// The consent that the record names; `null` if that version is no longer kept.
	pub consent: Option<ConsentView>,
	/// Its reputation now, in parts per million.
	pub reputation_ppm: Ppm,
}

/// Where a record stands in its audit (`docs/protocol/verification.md`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum AuditView {
	/// Its epoch has not been drawn yet.
	Pending {
		/// The epoch at whose start it will be.
		#[serde(with = "decimal")]
		draw_epoch: EpochIndex,
	},
	/// The draw passed it over.
	NotDrawn,
	/// It was drawn.
	Drawn {
		/// The block of the draw.
		at: BlockNumber,
	},
	/// Nobody could or might check it, or those who did were not of one mind.
	Unaudited,
	/// It is as it should be.
	Passed {
		/// The block of the verdict.
		at: BlockNumber,
	},
	/// A stage computed something else than it should.
	Failed {
		/// Which one, from 0.
		stage: u16,
		/// The block of the verdict.
		at: BlockNumber,
	},
	/// Its gateway did not hand over what belongs to it.
	Silent {
		/// The block of the verdict.
		at: BlockNumber,
	},
}

impl From<Trace> for TraceView {
	fn from(Trace { id, record, model, aliases, pinned, nodes, audit }: Trace) -> Self {
		Self {
			record: RecordView::new(id, record),
			model: model.map(Into::into),
			aliases: aliases.iter().map(|name| String::from_utf8_lossy(name).into()).collect(),
			pinned,
			nodes: nodes.into_iter().map(Into::into).collect(),
			audit: audit.into(),
		}
	}
}

impl From<ModelInfo> for ModelInfoView {
	fn from(ModelInfo { layers, active_parameters, context, task_type }: ModelInfo) -> Self {
		Self { layers, active_parameters, context, task_type }
	}
}

impl From<TracedNode> for TracedNodeView {
	fn from(TracedNode { node, peer, consent, reputation }: TracedNode) -> Self {
		Self {
			node,
			peer: peer.map(H256),
			consent: consent.map(Into::into),
			reputation_ppm: reputation,
		}
	}
}

impl From<AuditStatus> for AuditView {
	fn from(status: AuditStatus) -> Self {
		match status {
			AuditStatus::Pending { draw_epoch } => AuditView::Pending { draw_epoch },
			AuditStatus::NotDrawn => AuditView::NotDrawn,
			AuditStatus::Drawn { at } => AuditView::Drawn { at },
			AuditStatus::Unaudited => AuditView::Unaudited,
			AuditStatus::Decided { verdict, at } => match verdict {
				Verdict::Passed => AuditView::Passed { at },
				Verdict::Failed { stage } => AuditView::Failed { stage, at },
				Verdict::Silent => AuditView::Silent { at },
				Verdict::Unaudited => AuditView::Unaudited,
			},
		}
	}
}
