//! What is answered, in JSON.

use serde::{Deserialize, Serialize};
use std::fmt;

/// What a worker does now.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Status {
	/// This program's version.
	pub version: String,
	/// The account.
	pub account: String,
	/// The libp2p peer.
	pub peer: String,
	/// Whether orders are taken now.
	pub working: bool,
	/// Why not, one sentence each.
	pub obstacles: Vec<String>,
	/// Whether the contributor paused it.
	pub paused: bool,
	/// The chain.
	pub chain: ChainStatus,
	/// The worker on chain; `None` if it is not registered, or the chain was not read yet.
	pub worker: Option<WorkerStatus>,
	/// The consent in force.
	pub consent: Option<ConsentStatus>,
	/// What is in memory.
	pub models: Vec<ModelStatus>,
	/// Sessions that run.
	pub sessions: usize,
	/// Sessions that can run.
	pub capacity: usize,
	/// What is used.
	pub usage: Usage,
	/// Where others reach this peer.
	pub addresses: Vec<String>,
	/// Peers with a connection.
	pub peers: usize,
	/// What is not settled yet.
	pub settlements: Settlements,
	/// Where the OpenAI API is served.
	pub gateway: Option<String>,
}

/// The chain, as this worker sees it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ChainStatus {
	/// The node.
	pub node: String,
	/// Number of the best block.
	pub best: u32,
	/// Number of the last final block.
	pub finalized: u32,
	/// For how many seconds it has been away, if it is.
	pub away_seconds: Option<f64>,
	/// This machine's clock minus the chain's, in seconds.
	pub clock_off_seconds: Option<f64>,
}

/// A worker on chain.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct WorkerStatus {
	/// On hold, in ARIA.
	pub stake: String,
	/// In parts per million.
	pub reputation_ppm: u32,
	/// Stages that were settled.
	pub settled: u64,
	/// Whether it takes work, by the chain.
	pub active: bool,
}

/// A consent in force.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ConsentStatus {
	/// Its version.
	pub version: u32,
	/// Its terms, in words.
	pub terms: String,
	/// `open until Mon 07:00`.
	pub hours: String,
}

/// A range of layers in memory.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ModelStatus {
	/// The model's id.
	pub model: String,
	/// Its name on chain.
	pub name: Option<String>,
	/// The first layer.
	pub first: u16,
	/// The layer behind the last.
	pub end: u16,
	/// All layers of the model.
	pub of: u16,
}

/// What is used of what is allowed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Usage {
	/// Share of all CPUs, in percent, over ten seconds.
	pub cpu_percent: f64,
	/// What is allowed.
	pub cpu_limit_percent: u8,
	/// Bytes of weights and sessions.
	pub memory_bytes: u64,
	/// What is allowed.
	pub memory_limit_bytes: u64,
	/// Where figures of energy come from.
	pub energy_source: String,
}

/// Records that are not settled yet.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Settlements {
	/// They wait for a final block.
	pub pending: usize,
	/// They were refused for good.
	pub failed: usize,
}

/// Who would compute an answer now, and why the others would not.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PlanReport {
	/// The model's id.
	pub model: String,
	/// The stages in order; empty if nobody covers all layers.
	pub stages: Vec<PlanStage>,
	/// Layers that nobody may compute.
	pub uncovered: Vec<String>,
	/// Who is passed over.
	pub passed: Vec<Passed>,
	/// In how many seconds it is worth to ask again.
	pub retry_after_seconds: Option<u64>,
}

/// A stage of a plan.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PlanStage {
	/// The worker.
	pub node: String,
	/// The first layer.
	pub first: u16,
	/// The layer behind the last.
	pub end: u16,
	/// Who replaces it, best first.
	pub standbys: Vec<String>,
}

/// A worker that is passed over.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Passed {
	/// The worker.
	pub node: String,
	/// A word for machines.
	pub code: String,
	/// Why, and what to do.
	pub reason: String,
}

impl fmt::Display for Status {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		let chain = &self.chain;
		writeln!(f, "account     {}", self.account)?;
		writeln!(f, "peer        {}", self.peer)?;
		write!(f, "chain       {} block {} (final {})", chain.node, chain.best, chain.finalized)?;
		match chain.away_seconds {
			Some(away) => writeln!(f, ", away for {away:.0} s")?,
			None => writeln!(f)?,
		}
		if self.capacity > 0 {
			writeln!(f, "works       {}", if self.working { "yes" } else { "no" })?;
		}
		for obstacle in &self.obstacles {
			writeln!(f, "            {obstacle}")?;
		}
		match &self.worker {
			Some(worker) => writeln!(
				f,
				"worker      stake {} ARIA, reputation {:.1} %, {} stages settled",
				worker.stake,
				f64::from(worker.reputation_ppm) / 1e4,
				worker.settled
			)?,
			None => writeln!(f, "worker      not registered")?,
		}
		if let Some(consent) = &self.consent {
			writeln!(f, "consent     version {}: {}", consent.version, consent.terms)?;
			writeln!(f, "hours       {}", consent.hours)?;
		}
		for ModelStatus { model, name, first, end, of } in &self.models {
			let name = name.as_deref().unwrap_or(model);
			writeln!(f, "serves      {name} layers {first}..{end} of {of}")?;
		}
		let usage = &self.usage;
		if self.capacity > 0 {
			writeln!(f, "sessions    {} of {}", self.sessions, self.capacity)?;
			writeln!(f, "cpu         {:.1} % of {} %", usage.cpu_percent, usage.cpu_limit_percent)?;
			writeln!(
				f,
				"memory      {} MiB of {} MiB",
				usage.memory_bytes >> 20,
				usage.memory_limit_bytes >> 20
			)?;
			writeln!(f, "energy      {}", usage.energy_source)?;
		}
		writeln!(f, "peers       {}", self.peers)?;
		for address in &self.addresses {
			writeln!(f, "            {address}")?;
		}
		let Settlements { pending, failed } = self.settlements;
		writeln!(f, "settlement  {pending} pending, {failed} failed")?;
		if let Some(gateway) = &self.gateway {
			writeln!(f, "gateway     {gateway}")?;
		}
		Ok(())
	}
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;

	#[test]
	fn a_status_should_survive_json_and_be_readable() {
		let status = Status {
			account: "5abc".to_owned(),
			capacity: 4,
			obstacles: vec!["it is paused: `aria-worker resume`".to_owned()],
			models: vec![ModelStatus { model: "0x1".into(), end: 3, of: 9, ..Default::default() }],
			..Default::default()
		};
		let json = serde_json::to_string(&status).unwrap();
		assert_eq!(serde_json::from_str::<Status>(&json).unwrap(), status);
		let text = status.to_string();
		assert!(text.contains("5abc") && text.contains("layers 0..3 of 9"), "{text}");
		assert!(text.contains("aria-worker resume"), "{text}");
	}
}
