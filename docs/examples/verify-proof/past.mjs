// From a block's header to a block far behind it, and to the records that this one settled
// (docs/protocol/retention.md).

import { keccak_256 } from "@noble/hashes/sha3";
import { sha256 } from "@noble/hashes/sha2";
import { hash, headerHash } from "./header.mjs";
import { Reader, concat, equal, fromHex, toHex } from "./scale.mjs";

/** How the digest begins that names the root: a consensus log of the engine `ammr`, 32 bytes. */
const ROOT_LOG = Uint8Array.of(4, ...new TextEncoder().encode("ammr"), 32 << 2);

/** The root of the mountain range that a header names. Throws if it names none. */
export function rangeRoot(header) {
	const logs = header.digest.logs.map(fromHex);
	const log = logs.find((bytes) => equal(bytes.subarray(0, ROOT_LOG.length), ROOT_LOG));
	if (log?.length !== ROOT_LOG.length + 32) {
		throw new Error("the later header names no root of the mountain range");
	}
	return log.subarray(ROOT_LOG.length);
}

/** A node over two others. */
export const join = (one, other) => keccak_256(concat(one, other));

/**
 * The root of a range of `count` leaves to which `items` lead from the leaf with this index: peaks on
 * its left, siblings from the bottom up, and the peaks on its right as one. `null` if they lead nowhere.
 */
export function climb(leaf, index, count, items) {
	const rest = [...items];
	const peaks = [];
	let first = 0;
	for (let size = 2 ** Math.floor(Math.log2(count)); size >= 1 && index < count; size /= 2) {
		if (Math.floor(count / size) % 2 === 0) continue;
		if (first + size <= index) {
			peaks.push(rest.shift());
			first += size;
			continue;
		}
		let node = leaf;
		for (let step = 1, at = index - first; step < size; step *= 2, at = Math.floor(at / 2)) {
			if (rest.length === 0) return null;
			node = at % 2 === 0 ? join(node, rest.shift()) : join(rest.shift(), node);
		}
		peaks.push(node);
		if (first + size < count) peaks.push(rest.shift());
		break;
	}
	if (peaks.length === 0 || peaks.includes(undefined) || rest.length > 0) return null;
	// Peaks are joined from the right, the right one first.
	return peaks.reduceRight((right, left) => join(right, left));
}

/** Whether `path` leads from a leaf to the root over a block's records (docs/protocol/hashing.md). */
export function leadsTo(root, leaf, index, count, path) {
	if (!(Number.isInteger(index) && index >= 0 && index < count)) return false;
	const rest = [...path];
	let node = leaf;
	for (let at = index, width = count; width > 1; at = at >> 1, width = Math.ceil(width / 2)) {
		if ((at ^ 1) >= width) continue;
		const other = rest.shift();
		if (other === undefined) return false;
		const pair = at % 2 === 0 ? [node, other] : [other, node];
		node = sha256(concat(Uint8Array.of(1), ...pair));
	}
	return rest.length === 0 && equal(node, root);
}

/** The hash of a record's id as a leaf. */
export const recordLeaf = (id) => sha256(concat(Uint8Array.of(0), id));

/**
 * Checks that the header of a later block leads to the block with this header hash and number, and that
 * this one settled the record. Returns the later block's hash; throws a sentence that says what is
 * wrong otherwise.
 */
export function checkPast(past, later, block, number, id) {
	const found = headerHash(later);
	if (!equal(found, hash(past.blockHash))) {
		throw new Error(`the later header hashes to ${toHex(found)}, not to ${past.blockHash}`);
	}
	const count = Number.parseInt(later.number, 16);
	if (count !== past.blockNumber) {
		throw new Error(`the later block has the number ${count}, not ${past.blockNumber}`);
	}

	const leaf = fromHex(past.leaf);
	const reader = new Reader(leaf);
	const [of, ofHash, records] = [reader.uint(4), reader.take(32), reader.take(32)];
	reader.end();
	if (of !== number || !equal(ofHash, block)) {
		throw new Error(`the leaf is of block ${toHex(ofHash)}, not of ${toHex(block)}`);
	}
	const root = climb(keccak_256(leaf), number, count, past.items.map(hash));
	if (root === null || !equal(root, rangeRoot(later))) {
		throw new Error("the leaf does not lead to the root in the later header");
	}
	const path = past.recordPath.map(hash);
	if (!leadsTo(records, recordLeaf(id), past.recordIndex, past.recordCount, path)) {
		throw new Error("the record is not among those that the block settled");
	}
	return found;
}
