//! The contributor of the README: a worker that is told neither model, layers nor package takes what is
//! rarest, fetches it from peers, keeps it over a restart, and restores what others leave or lose.
#![allow(clippy::unwrap_used)]

mod network_support;

use anyhow::{ensure, Context, Result};
use aria_e2e::{
	client::eventually,
	cluster::{self, Cluster, Spec},
	flow,
	openai::Refused,
	worker::{write_model, Options, Worker},
};
use aria_primitives::consent::Consent;
use aria_runtime::{Runtime, RuntimeCall};
use network_support::{address, generate, nodes, Ask, OFFER};
use serde_json::{json, Value};
use std::{path::Path, time::Duration};

/// The model's name on chain.
const NAME: &str = "aria-thirds";
/// The model: 95 million parameters in three shards, whose layers are most of it. A token is a byte, and
/// there are no others.
const SHAPE: &str = "--seed 6 --layers 6 --shards 3 --hidden 1024 --feed-forward 4096 --heads 16 \
	--kv-heads 8 --head-dim 64 --vocab 256 --context 512";
/// The layers of each worker, which are the model's shards.
const THIRDS: [(u16, u16); 3] = [(0, 2), (2, 4), (4, 6)];
/// Who comes after them.
const NEWCOMER: usize = 3;
/// Memory for the weights of one, two and three shards of 10 MB beside sessions, in MiB.
const MEMORY: [u32; 3] = [24, 40, 56];
/// By TCP others hear at once that a process was killed.
const LISTEN: &str = "/ip4/127.0.0.1/tcp/0";
/// Longest wait for others to hear of a change, and for a shard to be restored.
const PATIENCE: Duration = Duration::from_secs(120);

struct Town {
	cluster: Cluster,
	newcomer: Worker,
}

/// The ranges that a worker has in memory, in order.
async fn served(worker: &Worker) -> Result<Vec<(u16, u16)>> {
	let status = worker.status().await?;
	let models = status["models"].as_array().context("a status without models")?;
	let mut ranges = Vec::new();
	for model in models {
		ensure!(model["name"] == json!(NAME), "another model is served: {model}");
		let layer = |name: &str| model[name].as_u64().and_then(|layer| u16::try_from(layer).ok());
		ranges.push(layer("first").zip(layer("end")).with_context(|| format!("{model}"))?);
	}
	ranges.sort_unstable();
	Ok(ranges)
}

/// Waits until a worker serves exactly these ranges.
async fn serves(worker: &Worker, shards: &[usize]) -> Result<()> {
	let mut expected: Vec<(u16, u16)> = shards.iter().map(|shard| THIRDS[*shard]).collect();
	expected.sort_unstable();
	let found = eventually("the layers", PATIENCE, || async {
		Ok((served(worker).await? == expected).then_some(()))
	});
	found.await.with_context(|| format!("{expected:?}; the log ends:\n{}", worker.log_tail()))
}

/// Waits until a worker or gateway has a plan that is as wanted.
async fn plans(worker: &Worker, what: &str, wanted: impl Fn(&Value) -> bool) -> Result<Value> {
	let found = eventually(what, PATIENCE, || async {
		let plan = worker.plan().await?;
		Ok(wanted(&plan).then_some(plan))
	});
	match found.await {
		Ok(plan) => Ok(plan),
		Err(error) => {
			let plan = worker.plan().await?;
			Err(error.context(format!("{}: {plan:#}\n{}", worker.name(), worker.log_tail())))
		}
	}
}

/// Whether nothing but this shard is missing.
fn lacks(plan: &Value, shard: usize) -> bool {
	let (first, end) = THIRDS[shard];
	plan["uncovered"] == json!([format!("{first}..{end}")])
}

/// Whether a worker is passed over for this reason.
fn passed(plan: &Value, worker: usize, code: &str) -> bool {
	let node = address(worker);
	let mut passed = plan["passed"].as_array().into_iter().flatten();
	passed.any(|passed| passed["node"] == node.as_str() && passed["code"] == code)
}

impl Town {
	/// Three workers with a third each, and a newcomer with memory for one.
	async fn new(package: &Path) -> Result<Self> {
		let spec =
			Spec { package: package.to_owned(), alias: NAME.to_owned(), ..Spec::new(&THIRDS) };
		let spec = spec.worker_arg("--listen", LISTEN).gateway_arg("--listen", LISTEN);
		let spec = spec.gateway_arg("--offer", OFFER);
		let cluster = Cluster::start(spec).await?;
		cluster::fund(&cluster.client, NEWCOMER + 1).await?;
		let mut options = Options::new(&cluster::suri(NEWCOMER))
			.args(["--listen", LISTEN, "--memory", &MEMORY[0].to_string()])
			.args(["--cpu-percent", "100", "--bandwidth", "1000"]);
		for worker in &cluster.workers {
			options = options.bootstrap(&worker.address().await?);
		}
		let newcomer = Worker::start(&cluster.node.url(), options).await?;
		Ok(Self { cluster, newcomer })
	}

	/// The newcomer has one third, out of files that it fetched. Returns which.
	async fn one_third_should_be_taken(&self) -> Result<usize> {
		let ranges = served(&self.newcomer).await?;
		let [range] = ranges.as_slice() else { anyhow::bail!("not one range: {ranges:?}") };
		let taken = THIRDS.iter().position(|third| third == range);
		let taken = taken.with_context(|| format!("{range:?} is no third"))?;
		let id = format!("{:?}", self.cluster.model);
		let folder = self.newcomer.base().join("models").join(id.trim_start_matches("0x"));
		for shard in 0..THIRDS.len() {
			let file = folder.join(format!("shard-{shard:03}.safetensors"));
			ensure!(file.is_file() == (shard == taken), "{}", file.display());
		}
		// It stands by, or works, for its third.
		self.cluster.planned(THIRDS.len() + 1).await?;
		Ok(taken)
	}

	/// Another third loses its only worker. The newcomer, started anew, goes on with its own: it has no
	/// room for both, and does not drop what others count on.
	async fn a_restart_should_change_nothing(&mut self, taken: usize, lost: usize) -> Result<()> {
		self.cluster.workers[lost].kill9()?;
		plans(&self.cluster.gateway, "a missing third", |plan| lacks(plan, lost)).await?;
		self.newcomer.restart().await?;
		serves(&self.newcomer, &[taken]).await?;
		plans(&self.newcomer, "who is left", |plan| lacks(plan, lost)).await?;
		serves(&self.newcomer, &[taken]).await
	}

	/// Lets the newcomer use so much memory, from the next block on.
	async fn allow(&self, memory: u32) -> Result<()> {
		let pair = cluster::pair(NEWCOMER);
		let consent = Consent {
			cpu_percent: 100,
			max_bandwidth_mbps: 1_000,
			max_memory_mb: memory,
			..flow::consent(&pair)?
		};
		let call = pallet_consent_registry::Call::<Runtime>::update_consent { consent };
		self.submit(NEWCOMER, call).await
	}

	async fn submit(&self, worker: usize, call: impl Into<RuntimeCall>) -> Result<()> {
		self.cluster.client.submit(&cluster::pair(worker), call).await?.success()?;
		Ok(())
	}

	/// With room for two the newcomer restores what was lost, from whoever has it on disk, and there are
	/// answers again.
	async fn what_was_lost_should_be_restored(
		&self,
		package: &Path,
		taken: usize,
		lost: usize,
	) -> Result<()> {
		self.allow(MEMORY[1]).await?;
		serves(&self.newcomer, &[taken, lost]).await?;
		let newcomer = address(NEWCOMER);
		let is_there = |plan: &Value| plan["stages"][lost]["node"] == newcomer.as_str();
		let plan = plans(&self.cluster.gateway, "a plan with the newcomer", is_there).await?;
		let stages = plan["stages"].as_array().map_or(0, Vec::len);
		ensure!(stages == THIRDS.len(), "{plan:#}");

		let ask = Ask::new("What is the sea?", 1.0, 11, 24);
		let reference = generate(package, &ask, None, THIRDS.len()).await?;
		let api = self.cluster.api().await?;
		let answer = eventually("an answer", PATIENCE, || async {
			match api.chat(&ask.body(NAME)).await {
				Ok(answer) => Ok(Some(answer)),
				Err(error) => match error.downcast_ref::<Refused>() {
					Some(refused) if refused.status == 503 => Ok(None),
					_ => Err(error),
				},
			}
		})
		.await?;
		reference.check(&answer.text, &answer.aria)?;
		ensure!(nodes(&answer.aria).get(lost) == Some(&newcomer), "{}", answer.aria);
		Ok(())
	}

	/// The only other worker that is left leaves: it takes no orders, and hands its third over.
	async fn who_leaves_should_hand_over(&mut self, taken: usize, leaver: usize) -> Result<()> {
		self.cluster.workers[taken].kill9()?;
		self.submit(leaver, pallet_worker_registry::Call::<Runtime>::drain {}).await?;
		let told = |plan: &Value| passed(plan, leaver, "draining") && lacks(plan, leaver);
		plans(&self.newcomer, "a worker that leaves", told).await?;
		self.allow(MEMORY[2]).await?;
		serves(&self.newcomer, &[0, 1, 2]).await?;
		let status = self.cluster.workers[leaver].status().await?;
		ensure!(status["working"] == json!(false), "it takes orders: {status:#}");
		Ok(())
	}
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_newcomer_should_take_what_is_rare_and_restore_what_is_lost() {
	let dir = tempfile::Builder::new().prefix("aria-e2e-model-").tempdir().unwrap();
	let package = dir.path().join("package");
	write_model(&package, SHAPE).await.unwrap();
	let mut town = Town::new(&package).await.unwrap();

	let taken = town.one_third_should_be_taken().await.unwrap();
	let (lost, leaver) = ((taken + 1) % THIRDS.len(), (taken + 2) % THIRDS.len());
	town.a_restart_should_change_nothing(taken, lost).await.unwrap();
	town.what_was_lost_should_be_restored(&package, taken, lost).await.unwrap();
	town.who_leaves_should_hand_over(taken, leaver).await.unwrap();
}
