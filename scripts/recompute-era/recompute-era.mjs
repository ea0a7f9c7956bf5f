// Recomputes an era's rewards from a node's records and blocks, and compares with what the chain paid.
// docs/operations/recompute-era.md says what is read and what is believed.

import { parseArgs } from "node:util";
import { readEra } from "./chain.mjs";
import { compare } from "./compare.mjs";
import { recompute } from "./era.mjs";
import { Inconsistent, Unanswerable } from "./errors.mjs";
import { Node } from "./node.mjs";
import { json, tables, verdict } from "./report.mjs";

const HELP = `Usage: run.sh --era NUMBER [--url ws://127.0.0.1:9944] [--json]

Recomputes each worker's and author's reward of a settled era from the era's records and blocks, and
compares every factor with what the chain counted, and the rewards with what it paid.

  --era NUMBER  the era; it is settled from one era after its end on
  --url URL     a node's RPC (ws://127.0.0.1:9944); one that keeps old states: --state-pruning archive
  --json        the comparison as JSON, numbers as decimal strings
  --help        this text

Ends with 0 if everything is equal, 1 if something differs, 2 if the arguments are wrong, and 3 if the
node can't answer: the era is not settled yet, a state is discarded, nobody is there.`;

const LARGEST_ERA = 0xffff_ffff;

function argumentsOf(list) {
	const options = {
		era: { type: "string" },
		url: { type: "string", default: "ws://127.0.0.1:9944" },
		json: { type: "boolean", default: false },
		help: { type: "boolean", default: false },
	};
	const { values } = parseArgs({ args: list, options });
	if (values.help) return values;
	if (values.era === undefined) throw new Error("--era is missing");
	if (!/^\d+$/.test(values.era) || Number(values.era) > LARGEST_ERA) {
		throw new Error(`--era ${values.era} is not the number of an era`);
	}
	if (!/^(ws|http)s?:\/\//.test(values.url)) {
		throw new Error(`--url ${values.url} begins with neither ws:// nor wss:// nor http`);
	}
	return { ...values, era: Number(values.era) };
}

/** Tells how far it is, where somebody looks. */
function progress(read, count) {
	if (!process.stderr.isTTY) return;
	process.stderr.write(`\rblock ${read} of ${count}${read === count ? "\n" : ""}`);
}

async function check({ url, era: index, json: asJson }) {
	const node = await Node.connect(url);
	try {
		const { era, previous, chain } = await readEra(node, index, progress);
		const report = compare(era, recompute(era, previous), chain);
		console.log(asJson ? json(report) : [...tables(report), "", verdict(report)].join("\n"));
		if (report.differences.length === 0) return 0;
		if (asJson) console.error(verdict(report));
		return 1;
	} finally {
		await node.disconnect();
	}
}

async function main(list) {
	let options;
	try {
		options = argumentsOf(list);
	} catch (error) {
		console.error(`recompute-era: ${error.message}\n\n${HELP}`);
		return 2;
	}
	if (options.help) {
		console.log(HELP);
		return 0;
	}
	try {
		return await check(options);
	} catch (error) {
		if (error instanceof Unanswerable) {
			console.error(`recompute-era: ${error.message}`);
			return 3;
		}
		if (error instanceof Inconsistent) {
			console.error(`DIFFERENT: ${error.message}`);
			return 1;
		}
		throw error;
	}
}

process.exitCode = await main(process.argv.slice(2));
