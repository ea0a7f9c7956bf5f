//! Chains of one node. Blocks are made when there is something to put into them, and are final at
//! once. They are true BABE blocks, claimed and signed: every check that a block meets elsewhere
//! holds here too, and `import-blocks` takes them as it takes others.

mod author;
mod pace;

use super::{Authoring, FullClient, FullPool, Inherents};
use aria_runtime::{opaque::Block, Hash};
use author::SlotAuthor;
use pace::Pace;
use sc_consensus_manual_seal::{run_manual_seal, ManualSealParams};
use sc_service::{Error as ServiceError, TaskManager};
use sc_transaction_pool_api::TransactionPool;
use sp_blockchain::HeaderBackend;
use sp_consensus_babe::{inherents::InherentDataProvider as SlotProvider, Slot, SlotDuration};
use sp_keyring::Sr25519Keyring;
use sp_keystore::KeystorePtr;
use sp_timestamp::{InherentDataProvider as TimestampProvider, Timestamp};
use std::{sync::Arc, time::Duration};

/// How long the chain stays silent when nothing happens.
pub(super) const DEFAULT_IDLE: Duration = Duration::from_secs(6);

/// Gives the node the session keys of the well-known accounts (Alice to Ferdie), so that it can
/// make the blocks of whichever of them the chain elects.
pub(super) fn insert_keys(
	client: &Arc<FullClient>,
	keystore: &KeystorePtr,
) -> Result<(), ServiceError> {
	let seeds = Sr25519Keyring::invulnerable().map(Sr25519Keyring::to_seed).collect();

	sp_session::generate_initial_session_keys::<Block, FullClient>(
		client.clone(),
		client.info().best_hash,
		seeds,
		keystore.clone(),
	)
	.map_err(|error| ServiceError::Application(Box::new(error)))
}

/// The slot of a block and its timestamp, from its parent.
pub(super) fn inherents(client: Arc<FullClient>, slot_duration: SlotDuration) -> Inherents {
	Arc::new(move |parent: Hash, _: ()| {
		let client = client.clone();
		async move {
			let header = client
				.header(parent)?
				.ok_or_else(|| format!("the parent {parent} of the next block is not known"))?;
			let parent_slot = sc_consensus_babe::find_pre_digest::<Block>(&header)?.slot();
			let (slot, timestamp) = next_slot(parent_slot, Timestamp::current(), slot_duration)
				.ok_or("the clock is beyond the last slot: set the system's time")?;

			Ok::<_, Box<dyn std::error::Error + Send + Sync>>((
				SlotProvider::new(slot),
				TimestampProvider::new(timestamp),
			))
		}
	})
}

/// The slot of the clock, or the one after the parent's where the clock has been set back; and the
/// moment at which that slot begins. So two blocks are whole slots apart, which satisfies the
/// runtime's minimum period at any slot duration. `None` if the moment exceeds 64 bits.
fn next_slot(
	parent: Slot,
	now: Timestamp,
	slot_duration: SlotDuration,
) -> Option<(Slot, Timestamp)> {
	let slot = Slot::from_timestamp(now, slot_duration).max(parent.saturating_add(1u64));
	Some((slot, slot.timestamp(slot_duration)?))
}

/// Makes the blocks, from now on: the first at once, then as [`Pace`] says.
pub(super) fn seal(tasks: &TaskManager, authoring: Authoring, idle: Duration) {
	let env = authoring.proposer(tasks);
	let author = SlotAuthor::new(
		authoring.client.clone(),
		authoring.keystore,
		authoring.babe_link.epoch_changes().clone(),
		authoring.babe_link.config().clone(),
	);
	let pace = Pace::new(
		authoring.babe_link.config().slot_duration(),
		idle,
		has_ready(authoring.pool.clone()),
		authoring.pool.import_notification_stream(),
	);

	tasks.spawn_essential_handle().spawn_blocking(
		"dev-seal",
		Some("block-authoring"),
		run_manual_seal(ManualSealParams {
			block_import: authoring.block_import,
			env,
			client: authoring.client,
			pool: authoring.pool,
			commands_stream: pace.commands(),
			select_chain: authoring.select_chain,
			consensus_data_provider: Some(Box::new(author)),
			create_inherent_data_providers: authoring.inherents,
		}),
	);
}

fn has_ready(pool: Arc<FullPool>) -> impl Fn() -> bool + Send + 'static {
	move || pool.status().ready > 0
}

#[cfg(test)]
mod tests {
	use super::*;

	const SLOT: SlotDuration = SlotDuration::from_millis(500);

	fn slot_after(parent: u64, now: u64) -> Option<(u64, u64)> {
		next_slot(parent.into(), Timestamp::new(now), SLOT)
			.map(|(slot, timestamp)| (*slot, timestamp.as_millis()))
	}

	#[test]
	fn a_slot_should_be_the_one_of_the_clock() {
		assert_eq!(slot_after(0, 1_250), Some((2, 1_000)));
		assert_eq!(slot_after(1, 1_499), Some((2, 1_000)));
	}

	#[test]
	fn a_slot_should_exceed_the_parents_when_the_clock_does_not() {
		assert_eq!(slot_after(2, 1_250), Some((3, 1_500)));
		assert_eq!(slot_after(100, 1_250), Some((101, 50_500)));
	}

	#[test]
	fn a_gap_should_be_skipped() {
		assert_eq!(slot_after(2, 86_400_000), Some((172_800, 86_400_000)));
	}

	#[test]
	fn a_slot_without_a_moment_should_be_refused() {
		assert_eq!(slot_after(u64::MAX - 1, 0), None);
	}
}
