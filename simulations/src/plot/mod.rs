//! Figures in SVG: lines over time, and bars to both sides of a zero. Text of a fixed form, so that a
//! figure that is drawn again from the same numbers is the same file.
//!
//! Colours are three that colour-blind people can tell apart, and each has a dash of its own; one more
//! is for bounds. A [`Figure`] has a white ground, as it may be read on a dark page.

mod axis;
mod bars;
mod lines;
mod svg;

pub use axis::Scale;
pub use bars::{Bar, Bars};
pub use lines::{Lines, Series};

use svg::Svg;

/// Width of a panel, in pixels.
const PANEL_WIDTH: f64 = 380.0;
/// Room around panels, in pixels.
const GAP: f64 = 14.0;
/// Height of a figure's title, in pixels.
const TITLE: f64 = 30.0;

/// Colours of lines and bars.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
	/// Solid.
	Blue,
	/// Long dashes.
	Orange,
	/// Short dashes.
	Green,
	/// Dots, for bounds and levels to compare with.
	Grey,
}

impl Colour {
	fn hex(self) -> &'static str {
		match self {
			Self::Blue => "#0072b2",
			Self::Orange => "#d55e00",
			Self::Green => "#009e73",
			Self::Grey => "#777777",
		}
	}

	fn dash(self) -> &'static str {
		match self {
			Self::Blue => "",
			Self::Orange => "9 3",
			Self::Green => "4 3",
			Self::Grey => "1.5 3",
		}
	}
}

/// One of a figure's parts.
#[derive(Clone, Debug)]
pub enum Panel {
	/// Lines over an axis.
	Lines(Lines),
	/// Bars to both sides of zero.
	Bars(Bars),
}

impl Panel {
	fn height(&self) -> f64 {
		match self {
			Self::Lines(lines) => lines.height(),
			Self::Bars(bars) => bars.height(),
		}
	}

	fn draw(&self, svg: &mut Svg, left: f64, top: f64) {
		match self {
			Self::Lines(lines) => lines.draw(svg, left, top, PANEL_WIDTH),
			Self::Bars(bars) => bars.draw(svg, left, top, PANEL_WIDTH),
		}
	}
}

/// Panels side by side below a title.
#[derive(Clone, Debug)]
pub struct Figure {
	/// What it shows.
	pub title: String,
	/// From left to right.
	pub panels: Vec<Panel>,
}

impl Figure {
	/// The figure as an SVG file.
	pub fn svg(&self) -> String {
		let tallest = self.panels.iter().map(Panel::height).fold(0.0, f64::max);
		let width = GAP + self.panels.len() as f64 * (PANEL_WIDTH + GAP);
		let mut svg = Svg::new(width, TITLE + tallest + GAP, &self.title);
		svg.title(GAP, 20.0, &self.title);
		let mut left = GAP;
		for panel in &self.panels {
			panel.draw(&mut svg, left, TITLE);
			left += PANEL_WIDTH + GAP;
		}
		svg.finish()
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	fn figure() -> Figure {
		let series = |name: &str, colour, points: Vec<(f64, f64)>| Series {
			name: name.into(),
			colour,
			points,
		};
		let lines = Lines {
			title: "a < b".into(),
			x: "years".into(),
			y: "ARIA".into(),
			scale: Scale::Linear,
			series: vec![
				series("one", Colour::Blue, vec![(0.0, 1.0), (1.0, f64::NAN), (2.0, 3.0)]),
				series("two", Colour::Grey, vec![(0.0, 2.0), (2.0, 2.0)]),
			],
		};
		let log = Lines { scale: Scale::Log, ..lines.clone() };
		let bars = Bars {
			title: "effect".into(),
			x: "percent".into(),
			names: ["half".into(), "double".into()],
			limit: 100.0,
			rows: vec![
				Bar { name: "x".into(), values: [Some(-20.0), Some(350.0)] },
				Bar { name: "y".into(), values: [None, Some(0.0)] },
			],
		};
		let panels = vec![Panel::Lines(lines), Panel::Lines(log), Panel::Bars(bars)];
		Figure { title: "All \"kinds\"".into(), panels }
	}

	#[test]
	fn a_figure_should_be_one_svg_without_numbers_that_are_none() {
		let svg = figure().svg();
		assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"));
		assert!(!svg.contains("NaN") && !svg.contains("inf"));
		assert!(svg.contains("a &lt; b") && svg.contains("All &quot;kinds&quot;"));
		assert!(svg.contains("+350 %"), "a bar that is cut off says its value");
		assert_eq!(svg.matches("<text").count(), svg.matches("</text>").count());
		assert_eq!(svg, figure().svg());
	}

	#[test]
	fn a_figure_without_points_should_still_be_drawn() {
		let empty = Lines {
			title: "none".into(),
			x: "x".into(),
			y: "y".into(),
			scale: Scale::Log,
			series: Vec::new(),
		};
		let svg = Figure { title: "none".into(), panels: vec![Panel::Lines(empty)] }.svg();
		assert!(!svg.contains("NaN") && !svg.contains("inf"));
	}
}
