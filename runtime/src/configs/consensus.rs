//! Who makes blocks, who finalises them, and what is proven about them.

use crate::{
	parameters::*, AccountId, Babe, Balances, BlockNumber, Historical, Offences, ProvenanceLedger,
	RewardDistributor, Runtime, RuntimeEvent, Session, SessionKeys, System, ValidatorRegistry,
};
use aria_primitives::hashing::MMR_ENGINE_ID;
use frame_support::traits::ConstU32;
use sp_core::H256;
use sp_mmr_primitives::{LeafDataProvider, OnNewRoot};
use sp_runtime::{
	traits::{ConvertInto, Keccak256, OpaqueKeys},
	DigestItem,
};

impl pallet_babe::Config for Runtime {
	type EpochDuration = pallet_validator_registry::EpochLengthOf<Runtime>;
	type ExpectedBlockTime = pallet_validator_registry::SlotDurationOf<Runtime>;
	type EpochChangeTrigger = pallet_babe::ExternalTrigger;
	type DisabledValidators = Session;
	type WeightInfo = ();
	type MaxAuthorities = MaxAuthorities;
	type MaxNominators = ConstU32<0>;
	type KeyOwnerProof = sp_session::MembershipProof;
	type EquivocationReportSystem =
		pallet_babe::EquivocationReportSystem<Self, Offences, Historical, ReportLongevity>;
}

impl pallet_grandpa::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type WeightInfo = ();
	type MaxAuthorities = MaxAuthorities;
	type MaxNominators = ConstU32<0>;
	type MaxSetIdSessionEntries = MaxSetIdSessionEntries;
	type KeyOwnerProof = sp_session::MembershipProof;
	type EquivocationReportSystem =
		pallet_grandpa::EquivocationReportSystem<Self, Offences, Historical, ReportLongevity>;
}

/// Tells everybody who counts blocks that one was made.
pub struct NoteAuthor;

impl pallet_authorship::EventHandler<AccountId, BlockNumber> for NoteAuthor {
	fn note_author(author: AccountId) {
		ValidatorRegistry::note_author(&author);
		RewardDistributor::note_author(author);
	}
}

impl pallet_authorship::Config for Runtime {
	type FindAuthor = pallet_session::FindAccountFromAuthorIndex<Self, Babe>;
	type EventHandler = NoteAuthor;
}

impl pallet_session::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type ValidatorId = AccountId;
	type ValidatorIdOf = ConvertInto;
	type ShouldEndSession = Babe;
	type NextSessionRotation = Babe;
	type SessionManager = pallet_session::historical::NoteHistoricalRoot<Self, ValidatorRegistry>;
	type SessionHandler = <SessionKeys as OpaqueKeys>::KeyTypeIdProviders;
	type Keys = SessionKeys;
	type DisablingStrategy = pallet_session::disabling::UpToLimitDisablingStrategy;
	type WeightInfo = pallet_session::weights::SubstrateWeight<Runtime>;
	type Currency = Balances;
	type KeyDeposit = SessionKeyDeposit;
}

impl pallet_session::historical::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type FullIdentification = ();
	type FullIdentificationOf = pallet_validator_registry::IdentificationOf;
}

impl pallet_offences::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type IdentificationTuple = pallet_session::historical::IdentificationTuple<Self>;
	type OnOffenceHandler = ValidatorRegistry;
}

impl pallet_validator_registry::Config for Runtime {
	type Currency = Balances;
	type RuntimeHoldReason = crate::RuntimeHoldReason;
	type Workers = crate::WorkerRegistry;
	type MinimumStake = ValidatorMinimumStake;
	type UnbondingPeriod = ValidatorUnbonding;
	type MaxCandidates = MaxCandidates;
	type MaxValidators = MaxValidators;
	type MinValidators = MinValidators;
	type MaxLinkedWorkers = MaxLinkedWorkers;
	type HeartbeatGrace = HeartbeatGrace;
	type OffenceSlash = OffenceSlash;
	type Audit = crate::Verification;
	type WorkKeep = WorkKeep;
	type SlotShare = SlotShare;
	type SlotShareMultiple = SlotShareMultiple;
	type SlotGrowth = SlotGrowth;
	type MaxWorkPerBlock = MaxWorkPerBlock;
	type WeightInfo = pallet_validator_registry::weights::SubstrateWeight<Runtime>;
	#[cfg(feature = "runtime-benchmarks")]
	type BenchmarkHelper = super::benchmarking::Helper;
}

/// The root over the records of the block that a leaf stands for.
pub struct MmrLeaf;

impl LeafDataProvider for MmrLeaf {
	type LeafData = H256;

	fn leaf_data() -> H256 {
		ProvenanceLedger::records_root()
	}
}

/// Names the root of the mountain range in each header, so that what lies far behind it is proven by the
/// header alone (`docs/protocol/retention.md`).
pub struct MmrDigest;

impl OnNewRoot<H256> for MmrDigest {
	fn on_new_root(root: &H256) {
		System::deposit_log(DigestItem::Consensus(MMR_ENGINE_ID, root.as_bytes().to_vec()));
	}
}

impl pallet_mmr::Config for Runtime {
	const INDEXING_PREFIX: &'static [u8] = sp_mmr_primitives::INDEXING_PREFIX;
	type Hashing = Keccak256;
	type LeafData = (pallet_mmr::ParentNumberAndHash<Runtime>, MmrLeaf);
	type OnNewRoot = MmrDigest;
	type BlockHashProvider = pallet_mmr::DefaultBlockHashProvider<Runtime>;
	type WeightInfo = ();
	#[cfg(feature = "runtime-benchmarks")]
	type BenchmarkHelper = ();
}
