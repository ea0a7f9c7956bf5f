// Reads SCALE: the encoding of headers, trie nodes and records.

/** Bytes of `0x…`. Throws if that is no hexadecimal. */
export function fromHex(text) {
	if (typeof text !== "string" || !/^0x([0-9a-fA-F]{2})*$/.test(text)) {
		throw new Error(`${JSON.stringify(text)} is no hexadecimal`);
	}
	const bytes = new Uint8Array(text.length / 2 - 1);
	for (let index = 0; index < bytes.length; index += 1) {
		bytes[index] = Number.parseInt(text.slice(2 * index + 2, 2 * index + 4), 16);
	}
	return bytes;
}

/** `0x…` of bytes. */
export function toHex(bytes) {
	return `0x${Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}

/** All parts behind each other. */
export function concat(...parts) {
	const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
	let at = 0;
	for (const part of parts) {
		whole.set(part, at);
		at += part.length;
	}
	return whole;
}

/** Whether two byte strings are the same. */
export function equal(left, right) {
	return left.length === right.length && left.every((byte, index) => byte === right[index]);
}

/** A compact integer below 2^30, as headers and lists have it. */
export function compact(value) {
	if (!Number.isInteger(value) || value < 0 || value >= 2 ** 30) {
		throw new RangeError(`${value} is beyond a compact integer of four bytes`);
	}
	if (value < 2 ** 6) return Uint8Array.of(value << 2);
	const bits = value < 2 ** 14 ? value * 4 + 1 : value * 4 + 2;
	const bytes = new Uint8Array(value < 2 ** 14 ? 2 : 4);
	return bytes.map((_, index) => Math.floor(bits / 256 ** index) % 256);
}

/** A cursor over bytes; every read beyond their end throws. */
export class Reader {
	constructor(bytes) {
		this.bytes = bytes;
		this.at = 0;
	}

	/** The next `length` bytes. */
	take(length) {
		const end = this.at + length;
		if (end > this.bytes.length) throw new Error("the bytes end too early");
		const taken = this.bytes.subarray(this.at, end);
		this.at = end;
		return taken;
	}

	/** One byte. */
	byte() {
		return this.take(1)[0];
	}

	/** An unsigned integer of up to six bytes, little endian. */
	uint(length) {
		return Number(this.bigint(length));
	}

	/** An unsigned integer of any length, little endian. */
	bigint(length) {
		return this.take(length).reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
	}

	/** A compact integer below 2^30 in its shortest form. */
	compact() {
		const start = this.at;
		const mode = this.byte() & 3;
		if (mode === 3) throw new Error("a length beyond 2^30");
		this.at = start;
		const value = Math.floor(this.uint([1, 2, 4][mode]) / 4);
		if (compact(value).length !== this.at - start) throw new Error("a length in a long form");
		return value;
	}

	/** Nothing may be left. */
	end() {
		if (this.at !== this.bytes.length) {
			throw new Error(`${this.bytes.length - this.at} bytes follow where nothing belongs`);
		}
	}
}
