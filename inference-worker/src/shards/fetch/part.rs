//! A file of weights that is on its way: `NAME.part`, and beside it `NAME.part.journal`, which says which
//! chunks are there.
//!
//! The journal is appended to and never changed: magic, a hash of what the file is to be, then a record a
//! chunk: its number and its leaf. Whoever resumes reads each recorded chunk again and compares with its
//! leaf, so that neither a crash of the machine nor a torn write can make anything pass that isn't
//! there; what does not match is fetched again.

use super::{
	disk::{is_full, Disk},
	error::io_error,
	layout::FileLayout,
	FetchError,
};
use crate::limits::Governor;
use aria_engine::package::TensorDigest;
use aria_primitives::{
	hashing::{leaf_hash, sha256},
	manifest::Manifest,
	ModelId,
};
use sp_core::H256;
use std::{
	fs::{self, File, OpenOptions},
	io::{self, BufReader, ErrorKind, Read, Seek, SeekFrom, Write},
	os::unix::fs::FileExt,
	path::{Path, PathBuf},
	sync::{Arc, Mutex, MutexGuard, PoisonError},
};

const MAGIC: &[u8; 8] = b"ARIAPART";
/// Magic and hash.
const JOURNAL_HEAD: u64 = 8 + 32;
/// Number of a chunk, u64, little-endian, and its leaf.
const RECORD: usize = 8 + 32;
/// Chunks between two calls that bring everything to the disk.
const SYNC_EVERY: usize = 64;
/// Bytes that are read at a time when the file is checked as a whole.
const PIECE: usize = 1 << 20;

/// A file on its way.
pub(super) struct PartFile {
	pub(super) layout: FileLayout,
	path: PathBuf,
	journal: PathBuf,
	target: PathBuf,
	file: File,
	disk: Arc<dyn Disk>,
	state: Mutex<State>,
}

struct State {
	journal: File,
	here: Bits,
	missing: usize,
	bytes: u64,
	unsynced: usize,
}

/// What [`PartFile::finish`] found.
pub(super) enum Finished {
	/// The file is whole and has its name.
	Whole,
	/// Chunks were damaged on the disk and have to be fetched again.
	Damaged,
}

/// The name of a file on its way.
pub(super) fn part_path(dir: &Path, name: &str) -> PathBuf {
	dir.join(format!("{name}.part"))
}

impl PartFile {
	/// Begins a file in folder `dir`, or takes up what is there of it; blocks.
	///
	/// # Errors
	/// What the system refuses, a full disk among it.
	pub(super) fn open(
		dir: &Path,
		layout: FileLayout,
		model: &ModelId,
		disk: Arc<dyn Disk>,
		governor: &Governor,
	) -> Result<Self, FetchError> {
		let path = part_path(dir, &layout.name);
		let journal_path = dir.join(format!("{}.part.journal", layout.name));
		let target = dir.join(&layout.name);
		let mut options = OpenOptions::new();
		options.read(true).write(true).create(true).truncate(false);
		let file = options.open(&path).map_err(io_error(&path))?;
		let journal = options.open(&journal_path).map_err(io_error(&journal_path))?;

		let here = Bits::new(layout.chunks);
		let missing = layout.chunks;
		let state = State { journal, here, missing, bytes: 0, unsynced: 0 };
		let part = Self {
			layout,
			path,
			journal: journal_path,
			target,
			file,
			disk,
			state: Mutex::new(state),
		};
		part.resume(&part.identity(model), governor)?;
		Ok(part)
	}

	/// Another model, another file or another release that writes headers otherwise: nothing of that is
	/// taken up.
	fn identity(&self, model: &ModelId) -> H256 {
		let mut bytes = model.as_bytes().to_vec();
		bytes.extend_from_slice(&self.layout.header);
		sha256(&bytes)
	}

	fn resume(&self, identity: &H256, governor: &Governor) -> Result<(), FetchError> {
		let mut state = self.state();
		let len = self.file.metadata().map_err(io_error(&self.path))?.len();
		let head = [&MAGIC[..], identity.as_bytes()].concat();
		let mut found = vec![0; head.len()];
		let known = match state.journal.read_exact(&mut found) {
			Ok(()) => found == head,
			Err(error) if error.kind() == ErrorKind::UnexpectedEof => false,
			Err(error) => return Err(io_error(&self.journal)(error)),
		};
		if !known || len != self.layout.len {
			self.file
				.set_len(0)
				.and_then(|()| self.file.set_len(self.layout.len))
				.map_err(|error| self.failed(&self.path, error, &state))?;
			let fresh = |journal: &mut File| {
				journal.set_len(0)?;
				journal.rewind()?;
				journal.write_all(&head)
			};
			let result = fresh(&mut state.journal);
			result.map_err(|error| self.failed(&self.journal, error, &state))?;
		} else {
			self.reread(&mut state, governor)?;
		}
		self.disk
			.write_at(&self.file, &self.layout.header, 0)
			.map_err(|error| self.failed(&self.path, error, &state))
	}

	/// Looks up which recorded chunks are on the disk as they were proved.
	fn reread(&self, state: &mut State, governor: &Governor) -> Result<(), FetchError> {
		let failed = || io_error(&self.journal);
		state.here = Bits::new(self.layout.chunks);
		(state.missing, state.bytes) = (self.layout.chunks, 0);
		let len = state.journal.metadata().map_err(failed())?.len();
		// A chunk may be recorded again after it was damaged; more than that nobody wrote.
		let records = len.saturating_sub(JOURNAL_HEAD) / RECORD as u64;
		let records = records.min((self.layout.chunks as u64).saturating_mul(4));
		state.journal.seek(SeekFrom::Start(JOURNAL_HEAD)).map_err(failed())?;
		let mut reader = BufReader::new(&state.journal);
		let (mut record, mut bytes) = ([0u8; RECORD], Vec::new());
		let (mut here, mut missing, mut total) = (state.here.clone(), state.missing, 0u64);
		for _ in 0..records {
			reader.read_exact(&mut record).map_err(failed())?;
			let Some((number, leaf)) = record.split_first_chunk::<8>() else { continue };
			let Ok(chunk) = usize::try_from(u64::from_le_bytes(*number)) else { continue };
			let Some(place) = self.layout.place(chunk).filter(|_| !here.has(chunk)) else {
				continue;
			};
			bytes.resize(place.len, 0);
			governor.cpu().acquire_blocking();
			self.file.read_exact_at(&mut bytes, place.at).map_err(io_error(&self.path))?;
			if leaf_hash(&bytes).as_bytes() == leaf {
				here.set(chunk);
				missing = missing.saturating_sub(1);
				total = total.saturating_add(place.len as u64);
			}
		}
		drop(reader);
		(state.here, state.missing, state.bytes) = (here, missing, total);
		// Half a record may be at the end.
		let end = JOURNAL_HEAD + records * RECORD as u64;
		state.journal.set_len(end).map_err(failed())?;
		state.journal.seek(SeekFrom::Start(end)).map_err(failed())?;
		Ok(())
	}

	/// Writes a chunk that was proved, whose leaf is `leaf`; blocks. Gives the bytes that are new.
	///
	/// # Errors
	/// What the system refuses, a full disk among it.
	pub(super) fn put(&self, chunk: usize, bytes: &[u8], leaf: &H256) -> Result<u64, FetchError> {
		let Some(place) = self.layout.place(chunk).filter(|place| place.len == bytes.len()) else {
			return Ok(0);
		};
		let written = self.disk.write_at(&self.file, bytes, place.at);
		let mut state = self.state();
		written.map_err(|error| self.failed(&self.path, error, &state))?;
		if state.here.has(chunk) {
			return Ok(0);
		}
		let mut record = (chunk as u64).to_le_bytes().to_vec();
		record.extend_from_slice(leaf.as_bytes());
		let noted = state.journal.write_all(&record);
		noted.map_err(|error| self.failed(&self.journal, error, &state))?;
		state.here.set(chunk);
		state.missing = state.missing.saturating_sub(1);
		state.bytes = state.bytes.saturating_add(bytes.len() as u64);
		state.unsynced += 1;
		if state.unsynced >= SYNC_EVERY {
			self.sync(&mut state)?;
		}
		Ok(bytes.len() as u64)
	}

	fn sync(&self, state: &mut State) -> Result<(), FetchError> {
		self.file.sync_data().map_err(|error| self.failed(&self.path, error, state))?;
		state.journal.sync_data().map_err(|error| self.failed(&self.journal, error, state))?;
		state.unsynced = 0;
		Ok(())
	}

	/// Checks the whole file against `manifest`, gives it its name and removes the journal; blocks.
	///
	/// # Errors
	/// What the system refuses; values that no engine takes although they are the manifest's.
	pub(super) fn finish(
		&self,
		manifest: &Manifest,
		governor: &Governor,
	) -> Result<Finished, FetchError> {
		let mut state = self.state();
		self.sync(&mut state)?;
		if let Err(reason) = self.check(manifest, governor)? {
			self.reread(&mut state, governor)?;
			if state.missing > 0 {
				return Ok(Finished::Damaged);
			}
			return Err(FetchError::BadModel { path: self.path.clone(), reason });
		}
		self.file.sync_all().map_err(io_error(&self.path))?;
		fs::rename(&self.path, &self.target).map_err(io_error(&self.target))?;
		if let Err(error) = fs::remove_file(&self.journal) {
			tracing::debug!(target: crate::shards::LOG, %error, "a journal stays");
		}
		if let Some(dir) = self.target.parent() {
			sync_folder(dir)?;
		}
		Ok(Finished::Whole)
	}

	/// What is wrong with the file's values or roots, if anything.
	fn check(
		&self,
		manifest: &Manifest,
		governor: &Governor,
	) -> Result<Result<(), String>, FetchError> {
		let mut buffer = vec![0; PIECE];
		for piece in &self.layout.pieces {
			let mut digest = TensorDigest::new(&piece.layout);
			let (mut at, mut left) = (piece.at, piece.layout.len);
			while left > 0 {
				let Some(buffer) = buffer.get_mut(..left.min(PIECE)) else { break };
				governor.cpu().acquire_blocking();
				self.file.read_exact_at(buffer, at).map_err(io_error(&self.path))?;
				if let Err(reason) = digest.update(buffer) {
					return Ok(Err(format!("{}: {reason}", piece.layout.name())));
				}
				at = at.saturating_add(buffer.len() as u64);
				left = left.saturating_sub(buffer.len());
			}
			let root = match digest.finish() {
				Ok(root) => root,
				Err(reason) => return Ok(Err(format!("{}: {reason}", piece.layout.name()))),
			};
			if manifest.tensors.get(piece.tensor).is_none_or(|tensor| tensor.root != root) {
				return Ok(Err(format!("{}: another root", piece.layout.name())));
			}
		}
		Ok(Ok(()))
	}

	/// Whether chunk `chunk` is there.
	pub(super) fn has(&self, chunk: usize) -> bool {
		self.state().here.has(chunk)
	}

	/// Chunks that are not there.
	pub(super) fn missing(&self) -> usize {
		self.state().missing
	}

	/// Bytes of the data that are there.
	pub(super) fn bytes(&self) -> u64 {
		self.state().bytes
	}

	/// Brings what is there to the disk; for a transfer that ends early.
	pub(super) fn pause(&self) {
		// What is not on the disk after a crash is fetched again.
		let _ = self.sync(&mut self.state());
	}

	fn failed(&self, path: &Path, error: io::Error, state: &State) -> FetchError {
		if is_full(&error) {
			let missing = self.layout.data().saturating_sub(state.bytes);
			return FetchError::DiskFull { path: path.to_owned(), missing };
		}
		io_error(path)(error)
	}

	fn state(&self) -> MutexGuard<'_, State> {
		self.state.lock().unwrap_or_else(PoisonError::into_inner)
	}
}

/// Writes a small file beside its name and then gives it the name; blocks.
///
/// # Errors
/// What the system refuses, a full disk among it.
pub(super) fn write_small(
	dir: &Path,
	name: &str,
	bytes: &[u8],
	disk: &dyn Disk,
) -> Result<(), FetchError> {
	let (path, target) = (part_path(dir, name), dir.join(name));
	let write = || {
		let file = File::create(&path)?;
		disk.write_at(&file, bytes, 0)?;
		file.sync_all()
	};
	write().map_err(|error| match is_full(&error) {
		true => FetchError::DiskFull { path: target.clone(), missing: bytes.len() as u64 },
		false => io_error(&path)(error),
	})?;
	fs::rename(&path, &target).map_err(io_error(&target))?;
	sync_folder(dir)
}

fn sync_folder(dir: &Path) -> Result<(), FetchError> {
	File::open(dir).and_then(|folder| folder.sync_all()).map_err(io_error(dir))
}

/// A set of small numbers.
#[derive(Clone)]
struct Bits(Vec<u64>);

impl Bits {
	fn new(count: usize) -> Self {
		Self(vec![0; count.div_ceil(64)])
	}

	fn has(&self, index: usize) -> bool {
		self.0.get(index / 64).is_some_and(|word| (word >> (index % 64)) & 1 == 1)
	}

	fn set(&mut self, index: usize) {
		if let Some(word) = self.0.get_mut(index / 64) {
			*word |= 1 << (index % 64);
		}
	}
}
