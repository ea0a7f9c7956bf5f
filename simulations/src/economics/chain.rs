//! What the chain computes of an answer, a worker and an era, by the functions that it uses itself
//! (`docs/protocol/economics.md`). Integers throughout.
//!
//! The glue between those functions is the pallets', written again without storage;
//! `tests/parameters.rs` compares both.

use super::Parameters;
use aria_math::{
	efficiency::efficiency,
	emission::EmissionSchedule,
	quality::{latency_score, quality},
	reward::{burn_bound, reward, Factors, RATE_UNIT},
	split::split_exact,
	wide::{mul_div_ceil, mul_div_floor, mul_ppm},
	Balance, PPM,
};

/// Nanojoules of a millijoule.
pub const NANO_PER_MILLI: u128 = 1_000_000;

/// Tokens of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
	/// Of the prompt.
	pub prompt: u32,
	/// Of the prompt, those that were cached.
	pub cached: u32,
	/// Of the answer.
	pub output: u32,
}

impl Shape {
	/// Tokens that are computed.
	pub fn new_tokens(&self) -> u64 {
		u64::from(self.prompt)
			.saturating_sub(u64::from(self.cached))
			.saturating_add(u64::from(self.output))
	}

	/// Work of a stage with all layers, in thousands of parameter-tokens.
	pub fn work(&self, active_parameters: u64) -> u128 {
		u128::from(self.new_tokens()).saturating_mul(u128::from(active_parameters)) / 1_000
	}
}

/// Bytes of a record's body with so many stages (`docs/protocol/record.md`).
pub const fn record_bytes(stages: u32) -> u32 {
	265_u32.saturating_add(stages.saturating_mul(81))
}

/// What a gateway asks for a token, in planck.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offer {
	/// For one of the prompt.
	pub prompt: Balance,
	/// For a cached one.
	pub cached: Balance,
	/// For one of the answer.
	pub output: Balance,
}

impl Offer {
	/// The offer by which an answer's tokens cost `target` planck or a little more, with tokens of
	/// the prompt and cached ones at those parts of the price of an answer's token. No token costs
	/// more than `most`.
	pub fn reaching(
		target: Balance,
		shape: &Shape,
		prompt_ppm: u32,
		cached_ppm: u32,
		most: Balance,
	) -> Self {
		let parts = |count: u32, ppm: u32| u128::from(count).saturating_mul(u128::from(ppm));
		let fresh = shape.prompt.saturating_sub(shape.cached);
		let weight = parts(fresh, prompt_ppm)
			.saturating_add(parts(shape.cached, cached_ppm))
			.saturating_add(parts(shape.output, PPM));
		let output = mul_div_ceil(target, u128::from(PPM), weight).unwrap_or(most).min(most);
		Self::of_output(output, prompt_ppm, cached_ppm)
	}

	/// The offer with that price of an answer's token; the others follow, rounded up.
	pub fn of_output(output: Balance, prompt_ppm: u32, cached_ppm: u32) -> Self {
		let part = |ppm: u32| {
			mul_div_ceil(output, u128::from(ppm.min(PPM)), u128::from(PPM)).unwrap_or(output)
		};
		Self { prompt: part(prompt_ppm), cached: part(cached_ppm), output }
	}
}

/// What an answer costs, in planck.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Price {
	/// For tokens.
	pub tokens: Balance,
	/// For the bytes of the record.
	pub bytes: Balance,
}

impl Price {
	/// By an offer, for a record of one stage.
	pub fn of(offer: &Offer, shape: &Shape, byte_fee: Balance) -> Self {
		let cost = |price: Balance, count: u32| price.saturating_mul(Balance::from(count));
		let tokens = cost(offer.prompt, shape.prompt.saturating_sub(shape.cached))
			.saturating_add(cost(offer.cached, shape.cached))
			.saturating_add(cost(offer.output, shape.output));
		Self { tokens, bytes: cost(byte_fee, record_bytes(1)) }
	}

	/// Both.
	pub fn total(&self) -> Balance {
		self.tokens.saturating_add(self.bytes)
	}
}

/// A price in the parts that are paid, in planck.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Parts {
	/// The worker's.
	pub stages: Balance,
	/// The gateway's.
	pub gateway: Balance,
	/// That of the author of the block that settles.
	pub author: Balance,
	/// For audits.
	pub audit: Balance,
	/// For storage, the fee for bytes included.
	pub storage: Balance,
	/// What is burnt.
	pub burn: Balance,
}

impl Parts {
	/// Of a price; `None` unless the split adds up to the whole.
	pub fn of(price: &Price, split: &[u32; 6]) -> Option<Self> {
		let [stages, gateway, author, audit, storage, burn] = split_exact(price.tokens, split)?;
		let storage = storage.saturating_add(price.bytes);
		Some(Self { stages, gateway, author, audit, storage, burn })
	}

	/// All of them: the price.
	pub fn total(&self) -> Balance {
		[self.stages, self.gateway, self.author, self.audit, self.storage, self.burn]
			.iter()
			.fold(0, |sum: Balance, part| sum.saturating_add(*part))
	}
}

/// One answer as the reward distributor hears of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stage {
	/// In thousands of parameter-tokens.
	pub work: u128,
	/// As stated, in millijoules.
	pub energy_mj: u64,
	/// In planck.
	pub burnt: Balance,
}

/// What of it counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counted {
	/// In thousands of parameter-tokens.
	pub work: u128,
	/// In nanojoules, rounded up.
	pub energy_nj: u128,
}

/// Most work that counts for `burnt` planck of fees.
pub fn supported_work(burnt: Balance, parameters: &Parameters) -> u128 {
	let scale = u128::from(parameters.dilution).saturating_mul(RATE_UNIT);
	mul_div_floor(burn_bound(burnt, parameters.beta_ppm), scale, parameters.rate_cap).unwrap_or(0)
}

impl Counted {
	/// What of a stage counts.
	pub fn of(stage: &Stage, parameters: &Parameters) -> Self {
		let energy_nj = u128::from(stage.energy_mj).saturating_mul(NANO_PER_MILLI);
		let supported = supported_work(stage.burnt, parameters);
		if stage.work <= supported {
			return Self { work: stage.work, energy_nj };
		}
		let energy_nj = mul_div_ceil(energy_nj, supported, stage.work).unwrap_or(energy_nj);
		Self { work: supported, energy_nj }
	}
}

/// Energy and work that counted in an era: its average is what the next era's workers are compared
/// with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Average {
	/// In nanojoules.
	pub energy_nj: u128,
	/// In thousands of parameter-tokens.
	pub work: u128,
}

impl Average {
	/// What the counted work would have taken at this average, in nanojoules; what it did take if
	/// there is none.
	pub fn expected_nj(&self, counted: &Counted) -> u128 {
		if self.energy_nj == 0 {
			return counted.energy_nj;
		}
		mul_div_floor(counted.work, self.energy_nj, self.work).unwrap_or(counted.energy_nj)
	}

	/// Adds what counted of so many answers.
	pub fn add(&mut self, counted: &Counted, answers: u128) {
		self.energy_nj = self.energy_nj.saturating_add(counted.energy_nj.saturating_mul(answers));
		self.work = self.work.saturating_add(counted.work.saturating_mul(answers));
	}
}

/// What a worker's machine is, as far as the chain hears of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
	/// In milliseconds a new token.
	pub latency_ms: u64,
	/// Part of the era in which it could be reached, in ppm.
	pub uptime_ppm: u32,
	/// Audits passed, in ppm.
	pub audit_ppm: u32,
	/// Largest efficiency that its figures of energy allow, in ppm.
	pub ceiling_ppm: u32,
}

/// The line of a worker that gave so many like answers in an era.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
	/// What the formula multiplies.
	pub factors: Factors,
	/// Fees burnt, in planck.
	pub burnt: Balance,
}

impl Line {
	/// Of `answers` answers, each of which counts as `counted` and would take `expected_nj` at the
	/// average.
	pub fn of(
		answers: u64,
		counted: &Counted,
		expected_nj: u128,
		burnt: Balance,
		standing: &Standing,
		latency_target_ms: u32,
	) -> Self {
		let answers = u128::from(answers);
		let energy_mj = counted.energy_nj.saturating_mul(answers).div_ceil(NANO_PER_MILLI);
		let expected_mj = expected_nj.saturating_mul(answers).div_ceil(NANO_PER_MILLI);
		let latency_ppm = latency_score(standing.latency_ms, latency_target_ms.into());
		Self {
			factors: Factors {
				work: counted.work.saturating_mul(answers),
				quality_ppm: quality(standing.uptime_ppm, latency_ppm, standing.audit_ppm),
				efficiency_ppm: efficiency(expected_mj, energy_mj, standing.ceiling_ppm),
			},
			burnt: burnt.saturating_mul(answers),
		}
	}

	/// The reward in planck, in an era with that pool and that sum of weighted work.
	pub fn reward(&self, pool: Balance, total_weighted: u128, parameters: &Parameters) -> Balance {
		let bound = burn_bound(self.burnt, parameters.beta_ppm);
		reward(pool, total_weighted, &self.factors, parameters.rate_cap, bound).payout
	}
}

/// Emission of an era, in planck.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pools {
	/// For workers.
	pub workers: Balance,
	/// For block authors.
	pub authors: Balance,
}

impl Pools {
	/// Of the blocks `start..end`.
	pub fn of(schedule: &EmissionSchedule, start: u64, end: u64, author_share_ppm: u32) -> Self {
		let pool = schedule.emission_between(start, end);
		let authors = mul_ppm(pool, author_share_ppm).min(pool);
		Self { workers: pool.saturating_sub(authors), authors }
	}

	/// Both: what the schedule emits.
	pub fn total(&self) -> Balance {
		self.workers.saturating_add(self.authors)
	}

	/// What authors get who share an era's blocks equally, as far as blocks can be shared, in planck.
	pub fn paid_to_authors(&self, blocks: u32, authors: u32) -> Balance {
		let (Some(each), Some(more)) = (blocks.checked_div(authors), blocks.checked_rem(authors))
		else {
			return 0;
		};
		let part =
			|count: u32| mul_div_floor(self.authors, count.into(), blocks.into()).unwrap_or(0);
		let many = part(each.saturating_add(1)).saturating_mul(more.into());
		let few = part(each).saturating_mul(authors.saturating_sub(more).into());
		many.saturating_add(few).min(self.authors)
	}
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;
	use aria_math::ARIA;

	const SHAPE: Shape = Shape { prompt: 400, cached: 100, output: 250 };

	#[test]
	fn an_offer_should_reach_its_target_from_above() {
		for target in [0, 1, 999, ARIA / 50, ARIA / 21 + 7] {
			let offer = Offer::reaching(target, &SHAPE, 200_000, 50_000, ARIA);
			let price = Price::of(&offer, &SHAPE, 0);
			assert!(price.tokens >= target && price.tokens <= target + 1_000, "{target}");
		}
	}

	#[test]
	fn an_offer_should_not_exceed_the_highest_price_of_a_token() {
		let offer = Offer::reaching(ARIA, &SHAPE, 200_000, 50_000, 1_000);
		assert_eq!(offer, Offer { prompt: 200, cached: 50, output: 1_000 });
	}

	#[test]
	fn parts_should_add_up_to_the_price() {
		let price = Price { tokens: 20_000_000_001, bytes: 34_600_000 };
		let parts = Parts::of(&price, &Parameters::default().split).unwrap();
		assert_eq!(parts.total(), price.total());
		assert_eq!(Parts::of(&price, &[1, 0, 0, 0, 0, 0]), None);
	}

	#[test]
	fn authors_should_share_their_pool_up_to_a_planck_each() {
		let pools = Pools { workers: 0, authors: 1_000_003 };
		for authors in [1, 7, 20, 3_600] {
			let paid = pools.paid_to_authors(3_600, authors);
			assert!(paid <= 1_000_003 && paid + u128::from(authors) > 1_000_003, "{authors}");
		}
		assert_eq!(pools.paid_to_authors(3_600, 0), 0);
	}
}
