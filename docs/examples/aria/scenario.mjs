// What both examples tell: a small model, a question, an answer, and the record of who gave it.
// No engine runs here, so the roots of the boundaries are taken over tokens alone.

import {
	NO_LAYER,
	boundary,
	leafHash,
	merkleRoot,
	modelId,
	outputHash,
	queryHash,
	sha256,
	tokensHash,
} from "./protocol.mjs";
import { toHex, u32 } from "./scale.mjs";

const LAYERS = 2;
const LAYER_ROLES = [
	"attention_norm",
	"query",
	"key",
	"value",
	"attention_output",
	"feed_forward_norm",
	"gate",
	"up",
	"down",
];

const named = (text) => toHex(sha256(Buffer.from(`example/${text}`)));
const tensor = (layer, role, encoding) => ({
	layer,
	role,
	encoding,
	root: named(`tensor/${layer}/${role}`),
});

/** A model of two layers. Its tensors exist in name only. */
export const MANIFEST = {
	version: 1,
	architecture: "llama_ternary",
	attention: { gqa: { heads: 4, kv_heads: 2, head_dim: 16 } },
	hidden: 64,
	feed_forward: 192,
	layers: LAYERS,
	vocab: 512,
	context: 256,
	rope_theta: 500_000,
	norm_epsilon_bits: 0x3727c5ac,
	gate: "squared_relu",
	head: "tied",
	numerics_version: 1,
	bos: 1,
	eos: [2],
	tokenizer_hash: named("tokenizer"),
	chat_template_hash: named("chat template"),
	tensors: [
		...Array.from({ length: LAYERS }, (_, layer) =>
			LAYER_ROLES.map((role) =>
				tensor(layer, role, role.endsWith("norm") ? "f32" : "ternary2"),
			),
		).flat(),
		tensor(NO_LAYER, "token_embedding", "f16"),
		tensor(NO_LAYER, "output_norm", "f32"),
	],
	shards: [{ first: 0, end: LAYERS }],
};

/** Its id. */
export const MODEL = modelId(MANIFEST);

/** All its layers. */
export const ALL_LAYERS = { first: 0, end: LAYERS };

/** Takes the most probable token at each step. */
export const GREEDY = { temperature_milli: 0, top_k: 0, top_p_ppm: 1_000_000, seed: 0 };

export const PROMPT = "Why do ternary weights need no multiplier?";
export const MAX_TOKENS = 128;

/**
 * What the gateway asks for a token, in planck: enough that the answer's price makes its settlement
 * free (docs/protocol/settlement.md).
 */
export const OFFER = {
	prompt_price: 50_000_000n,
	cached_price: 5_000_000n,
	output_price: 300_000_000n,
};

/** Least price of an output token that the worker works for, in planck. */
export const MINIMUM_PRICE = 1_000_000n;

/** The most that the requester pays, in planck. */
export const MAX_PRICE = 50_000_000_000n;

const ANSWER = "A product with 1, 0 or -1 is a sum, a skip or a difference, so adders are enough.";

/** A tokenizer that knows no words: a token for each byte, behind the three special ones. */
const tokens = (text) => [...Buffer.from(text, "utf8")].map((byte) => byte + 3);
const PROMPT_TOKENS = tokens(PROMPT);
const ANSWER_TOKENS = tokens(ANSWER);

/** The canonical query behind `PROMPT`; `salt` (32 bytes) makes it one of a kind. */
export const query = (salt) => ({
	version: 1,
	model_id: MODEL,
	prompt_tokens: PROMPT_TOKENS,
	sampling: GREEDY,
	max_tokens: MAX_TOKENS,
	stop: [],
	salt,
});

/**
 * The body of the record: one worker ran all layers.
 *
 * @param salt 32 bytes, those of the query.
 * @param worker the worker's account, `0x…`.
 * @param consentVersion the version of its consent that it worked under.
 * @param anchor `{number, hash}` of a recent block.
 * @param request the id of the on-chain request that pays.
 * @param timestamp when the answer ended, in milliseconds since the Unix epoch.
 */
export function recordBody({ salt, worker, consentVersion, anchor, request, timestamp }) {
	const asked = queryHash(query(salt));
	const root = (list) => merkleRoot(list.map((token) => leafHash(u32(token))));
	const energy = 1_500;
	return {
		version: 1,
		model_id: MODEL,
		query_hash: asked,
		output_hash: outputHash(ANSWER),
		output_tokens_hash: tokensHash(ANSWER_TOKENS),
		finish_reason: "stop",
		prompt_tokens: PROMPT_TOKENS.length,
		cached_tokens: 0,
		output_tokens: ANSWER_TOKENS.length,
		stages: [
			{
				node: worker,
				layers: ALL_LAYERS,
				energy_mj: energy,
				energy_source: "estimate",
				consent_version: consentVersion,
			},
		],
		boundaries: [
			boundary(0, root(PROMPT_TOKENS), asked),
			boundary(1, root(ANSWER_TOKENS), asked),
		],
		energy_mj: energy,
		latency_ms: 900,
		timestamp,
		anchor,
		ticket_hash: request,
	};
}
