//! Takes the streams that peers open: pipeline, shards, batches.

use super::stages::Stages;
use crate::{
	limits::Governor,
	settle::{serve_batch, SettlementStore},
	shards::{serve_peer, PackageStore},
};
use anyhow::Result;
use aria_network::{
	wire::{BATCH_PROTOCOL, PIPELINE_PROTOCOL, SHARD_PROTOCOL},
	Handle, Incoming, PeerKey, Stream,
};
use sp_core::sr25519;
use std::{future::Future, sync::Arc};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Streams of one protocol that are served at once.
const MOST: usize = 2_048;

/// What streams are served with.
#[derive(Clone)]
pub struct Serving {
	/// Orders and links.
	pub stages: Arc<Stages>,
	/// Shards.
	pub packages: Arc<PackageStore>,
	/// Limits.
	pub governor: Arc<Governor>,
	/// What this worker signed.
	pub store: Arc<SettlementStore>,
	/// The worker's key.
	pub pair: sr25519::Pair,
}

impl Serving {
	/// Serves what peers open at `handle` until `shutdown`.
	///
	/// # Errors
	/// If somebody takes these streams already.
	pub fn start(self, handle: &Handle, shutdown: &CancellationToken) -> Result<()> {
		let stages = self.stages.clone();
		take(handle.accept(PIPELINE_PROTOCOL)?, shutdown, move |peer, stream| {
			stages.clone().serve(peer, stream)
		});
		let (packages, governor) = (self.packages.clone(), self.governor.clone());
		take(handle.accept(SHARD_PROTOCOL)?, shutdown, move |peer, stream| {
			serve_peer(peer, stream, packages.clone(), governor.clone())
		});
		let Self { store, pair, .. } = self;
		take(handle.accept(BATCH_PROTOCOL)?, shutdown, move |_, stream| {
			let (store, pair) = (store.clone(), pair.clone());
			async move {
				if let Err(error) = serve_batch(stream, &store, &pair).await {
					tracing::debug!(target: "aria::worker", %error, "a batch was not answered");
				}
			}
		});
		Ok(())
	}
}

/// Serves each stream in a task of its own, all of which end with `shutdown`.
pub(super) fn take<F>(
	mut incoming: Incoming,
	shutdown: &CancellationToken,
	serve: impl Fn(PeerKey, Stream) -> F + Send + 'static,
) where
	F: Future<Output = ()> + Send + 'static,
{
	let shutdown = shutdown.clone();
	tokio::spawn(async move {
		let mut tasks = JoinSet::new();
		loop {
			tokio::select! {
				() = shutdown.cancelled() => break,
				next = incoming.next() => match next {
					// Beyond the limit a stream is dropped, which its peer sees as the end.
					Some((peer, stream)) if tasks.len() < MOST => {
						tasks.spawn(serve(peer, stream));
					}
					Some(_) => tracing::debug!(target: "aria::worker", "too many streams at once"),
					None => break,
				},
				Some(ended) = tasks.join_next(), if !tasks.is_empty() => {
					if let Err(error) = ended {
						if error.is_panic() {
							tracing::error!(target: "aria::worker", %error, "a stream's task failed");
						}
					}
				}
			}
		}
	});
}
