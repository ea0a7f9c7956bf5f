"""Trains the tokenizer on the chats: byte-level BPE, so that any text can be encoded.

    python vocabulary.py --corpus DIR --size 6144 --out tokenizer.json

Entries 0 to 3 are the special tokens of the chat template.
"""

import argparse
import json
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

BEGIN, USER, ASSISTANT, END = SPECIAL = ("<|begin|>", "<|user|>", "<|assistant|>", "<|end|>")


def texts(corpus: Path):
    """Questions and answers, those of common words three times."""
    for name, repeats in (("train-common", 3), ("train-rare", 1)):
        for line in (corpus / f"{name}.jsonl").open(encoding="utf-8"):
            chat = json.loads(line)
            for _ in range(repeats):
                yield chat["prompt"]
                yield chat["answer"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--size", type=int, default=6144)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=arguments.size,
        special_tokens=list(SPECIAL),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts(arguments.corpus), trainer)
    tokenizer.save(str(arguments.out))
    print(f"{arguments.out}: {tokenizer.get_vocab_size()} entries")


if __name__ == "__main__":
    main()
