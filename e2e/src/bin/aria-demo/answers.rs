//! What the node's RPC says about the settled record, in short, and whether it is what was settled.

use crate::show::{account, aria, hash, heading, note, short};
use anyhow::{ensure, Context, Result};
use aria_e2e::{
	client::Client,
	flow::{self, Network},
	keys,
};
use aria_primitives::{hashing::sha256, record::RecordEntry, AccountId, Balance, RecordId};
use aria_runtime::{
	parameters::{AuditPot, StoragePot},
	Hash,
};
use codec::Decode;
use jsonrpsee::{core::params::ArrayParams, rpc_params};
use serde_json::{json, Value};
use sp_core::bytes::from_hex;

/// Asks every method, shows what it answers, and fails if that is not about this record.
pub async fn show(client: &Client, network: &Network, id: RecordId, answer: &str) -> Result<()> {
	heading("What the RPC answers about it");
	let worker = keys::account(&keys::workers()[0]);
	let (_, block) = client.finalized().await?;
	let entry = flow::record(client, id, block).await?.context("the record is not in the state")?;

	let value = ask(client, "provenance_getRecord", rpc_params![id]).await?;
	record(&value, id, &entry)?;
	split(client, &entry, block).await?;

	let value = ask(client, "provenance_trace", rpc_params![id]).await?;
	trace(&value, network, id)?;

	let output = sha256(answer.as_bytes());
	let value = ask(client, "provenance_findByOutput", rpc_params![output]).await?;
	ensure!(value["records"][0]["id"] == json!(id), "the text does not lead to the record");
	line("found by nothing but the answer's text");

	let value = ask(client, "provenance_getProof", rpc_params![id]).await?;
	proof(&value, &entry)?;

	let value = ask(client, "consent_get", rpc_params![&worker]).await?;
	ensure!(value["version"] == network.consents[0], "the consent has another version");
	line(&format!(
		"{} allows {} % of its CPUs (version {}, block {})",
		account(&worker),
		text(&value, "/cpuPercent")?,
		text(&value, "/version")?,
		text(&value, "/setAt")?
	));

	let value = ask(client, "reward_explain", rpc_params![&worker]).await?;
	reward(&value, &worker)?;

	let value = ask(client, "sobriety_networkStats", rpc_params![]).await?;
	stats(&value)
}

/// Calls a method, and begins a paragraph about its answer.
async fn ask(client: &Client, method: &str, params: ArrayParams) -> Result<Value> {
	let value = client.call(method, params).await?;
	println!();
	note(method);
	Ok(value)
}

fn line(text: &str) {
	println!("    {text}");
}

fn record(value: &Value, id: RecordId, entry: &RecordEntry) -> Result<()> {
	ensure!(value["id"] == json!(id), "the RPC answers with another record");
	let body = &entry.body;
	line(&format!("id        {}", hash(id)));
	line(&format!("model     {}", short(&text(value, "/modelId")?)));
	line(&format!("output    {}", short(&text(value, "/outputHash")?)));
	line(&format!(
		"tokens    {} asked, {} answered, ended by {}",
		text(value, "/promptTokens")?,
		text(value, "/outputTokens")?,
		text(value, "/finishReason")?
	));
	let stages = value["stages"].as_array().context("the record has no stages")?;
	ensure!(stages.len() == body.stages.len(), "the record lost a stage");
	for stage in stages {
		ensure!(stage["signed"] == true, "a stage did not sign");
		line(&format!(
			"stage     {} ran layers {}..{}: {} by {}, consent {}, signed",
			short(&text(stage, "/node")?),
			text(stage, "/layers/first")?,
			text(stage, "/layers/end")?,
			joules(&text(stage, "/energyMj")?)?,
			text(stage, "/energySource")?,
			text(stage, "/consentVersion")?
		));
	}
	line(&format!("energy    {} in all", joules(&text(value, "/energyMj")?)?));
	line(&format!("latency   {} ms", text(value, "/latencyMs")?));
	line(&format!(
		"block     {}, anchored at block {}",
		text(value, "/settledAt")?,
		text(value, "/anchor/number")?
	));
	let price: Balance = text(value, "/price")?.parse().context("the price is no number")?;
	ensure!(price == entry.price && price > 0, "the price is not the one in the state");
	line(&format!("price     {}", aria(price)));
	Ok(())
}

/// Who gets what of the price, as it waits in the state for the end of the audit window.
async fn split(client: &Client, entry: &RecordEntry, block: Hash) -> Result<()> {
	let workers = keys::workers().map(|pair| keys::account(&pair));
	let payees = [
		("first worker", &workers[0]),
		("second worker", &workers[1]),
		("gateway", &keys::account(&keys::gateway())),
		("block's author", &keys::account(&keys::owner())),
		("audits", &AuditPot::get()),
		("storage", &StoragePot::get()),
	]
	.map(|(name, payee)| (name, payee.clone()));
	let burnt = flow::unvested_burn(client, entry.epoch, block).await?;
	let mut sum = burnt;
	for (name, payee) in payees {
		let share = flow::unvested(client, entry.epoch, &payee, block).await?;
		sum = sum.saturating_add(share);
		part(name, share, entry.price);
	}
	part("burnt", burnt, entry.price);
	ensure!(sum == entry.price, "the parts of the price do not add up to it");
	Ok(())
}

fn part(name: &str, share: Balance, price: Balance) {
	let percent = share as f64 * 100.0 / price.max(1) as f64;
	line(&format!("          {percent:>5.1} %  {name}: {}", aria(share)));
}

fn trace(value: &Value, network: &Network, id: RecordId) -> Result<()> {
	ensure!(value["record"]["id"] == json!(id), "the trace is of another record");
	ensure!(value["pinned"] == true, "the model is not pinned");
	line(&format!(
		"model     {} ({}), {} layers, {} parameters in use for each token",
		value["aliases"][0].as_str().unwrap_or("without a name"),
		hash(network.model.id),
		text(value, "/model/layers")?,
		text(value, "/model/activeParameters")?
	));
	for node in value["nodes"].as_array().context("the trace has no nodes")? {
		line(&format!(
			"node      {} worked under a consent to {} % of its CPUs; reputation {} ppm",
			short(&text(node, "/node")?),
			text(node, "/consent/cpuPercent")?,
			text(node, "/reputationPpm")?
		));
	}
	line(&format!("audit     {}", text(value, "/audit/status")?));
	Ok(())
}

fn proof(value: &Value, entry: &RecordEntry) -> Result<()> {
	let bytes = from_hex(&text(value, "/value")?).context("the proven value is no hex")?;
	let proven = RecordEntry::decode(&mut bytes.as_slice()).context("the proof is of no record")?;
	ensure!(proven == *entry, "the proof is of another record");
	let nodes = value["proof"].as_array().context("the proof has no nodes")?;
	ensure!(!nodes.is_empty(), "the proof has no nodes");
	let hexadecimal: usize = nodes.iter().filter_map(Value::as_str).map(str::len).sum();
	line(&format!(
		"{} nodes of the state trie, {} bytes, against the state root of block {} ({})",
		nodes.len(),
		(hexadecimal / 2).saturating_sub(nodes.len()),
		text(value, "/blockNumber")?,
		short(&text(value, "/blockHash")?)
	));
	Ok(())
}

fn reward(value: &Value, worker: &AccountId) -> Result<()> {
	ensure!(value["records"] == 1, "the worker's work is not counted");
	let planck = |pointer: &str| -> Result<String> {
		Ok(aria(text(value, pointer)?.parse().context("an amount is no number")?))
	};
	line(&format!(
		"era {} so far: {} has work {}, quality {}, efficiency {}",
		text(value, "/era")?,
		account(worker),
		text(value, "/work")?,
		share(&value["qualityPpm"])?,
		share(&value["efficiencyPpm"])?
	));
	line(&format!(
		"its part of the pool of {} is {}; {} was burnt for it, which allows {}; payout {}",
		planck("/pool")?,
		planck("/byRate")?,
		planck("/burnt")?,
		planck("/burnBound")?,
		planck("/payout")?
	));
	Ok(())
}

fn stats(value: &Value) -> Result<()> {
	ensure!(value["inferences"] == "1", "the network's sums do not count the record");
	line(&format!(
		"{} inference, {} tokens of answers, {:.3} J a token",
		text(value, "/inferences")?,
		text(value, "/outputTokens")?,
		value["joulesPerToken"].as_f64().context("there is no figure for a token")?
	));
	line(&format!(
		"{} measured, {} estimated",
		joules(&text(value, "/measuredMillijoules")?)?,
		joules(&text(value, "/estimatedMillijoules")?)?
	));
	Ok(())
}

/// What stands at `pointer`, without quotes.
fn text(value: &Value, pointer: &str) -> Result<String> {
	let found = value.pointer(pointer).with_context(|| format!("the answer lacks {pointer}"))?;
	Ok(found.as_str().map_or_else(|| found.to_string(), str::to_owned))
}

fn joules(millijoules: &str) -> Result<String> {
	let millijoules: u128 = millijoules.parse().context("an energy is no number")?;
	Ok(format!("{:.1} J", millijoules as f64 / 1_000.0))
}

fn share(ppm: &Value) -> Result<String> {
	let ppm = ppm.as_u64().context("a share is no number")?;
	Ok(format!("{:.3}", ppm as f64 / 1_000_000.0))
}
