//! The kernel's own fence: a control group (v2) around this process, where it may make one.
//!
//! The group is a child of the one that the process is in. No other process is moved, and what was
//! changed is changed back when [`Confined`] is dropped.

use super::logical_cpus;
use std::{
	fs::{self, OpenOptions},
	io::{self, Write},
	path::{Path, PathBuf},
	sync::Arc,
};
use tracing::warn;

const ROOT: &str = "/sys/fs/cgroup";
const OWN: &str = "/proc/self/cgroup";
/// The controllers that a group needs.
const CONTROLLERS: [&str; 2] = ["cpu", "memory"];
/// Microseconds over which the kernel holds a quota.
const PERIOD: u64 = 100_000;
/// The kernel's least quota, in microseconds.
const LEAST_QUOTA: u64 = 1_000;
/// Points above the consent's share. The duty cycle keeps the share; the fence is for what it cannot
/// stop, and would only slow down the network if it stood on the same line.
const MARGIN: u64 = 1;

/// Why there is no control group for this process.
#[derive(Debug, thiserror::Error)]
pub enum NotPossible {
	/// No hierarchy of version 2.
	#[error("control groups of version 2 are not mounted at {}", .0.display())]
	NoHierarchy(PathBuf),
	/// The system does not say which group this process is in, or it lies outside what is visible.
	#[error("this process's control group is not visible: {0}")]
	NotVisible(String),
	/// A controller is not handed down to this process's group.
	#[error(
		"the control group {} has no controller {missing:?}; start the worker with \
		 `systemd-run --user --scope -p Delegate=yes`, or as a unit with Delegate=yes",
		.path.display()
	)]
	NoController {
		/// The group.
		path: PathBuf,
		/// The controller.
		missing: &'static str,
	},
	/// Other processes are in the group, and they are not moved.
	#[error(
		"{others} other processes share the control group {}; start the worker in a group of its \
		 own, with `systemd-run --user --scope -p Delegate=yes`",
		.path.display()
	)]
	Shared {
		/// The group.
		path: PathBuf,
		/// How many others.
		others: usize,
	},
	/// The kernel refused a step.
	#[error("{}: {error}", .path.display())]
	Refused {
		/// The file or folder.
		path: PathBuf,
		/// What it said.
		error: io::Error,
	},
}

/// What is needed of a file system, so that a test can be one.
trait Files: Send + Sync {
	fn read(&self, path: &Path) -> io::Result<String>;
	/// Writes to a file that is there.
	fn write(&self, path: &Path, text: &str) -> io::Result<()>;
	fn create_dir(&self, path: &Path) -> io::Result<()>;
	fn remove_dir(&self, path: &Path) -> io::Result<()>;
}

struct Kernel;

impl Files for Kernel {
	fn read(&self, path: &Path) -> io::Result<String> {
		fs::read_to_string(path)
	}

	fn write(&self, path: &Path, text: &str) -> io::Result<()> {
		// The kernel takes a value in one piece.
		OpenOptions::new().write(true).open(path)?.write_all(text.as_bytes())
	}

	fn create_dir(&self, path: &Path) -> io::Result<()> {
		fs::create_dir(path)
	}

	fn remove_dir(&self, path: &Path) -> io::Result<()> {
		fs::remove_dir(path)
	}
}

/// Puts this process into a control group of its own, which gets at most `percent + 1` percent of all
/// logical CPUs, and is slowed down above `memory` bytes (`memory.high`: the kernel takes pages back
/// rather than ending the process).
///
/// Fails with a reason where it may not, and leaves everything as it was.
pub fn confine(percent: u8, memory: u64) -> Result<Confined, NotPossible> {
	confine_with(Arc::new(Kernel), std::process::id(), logical_cpus(), percent, memory)
}

/// A control group around this process, taken away when this is dropped.
pub struct Confined {
	files: Arc<dyn Files>,
	pid: u32,
	cpus: usize,
	/// The group that this process was in.
	parent: PathBuf,
	/// The group that it is in.
	child: PathBuf,
	created: bool,
	moved: bool,
	/// Controllers that were switched on for children of the parent.
	enabled: Vec<&'static str>,
}

impl std::fmt::Debug for Confined {
	fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
		f.debug_struct("Confined").field("path", &self.child).finish_non_exhaustive()
	}
}

impl Confined {
	/// The group's folder.
	pub fn path(&self) -> &Path {
		&self.child
	}

	/// Changes the limits; see [`confine`].
	pub fn set(&self, percent: u8, memory: u64) -> Result<(), NotPossible> {
		self.write(&self.child.join("cpu.max"), &cpu_max(percent, self.cpus))?;
		self.write(&self.child.join("memory.high"), &memory.to_string())
	}

	fn write(&self, path: &Path, text: &str) -> Result<(), NotPossible> {
		self.files.write(path, text).map_err(|error| refused(path, error))
	}
}

impl Drop for Confined {
	fn drop(&mut self) {
		let undo = |what: &Path, result: io::Result<()>| {
			if let Err(error) = result {
				let path = what.display();
				warn!(target: "aria::limits", %path, %error, "a control group was not taken away");
			}
		};
		// A group may not hold processes and hand controllers down at once: this comes first.
		if !self.enabled.is_empty() {
			let control = self.parent.join("cgroup.subtree_control");
			undo(&control, self.files.write(&control, &switches('-', &self.enabled)));
		}
		if self.moved {
			let processes = self.parent.join("cgroup.procs");
			undo(&processes, self.files.write(&processes, &self.pid.to_string()));
		}
		if self.created {
			undo(&self.child, self.files.remove_dir(&self.child));
		}
	}
}

fn refused(path: &Path, error: io::Error) -> NotPossible {
	NotPossible::Refused { path: path.to_path_buf(), error }
}

/// `+cpu +memory`
fn switches(sign: char, controllers: &[&'static str]) -> String {
	let switches: Vec<String> =
		controllers.iter().map(|controller| format!("{sign}{controller}")).collect();
	switches.join(" ")
}

/// Quota and period in microseconds.
fn cpu_max(percent: u8, cpus: usize) -> String {
	let percent = u64::from(percent.clamp(1, 100)).saturating_add(MARGIN);
	if percent >= 100 {
		return format!("max {PERIOD}");
	}
	let cpus = u64::try_from(cpus).unwrap_or(u64::MAX);
	let quota = (PERIOD * percent / 100).saturating_mul(cpus).max(LEAST_QUOTA);
	format!("{quota} {PERIOD}")
}

/// The path of `0::/…` under the root.
fn own_group(files: &dyn Files) -> Result<PathBuf, NotPossible> {
	let text = files.read(Path::new(OWN)).map_err(|error| refused(Path::new(OWN), error))?;
	let Some(path) = text.lines().find_map(|line| line.strip_prefix("0::/")) else {
		return Err(NotPossible::NotVisible(format!("{OWN} names none of version 2")));
	};
	// Outside of a container's root, or removed.
	if path.split('/').any(|part| part == "..") || path.ends_with(" (deleted)") {
		return Err(NotPossible::NotVisible(format!("/{path}")));
	}
	Ok(Path::new(ROOT).join(path))
}

fn confine_with(
	files: Arc<dyn Files>,
	pid: u32,
	cpus: usize,
	percent: u8,
	memory: u64,
) -> Result<Confined, NotPossible> {
	let read = |path: PathBuf| files.read(&path).map_err(|error| refused(&path, error));
	if files.read(&Path::new(ROOT).join("cgroup.controllers")).is_err() {
		return Err(NotPossible::NoHierarchy(PathBuf::from(ROOT)));
	}
	let parent = own_group(files.as_ref())?;
	let available = read(parent.join("cgroup.controllers"))?;
	let missing = CONTROLLERS
		.into_iter()
		.find(|wanted| !available.split_whitespace().any(|name| name == *wanted));
	if let Some(missing) = missing {
		return Err(NotPossible::NoController { path: parent, missing });
	}
	let handed_down = read(parent.join("cgroup.subtree_control"))?;
	let enable: Vec<&'static str> = CONTROLLERS
		.into_iter()
		.filter(|wanted| !handed_down.split_whitespace().any(|name| name == *wanted))
		.collect();
	if !enable.is_empty() {
		let processes = read(parent.join("cgroup.procs"))?;
		let own = pid.to_string();
		let others =
			processes.lines().map(str::trim).filter(|id| !id.is_empty() && *id != own).count();
		if others > 0 {
			return Err(NotPossible::Shared { path: parent, others });
		}
	}

	let child = parent.join(format!("aria-worker-{pid}"));
	let mut confined = Confined {
		files,
		pid,
		cpus,
		parent,
		child,
		created: false,
		moved: false,
		enabled: Vec::new(),
	};
	// From here on a failure drops `confined`, which takes back what was done.
	match confined.files.create_dir(&confined.child) {
		Ok(()) => {}
		// Left by a process that was killed, and had this id.
		Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
		Err(error) => return Err(refused(&confined.child, error)),
	}
	confined.created = true;
	confined.write(&confined.child.join("cgroup.procs"), &pid.to_string())?;
	confined.moved = true;
	if !enable.is_empty() {
		let control = confined.parent.join("cgroup.subtree_control");
		confined.write(&control, &switches('+', &enable))?;
		confined.enabled = enable;
	}
	confined.set(percent, memory)?;
	Ok(confined)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;
	use std::{
		collections::BTreeMap,
		sync::{Mutex, MutexGuard},
	};

	const PID: u32 = 42;
	const PARENT: &str = "/sys/fs/cgroup/user/worker";
	const CHILD: &str = "/sys/fs/cgroup/user/worker/aria-worker-42";

	/// A kernel with one group, and rules that matter.
	struct Fake {
		files: Mutex<BTreeMap<PathBuf, String>>,
		/// Paths that end with this may not be written to.
		denied: Option<&'static str>,
	}

	impl Fake {
		fn new(processes: &str, denied: Option<&'static str>) -> Arc<Self> {
			let files = [
				(OWN.to_string(), "1:name=systemd:/x\n0::/user/worker\n"),
				(format!("{ROOT}/cgroup.controllers"), "cpuset cpu io memory pids\n"),
				(format!("{PARENT}/cgroup.controllers"), "cpu memory pids\n"),
				(format!("{PARENT}/cgroup.subtree_control"), ""),
				(format!("{PARENT}/cgroup.procs"), processes),
			];
			let files =
				files.into_iter().map(|(path, text)| (path.into(), text.to_string())).collect();
			Arc::new(Self { files: Mutex::new(files), denied })
		}

		fn files(&self) -> MutexGuard<'_, BTreeMap<PathBuf, String>> {
			self.files.lock().unwrap()
		}

		fn set(&self, path: &str, text: &str) {
			self.files().insert(path.into(), text.into());
		}

		fn get(&self, path: &str) -> Option<String> {
			self.files().get(Path::new(path)).cloned()
		}

		fn may(&self, path: &Path) -> io::Result<()> {
			match self.denied {
				Some(denied) if path.to_string_lossy().ends_with(denied) => {
					Err(io::ErrorKind::PermissionDenied.into())
				}
				_ => Ok(()),
			}
		}
	}

	impl Files for Fake {
		fn read(&self, path: &Path) -> io::Result<String> {
			self.files().get(path).cloned().ok_or_else(|| io::ErrorKind::NotFound.into())
		}

		fn write(&self, path: &Path, text: &str) -> io::Result<()> {
			self.may(path)?;
			let mut files = self.files();
			if !files.contains_key(path) {
				return Err(io::ErrorKind::NotFound.into());
			}
			let busy = || io::Error::from_raw_os_error(16);
			if path.ends_with("cgroup.procs") {
				let control = path.with_file_name("cgroup.subtree_control");
				if files.get(&control).is_some_and(|names| !names.is_empty()) {
					return Err(busy());
				}
				for (other, processes) in files.iter_mut() {
					if other.ends_with("cgroup.procs") {
						let left: Vec<&str> = processes.lines().filter(|id| *id != text).collect();
						*processes = left.join("\n");
					}
				}
				let processes = files.entry(path.to_path_buf()).or_default();
				processes.push_str(&format!("\n{text}"));
			} else if path.ends_with("cgroup.subtree_control") {
				let processes = path.with_file_name("cgroup.procs");
				if files.get(&processes).is_some_and(|ids| !ids.trim().is_empty()) {
					return Err(busy());
				}
				let names =
					if text.starts_with('+') { text.replace('+', "") } else { String::new() };
				files.insert(path.to_path_buf(), names);
			} else {
				files.insert(path.to_path_buf(), text.to_string());
			}
			Ok(())
		}

		fn create_dir(&self, path: &Path) -> io::Result<()> {
			self.may(path)?;
			for name in ["cgroup.procs", "cgroup.subtree_control", "cpu.max", "memory.high"] {
				self.files().insert(path.join(name), String::new());
			}
			Ok(())
		}

		fn remove_dir(&self, path: &Path) -> io::Result<()> {
			let mut files = self.files();
			if files.get(&path.join("cgroup.procs")).is_some_and(|ids| !ids.trim().is_empty()) {
				return Err(io::Error::from_raw_os_error(16));
			}
			files.retain(|file, _| !file.starts_with(path));
			Ok(())
		}
	}

	fn confine_on(fake: &Arc<Fake>) -> Result<Confined, NotPossible> {
		confine_with(fake.clone(), PID, 4, 25, 1 << 30)
	}

	/// Everything is as it was.
	fn assert_untouched(fake: &Fake) {
		let processes = fake.get(&format!("{PARENT}/cgroup.procs")).unwrap();
		assert!(processes.lines().any(|id| id == "42"), "{processes:?}");
		assert_eq!(fake.get(&format!("{PARENT}/cgroup.subtree_control")).unwrap(), "");
		assert!(fake.files().keys().all(|path| !path.starts_with(CHILD)));
	}

	#[test]
	fn a_process_alone_should_be_confined_and_let_go() {
		let fake = Fake::new("42\n", None);
		let confined = confine_on(&fake).unwrap();
		assert_eq!(confined.path(), Path::new(CHILD));
		assert_eq!(fake.get(&format!("{CHILD}/cgroup.procs")).unwrap().trim(), "42");
		assert_eq!(fake.get(&format!("{PARENT}/cgroup.subtree_control")).unwrap(), "cpu memory");
		// 26 % of four CPUs.
		assert_eq!(fake.get(&format!("{CHILD}/cpu.max")).unwrap(), "104000 100000");
		assert_eq!(fake.get(&format!("{CHILD}/memory.high")).unwrap(), "1073741824");
		confined.set(100, 5).unwrap();
		assert_eq!(fake.get(&format!("{CHILD}/cpu.max")).unwrap(), "max 100000");
		assert_eq!(fake.get(&format!("{CHILD}/memory.high")).unwrap(), "5");
		drop(confined);
		assert_untouched(&fake);
	}

	#[test]
	fn other_processes_should_not_be_moved() {
		let fake = Fake::new("42\n7\n8\n", None);
		let error = confine_on(&fake).unwrap_err();
		assert!(matches!(error, NotPossible::Shared { others: 2, .. }), "{error}");
		assert!(error.to_string().contains("systemd-run"));
		assert_untouched(&fake);
	}

	#[test]
	fn a_refused_step_should_take_back_the_others() {
		for denied in [
			"aria-worker-42",
			"aria-worker-42/cgroup.procs",
			"worker/cgroup.subtree_control",
			"cpu.max",
			"memory.high",
		] {
			let fake = Fake::new("42\n", Some(denied));
			let error = confine_on(&fake).unwrap_err();
			assert!(matches!(error, NotPossible::Refused { .. }), "{denied}: {error}");
			assert_untouched(&fake);
		}
	}

	#[test]
	fn what_is_missing_should_be_named() {
		let fake = Fake::new("42\n", None);
		fake.set(&format!("{PARENT}/cgroup.controllers"), "cpu pids\n");
		let error = confine_on(&fake).unwrap_err();
		assert!(matches!(error, NotPossible::NoController { missing: "memory", .. }), "{error}");
		for own in ["1:cpu:/\n", "0::/../other\n", "0::/gone (deleted)\n", ""] {
			fake.set(OWN, own);
			let error = confine_on(&fake).unwrap_err();
			assert!(matches!(error, NotPossible::NotVisible(_)), "{own:?}: {error}");
		}
		fake.files().remove(Path::new("/sys/fs/cgroup/cgroup.controllers"));
		assert!(matches!(confine_on(&fake), Err(NotPossible::NoHierarchy(_))));
	}

	#[test]
	fn quotas_should_lie_a_point_above_the_share() {
		assert_eq!(cpu_max(1, 1), "2000 100000");
		assert_eq!(cpu_max(50, 8), "408000 100000");
		assert_eq!(cpu_max(99, 8), "max 100000");
		assert_eq!(cpu_max(0, 1), "2000 100000");
	}
}
