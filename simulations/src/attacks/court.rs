//! Verifiers, their seats, rounds and verdicts (`docs/protocol/audit.md`).

use super::rules::Setting;
use crate::random::Random;
use aria_math::{audit::has_seat, Balance, ARIA, PPM};

/// Verifiers of a panel: as many as there may be.
pub const VERIFIERS: usize = 1_000;

/// Stakes lie between a tenth and ten times of that.
const MIDDLE_STAKE: f64 = 100.0;

/// All verifiers, some of which belong to one coalition.
#[derive(Clone, Debug)]
pub struct Panel {
	stakes: Vec<(Balance, bool)>,
	total: Balance,
}

impl Panel {
	/// Verifiers with stakes between 10 and 1,000 ARIA, of whose sum the coalition has that part.
	pub fn sample(seed: u64, coalition_ppm: u32, most: Balance) -> Self {
		let mut random = Random::new(seed);
		let stakes: Vec<Balance> = (0..VERIFIERS)
			.map(|_| ((MIDDLE_STAKE * random.factor(10.0) * ARIA as f64) as Balance).min(most))
			.collect();
		let total: Balance = stakes.iter().sum();
		let bound = total / Balance::from(PPM) * Balance::from(coalition_ppm.min(PPM));
		let mut theirs: Balance = 0;
		let stakes = stakes
			.into_iter()
			.map(|stake| {
				let joins = coalition_ppm >= PPM || theirs.saturating_add(stake) <= bound;
				if joins {
					theirs = theirs.saturating_add(stake);
				}
				(stake, joins)
			})
			.collect();
		Self { stakes, total }
	}

	/// The coalition's part of all stake.
	pub fn coalition(&self) -> f64 {
		let theirs: Balance =
			self.stakes.iter().filter(|(_, joined)| *joined).map(|(stake, _)| stake).sum();
		theirs as f64 / self.total.max(1) as f64
	}

	/// All stake, in planck.
	pub fn total(&self) -> Balance {
		self.total
	}

	/// Draws the seats of a round.
	pub fn seats(&self, random: &mut Random, seats: u32) -> Seats {
		let mut drawn = Seats::default();
		for (stake, joined) in &self.stakes {
			if has_seat(random.bits(), *stake, self.total, seats) {
				let side = if *joined { &mut drawn.coalition } else { &mut drawn.honest };
				side.seats += 1;
				side.stake = side.stake.saturating_add(*stake);
			}
		}
		drawn
	}
}

/// Seats on one side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Side {
	/// How many.
	pub seats: u32,
	/// The stakes behind them, in planck.
	pub stake: Balance,
}

impl Side {
	fn and(self, other: Self) -> Self {
		Self { seats: self.seats + other.seats, stake: self.stake.saturating_add(other.stake) }
	}
}

/// Seats of a round or of both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seats {
	/// Of verifiers that say what they find.
	pub honest: Side,
	/// Of the coalition.
	pub coalition: Side,
}

/// What an audit is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Matter {
	/// A true record.
	True,
	/// A false record that is handed over.
	False,
	/// A record that the gateway hands over to the coalition alone.
	Withheld,
}

/// What the coalition says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stand {
	/// What it finds.
	Truth,
	/// That nothing is wrong.
	Acquit,
	/// That the first stage is false, and always the same.
	Accuse,
}

/// How an audit ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
	/// Nothing is wrong.
	Passed,
	/// A stage is false.
	Failed,
	/// The gateway did not hand over.
	Silent,
	/// Nobody knows.
	Unaudited,
}

/// A verdict with what led to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ruling {
	/// The verdict.
	pub verdict: Verdict,
	/// One or two.
	pub rounds: u32,
	/// Seats of the first round.
	pub first: Seats,
	/// Seats of both.
	pub all: Seats,
	/// Whether the coalition's finding lost a second round.
	pub coalition_lost: bool,
	/// Whether the honest ones' finding lost it.
	pub honest_lost: bool,
	/// Honest claims of silence that did not stand.
	pub fallen_claims: u32,
}

/// An audit from its draw to its verdict.
pub fn audit(
	random: &mut Random,
	panel: &Panel,
	setting: &Setting,
	matter: Matter,
	stand: Stand,
) -> Ruling {
	let first = panel.seats(random, setting.parameters.seats);
	let mut ruling = Ruling {
		verdict: Verdict::Unaudited,
		rounds: 1,
		first,
		all: first,
		coalition_lost: false,
		honest_lost: false,
		fallen_claims: 0,
	};
	let (honest, coalition) = (first.honest.seats, first.coalition.seats);
	if honest + coalition == 0 {
		return ruling;
	}
	let found = match matter {
		Matter::True => Verdict::Passed,
		Matter::False => Verdict::Failed,
		Matter::Withheld => Verdict::Silent,
	};
	let said = match stand {
		Stand::Truth => found,
		Stand::Acquit => Verdict::Passed,
		Stand::Accuse => Verdict::Failed,
	};
	if matter == Matter::Withheld && !setting.rules.silence_is_finding {
		// Claims count apart from findings: two thirds of those who spoke, and two at least.
		if said != Verdict::Silent && (honest < 2 || 3 * honest < 2 * (honest + coalition)) {
			ruling.fallen_claims = honest;
			ruling.verdict = if coalition > 0 { said } else { Verdict::Unaudited };
		} else if honest + coalition >= 2 {
			ruling.verdict = Verdict::Silent;
		}
		return ruling;
	}
	let accused =
		(honest > 0 && found != Verdict::Passed) || (coalition > 0 && said != Verdict::Passed);
	if !accused {
		ruling.verdict = Verdict::Passed;
		return ruling;
	}
	let second = panel.seats(random, setting.parameters.further_seats);
	ruling.rounds = 2;
	ruling.all = Seats {
		honest: first.honest.and(second.honest),
		coalition: first.coalition.and(second.coalition),
	};
	let (honest, coalition) = (ruling.all.honest.seats, ruling.all.coalition.seats);
	let all = honest + coalition;
	let decides = |seats: u32| {
		if setting.rules.simple_majority {
			2 * seats > all
		} else {
			3 * seats >= 2 * all
		}
	};
	if found == said || decides(honest) {
		ruling.verdict = found;
		ruling.coalition_lost = found != said;
	} else if decides(coalition) {
		ruling.verdict = said;
		ruling.honest_lost = true;
	}
	ruling
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;
	use aria_math::audit::detection_ppm;

	#[test]
	fn a_coalition_should_have_about_the_part_it_was_given() {
		for ppm in [0, 100_000, 333_333, 500_000, PPM] {
			let panel = Panel::sample(3, ppm, 1_000 * ARIA);
			assert!((panel.coalition() - f64::from(ppm) / 1e6).abs() < 0.002, "{ppm}");
		}
	}

	#[test]
	fn seats_should_be_as_many_as_asked_for_in_the_mean() {
		let panel = Panel::sample(5, 0, 1_000 * ARIA);
		let mut random = Random::new(9);
		let drawn: u32 = (0..2_000).map(|_| panel.seats(&mut random, 9).honest.seats).sum();
		assert!((f64::from(drawn) / 2_000.0 - 9.0).abs() < 0.3);
	}

	#[test]
	fn audits_should_find_false_records_as_often_as_computed() {
		let setting = Setting::DEFAULT;
		for honest in [PPM, 666_667, 500_000] {
			let panel = Panel::sample(7, PPM - honest, setting.parameters.max_seat_stake);
			let mut random = Random::new(11);
			let failed = (0..3_000)
				.filter(|_| {
					let ruling = audit(&mut random, &panel, &setting, Matter::False, Stand::Acquit);
					ruling.verdict == Verdict::Failed
				})
				.count();
			let parameters = setting.parameters;
			let computed = detection_ppm(parameters.seats, parameters.further_seats, honest);
			let found = failed as f64 / 3_000.0;
			assert!((found - f64::from(computed) / 1e6).abs() < 0.04, "{honest}: {found}");
		}
	}

	#[test]
	fn honest_panels_should_never_convict_a_true_record() {
		let panel = Panel::sample(13, 0, 1_000 * ARIA);
		let mut random = Random::new(17);
		for _ in 0..500 {
			let ruling = audit(&mut random, &panel, &Setting::DEFAULT, Matter::True, Stand::Truth);
			assert!(matches!(ruling.verdict, Verdict::Passed | Verdict::Unaudited));
			assert!(!ruling.honest_lost && ruling.rounds == 1);
		}
	}
}
