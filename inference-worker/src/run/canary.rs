//! Canaries, put together: the chain as their maker needs it (`docs/protocol/audit.md`, "Canaries").

use super::{
	common::Common,
	config::Config,
	gateway::backend::{Answers, CanaryForge},
	live::now,
	patience::AGAIN,
	worker::Worker,
};
use crate::{
	audit::{
		canary::{
			CanaryLedger, CanaryStore, Fate, Forge, Funds, Maker, MakerParts, Orders, Seen, View,
		},
		ledger::LedgerError,
		seat,
	},
	keys::{account, AccountSource},
};
use anyhow::{Context, Result};
use aria_chain_client::{audit::Phase, At, Call, Chain, ChainError, SubmitError};
use aria_primitives::{
	audit::SeatProof, views::AuditStatus, AccountId, Balance, EpochIndex, RecordId,
};
use futures::future::BoxFuture;
use sp_core::{sr25519, H256};
use std::{sync::Arc, time::Duration};
use tokio::time::timeout;

/// How long a new block is waited for before the chain is read all the same.
const LOOK: Duration = Duration::from_secs(15);
/// Least time between two readings.
const PAUSE: Duration = Duration::from_secs(1);

/// The canaries of an earlier process that may not be over.
pub(super) fn orders(config: &Config) -> Arc<Orders> {
	// How many, who opens the file says.
	Orders::new(usize::from(config.canaries_file().exists()))
}

/// Begins to make canaries, if the configuration says so, and to see to those that were made. It goes on
/// in the background until the process ends.
///
/// # Errors
/// A key or a file that can't be used.
pub(super) fn start(
	config: &Config,
	common: &Common,
	worker: &Worker,
	answers: Option<Arc<Answers>>,
) -> Result<Arc<Maker>> {
	let (pair, _) = seat::key(&config.verifier_key_file()).context("the verifier's key")?;
	let root = account::load(&AccountSource::Keystore, &config.canary_key_file());
	let root = root.context("the key of canaries' accounts")?.pair;
	let forge = answers.map(|answers| -> Arc<dyn Forge> {
		Arc::new(CanaryForge {
			answers,
			stages: worker.stages.clone(),
			orders: worker.canaries.clone(),
			stop: common.stop.clone(),
		})
	});
	let (wanted, live) = (config.canaries, common.live.clone());
	let willing = move || {
		let snapshot = live.snapshot();
		wanted
			&& !live.is_draining()
			&& !live.is_paused()
			&& super::live::obstacle(&snapshot, now()).is_none()
	};
	let maker = Maker::new(MakerParts {
		ledger: Arc::new(CanaryChain {
			chain: common.chain.clone(),
			account: common.account.clone(),
		}),
		forge,
		account: common.account.clone(),
		pair,
		root,
		store: CanaryStore::open(&config.canaries_file(), common.chain.genesis())?,
		orders: worker.canaries.clone(),
		willing: Arc::new(willing),
	})?;
	tokio::spawn(maker.clone().run(common.shutdown.clone()));
	Ok(maker)
}

/// The chain, for who makes canaries.
struct CanaryChain {
	chain: Chain,
	account: AccountId,
}

fn later(error: ChainError) -> LedgerError {
	LedgerError::Later(error.to_string())
}

fn unsent(error: SubmitError) -> LedgerError {
	match &error {
		SubmitError::Failed { .. } | SubmitError::BadCall(_) => {
			LedgerError::Never(error.to_string())
		}
		SubmitError::Chain(_) | SubmitError::Refused { .. } | SubmitError::Undecided { .. } => {
			LedgerError::Later(error.to_string())
		}
	}
}

impl CanaryChain {
	async fn send(&self, by: &sr25519::Pair, call: Call) -> Result<(), LedgerError> {
		self.chain.submit(by, call).await.map(|_| ()).map_err(unsent)
	}

	async fn look(&self) -> Result<Option<View>, ChainError> {
		let (best, hash) = self.chain.head().borrow().best;
		let at = At::Block(hash);
		let Some(terms) = self.chain.epoch_terms(at).await? else { return Ok(None) };
		let (slots_left, info) =
			tokio::try_join!(self.chain.slots_left(at), self.chain.verifier(&self.account, at))?;
		let epoch = terms.lots.epoch;
		Ok(Some(View {
			best,
			epoch,
			slots_left,
			lots: terms.lots,
			rate: terms.params.canary_rate,
			bond: terms.params.canary_bond,
			stake: info.as_ref().filter(|info| info.from <= epoch).map_or(0, |info| info.weight),
			used: info.and_then(|info| info.canary),
		}))
	}

	async fn what_became(&self, id: RecordId) -> Result<Fate, ChainError> {
		let hash = self.chain.head().borrow().best.1;
		let at = At::Block(hash);
		if let Some(audit) = self.chain.audit(id, at).await? {
			return Ok(match audit.phase {
				Phase::Canary => Fate::HeldBack { shown: audit.canary.is_some() },
				_ => Fate::Drawn,
			});
		}
		let Some(trace) = self.chain.trace(id, at).await? else { return Ok(Fate::Unsettled) };
		Ok(match trace.audit {
			AuditStatus::Pending { .. } => Fate::Pending,
			AuditStatus::Drawn { .. } => Fate::Drawn,
			AuditStatus::NotDrawn => Fate::PassedOver,
			AuditStatus::Unaudited | AuditStatus::Decided { .. } => Fate::Over,
		})
	}

	async fn seen(&self, hash: H256, right: EpochIndex) -> Result<Seen, ChainError> {
		let (best, last) = tokio::try_join!(
			self.chain.canary(hash, At::Best),
			self.chain.canary(hash, At::Finalized)
		)?;
		Ok(match (best, last) {
			(None, _) => Seen::Absent,
			(Some(_), None) => Seen::Fresh,
			(Some(_), Some(info)) => Seen::Final { right: info.lots.epoch == right },
		})
	}
}

impl CanaryLedger for CanaryChain {
	fn genesis(&self) -> H256 {
		self.chain.genesis()
	}

	fn next_block(&self) -> BoxFuture<'_, ()> {
		Box::pin(async move {
			let mut head = self.chain.head();
			head.borrow_and_update();
			tokio::time::sleep(PAUSE).await;
			if timeout(LOOK, head.changed()).await.is_ok_and(|changed| changed.is_err()) {
				// The connection is closed: this process ends.
				tokio::time::sleep(AGAIN).await;
			}
		})
	}

	fn view(&self) -> BoxFuture<'_, Result<Option<View>, LedgerError>> {
		Box::pin(async move { self.look().await.map_err(later) })
	}

	fn funds<'a>(&'a self, account: &'a AccountId) -> BoxFuture<'a, Result<Funds, LedgerError>> {
		Box::pin(async move {
			let (funds, (held, reserved)) = tokio::try_join!(
				self.chain.balance(account, At::Best),
				self.chain.escrow(account, At::Best)
			)
			.map_err(later)?;
			let least: Balance = self.chain.constants().existential_deposit;
			Ok(Funds { free: funds.spendable(least), escrow: held.saturating_sub(reserved) })
		})
	}

	fn commitment(
		&self,
		hash: H256,
		right: EpochIndex,
	) -> BoxFuture<'_, Result<Seen, LedgerError>> {
		Box::pin(async move { self.seen(hash, right).await.map_err(later) })
	}

	fn fate(&self, id: RecordId) -> BoxFuture<'_, Result<Fate, LedgerError>> {
		Box::pin(async move { self.what_became(id).await.map_err(later) })
	}

	fn commit<'a>(
		&'a self,
		by: &'a sr25519::Pair,
		hash: H256,
	) -> BoxFuture<'a, Result<(), LedgerError>> {
		Box::pin(self.send(by, Call::CommitCanary(hash)))
	}

	fn reveal<'a>(
		&'a self,
		requester: &'a sr25519::Pair,
		id: RecordId,
		stage: u16,
		nonce: H256,
		proof: SeatProof,
	) -> BoxFuture<'a, Result<(), LedgerError>> {
		let maker = self.account.clone();
		let call = Call::RevealCanary { record: id, stage, maker, nonce, proof };
		Box::pin(self.send(requester, call))
	}

	fn withdraw<'a>(
		&'a self,
		requester: &'a sr25519::Pair,
		id: RecordId,
		stage: u16,
		nonce: H256,
	) -> BoxFuture<'a, Result<(), LedgerError>> {
		let maker = self.account.clone();
		let call = Call::WithdrawCanary { record: id, stage, maker, nonce };
		Box::pin(self.send(requester, call))
	}
}
