// A block's header, as `chain_getHeader` gives it.

import { compact, concat, fromHex } from "./scale.mjs";
import { blake2b256 } from "./trie.mjs";

/** 32 bytes of `0x…`. */
export function hash(text) {
	const bytes = fromHex(text);
	if (bytes.length !== 32) throw new Error(`${text} has ${bytes.length} bytes instead of 32`);
	return bytes;
}

/** The SCALE bytes of a header: parent, number, state root, extrinsics root, digest. */
export function encodeHeader(header) {
	const logs = header.digest.logs.map(fromHex);
	return concat(
		hash(header.parentHash),
		compact(Number.parseInt(header.number, 16)),
		hash(header.stateRoot),
		hash(header.extrinsicsRoot),
		compact(logs.length),
		...logs,
	);
}

/** The block's hash. */
export const headerHash = (header) => blake2b256(encodeHeader(header));
