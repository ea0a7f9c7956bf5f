"""Writes a trained network as a model package (docs/protocol/package.md), an implementation of its own
beside the engine's.

    python package.py --state DIR/state.pt --tokenizer FILE --out DIR [--shards 3]
"""

import argparse
import hashlib
import json
import struct
from pathlib import Path

import numpy as np
import torch

from bitnet import Shape, int8_rows, ternary_weight

NO_LAYER = 0xFFFF
CHUNK = 64 * 1024
BLOCK = 256
ROLES = [
    "token_embedding",
    "output_norm",
    "output",
    "attention_norm",
    "query",
    "key",
    "value",
    "attention_sub_norm",
    "attention_output",
    "feed_forward_norm",
    "gate",
    "up",
    "feed_forward_sub_norm",
    "down",
]
TERNARY2, TERNARY5, INT8_ROW, F16, F32 = range(5)

CHAT_TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}"
    "{% if message.role == 'user' %}<|user|>{{ message.content }}"
    "{% elif message.role == 'assistant' %}<|assistant|>{{ message.content }}{{ eos_token }}"
    "{% endif %}{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}"
)


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def merkle_root(chunks: list[bytes]) -> bytes:
    """RFC 6962's shape: leaves behind 0, nodes behind 1, an odd node moves up."""
    level = [sha256(b"\0" + chunk) for chunk in chunks]
    while len(level) > 1:
        pairs = [level[at : at + 2] for at in range(0, len(level), 2)]
        level = [sha256(b"\1" + pair[0] + pair[1]) if len(pair) == 2 else pair[0] for pair in pairs]
    return level[0]


def chunks(rows: list[bytes], trailer: bytes) -> list[bytes]:
    """As many whole rows as fit; a longer row is cut; the trailer stands alone."""
    size = len(rows[0])
    if size > CHUNK:
        parts = [row[at : at + CHUNK] for row in rows for at in range(0, size, CHUNK)]
    else:
        count = CHUNK // size
        parts = [b"".join(rows[at : at + count]) for at in range(0, len(rows), count)]
    return parts + ([trailer] if trailer else [])


def ternary2(values: np.ndarray) -> list[bytes]:
    """Rows of 64-byte blocks: byte p holds the codes of columns p, p + 64, p + 128 and p + 192."""
    rows, columns = values.shape
    padded = np.ones((rows, -(-columns // BLOCK) * BLOCK), dtype=np.uint8)
    padded[:, :columns] = (values + 1).astype(np.uint8)
    planes = padded.reshape(rows, -1, 4, 64)
    packed = planes[:, :, 0] | planes[:, :, 1] << 2 | planes[:, :, 2] << 4 | planes[:, :, 3] << 6
    return [row.tobytes() for row in packed.reshape(rows, -1)]


class Stored:
    """A tensor as its bytes: rows, and a scale behind them where there is one for all."""

    def __init__(self, encoding: int, rows: list[bytes], trailer: bytes = b""):
        self.encoding, self.data = encoding, b"".join(rows) + trailer
        self.root = merkle_root(chunks(rows, trailer))

    @classmethod
    def ternary(cls, values: np.ndarray, scale: float) -> "Stored":
        return cls(TERNARY2, ternary2(values), struct.pack("<f", scale))

    @classmethod
    def int8(cls, values: np.ndarray, scales: np.ndarray) -> "Stored":
        pairs = zip(values.astype(np.int8), scales.astype("<f4").reshape(-1))
        return cls(INT8_ROW, [row.tobytes() + struct.pack("<f", scale) for row, scale in pairs])

    @classmethod
    def floats(cls, values: np.ndarray) -> "Stored":
        rows = values.reshape(1, -1) if values.ndim == 1 else values
        return cls(F32, [row.astype("<f4").tobytes() for row in rows])

    @classmethod
    def halves(cls, values: np.ndarray) -> "Stored":
        return cls(F16, [row.astype("<f2").tobytes() for row in values])


def compact(value: int) -> bytes:
    """SCALE's length, below 2^30."""
    if value < 1 << 6:
        return bytes([value << 2])
    if value < 1 << 14:
        return struct.pack("<H", value << 2 | 1)
    return struct.pack("<I", value << 2 | 2)


def even_shards(layers: int, count: int) -> list[tuple[int, int]]:
    """Ranges of layers of as equal a length as can be, the longer ones first."""
    each, more = divmod(layers, count)
    ends = [sum(each + (1 if i < more else 0) for i in range(n)) for n in range(count + 1)]
    return list(zip(ends, ends[1:]))


def manifest_bytes(
    shape: Shape,
    tensors: dict,
    shards: list,
    tokenizer: bytes,
    template: bytes,
    bos: int | None,
    eos: list[int],
    gate: int = 0,
    tied: bool = True,
    architecture: int = 0,
) -> bytes:
    """The manifest in SCALE (docs/protocol/manifest.md)."""
    out = struct.pack("<HBB", 1, architecture, 0)
    out += struct.pack("<HHH", shape.heads, shape.kv_heads, shape.head_dim)
    out += struct.pack("<IIHII", shape.hidden, shape.feed_forward, shape.layers, shape.vocab, shape.context)
    out += struct.pack("<IfBBH", shape.rope_theta, shape.norm_epsilon, gate, 0 if tied else 1, 1)
    out += b"\0" if bos is None else b"\1" + struct.pack("<I", bos)
    out += compact(len(eos)) + b"".join(struct.pack("<I", token) for token in eos)
    out += sha256(tokenizer) + sha256(template)
    out += compact(len(tensors))
    for (layer, role), stored in sorted(tensors.items()):
        out += struct.pack("<HBB", layer, role, stored.encoding) + stored.root
    out += compact(len(shards))
    return out + b"".join(struct.pack("<HH", first, end) for first, end in shards)


def name_of(layer: int, role: int) -> str:
    return ROLES[role] if layer == NO_LAYER else f"layers.{layer}.{ROLES[role]}"


def write_safetensors(path: Path, tensors: list[tuple[str, bytes]]) -> None:
    header, at = {}, 0
    for name, data in tensors:
        header[name] = {"dtype": "U8", "shape": [len(data)], "data_offsets": [at, at + len(data)]}
        at += len(data)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(data for _, data in tensors))


def write_package(out: Path, shape: Shape, tensors: dict, shards: list, tokenizer: bytes, template: str, **rest) -> str:
    """Writes all files; returns the model's id."""
    out.mkdir(parents=True, exist_ok=True)
    manifest = manifest_bytes(shape, tensors, shards, tokenizer, template.encode(), **rest)
    (out / "manifest.scale").write_bytes(manifest)
    (out / "tokenizer.json").write_bytes(tokenizer)
    (out / "chat_template.jinja").write_text(template, encoding="utf-8")
    ordered = sorted(tensors.items())
    common = [(name_of(*at), stored.data) for at, stored in ordered if at[0] == NO_LAYER]
    write_safetensors(out / "common.safetensors", common)
    for index, (first, end) in enumerate(shards):
        part = [(name_of(*at), stored.data) for at, stored in ordered if first <= at[0] < end]
        write_safetensors(out / f"shard-{index:03}.safetensors", part)
    return sha256(manifest).hex()


def tensors_of(network: dict[str, torch.Tensor], shape: Shape) -> dict:
    """The stored tensors of a trained network by (layer, role)."""
    floats = {name: value.float() for name, value in network.items()}
    values, scales = int8_rows(floats["token_embedding.weight"])
    tensors = {
        (NO_LAYER, 0): Stored.int8(values.numpy(), scales.numpy()),
        (NO_LAYER, 1): Stored.floats(floats["output_norm.weight"].numpy()),
    }
    for layer in range(shape.layers):
        for role, name in enumerate(ROLES[3:], 3):
            weight = floats[f"blocks.{layer}.{name}.weight"]
            if weight.dim() == 1:
                tensors[layer, role] = Stored.floats(weight.numpy())
            else:
                values, scale = ternary_weight(weight)
                tensors[layer, role] = Stored.ternary(values.numpy().astype(np.int8), scale.item())
    return tensors


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--tokenizer", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--shards", type=int, default=3)
    arguments = parser.parse_args()

    saved = torch.load(arguments.state, map_location="cpu", weights_only=True)
    if not saved["ternary"]:
        parser.error(f"{arguments.state} is the full-precision twin: only the ternary network makes a package")
    shape = Shape(**saved["shape"])
    model = write_package(
        arguments.out,
        shape,
        tensors_of(saved["network"], shape),
        even_shards(shape.layers, arguments.shards),
        arguments.tokenizer.read_bytes(),
        CHAT_TEMPLATE,
        bos=0,
        eos=[3],
    )
    print(f"{arguments.out}: model id 0x{model}")


if __name__ == "__main__":
    main()
