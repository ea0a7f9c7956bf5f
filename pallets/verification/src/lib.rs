//! # Verification
//!
//! The draw of settled records for audit, and the audits of those that were drawn (paper, 3.2: spot
//! checks; 6.1 (d): dispute resolution; `docs/protocol/verification.md`, `docs/protocol/audit.md`).
//!
//! ## Pallet API
//!
//! See the [`pallet`] module for its configuration, storage, calls, events and errors.
//!
//! ## Terminology
//!
//! * **Pending record**: settled, auditable, and not yet reached by the draw of its epoch.
//! * **Draw**: the pass over all pending records of one epoch under one seed.
//! * **Drawn record**: one that the draw picked; an audit is open on it.
//! * **Unaudited record**: one that nobody may check, because its requester allowed no audit, or that
//!   nobody did.
//! * **Verifier**: a worker that runs drawn records again. Its **seats** are drawn by VRF.
//! * **Finding**: what a verifier's run came to. **Verdict**: what the audit came to.
//! * **Canary**: a record that was made false on purpose, to see who passes it.
//! * **Dispute**: between a verifier and the stage that it accuses, led down to sums that the chain
//!   computes itself (`docs/protocol/dispute.md`).
//!
//! ## Overview
//!
//! The market notes each record that it settles through [`aria_primitives::traits::AuditDraw`].
//! Records of epoch `e` are drawn from the start of epoch `e +` [`Config::DrawDelay`]: by then the
//! randomness has come from blocks that were made after the last of them was settled, so nobody
//! could know while settling which records would be looked at. A record is drawn with a probability
//! that falls with the lowest reputation among its stages, from certainty down to
//! a floor, and is raised where its price asks for more.
//!
//! ### Key concepts
//!
//! * **Seed**: fixed once for an epoch, when its draw begins, and kept until the draw ends, however
//!   many blocks that takes. The draw waits if the randomness could be known before the epoch's
//!   last record was settled.
//! * **Lot**: a record is drawn if `sha256(seed ‖ id)`, read as a number, falls below its
//!   probability ([`Pallet::lot_falls_on`]). Seed and probability stay with each drawn record, so
//!   anybody can draw again.
//! * **Bounded work**: a block draws for one epoch, and for at most [`Config::MaxDrawsPerBlock`]
//!   records; the next block goes on. [`Config::MaxPerEpoch`] keeps an epoch from settling more than
//!   the blocks of an epoch draw for, so that each draw ends in the epoch in which it begins, and the
//!   queue of epochs stays short. Epochs without records take no place in it.
//! * **Late draws**: where an epoch has fewer blocks than expected, or the randomness is not young
//!   enough, its draw ends later. [`AuditDraw::is_drawn`](aria_primitives::traits::AuditDraw) says
//!   when, and what the epoch earned must not vest before.
//! * **Order of the hooks**: this pallet must begin its blocks after the one that changes epochs;
//!   otherwise a draw begins a block later.
//! * **An audit** goes from window to window, each ended by the block in whose queue it is: verifiers
//!   commit, reveal, and open what they computed at positions that a beacon picks; then their seats
//!   are counted. A record that is disputed gets a second round with more seats. Windows of one block
//!   that do not fit its part of the block are put off to the next.
//! * **Who is to blame pays**: a stage that failed with stake and all that has not vested, a silent
//!   gateway with its stake, an overruled verifier with bond and stake, who does not go on with its
//!   bond. The requester's price comes back out of what was taken, never out of the audit pot.
//! * **Nothing vests before its verdict, or past an open audit of an earlier epoch**:
//!   [`AuditDraw::is_closed_through`](aria_primitives::traits::AuditDraw) says when.
//! * **Fees** lie in the pot until nothing can turn out about a verifier that was open when it earned
//!   them: a canary takes all of them.
//! * **Verdicts** on a worker's stages are counted for each era: a factor of what emission pays it.
//! * **Statuses** are kept as long as the records they belong to, that is for good. A record that
//!   was passed over leaves nothing behind, which is how it is known.
//!
//! ### Example
//!
#![doc = docify::embed!("src/tests/draw.rs", draw_should_pick_every_record_of_a_stranger)]
#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

pub mod audit;
#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
mod dispute;
mod draw;
mod impls;
pub mod migrations;
#[cfg(test)]
mod mock;
#[cfg(test)]
mod tests;
#[cfg(any(feature = "try-runtime", test))]
mod try_state;
mod types;
pub mod weights;

pub use audit::types::*;
pub use pallet::*;
pub use types::{
	DrawCause, DrawInfo, DrawState, DrawnStatus, PendingEpoch, SettledRecord, MAX_PENDING_EPOCHS,
};
pub use weights::WeightInfo;

#[frame_support::pallet]
pub mod pallet {
	use crate::{
		audit::types::{
			Audit, CanaryBudget, CanaryInfo, EpochTerms, FormerVerifier, Phase, QueueEnds, Seat,
			Tally, TotalWeight, VerifierInfo, MAX_DEADLINES, MAX_FORMER_TERMS,
		},
		types::{DrawInfo, DrawState, PendingEpoch, SettledRecord, MAX_PENDING_EPOCHS},
		weights::WeightInfo,
	};
	use alloc::boxed::Box;
	use aria_primitives::{
		audit::{
			AuditParams, FindingKind, Named, Opening, Reveal, Sealed, SeatProof, Verdict,
			MAX_OPENINGS,
		},
		dispute::{BlockProof, Dispute, Fork, Hashes, Manifests, Party, Standing},
		traits::{self, AuditDraw},
		views::AuditStatus,
		AccountId, Balance, BlockNumber, EpochIndex, EraIndex, Ppm, RecordId,
	};
	use frame_support::{
		pallet_prelude::*,
		traits::{fungible, Randomness, UnixTime},
	};
	use frame_system::pallet_prelude::*;
	use sp_core::{sr25519, H256};
	use sp_runtime::SaturatedConversion;

	/// The version of the storage in code.
	const STORAGE_VERSION: StorageVersion = StorageVersion::new(2);

	#[pallet::pallet]
	#[pallet::storage_version(STORAGE_VERSION)]
	pub struct Pallet<T>(_);

	#[pallet::config]
	pub trait Config: frame_system::Config<AccountId = AccountId, Hash = H256> {
		/// The native token.
		type Currency: fungible::Mutate<AccountId, Balance = Balance>
			+ fungible::hold::Mutate<AccountId, Reason = Self::RuntimeHoldReason>;

		/// The overarching hold reason.
		type RuntimeHoldReason: From<HoldReason>;

		/// Workers, whose stake and reputation answer for what they compute and find.
		type Workers: traits::Accountable;

		/// What workers permit, and where their fees go.
		type Consents: traits::Consents;

		/// Where records are kept.
		type Ledger: traits::Ledger;

		/// What models are made of, for disputes.
		type Manifests: Manifests;

		/// What has not vested, escrows, and the stakes of gateways.
		type Funds: traits::RecordFunds;

		/// Who counts work for emission.
		type Work: traits::WorkSink;

		/// Who counts work for the lottery of blocks.
		type Lottery: traits::LotteryWork;

		/// The chain's clock.
		type Time: UnixTime;

		/// Randomness of the last block, which nobody knew before it.
		type Beacon: Get<H256>;

		/// Pays verifiers.
		#[pallet::constant]
		type AuditPot: Get<AccountId>;

		/// Numbers of the audit game; each counts as the nearest end of its range where it lies
		/// outside.
		type Parameters: Get<AuditParams>;

		/// Most verifiers.
		#[pallet::constant]
		type MaxVerifiers: Get<u32>;

		/// Most drawn records that wait for the beginning of their audit; the draw waits beyond. No more
		/// is settled than is expected to find a place, and of what is always drawn half as much.
		#[pallet::constant]
		type MaxWaiting: Get<u32>;

		/// Most audits that a block begins or takes to the next window.
		#[pallet::constant]
		type MaxStepsPerBlock: Get<u32>;

		/// The epoch of this block; never decreases, but may skip.
		type CurrentEpoch: Get<EpochIndex>;

		/// Randomness that nobody can know before the epoch ahead of this one, with the block since
		/// which it can be known.
		type Randomness: Randomness<H256, BlockNumberFor<Self>>;

		/// Who may order the audit of a pending record.
		type DrawOrigin: EnsureOrigin<Self::RuntimeOrigin>;

		/// Epochs from the settlement of a record to its draw; at least 1.
		#[pallet::constant]
		type DrawDelay: Get<u64>;

		/// Most records that a block draws for; at least 1.
		#[pallet::constant]
		type MaxDrawsPerBlock: Get<u32>;

		/// Most auditable records that an epoch settles; at least 1. At most
		/// [`Config::MaxDrawsPerBlock`] for each block that an epoch has at least, or draws fall
		/// behind whenever epochs are full.
		#[pallet::constant]
		type MaxPerEpoch: Get<u32>;

		/// Weights of the calls and of the draw.
		type WeightInfo: WeightInfo;
	}

	/// Why the pallet holds funds.
	#[pallet::composite_enum]
	pub enum HoldReason {
		/// For a verifier's seat.
		#[codec(index = 0)]
		Seat,
		/// For a canary.
		#[codec(index = 1)]
		Canary,
		/// For a dispute that was opened.
		#[codec(index = 2)]
		Dispute,
	}

	/// Pending records of each epoch, by their ids.
	#[pallet::storage]
	pub type Settled<T: Config> = StorageDoubleMap<
		_,
		Twox64Concat,
		EpochIndex,
		Identity,
		RecordId,
		SettledRecord,
		OptionQuery,
	>;

	/// Epochs with records that are not all drawn yet, the oldest first.
	#[pallet::storage]
	pub type PendingEpochs<T: Config> =
		StorageValue<_, BoundedVec<PendingEpoch, ConstU32<MAX_PENDING_EPOCHS>>, ValueQuery>;

	/// The draw that a block began and could not finish; always of the oldest pending epoch.
	#[pallet::storage]
	pub type Cursor<T: Config> = StorageValue<_, DrawState, OptionQuery>;

	/// The last epoch whose records were all drawn.
	#[pallet::storage]
	pub type DrawnThrough<T: Config> = StorageValue<_, EpochIndex, OptionQuery>;

	/// Drawn records, with all that it takes to draw them again.
	#[pallet::storage]
	pub type Drawn<T: Config> = StorageMap<_, Identity, RecordId, DrawInfo, OptionQuery>;

	/// Records that nobody may check.
	#[pallet::storage]
	pub type Unaudited<T: Config> = StorageMap<_, Identity, RecordId, (), OptionQuery>;

	/// Verifiers.
	#[pallet::storage]
	pub type Verifiers<T: Config> =
		CountedStorageMap<_, Blake2_128Concat, AccountId, VerifierInfo, OptionQuery>;

	/// Whose key a verifier's key is.
	#[pallet::storage]
	pub type VerifierKeys<T: Config> =
		StorageMap<_, Blake2_128Concat, sr25519::Public, AccountId, OptionQuery>;

	/// What workers were that are no verifiers any more, the earliest first, for as long as their
	/// canaries may be shown.
	#[pallet::storage]
	pub type FormerVerifiers<T: Config> = StorageMap<
		_,
		Blake2_128Concat,
		AccountId,
		BoundedVec<FormerVerifier, ConstU32<MAX_FORMER_TERMS>>,
		ValueQuery,
	>;

	/// In which block and epoch whose time as a verifier ended, by number.
	#[pallet::storage]
	pub type FormerQueue<T: Config> =
		StorageMap<_, Twox64Concat, u64, (BlockNumber, EpochIndex, AccountId), OptionQuery>;

	/// The numbers of those.
	#[pallet::storage]
	pub type FormerQueueEnds<T: Config> = StorageValue<_, QueueEnds, ValueQuery>;

	/// What all verifiers have at stake.
	#[pallet::storage]
	pub type VerifierWeight<T: Config> = StorageValue<_, TotalWeight, ValueQuery>;

	/// Audits of drawn records, until their verdict.
	#[pallet::storage]
	pub type Audits<T: Config> = CountedStorageMap<_, Identity, RecordId, Audit, OptionQuery>;

	/// How many audits each epoch has.
	#[pallet::storage]
	pub type OpenAudits<T: Config> = StorageMap<_, Twox64Concat, EpochIndex, u32, ValueQuery>;

	/// The last epoch up to which all are over, drawn, and without audits.
	#[pallet::storage]
	pub type ClosedThrough<T: Config> = StorageValue<_, EpochIndex, OptionQuery>;

	/// Audits that wait for their beginning, by number.
	#[pallet::storage]
	pub type Waiting<T: Config> = StorageMap<_, Twox64Concat, u64, RecordId, OptionQuery>;

	/// The numbers of those.
	#[pallet::storage]
	pub type WaitingEnds<T: Config> = StorageValue<_, QueueEnds, ValueQuery>;

	/// Audits whose window a block ends.
	#[pallet::storage]
	pub type Deadlines<T: Config> = StorageMap<
		_,
		Twox64Concat,
		BlockNumber,
		BoundedVec<RecordId, ConstU32<MAX_DEADLINES>>,
		ValueQuery,
	>;

	/// The seats of each audit, by verifier.
	#[pallet::storage]
	pub type Seats<T: Config> =
		StorageDoubleMap<_, Identity, RecordId, Blake2_128Concat, AccountId, Seat, OptionQuery>;

	/// Disputes of each audit, by the accuser.
	#[pallet::storage]
	pub type Disputes<T: Config> =
		StorageDoubleMap<_, Identity, RecordId, Blake2_128Concat, AccountId, Dispute, OptionQuery>;

	/// Canaries that were committed to and not shown, by their hash.
	#[pallet::storage]
	pub type Canaries<T: Config> = CountedStorageMap<_, Identity, H256, CanaryInfo, OptionQuery>;

	/// What this epoch began with.
	#[pallet::storage]
	pub type Terms<T: Config> = StorageValue<_, EpochTerms, OptionQuery>;

	/// The sum of all fees that verifiers are owed, in planck; the pot has it.
	#[pallet::storage]
	pub type FeesOwed<T: Config> = StorageValue<_, Balance, ValueQuery>;

	/// Verdicts on workers' stages, by the era in which the record counts.
	#[pallet::storage]
	pub type Tallies<T: Config> = StorageDoubleMap<
		_,
		Twox64Concat,
		EraIndex,
		Blake2_128Concat,
		AccountId,
		Tally,
		OptionQuery,
	>;

	/// The first era whose verdicts are not all forgotten.
	#[pallet::storage]
	pub type TalliesFrom<T: Config> = StorageValue<_, EraIndex, ValueQuery>;

	/// What may be spent on canaries.
	#[pallet::storage]
	pub type CanaryFunds<T: Config> = StorageValue<_, CanaryBudget, ValueQuery>;

	/// Endows the audit pot with the existential deposit, so that whatever is owed to it can come.
	#[pallet::genesis_config]
	#[derive(frame_support::DefaultNoBound)]
	pub struct GenesisConfig<T: Config> {
		/// Nothing to configure.
		#[serde(skip)]
		pub _config: core::marker::PhantomData<T>,
	}

	#[pallet::genesis_build]
	impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
		fn build(&self) {
			Pallet::<T>::endow_pot();
		}
	}

	#[pallet::event]
	#[pallet::generate_deposit(pub(super) fn deposit_event)]
	pub enum Event<T: Config> {
		/// A record waits for its draw.
		RecordPending {
			/// The record.
			id: RecordId,
			/// The epoch that settled it.
			epoch: EpochIndex,
		},
		/// A record will not be audited.
		RecordUnaudited {
			/// The record.
			id: RecordId,
		},
		/// The draw of an epoch has begun under this seed.
		DrawBegun {
			/// The epoch.
			epoch: EpochIndex,
			/// The seed of all its lots.
			seed: H256,
		},
		/// A record was drawn for audit.
		RecordDrawn {
			/// The record.
			id: RecordId,
			/// The epoch that settled it.
			epoch: EpochIndex,
			/// How probable that was, in parts per million.
			probability_ppm: Ppm,
		},
		/// The draw of an epoch has ended.
		EpochDrawn {
			/// The epoch.
			epoch: EpochIndex,
			/// How many records it was drawn for.
			records: u32,
			/// How many of them it picked.
			drawn: u32,
		},
		/// The draw of a pending record was made certain.
		DrawForced {
			/// The record.
			id: RecordId,
			/// The epoch that settled it.
			epoch: EpochIndex,
		},
		/// A worker became a verifier.
		VerifierRegistered {
			/// The worker.
			worker: AccountId,
			/// The key of its lots.
			key: sr25519::Public,
			/// What counts of its stake, in planck.
			weight: Balance,
			/// The first epoch whose rounds it may sit in.
			from: EpochIndex,
		},
		/// A worker is no verifier any more.
		VerifierRetired {
			/// The worker.
			worker: AccountId,
		},
		/// A round of an audit began, with the window in which verifiers commit.
		RoundBegan {
			/// The record.
			id: RecordId,
			/// The round, from 0.
			round: u8,
			/// What its seats are drawn by.
			seed: H256,
			/// What all verifiers have at stake, in planck.
			total: Balance,
			/// The window's last block.
			until: BlockNumber,
		},
		/// Another window of an audit began.
		WindowBegan {
			/// The record.
			id: RecordId,
			/// The window.
			phase: Phase,
			/// Its last block.
			until: BlockNumber,
		},
		/// A verifier committed to what it found.
		Committed {
			/// The record.
			id: RecordId,
			/// The round.
			round: u8,
			/// The verifier.
			verifier: AccountId,
		},
		/// A verifier says that the gateway does not answer.
		SilenceClaimed {
			/// The record.
			id: RecordId,
			/// The round.
			round: u8,
			/// The verifier.
			verifier: AccountId,
		},
		/// The gateway answered a verifier on chain: in the body of this block.
		HandoverPosted {
			/// The record.
			id: RecordId,
			/// The verifier.
			verifier: AccountId,
		},
		/// A verifier said what it found.
		Revealed {
			/// The record.
			id: RecordId,
			/// The verifier.
			verifier: AccountId,
			/// What it found.
			finding: FindingKind,
		},
		/// A verifier showed that it ran the record.
		Opened {
			/// The record.
			id: RecordId,
			/// The verifier.
			verifier: AccountId,
		},
		/// There is a verdict.
		Decided {
			/// The record.
			id: RecordId,
			/// The verdict.
			verdict: Verdict,
		},
		/// A verifier lost the bond of its seat.
		BondLost {
			/// The record.
			id: RecordId,
			/// The verifier.
			verifier: AccountId,
			/// In planck.
			amount: Balance,
		},
		/// A verifier lost stake, because the verdict is another than its own.
		Overruled {
			/// The record.
			id: RecordId,
			/// The verifier.
			verifier: AccountId,
			/// In planck.
			slashed: Balance,
		},
		/// A verifier was paid fees that nothing can turn out about any more.
		FeesPaid {
			/// The verifier.
			verifier: AccountId,
			/// In planck.
			amount: Balance,
		},
		/// A verifier passed a canary, and lost all fees that it had not been paid.
		FeesForfeited {
			/// The verifier.
			verifier: AccountId,
			/// In planck.
			amount: Balance,
		},
		/// What was taken from who is to blame, and nobody is owed, was burnt.
		Burnt {
			/// In planck.
			amount: Balance,
		},
		/// Somebody whom a verdict is against contests it.
		DisputeOpened {
			/// The record.
			id: RecordId,
			/// The verifier that accuses.
			accuser: AccountId,
			/// The stage that it accuses, from 0.
			stage: u16,
			/// Who opened it.
			by: Party,
		},
		/// A party posted what was its to post: in the body of this block.
		DisputePosted {
			/// The record.
			id: RecordId,
			/// The verifier that accuses.
			accuser: AccountId,
			/// Who posted.
			by: Party,
		},
		/// Sums that a party posted were proven to be none.
		DisputeProven {
			/// The record.
			id: RecordId,
			/// The verifier that accuses.
			accuser: AccountId,
			/// Whose.
			against: Party,
		},
		/// A dispute is over, and with it all of its audit.
		DisputeEnded {
			/// The record.
			id: RecordId,
			/// The verifier that accuses.
			accuser: AccountId,
			/// How the stage stands.
			executor_standing: Standing,
			/// How the accuser stands.
			accuser_standing: Standing,
		},
		/// Somebody committed to a canary.
		CanaryCommitted {
			/// The commitment.
			hash: H256,
			/// Who did, for its maker or as its maker.
			by: AccountId,
		},
		/// A record was shown to be a canary.
		CanaryShown {
			/// The record.
			id: RecordId,
			/// The stage that is false, from 0.
			stage: u16,
		},
		/// A canary's bond is free again.
		CanaryReturned {
			/// The record.
			id: RecordId,
			/// Whose bond.
			by: AccountId,
		},
		/// A canary that was never shown lost its bond.
		CanaryForgotten {
			/// The commitment.
			hash: H256,
			/// Whose bond.
			by: AccountId,
		},
	}

	#[pallet::error]
	pub enum Error<T> {
		/// The epoch has as many auditable records as it may have, or audits have no room for one that is
		/// as likely to be drawn: settle the record in a later epoch, or with a ticket that allows no
		/// audit.
		EpochFull,
		/// Too many epochs wait for their draw: settle the record again when the draws have caught
		/// up, a few blocks from now.
		TooManyPendingEpochs,
		/// The record was noted before: there is nothing left to do.
		AlreadyNoted,
		/// No such record waits for a draw in that epoch: take the epoch from the record, and note
		/// that a record whose epoch was drawn can't be drawn again.
		NotPending,
		/// The record's draw is certain already: wait for it.
		AlreadyForced,
		/// The worker is a verifier already: to change key or stake, call `retire_verifier` first.
		AlreadyVerifier,
		/// Another verifier has this key: make a new one.
		VerifierKeyTaken,
		/// There are as many verifiers as there may be: wait until one retires.
		TooManyVerifiers,
		/// The account is no verifier: call `register_verifier` first.
		NotVerifier,
		/// Only the verifier itself may retire it, as long as it is active and has the stake that
		/// counts.
		NotYourVerifier,
		/// The verifier has seats in audits without a verdict: wait for it.
		SeatsOpen,
		/// The verifier registered too late for this round: wait for a later one.
		VerifierTooNew,
		/// The verifier has less stake than counts for its seats: retire it, and register again.
		StakeFell,
		/// No audit of this record is open: it was not drawn, has a verdict, or is unknown.
		NoAudit,
		/// The record is not in the state any more: its audit ends without a verdict.
		NoRecord,
		/// The audit is in another window: `WindowBegan` and `RoundBegan` say which ones there are.
		NotInWindow,
		/// The round has as many seats as it may.
		SeatsTaken,
		/// Who took part in a record, or is paid where a participant is, can't judge it.
		PartyToRecord,
		/// The proof is not by the verifier's key over this round of this audit.
		BadSeatProof,
		/// The lot gives no seat in this round: try the next audit.
		NoSeat,
		/// The names are not those that the requester's hash is of: get them from the gateway.
		OtherNames,
		/// The requester named other verifiers.
		NotNamed,
		/// The verifier has spoken in this audit: it can only go on with that.
		SpokeAlready,
		/// Only the record's gateway may post its hand-over.
		NotGateway,
		/// The verifier does not say that it waits for an answer.
		NoClaim,
		/// The verifier has no commitment to reveal: it did not commit in this round, or revealed.
		NotCommitted,
		/// What is revealed does not make the commitment: send what was committed to.
		RevealMismatch,
		/// The finding contradicts the record by its own roots: check the index.
		FindingRefuted,
		/// The verifier has nothing to open: it did not reveal, or has opened.
		NotRevealed,
		/// There has to be one opening for each position that was picked, in order.
		OpeningCount,
		/// An opening is of another position than was picked.
		OpeningOfOtherPosition,
		/// An opening does not lead to the root that was revealed.
		OpeningMismatch,
		/// An opening does not lead to the record's boundary, or does where the finding denies it.
		OpeningNotOfRecord,
		/// Somebody committed to this canary before.
		CanaryKnown,
		/// There are as many canaries as there may be: wait until one is shown.
		TooManyCanaries,
		/// No such canary: check stage, maker and nonce.
		UnknownCanary,
		/// The canary was committed to when its record was settled already.
		CanaryTooLate,
		/// Only the record's requester may show a canary.
		NotRequester,
		/// The record was drawn by order, and shows nothing about those who audit by lot.
		DrawnByOrder,
		/// The record has no such stage, or it did not sign.
		NotAStage,
		/// The canary may still be shown: wait.
		CanaryAlive,
		/// The lot gives no right to make a canary in the epoch in which it was committed to: try the
		/// next epoch.
		NoCanaryRight,
		/// The record was drawn, or may be: show the canary when its verdict is held back.
		CanaryMayBeDrawn,
		/// The worker has less at stake than a canary takes: bond more first.
		StakeTooLow,
		/// There is a place for another verifier: call `register_verifier`.
		PlacesFree,
		/// Only more stake displaces a verifier: name one with less, or bond more.
		NoMoreStake,
		/// The verifier has no fees, or has to wait until audits that were open when it earned them are
		/// over.
		NothingRipe,
		/// The verifier has no counted seat that says that a boundary differs behind a stage that signed:
		/// there is nothing to dispute.
		NoAccusation,
		/// The other side has to do this, or neither: a dispute is opened by whom the verdict is against,
		/// and each window is one side's.
		NotYourDispute,
		/// There is a dispute with this verifier already: go on with that.
		DisputeKnown,
		/// Nothing of this stage can be computed here, by its manifest or its size: the quorum decides.
		NotDisputable,
		/// No such dispute goes on: it was not opened, or somebody was silent.
		NoDispute,
		/// This was posted before: wait for the next window.
		PostedAlready,
		/// There have to be exactly as many hashes as there are nodes, leaves, items or blocks.
		HashCount,
		/// The nodes do not make the record's boundary: post those of the leaves that were signed.
		NodesNotOfRecord,
		/// This is not the first difference of the two trees: find it from the left.
		NoFork,
		/// The leaves do not make the node: post all below it, in order.
		LeavesMismatch,
		/// The first difference is not one of sums: the quorum decides.
		NotIntegers,
		/// The blocks do not make the item that was posted.
		BlocksMismatch,
		/// This party was proven false already.
		AlreadyProven,
		/// The block's hash does not lead to what the party posted.
		BlockMismatch,
		/// The input is not the one that both parties posted.
		InputMismatch,
		/// The weights are not the manifest's chunk, or stand for no weights.
		WeightMismatch,
		/// The party's sums are right.
		NotFalse,
		/// The requester named who audits the record: what they say convicts nobody, so that it is no
		/// canary.
		NamedRecord,
	}

	#[pallet::hooks]
	impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
		fn on_initialize(now: BlockNumberFor<T>) -> Weight {
			let began = Self::begin_epoch();
			let drawn = Self::draw_due(T::CurrentEpoch::get());
			let now = now.saturated_into();
			let dropped = Self::drop_former(now);
			began
				.saturating_add(drawn)
				.saturating_add(dropped)
				.saturating_add(Self::run_audits(now))
		}

		fn integrity_test() {
			assert!(T::DrawDelay::get() > 0, "DrawDelay must be at least 1 epoch");
			assert!(T::MaxDrawsPerBlock::get() > 0, "MaxDrawsPerBlock must be at least 1");
			assert!(T::MaxPerEpoch::get() > 0, "MaxPerEpoch must be at least 1");
			assert!(
				T::WeightInfo::draw(T::MaxDrawsPerBlock::get()).ref_time()
					<= T::BlockWeights::get().max_block.ref_time(),
				"the draws of a block take longer than a block: lower MaxDrawsPerBlock",
			);
			assert!(T::MaxVerifiers::get() > 0, "nobody could audit");
			assert!(T::MaxWaiting::get() > 1, "no record that is always drawn could be settled");
			assert!(T::MaxStepsPerBlock::get() > 0, "no audit would ever begin");
			assert!(
				T::MaxStepsPerBlock::get() <= MAX_DEADLINES,
				"audits that a block takes on would not all find the same later block",
			);
		}

		#[cfg(feature = "try-runtime")]
		fn try_state(_n: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
			Self::do_try_state()
		}
	}

	#[pallet::call]
	impl<T: Config> Pallet<T> {
		/// Make the draw of a pending record certain.
		///
		/// ## Dispatch Origin
		///
		/// [`Config::DrawOrigin`].
		///
		/// ## Details
		///
		/// The record is drawn with its epoch, with probability 1 whatever its workers' reputation.
		/// Works until the epoch's draw has reached the record.
		///
		/// ## Parameters
		///
		/// - `id`: The record.
		/// - `epoch`: The epoch that settled it, as the record says.
		///
		/// ## Errors
		///
		/// - [`Error::NotPending`]: If no such record waits for a draw in `epoch`.
		/// - [`Error::AlreadyForced`]: If this was ordered before.
		///
		/// ## Events
		///
		/// - [`Event::DrawForced`]: At once. The draw itself deposits [`Event::RecordDrawn`].
		#[pallet::call_index(0)]
		#[pallet::weight(T::WeightInfo::force_draw())]
		pub fn force_draw(origin: OriginFor<T>, id: RecordId, epoch: EpochIndex) -> DispatchResult {
			T::DrawOrigin::ensure_origin(origin)?;
			Self::do_force_draw(id, epoch)
		}

		/// Makes the caller a verifier.
		///
		/// ## Dispatch Origin
		///
		/// Signed by an active worker.
		///
		/// ## Details
		///
		/// It may sit in rounds that begin two epochs from now or later. What counts for its seats is
		/// its stake of this moment, up to a bound; it has to keep it.
		///
		/// ## Parameters
		///
		/// - `key`: the sr25519 key of its lots, and of what is handed to it.
		///
		/// ## Errors
		///
		/// - [`Error::AlreadyVerifier`], [`Error::VerifierKeyTaken`], [`Error::TooManyVerifiers`];
		///   those of the registries, if the worker is not active or its consent permits no audits now.
		///
		/// ## Events
		///
		/// - [`Event::VerifierRegistered`]
		#[pallet::call_index(1)]
		#[pallet::weight(T::WeightInfo::register_verifier())]
		pub fn register_verifier(origin: OriginFor<T>, key: sr25519::Public) -> DispatchResult {
			let worker = ensure_signed(origin)?;
			Self::do_register_verifier(worker, key)
		}

		/// Ends a verifier.
		///
		/// ## Dispatch Origin
		///
		/// Signed by the verifier; by anybody if it is not an active worker any more, or has lost stake
		/// that counts.
		///
		/// ## Parameters
		///
		/// - `worker`: the verifier.
		///
		/// ## Errors
		///
		/// - [`Error::NotVerifier`], [`Error::NotYourVerifier`], [`Error::SeatsOpen`]
		///
		/// ## Events
		///
		/// - [`Event::VerifierRetired`]
		#[pallet::call_index(2)]
		#[pallet::weight(T::WeightInfo::retire_verifier())]
		pub fn retire_verifier(origin: OriginFor<T>, worker: AccountId) -> DispatchResult {
			let caller = ensure_signed(origin)?;
			Self::do_retire_verifier(&caller, worker)
		}

		/// Commits to what a run of a drawn record came to.
		///
		/// ## Dispatch Origin
		///
		/// Signed by a verifier with a seat. Free if it succeeds.
		///
		/// ## Details
		///
		/// Puts a bond on hold, which is lost if the verifier does not go on. Who said that the gateway
		/// does not answer, and was answered, commits by this call too, with what proof it likes.
		///
		/// ## Parameters
		///
		/// - `id`: the record.
		/// - `proof`: of the seat in this round.
		/// - `commitment`: [`aria_primitives::audit::commitment`].
		/// - `named`: the verifiers that the requester named; empty if it named none.
		///
		/// ## Errors
		///
		/// - [`Error::NoAudit`], [`Error::NoRecord`], [`Error::NotInWindow`],
		///   [`Error::SpokeAlready`], [`Error::NotVerifier`], [`Error::VerifierTooNew`],
		///   [`Error::SeatsTaken`], [`Error::StakeFell`], [`Error::PartyToRecord`],
		///   [`Error::BadSeatProof`], [`Error::OtherNames`], [`Error::NotNamed`],
		///   [`Error::NoSeat`]; those of the registries and of the currency.
		///
		/// ## Events
		///
		/// - [`Event::Committed`]
		#[pallet::call_index(3)]
		#[pallet::weight(T::WeightInfo::commit())]
		pub fn commit(
			origin: OriginFor<T>,
			id: RecordId,
			proof: SeatProof,
			commitment: H256,
			named: Named,
		) -> DispatchResultWithPostInfo {
			let worker = ensure_signed(origin)?;
			Self::do_commit(id, worker, &proof, commitment, &named)?;
			Ok(Pays::No.into())
		}

		/// Says that the record's gateway does not hand over what is needed to run it.
		///
		/// ## Dispatch Origin
		///
		/// Signed by a verifier with a seat.
		///
		/// ## Details
		///
		/// Counts as a finding that blames the gateway, unless it answers on chain. Puts the bond of a
		/// seat on hold.
		///
		/// ## Parameters
		///
		/// - `id`, `proof`, `named`: as in [`Pallet::commit`].
		///
		/// ## Errors
		///
		/// - As [`Pallet::commit`].
		///
		/// ## Events
		///
		/// - [`Event::SilenceClaimed`]
		#[pallet::call_index(4)]
		#[pallet::weight(T::WeightInfo::claim_silence())]
		pub fn claim_silence(
			origin: OriginFor<T>,
			id: RecordId,
			proof: SeatProof,
			named: Named,
		) -> DispatchResult {
			let worker = ensure_signed(origin)?;
			Self::do_claim_silence(id, worker, &proof, &named)
		}

		/// Answers a verifier on chain that says that it was not answered.
		///
		/// ## Dispatch Origin
		///
		/// Signed by the record's gateway.
		///
		/// ## Details
		///
		/// What is posted is not kept in the state: the verifier reads it in the block. It commits then;
		/// if what was posted does not belong to the record, it says so.
		///
		/// ## Parameters
		///
		/// - `id`: the record.
		/// - `verifier`: who waits.
		/// - `sealed`: the hand-over, sealed to the verifier's key.
		///
		/// ## Errors
		///
		/// - [`Error::NoAudit`], [`Error::NoRecord`], [`Error::NotGateway`],
		///   [`Error::NotInWindow`], [`Error::NoClaim`]
		///
		/// ## Events
		///
		/// - [`Event::HandoverPosted`]
		#[pallet::call_index(5)]
		#[pallet::weight(T::WeightInfo::post_handover())]
		pub fn post_handover(
			origin: OriginFor<T>,
			id: RecordId,
			verifier: AccountId,
			sealed: Box<Sealed>,
		) -> DispatchResult {
			let gateway = ensure_signed(origin)?;
			Self::do_post_handover(id, &gateway, verifier, *sealed)
		}

		/// Says what a commitment was to.
		///
		/// ## Dispatch Origin
		///
		/// Signed by a verifier that committed. Free if it succeeds.
		///
		/// ## Parameters
		///
		/// - `id`: the record.
		/// - `reveal`: what was committed to.
		///
		/// ## Errors
		///
		/// - [`Error::NoAudit`], [`Error::NoRecord`], [`Error::NotInWindow`],
		///   [`Error::NotCommitted`], [`Error::RevealMismatch`], [`Error::FindingRefuted`]
		///
		/// ## Events
		///
		/// - [`Event::Revealed`]
		#[pallet::call_index(6)]
		#[pallet::weight(T::WeightInfo::reveal())]
		pub fn reveal(
			origin: OriginFor<T>,
			id: RecordId,
			reveal: Box<Reveal>,
		) -> DispatchResultWithPostInfo {
			let worker = ensure_signed(origin)?;
			Self::do_reveal(id, worker, *reveal)?;
			Ok(Pays::No.into())
		}

		/// Opens what was computed at the positions that the beacon picked for the caller.
		///
		/// ## Dispatch Origin
		///
		/// Signed by a verifier that revealed. Free if it succeeds.
		///
		/// ## Parameters
		///
		/// - `id`: the record.
		/// - `openings`: one for each of [`aria_primitives::audit::positions`], in order.
		///
		/// ## Errors
		///
		/// - [`Error::NoAudit`], [`Error::NoRecord`], [`Error::NotInWindow`],
		///   [`Error::NotRevealed`], [`Error::OpeningCount`],
		///   [`Error::OpeningOfOtherPosition`], [`Error::OpeningMismatch`],
		///   [`Error::OpeningNotOfRecord`]
		///
		/// ## Events
		///
		/// - [`Event::Opened`]
		#[pallet::call_index(7)]
		#[pallet::weight(T::WeightInfo::open(
			openings.iter().fold(0u32, |sum, opening| {
				sum.saturating_add(opening.data.len().saturated_into())
			})
		))]
		pub fn open(
			origin: OriginFor<T>,
			id: RecordId,
			openings: BoundedVec<Opening, ConstU32<MAX_OPENINGS>>,
		) -> DispatchResultWithPostInfo {
			let worker = ensure_signed(origin)?;
			Self::do_open(id, worker, &openings)?;
			Ok(Pays::No.into())
		}

		/// Commits to a record that will be false on purpose.
		///
		/// ## Dispatch Origin
		///
		/// Signed by anybody, before the record is settled.
		///
		/// ## Details
		///
		/// Puts a bond on hold, which is lost if the canary is neither shown nor withdrawn within a day, or
		/// by the end of its audit if that takes longer.
		/// Any account may commit for the maker, whose right is proven when the canary is shown.
		///
		/// ## Parameters
		///
		/// - `hash`: [`aria_primitives::audit::canary_hash`].
		///
		/// ## Errors
		///
		/// - [`Error::CanaryKnown`], [`Error::TooManyCanaries`]; the currency's if there is no bond.
		///
		/// ## Events
		///
		/// - [`Event::CanaryCommitted`]
		#[pallet::call_index(8)]
		#[pallet::weight(T::WeightInfo::commit_canary())]
		pub fn commit_canary(origin: OriginFor<T>, hash: H256) -> DispatchResult {
			let by = ensure_signed(origin)?;
			Self::do_commit_canary(by, hash)
		}

		/// Shows that a record was made false on purpose.
		///
		/// ## Dispatch Origin
		///
		/// Signed by the record's requester: nobody who was sold a false answer speaks for its maker.
		///
		/// ## Details
		///
		/// If the seats have found it false, the stage is not punished for it. If they have not, others
		/// look again when the window is over. The maker need not be a verifier any more: it has to have
		/// been one when it was committed to, and is known for as long as that may be shown.
		///
		/// ## Parameters
		///
		/// - `id`: the record.
		/// - `stage`: the stage that is false, from 0.
		/// - `maker`: the verifier whose right it is to make one.
		/// - `nonce`: what made the commitment unguessable.
		/// - `proof`: of that right, in the epoch of the commitment.
		///
		/// ## Errors
		///
		/// - [`Error::NoAudit`], [`Error::NotInWindow`], [`Error::DrawnByOrder`],
		///   [`Error::NamedRecord`], [`Error::NoRecord`], [`Error::NotRequester`], [`Error::NotAStage`],
		///   [`Error::UnknownCanary`], [`Error::CanaryTooLate`], [`Error::NotVerifier`],
		///   [`Error::VerifierTooNew`], [`Error::BadSeatProof`], [`Error::NoCanaryRight`]
		///
		/// ## Events
		///
		/// - [`Event::CanaryShown`]
		#[pallet::call_index(9)]
		#[pallet::weight(T::WeightInfo::reveal_canary())]
		pub fn reveal_canary(
			origin: OriginFor<T>,
			id: RecordId,
			stage: u16,
			maker: AccountId,
			nonce: H256,
			proof: SeatProof,
		) -> DispatchResult {
			let requester = ensure_signed(origin)?;
			Self::do_reveal_canary(&requester, id, stage, maker, nonce, &proof)
		}

		/// Forgets a canary that was not shown in time; its bond is lost.
		///
		/// ## Dispatch Origin
		///
		/// Signed by anybody.
		///
		/// ## Parameters
		///
		/// - `hash`: the commitment.
		///
		/// ## Errors
		///
		/// - [`Error::UnknownCanary`], [`Error::CanaryAlive`]
		///
		/// ## Events
		///
		/// - [`Event::CanaryForgotten`]
		#[pallet::call_index(10)]
		#[pallet::weight(T::WeightInfo::forget_canary())]
		pub fn forget_canary(origin: OriginFor<T>, hash: H256) -> DispatchResult {
			ensure_signed(origin)?;
			Self::do_forget_canary(hash)
		}

		/// Makes the caller a verifier in the place of one with less at stake, where all are taken.
		///
		/// ## Dispatch Origin
		///
		/// Signed by an active worker.
		///
		/// ## Details
		///
		/// So that nobody fills the places with many small stakes. The other one is paid its fees.
		///
		/// ## Parameters
		///
		/// - `key`: as in [`Pallet::register_verifier`].
		/// - `other`: the verifier whose place it takes.
		///
		/// ## Errors
		///
		/// - [`Error::PlacesFree`], [`Error::NotVerifier`], [`Error::NoMoreStake`],
		///   [`Error::SeatsOpen`]; those of [`Pallet::register_verifier`].
		///
		/// ## Events
		///
		/// - [`Event::VerifierRetired`], [`Event::VerifierRegistered`]
		#[pallet::call_index(11)]
		#[pallet::weight(
			T::WeightInfo::register_verifier().saturating_add(T::WeightInfo::retire_verifier())
		)]
		pub fn displace_verifier(
			origin: OriginFor<T>,
			key: sr25519::Public,
			other: AccountId,
		) -> DispatchResult {
			let worker = ensure_signed(origin)?;
			Self::do_displace_verifier(worker, key, other)
		}

		/// Withdraws a canary whose record was passed over by the draw.
		///
		/// ## Dispatch Origin
		///
		/// Signed by the record's requester.
		///
		/// ## Details
		///
		/// Gives the bond back. What such canaries cost is paid with those that are drawn.
		///
		/// ## Parameters
		///
		/// - `id`, `stage`, `maker`, `nonce`: as in [`Pallet::reveal_canary`].
		///
		/// ## Errors
		///
		/// - [`Error::NoRecord`], [`Error::NotRequester`], [`Error::NotAStage`],
		///   [`Error::UnknownCanary`], [`Error::CanaryTooLate`], [`Error::CanaryMayBeDrawn`]
		///
		/// ## Events
		///
		/// - [`Event::CanaryReturned`]
		#[pallet::call_index(12)]
		#[pallet::weight(T::WeightInfo::reveal_canary())]
		pub fn withdraw_canary(
			origin: OriginFor<T>,
			id: RecordId,
			stage: u16,
			maker: AccountId,
			nonce: H256,
		) -> DispatchResult {
			let requester = ensure_signed(origin)?;
			Self::do_withdraw_canary(&requester, id, stage, &maker, &nonce)
		}

		/// Pays a verifier the fees that it need not wait for any more.
		///
		/// ## Dispatch Origin
		///
		/// Signed by anybody.
		///
		/// ## Details
		///
		/// Fees are paid when the audits that were open as they were earned are over: a canary among
		/// those would take them. A verifier with no open seat waits for nothing.
		///
		/// ## Parameters
		///
		/// - `verifier`: whose.
		///
		/// ## Errors
		///
		/// - [`Error::NotVerifier`], [`Error::NothingRipe`]
		///
		/// ## Events
		///
		/// - [`Event::FeesPaid`]
		#[pallet::call_index(13)]
		#[pallet::weight(T::WeightInfo::retire_verifier())]
		pub fn claim_fees(origin: OriginFor<T>, verifier: AccountId) -> DispatchResult {
			ensure_signed(origin)?;
			Self::do_claim_fees(&verifier)
		}

		/// Contests the verdict that is held back.
		///
		/// ## Dispatch Origin
		///
		/// Signed by the stage's node, if the verdict is what this accuser found; by the accuser, if it is
		/// another.
		///
		/// ## Details
		///
		/// Puts the bond of a seat on hold, which is lost to who is silent later or proven false.
		///
		/// ## Parameters
		///
		/// - `id`: the record.
		/// - `accuser`: the verifier that says that a boundary differs.
		///
		/// ## Errors
		///
		/// - [`Error::NoAudit`], [`Error::NoRecord`], [`Error::NotInWindow`],
		///   [`Error::NoAccusation`], [`Error::NotYourDispute`], [`Error::DisputeKnown`],
		///   [`Error::NotDisputable`]; the currency's if there is no bond.
		///
		/// ## Events
		///
		/// - [`Event::DisputeOpened`]
		#[pallet::call_index(14)]
		#[pallet::weight(T::WeightInfo::open_dispute())]
		pub fn open_dispute(
			origin: OriginFor<T>,
			id: RecordId,
			accuser: AccountId,
		) -> DispatchResult {
			let caller = ensure_signed(origin)?;
			Self::do_open_dispute(id, &caller, accuser)
		}

		/// Posts the nodes of the boundary behind the stage, at the height that fits.
		///
		/// ## Dispatch Origin
		///
		/// Signed by the stage's node. Free if it succeeds, unless the requester named
		/// who audits.
		///
		/// ## Parameters
		///
		/// - `id`, `accuser`: the dispute.
		/// - `nodes`: [`aria_primitives::dispute::nodes`].
		///
		/// ## Errors
		///
		/// - [`Error::NoAudit`], [`Error::NoRecord`], [`Error::NotInWindow`], [`Error::NoDispute`],
		///   [`Error::NotYourDispute`], [`Error::PostedAlready`], [`Error::HashCount`],
		///   [`Error::NodesNotOfRecord`]
		///
		/// ## Events
		///
		/// - [`Event::DisputePosted`]
		#[pallet::call_index(15)]
		#[pallet::weight(T::WeightInfo::post_nodes(nodes.len().saturated_into()))]
		pub fn post_nodes(
			origin: OriginFor<T>,
			id: RecordId,
			accuser: AccountId,
			nodes: Hashes,
		) -> DispatchResultWithPostInfo {
			let caller = ensure_signed(origin)?;
			Self::do_post_nodes(id, &caller, accuser, &nodes)?;
			Ok(Self::fee_of_post(&id).into())
		}

		/// Says below which node the boundaries differ first, and posts its own leaves there.
		///
		/// ## Dispatch Origin
		///
		/// Signed by the accuser. Free if it succeeds, unless the requester named
		/// who audits.
		///
		/// ## Parameters
		///
		/// - `id`: the record.
		/// - `fork`: of the nodes.
		/// - `leaves`: the accuser's below its node.
		///
		/// ## Errors
		///
		/// - [`Error::NoAudit`], [`Error::NoRecord`], [`Error::NotInWindow`], [`Error::NoDispute`],
		///   [`Error::PostedAlready`], [`Error::HashCount`], [`Error::NoFork`],
		///   [`Error::LeavesMismatch`]
		///
		/// ## Events
		///
		/// - [`Event::DisputePosted`]
		#[pallet::call_index(16)]
		#[pallet::weight(T::WeightInfo::accuse_leaf(leaves.len().saturated_into()))]
		pub fn accuse_leaf(
			origin: OriginFor<T>,
			id: RecordId,
			fork: Box<Fork>,
			leaves: Hashes,
		) -> DispatchResultWithPostInfo {
			let accuser = ensure_signed(origin)?;
			Self::do_accuse_leaf(id, accuser, &fork, &leaves)?;
			Ok(Self::fee_of_post(&id).into())
		}

		/// Says at which leaf the boundaries differ first, and posts the trace of its position.
		///
		/// ## Dispatch Origin
		///
		/// Signed by the stage's node. Free if it succeeds, unless the requester named
		/// who audits.
		///
		/// ## Parameters
		///
		/// - `id`, `accuser`: the dispute.
		/// - `fork`: of the leaves below the node.
		/// - `items`: the trace's.
		///
		/// ## Errors
		///
		/// - [`Error::NoAudit`], [`Error::NoRecord`], [`Error::NotInWindow`], [`Error::NoDispute`],
		///   [`Error::NotYourDispute`], [`Error::PostedAlready`], [`Error::HashCount`],
		///   [`Error::NoFork`]
		///
		/// ## Events
		///
		/// - [`Event::DisputePosted`]
		#[pallet::call_index(17)]
		#[pallet::weight(T::WeightInfo::defend_leaf(items.len().saturated_into()))]
		pub fn defend_leaf(
			origin: OriginFor<T>,
			id: RecordId,
			accuser: AccountId,
			fork: Box<Fork>,
			items: Hashes,
		) -> DispatchResultWithPostInfo {
			let caller = ensure_signed(origin)?;
			Self::do_defend_leaf(id, &caller, accuser, &fork, &items)?;
			Ok(Self::fee_of_post(&id).into())
		}

		/// Posts the accuser's trace of the position.
		///
		/// ## Dispatch Origin
		///
		/// Signed by the accuser. Free if it succeeds, unless the requester named
		/// who audits.
		///
		/// ## Parameters
		///
		/// - `id`: the record.
		/// - `items`: the trace's.
		///
		/// ## Errors
		///
		/// - [`Error::NoAudit`], [`Error::NoRecord`], [`Error::NotInWindow`], [`Error::NoDispute`],
		///   [`Error::PostedAlready`], [`Error::HashCount`]
		///
		/// ## Events
		///
		/// - [`Event::DisputePosted`]
		#[pallet::call_index(18)]
		#[pallet::weight(T::WeightInfo::reply_trace(items.len().saturated_into()))]
		pub fn reply_trace(
			origin: OriginFor<T>,
			id: RecordId,
			items: Hashes,
		) -> DispatchResultWithPostInfo {
			let accuser = ensure_signed(origin)?;
			Self::do_reply_trace(id, accuser, &items)?;
			Ok(Self::fee_of_post(&id).into())
		}

		/// Posts the caller's blocks of the first sums in which the traces differ.
		///
		/// ## Dispatch Origin
		///
		/// Signed by the stage's node or the accuser. Free if it succeeds, unless the requester named
		/// who audits.
		///
		/// ## Parameters
		///
		/// - `id`, `accuser`: the dispute.
		/// - `fork`: of the items.
		/// - `blocks`: all blocks of the sums, by their hashes.
		///
		/// ## Errors
		///
		/// - [`Error::NoAudit`], [`Error::NoRecord`], [`Error::NotInWindow`], [`Error::NoDispute`],
		///   [`Error::NotYourDispute`], [`Error::PostedAlready`], [`Error::NoFork`],
		///   [`Error::NotIntegers`], [`Error::NotDisputable`], [`Error::HashCount`],
		///   [`Error::BlocksMismatch`]
		///
		/// ## Events
		///
		/// - [`Event::DisputePosted`]
		#[pallet::call_index(19)]
		#[pallet::weight(T::WeightInfo::post_blocks(blocks.len().saturated_into()))]
		pub fn post_blocks(
			origin: OriginFor<T>,
			id: RecordId,
			accuser: AccountId,
			fork: Box<Fork>,
			blocks: Hashes,
		) -> DispatchResultWithPostInfo {
			let caller = ensure_signed(origin)?;
			Self::do_post_blocks(id, &caller, accuser, &fork, &blocks)?;
			Ok(Self::fee_of_post(&id).into())
		}

		/// Proves that a party posted sums which are none.
		///
		/// ## Dispatch Origin
		///
		/// Signed by anybody. Free if it succeeds, unless the requester named
		/// who audits.
		///
		/// ## Details
		///
		/// The chain computes the rows of one block itself, from weights under the manifest's root and
		/// inputs on which both parties agree.
		///
		/// ## Parameters
		///
		/// - `id`, `accuser`: the dispute.
		/// - `against`: whose sums.
		/// - `proof`: block, input and weights.
		///
		/// ## Errors
		///
		/// - [`Error::NoAudit`], [`Error::NoRecord`], [`Error::NotInWindow`], [`Error::NoDispute`],
		///   [`Error::AlreadyProven`], [`Error::NotDisputable`], [`Error::BlockMismatch`],
		///   [`Error::InputMismatch`], [`Error::WeightMismatch`], [`Error::NotFalse`]
		///
		/// ## Events
		///
		/// - [`Event::DisputeProven`]
		#[pallet::call_index(20)]
		#[pallet::weight(T::WeightInfo::prove_false())]
		pub fn prove_false(
			origin: OriginFor<T>,
			id: RecordId,
			accuser: AccountId,
			against: Party,
			proof: Box<BlockProof>,
		) -> DispatchResultWithPostInfo {
			ensure_signed(origin)?;
			Self::do_prove_false(id, accuser, against, &proof)?;
			Ok(Self::fee_of_post(&id).into())
		}
	}

	#[pallet::view_functions]
	impl<T: Config> Pallet<T> {
		/// Where a record stands in its audit; `record_epoch` and `auditable` are the record's own.
		pub fn audit_status(
			id: RecordId,
			record_epoch: EpochIndex,
			auditable: bool,
		) -> AuditStatus {
			Self::status(id, record_epoch, auditable)
		}

		/// The audit of a drawn record that has no verdict.
		pub fn audit(id: RecordId) -> Option<Audit> {
			Audits::<T>::get(id)
		}

		/// A verifier's seat in such an audit.
		pub fn seat(id: RecordId, verifier: AccountId) -> Option<Seat> {
			Seats::<T>::get(id, verifier)
		}

		/// The dispute of such a verifier.
		pub fn dispute(id: RecordId, accuser: AccountId) -> Option<Dispute> {
			Disputes::<T>::get(id, accuser)
		}

		/// A verifier.
		pub fn verifier(worker: AccountId) -> Option<VerifierInfo> {
			Verifiers::<T>::get(worker)
		}

		/// How many audits found a worker's stages right and false, of records that count in an era.
		pub fn tally(worker: AccountId, era: EraIndex) -> Tally {
			Tallies::<T>::get(era, worker).unwrap_or_default()
		}

		/// What this epoch began with: numbers of the game, and what canaries are drawn by.
		pub fn epoch_terms() -> EpochTerms {
			Self::terms()
		}

		/// The numbers of the game as they are now, each within its range.
		pub fn audit_parameters() -> AuditParams {
			Self::params()
		}

		/// Whether an epoch is over, drawn, and each of its drawn records has a verdict.
		pub fn is_closed(epoch: EpochIndex) -> bool {
			<Self as AuditDraw>::is_closed(epoch)
		}

		/// How and when a record was drawn, if it was.
		pub fn drawn(id: RecordId) -> Option<DrawInfo> {
			Drawn::<T>::get(id)
		}

		/// How many records of an epoch wait for their draw.
		pub fn pending(epoch: EpochIndex) -> u32 {
			Self::pending_records(epoch)
		}

		/// Whether an epoch is over and none of its records waits for its draw.
		pub fn is_drawn(epoch: EpochIndex) -> bool {
			<Self as AuditDraw>::is_drawn(epoch)
		}
	}
}
