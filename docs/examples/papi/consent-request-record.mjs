// Consent, request and record with polkadot-api (papi) as npm has it, without generated types.
//
//     node consent-request-record.mjs [ws://127.0.0.1:9944]
//
// A worker sets its consent, a requester asks on chain by the hash of a query, a gateway matches
// the request, the worker signs the record, the gateway its settlement, and the worker sends it;
// then the record is read over the node's own RPC. For a chain whose sudo key is Alice's, such as
// `aria-node --dev`. All other accounts are new in each run.

import { sr25519CreateDerive } from "@polkadot-labs/hdkd";
import { DEV_MINI_SECRET, ss58Address } from "@polkadot-labs/hdkd-helpers";
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { Enum } from "polkadot-api";
import { getPolkadotSigner } from "polkadot-api/signer";
import { createWsClient } from "polkadot-api/ws";
import { WebSocket } from "ws";
import {
	encodeManifest,
	peerKey,
	queryHash,
	recordId,
	settlementDigest,
} from "../aria/protocol.mjs";
import { fromHex, toHex } from "../aria/scale.mjs";
import {
	ALL_LAYERS,
	GREEDY,
	MANIFEST,
	MAX_PRICE,
	MAX_TOKENS,
	MINIMUM_PRICE,
	MODEL,
	OFFER,
	query,
	recordBody,
} from "../aria/scenario.mjs";

const ARIA = 1_000_000_000_000n;
const CONNECT_MS = 30_000;
const FINAL_MS = 120_000;

const step = (text) => console.log(`==> ${text}`);
const derive = sr25519CreateDerive(DEV_MINI_SECRET);

/** A development account. */
function account(path) {
	const { publicKey, sign } = derive(path);
	const signer = getPolkadotSigner(publicKey, "Sr25519", sign);
	return { address: ss58Address(publicKey, 42), publicKey: toHex(publicKey), sign, signer };
}

/** An error's name, out of the nested variants of a DispatchError. */
function explain(error) {
	const names = [];
	for (let part = error; part?.type !== undefined; part = part.value) names.push(part.type);
	return names.join(".");
}

/** What `promise` resolves to, or an error after `ms`. */
async function within(ms, promise, complaint) {
	let timer;
	const late = new Promise((_, reject) => {
		timer = setTimeout(() => reject(new Error(complaint)), ms);
	});
	return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** Signs and sends; resolves to the events once the block is final. */
async function send({ signer }, tx) {
	const name = `${tx.decodedCall.type}.${tx.decodedCall.value.type}`;
	try {
		const sent = tx.signAndSubmit(signer);
		const { ok, events, dispatchError } = await within(FINAL_MS, sent, "not final in time");
		if (!ok) throw new Error(explain(dispatchError));
		// What sudo calls may fail without the call of sudo failing.
		const sudo = events.find(({ type, value }) => type === "Sudo" && value.type === "Sudid");
		const result = sudo?.value.value.sudo_result;
		if (result?.success === false) throw new Error(explain(result.value));
		return events;
	} catch (error) {
		throw new Error(`${name}: ${error.message}`);
	}
}

/** The fields of the one event of this kind. */
function only(events, pallet, name) {
	const found = events.filter(({ type, value }) => type === pallet && value.type === name);
	assert.equal(found.length, 1, `${found.length} events ${pallet}.${name} instead of one`);
	return found[0].value.value;
}

/** Several calls as one that succeeds or fails as a whole. */
const all = (api, ...calls) =>
	api.tx.Utility.batch_all({ calls: calls.map(({ decodedCall }) => decodedCall) });

/** Funds new accounts, and registers and pins the model if it is not there. */
async function prepare(api, alice, accounts) {
	const stake = await api.constants.InferenceMarket.GatewayStake();
	const value = stake + 10n * ARIA;
	const calls = accounts.map(({ address }) =>
		api.tx.Balances.transfer_keep_alive({ dest: Enum("Id", address), value }),
	);
	const known = await api.query.ModelRegistry.Models.getValue(MODEL);
	if (known === undefined) {
		calls.push(api.tx.ModelRegistry.register_model({ manifest: encodeManifest(MANIFEST) }));
	}
	if (known?.pinned_at === undefined) {
		const pin = api.tx.ModelRegistry.pin({ model: MODEL });
		calls.push(api.tx.Sudo.sudo({ call: pin.decodedCall }));
	}
	await send(alice, all(api, ...calls));
}

/** Makes the account a gateway that sells the model's tokens. */
function becomeGateway(api, gateway) {
	const { InferenceMarket, ModelRegistry } = api.tx;
	const offer = ModelRegistry.set_offer({ model: MODEL, offer: OFFER });
	return send(gateway, all(api, InferenceMarket.register_gateway(), offer));
}

/** Makes the account a worker that serves the whole model. */
async function becomeWorker(api, genesis, worker) {
	const peer = peerKey(randomBytes(32));
	const register = api.tx.WorkerRegistry.register_worker({
		peer: peer.publicKey,
		peer_signature: peer.bind(genesis, worker.publicKey),
		region: 0,
		stake: await api.constants.WorkerRegistry.MinimumStake(),
	});
	const shards = [{ model: MODEL, layers: ALL_LAYERS }];
	await send(worker, all(api, register, api.tx.WorkerRegistry.set_served({ shards })));
}

/** Sets what the worker allows; resolves to the version. */
async function setConsent(api, worker) {
	const consent = {
		cpu_percent: 25,
		schedule: { days: 0b111_1111, utc_offset_minutes: 0, windows: [{ from: 0, to: 1440 }] },
		task_types: [Enum("TextGeneration")],
		max_bandwidth_mbps: 20,
		max_memory_mb: 4096,
		reward_preference: {
			payout: worker.address,
			minimum_price: MINIMUM_PRICE,
			mode: Enum("Keep"),
		},
	};
	const events = await send(worker, api.tx.ConsentRegistry.set_consent({ consent }));
	return only(events, "ConsentRegistry", "ConsentSet").version;
}

/** Asks on chain by the hash of a query; the market takes the money from the free balance. */
async function ask(api, client, requester, salt) {
	const { number } = await client.getFinalizedBlock();
	const wait = await api.constants.InferenceMarket.RequestDeadlineMin();
	const call = api.tx.InferenceMarket.request({
		model_id: MODEL,
		prompt: Enum("Hash", queryHash(query(salt))),
		sampling: { ...GREEDY, seed: BigInt(GREEDY.seed) },
		max_tokens: MAX_TOKENS,
		max_price: MAX_PRICE,
		deadline: number + 2 * wait,
		audit_mode: Enum("Any"),
	});
	return only(await send(requester, call), "InferenceMarket", "Requested").id;
}

/** An account's signature of the 32 bytes of a hash. */
const signature = ({ sign }, hash) => Enum("Sr25519", toHex(sign(fromHex(hash))));

/** The body as papi takes it: wide integers are bigint, variants `Enum`, accounts addresses. */
const forPapi = (body) => ({
	...body,
	finish_reason: Enum("Stop"),
	stages: body.stages.map((stage) => ({
		...stage,
		node: ss58Address(stage.node, 42),
		energy_mj: BigInt(stage.energy_mj),
		energy_source: Enum("Estimate"),
	})),
	energy_mj: BigInt(body.energy_mj),
	timestamp: BigInt(body.timestamp),
});

/**
 * Signs the record as the worker and its settlement as the gateway that matched the request; the
 * worker sends it. Resolves to the record's id and body.
 */
async function settle(api, client, genesis, worker, gateway, facts) {
	const { consentVersion, request, salt } = facts;
	const { number, hash } = await client.getFinalizedBlock();
	const body = recordBody({
		salt,
		worker: worker.publicKey,
		consentVersion,
		anchor: { number, hash },
		request,
		timestamp: Date.now(),
	});
	const id = recordId(genesis, body);
	const settlement = {
		id,
		body: forPapi(body),
		payment: Enum("Request", request),
		signatures: [signature(worker, id)],
		// The only stage signed.
		gateway_signature: signature(gateway, settlementDigest(id, 0b1)),
	};
	const events = await send(worker, api.tx.InferenceMarket.settle({ settlement }));
	const settled = only(events, "InferenceMarket", "Settled");
	assert.equal(settled.id, id);
	assert.ok(settled.price >= (await api.constants.InferenceMarket.FreeFrom()));
	const { actual_fee: fee } = only(events, "TransactionPayment", "TransactionFeePaid");
	assert.equal(fee, 0n, "a settlement of this price costs its sender nothing");
	return { id, body };
}

async function run(client, url) {
	const api = client.getUnsafeApi();
	const specification = within(CONNECT_MS, client.getChainSpecData(), `nobody answers at ${url}`);
	const { name, genesisHash: genesis } = await specification;
	step(`connected to ${name} at ${url}`);

	const tag = randomBytes(8).toString("hex");
	const alice = account("//Alice");
	const [worker, gateway, requester] = ["worker", "gateway", "requester"].map((role) =>
		account(`//Alice//papi//${role}//${tag}`),
	);
	await prepare(api, alice, [worker, gateway, requester]);
	step(`model ${MODEL} is pinned, accounts are funded`);
	await Promise.all([becomeGateway(api, gateway), becomeWorker(api, genesis, worker)]);
	step(`${gateway.address} is a gateway, ${worker.address} serves the model`);

	const consentVersion = await setConsent(api, worker);
	step(`the worker's consent is version ${consentVersion}`);
	const salt = randomBytes(32);
	const request = await ask(api, client, requester, salt);
	step(`request ${request}`);
	const stages = [[worker.address, ALL_LAYERS]];
	const match = api.tx.InferenceMarket.match_request({ id: request, stages });
	only(await send(gateway, match), "InferenceMarket", "RequestMatched");
	step("matched by the gateway");

	const facts = { consentVersion, request, salt };
	const { id, body } = await settle(api, client, genesis, worker, gateway, facts);
	step("signed by the worker and by the gateway, settled for nothing");

	const stored = await api.query.ProvenanceLedger.Records.getValue(id);
	assert.equal(stored.body.output_hash, body.output_hash);
	const record = await client._request("provenance_getRecord", [id]);
	assert.equal(record.id, id);
	assert.equal(record.queryHash, queryHash(query(salt)));
	assert.equal(record.ticketHash, request);
	assert.equal(record.requester, requester.address);
	assert.equal(record.gateway, gateway.address);
	assert.equal(record.stages.length, 1);
	assert.equal(record.stages[0].node, worker.address);
	assert.equal(record.stages[0].consentVersion, consentVersion);
	assert.equal(record.stages[0].signed, true);
	console.log(JSON.stringify(record, null, 2));
	console.log(`record ${id}`);
}

const url = process.argv[2] ?? "ws://127.0.0.1:9944";
const client = createWsClient(url, { websocketClass: WebSocket });
try {
	await run(client, url);
} catch (error) {
	console.error(`consent-request-record: ${error.message}`);
	process.exitCode = 1;
}
client.destroy();
process.exit();
