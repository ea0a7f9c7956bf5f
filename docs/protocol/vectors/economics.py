"""The arithmetic of economics.md, for the vectors of `economics.json` that `make.py` writes.

A second implementation, over Python's unbounded integers and in the words of the text. It shares no
code with the Rust crates, whose tests `primitives/math/tests/economics.rs` and
`pallets/reward-distributor/src/tests/vectors.rs` must come to the same numbers, and none with
`scripts/recompute-era/rules.mjs`, whose tests must as well.
"""

from fractions import Fraction
from hashlib import sha256
from math import ceil, floor

PPM = 10**6
ARIA = 10**12
RATE_UNIT = 10**12
U64 = 2**64 - 1
U128 = 2**128 - 1
SPLIT = [700_000, 100_000, 30_000, 50_000, 20_000, 100_000]


# --- the arithmetic -------------------------------------------------------------------------------


def quotient(rounding, a, b, c):
    """`a × b / c`, at most what 128 bits hold; `None` for a divisor of 0."""
    return None if c == 0 else min(rounding(Fraction(a * b, c)), U128)


def mul_div_floor(a, b, c):
    return quotient(floor, a, b, c)


def mul_div_ceil(a, b, c):
    return quotient(ceil, a, b, c)


def emission_between(first, end, initial, interval):
    """Period by period: each emits a half of the one before, without fractions."""
    total, period = 0, first // interval if interval else 0
    while interval and period * interval < end and initial >> period:
        low, high = max(first, period * interval), min(end, (period + 1) * interval)
        total += max(high - low, 0) * (initial >> period)
        period += 1
    return total


def split_proportional(total, *weights):
    """By largest remainders, of equals the first."""
    if not sum(weights):
        return [0] * len(weights)
    exact = [Fraction(total * weight, sum(weights)) for weight in weights]
    parts = [floor(part) for part in exact]
    losses = sorted(range(len(parts)), key=lambda place: (parts[place] - exact[place], place))
    for place in losses[: total - sum(parts)]:
        parts[place] += 1
    return parts


def split_exact(total, *weights):
    return split_proportional(total, *weights) if sum(weights) == PPM else None


def latency_score(observed_ms, target_ms):
    return PPM if observed_ms == 0 else min(PPM, floor(Fraction(target_ms * PPM, observed_ms)))


def quality(uptime, latency, audits):
    exact = Fraction(min(uptime, PPM), PPM) * Fraction(min(latency, PPM), PPM) * min(audits, PPM)
    return floor(exact)


def efficiency(expected, own, ceiling):
    ceiling = min(max(ceiling, PPM // 2), 2 * PPM)
    if own == 0:
        return PPM // 2
    if expected == 0:
        return min(PPM, ceiling)
    return min(max(floor(Fraction(expected * PPM, own)), PPM // 2), ceiling)


def weighted(work, quality_ppm, efficiency_ppm):
    factor = Fraction(min(quality_ppm, PPM), PPM) * Fraction(
        min(max(efficiency_ppm, PPM // 2), 2 * PPM), PPM
    )
    return min(floor(work * factor), U128)


def reward_share(pool, total, own, cap):
    share = mul_div_floor(pool, min(own, total), total) or 0
    return min(share, mul_div_floor(cap, own, RATE_UNIT))


def burn_bound(burnt, beta):
    return floor(Fraction(burnt * min(beta, PPM), PPM))


def reward(pool, total, work, quality_ppm, efficiency_ppm, cap, bound):
    own = weighted(work, quality_ppm, efficiency_ppm)
    by_rate = reward_share(pool, total, own, cap)
    return [own, by_rate, bound, min(by_rate, bound)]


def supported_work(burnt, beta, dilution, cap):
    return mul_div_floor(burn_bound(burnt, beta), dilution * RATE_UNIT, cap) or 0


def counted(work, energy_mj, burnt, beta, dilution, cap):
    """Work that counts, and energy in the same proportion, in nanojoules."""
    energy = energy_mj * 10**6
    supported = supported_work(burnt, beta, dilution, cap)
    if work <= supported:
        return [work, energy]
    return [supported, mul_div_ceil(energy, supported, work)]


# --- the cases ------------------------------------------------------------------------------------


class Numbers:
    """Numbers of every magnitude, the same in each run."""

    def __init__(self, name):
        self.name, self.count = name, 0

    def below(self, bits):
        """A number of at most so many bits, small ones as likely as large ones."""
        self.count += 1
        digest = sha256(f"economics/{self.name}/{self.count}".encode()).digest()
        value = int.from_bytes(digest[:16], "little") >> (128 - bits)
        return value >> (digest[31] % bits)

    def ppm(self, most=PPM):
        return self.below(32) % (most + 1)


def mul_div_cases(numbers):
    edges = [(0, 0, 0), (1, 1, 0), (1, 1, 2), (U128, U128, U128)]
    edges += [(U128, 2, 1), (U128, U128, U128 - 1)]
    return edges + [tuple(numbers.below(128) for _ in range(3)) for _ in range(14)]


def emission_cases(numbers):
    initial, interval = ARIA // 2, 21_038_400
    own = [
        (1, 3_601),
        (3_601, 7_201),
        (0, interval),
        (interval - 10, interval + 10),
        (interval * 38 - 1, interval * 42),
        (0, U64),
        (7, 7),
        (9, 7),
    ]
    own = [(*span, initial, interval) for span in own]
    other = [(0, 100, 1_000, 0), (0, 1_000, 1_001, 7), (13, 14, 7, 13)]
    spans = [sorted([numbers.below(40), numbers.below(40)]) for _ in range(6)]
    return own + other + [(*span, numbers.below(60), 1 + numbers.below(30)) for span in spans]


def split_cases(numbers):
    totals = [0, 1, 2, 5, 7, 19, 160, 44_700_000_001, U128]
    totals += [numbers.below(100) for _ in range(5)]
    uneven = [(100, 1, 2, 3, 4, 5, 6), (9, PPM, 1, 0, 0, 0, 0), (9, PPM, 0, 0, 0, 0, 0)]
    return [(total, *SPLIT) for total in totals] + uneven


def layers_cases(numbers):
    known = [(10, 1, 1, 1), (11, 1, 1, 1), (0, 3, 4), (7, 0, 0), (7, 0, 5, 0)]
    known += [(1, 15, 15), (99, 30)]
    drawn = [
        (numbers.below(100), *(numbers.below(16) for _ in range(1 + numbers.below(5))))
        for _ in range(10)
    ]
    return known + drawn


def latency_cases(numbers):
    known = [(0, 200), (199, 200), (200, 200), (201, 200), (840, 200), (0, 0), (1, 0), (U64, 200)]
    return known + [(numbers.below(20), numbers.below(12)) for _ in range(8)]


def quality_cases(numbers):
    known = [(PPM, PPM, PPM), (PPM, 999_999, PPM), (0, PPM, PPM), (2**32 - 1, 2**32 - 1, 500_000)]
    return known + [tuple(numbers.ppm() for _ in range(3)) for _ in range(8)]


def efficiency_cases(numbers):
    known = [
        (40_000, 45_000, 1_100_000),
        (45_000, 40_000, 1_100_000),
        (45_000, 40_000, 1_000_000),
        (0, 1, 1_100_000),
        (0, 1, 700_000),
        (1, 0, 2_000_000),
        (0, 0, 2_000_000),
        (1, U128, 2_000_000),
        (U128, 1, 2**32 - 1),
        (5, 5, 0),
    ]
    drawn = [(numbers.below(50), numbers.below(50), numbers.ppm(2 * PPM)) for _ in range(10)]
    return known + drawn


def weighted_cases(numbers):
    known = [(1_000, 900_000, 1_100_000), (3, 500_000, 1_500_000)]
    known += [(U128, PPM, 2 * PPM), (9, 0, PPM)]
    return known + [(numbers.below(90), numbers.ppm(), numbers.ppm(2 * PPM)) for _ in range(8)]


def share_cases(numbers):
    known = [
        (1_440 * ARIA, 4 * RATE_UNIT, RATE_UNIT, 100 * ARIA),
        (1_440 * ARIA, 0, 0, 100 * ARIA),
        (10, 3, 1, U128),
        (10, 3, 4, U128),
        (0, 3, 1, U128),
    ]
    drawn = [tuple(numbers.below(bits) for bits in (60, 80, 80, 60)) for _ in range(10)]
    return known + drawn


def burn_cases(numbers):
    known = [(0, 900_000), (1, 900_000), (10, 900_000), (U128, 900_000), (10, 2**32 - 1), (10, 0)]
    return known + [(numbers.below(70), numbers.ppm()) for _ in range(6)]


def reward_cases(numbers):
    # The pool binds, the cap binds, burnt fees bind.
    known = [
        (1_440 * ARIA, 400 * RATE_UNIT, RATE_UNIT, 900_000, 1_100_000, 100 * ARIA, 50 * ARIA),
        (1_440 * ARIA, 2 * RATE_UNIT, RATE_UNIT, PPM, PPM, 100 * ARIA, 500 * ARIA),
        (1_440 * ARIA, 2 * RATE_UNIT, RATE_UNIT, PPM, PPM, 100 * ARIA, 4_025_000_000),
        (1_440 * ARIA, 0, 0, 0, 0, 100 * ARIA, 0),
    ]
    drawn = [
        (
            numbers.below(60),
            numbers.below(80),
            numbers.below(80),
            numbers.ppm(),
            numbers.ppm(2 * PPM),
            numbers.below(60),
            numbers.below(60),
        )
        for _ in range(12)
    ]
    return known + drawn


TERMS = (900_000, 16, 100 * ARIA)


def supported_cases(numbers):
    known = [(burnt, *TERMS) for burnt in (0, 7, 8, 10_000, 4_472_500_000)]
    known += [(U128, 900_000, 2**32 - 1, 1), (9, 900_000, 16, 0)]
    drawn = [
        (numbers.below(70), numbers.ppm(), numbers.below(8), numbers.below(60)) for _ in range(8)
    ]
    return known + drawn


def counted_cases(numbers):
    known = [
        (1_440, 1_000, 10_000, *TERMS),
        (1_441, 1_000, 10_000, *TERMS),
        (5_000, 1_000, 10_000, *TERMS),
        (1, 1, 7, *TERMS),
        (U128, U64, 2, 900_000, 1, 1),
        (12_345, 41_500, 100, *TERMS),
    ]
    drawn = [
        (numbers.below(50), 1 + numbers.below(30), numbers.below(50), *TERMS) for _ in range(10)
    ]
    return known + drawn


FUNCTIONS = [
    (mul_div_floor, mul_div_cases),
    (mul_div_ceil, mul_div_cases),
    (emission_between, emission_cases),
    (split_exact, split_cases),
    (split_proportional, layers_cases),
    (latency_score, latency_cases),
    (quality, quality_cases),
    (efficiency, efficiency_cases),
    (weighted, weighted_cases),
    (reward_share, share_cases),
    (burn_bound, burn_cases),
    (reward, reward_cases),
    (supported_work, supported_cases),
    (counted, counted_cases),
]


def strings(result):
    if result is None:
        return ["none"]
    return [str(value) for value in (result if isinstance(result, list) else [result])]


def content():
    return {
        "about": "The arithmetic of economics.md: what goes in, and what comes out of it.",
        "cases": [
            {
                "function": function.__name__,
                "given": strings(list(given)),
                "result": strings(function(*given)),
            }
            for function, cases in FUNCTIONS
            for given in cases(Numbers(function.__name__))
        ],
    }
