//! The contributor's own endpoint: what a worker does, and pausing it.
//!
//! | module | what it holds |
//! |---|---|
//! | [`report`] | what is answered |
//! | [`server`] | the endpoints |
//! | [`access`] | who may ask |
//! | [`client`] | asking a worker of this machine |
//!
//! It is not for clients of the gateway: it listens on loopback, or asks for a token.

pub mod access;
pub mod client;
pub mod report;
pub mod server;

pub use report::{PlanReport, Status};
pub use server::{Control, Server, Wanted};
