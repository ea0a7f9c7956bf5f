//! Gateways as a verifier finds them on the network (`docs/protocol/audit.md`).

use crate::audit::{
	ask::{ask, is_of, AskError, Question},
	Gateways, NoHandover,
};
use aria_network::{
	wire::{
		advert::Addresses,
		audit::{gateway_place, AuditRequest},
	},
	Handle,
};
use aria_primitives::{
	audit::{Handover, Named},
	record::RecordBody,
	AccountId,
};
use futures::{future::BoxFuture, stream::FuturesUnordered, StreamExt};
use sp_core::sr25519;
use std::{
	collections::HashMap,
	sync::{Mutex, MutexGuard, PoisonError},
	time::Duration,
};
use tokio::time::timeout;

/// How long a gateway is looked for.
const SEARCH: Duration = Duration::from_secs(12);
/// How long who answered for a gateway last is asked alone.
const KNOWN: Duration = Duration::from_secs(20);
/// Peers that say to be a gateway and are asked.
const MOST_PEERS: usize = 6;
/// Gateways whose peers are remembered.
const MOST_KNOWN: usize = 4_096;

/// Gateways by the table of providers.
pub(in super::super) struct NetworkGateways {
	handle: Handle,
	/// The key that hand-overs are sealed to: the verifier's, or an accused stage's.
	pair: sr25519::Pair,
	/// Who answered for a gateway last.
	known: Mutex<HashMap<AccountId, [u8; 32]>>,
}

impl NetworkGateways {
	/// Gateways that hand over to `pair`.
	pub fn new(handle: Handle, pair: sr25519::Pair) -> Self {
		Self { handle, pair, known: Mutex::default() }
	}

	fn known(&self) -> MutexGuard<'_, HashMap<AccountId, [u8; 32]>> {
		self.known.lock().unwrap_or_else(PoisonError::into_inner)
	}

	async fn ask_one<Q: Question>(
		&self,
		peer: [u8; 32],
		request: &Q,
	) -> Result<(Handover, Named), NoHandover> {
		let silent = |error: &dyn std::fmt::Display| NoHandover::Silent(error.to_string());
		// A gateway that works too has an advert with its addresses; of others the table knows them.
		let known = self.handle.directory().borrow().clone();
		let known = known.iter().find(|worker| worker.peer == peer);
		let addresses: Addresses =
			known.map(|worker| worker.advert.addresses.clone()).unwrap_or_default();
		let opened = self.handle.open(peer, &addresses, Q::PROTOCOL).await;
		let stream = opened.map_err(|error| silent(&error))?;
		ask(stream, request, &self.pair).await.map_err(|error| match error {
			AskError::Refused(reason) => NoHandover::Refused(reason),
			other => silent(&other),
		})
	}

	/// The hand-over of a record from its gateway: from who answered for it last, or from whoever says to
	/// be it.
	pub async fn search<Q: Question>(
		&self,
		gateway: &AccountId,
		request: &Q,
		body: &RecordBody,
	) -> Result<(Handover, Named), NoHandover> {
		let known = self.known().get(gateway).copied();
		if let Some(peer) = known {
			let asked = timeout(KNOWN, self.ask_one(peer, request)).await;
			if let Ok(Ok((handed, named))) = asked {
				if is_of(&handed, body) {
					return Ok((handed, named));
				}
			}
		}
		let (name, range) = gateway_place(gateway);
		let found = timeout(SEARCH, self.handle.providers(name, range)).await;
		let mut peers = found.unwrap_or_default();
		// Of many, those who are connected.
		peers.sort_by_key(|peer| self.handle.round_trip(peer).unwrap_or(Duration::MAX));
		// All together: who drags it out keeps nobody else from answering.
		let mut asked: FuturesUnordered<_> = peers
			.into_iter()
			.take(MOST_PEERS)
			.map(|peer| async move { (peer, self.ask_one(peer, request).await) })
			.collect();
		let mut why: Option<NoHandover> = None;
		while let Some((peer, answer)) = asked.next().await {
			let error = match answer {
				Ok((handed, named)) if is_of(&handed, body) => {
					let mut known = self.known();
					if known.len() >= MOST_KNOWN {
						known.clear();
					}
					known.insert(gateway.clone(), peer);
					return Ok((handed, named));
				}
				Ok(_) => NoHandover::Silent("what came is not the record's".to_owned()),
				Err(error) => error,
			};
			// It is a refusal only if all refuse: anybody may say to be the gateway.
			if why.is_none() || matches!(error, NoHandover::Silent(_)) {
				why = Some(error);
			}
		}
		Err(why.unwrap_or_else(|| {
			NoHandover::Silent("the gateway is not found on the network".to_owned())
		}))
	}
}

impl Gateways for NetworkGateways {
	fn hand_over<'a>(
		&'a self,
		gateway: &'a AccountId,
		request: AuditRequest,
		body: &'a RecordBody,
	) -> BoxFuture<'a, Result<(Handover, Named), NoHandover>> {
		Box::pin(async move { self.search(gateway, &request, body).await })
	}
}
