#![allow(clippy::unwrap_used)]

use aria_primitives::{
	traits::{AuditDraw, WorkerRegistration},
	AccountId, Balance, EpochIndex, Ppm, RecordId,
};
use frame_support::{
	derive_impl, parameter_types,
	traits::{ConstU128, ConstU32, OnInitialize},
};
use frame_system::mocking::MockBlockU32;
use pallet_session::{
	disabling::UpToLimitDisablingStrategy, historical::NoteHistoricalRoot, PeriodicSessions,
	SessionHandler,
};
use sp_core::crypto::key_types::DUMMY;
use sp_runtime::{
	testing::UintAuthorityId,
	traits::{ConvertInto, IdentityLookup, OpaqueKeys},
	BuildStorage, DispatchResult, KeyTypeId, Perbill,
};
use std::collections::BTreeSet;

pub const ALICE: AccountId = AccountId::new([1; 32]);
pub const BOB: AccountId = AccountId::new([2; 32]);
pub const CHARLIE: AccountId = AccountId::new([3; 32]);
pub const DAVE: AccountId = AccountId::new([4; 32]);
/// Has funds, but neither keys nor a place.
pub const EVE: AccountId = AccountId::new([5; 32]);
pub const FERDIE: AccountId = AccountId::new([6; 32]);
/// Owns nothing.
pub const POOR: AccountId = AccountId::new([9; 32]);

pub const MINIMUM: Balance = 100;
pub const INITIAL: Balance = 10_000;
/// Blocks of a session.
pub const PERIOD: u32 = 5;
pub const UNBONDING: u32 = 12;

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
	pub type ValidatorRegistry = crate;
	#[runtime::pallet_index(3)]
	pub type Session = pallet_session;
	#[runtime::pallet_index(4)]
	pub type Historical = pallet_session::historical;
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

impl pallet_session::Config for Test {
	type RuntimeEvent = RuntimeEvent;
	type ValidatorId = AccountId;
	type ValidatorIdOf = ConvertInto;
	type ShouldEndSession = PeriodicSessions<ConstU32<PERIOD>, ConstU32<0>>;
	type NextSessionRotation = PeriodicSessions<ConstU32<PERIOD>, ConstU32<0>>;
	type SessionManager = NoteHistoricalRoot<Test, ValidatorRegistry>;
	type SessionHandler = WeighingHandler;
	type Keys = UintAuthorityId;
	type DisablingStrategy = UpToLimitDisablingStrategy;
	type WeightInfo = ();
	type Currency = Balances;
	type KeyDeposit = ();
}

/// Announces weights for each set, as the runtime does for BABE.
pub struct WeighingHandler;

impl SessionHandler<AccountId> for WeighingHandler {
	const KEY_TYPE_IDS: &'static [KeyTypeId] = &[DUMMY];

	fn on_genesis_session<Ks: OpaqueKeys>(validators: &[(AccountId, Ks)]) {
		weigh(validators);
	}

	fn on_new_session<Ks: OpaqueKeys>(_: bool, _: &[(AccountId, Ks)], queued: &[(AccountId, Ks)]) {
		weigh(queued);
	}

	fn on_disabled(_: u32) {}
}

fn weigh<Ks>(validators: &[(AccountId, Ks)]) {
	let accounts: Vec<AccountId> = validators.iter().map(|(account, _)| account.clone()).collect();
	assert_eq!(ValidatorRegistry::announce_weights(&accounts).len(), accounts.len());
}

impl pallet_session::historical::Config for Test {
	type RuntimeEvent = RuntimeEvent;
	type FullIdentification = ();
	type FullIdentificationOf = crate::IdentificationOf;
}

parameter_types! {
	/// Fewest validators.
	pub static MinValidators: u32 = 3;
	/// Sessions of silence that are forgiven.
	pub static Grace: u32 = 1;
	/// The epoch in which work is settled.
	pub static CurrentEpoch: EpochIndex = 0;
	/// Audits of earlier epochs are over.
	pub static ClosedBefore: EpochIndex = 0;
	/// Most workers whose work a block counts.
	pub static MaxWorkPerBlock: u32 = 2;
	/// Registered workers.
	pub static RegisteredWorkers: BTreeSet<AccountId> = BTreeSet::new();
	/// A tenth.
	pub const OffenceSlash: Perbill = Perbill::from_percent(10);
}

pub struct MockWorkers;
impl WorkerRegistration for MockWorkers {
	fn is_registered(worker: &AccountId) -> bool {
		RegisteredWorkers::get().contains(worker)
	}
}

pub struct MockAudit;
impl AuditDraw for MockAudit {
	fn current_epoch() -> EpochIndex {
		CurrentEpoch::get()
	}
	fn is_drawn(epoch: EpochIndex) -> bool {
		epoch < ClosedBefore::get()
	}
	fn note_settled(_: RecordId, _: Ppm, _: bool) -> DispatchResult {
		Ok(())
	}
}

#[cfg(feature = "runtime-benchmarks")]
impl crate::BenchmarkHelper for MockWorkers {
	fn register_worker(worker: &AccountId) {
		RegisteredWorkers::mutate(|workers| workers.insert(worker.clone()));
	}
}

impl crate::Config for Test {
	type Currency = Balances;
	type RuntimeHoldReason = RuntimeHoldReason;
	type Workers = MockWorkers;
	type MinimumStake = ConstU128<MINIMUM>;
	type UnbondingPeriod = ConstU32<UNBONDING>;
	type MaxCandidates = ConstU32<6>;
	type MaxValidators = ConstU32<5>;
	type MinValidators = MinValidators;
	type MaxLinkedWorkers = ConstU32<2>;
	type HeartbeatGrace = Grace;
	type OffenceSlash = OffenceSlash;
	type Audit = MockAudit;
	type WorkKeep = ConstU32<500_000>;
	type SlotShare = ConstU32<100_000>;
	type SlotShareMultiple = ConstU32<2_500_000>;
	type SlotGrowth = ConstU32<250_000>;
	type MaxWorkPerBlock = MaxWorkPerBlock;
	type WeightInfo = ();
	#[cfg(feature = "runtime-benchmarks")]
	type BenchmarkHelper = MockWorkers;
}

/// The session key of an account.
pub fn keys(who: &AccountId) -> UintAuthorityId {
	let bytes: &[u8] = who.as_ref();
	UintAuthorityId(u64::from(bytes[0]))
}

/// A chain that begins with these validators, in block 1.
pub fn chain_of(validators: &[AccountId]) -> sp_io::TestExternalities {
	chain_with_work(validators, &[])
}

/// A chain that begins with these validators, some of which have worked before.
pub fn chain_with_work(
	validators: &[AccountId],
	work: &[(AccountId, u128)],
) -> sp_io::TestExternalities {
	// Thread-locals outlive a test where tests share a thread.
	MinValidators::set(3);
	Grace::set(1);
	CurrentEpoch::set(0);
	ClosedBefore::set(0);
	MaxWorkPerBlock::set(2);
	RegisteredWorkers::set(BTreeSet::from([EVE, FERDIE]));

	let mut storage = frame_system::GenesisConfig::<Test>::default().build_storage().unwrap();
	pallet_balances::GenesisConfig::<Test> {
		balances: [ALICE, BOB, CHARLIE, DAVE, EVE, FERDIE]
			.into_iter()
			.map(|who| (who, INITIAL))
			.collect(),
		..Default::default()
	}
	.assimilate_storage(&mut storage)
	.unwrap();
	crate::GenesisConfig::<Test> {
		validators: validators.to_vec(),
		work: work.to_vec(),
		..Default::default()
	}
	.assimilate_storage(&mut storage)
	.unwrap();
	pallet_session::GenesisConfig::<Test> {
		keys: validators.iter().map(|who| (who.clone(), who.clone(), keys(who))).collect(),
		..Default::default()
	}
	.assimilate_storage(&mut storage)
	.unwrap();

	let mut ext: sp_io::TestExternalities = storage.into();
	ext.execute_with(|| System::set_block_number(1));
	ext
}

/// A chain of four validators.
pub fn new_test_ext() -> sp_io::TestExternalities {
	chain_of(&[ALICE, BOB, CHARLIE, DAVE])
}

/// Runs `test` on a new chain of four validators and checks the invariants after it.
pub fn build_and_execute(test: impl FnOnce()) {
	new_test_ext().execute_with(|| {
		test();
		ValidatorRegistry::do_try_state().unwrap();
	});
}

/// Ends the session; all its validators but `silent` authored a block in it.
pub fn end_session_without(silent: &[AccountId]) {
	for validator in Session::validators() {
		if !silent.contains(&validator) {
			ValidatorRegistry::note_author(&validator);
		}
	}
	let block = (System::block_number() / PERIOD + 1) * PERIOD;
	System::set_block_number(block);
	Session::on_initialize(block);
}

/// Ends a session in which everybody authored a block.
pub fn end_session() {
	end_session_without(&[]);
}
