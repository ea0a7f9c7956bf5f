//! Records that this worker makes false on purpose, to see who passes them (`docs/protocol/audit.md`,
//! "Canaries"; paper, 5.3: statistical verification).
//!
//! | module | concern |
//! |---|---|
//! | [`accounts`] | in whose name a canary is asked for, committed to and shown |
//! | [`orders`] | which orders this worker computes falsely |
//! | [`question`] | what is asked |
//! | [`ledger`] | the chain and the gateway, as a maker needs them |
//! | [`store`] | canaries that were made, on disk |
//! | [`step`] | what to do next about one: a pure function |
//! | [`maker`] | all of this at each block |
//!
//! ```text
//! right? ─▶ ask, computed falsely here ─▶ commit ─▶ final? ─▶ settle ─▶ held back? ─▶ show
//!                 (on disk)                  │                   └─ passed over ──▶ withdraw
//!                                            └─ not in an epoch with the right: never settled
//! ```
//!
//! Architecture invariant: an answer is false only if its ticket was signed here, by a key that signs
//! nothing else; so nobody else's request is ever answered falsely.
//!
//! Architecture invariant: a false record is handed to the settler only after its commitment, made in an
//! epoch with the right, is in a final block. Else it would be an ordinary lie, with all that follows.

pub mod accounts;
pub mod ledger;
pub mod maker;
pub mod orders;
pub mod question;
pub mod step;
pub mod store;

pub use accounts::Accounts;
pub use ledger::{CanaryLedger, Fate, Forge, Funds, Made, Seen, View};
pub use maker::{Counters, Maker, MakerParts};
pub use orders::Orders;
pub use store::CanaryStore;

#[cfg(test)]
mod tests;
