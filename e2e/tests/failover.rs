//! Processes that are killed or stopped while they answer: six workers, each third of a model twice,
//! and the gateway.
#![allow(clippy::unwrap_used)]

mod network_support;

use anyhow::{ensure, Context, Result};
use aria_e2e::{
	cluster::Cluster,
	openai::{Answer, Api, Refused},
};
use aria_primitives::record::RecordEntry;
use network_support::{
	address, ask_until, back, busy, generate, idle, nodes, salt, settled, start, write_slow_model,
	Ask, Books, Reference, Transport, SLOW, WITH_REPLICAS,
};
use serde_json::{json, Value};
use std::{
	path::PathBuf,
	time::{Duration, Instant},
};
use tempfile::TempDir;
use tokio::{sync::Mutex, time::timeout};

/// Stages of an answer.
const STAGES: usize = 3;
/// Pieces of text after which something happens to the answer, of more than ten times as many tokens.
const PIECES: usize = 12;
/// Tokens of an answer: a second or more.
const TOKENS: u32 = 240;
/// Longest wait of a client for an answer that goes on.
const LONGEST_PAUSE: Duration = Duration::from_secs(20);
/// Longest wait of a client for an error.
const LONGEST_DOUBT: Duration = Duration::from_secs(30);

/// One network at a time: a machine of two processors has enough to do with it.
static TURN: Mutex<()> = Mutex::const_new(());

/// What happens to a worker.
#[derive(Clone, Copy, Debug)]
enum Fate {
	Killed,
	Stopped,
}

struct Scene {
	cluster: Cluster,
	api: Api,
	ask: Ask,
	reference: Reference,
	/// Answers whose records are not looked at yet, each with the stage that was replaced and by whom.
	answers: Vec<(Answer, Option<(usize, usize)>)>,
	package: PathBuf,
	_dir: TempDir,
}

/// The worker with the same layers.
fn replica(worker: usize) -> usize {
	(worker + STAGES) % (2 * STAGES)
}

impl Scene {
	async fn set(transport: Transport) -> Result<Self> {
		let dir = tempfile::Builder::new().prefix("aria-e2e-model-").tempdir()?;
		let package = dir.path().join("package");
		write_slow_model(&package).await?;
		// The model's answers are noise; the same noise wherever it is computed.
		let ask = Ask::new("What is the sea?", 1.0, 11, TOKENS);
		let reference = generate(&package, &ask, None, STAGES).await?;
		ensure!(reference.text.len() >= 64, "too short to be hashed without a salt");
		let cluster = start(&package, &WITH_REPLICAS, transport).await?;
		let api = cluster.api().await?;
		Ok(Self { cluster, api, ask, reference, answers: Vec::new(), package, _dir: dir })
	}

	/// An answer that nothing happens to.
	async fn ask(&mut self) -> Result<()> {
		let answer = self.api.chat(&self.ask.body(SLOW)).await?;
		self.reference.check(&answer.text, &answer.aria)?;
		ensure!(answer.aria["replaced"] == json!(0), "{}", answer.aria);
		self.answers.push((answer, None));
		Ok(())
	}

	/// An answer in the midst of which the worker of a stage is lost. Returns the worker.
	async fn lose(&mut self, stage: usize, fate: Fate, body: &Value) -> Result<usize> {
		idle(&self.cluster).await?;
		let layers = self.cluster.spec.layers[stage];
		let asked = ask_until(&self.api, body, PIECES).await?;
		let lost = busy(&self.cluster, layers).await?;
		match fate {
			Fate::Killed => self.cluster.workers[lost].kill9()?,
			Fate::Stopped => self.cluster.workers[lost].signal("STOP")?,
		}
		let answer = asked.await?.with_context(|| format!("stage {stage} was {fate:?}"))?;

		self.reference.check(&answer.text, &answer.aria)?;
		let replaced = answer.aria["replaced"].as_u64();
		ensure!(replaced >= Some(1), "nobody took the place: {}", answer.aria);
		let pause = answer.longest_gap();
		ensure!(pause < LONGEST_PAUSE, "stage {stage} {fate:?}: a pause of {pause:?}");
		eprintln!("stage {stage} {fate:?}: the client waited {} ms", pause.as_millis());
		self.answers.push((answer, Some((stage, replica(lost)))));
		Ok(lost)
	}

	/// Starts these workers again, and waits until they take part.
	async fn bring_back(&mut self, lost: &[usize]) -> Result<()> {
		let returning = self.cluster.workers.iter_mut().enumerate();
		let returning = returning.filter(|(index, _)| lost.contains(index));
		let restarted = returning.map(|(_, worker)| worker.restart());
		futures::future::try_join_all(restarted).await?;
		self.cluster.planned(2 * STAGES).await?;
		back(&self.cluster, lost).await
	}

	/// The record of each answer is the right one.
	async fn check_records(&mut self) -> Result<()> {
		for (answer, replaced) in std::mem::take(&mut self.answers) {
			let entry = self.cluster.record(answer.record_id()?).await?;
			self.check_record(&entry, &answer.aria)?;
			if let Some((stage, worker)) = replaced {
				let node = entry.body.stages.get(stage).map(|stage| stage.node.clone());
				ensure!(node == Some(Cluster::account(worker)), "stage {stage} is {node:?}");
			}
			let Some(salt) = salt(&answer.aria)? else { continue };
			let salt = format!("{salt:?}");
			let traced = generate(&self.package, &self.ask, Some(&salt), STAGES).await?;
			traced.check_trace(&entry.body)?;
		}
		Ok(())
	}

	fn check_record(&self, entry: &RecordEntry, aria: &Value) -> Result<()> {
		let body = &entry.body;
		self.reference.check_record(body, aria)?;
		ensure!(entry.signed_stages == 0b111, "a signature is missing: {:b}", entry.signed_stages);
		ensure!(body.stages.len() == STAGES, "{body:?}");
		for (stage, layers) in body.stages.iter().zip(&self.cluster.spec.layers) {
			ensure!(stage.layers == *layers, "{stage:?}");
			ensure!(stage.energy_mj > 0, "{stage:?}");
		}
		let named: Vec<String> = body.stages.iter().map(|stage| stage.node.to_string()).collect();
		ensure!(named == nodes(aria), "{named:?} are not the nodes of {aria}");
		Ok(())
	}

	/// Each third is lost once, by kill -9.
	async fn kill_each_stage(&mut self) -> Result<()> {
		let mut lost = Vec::new();
		for stage in 0..STAGES {
			// With the salt of one of them its boundaries can be computed again.
			let body = match stage {
				1 => self.ask.with(SLOW, json!({ "salted": true })),
				_ => self.ask.body(SLOW),
			};
			lost.push(self.lose(stage, Fate::Killed, &body).await?);
		}
		self.bring_back(&lost).await
	}

	/// A worker that stands still is replaced, and harms nobody when it moves again.
	async fn stop_a_stage(&mut self) -> Result<()> {
		let body = self.ask.body(SLOW);
		let stopped = self.lose(1, Fate::Stopped, &body).await?;
		self.cluster.workers[stopped].signal("CONT")?;
		self.cluster.planned(2 * STAGES).await?;
		back(&self.cluster, &[stopped]).await?;
		ensure!(self.cluster.workers[stopped].runs(), "it ended when it went on");
		self.ask().await
	}

	/// Both workers of a third are gone: the client hears of it, pays nothing, and is served again
	/// when one is back.
	async fn lose_a_third(&mut self) -> Result<()> {
		idle(&self.cluster).await?;
		settled(&self.cluster.gateway).await?;
		let before = Books::read(&self.cluster.client).await?;
		let asked = ask_until(&self.api, &self.ask.body(SLOW), PIECES).await?;
		let lost = busy(&self.cluster, self.cluster.spec.layers[1]).await?;
		for worker in [replica(lost), lost] {
			self.cluster.workers[worker].kill9()?;
		}
		let error = timeout(LONGEST_DOUBT, asked).await.context("no error in time")??;
		let error = error.err().context("an answer without a third of the model")?.to_string();
		let (_, error) = error.split_once("error: ").with_context(|| error.clone())?;
		is_schema(&serde_json::from_str(error)?)?;

		// Until the gateway has heard of it, it tries who is gone.
		let began = Instant::now();
		let refused = refused(&self.api, &self.ask.body(SLOW)).await?;
		ensure!(began.elapsed() < LONGEST_DOUBT, "refused after {:?}", began.elapsed());
		ensure!(refused.status == 503, "{refused}");
		ensure!(refused.retry_after >= Some(1), "no Retry-After: {refused:?}");
		is_schema(&refused.error)?;
		let after = Books::read(&self.cluster.client).await?;
		let records = after.paid_since(&before)?;
		ensure!(records.is_empty(), "paid for nothing: {records:?}");

		self.bring_back(&[lost, replica(lost)]).await?;
		self.ask().await
	}

	/// The gateway is killed in the midst of an answer, another record of its being under way.
	async fn kill_the_gateway(&mut self) -> Result<()> {
		settled(&self.cluster.gateway).await?;
		let before = Books::read(&self.cluster.client).await?;
		self.ask().await?;
		let asked = ask_until(&self.api, &self.ask.body(SLOW), PIECES).await?;
		self.cluster.gateway.kill9()?;
		let broken = timeout(LONGEST_DOUBT, asked).await.context("the stream does not end")??;
		ensure!(broken.is_err(), "an answer without a gateway");

		self.cluster.gateway.restart().await?;
		self.api = self.cluster.api().await?;
		self.cluster.planned(2 * STAGES).await?;
		self.ask().await?;
		settled(&self.cluster.gateway).await?;
		// Two answers that were complete, and nothing of the one that was not. The escrow itself was
		// filled up again when the gateway started.
		let records = Books::read(&self.cluster.client).await?.since(&before)?;
		ensure!(records.len() == 2, "{} records of two answers: {records:?}", records.len());
		self.check_records().await
	}
}

/// An error as OpenAI's clients know it, of a network without workers.
fn is_schema(error: &Value) -> Result<()> {
	let members = error.as_object().with_context(|| format!("{error} is no object"))?;
	for name in ["message", "type", "param", "code"] {
		ensure!(members.contains_key(name), "{name} is missing: {error}");
	}
	ensure!(error["message"].as_str().is_some_and(|text| !text.is_empty()), "{error}");
	ensure!(error["type"] == json!("server_error"), "{error}");
	ensure!(error["code"] == json!("no_workers"), "{error}");
	Ok(())
}

/// Asks for what is refused.
async fn refused(api: &Api, body: &Value) -> Result<Refused> {
	match api.chat(body).await {
		Ok(answer) => anyhow::bail!("this should be refused: {answer:?}"),
		Err(error) => error.downcast::<Refused>(),
	}
}

async fn play(transport: Transport) {
	let _turn = TURN.lock().await;
	let mut scene = Scene::set(transport).await.unwrap();
	let before = Books::read(&scene.cluster.client).await.unwrap();
	scene.ask().await.unwrap();
	scene.kill_each_stage().await.unwrap();
	scene.stop_a_stage().await.unwrap();

	let ids: Vec<_> = scene.answers.iter().map(|(answer, _)| answer.record_id().unwrap()).collect();
	assert_eq!(ids.len(), 6);
	settled(&scene.cluster.gateway).await.unwrap();
	let paid = Books::read(&scene.cluster.client).await.unwrap().paid_since(&before).unwrap();
	for id in &ids {
		assert_eq!(paid.iter().filter(|(paid, _)| paid == id).count(), 1, "{id:?}");
	}
	// Besides them there are only the questions by which it was seen that workers are back.
	let long = paid.iter().filter(|(_, entry)| entry.body.output_tokens > 1).count();
	assert_eq!(long, ids.len());
	scene.check_records().await.unwrap();

	scene.lose_a_third().await.unwrap();
	scene.check_records().await.unwrap();
	scene.kill_the_gateway().await.unwrap();
	let workers: Vec<String> = (0..2 * STAGES).map(address).collect();
	let known = Books::read(&scene.cluster.client).await.unwrap().records;
	let mut stages = known.values().flat_map(|entry| entry.body.stages.iter());
	assert!(stages.all(|stage| workers.contains(&stage.node.to_string())));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_should_go_on_when_its_processes_are_lost() {
	play(Transport::Tcp).await;
}

/// Nobody is told of the end of a process over QUIC: it is found by its silence.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes 5 minutes"]
async fn an_answer_should_go_on_when_its_processes_are_lost_over_quic() {
	play(Transport::Quic).await;
}
