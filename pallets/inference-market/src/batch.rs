//! Batches: records that their stages and gateways signed once together.

use crate::{pallet::*, settle::Signatures, WeightInfo};
use alloc::vec::Vec;
use aria_primitives::{
	record::{batch_digest, Batch, BatchEntry, Payment},
	traits::Ledger,
	AccountId, Balance, RecordId,
};
use frame_support::{
	dispatch::{
		DispatchErrorWithPostInfo, DispatchResultWithPostInfo, Pays, PostDispatchInfo,
		WithPostDispatchInfo,
	},
	ensure,
	storage::with_storage_layer,
	weights::Weight,
};
use sp_core::H256;
use sp_runtime::{traits::Verify, DispatchError, SaturatedConversion};

/// What some entries of a batch weigh by.
#[derive(Default)]
struct Load {
	/// Entries.
	entries: u32,
	/// Stages that signed, beyond the first of each entry.
	more: u32,
	/// Stages that did not sign.
	unsigned: u32,
	/// Entries that requests pay.
	requests: u32,
}

impl Load {
	fn of<'a>(batch: &Batch, entries: impl Iterator<Item = &'a BatchEntry>) -> Self {
		entries.fold(Self::default(), |load, entry| {
			let signs = |node: &AccountId| {
				batch.signatures.binary_search_by(|(account, _)| account.cmp(node)).is_ok()
			};
			let stages = &entry.body.stages;
			let signed = stages.iter().filter(|stage| signs(&stage.node)).count();
			let more = signed.saturating_sub(1).saturated_into();
			let unsigned = stages.len().saturating_sub(signed).saturated_into();
			let by_request = matches!(entry.payment, Payment::Request(_));
			Self {
				entries: load.entries.saturating_add(1),
				more: load.more.saturating_add(more),
				unsigned: load.unsigned.saturating_add(unsigned),
				requests: load.requests.saturating_add(by_request.into()),
			}
		})
	}
}

impl<T: Config> Pallet<T> {
	/// Weight of [`Pallet::settle_batch`]: by signers, entries, stages beyond the first of each
	/// entry that signed, and stages that did not; more for entries that requests pay.
	pub(crate) fn batch_weight(batch: &Batch) -> Weight {
		Self::weight_of(batch, batch.entries.iter())
	}

	/// Weight of settling some entries of a batch.
	fn weight_of<'a>(batch: &Batch, entries: impl Iterator<Item = &'a BatchEntry>) -> Weight {
		let load = Load::of(batch, entries);
		let signers = batch.signatures.len().saturated_into();
		let by_request = T::WeightInfo::settle_request(1)
			.saturating_sub(T::WeightInfo::settle(1))
			.saturating_mul(load.requests.into());
		T::WeightInfo::settle_batch(signers, load.entries, load.more, load.unsigned)
			.saturating_add(by_request)
	}

	pub(crate) fn do_settle_batch(batch: Batch) -> DispatchResultWithPostInfo {
		let entries: u32 = batch.entries.len().saturated_into();
		ensure!(entries > 0, Error::<T>::EmptyBatch);
		// What somebody else settled before costs the block one read, not the weight of a record.
		let fresh: Vec<&BatchEntry> =
			batch.entries.iter().filter(|entry| !T::Ledger::contains(&entry.id)).collect();
		let known = entries.saturating_sub(fresh.len().saturated_into());
		let refused = T::WeightInfo::settle_again().saturating_mul(known.into());
		if fresh.is_empty() {
			let weight = refused.min(Self::batch_weight(&batch));
			return Err(Error::<T>::BatchFailed.with_weight(weight));
		}
		let actual_weight = (known > 0).then(|| {
			let weight = Self::weight_of(&batch, fresh.into_iter()).saturating_add(refused);
			weight.min(Self::batch_weight(&batch))
		});

		let genesis = Self::genesis();
		let signers = Self::ensure_batch_signed(&genesis, &batch)?;
		let signatures = Signatures::Batch(&signers);
		// Also of entries that fail: the others have to pay for their place in the block.
		let least = batch
			.entries
			.iter()
			.fold(0, |sum: Balance, entry| sum.saturating_add(Self::least_price(&entry.body)));
		let (mut settled, mut failed, mut taken) = (0u32, 0u32, Balance::default());
		for (index, entry) in batch.entries.into_iter().enumerate() {
			let id = entry.id;
			match Self::settle_entry(&genesis, entry, &signatures) {
				Ok(price) => {
					settled = settled.saturating_add(1);
					taken = taken.saturating_add(price);
				}
				Err(error) => {
					failed = failed.saturating_add(1);
					let index = index.saturated_into();
					Self::deposit_event(Event::SettlementFailed { index, id, error });
				}
			}
		}
		if settled == 0 {
			let post_info = PostDispatchInfo { actual_weight, pays_fee: Pays::Yes };
			let error = Error::<T>::BatchFailed.into();
			return Err(DispatchErrorWithPostInfo { post_info, error });
		}
		Self::deposit_event(Event::BatchSettled { settled, failed });
		Ok(PostDispatchInfo { actual_weight, pays_fee: Self::fee_of(taken, least) })
	}

	/// Settles one entry, or changes nothing; returns what was taken, in planck. What the entries
	/// before it used, tickets and requests among them, is used for this one.
	fn settle_entry(
		genesis: &H256,
		entry: BatchEntry,
		signatures: &Signatures,
	) -> Result<Balance, DispatchError> {
		let BatchEntry { id, body, payment } = entry;
		ensure!(!T::Ledger::contains(&id), Error::<T>::AlreadySettled);
		with_storage_layer(|| Self::settle_record(genesis, id, body, payment, signatures))
	}

	/// The accounts that signed the batch, ascending; an error if one did not.
	fn ensure_batch_signed(genesis: &H256, batch: &Batch) -> Result<Vec<AccountId>, DispatchError> {
		let ordered = batch
			.signatures
			.iter()
			.zip(batch.signatures.iter().skip(1))
			.all(|((one, _), (next, _))| one < next);
		ensure!(ordered, Error::<T>::BatchSignersUnordered);
		let ids: Vec<RecordId> = batch.entries.iter().map(|entry| entry.id).collect();
		let signers: Vec<AccountId> =
			batch.signatures.iter().map(|(account, _)| account.clone()).collect();
		let digest = batch_digest(genesis, &ids, &signers);
		let all_signed = batch
			.signatures
			.iter()
			.all(|(account, signature)| signature.verify(digest.as_bytes(), account));
		ensure!(all_signed, Error::<T>::BadBatchSignature);
		Ok(signers)
	}
}
