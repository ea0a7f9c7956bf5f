//! Running a record again: what a verifier does with one that was drawn (`docs/protocol/audit.md`;
//! paper, 3.2: spot checks).
//!
//! | module | what it does |
//! |---|---|
//! | `subject` | what is checked, and whether it belongs together at all |
//! | `rerun` | every layer again, at the record's own cuts; the finding |
//! | `answer` | whether text, end and length follow from the tokens |
//! | `trees` | the trees of each boundary: the record's, and the verifier's own behind its VRF output |
//! | `spool` | what passed between stages, on disk, for openings whose positions nobody knows yet |
//! | [`dispute`] | one position of one stage in all its sums, where a verdict is contested |
//!
//! The tokens of an answer are known before it is checked. So there is no decoding: prompt and answer go
//! through the layers as one prompt does, in chunks, one stage's weights in memory at a time. The last
//! stage draws each token again, from the state that the token before it left.
//!
//! ```text
//! tokens ─▶ stage 0 ─▶ spool(1) ─▶ stage 1 ─▶ spool(2) ─▶ … ─▶ stage n − 1 ─▶ spool(n): final hidden
//!              │                      │                             │            states
//!           trees(1)               trees(2)                      trees(n), tokens drawn again
//! ```
//!
//! Architecture invariant: a finding depends on package, query, tokens and record alone: not on the
//! kernel, the threads, or the chunks. Whatever a record or a hand-over holds, there is a finding or an
//! [`EngineError`](crate::EngineError), never a panic, and memory is bounded by the weights of one
//! stage, its keys and values, and 64 bytes for each leaf.

mod answer;
pub mod dispute;
mod rerun;
mod spool;
mod subject;
mod trees;

pub use rerun::{run, Conduct, Rerun};
pub use subject::Subject;
pub use trees::Opened;
