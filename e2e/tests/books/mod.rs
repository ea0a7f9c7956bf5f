//! The chain's books in one final block: who paid what, who earned it, and whether that adds up.
//!
//! A test file takes it with `mod books;`. The sums need every event since the first block, so the
//! node has to keep the state of all blocks: start it with [`node`].
#![allow(dead_code)]

pub mod lane;

use anyhow::{ensure, Context, Result};
use aria_e2e::{
	client::{eventually, Client},
	flow, keys, node,
};
use aria_primitives::{
	record::RecordEntry, traits::Offer, AccountId, Balance, BlockNumber, RecordId, PPM,
};
use aria_runtime::{
	parameters::{ByteFee, ExistentialDeposit, Split},
	Hash, Runtime, RuntimeEvent,
};
use codec::Decode;
use frame_support::storage::storage_prefix;
use futures::{stream, StreamExt, TryStreamExt};
use pallet_inference_market::{record_bytes, EscrowAccount, Event, KeyInfo};
use std::{
	collections::{BTreeMap, BTreeSet},
	time::Duration,
};

/// Blocks that are asked for at once.
const AT_ONCE: usize = 16;
/// How long records may take until they are final.
const SETTLING: Duration = Duration::from_secs(120);
/// Bytes of an account, which stands at the end of a key as it is.
const ACCOUNT: usize = 32;

/// A development chain with an empty block after so many idle milliseconds, which keeps the state of
/// every block.
pub fn node(idle: u64) -> node::Options {
	node::Options::dev_with_idle(idle).arg("--state-pruning").arg("archive")
}

/// Who pays on a development chain.
pub fn requester() -> AccountId {
	keys::account(&keys::requester())
}

/// What the chain's events say was moved since its first block, in planck.
#[derive(Clone, Debug, Default)]
pub struct Moved {
	/// Into escrows.
	pub deposited: Balance,
	/// Back from escrows.
	pub withdrawn: Balance,
	/// Settlements in order: the record and its price.
	pub settled: Vec<(RecordId, Balance)>,
	/// Out of the pot, to whom.
	pub paid: BTreeMap<AccountId, Balance>,
	/// Burnt out of the pot.
	pub burnt: Balance,
}

/// The books in the state of one final block. Amounts are in planck.
#[derive(Clone, Debug)]
pub struct Books {
	/// The block.
	pub at: (BlockNumber, Hash),
	/// All records.
	pub records: BTreeMap<RecordId, RecordEntry>,
	/// All escrows.
	pub escrows: BTreeMap<AccountId, EscrowAccount>,
	/// All spending keys.
	pub keys: BTreeMap<AccountId, KeyInfo>,
	/// Earned and not vested, over all epochs.
	pub unvested: BTreeMap<AccountId, Balance>,
	/// Vested and not transferred.
	pub unclaimed: BTreeMap<AccountId, Balance>,
	/// What waits to be burnt, over all epochs.
	pub unburnt: Balance,
	/// What the pot has free.
	pub pot: Balance,
	/// What was moved up to this block.
	pub moved: Moved,
}

impl Books {
	/// The books in the last final block.
	///
	/// # Errors
	/// A node that does not answer, or has dropped the state of early blocks.
	pub async fn read(client: &Client) -> Result<Self> {
		let at = client.finalized().await?;
		let mut records = BTreeMap::new();
		for id in client.record_ids(Some(at.1)).await? {
			let entry = flow::record(client, id, at.1).await?;
			records.insert(id, entry.context("a record vanished within a block")?);
		}
		let pot = pallet_inference_market::Pallet::<Runtime>::pot();
		let burn: BTreeMap<Vec<u8>, Balance> = entries(client, "UnvestedBurn", at.1).await?;
		Ok(Self {
			records,
			escrows: accounts(client, "Escrows", at.1).await?.into_iter().collect(),
			keys: accounts(client, "Keys", at.1).await?.into_iter().collect(),
			unvested: sums(accounts(client, "Unvested", at.1).await?),
			unclaimed: sums(accounts(client, "Unclaimed", at.1).await?),
			unburnt: burn.values().sum(),
			pot: client.account(&pot, Some(at.1)).await?.data.free,
			moved: Moved::until(client, at.0).await?,
			at,
		})
	}

	/// Waits until all of these records are final; the books then, which add up.
	///
	/// # Errors
	/// A record that does not come, or books that do not add up.
	pub async fn settled(client: &Client, ids: &[RecordId]) -> Result<Self> {
		let what = format!("{} records in a final block", ids.len());
		eventually(&what, SETTLING, || async move {
			let (_, head) = client.finalized().await?;
			let there: BTreeSet<RecordId> =
				client.record_ids(Some(head)).await?.into_iter().collect();
			Ok(ids.iter().all(|id| there.contains(id)).then_some(()))
		})
		.await?;
		let books = Self::read(client).await?;
		books.check()?;
		Ok(books)
	}

	/// The ids of all records.
	pub fn ids(&self) -> BTreeSet<RecordId> {
		self.records.keys().copied().collect()
	}

	/// The escrow of an account.
	pub fn escrow(&self, account: &AccountId) -> EscrowAccount {
		self.escrows.get(account).copied().unwrap_or_default()
	}

	/// The prices of all records.
	pub fn prices(&self) -> Balance {
		self.records.values().map(|entry| entry.price).sum()
	}

	/// What left the escrows and did not go back to their owners.
	pub fn left(&self) -> Balance {
		let held: Balance = self.escrows.values().map(|escrow| escrow.held).sum();
		self.moved.deposited.saturating_sub(self.moved.withdrawn).saturating_sub(held)
	}

	/// What an account has earned so far, paid out or not.
	pub fn earned(&self, account: &AccountId) -> Balance {
		[&self.unvested, &self.unclaimed, &self.moved.paid]
			.iter()
			.filter_map(|amounts| amounts.get(account))
			.sum()
	}

	/// Everybody who has earned something.
	pub fn earners(&self) -> BTreeSet<AccountId> {
		[&self.unvested, &self.unclaimed, &self.moved.paid]
			.into_iter()
			.flat_map(|amounts| amounts.keys().cloned())
			.collect()
	}

	/// Checks that nothing was lost and nothing paid twice:
	///
	/// 1. Each record was settled by one event, at its price, and each such event left a record.
	/// 2. No two records name the same ticket, and each key has used as many nonces as it paid for
	///    records.
	/// 3. The prices are what left the escrows, and what the keys say that they spent.
	/// 4. They are also what was earned and burnt, and the pot has all of it that was not paid out.
	/// 5. No escrow has more reserved than held.
	///
	/// # Errors
	/// The first that does not hold, with its figures.
	pub fn check(&self) -> Result<()> {
		let mut events = BTreeMap::new();
		for (id, price) in &self.moved.settled {
			ensure!(events.insert(*id, *price).is_none(), "{id:?} was settled twice");
		}
		let kept: BTreeMap<RecordId, Balance> =
			self.records.iter().map(|(id, entry)| (*id, entry.price)).collect();
		ensure!(events == kept, "settled by events: {events:?}, in the state: {kept:?}");

		let tickets: BTreeSet<_> =
			self.records.values().map(|entry| entry.body.ticket_hash).collect();
		ensure!(tickets.len() == self.records.len(), "a ticket paid for two records");
		let used: usize = self
			.keys
			.values()
			.flat_map(|key| key.nonces.bits)
			.map(|bits| bits.count_ones() as usize)
			.sum();
		ensure!(used == self.records.len(), "{used} nonces, {} records", self.records.len());

		let (prices, left) = (self.prices(), self.left());
		ensure!(prices == left, "the prices are {prices}, and {left} left the escrows");
		let spent: Balance = self.keys.values().map(|key| key.spent).sum();
		ensure!(prices == spent, "the prices are {prices}, and the keys spent {spent}");

		let sum = |amounts: &BTreeMap<AccountId, Balance>| amounts.values().sum::<Balance>();
		let owed = sum(&self.unvested) + sum(&self.unclaimed) + self.unburnt;
		let gone = sum(&self.moved.paid) + self.moved.burnt;
		ensure!(
			prices == owed + gone,
			"the prices are {prices}; {owed} are owed or to be burnt, and {gone} are gone"
		);
		let has = self.pot.saturating_sub(ExistentialDeposit::get());
		ensure!(has == owed, "the pot has {has} for {owed}");
		for (account, escrow) in &self.escrows {
			ensure!(escrow.reserved <= escrow.held, "{account}: more is reserved than held");
		}
		Ok(())
	}

	/// Checks that each record costs what the gateway offers, and that gateways and workers earned
	/// their parts of it; a stage that did not sign gets nothing and costs nothing.
	///
	/// # Errors
	/// The first figure that differs.
	pub fn check_shares(&self, offer: &Offer) -> Result<()> {
		let split = Split::get();
		let part = |amount: Balance, ppm: u32| amount * Balance::from(ppm) / Balance::from(PPM);
		let mut due: BTreeMap<AccountId, Balance> = BTreeMap::new();
		// A part is rounded to a whole planck at most twice.
		let slack = 2 * self.records.len() as Balance;
		for (id, entry) in &self.records {
			let body = &entry.body;
			let tokens = Balance::from(body.prompt_tokens - body.cached_tokens)
				* offer.prompt_price
				+ Balance::from(body.cached_tokens) * offer.cached_price
				+ Balance::from(body.output_tokens) * offer.output_price;
			let stages = u32::try_from(body.stages.len())?;
			let mut price = tokens + ByteFee::get() * Balance::from(record_bytes(stages));
			let layers: u32 = body.stages.iter().map(|stage| u32::from(stage.layers.len())).sum();
			for (index, stage) in body.stages.iter().enumerate() {
				let share = part(tokens, split.stages) * Balance::from(stage.layers.len())
					/ Balance::from(layers);
				if (entry.signed_stages >> index) & 1 == 1 {
					*due.entry(stage.node.clone()).or_default() += share;
				} else {
					price -= share;
				}
			}
			*due.entry(entry.gateway.clone()).or_default() += part(tokens, split.gateway);
			ensure!(
				entry.price.abs_diff(price) <= slack,
				"{id:?} cost {} instead of {price}",
				entry.price
			);
		}
		for (account, due) in due {
			let earned = self.earned(&account);
			ensure!(earned.abs_diff(due) <= slack, "{account} earned {earned} instead of {due}");
		}
		Ok(())
	}

	/// Checks that nobody paid and nobody earned anything between these books and `later`.
	///
	/// # Errors
	/// What differs.
	pub fn unchanged(&self, later: &Self) -> Result<()> {
		later.check()?;
		ensure!(self.ids() == later.ids(), "records were settled: {:?}", later.added(self));
		let (before, after) = (self.left(), later.left());
		ensure!(before == after, "{before} had left the escrows before, and {after} since");
		for account in later.earners() {
			let (before, after) = (self.earned(&account), later.earned(&account));
			ensure!(before == after, "{account} had earned {before} before, and {after} since");
		}
		Ok(())
	}

	/// The records that `earlier` does not have.
	pub fn added(&self, earlier: &Self) -> BTreeSet<RecordId> {
		self.ids().difference(&earlier.ids()).copied().collect()
	}
}

impl Moved {
	/// What the events of the blocks up to this one say.
	async fn until(client: &Client, last: BlockNumber) -> Result<Self> {
		stream::iter(1..=last)
			.map(|number| happened(client, number))
			.buffered(AT_ONCE)
			.try_fold(Self::default(), |mut moved, events| async move {
				for event in events {
					moved.note(event);
				}
				Ok(moved)
			})
			.await
	}

	fn note(&mut self, event: Event<Runtime>) {
		match event {
			Event::Deposited { amount, .. } => self.deposited += amount,
			Event::Withdrawn { amount, .. } => self.withdrawn += amount,
			Event::Settled { id, price, .. } => self.settled.push((id, price)),
			Event::Released { payee, amount, .. } | Event::Claimed { payee, amount } => {
				*self.paid.entry(payee).or_default() += amount;
			}
			Event::Burnt { amount, .. } => self.burnt += amount,
			_ => {}
		}
	}
}

/// What the market says of a block.
async fn happened(client: &Client, number: BlockNumber) -> Result<Vec<Event<Runtime>>> {
	let hash = client.block_hash(number).await?;
	let hash = hash.with_context(|| format!("the node has no block {number}"))?;
	let events = client.events(hash).await.with_context(|| {
		format!("the state of block {number}: start the node with `books::node`, which keeps it")
	})?;
	let market = events.into_iter().filter_map(|record| match record.event {
		RuntimeEvent::InferenceMarket(event) => Some(event),
		_ => None,
	});
	Ok(market.collect())
}

/// All values of one of the market's maps, by their keys.
async fn entries<V: Decode>(client: &Client, item: &str, at: Hash) -> Result<BTreeMap<Vec<u8>, V>> {
	let prefix = storage_prefix(b"InferenceMarket", item.as_bytes());
	let mut entries = BTreeMap::new();
	for key in client.keys(&prefix, Some(at)).await? {
		let value = client.storage(&key, Some(at)).await?;
		entries.insert(key, value.context("a value vanished within a block")?);
	}
	Ok(entries)
}

/// All values of a map whose keys end in an account.
async fn accounts<V: Decode>(client: &Client, item: &str, at: Hash) -> Result<Vec<(AccountId, V)>> {
	let entries = entries(client, item, at).await?;
	entries
		.into_iter()
		.map(|(key, value)| {
			let account = key.len().checked_sub(ACCOUNT).and_then(|start| key.get(start..));
			let account = account.and_then(|bytes| <[u8; ACCOUNT]>::try_from(bytes).ok());
			Ok((AccountId::new(account.context("a key does not end in an account")?), value))
		})
		.collect()
}

fn sums(amounts: Vec<(AccountId, Balance)>) -> BTreeMap<AccountId, Balance> {
	let mut sums = BTreeMap::new();
	for (account, amount) in amounts {
		*sums.entry(account).or_default() += amount;
	}
	sums
}
