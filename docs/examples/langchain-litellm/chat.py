"""A chat and a stream with LangChain's ChatOpenAI and with LiteLLM, through an ARIA gateway.

    pip install -r requirements.txt
    export OPENAI_BASE_URL=http://127.0.0.1:8080/v1 OPENAI_API_KEY=aria-sk-…
    python chat.py

`OPENAI_MODEL` names the model. Prints what each of them was answered; ends with status 1 if the same
question with the same seed has two answers, or if anything is missing.
"""

import os
import sys

# LiteLLM would ask the internet for a list of prices when it is imported.
os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")

import litellm  # noqa: E402
from langchain_openai import ChatOpenAI  # noqa: E402

BASE_URL, API_KEY = os.environ["OPENAI_BASE_URL"], os.environ["OPENAI_API_KEY"]
MODEL = os.environ.get("OPENAI_MODEL", "aria-wordnet")
QUESTION = "What is a hedgehog?"
SAMPLING = {"temperature": 0.7, "seed": 7, "max_tokens": 40}


def with_langchain():
    """The text of an answer, that of the same as a stream, and the tokens that both had."""
    model = ChatOpenAI(
        base_url=BASE_URL, api_key=API_KEY, model=MODEL, stream_usage=True, **SAMPLING
    )
    answer = model.invoke(QUESTION)
    whole, *others = model.stream(QUESTION)
    for chunk in others:
        whole += chunk
    counts = [message.usage_metadata["output_tokens"] for message in (answer, whole)]
    return answer.content, whole.content, counts


def with_litellm():
    """As `with_langchain`."""
    asked = {
        "model": f"openai/{MODEL}",
        "api_base": BASE_URL,
        "api_key": API_KEY,
        "messages": [{"role": "user", "content": QUESTION}],
        **SAMPLING,
    }
    answer = litellm.completion(**asked)
    chunks = list(
        litellm.completion(**asked, stream=True, stream_options={"include_usage": True})
    )
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    usages = [chunk.usage for chunk in chunks if getattr(chunk, "usage", None)]
    counts = [usage.completion_tokens for usage in (answer.usage, *usages[-1:])]
    return answer.choices[0].message.content, text, counts


def main():
    answers = set()
    for name, ask in (("LangChain", with_langchain), ("LiteLLM", with_litellm)):
        text, streamed, counts = ask()
        print(f"{name}: {text} ({counts[0]} tokens)")
        if not text.strip() or text != streamed:
            sys.exit(f"{name}: the stream is another answer: {streamed!r}")
        if len(counts) != 2 or counts[0] != counts[1] or counts[0] < 1:
            sys.exit(f"{name}: the answer and its stream have these counts of tokens: {counts}")
        answers.add(text)
    if len(answers) != 1:
        sys.exit("LangChain and LiteLLM were answered differently, with the same seed")


if __name__ == "__main__":
    main()
