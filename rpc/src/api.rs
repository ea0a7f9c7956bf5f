//! The methods' names and parameters (`docs/rpc.md`).
//!
//! Hashes, accounts and limits come as the widest JSON type and are checked by the methods, so that
//! a bad one meets an [`Error`] with a code of its own.

use crate::{
	error::Error,
	params::{PageParams, RecordFilter},
	views::{
		ConsentView, FoundView, ListView, NetworkStatsView, ProofView, RecordView, RewardView,
		TraceView,
	},
};
use jsonrpsee::{proc_macros::rpc, SubscriptionCloseResponse};

/// Records of inferences (paper, 3.2 and 6.1).
#[rpc(server)]
pub trait ProvenanceRpc {
	/// The record with this id, as of the best block or of `at`.
	///
	/// Errors: `InvalidHash`, `UnknownBlock`, `UnknownRecord`, `RecordPruned`.
	#[method(name = "provenance_getRecord", blocking)]
	fn get_record(&self, id: String, at: Option<String>) -> Result<RecordView, Error>;

	/// Records whose answer has this hash, ascending by id, as of the best block or of `at`.
	///
	/// Errors: `InvalidHash`, `InvalidPageSize`, `UnknownBlock`.
	#[method(name = "provenance_findByOutput", blocking)]
	fn find_by_output(
		&self,
		hash: String,
		page: Option<PageParams>,
		at: Option<String>,
	) -> Result<FoundView, Error>;

	/// Records of this query, as [`ProvenanceRpcServer::find_by_output`].
	#[method(name = "provenance_findByQuery", blocking)]
	fn find_by_query(
		&self,
		hash: String,
		page: Option<PageParams>,
		at: Option<String>,
	) -> Result<FoundView, Error>;

	/// Records of a model in final blocks, in order of settlement, from the node's own index.
	///
	/// Errors: `InvalidHash`, `InvalidPageSize`, `UnknownCursor`, `IndexUnavailable`.
	#[method(name = "provenance_listByModel", blocking)]
	fn list_by_model(&self, model_id: String, page: Option<PageParams>) -> Result<ListView, Error>;

	/// Records in which a node ran a stage, as [`ProvenanceRpcServer::list_by_model`].
	///
	/// Errors: `InvalidAccount` besides.
	#[method(name = "provenance_listByNode", blocking)]
	fn list_by_node(&self, account: String, page: Option<PageParams>) -> Result<ListView, Error>;

	/// The record with its model, its nodes, the consents under which they worked, and its audit;
	/// as of the best block or of `at`.
	///
	/// Errors: `InvalidHash`, `UnknownBlock`, `UnknownRecord`, `RecordPruned`.
	#[method(name = "provenance_trace", blocking)]
	fn trace(&self, id: String, at: Option<String>) -> Result<TraceView, Error>;

	/// The record with a proof against the header of the last final block, or of `at`: by its state,
	/// or, if the record has left that, by its Merkle mountain range.
	///
	/// Errors: `InvalidHash`, `UnknownBlock`, `UnknownRecord`, `RecordPruned`.
	#[method(name = "provenance_getProof", blocking)]
	fn get_proof(&self, id: String, at: Option<String>) -> Result<ProofView, Error>;

	/// Every record that meets the filter, when its block becomes final.
	///
	/// Errors: `InvalidHash`, `InvalidAccount`.
	#[subscription(
		name = "provenance_subscribeRecords" => "provenance_record",
		unsubscribe = "provenance_unsubscribeRecords",
		item = RecordView
	)]
	async fn subscribe_records(&self, filter: Option<RecordFilter>) -> SubscriptionCloseResponse;
}

/// Consent (paper, 3.1).
#[rpc(server)]
pub trait ConsentRpc {
	/// The consent in force, or one version of it while it is kept; at the best block or at `at`.
	///
	/// Errors: `InvalidAccount`, `InvalidHash`, `UnknownBlock`, `UnknownConsent`.
	#[method(name = "consent_get", blocking)]
	fn get(
		&self,
		account: String,
		version: Option<u64>,
		at: Option<String>,
	) -> Result<ConsentView, Error>;
}

/// Rewards (paper, section 7).
#[rpc(server)]
pub trait RewardRpc {
	/// Every factor of a worker's reward in an era, or in the current one; at the best block or at
	/// `at`.
	///
	/// Errors: `InvalidAccount`, `InvalidHash`, `UnknownBlock`, `NoWorkInEra`.
	#[method(name = "reward_explain", blocking)]
	fn explain(
		&self,
		account: String,
		era: Option<u64>,
		at: Option<String>,
	) -> Result<RewardView, Error>;
}

/// Energy (paper, 3.2: Proof of Sobriety).
#[rpc(server)]
pub trait SobrietyRpc {
	/// Energy and output of the network since genesis; at the best block or at `at`.
	///
	/// Errors: `InvalidHash`, `UnknownBlock`.
	#[method(name = "sobriety_networkStats", blocking)]
	fn network_stats(&self, at: Option<String>) -> Result<NetworkStatsView, Error>;
}
