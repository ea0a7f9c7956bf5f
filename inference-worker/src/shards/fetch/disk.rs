//! What a transfer asks of the disk, so that a test can have a full one.

use std::{
	fs::File,
	io,
	os::unix::fs::{FileExt, MetadataExt},
	path::Path,
};

/// A disk.
pub trait Disk: Send + Sync + 'static {
	/// Bytes that this user may still write in folder `dir`.
	///
	/// # Errors
	/// What the system refuses.
	fn free(&self, dir: &Path) -> io::Result<u64>;

	/// Writes all of `bytes` at place `at` of `file`.
	///
	/// # Errors
	/// What the system refuses; [`io::ErrorKind::StorageFull`] if there is no room.
	fn write_at(&self, file: &File, bytes: &[u8], at: u64) -> io::Result<()>;
}

/// This machine's.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemDisk;

impl Disk for SystemDisk {
	fn free(&self, dir: &Path) -> io::Result<u64> {
		let disk = rustix::fs::statvfs(dir)?;
		Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
	}

	fn write_at(&self, file: &File, bytes: &[u8], at: u64) -> io::Result<()> {
		file.write_all_at(bytes, at)
	}
}

/// Bytes of disk that the file at `path` takes: fewer than its length where nothing was written yet. 0 for
/// none.
pub(super) fn taken(path: &Path) -> u64 {
	// A block is 512 bytes here, whatever the file system's own are.
	std::fs::metadata(path).map_or(0, |found| found.blocks().saturating_mul(512))
}

/// Whether an error says that there is no room.
pub(super) fn is_full(error: &io::Error) -> bool {
	matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}
