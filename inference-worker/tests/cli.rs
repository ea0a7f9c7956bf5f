//! The program as its users run it.

#![allow(clippy::unwrap_used)]

use serde_json::Value;
use std::{
	fs,
	io::Write,
	path::{Path, PathBuf},
	process::{Command, Output, Stdio},
};
use tempfile::TempDir;

/// What the program did.
struct Outcome {
	code: i32,
	stdout: String,
	stderr: String,
}

impl Outcome {
	fn new(output: Output) -> Self {
		let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
		let outcome = Self {
			code: output.status.code().unwrap(),
			stdout: text(&output.stdout),
			stderr: text(&output.stderr),
		};
		assert!(!outcome.stderr.contains("panicked"), "{}", outcome.stderr);
		outcome
	}

	/// That it went well.
	fn well(self) -> Self {
		assert_eq!(self.code, 0, "{}", self.stderr);
		self
	}

	/// That it ended with `code`, and the message holds `part`.
	fn failed(&self, code: i32, part: &str) {
		assert_eq!(self.code, code, "{}{}", self.stdout, self.stderr);
		assert!(self.stderr.contains(part), "{part:?} is not in {}", self.stderr);
	}

	fn json(&self) -> Value {
		serde_json::from_str(&self.stdout).unwrap()
	}
}

fn program(args: &[&str]) -> Command {
	let mut command = Command::new(env!("CARGO_BIN_EXE_aria-worker"));
	for name in ["ARIA_MODEL", "ARIA_NODE", "ARIA_SURI", "ARIA_BASE_PATH"] {
		command.env_remove(name);
	}
	command.args(args).stdin(Stdio::null());
	command
}

fn run(args: &[&str]) -> Outcome {
	Outcome::new(program(args).output().unwrap())
}

fn run_with_input(args: &[&str], input: &[u8]) -> Outcome {
	let mut child = program(args)
		.stdin(Stdio::piped())
		.stdout(Stdio::piped())
		.stderr(Stdio::piped())
		.spawn()
		.unwrap();
	// The program may refuse its arguments and leave before it reads.
	let _ = child.stdin.take().unwrap().write_all(input);
	Outcome::new(child.wait_with_output().unwrap())
}

/// A folder with a random model in it.
struct Model {
	dir: TempDir,
	id: String,
}

impl Model {
	fn new() -> Self {
		Self::with(&[])
	}

	fn with(flags: &[&str]) -> Self {
		let dir = tempfile::tempdir().unwrap();
		let path = dir.path().join("model");
		let mut args = vec!["model", "random", "--seed", "7", path.to_str().unwrap()];
		args.extend(flags);
		let id = run(&args).well().stdout.trim().to_owned();
		Self { dir, id }
	}

	fn path(&self) -> PathBuf {
		self.dir.path().join("model")
	}

	fn file(&self, name: &str) -> PathBuf {
		self.dir.path().join(name)
	}
}

fn text(path: &Path) -> &str {
	path.to_str().unwrap()
}

#[test]
fn help_should_say_what_each_command_takes() {
	for (args, parts) in [
		(&["--help"][..], &["run", "status", "pause", "resume", "key", "provenance"][..]),
		(&["--help"], &["generate", "bench", "model"]),
		(&["run", "--help"], &["--node", "ARIA_NODE", "ARIA_SURI", "worker.toml", "Examples"]),
		(&["run", "--help"], &["--cpu-percent", "--hours", "--layers", "--leave", "--idle-watts"]),
		(&["run", "--help"], &["--gateway-stake", "--requests-per-minute", "--relay-for-others"]),
		(&["status", "--help"], &["--base-path", "--plan", "--json", "Examples"]),
		(&["pause", "--help"], &["--base-path", "reputation"]),
		(&["resume", "--help"], &["--base-path"]),
		(&["key", "--help"], &["new", "list", "revoke"]),
		(&["key", "new", "--help"], &["--requester-file", "--allowance", "Examples"]),
		(&["key", "list", "--help"], &["--keys", "--json"]),
		(&["key", "revoke", "--help"], &["KEY", "--base-path"]),
		(&["provenance", "--help"], &["--node", "ARIA_NODE", "--salt", "--block", "Examples"]),
		(&["generate", "--help"], &["--chat", "--temperature", "--stop", "ARIA_MODEL", "--trace"]),
		(&["bench", "--help"], &["--threads", "--repetitions", "--trace-cost"]),
		(
			&["model", "--help"],
			&["random", "inspect", "verify", "split", "eval", "card", "register", "Merkle"],
		),
		(&["model", "random", "--help"], &["--shape", "2b4t", "--kv-heads", "Examples"]),
		(&["model", "inspect", "--help"], &["--json"]),
		(&["model", "verify", "--help"], &["--complete"]),
		(&["model", "split", "--help"], &["shard"]),
		(&["model", "eval", "--help"], &["\"answer\"", "perplexity"]),
		(&["model", "card", "--help"], &["held-out", "--check"]),
		(
			&["model", "register", "--help"],
			&["--alias", "--sudo", "--suri", "ARIA_NODE", "Examples"],
		),
	] {
		let outcome = run(args).well();
		for part in parts {
			assert!(outcome.stdout.contains(part), "{args:?}: {part} is not in {}", outcome.stdout);
		}
	}
	// What it was called before works, and is not shown.
	let help = run(&["provenance", "--help"]).well().stdout;
	assert!(!help.contains("--url"), "{help}");
	assert!(run(&["--version"]).well().stdout.starts_with("aria-worker "));
	run(&[]).failed(2, "Usage");
}

#[test]
fn answers_should_not_depend_on_how_they_are_computed() {
	let model = Model::new();
	let path = model.path();
	let trace = model.file("trace.json");
	let answer = |seed: &str, more: &[&str]| {
		let mut args = vec!["generate", "--model", text(&path), "--prompt", "A lighthouse is"];
		args.extend(["--max-tokens", "24", "--temperature", "0.8", "--top-p", "0.95", "--json"]);
		args.extend(["--seed", seed, "--trace", text(&trace)]);
		args.extend(more);
		let report = run(&args).well().json();
		let boundaries: Value = serde_json::from_slice(&fs::read(&trace).unwrap()).unwrap();
		(report, boundaries["boundaries"].as_array().unwrap().clone())
	};
	let (first, boundaries) = answer("3", &["--threads", "1", "--kernel", "scalar"]);
	assert_eq!(first["model_id"], model.id.as_str());
	assert!(!first["output_tokens"].as_array().unwrap().is_empty());
	assert_eq!(boundaries.len(), 2);

	let mut staged = Vec::new();
	for (more, stages) in [
		(&["--threads", "2"][..], 1),
		(&["--threads", "1", "--kernel", "auto"], 1),
		(&["--threads", "1", "--stages", "2"], 2),
		(&["--threads", "2", "--stages", "4"], 4),
		(&["--threads", "2", "--stages", "4", "--kernel", "scalar"], 4),
	] {
		let (report, others) = answer("3", more);
		for field in ["output_tokens", "text", "finish_reason", "query_hash", "output_hash"] {
			assert_eq!(report[field], first[field], "{field} with {more:?}");
		}
		assert_eq!(others.len(), stages + 1);
		assert_eq!(others.first(), boundaries.first());
		assert_eq!(others.last().unwrap()["root"], boundaries.last().unwrap()["root"]);
		if stages == 4 {
			staged.push(others);
		}
	}
	assert_eq!(staged[0], staged[1]);
	let (other, _) = answer("4", &["--threads", "1"]);
	assert_ne!(other["output_tokens"], first["output_tokens"]);
}

#[test]
fn text_should_be_streamed_and_prompts_be_taken_from_anywhere() {
	let model = Model::new();
	let path = model.path();
	let base = ["generate", "--model", text(&path), "--max-tokens", "12", "--threads", "1"];
	let with = |more: &[&'static str]| [&base[..], more].concat();

	let json = run(&with(&["--chat", "hello", "--json"])).well();
	assert!(json.stderr.contains("tokens/s") && json.stderr.contains(&model.id), "{}", json.stderr);
	let streamed = run(&with(&["--chat", "hello"])).well();
	assert_eq!(streamed.stdout, format!("{}\n", json.json()["text"].as_str().unwrap()));
	let piped = run_with_input(&with(&[]), b"hello\n").well();
	assert_eq!(piped.stdout, streamed.stdout);

	let raw = run_with_input(&with(&["--raw", "--json"]), b"hello").well().json();
	let prompt = run(&with(&["--prompt", "hello", "--json"])).well().json();
	assert_eq!(raw["query_hash"], prompt["query_hash"]);
	assert_ne!(json.json()["query_hash"], prompt["query_hash"]);
	// The beginning of a sequence, and five bytes.
	assert_eq!(prompt["prompt_tokens"].as_array().unwrap().len(), 6);

	let mut from_environment = program(&["generate", "--prompt", "hello", "--json"]);
	from_environment.args(["--max-tokens", "12"]).env("ARIA_MODEL", &path);
	let report = Outcome::new(from_environment.output().unwrap()).well().json();
	assert_eq!(report["text"], prompt["text"]);
}

#[test]
fn stop_sequences_should_end_the_answer() {
	let model = Model::new();
	let path = model.path();
	let ask = |more: &[&str]| {
		let mut args = vec!["generate", "--model", text(&path), "--prompt", "x", "--json"];
		args.extend(["--max-tokens", "40", "--temperature", "1", "--seed", "5", "--threads", "1"]);
		args.extend(more);
		run(&args).well().json()
	};
	let whole = ask(&[]);
	let answer = whole["text"].as_str().unwrap();
	// A character that this model writes as one of its tokens; no two tokens make one.
	let stop = answer.chars().find(|c| c.is_ascii_graphic() && *c != '-').unwrap().to_string();
	let cut = ask(&["--stop", &stop]);
	assert_eq!(cut["finish_reason"], "stop");
	assert_eq!(cut["text"].as_str().unwrap(), &answer[..answer.find(&stop).unwrap()]);
}

#[test]
fn output_that_nobody_reads_should_be_no_error() {
	let model = Model::new();
	let path = model.path();
	for args in [
		&["model", "inspect", text(&path)][..],
		&["model", "verify", text(&path)],
		&["generate", "--model", text(&path), "--prompt", "x", "--max-tokens", "3"],
	] {
		let mut child =
			program(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
		drop(child.stdout.take());
		Outcome::new(child.wait_with_output().unwrap()).well();
	}
}

#[test]
fn bad_input_should_be_named() {
	let model = Model::new();
	let path = model.path();
	let generate = |more: &[&str]| {
		let mut args = vec!["generate", "--model", text(&path), "--prompt", "x"];
		args.extend(more);
		run(&args)
	};
	for value in ["-1", "NaN", "inf", "101", "warm", "0.0001"] {
		generate(&["--temperature", value]).failed(2, "--temperature");
	}
	for value in ["0", "-0.5", "1.5", "nan"] {
		generate(&["--top-p", value]).failed(2, "--top-p");
	}
	generate(&["--threads", "0"]).failed(2, "--threads");
	generate(&["--stages", "0"]).failed(2, "--stages");
	generate(&["--salt", "12"]).failed(2, "--salt");
	generate(&["--chat", "x"]).failed(2, "--chat");
	generate(&["--what"]).failed(2, "--what");
	generate(&["--stages", "5"]).failed(1, "--stages 5");
	generate(&["--kernel", "abacus"]).failed(1, "abacus");
	generate(&["--stop", ""]).failed(1, "--stop");
	generate(&["--stop", &"s".repeat(129)]).failed(1, "--stop");
	generate(&[["--stop", "s"]; 5].concat()).failed(1, "--stop");
	generate(&["--trace", "/no/such/folder/trace.json", "--max-tokens", "1"]).failed(1, "--trace");

	let long = "x".repeat(600);
	run(&["generate", "--model", text(&path), "--prompt", &long]).failed(1, "shorten");
	run(&["generate", "--model", text(&path)]).failed(1, "--chat");
	run_with_input(&["generate", "--model", text(&path)], b"\xff\xfe").failed(1, "UTF-8");
	run(&["generate", "--model", "/no/such/folder", "--prompt", "x"]).failed(1, "/no/such/folder");
	run(&["generate", "--model", text(model.dir.path()), "--prompt", "x"])
		.failed(1, "manifest.scale");
	run(&["bench", "--model", text(&path), "--prompt", "513"]).failed(1, "--prompt 513");
	run(&["bench", "--model", text(&path), "--repetitions", "0"]).failed(2, "--repetitions");
}

#[test]
fn what_needs_a_chain_should_say_what_is_missing() {
	let model = Model::new();
	let path = model.path();
	let register = |more: &[&str]| {
		let base = model.file("base");
		let mut args = vec!["model", "register", text(&path), "--base-path", text(&base)];
		args.extend(more);
		run(&args)
	};
	register(&["--alias", "aria-demo"]).failed(2, "--sudo");
	register(&["--sudo", "--alias", "A name"]).failed(2, "--alias");
	register(&["--suri", "Alice and Bob"]).failed(1, "URI");
	run(&["model", "register", "/no/such/folder"]).failed(1, "/no/such/folder");
	run(&["model", "register"]).failed(2, "DIR");
	run(&["provenance", "a text", "--node", "node:9944"]).failed(2, "ws://");
	run(&["provenance", "a text", "--url", "wss://127.0.0.1:1"]).failed(2, "TLS");
	run(&["status", "--base-path", text(&model.file("none"))]).failed(1, "none");
	run(&["run", "--node", "http://a"]).failed(2, "WebSocket");
	run(&["run", "--relay-for-others", "perhaps"]).failed(2, "--relay-for-others");
	run(&["run", "--idle-watts", "many"]).failed(2, "--idle-watts");
	run(&["run", "--cors"]).failed(2, "--gateway");
}

#[test]
fn impossible_shapes_should_be_refused() {
	let dir = tempfile::tempdir().unwrap();
	let out = dir.path().join("model");
	let random = |more: &[&str]| {
		let mut args = vec!["model", "random", text(&out)];
		args.extend(more);
		run(&args)
	};
	random(&["--shape", "huge"]).failed(2, "--shape");
	random(&["--shape", "custom", "--hidden", "64"]).failed(1, "--feed-forward");
	random(&["--shards", "5"]).failed(1, "--shards 5");
	random(&["--head-dim", "31"]).failed(1, "attention");
	random(&["--kv-heads", "3"]).failed(1, "attention");
	random(&["--layers", "0"]).failed(1, "layers");
	random(&["--hidden", "4000000000"]).failed(1, "hidden");
	random(&[]).well();
	// It is not written over.
	random(&[]).failed(1, text(&out));
}

#[test]
fn inspect_should_tell_the_manifest() {
	let model = Model::with(&["--layers", "5", "--shards", "3", "--dense", "--untied"]);
	let path = model.path();
	let shown = run(&["model", "inspect", text(&path)]).well().stdout;
	for part in [model.id.as_str(), "Ternary5", "layers 4..5", "shard-002.safetensors", "Untied"] {
		assert!(shown.contains(part), "{part} is not in {shown}");
	}
	let json = run(&["model", "inspect", "--json", text(&path)]).well().json();
	assert_eq!(json["model_id"], model.id.as_str());
	assert_eq!(json["manifest"]["layers"], 5);
	assert_eq!(json["missing"], serde_json::json!([]));
	let matrices = 5 * (128 * 128 * 2 + 128 * 64 * 2 + 3 * 128 * 320);
	assert_eq!(json["active_parameters"], matrices + 128 * 258);
	assert!(json["parameters"].as_u64() > json["active_parameters"].as_u64());
	fs::remove_file(path.join("shard-001.safetensors")).unwrap();
	assert!(run(&["model", "inspect", text(&path)]).well().stdout.contains("not here"));
}

#[test]
fn verify_should_find_a_changed_bit() {
	let model = Model::new();
	let path = model.path();
	let verified = run(&["model", "verify", text(&path), "--complete"]).well();
	assert!(verified.stdout.contains(&model.id));
	run(&["model", "verify", text(&path), "--model-id", &model.id]).well();
	run(&["model", "verify", text(&path), "--model-id", "0x00"]).failed(1, "--model-id");

	for name in ["common.safetensors", "shard-001.safetensors"] {
		let file = path.join(name);
		let good = fs::read(&file).unwrap();
		let mut bad = good.clone();
		// Far behind the header, in the middle of the weights.
		let middle = bad.len() / 2;
		bad[middle] ^= 1;
		fs::write(&file, &bad).unwrap();
		run(&["model", "verify", text(&path)]).failed(1, name);
		fs::write(&file, &good[..good.len() - 1]).unwrap();
		run(&["model", "verify", text(&path)]).failed(1, name);
		fs::write(&file, &good).unwrap();
		run(&["model", "verify", text(&path)]).well();
	}
	let tokenizer = path.join("tokenizer.json");
	fs::write(&tokenizer, b"{}").unwrap();
	run(&["model", "verify", text(&path)]).failed(1, "tokenizer.json");
}

#[test]
fn parts_should_verify_by_themselves() {
	let model = Model::with(&["--shards", "3"]);
	let (path, out) = (model.path(), model.file("parts"));
	let parts = run(&["model", "split", text(&path), text(&out)]).well().stdout;
	let parts: Vec<&str> = parts.lines().collect();
	assert_eq!(parts.len(), 3);
	for part in &parts {
		let verified = run(&["model", "verify", part]).well().stdout;
		assert!(verified.contains(&model.id) && verified.contains("not here"), "{verified}");
		run(&["model", "verify", "--complete", part]).failed(1, "safetensors");
		run(&["generate", "--model", part, "--prompt", "x"]).failed(1, "safetensors");
	}
	run(&["model", "split", text(&path), text(&out)]).failed(1, "already");
}

#[test]
fn eval_should_give_the_same_loss_on_any_number_of_threads() {
	let model = Model::new();
	let path = model.path();
	let file = model.file("heldout.jsonl");
	let lines = [
		r#"{"prompt": "What is a cat?", "answer": "A small animal."}"#,
		"",
		r#"{"tokens": [256, 65, 66, 67]}"#,
		r#"{"text": "some text"}"#,
		"a line of text",
	];
	fs::write(&file, lines.join("\n")).unwrap();
	let eval = |more: &[&str]| {
		let mut args = vec!["model", "eval", text(&path), "--text", text(&file), "--json"];
		args.extend(more);
		run(&args)
	};
	let one = eval(&["--threads", "1"]).well().json();
	// Answer and end, tokens behind the first, and texts behind the beginning of the sequence.
	assert_eq!(one["tokens"], 16 + 3 + 9 + 14);
	assert_eq!(one["lines"], 4);
	let loss = one["loss"].as_f64().unwrap();
	assert!(loss > 3.0 && loss < 12.0, "{loss}");
	assert_eq!(eval(&["--threads", "3", "--kernel", "scalar"]).well().json(), one);
	assert_eq!(eval(&["--limit", "1"]).well().json()["tokens"], 16);

	for (line, message) in [
		("{\"prompt\": \"x\"}", "line 1"),
		("{\"tokens\": [300, 1]}", "300"),
		("{", "line 1"),
		("", "no line"),
	] {
		fs::write(&file, line).unwrap();
		eval(&[]).failed(1, message);
	}
	fs::write(&file, "x".repeat(600)).unwrap();
	eval(&[]).failed(1, "601 tokens");
	fs::remove_file(&file).unwrap();
	eval(&[]).failed(1, "--text");
}

#[test]
fn bench_should_measure() {
	let model = Model::new();
	let path = model.path();
	let mut args = vec!["bench", "--model", text(&path), "--threads", "1,2", "--prompt", "8,16"];
	args.extend(["--decode", "4", "--repetitions", "2", "--probe-mib", "8", "--trace-cost"]);
	let table = run(&args).well().stdout;
	for part in [model.id.as_str(), "prompt 16", "decode 4", "with trace", "GB/s", "a trace costs"]
	{
		assert!(table.contains(part), "{part} is not in {table}");
	}
	args.extend(["--json", "--stages", "2"]);
	let report = run(&args).well().json();
	let runs = report["runs"].as_array().unwrap();
	assert_eq!(runs.len(), 2);
	for run in runs {
		assert!(run["decode"]["tokens_per_second"]["median"].as_f64().unwrap() > 0.0);
		assert!(run["prompts"][1]["tokens_per_second"]["mean"].as_f64().unwrap() > 0.0);
		assert!(run["read_bandwidth"]["median"].as_f64().unwrap() > 0.0);
		assert!(run["trace"]["ratio"]["median"].as_f64().unwrap() > 0.0);
		assert!(run["weight_bytes_per_token"].as_u64().unwrap() > 0);
		#[cfg(target_os = "linux")]
		assert!(run["peak_memory_bytes"].as_u64().unwrap() > 0);
	}
}
