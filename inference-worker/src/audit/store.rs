//! What a verifier has begun: seats, what was handed over, what a re-run came to. All that a commitment
//! holds is here before the chain has it.

use super::{
	file::{malformed, FileError, Kind, Shelf},
	seat::Seat,
};
use aria_primitives::{
	audit::{FindingKind, Handover, Named, SeatProof},
	RecordId,
};
use codec::{Decode, DecodeAll, Encode};
use redb::{ReadableTable, TableDefinition, WriteTransaction};
use sp_core::H256;
use std::path::Path;

/// `SCALE(Case)` by record and round.
const CASES: TableDefinition<&[u8; 33], &[u8]> = TableDefinition::new("aria/audits");

const KIND: Kind = Kind { name: "aria audits", create };

fn create(transaction: &WriteTransaction) -> Result<(), FileError> {
	transaction.open_table(CASES)?;
	Ok(())
}

/// A record and a round of its audit.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Encode, Decode)]
pub struct Key {
	/// The record.
	pub record: RecordId,
	/// The round.
	pub round: u8,
}

impl Key {
	fn bytes(&self) -> [u8; 33] {
		let mut key = [self.round; 33];
		key[..32].copy_from_slice(self.record.as_bytes());
		key
	}

	/// A name for a file.
	pub fn name(&self) -> String {
		format!("{}-{}", hex::encode(self.record.as_bytes()), self.round)
	}

	/// Whether a file may have its name from a key.
	pub fn is_name(name: &str) -> bool {
		name.split_once('-').is_some_and(|(record, round)| {
			record.len() == 64
				&& record.bytes().all(|byte| byte.is_ascii_hexdigit())
				&& round.parse::<u8>().is_ok()
		})
	}
}

/// What a re-run came to: everything that is committed to.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Found {
	/// The finding.
	pub kind: FindingKind,
	/// Roots of the boundaries `1..=n` that the run made.
	pub roots: Vec<H256>,
	/// Roots of the verifier's own trees.
	pub own_roots: Vec<H256>,
	/// Keeps the finding from being guessed before the reveal.
	pub nonce: H256,
}

/// An audit in which this verifier has a seat.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Case {
	/// The record and the round.
	pub key: Key,
	/// The VRF's output.
	pub output: [u8; 32],
	/// Its proof.
	pub proof: SeatProof,
	/// Whom the requester named, once that is known; nobody where anybody may audit.
	pub named: Named,
	/// Query and tokens, once they are here.
	pub handed: Option<Handover>,
	/// What came out, once it is known.
	pub found: Option<Found>,
}

impl Case {
	/// A seat, before anything was done about it.
	pub fn new(key: Key, seat: Seat) -> Self {
		let Seat { output, proof } = seat;
		Self { key, output, proof, named: Named::default(), handed: None, found: None }
	}

	/// Whether a stage is accused by a boundary, which may be contested once the seats are counted.
	pub fn accuses(&self) -> bool {
		let kind = self.found.as_ref().map(|found| found.kind);
		matches!(kind, Some(FindingKind::Boundary { .. }))
	}
}

/// The audits of this verifier.
pub struct CaseStore {
	shelf: Shelf,
}

impl CaseStore {
	/// Opens the file `path`, or makes it, for the chain with this genesis.
	///
	/// # Errors
	/// A file that can't be used.
	pub fn open(path: &Path, genesis: H256) -> Result<Self, FileError> {
		Ok(Self { shelf: Shelf::open(path, KIND, genesis)? })
	}

	/// Keeps a case as it is now, on disk when this returns.
	///
	/// # Errors
	/// A failure of the file.
	pub fn keep(&self, case: &Case) -> Result<(), FileError> {
		let bytes = case.encode();
		self.shelf.write(|transaction| {
			transaction.open_table(CASES)?.insert(&case.key.bytes(), bytes.as_slice())?;
			Ok(())
		})
	}

	/// A case.
	///
	/// # Errors
	/// A failure of the file.
	pub fn get(&self, key: &Key) -> Result<Option<Case>, FileError> {
		self.shelf.read(|transaction| {
			let rows = transaction.open_table(CASES)?;
			let row = rows.get(&key.bytes())?;
			row.map(|row| Case::decode_all(&mut row.value()).map_err(malformed)).transpose()
		})
	}

	/// All cases, ascending by record.
	///
	/// # Errors
	/// A failure of the file.
	pub fn all(&self) -> Result<Vec<Case>, FileError> {
		self.shelf.read(|transaction| {
			let mut cases = Vec::new();
			for row in transaction.open_table(CASES)?.iter()? {
				cases.push(Case::decode_all(&mut row?.1.value()).map_err(malformed)?);
			}
			Ok(cases)
		})
	}

	/// Forgets a case.
	///
	/// # Errors
	/// A failure of the file.
	pub fn forget(&self, key: &Key) -> Result<(), FileError> {
		self.shelf.write(|transaction| {
			transaction.open_table(CASES)?.remove(&key.bytes())?;
			Ok(())
		})
	}
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;

	#[test]
	fn cases_should_be_there_after_a_restart() {
		let dir = tempfile::tempdir().unwrap();
		let path = dir.path().join("audits.redb");
		let key = Key { record: H256::repeat_byte(3), round: 1 };
		let seat =
			Seat { output: [5; 32], proof: SeatProof { pre_output: [6; 32], proof: [7; 64] } };
		let mut case = Case::new(key, seat);
		let store = CaseStore::open(&path, H256::zero()).unwrap();
		store.keep(&case).unwrap();
		case.found = Some(Found {
			kind: FindingKind::Boundary { index: 2, root: H256::repeat_byte(2) },
			roots: vec![H256::repeat_byte(1)],
			own_roots: vec![H256::repeat_byte(2)],
			nonce: H256::repeat_byte(4),
		});
		store.keep(&case).unwrap();
		drop(store);

		let store = CaseStore::open(&path, H256::zero()).unwrap();
		assert_eq!(store.get(&key).unwrap(), Some(case.clone()));
		assert_eq!(store.get(&Key { round: 0, ..key }).unwrap(), None);
		assert_eq!(store.all().unwrap(), [case]);
		store.forget(&key).unwrap();
		assert!(store.all().unwrap().is_empty());
	}
}
