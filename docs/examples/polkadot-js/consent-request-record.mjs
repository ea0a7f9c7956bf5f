// Consent, request and record with @polkadot/api as npm has it.
//
//     node consent-request-record.mjs [ws://127.0.0.1:9944]
//
// A worker sets its consent, a requester asks on chain, a gateway matches the request, the worker
// signs the record, the gateway its settlement, and the worker sends it; then the record is read
// over the node's own RPC. For a chain whose sudo key is Alice's, such as `aria-node --dev`. All
// other accounts are new in each run.

import { ApiPromise, Keyring, WsProvider } from "@polkadot/api";
import { hexToU8a, u8aToHex } from "@polkadot/util";
import { cryptoWaitReady, randomAsU8a } from "@polkadot/util-crypto";
import assert from "node:assert/strict";
import {
	encodeManifest,
	encodeRecordBody,
	peerKey,
	recordId,
	settlementDigest,
} from "../aria/protocol.mjs";
import {
	ALL_LAYERS,
	GREEDY,
	MANIFEST,
	MAX_PRICE,
	MAX_TOKENS,
	MINIMUM_PRICE,
	MODEL,
	OFFER,
	PROMPT,
	recordBody,
} from "../aria/scenario.mjs";

const ARIA = 1_000_000_000_000n;
const TIMEOUT_MS = 120_000;

/** The methods that an ARIA node adds, as far as this script calls them. */
const RPC = {
	provenance: {
		getRecord: {
			description: "A settled record",
			params: [{ name: "id", type: "H256" }],
			type: "Json",
		},
		findByOutput: {
			description: "Records with this output, a page of them",
			params: [{ name: "outputHash", type: "H256" }],
			type: "Json",
		},
	},
};

const step = (text) => console.log(`==> ${text}`);

/** The error behind a failed call, by its name. */
function explain(api, error) {
	if (!error.isModule) return error.toString();
	const { section, name, docs } = api.registry.findMetaError(error.asModule);
	return `${section}.${name}: ${docs.join(" ")}`;
}

/** Signs and sends; resolves to the events once the block is final. */
function send(api, signer, call) {
	return new Promise((resolve, reject) => {
		const { section, method } = call.method;
		const fail = (reason) => reject(new Error(`${section}.${method}: ${reason}`));
		const timer = setTimeout(() => fail("not final in time"), TIMEOUT_MS);
		call.signAndSend(signer, { nonce: -1 }, ({ status, events, dispatchError, isError }) => {
			if (!isError && !status.isFinalized) return;
			clearTimeout(timer);
			if (isError) return void fail(`the node dropped it (${status.type})`);
			if (dispatchError) return void fail(explain(api, dispatchError));
			// What sudo calls may fail without the call of sudo failing.
			const sudo = events.find(({ event }) => api.events.sudo.Sudid.is(event));
			const result = sudo?.event.data.sudoResult;
			if (result?.isErr) return void fail(explain(api, result.asErr));
			resolve(events.map(({ event }) => event));
		}).catch((error) => {
			clearTimeout(timer);
			fail(error.message);
		});
	});
}

/** The data of the one event of this kind. */
function only(events, kind) {
	const found = events.filter((event) => kind.is(event));
	assert.equal(found.length, 1, `${found.length} events ${kind.meta.name} instead of one`);
	return found[0].data;
}

/** Funds new accounts, and registers and pins the model if it is not there. */
async function prepare(api, alice, accounts) {
	const { modelRegistry, balances, sudo, utility } = api.tx;
	const funds = api.consts.inferenceMarket.gatewayStake.toBigInt() + 10n * ARIA;
	const calls = accounts.map(({ address }) => balances.transferKeepAlive(address, funds));
	const known = await api.query.modelRegistry.models(MODEL);
	if (known.isNone) {
		calls.push(modelRegistry.registerModel(u8aToHex(encodeManifest(MANIFEST))));
	}
	if (known.isNone || known.unwrap().pinnedAt.isNone) {
		calls.push(sudo.sudo(modelRegistry.pin(MODEL)));
	}
	await send(api, alice, utility.batchAll(calls));
}

/** Makes the account a gateway that sells the model's tokens. */
function becomeGateway(api, gateway) {
	const { inferenceMarket, modelRegistry, utility } = api.tx;
	const offer = {
		promptPrice: OFFER.prompt_price,
		cachedPrice: OFFER.cached_price,
		outputPrice: OFFER.output_price,
	};
	const calls = [inferenceMarket.registerGateway(), modelRegistry.setOffer(MODEL, offer)];
	return send(api, gateway, utility.batchAll(calls));
}

/** Makes the account a worker that serves the whole model. */
function becomeWorker(api, worker) {
	const { workerRegistry, utility } = api.tx;
	const peer = peerKey(randomAsU8a(32));
	const signature = peer.bind(api.genesisHash.toHex(), u8aToHex(worker.publicKey));
	const stake = api.consts.workerRegistry.minimumStake;
	const calls = [
		workerRegistry.registerWorker(peer.publicKey, signature, 0, stake),
		workerRegistry.setServed([{ model: MODEL, layers: ALL_LAYERS }]),
	];
	return send(api, worker, utility.batchAll(calls));
}

/** Sets what the worker allows; resolves to the version. */
async function setConsent(api, worker) {
	const consent = {
		cpuPercent: 25,
		schedule: { days: 0b111_1111, utcOffsetMinutes: 0, windows: [{ from: 0, to: 1440 }] },
		taskTypes: ["TextGeneration"],
		maxBandwidthMbps: 20,
		maxMemoryMb: 4096,
		rewardPreference: { payout: worker.address, minimumPrice: MINIMUM_PRICE, mode: "Keep" },
	};
	const events = await send(api, worker, api.tx.consentRegistry.setConsent(consent));
	const { version } = only(events, api.events.consentRegistry.ConsentSet);
	const kept = (await api.query.consentRegistry.versions(worker.address, version)).unwrap();
	assert.equal(kept.consent.cpuPercent.toNumber(), consent.cpuPercent);
	return version.toNumber();
}

/** Asks on chain, out of an escrow; resolves to the request's id. */
async function ask(api, requester) {
	const { inferenceMarket } = api.tx;
	await send(api, requester, inferenceMarket.deposit(MAX_PRICE));
	const now = (await api.rpc.chain.getHeader()).number.toNumber();
	const deadline = now + 2 * api.consts.inferenceMarket.requestDeadlineMin.toNumber();
	const sampling = {
		temperatureMilli: GREEDY.temperature_milli,
		topK: GREEDY.top_k,
		topPPpm: GREEDY.top_p_ppm,
		seed: GREEDY.seed,
	};
	const call = inferenceMarket.request(
		MODEL,
		{ Text: PROMPT },
		sampling,
		MAX_TOKENS,
		MAX_PRICE,
		deadline,
		"Any",
	);
	return only(await send(api, requester, call), api.events.inferenceMarket.Requested).id.toHex();
}

/** An account's signature of the 32 bytes of a hash. */
const signature = (pair, hash) => ({ Sr25519: pair.sign(hexToU8a(hash)) });

/**
 * Signs the record as the worker and its settlement as the gateway that matched the request; the
 * worker sends it. Resolves to the record's id and body.
 */
async function settle(api, worker, gateway, { consentVersion, request }) {
	const anchorHash = await api.rpc.chain.getFinalizedHead();
	const { number } = await api.rpc.chain.getHeader(anchorHash);
	const body = recordBody({
		salt: randomAsU8a(32),
		worker: u8aToHex(worker.publicKey),
		consentVersion,
		anchor: { number: number.toNumber(), hash: anchorHash.toHex() },
		request,
		timestamp: Date.now(),
	});
	const id = recordId(api.genesisHash.toHex(), body);
	const settlement = api.createType(api.tx.inferenceMarket.settle.meta.args[0].type.toString(), {
		id,
		body: camelCase(body),
		payment: { Request: request },
		signatures: [signature(worker, id)],
		// The only stage signed.
		gatewaySignature: signature(gateway, settlementDigest(id, 0b1)),
	});
	// The chain's metadata and this repository's description of a record must say the same.
	assert.equal(settlement.body.toHex(), u8aToHex(encodeRecordBody(body)));

	const events = await send(api, worker, api.tx.inferenceMarket.settle(settlement));
	const settled = only(events, api.events.inferenceMarket.Settled);
	assert.equal(settled.id.toHex(), id);
	assert.ok(settled.price.toBigInt() >= api.consts.inferenceMarket.freeFrom.toBigInt());
	const { actualFee } = only(events, api.events.transactionPayment.TransactionFeePaid);
	assert.equal(actualFee.toBigInt(), 0n, "a settlement of this price costs its sender nothing");
	return { id, body };
}

/** The same value with the names of fields as @polkadot/api has them. */
function camelCase(value) {
	if (Array.isArray(value)) return value.map(camelCase);
	if (value === null || typeof value !== "object") return value;
	const renamed = (name) => name.replace(/_(.)/g, (_, letter) => letter.toUpperCase());
	return Object.fromEntries(
		Object.entries(value).map(([name, inner]) => [renamed(name), camelCase(inner)]),
	);
}

async function main(url) {
	await cryptoWaitReady();
	const provider = new WsProvider(url, 2_500, {}, 30_000);
	const options = { provider, rpc: RPC, noInitWarn: true, throwOnConnect: true };
	const api = await ApiPromise.create(options);
	const keyring = new Keyring({ type: "sr25519", ss58Format: 42 });
	const alice = keyring.addFromUri("//Alice");
	const run = u8aToHex(randomAsU8a(8)).slice(2);
	const [worker, gateway, requester] = ["worker", "gateway", "requester"].map((role) =>
		keyring.addFromUri(`//Alice//polkadot-js//${role}//${run}`),
	);
	step(`connected to ${(await api.rpc.system.chain()).toString()} at ${url}`);

	await prepare(api, alice, [worker, gateway, requester]);
	step(`model ${MODEL} is pinned, accounts are funded`);
	await Promise.all([becomeGateway(api, gateway), becomeWorker(api, worker)]);
	step(`${gateway.address} is a gateway, ${worker.address} serves the model`);

	const consentVersion = await setConsent(api, worker);
	step(`the worker's consent is version ${consentVersion}`);
	const request = await ask(api, requester);
	step(`request ${request}`);
	const stages = [[worker.address, ALL_LAYERS]];
	const match = await send(api, gateway, api.tx.inferenceMarket.matchRequest(request, stages));
	only(match, api.events.inferenceMarket.RequestMatched);
	step("matched by the gateway");

	const { id, body } = await settle(api, worker, gateway, { consentVersion, request });
	step("signed by the worker and by the gateway, settled for nothing");

	const stored = (await api.query.provenanceLedger.records(id)).unwrap();
	assert.equal(stored.body.toHex(), u8aToHex(encodeRecordBody(body)));
	assert.equal(stored.requester.toString(), requester.address);
	const record = (await api.rpc.provenance.getRecord(id)).toJSON();
	assert.equal(record.id, id);
	assert.equal(record.modelId, MODEL);
	assert.equal(record.outputHash, body.output_hash);
	assert.equal(record.ticketHash, request);
	assert.equal(record.requester, requester.address);
	assert.equal(record.gateway, gateway.address);
	assert.equal(record.stages.length, 1);
	assert.equal(record.stages[0].node, worker.address);
	assert.equal(record.stages[0].consentVersion, consentVersion);
	assert.equal(record.stages[0].signed, true);
	const found = (await api.rpc.provenance.findByOutput(body.output_hash)).toJSON();
	assert.ok(found.records.some((other) => other.id === id), "not found by its output");
	console.log(JSON.stringify(record, null, 2));
	console.log(`record ${id}`);
	await api.disconnect();
}

await main(process.argv[2] ?? "ws://127.0.0.1:9944").catch((error) => {
	console.error(`consent-request-record: ${error.message}`);
	process.exitCode = 1;
});
process.exit();
