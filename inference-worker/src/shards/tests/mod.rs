//! Transfers between stores over streams in memory, with peers that behave in every bad way.
#![allow(clippy::unwrap_used)]

mod fetching;
mod resuming;
mod serving;
mod town;
