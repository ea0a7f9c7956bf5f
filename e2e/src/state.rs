//! The whole state of a block, and how two of them differ.

use crate::client::Client;
use anyhow::{Context, Result};
use aria_runtime::{AllPalletsWithSystem, Hash};
use codec::Encode;
use frame_support::traits::StorageInfoTrait;
use jsonrpsee::rpc_params;
use serde::Deserialize;
use sp_core::bytes::{from_hex, to_hex};
use std::collections::{BTreeMap, BTreeSet};

/// Keys that are asked for at once.
const CHUNK: usize = 500;
/// Bytes that name a pallet and its item at the beginning of a key.
const PREFIX: usize = 32;

/// Every key of a state with its value, but for the runtime's code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot(BTreeMap<Vec<u8>, Vec<u8>>);

/// A key whose value differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
	/// `Pallet.Item`, or the key in hex if no pallet of this runtime has it.
	pub item: String,
	/// The key.
	pub key: Vec<u8>,
}

impl Change {
	/// The pallet.
	pub fn pallet(&self) -> &str {
		self.item.split('.').next().unwrap_or_default()
	}
}

/// What the node answers about many keys at once.
#[derive(Deserialize)]
struct ChangeSet {
	changes: Vec<(String, Option<String>)>,
}

impl Snapshot {
	/// The state of a block.
	pub async fn at(client: &Client, block: Hash) -> Result<Self> {
		let keys = client.keys(&[], Some(block)).await?;
		// Keys outside of pallets begin with a colon: the code among them, which is large.
		let keys: Vec<String> = keys
			.iter()
			.filter(|key| !key.starts_with(b":"))
			.map(|key| to_hex(key, false))
			.collect();
		let mut entries = BTreeMap::new();
		for chunk in keys.chunks(CHUNK) {
			let sets: Vec<ChangeSet> =
				client.call("state_queryStorageAt", rpc_params![chunk, block]).await?;
			for (key, value) in sets.into_iter().flat_map(|set| set.changes) {
				let value = value.with_context(|| format!("the node lost the key {key}"))?;
				entries.insert(hex(&key)?, hex(&value)?);
			}
		}
		Ok(Self(entries))
	}

	/// What differs in `later`, in order of the keys.
	pub fn changes(&self, later: &Self) -> Vec<Change> {
		let names = names();
		let keys: BTreeSet<&Vec<u8>> = self.0.keys().chain(later.0.keys()).collect();
		keys.into_iter()
			.filter(|key| self.0.get(*key) != later.0.get(*key))
			.map(|key| {
				let name = key.get(..PREFIX).and_then(|prefix| names.get(prefix));
				Change {
					item: name.cloned().unwrap_or_else(|| to_hex(key, false)),
					key: key.clone(),
				}
			})
			.collect()
	}

	/// All keys and values, as SCALE: a list of pairs, ascending.
	pub fn to_scale(&self) -> Vec<u8> {
		self.0.encode()
	}

	/// How many keys there are.
	pub fn len(&self) -> usize {
		self.0.len()
	}

	/// Whether there is no key.
	pub fn is_empty(&self) -> bool {
		self.0.is_empty()
	}
}

/// `Pallet.Item` for the beginning of each key.
fn names() -> BTreeMap<Vec<u8>, String> {
	AllPalletsWithSystem::storage_info()
		.into_iter()
		.map(|info| {
			let pallet = String::from_utf8_lossy(&info.pallet_name).into_owned();
			let item = String::from_utf8_lossy(&info.storage_name).into_owned();
			(info.prefix, format!("{pallet}.{item}"))
		})
		.collect()
}

fn hex(text: &str) -> Result<Vec<u8>> {
	from_hex(text).with_context(|| format!("the node gave {text} for hex"))
}

#[cfg(test)]
mod tests {
	use super::*;
	use frame_support::storage::storage_prefix;

	#[test]
	fn changes_should_name_what_differs() {
		let key = |last: u8| {
			let mut key = storage_prefix(b"System", b"Account").to_vec();
			key.push(last);
			key
		};
		let before = Snapshot([(key(1), vec![1]), (key(2), vec![2])].into());
		let after = Snapshot([(key(2), vec![9]), (key(3), vec![3])].into());

		let changes = before.changes(&after);

		assert_eq!(changes.len(), 3);
		assert!(changes.iter().all(|change| change.item == "System.Account"));
		assert_eq!(changes[1].key, key(2));
		assert_eq!(changes[0].pallet(), "System");
		assert!(before.changes(&before).is_empty());
	}
}
