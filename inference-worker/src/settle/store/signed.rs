//! What this worker signed as a stage, so that it can sign a batch with it.

use super::{SettlementStore, StoreError};
use aria_primitives::{hashing::sha256, record::RecordBody, RecordId};
use codec::Encode;
use redb::{
	Durability, ReadTransaction, ReadableTable, ReadableTableMetadata, TableDefinition,
	WriteTransaction,
};
use sp_core::H256;

/// Hash of the body, by the record's id.
const SIGNED: TableDefinition<&[u8; 32], &[u8; 32]> = TableDefinition::new("aria/signed");
/// Ids in the order in which they were signed.
const SIGNED_ORDER: TableDefinition<u64, &[u8; 32]> = TableDefinition::new("aria/signed-order");

/// Each so many records that are signed, all of them reach the disk; waiting for it each time would cost
/// more than a batch that is refused.
const DURABLE_EACH: u64 = 16;

pub(super) fn create(transaction: &WriteTransaction) -> Result<(), StoreError> {
	transaction.open_table(SIGNED)?;
	transaction.open_table(SIGNED_ORDER)?;
	Ok(())
}

pub(super) fn check(transaction: &ReadTransaction) -> Result<(), StoreError> {
	let signed = transaction.open_table(SIGNED)?;
	let ordered = transaction.open_table(SIGNED_ORDER)?;
	if signed.len()? != ordered.len()? {
		return Err(StoreError::Database("signed records and their order differ".to_owned()));
	}
	for row in ordered.iter()? {
		if signed.get(row?.1.value())?.is_none() {
			return Err(StoreError::Database("a signed record is not in its place".to_owned()));
		}
	}
	Ok(())
}

/// `sha256(SCALE(body))`: what the store keeps of a body that was signed.
pub fn body_hash(body: &RecordBody) -> H256 {
	sha256(&body.encode())
}

impl SettlementStore {
	/// Notes that this worker signed the record as a stage. It is on disk soon, not at once: who forgets it
	/// after a crash refuses a batch, and the record is settled alone.
	///
	/// # Errors
	/// A failure of the file.
	pub fn note_signed(&self, id: &RecordId, body: &RecordBody) -> Result<(), StoreError> {
		let hash = body_hash(body);
		self.with(|database| {
			let mut transaction = database.begin_write()?;
			let mut place = 0;
			{
				let mut signed = transaction.open_table(SIGNED)?;
				let mut ordered = transaction.open_table(SIGNED_ORDER)?;
				let is_new = signed.insert(id.as_fixed_bytes(), hash.as_fixed_bytes())?.is_none();
				if is_new {
					place = ordered.last()?.map_or(0, |(place, _)| place.value()).saturating_add(1);
					ordered.insert(place, id.as_fixed_bytes())?;
				}
				while ordered.len()? > self.bounds.signed {
					let Some((_, oldest)) = ordered.pop_first()? else { break };
					signed.remove(oldest.value())?;
				}
			}
			if !place.is_multiple_of(DURABLE_EACH) {
				transaction.set_durability(Durability::None)?;
			}
			transaction.commit()?;
			Ok(())
		})
	}

	/// The hash of the body that this worker signed under this id, if it did and still knows.
	///
	/// # Errors
	/// A failure of the file.
	pub fn signed(&self, id: &RecordId) -> Result<Option<H256>, StoreError> {
		self.read(|transaction| {
			let signed = transaction.open_table(SIGNED)?;
			let hash = signed.get(id.as_fixed_bytes())?;
			Ok(hash.map(|hash| H256(*hash.value())))
		})
	}
}
