//! A runtime of this pallet and balances.

#![allow(clippy::unwrap_used)]

use aria_primitives::{
	consent::{Consent, RewardMode, RewardPreference, Schedule, TaskType},
	AccountId, Balance, BlockNumber,
};
use frame_support::{derive_impl, parameter_types};
use frame_system::mocking::MockBlockU32;
use sp_runtime::{traits::IdentityLookup, BoundedVec, BuildStorage, StateVersion};

pub const ALICE: AccountId = AccountId::new([1; 32]);
pub const BOB: AccountId = AccountId::new([2; 32]);
/// Has just the existential deposit.
pub const PAUPER: AccountId = AccountId::new([3; 32]);
pub const PAYOUT: AccountId = AccountId::new([4; 32]);
pub const CHARITY: AccountId = AccountId::new([5; 32]);

pub const BALANCE: Balance = 10_000;
pub const BASE: Balance = 100;
pub const PER_VERSION: Balance = 10;
pub const GRACE: BlockNumber = 10;
pub const HISTORY: BlockNumber = 100;
pub const MAX_VERSIONS: u32 = 4;

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
	pub type ConsentRegistry = crate;
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
	pub static DepositPerVersion: Balance = PER_VERSION;
	pub const GracePeriod: BlockNumber = GRACE;
	pub const HistoryPeriod: BlockNumber = HISTORY;
	pub const MaxVersions: u32 = MAX_VERSIONS;
	pub const DonationAccount: AccountId = CHARITY;
}

impl crate::Config for Test {
	type Currency = Balances;
	type RuntimeHoldReason = RuntimeHoldReason;
	type DepositBase = DepositBase;
	type DepositPerVersion = DepositPerVersion;
	type GracePeriod = GracePeriod;
	type HistoryPeriod = HistoryPeriod;
	type MaxVersions = MaxVersions;
	type DonationAccount = DonationAccount;
	type WeightInfo = ();
}

pub fn new_test_ext() -> sp_io::TestExternalities {
	DepositPerVersion::set(PER_VERSION);
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
		ConsentRegistry::do_try_state().unwrap();
	});
}

/// Runs what must fail without a trace and returns what it returned.
pub fn assert_state_unchanged<R>(call: impl FnOnce() -> R) -> R {
	let before = sp_io::storage::root(StateVersion::V1);
	let result = call();
	assert_eq!(before, sp_io::storage::root(StateVersion::V1), "the state has changed");
	result
}

/// Text generation at any time, with that share of CPU.
pub fn terms(cpu_percent: u8) -> Consent {
	Consent {
		cpu_percent,
		schedule: Schedule::always(),
		task_types: BoundedVec::truncate_from(vec![TaskType::TextGeneration]),
		max_bandwidth_mbps: 10,
		max_memory_mb: 2_048,
		reward_preference: RewardPreference {
			payout: PAYOUT,
			minimum_price: 7,
			mode: RewardMode::Keep,
		},
	}
}

/// Sets a consent for the account, or updates it.
pub fn give_terms(worker: AccountId, cpu_percent: u8) {
	let origin = RuntimeOrigin::signed(worker.clone());
	let consent = terms(cpu_percent);
	if crate::Current::<Test>::contains_key(&worker) {
		ConsentRegistry::update_consent(origin, consent).unwrap();
	} else {
		ConsentRegistry::set_consent(origin, consent).unwrap();
	}
}

/// What is on hold for the account's consents.
pub fn held(worker: &AccountId) -> Balance {
	use frame_support::traits::fungible::InspectHold;
	Balances::balance_on_hold(&crate::HoldReason::ConsentDeposit.into(), worker)
}
