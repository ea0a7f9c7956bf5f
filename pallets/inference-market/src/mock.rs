//! A runtime for tests. What other pallets would say lies in storage under raw keys, so that it is
//! undone with everything else and a comparison of storage roots sees it.

use crate::{types::PriceSplit, HoldReason};
use aria_primitives::{
	consent::TaskType,
	record::{LayerRange, RecordEntry},
	traits, AccountId, Balance, BlockNumber, EpochIndex, EraIndex, ModelId, Moment, Ppm, RecordId,
	Signature, ARIA,
};
use codec::{Decode, Encode};
use frame_support::{
	derive_impl, parameter_types,
	storage::unhashed,
	traits::{
		fungible::{Inspect, InspectHold},
		ConstU128, ConstU32, ConstU64, Get, Hooks, UnixTime,
	},
	PalletId,
};
use frame_system::mocking::MockBlockU32;
use sp_core::{sr25519, Pair, H256};
use sp_io::TestExternalities;
use sp_runtime::{traits::IdentityLookup, BuildStorage, DispatchError, DispatchResult};

#[frame_support::runtime]
mod test_runtime {
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
	pub type Market = crate;
}

/// The existential deposit.
pub const ED: Balance = 1_000_000;

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
	type Block = MockBlockU32<Test>;
	type BlockHashCount = ConstU32<250>;
	type AccountData = pallet_balances::AccountData<Balance>;
	type AccountId = AccountId;
	type Lookup = IdentityLookup<Self::AccountId>;
}

#[derive_impl(pallet_balances::config_preludes::TestDefaultConfig)]
impl pallet_balances::Config for Test {
	type Balance = Balance;
	type ExistentialDeposit = ConstU128<ED>;
	type AccountStore = System;
	type RuntimeHoldReason = RuntimeHoldReason;
}

parameter_types! {
	pub const MarketPalletId: PalletId = PalletId(*b"aria/mkt");
	pub const AuditPot: AccountId = AccountId::new([201; 32]);
	pub const StoragePot: AccountId = AccountId::new([202; 32]);
	// Outside of storage, since the integrity test reads it without any.
	pub static MockSplit: PriceSplit = SPLIT;
	pub static MockByteFee: Balance = BYTE_FEE;
	pub static MockFreeFrom: Balance = FREE_FROM;
}

pub const STAKE: Balance = 100 * ARIA;
pub const MAX_KEYS: u32 = 4;
pub const TICKET_LIFETIME: BlockNumber = 300;
pub const UNBONDING: BlockNumber = 400;
pub const VESTING: EpochIndex = 3;
pub const MATCH_TIMEOUT: BlockNumber = 20;
pub const DEADLINE_MIN: BlockNumber = 10;
pub const DEADLINE_MAX: BlockNumber = 200;
pub const REQUESTS_PER_BLOCK: u32 = 3;
pub const GRACE: BlockNumber = 20;
pub const ANCHOR_AGE: BlockNumber = 100;
pub const RECORD_AGE: Moment = 600_000;
pub const CLOCK_SKEW: Moment = 30_000;
/// In milliwatts.
pub const STAGE_POWER: u64 = 1_000_000;
pub const UNVESTED_FACTOR: u32 = 2;

impl crate::Config for Test {
	type Currency = Balances;
	type RuntimeHoldReason = RuntimeHoldReason;
	type Models = Mock;
	type Workers = Mock;
	type Consents = Mock;
	type Ledger = Mock;
	type Work = Mock;
	type Audit = Mock;
	type Time = Mock;
	type Author = Mock;
	type PalletId = MarketPalletId;
	type AuditPot = AuditPot;
	type StoragePot = StoragePot;
	type Split = MockSplit;
	type ByteFee = MockByteFee;
	type FreeFrom = MockFreeFrom;
	type GatewayStake = ConstU128<{ 1_000 * ARIA }>;
	type GatewayUnbonding = ConstU32<UNBONDING>;
	type MaxKeysPerRequester = ConstU32<MAX_KEYS>;
	type MaxAnchorAge = ConstU32<ANCHOR_AGE>;
	type SigningGrace = ConstU32<GRACE>;
	type MaxTicketLifetime = ConstU32<TICKET_LIFETIME>;
	type MaxRecordAge = ConstU64<RECORD_AGE>;
	type MaxClockSkew = ConstU64<CLOCK_SKEW>;
	type MaxStagePower = ConstU64<STAGE_POWER>;
	type VestingEpochs = ConstU64<VESTING>;
	type UnvestedFactor = ConstU32<UNVESTED_FACTOR>;
	type MaxReleasesPerBlock = ConstU32<8>;
	type RequestDeadlineMin = ConstU32<DEADLINE_MIN>;
	type RequestDeadlineMax = ConstU32<DEADLINE_MAX>;
	type MatchTimeout = ConstU32<MATCH_TIMEOUT>;
	type MaxOpenRequestsPerBlock = ConstU32<REQUESTS_PER_BLOCK>;
	type WeightInfo = ();
	#[cfg(feature = "runtime-benchmarks")]
	type BenchmarkHelper = Mock;
}

/// Everything that the market asks of others.
pub struct Mock;

fn key(name: &str, item: impl Encode) -> Vec<u8> {
	(b":mock:", name, item).encode()
}

/// Sets what a mock answers.
pub fn put(name: &str, item: impl Encode, value: impl Encode) {
	unhashed::put(&key(name, item), &value);
}

/// Reads what a mock answers.
pub fn read<V: Decode>(name: &str, item: impl Encode) -> Option<V> {
	unhashed::get(&key(name, item))
}

/// Why a worker may not work, or a consent does not permit.
#[derive(Clone, Copy, PartialEq, Eq, Encode, Decode, Debug)]
pub enum Refusal {
	Unregistered,
	Unstaked,
	Draining,
	Unbonded,
	WrongTask,
	WrongHour,
	UnknownVersion,
}

impl From<Refusal> for DispatchError {
	fn from(refusal: Refusal) -> Self {
		DispatchError::Other(match refusal {
			Refusal::Unregistered => "worker is not registered",
			Refusal::Unstaked => "worker has no stake",
			Refusal::Draining => "worker is draining",
			Refusal::Unbonded => "worker is unbonded",
			Refusal::WrongTask => "consent does not permit the task",
			Refusal::WrongHour => "consent does not permit the hour",
			Refusal::UnknownVersion => "no such version of the consent",
		})
	}
}

pub const UNKNOWN_MODEL: DispatchError = DispatchError::Other("model is not registered");
pub const NOT_PINNED: DispatchError = DispatchError::Other("model is not pinned");
pub const NO_OFFER: DispatchError = DispatchError::Other("no offer");
pub const LEDGER_FULL: DispatchError = DispatchError::Other("block is full");
pub const AUDIT_FULL: DispatchError = DispatchError::Other("draw is full");
pub const AUDIT_BUSY: DispatchError = DispatchError::Other("audits are behind");

impl traits::Models for Mock {
	fn pinned(model: &ModelId) -> Result<traits::ModelInfo, DispatchError> {
		let (info, pinned) =
			read::<(traits::ModelInfo, bool)>("model", model).ok_or(UNKNOWN_MODEL)?;
		if pinned {
			Ok(info)
		} else {
			Err(NOT_PINNED)
		}
	}
	fn offer(model: &ModelId, seller: &AccountId) -> Result<traits::Offer, DispatchError> {
		read("offer", (model, seller)).ok_or(NO_OFFER)
	}
	#[cfg(feature = "runtime-benchmarks")]
	fn benchmark_model(layers: u16, seller: &AccountId, offer: traits::Offer) -> ModelId {
		let model = ModelId::from_low_u64_be(layers.into());
		put_model(model, layers);
		put("offer", (model, seller), offer);
		model
	}
}

/// Registers and pins a model.
pub fn put_model(model: ModelId, layers: u16) {
	let info = traits::ModelInfo {
		layers,
		active_parameters: 2_000_000_000,
		context: 4096,
		task_type: TaskType::TextGeneration,
	};
	put("model", model, (info, true));
}

impl traits::Workers for Mock {
	fn ensure_may_work(
		worker: &AccountId,
		_: &ModelId,
		_: &LayerRange,
		_: BlockNumber,
	) -> DispatchResult {
		read::<Refusal>("worker-refusal", worker).map_or(Ok(()), |refusal| Err(refusal.into()))
	}
	fn stake(worker: &AccountId) -> Balance {
		read("stake", worker).unwrap_or(STAKE)
	}
	fn reputation(worker: &AccountId) -> Ppm {
		read("reputation", worker).unwrap_or(500_000)
	}
	fn note_settled(worker: &AccountId, latency_ms_per_token: u32) {
		put("latency", worker, latency_ms_per_token);
		let count: u32 = read("settled", worker).unwrap_or(0);
		put("settled", worker, count + 1);
	}
	fn stake_from_earnings(worker: &AccountId, amount: Balance) -> Balance {
		let lacking: Balance = read("lacking-stake", worker).unwrap_or(0);
		let taken = lacking.min(amount);
		put("lacking-stake", worker, lacking - taken);
		taken
	}
	#[cfg(feature = "runtime-benchmarks")]
	fn benchmark_worker(_: &AccountId, _: &ModelId, _: LayerRange) {}
}

impl traits::Consents for Mock {
	fn ensure_permitted(
		worker: &AccountId,
		_: TaskType,
		_: Moment,
		_: u32,
		_: BlockNumber,
	) -> DispatchResult {
		read::<Refusal>("consent-refusal", worker).map_or(Ok(()), |refusal| Err(refusal.into()))
	}
	fn ensure_permits_now(worker: &AccountId, task: TaskType, at: Moment) -> DispatchResult {
		<Self as traits::Consents>::ensure_permitted(worker, task, at, 1, 0)
	}
	fn minimum_price(worker: &AccountId, version: u32) -> Result<Balance, DispatchError> {
		if version == 0 {
			return Err(Refusal::UnknownVersion.into());
		}
		Ok(read("minimum-price", worker).unwrap_or(0))
	}
	fn payout(worker: &AccountId) -> AccountId {
		read("payout", worker).unwrap_or_else(|| worker.clone())
	}
	#[cfg(feature = "runtime-benchmarks")]
	fn benchmark_consent(_: &AccountId) -> u32 {
		1
	}
}

impl traits::Ledger for Mock {
	fn insert(id: RecordId, entry: RecordEntry) -> DispatchResult {
		if read::<bool>("ledger-full", ()).unwrap_or(false) {
			return Err(LEDGER_FULL);
		}
		put("record", id, entry);
		Ok(())
	}
	fn contains(id: &RecordId) -> bool {
		<Self as traits::Ledger>::get(id).is_some()
	}
	fn get(id: &RecordId) -> Option<RecordEntry> {
		read("record", id)
	}
}

impl traits::WorkSink for Mock {
	fn current_era() -> EraIndex {
		4
	}
	fn note_work(note: traits::WorkNote) {
		let mut notes = work_notes();
		notes.push(note);
		put("work", (), notes);
	}
}

/// The work that was noted.
pub fn work_notes() -> Vec<traits::WorkNote> {
	read("work", ()).unwrap_or_default()
}

impl traits::AuditDraw for Mock {
	fn current_epoch() -> EpochIndex {
		read("epoch", ()).unwrap_or(5)
	}
	fn is_drawn(epoch: EpochIndex) -> bool {
		!read("undrawn", epoch).unwrap_or(false)
	}
	fn is_closed(epoch: EpochIndex) -> bool {
		Self::is_drawn(epoch) && !read("open-audits", epoch).unwrap_or(false)
	}
	fn is_closed_through(epoch: EpochIndex) -> bool {
		// Tests open audits of their own epochs only.
		(epoch.saturating_sub(4)..=epoch).all(Self::is_closed)
	}
	fn note_settled(id: RecordId, reputation: Ppm, auditable: bool) -> DispatchResult {
		if read::<bool>("audit-full", ()).unwrap_or(false) {
			return Err(AUDIT_FULL);
		}
		let mut notes = audit_notes();
		notes.push((id, reputation, auditable));
		put("audits", (), notes);
		Ok(())
	}
	fn note_stakes(id: RecordId, stakes: traits::RecordStakes) -> DispatchResult {
		if read::<bool>("audit-busy", ()).unwrap_or(false) {
			return Err(AUDIT_BUSY);
		}
		put("stakes", id, stakes);
		Ok(())
	}
	fn price_limit(stake: Balance) -> Balance {
		// Of a stake, so many parts per million.
		read::<Balance>("price-limit", ()).map_or(Balance::MAX, |ppm| stake / 1_000_000 * ppm)
	}
	fn shared_limit(stake: Balance) -> Balance {
		read::<Balance>("shared-limit", ()).map_or(Balance::MAX, |ppm| stake / 1_000_000 * ppm)
	}
}

/// What was noted to hang on a record.
pub fn stakes(id: RecordId) -> Option<traits::RecordStakes> {
	read("stakes", id)
}

/// The records that were noted for audit: id, lowest reputation, whether it may be audited.
pub fn audit_notes() -> Vec<(RecordId, Ppm, bool)> {
	read("audits", ()).unwrap_or_default()
}

impl UnixTime for Mock {
	fn now() -> core::time::Duration {
		core::time::Duration::from_millis(read("time", ()).unwrap_or(NOW_MS))
	}
}

impl Get<Option<AccountId>> for Mock {
	fn get() -> Option<AccountId> {
		read("author", ()).unwrap_or_else(|| Some(author()))
	}
}

pub const BYTE_FEE: Balance = 1_000;
pub const FREE_FROM: Balance = 10_000_000;
pub const SPLIT: PriceSplit = PriceSplit {
	stages: 600_000,
	gateway: 100_000,
	author: 50_000,
	audit: 50_000,
	storage: 50_000,
	burn: 150_000,
};

#[cfg(feature = "runtime-benchmarks")]
impl crate::BenchmarkHelper for Mock {
	fn set_time(now: Moment) {
		put("time", (), now);
	}
	fn set_author(author: AccountId) {
		put("author", (), Some(author));
	}
	fn set_epoch(epoch: EpochIndex) {
		put("epoch", (), epoch);
	}
}

/// The block that tests begin in.
pub const NOW: BlockNumber = 500;
/// The time that tests begin at: the start of an hour.
pub const NOW_MS: Moment = 1_750_000_000_000 / 3_600_000 * 3_600_000;

/// The sr25519 key pair of a seed.
pub fn pair(seed: u8) -> sr25519::Pair {
	sr25519::Pair::from_seed(&[seed; 32])
}

/// The account of a seed.
pub fn account(seed: u8) -> AccountId {
	pair(seed).public().into()
}

/// The signature of a seed's key.
pub fn sign(seed: u8, message: &H256) -> Signature {
	pair(seed).sign(message.as_bytes()).into()
}

pub const REQUESTER: u8 = 1;
pub const GATEWAY: u8 = 2;
pub const KEY: u8 = 3;
pub const SUBMITTER: u8 = 4;
pub const AUTHOR: u8 = 5;
pub const STRANGER: u8 = 6;
/// Workers are the seeds from here on.
pub const WORKER: u8 = 100;

pub fn requester() -> AccountId {
	account(REQUESTER)
}
pub fn gateway() -> AccountId {
	account(GATEWAY)
}
pub fn spending_key() -> AccountId {
	account(KEY)
}
pub fn author() -> AccountId {
	account(AUTHOR)
}
pub fn stranger() -> AccountId {
	account(STRANGER)
}
/// The worker of stage `index`.
pub fn worker(index: u8) -> AccountId {
	account(WORKER + index)
}

/// The origin of a seed's account.
pub fn signed(seed: u8) -> RuntimeOrigin {
	RuntimeOrigin::signed(account(seed))
}

pub const GENESIS: H256 = H256::repeat_byte(0xaa);

/// The hash of block `number` in tests.
pub fn hash_of(number: BlockNumber) -> H256 {
	if number == 0 {
		GENESIS
	} else {
		sp_io::hashing::blake2_256(&number.encode()).into()
	}
}

pub fn new_test_ext() -> TestExternalities {
	let mut storage = frame_system::GenesisConfig::<Test>::default().build_storage().unwrap();
	let rich = [REQUESTER, GATEWAY, SUBMITTER, STRANGER];
	pallet_balances::GenesisConfig::<Test> {
		balances: rich.iter().map(|seed| (account(*seed), 1_000_000 * ARIA)).collect(),
		..Default::default()
	}
	.assimilate_storage(&mut storage)
	.unwrap();
	crate::GenesisConfig::<Test>::default().assimilate_storage(&mut storage).unwrap();
	MockSplit::set(SPLIT);
	MockByteFee::set(BYTE_FEE);
	MockFreeFrom::set(FREE_FROM);
	let mut ext = TestExternalities::from(storage);
	ext.execute_with(|| {
		frame_system::BlockHash::<Test>::insert(0, GENESIS);
		for number in NOW - 200..NOW {
			frame_system::BlockHash::<Test>::insert(number, hash_of(number));
		}
		System::set_block_number(NOW);
	});
	#[cfg(feature = "runtime-benchmarks")]
	ext.register_extension(sp_keystore::KeystoreExt::new(
		sp_keystore::testing::MemoryKeystore::new(),
	));
	ext
}

/// Runs `test` on a fresh chain and checks the invariants after it.
pub fn build_and_execute(test: impl FnOnce()) {
	new_test_ext().execute_with(|| {
		test();
		Market::do_try_state().unwrap();
	});
}

/// Moves on to block `number` with the hooks that matter.
pub fn run_to(number: BlockNumber) {
	while System::block_number() < number {
		let now = System::block_number();
		frame_system::BlockHash::<Test>::insert(now, hash_of(now));
		System::set_block_number(now + 1);
		Market::on_initialize(now + 1);
	}
}

/// The events of the market since the last call.
pub fn market_events() -> Vec<crate::Event<Test>> {
	let events = System::events()
		.into_iter()
		.filter_map(|record| match record.event {
			RuntimeEvent::Market(event) => Some(event),
			_ => None,
		})
		.collect();
	System::reset_events();
	events
}

/// Runs `call`, which has to fail with `error` and to leave the state as it is.
pub fn assert_state_unchanged<V, E>(
	call: impl FnOnce() -> Result<V, E>,
	error: impl Into<DispatchError>,
) where
	V: core::fmt::Debug,
	E: core::fmt::Debug + PartialEq + From<DispatchError>,
{
	let version = sp_runtime::StateVersion::V1;
	let before = sp_io::storage::root(version);
	let result = call();
	assert_eq!(result.unwrap_err(), E::from(error.into()));
	assert_eq!(before, sp_io::storage::root(version), "a failing call changed the state");
}

/// Free balance.
pub fn free(who: &AccountId) -> Balance {
	<Balances as Inspect<AccountId>>::balance(who)
}

/// On hold in escrow.
pub fn on_hold(who: &AccountId, reason: HoldReason) -> Balance {
	<Balances as InspectHold<AccountId>>::balance_on_hold(&reason.into(), who)
}

/// Forgets what a mock answers.
pub fn forget(name: &str, item: impl Encode) {
	unhashed::kill(&key(name, item));
}

/// Everything there is, in planck.
pub fn issuance() -> Balance {
	<Balances as Inspect<AccountId>>::total_issuance()
}
