//! Measures what trust costs: the share of computation that goes into audits, their weight, settlement
//! beside them, and how fast an answer is found among very many records (`docs/benchmarks-trust.md`).
//!
//! | module | what it holds |
//! |---|---|
//! | `find` | `provenance_findByOutput` of a node whose genesis state holds a million records |
//! | `seed` | that state, as the ledger's own code writes it |
//! | `weights` | what an audit weighs, and what bounds settlement |
//! | `share` | the share of computation at the reputation floor, simulated |
//! | `run` | the same, counted from a network that runs |
//! | `settled` | what `aria-throughput --audits` measured |
//! | `report` | sections, figures and percentiles |

#![forbid(unsafe_code)]

mod find;
mod report;
mod run;
mod seed;
mod settled;
mod share;
mod weights;

use anyhow::{bail, Context, Result};
use aria_simulations::{document, table::Table};
use clap::{Parser, Subcommand};
use report::Section;
use serde_json::{Map, Value};
use std::{
	fs,
	path::{Path, PathBuf},
};

/// Markers of the places in the document.
const PREFIX: &str = "trust";

/// Measures what trust costs
///
/// Every process is a program of this project, started for the measurement and ended with it. Leave the
/// machine alone meanwhile.
#[derive(Debug, Parser)]
#[command(name = "aria-trust-bench", version, arg_required_else_help = true)]
struct Cli {
	#[command(subcommand)]
	what: What,

	/// Where what was measured is written as JSON, beside what earlier parts wrote there
	#[arg(long, global = true, value_name = "FILE")]
	json: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum What {
	/// `provenance_findByOutput` over a genesis state with very many records
	Find(find::Settings),
	/// What an audit weighs, and what bounds settlement
	Weights,
	/// The share of computation at the reputation floor, simulated
	Share(share::Settings),
	/// The same, counted from a network of processes; half an hour
	Run(run::Settings),
	/// What `aria-throughput --audits --json FILE` measured
	Settled {
		/// The file
		file: PathBuf,
	},
	/// One table of all that the JSON file has, which `--document` gets too
	Table {
		/// Document whose places `<!-- trust:… -->` get the tables of all parts
		#[arg(long, value_name = "FILE")]
		document: Option<PathBuf>,
	},
}

/// Parts in the order of the table of all.
const PARTS: [&str; 5] = ["share", "run", "weights", "settled", "find"];

#[tokio::main]
async fn main() -> Result<()> {
	let cli = Cli::parse();
	// Dropping what is measured ends its processes.
	tokio::select! {
		outcome = measure(&cli) => outcome,
		told = tokio::signal::ctrl_c() => {
			told.context("signals are not heard of")?;
			bail!("interrupted")
		}
	}
}

async fn measure(cli: &Cli) -> Result<()> {
	let section = match &cli.what {
		What::Find(settings) => find::measure(settings).await?,
		What::Weights => weights::section(),
		What::Share(settings) => share::measure(settings),
		What::Run(settings) => run::measure(settings).await?,
		What::Settled { file } => settled::section(file)?,
		What::Table { document } => return table(cli.json.as_deref(), document.as_deref()),
	};
	println!("{}", section.text);
	for figure in &section.figures {
		println!("{}: {} {}", figure.name, figure.value, figure.aim);
	}
	match &cli.json {
		Some(path) => keep(path, &section),
		None => Ok(()),
	}
}

/// Puts a section into the file, in the place of an earlier one of its name.
fn keep(path: &Path, section: &Section) -> Result<()> {
	let mut parts = read(path)?;
	let figures: Vec<Value> = section
		.figures
		.iter()
		.map(|figure| Value::from(vec![&*figure.name, &*figure.value, &*figure.aim]))
		.collect();
	let mut part = Map::new();
	part.insert("text".into(), section.text.as_str().into());
	part.insert("figures".into(), figures.into());
	part.insert("measured".into(), section.json.clone());
	parts.insert(section.name.into(), part.into());
	let text = serde_json::to_string_pretty(&parts)?;
	fs::write(path, text).with_context(|| format!("{} cannot be written", path.display()))
}

/// The parts that a file has; none if there is no file.
fn read(path: &Path) -> Result<Map<String, Value>> {
	if !path.exists() {
		return Ok(Map::new());
	}
	let text =
		fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))?;
	serde_json::from_str(&text)
		.with_context(|| format!("{} is not of this program: remove it", path.display()))
}

/// One table of all parts; and the document, which needs all of them.
fn table(json: Option<&Path>, document: Option<&Path>) -> Result<()> {
	let path = json.context("name the file that the parts wrote: --json FILE")?;
	let parts = read(path)?;
	let summary = summary(&parts);
	println!("{summary}");
	let Some(target) = document else { return Ok(()) };
	let mut sections = vec![("summary".to_owned(), summary)];
	for name in PARTS {
		let text = parts.get(name).and_then(|part| part["text"].as_str());
		let text = text.with_context(|| format!("{} lacks `{name}`: run it", path.display()))?;
		sections.push((name.to_owned(), text.to_owned()));
	}
	let text = fs::read_to_string(target)
		.with_context(|| format!("{} cannot be read", target.display()))?;
	let updated = document::update(&text, PREFIX, &sections)
		.with_context(|| format!("{} stays as it is", target.display()))?;
	fs::write(target, updated).with_context(|| format!("{} cannot be written", target.display()))
}

fn summary(parts: &Map<String, Value>) -> String {
	let mut table = Table::new(["what", "measured", "aim"]);
	let rows = PARTS
		.iter()
		.filter_map(|name| parts.get(*name)?["figures"].as_array())
		.flatten()
		.filter_map(Value::as_array);
	for row in rows {
		table.push(row.iter().map(|cell| cell.as_str().unwrap_or_default()));
	}
	table.markdown()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;
	use crate::report::Figure;
	use serde_json::json;

	fn section(text: &str) -> Section {
		let figures = vec![Figure::aimed("rate", text.to_owned(), "much", true)];
		Section { name: "settled", text: text.to_owned(), json: json!({}), figures }
	}

	#[test]
	fn a_part_should_replace_what_it_measured_before() {
		let dir = tempfile::tempdir().unwrap();
		let path = dir.path().join("trust.json");
		keep(&path, &section("1")).unwrap();
		keep(&path, &section("2")).unwrap();
		let parts = read(&path).unwrap();

		assert_eq!(parts.len(), 1);
		assert!(summary(&parts).contains("| rate | 2 | much: PASS |"));
	}

	#[test]
	fn a_document_should_stay_as_it_is_while_a_part_is_missing() {
		let dir = tempfile::tempdir().unwrap();
		let (path, page) = (dir.path().join("trust.json"), dir.path().join("page.md"));
		keep(&path, &section("1")).unwrap();
		fs::write(&page, "page").unwrap();

		assert!(table(Some(&path), Some(&page)).is_err());
		assert_eq!(fs::read_to_string(&page).unwrap(), "page");
	}

	#[test]
	fn the_options_should_not_contradict_each_other() {
		use clap::CommandFactory;
		Cli::command().debug_assert();
	}
}
