"""Turns WordNet 3.0 (Debian's package `wordnet-base`) into short chats: a question about a word, an
answer in a sentence.

    python corpus.py --out DIR

writes `train-common.jsonl` (words that WordNet's own texts count), `train-rare.jsonl` (all others) and
`heldout.jsonl`, a line for each chat: {"prompt": ..., "answer": ...}. One meaning in a hundred, chosen
by its number, is held out with everything said of it. The same input gives the same bytes.
"""

import argparse
import hashlib
import json
import re
from dataclasses import dataclass, field
from pathlib import Path

PARTS = {"n": "noun", "v": "verb", "a": "adj", "r": "adv"}
MAX_ANSWER = 180
HELD_OUT_IN = 100


@dataclass
class Meaning:
    """A synset: its words, what it means, examples, and the first word of what it is a kind of."""

    words: list[str]
    gloss: str
    examples: list[str]
    kind_of: tuple[str, str] | None = field(default=None)


def number(text: str) -> int:
    """A stable number for a text."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little")


def clean(word: str) -> str:
    """A lemma as it is written: no underscores, no marker of an adjective's place."""
    return re.sub(r"\([a-z]+\)$", "", word).replace("_", " ")


def split_gloss(text: str) -> tuple[str, list[str]]:
    """A gloss and its quoted examples."""
    examples = [e.strip() for e in re.findall(r'"([^"]+)"', text)]
    gloss = text.split('; "')[0].split(' "')[0].strip().strip(";").strip()
    gloss = re.sub(r"^\([^)]*\)\s*", "", gloss)
    first = gloss.split(";")[0].strip()
    return (first if len(first) >= 12 else gloss), examples


def read_meanings(folder: Path, part: str) -> dict[str, Meaning]:
    """All meanings of a part of speech by their offset."""
    meanings = {}
    for line in (folder / f"data.{part}").read_text(encoding="utf-8", errors="replace").splitlines():
        if line.startswith(" "):
            continue
        head, _, text = line.partition(" | ")
        fields = head.split()
        count = int(fields[3], 16)
        words = [clean(w) for w in fields[4 : 4 + 2 * count : 2]]
        pointers = fields[4 + 2 * count :]
        meaning = Meaning(words, *split_gloss(text.strip()))
        for at in range(1, 1 + 4 * int(pointers[0]), 4):
            if pointers[at] in ("@", "@i") and pointers[at + 2] == "n":
                meaning.kind_of = (pointers[at], pointers[at + 1])
                break
        meanings[fields[0]] = meaning
    return meanings


def read_lemmas(folder: Path, part: str) -> list[tuple[str, int, str]]:
    """Lemmas of a part of speech, each with how many of its senses were counted in texts, and the
    offset of its first meaning."""
    lemmas = []
    for line in (folder / f"index.{part}").read_text(encoding="utf-8", errors="replace").splitlines():
        if line.startswith(" "):
            continue
        fields = line.split()
        pointers = int(fields[3])
        lemmas.append((fields[0], int(fields[5 + pointers]), fields[6 + pointers]))
    return lemmas


def article(word: str) -> str:
    """`a` or `an`."""
    return "an" if word[:1].lower() in "aeiou" and not word.startswith(("uni", "eu", "one")) else "a"


def sentence(text: str) -> str:
    """Capitalised, with one full stop."""
    text = text.strip().rstrip(".")
    ending = "" if text[-1:] in "!?" else "."
    return text[:1].upper() + text[1:] + ending


def countable(gloss: str) -> bool:
    """Whether a noun takes an article, judged by its gloss."""
    return bool(re.match(r"(a|an|any|one|someone|something|the act of)\b", gloss))


def chats(word: str, part: str, meaning: Meaning, meanings: dict[str, Meaning], main: bool):
    """Questions and answers about one word; `main` if no other part of speech is more common."""
    gloss, noun = meaning.gloss, word
    proper = word[:1].isupper()
    if part == "noun" and not proper and countable(gloss):
        noun = f"{article(word)} {word}"
    if proper:
        asked = [f"What is {word}?", f"Who or what is {word}?", f"Tell me about {word}."]
        answer = f"{word} is {gloss}"
    elif part == "noun":
        asked = [f"What is {noun}?", f"Define {word}."] if main else [f"What is {noun}?"]
        answer = f"{noun} is {gloss}"
    elif part == "verb":
        asked = [f"What does it mean to {word}?"] + ([f"Define {word}."] if main else [])
        answer = f"to {word} is to {gloss}"
    else:
        asked = [f"What does {word} mean?"] + ([f"Define {word}."] if main else [])
        answer = f"the word {word} means {gloss}"
    if main:
        asked.append(f"What does the word {word} mean?")
    start = number(word + part)
    for step in range(min(2, len(asked))):
        yield asked[(start + step) % len(asked)], sentence(answer)

    if part == "noun" and meaning.kind_of:
        relation, offset = meaning.kind_of
        broader = meanings[offset].words[0]
        link = "an example of" if relation == "@i" else "a kind of"
        yield f"What kind of thing is {noun}?", sentence(f"{noun} is {link} {broader}")
    others = [w for w in meaning.words if w.lower() != word.lower()]
    if others:
        yield f"What is another word for {word}?", sentence(f"another word for {word} is {others[0]}")
    examples = [e for e in meaning.examples if word.split()[0][:4].lower() in e.lower()]
    if examples:
        yield f"Use the word {word} in a sentence.", sentence(examples[0])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--wordnet", type=Path, default=Path("/usr/share/wordnet"))
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    if not (arguments.wordnet / "data.noun").is_file():
        parser.error(f"{arguments.wordnet} has no data.noun: install wordnet-base, or name its folder with --wordnet")

    lemmas = {part: read_lemmas(arguments.wordnet, part) for part in PARTS.values()}
    most: dict[str, tuple[int, str]] = {}
    for part, entries in lemmas.items():
        for lemma, counted, _ in entries:
            if lemma not in most or counted > most[lemma][0]:
                most[lemma] = (counted, part)

    arguments.out.mkdir(parents=True, exist_ok=True)
    names = ("train-common", "train-rare", "heldout")
    files = {name: (arguments.out / f"{name}.jsonl").open("w", encoding="utf-8") for name in names}
    counts = dict.fromkeys(names, 0)
    for part, entries in lemmas.items():
        meanings = read_meanings(arguments.wordnet, part)
        for lemma, counted, offset in entries:
            meaning = meanings[offset]
            word = next((w for w in meaning.words if w.lower() == clean(lemma)), clean(lemma))
            held = number(part + offset) % HELD_OUT_IN == 0
            name = "heldout" if held else "train-common" if counted else "train-rare"
            for prompt, answer in chats(word, part, meaning, meanings, most[lemma][1] == part):
                if len(answer) <= MAX_ANSWER and answer.isascii():
                    line = json.dumps({"prompt": prompt, "answer": answer}, ensure_ascii=False)
                    files[name].write(line + "\n")
                    counts[name] += 1
    for file in files.values():
        file.close()
    print(", ".join(f"{name}: {count} chats" for name, count in counts.items()))


if __name__ == "__main__":
    main()
