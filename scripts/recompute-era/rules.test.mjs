// `npm test`. The rules against the vectors that three implementations share.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import * as rules from "./rules.mjs";

const VECTORS = new URL("../../docs/protocol/vectors/economics.json", import.meta.url);
const terms = (betaPpm, dilution, rateCap) => ({ betaPpm, dilution, rateCap });

/** What each function of the vectors is called here. */
const FUNCTIONS = {
	mul_div_floor: rules.mulDivFloor,
	mul_div_ceil: rules.mulDivCeil,
	emission_between: (from, to, initial, interval) =>
		rules.emissionBetween(from, to, { initial, interval }),
	// A split that is no whole divides no price: there is nothing to recompute.
	split_exact: (total, ...weights) =>
		weights.reduce((sum, weight) => sum + weight, 0n) === rules.PPM
			? rules.apportion(total, weights)
			: null,
	split_proportional: (total, ...weights) => rules.apportion(total, weights),
	latency_score: rules.latencyScore,
	quality: rules.quality,
	efficiency: rules.efficiency,
	weighted: rules.weighted,
	reward_share: rules.byRate,
	burn_bound: rules.burnBound,
	reward: (pool, total, work, quality, efficiency, cap, bound) => {
		const own = rules.weighted(work, quality, efficiency);
		const byRate = rules.byRate(pool, total, own, cap);
		return [own, byRate, bound, byRate < bound ? byRate : bound];
	},
	supported_work: (burnt, ...rest) => rules.supportedWork(burnt, terms(...rest)),
	counted: (work, energyMj, burnt, ...rest) => {
		const found = rules.counted(work, energyMj, burnt, terms(...rest));
		return [found.work, found.energyNj];
	},
};

const strings = (result) =>
	result === null ? ["none"] : [result].flat().map((value) => value.toString());

test("the rules should come to the numbers of the vectors", () => {
	const { cases } = JSON.parse(readFileSync(VECTORS, "utf8"));
	const used = new Set();
	for (const { function: name, given, result } of cases) {
		assert.ok(name in FUNCTIONS, `the vectors have a function ${name} that is not known here`);
		const found = strings(FUNCTIONS[name](...given.map(BigInt)));
		assert.deepEqual(found, result, `${name}(${given.join(", ")})`);
		used.add(name);
	}
	assert.deepEqual([...used].sort(), Object.keys(FUNCTIONS).sort());
});

test("any other number should be noticed by the vectors", () => {
	const { cases } = JSON.parse(readFileSync(VECTORS, "utf8"));
	for (const { function: name, given, result } of cases) {
		if (result[0] === "none") continue;
		const altered = [(BigInt(result[0]) + 1n).toString(), ...result.slice(1)];
		assert.notDeepEqual(strings(FUNCTIONS[name](...given.map(BigInt))), altered, name);
	}
});

test("a price should be what the offer says, and at most what a request pays", () => {
	const offer = { promptPrice: 50n, cachedPrice: 5n, outputPrice: 300n };
	const record = { promptTokens: 40n, cachedTokens: 8n, outputTokens: 12n, stages: [1, 2] };
	const whole = { tokens: 32n * 50n + 8n * 5n + 12n * 300n, bytes: (265n + 162n) * 10n };
	assert.deepEqual(rules.price(record, offer, 10n), whole);
	assert.deepEqual(rules.price(record, offer, 10n, 5_000n), { tokens: 730n, bytes: 4_270n });
	assert.deepEqual(rules.price(record, offer, 10n, 4_000n), { tokens: 0n, bytes: 4_000n });
});

test("what an unknown author would get should be burnt", () => {
	const split = {
		stages: 700_000n,
		gateway: 100_000n,
		author: 30_000n,
		audit: 50_000n,
		storage: 20_000n,
		burn: 100_000n,
	};
	const divided = (hasAuthor) =>
		rules.divide({ tokens: 1_000n, bytes: 7n }, [1n, 1n], [true, false], split, hasAuthor);
	assert.deepEqual(divided(true), { burnt: [50n, 50n], leastTaken: 307n, mostTaken: 657n });
	assert.deepEqual(divided(false).burnt, [65n, 65n]);
});
