//! How a session's validators reach BABE: with weights by verified work
//! (`docs/protocol/consensus.md`). GRANDPA needs nothing of the kind: there, all votes are equal.

use crate::{parameters::MaxAuthorities, AccountId, Babe, Runtime, Session, ValidatorRegistry};
use alloc::vec::Vec;
use frame_support::{traits::OneSessionHandler, WeakBoundedVec};
use pallet_babe::{Authorities, NextAuthorities};
use sp_consensus_babe::{AuthorityId, BabeAuthorityWeight};
use sp_runtime::BoundToRuntimeAppPublic;

/// BABE's authorities, as its pallet keeps them.
type Weighted = WeakBoundedVec<(AuthorityId, BabeAuthorityWeight), MaxAuthorities>;

/// BABE for the session pallet, in the place of BABE's own pallet, which would give everybody the
/// weight 1.
///
/// A session gets the authorities that were announced for it, with their weights, because nodes
/// check blocks by what was announced. For the session after it the registry names new weights.
pub struct WeightedBabe;

impl WeightedBabe {
	/// These validators with the weights that the registry announces for them.
	fn weighted<'a>(validators: impl Iterator<Item = (&'a AccountId, AuthorityId)>) -> Weighted {
		let (accounts, keys): (Vec<AccountId>, Vec<AuthorityId>) =
			validators.map(|(account, key)| (account.clone(), key)).unzip();
		let weights = ValidatorRegistry::announce_weights(&accounts);
		Weighted::force_from(
			keys.into_iter().zip(weights).collect(),
			Some("a session has more validators than BABE permits: raise MaxAuthorities"),
		)
	}
}

impl BoundToRuntimeAppPublic for WeightedBabe {
	type Public = AuthorityId;
}

impl OneSessionHandler<AccountId> for WeightedBabe {
	type Key = AuthorityId;

	fn on_genesis_session<'a, I>(validators: I)
	where
		I: Iterator<Item = (&'a AccountId, AuthorityId)> + 'a,
	{
		let authorities = Self::weighted(validators);
		if authorities.is_empty() {
			return;
		}
		// This reaches whoever writes a chain specification, never a block.
		assert!(
			Authorities::<Runtime>::get().is_empty(),
			"babe.authorities must be empty: they follow from session.keys"
		);
		Authorities::<Runtime>::put(&authorities);
		NextAuthorities::<Runtime>::put(&authorities);
	}

	fn on_new_session<'a, I>(_changed: bool, _validators: I, queued_validators: I)
	where
		I: Iterator<Item = (&'a AccountId, AuthorityId)> + 'a,
	{
		let announced = NextAuthorities::<Runtime>::get();
		let mut next = Self::weighted(queued_validators);
		if next.is_empty() {
			// Nobody has keys any more. A set of nobody could make no block, not even the one in
			// which somebody sets keys again: the authorities stay.
			next = announced.clone();
		}
		Babe::enact_epoch_change(announced, next, Some(Session::current_index()));
	}

	fn on_disabled(index: u32) {
		<Babe as OneSessionHandler<AccountId>>::on_disabled(index);
	}
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;
	use crate::{
		genesis::{get_preset, EPOCH_SLOTS},
		Grandpa, RuntimeGenesisConfig, System,
	};
	use frame_support::genesis_builder_helper::build_state;
	use pallet_session::NextKeys;
	use pallet_validator_registry::{VerifiedWork, VerifiedWorkOf};
	use serde_json::{json, Value};
	use sp_consensus_babe::{digests::PreDigest, Slot};
	use sp_genesis_builder::LOCAL_TESTNET_RUNTIME_PRESET;
	use sp_io::TestExternalities;

	/// The local chain, whose validators begin with this verified work, in the order of its genesis.
	fn chain(work: [u64; 4]) -> TestExternalities {
		let mut config = serde_json::to_value(RuntimeGenesisConfig::default()).unwrap();
		let preset = get_preset(&LOCAL_TESTNET_RUNTIME_PRESET.into()).unwrap();
		let preset: Value = serde_json::from_slice(&preset).unwrap();
		for (pallet, fields) in preset.as_object().unwrap() {
			for (field, value) in fields.as_object().unwrap() {
				config[pallet][field] = value.clone();
			}
		}
		let validators = config["validatorRegistry"]["validators"].as_array().unwrap();
		let work: Vec<Value> =
			validators.iter().zip(work).map(|(account, work)| json!([account, work])).collect();
		config["validatorRegistry"]["work"] = work.into();

		let mut ext = TestExternalities::new_empty();
		ext.execute_with(|| {
			build_state::<RuntimeGenesisConfig>(serde_json::to_vec(&config).unwrap()).unwrap();
			System::set_block_number(1);
			pallet_babe::GenesisSlot::<Runtime>::put(Slot::from(1u64));
		});
		ext
	}

	/// Goes on to the first slot of the next epoch, as the session pallet does.
	fn next_session() {
		System::set_block_number(System::block_number() + 1);
		let slot = 1 + EPOCH_SLOTS * (Babe::epoch_index() + 1);
		pallet_babe::CurrentSlot::<Runtime>::put(Slot::from(slot));
		pallet_babe::Initialized::<Runtime>::put(None::<PreDigest>);
		Session::rotate_session();
	}

	fn weights(authorities: &Weighted) -> Vec<u64> {
		authorities.iter().map(|(_, weight)| *weight).collect()
	}

	fn now() -> Weighted {
		Authorities::<Runtime>::get()
	}

	fn next() -> Weighted {
		NextAuthorities::<Runtime>::get()
	}

	/// The order in which sets stand, and the work that `chain` gives its first validator, second, …
	fn in_order(work: [u64; 4]) -> Vec<u64> {
		use sp_keyring::Sr25519Keyring::{Alice, Bob, Charlie, Dave};
		let mut all: Vec<(AccountId, u64)> = [Alice, Bob, Charlie, Dave]
			.into_iter()
			.map(|key| key.to_account_id())
			.zip(work)
			.collect();
		all.sort();
		all.into_iter().map(|(_, work)| work).collect()
	}

	fn remove_keys() -> Vec<(AccountId, crate::SessionKeys)> {
		let all = Session::queued_keys();
		for (account, _) in &all {
			NextKeys::<Runtime>::remove(account);
		}
		all
	}

	#[test]
	fn genesis_should_weigh_the_first_two_sessions() {
		chain([1_000, 2_000, 4_000, 8_000]).execute_with(|| {
			assert_eq!(weights(&now()), in_order([1, 2, 4, 8]));
			assert_eq!(now(), next());
		});
		chain([0; 4]).execute_with(|| assert_eq!(weights(&now()), [1; 4]));
	}

	#[test]
	fn a_session_should_have_the_weights_that_were_announced_for_it() {
		chain([0; 4]).execute_with(|| {
			let first = Session::validators().remove(0);
			let work = VerifiedWork { sum: 1_000_000, session: 0 };
			VerifiedWorkOf::<Runtime>::insert(&first, work);
			let before = next();
			next_session();
			assert_eq!(now(), before);
			let announced = next();
			assert!(announced[0].1 > announced[1].1, "{announced:?}");
			next_session();
			assert_eq!(now(), announced);
			assert!(next()[0].1 * announced[1].1 > next()[1].1 * announced[0].1, "it goes on");
			assert_eq!(ValidatorRegistry::slot_weights()[0], (first, next()[0].1));
		});
	}

	#[test]
	fn finality_should_know_no_weights() {
		chain([1, 2, 4, 8]).execute_with(|| {
			for _ in 0..3 {
				next_session();
				let voters = Grandpa::grandpa_authorities();
				assert_eq!(voters.len(), 4);
				assert!(voters.iter().all(|(_, weight)| *weight == 1));
			}
			// Changed weights hand nothing over.
			assert_eq!(pallet_grandpa::CurrentSetId::<Runtime>::get(), 0);
		});
	}

	#[test]
	fn the_authorities_should_stay_when_nobody_has_keys() {
		chain([1, 2, 4, 8]).execute_with(|| {
			let before = now();
			let keys = remove_keys();
			for _ in 0..3 {
				next_session();
				assert_eq!((now(), next()), (before.clone(), before.clone()));
				assert_eq!(Grandpa::grandpa_authorities().len(), 4);
				assert!(!pallet_grandpa::PendingChange::<Runtime>::exists());
			}
			assert!(Session::validators().is_empty());
			assert_eq!(ValidatorRegistry::slot_weights().len(), 4);

			// One of them comes back, and is the next set but one.
			let (account, key) = keys[2].clone();
			NextKeys::<Runtime>::insert(&account, &key);
			next_session();
			assert_eq!((now(), next().len()), (before, 1));
			next_session();
			assert_eq!(now().into_inner(), vec![(key.babe, 1)]);
			assert_eq!(Session::validators(), vec![account]);
		});
	}

	#[test]
	fn weights_should_add_up_without_overflow_at_any_work() {
		chain([u64::MAX; 4]).execute_with(|| {
			for validator in Session::validators() {
				let work = VerifiedWork { sum: u128::MAX, session: 0 };
				VerifiedWorkOf::<Runtime>::insert(validator, work);
			}
			next_session();
			assert!(weights(&next()).iter().all(|weight| *weight > 0));
			assert!(weights(&next()).iter().try_fold(0u64, |sum, w| sum.checked_add(*w)).is_some());
		});
	}
}
