//! A runtime of system and verification; epochs and randomness are what the test says.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use aria_primitives::{
	hashing::sha256, traits::AuditDraw, AccountId, BlockNumber, EpochIndex, Ppm, RecordId,
};
use frame_support::{
	assert_ok, derive_impl, parameter_types,
	traits::{ConstU32, ConstU64, Hooks, Randomness},
	weights::{constants::RocksDbWeight, Weight},
};
use frame_system::EnsureRoot;
use sp_core::H256;
use sp_runtime::{traits::IdentityLookup, BuildStorage, StateVersion};

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
	pub type Verification = crate;
}

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
	type Block = frame_system::mocking::MockBlockU32<Test>;
	type DbWeight = RocksDbWeight;
	type AccountId = AccountId;
	type Lookup = IdentityLookup<Self::AccountId>;
}

/// Probability of an audit at the best reputation, in the mock.
pub const FLOOR: Ppm = 20_000;
/// Epochs from settlement to draw, in the mock.
pub const DELAY: u64 = 2;

parameter_types! {
	pub static CurrentEpoch: EpochIndex = 0;
	pub static Seed: H256 = H256::repeat_byte(7);
	pub static KnownSince: BlockNumber = 0;
	pub static MaxDrawsPerBlock: u32 = 4;
	pub static MaxPerEpoch: u32 = 12;
}

/// The test's seed, hashed with the subject.
pub struct TestRandomness;

impl Randomness<H256, BlockNumber> for TestRandomness {
	fn random(subject: &[u8]) -> (H256, BlockNumber) {
		(sha256(&[Seed::get().as_bytes(), subject].concat()), KnownSince::get())
	}
}

impl crate::Config for Test {
	type CurrentEpoch = CurrentEpoch;
	type Randomness = TestRandomness;
	type DrawOrigin = EnsureRoot<AccountId>;
	type DrawDelay = ConstU64<DELAY>;
	type FloorPpm = ConstU32<FLOOR>;
	type MaxDrawsPerBlock = MaxDrawsPerBlock;
	type MaxPerEpoch = MaxPerEpoch;
	type WeightInfo = ();
}

pub fn new_test_ext() -> sp_io::TestExternalities {
	CurrentEpoch::set(0);
	Seed::set(H256::repeat_byte(7));
	KnownSince::set(0);
	MaxDrawsPerBlock::set(4);
	MaxPerEpoch::set(12);
	let storage = frame_system::GenesisConfig::<Test>::default().build_storage().unwrap();
	let mut ext: sp_io::TestExternalities = storage.into();
	ext.execute_with(|| System::set_block_number(1));
	ext
}

pub fn build_and_execute(test: impl FnOnce()) {
	new_test_ext().execute_with(|| {
		test();
		Verification::do_try_state().unwrap();
	});
}

/// Begins the next block, in the same epoch; returns the weight of its beginning.
pub fn next_block() -> Weight {
	let next = System::block_number() + 1;
	System::set_block_number(next);
	System::reset_events();
	Verification::on_initialize(next)
}

/// Begins the next block as the first of an epoch, with randomness that is known since then.
pub fn enter_epoch(epoch: EpochIndex) -> Weight {
	CurrentEpoch::set(epoch);
	KnownSince::set(System::block_number() + 1);
	next_block()
}

/// Runs `call`, which is expected to leave the state as it was.
pub fn assert_state_unchanged<R>(call: impl FnOnce() -> R) -> R {
	let before = sp_io::storage::root(StateVersion::V1);
	let result = call();
	assert_eq!(before, sp_io::storage::root(StateVersion::V1), "the state has changed");
	result
}

/// The seed that the draw of an epoch gets while [`Seed`] stays.
pub fn seed_of(epoch: EpochIndex) -> H256 {
	TestRandomness::random(&epoch.to_le_bytes()).0
}

pub fn id(n: u32) -> RecordId {
	sha256(&n.to_le_bytes())
}

/// Notes auditable records in the current epoch, all with this reputation.
pub fn note(numbers: core::ops::Range<u32>, reputation: Ppm) {
	for n in numbers {
		assert_ok!(Verification::note_settled(id(n), reputation, true));
	}
}
