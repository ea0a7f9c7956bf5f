//! # ARIA's arithmetic
//!
//! The sums behind the protocol's economics, as pure integer functions that the runtime, the tests,
//! the simulations and anybody who recomputes a reward share. Nothing here knows about accounts,
//! storage or blocks beyond their numbers.
//!
//! ## Units
//!
//! * an amount ([`Balance`]) is in planck, 10^12 of which make one [`ARIA`];
//! * a fraction is in parts per million ([`PPM`]), and says so in its name (`_ppm`);
//! * energy is in millijoules (`_mj`), power in milliwatts (`_mw`), time in milliseconds (`_ms`).
//!
//! ## Guarantees
//!
//! * Every function is defined, without a panic, for every input. Where a result would not fit, it
//!   saturates; where the question makes no sense (a divisor of zero), the documentation says what
//!   comes back.
//! * No floating point, no randomness, no dependency: the same input gives the same bits.
//! * What emission pays is rounded down; other rounding is stated where it happens.

#![cfg_attr(not(feature = "std"), no_std)]
#![forbid(unsafe_code)]
#![warn(missing_docs)]

extern crate alloc;

pub mod audit;
pub mod bitlinear;
pub mod draw;
pub mod efficiency;
pub mod emission;
pub mod lottery;
pub mod odds;
pub mod quality;
pub mod reputation;
pub mod reward;
pub mod split;
pub mod uptime;
pub mod weights;
pub mod wide;

/// An amount in planck.
pub type Balance = u128;

/// The fraction one, in parts per million.
pub const PPM: u32 = 1_000_000;

/// One ARIA in planck.
pub const ARIA: Balance = 1_000_000_000_000;
