//! Nothing lost, nothing twice: whoever is killed, however long the chain is away, when a disk is full
//! or a clock is wrong, each answer with a record is paid for once, and nothing else is.
//!
//! The gateway reaches its node over a lane that the tests cut. The node keeps its port, and the first
//! worker too, by which the others find each other again.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod books;

use anyhow::Result;
use aria_e2e::{
	client::{eventually, Client},
	cluster::{self, Cluster, Spec, SHIPPED},
	flow,
	node::{program, Node},
	openai::{Answer, Api, Refused},
	worker::{write_model, Options, Worker},
};
use aria_primitives::{record::LayerRange, RecordId};
use books::{lane::Lane, Books};
use futures::future::{join_all, try_join_all};
use serde_json::{json, Value};
use std::{
	collections::BTreeSet,
	net::{Ipv4Addr, TcpListener},
	path::Path,
	process::{self, Stdio},
	sync::atomic::{AtomicUsize, Ordering},
	time::{Duration, Instant},
};
use tokio::{
	process::Command,
	sync::Mutex,
	time::{sleep, timeout},
};

/// Between a block and the loss of its node: a block as old as that is on disk.
const ON_DISK: Duration = Duration::from_millis(700);
/// From an answer until its settlement is on its way: a gateway waits a second for others to go along.
const ON_ITS_WAY: Duration = Duration::from_millis(1_200);
/// How long things may take that take a few seconds.
const PATIENCE: Duration = Duration::from_secs(90);
/// Before an answer is asked for again.
const BREATH: Duration = Duration::from_millis(500);
/// How long the chain is away, where that is noticed at once and where nothing is heard. Workers and
/// gateways begin nothing once they have missed it for half a minute.
const AWAY: (Duration, Duration) = (Duration::from_secs(40), Duration::from_secs(150));
/// Between two empty blocks of a chain that is away, in milliseconds: so many that what was answered
/// before is not too old to be settled when it is back (`docs/protocol/record.md`).
const UNHURRIED: u64 = 3_000;
/// How often something is asked meanwhile.
const MEANWHILE: Duration = Duration::from_secs(4);
/// Tokens of a long answer.
const LONG: u32 = 400;
/// Milliseconds of an hour.
const HOUR: i64 = 3_600_000;
/// Seconds by which a clock may seem to be off: a block is read a little after it was made.
const SLIGHTLY: f64 = 30.0;

/// What keeps a process alive that writes beyond the limit of its files, as on a full disk, and its
/// log out of that limit.
const DEAF: [&str; 3] = ["bash", "-c", "trap '' XFSZ; exec \"$0\" \"$@\" > >(exec cat) 2>&1"];
/// Runs a program with a small disk for its models.
const SMALL_DISK: &str = "mkdir -p \"$MODELS\" && mount -t tmpfs -o size=256k none \"$MODELS\" && \
	exec \"$0\" \"$@\"";

/// One network at a time: each keeps two processors busy.
static TURN: Mutex<()> = Mutex::const_new(());

struct Town {
	cluster: Cluster,
	lane: Lane,
	bootstrap: String,
	/// The records of all answers that clients got.
	ids: Vec<RecordId>,
}

impl Town {
	/// A network on a chain that makes an empty block after so many idle milliseconds.
	async fn new(idle: u64) -> Self {
		let spec = Spec::thirds();
		let node = Node::start(books::node(idle).rpc_port(free_port())).await.unwrap();
		let lane = Lane::to(node.port()).await.unwrap();
		let client = Client::connect(&node.url()).await.unwrap();
		let manifest = cluster::manifest(&spec.package).unwrap();
		let model = flow::add_model(&client, &manifest, &spec.alias).await.unwrap();

		let listen = format!("/ip4/127.0.0.1/tcp/{}", free_port());
		let first = spec.worker(0, spec.layers[0]).set("--listen", &listen);
		let first = Worker::start(&node.url(), first).await.unwrap();
		let bootstrap = first.address().await.unwrap();
		let mut workers = vec![first];
		for (index, layers) in spec.layers.iter().enumerate().skip(1) {
			let options = spec.worker(index, *layers).bootstrap(&bootstrap);
			workers.push(Worker::spawn(&node.url(), options).unwrap());
		}
		let mut options = spec.gateway().bootstrap(&bootstrap).arg("-v");
		if limits_files() {
			options = options.wrapped(DEAF);
		}
		let mut gateway = Worker::spawn(&lane.url(), options).unwrap();
		for worker in &mut workers {
			worker.ready().await.unwrap();
		}
		gateway.ready().await.unwrap();
		let cluster = Cluster {
			spec,
			gateway,
			workers,
			verifiers: Vec::new(),
			client,
			model: model.id,
			node,
		};
		cluster.planned(cluster.workers.len()).await.unwrap();
		Self { cluster, lane, bootstrap, ids: Vec::new() }
	}

	fn client(&self) -> &Client {
		&self.cluster.client
	}

	/// So many answers at the same time, as soon as there are any; each has a record.
	async fn answers(&mut self, count: u64) {
		let api = self.cluster.api().await.unwrap();
		let answers = join_all((0..count).map(|seed| patient(&api, seed))).await;
		self.ids.extend(answers.iter().map(|answer| answer.record_id().unwrap()));
	}

	/// Waits until each answer's record is final; no other is, and the books add up.
	async fn balanced(&self) -> Books {
		let books = Books::settled(self.client(), &self.ids).await.unwrap();
		let ids: BTreeSet<RecordId> = self.ids.iter().copied().collect();
		assert_eq!(ids.len(), self.ids.len(), "two answers have the same record");
		assert_eq!(books.ids(), ids, "records that belong to no answer, or the other way round");
		books.check_shares(&flow::OFFER).unwrap();
		let escrow = books.escrow(&books::requester());
		assert_eq!(escrow.reserved, 0, "tickets lock nothing");
		books
	}

	/// As [`Town::balanced`], once the gateway has nothing left to settle: nothing comes after that.
	async fn at_rest(&self) -> Books {
		let before = self.balanced().await;
		eventually("a gateway with nothing left to settle", PATIENCE, || async {
			let status = self.cluster.gateway.status().await?;
			Ok((status["settlements"] == json!({ "pending": 0, "failed": 0 })).then_some(()))
		})
		.await
		.unwrap();
		let (number, _) = self.client().finalized().await.unwrap();
		self.client().finalized_after(number + 2).await.unwrap();
		let books = self.balanced().await;
		before.unchanged(&books).unwrap();
		books
	}

	/// The node again, on its folder and its port.
	async fn restart_node(&mut self) {
		self.cluster.node.restart().await.unwrap();
		self.cluster.client = Client::connect(&self.cluster.node.url()).await.unwrap();
	}

	/// Waits for a block, and until it is on disk: an answer that names it as its anchor survives the
	/// loss of the node.
	async fn anchored(&self) {
		let (number, _) = self.client().finalized().await.unwrap();
		self.client().finalized_after(number).await.unwrap();
		sleep(ON_DISK).await;
	}
}

fn request(seed: u64, max_tokens: u32) -> Value {
	let mut body = Api::question(SHIPPED, "What is a river?");
	body["seed"] = json!(seed);
	body["temperature"] = json!(1.0);
	body["max_tokens"] = json!(max_tokens);
	body
}

/// An answer, asked for again as long as workers or the chain are missing.
async fn patient(api: &Api, seed: u64) -> Answer {
	let deadline = Instant::now() + PATIENCE;
	loop {
		let error = match api.chat(&request(seed, 48)).await {
			Ok(answer) => return answer,
			Err(error) => error,
		};
		let refused = error.downcast_ref::<Refused>();
		assert!(refused.is_some_and(|refused| refused.status == 503), "{error:#}");
		assert!(Instant::now() < deadline, "no answer: {error:#}");
		sleep(BREATH).await;
	}
}

/// A port of the loopback interface that nobody uses now.
fn free_port() -> u16 {
	let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
	listener.local_addr().unwrap().port()
}

/// Whether a command is there and succeeds.
fn succeeds(words: &[&str]) -> bool {
	let Some((name, args)) = words.split_first() else { return false };
	let mut command = process::Command::new(name);
	command.args(args).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
	command.status().is_ok_and(|status| status.success())
}

/// Whether the files of a running process can be limited here.
fn limits_files() -> bool {
	succeeds(&["bash", "-c", "true"]) && succeeds(&["prlimit", "--version"])
}

// --- kill -9 ------------------------------------------------------------------------------------

/// The gateway, between an answer and its settlement, and in the midst of settling.
async fn gateway_killed(town: &mut Town) {
	let before = town.at_rest().await;
	town.answers(1).await;
	town.cluster.gateway.kill9().unwrap();
	before.unchanged(&Books::read(town.client()).await.unwrap()).expect("it came too late");
	town.cluster.gateway.restart().await.unwrap();
	town.balanced().await;

	town.answers(3).await;
	sleep(ON_ITS_WAY).await;
	town.cluster.gateway.kill9().unwrap();
	town.cluster.gateway.restart().await.unwrap();
	town.balanced().await;
}

/// A worker that signed, before the record is settled.
async fn worker_killed(town: &mut Town) {
	town.answers(2).await;
	town.cluster.workers[1].kill9().unwrap();
	let books = town.balanced().await;
	for id in town.ids.iter().rev().take(2) {
		assert_eq!(books.records[id].signed_stages, 0b111, "all have signed");
	}
	town.cluster.workers[1].restart().await.unwrap();
	town.answers(1).await;
	town.balanced().await;
}

/// The node, right behind the answers, and while it has the settlement.
async fn node_killed(town: &mut Town) {
	for wait in [Duration::ZERO, ON_ITS_WAY] {
		town.anchored().await;
		town.answers(3).await;
		sleep(wait).await;
		town.cluster.node.kill9().unwrap();
		sleep(Duration::from_secs(2)).await;
		town.restart_node().await;
		town.balanced().await;
	}
}

/// All of them, right behind the answers.
async fn all_killed(town: &mut Town) {
	town.anchored().await;
	town.answers(3).await;
	town.cluster.gateway.kill9().unwrap();
	for worker in &mut town.cluster.workers {
		worker.kill9().unwrap();
	}
	town.cluster.node.kill9().unwrap();

	town.restart_node().await;
	let Cluster { gateway, workers, .. } = &mut town.cluster;
	let all = workers.iter_mut().chain([gateway]);
	try_join_all(all.map(Worker::restart)).await.unwrap();
	town.balanced().await;
	town.answers(2).await;
	town.balanced().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_answer_should_be_paid_once_whoever_is_killed() {
	let _turn = TURN.lock().await;
	let mut town = Town::new(1_000).await;
	town.answers(3).await;

	gateway_killed(&mut town).await;
	worker_killed(&mut town).await;
	node_killed(&mut town).await;
	town.at_rest().await;
}

// --- a chain that is away -----------------------------------------------------------------------

/// Long answers that are under way, while `away` happens, and the records of those that ended.
async fn meanwhile(town: &mut Town, away: impl FnOnce(&mut Cluster, &Lane)) {
	let api = town.cluster.api().await.unwrap();
	let begun = AtomicUsize::new(0);
	let ask = |seed| {
		let (api, begun) = (&api, &begun);
		async move {
			let mut first = true;
			let answer = api
				.chat_with(&request(seed, LONG), |_| {
					if std::mem::take(&mut first) {
						begun.fetch_add(1, Ordering::Relaxed);
					}
				})
				.await;
			if first {
				begun.fetch_add(1, Ordering::Relaxed);
			}
			answer
		}
	};
	let answers = join_all((100..103).map(ask));
	let vanish = async {
		while begun.load(Ordering::Relaxed) < 3 {
			sleep(Duration::from_millis(5)).await;
		}
		away(&mut town.cluster, &town.lane);
	};
	let (answers, ()) = tokio::join!(answers, vanish);
	let answers: Result<Vec<Answer>> = answers.into_iter().collect();
	let answers = answers.expect("what runs needs no chain");
	town.ids.extend(answers.iter().map(|answer| answer.record_id().unwrap()));
}

/// The gateway without its node for so long. What is asked meanwhile is answered and paid later, or
/// refused; in the end it is refused.
async fn gateway_cut_off(town: &mut Town, stop: bool) {
	let before = town.at_rest().await;
	let began = Instant::now();
	meanwhile(town, |_, lane| if stop { lane.stop() } else { lane.cut() }).await;
	let (fast, slow) = AWAY;
	let back = began + if stop { slow } else { fast };

	let api = town.cluster.api().await.unwrap();
	while Instant::now() < back {
		let result = timeout(PATIENCE, api.chat(&request(7, 16))).await.expect("it hangs");
		let late = Instant::now() + MEANWHILE >= back;
		match result {
			Ok(answer) => {
				assert!(!late, "an answer without a chain since half a minute");
				town.ids.push(answer.record_id().unwrap());
			}
			Err(error) => {
				let refused = error.downcast_ref::<Refused>();
				let refused = refused.unwrap_or_else(|| panic!("{error:#}"));
				assert_eq!(refused.status, 503, "{refused}");
				assert!(refused.retry_after.is_some_and(|after| after >= 1), "{refused:?}");
			}
		}
		sleep(MEANWHILE).await;
	}
	let status = town.cluster.gateway.status().await.unwrap();
	assert!(status["chain"]["away_seconds"].as_f64().is_some(), "{status:#}");
	let waiting = town.ids.len() - before.records.len();
	assert_eq!(status["settlements"], json!({ "pending": waiting, "failed": 0 }));
	before.unchanged(&Books::read(town.client()).await.unwrap()).unwrap();

	town.lane.open();
	town.at_rest().await;
	town.answers(1).await;
	town.balanced().await;
}

/// Everybody without the node for so long.
async fn node_away(town: &mut Town) {
	town.at_rest().await;
	town.anchored().await;
	meanwhile(town, |cluster, _| cluster.node.kill9().unwrap()).await;
	sleep(AWAY.0).await;
	for worker in &town.cluster.workers {
		let status = worker.status().await.unwrap();
		assert_eq!(status["working"], false, "{status:#}");
		assert!(status["obstacles"].to_string().contains("chain is not reached"), "{status:#}");
	}
	town.restart_node().await;
	town.at_rest().await;
	town.answers(2).await;
	town.balanced().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes seven minutes"]
async fn a_chain_that_is_away_should_cost_nobody_anything() {
	let _turn = TURN.lock().await;
	let mut town = Town::new(UNHURRIED).await;
	town.answers(2).await;

	gateway_cut_off(&mut town, false).await;
	gateway_cut_off(&mut town, true).await;
	node_away(&mut town).await;
	all_killed(&mut town).await;
	town.at_rest().await;
}

// --- a disk that is full ------------------------------------------------------------------------

/// Limits the files that a process writes from now on: `4096` bytes, or `unlimited`.
fn limit_files(worker: &Worker, limit: &str) {
	let pid = worker.pid().unwrap().to_string();
	assert!(
		succeeds(&["prlimit", "--pid", &pid, &format!("--fsize={limit}:")]),
		"no limit {limit}"
	);
}

/// A gateway that can't keep records: nobody is paid for what it answers, it says so, and goes on once
/// there is room.
async fn gateway_without_room(town: &mut Town) {
	if !limits_files() {
		eprintln!("skipped: no bash or no prlimit here, so that no gateway's disk can be full");
		return;
	}
	let before = town.at_rest().await;
	let api = town.cluster.api().await.unwrap();
	limit_files(&town.cluster.gateway, "4096");
	for seed in 0..3 {
		match timeout(PATIENCE, api.chat(&request(seed, 32))).await.expect("it hangs") {
			Ok(answer) => {
				assert!(answer.record_id().is_err(), "it is not kept: {}", answer.aria);
				assert!(!answer.text.is_empty());
			}
			Err(error) => {
				let refused = error.downcast_ref::<Refused>();
				let refused = refused.unwrap_or_else(|| panic!("{error:#}"));
				assert!(matches!(refused.status, 500 | 503), "{refused}");
				assert_eq!(refused.error["type"], "server_error", "{refused}");
			}
		}
	}
	assert!(town.cluster.gateway.runs(), "{}", town.cluster.gateway.log_tail());
	town.cluster.gateway.status().await.unwrap();
	let log = town.cluster.gateway.log_text();
	assert!(log.contains("is not kept") || log.contains("no nonce for a ticket"), "{log}");
	assert!(log.contains("has room"), "it does not say what to do: {log}");
	before.unchanged(&Books::read(town.client()).await.unwrap()).unwrap();

	limit_files(&town.cluster.gateway, "unlimited");
	let deadline = Instant::now() + PATIENCE;
	let id = loop {
		let error = match api.chat(&request(9, 32)).await.and_then(|answer| answer.record_id()) {
			Ok(id) => break id,
			Err(error) => error,
		};
		assert!(Instant::now() < deadline, "there is room, and no record: {error:#}");
		sleep(BREATH).await;
	};
	town.ids.push(id);
	town.at_rest().await;
}

/// The flags with which `unshare` gives a process disks of its own here.
fn unsharing(dir: &Path) -> Option<&'static str> {
	let mount = format!("mount -t tmpfs -o size=64k none '{}'", dir.display());
	["-m", "-rm"].into_iter().find(|flags| succeeds(&["unshare", flags, "sh", "-c", &mount]))
}

/// A worker that fetches layers onto a full disk: it ends, and says how much is missing.
async fn worker_without_room(town: &Town) {
	let dir = tempfile::tempdir().unwrap();
	let Some(flags) = unsharing(dir.path()) else {
		eprintln!(
			"skipped: no file system can be mounted here, so that no worker's disk can be full"
		);
		return;
	};
	let before = town.balanced().await;
	let program = program("aria-worker", "ARIA_WORKER").unwrap();
	// A megabyte and a half that nobody has on this machine's disk but the worker that serves it.
	let package = dir.path().join("package");
	let shape = "--hidden 256 --feed-forward 768 --layers 4 --heads 4 --kv-heads 2 --head-dim 64 \
		--vocab 4096 --shards 2 --seed 11";
	write_model(&package, shape).await.unwrap();
	let manifest = cluster::manifest(&package).unwrap();
	flow::add_model(town.client(), &manifest, "aria-disk").await.unwrap();
	cluster::fund(town.client(), 5).await.unwrap();
	let layers = LayerRange { first: 0, end: manifest.layers };
	let holder = Options::worker(&cluster::suri(3), "aria-disk", layers, &package);
	let holder = holder.bootstrap(&town.bootstrap);
	let mut holder = Worker::start(&town.cluster.node.url(), holder).await.unwrap();

	let base = dir.path().join("base");
	let fetching = Command::new("unshare")
		.args([flags, "sh", "-c", SMALL_DISK])
		.arg(&program)
		.args(["run", "--dev", "--suri", &cluster::suri(4), "--admin", "127.0.0.1:0"])
		.args(["--serve", "aria-disk", "--layers", "0..4", "--bootstrap", &town.bootstrap])
		.args(["--node", &town.cluster.node.url()])
		.arg("--base-path")
		.arg(&base)
		.env("MODELS", base.join("models"))
		.env("NO_COLOR", "1")
		.stdin(Stdio::null())
		.kill_on_drop(true)
		.output();
	let ended = timeout(PATIENCE, fetching).await.expect("a full disk, and it hangs").unwrap();
	let said = String::from_utf8_lossy(&ended.stderr);
	assert_eq!(ended.status.code(), Some(1), "{said}");
	assert!(said.contains("no space for") && said.contains("more bytes are needed"), "{said}");
	assert!(said.contains("then start again"), "{said}");
	assert!(holder.stop().await.unwrap());
	before.unchanged(&Books::read(town.client()).await.unwrap()).unwrap();
}

// --- a clock that is wrong ----------------------------------------------------------------------

/// Waits until the gateway takes its clock to be off by so many seconds.
async fn clock_off(town: &Town, seconds: f64) {
	eventually("a clock that is off, or right again", PATIENCE, || async {
		let status = town.cluster.gateway.status().await?;
		let off = status["chain"]["clock_off_seconds"].as_f64();
		Ok(off.filter(|off| (off - seconds).abs() < SLIGHTLY).map(|_| ()))
	})
	.await
	.unwrap();
}

/// A gateway whose clock is an hour off says so instead of an answer that would never be settled; set
/// right, it answers again.
async fn gateway_with_a_wrong_clock(town: &mut Town) {
	let before = town.at_rest().await;
	let api = town.cluster.api().await.unwrap();
	// The chain an hour ahead is the gateway an hour behind, and the other way round.
	for shift in [HOUR, -HOUR] {
		town.lane.shift(shift);
		clock_off(town, shift as f64 / -1_000.0).await;
		for _ in 0..2 {
			let result = timeout(PATIENCE, api.chat(&request(3, 16))).await.expect("it hangs");
			let error = result.map(|answer| answer.aria).unwrap_err();
			let refused = error.downcast_ref::<Refused>().unwrap_or_else(|| panic!("{error:#}"));
			assert_eq!(refused.status, 503, "{refused}");
			assert!(refused.retry_after.is_some_and(|after| after >= 1), "{refused:?}");
			assert_eq!(refused.error["type"], "server_error", "{refused}");
			assert!(refused.error["code"].is_string(), "{refused}");
			assert!(refused.error["param"].is_null(), "{refused}");
			let message = refused.error["message"].as_str().unwrap();
			assert!(message.contains("clock") && message.contains("set it"), "{message}");
		}
		before.unchanged(&Books::read(town.client()).await.unwrap()).unwrap();
	}
	town.lane.shift(0);
	clock_off(town, 0.0).await;
	// The first answer that is asked for is given: nothing of all that is left.
	let answer = api.chat(&request(3, 16)).await.unwrap();
	town.ids.push(answer.record_id().unwrap());
	let after = town.at_rest().await;
	assert_eq!(after.added(&before).len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_and_a_wrong_clock_should_cost_nobody_anything() {
	let _turn = TURN.lock().await;
	let mut town = Town::new(1_000).await;
	town.answers(2).await;

	gateway_without_room(&mut town).await;
	worker_without_room(&town).await;
	town.answers(1).await;
	town.at_rest().await;

	gateway_with_a_wrong_clock(&mut town).await;
}
