//! Canaries that were made, on disk: all that it takes to show one, and the record until it is settled.

use crate::audit::{
	file::{malformed, FileError, Kind, Shelf},
	kept::Kept,
};
use aria_primitives::{audit::canary_hash, record::Settlement, AccountId, BlockNumber, EpochIndex};
use codec::{Decode, DecodeAll, Encode};
use redb::{ReadableTable, TableDefinition, WriteTransaction};
use sp_core::H256;
use std::path::Path;

/// `SCALE(Canary)` by the epoch of its right.
const CANARIES: TableDefinition<u64, &[u8]> = TableDefinition::new("aria/canaries");
/// Numbers by name.
const NUMBERS: TableDefinition<&str, u64> = TableDefinition::new("aria/canary-numbers");
/// The number of the accounts that are used now.
const ACCOUNTS: &str = "accounts";
/// One more than the last epoch whose right was used here.
const USED: &str = "used";

const KIND: Kind = Kind { name: "aria canaries", create };

fn create(transaction: &WriteTransaction) -> Result<(), FileError> {
	transaction.open_table(CANARIES)?;
	transaction.open_table(NUMBERS)?;
	Ok(())
}

/// A canary that is not over.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Canary {
	/// The epoch whose right is used.
	pub right: EpochIndex,
	/// What that right was drawn by.
	pub seed: H256,
	/// The number of its accounts.
	pub accounts: u64,
	/// The stage that is false, from 0.
	pub stage: u16,
	/// Makes the commitment unguessable.
	pub nonce: H256,
	/// The last block at which the ticket pays.
	pub expiry: BlockNumber,
	/// The record.
	pub settlement: Settlement,
	/// What verifiers ask for.
	pub kept: Kept,
	/// Whether the settler has the record.
	pub given: bool,
	/// Whether it was shown.
	pub shown: bool,
}

impl Canary {
	/// What is committed to, for `maker`.
	pub fn hash(&self, genesis: &H256, maker: &AccountId) -> H256 {
		canary_hash(genesis, &self.settlement.id, self.stage, maker, &self.nonce)
	}
}

/// The canaries of this worker.
pub struct CanaryStore {
	shelf: Shelf,
}

impl CanaryStore {
	/// Opens the file `path`, or makes it, for the chain with this genesis.
	///
	/// # Errors
	/// A file that can't be used.
	pub fn open(path: &Path, genesis: H256) -> Result<Self, FileError> {
		Ok(Self { shelf: Shelf::open(path, KIND, genesis)? })
	}

	/// Keeps a canary as it is now, on disk when this returns; its right counts as used.
	///
	/// # Errors
	/// A failure of the file.
	pub fn keep(&self, canary: &Canary) -> Result<(), FileError> {
		let bytes = canary.encode();
		self.shelf.write(|transaction| {
			transaction.open_table(CANARIES)?.insert(canary.right, bytes.as_slice())?;
			raise(transaction, USED, canary.right.saturating_add(1))
		})
	}

	/// Forgets one; with `fresh`, others are made with other accounts than it was.
	///
	/// # Errors
	/// A failure of the file.
	pub fn forget(&self, canary: &Canary, fresh: bool) -> Result<(), FileError> {
		self.shelf.write(|transaction| {
			transaction.open_table(CANARIES)?.remove(canary.right)?;
			match fresh {
				true => raise(transaction, ACCOUNTS, canary.accounts.saturating_add(1)),
				false => Ok(()),
			}
		})
	}

	/// All that are not over, the oldest first.
	///
	/// # Errors
	/// A failure of the file.
	pub fn all(&self) -> Result<Vec<Canary>, FileError> {
		self.shelf.read(|transaction| {
			let mut canaries = Vec::new();
			for row in transaction.open_table(CANARIES)?.iter()? {
				canaries.push(Canary::decode_all(&mut row?.1.value()).map_err(malformed)?);
			}
			Ok(canaries)
		})
	}

	/// The number of the accounts to use now.
	///
	/// # Errors
	/// A failure of the file.
	pub fn accounts(&self) -> Result<u64, FileError> {
		self.number(ACCOUNTS)
	}

	/// Whether the right of `epoch`, or of a later one, was used here.
	///
	/// # Errors
	/// A failure of the file.
	pub fn has_used(&self, epoch: EpochIndex) -> Result<bool, FileError> {
		Ok(self.number(USED)? > epoch)
	}

	fn number(&self, name: &str) -> Result<u64, FileError> {
		self.shelf.read(|transaction| {
			let numbers = transaction.open_table(NUMBERS)?;
			let number = numbers.get(name)?;
			Ok(number.map_or(0, |number| number.value()))
		})
	}
}

/// Raises a number to `least`.
fn raise(transaction: &WriteTransaction, name: &str, least: u64) -> Result<(), FileError> {
	let mut numbers = transaction.open_table(NUMBERS)?;
	let now = numbers.get(name)?.map_or(0, |number| number.value());
	if now < least {
		numbers.insert(name, least)?;
	}
	Ok(())
}
