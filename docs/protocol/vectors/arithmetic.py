"""The numerics of `../numerics.md`, version 1, a second time: Python's standard library alone.

Python computes in binary64. A sum, difference, product, quotient or root of two binary32 values that
is computed in binary64 and then rounded to binary32 is the correctly rounded binary32 result: the
53 bits of the one are at least 2 × 24 + 2 bits of the other, and then rounding twice is harmless
(Figueroa, 1995). So `f32(a + b)` is the f32 sum, as long as each operation is wrapped by itself.
"""

import math
import struct
from hashlib import sha256

# --- floats as bits -------------------------------------------------------------------------------


def f32(x):
    """The nearest f32, ties to even; infinite beyond the range."""
    try:
        return struct.unpack("<f", struct.pack("<f", x))[0]
    except OverflowError:
        return math.copysign(math.inf, x)


def bits32(x):
    return struct.pack(">f", x).hex()


def bits64(x):
    return struct.pack(">d", x).hex()


def from32(bits):
    return struct.unpack(">f", bits.to_bytes(4, "big"))[0]


def from64(bits):
    return struct.unpack(">d", bits.to_bytes(8, "big"))[0]


class NotFinite(ValueError):
    """A step without a result (rule 4)."""


def finite(values):
    if not all(map(math.isfinite, values)):
        raise NotFinite
    return values


# --- striped sums ---------------------------------------------------------------------------------


def striped(values):
    acc = [0.0] * 16
    for i, value in enumerate(values):
        acc[i % 16] = f32(acc[i % 16] + value)
    for w in (8, 4, 2, 1):
        for j in range(w):
            acc[j] = f32(acc[j] + acc[j + w])
    return acc[0]


def dot(a, b):
    return striped(f32(x * y) for x, y in zip(a, b, strict=True))


# --- elementary functions -------------------------------------------------------------------------

LOG2_E, LN_2_HIGH, LN_2_LOW = from32(0x3FB8AA3B), from32(0x3F318000), from32(0xB95E8083)


def exp(x):
    if x < -87.0:
        return 0.0
    if x > 88.0:
        x = 88.0
    n = round(f32(x * LOG2_E))  # round() takes ties to even
    r = f32(f32(x - f32(n * LN_2_HIGH)) - f32(n * LN_2_LOW))
    p = f32(1 / math.factorial(7))
    for k in range(6, -1, -1):
        p = f32(f32(p * r) + f32(1 / math.factorial(k)))
    return f32(p * 2.0**n)


def sigmoid(x):
    return f32(1.0 / f32(1.0 + exp(-x)))


LN_2_64, LOG2_E_64 = from64(0x3FE62E42FEFA39EF), from64(0x3FF71547652B82FE)
LN_2_HIGH_64, LN_2_LOW_64 = from64(0x3FE62E42FEE00000), from64(0x3DEA39EF35793C76)
TWO_OVER_PI = from64(0x3FE45F306DC9C883)
PIO2 = from64(0x3FF921FB54400000), from64(0x3DD0B4611A600000), from64(0x3BA3198A2E037073)


def ln(u):
    e = u.bit_length() - 1
    m = u / 2**e
    if m > 1.4142135623730951:
        m, e = m / 2, e + 1
    z = (m - 1) / (m + 1)
    y = z * z
    s = 1 / 41
    for k in range(39, 0, -2):
        s = s * y + 1 / k
    return e * LN_2_64 + (2 * z) * s


def exp64(x):
    n = round(x * LOG2_E_64)
    r = (x - n * LN_2_HIGH_64) - n * LN_2_LOW_64
    p = 1.0
    for k in range(20, 0, -1):
        p = 1.0 + (r * p) / k
    return p * 2.0**n


def sincos(a):
    k = round(a * TWO_OVER_PI)
    r = ((a - k * PIO2[0]) - k * PIO2[1]) - k * PIO2[2]
    y = r * r
    s = c = 1.0
    for j in range(19, 2, -2):
        s = 1.0 - (y * s) / (j * (j - 1))
    for j in range(18, 1, -2):
        c = 1.0 - (y * c) / (j * (j - 1))
    s = r * s
    return [(s, c), (c, -s), (-s, -c), (-c, s)][k % 4]


# --- matrix products ------------------------------------------------------------------------------


def quantise(x):
    """The 8-bit integers of a token's activations, and their scale."""
    m = max(map(abs, finite(x)))
    s = f32(127.0 / max(m, from32(0x3727C5AC)))
    return [min(max(round(f32(v * s)), -128), 127) for v in x], s


class Ternary:
    """Rows of −1, 0 and 1, and one scale."""

    def __init__(self, rows, scale):
        self.rows, self.scale = rows, scale

    def product(self, x):
        q, s = quantise(x)
        factor = f32(self.scale / s)
        return [f32(f32(exact(row, q)) * factor) for row in self.rows]


class Int8:
    """Rows of 8-bit integers, and a scale for each."""

    def __init__(self, rows, scales):
        self.rows, self.scales = rows, scales

    def product(self, x):
        q, s = quantise(x)
        factor = f32(1.0 / s)
        return [
            f32(f32(f32(exact(row, q)) * scale) * factor)
            for row, scale in zip(self.rows, self.scales, strict=True)
        ]

    def row(self, index):
        return [f32(self.scales[index] * q) for q in self.rows[index]]


class Floats:
    """Rows of floats."""

    def __init__(self, rows):
        self.rows = rows

    def product(self, x):
        finite(x)
        return [dot(row, x) for row in self.rows]

    def row(self, index):
        return self.rows[index]


def exact(row, q):
    return sum(w * v for w, v in zip(row, q, strict=True))


# --- a layer --------------------------------------------------------------------------------------


def rmsnorm(x, gain, epsilon):
    v = f32(striped(f32(value * value) for value in x) / len(x))
    r = f32(1.0 / f32(math.sqrt(f32(v + epsilon))))
    return [f32(f32(value * r) * g) for value, g in zip(x, gain, strict=True)]


def frequencies(theta, head_dim):
    return [f32(exp64(-(2 * i / head_dim) * ln(theta))) for i in range(head_dim // 2)]


def rope(theta, head_dim, position):
    """Cosines and sines."""
    angles = [sincos(f32(position * f)) for f in frequencies(theta, head_dim)]
    return [f32(c) for _, c in angles], [f32(s) for s, _ in angles]


def rotate(x, cos, sin):
    half = len(x) // 2
    low, high = x[:half], x[half:]
    return [f32(f32(a * c) - f32(b * s)) for a, b, c, s in zip(low, high, cos, sin)] + [
        f32(f32(b * c) + f32(a * s)) for a, b, c, s in zip(low, high, cos, sin)
    ]


def attention(q, keys, values):
    factor = f32(1.0 / f32(math.sqrt(len(q))))
    t = [f32(dot(q, k) * factor) for k in keys]
    m = max(t)
    e = [exp(f32(score - m)) for score in t]
    inverse = f32(1.0 / striped(e))
    y = []
    for i in range(len(q)):
        o = 0.0
        for weight, v in zip(e, values, strict=True):
            o = f32(o + f32(weight * v[i]))
        y.append(f32(o * inverse))
    return y


def act(gate, g):
    if gate == "squared_relu":
        r = g if g > 0 else 0.0
        return f32(r * r)
    return f32(g * sigmoid(g))


def layer(shape, weights, cache, x):
    """One token; its position is the number of those in `cache`, a list of keys and values."""
    d, group = shape["head_dim"], shape["heads"] // shape["kv_heads"]
    epsilon = from32(shape["epsilon"])

    def heads_of(values):
        return [values[at : at + d] for at in range(0, len(values), d)]

    def norm(values, role):
        return rmsnorm(values, weights[role], epsilon) if role in weights else values

    a = norm(x, "attention_norm")
    cos, sin = rope(shape["theta"], d, len(cache))
    q = [rotate(head, cos, sin) for head in heads_of(weights["query"].product(a))]
    k = [rotate(head, cos, sin) for head in heads_of(weights["key"].product(a))]
    cache.append((k, heads_of(weights["value"].product(a))))
    h = []
    for index, head in enumerate(q):
        of = index // group
        h += attention(head, [k[of] for k, _ in cache], [v[of] for _, v in cache])
    h = norm(h, "attention_sub_norm")
    x = [f32(a + b) for a, b in zip(x, weights["attention_output"].product(h), strict=True)]
    b = norm(x, "feed_forward_norm")
    gate, up = weights["gate"].product(b), weights["up"].product(b)
    f = [f32(act(shape["gate"], g) * u) for g, u in zip(gate, up, strict=True)]
    f = norm(f, "feed_forward_sub_norm")
    return [f32(a + b) for a, b in zip(x, weights["down"].product(f), strict=True)]


# --- sampling -------------------------------------------------------------------------------------


def sample(logits, temperature_milli, top_k, top_p_ppm, seed, index):
    order = sorted(range(len(finite(logits))), key=lambda i: (-logits[i], i))
    if temperature_milli == 0:
        return order[0]
    temperature = f32(temperature_milli / 1000.0)
    z = [f32(l / temperature) for l in logits]
    if not math.isfinite(max(z)):
        raise NotFinite
    w = [math.floor(exp(f32(each - max(z))) * 2**30) for each in z]
    if top_k > 0:
        order = order[:top_k]
    if top_p_ppm < 1_000_000:
        total, count = sum(w[i] for i in order), 0
        while sum(w[i] for i in order[:count]) * 1_000_000 < top_p_ppm * total:
            count += 1
        order = order[:count]
    random = sha256(b"aria/sample/v1" + seed.to_bytes(8, "little") + index.to_bytes(4, "little"))
    u = int.from_bytes(random.digest()[:8], "little")
    x = u * sum(w[i] for i in order) >> 64
    running = 0
    for i in sorted(order):
        running += w[i]
        if running > x:
            return i
    raise AssertionError("the sum exceeds every number below it")


# --- leaves of the trace --------------------------------------------------------------------------


def leaf_data(salt, position, values=None, token=None):
    """`salt ‖ t`, then activations and a token, as far as there are."""
    data = salt + position.to_bytes(4, "little")
    if values is not None:
        data += struct.pack(f"<{len(values)}f", *values)
    return data if token is None else data + token.to_bytes(4, "little")
