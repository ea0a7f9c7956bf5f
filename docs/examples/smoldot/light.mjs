// What a light client knows, over the JSON-RPC that smoldot speaks: final blocks, and their state.

import { Reader, fromHex } from "../verify-proof/scale.mjs";

const PARENT_BYTES = 32;

/** A block's number, out of the SCALE bytes of its header. */
function numberOf(header) {
	const reader = new Reader(fromHex(header));
	reader.take(PARENT_BYTES);
	return reader.compact();
}

/** Follows one chain. */
export class LightClient {
	#chain;
	#next = 1;
	#calls = new Map();
	#operations = new Map();
	#events = [];
	#wake = () => {};
	#failure;
	#subscription;
	#final;

	/** @param chain what smoldot's `addChain` resolves to. */
	constructor(chain) {
		this.#chain = chain;
		this.#listen();
	}

	/** The last final block that was looked at, `{hash, number}`; nothing before the first. */
	get final() {
		return this.#final;
	}

	/** Calls a method. */
	async call(method, ...params) {
		if (this.#failure !== undefined) throw this.#failure;
		const id = String(this.#next);
		this.#next += 1;
		// This may throw; only what was sent has an answer.
		this.#chain.sendJsonRpc(JSON.stringify({ jsonrpc: "2.0", id, method, params }));
		return new Promise((resolve, reject) => {
			this.#calls.set(id, { method, resolve, reject });
		});
	}

	/** Begins to hear of final blocks; once, before the two below. */
	async follow() {
		await this.call("chainHead_v1_follow", false);
	}

	/**
	 * Waits for a final block with at least this number: `{hash, number}`. Its state can be read
	 * until the next call.
	 */
	async finalBlock(least) {
		for (;;) {
			const event = await this.#event();
			if (event.event === "stop") {
				// The client has lost the thread, as after a warp sync: it begins anew.
				this.#final = undefined;
				await this.follow();
				continue;
			}
			// A `stop` that was not looked at yet: it forgot these blocks.
			if (event.subscription !== this.#subscription) continue;
			const { subscription, finalizedBlockHashes: hashes } = event;
			const pruned = event.prunedBlockHashes ?? [];
			const hash = hashes.at(-1);
			const header = await this.call("chainHead_v1_header", subscription, hash);
			if (header === null) continue;
			const before = this.#final === undefined ? [] : [this.#final.hash];
			this.#final = { hash, number: numberOf(header) };
			const done = [...before, ...hashes.slice(0, -1), ...pruned];
			if (done.length > 0) await this.call("chainHead_v1_unpin", subscription, done);
			if (this.#final.number >= least) return this.#final;
		}
	}

	/**
	 * What is under a key in the state of a final block with at least this number:
	 * `{block, value}`. The value is `0x…`, or null if there is none; the client has checked a
	 * proof of either.
	 */
	async read(key, least) {
		for (;;) {
			const block = await this.finalBlock(least);
			const { items, error } = await this.#storage(block.hash, key);
			if (error !== undefined) throw new Error(`smoldot cannot read the state: ${error}`);
			// Without items no peer had an answer: the next final block is another try.
			if (items === undefined) continue;
			return { block, value: items.find((item) => item.key === key)?.value ?? null };
		}
	}

	/** `{items}`, `{error}`, or `{}` if the operation came to nothing. */
	async #storage(block, key) {
		const item = { key, type: "value" };
		const answer = await this.call(
			"chainHead_v1_storage",
			this.#subscription ?? "",
			block,
			[item],
			null,
		);
		if (answer.result !== "started") return {};
		const operation = this.#operation(answer.operationId);
		const outcome = await operation.outcome;
		this.#operations.delete(answer.operationId);
		return outcome;
	}

	/** What is known of an operation. Its events may come before its caller asks. */
	#operation(id) {
		let operation = this.#operations.get(id);
		if (operation === undefined) {
			operation = { items: [] };
			operation.outcome = new Promise((resolve) => {
				operation.end = resolve;
			});
			this.#operations.set(id, operation);
		}
		return operation;
	}

	/** The next event about final blocks. */
	async #event() {
		while (this.#events.length === 0) {
			if (this.#failure !== undefined) throw this.#failure;
			await new Promise((resolve) => {
				this.#wake = resolve;
			});
		}
		return this.#events.shift();
	}

	async #listen() {
		try {
			for await (const text of this.#chain.jsonRpcResponses) this.#take(JSON.parse(text));
			this.#fail(new Error("smoldot has stopped"));
		} catch (error) {
			this.#fail(error);
		}
	}

	#take({ id, result, error, params }) {
		if (id === undefined) return void this.#notice(params.subscription, params.result);
		const call = this.#calls.get(id);
		if (call === undefined) return;
		this.#calls.delete(id);
		if (error === undefined) call.resolve(result);
		else call.reject(new Error(`${call.method}: ${error.message}`));
	}

	#notice(subscription, event) {
		if (event.event === "initialized") this.#subscription = subscription;
		else if (subscription !== this.#subscription) return;
		switch (event.event) {
			case "stop":
				this.#subscription = undefined;
				for (const operation of this.#operations.values()) operation.end({});
			// falls through
			case "initialized":
			case "finalized":
				this.#events.push({ ...event, subscription });
				this.#wake();
				break;
			case "operationStorageItems":
				this.#operation(event.operationId).items.push(...event.items);
				break;
			case "operationStorageDone": {
				const operation = this.#operation(event.operationId);
				operation.end({ items: operation.items });
				break;
			}
			case "operationInaccessible":
				this.#operation(event.operationId).end({});
				break;
			case "operationError":
				this.#operation(event.operationId).end({ error: event.error });
				break;
			default:
			// Blocks that are not final, and operations that nobody here starts.
		}
	}

	#fail(error) {
		this.#failure = error;
		for (const { reject } of this.#calls.values()) reject(error);
		this.#calls.clear();
		for (const operation of this.#operations.values()) operation.end({ error: error.message });
		this.#wake();
	}
}
