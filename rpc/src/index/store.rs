//! Ordered keys and values: parity-db in a folder, or maps in memory.

use super::IndexError;
use parity_db::{ColumnOptions, Db, Options};
use parking_lot::RwLock;
use std::{collections::BTreeMap, ops::Bound, path::Path};

/// Sets of keys that do not meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Column {
	/// What the index knows about itself.
	Meta = 0,
	/// Lists of records by model.
	ByModel = 1,
	/// Lists of records by node.
	ByNode = 2,
	/// The place of each record. The only one without order.
	Places = 3,
	/// Records by the hash of their answer.
	ByOutput = 4,
	/// Records by the hash of their query.
	ByQuery = 5,
}

const COLUMNS: u8 = 6;

/// Where a scan begins.
#[derive(Clone, Copy, Debug)]
pub(super) enum Start<'a> {
	/// At this key or the next one.
	At(&'a [u8]),
	/// Behind this key, which need not be there.
	After(&'a [u8]),
}

/// A change: with a value it is written, without one it goes.
pub(super) type Change = (Column, Vec<u8>, Option<Vec<u8>>);

type Map = BTreeMap<Vec<u8>, Vec<u8>>;

/// The two back ends.
pub(super) enum Store {
	Memory(RwLock<[Map; COLUMNS as usize]>),
	Disk(Db),
}

impl Store {
	/// Opens the folder, which is made if it is not there, or memory without one.
	pub fn open(path: Option<&Path>) -> Result<Self, IndexError> {
		let Some(path) = path else { return Ok(Store::Memory(Default::default())) };
		// An index of an earlier version has fewer columns.
		if let Some(metadata) = Options::load_metadata(path)? {
			let there = u8::try_from(metadata.columns.len()).unwrap_or(u8::MAX);
			let mut options = options(path, there);
			for column in there..COLUMNS {
				Db::add_column(&mut options, column_options(column))?;
			}
		}
		Ok(Store::Disk(Db::open_or_create(&options(path, COLUMNS))?))
	}

	/// The value under a key.
	pub fn get(&self, column: Column, key: &[u8]) -> Result<Option<Vec<u8>>, IndexError> {
		match self {
			Store::Memory(maps) => Ok(maps.read()[column as usize].get(key).cloned()),
			Store::Disk(db) => Ok(db.get(column as u8, key)?),
		}
	}

	/// Keys that begin with `prefix`, ascending from `start`, at most `limit`. Not of
	/// [`Column::Places`].
	pub fn keys(
		&self,
		column: Column,
		prefix: &[u8],
		start: Start<'_>,
		limit: usize,
	) -> Result<Vec<Vec<u8>>, IndexError> {
		match self {
			Store::Memory(maps) => {
				let from = match start {
					Start::At(key) => Bound::Included(key),
					Start::After(key) => Bound::Excluded(key),
				};
				let maps = maps.read();
				let keys = maps[column as usize]
					.range::<[u8], _>((from, Bound::<&[u8]>::Unbounded))
					.map(|(key, _)| key)
					.take_while(|key| key.starts_with(prefix))
					.take(limit);
				Ok(keys.cloned().collect())
			}
			Store::Disk(db) => {
				let (from, skipped) = match start {
					Start::At(key) => (key, None),
					Start::After(key) => (key, Some(key)),
				};
				let mut entries = db.iter(column as u8)?;
				entries.seek(from)?;
				let mut keys = Vec::new();
				while keys.len() < limit {
					match entries.next()? {
						Some((key, _)) if !key.starts_with(prefix) => break,
						Some((key, _)) if Some(key.as_slice()) == skipped => {}
						Some((key, _)) => keys.push(key),
						None => break,
					}
				}
				Ok(keys)
			}
		}
	}

	/// Makes all changes or none, now and after a crash, later ones never without earlier ones.
	pub fn commit(&self, changes: Vec<Change>) -> Result<(), IndexError> {
		match self {
			Store::Memory(maps) => {
				let mut maps = maps.write();
				for (column, key, value) in changes {
					let map = &mut maps[column as usize];
					match value {
						Some(value) => map.insert(key, value),
						None => map.remove(&key),
					};
				}
				Ok(())
			}
			Store::Disk(db) => Ok(db.commit(
				changes.into_iter().map(|(column, key, value)| (column as u8, key, value)),
			)?),
		}
	}
}

fn options(path: &Path, columns: u8) -> Options {
	let mut options = Options::with_columns(path, columns);
	options.stats = false;
	options.columns = (0..columns).map(column_options).collect();
	options
}

fn column_options(column: u8) -> ColumnOptions {
	ColumnOptions { btree_index: column != Column::Places as u8, ..ColumnOptions::default() }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;

	#[test]
	fn a_store_with_fewer_columns_should_get_the_others() {
		let folder = tempfile::tempdir().unwrap();
		let path = folder.path().join("record-index");
		let old = Db::open_or_create(&options(&path, 4)).unwrap();
		old.commit([(Column::ByNode as u8, b"key".to_vec(), Some(b"value".to_vec()))]).unwrap();
		drop(old);

		let store = Store::open(Some(&path)).unwrap();
		assert_eq!(store.get(Column::ByNode, b"key").unwrap(), Some(b"value".to_vec()));
		store.commit(vec![(Column::ByQuery, b"new".to_vec(), Some(vec![1]))]).unwrap();
		let keys = store.keys(Column::ByQuery, b"n", Start::At(b"n"), 10).unwrap();
		assert_eq!(keys, [b"new"]);
	}
}
