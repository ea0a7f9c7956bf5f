//! The model of an estimate: power out of CPU time (`docs/energy.md`).

use std::time::Duration;

/// Most watts a logical CPU that a model may state.
const MOST_WATTS: f64 = 1000.0;

/// Power of a processor as a line through CPU time: so much for each logical CPU that is there, so
/// much more for each that works.
///
/// The default, 1 W and 5 W, is 6 W a logical CPU under full load. That is more than the rated power
/// of most processors comes to, so that nobody gains from not measuring.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PowerModel {
	idle_watts: f64,
	active_watts: f64,
}

/// A model that no processor has.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error(
	"{idle_watts} W idle and {active_watts} W active a logical CPU are no model of power; give \
	 numbers from 0 to 1000, the active one above 0"
)]
pub struct PowerModelError {
	/// What was given for an idle CPU, in watts.
	pub idle_watts: f64,
	/// What was given for a CPU that works, in watts.
	pub active_watts: f64,
}

impl Default for PowerModel {
	fn default() -> Self {
		Self { idle_watts: 1.0, active_watts: 5.0 }
	}
}

impl PowerModel {
	/// `idle_watts` for each logical CPU at all times and `active_watts` more while it works.
	///
	/// Fails if one is not in `0.0 ..= 1000.0`, or the active one is 0.
	pub fn new(idle_watts: f64, active_watts: f64) -> Result<Self, PowerModelError> {
		// Not a number is in no range.
		let valid = (0.0..=MOST_WATTS).contains(&idle_watts)
			&& (0.0..=MOST_WATTS).contains(&active_watts)
			&& active_watts > 0.0;
		if valid {
			Ok(Self { idle_watts, active_watts })
		} else {
			Err(PowerModelError { idle_watts, active_watts })
		}
	}

	/// Watts for each logical CPU at all times.
	pub fn idle_watts(&self) -> f64 {
		self.idle_watts
	}

	/// Watts more for each logical CPU that works.
	pub fn active_watts(&self) -> f64 {
		self.active_watts
	}

	/// Microjoules of a processor of `logical` CPUs over `wall`, of which they worked `busy` in all.
	pub(crate) fn microjoules(&self, logical: usize, wall: Duration, busy: Duration) -> f64 {
		let idle = self.idle_watts * logical as f64 * wall.as_secs_f64();
		(idle + self.active_watts * busy.as_secs_f64()) * 1e6
	}

	/// Microjoules of a second of CPU time where every CPU works.
	pub(crate) fn full_load_rate(&self) -> f64 {
		(self.idle_watts + self.active_watts) * 1e6
	}
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;

	#[test]
	fn a_model_should_add_idle_and_active_power() {
		let model = PowerModel::new(2.0, 3.0).unwrap();
		let energy = model.microjoules(4, Duration::from_secs(10), Duration::from_secs(5));
		assert!((energy - (80.0 + 15.0) * 1e6).abs() < 1.0);
	}

	#[test]
	fn models_out_of_range_should_be_refused() {
		for (idle, active) in
			[(-1.0, 5.0), (1.0, 0.0), (f64::NAN, 5.0), (1.0, f64::INFINITY), (1.0, 1e9)]
		{
			assert!(PowerModel::new(idle, active).is_err(), "{idle} {active}");
		}
	}
}
