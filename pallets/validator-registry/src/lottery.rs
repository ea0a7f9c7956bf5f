//! What each validator weighs in BABE's lottery (`docs/protocol/consensus.md`).

use crate::{Config, Event, Pallet, SlotWeights};
use alloc::{collections::BTreeMap, vec::Vec};
use aria_math::lottery::{lottery_weights, LotteryRules};
use aria_primitives::AccountId;
use frame_support::{traits::Get, BoundedVec};

impl<T: Config> Pallet<T> {
	/// What bounds one validator's share.
	pub(crate) fn lottery_rules() -> LotteryRules {
		LotteryRules {
			share_ppm: T::SlotShare::get(),
			multiple_ppm: T::SlotShareMultiple::get(),
			growth_ppm: T::SlotGrowth::get(),
		}
	}

	/// Fixes the weights of the next set, in its order, by the verified work of now and the weights
	/// that were announced before. None is 0, and their sum is far below 2^64.
	///
	/// The runtime calls it once a session, with the set that it announces to BABE. An empty set
	/// changes nothing.
	pub fn announce_weights(validators: &[AccountId]) -> Vec<u64> {
		if validators.is_empty() {
			return Vec::new();
		}
		let before = SlotWeights::<T>::get();
		let known: BTreeMap<&AccountId, u64> =
			before.iter().map(|(validator, weight)| (validator, *weight)).collect();
		let previous: Vec<u64> =
			validators.iter().map(|validator| known.get(validator).copied().unwrap_or(0)).collect();
		let work: Vec<u128> = validators.iter().map(Self::verified_work).collect();
		let weights = lottery_weights(&work, &previous, &Self::lottery_rules());

		let announced: Vec<(AccountId, u64)> =
			validators.iter().cloned().zip(weights.iter().copied()).collect();
		let announced = BoundedVec::<_, T::MaxValidators>::truncate_from(announced);
		if announced != before {
			SlotWeights::<T>::put(announced);
			let session = Self::session().saturating_add(1);
			Self::deposit_event(Event::WeightsAnnounced { session });
		}
		weights
	}
}
