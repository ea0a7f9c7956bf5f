//! Axes: from a value to a place, and where the ticks are.

use crate::real;

/// How values become places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
	/// In proportion, from zero.
	Linear,
	/// By logarithms; what is not above zero has no place.
	Log,
}

/// Ticks of an axis of which a linear one has about so many.
const TICKS: f64 = 5.0;

/// The decades of a logarithmic axis at most.
const DECADES: i32 = 12;

/// An axis with its ends on ticks.
#[derive(Clone, Debug)]
pub struct Axis {
	scale: Scale,
	low: f64,
	high: f64,
	ticks: Vec<(f64, String)>,
}

impl Axis {
	/// An axis that covers the values; those that are not finite do not count.
	pub fn covering(scale: Scale, values: impl Iterator<Item = f64>) -> Self {
		match scale {
			Scale::Linear => Self::linear(values),
			Scale::Log => Self::log(values),
		}
	}

	fn linear(values: impl Iterator<Item = f64>) -> Self {
		let (mut low, mut high) = (0.0_f64, 0.0_f64);
		for value in values.filter(|value| value.is_finite()) {
			low = low.min(value);
			high = high.max(value);
		}
		if high - low <= 0.0 {
			high = low + 1.0;
		}
		let step = nice((high - low) / TICKS);
		let (first, last) = ((low / step).floor(), (high / step - 1e-9).ceil());
		let count = (last - first).clamp(1.0, 4.0 * TICKS) as u32;
		let ticks = (0..=count).map(|index| {
			let value = (first + f64::from(index)) * step;
			(value, label(value, step))
		});
		Self {
			scale: Scale::Linear,
			low: first * step,
			high: (first + f64::from(count)) * step,
			ticks: ticks.collect(),
		}
	}

	fn log(values: impl Iterator<Item = f64>) -> Self {
		let (mut low, mut high) = (f64::INFINITY, 0.0_f64);
		for value in values.filter(|value| value.is_finite() && *value > 0.0) {
			low = low.min(value);
			high = high.max(value);
		}
		if high <= 0.0 {
			(low, high) = (1.0, 10.0);
		}
		let decade = |value: f64| real::ln(value) / std::f64::consts::LN_10;
		let last = (decade(high) - 1e-9).ceil() as i32;
		let first = ((decade(low) + 1e-9).floor() as i32).max(last - DECADES).min(last - 1);
		let ticks = (first..=last).map(|exponent| {
			let value = power_of_ten(exponent);
			(value, label(value, value))
		});
		Self {
			scale: Scale::Log,
			low: power_of_ten(first),
			high: power_of_ten(last),
			ticks: ticks.collect(),
		}
	}

	/// Where a value lies, from 0 at the axis' low end to 1 at its high end; `None` if it has no
	/// place.
	pub fn place(&self, value: f64) -> Option<f64> {
		if !value.is_finite() {
			return None;
		}
		let part = match self.scale {
			Scale::Linear => (value - self.low) / (self.high - self.low),
			Scale::Log if value > 0.0 => {
				real::ln(value / self.low) / real::ln(self.high / self.low)
			}
			Scale::Log => return None,
		};
		Some(part.clamp(0.0, 1.0))
	}

	/// Values with a tick, and their labels.
	pub fn ticks(&self) -> &[(f64, String)] {
		&self.ticks
	}
}

fn power_of_ten(exponent: i32) -> f64 {
	let power = (0..exponent.unsigned_abs()).fold(1.0, |power, _| power * 10.0);
	if exponent < 0 {
		1.0 / power
	} else {
		power
	}
}

/// The least of 1, 2, 5 times a power of ten that is not below `step`.
fn nice(step: f64) -> f64 {
	let decade = (real::ln(step) / std::f64::consts::LN_10 + 1e-9).floor() as i32;
	let unit = power_of_ten(decade);
	let factors = [1.0, 2.0, 5.0].into_iter();
	unit * factors.fold(10.0, |best, factor| {
		if factor >= step / unit * (1.0 - 1e-9) && factor < best {
			factor
		} else {
			best
		}
	})
}

/// A value with as many decimals as `step` asks for; millions and thousands shortened.
fn label(value: f64, step: f64) -> String {
	let (unit, suffix) = match value.abs() {
		large if large >= 999_999.0 => (1e6, " M"),
		large if large >= 9_999.0 => (1e3, " k"),
		_ => (1.0, ""),
	};
	let mut decimals = 0_usize;
	let mut rest = step / unit;
	while rest < 0.999 && decimals < 9 {
		rest *= 10.0;
		decimals += 1;
	}
	let shown = format!("{:.decimals$}", value / unit);
	let shown = if shown.contains('.') {
		shown.trim_end_matches('0').trim_end_matches('.').to_owned()
	} else {
		shown
	};
	format!("{shown}{suffix}")
}

#[cfg(test)]
mod tests {
	use super::*;

	fn labels(axis: &Axis) -> Vec<&str> {
		axis.ticks().iter().map(|(_, label)| label.as_str()).collect()
	}

	#[test]
	fn a_linear_axis_should_begin_at_zero_and_end_on_a_tick() {
		let axis = Axis::covering(Scale::Linear, [3.0, 10.0].into_iter());
		assert_eq!(labels(&axis), ["0", "2", "4", "6", "8", "10"]);
		assert_eq!(axis.place(5.0), Some(0.5));
		assert_eq!(axis.place(f64::NAN), None);

		let axis = Axis::covering(Scale::Linear, [-0.3, 0.4].into_iter());
		assert_eq!(labels(&axis), ["-0.4", "-0.2", "0", "0.2", "0.4"]);

		let axis = Axis::covering(Scale::Linear, [0.0, 9_400_000.0].into_iter());
		assert_eq!(labels(&axis), ["0", "2 M", "4 M", "6 M", "8 M", "10 M"]);
	}

	#[test]
	fn a_logarithmic_axis_should_have_a_tick_a_decade() {
		let axis = Axis::covering(Scale::Log, [0.02, 30.0, 0.0, -1.0].into_iter());
		assert_eq!(labels(&axis), ["0.01", "0.1", "1", "10", "100"]);
		assert_eq!(axis.place(0.0), None);
		let middle = axis.place(1.0).unwrap_or(0.0);
		assert!((middle - 0.5).abs() < 1e-12);
	}

	#[test]
	fn an_axis_of_nothing_should_have_two_ends() {
		for scale in [Scale::Linear, Scale::Log] {
			let axis = Axis::covering(scale, std::iter::empty());
			assert!(axis.ticks().len() >= 2, "{scale:?}");
		}
	}
}
