//! This machine and its processes, out of `/proc`.

use anyhow::{Context, Result};
use aria_e2e::cluster::Cluster;
use serde::Serialize;
use std::{
	env, fmt, fs,
	num::NonZeroUsize,
	ops::{AddAssign, Sub},
	process, thread,
};

/// Ticks a second in which `/proc/PID/stat` counts CPU time, for every program on Linux.
const TICKS: f64 = 100.0;
/// The program of the chain's node, as `/proc` names it.
const NODE: &str = "aria-node";

/// A machine.
#[derive(Clone, Debug, Serialize)]
pub struct Machine {
	/// The processor's model.
	pub cpu: String,
	/// Processors that this program may use.
	pub cores: usize,
	/// Memory, in MiB; 0 where it is not known.
	pub memory_mib: u64,
}

impl Machine {
	/// This one.
	pub fn here() -> Self {
		let cpu = field("/proc/cpuinfo", "model name");
		let memory = field("/proc/meminfo", "MemTotal");
		Self {
			cpu: cpu.unwrap_or_else(|| format!("an unnamed processor ({})", env::consts::ARCH)),
			cores: thread::available_parallelism().map_or(1, NonZeroUsize::get),
			memory_mib: memory.and_then(|text| kibibytes(&text)).unwrap_or(0) / 1024,
		}
	}
}

impl fmt::Display for Machine {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		let gib = self.memory_mib as f64 / 1024.0;
		write!(f, "{}, {} cores, {gib:.1} GiB", self.cpu, self.cores)
	}
}

/// What stands behind the first `name:` in a file.
fn field(path: &str, name: &str) -> Option<String> {
	let text = fs::read_to_string(path).ok()?;
	let mut fields = text.lines().filter_map(|line| line.split_once(':'));
	fields.find(|(field, _)| field.trim() == name).map(|(_, value)| value.trim().to_owned())
}

/// The number of `1234 kB`.
fn kibibytes(text: &str) -> Option<u64> {
	text.split_whitespace().next()?.parse().ok()
}

/// The processes of a network.
#[derive(Clone, Debug)]
pub struct Processes {
	node: u32,
	gateway: u32,
	workers: Vec<u32>,
}

/// Something of each kind of process: CPU seconds, say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct ByKind {
	/// Of the node.
	pub node: f64,
	/// Of the gateway.
	pub gateway: f64,
	/// Of all workers.
	pub workers: f64,
}

impl ByKind {
	/// Of all processes.
	pub fn all(&self) -> f64 {
		self.node + self.gateway + self.workers
	}

	/// Each times `factor`.
	pub fn times(&self, factor: f64) -> Self {
		Self {
			node: self.node * factor,
			gateway: self.gateway * factor,
			workers: self.workers * factor,
		}
	}
}

impl Sub for ByKind {
	type Output = Self;

	fn sub(self, other: Self) -> Self {
		Self {
			node: self.node - other.node,
			gateway: self.gateway - other.gateway,
			workers: self.workers - other.workers,
		}
	}
}

impl AddAssign for ByKind {
	fn add_assign(&mut self, other: Self) {
		self.node += other.node;
		self.gateway += other.gateway;
		self.workers += other.workers;
	}
}

impl Processes {
	/// Those of `cluster`.
	///
	/// # Errors
	/// If one does not run.
	pub fn of(cluster: &Cluster) -> Result<Self> {
		let node = child(NODE).context("the chain's node does not run")?;
		let gateway = cluster.gateway.pid().context("the gateway does not run")?;
		let workers = cluster.workers.iter().map(|worker| {
			worker.pid().with_context(|| format!("the worker {} does not run", worker.name()))
		});
		Ok(Self { node, gateway, workers: workers.collect::<Result<_>>()? })
	}

	/// CPU time that each has used so far, in seconds.
	///
	/// # Errors
	/// If one has ended.
	pub fn cpu(&self) -> Result<ByKind> {
		self.each(|pid| Some(Stat::of(pid)?.cpu))
	}

	/// Memory that is resident, in MiB.
	///
	/// # Errors
	/// If one has ended.
	pub fn resident(&self) -> Result<ByKind> {
		self.each(|pid| {
			let text = field(&format!("/proc/{pid}/status"), "VmRSS")?;
			Some(kibibytes(&text)? as f64 / 1024.0)
		})
	}

	fn each(&self, of: impl Fn(u32) -> Option<f64>) -> Result<ByKind> {
		let of = |pid: u32| of(pid).with_context(|| format!("the process {pid} has ended"));
		let workers = self.workers.iter().map(|pid| of(*pid)).sum::<Result<f64>>()?;
		Ok(ByKind { node: of(self.node)?, gateway: of(self.gateway)?, workers })
	}
}

/// What `/proc/PID/stat` says.
#[derive(Debug, PartialEq)]
struct Stat {
	name: String,
	parent: u32,
	/// In seconds, threads that have ended included.
	cpu: f64,
}

impl Stat {
	fn of(pid: u32) -> Option<Self> {
		Self::parse(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
	}

	/// The name may hold anything, parentheses too.
	fn parse(text: &str) -> Option<Self> {
		let (begin, rest) = text.rsplit_once(')')?;
		let (_, name) = begin.split_once('(')?;
		let fields: Vec<&str> = rest.split_whitespace().collect();
		let number = |index: usize| fields.get(index)?.parse::<u64>().ok();
		Some(Self {
			name: name.to_owned(),
			parent: u32::try_from(number(1)?).ok()?,
			cpu: number(11)?.saturating_add(number(12)?) as f64 / TICKS,
		})
	}
}

/// The process with this name that this one has started.
fn child(name: &str) -> Option<u32> {
	let own = process::id();
	let entries = fs::read_dir("/proc").ok()?.filter_map(Result::ok);
	let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
	pids.filter(|pid| Stat::of(*pid).is_some_and(|stat| stat.parent == own && stat.name == name))
		.max()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;

	#[test]
	fn a_process_should_be_read_whatever_its_name() {
		let text = "12 (a (b) c) S 7 12 12 0 -1 4194560 1 2 3 4 250 50 9 9 20 0 4 0 100 1 1";
		let stat = Stat::parse(text).unwrap();

		assert_eq!((stat.name.as_str(), stat.parent, stat.cpu), ("a (b) c", 7, 3.0));
		assert_eq!(Stat::parse("12 (a"), None);
		assert_eq!(Stat::parse("12 (a) S 1"), None);
	}

	#[test]
	fn memory_should_be_in_kibibytes() {
		assert_eq!(kibibytes("2048 kB"), Some(2048));
		assert_eq!(kibibytes(""), None);
	}

	#[test]
	fn kinds_should_add_up() {
		let mut sum = ByKind { node: 1.0, gateway: 2.0, workers: 3.0 };
		let copy = sum;
		sum += copy;
		let less = sum - ByKind { node: 1.0, gateway: 1.0, workers: 1.0 };

		assert_eq!(sum.all(), 12.0);
		assert_eq!(less.times(2.0), ByKind { node: 2.0, gateway: 6.0, workers: 10.0 });
	}
}
