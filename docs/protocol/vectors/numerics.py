#!/usr/bin/env python3
"""Writes `numerics.json`, the golden vectors of `../numerics.md`; `numerics.py --check` compares.

Floats are written by their bits, in hexadecimal, so that nothing is rounded on the way. A list of
numbers is one string with spaces between them. The weights of a ternary matrix are `+`, `0` and `-`,
row after row. `inference-worker/engine/tests/numerics_vectors.rs` reads the file.
"""

import json
import struct
import sys
from pathlib import Path

sys.dont_write_bytecode = True

import arithmetic as a
import layout
from arithmetic import bits32, bits64, f32, from32
from scale import hexadecimal

HERE = Path(__file__).resolve().parent
NAME = "numerics.json"


class Random:
    """SplitMix64: inputs that look arbitrary and are the same each time."""

    def __init__(self, seed):
        self.state = seed

    def next(self):
        self.state = (self.state + 0x9E3779B97F4A7C15) % 2**64
        z = self.state
        z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 % 2**64
        z = (z ^ z >> 27) * 0x94D049BB133111EB % 2**64
        return z ^ z >> 31

    def below(self, limit):
        return self.next() % limit

    def floats(self, count, low=-1.0, high=1.0):
        return [f32(low + (high - low) * (self.next() / 2**64)) for _ in range(count)]

    def ternary(self, rows, cols, scale):
        return a.Ternary([[self.below(3) - 1 for _ in range(cols)] for _ in range(rows)], f32(scale))

    def int8(self, rows, cols, low=0.001, high=0.004):
        values = [[self.below(255) - 127 for _ in range(cols)] for _ in range(rows)]
        return a.Int8(values, self.floats(rows, low, high))


# --- how things are written -----------------------------------------------------------------------


def floats(values):
    return " ".join(map(bits32, values))


def doubles(*values):
    return " ".join(map(bits64, values))


def integers(values):
    return " ".join(map(str, values))


def matrix(m):
    cols = len(m.rows[0])
    if isinstance(m, a.Ternary):
        weights = "".join("-0+"[w + 1] for row in m.rows for w in row)
        return {"encoding": "ternary", "cols": cols, "scale": bits32(m.scale), "weights": weights}
    if isinstance(m, a.Int8):
        weights = integers(q for row in m.rows for q in row)
        return {"encoding": "int8", "cols": cols, "scales": floats(m.scales), "weights": weights}
    return {"encoding": "float", "cols": cols, "weights": floats(w for row in m.rows for w in row)}


def weights(roles):
    return {role: floats(w) if isinstance(w, list) else matrix(w) for role, w in roles.items()}


def shape_of(shape):
    return shape | {"epsilon": f"{shape['epsilon']:08x}"}


# --- functions ------------------------------------------------------------------------------------


def elementary():
    random = Random(1)
    after, before = from32(0x42B00001), from32(0xC2AE0001)  # behind 88, below −87
    edges = [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.0, 10.0, -10.0, 88.0, after, 89.0, 1e30, -86.5]
    edges += [-87.0, before, -88.0, -104.0, -1e30, float("inf"), float("-inf")]
    edges += [from32(bits) for bits in (1, 0x80000001, 0x00800000, 0x33800000, 0xB3800000)]
    # About ties of x × log2(e), where n changes.
    edges += [f32(sign * (n + 0.5) * 0.6931471805599453) for n in (0, 1, 2, 63) for sign in (1, -1)]
    inputs = [f32(x) for x in edges] + random.floats(8, -1, 1) + random.floats(24, -87, 88)
    integers_of_ln = [1, 2, 3, 5, 7, 10, 362, 363, 10_000, 500_000, 1_000_000, 2**31 - 1, 2**32 - 1]
    exponents = [0.0, -0.0, -1.0, -0.34657359027997264, -13.1, -22.18070977791825]
    exponents += [-random.next() / 2**64 * 22 for _ in range(10)]
    angles = [0.0, 0.5, 0.7853981633974483, 0.7853981633974484, 1.0, 1.5707963267948966, 2.0, 3.0]
    angles += [3.141592653589793, 4.0, 5.5, 100.0, 4095.0, 131_071.0, 1_048_575.0]
    angles += [f32(random.next() / 2**64 * 2 ** random.below(21)) for _ in range(12)]
    halves = [0x0000, 0x8000, 0x0001, 0x03FF, 0x0400, 0x3C00, 0xC000, 0x3555, 0x7BFF, 0xFBFF, 0x7C00]
    to_half = [0.1, -1 / 3, 65_504.0, 65_519.0, 2.0**-25, 2.0**-24 * 1.5, 1.00048828125, 1.00146484375]
    return {
        "exp_sigmoid": [floats([x, a.exp(x), a.sigmoid(x)]) for x in inputs],
        "ln": [f"{u} {bits64(a.ln(u))}" for u in integers_of_ln],
        "exp64": [doubles(x, a.exp64(x)) for x in exponents],
        "sincos": [doubles(x, *a.sincos(x)) for x in angles],
        "f16_to_f32": [
            f"{half:04x} {bits32(struct.unpack('>e', half.to_bytes(2, 'big'))[0])}" for half in halves
        ],
        "f32_to_f16": [
            f"{bits32(f32(x))} {struct.pack('>e', f32(x)).hex()}" for x in to_half
        ],
    }


def rope_tables():
    tables = []
    for head_dim, theta, positions in [
        (2, 1, [0, 1, 1_048_575]),
        (8, 10_000, [0, 1, 2, 17, 4095]),
        (64, 1_000_000, [1, 131_071]),
        (128, 500_000, [1, 63, 4095, 1_048_575]),
        (6, 2**32 - 1, [3, 777]),
    ]:
        made = []
        for position in positions:
            cos, sin = a.rope(theta, head_dim, position)
            made.append({"position": position, "cos": floats(cos), "sin": floats(sin)})
        tables.append(
            {
                "head_dim": head_dim,
                "theta": theta,
                "frequencies": floats(a.frequencies(theta, head_dim)),
                "positions": made,
            }
        )
    return tables


def sums():
    random, made = Random(2), []
    for length in (1, 15, 16, 17, 31, 64, 257):
        x, y = random.floats(length, -3, 3), random.floats(length, -0.01, 1)
        made.append(
            {
                "x": floats(x),
                "y": floats(y),
                "sum": bits32(a.striped(x)),
                "sum_squares": bits32(a.dot(x, x)),
                "dot": bits32(a.dot(x, y)),
            }
        )
    return made


def quantised():
    random = Random(3)
    inputs = [
        [0.0, -0.0, 0.0],
        # The scale is 1, so these are ties as they stand.
        [127.0, 0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 126.5, -126.5, 0.49999997, -127.0],
        [-254.0, 1.0, 3.0, -1.0, 5.0, 127.0],
        # Below the least maximum.
        [1e-6, -2e-7, 0.0, 4e-8],
        [from32(1), from32(0x80000001)],
        [3.4e38, -3.4e38, 1e38, 1.0],
        random.floats(40, -5, 5),
        random.floats(17, -1e-4, 1e-4),
    ]
    made = []
    for x in inputs:
        x = [f32(value) for value in x]
        q, scale = a.quantise(x)
        made.append({"x": floats(x), "scale": bits32(scale), "q": integers(q)})
    return made


def products():
    random = Random(4)
    matrices = [
        random.ternary(1, 1, 1.0),
        random.ternary(5, 33, 0.037),
        random.ternary(3, 256, 1.75),
        random.int8(1, 1),
        random.int8(4, 40),
        random.int8(2, 257),
        a.Floats([random.floats(30) for _ in range(3)]),
        # Halves, which convert exactly.
        a.Floats([[struct.unpack("e", struct.pack("e", w))[0] for w in random.floats(19)]]),
    ]
    made = []
    for m in matrices:
        x = random.floats(len(m.rows[0]), -4, 4)
        made.append(matrix(m) | {"x": floats(x), "y": floats(m.product(x))})
        if not isinstance(m, a.Ternary):
            made[-1]["rows"] = [floats(m.row(index)) for index in range(len(m.rows))]
    return made


def norms():
    random, made = Random(5), []
    for length, size, epsilon in [(1, 1, 0x3727C5AC), (16, 1, 0x3727C5AC), (40, 300, 0x358637BD)]:
        x, gain = random.floats(length, -size, size), random.floats(length, 0, 2)
        made.append((x, gain, epsilon))
    made.append(([0.0] * 5, random.floats(5), 0x3727C5AC))
    # The squares overflow: 1 ÷ √∞ is 0.
    made.append(([f32(3e38), -1.0, f32(-2e38)], [1.0, 1.0, 1.0], 0x3727C5AC))
    return [
        {
            "x": floats(x),
            "gain": floats(gain),
            "epsilon": f"{epsilon:08x}",
            "y": floats(a.rmsnorm(x, gain, from32(epsilon))),
        }
        for x, gain, epsilon in made
    ]


def attentions():
    random, made = Random(6), []
    for head_dim, positions, size in [(2, 1, 1), (8, 5, 2), (8, 17, 3), (20, 40, 1), (4, 6, 40)]:
        q = random.floats(head_dim, -size, size)
        keys = [random.floats(head_dim, -size, size) for _ in range(positions)]
        values = [random.floats(head_dim, -2, 2) for _ in range(positions)]
        made.append(
            {
                "query": floats(q),
                "keys": [floats(k) for k in keys],
                "values": [floats(v) for v in values],
                "y": floats(a.attention(q, keys, values)),
            }
        )
    return made


# --- layers and a model ---------------------------------------------------------------------------

SHAPE = {
    "heads": 4,
    "kv_heads": 2,
    "head_dim": 8,
    "epsilon": 0x3727C5AC,  # 1e-5
    "theta": 500_000,
    "gate": "squared_relu",
}
HIDDEN, FEED_FORWARD = 32, 48


def random_layer(random, sub_norms):
    width, kv = SHAPE["heads"] * SHAPE["head_dim"], SHAPE["kv_heads"] * SHAPE["head_dim"]
    made = {
        "attention_norm": random.floats(HIDDEN, 0.5, 1.5),
        "query": random.ternary(width, HIDDEN, 0.21),
        "key": random.ternary(kv, HIDDEN, 0.23),
        "value": random.ternary(kv, HIDDEN, 0.17),
        "attention_sub_norm": random.floats(width, 0.5, 1.5),
        "attention_output": random.ternary(HIDDEN, width, 0.19),
        "feed_forward_norm": random.floats(HIDDEN, 0.5, 1.5),
        "gate": random.ternary(FEED_FORWARD, HIDDEN, 0.25),
        "up": random.ternary(FEED_FORWARD, HIDDEN, 0.22),
        "feed_forward_sub_norm": random.floats(FEED_FORWARD, 0.5, 1.5),
        "down": random.ternary(HIDDEN, FEED_FORWARD, 0.13),
    }
    return made if sub_norms else {k: v for k, v in made.items() if not k.endswith("sub_norm")}


def layers():
    random, made = Random(7), []
    for name, gate, sub_norms, tokens in [
        ("bitnet", "squared_relu", True, 18),
        ("llama", "silu", False, 6),
    ]:
        shape, roles, cache = SHAPE | {"gate": gate}, random_layer(random, sub_norms), []
        x = [random.floats(HIDDEN, -2, 2) for _ in range(tokens)]
        made.append(
            {
                "name": name,
                "shape": shape_of(shape),
                "weights": weights(roles),
                "x": [floats(token) for token in x],
                "y": [floats(a.layer(shape, roles, cache, token)) for token in x],
            }
        )
    return made


SALT, QUERY_HASH = bytes([0x5A]) * 32, bytes([0x22]) * 32


def model():
    """Two layers, one a stage; a prompt and an answer, with every boundary."""
    random = Random(8)
    embedding, roles = random.int8(40, HIDDEN), [random_layer(random, True) for _ in range(2)]
    output_norm = random.floats(HIDDEN, 0.5, 1.5)
    prompt, sampling = [3, 39, 0, 17, 17], (800, 24, 950_000, 2**63 + 5)
    caches, answer, logits_of = [[], []], [], []
    behind_first, behind_last = [], []
    tokens = list(prompt)
    for position in range(len(prompt) + 6):
        x = embedding.row(tokens[position])
        x = a.finite(a.layer(SHAPE, roles[0], caches[0], x))
        behind_first.append(layout.leaf_hash(a.leaf_data(SALT, position, x)))
        x = a.finite(a.layer(SHAPE, roles[1], caches[1], x))
        hidden = a.rmsnorm(x, output_norm, from32(SHAPE["epsilon"]))
        logits = a.finite(embedding.product(hidden))
        if position < len(prompt) - 1:
            continue
        token = a.sample(logits, *sampling, len(answer))
        logits_of.append(floats(logits))
        behind_last.append(layout.leaf_hash(a.leaf_data(SALT, position, hidden, token)))
        answer.append(token)
        tokens.append(token)
    trees = [
        [layout.leaf_hash(a.leaf_data(SALT, t, token=token)) for t, token in enumerate(prompt)],
        behind_first,
        behind_last,
    ]
    return {
        "shape": shape_of(SHAPE),
        "embedding": matrix(embedding),
        "layers": [weights(each) for each in roles],
        "output_norm": floats(output_norm),
        "prompt": integers(prompt),
        "sampling": integers(sampling),
        "logits": logits_of,
        "answer": integers(answer),
        "salt": hexadecimal(SALT),
        "query_hash": hexadecimal(QUERY_HASH),
        "roots": [hexadecimal(layout.merkle_root(leaves)) for leaves in trees],
        "boundaries": [
            hexadecimal(layout.boundary(index, layout.merkle_root(leaves), QUERY_HASH))
            for index, leaves in enumerate(trees)
        ],
        "proof_of_position_6": [hexadecimal(step) for step in layout.merkle_proof(trees[1], 6)],
    }


# --- sampling -------------------------------------------------------------------------------------


def sampling():
    """Each draw: temperature_milli, top_k, top_p_ppm, seed, index, and the token."""
    random = Random(9)
    greedy = (0, 0, 1_000_000, 0)
    plain = [(1000, 0, 1_000_000, seed) for seed in (0, 1, 2**64 - 1)]
    ways = [greedy, *plain, (700, 0, 1_000_000, 7), (1000, 1, 1_000_000, 7), (1000, 3, 1_000_000, 7)]
    ways += [(1000, 0, 1, 7), (1000, 0, 500_000, 7), (1300, 0, 900_000, 7), (1000, 0, 999_999, 7)]
    ways += [(1500, 10, 800_000, 7), (100_000, 0, 950_000, 7), (50, 5, 999_999, 7)]
    ways += [(900, 1_000_000, 990_000, 7)]
    equal = [(1000, k, p, 11) for k in (0, 3) for p in (1, 250_000, 250_001, 500_000, 500_001, 750_000)]
    cases = [
        ("spread", random.floats(40, -6, 6), ways, 3),
        ("ties", [f32((random.below(5) - 2) / 2) for _ in range(24)] + [-0.0, 0.0], ways, 3),
        ("flat", random.floats(200, -0.05, 0.05), ways, 2),
        ("equal", [2.5] * 4, equal, 9),
        ("steep", [f32(x) for x in (-3e38, 21.0, 0.0, 20.0, 0.2, -1e37, 0.3, 19.5)], ways, 3),
        ("cold", [f32(x) for x in (-3e38, 21.0, 20.999, -1e37, 20.9995)], [(1, 0, 10**6, 3)], 4),
        ("one", [-5.0], ways, 1),
        ("zeros", [-1.0, -0.0, 0.0], [greedy, (1000, 1, 1_000_000, 0)], 1),
    ]
    return [
        {
            "name": name,
            "logits": floats(logits),
            "draws": [
                integers([*way, index, a.sample(logits, *way, index)])
                for way in choices
                for index in range(count)
            ],
        }
        for name, logits, choices, count in cases
    ]


def content():
    return {
        "about": "The arithmetic of numerics.md, version 1. Floats by their bits.",
        "elementary": elementary(),
        "rope": rope_tables(),
        "sums": sums(),
        "quantise": quantised(),
        "products": products(),
        "rmsnorm": norms(),
        "attention": attentions(),
        "layers": layers(),
        "model": model(),
        "sampling": sampling(),
    }


def main():
    check = sys.argv[1:] == ["--check"]
    if sys.argv[1:] and not check:
        sys.exit("numerics.py takes --check, or nothing")
    path = HERE / NAME
    text = json.dumps(content(), indent=1, ensure_ascii=False) + "\n"
    if not check:
        path.write_text(text, encoding="utf-8")
        print(f"{NAME}: {len(text)} bytes")
    elif not path.exists() or path.read_text(encoding="utf-8") != text:
        sys.exit(f"{NAME} is not what numerics.py makes; run it without --check")


if __name__ == "__main__":
    main()
