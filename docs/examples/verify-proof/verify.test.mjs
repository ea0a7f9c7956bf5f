// `npm test`. With ARIA_RPC and ARIA_RECORD set to a node and a record that it holds, a real proof
// is checked as well.

import assert from "node:assert/strict";
import { test } from "node:test";
import { headerHash } from "./header.mjs";
import { climb, join } from "./past.mjs";
import { Reader, compact, concat, fromHex, toHex } from "./scale.mjs";
import { recordKey, twox128 } from "./storage-key.mjs";
import { bytesOf, evidenceOf, pastEvidenceOf, rangeOf, tampered, trieOf } from "./testing.mjs";
import { blake2b256, decodeNode, nibblesOf, valueOf } from "./trie.mjs";
import { checkEvidence, fetchEvidence } from "./verify.mjs";

function assertEveryByteMatters(evidence) {
	checkEvidence(evidence);
	let changes = 0;
	for (const { copy, where } of tampered(evidence)) {
		assert.throws(() => checkEvidence(copy), undefined, `${where} went unnoticed`);
		changes += 1;
	}
	return changes;
}

test("twox128 should be that of Substrate", () => {
	assert.equal(toHex(twox128("System")), "0x26aa394eea5630e07c48ae0c9558cef7");
	assert.equal(toHex(twox128("Account")), "0xb99d880ec681799c0cf30e8886371da9");
	assert.equal(recordKey(bytesOf("id", 32)).length, 64);
});

test("the hash of a header should be that of Polkadot's first block", () => {
	const header = {
		parentHash: `0x${"00".repeat(32)}`,
		number: "0x0",
		stateRoot: "0x29d0d972cd27cbc511e9589fcb7a4506d5eb6a9e8df205f00472e5ab354a4e17",
		extrinsicsRoot: "0x03170a2e7597b7b7e3d84c05391d139a62b157e78786d8c082f29dcf4c111314",
		digest: { logs: [] },
	};
	assert.equal(
		toHex(headerHash(header)),
		"0x91b171bb158e2d3848fa23a9f1c25182fb8e20313b2c1eb49219da7a70ce90c3",
	);
});

test("a node's bytes should be laid out as in Substrate", () => {
	const single = trieOf([[Uint8Array.of(0xaa), Uint8Array.of(0xbb)]]);
	assert.equal(toHex(single.rootNode), "0x42aa04bb");

	const two = trieOf([
		[Uint8Array.of(0x48, 0x19), Uint8Array.of(0xfe)],
		[Uint8Array.of(0x13, 0x14), Uint8Array.of(0xff)],
	]);
	assert.equal(toHex(two.rootNode), "0x8012001443031404ff1443081904fe");
});

test("partial keys of any length should be read", () => {
	for (const length of [1, 2, 15, 16, 31, 32, 33, 46, 47, 48, 160, 300]) {
		for (const size of [1, 32, 33]) {
			const [key, value] = [bytesOf("long key", length), bytesOf("value", size)];
			const { rootNode, root } = trieOf([[key, value]]);
			assert.deepEqual(decodeNode(rootNode).partial, nibblesOf(key));
			const proof = size > 32 ? [rootNode, value] : [rootNode];
			assert.deepEqual(valueOf(root, proof, key), value);
		}
	}
});

test("every value of a trie should be proven by its own proof", () => {
	for (const count of [1, 2, 3, 17, 60]) {
		const entries = Array.from({ length: count }, (_, at) => [
			concat(bytesOf(`prefix/${at % 5}`, 2), bytesOf(`key/${at}`, at % 7), Uint8Array.of(at)),
			bytesOf(`value/${at}`, (at * 5) % 80),
		]);
		const { root, prove } = trieOf(entries);
		for (const [key, value] of entries) assert.deepEqual(valueOf(root, prove(key), key), value);
	}
});

test("keys that begin with one another should be told apart", () => {
	const [outer, inner] = [Uint8Array.of(1, 2), Uint8Array.of(1, 2, 3)];
	const entries = [[outer, bytesOf("outer", 40)], [inner, bytesOf("inner", 40)]];
	const { root, prove } = trieOf(entries);
	for (const [key, value] of entries) assert.deepEqual(valueOf(root, prove(key), key), value);
});

test("a key that the trie lacks should not be proven", () => {
	const { root, prove } = trieOf([
		[Uint8Array.of(1, 2), bytesOf("a", 40)],
		[Uint8Array.of(1, 3), bytesOf("b", 40)],
	]);
	for (const key of [[1], [1, 4], [2, 2], [1, 2, 0], []]) {
		const absent = Uint8Array.from(key);
		assert.throws(() => valueOf(root, prove(absent), absent), /nothing|no value/);
	}
});

test("a proof should have neither more nor less than it needs", () => {
	const key = Uint8Array.of(1, 2);
	const { root, prove } = trieOf([[key, bytesOf("a", 40)], [Uint8Array.of(9), bytesOf("b", 40)]]);
	const proof = prove(key);
	assert.throws(() => valueOf(root, [...proof, bytesOf("more", 9)], key), /lead nowhere/);
	assert.throws(() => valueOf(root, [...proof, proof[0]], key), /twice/);
	for (let at = 0; at < proof.length; at += 1) {
		assert.throws(() => valueOf(root, proof.filter((_, other) => other !== at), key), /lacks/);
	}
});

test("malformed nodes should be refused", () => {
	for (const [node, reason] of [
		["0x00", /must not begin/],
		["0x01", /must not begin/],
		["0x41f004bb", /badly padded/],
		["0x42aa04bb00", /follow/],
		["0x42aa", /too early/],
		[`0x42aa84${"00".repeat(33)}`, /keeps apart/],
		["0x42aa0500bb", /long form/],
	]) {
		assert.throws(() => decodeNode(fromHex(node)), reason, node);
	}
});

test("compact integers should be read as they are written", () => {
	for (const value of [0, 1, 63, 64, 16_383, 16_384, 2 ** 30 - 1]) {
		const reader = new Reader(compact(value));
		assert.equal(reader.compact(), value);
		reader.end();
	}
});

test("evidence should yield the record", () => {
	const evidence = evidenceOf("sound");
	const { entry, block, number } = checkEvidence(evidence);
	assert.equal(block, evidence.proof.blockHash);
	assert.equal(number, 42);
	assert.equal(entry.settled_at, 42);
	assert.equal(entry.price, 46_000_000_000n);
	assert.equal(entry.auditable, true);
	assert.equal(entry.body.stages[0].energy_source, "estimate");
	assert.equal(entry.body.model_id, toHex(bytesOf("sound/model", 32)));
});

test("any other byte should make evidence fail", () => {
	assert.ok(assertEveryByteMatters(evidenceOf("tampered")) > 1_000);
});

test("evidence of another block should fail", () => {
	const evidence = evidenceOf("elsewhere");
	assert.throws(() => checkEvidence(evidence, toHex(blake2b256(bytesOf("block", 9)))), /not of/);
});

test("evidence for one record should not pass for another", () => {
	const [one, other] = [evidenceOf("one"), evidenceOf("other")];
	assert.throws(() => checkEvidence({ ...one, id: other.id }), /key/);
	assert.throws(() => checkEvidence({ ...one, header: other.header }), /hashes to/);
});

test("every leaf of every mountain range should lead to its root", () => {
	for (let count = 1; count <= 40; count += 1) {
		const leaves = Array.from({ length: count }, (_, at) => bytesOf(`leaf/${at}`, 32));
		for (let index = 0; index < count; index += 1) {
			const { root, items } = rangeOf(leaves, index);
			assert.deepEqual(climb(leaves[index], index, count, items), root);
			assert.notDeepEqual(climb(bytesOf("no leaf", 32), index, count, items), root);
			assert.equal(climb(leaves[index], index, count, [...items, root]), null);
			if (items.length > 0) {
				assert.equal(climb(leaves[index], index, count, items.slice(1)), null);
			}
		}
		assert.equal(climb(leaves[0], count, count, []), null);
	}
});

test("peaks should be joined as the chain joins them", () => {
	const [a, b, c, d, e, f, g] = Array.from({ length: 7 }, (_, at) => bytesOf(`peak/${at}`, 32));
	const four = join(join(a, b), join(c, d));
	const root = join(join(g, join(e, f)), four);
	assert.deepEqual(climb(e, 4, 7, [four, f, g]), root);
	assert.deepEqual(climb(b, 1, 7, [a, join(c, d), join(g, join(e, f))]), root);
});

test("a record that has left the state should be proven by a later header", () => {
	const evidence = pastEvidenceOf("old");
	const later = toHex(headerHash(evidence.later));
	const { under, number } = checkEvidence(evidence, later);
	assert.deepEqual(under, { block: later, number: 59 });
	assert.equal(number, 42);
	assert.throws(() => checkEvidence(evidence, evidence.proof.blockHash), /not of/);
	assert.throws(() => checkEvidence({ ...evidence, later: null }), /missing/);
	assert.throws(
		() => checkEvidence({ ...evidence, id: evidenceOf("other").id }),
		/not among those/,
	);
	const { recordIndex } = evidence.proof.past;
	const past = { ...evidence.proof.past, recordIndex: recordIndex - 1 };
	assert.throws(
		() => checkEvidence({ ...evidence, proof: { ...evidence.proof, past } }),
		/not among those/,
	);
});

test("any other byte should make evidence of an old record fail", () => {
	assert.ok(assertEveryByteMatters(pastEvidenceOf("old and tampered")) > 1_500);
});

const { ARIA_RPC: rpc, ARIA_RECORD: record } = process.env;
const skip = !rpc || !record;
test("a node's proof should hold, and with any other byte not", { skip }, async () => {
	assert.ok(assertEveryByteMatters(await fetchEvidence(rpc, record)) > 1_000);
});
