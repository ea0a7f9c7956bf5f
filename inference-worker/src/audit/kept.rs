//! What a gateway keeps of its answers until nobody may ask for it any more: query and tokens, by record
//! (`docs/protocol/audit.md`, "Hand-over").

use super::{
	file::{malformed, FileError, Kind, Shelf},
	LOG,
};
use aria_primitives::{
	audit::{Handover, Named},
	Moment, RecordId,
};
use codec::{Decode, DecodeAll, Encode};
use redb::{ReadableTable, TableDefinition, WriteTransaction};
use sp_core::H256;
use std::{
	path::Path,
	sync::atomic::{AtomicU64, Ordering},
};

/// `SCALE(Kept)` by record.
const HANDED: TableDefinition<&[u8; 32], &[u8]> = TableDefinition::new("aria/handed");
/// The same in the order in which they came: 8 bytes of time, big-endian, then the id; with their bytes.
const ORDER: TableDefinition<&[u8; 40], u64> = TableDefinition::new("aria/handed-order");

const KIND: Kind = Kind { name: "aria hand-overs", create };

/// Most bytes that are kept; the oldest give way.
const MOST_BYTES: u64 = 4 << 30;

fn create(transaction: &WriteTransaction) -> Result<(), FileError> {
	transaction.open_table(HANDED)?;
	transaction.open_table(ORDER)?;
	Ok(())
}

/// What belongs to a record.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Kept {
	/// Query and tokens.
	pub handed: Handover,
	/// The verifiers that the requester named; nobody where anybody may audit.
	pub named: Named,
}

/// Queries and tokens of a gateway's answers.
pub struct HandOvers {
	shelf: Shelf,
	bytes: AtomicU64,
	most: u64,
}

impl HandOvers {
	/// Opens the file `path`, or makes it, for the chain with this genesis.
	///
	/// # Errors
	/// A file that can't be used.
	pub fn open(path: &Path, genesis: H256) -> Result<Self, FileError> {
		Self::open_with(path, genesis, MOST_BYTES)
	}

	fn open_with(path: &Path, genesis: H256, most: u64) -> Result<Self, FileError> {
		let shelf = Shelf::open(path, KIND, genesis)?;
		let bytes = shelf.read(|transaction| {
			let mut sum = 0u64;
			for row in transaction.open_table(ORDER)?.iter()? {
				sum = sum.saturating_add(row?.1.value());
			}
			Ok(sum)
		})?;
		Ok(Self { shelf, bytes: AtomicU64::new(bytes), most })
	}

	/// Keeps what belongs to a record, on disk when this returns. What is kept of it already stays.
	///
	/// # Errors
	/// A failure of the file.
	pub fn keep(&self, id: &RecordId, kept: &Kept, now: Moment) -> Result<(), FileError> {
		let bytes = kept.encode();
		let size = bytes.len() as u64;
		let (added, freed) = self.shelf.write(|transaction| {
			let mut rows = transaction.open_table(HANDED)?;
			let mut order = transaction.open_table(ORDER)?;
			if rows.get(id.as_fixed_bytes())?.is_some() {
				return Ok((0, 0));
			}
			let (mut freed, held) = (0u64, self.bytes.load(Ordering::Relaxed));
			while held.saturating_sub(freed).saturating_add(size) > self.most {
				let Some((key, size)) =
					order.pop_first()?.map(|(key, size)| (*key.value(), size.value()))
				else {
					break;
				};
				rows.remove(&id_of(&key).0)?;
				freed = freed.saturating_add(size);
			}
			rows.insert(id.as_fixed_bytes(), bytes.as_slice())?;
			order.insert(&key_of(now, id), size)?;
			Ok((size, freed))
		})?;
		if freed > 0 {
			tracing::warn!(
				target: LOG, freed, "the oldest hand-overs give way: their audits can't be answered"
			);
		}
		self.bytes.fetch_add(added, Ordering::Relaxed);
		self.bytes.fetch_sub(freed.min(self.bytes.load(Ordering::Relaxed)), Ordering::Relaxed);
		Ok(())
	}

	/// What is kept of a record.
	///
	/// # Errors
	/// A failure of the file.
	pub fn get(&self, id: &RecordId) -> Result<Option<Kept>, FileError> {
		self.shelf.read(|transaction| {
			let rows = transaction.open_table(HANDED)?;
			let row = rows.get(id.as_fixed_bytes())?;
			row.map(|row| Kept::decode_all(&mut row.value()).map_err(malformed)).transpose()
		})
	}

	/// At most `count` records behind `after`, the oldest first, with the time since which they are kept.
	///
	/// # Errors
	/// A failure of the file.
	pub fn behind(
		&self,
		after: Option<(Moment, RecordId)>,
		count: usize,
	) -> Result<Vec<(Moment, RecordId)>, FileError> {
		let start = after.map_or([0; 40], |(at, id)| key_of(at, &id));
		self.shelf.read(|transaction| {
			let mut found = Vec::new();
			for row in transaction.open_table(ORDER)?.range::<&[u8; 40]>(&start..)? {
				let key = *row?.0.value();
				if after.is_some() && key == start {
					continue;
				}
				if found.len() >= count {
					break;
				}
				found.push((time_of(&key), id_of(&key)));
			}
			Ok(found)
		})
	}

	/// Forgets some of them.
	///
	/// # Errors
	/// A failure of the file.
	pub fn forget(&self, over: &[(Moment, RecordId)]) -> Result<(), FileError> {
		if over.is_empty() {
			return Ok(());
		}
		let freed = self.shelf.write(|transaction| {
			let mut rows = transaction.open_table(HANDED)?;
			let mut order = transaction.open_table(ORDER)?;
			let mut freed = 0u64;
			for (at, id) in over {
				if let Some(size) = order.remove(&key_of(*at, id))? {
					freed = freed.saturating_add(size.value());
				}
				rows.remove(id.as_fixed_bytes())?;
			}
			Ok(freed)
		})?;
		self.bytes.fetch_sub(freed.min(self.bytes.load(Ordering::Relaxed)), Ordering::Relaxed);
		Ok(())
	}

	/// Bytes that are kept.
	pub fn bytes(&self) -> u64 {
		self.bytes.load(Ordering::Relaxed)
	}
}

fn key_of(at: Moment, id: &RecordId) -> [u8; 40] {
	let mut key = [0; 40];
	key[..8].copy_from_slice(&at.to_be_bytes());
	key[8..].copy_from_slice(id.as_bytes());
	key
}

fn time_of(key: &[u8; 40]) -> Moment {
	let mut at = [0; 8];
	at.copy_from_slice(&key[..8]);
	Moment::from_be_bytes(at)
}

fn id_of(key: &[u8; 40]) -> RecordId {
	H256::from_slice(&key[8..])
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;
	use aria_primitives::query::{CanonicalQuery, Sampling, QUERY_VERSION};

	fn handed(tokens: usize) -> Kept {
		let query = CanonicalQuery {
			version: QUERY_VERSION,
			model_id: H256::repeat_byte(1),
			prompt_tokens: vec![1, 2, 3].try_into().unwrap(),
			sampling: Sampling::GREEDY,
			max_tokens: 9,
			stop: Default::default(),
			salt: [4; 32],
		};
		let handed = Handover { query, tokens: vec![7; tokens] };
		Kept { handed, named: Named::default() }
	}

	fn id(byte: u8) -> RecordId {
		H256::repeat_byte(byte)
	}

	#[test]
	fn what_is_kept_should_be_there_after_a_restart_and_go_when_forgotten() {
		let dir = tempfile::tempdir().unwrap();
		let path = dir.path().join("a/handovers.redb");
		let kept = HandOvers::open(&path, H256::zero()).unwrap();
		kept.keep(&id(1), &handed(3), 100).unwrap();
		kept.keep(&id(2), &handed(4), 90).unwrap();
		kept.keep(&id(2), &handed(5), 300).unwrap();
		let bytes = kept.bytes();
		drop(kept);

		let kept = HandOvers::open(&path, H256::zero()).unwrap();
		assert_eq!(kept.bytes(), bytes);
		assert_eq!(kept.get(&id(1)).unwrap(), Some(handed(3)));
		assert_eq!(kept.get(&id(2)).unwrap(), Some(handed(4)));
		assert_eq!(kept.get(&id(3)).unwrap(), None);
		let all = kept.behind(None, 9).unwrap();
		assert_eq!(all, [(90, id(2)), (100, id(1))]);
		assert_eq!(kept.behind(Some(all[0]), 9).unwrap(), [(100, id(1))]);
		assert_eq!(kept.behind(None, 1).unwrap().len(), 1);
		kept.forget(&all).unwrap();
		assert_eq!((kept.bytes(), kept.get(&id(1)).unwrap()), (0, None));
	}

	#[test]
	fn the_oldest_should_give_way() {
		let dir = tempfile::tempdir().unwrap();
		let path = dir.path().join("handovers.redb");
		let size = handed(10).encode().len() as u64;
		let kept = HandOvers::open_with(&path, H256::zero(), 3 * size).unwrap();
		for byte in 1..=5 {
			kept.keep(&id(byte), &handed(10), u64::from(byte)).unwrap();
		}
		assert_eq!(kept.behind(None, 9).unwrap(), [(3, id(3)), (4, id(4)), (5, id(5))]);
		assert_eq!((kept.bytes(), kept.get(&id(1)).unwrap()), (3 * size, None));
	}

	#[test]
	fn files_of_others_should_be_refused() {
		let dir = tempfile::tempdir().unwrap();
		let path = dir.path().join("handovers.redb");
		drop(HandOvers::open(&path, H256::zero()).unwrap());
		let other = HandOvers::open(&path, H256::repeat_byte(1));
		assert!(matches!(other, Err(FileError::OtherChain(_))));
		std::fs::write(&path, b"something else that is no database at all").unwrap();
		assert!(HandOvers::open(&path, H256::zero()).is_err());
		assert!(std::fs::read(&path).unwrap().starts_with(b"something"));
	}
}
