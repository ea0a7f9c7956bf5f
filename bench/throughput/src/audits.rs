//! What audits cost settlement: full blocks while nothing is drawn, while records of workers with the
//! best reputation are drawn, and while every record is (`docs/benchmarks-trust.md`).
//!
//! Draws and the beginnings of audits are the chain's own, in its hooks. Calls of verifiers are not in
//! these blocks: they compete with settlement for weight, which `aria-trust-bench weights` tells.

use crate::{
	chain::Chain,
	load::{fill, Limit, Load},
	measure::{millis, replay, weight_ms, Limits},
	report::{cpu, limit, percent, table},
	world::{account, include, seeded, World, WORKERS},
};
use anyhow::{ensure, Context, Result};
use aria_math::reputation::MAX_SCORE;
use aria_runtime::{parameters::MaxDrawsPerBlock, Runtime, RuntimeCall};
use codec::Encode;
use indicatif::ProgressBar;
use pallet_worker_registry::WorkerInfo;
use serde::Serialize;
use sp_core::Pair as _;
use std::{path::Path, time::Duration};

/// What blocks are filled with: the cheapest way to settle.
const LOAD: Load = Load::SettleBatch(1);
/// Stages of a record whose settlement the price makes free.
const STAGES: u32 = 1;
/// Blocks that draw: of more, more newcomers' records would wait for their draw and audit than may.
pub const MOST_BLOCKS: u32 = 3;

/// What is drawn meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Draws {
	/// Nothing.
	None,
	/// Records of workers with the best reputation.
	Floor,
	/// Records of newcomers, that is all of them.
	All,
}

impl Draws {
	const EACH: [Self; 3] = [Self::None, Self::Floor, Self::All];

	fn name(self) -> &'static str {
		match self {
			Self::None => "no draws",
			Self::Floor => "reputation at its best",
			Self::All => "newcomers",
		}
	}
}

/// Settlement beside these draws.
#[derive(Clone, Debug, Serialize)]
pub struct Beside {
	/// What is drawn.
	pub draws: Draws,
	/// Blocks that were measured.
	pub blocks: u32,
	/// Records that they settle.
	pub records: u64,
	/// Earlier records that they drew for an audit.
	pub drawn: u64,
	/// `drawn` as a part of the records that they drew for; 0 without draws.
	pub drawn_share: f64,
	/// Audits that they began.
	pub rounds: u64,
	/// Weight of all of a block in the mean, in milliseconds.
	pub weight_ms: f64,
	/// Weight of its normal calls in the mean, in milliseconds.
	pub normal_weight_ms: f64,
	/// Mean over the blocks of the median of their executions, in milliseconds.
	pub median_ms: f64,
	/// The longest execution, in milliseconds.
	pub worst_ms: f64,
	/// Records settled in a second of execution.
	pub executed_per_second: f64,
	/// Import of all blocks, until the database was closed, in milliseconds.
	pub import_ms: f64,
	/// Records imported in a second, until the database was closed.
	pub imported_per_second: f64,
	/// What kept the last block from being longer.
	pub limit: Limit,
}

/// Everything that was measured.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
	/// The processor's model.
	pub cpu: String,
	/// What blocks may have.
	pub limits: Limits,
	/// One for each kind of draws.
	pub rows: Vec<Beside>,
}

/// Steps of a progress bar for blocks of that number.
pub fn steps(blocks: u32) -> u64 {
	u64::from(blocks) * Draws::EACH.len() as u64
}

/// Measures `blocks` full blocks beside each kind of draws, each block executed `runs` times.
pub fn measure(runs: usize, blocks: u32, place: &Path, bar: &ProgressBar) -> Result<Report> {
	ensure!(blocks <= MOST_BLOCKS, "{blocks} blocks are too many: take {MOST_BLOCKS} at most");
	let rows = Draws::EACH
		.into_iter()
		.map(|draws| beside(draws, runs, blocks, place, bar).context(draws.name()))
		.collect::<Result<Vec<_>>>()?;
	Ok(Report { cpu: cpu(), limits: Limits::of_runtime(), rows })
}

fn beside(
	draws: Draws,
	runs: usize,
	blocks: u32,
	place: &Path,
	bar: &ProgressBar,
) -> Result<Beside> {
	bar.set_message(format!("{}: registering", draws.name()));
	let mut chain = Chain::new(place)?;
	let mut world = World::set_up(&mut chain, STAGES)?;
	register_verifiers(&mut chain, &world)?;
	if draws == Draws::Floor {
		raise_reputations(&mut chain, &world)?;
	}
	// Verifiers may sit from two epochs later on.
	for _ in 0..2 {
		next_epoch(&mut chain)?;
	}

	bar.set_message(format!("{}: records to draw for", draws.name()));
	let each = u64::from(MaxDrawsPerBlock::get());
	let wanted = each * u64::from(blocks.saturating_add(1));
	let mut pending = 0u64;
	while pending < wanted {
		let full = fill(&chain, &mut world, LOAD)?;
		ensure!(full.records > 0, "a block takes no batch");
		pending = pending.saturating_add(full.records);
		chain.append(full.built)?;
	}
	if draws != Draws::Floor {
		// What is settled meanwhile is not to wait for room among audits.
		raise_reputations(&mut chain, &world)?;
	}
	// The first block behind an epoch has more to do than others, and is left out.
	let epochs = if draws == Draws::None { 1 } else { 2 };
	for _ in 0..epochs {
		next_epoch(&mut chain)?;
	}

	let before = chain.blocks().len();
	let (mut records, mut drawn, mut rounds) = (0u64, 0u64, 0u64);
	let (mut weight, mut normal) = (0.0, 0.0);
	let (mut medians, mut worst) = (Duration::ZERO, Duration::ZERO);
	let mut last = Limit::Weight;
	for block in 1..=blocks {
		bar.set_message(format!("{}: block {block}", draws.name()));
		let full = fill(&chain, &mut world, LOAD)?;
		let (all, calls) = full.built.weight()?;
		weight += weight_ms(all.ref_time());
		normal += weight_ms(calls.ref_time());
		let audits = full.built.audits()?;
		drawn = drawn.saturating_add(audits.drawn);
		rounds = rounds.saturating_add(audits.rounds);
		records = records.saturating_add(full.records);
		last = full.limit;

		chain.execute(&full.built.block)?;
		let mut times = (0..runs.max(1))
			.map(|_| chain.execute(&full.built.block))
			.collect::<Result<Vec<Duration>>>()?;
		times.sort_unstable();
		medians += times[times.len() / 2];
		worst = worst.max(times[times.len() - 1]);
		chain.append(full.built)?;
		bar.inc(1);
	}
	let drawn_for = match draws {
		Draws::None => 0,
		_ => each * u64::from(blocks),
	};
	ensure!(
		(drawn > 0) == (draws != Draws::None),
		"{drawn} records were drawn in blocks that are called \"{}\"",
		draws.name()
	);

	bar.set_message(format!("{}: import", draws.name()));
	let (_, closed) = replay(&chain, before, place)?;
	let mean = f64::from(blocks.max(1));
	Ok(Beside {
		draws,
		blocks,
		records,
		drawn,
		drawn_share: if drawn_for > 0 { drawn as f64 / drawn_for as f64 } else { 0.0 },
		rounds,
		weight_ms: weight / mean,
		normal_weight_ms: normal / mean,
		median_ms: millis(medians) / mean,
		worst_ms: millis(worst),
		executed_per_second: records as f64 / medians.as_secs_f64(),
		import_ms: millis(closed),
		imported_per_second: records as f64 / closed.as_secs_f64(),
		limit: last,
	})
}

/// An empty block in the epoch after this one.
fn next_epoch(chain: &mut Chain) -> Result<()> {
	chain.skip_epoch();
	let built = chain.draft()?.finish()?;
	built.settled()?;
	chain.append(built)
}

/// Makes every worker a verifier, so that audits begin rounds instead of ending at once.
fn register_verifiers(chain: &mut Chain, world: &World) -> Result<()> {
	let calls = world.workers.iter().enumerate().map(|(index, worker)| {
		let key = seeded("verifier", index).public();
		let call = pallet_verification::Call::<Runtime>::register_verifier { key };
		(worker.clone(), RuntimeCall::Verification(call))
	});
	include(chain, calls.collect())
}

/// Gives every worker the best reputation: as sudo, since to earn it takes thousands of records.
pub fn raise_reputations(chain: &mut Chain, world: &World) -> Result<()> {
	let mut items = Vec::with_capacity(WORKERS);
	for worker in &world.workers {
		let key = pallet_worker_registry::Workers::<Runtime>::hashed_key_for(account(worker));
		let info: Option<WorkerInfo> = chain.value(key.clone())?;
		let info = info.context("a worker is not registered")?;
		items.push((key, WorkerInfo { reputation: MAX_SCORE, ..info }.encode()));
	}
	let call = frame_system::Call::<Runtime>::set_storage { items };
	let sudo = pallet_sudo::Call::<Runtime>::sudo { call: Box::new(RuntimeCall::System(call)) };
	include(chain, vec![(world.owner.clone(), RuntimeCall::Sudo(sudo))])
}

impl Report {
	/// The report as text.
	pub fn text(&self) -> String {
		let mut lines = vec![
			self.cpu.clone(),
			format!(
				"A block may weigh {:.0} ms, its normal calls {:.0} ms.",
				self.limits.block_ms, self.limits.normal_ms
			),
			String::new(),
		];
		lines.extend(table(HEAD, self.rows.iter().map(row)));
		lines.join("\n")
	}
}

const HEAD: &[&str] = &[
	"settle_batch, 1 stage",
	"records",
	"drawn",
	"begun",
	"weight",
	"of it calls",
	"median",
	"worst",
	"executed/s",
	"imported/s",
	"binds",
];

fn row(row: &Beside) -> Vec<String> {
	let blocks = f64::from(row.blocks.max(1));
	vec![
		row.draws.name().to_owned(),
		format!("{:.0}", row.records as f64 / blocks),
		format!("{:.0} ({})", row.drawn as f64 / blocks, percent(row.drawn_share)),
		format!("{:.1}", row.rounds as f64 / blocks),
		format!("{:.0} ms", row.weight_ms),
		format!("{:.0} ms", row.normal_weight_ms),
		format!("{:.0} ms", row.median_ms),
		format!("{:.0} ms", row.worst_ms),
		format!("{:.0}", row.executed_per_second),
		format!("{:.0}", row.imported_per_second),
		limit(row.limit).to_owned(),
	]
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn draws_should_be_told_apart_in_tables() {
		let names = Draws::EACH.map(Draws::name);

		assert!(names[0] != names[1] && names[1] != names[2] && names[0] != names[2]);
		assert_eq!(steps(5), 15);
	}
}
