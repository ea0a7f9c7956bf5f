//! A runtime of system, balances and verification; epochs, randomness, and what other pallets would
//! say are what the test says. Stakes and what has not vested lie on accounts of their own, so that
//! money can be counted.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use aria_primitives::{
	audit::AuditParams,
	consent::TaskType,
	dispute,
	hashing::sha256,
	manifest::Manifest,
	record::RecordEntry,
	traits::{self, AuditDraw, WorkNote},
	AccountId, Balance, BlockNumber, EpochIndex, EraIndex, ModelId, Moment, Ppm, RecordId,
};
use codec::Encode;
use frame_support::{
	assert_ok, derive_impl, parameter_types,
	traits::{
		fungible::{Inspect, Mutate},
		tokens::Preservation,
		ConstU128, ConstU64, Get, Hooks, Randomness, UnixTime,
	},
	weights::{constants::RocksDbWeight, Weight},
};
use frame_system::EnsureRoot;
use sp_core::H256;
use sp_runtime::{
	traits::IdentityLookup, BuildStorage, DispatchError, DispatchResult, StateVersion,
};
use std::collections::{BTreeMap, BTreeSet};

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
	#[runtime::pallet_index(2)]
	pub type Balances = pallet_balances;
}

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
	type Block = frame_system::mocking::MockBlockU32<Test>;
	type DbWeight = RocksDbWeight;
	type AccountId = AccountId;
	type AccountData = pallet_balances::AccountData<Balance>;
	type Lookup = IdentityLookup<Self::AccountId>;
}

/// The existential deposit.
pub const ED: Balance = 1_000_000;

#[derive_impl(pallet_balances::config_preludes::TestDefaultConfig)]
impl pallet_balances::Config for Test {
	type Balance = Balance;
	type ExistentialDeposit = ConstU128<ED>;
	type AccountStore = System;
	type RuntimeHoldReason = RuntimeHoldReason;
}

/// Probability of an audit at the best reputation, in the mock.
pub const FLOOR: Ppm = 20_000;
/// The numbers of the game in most tests: with so many seats that three verifiers have one for sure.
pub const PARAMS: AuditParams = AuditParams { first_seats: 3, ..AuditParams::DEFAULT };
/// Epochs from settlement to draw, in the mock.
pub const DELAY: u64 = 2;

parameter_types! {
	pub static CurrentEpoch: EpochIndex = 0;
	pub static Seed: H256 = H256::repeat_byte(7);
	pub static KnownSince: BlockNumber = 0;
	pub static MaxDrawsPerBlock: u32 = 4;
	pub static MaxPerEpoch: u32 = 12;
	pub static MaxWaiting: u32 = 100_000;
	pub static MaxVerifiers: u32 = 1_000;
	/// Tests of the draw set it to 0: what was drawn stays as it was drawn.
	pub static MaxSteps: u32 = 8;
	pub static Parameters: AuditParams = PARAMS;
	pub static BeaconSeed: u8 = 0;
	pub const AuditPot: AccountId = AccountId::new([201; 32]);
	/// Workers that are not active.
	pub static Inactive: BTreeSet<AccountId> = BTreeSet::new();
	/// Workers whose consent permits no audits.
	pub static Unwilling: BTreeSet<AccountId> = BTreeSet::new();
	/// Where the fees of some go.
	pub static Payouts: BTreeMap<AccountId, AccountId> = BTreeMap::new();
	/// Workers whose reputation was cut.
	pub static Faults: Vec<AccountId> = Vec::new();
	/// Workers whose reputation grew.
	pub static Passes: Vec<AccountId> = Vec::new();
	/// The era in which work counts.
	pub static Era: EraIndex = 0;
	pub static Records: BTreeMap<RecordId, RecordEntry> = BTreeMap::new();
	/// Registered models.
	pub static Models: BTreeMap<ModelId, Manifest> = BTreeMap::new();
	/// What has not vested.
	pub static Unvested: BTreeMap<(EpochIndex, AccountId), Balance> = BTreeMap::new();
	/// Work that was taken out of eras.
	pub static Revoked: Vec<(EraIndex, WorkNote)> = Vec::new();
	/// Work that was taken out of the lottery.
	pub static LotteryRevoked: Vec<(AccountId, EpochIndex)> = Vec::new();
	/// What the pallet says that it burnt.
	pub static BurntSum: Balance = 0;
}

pub const NO_WORKER: DispatchError = DispatchError::Other("not an active worker");
pub const NO_CONSENT: DispatchError = DispatchError::Other("audits are not permitted");

/// Holds what has not vested.
pub const MARKET: AccountId = AccountId::new([202; 32]);

/// Where an account's stake lies.
pub fn stake_account(worker: &AccountId) -> AccountId {
	AccountId::new(sha256(&worker.encode()).0)
}

pub fn free(who: &AccountId) -> Balance {
	<Balances as Inspect<AccountId>>::balance(who)
}

pub fn mint(who: &AccountId, amount: Balance) {
	assert_ok!(<Balances as Mutate<AccountId>>::mint_into(who, amount));
}

/// Moves at most `amount`, to the last planck; returns what was moved.
fn move_funds(from: &AccountId, to: &AccountId, amount: Balance) -> Balance {
	let amount = amount.min(free(from));
	let moved =
		<Balances as Mutate<AccountId>>::transfer(from, to, amount, Preservation::Expendable);
	moved.unwrap_or(0)
}

/// Everything that the pallet asks of others.
pub struct Mock;

impl traits::Accountable for Mock {
	fn ensure_active(worker: &AccountId) -> DispatchResult {
		if Inactive::get().contains(worker) || Self::stake(worker) == 0 {
			return Err(NO_WORKER);
		}
		Ok(())
	}
	fn stake(worker: &AccountId) -> Balance {
		free(&stake_account(worker))
	}
	fn slash(worker: &AccountId, amount: Balance, to: &AccountId) -> Balance {
		move_funds(&stake_account(worker), to, amount)
	}
	fn note_fault(worker: &AccountId) {
		Faults::mutate(|faults| faults.push(worker.clone()));
	}
	fn note_passed(worker: &AccountId) {
		Passes::mutate(|passes| passes.push(worker.clone()));
	}
	#[cfg(feature = "runtime-benchmarks")]
	fn benchmark_stake(worker: &AccountId, stake: Balance) {
		mint(&stake_account(worker), stake);
	}
}

impl traits::Consents for Mock {
	fn ensure_permitted(
		worker: &AccountId,
		task: TaskType,
		at: Moment,
		_: u32,
		_: BlockNumber,
	) -> DispatchResult {
		Self::ensure_permits_now(worker, task, at)
	}
	fn ensure_permits_now(worker: &AccountId, task: TaskType, at: Moment) -> DispatchResult {
		assert_eq!((task, at), (TaskType::Audit, 1_750_000_000_000));
		if Unwilling::get().contains(worker) {
			return Err(NO_CONSENT);
		}
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

impl traits::Ledger for Mock {
	fn insert(id: RecordId, entry: RecordEntry) -> DispatchResult {
		Records::mutate(|records| records.insert(id, entry));
		Ok(())
	}
	fn contains(id: &RecordId) -> bool {
		Records::get().contains_key(id)
	}
	fn get(id: &RecordId) -> Option<RecordEntry> {
		Records::get().get(id).cloned()
	}
}

impl dispute::Manifests for Mock {
	fn manifest(model: &ModelId) -> Option<Manifest> {
		Models::get().get(model).cloned()
	}
	#[cfg(feature = "runtime-benchmarks")]
	fn benchmark_manifest(manifest: Manifest) -> ModelId {
		let model = manifest.model_id();
		Models::mutate(|models| models.insert(model, manifest));
		model
	}
}

impl traits::RecordFunds for Mock {
	fn withhold(epoch: EpochIndex, payee: &AccountId, amount: Balance, to: &AccountId) -> Balance {
		Unvested::mutate(|unvested| {
			let entry = unvested.entry((epoch, payee.clone())).or_default();
			let moved = move_funds(&MARKET, to, amount.min(*entry));
			*entry -= moved;
			moved
		})
	}
	fn forfeit(payee: &AccountId, to: &AccountId) -> Balance {
		Unvested::mutate(|unvested| {
			let theirs = unvested.iter_mut().filter(|((_, account), _)| account == payee);
			let sum = theirs.map(|(_, amount)| core::mem::take(amount)).sum();
			move_funds(&MARKET, to, sum)
		})
	}
	fn refund(requester: &AccountId, from: &AccountId, amount: Balance) -> Balance {
		move_funds(from, requester, amount)
	}
	fn slash_gateway(gateway: &AccountId, amount: Balance, to: &AccountId) -> Balance {
		move_funds(&stake_account(gateway), to, amount)
	}
	#[cfg(feature = "runtime-benchmarks")]
	fn benchmark_funds(
		gateway: &AccountId,
		epoch: EpochIndex,
		payees: &[AccountId],
		share: Balance,
	) {
		mint(&stake_account(gateway), 100 * aria_primitives::ARIA);
		for payee in payees {
			mint(&MARKET, share);
			Unvested::mutate(|unvested| unvested.insert((epoch, payee.clone()), share));
		}
	}
}

impl traits::WorkSink for Mock {
	fn current_era() -> EraIndex {
		Era::get()
	}
	fn note_work(_: WorkNote) {}
	fn revoke_work(era: EraIndex, note: WorkNote) {
		Revoked::mutate(|revoked| revoked.push((era, note)));
	}
}

impl traits::LotteryWork for Mock {
	fn note_work(_: &AccountId, _: u128) {}
	fn revoke_work(worker: &AccountId, epoch: EpochIndex) {
		LotteryRevoked::mutate(|revoked| revoked.push((worker.clone(), epoch)));
	}
	#[cfg(feature = "runtime-benchmarks")]
	fn benchmark_link(_: &AccountId) {}
}

impl UnixTime for Mock {
	fn now() -> core::time::Duration {
		core::time::Duration::from_millis(1_750_000_000_000)
	}
}

/// Another number in each block.
pub struct Beacon;

impl Get<H256> for Beacon {
	fn get() -> H256 {
		sha256(&(BeaconSeed::get(), System::block_number()).encode())
	}
}

/// The test's seed, hashed with the subject.
pub struct TestRandomness;

impl Randomness<H256, BlockNumber> for TestRandomness {
	fn random(subject: &[u8]) -> (H256, BlockNumber) {
		(sha256(&[Seed::get().as_bytes(), subject].concat()), KnownSince::get())
	}
}

impl crate::Config for Test {
	type Currency = Balances;
	type RuntimeHoldReason = RuntimeHoldReason;
	type Workers = Mock;
	type Consents = Mock;
	type Ledger = Mock;
	type Manifests = Mock;
	type Funds = Mock;
	type Work = Mock;
	type Lottery = Mock;
	type Time = Mock;
	type Beacon = Beacon;
	type AuditPot = AuditPot;
	type Parameters = Parameters;
	type MaxVerifiers = MaxVerifiers;
	type MaxWaiting = MaxWaiting;
	type MaxStepsPerBlock = MaxSteps;
	type CurrentEpoch = CurrentEpoch;
	type Randomness = TestRandomness;
	type DrawOrigin = EnsureRoot<AccountId>;
	type DrawDelay = ConstU64<DELAY>;
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
	MaxWaiting::set(100_000);
	MaxVerifiers::set(1_000);
	MaxSteps::set(0);
	Parameters::set(PARAMS);
	BeaconSeed::set(0);
	Inactive::set(BTreeSet::new());
	Unwilling::set(BTreeSet::new());
	Payouts::set(BTreeMap::new());
	Faults::set(Vec::new());
	Passes::set(Vec::new());
	Era::set(0);
	Records::set(BTreeMap::new());
	Models::set(BTreeMap::new());
	Unvested::set(BTreeMap::new());
	Revoked::set(Vec::new());
	LotteryRevoked::set(Vec::new());
	BurntSum::set(0);
	let mut storage = frame_system::GenesisConfig::<Test>::default().build_storage().unwrap();
	crate::GenesisConfig::<Test>::default().assimilate_storage(&mut storage).unwrap();
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

/// Begins the next block, in the same epoch; returns the weight of its beginning, without what it
/// takes to look for audits.
pub fn next_block() -> Weight {
	let next = System::block_number() + 1;
	System::set_block_number(next);
	System::reset_events();
	let weight = Verification::on_initialize(next);
	for record in System::events() {
		if let RuntimeEvent::Verification(crate::Event::Burnt { amount }) = record.event {
			BurntSum::mutate(|sum| *sum += amount);
		}
	}
	weight
		.saturating_sub(<() as crate::WeightInfo>::audits_idle())
		.saturating_sub(<() as crate::WeightInfo>::drop_former(0))
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
