//! When a development chain makes its next block.

use aria_runtime::Hash;
use futures::{
	channel::oneshot,
	stream::{self, BoxStream},
	Stream, StreamExt,
};
use sc_consensus_manual_seal::{CreatedBlock, EngineCommand, Error};
use sp_consensus_babe::{Slot, SlotDuration};
use sp_timestamp::Timestamp;
use std::time::Duration;
use tokio::time::{sleep, Instant};

/// A block as soon as a transaction is ready, but at most one a slot; an empty one when nothing has
/// happened for `idle`.
pub struct Pace<R, I> {
	slot_duration: SlotDuration,
	idle: Duration,
	/// Whether the pool has a transaction that a block could take.
	ready: R,
	/// Yields whenever the pool has got such a transaction, and ends with the pool.
	imports: I,
	last: Option<Ordered>,
}

/// A block that was asked for.
struct Ordered {
	at: Instant,
	slot: Slot,
	outcome: oneshot::Receiver<Result<CreatedBlock<Hash>, Error>>,
}

impl<R, I> Pace<R, I>
where
	R: Fn() -> bool + Send + 'static,
	I: Stream + Send + Unpin + 'static,
	I::Item: Send,
{
	pub fn new(slot_duration: SlotDuration, idle: Duration, ready: R, imports: I) -> Self {
		Self { slot_duration, idle, ready, imports, last: None }
	}

	/// One command for each block, the first at once. Each waits for the block before it.
	pub fn commands(self) -> BoxStream<'static, EngineCommand<Hash>> {
		stream::unfold(self, |mut pace| async move {
			let command = pace.next().await?;
			Some((command, pace))
		})
		.boxed()
	}

	/// `None` when the pool has gone.
	async fn next(&mut self) -> Option<EngineCommand<Hash>> {
		if let Some(Ordered { at, slot, outcome }) = self.last.take() {
			report(outcome.await);
			sleep(rest_of_slot(slot, Timestamp::current(), self.slot_duration)).await;
			self.work(at + self.idle).await?;
		}

		let (sender, outcome) = oneshot::channel();
		let slot = Slot::from_timestamp(Timestamp::current(), self.slot_duration);
		self.last = Some(Ordered { at: Instant::now(), slot, outcome });

		Some(EngineCommand::SealNewBlock {
			// Not `false`, even when transactions wait: the engine takes a block for empty that has
			// as many extrinsics as there are providers of inherents, which are two here and give
			// one extrinsic, so that a single transaction would not count.
			create_empty: true,
			finalize: true,
			parent_hash: None,
			sender: Some(sender),
		})
	}

	/// Waits for a transaction, at most until `deadline`.
	async fn work(&mut self, deadline: Instant) -> Option<()> {
		while !(self.ready)() {
			let rest = deadline.saturating_duration_since(Instant::now());
			if rest.is_zero() {
				break;
			}
			tokio::select! {
				import = self.imports.next() => {
					import?;
				},
				// A transaction is announced once, perhaps before the pool has caught up with the
				// last block: look again at every slot.
				() = sleep(rest.min(self.slot_duration.as_duration())) => {},
			}
		}
		Some(())
	}
}

fn report(outcome: Result<Result<CreatedBlock<Hash>, Error>, oneshot::Canceled>) {
	match outcome {
		Ok(Ok(block)) => log::debug!(target: "dev-seal", "Sealed and finalised {}", block.hash),
		Ok(Err(error)) => log::warn!(target: "dev-seal", "No block in this slot: {error}"),
		Err(oneshot::Canceled) => log::debug!(target: "dev-seal", "The engine is stopping"),
	}
}

/// How much of `slot` is left; nothing once the clock shows another slot, even an earlier one.
fn rest_of_slot(slot: Slot, now: Timestamp, slot_duration: SlotDuration) -> Duration {
	let length = slot_duration.as_millis();
	match now.as_millis().checked_rem(length) {
		Some(gone) if Slot::from_timestamp(now, slot_duration) == slot => {
			Duration::from_millis(length.saturating_sub(gone))
		}
		_ => Duration::ZERO,
	}
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;
	use futures::channel::mpsc;
	use std::sync::{
		atomic::{AtomicBool, Ordering},
		Arc,
	};

	const SLOT: SlotDuration = SlotDuration::from_millis(50);
	const LONG: Duration = Duration::from_secs(600);

	struct Chain {
		ready: Arc<AtomicBool>,
		imports: mpsc::UnboundedSender<()>,
		commands: BoxStream<'static, EngineCommand<Hash>>,
	}

	fn chain(idle: Duration) -> Chain {
		let ready = Arc::new(AtomicBool::new(false));
		let (imports, imported) = mpsc::unbounded();
		let flag = ready.clone();
		let pace = Pace::new(SLOT, idle, move || flag.load(Ordering::SeqCst), imported);
		Chain { ready, imports, commands: pace.commands() }
	}

	impl Chain {
		/// Takes the next command as the engine does, and says when it came.
		async fn block(&mut self) -> Instant {
			let command = self.commands.next().await.unwrap();
			let EngineCommand::SealNewBlock { create_empty, finalize, sender, .. } = command else {
				panic!("not a block");
			};
			assert!(create_empty && finalize);
			let _ = sender.unwrap().send(Err(Error::EmptyTransactionPool));
			Instant::now()
		}
	}

	#[test]
	fn the_rest_of_a_slot_should_end_with_it() {
		let rest = |slot: u64, now| rest_of_slot(slot.into(), Timestamp::new(now), SLOT);

		assert_eq!(rest(2, 100), Duration::from_millis(50));
		assert_eq!(rest(2, 149), Duration::from_millis(1));
		assert_eq!(rest(2, 150), Duration::ZERO);
		assert_eq!(rest(2, 99), Duration::ZERO);
	}

	#[tokio::test]
	async fn the_first_block_should_come_at_once() {
		let started = Instant::now();

		assert!(chain(LONG).block().await - started < Duration::from_secs(5));
	}

	#[tokio::test]
	async fn an_empty_block_should_come_when_idle() {
		let idle = Duration::from_millis(200);
		let mut chain = chain(idle);
		let started = Instant::now();
		chain.block().await;

		assert!(chain.block().await - started >= idle);
	}

	#[tokio::test]
	async fn a_transaction_should_bring_a_block_without_waiting_for_idle() {
		let mut chain = chain(LONG);
		chain.block().await;
		chain.ready.store(true, Ordering::SeqCst);
		chain.imports.unbounded_send(()).unwrap();

		let block = tokio::time::timeout(Duration::from_secs(5), chain.block()).await;

		assert!(block.is_ok());
	}

	#[tokio::test]
	async fn a_transaction_should_be_found_when_its_announcement_came_too_early() {
		let mut chain = chain(LONG);
		chain.block().await;
		chain.imports.unbounded_send(()).unwrap();
		let ready = chain.ready.clone();
		tokio::spawn(async move {
			sleep(Duration::from_millis(120)).await;
			ready.store(true, Ordering::SeqCst);
		});

		let block = tokio::time::timeout(Duration::from_secs(5), chain.block()).await;

		assert!(block.is_ok());
	}

	#[tokio::test]
	async fn a_slot_should_have_one_block_however_many_transactions_wait() {
		let mut chain = chain(LONG);
		chain.ready.store(true, Ordering::SeqCst);
		let started = Instant::now();

		for _ in 0..5 {
			chain.block().await;
		}

		// Between the first and the fifth lie three whole slots.
		assert!(started.elapsed() >= 3 * SLOT.as_duration());
	}

	#[tokio::test]
	async fn the_commands_should_end_with_the_pool() {
		let mut chain = chain(LONG);
		chain.block().await;
		drop(chain.imports);

		assert!(chain.commands.next().await.is_none());
	}
}
