//! Lines of a log that others can cause: a few, and then how many were left out, so that nobody fills a
//! disk from afar.

use std::{
	sync::{Mutex, PoisonError},
	time::{Duration, Instant},
};

/// Lines that are said in a window, one after another.
const LINES: u32 = 10;
/// How long a window is.
const WINDOW: Duration = Duration::from_secs(10);

/// One place that logs.
pub(crate) struct Seldom(Mutex<State>);

struct State {
	since: Option<Instant>,
	said: u32,
	unsaid: u64,
}

impl Seldom {
	/// Nothing was said yet.
	pub(crate) const fn new() -> Self {
		Self(Mutex::new(State { since: None, said: 0, unsaid: 0 }))
	}

	/// Whether to say it now, and how often it was not said since it was said last.
	pub(crate) fn turn(&self) -> Option<u64> {
		self.turn_at(Instant::now())
	}

	fn turn_at(&self, now: Instant) -> Option<u64> {
		let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
		let over = state.since.is_none_or(|since| now.saturating_duration_since(since) >= WINDOW);
		if over {
			(state.since, state.said) = (Some(now), 0);
		}
		if state.said >= LINES {
			state.unsaid = state.unsaid.saturating_add(1);
			return None;
		}
		state.said += 1;
		Some(std::mem::take(&mut state.unsaid))
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_flood_should_be_a_few_lines_and_a_number() {
		let (seldom, begin) = (Seldom::new(), Instant::now());
		let said = (0..1_000).filter(|_| seldom.turn_at(begin).is_some()).count();

		assert_eq!(said, LINES as usize);
		assert_eq!(seldom.turn_at(begin + WINDOW), Some(1_000 - u64::from(LINES)));
		assert_eq!(seldom.turn_at(begin + WINDOW), Some(0));
	}
}
