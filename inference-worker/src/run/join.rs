//! Joining and leaving on chain: consent, registration with stake, what is served.

use super::{
	patience::{patiently, Trouble, AGAIN, SAY},
	terms::{self, Step, Terms},
};
use anyhow::{bail, Result};
use aria_chain_client::{At, Call, Chain, Head, Shard, SubmitError, WorkerState, WorkerView};
use aria_network::Identity;
use aria_primitives::{consent::ConsentVersion, AccountId, Balance, BlockNumber, ARIA};
use sp_core::{crypto::Ss58Codec, sr25519};
use std::{
	sync::atomic::{AtomicBool, Ordering},
	time::Duration,
};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// What is left free for deposits and fees, in planck.
const RESERVE: Balance = ARIA / 2;
/// In how many tries the time is divided in which the chain does not take that layers are dropped.
const TRIES: BlockNumber = 10;
/// Longest wait between two of them: on a chain that makes blocks on demand there may come none.
const LONGEST: Duration = Duration::from_secs(60);

/// Who joins, and with what.
pub struct Joining<'a> {
	/// The chain.
	pub chain: &'a Chain,
	/// The account's key.
	pub pair: &'a sr25519::Pair,
	/// The account.
	pub account: &'a AccountId,
	/// The libp2p key.
	pub identity: &'a Identity,
	/// What the configuration says of the consent.
	pub terms: &'a Terms,
	/// Whether it may allow more than the consent on chain.
	pub loosen: bool,
	/// Stake at registration, in planck.
	pub stake: Balance,
	/// Country, ISO 3166 numeric.
	pub region: u16,
	/// The process is to end.
	pub stop: &'a CancellationToken,
}

impl Joining<'_> {
	/// Sets the consent, registers, binds the peer: whatever is missing. `None` if the process is to end
	/// meanwhile.
	///
	/// # Errors
	/// What the owner has to see to: an account without money, a worker that unbonds.
	pub async fn join(&self) -> Result<Option<()>> {
		let mut waited = 0u32;
		loop {
			let Some((consent, had_one, worker, free)) = self.look().await? else {
				return Ok(None);
			};
			let more = match &worker {
				None => match self.affordable(free) {
					Some(stake) => vec![self.register_call(stake)],
					None => {
						self.say_poor(free, waited);
						waited = waited.wrapping_add(1);
						if self.pause().await.is_none() {
							return Ok(None);
						}
						continue;
					}
				},
				Some(worker) => self.mending(worker)?,
			};
			// Last, since it says what is set now.
			let mut calls = Vec::from_iter(self.consent_call(consent.as_ref(), had_one));
			calls.extend(more);
			if calls.is_empty() {
				return Ok(Some(()));
			}
			for call in &calls {
				let (pallet, name) = call.name();
				tracing::info!(target: "aria::worker", "on chain: {pallet}.{name}");
			}
			let call = match <[Call; 1]>::try_from(calls) {
				Ok([call]) => call,
				Err(calls) => Call::BatchAll(calls),
			};
			let submitted = tokio::select! {
				() = self.stop.cancelled() => return Ok(None),
				submitted = self.chain.submit(self.pair, call) => submitted,
			};
			match submitted {
				Ok(included) => tracing::info!(
					target: "aria::worker", block = included.number, "the chain has it"
				),
				Err(error) => {
					let hint = hint(&error);
					match Trouble::from(error) {
						// Looked at anew: perhaps a block has it after all.
						Trouble::Passing(reason) => {
							tracing::warn!(target: "aria::worker", %reason, "joining is tried again");
							if self.pause().await.is_none() {
								return Ok(None);
							}
						}
						Trouble::Lasting(error) => {
							return Err(error.context(format!("the worker can't join: {hint}")))
						}
					}
				}
			}
		}
	}

	/// Waits before something is tried again. `None` if the process is to end meanwhile.
	async fn pause(&self) -> Option<()> {
		tokio::select! {
			() = self.stop.cancelled() => None,
			() = tokio::time::sleep(AGAIN) => Some(()),
		}
	}

	/// Consent in force, whether there ever was one, the worker, and what the account has free.
	async fn look(
		&self,
	) -> Result<Option<(Option<ConsentVersion>, bool, Option<WorkerView>, Balance)>> {
		let Self { chain, account, .. } = *self;
		patiently("the worker on chain is read", self.stop, || async move {
			let at = At::Block(chain.head().borrow().best.1);
			let (consent, worker, funds) = tokio::try_join!(
				chain.consent(account, at),
				chain.worker(account, at),
				chain.balance(account, at),
			)?;
			let consent = consent.filter(|version| version.superseded_at.is_none());
			// Who is registered had a consent before: both are set together.
			let had_one = consent.is_some()
				|| worker.is_some()
				|| chain.consent_version(account, 1, at).await?.is_some();
			let free = funds.spendable(chain.constants().existential_deposit);
			Ok((consent, had_one, worker, free))
		})
		.await
	}

	/// The call that makes the consent on chain what the configuration says, if any.
	fn consent_call(&self, in_force: Option<&ConsentVersion>, had_one: bool) -> Option<Call> {
		let current = in_force.map(|version| &version.consent);
		match terms::step(self.terms, self.account, current, had_one, self.loosen) {
			Step::Keep => None,
			Step::Set(consent) => {
				tracing::info!(
					target: "aria::worker", "the consent is set to: {}", terms::shown(&consent)
				);
				Some(match in_force {
					Some(_) => Call::UpdateConsent(consent),
					None => Call::SetConsent(consent),
				})
			}
			Step::Ask { more } => {
				tracing::warn!(
					target: "aria::worker",
					"the configuration allows more than the consent on chain, which stays as it is: {}. \
					 If that is what you want, start once with --loosen-consent",
					more.join("; ")
				);
				None
			}
		}
	}

	/// The stake that `free` allows, at most as much as was asked for; `None` if it is not enough.
	fn affordable(&self, free: Balance) -> Option<Balance> {
		affordable(free, self.chain.constants().minimum_stake, self.stake)
	}

	fn say_poor(&self, free: Balance, waited: u32) {
		if !waited.is_multiple_of(SAY) {
			return;
		}
		let needed = self.chain.constants().minimum_stake.saturating_add(RESERVE);
		tracing::warn!(
			target: "aria::worker",
			"waiting for money: the account {} has {} ARIA free, and {} are needed for stake, deposits \
			 and fees. Transfer them to it; this goes on by itself then",
			self.account.to_ss58check(),
			aria(free),
			aria(needed)
		);
	}

	fn register_call(&self, stake: Balance) -> Call {
		Call::RegisterWorker {
			peer: self.identity.peer_key(),
			peer_signature: self.identity.sign_binding(&self.chain.genesis(), self.account),
			region: self.region,
			stake,
		}
	}

	/// What a registered worker lacks.
	fn mending(&self, worker: &WorkerView) -> Result<Vec<Call>> {
		let mut calls = Vec::new();
		match worker.state {
			// Who rests says that it is back once its layers are in memory.
			WorkerState::Active | WorkerState::Resting { .. } => {}
			WorkerState::Draining { .. } => calls.push(Call::Resume),
			WorkerState::Unbonding { until, .. } => bail!(
				"the worker is leaving: its stake unlocks at block {until}. To stay, submit \
				 WorkerRegistry.resume first; to leave, wait and submit WorkerRegistry.withdraw"
			),
		}
		if worker.peer != self.identity.peer_key() {
			calls.push(Call::RotatePeer {
				peer: self.identity.peer_key(),
				peer_signature: self.identity.sign_binding(&self.chain.genesis(), self.account),
			});
		}
		let minimum = self.chain.constants().minimum_stake;
		if worker.stake < minimum {
			calls.push(Call::BondMore(minimum.saturating_sub(worker.stake)));
		}
		if worker.region != self.region && self.region != 0 {
			calls.push(Call::SetRegion(self.region));
		}
		Ok(calls)
	}
}

/// Says on chain what is served. `None` if the process is to end meanwhile.
///
/// # Errors
/// What no later try mends.
pub async fn set_served(
	chain: &Chain,
	pair: &sr25519::Pair,
	account: &AccountId,
	shards: Vec<Shard>,
	stop: &CancellationToken,
) -> Result<Option<()>> {
	let early = &AtomicBool::new(false);
	patiently("what is served is said on chain", stop, || {
		let shards = shards.clone();
		async move {
			let grace = chain.constants().served_grace;
			if early.swap(false, Ordering::Relaxed) {
				// A transaction that fails pays its fee.
				blocks_later(chain.head(), grace / TRIES, LONGEST).await;
			}
			let worker = chain.worker(account, At::Best).await?;
			if worker.is_some_and(|worker| worker.served == shards) {
				return Ok(());
			}
			match chain.submit(pair, Call::SetServed(shards)).await {
				Ok(included) => {
					tracing::info!(
						target: "aria::worker", block = included.number, "served layers are on chain"
					);
					Ok(())
				}
				// Layers were dropped lately: what is served now is said when the chain takes it.
				Err(error)
					if error
						.name()
						.is_some_and(|name| name.ends_with("::ServedChangedRecently")) =>
				{
					early.store(true, Ordering::Relaxed);
					Err(Trouble::Passing(format!(
						"layers were dropped less than {grace} blocks ago, and the chain takes that only \
						 so often"
					)))
				}
				Err(error) => Err(error.into()),
			}
		}
	})
	.await
}

/// Takes no more work on chain: the stake can be unbonded from then on.
///
/// # Errors
/// What no later try mends.
pub async fn drain(
	chain: &Chain,
	pair: &sr25519::Pair,
	account: &AccountId,
	stop: &CancellationToken,
) -> Result<Option<()>> {
	patiently("the worker drains on chain", stop, || async move {
		match chain.worker(account, At::Best).await? {
			Some(worker) if !worker.leaves() => {
				let included = chain.submit(pair, Call::Drain).await?;
				tracing::info!(
					target: "aria::worker",
					block = included.number,
					"the worker drains: submit WorkerRegistry.unbond to unlock its stake"
				);
				Ok(())
			}
			_ => Ok(()),
		}
	})
	.await
}

/// What the owner can do about an error.
fn hint(error: &SubmitError) -> &'static str {
	match error.name() {
		Some(name) if name.ends_with("::PeerTaken") => {
			"the peer key belongs to another worker; use another --base-path, or move keys/peer away"
		}
		Some(name) if name.ends_with("::StakeTooLow") => "raise --stake",
		Some(name) if name.starts_with("Token::") => "transfer more to the account",
		_ => "see the chain's reason",
	}
}

/// The stake that `free` allows beside the reserve: `asked`, but neither less than `minimum` nor more than
/// there is; `None` if it is not enough.
fn affordable(free: Balance, minimum: Balance, asked: Balance) -> Option<Balance> {
	let most = free.saturating_sub(RESERVE);
	(most >= minimum).then(|| asked.max(minimum).min(most))
}

/// Returns when the best block is `blocks` further on, one at least, or after `most`.
async fn blocks_later(mut head: watch::Receiver<Head>, blocks: BlockNumber, most: Duration) {
	let until = head.borrow_and_update().best.0.saturating_add(blocks.max(1));
	let reached = async {
		while head.changed().await.is_ok() {
			if head.borrow_and_update().best.0 >= until {
				return;
			}
		}
	};
	let _ = tokio::time::timeout(most, reached).await;
}

fn aria(planck: Balance) -> String {
	super::config::Amount(planck).to_string()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;
	use tokio::time::timeout;

	/// Longer than anything here takes.
	const LONG: Duration = Duration::from_secs(60);

	fn head(number: BlockNumber) -> Head {
		Head { best: (number, Default::default()), ..Head::default() }
	}

	#[test]
	fn the_stake_should_leave_the_reserve() {
		let minimum = 10 * ARIA;
		assert_eq!(affordable(minimum, minimum, 0), None);
		assert_eq!(affordable(minimum + RESERVE, minimum, 0), Some(minimum));
		assert_eq!(affordable(minimum + RESERVE, minimum, 50 * ARIA), Some(minimum));
		assert_eq!(affordable(90 * ARIA, minimum, 50 * ARIA), Some(50 * ARIA));
	}

	#[tokio::test]
	async fn blocks_should_be_waited_for() {
		let heads = watch::Sender::new(head(5));
		let later = blocks_later(heads.subscribe(), 3, LONG);
		tokio::pin!(later);
		for number in [6, 7, 8] {
			assert!(timeout(Duration::from_millis(5), &mut later).await.is_err());
			heads.send_replace(head(number));
		}
		timeout(LONG / 2, later).await.unwrap();
	}

	#[tokio::test]
	async fn a_chain_without_blocks_should_be_tried_again() {
		let heads = watch::Sender::new(head(5));
		let later = blocks_later(heads.subscribe(), 0, Duration::from_millis(10));
		timeout(LONG, later).await.unwrap();
	}
}
