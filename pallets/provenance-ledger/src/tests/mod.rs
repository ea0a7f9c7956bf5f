//! Tests, one file for each concern.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod block_records;
mod index;
mod insert;
mod migrations;
mod prune;
mod stats;
