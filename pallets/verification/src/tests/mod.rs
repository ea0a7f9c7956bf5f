//! Tests, one file for each concern.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod canaries;
mod disputes;
mod distribution;
mod draw;
mod force_draw;
mod games;
mod migrations;
mod note_settled;
mod queue;
mod retention;
mod rounds;
mod silence;
mod status;
mod support;
mod verifiers;
