//! Era after era: the market is cleared, answers are given and paid, the era is settled.
//!
//! The chain settles an era after the next one, and pays prices three epochs later; here both happen
//! at the era's end, which moves money by half a day and changes no sum.

use super::{
	chain::{Average, Counted, Line, Offer, Parts, Pools, Price, Stage},
	ledger::{Ledger, LedgerError},
	machines::{Fleet, Group, SAMPLE},
	market::{clear, Ask, Bounds, Clearing, Demand, Reason},
	parameters::{DAY_BLOCKS, YEAR_BLOCKS},
	Setting, SettingError,
};
use crate::random::Random;
use aria_math::{split::split_proportional, Balance, ARIA};
use thiserror::Error;

/// Blocks of a month: a twelfth of a year.
pub const MONTH_BLOCKS: u64 = YEAR_BLOCKS / 12;

/// Demand in the quarters of a day, beginning at night, as parts of the mean.
const DAY_CURVE: [f64; 4] = [0.6, 1.1, 1.3, 1.0];

/// What is drawn from a seed beside the sample of machines has a stream of its own.
const NOISE_STREAM: u64 = 0x6e6f_6973_6520_6f66;

/// Why a simulation stops.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum SimulationError {
	/// The setting cannot be simulated.
	#[error(transparent)]
	Setting(#[from] SettingError),
	/// The supply would be impossible: an error of the simulation, not of its setting.
	#[error("the books do not balance: {0}")]
	Ledger(#[from] LedgerError),
}

/// What happened in an era. Amounts are in planck unless it says EUR.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Era {
	/// The era's number.
	pub index: u64,
	/// Its first block.
	pub start: u64,
	/// One past its last block.
	pub end: u64,
	/// What the schedule emits in it.
	pub scheduled: Balance,
	/// Minted for workers.
	pub minted_workers: Balance,
	/// Minted for block authors.
	pub minted_authors: Balance,
	/// Burnt.
	pub burnt: Balance,
	/// The supply at its end.
	pub supply: Balance,
	/// The supply at its end without stakes.
	pub circulating: Balance,
	/// Answers that were given.
	pub answers: u64,
	/// Answers that would have been asked for at the reference price.
	pub wanted: f64,
	/// The price of an answer.
	pub price: Price,
	/// Its parts.
	pub parts: Parts,
	/// What decided the price.
	pub reason: Reason,
	/// What an ARIA was worth, in EUR.
	pub rate: f64,
	/// What the energy of all answers cost workers, in EUR.
	pub energy_eur: f64,
	/// Contributors that were willing.
	pub willing: u64,
	/// All contributors.
	pub contributors: u64,
}

impl Era {
	/// Minted in all.
	pub fn minted(&self) -> Balance {
		self.minted_workers.saturating_add(self.minted_authors)
	}

	/// What was paid for answers, in planck.
	pub fn turnover(&self) -> Balance {
		self.price.total().saturating_mul(self.answers.into())
	}

	/// What was paid for answers, in EUR.
	pub fn turnover_eur(&self) -> f64 {
		in_aria(self.turnover()) * self.rate
	}
}

/// Planck as ARIA.
pub fn in_aria(planck: Balance) -> f64 {
	planck as f64 / ARIA as f64
}

/// What one group of contributors had of an era.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Share {
	/// Answers that each of them gave, in the mean.
	pub answers: f64,
	/// What was left to each of them of fees and reward after paying for energy, in EUR.
	pub net_eur: f64,
	/// Fees of each of them, in ARIA.
	pub fees: f64,
	/// Reward of each of them, in ARIA.
	pub reward: f64,
}

/// Workers of one group that gave the same number of answers.
struct Entry {
	/// The group's place.
	group: usize,
	/// How many workers.
	workers: u128,
	line: Line,
	weighted: u128,
}

/// A simulation between two eras.
pub struct Simulation {
	setting: Setting,
	fleet: Fleet,
	noise: Random,
	ledger: Ledger,
	next: u64,
	month: Option<u64>,
	groups: Vec<Group>,
	average: Average,
	/// What an ARIA is worth, in EUR.
	rate: f64,
	/// What emission adds to an answer, as workers expect it, in EUR.
	subsidy: f64,
	/// Contributors that were willing in the era before.
	willing: u64,
	shares: [Share; SAMPLE],
	asks: Vec<Ask>,
	entries: Vec<Entry>,
}

impl Simulation {
	/// A network at genesis.
	pub fn new(setting: Setting, seed: u64) -> Result<Self, SimulationError> {
		setting.check()?;
		Ok(Self {
			setting,
			fleet: Fleet::sample(seed),
			noise: Random::new(seed ^ NOISE_STREAM),
			ledger: Ledger::new(setting.assumptions.genesis),
			next: 0,
			month: None,
			groups: Vec::new(),
			average: Average::default(),
			rate: setting.assumptions.least_rate,
			subsidy: 0.0,
			willing: 0,
			shares: [Share::default(); SAMPLE],
			asks: Vec::new(),
			entries: Vec::new(),
		})
	}

	/// The supply.
	pub fn ledger(&self) -> &Ledger {
		&self.ledger
	}

	/// Contributors in the last era, the cheapest energy first.
	pub fn groups(&self) -> &[Group] {
		&self.groups
	}

	/// What the contributors with each machine of the sample had of the last era.
	pub fn shares(&self) -> &[Share; SAMPLE] {
		&self.shares
	}

	/// The next era.
	pub fn step(&mut self) -> Result<Era, SimulationError> {
		let Setting { parameters, assumptions, .. } = self.setting;
		let start = 1 + self.next * u64::from(parameters.era_blocks);
		let end = start + u64::from(parameters.era_blocks);
		self.begin_month(start);

		let circulating = self.circulating();
		let (clearing, wanted) = self.market(start);
		let price = self.price(clearing.price);
		let parts = Parts::of(&price, &parameters.split).ok_or(SettingError::Split)?;
		// Nobody pays with what is not there.
		let affordable = circulating.checked_div(price.total()).unwrap_or(u128::MAX);
		let answers = (clearing.quantity as u64).min(u64::try_from(affordable).unwrap_or(u64::MAX));

		self.work(&clearing, answers, &parts);
		let pools = Pools::of(&parameters.schedule, start, end, parameters.author_share_ppm);
		let minted_workers = self.pay_workers(pools.workers, &parts);
		let minted_authors = pools.paid_to_authors(parameters.era_blocks, assumptions.validators);
		let burnt = parts.burn.saturating_mul(answers.into());
		self.ledger.burn(burnt)?;
		self.ledger.mint(minted_workers)?;
		self.ledger.mint(minted_authors)?;

		let groups = || self.groups.iter();
		let energy = groups().map(|group| {
			let share = self.shares.get(group.machine).copied().unwrap_or_default();
			share.answers * group.workers as f64 * group.cost
		});
		let era = Era {
			index: self.next,
			start,
			end,
			scheduled: pools.total(),
			minted_workers,
			minted_authors,
			burnt,
			supply: self.ledger.supply(),
			circulating: self.circulating(),
			answers,
			wanted,
			price,
			parts,
			reason: clearing.reason,
			rate: self.rate,
			energy_eur: energy.sum(),
			willing: groups().take(clearing.willing).map(|group| group.workers).sum(),
			contributors: groups().map(|group| group.workers).sum(),
		};
		self.expect(&era);
		self.next += 1;
		Ok(era)
	}

	/// Contributors and their machines change from month to month.
	fn begin_month(&mut self, start: u64) {
		let month = (start - 1) / MONTH_BLOCKS;
		if self.month == Some(month) {
			return;
		}
		self.month = Some(month);
		self.groups = self.fleet.groups(&self.setting, month as f64 / 12.0);
	}

	/// The supply without stakes, of which at least half circulates, in planck.
	fn circulating(&self) -> Balance {
		let Setting { parameters, assumptions, .. } = &self.setting;
		let stakes = |each: Balance, count: u64| each.saturating_mul(count.into());
		let bound = stakes(parameters.worker_stake, self.willing)
			.saturating_add(stakes(parameters.gateway_stake, assumptions.gateways.into()))
			.saturating_add(stakes(parameters.validator_stake, assumptions.validators.into()));
		let supply = self.ledger.supply();
		supply.saturating_sub(bound.min(supply / 2))
	}

	/// Clears the market of an era; also says how much would be asked for at the reference price.
	fn market(&mut self, start: u64) -> (Clearing, f64) {
		let Setting { parameters, assumptions, adoption } = self.setting;
		let years = (start - 1) as f64 / YEAR_BLOCKS as f64;
		let days = f64::from(parameters.era_blocks) / f64::from(DAY_BLOCKS);
		let noise = 1.0 + assumptions.noise * self.noise.between(-1.0, 1.0);
		let time_of_day = day_factor(start, parameters.era_blocks);
		let demand = Demand {
			at_reference: adoption.answers_a_day
				* adoption.reached(years)
				* days * time_of_day
				* noise,
			reference: assumptions.reference_answer(),
			elasticity: adoption.elasticity,
			limit: assumptions.demand_limit,
		};

		let in_eur = |planck: Balance| in_aria(planck) * self.rate;
		let shape = &assumptions.shape;
		let most = Offer::of_output(
			parameters.most_token_price,
			assumptions.prompt_price_ppm,
			assumptions.cached_price_ppm,
		);
		let dearest = Price::of(&most, shape, parameters.byte_fee);
		let bytes = in_eur(dearest.bytes);
		let share = parameters.stage_share();
		self.asks.clear();
		let mut up_to = 0.0;
		for group in &self.groups {
			up_to += group.capacity(parameters.era_blocks);
			let wanted = group.cost * (1.0 + assumptions.margin) - self.subsidy;
			self.asks.push(Ask { price: wanted.max(0.0) / share + bytes, up_to });
		}
		let bounds = Bounds {
			floor: in_eur(parameters.free_from),
			ceiling: in_eur(dearest.total()),
			records: parameters.era_records(),
		};
		(clear(&self.asks, &demand, &bounds), demand.at_reference)
	}

	/// The price in planck that comes to so many EUR, rounded up to what an offer can say.
	fn price(&self, eur: f64) -> Price {
		let Setting { parameters, assumptions, .. } = &self.setting;
		let target = (eur / self.rate * ARIA as f64).ceil() as u128;
		let bytes = Price::of(
			&Offer { prompt: 0, cached: 0, output: 0 },
			&assumptions.shape,
			parameters.byte_fee,
		);
		let offer = Offer::reaching(
			target.saturating_sub(bytes.bytes).max(1),
			&assumptions.shape,
			assumptions.prompt_price_ppm,
			assumptions.cached_price_ppm,
			parameters.most_token_price,
		);
		Price::of(&offer, &assumptions.shape, parameters.byte_fee)
	}

	/// Divides the answers among the willing, each group by the time that it has, and within a group
	/// as evenly as whole answers can be divided.
	fn work(&mut self, clearing: &Clearing, answers: u64, parts: &Parts) {
		let Setting { parameters, assumptions, .. } = &self.setting;
		let willing = self.groups.get(..clearing.willing).unwrap_or(&self.groups);
		let weights: Vec<u64> = willing
			.iter()
			.map(|group| (group.capacity(parameters.era_blocks) * 1_000.0) as u64)
			.collect();
		let mut given = vec![0; willing.len()];
		split_proportional(answers.into(), &weights, &mut given);

		let work = assumptions.shape.work(assumptions.active_parameters);
		let mut average = Average::default();
		self.entries.clear();
		self.shares = [Share::default(); SAMPLE];
		for (place, (group, count)) in willing.iter().zip(given).enumerate() {
			let workers = u128::from(group.workers);
			let (Some(each), Some(more)) = (count.checked_div(workers), count.checked_rem(workers))
			else {
				continue;
			};
			if let Some(share) = self.shares.get_mut(group.machine) {
				share.answers = count as f64 / workers as f64;
			}
			let stage = Stage { work, energy_mj: group.stated_mj, burnt: parts.burn };
			let counted = Counted::of(&stage, parameters);
			if counted.work == 0 {
				continue;
			}
			average.add(&counted, count);
			let expected = self.average.expected_nj(&counted);
			for (workers, each) in [(workers - more, each), (more, each + 1)] {
				if workers == 0 || each == 0 {
					continue;
				}
				let line = Line::of(
					u64::try_from(each).unwrap_or(u64::MAX),
					&counted,
					expected,
					parts.burn,
					&group.standing,
					parameters.latency_target_ms,
				);
				let weighted = aria_math::reward::weighted(&line.factors);
				self.entries.push(Entry { group: place, workers, line, weighted });
			}
		}
		self.average = average;
	}

	/// Pays the workers of an era; returns what was minted for them.
	fn pay_workers(&mut self, pool: Balance, parts: &Parts) -> Balance {
		let parameters = &self.setting.parameters;
		let total = self.entries.iter().fold(0_u128, |sum, entry| {
			sum.saturating_add(entry.weighted.saturating_mul(entry.workers))
		});
		let mut left = pool;
		for entry in &self.entries {
			let each = entry.line.reward(pool, total, parameters);
			let paid = each.saturating_mul(entry.workers).min(left);
			left = left.saturating_sub(paid);
			let Some(group) = self.groups.get(entry.group) else { continue };
			if let Some(share) = self.shares.get_mut(group.machine) {
				share.reward += in_aria(paid) / group.workers as f64;
			}
		}
		for group in &self.groups {
			if let Some(share) = self.shares.get_mut(group.machine) {
				share.fees = share.answers * in_aria(parts.stages);
				share.net_eur =
					(share.fees + share.reward) * self.rate - share.answers * group.cost;
			}
		}
		pool.saturating_sub(left)
	}

	/// What people conclude from an era for the next one.
	fn expect(&mut self, era: &Era) {
		let Setting { parameters, assumptions, .. } = &self.setting;
		self.willing = era.willing;
		let blocks = f64::from(parameters.era_blocks);
		let days = blocks / f64::from(DAY_BLOCKS);
		if era.answers > 0 {
			// Within about two days: eras of the night have other rewards than those of the day.
			let subsidy = in_aria(era.minted_workers) * era.rate / era.answers as f64;
			self.subsidy += (subsidy - self.subsidy) * (days / 2.0).min(1.0);
		}
		let yearly = era.turnover_eur() * YEAR_BLOCKS as f64 / blocks;
		let circulating = in_aria(self.circulating()).max(1.0);
		let worth = (yearly / (assumptions.velocity * circulating)).max(assumptions.least_rate);
		self.rate += (worth - self.rate) * (days / assumptions.rate_days).min(1.0);
	}
}

/// The mean of the day's curve over the blocks of an era.
fn day_factor(start: u64, blocks: u32) -> f64 {
	const PROBES: u64 = 8;
	let day = u64::from(DAY_BLOCKS);
	let probes = (0..PROBES).map(|probe| {
		let block = start - 1 + u64::from(blocks) * (2 * probe + 1) / (2 * PROBES);
		let quarter = (block % day) * DAY_CURVE.len() as u64 / day;
		DAY_CURVE.get(quarter as usize).copied().unwrap_or(1.0)
	});
	probes.sum::<f64>() / PROBES as f64
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;
	use crate::economics::Scenario;

	#[test]
	fn a_day_should_have_its_mean_demand_whatever_an_era_is() {
		for blocks in [1_800, 3_600, 7_200, 14_400] {
			let eras = u64::from(DAY_BLOCKS / blocks);
			let sum: f64 =
				(0..eras).map(|era| day_factor(1 + era * u64::from(blocks), blocks)).sum();
			assert!((sum / eras as f64 - 1.0).abs() < 1e-9, "{blocks}");
		}
	}

	#[test]
	fn an_era_should_give_answers_to_whoever_pays_for_them() {
		let mut simulation = Simulation::new(Setting::new(Scenario::Middle), 1).unwrap();
		for _ in 0..8 {
			let era = simulation.step().unwrap();
			assert!(era.answers > 0 && era.minted_authors > 0);
			assert!(era.minted_workers > 0 && era.minted_workers < era.burnt);
			let given: f64 = simulation
				.groups
				.iter()
				.map(|group| simulation.shares()[group.machine].answers * group.workers as f64)
				.sum();
			assert!((given - era.answers as f64).abs() < 1e-6);
		}
	}

	#[test]
	fn an_era_without_anybody_who_can_pay_should_pass() {
		let mut setting = Setting::new(Scenario::Middle);
		setting.assumptions.genesis = 1;
		setting.parameters.author_share_ppm = 0;
		let mut simulation = Simulation::new(setting, 1).unwrap();
		let era = simulation.step().unwrap();
		assert_eq!((era.answers, era.burnt, era.minted()), (0, 0, 0));
	}
}
