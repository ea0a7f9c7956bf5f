//! Where a package's files come from: a folder, or memory.

use super::{fault, map::Map};
use crate::error::{EngineError, Result};
use std::{
	collections::BTreeMap,
	fs::{self, File},
	io::{self, Read},
	ops::Range,
	path::{Path, PathBuf},
};

/// Largest tokenizer that is read, in bytes.
pub(super) const MAX_TOKENIZER: usize = 64 << 20;
/// Largest chat template that is read, in bytes.
pub(super) const MAX_TEMPLATE: usize = 1 << 20;

pub(super) enum Source {
	Folder(PathBuf),
	Memory(BTreeMap<String, Vec<u8>>),
}

/// A file of weights.
pub(super) enum Bytes {
	Mapped(Map),
	Memory(Vec<u8>),
}

impl Bytes {
	/// All bytes; `label` names the file in an error.
	pub(super) fn get(&self, label: &str) -> Result<&[u8]> {
		match self {
			Self::Mapped(map) => map.bytes().map_err(|error| match error.kind() {
				io::ErrorKind::UnexpectedEof => fault(
					label,
					"length",
					format!("{error}; a package must not change while it is open: open it again"),
				),
				_ => EngineError::Io { path: label.into(), source: error },
			}),
			Self::Memory(bytes) => Ok(bytes),
		}
	}

	pub(super) fn release(&self, range: Range<usize>) {
		if let Self::Mapped(map) = self {
			map.release(range);
		}
	}
}

impl Source {
	/// How an error names a file.
	pub(super) fn label(&self, name: &str) -> String {
		match self {
			Self::Folder(dir) => dir.join(name).display().to_string(),
			Self::Memory(_) => name.to_owned(),
		}
	}

	/// A file that has to be there, copied; at most `limit` bytes.
	pub(super) fn small(&mut self, name: &str, limit: usize) -> Result<Vec<u8>> {
		let label = self.label(name);
		let missing = || fault(&label, "file", "is missing; every package holds one");
		let too_large =
			|len: u64| fault(&label, "length", format!("{len} bytes; at most {limit} are read"));
		match self {
			Self::Memory(files) => {
				let bytes = files.remove(name).ok_or_else(missing)?;
				if bytes.len() > limit {
					return Err(too_large(bytes.len() as u64));
				}
				Ok(bytes)
			}
			Self::Folder(dir) => {
				let path = dir.join(name);
				let (file, len) = regular(&path)?.ok_or_else(missing)?;
				if len > limit as u64 {
					return Err(too_large(len));
				}
				let mut bytes = Vec::with_capacity(len as usize);
				file.take(limit as u64 + 1)
					.read_to_end(&mut bytes)
					.map_err(|source| EngineError::Io { path, source })?;
				if bytes.len() > limit {
					return Err(too_large(bytes.len() as u64));
				}
				Ok(bytes)
			}
		}
	}

	/// A file of weights, if it is there.
	pub(super) fn weights(&mut self, name: &str) -> Result<Option<Bytes>> {
		match self {
			Self::Memory(files) => Ok(files.remove(name).map(Bytes::Memory)),
			Self::Folder(dir) => {
				let path = dir.join(name);
				let Some((file, len)) = regular(&path)? else { return Ok(None) };
				// An empty file can't be mapped everywhere; the header's reader refuses it.
				if len == 0 {
					return Ok(Some(Bytes::Memory(Vec::new())));
				}
				if usize::try_from(len).is_err() {
					let reason = format!("{len} bytes are more than this machine can address");
					return Err(fault(path.display(), "length", reason));
				}
				let map = Map::new(file).map_err(|source| EngineError::Io { path, source })?;
				Ok(Some(Bytes::Mapped(map)))
			}
		}
	}
}

/// Opens a regular file and gives its length; `None` where there is nothing. A link is refused: what
/// is verified must not be what another folder's owner can exchange, and a pipe or a device would
/// never end.
fn regular(path: &Path) -> Result<Option<(File, u64)>> {
	let failed = |source| EngineError::Io { path: path.to_owned(), source };
	let refuse =
		|what: &str| Err(fault(path.display(), "file", format!("is {what}; copy the file here")));
	let found = match fs::symlink_metadata(path) {
		Ok(found) => found,
		Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
		Err(error) => return Err(failed(error)),
	};
	if found.file_type().is_symlink() {
		return refuse("a symbolic link");
	}
	if !found.is_file() {
		return refuse("no regular file");
	}
	let file = File::open(path).map_err(failed)?;
	let opened = file.metadata().map_err(failed)?;
	if !opened.is_file() {
		return refuse("no regular file");
	}
	Ok(Some((file, opened.len())))
}
