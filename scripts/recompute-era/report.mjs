// A comparison as tables, and as JSON.

const show = (value) => {
	if (value === undefined) return "";
	return value === null ? "none" : value.toString();
};

/** Rows as lines of a table: what was computed anew, what the chain says, a mark where they differ. */
function table(rows) {
	const cells = [
		["", "recomputed", "chain", ""],
		...rows.map(({ name, recomputed, chain, differs }) => [
			name,
			show(recomputed),
			show(chain),
			differs ? "DIFFERS" : "",
		]),
	];
	const width = (column) => Math.max(...cells.map((line) => line[column].length));
	const [name, ours, theirs] = [0, 1, 2].map(width);
	const line = ([what, one, other, mark]) =>
		`  ${what.padEnd(name)}  ${one.padStart(ours)}  ${other.padStart(theirs)}  ${mark}`;
	return cells.map((each) => line(each).trimEnd());
}

/** The tables of a comparison, in lines. */
export function tables(report) {
	const lines = [`era ${report.era}: ${report.records} records, settled by block ${report.settledAt}`];
	lines.push(...table(report.whole));
	for (const { worker, account, how, rows } of report.workers) {
		const to = account === null || account === worker ? "" : ` to ${account}`;
		lines.push("", `worker ${worker}: ${how}${to}`, ...table(rows));
	}
	for (const { author, how, rows } of report.authors) {
		lines.push("", `author ${author}: ${how}`, ...table(rows));
	}
	return lines;
}

/** The last line of a comparison. */
export function verdict({ era, workers, differences }) {
	if (differences.length === 0) {
		const count = `${workers.length} workers`;
		return `EQUAL: the rewards of era ${era} follow from its records, to the planck (${count})`;
	}
	const told = differences.map(
		({ where, name, recomputed, chain }) =>
			`${where}: ${name}: ${show(recomputed)}, the chain says ${show(chain)}`,
	);
	const head = `DIFFERENT: ${differences.length} figures of era ${era} do not follow from its records`;
	return [head, ...told].join("\n");
}

/** A comparison as JSON; numbers are decimal strings. */
export function json(report) {
	const text = (_, value) => (typeof value === "bigint" ? value.toString() : value);
	return JSON.stringify({ ...report, equal: report.differences.length === 0 }, text, 2);
}
