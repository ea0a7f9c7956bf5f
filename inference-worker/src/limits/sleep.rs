//! A laptop that slept, or whose clock was set.

use super::Clock;
use std::{sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;

/// Smallest jump: clocks are steered by less than that.
const TOLERANCE: Duration = Duration::from_secs(5);
/// Time between two looks.
const LOOK: Duration = Duration::from_secs(1);

/// The wall clock went another way than time did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockJump {
	/// Whether the wall clock is ahead: the machine slept, or its clock was set forward. Connections
	/// are likely dead, deadlines over, and hours of the schedule gone by.
	pub forward: bool,
	/// By how much.
	pub by: Duration,
}

/// Compares two clocks: one that stands still while the machine sleeps, and one that does not.
#[derive(Clone, Copy, Debug, Default)]
pub struct JumpDetector {
	last: Option<(Duration, Duration)>,
}

impl JumpDetector {
	/// Takes the clocks' next values; gives a jump of more than 5 seconds since the last ones.
	pub fn observe(&mut self, now: Duration, wall: Duration) -> Option<ClockJump> {
		let (then, wall_then) = self.last.replace((now, wall))?;
		let expected = wall_then.saturating_add(now.saturating_sub(then));
		let by = wall.abs_diff(expected);
		(by > TOLERANCE).then_some(ClockJump { forward: wall > expected, by })
	}
}

/// Calls `on_jump` for each jump, within a second or two, until `shutdown`.
pub async fn watch(
	clock: Arc<dyn Clock>,
	shutdown: CancellationToken,
	mut on_jump: impl FnMut(ClockJump) + Send,
) {
	let mut detector = JumpDetector::default();
	loop {
		if let Some(jump) = detector.observe(clock.now(), clock.wall()) {
			tracing::info!(
				target: "aria::limits",
				seconds = jump.by.as_secs(),
				forward = jump.forward,
				"the machine slept, or its clock was set"
			);
			on_jump(jump);
		}
		tokio::select! {
			biased;
			() = shutdown.cancelled() => return,
			() = tokio::time::sleep(LOOK) => {}
		}
	}
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;

	fn seconds(count: u64) -> Duration {
		Duration::from_secs(count)
	}

	#[test]
	fn sleep_should_be_seen_once() {
		let mut detector = JumpDetector::default();
		assert_eq!(detector.observe(seconds(10), seconds(1_000_000)), None);
		assert_eq!(detector.observe(seconds(11), seconds(1_000_001)), None);
		let slept = detector.observe(seconds(12), seconds(1_003_602));
		assert_eq!(slept, Some(ClockJump { forward: true, by: seconds(3600) }));
		assert_eq!(detector.observe(seconds(13), seconds(1_003_603)), None);
	}

	#[test]
	fn a_clock_that_is_set_back_should_be_seen() {
		let mut detector = JumpDetector::default();
		detector.observe(seconds(10), seconds(1_000_000));
		let set = detector.observe(seconds(11), seconds(996_401));
		assert_eq!(set, Some(ClockJump { forward: false, by: seconds(3600) }));
	}

	#[test]
	fn steering_and_slow_looks_should_not_be_jumps() {
		let mut detector = JumpDetector::default();
		for step in 0..100 {
			// The wall clock gains a second a minute.
			assert_eq!(detector.observe(seconds(60 * step), seconds(61 * step)), None);
		}
	}

	#[tokio::test]
	async fn a_watch_should_end_when_told() {
		let shutdown = CancellationToken::new();
		shutdown.cancel();
		let clock = Arc::new(crate::limits::SystemClock::new());
		watch(clock, shutdown, |jump| panic!("{jump:?}")).await;
	}
}
