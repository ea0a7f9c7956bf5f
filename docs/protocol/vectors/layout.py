"""The protocol's structures, version 1, as the documents beside this folder lay them out."""

from hashlib import sha256 as _sha256

from scale import (
    ACCOUNT,
    BYTES,
    HASH,
    I16,
    SALT,
    SESSION,
    SIGNATURE_64,
    U8,
    U16,
    U32,
    U64,
    U128,
    Structure,
    enumeration,
    option,
    pair,
    vector,
)

PPM = 1_000_000
NO_LAYER = 0xFFFF

# --- hashing.md -----------------------------------------------------------------------------------

RECORD_DOMAIN = b"aria/record/v1"
TICKET_DOMAIN = b"aria/ticket/v1"
BATCH_DOMAIN = b"aria/batch/v1"
SETTLEMENT_DOMAIN = b"aria/settlement/v1"
REQUEST_DOMAIN = b"aria/request/v1"
PEER_DOMAIN = b"aria/peer/v1"
ADVERT_DOMAIN = b"aria/advert/v1"
PROVIDER_DOMAIN = b"aria/provider/v1"
BOUNDARY_DOMAIN = b"aria/boundary/v1"


def sha256(data):
    return _sha256(data).digest()


def domain_hash(domain, genesis, encoded):
    return sha256(domain + genesis + encoded)


def leaf_hash(data):
    return sha256(b"\x00" + data)


def node_hash(left, right):
    return sha256(b"\x01" + left + right)


def merkle_root(leaves):
    """RFC 6962, 2.1, as it is defined there: split at the largest power of two below the count."""
    if not leaves:
        return sha256(b"")
    if len(leaves) == 1:
        return leaves[0]
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return node_hash(merkle_root(leaves[:split]), merkle_root(leaves[split:]))


def merkle_proof(leaves, index):
    """RFC 6962, 2.1.1: the siblings on the way from a leaf to the root, bottom up."""
    if len(leaves) == 1:
        return []
    split = 1 << (len(leaves) - 1).bit_length() - 1
    if index < split:
        return merkle_proof(leaves[:split], index) + [merkle_root(leaves[split:])]
    return merkle_proof(leaves[split:], index - split) + [merkle_root(leaves[:split])]


# --- manifest.md ----------------------------------------------------------------------------------

ARCHITECTURE = enumeration("Architecture", "bitnet_b158", "llama_ternary")
ATTENTION = enumeration(
    "Attention",
    ("gqa", Structure("Gqa", heads=U16, kv_heads=U16, head_dim=U16)),
    (
        "mla",
        Structure(
            "Mla", heads=U16, nope_dim=U16, rope_dim=U16, v_dim=U16, kv_rank=U16, q_rank=U16
        ),
    ),
)
GATE = enumeration("Gate", "squared_relu", "silu")
HEAD = enumeration("Head", "tied", "untied")
ENCODING = enumeration("Encoding", "ternary2", "ternary5", "int8_row", "f16", "f32")
ROLE = enumeration(
    "TensorRole",
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
    "kv_compress",
    "kv_expand",
    "query_compress",
)
TENSOR = Structure("Tensor", layer=U16, role=ROLE, encoding=ENCODING, root=HASH)
LAYER_RANGE = Structure("LayerRange", first=U16, end=U16)
MANIFEST = Structure(
    "Manifest",
    version=U16,
    architecture=ARCHITECTURE,
    attention=ATTENTION,
    hidden=U32,
    feed_forward=U32,
    layers=U16,
    vocab=U32,
    context=U32,
    rope_theta=U32,
    norm_epsilon_bits=U32,
    gate=GATE,
    head=HEAD,
    numerics_version=U16,
    bos=option(U32),
    eos=vector(U32),
    tokenizer_hash=HASH,
    chat_template_hash=HASH,
    tensors=vector(TENSOR),
    shards=vector(LAYER_RANGE),
)


def active_parameters(manifest):
    """Parameters that take part in every token: the matrices of all layers, and the head."""
    hidden = manifest["hidden"]
    kind, a = manifest["attention"]
    if kind == "gqa":
        attention = 2 * hidden * a["head_dim"] * (a["heads"] + a["kv_heads"])
    else:
        head = a["nope_dim"] + a["rope_dim"]
        if a["q_rank"]:
            query = hidden * a["q_rank"] + a["q_rank"] * a["heads"] * head
        else:
            query = hidden * a["heads"] * head
        compress = hidden * (a["kv_rank"] + a["rope_dim"])
        expand = a["kv_rank"] * a["heads"] * (a["nope_dim"] + a["v_dim"])
        output = hidden * a["heads"] * a["v_dim"]
        attention = query + compress + expand + output
    feed_forward = 3 * hidden * manifest["feed_forward"]
    return manifest["layers"] * (attention + feed_forward) + hidden * manifest["vocab"]


# --- query.md -------------------------------------------------------------------------------------

SAMPLING = Structure("Sampling", temperature_milli=U32, top_k=U32, top_p_ppm=U32, seed=U64)
QUERY = Structure(
    "CanonicalQuery",
    version=U16,
    model_id=HASH,
    prompt_tokens=vector(U32),
    sampling=SAMPLING,
    max_tokens=U32,
    stop=vector(BYTES),
    salt=SALT,
)

# --- ticket.md ------------------------------------------------------------------------------------

AUDIT_MODE = enumeration("AuditMode", "any", ("named", HASH), "none")
TICKET = Structure(
    "Ticket",
    version=U16,
    requester=ACCOUNT,
    key=ACCOUNT,
    gateway=ACCOUNT,
    model_id=HASH,
    query_hash=HASH,
    max_price=U128,
    nonce=U64,
    expiry=U32,
    audit_mode=AUDIT_MODE,
)
# What an on-chain request's id is made of (request.md).
PROMPT = enumeration("RequestPrompt", ("text", BYTES), ("hash", HASH))
REQUEST_CONTENT = Structure(
    "RequestContent",
    requester=ACCOUNT,
    count=U64,
    model_id=HASH,
    prompt=PROMPT,
    sampling=SAMPLING,
    max_tokens=U32,
    max_price=U128,
    deadline=U32,
    audit_mode=AUDIT_MODE,
)
# Variants 1 to 3 (sr25519, ECDSA, ECDSA with Ethereum's addresses) need no vector of ours.
SIGNATURE = enumeration("Signature", ("ed25519", SIGNATURE_64))
SIGNED_TICKET = Structure("SignedTicket", ticket=TICKET, signature=SIGNATURE)

# --- record.md ------------------------------------------------------------------------------------

FINISH_REASON = enumeration("FinishReason", "stop", "length", "cancelled")
ENERGY_SOURCE = enumeration("EnergySource", "estimate", "rapl", "powermetrics", "meter")
STAGE = Structure(
    "Stage",
    node=ACCOUNT,
    layers=LAYER_RANGE,
    energy_mj=U64,
    energy_source=ENERGY_SOURCE,
    consent_version=U32,
)
ANCHOR = Structure("Anchor", number=U32, hash=HASH)
RECORD_BODY = Structure(
    "RecordBody",
    version=U16,
    model_id=HASH,
    query_hash=HASH,
    output_hash=HASH,
    output_tokens_hash=HASH,
    finish_reason=FINISH_REASON,
    prompt_tokens=U32,
    cached_tokens=U32,
    output_tokens=U32,
    stages=vector(STAGE),
    boundaries=vector(HASH),
    energy_mj=U64,
    latency_ms=U32,
    timestamp=U64,
    anchor=ANCHOR,
    ticket_hash=HASH,
)
PAYMENT = enumeration("Payment", ("ticket", SIGNED_TICKET), ("request", HASH))
SETTLEMENT = Structure(
    "Settlement",
    id=HASH,
    body=RECORD_BODY,
    payment=PAYMENT,
    signatures=vector(option(SIGNATURE)),
    gateway_signature=SIGNATURE,
)
BATCH_ENTRY = Structure("BatchEntry", id=HASH, body=RECORD_BODY, payment=PAYMENT)
BATCH = Structure(
    "Batch", entries=vector(BATCH_ENTRY), signatures=vector(pair(ACCOUNT, SIGNATURE))
)


def boundary(index, root, query_hash):
    return domain_hash(BOUNDARY_DOMAIN, query_hash, U16.encode(index) + root)


def batch_digest(genesis, ids, signers):
    root = merkle_root([leaf_hash(each) for each in ids])
    return domain_hash(BATCH_DOMAIN, genesis, root + vector(ACCOUNT).encode(signers))


def settlement_digest(record_id, signed_stages):
    return domain_hash(SETTLEMENT_DOMAIN, record_id, U32.encode(signed_stages))


# --- consent.md -----------------------------------------------------------------------------------

TASK_TYPE = enumeration("TaskType", "text_generation", "embedding", "audit")
WINDOW = Structure("Window", **{"from": U16, "to": U16})
SCHEDULE = Structure("Schedule", days=U8, utc_offset_minutes=I16, windows=vector(WINDOW))
REWARD_MODE = enumeration("RewardMode", "keep", "donate")
REWARD_PREFERENCE = Structure(
    "RewardPreference", payout=ACCOUNT, minimum_price=U128, mode=REWARD_MODE
)
CONSENT = Structure(
    "Consent",
    cpu_percent=U8,
    schedule=SCHEDULE,
    task_types=vector(TASK_TYPE),
    max_bandwidth_mbps=U32,
    max_memory_mb=U32,
    reward_preference=REWARD_PREFERENCE,
)

# --- network.md -----------------------------------------------------------------------------------

ADVERT = Structure(
    "Advert",
    version=U16,
    account=ACCOUNT,
    peer=SALT,
    addresses=vector(BYTES),
    serves=vector(pair(HASH, LAYER_RANGE)),
    sessions=U16,
    capacity=U16,
    consent_version=U32,
    region=U16,
    bandwidth_mbps=U32,
    made_at=U64,
    expires_at=U64,
)
SIGNED_ADVERT = Structure("SignedAdvert", advert=ADVERT, signature=SIGNATURE)
PROVIDED = pair(HASH, option(LAYER_RANGE))

SMALL_FILE = enumeration("SmallFile", "manifest", "tokenizer", "chat_template")
SHARD_REQUEST = enumeration(
    "ShardRequest",
    ("part", Structure("Part", model=HASH, file=SMALL_FILE, offset=U32)),
    ("chunk", Structure("Chunk", model=HASH, tensor=U16, chunk=U32)),
)
SHARD_ANSWER = enumeration(
    "ShardAnswer",
    ("part", Structure("Part", total=U32, bytes=BYTES)),
    ("chunk", Structure("Chunk", bytes=BYTES, proof=vector(HASH))),
    "not_here",
    ("later", Structure("Later", retry_ms=U32)),
)

STAGE_PLACE = Structure(
    "StagePlace", node=ACCOUNT, peer=SALT, addresses=vector(BYTES), layers=LAYER_RANGE
)
ORDER = Structure(
    "Order",
    session=SESSION,
    attempt=U32,
    stage=U16,
    stages=vector(STAGE_PLACE),
    gateway=ACCOUNT,
    model_id=HASH,
    query_hash=HASH,
    salt=SALT,
    prompt_tokens=U32,
    max_tokens=U32,
    query=option(QUERY),
    drawn=vector(U32),
    ticket=SIGNED_TICKET,
    anchor=ANCHOR,
)
LINK = Structure("Link", session=SESSION, attempt=U32, **{"from": U16})
HELLO = enumeration("Hello", ("order", ORDER), ("link", LINK))
TO_STAGE = enumeration(
    "ToStage",
    ("ping", U64),
    ("replan", Structure("Replan", attempt=U32, stages=vector(STAGE_PLACE))),
    ("stop", Structure("Stop", tokens=U32)),
    ("sign", RECORD_BODY),
    "close",
)
REFUSAL = enumeration(
    "Refusal",
    "consent",
    "paused",
    ("busy", Structure("Busy", retry_ms=U32)),
    "not_served",
    ("payment", BYTES),
    "chain_unreachable",
    ("malformed", BYTES),
)
TOTALS = Structure(
    "Totals",
    energy_mj=U64,
    energy_source=ENERGY_SOURCE,
    consent_version=U32,
    before=HASH,
    behind=HASH,
)
FROM_STAGE = enumeration(
    "FromStage",
    ("accepted", Structure("Accepted", consent_version=U32)),
    ("refused", REFUSAL),
    ("pong", Structure("Pong", ping=U64, position=U32)),
    ("token", Structure("Token", index=U32, token=U32, finish=option(FINISH_REASON))),
    ("totals", TOTALS),
    ("signature", SIGNATURE),
    ("failed", Structure("Failed", blames=option(U16), reason=BYTES)),
)
LINK_READY = Structure("LinkReady", position=U32)
LINK_FRAME = enumeration(
    "LinkFrame",
    ("activations", Structure("Activations", position=U32, values=BYTES)),
    ("token", Structure("Token", index=U32, token=U32)),
)


def frame(encoded):
    """A message behind its length: four bytes, little-endian."""
    return U32.encode(len(encoded)) + encoded
