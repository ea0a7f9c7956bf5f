"""SCALE, as far as the protocol needs it: every type can encode a value and show it as JSON.

Values are plain Python: int, bytes, list, None or a value for an option, a dict for a structure,
and `name` or `(name, payload)` for an enumeration.
"""


class Type:
    """A SCALE type: its name in the documents, `encode` to bytes, `show` for JSON."""

    def __init__(self, name, encode, show):
        self.name, self.encode, self.show = name, encode, show


def integer(name, size, signed=False):
    """A fixed-width integer, little-endian. Those beyond 32 bits are shown as decimal strings,
    since JSON readers may keep only 53 bits."""
    return Type(
        name,
        lambda value: value.to_bytes(size, "little", signed=signed),
        lambda value: value if size <= 4 else str(value),
    )


U8, U16, U32 = integer("u8", 1), integer("u16", 2), integer("u32", 4)
U64, U128 = integer("u64", 8), integer("u128", 16)
I16 = integer("i16", 2, signed=True)


def compact(value):
    """A length: one, two, four or more bytes, the lowest two bits say which."""
    if value < 1 << 6:
        return (value << 2).to_bytes(1, "little")
    if value < 1 << 14:
        return (value << 2 | 1).to_bytes(2, "little")
    if value < 1 << 30:
        return (value << 2 | 2).to_bytes(4, "little")
    size = max(4, (value.bit_length() + 7) // 8)
    return bytes([(size - 4) << 2 | 3]) + value.to_bytes(size, "little")


def hexadecimal(value):
    return "0x" + value.hex()


def fixed(name, size):
    """A byte array of that size, without a length."""

    def encode(value):
        if len(value) != size:
            raise ValueError(f"{name} takes {size} bytes, not {len(value)}")
        return bytes(value)

    return Type(name, encode, hexadecimal)


HASH, ACCOUNT, SALT = fixed("H256", 32), fixed("AccountId", 32), fixed("[u8; 32]", 32)
SESSION, SIGNATURE_64 = fixed("[u8; 16]", 16), fixed("[u8; 64]", 64)
BYTES = Type("Vec<u8>", lambda value: compact(len(value)) + bytes(value), hexadecimal)


def vector(item):
    """A list: its length, then the items."""
    return Type(
        f"Vec<{item.name}>",
        lambda value: compact(len(value)) + b"".join(item.encode(each) for each in value),
        lambda value: [item.show(each) for each in value],
    )


def option(item):
    """Nothing (0x00), or 0x01 and the item."""
    return Type(
        f"Option<{item.name}>",
        lambda value: b"\x00" if value is None else b"\x01" + item.encode(value),
        lambda value: None if value is None else item.show(value),
    )


def pair(first, second):
    """Two values behind each other."""
    return Type(
        f"({first.name}, {second.name})",
        lambda value: first.encode(value[0]) + second.encode(value[1]),
        lambda value: [first.show(value[0]), second.show(value[1])],
    )


class Structure(Type):
    """Fields behind each other, in order."""

    def __init__(self, name, **fields):
        self.fields = fields

        def encode(value):
            if set(value) != set(fields):
                raise ValueError(f"{name} has the fields {set(fields)}, not {set(value)}")
            return b"".join(kind.encode(value[field]) for field, kind in fields.items())

        def show(value):
            return {field: kind.show(value[field]) for field, kind in fields.items()}

        super().__init__(name, encode, show)


def enumeration(name, *variants):
    """One byte for the variant, then its payload: a structure, a type, or nothing. `None` in place
    of a variant leaves its index out."""
    table = {}
    for index, variant in enumerate(variants):
        if variant is not None:
            label, payload = variant if isinstance(variant, tuple) else (variant, None)
            table[label] = (index, payload)

    def parts(value):
        return value if isinstance(value, tuple) else (value, None)

    def encode(value):
        label, inner = parts(value)
        index, payload = table[label]
        return bytes([index]) + (payload.encode(inner) if payload else b"")

    def show(value):
        label, inner = parts(value)
        payload = table[label][1]
        return {label: payload.show(inner)} if payload else label

    made = Type(name, encode, show)
    made.index = {label: index for label, (index, _) in table.items()}
    return made
