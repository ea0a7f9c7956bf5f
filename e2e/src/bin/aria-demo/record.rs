//! The record of the answer, as the chain has it in a final block, compared with what was streamed.

use crate::{
	show::{hash, heading, joules, line, short, step},
	up::{named, PARTS},
};
use anyhow::{ensure, Context, Result};
use aria_e2e::{cluster::Cluster, openai::Answer};
use aria_primitives::{
	hashing::sha256,
	record::{EnergySource, RecordBody, RecordEntry},
	RecordId,
};
use jsonrpsee::rpc_params;
use serde_json::{json, Value};
use sp_core::{bytes::from_hex, H256};

/// A record in a final block.
pub struct Settled {
	/// Its id.
	pub id: RecordId,
	/// It.
	pub entry: RecordEntry,
}

/// Waits for the record, checks it, and shows what the RPC answers about it.
pub async fn show(cluster: &Cluster, answer: &Answer) -> Result<Settled> {
	heading("Its record, from the chain");
	let id = answer.record_id()?;
	let what = "the gateway settles the record, and its block becomes final";
	let entry = step(what, cluster.record(id)).await?;
	let client = &cluster.client;
	let record: Value = client.call("provenance_getRecord", rpc_params![id]).await?;
	let trace: Value = client.call("provenance_trace", rpc_params![id]).await?;
	same(&record, id, &entry)?;
	ensure!(trace["record"] == record, "the trace is of another record");

	let body = &entry.body;
	line("record", &format!("{}, settled in block {}, final", hash(id), entry.settled_at));
	ensure!(body.id(&client.genesis()) == id, "the record's id is not that of its body");
	line("", "= hash of its body and of this chain's genesis");
	output(cluster, answer, body)?;
	model(cluster, &trace, body)?;
	line(
		"tokens",
		&format!(
			"{} asked, {} answered, ended by {}",
			body.prompt_tokens,
			body.output_tokens,
			text(&record, "/finishReason")?
		),
	);
	line("latency", &format!("{} ms", body.latency_ms));
	stages(cluster, &entry, &trace)?;
	energy(body);
	line("audit", &format!("{}; its anchor is block {}", audit(&trace)?, body.anchor.number));
	Ok(Settled { id, entry })
}

/// Whether what the RPC answers is what lies in the state.
fn same(value: &Value, id: RecordId, entry: &RecordEntry) -> Result<()> {
	let body = &entry.body;
	for (pointer, expected) in [
		("/id", json!(id)),
		("/modelId", json!(body.model_id)),
		("/queryHash", json!(body.query_hash)),
		("/outputHash", json!(body.output_hash)),
		("/outputTokensHash", json!(body.output_tokens_hash)),
		("/outputTokens", json!(body.output_tokens)),
		("/latencyMs", json!(body.latency_ms)),
		("/energyMj", json!(body.energy_mj.to_string())),
		("/price", json!(entry.price.to_string())),
		("/boundaries", json!(body.boundaries.to_vec())),
	] {
		ensure!(
			value.pointer(pointer) == Some(&expected),
			"the RPC answers another {pointer} than the state has"
		);
	}
	Ok(())
}

/// Whether the record is of the text that was streamed, and of the question.
fn output(cluster: &Cluster, answer: &Answer, body: &RecordBody) -> Result<()> {
	let salt = salt(answer)?;
	let computed = output_hash(&answer.text, salt);
	ensure!(computed == body.output_hash, "the record is of another text than was streamed");
	for (name, expected) in [
		("output_hash", body.output_hash),
		("query_hash", body.query_hash),
		("model_id", cluster.model),
	] {
		ensure!(answer.aria[name] == json!(expected), "the gateway told another {name}");
	}
	line("output", &hash(body.output_hash));
	let salted = if salt.is_some() { " and their salt" } else { "" };
	line("", &format!("= SHA-256 of the {} bytes above{salted}", answer.text.len()));
	line("query", &hash(body.query_hash));
	Ok(())
}

/// The salt that came with the answer.
pub fn salt(answer: &Answer) -> Result<Option<[u8; 32]>> {
	let Some(text) = answer.aria["salt"].as_str() else { return Ok(None) };
	let bytes = from_hex(text).context("the salt is no hex")?;
	let salt = <[u8; 32]>::try_from(bytes.as_slice()).context("a salt has 32 bytes")?;
	Ok(Some(salt))
}

/// SHA-256 of a text, with the salt behind it (`docs/protocol/record.md`).
fn output_hash(text: &str, salt: Option<[u8; 32]>) -> H256 {
	let salt = salt.as_ref().map_or(&[][..], |salt| &salt[..]);
	sha256(&[text.as_bytes(), salt].concat())
}

/// Whether it is the model that was asked for, which is the hash of the manifest on this disk.
fn model(cluster: &Cluster, trace: &Value, body: &RecordBody) -> Result<()> {
	ensure!(body.model_id == cluster.model, "the record is of another model");
	ensure!(trace["pinned"] == true, "the model is not pinned");
	let parameters = text(trace, "/model/activeParameters")?;
	line("model", &format!("{} {}, pinned", text(trace, "/aliases/0")?, hash(body.model_id)));
	line("", &format!("{parameters} parameters in use for each token"));
	Ok(())
}

/// Who ran which layers, with how much energy, under which consent.
fn stages(cluster: &Cluster, entry: &RecordEntry, trace: &Value) -> Result<()> {
	let body = &entry.body;
	ensure!(body.stages.len() == usize::from(PARTS), "the record has not {PARTS} stages");
	ensure!(body.boundaries.len() == body.stages.len().saturating_add(1), "a boundary is missing");
	let nodes = trace["nodes"].as_array().context("the trace has no nodes")?;
	ensure!(nodes.len() == body.stages.len(), "the trace has other nodes than the record");
	let signed = 1u32.checked_shl(u32::from(PARTS)).unwrap_or(0).wrapping_sub(1);
	ensure!(entry.signed_stages == signed, "a stage did not sign");
	for (stage, node) in body.stages.iter().zip(nodes) {
		ensure!(node["node"] == json!(stage.node.to_string()), "the trace has another node");
		ensure!(
			node["consent"]["version"] == json!(stage.consent_version),
			"the consent that a stage worked under is not kept"
		);
		line(
			"stage",
			&format!(
				"layers {}..{} by {}, who signed",
				stage.layers.first,
				stage.layers.end,
				named(cluster, &stage.node)
			),
		);
		line(
			"",
			&format!(
				"{} ({}), under consent version {} to {} % of its CPUs",
				joules(stage.energy_mj),
				source(stage.energy_source),
				stage.consent_version,
				text(node, "/consent/cpuPercent")?
			),
		);
	}
	Ok(())
}

fn energy(body: &RecordBody) {
	let measured = body.stages.iter().filter(|stage| stage.energy_source.is_measured()).count();
	let sources = match measured {
		0 => "estimated".to_owned(),
		all if all == body.stages.len() => "measured".to_owned(),
		some => format!("measured in {some} of {} stages", body.stages.len()),
	};
	let each = body.energy_mj as f64 / 1_000.0 / f64::from(body.output_tokens.max(1));
	line("energy", &format!("{}, {each:.4} J a token, {sources}", joules(body.energy_mj)));
}

fn source(source: EnergySource) -> &'static str {
	match source {
		EnergySource::Estimate => "estimated from CPU time",
		EnergySource::Rapl => "measured by RAPL",
		EnergySource::Powermetrics => "measured by powermetrics",
		EnergySource::Meter => "measured by a meter",
	}
}

fn audit(trace: &Value) -> Result<String> {
	let status = text(trace, "/audit/status")?;
	Ok(match trace["audit"]["drawEpoch"].as_str() {
		Some(epoch) => format!("{status}, to be drawn for in epoch {epoch}"),
		None => short(&status),
	})
}

/// What stands at `pointer`, without quotes.
fn text(value: &Value, pointer: &str) -> Result<String> {
	let found = value.pointer(pointer).with_context(|| format!("the answer lacks {pointer}"))?;
	Ok(found.as_str().map_or_else(|| found.to_string(), str::to_owned))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;

	#[test]
	fn a_salt_should_stand_behind_the_text() {
		assert_eq!(output_hash("yes", None), sha256(b"yes"));
		assert_eq!(
			output_hash("yes", Some([b'!'; 32])),
			sha256(&[&b"yes"[..], &[b'!'; 32]].concat())
		);
	}

	#[test]
	fn a_salt_should_be_read_or_refused() {
		let of = |salt: Value| {
			let answer = Answer { aria: json!({ "salt": salt }), ..Answer::default() };
			super::salt(&answer)
		};
		assert_eq!(of(Value::Null).unwrap(), None);
		assert_eq!(of(json!(format!("0x{}", "07".repeat(32)))).unwrap(), Some([7; 32]));
		assert!(of(json!("0x0707")).is_err());
	}
}
