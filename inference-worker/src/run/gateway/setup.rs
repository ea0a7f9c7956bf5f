//! The gateway on chain: registered, with offers; and what a development chain needs besides.

use super::fund::{grant, Grant};
use crate::{
	keys::{account::parse, account_of, private, Spending},
	run::{
		common::Common,
		config::{Amount, Config, ModelName},
		patience::{patiently, Trouble},
	},
};
use anyhow::{anyhow, Context, Result};
use aria_chain_client::{At, Call, GatewayState};
use aria_gateway::{KeyFile, KeyFileError, NewKey};
use aria_primitives::{traits::Offer, Balance, ModelId, ARIA};
use sp_core::crypto::Ss58Codec;

/// What a gateway of a development chain asks for: an answer of a hundred tokens by three workers costs
/// enough that its settlement is free.
const DEV_OFFER: Offer =
	Offer { prompt_price: 50_000_000, cached_price: 5_000_000, output_price: 300_000_000 };
/// Who pays on a development chain.
const DEV_REQUESTER: &str = "//Eve";
/// What the API key of a development chain is called.
const DEV_NAME: &str = "dev";
/// The file under the base path with that key's token.
pub const DEV_TOKEN_FILE: &str = "dev-token";
/// What is left free for deposits and fees, in planck.
const RESERVE: Balance = ARIA / 2;

/// Registers the gateway with its stake, if it is not yet.
///
/// # Errors
/// What the operator has to see to.
pub async fn register(common: &Common) -> Result<Option<()>> {
	let Common { chain, pair, account, stop, .. } = common;
	patiently("the gateway is registered", stop, || async move {
		match chain.gateway(account, At::Best).await? {
			Some(gateway) => match gateway.state {
				GatewayState::Active => Ok(()),
				GatewayState::Unbonding { until } => Err(Trouble::Lasting(anyhow!(
					"the gateway is leaving, until block {until}: use another account"
				))),
			},
			None => {
				let constants = chain.constants();
				let funds = chain.balance(account, At::Best).await?;
				let free = funds.spendable(constants.existential_deposit);
				let needed = constants.gateway_stake.saturating_add(RESERVE);
				if free < needed {
					return Err(Trouble::Passing(format!(
						"the account {} has {} ARIA free, and a gateway needs {} for its stake and fees: \
						 transfer them to it",
						account.to_ss58check(),
						Amount(free),
						Amount(needed)
					)));
				}
				let included = chain.submit(pair, Call::RegisterGateway).await?;
				tracing::info!(
					target: "aria::gateway", block = included.number, "the gateway is on chain"
				);
				Ok(())
			}
		}
	})
	.await
}

/// Raises the gateway's stake to `wanted` planck, if the account has as much. What it sells until records
/// have vested is bounded by it.
///
/// # Errors
/// What the operator has to see to.
pub async fn stake(wanted: Option<Balance>, common: &Common) -> Result<Option<()>> {
	let Some(wanted) = wanted else { return Ok(Some(())) };
	let Common { chain, pair, account, stop, .. } = common;
	patiently("the gateway's stake is raised", stop, || async move {
		let Some(gateway) = chain.gateway(account, At::Best).await? else {
			return Err(Trouble::Passing("the gateway is not on chain yet".to_owned()));
		};
		let constants = chain.constants();
		let missing = missing(wanted, constants.gateway_stake, gateway.stake);
		if missing == 0 {
			return Ok(());
		}
		let funds = chain.balance(account, At::Best).await?;
		let free = funds.spendable(constants.existential_deposit);
		if free < missing.saturating_add(RESERVE) {
			tracing::warn!(
				target: "aria::gateway",
				"the gateway's stake stays at {} ARIA: the account {} has {} ARIA free, and for the \
				 stake of {} that is configured it needs {} more, and {} for fees. Transfer them to it \
				 and start again",
				Amount(gateway.stake),
				account.to_ss58check(),
				Amount(free),
				Amount(gateway.stake.saturating_add(missing)),
				Amount(missing),
				Amount(RESERVE)
			);
			return Ok(());
		}
		let included = chain.submit(pair, Call::RaiseGatewayStake(missing)).await?;
		tracing::info!(
			target: "aria::gateway",
			block = included.number,
			"the gateway's stake is raised by {} ARIA",
			Amount(missing)
		);
		Ok(())
	})
	.await
}

/// What a stake lacks of what is wanted, or of the least that there has to be.
fn missing(wanted: Balance, least: Balance, stake: Balance) -> Balance {
	wanted.max(least).saturating_sub(stake)
}

/// Says on chain what the gateway asks for the models' tokens.
///
/// # Errors
/// What the operator has to see to.
pub async fn sell(config: &Config, common: &Common) -> Result<Option<()>> {
	let configured = config.gateway.as_ref().and_then(|gateway| gateway.offer);
	let wanted = configured.or(config.dev.then_some(DEV_OFFER));
	let Common { chain, pair, account, stop, .. } = common;
	patiently("prices are said on chain", stop, || async move {
		let models = sold(config, common).await?;
		let mut calls = Vec::new();
		let mut priced = 0;
		for model in models {
			let current = chain.offer(model, account, At::Best).await?;
			match wanted {
				Some(offer)
					if current != Some(offer) && (configured.is_some() || current.is_none()) =>
				{
					calls.push(Call::SetOffer { model, offer });
					priced += 1;
				}
				_ => priced += usize::from(current.is_some()),
			}
		}
		if priced == 0 {
			return Err(Trouble::Passing(
				"there is no model that this gateway has a price for: wait until one is pinned, and set \
				 gateway.offer, or --offer"
					.to_owned(),
			));
		}
		if !calls.is_empty() {
			chain.submit(pair, Call::BatchAll(calls)).await?;
			tracing::info!(target: "aria::gateway", "prices are on chain");
		}
		Ok(())
	})
	.await
}

/// The models that are sold: those that are named, or all that are pinned.
async fn sold(config: &Config, common: &Common) -> Result<Vec<ModelId>, Trouble> {
	let chain = &common.chain;
	let mut models = Vec::new();
	let all = config.models.is_empty() || config.models.contains(&ModelName::Auto);
	if all {
		let pinned = chain.models(At::Best).await?;
		models.extend(pinned.into_iter().filter(|model| model.pinned).map(|model| model.id));
	}
	for name in &config.models {
		match name {
			ModelName::Auto => {}
			ModelName::Id(id) => models.push(*id),
			ModelName::Alias(alias) => models.extend(chain.resolve_alias(alias, At::Best).await?),
		}
	}
	models.sort_unstable();
	models.dedup();
	Ok(models)
}

/// The models that are sold, for whoever needs their tokenizers.
///
/// # Errors
/// What no later try mends.
pub async fn models(config: &Config, common: &Common) -> Result<Option<Vec<ModelId>>> {
	patiently("models are looked for on chain", &common.stop, || sold(config, common)).await
}

/// On a development chain: a requester with a full escrow, a spending key, and an API key whose token is
/// kept in a file and said in the log.
///
/// # Errors
/// What the operator has to see to.
pub async fn develop(config: &Config, common: &Common, keys: &KeyFile) -> Result<Option<()>> {
	let requester = parse(DEV_REQUESTER)?;
	let spending = Spending::Derived(DEV_NAME.to_owned());
	let key = account_of(&spending.pair(&common.pair)?);
	let Common { chain, account, stop, .. } = common;
	if grant(chain, &requester, &key, account, Grant::DEV, stop).await?.is_none() {
		return Ok(None);
	}
	let file = config.base.join(DEV_TOKEN_FILE);
	let token = match private::read(&file)? {
		Some(token) => token.trim().to_owned(),
		None => {
			let new = || NewKey {
				name: DEV_NAME.to_owned(),
				requester: account_of(&requester).to_ss58check(),
				spending_key: Some(spending.to_string()),
				limits: None,
			};
			let made = match keys.create(new()) {
				// Its token was lost with the file.
				Err(KeyFileError::NameTaken(_)) => {
					keys.revoke(DEV_NAME)?;
					keys.create(new())
				}
				made => made,
			};
			let (token, _) = made.context("the API key of the development chain")?;
			private::replace(&file, &format!("{token}\n"))?;
			token
		}
	};
	tracing::info!(
		target: "aria::gateway",
		"API key for development, also in {}: {token}",
		file.display()
	);
	Ok(Some(()))
}

#[cfg(test)]
mod tests {
	use super::*;
	use aria_chain_client::price::{free_from, price};

	#[test]
	fn a_stake_should_be_raised_to_what_is_wanted_and_no_less_than_the_chains() {
		assert_eq!(missing(500, 100, 100), 400);
		assert_eq!(missing(50, 100, 100), 0);
		// After an audit took some of it.
		assert_eq!(missing(50, 100, 90), 10);
		assert_eq!(missing(500, 100, 600), 0);
	}

	#[test]
	fn an_answer_of_a_hundred_tokens_by_three_workers_should_settle_for_free() {
		// `FreeFrom` (`docs/protocol/settlement.md`).
		let least = free_from(ARIA / 50, 3);
		// The prompt and the record's bytes come on top of that.
		assert!(price(&DEV_OFFER, 0, 0, 100, 3, 0).tokens >= least);
	}
}
