//! Files that nobody but their owner reads.

use anyhow::{ensure, Context, Result};
use std::{
	fs::{self, File, OpenOptions},
	io::{ErrorKind, Read, Write},
	path::Path,
};

/// Most bytes of a secret.
const MAX_BYTES: u64 = 64 << 10;

/// The text in `path`, or `None` if there is no such file.
///
/// # Errors
/// A file that others may read, that is no text, or that does not open.
pub fn read(path: &Path) -> Result<Option<String>> {
	let shown = path.display();
	let file = match File::open(path) {
		Ok(file) => file,
		Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
		Err(error) => return Err(error).with_context(|| format!("{shown} does not open")),
	};
	#[cfg(unix)]
	{
		use std::os::unix::fs::PermissionsExt as _;
		let metadata = file.metadata().with_context(|| format!("{shown}"))?;
		let mode = metadata.permissions().mode() & 0o777;
		ensure!(
			mode & 0o077 == 0,
			"{shown} can be read by others (mode {mode:o}): run `chmod 600 {shown}`"
		);
	}
	let mut text = String::new();
	file.take(MAX_BYTES)
		.read_to_string(&mut text)
		.with_context(|| format!("{shown} is no text"))?;
	Ok(Some(text))
}

/// Writes `text` to the new file `path`, mode 0600, whole or not at all; its folder is made. Whether it
/// was written: a file that is there stays as it is.
///
/// # Errors
/// Whatever the system refuses.
pub fn create(path: &Path, text: &str) -> Result<bool> {
	let beside = written_beside(path, text)?;
	let linked = fs::hard_link(&beside, path);
	let removed = fs::remove_file(&beside);
	match linked {
		Ok(()) => {
			removed.with_context(|| format!("{}", beside.display()))?;
			Ok(true)
		}
		Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
		Err(error) => Err(error).with_context(|| format!("{} can't be made", path.display())),
	}
}

/// Writes `text` to `path`, mode 0600, in place of what is there; a reader sees the one or the other.
///
/// # Errors
/// Whatever the system refuses.
pub fn replace(path: &Path, text: &str) -> Result<()> {
	let beside = written_beside(path, text)?;
	fs::rename(&beside, path).with_context(|| format!("{} can't be written", path.display()))
}

fn written_beside(path: &Path, text: &str) -> Result<std::path::PathBuf> {
	if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
		fs::create_dir_all(folder).with_context(|| format!("{}", folder.display()))?;
	}
	let mut beside = path.as_os_str().to_owned();
	beside.push(format!(".{}.new", std::process::id()));
	let beside = std::path::PathBuf::from(beside);
	let mut options = OpenOptions::new();
	options.write(true).create(true).truncate(true);
	#[cfg(unix)]
	std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
	options
		.open(&beside)
		.and_then(|mut file| {
			file.write_all(text.as_bytes())?;
			file.sync_all()
		})
		.with_context(|| format!("{} can't be written", beside.display()))?;
	Ok(beside)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;

	#[test]
	fn secrets_should_be_written_once_and_for_their_owner() {
		let dir = tempfile::tempdir().unwrap();
		let path = dir.path().join("a/secret");
		assert_eq!(read(&path).unwrap(), None);
		assert!(create(&path, "one").unwrap());
		assert!(!create(&path, "two").unwrap());
		assert_eq!(read(&path).unwrap().as_deref(), Some("one"));
		replace(&path, "three").unwrap();
		assert_eq!(read(&path).unwrap().as_deref(), Some("three"));
		assert_eq!(fs::read_dir(dir.path().join("a")).unwrap().count(), 1);
	}

	#[cfg(unix)]
	#[test]
	fn files_that_others_read_should_be_refused() {
		use std::os::unix::fs::PermissionsExt as _;
		let dir = tempfile::tempdir().unwrap();
		let path = dir.path().join("open");
		fs::write(&path, "secret").unwrap();
		fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
		let error = read(&path).unwrap_err().to_string();
		assert!(error.contains("chmod 600"), "{error}");
	}
}
