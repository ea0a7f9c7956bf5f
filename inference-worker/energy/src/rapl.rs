//! RAPL: the energy counters of a processor's packages, through powercap in sysfs.

use crate::cpu::read_small;
use std::{
	collections::BTreeMap,
	fs, io,
	path::{Path, PathBuf},
	time::Duration,
};

/// Where the kernel shows the counters.
pub const POWERCAP: &str = "/sys/class/powercap";

/// More than a package can take. A counter that runs faster is not believed, and a gap in which one
/// at this power could have gone round is not measured.
const MOST_WATTS: u64 = 1000;
/// Most packages; what lies behind the path need not be a kernel's.
const MOST_PACKAGES: usize = 256;
/// Most entries of the folder that are looked at.
const MOST_ENTRIES: usize = 4096;

/// Why there is no figure of RAPL.
#[derive(Debug, thiserror::Error)]
pub enum RaplError {
	/// No package has a counter: another processor, a virtual machine, a kernel without powercap.
	#[error("{} has no package with an energy counter", .0.display())]
	Absent(PathBuf),
	/// A counter may not be read.
	#[error(
		"{} may not be read: the kernel shows it to root alone; let the worker's group read it as \
		 docs/energy.md says",
		.0.display()
	)]
	Denied(PathBuf),
	/// A counter went away, or what it holds is no number.
	#[error("{}: {reason}", .path.display())]
	Unreadable {
		/// The file.
		path: PathBuf,
		/// What was wrong.
		reason: String,
	},
	/// A counter shows what it cannot have counted.
	#[error("{}: {reason}", .path.display())]
	Implausible {
		/// The file.
		path: PathBuf,
		/// What was wrong.
		reason: String,
	},
}

type Read = fn(&Path) -> io::Result<String>;

/// The counters of all packages.
#[derive(Debug)]
pub struct Rapl {
	packages: Vec<Package>,
	read: Read,
}

#[derive(Debug)]
struct Package {
	energy: PathBuf,
	/// The largest value in microjoules, after which it begins at 0.
	range: Option<u64>,
	last: u64,
}

impl Rapl {
	/// Finds the packages under `root` ([`POWERCAP`]) and begins to count.
	///
	/// Counts zones whose name begins with `package-`. Their parts (`core`, `uncore`, `dram`) and the
	/// platform (`psys`) are zones of their own and contain or are contained in packages; a package
	/// that is shown by two drivers is counted once.
	pub fn open(root: &Path) -> Result<Self, RaplError> {
		Self::open_with(root, read_small)
	}

	pub(crate) fn open_with(root: &Path, read: Read) -> Result<Self, RaplError> {
		let absent = || RaplError::Absent(root.to_path_buf());
		let entries = fs::read_dir(root).map_err(|_| absent())?;
		let mut folders: Vec<PathBuf> =
			entries.flatten().take(MOST_ENTRIES).map(|entry| entry.path()).collect();
		// The register behind `intel-rapl` is the older and finer one; `intel-rapl-mmio` repeats it.
		folders.sort_by_key(|folder| {
			let name = folder.file_name().unwrap_or_default().to_os_string();
			(name.to_string_lossy().contains("mmio"), name)
		});
		let mut by_name = BTreeMap::new();
		for folder in folders {
			let Ok(name) = read(&folder.join("name")) else { continue };
			let name = name.trim();
			if name.starts_with("package-") && by_name.len() < MOST_PACKAGES {
				by_name.entry(name.to_string()).or_insert(folder);
			}
		}
		if by_name.is_empty() {
			return Err(absent());
		}
		let packages = by_name
			.into_values()
			.map(|folder| {
				// Without a range a counter that goes back has been reset.
				let range = read(&folder.join("max_energy_range_uj"))
					.ok()
					.and_then(|text| text.trim().parse().ok())
					.filter(|range| *range > 0);
				Package { energy: folder.join("energy_uj"), range, last: 0 }
			})
			.collect();
		let mut rapl = Self { packages, read };
		rapl.restart()?;
		Ok(rapl)
	}

	/// Number of packages.
	pub fn packages(&self) -> usize {
		self.packages.len()
	}

	/// Counts from now on.
	pub fn restart(&mut self) -> Result<(), RaplError> {
		let values = self.values()?;
		for (package, value) in self.packages.iter_mut().zip(values) {
			package.last = value;
		}
		Ok(())
	}

	/// Microjoules of all packages since the last call, which was `elapsed` ago.
	///
	/// A counter that went round once is followed. After an error it takes [`Rapl::restart`] to go on.
	pub fn advance(&mut self, elapsed: Duration) -> Result<u64, RaplError> {
		let values = self.values()?;
		let mut sum = 0u64;
		for (package, value) in self.packages.iter().zip(&values) {
			sum = sum.saturating_add(package.since_last(*value, elapsed)?);
		}
		for (package, value) in self.packages.iter_mut().zip(values) {
			package.last = value;
		}
		Ok(sum)
	}

	fn values(&self) -> Result<Vec<u64>, RaplError> {
		self.packages.iter().map(|package| package.value(self.read)).collect()
	}
}

impl Package {
	fn value(&self, read: Read) -> Result<u64, RaplError> {
		let text = read(&self.energy).map_err(|error| match error.kind() {
			io::ErrorKind::PermissionDenied => RaplError::Denied(self.energy.clone()),
			_ => self.unreadable(error.to_string()),
		})?;
		let value: u64 = text.trim().parse().map_err(|_| {
			let shown: String = text.trim().chars().take(32).collect();
			self.unreadable(format!("{shown:?} is no number of microjoules"))
		})?;
		match self.range {
			Some(range) if value > range => {
				Err(self.implausible(format!("{value} µJ lie beyond its range of {range}")))
			}
			_ => Ok(value),
		}
	}

	fn since_last(&self, value: u64, elapsed: Duration) -> Result<u64, RaplError> {
		let micros = u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX);
		// A watt is a microjoule a microsecond. One millisecond more, since counters move in steps.
		let most = micros.saturating_add(1000).saturating_mul(MOST_WATTS);
		let counted = match self.range {
			Some(range) if most >= range => {
				return Err(self.implausible(format!("it may have gone round in {elapsed:?}")));
			}
			_ if value >= self.last => value - self.last,
			Some(range) => range.saturating_sub(self.last).saturating_add(value),
			None => return Err(self.implausible("it went back".into())),
		};
		if counted > most {
			return Err(self.implausible(format!("{counted} µJ in {elapsed:?}")));
		}
		Ok(counted)
	}

	fn unreadable(&self, reason: String) -> RaplError {
		RaplError::Unreadable { path: self.energy.clone(), reason }
	}

	fn implausible(&self, reason: String) -> RaplError {
		RaplError::Implausible { path: self.energy.clone(), reason }
	}
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;

	fn zone(root: &Path, folder: &str, name: &str, energy: &str, range: &str) {
		let folder = root.join(folder);
		fs::create_dir_all(&folder).unwrap();
		fs::write(folder.join("name"), format!("{name}\n")).unwrap();
		fs::write(folder.join("energy_uj"), format!("{energy}\n")).unwrap();
		fs::write(folder.join("max_energy_range_uj"), format!("{range}\n")).unwrap();
	}

	#[test]
	fn a_counter_that_may_not_be_read_should_say_so() {
		let root = tempfile::tempdir().unwrap();
		zone(root.path(), "intel-rapl:0", "package-0", "1", "1000000");
		// By hand, since root may read everything.
		let read: Read = |path| {
			if path.ends_with("energy_uj") {
				Err(io::Error::from(io::ErrorKind::PermissionDenied))
			} else {
				read_small(path)
			}
		};
		let error = Rapl::open_with(root.path(), read).unwrap_err();
		assert!(matches!(error, RaplError::Denied(_)));
		assert!(error.to_string().contains("docs/energy.md"));
	}
}
