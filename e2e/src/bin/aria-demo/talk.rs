//! How to go on with a network that stays up.

use crate::{
	origin::binary,
	record::salt,
	show::{heading, note},
	up::{worker, REPLICATED},
};
use anyhow::Result;
use aria_e2e::{
	cluster::Cluster,
	openai::{Answer, Api},
};
use sp_core::bytes::to_hex;

/// Prints commands that work as they stand.
pub async fn show(cluster: &Cluster, answer: &Answer, question: &str) -> Result<()> {
	heading("The network stays up: talk to it");
	let url = cluster.gateway.base_url().await?;
	let key = cluster.gateway.api_key()?;
	let (alias, node) = (&cluster.spec.alias, cluster.node.url());
	let program = quoted(&binary()?.display().to_string());

	note("With curl:");
	let mut body = Api::question(alias, question);
	body["stream"] = true.into();
	command(&[
		format!("curl -N {url}/chat/completions"),
		format!("  -H 'authorization: Bearer {key}' -H 'content-type: application/json'"),
		format!("  -d {}", quoted(&body.to_string())),
	]);

	note("With OpenAI's client for Python (pip install openai):");
	for line in python(&url, &key, alias, question) {
		note(&format!("    {line}"));
	}
	println!();

	note("Where a text comes from, with all that is known of it:");
	let mut line = format!("{program} provenance --node {node}");
	if let Some(salt) = salt(answer)? {
		line.push_str(&format!(" --salt {}", to_hex(&salt, false)));
	}
	command(&[line, format!("  -- {}", quoted(&answer.text))]);

	note("What each process does, and whom the gateway would choose:");
	for (index, process) in cluster.workers.iter().enumerate() {
		let base = quoted(&process.base().display().to_string());
		note(&format!("    # {}", worker(index)));
		note(&format!("    {program} status --base-path {base}"));
	}
	let base = quoted(&cluster.gateway.base().display().to_string());
	note("    # the gateway");
	note(&format!("    {program} status --plan --base-path {base}"));
	println!();

	if let Some(process) = cluster.workers.get(REPLICATED) {
		note(
			"Pause the worker that has a replica, and ask again: the replica computes its layers.",
		);
		let base = quoted(&process.base().display().to_string());
		command(&[format!("{program} pause --base-path {base}")]);
	}

	note("The chain in polkadot.js Apps:");
	note(&format!("    https://polkadot.js.org/apps/?rpc={node}"));
	println!();
	Ok(())
}

/// A command over several lines.
fn command(lines: &[String]) {
	for (index, line) in lines.iter().enumerate() {
		let goes_on = if index.saturating_add(1) < lines.len() { " \\" } else { "" };
		note(&format!("    {line}{goes_on}"));
	}
	println!();
}

fn python(url: &str, key: &str, model: &str, question: &str) -> [String; 6] {
	// A string of JSON is one of Python too.
	let question = serde_json::Value::from(question);
	[
		"from openai import OpenAI".to_owned(),
		format!("client = OpenAI(base_url=\"{url}\", api_key=\"{key}\")"),
		"answer = client.chat.completions.create(".to_owned(),
		format!(
			"    model=\"{model}\", messages=[{{\"role\": \"user\", \"content\": {question}}}], seed=7)"
		),
		"print(answer.choices[0].message.content)".to_owned(),
		"print(answer.aria[\"record_id\"], answer.aria[\"salt\"])".to_owned(),
	]
}

/// A text as one word of a shell.
fn quoted(text: &str) -> String {
	let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-:".contains(&byte);
	if !text.is_empty() && text.bytes().all(plain) {
		return text.to_owned();
	}
	format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn words_should_be_quoted_for_a_shell() {
		assert_eq!(quoted("/tmp/a-b.c"), "/tmp/a-b.c");
		assert_eq!(quoted("two words"), "'two words'");
		assert_eq!(quoted("it's"), r"'it'\''s'");
		assert_eq!(quoted(""), "''");
	}

	#[test]
	fn questions_should_be_strings_of_python() {
		let lines = python("http://h/v1", "k", "m", "\"a\"\n?");
		assert!(lines.iter().any(|line| line.contains(r#""content": "\"a\"\n?"}"#)));
	}
}
