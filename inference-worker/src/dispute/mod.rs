//! Both sides of a dispute: a stage that is convicted, and a verifier that is outvoted or contested, each
//! of which answers for what it computed (`docs/protocol/dispute.md`; paper, 6.1 (d)).
//!
//! | module | concern |
//! |---|---|
//! | [`chain`] | the chain, as a party needs it |
//! | [`step`] | what to do next: a pure function |
//! | [`say`] | what is posted, out of one's own leaves and items and what the other posted: pure functions |
//! | [`evidence`] | the record run again for that, once, within the machine's limits |
//! | [`disputer`] | all of this at each block |
//!
//! ```text
//! executor   open? ─▶ nodes ──────────▶ leaf found, items ─────────▶ blocks ─▶ prove
//! accuser    open? ─────────▶ node found, leaves ─────────▶ items ─▶ blocks ─▶ prove
//! ```
//!
//! Nothing of this needs a file: everything that a party posts follows from the record, from its own
//! weights, and from blocks that the chain has. A process that begins in the middle of a dispute goes on
//! with it.
//!
//! Architecture invariant: a party posts only what it computed itself, and opens no dispute before its own
//! run made again what it stands for. It proves nothing to the chain that it did not check against the
//! manifest before.

pub mod chain;
pub mod disputer;
pub mod evidence;
pub mod say;
pub mod step;

pub use disputer::{Counters, Disputer, DisputerParts};

/// Target of this module's logs.
const LOG: &str = "aria::dispute";

#[cfg(test)]
mod tests;
