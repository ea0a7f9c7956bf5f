// Substrate's state trie: base 16, Merkle-Patricia, BLAKE2b-256, state version 1 (values of 33
// bytes and more lie beside their node, under their hash).
//
// | first byte   | node                                   |
// |--------------|----------------------------------------|
// | `0b01……`     | leaf with its value                    |
// | `0b001…`     | leaf with the hash of its value        |
// | `0b10……`     | branch without a value                 |
// | `0b11……`     | branch with its value                  |
// | `0b0001…`    | branch with the hash of its value      |
//
// The rest of the first byte counts the nibbles of the partial key; all ones mean that the count
// goes on in the next bytes.

import { blake2b } from "@noble/hashes/blake2b";
import { Reader, toHex } from "./scale.mjs";

/** BLAKE2b with 32 bytes. */
export const blake2b256 = (bytes) => blake2b(bytes, { dkLen: 32 });

const HASH_LENGTH = 32;
// The values that state version 1 keeps within their node.
const LONGEST_INLINE_VALUE = 32;

/** The nibbles of bytes, high one first. */
export function nibblesOf(bytes) {
	return Array.from(bytes).flatMap((byte) => [byte >> 4, byte & 15]);
}

function kindOf(first) {
	if (first >> 6 === 0b01) return { bits: 2, branch: false, value: "inline" };
	if (first >> 6 === 0b10) return { bits: 2, branch: true, value: "none" };
	if (first >> 6 === 0b11) return { bits: 2, branch: true, value: "inline" };
	if (first >> 5 === 0b001) return { bits: 3, branch: false, value: "hashed" };
	if (first >> 4 === 0b0001) return { bits: 4, branch: true, value: "hashed" };
	throw new Error(`a node must not begin with ${toHex([first])}`);
}

function readCount(reader, first, bits) {
	const most = 255 >> bits;
	let count = first & most;
	if (count < most) return count;
	for (;;) {
		const more = reader.byte();
		count += more;
		if (more < 255) return count;
	}
}

function readPartial(reader, count) {
	const nibbles = nibblesOf(reader.take(Math.ceil(count / 2)));
	if (count % 2 === 1 && nibbles.shift() !== 0) throw new Error("a partial key is badly padded");
	return nibbles;
}

function readValue(reader, kind) {
	if (kind === "none") return null;
	if (kind === "hashed") return { hash: reader.take(HASH_LENGTH) };
	const inline = reader.take(reader.compact());
	if (inline.length > LONGEST_INLINE_VALUE) {
		throw new Error("a value lies in its node that state version 1 keeps apart");
	}
	return { inline };
}

/**
 * A node: `{partial, value, children}`. `partial` is a list of nibbles; `value` is `null`,
 * `{inline}` or `{hash}`; `children` has 16 places, each `null` or what refers to the child: its
 * hash, or the child itself if that has fewer than 32 bytes.
 */
export function decodeNode(bytes) {
	const reader = new Reader(bytes);
	const first = reader.byte();
	const kind = kindOf(first);
	const partial = readPartial(reader, readCount(reader, first, kind.bits));
	const children = new Array(16).fill(null);
	const present = kind.branch ? reader.uint(2) : 0;
	const value = readValue(reader, kind.value);
	for (let index = 0; index < 16; index += 1) {
		if ((present >> index) & 1) children[index] = reader.take(reader.compact());
	}
	reader.end();
	return { partial, value, children };
}

/**
 * The value at `key` in the trie with this root, out of a proof: a list of nodes and values, each
 * as bytes.
 *
 * Throws if the proof does not lead from the root to a value, if something in it is not needed, or
 * if it is there twice.
 */
export function valueOf(root, proof, key) {
	const parts = new Map(proof.map((part) => [toHex(blake2b256(part)), part]));
	if (parts.size !== proof.length) throw new Error("the proof has a part twice");

	const take = (hash) => {
		const part = parts.get(toHex(hash));
		if (part === undefined) throw new Error(`the proof lacks what hashes to ${toHex(hash)}`);
		parts.delete(toHex(hash));
		return part;
	};

	let rest = nibblesOf(key);
	let node = decodeNode(take(root));
	for (;;) {
		if (node.partial.some((nibble, index) => nibble !== rest[index])) {
			throw new Error("the trie has nothing at this key");
		}
		rest = rest.slice(node.partial.length);
		if (rest.length === 0) break;
		const child = node.children[rest[0]];
		if (child === null) throw new Error("the trie has nothing at this key");
		rest = rest.slice(1);
		node = decodeNode(child.length === HASH_LENGTH ? take(child) : child);
	}
	if (node.value === null) throw new Error("the trie has no value at this key");
	const value = node.value.inline ?? take(node.value.hash);
	if (parts.size > 0) throw new Error(`${parts.size} parts of the proof lead nowhere`);
	return value;
}
