//! Consent, obeyed by workers that run: what their owners change on chain, or on the machine, acts at
//! once, and what is refused costs nobody anything.
//!
//! One network for all of it: Bob has the first third of the layers and Charlie the rest, so that
//! nothing is answered without Charlie. Ferdie, who joins later, has Charlie's layers too.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod books;

use aria_e2e::{
	client::{eventually, Client, Included},
	cluster::{self, Cluster, Spec, SHIPPED},
	flow,
	node::program,
	openai::{Api, Refused},
	worker::Worker,
};
use aria_primitives::{
	consent::{Consent, Schedule},
	record::{LayerRange, RecordEntry},
	AccountId, BlockNumber,
};
use aria_runtime::{Runtime, RuntimeCall};
use books::{lane::Lane, Books};
use serde_json::{json, Value};
use sp_core::crypto::Ss58Codec;
use std::{
	process::Stdio,
	sync::atomic::{AtomicUsize, Ordering},
	time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};
use tokio::{process::Command, time::sleep};

/// Milliseconds after which the chain makes an empty block.
const IDLE: u64 = 1_000;
/// How long a worker may take, once it knows of a block, to read it and to obey.
const READING: Duration = Duration::from_secs(3);
/// Blocks that may pass between a change and its effect, as a worker counts them.
const BLOCKS: u64 = 3;
/// How long others may take to hear of a worker again: they look for new ones every 20 seconds.
const HEARSAY: Duration = Duration::from_secs(60);
/// Before an answer is asked for again.
const BREATH: Duration = Duration::from_millis(500);
/// The layers of Charlie, and later of Ferdie.
const LAYERS: LayerRange = LayerRange { first: 2, end: 6 };
/// Whose layers nobody else has.
const CHARLIE: usize = 1;
/// Who joins later.
const FERDIE: usize = 2;
/// Milliseconds of an hour.
const HOUR: i64 = 3_600_000;

struct Town {
	cluster: Cluster,
	api: Api,
	/// Answers that were given.
	answers: AtomicUsize,
}

impl Town {
	async fn new() -> Self {
		let spec =
			Spec::new(&[(0, LAYERS.first), (LAYERS.first, LAYERS.end)]).node(books::node(IDLE));
		let cluster = Cluster::start(spec).await.unwrap();
		let api = cluster.api().await.unwrap();
		Self { cluster, api, answers: AtomicUsize::new(0) }
	}

	fn client(&self) -> &Client {
		&self.cluster.client
	}

	fn charlie(&self) -> &Worker {
		&self.cluster.workers[CHARLIE]
	}

	/// A request whose last stage has to be this worker.
	fn request(by: usize) -> Value {
		let mut body = Api::question(SHIPPED, "What is a river?");
		body["max_tokens"] = json!(24);
		body["aria"] = json!({ "last_stage": Cluster::account(by).to_ss58check() });
		body
	}

	/// The record of an answer by this worker, as soon as there is one.
	async fn answered(&self, by: usize) -> RecordEntry {
		let deadline = Instant::now() + HEARSAY;
		let answer = loop {
			let error = match self.api.chat(&Self::request(by)).await {
				Ok(answer) => break answer,
				Err(error) => error,
			};
			let refused = error.downcast_ref::<Refused>();
			assert!(refused.is_some_and(|refused| refused.status == 503), "{error:#}");
			assert!(Instant::now() < deadline, "no answer: {error:#}");
			sleep(BREATH).await;
		};
		self.answers.fetch_add(1, Ordering::Relaxed);
		let record = self.cluster.record(answer.record_id().unwrap()).await.unwrap();
		let node = &record.body.stages.last().unwrap().node;
		assert_eq!(*node, Cluster::account(by));
		record
	}

	/// What only this worker could answer is refused as OpenAI's clients know it, and nobody pays.
	async fn should_refuse(&self, by: usize) {
		let before = Books::read(self.client()).await.unwrap();
		let waiting = pending(&self.cluster.gateway.status().await.unwrap());
		let mut demanded = Self::request(by);
		let mut free = demanded.clone();
		free.as_object_mut().unwrap().remove("aria");
		demanded["max_tokens"] = json!(8);
		// Without a demand too, as long as nobody else has its layers.
		let bodies =
			if self.cluster.workers.len() == 2 { vec![free, demanded] } else { vec![demanded] };
		for body in bodies {
			let error = self.api.chat(&body).await.map(|answer| answer.aria).unwrap_err();
			let refused = error.downcast_ref::<Refused>().unwrap_or_else(|| panic!("{error:#}"));
			assert_eq!(refused.status, 503, "{refused}");
			assert!(refused.retry_after.is_some_and(|after| after >= 1), "{refused:?}");
			assert_eq!(refused.error["type"], "server_error", "{refused}");
			assert_eq!(refused.error["code"], "no_workers", "{refused}");
			assert!(refused.error["param"].is_null(), "{refused}");
			assert!(!refused.error["message"].as_str().unwrap().is_empty());
		}
		// What is to be settled is kept before a client hears of its answer.
		let status = self.cluster.gateway.status().await.unwrap();
		assert!(pending(&status) <= waiting, "something is to be settled: {status:#}");
		assert_eq!(status["settlements"]["failed"], 0, "{status:#}");
		let after = Books::read(self.client()).await.unwrap();
		before.unchanged(&after).unwrap();
	}

	/// Why the gateway passes the worker over, once it does so with this code.
	async fn passed(&self, worker: usize, code: &str) -> String {
		let node = Cluster::account(worker).to_ss58check();
		let what = format!("{node} passed over: {code}");
		eventually(&what, READING + READING, || async {
			let plan = self.cluster.gateway.plan().await?;
			let passed = plan["passed"].as_array().into_iter().flatten();
			let found = passed.filter(|passed| passed["node"] == node.as_str());
			let mut found = found.filter(|passed| passed["code"] == code);
			Ok(found.next().map(|passed| passed["reason"].as_str().unwrap().to_owned()))
		})
		.await
		.unwrap()
	}

	async fn submit(&self, worker: usize, call: impl Into<RuntimeCall>) -> Included {
		let included = self.client().submit(&cluster::pair(worker), call).await.unwrap();
		included.success().unwrap()
	}

	async fn update(&self, worker: usize, consent: Consent) -> Included {
		let call = pallet_consent_registry::Call::<Runtime>::update_consent { consent };
		self.submit(worker, call).await
	}
}

fn best(status: &Value) -> u64 {
	status["chain"]["best"].as_u64().unwrap()
}

fn pending(status: &Value) -> u64 {
	status["settlements"]["pending"].as_u64().unwrap()
}

fn obstacles(status: &Value) -> String {
	let obstacles = status["obstacles"].as_array().unwrap().iter();
	obstacles.map(|obstacle| obstacle.as_str().unwrap()).collect::<Vec<_>>().join("; ")
}

/// Waits until the worker's status says what is wanted, which it has to do as soon as it has read the
/// block behind `changed`.
async fn status_after(
	worker: &Worker,
	changed: BlockNumber,
	what: &str,
	wanted: impl Fn(&Value) -> bool,
) -> Value {
	let mut heard: Option<Instant> = None;
	loop {
		let status = worker.status().await.unwrap();
		if wanted(&status) {
			assert!(best(&status) <= u64::from(changed) + BLOCKS, "{what}: late: {status:#}");
			return status;
		}
		if best(&status) > u64::from(changed) {
			let heard = heard.get_or_insert_with(Instant::now);
			assert!(heard.elapsed() < READING, "{what}: not obeyed: {status:#}");
		}
		sleep(Duration::from_millis(50)).await;
	}
}

/// Waits until the worker's status says what is wanted, whatever the block.
async fn status_with(worker: &Worker, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
	let deadline = Instant::now() + HEARSAY;
	loop {
		let status = worker.status().await.unwrap();
		if wanted(&status) {
			return status;
		}
		assert!(Instant::now() < deadline, "{what}: {status:#}\n{}", worker.log_tail());
		sleep(Duration::from_millis(100)).await;
	}
}

// --- what the tests go through ------------------------------------------------------------------

/// Withdrawn: no new stage after the next block. Set again: it works under the new version.
async fn withdrawal(town: &Town) {
	let call = pallet_consent_registry::Call::<Runtime>::withdraw_consent {};
	let included = town.submit(CHARLIE, call).await;
	let status = status_after(town.charlie(), included.number, "a withdrawal", |status| {
		status["working"] == false
	})
	.await;
	assert!(obstacles(&status).contains("no consent in force"), "{status:#}");
	assert!(status["consent"].is_null(), "{status:#}");

	let reason = town.passed(CHARLIE, "no_consent").await;
	assert!(reason.contains("set one"), "{reason}");
	let plan = town.cluster.gateway.plan().await.unwrap();
	assert_eq!(plan["stages"], json!([]), "{plan:#}");
	assert_eq!(plan["uncovered"], json!([format!("{}..{}", LAYERS.first, LAYERS.end)]), "{plan:#}");
	town.should_refuse(CHARLIE).await;

	let consent = flow::consent(&cluster::pair(CHARLIE)).unwrap();
	let call = pallet_consent_registry::Call::<Runtime>::set_consent { consent };
	let included = town.submit(CHARLIE, call).await;
	let status = status_after(town.charlie(), included.number, "a new consent", |status| {
		status["working"] == true
	})
	.await;
	let record = town.answered(CHARLIE).await;
	let version = record.body.stages.last().unwrap().consent_version;
	assert_eq!(status["consent"]["version"], version, "{status:#}");
	assert!(record.body.anchor.number >= included.number);
}

/// Another limit on the CPU acts at the next block.
async fn processors(town: &Town) {
	for percent in [60, 35] {
		let consent =
			Consent { cpu_percent: percent, ..flow::consent(&cluster::pair(CHARLIE)).unwrap() };
		let included = town.update(CHARLIE, consent).await;
		status_after(town.charlie(), included.number, "a limit of the CPU", |status| {
			status["usage"]["cpu_limit_percent"] == percent
		})
		.await;
	}
	town.answered(CHARLIE).await;
}

/// A limit of memory below what the layers take: nothing is unloaded and nothing is taken, and the owner
/// learns why. With the limit that it had it works on, without being started anew.
async fn memory(town: &Town) {
	let consent = flow::consent(&cluster::pair(CHARLIE)).unwrap();
	let before = town.charlie().status().await.unwrap();
	let used = before["usage"]["memory_bytes"].as_u64().unwrap();
	assert!(used > 1 << 20, "layers of {used} bytes fit into what they must not");
	let included = town.update(CHARLIE, Consent { max_memory_mb: 1, ..consent.clone() }).await;
	let status = status_after(town.charlie(), included.number, "a limit of memory", |status| {
		status["working"] == false && status["usage"]["memory_limit_bytes"] == 1 << 20
	})
	.await;
	let said = obstacles(&status);
	assert!(said.contains("MiB of memory, and its consent allows 1"), "{said}");
	assert!(said.contains("lower what is served") && said.contains("raise the limit"), "{said}");
	assert_eq!(status["models"], before["models"], "{status:#}");
	town.should_refuse(CHARLIE).await;
	assert!(town.charlie().log_text().contains("no orders are taken: its layers take"));

	let included = town.update(CHARLIE, consent).await;
	status_after(town.charlie(), included.number, "the former limit of memory", |status| {
		status["working"] == true
	})
	.await;
	town.answered(CHARLIE).await;
}

/// Who asks for more than is offered gets nothing to do.
async fn price(town: &Town) {
	let cheap = flow::consent(&cluster::pair(CHARLIE)).unwrap();
	let mut dear = cheap.clone();
	dear.reward_preference.minimum_price = flow::OFFER.output_price + 1;
	town.update(CHARLIE, dear).await;
	let reason = town.passed(CHARLIE, "price_too_low").await;
	assert!(reason.contains("below its minimum") && reason.contains("0.0003"), "{reason}");
	town.should_refuse(CHARLIE).await;

	town.update(CHARLIE, cheap).await;
	town.answered(CHARLIE).await;
}

/// Paused, the machine is its owner's; resumed, it works on, with the reputation that it had.
async fn pause(town: &Town) {
	let before = town.charlie().status().await.unwrap();
	let paused = town.charlie().pause().await.unwrap();
	assert_eq!((&paused["paused"], &paused["working"]), (&json!(true), &json!(false)));
	assert!(obstacles(&paused).contains("aria-worker resume"), "{paused:#}");
	town.should_refuse(CHARLIE).await;

	let resumed = town.charlie().resume().await.unwrap();
	assert_eq!((&resumed["paused"], &resumed["working"]), (&json!(false), &json!(true)));
	let reputation = |status: &Value| status["worker"]["reputation_ppm"].as_u64().unwrap();
	assert!(reputation(&resumed) >= reputation(&before), "a pause cost reputation: {resumed:#}");
	assert_eq!(resumed["worker"]["stake"], before["worker"]["stake"]);
	town.answered(CHARLIE).await;
}

/// `aria-worker run --leave` drains on chain; the process that runs sees it, its stake stays on hold,
/// and it may come back.
async fn leave(town: &Town) {
	let before = town.charlie().status().await.unwrap();
	let dir = tempfile::tempdir().unwrap();
	let leaving = Command::new(program("aria-worker", "ARIA_WORKER").unwrap())
		.args(["run", "--leave", "--dev", "--suri", &cluster::suri(CHARLIE)])
		.args(["--node", &town.cluster.node.url()])
		.arg("--base-path")
		.arg(dir.path())
		.stdin(Stdio::null())
		.kill_on_drop(true)
		.output();
	let left = tokio::time::timeout(HEARSAY, leaving).await.expect("it does not end").unwrap();
	assert!(left.status.success(), "{}", String::from_utf8_lossy(&left.stderr));

	let status = status_with(town.charlie(), "draining", |status| status["working"] == false).await;
	assert!(obstacles(&status).contains("drains on chain"), "{status:#}");
	assert_eq!(status["worker"]["active"], false, "{status:#}");
	assert_eq!(status["worker"]["stake"], before["worker"]["stake"]);
	let reason = town.passed(CHARLIE, "draining").await;
	assert!(reason.contains("activate it again"), "{reason}");
	town.should_refuse(CHARLIE).await;

	let call = pallet_worker_registry::Call::<Runtime>::resume {};
	let included = town.submit(CHARLIE, call).await;
	status_after(town.charlie(), included.number, "the return", |status| status["working"] == true)
		.await;
	town.answered(CHARLIE).await;
}

/// Outside its hours a worker is not planned, and its owner learns when it opens. Hours that change on
/// chain act like everything else.
async fn hours(town: &mut Town, lane: &Lane) {
	// Ten minutes that begin in two hours.
	let minutes = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() / 60 + 120;
	let clock = |minutes: u64| format!("{:02}:{:02}", minutes / 60 % 24, minutes % 60);
	let window = format!("{}-{}", clock(minutes), clock(minutes + 10));
	let bootstrap = town.cluster.workers[0].address().await.unwrap();
	let options =
		town.cluster.spec.worker(FERDIE, LAYERS).set("--hours", &window).bootstrap(&bootstrap);
	let ferdie = Worker::start(&lane.url(), options).await.unwrap();
	town.cluster.workers.push(ferdie);
	let ferdie = &town.cluster.workers[FERDIE];

	let status = ferdie.status().await.unwrap();
	assert_eq!(status["working"], false, "{status:#}");
	assert!(obstacles(&status).contains("outside its hours"), "{status:#}");
	let reason = town.passed(FERDIE, "outside_hours").await;
	let opens = format!("{} (UTC+00:00)", clock(minutes));
	assert!(reason.contains("it opens ") && reason.ends_with(&opens), "{reason}: {opens}");
	town.should_refuse(FERDIE).await;
	town.answered(CHARLIE).await;

	let consent =
		Consent { schedule: Schedule::always(), ..flow::consent(&cluster::pair(FERDIE)).unwrap() };
	let included = town.update(FERDIE, consent).await;
	status_after(ferdie, included.number, "other hours", |status| status["working"] == true).await;
	town.answered(FERDIE).await;
}

/// A machine whose clock is an hour off takes nothing and says what to do; set right, it works on.
async fn clock(town: &Town, lane: &Lane) {
	let ferdie = &town.cluster.workers[FERDIE];
	// The chain an hour ahead is this machine an hour behind, and the other way round.
	for (shift, word) in [(HOUR, "behind"), (-HOUR, "ahead of")] {
		lane.shift(shift);
		let status = status_with(ferdie, word, |status| obstacles(status).contains(word)).await;
		let said = obstacles(&status);
		assert!(said.contains("clock is 3") && said.contains("set it"), "{said}");
		assert_eq!(status["working"], false);
		let off = status["chain"]["clock_off_seconds"].as_f64().unwrap();
		assert!((off + shift as f64 / 1_000.0).abs() < 30.0, "{off} s");
		town.should_refuse(FERDIE).await;
		// Others have nothing to do with it.
		town.answered(CHARLIE).await;
	}
	assert!(ferdie.log_text().contains("records with such a time would be refused"));
	lane.shift(0);
	status_with(ferdie, "the right time", |status| status["working"] == true).await;
	town.answered(FERDIE).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn consent_should_be_obeyed_while_a_worker_runs() {
	let mut town = Town::new().await;
	town.answered(CHARLIE).await;

	withdrawal(&town).await;
	processors(&town).await;
	memory(&town).await;
	price(&town).await;
	pause(&town).await;
	leave(&town).await;
	let lane = Lane::to(town.cluster.node.port()).await.unwrap();
	hours(&mut town, &lane).await;
	clock(&town, &lane).await;

	// All of it together: each answer that was given was paid once, and nothing else was.
	let books = Books::read(town.client()).await.unwrap();
	books.check().unwrap();
	books.check_shares(&flow::OFFER).unwrap();
	assert_eq!(books.records.len(), town.answers.load(Ordering::Relaxed));
	let workers: Vec<AccountId> = (0..3).map(Cluster::account).collect();
	for worker in &workers {
		assert!(books.earned(worker) > 0, "{worker} worked and earned nothing");
	}
	for worker in &mut town.cluster.workers {
		assert!(worker.stop().await.unwrap(), "{} ends with an error", worker.name());
	}
	assert!(town.cluster.gateway.stop().await.unwrap(), "the gateway ends with an error");
}
