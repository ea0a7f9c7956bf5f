//! Bytes of the structures: what is written is read, what is cut off is refused, variants keep their
//! numbers, and hashes belong to one meaning and one chain (`docs/protocol`).
#![allow(clippy::unwrap_used)]

#[path = "encoding/arbitrary.rs"]
mod arbitrary;

use arbitrary::{accounts, bodies, consents, queries, settlements, tickets};
use aria_primitives::{
	consent::{Consent, ConsentVersion, RewardMode, TaskType},
	hashing::{
		domain_hash, leaf_hash, peer_binding, sha256, BATCH_DOMAIN, BOUNDARY_DOMAIN, PEER_DOMAIN,
		RECORD_DOMAIN, REQUEST_DOMAIN, SETTLEMENT_DOMAIN, TICKET_DOMAIN,
	},
	manifest::{Architecture, Attention, Encoding, Gate, Head, TensorRole},
	query::{CanonicalQuery, Sampling},
	record::{
		batch_digest, boundary, settlement_digest, EnergySource, FinishReason, LayerRange,
		RecordEntry, Settlement,
	},
	ticket::{AuditMode, SignedTicket, Ticket},
	AccountId, Signature, PPM,
};
use codec::{Decode, DecodeAll, Encode, MaxEncodedLen};
use proptest::{prelude::*, test_runner::TestCaseError};
use sp_core::{ed25519, Pair, H256};
use std::fmt::Debug;

const GENESIS: H256 = H256([0x67; 32]);

// --- what is written is read --------------------------------------------------------------------

/// Bytes decode to the value, fewer do not, more do not.
fn round_trips<T: Encode + Decode + PartialEq + Debug>(
	value: &T,
	cut: &prop::sample::Index,
) -> Result<(), TestCaseError> {
	let bytes = value.encode();
	let read = T::decode_all(&mut &bytes[..]).unwrap();
	prop_assert_eq!(&read, value);
	prop_assert!(T::decode_all(&mut &bytes[..cut.index(bytes.len())]).is_err());
	let longer = [&bytes[..], &[0]].concat();
	prop_assert!(T::decode_all(&mut &longer[..]).is_err());
	Ok(())
}

fn fits<T: Encode + MaxEncodedLen>(value: &T) -> Result<(), TestCaseError> {
	prop_assert!(value.encoded_size() <= T::max_encoded_len());
	Ok(())
}

proptest! {
	#![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..Default::default() })]

	#[test]
	fn a_consent_should_round_trip(consent in consents(), set_at: u32, cut: prop::sample::Index) {
		round_trips(&consent, &cut)?;
		fits(&consent)?;
		for superseded_at in [None, Some(set_at)] {
			let kept =
				ConsentVersion { version: 1, consent: consent.clone(), set_at, superseded_at };
			round_trips(&kept, &cut)?;
			fits(&kept)?;
		}
	}

	#[test]
	fn a_query_should_round_trip(query in queries(), cut: prop::sample::Index) {
		round_trips(&query, &cut)?;
		prop_assert_eq!(query.hash(), sha256(&query.to_bytes()));
	}

	#[test]
	fn a_ticket_should_round_trip(ticket in tickets(), cut: prop::sample::Index) {
		round_trips(&ticket, &cut)?;
		fits(&ticket)?;
	}

	#[test]
	fn a_record_should_round_trip(
		body in bodies(),
		requester in accounts(),
		price: u128,
		auditable: bool,
		cut: prop::sample::Index,
	) {
		round_trips(&body, &cut)?;
		fits(&body)?;
		let fixed = 233;
		prop_assert_eq!(
			body.encoded_size(),
			fixed + 49 * body.stages.len() + 32 * body.boundaries.len(),
			"docs/protocol/record.md says so"
		);
		let entry = RecordEntry {
			body,
			signed_stages: 1,
			requester: requester.clone(),
			gateway: requester,
			price,
			settled_at: 1,
			epoch: 2,
			era: 3,
			auditable,
		};
		round_trips(&entry, &cut)?;
		fits(&entry)?;
	}

	#[test]
	fn a_settlement_should_round_trip(settlement in settlements(), cut: prop::sample::Index) {
		round_trips(&settlement, &cut)?;
		fits(&settlement)?;
	}

	#[test]
	fn decoding_should_survive_noise(bytes in prop::collection::vec(any::<u8>(), 0..1024)) {
		let _ = Consent::decode_all(&mut &bytes[..]);
		let _ = CanonicalQuery::decode_all(&mut &bytes[..]);
		let _ = Ticket::decode_all(&mut &bytes[..]);
		let _ = Settlement::decode_all(&mut &bytes[..]);
	}

	#[test]
	fn new_tokens_should_count_what_was_computed(body in bodies()) {
		let computed = body.prompt_tokens.saturating_sub(body.cached_tokens);
		prop_assert_eq!(body.new_tokens(), u64::from(computed) + u64::from(body.output_tokens));
	}
}

// --- variants keep their numbers ----------------------------------------------------------------

/// Variants in the order of their numbers, from 0.
fn numbered<T: Encode + Debug>(variants: &[T]) {
	for (number, variant) in variants.iter().enumerate() {
		assert_eq!(variant.encode().first(), Some(&(number as u8)), "{variant:?}");
	}
}

#[test]
fn variants_should_keep_their_numbers() {
	numbered(&[TaskType::TextGeneration, TaskType::Embedding, TaskType::Audit]);
	numbered(&[RewardMode::Keep, RewardMode::Donate]);
	numbered(&[AuditMode::Any, AuditMode::Named(H256::zero()), AuditMode::None]);
	numbered(&[FinishReason::Stop, FinishReason::Length, FinishReason::Cancelled]);
	numbered(&[
		EnergySource::Estimate,
		EnergySource::Rapl,
		EnergySource::Powermetrics,
		EnergySource::Meter,
	]);
	numbered(&[Architecture::BitnetB158, Architecture::LlamaTernary]);
	numbered(&[
		Attention::Gqa { heads: 1, kv_heads: 1, head_dim: 2 },
		Attention::Mla { heads: 1, nope_dim: 1, rope_dim: 2, v_dim: 1, kv_rank: 1, q_rank: 0 },
	]);
	numbered(&[Gate::SquaredRelu, Gate::Silu]);
	numbered(&[Head::Tied, Head::Untied]);
	numbered(&[
		Encoding::Ternary2,
		Encoding::Ternary5,
		Encoding::Int8Row,
		Encoding::F16,
		Encoding::F32,
	]);
	numbered(&[
		TensorRole::TokenEmbedding,
		TensorRole::OutputNorm,
		TensorRole::Output,
		TensorRole::AttentionNorm,
		TensorRole::Query,
		TensorRole::Key,
		TensorRole::Value,
		TensorRole::AttentionSubNorm,
		TensorRole::AttentionOutput,
		TensorRole::FeedForwardNorm,
		TensorRole::Gate,
		TensorRole::Up,
		TensorRole::FeedForwardSubNorm,
		TensorRole::Down,
		TensorRole::KvCompress,
		TensorRole::KvExpand,
		TensorRole::QueryCompress,
	]);
}

#[test]
fn unknown_variants_should_be_refused() {
	assert!(TaskType::decode_all(&mut &[3u8][..]).is_err());
	assert!(AuditMode::decode_all(&mut &[3u8][..]).is_err());
	assert!(FinishReason::decode_all(&mut &[3u8][..]).is_err());
	assert!(EnergySource::decode_all(&mut &[4u8][..]).is_err());
	assert!(TensorRole::decode_all(&mut &[17u8][..]).is_err());
}

// --- hashes -------------------------------------------------------------------------------------

#[test]
fn sha256_should_be_sha256() {
	let expected = sp_core::bytes::from_hex(
		"0xba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
	);
	assert_eq!(sha256(b"abc").as_bytes(), expected.unwrap());
}

#[test]
fn a_domain_hash_should_be_over_domain_genesis_and_value() {
	let bytes = [TICKET_DOMAIN, GENESIS.as_bytes(), &[1, 0, 0, 0]].concat();
	assert_eq!(domain_hash(TICKET_DOMAIN, &GENESIS, &1u32), sha256(&bytes));
}

#[test]
fn no_domain_should_be_the_beginning_of_another() {
	let domains = [
		RECORD_DOMAIN,
		TICKET_DOMAIN,
		BATCH_DOMAIN,
		SETTLEMENT_DOMAIN,
		REQUEST_DOMAIN,
		PEER_DOMAIN,
		BOUNDARY_DOMAIN,
	];
	for (index, domain) in domains.iter().enumerate() {
		for (other_index, other) in domains.iter().enumerate() {
			assert_eq!(other.starts_with(domain), index == other_index);
		}
	}
}

#[test]
fn a_hash_should_belong_to_one_chain_and_one_meaning() {
	let account = AccountId::new([7; 32]);
	let other = H256([0x68; 32]);
	assert_ne!(peer_binding(&GENESIS, &account), peer_binding(&other, &account));
	assert_ne!(
		domain_hash(RECORD_DOMAIN, &GENESIS, &account),
		domain_hash(TICKET_DOMAIN, &GENESIS, &account)
	);
}

#[test]
fn a_boundary_should_bind_its_index_root_and_query() {
	let (root, query) = (H256::repeat_byte(1), H256::repeat_byte(2));
	let made = boundary(1, &root, &query);
	let bytes = [BOUNDARY_DOMAIN, query.as_bytes(), &[1, 0], root.as_bytes()].concat();
	assert_eq!(made, sha256(&bytes));
	assert_ne!(made, boundary(2, &root, &query));
	assert_ne!(made, boundary(1, &query, &query));
	assert_ne!(made, boundary(1, &root, &root));
}

#[test]
fn a_batch_digest_should_bind_every_id_their_order_and_every_signer() {
	let (a, b) = (H256::repeat_byte(1), H256::repeat_byte(2));
	let signers = [AccountId::new([3; 32]), AccountId::new([4; 32])];
	let digest = batch_digest(&GENESIS, &[a, b], &signers);
	assert_ne!(digest, batch_digest(&GENESIS, &[b, a], &signers));
	assert_ne!(digest, batch_digest(&GENESIS, &[a], &signers));
	assert_ne!(digest, batch_digest(&GENESIS, &[a, b, b], &signers));
	assert_ne!(digest, batch_digest(&H256([0x68; 32]), &[a, b], &signers));
	assert_ne!(digest, batch_digest(&GENESIS, &[a, b], &signers[..1]));
	assert_ne!(digest, batch_digest(&GENESIS, &[a, b], &signers[1..]));
	let value = (leaf_hash(a.as_bytes()), signers.to_vec());
	let single = domain_hash(BATCH_DOMAIN, &GENESIS, &value);
	assert_eq!(batch_digest(&GENESIS, &[a], &signers), single);
}

#[test]
fn a_settlement_digest_should_bind_the_record_and_the_stages_that_signed() {
	let (id, other) = (H256::repeat_byte(1), H256::repeat_byte(2));
	let digest = settlement_digest(&id, 0b11);
	let bytes = [SETTLEMENT_DOMAIN, id.as_bytes(), &[0b11, 0, 0, 0]].concat();
	assert_eq!(digest, sha256(&bytes));
	assert_ne!(digest, settlement_digest(&other, 0b11));
	assert_ne!(digest, settlement_digest(&id, 0b10));
	assert_ne!(digest, settlement_digest(&id, 0b111));
}

proptest! {
	#![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..Default::default() })]

	#[test]
	fn a_ticket_should_verify_by_its_own_key_on_its_own_chain(ticket in tickets(), seed: [u8; 32]) {
		let pair = ed25519::Pair::from_seed(&seed);
		let mut ticket = ticket;
		ticket.key = AccountId::new(pair.public().0);
		let hash = ticket.hash(&GENESIS);
		let elsewhere = ticket.hash(&H256([0x68; 32]));
		let signature = Signature::Ed25519(pair.sign(hash.as_bytes()));
		let signed = SignedTicket { ticket, signature };
		prop_assert!(signed.verify(&hash));
		prop_assert!(!signed.verify(&elsewhere));
		let mut stolen = signed;
		stolen.ticket.key = AccountId::new([9; 32]);
		prop_assert!(!stolen.verify(&hash));
	}
}

// --- small methods ------------------------------------------------------------------------------

#[test]
fn a_range_of_layers_should_know_its_length_and_contents() {
	let range = |first, end| LayerRange { first, end };
	assert_eq!((range(2, 5).len(), range(2, 5).is_empty()), (3, false));
	assert_eq!((range(5, 5).len(), range(5, 5).is_empty()), (0, true));
	assert_eq!((range(5, 2).len(), range(5, 2).is_empty()), (0, true));
	assert!(range(2, 5).contains(&range(2, 5)));
	assert!(range(2, 5).contains(&range(3, 4)));
	assert!(!range(2, 5).contains(&range(1, 4)));
	assert!(!range(2, 5).contains(&range(3, 6)));
}

#[test]
fn sampling_should_be_valid_within_its_ranges() {
	assert!(Sampling::GREEDY.is_valid());
	let with = |temperature_milli, top_p_ppm| Sampling {
		temperature_milli,
		top_p_ppm,
		top_k: u32::MAX,
		seed: u64::MAX,
	};
	assert!(with(100_000, 1).is_valid());
	assert!(!with(100_001, PPM).is_valid());
	assert!(!with(700, 0).is_valid());
	assert!(!with(700, PPM + 1).is_valid());
}

#[test]
fn only_an_estimate_should_not_count_as_measured() {
	assert!(!EnergySource::Estimate.is_measured());
	for source in [EnergySource::Rapl, EnergySource::Powermetrics, EnergySource::Meter] {
		assert!(source.is_measured());
	}
}

#[test]
fn a_consent_should_accept_the_tasks_that_it_names() {
	let json = r#"{
		"cpu_percent": 25,
		"schedule": {
			"days": 127,
			"utc_offset_minutes": 60,
			"windows": [{ "from": 1320, "to": 480 }]
		},
		"task_types": ["text_generation"],
		"max_bandwidth_mbps": 10,
		"max_memory_mb": 4096,
		"reward_preference": {
			"payout": "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY",
			"minimum_price": 1000000,
			"mode": "keep"
		}
	}"#;
	let consent: Consent = serde_json::from_str(json).unwrap();
	assert!(consent.accepts(TaskType::TextGeneration));
	assert!(!consent.accepts(TaskType::Audit));
	assert!(consent.schedule.is_valid());
	// What is misspelt is not silently ignored.
	let misspelt = json.replace("max_memory_mb", "max_memory");
	assert!(serde_json::from_str::<Consent>(&misspelt).is_err());
}
