// A record as the chain's state holds it (docs/protocol/record.md).

import { sha256 } from "@noble/hashes/sha2";
import { Reader, concat, toHex } from "./scale.mjs";

const DOMAIN = new TextEncoder().encode("aria/record/v1");
const FINISH_REASONS = ["stop", "length", "cancelled"];
const ENERGY_SOURCES = ["estimate", "rapl", "powermetrics", "meter"];

const hash = (reader) => toHex(reader.take(32));

function variant(reader, names) {
	const index = reader.byte();
	if (index >= names.length) throw new Error(`${index} stands for none of ${names}`);
	return names[index];
}

function list(reader, most, item) {
	const length = reader.compact();
	if (length > most) throw new Error(`a list of ${length}, where ${most} is the most`);
	return Array.from({ length }, () => item(reader));
}

const stage = (reader) => ({
	node: hash(reader),
	layers: { first: reader.uint(2), end: reader.uint(2) },
	energy_mj: reader.bigint(8),
	energy_source: variant(reader, ENERGY_SOURCES),
	consent_version: reader.uint(4),
});

const body = (reader) => ({
	version: reader.uint(2),
	model_id: hash(reader),
	query_hash: hash(reader),
	output_hash: hash(reader),
	output_tokens_hash: hash(reader),
	finish_reason: variant(reader, FINISH_REASONS),
	prompt_tokens: reader.uint(4),
	cached_tokens: reader.uint(4),
	output_tokens: reader.uint(4),
	stages: list(reader, 32, stage),
	boundaries: list(reader, 33, hash),
	energy_mj: reader.bigint(8),
	latency_ms: reader.uint(4),
	timestamp: reader.bigint(8),
	anchor: { number: reader.uint(4), hash: hash(reader) },
	ticket_hash: hash(reader),
});

function flag(reader) {
	const byte = reader.byte();
	if (byte > 1) throw new Error(`${byte} is neither true nor false`);
	return byte === 1;
}

/** The entry, and `bodyBytes`, which the stages signed. Throws if the bytes are no entry. */
export function decodeEntry(bytes) {
	const reader = new Reader(bytes);
	const decoded = body(reader);
	const bodyBytes = bytes.subarray(0, reader.at);
	const entry = {
		body: decoded,
		signed_stages: reader.uint(4),
		requester: hash(reader),
		gateway: hash(reader),
		price: reader.bigint(16),
		settled_at: reader.uint(4),
		epoch: reader.bigint(8),
		era: reader.uint(4),
		auditable: flag(reader),
	};
	reader.end();
	return { ...entry, bodyBytes };
}

/** The id of a body on the chain with this genesis: 32 bytes. */
export const recordId = (genesis, bodyBytes) => sha256(concat(DOMAIN, genesis, bodyBytes));
