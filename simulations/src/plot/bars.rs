//! A panel of bars to both sides of zero: what two changes of each of many things do.

use super::{
	svg::{Anchor, Svg},
	Colour,
};

/// Above the bars: title and legend.
const ABOVE: f64 = 40.0;
/// Below them: the axis.
const BELOW: f64 = 34.0;
/// Height of a row.
const ROW: f64 = 18.0;
/// Height of one of its two bars.
const BAR: f64 = 6.5;
/// Room for the rows' names.
const NAMES: f64 = 168.0;
/// Room for the values of bars that are cut off.
const MARGIN: f64 = 8.0;
/// Colours of the two bars of a row.
const COLOURS: [Colour; 2] = [Colour::Orange, Colour::Blue];

/// A row.
#[derive(Clone, Debug)]
pub struct Bar {
	/// What was changed.
	pub name: String,
	/// What the two changes did, in percent; `None` where there is nothing to compare.
	pub values: [Option<f64>; 2],
}

/// Rows of two bars.
#[derive(Clone, Debug)]
pub struct Bars {
	/// The panel's title.
	pub title: String,
	/// What the bars measure, in percent.
	pub x: String,
	/// Names of the two changes.
	pub names: [String; 2],
	/// The longest bar, in percent; a longer one is cut off there, and its value is written beside
	/// it.
	pub limit: f64,
	/// From top to bottom.
	pub rows: Vec<Bar>,
}

impl Bars {
	pub(super) fn height(&self) -> f64 {
		ABOVE + ROW * self.rows.len() as f64 + BELOW
	}

	pub(super) fn draw(&self, svg: &mut Svg, left: f64, top: f64, width: f64) {
		let (from, to) = (left + NAMES + MARGIN, left + width - MARGIN);
		let centre = (from + to) / 2.0;
		let half = (to - from) / 2.0;
		let bottom = top + ABOVE + ROW * self.rows.len() as f64;

		svg.text(left, top + 12.0, Anchor::Start, &self.title);
		let mut x = left;
		for (name, colour) in self.names.iter().zip(COLOURS) {
			svg.bar(x, top + 20.0, 14.0, BAR, colour);
			svg.text(x + 18.0, top + 27.0, Anchor::Start, name);
			x += 84.0;
		}
		for part in [-1.0, -0.5, 0.0, 0.5, 1.0] {
			let x = centre + part * half;
			svg.rule((x, top + ABOVE - 4.0), (x, bottom), part == 0.0);
			svg.text(x, bottom + 14.0, Anchor::Middle, &signed(part * self.limit));
		}
		svg.text(centre, bottom + 29.0, Anchor::Middle, &self.x);

		for (index, row) in self.rows.iter().enumerate() {
			let y = top + ABOVE + ROW * index as f64;
			svg.text(left + NAMES, y + 12.0, Anchor::End, &row.name);
			for (place, (value, colour)) in row.values.iter().zip(COLOURS).enumerate() {
				let Some(value) = value.filter(|value| value.is_finite()) else { continue };
				let y = y + 2.0 + place as f64 * (BAR + 0.5);
				let part = (value / self.limit).clamp(-1.0, 1.0) * half;
				svg.bar(centre + part.min(0.0), y, part.abs(), BAR, colour);
				if value.abs() > self.limit {
					// Where the bar comes from: there is room on the other side of zero.
					let (x, anchor) = if value > 0.0 {
						(centre - 3.0, Anchor::End)
					} else {
						(centre + 3.0, Anchor::Start)
					};
					svg.text(x, y + BAR + 1.0, anchor, &format!("{} %", signed(value)));
				}
			}
		}
	}
}

fn signed(value: f64) -> String {
	if value == 0.0 {
		"0".to_owned()
	} else {
		format!("{value:+.0}")
	}
}
