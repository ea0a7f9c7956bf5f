"""Ed25519 signatures (RFC 8032, 5.1), slow and for test keys only."""

from hashlib import sha512

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P


def _recover_x(y):
    """The even x of the point with this y."""
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    return P - x if x % 2 else x


BASE = (_recover_x(4 * pow(5, P - 2, P) % P), 4 * pow(5, P - 2, P) % P)


def _add(a, b):
    """The sum of two points in affine coordinates."""
    (x1, y1), (x2, y2) = a, b
    cross = D * x1 * x2 * y1 * y2 % P
    x = (x1 * y2 + x2 * y1) * pow(1 + cross, P - 2, P) % P
    y = (y1 * y2 + x1 * x2) * pow(1 - cross, P - 2, P) % P
    return x, y


def _times(scalar, point):
    result = (0, 1)
    while scalar:
        if scalar & 1:
            result = _add(result, point)
        point = _add(point, point)
        scalar >>= 1
    return result


def _compress(point):
    x, y = point
    return (y | (x & 1) << 255).to_bytes(32, "little")


def _expand(seed):
    digest = sha512(seed).digest()
    scalar = int.from_bytes(digest[:32], "little")
    scalar = scalar & ((1 << 254) - 8) | 1 << 254
    return scalar, digest[32:]


def public(seed):
    """The 32-byte public key of a 32-byte seed."""
    return _compress(_times(_expand(seed)[0], BASE))


def sign(seed, message):
    """The 64-byte signature of the message."""
    scalar, prefix = _expand(seed)
    key = _compress(_times(scalar, BASE))
    nonce = int.from_bytes(sha512(prefix + message).digest(), "little") % ORDER
    commitment = _compress(_times(nonce, BASE))
    challenge = int.from_bytes(sha512(commitment + key + message).digest(), "little") % ORDER
    return commitment + ((nonce + challenge * scalar) % ORDER).to_bytes(32, "little")
