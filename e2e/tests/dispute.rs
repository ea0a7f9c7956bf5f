//! Verdicts that are contested, through the chain, by workers that run: a stage with a tampered BitLinear
//! that most verifiers pass is convicted by the sums that the runtime computes itself, and an honest stage
//! that most verifiers accuse is acquitted in the same way.
//!
//! Most verifiers have the liar's weights: what they say of a record, they did compute.
//!
//! It takes as long as the windows of two rounds and of a dispute: twenty minutes.
#![allow(clippy::unwrap_used)]

mod audit_support;
mod books;

use aria_e2e::{
	client::eventually,
	cluster::{Cluster, Spec, SHIPPED},
	keys,
	openai::Api,
	worker::Worker,
};
use aria_primitives::{audit::Verdict, record::LayerRange, views::AuditStatus, RecordId};
use audit_support::{
	draw_all, epoch, escrow, expect_seats, mislead, prices, stake, status, verifiers, Lie,
};
use serde_json::{json, Value};
use std::time::Duration;
use tokio::time::sleep;

/// The layers of each worker: two have the same.
const LAYERS: [(u16, u16); 4] = [(0, 2), (2, 4), (4, 6), (2, 4)];
/// Stages of an answer.
const STAGES: usize = 3;
/// The stage that is in dispute, and its layers.
const STAGE: u16 = 1;
const DISPUTED: LayerRange = LayerRange { first: 2, end: 4 };
/// The worker that lies in this stage, and the one that does not.
const LIAR: usize = 1;
const HONEST: usize = 3;
/// Verifiers: as many as seats are expected in a round, so that each has one.
const VERIFIERS: usize = 3;
/// Those with the liar's weights come first; one has the model's.
const DECEIVED: usize = 2;
/// Milliseconds after which an empty block is made: as fast as slots allow.
const IDLE: u64 = 500;
/// How long an answer may take to be given, while the gateway hears of a worker that has gone.
const ANSWERED: Duration = Duration::from_secs(90);
/// How long all verdicts may take: two epochs until the draw, two rounds, and a dispute of seven windows.
const JUDGED: Duration = Duration::from_secs(40 * 60);
/// What a worker's log says when a block has a proof of it.
const PROVEN: &str = "the chain has the proof";

fn question(number: usize) -> Value {
	let mut question = Api::question(SHIPPED, &format!("What is number {number}?"));
	question["temperature"] = json!(0.7);
	question["seed"] = json!(number);
	question["max_tokens"] = json!(12);
	question
}

/// A record whose stage in dispute is `worker`'s, while `other`, which has the same layers, is away.
async fn record_of(cluster: &mut Cluster, worker: usize, other: usize, number: usize) -> RecordId {
	cluster.workers[other].kill9().unwrap();
	cluster.workers[worker].restart().await.unwrap();
	cluster.planned(STAGES).await.unwrap();
	let api = cluster.api().await.unwrap();
	let expected = Cluster::account(worker);
	let asked = eventually("an answer with a record", ANSWERED, || async {
		let answer = api.chat(&question(number)).await;
		let id = answer.ok().and_then(|answer| answer.record_id().ok());
		if id.is_none() {
			// The gateway still plans with who is gone.
			sleep(Duration::from_millis(500)).await;
		}
		Ok(id)
	});
	let id = asked.await.unwrap();
	let entry = cluster.record(id).await.unwrap();
	assert_eq!(entry.body.stages[usize::from(STAGE)].node, expected);
	id
}

fn logs(workers: &[Worker]) -> String {
	workers.iter().map(|worker| format!("{}:\n{}\n", worker.name(), worker.log_tail())).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes twenty minutes"]
async fn the_runtime_should_convict_a_tampered_matrix_and_acquit_an_honest_stage() {
	let spec = Spec::new(&LAYERS).node(books::node(IDLE));
	let mut cluster = Cluster::start(spec.steady().unwrap()).await.unwrap();
	expect_seats(&cluster.client, VERIFIERS as u32).await;
	draw_all(&cluster.client).await;
	let mut judges = verifiers(&cluster, VERIFIERS).await;
	for judge in judges.iter_mut().take(DECEIVED) {
		mislead(&cluster, judge, DISPUTED, Lie::Weights);
		judge.restart().await.unwrap();
	}
	let known_in = epoch(&cluster.client).await;
	mislead(&cluster, &cluster.workers[LIAR], DISPUTED, Lie::Weights);

	let lie = record_of(&mut cluster, LIAR, HONEST, 1).await;
	let truth = record_of(&mut cluster, HONEST, LIAR, 2).await;
	// Both answer for what they computed.
	cluster.workers[LIAR].restart().await.unwrap();
	let mut records = Vec::new();
	for id in [lie, truth] {
		let entry = cluster.record(id).await.unwrap();
		// In an epoch in which the verifiers do not count yet, nobody would judge.
		assert!(entry.epoch >= known_in);
		records.push(entry);
	}

	let client = &cluster.client;
	let court: Vec<_> = (LAYERS.len()..LAYERS.len() + VERIFIERS).map(Cluster::account).collect();
	let (liar, honest) = (Cluster::account(LIAR), Cluster::account(HONEST));
	let mut before = Vec::new();
	for account in [&liar, &honest].into_iter().chain(&court) {
		before.push(stake(client, account).await);
	}
	let requester = keys::account(&keys::requester());
	let paid = escrow(client, &requester).await;

	let said = || {
		let workers = logs(&cluster.workers);
		format!("{workers}\n{}", logs(&judges))
	};
	let judged = eventually("both verdicts", JUDGED, || async {
		let mut verdicts = Vec::new();
		for id in [lie, truth] {
			match status(client, id).await {
				AuditStatus::Decided { verdict, .. } => verdicts.push(verdict),
				AuditStatus::Unaudited | AuditStatus::NotDrawn => {
					panic!("{id:?} was not judged:\n{}", said());
				}
				AuditStatus::Pending { .. } | AuditStatus::Drawn { .. } => {
					sleep(Duration::from_secs(2)).await;
					return Ok(None);
				}
			}
		}
		Ok(Some(verdicts))
	});
	let verdicts = match judged.await {
		Ok(verdicts) => verdicts,
		Err(error) => panic!("{error:#}\n{}", said()),
	};
	let expected = [Verdict::Failed { stage: STAGE }, Verdict::Passed];
	assert_eq!(verdicts, expected, "{}", said());

	// Not by the seats, most of which said otherwise of both: by sums that the chain computed.
	let proven = |worker: &Worker| worker.log_text().contains(PROVEN);
	assert!(proven(&judges[DECEIVED]), "the outvoted verifier proved nothing:\n{}", said());
	assert!(proven(&cluster.workers[HONEST]), "the honest stage proved nothing:\n{}", said());
	assert!(!proven(&cluster.workers[LIAR]) && !judges.iter().take(DECEIVED).any(proven));

	let mut after = Vec::new();
	for account in [&liar, &honest].into_iter().chain(&court) {
		after.push(stake(client, account).await);
	}
	let lost: Vec<bool> = before.iter().zip(&after).map(|(before, after)| after < before).collect();
	// The liar, and those who accused the honest stage by sums that are none; nobody else.
	assert_eq!(lost, [true, false, true, true, false], "{before:?} {after:?}");
	let refunded = escrow(client, &requester).await.saturating_sub(paid);
	assert_eq!(refunded, prices(&records[..1]), "what the requester has back for the lie");
}
