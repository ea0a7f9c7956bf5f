// `npm test`. The whole way from a node's states to a verdict, over a chain in memory: two eras, three
// workers, offers that change within a block, a request, a stage that did not sign.

import assert from "node:assert/strict";
import { before, test } from "node:test";
import { readEra } from "./chain.mjs";
import { OF_WORKER, compare } from "./compare.mjs";
import { recompute } from "./era.mjs";
import { Inconsistent, Unanswerable } from "./errors.mjs";
import { Node } from "./node.mjs";
import { json, tables, verdict } from "./report.mjs";
import { FakeNode, hash } from "./testing.mjs";

const ARIA = 1_000_000_000_000n;
const MODEL = hash(0xaa);
const [BOB, CHARLIE, DORA, GATEWAY, AUTHOR] = [1, 2, 3, 4, 5].map(hash);
const REQUEST = hash(0xee);
const DEAR = { promptPrice: 50_000_000n, cachedPrice: 5_000_000n, outputPrice: 300_000_000n };
const CHEAP = { promptPrice: 1n, cachedPrice: 1n, outputPrice: 1n };
const TERMS = {
	authorSharePpm: 200_000,
	betaPpm: 900_000,
	rateCap: 100n * ARIA,
	dilution: 16,
	latencyTargetMs: 200,
};
/** Era 0 is blocks 1 to 3, era 1 blocks 4 to 7; era 1 is settled by blocks 11 and 12. */
const ERAS = [[1, 4], [4, 8], [8, 11], [11, null]];
const [ERA, FIRST_PAYING, LAST_PAYING, HEAD] = [1, 11, 12, 14];

const stage = (node, first, end, energyMj, energySource) => ({
	node,
	layers: { first, end },
	energyMj,
	energySource,
	consentVersion: 1,
});

function entry({ block, era, stages, paidBy = hash(0xdd), offer, price, ...rest }) {
	const { cached = 0, output = 160, latency = 840, signed = 0b111, auditable = true } = rest;
	const tokens =
		BigInt(40 - cached) * offer.promptPrice +
		BigInt(cached) * offer.cachedPrice +
		BigInt(output) * offer.outputPrice;
	return {
		body: {
			version: 1,
			modelId: MODEL,
			promptTokens: 40,
			cachedTokens: cached,
			outputTokens: output,
			stages,
			latencyMs: latency,
			ticketHash: paidBy,
		},
		signedStages: signed,
		requester: hash(9),
		gateway: GATEWAY,
		price: price ?? tokens + BigInt(265 + 81 * stages.length) * 100_000n,
		settledAt: block,
		epoch: 1,
		era,
		auditable,
	};
}

const halves = (bob, charlie) => [
	stage(BOB, 0, 1, bob, "Rapl"),
	stage(CHARLIE, 1, 2, charlie, "Estimate"),
];
/** By id: records in the order in which they are settled. */
const RECORDS = [
	[0x11, { block: 2, era: 0, offer: DEAR, stages: halves(41_500, 38_200) }],
	[0x21, { block: 5, era: 1, offer: DEAR, stages: halves(30_000, 80_000), cached: 8 }],
	[0x22, { block: 5, era: 1, offer: CHEAP, stages: [stage(DORA, 0, 2, 70_000, "Meter")] }],
	// Matched when the gateway was dear, and capped: the bytes, and then what is left for tokens.
	[
		0x31,
		{
			block: 6,
			era: 1,
			offer: DEAR,
			stages: [stage(DORA, 0, 2, 90_000, "Powermetrics")],
			paidBy: REQUEST,
			price: 20_000_000_000n,
			latency: 90_000,
		},
	],
	[0x32, { block: 6, era: 1, offer: CHEAP, stages: halves(1, 1), auditable: false }],
	// Bob did not sign: half of the stages' 70 % stays with the requester.
	[
		0x41,
		{
			block: 7,
			era: 1,
			offer: DEAR,
			stages: halves(39_000, 41_000),
			signed: 0b10,
			price: 32_542_700_000n,
		},
	],
];

/** The chain without what it says of its own sums; `more` happens in block 6 too. */
function bare(more = []) {
	const node = new FakeNode(HEAD);
	node.put(0, ["session", "validators"], [AUTHOR]);
	ERAS.forEach(([start, end], index) => {
		node.put(start, ["rewardDistributor", "currentEra"], { index, start });
		if (end === null || index !== ERA) {
			const state = end === null ? "Open" : "Closed";
			node.put(start, ["rewardDistributor", "eras", index], { start, end, terms: TERMS, state });
		}
	});
	const info = { layers: 2, activeParameters: 100_000n, context: 2_048, taskType: "TextGeneration" };
	node.put(1, ["modelRegistry", "models", MODEL], { owner: AUTHOR, info });
	node.put(1, ["modelRegistry", "offers", MODEL, GATEWAY], { offer: DEAR });
	node.put(5, ["modelRegistry", "offers", MODEL, GATEWAY], { offer: CHEAP });
	node.put(7, ["modelRegistry", "offers", MODEL, GATEWAY], { offer: DEAR });
	const state = { Matched: { gateway: GATEWAY, stages: [], until: 50, offer: DEAR } };
	const request = { maxPrice: 20_000_000_000n, modelId: MODEL, state };
	node.put(5, ["inferenceMarket", "requests", REQUEST], request);
	node.put(6, ["inferenceMarket", "requests", REQUEST], undefined);

	let total = 0;
	for (const block of [2, 5, 6, 7]) {
		const settled = RECORDS.filter(([, record]) => record.block === block);
		total += settled.length;
		node.put(block, ["provenanceLedger", "blockRecords"], settled.map(([id]) => hash(id)));
		node.put(block + 1, ["provenanceLedger", "blockRecords"], undefined);
		node.put(block, ["provenanceLedger", "recordsTotal"], total);
		const events = settled.map(([id]) => ["InferenceMarket", "Settled", { id: hash(id) }]);
		const offer = (prices) => {
			const fields = { model: MODEL, seller: GATEWAY, offer: prices };
			return ["ModelRegistry", "OfferSet", fields];
		};
		// Between the two records of block 5, and before that of block 7.
		if (block === 5) events.splice(1, 0, offer(CHEAP));
		if (block === 7) events.unshift(offer(DEAR));
		if (block === 6) events.push(...more);
		node.putEvents(block, events);
	}
	for (const [id, record] of RECORDS) {
		node.put(record.block, ["provenanceLedger", "records", hash(id)], entry(record));
	}
	return node;
}

const address = (node, account) => node.registry.createType("AccountId32", account).toString();

/** Lets the chain say what follows from the records, paid in two blocks. */
function settle(node, anew) {
	const { workers, authors } = anew;
	const line = (found) => ({
		work: found.work,
		records: found.stages,
		energyNj: found.energyNj,
		expectedEnergyNj: found.expectedEnergyNj,
		ceilingPpm: found.ceilingPpm,
		latencyWork: found.latencyWork,
		burnt: found.burnt,
		factors: {
			uptimePpm: 1_000_000,
			latencyPpm: found.latencyPpm,
			auditPpm: 1_000_000,
			qualityPpm: found.qualityPpm,
			efficiencyPpm: found.efficiencyPpm,
			weighted: found.weighted,
		},
	});
	const info = (state, end = 8) => ({
		start: 4,
		end,
		workerPool: anew.workerPool,
		authorPool: anew.authorPool,
		terms: TERMS,
		totalWork: anew.totalWork,
		totalWeighted: anew.totalWeighted,
		authored: anew.authored,
		paidWorkers: anew.paidWorkers,
		paidAuthors: anew.paidAuthors,
		state,
	});
	const eras = ["rewardDistributor", "eras", ERA];
	node.put(4, eras, info("Open", null));
	node.put(8, eras, info("Closed"));
	node.put(FIRST_PAYING, eras, info({ PayingWorkers: { cursor: null } }));
	node.put(LAST_PAYING, eras, info("Settled"));
	node.put(LAST_PAYING, ["rewardDistributor", "nextToSettle"], ERA + 1);
	const events = { [FIRST_PAYING]: [], [LAST_PAYING]: [] };
	const pay = (block, name, who, account, amount) =>
		events[block].push(
			["Balances", "Minted", { who: account, amount }],
			["RewardDistributor", name, { era: ERA, account, amount, ...who }],
		);
	for (const [author, { blocks, reward }] of authors) {
		node.put(4, ["rewardDistributor", "authored", ERA, author], blocks);
		pay(FIRST_PAYING, "AuthorPaid", { author }, author, reward);
	}
	for (const [worker, found] of workers) {
		// Dora's is below what her account can receive; Bob's goes where his consent says.
		const deferred = worker === address(node, DORA);
		const account = worker === address(node, BOB) ? address(node, hash(8)) : worker;
		const lines = ["rewardDistributor", "lines", ERA, worker];
		node.put(5, lines, line(found));
		node.put(LAST_PAYING, lines, { ...line(found), payout: { account, amount: found.reward } });
		if (deferred) {
			const fields = { era: ERA, account, amount: found.reward };
			events[LAST_PAYING].push(["RewardDistributor", "RewardDeferred", fields]);
		} else {
			pay(LAST_PAYING, "RewardPaid", { worker }, account, found.reward);
		}
	}
	const [paid, pool] = [anew.paidWorkers + anew.paidAuthors, anew.workerPool + anew.authorPool];
	const sums = { era: ERA, workers: workers.size, paid, unminted: pool - paid };
	events[LAST_PAYING].push(["RewardDistributor", "EraSettled", sums]);
	for (const [block, list] of Object.entries(events)) node.putEvents(Number(block), list);
	const used = [
		[0, anew.averages],
		[1, anew.modelUse],
	];
	for (const [era, models] of used) {
		for (const [model, { energyNj, work }] of models) {
			node.put(5, ["rewardDistributor", "modelEnergy", era, model], { energyNj, work });
		}
	}
}

async function report(fake, era = ERA) {
	const node = await Node.over(fake);
	try {
		const read = await readEra(node, era);
		return compare(read.era, recompute(read.era, read.previous), read.chain);
	} finally {
		await node.disconnect();
	}
}

/** What the records come to, whatever the chain says. */
let anew;

/** A chain that says what follows from its records. */
function sound(more) {
	const fake = bare(more);
	settle(fake, anew);
	return fake;
}

const NOBODY = { workers: new Map(), authors: new Map(), averages: new Map(), modelUse: new Map() };
/** What the chain adds up for an era, and for a worker in it. */
const SUMS = [
	"workerPool",
	"authorPool",
	"totalWork",
	"totalWeighted",
	"authored",
	"paidWorkers",
	"paidAuthors",
];
const OF_LINES = [
	"stages",
	"work",
	"latencyWork",
	"latencyPpm",
	"qualityPpm",
	"energyNj",
	"expectedEnergyNj",
	"ceilingPpm",
	"efficiencyPpm",
	"weighted",
	"burnt",
	"reward",
];

before(async () => {
	const fake = bare();
	settle(fake, { ...NOBODY, ...Object.fromEntries(SUMS.map((field) => [field, 0n])) });
	const node = await Node.over(fake);
	const { era, previous } = await readEra(node, ERA);
	await node.disconnect();
	anew = recompute(era, previous);
});

test("each worker's factors should follow from the records", () => {
	const fake = bare();
	const of = (account) => anew.workers.get(address(fake, account));
	assert.equal(anew.records, 5n);
	assert.equal(anew.workerPool, 1_600_000_000_000n);
	assert.deepEqual([...anew.authors.values()], [{ blocks: 4n, reward: 400_000_000_000n }]);
	const [average] = anew.averages.values();
	assert.deepEqual(average, { energyNj: 79_700_000_000n, work: 20_000n });

	// 192 new tokens × 1 layer × 100,000 / (1,000 × 2); 10 % of 49.64 × 10^9 planck, halved.
	const bob = of(BOB);
	assert.equal(bob.stages, 1n);
	assert.equal(bob.work, 9_600n);
	assert.equal(bob.burnt, 2_482_000_000n);
	assert.equal(bob.latencyMs, 4n);
	assert.equal(bob.expectedEnergyMj, 38_256n);
	assert.equal(bob.efficiencyPpm, 1_100_000n);
	assert.equal(bob.weighted, 10_560n);
	assert.equal(bob.reward, 1_056_000n);
	// Charlie's second stage counts although Bob did not sign beside him.
	const charlie = of(CHARLIE);
	assert.equal(charlie.stages, 2n);
	assert.equal(charlie.work, 19_600n);
	assert.equal(charlie.energyMj, 121_000n);
	assert.equal(charlie.ceilingPpm, 1_000_000n);
	assert.equal(charlie.efficiencyPpm, 645_504n);
	// Of 20,000 units the 20 planck that were burnt on the first support two; the second is capped.
	const dora = of(DORA);
	assert.equal(dora.work, 20_002n);
	assert.equal(dora.burnt, 20n + 1_996_540_000n);
	assert.equal(dora.energyNj, 7_000_000n + 90_000_000_000n);
	assert.equal(dora.latencyMs, 449n);
	assert.equal(dora.latencyPpm, 445_434n);
});

test("a chain that paid what follows should be found equal", async () => {
	const found = await report(sound());
	assert.deepEqual(found.differences, []);
	assert.equal(found.settledAt, LAST_PAYING);
	assert.match(verdict(found), /^EQUAL: .* 1 .*3 workers/);
	const text = tables(found).join("\n");
	for (const name of ["efficiency, ppm", "bound by β, planck", "kept for a claim"]) {
		assert.ok(text.includes(name), name);
	}
	const parsed = JSON.parse(json(found));
	assert.equal(parsed.equal, true);
	assert.equal(parsed.workers.length, 3);
});

test("any figure that the chain counted otherwise should be found", async () => {
	const more = (values, fields) =>
		Object.fromEntries(fields.map((field) => [field, values[field] + 1n]));
	const [worker, line] = [...anew.workers][0];
	const altered = { ...line, ...more(line, OF_LINES) };
	const fake = bare();
	settle(fake, {
		...anew,
		...more(anew, SUMS),
		workers: new Map([...anew.workers, [worker, altered]]),
	});
	const { differences } = await report(fake);
	const names = (place) =>
		differences.filter(({ where }) => where === place).map(({ name }) => name);
	const found = names(worker);
	for (const [field, name] of OF_WORKER) {
		assert.equal(found.includes(name), OF_LINES.includes(field), name);
	}
	assert.ok(found.includes("paid, planck"));
	assert.deepEqual(
		names("era").filter((name) => !name.endsWith("by the event")).length,
		SUMS.length,
	);
	assert.deepEqual(new Set(differences.map(({ where }) => where)), new Set(["era", worker]));
});

test("any number of a record that is another one should be found", async () => {
	const changes = {
		energy: (record) => (record.body.stages[0].energyMj += 1),
		source: (record) => (record.body.stages[0].energySource = "Estimate"),
		latency: (record) => (record.body.latencyMs += 1_000),
		output: (record) => (record.body.outputTokens += 1),
		worker: (record) => (record.body.stages[0].node = hash(7)),
		signed: (record) => (record.signedStages = 0b10),
		audit: (record) => (record.auditable = false),
		price: (record) => (record.price += 1n),
		era: (record) => (record.era = 0),
		block: (record) => (record.settledAt += 1),
	};
	for (const [name, change] of Object.entries(changes)) {
		const fake = sound();
		const [id, values] = RECORDS[1];
		const record = entry({ ...values, stages: structuredClone(values.stages) });
		change(record);
		fake.put(values.block, ["provenanceLedger", "records", hash(id)], record);
		const found = await report(fake).catch((error) => {
			assert.ok(error instanceof Inconsistent, `${name}: ${error.stack}`);
			return null;
		});
		assert.ok(found === null || found.differences.length > 0, name);
	}
});

test("energy of the era before should count in the efficiency of this one", async () => {
	const fake = sound();
	const [id, values] = RECORDS[0];
	const record = entry({ ...values, stages: halves(41_500, 38_300) });
	fake.put(values.block, ["provenanceLedger", "records", hash(id)], record);
	const { differences } = await report(fake);
	assert.ok(differences.some(({ where }) => where === address(fake, BOB)));
});

test("challenges of the era should count in its uptimes", async () => {
	const missed = ["WorkerRegistry", "Missed", { worker: BOB, era: ERA, missed: 1 }];
	const answered = ["WorkerRegistry", "Answered", { worker: CHARLIE }];
	const fake = sound([missed, answered]);
	const { differences } = await report(fake);
	const other = differences.filter(({ name }) => name === "uptime, ppm");
	assert.deepEqual(other.map(({ where }) => where), [address(fake, BOB)]);
	assert.equal(other[0].recomputed, 500_000n);
});

test("a reward that was not minted should be found", async () => {
	const fake = sound();
	fake.putEvents(LAST_PAYING, []);
	const { differences } = await report(fake);
	assert.ok(differences.some(({ name }) => name === "paid, planck"));
	assert.ok(differences.some(({ name, chain }) => name === "paid, by the event" && chain === null));
	assert.match(verdict({ era: ERA, workers: [], differences }), /^DIFFERENT: /);

	const liar = sound();
	const amount = 5n;
	const paid = { era: ERA, worker: BOB, account: BOB, amount };
	liar.putEvents(LAST_PAYING, [["RewardDistributor", "RewardPaid", paid]]);
	await assert.rejects(report(liar), /none were minted/);
});

test("a record that is missing from its block's list should be found", async () => {
	const fake = sound();
	fake.put(6, ["provenanceLedger", "blockRecords"], [hash(0x31)]);
	await assert.rejects(report(fake), /list 4 records; the ledger grew by 5/);
});

test("what can't be answered should say why", async () => {
	const refused = (reason) => (error) => error instanceof Unanswerable && reason.test(error.message);
	await assert.rejects(report(sound(), 9), refused(/era 9 has not begun: the current one is 3/));
	await assert.rejects(report(sound(), 3), refused(/era 3 is not over/));
	await assert.rejects(report(sound(), 2), refused(/era 2 is not settled yet/));
	const pruned = sound();
	pruned.oldest = 9;
	await assert.rejects(report(pruned), refused(/--state-pruning archive/));
});
