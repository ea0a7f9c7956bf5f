// From the records of an era to what each worker and author earns in it. Pure: what is read from a node
// comes in, and no sum of the chain's own is among it.

import { Inconsistent } from "./errors.mjs";
import * as rules from "./rules.mjs";

/**
 * The stages of a record whose work counts, before terms bound it.
 *
 * @param record as chain.mjs reads it, with what was in force when it was settled: `offer`, `maxPrice`,
 *   `model`, `split`, `byteFee`, `author`, and `tokens` where stakes did not answer for all of the price.
 */
export function notesOf(record) {
	const layers = record.stages.map(({ first, end }) => end - first);
	const signed = record.stages.map((_, index) => ((record.signedStages >> index) & 1) === 1);
	const asked = rules.price(record, record.offer, record.byteFee, record.maxPrice);
	const tokens = record.tokens ?? asked.tokens;
	if (tokens > asked.tokens) {
		throw new Inconsistent(`record ${record.id} was paid more for its tokens than its offer asks`);
	}
	const price = { ...asked, tokens };
	const parts = rules.divide(price, layers, signed, record.split, record.author !== null);
	if (record.price < parts.leastTaken || record.price > parts.mostTaken) {
		const range = `${parts.leastTaken} to ${parts.mostTaken}`;
		throw new Inconsistent(
			`record ${record.id} says that ${record.price} planck were taken; by its offer they are ${range}`,
		);
	}
	if (!record.auditable) return [];
	const newTokens = record.promptTokens - record.cachedTokens + record.outputTokens;
	return record.stages
		.map((stage, index) => ({
			index,
			worker: stage.node,
			model: record.modelId,
			work: rules.stageWork(newTokens, layers[index], record.model),
			energyMj: stage.energyMj,
			energySource: stage.energySource,
			burnt: parts.burnt[index],
			latencyMs: record.latencyMs / newTokens,
		}))
		.filter((_, index) => signed[index]);
}

/** Stages whose work an audit's verdict took out of emission (docs/protocol/audit.md, "Verdict"). */
export function isDropped({ verdict }, index) {
	switch (verdict?.name) {
		case "Unaudited":
		case "Silent":
			return true;
		case "Failed":
			return verdict.canary ? index === verdict.stage : index >= verdict.stage;
		default:
			return false;
	}
}

/** Share of verdicts on each worker's stages that found nothing wrong: a map from its address, in ppm. */
export function passRates(records) {
	const tallies = new Map();
	const count = (worker, passed) => {
		const tally = tallies.get(worker) ?? { passed: 0n, all: 0n };
		tally.passed += passed ? 1n : 0n;
		tally.all += 1n;
		tallies.set(worker, tally);
	};
	for (const { verdict, stages, signedStages } of records) {
		if (!verdict || verdict.canary) continue;
		stages.forEach(({ node }, index) => {
			if (((signedStages >> index) & 1) === 0) return;
			const isFailed = verdict.name === "Failed";
			if (verdict.name === "Passed" || (isFailed && index < verdict.stage)) count(node, true);
			if (isFailed && index === verdict.stage) count(node, false);
		});
	}
	const rate = ([worker, { passed, all }]) => [worker, (passed * rules.PPM) / all];
	return new Map([...tallies].map(rate));
}

/**
 * The factor uptime of each worker that was asked in an era: a map from its address, in ppm. `challenges`
 * are `{worker, isAnswered}`, as the events of the era's blocks tell them (docs/protocol/uptime.md).
 */
export function uptimes(challenges) {
	const tallies = new Map();
	for (const { worker, isAnswered } of challenges) {
		const { answered, missed } = tallies.get(worker) ?? { answered: 0n, missed: 0n };
		const next = isAnswered ? { answered: answered + 1n, missed } : { answered, missed: missed + 1n };
		tallies.set(worker, next);
	}
	const factor = ([worker, { answered, missed }]) => [worker, rules.uptime(answered, missed)];
	return new Map([...tallies].map(factor));
}

/** What counts of an era's stages: the notes with `counted`, without those of which nothing does. */
function countedStages({ records, terms }) {
	return records.flatMap((record) =>
		notesOf(record)
			.map((note) => ({ ...note, record, counted: rules.counted(note.work, note.energyMj, note.burnt, terms) }))
			.filter(({ counted }) => counted.work > 0n),
	);
}

/**
 * Everything that was counted and taken out again, in the order in which the chain did: what a block's
 * beginning decides comes before what is settled in it.
 */
function history(era, previous) {
	const steps = [];
	for (const [name, source] of [["previous", previous], ["era", era]]) {
		if (source === null) continue;
		countedStages(source).forEach((note, order) => {
			steps.push({ name, note, adds: true, at: [note.record.settledAt, 1, order, 0] });
			if (!isDropped(note.record, note.index)) return;
			const { verdict } = note.record;
			steps.push({ name, note, adds: false, at: [verdict.at, 0, verdict.order, note.index] });
		});
	}
	const byPlace = (a, b) => a.at.map((place, index) => place - b.at[index]).find((d) => d !== 0) ?? 0;
	return steps.sort(byPlace);
}

const less = (a, b) => (a > b ? a - b : 0n);

/** Counts a stage into the energy and work of its model, or out of them. */
function count(uses, { model, counted }, adds) {
	const sums = uses.get(model) ?? { energyNj: 0n, work: 0n };
	const change = (a, b) => (adds ? a + b : less(a, b));
	const next = { energyNj: change(sums.energyNj, counted.energyNj), work: change(sums.work, counted.work) };
	if (next.work > 0n) uses.set(model, next);
	else uses.delete(model);
}

const NO_LINE = {
	stages: 0n,
	work: 0n,
	energyNj: 0n,
	expectedEnergyNj: 0n,
	ceilingPpm: null,
	latencyWork: 0n,
	burnt: 0n,
};

/** Counts a stage into its worker's line, or out of it; a line without stages is gone. */
function countLine(lines, note, expectedNj, adds) {
	const line = lines.get(note.worker) ?? NO_LINE;
	const change = (a, b) => (adds ? a + b : less(a, b));
	const { work, energyNj } = note.counted;
	const ceiling = rules.ceilingOf(note.energySource);
	// The lowest of all that were counted, whatever became of them.
	const lowest = line.ceilingPpm === null || ceiling < line.ceilingPpm ? ceiling : line.ceilingPpm;
	const next = {
		stages: change(line.stages, 1n),
		work: change(line.work, work),
		energyNj: change(line.energyNj, energyNj),
		expectedEnergyNj: change(line.expectedEnergyNj, expectedNj),
		ceilingPpm: adds ? lowest : line.ceilingPpm,
		latencyWork: change(line.latencyWork, note.latencyMs * work),
		burnt: change(line.burnt, note.burnt),
	};
	if (next.stages > 0n) lines.set(note.worker, next);
	else lines.delete(note.worker);
}

/** Workers' lines of an era, and energy and work by model of both eras. */
export function counts(era, previous) {
	const uses = { previous: new Map(), era: new Map() };
	const lines = new Map();
	for (const { name, note, adds } of history(era, previous)) {
		if (name === "era") {
			const expected = rules.expectedEnergy(note.counted, uses.previous.get(note.model));
			countLine(lines, note, expected, adds);
		}
		count(uses[name], note, adds);
	}
	return { lines, averages: uses.previous, modelUse: uses.era };
}

function withFactors(line, terms, uptimePpm, auditPpm) {
	const latencyMs = line.latencyWork / line.work;
	const latencyPpm = rules.latencyScore(latencyMs, terms.latencyTargetMs);
	const qualityPpm = rules.quality(uptimePpm, latencyPpm, auditPpm);
	const energyMj = rules.toMillijoules(line.energyNj);
	const expectedEnergyMj = rules.toMillijoules(line.expectedEnergyNj);
	const efficiencyPpm = rules.efficiency(expectedEnergyMj, energyMj, line.ceilingPpm);
	return {
		...line,
		latencyMs,
		uptimePpm,
		latencyPpm,
		auditPpm,
		qualityPpm,
		energyMj,
		expectedEnergyMj,
		efficiencyPpm,
		weighted: rules.weighted(line.work, qualityPpm, efficiencyPpm),
	};
}

/** What each author gets: a map from the address to `{blocks, reward}`. */
function authorsOf(blocks, pool) {
	const counts = new Map();
	for (const author of blocks.filter((author) => author !== null)) {
		counts.set(author, (counts.get(author) ?? 0n) + 1n);
	}
	const known = [...counts.values()].reduce((total, count) => total + count, 0n);
	const paid = ([author, count]) => [
		author,
		{ blocks: count, reward: rules.mulDivFloor(pool, count, known) },
	];
	return { authored: known, authors: new Map([...counts].map(paid)) };
}

/**
 * An era anew.
 *
 * @param era `{start, end, terms, schedule, records, blockAuthors, challenges}`.
 * @param previous `{records, terms}` of the era before, or `null` for the first one.
 */
export function recompute(era, previous) {
	const { lines: counted, averages, modelUse } = counts(era, previous);
	const rates = passRates(era.records);
	const present = uptimes(era.challenges);
	const pool = rules.pools(era.start, era.end, era.schedule, era.terms.authorSharePpm);

	const lines = [...counted].map(([worker, line]) => [
		worker,
		withFactors(line, era.terms, present.get(worker) ?? rules.PPM, rates.get(worker) ?? rules.PPM),
	]);
	const total = (pick) => lines.reduce((sum, [, line]) => sum + pick(line), 0n);
	const totalWeighted = total((line) => line.weighted);
	const workers = new Map(
		lines.map(([worker, line]) => {
			const byRate = rules.byRate(pool.workers, totalWeighted, line.weighted, era.terms.rateCap);
			const burnBound = rules.burnBound(line.burnt, era.terms.betaPpm);
			const reward = byRate < burnBound ? byRate : burnBound;
			return [worker, { ...line, byRate, burnBound, reward }];
		}),
	);
	const { authored, authors } = authorsOf(era.blockAuthors, pool.authors);
	const rewards = (map) => [...map.values()].reduce((sum, { reward }) => sum + reward, 0n);
	return {
		workerPool: pool.workers,
		authorPool: pool.authors,
		records: BigInt(era.records.length),
		totalWork: total((line) => line.work),
		totalWeighted,
		authored,
		paidWorkers: rewards(workers),
		paidAuthors: rewards(authors),
		averages,
		modelUse,
		workers,
		authors,
	};
}
