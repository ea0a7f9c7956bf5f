//! The genesis of each network.

use crate::{chain::Chain, state::issuance};
use aria_primitives::{AccountId, ARIA};
use aria_runtime::{
	configs::CouncilInstance, genesis, parameters, Babe, Block, Grandpa, InferenceMarket, Runtime,
	System,
};
use frame_system::Account;
use pallet_validator_registry::Validators;
use sp_consensus_babe::{
	runtime_decl_for_babe_api::BabeApiV2, AllowedSlots, BabeConfiguration, ConsensusLog,
	BABE_ENGINE_ID,
};
use sp_core::crypto::ByteArray;
use sp_genesis_builder::{DEV_RUNTIME_PRESET, LOCAL_TESTNET_RUNTIME_PRESET};
use sp_keyring::{
	Ed25519Keyring,
	Sr25519Keyring::{self, Alice, Bob, Charlie, Dave, Eve, Ferdie},
};
use sp_runtime::DigestItem;

fn babe(chain: &mut Chain) -> BabeConfiguration {
	chain.read(<Runtime as BabeApiV2<Block>>::configuration)
}

fn validators(chain: &mut Chain) -> Vec<AccountId> {
	chain.read(pallet_session::Validators::<Runtime>::get)
}

/// Checks what both presets have in common, for these validators.
fn check(preset: &str, keys: &[(Sr25519Keyring, Ed25519Keyring)]) -> Chain {
	let mut chain = Chain::new(preset);
	// A set is in the order of its accounts.
	let mut keys = keys.to_vec();
	keys.sort_by_key(|(key, _)| key.to_account_id());

	let accounts: Vec<AccountId> = keys.iter().map(|(key, _)| key.to_account_id()).collect();
	assert_eq!(validators(&mut chain), accounts);
	let expected: Vec<_> = keys.iter().map(|(key, _)| (key.public().to_raw_vec(), 1u64)).collect();
	let authorities = babe(&mut chain).authorities.into_iter();
	let authorities: Vec<_> = authorities.map(|(key, weight)| (key.to_raw_vec(), weight)).collect();
	assert_eq!(authorities, expected);
	let expected: Vec<_> = keys.iter().map(|(_, key)| (key.public().to_raw_vec(), 1u64)).collect();
	let finalizers = chain.read(Grandpa::grandpa_authorities).into_iter();
	let finalizers: Vec<_> = finalizers.map(|(key, weight)| (key.to_raw_vec(), weight)).collect();
	assert_eq!(finalizers, expected);

	chain.read(|| {
		assert_eq!(pallet_sudo::Key::<Runtime>::get(), Some(Alice.to_account_id()));
		let mut council = [Alice, Bob, Charlie].map(|key| key.to_account_id());
		council.sort();
		assert_eq!(pallet_collective::Members::<Runtime, CouncilInstance>::get(), council);
		for account in &accounts {
			let info = Validators::<Runtime>::get(account).unwrap();
			assert_eq!(info.stake, parameters::ValidatorMinimumStake::get());
			assert!(!info.stake_waived);
		}
		for key in [Alice, Bob, Charlie, Dave, Eve, Ferdie] {
			let data = Account::<Runtime>::get(key.to_account_id()).data;
			assert_eq!(data.free + data.reserved, 1_000_000 * ARIA, "{key}");
		}
		let pot = InferenceMarket::pot();
		assert_eq!(Account::<Runtime>::get(pot).data.free, parameters::ExistentialDeposit::get());
	});
	// The pots of market and audits exist.
	let endowed = 6 * 1_000_000 * ARIA + 2 * parameters::ExistentialDeposit::get();
	assert_eq!(issuance(&mut chain), endowed);
	chain
}

#[test]
fn the_development_preset_should_have_one_validator_and_short_slots() {
	let mut chain = check(DEV_RUNTIME_PRESET, &[(Alice, Ed25519Keyring::Alice)]);
	let config = babe(&mut chain);
	assert_eq!((config.slot_duration, config.epoch_length), (500, 120));
	assert_eq!(config.c, (1, 4));
	assert_eq!(config.allowed_slots, AllowedSlots::PrimaryAndSecondaryVRFSlots);
}

#[test]
fn the_local_preset_should_have_four_validators_and_primary_slots_only() {
	let keys = [
		(Alice, Ed25519Keyring::Alice),
		(Bob, Ed25519Keyring::Bob),
		(Charlie, Ed25519Keyring::Charlie),
		(Dave, Ed25519Keyring::Dave),
	];
	let mut chain = check(LOCAL_TESTNET_RUNTIME_PRESET, &keys);
	let config = babe(&mut chain);
	assert_eq!((config.slot_duration, config.epoch_length), (2_000, 120));
	assert_eq!(config.c, (1, 3));
	assert_eq!(config.allowed_slots, AllowedSlots::PrimarySlots);
}

#[test]
fn presets_should_be_listed_and_only_those_exist() {
	let names = genesis::preset_names();
	assert_eq!(names, [DEV_RUNTIME_PRESET, LOCAL_TESTNET_RUNTIME_PRESET]);
	assert!(names.iter().all(|name| genesis::get_preset(name).is_some()));
	assert!(genesis::get_preset(&"mainnet".into()).is_none());
}

#[test]
fn presets_should_differ_in_their_genesis() {
	let (dev, local) = (Chain::new(DEV_RUNTIME_PRESET), Chain::new(LOCAL_TESTNET_RUNTIME_PRESET));
	assert_ne!(dev.genesis(), local.genesis());
	assert_eq!(dev.genesis(), Chain::new(DEV_RUNTIME_PRESET).genesis());
}

#[test]
fn validators_should_stay_over_epochs_in_which_all_of_them_make_blocks() {
	let mut chain = Chain::new(LOCAL_TESTNET_RUNTIME_PRESET);
	let before = validators(&mut chain);
	let mut announced = 0;
	for _ in 0..3 * 120 {
		let executed = chain.block(Vec::new());
		let logs = executed.header.digest.logs.iter();
		announced += logs.filter(|log| announces_an_epoch(log)).count();
	}

	assert_eq!(chain.read(Babe::epoch_index), 3);
	assert_eq!(announced, 3, "each new epoch announces the next one");
	assert_eq!(validators(&mut chain), before);
	assert_eq!(chain.read(pallet_session::CurrentIndex::<Runtime>::get), 3);
	// Finality did not change hands.
	assert_eq!(chain.read(pallet_grandpa::CurrentSetId::<Runtime>::get), 0);
	assert_eq!(chain.read(System::block_number), 361);
}

fn announces_an_epoch(log: &DigestItem) -> bool {
	let DigestItem::Consensus(BABE_ENGINE_ID, bytes) = log else { return false };
	let log = <ConsensusLog as codec::Decode>::decode(&mut &bytes[..]).unwrap();
	matches!(log, ConsensusLog::NextEpochData(_))
}

#[test]
fn validators_that_fall_silent_should_leave_the_set_and_the_others_go_on() {
	let mut chain = Chain::new(LOCAL_TESTNET_RUNTIME_PRESET);
	let first = validators(&mut chain).remove(0);
	// Every fourth slot is the first one's; the others stay silent.
	chain.block_after(4 - chain.head().slot % 4, Vec::new());
	for _ in 0..30 * (parameters::HeartbeatGrace::get() + 4) {
		chain.block_after(4, Vec::new());
		if validators(&mut chain).len() == 1 {
			break;
		}
	}

	assert_eq!(validators(&mut chain), std::slice::from_ref(&first));
	assert_eq!(babe(&mut chain).authorities.len(), 1);
	assert_eq!(chain.read(Grandpa::grandpa_authorities).len(), 1);
	chain.blocks(5);
	assert_eq!(chain.author(), first);
}
