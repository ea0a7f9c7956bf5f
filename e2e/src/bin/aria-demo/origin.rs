//! Where does this text come from? `aria-worker provenance`, as an auditor runs it.

use crate::{
	record::{salt, Settled},
	show::{done, hash, heading, note, short, step},
};
use anyhow::{ensure, Context, Result};
use aria_e2e::{cluster::Cluster, node::program, openai::Answer};
use serde_json::{json, Value};
use sp_core::bytes::to_hex;
use std::{path::PathBuf, process::Stdio, time::Duration};
use tokio::{process::Command, time::timeout};

/// How long the tool may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Has the tool find the record by nothing but the text, and its salt if it has one.
pub async fn show(cluster: &Cluster, answer: &Answer, settled: &Settled) -> Result<()> {
	heading("Where the text comes from, for somebody who has only the text");
	let mut command = Command::new(binary()?);
	command.args(["provenance", "--json", "--as", "text", "--node", &cluster.node.url()]);
	if let Some(salt) = salt(answer)? {
		command.args(["--salt", &to_hex(&salt, false)]);
	}
	command.arg("--").arg(&answer.text).stdin(Stdio::null()).kill_on_drop(true);
	let output = step("aria-worker provenance looks for it", async {
		let output = timeout(PATIENCE, command.output()).await.context("it does not end")?;
		output.context("it cannot be started")
	})
	.await?;
	ensure!(
		output.status.success(),
		"aria-worker provenance does not find the text, or cannot prove the record:\n{}{}",
		String::from_utf8_lossy(&output.stdout),
		String::from_utf8_lossy(&output.stderr)
	);
	let found: Value = serde_json::from_slice(&output.stdout)
		.context("what aria-worker provenance says is no JSON")?;
	let record = found["records"]
		.as_array()
		.into_iter()
		.flatten()
		.find(|record| record["id"] == json!(settled.id))
		.context("aria-worker provenance finds another record")?;
	ensure!(record["proven"] == true, "the record is not proven: {}", record["error"]);

	done("found", &format!("{} by `aria-worker provenance TEXT`", hash(settled.id)));
	let block = record["block"]["hash"].as_str().unwrap_or_default();
	let number = &record["block"]["number"];
	done("proven", &format!("by a storage proof against block {number}, {}", short(block)));
	note("It believes the node nothing but that this block's header is the chain's.");
	Ok(())
}

/// Where the program is that is asked.
pub fn binary() -> Result<PathBuf> {
	program("aria-worker", "ARIA_WORKER")
}
