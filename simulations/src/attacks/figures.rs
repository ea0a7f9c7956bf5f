//! Plots of `docs/security.md`.

use super::{rules::Setting, PRICE, STAKE};
use crate::plot::{Colour, Figure, Lines, Panel, Scale, Series};
use aria_math::{
	audit::{
		audit_share_ppm, detection_ppm, draw_probability_ppm, liability, record_limit,
		ASSURANCE_PPM,
	},
	reputation::audit_probability_ppm,
	Balance, ARIA, PPM,
};

/// Points of a line.
const POINTS: u32 = 60;

/// Files: name and content.
pub fn files(setting: &Setting) -> Vec<(String, String)> {
	let figure = Figure {
		title: "What lying comes to".to_owned(),
		panels: vec![convictions(setting), prices(setting), computation(setting)],
	};
	vec![("attacks.svg".to_owned(), figure.svg())]
}

fn percent(ppm: u32) -> f64 {
	f64::from(ppm) / 1e4
}

fn series(name: &str, colour: Colour, of: impl Fn(u32) -> (f64, f64)) -> Series {
	Series { name: name.to_owned(), colour, points: (0..=POINTS).map(of).collect() }
}

fn lines(title: &str, x: &str, y: &str, series: Vec<Series>) -> Panel {
	Panel::Lines(Lines {
		title: title.to_owned(),
		x: x.to_owned(),
		y: y.to_owned(),
		scale: Scale::Linear,
		series,
	})
}

/// Verdicts by the liar's part of the verifiers' stake.
fn convictions(setting: &Setting) -> Panel {
	let parameters = &setting.parameters;
	let lying = |point: u32| point * PPM / POINTS;
	let found =
		|honest: u32| percent(detection_ppm(parameters.seats, parameters.further_seats, honest));
	let all = vec![
		series("assumed", Colour::Grey, |point| (percent(lying(point)), percent(ASSURANCE_PPM))),
		series("true records that fail, if accused", Colour::Orange, |point| {
			(percent(lying(point)), found(lying(point)))
		}),
		series("false records that fail", Colour::Blue, |point| {
			(percent(lying(point)), found(PPM - lying(point)))
		}),
	];
	lines("Verdicts on drawn records", "% of the verifiers' stake that lies", "%", all)
}

/// What one false record is expected to bring, with half of the stake lying.
fn prices(setting: &Setting) -> Panel {
	let parameters = &setting.parameters;
	let at_stake = liability(STAKE, parameters);
	let limit = record_limit(at_stake);
	let price = |point: u32| limit * Balance::from(point) / Balance::from(POINTS);
	let net = |point: u32, drawn: u32, honest: u32| {
		let found = detection_ppm(parameters.seats, parameters.further_seats, honest);
		let caught = f64::from(drawn) * f64::from(found) / 1e12;
		let value = price(point) as f64 / ARIA as f64;
		(value, (1.0 - caught) * value - caught * at_stake as f64 / ARIA as f64)
	};
	let priced = |point| draw_probability_ppm(PPM, price(point), at_stake, parameters);
	let trusted = audit_probability_ppm(PPM, parameters.floor_ppm);
	let all = vec![
		series("drawn by reputation alone", Colour::Orange, |point| net(point, trusted, PPM)),
		series("drawn by price too, half of the stake lies", Colour::Green, |point| {
			net(point, priced(point), PPM / 2)
		}),
		series("drawn by price too", Colour::Blue, |point| net(point, priced(point), PPM)),
	];
	lines("One false record, 10 ARIA at stake", "price, ARIA", "expected net, ARIA", all)
}

/// What audits cost.
fn computation(setting: &Setting) -> Panel {
	let parameters = &setting.parameters;
	let reputation = |point: u32| point * PPM / POINTS;
	let share = |point: u32, stake: Balance| {
		let at_stake = liability(stake, parameters);
		let drawn = draw_probability_ppm(reputation(point), PRICE, at_stake, parameters);
		(percent(reputation(point)), percent(audit_share_ppm(drawn, parameters)))
	};
	let all = vec![
		series("the aim at the end", Colour::Grey, |point| (percent(reputation(point)), 5.0)),
		series("stakes of 1 ARIA", Colour::Orange, |point| share(point, ARIA)),
		series("stakes of 10 ARIA", Colour::Blue, |point| share(point, STAKE)),
	];
	lines("Computation that goes into audits", "reputation, %", "%", all)
}
