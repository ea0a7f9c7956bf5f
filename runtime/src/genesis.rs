//! Genesis presets: `development` (one validator, blocks on demand) and `local_testnet` (four
//! validators, so that finality survives the restart of one).

use crate::{
	AccountId, BabeConfig, Balance, BalancesConfig, CouncilConfig, RuntimeGenesisConfig,
	SessionConfig, SessionKeys, SudoConfig, ValidatorRegistryConfig,
};
use alloc::{vec, vec::Vec};
use aria_primitives::ARIA;
use frame_support::build_struct_json_patch;
use sp_consensus_babe::{AllowedSlots, BabeEpochConfiguration};
use sp_genesis_builder::PresetId;
use sp_keyring::{Ed25519Keyring, Sr25519Keyring};

/// Blocks in a third of the slots, so that slots of two seconds give a block each six seconds, and
/// primary slots only, because those heed the weights of authorities.
pub const LIVE_EPOCH_CONFIG: BabeEpochConfiguration =
	BabeEpochConfiguration { c: (1, 3), allowed_slots: AllowedSlots::PrimarySlots };

/// Somebody may author in every slot.
pub const DEV_EPOCH_CONFIG: BabeEpochConfiguration =
	BabeEpochConfiguration { c: (1, 4), allowed_slots: AllowedSlots::PrimaryAndSecondaryVRFSlots };

/// Slots of the development chain, in milliseconds.
pub const DEV_SLOT_MILLIS: u64 = 500;
/// Slots of `local_testnet`, in milliseconds.
pub const LOCAL_SLOT_MILLIS: u64 = 2_000;
/// Slots in an epoch: a minute on the development chain, four on `local_testnet`.
pub const EPOCH_SLOTS: u64 = 120;

/// Who sits in the council of the built-in chains: two of them are more than half, three quarters are
/// all three.
const COUNCIL: [Sr25519Keyring; 3] =
	[Sr25519Keyring::Alice, Sr25519Keyring::Bob, Sr25519Keyring::Charlie];

/// What each development account holds.
const ENDOWMENT: Balance = 1_000_000 * ARIA;

fn session_keys(validator: Sr25519Keyring, finalizer: Ed25519Keyring) -> SessionKeys {
	SessionKeys { babe: validator.public().into(), grandpa: finalizer.public().into() }
}

fn preset(
	validators: Vec<(Sr25519Keyring, Ed25519Keyring)>,
	epoch_config: BabeEpochConfiguration,
	slot_duration: u64,
) -> serde_json::Value {
	let accounts = [
		Sr25519Keyring::Alice,
		Sr25519Keyring::Bob,
		Sr25519Keyring::Charlie,
		Sr25519Keyring::Dave,
		Sr25519Keyring::Eve,
		Sr25519Keyring::Ferdie,
	];
	let account = |key: &Sr25519Keyring| -> AccountId { key.to_account_id() };
	build_struct_json_patch!(RuntimeGenesisConfig {
		balances: BalancesConfig {
			balances: accounts.iter().map(|key| (account(key), ENDOWMENT)).collect::<Vec<_>>(),
		},
		babe: BabeConfig { epoch_config },
		validator_registry: ValidatorRegistryConfig {
			validators: validators.iter().map(|(key, _)| account(key)).collect::<Vec<_>>(),
			slot_duration,
			epoch_length: EPOCH_SLOTS,
		},
		session: SessionConfig {
			keys: validators
				.iter()
				.map(|(key, finalizer)| {
					(account(key), account(key), session_keys(*key, *finalizer))
				})
				.collect::<Vec<_>>(),
		},
		council: CouncilConfig { members: COUNCIL.iter().map(account).collect::<Vec<_>>() },
		// A live chain has none (`docs/protocol/governance.md`).
		sudo: SudoConfig { key: Some(account(&Sr25519Keyring::Alice)) },
	})
}

/// The preset with this name, as a JSON patch of the default genesis.
pub fn get_preset(id: &PresetId) -> Option<Vec<u8>> {
	let patch = match id.as_ref() {
		sp_genesis_builder::DEV_RUNTIME_PRESET => preset(
			vec![(Sr25519Keyring::Alice, Ed25519Keyring::Alice)],
			DEV_EPOCH_CONFIG,
			DEV_SLOT_MILLIS,
		),
		sp_genesis_builder::LOCAL_TESTNET_RUNTIME_PRESET => preset(
			vec![
				(Sr25519Keyring::Alice, Ed25519Keyring::Alice),
				(Sr25519Keyring::Bob, Ed25519Keyring::Bob),
				(Sr25519Keyring::Charlie, Ed25519Keyring::Charlie),
				(Sr25519Keyring::Dave, Ed25519Keyring::Dave),
			],
			LIVE_EPOCH_CONFIG,
			LOCAL_SLOT_MILLIS,
		),
		_ => return None,
	};
	serde_json::to_vec(&patch).ok()
}

/// The names of the presets.
pub fn preset_names() -> Vec<PresetId> {
	vec![
		PresetId::from(sp_genesis_builder::DEV_RUNTIME_PRESET),
		PresetId::from(sp_genesis_builder::LOCAL_TESTNET_RUNTIME_PRESET),
	]
}
