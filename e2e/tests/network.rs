//! Three workers with a third of the shipped model each answer as one process with all of it, and the
//! chain has a record of each answer, whatever becomes of its client.
#![allow(clippy::unwrap_used)]

mod network_support;

use anyhow::{ensure, Context, Result};
use aria_e2e::{
	client::eventually,
	cluster::{Cluster, Spec, SHIPPED},
	keys,
	openai::{record_id, Api, Refused},
};
use aria_primitives::{
	hashing::sha256,
	record::{FinishReason, LayerRange, RecordEntry},
	RecordId,
};
use aria_runtime::Runtime;
use codec::Encode;
use network_support::{address, generate, nodes, salt, settled, Ask, Books, Reference, OFFER};
use serde_json::{json, Value};
use std::{fs, process::Stdio, time::Duration};
use tokio::{
	process::Command,
	sync::oneshot,
	time::{sleep, timeout},
};

/// Shortest text that is hashed without a salt, in bytes (`docs/protocol/record.md`).
const UNSALTED: usize = 64;
/// Blocks that a record's anchor may be old (`docs/protocol/record.md`).
const MAX_ANCHOR_AGE: u32 = 100;
/// How long things may take to change.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often a question is asked whose answer has to be of a certain kind.
const TRIES: u64 = 12;

/// Questions, greedy and sampled.
fn asks() -> Vec<Ask> {
	vec![
		Ask::new("What is a violin?", 0.0, 0, 64),
		Ask::new("What kind of thing is a winker?", 0.0, 9, 64),
		Ask::new("What does the word bosom mean?", 0.7, 7, 64),
		Ask::new("Use the word lighthouse in a sentence.", 1.0, u64::MAX, 48),
		Ask::new("Tell me about the sea.", 2.0, 42, 200),
		Ask::new("Tell me about the sea.", 2.0, 43, 1),
	]
}

async fn reference(cluster: &Cluster, ask: &Ask, salt: Option<&str>) -> Result<Reference> {
	generate(&cluster.spec.package, ask, salt, 3).await
}

// --- answers and records --------------------------------------------------------------------------

/// Each answer is that of the reference program, and the record says so, down to the boundaries.
async fn answers_should_be_those_of_one_process(cluster: &Cluster, api: &Api) -> Result<()> {
	let before = Books::read(&cluster.client).await?;
	let mut answers = Vec::new();
	for ask in asks() {
		let answer = api.chat(&ask.with(SHIPPED, json!({ "salted": true }))).await?;
		answers.push((ask.clone(), answer));
		let answer = api.chat(&ask.body(SHIPPED)).await?;
		ensure!(
			answer.text.len() < UNSALTED || answer.aria["salt"].is_null(),
			"a salt that was not asked for: {}",
			answer.aria
		);
		answers.push((ask, answer));
	}
	for (ask, answer) in &answers {
		let salt = salt(&answer.aria)?.map(|salt| format!("{salt:?}"));
		let expected = reference(cluster, ask, salt.as_deref()).await?;
		expected.check(&answer.text, &answer.aria).with_context(|| format!("{ask:?}"))?;
		ensure!(answer.finish_reason == expected.finish_reason, "{ask:?}: {answer:?}");
		ensure!(answer.aria["replaced"] == json!(0), "{}", answer.aria);
		let id = answer.record_id()?;
		let entry = cluster.record(id).await?;
		expected.check_record(&entry.body, &answer.aria)?;
		if salt.is_some() {
			expected.check_trace(&entry.body)?;
		}
		check_record(cluster, id, &entry).await?;
	}
	settled(&cluster.gateway).await?;
	let paid = Books::read(&cluster.client).await?.paid_since(&before)?;
	ensure!(paid.len() == answers.len(), "{} records for {} answers", paid.len(), answers.len());
	Ok(())
}

/// A record of three stages is what the processes and the chain say.
async fn check_record(cluster: &Cluster, id: RecordId, entry: &RecordEntry) -> Result<()> {
	let body = &entry.body;
	ensure!(body.id(&cluster.client.genesis()) == id, "the id is not that of the body");
	ensure!(body.model_id == cluster.model, "{body:?}");
	ensure!(body.stages.len() == 3 && body.boundaries.len() == 4, "{body:?}");
	ensure!(entry.signed_stages == 0b111, "a signature is missing: {:b}", entry.signed_stages);
	ensure!(entry.requester == keys::account(&keys::requester()), "{entry:?}");
	ensure!(entry.gateway == keys::account(&keys::gateway()), "{entry:?}");
	ensure!(body.cached_tokens == 0 && entry.auditable, "{entry:?}");
	for (index, stage) in body.stages.iter().enumerate() {
		ensure!(stage.node == Cluster::account(index), "stage {index}: {stage:?}");
		ensure!(stage.layers == cluster.spec.layers[index], "stage {index}: {stage:?}");
		ensure!(stage.energy_mj > 0, "stage {index} used nothing: {stage:?}");
		let source = cluster.workers[index].status().await?["usage"]["energy_source"].clone();
		ensure!(serde_json::to_value(stage.energy_source)? == source, "{stage:?}, {source}");
		let key = pallet_consent_registry::Current::<Runtime>::hashed_key_for(&stage.node);
		let consent: Option<u32> = cluster.client.storage(&key, None).await?;
		ensure!(consent == Some(stage.consent_version), "{stage:?}, {consent:?}");
	}
	let energy: u64 = body.stages.iter().map(|stage| stage.energy_mj).sum();
	ensure!(body.energy_mj == energy, "{energy} mJ: {body:?}");
	let anchor = cluster.client.block_hash(body.anchor.number).await?;
	ensure!(anchor == Some(body.anchor.hash), "the anchor is no block of this chain: {body:?}");
	let age = entry.settled_at.saturating_sub(body.anchor.number);
	ensure!(age <= MAX_ANCHOR_AGE, "the anchor was {age} blocks old");
	Ok(())
}

/// Two choices are two questions, with seeds of their own.
async fn choices_should_be_questions_of_their_own(cluster: &Cluster, api: &Api) -> Result<()> {
	let ask = Ask::new("Tell me about a hedgehog.", 0.9, 17, 64);
	let mut body = ask.with(SHIPPED, json!({ "salted": true }));
	body["n"] = json!(2);
	let whole = api.post("/chat/completions", &body).await?;
	let choices = whole["choices"].as_array().context("no choices")?;
	ensure!(choices.len() == 2, "{whole}");
	let mut tokens = 0;
	for (choice, seed) in choices.iter().zip(ask.seed..) {
		let aria = &choice["aria"];
		ensure!(aria["seed"] == json!(seed), "{aria}");
		let salt = salt(aria)?.context("no salt")?;
		let ask = Ask { seed, ..ask.clone() };
		let expected = reference(cluster, &ask, Some(&format!("{salt:?}"))).await?;
		let text = choice["message"]["content"].as_str().context("no text")?;
		expected.check(text, aria)?;
		ensure!(choice["finish_reason"] == json!(expected.finish_reason), "{choice}");
		let id = record_id(aria)?;
		let entry = cluster.record(id).await?;
		expected.check_record(&entry.body, aria)?;
		expected.check_trace(&entry.body)?;
		check_record(cluster, id, &entry).await?;
		tokens += expected.tokens.len();
	}
	ensure!(whole["usage"]["completion_tokens"] == json!(tokens), "{}", whole["usage"]);
	Ok(())
}

// --- clients that leave ---------------------------------------------------------------------------

/// A client that goes away pays for what was produced until then, and has a record of it.
async fn a_cancelled_answer_should_be_paid_as_far_as_it_went(
	cluster: &Cluster,
	api: &Api,
) -> Result<()> {
	for seed in 0..TRIES {
		settled(&cluster.gateway).await?;
		let before = Books::read(&cluster.client).await?;
		let ask = Ask::new("Tell me everything about the sea.", 2.0, 1_000 + seed, 400);
		leave_at_first_text(api, &ask.body(SHIPPED)).await?;
		let (id, entry) = eventually("the record of an answer that was left", PATIENCE, || async {
			let new = Books::read(&cluster.client).await?.paid_since(&before)?;
			ensure!(new.len() < 2, "an answer was paid twice: {new:?}");
			Ok(new.into_iter().next())
		})
		.await?;
		check_record(cluster, id, &entry).await?;
		let whole = reference(cluster, &ask, None).await?;
		let drawn = entry.body.output_tokens as usize;
		let part = whole.tokens.get(..drawn).context("more tokens than the answer has")?;
		ensure!(entry.body.output_tokens_hash == sha256(&part.encode()), "{:?}", entry.body);
		if entry.body.finish_reason != FinishReason::Cancelled {
			// It had ended before it was heard that nobody listens.
			continue;
		}
		ensure!(drawn < whole.tokens.len(), "all of it was produced: {drawn} tokens");
		let cut = Ask { max_tokens: entry.body.output_tokens, ..ask };
		let text = reference(cluster, &cut, None).await?.text;
		if text.len() >= UNSALTED {
			ensure!(entry.body.output_hash == sha256(text.as_bytes()), "{text:?}");
		}
		return Ok(());
	}
	anyhow::bail!("{TRIES} answers were left, and none was cancelled")
}

/// Closes the connection as soon as there is text.
async fn leave_at_first_text(api: &Api, body: &Value) -> Result<()> {
	let (sender, heard) = oneshot::channel();
	let (api, body) = (api.clone(), body.clone());
	let asked = tokio::spawn(async move {
		let mut sender = Some(sender);
		let tell = move |_: &str| {
			if let Some(sender) = sender.take() {
				let _ = sender.send(());
			}
		};
		api.chat_with(&body, tell).await
	});
	// Where the answer ends without any text, there is nothing to leave.
	let _ = timeout(PATIENCE, heard).await.context("no text came")?;
	asked.abort();
	Ok(())
}

/// A client that goes away before there is anything pays nothing.
async fn an_answer_without_a_token_should_cost_nothing(cluster: &Cluster, api: &Api) -> Result<()> {
	settled(&cluster.gateway).await?;
	let before = Books::read(&cluster.client).await?;
	let ask = Ask::new("What is a dog?", 0.0, 0, 64);
	// One stage stands still, so that there is no token yet.
	cluster.workers[1].signal("STOP")?;
	let left = timeout(Duration::from_millis(800), api.chat(&ask.body(SHIPPED))).await;
	cluster.workers[1].signal("CONT")?;
	ensure!(left.is_err(), "an answer without its second stage: {left:?}");
	// What is there to settle shows in the books with the next answer, at the latest.
	sleep(Duration::from_secs(1)).await;
	let answer = answered(api, &ask.body(SHIPPED)).await?;
	cluster.record(answer.record_id()?).await?;
	settled(&cluster.gateway).await?;
	let paid = Books::read(&cluster.client).await?.paid_since(&before)?;
	ensure!(paid.len() == 1, "{} records of one answer: {paid:?}", paid.len());
	Ok(())
}

/// The answer, once there is one: 503 says to ask again.
async fn answered(api: &Api, body: &Value) -> Result<aria_e2e::openai::Answer> {
	eventually("an answer", PATIENCE, || async {
		match api.chat(body).await {
			Ok(answer) => Ok(Some(answer)),
			Err(error) => match error.downcast_ref::<Refused>() {
				Some(refused) if refused.status == 503 => Ok(None),
				_ => Err(error),
			},
		}
	})
	.await
}

// --- where a text comes from ----------------------------------------------------------------------

/// What `aria-worker provenance` answers: its exit code, and its JSON.
async fn provenance(cluster: &Cluster, args: &[&str]) -> Result<(Option<i32>, Value)> {
	let output = Command::new(aria_e2e::node::program("aria-worker", "ARIA_WORKER")?)
		.args(["provenance", "--json", "--node", &cluster.node.url()])
		.args(args)
		.stdin(Stdio::null())
		.kill_on_drop(true)
		.output()
		.await?;
	let errors = String::from_utf8_lossy(&output.stderr);
	let answer = serde_json::from_slice(&output.stdout)
		.with_context(|| format!("aria-worker provenance {args:?}: {errors}"))?;
	Ok((output.status.code(), answer))
}

/// An unsalted answer and a salted one are found by what a reader has of them.
async fn a_text_should_lead_to_its_record(cluster: &Cluster, api: &Api) -> Result<()> {
	let mut long = None;
	for seed in 0..TRIES {
		let ask = Ask::new("Tell me about the mountains.", 2.0, 2_000 + seed, 120);
		let answer = api.chat(&ask.body(SHIPPED)).await?;
		if answer.text.len() >= UNSALTED {
			long = Some(answer);
			break;
		}
	}
	let long = long.context("all answers are short")?;
	let id = long.record_id()?;
	let entry = cluster.record(id).await?;
	let (_, block) = cluster.client.finalized().await?;
	let (id, block) = (format!("{id:?}"), format!("{block:?}"));
	let dir = tempfile::tempdir()?;
	let file = dir.path().join("answer.txt");
	fs::write(&file, format!("{}\n", long.text))?;
	let file = file.display().to_string();

	let by_text = ["--as", "text", "--", &long.text];
	let by_file = [file.as_str()];
	let by_id = [id.as_str()];
	let by_trusted = ["--block", &block, "--", &id];
	for args in [&by_text[..], &by_file, &by_id, &by_trusted] {
		let (code, found) = provenance(cluster, args).await?;
		ensure!(code == Some(0), "{args:?} ends with {code:?}: {found:#}");
		ensure!(found["proven"] == json!(true), "{args:?}: {found:#}");
		let first = &found["records"][0];
		ensure!(first["id"] == json!(id), "{args:?}: {first:#}");
		let record = &first["record"];
		ensure!(record["outputHash"] == json!(entry.body.output_hash), "{record:#}");
		ensure!(record["price"] == json!(entry.price.to_string()), "{record:#}");
		let nodes: Vec<&Value> =
			record["stages"].as_array().into_iter().flatten().map(|stage| &stage["node"]).collect();
		let expected: Vec<Value> = (0..3).map(|worker| json!(address(worker))).collect();
		ensure!(nodes.into_iter().eq(&expected), "{record:#}");
		// The header that the proof is checked against is a final one.
		let number = first["block"]["number"].as_u64().context("no block")?;
		let hash = cluster.client.block_hash(u32::try_from(number)?).await?;
		ensure!(first["block"]["hash"] == json!(hash), "{first:#}");
		ensure!(number <= u64::from(cluster.client.finalized().await?.0), "{first:#}");
		if args == by_trusted {
			ensure!(first["block"]["hash"] == json!(block), "{first:#}");
		}
	}

	let changed = format!("{}.", long.text);
	fs::write(&file, &changed)?;
	let nobodys = format!("0x{}", "5a".repeat(32));
	for args in [&["--as", "text", "--", &changed][..], &by_file, &[nobodys.as_str()]] {
		let (code, found) = provenance(cluster, args).await?;
		ensure!(code == Some(1), "{args:?} ends with {code:?}: {found:#}");
		ensure!(found["found"] == json!(false), "{args:?}: {found:#}");
	}

	let ask = Ask::new("What is a violin?", 0.0, 0, 64);
	let secret = api.chat(&ask.with(SHIPPED, json!({ "salted": true }))).await?;
	cluster.record(secret.record_id()?).await?;
	let salt = format!("{:?}", salt(&secret.aria)?.context("no salt")?);
	let with = ["--salt", &salt, "--as", "text", "--", &secret.text];
	let (code, found) = provenance(cluster, &with).await?;
	ensure!(code == Some(0), "with its salt: {code:?}, {found:#}");
	let id = json!(format!("{:?}", secret.record_id()?));
	let mut records = found["records"].as_array().into_iter().flatten();
	ensure!(records.any(|record| record["id"] == id), "{found:#}");
	Ok(())
}

// --- what clients demand --------------------------------------------------------------------------

/// Asks for what is refused.
async fn refused(api: &Api, body: &Value) -> Result<Refused> {
	match api.chat(body).await {
		Ok(answer) => anyhow::bail!("{body} should be refused: {answer:?}"),
		Err(error) => error.downcast::<Refused>(),
	}
}

/// As [`refused`], because nobody is there.
async fn without_workers(api: &Api, body: &Value) -> Result<()> {
	let refused = refused(api, body).await?;
	ensure!(refused.status == 503, "{refused}");
	ensure!(refused.retry_after >= Some(1), "no Retry-After: {refused:?}");
	ensure!(refused.error["code"] == json!("no_workers"), "{refused}");
	ensure!(refused.error["type"] == json!("server_error"), "{refused}");
	Ok(())
}

/// Who is named for the first or the last stage runs it, or nobody does.
async fn named_stages_should_be_honoured(cluster: &mut Cluster, api: &Api) -> Result<()> {
	let ask = Ask::new("What is another word for avail?", 0.5, 3, 64);
	let expected = reference(cluster, &ask, None).await?;
	let other = cluster.workers.len();
	cluster.add_worker(LayerRange { first: 0, end: 2 }).await?;
	cluster.planned(cluster.workers.len()).await?;

	let demand = |stage: &str, worker: usize| ask.with(SHIPPED, json!({ stage: address(worker) }));
	for (worker, stage, place) in
		[(0, "first_stage", 0), (other, "first_stage", 0), (2, "last_stage", 2)]
	{
		let answer = answered(api, &demand(stage, worker)).await?;
		expected.check(&answer.text, &answer.aria)?;
		let nodes = nodes(&answer.aria);
		ensure!(nodes.get(place) == Some(&address(worker)), "{stage} {worker}: {nodes:?}");
		let entry = cluster.record(answer.record_id()?).await?;
		let node = entry.body.stages.get(place).map(|stage| stage.node.clone());
		ensure!(node == Some(Cluster::account(worker)), "{stage} {worker}: {node:?}");
	}
	// Who does not have these layers, and who does not exist.
	without_workers(api, &demand("first_stage", 1)).await?;
	without_workers(api, &demand("last_stage", 0)).await?;
	without_workers(api, &demand("last_stage", 77)).await?;
	let nobody = refused(api, &ask.with(SHIPPED, json!({ "first_stage": "Bob" }))).await?;
	ensure!(nobody.status == 400, "{nobody}");
	ensure!(nobody.error["param"] == json!("aria.first_stage"), "{nobody}");
	Ok(())
}

/// Who wants nobody to check an answer gets the same one, for the same price, and a record that says so.
async fn an_answer_without_audits_should_say_so_on_chain(
	cluster: &Cluster,
	api: &Api,
) -> Result<()> {
	settled(&cluster.gateway).await?;
	let before = Books::read(&cluster.client).await?;
	let ask = Ask::new("What is a violin?", 0.0, 0, 64);
	let expected = reference(cluster, &ask, None).await?;
	for (audit, auditable) in [("none", false), ("any", true)] {
		let answer = api.chat(&ask.with(SHIPPED, json!({ "audit": audit }))).await?;
		expected.check(&answer.text, &answer.aria)?;
		let entry = cluster.record(answer.record_id()?).await?;
		expected.check_record(&entry.body, &answer.aria)?;
		ensure!(entry.auditable == auditable, "audited by {audit}: {entry:?}");
		ensure!(entry.signed_stages == 0b111, "a signature is missing: {entry:?}");
	}
	settled(&cluster.gateway).await?;
	let paid = Books::read(&cluster.client).await?.paid_since(&before)?;
	ensure!(paid.len() == 2, "{} records of two answers: {paid:?}", paid.len());
	Ok(())
}

/// Who wants no division gets none: an answer of one worker, or 503 until there is one.
async fn a_whole_model_should_answer_the_same(cluster: &mut Cluster, api: &Api) -> Result<()> {
	let ask = Ask::new("What does preventive mean?", 0.8, 5, 64);
	let whole = ask.with(SHIPPED, json!({ "whole_model": true, "salted": true }));
	without_workers(api, &whole).await?;

	let worker = cluster.workers.len();
	let layers = LayerRange { first: 0, end: 6 };
	cluster.add_worker(layers).await?;
	let answer = answered(api, &whole).await?;
	let salt = format!("{:?}", salt(&answer.aria)?.context("no salt")?);
	let expected = generate(&cluster.spec.package, &ask, Some(&salt), 1).await?;
	expected.check(&answer.text, &answer.aria)?;
	let entry = cluster.record(answer.record_id()?).await?;
	expected.check_record(&entry.body, &answer.aria)?;
	expected.check_trace(&entry.body)?;
	let stages: Vec<_> =
		entry.body.stages.iter().map(|stage| (&stage.node, stage.layers)).collect();
	ensure!(stages == [(&Cluster::account(worker), layers)], "{stages:?}");
	ensure!(entry.signed_stages == 1, "{entry:?}");
	Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_workers_should_answer_as_one_and_the_chain_should_know_it() {
	let spec = Spec::thirds().gateway_arg("--offer", OFFER);
	let mut cluster = Cluster::start(spec).await.unwrap();
	let api = cluster.api().await.unwrap();
	answers_should_be_those_of_one_process(&cluster, &api).await.unwrap();
	choices_should_be_questions_of_their_own(&cluster, &api).await.unwrap();
	a_text_should_lead_to_its_record(&cluster, &api).await.unwrap();
	a_cancelled_answer_should_be_paid_as_far_as_it_went(&cluster, &api).await.unwrap();
	an_answer_without_a_token_should_cost_nothing(&cluster, &api).await.unwrap();
	an_answer_without_audits_should_say_so_on_chain(&cluster, &api).await.unwrap();
	named_stages_should_be_honoured(&mut cluster, &api).await.unwrap();
	a_whole_model_should_answer_the_same(&mut cluster, &api).await.unwrap();
}
