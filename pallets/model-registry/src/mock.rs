//! A runtime of this pallet and balances.

#![allow(clippy::unwrap_used)]

use crate::{fixtures, AliasName, HoldReason};
use aria_primitives::{traits::Offer, AccountId, Balance, ModelId};
use frame_support::{
	derive_impl, ord_parameter_types, parameter_types, traits::fungible::InspectHold,
};
use frame_system::{mocking::MockBlockU32, EnsureRoot, EnsureSignedBy};
use sp_runtime::{traits::IdentityLookup, BuildStorage, StateVersion};

pub const ALICE: AccountId = AccountId::new([1; 32]);
pub const BOB: AccountId = AccountId::new([2; 32]);
/// Has just the existential deposit.
pub const PAUPER: AccountId = AccountId::new([3; 32]);
/// Sets aliases.
pub const LIBRARIAN: AccountId = AccountId::new([4; 32]);

pub const BALANCE: Balance = 1_000_000;
pub const BASE: Balance = 1_000;
pub const PER_BYTE: Balance = 2;
pub const PER_OFFER: Balance = 50;
pub const MAX_PRICE: Balance = 1_000_000_000;
pub const MAX_PINNED: u32 = 3;
pub const MAX_ALIASES: u32 = 2;

pub const OFFER: Offer = Offer { prompt_price: 2, cached_price: 1, output_price: 5 };

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
	pub type ModelRegistry = crate;
}

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
	type Block = MockBlockU32<Test>;
	type AccountData = pallet_balances::AccountData<Balance>;
	type AccountId = AccountId;
	type Lookup = IdentityLookup<AccountId>;
}

#[derive_impl(pallet_balances::config_preludes::TestDefaultConfig)]
impl pallet_balances::Config for Test {
	type Balance = Balance;
	type ExistentialDeposit = ExistentialDeposit;
	type AccountStore = System;
	type RuntimeHoldReason = RuntimeHoldReason;
}

parameter_types! {
	pub const ExistentialDeposit: Balance = 1;
	pub const DepositBase: Balance = BASE;
	pub static DepositPerByte: Balance = PER_BYTE;
	pub static OfferDeposit: Balance = PER_OFFER;
	pub const MaxTokenPrice: Balance = MAX_PRICE;
	pub const MaxPinned: u32 = MAX_PINNED;
	pub const MaxAliasesPerModel: u32 = MAX_ALIASES;
}

ord_parameter_types! {
	pub const Librarian: AccountId = LIBRARIAN;
}

impl crate::Config for Test {
	type Currency = Balances;
	type RuntimeHoldReason = RuntimeHoldReason;
	type PinOrigin = EnsureRoot<AccountId>;
	type AliasOrigin = EnsureSignedBy<Librarian, AccountId>;
	type DepositBase = DepositBase;
	type DepositPerByte = DepositPerByte;
	type OfferDeposit = OfferDeposit;
	type MaxTokenPrice = MaxTokenPrice;
	type MaxPinned = MaxPinned;
	type MaxAliasesPerModel = MaxAliasesPerModel;
	type WeightInfo = ();
}

pub fn new_test_ext() -> sp_io::TestExternalities {
	DepositPerByte::set(PER_BYTE);
	OfferDeposit::set(PER_OFFER);
	let mut storage = frame_system::GenesisConfig::<Test>::default().build_storage().unwrap();
	pallet_balances::GenesisConfig::<Test> {
		balances: vec![(ALICE, BALANCE), (BOB, BALANCE), (PAUPER, 1)],
		..Default::default()
	}
	.assimilate_storage(&mut storage)
	.unwrap();
	let mut ext: sp_io::TestExternalities = storage.into();
	ext.execute_with(|| System::set_block_number(1));
	ext
}

/// Runs the test in block 1 and checks the invariants afterwards.
pub fn build_and_execute(test: impl FnOnce()) {
	new_test_ext().execute_with(|| {
		test();
		ModelRegistry::do_try_state().unwrap();
	});
}

/// Runs what must fail without a trace and returns what it returned.
pub fn assert_state_unchanged<R>(call: impl FnOnce() -> R) -> R {
	let before = sp_io::storage::root(StateVersion::V1);
	let result = call();
	assert_eq!(before, sp_io::storage::root(StateVersion::V1), "the state has changed");
	result
}

/// Registers a model of four layers for Alice; another `seed` gives another model.
pub fn registered(seed: u32) -> ModelId {
	let manifest = fixtures::variant(4, seed);
	let bytes = fixtures::bytes(&manifest);
	ModelRegistry::register_model(RuntimeOrigin::signed(ALICE), bytes).unwrap();
	manifest.model_id()
}

/// Registers and pins such a model.
pub fn pinned(seed: u32) -> ModelId {
	let model = registered(seed);
	ModelRegistry::pin(RuntimeOrigin::root(), model).unwrap();
	model
}

pub fn alias(name: &str) -> AliasName {
	name.as_bytes().to_vec().try_into().unwrap()
}

/// What is on hold for the account's models or offers.
pub fn held(reason: HoldReason, account: &AccountId) -> Balance {
	Balances::balance_on_hold(&reason.into(), account)
}
