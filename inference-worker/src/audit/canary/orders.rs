//! Which orders are computed falsely: those whose tickets were made here for that, and no others.

use sp_core::H256;
use std::{
	collections::HashSet,
	sync::{
		atomic::{AtomicUsize, Ordering},
		Arc, Mutex, MutexGuard, PoisonError,
	},
};

/// Tickets of canaries that are being computed, by their hash, which names requester, spending key, query
/// and nonce. They are kept nowhere else: with the process their sessions end, too.
#[derive(Default)]
pub struct Orders {
	expected: Mutex<HashSet<H256>>,
	/// Canaries that are not over.
	open: AtomicUsize,
}

/// A ticket whose order is computed falsely, until this is dropped.
pub struct Expected {
	orders: Arc<Orders>,
	ticket: H256,
}

impl Orders {
	/// Of a worker that has made `open` canaries which may not be over.
	pub fn new(open: usize) -> Arc<Self> {
		Arc::new(Self { expected: Mutex::default(), open: AtomicUsize::new(open) })
	}

	/// Has the order with this ticket computed falsely.
	pub fn expect(self: &Arc<Self>, ticket: H256) -> Expected {
		self.lock().insert(ticket);
		Expected { orders: self.clone(), ticket }
	}

	/// Whether the order with this ticket is to be computed falsely.
	pub fn has(&self, ticket: &H256) -> bool {
		self.lock().contains(ticket)
	}

	/// Canaries that are not over: for them the worker has to remain a verifier.
	pub fn open(&self) -> usize {
		self.open.load(Ordering::Relaxed)
	}

	pub(super) fn set_open(&self, open: usize) {
		self.open.store(open, Ordering::Relaxed);
	}

	fn lock(&self) -> MutexGuard<'_, HashSet<H256>> {
		self.expected.lock().unwrap_or_else(PoisonError::into_inner)
	}
}

impl Drop for Expected {
	fn drop(&mut self) {
		self.orders.lock().remove(&self.ticket);
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn an_order_should_be_false_only_as_long_as_it_is_expected() {
		let orders = Orders::new(0);
		let (one, other) = (H256::repeat_byte(1), H256::repeat_byte(2));
		assert!(!orders.has(&one));
		let expected = orders.expect(one);
		assert!(orders.has(&one) && !orders.has(&other));
		drop(expected);
		assert!(!orders.has(&one));
	}
}
