//! # Inference Market Pallet
//!
//! Where inference is paid: escrows, gateways, spending keys, settlement of signed records, vesting,
//! and requests made on chain (paper, 6.2; `docs/protocol/settlement.md`).
//!
//! ## Pallet API
//!
//! See the [`pallet`] module for its configuration, dispatchables, storage, events and errors.
//!
//! ## Terminology
//!
//! * **Requester**: an account with an *escrow*, from which answers are paid.
//! * **Gateway**: a registered and staked account that serves queries and sells tokens by its offers
//!   in the model registry. It answers for the tickets that it accepts.
//! * **Spending key**: a key that a requester registers and binds to one gateway. It signs a
//!   *ticket* for each query, so that no transaction is needed before an answer.
//! * **Record**: what was computed, by whom, with how much energy, signed by its *stages*.
//! * **Settlement**: a record, what pays for it, its stages' signatures and the gateway's.
//! * **Bucket**: what was earned in one epoch and vests together.
//!
//! ## Overview
//!
//! Anybody may submit a settlement; the first wins. The chain checks the record, its stages, their
//! consents, all signatures and the ticket, takes the price out of the escrow, and divides it. What
//! is earned lies in the pallet's pot until the record's epoch is drawn and the window in which it
//! can be audited has passed, and is then paid out.
//!
//! ### Key Concepts
//!
//! * **A submitter pays nothing for a good settlement** (`Pays::No`) that takes at least
//!   [`free_from`] so many stages, and the ordinary fee for a cheaper or a bad one. Who comes second with a
//!   record pays for little more than a read.
//! * **A ticket is used once.** Each key has a window of 1,024 nonces, in any order.
//! * **The gateway signs each settlement**: the record's id together with the set of stages that
//!   signed. Who sees a settlement in the pool can neither use its ticket for another record nor
//!   drop a stage's signature. A batch is signed by its entries' gateways like by their stages.
//! * **A stage that did not sign** is left out once the grace after the record's anchor is over: its
//!   share stays with the requester, and it earns no work. The last stage, which samples the tokens,
//!   must sign.
//! * **Price** = new prompt tokens × prompt price + cached prompt tokens × cached price + answer
//!   tokens × output price, by the gateway's offer, divided by [`Config::Split`]; plus
//!   [`Config::ByteFee`] a byte of the record, for storage.
//! * **Unvested value is bounded** by [`Config::UnvestedFactor`] × stake for each worker, so that
//!   cheating until caught costs more than it brings. What a stage's share exceeds the bound by stays
//!   with the requester.
//! * **A gateway's stake answers for its records**: what those that may be audited cost for their tokens
//!   while they are not vested is at most its stake. What exceeds it stays with the requester; a gateway
//!   that sells more raises its stake.
//! * **Requests** reserve their maximal price. What the escrow lacks is taken from the free balance;
//!   what is not used stays in the escrow, from which it can be withdrawn. The price is by the offer
//!   that the gateway had when it matched.
//!
//! ### Example
#![doc = docify::embed!("src/tests/settle.rs", settle_should_pay_everybody_when_all_stages_signed)]
#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

mod audit;
mod batch;
mod escrow;
mod gateway;
pub mod nonce;
mod payment;
mod request;
mod settle;
mod spending;
#[cfg(any(feature = "try-runtime", test))]
mod try_state;
pub mod types;
mod vesting;
mod view;
pub mod weights;

#[cfg(feature = "runtime-benchmarks")]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod benchmarking;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod mock;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests;

pub use aria_primitives::price::{free_from, record_bytes};
pub use pallet::*;
pub use types::*;
pub use weights::WeightInfo;

/// What benchmarks set and the pallet only reads.
#[cfg(feature = "runtime-benchmarks")]
pub trait BenchmarkHelper {
	/// Makes [`Config::Time`] return `now`, in milliseconds since the Unix epoch.
	fn set_time(now: aria_primitives::Moment);
	/// Makes [`Config::Author`] return `author`, where the runtime can do that.
	fn set_author(author: aria_primitives::AccountId);
	/// Makes [`Config::Audit`] return `epoch` as the current one.
	fn set_epoch(epoch: aria_primitives::EpochIndex);
}

#[frame_support::pallet]
pub mod pallet {
	use crate::{types::*, weights::WeightInfo};
	use alloc::boxed::Box;
	use aria_primitives::{
		query::Sampling,
		record::{Batch, Settlement},
		ticket::AuditMode,
		traits, AccountId, Balance, BlockNumber, EpochIndex, ModelId, Moment, PaymentHash,
		RecordId, PPM,
	};
	use frame_support::{
		pallet_prelude::*,
		traits::{fungible, UnixTime},
		PalletId,
	};
	use frame_system::pallet_prelude::*;
	use sp_core::H256;
	use sp_runtime::SaturatedConversion;

	const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

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

		/// Which models are pinned, and what gateways ask for them.
		type Models: traits::Models;

		/// Who may work, with which stake.
		type Workers: traits::Workers;

		/// What workers permit, and where their earnings go.
		type Consents: traits::Consents;

		/// Where records are kept.
		type Ledger: traits::Ledger;

		/// Who counts work for emission.
		type Work: traits::WorkSink;

		/// Who draws records for audit, and knows the current epoch.
		type Audit: traits::AuditDraw;

		/// The chain's clock.
		type Time: UnixTime;

		/// The author of the current block, if known.
		type Author: Get<Option<AccountId>>;

		/// Names the pot that holds what is not paid out yet.
		#[pallet::constant]
		type PalletId: Get<PalletId>;

		/// Pays auditors.
		#[pallet::constant]
		type AuditPot: Get<AccountId>;

		/// Pays for storage.
		#[pallet::constant]
		type StoragePot: Get<AccountId>;

		/// How a price for tokens is divided; adds up to the whole.
		#[pallet::constant]
		type Split: Get<PriceSplit>;

		/// Price of a byte of a record, in planck.
		#[pallet::constant]
		type ByteFee: Get<Balance>;

		/// Least price of a record of one stage whose submitter pays no fee, in planck; see
		/// [`free_from`] for more stages.
		#[pallet::constant]
		type FreeFrom: Get<Balance>;

		/// Least stake of a gateway, in planck.
		#[pallet::constant]
		type GatewayStake: Get<Balance>;

		/// Blocks from a gateway's notice until its stake is free. Longer than any ticket lives.
		#[pallet::constant]
		type GatewayUnbonding: Get<BlockNumber>;

		/// Most keys of a requester, those counted that were revoked lately.
		#[pallet::constant]
		type MaxKeysPerRequester: Get<u32>;

		/// Most blocks from a record's anchor to its settlement.
		#[pallet::constant]
		type MaxAnchorAge: Get<BlockNumber>;

		/// Blocks after the anchor in which every stage has to sign.
		#[pallet::constant]
		type SigningGrace: Get<BlockNumber>;

		/// Most blocks from a settlement to its ticket's expiry.
		#[pallet::constant]
		type MaxTicketLifetime: Get<BlockNumber>;

		/// Most milliseconds from a record's end to its settlement.
		#[pallet::constant]
		type MaxRecordAge: Get<Moment>;

		/// Most milliseconds that a record's clock may be ahead of the chain's.
		#[pallet::constant]
		type MaxClockSkew: Get<Moment>;

		/// Most power that a stage may claim, in milliwatts.
		#[pallet::constant]
		type MaxStagePower: Get<u64>;

		/// Epochs after its own at which a bucket is paid out.
		#[pallet::constant]
		type VestingEpochs: Get<EpochIndex>;

		/// Most unvested value that a stage's share may bring a worker to, in multiples of its stake.
		#[pallet::constant]
		type UnvestedFactor: Get<u32>;

		/// Most payments out of closed buckets in a block's idle time.
		#[pallet::constant]
		type MaxReleasesPerBlock: Get<u32>;

		/// Fewest blocks from a request to its deadline.
		#[pallet::constant]
		type RequestDeadlineMin: Get<BlockNumber>;

		/// Most blocks from a request to its deadline.
		#[pallet::constant]
		type RequestDeadlineMax: Get<BlockNumber>;

		/// Blocks that a gateway has to settle a request after it matched it.
		#[pallet::constant]
		type MatchTimeout: Get<BlockNumber>;

		/// Most requests with the same deadline.
		#[pallet::constant]
		type MaxOpenRequestsPerBlock: Get<u32>;

		/// Weights of the dispatchables and hooks.
		type WeightInfo: WeightInfo;

		/// Sets for benchmarks what the pallet only reads.
		#[cfg(feature = "runtime-benchmarks")]
		type BenchmarkHelper: crate::BenchmarkHelper;
	}

	/// Why the pallet holds funds.
	#[pallet::composite_enum]
	pub enum HoldReason {
		/// Money for inference.
		#[codec(index = 0)]
		Escrow,
		/// Stake of a gateway.
		#[codec(index = 1)]
		GatewayStake,
	}

	/// What each requester has on hold.
	#[pallet::storage]
	pub type Escrows<T: Config> =
		StorageMap<_, Blake2_128Concat, AccountId, EscrowAccount, ValueQuery>;

	/// Registered gateways.
	#[pallet::storage]
	pub type Gateways<T: Config> = StorageMap<_, Blake2_128Concat, AccountId, GatewayInfo>;

	/// Spending keys by their public key.
	#[pallet::storage]
	pub type Keys<T: Config> = StorageMap<_, Blake2_128Concat, AccountId, KeyInfo>;

	/// The keys of each requester.
	#[pallet::storage]
	pub type KeysOf<T: Config> = StorageMap<
		_,
		Blake2_128Concat,
		AccountId,
		BoundedVec<KeySlot, T::MaxKeysPerRequester>,
		ValueQuery,
	>;

	/// What is earned and not vested, by the epoch that settled it and who is paid, in planck.
	#[pallet::storage]
	pub type Unvested<T: Config> =
		StorageDoubleMap<_, Twox64Concat, EpochIndex, Blake2_128Concat, AccountId, Balance>;

	/// Sum of [`Unvested`] over all epochs.
	#[pallet::storage]
	pub type UnvestedTotal<T: Config> =
		StorageMap<_, Blake2_128Concat, AccountId, Balance, ValueQuery>;

	/// Workers that failed an audit, with the last epoch of which they are paid nothing: what lies in its
	/// bucket, and in those before it, was taken.
	#[pallet::storage]
	pub type Forfeited<T: Config> =
		StorageMap<_, Blake2_128Concat, AccountId, EpochIndex, OptionQuery>;

	/// What the records of several stages cost in which a worker took part, by the epoch that settled
	/// them, in planck.
	#[pallet::storage]
	pub type Shared<T: Config> =
		StorageDoubleMap<_, Twox64Concat, EpochIndex, Blake2_128Concat, AccountId, Balance>;

	/// Sum of [`Shared`] over all epochs.
	#[pallet::storage]
	pub type SharedTotal<T: Config> =
		StorageMap<_, Blake2_128Concat, AccountId, Balance, ValueQuery>;

	/// What the auditable records of a gateway cost for their tokens, by the epoch that settled them, in
	/// planck.
	#[pallet::storage]
	pub type Answered<T: Config> =
		StorageDoubleMap<_, Twox64Concat, EpochIndex, Blake2_128Concat, AccountId, Balance>;

	/// Sum of [`Answered`] over all epochs; no record adds to it beyond what the gateway's stake answers
	/// for.
	#[pallet::storage]
	pub type AnsweredTotal<T: Config> =
		StorageMap<_, Blake2_128Concat, AccountId, Balance, ValueQuery>;

	/// What is burnt when the bucket of an epoch closes, in planck.
	#[pallet::storage]
	pub type UnvestedBurn<T: Config> = StorageMap<_, Twox64Concat, EpochIndex, Balance, ValueQuery>;

	/// What vested but could not be transferred, in planck.
	#[pallet::storage]
	pub type Unclaimed<T: Config> = StorageMap<_, Blake2_128Concat, AccountId, Balance>;

	/// The first bucket that idle time has not paid out in full.
	#[pallet::storage]
	pub type NextBucket<T: Config> = StorageValue<_, EpochIndex, ValueQuery>;

	/// Requests that are neither settled, cancelled nor refunded.
	#[pallet::storage]
	pub type Requests<T: Config> = StorageMap<_, Identity, PaymentHash, Request>;

	/// Which requests are refunded at the start of a block.
	#[pallet::storage]
	pub type Deadlines<T: Config> = StorageMap<
		_,
		Twox64Concat,
		BlockNumber,
		BoundedVec<PaymentHash, T::MaxOpenRequestsPerBlock>,
		ValueQuery,
	>;

	/// How many requests were ever made; makes their ids unique.
	#[pallet::storage]
	pub type RequestCount<T: Config> = StorageValue<_, u64, ValueQuery>;

	/// Endows the pot with the existential deposit, so that it lives whatever it owes.
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
	#[pallet::generate_deposit(pub(crate) fn deposit_event)]
	pub enum Event<T: Config> {
		/// Money went into an escrow.
		Deposited {
			/// Whose escrow.
			requester: AccountId,
			/// In planck.
			amount: Balance,
		},
		/// Money went back from an escrow.
		Withdrawn {
			/// Whose escrow.
			requester: AccountId,
			/// In planck.
			amount: Balance,
		},
		/// An account became a gateway.
		GatewayRegistered {
			/// The gateway.
			gateway: AccountId,
			/// On hold, in planck.
			stake: Balance,
		},
		/// A gateway gave notice.
		GatewayUnbonding {
			/// The gateway.
			gateway: AccountId,
			/// The block at which its stake is free.
			until: BlockNumber,
		},
		/// A gateway took its stake back.
		GatewayWithdrawn {
			/// The former gateway.
			gateway: AccountId,
			/// In planck.
			stake: Balance,
		},
		/// A spending key was registered.
		KeyRegistered {
			/// The key.
			key: AccountId,
			/// Whose escrow pays.
			requester: AccountId,
			/// The gateway that it is bound to.
			gateway: AccountId,
			/// Most that may ever be taken, in planck.
			allowance: Balance,
			/// Most that may be taken in an hour, in planck.
			hourly_cap: Balance,
			/// Last block at which it pays.
			expiry: BlockNumber,
		},
		/// The limits of a spending key changed.
		KeyUpdated {
			/// The key.
			key: AccountId,
			/// Most that may ever be taken, in planck.
			allowance: Balance,
			/// Most that may be taken in an hour, in planck.
			hourly_cap: Balance,
			/// Last block at which it pays.
			expiry: BlockNumber,
		},
		/// A spending key pays no more.
		KeyRevoked {
			/// The key.
			key: AccountId,
		},
		/// A record was settled.
		Settled {
			/// The record.
			id: RecordId,
			/// Its model.
			model_id: ModelId,
			/// Whose escrow paid.
			requester: AccountId,
			/// Who served.
			gateway: AccountId,
			/// What was taken from the escrow, in planck.
			price: Balance,
			/// Tokens of the answer.
			output_tokens: u32,
			/// Number of stages.
			stages: u32,
			/// Bit `i` is set if stage `i` signed.
			signed_stages: u32,
		},
		/// A batch was worked through.
		BatchSettled {
			/// Entries that were settled.
			settled: u32,
			/// Entries that were refused.
			failed: u32,
		},
		/// An entry of a batch was refused; the others are untouched by it.
		SettlementFailed {
			/// The entry's place in the batch.
			index: u32,
			/// The record.
			id: RecordId,
			/// What was wrong.
			error: DispatchError,
		},
		/// An inference was requested on chain.
		Requested {
			/// The request.
			id: PaymentHash,
			/// Whose escrow pays.
			requester: AccountId,
			/// The model that is asked.
			model_id: ModelId,
			/// Most that may be taken, in planck.
			max_price: Balance,
			/// The block that refunds the request if it is not settled before.
			deadline: BlockNumber,
		},
		/// A gateway named the workers for a request.
		RequestMatched {
			/// The request.
			id: PaymentHash,
			/// The gateway.
			gateway: AccountId,
			/// Last block at which the match may be settled.
			until: BlockNumber,
		},
		/// A requester took a request back.
		RequestCancelled {
			/// The request.
			id: PaymentHash,
			/// Free again in the escrow, in planck.
			amount: Balance,
		},
		/// A request was not settled before its deadline.
		RequestRefunded {
			/// The request.
			id: PaymentHash,
			/// Whose escrow it is.
			requester: AccountId,
			/// Free again in the escrow, in planck.
			amount: Balance,
		},
		/// Vested earnings were paid.
		Released {
			/// The bucket.
			epoch: EpochIndex,
			/// Who earned them.
			payee: AccountId,
			/// In planck.
			amount: Balance,
		},
		/// Vested earnings could not be transferred; `claim` tries again.
		PaymentKept {
			/// Who earned them.
			payee: AccountId,
			/// In planck.
			amount: Balance,
		},
		/// Earnings that could not be transferred before were paid.
		Claimed {
			/// Who earned them.
			payee: AccountId,
			/// In planck.
			amount: Balance,
		},
		/// A bucket's part of the prices that is burnt was burnt.
		Burnt {
			/// The bucket.
			epoch: EpochIndex,
			/// In planck.
			amount: Balance,
		},
		/// What had not vested of a record was taken from one of its stages.
		Withheld {
			/// The bucket.
			epoch: EpochIndex,
			/// Who would have been paid.
			payee: AccountId,
			/// In planck.
			amount: Balance,
		},
		/// A stage that failed an audit lost everything that had not vested for it.
		Forfeited {
			/// Who would have been paid.
			payee: AccountId,
			/// In planck.
			amount: Balance,
		},
		/// A record's tokens were paid as far as the stakes of its stages and of its gateway answer for
		/// them; `Settled` follows.
		PriceLimited {
			/// The record.
			id: RecordId,
			/// What was paid for its tokens, before what stages did not get, in planck.
			tokens: Balance,
		},
		/// A requester got money back for a record that failed its audit.
		Refunded {
			/// Whose escrow.
			requester: AccountId,
			/// In planck.
			amount: Balance,
		},
		/// A gateway lost stake by an audit.
		GatewaySlashed {
			/// The gateway.
			gateway: AccountId,
			/// In planck.
			amount: Balance,
		},
		/// A gateway brought its stake back to what it has to be.
		GatewayStakeRestored {
			/// The gateway.
			gateway: AccountId,
			/// In planck.
			amount: Balance,
		},
		/// A gateway added to its stake.
		GatewayStakeRaised {
			/// The gateway.
			gateway: AccountId,
			/// What it added, in planck.
			amount: Balance,
		},
	}

	#[pallet::error]
	pub enum Error<T> {
		/// The amount is 0; name what to move.
		AmountZero,
		/// The escrow has less than that free; deposit more, or wait for requests to close.
		EscrowInsufficient,
		/// The account is a gateway already.
		AlreadyGateway,
		/// No such gateway; it has to call `register_gateway` first.
		UnknownGateway,
		/// The gateway gave notice already; wait for the end of its unbonding.
		AlreadyUnbonding,
		/// The gateway has not given notice; call `unbond_gateway` first.
		NotUnbonding,
		/// The stake is not free yet; `GatewayUnbonding` said from which block it is.
		StillUnbonding,
		/// The gateway gave notice and takes nothing new; choose another one.
		GatewayLeaving,
		/// The gateway's unbonding is over, so that nobody answers for its tickets any more.
		GatewayUnbonded,
		/// The key is registered, or was until lately; use another one.
		KeyTaken,
		/// The requester has as many keys as it may; revoke one and wait for a ticket's lifetime.
		TooManyKeys,
		/// The expiry is not in the future; name a later block.
		ExpiryInPast,
		/// No such key, or it was revoked; register one.
		UnknownKey,
		/// The key belongs to another requester.
		NotKeyOwner,
		/// The key has expired; its requester has to call `update_key`.
		KeyExpired,
		/// The record's version is not known here; upgrade the worker or the chain.
		UnknownRecordVersion,
		/// The id is not that of this body on this chain: a record of another genesis, or altered.
		RecordIdMismatch,
		/// The record is settled already.
		AlreadySettled,
		/// The record has no stage.
		NoStages,
		/// A stage has no layer; leave it out.
		EmptyStage,
		/// Stages overlap or are out of order; each begins where the one before ends.
		LayersOverlap,
		/// Stages leave layers out; each begins where the one before ends, and the last one ends
		/// with the model.
		LayersIncomplete,
		/// A stage names layers that the model does not have.
		LayersBeyondModel,
		/// A node has two stages; join them.
		DuplicateStage,
		/// There has to be one boundary more than stages.
		BoundaryCount,
		/// No token was computed, so that nothing is to be paid.
		NoTokens,
		/// More tokens of the prompt were cached than it has.
		CachedExceedsPrompt,
		/// Prompt and answer do not fit the model's context.
		TokensExceedContext,
		/// The record took no time.
		LatencyZero,
		/// A stage used no energy; at least a millijoule is to be stated.
		EnergyZero,
		/// A stage claims more power than a machine has; check the meter and its units.
		EnergyImplausible,
		/// The energy is not the sum over the stages.
		EnergySumMismatch,
		/// The record ended too long ago.
		RecordTooOld,
		/// The record ends in the future; set the clock.
		RecordFromFuture,
		/// The anchor is no block before this one.
		AnchorUnknown,
		/// The anchor is too old; settle sooner.
		AnchorTooOld,
		/// The anchor is a block of a fork; compute the record again on this chain.
		AnchorOnFork,
		/// There has to be one signature, or the lack of one, for each stage.
		SignatureCount,
		/// A stage's signature is not its node's over this record's id.
		BadStageSignature,
		/// A stage did not sign, and it is the last one or still has time to.
		MissingSignature,
		/// The ticket's version is not known here.
		UnknownTicketVersion,
		/// The record names another ticket or request than the one that is to pay.
		TicketMismatch,
		/// The ticket is for another model or query.
		TicketForAnotherQuery,
		/// The ticket names another gateway than its key is bound to.
		WrongGateway,
		/// The ticket names another requester than its key belongs to.
		ForeignTicket,
		/// The ticket is not signed by its key.
		BadTicketSignature,
		/// The ticket has expired.
		TicketExpired,
		/// The ticket expires too far ahead; sign one with a shorter life.
		TicketTooFarAhead,
		/// The ticket's nonce is used already.
		TicketReplayed,
		/// The ticket's nonce lies too far below the highest one used; sign one with a new nonce.
		NonceTooOld,
		/// A stage's consent asks more for a token than the gateway takes.
		PriceBelowConsent,
		/// The price is above what the ticket allows.
		PriceAboveTicket,
		/// The price is above what is left of the key's allowance; raise it with `update_key`.
		AllowanceExceeded,
		/// The price is above what is left of the key's cap for this hour.
		HourlyCapExceeded,
		/// The runtime's split of a price does not add up to the whole; report it.
		SplitInvalid,
		/// The batch has no entry.
		EmptyBatch,
		/// The batch's signers are not strictly ascending by account.
		BatchSignersUnordered,
		/// A signature is not its signer's over this batch.
		BadBatchSignature,
		/// No entry of the batch can be settled; settle one alone to see what is wrong.
		BatchFailed,
		/// The epoch's records can still be audited, or are not all drawn; wait.
		EpochNotClosed,
		/// The account has nothing in this bucket, or was paid.
		NothingToRelease,
		/// No payment to this account was kept.
		NothingToClaim,
		/// No such request: it was settled, cancelled or refunded, or never made.
		UnknownRequest,
		/// The request is matched; wait for its settlement or for the end of the match.
		RequestNotOpen,
		/// The request has to be matched before it is settled.
		RequestNotMatched,
		/// The match was not settled in time; match the request again.
		MatchLapsed,
		/// The request belongs to another account.
		NotRequester,
		/// The record has other stages than were matched.
		StagesDiffer,
		/// The record answers another model or query than was requested.
		RequestMismatch,
		/// The answer has more tokens than were requested.
		TokensExceedRequest,
		/// The deadline is not in the future.
		DeadlinePassed,
		/// The deadline is too near or too far.
		DeadlineOutOfRange,
		/// A request needs a price above 0.
		PriceZero,
		/// What the gateway asks is above what the request pays.
		PriceAboveRequest,
		/// Too many requests have this deadline; choose the next block.
		TooManyRequestsAtBlock,
		/// Temperature or top_p is out of range.
		InvalidSampling,
		/// The prompt is empty.
		PromptEmpty,
		/// The prompt is no UTF-8.
		PromptNotText,
		/// The answer took longer than a record may be old; check the latency's unit.
		LatencyTooLong,
		/// The gateway's signature is not over this record and this set of signed stages: the
		/// gateway that the ticket names, or that matched the request, has to sign just that, or be
		/// among the signers of the batch.
		BadGatewaySignature,
		/// The gateway lost stake by audits, and has too little of it left; it has to call
		/// `restore_gateway_stake`.
		GatewayUnderstaked,
	}

	#[pallet::hooks]
	impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
		fn on_initialize(now: BlockNumberFor<T>) -> Weight {
			T::WeightInfo::expire_requests(Self::expire_requests(now.saturated_into()))
		}

		fn on_idle(_now: BlockNumberFor<T>, remaining: Weight) -> Weight {
			Self::drain_within(remaining)
		}

		fn integrity_test() {
			let parts = T::Split::get().weights();
			let sum = parts.iter().fold(0u64, |sum, part| sum.saturating_add(u64::from(*part)));
			assert!(sum == u64::from(PPM), "the parts of a price have to add up to the whole");
			let hashes: BlockNumber = T::BlockHashCount::get().saturated_into();
			assert!(
				hashes > T::MaxAnchorAge::get(),
				"hashes of blocks have to be kept as long as a record may name them",
			);
			assert!(
				T::SigningGrace::get() < T::MaxAnchorAge::get(),
				"records with missing signatures could never be settled",
			);
			assert!(
				T::GatewayUnbonding::get() > T::MaxTicketLifetime::get(),
				"a gateway has to answer for its tickets as long as they live",
			);
			assert!(
				0 < T::RequestDeadlineMin::get()
					&& T::RequestDeadlineMin::get() <= T::RequestDeadlineMax::get(),
				"deadlines have to lie in the future, and some have to be possible",
			);
			assert!(T::MatchTimeout::get() > 0, "a matched request needs time to be settled");
			assert!(T::MaxReleasesPerBlock::get() > 0, "vested earnings have to be paid");
			assert!(T::UnvestedFactor::get() > 0, "workers could not earn anything");
			assert!(T::MaxStagePower::get() > 0, "no figure of energy would be plausible");
		}

		#[cfg(feature = "try-runtime")]
		fn try_state(_now: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
			Self::do_try_state()
		}
	}

	#[pallet::call]
	impl<T: Config> Pallet<T> {
		/// Puts money into the caller's escrow.
		///
		/// ## Dispatch Origin
		///
		/// `Signed` by the requester.
		///
		/// ## Parameters
		///
		/// - `amount`: in planck; moved from the free balance on hold.
		///
		/// ## Errors
		///
		/// - [`Error::AmountZero`], or the currency's error if the free balance does not suffice.
		///
		/// ## Events
		///
		/// - [`Event::Deposited`]
		#[pallet::call_index(0)]
		#[pallet::weight(T::WeightInfo::deposit())]
		pub fn deposit(origin: OriginFor<T>, #[pallet::compact] amount: Balance) -> DispatchResult {
			let requester = ensure_signed(origin)?;
			Self::do_deposit(&requester, amount)
		}

		/// Takes money back from the caller's escrow.
		///
		/// ## Dispatch Origin
		///
		/// `Signed` by the requester.
		///
		/// ## Details
		///
		/// What open requests reserve stays. A gateway that served and has not settled yet is not
		/// protected: it answers for what it accepts.
		///
		/// ## Parameters
		///
		/// - `amount`: in planck.
		///
		/// ## Errors
		///
		/// - [`Error::AmountZero`], [`Error::EscrowInsufficient`]
		///
		/// ## Events
		///
		/// - [`Event::Withdrawn`]
		#[pallet::call_index(1)]
		#[pallet::weight(T::WeightInfo::withdraw())]
		pub fn withdraw(
			origin: OriginFor<T>,
			#[pallet::compact] amount: Balance,
		) -> DispatchResult {
			let requester = ensure_signed(origin)?;
			Self::do_withdraw(&requester, amount)
		}

		/// Makes the caller a gateway, with [`Config::GatewayStake`] on hold.
		///
		/// ## Dispatch Origin
		///
		/// `Signed` by the gateway.
		///
		/// ## Errors
		///
		/// - [`Error::AlreadyGateway`], or the currency's error if the stake is not there.
		///
		/// ## Events
		///
		/// - [`Event::GatewayRegistered`]
		#[pallet::call_index(2)]
		#[pallet::weight(T::WeightInfo::register_gateway())]
		pub fn register_gateway(origin: OriginFor<T>) -> DispatchResult {
			let gateway = ensure_signed(origin)?;
			Self::do_register_gateway(&gateway)
		}

		/// Gives notice: no new keys and requests; what was accepted is settled for
		/// [`Config::GatewayUnbonding`] blocks more.
		///
		/// ## Dispatch Origin
		///
		/// `Signed` by the gateway.
		///
		/// ## Errors
		///
		/// - [`Error::UnknownGateway`], [`Error::AlreadyUnbonding`]
		///
		/// ## Events
		///
		/// - [`Event::GatewayUnbonding`]
		#[pallet::call_index(3)]
		#[pallet::weight(T::WeightInfo::unbond_gateway())]
		pub fn unbond_gateway(origin: OriginFor<T>) -> DispatchResult {
			let gateway = ensure_signed(origin)?;
			Self::do_unbond_gateway(&gateway)
		}

		/// Takes all of the stake back after unbonding; the account is no gateway any more.
		///
		/// ## Dispatch Origin
		///
		/// `Signed` by the gateway.
		///
		/// ## Errors
		///
		/// - [`Error::UnknownGateway`], [`Error::NotUnbonding`], [`Error::StillUnbonding`]
		///
		/// ## Events
		///
		/// - [`Event::GatewayWithdrawn`]
		#[pallet::call_index(4)]
		#[pallet::weight(T::WeightInfo::withdraw_gateway_stake())]
		pub fn withdraw_gateway_stake(origin: OriginFor<T>) -> DispatchResult {
			let gateway = ensure_signed(origin)?;
			Self::do_withdraw_gateway_stake(&gateway)
		}

		/// Registers a spending key of the caller, bound to one gateway.
		///
		/// ## Dispatch Origin
		///
		/// `Signed` by the requester.
		///
		/// ## Parameters
		///
		/// - `key`: the public key, as an account.
		/// - `gateway`: who may use its tickets.
		/// - `allowance`: most that may ever be taken, in planck.
		/// - `hourly_cap`: most that may be taken within an hour of the chain's clock, in planck.
		/// - `expiry`: last block at which it pays.
		///
		/// ## Errors
		///
		/// - [`Error::UnknownGateway`], [`Error::GatewayLeaving`], [`Error::ExpiryInPast`],
		///   [`Error::KeyTaken`], [`Error::TooManyKeys`]
		///
		/// ## Events
		///
		/// - [`Event::KeyRegistered`]
		#[pallet::call_index(5)]
		#[pallet::weight(T::WeightInfo::register_key())]
		pub fn register_key(
			origin: OriginFor<T>,
			key: AccountId,
			gateway: AccountId,
			#[pallet::compact] allowance: Balance,
			#[pallet::compact] hourly_cap: Balance,
			expiry: BlockNumber,
		) -> DispatchResult {
			let requester = ensure_signed(origin)?;
			Self::do_register_key(requester, key, gateway, allowance, hourly_cap, expiry)
		}

		/// Changes the limits of a spending key; what it spent stays counted.
		///
		/// ## Dispatch Origin
		///
		/// `Signed` by the requester who registered it.
		///
		/// ## Parameters
		///
		/// - As in [`Pallet::register_key`]; limits of 0 suspend the key.
		///
		/// ## Errors
		///
		/// - [`Error::UnknownKey`], [`Error::NotKeyOwner`], [`Error::ExpiryInPast`]
		///
		/// ## Events
		///
		/// - [`Event::KeyUpdated`]
		#[pallet::call_index(6)]
		#[pallet::weight(T::WeightInfo::update_key())]
		pub fn update_key(
			origin: OriginFor<T>,
			key: AccountId,
			#[pallet::compact] allowance: Balance,
			#[pallet::compact] hourly_cap: Balance,
			expiry: BlockNumber,
		) -> DispatchResult {
			let requester = ensure_signed(origin)?;
			Self::do_update_key(&requester, key, allowance, hourly_cap, expiry)
		}

		/// Revokes a spending key at once.
		///
		/// ## Dispatch Origin
		///
		/// `Signed` by the requester who registered it.
		///
		/// ## Details
		///
		/// The key and its place are free again after [`Config::MaxTicketLifetime`] blocks, when no
		/// used ticket can be valid any more.
		///
		/// ## Parameters
		///
		/// - `key`: the key.
		///
		/// ## Errors
		///
		/// - [`Error::UnknownKey`], [`Error::NotKeyOwner`]
		///
		/// ## Events
		///
		/// - [`Event::KeyRevoked`]
		#[pallet::call_index(7)]
		#[pallet::weight(T::WeightInfo::revoke_key())]
		pub fn revoke_key(origin: OriginFor<T>, key: AccountId) -> DispatchResult {
			let requester = ensure_signed(origin)?;
			Self::do_revoke_key(&requester, key)
		}

		/// Settles one record: checks it, takes its price, writes it down.
		///
		/// ## Dispatch Origin
		///
		/// `Signed` by anybody; the first wins. The fee is given back if what is taken is at least
		/// [`free_from`] that many stages.
		///
		/// ## Details
		///
		/// Checks run from cheap to dear: whether the record is settled, identity, form, time, model,
		/// stages, their signatures, payment, the gateway's signature. The first that fails names
		/// the error; nothing is changed then.
		///
		/// ## Parameters
		///
		/// - `settlement`: the record, what pays, and the signatures of stages and gateway.
		///
		/// ## Errors
		///
		/// - [`Error::AlreadySettled`], which weighs little more than a read.
		/// - One for each thing that may be wrong, see [`Error`]; those about models, workers,
		///   consents and the ledger come from their own pallets.
		///
		/// ## Events
		///
		/// - [`Event::Settled`]
		#[pallet::call_index(8)]
		#[pallet::weight(Pallet::<T>::settle_weight(settlement))]
		pub fn settle(
			origin: OriginFor<T>,
			settlement: Box<Settlement>,
		) -> DispatchResultWithPostInfo {
			ensure_signed(origin)?;
			Self::do_settle(*settlement)
		}

		/// Settles records that their stages and gateways signed once together.
		///
		/// ## Dispatch Origin
		///
		/// `Signed` by anybody. The fee is given back if what is taken is at least the sum of
		/// [`free_from`] over all entries, those that fail included.
		///
		/// ## Details
		///
		/// Each entry stands alone: one that is refused changes nothing and says why in an event.
		/// A stage whose node is not among the signers counts as one that did not sign; the gateway
		/// has to be among them. Entries that are settled already weigh little more than a read each.
		///
		/// ## Parameters
		///
		/// - `batch`: the records, what pays for them, and the signatures over all their ids.
		///
		/// ## Errors
		///
		/// - [`Error::EmptyBatch`], [`Error::BatchSignersUnordered`], [`Error::BadBatchSignature`];
		///   [`Error::BatchFailed`] if no entry can be settled.
		///
		/// ## Events
		///
		/// - [`Event::Settled`] or [`Event::SettlementFailed`] for each entry, then
		///   [`Event::BatchSettled`].
		#[pallet::call_index(9)]
		#[pallet::weight(Pallet::<T>::batch_weight(batch))]
		pub fn settle_batch(origin: OriginFor<T>, batch: Box<Batch>) -> DispatchResultWithPostInfo {
			ensure_signed(origin)?;
			Self::do_settle_batch(*batch)
		}

		/// Pays what `payee` earned in a closed bucket: one whose epoch is drawn and
		/// [`Config::VestingEpochs`] old. Idle time of blocks does the same.
		///
		/// ## Dispatch Origin
		///
		/// `Signed` by anybody.
		///
		/// ## Details
		///
		/// What the payee lacks of a worker's stake is staked; the rest goes where its consent says.
		/// A transfer that fails, for example below the existential deposit, is kept for
		/// [`Pallet::claim`].
		///
		/// ## Parameters
		///
		/// - `epoch`: the bucket.
		/// - `payee`: who earned.
		///
		/// ## Errors
		///
		/// - [`Error::EpochNotClosed`], [`Error::NothingToRelease`]
		///
		/// ## Events
		///
		/// - [`Event::Released`] or [`Event::PaymentKept`]; [`Event::Burnt`] for the first release of
		///   a bucket.
		#[pallet::call_index(10)]
		#[pallet::weight(T::WeightInfo::release())]
		pub fn release(
			origin: OriginFor<T>,
			epoch: EpochIndex,
			payee: AccountId,
		) -> DispatchResult {
			ensure_signed(origin)?;
			Self::do_release(epoch, payee)
		}

		/// Pays what vested but could not be transferred before.
		///
		/// ## Dispatch Origin
		///
		/// `Signed` by anybody.
		///
		/// ## Parameters
		///
		/// - `payee`: who earned.
		///
		/// ## Errors
		///
		/// - [`Error::NothingToClaim`], or the currency's error if the transfer fails again.
		///
		/// ## Events
		///
		/// - [`Event::Claimed`]
		#[pallet::call_index(11)]
		#[pallet::weight(T::WeightInfo::claim())]
		pub fn claim(origin: OriginFor<T>, payee: AccountId) -> DispatchResult {
			ensure_signed(origin)?;
			Self::do_claim(payee)
		}

		/// Asks for an inference on chain.
		///
		/// ## Dispatch Origin
		///
		/// `Signed` by the requester.
		///
		/// ## Details
		///
		/// Reserves `max_price` in the caller's escrow and moves what the escrow lacks from the free
		/// balance. The request's id is a hash of its content, the requester and a counter; it is in
		/// the event, and is what the record names as its ticket.
		///
		/// ## Parameters
		///
		/// - `model_id`: a pinned model.
		/// - `prompt`: a text of up to 2 KiB, or the hash of a canonical query.
		/// - `sampling`: how tokens are drawn.
		/// - `max_tokens`: most tokens of the answer.
		/// - `max_price`: most that may be taken, in planck.
		/// - `deadline`: the block that refunds the request if it is not settled before.
		/// - `audit_mode`: who may check the answer.
		///
		/// ## Errors
		///
		/// - [`Error::PriceZero`], [`Error::InvalidSampling`], [`Error::PromptEmpty`],
		///   [`Error::PromptNotText`], [`Error::NoTokens`], [`Error::TokensExceedContext`],
		///   [`Error::DeadlinePassed`], [`Error::DeadlineOutOfRange`],
		///   [`Error::TooManyRequestsAtBlock`], [`Error::EscrowInsufficient`]; the model registry's
		///   if the model is not pinned.
		///
		/// ## Events
		///
		/// - [`Event::Requested`], and [`Event::Deposited`] if the escrow was topped up.
		#[pallet::call_index(12)]
		#[pallet::weight(T::WeightInfo::request(prompt.text_len()))]
		pub fn request(
			origin: OriginFor<T>,
			model_id: ModelId,
			prompt: RequestPrompt,
			sampling: Sampling,
			max_tokens: u32,
			#[pallet::compact] max_price: Balance,
			deadline: BlockNumber,
			audit_mode: AuditMode,
		) -> DispatchResult {
			let requester = ensure_signed(origin)?;
			Self::do_request(Request {
				requester,
				model_id,
				prompt,
				sampling,
				max_tokens,
				max_price,
				deadline,
				audit_mode,
				state: RequestState::Open,
			})
		}

		/// Names the workers that will answer a request.
		///
		/// ## Dispatch Origin
		///
		/// `Signed` by a gateway with an offer for the model.
		///
		/// ## Details
		///
		/// The workers have to cover the model's layers, be fit for work and permit it now. The
		/// longest answer has to fit the request's price; whatever the prompt costs on top, no more
		/// than `max_price` is taken. The match holds for [`Config::MatchTimeout`] blocks, and the
		/// gateway's offer of this moment with it.
		///
		/// ## Parameters
		///
		/// - `id`: the request.
		/// - `stages`: the workers with their layers, in order.
		///
		/// ## Errors
		///
		/// - [`Error::UnknownGateway`], [`Error::GatewayLeaving`], [`Error::UnknownRequest`],
		///   [`Error::RequestNotOpen`], [`Error::NoStages`], [`Error::EmptyStage`],
		///   [`Error::LayersOverlap`], [`Error::LayersIncomplete`], [`Error::LayersBeyondModel`],
		///   [`Error::DuplicateStage`], [`Error::PriceAboveRequest`]; those of the registries about
		///   models, workers and consents.
		///
		/// ## Events
		///
		/// - [`Event::RequestMatched`]
		#[pallet::call_index(13)]
		#[pallet::weight(T::WeightInfo::match_request(stages.len() as u32))]
		pub fn match_request(
			origin: OriginFor<T>,
			id: PaymentHash,
			stages: MatchedStages,
		) -> DispatchResult {
			let gateway = ensure_signed(origin)?;
			Self::do_match_request(gateway, id, stages)
		}

		/// Takes a request back that nobody has matched.
		///
		/// ## Dispatch Origin
		///
		/// `Signed` by the requester.
		///
		/// ## Parameters
		///
		/// - `id`: the request.
		///
		/// ## Errors
		///
		/// - [`Error::UnknownRequest`], [`Error::NotRequester`], [`Error::RequestNotOpen`]
		///
		/// ## Events
		///
		/// - [`Event::RequestCancelled`]
		#[pallet::call_index(14)]
		#[pallet::weight(T::WeightInfo::cancel_request())]
		pub fn cancel_request(origin: OriginFor<T>, id: PaymentHash) -> DispatchResult {
			let requester = ensure_signed(origin)?;
			Self::do_cancel_request(&requester, id)
		}

		/// Brings the caller's stake as a gateway back to [`Config::GatewayStake`], after audits took
		/// some of it.
		///
		/// ## Dispatch Origin
		///
		/// `Signed` by the gateway.
		///
		/// ## Details
		///
		/// With less than all of its stake a gateway takes no new keys and requests; with less than
		/// half of it, none of its records is settled.
		///
		/// ## Errors
		///
		/// - [`Error::UnknownGateway`]; [`Error::AmountZero`] if nothing is missing; the currency's
		///   error if the free balance does not suffice.
		///
		/// ## Events
		///
		/// - [`Event::GatewayStakeRestored`]
		#[pallet::call_index(15)]
		#[pallet::weight(T::WeightInfo::restore_gateway_stake())]
		pub fn restore_gateway_stake(origin: OriginFor<T>) -> DispatchResult {
			let gateway = ensure_signed(origin)?;
			Self::do_restore_gateway_stake(&gateway)
		}

		/// Adds to the caller's stake as a gateway, of which there may be more than
		/// [`Config::GatewayStake`].
		///
		/// ## Dispatch Origin
		///
		/// `Signed` by the gateway.
		///
		/// ## Details
		///
		/// What a gateway's auditable records cost for their tokens that are not vested is at most its
		/// stake; what exceeds that stays with the requesters. [`Pallet::withdraw_gateway_stake`] gives
		/// all of the stake back; audits take from all of it.
		///
		/// ## Parameters
		///
		/// - `amount`: in planck; moved from the free balance on hold.
		///
		/// ## Errors
		///
		/// - [`Error::AmountZero`], [`Error::UnknownGateway`], or the currency's error if the free
		///   balance does not suffice.
		///
		/// ## Events
		///
		/// - [`Event::GatewayStakeRaised`]
		#[pallet::call_index(16)]
		#[pallet::weight(T::WeightInfo::raise_gateway_stake())]
		pub fn raise_gateway_stake(
			origin: OriginFor<T>,
			#[pallet::compact] amount: Balance,
		) -> DispatchResult {
			let gateway = ensure_signed(origin)?;
			Self::do_raise_gateway_stake(&gateway, amount)
		}
	}

	#[pallet::view_functions]
	impl<T: Config> Pallet<T> {
		/// What an account has on hold for inference, and what of it is reserved.
		pub fn escrow(account: AccountId) -> EscrowAccount {
			Escrows::<T>::get(account)
		}

		/// A spending key that is not revoked.
		pub fn spending_key(key: AccountId) -> Option<KeyInfo> {
			Self::live_key(&key)
		}

		/// A registered gateway.
		pub fn gateway(account: AccountId) -> Option<GatewayInfo> {
			Gateways::<T>::get(account)
		}

		/// A request that is neither settled, cancelled nor refunded.
		pub fn open_request(id: PaymentHash) -> Option<Request> {
			Requests::<T>::get(id)
		}

		/// What an account earned that is not vested yet, in planck.
		pub fn unvested(account: AccountId) -> Balance {
			UnvestedTotal::<T>::get(account)
		}

		/// What an answer would cost, in planck; `None` if the gateway has no offer for the model.
		pub fn quote(
			model_id: ModelId,
			gateway: AccountId,
			prompt_tokens: u32,
			cached_tokens: u32,
			output_tokens: u32,
			stages: u32,
		) -> Option<Balance> {
			Self::quoted(&model_id, &gateway, prompt_tokens, cached_tokens, output_tokens, stages)
		}
	}
}
