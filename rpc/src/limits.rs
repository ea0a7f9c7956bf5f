//! How much at once, so that a few clients can't keep the node from its blocks.

use crate::chain::{Chain, ChainError};
use aria_primitives::{record::RecordEntry, RecordId};
use parking_lot::Mutex;
use sp_core::H256;
use std::sync::{
	atomic::{AtomicUsize, Ordering},
	Arc,
};

/// Most subscriptions of a node, for each has a thread.
pub(crate) const MAX_SUBSCRIPTIONS: usize = 256;

/// A bounded number of places.
#[derive(Clone)]
pub(crate) struct Places {
	taken: Arc<AtomicUsize>,
	most: usize,
}

/// A place that is free again when this is dropped.
pub(crate) struct Place(Arc<AtomicUsize>);

impl Places {
	/// With so many places.
	pub fn new(most: usize) -> Self {
		Self { taken: Arc::default(), most }
	}

	/// A place, if one is free.
	pub fn take(&self) -> Option<Place> {
		self.taken
			.fetch_update(Ordering::AcqRel, Ordering::Acquire, |taken| {
				(taken < self.most).then_some(taken.saturating_add(1))
			})
			.ok()
			.map(|_| Place(self.taken.clone()))
	}
}

impl Drop for Place {
	fn drop(&mut self) {
		self.0.fetch_sub(1, Ordering::AcqRel);
	}
}

/// The records of a block, shared by all who read them.
type Records = Arc<Vec<(RecordId, RecordEntry)>>;

/// The block that was read last, so that subscribers share the reading.
#[derive(Clone, Default)]
pub(crate) struct LastBlock(Arc<Mutex<Option<(H256, Records)>>>);

impl LastBlock {
	/// The records that block `hash` settled, in order. Others who want them wait meanwhile.
	pub fn records<Ch: Chain>(&self, chain: &Ch, hash: H256) -> Result<Records, ChainError> {
		let mut last = self.0.lock();
		if let Some((block, records)) = last.as_ref() {
			if *block == hash {
				return Ok(records.clone());
			}
		}
		let mut records = Vec::new();
		for id in chain.block_records(hash)? {
			if let Some(record) = chain.record(hash, id)? {
				records.push((id, record));
			}
		}
		let records = Arc::new(records);
		*last = Some((hash, records.clone()));
		Ok(records)
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn places_should_be_free_again_when_they_are_left() {
		let places = Places::new(2);
		let first = places.take();
		let second = places.take();
		assert!(first.is_some() && second.is_some());
		assert!(places.take().is_none());
		drop(first);
		assert!(places.take().is_some());
	}
}
