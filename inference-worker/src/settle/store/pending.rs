//! Settlements: those that wait, those that were settled, those kept aside.

use super::{
	rows::{Change, Failed, Settled, State},
	SettlementStore, StoreError,
};
use aria_primitives::{
	record::{RecordBody, Settlement},
	Moment, RecordId,
};
use codec::{Decode, DecodeAll, Encode};
use redb::{
	ReadTransaction, ReadableTable, ReadableTableMetadata, TableDefinition, WriteTransaction,
};
use sp_core::H256;

/// What is to be submitted, by id; never changed.
const SETTLEMENTS: TableDefinition<&[u8; 32], &[u8]> = TableDefinition::new("aria/settlements");
/// How far each of them is.
const STATES: TableDefinition<&[u8; 32], &[u8]> = TableDefinition::new("aria/states");
/// Records that a final block has.
const SETTLED: TableDefinition<&[u8; 32], &[u8]> = TableDefinition::new("aria/settled");
/// Their ids by the time at which that was noticed: 8 bytes big-endian, then the id.
const SETTLED_ORDER: TableDefinition<&[u8; 40], ()> = TableDefinition::new("aria/settled-order");
/// What can't be settled.
const FAILED: TableDefinition<&[u8; 32], &[u8]> = TableDefinition::new("aria/failed");

pub(super) fn create(transaction: &WriteTransaction) -> Result<(), StoreError> {
	transaction.open_table(SETTLEMENTS)?;
	transaction.open_table(STATES)?;
	transaction.open_table(SETTLED)?;
	transaction.open_table(SETTLED_ORDER)?;
	transaction.open_table(FAILED)?;
	Ok(())
}

pub(super) fn check(transaction: &ReadTransaction) -> Result<(), StoreError> {
	let settlements = transaction.open_table(SETTLEMENTS)?;
	let states = transaction.open_table(STATES)?;
	if settlements.len()? != states.len()? {
		return Err(StoreError::Database("settlements and their states do not match".to_owned()));
	}
	for row in settlements.iter()? {
		let (id, value) = row?;
		let settlement: Settlement = decode(value.value())?;
		if settlement.id.as_fixed_bytes() != id.value() || states.get(id.value())?.is_none() {
			return Err(StoreError::Database("a settlement is not in its place".to_owned()));
		}
	}
	for row in states.iter()? {
		decode::<State>(row?.1.value())?;
	}
	let settled = transaction.open_table(SETTLED)?;
	for row in settled.iter()? {
		decode::<Settled>(row?.1.value())?;
	}
	if transaction.open_table(SETTLED_ORDER)?.len()? != settled.len()? {
		return Err(StoreError::Database("settled records and their order differ".to_owned()));
	}
	for row in transaction.open_table(FAILED)?.iter()? {
		decode::<Failed>(row?.1.value())?;
	}
	Ok(())
}

fn decode<T: Decode>(bytes: &[u8]) -> Result<T, StoreError> {
	T::decode_all(&mut &*bytes)
		.map_err(|error| StoreError::Database(format!("a row does not decode: {error}")))
}

fn order(settled: &Settled, id: &RecordId) -> [u8; 40] {
	let mut key = [0; 40];
	key[..8].copy_from_slice(&settled.at.to_be_bytes());
	key[8..].copy_from_slice(id.as_bytes());
	key
}

impl SettlementStore {
	/// Puts a settlement among those that wait, on disk before it returns. One that waits or was settled
	/// already stays as it is; one that was kept aside waits again. Whether anything was written.
	///
	/// # Errors
	/// [`StoreError::Full`], or a failure of the file.
	pub fn insert(&self, settlement: &Settlement, state: &State) -> Result<bool, StoreError> {
		self.write(|transaction| {
			let id = settlement.id.as_fixed_bytes();
			let mut settlements = transaction.open_table(SETTLEMENTS)?;
			if settlements.get(id)?.is_some() || transaction.open_table(SETTLED)?.get(id)?.is_some()
			{
				return Ok(false);
			}
			let waiting = settlements.len()?;
			if waiting >= self.bounds.pending {
				return Err(StoreError::Full(waiting));
			}
			settlements.insert(id, settlement.encode().as_slice())?;
			transaction.open_table(STATES)?.insert(id, state.encode().as_slice())?;
			transaction.open_table(FAILED)?.remove(id)?;
			Ok(true)
		})
	}

	/// Applies all of `changes`, or after an error none. Ids that do not wait any more are passed over.
	///
	/// # Errors
	/// A failure of the file.
	pub fn apply(&self, changes: &[(RecordId, Change)]) -> Result<(), StoreError> {
		if changes.is_empty() {
			return Ok(());
		}
		self.write(|transaction| {
			for (id, change) in changes {
				self.apply_one(transaction, id, change)?;
			}
			self.prune(transaction, changes)
		})
	}

	fn apply_one(
		&self,
		transaction: &WriteTransaction,
		id: &RecordId,
		change: &Change,
	) -> Result<(), StoreError> {
		let key = id.as_fixed_bytes();
		let mut settlements = transaction.open_table(SETTLEMENTS)?;
		let mut states = transaction.open_table(STATES)?;
		let state = match states.get(key)? {
			Some(state) => decode::<State>(state.value())?,
			None => return Ok(()),
		};
		match change {
			Change::Keep(state) => {
				states.insert(key, state.encode().as_slice())?;
			}
			Change::Settle(settled) => {
				settlements.remove(key)?;
				states.remove(key)?;
				transaction.open_table(SETTLED)?.insert(key, settled.encode().as_slice())?;
				transaction.open_table(SETTLED_ORDER)?.insert(&order(settled, id), ())?;
			}
			Change::Fail { at, reason } => {
				let settlement = match settlements.remove(key)? {
					Some(settlement) => decode::<Settlement>(settlement.value())?,
					None => return Err(self.damaged("a state has no settlement")),
				};
				states.remove(key)?;
				let failed = Failed {
					settlement,
					added_at: state.added_at,
					failed_at: *at,
					attempts: state.attempts,
					reason: reason.clone(),
				};
				transaction.open_table(FAILED)?.insert(key, failed.encode().as_slice())?;
			}
		}
		Ok(())
	}

	/// Forgets what is more or older than the bounds.
	fn prune(
		&self,
		transaction: &WriteTransaction,
		changes: &[(RecordId, Change)],
	) -> Result<(), StoreError> {
		let latest = changes.iter().filter_map(|(_, change)| match change {
			Change::Settle(settled) => Some(settled.at),
			_ => None,
		});
		if let Some(now) = latest.max() {
			let mut settled = transaction.open_table(SETTLED)?;
			let mut ordered = transaction.open_table(SETTLED_ORDER)?;
			loop {
				let Some(first) = ordered.first()?.map(|(key, _)| *key.value()) else { break };
				let (mut at, mut id) = ([0; 8], [0; 32]);
				at.copy_from_slice(&first[..8]);
				id.copy_from_slice(&first[8..]);
				let ends = u64::from_be_bytes(at).saturating_add(self.bounds.settled_for);
				if ends >= now && ordered.len()? <= self.bounds.settled {
					break;
				}
				ordered.remove(&first)?;
				settled.remove(&id)?;
			}
		}
		if changes.iter().any(|(_, change)| matches!(change, Change::Fail { .. })) {
			let mut failed = transaction.open_table(FAILED)?;
			while failed.len()? > self.bounds.failed {
				let mut oldest: Option<(Moment, [u8; 32])> = None;
				for row in failed.iter()? {
					let (id, value) = row?;
					let at = decode::<Failed>(value.value())?.failed_at;
					if oldest.is_none_or(|(least, _)| at < least) {
						oldest = Some((at, *id.value()));
					}
				}
				let Some((_, id)) = oldest else { break };
				failed.remove(&id)?;
			}
		}
		Ok(())
	}

	/// How many settlements wait.
	///
	/// # Errors
	/// A failure of the file, as in the others.
	pub fn pending(&self) -> Result<u64, StoreError> {
		self.read(|transaction| Ok(transaction.open_table(STATES)?.len()?))
	}

	/// The states of all that wait, ascending by id.
	pub fn states(&self) -> Result<Vec<(RecordId, State)>, StoreError> {
		self.read(|transaction| {
			let mut states = Vec::new();
			for row in transaction.open_table(STATES)?.iter()? {
				let (id, state) = row?;
				states.push((H256(*id.value()), decode(state.value())?));
			}
			Ok(states)
		})
	}

	/// A settlement that waits.
	pub fn settlement(&self, id: &RecordId) -> Result<Option<Settlement>, StoreError> {
		self.read(|transaction| {
			let settlements = transaction.open_table(SETTLEMENTS)?;
			let settlement = settlements.get(id.as_fixed_bytes())?;
			settlement.map(|settlement| decode(settlement.value())).transpose()
		})
	}

	/// The body of a settlement that waits or was kept aside, for whoever shows it.
	pub fn body(&self, id: &RecordId) -> Result<Option<RecordBody>, StoreError> {
		if let Some(settlement) = self.settlement(id)? {
			return Ok(Some(settlement.body));
		}
		self.read(|transaction| {
			let failed = transaction.open_table(FAILED)?;
			let row = failed.get(id.as_fixed_bytes())?;
			row.map(|row| Ok(decode::<Failed>(row.value())?.settlement.body)).transpose()
		})
	}

	/// When this record was seen in a final block, if that is kept.
	pub fn settled(&self, id: &RecordId) -> Result<Option<Settled>, StoreError> {
		self.read(|transaction| {
			let settled = transaction.open_table(SETTLED)?;
			let row = settled.get(id.as_fixed_bytes())?;
			row.map(|row| decode(row.value())).transpose()
		})
	}

	/// How many ids of settled records are kept.
	pub fn settled_count(&self) -> Result<u64, StoreError> {
		self.read(|transaction| Ok(transaction.open_table(SETTLED)?.len()?))
	}

	/// What was kept aside, ascending by id.
	pub fn failed(&self) -> Result<Vec<Failed>, StoreError> {
		self.read(|transaction| {
			let mut all = Vec::new();
			for row in transaction.open_table(FAILED)?.iter()? {
				all.push(decode(row?.1.value())?);
			}
			Ok(all)
		})
	}
}
