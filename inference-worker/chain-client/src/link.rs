//! The connection: made, watched, and made again for as long as the program runs.

use crate::{
	error::ChainError,
	rpc::{self, ask, Header, Methods},
	runtime::{Constants, Runtime},
};
use aria_primitives::BlockNumber;
use codec::{Decode, Encode};
use sp_core::H256;
use std::{
	convert::Infallible,
	sync::{Arc, OnceLock},
	time::Duration,
};
use subxt::rpcs::{client::RpcClient, Error as RpcError};
use tokio::{
	sync::watch,
	time::{sleep, Instant},
};
use tokio_util::sync::CancellationToken;

/// Between the first two attempts; doubled with each.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// Longest pause between two attempts.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// After how long without news the node is asked whether it lives.
const SILENCE: Duration = Duration::from_secs(5);
/// Version of the metadata that is asked for.
const METADATA_VERSION: u32 = 15;

/// The chain's tip, each block by number and hash.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Head {
	/// The best block.
	pub best: (BlockNumber, H256),
	/// The last final block.
	pub finalized: (BlockNumber, H256),
}

/// A connection to a chain that fits.
#[derive(Clone)]
pub(crate) struct Session {
	/// Any method.
	pub client: RpcClient,
	/// The usual methods.
	pub methods: Methods,
	/// What runs on the chain.
	pub runtime: Arc<Runtime>,
}

/// Where the connection stands.
pub(crate) enum Link {
	/// Nobody answers.
	Down { since: Instant, reason: String },
	/// Somebody answers who is of no use.
	Refused { since: Instant, error: ChainError },
	/// It works.
	Up(Session),
	/// This program has ended it.
	Closed,
}

impl Link {
	/// What can be used, or why nothing can.
	pub(crate) fn session(&self, url: &str) -> Result<Session, ChainError> {
		match self {
			Link::Up(session) => Ok(session.clone()),
			Link::Refused { error, .. } => Err(error.clone()),
			Link::Closed => Err(ChainError::Closed),
			Link::Down { since, reason } => Err(rpc::unreachable(url, since.elapsed(), reason)),
		}
	}

	/// Since when it has been of no use.
	fn broken_since(&self) -> Option<Instant> {
		match self {
			Link::Down { since, .. } | Link::Refused { since, .. } => Some(*since),
			Link::Up(_) | Link::Closed => None,
		}
	}
}

/// What the connection's task and its users share.
pub(crate) struct Shared {
	/// Where the node is.
	pub url: String,
	/// Hash of the first block, known from the first connection on.
	pub genesis: OnceLock<H256>,
	/// Where the connection stands.
	pub link: watch::Sender<Link>,
	/// The chain's tip.
	pub head: watch::Sender<Head>,
	/// What the runtime chose.
	pub constants: watch::Sender<Constants>,
	/// Ends it all.
	pub stop: CancellationToken,
}

impl Shared {
	pub(crate) fn new(url: &str, stop: CancellationToken) -> Self {
		let down = Link::Down { since: Instant::now(), reason: "not tried yet".to_owned() };
		Self {
			url: url.to_owned(),
			genesis: OnceLock::new(),
			link: watch::Sender::new(down),
			head: watch::Sender::new(Head::default()),
			constants: watch::Sender::new(Constants::default()),
			stop,
		}
	}

	/// For how long there has been no connection of use.
	pub(crate) fn broken_for(&self) -> Option<Duration> {
		self.link.borrow().broken_since().map(|since| since.elapsed())
	}

	fn up(&self, session: Session) {
		self.constants.send_replace(session.runtime.constants);
		self.link.send_replace(Link::Up(session));
	}

	fn down(&self, error: ChainError) {
		let since = self.link.borrow().broken_since().unwrap_or_else(Instant::now);
		self.link.send_replace(match error {
			ChainError::Unreachable { reason, .. } => Link::Down { since, reason },
			ChainError::Incompatible { .. } | ChainError::OtherChain { .. } => {
				Link::Refused { since, error }
			}
			other => Link::Down { since, reason: other.to_string() },
		});
	}
}

/// Keeps the connection until it is to stop.
pub(crate) async fn supervise(shared: Arc<Shared>) {
	let mut pause = FIRST_PAUSE;
	loop {
		let mut came_up = false;
		let error = tokio::select! {
			_ = shared.stop.cancelled() => break,
			ended = hold(&shared, &mut came_up) => match ended {
				Ok(never) => match never {},
				Err(error) => error,
			},
		};
		if came_up {
			pause = FIRST_PAUSE;
		}
		// Once for each change, not for each attempt.
		let refused = matches!(*shared.link.borrow(), Link::Refused { .. });
		if came_up || pause == FIRST_PAUSE || refused == error.is_transient() {
			tracing::warn!(target: "aria::chain", url = %shared.url, %error, "no connection");
		} else {
			tracing::debug!(target: "aria::chain", url = %shared.url, %error, "still no connection");
		}
		shared.down(error);
		tokio::select! {
			_ = shared.stop.cancelled() => break,
			_ = sleep(pause) => {},
		}
		pause = pause.saturating_mul(2).min(LONGEST_PAUSE);
	}
	shared.link.send_replace(Link::Closed);
}

/// Connects and follows the chain until the connection breaks, and says why it did.
async fn hold(shared: &Shared, came_up: &mut bool) -> Result<Infallible, ChainError> {
	let url = shared.url.as_str();
	let client = rpc::open(url).await?;
	let methods = Methods::new(client.clone());
	let genesis = ask(url, "chain_getBlockHash", methods.genesis_hash()).await?;
	let expected = *shared.genesis.get().unwrap_or(&genesis);
	if genesis != expected {
		return Err(ChainError::OtherChain { url: url.to_owned(), expected, found: genesis });
	}
	let runtime = load(url, &methods, genesis).await?;
	let mut spec_version = runtime.version.spec_version;
	let mut versions =
		ask(url, "state_subscribeRuntimeVersion", methods.state_subscribe_runtime_version())
			.await?;
	let mut best = ask(url, "chain_subscribeNewHeads", methods.chain_subscribe_new_heads()).await?;
	let mut finalized =
		ask(url, "chain_subscribeFinalizedHeads", methods.chain_subscribe_finalized_heads())
			.await?;

	let head = current(url, &methods).await?;
	// Only a chain that is used decides which chain it is.
	let _ = shared.genesis.set(genesis);
	shared.head.send_replace(head);
	shared.up(Session { client: client.clone(), methods: methods.clone(), runtime });
	*came_up = true;
	tracing::info!(target: "aria::chain", %url, best = head.best.0, spec_version, "connected");

	loop {
		tokio::select! {
			header = best.next() => {
				let best = place(&heard(url, header)?);
				shared.head.send_modify(|head| head.best = best);
			},
			header = finalized.next() => {
				let finalized = place(&heard(url, header)?);
				shared.head.send_modify(|head| {
					head.finalized = finalized;
					if head.best.0 < finalized.0 {
						head.best = finalized;
					}
				});
			},
			version = versions.next() => {
				let version = heard(url, version)?;
				if version.spec_version != spec_version {
					let runtime = load(url, &methods, genesis).await?;
					spec_version = runtime.version.spec_version;
					tracing::info!(target: "aria::chain", %url, spec_version, "runtime upgraded");
					let (client, methods) = (client.clone(), methods.clone());
					shared.up(Session { client, methods, runtime });
				}
			},
			_ = sleep(SILENCE) => {
				ask(url, "system_health", methods.system_health()).await?;
			},
		}
	}
}

/// The runtime of the best block, if it fits.
async fn load(url: &str, methods: &Methods, genesis: H256) -> Result<Arc<Runtime>, ChainError> {
	const METHOD: &str = "Metadata_metadata_at_version";
	let version = METADATA_VERSION.encode();
	let answer = ask(url, METHOD, methods.state_call(METHOD, Some(&version), None)).await?;
	let bad = |reason: String| ChainError::BadAnswer { method: METHOD.to_owned(), reason };
	let bytes = Option::<Vec<u8>>::decode(&mut answer.as_slice())
		.map_err(|error| bad(error.to_string()))?
		.ok_or_else(|| bad(format!("the runtime has no metadata {METADATA_VERSION}")))?;
	// Reading takes some hundredths of a second: not on a thread that serves others.
	let runtime = tokio::task::spawn_blocking(move || Runtime::new(&bytes, genesis))
		.await
		.map_err(|error| bad(error.to_string()))?;
	match runtime {
		Ok(runtime) => Ok(Arc::new(runtime)),
		Err(mismatch) => Err(ChainError::Incompatible { url: url.to_owned(), mismatch }),
	}
}

/// The tip now.
async fn current(url: &str, methods: &Methods) -> Result<Head, ChainError> {
	let final_hash = ask(url, "chain_getFinalizedHead", methods.chain_get_finalized_head()).await?;
	let missing = |block: String| ChainError::NoBlock { block };
	let finalized = ask(url, "chain_getHeader", methods.chain_get_header(Some(final_hash)))
		.await?
		.ok_or_else(|| missing(format!("{final_hash:?}")))?;
	let best = ask(url, "chain_getHeader", methods.chain_get_header(None))
		.await?
		.ok_or_else(|| missing("at the tip".to_owned()))?;
	Ok(Head { best: place(&best), finalized: (finalized.number, final_hash) })
}

fn place(header: &Header) -> (BlockNumber, H256) {
	(header.number, header.hash())
}

/// What a subscription told; its end is that of the connection.
fn heard<T>(url: &str, news: Option<Result<T, RpcError>>) -> Result<T, ChainError> {
	match news {
		Some(Ok(news)) => Ok(news),
		Some(Err(error)) => Err(rpc::explain(url, "a subscription", error)),
		None => Err(rpc::unreachable(url, Duration::ZERO, "the node closed the connection")),
	}
}
