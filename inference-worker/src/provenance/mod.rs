//! Where an answer comes from: the record of a text on the chain, and its proof.
//!
//! | module | concern |
//! |---|---|
//! | [`input`] | what is asked about: a file, a text, an id; and the hashes that it may have |
//! | [`node`] | JSON-RPC to a node (`docs/rpc.md`) |
//! | [`views`] | the node's answers |
//! | [`proof`] | what the node need not be believed for |
//! | [`past`] | the same for records that have left the state |
//! | [`find`] | from one to the other |
//! | [`report`] | all of it in words, or in JSON |
//!
//! The node is believed for nothing that a proof covers: a record counts as proven if it is in the state
//! under a header that hashes to the block's hash, and if the id is that of its body. Whether that block
//! is of the right chain is for whoever asks to compare; see [`find::Request::trusted`].

pub mod find;
pub mod input;
pub mod node;
pub mod past;
pub mod proof;
pub mod report;
pub mod views;
