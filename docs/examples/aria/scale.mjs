// SCALE, as far as ARIA's structures need it. An encoder is a function from a value to its bytes.

/** Bytes of `0x…`. Throws if that is no hexadecimal. */
export function fromHex(text) {
	const digits = String(text).replace(/^0x/, "");
	if (digits.length % 2 !== 0 || /[^0-9a-fA-F]/.test(digits)) {
		throw new Error(`${text} is no hexadecimal: give an even number of digits after 0x`);
	}
	return Uint8Array.from(Buffer.from(digits, "hex"));
}

/** `0x…` of bytes. */
export const toHex = (bytes) => `0x${Buffer.from(bytes).toString("hex")}`;

/** All parts behind each other. */
export const concat = (...parts) => Uint8Array.from(Buffer.concat(parts));

/** An unsigned integer of so many bytes, little endian, from a number, a bigint or decimal text. */
const unsigned = (length) => (value) => {
	let rest = BigInt(value);
	if (rest < 0n || rest >> BigInt(8 * length) !== 0n) {
		throw new RangeError(`${value} does not fit ${8 * length} bits`);
	}
	const bytes = new Uint8Array(length);
	for (let index = 0; index < length; index += 1) {
		bytes[index] = Number(rest & 0xffn);
		rest >>= 8n;
	}
	return bytes;
};

export const u8 = unsigned(1);
export const u16 = unsigned(2);
export const u32 = unsigned(4);
export const u64 = unsigned(8);
export const u128 = unsigned(16);

/** The length in front of a list, below 2^30. */
export function compact(value) {
	if (!Number.isInteger(value) || value < 0 || value >= 2 ** 30) {
		throw new RangeError(`${value} is no length of a list`);
	}
	if (value < 2 ** 6) return u8(value << 2);
	if (value < 2 ** 14) return u16((value << 2) | 1);
	return u32(value * 4 + 2);
}

/** Exactly so many bytes, given as bytes or as `0x…`. */
export const bytes = (length) => (value) => {
	const raw = typeof value === "string" ? fromHex(value) : Uint8Array.from(value);
	if (raw.length !== length) throw new RangeError(`${raw.length} bytes, where ${length} belong`);
	return raw;
};

export const hash = bytes(32);

/** A list: its length, then its items. */
export const vector = (item) => (values) => concat(compact(values.length), ...values.map(item));

/** `null` or a value. */
export const option = (item) => (value) =>
	value === null || value === undefined ? u8(0) : concat(u8(1), item(value));

/** Fields behind each other, in the order in which they are declared. */
export const structure = (fields) => (value) => {
	const strangers = Object.keys(value).filter((name) => !(name in fields));
	const missing = Object.keys(fields).filter((name) => !(name in value));
	if (strangers.length > 0 || missing.length > 0) {
		throw new Error(`the structure lacks [${missing}] and does not know [${strangers}]`);
	}
	return concat(...Object.entries(fields).map(([name, field]) => field(value[name])));
};

/**
 * One byte for the variant, then what it carries. `variants` are names, or `[name, encoder]`; a
 * value is a name, or `{name: payload}`.
 */
export const enumeration = (...variants) => {
	const table = variants.map((variant) => (Array.isArray(variant) ? variant : [variant, null]));
	return (value) => {
		const [name, payload] = typeof value === "string" ? [value] : Object.entries(value)[0];
		const index = table.findIndex(([known]) => known === name);
		if (index < 0) throw new Error(`${name} is none of ${table.map(([known]) => known)}`);
		const [, inner] = table[index];
		return inner === null ? u8(index) : concat(u8(index), inner(payload));
	};
};
