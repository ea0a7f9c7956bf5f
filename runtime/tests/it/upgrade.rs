//! From the version before to this one, on a state in the layout of the version before: in blocks, and
//! with the checks of the feature `try-runtime`, also on states that a real node made
//! (`docs/operations/upgrade.md`).

use crate::{chain::Chain, flow::*, state::issuance};
use aria_primitives::{audit::Verdict, traits::RecordStakes, EpochIndex, Ppm, RecordId};
use aria_runtime::{
	configs::CouncilInstance, Council, Runtime, RuntimeCall, ValidatorRegistry, Verification,
	VERSION,
};
use frame_support::{
	storage::{storage_prefix, unhashed},
	traits::{GetStorageVersion, StorageVersion},
};
use frame_system::{LastRuntimeUpgrade, LastRuntimeUpgradeInfo};
use pallet_inference_market::Unvested;
use pallet_validator_registry::SlotWeights;
use pallet_verification::{ClosedThrough, Drawn, DrawnStatus, Settled};

/// Pallets that the version before had not.
const NEW_PALLETS: [&[u8]; 3] = [b"Council", b"Whitelist", b"Parameters"];

/// Items that it had not, of pallets that it had.
const NEW_ITEMS: [(&[u8], &[u8]); 29] = [
	(b"InferenceMarket", b"Answered"),
	(b"InferenceMarket", b"AnsweredTotal"),
	(b"InferenceMarket", b"Forfeited"),
	(b"InferenceMarket", b"Shared"),
	(b"InferenceMarket", b"SharedTotal"),
	(b"RewardDistributor", b"EraEpochs"),
	(b"ValidatorRegistry", b"SlotWeights"),
	(b"ValidatorRegistry", b"VerifiedWorkOf"),
	(b"ValidatorRegistry", b"WaitingWork"),
	(b"ValidatorRegistry", b"WorkEpochs"),
	(b"Verification", b"Audits"),
	(b"Verification", b"Canaries"),
	(b"Verification", b"CanaryFunds"),
	(b"Verification", b"ClosedThrough"),
	(b"Verification", b"CounterForAudits"),
	(b"Verification", b"CounterForCanaries"),
	(b"Verification", b"CounterForVerifiers"),
	(b"Verification", b"Deadlines"),
	(b"Verification", b"FeesOwed"),
	(b"Verification", b"OpenAudits"),
	(b"Verification", b"Seats"),
	(b"Verification", b"Tallies"),
	(b"Verification", b"TalliesFrom"),
	(b"Verification", b"Terms"),
	(b"Verification", b"VerifierKeys"),
	(b"Verification", b"VerifierWeight"),
	(b"Verification", b"Verifiers"),
	(b"Verification", b"Waiting"),
	(b"Verification", b"WaitingEnds"),
];

/// Removes all keys that begin so.
fn clear(prefix: &[u8]) {
	sp_io::storage::clear(prefix);
	while let Some(key) = sp_io::storage::next_key(prefix) {
		if !key.starts_with(prefix) {
			return;
		}
		sp_io::storage::clear(&key);
	}
}

/// Writes the state as the version before would have left it.
fn downgrade() {
	// A pending record was its lowest reputation, and whether its draw is certain.
	let pending: Vec<(Vec<u8>, (Ppm, bool))> = Settled::<Runtime>::iter()
		.map(|(epoch, id, record)| {
			(Settled::<Runtime>::hashed_key_for(epoch, id), (record.reputation, record.forced))
		})
		.collect();
	for (key, record) in pending {
		unhashed::put(&key, &record);
	}
	// No draw had a verdict.
	let drawn: Vec<_> = Drawn::<Runtime>::iter().collect();
	for (id, mut info) in drawn {
		info.status = DrawnStatus::Open;
		Drawn::<Runtime>::insert(id, info);
	}
	for (pallet, item) in NEW_ITEMS {
		clear(&storage_prefix(pallet, item));
	}
	for pallet in NEW_PALLETS {
		// The pallet's half of a key.
		clear(&storage_prefix(pallet, b"")[..16]);
	}
	StorageVersion::new(1).put::<ValidatorRegistry>();
	StorageVersion::new(1).put::<Verification>();
	let mut version = VERSION;
	version.spec_version -= 1;
	LastRuntimeUpgrade::<Runtime>::put(LastRuntimeUpgradeInfo::from(version));
}

/// What the version before left undone.
#[derive(Clone, Copy)]
struct Records {
	/// Drawn, and without a verdict.
	drawn: RecordId,
	/// Waits for its draw.
	pending: RecordId,
	/// In which the second one was settled.
	epoch: EpochIndex,
}

/// A chain in the layout of the version before, with a record that was drawn and one that waits for its
/// draw, both by the same workers and neither of them paid.
fn chain_before() -> (Flow, Records) {
	let mut flow = Flow::new();
	let draft = flow.draft(1);
	flow.settle(draft);
	let drawn = flow.last.as_ref().unwrap().id;
	flow.chain.epochs(2);
	let draft = flow.draft(2);
	flow.settle(draft);
	let pending = flow.last.as_ref().unwrap().id;
	let epoch = flow.chain.read(pallet_babe::EpochIndex::<Runtime>::get);
	flow.chain.read(|| {
		assert!(Drawn::<Runtime>::contains_key(drawn), "a newcomer's record is always drawn");
		assert!(Settled::<Runtime>::contains_key(epoch, pending));
	});
	assert!(is_unpaid(&mut flow.chain, 0) && is_unpaid(&mut flow.chain, epoch));
	flow.chain.write(downgrade);
	flow.chain.read(|| {
		assert!(Settled::<Runtime>::get(epoch, pending).is_none(), "it has another layout");
	});
	(flow, Records { drawn, pending, epoch })
}

/// Whether a worker waits for what it earned in an epoch.
fn is_unpaid(chain: &mut Chain, epoch: EpochIndex) -> bool {
	chain.read(|| Unvested::<Runtime>::get(epoch, LAST.to_account_id()).is_some())
}

/// What has to hold right after the upgrade; to be called within the chain.
fn check(records: Records) {
	assert_eq!(Verification::on_chain_storage_version(), 2);
	assert_eq!(ValidatorRegistry::on_chain_storage_version(), 2);
	// The new pallets know their version.
	let council = Council::in_code_storage_version();
	assert_eq!(Council::on_chain_storage_version(), council);
	let last = LastRuntimeUpgrade::<Runtime>::get().unwrap();
	assert_eq!(last.spec_version.0, VERSION.spec_version);

	let record = Settled::<Runtime>::get(records.epoch, records.pending).unwrap();
	assert!(!record.forced);
	assert_eq!(record.stakes, RecordStakes::default());
	assert!(matches!(
		Drawn::<Runtime>::get(records.drawn).unwrap().status,
		DrawnStatus::Decided { verdict: Verdict::Unaudited, canary: false, .. }
	));
	assert_eq!(ClosedThrough::<Runtime>::get(), Some(records.epoch - 1));
	let weights = SlotWeights::<Runtime>::get().into_inner();
	assert_eq!(weights, [(SUDO.to_account_id(), 1)]);
}

#[test]
fn the_first_block_of_this_version_should_take_the_state_over_and_the_chain_go_on() {
	// Given a state of the version before.
	let (mut flow, records) = chain_before();
	let issued = issuance(&mut flow.chain);

	// When this version makes its first block.
	flow.chain.block(Vec::new());

	// Then all of it is there, and nothing was made of nothing.
	flow.chain.read(|| check(records));
	assert_eq!(issuance(&mut flow.chain), issued);

	// Records are settled, and those of before are paid ...
	let draft = flow.draft(3);
	flow.settle(draft);
	flow.chain.epochs(1);
	flow.chain.block(Vec::new());
	assert!(!is_unpaid(&mut flow.chain, 0));

	// ... or drawn first.
	flow.chain.epochs(1);
	assert!(flow.chain.read(|| Drawn::<Runtime>::contains_key(records.pending)));
	flow.chain.epochs(1);
	flow.chain.block(Vec::new());
	assert!(!is_unpaid(&mut flow.chain, records.epoch));
	issuance(&mut flow.chain);
}

#[test]
fn the_upgrade_should_happen_once() {
	let (mut flow, records) = chain_before();
	flow.chain.block(Vec::new());
	let at = flow.chain.read(|| Drawn::<Runtime>::get(records.drawn));
	flow.chain.blocks(3);
	assert_eq!(flow.chain.read(|| Drawn::<Runtime>::get(records.drawn)), at);
	flow.chain.read(|| check(records));
}

#[test]
fn root_should_seat_the_council_on_a_chain_that_had_none() {
	let (mut flow, _) = chain_before();
	flow.chain.block(Vec::new());
	let members = pallet_collective::Members::<Runtime, CouncilInstance>::get;
	assert!(flow.chain.read(members).is_empty());
	let mut seats = vec![FIRST.to_account_id(), LAST.to_account_id()];
	seats.sort();
	let seat = pallet_collective::Call::set_members {
		new_members: seats.clone(),
		prime: None,
		old_count: 0,
	};
	flow.chain.accept(vec![(SUDO, sudo(RuntimeCall::Council(seat)))]);
	assert_eq!(flow.chain.read(members), seats);
}

/// With the hooks of the feature `try-runtime`: what pallets check before and after their migrations,
/// that the whole state decodes, and all invariants.
#[cfg(feature = "try-runtime")]
mod checked {
	use super::*;
	use aria_runtime::{AllPalletsWithSystem, Executive, System};
	use codec::Decode;
	use frame_support::traits::{TryState, TryStateSelect, UpgradeCheckSelect};
	use sp_io::TestExternalities;
	use std::{collections::BTreeMap, env, fs, path::Path};

	fn upgrade() {
		if let Err(error) = Executive::try_runtime_upgrade(UpgradeCheckSelect::All) {
			panic!("the upgrade's checks failed: {error:?}");
		}
	}

	fn check_invariants() {
		let checked = AllPalletsWithSystem::try_state(System::block_number(), TryStateSelect::All);
		assert_eq!(checked, Ok(()));
	}

	#[test]
	fn the_upgrade_should_pass_its_own_checks() {
		let (mut flow, records) = chain_before();
		flow.chain.write(upgrade);
		flow.chain.read(|| check(records));
		flow.chain.block(Vec::new());
		flow.chain.epochs(4);
		flow.chain.block(Vec::new());
		flow.chain.read(check_invariants);
	}

	#[test]
	fn a_chain_of_this_version_should_pass_them_too_and_stay_as_it_is() {
		let mut flow = Flow::new();
		let before = flow.chain.state();
		flow.chain.write(upgrade);
		assert_eq!(flow.chain.state(), before);
	}

	/// A state that the rehearsal wrote.
	fn load(dir: &Path, name: &str) -> TestExternalities {
		let path = dir.join(name);
		let bytes = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
		let state = BTreeMap::<Vec<u8>, Vec<u8>>::decode(&mut bytes.as_slice()).unwrap();
		let mut ext = TestExternalities::new_empty();
		ext.execute_with(|| {
			for (key, value) in &state {
				sp_io::storage::set(key, value);
			}
		});
		ext.commit_all().unwrap();
		ext
	}

	#[test]
	#[ignore = "takes the states that scripts/rehearse-upgrade.sh makes"]
	fn states_of_a_real_node_before_and_after_its_upgrade_should_pass_all_checks() {
		let dir = env::var_os("ARIA_UPGRADE_STATES")
			.expect("ARIA_UPGRADE_STATES names no folder: run scripts/rehearse-upgrade.sh");
		let dir = Path::new(&dir);
		load(dir, "before.scale").execute_with(|| {
			assert_eq!(Verification::on_chain_storage_version(), 1);
			assert_eq!(ValidatorRegistry::on_chain_storage_version(), 1);
			upgrade();
		});
		load(dir, "after.scale").execute_with(|| {
			assert_eq!(Verification::on_chain_storage_version(), 2);
			check_invariants();
			let before = sp_io::storage::root(VERSION.state_version());
			upgrade();
			assert_eq!(sp_io::storage::root(VERSION.state_version()), before);
		});
	}
}
