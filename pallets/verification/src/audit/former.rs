//! Who was a verifier: its canaries may still be shown.
//!
//! Others can end a verifier, and nobody but its maker knows of a canary. What its rights are proven
//! with is therefore kept for as long as one that was committed to before may be shown.

use crate::{
	audit::types::{
		FormerVerifier, VerifierInfo, CANARY_LIFE, MAX_DROPPED_FORMER, MAX_FORMER_TERMS,
	},
	pallet::{Canaries, Config, FormerQueue, FormerQueueEnds, FormerVerifiers, Pallet},
	weights::WeightInfo,
};
use aria_primitives::{AccountId, BlockNumber, EpochIndex};
use frame_support::{traits::Get, weights::Weight};

impl<T: Config> Pallet<T> {
	/// Keeps what the rights of a verifier that ends in this block are proven with, if it can have made
	/// a canary.
	pub(crate) fn keep_former(worker: &AccountId, info: &VerifierInfo) {
		if info.from > T::CurrentEpoch::get() || Canaries::<T>::count() == 0 {
			return;
		}
		let ended_at = Self::now();
		FormerVerifiers::<T>::mutate(worker, |terms| {
			if terms.len() >= MAX_FORMER_TERMS as usize {
				terms.remove(0);
			}
			let VerifierInfo { key, weight, from, canary, .. } = *info;
			let _ = terms.try_push(FormerVerifier { key, weight, from, canary, ended_at });
		});
		FormerQueueEnds::<T>::mutate(|ends| {
			let ended_in = T::CurrentEpoch::get();
			FormerQueue::<T>::insert(ends.next, (ended_at, ended_in, worker));
			ends.next = ends.next.saturating_add(1);
		});
	}

	/// Among the times that a worker was a verifier, the one with the rights of an epoch, if it ended no
	/// earlier than block `at`.
	pub(crate) fn former_in(
		terms: &mut [FormerVerifier],
		epoch: EpochIndex,
		at: BlockNumber,
	) -> Option<&mut FormerVerifier> {
		terms.iter_mut().rev().find(|term| term.from <= epoch).filter(|term| at <= term.ended_at)
	}

	/// Drops those whose canaries have all lost their bonds; returns the weight of it.
	pub(crate) fn drop_former(now: BlockNumber) -> Weight {
		let ends = FormerQueueEnds::<T>::get();
		let is_over = |ended_at: BlockNumber, ended_in: EpochIndex| {
			now > ended_at.saturating_add(CANARY_LIFE) && Self::are_canaries_over(ended_in)
		};
		let mut dropped = 0u32;
		let mut first = ends.first;
		while dropped < MAX_DROPPED_FORMER {
			let Some((ended_at, ended_in, worker)) = FormerQueue::<T>::get(first) else { break };
			if !is_over(ended_at, ended_in) {
				break;
			}
			FormerQueue::<T>::remove(first);
			FormerVerifiers::<T>::mutate_exists(&worker, |entry| {
				if let Some(terms) = entry {
					terms.retain(|term| term.ended_at > ended_at);
					if terms.is_empty() {
						*entry = None;
					}
				}
			});
			first = first.saturating_add(1);
			dropped = dropped.saturating_add(1);
		}
		if dropped > 0 {
			FormerQueueEnds::<T>::mutate(|ends| ends.first = first);
		}
		T::WeightInfo::drop_former(dropped)
	}
}
