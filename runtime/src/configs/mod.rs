//! How each pallet is set up, by concern.

mod accounts;
mod aria;
#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
mod consensus;
mod governance;
mod lottery;
mod system;

pub use accounts::ProxyType;
pub use consensus::MmrLeaf;
pub use governance::{CouncilInstance, CouncilMajority, CouncilThreeQuarters, RootOrMajority};
pub use lottery::WeightedBabe;
