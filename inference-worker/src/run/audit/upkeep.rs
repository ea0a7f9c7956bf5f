//! A verifier's upkeep: it is registered, remains one while its consent and its stake allow, and takes
//! what it has earned (`docs/protocol/audit.md`).

use super::super::{
	common::Common,
	live::{now, Live},
	patience::{patiently, Trouble},
};
use crate::audit::{canary::Orders, Counters, Verifier};
use anyhow::Result;
use aria_chain_client::{audit::VerifierInfo, At, Call, SubmitError};
use aria_primitives::{consent::TaskType, AccountId, Balance, BlockNumber, ARIA};
use sp_core::sr25519;
use std::{sync::Arc, time::Duration};

/// Before a registration that was refused is tried again.
const REGISTER_AGAIN: Duration = Duration::from_secs(60);
/// Between two looks at fees, and at whether to remain a verifier.
const UPKEEP: Duration = Duration::from_secs(30);
/// Fewest fees that are claimed, in planck: a claim costs a fee itself.
const LEAST_CLAIM: Balance = ARIA / 100;

/// Whether the consent in force allows audits now.
pub(super) fn may_audit(live: &Live) -> bool {
	let snapshot = live.snapshot();
	!live.is_paused()
		&& snapshot.consent.is_some_and(|version| {
			version.superseded_at.is_none()
				&& version.consent.accepts(TaskType::Audit)
				&& version.consent.schedule.allows(now())
		})
}

/// Keeps the worker among the verifiers, and takes what it has earned.
pub(super) struct Upkeep {
	pub common: Common,
	/// The verifier's key.
	pub key: sr25519::Public,
	/// Canaries that need it to remain one.
	pub canaries: Arc<Orders>,
	pub verifier: Arc<Verifier>,
}

/// What a verifier does besides audits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Chore {
	/// Nothing.
	None,
	/// Claim fees.
	Claim,
	/// Retire: it leaves, or has less stake than counts, which no seat is taken with.
	Retire,
}

/// What there is to do for a verifier with this entry: `stake` it has, in planck, unless it leaves;
/// `canaries` are not over.
fn chore(info: &VerifierInfo, best: BlockNumber, stake: Option<Balance>, canaries: usize) -> Chore {
	let unfit = stake.is_none_or(|stake| stake < info.weight);
	if unfit && info.seats == 0 && canaries == 0 {
		// With it all fees are paid.
		return Chore::Retire;
	}
	let fees = info.owed.saturating_add(info.ripening);
	match fees >= LEAST_CLAIM && (info.seats == 0 || best >= info.ripe_at) {
		true => Chore::Claim,
		false => Chore::None,
	}
}

/// Whose place a worker with `stake` planck that count takes: that of the verifier with the least, if that
/// is less and it has no seat.
fn least(verifiers: &[(AccountId, VerifierInfo)], stake: Balance) -> Option<AccountId> {
	let free = verifiers.iter().filter(|(_, info)| info.seats == 0 && info.weight < stake);
	free.min_by_key(|(account, info)| (info.weight, account.clone()))
		.map(|(account, _)| account.clone())
}

impl Upkeep {
	/// Looks after the verifier until the process ends.
	pub async fn run(self) {
		let Common { shutdown, .. } = &self.common;
		loop {
			tokio::select! {
				() = shutdown.cancelled() => return,
				() = tokio::time::sleep(UPKEEP) => {}
			}
			let done = tokio::select! {
				() = shutdown.cancelled() => return,
				done = self.look() => done,
			};
			if let Err(reason) = done {
				tracing::warn!(
					target: "aria::audit", reason, "a verifier's upkeep waits; it is tried again"
				);
			}
		}
	}

	async fn look(&self) -> Result<(), String> {
		let Common { chain, pair, account, live, .. } = &self.common;
		let snapshot = live.snapshot();
		let (best, hash) = chain.head().borrow().best;
		let info = chain.verifier(account, At::Block(hash)).await;
		// Before the chain says what this worker is, nothing follows.
		let Some(worker) = snapshot.worker else { return Ok(()) };
		let Some(info) = info.map_err(|error| error.to_string())? else {
			// Displaced, or retired for a fall of its stake.
			if worker.active && may_audit(live) {
				return self.enter().await.map_err(|error| error.to_string());
			}
			return Ok(());
		};
		let stake = worker.active.then_some(worker.stake);
		let (call, said) = match chore(&info, best, stake, self.canaries.open()) {
			Chore::None => return Ok(()),
			Chore::Claim => (Call::ClaimFees(account.clone()), "fees were claimed"),
			Chore::Retire => (
				Call::RetireVerifier(account.clone()),
				"this worker is no verifier now: it leaves, or registers again with the stake that it has",
			),
		};
		let is_claim = matches!(call, Call::ClaimFees(_));
		chain.submit(pair, call).await.map_err(|error| error.to_string())?;
		if is_claim {
			Counters::count(&self.verifier.counters.fee_claims);
		}
		tracing::info!(target: "aria::audit", "{said}");
		Ok(())
	}

	/// Registers the verifier, in the place of one with less stake where all are taken.
	async fn enter(&self) -> Result<(), SubmitError> {
		const FULL: &str = "Verification::TooManyVerifiers";
		let Common { chain, pair, live, .. } = &self.common;
		let error = match chain.submit(pair, Call::RegisterVerifier(self.key)).await {
			Ok(_) => return Ok(()),
			Err(error) if error.name() == Some(FULL) => error,
			Err(error) => return Err(error),
		};
		let stake = live.snapshot().worker.map_or(0, |worker| worker.stake);
		let terms = chain.epoch_terms(At::Best).await?;
		let most = terms.map_or(Balance::MAX, |terms| terms.params.max_seat_stake);
		let verifiers = chain.verifiers(At::Best).await?;
		let Some(other) = least(&verifiers, stake.min(most)) else { return Err(error) };
		let call = Call::DisplaceVerifier { key: self.key, other: other.clone() };
		chain.submit(pair, call).await?;
		Counters::count(&self.verifier.counters.displaced);
		tracing::info!(target: "aria::audit", %other, "the place of a verifier with less stake was taken");
		Ok(())
	}

	/// Has the chain know the verifier's key. `None` if the process is to end meanwhile.
	///
	/// # Errors
	/// Another key that is registered already.
	pub async fn register(&self) -> Result<Option<()>> {
		let Common { chain, account, stop, live, .. } = &self.common;
		let key = self.key;
		let mut said = false;
		loop {
			let known = patiently("the verifier is looked up", stop, || async {
				chain.verifier(account, At::Best).await.map_err(Trouble::from)
			});
			let Some(known) = known.await? else { return Ok(None) };
			match known {
				Some(VerifierInfo { key: known, from, .. }) if known == key => {
					tracing::info!(target: "aria::audit", from_epoch = from, "this worker is a verifier");
					return Ok(Some(()));
				}
				Some(_) => anyhow::bail!(
					"another verifier's key is registered for this account: put its file back in place \
					 as keys/verifier in the base path, or retire that verifier on chain, then start again"
				),
				None => {}
			}
			if may_audit(live) {
				match self.enter().await {
					Ok(()) => continue,
					Err(error) => {
						tracing::warn!(
							target: "aria::audit", %error, "the verifier is not registered; that is tried again"
						);
					}
				}
			} else if !said {
				said = true;
				tracing::warn!(
					target: "aria::audit",
					"no audits: the consent in force does not allow them now; start with --loosen-consent to \
					 set one that does"
				);
			}
			tokio::select! {
				() = stop.cancelled() => return Ok(None),
				() = tokio::time::sleep(REGISTER_AGAIN) => {}
			}
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	fn info(change: impl Fn(&mut VerifierInfo)) -> VerifierInfo {
		let mut info = VerifierInfo {
			key: sr25519::Public::from_raw([1; 32]),
			weight: 10 * ARIA,
			from: 1,
			seats: 0,
			owed: 0,
			ripening: 0,
			ripe_at: 500,
			canary: None,
		};
		change(&mut info);
		info
	}

	fn of(best: BlockNumber, change: impl Fn(&mut VerifierInfo)) -> Chore {
		chore(&info(change), best, Some(10 * ARIA), 0)
	}

	#[test]
	fn ripe_fees_should_be_claimed() {
		assert_eq!(of(400, |_| ()), Chore::None);
		assert_eq!(of(400, |info| info.owed = ARIA / 50), Chore::Claim);
		let seated = |info: &mut VerifierInfo| (info.owed, info.seats) = (ARIA / 50, 1);
		assert_eq!(of(400, seated), Chore::None);
		assert_eq!(of(500, seated), Chore::Claim);
		// Not worth the fee of the call.
		assert_eq!(of(400, |info| info.owed = ARIA / 1_000), Chore::None);
	}

	#[test]
	fn who_leaves_or_lost_stake_should_retire_once_it_has_no_seat() {
		let free = info(|_| ());
		assert_eq!(chore(&free, 1, None, 0), Chore::Retire);
		assert_eq!(chore(&free, 1, Some(9 * ARIA), 0), Chore::Retire);
		assert_eq!(chore(&free, 1, Some(11 * ARIA), 0), Chore::None);
		assert_eq!(chore(&info(|info| info.seats = 1), 1, None, 0), Chore::None);
		// Who retires can't show what it made any more.
		assert_eq!(chore(&free, 1, None, 1), Chore::None);
	}

	#[test]
	fn the_verifier_with_the_least_stake_should_be_displaced() {
		let account = |byte: u8| AccountId::new([byte; 32]);
		let verifiers = [
			(account(1), info(|info| info.weight = 30 * ARIA)),
			(account(2), info(|info| (info.weight, info.seats) = (10 * ARIA, 1))),
			(account(3), info(|info| info.weight = 20 * ARIA)),
		];
		assert_eq!(least(&verifiers, 25 * ARIA), Some(account(3)));
		assert_eq!(least(&verifiers, 20 * ARIA), None);
		assert_eq!(least(&[], ARIA), None);
	}
}
