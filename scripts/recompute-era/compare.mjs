// What was computed anew beside what the chain counted and paid. Pure.

import { credit } from "./chain.mjs";

/** What is compared of an era as a whole, with its name in a report. */
const OF_ERA = [
	["workerPool", "pool of the workers, planck"],
	["authorPool", "pool of the authors, planck"],
	["totalWork", "work of all"],
	["totalWeighted", "weighted work of all"],
	["authored", "blocks with a known author"],
	["paidWorkers", "paid to workers, planck"],
	["paidAuthors", "paid to authors, planck"],
];
const OF_TERMS = [
	["authorSharePpm", "authors' part, ppm"],
	["betaPpm", "β, ppm"],
	["rateCap", "rate cap"],
	["dilution", "dilution"],
	["latencyTargetMs", "latency target, ms"],
];
/** The factors of a worker's reward in the order in which they follow from one another. */
export const OF_WORKER = [
	["stages", "stages"],
	["work", "work"],
	["latencyWork", "latency × work"],
	["latencyMs", "mean latency, ms a token"],
	["uptimePpm", "uptime, ppm"],
	["latencyPpm", "latency score, ppm"],
	["auditPpm", "audits passed, ppm"],
	["qualityPpm", "quality, ppm"],
	["energyNj", "energy, nJ"],
	["energyMj", "energy, mJ"],
	["expectedEnergyNj", "energy at the average, nJ"],
	["expectedEnergyMj", "energy at the average, mJ"],
	["ceilingPpm", "largest efficiency, ppm"],
	["efficiencyPpm", "efficiency, ppm"],
	["weighted", "weighted work"],
	["byRate", "by rate, planck"],
	["burnt", "burnt, planck"],
	["burnBound", "bound by β, planck"],
	["reward", "reward, planck"],
];

/** A row of a report; `chain` is `undefined` where the chain keeps no such figure. */
function row(name, recomputed, chain) {
	return { name, recomputed, chain, differs: chain !== undefined && chain !== recomputed };
}

const rows = (names, recomputed, chain) =>
	names.map(([field, name]) => row(name, recomputed[field], chain[field]));

/** Every key of both maps, in order. */
const keysOf = (...maps) => [...new Set(maps.flatMap((map) => [...map.keys()]))].sort();

const NOTHING = { energyNj: 0n, work: 0n };

function modelRows(title, recomputed, chain) {
	return keysOf(recomputed, chain).flatMap((model) => {
		const [ours, theirs] = [recomputed.get(model) ?? NOTHING, chain.get(model) ?? NOTHING];
		return [
			row(`${title} ${model}: energy, nJ`, ours.energyNj, theirs.energyNj),
			row(`${title} ${model}: work`, ours.work, theirs.work),
		];
	});
}

function workerOf(worker, recomputed, chain) {
	const ours = recomputed.workers.get(worker) ?? {};
	const theirs = chain.workers.get(worker) ?? {};
	const absent = chain.workers.has(worker) ? undefined : 0n;
	const names = OF_WORKER.map(([field, name]) =>
		row(name, ours[field] ?? 0n, theirs[field] ?? absent),
	);
	const credited = theirs.credited ?? credit(chain.paid.workers, new Map(), worker, null);
	return {
		worker,
		account: credited.account,
		how: credited.how,
		rows: [...names, row("paid, planck", ours.reward ?? 0n, credited.amount)],
	};
}

function authorOf(author, recomputed, chain, deferred) {
	const { blocks, reward } = recomputed.authors.get(author) ?? { blocks: 0n, reward: 0n };
	const counted = chain.authors.get(author)?.blocks ?? 0n;
	// The chain keeps no amount for an author: a deferred one is known by what it must be.
	const owed = reward > 0n ? { account: author, amount: reward } : null;
	const credited = credit(chain.paid.authors, deferred, author, owed);
	return {
		author,
		how: credited.how,
		rows: [row("blocks", blocks, counted), row("paid, planck", reward, credited.amount)],
	};
}

/**
 * A report: rows of the era, its workers and authors, each with what was computed anew and what the
 * chain says, and `differences`, those rows that differ.
 *
 * @param era of records and blocks, see chain.mjs. @param recomputed by era.mjs.
 * @param chain what the chain counted and paid.
 */
export function compare(era, recomputed, chain) {
	const sums = chain.paid.sums ?? {};
	const paid = recomputed.paidWorkers + recomputed.paidAuthors;
	const pool = recomputed.workerPool + recomputed.authorPool;
	const whole = [
		...rows([["start", "first block"], ["end", "first block behind it"]], era, chain),
		...rows(OF_TERMS, era.terms, chain.terms),
		...rows(OF_ERA, recomputed, chain),
		row("workers, by the event", BigInt(recomputed.workers.size), sums.workers ?? null),
		row("paid, by the event", paid, sums.paid ?? null),
		row("not minted, by the event", pool - paid, sums.unminted ?? null),
		...modelRows("era before, model", recomputed.averages, chain.averages),
		...modelRows("this era, model", recomputed.modelUse, chain.modelUse),
	];
	const workers = keysOf(recomputed.workers, chain.workers, chain.paid.workers).map((worker) =>
		workerOf(worker, recomputed, chain),
	);
	const deferred = new Map(chain.paid.deferred);
	const authors = keysOf(recomputed.authors, chain.authors, chain.paid.authors).map((author) =>
		authorOf(author, recomputed, chain, deferred),
	);
	const differing = (where, list) =>
		list.filter(({ differs }) => differs).map((found) => ({ where, ...found }));
	return {
		era: era.index,
		settledAt: chain.settledAt,
		records: recomputed.records,
		whole,
		workers,
		authors,
		differences: [
			...differing("era", whole),
			...workers.flatMap(({ worker, rows: list }) => differing(worker, list)),
			...authors.flatMap(({ author, rows: list }) => differing(author, list)),
		],
	};
}
