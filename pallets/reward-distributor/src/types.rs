//! What is stored about an era and the work in it.

use aria_math::{
	efficiency::{CEILING_ATTESTED_PPM, CEILING_ESTIMATE_PPM, CEILING_SELF_MEASURED_PPM},
	reward::{burn_bound, RATE_UNIT},
	wide::{mul_div_ceil, mul_div_floor},
};
use aria_primitives::{
	record::EnergySource, traits::WorkNote, AccountId, Balance, BlockNumber, EraIndex, Ppm,
};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// Nanojoules of a millijoule.
pub const NANO_PER_MILLI: u128 = 1_000_000;

/// The era in which work counts now.
#[derive(
	Clone,
	Copy,
	PartialEq,
	Eq,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
	Debug,
)]
pub struct EraPosition {
	/// Its number; the first is 0.
	pub index: EraIndex,
	/// Its first block.
	pub start: BlockNumber,
}

/// Parameters of an era, fixed when it begins: who works in it knows what it will be paid by.
#[derive(
	Clone,
	Copy,
	PartialEq,
	Eq,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
	Debug,
	Default,
)]
pub struct Terms {
	/// Part of the era's emission that goes to block authors, in parts per million.
	pub author_share_ppm: Ppm,
	/// Most that emission pays for work, as a part of the fees burnt on it, in parts per million.
	pub beta_ppm: Ppm,
	/// Highest base rate, in planck per 10^12 units of weighted work.
	pub rate_cap: u128,
	/// How far below the cap the base rate may fall before burnt fees stop supporting more work: to
	/// a sixteenth of it for 16.
	pub dilution: u32,
	/// Latency up to which the latency score is 1, in milliseconds a new token.
	pub latency_target_ms: u32,
}

impl Terms {
	/// Most work that counts for `burnt` planck of fees: as much as earns all that the burn bound
	/// allows at a base rate of `rate_cap / dilution`, with quality and efficiency of 1; rounded
	/// down.
	///
	/// At higher rates more work would earn no more. To bring the rate down that far takes
	/// `pool / β` of burnt fees, whoever pays them.
	pub fn supported_work(&self, burnt: Balance) -> u128 {
		let scale = u128::from(self.dilution).saturating_mul(RATE_UNIT);
		mul_div_floor(burn_bound(burnt, self.beta_ppm), scale, self.rate_cap).unwrap_or(0)
	}
}

/// What of a stage counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Counted {
	/// Work that its burnt fees support, in thousands of parameter-tokens.
	pub work: u128,
	/// The same part of its energy, in nanojoules, rounded up, so that energy for a unit of work is
	/// what it was.
	pub energy_nj: u128,
}

impl Counted {
	/// What of a stage counts under the terms of its era.
	pub fn of(note: &WorkNote, terms: &Terms) -> Self {
		let energy_nj = u128::from(note.energy_mj).saturating_mul(NANO_PER_MILLI);
		let supported = terms.supported_work(note.burnt);
		if note.work <= supported {
			return Self { work: note.work, energy_nj };
		}
		let energy_nj = mul_div_ceil(energy_nj, supported, note.work).unwrap_or(energy_nj);
		Self { work: supported, energy_nj }
	}
}

/// Where an era stands. A cursor is the last account that was dealt with.
#[derive(
	Clone,
	PartialEq,
	Eq,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
	Debug,
	Default,
)]
pub enum EraState {
	/// Work counts in it.
	#[default]
	#[codec(index = 0)]
	Open,
	/// Over; it waits until audits of its records are through.
	#[codec(index = 1)]
	Closed,
	/// The factors of its workers are being fixed, and their weighted work is added up.
	#[codec(index = 2)]
	Summing {
		/// The last worker.
		cursor: Option<AccountId>,
	},
	/// Its block authors are being paid.
	#[codec(index = 3)]
	PayingAuthors {
		/// The last author.
		cursor: Option<AccountId>,
	},
	/// Its workers are being paid.
	#[codec(index = 4)]
	PayingWorkers {
		/// The last worker.
		cursor: Option<AccountId>,
	},
	/// Everybody was paid.
	#[codec(index = 5)]
	Settled,
}

impl EraState {
	/// Whether the weighted work of all workers is known for good.
	pub fn is_summed(&self) -> bool {
		matches!(self, Self::PayingAuthors { .. } | Self::PayingWorkers { .. } | Self::Settled)
	}
}

/// An era.
#[derive(
	Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo, Debug,
)]
pub struct EraInfo {
	/// Its first block.
	pub start: BlockNumber,
	/// One past its last block, once it is over.
	pub end: Option<BlockNumber>,
	/// Emission for workers, in planck; while the era is open, what it will be if the era ends when
	/// it is due to.
	pub worker_pool: Balance,
	/// Emission for block authors, in planck; as above while the era is open.
	pub author_pool: Balance,
	/// Parameters.
	pub terms: Terms,
	/// Workers with work in it.
	pub workers: u32,
	/// Work of all workers that counts, in thousands of parameter-tokens.
	pub total_work: u128,
	/// Weighted work of all workers whose factors are fixed.
	pub total_weighted: u128,
	/// Weighted work of all workers by the factors that each had when its last stage was noted: what
	/// explanations go by until all factors are fixed.
	pub expected_weighted: u128,
	/// Blocks whose author is known.
	pub authored: u32,
	/// Awarded to workers, in planck, whether minted or kept for a claim.
	pub paid_workers: Balance,
	/// Awarded to block authors, in planck, whether minted or kept for a claim.
	pub paid_authors: Balance,
	/// What of both was minted at once, in planck.
	pub minted: Balance,
	/// Where it stands.
	pub state: EraState,
}

impl EraInfo {
	/// Emission scheduled for the era, in planck.
	pub fn pool(&self) -> Balance {
		self.worker_pool.saturating_add(self.author_pool)
	}

	/// Awarded in the era, in planck, whether minted or kept for a claim.
	pub fn paid(&self) -> Balance {
		self.paid_workers.saturating_add(self.paid_authors)
	}
}

/// Factors of a worker's reward, in parts per million but for `weighted`.
#[derive(
	Clone,
	Copy,
	PartialEq,
	Eq,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
	Debug,
	Default,
)]
pub struct LineFactors {
	/// Part of the era in which the worker could be reached; the whole where nobody measures it.
	pub uptime_ppm: Ppm,
	/// Latency score.
	pub latency_ppm: Ppm,
	/// Audits passed; the whole where there was none.
	pub audit_ppm: Ppm,
	/// Quality out of these three.
	pub quality_ppm: Ppm,
	/// Efficiency.
	pub efficiency_ppm: Ppm,
	/// work × quality × efficiency, in thousands of parameter-tokens.
	pub weighted: u128,
}

/// What a worker was awarded.
#[derive(
	Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo, Debug,
)]
pub struct Payout {
	/// To whom, by the worker's consent at that time.
	pub account: AccountId,
	/// How much, in planck.
	pub amount: Balance,
}

/// Work of one worker in one era: sums over its signed stages as far as they count.
#[derive(
	Clone,
	PartialEq,
	Eq,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
	Debug,
	Default,
)]
pub struct WorkLine {
	/// Work, in thousands of parameter-tokens.
	pub work: u128,
	/// Stages; a record in which the worker ran two counts twice.
	pub records: u32,
	/// Energy, in nanojoules, so that the part of one token is not rounded away.
	pub energy_nj: u128,
	/// Energy at the network's average for the same models, in nanojoules.
	pub expected_energy_nj: u128,
	/// Largest efficiency that the sources of the energy figures allow, in parts per million: the
	/// lowest ceiling among the stages, for a sum is no better than its worst part.
	pub ceiling_ppm: Ppm,
	/// Sum of latency × work, with latency in milliseconds a new token.
	pub latency_work: u128,
	/// Fees burnt, in planck.
	pub burnt: Balance,
	/// Weighted work by the factors when the last stage was noted.
	pub expected_weighted: u128,
	/// Factors, once they are fixed.
	pub factors: Option<LineFactors>,
	/// What was awarded, if anything.
	pub payout: Option<Payout>,
}

impl WorkLine {
	/// Adds what counts of a stage, whose energy at the network's average would have been
	/// `expected_energy_nj`.
	pub fn add(
		&mut self,
		note: &WorkNote,
		counted: &Counted,
		expected_energy_nj: u128,
		ceiling_ppm: Ppm,
	) {
		self.ceiling_ppm =
			if self.records == 0 { ceiling_ppm } else { self.ceiling_ppm.min(ceiling_ppm) };
		self.records = self.records.saturating_add(1);
		self.work = self.work.saturating_add(counted.work);
		self.energy_nj = self.energy_nj.saturating_add(counted.energy_nj);
		self.expected_energy_nj = self.expected_energy_nj.saturating_add(expected_energy_nj);
		let latency_work = u128::from(note.latency_ms_per_token).saturating_mul(counted.work);
		self.latency_work = self.latency_work.saturating_add(latency_work);
		self.burnt = self.burnt.saturating_add(note.burnt);
	}

	/// Takes out what [`WorkLine::add`] added.
	pub fn remove(&mut self, note: &WorkNote, counted: &Counted, expected_energy_nj: u128) {
		self.records = self.records.saturating_sub(1);
		self.work = self.work.saturating_sub(counted.work);
		self.energy_nj = self.energy_nj.saturating_sub(counted.energy_nj);
		self.expected_energy_nj = self.expected_energy_nj.saturating_sub(expected_energy_nj);
		let latency_work = u128::from(note.latency_ms_per_token).saturating_mul(counted.work);
		self.latency_work = self.latency_work.saturating_sub(latency_work);
		self.burnt = self.burnt.saturating_sub(note.burnt);
	}

	/// Latency weighted by work, in milliseconds a new token, rounded down; 0 without work.
	pub fn latency_ms(&self) -> u64 {
		let mean = self.latency_work.checked_div(self.work).unwrap_or(0);
		u64::try_from(mean).unwrap_or(u64::MAX)
	}

	/// Energy, in millijoules, rounded up.
	pub fn energy_mj(&self) -> u128 {
		self.energy_nj.div_ceil(NANO_PER_MILLI)
	}

	/// Energy at the network's average, in millijoules, rounded up as well.
	pub fn expected_energy_mj(&self) -> u128 {
		self.expected_energy_nj.div_ceil(NANO_PER_MILLI)
	}
}

/// Energy and work of one model in one era, as far as they count.
#[derive(
	Clone,
	Copy,
	PartialEq,
	Eq,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
	Debug,
	Default,
)]
pub struct ModelUse {
	/// Energy, in nanojoules.
	pub energy_nj: u128,
	/// Work, in thousands of parameter-tokens.
	pub work: u128,
}

/// Largest efficiency for a source of energy figures, in parts per million. A meter counts as such
/// only if its key is registered; otherwise it is the worker's own word.
pub fn efficiency_ceiling(source: EnergySource, meter_registered: bool) -> Ppm {
	match source {
		EnergySource::Estimate => CEILING_ESTIMATE_PPM,
		EnergySource::Meter if meter_registered => CEILING_ATTESTED_PPM,
		EnergySource::Rapl | EnergySource::Powermetrics | EnergySource::Meter => {
			CEILING_SELF_MEASURED_PPM
		}
	}
}
