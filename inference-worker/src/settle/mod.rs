//! Settlement: from a record that all stages signed to its entry in a final block
//! (`docs/protocol/settlement.md`).
//!
//! | module | concern |
//! |---|---|
//! | [`store`] | what must survive a restart: settlements, what this worker signed, nonces |
//! | [`ledger`] | what is asked of the chain, and which of its refusals are for good |
//! | [`batch`] | one signature over many records: asking for it, and giving it |
//! | [`grouping`] | what goes into a batch together |
//! | [`rules`] | what to do next about one settlement, as a pure function |
//! | [`backoff`] | how long to wait before the next try |
//! | [`settler`] | submits, waits until final, tries again |
//!
//! A settlement is durable before [`Settler::add`] returns. What was handed to the chain is noted
//! before it is handed over, so that after a crash nothing is submitted again until it is clear that
//! the first attempt was lost. The chain takes a record once at most; what is guarded here is that each
//! is taken, and that no fee is paid for one that is on its way.

pub mod backoff;
pub mod batch;
pub mod grouping;
pub mod ledger;
pub mod rules;
pub mod settler;
pub mod store;

#[cfg(test)]
pub(crate) mod testing;

pub use batch::{ask_batch, serve_batch, BatchRequest, BatchSigners};
pub use ledger::{refusal, Heads, Ledger, Presence, SubmitError, Submitted, Unreachable};
pub use rules::Rules;
pub use settler::{AddError, Pace, Settler, Status};
pub use store::{Failed, Phase, Settled, SettlementStore, State, StoreError};
