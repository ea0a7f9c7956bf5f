//! Whose turn it is to run a record again: one at a time, since each run takes all the lanes that there
//! are.

use super::store::Key;
use aria_primitives::BlockNumber;
use std::{
	collections::BTreeSet,
	sync::{Mutex, MutexGuard, PoisonError},
};
use tokio::sync::Notify;

/// How urgent a run is; the least goes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Rank {
	/// Whether no bond is lost without it.
	pub at_leisure: bool,
	/// The last block of its window.
	pub until: BlockNumber,
	/// The audit.
	pub key: Key,
}

#[derive(Default)]
struct Line {
	taken: bool,
	waiting: BTreeSet<Rank>,
}

/// A line in which who is more urgent goes first, whenever it came.
#[derive(Default)]
pub(super) struct Turns {
	line: Mutex<Line>,
	moved: Notify,
}

/// One's turn, until this is dropped.
pub(super) struct Turn<'a>(&'a Turns);

/// A place in the line, until this is dropped.
struct Waiting<'a> {
	turns: &'a Turns,
	rank: Rank,
}

impl Turns {
	/// Waits for one's turn.
	pub async fn take(&self, rank: Rank) -> Turn<'_> {
		self.line().waiting.insert(rank);
		let _waiting = Waiting { turns: self, rank };
		loop {
			// Made before it is looked, so that no move is missed.
			let moved = self.moved.notified();
			if self.is_mine(&rank) {
				return Turn(self);
			}
			moved.await;
		}
	}

	fn is_mine(&self, rank: &Rank) -> bool {
		let mut line = self.line();
		let is_mine = !line.taken && line.waiting.first() == Some(rank);
		if is_mine {
			line.taken = true;
		}
		is_mine
	}

	fn line(&self) -> MutexGuard<'_, Line> {
		self.line.lock().unwrap_or_else(PoisonError::into_inner)
	}
}

impl Drop for Waiting<'_> {
	fn drop(&mut self) {
		self.turns.line().waiting.remove(&self.rank);
		self.turns.moved.notify_waiters();
	}
}

impl Drop for Turn<'_> {
	fn drop(&mut self) {
		self.0.line().taken = false;
		self.0.moved.notify_waiters();
	}
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;
	use sp_core::H256;
	use std::{sync::Arc, time::Duration};

	fn rank(byte: u8, at_leisure: bool, until: BlockNumber) -> Rank {
		Rank { at_leisure, until, key: Key { record: H256::repeat_byte(byte), round: 0 } }
	}

	#[tokio::test]
	async fn the_most_urgent_should_be_next_and_who_leaves_should_hold_up_nobody() {
		let turns = Arc::new(Turns::default());
		let order = Arc::new(Mutex::new(Vec::new()));
		let first = turns.take(rank(0, true, 9)).await;
		let mut tasks = Vec::new();
		for (byte, at_leisure, until) in [(1, true, 5), (2, true, 3), (3, false, 9), (4, false, 8)]
		{
			let (turns, order) = (turns.clone(), order.clone());
			tasks.push(tokio::spawn(async move {
				let _turn = turns.take(rank(byte, at_leisure, until)).await;
				order.lock().unwrap().push(byte);
			}));
		}
		tokio::time::sleep(Duration::from_millis(10)).await;
		assert!(order.lock().unwrap().is_empty());
		// Who would be next goes.
		let gone = tasks.pop().unwrap();
		gone.abort();
		assert!(gone.await.unwrap_err().is_cancelled());
		drop(first);
		for task in tasks {
			task.await.unwrap();
		}
		assert_eq!(*order.lock().unwrap(), [3, 2, 1]);
	}
}
