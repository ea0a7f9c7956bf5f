//! What the methods answer, in JSON.
//!
//! - Names are camelCase; names of kinds (`taskTypes`, `energySource` …) are snake_case.
//! - Numbers of at most 32 bits are JSON numbers, and so are times in milliseconds. Wider ones
//!   (balances, energy, sums, epochs) are decimal strings: JavaScript's numbers would round them.
//! - Hashes and bytes are hex with `0x`, accounts SS58 with prefix 42.
//! - What is not there is `null`, never left out.

mod consent;
mod encoding;
mod network;
mod pages;
mod proof;
mod record;
mod reward;
#[cfg(test)]
mod tests;
mod trace;

pub use consent::{ConsentView, RewardPreferenceView, ScheduleView};
pub(crate) use encoding::ss58;
pub use network::NetworkStatsView;
pub use pages::{DiscardedView, FoundView, IndexedRange, ListView};
pub use proof::{PastView, ProofView};
pub use record::{AnchorView, RecordView, StageView};
pub use reward::RewardView;
pub use trace::{AuditView, ModelInfoView, TraceView, TracedNodeView};
