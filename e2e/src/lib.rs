//! What the demo and the tests of whole nodes are made of.
//!
//! | module | what it holds |
//! |---|---|
//! | [`node`] | an `aria-node` as a process: started, killed, started again |
//! | [`client`] | its JSON-RPC: transactions signed and followed, state and events decoded |
//! | [`keys`] | development accounts, and who plays what |
//! | [`flow`] | the protocol's main path, from a model to a settled record |
//! | [`worker`] | an `aria-worker` as a process: a worker or a gateway |
//! | [`cluster`] | a chain, workers and a gateway together, with a real model |
//! | [`openai`] | the gateway's HTTP API |
//! | [`ports`] | ports that a process finds free again |
//! | [`state`] | the whole state of a block, and how two of them differ |
//!
//! Architecture invariant: nothing here shares code with the node. It is a program that is started
//! and spoken to, as users do.

#![forbid(unsafe_code)]

pub mod client;
pub mod cluster;
pub mod flow;
pub mod keys;
pub mod node;
pub mod openai;
pub mod ports;
pub mod state;
pub mod worker;
