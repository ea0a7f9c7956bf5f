//! What a party of a dispute has to say (`docs/protocol/dispute.md`; paper, 6.1 (d)): the leaves of the
//! boundary that is in dispute, everything that a stage's matrices were given and gave at one position,
//! and the weights of a block of rows with their way to the manifest.
//!
//! | module | what it does |
//! |---|---|
//! | `walk` | the stages up to the one in dispute, once more |
//! | `trace` | the items of a position |
//! | `proof` | that a block of sums is none |
//!
//! Both parties compute with what they have: an executor with the weights that it serves, a verifier
//! with those that it verified by. So each says again what it said before, and whether that was right is
//! for the chain to see.
//!
//! Architecture invariant: what is traced is what the layers compute with in an answer, read off while
//! they do; there is no second implementation that could differ.

mod proof;
mod trace;
mod walk;

pub use proof::prove_false;
pub use trace::{trace, Item, Trace};
pub use walk::leaves;
