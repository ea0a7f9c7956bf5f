//! How many streams peers may open, and how fast.

use crate::{config::StreamLimits, PeerKey};
use std::{
	collections::HashMap,
	sync::{Arc, Mutex, MutexGuard, PoisonError},
	time::Instant,
};

/// Peers that are remembered before those without streams are forgotten.
const REMEMBERED: usize = 1_024;

/// Counts the streams of peers.
pub(crate) struct Limiter {
	limits: StreamLimits,
	state: Mutex<State>,
}

#[derive(Default)]
struct State {
	open: u32,
	peers: HashMap<PeerKey, Bucket>,
}

struct Bucket {
	open: u32,
	tokens: f64,
	refilled: Instant,
}

/// Why a stream is refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub(crate) enum Refused {
	#[error("it has too many streams open")]
	TooMany,
	#[error("it opens streams too fast")]
	TooFast,
	#[error("all peers together have too many streams open")]
	Full,
}

impl Limiter {
	pub(crate) fn new(limits: StreamLimits) -> Arc<Self> {
		Arc::new(Self { limits, state: Mutex::default() })
	}

	fn state(&self) -> MutexGuard<'_, State> {
		self.state.lock().unwrap_or_else(PoisonError::into_inner)
	}

	/// Room for one more stream of `peer`, until the permit is dropped.
	pub(crate) fn admit(self: &Arc<Self>, peer: PeerKey, now: Instant) -> Result<Permit, Refused> {
		let burst = f64::from(self.limits.burst.max(1));
		let rate = f64::from(self.limits.per_second.max(1));
		let mut state = self.state();
		if state.peers.len() >= REMEMBERED && !state.peers.contains_key(&peer) {
			// A full bucket is like none.
			let full = burst / rate;
			state.peers.retain(|_, bucket| {
				let passed = now.saturating_duration_since(bucket.refilled);
				bucket.open > 0 || passed.as_secs_f64() < full
			});
		}
		if state.open >= self.limits.total {
			return Err(Refused::Full);
		}
		let bucket =
			state.peers.entry(peer).or_insert(Bucket { open: 0, tokens: burst, refilled: now });
		let passed = now.saturating_duration_since(bucket.refilled);
		bucket.tokens = (bucket.tokens + rate * passed.as_secs_f64()).min(burst);
		bucket.refilled = now;
		if bucket.open >= self.limits.per_peer {
			return Err(Refused::TooMany);
		}
		if bucket.tokens < 1.0 {
			return Err(Refused::TooFast);
		}
		bucket.tokens -= 1.0;
		bucket.open += 1;
		state.open += 1;
		drop(state);
		Ok(Permit { limiter: self.clone(), peer })
	}
}

/// A stream's place; given back on drop.
pub(crate) struct Permit {
	limiter: Arc<Limiter>,
	peer: PeerKey,
}

impl Drop for Permit {
	fn drop(&mut self) {
		let mut state = self.limiter.state();
		state.open = state.open.saturating_sub(1);
		if let Some(bucket) = state.peers.get_mut(&self.peer) {
			bucket.open = bucket.open.saturating_sub(1);
		}
	}
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;
	use std::time::Duration;

	const A: PeerKey = [1; 32];
	const B: PeerKey = [2; 32];

	fn limiter(change: impl Fn(&mut StreamLimits)) -> Arc<Limiter> {
		let mut limits = StreamLimits { per_peer: 100, per_second: 2, burst: 3, total: 100 };
		change(&mut limits);
		Limiter::new(limits)
	}

	#[test]
	fn a_burst_should_be_taken_and_then_the_rate_hold() {
		let limiter = limiter(|_| ());
		let now = Instant::now();
		let burst: Vec<_> = (0..4).map(|_| limiter.admit(A, now)).collect();

		assert_eq!(burst.iter().filter(|taken| taken.is_ok()).count(), 3);
		assert_eq!(burst[3].as_ref().err(), Some(&Refused::TooFast));
		assert!(limiter.admit(B, now).is_ok());
		assert!(limiter.admit(A, now + Duration::from_millis(500)).is_ok());
		assert!(limiter.admit(A, now + Duration::from_millis(600)).is_err());
	}

	#[test]
	fn open_streams_should_be_limited_until_one_ends() {
		let limiter = limiter(|limits| limits.per_peer = 2);
		let now = Instant::now();
		let first = limiter.admit(A, now).unwrap();
		let _second = limiter.admit(A, now).unwrap();

		assert_eq!(limiter.admit(A, now).err(), Some(Refused::TooMany));
		drop(first);
		assert!(limiter.admit(A, now).is_ok());
	}

	#[test]
	fn all_peers_together_should_be_limited() {
		let limiter = limiter(|limits| limits.total = 1);
		let now = Instant::now();
		let one = limiter.admit(A, now).unwrap();

		assert_eq!(limiter.admit(B, now).err(), Some(Refused::Full));
		drop(one);
		assert!(limiter.admit(B, now).is_ok());
	}

	#[test]
	fn peers_without_streams_should_be_forgotten() {
		let limiter = limiter(|limits| limits.total = 10_000);
		let now = Instant::now();
		for peer in 0..REMEMBERED as u64 {
			let mut key = [0; 32];
			key[..8].copy_from_slice(&peer.to_le_bytes());
			drop(limiter.admit(key, now));
		}
		let _later = limiter.admit([9; 32], now + Duration::from_secs(10)).unwrap();

		assert_eq!(limiter.state().peers.len(), 1);
	}
}
