#!/usr/bin/env python3
"""Writes the golden vectors: `make.py` makes the JSON files beside it, `make.py --check` compares.

A second implementation of the protocol's bytes, in Python's standard library alone. It shares no
code with the Rust crates, whose tests `primitives/tests/golden.rs` and, for `network.json`,
`inference-worker/network/tests/golden.rs` build the same values and must come to the same bytes;
`economics.py` and `bitlinear.py` say who checks theirs.
"""

import json
import struct
import sys
from pathlib import Path

sys.dont_write_bytecode = True

import bitlinear
import economics
import ed25519
import layout as l
from scale import ACCOUNT, U32, hexadecimal, option, vector

HERE = Path(__file__).resolve().parent
# Vectors that another program makes and checks.
OTHERS = {"numerics.json"}
GENESIS = bytes([0x67]) * 32


def repeat(byte):
    """A hash or account that is easy to recognise."""
    return bytes([byte]) * 32


def seeded(byte):
    """Seed, and account of the ed25519 key made from it."""
    return repeat(byte), ed25519.public(repeat(byte))


def fields_of(structure, value):
    """Each field with its type, value and bytes, in the order in which they are encoded."""
    return [
        {
            "name": name,
            "type": kind.name,
            "value": kind.show(value[name]),
            "bytes": hexadecimal(kind.encode(value[name])),
        }
        for name, kind in structure.fields.items()
    ]


def entry(name, structure, value, **derived):
    """A vector: the fields, all bytes, and what is derived from them."""
    made = {
        "name": name,
        "structure": structure.name,
        "fields": fields_of(structure, value),
        "bytes": hexadecimal(structure.encode(value)),
    }
    for key, result in derived.items():
        made[key] = hexadecimal(result) if isinstance(result, bytes) else result
    return made


# --- the values -----------------------------------------------------------------------------------


def tensors(layers, per_layer, whole, encodings):
    """Tensors in canonical order; each root is sha256 of `root/LAYER/INDEX OF THE ROLE`."""
    places = [(layer, role) for layer in range(layers) for role in per_layer]
    places += [(l.NO_LAYER, role) for role in whole]
    places.sort(key=lambda place: (place[0], l.ROLE.index[place[1]]))
    return [
        {
            "layer": layer,
            "role": role,
            "encoding": encodings.get(role, "f32"),
            "root": l.sha256(f"root/{layer}/{l.ROLE.index[role]}".encode()),
        }
        for layer, role in places
    ]


NORMS = ["attention_norm", "feed_forward_norm"]
SUB_NORMS = ["attention_sub_norm", "feed_forward_sub_norm"]
FEED_FORWARD = ["gate", "up", "down"]
GQA_MATRICES = ["query", "key", "value", "attention_output"]
MLA_MATRICES = ["query", "query_compress", "kv_compress", "kv_expand", "attention_output"]

GQA = {
    "version": 1,
    "architecture": "bitnet_b158",
    "attention": ("gqa", {"heads": 4, "kv_heads": 2, "head_dim": 16}),
    "hidden": 64,
    "feed_forward": 192,
    "layers": 2,
    "vocab": 512,
    "context": 256,
    "rope_theta": 500_000,
    "norm_epsilon_bits": 0x3727C5AC,  # 1e-5
    "gate": "squared_relu",
    "head": "tied",
    "numerics_version": 1,
    "bos": 1,
    "eos": [2, 7],
    "tokenizer_hash": repeat(0xA1),
    "chat_template_hash": repeat(0xA2),
    "tensors": tensors(
        2,
        NORMS + SUB_NORMS + FEED_FORWARD + GQA_MATRICES,
        ["token_embedding", "output_norm"],
        {role: "ternary2" for role in GQA_MATRICES + FEED_FORWARD} | {"token_embedding": "f16"},
    ),
    "shards": [{"first": 0, "end": 1}, {"first": 1, "end": 2}],
}

MLA = {
    "version": 1,
    "architecture": "llama_ternary",
    "attention": (
        "mla",
        {"heads": 4, "nope_dim": 16, "rope_dim": 8, "v_dim": 16, "kv_rank": 32, "q_rank": 24},
    ),
    "hidden": 64,
    "feed_forward": 160,
    "layers": 2,
    "vocab": 1024,
    "context": 4096,
    "rope_theta": 10_000,
    "norm_epsilon_bits": 0x358637BD,  # 1e-6
    "gate": "silu",
    "head": "untied",
    "numerics_version": 1,
    "bos": None,
    "eos": [],
    "tokenizer_hash": repeat(0xB1),
    "chat_template_hash": repeat(0xB2),
    "tensors": tensors(
        2,
        NORMS + FEED_FORWARD + MLA_MATRICES,
        ["token_embedding", "output_norm", "output"],
        {role: "ternary5" for role in MLA_MATRICES + FEED_FORWARD}
        | {"token_embedding": "int8_row", "output": "int8_row"},
    ),
    "shards": [{"first": 0, "end": 2}],
}

MODEL_ID = l.sha256(l.MANIFEST.encode(GQA))

GREEDY = {
    "version": 1,
    "model_id": MODEL_ID,
    "prompt_tokens": [1, 300, 70_000],
    "sampling": {"temperature_milli": 0, "top_k": 0, "top_p_ppm": l.PPM, "seed": 0},
    "max_tokens": 16,
    "stop": [],
    "salt": repeat(0x00),
}

SAMPLED = {
    "version": 1,
    "model_id": MODEL_ID,
    # Beyond 63 items a length takes two bytes.
    "prompt_tokens": list(range(100)),
    "sampling": {
        "temperature_milli": 700,
        "top_k": 40,
        "top_p_ppm": 950_000,
        "seed": 2**53 + 1,
    },
    "max_tokens": 512,
    "stop": [b"\n\n", "é".encode()],
    "salt": repeat(0x5A),
}

QUERY_HASH = l.sha256(l.QUERY.encode(GREEDY))
KEY_SEED, KEY = seeded(0x21)
GATEWAY_SEED, GATEWAY = seeded(0x22)
REQUESTER = repeat(0xC1)

TICKET = {
    "version": 1,
    "requester": REQUESTER,
    "key": KEY,
    "gateway": GATEWAY,
    "model_id": MODEL_ID,
    "query_hash": QUERY_HASH,
    "max_price": 2_500_000_000_000,
    "nonce": 7,
    "expiry": 14_400,
    "audit_mode": "any",
}
NAMED_TICKET = TICKET | {
    "max_price": 2**64 + 5,
    "nonce": 2**53 + 1,
    "audit_mode": ("named", repeat(0xD1)),
}
PRIVATE_TICKET = TICKET | {"nonce": 8, "audit_mode": "none"}


def ticket_hash(ticket):
    return l.domain_hash(l.TICKET_DOMAIN, GENESIS, l.TICKET.encode(ticket))


def signed(ticket):
    return {
        "ticket": ticket,
        "signature": ("ed25519", ed25519.sign(KEY_SEED, ticket_hash(ticket))),
    }


TEXT_REQUEST = {
    "requester": REQUESTER,
    "count": 0,
    "model_id": MODEL_ID,
    "prompt": ("text", "Is it raining?".encode()),
    "sampling": GREEDY["sampling"],
    "max_tokens": 64,
    "max_price": 3_000_000_000,
    "deadline": 4_400,
    "audit_mode": "any",
}
HASH_REQUEST = TEXT_REQUEST | {"count": 1, "prompt": ("hash", QUERY_HASH), "audit_mode": "none"}

OUTPUT_TEXT = "Ternary weights only add and subtract: no multiplier is needed at all."
OUTPUT_TOKENS = [9, 8, 70_001, 2]
ROOTS = [l.sha256(f"root {index}".encode()) for index in range(3)]
BOUNDARIES = [l.boundary(index, root, QUERY_HASH) for index, root in enumerate(ROOTS)]
NODE_SEEDS, NODES = zip(seeded(0x11), seeded(0x12))

BODY = {
    "version": 1,
    "model_id": MODEL_ID,
    "query_hash": QUERY_HASH,
    "output_hash": l.sha256(OUTPUT_TEXT.encode()),
    "output_tokens_hash": l.sha256(vector(U32).encode(OUTPUT_TOKENS)),
    "finish_reason": "stop",
    "prompt_tokens": 3,
    "cached_tokens": 1,
    "output_tokens": 4,
    "stages": [
        {
            "node": NODES[0],
            "layers": {"first": 0, "end": 1},
            "energy_mj": 1_200,
            "energy_source": "rapl",
            "consent_version": 3,
        },
        {
            "node": NODES[1],
            "layers": {"first": 1, "end": 2},
            "energy_mj": 800,
            "energy_source": "estimate",
            "consent_version": 1,
        },
    ],
    "boundaries": BOUNDARIES,
    "energy_mj": 2_000,
    "latency_ms": 145,
    "timestamp": 1_767_225_600_000,
    "anchor": {"number": 4_200, "hash": repeat(0xE1)},
    "ticket_hash": ticket_hash(TICKET),
}
# The same answer, cut off, for an on-chain request, by one node.
SHORT_BODY = BODY | {
    "finish_reason": "cancelled",
    "cached_tokens": 0,
    "stages": [
        {
            "node": NODES[0],
            "layers": {"first": 0, "end": 2},
            "energy_mj": 2_000,
            "energy_source": "meter",
            "consent_version": 3,
        }
    ],
    "boundaries": BOUNDARIES[:2],
    "ticket_hash": repeat(0xF1),
}


def record_id(body):
    return l.domain_hash(l.RECORD_DOMAIN, GENESIS, l.RECORD_BODY.encode(body))


IDS = [record_id(BODY), record_id(SHORT_BODY), repeat(0x33)]

SETTLEMENT = {
    "id": IDS[0],
    "body": BODY,
    "payment": ("ticket", signed(TICKET)),
    "signatures": [("ed25519", ed25519.sign(NODE_SEEDS[0], IDS[0])), None],
    "gateway_signature": ("ed25519", ed25519.sign(GATEWAY_SEED, l.settlement_digest(IDS[0], 0b01))),
}
# The set of no stage, of each of two, of both, of the last one of 32, and of all.
STAGE_SETS = [0b00, 0b01, 0b10, 0b11, 1 << 31, 2**32 - 1]
SIGNERS = sorted(zip([*NODES, GATEWAY], [*NODE_SEEDS, GATEWAY_SEED]))
SIGNER_ACCOUNTS = [account for account, _ in SIGNERS]
DIGEST = l.batch_digest(GENESIS, IDS[:2], SIGNER_ACCOUNTS)
BATCH = {
    "entries": [
        {"id": IDS[0], "body": BODY, "payment": ("ticket", signed(TICKET))},
        {"id": IDS[1], "body": SHORT_BODY, "payment": ("request", repeat(0xF1))},
    ],
    "signatures": [(account, ("ed25519", ed25519.sign(seed, DIGEST))) for account, seed in SIGNERS],
}

ALWAYS = {
    "cpu_percent": 25,
    "schedule": {
        "days": 0b0111_1111,
        "utc_offset_minutes": 0,
        "windows": [{"from": 0, "to": 1_440}],
    },
    "task_types": ["text_generation"],
    "max_bandwidth_mbps": 10,
    "max_memory_mb": 4_096,
    "reward_preference": {"payout": repeat(0xC3), "minimum_price": 1_000_000, "mode": "keep"},
}
NIGHTS = {
    "cpu_percent": 100,
    # Weekdays in Newfoundland's winter time: the night, and an hour at noon.
    "schedule": {
        "days": 0b0001_1111,
        "utc_offset_minutes": -210,
        "windows": [{"from": 1_320, "to": 480}, {"from": 720, "to": 780}],
    },
    "task_types": ["audit", "text_generation", "embedding"],
    "max_bandwidth_mbps": 1_000,
    "max_memory_mb": 65_536,
    "reward_preference": {"payout": repeat(0xC4), "minimum_price": 2**100, "mode": "donate"},
}

PEER_SEED, PEER = seeded(0x31)
WORKER = NODES[0]
BINDING = l.domain_hash(l.PEER_DOMAIN, GENESIS, ACCOUNT.encode(WORKER))


def address(ip, port, quic):
    """A multiaddress in binary form: `/ip4/IP/udp/PORT/quic-v1`, or `/ip4/IP/tcp/PORT`."""
    transport, behind = (b"\x91\x02", b"\xcd\x03") if quic else (b"\x06", b"")
    return b"\x04" + bytes(ip) + transport + port.to_bytes(2, "big") + behind


ADVERT = {
    "version": 1,
    "account": WORKER,
    "peer": PEER,
    "addresses": [
        address([192, 0, 2, 7], 30_343, quic=True),
        address([192, 0, 2, 7], 30_343, quic=False),
    ],
    "serves": [
        (MODEL_ID, {"first": 0, "end": 1}),
        (repeat(0xB3), {"first": 2, "end": 300}),
    ],
    "sessions": 3,
    "capacity": 64,
    "consent_version": 7,
    "region": 756,
    "bandwidth_mbps": 50,
    "made_at": 1_767_225_600_000,
    "expires_at": 1_767_225_720_000,
}
# Serves nothing that can be reached: every list is empty.
EMPTY_ADVERT = ADVERT | {"addresses": [], "serves": [], "sessions": 0, "region": 0}


def advert_message(advert):
    """What is hashed, and its hash signed."""
    return l.ADVERT_DOMAIN + GENESIS + l.ADVERT.encode(advert)


def signed_advert(advert):
    digest = l.sha256(advert_message(advert))
    return {"advert": advert, "signature": ("ed25519", ed25519.sign(NODE_SEEDS[0], digest))}


PROVIDED = [
    (MODEL_ID, {"first": 0, "end": 1}),
    (MODEL_ID, {"first": 2, "end": 300}),
    (MODEL_ID, None),
]

SESSION = bytes(range(16))
PLACES = [
    {
        "node": NODES[0],
        "peer": PEER,
        "addresses": ADVERT["addresses"],
        "layers": {"first": 0, "end": 1},
    },
    {"node": NODES[1], "peer": repeat(0x32), "addresses": [], "layers": {"first": 1, "end": 2}},
]
ORDER = {
    "session": SESSION,
    "attempt": 0,
    "stage": 1,
    "stages": PLACES,
    "gateway": GATEWAY,
    "model_id": MODEL_ID,
    "query_hash": QUERY_HASH,
    "salt": GREEDY["salt"],
    "prompt_tokens": 3,
    "max_tokens": 16,
    "query": GREEDY,
    "drawn": [],
    "ticket": signed(TICKET),
    "anchor": BODY["anchor"],
}
# A replacement of the last stage.
LATER_ORDER = ORDER | {"attempt": 2, "drawn": [9, 70_001]}
# A stage in the middle, which sees no prompt.
LAST_PLACE = {
    "node": GATEWAY,
    "peer": repeat(0x33),
    "addresses": ADVERT["addresses"][1:],
    "layers": {"first": 2, "end": 3},
}
MIDDLE_ORDER = ORDER | {"stages": PLACES + [LAST_PLACE], "query": None}
# Two positions of four values.
ACTIVATIONS = struct.pack("<8f", 0.0, 1.0, -1.0, 0.5, -0.25, 3.0, 65_504.0, 2.0**-20)

MESSAGES = [
    ("advert", option(l.SIGNED_ADVERT), signed_advert(ADVERT)),
    ("nothing is served", option(l.SIGNED_ADVERT), None),
    (
        "part of a small file is asked for",
        l.SHARD_REQUEST,
        ("part", {"model": MODEL_ID, "file": "chat_template", "offset": 65_536}),
    ),
    (
        "chunk is asked for",
        l.SHARD_REQUEST,
        ("chunk", {"model": MODEL_ID, "tensor": 17, "chunk": 70_000}),
    ),
    ("part of a small file", l.SHARD_ANSWER, ("part", {"total": 65_540, "bytes": b"abcd"})),
    ("chunk", l.SHARD_ANSWER, ("chunk", {"bytes": b"\x00\xff" * 40, "proof": ROOTS[:2]})),
    ("not here", l.SHARD_ANSWER, "not_here"),
    ("later", l.SHARD_ANSWER, ("later", {"retry_ms": 250})),
    ("order", l.HELLO, ("order", ORDER)),
    ("order to a replacement", l.HELLO, ("order", LATER_ORDER)),
    ("order without a query", l.HELLO, ("order", MIDDLE_ORDER)),
    ("link", l.HELLO, ("link", {"session": SESSION, "attempt": 1, "from": 31})),
    ("ping", l.TO_STAGE, ("ping", 2**53 + 1)),
    ("replan", l.TO_STAGE, ("replan", {"attempt": 1, "stages": PLACES})),
    ("stop", l.TO_STAGE, ("stop", {"tokens": 4})),
    ("sign", l.TO_STAGE, ("sign", BODY)),
    ("close", l.TO_STAGE, "close"),
    ("accepted", l.FROM_STAGE, ("accepted", {"consent_version": 7})),
    ("refused: paused", l.FROM_STAGE, ("refused", "paused")),
    ("refused: busy", l.FROM_STAGE, ("refused", ("busy", {"retry_ms": 1_500}))),
    ("refused: payment", l.FROM_STAGE, ("refused", ("payment", "no escrow".encode()))),
    ("refused: malformed", l.FROM_STAGE, ("refused", ("malformed", "a gap".encode()))),
    ("pong", l.FROM_STAGE, ("pong", {"ping": 2**53 + 1, "position": 66})),
    ("token", l.FROM_STAGE, ("token", {"index": 0, "token": 9, "finish": None})),
    ("last token", l.FROM_STAGE, ("token", {"index": 3, "token": 2, "finish": "stop"})),
    (
        "totals",
        l.FROM_STAGE,
        (
            "totals",
            {
                "energy_mj": 1_200,
                "energy_source": "rapl",
                "consent_version": 3,
                "before": BOUNDARIES[0],
                "behind": BOUNDARIES[1],
            },
        ),
    ),
    ("signature", l.FROM_STAGE, ("signature", SETTLEMENT["signatures"][0])),
    ("failed", l.FROM_STAGE, ("failed", {"blames": 1, "reason": "not finite".encode()})),
    ("failed by itself", l.FROM_STAGE, ("failed", {"blames": None, "reason": b""})),
    ("link is ready", l.LINK_READY, {"position": 64}),
    ("activations", l.LINK_FRAME, ("activations", {"position": 64, "values": ACTIVATIONS})),
    ("drawn token", l.LINK_FRAME, ("token", {"index": 3, "token": 70_001})),
]

# --- the files ------------------------------------------------------------------------------------


def merkle_vector(count):
    leaves = [l.leaf_hash(f"leaf {index}".encode()) for index in range(count)]
    return {
        "name": f"{count} leaves",
        "leaves": [hexadecimal(leaf) for leaf in leaves],
        "root": hexadecimal(l.merkle_root(leaves)),
        "proofs": [
            [hexadecimal(step) for step in l.merkle_proof(leaves, index)]
            for index in range(count)
        ],
    }


def manifest_entry(name, value):
    return entry(
        name,
        l.MANIFEST,
        value,
        model_id=l.sha256(l.MANIFEST.encode(value)),
        active_parameters=str(l.active_parameters(value)),
    )


def query_entry(name, value):
    return entry(name, l.QUERY, value, query_hash=l.sha256(l.QUERY.encode(value)))


def ticket_entry(name, value):
    return entry(
        name,
        l.TICKET,
        value,
        ticket_hash=ticket_hash(value),
        signed_ticket=l.SIGNED_TICKET.encode(signed(value)),
    )


def request_entry(name, value):
    request_id = l.domain_hash(l.REQUEST_DOMAIN, GENESIS, l.REQUEST_CONTENT.encode(value))
    return entry(name, l.REQUEST_CONTENT, value, request_id=request_id)


def record_entry(name, value):
    return entry(name, l.RECORD_BODY, value, record_id=record_id(value))


def advert_entry(name, value):
    message = advert_message(value)
    return entry(
        name,
        l.ADVERT,
        value,
        message=message,
        digest=l.sha256(message),
        signed_advert=l.SIGNED_ADVERT.encode(signed_advert(value)),
    )


def provider_entry(provided):
    encoded = l.PROVIDED.encode(provided)
    return {
        "model": hexadecimal(provided[0]),
        "layers": option(l.LAYER_RANGE).show(provided[1]),
        "bytes": hexadecimal(encoded),
        "key": hexadecimal(l.domain_hash(l.PROVIDER_DOMAIN, GENESIS, encoded)),
    }


def message_entry(name, kind, value):
    encoded = kind.encode(value)
    return {
        "name": name,
        "type": kind.name,
        "value": kind.show(value),
        "bytes": hexadecimal(encoded),
        "frame": hexadecimal(l.frame(encoded)),
    }


FILES = {
    "manifest.json": {
        "about": "Manifests and model ids (manifest.md).",
        "vectors": [manifest_entry("gqa", GQA), manifest_entry("mla", MLA)],
    },
    "query.json": {
        "about": "Canonical queries and their hashes (query.md).",
        "vectors": [query_entry("greedy", GREEDY), query_entry("sampled", SAMPLED)],
    },
    "ticket.json": {
        "about": "Tickets, their hashes on the chain with this genesis, and signed (ticket.md).",
        "genesis": hexadecimal(GENESIS),
        "key_seed": hexadecimal(KEY_SEED),
        "vectors": [
            ticket_entry("any", TICKET),
            ticket_entry("named", NAMED_TICKET),
            ticket_entry("none", PRIVATE_TICKET),
        ],
    },
    "request.json": {
        "about": "On-chain requests and their ids on the chain with this genesis (request.md).",
        "genesis": hexadecimal(GENESIS),
        "vectors": [request_entry("text", TEXT_REQUEST), request_entry("hash", HASH_REQUEST)],
    },
    "record.json": {
        "about": "Record bodies, ids, boundaries, batches and settlements (record.md).",
        "genesis": hexadecimal(GENESIS),
        "node_seeds": [hexadecimal(seed) for seed in NODE_SEEDS],
        "gateway_seed": hexadecimal(GATEWAY_SEED),
        "vectors": [record_entry("two stages", BODY), record_entry("one stage", SHORT_BODY)],
        "output": {
            "text": OUTPUT_TEXT,
            "output_hash": hexadecimal(BODY["output_hash"]),
            "tokens": OUTPUT_TOKENS,
            "output_tokens_hash": hexadecimal(BODY["output_tokens_hash"]),
        },
        "boundaries": [
            {"index": index, "root": hexadecimal(root), "boundary": hexadecimal(made)}
            for index, (root, made) in enumerate(zip(ROOTS, BOUNDARIES))
        ],
        "batch_digests": [
            {
                "ids": [hexadecimal(each) for each in IDS[:count]],
                "signers": [hexadecimal(each) for each in SIGNER_ACCOUNTS],
                "digest": hexadecimal(l.batch_digest(GENESIS, IDS[:count], SIGNER_ACCOUNTS)),
            }
            for count in (1, 2, 3)
        ],
        "settlement_digests": [
            {
                "id": hexadecimal(IDS[0]),
                "signed_stages": stages,
                "digest": hexadecimal(l.settlement_digest(IDS[0], stages)),
            }
            for stages in STAGE_SETS
        ],
        "settlement": hexadecimal(l.SETTLEMENT.encode(SETTLEMENT)),
        "batch": hexadecimal(l.BATCH.encode(BATCH)),
    },
    "merkle.json": {
        "about": "Merkle trees over the leaves `leaf 0`, `leaf 1` and so on (hashing.md).",
        "vectors": [merkle_vector(count) for count in range(6)],
    },
    "consent.json": {
        "about": "Consents (consent.md).",
        "vectors": [entry("always", l.CONSENT, ALWAYS), entry("nights", l.CONSENT, NIGHTS)],
    },
    "peer.json": {
        "about": "The binding of a libp2p key to an account on one chain (hashing.md).",
        "genesis": hexadecimal(GENESIS),
        "account": hexadecimal(WORKER),
        "peer_seed": hexadecimal(PEER_SEED),
        "peer": hexadecimal(PEER),
        "message": hexadecimal(BINDING),
        "signature": hexadecimal(ed25519.sign(PEER_SEED, BINDING)),
    },
    "network.json": {
        "about": "Adverts, keys of providers, and messages between peers in frames (network.md).",
        "genesis": hexadecimal(GENESIS),
        "account_seed": hexadecimal(NODE_SEEDS[0]),
        "vectors": [advert_entry("two models", ADVERT), advert_entry("nothing", EMPTY_ADVERT)],
        "provider_keys": [provider_entry(provided) for provided in PROVIDED],
        "messages": [message_entry(*message) for message in MESSAGES],
    },
    "economics.json": economics.content(),
    "bitlinear.json": bitlinear.content(),
}


def main():
    check = sys.argv[1:] == ["--check"]
    if sys.argv[1:] and not check:
        sys.exit("make.py takes --check, or nothing")
    stale = []
    for name, content in FILES.items():
        path = HERE / name
        text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
        if check:
            if not path.exists() or path.read_text(encoding="utf-8") != text:
                stale.append(name)
        else:
            path.write_text(text, encoding="utf-8")
            print(f"{name}: {len(text)} bytes")
    if stale:
        sys.exit(f"not what make.py makes: {', '.join(stale)}; run it without --check")
    orphans = {path.name for path in HERE.glob("*.json")} - OTHERS - FILES.keys()
    if orphans:
        sys.exit(f"made by nobody: {', '.join(sorted(orphans))}; add them to FILES, or remove them")


if __name__ == "__main__":
    main()
