//! Tickets: permission to take a price from an escrow for one query
//! (`docs/protocol/ticket.md`).

use crate::{
	hashing::{domain_hash, TICKET_DOMAIN},
	AccountId, Balance, BlockNumber, ModelId, PaymentHash, QueryHash, Signature,
};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_core::H256;
use sp_runtime::traits::Verify;

#[cfg(feature = "std")]
use serde::{Deserialize, Serialize};

/// Version of [`Ticket`] that this crate writes.
pub const TICKET_VERSION: u16 = 1;

/// Who may check the answer by running the query again.
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
pub enum AuditMode {
	/// Any eligible verifier.
	#[default]
	Any,
	/// Verifiers out of a set that the requester named to the gateway, by the set's hash.
	Named(H256),
	/// Nobody: the record earns neither emission nor lottery work.
	None,
}

/// What a spending key signs for one query.
#[derive(
	Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo, Debug,
)]
#[cfg_attr(feature = "std", derive(Serialize, Deserialize))]
pub struct Ticket {
	/// [`TICKET_VERSION`].
	pub version: u16,
	/// Whose escrow pays.
	pub requester: AccountId,
	/// The spending key that signs, registered by the requester.
	pub key: AccountId,
	/// The gateway that the key is bound to.
	pub gateway: AccountId,
	/// The model that is asked.
	pub model_id: ModelId,
	/// The query that is asked.
	pub query_hash: QueryHash,
	/// Most that may be taken, in planck.
	pub max_price: Balance,
	/// Unique per key. Nonces more than 1,023 below the highest used one are refused.
	pub nonce: u64,
	/// Last block at which the ticket may be settled.
	pub expiry: BlockNumber,
	/// Who may check the answer.
	pub audit_mode: AuditMode,
}

impl Ticket {
	/// `sha256(TICKET_DOMAIN ‖ genesis ‖ SCALE(ticket))`: what the key signs, and what the record
	/// names.
	pub fn hash(&self, genesis: &H256) -> PaymentHash {
		domain_hash(TICKET_DOMAIN, genesis, self)
	}
}

/// A ticket with its signature.
#[derive(
	Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo, Debug,
)]
pub struct SignedTicket {
	/// What is permitted.
	pub ticket: Ticket,
	/// By `ticket.key`, over [`Ticket::hash`].
	pub signature: Signature,
}

impl SignedTicket {
	/// Whether `ticket.key` signed `hash`, the ticket's hash on this chain.
	pub fn verify(&self, hash: &PaymentHash) -> bool {
		self.signature.verify(hash.as_bytes(), &self.ticket.key)
	}
}
