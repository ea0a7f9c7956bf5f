// A node's blocks and states over JSON-RPC: what @polkadot/api gives, and errors that say what to do.

import { ApiPromise, WsProvider } from "@polkadot/api";
import { compactFromU8a, hexToU8a, u8aToString } from "@polkadot/util";
import { Inconsistent, Unanswerable } from "./errors.mjs";

const TIMEOUT_MS = 60_000;
/** Blocks that are asked for at once. */
const WINDOW = 64;
/** First byte of a header's digest item that says who claimed the slot. */
const PRE_RUNTIME = 6;

/** The sentence for a failed call. */
function reason(method, error) {
	if (/discarded|UnknownBlock|Header was not found/i.test(error.message)) {
		const what = `the node has discarded a state that is needed (${error.message})`;
		return `${what}: ask one that runs with --state-pruning archive`;
	}
	return `${method}: ${error.message}`;
}

async function failing(method, call) {
	try {
		return await call();
	} catch (error) {
		const own = [Unanswerable, Inconsistent, TypeError].some((kind) => error instanceof kind);
		throw own ? error : new Unanswerable(reason(method, error));
	}
}

/** The place of a block's author in the list of validators, out of the header's digest. */
function authorIndex(header) {
	for (const log of header.digest.logs.map((item) => hexToU8a(item))) {
		if (log[0] !== PRE_RUNTIME || u8aToString(log.subarray(1, 5)) !== "BABE") continue;
		const [prefix, length] = compactFromU8a(log.subarray(5));
		const claim = log.subarray(5 + prefix, 5 + prefix + length.toNumber());
		// One byte for the kind of slot, then the index.
		if (claim.length < 5) return null;
		return new DataView(claim.buffer, claim.byteOffset).getUint32(1, true);
	}
	return null;
}

export class Node {
	/** Connects to a node's WebSocket; `http` means the same server. */
	static async connect(url) {
		const provider = new WsProvider(url.replace(/^http/, "ws"), 2_500, {}, TIMEOUT_MS);
		try {
			return await Node.over(provider);
		} catch (error) {
			await provider.disconnect().catch(() => {});
			throw new Unanswerable(`no ARIA node answers at ${url}: ${error.message}`);
		}
	}

	static async over(provider) {
		const api = await ApiPromise.create({ provider, noInitWarn: true, throwOnConnect: true });
		if (!api.query.rewardDistributor || !api.query.provenanceLedger) {
			await api.disconnect();
			throw new Error("its chain has no rewards, so it is none of ARIA's");
		}
		return new Node(api, provider);
	}

	constructor(api, provider) {
		this.api = api;
		this.provider = provider;
	}

	disconnect() {
		return this.api.disconnect();
	}

	call(method, ...params) {
		return failing(method, () => this.provider.send(method, params));
	}

	/** The last final block's number. */
	async finalNumber() {
		const header = await this.call("chain_getHeader", await this.call("chain_getFinalizedHead"));
		return Number(header.number);
	}

	async hashOf(number) {
		const hash = await this.call("chain_getBlockHash", number);
		if (hash === null) {
			throw new Unanswerable(`the node has no block ${number}: ask one that has synced all blocks`);
		}
		return hash;
	}

	/** What `read` gets from the state behind a block, by the runtime that made the block. */
	async at(number, read) {
		const hash = await this.hashOf(number);
		return failing(`state of block ${number}`, async () => read(await this.api.at(hash)));
	}

	/**
	 * A block without what needs its runtime: number, hash, ids of the records that it settled, and its
	 * author's address, `null` if that is not known.
	 */
	async block(number) {
		const { session, provenanceLedger } = this.api.query;
		const hash = await this.hashOf(number);
		const header = await this.call("chain_getHeader", hash);
		const stored = (key, at) => this.call("state_getStorage", key, at);
		const [ids, validators] = await Promise.all([
			stored(provenanceLedger.blockRecords.key(), hash),
			// A session's first block has the author whom the session before knew by the index.
			stored(session.validators.key(), header.parentHash),
		]);
		const list = (type, value) => this.api.createType(type, value ?? "0x00").toArray();
		const index = authorIndex(header);
		const author = index === null ? undefined : list("Vec<AccountId32>", validators)[index];
		return {
			number,
			hash,
			ids: list("Vec<H256>", ids).map((id) => id.toHex()),
			author: author?.toString() ?? null,
		};
	}

	/** Blocks `start .. end`, in order; tells `progress` how many are read. */
	async blocks(start, end, progress = () => {}) {
		const found = [];
		for (let first = start; first < end; first += WINDOW) {
			const count = Math.min(WINDOW, end - first);
			const numbers = Array.from({ length: count }, (_, index) => first + index);
			found.push(...(await Promise.all(numbers.map((number) => this.block(number)))));
			progress(found.length, end - start);
		}
		return found;
	}

	/** The first block of `low ..= high` whose state `holds`, of which that of `high` is one. */
	async firstBlock(low, high, holds) {
		while (low < high) {
			const middle = Math.floor((low + high) / 2);
			if (await this.at(middle, holds)) high = middle;
			else low = middle + 1;
		}
		return low;
	}
}
