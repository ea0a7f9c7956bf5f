// A node of a small chain for tests: states and blocks in memory, in the bytes that the chain's own
// metadata describes.

import { TypeRegistry } from "@polkadot/types";
import { Metadata, expandMetadata } from "@polkadot/types/metadata";
import { compactAddLength, compactStripLength, stringToU8a, u8aConcat, u8aToHex } from "@polkadot/util";
import { readFileSync } from "node:fs";

const METADATA = u8aToHex(
	readFileSync(new URL("../../inference-worker/chain-client/metadata.scale", import.meta.url)),
);
const VERSION = {
	specName: "aria",
	implName: "aria",
	authoringVersion: 1,
	specVersion: 1,
	implVersion: 1,
	apis: [],
	transactionVersion: 1,
	stateVersion: 1,
};

const u32 = (value) => Uint8Array.from([0, 8, 16, 24], (shift) => (value >>> shift) & 255);

/** A hash that is easy to recognise. */
export const hash = (byte) => `0x${byte.toString(16).padStart(2, "0").repeat(32)}`;
/** The hash of a block: its number behind many others. */
const hashOf = (number) => `0x${"cc".repeat(28)}${number.toString(16).padStart(8, "0")}`;

/** A chain of so many blocks; what `put` writes stays until something else is put there. */
export class FakeNode {
	hasSubscriptions = false;
	isClonable = false;
	isConnected = true;
	methods = [];

	constructor(head) {
		this.head = head;
		this.registry = new TypeRegistry();
		const metadata = new Metadata(this.registry, METADATA);
		this.registry.setMetadata(metadata, undefined, undefined, true);
		this.pallets = metadata.asLatest.pallets;
		this.query = expandMetadata(this.registry, metadata).query;
		/** By key: changes as `[block, value]`, ascending by block. */
		this.changes = new Map();
		/** Blocks before this one have lost their states. */
		this.oldest = 0;
	}

	key(pallet, item, ...args) {
		const entry = this.query[pallet][item];
		return u8aToHex(compactStripLength(entry(...args))[1]);
	}

	/** Puts a value into the state from a block on; `undefined` removes it. */
	put(block, [pallet, item, ...args], value) {
		const { type } = this.query[pallet][item].meta;
		const kind = this.registry.createLookupType(type.isPlain ? type.asPlain : type.asMap.value);
		const bytes = value === undefined ? null : this.registry.createType(kind, value).toU8a();
		this.putRaw(block, this.key(pallet, item, ...args), bytes && u8aToHex(bytes));
	}

	putRaw(block, key, hex) {
		const earlier = (this.changes.get(key) ?? []).filter(([at]) => at !== block);
		this.changes.set(key, [...earlier, [block, hex]].sort(([a], [b]) => a - b));
	}

	/** Makes these the events of a block: `[pallet, event, {field: value}]`. */
	putEvents(block, events) {
		const encoded = events.map(([pallet, name, fields]) => this.event(pallet, name, fields));
		// Fewer than 64, so that their number takes a byte.
		const hex = u8aToHex(u8aConcat(Uint8Array.of(events.length << 2), ...encoded));
		this.putRaw(block, this.key("system", "events"), hex);
		this.putRaw(block + 1, this.key("system", "events"), null);
	}

	event(name, variant, values) {
		const pallet = this.pallets.find((each) => each.name.toString() === name);
		const { variants } = this.registry.lookup.getSiType(pallet.events.unwrap().type).def.asVariant;
		const { index, fields } = variants.find((each) => each.name.toString() === variant);
		const field = ({ name: called, type }) =>
			this.registry
				.createType(this.registry.createLookupType(type), values[called.unwrap().toString()])
				.toU8a();
		// While the block begins; no topics.
		return u8aConcat(
			Uint8Array.of(1),
			Uint8Array.of(pallet.index.toNumber(), index.toNumber()),
			...fields.map(field),
			Uint8Array.of(0),
		);
	}

	valueAt(key, block) {
		const changes = (this.changes.get(key) ?? []).filter(([at]) => at <= block);
		return changes.length === 0 ? null : changes[changes.length - 1][1];
	}

	header(number) {
		const claim = u8aConcat(Uint8Array.of(2), u32(0), new Uint8Array(8));
		const log = u8aConcat(Uint8Array.of(6), stringToU8a("BABE"), compactAddLength(claim));
		return {
			parentHash: number === 0 ? hash(0) : hashOf(number - 1),
			number: `0x${number.toString(16)}`,
			stateRoot: hash(0),
			extrinsicsRoot: hash(0),
			digest: { logs: number === 0 ? [] : [u8aToHex(log)] },
		};
	}

	numberOf(block) {
		return block ? Number.parseInt(block.slice(-8), 16) : this.head;
	}

	/** The number of a block whose state is asked. */
	state(block) {
		const number = this.numberOf(block);
		if (number < this.oldest) {
			throw new Error(`4003: Client error: UnknownBlock: State already discarded for ${block}`);
		}
		return number;
	}

	answer(method, params) {
		switch (method) {
			case "chain_getBlockHash":
				return params[0] > this.head ? null : hashOf(params[0]);
			case "chain_getFinalizedHead":
				return hashOf(this.head);
			case "chain_getHeader":
				return this.header(this.numberOf(params[0]));
			case "state_getStorage":
				return this.valueAt(params[0], this.state(params[1]));
			case "state_queryStorageAt": {
				const number = this.state(params[1]);
				const changes = params[0].map((key) => [key, this.valueAt(key, number)]);
				return [{ block: params[1], changes }];
			}
			case "state_getKeysPaged": {
				const [prefix, count, after, block] = params;
				const number = this.state(block);
				const there = (key) => key.startsWith(prefix) && this.valueAt(key, number) !== null;
				const keys = [...this.changes.keys()].filter(there).sort();
				return keys.filter((key) => key > (after ?? "")).slice(0, count);
			}
			case "state_getRuntimeVersion":
				this.state(params[0]);
				return VERSION;
			case "state_getMetadata":
				return METADATA;
			case "system_chain":
				return "ARIA Fake";
			case "system_properties":
				return { ss58Format: 42, tokenDecimals: 12, tokenSymbol: "ARIA" };
			case "rpc_methods":
				return { methods: [] };
			default:
				throw new Error(`-32601: no method ${method}`);
		}
	}

	// --- as @polkadot/api speaks to a node -----------------------------------------------------------

	on(type, callback) {
		if (type === "connected") setTimeout(callback, 0);
		return () => {};
	}

	async send(method, params) {
		this.methods.push(method);
		return this.answer(method, params);
	}

	async connect() {}

	async disconnect() {}

	async subscribe() {
		throw new Error("-32601: no subscriptions");
	}

	async unsubscribe() {
		return true;
	}
}
