//! Opening the file: whose it is, which version, which chain, and whether it is whole.

use super::{nonces, pending, signed, StoreError, SCHEMA};
use redb::{Database, DatabaseError, ReadableDatabase, TableDefinition, TableError};
use sp_core::H256;
use std::{
	fs, io,
	panic::{self, AssertUnwindSafe},
	path::{Path, PathBuf},
};

const META: TableDefinition<&str, &[u8]> = TableDefinition::new("aria/meta");
const KIND: &[u8] = b"aria settlement store";
/// Bytes that redb keeps of the file in memory.
const CACHE: usize = 16 << 20;

/// Opens or makes the file and checks all of it.
pub fn checked(path: &Path, genesis: H256) -> Result<Database, StoreError> {
	let exists = path.try_exists().map_err(|error| failed(path, &error))?;
	if !exists {
		make(path, genesis)?;
	}
	// What redb takes for impossible in a file it wrote itself, it asserts.
	let checked = panic::catch_unwind(AssertUnwindSafe(|| -> Result<Database, StoreError> {
		let mut database = again(path)?;
		identify(&database, path, genesis)?;
		if !database.check_integrity().map_err(|error| refused(path, error))? {
			tracing::warn!(target: "aria::settle", path = %path.display(), "the settlement store was repaired");
		}
		identify(&database, path, genesis)?;
		rows(&database, path)?;
		Ok(database)
	}));
	checked.unwrap_or_else(|_| Err(damaged(path, "its pages contradict each other")))
}

/// Opens a file that was checked before.
pub fn again(path: &Path) -> Result<Database, StoreError> {
	Database::builder().set_cache_size(CACHE).open(path).map_err(|error| refused(path, error))
}

/// Makes the file beside its place and moves it there, so that it is never seen half made.
fn make(path: &Path, genesis: H256) -> Result<(), StoreError> {
	let folder = match path.parent() {
		Some(parent) if !parent.as_os_str().is_empty() => parent.to_path_buf(),
		_ => PathBuf::from("."),
	};
	fs::create_dir_all(&folder).map_err(|error| failed(path, &error))?;
	let new = path.with_extension("new");
	match fs::remove_file(&new) {
		Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(&new, &error)),
		_ => {}
	}
	let database = Database::builder()
		.set_cache_size(CACHE)
		.create(&new)
		.map_err(|error| refused(&new, error))?;
	let transaction = database.begin_write()?;
	{
		let mut meta = transaction.open_table(META)?;
		meta.insert("kind", KIND)?;
		meta.insert("version", SCHEMA.to_le_bytes().as_slice())?;
		meta.insert("genesis", genesis.as_bytes())?;
		pending::create(&transaction)?;
		signed::create(&transaction)?;
		nonces::create(&transaction)?;
	}
	transaction.commit()?;
	drop(database);
	fs::rename(&new, path).map_err(|error| failed(path, &error))?;
	// The name is durable when its folder is.
	#[cfg(unix)]
	fs::File::open(&folder)
		.and_then(|folder| folder.sync_all())
		.map_err(|error| failed(path, &error))?;
	Ok(())
}

fn identify(database: &Database, path: &Path, genesis: H256) -> Result<(), StoreError> {
	let foreign = || StoreError::Foreign(path.display().to_string());
	let transaction = database.begin_read()?;
	let meta = match transaction.open_table(META) {
		Ok(meta) => meta,
		Err(TableError::Storage(error)) => return Err(error.into()),
		Err(_) => return Err(foreign()),
	};
	let field = |name: &str| -> Result<Vec<u8>, StoreError> {
		Ok(meta.get(name)?.map(|value| value.value().to_vec()).unwrap_or_default())
	};
	if field("kind")? != KIND {
		return Err(foreign());
	}
	let version = field("version")?;
	let version: [u8; 4] =
		version.as_slice().try_into().map_err(|_| damaged(path, "its version has no 4 bytes"))?;
	let found = u32::from_le_bytes(version);
	if found != SCHEMA {
		return Err(StoreError::Version { path: path.display().to_string(), found });
	}
	let named = field("genesis")?;
	let named: [u8; 32] =
		named.as_slice().try_into().map_err(|_| damaged(path, "its genesis has no 32 bytes"))?;
	if named != genesis.0 {
		return Err(StoreError::OtherChain {
			path: path.display().to_string(),
			found: H256(named),
			wanted: genesis,
		});
	}
	Ok(())
}

/// Decodes every row.
fn rows(database: &Database, path: &Path) -> Result<(), StoreError> {
	let transaction = database.begin_read()?;
	let checked = pending::check(&transaction)
		.and_then(|()| signed::check(&transaction))
		.and_then(|()| nonces::check(&transaction));
	match checked {
		Err(StoreError::Database(reason)) => Err(damaged(path, &reason)),
		other => other,
	}
}

fn failed(path: &Path, error: &io::Error) -> StoreError {
	StoreError::Io { path: path.display().to_string(), reason: error.to_string() }
}

fn damaged(path: &Path, reason: &str) -> StoreError {
	StoreError::Damaged { path: path.display().to_string(), reason: reason.to_owned() }
}

fn refused(path: &Path, error: DatabaseError) -> StoreError {
	match error {
		DatabaseError::DatabaseAlreadyOpen => StoreError::InUse(path.display().to_string()),
		// redb says so of a file that does not begin as its own do.
		DatabaseError::Storage(redb::StorageError::Io(error))
			if error.kind() == io::ErrorKind::InvalidData =>
		{
			StoreError::Foreign(path.display().to_string())
		}
		// A read beyond the end: the file was cut.
		DatabaseError::Storage(redb::StorageError::Io(error))
			if error.kind() == io::ErrorKind::UnexpectedEof =>
		{
			damaged(path, "it ends too early")
		}
		DatabaseError::Storage(redb::StorageError::Io(error)) => failed(path, &error),
		other => damaged(path, &other.to_string()),
	}
}
