//! Records that are not sound: anchors, genesis, signatures, layers, energy, tokens, time.

use super::{case, refuse_settlements, MarketError};
use crate::flow::*;
use aria_primitives::record::{LayerRange, RecordBody};
use aria_runtime::parameters;
use sp_core::Pair;

#[test]
fn records_should_be_refused_when_their_anchor_is_no_recent_block_of_this_chain() {
	refuse_settlements(vec![
		case("the block that settles it", MarketError::AnchorUnknown)
			.draft(|flow, draft| draft.body.anchor.number = flow.chain.next_number()),
		case("a block of the future", MarketError::AnchorUnknown)
			.draft(|_, draft| draft.body.anchor.number = u32::MAX),
		case("too old", MarketError::AnchorTooOld)
			.given(|flow| flow.chain.blocks(parameters::MaxAnchorAge::get()))
			.draft(|flow, draft| {
				let number = flow.chain.next_number() - parameters::MaxAnchorAge::get() - 1;
				draft.body.anchor = flow.anchor(number);
			}),
		case("ages old", MarketError::AnchorTooOld)
			.given(|flow| {
				flow.chain.jump_to(10_000);
				flow.chain.blocks(1);
			})
			.draft(|flow, draft| draft.body.anchor = flow.anchor(2)),
		case("on a fork", MarketError::AnchorOnFork)
			.draft(|_, draft| draft.body.anchor.hash = NOTHING),
		case("the hash of another block", MarketError::AnchorOnFork)
			.draft(|_, draft| draft.body.anchor.number -= 1),
	]);
}

#[test]
fn records_should_be_refused_when_their_id_is_not_theirs_on_this_chain() {
	refuse_settlements(vec![
		case("of another genesis", MarketError::RecordIdMismatch)
			.draft(|_, draft| draft.record_genesis = NOTHING),
		case("wholly of another genesis", MarketError::RecordIdMismatch).draft(|_, draft| {
			draft.record_genesis = NOTHING;
			draft.ticket_genesis = NOTHING;
		}),
		case("altered after it was signed", MarketError::RecordIdMismatch)
			.sealed(|_, settlement| settlement.body.output_hash = NOTHING),
		case("under another id", MarketError::RecordIdMismatch)
			.sealed(|_, settlement| settlement.id = NOTHING),
		case("of an unknown version", MarketError::UnknownRecordVersion)
			.draft(|_, draft| draft.body.version = 2),
		case("of version 0", MarketError::UnknownRecordVersion)
			.draft(|_, draft| draft.body.version = 0),
	]);
}

#[test]
fn records_should_be_refused_when_signatures_are_wrong_missing_or_duplicate() {
	refuse_settlements(vec![
		case("a stage signed by another key", MarketError::BadStageSignature)
			.draft(|_, draft| draft.stage_keys[0] = Some(strange_key())),
		case("a stage signed by the other stage", MarketError::BadStageSignature)
			.draft(|_, draft| draft.stage_keys[1] = Some(FIRST.pair())),
		case("signatures in the wrong order", MarketError::BadStageSignature).sealed(
			|_, settlement| {
				let first = settlement.signatures.remove(0);
				settlement.signatures.try_push(first).unwrap();
			},
		),
		case("one signature twice", MarketError::BadStageSignature)
			.sealed(|_, settlement| settlement.signatures[1] = settlement.signatures[0].clone()),
		case("a signature over another record", MarketError::BadStageSignature)
			.given(|flow| {
				let draft = flow.draft(1);
				flow.settle(draft);
			})
			.sealed(|flow, settlement| {
				let other = flow.last.clone().unwrap();
				settlement.signatures[0] = other.signatures[0].clone();
			}),
		case("a signature over the ticket", MarketError::BadStageSignature).sealed(
			|_, settlement| {
				let ticket = settlement.body.ticket_hash;
				settlement.signatures[0] = Some(FIRST.pair().sign(ticket.as_bytes()).into());
			},
		),
		case("a stage that may still sign", MarketError::MissingSignature)
			.draft(|_, draft| draft.stage_keys[0] = None),
		case("the last stage missing", MarketError::MissingSignature)
			.draft(|_, draft| draft.stage_keys[1] = None),
		case("the last stage missing after the grace", MarketError::MissingSignature)
			.given(|flow| flow.chain.blocks(parameters::SigningGrace::get() + 10))
			.draft(|flow, draft| {
				let number = flow.chain.next_number() - parameters::SigningGrace::get() - 2;
				draft.body.anchor = flow.anchor(number);
				draft.stage_keys[1] = None;
			}),
		case("nobody signed", MarketError::MissingSignature)
			.draft(|_, draft| draft.stage_keys = vec![None, None]),
		case("fewer signatures than stages", MarketError::SignatureCount)
			.draft(|_, draft| draft.stage_keys.truncate(1)),
		case("no signatures", MarketError::SignatureCount)
			.draft(|_, draft| draft.stage_keys.clear()),
		case("more signatures than stages", MarketError::SignatureCount)
			.draft(|_, draft| draft.stage_keys.push(Some(LAST.pair()))),
	]);
}

/// Sets the layers of both stages.
fn layers(draft: &mut Draft, first: (u16, u16), last: (u16, u16)) {
	draft.stage(0, |stage| stage.layers = LayerRange { first: first.0, end: first.1 });
	draft.stage(1, |stage| stage.layers = LayerRange { first: last.0, end: last.1 });
}

#[test]
fn records_should_be_refused_when_their_stages_do_not_follow_each_other() {
	refuse_settlements(vec![
		case("overlapping", MarketError::LayersOverlap)
			.draft(|_, draft| layers(draft, (0, 15), (14, 30))),
		case("both all", MarketError::LayersOverlap)
			.draft(|_, draft| layers(draft, (0, 30), (0, 30))),
		case("a gap", MarketError::LayersIncomplete)
			.draft(|_, draft| layers(draft, (0, 15), (16, 30))),
		case("without the first layer", MarketError::LayersIncomplete)
			.draft(|_, draft| layers(draft, (1, 15), (15, 30))),
		case("without the last layer", MarketError::LayersIncomplete)
			.draft(|_, draft| layers(draft, (0, 15), (15, 29))),
		case("in the wrong order", MarketError::LayersIncomplete)
			.draft(|_, draft| layers(draft, (15, 30), (0, 15))),
		case("beyond the model", MarketError::LayersBeyondModel)
			.draft(|_, draft| layers(draft, (0, 15), (15, 31))),
		case("far beyond the model", MarketError::LayersBeyondModel)
			.draft(|_, draft| layers(draft, (0, 15), (15, u16::MAX))),
		case("a stage without layers", MarketError::EmptyStage)
			.draft(|_, draft| layers(draft, (0, 0), (0, 30))),
		case("a stage backwards", MarketError::EmptyStage)
			.draft(|_, draft| layers(draft, (15, 0), (0, 30))),
		case("a node twice", MarketError::DuplicateStage).draft(|_, draft| {
			draft.stage(1, |stage| stage.node = FIRST.to_account_id());
			draft.stage_keys[1] = Some(FIRST.pair());
		}),
		case("no stages", MarketError::NoStages).draft(|_, draft| {
			draft.stages(Vec::new());
			draft.stage_keys.clear();
			draft.body.boundaries.truncate(1);
		}),
		case("a boundary missing", MarketError::BoundaryCount).draft(|_, draft| {
			draft.body.boundaries.pop();
		}),
		case("a boundary too many", MarketError::BoundaryCount)
			.draft(|_, draft| draft.body.boundaries.try_push(NOTHING).unwrap()),
		case("no boundaries", MarketError::BoundaryCount)
			.draft(|_, draft| draft.body.boundaries.truncate(0)),
	]);
}

/// The most energy that a stage may state.
fn most(body: &RecordBody) -> u64 {
	parameters::MaxStagePower::get() * u64::from(body.latency_ms) / 1_000
}

#[test]
fn records_should_be_refused_when_their_energy_is_zero_or_absurd() {
	refuse_settlements(vec![
		case("a stage without energy", MarketError::EnergyZero)
			.draft(|_, draft| draft.stage(1, |stage| stage.energy_mj = 0)),
		case("no energy at all", MarketError::EnergyZero).draft(|_, draft| {
			draft.stage(0, |stage| stage.energy_mj = 0);
			draft.stage(1, |stage| stage.energy_mj = 0);
		}),
		case("more power than a machine has", MarketError::EnergyImplausible).draft(|_, draft| {
			let absurd = most(&draft.body) + 1;
			draft.stage(0, |stage| stage.energy_mj = absurd);
		}),
		case("as much as can be written", MarketError::EnergyImplausible).draft(|_, draft| {
			draft.stage(0, |stage| stage.energy_mj = u64::MAX);
			draft.stage(1, |stage| stage.energy_mj = u64::MAX);
		}),
		case("in no time", MarketError::EnergyImplausible).draft(|_, draft| {
			draft.body.latency_ms = 1;
		}),
		case("a sum that is too small", MarketError::EnergySumMismatch)
			.draft(|_, draft| draft.body.energy_mj -= 1),
		case("a sum that is too large", MarketError::EnergySumMismatch)
			.draft(|_, draft| draft.body.energy_mj = u64::MAX),
	]);
}

#[test]
fn records_should_be_refused_when_their_tokens_or_times_are_impossible() {
	refuse_settlements(vec![
		case("nothing computed", MarketError::NoTokens).draft(|_, draft| {
			draft.body.cached_tokens = draft.body.prompt_tokens;
			draft.body.output_tokens = 0;
		}),
		case("more cached than asked", MarketError::CachedExceedsPrompt)
			.draft(|_, draft| draft.body.cached_tokens = draft.body.prompt_tokens + 1),
		case("more tokens than the context", MarketError::TokensExceedContext)
			.draft(|_, draft| draft.body.output_tokens = manifest().context),
		case("as many tokens as can be written", MarketError::TokensExceedContext).draft(
			|_, draft| {
				draft.body.prompt_tokens = u32::MAX;
				draft.body.output_tokens = u32::MAX;
			},
		),
		case("no time", MarketError::LatencyZero).draft(|_, draft| draft.body.latency_ms = 0),
		case("49 days", MarketError::LatencyTooLong)
			.draft(|_, draft| draft.body.latency_ms = u32::MAX),
		case("ended too long ago", MarketError::RecordTooOld)
			.draft(|_, draft| draft.body.timestamp -= parameters::MaxRecordAge::get() + 1),
		case("ended in 1970", MarketError::RecordTooOld).draft(|_, draft| draft.body.timestamp = 0),
		case("ends in the future", MarketError::RecordFromFuture).draft(|_, draft| {
			// The block that settles it comes half a second later.
			draft.body.timestamp += parameters::MaxClockSkew::get() + 501;
		}),
		case("ends at the end of time", MarketError::RecordFromFuture)
			.draft(|_, draft| draft.body.timestamp = u64::MAX),
	]);
}
