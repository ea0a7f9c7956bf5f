//! The council: what it decides, with how many votes, and what nobody gets past it.

use crate::{
	chain::{Chain, Executed},
	flow::*,
	state::refuses,
};
use aria_primitives::{AccountId, ModelId};
use aria_runtime::{
	configs::{CouncilInstance, ProxyType},
	dynamic::{dynamic_params, AuditParameters, RuntimeParameters},
	parameters, Address, Runtime, RuntimeCall, RuntimeEvent, System,
};
use codec::Encode;
use frame_support::{dispatch::GetDispatchInfo, traits::Get};
use pallet_model_registry::{Aliases, PinnedModels};
use sp_core::H256;
use sp_genesis_builder::LOCAL_TESTNET_RUNTIME_PRESET;
use sp_keyring::Sr25519Keyring;
use sp_runtime::{
	traits::{BlakeTwo256, Hash},
	DispatchError, DispatchResult,
};

type Council = pallet_collective::Call<Runtime, CouncilInstance>;
type CouncilError = pallet_collective::Error<Runtime, CouncilInstance>;
type CouncilEvent = pallet_collective::Event<Runtime, CouncilInstance>;
type Whitelist = pallet_whitelist::Call<Runtime>;

/// The council of the built-in chains.
const MEMBERS: [Sr25519Keyring; 3] = [SUDO, FIRST, LAST];

fn hash_of(call: &RuntimeCall) -> H256 {
	BlakeTwo256::hash_of(call)
}

fn length(call: &RuntimeCall) -> u32 {
	call.encoded_size() as u32
}

fn propose(threshold: u32, call: &RuntimeCall) -> RuntimeCall {
	RuntimeCall::Council(Council::propose {
		threshold,
		proposal: Box::new(call.clone()),
		length_bound: length(call),
	})
}

fn vote(call: &RuntimeCall, index: u32, approve: bool) -> RuntimeCall {
	RuntimeCall::Council(Council::vote { proposal: hash_of(call), index, approve })
}

fn close(call: &RuntimeCall, index: u32) -> RuntimeCall {
	RuntimeCall::Council(Council::close {
		proposal_hash: hash_of(call),
		index,
		proposal_weight_bound: call.get_dispatch_info().call_weight,
		length_bound: length(call),
	})
}

/// How many motions there were.
fn motions(chain: &mut Chain) -> u32 {
	chain.read(pallet_collective::ProposalCount::<Runtime, CouncilInstance>::get)
}

fn open_motions(chain: &mut Chain) -> usize {
	chain.read(|| pallet_collective::Proposals::<Runtime, CouncilInstance>::get().len())
}

/// What came of a call that the council made, if it made one.
fn executed_by_council(executed: &Executed) -> Option<DispatchResult> {
	executed.events().find_map(|event| match event {
		RuntimeEvent::Council(
			CouncilEvent::Executed { result, .. } | CouncilEvent::MemberExecuted { result, .. },
		) => Some(*result),
		_ => None,
	})
}

/// Makes a motion that needs the votes of all of `ayes`, who vote for it, and closes it by somebody
/// from outside. Returns what came of the call.
fn decide(chain: &mut Chain, ayes: &[Sr25519Keyring], call: &RuntimeCall) -> DispatchResult {
	let index = motions(chain);
	let mut calls = vec![(ayes[0], propose(ayes.len() as u32, call))];
	calls.extend(ayes.iter().map(|member| (*member, vote(call, index, true))));
	calls.push((SUBMITTER, close(call, index)));
	let executed = chain.accept(calls);
	executed_by_council(&executed).expect("the motion was carried")
}

fn pinned(chain: &mut Chain) -> Vec<ModelId> {
	chain.read(|| PinnedModels::<Runtime>::get().into_inner())
}

fn set_window(blocks: u32) -> RuntimeCall {
	use dynamic_params::audit::{Parameters, Window};
	let key_value = RuntimeParameters::Audit(Parameters::Window(Window, Some(blocks)));
	RuntimeCall::Parameters(pallet_parameters::Call::set_parameter { key_value })
}

fn whitelist(call: &RuntimeCall) -> RuntimeCall {
	RuntimeCall::Whitelist(Whitelist::whitelist_call { call_hash: hash_of(call) })
}

fn dispatch_whitelisted(call: &RuntimeCall) -> RuntimeCall {
	let call = Box::new(call.clone());
	RuntimeCall::Whitelist(Whitelist::dispatch_whitelisted_call_with_preimage { call })
}

/// The same for a call whose preimage lies on chain.
fn dispatch_by_hash(call: &RuntimeCall) -> RuntimeCall {
	RuntimeCall::Whitelist(Whitelist::dispatch_whitelisted_call {
		call_hash: hash_of(call),
		call_encoded_len: length(call),
		call_weight_witness: call.get_dispatch_info().call_weight,
	})
}

/// Why a call is not executed whose hash is not on the list.
fn unlisted() -> DispatchError {
	frame_system::Error::<Runtime>::CallFiltered.into()
}

/// What came of a whitelisted call.
fn dispatched(executed: &Executed) -> DispatchResult {
	executed.find(|event| match event {
		RuntimeEvent::Whitelist(pallet_whitelist::Event::WhitelistedCallDispatched {
			result,
			..
		}) => Some(match result {
			Ok(_) => Ok(()),
			Err(failed) => Err(failed.error),
		}),
		_ => None,
	})
}

fn authorize_upgrade(code_hash: H256) -> RuntimeCall {
	RuntimeCall::System(frame_system::Call::authorize_upgrade { code_hash })
}

#[test]
fn more_than_half_of_the_council_should_decide_on_models_names_and_parameters() {
	let mut flow = Flow::new();
	let (model, chain) = (flow.model, &mut flow.chain);
	let majority = [FIRST, LAST];

	assert_eq!(decide(chain, &majority, &Models::unpin { model }.into()), Ok(()));
	assert!(pinned(chain).is_empty());
	assert_eq!(decide(chain, &majority, &Models::pin { model }.into()), Ok(()));
	assert_eq!(pinned(chain), [model]);

	let name: pallet_model_registry::AliasName = b"aria-council".to_vec().try_into().unwrap();
	let named: RuntimeCall = Models::set_alias { name: name.clone(), model }.into();
	assert_eq!(decide(chain, &majority, &named), Ok(()));
	assert_eq!(chain.read(|| Aliases::<Runtime>::get(name)), Some(model));

	assert_eq!(decide(chain, &majority, &set_window(250)), Ok(()));
	assert_eq!(chain.read(|| AuditParameters::get().window), 250);
	assert_eq!(open_motions(chain), 0);
}

#[test]
fn a_motion_of_a_minority_should_not_pin() {
	let mut flow = Flow::new();
	let (model, chain) = (flow.model, &mut flow.chain);
	let unpin: RuntimeCall = Models::unpin { model }.into();

	// With a threshold of one a motion is executed at once, with the power of one.
	let executed = chain.accept(vec![(FIRST, propose(1, &unpin))]);
	assert_eq!(executed_by_council(&executed), Some(Err(DispatchError::BadOrigin)));

	// Nor does a member have more power alone.
	let alone =
		Council::execute { proposal: Box::new(unpin.clone()), length_bound: length(&unpin) };
	let executed = chain.accept(vec![(FIRST, RuntimeCall::Council(alone))]);
	assert_eq!(executed_by_council(&executed), Some(Err(DispatchError::BadOrigin)));
	refuses(chain, FIRST, unpin.clone(), DispatchError::BadOrigin, "a member by itself");

	// One vote of three does not carry a motion, nor does it when the time is over.
	let index = motions(chain);
	chain.accept(vec![(FIRST, propose(2, &unpin)), (FIRST, vote(&unpin, index, true))]);
	refuses(chain, SUBMITTER, close(&unpin, index), CouncilError::TooEarly.into(), "early");
	let twice = vote(&unpin, index, true);
	refuses(chain, FIRST, twice, CouncilError::DuplicateVote.into(), "a vote counts once");
	let again = propose(2, &unpin);
	refuses(chain, LAST, again, CouncilError::DuplicateProposal.into(), "the same motion");
	let end = chain.next_number() + parameters::MotionDuration::get();
	chain.jump_to(end);
	let executed = chain.accept(vec![(SUBMITTER, close(&unpin, index))]);
	assert_eq!(executed_by_council(&executed), None);
	assert_eq!((pinned(chain), open_motions(chain)), (vec![model], 0));
}

#[test]
fn a_motion_should_fall_as_soon_as_it_can_not_be_carried_any_more() {
	let mut flow = Flow::new();
	let (model, chain) = (flow.model, &mut flow.chain);
	let unpin: RuntimeCall = Models::unpin { model }.into();
	let index = motions(chain);
	let executed = chain.accept(vec![
		(SUDO, propose(2, &unpin)),
		(SUDO, vote(&unpin, index, true)),
		(FIRST, vote(&unpin, index, false)),
		(LAST, vote(&unpin, index, false)),
		(SUBMITTER, close(&unpin, index)),
	]);
	assert_eq!(executed_by_council(&executed), None);
	assert_eq!((pinned(chain), open_motions(chain)), (vec![model], 0));
}

#[test]
fn a_stranger_should_neither_move_nor_vote_nor_pin() {
	let mut flow = Flow::new();
	let (model, chain) = (flow.model, &mut flow.chain);
	let unpin: RuntimeCall = Models::unpin { model }.into();
	let index = motions(chain);
	chain.accept(vec![(FIRST, propose(2, &unpin))]);
	let stranger: DispatchError = CouncilError::NotMember.into();
	let other = set_window(300);
	let bad = DispatchError::BadOrigin;
	for (call, error, name) in [
		(propose(2, &other), stranger, "propose"),
		(vote(&unpin, index, true), stranger, "vote"),
		(unpin.clone(), bad, "unpin"),
		(other.clone(), bad, "set_parameter"),
		(whitelist(&other), bad, "whitelist_call"),
		(dispatch_whitelisted(&other), unlisted(), "dispatch_whitelisted_call_with_preimage"),
		(dispatch_by_hash(&other), unlisted(), "dispatch_whitelisted_call"),
		(close(&unpin, index + 1), CouncilError::WrongIndex.into(), "close another motion"),
		(close(&other, index), CouncilError::ProposalMissing.into(), "close no motion"),
	] {
		refuses(chain, SUBMITTER, call, error, name);
	}
	assert_eq!(pinned(chain), [model]);
}

#[test]
fn there_should_be_no_more_motions_than_may_be_and_none_that_is_too_heavy() {
	let mut flow = Flow::new();
	let chain = &mut flow.chain;
	for blocks in 0..parameters::MaxMotions::get() {
		chain.accept(vec![(FIRST, propose(2, &set_window(200 + blocks)))]);
	}
	let full = CouncilError::TooManyProposals.into();
	refuses(chain, FIRST, propose(2, &set_window(100)), full, "one more");

	let batch = |calls: u64| {
		let calls = vec![set_window(100); calls as usize];
		RuntimeCall::Utility(pallet_utility::Call::batch { calls })
	};
	let each = set_window(100).get_dispatch_info().call_weight.ref_time();
	let heavy = batch(parameters::MaxMotionWeight::get().ref_time() / each + 1);
	let error = CouncilError::WrongProposalWeight.into();
	refuses(chain, FIRST, propose(2, &heavy), error, "too heavy");
}

/// A chain as a live one starts: nobody has the sudo key.
fn without_sudo() -> Chain {
	Chain::with_genesis(LOCAL_TESTNET_RUNTIME_PRESET, |config| {
		config["sudo"]["key"] = serde_json::Value::Null;
	})
}

#[test]
fn three_quarters_of_the_council_should_have_the_powers_of_root_where_nobody_has_sudo() {
	let mut chain = without_sudo();
	let upgrade = authorize_upgrade(H256::repeat_byte(7));
	let no_sudo = pallet_sudo::Error::<Runtime>::RequireSudo.into();
	refuses(&mut chain, SUDO, sudo(upgrade.clone()), no_sudo, "sudo without a key");

	// Two of three are a majority, but not three quarters.
	let majority = decide(&mut chain, &MEMBERS[..2], &whitelist(&upgrade));
	assert_eq!(majority, Err(DispatchError::BadOrigin));
	let direct = decide(&mut chain, &MEMBERS, &upgrade);
	assert_eq!(direct, Err(DispatchError::BadOrigin), "no motion is root itself");

	assert_eq!(decide(&mut chain, &MEMBERS, &whitelist(&upgrade)), Ok(()));
	assert!(chain.read(System::authorized_upgrade).is_none());
	let executed = chain.accept(vec![(SUBMITTER, dispatch_whitelisted(&upgrade))]);
	assert_eq!(dispatched(&executed), Ok(()));
	assert!(chain.read(System::authorized_upgrade).is_some());

	// Once.
	refuses(&mut chain, SUBMITTER, dispatch_whitelisted(&upgrade), unlisted(), "twice");
	refuses(&mut chain, SUBMITTER, dispatch_by_hash(&upgrade), unlisted(), "twice, by its hash");
}

#[test]
fn what_is_not_listed_should_leave_nothing_in_the_state_however_it_is_wrapped() {
	let mut chain = without_sudo();
	let call = authorize_upgrade(H256::repeat_byte(9));
	let wrapped = RuntimeCall::Utility(pallet_utility::Call::batch_all {
		calls: vec![dispatch_whitelisted(&call), dispatch_by_hash(&call)],
	});
	refuses(&mut chain, SUBMITTER, wrapped, unlisted(), "in a batch");
	// Not even of the council.
	refuses(&mut chain, FIRST, dispatch_by_hash(&call), unlisted(), "a member");
	let deferred = || pallet_whitelist::DeferredDispatch::<Runtime>::iter().count();
	assert_eq!(chain.read(deferred), 0);
	// A call that is listed waits for nobody.
	assert_eq!(decide(&mut chain, &MEMBERS, &whitelist(&call)), Ok(()));
	let executed = chain.accept(vec![(SUBMITTER, dispatch_whitelisted(&call))]);
	assert_eq!(dispatched(&executed), Ok(()));
	assert_eq!(chain.read(deferred), 0);
}

#[test]
fn the_council_should_be_replaced_by_itself_where_nobody_has_sudo() {
	let mut chain = without_sudo();
	let mut members: Vec<AccountId> =
		[GATEWAY, REQUESTER, SUBMITTER].iter().map(|key| key.to_account_id()).collect();
	members.sort();
	let replace = RuntimeCall::Council(Council::set_members {
		new_members: members.clone(),
		prime: None,
		old_count: MEMBERS.len() as u32,
	});
	assert_eq!(decide(&mut chain, &MEMBERS, &whitelist(&replace)), Ok(()));
	// A motion that is open when those who voted for it leave.
	let (call, index) = (set_window(400), motions(&mut chain));
	let votes = [FIRST, LAST].map(|member| (member, vote(&call, index, true)));
	let mut calls = vec![(FIRST, propose(2, &call))];
	calls.extend(votes);
	chain.accept(calls);

	chain.accept(vec![(SUBMITTER, dispatch_whitelisted(&replace))]);

	let seated = chain.read(pallet_collective::Members::<Runtime, CouncilInstance>::get);
	assert_eq!(seated, members);
	let early = CouncilError::TooEarly.into();
	refuses(&mut chain, SUBMITTER, close(&call, index), early, "their votes left with them");
	let stranger = CouncilError::NotMember.into();
	refuses(&mut chain, FIRST, propose(2, &set_window(500)), stranger, "a former member");
	assert_eq!(decide(&mut chain, &[GATEWAY, REQUESTER], &set_window(500)), Ok(()));
}

#[test]
fn a_councils_proxy_should_move_and_vote_and_others_not() {
	let mut flow = Flow::new();
	let model = flow.model;
	let unpin: RuntimeCall = Models::unpin { model }.into();
	let index = motions(&mut flow.chain);
	let address = |who: Sr25519Keyring| Address::Id(who.to_account_id());
	let by_proxy = |kind: ProxyType, call: &RuntimeCall| {
		RuntimeCall::Proxy(pallet_proxy::Call::proxy {
			real: address(FIRST),
			force_proxy_type: Some(kind),
			call: Box::new(call.clone()),
		})
	};
	let mut result = |kind: ProxyType, call: &RuntimeCall| -> DispatchResult {
		let mut flow = flow.fork();
		let delegate = address(SUBMITTER);
		let add = pallet_proxy::Call::add_proxy { delegate, proxy_type: kind, delay: 0 };
		flow.chain.accept(vec![(LAST, propose(2, &unpin)), (FIRST, RuntimeCall::Proxy(add))]);
		let executed = flow.chain.submit(SUBMITTER, by_proxy(kind, call));
		executed.assert_good();
		executed.find(|event| match event {
			RuntimeEvent::Proxy(pallet_proxy::Event::ProxyExecuted { result }) => Some(*result),
			_ => None,
		})
	};
	let filtered: DispatchError = frame_system::Error::<Runtime>::CallFiltered.into();
	let (aye, motion) = (vote(&unpin, index, true), propose(2, &set_window(200)));
	let alone = RuntimeCall::Council(Council::execute {
		proposal: Box::new(unpin.clone()),
		length_bound: length(&unpin),
	});

	for call in [&aye, &motion] {
		assert_eq!(result(ProxyType::Council, call), Ok(()));
		assert_eq!(result(ProxyType::Any, call), Ok(()));
		for kind in [ProxyType::NonTransfer, ProxyType::Worker, ProxyType::Gateway] {
			assert_eq!(result(kind, call), Err(filtered), "{kind:?}");
		}
	}
	let drain: RuntimeCall = Workers::drain {}.into();
	for call in [&alone, &drain, &dispatch_whitelisted(&unpin)] {
		assert_eq!(result(ProxyType::Council, call), Err(filtered), "{call:?}");
	}
	let whitelisted = dispatch_whitelisted(&unpin);
	assert_eq!(result(ProxyType::NonTransfer, &whitelisted), Err(filtered));
}
