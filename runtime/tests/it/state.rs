//! What a block changed beside the fee that a failure costs.

use crate::chain::{Chain, Executed};
use aria_primitives::{AccountId, Balance};
use aria_runtime::{Runtime, RuntimeCall};
use frame_support::{__private::metadata::RuntimeMetadata, storage::storage_prefix};
use frame_system::Account;
use sp_keyring::Sr25519Keyring;
use sp_runtime::DispatchError;
use std::collections::{BTreeMap, BTreeSet};

/// Items in which every block with an extrinsic differs from one without: what happened and how
/// full the block was, for clients and for the next block's fees. No call reads them as state.
const BOOK_KEEPING: [(&[u8], &[u8]); 7] = [
	// A proof of a VRF output holds randomness.
	(b"System", b"Digest"),
	(b"System", b"Events"),
	(b"System", b"EventCount"),
	(b"System", b"EventTopics"),
	(b"System", b"BlockWeight"),
	(b"System", b"ExtrinsicWeightReclaimed"),
	(b"TransactionPayment", b"NextFeeMultiplier"),
];

/// A block with a call beside an empty one on the same parent.
struct Compared {
	with: Chain,
	without: Chain,
	executed: Executed,
	payer: AccountId,
}

impl Compared {
	fn new(chain: &mut Chain, payer: Sr25519Keyring, call: RuntimeCall) -> Self {
		let (mut with, mut without) = (chain.fork(), chain.fork());
		let executed = with.submit(payer, call);
		without.block(Vec::new());
		Self { with, without, executed, payer: payer.to_account_id() }
	}

	/// The two states may differ in the block's book-keeping, in the payer's nonce, and in a fee
	/// that the payer lost and the author gained.
	#[track_caller]
	fn assert_only_the_fee(&mut self, name: &str) {
		let author = self.with.author();
		assert_eq!(author, self.without.author(), "{name}: both blocks are one validator's");
		let fee = self.executed.fee(0);
		assert!(fee > 0, "{name}: a failure costs a fee");

		let payer = self.payer.clone();
		let mut expected: BTreeMap<AccountId, AccountInfo> = [&payer, &author]
			.into_iter()
			.map(|who| (who.clone(), account(&mut self.without, who)))
			.collect();
		if let Some(info) = expected.get_mut(&payer) {
			info.nonce += 1;
			info.data.free -= fee;
		}
		if let Some(info) = expected.get_mut(&author) {
			info.data.free += fee;
		}
		for (who, info) in &expected {
			assert_eq!(account(&mut self.with, who), *info, "{name}: account {who:?}");
		}

		let accounts: Vec<Vec<u8>> =
			expected.keys().map(Account::<Runtime>::hashed_key_for).collect();
		let others: BTreeSet<String> = differences(&self.with.state(), &self.without.state())
			.into_iter()
			.filter(|key| !accounts.contains(key))
			.filter(|key| {
				!BOOK_KEEPING.iter().any(|(p, item)| key.starts_with(&storage_prefix(p, item)))
			})
			.map(|key| item_of(&key))
			.collect();
		assert!(others.is_empty(), "{name}: a failure changed {others:?}");
	}
}

/// Checks that `call`, signed by `payer`, changes nothing but what its fee costs; returns the block.
#[track_caller]
pub fn changes_only_the_fee(
	chain: &mut Chain,
	payer: Sr25519Keyring,
	call: RuntimeCall,
	name: &str,
) -> Executed {
	let mut compared = Compared::new(chain, payer, call);
	compared.assert_only_the_fee(name);
	compared.executed
}

/// Checks that `call`, signed by `payer`, fails with `error`, and changes nothing but what its fee
/// costs.
#[track_caller]
pub fn refuses(
	chain: &mut Chain,
	payer: Sr25519Keyring,
	call: RuntimeCall,
	error: DispatchError,
	name: &str,
) {
	let mut compared = Compared::new(chain, payer, call);
	assert_eq!(compared.executed.outcome(0), Err(error), "{name}");
	compared.assert_only_the_fee(name);
}

type AccountInfo =
	frame_system::AccountInfo<aria_runtime::Nonce, pallet_balances::AccountData<Balance>>;

fn account(chain: &mut Chain, who: &AccountId) -> AccountInfo {
	chain.read(|| Account::<Runtime>::get(who))
}

/// Keys that only one of the states has, or whose values differ.
fn differences(
	one: &BTreeMap<Vec<u8>, Vec<u8>>,
	other: &BTreeMap<Vec<u8>, Vec<u8>>,
) -> BTreeSet<Vec<u8>> {
	let keys = one.keys().chain(other.keys());
	keys.filter(|key| one.get(*key) != other.get(*key)).cloned().collect()
}

/// The storage item that a key belongs to, for people.
fn item_of(key: &[u8]) -> String {
	let RuntimeMetadata::V14(metadata) = Runtime::metadata().1 else {
		return format!("{key:?}");
	};
	let items = metadata.pallets.iter().filter_map(|pallet| pallet.storage.as_ref());
	let mut named = items.flat_map(|storage| {
		let prefix = storage.prefix.clone();
		storage.entries.iter().map(move |entry| (prefix.clone(), entry.name.clone()))
	});
	named
		.find(|(pallet, item)| key.starts_with(&storage_prefix(pallet.as_bytes(), item.as_bytes())))
		.map_or_else(|| format!("{key:?}"), |(pallet, item)| format!("{pallet}::{item}"))
}

/// The sum of all balances, free and on hold, which has to be what was issued.
#[track_caller]
pub fn issuance(chain: &mut Chain) -> Balance {
	let (issued, held) = chain.read(|| {
		let accounts = Account::<Runtime>::iter_values();
		let held: Balance = accounts.map(|info| info.data.free + info.data.reserved).sum();
		(pallet_balances::TotalIssuance::<Runtime>::get(), held)
	});
	assert_eq!(issued, held, "what is issued is somebody's");
	issued
}
