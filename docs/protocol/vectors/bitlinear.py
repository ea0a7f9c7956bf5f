"""Sums of ternary rows (dispute.md, numerics.md), for the vectors of `bitlinear.json` that `make.py` writes.

A second implementation: it packs weights by package.md and multiplies them as they were before. It
shares no code with the Rust crates, whose test `primitives/math/tests/bitlinear.rs` must come to the same
sums.
"""

MODULUS = 2**32


def noise(seed):
    """Bytes that look like chance, without end."""
    state = seed
    while True:
        state = (state * 1_664_525 + 1_013_904_223) % MODULUS
        yield state >> 24


def ternary2(row):
    """A row of -1, 0, 1 at four a byte, in blocks of 256 columns."""
    packed = bytearray()
    for first in range(0, len(row), 256):
        codes = [weight + 1 for weight in row[first : first + 256]]
        codes += [1] * (256 - len(codes))
        packed += bytes(
            sum(codes[64 * plane + place] << (2 * plane) for plane in range(4))
            for place in range(64)
        )
    return bytes(packed)


def ternary5(row):
    """A row at five a byte."""
    packed = bytearray()
    for first in range(0, len(row), 5):
        digits = [weight + 1 for weight in row[first : first + 5]]
        digits += [1] * (5 - len(digits))
        packed.append(sum(digit * 3**place for place, digit in enumerate(digits)))
    return bytes(packed)


PACKINGS = {"ternary2": ternary2, "ternary5": ternary5}


def case(packing, columns, rows, seed, extreme=None):
    """A block of rows; with `extreme`, all weights are 1 and all inputs that."""
    source = noise(seed)
    weights = [
        [1 if extreme is not None else next(source) % 3 - 1 for _ in range(columns)]
        for _ in range(rows)
    ]
    inputs = [
        extreme if extreme is not None else (next(source) + 128) % 256 - 128
        for _ in range(columns)
    ]
    sums = [sum(w * q for w, q in zip(row, inputs)) for row in weights]
    return {
        "packing": packing,
        "weights": b"".join(PACKINGS[packing](row) for row in weights).hex(),
        "inputs": bytes(value % 256 for value in inputs).hex(),
        "sums": b"".join(value.to_bytes(4, "little", signed=True) for value in sums).hex(),
    }


def content():
    sizes = [(1, 3), (5, 2), (64, 2), (255, 2), (256, 1), (257, 2), (640, 3)]
    cases = [
        case(packing, columns, rows, seed=columns + rows)
        for packing in PACKINGS
        for columns, rows in sizes
    ]
    cases += [case(packing, 300, 1, 0, extreme=-128) for packing in PACKINGS]
    return {
        "about": "Rows as packages store them, int8 inputs, and their sums as i32 (dispute.md).",
        "cases": cases,
    }
