//! The share of computation that goes into audits, counted from a network that runs: answers by workers
//! with the best reputation, audits by verifiers, and what the chain's events say of both.

use crate::{
	report::{bar, percent, spinner, Figure, Section},
	share::{Count, AIM},
	weights::{arithmetic, parameters},
};
use anyhow::{ensure, Context, Result};
use aria_e2e::{
	client::{eventually, Client},
	cluster::{self, Cluster, Spec, SHIPPED},
	flow, keys, node,
	openai::Api,
	worker::{Options, Worker},
};
use aria_math::{audit::audit_share_ppm, reputation::MAX_SCORE};
use aria_primitives::{
	record::{LayerRange, RecordEntry},
	EpochIndex, RecordId, PPM,
};
use aria_runtime::{Runtime, RuntimeCall, RuntimeEvent};
use aria_simulations::table::{grouped, Table};
use clap::Args;
use codec::Encode;
use frame_support::storage::storage_prefix;
use indicatif::ProgressBar;
use pallet_verification::PendingEpoch;
use pallet_worker_registry::WorkerInfo;
use serde_json::{json, Value};
use std::{
	collections::BTreeMap,
	time::{Duration, Instant},
};
use tokio::time::sleep;

/// Verifiers beside the workers.
const VERIFIERS: usize = 3;
/// What each has at stake, in ARIA: a canary would take half of it.
const STAKE: &str = "20";
/// Tokens of an answer at most.
const TOKENS: u32 = 32;
/// Milliseconds after which an empty block is made: as fast as slots allow.
const IDLE: u64 = 500;
/// Epochs from registration on until a verifier may sit.
const EPOCHS: EpochIndex = 2;
/// How long verifiers may take to be known.
const JOINING: Duration = Duration::from_secs(60);
/// How long two epochs of a minute may take.
const EPOCHS_PASS: Duration = Duration::from_secs(5 * 60);
/// How long the last records may take to be settled.
const SETTLED: Duration = Duration::from_secs(3 * 60);
/// How long it may take until the last record is drawn, and until all audits are over.
const JUDGED: Duration = Duration::from_secs(40 * 60);
/// How often it is looked.
const GLANCE: Duration = Duration::from_secs(1);

/// How much is asked.
#[derive(Clone, Debug, Args)]
pub struct Settings {
	/// Answers of the network; of 50 one is audited
	#[arg(long, default_value_t = 600, value_parser = clap::value_parser!(u32).range(1..=5_000))]
	answers: u32,
}

/// Starts a network, asks, waits for all verdicts, and counts.
///
/// # Errors
/// When something does not come up, an answer fails, or verdicts do not come.
pub async fn measure(settings: &Settings) -> Result<Section> {
	let began = Instant::now();
	let progress = spinner("the network starts");
	let options = node::Options::dev_with_idle(IDLE).arg("--state-pruning").arg("archive");
	let spec = Spec::new(&[(0, 2), (2, 4), (4, 6)]).node(options);
	let cluster = Cluster::start(spec).await?;
	raise_reputations(&cluster).await?;
	let judges = verifiers(&cluster).await?;
	let client = &cluster.client;
	let from = epoch(client).await?.saturating_add(EPOCHS);
	progress.set_message("verifiers may sit two epochs from now on");
	eventually("the epoch in which verifiers may sit", EPOCHS_PASS, || async {
		sleep(GLANCE).await;
		Ok((epoch(client).await? >= from).then_some(()))
	})
	.await?;
	progress.finish_and_clear();

	let answers = ask(&cluster, settings.answers).await?;
	let progress = spinner("records are settled");
	eventually("all records", SETTLED, || async {
		sleep(GLANCE).await;
		Ok((client.record_ids(None).await?.len() >= answers).then_some(()))
	})
	.await?;
	// Every record is settled by now, in this epoch or before.
	judged(client, &progress).await.with_context(|| {
		let logs: Vec<String> = judges.iter().map(Worker::log_tail).collect();
		format!("the verifiers' logs end:\n{}", logs.join("\n"))
	})?;
	progress.set_message("events are counted");
	let counted = count(client).await?;
	progress.finish_and_clear();
	Ok(section(&counted, began.elapsed()))
}

/// Gives each worker of the network the best reputation: as sudo, since to earn it takes thousands of
/// records.
async fn raise_reputations(cluster: &Cluster) -> Result<()> {
	let mut items = Vec::new();
	for index in 0..cluster.workers.len() {
		let account = Cluster::account(index);
		let key = pallet_worker_registry::Workers::<Runtime>::hashed_key_for(account);
		let info: Option<WorkerInfo> = cluster.client.storage(&key, None).await?;
		let info = info.context("a worker of the network is not registered")?;
		items.push((key, WorkerInfo { reputation: MAX_SCORE, ..info }.encode()));
	}
	let call = frame_system::Call::<Runtime>::set_storage { items };
	let sudo = pallet_sudo::Call::<Runtime>::sudo { call: Box::new(RuntimeCall::System(call)) };
	cluster.client.submit(&keys::owner(), RuntimeCall::Sudo(sudo)).await?.success()?;
	Ok(())
}

/// Workers behind those of the network that verify. They serve a layer that nobody plans with, so that
/// none is ever a party.
async fn verifiers(cluster: &Cluster) -> Result<Vec<Worker>> {
	let first = cluster.workers.len();
	let places = first..first.saturating_add(VERIFIERS);
	cluster::fund(&cluster.client, places.end).await?;
	let bootstrap = cluster.workers.first().context("the network has no worker")?.address().await?;
	let mut workers = Vec::new();
	for index in places {
		let layers = LayerRange { first: 0, end: 1 };
		let (suri, spec) = (cluster::suri(index), &cluster.spec);
		let options = Options::worker(&suri, &spec.alias, layers, &spec.package)
			.args(["--audit", "--stake", STAKE])
			.bootstrap(&bootstrap);
		workers.push(Worker::start(&cluster.node.url(), options).await?);
	}
	let prefix = storage_prefix(b"Verification", b"Verifiers");
	eventually("the verifiers on chain", JOINING, || async {
		let known = cluster.client.keys(&prefix, None).await?.len();
		Ok((known >= VERIFIERS).then_some(()))
	})
	.await?;
	Ok(workers)
}

async fn epoch(client: &Client) -> Result<EpochIndex> {
	let key = storage_prefix(b"Babe", b"EpochIndex");
	Ok(client.storage(&key, None).await?.unwrap_or_default())
}

/// Asks for so many answers, one after the other; how many have a record.
async fn ask(cluster: &Cluster, answers: u32) -> Result<usize> {
	let api = cluster.api().await?;
	let progress = bar(answers.into(), "answers");
	let mut records = 0usize;
	for number in 0..answers {
		let mut question = Api::question(SHIPPED, &format!("What is number {number}?"));
		question["temperature"] = json!(0.7);
		question["seed"] = json!(number);
		question["max_tokens"] = json!(TOKENS);
		let answer = api.chat(&question).await.with_context(|| format!("answer {number}"))?;
		if answer.record_id().is_ok() {
			records = records.saturating_add(1);
		}
		progress.inc(1);
	}
	progress.finish_and_clear();
	ensure!(records > 0, "no answer has a record");
	Ok(records)
}

/// Waits until nothing waits for its draw or its verdict.
async fn judged(client: &Client, progress: &ProgressBar) -> Result<()> {
	let last = epoch(client).await?;
	eventually("the last draw", JUDGED, || async {
		let now = epoch(client).await?;
		progress.set_message(format!("epoch {now}: all records are drawn in epoch {}", last + 2));
		sleep(GLANCE).await;
		let pending = pallet_verification::PendingEpochs::<Runtime>::hashed_key();
		let waits: Option<Vec<PendingEpoch>> = client.storage(&pending, None).await?;
		let waits = waits.unwrap_or_default();
		Ok((now > last && waits.is_empty()).then_some(()))
	})
	.await?;
	let open = pallet_verification::Audits::<Runtime>::counter_storage_final_key();
	eventually("all verdicts", JUDGED, || async {
		sleep(GLANCE).await;
		let open: u32 = client.storage(&open, None).await?.unwrap_or_default();
		progress.set_message(format!("{open} audits are open"));
		Ok((open == 0).then_some(()))
	})
	.await
}

/// What the chain's events say.
#[derive(Clone, Debug, Default)]
struct Counted {
	/// Records that were settled.
	records: u64,
	/// The lowest and the highest probability of a draw, in ppm.
	probabilities: Option<(u32, u32)>,
	/// Verdicts by name.
	verdicts: BTreeMap<String, u64>,
	/// Tokens and runs.
	count: Count,
}

/// Counts from the first block to the last final one.
async fn count(client: &Client) -> Result<Counted> {
	let (number, head) = client.finalized().await?;
	let mut counted = Counted::default();
	let mut records: BTreeMap<RecordId, RecordEntry> = BTreeMap::new();
	for id in client.record_ids(Some(head)).await? {
		let entry = flow::record(client, id, head).await?.context("a record has vanished")?;
		let body = &entry.body;
		let computed = body.prompt_tokens.saturating_sub(body.cached_tokens);
		let served = u64::from(computed).saturating_add(body.output_tokens.into());
		counted.count.served = counted.count.served.saturating_add(served);
		counted.records = counted.records.saturating_add(1);
		records.insert(id, entry);
	}
	for block in 1..=number {
		let hash = client.block_hash(block).await?.context("the chain lacks a block")?;
		for record in client.events(hash).await? {
			let RuntimeEvent::Verification(event) = record.event else { continue };
			note(&mut counted, &records, event);
		}
	}
	Ok(counted)
}

fn note(
	counted: &mut Counted,
	records: &BTreeMap<RecordId, RecordEntry>,
	event: pallet_verification::Event<Runtime>,
) {
	use pallet_verification::Event;
	let count = &mut counted.count;
	match event {
		Event::RecordDrawn { probability_ppm, .. } => {
			count.drawn = count.drawn.saturating_add(1);
			let (least, most) = counted.probabilities.unwrap_or((probability_ppm, probability_ppm));
			counted.probabilities = Some((least.min(probability_ppm), most.max(probability_ppm)));
		}
		// A verifier has run all of a record before it commits, those tokens too whose state an
		// executor had at hand.
		Event::Committed { id, .. } => {
			let tokens = records.get(&id).map_or(0, |entry| {
				u64::from(entry.body.prompt_tokens).saturating_add(entry.body.output_tokens.into())
			});
			count.runs = count.runs.saturating_add(1);
			count.audited = count.audited.saturating_add(tokens);
		}
		Event::Decided { verdict, .. } => {
			let times = counted.verdicts.entry(format!("{verdict:?}")).or_default();
			*times = times.saturating_add(1);
		}
		_ => (),
	}
}

fn section(counted: &Counted, took: Duration) -> Section {
	let Counted { records, probabilities, verdicts, count } = counted;
	let numbers = arithmetic(&parameters());
	let (least, most) = probabilities.unwrap_or((numbers.floor_ppm, numbers.floor_ppm));
	let formula = f64::from(audit_share_ppm(most, &numbers)) / f64::from(PPM);
	let ppm = |value: u32| percent(f64::from(value) / f64::from(PPM));
	// Of a count of rare events, its root is the deviation to be expected.
	let runs = count.runs as f64;
	let deviation = if runs > 0.0 { count.share() / runs.sqrt() } else { 0.0 };

	let mut table = Table::new(["of a network that ran", "count"]);
	table.push(["records settled".to_owned(), grouped((*records).into())]);
	table.push(["drawn for an audit".to_owned(), grouped(count.drawn.into())]);
	table.push(["drawn at".to_owned(), format!("{} to {}", ppm(least), ppm(most))]);
	table.push(["runs of verifiers".to_owned(), grouped(count.runs.into())]);
	table.push(["tokens that executors computed".to_owned(), grouped(count.served.into())]);
	table.push(["tokens that verifiers computed".to_owned(), grouped(count.audited.into())]);
	for (verdict, times) in verdicts {
		table.push([format!("verdicts `{verdict}`"), grouped((*times).into())]);
	}
	table.push(["share of tokens that audits took".to_owned(), percent(count.share())]);
	let text = format!(
		"Three workers with the best reputation, a gateway and {VERIFIERS} verifiers on this machine, for \
		 {:.0} minutes. So few audits tell the share to within {} (one standard deviation); by formula it \
		 is {}.\n\n{}",
		took.as_secs_f64() / 60.0,
		percent(deviation),
		percent(formula),
		table.markdown(),
	);
	let json: Value = json!({
		"records": records,
		"drawn": count.drawn,
		"runs": count.runs,
		"served_tokens": count.served,
		"audited_tokens": count.audited,
		"share": count.share(),
		"deviation": deviation,
		"formula": formula,
		"verdicts": verdicts,
	});
	let figures = vec![Figure::aimed(
		"share of computation that audits take at the floor, counted",
		format!("{} ± {}", percent(count.share()), percent(deviation)),
		"below 5 %",
		count.share() < AIM,
	)];
	Section { name: "run", text, json, figures }
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_count_without_audits_should_make_a_section() {
		let count = Count { served: 10, ..Count::default() };
		let section = section(&Counted { count, ..Counted::default() }, Duration::ZERO);

		assert_eq!(section.json["share"], json!(0.0));
		assert!(section.figures.iter().all(|figure| figure.aim.ends_with("PASS")));
	}

	#[test]
	fn what_verifiers_run_should_be_counted_once_a_commitment() {
		let (worker, id) = (Cluster::account(0), RecordId::repeat_byte(1));
		let mut counted = Counted::default();
		let committed =
			|| pallet_verification::Event::Committed { id, round: 0, verifier: worker.clone() };
		note(&mut counted, &BTreeMap::new(), committed());
		note(&mut counted, &BTreeMap::new(), committed());

		assert_eq!(counted.count.runs, 2);
	}
}
