//! The methods over JSON, and what they are made of.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod errors;
mod methods;
pub(crate) mod mock;
mod params;
mod past;
mod subscription;
