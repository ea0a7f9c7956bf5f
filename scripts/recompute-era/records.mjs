// Records of a block with what was in force when each was settled: model, offer, split. Nothing here is
// a sum; offers that changed within the block are followed event by event.

import { Inconsistent } from "./errors.mjs";

const SOLD = ([model, seller]) => `${model} ${seller}`;

function offerOf({ promptPrice, cachedPrice, outputPrice }) {
	return {
		promptPrice: promptPrice.toBigInt(),
		cachedPrice: cachedPrice.toBigInt(),
		outputPrice: outputPrice.toBigInt(),
	};
}

function splitOf(split) {
	const parts = ["stages", "gateway", "author", "audit", "storage", "burn"];
	return Object.fromEntries(parts.map((part) => [part, split[part].toBigInt()]));
}

function recordOf(id, entry) {
	const { body } = entry;
	return {
		id,
		modelId: body.modelId.toHex(),
		paidBy: body.ticketHash.toHex(),
		promptTokens: body.promptTokens.toBigInt(),
		cachedTokens: body.cachedTokens.toBigInt(),
		outputTokens: body.outputTokens.toBigInt(),
		latencyMs: body.latencyMs.toBigInt(),
		stages: body.stages.map((stage) => ({
			node: stage.node.toString(),
			first: stage.layers.first.toBigInt(),
			end: stage.layers.end.toBigInt(),
			energyMj: stage.energyMj.toBigInt(),
			energySource: stage.energySource.type,
		})),
		signedStages: entry.signedStages.toNumber(),
		gateway: entry.gateway.toString(),
		price: entry.price.toBigInt(),
		settledAt: entry.settledAt.toNumber(),
		era: entry.era.toNumber(),
		auditable: entry.auditable.isTrue,
	};
}

/** Prices as they were before a block and as its events changed them. */
class Prices {
	constructor(parent, records) {
		this.parent = parent;
		this.offers = new Map();
		this.requests = new Map();
		this.byPayment = new Map(records.map((record) => [record.paidBy, record]));
	}

	/** What a gateway asks for a model now; `null` if nothing. */
	async offer(model, seller) {
		const place = SOLD([model, seller]);
		if (!this.offers.has(place)) {
			const entry = await this.parent.query.modelRegistry.offers(model, seller);
			this.offers.set(place, entry.isSome ? offerOf(entry.unwrap().offer) : null);
		}
		return this.offers.get(place);
	}

	/** A request as it stands now: `{maxPrice, offer}`, with no offer unless matched; `null` if none. */
	async request(id) {
		if (!this.requests.has(id)) {
			const entry = await this.parent.query.inferenceMarket.requests(id);
			const known = entry.isSome ? entry.unwrap() : null;
			const matched = known?.state.isMatched ? known.state.asMatched : null;
			this.requests.set(
				id,
				known && {
					maxPrice: known.maxPrice.toBigInt(),
					offer: matched && offerOf(matched.offer),
				},
			);
		}
		return this.requests.get(id);
	}

	async follow({ section, method, data }) {
		if (section === "modelRegistry" && method === "OfferSet") {
			this.offers.set(SOLD([data.model.toHex(), data.seller.toString()]), offerOf(data.offer));
		} else if (section === "inferenceMarket" && method === "Requested") {
			this.requests.set(data.id.toHex(), { maxPrice: data.maxPrice.toBigInt(), offer: null });
		} else if (section === "inferenceMarket" && method === "RequestMatched") {
			const id = data.id.toHex();
			const record = this.byPayment.get(id);
			if (record === undefined) return;
			const { maxPrice } = await this.request(id);
			const offer = await this.offer(record.modelId, data.gateway.toString());
			this.requests.set(id, { maxPrice, offer });
		}
	}

	/** By what a record that is settled now was paid. */
	async terms({ paidBy, modelId, gateway }) {
		const request = await this.request(paidBy);
		if (request !== null) return request;
		return { maxPrice: null, offer: await this.offer(modelId, gateway) };
	}
}

async function modelOf(api, id) {
	const entry = await api.query.modelRegistry.models(id);
	if (entry.isNone) throw new Inconsistent(`the model ${id} of a record is not registered`);
	const { layers, activeParameters } = entry.unwrap().info;
	return { layers: layers.toBigInt(), activeParameters: activeParameters.toBigInt() };
}

/**
 * The records of a block in the order in which they were settled.
 *
 * @param api the state behind the block. @param parent the state before it.
 * @param block `{number, ids, author}`.
 */
export async function recordsOf(api, parent, { number, ids, author }) {
	const entries = await api.query.provenanceLedger.records.multi(ids);
	const records = entries.map((entry, index) => {
		if (entry.isNone) {
			throw new Inconsistent(`block ${number} lists the record ${ids[index]}, which is not there`);
		}
		return recordOf(ids[index], entry.unwrap());
	});
	const prices = new Prices(parent, records);
	const terms = new Map();
	const limited = new Map();
	for (const { event } of await api.query.system.events()) {
		await prices.follow(event);
		if (event.section === "inferenceMarket" && event.method === "PriceLimited") {
			limited.set(event.data.id.toHex(), event.data.tokens.toBigInt());
		}
		if (event.section !== "inferenceMarket" || event.method !== "Settled") continue;
		const record = records.find(({ id }) => id === event.data.id.toHex());
		if (record !== undefined) terms.set(record.id, await prices.terms(record));
	}

	const { split, byteFee } = api.consts.inferenceMarket;
	const models = new Map();
	for (const { modelId } of records) {
		if (!models.has(modelId)) models.set(modelId, await modelOf(api, modelId));
	}
	return records.map((record) => {
		const { offer, maxPrice } = terms.get(record.id) ?? {};
		if (!offer) {
			throw new Inconsistent(`block ${number} does not say by which offer record ${record.id} was paid`);
		}
		if (record.settledAt !== number) {
			throw new Inconsistent(`block ${number} lists record ${record.id} of block ${record.settledAt}`);
		}
		return {
			...record,
			offer,
			tokens: limited.get(record.id) ?? null,
			maxPrice,
			author,
			model: models.get(record.modelId),
			split: splitOf(split),
			byteFee: byteFee.toBigInt(),
		};
	});
}

function verdictOf(info) {
	if (!info.status.isDecided) return null;
	const { verdict, at, canary } = info.status.asDecided;
	return {
		name: verdict.type,
		stage: verdict.isFailed ? verdict.asFailed.stage.toNumber() : null,
		at: at.toNumber(),
		canary: canary.isTrue,
	};
}

/**
 * The records with the verdicts of their audits, `null` where there is none: `{name, stage, at, order,
 * canary}`, `order` being the verdict's place among the events of its block.
 *
 * @param api a state in which all audits of the records are over. @param eventsOf of a block's number.
 */
export async function withVerdicts(api, records, eventsOf) {
	const infos = await api.query.verification.drawn.multi(records.map(({ id }) => id));
	const verdicts = infos.map((info) => (info.isSome ? verdictOf(info.unwrap()) : null));
	const places = new Map();
	for (const at of new Set(verdicts.filter(Boolean).map((verdict) => verdict.at))) {
		(await eventsOf(at)).forEach(({ event }, order) => {
			if (event.section === "verification" && event.method === "Decided") {
				places.set(event.data.id.toHex(), order);
			}
		});
	}
	return records.map((record, index) => {
		const verdict = verdicts[index];
		if (verdict === null) return { ...record, verdict };
		const order = places.get(record.id);
		if (order === undefined) {
			throw new Inconsistent(`block ${verdict.at} does not say what became of the record ${record.id}`);
		}
		return { ...record, verdict: { ...verdict, order } };
	});
}
