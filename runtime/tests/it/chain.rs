//! A chain in memory: genesis from a preset of the runtime, blocks through its executive, with all
//! hooks, BABE's pre-digests and the timestamp, and signed extrinsics.

use aria_primitives::{AccountId, Balance, BlockNumber, Moment};
use aria_runtime::{
	genesis, Address, Babe, Executive, Header, Nonce, Runtime, RuntimeCall, RuntimeEvent,
	RuntimeGenesisConfig, Signature, SignedPayload, System, TxExtension, UncheckedExtrinsic,
	ValidatorRegistry, VERSION,
};
use codec::{Decode, Encode};
use frame_support::{genesis_builder_helper::build_state, weights::Weight};
use frame_system::{EventRecord, Phase};
use serde_json::Value;
use sp_consensus_babe::{
	digests::{PreDigest, PrimaryPreDigest},
	epoch_index, make_vrf_sign_data, Slot, BABE_ENGINE_ID,
};
use sp_core::{
	crypto::VrfSecret,
	offchain::{testing::TestOffchainExt, OffchainDbExt},
	Pair, H256,
};
use sp_io::TestExternalities;
use sp_keyring::Sr25519Keyring;
use sp_runtime::{
	generic::Era,
	traits::{BlakeTwo256, Hash, Header as HeaderT},
	transaction_validity::TransactionValidityError,
	ApplyExtrinsicResult, Digest, DigestItem, DispatchError,
};
use std::collections::BTreeMap;

/// Sunday, 15 June 2025, 15:00 UTC: the time of the slot before the first block.
pub const START_MILLIS: Moment = 1_749_999_600_000;

/// The last block.
#[derive(Clone, Copy, Debug)]
pub struct Head {
	/// Its number.
	pub number: BlockNumber,
	/// Its hash, without a seal.
	pub hash: H256,
	/// Its slot.
	pub slot: u64,
}

/// What a block did.
pub struct Executed {
	/// Its header, without a seal.
	pub header: Header,
	/// For each extrinsic that was given: its index in the block, and what came of it.
	pub results: Vec<(u32, ApplyExtrinsicResult)>,
	/// Everything that happened.
	pub events: Vec<EventRecord<RuntimeEvent, H256>>,
	/// What it weighed.
	pub weight: Weight,
}

impl Executed {
	/// How extrinsic `index` of those given was dispatched. Panics if it was not valid.
	pub fn outcome(&self, index: usize) -> Result<(), DispatchError> {
		match self.results[index].1 {
			Ok(outcome) => outcome,
			Err(error) => panic!("extrinsic {index} is not valid: {error:?}"),
		}
	}

	/// Why extrinsic `index` of those given was not taken into the block, if so.
	pub fn refusal(&self, index: usize) -> Option<TransactionValidityError> {
		self.results[index].1.err()
	}

	/// Events in the order in which they happened.
	pub fn events(&self) -> impl Iterator<Item = &RuntimeEvent> {
		self.events.iter().map(|record| &record.event)
	}

	/// Events of extrinsic `index` of those given.
	pub fn events_of(&self, index: usize) -> impl Iterator<Item = &RuntimeEvent> {
		let phase = Phase::ApplyExtrinsic(self.results[index].0);
		self.events.iter().filter(move |record| record.phase == phase).map(|r| &r.event)
	}

	/// What `pick` makes of the first event that it wants. Panics if it wants none.
	#[track_caller]
	pub fn find<R>(&self, pick: impl FnMut(&RuntimeEvent) -> Option<R>) -> R {
		self.events().find_map(pick).expect("the event has happened")
	}

	/// The fee that extrinsic `index` of those given cost at last.
	pub fn fee(&self, index: usize) -> Balance {
		self.events_of(index)
			.map(|event| match event {
				RuntimeEvent::TransactionPayment(
					pallet_transaction_payment::Event::TransactionFeePaid { actual_fee, .. },
				) => *actual_fee,
				_ => 0,
			})
			.sum()
	}

	/// Panics unless every extrinsic did what it was meant to; sudo hides errors in its event.
	#[track_caller]
	pub fn assert_good(&self) {
		for index in 0..self.results.len() {
			assert_eq!(self.outcome(index), Ok(()), "extrinsic {index}");
		}
		for event in self.events() {
			if let RuntimeEvent::Sudo(pallet_sudo::Event::Sudid { sudo_result }) = event {
				assert_eq!(*sudo_result, Ok(()));
			}
		}
	}
}

/// A chain.
pub struct Chain {
	ext: TestExternalities,
	head: Head,
	genesis: H256,
	slot_millis: u64,
	epoch_slots: u64,
	/// Extrinsics that were signed since the last block, by their signers.
	signed: BTreeMap<AccountId, Nonce>,
}

impl Chain {
	/// A chain with the genesis of a preset and its first block.
	pub fn new(preset: &str) -> Self {
		Self::with_genesis(preset, |_| ())
	}

	/// The same with a genesis that `change` made of the preset's, in JSON.
	pub fn with_genesis(preset: &str, change: impl FnOnce(&mut Value)) -> Self {
		let config = genesis_config(preset, change);
		let mut ext = TestExternalities::new_empty();
		let (slot_millis, epoch_slots, root) = ext.execute_with(|| {
			build_state::<RuntimeGenesisConfig>(config).expect("the preset builds");
			let root = sp_io::storage::root(VERSION.state_version());
			(Babe::slot_duration(), ValidatorRegistry::epoch_length(), root)
		});
		ext.commit_all().expect("no transaction is open");
		let header = Header::new(
			0,
			BlakeTwo256::trie_root(Vec::new(), VERSION.extrinsics_root_state_version()),
			H256::decode(&mut &root[..]).expect("a root is a hash"),
			H256::zero(),
			Digest::default(),
		);
		let genesis = header.hash();
		let head = Head { number: 0, hash: genesis, slot: START_MILLIS / slot_millis };
		let signed = BTreeMap::new();
		let mut chain = Self { ext, head, genesis, slot_millis, epoch_slots, signed };
		// Extrinsics are bound to the hash of block 0, which the state knows from block 1 on.
		chain.block(Vec::new());
		chain
	}

	/// Another chain in the same state. It does not know what was indexed off chain.
	pub fn fork(&mut self) -> Self {
		let mut ext = TestExternalities::new_empty();
		ext.backend = self.ext.as_backend();
		Self {
			ext,
			head: self.head,
			genesis: self.genesis,
			slot_millis: self.slot_millis,
			epoch_slots: self.epoch_slots,
			signed: self.signed.clone(),
		}
	}

	/// The last block.
	pub fn head(&self) -> Head {
		self.head
	}

	/// The hash of block 0.
	pub fn genesis(&self) -> H256 {
		self.genesis
	}

	/// The time of the last block, in milliseconds since the Unix epoch.
	pub fn now(&self) -> Moment {
		self.head.slot * self.slot_millis
	}

	/// The number of the block that comes next.
	pub fn next_number(&self) -> BlockNumber {
		self.head.number + 1
	}

	/// Reads the state after the last block.
	pub fn read<R>(&mut self, read: impl FnOnce() -> R) -> R {
		self.ext.execute_with(read)
	}

	/// Changes the state after the last block, as no block could.
	pub fn write<R>(&mut self, write: impl FnOnce() -> R) -> R {
		let result = self.ext.execute_with(write);
		self.ext.commit_all().expect("no transaction is open");
		result
	}

	/// Who made the last block.
	pub fn author(&mut self) -> AccountId {
		let slot = self.head.slot;
		let validators = self.read(pallet_session::Validators::<Runtime>::get);
		validators[author_index(slot, validators.len())].clone()
	}

	/// Every key of the state with its value.
	pub fn state(&mut self) -> BTreeMap<Vec<u8>, Vec<u8>> {
		self.read(|| {
			let (mut state, mut last) = (BTreeMap::new(), Vec::new());
			while let Some(key) = sp_io::storage::next_key(&last) {
				if let Some(value) = sp_io::storage::get(&key) {
					state.insert(key.clone(), value.to_vec());
				}
				last = key;
			}
			state
		})
	}

	/// Signs a call with the signer's next nonce, for the block that comes next.
	pub fn sign(&mut self, signer: Sr25519Keyring, call: RuntimeCall) -> UncheckedExtrinsic {
		let account = signer.to_account_id();
		let before = self.signed.entry(account.clone()).or_default();
		let offset = *before;
		*before += 1;
		self.read(|| {
			let nonce = System::account_nonce(&account) + offset;
			let payload = SignedPayload::new(call, extension(nonce)).expect("block 0 is known");
			let signature = payload.using_encoded(|bytes| signer.sign(bytes));
			let (call, extension, _) = payload.deconstruct();
			UncheckedExtrinsic::new_signed(
				call,
				Address::Id(account),
				Signature::Sr25519(signature),
				extension,
			)
		})
	}

	/// Makes a block in the next slot.
	pub fn block(&mut self, extrinsics: Vec<UncheckedExtrinsic>) -> Executed {
		self.block_after(1, extrinsics)
	}

	/// Makes a block after so many slots.
	pub fn block_after(&mut self, slots: u64, extrinsics: Vec<UncheckedExtrinsic>) -> Executed {
		assert!(slots > 0, "a block needs a slot of its own");
		let (number, parent) = (self.next_number(), self.head.hash);
		let slot = self.head.slot + slots;
		let time = slot * self.slot_millis;
		let executed =
			self.ext.execute_with(|| execute(number, parent, slot.into(), time, extrinsics));
		self.ext.persist_offchain_overlay();
		self.ext.commit_all().expect("no transaction is open");
		self.head = Head { number, hash: executed.header.hash(), slot };
		self.signed.clear();
		executed
	}

	/// Makes a block with one call.
	pub fn submit(&mut self, signer: Sr25519Keyring, call: impl Into<RuntimeCall>) -> Executed {
		let extrinsic = self.sign(signer, call.into());
		self.block(vec![extrinsic])
	}

	/// Makes a block with these calls, all of which have to succeed.
	#[track_caller]
	pub fn accept(&mut self, calls: Vec<(Sr25519Keyring, RuntimeCall)>) -> Executed {
		let extrinsics = calls.into_iter().map(|(signer, call)| self.sign(signer, call)).collect();
		let executed = self.block(extrinsics);
		executed.assert_good();
		executed
	}

	/// Makes so many blocks without extrinsics.
	pub fn blocks(&mut self, count: u32) {
		for _ in 0..count {
			self.block(Vec::new());
		}
	}

	/// Makes one block in each of the next `count` epochs; returns them.
	pub fn epochs(&mut self, count: u32) -> Vec<Executed> {
		let slots = self.epoch_slots;
		(0..count).map(|_| self.block_after(slots, Vec::new())).collect()
	}

	/// Makes the block that comes next block `number`, as if many had been made before it.
	pub fn jump_to(&mut self, number: BlockNumber) {
		assert!(number >= self.next_number(), "numbers of blocks only grow");
		self.ext.execute_with(|| System::set_block_number(number - 1));
		self.ext.commit_all().expect("no transaction is open");
		self.head.number = number - 1;
	}

	/// Lets the state be read with what was indexed off chain, as RPC servers do.
	pub fn with_offchain_index(&mut self) -> &mut Self {
		let (offchain, _) = TestOffchainExt::with_offchain_db(self.ext.offchain_db());
		self.ext.register_extension(OffchainDbExt::new(offchain));
		self
	}
}

/// The whole genesis configuration that `change` made of a preset's, in JSON.
fn genesis_config(preset: &str, change: impl FnOnce(&mut Value)) -> Vec<u8> {
	let patch = genesis::get_preset(&preset.into()).expect("the preset exists");
	let patch = serde_json::from_slice(&patch).expect("a preset is JSON");
	let mut config =
		serde_json::to_value(RuntimeGenesisConfig::default()).expect("the default is JSON");
	merge(&mut config, patch);
	change(&mut config);
	serde_json::to_vec(&config).expect("JSON can be written")
}

fn merge(base: &mut Value, patch: Value) {
	match (base, patch) {
		(Value::Object(base), Value::Object(patch)) => {
			for (key, value) in patch {
				merge(base.entry(key).or_insert(Value::Null), value);
			}
		}
		(base, patch) => *base = patch,
	}
}

/// What is signed along with a call.
fn extension(nonce: Nonce) -> TxExtension {
	(
		frame_system::CheckNonZeroSender::new(),
		frame_system::CheckSpecVersion::new(),
		frame_system::CheckTxVersion::new(),
		frame_system::CheckGenesis::new(),
		frame_system::CheckMortality::from(Era::Immortal),
		frame_system::CheckNonce::from(nonce),
		frame_system::CheckWeight::new(),
		pallet_transaction_payment::ChargeTransactionPayment::from(0),
		frame_metadata_hash_extension::CheckMetadataHash::new(false),
		frame_system::WeightReclaim::new(),
	)
}

fn execute(
	number: BlockNumber,
	parent: H256,
	slot: Slot,
	now: Moment,
	extrinsics: Vec<UncheckedExtrinsic>,
) -> Executed {
	let digest = Digest { logs: vec![pre_digest(slot)] };
	let header = Header::new(number, H256::zero(), H256::zero(), parent, digest);
	Executive::initialize_block(&header);
	let set_time = RuntimeCall::Timestamp(pallet_timestamp::Call::set { now });
	let timed = Executive::apply_extrinsic(UncheckedExtrinsic::new_bare(set_time));
	assert_eq!(timed, Ok(Ok(())), "the time can be set");
	let results = extrinsics.into_iter().map(apply).collect();
	let header = Executive::finalize_block();
	let (events, weight) = (System::events(), System::block_weight().total());
	Executed { header, results, events, weight }
}

/// Applies an extrinsic; undoes everything if it is not valid, as a block's builder does.
fn apply(extrinsic: UncheckedExtrinsic) -> (u32, ApplyExtrinsicResult) {
	let index = System::extrinsic_index().expect("extrinsics are being applied");
	sp_io::storage::start_transaction();
	let result = Executive::apply_extrinsic(extrinsic);
	if result.is_ok() {
		sp_io::storage::commit_transaction();
	} else {
		sp_io::storage::rollback_transaction();
	}
	(index, result)
}

fn author_index(slot: u64, authorities: usize) -> usize {
	(slot % authorities as u64) as usize
}

/// A claim of the slot by the authority whose turn it is, with a sound VRF output.
fn pre_digest(slot: Slot) -> DigestItem {
	let genesis_slot = Babe::genesis_slot();
	let epoch = if *genesis_slot == 0 {
		0
	} else {
		epoch_index(slot, genesis_slot, ValidatorRegistry::epoch_length())
	};
	let (randomness, authorities) = if epoch == Babe::epoch_index() {
		(Babe::randomness(), Babe::authorities().into_inner())
	} else {
		// The first block of an epoch works with what was announced for it.
		let next = Babe::next_epoch();
		(next.randomness, next.authorities)
	};
	let index = author_index(*slot, authorities.len());
	let public: [u8; 32] = authorities[index].0.encode().try_into().expect("a key has 32 bytes");
	let keyring = Sr25519Keyring::from_raw_public(public).expect("authorities are dev keys");
	let vrf_signature = keyring.pair().vrf_sign(&make_vrf_sign_data(&randomness, slot, epoch));
	let digest =
		PreDigest::Primary(PrimaryPreDigest { authority_index: index as u32, slot, vrf_signature });
	DigestItem::PreRuntime(BABE_ENGINE_ID, digest.encode())
}

/// The account of a key pair.
pub fn account_of(pair: &sp_core::sr25519::Pair) -> AccountId {
	pair.public().into()
}
