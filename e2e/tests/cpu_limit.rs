//! A worker that may use a quarter of all CPUs uses a quarter, while clients ask for more.
#![allow(clippy::unwrap_used)]

use aria_e2e::{
	cluster::{Cluster, Spec, SHIPPED},
	openai::Api,
};
use serde_json::json;
use std::{
	fs,
	process::Command,
	time::{Duration, Instant},
};
use tokio::{task::JoinSet, time::sleep};

/// What the worker's consent says.
const PERCENT: f64 = 25.0;
/// Clients that ask at the same time, again and again.
const CLIENTS: u64 = 8;
/// How long it is watched, behind as long a beginning as a window.
const WATCHED: Duration = Duration::from_secs(60);
const WINDOW: Duration = Duration::from_secs(10);
const GLANCE: Duration = Duration::from_millis(250);

/// CPU time that a process has used: user and system, threads that have ended included (`proc(5)`).
fn cpu_time(pid: u32, ticks: f64) -> Duration {
	let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
	// The name in parentheses may hold anything; what follows it is numbers.
	let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
	let used: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
	Duration::from_secs_f64(used as f64 / ticks)
}

/// The machine's number that `getconf` has under this name.
fn getconf(name: &str) -> f64 {
	let output = Command::new("getconf").arg(name).output().unwrap();
	String::from_utf8(output.stdout).unwrap().trim().parse().unwrap()
}

/// Asks for long answers until it is ended.
async fn ask(api: Api, client: u64) {
	for round in 0.. {
		let mut body = Api::question(SHIPPED, "What is a lighthouse?");
		body["temperature"] = json!(2.0);
		body["max_tokens"] = json!(200);
		body["seed"] = json!(client * 1_000 + round);
		api.chat(&body).await.unwrap();
	}
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a minute of load"]
async fn a_quarter_of_all_cpus_should_be_a_quarter_under_load() {
	let percent = format!("{PERCENT}");
	let spec = Spec::new(&[(0, 6)]).worker_arg("--cpu-percent", &percent);
	let mut cluster = Cluster::start(spec).await.unwrap();
	let api = cluster.api().await.unwrap();
	let mut clients = JoinSet::new();
	for client in 0..CLIENTS {
		clients.spawn(ask(api.clone(), client));
	}
	let (pid, ticks) = (cluster.workers[0].pid().unwrap(), getconf("CLK_TCK"));
	let cpus = getconf("_NPROCESSORS_ONLN");

	sleep(WINDOW).await;
	let began = Instant::now();
	let mut history = Vec::new();
	while began.elapsed() < WATCHED {
		history.push((began.elapsed(), cpu_time(pid, ticks)));
		if let Some(ended) = clients.try_join_next() {
			panic!("a client ended: {ended:?}");
		}
		sleep(GLANCE).await;
	}
	clients.shutdown().await;

	let share = |from: &(Duration, Duration), to: &(Duration, Duration)| {
		100.0 * (to.1 - from.1).as_secs_f64() / (to.0 - from.0).as_secs_f64() / cpus
	};
	let mean = share(history.first().unwrap(), history.last().unwrap());
	let windows = history.iter().filter_map(|from| {
		let to = history.iter().find(|to| to.0 >= from.0 + WINDOW)?;
		Some(share(from, to))
	});
	let largest = windows.fold(0.0, f64::max);
	println!("{PERCENT} % of {cpus} CPUs: mean {mean:.2} %, largest window of 10 s {largest:.2} %");
	assert!((23.0..=27.0).contains(&mean), "mean {mean} %");
	assert!(largest <= 27.0, "largest window {largest} %");
	assert_eq!(cluster.fallen(), None);
}
