//! Who provides which shard: keys of the table, and the part of it that this node keeps
//! (`docs/protocol/network.md`, "Finding workers").

use crate::{address::is_dialable, wire::advert::MAX_ADDRESSES};
use aria_primitives::{hashing::domain_hash, record::LayerRange, ModelId};
use libp2p::{
	kad::{
		store::{Error, RecordStore, Result},
		ProviderRecord, Record, RecordKey,
	},
	PeerId,
};
use sp_core::H256;
use std::{
	borrow::Cow,
	collections::HashMap,
	time::{Duration, Instant},
};

/// Domain of the keys.
pub const PROVIDER_DOMAIN: &[u8] = b"aria/provider/v1";

/// How long a record of a provider counts.
pub(crate) const RECORD_LIFE: Duration = Duration::from_secs(30 * 60);
/// How often a provider renews it.
pub(crate) const RECORD_RENEWAL: Duration = Duration::from_secs(10 * 60);
/// Keys that are kept for others.
const MAX_KEYS: usize = 16_384;
/// Providers that are kept for a key.
const MAX_PER_KEY: usize = 128;
/// Keys that are kept for one provider.
const MAX_PER_PROVIDER: usize = 256;

/// The key under which workers provide `layers` of a model on the chain with this genesis; without layers,
/// the key of all who serve any of it.
pub fn provider_key(genesis: &H256, model: &ModelId, layers: Option<LayerRange>) -> H256 {
	domain_hash(PROVIDER_DOMAIN, genesis, &(model, layers))
}

/// The same as Kademlia has it.
pub(crate) fn record_key(genesis: &H256, model: &ModelId, layers: Option<LayerRange>) -> RecordKey {
	RecordKey::new(&provider_key(genesis, model, layers))
}

/// Records of providers, bounded by key, by provider and in all; expired ones are as none. Values are not
/// kept: nothing in this network needs them.
pub(crate) struct Store {
	local: PeerId,
	allow_loopback: bool,
	keys: HashMap<RecordKey, Vec<ProviderRecord>>,
	provided: Vec<ProviderRecord>,
	per_provider: HashMap<PeerId, usize>,
	cleared: Instant,
}

impl Store {
	pub(crate) fn new(local: PeerId, allow_loopback: bool) -> Self {
		Self {
			local,
			allow_loopback,
			keys: HashMap::new(),
			provided: Vec::new(),
			per_provider: HashMap::new(),
			cleared: Instant::now(),
		}
	}

	/// Forgets what has expired.
	fn clear_expired(&mut self, now: Instant) {
		self.cleared = now;
		let mut per_provider = HashMap::new();
		self.keys.retain(|_, records| {
			records.retain(|record| !record.is_expired(now));
			for record in records.iter() {
				*per_provider.entry(record.provider).or_default() += 1;
			}
			!records.is_empty()
		});
		self.per_provider = per_provider;
	}

	fn add(&mut self, mut record: ProviderRecord, now: Instant) -> Result<()> {
		if now.saturating_duration_since(self.cleared) >= Duration::from_secs(60) {
			self.clear_expired(now);
		}
		let allow_loopback = self.allow_loopback;
		record.addresses.retain(|address| is_dialable(address, allow_loopback));
		record.addresses.truncate(MAX_ADDRESSES as usize);
		if record.key.as_ref().len() != 32 {
			return Err(Error::ValueTooLarge);
		}
		let keys = self.keys.len();
		match self.keys.get_mut(&record.key) {
			Some(records) => {
				if let Some(place) = records.iter().position(|old| old.provider == record.provider)
				{
					// The newest comes first when somebody asks.
					records.remove(place);
					records.insert(0, record);
					return Ok(());
				}
				// A full key keeps whom it has, so that a flood of new names displaces nobody.
				if records.len() >= MAX_PER_KEY {
					return Err(Error::MaxProvidedKeys);
				}
			}
			None if keys >= MAX_KEYS => return Err(Error::MaxProvidedKeys),
			None => {}
		}
		let count = self.per_provider.entry(record.provider).or_default();
		if *count >= MAX_PER_PROVIDER {
			return Err(Error::MaxProvidedKeys);
		}
		*count += 1;
		self.keys.entry(record.key.clone()).or_default().insert(0, record);
		Ok(())
	}
}

impl RecordStore for Store {
	type RecordsIter<'a> = std::iter::Empty<Cow<'a, Record>>;
	type ProvidedIter<'a> = std::iter::Map<
		std::slice::Iter<'a, ProviderRecord>,
		fn(&'a ProviderRecord) -> Cow<'a, ProviderRecord>,
	>;

	fn get(&self, _: &RecordKey) -> Option<Cow<'_, Record>> {
		None
	}

	fn put(&mut self, _: Record) -> Result<()> {
		Err(Error::ValueTooLarge)
	}

	fn remove(&mut self, _: &RecordKey) {}

	fn records(&self) -> Self::RecordsIter<'_> {
		std::iter::empty()
	}

	fn add_provider(&mut self, record: ProviderRecord) -> Result<()> {
		if record.provider != self.local {
			return self.add(record, Instant::now());
		}
		if !self.provided.contains(&record) {
			self.provided.push(record);
		}
		Ok(())
	}

	fn providers(&self, key: &RecordKey) -> Vec<ProviderRecord> {
		let now = Instant::now();
		let own = self.provided.iter().filter(|record| record.key == *key);
		let others = self.keys.get(key).into_iter().flatten();
		own.chain(others).filter(|record| !record.is_expired(now)).cloned().collect()
	}

	fn provided(&self) -> Self::ProvidedIter<'_> {
		self.provided.iter().map(Cow::Borrowed)
	}

	fn remove_provider(&mut self, key: &RecordKey, provider: &PeerId) {
		if *provider == self.local {
			self.provided.retain(|record| record.key != *key);
			return;
		}
		let Some(records) = self.keys.get_mut(key) else { return };
		let before = records.len();
		records.retain(|record| record.provider != *provider);
		if records.len() < before {
			if let Some(count) = self.per_provider.get_mut(provider) {
				*count = count.saturating_sub(1);
			}
		}
		if records.is_empty() {
			self.keys.remove(key);
		}
	}
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;

	fn key(number: u16) -> RecordKey {
		record_key(&H256::zero(), &H256::repeat_byte(1), Some(LayerRange { first: 0, end: number }))
	}

	fn record(key: RecordKey, provider: PeerId) -> ProviderRecord {
		ProviderRecord::new(key, provider, Vec::new())
	}

	#[test]
	fn keys_should_differ_by_chain_model_and_layers() {
		let (genesis, model) = (H256::zero(), H256::repeat_byte(1));
		let layers = Some(LayerRange { first: 0, end: 4 });
		let keys = [
			provider_key(&genesis, &model, layers),
			provider_key(&genesis, &model, None),
			provider_key(&genesis, &model, Some(LayerRange { first: 0, end: 5 })),
			provider_key(&genesis, &H256::repeat_byte(2), layers),
			provider_key(&H256::repeat_byte(2), &model, layers),
		];

		for (place, key) in keys.iter().enumerate() {
			assert!(!keys[..place].contains(key));
		}
	}

	#[test]
	fn providers_should_be_kept_until_they_expire() {
		let mut store = Store::new(PeerId::random(), false);
		let (now, provider) = (Instant::now(), PeerId::random());
		let mut short = record(key(1), provider);
		short.expires = Some(now + Duration::from_millis(1));
		store.add(short, now).unwrap();
		store.add(record(key(1), PeerId::random()), now).unwrap();

		std::thread::sleep(Duration::from_millis(2));
		assert_eq!(store.providers(&key(1)).len(), 1);
		store.clear_expired(Instant::now());
		assert_eq!(store.per_provider.len(), 1);
	}

	#[test]
	fn own_keys_should_be_provided_until_removed() {
		let local = PeerId::random();
		let mut store = Store::new(local, false);
		store.add_provider(record(key(1), local)).unwrap();
		store.add_provider(record(key(1), local)).unwrap();

		assert_eq!(store.provided().count(), 1);
		assert_eq!(store.providers(&key(1)).len(), 1);
		store.remove_provider(&key(1), &local);
		assert_eq!(store.provided().count(), 0);
	}

	#[test]
	fn one_peer_should_not_fill_the_table() {
		let mut store = Store::new(PeerId::random(), false);
		let (greedy, now) = (PeerId::random(), Instant::now());
		for number in 0..MAX_PER_PROVIDER as u16 {
			store.add(record(key(number), greedy), now).unwrap();
		}

		assert!(store.add(record(key(9_999), greedy), now).is_err());
		assert!(store.add(record(key(9_999), PeerId::random()), now).is_ok());
		assert!(store.add(record(key(1), greedy), now).is_ok(), "a renewal");
	}

	#[test]
	fn a_key_should_not_be_filled_without_end() {
		let mut store = Store::new(PeerId::random(), false);
		let now = Instant::now();
		for _ in 0..MAX_PER_KEY {
			store.add(record(key(1), PeerId::random()), now).unwrap();
		}

		assert!(store.add(record(key(1), PeerId::random()), now).is_err());
	}

	#[test]
	fn addresses_that_lead_nowhere_else_should_be_left_out() {
		let mut store = Store::new(PeerId::random(), false);
		let mut record = record(key(1), PeerId::random());
		record.addresses =
			vec!["/ip4/127.0.0.1/tcp/1".parse().unwrap(), "/ip4/10.0.0.1/tcp/1".parse().unwrap()];
		store.add(record, Instant::now()).unwrap();

		assert_eq!(store.providers(&key(1))[0].addresses.len(), 1);
	}
}
