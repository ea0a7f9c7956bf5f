//! Records as their blocks become final.

use crate::{
	chain::{Chain, ChainError, Finality},
	limits::LastBlock,
	params::Filter,
	views::RecordView,
};
use aria_primitives::BlockNumber;
use futures::{
	future::{select, Either},
	StreamExt,
};
use jsonrpsee::{
	PendingSubscriptionSink, SubscriptionCloseResponse, SubscriptionMessage, SubscriptionSink,
};
use std::{pin::pin, sync::Arc, time::Duration};

/// How long a subscriber may leave a record unread. The node holds the block's state that long.
const PATIENCE: Duration = Duration::from_secs(30);

/// Why a subscription ended by itself; the subscriber is told.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Ended {
	/// A block could not be read.
	#[error("block {0} could not be read: {1}; subscribe again, and list what was missed")]
	Unreadable(BlockNumber, ChainError),
	/// The subscriber does not read.
	#[error("a record was left unread for too long; subscribe again, and list what was missed")]
	TooSlow,
	/// A record could not be written as JSON.
	#[error("a record could not be written: {0}")]
	Json(#[from] serde_json::Error),
}

impl Ended {
	/// The last notice.
	pub fn into_response(self) -> SubscriptionCloseResponse {
		// Through JSON, for the reason may hold quotes.
		SubscriptionMessage::from_json(&self.to_string())
			.map_or(SubscriptionCloseResponse::None, SubscriptionCloseResponse::NotifErr)
	}
}

/// Sends every record that meets the filter, from the next final block on, until the subscriber
/// leaves.
pub(crate) async fn run<Ch: Chain>(
	chain: Arc<Ch>,
	last: LastBlock,
	pending: PendingSubscriptionSink,
	filter: Filter,
) -> Result<(), Ended> {
	// Before the first look at the chain, so that no block falls in between.
	let mut finality = chain.finality();
	let (mut done, _) = chain.finalized();
	let Ok(sink) = pending.accept().await else { return Ok(()) };

	loop {
		let Finality { number, hold } = match select(pin!(sink.closed()), finality.next()).await {
			Either::Right((Some(finality), _)) => finality,
			Either::Left(_) | Either::Right((None, _)) => return Ok(()),
		};
		// One notice may stand for several blocks.
		for number in done.saturating_add(1)..=number {
			if !send_block(&*chain, &last, &sink, &filter, number).await? {
				return Ok(());
			}
		}
		done = done.max(number);
		drop(hold);
	}
}

/// Sends a block's records. `false` if the subscriber is gone.
async fn send_block<Ch: Chain>(
	chain: &Ch,
	last: &LastBlock,
	sink: &SubscriptionSink,
	filter: &Filter,
	number: BlockNumber,
) -> Result<bool, Ended> {
	let unreadable = |error| Ended::Unreadable(number, error);
	let Some(hash) = chain.hash(number).map_err(unreadable)? else {
		return Err(unreadable(ChainError::NoState));
	};
	let records = last.records(chain, hash).map_err(unreadable)?;
	for (id, record) in records.iter().filter(|(_, record)| filter.accepts(record)) {
		let message = SubscriptionMessage::from_json(&RecordView::new(*id, record.clone()))?;
		if sink.send_timeout(message, PATIENCE).await.is_err() {
			return if sink.is_closed() { Ok(false) } else { Err(Ended::TooSlow) };
		}
	}
	Ok(!sink.is_closed())
}
