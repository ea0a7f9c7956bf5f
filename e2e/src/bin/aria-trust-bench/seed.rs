//! A raw chain specification whose genesis state holds records, as the ledger's own code writes them.
//!
//! The ledger runs over a state in memory, a few records at a time; what it wrote under its three maps
//! goes to the file and is forgotten, its sums stay until the end. So the memory that this takes does not
//! grow with the records.

use anyhow::{anyhow, ensure, Context, Result};
use aria_e2e::node::binary;
use aria_primitives::{
	hashing::sha256,
	record::{
		boundary, Anchor, EnergySource, FinishReason, LayerRange, RecordBody, RecordEntry, Stage,
		RECORD_VERSION,
	},
	traits::Ledger,
	AccountId, OutputHash, RecordId, ARIA,
};
use aria_runtime::Runtime;
use codec::Encode;
use frame_support::{
	storage::storage_prefix,
	traits::{Get, Hooks},
	BoundedVec,
};
use serde_json::{Map, Value};
use sp_core::{
	bytes::{from_hex, to_hex},
	storage::{well_known_keys::CODE, Storage},
	H256,
};
use sp_state_machine::BasicExternalities;
use std::{
	collections::BTreeMap,
	fs::File,
	io::{BufWriter, Write},
	path::Path,
	process::{Command, Stdio},
};

type LedgerPallet = pallet_provenance_ledger::Pallet<Runtime>;

/// Records that the ledger writes at a time, as if they were those of a block.
const AT_ONCE: u64 = 1_000;
/// Workers whose records they are.
const WORKERS: u64 = 1_000;
/// Layers of the model.
const LAYERS: u16 = 30;
/// The time of each record: 15 June 2025, 15:00 UTC.
const TIME: u64 = 1_749_999_600_000;
/// Maps of the ledger that have entries for each record.
const MAPS: [&[u8]; 3] = [b"Records", b"ByOutput", b"ByQuery"];

/// Which records are in the state.
#[derive(Clone, Copy, Debug)]
pub struct Seeded {
	/// How many.
	pub records: u64,
	/// The last ones have one answer; how many.
	pub shared: u64,
}

impl Seeded {
	/// The answer of a record.
	pub fn output(&self, index: u64) -> OutputHash {
		let alone = self.records.saturating_sub(self.shared);
		sha256(&("output", index.min(alone)).encode())
	}

	/// Records with an answer of their own.
	pub fn alone(&self) -> u64 {
		self.records.saturating_sub(self.shared)
	}

	/// A hash that is no record's answer.
	pub fn unknown(index: u64) -> OutputHash {
		sha256(&("unknown", index).encode())
	}

	/// The record with this number, and its id.
	///
	/// # Errors
	/// When a record has room for nothing.
	pub fn record(&self, index: u64) -> Result<(RecordId, RecordEntry)> {
		let query_hash = sha256(&("query", index).encode());
		let worker = account("worker", index % WORKERS);
		let stage = Stage {
			node: worker,
			layers: LayerRange { first: 0, end: LAYERS },
			energy_mj: 40_000,
			energy_source: EnergySource::Rapl,
			consent_version: 1,
		};
		let root = |number: u16| sha256(&("root", number, index).encode());
		let boundaries = (0..2).map(|number| boundary(number, &root(number), &query_hash));
		let body = RecordBody {
			version: RECORD_VERSION,
			model_id: sha256(b"model"),
			query_hash,
			output_hash: self.output(index),
			output_tokens_hash: sha256(&("tokens", index).encode()),
			finish_reason: FinishReason::Stop,
			prompt_tokens: 64,
			cached_tokens: 16,
			output_tokens: 128,
			stages: bounded(vec![stage])?,
			boundaries: bounded(boundaries.collect())?,
			energy_mj: 40_000,
			latency_ms: 8_000,
			timestamp: TIME,
			anchor: Anchor { number: 0, hash: H256::zero() },
			ticket_hash: sha256(&("ticket", index).encode()),
		};
		// The hash of a genesis block that holds the record cannot be known to it.
		let id = body.id(&H256::zero());
		let entry = RecordEntry {
			body,
			signed_stages: 1,
			requester: account("requester", index % WORKERS),
			gateway: account("gateway", 0),
			price: ARIA / 50,
			settled_at: 0,
			epoch: 0,
			era: 0,
			auditable: true,
		};
		Ok((id, entry))
	}
}

fn account(name: &str, index: u64) -> AccountId {
	AccountId::from(sha256(&(name, index).encode()).to_fixed_bytes())
}

fn bounded<T, S: Get<u32>>(items: Vec<T>) -> Result<BoundedVec<T, S>> {
	let count = items.len();
	BoundedVec::try_from(items).map_err(|_| anyhow!("a record has no room for {count} of these"))
}

/// Writes the development chain with these records in its genesis state as a raw specification; `done`
/// hears of each batch of records. Returns the file's length in bytes.
///
/// # Errors
/// When the node exports no specification, the ledger refuses a record, or the file can't be written.
pub fn write(path: &Path, seeded: &Seeded, mut done: impl FnMut(u64)) -> Result<u64> {
	let mut spec = development()?;
	let genesis = spec.remove("genesis").context("the specification has no genesis")?;
	let top = genesis["raw"]["top"].as_object().context("the specification is not raw")?;
	let mut state = Storage::default();
	for (key, value) in top {
		let value = value.as_str().context("a value of the genesis state is no text")?;
		state.top.insert(from_hex(key)?, from_hex(value)?);
	}
	let code = state.top.remove(CODE).context("the genesis state has no runtime")?;

	let file = File::create(path)
		.with_context(|| format!("{} cannot be written: name another --place", path.display()))?;
	let mut out = Entries { file: BufWriter::new(file), first: true };
	write!(out.file, "{{")?;
	for (name, value) in &spec {
		write!(out.file, "{}:{value},", Value::from(name.as_str()))?;
	}
	write!(out.file, "\"genesis\":{{\"raw\":{{\"top\":{{")?;

	let prefixes = MAPS.map(|map| storage_prefix(b"ProvenanceLedger", map));
	let is_entry = |key: &[u8]| prefixes.iter().any(|prefix| key.starts_with(prefix));
	let mut begin = 0u64;
	while begin < seeded.records {
		let end = begin.saturating_add(AT_ONCE).min(seeded.records);
		let batch = (begin..end).map(|index| seeded.record(index)).collect::<Result<Vec<_>>>()?;
		BasicExternalities::execute_with_storage(&mut state, || insert(batch))?;
		let entries: BTreeMap<Vec<u8>, Vec<u8>>;
		(entries, state.top) =
			std::mem::take(&mut state.top).into_iter().partition(|(key, _)| is_entry(key));
		for (key, value) in &entries {
			out.put(key, value)?;
		}
		done(end.saturating_sub(begin));
		begin = end;
	}
	// No block has settled these, so that its list is empty.
	BasicExternalities::execute_with_storage(&mut state, || {
		LedgerPallet::on_initialize(0);
	});
	out.put(CODE, &code)?;
	for (key, value) in &state.top {
		out.put(key, value)?;
	}
	write!(out.file, "}},\"childrenDefault\":{{}}}}}}}}")?;
	let file = out.file.into_inner().context("the specification can't be written")?;
	Ok(file.metadata()?.len())
}

/// Has the ledger write records that it does not have.
fn insert(batch: Vec<(RecordId, RecordEntry)>) -> Result<()> {
	LedgerPallet::on_initialize(0);
	for (id, entry) in batch {
		<LedgerPallet as Ledger>::insert(id, entry)
			.map_err(|error| anyhow!("the ledger refuses the record {id:?}: {error:?}"))?;
	}
	Ok(())
}

/// Where entries of the state are written as JSON.
struct Entries {
	file: BufWriter<File>,
	first: bool,
}

impl Entries {
	fn put(&mut self, key: &[u8], value: &[u8]) -> Result<()> {
		let comma = if self.first { "" } else { "," };
		self.first = false;
		write!(self.file, "{comma}\"{}\":\"{}\"", to_hex(key, false), to_hex(value, false))
			.context("the disk is full: name another --place, or fewer --records")
	}
}

/// The development chain, raw, without its genesis' form being looked at.
fn development() -> Result<Map<String, Value>> {
	let output = Command::new(binary()?)
		.args(["export-chain-spec", "--chain", "dev", "--raw"])
		.stdin(Stdio::null())
		.output()
		.context("aria-node cannot be started")?;
	ensure!(
		output.status.success(),
		"aria-node exports no specification: {}",
		String::from_utf8_lossy(&output.stderr)
	);
	serde_json::from_slice(&output.stdout)
		.context("what aria-node exports as a specification is no JSON")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;
	use aria_primitives::traits::RecordIndex;

	const SEEDED: Seeded = Seeded { records: 10, shared: 3 };

	#[test]
	fn records_should_be_found_as_the_ledger_finds_them() {
		let mut state = Storage::default();
		let batch = (0..SEEDED.records).map(|index| SEEDED.record(index).unwrap()).collect();
		BasicExternalities::execute_with_storage(&mut state, || {
			insert(batch).unwrap();
			let found = |hash| <LedgerPallet as RecordIndex>::by_output(&hash, None, 100).len();

			assert_eq!(pallet_provenance_ledger::RecordsTotal::<Runtime>::get(), 10);
			assert_eq!(found(SEEDED.output(0)), 1);
			assert_eq!(found(SEEDED.output(9)), 3);
			assert_eq!(found(Seeded::unknown(0)), 0);
		});
	}

	#[test]
	fn a_record_should_not_be_written_twice() {
		let batch = || vec![SEEDED.record(0).unwrap()];
		let mut state = Storage::default();
		BasicExternalities::execute_with_storage(&mut state, || {
			insert(batch()).unwrap();
			assert!(insert(batch()).is_err());
		});
	}
}
