"""Makes the fixtures of the parity test: tiny random BitNet b1.58 models, run by Hugging Face
transformers in float32, and the same weights as a model package.

    python fixtures.py --out inference-worker/engine/tests/parity

Each folder has a package and `expected.json`: a prompt, transformers' logits at every position of it
(float32 bits), and the tokens that it chooses greedily, each with the distance between its two best
logits. The same versions of transformers and torch give the same files; others differ in the last bits.
"""

import argparse
import json
import os
import sys
from pathlib import Path

os.environ["TORCHDYNAMO_DISABLE"] = "1"
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "train"))

import numpy as np
import torch
import transformers
from transformers import BitNetConfig, BitNetForCausalLM, BitNetQuantConfig
from transformers.integrations.bitnet import replace_with_bitnet_linear

from bitnet import Shape
from package import CHAT_TEMPLATE, NO_LAYER, ROLES, Stored, even_shards, write_package

MODULES = {
    "query": "self_attn.q_proj",
    "key": "self_attn.k_proj",
    "value": "self_attn.v_proj",
    "attention_output": "self_attn.o_proj",
    "gate": "mlp.gate_proj",
    "up": "mlp.up_proj",
    "down": "mlp.down_proj",
    "attention_norm": "input_layernorm",
    "attention_sub_norm": "self_attn.attn_sub_norm",
    "feed_forward_norm": "post_attention_layernorm",
    "feed_forward_sub_norm": "mlp.ffn_sub_norm",
}
# hidden, feed_forward, layers, heads, kv_heads, head_dim, vocab, theta, tied
SHAPES = [
    (64, 96, 2, 4, 2, 16, 96, 10_000, True),
    (64, 160, 3, 4, 1, 16, 80, 500_000, True),
    (48, 64, 1, 3, 3, 16, 64, 10_000, True),
    (96, 128, 2, 6, 2, 16, 72, 10_000, False),
    (32, 272, 2, 2, 1, 16, 64, 1_000, False),
    (80, 96, 4, 5, 5, 16, 64, 500_000, True),
    (64, 64, 2, 2, 2, 32, 112, 10_000, True),
    (272, 64, 1, 4, 2, 68, 48, 10_000, True),
    (40, 56, 3, 4, 2, 10, 60, 10_000, False),
    (64, 96, 5, 8, 4, 8, 64, 100_000, True),
    (128, 256, 2, 4, 2, 32, 64, 500_000, True),
    (56, 88, 2, 7, 1, 8, 96, 10_000, False),
]
CONTEXT = 96


def build(case: int, generator: torch.Generator) -> tuple[BitNetForCausalLM, Shape, bool]:
    """A model of transformers with ternary matrices, scales and norms drawn by `generator`."""
    hidden, feed_forward, layers, heads, kv_heads, head_dim, vocab, theta, tied = SHAPES[case]
    config = BitNetConfig(
        vocab_size=vocab,
        hidden_size=hidden,
        intermediate_size=feed_forward,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        num_key_value_heads=kv_heads,
        head_dim=head_dim,
        max_position_embeddings=CONTEXT,
        rope_parameters={"rope_type": "default", "rope_theta": float(theta)},
        tie_word_embeddings=tied,
        bos_token_id=None,
        eos_token_id=None,
        attn_implementation="eager",
    )
    model = BitNetForCausalLM(config).float().eval()
    quantisation = BitNetQuantConfig(linear_class="autobitlinear", quantization_mode="offline")
    model = replace_with_bitnet_linear(model, ["lm_head"], quantisation)
    model.to_empty(device="cpu") if any(p.is_meta for p in model.parameters()) else None
    normal = lambda *size: torch.randn(*size, generator=generator)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.dim() == 1:
                parameter.copy_(1 + 0.2 * normal(*parameter.shape))
            elif "embed" in name or "lm_head" in name:
                parameter.copy_((0.5 * normal(*parameter.shape)).half().float())
            else:
                parameter.copy_(torch.randint(-1, 2, parameter.shape, generator=generator).float())
        for name, buffer in model.named_buffers():
            if name.endswith("weight_scale"):
                module = model.get_submodule(name.rsplit(".", 1)[0])
                drawn = 0.5 + torch.rand(1, generator=generator)
                buffer.copy_((3 * drawn / module.in_features**0.5).float())
    model.model.rotary_emb = type(model.model.rotary_emb)(config)
    model.tie_weights()
    shape = Shape(vocab, hidden, feed_forward, layers, heads, kv_heads, head_dim, CONTEXT, theta, config.rms_norm_eps)
    return model, shape, tied


def tensors_of(model: BitNetForCausalLM, shape: Shape, tied: bool) -> dict:
    """The package's tensors by (layer, role); the embedding and the head as halves."""
    state = {name: value.detach().numpy() for name, value in model.state_dict().items()}
    tensors = {
        (NO_LAYER, 0): Stored.halves(state["model.embed_tokens.weight"]),
        (NO_LAYER, 1): Stored.floats(state["model.norm.weight"]),
    }
    if not tied:
        tensors[NO_LAYER, 2] = Stored.halves(state["lm_head.weight"])
    for layer in range(shape.layers):
        for role, module in MODULES.items():
            at = f"model.layers.{layer}.{module}"
            weight = state[f"{at}.weight"]
            if weight.ndim == 1:
                stored = Stored.floats(weight)
            else:
                stored = Stored.ternary(weight.astype(np.int8), float(state[f"{at}.weight_scale"][0]))
            tensors[layer, ROLES.index(role)] = stored
    return tensors


def byte_tokenizer(vocab: int) -> bytes:
    """A tokenizer that the fixtures need for nothing but being complete."""
    entries = {f"<|{n}|>": n for n in range(vocab)}
    model = {"type": "WordLevel", "vocab": entries, "unk_token": "<|0|>"}
    return json.dumps({"version": "1.0", "added_tokens": [], "model": model}).encode()


@torch.no_grad()
def expected(model: BitNetForCausalLM, shape: Shape, generator: torch.Generator) -> dict:
    """A prompt, the logits along it, and what follows greedily."""
    prompt = torch.randint(0, shape.vocab, (1, 24), generator=generator)
    logits = model(prompt, use_cache=False).logits[0].float()
    tokens, chosen = prompt, []
    for _ in range(16):
        best = model(tokens, use_cache=False).logits[0, -1].float().topk(2)
        chosen.append([best.indices[0].item(), (best.values[0] - best.values[1]).item()])
        tokens = torch.cat((tokens, best.indices[:1].view(1, 1)), dim=1)
    return {
        "made_with": f"transformers {transformers.__version__}, torch {torch.__version__.split('+')[0]}",
        "prompt": prompt[0].tolist(),
        "logits": logits.numpy().astype("<f4").tobytes().hex(),
        "greedy": [token for token, _ in chosen],
        "margins": [margin for _, margin in chosen],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    for case in range(len(SHAPES)):
        generator = torch.Generator().manual_seed(1000 + case)
        model, shape, tied = build(case, generator)
        out = arguments.out / f"{case:02}"
        write_package(
            out,
            shape,
            tensors_of(model, shape, tied),
            even_shards(shape.layers, min(2, shape.layers)),
            byte_tokenizer(shape.vocab),
            CHAT_TEMPLATE,
            bos=None,
            eos=[],
            tied=tied,
        )
        text = json.dumps(expected(model, shape, generator))
        (out / "expected.json").write_text(text + "\n", encoding="utf-8")
        print(f"{out}: {shape}")


if __name__ == "__main__":
    main()
