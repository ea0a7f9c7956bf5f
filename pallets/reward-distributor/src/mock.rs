#![allow(clippy::unwrap_used, clippy::expect_used)]

use aria_math::emission::EmissionSchedule;
use aria_primitives::{
	consent::TaskType, traits, AccountId, Balance, BlockNumber, EpochIndex, EraIndex, Moment, Ppm,
	RecordId,
};
use frame_support::{
	derive_impl, parameter_types,
	traits::{ConstU128, Contains, Hooks},
};
use frame_system::{mocking::MockBlockU32, EnsureRoot};
use sp_runtime::{traits::IdentityLookup, BuildStorage, DispatchError, DispatchResult};
use std::collections::BTreeMap;

/// Least balance of an account.
pub const EXISTENTIAL_DEPOSIT: Balance = 100;
/// Emission of a block before the first halving.
pub const BLOCK_EMISSION: Balance = 1_000_000;

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
	pub type RewardDistributor = crate;
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
	type ExistentialDeposit = ConstU128<EXISTENTIAL_DEPOSIT>;
	type AccountStore = System;
}

parameter_types! {
	pub static Schedule: EmissionSchedule =
		EmissionSchedule { initial: BLOCK_EMISSION, interval: 1_000_000 };
	pub static EraLength: BlockNumber = 10;
	pub static AuthorShare: Ppm = 100_000;
	pub static Beta: Ppm = 900_000;
	/// So high that it never binds, with a dilution so high that little fees support much work.
	pub static RateCap: u128 = 10_000_000_000_000_000_000;
	pub static Dilution: u32 = u32::MAX;
	pub static LatencyTarget: u32 = 200;
	pub static SettleDelay: EraIndex = 1;
	pub static MaxWorkersPerBlock: u32 = 16;
	pub static HistoryEras: EraIndex = 2;

	/// Payout accounts that differ from the worker.
	pub static Payouts: BTreeMap<AccountId, AccountId> = BTreeMap::new();
	/// Uptimes that somebody measured, in every era.
	pub static Uptimes: BTreeMap<AccountId, Ppm> = BTreeMap::new();
	/// Shares of audits passed by those who had any, in every era.
	pub static PassRates: BTreeMap<AccountId, Ppm> = BTreeMap::new();
	/// Work that was noted for the lottery.
	pub static LotteryNotes: BTreeMap<AccountId, u128> = BTreeMap::new();
	/// The last epoch of which all audits are over.
	pub static ClosedThrough: EpochIndex = EpochIndex::MAX;
	/// Workers whose meter has a registered key.
	pub static RegisteredMeters: Vec<AccountId> = Vec::new();
}

pub struct MockConsents;
impl traits::Consents for MockConsents {
	fn ensure_permitted(
		_: &AccountId,
		_: TaskType,
		_: Moment,
		_: u32,
		_: BlockNumber,
	) -> DispatchResult {
		Ok(())
	}
	fn ensure_permits_now(_: &AccountId, _: TaskType, _: Moment) -> DispatchResult {
		Ok(())
	}
	fn minimum_price(_: &AccountId, _: u32) -> Result<Balance, DispatchError> {
		Ok(0)
	}
	fn payout(worker: &AccountId) -> AccountId {
		Payouts::get().get(worker).unwrap_or(worker).clone()
	}
	#[cfg(feature = "runtime-benchmarks")]
	fn benchmark_consent(_: &AccountId) -> u32 {
		1
	}
}

pub struct MockUptime;
impl traits::Uptime for MockUptime {
	fn uptime(worker: &AccountId, _: EraIndex) -> Option<Ppm> {
		Uptimes::get().get(worker).copied()
	}
	fn audit_pass_rate(worker: &AccountId, _: EraIndex) -> Option<Ppm> {
		PassRates::get().get(worker).copied()
	}
}

pub struct MockLottery;
impl traits::LotteryWork for MockLottery {
	fn note_work(worker: &AccountId, work: u128) {
		LotteryNotes::mutate(|notes| {
			let sum = notes.entry(worker.clone()).or_default();
			*sum = sum.saturating_add(work);
		});
	}
	fn revoke_work(_: &AccountId, _: EpochIndex) {}
	#[cfg(feature = "runtime-benchmarks")]
	fn benchmark_link(_: &AccountId) {}
}

/// Epochs are as long as ten blocks.
pub struct MockAudit;
impl traits::AuditDraw for MockAudit {
	fn current_epoch() -> EpochIndex {
		u64::from(System::block_number()) / 10
	}
	fn is_drawn(_: EpochIndex) -> bool {
		true
	}
	fn is_closed_through(epoch: EpochIndex) -> bool {
		epoch <= ClosedThrough::get()
	}
	fn note_settled(_: RecordId, _: Ppm, _: bool) -> DispatchResult {
		Ok(())
	}
}

pub struct MockMeters;
impl Contains<AccountId> for MockMeters {
	fn contains(worker: &AccountId) -> bool {
		RegisteredMeters::get().contains(worker)
	}
}

impl crate::Config for Test {
	type Currency = Balances;
	type Consents = MockConsents;
	type Uptime = MockUptime;
	type Lottery = MockLottery;
	type Audit = MockAudit;
	type Meters = MockMeters;
	type EraOrigin = EnsureRoot<AccountId>;
	type Schedule = Schedule;
	type EraLength = EraLength;
	type AuthorShare = AuthorShare;
	type Beta = Beta;
	type RateCap = RateCap;
	type Dilution = Dilution;
	type LatencyTarget = LatencyTarget;
	type SettleDelay = SettleDelay;
	type MaxWorkersPerBlock = MaxWorkersPerBlock;
	type HistoryEras = HistoryEras;
	type WeightInfo = ();
}

/// The switches are the thread's, and a thread may run several tests.
fn reset_switches() {
	Schedule::reset();
	EraLength::reset();
	AuthorShare::reset();
	Beta::reset();
	RateCap::reset();
	Dilution::reset();
	LatencyTarget::reset();
	SettleDelay::reset();
	MaxWorkersPerBlock::reset();
	HistoryEras::reset();
	Payouts::reset();
	Uptimes::reset();
	PassRates::reset();
	LotteryNotes::reset();
	ClosedThrough::reset();
	RegisteredMeters::reset();
}

/// A chain before its first block.
pub fn new_test_ext() -> sp_io::TestExternalities {
	reset_switches();
	frame_system::GenesisConfig::<Test>::default().build_storage().unwrap().into()
}

/// Runs a test on a chain before its first block, and then the invariants.
pub fn build_and_execute(test: impl FnOnce()) {
	new_test_ext().execute_with(|| {
		test();
		RewardDistributor::do_try_state().unwrap();
	});
}

/// Begins one block.
pub fn begin_block(number: BlockNumber) {
	System::set_block_number(number);
	RewardDistributor::on_initialize(number);
}

/// Runs all blocks up to and with `number`, and the invariants after each.
pub fn run_to(number: BlockNumber) {
	while System::block_number() < number {
		begin_block(System::block_number() + 1);
		RewardDistributor::do_try_state().unwrap();
	}
}
