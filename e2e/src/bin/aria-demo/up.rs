//! The network: what it is made of, how it comes up, and what each worker consents to.

use crate::{
	show::{self, account, aria, done, hash, heading, note, Spinner},
	Args,
};
use anyhow::{ensure, Context, Result};
use aria_e2e::{
	cluster::{shipped, suri, Cluster, Spec, Step},
	node::{is_free, Options},
};
use aria_primitives::{consent::ConsentVersion, AccountId};
use aria_runtime::Runtime;
use pallet_worker_registry::{WorkerInfo, WorkerState};

/// Workers with a part of the model each.
pub const PARTS: u16 = 3;
/// The worker whose layers another one has too.
pub const REPLICATED: usize = 1;
/// Workers that run others' records again: without any, nobody confirms what the others did, and what is
/// not confirmed earns nothing of the emission (`docs/protocol/audit.md`, "Verdict").
const VERIFIERS: usize = 1;
/// Share of all CPUs that each worker lends. They share this machine with each other, the gateway and
/// the node.
const CPU_PERCENT: &str = "50";

/// Starts everything, and tells of each step.
pub async fn start(args: &Args) -> Result<Cluster> {
	let (port, gateway_port) = (or_any(args.port), or_any(args.gateway_port));
	let package = args.model.clone().unwrap_or_else(shipped);
	let spec = Spec::divided(&package, PARTS)?
		.replica(REPLICATED)
		.verifiers(VERIFIERS)
		.node(Options::dev().rpc_port(port))
		.worker_arg("--cpu-percent", CPU_PERCENT)
		.gateway_arg("--gateway", &format!("127.0.0.1:{gateway_port}"));
	let (alias, workers) = (spec.alias.clone(), spec.layers.len());

	let spinner = Spinner::start("a node starts");
	let mut waiting = workers.saturating_add(VERIFIERS).saturating_add(1);
	let mut told = |step: Step<'_>| match step {
		Step::Chain { url, genesis } => {
			spinner.done("chain", &format!("{url}, genesis {}", hash(genesis)));
			spinner.now("a model is registered, pinned and named");
		}
		Step::Model { manifest, model } => {
			spinner.done("model", &format!("{alias} is {}, pinned", hash(model.id)));
			spinner.note(&format!(
				"{} layers, {} parameters in use for each token; {} on hold for its manifest",
				manifest.layers,
				manifest.active_parameters(),
				aria(model.deposit)
			));
			spinner.now(&starting(waiting));
		}
		Step::Worker { index, layers } => {
			waiting = waiting.saturating_sub(1);
			spinner.done(
				"worker",
				&format!("{}: layers {}..{} of {alias}", worker(index), layers.first, layers.end),
			);
			spinner.now(&starting(waiting));
		}
		Step::Gateway => {
			waiting = waiting.saturating_sub(1);
			spinner.done("gateway", "registered, with its stake and its prices on chain");
			spinner.now(&starting(waiting));
		}
		Step::Verifier { index } => {
			waiting = waiting.saturating_sub(1);
			spinner.done(
				"verifier",
				&format!("{}: runs records again that are drawn for audit", worker(index)),
			);
			spinner.now(&starting(waiting));
		}
		Step::Ready => spinner.now("the gateway hears of the workers, and plans"),
	};
	let cluster = Cluster::start_with(spec, &mut told).await?;
	drop(spinner);

	let url = cluster.gateway.base_url().await?;
	done("plan", &format!("{workers} workers, {PARTS} stages, ready at {url}"));
	for (wanted, got, what) in [
		(args.port, cluster.node.port().to_string(), "RPC"),
		(args.gateway_port, url, "OpenAI API"),
	] {
		if wanted != 0 && !is_mine(wanted, &got) {
			note(&format!("Port {wanted} is taken: the {what} listens elsewhere, on {got}."));
		}
	}
	Ok(cluster)
}

/// What the chain says of each worker: registered, with stake, under which consent.
pub async fn consents(cluster: &Cluster) -> Result<()> {
	heading("What each of them consents to, on chain");
	for (index, layers) in cluster.spec.layers.iter().enumerate() {
		let account = Cluster::account(index);
		let (info, version) = registered(cluster, &account)
			.await?
			.with_context(|| format!("the chain has no worker {}", worker(index)))?;
		ensure!(info.state == WorkerState::Active, "{} takes no work", worker(index));
		ensure!(info.stake > 0, "{} has no stake", worker(index));
		note(&format!(
			"{}, layers {}..{}, {} at stake; consent version {}:",
			worker(index),
			layers.first,
			layers.end,
			aria(info.stake),
			version.version
		));
		for line in show::consent(&version.consent) {
			note(&format!("    {line}"));
		}
	}
	Ok(())
}

/// A worker and its consent in force, in the best block.
async fn registered(
	cluster: &Cluster,
	account: &AccountId,
) -> Result<Option<(WorkerInfo, ConsentVersion)>> {
	let client = &cluster.client;
	let at = Some(client.best().await?.1);
	let key = pallet_worker_registry::Workers::<Runtime>::hashed_key_for(account);
	let Some(info) = client.storage::<WorkerInfo>(&key, at).await? else { return Ok(None) };
	let key = pallet_consent_registry::Current::<Runtime>::hashed_key_for(account);
	let Some(version) = client.storage::<u32>(&key, at).await? else { return Ok(None) };
	let key = pallet_consent_registry::Versions::<Runtime>::hashed_key_for(account, version);
	let consent = client.storage::<ConsentVersion>(&key, at).await?;
	Ok(consent.map(|consent| (info, consent)))
}

/// What the worker with this index is called.
pub fn worker(index: usize) -> String {
	let account = account(&Cluster::account(index));
	format!("{} {account}", suri(index).trim_start_matches('/'))
}

/// What the worker with this account is called.
pub fn named(cluster: &Cluster, who: &AccountId) -> String {
	let index = (0..cluster.workers.len()).find(|index| Cluster::account(*index) == *who);
	index.map_or_else(|| account(who), worker)
}

fn starting(processes: usize) -> String {
	match processes {
		1 => "one process is not ready yet: accounts, stakes, layers".to_owned(),
		more => format!("{more} processes are not ready yet: accounts, stakes, layers"),
	}
}

/// The port, or 0 for any where somebody listens already.
fn or_any(port: u16) -> u16 {
	if is_free(port) {
		port
	} else {
		0
	}
}

/// Whether `found`, a port or a URL with one, is on this port.
fn is_mine(port: u16, found: &str) -> bool {
	let number = found.trim_end_matches("/v1").rsplit(':').next();
	number.is_some_and(|number| number == port.to_string())
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn ports_should_be_found_in_urls() {
		assert!(is_mine(8080, "http://127.0.0.1:8080/v1"));
		assert!(is_mine(9944, "9944"));
		assert!(!is_mine(80, "http://127.0.0.1:8080/v1"));
	}
}
