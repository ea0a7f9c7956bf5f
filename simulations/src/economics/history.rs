//! What is kept of a run: sums and means by months, and by years out of them.

use super::{
	machines::SAMPLE,
	market::Reason,
	simulation::{in_aria, Era, Simulation, SimulationError, MONTH_BLOCKS},
	Setting,
};
use aria_math::Balance;

/// A stretch of eras. Amounts are in planck unless it says EUR.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Stretch {
	/// Eras in it.
	pub eras: u32,
	/// Years from genesis to its end.
	pub years: f64,
	/// What the schedule emits.
	pub scheduled: Balance,
	/// Minted for workers.
	pub minted_workers: Balance,
	/// Minted for block authors.
	pub minted_authors: Balance,
	/// Burnt.
	pub burnt: Balance,
	/// The supply at its end.
	pub supply: Balance,
	/// Of which circulated at its end.
	pub circulating: Balance,
	/// Answers that were given.
	pub answers: u64,
	/// Answers that would have been asked for at the reference price.
	pub wanted: f64,
	/// Paid for answers.
	pub turnover: Balance,
	/// Paid for answers, in EUR.
	pub turnover_eur: f64,
	/// Paid for the energy of answers, in EUR.
	pub energy_eur: f64,
	/// What an answer costs at least whose settlement is free, in EUR: summed over answers.
	pub floor_eur: f64,
	/// What an ARIA was worth, in EUR, summed over eras.
	pub rates: f64,
	/// Willing contributors, summed over eras.
	pub willing: u64,
	/// All contributors at its end.
	pub contributors: u64,
	/// Eras by what decided the price, in the order of [`Reason::ALL`].
	pub reasons: [u32; 5],
	/// What was left to a contributor with each machine of the sample, in EUR.
	pub net_eur: Vec<f64>,
	/// Answers of a contributor with each machine of the sample.
	pub given: Vec<f64>,
	/// What was left to all workers together, in EUR.
	pub net_all_eur: f64,
	/// Fees of all workers together, in ARIA.
	pub fees: f64,
	/// Rewards of all workers together, in ARIA.
	pub rewards: f64,
}

impl Stretch {
	fn new() -> Self {
		Self { net_eur: vec![0.0; SAMPLE], given: vec![0.0; SAMPLE], ..Self::default() }
	}

	/// Adds an era that was just simulated.
	fn add(&mut self, era: &Era, simulation: &Simulation, setting: &Setting) {
		self.eras += 1;
		self.years = (era.end - 1) as f64 / (12 * MONTH_BLOCKS) as f64;
		self.scheduled = self.scheduled.saturating_add(era.scheduled);
		self.minted_workers = self.minted_workers.saturating_add(era.minted_workers);
		self.minted_authors = self.minted_authors.saturating_add(era.minted_authors);
		self.burnt = self.burnt.saturating_add(era.burnt);
		self.supply = era.supply;
		self.circulating = era.circulating;
		self.answers += era.answers;
		self.wanted += era.wanted;
		self.turnover = self.turnover.saturating_add(era.turnover());
		self.turnover_eur += era.turnover_eur();
		self.energy_eur += era.energy_eur;
		let floor = in_aria(setting.parameters.free_from) * era.rate;
		self.floor_eur += floor * era.answers as f64;
		self.rates += era.rate;
		self.willing += era.willing;
		self.contributors = era.contributors;
		if let Some(count) = self.reasons.get_mut(era.reason.index()) {
			*count += 1;
		}
		let fees = in_aria(era.parts.stages) * era.answers as f64;
		let rewards = in_aria(era.minted_workers);
		self.fees += fees;
		self.rewards += rewards;
		self.net_all_eur += (fees + rewards) * era.rate - era.energy_eur;
		for (place, share) in simulation.shares().iter().enumerate() {
			if let (Some(net), Some(given)) =
				(self.net_eur.get_mut(place), self.given.get_mut(place))
			{
				*net += share.net_eur;
				*given += share.answers;
			}
		}
	}

	/// Adds the stretch that follows.
	fn append(&mut self, next: &Self) {
		self.eras += next.eras;
		self.years = next.years;
		self.scheduled = self.scheduled.saturating_add(next.scheduled);
		self.minted_workers = self.minted_workers.saturating_add(next.minted_workers);
		self.minted_authors = self.minted_authors.saturating_add(next.minted_authors);
		self.burnt = self.burnt.saturating_add(next.burnt);
		self.supply = next.supply;
		self.circulating = next.circulating;
		self.answers += next.answers;
		self.wanted += next.wanted;
		self.turnover = self.turnover.saturating_add(next.turnover);
		self.turnover_eur += next.turnover_eur;
		self.energy_eur += next.energy_eur;
		self.floor_eur += next.floor_eur;
		self.rates += next.rates;
		self.willing += next.willing;
		self.contributors = next.contributors;
		self.fees += next.fees;
		self.rewards += next.rewards;
		self.net_all_eur += next.net_all_eur;
		for (count, more) in self.reasons.iter_mut().zip(next.reasons) {
			*count += more;
		}
		for (sum, more) in self.net_eur.iter_mut().zip(&next.net_eur) {
			*sum += more;
		}
		for (sum, more) in self.given.iter_mut().zip(&next.given) {
			*sum += more;
		}
	}

	/// Minted in all.
	pub fn minted(&self) -> Balance {
		self.minted_workers.saturating_add(self.minted_authors)
	}

	/// EUR as EUR for a million new tokens, if they were paid for all answers of the stretch.
	fn per_million(&self, eur: f64, setting: &Setting) -> f64 {
		let tokens = self.answers as f64 * setting.assumptions.shape.new_tokens() as f64;
		ratio(eur * 1e6, tokens)
	}

	/// The mean price of a million new tokens, in EUR.
	pub fn price(&self, setting: &Setting) -> f64 {
		self.per_million(self.turnover_eur, setting)
	}

	/// What the energy of a million new tokens cost, in EUR.
	pub fn energy(&self, setting: &Setting) -> f64 {
		self.per_million(self.energy_eur, setting)
	}

	/// The price from which on a settlement is free, in EUR for a million new tokens.
	pub fn floor(&self, setting: &Setting) -> f64 {
		self.per_million(self.floor_eur, setting)
	}

	/// What an ARIA was worth in the mean, in EUR.
	pub fn rate(&self) -> f64 {
		ratio(self.rates, f64::from(self.eras))
	}

	/// Willing contributors in the mean.
	pub fn workers(&self) -> f64 {
		ratio(self.willing as f64, f64::from(self.eras))
	}

	/// Months in it.
	pub fn months(&self, setting: &Setting) -> f64 {
		let blocks = f64::from(self.eras) * f64::from(setting.parameters.era_blocks);
		blocks / MONTH_BLOCKS as f64
	}

	/// A value of all workers as that of one willing worker in a month.
	pub fn monthly(&self, of_all: f64, setting: &Setting) -> f64 {
		ratio(of_all, self.workers() * self.months(setting))
	}

	/// What a month left to a worker in the mean, in EUR.
	pub fn income(&self, setting: &Setting) -> f64 {
		self.monthly(self.net_all_eur, setting)
	}

	/// What a month left to the worker below whom lie `percent` of those who had work, in EUR; `None`
	/// if nobody had any.
	pub fn income_at(&self, percent: usize, setting: &Setting) -> Option<f64> {
		let had_work = self.net_eur.iter().zip(&self.given).filter(|(_, given)| **given > 0.0);
		let mut nets: Vec<f64> = had_work.map(|(net, _)| *net).collect();
		nets.sort_by(f64::total_cmp);
		let last = nets.len().checked_sub(1)?;
		let net = nets.get((last * percent.min(100) + 50) / 100)?;
		Some(ratio(*net, self.months(setting)))
	}

	/// Part of the eras in which that decided the price.
	pub fn decided_by(&self, reason: Reason) -> f64 {
		let count = self.reasons.get(reason.index()).copied().unwrap_or(0);
		ratio(f64::from(count), f64::from(self.eras))
	}
}

/// `a / b`, or 0 where there is nothing to divide by.
fn ratio(a: f64, b: f64) -> f64 {
	if b > 0.0 {
		a / b
	} else {
		0.0
	}
}

/// A run.
#[derive(Clone, Debug, PartialEq)]
pub struct History {
	/// What it was a run of.
	pub setting: Setting,
	/// Month by month.
	pub months: Vec<Stretch>,
}

impl History {
	/// Runs a setting for so many years.
	pub fn run(setting: &Setting, years: u32, seed: u64) -> Result<Self, SimulationError> {
		let mut simulation = Simulation::new(*setting, seed)?;
		let mut months: Vec<Stretch> = Vec::new();
		let mut current = None;
		for _ in 0..setting.parameters.eras(years) {
			let era = simulation.step()?;
			// An era belongs to the month in which it begins.
			let month = (era.start - 1) / MONTH_BLOCKS;
			if current != Some(month) {
				current = Some(month);
				months.push(Stretch::new());
			}
			if let Some(stretch) = months.last_mut() {
				stretch.add(&era, &simulation, setting);
			}
		}
		Ok(Self { setting: *setting, months })
	}

	/// Year by year; the last one may be shorter.
	pub fn years(&self) -> Vec<Stretch> {
		self.months.chunks(12).map(sum).collect()
	}

	/// All of it.
	pub fn whole(&self) -> Stretch {
		sum(&self.months)
	}

	/// The last year.
	pub fn last_year(&self) -> Stretch {
		sum(self.months.get(self.months.len().saturating_sub(12)..).unwrap_or_default())
	}
}

fn sum(months: &[Stretch]) -> Stretch {
	let mut whole = Stretch::new();
	for month in months {
		whole.append(month);
	}
	whole
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;
	use crate::economics::Scenario;

	#[test]
	fn a_year_should_be_the_sum_of_its_months() {
		let setting = Setting::new(Scenario::Middle);
		let history = History::run(&setting, 2, 1).unwrap();
		assert_eq!(history.months.len(), 24);
		let years = history.years();
		assert_eq!(years.len(), 2);
		let eras: u32 = history.months.iter().map(|month| month.eras).sum();
		assert_eq!((eras, history.whole().eras), (2_922, 2_922));
		assert_eq!(years[1], history.last_year());
		assert_eq!(years[0].eras, 1_461);
		let minted: Balance = history.months.iter().map(Stretch::minted).sum();
		assert_eq!(history.whole().minted(), minted);
		assert!((history.whole().months(&setting) - 24.0).abs() < 1e-9);
	}

	#[test]
	fn incomes_should_be_ordered_and_prices_cover_energy() {
		let setting = Setting::new(Scenario::Fast);
		let year = History::run(&setting, 1, 1).unwrap().last_year();
		let [low, middle, high] = [10, 50, 90].map(|p| year.income_at(p, &setting).unwrap());
		assert!(low <= middle && middle <= high && high > 0.0);
		assert!(year.price(&setting) > year.energy(&setting));
		assert_eq!(Stretch::new().income_at(50, &setting), None);
		assert_eq!(Stretch::new().price(&setting), 0.0);
	}
}
