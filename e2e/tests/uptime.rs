//! Uptime by challenge, with workers that run: who is there answers by itself, paused or not, and over a
//! restart; who was killed is missed and put to rest, and is asked and planned with again once it is back;
//! who is asked to end says that it rests, and loses nothing.
#![allow(clippy::unwrap_used)]

use anyhow::{Context, Result};
use aria_e2e::{
	client::{eventually, Client},
	cluster::{Cluster, Spec, SHIPPED},
	flow,
	node::Options,
	openai::Api,
};
use aria_primitives::{record::RecordEntry, AccountId, PPM};
use aria_runtime::Runtime;
use pallet_worker_registry::{Attendances, EraTally, Tallies, WorkerInfo, WorkerState, Workers};
use sp_core::crypto::Ss58Codec;
use std::time::Duration;

/// Milliseconds after which an empty block is made: as fast as slots allow.
const IDLE: u64 = 500;
/// Challenges of each worker in an era of 3,600 blocks: one in ten blocks.
const OFTEN: u32 = 360;
/// How long a few of them may take, and a window of 100 blocks behind them.
const PATIENCE: Duration = Duration::from_secs(180);
/// A worker for each third of the layers.
const STAGES: usize = 3;
/// Who is killed.
const KILLED: usize = 0;
/// Who is paused.
const PAUSED: usize = 1;
/// Who is asked to end.
const ENDED: usize = 2;

async fn info(client: &Client, worker: usize) -> Result<WorkerInfo> {
	let key = Workers::<Runtime>::hashed_key_for(Cluster::account(worker));
	let info: Option<WorkerInfo> = client.storage(&key, None).await?;
	info.with_context(|| format!("worker {worker} is not registered"))
}

/// What came of a worker's challenges so far, whatever the era.
async fn tally(client: &Client, worker: usize) -> Result<EraTally> {
	let account: AccountId = Cluster::account(worker);
	let key = Attendances::<Runtime>::hashed_key_for(account);
	let tallies: Option<Tallies> = client.storage(&key, None).await?;
	let mut sum = EraTally::default();
	for tally in tallies.unwrap_or_default() {
		sum.answered += tally.answered;
		sum.missed += tally.missed;
		sum.rests += tally.rests;
	}
	Ok(sum)
}

/// Waits until a worker has answered so many more challenges than `before`.
async fn answers(cluster: &Cluster, worker: usize, before: u32, more: u32) -> EraTally {
	let answered = eventually("answers to challenges", PATIENCE, || async {
		let tally = tally(&cluster.client, worker).await?;
		Ok((tally.answered >= before + more).then_some(tally))
	});
	match answered.await {
		Ok(tally) => tally,
		Err(error) => panic!("{error:#}\n{}", cluster.workers[worker].log_tail()),
	}
}

async fn is_in(cluster: &Cluster, worker: usize, wanted: fn(&WorkerState) -> bool) -> WorkerInfo {
	let found = eventually("the worker's state", PATIENCE, || async {
		let info = info(&cluster.client, worker).await?;
		Ok(wanted(&info.state).then_some(info))
	});
	match found.await {
		Ok(info) => info,
		Err(error) => panic!("{error:#}\n{}", cluster.workers[worker].log_tail()),
	}
}

/// The record of an answer, which is asked for until there is one.
async fn answered(cluster: &Cluster) -> RecordEntry {
	let api = cluster.api().await.unwrap();
	let question = Api::question(SHIPPED, "What is sleep?");
	let answered = eventually("an answer", PATIENCE, || async {
		let answer = api.chat(&question).await.ok();
		Ok(answer.and_then(|answer| answer.record_id().ok()))
	});
	cluster.record(answered.await.unwrap()).await.unwrap()
}

fn is_active(state: &WorkerState) -> bool {
	*state == WorkerState::Active
}

fn is_resting(state: &WorkerState) -> bool {
	matches!(state, WorkerState::Resting { .. })
}

/// The reason for which the gateway passes a worker over, if it does.
async fn passed_over(cluster: &Cluster, worker: usize) -> Result<Option<String>> {
	let plan = cluster.gateway.plan().await?;
	let node = Cluster::account(worker).to_ss58check();
	let mut passed = plan["passed"].as_array().into_iter().flatten();
	let found = passed.find(|passed| passed["node"] == node.as_str());
	Ok(found.and_then(|passed| passed["code"].as_str()).map(str::to_owned))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes two and a half minutes"]
async fn who_is_there_should_keep_its_uptime_and_who_is_not_should_lose_some() {
	let spec = Spec::thirds().node(Options::dev_with_idle(IDLE)).steady().unwrap();
	let mut cluster = Cluster::start(spec).await.unwrap();
	flow::ask_workers(&cluster.client, OFTEN).await.unwrap();

	// All have worked, so that they have a reputation to lose.
	let first = answered(&cluster).await;
	assert_eq!(first.body.stages.len(), STAGES);

	// All are there, one of them paused.
	cluster.workers[PAUSED].pause().await.unwrap();
	for worker in [KILLED, PAUSED, ENDED] {
		let tally = answers(&cluster, worker, 0, 2).await;
		assert_eq!((tally.missed, tally.uptime()), (0, Some(PPM)), "worker {worker}");
	}

	// One is killed: it misses a challenge, once, rests, and nobody plans with it.
	cluster.workers[KILLED].kill9().unwrap();
	let reputation = info(&cluster.client, KILLED).await.unwrap().reputation;
	assert!(reputation > 0);
	let resting = is_in(&cluster, KILLED, is_resting).await;
	assert_eq!(resting.reputation, reputation, "one absence costs no reputation");
	let missed = tally(&cluster.client, KILLED).await.unwrap();
	assert_eq!(missed.missed, 1);
	assert!(missed.uptime().is_some_and(|uptime| uptime < PPM));
	let told = eventually("the gateway's word", PATIENCE, || async {
		Ok(passed_over(&cluster, KILLED).await?.filter(|code| code == "resting"))
	});
	told.await.unwrap();

	// Another one is asked to end, and says so: it is not asked any more.
	cluster.workers[PAUSED].resume().await.unwrap();
	assert!(cluster.workers[ENDED].stop().await.unwrap());
	is_in(&cluster, ENDED, is_resting).await;
	let ended = tally(&cluster.client, ENDED).await.unwrap();
	assert_eq!((ended.missed, ended.rests), (0, 1));

	// The paused one has answered all the time.
	let paused = answers(&cluster, PAUSED, 0, 5).await;
	assert_eq!((paused.missed, paused.rests, paused.uptime()), (0, 0, Some(PPM)));
	is_in(&cluster, PAUSED, is_active).await;

	// Both come back by themselves, are asked again, and work again.
	for worker in [KILLED, ENDED] {
		let before = tally(&cluster.client, worker).await.unwrap();
		cluster.workers[worker].restart().await.unwrap();
		is_in(&cluster, worker, is_active).await;
		let after = answers(&cluster, worker, before.answered, 1).await;
		assert_eq!(after.missed, before.missed, "worker {worker}");
	}
	cluster.planned(STAGES).await.unwrap();
	let again = answered(&cluster).await;
	assert_eq!(again.body.stages.len(), STAGES);
}
