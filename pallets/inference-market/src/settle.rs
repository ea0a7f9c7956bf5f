//! Settlement: whether a record is sound, from cheap checks to dear ones, and what follows from it
//! (`docs/protocol/settlement.md`).

use crate::{pallet::*, types::Terms, WeightInfo};
use alloc::collections::BTreeSet;
use aria_math::wide::mul_div_floor;
use aria_primitives::{
	record::{
		settlement_digest, Anchor, LayerRange, Payment, RecordBody, RecordEntry, Settlement,
		RECORD_VERSION,
	},
	traits::{
		AuditDraw, Consents, Ledger, ModelInfo, Models, RecordStakes, StageStake, WorkNote,
		WorkSink, Workers,
	},
	AccountId, Balance, BlockNumber, Moment, Ppm, RecordId, Signature,
};
use frame_support::{
	dispatch::{DispatchResultWithPostInfo, WithPostDispatchInfo},
	ensure,
	traits::{Get, UnixTime},
	weights::Weight,
};
use frame_system::pallet_prelude::BlockNumberFor;
use sp_core::H256;
use sp_runtime::{
	traits::{Verify, Zero},
	DispatchError, DispatchResult, SaturatedConversion,
};

/// How stages and gateway signed.
pub(crate) enum Signatures<'a> {
	/// The record alone.
	Each {
		/// Each stage's over the record's id, in order of the stages.
		stages: &'a [Option<Signature>],
		/// The gateway's over the id and the set of stages that signed.
		gateway: &'a Signature,
	},
	/// All of these accounts, ascending, signed the batch that the record is in; already verified.
	Batch(&'a [AccountId]),
}

/// Whether bit `index` of a set of stages is set.
pub(crate) fn has_stage(set: u32, index: usize) -> bool {
	let shifted = u32::try_from(index).ok().and_then(|index| set.checked_shr(index));
	shifted.unwrap_or(0) & 1 == 1
}

/// Work of a stage in thousands of parameter-tokens: new tokens × its share of the model's layers ×
/// the model's active parameters, rounded down.
pub(crate) fn stage_work(new_tokens: u64, stage_layers: u16, model: &ModelInfo) -> u128 {
	u128::from(new_tokens)
		.saturating_mul(u128::from(stage_layers))
		.saturating_mul(u128::from(model.active_parameters))
		.checked_div(u128::from(model.layers).saturating_mul(1000))
		.unwrap_or(0)
}

impl<T: Config> Pallet<T> {
	/// The current block.
	pub(crate) fn now() -> BlockNumber {
		frame_system::Pallet::<T>::block_number().saturated_into()
	}

	/// The chain's clock, in milliseconds since the Unix epoch.
	pub(crate) fn now_ms() -> Moment {
		T::Time::now().as_millis().saturated_into()
	}

	/// The hash of block 0, which ids and tickets are bound to.
	pub(crate) fn genesis() -> H256 {
		frame_system::Pallet::<T>::block_hash(BlockNumberFor::<T>::zero())
	}

	/// Weight of [`Pallet::settle`].
	pub(crate) fn settle_weight(settlement: &Settlement) -> Weight {
		let stages = settlement.body.stages.len().saturated_into();
		match settlement.payment {
			Payment::Ticket(_) => T::WeightInfo::settle(stages),
			Payment::Request(_) => T::WeightInfo::settle_request(stages),
		}
	}

	pub(crate) fn do_settle(settlement: Settlement) -> DispatchResultWithPostInfo {
		let Settlement { id, body, payment, signatures, gateway_signature } = settlement;
		// Who comes second has cost the block one read, and pays for no more.
		if T::Ledger::contains(&id) {
			return Err(Error::<T>::AlreadySettled.with_weight(T::WeightInfo::settle_again()));
		}
		let signatures = Signatures::Each { stages: &signatures, gateway: &gateway_signature };
		let least = Self::least_price(&body);
		let taken = Self::settle_record(&Self::genesis(), id, body, payment, &signatures)?;
		Ok(Self::fee_of(taken, least).into())
	}

	/// Settles a record that the ledger does not have; returns what was taken, in planck. On an
	/// error the caller has to undo what was written.
	pub(crate) fn settle_record(
		genesis: &H256,
		id: RecordId,
		body: RecordBody,
		payment: Payment,
		signatures: &Signatures,
	) -> Result<Balance, DispatchError> {
		ensure!(body.version == RECORD_VERSION, Error::<T>::UnknownRecordVersion);
		ensure!(body.id(genesis) == id, Error::<T>::RecordIdMismatch);
		let layers = Self::ensure_contiguous(body.stages.iter().map(|s| (&s.node, &s.layers)))?;
		ensure!(
			body.boundaries.len() == body.stages.len().saturating_add(1),
			Error::<T>::BoundaryCount
		);
		Self::ensure_counts(&body)?;
		Self::ensure_energy(&body)?;
		Self::ensure_time(body.timestamp)?;
		Self::ensure_anchor(&body.anchor)?;

		let model = T::Models::pinned(&body.model_id)?;
		Self::ensure_complete(layers, model.layers)?;
		let tokens = u64::from(body.prompt_tokens).saturating_add(u64::from(body.output_tokens));
		ensure!(tokens <= u64::from(model.context), Error::<T>::TokensExceedContext);

		let minimum = Self::ensure_executors(&body, &model)?;
		let signed = Self::signed_stages(&id, &body, signatures)?;
		let terms = match &payment {
			Payment::Ticket(ticket) => Self::ticket_terms(genesis, &body, ticket)?,
			Payment::Request(request) => Self::request_terms(&body, request)?,
		};
		Self::ensure_gateway_signed(&id, &terms.gateway, signed, signatures)?;
		ensure!(terms.offer.output_price >= minimum, Error::<T>::PriceBelowConsent);
		Self::conclude(id, body, &model, terms, signed)
	}

	/// Whether the stages follow each other from layer 0 on, each with a node of its own; returns
	/// where the last one ends.
	pub(crate) fn ensure_contiguous<'a>(
		stages: impl Iterator<Item = (&'a AccountId, &'a LayerRange)>,
	) -> Result<u16, DispatchError> {
		let (mut end, mut nodes) = (0u16, BTreeSet::new());
		for (node, layers) in stages {
			ensure!(!layers.is_empty(), Error::<T>::EmptyStage);
			ensure!(layers.first >= end, Error::<T>::LayersOverlap);
			ensure!(layers.first == end, Error::<T>::LayersIncomplete);
			ensure!(nodes.insert(node), Error::<T>::DuplicateStage);
			end = layers.end;
		}
		ensure!(!nodes.is_empty(), Error::<T>::NoStages);
		Ok(end)
	}

	/// Whether stages that end at `end` cover a model of `layers` layers.
	pub(crate) fn ensure_complete(end: u16, layers: u16) -> DispatchResult {
		ensure!(end >= layers, Error::<T>::LayersIncomplete);
		ensure!(end == layers, Error::<T>::LayersBeyondModel);
		Ok(())
	}

	fn ensure_counts(body: &RecordBody) -> DispatchResult {
		ensure!(body.cached_tokens <= body.prompt_tokens, Error::<T>::CachedExceedsPrompt);
		ensure!(body.new_tokens() > 0, Error::<T>::NoTokens);
		ensure!(body.latency_ms > 0, Error::<T>::LatencyZero);
		// It bounds the energy that a stage can claim.
		let longest = T::MaxRecordAge::get();
		ensure!(Moment::from(body.latency_ms) <= longest, Error::<T>::LatencyTooLong);
		Ok(())
	}

	fn ensure_energy(body: &RecordBody) -> DispatchResult {
		let power = u128::from(T::MaxStagePower::get());
		let most = mul_div_floor(power, u128::from(body.latency_ms), 1000).unwrap_or(0);
		let mut sum = 0u128;
		for stage in body.stages.iter() {
			let energy = u128::from(stage.energy_mj);
			ensure!(energy > 0, Error::<T>::EnergyZero);
			ensure!(energy <= most, Error::<T>::EnergyImplausible);
			sum = sum.saturating_add(energy);
		}
		ensure!(sum == u128::from(body.energy_mj), Error::<T>::EnergySumMismatch);
		Ok(())
	}

	fn ensure_time(timestamp: Moment) -> DispatchResult {
		let now = Self::now_ms();
		let oldest = now.saturating_sub(T::MaxRecordAge::get());
		let latest = now.saturating_add(T::MaxClockSkew::get());
		ensure!(timestamp >= oldest, Error::<T>::RecordTooOld);
		ensure!(timestamp <= latest, Error::<T>::RecordFromFuture);
		Ok(())
	}

	fn ensure_anchor(anchor: &Anchor) -> DispatchResult {
		let now = Self::now();
		ensure!(anchor.number < now, Error::<T>::AnchorUnknown);
		let age = now.saturating_sub(anchor.number);
		ensure!(age <= T::MaxAnchorAge::get(), Error::<T>::AnchorTooOld);
		let number = BlockNumberFor::<T>::from(anchor.number);
		let hash: H256 = frame_system::Pallet::<T>::block_hash(number);
		ensure!(!hash.is_zero(), Error::<T>::AnchorTooOld);
		ensure!(hash == anchor.hash, Error::<T>::AnchorOnFork);
		Ok(())
	}

	/// Whether every stage might work and permitted it; returns the highest least price of an
	/// answer's token among their consents, in planck.
	fn ensure_executors(body: &RecordBody, model: &ModelInfo) -> Result<Balance, DispatchError> {
		let anchor = body.anchor.number;
		let mut minimum = 0;
		for stage in body.stages.iter() {
			let (node, version) = (&stage.node, stage.consent_version);
			T::Workers::ensure_may_work(node, &body.model_id, &stage.layers, anchor)?;
			T::Consents::ensure_permitted(node, model.task_type, body.timestamp, version, anchor)?;
			minimum = T::Consents::minimum_price(node, version)?.max(minimum);
		}
		Ok(minimum)
	}

	/// The set of stages that signed; an error if one is wrong, or missing that may not be.
	fn signed_stages(
		id: &RecordId,
		body: &RecordBody,
		signatures: &Signatures,
	) -> Result<u32, DispatchError> {
		if let Signatures::Each { stages, .. } = signatures {
			ensure!(stages.len() == body.stages.len(), Error::<T>::SignatureCount);
		}
		let grace = body.anchor.number.saturating_add(T::SigningGrace::get());
		let grace_is_over = Self::now() > grace;
		let last = body.stages.len().saturating_sub(1);
		let mut set = 0u32;
		for (index, stage) in body.stages.iter().enumerate() {
			let signed = match signatures {
				Signatures::Each { stages, .. } => match stages.get(index) {
					Some(Some(signature)) => {
						let good = signature.verify(id.as_bytes(), &stage.node);
						ensure!(good, Error::<T>::BadStageSignature);
						true
					}
					_ => false,
				},
				Signatures::Batch(signers) => signers.binary_search(&stage.node).is_ok(),
			};
			ensure!(signed || (grace_is_over && index < last), Error::<T>::MissingSignature);
			if signed {
				set |= 1u32.checked_shl(index.saturated_into()).unwrap_or(0);
			}
		}
		Ok(set)
	}

	/// Whether the gateway stands by this record and by this set of stages that signed.
	fn ensure_gateway_signed(
		id: &RecordId,
		gateway: &AccountId,
		signed: u32,
		signatures: &Signatures,
	) -> DispatchResult {
		let good = match signatures {
			Signatures::Each { gateway: signature, .. } => {
				let digest = settlement_digest(id, signed);
				signature.verify(digest.as_bytes(), gateway)
			}
			Signatures::Batch(signers) => signers.binary_search(gateway).is_ok(),
		};
		ensure!(good, Error::<T>::BadGatewaySignature);
		Ok(())
	}

	/// Takes the price, writes the record, and tells those who count work and draw audits; returns
	/// what was taken, in planck.
	fn conclude(
		id: RecordId,
		body: RecordBody,
		model: &ModelInfo,
		terms: Terms,
		signed: u32,
	) -> Result<Balance, DispatchError> {
		let epoch = T::Audit::current_epoch();
		let (requester, gateway) = (terms.requester.clone(), terms.gateway.clone());
		let (auditable, named) = (terms.auditable, terms.named);
		let shares = Self::collect(&id, &body, terms, signed, epoch)?;

		let new_tokens = body.new_tokens();
		let latency = u64::from(body.latency_ms).checked_div(new_tokens).unwrap_or_default();
		let latency: u32 = latency.saturated_into();
		let mut reputation = Ppm::MAX;
		let author = shares.author.as_ref().map_or(0, |(_, share)| *share);
		let parts = [author, shares.audit, shares.storage, shares.burn];
		let mut stakes = RecordStakes {
			stages: Default::default(),
			named,
			price: shares.taken,
			cost: parts.into_iter().fold(0, Balance::saturating_add),
			stake: Balance::MAX,
		};
		let parts = shares.stages.iter().zip(shares.burnt);
		for (index, (stage, (share, burnt))) in body.stages.iter().zip(parts).enumerate() {
			reputation = reputation.min(T::Workers::reputation(&stage.node));
			let work = stage_work(new_tokens, stage.layers.len(), model);
			// There are as many places as a record may have stages.
			let _ = stakes.stages.try_push(StageStake { share: *share, burnt, work });
			if !has_stage(signed, index) {
				continue;
			}
			stakes.stake = stakes.stake.min(T::Workers::stake(&stage.node));
			// What nobody may check earns neither reputation nor emission.
			if auditable {
				T::Workers::note_settled(&stage.node, latency);
				T::Work::note_work(WorkNote {
					worker: stage.node.clone(),
					model: body.model_id,
					work,
					energy_mj: stage.energy_mj,
					energy_source: stage.energy_source,
					burnt,
					latency_ms_per_token: latency,
				});
			}
		}

		let event = Event::Settled {
			id,
			model_id: body.model_id,
			requester: requester.clone(),
			gateway: gateway.clone(),
			price: shares.taken,
			output_tokens: body.output_tokens,
			stages: body.stages.len().saturated_into(),
			signed_stages: signed,
		};
		let entry = RecordEntry {
			body,
			signed_stages: signed,
			requester,
			gateway,
			price: shares.taken,
			settled_at: Self::now(),
			epoch,
			era: T::Work::current_era(),
			auditable,
		};
		T::Ledger::insert(id, entry)?;
		T::Audit::note_settled(id, reputation, auditable)?;
		if auditable {
			T::Audit::note_stakes(id, stakes)?;
		}
		Self::deposit_event(event);
		Ok(shares.taken)
	}
}
