//! Consents, manifests, offers and workers that the registries refuse.

use super::{call, refuse_calls, CallCase, ConsentError, ModelError, WorkerError};
use crate::flow::*;
use aria_primitives::{
	consent::{Consent, TaskType, Window, MAX_OFFSET_MINUTES},
	manifest::Manifest,
	record::LayerRange,
	traits::Offer,
	ARIA,
};
use aria_runtime::{parameters, Runtime, RuntimeCall};
use pallet_worker_registry::ServedShard;
use sp_core::Pair;
use sp_runtime::{DispatchError, TokenError};

/// A call about consent by somebody who has none.
fn set(name: &'static str, error: ConsentError, make: fn(&mut Flow) -> RuntimeCall) -> CallCase {
	call(name, error, SUBMITTER, make)
}

/// A first consent after a change.
fn consented(change: impl FnOnce(&mut Consent)) -> RuntimeCall {
	let mut consent = consent(PAYOUT);
	change(&mut consent);
	Consents::set_consent { consent }.into()
}

fn window(from: u16, to: u16) -> RuntimeCall {
	consented(|c| c.schedule.windows = vec![Window { from, to }].try_into().unwrap())
}

#[test]
fn consents_should_be_refused_when_their_terms_make_no_sense() {
	refuse_calls(vec![
		set("no CPU", ConsentError::CpuPercentOutOfRange, |_| consented(|c| c.cpu_percent = 0)),
		set("too much CPU", ConsentError::CpuPercentOutOfRange, |_| {
			consented(|c| c.cpu_percent = 101)
		}),
		set("an eighth day", ConsentError::InvalidSchedule, |_| {
			consented(|c| c.schedule.days = 0b1000_0000)
		}),
		set("a window of no time", ConsentError::InvalidSchedule, |_| window(600, 600)),
		set("a window from the next day", ConsentError::InvalidSchedule, |_| window(1_440, 60)),
		set("a window into the next day", ConsentError::InvalidSchedule, |_| window(60, 1_441)),
		set("a window beyond all days", ConsentError::InvalidSchedule, |_| window(0, u16::MAX)),
		set("a time zone in the east", ConsentError::InvalidSchedule, |_| {
			consented(|c| c.schedule.utc_offset_minutes = MAX_OFFSET_MINUTES + 1)
		}),
		set("a time zone in the west", ConsentError::InvalidSchedule, |_| {
			consented(|c| c.schedule.utc_offset_minutes = i16::MIN)
		}),
		set("no task", ConsentError::NoTaskTypes, |_| {
			consented(|c| c.task_types = Default::default())
		}),
		set("a task twice", ConsentError::DuplicateTaskType, |_| {
			consented(|c| c.task_types = vec![TaskType::Audit; 2].try_into().unwrap())
		}),
		set("no bandwidth", ConsentError::BandwidthZero, |_| {
			consented(|c| c.max_bandwidth_mbps = 0)
		}),
		set("no memory", ConsentError::MemoryZero, |_| consented(|c| c.max_memory_mb = 0)),
		set("an update of nothing", ConsentError::NotSet, |_| {
			Consents::update_consent { consent: consent(PAYOUT) }.into()
		}),
		set("a withdrawal of nothing", ConsentError::NotSet, |_| {
			Consents::withdraw_consent {}.into()
		}),
		set("nothing to prune", ConsentError::NothingToPrune, |_| {
			Consents::prune { worker: FIRST.to_account_id() }.into()
		}),
		call("a second consent", ConsentError::AlreadySet, FIRST, |_| consented(|_| ())),
		call("the same terms", ConsentError::Unchanged, FIRST, |_| {
			Consents::update_consent { consent: consent(PAYOUT) }.into()
		}),
		call("too many versions", ConsentError::TooManyVersions, FIRST, |flow| {
			let most = parameters::MaxConsentVersions::get();
			let update = |percent: u32| -> RuntimeCall {
				let mut consent = consent(PAYOUT);
				consent.cpu_percent = percent as u8;
				Consents::update_consent { consent }.into()
			};
			let updates = (1..most).map(|percent| (FIRST, update(percent))).collect();
			flow.chain.accept(updates);
			update(most)
		}),
	]);
}

/// Another model's manifest, after a change, in canonical bytes.
fn register(change: impl FnOnce(&mut Manifest)) -> RuntimeCall {
	let mut manifest = manifest();
	change(&mut manifest);
	register_bytes(manifest.to_bytes())
}

fn register_bytes(bytes: Vec<u8>) -> RuntimeCall {
	Models::register_model { manifest: bytes.try_into().unwrap() }.into()
}

fn model(
	name: &'static str,
	error: impl Into<DispatchError>,
	request: fn(&mut Flow) -> RuntimeCall,
) -> CallCase {
	call(name, error, SUBMITTER, request)
}

#[test]
fn manifests_should_be_refused_when_they_are_no_model() {
	refuse_calls(vec![
		model("no bytes", ModelError::MalformedManifest, |_| register_bytes(Vec::new())),
		model("other bytes", ModelError::MalformedManifest, |_| register_bytes(vec![0xff; 64])),
		model("as many bytes as fit", ModelError::MalformedManifest, |_| {
			register_bytes(vec![0xff; 16 * 1_024])
		}),
		model("a byte too few", ModelError::MalformedManifest, |_| {
			let mut bytes = manifest().to_bytes();
			bytes.pop();
			register_bytes(bytes)
		}),
		model("a byte too many", ModelError::MalformedManifest, |_| {
			let mut bytes = manifest().to_bytes();
			bytes.push(0);
			register_bytes(bytes)
		}),
		model("an unknown version", ModelError::UnknownManifestVersion, |_| {
			register(|m| m.version = 2)
		}),
		model("no layers", ModelError::BadDimensions, |_| register(|m| m.layers = 0)),
		model("no width", ModelError::BadDimensions, |_| register(|m| m.hidden = 0)),
		model("an absurd vocabulary", ModelError::BadDimensions, |_| {
			register(|m| m.vocab = u32::MAX)
		}),
		model("an epsilon that is no number", ModelError::BadDimensions, |_| {
			register(|m| m.norm_epsilon_bits = f32::NAN.to_bits())
		}),
		model("a tensor missing", ModelError::BadTensors, |_| {
			register(|m| {
				m.tensors.remove(0);
			})
		}),
		model("a tensor twice", ModelError::BadTensors, |_| {
			register(|m| m.tensors[1] = m.tensors[0])
		}),
		model("a layer more than there are tensors", ModelError::BadTensors, |_| {
			register(|m| m.layers += 1)
		}),
		model("no shards", ModelError::BadShards, |_| register(|m| m.shards = Default::default())),
		model("shards with a gap", ModelError::BadShards, |_| {
			register(|m| {
				m.shards.remove(1);
			})
		}),
		model("shards that overlap", ModelError::BadShards, |_| {
			register(|m| m.shards[1].first -= 1)
		}),
		model("a model that is registered", ModelError::AlreadyRegistered, |_| register(|_| ())),
	]);
}

#[test]
fn offers_pins_and_aliases_should_be_refused_when_they_are_not_sound() {
	refuse_calls(vec![
		model("answers for nothing", ModelError::PriceZero, |flow| {
			let offer = Offer { output_price: 0, ..OFFER };
			Models::set_offer { model: flow.model, offer }.into()
		}),
		model("an absurd price", ModelError::PriceTooHigh, |flow| {
			let offer = Offer { cached_price: u128::MAX, ..OFFER };
			Models::set_offer { model: flow.model, offer }.into()
		}),
		model("an offer of an unknown model", ModelError::UnknownModel, |_| {
			Models::set_offer { model: NOTHING, offer: OFFER }.into()
		}),
		model("an offer that is not there", ModelError::NoOffer, |flow| {
			Models::remove_offer { model: flow.model }.into()
		}),
		model("another's model taken away", ModelError::NotOwner, |flow| {
			Models::unregister_model { model: flow.model }.into()
		}),
		call("a pinned model taken away", ModelError::StillPinned, GATEWAY, |flow| {
			Models::unregister_model { model: flow.model }.into()
		}),
		model("a pin by anybody", DispatchError::BadOrigin, |flow| {
			Models::pin { model: flow.model }.into()
		}),
		model("an unpin by anybody", DispatchError::BadOrigin, |flow| {
			Models::unpin { model: flow.model }.into()
		}),
		model("an alias by anybody", DispatchError::BadOrigin, |flow| {
			let name = b"mine".to_vec().try_into().unwrap();
			Models::set_alias { name, model: flow.model }.into()
		}),
		model("root by anybody", pallet_sudo::Error::<Runtime>::RequireSudo, |flow| {
			sudo(Models::unpin { model: flow.model })
		}),
	]);
}

fn worker(
	name: &'static str,
	error: impl Into<DispatchError>,
	request: fn(&mut Flow) -> RuntimeCall,
) -> CallCase {
	call(name, error, FIRST, request)
}

#[test]
fn workers_should_be_refused_when_stake_peer_shards_or_state_are_wrong() {
	refuse_calls(vec![
		call("too little stake", WorkerError::StakeTooLow, SUBMITTER, |flow| {
			register_worker(SUBMITTER, &flow.chain.genesis(), ARIA - 1)
		}),
		call("more stake than money", TokenError::FundsUnavailable, SUBMITTER, |flow| {
			register_worker(SUBMITTER, &flow.chain.genesis(), u128::MAX)
		}),
		call("a peer bound on another chain", WorkerError::BadPeerSignature, SUBMITTER, |_| {
			register_worker(SUBMITTER, &NOTHING, ARIA)
		}),
		call("a peer bound to another", WorkerError::BadPeerSignature, SUBMITTER, |flow| {
			register_worker(REQUESTER, &flow.chain.genesis(), ARIA)
		}),
		call("a peer of another", WorkerError::PeerTaken, SUBMITTER, |flow| {
			register_worker(FIRST, &flow.chain.genesis(), ARIA)
		}),
		call("a region that is none", WorkerError::BadRegion, SUBMITTER, |flow| {
			let mut call = register_worker(SUBMITTER, &flow.chain.genesis(), ARIA);
			if let RuntimeCall::WorkerRegistry(Workers::register_worker { region, .. }) = &mut call
			{
				*region = 1_000;
			}
			call
		}),
		worker("twice", WorkerError::AlreadyRegistered, |flow| {
			register_worker(FIRST, &flow.chain.genesis(), ARIA)
		}),
		worker("layers beyond the model", WorkerError::LayersOutOfRange, |flow| {
			serve(flow.model, 0, LAYERS + 1)
		}),
		worker("no layers", WorkerError::LayersOutOfRange, |flow| serve(flow.model, 5, 5)),
		worker("an unknown model", ModelError::UnknownModel, |_| serve(NOTHING, 0, 1)),
		worker("overlapping shards", WorkerError::OverlappingShards, |flow| {
			let layers = LayerRange { first: 0, end: 10 };
			let shard = ServedShard { model: flow.model, layers };
			Workers::set_served { shards: vec![shard; 2].try_into().unwrap() }.into()
		}),
		worker("nothing bonded", WorkerError::ZeroAmount, |_| {
			Workers::bond_more { amount: 0 }.into()
		}),
		worker("unbonding without draining", WorkerError::NotDraining, |_| {
			Workers::unbond {}.into()
		}),
		worker("resuming work", WorkerError::AlreadyActive, |_| Workers::resume {}.into()),
		worker("resting twice", WorkerError::NotActive, |flow| {
			flow.chain.accept(vec![(FIRST, Workers::rest {}.into())]);
			Workers::rest {}.into()
		}),
		worker("an answer that nobody asked for", WorkerError::NotChallenged, |_| {
			Workers::answer { signature: [1; 64] }.into()
		}),
		worker("leaving without unbonding", WorkerError::NotUnbonding, |_| {
			Workers::withdraw {}.into()
		}),
		worker("leaving too early", WorkerError::StillUnbonding, |flow| {
			let calls = vec![(FIRST, Workers::drain {}.into()), (FIRST, Workers::unbond {}.into())];
			flow.chain.accept(calls);
			Workers::withdraw {}.into()
		}),
		worker("leaving before earnings vest", WorkerError::ObligationsPending, |flow| {
			let draft = flow.draft(1);
			flow.settle(draft);
			let calls = vec![(FIRST, Workers::drain {}.into()), (FIRST, Workers::unbond {}.into())];
			flow.chain.accept(calls);
			let free_at = flow.chain.head().number + parameters::WorkerUnbonding::get();
			flow.chain.jump_to(free_at);
			Workers::withdraw {}.into()
		}),
		call("draining as a stranger", WorkerError::NotRegistered, SUBMITTER, |_| {
			Workers::drain {}.into()
		}),
		call("punishing", DispatchError::BadOrigin, SUBMITTER, |_| {
			Workers::punish { worker: FIRST.to_account_id(), slash_ppm: 1 }.into()
		}),
		call("rotating to another's peer", WorkerError::PeerTaken, FIRST, |_| {
			let peer = peer(LAST);
			let peer_signature = peer.sign(NOTHING.as_bytes()).into();
			Workers::rotate_peer { peer: peer.public().into(), peer_signature }.into()
		}),
	]);
}
