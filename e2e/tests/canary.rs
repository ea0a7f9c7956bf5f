//! Canaries by workers that run: one worker makes a record false on purpose; a verifier that has of it what
//! it computed, and passes the record, loses its bond, a slash and its fees; those who run the record
//! find it false and are paid; and the maker's stake is whole.
//!
//! It takes as long as the audits of two epochs, one after the other: a quarter of an hour.
#![allow(clippy::unwrap_used)]

mod audit_support;
mod books;

use aria_e2e::{
	client::{eventually, Client},
	cluster::{self, Cluster, Spec, SHIPPED},
	flow, keys,
	openai::Api,
	worker::{Options, Worker},
};
use aria_primitives::{
	audit::Verdict,
	record::{LayerRange, RecordEntry},
	views::AuditStatus,
	AccountId, Balance, RecordId, ARIA,
};
use aria_runtime::RuntimeCall;
use audit_support::{
	draw_all, drawn, epoch, expect_canaries, expect_seats, fees, mislead, stake, status,
	verifiers_with, DrawnStatus, Lie,
};
use serde_json::json;
use sp_core::Pair as _;
use std::{collections::BTreeSet, fs, time::Duration};
use tokio::time::sleep;

/// All layers: each answer has one stage.
const ALL: LayerRange = LayerRange { first: 0, end: 6 };
/// Verifiers besides the maker. The first of them passes what it should not.
const VERIFIERS: usize = 4;
/// What each of them has at stake, in ARIA, and what the maker has: a third of all, so that ten audits for
/// a right and 36 audits in an epoch give it one for certain, and each verifier a seat.
const STAKES: (&str, &str) = ("50", "100");
/// Answers in an epoch.
const HONEST: usize = 36;
/// Audits for each right to make a canary: the fewest that count.
const RATE: u32 = 10;
/// Seats expected: the most that count.
const SEATS: u32 = 16;
/// What passing a canary costs (`docs/protocol/audit.md`, parameters), in planck.
const CANARY_SLASH: Balance = 10 * ARIA;
/// Milliseconds after which an empty block is made: as fast as slots allow.
const IDLE: u64 = 500;
/// How long a thing of the next epochs may take.
const EPOCHS: Duration = Duration::from_secs(8 * 60);
/// How long all verdicts may take.
const JUDGED: Duration = Duration::from_secs(20 * 60);

/// A worker with the whole model, its own gateway, and the wish to make canaries.
async fn maker(cluster: &Cluster, index: usize) -> Worker {
	cluster::fund(&cluster.client, index + 1).await.unwrap();
	let bootstrap = cluster.workers[0].address().await.unwrap();
	let (suri, spec) = (cluster::suri(index), &cluster.spec);
	let options = Options::worker(&suri, &spec.alias, ALL, &spec.package)
		.args(["--audit", "--canaries", "true", "--stake", STAKES.1, "--gateway", "127.0.0.1:0"])
		.bootstrap(&bootstrap);
	Worker::start(&cluster.node.url(), options).await.unwrap()
}

/// One of the accounts that the maker makes canaries in the name of.
fn canary_account(maker: &Worker, role: &str, number: u64) -> AccountId {
	let phrase = fs::read_to_string(maker.base().join("keys/canary")).unwrap();
	let uri = format!("{}//aria-canary//{role}//{number}", phrase.trim());
	keys::account(&keys::Pair::from_string(&uri, None).unwrap())
}

async fn pay(client: &Client, accounts: &[(AccountId, Balance)]) {
	let calls = accounts.iter().map(|(account, value)| {
		RuntimeCall::Balances(pallet_balances::Call::transfer_allow_death {
			dest: account.clone().into(),
			value: *value,
		})
	});
	client.submit_all(&keys::owner(), calls.collect()).await.unwrap();
}

async fn free(client: &Client, account: &AccountId) -> Balance {
	client.account(account, None).await.unwrap().data.free
}

async fn stakes(client: &Client, accounts: &[AccountId]) -> Vec<Balance> {
	let mut stakes = Vec::new();
	for account in accounts {
		stakes.push(stake(client, account).await);
	}
	stakes
}

async fn reach(client: &Client, wanted: u64) {
	let reached = eventually("a later epoch", EPOCHS, || async {
		sleep(Duration::from_millis(300)).await;
		Ok((epoch(client).await >= wanted).then_some(()))
	});
	reached.await.unwrap();
}

async fn honest(cluster: &Cluster) -> BTreeSet<RecordId> {
	let api: Api = cluster.api().await.unwrap();
	let mut records = BTreeSet::new();
	for number in 0..HONEST {
		let mut question = Api::question(SHIPPED, &format!("What is number {number}?"));
		question["max_tokens"] = json!(8);
		let answer = api.chat(&question).await.unwrap();
		records.insert(answer.record_id().unwrap());
	}
	records
}

/// A record of `requester`, once it is in a final block.
async fn canary_of(client: &Client, requester: &AccountId, maker: &Worker) -> RecordId {
	let found = eventually("a canary", EPOCHS, || async {
		let (_, head) = client.finalized().await?;
		for id in client.record_ids(Some(head)).await? {
			let entry: Option<RecordEntry> = flow::record(client, id, head).await?;
			if entry.is_some_and(|entry| entry.requester == *requester) {
				return Ok(Some(id));
			}
		}
		sleep(Duration::from_secs(1)).await;
		Ok(None)
	});
	found.await.unwrap_or_else(|error| panic!("{error:#}\n{}", maker.log_text()))
}

async fn verdict(client: &Client, id: RecordId, who: &[&Worker]) -> Verdict {
	let judged = eventually("a verdict", JUDGED, || async {
		Ok(match status(client, id).await {
			AuditStatus::Decided { verdict, .. } => Some(verdict),
			AuditStatus::Pending { .. } | AuditStatus::Drawn { .. } => {
				sleep(Duration::from_secs(2)).await;
				None
			}
			other => anyhow::bail!("{id:?} was not judged: {other:?}"),
		})
	});
	judged.await.unwrap_or_else(|error| {
		let logs: Vec<String> = who.iter().map(|worker| worker.log_tail()).collect();
		panic!("{error:#}\n{}", logs.join("\n\n"))
	})
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes a quarter of an hour"]
async fn who_passes_a_canary_should_pay_and_who_catches_it_be_paid() {
	let spec = Spec::new(&[(ALL.first, ALL.end)]).node(books::node(IDLE));
	let cluster = Cluster::start(spec).await.unwrap();
	let client = &cluster.client;
	expect_seats(client, SEATS).await;
	expect_canaries(client, RATE).await;
	draw_all(client).await;
	let mut judges = verifiers_with(&cluster, VERIFIERS, STAKES.0).await;
	let first = cluster.workers.len();
	let court: Vec<AccountId> = (first..first + VERIFIERS).map(Cluster::account).collect();
	let maker = maker(&cluster, first + VERIFIERS).await;
	let maker_account = Cluster::account(first + VERIFIERS);
	let requester = canary_account(&maker, "requester", 0);
	let committer = canary_account(&maker, "committer", 0);
	pay(client, &[(requester.clone(), 5 * ARIA), (committer.clone(), 2 * ARIA)]).await;

	// All of them count from two epochs on. Then as many audits begin in one epoch as give a right in the
	// next; what is asked in its beginning is settled in it.
	let ready = epoch(client).await + 2;
	reach(client, ready).await;
	let records = honest(&cluster).await;
	for id in &records {
		cluster.record(*id).await.unwrap();
	}
	let canary = canary_of(client, &requester, &maker).await;
	let record = cluster.record(canary).await.unwrap();
	assert_eq!(record.body.stages.len(), 1);
	assert_eq!((&record.body.stages[0].node, &record.gateway), (&maker_account, &maker_account));
	for id in &records {
		assert!(cluster.record(*id).await.unwrap().requester != requester);
	}

	// The first verifier has looked at all honest records by now. From here on it computes what the maker
	// computed for the canary, without having run the model.
	reach(client, record.epoch + 1).await;
	mislead(&cluster, &judges[0], ALL, Lie::FeedForward);
	judges[0].restart().await.unwrap();

	for id in &records {
		let judged = verdict(client, *id, &[&judges[0], &judges[1]]).await;
		assert_eq!(judged, Verdict::Passed, "{id:?}");
	}
	let mut accounts = court.clone();
	accounts.push(maker_account.clone());
	let before = stakes(client, &accounts).await;
	let owed = fees(client, &court[0]).await;
	let had = free(client, &court[0]).await;
	let mut earned = Vec::new();
	for account in &court[1..] {
		earned.push(free(client, account).await + fees(client, account).await);
	}

	let judged = verdict(client, canary, &[&maker, &judges[0], &judges[1]]).await;
	assert_eq!(judged, Verdict::Failed { stage: 0 }, "{}", maker.log_text());
	let info = drawn(client, canary).await.unwrap();
	assert!(
		matches!(info.status, DrawnStatus::Decided { canary: true, .. }),
		"{info:?}\n{}",
		maker.log_text()
	);

	// Its stage did that on purpose: only who passed it pays.
	let after = stakes(client, &accounts).await;
	let lost: Vec<Balance> =
		before.iter().zip(&after).map(|(before, after)| before.saturating_sub(*after)).collect();
	assert_eq!(lost[0], CANARY_SLASH, "{}", judges[0].log_text());
	assert!(lost[1..].iter().all(|lost| *lost == 0), "{lost:?}");
	let left = fees(client, &court[0]).await;
	assert_eq!(left, 0, "of {owed} planck of fees some are left");
	let has = free(client, &court[0]).await;
	assert!(has <= had, "{} planck were paid to who passed a canary", has.saturating_sub(had));
	for (account, before) in court[1..].iter().zip(earned) {
		let now = free(client, account).await + fees(client, account).await;
		// Its part of what the other one lost is more than any fee of a transaction; a bond that was on
		// hold then is back.
		assert!(now > before + ARIA / 2, "{account} had {before} planck and has {now}");
	}
	// The bond of who committed is free again.
	let left = free(client, &committer).await;
	assert!(left > ARIA + ARIA / 2, "{left} planck are left of two ARIA");
}
