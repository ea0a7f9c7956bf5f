//! What a verifier is made of, and what it counts.

use super::{conduct::Machine, ledger::Ledger, store::CaseStore};
use aria_engine::package::Package;
use aria_network::wire::audit::AuditRequest;
use aria_primitives::{
	audit::{Handover, Named},
	record::{LayerRange, RecordBody},
	AccountId, ModelId,
};
use futures::future::BoxFuture;
use sp_core::sr25519;
use std::{
	path::PathBuf,
	sync::{
		atomic::{AtomicU64, Ordering},
		Arc,
	},
};

/// How a verifier gets what it runs again.
pub trait Gateways: Send + Sync + 'static {
	/// The hand-over of a record from its gateway, opened, with whom the requester named. Of several
	/// peers that say to be the gateway, that of the first whose hand-over is the record's.
	fn hand_over<'a>(
		&'a self,
		gateway: &'a AccountId,
		request: AuditRequest,
		body: &'a RecordBody,
	) -> BoxFuture<'a, Result<(Handover, Named), NoHandover>>;
}

/// Why there is no hand-over.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoHandover {
	/// Who answers says that there is none for this verifier.
	#[error("{0}")]
	Refused(String),
	/// Nobody answers, or with something else.
	#[error("{0}")]
	Silent(String),
}

/// Where weights come from.
pub trait Library: Send + Sync + 'static {
	/// The package of a model with these layers, fetched from peers where they are missing, and checked.
	fn package(
		&self,
		model: ModelId,
		layers: Vec<LayerRange>,
	) -> BoxFuture<'_, Result<Arc<Package>, String>>;
}

/// What a verifier is made of.
pub struct VerifierParts {
	/// The chain.
	pub ledger: Arc<dyn Ledger>,
	/// The worker's account.
	pub account: AccountId,
	/// The key for lots and hand-overs.
	pub pair: sr25519::Pair,
	/// What was begun.
	pub store: CaseStore,
	/// Where activations lie until they are opened.
	pub folder: PathBuf,
	/// Gateways.
	pub gateways: Arc<dyn Gateways>,
	/// Weights.
	pub library: Arc<dyn Library>,
	/// What the machine allows.
	pub machine: Machine,
}

/// What a verifier did since its process began.
#[derive(Debug, Default)]
pub struct Counters {
	/// Seats that it drew.
	pub seats: AtomicU64,
	/// Records that it ran again.
	pub runs: AtomicU64,
	/// Of these, those that were not as they should be.
	pub accused: AtomicU64,
	/// Commitments.
	pub committed: AtomicU64,
	/// Reveals.
	pub revealed: AtomicU64,
	/// Openings.
	pub opened: AtomicU64,
	/// Claims of silence.
	pub claimed: AtomicU64,
	/// Seats that came to nothing: nobody gave what to run, or it could not be run in time.
	pub missed: AtomicU64,
	/// Claims of fees.
	pub fee_claims: AtomicU64,
	/// Verifiers whose place it took.
	pub displaced: AtomicU64,
}

impl Counters {
	pub(crate) fn count(counter: &AtomicU64) {
		counter.fetch_add(1, Ordering::Relaxed);
	}
}
