// What OpenAI's client for Node.js makes of an ARIA gateway: the client as it comes, with another
// `baseURL` and `apiKey`.
//
//     export OPENAI_BASE_URL=http://127.0.0.1:8080/v1 OPENAI_API_KEY=aria-sk-…
//     npm ci && npm test
//
// The variables are those of ../openai-python/test_openai.py; a test whose variable is missing is
// skipped. `scripts/test-openai.sh` sets all of them.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import OpenAI from "openai";

const env = process.env;
const RECORD = /^0x[0-9a-f]{64}$/;
// Milliseconds until what has to happen must have happened.
const PATIENCE = 60_000;
const messages = [{ role: "user", content: "What is a hedgehog?" }];

// A client that does not repeat by itself, so that each refusal is seen.
const client = new OpenAI({
	baseURL: env.OPENAI_BASE_URL,
	apiKey: env.OPENAI_API_KEY,
	maxRetries: 0,
	timeout: PATIENCE,
});
const withKey = (variable) => client.withOptions({ apiKey: env[variable] });

let model = env.OPENAI_MODEL;
before(async () => {
	model ??= (await client.models.list()).data[0].id;
});

const chat = (more = {}, { by = client, ...options } = {}) =>
	by.chat.completions.create({ model, messages, seed: 7, ...more }, options);
const complete = (more = {}, options = {}) =>
	client.completions.create({ model, prompt: "A river is", seed: 7, ...more }, options);
const textOf = (answer) => answer.choices[0].message.content;

// So many answers, and so wild ones, that they are under way for seconds.
const many = {
	prompt: Array(16).fill("A river is"),
	n: 2,
	max_tokens: 400,
	temperature: 2,
	seed: 1,
};

// Skips a test unless these variables are set.
function needs(...variables) {
	const missing = variables.filter((name) => !env[name]);
	return { skip: missing.length > 0 && `${missing.join(", ")} not set` };
}

async function all(iterable) {
	const list = [];
	for await (const item of iterable) list.push(item);
	return list;
}

// The error that a request ends with, which has to be of this very class.
async function refused([kind, status, code, param], request) {
	const error = await Promise.resolve(request).then(
		() => assert.fail(`it was answered and not refused with ${status} ${code}`),
		(error) => error,
	);
	assert.equal(error.constructor, kind, String(error));
	assert.deepEqual([error.status, error.code, error.param], [status, code, param], String(error));
	assert.ok(error.message && error.type);
	assert.match(error.requestID, /^req_/);
	return error;
}

const badRequest = (code, param, request) =>
	refused([OpenAI.BadRequestError, 400, code, param], request);

// A figure of the gateway's /metrics.
async function metric(name) {
	const url = new URL("/metrics", env.OPENAI_BASE_URL);
	const lines = (await (await fetch(url)).text()).split("\n");
	const values = lines.filter((line) => line.split(" ")[0] === name);
	return values.reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0);
}

async function eventually(what, holds) {
	for (const deadline = Date.now() + PATIENCE; !(await holds()); await sleep(100)) {
		assert.ok(Date.now() < deadline, `${what} did not happen`);
	}
}

describe("chats", () => {
	test("a chat should be answered", async () => {
		const answer = await chat();
		assert.deepEqual([answer.object, answer.model], ["chat.completion", model]);
		assert.match(answer.id, /^chatcmpl-/);
		assert.match(answer.system_fingerprint, /^fp_[0-9a-f]{10}$/);
		const [{ index, message, finish_reason }] = answer.choices;
		assert.deepEqual([index, message.role, finish_reason], [0, "assistant", "stop"]);
		assert.ok(message.content.trim());
		const { prompt_tokens, completion_tokens, total_tokens } = answer.usage;
		assert.ok(prompt_tokens > 0 && completion_tokens > 0);
		assert.equal(total_tokens, prompt_tokens + completion_tokens);
	});

	test("an answer should name its record", async () => {
		const { data, response, request_id } = await chat().withResponse();
		assert.match(data.aria.record_id, RECORD);
		assert.equal(response.headers.get("x-aria-record"), data.aria.record_id);
		assert.equal(data.choices[0].aria.record_id, data.aria.record_id);
		assert.match(request_id, /^req_/);
		assert.equal(data._request_id, request_id);
		const layers = data.aria.nodes.map((node) => node.layers);
		assert.equal(layers[0].first, 0);
		layers.slice(1).forEach(({ first }, index) => assert.equal(first, layers[index].end));
		for (const of of ["requests", "tokens"]) {
			const left = Number(response.headers.get(`x-ratelimit-remaining-${of}`));
			assert.ok(left <= Number(response.headers.get(`x-ratelimit-limit-${of}`)));
		}
	});

	test("the same seed should give the same answer, another seed another", async () => {
		const asked = { temperature: 1, seed: 11 };
		const [first, second] = [await chat(asked), await chat(asked)];
		assert.equal(textOf(first), textOf(second));
		assert.equal(first.system_fingerprint, second.system_fingerprint);
		assert.notEqual(first.aria.record_id, second.aria.record_id);
		const others = await Promise.all([0, 1, 2, 3].map((seed) => chat({ temperature: 1, seed })));
		assert.ok(new Set(others.map(textOf)).size > 1);
	});

	test("temperature and top_p should bound what is drawn", async () => {
		const best = textOf(await chat({ temperature: 0, seed: 1 }));
		for (const asked of [
			{ temperature: 0, seed: 2 },
			{ temperature: 1, top_p: 0, seed: 3 },
			{ temperature: 1, aria: { top_k: 1 }, seed: 4 },
		]) {
			assert.equal(textOf(await chat(asked)), best);
		}
	});

	test("n should give choices of their own", async () => {
		const { data, response } = await chat({ n: 3, seed: 20 }).withResponse();
		assert.deepEqual(data.choices.map(({ index }) => index), [0, 1, 2]);
		assert.deepEqual(data.choices.map(({ aria }) => aria.seed), [20, 21, 22]);
		const records = data.choices.map(({ aria }) => aria.record_id);
		assert.equal(new Set(records).size, 3);
		assert.deepEqual(response.headers.get("x-aria-record").split(","), records);
		const alone = await chat({ seed: 22 });
		assert.equal(textOf(alone), data.choices[2].message.content);
		assert.equal(alone.usage.prompt_tokens, data.usage.prompt_tokens);
	});

	test("max_tokens and max_completion_tokens should end an answer", async () => {
		for (const name of ["max_tokens", "max_completion_tokens"]) {
			const answer = await chat({ temperature: 0, [name]: 3 });
			assert.equal(answer.choices[0].finish_reason, "length");
			assert.equal(answer.usage.completion_tokens, 3);
		}
	});

	test("stop should end an answer before it", async () => {
		const whole = textOf(await chat({ temperature: 0 }));
		const words = whole.split(" ");
		const sequence = ` ${words[Math.floor(words.length / 2)]}`;
		for (const stop of [sequence, ["never said", sequence]]) {
			const { choices } = await chat({ temperature: 0, stop });
			assert.equal(choices[0].message.content, whole.slice(0, whole.indexOf(sequence)));
			assert.equal(choices[0].finish_reason, "stop");
		}
	});
});

describe("streams", () => {
	test("a stream should be the answer in pieces, with usage if asked", async () => {
		const whole = await chat();
		const asked = { stream: true, stream_options: { include_usage: true } };
		const chunks = await all(await chat(asked));
		const last = chunks.pop();
		assert.deepEqual(new Set(chunks.map(({ id }) => id)), new Set([last.id]));
		assert.ok(chunks.every(({ usage }) => usage === null));
		assert.ok(chunks.every((chunk) => chunk.system_fingerprint === whole.system_fingerprint));
		const choices = chunks.map((chunk) => chunk.choices[0]);
		assert.equal(choices[0].delta.role, "assistant");
		assert.equal(choices.map(({ delta }) => delta.content ?? "").join(""), textOf(whole));
		assert.ok(choices.filter(({ delta }) => delta.content).length > 2);
		const reasons = choices.map((choice) => choice.finish_reason);
		assert.deepEqual(reasons, [...Array(reasons.length - 1).fill(null), "stop"]);
		assert.match(chunks.at(-1).aria.record_id, RECORD);
		assert.deepEqual(last.choices, []);
		assert.equal(last.usage.prompt_tokens, whole.usage.prompt_tokens);
		assert.equal(last.usage.completion_tokens, whole.usage.completion_tokens);

		const plain = await all(await chat({ stream: true, max_tokens: 4 }));
		assert.ok(plain.every(({ choices, usage }) => choices.length === 1 && !usage));
	});

	test("choices of a stream should be told apart", async () => {
		const asked = { n: 3, stop: ["."] };
		const [texts, ended] = [["", "", ""], []];
		for await (const { choices } of await chat({ ...asked, stream: true })) {
			for (const { index, delta, finish_reason } of choices) {
				texts[index] += delta.content ?? "";
				if (finish_reason) ended[index] = finish_reason;
			}
		}
		assert.deepEqual(ended, ["stop", "stop", "stop"]);
		const whole = await chat(asked);
		assert.deepEqual(texts, whole.choices.map(({ message }) => message.content));
	});

	test("the client's own accumulation should work", async () => {
		const stream = client.chat.completions.stream({ model, messages, seed: 7 });
		let text = "";
		stream.on("content", (piece) => (text += piece));
		const answer = await stream.finalChatCompletion();
		assert.equal(textOf(answer), text);
		assert.equal(answer.choices[0].finish_reason, "stop");
	});

	test("a stream that is left should be cancelled", async () => {
		const cancelled = () => metric("aria_gateway_cancelled_total");
		const leave = {
			async break() {
				for await (const { choices } of await complete({ ...many, stream: true })) {
					assert.ok(choices.length);
					break;
				}
			},
			async abort() {
				const stream = await complete({ ...many, stream: true });
				for await (const _ of stream) stream.controller.abort();
			},
		};
		for (const [how, act] of Object.entries(leave)) {
			const before = await cancelled();
			await act();
			await eventually(`the end after ${how}`, async () => (await cancelled()) > before);
		}
		const streams = () => metric("aria_gateway_streams");
		await eventually("an end to all streams", async () => (await streams()) === 0);
		assert.ok(textOf(await chat()));
	});

	test("a client that gives up should be noticed", async () => {
		const cancelled = () => metric("aria_gateway_cancelled_total");
		for (const [options, kind] of [
			[() => ({ timeout: 200 }), OpenAI.APIConnectionTimeoutError],
			[() => ({ signal: AbortSignal.timeout(200) }), OpenAI.APIUserAbortError],
		]) {
			const before = await cancelled();
			await assert.rejects(complete(many, options()), kind);
			await eventually("the answer's end", async () => (await cancelled()) > before);
		}
		assert.ok(textOf(await chat()));
	});
});

describe("completions and models", () => {
	test("a text should be continued, whole and as a stream", async () => {
		const asked = { temperature: 0, max_tokens: 4 };
		const whole = await complete(asked);
		assert.deepEqual([whole.object, whole.model], ["text_completion", model]);
		const [{ text, finish_reason }] = whole.choices;
		assert.ok(text.trim());
		assert.deepEqual([finish_reason, whole.usage.completion_tokens], ["length", 4]);
		assert.match(whole.aria.record_id, RECORD);
		const chunks = await all(await complete({ ...asked, stream: true }));
		assert.equal(chunks.map(({ choices }) => choices[0].text).join(""), text);
		assert.equal(chunks.at(-1).choices[0].finish_reason, "length");
	});

	test("several prompts should have their choices in order", async () => {
		const prompt = ["A river is", "A dog is", "To run is"];
		const several = await complete({ prompt, temperature: 0 });
		assert.deepEqual(several.choices.map(({ index }) => index), [0, 1, 2]);
		const alone = await complete({ prompt: prompt[1], temperature: 0 });
		assert.equal(several.choices[1].text, alone.choices[0].text);
	});

	test("models should be found by name and id", async () => {
		const listed = await all(client.models.list());
		const found = listed.find(({ id }) => id === model);
		assert.equal(found.object, "model");
		for (const name of [model, found.aria.model_id]) {
			assert.deepEqual({ ...(await client.models.retrieve(name)) }, { ...found });
		}
		const answer = await chat({ model: found.aria.model_id });
		assert.equal(answer.system_fingerprint, found.aria.system_fingerprint);
	});
});

describe("errors", () => {
	test("an unknown key should be an authentication error", async () => {
		const by = client.withOptions({ apiKey: `aria-sk-${"0".repeat(64)}` });
		const expected = [OpenAI.AuthenticationError, 401, "invalid_api_key", null];
		assert.equal((await refused(expected, chat({}, { by }))).type, "authentication_error");
		await refused(expected, by.models.list());
	});

	test("an unknown model or path should not be found", async () => {
		const unknown = "no-such-model";
		const expected = [OpenAI.NotFoundError, 404, "model_not_found", "model"];
		await refused(expected, chat({ model: unknown }));
		await refused(expected, complete({ model: unknown }));
		await refused(expected, client.models.retrieve(unknown));
		const embedded = client.embeddings.create({ model, input: "a river" });
		await refused([OpenAI.NotFoundError, 404, "unknown_url", null], embedded);
	});

	test("a prompt beyond the context should be refused", async () => {
		const content = "a river ".repeat(2000);
		const code = "context_length_exceeded";
		await badRequest(code, "messages", chat({ messages: [{ role: "user", content }] }));
		await badRequest(code, "prompt", complete({ prompt: content }));
	});

	test("unsupported parameters should be named", async () => {
		const parameters = { type: "object", properties: {} };
		for (const [param, value] of Object.entries({
			presence_penalty: 0.5,
			frequency_penalty: 0.5,
			logit_bias: { 1: 5 },
			logprobs: true,
			tools: [{ type: "function", function: { name: "f", parameters } }],
			response_format: { type: "json_object" },
			reasoning_effort: "high",
			store: true,
		})) {
			await badRequest("unsupported_parameter", param, chat({ [param]: value }));
		}
		await badRequest("unsupported_parameter", "echo", complete({ echo: true }));
	});

	test("invalid values and unknown parameters should be named", async () => {
		for (const [param, value] of Object.entries({
			temperature: 3,
			top_p: 1.5,
			n: 99,
			max_tokens: 0,
			stop: ["a", "b", "c", "d", "e"],
			seed: 0.5,
			messages: [],
		})) {
			await badRequest("invalid_value", param, chat({ [param]: value }));
		}
		await badRequest("invalid_value", "temperature", chat({ stream: true, temperature: 3 }));
		await badRequest("unknown_parameter", "temprature", chat({ temprature: 1 }));
	});

	test("a key should be limited, and go on", needs("ARIA_KEY_LIMITED"), async () => {
		const limited = withKey("ARIA_KEY_LIMITED");
		const flood = async () => {
			for (let sent = 0; sent < 100; sent += 1) await limited.models.list();
		};
		const expected = [OpenAI.RateLimitError, 429, "rate_limit_exceeded", null];
		const error = await refused(expected, flood());
		assert.equal(error.type, "requests");
		assert.ok(Number(error.headers.get("retry-after")) >= 1);
		// What clients do unless told otherwise: they wait as long as they are told.
		const began = performance.now();
		const answer = await chat({ max_tokens: 4 }, { by: limited, maxRetries: 2 });
		assert.ok(textOf(answer));
		assert.ok(performance.now() - began > 900);
	});

	test("a key without allowance should have to be paid for", needs("ARIA_KEY_SPENT"), async () => {
		const expected = [OpenAI.APIError, 402, "insufficient_quota", null];
		const error = await refused(expected, chat({}, { by: withKey("ARIA_KEY_SPENT") }));
		assert.equal(error.type, "insufficient_quota");
		assert.equal(error.headers.get("retry-after"), null);
	});

	test("a key at its cap should be told when the hour ends", needs("ARIA_KEY_CAPPED"), async () => {
		const expected = [OpenAI.RateLimitError, 429, "insufficient_quota", null];
		const error = await refused(expected, chat({}, { by: withKey("ARIA_KEY_CAPPED") }));
		assert.equal(error.type, "insufficient_quota");
		const after = Number(error.headers.get("retry-after"));
		assert.ok(after >= 1 && after <= 3600);
	});

	const network = needs("ARIA_WORKER", "ARIA_BASES");
	test("without workers one should be told to come back", network, async () => {
		const workers = async (order) => {
			for (const base of env.ARIA_BASES.split(":")) {
				await promisify(execFile)(env.ARIA_WORKER, [order, "--base-path", base]);
			}
		};
		try {
			await workers("pause");
			for (const stream of [false, true]) {
				const expected = [OpenAI.InternalServerError, 503, "no_workers", null];
				const error = await refused(expected, chat({ stream }));
				assert.equal(error.type, "server_error");
				assert.ok(Number(error.headers.get("retry-after")) >= 1);
			}
		} finally {
			await workers("resume");
		}
		const served = (answer) => answer.choices.length > 0;
		const away = (error) => {
			assert.equal(error.constructor, OpenAI.InternalServerError);
			return false;
		};
		await eventually("an answer after the pause", () => chat().then(served, away));
	});
});
