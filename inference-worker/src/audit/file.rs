//! A redb file of one kind, for one chain: what `settle/store` does for settlements, for what audits
//! need.
//!
//! Every change is one transaction that is on disk when the method returns. A file of another kind or
//! chain, or one that is damaged, is refused and never overwritten.

use super::LOG;
use redb::{
	Database, DatabaseError, ReadTransaction, ReadableDatabase, ReadableTable, TableDefinition,
	WriteTransaction,
};
use sp_core::H256;
use std::{
	fs,
	panic::{self, AssertUnwindSafe},
	path::{Path, PathBuf},
	sync::{Mutex, MutexGuard, PoisonError},
};

const META: TableDefinition<&str, &[u8]> = TableDefinition::new("aria/meta");
/// Version of the tables that this release reads and writes.
const SCHEMA: u32 = 1;
/// Bytes that redb keeps of a file in memory.
const CACHE: usize = 8 << 20;

/// Why a file can't be used.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
	/// Another process has it open.
	#[error("{0} is open in another process: stop that one, or use another data folder")]
	InUse(String),
	/// It is not one of these, or of another release.
	#[error("{0} is no file of this kind and release: move it away, or use another data folder")]
	Foreign(String),
	/// It was made for another chain.
	#[error("{0} belongs to another chain: use another data folder")]
	OtherChain(String),
	/// It can't be read.
	#[error("{path} is damaged ({reason}): move it away; what is under audit is passed over then")]
	Damaged {
		/// The file.
		path: String,
		/// What does not fit.
		reason: String,
	},
	/// redb failed.
	#[error("a file of audits failed: {0}; see that its folder is there, writable, and has room")]
	Database(String),
}

macro_rules! from_redb {
	($($error:ty),*) => {
		$(impl From<$error> for FileError {
			fn from(error: $error) -> Self {
				FileError::Database(error.to_string())
			}
		})*
	};
}

from_redb!(redb::CommitError, redb::StorageError, redb::TableError, redb::TransactionError);

/// What kind of file it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kind {
	/// Its name, in the file.
	pub name: &'static str,
	/// Makes its tables, where they are not there.
	pub create: fn(&WriteTransaction) -> Result<(), FileError>,
}

/// A file that is open.
pub(super) struct Shelf {
	path: PathBuf,
	/// `None` after a failure: it is opened again at the next use, as redb asks for.
	database: Mutex<Option<Database>>,
}

impl Shelf {
	/// Opens the file, or makes it.
	pub fn open(path: &Path, kind: Kind, genesis: H256) -> Result<Self, FileError> {
		if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
			let failed = |error: std::io::Error| FileError::Database(error.to_string());
			fs::create_dir_all(folder).map_err(failed)?;
		}
		// What redb takes for impossible in a file it wrote itself, it asserts.
		let opened = panic::catch_unwind(AssertUnwindSafe(|| -> Result<Database, FileError> {
			let database = database(path)?;
			identify(&database, path, kind, genesis)?;
			Ok(database)
		}));
		let database = opened.unwrap_or_else(|_| {
			let reason = "its pages contradict each other".to_owned();
			Err(FileError::Damaged { path: path.display().to_string(), reason })
		})?;
		Ok(Self { path: path.to_owned(), database: Mutex::new(Some(database)) })
	}

	pub fn read<T>(
		&self,
		work: impl FnOnce(&ReadTransaction) -> Result<T, FileError>,
	) -> Result<T, FileError> {
		self.with(|database| work(&database.begin_read()?))
	}

	/// One transaction; none of it after an error.
	pub fn write<T>(
		&self,
		work: impl FnOnce(&WriteTransaction) -> Result<T, FileError>,
	) -> Result<T, FileError> {
		self.with(|database| {
			let transaction = database.begin_write()?;
			let value = work(&transaction)?;
			transaction.commit()?;
			Ok(value)
		})
	}

	fn with<T>(
		&self,
		work: impl FnOnce(&Database) -> Result<T, FileError>,
	) -> Result<T, FileError> {
		let mut open = self.opened();
		let opened = match open.take() {
			Some(database) => database,
			None => database(&self.path)?,
		};
		let result = work(&opened);
		match &result {
			Err(FileError::Database(reason)) => {
				tracing::warn!(target: LOG, %reason, "a file failed; it is opened again");
			}
			_ => *open = Some(opened),
		}
		result
	}

	fn opened(&self) -> MutexGuard<'_, Option<Database>> {
		self.database.lock().unwrap_or_else(PoisonError::into_inner)
	}
}

fn database(path: &Path) -> Result<Database, FileError> {
	let shown = || path.display().to_string();
	Database::builder().set_cache_size(CACHE).create(path).map_err(|error| match error {
		DatabaseError::DatabaseAlreadyOpen => FileError::InUse(shown()),
		// redb says so of a file that does not begin as its own do.
		DatabaseError::Storage(redb::StorageError::Io(error))
			if error.kind() == std::io::ErrorKind::InvalidData =>
		{
			FileError::Foreign(shown())
		}
		other => FileError::Damaged { path: shown(), reason: other.to_string() },
	})
}

/// Says whose the file is, if it is new, and checks it otherwise.
fn identify(database: &Database, path: &Path, kind: Kind, genesis: H256) -> Result<(), FileError> {
	let shown = || path.display().to_string();
	let transaction = database.begin_write()?;
	{
		let mut meta = transaction.open_table(META)?;
		let field = |name: &str| -> Result<Option<Vec<u8>>, FileError> {
			Ok(meta.get(name)?.map(|value| value.value().to_vec()))
		};
		let (named, version, chain) = (field("kind")?, field("version")?, field("genesis")?);
		match named {
			None => {
				meta.insert("kind", kind.name.as_bytes())?;
				meta.insert("version", SCHEMA.to_le_bytes().as_slice())?;
				meta.insert("genesis", genesis.as_bytes())?;
			}
			Some(named) if named == kind.name.as_bytes() => {
				if version.as_deref() != Some(SCHEMA.to_le_bytes().as_slice()) {
					return Err(FileError::Foreign(shown()));
				}
				if chain.as_deref() != Some(genesis.as_bytes()) {
					return Err(FileError::OtherChain(shown()));
				}
			}
			Some(_) => return Err(FileError::Foreign(shown())),
		}
	}
	(kind.create)(&transaction)?;
	transaction.commit()?;
	Ok(())
}

/// A row that does not decode.
pub(super) fn malformed(error: impl std::fmt::Display) -> FileError {
	FileError::Damaged { path: "a file of audits".to_owned(), reason: error.to_string() }
}
