// The rules of docs/protocol/economics.md as pure functions over BigInt. Written from that text; the
// chain's own arithmetic is in Rust (primitives/math), and both are held against
// docs/protocol/vectors/economics.json.
//
// Amounts are in planck, fractions in parts per million (`Ppm`), energy in millijoules (`Mj`) or
// nanojoules (`Nj`), work in thousands of parameter-tokens. A quotient beyond 128 bits counts as the
// largest number of 128 bits.

export const PPM = 1_000_000n;
/** Weighted work to which a rate refers. */
export const RATE_UNIT = 1_000_000_000_000n;

const U128_MAX = (1n << 128n) - 1n;
const NANO_PER_MILLI = 1_000_000n;
const PPM_SQUARED = PPM * PPM;
const LEAST_EFFICIENCY = 500_000n;
const MOST_EFFICIENCY = 2_000_000n;
/** Bytes of a record, and of each of its stages, that the price pays for. */
const RECORD_BYTES = 265n;
const STAGE_BYTES = 81n;

/** Largest efficiency by the source of an energy figure; no meter key can be registered. */
const CEILINGS = {
	Estimate: 1_000_000n,
	Rapl: 1_100_000n,
	Powermetrics: 1_100_000n,
	Meter: 1_100_000n,
};

const least = (a, b) => (a < b ? a : b);
const most = (a, b) => (a > b ? a : b);
const clamp = (value, low, high) => most(low, least(value, high));
const sum = (values) => values.reduce((total, value) => total + value, 0n);

/** `a × b / c` rounded down; `null` for a divisor of 0. */
export function mulDivFloor(a, b, c) {
	return c === 0n ? null : least((a * b) / c, U128_MAX);
}

/** `a × b / c` rounded up; `null` for a divisor of 0. */
export function mulDivCeil(a, b, c) {
	return c === 0n ? null : least((a * b + c - 1n) / c, U128_MAX);
}

/** Nanojoules in millijoules, rounded up. */
export const toMillijoules = (nanojoules) => mulDivCeil(nanojoules, 1n, NANO_PER_MILLI);

// --- supply -----------------------------------------------------------------------------------------

/** Emission of the blocks `from .. to`, `to` not among them. `initial` halves each `interval` blocks. */
export function emissionBetween(from, to, { initial, interval }) {
	let total = 0n;
	let block = from;
	while (block < to && interval > 0n) {
		const halvings = block / interval;
		const rate = initial >> halvings;
		if (rate === 0n) break;
		const until = least(to, (halvings + 1n) * interval);
		total += (until - block) * rate;
		block = until;
	}
	return total;
}

/** An era's emission in its two parts. */
export function pools(start, end, schedule, authorSharePpm) {
	const pool = emissionBetween(start, end, schedule);
	const authors = (pool * authorSharePpm) / PPM;
	return { workers: pool - authors, authors };
}

// --- the price --------------------------------------------------------------------------------------

/**
 * `total` in parts by `weights`, by largest remainders: each part is rounded down, and what is left
 * over goes, a planck each, to the parts that lost most, of equals to the first. All parts are 0 if all
 * weights are.
 */
export function apportion(total, weights) {
	const whole = sum(weights);
	if (whole === 0n) return weights.map(() => 0n);
	const parts = weights.map((weight) => (total * weight) / whole);
	const lost = weights.map((weight, index) => ({ index, rest: (total * weight) % whole }));
	lost.sort((a, b) => (a.rest === b.rest ? a.index - b.index : a.rest < b.rest ? 1 : -1));
	const left = Number(total - sum(parts));
	for (const { index } of lost.slice(0, left)) parts[index] += 1n;
	return parts;
}

/**
 * What a record costs by an offer: `{tokens, bytes}`. A request pays at most its `maxPrice`, bytes
 * first; a ticket has none here.
 */
export function price(record, offer, byteFee, maxPrice = null) {
	const tokens =
		(record.promptTokens - record.cachedTokens) * offer.promptPrice +
		record.cachedTokens * offer.cachedPrice +
		record.outputTokens * offer.outputPrice;
	const bytes = (RECORD_BYTES + STAGE_BYTES * BigInt(record.stages.length)) * byteFee;
	if (maxPrice === null) return { tokens, bytes };
	const paidBytes = least(bytes, maxPrice);
	return { tokens: least(tokens, maxPrice - paidBytes), bytes: paidBytes };
}

/**
 * How a price is divided: `burnt` by stages, and the least and the most that can have been taken of it.
 * Shares of stages that did not sign stay with the requester, and so does what a stake does not answer
 * for.
 */
export function divide({ tokens, bytes }, layers, signed, split, hasAuthor) {
	const [stages, , author, , , burn] = apportion(tokens, [
		split.stages,
		split.gateway,
		split.author,
		split.audit,
		split.storage,
		split.burn,
	]);
	const shares = apportion(stages, layers);
	const unsigned = sum(shares.filter((_, index) => !signed[index]));
	return {
		burnt: apportion(hasAuthor ? burn : burn + author, layers),
		leastTaken: tokens + bytes - stages,
		mostTaken: tokens + bytes - unsigned,
	};
}

// --- work -------------------------------------------------------------------------------------------

/** Work of a stage, before its burnt fees bound it. */
export function stageWork(newTokens, layers, model) {
	return (newTokens * layers * model.activeParameters) / (1000n * model.layers);
}

/** Most that emission pays for work on which `burnt` planck were burnt. */
export function burnBound(burnt, betaPpm) {
	return mulDivFloor(burnt, least(betaPpm, PPM), PPM);
}

/** Most work that counts for `burnt` planck of fees. */
export function supportedWork(burnt, { betaPpm, dilution, rateCap }) {
	return mulDivFloor(burnBound(burnt, betaPpm), dilution * RATE_UNIT, rateCap) ?? 0n;
}

/** What of a stage's work and energy counts under an era's terms. */
export function counted(work, energyMj, burnt, terms) {
	const energyNj = energyMj * NANO_PER_MILLI;
	const supported = supportedWork(burnt, terms);
	if (work <= supported) return { work, energyNj };
	return { work: supported, energyNj: mulDivCeil(energyNj, supported, work) };
}

/**
 * Energy that counted work would have used at its model's average in the era before, in nanojoules; its
 * own where there is none. `average` is `{energyNj, work}` or nothing.
 */
export function expectedEnergy({ work, energyNj }, average) {
	if (!average || average.energyNj === 0n) return energyNj;
	return mulDivFloor(work, average.energyNj, average.work) ?? energyNj;
}

/** Largest efficiency for the source of a figure. */
export function ceilingOf(source) {
	const ceiling = CEILINGS[source];
	if (ceiling === undefined) throw new Error(`no ceiling is known for the energy source ${source}`);
	return ceiling;
}

// --- the reward -------------------------------------------------------------------------------------

/** Latency score for a mean latency a new token. */
export function latencyScore(latencyMs, targetMs) {
	return least(PPM, mulDivFloor(targetMs, PPM, latencyMs) ?? PPM);
}

/** The factor uptime: what was answered of all challenges, with the benefit of the doubt. */
export function uptime(answered, missed) {
	return ((answered + 1n) * PPM) / (answered + missed + 1n);
}

export function quality(uptimePpm, latencyPpm, auditPpm) {
	return (least(uptimePpm, PPM) * least(latencyPpm, PPM) * least(auditPpm, PPM)) / PPM_SQUARED;
}

/** Efficiency out of expected and own energy, in one unit. */
export function efficiency(expected, own, ceilingPpm) {
	const ceiling = clamp(ceilingPpm, LEAST_EFFICIENCY, MOST_EFFICIENCY);
	if (own === 0n) return LEAST_EFFICIENCY;
	if (expected === 0n) return least(PPM, ceiling);
	return clamp((expected * PPM) / own, LEAST_EFFICIENCY, ceiling);
}

/** work × quality × efficiency, rounded down once. */
export function weighted(work, qualityPpm, efficiencyPpm) {
	const factor =
		least(qualityPpm, PPM) * clamp(efficiencyPpm, LEAST_EFFICIENCY, MOST_EFFICIENCY);
	return mulDivFloor(work, factor, PPM_SQUARED);
}

/** A worker's part of the pool by its weighted work, at most by the cap. */
export function byRate(pool, totalWeighted, ownWeighted, rateCap) {
	const share = mulDivFloor(pool, least(ownWeighted, totalWeighted), totalWeighted) ?? 0n;
	return least(share, mulDivFloor(rateCap, ownWeighted, RATE_UNIT));
}
