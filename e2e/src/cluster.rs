//! A whole network on this machine: a development chain, workers with a part of a model each, a
//! gateway, a model that is registered and pinned. All of them are processes.

mod spec;

pub use spec::{manifest, shipped, Spec, SHIPPED};

use crate::{
	client::Client,
	flow,
	keys::{self, Pair},
	node::Node,
	openai::Api,
	worker::Worker,
};
use anyhow::{ensure, Context, Result};
use aria_primitives::{
	manifest::Manifest, record::LayerRange, record::RecordEntry, AccountId, Balance, ModelId,
	RecordId, ARIA,
};
use aria_runtime::{Hash, RuntimeCall};
use futures::{stream::FuturesUnordered, StreamExt};
use sp_core::Pair as _;
use std::{
	iter,
	time::{Duration, Instant},
};
use tokio::time::sleep;

/// What each further worker gets, in planck.
const ALLOWANCE: Balance = 1_000 * ARIA;
/// How long a record may take until it is final.
const SETTLING: Duration = Duration::from_secs(60);
/// How long a process that was asked to end may take until it is killed.
const ENDING: Duration = Duration::from_secs(10);
/// How long processes that somebody else asked to end may take until they are asked again.
const HEAD_START: Duration = Duration::from_secs(3);
/// How often something is looked at.
const GLANCE: Duration = Duration::from_millis(50);
/// How often it is looked whether all processes still run.
const WATCH: Duration = Duration::from_millis(500);
/// What a worker's log says before each address at which peers reach it.
const ANNOUNCEMENT: &str = "peers connect here address=";
/// Who works, in this order. Dave is the gateway, Eve pays, Alice owns the model.
const WORKERS: [&str; 3] = ["//Bob", "//Charlie", "//Ferdie"];

/// What has just come up.
pub enum Step<'a> {
	/// The node answers.
	Chain {
		/// Its RPC.
		url: &'a str,
		/// Hash of its first block.
		genesis: Hash,
	},
	/// The model is registered, pinned and named.
	Model {
		/// What it is.
		manifest: &'a Manifest,
		/// How the chain has it.
		model: flow::Model,
	},
	/// A worker takes work.
	Worker {
		/// Its place among the workers.
		index: usize,
		/// Its layers.
		layers: LayerRange,
	},
	/// The gateway serves.
	Gateway,
	/// A verifier runs.
	Verifier {
		/// Its place behind the workers.
		index: usize,
	},
	/// All processes are ready; the gateway hears of the workers now.
	Ready,
}

/// A network that runs. Dropping it kills every process.
pub struct Cluster {
	/// What it was started with.
	pub spec: Spec,
	/// The gateway.
	pub gateway: Worker,
	/// The workers.
	pub workers: Vec<Worker>,
	/// Those that run others' records again; their accounts are those behind the workers'.
	pub verifiers: Vec<Worker>,
	/// The chain, as a client.
	pub client: Client,
	/// The model.
	pub model: ModelId,
	/// The chain's node. It ends last.
	pub node: Node,
}

impl Cluster {
	/// Starts everything and waits until the gateway plans an answer.
	///
	/// # Errors
	/// Whatever does not come up; with the end of its log.
	pub async fn start(spec: Spec) -> Result<Self> {
		Self::start_with(spec, &mut |_: Step<'_>| ()).await
	}

	/// As [`Cluster::start`], and tells of each step when it is done.
	///
	/// # Errors
	/// As [`Cluster::start`].
	pub async fn start_with(spec: Spec, told: &mut (dyn FnMut(Step<'_>) + Send)) -> Result<Self> {
		let manifest = manifest(&spec.package)?;
		let node = Node::start(spec.node.clone()).await?;
		let url = node.url();
		let client = Client::connect(&url).await?;
		told(Step::Chain { url: &url, genesis: client.genesis() });

		// The first worker joins while the model is registered. Once it says where it listens, all
		// others start at once.
		let mut layers = spec.layers.iter().copied().enumerate();
		let (index, range) = layers.next().context("a network has at least one worker")?;
		let mut workers = vec![Worker::spawn(&url, spec.worker(index, range))?];
		let model = flow::add_model(&client, &manifest, &spec.alias).await?;
		told(Step::Model { manifest: &manifest, model });
		let (count, all) = (spec.layers.len(), spec.layers.len().saturating_add(spec.verifiers));
		fund(&client, all).await?;
		let bootstrap = match workers.first_mut() {
			Some(first) => reachable(first).await?,
			None => String::new(),
		};
		for (index, range) in layers {
			let options = spec.worker(index, range).bootstrap(&bootstrap);
			workers.push(Worker::spawn(&url, options)?);
		}
		let mut gateway = Worker::spawn(&url, spec.gateway().bootstrap(&bootstrap))?;
		let mut verifiers = Vec::new();
		for index in count..all {
			verifiers.push(Worker::spawn(&url, spec.verifier(index).bootstrap(&bootstrap))?);
		}

		{
			let places = spec.layers.iter().copied().enumerate();
			let places = places.map(|(index, layers)| Step::Worker { index, layers });
			let mut waiting: FuturesUnordered<_> = places
				.zip(&mut workers)
				.chain((count..all).map(|index| Step::Verifier { index }).zip(&mut verifiers))
				.chain(iter::once((Step::Gateway, &mut gateway)))
				.map(|(step, process)| async move { process.ready().await.map(|()| step) })
				.collect();
			while let Some(ready) = waiting.next().await {
				told(ready?);
			}
		}
		told(Step::Ready);
		let cluster = Self { spec, gateway, workers, verifiers, client, model: model.id, node };
		cluster.planned(cluster.workers.len()).await?;
		Ok(cluster)
	}

	/// Waits until a process ends by itself; which one, with the end of its log.
	pub async fn fell(&mut self) -> String {
		loop {
			if let Some(fallen) = self.fallen() {
				return fallen;
			}
			sleep(WATCH).await;
		}
	}

	/// A process that has ended, with the end of its log.
	pub fn fallen(&mut self) -> Option<String> {
		if !self.node.runs() {
			return Some(format!("the node ended. Its log ends:\n{}", self.node.log_tail()));
		}
		let fallen = self.processes().find_map(|process| (!process.runs()).then_some(process))?;
		let (name, log) = (fallen.name().to_owned(), fallen.log_tail());
		let what = if name == self.gateway.name() { "gateway" } else { "worker" };
		Some(format!("the {what} {name} ended. Its log ends:\n{log}"))
	}

	/// Ends every process, the node last: gateway and workers are asked to, and killed if they take too
	/// long. `asked`: somebody has asked them already, as Ctrl-C at a terminal does, and a second time
	/// would cut short what they finish. Returns who had to be killed.
	pub async fn end(mut self, asked: bool) -> Vec<String> {
		if asked {
			self.all_ended(HEAD_START).await;
		}
		for process in self.processes() {
			if process.runs() {
				// Where it ends at this very moment, there is nothing to ask.
				let _ = process.signal("TERM");
			}
		}
		self.all_ended(ENDING).await;
		let mut killed = Vec::new();
		for process in self.processes() {
			if process.runs() {
				killed.push(process.name().to_owned());
			}
		}
		killed
	}

	/// Waits until gateway and workers have ended, but no longer.
	async fn all_ended(&mut self, within: Duration) {
		let deadline = Instant::now() + within;
		while self.processes().any(|process| process.runs()) && Instant::now() < deadline {
			sleep(GLANCE).await;
		}
	}

	fn processes(&mut self) -> impl Iterator<Item = &mut Worker> + '_ {
		iter::once(&mut self.gateway).chain(&mut self.workers).chain(&mut self.verifiers)
	}

	/// Waits until the gateway has a plan that names so many workers, standbys included.
	///
	/// # Errors
	/// When it has none in time: why each worker is passed over.
	pub async fn planned(&self, workers: usize) -> Result<()> {
		planned(&self.gateway, workers).await
	}

	/// One more worker with these layers, beside those that there are; waits until it is ready.
	///
	/// # Errors
	/// As [`Worker::start`].
	pub async fn add_worker(&mut self, layers: LayerRange) -> Result<&mut Worker> {
		let index = self.workers.len().saturating_add(self.verifiers.len());
		fund(&self.client, index.saturating_add(1)).await?;
		let first = self.workers.first().context("a network has at least one worker")?;
		let options = self.spec.worker(index, layers).bootstrap(&first.address().await?);
		self.workers.push(Worker::start(&self.node.url(), options).await?);
		self.workers.last_mut().context("it was just put there")
	}

	/// The gateway as an application sees it.
	///
	/// # Errors
	/// When the gateway does not answer.
	pub async fn api(&self) -> Result<Api> {
		Ok(Api::new(&self.gateway.base_url().await?, &self.gateway.api_key()?))
	}

	/// The account of the worker with this index.
	pub fn account(index: usize) -> AccountId {
		keys::account(&pair(index))
	}

	/// The record, once it is in a final block.
	///
	/// # Errors
	/// When it does not come.
	pub async fn record(&self, id: RecordId) -> Result<RecordEntry> {
		crate::client::eventually("the record in a final block", SETTLING, || async move {
			let (_, hash) = self.client.finalized().await?;
			flow::record(&self.client, id, hash).await
		})
		.await
	}
}

/// Waits until `gateway` has a plan that names so many workers, standbys included.
///
/// # Errors
/// When it has none in time: why each worker is passed over.
pub async fn planned(gateway: &Worker, workers: usize) -> Result<()> {
	let deadline = Instant::now() + SETTLING;
	loop {
		let plan = gateway.plan().await?;
		let stages = plan["stages"].as_array().cloned().unwrap_or_default();
		let standbys: usize =
			stages.iter().filter_map(|stage| stage["standbys"].as_array()).map(Vec::len).sum();
		if !stages.is_empty() && stages.len().saturating_add(standbys) >= workers {
			return Ok(());
		}
		ensure!(
			Instant::now() < deadline,
			"the gateway has no plan with {workers} workers: {plan:#}\nIts log ends:\n{}",
			gateway.log_tail()
		);
		sleep(Duration::from_millis(200)).await;
	}
}

/// The account URI of the worker with this index.
pub fn suri(index: usize) -> String {
	WORKERS.get(index).map_or_else(|| format!("//worker-{index}"), |name| (*name).to_owned())
}

/// The key of the worker with this index.
pub fn pair(index: usize) -> Pair {
	// A URI of one junction behind the development phrase always parses.
	Pair::from_string(&suri(index), None).unwrap_or_else(|_| keys::seeded(&suri(index)))
}

/// Gives each worker beyond the development accounts something to stake.
///
/// # Errors
/// When the transfer fails.
pub async fn fund(client: &Client, workers: usize) -> Result<()> {
	let (_, head) = client.best().await?;
	let mut calls = Vec::new();
	for index in WORKERS.len()..workers {
		let account = Cluster::account(index);
		if client.account(&account, Some(head)).await?.data.free == 0 {
			calls.push(RuntimeCall::Balances(pallet_balances::Call::transfer_allow_death {
				dest: account.into(),
				value: ALLOWANCE,
			}));
		}
	}
	if calls.is_empty() {
		return Ok(());
	}
	client.submit_all(&keys::owner(), calls).await?.success()?;
	Ok(())
}

/// Where peers reach a worker. It says so in its log long before it is ready.
async fn reachable(worker: &mut Worker) -> Result<String> {
	let deadline = Instant::now() + SETTLING;
	loop {
		if let Some(address) = announced(&worker.log_text()) {
			return Ok(address);
		}
		// It may listen otherwise than by TCP.
		if worker.base().join("admin.json").is_file() {
			return worker.address().await;
		}
		ensure!(
			worker.runs() && Instant::now() < deadline,
			"{}: the worker does not get as far as to listen. Its log ends:\n{}",
			worker.name(),
			worker.log_tail()
		);
		sleep(GLANCE).await;
	}
}

/// The first address by TCP that stands in whole in a log.
fn announced(log: &str) -> Option<String> {
	// A line that has no end yet may lack the end of an address.
	let lines = log.split_inclusive('\n').filter(|line| line.ends_with('\n'));
	let mut addresses = lines
		.filter_map(|line| line.split_once(ANNOUNCEMENT))
		.filter_map(|(_, address)| address.split_whitespace().next());
	addresses.find(|address| address.contains("/tcp/")).map(str::to_owned)
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn an_address_should_be_read_from_a_whole_line() {
		let udp = "t INFO aria::worker: peers connect here address=/ip4/127.0.0.1/udp/1/quic-v1\n";
		let tcp = "t INFO aria::worker: peers connect here address=/ip4/127.0.0.1/tcp/2/p2p/12D3";

		assert_eq!(announced(udp), None);
		assert_eq!(announced(&format!("{udp}{tcp}")), None);
		let address = "/ip4/127.0.0.1/tcp/2/p2p/12D3".to_owned();
		assert_eq!(announced(&format!("{udp}{tcp}\n")), Some(address));
	}

	#[test]
	fn further_workers_should_have_keys_of_their_own() {
		assert_eq!(suri(0), "//Bob");
		assert_eq!(suri(3), "//worker-3");
		assert_ne!(Cluster::account(3), Cluster::account(4));
	}
}
