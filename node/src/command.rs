//! From the command line to what it asks for.

use crate::{
	chain_spec,
	cli::{Cli, Subcommand},
	service::{self, FullBackend, FullClient, Partial},
};
use aria_runtime::opaque::Block;
use sc_cli::SubstrateCli;
use sc_service::ChainSpec;
use sp_runtime::traits::NumberFor;
use std::{future::Future, sync::Arc};

impl SubstrateCli for Cli {
	fn impl_name() -> String {
		"ARIA Node".into()
	}

	fn impl_version() -> String {
		env!("SUBSTRATE_CLI_IMPL_VERSION").into()
	}

	fn description() -> String {
		env!("CARGO_PKG_DESCRIPTION").into()
	}

	fn author() -> String {
		env!("CARGO_PKG_AUTHORS").into()
	}

	fn support_url() -> String {
		"the issue tracker of the repository that this node was built from".into()
	}

	fn copyright_start_year() -> i32 {
		2026
	}

	fn load_spec(&self, id: &str) -> Result<Box<dyn ChainSpec>, String> {
		chain_spec::load(id)
	}
}

/// Does what the command line asks for; returns when that is done, or the node was told to stop.
pub fn run() -> sc_cli::Result<()> {
	let cli = Cli::from_args();

	let Some(subcommand) = &cli.subcommand else {
		let idle = cli.dev_idle();
		return cli.create_runner(&cli.run)?.run_node_until_exit(|config| async move {
			service::start(config, idle).map_err(sc_cli::Error::Service)
		});
	};

	match subcommand {
		Subcommand::Key(cmd) => cmd.run(&cli),
		Subcommand::ExportChainSpec(cmd) => cmd.run(cli.load_spec(&cmd.chain)?),
		Subcommand::BuildSpec(cmd) => {
			cli.create_runner(cmd)?.sync_run(|config| cmd.run(config.chain_spec, config.network))
		}
		Subcommand::CheckBlock(cmd) => cli.create_runner(cmd)?.async_run(|mut config| {
			let (Partial { client, import_queue, babe_worker, .. }, tasks) =
				service::new_partial(&mut config)?;
			Ok((holding(babe_worker, cmd.run(client, import_queue)), tasks))
		}),
		Subcommand::ExportBlocks(cmd) => cli.create_runner(cmd)?.async_run(|mut config| {
			let (partial, tasks) = service::new_partial(&mut config)?;
			let job = cmd.run::<Block, FullClient>(partial.client.clone(), config.database);
			Ok((holding(partial, job), tasks))
		}),
		Subcommand::ExportState(cmd) => cli.create_runner(cmd)?.async_run(|mut config| {
			let (partial, tasks) = service::new_partial(&mut config)?;
			let job = cmd
				.run::<Block, FullBackend, FullClient>(partial.client.clone(), config.chain_spec);
			Ok((holding(partial, job), tasks))
		}),
		Subcommand::ImportBlocks(cmd) => cli.create_runner(cmd)?.async_run(|mut config| {
			let (Partial { client, import_queue, babe_worker, .. }, tasks) =
				service::new_partial(&mut config)?;
			Ok((holding(babe_worker, cmd.run(client, import_queue)), tasks))
		}),
		Subcommand::PurgeChain(cmd) => {
			cli.create_runner(cmd)?.sync_run(|config| cmd.run(config.database))
		}
		Subcommand::Revert(cmd) => cli.create_runner(cmd)?.async_run(|mut config| {
			let (partial, tasks) = service::new_partial(&mut config)?;
			let job = cmd.run::<Block, FullBackend, FullClient>(
				partial.client.clone(),
				partial.backend.clone(),
				Some(Box::new(revert_consensus)),
			);
			Ok((holding(partial, job), tasks))
		}),
		Subcommand::ChainInfo(cmd) => {
			cli.create_runner(cmd)?.sync_run(|config| cmd.run::<Block>(&config))
		}
	}
}

/// Runs `job`, and lets go of `parts` only then: they feed essential tasks, each of which reports a
/// failure when it ends before the command does.
async fn holding<T>(parts: T, job: impl Future<Output = sc_cli::Result<()>>) -> sc_cli::Result<()> {
	let done = job.await;
	drop(parts);
	done
}

/// Takes back what consensus noted about the blocks that `revert` is about to remove: otherwise the
/// node would hold epochs and authority sets of blocks that it no longer has.
fn revert_consensus(
	client: Arc<FullClient>,
	backend: Arc<FullBackend>,
	blocks: NumberFor<Block>,
) -> sc_cli::Result<()> {
	sc_consensus_babe::revert::<Block, FullClient, FullBackend>(client.clone(), backend, blocks)?;
	sc_consensus_grandpa::revert::<Block, FullClient>(client, blocks)?;
	Ok(())
}
