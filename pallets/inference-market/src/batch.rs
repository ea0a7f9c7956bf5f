//! Batches: records that their stages signed once together.

use crate::{pallet::*, settle::Signatures, WeightInfo};
use alloc::vec::Vec;
use aria_primitives::{
	record::{batch_digest, Batch, Payment},
	AccountId, RecordId,
};
use frame_support::{
	dispatch::{DispatchResultWithPostInfo, Pays},
	ensure,
	storage::with_storage_layer,
	traits::Get,
	weights::Weight,
};
use sp_core::H256;
use sp_runtime::{traits::Verify, DispatchError, SaturatedConversion};

/// Keys that an entry of a batch reads of its own: spending key, escrow, holds and account of its
/// requester, model, offer, gateway, two counts of the hash indices, and vesting.
const ENTRY_READS: u64 = 12;
/// Keys that an entry writes of its own: spending key, escrow, holds, account, two counts of the
/// hash indices, and what vests for its gateway and stages.
const ENTRY_WRITES: u64 = 9;
/// Keys that a signer reads of its own: worker, shards, consent, vesting, work.
const SIGNER_READS: u64 = 6;
/// Keys that a signer writes of its own: worker, vesting, work.
const SIGNER_WRITES: u64 = 4;

impl<T: Config> Pallet<T> {
	/// Weight of [`Pallet::settle_batch`]: by signers, entries, and stages beyond the first of each
	/// entry; more for entries that requests pay.
	pub(crate) fn batch_weight(batch: &Batch) -> Weight {
		let signers: u32 = batch.signatures.len().saturated_into();
		let entries: u32 = batch.entries.len().saturated_into();
		let stages = batch
			.entries
			.iter()
			.fold(0usize, |sum, entry| sum.saturating_add(entry.body.stages.len()));
		let more = stages.saturated_into::<u32>().saturating_sub(entries);
		let requests = batch
			.entries
			.iter()
			.filter(|entry| matches!(entry.payment, Payment::Request(_)))
			.count();
		let by_request = T::WeightInfo::settle_request(1)
			.saturating_sub(T::WeightInfo::settle(1))
			.saturating_mul(requests.saturated_into());
		// The benchmark's entries share payer, hashes and workers, so that it counts them once. In
		// the worst case each entry and each signer has its own.
		let own = T::DbWeight::get()
			.reads_writes(ENTRY_READS, ENTRY_WRITES)
			.saturating_mul(entries.into())
			.saturating_add(
				T::DbWeight::get()
					.reads_writes(SIGNER_READS, SIGNER_WRITES)
					.saturating_mul(signers.into()),
			);
		T::WeightInfo::settle_batch(signers, entries, more)
			.saturating_add(by_request)
			.saturating_add(own)
	}

	pub(crate) fn do_settle_batch(batch: Batch) -> DispatchResultWithPostInfo {
		ensure!(!batch.entries.is_empty(), Error::<T>::EmptyBatch);
		let genesis = Self::genesis();
		let signers = Self::ensure_batch_signed(&genesis, &batch)?;
		let signatures = Signatures::Batch(&signers);
		let (mut settled, mut failed) = (0u32, 0u32);
		for (index, entry) in batch.entries.into_iter().enumerate() {
			let id = entry.id;
			let result = with_storage_layer::<(), DispatchError, _>(|| {
				Self::settle_record(&genesis, id, entry.body, entry.payment, &signatures)
			});
			match result {
				Ok(()) => settled = settled.saturating_add(1),
				Err(error) => {
					failed = failed.saturating_add(1);
					let index = index.saturated_into();
					Self::deposit_event(Event::SettlementFailed { index, id, error });
				}
			}
		}
		ensure!(settled > 0, Error::<T>::BatchFailed);
		Self::deposit_event(Event::BatchSettled { settled, failed });
		Ok(if failed == 0 { Pays::No.into() } else { Pays::Yes.into() })
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
		let digest = batch_digest(genesis, &ids);
		let all_signed = batch
			.signatures
			.iter()
			.all(|(account, signature)| signature.verify(digest.as_bytes(), account));
		ensure!(all_signed, Error::<T>::BadBatchSignature);
		Ok(batch.signatures.iter().map(|(account, _)| account.clone()).collect())
	}
}
