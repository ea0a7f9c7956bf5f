//! Reading blocks, accounts, consents and records.

use crate::{
	chain::{decode, At, Chain},
	error::ChainError,
	keys,
	rpc::{to_hex, Header},
	types::{AccountInfo, Funds},
};
use aria_primitives::{
	consent::{ConsentVersion, TaskType},
	record::RecordEntry,
	views::{NetworkStats, Trace},
	AccountId, BlockNumber, Moment, OutputHash, QueryHash, RecordId,
};
use codec::Encode;
use sp_core::H256;
use std::collections::HashMap;
use subxt::rpcs::{
	client::rpc_params,
	methods::legacy::{Bytes, ReadProof, StorageChangeSet},
};

/// What shows that a record is in the state of a block: the Merkle path of its key in the state's
/// trie, whose root the block's header names.
#[derive(Clone, Debug)]
pub struct RecordProof {
	/// The block's header.
	pub header: Header,
	/// The block's hash: that of the header.
	pub block: H256,
	/// The record's key in the state.
	pub key: Vec<u8>,
	/// The record's bytes under that key: a SCALE-encoded
	/// [`RecordEntry`](aria_primitives::record::RecordEntry).
	pub value: Vec<u8>,
	/// Nodes of the trie from the root to the key, in no order.
	pub nodes: Vec<Vec<u8>>,
}

impl Chain {
	// --- blocks ---------------------------------------------------------------------------------

	/// The hash of the block with this number on the best chain; `None` if there is none yet.
	///
	/// # Errors
	/// As all reads: [`ChainError::Unreachable`] while the node is away, [`ChainError::Refused`] if it
	/// can't answer.
	pub async fn block_hash(&self, number: BlockNumber) -> Result<Option<H256>, ChainError> {
		self.read("chain_getBlockHash", |session| async move {
			session.methods.chain_get_block_hash(Some(number.into())).await
		})
		.await
	}

	/// The header of a block.
	///
	/// # Errors
	/// [`ChainError::NoBlock`] if the node has no such block, and those of all reads.
	pub async fn header(&self, at: At) -> Result<Header, ChainError> {
		let hash = self.hash_at(at).await?;
		let header = self
			.read("chain_getHeader", |session| async move {
				session.methods.chain_get_header(hash).await
			})
			.await?;
		header.ok_or_else(|| ChainError::NoBlock { block: format!("{at:?}") })
	}

	/// The chain's clock, in milliseconds since the Unix epoch.
	///
	/// # Errors
	/// Those of all reads.
	pub async fn timestamp(&self, at: At) -> Result<Moment, ChainError> {
		let now = self.storage("Timestamp.Now", keys::item("Timestamp", "Now"), at).await?;
		Ok(now.unwrap_or_default())
	}

	// --- accounts -------------------------------------------------------------------------------

	/// What an account has.
	///
	/// # Errors
	/// Those of all reads.
	pub async fn balance(&self, account: &AccountId, at: At) -> Result<Funds, ChainError> {
		let info: Option<AccountInfo> =
			self.storage("System.Account", account_key("System", "Account", account), at).await?;
		Ok(info.unwrap_or_default().into())
	}

	/// The nonce of an account's next transaction, those in the node's pool counted.
	///
	/// # Errors
	/// Those of all reads.
	pub async fn nonce(&self, account: &AccountId) -> Result<u32, ChainError> {
		let next = self
			.read("system_accountNextIndex", |session| {
				let account = account.clone();
				async move { session.methods.system_account_next_index(&account).await }
			})
			.await?;
		u32::try_from(next).map_err(|error| ChainError::BadAnswer {
			method: "system_accountNextIndex".to_owned(),
			reason: error.to_string(),
		})
	}

	/// How many transactions of an account the state of a block has seen.
	pub(crate) async fn nonce_at(&self, account: &AccountId, at: At) -> Result<u32, ChainError> {
		self.api("AccountNonceApi_account_nonce", account.encode(), at).await
	}

	// --- consent --------------------------------------------------------------------------------

	/// The consent in force.
	///
	/// # Errors
	/// Those of all reads.
	pub async fn consent(
		&self,
		worker: &AccountId,
		at: At,
	) -> Result<Option<ConsentVersion>, ChainError> {
		self.api("ConsentApi_consent", worker.encode(), at).await
	}

	/// One version of a consent, while it is kept.
	///
	/// # Errors
	/// Those of all reads.
	pub async fn consent_version(
		&self,
		worker: &AccountId,
		version: u32,
		at: At,
	) -> Result<Option<ConsentVersion>, ChainError> {
		self.api("ConsentApi_consent_version", (worker, version).encode(), at).await
	}

	/// Whether the consent in force permits a task at a time.
	///
	/// # Errors
	/// Those of all reads.
	pub async fn permits(
		&self,
		worker: &AccountId,
		task: TaskType,
		time: Moment,
		at: At,
	) -> Result<bool, ChainError> {
		self.api("ConsentApi_permits", (worker, task, time).encode(), at).await
	}

	// --- records --------------------------------------------------------------------------------

	/// The record with this id.
	///
	/// # Errors
	/// Those of all reads.
	pub async fn record(&self, id: RecordId, at: At) -> Result<Option<RecordEntry>, ChainError> {
		self.api("ProvenanceApi_record", id.encode(), at).await
	}

	/// Ids of records with this output, ascending, after `after`, at most `limit` and at most 1,000.
	///
	/// # Errors
	/// Those of all reads.
	pub async fn records_by_output(
		&self,
		output_hash: OutputHash,
		after: Option<RecordId>,
		limit: u32,
		at: At,
	) -> Result<Vec<RecordId>, ChainError> {
		let parameters = (output_hash, after, limit).encode();
		self.api("ProvenanceApi_records_by_output", parameters, at).await
	}

	/// Ids of records of this query, ascending, after `after`, at most `limit` and at most 1,000.
	///
	/// # Errors
	/// Those of all reads.
	pub async fn records_by_query(
		&self,
		query_hash: QueryHash,
		after: Option<RecordId>,
		limit: u32,
		at: At,
	) -> Result<Vec<RecordId>, ChainError> {
		let parameters = (query_hash, after, limit).encode();
		self.api("ProvenanceApi_records_by_query", parameters, at).await
	}

	/// Ids of the records that a block settled, in order.
	///
	/// # Errors
	/// Those of all reads.
	pub async fn block_records(&self, block: H256) -> Result<Vec<RecordId>, ChainError> {
		self.api("ProvenanceApi_block_records", Vec::new(), At::Block(block)).await
	}

	/// The record with model, nodes, their consent, and the state of its audit.
	///
	/// # Errors
	/// Those of all reads.
	pub async fn trace(&self, id: RecordId, at: At) -> Result<Option<Trace>, ChainError> {
		self.api("ProvenanceApi_trace", id.encode(), at).await
	}

	/// Energy and output of the network since genesis (paper, 3.2).
	///
	/// # Errors
	/// Those of all reads.
	pub async fn network_stats(&self, at: At) -> Result<NetworkStats, ChainError> {
		self.api("SobrietyApi_network_stats", Vec::new(), at).await
	}

	/// What shows that a record is in the state of a block, usually [`At::Finalized`]; `None` if it
	/// is not in that state.
	///
	/// # Errors
	/// Those of all reads, and [`ChainError::NoBlock`].
	pub async fn record_proof(
		&self,
		id: RecordId,
		at: At,
	) -> Result<Option<RecordProof>, ChainError> {
		let block = self.fixed_hash(at).await?;
		let key = keys::identity("ProvenanceLedger", "Records", id.as_bytes());
		let value = self
			.read("state_getStorage", |session| {
				let key = key.clone();
				async move { session.methods.state_get_storage(&key, Some(block)).await }
			})
			.await?;
		let Some(value) = value else { return Ok(None) };
		let header = self.header(At::Block(block)).await?;
		let proof: ReadProof<H256> = self
			.read("state_getReadProof", |session| {
				let parameters = rpc_params![[to_hex(&key)], block];
				async move { session.client.request("state_getReadProof", parameters).await }
			})
			.await?;
		let nodes = proof.proof.into_iter().map(|node| node.0).collect();
		Ok(Some(RecordProof { header, block, key, value, nodes }))
	}

	// --- many keys at once ----------------------------------------------------------------------

	/// The values under some keys of a block's state, by key; those without a value are left out.
	pub(crate) async fn values(
		&self,
		keys: &[Vec<u8>],
		block: H256,
	) -> Result<HashMap<Vec<u8>, Vec<u8>>, ChainError> {
		const METHOD: &str = "state_queryStorageAt";
		let keys: Vec<String> = keys.iter().map(|key| to_hex(key)).collect();
		let sets: Vec<StorageChangeSet<H256>> = self
			.read(METHOD, |session| {
				let parameters = rpc_params![&keys, block];
				async move { session.client.request(METHOD, parameters).await }
			})
			.await?;
		let changes = sets.into_iter().flat_map(|set| set.changes);
		Ok(changes.filter_map(|(key, value)| Some((key.0, value?.0))).collect())
	}

	/// All keys of a block's state that begin with `prefix`, ascending, `most` at most.
	pub(crate) async fn keys_under(
		&self,
		prefix: &[u8],
		most: usize,
		block: H256,
	) -> Result<Vec<Vec<u8>>, ChainError> {
		const METHOD: &str = "state_getKeysPaged";
		const PAGE: u32 = 500;
		let mut keys: Vec<Vec<u8>> = Vec::new();
		loop {
			let start = keys.last().map(|key| to_hex(key));
			let page: Vec<Bytes> = self
				.read(METHOD, |session| {
					let parameters = rpc_params![to_hex(prefix), PAGE, &start, block];
					async move { session.client.request(METHOD, parameters).await }
				})
				.await?;
			let is_last = page.len() < PAGE as usize;
			keys.extend(page.into_iter().map(|key| key.0));
			if is_last || keys.len() >= most {
				keys.truncate(most);
				return Ok(keys);
			}
		}
	}

	/// The value of an entry by account, in a map hashed with BLAKE2.
	pub(crate) async fn entry_of<T: codec::DecodeAll>(
		&self,
		pallet: &str,
		name: &str,
		account: &AccountId,
		at: At,
	) -> Result<Option<T>, ChainError> {
		self.storage(&format!("{pallet}.{name}"), account_key(pallet, name, account), at).await
	}
}

/// The key of an account's entry in a map hashed with BLAKE2.
pub(crate) fn account_key(pallet: &str, name: &str, account: &AccountId) -> Vec<u8> {
	keys::blake2_concat(pallet, name, AsRef::<[u8]>::as_ref(account))
}

/// The value under a key, if there is one.
pub(crate) fn pick<T: codec::DecodeAll>(
	values: &HashMap<Vec<u8>, Vec<u8>>,
	what: &str,
	key: &[u8],
) -> Result<Option<T>, ChainError> {
	values.get(key).map(|bytes| decode(what, bytes)).transpose()
}
