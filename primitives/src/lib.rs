//! Types, bytes and hashes that every part of ARIA agrees on.
//!
//! Everything that is hashed or signed anywhere in the system is defined here, once, as SCALE
//! bytes of a versioned structure; `docs/protocol/` says the same in words and commits golden
//! vectors that `tests/golden.rs` checks.
//!
//! | module | bytes of |
//! |---|---|
//! | [`manifest`] | a model: dimensions, numerics, Merkle roots of its tensors |
//! | [`query`] | what is asked: tokens, sampling, seed |
//! | [`ticket`] | permission to take a price from an escrow |
//! | [`record`] | what was computed, by whom, with how much energy |
//! | [`consent`] | what a contributor allows |
//! | [`audit`] | seats, commitments, findings and openings of verifiers |
//! | [`dispute`] | forks, traces and sums of those who contest a verdict |
//! | [`price`] | what an answer costs |
//! | [`uptime`] | how a worker shows that it is there |
//! | [`hashing`] | domains, SHA-256, Merkle trees |
//! | [`traits`] | how pallets meet without knowing each other |
//! | [`views`] | what the runtime answers to RPC servers |
//!
//! Architecture invariant: this crate knows no pallet, no node and no network.

#![cfg_attr(not(feature = "std"), no_std)]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod audit;
pub mod consent;
pub mod dispute;
pub mod hashing;
pub mod manifest;
pub mod price;
pub mod query;
pub mod record;
pub mod ticket;
pub mod traits;
pub mod uptime;
pub mod views;

use sp_core::H256;
pub use sp_runtime::{AccountId32 as AccountId, MultiSignature as Signature};

/// An amount of ARIA in planck: 10^12 planck are one ARIA.
pub type Balance = u128;
/// The number of a block.
pub type BlockNumber = u32;
/// Milliseconds since the Unix epoch, UTC.
pub type Moment = u64;
/// SHA-256 of a model's canonical manifest.
pub type ModelId = H256;
/// SHA-256 of a canonical query.
pub type QueryHash = H256;
/// SHA-256 of the answer's text (see [`record::RecordBody::output_hash`]).
pub type OutputHash = H256;
/// Domain-separated SHA-256 of a record's body on one chain.
pub type RecordId = H256;
/// Domain-separated hash of a ticket, or the id of an on-chain request.
pub type PaymentHash = H256;
/// The number of an era of the reward distributor.
pub type EraIndex = u32;
/// The number of an epoch of BABE.
pub type EpochIndex = u64;
/// Parts per million: 1,000,000 is the whole.
pub type Ppm = u32;

/// One ARIA in planck.
pub const ARIA: Balance = 1_000_000_000_000;
/// The whole, in parts per million.
pub const PPM: Ppm = 1_000_000;
