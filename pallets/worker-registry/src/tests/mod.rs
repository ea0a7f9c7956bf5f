//! Tests: a file a call.

#![allow(clippy::unwrap_used)]

mod accountable;
mod answer;
mod bond_more;
mod challenges;
mod drain;
mod earnings;
mod life;
mod may_work;
mod migrations;
mod properties;
mod punish;
mod register_worker;
mod rest;
mod resume;
mod rotate_peer;
mod set_region;
mod set_served;
mod unbond;
mod views;
mod withdraw;

use crate::{
	mock::{
		binding, layers, model, peer, RuntimeEvent, RuntimeOrigin, System, Test, WorkerRegistry,
	},
	Event, ServedShard,
};
use aria_primitives::{AccountId, Balance, ModelId};
use frame_support::{assert_ok, BoundedVec};
use sp_core::storage::StateVersion;

pub type Error = crate::Error<Test>;

pub fn signed(who: &AccountId) -> RuntimeOrigin {
	RuntimeOrigin::signed(who.clone())
}

/// Registers `who` with the peer of `seed`.
pub fn register(who: &AccountId, seed: u8, stake: Balance) {
	assert_ok!(WorkerRegistry::register_worker(
		signed(who),
		peer(seed),
		binding(seed, who),
		756,
		stake
	));
}

pub fn shard(model: ModelId, first: u16, end: u16) -> ServedShard {
	ServedShard { model, layers: layers(first, end) }
}

/// Lets `who` serve layers of the big model.
pub fn serve(who: &AccountId, first: u16, end: u16) {
	let shards = BoundedVec::truncate_from(vec![shard(model(), first, end)]);
	assert_ok!(WorkerRegistry::set_served(signed(who), shards));
}

pub fn assert_last(event: Event<Test>) {
	System::assert_last_event(RuntimeEvent::WorkerRegistry(event));
}

/// Runs `call` and asserts that it left no trace.
pub fn assert_state_unchanged<R>(call: impl FnOnce() -> R) -> R {
	let before = sp_io::storage::root(StateVersion::V1);
	let result = call();
	assert_eq!(before, sp_io::storage::root(StateVersion::V1), "the state changed");
	result
}
