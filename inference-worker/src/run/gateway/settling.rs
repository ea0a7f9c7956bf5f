//! Settlement of what this gateway keeps, from before it takes questions until after it has stopped to.

use crate::{
	run::{common::Common, ledger::ChainLedger, peers::NetworkSigners},
	settle::{Pace, Rules, Settler},
};
use std::sync::Arc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// How long settlements wait for others on a development chain, in milliseconds. Its blocks are made by
/// transactions: few of them let anchors grow old slowly.
const DEV_GATHER: u64 = 2_000;

/// A settler that runs.
pub struct Settling {
	/// Takes settlements.
	pub settler: Arc<Settler>,
	task: JoinHandle<()>,
	stop: CancellationToken,
}

impl Settling {
	/// Begins to settle what was kept before this process began. It does not wait for anything else, since
	/// a record whose anchor is too old is lost.
	pub fn start(common: &Common, dev: bool) -> Self {
		let Common { chain, handle, pair, store, .. } = common.clone();
		let (defaults, constants) = (Pace::default(), chain.constants());
		let rules = Rules {
			anchor_age: constants.max_anchor_age,
			signing_grace: constants.signing_grace,
			..defaults.rules
		};
		let gather = if dev { DEV_GATHER } else { defaults.gather };
		let settler = Settler::new(
			Arc::new(ChainLedger::new(chain.clone(), pair.clone())),
			store,
			pair,
			Some(Arc::new(NetworkSigners::new(handle, chain))),
			Pace { rules, gather, ..defaults },
		);
		let stop = CancellationToken::new();
		let task = tokio::spawn(settler.clone().run(stop.clone()));
		Self { settler, task, stop }
	}

	/// Stops; what is not settled is kept on disk.
	pub async fn end(self) {
		self.stop.cancel();
		let _ = self.task.await;
	}
}
