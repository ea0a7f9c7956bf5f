//! Every number of the protocol that the runtime chooses, with its unit and its reason
//! (`docs/protocol/economics.md`).

use crate::{AccountId, Balance, BlockNumber, ValidatorRegistry};
use aria_math::emission::EmissionSchedule;
use aria_primitives::{EraIndex, Ppm, ARIA};
use frame_support::{
	parameter_types,
	weights::{constants::WEIGHT_REF_TIME_PER_MILLIS, Weight},
	PalletId,
};
use frame_system::limits::{BlockLength, BlockWeights};
use pallet_inference_market::PriceSplit;
use sp_runtime::{traits::AccountIdConversion, Perbill};

/// A thousandth of an ARIA, in planck.
pub const MILLI_ARIA: Balance = ARIA / 1_000;
/// A millionth of an ARIA, in planck.
pub const MICRO_ARIA: Balance = ARIA / 1_000_000;
/// Blocks in an hour at the mean block time of six seconds.
pub const HOURS: BlockNumber = 600;
/// Blocks in a day.
pub const DAYS: BlockNumber = 24 * HOURS;
/// Milliseconds of a block's execution, of the two seconds that its slot lasts.
pub const BLOCK_MILLIS: u64 = 700;

/// Blocks for which a record stays in the state: a month.
pub const RETENTION_DEFAULT: BlockNumber = 30 * DAYS;
/// At least twice as long as a record may be settled after its anchor: what has left can't come again.
pub const RETENTION_LEAST: BlockNumber = 200;
/// Ten years.
pub const RETENTION_MOST: BlockNumber = 3_650 * DAYS;

/// What occupies state for good pays by item and byte, in planck.
pub const fn deposit(items: u32, bytes: u32) -> Balance {
	items as Balance * 20 * MILLI_ARIA + bytes as Balance * 100 * MICRO_ARIA
}

/// Auditable records that an epoch of so many slots may settle: as many as a sixth of its slots
/// draw for if they have a block each.
///
/// Every third slot has one on average (`genesis::LIVE_EPOCH_CONFIG`), so that is half of the
/// blocks to be expected: of 120 slots, fewer have a block in one epoch of 78,000. The draw then
/// takes some blocks of the next epoch, as it may on a chain that makes blocks on demand.
pub fn records_per_epoch(slots: u64) -> u32 {
	let blocks = u32::try_from(slots / 6).unwrap_or(u32::MAX).max(1);
	MaxDrawsPerBlock::get().saturating_mul(blocks)
}

parameter_types! {
	// --- blocks -------------------------------------------------------------------------------
	/// Long enough that an anchor of 100 blocks and a mortal transaction can be checked.
	pub const BlockHashCount: BlockNumber = 4096;
	pub const SS58Prefix: u16 = 42;
	pub RuntimeBlockWeights: BlockWeights = BlockWeights::with_sensible_defaults(
		Weight::from_parts(BLOCK_MILLIS * WEIGHT_REF_TIME_PER_MILLIS, u64::MAX),
		sp_runtime::Perbill::from_percent(75),
	);
	pub RuntimeBlockLength: BlockLength = BlockLength::builder().max_length(5 * 1024 * 1024).build();
	pub const MaxAuthorities: u32 = 256;
	/// Equivocations can be reported for a week.
	pub const ReportLongevity: u64 = 7 * DAYS as u64;
	pub const MaxSetIdSessionEntries: u64 = 168;

	// --- accounts -----------------------------------------------------------------------------
	pub const ExistentialDeposit: Balance = MILLI_ARIA;
	pub const ProxyDepositBase: Balance = deposit(1, 8);
	pub const ProxyDepositFactor: Balance = deposit(0, 33);
	pub const AnnouncementDepositBase: Balance = deposit(1, 8);
	pub const AnnouncementDepositFactor: Balance = deposit(0, 66);
	pub const MultisigDepositBase: Balance = deposit(1, 88);
	pub const MultisigDepositFactor: Balance = deposit(0, 32);
	pub const PreimageBaseDeposit: Balance = deposit(2, 64);
	pub const PreimageByteDeposit: Balance = deposit(0, 1);
	pub MaximumSchedulerWeight: Weight =
		Perbill::from_percent(60) * RuntimeBlockWeights::get().max_block;
	pub const SessionKeyDeposit: Balance = deposit(1, 64);

	// --- governance ---------------------------------------------------------------------------
	/// A motion is open for so long, unless it is decided before.
	pub const MotionDuration: BlockNumber = 3 * DAYS;
	pub const MaxMotions: u32 = 20;
	pub const MaxCouncil: u32 = 25;
	/// Of a call that a motion carries: half of a block.
	pub MaxMotionWeight: Weight = Perbill::from_percent(50) * RuntimeBlockWeights::get().max_block;

	// --- models -------------------------------------------------------------------------------
	pub const ModelDepositBase: Balance = deposit(2, 128);
	pub const ModelDepositPerByte: Balance = deposit(0, 1);
	pub const OfferDeposit: Balance = deposit(1, 80);
	pub const MaxPinned: u32 = 64;
	pub const MaxAliasesPerModel: u32 = 16;
	/// A thousandth of an ARIA a token: far above any price, far below overflow.
	pub const MaxTokenPrice: Balance = MILLI_ARIA;

	// --- workers ------------------------------------------------------------------------------
	pub const WorkerMinimumStake: Balance = ARIA;
	pub const WorkerTargetStake: Balance = 10 * ARIA;
	/// Outlasts every deadline that a worker can be held to.
	pub const WorkerUnbonding: BlockNumber = 7 * DAYS;
	pub const MaxServed: u32 = 32;
	/// Whatever can still settle finds what its workers served when it began.
	pub const ServedGrace: BlockNumber = MaxAnchorAge::get();

	// --- validators ---------------------------------------------------------------------------
	pub const ValidatorMinimumStake: Balance = 1_000 * ARIA;
	pub const ValidatorUnbonding: BlockNumber = 14 * DAYS;
	pub const MaxCandidates: u32 = 1_000;
	pub const MaxValidators: u32 = 100;
	/// Sessions in a row that a validator may be silent without being chilled.
	pub const HeartbeatGrace: u32 = 3;
	pub const MinValidators: u32 = 1;
	pub const MaxLinkedWorkers: u32 = 64;
	pub const OffenceSlash: Perbill = Perbill::from_percent(5);
	/// Of verified work, nine tenths are left after each epoch: half of it after seven.
	pub const WorkKeep: Ppm = 900_000;
	/// Nobody has more than a tenth of the lottery for blocks,
	pub const SlotShare: Ppm = 100_000;
	/// or, where there are few validators, two and a half times an equal share.
	pub const SlotShareMultiple: Ppm = 2_500_000;
	/// A share grows by at most a quarter of itself an epoch: tenfold takes eleven.
	pub const SlotGrowth: Ppm = 250_000;
	/// Workers whose verified work a block counts: about a twentieth of its time.
	pub const MaxWorkPerBlock: u32 = 200;

	// --- consent ------------------------------------------------------------------------------
	/// A superseded consent still covers work that began before, for this long.
	pub const ConsentGrace: BlockNumber = 50;
	pub const MaxConsentVersions: u32 = 32;
	/// No record can refer to a version superseded longer ago, and its audit is over.
	pub const ConsentHistory: BlockNumber = DAYS;
	pub const ConsentDepositBase: Balance = deposit(1, 48);
	pub const ConsentDepositPerVersion: Balance = deposit(1, 160);

	// --- market -------------------------------------------------------------------------------
	pub const MarketPalletId: PalletId = PalletId(*b"aria/mkt");
	pub AuditPot: AccountId = PalletId(*b"aria/aud").into_account_truncating();
	pub StoragePot: AccountId = PalletId(*b"aria/sto").into_account_truncating();
	pub DonationAccount: AccountId = PalletId(*b"aria/don").into_account_truncating();
	pub Split: PriceSplit = PriceSplit {
		stages: 700_000,
		gateway: 100_000,
		author: 30_000,
		audit: 50_000,
		storage: 20_000,
		burn: 100_000,
	};
	/// A record of one stage has 346 bytes: 0.0000346 ARIA.
	pub const ByteFee: Balance = MICRO_ARIA / 10;
	/// About the fee of settling a record of one stage; each further stage asks for a sixth more. For
	/// a cheaper record the submitter pays the fee, so that dust does not fill blocks for nothing.
	pub const FreeFrom: Balance = 20 * MILLI_ARIA;
	pub const GatewayStake: Balance = 100 * ARIA;
	pub const GatewayUnbonding: BlockNumber = 7 * DAYS;
	pub const MaxKeysPerRequester: u32 = 64;
	pub const MaxAnchorAge: BlockNumber = 100;
	/// Stages have this long to sign before a record settles without them.
	pub const SigningGrace: BlockNumber = 20;
	pub const MaxTicketLifetime: BlockNumber = HOURS;
	pub const MaxRecordAge: u64 = 30 * 60 * 1_000;
	pub const MaxClockSkew: u64 = 60 * 1_000;
	/// Two kilowatts for one stage, in milliwatts.
	pub const MaxStagePower: u64 = 2_000_000;
	/// Epochs between settlement and payment, at least: the draw after two, and one to object.
	pub const VestingEpochs: u64 = 3;
	/// No stage's share brings a worker's unvested value above this multiple of its stake.
	pub const UnvestedFactor: u32 = 10;
	/// What a block has no idle time for waits for the next one: 20,000 payees an epoch take half of it.
	pub const MaxReleasesPerBlock: u32 = 1_000;
	/// Deadlines of at least 100 blocks, so that no single author can censor.
	pub const MinRequestDeadline: BlockNumber = 100;
	pub const MaxRequestDeadline: BlockNumber = DAYS;
	pub const MatchTimeout: BlockNumber = 50;
	pub const MaxRequestsPerDeadline: u32 = 64;

	// --- records ------------------------------------------------------------------------------
	pub const MaxRecordsPerBlock: u32 = 8_192;
	/// Ids of records with one hash; the lists themselves have no end.
	pub const MaxRecordPage: u32 = 1_000;
	/// More than blocks settle on average, of those that are a quarter full as fees make them; what a
	/// block has no time for waits for the next one.
	pub const MaxPrunedPerBlock: u32 = 1_000;

	// --- verification -------------------------------------------------------------------------
	pub const DrawDelay: u64 = 2;
	/// A backlog of draws takes a third of a block at most.
	pub const MaxDrawsPerBlock: u32 = 1_000;
	pub const MaxVerifiers: u32 = 1_000;
	/// Beyond this many, the draw waits for the audits; with 12 that begin in each block, for an hour
	/// and a half. Before that, records are not settled: newcomers' beyond a half.
	pub const MaxWaitingAudits: u32 = 10_000;
	/// As many as a fifth of a block has time for where audits pass: 16 audits of four steps.
	pub const MaxAuditSteps: u32 = 64;
	pub MaxRecordsPerEpoch: u32 = records_per_epoch(ValidatorRegistry::epoch_length());

	// --- rewards ------------------------------------------------------------------------------
	pub const EraLength: BlockNumber = 6 * HOURS;
	pub const Schedule: EmissionSchedule = EmissionSchedule::DEFAULT;
	/// A fifth of the pool goes to block authors.
	pub const AuthorShare: Ppm = 200_000;
	/// A record earns from emission at most nine tenths of the fee burnt on it.
	pub const Beta: Ppm = aria_math::reward::BETA_PPM;
	/// Planck per 10^12 units of weighted work.
	pub const RateCap: u128 = 100 * ARIA;
	/// Work counts in full where its burnt fees could be paid back at a sixteenth of that rate.
	pub const Dilution: u32 = 16;
	pub const SettleDelay: EraIndex = 1;
	pub const MaxWorkersPerBlock: u32 = 50;
	pub const HistoryEras: EraIndex = 28;
	/// A token within this many milliseconds has the full latency score.
	pub const LatencyTarget: u32 = 200;
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::{
		genesis::{EPOCH_SLOTS, LIVE_EPOCH_CONFIG},
		Runtime,
	};
	use aria_primitives::{audit::AuditParams, PPM};
	use pallet_verification::WeightInfo;

	#[test]
	fn an_epoch_should_settle_what_half_of_its_mean_blocks_draw_for() {
		let (blocks, slots) = LIVE_EPOCH_CONFIG.c;
		let mean = EPOCH_SLOTS * blocks / slots;
		let draws = u64::from(MaxDrawsPerBlock::get()) * mean / 2;
		assert_eq!(u64::from(records_per_epoch(EPOCH_SLOTS)), draws);
	}

	#[test]
	fn a_fifth_of_a_block_should_have_time_for_all_steps_of_audits_that_pass() {
		type Audits = <Runtime as pallet_verification::Config>::WeightInfo;
		let seats = AuditParams::DEFAULT.first_seats;
		let steps = [
			Audits::begin_audit(),
			Audits::step_audit(),
			Audits::step_audit(),
			Audits::end_round(seats).saturating_add(Audits::conclude(1, seats)),
		];
		let audit: u64 = steps.iter().map(|step| step.ref_time()).sum();
		let time = RuntimeBlockWeights::get().max_block.ref_time() / 5;
		let most = time * steps.len() as u64 / audit;
		assert!(u64::from(MaxAuditSteps::get()) <= most, "there is time for {most}");
		assert!(MaxAuditSteps::get() <= 128);
	}

	#[test]
	fn full_epochs_of_the_best_known_workers_should_not_fill_the_queue_of_audits() {
		let (blocks, slots) = LIVE_EPOCH_CONFIG.c;
		let mean = EPOCH_SLOTS * blocks / slots;
		let floor = u64::from(AuditParams::DEFAULT.floor_ppm);
		let drawn = u64::from(records_per_epoch(EPOCH_SLOTS)) * floor / u64::from(PPM);
		// Four steps, and one while a canary is out.
		assert!(drawn * 5 <= u64::from(MaxAuditSteps::get()) * mean);
	}

	#[test]
	fn an_epoch_of_any_length_should_settle_something() {
		assert_eq!(records_per_epoch(0), MaxDrawsPerBlock::get());
		assert_eq!(records_per_epoch(u64::MAX), u32::MAX);
	}
}
