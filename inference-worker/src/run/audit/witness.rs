//! The chain, for a gateway that hands over.

use super::{
	super::dispute,
	chain::{later, lots, next_block, unsent, weight},
};
use crate::audit::ledger::{Candidate, Claim, LedgerError, Witness};
use aria_chain_client::{
	audit::{Phase, SeatState, VerifierInfo},
	At, Call, Chain,
};
use aria_primitives::{audit::Sealed, views::AuditStatus, AccountId, RecordId};
use futures::future::BoxFuture;
use sp_core::sr25519;

/// The chain, for a gateway that hands over.
pub(super) struct GatewayChain {
	pub chain: Chain,
	pub pair: sr25519::Pair,
	pub account: AccountId,
}

impl Witness for GatewayChain {
	fn next_block(&self) -> BoxFuture<'_, ()> {
		Box::pin(next_block(&self.chain))
	}

	fn candidate<'a>(
		&'a self,
		record: RecordId,
		round: u8,
		verifier: &'a AccountId,
	) -> BoxFuture<'a, Result<Option<Candidate>, LedgerError>> {
		Box::pin(async move {
			let hash = self.chain.head().borrow().best.1;
			let at = At::Block(hash);
			let Some(audit) = self.chain.audit(record, at).await.map_err(later)? else {
				return Ok(None);
			};
			let is_open = matches!(audit.phase, Phase::Commit | Phase::Rebut | Phase::Answer);
			if !is_open || audit.round != round {
				return Ok(None);
			}
			let info = self.chain.verifier(verifier, at).await.map_err(later)?;
			let stake = weight(info.as_ref(), &audit);
			let candidate =
				info.map(|info| Candidate { lots: lots(record, &audit), key: info.key, stake });
			Ok(candidate.filter(|_| stake > 0))
		})
	}

	fn accused<'a>(
		&'a self,
		record: RecordId,
		node: &'a AccountId,
	) -> BoxFuture<'a, Result<bool, LedgerError>> {
		Box::pin(async move {
			let hash = self.chain.head().borrow().best.1;
			let at = At::Block(hash);
			let Some(audit) = self.chain.audit(record, at).await.map_err(later)? else {
				return Ok(false);
			};
			if dispute::window(audit.phase).is_none() {
				return Ok(false);
			}
			let Some(entry) = self.chain.record(record, at).await.map_err(later)? else {
				return Ok(false);
			};
			let seats = self.chain.seats(record, at).await.map_err(later)?;
			let accused = seats.iter().filter_map(|(_, seat)| dispute::accused(seat));
			let nodes = accused
				.filter_map(|(index, _)| entry.body.stages.get(usize::from(index).checked_sub(1)?));
			let found = nodes.map(|stage| &stage.node).any(|found| found == node);
			Ok(found)
		})
	}

	fn is_over(&self, record: RecordId) -> BoxFuture<'_, Result<Option<bool>, LedgerError>> {
		Box::pin(async move {
			let Some(trace) = self.chain.trace(record, At::Finalized).await.map_err(later)? else {
				return Ok(None);
			};
			if matches!(trace.audit, AuditStatus::Pending { .. }) {
				return Ok(Some(false));
			}
			let audit = self.chain.audit(record, At::Finalized).await.map_err(later)?;
			Ok(Some(audit.is_none()))
		})
	}

	fn claims(&self) -> BoxFuture<'_, Result<Vec<Claim>, LedgerError>> {
		Box::pin(async move {
			let (number, hash) = self.chain.head().borrow().best;
			let at = At::Block(hash);
			let mut claims = Vec::new();
			for (record, audit) in self.chain.audits(at).await.map_err(later)? {
				let is_open = matches!(audit.phase, Phase::Commit | Phase::Rebut);
				if !is_open || audit.claimed == 0 || number >= audit.until {
					continue;
				}
				let entry = self.chain.record(record, at).await.map_err(later)?;
				if entry.is_none_or(|entry| entry.gateway != self.account) {
					continue;
				}
				for (claimant, seat) in self.chain.seats(record, at).await.map_err(later)? {
					if seat.state != SeatState::Claimed || seat.round != audit.round {
						continue;
					}
					let info = self.chain.verifier(&claimant, at).await.map_err(later)?;
					if let Some(VerifierInfo { key, .. }) = info {
						claims.push(Claim { record, claimant, key });
					}
				}
			}
			Ok(claims)
		})
	}

	fn post(&self, claim: Claim, sealed: Sealed) -> BoxFuture<'_, Result<(), LedgerError>> {
		let Claim { record, claimant, .. } = claim;
		let call = Call::PostHandover { record, verifier: claimant, sealed: Box::new(sealed) };
		Box::pin(
			async move { self.chain.submit(&self.pair, call).await.map(|_| ()).map_err(unsent) },
		)
	}
}
