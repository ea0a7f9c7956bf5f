#![allow(clippy::unwrap_used)]

use crate::PeerKey;
use aria_primitives::{
	consent::TaskType,
	hashing,
	record::LayerRange,
	traits::{Consents, ModelInfo, Models, Obligations, Offer},
	uptime::{answer_message, UptimeParams},
	AccountId, Balance, BlockNumber, EraIndex, ModelId, Moment,
};
use frame_support::{
	derive_impl, parameter_types,
	traits::{ConstU128, ConstU32, Hooks, UnixTime},
};
use frame_system::{mocking::MockBlockU32, EnsureRoot};
use sp_core::{ed25519, Pair, H256};
use sp_runtime::{traits::IdentityLookup, BuildStorage, DispatchError, DispatchResult};
use std::{
	collections::{BTreeMap, BTreeSet},
	time::Duration,
};

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
/// Milliseconds a token that clients are promised.
pub const PROMISED: u32 = 200;
/// Blocks to answer in.
pub const WINDOW: u32 = 100;
/// The time of the clock.
pub const NOW: Moment = 1_750_000_000_000;
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
	/// Workers outside the hours of their consents.
	pub static Closed: BTreeSet<AccountId> = BTreeSet::new();
	/// What challenges are drawn by.
	pub static Beacon: H256 = H256::zero();
	/// The era in which they count.
	pub static CurrentEra: EraIndex = 3;
	/// Challenges in an era; nobody is asked unless a test wants it.
	pub static PerEra: u32 = 0;
	/// Blocks to answer in.
	pub static AnswerWindow: BlockNumber = WINDOW;
	pub Params: UptimeParams =
		UptimeParams { challenges: PerEra::get(), window: AnswerWindow::get() };
}

pub struct MockTime;
impl UnixTime for MockTime {
	fn now() -> Duration {
		Duration::from_millis(NOW)
	}
}

pub struct MockConsents;
impl Consents for MockConsents {
	fn ensure_permitted(
		_: &AccountId,
		_: TaskType,
		_: Moment,
		_: u32,
		_: BlockNumber,
	) -> DispatchResult {
		Ok(())
	}
	fn ensure_permits_now(worker: &AccountId, task: TaskType, at: Moment) -> DispatchResult {
		// Nobody accepts anything but audits.
		let refused = at != NOW || task != TaskType::Audit || Closed::get().contains(worker);
		if refused {
			return Err(DispatchError::Other("not permitted"));
		}
		Ok(())
	}
	fn minimum_price(_: &AccountId, _: u32) -> Result<Balance, DispatchError> {
		Ok(0)
	}
	fn payout(worker: &AccountId) -> AccountId {
		worker.clone()
	}
	#[cfg(feature = "runtime-benchmarks")]
	fn benchmark_consent(_: &AccountId) -> u32 {
		1
	}
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
	type Consents = MockConsents;
	type Time = MockTime;
	type Beacon = Beacon;
	type Era = CurrentEra;
	type Uptime = Params;
	type PunishOrigin = EnsureRoot<AccountId>;
	type MinimumStake = ConstU128<MINIMUM>;
	type TargetStake = ConstU128<TARGET>;
	type UnbondingPeriod = ConstU32<UNBONDING>;
	type ServedGrace = ConstU32<GRACE>;
	type EraLength = ConstU32<ERA>;
	type LatencyTarget = ConstU32<PROMISED>;
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

/// What the peer of `seed` signs to answer the challenge that waits for `worker`.
pub fn answer(seed: u8, worker: &AccountId) -> [u8; 64] {
	let asked_at = WorkerRegistry::challenge(worker.clone()).unwrap().asked_at;
	let block = frame_system::BlockHash::<Test>::get(asked_at);
	let message = answer_message(&WorkerRegistry::genesis(), worker, asked_at, &block);
	key(seed).sign(message.as_bytes()).into()
}

/// Makes the next block; those before it get a hash of their own.
pub fn next_block() {
	let made = System::block_number();
	let mut hash = [0xbb; 32];
	hash[..4].copy_from_slice(&made.to_le_bytes());
	frame_system::BlockHash::<Test>::insert(made, H256(hash));
	System::set_block_number(made + 1);
	Beacon::set(H256::from_low_u64_be(u64::from(made)));
	let _ = WorkerRegistry::on_initialize(made + 1);
}

/// Makes blocks up to this one.
pub fn run_to(block: BlockNumber) {
	while System::block_number() < block {
		next_block();
	}
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
		Closed::set(BTreeSet::new());
		CurrentEra::set(3);
		PerEra::set(0);
		AnswerWindow::set(WINDOW);
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
