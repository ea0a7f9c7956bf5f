//! What a block says of a transaction.

use crate::runtime::Runtime;
use aria_primitives::{AccountId, Balance, BlockNumber, RecordId};
use codec::Decode;
use sp_core::H256;
use sp_runtime::DispatchError;
use subxt::events::Phase;

/// An entry of a batch that was refused, the others being untouched by it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedEntry {
	/// The entry's place in the batch.
	pub index: u32,
	/// The record.
	pub id: RecordId,
	/// What was wrong, for example `InferenceMarket::TicketReplayed`; see
	/// [`crate::Advice::on_settlement`].
	pub error: String,
}

/// A transaction that a block holds and that did what it should.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Included {
	/// The block.
	pub block: H256,
	/// Its number.
	pub number: BlockNumber,
	/// Whether the block was known to be final.
	pub finalized: bool,
	/// What happened, in order, for example `ConsentRegistry::ConsentSet`.
	pub events: Vec<String>,
	/// Records that it settled.
	pub settled: Vec<RecordId>,
	/// Entries of its batch that were refused.
	pub failed: Vec<FailedEntry>,
	/// The fee that was paid, in planck; 0 for a settlement that was free.
	pub fee: Balance,
}

impl Included {
	/// Whether an event happened, by its name such as `ConsentRegistry::ConsentSet`.
	pub fn has(&self, event: &str) -> bool {
		self.events.iter().any(|name| name == event)
	}
}

/// How a transaction went.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Applied {
	/// As in [`Included`].
	pub events: Vec<String>,
	/// As in [`Included`].
	pub settled: Vec<RecordId>,
	/// As in [`Included`].
	pub failed: Vec<FailedEntry>,
	/// As in [`Included`].
	pub fee: Balance,
	/// The error of the call, or of one that it carried; `None` if all went well.
	pub error: Option<String>,
	/// Whether the block says at all how it went.
	pub known: bool,
}

/// What the events of a block, as SCALE bytes, say of its transaction with this index.
pub(crate) fn applied(runtime: &Runtime, events: Vec<u8>, index: u32) -> Result<Applied, String> {
	let mut applied = Applied::default();
	let events = runtime.offline.events().from_bytes(events);
	for event in events.iter() {
		let event = event.map_err(|error| error.to_string())?;
		if event.phase() != Phase::ApplyExtrinsic(index) {
			continue;
		}
		let (pallet, name) = (event.pallet_name(), event.event_name());
		note(&mut applied, runtime, (pallet, name), event.field_bytes())
			.map_err(|error| format!("event {pallet}.{name}: {error}"))?;
		applied.events.push(format!("{pallet}::{name}"));
	}
	Ok(applied)
}

/// Notes what an event means; `fields` are its bytes.
fn note(
	applied: &mut Applied,
	runtime: &Runtime,
	event: (&str, &str),
	fields: &[u8],
) -> Result<(), codec::Error> {
	let mut input = fields;
	match event {
		("System", "ExtrinsicSuccess") => applied.known = true,
		("System", "ExtrinsicFailed") => {
			let error = DispatchError::decode(&mut input)?;
			applied.known = true;
			applied.error = Some(runtime.error_name(&error));
		}
		("Sudo", "Sudid") => {
			if let Err(error) = Result::<(), DispatchError>::decode(&mut input)? {
				applied.error = Some(runtime.error_name(&error));
			}
		}
		("InferenceMarket", "Settled") => applied.settled.push(RecordId::decode(&mut input)?),
		("InferenceMarket", "SettlementFailed") => {
			let (index, id, error) = <(u32, RecordId, DispatchError)>::decode(&mut input)?;
			let error = runtime.error_name(&error);
			applied.failed.push(FailedEntry { index, id, error });
		}
		("TransactionPayment", "TransactionFeePaid") => {
			let (_, fee, _) = <(AccountId, Balance, Balance)>::decode(&mut input)?;
			applied.fee = fee;
		}
		_ => {}
	}
	Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;
	use crate::fit::COMMITTED;
	use codec::{Compact, Encode};

	fn runtime() -> Runtime {
		Runtime::new(COMMITTED, H256::zero()).unwrap()
	}

	/// An event's bytes with phase and without topics; `fields` are its fields.
	fn event(phase: Phase, pallet: &str, name: &str, fields: Vec<u8>) -> Vec<u8> {
		let metadata = subxt::Metadata::decode_from(COMMITTED).unwrap();
		let pallet = metadata.pallet_by_name(pallet).unwrap();
		let variant = pallet.event_variants().unwrap().iter().find(|one| one.name == name).unwrap();
		let mut bytes = phase.encode();
		bytes.extend([pallet.event_index(), variant.index]);
		bytes.extend(fields);
		bytes.extend(Vec::<H256>::new().encode());
		bytes
	}

	fn block(events: Vec<Vec<u8>>) -> Vec<u8> {
		let mut bytes = Compact(u32::try_from(events.len()).unwrap()).encode();
		bytes.extend(events.concat());
		bytes
	}

	#[test]
	fn a_batch_should_say_what_was_settled_and_what_was_refused() {
		let of_ours = Phase::ApplyExtrinsic(2);
		let settled = |phase, id: H256| {
			let account = AccountId::new([1; 32]);
			let fields = (id, H256::zero(), &account, &account, 5u128, 1u32, 1u32, 1u32).encode();
			event(phase, "InferenceMarket", "Settled", fields)
		};
		let (one, two, three) = (H256::repeat_byte(1), H256::repeat_byte(2), H256::repeat_byte(3));
		let refused = (1u32, two, DispatchError::BadOrigin).encode();
		let events = block(vec![
			settled(Phase::ApplyExtrinsic(1), three),
			settled(of_ours, one),
			event(of_ours, "InferenceMarket", "SettlementFailed", refused),
			event(of_ours, "System", "ExtrinsicSuccess", success()),
		]);

		let applied = applied(&runtime(), events, 2).unwrap();

		assert_eq!(applied.settled, [one]);
		let failed = FailedEntry { index: 1, id: two, error: "BadOrigin".into() };
		assert_eq!(applied.failed, [failed]);
		assert_eq!(applied.error, None);
		assert!(applied.known);
		assert_eq!(applied.events.len(), 3);
	}

	#[test]
	fn what_sudo_carried_should_count_as_its_own_failure() {
		let of_ours = Phase::ApplyExtrinsic(0);
		let result: Result<(), DispatchError> = Err(DispatchError::BadOrigin);
		let events = block(vec![
			event(of_ours, "Sudo", "Sudid", result.encode()),
			event(of_ours, "System", "ExtrinsicSuccess", success()),
		]);

		let applied = applied(&runtime(), events, 0).unwrap();

		assert_eq!(applied.error.as_deref(), Some("BadOrigin"));
	}

	#[test]
	fn garbage_should_be_an_error() {
		assert!(applied(&runtime(), vec![4, 0, 0, 0, 0, 0, 250, 250], 0).is_err());
		assert!(!applied(&runtime(), Vec::new(), 0).unwrap().known);
	}

	/// The fields of `ExtrinsicSuccess`: a weight of two compacts, normal class, pays.
	fn success() -> Vec<u8> {
		(Compact(0u64), Compact(0u64), 0u8, 0u8).encode()
	}
}
