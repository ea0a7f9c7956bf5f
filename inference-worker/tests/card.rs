//! The card of the model that ships with the project says what the model does.
#![allow(clippy::unwrap_used)]

use std::{path::PathBuf, process::Command};

fn model() -> PathBuf {
	PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").unwrap()).join("../models/aria-wordnet")
}

#[test]
fn the_card_should_say_what_the_model_does() {
	let output = Command::new(env!("CARGO_BIN_EXE_aria-worker"))
		.args(["model", "card"])
		.arg(model())
		.arg("--check")
		.arg(model().join("README.md"))
		.output()
		.unwrap();

	assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn the_shipped_model_should_answer_in_a_sentence() {
	let output = Command::new(env!("CARGO_BIN_EXE_aria-worker"))
		.args(["generate", "--chat", "What is a violin?", "--model"])
		.arg(model())
		.output()
		.unwrap();
	let answer = String::from_utf8(output.stdout).unwrap();

	assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
	assert!(answer.starts_with("A violin is "), "{answer}");
	assert!(answer.trim_end().ends_with('.'), "{answer}");
}
