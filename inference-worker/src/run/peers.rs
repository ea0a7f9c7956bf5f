//! Streams to other workers.

use crate::{
	pipeline::{DialError, Dialer, StagePlace},
	settle::{batch::ask_batch, BatchRequest, BatchSigners},
};
use aria_chain_client::{At, Chain};
use aria_network::{
	wire::{advert::Addresses, BATCH_PROTOCOL, PIPELINE_PROTOCOL},
	Handle, PeerKey,
};
use aria_primitives::{AccountId, Signature};
use futures::future::BoxFuture;
use std::sync::Arc;

/// Opens streams of the pipeline over the network; to this worker itself, within the process.
#[derive(Clone)]
pub struct NetworkDialer(pub Handle);

impl Dialer for NetworkDialer {
	type Stream = aria_network::Stream;

	fn open(&self, place: &StagePlace) -> BoxFuture<'_, Result<Self::Stream, DialError>> {
		let (peer, addresses) = (place.peer, place.addresses.clone());
		Box::pin(async move {
			let opened = self.0.open(peer, &addresses, PIPELINE_PROTOCOL).await;
			opened.map_err(|error| DialError(error.to_string()))
		})
	}
}

/// Asks workers for signatures over batches.
pub struct NetworkSigners {
	handle: Handle,
	chain: Chain,
}

impl NetworkSigners {
	/// Finds workers by the directory of `handle`, else by the chain.
	pub fn new(handle: Handle, chain: Chain) -> Self {
		Self { handle, chain }
	}

	/// The peer of `node`, and where it can be reached.
	async fn place(&self, node: &AccountId) -> Option<(PeerKey, Addresses)> {
		let known = self.handle.directory().borrow().clone();
		if let Some(worker) = known.iter().find(|worker| worker.advert.account == *node) {
			return Some((worker.peer, worker.advert.addresses.clone()));
		}
		let worker = self.chain.worker(node, At::Best).await.ok()??;
		let advert = self.handle.advert(worker.peer).await;
		let addresses = advert.map(|signed| signed.advert.addresses).unwrap_or_default();
		Some((worker.peer, addresses))
	}
}

impl BatchSigners for NetworkSigners {
	fn sign(
		&self,
		node: AccountId,
		request: Arc<BatchRequest>,
	) -> BoxFuture<'_, Option<Signature>> {
		Box::pin(async move {
			let (peer, addresses) = self.place(&node).await?;
			let stream = match self.handle.open(peer, &addresses, BATCH_PROTOCOL).await {
				Ok(stream) => stream,
				Err(error) => {
					tracing::debug!(target: "aria::settle", %node, %error, "a signer is not reached");
					return None;
				}
			};
			match ask_batch(stream, &request).await {
				Ok(signature) => Some(signature),
				Err(error) => {
					tracing::debug!(target: "aria::settle", %node, %error, "a batch is not signed");
					None
				}
			}
		})
	}
}
