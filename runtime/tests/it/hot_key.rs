//! What a key may do that lies on a contributor's machine, as its account's proxy: everything that a
//! worker does by itself, and nothing that moves its stake, its earnings or its identity.

use aria_runtime::{configs::ProxyType, RuntimeCall};
use codec::Decode;
use frame_support::traits::{CallMetadata, GetCallMetadata, InstanceFilter};
use std::collections::BTreeSet;

/// More zeros than any call needs whose lists are empty.
const ZEROS: usize = 4_096;
/// The pallets of the protocol that have calls.
const OURS: [&str; 7] = [
	"ModelRegistry",
	"WorkerRegistry",
	"ConsentRegistry",
	"InferenceMarket",
	"Verification",
	"RewardDistributor",
	"ValidatorRegistry",
];
const WORKER: [&str; 25] = [
	"ConsentRegistry.withdraw_consent",
	"InferenceMarket.settle",
	"InferenceMarket.settle_batch",
	"Verification.accuse_leaf",
	"Verification.claim_fees",
	"Verification.claim_silence",
	"Verification.commit",
	"Verification.defend_leaf",
	"Verification.displace_verifier",
	"Verification.open",
	"Verification.open_dispute",
	"Verification.post_blocks",
	"Verification.post_handover",
	"Verification.post_nodes",
	"Verification.prove_false",
	"Verification.register_verifier",
	"Verification.reply_trace",
	"Verification.retire_verifier",
	"Verification.reveal",
	"WorkerRegistry.answer",
	"WorkerRegistry.drain",
	"WorkerRegistry.rest",
	"WorkerRegistry.resume",
	"WorkerRegistry.set_region",
	"WorkerRegistry.set_served",
];
const GATEWAY: [&str; 6] = [
	"InferenceMarket.match_request",
	"InferenceMarket.settle",
	"InferenceMarket.settle_batch",
	"ModelRegistry.remove_offer",
	"ModelRegistry.set_offer",
	"Verification.post_handover",
];
/// Some of what a worker's key may not do: its whole list is everything else.
const NOT_WORKER: [&str; 22] = [
	"Balances.transfer_keep_alive",
	"ConsentRegistry.set_consent",
	"ConsentRegistry.update_consent",
	"InferenceMarket.deposit",
	"InferenceMarket.register_key",
	"InferenceMarket.withdraw",
	"Proxy.add_proxy",
	"Proxy.proxy",
	"Sudo.sudo",
	"Utility.batch_all",
	"ValidatorRegistry.link_worker",
	"Verification.commit_canary",
	"Verification.force_draw",
	"Verification.forget_canary",
	"Verification.reveal_canary",
	"Verification.withdraw_canary",
	"WorkerRegistry.bond_more",
	"WorkerRegistry.punish",
	"WorkerRegistry.register_worker",
	"WorkerRegistry.rotate_peer",
	"WorkerRegistry.unbond",
	"WorkerRegistry.withdraw",
];

/// A call of each kind that can be read out of zeros, which every call of ours can.
fn calls() -> Vec<RuntimeCall> {
	let mut bytes = vec![0; ZEROS];
	let mut calls = Vec::new();
	for pallet in 0..=u8::MAX {
		for call in 0..=u8::MAX {
			bytes[..2].copy_from_slice(&[pallet, call]);
			calls.extend(RuntimeCall::decode(&mut bytes.as_slice()));
		}
	}
	calls
}

fn name(call: &RuntimeCall) -> String {
	let CallMetadata { pallet_name, function_name } = call.get_call_metadata();
	format!("{pallet_name}.{function_name}")
}

fn names(calls: &[RuntimeCall]) -> BTreeSet<String> {
	calls.iter().map(name).collect()
}

fn allowed(kind: ProxyType) -> BTreeSet<String> {
	let calls: Vec<RuntimeCall> = calls().into_iter().filter(|call| kind.filter(call)).collect();
	names(&calls)
}

fn set(names: &[&str]) -> BTreeSet<String> {
	names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn every_call_of_ours_should_be_looked_at() {
	let known = names(&calls());
	for pallet in OURS {
		for call in RuntimeCall::get_call_names(pallet) {
			let name = format!("{pallet}.{call}");
			assert!(known.contains(&name), "{name}");
		}
	}
	assert!(set(&NOT_WORKER).is_subset(&known), "{:?}", set(&NOT_WORKER).difference(&known));
}

#[test]
fn a_workers_key_should_do_its_daily_business_and_nothing_else() {
	let allowed = allowed(ProxyType::Worker);
	assert_eq!(allowed, set(&WORKER));
	assert!(allowed.is_disjoint(&set(&NOT_WORKER)));
}

#[test]
fn a_gateways_key_should_do_its_daily_business_and_nothing_else() {
	assert_eq!(allowed(ProxyType::Gateway), set(&GATEWAY));
}
