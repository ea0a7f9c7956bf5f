//! Who sends next from which account: transactions of one account that are sent at the same time
//! get nonces of their own.

use aria_primitives::AccountId;
use std::{
	collections::HashMap,
	sync::{
		atomic::{AtomicBool, AtomicUsize, Ordering},
		Arc, Mutex, PoisonError,
	},
};

/// The accounts from which this process has sent.
#[derive(Default)]
pub(crate) struct Accounts(Mutex<HashMap<AccountId, Arc<Slot>>>);

impl Accounts {
	/// The account's place.
	pub(crate) fn slot(&self, account: &AccountId) -> Arc<Slot> {
		let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
		slots.entry(account.clone()).or_default().clone()
	}
}

/// One account's nonces.
#[derive(Default)]
pub(crate) struct Slot {
	/// The next nonce by our own count. Held from choosing a nonce until the pool has it.
	pub next: tokio::sync::Mutex<Option<u32>>,
	flying: AtomicUsize,
	stale: AtomicBool,
}

impl Slot {
	/// The next nonce by our own count, if that can be trusted: only while a transaction of ours is
	/// under way does the chain know less than we, and only if none of them failed.
	pub(crate) fn own(&self, next: Option<u32>) -> Option<u32> {
		let stale = self.stale.swap(false, Ordering::AcqRel);
		next.filter(|_| !stale && self.flying.load(Ordering::Acquire) > 0)
	}

	/// Notes that the count can't be trusted any more.
	pub(crate) fn resynchronise(&self) {
		self.stale.store(true, Ordering::Release);
	}

	/// Notes a transaction under way, for as long as the result lives.
	pub(crate) fn fly(self: &Arc<Self>) -> InFlight {
		self.flying.fetch_add(1, Ordering::AcqRel);
		InFlight(self.clone())
	}
}

/// A transaction under way.
pub(crate) struct InFlight(Arc<Slot>);

impl Drop for InFlight {
	fn drop(&mut self) {
		self.0.flying.fetch_sub(1, Ordering::AcqRel);
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn our_count_should_hold_only_while_something_is_under_way() {
		let slot = Arc::new(Slot::default());
		assert_eq!(slot.own(Some(5)), None);

		let flight = slot.fly();
		assert_eq!(slot.own(Some(5)), Some(5));
		assert_eq!(slot.own(None), None);

		drop(flight);
		assert_eq!(slot.own(Some(5)), None);
	}

	#[test]
	fn a_failure_should_make_us_ask_the_chain_once() {
		let slot = Arc::new(Slot::default());
		let _flight = slot.fly();

		slot.resynchronise();

		assert_eq!(slot.own(Some(5)), None);
		assert_eq!(slot.own(Some(5)), Some(5));
	}

	#[test]
	fn accounts_should_have_a_place_each() {
		let accounts = Accounts::default();
		let (one, two) = (AccountId::new([1; 32]), AccountId::new([2; 32]));

		assert!(Arc::ptr_eq(&accounts.slot(&one), &accounts.slot(&one)));
		assert!(!Arc::ptr_eq(&accounts.slot(&one), &accounts.slot(&two)));
	}
}
