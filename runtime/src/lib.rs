//! The state transition function of the ARIA chain.
//!
//! | file | what it holds |
//! |---|---|
//! | `lib.rs` | types, version, the list of pallets |
//! | `configs/` | how each pallet is set up, by concern |
//! | `parameters.rs` | every number of the protocol that the runtime chooses |
//! | `dynamic.rs` | those that the council changes without another runtime |
//! | `apis.rs` | what the node may ask |
//! | `genesis.rs` | the presets `development` and `local_testnet` |
//!
//! Architecture invariant: pallets know traits of aria-primitives only; they meet here.

#![cfg_attr(not(feature = "std"), no_std)]
#![recursion_limit = "512"]
// FRAME's macros expand to items without documentation.
#![allow(missing_docs)]

extern crate alloc;

#[cfg(feature = "std")]
include!(concat!(env!("OUT_DIR"), "/wasm_binary.rs"));

mod apis;
#[cfg(feature = "runtime-benchmarks")]
mod benchmarks;
pub mod configs;
pub mod dynamic;
pub mod genesis;
pub mod parameters;

pub use apis::RuntimeApi;
pub use aria_primitives::{AccountId, Balance, BlockNumber, Moment, Signature};

use alloc::{borrow::Cow, vec::Vec};
use sp_runtime::{
	generic, impl_opaque_keys,
	traits::{BlakeTwo256, Verify},
	MultiAddress,
};
use sp_version::{runtime_version, RuntimeVersion};

/// How often an account has signed.
pub type Nonce = u32;
/// Hash of blocks and state.
pub type Hash = sp_core::H256;
/// How a call names an account.
pub type Address = MultiAddress<AccountId, ()>;
/// A block's header.
pub type Header = generic::Header<BlockNumber, BlakeTwo256>;
/// A block.
pub type Block = generic::Block<Header, UncheckedExtrinsic>;
/// What is signed along with a call; all of it is known to polkadot.js and papi.
pub type TxExtension = (
	frame_system::CheckNonZeroSender<Runtime>,
	frame_system::CheckSpecVersion<Runtime>,
	frame_system::CheckTxVersion<Runtime>,
	frame_system::CheckGenesis<Runtime>,
	frame_system::CheckMortality<Runtime>,
	frame_system::CheckNonce<Runtime>,
	frame_system::CheckWeight<Runtime>,
	pallet_transaction_payment::ChargeTransactionPayment<Runtime>,
	frame_metadata_hash_extension::CheckMetadataHash<Runtime>,
	frame_system::WeightReclaim<Runtime>,
);
/// An extrinsic as it comes.
pub type UncheckedExtrinsic =
	generic::UncheckedExtrinsic<Address, RuntimeCall, Signature, TxExtension>;
/// What an account signs.
pub type SignedPayload = generic::SignedPayload<RuntimeCall, TxExtension>;
/// Storage migrations of this version, from the one before (`docs/operations/upgrade.md`).
pub type Migrations = (
	pallet_validator_registry::migrations::ToV2<Runtime>,
	pallet_verification::migrations::ToV2<Runtime>,
	pallet_provenance_ledger::migrations::ToV2<Runtime>,
	pallet_worker_registry::migrations::ToV2<Runtime>,
);
/// Executes blocks.
pub type Executive = frame_executive::Executive<
	Runtime,
	Block,
	frame_system::ChainContext<Runtime>,
	Runtime,
	AllPalletsWithSystem,
>;

/// Types that the node handles without knowing calls.
pub mod opaque {
	use super::*;
	pub use sp_runtime::OpaqueExtrinsic as UncheckedExtrinsic;

	/// A block's header.
	pub type Header = generic::Header<BlockNumber, BlakeTwo256>;
	/// A block whose extrinsics are bytes.
	pub type Block = generic::Block<Header, UncheckedExtrinsic>;
	/// Names a block.
	pub type BlockId = generic::BlockId<Block>;
	/// Hash of blocks.
	pub type Hash = <BlakeTwo256 as sp_runtime::traits::Hash>::Output;
}

impl_opaque_keys! {
	/// A validator's keys of one session.
	pub struct SessionKeys {
		pub babe: configs::WeightedBabe,
		pub grandpa: Grandpa,
	}
}

#[runtime_version]
pub const VERSION: RuntimeVersion = RuntimeVersion {
	spec_name: Cow::Borrowed("aria"),
	impl_name: Cow::Borrowed("aria"),
	authoring_version: 1,
	spec_version: 2,
	impl_version: 1,
	apis: apis::RUNTIME_API_VERSIONS,
	transaction_version: 1,
	system_version: 1,
};

/// The signer of a [`Signature`].
pub type AccountPublic = <Signature as Verify>::Signer;

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
	pub struct Runtime;

	#[runtime::pallet_index(0)]
	pub type System = frame_system;
	#[runtime::pallet_index(1)]
	pub type Timestamp = pallet_timestamp;
	#[runtime::pallet_index(2)]
	pub type Babe = pallet_babe;
	#[runtime::pallet_index(3)]
	pub type Balances = pallet_balances;
	#[runtime::pallet_index(4)]
	pub type TransactionPayment = pallet_transaction_payment;

	// Who makes blocks. Authorship comes before session, so that the author of a session's last
	// block is noted in that session.
	#[runtime::pallet_index(10)]
	pub type Authorship = pallet_authorship;
	#[runtime::pallet_index(11)]
	pub type ValidatorRegistry = pallet_validator_registry;
	#[runtime::pallet_index(12)]
	pub type Session = pallet_session;
	#[runtime::pallet_index(13)]
	pub type Historical = pallet_session::historical;
	#[runtime::pallet_index(14)]
	pub type Grandpa = pallet_grandpa;
	#[runtime::pallet_index(15)]
	pub type Offences = pallet_offences;
	#[runtime::pallet_index(16)]
	pub type Mmr = pallet_mmr;

	// What accounts do with each other.
	#[runtime::pallet_index(20)]
	pub type Utility = pallet_utility;
	#[runtime::pallet_index(21)]
	pub type Proxy = pallet_proxy;
	#[runtime::pallet_index(22)]
	pub type Multisig = pallet_multisig;
	#[runtime::pallet_index(23)]
	pub type Preimage = pallet_preimage;
	#[runtime::pallet_index(24)]
	pub type Scheduler = pallet_scheduler;
	#[runtime::pallet_index(25)]
	pub type Sudo = pallet_sudo;
	#[runtime::pallet_index(26)]
	pub type Council = pallet_collective<Instance1>;
	#[runtime::pallet_index(27)]
	pub type Whitelist = pallet_whitelist;

	// ARIA.
	#[runtime::pallet_index(40)]
	pub type ModelRegistry = pallet_model_registry;
	#[runtime::pallet_index(41)]
	pub type WorkerRegistry = pallet_worker_registry;
	#[runtime::pallet_index(42)]
	pub type ConsentRegistry = pallet_consent_registry;
	#[runtime::pallet_index(43)]
	pub type InferenceMarket = pallet_inference_market;
	#[runtime::pallet_index(44)]
	pub type ProvenanceLedger = pallet_provenance_ledger;
	#[runtime::pallet_index(45)]
	pub type Verification = pallet_verification;
	#[runtime::pallet_index(46)]
	pub type RewardDistributor = pallet_reward_distributor;
	#[runtime::pallet_index(47)]
	pub type Parameters = pallet_parameters;
}

/// The opaque bytes of a validator's keys, for scripts that rotate them.
pub fn session_keys_bytes(keys: &SessionKeys) -> Vec<u8> {
	codec::Encode::encode(keys)
}
