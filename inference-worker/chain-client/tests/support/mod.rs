//! A node as far as the client sees one: it has blocks and a pool, answers over JSON-RPC on a port of
//! this machine, and can be stopped and started again. It executes nothing: what a block says of its
//! transactions is set by the test.

use aria_chain_client::Header;
use aria_runtime::UncheckedExtrinsic;
use codec::{Compact, Decode, DecodeAll, Encode};
use jsonrpsee::{
	core::SubscriptionResult,
	server::{PendingSubscriptionSink, Server, ServerHandle, SubscriptionMessage},
	types::{ErrorObjectOwned, Params},
	RpcModule,
};
use serde_json::{json, Value};
use sp_core::H256;
use sp_runtime::{generic::Preamble, DispatchError};
use std::{
	net::SocketAddr,
	sync::{Arc, Mutex, MutexGuard},
	time::Duration,
};
use subxt::Metadata;
use tokio::{
	sync::watch,
	time::{sleep, timeout},
};

/// The metadata of the runtime.
pub const METADATA: &[u8] = include_bytes!("../../metadata.scale");

/// A block.
struct Block {
	header: Header,
	hash: H256,
	transactions: Vec<Vec<u8>>,
	events: Vec<u8>,
}

/// What a node knows.
struct State {
	blocks: Vec<Block>,
	pool: Vec<Vec<u8>>,
	metadata: Vec<u8>,
	/// Whether a block follows each transaction at once.
	instant: bool,
	/// Whether the transactions of the next blocks fail, and with which error.
	failure: Option<DispatchError>,
	/// Nonces of the transactions that the pool took, in order.
	nonces: Vec<u32>,
}

/// What is shared by the methods.
pub struct Chain {
	state: Mutex<State>,
	height: watch::Sender<usize>,
}

impl Chain {
	/// A chain of one block; another `seed` gives another chain.
	pub fn new(seed: u8) -> Arc<Self> {
		let state = State {
			blocks: Vec::new(),
			pool: Vec::new(),
			metadata: METADATA.to_vec(),
			instant: true,
			failure: None,
			nonces: Vec::new(),
		};
		let chain = Self { state: Mutex::new(state), height: watch::Sender::new(0) };
		chain.append(H256::repeat_byte(seed));
		Arc::new(chain)
	}

	fn state(&self) -> MutexGuard<'_, State> {
		self.state.lock().unwrap()
	}

	/// Makes a block of everything that the pool holds.
	pub fn produce(&self) {
		self.append(H256::zero());
	}

	/// Whether a block follows each transaction at once.
	pub fn set_instant(&self, instant: bool) {
		self.state().instant = instant;
	}

	/// Lets the transactions of the next blocks fail, or succeed.
	pub fn set_failure(&self, failure: Option<DispatchError>) {
		self.state().failure = failure;
	}

	/// Describes another runtime from now on.
	pub fn set_metadata(&self, metadata: Vec<u8>) {
		self.state().metadata = metadata;
	}

	/// Nonces of the transactions that the pool took, in order.
	pub fn nonces(&self) -> Vec<u32> {
		self.state().nonces.clone()
	}

	/// Hash of the last block.
	pub fn tip(&self) -> H256 {
		self.state().blocks.last().unwrap().hash
	}

	fn append(&self, state_root: H256) {
		let mut state = self.state();
		let parent_hash = state.blocks.last().map(|block| block.hash).unwrap_or_default();
		let header = Header {
			parent_hash,
			number: u32::try_from(state.blocks.len()).unwrap(),
			state_root,
			extrinsics_root: H256::zero(),
			digest: Default::default(),
		};
		let transactions = std::mem::take(&mut state.pool);
		let mut events = Compact(u32::try_from(transactions.len()).unwrap()).encode();
		for index in 0..u32::try_from(transactions.len()).unwrap() {
			// The phase, then the event by pallet and number, and no topics.
			events.extend((0u8, index).encode());
			match state.failure {
				None => events.extend([0, 0]),
				Some(error) => {
					events.extend([0, 1]);
					events.extend(error.encode());
				}
			}
			events.extend((Compact(0u64), Compact(0u64), 0u8, 0u8).encode());
			events.push(0);
		}
		let hash = sp_runtime::traits::Header::hash(&header);
		state.blocks.push(Block { header, hash, transactions, events });
		let height = state.blocks.len();
		drop(state);
		self.height.send_replace(height);
	}

	fn find<T>(&self, hash: &Value, pick: impl Fn(&Block) -> T) -> Option<T> {
		let state = self.state();
		let hash: Option<H256> = serde_json::from_value(hash.clone()).unwrap();
		let block = match hash {
			Some(hash) => state.blocks.iter().find(|block| block.hash == hash),
			None => state.blocks.last(),
		};
		block.map(pick)
	}

	/// The block that holds a transaction.
	fn holder(&self, transaction: &[u8]) -> Option<H256> {
		let state = self.state();
		let mut blocks = state.blocks.iter();
		blocks
			.find(|block| block.transactions.iter().any(|one| one == transaction))
			.map(|block| block.hash)
	}

	/// Transactions in blocks: there is one account.
	fn seen(&self) -> u32 {
		let state = self.state();
		let count: usize = state.blocks.iter().map(|block| block.transactions.len()).sum();
		u32::try_from(count).unwrap()
	}

	/// Takes a transaction into the pool.
	fn take(&self, transaction: &[u8]) -> Result<(), ErrorObjectOwned> {
		let read = UncheckedExtrinsic::decode_all(&mut &*transaction).unwrap();
		let Preamble::Signed(_, _, extension) = read.preamble else {
			panic!("a transaction without a signature")
		};
		let nonce = extension.5 .0;
		if nonce < self.seen() {
			return Err(ErrorObjectOwned::owned(
				1010,
				"Invalid Transaction",
				Some("Transaction is outdated"),
			));
		}
		let instant = {
			let mut state = self.state();
			if state.pool.iter().any(|one| one == transaction) {
				return Err(ErrorObjectOwned::owned(
					1013,
					"Transaction Already Imported",
					None::<()>,
				));
			}
			state.nonces.push(nonce);
			state.pool.push(transaction.to_vec());
			state.instant
		};
		if instant {
			self.produce();
		}
		Ok(())
	}

	fn call(&self, method: &str) -> Vec<u8> {
		match method {
			"Metadata_metadata_at_version" => Some(self.state().metadata.clone()).encode(),
			"AccountNonceApi_account_nonce" => self.seen().encode(),
			"ProvenanceApi_block_records" => Vec::<H256>::new().encode(),
			"ConsentApi_consent" => vec![0],
			other => panic!("the test's node has no {other}"),
		}
	}
}

/// A node that runs.
pub struct Node {
	/// Where it is.
	pub address: SocketAddr,
	handle: ServerHandle,
}

impl Node {
	/// Starts a node on a free port, or on the one where another was.
	pub async fn start(chain: &Arc<Chain>, address: Option<SocketAddr>) -> Self {
		let address = address.unwrap_or_else(|| "127.0.0.1:0".parse().unwrap());
		let mut attempts = 0;
		let server = loop {
			match Server::builder().build(address).await {
				Ok(server) => break server,
				Err(error) if attempts == 50 => panic!("{address}: {error}"),
				Err(_) => sleep(Duration::from_millis(100)).await,
			}
			attempts += 1;
		};
		let address = server.local_addr().unwrap();
		Self { address, handle: server.start(methods(chain.clone())) }
	}

	/// Its address for clients.
	pub fn url(&self) -> String {
		format!("ws://{}", self.address)
	}

	/// Stops it: every connection breaks.
	pub async fn stop(self) -> SocketAddr {
		let _ = self.handle.stop();
		let _ = timeout(Duration::from_secs(5), self.handle.stopped()).await;
		self.address
	}
}

/// The number of a pallet's error, as the metadata has it.
pub fn error_of(pallet: &str, name: &str) -> DispatchError {
	let metadata = Metadata::decode_from(METADATA).unwrap();
	let pallet = metadata.pallet_by_name(pallet).unwrap();
	let error = pallet.error_variants().unwrap().iter().find(|one| one.name == name).unwrap();
	DispatchError::Module(sp_runtime::ModuleError {
		index: pallet.error_index(),
		error: [error.index, 0, 0, 0],
		message: None,
	})
}

type Answer = Result<Value, ErrorObjectOwned>;

fn hex_of(bytes: &[u8]) -> Value {
	Value::String(format!("0x{}", hex::encode(bytes)))
}

fn bytes_of(value: &Value) -> Vec<u8> {
	hex::decode(value.as_str().unwrap().trim_start_matches("0x")).unwrap()
}

fn arguments(params: &Params<'_>) -> Value {
	params.parse().unwrap_or(Value::Null)
}

fn methods(chain: Arc<Chain>) -> RpcModule<Arc<Chain>> {
	let mut module = RpcModule::new(chain);
	add(&mut module, "chain_getBlockHash", |chain, args| {
		let state = chain.state();
		let number = args[0].as_u64().unwrap_or(state.blocks.len() as u64 - 1);
		Ok(json!(state.blocks.get(number as usize).map(|block| block.hash)))
	});
	add(&mut module, "chain_getHeader", |chain, args| {
		Ok(json!(chain.find(&args[0], |block| block.header.clone())))
	});
	add(&mut module, "chain_getFinalizedHead", |chain, _| Ok(json!(chain.tip())));
	add(&mut module, "chain_getBlock", |chain, args| {
		Ok(json!(chain.find(&args[0], |block| {
			let extrinsics: Vec<Value> =
				block.transactions.iter().map(|bytes| hex_of(bytes)).collect();
			json!({
				"block": { "header": block.header, "extrinsics": extrinsics },
				"justifications": null,
			})
		})))
	});
	add(&mut module, "state_call", |chain, args| {
		Ok(hex_of(&chain.call(args[0].as_str().unwrap())))
	});
	add(&mut module, "state_getStorage", |chain, args| {
		// Nothing is in the state but each block's events.
		Ok(json!(chain.find(&args[1], |block| hex_of(&block.events))))
	});
	add(&mut module, "system_health", |_, _| {
		Ok(json!({ "peers": 0, "isSyncing": false, "shouldHavePeers": false }))
	});
	// A node that knows of blocks only, as one does that lags behind its own pool.
	add(&mut module, "system_accountNextIndex", |chain, _| Ok(json!(chain.seen())));
	add(&mut module, "author_submitExtrinsic", |chain, args| {
		chain.take(&bytes_of(&args[0]))?;
		Ok(json!(H256::zero()))
	});
	for (subscribe, name, unsubscribe) in [
		("chain_subscribeNewHeads", "chain_newHead", "chain_unsubscribeNewHeads"),
		("chain_subscribeFinalizedHeads", "chain_finalizedHead", "chain_unsubscribeFinalizedHeads"),
	] {
		module
			.register_subscription(
				subscribe,
				name,
				unsubscribe,
				|_, pending, chain, _| async move { heads(pending, &chain).await },
			)
			.unwrap();
	}
	module
		.register_subscription(
			"state_subscribeRuntimeVersion",
			"state_runtimeVersion",
			"state_unsubscribeRuntimeVersion",
			|_, pending, _, _| async move { version(pending).await },
		)
		.unwrap();
	module
		.register_subscription(
			"author_submitAndWatchExtrinsic",
			"author_extrinsicUpdate",
			"author_unwatchExtrinsic",
			|params, pending, chain, _| async move {
				let transaction = bytes_of(&arguments(&params)[0]);
				watch_transaction(pending, &chain, &transaction).await
			},
		)
		.unwrap();
	module
}

fn add(
	module: &mut RpcModule<Arc<Chain>>,
	name: &'static str,
	answer: impl Fn(&Chain, Value) -> Answer + Send + Sync + 'static,
) {
	module
		.register_method(name, move |params, chain, _| answer(chain, arguments(&params)))
		.unwrap();
}

async fn heads(pending: PendingSubscriptionSink, chain: &Chain) -> SubscriptionResult {
	let sink = pending.accept().await?;
	let mut height = chain.height.subscribe();
	loop {
		let header = chain.find(&Value::Null, |block| block.header.clone());
		sink.send(SubscriptionMessage::from_json(&header)?).await?;
		tokio::select! {
			_ = sink.closed() => return Ok(()),
			changed = height.changed() => changed?,
		}
	}
}

async fn version(pending: PendingSubscriptionSink) -> SubscriptionResult {
	let metadata = Metadata::decode_from(METADATA)?;
	let bytes = metadata.pallet_by_name("System").unwrap().constant_by_name("Version").unwrap();
	let (_, _, _, spec, _, _, transaction) =
		<(String, String, u32, u32, u32, Vec<([u8; 8], u32)>, u32)>::decode(&mut bytes.value())?;
	let sink = pending.accept().await?;
	let version = json!({ "specVersion": spec, "transactionVersion": transaction });
	sink.send(SubscriptionMessage::from_json(&version)?).await?;
	sink.closed().await;
	Ok(())
}

async fn watch_transaction(
	pending: PendingSubscriptionSink,
	chain: &Chain,
	transaction: &[u8],
) -> SubscriptionResult {
	let mut height = chain.height.subscribe();
	if let Err(error) = chain.take(transaction) {
		pending.reject(error).await;
		return Ok(());
	}
	let sink = pending.accept().await?;
	sink.send(SubscriptionMessage::from_json(&"ready")?).await?;
	loop {
		if let Some(hash) = chain.holder(transaction) {
			sink.send(SubscriptionMessage::from_json(&json!({ "inBlock": hash }))?).await?;
			sink.send(SubscriptionMessage::from_json(&json!({ "finalized": hash }))?).await?;
			return Ok(());
		}
		tokio::select! {
			_ = sink.closed() => return Ok(()),
			changed = height.changed() => changed?,
		}
	}
}
