"""Runs a model package in Hugging Face transformers, in float32, and writes what it computes for the
engine's parity test.

    python shipped.py --package models/aria-wordnet --out inference-worker/engine/tests/shipped.json

The package is read by this script alone, not by the engine: its ternary matrices and their scales become
AutoBitLinear layers, its int8 embedding floats. transformers' head takes float activations, the engine's
takes them as int8 (docs/protocol/numerics.md), so that the bound is wider than that of the fixtures.
"""

import argparse
import json
import os
import struct
import sys
from pathlib import Path

os.environ["TORCHDYNAMO_DISABLE"] = "1"
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "train"))

import numpy as np
import torch
import transformers
from tokenizers import Tokenizer
from transformers import BitNetConfig, BitNetForCausalLM, BitNetQuantConfig
from transformers.integrations.bitnet import replace_with_bitnet_linear

from bitnet import Shape
from fixtures import MODULES

PROMPTS = [
    "What is a dog?",
    "What does it mean to run?",
    "What is another word for happy?",
    "Use the word river in a sentence.",
    "What kind of thing is a violin?",
    "Define justice.",
]


def read_shape(package: Path) -> Shape:
    """The dimensions in the manifest (docs/protocol/manifest.md)."""
    data = (package / "manifest.scale").read_bytes()
    version, architecture, attention = struct.unpack_from("<HBB", data)
    if (version, architecture, attention) != (1, 0, 0):
        sys.exit(f"{package}: no BitNet b1.58 with grouped queries")
    heads, kv_heads, head_dim = struct.unpack_from("<HHH", data, 4)
    hidden, feed_forward, layers, vocab, context = struct.unpack_from("<IIHII", data, 10)
    theta, epsilon, gate, untied = struct.unpack_from("<IfBB", data, 28)
    if gate or untied:
        sys.exit(f"{package}: no squared ReLU with a tied head")
    return Shape(vocab, hidden, feed_forward, layers, heads, kv_heads, head_dim, context, theta, epsilon)


def read_tensors(package: Path) -> dict[str, bytes]:
    """The stored bytes of every tensor by its name."""
    tensors = {}
    for path in sorted(package.glob("*.safetensors")):
        data = path.read_bytes()
        size = struct.unpack_from("<Q", data)[0]
        for name, entry in json.loads(data[8 : 8 + size]).items():
            begin, end = entry["data_offsets"]
            tensors[name] = data[8 + size + begin : 8 + size + end]
    return tensors


def ternary(data: bytes, rows: int, columns: int) -> tuple[np.ndarray, float]:
    """Values and scale of a `Ternary2` tensor (docs/protocol/package.md)."""
    blocks = np.frombuffer(data[:-4], dtype=np.uint8).reshape(rows, -1, 1, 64)
    planes = np.concatenate([blocks >> shift & 3 for shift in (0, 2, 4, 6)], axis=2)
    values = planes.reshape(rows, -1)[:, :columns].astype(np.float32) - 1
    return values, struct.unpack("<f", data[-4:])[0]


def int8(data: bytes, rows: int, columns: int) -> np.ndarray:
    """The floats of an `Int8Row` tensor."""
    stored = np.frombuffer(data, dtype=np.uint8).reshape(rows, columns + 4)
    scales = stored[:, columns:].copy().view("<f4")
    return stored[:, :columns].view(np.int8).astype(np.float32) * scales


def build(package: Path) -> BitNetForCausalLM:
    """The package as a model of transformers."""
    shape, tensors = read_shape(package), read_tensors(package)
    config = BitNetConfig(
        vocab_size=shape.vocab,
        hidden_size=shape.hidden,
        intermediate_size=shape.feed_forward,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.kv_heads,
        head_dim=shape.head_dim,
        rms_norm_eps=shape.norm_epsilon,
        max_position_embeddings=shape.context,
        rope_parameters={"rope_type": "default", "rope_theta": float(shape.rope_theta)},
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=None,
        attn_implementation="eager",
    )
    model = BitNetForCausalLM(config).float().eval()
    quantisation = BitNetQuantConfig(linear_class="autobitlinear", quantization_mode="offline")
    model = replace_with_bitnet_linear(model, ["lm_head"], quantisation)
    model.to_empty(device="cpu")
    with torch.no_grad():
        embedding = int8(tensors["token_embedding"], shape.vocab, shape.hidden)
        model.model.embed_tokens.weight.copy_(torch.from_numpy(embedding))
        model.model.norm.weight.copy_(torch.frombuffer(bytearray(tensors["output_norm"]), dtype=torch.float32))
        for layer in range(shape.layers):
            for role, name in MODULES.items():
                module = model.get_submodule(f"model.layers.{layer}.{name}")
                data = tensors[f"layers.{layer}.{role}"]
                if module.weight.dim() == 1:
                    module.weight.copy_(torch.frombuffer(bytearray(data), dtype=torch.float32))
                else:
                    values, scale = ternary(data, *module.weight.shape)
                    module.weight.copy_(torch.from_numpy(values))
                    module.weight_scale.fill_(scale)
    model.model.rotary_emb = type(model.model.rotary_emb)(config)
    model.tie_weights()
    return model


@torch.no_grad()
def answer(model: BitNetForCausalLM, prompt: list[int], end: int) -> dict:
    """What follows greedily: tokens, margins, and the logits that chose the first of them."""
    tokens, chosen, first = torch.tensor([prompt]), [], None
    for _ in range(32):
        logits = model(tokens, use_cache=False).logits[0, -1].float()
        first = logits if first is None else first
        best = logits.topk(2)
        chosen.append((best.indices[0].item(), (best.values[0] - best.values[1]).item()))
        if chosen[-1][0] == end:
            break
        tokens = torch.cat((tokens, best.indices[:1].view(1, 1)), dim=1)
    return {
        "prompt": prompt,
        "logits": first.numpy().astype("<f4").tobytes().hex(),
        "greedy": [token for token, _ in chosen],
        "margins": [margin for _, margin in chosen],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--package", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    model = build(arguments.package)
    tokenizer = Tokenizer.from_file(str(arguments.package / "tokenizer.json"))
    begin, user, assistant, end = range(4)
    cases = []
    for text in PROMPTS:
        prompt = [begin, user, *tokenizer.encode(text).ids, assistant]
        cases.append(answer(model, prompt, end))
        print(f"{text}  {tokenizer.decode(cases[-1]['greedy'])}")
    made_with = f"transformers {transformers.__version__}, torch {torch.__version__.split('+')[0]}"
    arguments.out.write_text(json.dumps({"made_with": made_with, "cases": cases}) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
