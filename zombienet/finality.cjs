// Steps of restart.zndsl that zombienet has no words for. It loads this file once and calls `run`
// for each step, so what is measured stays here between steps.
//
// - `watch` begins to ask every node, each second, for the height of its last final block.
// - `grown-without` gives by how many blocks the finality of each other node grew, at least, while
//   the step's node was away.
// - `catches-up` waits until the step's node has final what the others have, and gives by how many
//   blocks all of them, this node included, then went on together.

const INTERVAL_MS = 1000;
const REPLY_MS = 2000;
// How far the nodes go on together after one has caught up.
const FURTHER = 2;

/** Heights by name of the node, `null` for one that does not answer; one entry for each second. */
const samples = [];
let watching = null;

async function call({ wsUri }, method, ...params) {
	const reply = await fetch(wsUri.replace(/^ws/, "http"), {
		method: "POST",
		headers: { "content-type": "application/json" },
		body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
		signal: AbortSignal.timeout(REPLY_MS),
	});
	const { result, error } = await reply.json();
	if (error) throw new Error(`${method}: ${error.message}`);
	return result;
}

async function finalHeight(node) {
	const header = await call(node, "chain_getHeader", await call(node, "chain_getFinalizedHead"));
	return Number.parseInt(header.number, 16);
}

async function sample(nodes) {
	const heights = await Promise.all(nodes.map((node) => finalHeight(node).catch(() => null)));
	return Object.fromEntries(nodes.map(({ name }, index) => [name, heights[index]]));
}

const pause = () => new Promise((resolve) => setTimeout(resolve, INTERVAL_MS));

async function watch(nodes) {
	const first = await sample(nodes);
	for (const [name, height] of Object.entries(first)) {
		if (height === null) throw new Error(`${name} does not answer, and was not restarted yet`);
	}
	samples.push(first);
	let busy = false;
	watching = setInterval(async () => {
		if (busy) return;
		busy = true;
		samples.push(await sample(nodes));
		busy = false;
	}, INTERVAL_MS);
	watching.unref();
	return 1;
}

function grownWithout(away, others) {
	clearInterval(watching);
	const without = samples.filter((heights) => heights[away] === null);
	if (without.length === 0) throw new Error(`${away} was not restarted: it always answered`);
	const growth = others.map(({ name }) => {
		const heights = without.map((at) => at[name]).filter((height) => height !== null);
		const grown = heights.length === 0 ? 0 : heights[heights.length - 1] - heights[0];
		console.log(`\t ${name} finalised ${grown} blocks in ${without.length} s without ${away}`);
		return grown;
	});
	return Math.min(...growth);
}

/** Waits until every node has final what is `further` blocks above the highest final one now. */
async function reach(nodes, further) {
	const before = Object.values(await sample(nodes)).filter((height) => height !== null);
	const target = Math.max(...before) + further;
	for (;;) {
		const heights = Object.values(await sample(nodes));
		if (heights.every((height) => height !== null && height >= target)) return target;
		await pause();
	}
}

async function catchesUp(name, nodes) {
	const caughtUp = await reach(nodes, 0);
	console.log(`\t ${name} has block ${caughtUp} final, as the others have`);
	const together = await reach(nodes, FURTHER);
	const hashOf = (node) => call(node, "chain_getBlockHash", together);
	const hashes = await Promise.all(nodes.map(hashOf));
	if (new Set(hashes).size !== 1) throw new Error(`the nodes have different blocks ${together}`);
	return together - caughtUp;
}

async function run(name, { relay: nodes }, [step]) {
	switch (step) {
		case "watch":
			return watch(nodes);
		case "grown-without":
			return grownWithout(name, nodes.filter((node) => node.name !== name));
		case "catches-up":
			return catchesUp(name, nodes);
		default:
			throw new Error(`finality.cjs knows no step ${step}`);
	}
}

module.exports = { run };
