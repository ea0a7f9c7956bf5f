"""Trains the network on the chats; stops and goes on where it stopped.

    python train.py --corpus DIR --tokenizer FILE --out DIR [--full-precision] [--device cuda]

An epoch is every chat about a common word and a share of those about rare ones, in an order that the
seed decides. DIR/state.pt has everything needed to go on; DIR/log.jsonl a line for each report.
"""

import argparse
import json
import math
import random
import time
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from tokenizers import Tokenizer
from tqdm import tqdm

from bitnet import Network, Shape
from vocabulary import ASSISTANT, BEGIN, END, USER


def encode(tokenizer: Tokenizer, path: Path) -> list[list[int]]:
    """The tokens of each chat, special tokens included."""
    begin, user, assistant, end = (tokenizer.token_to_id(t) for t in (BEGIN, USER, ASSISTANT, END))
    chats = [json.loads(line) for line in path.open(encoding="utf-8")]
    prompts = tokenizer.encode_batch([c["prompt"] for c in chats])
    answers = tokenizer.encode_batch([c["answer"] for c in chats])
    return [[begin, user, *p.ids, assistant, *a.ids, end] for p, a in zip(prompts, answers)]


def epoch_tokens(common: list, rare: list, share: float, seed: int) -> np.ndarray:
    """The tokens of one epoch, one chat behind the other."""
    generator = random.Random(seed)
    chats = common + generator.sample(rare, int(len(rare) * share))
    generator.shuffle(chats)
    return np.concatenate([np.asarray(chat, dtype=np.int64) for chat in chats])


def groups(network: Network) -> list[dict]:
    """Weight decay for matrices only."""
    matrices = [p for n, p in network.named_parameters() if p.dim() == 2 and "embedding" not in n]
    others = [p for n, p in network.named_parameters() if p.dim() != 2 or "embedding" in n]
    return [{"params": matrices, "decays": True}, {"params": others, "decays": False, "weight_decay": 0.0}]


def schedule(step: int, steps: int, peak: float) -> tuple[float, float]:
    """Learning rate and weight decay: warm-up, cosine to a fiftieth; decay for the first half only, as
    ternary weights should settle in the second."""
    warm = min(200, steps // 10 + 1)
    if step < warm:
        return peak * (step + 1) / warm, 0.1
    at = (step - warm) / max(1, steps - warm)
    return peak * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * at))), 0.1 if at < 0.5 else 0.0


@torch.no_grad()
def heldout_loss(network: Network, chats: list[list[int]], device: str, assistant: int) -> float:
    """Mean loss in nats over the answers' tokens, the end included; each chat by itself."""
    network.eval()
    total, count = 0.0, 0
    chats = sorted(chats, key=len)
    for at in range(0, len(chats), 64):
        part = chats[at : at + 64]
        length = max(map(len, part))
        tokens = torch.tensor([c + [0] * (length - len(c)) for c in part], device=device)
        mask = torch.zeros_like(tokens, dtype=torch.bool)
        for row, chat in enumerate(part):
            mask[row, chat.index(assistant) + 1 : len(chat)] = True
        loss = F.cross_entropy(network(tokens[:, :-1]).float().transpose(1, 2), tokens[:, 1:], reduction="none")
        total += loss[mask[:, 1:]].sum().item()
        count += int(mask.sum())
    network.train()
    return total / count


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--tokenizer", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--full-precision", action="store_true", help="train the twin instead")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--rare", type=float, default=0.1, help="share of the rare chats in an epoch")
    parser.add_argument("--batch", type=int, default=16, help="sequences in a step")
    parser.add_argument("--length", type=int, default=128, help="tokens in a sequence")
    parser.add_argument("--rate", type=float, default=3e-3, help="peak of the learning rate")
    parser.add_argument("--exact", action="store_true", help="float32 throughout, uncompiled: twice as slow")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--save-every", type=int, default=200, help="steps between saves")
    for name, value in Shape().to_dict().items():
        if name not in ("vocab", "norm_epsilon"):
            parser.add_argument(f"--{name.replace('_', '-')}", type=int, default=value)
    arguments = parser.parse_args()

    tokenizer = Tokenizer.from_file(str(arguments.tokenizer))
    common, rare, held = (
        encode(tokenizer, arguments.corpus / f"{name}.jsonl") for name in ("train-common", "train-rare", "heldout")
    )
    fields = {n: getattr(arguments, n) for n in Shape().to_dict() if n not in ("vocab", "norm_epsilon")}
    shape = Shape(vocab=tokenizer.get_vocab_size(), **fields)
    torch.manual_seed(arguments.seed)
    network = Network(shape, ternary=not arguments.full_precision).to(arguments.device)
    optimiser = torch.optim.AdamW(groups(network), lr=arguments.rate, betas=(0.9, 0.95), weight_decay=0.1)

    chunk = arguments.batch * arguments.length
    streams = [epoch_tokens(common, rare, arguments.rare, arguments.seed + e) for e in range(arguments.epochs)]
    tokens = torch.from_numpy(np.concatenate(streams))
    steps = (len(tokens) - 1) // chunk
    arguments.out.mkdir(parents=True, exist_ok=True)
    state, start = arguments.out / "state.pt", 0
    if state.is_file():
        saved = torch.load(state, map_location=arguments.device, weights_only=True)
        if saved["shape"] != shape.to_dict():
            parser.error(f"{state} is of another shape: give another --out, or the same dimensions")
        network.load_state_dict(saved["network"])
        optimiser.load_state_dict(saved["optimiser"])
        start = saved["step"]

    def save(step: int) -> None:
        part = state.with_suffix(".part")
        torch.save(
            {
                "network": network.state_dict(),
                "optimiser": optimiser.state_dict(),
                "step": step,
                "steps": steps,
                "shape": shape.to_dict(),
                "ternary": network.ternary,
                "tokens": step * chunk,
            },
            part,
        )
        part.replace(state)

    parameters = sum(p.numel() for p in network.parameters())
    print(f"{parameters:,} parameters, {len(tokens):,} tokens, {steps:,} steps from {start:,}")
    log = (arguments.out / "log.jsonl").open("a", encoding="utf-8")
    # Half precision for the matrix products only: weights and optimiser stay in float32.
    kind = torch.device(arguments.device).type
    cast = nullcontext() if arguments.exact else torch.autocast(kind, torch.bfloat16)
    forward = network if arguments.exact else torch.compile(network)
    bar, recent, began = tqdm(range(start, steps), initial=start, total=steps, unit="step"), [], time.time()
    for step in bar:
        rate, decay = schedule(step, steps, arguments.rate)
        for group in optimiser.param_groups:
            group["lr"] = rate
            group["weight_decay"] = decay if group["decays"] else 0.0
        at = step * chunk
        inputs = tokens[at : at + chunk].view(arguments.batch, -1).to(arguments.device)
        targets = tokens[at + 1 : at + chunk + 1].view(arguments.batch, -1).to(arguments.device)
        with cast:
            loss = F.cross_entropy(forward(inputs).flatten(0, 1).float(), targets.flatten())
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        recent.append(loss.item())
        if (step + 1) % 50 == 0:
            bar.set_postfix(loss=f"{np.mean(recent):.3f}", rate=f"{rate:.1e}")
            line = {"step": step + 1, "loss": round(float(np.mean(recent)), 4), "seconds": round(time.time() - began, 1)}
            log.write(json.dumps(line) + "\n")
            log.flush()
            recent = []
        if (step + 1) % arguments.save_every == 0:
            save(step + 1)
    save(steps)
    loss = heldout_loss(network, held, arguments.device, tokenizer.token_to_id(ASSISTANT))
    log.write(json.dumps({"step": steps, "heldout_loss": round(loss, 4)}) + "\n")
    print(f"held-out loss {loss:.4f} nats a token of the answers")


if __name__ == "__main__":
    main()
