//! The chain as workers and gateways see it: one connection that keeps itself up, what they read,
//! and transactions of theirs followed into a block (`docs/protocol`).
//!
//! | module | what it holds |
//! |---|---|
//! | [`Chain`] (`chain`, `reads`, `market`) | the connection, and everything that is read |
//! | `link` | connecting, following the head, connecting again |
//! | `fit` | whether a chain's runtime is one that this crate fits |
//! | [`Call`] | the calls that workers, gateways and requesters make |
//! | `submit` | signing, nonces, following a transaction, what its failure means |
//! | [`audit`] | audits of drawn records |
//! | `dispute` | verdicts that are contested, and what was posted for them |
//! | [`price`] | what an answer costs |
//!
//! No type of this crate is generated: values travel as SCALE bytes of aria-primitives and of a few
//! structures of [`types`], and `metadata.scale` says of which shape the chain's are. A chain whose
//! shapes differ is refused before anything is read or sent.

#![forbid(unsafe_code)]

pub mod audit;
mod call;
mod chain;
mod dispute;
mod error;
mod events;
mod fit;
mod follow;
mod keys;
mod link;
mod market;
mod nonce;
pub mod price;
mod reads;
mod rpc;
mod runtime;
mod sign;
mod submit;
pub mod types;

pub use call::Call;
pub use chain::{At, Chain};
pub use error::{Advice, ChainError, Refusal, SubmitError};
pub use events::{FailedEntry, Included};
pub use fit::Mismatch;
pub use follow::FinalizedBlock;
pub use link::Head;
pub use reads::RecordProof;
pub use rpc::Header;
pub use runtime::Constants;
pub use submit::Until;
pub use types::{
	Challenge, EraTally, Funds, GatewayState, GatewayView, NonceWindow, Shard, SpendingKey,
	WorkerState, WorkerView,
};
