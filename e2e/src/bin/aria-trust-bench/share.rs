//! The share of all computation that goes into audits where workers have earned the best reputation:
//! lots drawn as the chain draws them, with the numbers that the runtime begins with.

use crate::{
	report::{bar, percent, Figure, Section},
	weights::{arithmetic, parameters},
};
use aria_math::{
	audit::{
		audit_share_ppm, draw_probability_ppm, has_seat, liability, record_limit, AuditParameters,
	},
	draw::reduce,
	reputation::MAX_SCORE,
};
use aria_primitives::{hashing::sha256, Balance, ARIA, PPM};
use aria_runtime::Runtime;
use aria_simulations::table::{grouped, Table};
use clap::Args;
use codec::Encode;
use serde_json::json;
use sp_core::H256;

type Verification = pallet_verification::Pallet<Runtime>;

/// What of all computation audits may take.
pub const AIM: f64 = 0.05;
/// Verifiers with the same stake, of which each draws its own lots.
const VERIFIERS: u32 = 100;
/// Tokens of a record: of the prompt, those of them whose state was at hand, of the answer.
const PROMPT: u64 = 64;
const CACHED: u64 = 16;
const OUTPUT: u64 = 128;

/// Prices in thousandths of an ARIA, and stakes of the stage with the least in ARIA. The first of both is
/// what the figure is of: the price from which settlement is free, and the stake that the chain aims at.
const CASES: [(u128, u128); 6] = [(20, 10), (2, 10), (60, 10), (200, 10), (20, 1), (20, 100)];

/// How much is simulated.
#[derive(Clone, Debug, Args)]
pub struct Settings {
	/// Records of each case
	#[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1_000..))]
	samples: u64,
}

/// What came of one case.
#[derive(Clone, Copy, Debug, Default)]
pub struct Count {
	/// Records that were drawn.
	pub drawn: u64,
	/// Runs of all verifiers.
	pub runs: u64,
	/// Tokens that executors computed.
	pub served: u64,
	/// Tokens that verifiers computed.
	pub audited: u64,
}

impl Count {
	/// Audited tokens as a part of all.
	pub fn share(&self) -> f64 {
		let all = self.served.saturating_add(self.audited);
		if all == 0 {
			return 0.0;
		}
		self.audited as f64 / all as f64
	}
}

/// Draws each of so many records with that probability, and seats in their audits; of `canary_rate`
/// audits one is of a record that is false, so that its second round is held too.
fn simulate(records: u64, probability: u32, numbers: &AuditParameters, case: u64) -> Count {
	let seed = sha256(&("draw", case).encode());
	let mut count =
		Count { served: records.saturating_mul(PROMPT - CACHED + OUTPUT), ..Count::default() };
	for record in 0..records {
		let id = sha256(&("record", case, record).encode());
		if !Verification::lot_falls_on(&id, &seed, probability) {
			continue;
		}
		count.drawn = count.drawn.saturating_add(1);
		let first = seats(&id, 0, numbers.seats, &[]);
		let mut runs = first.len();
		if count.drawn.is_multiple_of(numbers.canary_rate.max(1).into()) {
			runs = runs.saturating_add(seats(&id, 1, numbers.further_seats, &first).len());
		}
		count.runs = count.runs.saturating_add(u64::try_from(runs).unwrap_or(u64::MAX));
	}
	// A verifier computes all tokens, those too whose state an executor had at hand.
	count.audited = count.runs.saturating_mul(PROMPT + OUTPUT);
	count
}

/// Who of the verifiers has a seat in a round, and none in the one before.
fn seats(id: &H256, round: u8, wanted: u32, before: &[u32]) -> Vec<u32> {
	let total = Balance::from(VERIFIERS) * ARIA;
	(0..VERIFIERS)
		.filter(|verifier| !before.contains(verifier))
		.filter(|verifier| {
			let lot = sha256(&("seat", id, round, verifier).encode());
			has_seat(reduce(lot.as_fixed_bytes()), ARIA, total, wanted)
		})
		.collect()
}

/// Simulates all cases.
pub fn measure(settings: &Settings) -> Section {
	let numbers = arithmetic(&parameters());
	let progress = bar(CASES.len() as u64, "records are drawn");
	let mut table = Table::new([
		"price",
		"least stake",
		"drawn at",
		"drawn",
		"runs",
		"share of tokens",
		"by formula",
	]);
	let mut rows = Vec::new();
	let mut floor = None;
	for (case, (price, stake)) in (0u64..).zip(CASES) {
		let (price, stake) = (price * ARIA / 1_000, stake * ARIA);
		let liable = liability(stake, &numbers);
		let probability = draw_probability_ppm(MAX_SCORE, price, liable, &numbers);
		let count = simulate(settings.samples, probability, &numbers, case);
		let formula = f64::from(audit_share_ppm(probability, &numbers)) / f64::from(PPM);
		let refused = price > record_limit(liable);
		table.push([
			format!("{:.3} ARIA{}", aria(price), if refused { " (refused)" } else { "" }),
			format!("{:.0} ARIA", aria(stake)),
			percent(f64::from(probability) / f64::from(PPM)),
			grouped(count.drawn.into()),
			grouped(count.runs.into()),
			percent(count.share()),
			percent(formula),
		]);
		rows.push(json!({
			"price": price.to_string(),
			"stake": stake.to_string(),
			"probability_ppm": probability,
			"drawn": count.drawn,
			"runs": count.runs,
			"share": count.share(),
			"formula": formula,
		}));
		if floor.is_none() {
			floor = Some(count.share());
		}
		progress.inc(1);
	}
	progress.finish_and_clear();

	let floor = floor.unwrap_or_default();
	let text = format!(
		"{} records of each case, of workers with the best reputation; {VERIFIERS} verifiers with the same \
		 stake, {} seats in the first round and {} more in the second, floor {}, one false record in {} \
		 audits. A record has {PROMPT} tokens of prompt, {CACHED} of them at hand, and {OUTPUT} of answer; a \
		 verifier computes all of them. Where a price is high beside the least stake, it is the price that \
		 asks for more audits, not the reputation.\n\n{}",
		grouped(settings.samples.into()),
		numbers.seats,
		numbers.further_seats,
		percent(f64::from(numbers.floor_ppm) / f64::from(PPM)),
		numbers.canary_rate,
		table.markdown(),
	);
	let figures = vec![Figure::aimed(
		"share of computation that audits take at the floor, simulated",
		percent(floor),
		"below 5 %",
		floor < AIM,
	)];
	let json = json!({ "samples": settings.samples, "floor": floor, "cases": rows });
	Section { name: "share", text, json, figures }
}

fn aria(planck: Balance) -> f64 {
	planck as f64 / ARIA as f64
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_certain_draw_should_draw_every_record_and_none_no_record() {
		let all = simulate(50, PPM, &AuditParameters::DEFAULT, 0);
		let none = simulate(50, 0, &AuditParameters::DEFAULT, 0);

		assert_eq!((all.drawn, none.drawn, none.audited), (50, 0, 0));
		assert!(all.runs > 0 && all.share() > 0.3);
		assert_eq!(Count::default().share(), 0.0);
	}

	#[test]
	fn nobody_should_have_two_seats_in_an_audit() {
		let id = H256::repeat_byte(1);
		let first = seats(&id, 0, 16, &[]);

		assert!(seats(&id, 1, 16, &first).iter().all(|verifier| !first.contains(verifier)));
	}
}
