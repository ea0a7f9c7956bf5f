//! What must survive a restart, in one redb file.
//!
//! Every change is one transaction that is on disk when the method returns, unless its documentation
//! says otherwise. A file of another program, another chain, another version, or one that is damaged, is
//! refused with a sentence that says what to do; it is never overwritten.

mod nonces;
mod open;
mod pending;
mod rows;
mod signed;
#[cfg(test)]
mod tests;

pub use rows::{Change, Failed, Phase, Settled, State};
pub use signed::body_hash;

use redb::{Database, ReadTransaction, ReadableDatabase, WriteTransaction};
use sp_core::H256;
use std::{
	collections::HashMap,
	path::{Path, PathBuf},
	sync::{Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard},
};

/// Version of the tables that this release reads and writes.
pub const SCHEMA: u32 = 1;

/// How much is kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bounds {
	/// Most settlements that wait; further ones are refused.
	pub pending: u64,
	/// Most settlements kept aside; the oldest give way.
	pub failed: u64,
	/// Most ids of settled records; the oldest give way.
	pub settled: u64,
	/// Longest time that ids of settled records are kept, in milliseconds.
	pub settled_for: u64,
	/// Most records that this worker signed; the oldest give way.
	pub signed: u64,
}

impl Default for Bounds {
	fn default() -> Self {
		const DAY: u64 = 24 * 60 * 60 * 1_000;
		Self {
			pending: 1 << 16,
			failed: 1 << 12,
			settled: 1 << 17,
			settled_for: 7 * DAY,
			signed: 1 << 15,
		}
	}
}

/// Why the store can't do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
	/// The file, or its folder, can't be read or written.
	#[error("{path}: {reason}; see that the folder is there, writable, and has room")]
	Io {
		/// The file.
		path: String,
		/// What the system says.
		reason: String,
	},
	/// Another process has it open.
	#[error("{0} is open in another process: stop that one, or use another data folder")]
	InUse(String),
	/// The file is not one of these.
	#[error("{0} is no settlement store: move it away, or use another data folder")]
	Foreign(String),
	/// Made by another release.
	#[error(
		"{path} has version {found}, this release reads {SCHEMA}: use the release that wrote it"
	)]
	Version {
		/// The file.
		path: String,
		/// Its version.
		found: u32,
	},
	/// Made for another chain.
	#[error("{path} belongs to the chain {found:?}, not to {wanted:?}: use another data folder")]
	OtherChain {
		/// The file.
		path: String,
		/// The genesis it names.
		found: H256,
		/// The genesis of this chain.
		wanted: H256,
	},
	/// The bytes make no sense.
	#[error(
		"{path} is damaged ({reason}): restore it from a backup; without one, move it away, and what \
		 was not settled yet is lost"
	)]
	Damaged {
		/// The file.
		path: String,
		/// What does not fit.
		reason: String,
	},
	/// As many settlements wait as may.
	#[error("{0} settlements wait already: see why the chain does not take them")]
	Full(u64),
	/// A key has used all nonces.
	#[error("the spending key has no nonce left: register another one")]
	NoncesSpent,
	/// redb failed.
	#[error(
		"the settlement store failed: {0}; see that its folder is there, writable, and has room"
	)]
	Database(String),
}

macro_rules! from_redb {
	($($error:ty),*) => {
		$(impl From<$error> for StoreError {
			fn from(error: $error) -> Self {
				StoreError::Database(error.to_string())
			}
		})*
	};
}

from_redb!(
	redb::CommitError,
	redb::SetDurabilityError,
	redb::StorageError,
	redb::TableError,
	redb::TransactionError
);

/// Settlements of a gateway, and what a worker signed.
pub struct SettlementStore {
	path: PathBuf,
	genesis: H256,
	bounds: Bounds,
	/// `None` after a failure: it is opened again at the next use, as redb asks for.
	database: RwLock<Option<Database>>,
	/// For each key the next nonce, and the first one that is not reserved on disk.
	nonces: Mutex<HashMap<[u8; 32], (u64, u64)>>,
}

impl SettlementStore {
	/// Opens the store in the file `path`, or makes it, for the chain with this genesis.
	///
	/// # Errors
	/// Those of a file that can't be used; see [`StoreError`].
	pub fn open(path: impl AsRef<Path>, genesis: H256) -> Result<Self, StoreError> {
		Self::open_with(path, genesis, Bounds::default())
	}

	/// As [`SettlementStore::open`], with other bounds.
	///
	/// # Errors
	/// As there.
	pub fn open_with(
		path: impl AsRef<Path>,
		genesis: H256,
		bounds: Bounds,
	) -> Result<Self, StoreError> {
		let path = path.as_ref().to_path_buf();
		let database = open::checked(&path, genesis)?;
		Ok(Self {
			path,
			genesis,
			bounds,
			database: RwLock::new(Some(database)),
			nonces: Mutex::new(HashMap::new()),
		})
	}

	/// The chain whose records are kept here.
	pub fn genesis(&self) -> H256 {
		self.genesis
	}

	fn read<T>(
		&self,
		work: impl FnOnce(&ReadTransaction) -> Result<T, StoreError>,
	) -> Result<T, StoreError> {
		self.with(|database| work(&database.begin_read()?))
	}

	/// One transaction, on disk when this returns; none of it after an error.
	fn write<T>(
		&self,
		work: impl FnOnce(&WriteTransaction) -> Result<T, StoreError>,
	) -> Result<T, StoreError> {
		self.with(|database| {
			let transaction = database.begin_write()?;
			let value = work(&transaction)?;
			transaction.commit()?;
			Ok(value)
		})
	}

	fn with<T>(
		&self,
		work: impl FnOnce(&Database) -> Result<T, StoreError>,
	) -> Result<T, StoreError> {
		let result = self.opened().and_then(|open| match open.as_ref() {
			Some(database) => work(database),
			None => Err(StoreError::Database("it was closed meanwhile".to_owned())),
		});
		// After a failed write (a full disk) redb refuses all others until the file is opened again.
		if let Err(StoreError::Database(reason)) = &result {
			tracing::warn!(target: "aria::settle", %reason, "the settlement store failed; opening it again");
			*self.database.write().unwrap_or_else(PoisonError::into_inner) = None;
		}
		result
	}

	fn opened(&self) -> Result<RwLockReadGuard<'_, Option<Database>>, StoreError> {
		let open = self.database.read().unwrap_or_else(PoisonError::into_inner);
		if open.is_some() {
			return Ok(open);
		}
		drop(open);
		let mut closed = self.database.write().unwrap_or_else(PoisonError::into_inner);
		if closed.is_none() {
			*closed = Some(open::again(&self.path)?);
		}
		drop(closed);
		Ok(self.database.read().unwrap_or_else(PoisonError::into_inner))
	}

	fn damaged(&self, reason: impl Into<String>) -> StoreError {
		StoreError::Damaged { path: self.path.display().to_string(), reason: reason.into() }
	}
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
	mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
