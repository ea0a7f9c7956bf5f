//! Sending transactions and following them into a block, through restarts of the node.

use crate::{
	call::Call,
	chain::{At, Chain},
	error::{ChainError, Refusal, SubmitError},
	events::{applied, Included},
	keys,
	link::Head,
	nonce::{InFlight, Slot},
	rpc,
	sign::{sign, Signed, LIFE},
};
use aria_primitives::{AccountId, BlockNumber};
use sp_core::{sr25519, Pair as _, H256};
use std::{sync::Arc, time::Duration};
use subxt::rpcs::{
	client::RpcSubscription, methods::legacy::TransactionStatus, Error as RpcError, UserError,
};
use tokio::time::{sleep, timeout, Instant};

/// How long a transaction is waited for until a block holds it.
const INCLUSION: Duration = Duration::from_secs(3 * 60);
/// How long it is waited for until it is final.
const FINALITY: Duration = Duration::from_secs(15 * 60);
/// How often a nonce is chosen anew.
const ATTEMPTS: u32 = 5;
/// Before that is done.
const PAUSE: Duration = Duration::from_millis(200);
/// How long the head may take to show a block that took a transaction.
const HEAD_FOLLOWS: Duration = Duration::from_secs(2);
/// How often blocks are searched for a transaction whose watch was lost, if no new block shows.
const SEARCH: Duration = Duration::from_secs(3);

/// Up to which point a transaction is waited for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Until {
	/// A block on the best chain holds it; that block may still be replaced by another.
	#[default]
	InBlock,
	/// A final block holds it.
	Finalized,
}

/// A transaction on its way.
struct Sent {
	signed: Signed,
	account: AccountId,
	nonce: u32,
	/// The block of its checkpoint: no earlier one holds it.
	birth: BlockNumber,
	_flight: InFlight,
}

type Watch = RpcSubscription<TransactionStatus<H256>>;

/// How following a transaction stands.
enum Progress {
	/// It is decided.
	Done(Result<Included, SubmitError>),
	/// Nobody tells any more: look for it.
	Lost,
}

impl Chain {
	/// [`Chain::submit_until`] a block holds the transaction.
	///
	/// # Errors
	/// Those of [`Chain::submit_until`].
	pub async fn submit(&self, pair: &sr25519::Pair, call: Call) -> Result<Included, SubmitError> {
		self.submit_until(pair, call, Until::InBlock).await
	}

	/// [`Chain::submit_until`] a final block holds the transaction.
	///
	/// # Errors
	/// Those of [`Chain::submit_until`].
	pub async fn submit_finalized(
		&self,
		pair: &sr25519::Pair,
		call: Call,
	) -> Result<Included, SubmitError> {
		self.submit_until(pair, call, Until::Finalized).await
	}

	/// Signs a call with `pair`, sends it, and waits until a block holds it, or until that block is
	/// final. Calls may be sent from one account at the same time: each gets its own nonce, and they
	/// take effect in the order in which they were taken.
	///
	/// A node that restarts meanwhile is ridden out: the transaction is looked for in the blocks since,
	/// and sent again, the same bytes, so that it can't take effect twice.
	///
	/// # Errors
	/// - [`SubmitError::Failed`] if a block holds it and the call, or one within [`Call::Sudo`] or
	///   [`Call::BatchAll`], failed.
	/// - [`SubmitError::Refused`] if the pool does not take or keep it.
	/// - [`SubmitError::Chain`] if nothing was sent, or if the chain is another one since.
	/// - [`SubmitError::Undecided`] if none of this is known after three minutes (fifteen, until it is
	///   final).
	///
	/// [`SubmitError::advice`] says what that means for a settlement. Dropping the future does not take
	/// the transaction back.
	pub async fn submit_until(
		&self,
		pair: &sr25519::Pair,
		call: Call,
		until: Until,
	) -> Result<Included, SubmitError> {
		let account = AccountId::from(pair.public());
		let slot = self.accounts.slot(&account);
		let (sent, watch) = self.send(pair, &call, account, &slot).await?;
		let patience = match until {
			Until::InBlock => INCLUSION,
			Until::Finalized => FINALITY,
		};
		let began = Instant::now();
		let result = match timeout(patience, self.follow(&sent, watch, until)).await {
			Ok(result) => result,
			Err(_) => Err(SubmitError::Undecided {
				nonce: sent.nonce,
				expires: sent.signed.expires,
				waited: began.elapsed(),
			}),
		};
		if !matches!(result, Ok(_) | Err(SubmitError::Failed { .. })) {
			slot.resynchronise();
		}
		if let Ok(included) = &result {
			// Who reads at our head next sees what was done.
			let (mut head, number) = (self.head(), included.number);
			let seen = head.wait_for(|head| head.best.0 >= number);
			let _ = timeout(HEAD_FOLLOWS, seen).await;
		}
		let (pallet, name) = call.name();
		match &result {
			Ok(included) => tracing::debug!(
				target: "aria::chain", pallet, name, block = included.number, "included"
			),
			Err(error) => tracing::debug!(target: "aria::chain", pallet, name, %error, "not done"),
		}
		result
	}

	/// Chooses a nonce, signs and sends.
	async fn send(
		&self,
		pair: &sr25519::Pair,
		call: &Call,
		account: AccountId,
		slot: &Arc<Slot>,
	) -> Result<(Sent, Option<Watch>), SubmitError> {
		let mut next = slot.next.lock().await;
		let mut attempt = 0;
		loop {
			attempt += 1;
			let session = self.session().await?;
			let nonce = match slot.own(*next) {
				Some(nonce) => nonce,
				None => self.nonce(&account).await?,
			};
			let birth = checkpoint(&self.shared.head.borrow());
			let signed = sign(&session.runtime, pair, call, nonce, birth)?;
			let submission = session.methods.author_submit_and_watch_extrinsic(&signed.bytes);
			let answer = timeout(rpc::REQUEST, submission).await;
			let watch = match answer {
				Ok(Ok(watch)) => Some(watch),
				Ok(Err(RpcError::User(error))) => {
					*next = None;
					let refusal = refused(&error);
					let repeat = matches!(
						refusal,
						SubmitError::Refused {
							reason: Refusal::Stale | Refusal::NonceTaken | Refusal::Invalid,
							..
						}
					);
					if repeat && attempt < ATTEMPTS {
						sleep(PAUSE.saturating_mul(attempt)).await;
						continue;
					}
					return Err(refusal);
				}
				Ok(Err(error)) if !rpc::is_lost(&error) => {
					return Err(
						rpc::explain(self.url(), "author_submitAndWatchExtrinsic", error).into()
					);
				}
				// It may have arrived or not.
				Ok(Err(_)) | Err(_) => None,
			};
			*next = Some(nonce.saturating_add(1));
			let flight = slot.fly();
			let sent = Sent { signed, account, nonce, birth: birth.0, _flight: flight };
			return Ok((sent, watch));
		}
	}

	/// Waits for what becomes of a transaction.
	async fn follow(
		&self,
		sent: &Sent,
		watch: Option<Watch>,
		until: Until,
	) -> Result<Included, SubmitError> {
		if let Some(watch) = watch {
			if let Progress::Done(result) = self.watch(sent, watch, until).await {
				return result;
			}
			tracing::debug!(
				target: "aria::chain", nonce = sent.nonce, "lost sight of a transaction: searching"
			);
		}
		self.search(sent, until).await
	}

	/// Follows what the node's pool tells.
	async fn watch(&self, sent: &Sent, mut watch: Watch, until: Until) -> Progress {
		let gone = |reason, message: &str| {
			Progress::Done(Err(SubmitError::Refused { reason, message: message.to_owned() }))
		};
		while let Some(Ok(status)) = watch.next().await {
			let (block, finalized) = match status {
				TransactionStatus::InBlock(block) if until == Until::InBlock => (block, false),
				TransactionStatus::Finalized(block) => (block, true),
				TransactionStatus::Dropped => {
					return gone(Refusal::PoolFull, "the pool dropped it to make room");
				}
				TransactionStatus::Usurped(_) => {
					return gone(Refusal::NonceTaken, "another transaction took its nonce");
				}
				// Perhaps because a block holds it that the pool does not know of.
				TransactionStatus::Invalid | TransactionStatus::FinalityTimeout(_) => {
					return Progress::Lost;
				}
				TransactionStatus::InBlock(_)
				| TransactionStatus::Future
				| TransactionStatus::Ready
				| TransactionStatus::Broadcast(_)
				| TransactionStatus::Retracted(_) => continue,
			};
			return match self.outcome(sent, block, finalized).await {
				Ok(Some(result)) => Progress::Done(result),
				Ok(None) => Progress::Lost,
				Err(error) if error.is_transient() => Progress::Lost,
				Err(error) => Progress::Done(Err(error.into())),
			};
		}
		Progress::Lost
	}

	/// Looks for a transaction in the blocks, and sends it again as long as none holds it.
	async fn search(&self, sent: &Sent, until: Until) -> Result<Included, SubmitError> {
		let mut head = self.head();
		let mut searched = Vec::new();
		loop {
			match self.look(sent, until, &mut searched).await {
				Ok(Some(result)) => return result,
				Ok(None) => {}
				Err(
					error @ (ChainError::Unreachable { .. }
					| ChainError::Refused { .. }
					| ChainError::NoBlock { .. }),
				) => {
					tracing::debug!(target: "aria::chain", %error, "the search goes on");
				}
				Err(error) => return Err(error.into()),
			}
			// A new block, or a while. The sender lives as long as this chain.
			let _ = timeout(SEARCH, head.changed()).await;
			sleep(PAUSE).await;
		}
	}

	/// One look at all blocks that may hold the transaction; `searched` are those that do not.
	async fn look(
		&self,
		sent: &Sent,
		until: Until,
		searched: &mut Vec<H256>,
	) -> Result<Option<Result<Included, SubmitError>>, ChainError> {
		let best = self.header(At::Best).await?.number;
		let finalized = self.header(At::Finalized).await?.number;
		for number in sent.birth..=best.min(sent.signed.expires) {
			let Some(block) = self.block_hash(number).await? else { break };
			if searched.contains(&block) {
				continue;
			}
			if let Some(result) = self.outcome(sent, block, number <= finalized).await? {
				// Not final yet: look again later whether the same block still stands.
				let waits = until == Until::Finalized && number > finalized;
				return Ok((!waits).then_some(result));
			}
			searched.push(block);
		}
		let gone =
			|reason, message: String| Ok(Some(Err(SubmitError::Refused { reason, message })));
		if finalized >= sent.signed.expires {
			return gone(Refusal::Expired, format!("no block up to {finalized} took it"));
		}
		if self.nonce_at(&sent.account, At::Finalized).await? > sent.nonce {
			let message = format!("another transaction has nonce {}", sent.nonce);
			return gone(Refusal::Stale, message);
		}
		self.send_again(sent).await;
		Ok(None)
	}

	/// Sends the same bytes again, in case that they were lost with the node's pool.
	async fn send_again(&self, sent: &Sent) {
		let bytes = &sent.signed.bytes;
		let answer = self
			.read("author_submitExtrinsic", |session| {
				let bytes = bytes.clone();
				async move { session.methods.author_submit_extrinsic(&bytes).await }
			})
			.await;
		if let Err(error) = answer {
			// Most often because the pool has it.
			tracing::trace!(target: "aria::chain", %error, "not sent again");
		}
	}

	/// How a transaction went in a block; `None` if the block does not hold it.
	async fn outcome(
		&self,
		sent: &Sent,
		block: H256,
		finalized: bool,
	) -> Result<Option<Result<Included, SubmitError>>, ChainError> {
		const EVENTS: &str = "System.Events";
		let details = self
			.read("chain_getBlock", |session| async move {
				session.methods.chain_get_block(Some(block)).await
			})
			.await?
			.ok_or_else(|| ChainError::NoBlock { block: format!("{block:?}") })?;
		let number = details.block.header.number;
		let mut transactions = details.block.extrinsics.iter();
		let Some(index) = transactions.position(|bytes| bytes.0 == sent.signed.bytes) else {
			return Ok(None);
		};
		let bytes = self
			.read("state_getStorage", |session| async move {
				let key = keys::item("System", "Events");
				session.methods.state_get_storage(&key, Some(block)).await
			})
			.await?
			.unwrap_or_default();
		let bad = |reason: String| ChainError::BadAnswer { method: EVENTS.to_owned(), reason };
		let index = u32::try_from(index).map_err(|error| bad(error.to_string()))?;
		let runtime = self.session().await?.runtime;
		let applied = applied(&runtime, bytes, index).map_err(bad)?;
		if !applied.known {
			return Err(bad(format!("block {number} does not say how transaction {index} went")));
		}
		if let Some(name) = applied.error {
			return Ok(Some(Err(SubmitError::Failed { name, block, number })));
		}
		Ok(Some(Ok(Included {
			block,
			number,
			finalized,
			events: applied.events,
			settled: applied.settled,
			failed: applied.failed,
			fee: applied.fee,
		})))
	}
}

/// The block from which on a transaction lives: the last final one, whose hash no fork can change,
/// or the best one if finality lags so far behind that it would hardly live.
fn checkpoint(head: &Head) -> (BlockNumber, H256) {
	let lag = head.best.0.saturating_sub(head.finalized.0);
	if lag <= LIFE / 4 {
		head.finalized
	} else {
		head.best
	}
}

/// What the pool's refusal means.
fn refused(error: &UserError) -> SubmitError {
	let data = error.data.as_ref().map(|data| data.get().trim_matches('"')).unwrap_or_default();
	let reason = Refusal::of(error.code, &error.message, data);
	let message =
		if data.is_empty() { error.message.clone() } else { format!("{}: {data}", error.message) };
	SubmitError::Refused { reason, message }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;

	#[test]
	fn a_transaction_should_be_born_where_no_fork_can_reach_it() {
		let (old, new) = (H256::repeat_byte(1), H256::repeat_byte(2));
		let head = |lag: u32| Head { best: (100 + lag, new), finalized: (100, old) };

		assert_eq!(checkpoint(&head(0)), (100, old));
		assert_eq!(checkpoint(&head(16)), (100, old));
		assert_eq!(checkpoint(&head(17)), (117, new));
	}

	#[test]
	fn a_refusal_should_carry_the_nodes_words() {
		let error: UserError = serde_json::from_str(
			r#"{"code":1010,"message":"Invalid Transaction","data":"Transaction is outdated"}"#,
		)
		.unwrap();

		let SubmitError::Refused { reason, message } = refused(&error) else {
			panic!("a refusal is a refusal")
		};
		assert_eq!(reason, Refusal::Stale);
		assert_eq!(message, "Invalid Transaction: Transaction is outdated");
	}
}
