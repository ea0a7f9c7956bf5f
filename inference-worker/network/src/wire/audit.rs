//! Hand-overs of what a verifier runs again (`docs/protocol/network.md`, "Audits").

use super::pipeline::Text;
use aria_primitives::{
	audit::{Named, SeatProof},
	hashing::sha256,
	record::LayerRange,
	AccountId, ModelId, RecordId,
};
use codec::{Decode, Encode};
use sp_core::ConstU32;
use sp_runtime::BoundedVec;

/// Most bytes of a request.
pub const MAX_REQUEST: usize = 1 << 10;
/// Most bytes of a sealed hand-over: a query and an answer of 2^17 tokens each are 1 MiB.
pub const MAX_SEALED: u32 = 2 << 20;
/// Most bytes of an answer.
pub const MAX_ANSWER: usize = MAX_SEALED as usize + (4 << 10);
/// Beginning of what a gateway's place in the table of providers is the hash of.
const GATEWAY_DOMAIN: &[u8] = b"aria/gateway/v1";

/// A verifier asks for what belongs to a record, one question a stream of [`super::AUDIT_PROTOCOL`].
#[derive(Clone, PartialEq, Eq, Encode, Decode, Debug)]
pub struct AuditRequest {
	/// The record.
	pub record: RecordId,
	/// The round of its audit, from 0.
	pub round: u8,
	/// The verifier's account.
	pub verifier: AccountId,
	/// By the key that the account has on chain.
	pub proof: SeatProof,
}

/// The node of a stage that is accused asks for what belongs to the record, one question a stream of
/// [`super::DISPUTE_PROTOCOL`]. The answer is sealed to the node's account, so that it is of use to
/// nobody else, whoever asks.
#[derive(Clone, PartialEq, Eq, Encode, Decode, Debug)]
pub struct DisputeRequest {
	/// The record.
	pub record: RecordId,
	/// The stage's account, an sr25519 key.
	pub node: AccountId,
}

/// The answer to an [`AuditRequest`] or a [`DisputeRequest`].
#[derive(Clone, PartialEq, Eq, Encode, Decode, Debug)]
pub enum AuditAnswer {
	/// It is here.
	Sealed {
		/// An [`aria_primitives::audit::Handover`], sealed to the verifier's key: an ephemeral key of 32
		/// bytes, then the ciphertext with its tag.
		sealed: BoundedVec<u8, ConstU32<MAX_SEALED>>,
		/// The verifiers that the requester named, the receiver among them; none where anybody may audit.
		named: Named,
	},
	/// There is none for this verifier, and why.
	Refused(Text),
	/// It can't be told now; ask again after this many milliseconds.
	Later {
		/// Milliseconds.
		retry_ms: u32,
	},
}

/// Where a gateway is found: what it provides, with [`crate::Handle::provide`], as if it were a range of
/// layers of a model. A record of the table proves nothing; what is handed over proves itself.
pub fn gateway_place(gateway: &AccountId) -> (ModelId, LayerRange) {
	let account: &[u8; 32] = gateway.as_ref();
	let name = sha256(&[GATEWAY_DOMAIN, account.as_slice()].concat());
	(name, LayerRange { first: 0, end: 1 })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;
	use aria_primitives::{
		audit::Handover,
		query::{CanonicalQuery, Sampling, MAX_PROMPT_TOKENS, QUERY_VERSION},
	};
	use codec::DecodeAll;
	use sp_core::H256;

	#[test]
	fn messages_should_come_back_within_their_limits() {
		let request = AuditRequest {
			record: H256::repeat_byte(1),
			round: 1,
			verifier: AccountId::new([2; 32]),
			proof: SeatProof { pre_output: [3; 32], proof: [4; 64] },
		};
		let bytes = request.encode();
		assert!(bytes.len() <= MAX_REQUEST);
		assert_eq!(AuditRequest::decode_all(&mut bytes.as_slice()).unwrap(), request);
		let accused = DisputeRequest { record: request.record, node: request.verifier.clone() };
		let bytes = accused.encode();
		assert!(bytes.len() <= MAX_REQUEST);
		assert_eq!(DisputeRequest::decode_all(&mut bytes.as_slice()).unwrap(), accused);

		let query = CanonicalQuery {
			version: QUERY_VERSION,
			model_id: H256::repeat_byte(4),
			prompt_tokens: vec![u32::MAX; MAX_PROMPT_TOKENS as usize].try_into().unwrap(),
			sampling: Sampling::GREEDY,
			max_tokens: 1,
			stop: vec![vec![b'x'; 128].try_into().unwrap(); 4].try_into().unwrap(),
			salt: [5; 32],
		};
		let largest = Handover { query, tokens: vec![7; MAX_PROMPT_TOKENS as usize] };
		assert!(largest.encode().len() + 64 <= MAX_SEALED as usize);
	}

	#[test]
	fn gateways_should_have_places_of_their_own() {
		let place = |byte: u8| gateway_place(&AccountId::new([byte; 32]));
		assert_ne!(place(1).0, place(2).0);
		assert_eq!(place(1).1, place(2).1);
	}
}
