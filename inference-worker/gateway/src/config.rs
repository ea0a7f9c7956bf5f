//! What can be set.

use crate::limits::RateLimits;
use std::{
	net::{Ipv4Addr, SocketAddr},
	time::Duration,
};

/// How a gateway serves. Every bound on what a client can use is here.
#[derive(Clone, Debug)]
pub struct Config {
	/// Where it listens; port 0 takes a free one.
	pub listen: SocketAddr,
	/// Answers that are computed at the same time, counted by choices.
	pub streams: usize,
	/// Those of them that one key can have; `None` for all but an eighth of `streams`, so that no key
	/// can have all.
	pub streams_per_key: Option<usize>,
	/// Requests that wait for their turn.
	pub queue: usize,
	/// How long one waits before it is sent away with 429.
	pub queue_wait: Duration,
	/// Choices of one request that are computed at the same time; the others follow.
	pub choices_at_once: usize,
	/// Limits of a key that has none of its own.
	pub limits: RateLimits,
	/// Most tokens of an answer if a chat does not say; `None` for what is left of the context.
	pub default_max_tokens: Option<u32>,
	/// Most bytes of a request's body.
	pub body_bytes: usize,
	/// How long a body may take to arrive.
	pub body_wait: Duration,
	/// Connections at the same time; more wait to be accepted.
	pub connections: usize,
	/// How long a connection may be without a complete request before it is closed.
	pub idle: Duration,
	/// How long a client may take nothing of its answer before it is given up; its connection is closed
	/// after twice as long.
	pub stall: Duration,
	/// After how long without a token a comment is written into a stream, so that proxies keep it.
	pub keep_alive: Duration,
	/// How long answers that are under way may go on when the gateway stops.
	pub drain: Duration,
	/// Whether pages of any origin may call this gateway.
	pub cors: bool,
	/// Whether `/metrics` is served.
	pub metrics: bool,
}

impl Default for Config {
	fn default() -> Self {
		Self {
			listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)),
			streams: 64,
			streams_per_key: None,
			queue: 256,
			queue_wait: Duration::from_secs(30),
			choices_at_once: 8,
			limits: RateLimits::default(),
			default_max_tokens: None,
			body_bytes: 2 << 20,
			body_wait: Duration::from_secs(30),
			connections: 1024,
			idle: Duration::from_secs(75),
			stall: Duration::from_secs(30),
			keep_alive: Duration::from_secs(15),
			drain: Duration::from_secs(30),
			cors: false,
			metrics: true,
		}
	}
}

impl Config {
	/// Streams that one key can have.
	pub(crate) fn per_key(&self) -> usize {
		let streams = self.streams.max(1);
		self.streams_per_key.unwrap_or(streams - streams / 8).clamp(1, streams)
	}

	/// Choices of a request of `choices` that are computed at the same time.
	pub(crate) fn width(&self, choices: usize) -> usize {
		choices.min(self.choices_at_once).clamp(1, self.per_key())
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn no_key_should_have_all_streams() {
		let of =
			|streams, streams_per_key| Config { streams, streams_per_key, ..Config::default() };
		assert_eq!(of(64, None).per_key(), 56);
		assert_eq!(of(1, None).per_key(), 1);
		assert_eq!(of(0, Some(0)).per_key(), 1);
		assert_eq!(of(4, Some(9)).per_key(), 4);
		assert_eq!(of(4, Some(2)).width(8), 2);
		assert_eq!(of(64, None).width(0), 1);
		assert_eq!(of(64, None).width(100), 8);
	}
}
