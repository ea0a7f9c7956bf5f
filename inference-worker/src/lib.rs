//! What runs on a contributor's machine, and on a gateway's: inference, settlement, and the limits that
//! the contributor set.
//!
//! | module | what it does |
//! |---|---|
//! | [`limits`] | CPU, bytes, memory, hours: a consent on this machine |
//! | [`pipeline`] | one answer over several workers |
//! | [`plan`] | who computes, and why the others do not |
//! | [`shards`] | models between workers, every chunk verified |
//! | [`settle`] | records to the chain, until they are final |
//! | [`provenance`] | where a text comes from |
//! | [`audit`] | others' records run again, and hand-overs for who does that |
//! | [`dispute`] | what a worker answers for when a verdict is contested |
//! | [`run`] | a worker or a gateway, put together out of these |
//! | [`admin`] | status, pause, metrics |
//! | [`keys`] | accounts, spending keys, private files |
//!
//! Architecture invariant: only [`run`] knows chain, network and gateway at once; the others meet them
//! through traits of their own.

#![forbid(unsafe_code)]

pub mod admin;
pub mod audit;
pub mod dispute;
pub mod keys;
pub mod limits;
pub mod pipeline;
pub mod plan;
pub mod provenance;
pub mod run;
mod seldom;
pub mod settle;
pub mod shards;
