//! ARIA's own pallets, and who answers whose questions.

use super::governance::RootOrMajority;
use crate::{
	dynamic::{AuditParameters, RecordRetention, RuntimeParameters, UptimeParameters},
	parameters::*,
	AccountId, Authorship, Balances, BlockNumber, ConsentRegistry, InferenceMarket, ModelRegistry,
	ProvenanceLedger, RewardDistributor, Runtime, RuntimeEvent, RuntimeHoldReason, Timestamp,
	ValidatorRegistry, Verification, WorkerRegistry,
};
use aria_primitives::{
	dispute::Manifests,
	manifest::Manifest,
	record::RecordEntry,
	traits::{RecordUses, Uptime, WorkSink},
	EpochIndex, EraIndex, ModelId, Ppm, RecordId,
};
use frame_support::traits::{AsEnsureOriginWithArg, Get, Nothing, Randomness};
use frame_system::EnsureRoot;
use sp_core::H256;

impl pallet_model_registry::Config for Runtime {
	type Currency = Balances;
	type RuntimeHoldReason = RuntimeHoldReason;
	type PinOrigin = RootOrMajority;
	type AliasOrigin = RootOrMajority;
	type DepositBase = ModelDepositBase;
	type DepositPerByte = ModelDepositPerByte;
	type OfferDeposit = OfferDeposit;
	type MaxPinned = MaxPinned;
	type MaxAliasesPerModel = MaxAliasesPerModel;
	type MaxTokenPrice = MaxTokenPrice;
	type WeightInfo = pallet_model_registry::weights::SubstrateWeight<Runtime>;
}

impl pallet_worker_registry::Config for Runtime {
	type Currency = Balances;
	type RuntimeHoldReason = RuntimeHoldReason;
	type Models = ModelRegistry;
	type Obligations = InferenceMarket;
	type Consents = ConsentRegistry;
	type Time = Timestamp;
	type Beacon = BlockBeacon;
	type Era = CurrentEra;
	type Uptime = UptimeParameters;
	type PunishOrigin = EnsureRoot<AccountId>;
	type MinimumStake = WorkerMinimumStake;
	type TargetStake = WorkerTargetStake;
	type UnbondingPeriod = WorkerUnbonding;
	type ServedGrace = ServedGrace;
	type EraLength = EraLength;
	type LatencyTarget = LatencyTarget;
	type MaxServed = MaxServed;
	type WeightInfo = pallet_worker_registry::weights::SubstrateWeight<Runtime>;
}

/// The era in which work and challenges count.
pub struct CurrentEra;

impl Get<EraIndex> for CurrentEra {
	fn get() -> EraIndex {
		<RewardDistributor as WorkSink>::current_era()
	}
}

/// Uptime as the worker registry measures it, and audits as verification counts them.
pub struct Quality;

impl Uptime for Quality {
	fn uptime(worker: &AccountId, era: EraIndex) -> Option<Ppm> {
		<WorkerRegistry as Uptime>::uptime(worker, era)
	}

	fn audit_pass_rate(worker: &AccountId, era: EraIndex) -> Option<Ppm> {
		<Verification as Uptime>::audit_pass_rate(worker, era)
	}
}

impl pallet_consent_registry::Config for Runtime {
	type Currency = Balances;
	type RuntimeHoldReason = RuntimeHoldReason;
	type DepositBase = ConsentDepositBase;
	type DepositPerVersion = ConsentDepositPerVersion;
	type GracePeriod = ConsentGrace;
	type HistoryPeriod = ConsentHistory;
	type MaxVersions = MaxConsentVersions;
	type DonationAccount = DonationAccount;
	type WeightInfo = pallet_consent_registry::weights::SubstrateWeight<Runtime>;
}

/// The author of the current block.
pub struct BlockAuthor;

impl Get<Option<AccountId>> for BlockAuthor {
	fn get() -> Option<AccountId> {
		Authorship::author()
	}
}

impl pallet_inference_market::Config for Runtime {
	type Currency = Balances;
	type RuntimeHoldReason = RuntimeHoldReason;
	type Models = ModelRegistry;
	type Workers = WorkerRegistry;
	type Consents = ConsentRegistry;
	type Ledger = ProvenanceLedger;
	type Work = RewardDistributor;
	type Audit = Verification;
	type Time = Timestamp;
	type Author = BlockAuthor;
	type PalletId = MarketPalletId;
	type AuditPot = AuditPot;
	type StoragePot = StoragePot;
	type Split = Split;
	type ByteFee = ByteFee;
	type FreeFrom = FreeFrom;
	type GatewayStake = GatewayStake;
	type GatewayUnbonding = GatewayUnbonding;
	type MaxKeysPerRequester = MaxKeysPerRequester;
	type MaxAnchorAge = MaxAnchorAge;
	type SigningGrace = SigningGrace;
	type MaxTicketLifetime = MaxTicketLifetime;
	type MaxRecordAge = MaxRecordAge;
	type MaxClockSkew = MaxClockSkew;
	type MaxStagePower = MaxStagePower;
	type VestingEpochs = VestingEpochs;
	type UnvestedFactor = UnvestedFactor;
	type MaxReleasesPerBlock = MaxReleasesPerBlock;
	type RequestDeadlineMin = MinRequestDeadline;
	type RequestDeadlineMax = MaxRequestDeadline;
	type MatchTimeout = MatchTimeout;
	type MaxOpenRequestsPerBlock = MaxRequestsPerDeadline;
	type WeightInfo = pallet_inference_market::weights::SubstrateWeight<Runtime>;
	#[cfg(feature = "runtime-benchmarks")]
	type BenchmarkHelper = super::benchmarking::Helper;
}

/// What may hang on a record (`docs/protocol/retention.md`): an audit or a canary, money that has not
/// vested, an era whose work is not paid.
pub struct UsesOfRecords;

impl RecordUses for UsesOfRecords {
	fn is_needed(_id: &RecordId, record: &RecordEntry) -> bool {
		Verification::needs(record)
			|| pallet_inference_market::NextBucket::<Runtime>::get() <= record.epoch
			|| pallet_reward_distributor::NextToSettle::<Runtime>::get() <= record.era
	}

	fn forget(id: &RecordId) {
		Verification::forget(id);
	}

	#[cfg(feature = "runtime-benchmarks")]
	fn benchmark_release() {
		pallet_verification::ClosedThrough::<Runtime>::put(0);
		pallet_inference_market::NextBucket::<Runtime>::put(1);
		pallet_reward_distributor::NextToSettle::<Runtime>::put(1);
	}
}

impl pallet_provenance_ledger::Config for Runtime {
	type MaxRecordsPerBlock = MaxRecordsPerBlock;
	type MaxPage = MaxRecordPage;
	type Window = RecordRetention;
	type Uses = UsesOfRecords;
	type MaxPrunedPerBlock = MaxPrunedPerBlock;
	type WeightInfo = pallet_provenance_ledger::weights::SubstrateWeight<Runtime>;
}

/// The epoch of BABE.
pub struct CurrentEpoch;

impl Get<EpochIndex> for CurrentEpoch {
	fn get() -> EpochIndex {
		pallet_babe::EpochIndex::<Runtime>::get()
	}
}

/// BABE's randomness of one epoch ago, and the block from which on it came to be known: the first of
/// the epoch whose blocks it was made from. That is the epoch before this one; where epochs were
/// skipped, it is the last one that had blocks.
pub struct EpochRandomness;

impl Randomness<H256, BlockNumber> for EpochRandomness {
	fn random(subject: &[u8]) -> (H256, BlockNumber) {
		let (seed, _) = pallet_babe::RandomnessFromOneEpochAgo::<Runtime>::random(subject);
		// BABE itself names the block at which the randomness was complete, the start of this
		// epoch: no record that waits for a draw is younger than that.
		let (known_since, _) = pallet_babe::EpochStart::<Runtime>::get();
		(seed, known_since)
	}
}

/// BABE's randomness of the block before this one, which only its author knew, and only at its slot.
pub struct BlockBeacon;

impl Get<H256> for BlockBeacon {
	fn get() -> H256 {
		let (random, _) =
			pallet_babe::ParentBlockRandomness::<Runtime>::random(b"aria/audit/beacon/v1");
		// Blocks without a VRF output are made on no chain of ours.
		random.unwrap_or_else(frame_system::Pallet::<Runtime>::parent_hash)
	}
}

/// Manifests as the model registry keeps them.
pub struct RegisteredManifests;

impl Manifests for RegisteredManifests {
	fn manifest(model: &ModelId) -> Option<Manifest> {
		let bytes = pallet_model_registry::Manifests::<Runtime>::get(model)?;
		Manifest::from_bytes(&bytes).ok()
	}

	#[cfg(feature = "runtime-benchmarks")]
	fn benchmark_manifest(manifest: Manifest) -> ModelId {
		let model = manifest.model_id();
		let bytes = pallet_model_registry::ManifestBytes::truncate_from(manifest.to_bytes());
		pallet_model_registry::Manifests::<Runtime>::insert(model, bytes);
		model
	}
}

impl pallet_verification::Config for Runtime {
	type Currency = Balances;
	type RuntimeHoldReason = RuntimeHoldReason;
	type Workers = WorkerRegistry;
	type Consents = ConsentRegistry;
	type Ledger = ProvenanceLedger;
	type Manifests = RegisteredManifests;
	type Funds = InferenceMarket;
	type Work = RewardDistributor;
	type Lottery = ValidatorRegistry;
	type Time = Timestamp;
	type Beacon = BlockBeacon;
	type AuditPot = AuditPot;
	type Parameters = AuditParameters;
	type MaxVerifiers = MaxVerifiers;
	type MaxWaiting = MaxWaitingAudits;
	type MaxStepsPerBlock = MaxAuditSteps;
	type CurrentEpoch = CurrentEpoch;
	type Randomness = EpochRandomness;
	type DrawOrigin = EnsureRoot<AccountId>;
	type DrawDelay = DrawDelay;
	type MaxDrawsPerBlock = MaxDrawsPerBlock;
	type MaxPerEpoch = MaxRecordsPerEpoch;
	type WeightInfo = pallet_verification::weights::SubstrateWeight<Runtime>;
}

impl pallet_reward_distributor::Config for Runtime {
	type Currency = Balances;
	type Consents = ConsentRegistry;
	type Uptime = Quality;
	type Lottery = ValidatorRegistry;
	type Audit = Verification;
	// No meter key is registered.
	type Meters = Nothing;
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
	type WeightInfo = pallet_reward_distributor::weights::SubstrateWeight<Runtime>;
}

impl pallet_parameters::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type RuntimeParameters = RuntimeParameters;
	type AdminOrigin = AsEnsureOriginWithArg<RootOrMajority>;
	type WeightInfo = ();
}
