//! Bytes sent and received: a token bucket.

use super::Clock;
use std::{
	sync::{
		atomic::{AtomicU64, Ordering},
		Arc, Mutex as SyncMutex, MutexGuard, PoisonError,
	},
	time::Duration,
};
use tokio::sync::Mutex;

/// Bytes a second of a megabit a second.
const MEGABIT: f64 = 125_000.0;
/// Seconds at the rate that may go at once.
const BURST: f64 = 0.125;
/// How long a wait lasts before it looks whether the rate has changed.
const LOOK: Duration = Duration::from_millis(250);
/// Shortest wait.
const SHORTEST_WAIT: Duration = Duration::from_millis(1);

/// A limit on bytes a second, for both directions together.
///
/// Over any time `t` no more than `rate × (t + 1/8 s)` bytes pass. Who asks first is served first, an
/// eighth of a second's bytes at a time, so that a large transfer does not hold up a small message.
pub struct ByteBucket {
	clock: Arc<dyn Clock>,
	/// Held by the one whose turn it is; fair.
	turn: Mutex<()>,
	bucket: SyncMutex<Bucket>,
	taken: AtomicU64,
}

impl ByteBucket {
	pub(super) fn new(mbps: u32, clock: Arc<dyn Clock>) -> Self {
		let bucket = SyncMutex::new(Bucket::new(mbps, clock.now()));
		Self { clock, turn: Mutex::new(()), bucket, taken: AtomicU64::new(0) }
	}

	/// Waits until `bytes` may pass. If it is dropped before, what has not passed is not charged.
	pub async fn take(&self, bytes: usize) {
		let mut left = bytes as f64;
		while left > 0.0 {
			let _turn = self.turn.lock().await;
			loop {
				let answer = self.bucket().ask(self.clock.now(), left);
				match answer {
					Ok(part) => {
						left -= part;
						self.taken.fetch_add(part as u64, Ordering::Relaxed);
						break;
					}
					Err(wait) => tokio::time::sleep(wait.clamp(SHORTEST_WAIT, LOOK)).await,
				}
			}
		}
	}

	/// Bytes that have passed in all.
	pub fn taken(&self) -> u64 {
		self.taken.load(Ordering::Relaxed)
	}

	/// Bytes a second that pass here: the limit, less what [`ByteBucket::leave`] left to others.
	pub fn rate(&self) -> f64 {
		self.bucket().rate
	}

	/// Leaves so many bytes a second of the limit, at most half of it, to what passes elsewhere.
	pub fn leave(&self, bytes_per_second: f64) {
		let now = self.clock.now();
		self.bucket().leave(bytes_per_second, now);
	}

	pub(super) fn set_rate(&self, mbps: u32) {
		let now = self.clock.now();
		self.bucket().set_rate(mbps, now);
	}

	fn bucket(&self) -> MutexGuard<'_, Bucket> {
		self.bucket.lock().unwrap_or_else(PoisonError::into_inner)
	}
}

struct Bucket {
	/// Bytes a second of the consent.
	limit: f64,
	/// Of them those that pass elsewhere.
	elsewhere: f64,
	/// Bytes a second that are left.
	rate: f64,
	bytes: f64,
	now: Duration,
}

impl Bucket {
	fn new(mbps: u32, now: Duration) -> Self {
		let rate = f64::from(mbps.max(1)) * MEGABIT;
		Self { limit: rate, elsewhere: 0.0, rate, bytes: (rate * BURST).floor(), now }
	}

	/// Whole bytes, so that what is asked for in parts sums up.
	fn capacity(&self) -> f64 {
		(self.rate * BURST).floor()
	}

	fn settle(&mut self, now: Duration) {
		let passed = now.saturating_sub(self.now).as_secs_f64();
		self.now = self.now.max(now);
		self.bytes = (self.bytes + passed * self.rate).min(self.capacity());
	}

	fn set_rate(&mut self, mbps: u32, now: Duration) {
		self.limit = f64::from(mbps.max(1)) * MEGABIT;
		self.share(now);
	}

	fn leave(&mut self, elsewhere: f64, now: Duration) {
		self.elsewhere = elsewhere.max(0.0);
		self.share(now);
	}

	fn share(&mut self, now: Duration) {
		self.settle(now);
		self.rate = self.limit - self.elsewhere.min(self.limit / 2.0);
		self.bytes = self.bytes.min(self.capacity());
	}

	/// Takes `bytes`, or as many as may go at once, and says how many; or when to ask again.
	fn ask(&mut self, now: Duration, bytes: f64) -> Result<f64, Duration> {
		self.settle(now);
		let part = bytes.min(self.capacity());
		if self.bytes >= part {
			self.bytes -= part;
			return Ok(part);
		}
		Err(Duration::try_from_secs_f64((part - self.bytes) / self.rate).unwrap_or(LOOK))
	}
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;
	use crate::limits::SystemClock;
	use std::time::Instant;

	#[test]
	fn any_stretch_of_time_should_stay_within_rate_and_burst() {
		let mut bucket = Bucket::new(8, Duration::ZERO);
		let mut now = Duration::from_secs(5);
		let mut passed: Vec<(Duration, f64)> = Vec::new();
		for size in (0..400).map(|index| f64::from(index * 7919 % 60_000)) {
			let mut left = size;
			while left > 0.0 {
				match bucket.ask(now, left) {
					Ok(part) => {
						left -= part;
						passed.push((now, part));
					}
					Err(wait) => now += wait.max(Duration::from_micros(1)),
				}
			}
		}
		for (first, (from, _)) in passed.iter().enumerate() {
			let mut sum = 0.0;
			for (to, part) in &passed[first..] {
				sum += part;
				let most = 1e6 * ((*to - *from).as_secs_f64() + 0.125);
				assert!(sum <= most + 1.0, "{sum} of {most}");
			}
		}
		// Under load nothing is lost.
		let sum: f64 = passed.iter().map(|(_, part)| part).sum();
		let time = (now - Duration::from_secs(5)).as_secs_f64();
		assert!(sum >= 1e6 * time * 0.999, "{sum} in {time} s");
	}

	#[test]
	fn what_passes_elsewhere_should_be_left_of_the_limit() {
		let mut bucket = Bucket::new(8, Duration::ZERO);
		bucket.leave(300_000.0, Duration::ZERO);
		assert_eq!(bucket.rate, 700_000.0);
		// Never more than half, and of another limit too.
		bucket.leave(900_000.0, Duration::ZERO);
		assert_eq!(bucket.rate, 500_000.0);
		bucket.set_rate(16, Duration::ZERO);
		assert_eq!(bucket.rate, 1_100_000.0);
		bucket.leave(0.0, Duration::ZERO);
		assert_eq!((bucket.rate, bucket.capacity()), (2_000_000.0, 250_000.0));
	}

	#[tokio::test]
	async fn a_small_message_should_not_wait_for_a_large_transfer() {
		// A megabyte a second, an eighth of one at once.
		let bucket = ByteBucket::new(8, Arc::new(SystemClock::new()));
		let begin = Instant::now();
		let large = async {
			bucket.take(600_000).await;
			begin.elapsed()
		};
		let small = async {
			tokio::time::sleep(Duration::from_millis(20)).await;
			bucket.take(1_000).await;
			begin.elapsed()
		};
		let (large, small) = tokio::join!(large, small);
		assert!(large >= Duration::from_millis(470), "{large:?}");
		assert!(small < large, "{small:?} {large:?}");
		assert_eq!(bucket.taken(), 601_000);
	}

	#[tokio::test]
	async fn a_new_rate_should_reach_those_who_wait() {
		let bucket = ByteBucket::new(1, Arc::new(SystemClock::new()));
		let begin = Instant::now();
		let take = bucket.take(10_000_000);
		let change = async {
			tokio::time::sleep(Duration::from_millis(20)).await;
			bucket.set_rate(u32::MAX);
		};
		tokio::join!(take, change);
		// 80 seconds at the first rate.
		assert!(begin.elapsed() < Duration::from_secs(20));
		assert!(bucket.rate() > 1e12 / 8.0);
	}

	#[tokio::test]
	async fn who_gives_up_should_not_be_charged() {
		let bucket = ByteBucket::new(1, Arc::new(SystemClock::new()));
		let patience = Duration::from_millis(30);
		assert!(tokio::time::timeout(patience, bucket.take(1 << 30)).await.is_err());
		assert!(bucket.taken() < 1 << 20);
		// The turn was given back.
		bucket.take(1).await;
	}
}
