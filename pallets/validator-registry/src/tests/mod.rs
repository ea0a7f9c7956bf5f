//! Tests: a file a call, and one each for sessions, offences, genesis, work, weights.

#![allow(clippy::unwrap_used)]

mod absence;
mod accept_link;
mod bond_more;
mod chill;
mod genesis;
mod heartbeat;
mod life;
mod link_worker;
mod lottery;
mod migrations;
mod offences;
mod properties;
mod register_candidate;
mod resume;
mod sessions;
mod unbond;
mod unlink;
mod views;
mod withdraw;
mod work;

use crate::{
	mock::{keys, Balances, RuntimeEvent, RuntimeOrigin, Session, System, Test, ValidatorRegistry},
	Event, HoldReason, ValidatorInfo, ValidatorState, Validators,
};
use aria_primitives::{AccountId, Balance};
use frame_support::{assert_ok, traits::fungible::hold::Inspect};
use sp_core::storage::StateVersion;

pub type Error = crate::Error<Test>;

pub fn signed(who: &AccountId) -> RuntimeOrigin {
	RuntimeOrigin::signed(who.clone())
}

/// Gives an account session keys.
pub fn set_keys(who: &AccountId) {
	assert_ok!(Session::set_keys(signed(who), keys(who), vec![]));
}

/// Registers `who` as a candidate with keys.
pub fn register(who: &AccountId, stake: Balance) {
	assert_ok!(ValidatorRegistry::register_candidate(signed(who), stake));
	set_keys(who);
}

pub fn info(who: &AccountId) -> ValidatorInfo {
	Validators::<Test>::get(who).unwrap()
}

pub fn is_candidate(who: &AccountId) -> bool {
	info(who).state == ValidatorState::Candidate
}

pub fn held(who: &AccountId) -> Balance {
	Balances::balance_on_hold(&HoldReason::Stake.into(), who)
}

pub fn assert_last(event: Event<Test>) {
	System::assert_last_event(RuntimeEvent::ValidatorRegistry(event));
}

pub fn assert_has(event: Event<Test>) {
	System::assert_has_event(RuntimeEvent::ValidatorRegistry(event));
}

/// The pallet's events that `wanted` picks.
pub fn count_events(wanted: impl Fn(&Event<Test>) -> bool) -> usize {
	System::events()
		.iter()
		.filter(|record| match &record.event {
			RuntimeEvent::ValidatorRegistry(event) => wanted(event),
			_ => false,
		})
		.count()
}

/// Runs `call` and asserts that it left no trace.
pub fn assert_state_unchanged<R>(call: impl FnOnce() -> R) -> R {
	let before = sp_io::storage::root(StateVersion::V1);
	let result = call();
	assert_eq!(before, sp_io::storage::root(StateVersion::V1), "the state changed");
	result
}
