//! What passed between stages, on disk.
//!
//! Positions to open are known only two windows after the commitment. Until then activations lie in a
//! file, each at a place that follows from boundary and leaf: nothing is computed twice, and memory
//! stays that of one stage. It holds what prompts can be had back from, and is its owner's alone.

use super::Subject;
use crate::error::{EngineError, Result};
use std::{
	fs::{self, File, OpenOptions},
	io::{self, Read, Seek, SeekFrom, Write},
	path::{Path, PathBuf},
};

/// Bytes of a value.
const FLOAT: u64 = 4;

/// Where everything lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Layout {
	/// Values of a leaf.
	hidden: u64,
	/// Boundaries, from 1.
	boundaries: u16,
	/// Leaves of each but the last.
	positions: u64,
	/// Leaves of the last.
	drawn: u64,
}

impl Layout {
	fn of(subject: &Subject<'_>) -> Self {
		Self {
			hidden: subject.hidden.into(),
			boundaries: subject.stages(),
			positions: subject.positions().into(),
			drawn: subject.body.output_tokens.into(),
		}
	}

	/// Leaves of a boundary; 0 if there is none.
	fn leaves(&self, boundary: u16) -> u64 {
		match boundary {
			0 => 0,
			inner if inner < self.boundaries => self.positions,
			last if last == self.boundaries => self.drawn,
			_ => 0,
		}
	}

	/// Where `count` leaves from `leaf` on lie, and how many bytes they have; `None` if there are not
	/// so many.
	fn place(&self, boundary: u16, leaf: u64, count: u64) -> Option<(u64, u64)> {
		let end = leaf.checked_add(count)?;
		if end > self.leaves(boundary) {
			return None;
		}
		let width = self.hidden.checked_mul(FLOAT)?;
		let before = self.positions.checked_mul(u64::from(boundary.checked_sub(1)?))?;
		let start = before.checked_add(leaf)?.checked_mul(width)?;
		Some((start, count.checked_mul(width)?))
	}

	/// Bytes of the file.
	fn bytes(&self) -> Option<u64> {
		let inner = self.positions.checked_mul(self.boundaries.checked_sub(1)?.into())?;
		inner.checked_add(self.drawn)?.checked_mul(self.hidden)?.checked_mul(FLOAT)
	}
}

/// The file of one audit.
#[derive(Debug)]
pub(super) struct Spool {
	path: PathBuf,
	file: File,
	layout: Layout,
	buffer: Vec<u8>,
}

impl Spool {
	/// A new file, in place of what is there.
	pub fn create(path: &Path, subject: &Subject<'_>) -> Result<Self> {
		let mut options = OpenOptions::new();
		options.read(true).write(true).create(true).truncate(true);
		#[cfg(unix)]
		std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
		let file = options.open(path).map_err(|source| failed(path, source))?;
		Ok(Self { path: path.to_owned(), file, layout: Layout::of(subject), buffer: Vec::new() })
	}

	/// A file that an earlier process filled.
	pub fn open(path: &Path, subject: &Subject<'_>) -> Result<Self> {
		let file = File::open(path).map_err(|source| failed(path, source))?;
		let found = file.metadata().map_err(|source| failed(path, source))?.len();
		let layout = Layout::of(subject);
		if layout.bytes() != Some(found) {
			let source = io::Error::new(io::ErrorKind::InvalidData, "it is not whole: run again");
			return Err(failed(path, source));
		}
		Ok(Self { path: path.to_owned(), file, layout, buffer: Vec::new() })
	}

	/// Bytes that the file of `subject` takes.
	pub fn bytes(subject: &Subject<'_>) -> Option<u64> {
		Layout::of(subject).bytes()
	}

	/// Writes leaves from `leaf` on: `[leaves, hidden]`.
	pub fn write(&mut self, boundary: u16, leaf: u32, values: &[f32]) -> Result<()> {
		let width = self.layout.hidden.max(1);
		let count = (values.len() as u64) / width;
		let (start, _) = self.place(boundary, leaf, count)?;
		self.buffer.clear();
		self.buffer.extend(values.iter().flat_map(|value| value.to_le_bytes()));
		self.file
			.seek(SeekFrom::Start(start))
			.and_then(|_| self.file.write_all(&self.buffer))
			.map_err(|source| failed(&self.path, source))
	}

	/// Reads `count` leaves from `leaf` on into `values`: `[count, hidden]`.
	pub fn read(
		&mut self,
		boundary: u16,
		leaf: u32,
		count: u32,
		values: &mut Vec<f32>,
	) -> Result<()> {
		let (start, bytes) = self.place(boundary, leaf, count.into())?;
		let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
		self.buffer.clear();
		self.file.seek(SeekFrom::Start(start)).map_err(|source| failed(&self.path, source))?;
		// Read as far as the file goes: a length is allocated only as it arrives.
		let read = (&self.file)
			.take(bytes as u64)
			.read_to_end(&mut self.buffer)
			.map_err(|source| failed(&self.path, source))?;
		if read != bytes {
			let source = io::Error::from(io::ErrorKind::UnexpectedEof);
			return Err(failed(&self.path, source));
		}
		values.clear();
		values.extend(self.buffer.chunks_exact(4).filter_map(|bytes| {
			let bytes: [u8; 4] = bytes.try_into().ok()?;
			Some(f32::from_le_bytes(bytes))
		}));
		Ok(())
	}

	/// Everything is on the disk when this returns.
	pub fn sync(&self) -> Result<()> {
		self.file.sync_all().map_err(|source| failed(&self.path, source))
	}

	/// Removes the file; one that is gone is removed.
	pub fn remove(path: &Path) -> Result<()> {
		match fs::remove_file(path) {
			Err(source) if source.kind() != io::ErrorKind::NotFound => Err(failed(path, source)),
			_ => Ok(()),
		}
	}

	fn place(&self, boundary: u16, leaf: u32, count: u64) -> Result<(u64, u64)> {
		self.layout.place(boundary, leaf.into(), count).ok_or_else(|| EngineError::Session {
			reason: format!("boundary {boundary} has no {count} leaves from {leaf} on"),
		})
	}
}

fn failed(path: &Path, source: io::Error) -> EngineError {
	EngineError::Io { path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
	use super::*;

	const LAYOUT: Layout = Layout { hidden: 10, boundaries: 3, positions: 7, drawn: 4 };

	#[test]
	fn places_should_fill_the_file_without_gaps() {
		let mut next = 0;
		for boundary in 1..=3 {
			for leaf in 0..LAYOUT.leaves(boundary) {
				assert_eq!(LAYOUT.place(boundary, leaf, 1), Some((next, 40)));
				next += 40;
			}
		}
		assert_eq!(LAYOUT.bytes(), Some(next));
	}

	#[test]
	fn places_that_are_not_there_should_be_refused() {
		for (boundary, leaf, count) in [(0, 0, 1), (4, 0, 1), (1, 7, 1), (1, 0, 8), (3, 4, 1)] {
			assert_eq!(LAYOUT.place(boundary, leaf, count), None, "{boundary} {leaf} {count}");
		}
		assert_eq!(LAYOUT.place(1, u64::MAX, 2), None);
	}
}
