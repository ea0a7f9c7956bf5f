//! A runtime of system and ledger.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use aria_primitives::{
	hashing::sha256,
	record::{
		Anchor, EnergySource, FinishReason, LayerRange, RecordBody, RecordEntry, Stage,
		RECORD_VERSION,
	},
	traits::RecordUses,
	AccountId, BlockNumber, RecordId,
};
use frame_support::{
	derive_impl, parameter_types,
	traits::{ConstU32, Hooks},
	weights::{constants::RocksDbWeight, Weight},
};
use sp_core::H256;
use sp_runtime::{traits::IdentityLookup, BoundedVec, BuildStorage, StateVersion};

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
	pub type Ledger = crate;
}

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
	type Block = frame_system::mocking::MockBlockU32<Test>;
	type DbWeight = RocksDbWeight;
	type AccountId = AccountId;
	type Lookup = IdentityLookup<Self::AccountId>;
}

/// Most records of a block of the mock.
pub const MAX_RECORDS: u32 = 8;

parameter_types! {
	pub static MaxPage: u32 = 3;
	pub static Window: BlockNumber = 10;
	/// Records that are needed.
	pub static Needed: Vec<RecordId> = Vec::new();
	/// Records that were forgotten, in order.
	pub static Forgotten: Vec<RecordId> = Vec::new();
}

/// Most steps of a block of the mock.
pub const MAX_PRUNED: u32 = 6;

/// Somebody who needs what [`Needed`] says.
pub struct Somebody;

impl RecordUses for Somebody {
	fn is_needed(id: &RecordId, _: &RecordEntry) -> bool {
		Needed::get().contains(id)
	}

	fn forget(id: &RecordId) {
		Forgotten::mutate(|ids| ids.push(*id));
	}

	#[cfg(feature = "runtime-benchmarks")]
	fn benchmark_release() {
		Needed::set(Vec::new());
	}
}

impl crate::Config for Test {
	type MaxRecordsPerBlock = ConstU32<MAX_RECORDS>;
	type MaxPage = MaxPage;
	type Window = Window;
	type Uses = Somebody;
	type MaxPrunedPerBlock = ConstU32<MAX_PRUNED>;
	type WeightInfo = ();
}

pub fn new_test_ext() -> sp_io::TestExternalities {
	MaxPage::set(3);
	Window::set(10);
	Needed::set(Vec::new());
	Forgotten::set(Vec::new());
	let storage = frame_system::GenesisConfig::<Test>::default().build_storage().unwrap();
	let mut ext: sp_io::TestExternalities = storage.into();
	ext.execute_with(|| System::set_block_number(1));
	ext
}

pub fn build_and_execute(test: impl FnOnce()) {
	new_test_ext().execute_with(|| {
		test();
		Ledger::do_try_state().unwrap();
	});
}

/// Ends this block and begins the next; returns the weight that its beginning announces.
pub fn next_block() -> Weight {
	let now = System::block_number();
	Ledger::on_finalize(now);
	System::set_block_number(now + 1);
	System::reset_events();
	Ledger::on_initialize(now + 1)
}

/// Runs `call`, which is expected to leave the state as it was.
pub fn assert_state_unchanged<R>(call: impl FnOnce() -> R) -> R {
	let before = sp_io::storage::root(StateVersion::V1);
	let result = call();
	assert_eq!(before, sp_io::storage::root(StateVersion::V1), "the state has changed");
	result
}

pub fn id(n: u32) -> RecordId {
	sha256(&n.to_le_bytes())
}

pub fn output_hash(n: u32) -> H256 {
	sha256(&[b"output".as_slice(), &n.to_le_bytes()].concat())
}

pub fn query_hash(n: u32) -> H256 {
	sha256(&[b"query".as_slice(), &n.to_le_bytes()].concat())
}

pub fn stage(energy_mj: u64, energy_source: EnergySource) -> Stage {
	Stage {
		node: AccountId::new([9; 32]),
		layers: LayerRange { first: 0, end: 30 },
		energy_mj,
		energy_source,
		consent_version: 1,
	}
}

/// A record of one signed stage with 10 measured millijoules, 100 tokens of prompt, 40 of them
/// cached, and 20 of answer; `n` makes its output and its query.
pub fn entry(n: u32) -> RecordEntry {
	RecordEntry {
		body: RecordBody {
			version: RECORD_VERSION,
			model_id: H256::repeat_byte(1),
			query_hash: query_hash(n),
			output_hash: output_hash(n),
			output_tokens_hash: H256::repeat_byte(4),
			finish_reason: FinishReason::Stop,
			prompt_tokens: 100,
			cached_tokens: 40,
			output_tokens: 20,
			stages: BoundedVec::try_from(vec![stage(10, EnergySource::Rapl)]).unwrap(),
			boundaries: BoundedVec::try_from(vec![H256::zero(), H256::repeat_byte(8)]).unwrap(),
			energy_mj: 10,
			latency_ms: 500,
			timestamp: 1_700_000_000_000,
			anchor: Anchor { number: 1, hash: H256::repeat_byte(5) },
			ticket_hash: H256::repeat_byte(6),
		},
		signed_stages: 1,
		requester: AccountId::new([1; 32]),
		gateway: AccountId::new([2; 32]),
		price: 1_000,
		settled_at: 1,
		epoch: 0,
		era: 0,
		auditable: true,
	}
}
