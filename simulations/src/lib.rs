//! Simulations of the protocol: what no test network is old or large enough to show.
//!
//! | module | concern |
//! |---|---|
//! | [`attacks`] | what lying and cheating come to (`make attacks`) |
//! | [`economics`] | supply, income and prices over ten years (`make economics`) |
//! | [`plot`] | figures in SVG |
//! | [`table`] | tables as CSV and Markdown |
//! | [`document`] | results between the markers of a document |
//! | [`random`] | random numbers of a seed |
//! | [`real`] | logarithms and powers with the same bits on every machine |
//!
//! A run is decided by its arguments to the bit, on every machine: what is committed under `docs` can
//! be made again and compared.

#![forbid(unsafe_code)]

pub mod attacks;
pub mod document;
pub mod economics;
pub mod plot;
pub mod random;
pub mod real;
pub mod table;
