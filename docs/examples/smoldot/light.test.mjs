import assert from "node:assert/strict";
import test from "node:test";
import { compact, concat, toHex } from "../verify-proof/scale.mjs";
import { LightClient } from "./light.mjs";
import { checkedSpecification } from "./specification.mjs";

const KEY = "0x0102";
const name = (number) => `0x${number.toString(16).padStart(64, "0")}`;
const header = (number) => toHex(concat(new Uint8Array(32), compact(number), new Uint8Array(64)));

/** smoldot as a script of answers: what `answer` returns, and what it tells by `tell`. */
class Script {
	sent = [];
	#queue = [];
	#wake = () => {};
	#over = false;

	constructor(answer) {
		this.answer = answer;
		this.jsonRpcResponses = this.#responses();
	}

	async *#responses() {
		for (;;) {
			while (this.#queue.length > 0) yield this.#queue.shift();
			if (this.#over) return;
			await new Promise((resolve) => {
				this.#wake = resolve;
			});
		}
	}

	sendJsonRpc(text) {
		const { id, method, params } = JSON.parse(text);
		this.sent.push([method, ...params]);
		this.#put({ jsonrpc: "2.0", id, ...this.answer(this, method, params) });
	}

	/** Events of a subscription, behind what was answered so far. */
	tell(subscription, ...events) {
		for (const result of events) this.#later({ params: { subscription, result } });
	}

	end() {
		this.#over = true;
		this.#wake();
	}

	#later(message) {
		queueMicrotask(() => this.#put(message));
	}

	#put(message) {
		this.#queue.push(JSON.stringify(message));
		this.#wake();
	}
}

const initialized = (...numbers) => ({
	event: "initialized",
	finalizedBlockHashes: numbers.map(name),
});
const finalized = (numbers, pruned = []) => ({
	event: "finalized",
	finalizedBlockHashes: numbers.map(name),
	prunedBlockHashes: pruned.map(name),
});
const items = (operationId, ...found) => [
	{ event: "operationStorageItems", operationId, items: found },
	{ event: "operationStorageDone", operationId },
];

/** Answers all calls but those of `others`, by method. */
const answers = (others) => (script, method, params) => {
	if (others[method]) return others[method](script, params);
	if (method === "chainHead_v1_header") return { result: header(Number(params[1])) };
	return { result: null };
};

test("a value should be read at the first final block that is late enough", async () => {
	const script = new Script(
		answers({
			chainHead_v1_follow: (it) => {
				it.tell("s", initialized(3), { event: "bestBlockChanged", bestBlockHash: name(9) });
				it.tell("s", finalized([4, 5], [77]), finalized([6, 7]), finalized([8]));
				return { result: "s" };
			},
			chainHead_v1_storage: (it) => {
				it.tell("s", ...items("o", { key: KEY, value: "0xaa" }));
				return { result: { result: "started", operationId: "o", discardedItems: 0 } };
			},
		}),
	);
	const light = new LightClient(script);
	await light.follow();
	const found = await light.read(KEY, 6);
	assert.deepEqual(found, { block: { hash: name(7), number: 7 }, value: "0xaa" });
	assert.deepEqual(light.final, found.block);
	const unpinned = script.sent.filter(([method]) => method === "chainHead_v1_unpin");
	assert.deepEqual(
		unpinned.map(([, , hashes]) => hashes),
		[
			[name(3), name(4), name(77)],
			[name(5), name(6)],
		],
	);
	const [asked] = script.sent.filter(([method]) => method === "chainHead_v1_storage");
	assert.deepEqual(asked.slice(1), ["s", name(7), [{ key: KEY, type: "value" }], null]);
});

test("what is not there should be null", async () => {
	const script = new Script(
		answers({
			chainHead_v1_follow: (it) => {
				it.tell("s", initialized(3));
				return { result: "s" };
			},
			chainHead_v1_storage: (it) => {
				it.tell("s", ...items("o"));
				return { result: { result: "started", operationId: "o", discardedItems: 0 } };
			},
		}),
	);
	const light = new LightClient(script);
	await light.follow();
	assert.equal((await light.read(KEY, 0)).value, null);
});

test("a client that begins anew should be followed anew", async () => {
	let follows = 0;
	const script = new Script(
		answers({
			chainHead_v1_follow: (it) => {
				follows += 1;
				const now = `s${follows}`;
				if (follows === 1) it.tell(now, initialized(0), finalized([1]), { event: "stop" });
				// The first one is over: what it says late is of no account.
				if (follows === 2) it.tell("s1", finalized([90]));
				if (follows === 2) it.tell(now, initialized(40), finalized([41]));
				return { result: now };
			},
		}),
	);
	const light = new LightClient(script);
	await light.follow();
	assert.deepEqual(await light.finalBlock(41), { hash: name(41), number: 41 });
	assert.equal(follows, 2);
});

test("an operation that a stop ends should be tried again", async () => {
	let follows = 0;
	const script = new Script(
		answers({
			chainHead_v1_follow: (it) => {
				follows += 1;
				it.tell(`s${follows}`, initialized(follows));
				return { result: `s${follows}` };
			},
			chainHead_v1_storage: (it, [subscription]) => {
				if (subscription === "s1") it.tell("s1", { event: "stop" });
				else it.tell(subscription, ...items("o2", { key: KEY, value: "0xbb" }));
				const operationId = subscription === "s1" ? "o1" : "o2";
				return { result: { result: "started", operationId, discardedItems: 0 } };
			},
		}),
	);
	const light = new LightClient(script);
	await light.follow();
	const { block, value } = await light.read(KEY, 0);
	assert.deepEqual([block.number, value], [2, "0xbb"]);
});

test("what no peer has, or has no room, should be asked at the next final block", async () => {
	const outcomes = ["inaccessible", "full", "found"];
	const script = new Script(
		answers({
			chainHead_v1_follow: (it) => {
				it.tell("s", initialized(1), finalized([2]), finalized([3]));
				return { result: "s" };
			},
			chainHead_v1_storage: (it) => {
				const outcome = outcomes.shift();
				if (outcome === "full") return { result: { result: "limitReached" } };
				const found = items(outcome, { key: KEY, value: "0xcc" });
				if (outcome === "found") it.tell("s", ...found);
				else it.tell("s", { event: "operationInaccessible", operationId: outcome });
				return { result: { result: "started", operationId: outcome, discardedItems: 0 } };
			},
		}),
	);
	const light = new LightClient(script);
	await light.follow();
	const { block, value } = await light.read(KEY, 0);
	assert.deepEqual([block.number, value], [3, "0xcc"]);
});

test("errors should reach who asked", async () => {
	const script = new Script(
		answers({
			chainHead_v1_follow: (it) => {
				it.tell("s", initialized(1));
				return { result: "s" };
			},
			chainHead_v1_storage: (it) => {
				it.tell("s", { event: "operationError", operationId: "o", error: "bad trie" });
				return { result: { result: "started", operationId: "o", discardedItems: 0 } };
			},
			unknown: () => ({ error: { code: -32601, message: "no such method" } }),
		}),
	);
	const light = new LightClient(script);
	await assert.rejects(light.call("unknown"), /unknown: no such method/);
	await light.follow();
	await assert.rejects(light.read(KEY, 0), /bad trie/);
});

test("a client that stops should leave nobody waiting", async () => {
	const script = new Script(
		answers({
			chainHead_v1_follow: (it) => {
				it.tell("s", initialized(1));
				return { result: "s" };
			},
		}),
	);
	const light = new LightClient(script);
	await light.follow();
	const waiting = assert.rejects(light.finalBlock(2), /stopped/);
	script.end();
	await waiting;
	await assert.rejects(light.call("any"), /stopped/);
});

test("a specification should be raw, and name a boot node with a WebSocket", () => {
	const sound = { genesis: { raw: {} }, bootNodes: ["/ip4/127.0.0.1/tcp/1/ws/p2p/12D3"] };
	const text = JSON.stringify(sound);
	assert.equal(checkedSpecification(text), text);
	const secure = { ...sound, bootNodes: ["/dns/node.example/tcp/443/wss/p2p/12D3"] };
	checkedSpecification(JSON.stringify(secure));

	const refused = (change) => () => checkedSpecification(JSON.stringify({ ...sound, ...change }));
	assert.throws(refused({ genesis: { runtimeGenesis: {} } }), /--raw/);
	assert.throws(refused({ bootNodes: [] }), /no boot node/);
	assert.throws(refused({ bootNodes: undefined }), /no boot node/);
	assert.throws(refused({ bootNodes: ["/ip4/127.0.0.1/tcp/1/p2p/12D3"] }), /no boot node/);
	assert.throws(refused({ bootNodes: [7] }), /no boot node/);
	for (const text of ["", "{", "null", "7"]) assert.throws(() => checkedSpecification(text));
});
