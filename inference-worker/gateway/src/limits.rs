//! Requests and tokens a minute, for each key.
//!
//! Two buckets a key, which fill evenly over a minute. A request takes what it may need at most, and
//! gives back what it did not use.

use crate::{error::ApiError, keys::Principal};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};
use std::{
	collections::HashMap,
	sync::{Arc, Mutex, MutexGuard, PoisonError},
	time::{Duration, Instant},
};

/// Buckets that are kept before full ones are thrown away.
const KEPT: usize = 4096;

/// What a key may use in a minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RateLimits {
	/// Requests.
	pub requests_per_minute: u32,
	/// Tokens of prompts and answers.
	pub tokens_per_minute: u32,
}

impl Default for RateLimits {
	fn default() -> Self {
		Self { requests_per_minute: 3_000, tokens_per_minute: 2_000_000 }
	}
}

/// The buckets of all keys.
pub(crate) struct Limiter {
	defaults: RateLimits,
	keys: Mutex<HashMap<Arc<str>, Buckets>>,
}

struct Buckets {
	requests: Bucket,
	tokens: Bucket,
}

struct Bucket {
	capacity: f64,
	level: f64,
	at: Instant,
}

impl Bucket {
	fn new(capacity: u32, at: Instant) -> Self {
		let capacity = f64::from(capacity.max(1));
		Self { capacity, level: capacity, at }
	}

	fn fill(&mut self, capacity: u32, now: Instant) {
		let passed = now.saturating_duration_since(self.at).as_secs_f64();
		self.capacity = f64::from(capacity.max(1));
		self.level = (self.level + passed * self.capacity / 60.0).min(self.capacity);
		self.at = self.at.max(now);
	}

	/// Takes `amount`, or says how long until there is that much.
	fn take(&mut self, amount: f64) -> Result<(), Duration> {
		if self.level >= amount {
			self.level -= amount;
			Ok(())
		} else {
			Err(self.until(amount))
		}
	}

	fn until(&self, level: f64) -> Duration {
		Duration::try_from_secs_f64((level - self.level).max(0.0) * 60.0 / self.capacity)
			.unwrap_or(Duration::from_secs(60))
	}

	fn is_full(&self) -> bool {
		self.level >= self.capacity
	}
}

impl Limiter {
	/// Keys without limits of their own have `defaults`.
	pub fn new(defaults: RateLimits) -> Arc<Self> {
		Arc::new(Self { defaults, keys: Mutex::default() })
	}

	/// Takes a request.
	pub fn request(&self, principal: &Principal, now: Instant) -> Result<(), ApiError> {
		let limits = self.limits(principal);
		self.with(principal, now, |buckets| buckets.requests.take(1.0)).map_err(|after| {
			let most = limits.requests_per_minute;
			let message = format!(
				"this key has sent its {most} requests of a minute: go on as Retry-After says"
			);
			ApiError::limited("requests", message, after)
		})
	}

	/// Takes `tokens`, or all that a minute has if that is less.
	pub fn tokens(
		self: &Arc<Self>,
		principal: &Arc<Principal>,
		tokens: u64,
		now: Instant,
	) -> Result<Charge, ApiError> {
		let most = self.limits(principal).tokens_per_minute.max(1);
		let taken = tokens.min(u64::from(most)) as f64;
		self.with(principal, now, |buckets| buckets.tokens.take(taken)).map_err(|after| {
			let message = format!(
				"this request may use {tokens} tokens, more than are left of this key's {most} a \
				 minute: go on as Retry-After says, or lower max_tokens"
			);
			ApiError::limited("tokens", message, after)
		})?;
		Ok(Charge { limiter: self.clone(), principal: principal.clone(), taken, used: 0.0 })
	}

	/// Writes `x-ratelimit-*`.
	pub fn write(&self, principal: &Principal, now: Instant, headers: &mut HeaderMap) {
		let values = self.with(principal, now, |buckets| {
			[("requests", &buckets.requests), ("tokens", &buckets.tokens)].map(|(name, bucket)| {
				let left = bucket.level.max(0.0).floor() as u64;
				(name, bucket.capacity as u64, left, bucket.until(bucket.capacity))
			})
		});
		for (name, limit, left, reset) in values {
			for (part, value) in [
				("limit", limit.to_string()),
				("remaining", left.to_string()),
				("reset", span(reset)),
			] {
				let name = HeaderName::try_from(format!("x-ratelimit-{part}-{name}"));
				if let (Ok(name), Ok(value)) = (name, HeaderValue::try_from(value)) {
					headers.insert(name, value);
				}
			}
		}
	}

	fn limits(&self, principal: &Principal) -> RateLimits {
		principal.limits.unwrap_or(self.defaults)
	}

	fn with<T>(
		&self,
		principal: &Principal,
		now: Instant,
		act: impl FnOnce(&mut Buckets) -> T,
	) -> T {
		let limits = self.limits(principal);
		let mut keys = self.lock();
		if keys.len() >= KEPT && !keys.contains_key(&principal.id) {
			for buckets in keys.values_mut() {
				buckets.requests.fill(buckets.requests.capacity as u32, now);
				buckets.tokens.fill(buckets.tokens.capacity as u32, now);
			}
			keys.retain(|_, buckets| !buckets.requests.is_full() || !buckets.tokens.is_full());
		}
		let buckets = keys.entry(principal.id.clone()).or_insert_with(|| Buckets {
			requests: Bucket::new(limits.requests_per_minute, now),
			tokens: Bucket::new(limits.tokens_per_minute, now),
		});
		buckets.requests.fill(limits.requests_per_minute, now);
		buckets.tokens.fill(limits.tokens_per_minute, now);
		act(buckets)
	}

	fn lock(&self) -> MutexGuard<'_, HashMap<Arc<str>, Buckets>> {
		self.keys.lock().unwrap_or_else(PoisonError::into_inner)
	}
}

/// Tokens that a request took. What it did not use goes back when this is dropped.
pub(crate) struct Charge {
	limiter: Arc<Limiter>,
	principal: Arc<Principal>,
	taken: f64,
	used: f64,
}

impl Charge {
	/// Sets what was used.
	pub fn set_used(&mut self, tokens: u64) {
		self.used = tokens as f64;
	}
}

impl Drop for Charge {
	fn drop(&mut self) {
		let back = self.taken - self.used;
		self.limiter.with(&self.principal, Instant::now(), |buckets| {
			let bucket = &mut buckets.tokens;
			bucket.level = (bucket.level + back).clamp(-bucket.capacity, bucket.capacity);
		});
	}
}

/// A duration as OpenAI writes it: `0s`, `120ms`, `8.64s`, `6m0s`.
fn span(time: Duration) -> String {
	let millis = time.as_millis();
	match millis {
		0 => "0s".to_owned(),
		1..=999 => format!("{millis}ms"),
		1_000..=59_999 => {
			let seconds = format!("{}.{:03}", millis / 1_000, millis % 1_000);
			format!("{}s", seconds.trim_end_matches('0').trim_end_matches('.'))
		}
		_ => format!("{}m{}s", millis / 60_000, millis % 60_000 / 1_000),
	}
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;

	fn key(name: &str) -> Arc<Principal> {
		Arc::new(Principal::new(name, "requester"))
	}

	fn limiter(requests: u32, tokens: u32) -> Arc<Limiter> {
		Limiter::new(RateLimits { requests_per_minute: requests, tokens_per_minute: tokens })
	}

	fn header(limiter: &Limiter, key: &Principal, now: Instant, name: &str) -> String {
		let mut headers = HeaderMap::new();
		limiter.write(key, now, &mut headers);
		assert_eq!(headers.len(), 6);
		headers[name].to_str().unwrap().to_owned()
	}

	#[test]
	fn requests_should_run_out_and_come_back() {
		let limiter = limiter(60, 100);
		let (key, now) = (key("a"), Instant::now());
		for _ in 0..60 {
			limiter.request(&key, now).unwrap();
		}
		assert_eq!(header(&limiter, &key, now, "x-ratelimit-remaining-requests"), "0");
		assert_eq!(header(&limiter, &key, now, "x-ratelimit-reset-requests"), "1m0s");
		assert!(limiter.request(&key, now).is_err());
		assert!(limiter.request(&self::key("b"), now).is_ok());
		let later = now + Duration::from_millis(1_100);
		limiter.request(&key, later).unwrap();
		assert!(limiter.request(&key, later).is_err());
	}

	#[test]
	fn tokens_that_were_not_used_should_go_back() {
		let limiter = limiter(60, 100);
		let (key, now) = (key("a"), Instant::now());
		let mut charge = limiter.tokens(&key, 80, now).unwrap();
		assert!(limiter.tokens(&key, 80, now).is_err());
		charge.set_used(10);
		drop(charge);
		assert_eq!(header(&limiter, &key, now, "x-ratelimit-limit-tokens"), "100");
		let left: u64 =
			header(&limiter, &key, now, "x-ratelimit-remaining-tokens").parse().unwrap();
		assert!((90..=91).contains(&left), "{left}");
	}

	#[test]
	fn one_request_should_always_be_possible() {
		let limiter = limiter(0, 100);
		let (key, now) = (key("a"), Instant::now());
		limiter.request(&key, now).unwrap();
		let charge = limiter.tokens(&key, u64::MAX, now).unwrap();
		assert!(limiter.tokens(&key, 1, now).is_err());
		drop(charge);
		assert!(limiter.tokens(&key, 100, now).is_ok());
	}

	#[test]
	fn keys_that_are_not_used_should_be_forgotten() {
		let limiter = limiter(60, 100);
		let now = Instant::now();
		for index in 0..KEPT {
			limiter.request(&key(&index.to_string()), now).unwrap();
		}
		assert_eq!(limiter.lock().len(), KEPT);
		limiter.request(&key("late"), now + Duration::from_secs(120)).unwrap();
		assert_eq!(limiter.lock().len(), 1);
	}

	#[test]
	fn spans_should_read_as_openai_writes_them() {
		for (millis, text) in
			[(0, "0s"), (120, "120ms"), (1_000, "1s"), (8_640, "8.64s"), (360_000, "6m0s")]
		{
			assert_eq!(span(Duration::from_millis(millis)), text);
		}
	}
}
