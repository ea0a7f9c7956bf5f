//! How long filled blocks take to execute and to import.

use crate::{
	chain::Chain,
	load::{fill, Limit, Load},
	world::{seeded, World},
};
use anyhow::{ensure, Result};
use aria_runtime::parameters::RuntimeBlockWeights;
use frame_support::{dispatch::DispatchClass, weights::constants::WEIGHT_REF_TIME_PER_MICROS};
use serde::Serialize;
use sp_core::{sr25519, Pair};
use std::{
	hint::black_box,
	path::Path,
	time::{Duration, Instant},
};

/// Signatures that are checked to learn what one takes.
const SAMPLE: u32 = 2_000;

/// How long a full block takes.
#[derive(Clone, Debug, Serialize)]
pub struct Execution {
	/// What it is filled with.
	pub load: String,
	/// Records that it settles.
	pub records: u64,
	/// Its signed extrinsics.
	pub extrinsics: u64,
	/// Bytes of those.
	pub bytes: usize,
	/// Weight of its normal calls, in milliseconds.
	pub normal_weight_ms: f64,
	/// Weight of all of it, in milliseconds.
	pub weight_ms: f64,
	/// What kept it from being longer.
	pub limit: Limit,
	/// Median of its executions, in milliseconds.
	pub median_ms: f64,
	/// The longest of its executions, in milliseconds.
	pub worst_ms: f64,
	/// Signatures that are checked in it.
	pub signatures: u64,
	/// The part of the median that checking them takes, `0..=1`.
	pub signature_share: f64,
	/// Records settled in a second of execution; 0 if it settles none.
	pub records_per_second: f64,
}

/// How long a chain of full blocks takes to import into a new database.
#[derive(Clone, Debug, Serialize)]
pub struct Import {
	/// What the blocks are filled with.
	pub load: String,
	/// How many blocks.
	pub blocks: u32,
	/// Records that they settle.
	pub records: u64,
	/// Until the last block was imported, in milliseconds.
	pub imported_ms: f64,
	/// Until the database had written everything and was closed, in milliseconds.
	pub closed_ms: f64,
	/// Records imported in a second, until the database was closed.
	pub records_per_second: f64,
}

/// What blocks may have.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Limits {
	/// Weight of a block, in milliseconds: it has to execute in that time.
	pub block_ms: f64,
	/// Weight of its normal calls, in milliseconds.
	pub normal_ms: f64,
	/// Bytes of its normal calls.
	pub bytes: usize,
}

impl Limits {
	/// Those of the runtime.
	pub fn of_runtime() -> Self {
		let weights = RuntimeBlockWeights::get();
		let block = weights.max_block.ref_time();
		let normal = weights.get(DispatchClass::Normal).max_total;
		Self {
			block_ms: weight_ms(block),
			normal_ms: weight_ms(normal.map_or(block, |weight| weight.ref_time())),
			bytes: crate::load::most_bytes(),
		}
	}
}

/// Fills a block and executes it `runs` times, and once before that to warm up.
pub fn execution(
	chain: &Chain,
	world: &mut World,
	load: Load,
	runs: usize,
	signature: Duration,
) -> Result<Execution> {
	let full = fill(chain, world, load)?;
	ensure!(full.built.extrinsics > 0, "no block takes a single call of {}", load.name());
	let (weight, normal) = full.built.weight()?;
	chain.execute(&full.built.block)?;
	let mut times = (0..runs.max(1))
		.map(|_| chain.execute(&full.built.block))
		.collect::<Result<Vec<Duration>>>()?;
	times.sort_unstable();
	let median = times[times.len() / 2];
	let worst = times[times.len() - 1];
	let checking = signature.as_secs_f64() * full.signatures as f64;
	Ok(Execution {
		load: load.name(),
		records: full.records,
		extrinsics: full.built.extrinsics,
		bytes: full.built.bytes,
		normal_weight_ms: weight_ms(normal.ref_time()),
		weight_ms: weight_ms(weight.ref_time()),
		limit: full.limit,
		median_ms: millis(median),
		worst_ms: millis(worst),
		signatures: full.signatures,
		signature_share: checking / median.as_secs_f64(),
		records_per_second: full.records as f64 / median.as_secs_f64(),
	})
}

/// Appends `blocks` full blocks to the chain and imports them into another one below `place`.
pub fn import(
	chain: &mut Chain,
	world: &mut World,
	load: Load,
	blocks: u32,
	place: &Path,
	mut done: impl FnMut(),
) -> Result<Import> {
	let before = chain.blocks().len();
	let mut records = 0u64;
	for _ in 0..blocks {
		let full = fill(chain, world, load)?;
		records += full.records;
		chain.append(full.built)?;
		done();
	}
	let (imported, closed) = replay(chain, before, place)?;
	Ok(Import {
		load: load.name(),
		blocks,
		records,
		imported_ms: millis(imported),
		closed_ms: millis(closed),
		records_per_second: records as f64 / closed.as_secs_f64(),
	})
}

/// Imports all blocks but the first `before` into a new database below `place`, behind those: how long
/// it took until the last was imported, and until the database had written everything and was closed.
pub fn replay(chain: &Chain, before: usize, place: &Path) -> Result<(Duration, Duration)> {
	let mut follower = Chain::new(place)?;
	let (known, new) = chain.blocks().split_at(before);
	for block in known {
		follower.import(block.clone())?;
	}
	let new = new.to_vec();
	let start = Instant::now();
	for block in new {
		follower.import(block)?;
	}
	let imported = start.elapsed();
	follower.close();
	Ok((imported, start.elapsed()))
}

/// How long it takes this processor to check a signature as tickets and records carry it.
pub fn signature() -> Result<Duration> {
	let pair = seeded("signature", 0);
	let message = [7u8; 32];
	let signature = pair.sign(&message);
	let start = Instant::now();
	for _ in 0..SAMPLE {
		let good =
			sr25519::Pair::verify(black_box(&signature), black_box(&message), &pair.public());
		ensure!(good, "a signature does not fit its message");
	}
	Ok(start.elapsed() / SAMPLE)
}

/// Weight, in picoseconds, in milliseconds.
pub fn weight_ms(ref_time: u64) -> f64 {
	ref_time as f64 / WEIGHT_REF_TIME_PER_MICROS as f64 / 1_000.0
}

/// In milliseconds.
pub fn millis(time: Duration) -> f64 {
	time.as_secs_f64() * 1_000.0
}
