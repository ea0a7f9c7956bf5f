//! Calls through utility, proxy, multisig and sudo: the same errors, and no way around a filter.

use crate::{
	chain::Executed,
	flow::*,
	state::{changes_only_the_fee, refuses},
};
use aria_primitives::{AccountId, ARIA};
use aria_runtime::{
	configs::ProxyType, Address, ProvenanceLedger, Runtime, RuntimeCall, RuntimeEvent,
};
use pallet_inference_market::Error as MarketError;
use pallet_model_registry::Error as ModelError;
use sp_keyring::Sr25519Keyring;
use sp_runtime::{DispatchError, DispatchResult};

type Utility = pallet_utility::Call<Runtime>;
type UtilityEvent = pallet_utility::Event;

fn address(who: Sr25519Keyring) -> Address {
	Address::Id(who.to_account_id())
}

fn batch_of(calls: Vec<RuntimeCall>) -> RuntimeCall {
	Utility::batch { calls }.into()
}

fn batch_all_of(calls: Vec<RuntimeCall>) -> RuntimeCall {
	Utility::batch_all { calls }.into()
}

fn force_batch_of(calls: Vec<RuntimeCall>) -> RuntimeCall {
	Utility::force_batch { calls }.into()
}

fn proxied(real: Sr25519Keyring, kind: Option<ProxyType>, call: RuntimeCall) -> RuntimeCall {
	RuntimeCall::Proxy(pallet_proxy::Call::proxy {
		real: address(real),
		force_proxy_type: kind,
		call: Box::new(call),
	})
}

fn add_proxy(kind: ProxyType, delay: u32) -> RuntimeCall {
	let delegate = address(SUBMITTER);
	RuntimeCall::Proxy(pallet_proxy::Call::add_proxy { delegate, proxy_type: kind, delay })
}

fn by_multisig(call: RuntimeCall) -> RuntimeCall {
	let mut other_signatories = vec![FIRST.to_account_id(), LAST.to_account_id()];
	other_signatories.sort();
	RuntimeCall::Multisig(pallet_multisig::Call::as_multi_threshold_1 {
		other_signatories,
		call: Box::new(call),
	})
}

fn by_derivative(call: RuntimeCall) -> RuntimeCall {
	Utility::as_derivative { index: 7, call: Box::new(call) }.into()
}

fn transfer(to: Sr25519Keyring) -> RuntimeCall {
	RuntimeCall::Balances(pallet_balances::Call::transfer_keep_alive {
		dest: address(to),
		value: ARIA,
	})
}

/// What came of the call that a proxy made.
fn proxy_result(executed: &Executed) -> Option<DispatchResult> {
	executed.events().find_map(|event| match event {
		RuntimeEvent::Proxy(pallet_proxy::Event::ProxyExecuted { result }) => Some(*result),
		_ => None,
	})
}

/// The error of a call within others, wherever it shows.
fn inner_error(executed: &Executed) -> Option<DispatchError> {
	let told = executed.events().find_map(|event| match event {
		RuntimeEvent::Utility(UtilityEvent::BatchInterrupted { error, .. })
		| RuntimeEvent::Utility(UtilityEvent::ItemFailed { error }) => Some(*error),
		_ => None,
	});
	told.or_else(|| proxy_result(executed)?.err()).or_else(|| executed.outcome(0).err())
}

/// Ways to make a call that is not one's own.
const WRAPPERS: [(&str, fn(RuntimeCall) -> RuntimeCall); 9] = [
	("batch", |call| batch_of(vec![call])),
	("batch_all", |call| batch_all_of(vec![call])),
	("force_batch", |call| force_batch_of(vec![call])),
	("as_derivative", by_derivative),
	("proxy", |call| proxied(GATEWAY, None, call)),
	("multisig", by_multisig),
	("proxy in a batch", |call| batch_of(vec![proxied(GATEWAY, None, call)])),
	("batch_all by a proxy", |call| proxied(GATEWAY, None, batch_all_of(vec![call]))),
	("batch in a batch of a multisig", |call| {
		by_multisig(force_batch_of(vec![batch_of(vec![call])]))
	}),
];

/// A chain on which the submitter may do everything for the gateway.
fn with_proxy() -> Flow {
	let mut flow = Flow::new();
	flow.chain.accept(vec![(GATEWAY, add_proxy(ProxyType::Any, 0))]);
	flow
}

#[test]
fn a_wrapped_call_should_fail_with_its_own_error_and_change_nothing() {
	let mut flow = with_proxy();
	let mut unsigned = flow.draft(1);
	unsigned.stage_keys[0] = Some(strange_key());
	let mut expired = flow.draft(1);
	expired.ticket.expiry = 1;
	let mut foreign = flow.draft(1);
	foreign.record_genesis = NOTHING;
	let mut absurd = flow.draft(1);
	absurd.stage(0, |stage| stage.energy_mj = u64::MAX);
	let mut ungated = flow.draft(1);
	ungated.gateway_key = strange_key();
	let lonely = batch(&flow.chain, vec![flow.draft(1)], &[FIRST, GATEWAY]);
	let failures: Vec<(RuntimeCall, DispatchError)> = vec![
		(settle(unsigned.seal()), MarketError::<Runtime>::BadStageSignature.into()),
		(settle(expired.seal()), MarketError::<Runtime>::TicketExpired.into()),
		(settle(foreign.seal()), MarketError::<Runtime>::RecordIdMismatch.into()),
		(settle(absurd.seal()), MarketError::<Runtime>::EnergyImplausible.into()),
		(settle(ungated.seal()), MarketError::<Runtime>::BadGatewaySignature.into()),
		(settle_batch(lonely), MarketError::<Runtime>::BatchFailed.into()),
		(Market::withdraw { amount: 1 }.into(), MarketError::<Runtime>::EscrowInsufficient.into()),
		(Models::pin { model: NOTHING }.into(), DispatchError::BadOrigin),
	];
	for (call, error) in failures {
		for (name, wrap) in WRAPPERS {
			let call = wrap(call.clone());
			let executed = changes_only_the_fee(&mut flow.chain, SUBMITTER, call, name);
			assert_eq!(inner_error(&executed), Some(error), "{name}");
		}
	}
}

#[test]
fn a_wrapped_settlement_should_settle() {
	let mut flow = with_proxy();
	let settlement = flow.draft(1).seal();
	for (name, wrap) in WRAPPERS {
		let mut flow = flow.fork();
		let executed = flow.chain.submit(SUBMITTER, wrap(settle(settlement.clone())));
		executed.assert_good();
		assert_eq!(inner_error(&executed), None, "{name}");
		let record = flow.chain.read(|| ProvenanceLedger::record(settlement.id));
		assert!(record.is_some(), "{name}");
	}
}

#[test]
fn a_batch_of_calls_should_keep_or_undo_what_went_before_as_it_says() {
	let mut flow = Flow::new();
	let good = settle(flow.draft(1).seal());
	let mut bad = flow.draft(2);
	bad.ticket.max_price = 0;
	let bad = settle(bad.seal());
	let error: DispatchError = MarketError::<Runtime>::PriceAboveTicket.into();

	// All or nothing.
	let call = batch_all_of(vec![good.clone(), bad.clone()]);
	refuses(&mut flow.chain, SUBMITTER, call, error, "batch_all");

	// Up to the first error, or whatever goes.
	for call in [
		batch_of(vec![good.clone(), bad.clone(), good.clone()]),
		force_batch_of(vec![bad.clone(), good.clone()]),
	] {
		let mut flow = flow.fork();
		let executed = flow.chain.submit(SUBMITTER, call);
		assert_eq!(inner_error(&executed), Some(error));
		assert!(flow.escrow().0 < ESCROW, "the good record is paid");
	}

	// Each ticket once, also within one extrinsic.
	let call = batch_all_of(vec![good.clone(), good]);
	let replayed = MarketError::<Runtime>::AlreadySettled.into();
	refuses(&mut flow.chain, SUBMITTER, call, replayed, "twice in a batch");
}

/// What comes of a call that the submitter makes for `real` as a proxy of this kind.
fn as_proxy(
	flow: &mut Flow,
	kind: ProxyType,
	real: Sr25519Keyring,
	call: RuntimeCall,
) -> DispatchResult {
	let mut flow = flow.fork();
	flow.chain.accept(vec![(real, add_proxy(kind, 0))]);
	let executed = flow.chain.submit(SUBMITTER, proxied(real, Some(kind), call));
	executed.assert_good();
	proxy_result(&executed).unwrap()
}

#[test]
fn proxies_should_do_what_their_kind_allows() {
	let mut flow = Flow::new();
	let id = flow.request(9);
	let model = flow.model;
	let good = || flow.draft(1);
	let sealed = settle(good().seal());
	let batched = settle_batch(batch(&flow.chain, vec![good()], &SIGNERS));
	let remark = RuntimeCall::System(frame_system::Call::remark { remark: vec![1] });
	use ProxyType::{Any, Gateway, NonTransfer, Worker};
	let allowed: Vec<(ProxyType, Sr25519Keyring, RuntimeCall)> = vec![
		(Any, REQUESTER, transfer(LAST)),
		(Any, REQUESTER, Market::withdraw { amount: ARIA }.into()),
		(Any, REQUESTER, remark.clone()),
		(NonTransfer, REQUESTER, Market::cancel_request { id }.into()),
		(NonTransfer, FIRST, Workers::drain {}.into()),
		(NonTransfer, REQUESTER, sealed.clone()),
		(NonTransfer, REQUESTER, remark),
		(Worker, FIRST, Workers::set_region { region: 40 }.into()),
		(Worker, FIRST, serve(model, 0, 10)),
		(Worker, FIRST, Workers::drain {}.into()),
		(Worker, FIRST, Workers::rest {}.into()),
		(Worker, FIRST, Consents::withdraw_consent {}.into()),
		(Worker, FIRST, sealed.clone()),
		(Worker, FIRST, batched.clone()),
		(Gateway, GATEWAY, Models::set_offer { model, offer: OFFER }.into()),
		(Gateway, GATEWAY, Models::remove_offer { model }.into()),
		(Gateway, GATEWAY, match_call(id, &[LAST]).into()),
		(Gateway, GATEWAY, sealed),
		(Gateway, GATEWAY, batched),
	];
	for (kind, real, call) in allowed {
		let shown = format!("{kind:?}: {call:?}");
		assert_eq!(as_proxy(&mut flow, kind, real, call), Ok(()), "{shown}");
	}
}

#[test]
fn proxies_should_not_do_what_their_kind_forbids() {
	let mut flow = Flow::new();
	let model = flow.model;
	let elsewhere: AccountId = SUBMITTER.to_account_id();
	let stolen = || consent(elsewhere.clone());
	let request: RuntimeCall = flow.request_call(1).into();
	let bytes = manifest().to_bytes().try_into().unwrap();
	use ProxyType::{Any, Gateway, NonTransfer, Worker};
	let forbidden: Vec<(ProxyType, Sr25519Keyring, RuntimeCall)> = vec![
		(NonTransfer, REQUESTER, transfer(SUBMITTER)),
		(NonTransfer, REQUESTER, Market::withdraw { amount: ARIA }.into()),
		(NonTransfer, REQUESTER, register_key(&strange_key(), KEY_EXPIRY)),
		(NonTransfer, REQUESTER, request.clone()),
		(NonTransfer, REQUESTER, update_key(ARIA, ARIA, KEY_EXPIRY)),
		(NonTransfer, REQUESTER, Consents::set_consent { consent: stolen() }.into()),
		(NonTransfer, REQUESTER, Consents::update_consent { consent: stolen() }.into()),
		(NonTransfer, REQUESTER, sudo(Workers::drain {})),
		(NonTransfer, REQUESTER, add_proxy(Any, 0)),
		(Worker, FIRST, transfer(SUBMITTER)),
		(Worker, FIRST, Consents::set_consent { consent: stolen() }.into()),
		(Worker, FIRST, Consents::update_consent { consent: stolen() }.into()),
		(Worker, FIRST, Workers::unbond {}.into()),
		(Worker, FIRST, Workers::withdraw {}.into()),
		(Worker, FIRST, Workers::bond_more { amount: ARIA }.into()),
		(Worker, FIRST, Workers::rotate_peer { peer: [1; 32], peer_signature: [2; 64] }.into()),
		(Worker, FIRST, Market::deposit { amount: ARIA }.into()),
		(Worker, FIRST, batch_of(vec![Workers::drain {}.into()])),
		(Worker, FIRST, add_proxy(Any, 0)),
		(Gateway, GATEWAY, transfer(SUBMITTER)),
		(Gateway, GATEWAY, Market::unbond_gateway {}.into()),
		(Gateway, GATEWAY, Market::withdraw_gateway_stake {}.into()),
		(Gateway, GATEWAY, Market::raise_gateway_stake { amount: ARIA }.into()),
		(Gateway, GATEWAY, Market::deposit { amount: ARIA }.into()),
		(Gateway, GATEWAY, request),
		(Gateway, GATEWAY, Models::register_model { manifest: bytes }.into()),
		(Gateway, GATEWAY, Models::unregister_model { model }.into()),
		(Gateway, GATEWAY, Workers::drain {}.into()),
	];
	let filtered: DispatchError = frame_system::Error::<Runtime>::CallFiltered.into();
	for (kind, real, call) in forbidden {
		let shown = format!("{kind:?}: {call:?}");
		assert_eq!(as_proxy(&mut flow, kind, real, call), Err(filtered), "{shown}");
	}
}

#[test]
fn a_filter_should_hold_for_calls_within_calls() {
	let mut flow = Flow::new();
	flow.chain.accept(vec![(REQUESTER, add_proxy(ProxyType::NonTransfer, 0))]);
	let filtered: DispatchError = frame_system::Error::<Runtime>::CallFiltered.into();
	for (name, call) in [
		("batch", batch_of(vec![transfer(SUBMITTER)])),
		("batch_all", batch_all_of(vec![transfer(SUBMITTER)])),
		("force_batch", force_batch_of(vec![transfer(SUBMITTER)])),
		("batch in a batch", batch_of(vec![batch_of(vec![transfer(SUBMITTER)])])),
	] {
		let call = proxied(REQUESTER, None, call);
		let executed = changes_only_the_fee(&mut flow.chain, SUBMITTER, call, name);
		assert_eq!(inner_error(&executed), Some(filtered), "{name}");
	}
}

#[test]
fn proxies_should_be_refused_when_they_are_not_or_not_yet_or_of_another_kind() {
	let mut flow = Flow::new();
	let call = || RuntimeCall::System(frame_system::Call::remark { remark: vec![1] });
	let not_proxy: DispatchError = pallet_proxy::Error::<Runtime>::NotProxy.into();
	let unannounced = pallet_proxy::Error::<Runtime>::Unannounced.into();
	let stranger = proxied(FIRST, None, call());
	refuses(&mut flow.chain, SUBMITTER, stranger, not_proxy, "a stranger");

	flow.chain.accept(vec![
		(FIRST, add_proxy(ProxyType::Worker, 0)),
		(LAST, add_proxy(ProxyType::Any, 10)),
	]);
	let more = proxied(FIRST, Some(ProxyType::Any), call());
	refuses(&mut flow.chain, SUBMITTER, more, not_proxy, "another kind");
	let early = proxied(LAST, None, call());
	refuses(&mut flow.chain, SUBMITTER, early, unannounced, "without notice");
}

#[test]
fn sudo_should_tell_the_errors_of_root_and_sign_for_nobody() {
	let mut flow = Flow::new();
	let good = flow.draft(1).seal();
	let alias = b"UPPER".to_vec().try_into().unwrap();
	let failures: Vec<(RuntimeCall, DispatchError)> = vec![
		(settle(good.clone()), DispatchError::BadOrigin),
		(Models::pin { model: NOTHING }.into(), ModelError::<Runtime>::UnknownModel.into()),
		(Models::pin { model: flow.model }.into(), ModelError::<Runtime>::AlreadyPinned.into()),
		(
			Models::set_alias { name: alias, model: flow.model }.into(),
			ModelError::<Runtime>::InvalidAlias.into(),
		),
	];
	for (call, error) in failures {
		let mut flow = flow.fork();
		let executed = flow.chain.submit(SUDO, sudo(call));
		assert_eq!(executed.outcome(0), Ok(()));
		let told = executed.find(|event| match event {
			RuntimeEvent::Sudo(pallet_sudo::Event::Sudid { sudo_result }) => Some(*sudo_result),
			_ => None,
		});
		assert_eq!(told, Err(error));
		assert!(flow.chain.read(|| ProvenanceLedger::record(good.id)).is_none());
	}
}
