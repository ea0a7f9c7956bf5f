//! What fills the node's index.
//!
//! It follows final blocks only, from the one behind the last that it wrote. A block's records and
//! the note that it is done go into one commit, so a node that is killed goes on where it was.
//!
//! The states of old blocks may be discarded: with pruning after the index was deleted, or after a
//! warp sync. Their records still lie in newer states, so the indexer skips those blocks, and when
//! it has caught up, collects from the last final state what they settled ([`backfill`]).

mod backfill;
#[cfg(test)]
mod tests;

use crate::{
	chain::{Chain, ChainError, Finality},
	index::{IndexError, Place, RecordIndex, Settled, Tip},
};
use aria_primitives::BlockNumber;
use futures::{
	future::{poll_fn, FutureExt},
	stream::{BoxStream, StreamExt},
};
use log::{info, warn};
use std::{sync::Arc, task::Poll, time::Duration};

/// The log's target.
const LOG: &str = "aria::index";

/// Blocks that one commit covers at most, while there are blocks to catch up with.
const BLOCKS_PER_STEP: u32 = 256;
/// Records after which a commit takes no further block.
const RECORDS_PER_STEP: usize = 1_024;

const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// Why a step failed. Each is tried again.
#[derive(Debug, thiserror::Error)]
enum StepError {
	#[error("{0}")]
	Chain(#[from] ChainError),
	#[error("the index failed: {0}")]
	Index(#[from] IndexError),
	#[error("the state of the final block {0} is not there")]
	NoFinalState(BlockNumber),
}

/// What a step did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
	/// Something; there may be more to do.
	Progressed,
	/// Nothing: the index holds all that is final.
	Idle,
}

/// Fills the index for as long as the chain lives.
pub(crate) async fn run<Ch: Chain>(chain: Ch, index: Arc<RecordIndex>) {
	// Before the first look at the chain, so that nothing falls in between.
	let mut finality = chain.finality();
	let mut pause = FIRST_PAUSE;
	loop {
		drain(&mut finality);
		match step(&chain, &index) {
			Ok(done) => {
				if pause != FIRST_PAUSE {
					info!(target: LOG, "going on");
					index.note_failure(None);
					pause = FIRST_PAUSE;
				}
				match done {
					Step::Progressed => yield_now().await,
					Step::Idle => {
						if finality.next().await.is_none() {
							return;
						}
					}
				}
			}
			Err(error) => {
				warn!(target: LOG, "{error}; trying again in {} s", pause.as_secs());
				index.note_failure(Some(error.to_string()));
				tokio::time::sleep(pause).await;
				pause = LONGEST_PAUSE.min(pause.saturating_mul(2));
			}
		}
	}
}

/// Does one piece of work: one commit.
fn step<Ch: Chain>(chain: &Ch, index: &RecordIndex) -> Result<Step, StepError> {
	let genesis = chain.genesis();
	let (finalized, finalized_hash) = chain.finalized();
	index.note_finalized(finalized);

	if !index.adopt(genesis)? {
		warn!(target: LOG, "the index is of another chain or version: filling it anew");
		index.clear(genesis)?;
		return Ok(Step::Progressed);
	}
	let tip = index.tip()?;
	if let Some(tip) = tip.filter(|tip| tip.number <= finalized) {
		// A chain of one node may lose its last blocks in a crash and then make others.
		let now = chain.hash(tip.number)?;
		if now.zip(tip.hash).is_some_and(|(now, then)| now != then) {
			warn!(
				target: LOG,
				"block {} is not the one that was indexed: filling the index anew", tip.number
			);
			index.clear(genesis)?;
			return Ok(Step::Progressed);
		}
	}

	let next = tip.map_or(0, |tip| tip.number.saturating_add(1));
	if next <= finalized {
		advance(chain, index, next, finalized)?;
		return Ok(Step::Progressed);
	}
	if let Some(gap) = index.gap()? {
		backfill::step(chain, index, gap, finalized, finalized_hash)?;
		return Ok(Step::Progressed);
	}
	if index.note_ready() {
		info!(target: LOG, "records are indexed up to block {finalized}");
	}
	Ok(Step::Idle)
}

/// Indexes blocks from `next` on, as many as one commit takes.
fn advance<Ch: Chain>(
	chain: &Ch,
	index: &RecordIndex,
	next: BlockNumber,
	finalized: BlockNumber,
) -> Result<(), StepError> {
	let last = finalized.min(next.saturating_add(BLOCKS_PER_STEP - 1));
	let mut records = Vec::new();
	let mut tip = None;
	for number in next..=last {
		match settled_in(chain, number) {
			Ok(Some((reached, settled))) => {
				tip = Some(reached);
				records.extend(settled);
			}
			// What was read goes in first; the next step meets this block again.
			Ok(None) | Err(_) if tip.is_some() => break,
			Ok(None) => return skip_gap(chain, index, next, finalized),
			Err(error) => return Err(error.into()),
		}
		if records.len() >= RECORDS_PER_STEP {
			break;
		}
	}
	match tip {
		Some(tip) => Ok(index.append(tip, &records)?),
		None => Ok(()),
	}
}

/// Skips to the first block from `next` on that has a state. States are discarded from the oldest
/// on, so the ones that are there are all behind the ones that are not.
fn skip_gap<Ch: Chain>(
	chain: &Ch,
	index: &RecordIndex,
	next: BlockNumber,
	finalized: BlockNumber,
) -> Result<(), StepError> {
	if settled_in(chain, finalized)?.is_none() {
		return Err(StepError::NoFinalState(finalized));
	}
	let (mut missing, mut there) = (next, finalized);
	while there.saturating_sub(missing) > 1 {
		let middle = missing.midpoint(there);
		match settled_in(chain, middle)? {
			Some(_) => there = middle,
			None => missing = middle,
		}
	}
	warn!(
		target: LOG,
		"the states of blocks {next} to {missing} are discarded; their records will be read from \
		 the last final state"
	);
	Ok(index.skip(next, Tip { number: missing, hash: chain.hash(missing)? })?)
}

/// A block and the records that it settled; `None` if its state is not there.
fn settled_in<Ch: Chain>(
	chain: &Ch,
	number: BlockNumber,
) -> Result<Option<(Tip, Vec<Settled>)>, ChainError> {
	let Some(hash) = chain.hash(number)? else { return Ok(None) };
	let read = || -> Result<Vec<Settled>, ChainError> {
		let mut records = Vec::new();
		for (position, id) in (0u32..).zip(chain.block_records(hash)?) {
			let place = Place { block: number, position };
			match chain.record(hash, id)? {
				Some(record) => records.push(Settled::new(id, place, &record)),
				None => {
					warn!(target: LOG, "block {number} names the record {id:?}, but has it not")
				}
			}
		}
		Ok(records)
	};
	match read() {
		Ok(records) => Ok(Some((Tip { number, hash: Some(hash) }, records))),
		Err(ChainError::NoState) => Ok(None),
		Err(error) => Err(error),
	}
}

/// Drops what has come: each item keeps a state from being pruned, and the chain is asked anyway.
fn drain(finality: &mut BoxStream<'static, Finality>) {
	while let Some(Some(_)) = finality.next().now_or_never() {}
}

/// Lets the node stop the task between two steps.
async fn yield_now() {
	let mut yielded = false;
	poll_fn(|context| {
		if std::mem::replace(&mut yielded, true) {
			return Poll::Ready(());
		}
		context.waker().wake_by_ref();
		Poll::Pending
	})
	.await
}
