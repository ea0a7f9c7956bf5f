//! The values of the vectors, as `docs/protocol/vectors/make.py` has them.

use aria_primitives::{
	consent::{Consent, RewardMode, RewardPreference, Schedule, TaskType, Window},
	hashing::sha256,
	manifest::{
		Architecture, Attention, Encoding, Gate, Head, Manifest, Tensor, TensorRole, MAX_TENSORS,
		NO_LAYER,
	},
	query::{CanonicalQuery, Sampling},
	record::{boundary, Anchor, EnergySource, FinishReason, LayerRange, RecordBody, Stage},
	ticket::{AuditMode, SignedTicket, Ticket},
	AccountId, Signature,
};
use codec::{Decode, Encode};
use sp_core::{ed25519, ConstU32, Pair, H256};
use sp_runtime::BoundedVec;

pub const GENESIS: H256 = H256([0x67; 32]);

pub fn bounded<T, const N: u32>(items: Vec<T>) -> BoundedVec<T, ConstU32<N>> {
	BoundedVec::try_from(items).ok().unwrap()
}

pub fn hash(byte: u8) -> H256 {
	H256::repeat_byte(byte)
}

pub fn account(byte: u8) -> AccountId {
	AccountId::new([byte; 32])
}

pub fn pair(byte: u8) -> ed25519::Pair {
	ed25519::Pair::from_seed(&[byte; 32])
}

pub fn account_of(pair: &ed25519::Pair) -> AccountId {
	AccountId::new(pair.public().0)
}

pub fn sign(pair: &ed25519::Pair, message: &H256) -> Signature {
	Signature::Ed25519(pair.sign(message.as_bytes()))
}

pub fn range(first: u16, end: u16) -> LayerRange {
	LayerRange { first, end }
}

/// Tensors in canonical order; each root is sha256 of `root/LAYER/INDEX OF THE ROLE`.
pub fn tensors(
	layers: u16,
	per_layer: &[(TensorRole, Encoding)],
	whole: &[(TensorRole, Encoding)],
) -> BoundedVec<Tensor, ConstU32<MAX_TENSORS>> {
	let in_layers = (0..layers).flat_map(|layer| per_layer.iter().map(move |of| (layer, *of)));
	let mut places: Vec<_> = in_layers.chain(whole.iter().map(|of| (NO_LAYER, *of))).collect();
	places.sort_by_key(|(layer, (role, _))| (*layer, *role));
	let tensor = |(layer, (role, encoding)): (u16, (TensorRole, Encoding))| {
		let root = sha256(format!("root/{layer}/{}", role as u8).as_bytes());
		Tensor { layer, role, encoding, root }
	};
	bounded(places.into_iter().map(tensor).collect())
}

pub fn gqa() -> Manifest {
	use Encoding::{Ternary2, F16, F32};
	use TensorRole as Role;
	Manifest {
		version: 1,
		architecture: Architecture::BitnetB158,
		attention: Attention::Gqa { heads: 4, kv_heads: 2, head_dim: 16 },
		hidden: 64,
		feed_forward: 192,
		layers: 2,
		vocab: 512,
		context: 256,
		rope_theta: 500_000,
		norm_epsilon_bits: 1e-5_f32.to_bits(),
		gate: Gate::SquaredRelu,
		head: Head::Tied,
		numerics_version: 1,
		bos: Some(1),
		eos: bounded(vec![2, 7]),
		tokenizer_hash: hash(0xA1),
		chat_template_hash: hash(0xA2),
		tensors: tensors(
			2,
			&[
				(Role::AttentionNorm, F32),
				(Role::FeedForwardNorm, F32),
				(Role::AttentionSubNorm, F32),
				(Role::FeedForwardSubNorm, F32),
				(Role::Gate, Ternary2),
				(Role::Up, Ternary2),
				(Role::Down, Ternary2),
				(Role::Query, Ternary2),
				(Role::Key, Ternary2),
				(Role::Value, Ternary2),
				(Role::AttentionOutput, Ternary2),
			],
			&[(Role::TokenEmbedding, F16), (Role::OutputNorm, F32)],
		),
		shards: bounded(vec![range(0, 1), range(1, 2)]),
	}
}

pub fn mla() -> Manifest {
	use Encoding::{Int8Row, Ternary5, F32};
	use TensorRole as Role;
	Manifest {
		version: 1,
		architecture: Architecture::LlamaTernary,
		attention: Attention::Mla {
			heads: 4,
			nope_dim: 16,
			rope_dim: 8,
			v_dim: 16,
			kv_rank: 32,
			q_rank: 24,
		},
		hidden: 64,
		feed_forward: 160,
		layers: 2,
		vocab: 1024,
		context: 4096,
		rope_theta: 10_000,
		norm_epsilon_bits: 1e-6_f32.to_bits(),
		gate: Gate::Silu,
		head: Head::Untied,
		numerics_version: 1,
		bos: None,
		eos: bounded(vec![]),
		tokenizer_hash: hash(0xB1),
		chat_template_hash: hash(0xB2),
		tensors: tensors(
			2,
			&[
				(Role::AttentionNorm, F32),
				(Role::FeedForwardNorm, F32),
				(Role::Gate, Ternary5),
				(Role::Up, Ternary5),
				(Role::Down, Ternary5),
				(Role::Query, Ternary5),
				(Role::QueryCompress, Ternary5),
				(Role::KvCompress, Ternary5),
				(Role::KvExpand, Ternary5),
				(Role::AttentionOutput, Ternary5),
			],
			&[(Role::TokenEmbedding, Int8Row), (Role::OutputNorm, F32), (Role::Output, Int8Row)],
		),
		shards: bounded(vec![range(0, 2)]),
	}
}

pub fn greedy() -> CanonicalQuery {
	CanonicalQuery {
		version: 1,
		model_id: gqa().model_id(),
		prompt_tokens: bounded(vec![1, 300, 70_000]),
		sampling: Sampling::GREEDY,
		max_tokens: 16,
		stop: bounded(vec![]),
		salt: [0; 32],
	}
}

pub fn sampled() -> CanonicalQuery {
	CanonicalQuery {
		version: 1,
		model_id: gqa().model_id(),
		prompt_tokens: bounded((0..100).collect()),
		sampling: Sampling {
			temperature_milli: 700,
			top_k: 40,
			top_p_ppm: 950_000,
			seed: (1u64 << 53) + 1,
		},
		max_tokens: 512,
		stop: bounded(vec![bounded(b"\n\n".to_vec()), bounded("é".as_bytes().to_vec())]),
		salt: [0x5A; 32],
	}
}

pub fn ticket() -> Ticket {
	Ticket {
		version: 1,
		requester: account(0xC1),
		key: account_of(&pair(0x21)),
		gateway: account_of(&pair(0x22)),
		model_id: gqa().model_id(),
		query_hash: greedy().hash(),
		max_price: 2_500_000_000_000,
		nonce: 7,
		expiry: 14_400,
		audit_mode: AuditMode::Any,
	}
}

pub fn named_ticket() -> Ticket {
	Ticket {
		max_price: (1u128 << 64) + 5,
		nonce: (1u64 << 53) + 1,
		audit_mode: AuditMode::Named(hash(0xD1)),
		..ticket()
	}
}

pub fn private_ticket() -> Ticket {
	Ticket { nonce: 8, audit_mode: AuditMode::None, ..ticket() }
}

pub fn signed(ticket: Ticket) -> SignedTicket {
	let signature = sign(&pair(0x21), &ticket.hash(&GENESIS));
	SignedTicket { ticket, signature }
}

/// What an on-chain request asks, as the market has it.
#[derive(Clone, PartialEq, Debug, Encode, Decode)]
pub enum Prompt {
	Text(Vec<u8>),
	Hash(H256),
}

/// What the id of an on-chain request is made of, field by field as the market hashes it.
#[derive(Clone, PartialEq, Debug, Encode, Decode)]
pub struct RequestContent {
	pub requester: AccountId,
	pub count: u64,
	pub model_id: H256,
	pub prompt: Prompt,
	pub sampling: Sampling,
	pub max_tokens: u32,
	pub max_price: u128,
	pub deadline: u32,
	pub audit_mode: AuditMode,
}

pub fn text_request() -> RequestContent {
	RequestContent {
		requester: account(0xC1),
		count: 0,
		model_id: gqa().model_id(),
		prompt: Prompt::Text(b"Is it raining?".to_vec()),
		sampling: Sampling::GREEDY,
		max_tokens: 64,
		max_price: 3_000_000_000,
		deadline: 4_400,
		audit_mode: AuditMode::Any,
	}
}

pub fn hash_request() -> RequestContent {
	RequestContent {
		count: 1,
		prompt: Prompt::Hash(greedy().hash()),
		audit_mode: AuditMode::None,
		..text_request()
	}
}

pub const OUTPUT_TEXT: &str =
	"Ternary weights only add and subtract: no multiplier is needed at all.";
pub const OUTPUT_TOKENS: [u32; 4] = [9, 8, 70_001, 2];

pub fn root(index: u16) -> H256 {
	sha256(format!("root {index}").as_bytes())
}

pub fn stage(node: u8, layers: LayerRange, energy_mj: u64, energy_source: EnergySource) -> Stage {
	let consent_version = if node == 0x11 { 3 } else { 1 };
	Stage { node: account_of(&pair(node)), layers, energy_mj, energy_source, consent_version }
}

pub fn body() -> RecordBody {
	let query_hash = greedy().hash();
	RecordBody {
		version: 1,
		model_id: gqa().model_id(),
		query_hash,
		output_hash: sha256(OUTPUT_TEXT.as_bytes()),
		output_tokens_hash: sha256(&OUTPUT_TOKENS.to_vec().encode()),
		finish_reason: FinishReason::Stop,
		prompt_tokens: 3,
		cached_tokens: 1,
		output_tokens: 4,
		stages: bounded(vec![
			stage(0x11, range(0, 1), 1_200, EnergySource::Rapl),
			stage(0x12, range(1, 2), 800, EnergySource::Estimate),
		]),
		boundaries: bounded((0..3).map(|i| boundary(i, &root(i), &query_hash)).collect()),
		energy_mj: 2_000,
		latency_ms: 145,
		timestamp: 1_767_225_600_000,
		anchor: Anchor { number: 4_200, hash: hash(0xE1) },
		ticket_hash: ticket().hash(&GENESIS),
	}
}

pub fn short_body() -> RecordBody {
	let query_hash = greedy().hash();
	RecordBody {
		finish_reason: FinishReason::Cancelled,
		cached_tokens: 0,
		stages: bounded(vec![stage(0x11, range(0, 2), 2_000, EnergySource::Meter)]),
		boundaries: bounded((0..2).map(|i| boundary(i, &root(i), &query_hash)).collect()),
		ticket_hash: hash(0xF1),
		..body()
	}
}

pub fn always() -> Consent {
	Consent {
		cpu_percent: 25,
		schedule: Schedule::always(),
		task_types: bounded(vec![TaskType::TextGeneration]),
		max_bandwidth_mbps: 10,
		max_memory_mb: 4_096,
		reward_preference: RewardPreference {
			payout: account(0xC3),
			minimum_price: 1_000_000,
			mode: RewardMode::Keep,
		},
	}
}

pub fn nights() -> Consent {
	Consent {
		cpu_percent: 100,
		schedule: Schedule {
			days: 0b0001_1111,
			utc_offset_minutes: -210,
			windows: bounded(vec![Window { from: 1_320, to: 480 }, Window { from: 720, to: 780 }]),
		},
		task_types: bounded(vec![TaskType::Audit, TaskType::TextGeneration, TaskType::Embedding]),
		max_bandwidth_mbps: 1_000,
		max_memory_mb: 65_536,
		reward_preference: RewardPreference {
			payout: account(0xC4),
			minimum_price: 1u128 << 100,
			mode: RewardMode::Donate,
		},
	}
}
