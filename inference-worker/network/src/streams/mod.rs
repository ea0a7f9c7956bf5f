//! Streams between peers: opened on the best connection, limited by peer, counted.
//!
//! A protocol's streams wait in a queue until they are taken, so that a burst of a busy minute is not lost;
//! new streams prefer a direct connection over a relayed one.

mod behaviour;
mod handler;
mod inbound;
pub(crate) mod limiter;
mod stream;

pub(crate) use behaviour::{with_causes, Behaviour};
pub(crate) use handler::{Failure, Request};
pub(crate) use inbound::Inbound;
pub use inbound::{AlreadyAccepted, Incoming};
pub use stream::Stream;
