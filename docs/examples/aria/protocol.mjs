// ARIA's canonical bytes and hashes (docs/protocol), with Node.js alone. Values are written as the
// vectors in docs/protocol/vectors write them: fields in snake_case, enumerations by name, hashes
// and accounts as `0x…`.

import { createHash, createPrivateKey, createPublicKey, sign } from "node:crypto";
import {
	bytes,
	concat,
	enumeration,
	fromHex,
	hash,
	option,
	structure,
	toHex,
	u8,
	u16,
	u32,
	u64,
	vector,
} from "./scale.mjs";

/** Bytes of SHA-256. */
export const sha256 = (...parts) =>
	Uint8Array.from(createHash("sha256").update(concat(...parts)).digest());

/** `sha256(domain ‖ genesis ‖ encoded)`: binds a value to its meaning and to one chain. */
export const domainHash = (domain, genesis, encoded) =>
	sha256(Buffer.from(domain), hash(genesis), encoded);

// --- Merkle trees (hashing.md) ----------------------------------------------------------------

export const leafHash = (data) => sha256(u8(0), data);
export const nodeHash = (left, right) => sha256(u8(1), left, right);

/** Root over leaf hashes; a node without a sibling moves up unchanged. */
export function merkleRoot(leaves) {
	if (leaves.length === 0) return sha256();
	let level = leaves;
	while (level.length > 1) {
		const next = [];
		for (let index = 0; index < level.length; index += 2) {
			const right = level[index + 1];
			next.push(right === undefined ? level[index] : nodeHash(level[index], right));
		}
		level = next;
	}
	return level[0];
}

// --- models (manifest.md) ---------------------------------------------------------------------

/** The layer number of tensors that belong to no layer. */
export const NO_LAYER = 0xffff;

/** What a tensor is for, in canonical order. */
export const TENSOR_ROLES = [
	"token_embedding",
	"output_norm",
	"output",
	"attention_norm",
	"query",
	"key",
	"value",
	"attention_sub_norm",
	"attention_output",
	"feed_forward_norm",
	"gate",
	"up",
	"feed_forward_sub_norm",
	"down",
	"kv_compress",
	"kv_expand",
	"query_compress",
];

const layerRange = structure({ first: u16, end: u16 });

const tensor = structure({
	layer: u16,
	role: enumeration(...TENSOR_ROLES),
	encoding: enumeration("ternary2", "ternary5", "int8_row", "f16", "f32"),
	root: hash,
});

/** The canonical bytes of a manifest. */
export const encodeManifest = structure({
	version: u16,
	architecture: enumeration("bitnet_b158", "llama_ternary"),
	attention: enumeration(
		["gqa", structure({ heads: u16, kv_heads: u16, head_dim: u16 })],
		[
			"mla",
			structure({
				heads: u16,
				nope_dim: u16,
				rope_dim: u16,
				v_dim: u16,
				kv_rank: u16,
				q_rank: u16,
			}),
		],
	),
	hidden: u32,
	feed_forward: u32,
	layers: u16,
	vocab: u32,
	context: u32,
	rope_theta: u32,
	norm_epsilon_bits: u32,
	gate: enumeration("squared_relu", "silu"),
	head: enumeration("tied", "untied"),
	numerics_version: u16,
	bos: option(u32),
	eos: vector(u32),
	tokenizer_hash: hash,
	chat_template_hash: hash,
	tensors: vector(tensor),
	shards: vector(layerRange),
});

/** `sha256` of the canonical bytes, as `0x…`. */
export const modelId = (manifest) => toHex(sha256(encodeManifest(manifest)));

// --- queries (query.md) -----------------------------------------------------------------------

/** The canonical bytes of a query. */
export const encodeQuery = structure({
	version: u16,
	model_id: hash,
	prompt_tokens: vector(u32),
	sampling: structure({ temperature_milli: u32, top_k: u32, top_p_ppm: u32, seed: u64 }),
	max_tokens: u32,
	stop: vector((text) => vector(u8)([...Buffer.from(text)])),
	salt: bytes(32),
});

/** `sha256` of the canonical bytes, as `0x…`. */
export const queryHash = (query) => toHex(sha256(encodeQuery(query)));

// --- records (record.md) ----------------------------------------------------------------------

const stage = structure({
	node: hash,
	layers: layerRange,
	energy_mj: u64,
	energy_source: enumeration("estimate", "rapl", "powermetrics", "meter"),
	consent_version: u32,
});

/** The bytes of a record's body. */
export const encodeRecordBody = structure({
	version: u16,
	model_id: hash,
	query_hash: hash,
	output_hash: hash,
	output_tokens_hash: hash,
	finish_reason: enumeration("stop", "length", "cancelled"),
	prompt_tokens: u32,
	cached_tokens: u32,
	output_tokens: u32,
	stages: vector(stage),
	boundaries: vector(hash),
	energy_mj: u64,
	latency_ms: u32,
	timestamp: u64,
	anchor: structure({ number: u32, hash }),
	ticket_hash: hash,
});

/** The id of a record on the chain with this genesis, `0x…`; every stage signs these 32 bytes. */
export const recordId = (genesis, body) =>
	toHex(domainHash("aria/record/v1", genesis, encodeRecordBody(body)));

/**
 * What the gateway signs for a record that is settled alone, `0x…`: the record's id, and which stages
 * signed it (bit `i` of `signedStages` for stage `i`).
 */
export const settlementDigest = (id, signedStages) =>
	toHex(domainHash("aria/settlement/v1", id, u32(signedStages)));

/** The hash of an answer, `0x…`; `salt` belongs to texts below 64 bytes. */
export const outputHash = (text, salt = new Uint8Array()) =>
	toHex(sha256(Buffer.from(text, "utf8"), salt));

/** The hash of an answer's token ids, `0x…`. */
export const tokensHash = (tokens) => toHex(sha256(vector(u32)(tokens)));

/** What stages attest behind stage `index`: `sha256(domain ‖ query hash ‖ index ‖ root)`. */
export const boundary = (index, root, query) =>
	toHex(domainHash("aria/boundary/v1", query, concat(u16(index), hash(root))));

// --- workers (hashing.md) ---------------------------------------------------------------------

// PKCS #8 of an ed25519 key, up to its 32 secret bytes.
const PKCS8_ED25519 = fromHex("302e020100300506032b657004220420");

/** The ed25519 key of a worker's libp2p identity, from 32 secret bytes. */
export function peerKey(seed) {
	const key = createPrivateKey({
		key: Buffer.from(concat(PKCS8_ED25519, bytes(32)(seed))),
		format: "der",
		type: "pkcs8",
	});
	const spki = createPublicKey(key).export({ format: "der", type: "spki" });
	return {
		/** Its public key, `0x…`. */
		publicKey: toHex(spki.subarray(spki.length - 32)),
		/** Its signature of "this account speaks for me" on one chain, `0x…`. */
		bind: (genesis, account) => toHex(sign(null, peerBinding(genesis, account), key)),
	};
}

/** What a peer key signs: 32 bytes. */
export const peerBinding = (genesis, account) =>
	domainHash("aria/peer/v1", genesis, hash(account));
