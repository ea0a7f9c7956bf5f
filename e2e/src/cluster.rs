//! A whole network on this machine: a development chain, workers with a part of a model each, a
//! gateway, a model that is registered and pinned. All of them are processes.

use crate::{
	client::Client,
	flow,
	keys::{self, Pair},
	node::{self, Node},
	openai::Api,
	worker::{Options, Worker},
};
use anyhow::{Context, Result};
use aria_primitives::{
	manifest::Manifest, record::LayerRange, record::RecordEntry, AccountId, Balance, ModelId,
	RecordId, ARIA,
};
use aria_runtime::RuntimeCall;
use sp_core::Pair as _;
use std::{
	fs,
	path::{Path, PathBuf},
	time::Duration,
};

/// The name of the model that comes with the project.
pub const SHIPPED: &str = "aria-wordnet";
/// What each further worker gets, in planck.
const ALLOWANCE: Balance = 1_000 * ARIA;
/// How long a record may take until it is final.
const SETTLING: Duration = Duration::from_secs(60);
/// Who works, in this order. Dave is the gateway, Eve pays, Alice owns the model.
const WORKERS: [&str; 3] = ["//Bob", "//Charlie", "//Ferdie"];

/// Which network to start.
#[derive(Clone, Debug)]
pub struct Spec {
	/// The node.
	pub node: node::Options,
	/// The folder of the model's package.
	pub package: PathBuf,
	/// The model's name on chain.
	pub alias: String,
	/// The layers of each worker.
	pub layers: Vec<LayerRange>,
	/// Arguments for all workers, name and value.
	pub worker_args: Vec<(String, String)>,
	/// Arguments for the gateway, name and value.
	pub gateway_args: Vec<(String, String)>,
}

impl Spec {
	/// The shipped model in three parts of two layers, one worker each.
	pub fn thirds() -> Self {
		Self::new(&[(0, 2), (2, 4), (4, 6)])
	}

	/// The shipped model; a worker for each of these ranges of layers.
	pub fn new(layers: &[(u16, u16)]) -> Self {
		Self {
			node: node::Options::dev(),
			package: shipped(),
			alias: SHIPPED.to_owned(),
			layers: layers
				.iter()
				.map(|(first, end)| LayerRange { first: *first, end: *end })
				.collect(),
			worker_args: Vec::new(),
			gateway_args: Vec::new(),
		}
	}

	/// Another node.
	pub fn node(mut self, node: node::Options) -> Self {
		self.node = node;
		self
	}

	/// An argument for all workers.
	pub fn worker_arg(mut self, name: &str, value: &str) -> Self {
		self.worker_args.push((name.to_owned(), value.to_owned()));
		self
	}

	/// An argument for the gateway.
	pub fn gateway_arg(mut self, name: &str, value: &str) -> Self {
		self.gateway_args.push((name.to_owned(), value.to_owned()));
		self
	}

	/// What starts the worker with this index.
	pub fn worker(&self, index: usize, layers: LayerRange) -> Options {
		let options = Options::worker(&suri(index), &self.alias, layers, &self.package);
		self.worker_args.iter().fold(options, |options, (name, value)| options.set(name, value))
	}

	/// What starts the gateway.
	pub fn gateway(&self) -> Options {
		let options =
			Options::gateway("//Dave").args(["--package", &self.package.display().to_string()]);
		self.gateway_args.iter().fold(options, |options, (name, value)| options.set(name, value))
	}
}

/// A network that runs. Dropping it ends every process.
pub struct Cluster {
	/// What it was started with.
	pub spec: Spec,
	/// The gateway.
	pub gateway: Worker,
	/// The workers.
	pub workers: Vec<Worker>,
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
		let node = Node::start(spec.node.clone()).await?;
		let client = Client::connect(&node.url()).await?;
		let manifest = manifest(&spec.package)?;
		flow::add_model(&client, &manifest, &spec.alias).await?;
		fund(&client, spec.layers.len()).await?;

		let mut workers = Vec::new();
		let mut bootstrap: Option<String> = None;
		for (index, layers) in spec.layers.iter().enumerate() {
			let mut options = spec.worker(index, *layers);
			if let Some(address) = &bootstrap {
				options = options.bootstrap(address);
			}
			let mut worker = Worker::spawn(&node.url(), options)?;
			if bootstrap.is_none() {
				worker.ready().await?;
				bootstrap = Some(worker.address().await?);
			}
			workers.push(worker);
		}
		let bootstrap = bootstrap.context("a network has at least one worker")?;
		let mut gateway = Worker::spawn(&node.url(), spec.gateway().bootstrap(&bootstrap))?;
		for worker in &mut workers {
			worker.ready().await?;
		}
		gateway.ready().await?;
		let model = manifest.model_id();
		let cluster = Self { spec, gateway, workers, client, model, node };
		cluster.planned(cluster.workers.len()).await?;
		Ok(cluster)
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
		let index = self.workers.len();
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
	let deadline = std::time::Instant::now() + SETTLING;
	loop {
		let plan = gateway.plan().await?;
		let stages = plan["stages"].as_array().cloned().unwrap_or_default();
		let standbys: usize =
			stages.iter().filter_map(|stage| stage["standbys"].as_array()).map(Vec::len).sum();
		if !stages.is_empty() && stages.len().saturating_add(standbys) >= workers {
			return Ok(());
		}
		anyhow::ensure!(
			std::time::Instant::now() < deadline,
			"the gateway has no plan with {workers} workers: {plan:#}\nIts log ends:\n{}",
			gateway.log_tail()
		);
		tokio::time::sleep(Duration::from_millis(200)).await;
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

/// The package that comes with the project.
pub fn shipped() -> PathBuf {
	let root = std::env::var_os("ARIA_ROOT").map(PathBuf::from);
	let root = root.unwrap_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/..")));
	root.join("models").join(SHIPPED)
}

/// The manifest of the package in a folder.
///
/// # Errors
/// When there is none.
pub fn manifest(package: &Path) -> Result<Manifest> {
	let path = package.join("manifest.scale");
	let bytes = fs::read(&path).with_context(|| format!("{}", path.display()))?;
	Manifest::from_bytes(&bytes).map_err(|error| anyhow::anyhow!("{}: {error:?}", path.display()))
}
