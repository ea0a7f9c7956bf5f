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
}

const COLUMNS: u8 = 4;

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
		let mut options = Options::with_columns(path, COLUMNS);
		options.stats = false;
		options.columns = (0..COLUMNS)
			.map(|column| ColumnOptions {
				btree_index: column != Column::Places as u8,
				..ColumnOptions::default()
			})
			.collect();
		Ok(Store::Disk(Db::open_or_create(&options)?))
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
