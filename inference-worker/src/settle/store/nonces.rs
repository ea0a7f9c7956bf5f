//! Nonces of spending keys (`docs/protocol/ticket.md`, "Nonces").

use super::{lock, SettlementStore, StoreError};
use aria_primitives::AccountId;
use redb::{ReadTransaction, ReadableTable, TableDefinition, WriteTransaction};

/// For each key the first nonce that nobody may have used.
const NONCES: TableDefinition<&[u8; 32], u64> = TableDefinition::new("aria/nonces");
/// How many are reserved at once. After a crash those that were not used are skipped, so this stays
/// far below the 1,023 that the chain's window goes back.
const STRIDE: u64 = 32;
/// Keys whose reserved nonces are remembered; beyond that, what is left of them is skipped.
const KEYS: usize = 4_096;

pub(super) fn create(transaction: &WriteTransaction) -> Result<(), StoreError> {
	transaction.open_table(NONCES)?;
	Ok(())
}

pub(super) fn check(transaction: &ReadTransaction) -> Result<(), StoreError> {
	for row in transaction.open_table(NONCES)?.iter()? {
		row?;
	}
	Ok(())
}

impl SettlementStore {
	/// A nonce that was never given for this key before, from 1 on and ascending; also after a crash,
	/// since the reservation is on disk before a nonce of it is given.
	///
	/// # Errors
	/// [`StoreError::NoncesSpent`], or a failure of the file.
	pub fn next_nonce(&self, key: &AccountId) -> Result<u64, StoreError> {
		let key: &[u8; 32] = key.as_ref();
		let mut reserved = lock(&self.nonces);
		if let Some((next, end)) = reserved.get_mut(key) {
			if *next < *end {
				let nonce = *next;
				*next = nonce.saturating_add(1);
				return Ok(nonce);
			}
		}
		let (first, end) = self.reserve(key, 1)?;
		if reserved.len() >= KEYS {
			reserved.clear();
		}
		reserved.insert(*key, (first.saturating_add(1), end));
		Ok(first)
	}

	/// Makes [`SettlementStore::next_nonce`] give `least` or more from now on: for a key that was used
	/// elsewhere, one more than the highest nonce that the chain knows.
	///
	/// # Errors
	/// As there.
	pub fn raise_nonce(&self, key: &AccountId, least: u64) -> Result<(), StoreError> {
		let key: &[u8; 32] = key.as_ref();
		let mut reserved = lock(&self.nonces);
		if reserved.get(key).is_some_and(|(next, _)| *next >= least) {
			return Ok(());
		}
		let (first, end) = self.reserve(key, least)?;
		reserved.insert(*key, (first, end));
		Ok(())
	}

	/// Reserves the nonces from the first unused one, or `least`, up to the end that is returned.
	fn reserve(&self, key: &[u8; 32], least: u64) -> Result<(u64, u64), StoreError> {
		self.write(|transaction| {
			let mut nonces = transaction.open_table(NONCES)?;
			let free = nonces.get(key)?.map_or(1, |free| free.value());
			let first = free.max(least);
			let end = first.checked_add(STRIDE).ok_or(StoreError::NoncesSpent)?;
			nonces.insert(key, end)?;
			Ok((first, end))
		})
	}
}
