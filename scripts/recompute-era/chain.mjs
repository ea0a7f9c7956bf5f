// What a node says of an era: its records and blocks, from which all is computed anew, and apart from
// them what the chain itself counted and paid, which is only compared.

import { Inconsistent, Unanswerable } from "./errors.mjs";
import { recordsOf, withVerdicts } from "./records.mjs";

const big = (value) => value.toBigInt();

/** An era's parameters by the constants of the runtime that began it. */
function constantTerms({ consts: { rewardDistributor: constants } }) {
	return {
		authorSharePpm: big(constants.authorShare),
		betaPpm: big(constants.beta),
		rateCap: big(constants.rateCap),
		dilution: big(constants.dilution),
		latencyTargetMs: big(constants.latencyTarget),
	};
}

function scheduleOf({ consts: { rewardDistributor: constants } }) {
	return {
		initial: big(constants.initialBlockEmission),
		interval: big(constants.halvingInterval),
	};
}

/** The number of the era in which a block's work counts; `null` before the first. */
async function eraOf(api) {
	const position = await api.query.rewardDistributor.currentEra();
	return position.isSome ? position.unwrap().index.toNumber() : null;
}

/** First block, and the one behind the last, of an era that is over. */
async function span(node, head, index) {
	const info = await node.at(head, (api) => api.query.rewardDistributor.eras(index));
	if (info.isNone) {
		const current = await node.at(head, eraOf);
		throw new Unanswerable(`era ${index} has not begun: the current one is ${current ?? "none"}`);
	}
	const { start, end } = info.unwrap();
	if (end.isNone) {
		throw new Unanswerable(
			`era ${index} is not over: it began with block ${start}, and the last final block is ${head}`,
		);
	}
	return { start: start.toNumber(), end: end.unwrap().toNumber() };
}

/** Whether the state of `number` counts in the era. */
async function checkBoundary(node, number, expected) {
	const found = await node.at(number, eraOf);
	if (found !== expected) {
		throw new Inconsistent(`block ${number} counts in era ${found}, not in era ${expected}`);
	}
}

/** How many records there are behind a block. */
const recordsTotal = async (api) => big(await api.query.provenanceLedger.recordsTotal());

/** Blocks whose events are asked for at once. */
const WINDOW = 32;
/** Events that say what came of a challenge. */
const CHALLENGED = new Set(["Answered", "Missed"]);

/** What came of challenges in blocks `start .. end`: `{worker, isAnswered}`, as their events say. */
async function challengesOf(node, start, end) {
	const told = async (number) => {
		const events = await node.at(number, (api) => api.query.system.events());
		return events
			.map(({ event }) => event)
			.filter(({ section, method }) => section === "workerRegistry" && CHALLENGED.has(method))
			.map(({ method, data }) => ({
				worker: data.worker.toString(),
				isAnswered: method === "Answered",
			}));
	};
	const found = [];
	for (let first = start; first < end; first += WINDOW) {
		const count = Math.min(WINDOW, end - first);
		const numbers = Array.from({ length: count }, (_, index) => first + index);
		found.push(...(await Promise.all(numbers.map(told))).flat());
	}
	return found;
}

/** Records, authors of blocks and parameters of an era that is over. */
async function readSources(node, head, index, progress) {
	const { start, end } = await span(node, head, index);
	await checkBoundary(node, start, index);
	await checkBoundary(node, end - 1, index);
	await checkBoundary(node, end, index + 1);
	if (index > 0) await checkBoundary(node, start - 1, index - 1);

	const blocks = await node.blocks(start, end, progress);
	const records = [];
	for (const block of blocks.filter(({ ids }) => ids.length > 0)) {
		const found = await node.at(block.number, (api) =>
			node.at(block.number - 1, (parent) => recordsOf(api, parent, block)),
		);
		records.push(...found);
	}
	const stray = records.find(({ era }) => era !== index);
	if (stray) {
		const counts = `record ${stray.id} counts in era ${stray.era}`;
		throw new Inconsistent(`${counts}, but was settled in era ${index}`);
	}
	if (new Set(records.map(({ id }) => id)).size !== records.length) {
		throw new Inconsistent("a record was settled twice");
	}
	const [before, behind] = [
		await node.at(start - 1, recordsTotal),
		await node.at(end - 1, recordsTotal),
	];
	if (behind - before !== BigInt(records.length)) {
		const listed = `blocks ${start} to ${end - 1} list ${records.length} records`;
		throw new Inconsistent(`${listed}; the ledger grew by ${behind - before}`);
	}
	const eventsOf = (number) => node.at(number, (api) => api.query.system.events());
	const judged =
		records.length === 0
			? records
			: await node.at(head, (api) => withVerdicts(api, records, eventsOf));
	return {
		index,
		start: BigInt(start),
		end: BigInt(end),
		terms: await node.at(start, constantTerms),
		schedule: await node.at(end, scheduleOf),
		records: judged,
		blockAuthors: blocks.map(({ author }) => author),
	};
}

// --- what the chain says itself ----------------------------------------------------------------------

/** Blocks that settled an era: the first and the last of them. */
async function settlement(node, head, index, end) {
	const settled = async (api) => {
		const next = await api.query.rewardDistributor.nextToSettle();
		return next.toNumber() > index;
	};
	if (!(await node.at(head, settled))) {
		throw new Unanswerable(
			`era ${index} is not settled yet: that begins when the era behind it is over (this one ended before block ${end}), a few accounts in each block`,
		);
	}
	const last = await node.firstBlock(end, head, settled);
	const begun = async (api) => {
		const { state } = (await api.query.rewardDistributor.eras(index)).unwrap();
		return !(state.isOpen || state.isClosed);
	};
	return { first: await node.firstBlock(end, last, begun), last };
}

/** Takes one of several equal things away; says whether there was one. */
function takeOne(counts, thing) {
	const left = counts.get(thing) ?? 0;
	if (left > 0) counts.set(thing, left - 1);
	return left > 0;
}

function addOne(counts, thing) {
	counts.set(thing, (counts.get(thing) ?? 0) + 1);
}

/** What events of a settlement's blocks say was paid in an era. */
async function payments(node, index, { first, last }) {
	const paid = { workers: new Map(), authors: new Map(), deferred: new Map(), sums: null };
	for (let number = first; number <= last; number += 1) {
		const events = await node.at(number, (api) => api.query.system.events());
		const minted = new Map();
		for (const { event } of events) {
			const { section, method, data } = event;
			if (section === "balances" && method === "Minted") {
				addOne(minted, `${data.who} ${data.amount}`);
			}
			if (section !== "rewardDistributor" || data.era?.toNumber() !== index) continue;
			if (method === "EraSettled") {
				paid.sums = {
					workers: big(data.workers),
					paid: big(data.paid),
					unminted: big(data.unminted),
				};
			} else if (method === "RewardDeferred") {
				addOne(paid.deferred, `${data.account} ${data.amount}`);
			} else if (method === "RewardPaid" || method === "AuthorPaid") {
				const to = method === "RewardPaid" ? data.account : data.author;
				if (!takeOne(minted, `${to} ${data.amount}`)) {
					throw new Inconsistent(
						`block ${number} says that ${data.amount} planck were paid to ${to}, but none were minted`,
					);
				}
				const ofWorker = method === "RewardPaid";
				const [list, who] = ofWorker ? [paid.workers, data.worker] : [paid.authors, data.author];
				list.set(who.toString(), { account: to.toString(), amount: big(data.amount) });
			}
		}
	}
	return paid;
}

/**
 * What was paid to somebody: minted, kept for a claim, or nothing. `owed` is `{account, amount}` of whom
 * a deferred amount would be, or `null`.
 */
export function credit(list, deferred, who, owed) {
	const minted = list.get(who);
	if (minted) return { ...minted, how: "minted" };
	if (owed !== null && takeOne(deferred, `${owed.account} ${owed.amount}`)) {
		return { ...owed, how: "kept for a claim" };
	}
	return { account: null, amount: 0n, how: "nothing" };
}

function lineOf(line) {
	const factors = line.factors.unwrap();
	return {
		stages: big(line.records),
		work: big(line.work),
		energyNj: big(line.energyNj),
		expectedEnergyNj: big(line.expectedEnergyNj),
		ceilingPpm: big(line.ceilingPpm),
		latencyWork: big(line.latencyWork),
		burnt: big(line.burnt),
		uptimePpm: big(factors.uptimePpm),
		latencyPpm: big(factors.latencyPpm),
		auditPpm: big(factors.auditPpm),
		qualityPpm: big(factors.qualityPpm),
		efficiencyPpm: big(factors.efficiencyPpm),
		weighted: big(factors.weighted),
	};
}

async function modelUseOf(api, index) {
	const entries = await api.query.rewardDistributor.modelEnergy.entries(index);
	const use = ([key, { energyNj, work }]) => [
		key.args[1].toHex(),
		{ energyNj: big(energyNj), work: big(work) },
	];
	return new Map(entries.map(use));
}

/** What the chain counted and paid for an era. */
async function readChain(node, head, index, { start, end }) {
	const blocks = await settlement(node, head, index, Number(end));
	const paid = await payments(node, index, blocks);
	return node.at(blocks.last, async (api) => {
		const { eras, lines, authored } = api.query.rewardDistributor;
		const info = (await eras(index)).unwrap();
		const workers = new Map();
		for (const [key, line] of await lines.entries(index)) {
			const worker = key.args[1].toString();
			const entry = line.unwrap();
			const payout = entry.payout.isSome ? entry.payout.unwrap() : null;
			const owed = payout && { account: payout.account.toString(), amount: big(payout.amount) };
			const credited = credit(paid.workers, paid.deferred, worker, owed);
			workers.set(worker, { ...lineOf(entry), reward: owed?.amount ?? 0n, credited });
		}
		const authors = new Map();
		for (const [key, count] of await authored.entries(index)) {
			const author = key.args[1].toString();
			authors.set(author, { blocks: big(count) });
		}
		return {
			settledAt: blocks.last,
			start: BigInt(start),
			end: BigInt(end),
			terms: {
				authorSharePpm: big(info.terms.authorSharePpm),
				betaPpm: big(info.terms.betaPpm),
				rateCap: big(info.terms.rateCap),
				dilution: big(info.terms.dilution),
				latencyTargetMs: big(info.terms.latencyTargetMs),
			},
			workerPool: big(info.workerPool),
			authorPool: big(info.authorPool),
			totalWork: big(info.totalWork),
			totalWeighted: big(info.totalWeighted),
			authored: big(info.authored),
			paidWorkers: big(info.paidWorkers),
			paidAuthors: big(info.paidAuthors),
			averages: index > 0 ? await modelUseOf(api, index - 1) : new Map(),
			modelUse: await modelUseOf(api, index),
			workers,
			authors,
			paid,
		};
	});
}

/**
 * An era as a node knows it: `{era, previous, chain}`, the first two of records and blocks, the last of
 * what the chain counted and paid.
 *
 * Throws {@link Unanswerable} if the era is not settled yet, or the node lacks a block or a state.
 */
export async function readEra(node, index, progress = () => {}) {
	const head = await node.finalNumber();
	const { start, end } = await span(node, head, index);
	const chain = await readChain(node, head, index, { start, end });
	const previous = index > 0 ? await readSources(node, head, index - 1, progress) : null;
	const sources = await readSources(node, head, index, progress);
	const challenges = await challengesOf(node, Number(sources.start), Number(sources.end));
	return { era: { ...sources, challenges }, previous, chain };
}
