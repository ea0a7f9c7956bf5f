//! `aria-worker provenance`: where a text comes from.

use super::is_closed;
use anyhow::{Context, Result};
use aria_worker::{
	provenance::{
		find::{find, Request},
		input::{self, Input, Kind},
		node::Node,
		report,
	},
	run::config::DEFAULT_NODE,
};
use clap::{Args, ValueEnum};
use sp_core::H256;
use std::process::ExitCode;

/// Find the record of a text on the chain, show where the text comes from, and check the proof
///
/// Asks a node for records whose answer has the hash of the text, for a file also without or with a newline
/// at its end. Shows model, nodes, layers, consent, energy, price and audit, and says what of it is
/// proven: the record is checked against a block's header, without believing the node.
///
/// Exit codes: 0 found and proven, 1 not found, 2 an error, or a proof that does not hold.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  aria-worker provenance answer.txt
  aria-worker provenance 'Yes.' --salt 0x…")]
pub struct ProvenanceArgs {
	/// A file, a text, or a record's id (0x and 64 hex digits); - for stdin
	#[arg(value_name = "FILE|TEXT|ID")]
	what: String,

	/// Read the argument as this, whatever it looks like
	#[arg(long = "as", value_name = "KIND")]
	kind: Option<KindArg>,

	/// A node's URL, ws or http
	#[arg(long, alias = "url", value_name = "URL", env = "ARIA_NODE", default_value = DEFAULT_NODE)]
	node: String,

	/// The salt that came with the answer: 64 hex digits
	#[arg(long, value_name = "HEX")]
	salt: Option<String>,

	/// Hash of a block that you trust, of which the node keeps the state; the record is proven against it
	/// [default: the node's last final block]
	#[arg(long, value_name = "HASH", value_parser = hash)]
	block: Option<H256>,

	/// Most records to show
	#[arg(long, value_name = "N", default_value_t = 10, value_parser = limit)]
	limit: usize,

	/// Print JSON
	#[arg(long)]
	json: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum KindArg {
	Id,
	File,
	Text,
}

impl From<KindArg> for Kind {
	fn from(kind: KindArg) -> Self {
		match kind {
			KindArg::Id => Kind::Id,
			KindArg::File => Kind::File,
			KindArg::Text => Kind::Text,
		}
	}
}

fn hash(text: &str) -> Result<H256, String> {
	input::hash(text).ok_or_else(|| "it is no hash: 64 hex digits, with or without 0x".to_owned())
}

fn limit(text: &str) -> Result<usize, String> {
	match text.trim().parse() {
		Ok(count) if (1..=999).contains(&count) => Ok(count),
		_ => Err("it is no number from 1 to 999".to_owned()),
	}
}

/// Runs the command. Errors are printed here, since their exit code is 2; what comes back as an error is a
/// stdout that was closed.
pub fn run(args: ProvenanceArgs) -> Result<ExitCode> {
	match answer(args) {
		Ok(code) => Ok(ExitCode::from(code)),
		Err(error) if is_closed(&error) => Err(error),
		Err(error) => {
			eprintln!("error: {error:#}");
			Ok(ExitCode::from(2))
		}
	}
}

fn answer(args: ProvenanceArgs) -> Result<u8> {
	let request = Request {
		input: Input::of(&args.what, args.kind.map(Kind::from))?,
		salt: args.salt.as_deref().map(input::salt).transpose()?,
		trusted: args.block,
		most: args.limit,
	};
	let node = Node::at(&args.node)?;
	let runtime = tokio::runtime::Builder::new_current_thread()
		.enable_all()
		.build()
		.context("the asynchronous runtime does not start")?;
	let answer = runtime.block_on(find(&node, &request))?;
	if args.json {
		say!("{}", serde_json::to_string_pretty(&report::json(&answer))?);
	} else {
		say!("{}", report::words(&answer)?.trim_end());
	}
	Ok(match (answer.findings.is_empty(), answer.is_proven()) {
		(true, _) => 1,
		(false, true) => 0,
		(false, false) => 2,
	})
}

#[cfg(test)]
mod tests {
	use super::*;
	use clap::{CommandFactory, Parser};

	#[derive(Parser)]
	struct Line {
		#[command(flatten)]
		args: ProvenanceArgs,
	}

	fn parse(line: &[&str]) -> Option<ProvenanceArgs> {
		let line = std::iter::once("provenance").chain(line.iter().copied());
		Line::try_parse_from(line).ok().map(|line| line.args)
	}

	#[test]
	fn arguments_should_be_read() {
		let hash = "ab".repeat(32);
		let line = ["-", "--as", "file", "--block", hash.as_str(), "--limit", "3", "--json"];
		let args = parse(&line).expect("it is a command line");
		assert_eq!((args.what.as_str(), args.limit, args.json), ("-", 3, true));
		assert!(matches!(args.kind, Some(KindArg::File)));
		assert_eq!(args.block, Some(H256::repeat_byte(0xab)));
		parse(&["an answer"]).expect("a text will do");
	}

	#[test]
	fn the_node_should_be_named_as_for_a_worker() {
		let command = Line::command();
		let node = command.get_arguments().find(|argument| argument.get_id() == "node");
		let node = node.expect("there is an argument for the node");
		assert_eq!(node.get_default_values(), [DEFAULT_NODE]);
		assert_eq!(node.get_env(), Some(std::ffi::OsStr::new("ARIA_NODE")));
		// What it was called before still works.
		for name in ["--node", "--url"] {
			let args = parse(&["an answer", name, "ws://a:1"]).expect("it is a command line");
			assert_eq!(args.node, "ws://a:1");
		}
	}

	#[test]
	fn arguments_that_make_no_sense_should_be_refused() {
		for line in [
			&[][..],
			&["a", "b"],
			&["a", "--block", "0x12"],
			&["a", "--limit", "0"],
			&["a", "--as", "song"],
		] {
			assert!(parse(line).is_none(), "{line:?}");
		}
	}

	#[test]
	fn a_node_that_is_not_there_should_be_an_error_of_its_own_code() {
		let args = parse(&["an answer", "--node", "wss://127.0.0.1:1"]).expect("it parses");
		let error = answer(args).expect_err("there is no TLS");
		assert!(format!("{error:#}").contains("TLS"));
	}
}
