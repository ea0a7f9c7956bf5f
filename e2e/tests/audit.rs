//! Audits through the chain, by workers that run: honest records pass, and each worker that lies is
//! caught in the first audit that draws its record, at its own stage, and pays for it alone.
//!
//! It takes as long as the windows of two rounds: a quarter of an hour.
#![allow(clippy::unwrap_used)]

mod audit_support;

use aria_e2e::{
	client::eventually,
	cluster::{Cluster, Spec, SHIPPED},
	keys,
	node::{quick_chain, Options},
	openai::Api,
};
use aria_primitives::{audit::Verdict, record::LayerRange, views::AuditStatus, RecordId};
use audit_support::{
	corrupt, draw_all, epoch, escrow, expect_seats, kernels, mend, prices, said_of, stake, status,
	verifiers, Lie,
};
use serde_json::{json, Value};
use std::{collections::BTreeMap, time::Duration};
use tokio::time::sleep;

/// The layers of each stage.
const STAGES: [(u16, u16); 3] = [(0, 2), (2, 4), (4, 6)];
/// Who lies how.
const LIES: [(usize, Lie); 9] = [
	(0, Lie::Token),
	(1, Lie::Layer),
	(2, Lie::Token),
	(0, Lie::Layer),
	(1, Lie::Weights),
	(2, Lie::Weights),
	(0, Lie::Weights),
	(2, Lie::Layer),
	(2, Lie::Sampling),
];
/// Answers by honest workers.
const HONEST: usize = 50;
/// Verifiers: as many as seats are expected in a round, so that each has one.
const VERIFIERS: usize = 3;
/// How long an answer may take to be given, while the gateway hears of a worker that restarted.
const ANSWERED: Duration = Duration::from_secs(90);
/// How long all verdicts may take: two epochs until the draw, two rounds of at most six windows.
const JUDGED: Duration = Duration::from_secs(30 * 60);

fn question(number: usize) -> Value {
	let mut question = Api::question(SHIPPED, &format!("What is number {number}?"));
	question["temperature"] = json!(0.7);
	question["seed"] = json!(number);
	question["max_tokens"] = json!(12);
	question
}

/// An answer, asked for again while the gateway still plans with who is gone.
async fn ask(api: &Api, number: usize) -> RecordId {
	let asked = eventually("an answer with a record", ANSWERED, || async {
		match api.chat(&question(number)).await {
			Ok(answer) => Ok(answer.record_id().ok()),
			Err(_) => {
				sleep(Duration::from_millis(500)).await;
				Ok(None)
			}
		}
	});
	asked.await.unwrap()
}

/// Lets one worker lie once; the record of that.
async fn lie(cluster: &mut Cluster, worker: usize, lie: Lie, number: usize) -> RecordId {
	let (first, end) = STAGES[worker];
	corrupt(cluster, worker, LayerRange { first, end }, lie);
	cluster.workers[worker].restart().await.unwrap();
	cluster.planned(STAGES.len()).await.unwrap();
	let api = cluster.api().await.unwrap();
	let id = ask(&api, number).await;
	mend(cluster, worker);
	cluster.workers[worker].restart().await.unwrap();
	cluster.planned(STAGES.len()).await.unwrap();
	id
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes a quarter of an hour"]
async fn who_lies_should_be_caught_and_nobody_else() {
	let kernels = kernels();
	// Blocks come by the clock: half a hundred audits at once would make a window of blocks pass in no time
	// where each transaction makes one.
	let dir = tempfile::tempdir().unwrap();
	let chain = quick_chain(dir.path()).unwrap();
	let spec = (0..STAGES.len()).fold(
		Spec::new(&STAGES).node(Options::validator(&chain)),
		// Another than the verifiers' of the same turn.
		|spec, index| spec.own_arg(index, "--kernel", kernels[(index + 1) % kernels.len()]),
	);
	let mut cluster = Cluster::start(spec.steady().unwrap()).await.unwrap();
	expect_seats(&cluster.client, VERIFIERS as u32).await;
	draw_all(&cluster.client).await;
	let judges = verifiers(&cluster, VERIFIERS).await;
	let known_in = epoch(&cluster.client).await;

	let api = cluster.api().await.unwrap();
	let mut honest = Vec::new();
	for number in 0..HONEST {
		honest.push(ask(&api, number).await);
	}
	let mut lies: BTreeMap<RecordId, u16> = BTreeMap::new();
	for (number, (worker, how)) in LIES.into_iter().enumerate() {
		let id = lie(&mut cluster, worker, how, HONEST + number).await;
		lies.insert(id, worker as u16);
	}
	// Records of an epoch in which the verifiers do not count yet would be judged by nobody.
	let mut records = BTreeMap::new();
	for id in honest.iter().chain(lies.keys()) {
		let entry = cluster.record(*id).await.unwrap();
		assert!(entry.epoch >= known_in);
		let nodes: Vec<_> = entry.body.stages.iter().map(|stage| stage.node.clone()).collect();
		assert_eq!(nodes, [0, 1, 2].map(Cluster::account));
		records.insert(*id, entry);
	}
	let client = &cluster.client;
	let parties: Vec<_> = (0..3).map(Cluster::account).collect();
	let court: Vec<_> = (3..3 + VERIFIERS).map(Cluster::account).collect();
	let mut before = Vec::new();
	for account in parties.iter().chain(&court) {
		before.push(stake(client, account).await);
	}
	let requester = keys::account(&keys::requester());
	let paid = escrow(client, &requester).await;

	let mut verdicts: BTreeMap<RecordId, Verdict> = BTreeMap::new();
	let judged = eventually("all verdicts", JUDGED, || async {
		let mut found = BTreeMap::new();
		for id in records.keys() {
			match status(client, *id).await {
				AuditStatus::Decided { verdict, .. } => {
					found.insert(*id, verdict);
				}
				AuditStatus::Unaudited | AuditStatus::NotDrawn => {
					let (lie, said) = (lies.get(id), said_of(*id, &judges));
					panic!("{id:?}, lie in {lie:?}, was not judged:\n{said}");
				}
				AuditStatus::Pending { .. } | AuditStatus::Drawn { .. } => {
					sleep(Duration::from_secs(2)).await;
					return Ok(None);
				}
			}
		}
		Ok(Some(found))
	});
	match judged.await {
		Ok(found) => verdicts.extend(found),
		Err(error) => {
			for id in records.keys() {
				let status = status(client, *id).await;
				if !matches!(status, AuditStatus::Decided { .. }) {
					eprintln!("{id:?}: {status:?}\n{}", said_of(*id, &judges));
				}
			}
			panic!("{error:#}");
		}
	}

	for (id, verdict) in &verdicts {
		let expected = match lies.get(id) {
			Some(stage) => Verdict::Failed { stage: *stage },
			None => Verdict::Passed,
		};
		assert_eq!(*verdict, expected, "{id:?}\n{}", said_of(*id, &judges));
	}
	for (account, before) in parties.iter().zip(&before) {
		assert!(stake(client, account).await < *before, "{account} lied and kept its stake");
	}
	for (account, before) in court.iter().zip(&before[parties.len()..]) {
		assert!(stake(client, account).await >= *before, "{account} was honest and was slashed");
	}
	let refunded = escrow(client, &requester).await.saturating_sub(paid);
	let lied = prices(lies.keys().filter_map(|id| records.get(id)));
	assert_eq!(refunded, lied, "what the requester has back for {} lies", lies.len());
}
