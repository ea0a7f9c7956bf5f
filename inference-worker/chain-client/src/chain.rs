//! The handle to the chain.

use crate::{
	error::ChainError,
	link::{self, Head, Link, Session, Shared},
	nonce::Accounts,
	rpc,
	runtime::Constants,
};
use codec::DecodeAll;
use sp_core::H256;
use std::{fmt, future::Future, sync::Arc, time::Duration};
use subxt::rpcs::{utils::url_is_secure, Error as RpcError};
use tokio::{
	sync::watch,
	time::{sleep, timeout},
};
use tokio_util::sync::{CancellationToken, DropGuard};

/// How long [`Chain::connect`] waits for a node that does not answer yet.
const FIRST_PATIENCE: Duration = Duration::from_secs(30);
/// How long a call waits for a connection that broke just now.
const PATIENCE: Duration = Duration::from_secs(10);
/// Before a read is tried again whose connection broke.
const RETRY: Duration = Duration::from_millis(300);

/// The state of which block to read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum At {
	/// The node's best block when it reads.
	#[default]
	Best,
	/// The last final block when it reads.
	Finalized,
	/// The block with this hash; a node keeps the state of some hundred blocks.
	Block(H256),
}

/// A chain, through one node. Clones share the connection, which lasts as long as one of them.
///
/// A node that restarts, or is away for minutes, is ridden out: meanwhile calls fail with
/// [`ChainError::Unreachable`] after at most ten seconds (at once if it has been away for longer),
/// and later ones work again.
#[derive(Clone)]
pub struct Chain {
	pub(crate) shared: Arc<Shared>,
	pub(crate) accounts: Arc<Accounts>,
	_guard: Arc<DropGuard>,
}

impl fmt::Debug for Chain {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.debug_struct("Chain")
			.field("url", &self.shared.url)
			.field("genesis", &self.genesis())
			.field("head", &*self.shared.head.borrow())
			.finish_non_exhaustive()
	}
}

impl Chain {
	/// Connects to the node at `url` (`ws://host:port` or `wss://host`), and from then on again
	/// whenever the connection breaks, until all clones are gone or `stop` is cancelled. Has to be
	/// called within a tokio runtime.
	///
	/// # Errors
	/// - [`ChainError::Unreachable`] if nobody answers for half a minute.
	/// - [`ChainError::Incompatible`] if the chain's runtime is not one that this crate fits.
	pub async fn connect(url: &str, stop: Option<CancellationToken>) -> Result<Self, ChainError> {
		match url_is_secure(url) {
			Ok(true) => {}
			Ok(false) => tracing::warn!(
				target: "aria::chain",
				%url,
				"the connection to the node is not encrypted: use wss:// across a network"
			),
			Err(error) => {
				let reason = format!("the address is none ({error})");
				return Err(rpc::unreachable(url, Duration::ZERO, reason));
			}
		}
		let stop = stop.map(|stop| stop.child_token()).unwrap_or_default();
		let shared = Arc::new(Shared::new(url, stop.clone()));
		let chain = Self {
			shared: shared.clone(),
			accounts: Arc::default(),
			_guard: Arc::new(stop.drop_guard()),
		};
		tokio::spawn(link::supervise(shared));
		chain.session_within(FIRST_PATIENCE).await?;
		Ok(chain)
	}

	/// Where the node is.
	pub fn url(&self) -> &str {
		&self.shared.url
	}

	/// Hash of the first block, which every id and signature is bound to.
	pub fn genesis(&self) -> H256 {
		self.shared.genesis.get().copied().unwrap_or_default()
	}

	/// The chain's tip; changes with every block, and stands still while the node is away.
	pub fn head(&self) -> watch::Receiver<Head> {
		self.shared.head.subscribe()
	}

	/// The numbers that the runtime chose, as of the last connection or upgrade.
	pub fn constants(&self) -> Constants {
		*self.shared.constants.borrow()
	}

	/// For how long there has been no node of use; `None` while there is one.
	pub fn unreachable_for(&self) -> Option<Duration> {
		self.shared.broken_for()
	}

	/// Ends when the program closed the connection.
	pub(crate) fn stopped(&self) -> &CancellationToken {
		&self.shared.stop
	}

	/// A connection that works, waited for a little.
	pub(crate) async fn session(&self) -> Result<Session, ChainError> {
		let away = self.shared.broken_for().unwrap_or_default();
		self.session_within(PATIENCE.saturating_sub(away)).await
	}

	async fn session_within(&self, patience: Duration) -> Result<Session, ChainError> {
		let mut link = self.shared.link.subscribe();
		let settled = link.wait_for(|link| !matches!(link, Link::Down { .. }));
		// A connection that is up, or a reason why there is none, is taken even without patience.
		let _ = timeout(patience, settled).await.map(|_| ());
		self.shared.link.borrow().session(&self.shared.url)
	}

	/// A request that changes nothing, made again once if the connection breaks under it.
	pub(crate) async fn read<T, F>(
		&self,
		method: &str,
		request: impl Fn(Session) -> F,
	) -> Result<T, ChainError>
	where
		F: Future<Output = Result<T, RpcError>>,
	{
		let url = &self.shared.url;
		let mut again = true;
		loop {
			let session = self.session().await?;
			match timeout(rpc::REQUEST, request(session)).await {
				Ok(Ok(answer)) => return Ok(answer),
				Ok(Err(error)) if again && rpc::is_lost(&error) => {
					again = false;
					sleep(RETRY).await;
				}
				Ok(Err(error)) => return Err(rpc::explain(url, method, error)),
				Err(_) => return Err(rpc::silent(url, method)),
			}
		}
	}

	/// The hash that stands for a block in a request; `None` is the best one.
	pub(crate) async fn hash_at(&self, at: At) -> Result<Option<H256>, ChainError> {
		match at {
			At::Best => Ok(None),
			At::Block(hash) => Ok(Some(hash)),
			At::Finalized => {
				let hash = self
					.read("chain_getFinalizedHead", |session| async move {
						session.methods.chain_get_finalized_head().await
					})
					.await?;
				Ok(Some(hash))
			}
		}
	}

	/// The same with the best block's hash spelled out, for several reads of one state.
	pub(crate) async fn fixed_hash(&self, at: At) -> Result<H256, ChainError> {
		if let Some(hash) = self.hash_at(at).await? {
			return Ok(hash);
		}
		let best = self
			.read("chain_getBlockHash", |session| async move {
				session.methods.chain_get_block_hash(None).await
			})
			.await?;
		best.ok_or_else(|| ChainError::NoBlock { block: "at the tip".to_owned() })
	}

	/// What a method of a runtime API answers; `parameters` are SCALE bytes.
	pub(crate) async fn api<T: DecodeAll>(
		&self,
		method: &'static str,
		parameters: Vec<u8>,
		at: At,
	) -> Result<T, ChainError> {
		let at = self.hash_at(at).await?;
		let answer = self
			.read(method, |session| {
				let parameters = parameters.clone();
				async move { session.methods.state_call(method, Some(&parameters), at).await }
			})
			.await?;
		decode(method, &answer)
	}

	/// The value under a key of the state.
	pub(crate) async fn storage<T: DecodeAll>(
		&self,
		what: &str,
		key: Vec<u8>,
		at: At,
	) -> Result<Option<T>, ChainError> {
		let at = self.hash_at(at).await?;
		let value = self
			.read("state_getStorage", |session| {
				let key = key.clone();
				async move { session.methods.state_get_storage(&key, at).await }
			})
			.await?;
		value.map(|bytes| decode(what, &bytes)).transpose()
	}
}

/// A value out of its bytes.
pub(crate) fn decode<T: DecodeAll>(what: &str, bytes: &[u8]) -> Result<T, ChainError> {
	T::decode_all(&mut &*bytes).map_err(|error| ChainError::BadAnswer {
		method: what.to_owned(),
		reason: error.to_string(),
	})
}
