//! Whether the contributor paused the worker: kept in a file, so that it outlives the process.

use anyhow::{Context, Result};
use std::{fs, io::ErrorKind, path::Path};

const FILE: &str = "paused";

/// Whether it is paused. A file that can't be looked at counts as one that is there.
pub fn read(base: &Path) -> bool {
	!matches!(fs::metadata(base.join(FILE)), Err(error) if error.kind() == ErrorKind::NotFound)
}

/// Keeps whether it is paused.
///
/// # Errors
/// Whatever the system refuses.
pub fn write(base: &Path, paused: bool) -> Result<()> {
	let path = base.join(FILE);
	let result = if paused {
		fs::write(&path, "aria-worker resume removes this\n")
	} else {
		match fs::remove_file(&path) {
			Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
			result => result,
		}
	};
	result.with_context(|| format!("{} can't be changed", path.display()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;

	#[test]
	fn a_pause_should_outlive_the_process() {
		let dir = tempfile::tempdir().unwrap();
		assert!(!read(dir.path()));
		write(dir.path(), true).unwrap();
		write(dir.path(), true).unwrap();
		assert!(read(dir.path()));
		write(dir.path(), false).unwrap();
		write(dir.path(), false).unwrap();
		assert!(!read(dir.path()));
	}
}
