//! The command line.

use sc_cli::RunCmd;
use std::time::Duration;

/// Options of `aria-node`; without a subcommand it runs the node.
#[derive(Debug, clap::Parser)]
pub struct Cli {
	#[command(subcommand)]
	pub subcommand: Option<Subcommand>,

	#[command(flatten)]
	pub run: RunCmd,

	/// Wait this long for a transaction before an empty block is made [default: 6000].
	///
	/// Only for the development chain, which otherwise makes a block as soon as a transaction is
	/// ready, though at most one a slot.
	#[arg(
		long,
		value_name = "MILLISECONDS",
		value_parser = clap::value_parser!(u64).range(1..),
		help_heading = "Development chain"
	)]
	pub dev_idle_block_ms: Option<u64>,
}

impl Cli {
	/// How long the development chain stays silent when nothing happens, if the operator said so.
	pub fn dev_idle(&self) -> Option<Duration> {
		self.dev_idle_block_ms.map(Duration::from_millis)
	}
}

/// What `aria-node` does besides running.
#[derive(Debug, clap::Subcommand)]
// One value in a process, and clap wants the commands unboxed.
#[allow(clippy::large_enum_variant)]
pub enum Subcommand {
	/// Generate, inspect and insert keys: session keys and the network key.
	#[command(subcommand)]
	Key(sc_cli::KeySubcommand),

	/// Write a chain specification as JSON: `dev`, `local`, or a file to be made raw.
	ExportChainSpec(sc_cli::ExportChainSpecCmd),

	/// Write a chain specification as JSON, with this node as its boot node.
	///
	/// The older form of `export-chain-spec`, kept for the tools that call it.
	BuildSpec(sc_cli::BuildSpecCmd),

	/// Execute one block of the database again and check it.
	CheckBlock(sc_cli::CheckBlockCmd),

	/// Write blocks of the database to a file.
	ExportBlocks(sc_cli::ExportBlocksCmd),

	/// Write the state at a block as a raw chain specification.
	ExportState(sc_cli::ExportStateCmd),

	/// Import the blocks of a file that `export-blocks` wrote.
	ImportBlocks(sc_cli::ImportBlocksCmd),

	/// Delete the chain's database and its index of records. Keys stay.
	PurgeChain(sc_cli::PurgeChainCmd),

	/// Undo blocks that are not final, and what BABE and GRANDPA noted about them.
	Revert(sc_cli::RevertCmd),

	/// Print what the database knows of the chain: best and final block, genesis hash.
	ChainInfo(sc_cli::ChainInfoCmd),
}

#[cfg(test)]
mod tests {
	use super::*;
	use clap::{CommandFactory, Parser};

	#[test]
	fn the_options_should_not_contradict_each_other() {
		Cli::command().debug_assert();
	}

	#[test]
	fn rocksdb_should_be_refused() {
		assert!(Cli::try_parse_from(["aria-node", "--database", "rocksdb"]).is_err());
		assert!(Cli::try_parse_from(["aria-node", "--database", "paritydb"]).is_ok());
	}

	#[test]
	fn an_idle_time_of_zero_should_be_refused() {
		assert!(Cli::try_parse_from(["aria-node", "--dev", "--dev-idle-block-ms", "0"]).is_err());
	}

	#[test]
	fn the_idle_time_should_be_read_in_milliseconds() {
		let idle = Cli::try_parse_from(["aria-node", "--dev", "--dev-idle-block-ms", "250"])
			.map(|cli| cli.dev_idle());

		assert!(matches!(idle, Ok(Some(idle)) if idle == Duration::from_millis(250)));
	}

	#[test]
	fn a_spec_should_be_exported_by_the_name_that_zombienet_uses() {
		assert!(Cli::try_parse_from(["aria-node", "export-chain-spec", "--chain", "local"]).is_ok());
	}
}
