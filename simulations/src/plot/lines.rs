//! A panel of lines.

use super::{
	axis::{Axis, Scale},
	svg::{Anchor, Svg},
	Colour,
};

/// Height of the plot itself, in pixels.
const PLOT: f64 = 190.0;
/// Above it: title and the vertical axis' unit.
const ABOVE: f64 = 36.0;
/// Below it: ticks and the horizontal axis' unit.
const BELOW: f64 = 34.0;
/// To the left of it: ticks.
const LEFT: f64 = 54.0;
/// To the right of it.
const RIGHT: f64 = 10.0;
/// A line of the legend.
const ENTRY: f64 = 15.0;

/// A line, and its name in the legend.
#[derive(Clone, Debug)]
pub struct Series {
	/// What it shows.
	pub name: String,
	/// Its colour and dash.
	pub colour: Colour,
	/// Points from left to right. One without a place (not finite, or not above zero on a
	/// logarithmic axis) interrupts the line.
	pub points: Vec<(f64, f64)>,
}

/// Lines over a horizontal axis that is linear and begins at zero.
#[derive(Clone, Debug)]
pub struct Lines {
	/// The panel's title.
	pub title: String,
	/// What the horizontal axis measures, with its unit.
	pub x: String,
	/// What the vertical axis measures, with its unit.
	pub y: String,
	/// The vertical axis' scale.
	pub scale: Scale,
	/// The lines; later ones are drawn above earlier ones.
	pub series: Vec<Series>,
}

impl Lines {
	pub(super) fn height(&self) -> f64 {
		ABOVE + PLOT + BELOW + ENTRY * self.series.len() as f64
	}

	pub(super) fn draw(&self, svg: &mut Svg, left: f64, top: f64, width: f64) {
		let points = || self.series.iter().flat_map(|series| series.points.iter());
		let x_axis = Axis::covering(Scale::Linear, points().map(|(x, _)| *x));
		let y_axis = Axis::covering(self.scale, points().map(|(_, y)| *y));
		let (x_left, x_right) = (left + LEFT, left + width - RIGHT);
		let (y_top, y_bottom) = (top + ABOVE, top + ABOVE + PLOT);
		let place = |(x, y): (f64, f64)| {
			let x = x_left + x_axis.place(x)? * (x_right - x_left);
			Some((x, y_bottom - y_axis.place(y)? * PLOT))
		};

		svg.text(left, top + 12.0, Anchor::Start, &self.title);
		svg.text(left, top + 28.0, Anchor::Start, &self.y);
		for (value, label) in y_axis.ticks() {
			let y = y_bottom - y_axis.place(*value).unwrap_or(0.0) * PLOT;
			svg.rule((x_left, y), (x_right, y), false);
			svg.text(x_left - 5.0, y + 4.0, Anchor::End, label);
		}
		for (value, label) in x_axis.ticks() {
			let x = x_left + x_axis.place(*value).unwrap_or(0.0) * (x_right - x_left);
			svg.rule((x, y_bottom), (x, y_bottom + 4.0), true);
			svg.text(x, y_bottom + 16.0, Anchor::Middle, label);
		}
		svg.rule((x_left, y_bottom), (x_right, y_bottom), true);
		svg.rule((x_left, y_top), (x_left, y_bottom), true);
		svg.text((x_left + x_right) / 2.0, y_bottom + 30.0, Anchor::Middle, &self.x);

		for (index, series) in self.series.iter().enumerate() {
			let places: Vec<Option<(f64, f64)>> =
				series.points.iter().map(|point| place(*point)).collect();
			for stretch in places.split(Option::is_none) {
				let stretch: Vec<(f64, f64)> = stretch.iter().copied().flatten().collect();
				svg.curve(&stretch, series.colour);
			}
			let y = y_bottom + BELOW + ENTRY * index as f64 + 8.0;
			svg.curve(&[(x_left, y - 4.0), (x_left + 28.0, y - 4.0)], series.colour);
			svg.text(x_left + 34.0, y, Anchor::Start, &series.name);
		}
	}
}
