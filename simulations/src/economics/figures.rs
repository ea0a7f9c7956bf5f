//! Plots of `docs/economics.md`.

use super::{
	history::{History, Stretch},
	report::effects,
	simulation::in_aria,
	study::{Outcome, Study, KWH_PRICES},
	Scenario, Setting,
};
use crate::plot::{Bar, Bars, Colour, Figure, Lines, Panel, Scale, Series};

/// Bars beyond this are cut off, in percent.
const LONGEST_BAR: f64 = 100.0;

/// Files: name and content.
pub fn files(studies: &[Study]) -> Vec<(String, String)> {
	let mut figures = vec![
		("supply".to_owned(), supply(studies)),
		("emission".to_owned(), emission(studies)),
		("demand".to_owned(), demand(studies)),
		("price".to_owned(), price(studies)),
		("pay".to_owned(), pay(studies)),
		("income".to_owned(), income(studies)),
		("kwh".to_owned(), kwh(studies)),
	];
	for study in studies {
		figures.push((format!("sensitivity-{}", study.scenario.name()), sensitivity(study)));
	}
	figures.into_iter().map(|(name, figure)| (format!("{name}.svg"), figure.svg())).collect()
}

fn colour(scenario: Scenario) -> Colour {
	match scenario {
		Scenario::Slow => Colour::Green,
		Scenario::Middle => Colour::Blue,
		Scenario::Fast => Colour::Orange,
	}
}

/// A value of each month over the years.
fn over_months(
	history: &History,
	name: &str,
	colour: Colour,
	of: impl Fn(&Stretch, &Setting) -> f64,
) -> Series {
	let points = history.months.iter().map(|month| (month.years, of(month, &history.setting)));
	Series { name: name.to_owned(), colour, points: points.collect() }
}

fn lines(title: &str, y: &str, scale: Scale, series: Vec<Series>) -> Panel {
	let (title, y) = (title.to_owned(), y.to_owned());
	Panel::Lines(Lines { title, x: "years".to_owned(), y, scale, series })
}

/// A panel for each scenario.
fn each(
	title: &str,
	y: &str,
	scale: Scale,
	studies: &[Study],
	series: impl Fn(&History) -> Vec<Series>,
) -> Figure {
	let panels =
		studies.iter().map(|study| lines(study.scenario.name(), y, scale, series(&study.history)));
	Figure { title: title.to_owned(), panels: panels.collect() }
}

/// A line for each scenario.
fn all(studies: &[Study], of: impl Fn(&Stretch, &Setting) -> f64) -> Vec<Series> {
	let series = studies.iter().map(|study| {
		over_months(&study.history, study.scenario.name(), colour(study.scenario), &of)
	});
	series.collect()
}

fn supply(studies: &[Study]) -> Figure {
	let mut supplies = all(studies, |month, _| in_aria(month.supply));
	if let Some(study) = studies.first() {
		let mut bound = in_aria(study.history.setting.assumptions.genesis);
		let points = study.history.months.iter().map(|month| {
			bound += in_aria(month.scheduled);
			(month.years, bound)
		});
		supplies.push(Series {
			name: "genesis and all emission".to_owned(),
			colour: Colour::Grey,
			points: points.collect(),
		});
	}
	let rates = all(studies, |month, _| month.rate());
	Figure {
		title: "Supply, and what an ARIA is worth".to_owned(),
		panels: vec![
			lines("supply", "ARIA", Scale::Linear, supplies),
			lines("exchange rate", "EUR for an ARIA, logarithmic", Scale::Log, rates),
		],
	}
}

fn emission(studies: &[Study]) -> Figure {
	each(
		"What may be minted, what is, and what is burnt",
		"ARIA a month",
		Scale::Linear,
		studies,
		|history| {
			vec![
				over_months(history, "emission by the schedule", Colour::Grey, |month, _| {
					in_aria(month.scheduled)
				}),
				over_months(history, "minted for authors", Colour::Green, |month, _| {
					in_aria(month.minted_authors)
				}),
				over_months(history, "minted for workers", Colour::Blue, |month, _| {
					in_aria(month.minted_workers)
				}),
				over_months(history, "burnt", Colour::Orange, |month, _| in_aria(month.burnt)),
			]
		},
	)
}

fn demand(studies: &[Study]) -> Figure {
	let daily = |answers: f64, month: &Stretch, setting: &Setting| {
		answers / (month.months(setting) * 365.25 / 12.0)
	};
	each(
		"Answers: asked for at the reference price, and given",
		"answers a day, logarithmic",
		Scale::Log,
		studies,
		|history| {
			let records = |_: &Stretch, setting: &Setting| {
				let eras_a_day = f64::from(super::parameters::DAY_BLOCKS)
					/ f64::from(setting.parameters.era_blocks);
				setting.parameters.era_records() * eras_a_day
			};
			vec![
				over_months(history, "most that can be settled", Colour::Grey, records),
				over_months(history, "at the reference price", Colour::Green, |month, setting| {
					daily(month.wanted, month, setting)
				}),
				over_months(history, "given", Colour::Blue, |month, setting| {
					daily(month.answers as f64, month, setting)
				}),
			]
		},
	)
}

fn price(studies: &[Study]) -> Figure {
	each(
		"Price of an inference, and cost of its energy",
		"EUR for a million new tokens, logarithmic",
		Scale::Log,
		studies,
		|history| {
			vec![
				over_months(history, "free settlement from", Colour::Grey, Stretch::floor),
				over_months(history, "energy", Colour::Green, Stretch::energy),
				over_months(history, "price", Colour::Blue, Stretch::price),
			]
		},
	)
}

fn pay(studies: &[Study]) -> Figure {
	each(
		"What workers are paid: fees and rewards",
		"ARIA for a worker and month, in the mean",
		Scale::Linear,
		studies,
		|history| {
			vec![
				over_months(history, "rewards from emission", Colour::Orange, |month, setting| {
					month.monthly(month.rewards, setting)
				}),
				over_months(history, "fees", Colour::Blue, |month, setting| {
					month.monthly(month.fees, setting)
				}),
			]
		},
	)
}

fn income(studies: &[Study]) -> Figure {
	let at = |percent: usize| {
		move |month: &Stretch, setting: &Setting| {
			month.income_at(percent, setting).unwrap_or(f64::NAN)
		}
	};
	each(
		"What is left to a worker after paying for energy",
		"EUR a month",
		Scale::Linear,
		studies,
		|history| {
			vec![
				over_months(history, "a tenth have less", Colour::Green, at(10)),
				over_months(history, "a tenth have more", Colour::Orange, at(90)),
				over_months(history, "half have less", Colour::Blue, at(50)),
			]
		},
	)
}

fn kwh(studies: &[Study]) -> Figure {
	let panel = |title: &str, y: &str, of: fn(&Outcome) -> f64| {
		let series = studies.iter().map(|study| Series {
			name: study.scenario.name().to_owned(),
			colour: colour(study.scenario),
			points: KWH_PRICES.into_iter().zip(study.kwh.iter().map(of)).collect(),
		});
		Panel::Lines(Lines {
			title: title.to_owned(),
			x: "EUR for a kWh".to_owned(),
			y: y.to_owned(),
			scale: Scale::Linear,
			series: series.collect(),
		})
	};
	Figure {
		title: "The last year at other prices of energy".to_owned(),
		panels: vec![
			panel("energy", "EUR for a million new tokens", |outcome| outcome.energy),
			panel("price", "EUR for a million new tokens", |outcome| outcome.price),
			panel("left to a worker", "EUR a month", |outcome| outcome.income),
		],
	}
}

fn sensitivity(study: &Study) -> Figure {
	let titles =
		["supply at the end", "left to a worker in the last year", "price in the last year"];
	let panels = titles.into_iter().enumerate().map(|(place, title)| {
		let rows = study.turned.iter().map(|turned| Bar {
			name: turned.knob.name.to_owned(),
			values: turned
				.outcomes
				.map(|outcome| effects(&outcome, &study.outcome).get(place).copied().flatten()),
		});
		Panel::Bars(Bars {
			title: title.to_owned(),
			x: "change, percent".to_owned(),
			names: ["half".to_owned(), "double".to_owned()],
			limit: LONGEST_BAR,
			rows: rows.collect(),
		})
	});
	Figure {
		title: format!("Each number at half and at double: {}", study.scenario.name()),
		panels: panels.collect(),
	}
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;

	#[test]
	fn every_figure_should_be_a_file_without_numbers_that_are_none() {
		let study = Study::run(Scenario::Middle, 1, 1, || ()).unwrap();
		let files = files(&[study]);
		assert_eq!(files.len(), 8);
		for (name, svg) in files {
			assert!(name.ends_with(".svg"));
			assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"), "{name}");
			assert!(!svg.contains("NaN") && !svg.contains("inf "), "{name}");
		}
	}
}
