//! The few elements of SVG that figures need.

use super::Colour;

/// Where a text is anchored.
#[derive(Clone, Copy)]
pub(super) enum Anchor {
	Start,
	Middle,
	End,
}

impl Anchor {
	fn name(self) -> &'static str {
		match self {
			Self::Start => "start",
			Self::Middle => "middle",
			Self::End => "end",
		}
	}
}

/// An SVG file that is being written. Coordinates are in pixels from the upper left corner, with one
/// decimal.
pub(super) struct Svg {
	text: String,
}

impl Svg {
	/// A white page with a description for those who do not see it.
	pub(super) fn new(width: f64, height: f64, description: &str) -> Self {
		let described = escaped(description);
		let text = format!(
			"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" \
			 viewBox=\"0 0 {width:.0} {height:.0}\" font-family=\"sans-serif\" font-size=\"11\" \
			 role=\"img\" aria-label=\"{described}\">\n\
			 <rect width=\"{width:.0}\" height=\"{height:.0}\" fill=\"#ffffff\"/>\n"
		);
		Self { text }
	}

	/// The headline of the figure.
	pub(super) fn title(&mut self, x: f64, y: f64, text: &str) {
		self.text.push_str(&format!(
			"<text x=\"{x:.1}\" y=\"{y:.1}\" font-size=\"14\" font-weight=\"bold\">{}</text>\n",
			escaped(text)
		));
	}

	/// A text on one line.
	pub(super) fn text(&mut self, x: f64, y: f64, anchor: Anchor, text: &str) {
		self.text.push_str(&format!(
			"<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{}\">{}</text>\n",
			anchor.name(),
			escaped(text)
		));
	}

	/// A thin straight line of the frame or grid.
	pub(super) fn rule(&mut self, from: (f64, f64), to: (f64, f64), strong: bool) {
		let stroke = if strong { "#444444" } else { "#dddddd" };
		self.text.push_str(&format!(
			"<line x1=\"{:.1}\" y1=\"{:.1}\" x2=\"{:.1}\" y2=\"{:.1}\" stroke=\"{stroke}\"/>\n",
			from.0, from.1, to.0, to.1
		));
	}

	/// A line through points.
	pub(super) fn curve(&mut self, points: &[(f64, f64)], colour: Colour) {
		if points.is_empty() {
			return;
		}
		let points: Vec<String> = points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
		let dash = match colour.dash() {
			"" => String::new(),
			dash => format!(" stroke-dasharray=\"{dash}\""),
		};
		self.text.push_str(&format!(
			"<polyline points=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"1.6\"{dash}/>\n",
			points.join(" "),
			colour.hex()
		));
	}

	/// A filled rectangle.
	pub(super) fn bar(&mut self, x: f64, y: f64, width: f64, height: f64, colour: Colour) {
		self.text.push_str(&format!(
			"<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" fill=\"{}\"/>\n",
			colour.hex()
		));
	}

	/// The whole file.
	pub(super) fn finish(mut self) -> String {
		self.text.push_str("</svg>\n");
		self.text
	}
}

fn escaped(text: &str) -> String {
	text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
