// For the tests: tries, records and headers made from nothing.

import { keccak_256 } from "@noble/hashes/sha3";
import { sha256 } from "@noble/hashes/sha2";
import { headerHash } from "./header.mjs";
import { join, recordLeaf } from "./past.mjs";
import { recordId } from "./record.mjs";
import { compact, concat, toHex } from "./scale.mjs";
import { recordKey } from "./storage-key.mjs";
import { blake2b256, nibblesOf } from "./trie.mjs";

/** So many bytes, the same for the same seed. */
export function bytesOf(seed, length) {
	let out = new Uint8Array();
	for (let part = 0; out.length < length; part += 1) {
		out = concat(out, blake2b256(new TextEncoder().encode(`${seed}/${part}`)));
	}
	return out.slice(0, length);
}

/** An integer in so many bytes, little endian. */
export function uint(length, value) {
	return Uint8Array.from({ length }, (_, at) => Number((BigInt(value) >> BigInt(8 * at)) & 255n));
}

// --- tries ------------------------------------------------------------------------------------

const PREFIXES = {
	leaf: [0b0100_0000, 2],
	"hashed leaf": [0b0010_0000, 3],
	branch: [0b1000_0000, 2],
	"branch with value": [0b1100_0000, 2],
	"hashed branch": [0b0001_0000, 4],
};

function nodeStart(kind, partial) {
	const [prefix, bits] = PREFIXES[kind];
	const most = 255 >> bits;
	const head = [prefix | Math.min(partial.length, most)];
	if (partial.length >= most) {
		let rest = partial.length - most;
		for (; rest >= 255; rest -= 255) head.push(255);
		head.push(rest);
	}
	const padded = partial.length % 2 === 0 ? partial : [0, ...partial];
	for (let at = 0; at < padded.length; at += 2) head.push((padded[at] << 4) | padded[at + 1]);
	return Uint8Array.from(head);
}

/** Encodes a node; what has to lie apart goes into `store` under its hash. */
function encode(node, store) {
	const { partial, value, children } = node;
	const hashed = value !== null && value.length > 32;
	let encodedValue = new Uint8Array();
	if (hashed) {
		encodedValue = blake2b256(value);
		store.set(toHex(encodedValue), value);
	} else if (value !== null) {
		encodedValue = concat(compact(value.length), value);
	}
	if (children === null) {
		return concat(nodeStart(hashed ? "hashed leaf" : "leaf", partial), encodedValue);
	}
	const kind = hashed ? "hashed branch" : value === null ? "branch" : "branch with value";
	const bitmap = children.reduce((bits, child, at) => bits | (child === null ? 0 : 1 << at), 0);
	const encodedChildren = children
		.filter((child) => child !== null)
		.map((child) => {
			const bytes = refer(encode(child, store), store);
			return concat(compact(bytes.length), bytes);
		});
	return concat(nodeStart(kind, partial), uint(2, bitmap), encodedValue, ...encodedChildren);
}

function refer(encoded, store) {
	if (encoded.length < 32) return encoded;
	const hash = blake2b256(encoded);
	store.set(toHex(hash), encoded);
	return hash;
}

function build(entries) {
	const [[first]] = entries;
	let common = 0;
	const shared = ([nibbles]) => common < nibbles.length && nibbles[common] === first[common];
	while (entries.every(shared)) common += 1;
	const here = entries.find(([nibbles]) => nibbles.length === common);
	const value = here === undefined ? null : here[1];
	if (entries.length === 1) return { partial: first.slice(0, common), value, children: null };
	const children = Array.from({ length: 16 }, (_, nibble) => {
		const below = entries
			.filter(([nibbles]) => nibbles[common] === nibble)
			.map(([nibbles, under]) => [nibbles.slice(common + 1), under]);
		return below.length === 0 ? null : build(below);
	});
	return { partial: first.slice(0, common), value, children };
}

/** A trie over `[key, value]`; `prove(key)` gives the nodes and the value on the way to a key. */
export function trieOf(entries) {
	const store = new Map();
	const tree = build(entries.map(([key, value]) => [nibblesOf(key), value]));
	const rootNode = encode(tree, store);
	const root = blake2b256(rootNode);
	store.set(toHex(root), rootNode);

	const prove = (key) => {
		const proof = [];
		let rest = nibblesOf(key);
		for (let node = tree, top = true; node; top = false) {
			const encoded = encode(node, new Map());
			if (top || encoded.length >= 32) proof.push(encoded);
			rest = rest.slice(node.partial.length);
			if (rest.length === 0) {
				if (node.value !== null && node.value.length > 32) proof.push(node.value);
				break;
			}
			node = node.children === null ? null : node.children[rest[0]];
			rest = rest.slice(1);
		}
		return proof;
	};
	return { root, rootNode, prove };
}

// --- records ----------------------------------------------------------------------------------

const stageOf = (seed) =>
	concat(
		bytesOf(`${seed}/node`, 32),
		uint(2, 0),
		uint(2, 2),
		uint(8, 1500),
		uint(1, 0),
		uint(4, 1),
	);

/** Bytes of a body with one stage. */
export const bodyOf = (seed) =>
	concat(
		uint(2, 1),
		...["model", "query", "output", "tokens"].map((name) => bytesOf(`${seed}/${name}`, 32)),
		uint(1, 0),
		uint(4, 6),
		uint(4, 0),
		uint(4, 8),
		compact(1),
		stageOf(seed),
		compact(2),
		bytesOf(`${seed}/b0`, 32),
		bytesOf(`${seed}/b1`, 32),
		uint(8, 1500),
		uint(4, 900),
		uint(8, 1_767_225_600_000),
		uint(4, 41),
		bytesOf(`${seed}/anchor`, 32),
		bytesOf(`${seed}/ticket`, 32),
	);

/** Bytes of an entry with that body. */
export const entryOf = (seed, body) =>
	concat(
		body,
		uint(4, 1),
		bytesOf(`${seed}/requester`, 32),
		bytesOf(`${seed}/gateway`, 32),
		uint(16, 46_000_000_000n),
		uint(4, 42),
		uint(8, 3),
		uint(4, 0),
		uint(1, 1),
	);

/** Evidence for one record among `count` others, as `fetchEvidence` would return it. */
export function evidenceOf(seed, count = 40) {
	const genesis = bytesOf("genesis", 32);
	const body = bodyOf(seed);
	const [id, value] = [recordId(genesis, body), entryOf(seed, body)];
	const others = Array.from({ length: count }, (_, at) => [
		at % 2 === 0 ? recordKey(bytesOf(`other/${at}`, 32)) : bytesOf(`else/${at}`, 20 + at),
		bytesOf(`value/${at}`, at * 3),
	]);
	const key = recordKey(id);
	const { root, prove } = trieOf([...others, [key, value]]);
	const header = {
		parentHash: toHex(bytesOf("parent", 32)),
		number: "0x2a",
		stateRoot: toHex(root),
		extrinsicsRoot: toHex(bytesOf("extrinsics", 32)),
		digest: { logs: [toHex(bytesOf("claim", 90)), toHex(bytesOf("seal", 70))] },
	};
	return {
		id: toHex(id),
		genesis: toHex(genesis),
		header,
		proof: {
			blockHash: toHex(headerHash(header)),
			blockNumber: 42,
			storageKey: toHex(key),
			value: toHex(value),
			proof: prove(key).map(toHex),
		},
	};
}

// --- ranges -----------------------------------------------------------------------------------

/** The root over a power of two of leaves. */
function top(leaves) {
	if (leaves.length === 1) return leaves[0];
	const half = leaves.length / 2;
	return join(top(leaves.slice(0, half)), top(leaves.slice(half)));
}

/** The peaks of a range, from the left, each with its leaves. */
function peaksOf(leaves) {
	if (leaves.length === 0) return [];
	const size = 2 ** Math.floor(Math.log2(leaves.length));
	return [leaves.slice(0, size), ...peaksOf(leaves.slice(size))];
}

const bag = (peaks) => peaks.map(top).reduceRight((right, left) => join(right, left));

function siblings(leaves, index) {
	if (leaves.length === 1) return [];
	const half = leaves.length / 2;
	const [left, right] = [leaves.slice(0, half), leaves.slice(half)];
	return index < half
		? [...siblings(left, index), top(right)]
		: [...siblings(right, index - half), top(left)];
}

/** The root of a range over leaves, and what leads to it from the leaf with this index. */
export function rangeOf(leaves, index) {
	const peaks = peaksOf(leaves);
	const items = [];
	let first = 0;
	for (const [place, peak] of peaks.entries()) {
		if (first + peak.length <= index) {
			items.push(top(peak));
			first += peak.length;
			continue;
		}
		items.push(...siblings(peak, index - first));
		if (place + 1 < peaks.length) items.push(bag(peaks.slice(place + 1)));
		break;
	}
	return { root: bag(peaks), items };
}

/** Evidence for a record that has left the state, under block 59. */
export function pastEvidenceOf(seed) {
	const evidence = evidenceOf(seed);
	const number = Number.parseInt(evidence.header.number, 16);
	const id = Uint8Array.from(evidence.id.slice(2).match(/../g), (byte) => Number.parseInt(byte, 16));
	const other = recordLeaf(bytesOf("other record", 32));
	const records = sha256(concat(Uint8Array.of(1), other, recordLeaf(id)));
	const leaf = concat(uint(4, number), headerHash(evidence.header), records);
	const leaves = Array.from({ length: 59 }, (_, at) => keccak_256(uint(4, at)));
	leaves[number] = keccak_256(leaf);
	const { root, items } = rangeOf(leaves, number);
	const log = concat(Uint8Array.of(4, ...new TextEncoder().encode("ammr")), compact(32), root);
	const later = {
		parentHash: toHex(bytesOf("later parent", 32)),
		number: "0x3b",
		stateRoot: toHex(bytesOf("later state", 32)),
		extrinsicsRoot: toHex(bytesOf("later extrinsics", 32)),
		digest: { logs: [toHex(bytesOf("later claim", 90)), toHex(log)] },
	};
	evidence.proof.past = {
		blockHash: toHex(headerHash(later)),
		blockNumber: 59,
		leaf: toHex(leaf),
		items: items.map(toHex),
		recordIndex: 1,
		recordCount: 2,
		recordPath: [toHex(other)],
	};
	return { ...evidence, later };
}

const pastPlaces = ({ later, proof: { past } }) => [
	["later", "parentHash"],
	["later", "stateRoot"],
	["later", "extrinsicsRoot"],
	...later.digest.logs.map((_, at) => ["later", "digest", "logs", at]),
	["proof", "past", "blockHash"],
	["proof", "past", "leaf"],
	...past.items.map((_, at) => ["proof", "past", "items", at]),
	...past.recordPath.map((_, at) => ["proof", "past", "recordPath", at]),
];

/** Each copy of `evidence` in which one byte of something that a node sends is another one. */
export function* tampered(evidence) {
	const places = [
		["header", "parentHash"],
		["header", "stateRoot"],
		["header", "extrinsicsRoot"],
		...evidence.header.digest.logs.map((_, at) => ["header", "digest", "logs", at]),
		["proof", "blockHash"],
		["proof", "storageKey"],
		["proof", "value"],
		...evidence.proof.proof.map((_, at) => ["proof", "proof", at]),
		["genesis"],
		["id"],
		...(evidence.later ? pastPlaces(evidence) : []),
	];
	for (const path of places) {
		const original = path.reduce((value, step) => value[step], evidence);
		for (let at = 2; at < original.length; at += 2) {
			const copy = structuredClone(evidence);
			const last = path[path.length - 1];
			const holder = path.slice(0, -1).reduce((value, step) => value[step], copy);
			const byte = Number.parseInt(original.slice(at, at + 2), 16) ^ (1 << ((at / 2) % 8));
			holder[last] =
				original.slice(0, at) + byte.toString(16).padStart(2, "0") + original.slice(at + 2);
			yield { copy, where: `${path.join(".")}, byte ${at / 2 - 1}` };
		}
	}
	const copy = structuredClone(evidence);
	copy.header.number = `0x${(Number.parseInt(copy.header.number, 16) + 1).toString(16)}`;
	yield { copy, where: "header.number" };
}
