//! Adverts: served to whoever asks, fetched from their peers, checked, kept until they expire
//! (`docs/protocol/network.md`, "Adverts").

use crate::{
	config::StreamLimits,
	handle::{Handle, OpenError},
	metrics::count,
	shared::Shared,
	streams::{limiter::Limiter, Incoming, Stream},
	wire::{
		advert::{AdvertError, SignedAdvert, MAX_ADVERT},
		frame::{self, FrameError},
		ADVERT_PROTOCOL,
	},
	PeerKey, LOG,
};
use aria_primitives::Moment;
use futures::AsyncWriteExt;
use std::{
	collections::HashMap,
	sync::{Arc, Mutex, MutexGuard, PoisonError},
	time::{Instant, SystemTime, UNIX_EPOCH},
};
use tokio::time::timeout;

/// Adverts of others that are kept.
const MAX_KEPT: usize = 4_096;
/// How often a peer may ask, and how many at the same time.
const SERVED: StreamLimits = StreamLimits { per_peer: 4, per_second: 16, burst: 32, total: 64 };

/// Why there is no advert of a peer.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
	/// The peer can't be asked.
	#[error(transparent)]
	Open(#[from] OpenError),
	/// It did not answer in time.
	#[error("the peer did not send its advert in time: it may be overloaded; ask again later")]
	TimedOut,
	/// What it answered is no advert.
	#[error("the peer sent no advert: {0}")]
	Frame(#[from] FrameError),
	/// It is no worker, or does not serve now.
	#[error("the peer serves nothing now")]
	Nothing,
	/// The advert breaks a rule.
	#[error("the peer's advert {0}")]
	Refused(#[from] AdvertError),
}

/// The time of adverts.
pub(crate) fn now() -> Moment {
	let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
	u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// This node's advert, and the last believed one of each peer.
#[derive(Default)]
pub(crate) struct Adverts {
	own: Mutex<Option<SignedAdvert>>,
	kept: Mutex<HashMap<PeerKey, SignedAdvert>>,
}

impl Adverts {
	fn kept(&self) -> MutexGuard<'_, HashMap<PeerKey, SignedAdvert>> {
		self.kept.lock().unwrap_or_else(PoisonError::into_inner)
	}

	/// Replaces this node's advert.
	pub(crate) fn publish(&self, advert: Option<SignedAdvert>) {
		*self.own.lock().unwrap_or_else(PoisonError::into_inner) = advert;
	}

	/// This node's advert, if it has not expired.
	pub(crate) fn own(&self, now: Moment) -> Option<SignedAdvert> {
		let own = self.own.lock().unwrap_or_else(PoisonError::into_inner);
		own.clone().filter(|signed| signed.advert.expires_at > now)
	}

	/// The last believed advert of a peer, if it has not expired.
	pub(crate) fn of(&self, peer: &PeerKey, now: Moment) -> Option<SignedAdvert> {
		self.kept().get(peer).filter(|signed| signed.advert.expires_at > now).cloned()
	}

	/// Keeps an advert that was checked, unless a later one of the same peer is kept. Returns the one that
	/// is kept.
	pub(crate) fn keep(&self, peer: PeerKey, signed: SignedAdvert, now: Moment) -> SignedAdvert {
		let mut kept = self.kept();
		if let Some(old) = kept.get(&peer) {
			if old.advert.made_at > signed.advert.made_at && old.advert.expires_at > now {
				return old.clone();
			}
		}
		if kept.len() >= MAX_KEPT && !kept.contains_key(&peer) {
			kept.retain(|_, signed| signed.advert.expires_at > now);
		}
		if kept.len() < MAX_KEPT || kept.contains_key(&peer) {
			kept.insert(peer, signed.clone());
		}
		signed
	}

	/// Forgets the advert of a peer.
	pub(crate) fn forget(&self, peer: &PeerKey) {
		self.kept().remove(peer);
	}
}

/// Asks a peer for its advert.
pub(crate) async fn fetch(handle: &Handle, peer: PeerKey) -> Result<SignedAdvert, FetchError> {
	let shared = handle.shared();
	let now_before = now();
	if peer == shared.local {
		return shared.adverts.own(now_before).ok_or(FetchError::Nothing);
	}
	let known = shared.adverts.of(&peer, now_before);
	let addresses = known.map(|signed| signed.advert.addresses).unwrap_or_default();
	let answer = timeout(shared.timing.advert, async {
		let mut stream = handle.open(peer, &addresses, ADVERT_PROTOCOL).await?;
		// One byte more says whether there is one.
		let answer = frame::read::<Option<SignedAdvert>>(&mut stream, MAX_ADVERT + 1).await?;
		Ok::<_, FetchError>(answer)
	});
	let result = match answer.await {
		Err(_) => Err(FetchError::TimedOut),
		Ok(Err(error)) => Err(error),
		Ok(Ok(None)) => Err(FetchError::Nothing),
		Ok(Ok(Some(signed))) => {
			signed.check(&shared.genesis, &peer, now()).map(|()| signed).map_err(Into::into)
		}
	};
	match result {
		Ok(signed) => Ok(shared.adverts.keep(peer, signed, now())),
		Err(error) => {
			let name = crate::peer_id(&peer).map(|id| id.to_string()).unwrap_or_default();
			if let FetchError::Refused(_) | FetchError::Frame(FrameError::Malformed(_)) = &error {
				count(&shared.counters.adverts_refused);
			}
			tracing::debug!(target: LOG, peer = %name, "no advert: {error}");
			Err(error)
		}
	}
}

/// Gives this node's advert to whoever asks, until the node ends.
pub(crate) async fn serve(shared: Arc<Shared>, mut incoming: Incoming) {
	let limiter = Limiter::new(SERVED);
	loop {
		let next = tokio::select! {
			() = shared.shutdown.cancelled() => return,
			next = incoming.next() => next,
		};
		let Some((peer, stream)) = next else { return };
		let permit = match limiter.admit(peer, Instant::now()) {
			Ok(permit) => permit,
			Err(reason) => {
				count(&shared.counters.streams_refused);
				tracing::debug!(target: LOG, "question for the advert refused: {reason}");
				continue;
			}
		};
		let shared = shared.clone();
		tokio::spawn(async move {
			let _permit = permit;
			// A peer that stalls does not hold its place for long.
			match timeout(shared.timing.advert, answer(&shared, stream)).await {
				Ok(Ok(())) => {}
				Ok(Err(error)) => tracing::debug!(target: LOG, "advert not given: {error}"),
				Err(_) => tracing::debug!(target: LOG, "advert not taken in time"),
			}
		});
	}
}

async fn answer(shared: &Shared, mut stream: Stream) -> Result<(), FrameError> {
	frame::write(&mut stream, &shared.adverts.own(now())).await?;
	stream.close().await?;
	Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;
	use crate::wire::advert::Advert;
	use sp_core::{sr25519, Pair};

	const PEER: PeerKey = [1; 32];

	fn advert(made_at: Moment, expires_at: Moment) -> SignedAdvert {
		let pair = sr25519::Pair::from_seed(&[1; 32]);
		let advert = Advert {
			version: 1,
			account: pair.public().0.into(),
			peer: PEER,
			addresses: Default::default(),
			serves: Default::default(),
			sessions: 0,
			capacity: 1,
			consent_version: 1,
			region: 0,
			bandwidth_mbps: 1,
			made_at,
			expires_at,
		};
		let signature = pair.sign(&[0; 32]).into();
		SignedAdvert { advert, signature }
	}

	#[test]
	fn an_earlier_advert_should_not_replace_a_later_one() {
		let adverts = Adverts::default();
		adverts.keep(PEER, advert(20, 100), 30);
		let kept = adverts.keep(PEER, advert(10, 200), 30);

		assert_eq!(kept.advert.made_at, 20);
		assert_eq!(adverts.of(&PEER, 30).unwrap().advert.made_at, 20);
		assert_eq!(adverts.keep(PEER, advert(10, 200), 100).advert.made_at, 10);
	}

	#[test]
	fn expired_adverts_should_not_be_given() {
		let adverts = Adverts::default();
		adverts.keep(PEER, advert(20, 100), 30);
		adverts.publish(Some(advert(20, 100)));

		assert!(adverts.of(&PEER, 99).is_some() && adverts.own(99).is_some());
		assert!(adverts.of(&PEER, 100).is_none() && adverts.own(100).is_none());
	}
}
