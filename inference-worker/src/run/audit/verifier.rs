//! The chain, for a verifier.

use super::chain::{later, lots, next_block, unsent, weight};
use crate::audit::ledger::{Accepts, Action, Docket, Ledger, LedgerError, Open, Standing, Window};
use aria_chain_client::{
	audit::{Phase, SeatState},
	At, Call, Chain,
};
use aria_primitives::{audit::Sealed, record::RecordEntry, AccountId, BlockNumber, RecordId};
use futures::future::BoxFuture;
use sp_core::{sr25519, H256};

/// The chain, for a verifier.
pub(super) struct VerifierChain {
	pub chain: Chain,
	/// The worker's key, which signs.
	pub worker: sr25519::Pair,
	pub account: AccountId,
}

fn window(phase: Phase) -> Window {
	match phase {
		Phase::Commit => Window::Commit,
		Phase::Rebut => Window::Rebut,
		Phase::Answer => Window::Answer,
		Phase::Reveal => Window::Reveal,
		Phase::Open => Window::Open,
		_ => Window::Other,
	}
}

impl Ledger for VerifierChain {
	fn genesis(&self) -> H256 {
		self.chain.genesis()
	}

	fn next_block(&self) -> BoxFuture<'_, ()> {
		Box::pin(next_block(&self.chain))
	}

	fn docket(&self) -> BoxFuture<'_, Result<Docket, LedgerError>> {
		Box::pin(async move {
			let (number, hash) = self.chain.head().borrow().best;
			let at = At::Block(hash);
			let audits = self.chain.audits(at).await.map_err(later)?;
			let info = self.chain.verifier(&self.account, at).await.map_err(later)?;
			let open = audits.into_iter().map(|(record, audit)| Open {
				lots: lots(record, &audit),
				window: window(audit.phase),
				until: audit.until,
				length: audit.params.window,
				positions: audit.params.positions,
				beacon: audit.beacon,
				stake: weight(info.as_ref(), &audit),
			});
			Ok(Docket { at: number, open: open.collect() })
		})
	}

	fn record(&self, id: RecordId) -> BoxFuture<'_, Result<Option<RecordEntry>, LedgerError>> {
		Box::pin(async move { self.chain.record(id, At::Best).await.map_err(later) })
	}

	fn standing(&self, id: RecordId, round: u8) -> BoxFuture<'_, Result<Standing, LedgerError>> {
		Box::pin(async move {
			let seats = self.chain.seats(id, At::Best).await.map_err(later)?;
			let mine = seats.into_iter().find(|(account, _)| *account == self.account);
			Ok(match mine {
				None => Standing::Nothing,
				Some((_, seat)) if seat.round != round => Standing::Elsewhere,
				Some((_, seat)) => match seat.state {
					SeatState::Claimed => Standing::Claimed,
					SeatState::Rebutted => Standing::Rebutted,
					SeatState::Committed { .. } => Standing::Committed,
					SeatState::Revealed { .. } => Standing::Revealed,
					SeatState::Counted { .. } => Standing::Counted,
				},
			})
		})
	}

	fn posted<'a>(
		&'a self,
		id: RecordId,
		blocks: BlockNumber,
		accepts: &'a Accepts<'a>,
	) -> BoxFuture<'a, Result<Option<Sealed>, LedgerError>> {
		Box::pin(async move {
			let posted = self.chain.posted_handover(id, &self.account, blocks, accepts).await;
			posted.map_err(later)
		})
	}

	fn send(&self, id: RecordId, action: Action) -> BoxFuture<'_, Result<(), LedgerError>> {
		let call = match action {
			Action::Commit { proof, commitment, named } => {
				Call::CommitAudit { record: id, proof, commitment, named }
			}
			Action::Claim { proof, named } => Call::ClaimSilence { record: id, proof, named },
			Action::Reveal(reveal) => Call::RevealAudit { record: id, reveal: Box::new(reveal) },
			Action::Open(openings) => Call::OpenAudit { record: id, openings },
		};
		Box::pin(
			async move { self.chain.submit(&self.worker, call).await.map(|_| ()).map_err(unsent) },
		)
	}
}
