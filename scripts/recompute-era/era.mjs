// From the records of an era to what each worker and author earns in it. Pure: what is read from a node
// comes in, and no sum of the chain's own is among it.

import { Inconsistent } from "./errors.mjs";
import * as rules from "./rules.mjs";

/** Nobody measures uptime, and there are no verdicts (docs/protocol/economics.md, "The reward"). */
const UNMEASURED = rules.PPM;

/**
 * The stages of a record whose work counts, before terms bound it.
 *
 * @param record as chain.mjs reads it, with what was in force when it was settled: `offer`, `maxPrice`,
 *   `model`, `split`, `byteFee`, `author`.
 */
export function notesOf(record) {
	const layers = record.stages.map(({ first, end }) => end - first);
	const signed = record.stages.map((_, index) => ((record.signedStages >> index) & 1) === 1);
	const price = rules.price(record, record.offer, record.byteFee, record.maxPrice);
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

/** What counts of an era's stages: the notes with `counted`, without those of which nothing does. */
export function countedStages({ records, terms }) {
	return records
		.flatMap(notesOf)
		.map((note) => ({ ...note, counted: rules.counted(note.work, note.energyMj, note.burnt, terms) }))
		.filter(({ counted }) => counted.work > 0n);
}

/** Energy and work of each model: a map from its id to `{energyNj, work}`. */
export function modelUse(stages) {
	const used = new Map();
	for (const { model, counted } of stages) {
		const sums = used.get(model) ?? { energyNj: 0n, work: 0n };
		sums.energyNj += counted.energyNj;
		sums.work += counted.work;
		used.set(model, sums);
	}
	return used;
}

/** Sums over each worker's stages: a map from its address. */
export function linesOf(stages, averages) {
	const lines = new Map();
	for (const stage of stages) {
		const line = lines.get(stage.worker) ?? {
			stages: 0n,
			work: 0n,
			energyNj: 0n,
			expectedEnergyNj: 0n,
			ceilingPpm: null,
			latencyWork: 0n,
			burnt: 0n,
		};
		const { work, energyNj } = stage.counted;
		const ceiling = rules.ceilingOf(stage.energySource);
		line.stages += 1n;
		line.work += work;
		line.energyNj += energyNj;
		line.expectedEnergyNj += rules.expectedEnergy(stage.counted, averages.get(stage.model));
		if (line.ceilingPpm === null || ceiling < line.ceilingPpm) line.ceilingPpm = ceiling;
		line.latencyWork += stage.latencyMs * work;
		line.burnt += stage.burnt;
		lines.set(stage.worker, line);
	}
	return lines;
}

function withFactors(line, terms) {
	const latencyMs = line.latencyWork / line.work;
	const latencyPpm = rules.latencyScore(latencyMs, terms.latencyTargetMs);
	const qualityPpm = rules.quality(UNMEASURED, latencyPpm, UNMEASURED);
	const energyMj = rules.toMillijoules(line.energyNj);
	const expectedEnergyMj = rules.toMillijoules(line.expectedEnergyNj);
	const efficiencyPpm = rules.efficiency(expectedEnergyMj, energyMj, line.ceilingPpm);
	return {
		...line,
		latencyMs,
		uptimePpm: UNMEASURED,
		latencyPpm,
		auditPpm: UNMEASURED,
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
 * @param era `{start, end, terms, schedule, records, blockAuthors}`.
 * @param previous `{records, terms}` of the era before, or `null` for the first one.
 */
export function recompute(era, previous) {
	const averages = previous === null ? new Map() : modelUse(countedStages(previous));
	const stages = countedStages(era);
	const pool = rules.pools(era.start, era.end, era.schedule, era.terms.authorSharePpm);

	const lines = [...linesOf(stages, averages)].map(([worker, line]) => [
		worker,
		withFactors(line, era.terms),
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
		modelUse: modelUse(stages),
		workers,
		authors,
	};
}
