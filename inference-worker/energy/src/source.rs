//! Where energy comes from: the best source that may be read, and what happens when it fails.

use crate::{
	powermetrics::Powermetrics,
	rapl::{Rapl, RaplError},
};
use aria_primitives::record::EnergySource;
use std::{path::Path, time::Duration};
use tracing::{info, warn};

const LOG: &str = "aria::energy";

/// Failures in a row after which a source is given up.
const MOST_FAILURES: u32 = 3;
/// A counter that stood still for so long while a processor worked counts nothing.
const STANDSTILL: Duration = Duration::from_millis(500);

/// What hardware counted in an interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Counted {
	pub microjoules: u64,
	/// CPU time of all processes, where the source knows it.
	pub busy: Option<Duration>,
}

/// What a source says of an interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Answer {
	Counted(Counted),
	/// Ask again later: the interval goes on.
	NotYet,
	/// The interval has to be estimated.
	Unknown,
}

#[derive(Debug)]
pub(crate) struct Source {
	hardware: Hardware,
	failures: u32,
	/// Whether the start of this interval was not seen.
	stale: bool,
	/// Whether a failure was said; a source that fails now and then is no news.
	said: bool,
}

#[derive(Debug)]
enum Hardware {
	Rapl(Rapl),
	Powermetrics(Powermetrics),
	None,
}

impl Source {
	/// The estimate.
	pub fn none() -> Self {
		Self { hardware: Hardware::None, failures: 0, stale: false, said: false }
	}

	/// The first of RAPL, powermetrics and the estimate that works. Says which in the log, and why not
	/// a better one.
	pub fn detect(powercap: &Path, interval: Duration) -> Self {
		let hardware = match Rapl::open(powercap) {
			Ok(rapl) => {
				info!(target: LOG, packages = rapl.packages(), "energy is counted by RAPL");
				Hardware::Rapl(rapl)
			}
			Err(error) => match detect_powermetrics(interval) {
				Some(powermetrics) => {
					info!(target: LOG, "energy is counted by powermetrics");
					Hardware::Powermetrics(powermetrics)
				}
				None => {
					say_estimated(&error);
					Hardware::None
				}
			},
		};
		Self { hardware, failures: 0, stale: false, said: false }
	}

	pub fn kind(&self) -> EnergySource {
		match self.hardware {
			Hardware::Rapl(_) => EnergySource::Rapl,
			Hardware::Powermetrics(_) => EnergySource::Powermetrics,
			Hardware::None => EnergySource::Estimate,
		}
	}

	/// Counts from now on.
	pub fn restart(&mut self) {
		let result = match &mut self.hardware {
			Hardware::Rapl(rapl) => rapl.restart().map_err(|error| error.to_string()),
			Hardware::Powermetrics(powermetrics) => {
				powermetrics.restart();
				Ok(())
			}
			Hardware::None => Ok(()),
		};
		self.stale = result.is_err();
		if let Err(reason) = result {
			self.failed(&reason);
		}
	}

	/// What was counted since the last call or restart, `elapsed` ago, in which the processes of the
	/// machine used about `busy` of CPU time.
	pub fn advance(&mut self, elapsed: Duration, busy: Duration) -> Answer {
		if self.stale {
			// What was used since the last value that was seen has been estimated already.
			self.restart();
			return Answer::Unknown;
		}
		let result = match &mut self.hardware {
			Hardware::None => return Answer::Unknown,
			Hardware::Rapl(rapl) => match rapl.advance(elapsed) {
				Ok(0) if busy.is_zero() || elapsed < STANDSTILL => return Answer::Unknown,
				// Virtual machines show counters that never move.
				Ok(0) => Err("the counter stands still while the processor works".to_string()),
				Ok(microjoules) => Ok(Counted { microjoules, busy: None }),
				Err(error) => Err(error.to_string()),
			},
			Hardware::Powermetrics(powermetrics) => match powermetrics.advance() {
				Ok(None) => return Answer::NotYet,
				Ok(Some(counted)) => {
					Ok(Counted { microjoules: counted.microjoules, busy: counted.busy })
				}
				Err(error) => Err(error.to_string()),
			},
		};
		match result {
			Ok(counted) => {
				self.failures = 0;
				Answer::Counted(counted)
			}
			Err(reason) => {
				self.failed(&reason);
				if let Hardware::Rapl(rapl) = &mut self.hardware {
					// Where this fails too, the next call begins anew.
					self.stale = rapl.restart().is_err();
				}
				Answer::Unknown
			}
		}
	}

	fn failed(&mut self, reason: &str) {
		self.failures += 1;
		if self.failures >= MOST_FAILURES {
			warn!(target: LOG, reason, "energy is no longer counted; it is estimated from now on");
			self.hardware = Hardware::None;
		} else if !self.said {
			self.said = true;
			warn!(target: LOG, reason, "an interval's energy was not counted; it is estimated");
		}
	}
}

fn say_estimated(error: &RaplError) {
	match error {
		RaplError::Absent(_) => {
			info!(target: LOG, reason = %error, "energy is estimated out of CPU time");
		}
		_ => warn!(target: LOG, reason = %error, "energy is estimated out of CPU time"),
	}
}

#[cfg(target_os = "macos")]
fn detect_powermetrics(interval: Duration) -> Option<Powermetrics> {
	if !rustix::process::geteuid().is_root() {
		info!(target: LOG, "powermetrics answers root alone; see docs/energy.md");
		return None;
	}
	Powermetrics::start(Powermetrics::command(interval))
		.inspect_err(|error| warn!(target: LOG, %error, "powermetrics does not start"))
		.ok()
}

#[cfg(not(target_os = "macos"))]
fn detect_powermetrics(_interval: Duration) -> Option<Powermetrics> {
	None
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;
	use std::fs;

	const SECOND: Duration = Duration::from_secs(1);

	fn package(root: &Path, energy: u64) {
		let folder = root.join("intel-rapl:0");
		fs::create_dir_all(&folder).unwrap();
		fs::write(folder.join("name"), "package-0\n").unwrap();
		fs::write(folder.join("max_energy_range_uj"), "262143328850\n").unwrap();
		fs::write(folder.join("energy_uj"), format!("{energy}\n")).unwrap();
	}

	fn counted(microjoules: u64) -> Answer {
		Answer::Counted(Counted { microjoules, busy: None })
	}

	#[test]
	fn a_failure_should_be_estimated_and_survived() {
		let root = tempfile::tempdir().unwrap();
		package(root.path(), 1_000);
		let mut source = Source::detect(root.path(), SECOND);
		assert_eq!(source.kind(), EnergySource::Rapl);
		package(root.path(), 3_000);
		assert_eq!(source.advance(SECOND, SECOND), counted(2_000));
		fs::remove_dir_all(root.path().join("intel-rapl:0")).unwrap();
		assert_eq!(source.advance(SECOND, SECOND), Answer::Unknown);
		package(root.path(), 5_000);
		// Back, but what it counted unseen has been estimated.
		assert_eq!(source.advance(SECOND, SECOND), Answer::Unknown);
		package(root.path(), 5_500);
		assert_eq!(source.advance(SECOND, SECOND), counted(500));
		assert_eq!(source.kind(), EnergySource::Rapl);
	}

	#[test]
	fn a_source_that_keeps_failing_should_be_given_up() {
		let root = tempfile::tempdir().unwrap();
		package(root.path(), 1_000);
		let mut source = Source::detect(root.path(), SECOND);
		fs::remove_dir_all(root.path().join("intel-rapl:0")).unwrap();
		for _ in 0..3 {
			assert_eq!(source.advance(SECOND, SECOND), Answer::Unknown);
		}
		assert_eq!(source.kind(), EnergySource::Estimate);
		package(root.path(), 2_000);
		assert_eq!(source.advance(SECOND, SECOND), Answer::Unknown);
	}

	#[test]
	fn a_counter_that_stands_still_should_be_given_up() {
		let root = tempfile::tempdir().unwrap();
		package(root.path(), 0);
		let mut source = Source::detect(root.path(), SECOND);
		// Nobody worked, or no time has passed: that says nothing.
		for _ in 0..10 {
			assert_eq!(source.advance(SECOND, Duration::ZERO), Answer::Unknown);
			assert_eq!(source.advance(Duration::from_millis(1), SECOND), Answer::Unknown);
		}
		assert_eq!(source.kind(), EnergySource::Rapl);
		for _ in 0..3 {
			assert_eq!(source.advance(SECOND, SECOND), Answer::Unknown);
		}
		assert_eq!(source.kind(), EnergySource::Estimate);
	}

	#[test]
	fn a_machine_without_counters_should_be_estimated() {
		let root = tempfile::tempdir().unwrap();
		let source = Source::detect(&root.path().join("absent"), SECOND);
		assert_eq!(source.kind(), EnergySource::Estimate);
	}
}
