//! What all parts of a process share, and the order in which it comes up.

use super::{config::Config, live::Live, patience::AGAIN};
use crate::{
	keys::{self, account_of},
	settle::SettlementStore,
};
use anyhow::{bail, Context, Result};
use aria_chain_client::Chain;
use aria_network::{Handle, Identity, Network};
use aria_primitives::AccountId;
use sp_core::{crypto::Ss58Codec, sr25519};
use std::{
	fs::{File, OpenOptions, TryLockError},
	path::Path,
	sync::Arc,
};
use tokio_util::sync::CancellationToken;

/// What all parts of a process share.
#[derive(Clone)]
pub struct Common {
	/// The chain.
	pub chain: Chain,
	/// Other peers.
	pub handle: Handle,
	/// The libp2p key.
	pub identity: Identity,
	/// The account's key.
	pub pair: sr25519::Pair,
	/// The account.
	pub account: AccountId,
	/// What is not settled yet, and what was signed.
	pub store: Arc<SettlementStore>,
	/// What the chain and the owner say.
	pub live: Arc<Live>,
	/// The process is to end: nothing new is begun.
	pub stop: CancellationToken,
	/// Ends all tasks, once what ran is finished.
	pub shutdown: CancellationToken,
}

/// Keeps a second process out of a base path; given back when dropped.
pub struct BaseLock(#[allow(dead_code)] File);

/// Makes the base path and takes it for this process.
///
/// # Errors
/// Another process that has it; a folder that can't be made.
pub fn take_base(base: &Path) -> Result<BaseLock> {
	let shown = base.display();
	std::fs::create_dir_all(base).with_context(|| format!("the base path {shown}"))?;
	let path = base.join("worker.lock");
	let file = OpenOptions::new()
		.create(true)
		.write(true)
		.truncate(false)
		.open(&path)
		.with_context(|| format!("{}", path.display()))?;
	match file.try_lock() {
		Ok(()) => Ok(BaseLock(file)),
		Err(TryLockError::WouldBlock) => bail!(
			"another worker runs with the base path {shown}: stop it, or give this one its own with \
			 --base-path"
		),
		Err(TryLockError::Error(error)) => {
			Err(error).with_context(|| format!("{} can't be locked", path.display()))
		}
	}
}

/// The account's key; says which one, and where it is kept if it is new.
///
/// # Errors
/// A key that can't be read.
pub fn account(config: &Config) -> Result<(sr25519::Pair, AccountId)> {
	let keystore = config.account_file();
	let loaded = keys::account::load(&config.account, &keystore)?;
	let account = account_of(&loaded.pair);
	let address = account.to_ss58check();
	if loaded.new {
		tracing::warn!(
			target: "aria::worker",
			"a new account was made: {address}. Its seed phrase is in {}: keep a copy, nobody else has it",
			keystore.display()
		);
	}
	tracing::info!(target: "aria::worker", account = %address, "this worker's account");
	Ok((loaded.pair, account))
}

/// Connects to the chain, and tries again while nobody answers. `None` if the process is to end.
///
/// # Errors
/// A chain that this program does not fit.
pub async fn connect(node: &str, shutdown: &CancellationToken) -> Result<Option<Chain>> {
	loop {
		let connected = tokio::select! {
			() = shutdown.cancelled() => return Ok(None),
			// The connection outlives the signal to end: what runs is finished first.
			connected = Chain::connect(node, None) => connected,
		};
		match connected {
			Ok(chain) => return Ok(Some(chain)),
			Err(error) if error.is_transient() => {
				tracing::error!(target: "aria::worker", "{error}");
			}
			Err(error) => return Err(error.into()),
		}
		tokio::select! {
			() = shutdown.cancelled() => return Ok(None),
			() = tokio::time::sleep(AGAIN) => {}
		}
	}
}

impl Common {
	/// Opens keys and store, and joins the network.
	///
	/// # Errors
	/// What is wrong with a key, the store, or an address.
	pub fn new(
		config: &Config,
		(pair, account): (sr25519::Pair, AccountId),
		chain: Chain,
		stop: CancellationToken,
		shutdown: CancellationToken,
	) -> Result<Self> {
		let identity = Identity::load_or_create(&config.peer_key_file())?;
		let store = Arc::new(SettlementStore::open(config.store_file(), chain.genesis())?);
		let handle = Network::start(
			config.network.clone(),
			identity.keypair(),
			chain.genesis(),
			shutdown.clone(),
		)?;
		let live = Arc::new(Live::default());
		live.set_paused(super::paused::read(&config.base));
		Ok(Self { chain, handle, identity, pair, account, store, live, stop, shutdown })
	}
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;

	#[test]
	fn a_base_path_should_have_one_process() {
		let dir = tempfile::tempdir().unwrap();
		let base = dir.path().join("a/b");
		let lock = take_base(&base).unwrap();
		let error = take_base(&base).err().unwrap().to_string();
		assert!(error.contains("--base-path"), "{error}");
		drop(lock);
		take_base(&base).unwrap();
	}
}
