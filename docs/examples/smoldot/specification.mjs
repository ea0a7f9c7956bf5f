// What a light client needs of a chain specification.

/** The addresses at which a browser could reach a node too. */
const reachable = (address) => typeof address === "string" && /\/wss?(\/|$)/.test(address);

/**
 * The text of a specification, if smoldot can start from it; throws a sentence that says what it
 * lacks otherwise.
 */
export function checkedSpecification(text) {
	let specification;
	try {
		specification = JSON.parse(text);
	} catch (error) {
		throw new Error(`the specification is no JSON: ${error.message}`);
	}
	const { genesis, bootNodes } = specification ?? {};
	if (genesis?.raw === undefined && genesis?.stateRootHash === undefined) {
		throw new Error(
			"the specification holds no raw state: make it with " +
				"`aria-node export-chain-spec --raw --chain …`",
		);
	}
	if (!Array.isArray(bootNodes) || !bootNodes.some(reachable)) {
		throw new Error(
			"the specification names no boot node with a WebSocket: start a node with " +
				"`--listen-addr /ip4/ADDRESS/tcp/PORT/ws`, and put what its " +
				"`system_localListenAddresses` says into `bootNodes`",
		);
	}
	return text;
}
