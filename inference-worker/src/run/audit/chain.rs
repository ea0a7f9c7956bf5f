//! What a verifier and a gateway both read of the chain, and what becomes of what they send.

use super::super::patience::AGAIN;
use crate::audit::{ledger::LedgerError, seat::Lots};
use aria_chain_client::{
	audit::{Audit, VerifierInfo},
	Chain, SubmitError,
};
use aria_primitives::{Balance, RecordId};
use std::time::Duration;
use tokio::time::timeout;

/// How long a new block is waited for before the chain is read all the same.
const LOOK: Duration = Duration::from_secs(15);
/// Least time between two readings: blocks of a development chain come fast.
const PAUSE: Duration = Duration::from_millis(300);

pub(in super::super) fn later(error: impl std::fmt::Display) -> LedgerError {
	LedgerError::Later(error.to_string())
}

/// What becomes of something that could not be sent.
pub(in super::super) fn unsent(error: SubmitError) -> LedgerError {
	/// It was in time when it was sent, another block may still take it, or the block that it stands on was
	/// replaced and comes again.
	const PASSING: [&str; 4] = [
		"Verification::NotInWindow",
		"Verification::SeatsTaken",
		"Verification::NoDispute",
		"Verification::NoAccusation",
	];
	let lasts = match &error {
		SubmitError::Failed { name, .. } => !PASSING.contains(&name.as_str()),
		SubmitError::BadCall(_) => true,
		SubmitError::Chain(_) | SubmitError::Refused { .. } | SubmitError::Undecided { .. } => {
			false
		}
	};
	match lasts {
		true => LedgerError::Never(error.to_string()),
		false => later(error),
	}
}

pub(super) fn lots(record: RecordId, audit: &Audit) -> Lots {
	Lots {
		record,
		seed: audit.seed,
		round: audit.round,
		expected: audit.params.seats(audit.round),
		total: audit.total,
		named: audit.stakes.named,
	}
}

/// What counts of a verifier's stake in a round.
pub(super) fn weight(info: Option<&VerifierInfo>, audit: &Audit) -> Balance {
	info.filter(|info| info.from <= audit.round_epoch).map_or(0, |info| info.weight)
}

pub(in super::super) async fn next_block(chain: &Chain) {
	let mut head = chain.head();
	head.borrow_and_update();
	tokio::time::sleep(PAUSE).await;
	if timeout(LOOK, head.changed()).await.is_ok_and(|changed| changed.is_err()) {
		// The connection is closed: this process ends.
		tokio::time::sleep(AGAIN).await;
	}
}
