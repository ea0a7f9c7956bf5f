//! The worker as a verifier, and a gateway as the one that hands over what is verified
//! (`docs/protocol/audit.md`; paper, 3.2: spot checks, 5.3: statistical verification).
//!
//! | module | concern |
//! |---|---|
//! | [`seat`] | lots: the verifier's VRF key, its output for a round, whether that is a seat |
//! | [`seal`] | hand-overs that one verifier reads |
//! | [`ask`] | a verifier asks a record's gateway |
//! | [`serve`] | a gateway answers who proves a seat |
//! | [`kept`] | what a gateway keeps for that, on disk |
//! | [`store`] | what a verifier has begun, on disk |
//! | [`step`] | what to do next about an audit: a pure function |
//! | `turns` | which record is run again next |
//! | [`found`] | a re-run in the chain's words |
//! | [`canary`] | records that are false on purpose, to see who passes them |
//! | [`conduct`] | a re-run within the consent's limits, behind paid work |
//! | [`ledger`] | the chain, as verifiers and gateways need it |
//! | `file` | redb files of audits |
//! | [`parts`] | what a verifier is made of, and what it counts |
//! | [`verifier`] | all of this at each block |
//!
//! ```text
//! block: drawn ─▶ seat? ─▶ ask the gateway ─▶ run again ─▶ commit ─▶ reveal ─▶ open
//!                              │ silent                   (each on disk before it is sent)
//!                              └────────────▶ claim silence
//! ```
//!
//! Architecture invariant: whatever a commitment holds is on disk before the chain has it, so that a
//! process that ends at any moment reveals and opens what an earlier one committed to, or never
//! committed. No finding is said that this machine did not compute; that a gateway posted something else
//! than the record's is read, not computed.

pub mod ask;
pub mod canary;
pub mod conduct;
mod file;
pub mod found;
pub mod kept;
pub mod ledger;
pub mod parts;
pub mod seal;
pub mod seat;
pub mod serve;
pub mod step;
pub mod store;
mod turns;
pub mod verifier;

pub use file::FileError;
pub use kept::{HandOvers, Kept};
pub use parts::{Counters, Gateways, Library, NoHandover, VerifierParts};
pub use serve::{Given, Giving};
pub use verifier::Verifier;

/// Target of this module's logs.
const LOG: &str = "aria::audit";

#[cfg(test)]
mod tests;
