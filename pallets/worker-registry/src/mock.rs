#![allow(clippy::unwrap_used)]

use crate::PeerKey;
use aria_primitives::{
	consent::TaskType,
	hashing,
	record::LayerRange,
	traits::{ModelInfo, Models, Obligations, Offer},
	AccountId, Balance, ModelId,
};
use frame_support::{
	derive_impl, parameter_types,
	traits::{ConstU128, ConstU32},
};
use frame_system::{mocking::MockBlockU32, EnsureRoot};
use sp_core::{ed25519, Pair, H256};
use sp_runtime::{traits::IdentityLookup, BuildStorage, DispatchError};
use std::collections::{BTreeMap, BTreeSet};

pub const ALICE: AccountId = AccountId::new([1; 32]);
pub const BOB: AccountId = AccountId::new([2; 32]);
pub const CHARLIE: AccountId = AccountId::new([3; 32]);
/// An account that owns nothing.
pub const POOR: AccountId = AccountId::new([9; 32]);

pub const MINIMUM: Balance = 100;
pub const TARGET: Balance = 500;
pub const UNBONDING: u32 = 50;
pub const GRACE: u32 = 20;
pub const ERA: u32 = 10;
pub const INITIAL: Balance = 10_000;

#[frame_support::runtime]
mod runtime {
	#[runtime::runtime]
	#[runtime::derive(
		RuntimeCall,
		RuntimeEvent,
		RuntimeError,
		RuntimeOrigin,
		RuntimeFreezeReason,
		RuntimeHoldReason,
		RuntimeSlashReason,
		RuntimeLockId,
		RuntimeTask,
		RuntimeViewFunction
	)]
	pub struct Test;

	#[runtime::pallet_index(0)]
	pub type System = frame_system;
	#[runtime::pallet_index(1)]
	pub type Balances = pallet_balances;
	#[runtime::pallet_index(2)]
	pub type WorkerRegistry = crate;
}

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
	type Block = MockBlockU32<Test>;
	type AccountId = AccountId;
	type Lookup = IdentityLookup<AccountId>;
	type AccountData = pallet_balances::AccountData<Balance>;
}

#[derive_impl(pallet_balances::config_preludes::TestDefaultConfig)]
impl pallet_balances::Config for Test {
	type Balance = Balance;
	type ExistentialDeposit = ConstU128<1>;
	type AccountStore = System;
	type RuntimeHoldReason = RuntimeHoldReason;
}

parameter_types! {
	/// Pinned models and their layers.
	pub static Pinned: BTreeMap<ModelId, u16> = BTreeMap::new();
	/// Accounts with earnings that have not vested.
	pub static Obliged: BTreeSet<AccountId> = BTreeSet::new();
}

pub struct MockModels;
impl Models for MockModels {
	fn pinned(model: &ModelId) -> Result<ModelInfo, DispatchError> {
		let layers = Pinned::get().get(model).copied().ok_or(DispatchError::Other("not pinned"))?;
		Ok(ModelInfo {
			layers,
			active_parameters: 1_000_000,
			context: 2_048,
			task_type: TaskType::TextGeneration,
		})
	}

	fn offer(_: &ModelId, _: &AccountId) -> Result<Offer, DispatchError> {
		Ok(Offer::default())
	}

	#[cfg(feature = "runtime-benchmarks")]
	fn benchmark_model(layers: u16, _: &AccountId, _: Offer) -> ModelId {
		let id = H256::from_low_u64_be(u64::from(layers));
		Pinned::mutate(|models| models.insert(id, layers));
		id
	}
}

pub struct MockObligations;
impl Obligations for MockObligations {
	fn unvested(account: &AccountId) -> Balance {
		u128::from(Obliged::get().contains(account))
	}
}

impl crate::Config for Test {
	type Currency = Balances;
	type RuntimeHoldReason = RuntimeHoldReason;
	type Models = MockModels;
	type Obligations = MockObligations;
	type PunishOrigin = EnsureRoot<AccountId>;
	type MinimumStake = ConstU128<MINIMUM>;
	type TargetStake = ConstU128<TARGET>;
	type UnbondingPeriod = ConstU32<UNBONDING>;
	type ServedGrace = ConstU32<GRACE>;
	type EraLength = ConstU32<ERA>;
	type MaxServed = ConstU32<8>;
	type WeightInfo = ();
}

/// A pinned model of 24 layers.
pub fn model() -> ModelId {
	H256::repeat_byte(0xaa)
}

/// A pinned model of 4 layers.
pub fn small_model() -> ModelId {
	H256::repeat_byte(0xbb)
}

pub fn layers(first: u16, end: u16) -> LayerRange {
	LayerRange { first, end }
}

fn key(seed: u8) -> ed25519::Pair {
	ed25519::Pair::from_seed(&[seed; 32])
}

/// The peer key made from `seed`.
pub fn peer(seed: u8) -> PeerKey {
	key(seed).public().into()
}

/// The signature by which the peer of `seed` binds itself to `account`.
pub fn binding(seed: u8, account: &AccountId) -> [u8; 64] {
	let message = hashing::peer_binding(&WorkerRegistry::genesis(), account);
	key(seed).sign(message.as_bytes()).into()
}

pub fn new_test_ext() -> sp_io::TestExternalities {
	let mut storage = frame_system::GenesisConfig::<Test>::default().build_storage().unwrap();
	pallet_balances::GenesisConfig::<Test> {
		balances: vec![(ALICE, INITIAL), (BOB, INITIAL), (CHARLIE, INITIAL)],
		..Default::default()
	}
	.assimilate_storage(&mut storage)
	.unwrap();

	let mut ext: sp_io::TestExternalities = storage.into();
	ext.register_extension(sp_keystore::KeystoreExt::new(
		sp_keystore::testing::MemoryKeystore::new(),
	));
	ext.execute_with(|| {
		Pinned::set(BTreeMap::from([(model(), 24), (small_model(), 4)]));
		Obliged::set(BTreeSet::new());
		System::set_block_number(1);
	});
	ext
}

/// Runs `test` on a new chain and checks the invariants after it.
pub fn build_and_execute(test: impl FnOnce()) {
	new_test_ext().execute_with(|| {
		test();
		WorkerRegistry::do_try_state().unwrap();
	});
}
