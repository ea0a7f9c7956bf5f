// What audits take out of an era.

import assert from "node:assert/strict";
import { test } from "node:test";
import { counts, isDropped, passRates, uptimes } from "./era.mjs";

const verdict = (name, stage = null, canary = false) => ({ verdict: { name, stage, canary, at: 9, order: 0 } });

test("a verdict should drop the work that it says is worth nothing", () => {
	const dropped = (record) => [0, 1, 2].filter((index) => isDropped(record, index));
	assert.deepEqual(dropped({ verdict: null }), []);
	assert.deepEqual(dropped(verdict("Passed")), []);
	assert.deepEqual(dropped(verdict("Unaudited")), [0, 1, 2]);
	assert.deepEqual(dropped(verdict("Silent")), [0, 1, 2]);
	assert.deepEqual(dropped(verdict("Failed", 1)), [1, 2]);
	assert.deepEqual(dropped(verdict("Failed", 1, true)), [1]);
});

const stages = ["A", "B", "C"].map((node) => ({ node }));

test("verdicts should be counted for those of whom they say something", () => {
	const record = (of) => ({ ...of, stages, signedStages: 0b111 });
	const records = [
		record(verdict("Passed")),
		record(verdict("Failed", 1)),
		record(verdict("Failed", 0, true)),
		record(verdict("Silent")),
		{ ...record(verdict("Passed")), signedStages: 0b001 },
		record({ verdict: null }),
	];
	const rates = passRates(records);
	assert.deepEqual([...rates], [["A", 1_000_000n], ["B", 500_000n], ["C", 1_000_000n]]);
});

test("challenges should be counted with the benefit of the doubt", () => {
	const of = (worker, isAnswered) => ({ worker, isAnswered });
	const told = [of("A", true), of("B", false), of("A", true), of("A", false), of("A", true)];
	assert.deepEqual([...uptimes(told)], [["A", 800_000n], ["B", 500_000n]]);
	assert.deepEqual([...uptimes([])], []);
});

const terms = { betaPpm: 900_000n, dilution: 16n, rateCap: 1n };

function record(id, settledAt, of) {
	return {
		id,
		modelId: "model",
		promptTokens: 10n,
		cachedTokens: 0n,
		outputTokens: 10n,
		latencyMs: 2_000n,
		stages: [{ node: "A", first: 0n, end: 2n, energyMj: 5n, energySource: "Rapl" }],
		signedStages: 1,
		price: 34_600n + 20_000n,
		settledAt,
		auditable: true,
		offer: { promptPrice: 1_000n, cachedPrice: 0n, outputPrice: 1_000n },
		maxPrice: null,
		author: "author",
		model: { layers: 2n, activeParameters: 1_000n },
		split: { stages: 70n, gateway: 10n, author: 3n, audit: 5n, storage: 2n, burn: 10n },
		byteFee: 100n,
		tokens: null,
		...of,
	};
}

test("what was taken out should be gone, in the order in which the chain did it", () => {
	const later = { ...verdict("Unaudited") };
	const era = { terms, records: [record("1", 5, { verdict: null }), record("2", 6, later)] };
	const { lines, modelUse } = counts(era, null);
	assert.equal(lines.get("A").stages, 1n);
	assert.equal(modelUse.get("model").energyNj, 5_000_000n);
	// What block 9 begins with comes before what it settles.
	const all = { terms, records: [record("1", 5, later), record("2", 9, { verdict: null })] };
	assert.equal(counts(all, null).lines.get("A").work, 20n);
	const none = { terms, records: [record("1", 5, later)] };
	assert.deepEqual([...counts(none, null).lines], []);
	assert.deepEqual([...counts(none, null).modelUse], []);
});
