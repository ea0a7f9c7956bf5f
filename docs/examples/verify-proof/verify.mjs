// Checks that a record is in the state of a block, and that its id is the hash of what the workers
// signed. Nothing is believed but the hash of the block: neither the node that answers, nor any
// library of Substrate.
//
//     node verify.mjs RPC_URL RECORD_ID [BLOCK_HASH]
//
// BLOCK_HASH is a block that you trust, of which the node must keep the state; without it the node
// chooses a final one, and you compare the hash that is printed with one from a source of yours. A
// record that has left the state is proven by that block's header alone: the node has to be an archive.

import { pathToFileURL } from "node:url";
import { hash, headerHash } from "./header.mjs";
import { checkPast } from "./past.mjs";
import { decodeEntry, recordId } from "./record.mjs";
import { equal, fromHex, toHex } from "./scale.mjs";
import { recordKey } from "./storage-key.mjs";
import { valueOf } from "./trie.mjs";

/** Calls a method over HTTP; a WebSocket URL means the same server. */
async function call(url, method, ...params) {
	const reply = await fetch(url.replace(/^ws/, "http"), {
		method: "POST",
		headers: { "content-type": "application/json" },
		body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
		signal: AbortSignal.timeout(30_000),
	});
	const { result, error } = await reply.json();
	if (error) throw new Error(`${method}: ${error.message}`);
	return result;
}

/**
 * Everything that the check needs, as the node gives it.
 *
 * @param block the hash of the block whose state is asked; a final one by default.
 */
export async function fetchEvidence(url, id, block = null) {
	const proof = await call(url, "provenance_getProof", id, ...(block === null ? [] : [block]));
	const header = (hash) => call(url, "chain_getHeader", hash);
	return {
		id,
		genesis: await call(url, "chain_getBlockHash", 0),
		header: await header(proof.blockHash),
		later: proof.past ? await header(proof.past.blockHash) : null,
		proof,
	};
}

/**
 * The record, if the evidence proves it; throws a sentence that says what is wrong otherwise.
 *
 * @param evidence what {@link fetchEvidence} returned.
 * @param trusted the hash of a block that you trust; the evidence must be of that block, or lead from it.
 */
export function checkEvidence({ id, genesis, header, later = null, proof }, trusted = null) {
	const block = headerHash(header);
	if (!equal(block, hash(proof.blockHash))) {
		throw new Error(`the header hashes to ${toHex(block)}, not to ${proof.blockHash}`);
	}
	const number = Number.parseInt(header.number, 16);
	if (number !== proof.blockNumber) {
		throw new Error(`the block has the number ${number}, not ${proof.blockNumber}`);
	}
	const past = proof.past ?? null;
	if ((past === null) !== (later === null)) throw new Error("a header is missing, or too many");
	const believed = past === null ? block : checkPast(past, later, block, number, hash(id));
	if (trusted !== null && !equal(believed, hash(trusted))) {
		throw new Error(`the proof is of block ${toHex(believed)}, not of ${trusted}`);
	}

	const key = recordKey(hash(id));
	if (!equal(key, fromHex(proof.storageKey))) {
		throw new Error(`the proof is of the key ${proof.storageKey}, not of ${toHex(key)}`);
	}
	const value = valueOf(hash(header.stateRoot), proof.proof.map(fromHex), key);
	if (!equal(value, fromHex(proof.value))) {
		throw new Error("the node claims another value than it proves");
	}

	const { bodyBytes, ...entry } = decodeEntry(value);
	const computed = recordId(hash(genesis), bodyBytes);
	if (!equal(computed, hash(id))) {
		throw new Error(`what the workers signed has the id ${toHex(computed)}, not ${id}`);
	}
	const under = past === null ? null : { block: toHex(believed), number: past.blockNumber };
	return { entry, block: toHex(block), number, under };
}

function show({ entry, block, number, under }) {
	const { body } = entry;
	if (under !== null) console.log(`believed  ${under.block} (number ${under.number})`);
	console.log(`block     ${block} (number ${number})`);
	console.log(`settled   in block ${entry.settled_at}, for ${entry.price} planck`);
	console.log(`model     ${body.model_id}`);
	console.log(`query     ${body.query_hash}`);
	console.log(`output    ${body.output_hash} (${body.output_tokens} tokens)`);
	console.log(`answered  ${new Date(Number(body.timestamp)).toISOString()}`);
	body.stages.forEach((stage, index) => {
		const signed = (entry.signed_stages >>> index) & 1 ? "signed" : "did not sign";
		const { first, end } = stage.layers;
		console.log(`stage ${index}   ${stage.node} ${signed}: layers ${first}..${end},`);
		console.log(`          ${stage.energy_mj} mJ by ${stage.energy_source},`);
		console.log(`          under version ${stage.consent_version} of its consent`);
	});
}

async function main([url, id, trusted]) {
	if (id === undefined) {
		console.error("usage: node verify.mjs RPC_URL RECORD_ID [BLOCK_HASH]");
		return 2;
	}
	try {
		const checked = checkEvidence(await fetchEvidence(url, id, trusted), trusted ?? null);
		show(checked);
		const where = checked.under === null ? "that block" : "that block, to which the believed one leads";
		console.log(`PROVEN: record ${id} is in the state of ${where}`);
		return 0;
	} catch (error) {
		console.error(`NOT PROVEN: ${error.message}`);
		return 1;
	}
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
	process.exitCode = await main(process.argv.slice(2));
}
