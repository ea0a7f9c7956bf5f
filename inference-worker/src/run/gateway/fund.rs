//! Spending keys on chain: escrow and limits of who pays, set up with the requester's own key.

use crate::run::patience::{patiently, Trouble};
use anyhow::Result;
use aria_chain_client::{At, Call, Chain};
use aria_primitives::{AccountId, Balance, BlockNumber, ARIA};
use sp_core::{crypto::Ss58Codec, sr25519};
use tokio_util::sync::CancellationToken;

/// What a requester grants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grant {
	/// What the escrow has to have free, in planck.
	pub escrow: Balance,
	/// Most that the key may ever take, in planck.
	pub allowance: Balance,
	/// Most that it may take in an hour, in planck.
	pub hourly_cap: Balance,
	/// For how many blocks.
	pub life: BlockNumber,
}

impl Grant {
	/// On a development chain.
	pub const DEV: Self = Self {
		escrow: 1_000 * ARIA,
		allowance: 1_000 * ARIA,
		hourly_cap: 1_000 * ARIA,
		life: 10_000_000,
	};
}

/// Fills the escrow of `requester` and registers `key` for `gateway`, as far as that is missing. A key
/// that is there gets the grant's limits beyond what it has spent. `None` if the process is to end.
///
/// # Errors
/// What no later try mends, such as an account without money.
pub async fn grant(
	chain: &Chain,
	requester: &sr25519::Pair,
	key: &AccountId,
	gateway: &AccountId,
	grant: Grant,
	stop: &CancellationToken,
) -> Result<Option<()>> {
	let account = crate::keys::account_of(requester);
	patiently("the spending key is registered", stop, || {
		let account = account.clone();
		async move {
			let best = chain.head().borrow().best;
			let at = At::Block(best.1);
			let (escrow, known) =
				tokio::try_join!(chain.escrow(&account, at), chain.spending_key(key, at))?;
			let free = escrow.0.saturating_sub(escrow.1);
			let mut calls = Vec::new();
			if free < grant.escrow {
				calls.push(Call::Deposit(grant.escrow.saturating_sub(free)));
			}
			let expiry = best.0.saturating_add(grant.life);
			match known {
				None => calls.push(Call::RegisterKey {
					key: key.clone(),
					gateway: gateway.clone(),
					allowance: grant.allowance,
					hourly_cap: grant.hourly_cap,
					expiry,
				}),
				Some(known) if known.requester != account || known.gateway != *gateway => {
					return Err(Trouble::Lasting(anyhow::anyhow!(
						"the spending key {} is bound to another requester or gateway",
						key.to_ss58check()
					)))
				}
				Some(known) => {
					let left = known.allowance.saturating_sub(known.spent);
					let dies = known.expiry < best.0.saturating_add(grant.life / 2);
					if left < grant.allowance / 2 || dies || known.hourly_cap < grant.hourly_cap {
						calls.push(Call::UpdateKey {
							key: key.clone(),
							allowance: known.spent.saturating_add(grant.allowance),
							hourly_cap: grant.hourly_cap,
							expiry,
						});
					}
				}
			}
			if !calls.is_empty() {
				chain.submit(requester, Call::BatchAll(calls)).await?;
				tracing::info!(
					target: "aria::gateway",
					requester = %account.to_ss58check(),
					"escrow and spending key are on chain"
				);
			}
			Ok(())
		}
	})
	.await
}
