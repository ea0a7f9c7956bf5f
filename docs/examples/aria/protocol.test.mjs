// Compares with docs/protocol/vectors: `node --test`.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import {
	TENSOR_ROLES,
	boundary,
	encodeManifest,
	encodeQuery,
	encodeRecordBody,
	leafHash,
	merkleRoot,
	modelId,
	outputHash,
	peerBinding,
	peerKey,
	queryHash,
	recordId,
	settlementDigest,
	tokensHash,
} from "./protocol.mjs";
import { MANIFEST } from "./scenario.mjs";
import { compact, fromHex, hash, toHex, u16 } from "./scale.mjs";

const VECTORS = new URL("../../protocol/vectors/", import.meta.url);
const load = (name) => JSON.parse(readFileSync(new URL(`${name}.json`, VECTORS), "utf8"));
const value = (entry) =>
	Object.fromEntries(entry.fields.map(({ name, value: shown }) => [name, shown]));

for (const entry of load("manifest").vectors) {
	test(`manifest ${entry.name} should have its golden bytes and id`, () => {
		assert.equal(toHex(encodeManifest(value(entry))), entry.bytes);
		assert.equal(modelId(value(entry)), entry.model_id);
	});
}

for (const entry of load("query").vectors) {
	test(`query ${entry.name} should have its golden bytes and hash`, () => {
		const query = value(entry);
		// The vectors show stop sequences as bytes.
		query.stop = query.stop.map((shown) => Buffer.from(fromHex(shown)).toString("utf8"));
		assert.equal(toHex(encodeQuery(query)), entry.bytes);
		assert.equal(queryHash(query), entry.query_hash);
	});
}

test("records should have their golden bytes and ids", () => {
	const { genesis, vectors } = load("record");
	for (const entry of vectors) {
		assert.equal(toHex(encodeRecordBody(value(entry))), entry.bytes, entry.name);
		assert.equal(recordId(genesis, value(entry)), entry.record_id, entry.name);
	}
});

test("settlements should have the golden digests that gateways sign", () => {
	const { settlement_digests: digests } = load("record");
	assert.ok(digests.length > 0);
	for (const { id, signed_stages: stages, digest } of digests) {
		assert.equal(settlementDigest(id, stages), digest, `stages ${stages}`);
	}
});

test("outputs and boundaries should have their golden hashes", () => {
	const { output, boundaries, vectors } = load("record");
	assert.equal(outputHash(output.text), output.output_hash);
	assert.equal(tokensHash(output.tokens), output.output_tokens_hash);
	const asked = value(vectors[0]).query_hash;
	for (const golden of boundaries) {
		assert.equal(boundary(golden.index, golden.root, asked), golden.boundary);
	}
});

test("a peer key should sign the golden binding", () => {
	const { genesis, account, peer_seed: seed, peer, message, signature } = load("peer");
	const key = peerKey(seed);
	assert.equal(key.publicKey, peer);
	assert.equal(toHex(peerBinding(genesis, account)), message);
	assert.equal(key.bind(genesis, account), signature);
});

test("Merkle trees should have their golden roots", () => {
	for (const { leaves, root, name } of load("merkle").vectors) {
		assert.equal(toHex(merkleRoot(leaves.map(hash))), root, name);
	}
	const leaves = load("merkle").vectors.find(({ name }) => name === "1 leaves").leaves;
	assert.equal(toHex(leafHash(Buffer.from("leaf 0"))), leaves[0]);
});

test("the example's tensors should be in canonical order", () => {
	const place = ({ layer, role }) => layer * 256 + TENSOR_ROLES.indexOf(role);
	const places = MANIFEST.tensors.map(place);
	assert.deepEqual(places, [...places].sort((a, b) => a - b));
});

test("bad values should be refused", () => {
	assert.throws(() => u16(65_536), /16 bits/);
	assert.throws(() => compact(-1), /length/);
	assert.throws(() => fromHex("0x123"), /hexadecimal/);
	assert.throws(() => encodeManifest({ ...MANIFEST, gate: "relu" }), /relu/);
	assert.throws(() => encodeManifest({ ...MANIFEST, colour: 1 }), /colour/);
});
