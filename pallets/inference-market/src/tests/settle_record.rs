//! `settle`: records that are refused. Each case compares the state before and after.

use super::fixtures::*;
use crate::{mock::*, Error, WeightInfo};
use aria_primitives::{
	record::{LayerRange, Payment},
	traits::ModelInfo,
};
use frame_support::{assert_ok, dispatch::Pays};
use sp_core::H256;
use sp_runtime::DispatchError;

/// A change to a record of three stages, and the error that it has to meet.
fn refused(change: impl FnOnce(&mut Draft), error: Error<Test>) {
	with_setup(|| {
		let mut draft = Draft::new(3);
		change(&mut draft);
		refuse(draft.settlement(), error);
	});
}

#[test]
fn settle_should_fail_when_the_version_is_unknown() {
	refused(|draft| draft.body.version = 2, Error::UnknownRecordVersion);
}

#[test]
fn settle_should_fail_when_the_record_is_of_another_genesis() {
	with_setup(|| {
		let draft = Draft::new(2);
		let mut settlement = draft.settlement();
		let id = settlement.body.id(&H256::repeat_byte(0xbb));
		settlement.id = id;
		let signatures: Vec<_> = (0..2).map(|index| Some(sign(WORKER + index, &id))).collect();
		settlement.signatures = signatures.try_into().unwrap();
		refuse(settlement, Error::<Test>::RecordIdMismatch);
	});
}

#[test]
fn settle_should_fail_when_the_body_was_altered() {
	with_setup(|| {
		let mut settlement = Draft::new(2).settlement();
		settlement.body.output_tokens += 1;
		refuse(settlement, Error::<Test>::RecordIdMismatch);
	});
}

#[test]
fn settle_should_fail_and_weigh_little_when_the_record_is_settled() {
	with_setup(|| {
		let settlement = Draft::new(2).settlement();
		assert_ok!(settle(settlement.clone()));
		refuse(settlement.clone(), Error::<Test>::AlreadySettled);

		// Nothing else is looked at.
		let mut garbage = settlement.clone();
		garbage.body.version = 2;
		garbage.signatures.clear();
		for again in [settlement, garbage] {
			let refused = settle(again).unwrap_err();
			assert_eq!(refused.error, DispatchError::from(Error::<Test>::AlreadySettled));
			let weight = <() as WeightInfo>::settle_again();
			assert_eq!(refused.post_info.actual_weight, Some(weight));
			assert_eq!(refused.post_info.pays_fee, Pays::Yes);
		}
	});
}

#[test]
fn settle_again_should_weigh_less_when_compared_with_settle() {
	let (again, once) = (<() as WeightInfo>::settle_again(), <() as WeightInfo>::settle(1));
	assert!(again.ref_time() < once.ref_time() / 4, "{again:?} against {once:?}");
}

#[test]
fn settle_should_fail_when_layers_do_not_fit() {
	let layers = |index: usize, first: u16, end: u16| {
		move |draft: &mut Draft| draft.body.stages[index].layers = LayerRange { first, end }
	};
	refused(layers(1, 7, 16), Error::LayersOverlap);
	refused(layers(1, 0, 16), Error::LayersOverlap);
	refused(layers(1, 9, 16), Error::LayersIncomplete);
	refused(layers(0, 1, 8), Error::LayersIncomplete);
	refused(layers(2, 16, 23), Error::LayersIncomplete);
	refused(layers(2, 16, 25), Error::LayersBeyondModel);
	refused(layers(1, 8, 8), Error::EmptyStage);
	refused(layers(1, 8, 3), Error::EmptyStage);
	refused(
		|draft| {
			draft.body.stages.slide(0, 2);
		},
		Error::LayersIncomplete,
	);
	refused(|draft| draft.body.stages.clear(), Error::NoStages);
}

#[test]
fn settle_should_fail_when_a_node_has_two_stages() {
	refused(|draft| draft.body.stages[2].node = worker(0), Error::DuplicateStage);
}

#[test]
fn settle_should_fail_when_boundaries_are_missing_or_too_many() {
	refused(
		|draft| {
			draft.body.boundaries.pop();
		},
		Error::BoundaryCount,
	);
	refused(|draft| draft.body.boundaries.try_push(H256::zero()).unwrap(), Error::BoundaryCount);
}

#[test]
fn settle_should_fail_when_tokens_do_not_fit() {
	refused(
		|draft| {
			(draft.body.prompt_tokens, draft.body.cached_tokens) = (0, 0);
			draft.body.output_tokens = 0;
		},
		Error::NoTokens,
	);
	refused(
		|draft| {
			(draft.body.cached_tokens, draft.body.output_tokens) = (100, 0);
		},
		Error::NoTokens,
	);
	refused(|draft| draft.body.cached_tokens = 101, Error::CachedExceedsPrompt);
	refused(|draft| draft.body.output_tokens = 4_096 - 99, Error::TokensExceedContext);
	refused(|draft| draft.body.prompt_tokens = u32::MAX, Error::TokensExceedContext);
}

#[test]
fn settle_should_fail_when_energy_is_zero_absurd_or_wrong() {
	// 3 seconds at 1 kW are 3 kJ.
	refused(|draft| draft.body.stages[1].energy_mj = 0, Error::EnergyZero);
	refused(|draft| draft.body.stages[1].energy_mj = 3_000_001, Error::EnergyImplausible);
	refused(|draft| draft.body.stages[1].energy_mj = u64::MAX, Error::EnergyImplausible);
	refused(|draft| draft.body.stages[1].energy_mj = 3_000_000, Error::EnergySumMismatch);
	refused(|draft| draft.body.energy_mj = 0, Error::EnergySumMismatch);
}

#[test]
fn settle_should_fail_when_it_took_no_time() {
	refused(|draft| draft.body.latency_ms = 0, Error::LatencyZero);
}

#[test]
fn settle_should_fail_when_it_took_too_long() {
	let too_long = u32::try_from(RECORD_AGE + 1).unwrap();
	refused(|draft| draft.body.latency_ms = too_long, Error::LatencyTooLong);
}

#[test]
fn settle_should_fail_when_the_clock_is_off() {
	refused(|draft| draft.body.timestamp = NOW_MS - RECORD_AGE - 1, Error::RecordTooOld);
	refused(|draft| draft.body.timestamp = 0, Error::RecordTooOld);
	refused(|draft| draft.body.timestamp = NOW_MS + CLOCK_SKEW + 1, Error::RecordFromFuture);
	refused(|draft| draft.body.timestamp = u64::MAX, Error::RecordFromFuture);
	for timestamp in [NOW_MS - RECORD_AGE, NOW_MS + CLOCK_SKEW] {
		with_setup(|| {
			let mut draft = Draft::new(1);
			draft.body.timestamp = timestamp;
			assert_ok!(settle(draft.settlement()));
		});
	}
}

#[test]
fn settle_should_fail_when_the_anchor_is_unknown_old_or_on_a_fork() {
	let anchored = |number| move |draft: &mut Draft| *draft = draft.clone().anchored(number);
	refused(anchored(NOW), Error::AnchorUnknown);
	refused(anchored(u32::MAX), Error::AnchorUnknown);
	refused(anchored(NOW - ANCHOR_AGE - 1), Error::AnchorTooOld);
	refused(anchored(0), Error::AnchorTooOld);
	refused(|draft| draft.body.anchor.hash = H256::repeat_byte(1), Error::AnchorOnFork);
	with_setup(|| {
		let draft = Draft::new(1).anchored(NOW - ANCHOR_AGE);
		frame_system::BlockHash::<Test>::remove(NOW - ANCHOR_AGE);
		refuse(draft.settlement(), Error::<Test>::AnchorTooOld);
		frame_system::BlockHash::<Test>::insert(NOW - ANCHOR_AGE, hash_of(NOW - ANCHOR_AGE));
		assert_ok!(settle(draft.settlement()));
	});
}

#[test]
fn settle_should_fail_when_the_model_is_unknown_or_not_pinned() {
	with_setup(|| {
		let settlement = Draft::new(2).settlement();
		let (info, _) = read::<(ModelInfo, bool)>("model", MODEL).unwrap();
		put("model", MODEL, (info, false));
		refuse(settlement.clone(), NOT_PINNED);
		forget("model", MODEL);
		refuse(settlement, UNKNOWN_MODEL);
	});
}

#[test]
fn settle_should_fail_when_a_worker_may_not_work() {
	for refusal in [Refusal::Unregistered, Refusal::Unstaked, Refusal::Draining, Refusal::Unbonded]
	{
		with_setup(|| {
			put("worker-refusal", worker(1), refusal);
			refuse(Draft::new(2).settlement(), refusal);
		});
	}
}

#[test]
fn settle_should_fail_when_a_consent_does_not_permit() {
	for refusal in [Refusal::WrongTask, Refusal::WrongHour, Refusal::UnknownVersion] {
		with_setup(|| {
			put("consent-refusal", worker(1), refusal);
			refuse(Draft::new(2).settlement(), refusal);
		});
	}
	with_setup(|| {
		let mut draft = Draft::new(2);
		draft.body.stages[1].consent_version = 0;
		refuse(draft.settlement(), Refusal::UnknownVersion);
	});
}

#[test]
fn settle_should_fail_when_a_consent_asks_for_more() {
	with_setup(|| {
		put("minimum-price", worker(0), OFFER.output_price + 1);
		refuse(Draft::new(2).settlement(), Error::<Test>::PriceBelowConsent);
		put("minimum-price", worker(0), OFFER.output_price);
		assert_ok!(settle(Draft::new(2).settlement()));
	});
}

#[test]
fn settle_should_fail_when_signatures_are_wrong() {
	with_setup(|| {
		let sound = Draft::new(3).settlement();
		let stranger = Some(sign(STRANGER, &sound.id));

		let mut foreign = sound.clone();
		foreign.signatures[1] = stranger;
		refuse(foreign, Error::<Test>::BadStageSignature);

		let mut swapped = sound.clone();
		swapped.signatures[1] = sound.signatures[2].clone();
		refuse(swapped, Error::<Test>::BadStageSignature);

		let mut elsewhere = sound.clone();
		elsewhere.signatures[1] = Some(sign(WORKER + 1, &H256::zero()));
		refuse(elsewhere, Error::<Test>::BadStageSignature);

		let mut few = sound.clone();
		few.signatures.pop();
		refuse(few, Error::<Test>::SignatureCount);

		let mut many = sound.clone();
		many.signatures.try_push(None).unwrap();
		refuse(many, Error::<Test>::SignatureCount);
	});
}

#[test]
fn settle_should_fail_when_a_signature_is_missing_that_may_not_be() {
	with_setup(|| {
		let draft = Draft::new(3);
		refuse(draft.clone().without(&[0]).settlement(), Error::<Test>::MissingSignature);
		let at_grace = draft.clone().anchored(NOW - GRACE);
		refuse(at_grace.without(&[0]).settlement(), Error::<Test>::MissingSignature);
		let late = draft.anchored(NOW - GRACE - 1);
		refuse(late.clone().without(&[2]).settlement(), Error::<Test>::MissingSignature);
		assert_ok!(settle(late.without(&[0, 1]).settlement()));
	});
}

#[test]
fn settle_should_fail_when_another_request_is_to_pay() {
	with_setup(|| {
		let body = Draft::new(2).finished_body();
		let payment = Payment::Request(H256::repeat_byte(3));
		refuse(sign_record(body, payment, &[]), Error::<Test>::TicketMismatch);
	});
}
