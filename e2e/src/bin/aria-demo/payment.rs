//! Who paid for the answer, and who gets what of it, out of the state before and behind the block that
//! settled it.

use crate::{
	record::Settled,
	show::{account, aria, heading, line, note},
	up::named,
};
use anyhow::{ensure, Context, Result};
use aria_e2e::{client::Client, cluster::Cluster, flow, keys};
use aria_primitives::{AccountId, Balance, BlockNumber, EpochIndex};
use aria_runtime::{
	parameters::{AuditPot, StoragePot, VestingEpochs},
	Hash, Runtime,
};
use pallet_inference_market::EscrowAccount;

/// Shows escrow, shares and burn, and checks that they add up.
pub async fn show(cluster: &Cluster, settled: &Settled) -> Result<()> {
	heading("What it cost, and who gets it");
	let (client, entry) = (&cluster.client, &settled.entry);
	let blocks = Blocks {
		before: block(client, entry.settled_at.saturating_sub(1)).await?,
		after: block(client, entry.settled_at).await?,
	};
	ensure!(entry.price > 0, "the answer cost nothing");

	let paid = blocks.escrow(client, &entry.requester).await?;
	ensure!(
		paid.0.checked_sub(paid.1) == Some(entry.price),
		"the escrow did not give the price, and nothing but the price"
	);
	line("price", &aria(entry.price));
	line("requester", &format!("{} paid from its escrow", account(&entry.requester)));
	line("", &format!("{} before, {} after", aria(paid.0), aria(paid.1)));

	let mut sum: Balance = 0;
	for stage in &entry.body.stages {
		let share = blocks.unvested(client, entry.epoch, &stage.node).await?;
		ensure!(share > 0, "a stage earned nothing");
		sum = sum.saturating_add(share);
		part(&named(cluster, &stage.node), share, entry.price);
	}
	for (name, payee) in [
		("gateway", entry.gateway.clone()),
		("author of the block", keys::account(&keys::owner())),
		("audits", AuditPot::get()),
		("storage", StoragePot::get()),
	] {
		let share = blocks.unvested(client, entry.epoch, &payee).await?;
		sum = sum.saturating_add(share);
		part(name, share, entry.price);
	}
	let burnt = blocks.burnt(client, entry.epoch).await?;
	part("burnt", burnt, entry.price);
	ensure!(sum.saturating_add(burnt) == entry.price, "the parts of the price do not add up to it");
	let vests = entry.epoch.saturating_add(VestingEpochs::get());
	note(&format!(
		"Nothing of it is vested: it is paid from epoch {vests} on, when objections were possible (now \
		 epoch {}).",
		entry.epoch
	));
	note(
		"The stages' part of the emission comes on top, at the end of the era, once the verifier has run the \
		 record again and found it right.",
	);
	Ok(())
}

/// The states between which a record was settled.
struct Blocks {
	before: Hash,
	after: Hash,
}

impl Blocks {
	/// What the requester had on hold before and after, in planck.
	async fn escrow(&self, client: &Client, who: &AccountId) -> Result<(Balance, Balance)> {
		let key = pallet_inference_market::Escrows::<Runtime>::hashed_key_for(who);
		let before: Option<EscrowAccount> = client.storage(&key, Some(self.before)).await?;
		let after: Option<EscrowAccount> = client.storage(&key, Some(self.after)).await?;
		let held = |escrow: Option<EscrowAccount>| escrow.map_or(0, |escrow| escrow.held);
		Ok((held(before), held(after)))
	}

	/// What somebody earned in between, in planck.
	async fn unvested(
		&self,
		client: &Client,
		epoch: EpochIndex,
		who: &AccountId,
	) -> Result<Balance> {
		let before = flow::unvested(client, epoch, who, self.before).await?;
		let after = flow::unvested(client, epoch, who, self.after).await?;
		Ok(after.saturating_sub(before))
	}

	/// What was burnt in between, in planck.
	async fn burnt(&self, client: &Client, epoch: EpochIndex) -> Result<Balance> {
		let before = flow::unvested_burn(client, epoch, self.before).await?;
		let after = flow::unvested_burn(client, epoch, self.after).await?;
		Ok(after.saturating_sub(before))
	}
}

async fn block(client: &Client, number: BlockNumber) -> Result<Hash> {
	let hash = client.block_hash(number).await?;
	hash.with_context(|| format!("the node has no block {number}"))
}

fn part(name: &str, share: Balance, price: Balance) {
	let percent = share as f64 * 100.0 / price.max(1) as f64;
	line("", &format!("{percent:>5.1} %  {:<21} {}", aria(share), name));
}
