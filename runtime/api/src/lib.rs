//! What the runtime answers to RPC servers and dashboards.
//!
//! Wallets and scripts that speak polkadot.js or papi read the same through the pallets' view
//! functions; these traits serve the node's own methods (`docs/rpc.md`).

#![cfg_attr(not(feature = "std"), no_std)]
#![forbid(unsafe_code)]
// `decl_runtime_apis!` expands to items without documentation.
#![allow(missing_docs)]

extern crate alloc;

use alloc::vec::Vec;
use aria_primitives::{
	consent::{ConsentVersion, TaskType},
	record::RecordEntry,
	traits::Offer,
	views::{ModelView, NetworkStats, RewardExplanation, Trace},
	AccountId, Balance, BlockNumber, EraIndex, ModelId, Moment, OutputHash, QueryHash, RecordId,
};

sp_api::decl_runtime_apis! {
	/// Records of inferences (paper, 3.2 and 6.1).
	pub trait ProvenanceApi {
		/// The record with this id.
		fn record(id: RecordId) -> Option<RecordEntry>;

		/// Ids of records with this output, ascending, after `after`, at most `limit`.
		fn records_by_output(
			output_hash: OutputHash,
			after: Option<RecordId>,
			limit: u32,
		) -> Vec<RecordId>;

		/// Ids of records of this query, ascending, after `after`, at most `limit`.
		fn records_by_query(
			query_hash: QueryHash,
			after: Option<RecordId>,
			limit: u32,
		) -> Vec<RecordId>;

		/// Ids of the records that the block settled, in order.
		fn block_records() -> Vec<RecordId>;

		/// The record with model, nodes, their consent, and the state of its audit.
		fn trace(id: RecordId) -> Option<Trace>;

		/// The key of the record in the state trie, for storage proofs.
		fn record_storage_key(id: RecordId) -> Vec<u8>;
	}

	/// How far back records are in the state (`docs/protocol/retention.md`).
	pub trait RetentionApi {
		/// The first block all of whose records are in state.
		fn records_since() -> BlockNumber;
	}

	/// Consent (paper, 3.1).
	pub trait ConsentApi {
		/// The consent in force.
		fn consent(worker: AccountId) -> Option<ConsentVersion>;

		/// One version of a consent, while it is kept.
		fn consent_version(worker: AccountId, version: u32) -> Option<ConsentVersion>;

		/// Whether the consent in force permits a task at a time.
		fn permits(worker: AccountId, task: TaskType, at: Moment) -> bool;
	}

	/// Rewards (paper, section 7).
	pub trait RewardApi {
		/// The era in which work counts now.
		fn current_era() -> EraIndex;

		/// Every factor of a worker's reward in an era; `None` if it has no work in it.
		fn explain(era: EraIndex, worker: AccountId) -> Option<RewardExplanation>;
	}

	/// Energy (paper, 3.2: Proof of Sobriety).
	pub trait SobrietyApi {
		/// Energy and output of the network since genesis.
		fn network_stats() -> NetworkStats;
	}

	/// Models and prices.
	pub trait MarketApi {
		/// Pinned models.
		fn models() -> Vec<ModelView>;

		/// The canonical bytes of a manifest.
		fn manifest(model: ModelId) -> Option<Vec<u8>>;

		/// The model behind an alias.
		fn resolve_alias(name: Vec<u8>) -> Option<ModelId>;

		/// What a gateway asks for a model.
		fn offer(model: ModelId, seller: AccountId) -> Option<Offer>;

		/// Escrow of an account: what is held, and what of it is reserved, in planck.
		fn escrow(requester: AccountId) -> (Balance, Balance);
	}
}
