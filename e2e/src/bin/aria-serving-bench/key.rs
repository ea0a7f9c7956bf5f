//! An API key whose limits are not what is measured.

use crate::package;
use anyhow::{Context, Result};
use aria_e2e::cluster::Cluster;
use std::{fs::OpenOptions, io::Write, os::unix::fs::OpenOptionsExt};

/// What the key is called.
const NAME: &str = "serving-bench";
/// The gateway's account.
const GATEWAY: &str = "//Dave";
/// Who pays, and how much it may cost, in ARIA: more than hours of answers do.
const REQUESTER: &str = "//Eve";
const FUNDS: &str = "100000";
/// What may be sent in a minute: more than can be answered.
const REQUESTS: &str = "1000000";
const TOKENS: &str = "1000000000";

/// Makes the key, with a spending key of its own on chain, and gives its token.
///
/// # Errors
/// When `aria-worker key new` fails, with what it said.
pub async fn make(cluster: &Cluster) -> Result<String> {
	let folder = tempfile::tempdir().context("no temporary folder can be made")?;
	let requester = folder.path().join("requester");
	let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&requester);
	file.and_then(|mut file| file.write_all(REQUESTER.as_bytes()))
		.with_context(|| format!("{} cannot be written", requester.display()))?;
	let mut command = package::worker()?;
	command.args(["key", "new", NAME, "--suri", GATEWAY, "--node", &cluster.node.url()]);
	command.arg("--base-path").arg(cluster.gateway.base());
	command.arg("--requester-file").arg(&requester);
	command.args(["--escrow", FUNDS, "--allowance", FUNDS, "--hourly-cap", FUNDS]);
	command.args(["--requests-per-minute", REQUESTS, "--tokens-per-minute", TOKENS]);
	let token = package::output_of(command).await.context("no API key is made")?;
	Ok(String::from_utf8(token).context("the API key is no text")?.trim().to_owned())
}
