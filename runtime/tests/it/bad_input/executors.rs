//! Models that are unknown or not pinned; workers without stake, draining, unbonded; consents that
//! do not permit the task or the hour. And workers who can't make what they worked on unpaid.

use super::{
	call, case, refuse_calls, refuse_settlements, ConsentError, MarketError, ModelError,
	WorkerError, NONCE,
};
use crate::flow::*;
use aria_primitives::{
	consent::{Consent, Schedule, TaskType, Window},
	ARIA,
};
use aria_runtime::parameters;

#[test]
fn records_should_be_refused_when_their_model_can_not_earn() {
	refuse_settlements(vec![
		case("unknown", ModelError::UnknownModel).draft(|_, draft| {
			draft.ticket.model_id = NOTHING;
			draft.body.model_id = NOTHING;
		}),
		case("not pinned", ModelError::NotPinned).given(|flow| {
			let unpin = sudo(Models::unpin { model: flow.model });
			flow.chain.accept(vec![(SUDO, unpin)]);
		}),
		case("not offered by the gateway", ModelError::NoOffer).given(|flow| {
			let remove = Models::remove_offer { model: flow.model };
			flow.chain.accept(vec![(GATEWAY, remove.into())]);
		}),
	]);
}

#[test]
fn records_should_be_refused_when_a_worker_may_not_work() {
	refuse_settlements(vec![
		case("a stranger", WorkerError::NotRegistered).draft(|_, draft| {
			draft.stage(0, |stage| stage.node = SUBMITTER.to_account_id());
			draft.stage_keys[0] = Some(SUBMITTER.pair());
		}),
		case("without stake", WorkerError::InsufficientStake).given(|flow| punish(flow, 1_000_000)),
		case("with less stake than the minimum", WorkerError::InsufficientStake)
			.given(|flow| punish(flow, 1)),
		case("draining", WorkerError::Draining).given(|flow| drain(flow, false)),
		case("resting", WorkerError::Resting).given(|flow| {
			flow.chain.accept(vec![(LAST, Workers::rest {}.into())]);
		}),
		case("unbonding", WorkerError::Unbonding).given(|flow| drain(flow, true)),
		case("unbonded", WorkerError::NotRegistered).given(|flow| {
			drain(flow, true);
			let free_at = flow.chain.head().number + parameters::WorkerUnbonding::get();
			flow.chain.jump_to(free_at);
			flow.chain.accept(vec![(LAST, Workers::withdraw {}.into())]);
		}),
		case("serving nothing", WorkerError::NotServing).given(serve_nothing),
		case("serving other layers", WorkerError::NotServing).given(serve_fewer),
	]);
}

#[test]
fn records_should_settle_when_a_worker_left_after_their_work_began() {
	let leaves: [fn(&mut Flow); 6] = [
		|flow| drain(flow, false),
		|flow| drain(flow, true),
		serve_nothing,
		serve_fewer,
		|flow| {
			serve_nothing(flow);
			drain(flow, true);
		},
		|flow| {
			serve_fewer(flow);
			flow.chain.blocks(parameters::ServedGrace::get() - 2);
		},
	];
	let mut base = Flow::new();
	for leave in leaves {
		// Given a record of work that both took on.
		let mut flow = base.fork();
		let mut draft = flow.draft(NONCE);
		// When one of them turns away, it still settles.
		leave(&mut flow);
		draft.body.timestamp = flow.chain.now();
		draft.ticket.expiry = flow.chain.head().number + 100;
		flow.settle(draft);
	}
}

#[test]
fn layers_should_not_be_dropped_when_others_were_just_before() {
	refuse_calls(vec![
		call("again", WorkerError::ServedChangedRecently, LAST, |flow| {
			serve_fewer(flow);
			serve(flow.model, 0, 28)
		}),
		call("after taking them back", WorkerError::ServedChangedRecently, LAST, |flow| {
			serve_nothing(flow);
			let all = serve(flow.model, 0, LAYERS);
			flow.chain.accept(vec![(LAST, all)]);
			Workers::set_served { shards: Default::default() }.into()
		}),
	]);
}

/// Lets the last worker serve nothing.
fn serve_nothing(flow: &mut Flow) {
	let nothing = Workers::set_served { shards: Default::default() };
	flow.chain.accept(vec![(LAST, nothing.into())]);
}

/// Lets the last worker serve all layers but the last.
fn serve_fewer(flow: &mut Flow) {
	let fewer = serve(flow.model, 0, LAYERS - 1);
	flow.chain.accept(vec![(LAST, fewer)]);
}

/// Burns a part of the stake of the last worker.
fn punish(flow: &mut Flow, slash_ppm: u32) {
	let punish = Workers::punish { worker: LAST.to_account_id(), slash_ppm };
	flow.chain.accept(vec![(SUDO, sudo(punish))]);
}

/// Lets the last worker drain, and unbond if asked for.
fn drain(flow: &mut Flow, unbond: bool) {
	let mut calls = vec![(LAST, Workers::drain {}.into())];
	if unbond {
		calls.push((LAST, Workers::unbond {}.into()));
	}
	flow.chain.accept(calls);
}

#[test]
fn records_should_be_refused_when_a_consent_does_not_cover_them() {
	refuse_settlements(vec![
		case("withdrawn", ConsentError::NoConsent).given(|flow| {
			flow.chain.accept(vec![(LAST, Consents::withdraw_consent {}.into())]);
		}),
		case("never given", ConsentError::NoConsent)
			.given(|flow| {
				let genesis = flow.chain.genesis();
				let register = register_worker(SUBMITTER, &genesis, ARIA);
				let serves = serve(flow.model, 0, LAYERS);
				flow.chain.accept(vec![(SUBMITTER, register), (SUBMITTER, serves)]);
			})
			.draft(|flow, draft| *draft = flow.draft_by(1, &[FIRST, SUBMITTER])),
		case("a version that never was", ConsentError::UnknownVersion)
			.draft(|_, draft| draft.stage(1, |stage| stage.consent_version = 2)),
		case("version 0", ConsentError::UnknownVersion)
			.draft(|_, draft| draft.stage(1, |stage| stage.consent_version = 0)),
		case("set after the anchor", ConsentError::VersionNotInForce)
			.given(|flow| update(flow, |consent| consent.cpu_percent = 10))
			.draft(|flow, draft| {
				draft.stage(1, |stage| stage.consent_version = 2);
				let before = flow.chain.head().number - 1;
				draft.body.anchor = flow.anchor(before);
			}),
		case("superseded too long ago", ConsentError::VersionNotInForce).given(|flow| {
			update(flow, |consent| consent.cpu_percent = 10);
			flow.chain.blocks(parameters::ConsentGrace::get());
		}),
		case("another task", ConsentError::TaskNotPermitted)
			.given(|flow| {
				update(flow, |consent| {
					consent.task_types =
						vec![TaskType::Embedding, TaskType::Audit].try_into().unwrap();
				});
			})
			.draft(|_, draft| draft.stage(1, |stage| stage.consent_version = 2)),
		// It is Sunday, 15 o'clock UTC.
		case("at night only", ConsentError::OutsideSchedule)
			.given(|flow| windows(flow, Schedule::ALL_DAYS, 0, &[(22 * 60, 6 * 60)]))
			.draft(|_, draft| draft.stage(1, |stage| stage.consent_version = 2)),
		case("on workdays only", ConsentError::OutsideSchedule)
			.given(|flow| windows(flow, 0b0001_1111, 0, &[(0, 24 * 60)]))
			.draft(|_, draft| draft.stage(1, |stage| stage.consent_version = 2)),
		case("in the afternoon of another time zone", ConsentError::OutsideSchedule)
			.given(|flow| windows(flow, Schedule::ALL_DAYS, -8 * 60, &[(12 * 60, 18 * 60)]))
			.draft(|_, draft| draft.stage(1, |stage| stage.consent_version = 2)),
		case("at no time", ConsentError::OutsideSchedule)
			.given(|flow| windows(flow, Schedule::ALL_DAYS, 0, &[]))
			.draft(|_, draft| draft.stage(1, |stage| stage.consent_version = 2)),
		case("for a higher price", MarketError::PriceBelowConsent)
			.given(|flow| {
				update(flow, |consent| {
					consent.reward_preference.minimum_price = OFFER.output_price + 1;
				});
			})
			.draft(|_, draft| draft.stage(1, |stage| stage.consent_version = 2)),
	]);
}

/// Sets version 2 of the last worker's consent.
fn update(flow: &mut Flow, change: impl FnOnce(&mut Consent)) {
	let mut consent = consent(LAST.to_account_id());
	change(&mut consent);
	flow.chain.accept(vec![(LAST, Consents::update_consent { consent }.into())]);
}

/// Sets a schedule in version 2 of the last worker's consent.
fn windows(flow: &mut Flow, days: u8, utc_offset_minutes: i16, windows: &[(u16, u16)]) {
	let windows: Vec<Window> =
		windows.iter().map(|(from, to)| Window { from: *from, to: *to }).collect();
	let windows = windows.try_into().unwrap();
	let schedule = Schedule { days, utc_offset_minutes, windows };
	update(flow, |consent| consent.schedule = schedule);
}
