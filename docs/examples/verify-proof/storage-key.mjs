// Where a pallet keeps an entry: twox128(pallet) ‖ twox128(entry) ‖ key. For records the key is the
// id as it is.

import { concat } from "./scale.mjs";

const MASK = (1n << 64n) - 1n;
const PRIMES = [
	0x9e3779b185ebca87n,
	0xc2b2ae3d27d4eb4fn,
	0x165667b19e3779f9n,
	0x85ebca77c2b2ae63n,
	0x27d4eb2f165667c5n,
];
const [P1, P2, P3, P4, P5] = PRIMES;

const rotate = (value, by) => ((value << BigInt(by)) | (value >> BigInt(64 - by))) & MASK;
const times = (left, right) => (left * right) & MASK;
const round = (sum, lane) => times(rotate((sum + times(lane, P2)) & MASK, 31), P1);

/** XXH64 of `bytes`, as a bigint. */
export function xxh64(bytes, seed) {
	const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
	const length = bytes.length;
	let at = 0;
	let sum;
	if (length >= 32) {
		const lanes = [seed + P1 + P2, seed + P2, seed, seed - P1].map((lane) => lane & MASK);
		for (; at + 32 <= length; at += 32) {
			for (let lane = 0; lane < 4; lane += 1) {
				lanes[lane] = round(lanes[lane], view.getBigUint64(at + 8 * lane, true));
			}
		}
		sum = [1, 7, 12, 18].reduce((all, by, lane) => (all + rotate(lanes[lane], by)) & MASK, 0n);
		for (const lane of lanes) sum = (times(sum ^ round(0n, lane), P1) + P4) & MASK;
	} else {
		sum = (seed + P5) & MASK;
	}
	sum = (sum + BigInt(length)) & MASK;
	for (; at + 8 <= length; at += 8) {
		sum = (times(rotate(sum ^ round(0n, view.getBigUint64(at, true)), 27), P1) + P4) & MASK;
	}
	if (at + 4 <= length) {
		const lane = times(BigInt(view.getUint32(at, true)), P1);
		sum = (times(rotate(sum ^ lane, 23), P2) + P3) & MASK;
		at += 4;
	}
	for (; at < length; at += 1) {
		sum = times(rotate(sum ^ times(BigInt(bytes[at]), P5), 11), P1);
	}
	sum = times(sum ^ (sum >> 33n), P2);
	sum = times(sum ^ (sum >> 29n), P3);
	return sum ^ (sum >> 32n);
}

/** 16 bytes: XXH64 of a text with the seeds 0 and 1, each little endian. */
export function twox128(text) {
	const bytes = new TextEncoder().encode(text);
	const out = new DataView(new ArrayBuffer(16));
	out.setBigUint64(0, xxh64(bytes, 0n), true);
	out.setBigUint64(8, xxh64(bytes, 1n), true);
	return new Uint8Array(out.buffer);
}

/** The key under which the chain's state holds a record. */
export const recordKey = (id) => concat(twox128("ProvenanceLedger"), twox128("Records"), id);
