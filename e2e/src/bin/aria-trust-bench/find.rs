//! How long `provenance_findByOutput` takes over a state with very many records.

use crate::{
	report::{bar, millis, spinner, Figure, Percentiles, Section},
	seed::{self, Seeded},
};
use anyhow::{ensure, Context, Result};
use aria_e2e::{
	client::Client,
	node::{self, Node},
};
use aria_primitives::OutputHash;
use aria_runtime::Runtime;
use aria_simulations::{
	random::Random,
	table::{grouped, Table},
};
use clap::Args;
use jsonrpsee::rpc_params;
use serde_json::{json, Value};
use std::{
	env, fs,
	path::PathBuf,
	time::{Duration, Instant},
};

/// The method.
const METHOD: &str = "provenance_findByOutput";
/// What 99 of a hundred answers may take, in milliseconds.
const AIM: f64 = 5.0;
/// Calls before the clock runs.
const WARM_UP: u64 = 100;
/// How long the node may take to make its genesis block.
const PATIENCE: Duration = Duration::from_secs(60 * 60);
/// Milliseconds between empty blocks: as on a chain with other validators.
const IDLE: u64 = 6_000;
/// Memory for each record until the genesis block is written, in bytes, roughly: its entries four times
/// over, in the specification, the state, its trie, and what waits for the disk.
const MEMORY_EACH: u64 = 8_000;
/// Of the random numbers.
const SEED: u64 = 1;
/// Records with the same answer.
const SHARED: u64 = 1_000;

/// How much is seeded and asked for.
#[derive(Clone, Debug, Args)]
pub struct Settings {
	/// Records in the genesis state
	#[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(2_000..))]
	records: u64,

	/// Calls of each kind
	#[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(100..))]
	calls: u64,

	/// Folder for the specification, removed afterwards: 1.6 KB a record [default: the temporary folder,
	/// where the node's database is made, too]
	#[arg(long, value_name = "DIR")]
	place: Option<PathBuf>,
}

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
	/// A block's hash, which takes nothing but the way there and back.
	Nothing,
	/// The answer of one record.
	Known,
	/// The answer of no record.
	Unknown,
	/// The answer of a thousand records, of which a page of a hundred comes.
	Shared,
}

impl Kind {
	const EACH: [Self; 4] = [Self::Nothing, Self::Known, Self::Unknown, Self::Shared];

	fn name(self) -> &'static str {
		match self {
			Self::Nothing => "`chain_getBlockHash`, for comparison",
			Self::Known => "an answer of one record",
			Self::Unknown => "an answer of none",
			Self::Shared => "an answer of 1 000 records, 100 of them",
		}
	}

	/// Records that an answer has.
	fn expected(self) -> usize {
		match self {
			Self::Nothing | Self::Unknown => 0,
			Self::Known => 1,
			Self::Shared => 100,
		}
	}

	/// Calls of it, if there are so many of the others.
	fn calls(self, calls: u64) -> u64 {
		match self {
			Self::Shared => calls / 10,
			_ => calls,
		}
	}
}

/// Seeds a chain, starts its node, and asks.
///
/// # Errors
/// When one of them fails, or an answer is not what the state holds.
pub async fn measure(settings: &Settings) -> Result<Section> {
	let seeded = Seeded { records: settings.records, shared: SHARED };
	warn_of_memory(settings.records);
	let place = settings.place.clone().unwrap_or_else(env::temp_dir);
	let dir = tempfile::Builder::new()
		.prefix("aria-trust-")
		.tempdir_in(&place)
		.with_context(|| format!("{} takes no folder: name another --place", place.display()))?;
	let spec = dir.path().join("seeded.json");
	let progress = bar(settings.records, "records are written into a specification");
	let length = seed::write(&spec, &seeded, |records| progress.inc(records))?;
	progress.finish_and_clear();

	let progress = spinner("the node makes its genesis block");
	let began = Instant::now();
	let options = node::Options::dev_with_idle(IDLE)
		.arg("--chain")
		.arg(spec.display().to_string())
		.patience(PATIENCE);
	let node = Node::start(options).await?;
	let started = began.elapsed();
	progress.finish_and_clear();
	let client = Client::connect(&node.url()).await?;
	let total = pallet_provenance_ledger::RecordsTotal::<Runtime>::hashed_key();
	let total: Option<u64> = client.storage(&total, None).await?;
	ensure!(total == Some(settings.records), "the state has {total:?} records");

	let mut table = Table::new(["asked for", "calls", "p50", "p95", "p99", "longest"]);
	let mut measured = Vec::new();
	for kind in Kind::EACH {
		let times = ask(&client, &seeded, kind, kind.calls(settings.calls)).await?;
		let of = Percentiles::of(&times);
		let cells = [kind.name().to_owned(), grouped(of.count as u128)];
		table.push(cells.into_iter().chain(of.cells()));
		measured.push((kind, of));
	}
	let peak = node.pid().and_then(peak_mib);
	let disk = node.disk_bytes() / (1024 * 1024);

	let mean = length / settings.records.max(1);
	let memory =
		peak.map_or_else(|| "unknown".into(), |mib| format!("{} MiB", grouped(mib.into())));
	let text = format!(
		"{} records in the state, one connection, one call after another.\n\n{}\n\
		 The specification has {} MiB, {mean} bytes a record; the node took {:.0} s until it answered, \
		 {memory} of memory at its peak, and {} MiB of disk.\n",
		grouped(settings.records.into()),
		table.markdown(),
		grouped((length / (1024 * 1024)).into()),
		started.as_secs_f64(),
		grouped(disk.into()),
	);
	let json = json!({
		"records": settings.records,
		"specification_bytes": length,
		"start_seconds": started.as_secs_f64(),
		"peak_mib": peak,
		"disk_mib": disk,
		"calls": measured.iter().map(|(kind, of)| json!({
			"asked_for": kind.name(), "milliseconds": of,
		})).collect::<Vec<_>>(),
	});
	let of = |wanted: Kind| {
		measured.iter().find(|(kind, _)| *kind == wanted).map(|(_, of)| *of).unwrap_or_default()
	};
	let name =
		|what: &str| format!("`{METHOD}`, {} records, {what}", grouped(settings.records.into()));
	let (known, unknown) = (of(Kind::Known), of(Kind::Unknown));
	let p99 = known.p99.max(unknown.p99);
	let figures = vec![
		Figure::plain(&name("p50"), millis(known.p50.max(unknown.p50))),
		Figure::aimed(&name("p99"), millis(p99), "at most 5 ms", p99 <= AIM),
	];
	Ok(Section { name: "find", text, json, figures })
}

/// The times of so many calls, behind some that are not counted.
async fn ask(client: &Client, seeded: &Seeded, kind: Kind, calls: u64) -> Result<Vec<Duration>> {
	let mut random = Random::new(SEED);
	let progress = bar(calls, kind.name());
	let mut times = Vec::with_capacity(usize::try_from(calls).unwrap_or_default());
	for call in 0..calls.saturating_add(WARM_UP) {
		let hash = match kind {
			Kind::Nothing | Kind::Unknown => Seeded::unknown(call),
			Kind::Known => seeded.output(random.bits() % seeded.alone().max(1)),
			Kind::Shared => seeded.output(seeded.records),
		};
		let began = Instant::now();
		let answer: Value = match kind {
			Kind::Nothing => client.call("chain_getBlockHash", rpc_params![0]).await?,
			_ => client.call(METHOD, rpc_params![hash]).await?,
		};
		let took = began.elapsed();
		if kind != Kind::Nothing {
			check(&answer, kind, hash)?;
		}
		if call >= WARM_UP {
			times.push(took);
			progress.inc(1);
		}
	}
	progress.finish_and_clear();
	Ok(times)
}

/// Whether an answer holds the records that the state does.
fn check(answer: &Value, kind: Kind, hash: OutputHash) -> Result<()> {
	let records = answer["records"].as_array().context("an answer has no `records`")?;
	ensure!(
		records.len() == kind.expected(),
		"{} records came for {}, {} were to come",
		records.len(),
		kind.name(),
		kind.expected()
	);
	let of_hash = json!(hash);
	ensure!(
		records.iter().all(|record| record["outputHash"] == of_hash),
		"a record of another answer came for {hash:?}"
	);
	Ok(())
}

/// Says so where the memory may not do.
fn warn_of_memory(records: u64) {
	let needed = records.saturating_mul(MEMORY_EACH) / 1024;
	let available = kibibytes("/proc/meminfo", "MemAvailable").unwrap_or(u64::MAX);
	if available < needed {
		eprintln!(
			"A genesis block of {records} records takes roughly {} MiB of memory, and {} MiB are free: if \
			 the node is killed, give fewer --records.",
			needed / 1024,
			available / 1024
		);
	}
}

/// Most memory that a process has had, in MiB.
fn peak_mib(pid: u32) -> Option<u64> {
	kibibytes(&format!("/proc/{pid}/status"), "VmHWM").map(|kib| kib / 1024)
}

/// The number of the line `name: 1234 kB`.
fn kibibytes(path: &str, name: &str) -> Option<u64> {
	let text = fs::read_to_string(path).ok()?;
	let mut fields = text.lines().filter_map(|line| line.split_once(':'));
	let (_, value) = fields.find(|(field, _)| field.trim() == name)?;
	value.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn an_answer_should_have_the_records_of_its_hash_and_no_others() {
		let hash = Seeded::unknown(1);
		let one = json!({ "records": [{ "outputHash": hash }], "next": null });
		let other = json!({ "records": [{ "outputHash": Seeded::unknown(2) }] });

		assert!(check(&one, Kind::Known, hash).is_ok());
		assert!(check(&one, Kind::Unknown, hash).is_err());
		assert!(check(&other, Kind::Known, hash).is_err());
		assert!(check(&json!({}), Kind::Unknown, hash).is_err());
	}
}
