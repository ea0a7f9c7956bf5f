//! Tests, one file for each concern.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod distribution;
mod draw;
mod force_draw;
mod note_settled;
mod status;
