//! `aria-node`: the chain node of ARIA. BABE makes blocks, GRANDPA finalises them, parity-db keeps
//! them; `--dev` runs a chain of one.

// The SDK's errors, which most functions here pass on, are larger than that lint likes.
#![allow(clippy::result_large_err)]

mod chain_spec;
mod cli;
mod command;
mod rpc;
mod service;

fn main() -> sc_cli::Result<()> {
	command::run()
}
