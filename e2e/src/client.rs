//! A node's JSON-RPC: transactions signed and followed into a block, state and events decoded with
//! the runtime's own types.

use crate::keys::{self, Pair};
use anyhow::{bail, ensure, Context, Result};
use aria_primitives::{AccountId, Balance, BlockNumber, Moment, RecordId};
use aria_runtime::{
	Address, Hash, Header, Nonce, Runtime, RuntimeCall, RuntimeError, RuntimeEvent, Signature,
	SignedPayload, TxExtension, UncheckedExtrinsic, VERSION,
};
use codec::{Decode, Encode};
use frame_support::storage::storage_prefix;
use frame_system::{EventRecord, Phase};
use jsonrpsee::{
	core::{
		client::{ClientT, Subscription, SubscriptionClientT},
		params::ArrayParams,
		ClientError,
	},
	rpc_params,
	ws_client::{WsClient, WsClientBuilder},
};
use serde::de::DeserializeOwned;
use serde_json::Value;
use sp_core::{
	bytes::{from_hex, to_hex},
	Pair as _,
};
use sp_runtime::{generic::Era, DispatchError};
use std::{
	future::Future,
	time::{Duration, Instant},
};
use tokio::time::{sleep, timeout};

/// How long a call may take, and a transaction until it is final.
const PATIENCE: Duration = Duration::from_secs(60);
/// Largest answer, in bytes.
const MAX_ANSWER: u32 = 64 * 1024 * 1024;
/// Keys in one page of state; the node gives no more.
const KEYS_PAGE: u32 = 1_000;
/// How often [`eventually`] looks.
const GLANCE: Duration = Duration::from_millis(100);

/// A connection to a node.
pub struct Client {
	ws: WsClient,
	genesis: Hash,
	spec_version: u32,
}

/// A transaction in a final block.
#[derive(Debug, Clone)]
pub struct Included {
	/// The block.
	pub block: Hash,
	/// Its number.
	pub number: BlockNumber,
	/// What happened while the transaction was applied, in order.
	pub events: Vec<RuntimeEvent>,
	/// Why it failed, by name, for example `InferenceMarket::TicketReplayed`.
	pub outcome: Result<(), String>,
}

impl Included {
	/// Itself if it and all calls that it carried succeeded, or an error with the name of what went
	/// wrong.
	pub fn success(self) -> Result<Self> {
		let failure = self.outcome.as_ref().err().cloned().or_else(|| self.inner_failure());
		match failure {
			None => Ok(self),
			Some(name) => bail!("the chain refused the transaction: {name}"),
		}
	}

	/// What `pick` finds in the first event in which it finds something.
	pub fn find<T>(&self, pick: impl FnMut(&RuntimeEvent) -> Option<T>) -> Option<T> {
		self.events.iter().find_map(pick)
	}

	/// Who paid the fee, and how much, in planck.
	pub fn fee(&self) -> Option<(AccountId, Balance)> {
		self.find(|event| match event {
			RuntimeEvent::TransactionPayment(
				pallet_transaction_payment::Event::TransactionFeePaid { who, actual_fee, .. },
			) => Some((who.clone(), *actual_fee)),
			_ => None,
		})
	}

	/// The first failure of a call that sudo, a batch or a proxy carried, by name: those leave the
	/// transaction around it successful.
	pub fn inner_failure(&self) -> Option<String> {
		self.find(|event| match event {
			RuntimeEvent::Sudo(pallet_sudo::Event::Sudid { sudo_result: Err(error) })
			| RuntimeEvent::Utility(pallet_utility::Event::BatchInterrupted { error, .. })
			| RuntimeEvent::Utility(pallet_utility::Event::ItemFailed { error })
			| RuntimeEvent::Proxy(pallet_proxy::Event::ProxyExecuted { result: Err(error) }) => {
				Some(error_name(*error))
			}
			_ => None,
		})
	}
}

impl Client {
	/// Connects to a node.
	///
	/// Errors when nobody answers at `url`, and when the node's runtime is not the one that this
	/// program was built with.
	pub async fn connect(url: &str) -> Result<Self> {
		Self::connect_to(url, VERSION.spec_version).await
	}

	/// The version of the chain's runtime.
	pub fn spec_version(&self) -> u32 {
		self.spec_version
	}

	/// The same for a chain whose runtime has another version, but the calls, events and state that
	/// whoever asks uses as the runtime has that this program was built with.
	pub async fn connect_to(url: &str, spec_version: u32) -> Result<Self> {
		let ws = WsClientBuilder::default()
			.request_timeout(PATIENCE)
			.max_response_size(MAX_ANSWER)
			.build(url)
			.await
			.with_context(|| format!("no node answers at {url}"))?;
		let genesis = ws
			.request("chain_getBlockHash", rpc_params![0u32])
			.await
			.context("the node does not tell its genesis hash")?;
		let client = Self { ws, genesis, spec_version };
		let version: Value = client.call("state_getRuntimeVersion", rpc_params![]).await?;
		ensure!(
			version["specVersion"] == spec_version
				&& version["transactionVersion"] == VERSION.transaction_version,
			"the node runs another runtime than this program knows: run `make build`"
		);
		Ok(client)
	}

	/// Hash of the chain's first block.
	pub fn genesis(&self) -> Hash {
		self.genesis
	}

	/// Calls a method, for those who look at the error's code.
	pub async fn rpc(&self, method: &str, params: ArrayParams) -> Result<Value, ClientError> {
		self.ws.request(method, params).await
	}

	/// Calls a method that has to answer.
	pub async fn call<R: DeserializeOwned>(&self, method: &str, params: ArrayParams) -> Result<R> {
		self.ws.request(method, params).await.with_context(|| method.to_owned())
	}

	/// Subscribes to a method's notifications.
	pub async fn subscribe(
		&self,
		method: &str,
		params: ArrayParams,
		unsubscribe: &str,
	) -> Result<Subscription<Value>, ClientError> {
		self.ws.subscribe(method, params, unsubscribe).await
	}

	// --- blocks ---------------------------------------------------------------------------------

	/// The header of a block, or of the best one.
	pub async fn header(&self, at: Option<Hash>) -> Result<Header> {
		let header: Option<Header> = self.call("chain_getHeader", rpc_params![at]).await?;
		header.with_context(|| format!("the node has no block {at:?}"))
	}

	/// The hash of the block with this number on the best chain.
	pub async fn block_hash(&self, number: BlockNumber) -> Result<Option<Hash>> {
		self.call("chain_getBlockHash", rpc_params![number]).await
	}

	/// Number and hash of the last final block.
	pub async fn finalized(&self) -> Result<(BlockNumber, Hash)> {
		let hash: Hash = self.call("chain_getFinalizedHead", rpc_params![]).await?;
		Ok((self.header(Some(hash)).await?.number, hash))
	}

	/// Number and hash of the best block.
	pub async fn best(&self) -> Result<(BlockNumber, Hash)> {
		let header = self.header(None).await?;
		Ok((header.number, header.hash()))
	}

	/// Waits until a block later than `number` is final, and returns its number and hash.
	pub async fn finalized_after(&self, number: BlockNumber) -> Result<(BlockNumber, Hash)> {
		let what = format!("a final block after {number}");
		eventually(&what, PATIENCE, || async {
			let head = self.finalized().await?;
			Ok((head.0 > number).then_some(head))
		})
		.await
	}

	/// Where other nodes of this machine reach the node, its peer id included.
	pub async fn address(&self) -> Result<String> {
		let addresses: Vec<String> =
			self.call("system_localListenAddresses", rpc_params![]).await?;
		addresses
			.into_iter()
			.find(|address| address.starts_with("/ip4/127.0.0.1/tcp/"))
			.context("the node listens on no address of this machine")
	}

	// --- state ----------------------------------------------------------------------------------

	/// A value in the state of a block, or of the best one.
	pub async fn storage<V: Decode>(&self, key: &[u8], at: Option<Hash>) -> Result<Option<V>> {
		let value: Option<String> =
			self.call("state_getStorage", rpc_params![to_hex(key, false), at]).await?;
		value
			.map(|text| {
				let bytes = from_hex(&text).context("a value of the state is no hex")?;
				V::decode(&mut bytes.as_slice())
					.context("a value of the state is of another runtime: run `make build`")
			})
			.transpose()
	}

	/// All keys that begin with `prefix` in the state of a block, ascending.
	pub async fn keys(&self, prefix: &[u8], at: Option<Hash>) -> Result<Vec<Vec<u8>>> {
		let mut keys: Vec<Vec<u8>> = Vec::new();
		loop {
			let start = keys.last().map(|key| to_hex(key, false));
			let params = rpc_params![to_hex(prefix, false), KEYS_PAGE, start, at];
			let page: Vec<String> = self.call("state_getKeysPaged", params).await?;
			let length = page.len();
			for key in page {
				keys.push(from_hex(&key).context("a key of the state is no hex")?);
			}
			if length < KEYS_PAGE as usize {
				return Ok(keys);
			}
		}
	}

	/// Ids of all records in the state of a block, ascending.
	pub async fn record_ids(&self, at: Option<Hash>) -> Result<Vec<RecordId>> {
		let prefix = storage_prefix(b"ProvenanceLedger", b"Records");
		let keys = self.keys(&prefix, at).await?;
		keys.iter()
			.map(|key| {
				// The id stands in the key as it is.
				let id = key.get(prefix.len()..).and_then(|id| <[u8; 32]>::try_from(id).ok());
				id.map(RecordId::from).context("the key of a record does not end in its id")
			})
			.collect()
	}

	/// The chain's clock, in milliseconds since the Unix epoch.
	pub async fn now(&self) -> Result<Moment> {
		let key = pallet_timestamp::Now::<Runtime>::hashed_key();
		Ok(self.storage(&key, None).await?.unwrap_or_default())
	}

	/// What the chain keeps of an account.
	pub async fn account(&self, account: &AccountId, at: Option<Hash>) -> Result<AccountInfo> {
		let key = frame_system::Account::<Runtime>::hashed_key_for(account);
		Ok(self.storage(&key, at).await?.unwrap_or_default())
	}

	// --- transactions ---------------------------------------------------------------------------

	/// The nonce of an account's next transaction, those in the pool counted.
	pub async fn nonce(&self, account: &AccountId) -> Result<Nonce> {
		self.call("system_accountNextIndex", rpc_params![account]).await
	}

	/// A signed transaction that never expires, in bytes.
	pub fn sign(&self, signer: &Pair, call: RuntimeCall, nonce: Nonce) -> Vec<u8> {
		let extension: TxExtension = (
			frame_system::CheckNonZeroSender::new(),
			frame_system::CheckSpecVersion::new(),
			frame_system::CheckTxVersion::new(),
			frame_system::CheckGenesis::new(),
			frame_system::CheckMortality::from(Era::Immortal),
			frame_system::CheckNonce::from(nonce),
			frame_system::CheckWeight::new(),
			pallet_transaction_payment::ChargeTransactionPayment::from(0),
			frame_metadata_hash_extension::CheckMetadataHash::new(false),
			frame_system::WeightReclaim::new(),
		);
		let implicit = (
			(),
			self.spec_version,
			VERSION.transaction_version,
			self.genesis,
			self.genesis,
			(),
			(),
			(),
			None,
			(),
		);
		let payload = SignedPayload::from_raw(call.clone(), extension.clone(), implicit);
		let signature = payload.using_encoded(|bytes| signer.sign(bytes));
		let address = Address::Id(keys::account(signer));
		UncheckedExtrinsic::new_signed(call, address, Signature::Sr25519(signature), extension)
			.encode()
	}

	/// Signs a call, sends it, and waits until it is final. A call that the chain refuses is no
	/// error here: see [`Included::outcome`].
	pub async fn submit(&self, signer: &Pair, call: impl Into<RuntimeCall>) -> Result<Included> {
		let nonce = self.nonce(&keys::account(signer)).await?;
		self.follow(&self.sign(signer, call.into(), nonce)).await
	}

	/// [`Client::submit`] of several calls that take effect together or not at all; an error if any
	/// of them failed.
	pub async fn submit_all(&self, signer: &Pair, calls: Vec<RuntimeCall>) -> Result<Included> {
		let call = pallet_utility::Call::<Runtime>::batch_all { calls };
		self.submit(signer, RuntimeCall::Utility(call)).await?.success()
	}

	/// Sends a transaction and does not wait for it.
	pub async fn send(&self, transaction: &[u8]) -> Result<Hash> {
		self.call("author_submitExtrinsic", rpc_params![to_hex(transaction, false)]).await
	}

	/// Sends a transaction and waits until it is final.
	pub async fn follow(&self, transaction: &[u8]) -> Result<Included> {
		let hex = to_hex(transaction, false);
		let mut updates = self
			.subscribe(
				"author_submitAndWatchExtrinsic",
				rpc_params![&hex],
				"author_unwatchExtrinsic",
			)
			.await
			.context("the node does not take the transaction")?;
		let block = timeout(PATIENCE, final_block(&mut updates))
			.await
			.context("the transaction is in no final block after a minute")??;
		self.included(&hex, block).await
	}

	/// What the chain says of a transaction, given in hex, in this block.
	async fn included(&self, transaction: &str, block: Hash) -> Result<Included> {
		let content: Value = self.call("chain_getBlock", rpc_params![block]).await?;
		let index = content["block"]["extrinsics"]
			.as_array()
			.and_then(|all| all.iter().position(|one| one.as_str() == Some(transaction)))
			.with_context(|| format!("block {block:?} does not hold the transaction"))?;
		let phase = Phase::ApplyExtrinsic(u32::try_from(index)?);
		let events: Vec<RuntimeEvent> = self
			.events(block)
			.await?
			.into_iter()
			.filter(|record| record.phase == phase)
			.map(|record| record.event)
			.collect();
		let outcome = events.iter().find_map(|event| match event {
			RuntimeEvent::System(frame_system::Event::ExtrinsicSuccess { .. }) => Some(Ok(())),
			RuntimeEvent::System(frame_system::Event::ExtrinsicFailed {
				dispatch_error, ..
			}) => Some(Err(error_name(*dispatch_error))),
			_ => None,
		});
		Ok(Included {
			block,
			number: self.header(Some(block)).await?.number,
			events,
			outcome: outcome.context("the block does not say how the transaction went")?,
		})
	}

	/// Everything that happened in a block.
	pub async fn events(&self, block: Hash) -> Result<Vec<EventRecord<RuntimeEvent, Hash>>> {
		let key = storage_prefix(b"System", b"Events");
		Ok(self.storage(&key, Some(block)).await?.unwrap_or_default())
	}
}

/// What the chain keeps of an account.
pub type AccountInfo =
	frame_system::AccountInfo<Nonce, <Runtime as frame_system::Config>::AccountData>;

/// The block in which the watched transaction became final.
async fn final_block(updates: &mut Subscription<Value>) -> Result<Hash> {
	while let Some(update) = updates.next().await {
		let update = update.context("the node's word on the transaction is not understood")?;
		if let Some(hash) = update.get("finalized") {
			return Ok(serde_json::from_value(hash.clone())?);
		}
		let gone = ["usurped", "finalityTimeout"].iter().any(|word| update.get(word).is_some())
			|| matches!(update.as_str(), Some("dropped" | "invalid"));
		ensure!(!gone, "the transaction will not become final: the node says {update}");
	}
	bail!("the node went away before the transaction was final")
}

/// `Pallet::Error` for a pallet's error, and how Rust shows it for any other.
pub fn error_name(error: DispatchError) -> String {
	match RuntimeError::from_dispatch_error(error) {
		// Shown as `Pallet(Error)`.
		Some(error) => format!("{error:?}").trim_end_matches(')').replacen('(', "::", 1),
		None => format!("{error:?}"),
	}
}

/// Looks again and again until there is something to see; an error that names `what` if there is
/// nothing in time.
pub async fn eventually<T, F, L>(what: &str, within: Duration, mut look: F) -> Result<T>
where
	F: FnMut() -> L,
	L: Future<Output = Result<Option<T>>>,
{
	let deadline = Instant::now() + within;
	loop {
		if let Some(seen) = look().await? {
			return Ok(seen);
		}
		ensure!(Instant::now() < deadline, "no sign of {what} after {} seconds", within.as_secs());
		sleep(GLANCE).await;
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn an_error_of_a_pallet_should_have_its_name() {
		let error = pallet_inference_market::Error::<Runtime>::TicketReplayed;

		assert_eq!(error_name(error.into()), "InferenceMarket::TicketReplayed");
		assert_eq!(error_name(DispatchError::BadOrigin), "BadOrigin");
	}
}
