//! What is done about an audit, each thing for itself: it may take long, or somebody may drag it out.

use super::{lock, runs::subject, Stuck, Todo, Verifier, FETCH_LIMIT};
use crate::audit::{
	ask::is_of,
	found::{commitment, openings},
	ledger::{Action, LedgerError, Open, Standing},
	parts::{Counters, NoHandover},
	seal::unseal,
	step::Step,
	store::{Case, Found, Key},
	LOG,
};
use aria_engine::audit::Rerun;
use aria_network::wire::audit::AuditRequest;
use aria_primitives::{
	audit::{Handover, Named, Opening, Sealed},
	hashing::sha256,
	record::RecordEntry,
};
use codec::Encode;
use sp_core::H256;
use std::{sync::atomic::AtomicU64, time::Duration};
use tokio::time::timeout;

/// How long one question takes at most, whoever says to be the gateway.
const ASK_LIMIT: Duration = Duration::from_secs(100);

/// What was posted on chain for this verifier.
enum Posted {
	/// What belongs to the record.
	Right(Handover),
	/// Something else: the gateway's own word.
	Wrong,
}

impl Verifier {
	/// Does what is next about a case.
	pub(super) async fn act(&self, todo: Todo) -> Result<(), Stuck> {
		let is_owed = todo.is_owed();
		let Todo { mut case, open, standing, step: next } = todo;
		let Some(entry) = self.parts.ledger.record(case.key.record).await? else {
			return if is_owed { Ok(()) } else { self.forget(&case, standing) };
		};
		if !is_owed && self.is_party(&entry) {
			// The chain would refuse its commitment, and keep the fee.
			return self.forget(&case, standing);
		}
		match next {
			Step::Ask | Step::Claim => match self.ask(&case, &open, &entry).await {
				Ok((handed, named)) => {
					case.handed = Some(handed);
					case.named = named;
					self.keep(&case)
				}
				// Of named verifiers only a gateway knows who they are.
				Err(NoHandover::Refused(reason)) if open.lots.named.is_some() => {
					tracing::debug!(target: LOG, record = ?case.key.record, %reason, "not named");
					self.forget(&case, Standing::Elsewhere)
				}
				Err(reason) if next == Step::Claim && open.lots.named.is_none() => {
					tracing::warn!(
						target: LOG, record = ?case.key.record, %reason,
						"the gateway is silent, and that is said on chain"
					);
					let (proof, named) = (case.proof, Named::default());
					self.send(&case, Action::Claim { proof, named }).await
				}
				Err(reason) => {
					tracing::info!(
						target: LOG, record = ?case.key.record, %reason, "no hand-over yet"
					);
					Ok(())
				}
			},
			Step::Read => match self.read(&case, &open, &entry).await? {
				Some(Posted::Right(handed)) => {
					case.handed = Some(handed);
					self.keep(&case)
				}
				Some(Posted::Wrong) => {
					tracing::warn!(
						target: LOG, record = ?case.key.record,
						"what the gateway posted on chain is not the record's: that is said of it"
					);
					case.found = Some(Found::query(H256(rand::random())));
					Counters::count(&self.counters.accused);
					self.keep(&case)
				}
				None => {
					tracing::warn!(
						target: LOG, record = ?case.key.record,
						"what the gateway posted on chain is not found: use a node that keeps the blocks \
						 of the last hours"
					);
					Ok(())
				}
			},
			Step::Commit => {
				let Some(found) = &case.found else { return Ok(()) };
				let genesis = self.parts.ledger.genesis();
				let commitment = commitment(&genesis, &case, found, &self.parts.account)?;
				let (proof, named) = (case.proof, case.named.clone());
				self.send(&case, Action::Commit { proof, commitment, named }).await
			}
			Step::Reveal => {
				let Some(found) = &case.found else { return Ok(()) };
				self.send(&case, Action::Reveal(found.reveal()?)).await
			}
			Step::Open => match self.open(&case, &open, &entry).await? {
				Some(openings) => self.send(&case, Action::Open(openings)).await,
				None => {
					lock(&self.lost).insert(case.key);
					self.untry(case.key, Step::Open);
					Ok(())
				}
			},
			Step::Run | Step::Wait | Step::Forget => Ok(()),
		}
	}

	/// Whether this worker is a party of the record itself. Of workers that are one's own by another
	/// account the chain knows.
	pub(super) fn is_party(&self, entry: &RecordEntry) -> bool {
		let me = &self.parts.account;
		entry.requester == *me
			|| entry.gateway == *me
			|| entry.body.stages.iter().any(|stage| stage.node == *me)
	}

	/// What belongs to the record, as its gateway hands it over.
	async fn ask(
		&self,
		case: &Case,
		open: &Open,
		entry: &RecordEntry,
	) -> Result<(Handover, Named), NoHandover> {
		let silent = |reason: &str| NoHandover::Silent(reason.to_owned());
		let Key { record, round } = case.key;
		let request =
			AuditRequest { record, round, verifier: self.parts.account.clone(), proof: case.proof };
		let asked = self.parts.gateways.hand_over(&entry.gateway, request, &entry.body);
		let asked = timeout(ASK_LIMIT, asked).await;
		let (handed, named) = asked.map_err(|_| silent("who says to be it takes too long"))??;
		// Anybody may say to be the gateway.
		let names_fit = match open.lots.named {
			Some(set) => sha256(&named.encode()) == set && named.contains(&self.parts.account),
			None => named.is_empty(),
		};
		match names_fit && is_of(&handed, &entry.body) {
			true => Ok((handed, named)),
			false => Err(silent("what came is not the record's")),
		}
	}

	/// What was posted on chain for this verifier; `None` if nothing is found. What the gateway posted is
	/// its own word, whatever that is; but others may have put something beside it.
	async fn read(
		&self,
		case: &Case,
		open: &Open,
		entry: &RecordEntry,
	) -> Result<Option<Posted>, Stuck> {
		// From the beginning of the round on, in any of its three windows, and those that were put off.
		let blocks = open.length.saturating_mul(4);
		let record = case.key.record;
		let right = |sealed: &Sealed| {
			let sealed = [sealed.ephemeral.as_slice(), &sealed.bytes].concat();
			let handed = unseal(&sealed, &self.parts.pair, &record).ok();
			handed.filter(|handed| is_of(handed, &entry.body))
		};
		let is_right = |sealed: &Sealed| right(sealed).is_some();
		let found = self.parts.ledger.posted(record, blocks, &is_right).await?;
		if let Some(handed) = found.as_ref().and_then(right) {
			return Ok(Some(Posted::Right(handed)));
		}
		let any = self.parts.ledger.posted(record, blocks, &|_: &Sealed| true).await?;
		Ok(any.map(|_| Posted::Wrong))
	}

	/// Opens what the beacon picks, out of what the run left on disk; `None` if that is not whole, and the
	/// record has to be run once more.
	async fn open(
		&self,
		case: &Case,
		open: &Open,
		entry: &RecordEntry,
	) -> Result<Option<Vec<Opening>>, Stuck> {
		let (Some(found), Some(handed)) = (case.found.clone(), case.handed.clone()) else {
			return Err(Stuck::Other("there is nothing to open".to_owned()));
		};
		let package = timeout(FETCH_LIMIT, self.package(&entry.body)).await;
		let package = package.map_err(|_| Stuck::Other("its weights do not come".to_owned()))??;
		let (body, path) = (entry.body.clone(), self.spool(&case.key)?);
		let (case, account) = (case.clone(), self.parts.account.clone());
		let (positions, beacon) = (open.positions, open.beacon);
		let _place = self.reading.acquire().await;
		let work = move || {
			let subject = subject(&handed, &body, &package);
			let restored = Rerun::restore(&subject, found.kind, &case.output, &path).ok();
			let mut rerun = restored.filter(|rerun| rerun.own_root() == found.own_root())?;
			Some(openings(&mut rerun, &subject, &case, &account, &beacon, positions))
		};
		let opened = tokio::task::spawn_blocking(work).await;
		let opened = opened.map_err(|_| Stuck::Other("the openings broke off".to_owned()))?;
		Ok(opened.transpose()?)
	}

	/// Sends something, and counts what a block has.
	async fn send(&self, case: &Case, action: Action) -> Result<(), Stuck> {
		let Key { record, round } = case.key;
		let (name, counter) = (action.name(), self.counter(&action));
		match self.parts.ledger.send(record, action).await {
			Ok(()) => {
				Counters::count(counter);
				tracing::info!(target: LOG, ?record, round, "the chain has the {name}");
				Ok(())
			}
			Err(LedgerError::Later(reason)) => {
				tracing::info!(target: LOG, ?record, round, %reason, "the {name} is sent again");
				Ok(())
			}
			Err(LedgerError::Never(reason)) => {
				tracing::warn!(target: LOG, ?record, round, %reason, "the chain refuses the {name}");
				// It may have it already, by the same sent before, or have it on another branch. What is to
				// be revealed or opened is never forgotten for a refusal.
				match self.parts.ledger.standing(record, round).await? {
					Standing::Nothing => self.forget(case, Standing::Nothing),
					_ => Ok(()),
				}
			}
		}
	}

	fn counter(&self, action: &Action) -> &AtomicU64 {
		match action {
			Action::Commit { .. } => &self.counters.committed,
			Action::Claim { .. } => &self.counters.claimed,
			Action::Reveal(_) => &self.counters.revealed,
			Action::Open(_) => &self.counters.opened,
		}
	}
}
