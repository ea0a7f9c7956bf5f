// Reads a record out of a light client (smoldot), and asks a full node whether it says the same.
//
//     node read-record.mjs SPECIFICATION RPC_URL RECORD_ID
//
// SPECIFICATION is a file: the chain's raw specification, with boot nodes that listen for
// WebSockets. RPC_URL is a full node's; nothing that the light client knows comes from there. The
// client starts from genesis, checks who may make blocks and whose votes make them final, and takes
// the record from a peer with a proof against a final block's state root. It uses WebSockets only,
// as a browser would.

import { readFile } from "node:fs/promises";
import { start } from "smoldot";
import { hash } from "../verify-proof/header.mjs";
import { decodeEntry, recordId } from "../verify-proof/record.mjs";
import { fromHex, toHex } from "../verify-proof/scale.mjs";
import { recordKey } from "../verify-proof/storage-key.mjs";
import { LightClient } from "./light.mjs";
import { checkedSpecification } from "./specification.mjs";

const SYNC_MS = 120_000;
/** How far a full node may be behind the light client. */
const CATCH_UP_MS = 20_000;
const GLANCE_MS = 500;
const CALL_MS = 10_000;
/** smoldot's levels: 1 is an error, 2 a warning, 3 information. */
const MAX_LEVEL = 3;
const LAST_WORDS = 12;

const step = (text) => console.log(`==> ${text}`);

/** Calls a method of the full node over HTTP; a WebSocket URL means the same server. */
async function ask(url, method, ...params) {
	let reply;
	try {
		reply = await fetch(url.replace(/^ws/, "http"), {
			method: "POST",
			headers: { "content-type": "application/json" },
			body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
			signal: AbortSignal.timeout(CALL_MS),
		});
	} catch (error) {
		throw new Error(`no node answers at ${url}: ${error.cause?.message ?? error.message}`);
	}
	const { result, error } = await reply.json();
	if (error) throw new Error(`${method}: ${error.message}`);
	return result;
}

/** Hash and number of the full node's last final block. */
async function finalAt(url) {
	const block = await ask(url, "chain_getFinalizedHead");
	const { number } = await ask(url, "chain_getHeader", block);
	return { hash: block, number: Number.parseInt(number, 16) };
}

/** What `promise` resolves to, or an error after `ms`. */
async function within(ms, promise, complaint) {
	let timer;
	const late = new Promise((_, reject) => {
		timer = setTimeout(() => reject(new Error(complaint())), ms);
	});
	return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** Waits until a block of this number is final for the full node, too. */
async function nodeReaches(url, number) {
	const deadline = Date.now() + CATCH_UP_MS;
	for (;;) {
		const final = await finalAt(url);
		if (final.number >= number) return;
		if (Date.now() > deadline) {
			throw new Error(`final is ${number} to the light client, ${final.number} to the node`);
		}
		await new Promise((resolve) => setTimeout(resolve, GLANCE_MS));
	}
}

/** The state's entry and the node's answer about one record have to say the same. */
function compare({ body, ...entry }, answer) {
	const facts = [
		["modelId", body.model_id],
		["queryHash", body.query_hash],
		["outputHash", body.output_hash],
		["outputTokensHash", body.output_tokens_hash],
		["finishReason", body.finish_reason],
		["promptTokens", body.prompt_tokens],
		["outputTokens", body.output_tokens],
		["energyMj", String(body.energy_mj)],
		["timestamp", Number(body.timestamp)],
		["ticketHash", body.ticket_hash],
		["price", String(entry.price)],
		["settledAt", entry.settled_at],
		["epoch", String(entry.epoch)],
		["era", entry.era],
		["auditable", entry.auditable],
	];
	for (const [name, value] of facts) {
		if (answer[name] !== value) {
			throw new Error(`${name} is ${value} in the state, and ${answer[name]} to the node`);
		}
	}
	if (answer.stages.length !== body.stages.length) {
		const [here, there] = [body.stages.length, answer.stages.length];
		throw new Error(`${here} stages in the state, and ${there} to the node`);
	}
}

/** The record, by way of the light client, with the block that it was read at. */
async function readRecord(light, url, id) {
	const genesis = await light.call("chainSpec_v1_genesisHash");
	const theirs = await ask(url, "chain_getBlockHash", 0);
	if (genesis !== theirs) {
		throw new Error(
			"the specification is of another chain than the node's: " +
				`genesis ${genesis}, not ${theirs}`,
		);
	}
	const key = toHex(recordKey(hash(id)));
	const final = await finalAt(url);
	if ((await ask(url, "state_getStorage", key, final.hash)) === null) {
		throw new Error(`no record ${id} in final block ${final.number}: wait until it is final`);
	}
	step(`the node has the record in final block ${final.number}; the light client begins at 0`);

	await light.follow();
	const { block, value } = await light.read(key, final.number);
	if (value === null) {
		throw new Error(`the light client proves that block ${block.number} holds no record ${id}`);
	}
	step(`the light client has it in final block ${block.number}, ${block.hash}`);

	await nodeReaches(url, block.number);
	const same = await ask(url, "chain_getBlockHash", block.number);
	if (same !== block.hash) {
		throw new Error(
			`block ${block.number} is ${block.hash} to the light client, and ${same} to the node`,
		);
	}
	if ((await ask(url, "state_getStorage", key, block.hash)) !== value) {
		throw new Error(`the node and the light client read other bytes at block ${block.number}`);
	}
	const { bodyBytes, ...entry } = decodeEntry(fromHex(value));
	const computed = toHex(recordId(hash(genesis), bodyBytes));
	if (computed !== id) {
		throw new Error(`what the workers signed has the id ${computed}, not ${id}`);
	}
	compare(entry, await ask(url, "provenance_getRecord", id, block.hash));
	return { entry, block };
}

async function main([file, url, given]) {
	if (given === undefined) {
		console.error("usage: node read-record.mjs SPECIFICATION RPC_URL RECORD_ID");
		return 2;
	}
	const words = [];
	let client;
	try {
		const id = toHex(hash(given));
		const chainSpec = checkedSpecification(await readFile(file, "utf8"));
		client = start({
			forbidTcp: true,
			maxLogLevel: MAX_LEVEL,
			logCallback: (level, target, message) => {
				words.push(`${target}: ${message}`);
				if (words.length > LAST_WORDS) words.shift();
			},
		});
		const light = new LightClient(await client.addChain({ chainSpec }));
		const { entry, block } = await within(SYNC_MS, readRecord(light, url, id), () => {
			const at = light.final === undefined ? "none" : `final block ${light.final.number}`;
			return `the light client has no record after ${SYNC_MS / 1000} s; it knows ${at}`;
		});
		const { first, end } = entry.body.stages[0].layers;
		console.log(`model     ${entry.body.model_id}`);
		console.log(`output    ${entry.body.output_hash} (${entry.body.output_tokens} tokens)`);
		console.log(`stage 0   ${entry.body.stages[0].node}, layers ${first}..${end}`);
		console.log(`settled   in block ${entry.settled_at}, for ${entry.price} planck`);
		console.log(`read at   final block ${block.number}, as the full node has it`);
	} catch (error) {
		console.error(`read-record: ${error.message}`);
		for (const line of words) console.error(`    smoldot: ${line}`);
		return 1;
	} finally {
		await client?.terminate().catch(() => {});
	}
	return 0;
}

// Connections that are being closed would keep the process alive.
process.exit(await main(process.argv.slice(2)));
