//! Final blocks, one after the other.

use crate::{chain::Chain, error::ChainError, link::Head};
use aria_primitives::{BlockNumber, RecordId};
use futures::{
	stream::{self, BoxStream},
	StreamExt,
};
use sp_core::H256;
use std::time::Duration;
use tokio::{sync::watch, time::sleep};

/// Before a block is asked for again while the node is away.
const PAUSE: Duration = Duration::from_secs(1);

/// A block that is final.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FinalizedBlock {
	/// Its number.
	pub number: BlockNumber,
	/// Its hash.
	pub hash: H256,
	/// The records that it settled, in order; `None` if the node has dropped the block's state.
	pub records: Option<Vec<RecordId>>,
}

struct Follower {
	chain: Chain,
	head: watch::Receiver<Head>,
	next: BlockNumber,
}

impl Chain {
	/// Every final block from block `from` on, or from the next one on, none left out; waits where
	/// the node is away. Ends when the connection is closed.
	pub fn follow_finalized(
		&self,
		from: Option<BlockNumber>,
	) -> BoxStream<'static, FinalizedBlock> {
		let head = self.head();
		let now = head.borrow().finalized.0;
		let next = from.unwrap_or_else(|| now.saturating_add(1));
		let follower = Follower { chain: self.clone(), head, next };
		stream::unfold(follower, |mut follower| async move {
			let block = follower.block().await?;
			Some((block, follower))
		})
		.boxed()
	}

	async fn finalized_block(&self, number: BlockNumber) -> Result<FinalizedBlock, ChainError> {
		let hash = self
			.block_hash(number)
			.await?
			.ok_or_else(|| ChainError::NoBlock { block: number.to_string() })?;
		let records = match self.block_records(hash).await {
			Ok(records) => Some(records),
			// The node has the block and not its state.
			Err(ChainError::Refused { .. }) => None,
			Err(error) => return Err(error),
		};
		Ok(FinalizedBlock { number, hash, records })
	}
}

impl Follower {
	/// The next block; `None` when the connection is closed.
	async fn block(&mut self) -> Option<FinalizedBlock> {
		let stopped = self.chain.stopped().clone();
		loop {
			let finalized = self.head.borrow_and_update().finalized.0;
			if self.next > finalized {
				tokio::select! {
					_ = stopped.cancelled() => return None,
					changed = self.head.changed() => changed.ok()?,
				}
				continue;
			}
			match self.chain.finalized_block(self.next).await {
				Ok(block) => {
					self.next = self.next.saturating_add(1);
					return Some(block);
				}
				Err(ChainError::Closed) => return None,
				Err(error) => {
					tracing::debug!(target: "aria::chain", %error, next = self.next, "waiting");
					tokio::select! {
						_ = stopped.cancelled() => return None,
						_ = sleep(PAUSE) => {},
					}
				}
			}
		}
	}
}
