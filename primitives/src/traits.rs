//! How pallets meet without knowing each other: each trait is implemented by one pallet and wired
//! in the runtime; mocks implement them too.
//!
//! A `Result` carries the implementing pallet's own error, so that a refused settlement says
//! exactly what was wrong.

use crate::{
	consent::TaskType,
	record::{EnergySource, LayerRange, RecordEntry, MAX_STAGES},
	AccountId, Balance, BlockNumber, EpochIndex, EraIndex, ModelId, Moment, Ppm, RecordId,
};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_core::{ConstU32, H256};
use sp_runtime::{BoundedVec, DispatchError, DispatchResult};

#[cfg(feature = "std")]
use serde::{Deserialize, Serialize};

/// What the chain keeps of a manifest at hand.
#[derive(
	Clone,
	Copy,
	PartialEq,
	Eq,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
	Debug,
)]
#[cfg_attr(feature = "std", derive(Serialize, Deserialize))]
pub struct ModelInfo {
	/// Number of layers.
	pub layers: u16,
	/// Parameters that take part in every token.
	pub active_parameters: u64,
	/// Positions that the model was made for.
	pub context: u32,
	/// What it is for.
	pub task_type: TaskType,
}

/// What a seller asks for a model's tokens, in planck a token.
#[derive(
	Clone,
	Copy,
	PartialEq,
	Eq,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
	Debug,
	Default,
)]
#[cfg_attr(feature = "std", derive(Serialize, Deserialize))]
pub struct Offer {
	/// A token of the prompt that has to be computed.
	pub prompt_price: Balance,
	/// A token of the prompt whose state is at hand.
	pub cached_price: Balance,
	/// A token of the answer.
	pub output_price: Balance,
}

/// Models (implemented by model-registry).
pub trait Models {
	/// The model if it is registered and pinned; an error that says which is missing otherwise.
	fn pinned(model: &ModelId) -> Result<ModelInfo, DispatchError>;
	/// What `seller` asks for the model; an error if there is no offer.
	fn offer(model: &ModelId, seller: &AccountId) -> Result<Offer, DispatchError>;
	/// Registers and pins a model of `layers` layers with an offer by `seller`.
	#[cfg(feature = "runtime-benchmarks")]
	fn benchmark_model(layers: u16, seller: &AccountId, offer: Offer) -> ModelId;
}

/// Workers (implemented by worker-registry).
pub trait Workers {
	/// Whether the worker may have run these layers of the model for work that began at `began`:
	/// registered, staked, neither draining nor unbonding before `began`, serving the layers then.
	fn ensure_may_work(
		worker: &AccountId,
		model: &ModelId,
		layers: &LayerRange,
		began: BlockNumber,
	) -> DispatchResult;
	/// Stake on hold or earned, in planck.
	fn stake(worker: &AccountId) -> Balance;
	/// Reputation in parts per million; 0 for a stranger.
	fn reputation(worker: &AccountId) -> Ppm;
	/// Notes a settled stage of a record that took so many milliseconds a new token: it is activity,
	/// and reputation grows slowly by it, slower where the record was slower than promised.
	fn note_settled(worker: &AccountId, latency_ms_per_token: u32);
	/// Adds `amount` that already lies on the worker's account to its stake, up to what the
	/// minimum still lacks; returns what was taken.
	fn stake_from_earnings(worker: &AccountId, amount: Balance) -> Balance;
	/// Registers a worker that serves the model's layers.
	#[cfg(feature = "runtime-benchmarks")]
	fn benchmark_worker(worker: &AccountId, model: &ModelId, layers: LayerRange);
}

/// Consent (implemented by consent-registry).
pub trait Consents {
	/// Whether `worker` permits this task at this time under consent `version`; that version must be
	/// in force at block `anchor`, or have been superseded at most the grace period before `now`.
	fn ensure_permitted(
		worker: &AccountId,
		task: TaskType,
		at: Moment,
		version: u32,
		anchor: BlockNumber,
	) -> DispatchResult;
	/// Whether `worker` permits this task at this time under the consent in force.
	fn ensure_permits_now(worker: &AccountId, task: TaskType, at: Moment) -> DispatchResult;
	/// Whether there is a consent in force and its hours allow work at this time, whatever the task.
	fn is_open(worker: &AccountId, at: Moment) -> bool {
		[TaskType::TextGeneration, TaskType::Embedding, TaskType::Audit]
			.into_iter()
			.any(|task| Self::ensure_permits_now(worker, task, at).is_ok())
	}
	/// Least price of an output token under consent `version`; an error if there is no such version.
	fn minimum_price(worker: &AccountId, version: u32) -> Result<Balance, DispatchError>;
	/// Where the worker's earnings go under the consent in force: its payout account, the donation
	/// account, or the worker itself if it has no consent.
	fn payout(worker: &AccountId) -> AccountId;
	/// Sets a consent that permits everything; returns its version.
	#[cfg(feature = "runtime-benchmarks")]
	fn benchmark_consent(worker: &AccountId) -> u32;
}

/// Records (implemented by provenance-ledger).
pub trait Ledger {
	/// Writes a record; an error if one with this id is there, or if the block is full.
	fn insert(id: RecordId, entry: RecordEntry) -> DispatchResult;
	/// Whether a record with this id is there.
	fn contains(id: &RecordId) -> bool;
	/// The record.
	fn get(id: &RecordId) -> Option<RecordEntry>;
}

/// Whoever may still ask for a settled record, and whoever keeps something beside it (implemented in
/// the runtime for all of them, asked by provenance-ledger before a record leaves the state;
/// `docs/protocol/retention.md`).
pub trait RecordUses {
	/// Whether something hangs on the record that is not over.
	fn is_needed(id: &RecordId, record: &RecordEntry) -> bool;
	/// The record leaves the state, and what is kept beside it goes too.
	fn forget(id: &RecordId);
	/// Nothing needs records of epoch 0 and era 0 any more.
	#[cfg(feature = "runtime-benchmarks")]
	fn benchmark_release();
}

impl RecordUses for () {
	fn is_needed(_: &RecordId, _: &RecordEntry) -> bool {
		false
	}
	fn forget(_: &RecordId) {}
	#[cfg(feature = "runtime-benchmarks")]
	fn benchmark_release() {}
}

/// A settled stage, for whoever counts work.
#[derive(Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo, Debug)]
pub struct WorkNote {
	/// The worker.
	pub worker: AccountId,
	/// The model.
	pub model: ModelId,
	/// New tokens × share of layers × active parameters, in thousands of parameter-tokens.
	pub work: u128,
	/// Energy in millijoules.
	pub energy_mj: u64,
	/// Where that figure comes from.
	pub energy_source: EnergySource,
	/// What of the record's fee is burnt on this stage's account, in planck.
	pub burnt: Balance,
	/// Latency of the whole record in milliseconds a new token.
	pub latency_ms_per_token: u32,
}

/// Who counts work for emission (implemented by reward-distributor).
pub trait WorkSink {
	/// The era in which work counts now.
	fn current_era() -> EraIndex;
	/// Counts a signed stage of an auditable record.
	fn note_work(note: WorkNote);
	/// Takes out of `era` what [`WorkSink::note_work`] counted there for an equal note. Nothing
	/// happens if the era's workers are being paid already.
	fn revoke_work(_era: EraIndex, _note: WorkNote) {}
}

impl WorkSink for () {
	fn current_era() -> EraIndex {
		0
	}
	fn note_work(_: WorkNote) {}
}

/// Who weighs validators by the verified work of their workers (implemented by validator-registry).
pub trait LotteryWork {
	/// Counts a settled stage's work of this epoch, in thousands of parameter-tokens, for the
	/// validator that the worker is linked with; nothing without one. It has no effect before audits
	/// of the epoch's records are over ([`AuditDraw::is_closed`]).
	fn note_work(worker: &AccountId, work: u128);
	/// Takes all work of the worker in `epoch` out again, because one of its stages failed an audit.
	/// Nothing happens if there is none, or if audits of the epoch are over.
	fn revoke_work(worker: &AccountId, epoch: EpochIndex);
	/// Links the worker with a validator.
	#[cfg(feature = "runtime-benchmarks")]
	fn benchmark_link(worker: &AccountId);
}

impl LotteryWork for () {
	fn note_work(_: &AccountId, _: u128) {}
	fn revoke_work(_: &AccountId, _: EpochIndex) {}
	#[cfg(feature = "runtime-benchmarks")]
	fn benchmark_link(_: &AccountId) {}
}

/// Who draws settled records for audit (implemented by verification).
pub trait AuditDraw {
	/// The epoch in which records are settled now.
	fn current_epoch() -> EpochIndex;
	/// Whether all records of `epoch` that are to be drawn have been drawn: before that nothing of
	/// the epoch vests, however late the draw is.
	fn is_drawn(epoch: EpochIndex) -> bool;
	/// Whether no audit of a record of `epoch` can fail any more: then its work weighs in the lottery
	/// for blocks. Never before [`AuditDraw::is_drawn`].
	fn is_closed(epoch: EpochIndex) -> bool {
		Self::is_drawn(epoch)
	}
	/// Whether no audit of a record of `epoch`, or of an epoch before it, can fail any more: then an
	/// era that ended in it can be paid.
	fn is_closed_through(epoch: EpochIndex) -> bool {
		Self::is_closed(epoch)
	}
	/// Notes a settled record; `reputation` is the lowest among its stages. Records that are not
	/// auditable become `Unaudited` at once.
	fn note_settled(id: RecordId, reputation: Ppm, auditable: bool) -> DispatchResult;
	/// Notes what hangs on an auditable record that this block noted; an error if so many wait for their
	/// audit that there is no room for it.
	fn note_stakes(_id: RecordId, _stakes: RecordStakes) -> DispatchResult {
		Ok(())
	}
	/// Most that an auditable record's tokens may cost whose stages have at least `stake` each, in
	/// planck: beyond, no audit would be probable enough.
	fn price_limit(_stake: Balance) -> Balance {
		Balance::MAX
	}
	/// Most that auditable records which are not vested may cost together, in planck: those of several
	/// stages in which a worker with `stake` takes part, and all of a gateway with `stake`.
	fn shared_limit(_stake: Balance) -> Balance {
		Balance::MAX
	}
}

impl AuditDraw for () {
	fn current_epoch() -> EpochIndex {
		0
	}
	fn is_drawn(_: EpochIndex) -> bool {
		true
	}
	fn note_settled(_: RecordId, _: Ppm, _: bool) -> DispatchResult {
		Ok(())
	}
}

/// What hangs on one stage of a settled record.
#[derive(
	Clone,
	Copy,
	PartialEq,
	Eq,
	Default,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
	Debug,
)]
pub struct StageStake {
	/// What vests for the stage, in planck; 0 if it did not sign.
	#[codec(compact)]
	pub share: Balance,
	/// As in [`WorkNote::burnt`].
	#[codec(compact)]
	pub burnt: Balance,
	/// As in [`WorkNote::work`].
	#[codec(compact)]
	pub work: u128,
}

/// What hangs on a settled record.
#[derive(
	Clone,
	PartialEq,
	Eq,
	Default,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
	Debug,
)]
pub struct RecordStakes {
	/// The stages', in order.
	pub stages: BoundedVec<StageStake, ConstU32<MAX_STAGES>>,
	/// The hash of the set of verifiers that the requester named; `None` if anybody may audit.
	pub named: Option<H256>,
	/// What the record cost, in planck.
	#[codec(compact)]
	pub price: Balance,
	/// What of that goes to nobody who made the record: author, audits, storage, and what is burnt.
	#[codec(compact)]
	pub cost: Balance,
	/// The least stake among the stages that signed, in planck.
	#[codec(compact)]
	pub stake: Balance,
}

/// Workers that answer with their stake for what they computed or said of others (implemented by
/// worker-registry).
pub trait Accountable {
	/// Whether the worker is active, with the minimum stake.
	fn ensure_active(worker: &AccountId) -> DispatchResult;
	/// Stake on hold or earned, in planck; 0 for a stranger.
	fn stake(worker: &AccountId) -> Balance;
	/// Moves at most `amount` of the worker's stake to the free balance of `to`; returns what was
	/// moved, in planck.
	fn slash(worker: &AccountId, amount: Balance, to: &AccountId) -> Balance;
	/// Lets the worker's reputation fall for a failed audit.
	fn note_fault(worker: &AccountId);
	/// Lets the worker's reputation grow for an audit that found nothing wrong.
	fn note_passed(_worker: &AccountId) {}
	/// Registers a worker with this stake.
	#[cfg(feature = "runtime-benchmarks")]
	fn benchmark_stake(worker: &AccountId, stake: Balance);
}

/// The money of settled records (implemented by inference-market).
pub trait RecordFunds {
	/// Takes at most `amount` out of what `payee` has in the bucket of `epoch`, and moves it to `to`;
	/// returns what was moved, in planck.
	fn withhold(epoch: EpochIndex, payee: &AccountId, amount: Balance, to: &AccountId) -> Balance;
	/// Takes everything that has not vested for `payee`, whatever epoch it is of, and moves it to `to`;
	/// returns what was moved, in planck.
	fn forfeit(payee: &AccountId, to: &AccountId) -> Balance;
	/// Moves `amount` from `from` into the requester's escrow; returns what was moved, in planck: all
	/// or nothing.
	fn refund(requester: &AccountId, from: &AccountId, amount: Balance) -> Balance;
	/// Moves at most `amount` of the gateway's stake to the free balance of `to`; returns what was
	/// moved, in planck.
	fn slash_gateway(gateway: &AccountId, amount: Balance, to: &AccountId) -> Balance;
	/// Makes the account a gateway, and lets `share` vest for each payee in `epoch`.
	#[cfg(feature = "runtime-benchmarks")]
	fn benchmark_funds(
		gateway: &AccountId,
		epoch: EpochIndex,
		payees: &[AccountId],
		share: Balance,
	);
}

/// Whether an account may leave: nothing that can still be slashed or refunded hangs on it.
pub trait Obligations {
	/// Value that is not vested yet, in planck.
	fn unvested(account: &AccountId) -> Balance;
}

impl Obligations for () {
	fn unvested(_: &AccountId) -> Balance {
		0
	}
}

/// Consents and validators of linked workers read this (implemented by worker-registry).
pub trait WorkerRegistration {
	/// Whether the account is registered as a worker and not unbonded.
	fn is_registered(worker: &AccountId) -> bool;
}

/// What quality is made of besides latency: uptime (measured by worker-registry) and audits (counted
/// by verification).
pub trait Uptime {
	/// Factor for the challenges that the worker answered in the era, in parts per million; `None` if it
	/// was not asked, or nobody measures it.
	fn uptime(worker: &AccountId, era: EraIndex) -> Option<Ppm>;
	/// Share of audits that the worker passed in the era; `None` if it had none.
	fn audit_pass_rate(worker: &AccountId, era: EraIndex) -> Option<Ppm>;
}

impl Uptime for () {
	fn uptime(_: &AccountId, _: EraIndex) -> Option<Ppm> {
		None
	}
	fn audit_pass_rate(_: &AccountId, _: EraIndex) -> Option<Ppm> {
		None
	}
}

/// Pages of record ids by a hash (implemented by provenance-ledger, read by the runtime API).
pub trait RecordIndex {
	/// Ids of records with this output, ascending, after `after`.
	fn by_output(hash: &crate::OutputHash, after: Option<RecordId>, limit: u32) -> Vec<RecordId>;
	/// Ids of records with this query, ascending, after `after`.
	fn by_query(hash: &crate::QueryHash, after: Option<RecordId>, limit: u32) -> Vec<RecordId>;
}
