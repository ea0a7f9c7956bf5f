//! The chain, as settling needs it.

use crate::settle::{refusal, Heads, Ledger, Presence, SubmitError, Submitted, Unreachable};
use aria_chain_client::{Advice, At, Call, Chain, ChainError, Included, Refusal};
use aria_primitives::{
	record::{Batch, Settlement},
	BlockNumber, RecordId,
};
use futures::future::BoxFuture;
use sp_core::{sr25519, H256};
use std::time::Duration;

/// How long a block is waited for; then it counts as unknown what became of a settlement.
const PATIENCE: Duration = Duration::from_secs(90);

/// Submits with the gateway's key.
pub struct ChainLedger {
	chain: Chain,
	pair: sr25519::Pair,
}

impl ChainLedger {
	/// A ledger that submits with `pair`, whose account pays the fees.
	pub fn new(chain: Chain, pair: sr25519::Pair) -> Self {
		Self { chain, pair }
	}

	async fn submit(&self, call: Call) -> Result<Included, SubmitError> {
		match tokio::time::timeout(PATIENCE, self.chain.submit(&self.pair, call)).await {
			Ok(result) => result.map_err(failed),
			Err(_) => {
				Err(SubmitError::Unreachable(format!("no block in {} s", PATIENCE.as_secs())))
			}
		}
	}
}

impl Ledger for ChainLedger {
	fn genesis(&self) -> H256 {
		self.chain.genesis()
	}

	fn heads(&self) -> BoxFuture<'_, Result<Heads, Unreachable>> {
		Box::pin(async move {
			// The head that is at hand stands still while the node is away.
			if let Some(away) = self.chain.unreachable_for() {
				return Err(Unreachable(format!(
					"the node has been away for {} s",
					away.as_secs()
				)));
			}
			let head = *self.chain.head().borrow();
			Ok(Heads { best: head.best.0, finalized: head.finalized.0 })
		})
	}

	fn hash_of(&self, number: BlockNumber) -> BoxFuture<'_, Result<Option<H256>, Unreachable>> {
		Box::pin(async move { self.chain.block_hash(number).await.map_err(unreachable) })
	}

	fn record(&self, id: RecordId) -> BoxFuture<'_, Result<Presence, Unreachable>> {
		Box::pin(async move {
			if self.chain.record(id, At::Finalized).await.map_err(unreachable)?.is_some() {
				return Ok(Presence::Final);
			}
			let best = self.chain.record(id, At::Best).await.map_err(unreachable)?;
			Ok(if best.is_some() { Presence::Best } else { Presence::Absent })
		})
	}

	fn submit_settle(
		&self,
		settlement: Settlement,
	) -> BoxFuture<'_, Result<Submitted, SubmitError>> {
		Box::pin(async move {
			let id = settlement.id;
			let included = self.submit(Call::Settle(Box::new(settlement))).await?;
			Ok(submitted(&[id], &included))
		})
	}

	fn submit_batch(&self, batch: Batch) -> BoxFuture<'_, Result<Submitted, SubmitError>> {
		Box::pin(async move {
			let ids: Vec<RecordId> = batch.entries.iter().map(|entry| entry.id).collect();
			let included = self.submit(Call::SettleBatch(Box::new(batch))).await?;
			Ok(submitted(&ids, &included))
		})
	}
}

/// What became of the records `ids` in a block.
fn submitted(ids: &[RecordId], included: &Included) -> Submitted {
	let outcome = |id: &RecordId| match included.failed.iter().find(|entry| entry.id == *id) {
		Some(entry) => Err(by_name(&entry.error)),
		None => Ok(()),
	};
	let outcomes = ids.iter().map(|id| (*id, outcome(id))).collect();
	Submitted { block: included.number, outcomes }
}

/// What the chain's error, `Pallet::Error`, means for a record.
fn by_name(name: &str) -> SubmitError {
	refusal(name.rsplit("::").next().unwrap_or(name))
}

fn unreachable(error: ChainError) -> Unreachable {
	Unreachable(error.to_string())
}

/// What an error of the chain client means for a record.
fn failed(error: aria_chain_client::SubmitError) -> SubmitError {
	use aria_chain_client::SubmitError as Error;
	match &error {
		Error::Failed { name, .. } => by_name(name),
		// Nothing was sent.
		Error::Chain(_) => SubmitError::Later(error.to_string()),
		Error::Refused { reason: Refusal::Expired, .. } => SubmitError::Later(error.to_string()),
		Error::Refused { .. } | Error::BadCall(_) => match error.advice() {
			Advice::Never => SubmitError::Never(error.to_string()),
			_ => SubmitError::Later(error.to_string()),
		},
		Error::Undecided { .. } => SubmitError::Unreachable(error.to_string()),
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn errors_should_be_taken_by_their_name() {
		assert_eq!(by_name("InferenceMarket::AlreadySettled"), SubmitError::AlreadySettled);
		assert_eq!(
			by_name("InferenceMarket::TicketReplayed"),
			SubmitError::Never("TicketReplayed".to_owned())
		);
		assert!(matches!(by_name("ProvenanceLedger::BlockFull"), SubmitError::Later(_)));
	}

	#[test]
	fn each_record_of_a_batch_should_have_its_outcome() {
		let id = |byte| RecordId::repeat_byte(byte);
		let included = Included {
			block: H256::zero(),
			number: 7,
			finalized: false,
			events: Vec::new(),
			settled: vec![id(1)],
			failed: vec![aria_chain_client::FailedEntry {
				index: 1,
				id: id(2),
				error: "InferenceMarket::EscrowInsufficient".to_owned(),
			}],
			fee: 0,
		};
		let submitted = submitted(&[id(1), id(2)], &included);
		assert_eq!(submitted.block, 7);
		assert_eq!(submitted.outcomes.first(), Some(&(id(1), Ok(()))));
		assert!(submitted.outcomes.get(1).is_some_and(|(_, outcome)| outcome.is_err()));
	}
}
