"""What OpenAI's client for Python makes of an ARIA gateway: the client as it comes, with another
`base_url` and `api_key`.

    pip install -r requirements.txt
    export OPENAI_BASE_URL=http://127.0.0.1:8080/v1 OPENAI_API_KEY=aria-sk-…
    python -m unittest -v test_openai

| variable | |
|---|---|
| `OPENAI_BASE_URL`, `OPENAI_API_KEY` | the gateway, and a key for it |
| `OPENAI_MODEL` | the model [default: the first that is served] |
| `ARIA_KEY_LIMITED` | a key of at most 30 requests a minute |
| `ARIA_KEY_SPENT` | a key whose allowance is used up |
| `ARIA_KEY_CAPPED` | a key whose cap for the hour is used up |
| `ARIA_WORKER` | the program `aria-worker`, with which a test pauses all workers |
| `ARIA_BASES` | their base paths, with `:` between them |

A test whose variable is missing is skipped. `scripts/test-openai.sh` sets all of them.
"""

import asyncio
import os
import subprocess
import time
import unittest
import urllib.request

import openai
from openai import AsyncOpenAI, OpenAI

BASE_URL = os.environ.get("OPENAI_BASE_URL", "")
API_KEY = os.environ.get("OPENAI_API_KEY", "")
BASES = [base for base in os.environ.get("ARIA_BASES", "").split(":") if base]

QUESTION = [{"role": "user", "content": "What is a hedgehog?"}]
# So many answers, and so wild ones, that they are under way for seconds.
MANY = {"prompt": ["A river is"] * 16, "n": 2, "max_tokens": 400, "temperature": 2, "seed": 1}
RECORD = r"^0x[0-9a-f]{64}$"
# Seconds until what has to happen must have happened.
PATIENCE = 60


def needs(*variables):
    """Skips a test unless these variables are set."""
    missing = [name for name in variables if not os.environ.get(name)]
    return unittest.skipIf(missing, f"{', '.join(missing)} not set")


def metric(name):
    """A figure of the gateway's /metrics."""
    with urllib.request.urlopen(BASE_URL.removesuffix("/v1") + "/metrics", timeout=10) as response:
        lines = response.read().decode().splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.split(" ")[0] == name)


class Case(unittest.TestCase):
    """A client that does not repeat by itself, so that each refusal is seen."""

    @classmethod
    def setUpClass(cls):
        cls.client = OpenAI(base_url=BASE_URL, api_key=API_KEY, max_retries=0, timeout=PATIENCE)
        cls.addClassCleanup(cls.client.close)
        cls.model = os.environ.get("OPENAI_MODEL") or cls.client.models.list().data[0].id

    def chat(self, client=None, **more):
        asked = {"model": self.model, "messages": QUESTION, "seed": 7, **more}
        return (client or self.client).chat.completions.create(**asked)

    def completion(self, **more):
        asked = {"model": self.model, "prompt": "A river is", "seed": 7, **more}
        return self.client.completions.create(**asked)

    def eventually(self, what, holds):
        deadline = time.monotonic() + PATIENCE
        while not holds():
            self.assertLess(time.monotonic(), deadline, f"{what} did not happen")
            time.sleep(0.1)

    def refused(self, kind, status, code, param, ask, *args, **more):
        """The error of `ask(*args, **more)`, which has to be of this very class."""
        with self.assertRaises(openai.APIStatusError) as caught:
            ask(*args, **more)
        error = caught.exception
        self.assertIs(type(error), kind, error)
        self.assertEqual((error.status_code, error.code, error.param), (status, code, param), error)
        self.assertTrue(error.message and error.type)
        self.assertRegex(error.request_id, r"^req_")
        return error


class Chat(Case):
    def test_a_chat_should_be_answered(self):
        answer = self.chat()
        (choice,) = answer.choices
        self.assertEqual((answer.object, answer.model), ("chat.completion", self.model))
        self.assertRegex(answer.id, "^chatcmpl-")
        self.assertRegex(answer.system_fingerprint, "^fp_[0-9a-f]{10}$")
        self.assertEqual((choice.index, choice.message.role), (0, "assistant"))
        self.assertEqual(choice.finish_reason, "stop")
        self.assertTrue(choice.message.content.strip())
        usage = answer.usage
        self.assertGreater(min(usage.prompt_tokens, usage.completion_tokens), 0)
        self.assertEqual(usage.total_tokens, usage.prompt_tokens + usage.completion_tokens)

    def test_an_answer_should_name_its_record(self):
        raw = self.chat(self.client.with_raw_response)
        answer = raw.parse()
        self.assertRegex(answer.aria["record_id"], RECORD)
        self.assertEqual(raw.headers["x-aria-record"], answer.aria["record_id"])
        self.assertEqual(answer.choices[0].aria["record_id"], answer.aria["record_id"])
        self.assertRegex(raw.headers["x-request-id"], "^req_")
        self.assertEqual(answer.aria["seed"], 7)
        self.assertEqual(answer.aria["completion_tokens"], answer.usage.completion_tokens)
        layers = [node["layers"] for node in answer.aria["nodes"]]
        self.assertEqual(layers[0]["first"], 0)
        for one, next_one in zip(layers, layers[1:]):
            self.assertEqual(one["end"], next_one["first"])

    def test_limits_of_the_key_should_be_in_the_headers(self):
        headers = self.chat(self.client.with_raw_response).headers
        for of in ("requests", "tokens"):
            left = int(headers[f"x-ratelimit-remaining-{of}"])
            self.assertLessEqual(left, int(headers[f"x-ratelimit-limit-{of}"]))
            self.assertRegex(headers[f"x-ratelimit-reset-{of}"], r"^(\d+m)?[\d.]+m?s$")

    def test_the_same_seed_should_give_the_same_answer(self):
        first, second = (self.chat(temperature=1, seed=11) for _ in range(2))
        self.assertEqual(first.choices[0].message.content, second.choices[0].message.content)
        self.assertEqual(first.system_fingerprint, second.system_fingerprint)
        self.assertNotEqual(first.aria["record_id"], second.aria["record_id"])

    def test_other_seeds_should_give_other_answers(self):
        answers = [self.chat(temperature=1, seed=seed) for seed in range(4)]
        self.assertGreater(len({answer.choices[0].message.content for answer in answers}), 1)

    def test_temperature_and_top_p_should_bound_what_is_drawn(self):
        def text(**sampling):
            return self.chat(**sampling).choices[0].message.content

        best = text(temperature=0, seed=1)
        self.assertEqual(text(temperature=0, seed=2), best)
        self.assertEqual(text(temperature=1, top_p=0, seed=3), best)
        self.assertEqual(text(temperature=1, seed=4, extra_body={"aria": {"top_k": 1}}), best)
        wild = {text(temperature=2, top_p=1, seed=seed, max_tokens=20) for seed in range(4)}
        self.assertGreater(len(wild), 1)

    def test_n_should_give_choices_of_their_own(self):
        raw = self.chat(self.client.with_raw_response, n=3, seed=20)
        answer = raw.parse()
        self.assertEqual([choice.index for choice in answer.choices], [0, 1, 2])
        records = [choice.aria["record_id"] for choice in answer.choices]
        self.assertEqual(len(set(records)), 3)
        self.assertEqual(raw.headers["x-aria-record"].split(","), records)
        self.assertEqual([choice.aria["seed"] for choice in answer.choices], [20, 21, 22])
        # A choice is what a request with its seed has.
        alone = self.chat(seed=22)
        self.assertEqual(alone.choices[0].message.content, answer.choices[2].message.content)
        counted = sum(choice.aria["completion_tokens"] for choice in answer.choices)
        self.assertEqual(answer.usage.completion_tokens, counted)
        self.assertEqual(answer.usage.prompt_tokens, alone.usage.prompt_tokens)

    def test_max_tokens_should_end_an_answer(self):
        for name in ("max_tokens", "max_completion_tokens"):
            with self.subTest(name):
                answer = self.chat(temperature=0, **{name: 3})
                self.assertEqual(answer.choices[0].finish_reason, "length")
                self.assertEqual(answer.usage.completion_tokens, 3)

    def test_stop_should_end_an_answer_before_it(self):
        whole = self.chat(temperature=0).choices[0].message.content
        words = whole.split(" ")
        stop = " " + words[len(words) // 2]
        for value in (stop, ["never said", stop]):
            with self.subTest(stop=value):
                (choice,) = self.chat(temperature=0, stop=value).choices
                self.assertEqual(choice.message.content, whole[: whole.index(stop)])
                self.assertEqual(choice.finish_reason, "stop")

    def test_a_conversation_should_be_taken(self):
        answer = self.chat(
            messages=[
                {"role": "system", "content": "Answer briefly."},
                {"role": "user", "name": "eve", "content": "What is a river?"},
                {"role": "assistant", "content": "A river is a large stream."},
                {"role": "user", "content": [{"type": "text", "text": "What is a stream?"}]},
            ],
            user="eve",
            presence_penalty=0,
            tools=[],
        )
        self.assertTrue(answer.choices[0].message.content.strip())
        self.assertGreater(answer.usage.prompt_tokens, self.chat().usage.prompt_tokens)

    def test_clients_of_asyncio_should_be_answered_side_by_side(self):
        async def all_of_them():
            async with AsyncOpenAI(base_url=BASE_URL, api_key=API_KEY, timeout=PATIENCE) as client:
                return await asyncio.gather(*(self.chat(client, seed=seed) for seed in range(4)))

        for seed, answer in enumerate(asyncio.run(all_of_them())):
            self.assertEqual(answer.aria["seed"], seed)
            self.assertTrue(answer.choices[0].message.content.strip())


class Streams(Case):
    def test_a_stream_should_be_the_answer_in_pieces(self):
        whole = self.chat()
        with self.chat(stream=True, stream_options={"include_usage": True}) as stream:
            *chunks, last = stream
        self.assertEqual({chunk.id for chunk in chunks}, {last.id})
        self.assertEqual({chunk.system_fingerprint for chunk in chunks}, {whole.system_fingerprint})
        self.assertTrue(all(chunk.usage is None for chunk in chunks))
        choices = [chunk.choices[0] for chunk in chunks]
        self.assertEqual(choices[0].delta.role, "assistant")
        text = "".join(choice.delta.content or "" for choice in choices)
        self.assertEqual(text, whole.choices[0].message.content)
        self.assertGreater(sum(bool(choice.delta.content) for choice in choices), 2)
        reasons = [choice.finish_reason for choice in choices]
        self.assertEqual(reasons, [None] * (len(reasons) - 1) + ["stop"])
        self.assertRegex(chunks[-1].aria["record_id"], RECORD)
        self.assertEqual(last.choices, [])
        self.assertEqual(last.usage.to_dict(), whole.usage.to_dict() | cached(last.usage))

    def test_a_stream_should_have_no_usage_unless_asked(self):
        chunks = list(self.chat(stream=True, max_tokens=4))
        self.assertTrue(all(chunk.choices and chunk.usage is None for chunk in chunks))

    def test_choices_of_a_stream_should_be_told_apart(self):
        texts, ended = {}, {}
        for chunk in self.chat(stream=True, n=3, stop=["."]):
            for choice in chunk.choices:
                texts[choice.index] = texts.get(choice.index, "") + (choice.delta.content or "")
                if choice.finish_reason:
                    ended[choice.index] = choice.finish_reason
        self.assertEqual(ended, {0: "stop", 1: "stop", 2: "stop"})
        whole = self.chat(n=3, stop=["."])
        self.assertEqual(
            texts, {choice.index: choice.message.content for choice in whole.choices}
        )

    def test_the_clients_own_accumulation_should_work(self):
        with self.client.chat.completions.stream(
            model=self.model, messages=QUESTION, seed=7, stream_options={"include_usage": True}
        ) as stream:
            text = "".join(event.delta for event in stream if event.type == "content.delta")
            answer = stream.get_final_completion()
        self.assertEqual(answer.choices[0].message.content, text)
        self.assertEqual(answer.choices[0].finish_reason, "stop")
        self.assertGreater(answer.usage.completion_tokens, 0)

    def test_a_stream_that_is_closed_should_be_cancelled(self):
        before = metric("aria_gateway_cancelled_total")
        stream = self.completion(stream=True, **MANY)
        self.assertTrue(next(stream).choices)
        stream.close()
        self.eventually(
            "the answer's end", lambda: metric("aria_gateway_cancelled_total") > before
        )
        self.eventually("an end to all streams", lambda: metric("aria_gateway_streams") == 0)
        self.assertTrue(self.chat().choices[0].message.content)

    def test_a_client_that_gives_up_should_be_noticed(self):
        before = metric("aria_gateway_cancelled_total")
        hasty = self.client.with_options(timeout=0.2)
        with self.assertRaises(openai.APITimeoutError):
            hasty.completions.create(model=self.model, **MANY)
        self.eventually(
            "the answer's end", lambda: metric("aria_gateway_cancelled_total") > before
        )
        self.assertTrue(self.chat().choices[0].message.content)


def cached(usage):
    """What two askings of the same question may differ in: the prompt's tokens that were kept."""
    return {"prompt_tokens_details": usage.prompt_tokens_details.to_dict()}


class Completions(Case):
    def test_a_text_should_be_continued(self):
        answer = self.completion(temperature=0, max_tokens=4)
        self.assertEqual((answer.object, answer.model), ("text_completion", self.model))
        self.assertRegex(answer.id, "^cmpl-")
        (choice,) = answer.choices
        self.assertTrue(choice.text.strip())
        self.assertEqual((choice.finish_reason, answer.usage.completion_tokens), ("length", 4))
        self.assertRegex(answer.aria["record_id"], RECORD)

    def test_several_prompts_should_have_their_choices_in_order(self):
        prompts = ["A river is", "A dog is", "To run is"]
        several = self.completion(prompt=prompts, temperature=0)
        self.assertEqual([choice.index for choice in several.choices], [0, 1, 2])
        alone = self.completion(prompt=prompts[1], temperature=0)
        self.assertEqual(several.choices[1].text, alone.choices[0].text)

    def test_tokens_should_be_taken(self):
        answer = self.completion(prompt=[100, 101, 102], max_tokens=2)
        self.assertEqual(answer.usage.prompt_tokens, 3)

    def test_a_completion_should_be_streamed(self):
        whole = self.completion(temperature=0)
        options = {"stream": True, "stream_options": {"include_usage": True}}
        *chunks, last = self.completion(temperature=0, **options)
        self.assertEqual("".join(c.choices[0].text for c in chunks), whole.choices[0].text)
        self.assertEqual(chunks[-1].choices[0].finish_reason, whole.choices[0].finish_reason)
        self.assertEqual(last.usage.completion_tokens, whole.usage.completion_tokens)


class Models(Case):
    def test_models_should_be_found_by_name_and_id(self):
        listed = {model.id: model for model in self.client.models.list()}
        model = listed[self.model]
        self.assertEqual((model.object, model.owned_by), ("model", "aria"))
        self.assertEqual(self.client.models.retrieve(self.model), model)
        self.assertEqual(self.client.models.retrieve(model.aria["model_id"]), model)
        answer = self.chat(model=model.aria["model_id"])
        self.assertEqual(answer.aria["model_id"], model.aria["model_id"])
        self.assertEqual(answer.system_fingerprint, model.aria["system_fingerprint"])


class Errors(Case):
    def bad_request(self, code, param, ask, *args, **more):
        self.refused(openai.BadRequestError, 400, code, param, ask, *args, **more)

    def with_key(self, variable):
        return self.client.with_options(api_key=os.environ[variable])

    def test_an_unknown_key_should_be_an_authentication_error(self):
        other = self.client.with_options(api_key="aria-sk-" + 64 * "0")
        expected = (openai.AuthenticationError, 401, "invalid_api_key", None)
        error = self.refused(*expected, self.chat, other)
        self.assertEqual(error.type, "authentication_error")
        self.refused(*expected, other.models.list)

    def test_an_unknown_model_should_not_be_found(self):
        expected = (openai.NotFoundError, 404, "model_not_found", "model")
        self.refused(*expected, self.chat, model="no-such-model")
        self.refused(*expected, self.completion, model="no-such-model")
        self.refused(*expected, self.client.models.retrieve, "no-such-model")

    def test_what_is_not_there_should_not_be_found(self):
        embed = self.client.embeddings.create
        expected = (openai.NotFoundError, 404, "unknown_url", None)
        self.refused(*expected, embed, model=self.model, input="a river")

    def test_a_prompt_beyond_the_context_should_be_refused(self):
        long = "a river " * 2000
        code, messages = "context_length_exceeded", [{"role": "user", "content": long}]
        self.bad_request(code, "messages", self.chat, messages=messages)
        self.bad_request(code, "prompt", self.completion, prompt=long)

    def test_unsupported_parameters_should_be_named(self):
        function = {"name": "f", "parameters": {"type": "object", "properties": {}}}
        for param, value in {
            "presence_penalty": 0.5,
            "frequency_penalty": 0.5,
            "logit_bias": {"1": 5},
            "logprobs": True,
            "tools": [{"type": "function", "function": function}],
            "response_format": {"type": "json_object"},
            "reasoning_effort": "high",
            "store": True,
        }.items():
            with self.subTest(param):
                self.bad_request("unsupported_parameter", param, self.chat, **{param: value})
        self.bad_request("unsupported_parameter", "echo", self.completion, echo=True)

    def test_invalid_values_should_be_named(self):
        for param, value in {
            "temperature": 3,
            "top_p": 1.5,
            "n": 99,
            "max_tokens": 0,
            "stop": ["a", "b", "c", "d", "e"],
            "seed": 0.5,
            "messages": [],
        }.items():
            with self.subTest(param):
                self.bad_request("invalid_value", param, self.chat, **{param: value})

    def test_unknown_parameters_should_be_named(self):
        extra = {"temprature": 1}
        self.bad_request("unknown_parameter", "temprature", self.chat, extra_body=extra)

    def test_a_stream_should_be_refused_before_it_begins(self):
        self.bad_request("invalid_value", "temperature", self.chat, stream=True, temperature=3)

    @needs("ARIA_KEY_LIMITED")
    def test_a_key_should_be_limited_and_go_on_after_a_while(self):
        limited = self.with_key("ARIA_KEY_LIMITED")

        def flood():
            for _ in range(100):
                limited.models.list()

        error = self.refused(openai.RateLimitError, 429, "rate_limit_exceeded", None, flood)
        self.assertEqual(error.type, "requests")
        self.assertGreaterEqual(int(error.response.headers["retry-after"]), 1)
        self.assertEqual(error.response.headers["x-ratelimit-remaining-requests"], "0")
        # What clients do unless told otherwise: they wait as long as they are told.
        patient = limited.with_options(max_retries=openai.DEFAULT_MAX_RETRIES)
        raw = self.chat(patient.with_raw_response, max_tokens=4)
        self.assertGreaterEqual(raw.retries_taken, 1)
        self.assertTrue(raw.parse().choices[0].message.content)

    @needs("ARIA_KEY_SPENT")
    def test_a_key_without_allowance_should_have_to_be_paid_for(self):
        expected = (openai.APIStatusError, 402, "insufficient_quota", None)
        error = self.refused(*expected, self.chat, self.with_key("ARIA_KEY_SPENT"))
        self.assertEqual(error.type, "insufficient_quota")
        self.assertNotIn("retry-after", error.response.headers)

    @needs("ARIA_KEY_CAPPED")
    def test_a_key_at_its_cap_should_be_told_when_the_hour_ends(self):
        expected = (openai.RateLimitError, 429, "insufficient_quota", None)
        error = self.refused(*expected, self.chat, self.with_key("ARIA_KEY_CAPPED"))
        self.assertEqual(error.type, "insufficient_quota")
        self.assertIn(int(error.response.headers["retry-after"]), range(1, 3601))

    @needs("ARIA_WORKER", "ARIA_BASES")
    def test_without_workers_a_request_should_be_told_to_come_back(self):
        def all_workers(do):
            for base in BASES:
                command = [os.environ["ARIA_WORKER"], do, "--base-path", base]
                subprocess.run(command, check=True, capture_output=True, timeout=PATIENCE)

        self.addCleanup(self.eventually, "an answer after the pause", self.is_served)
        self.addCleanup(all_workers, "resume")
        all_workers("pause")
        for stream in (False, True):
            expected = (openai.InternalServerError, 503, "no_workers", None)
            error = self.refused(*expected, self.chat, stream=stream)
            self.assertEqual(error.type, "server_error")
            self.assertGreaterEqual(int(error.response.headers["retry-after"]), 1)

    def is_served(self):
        try:
            return bool(self.chat().choices)
        except openai.InternalServerError:
            return False


if __name__ == "__main__":
    unittest.main()
