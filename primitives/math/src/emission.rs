//! How much may be minted: a fixed amount a block, halved every four years (paper, section 7;
//! docs/protocol/economics.md).
//!
//! Emission is what a block may add to the pools, not what is paid: what nobody earns is not
//! minted.

use crate::{Balance, ARIA};

/// What the first block emits: half an ARIA, in planck.
pub const INITIAL_BLOCK_EMISSION: Balance = 500_000_000_000;

/// Blocks between two halvings: four years of 6-second blocks (4 × 365.25 days).
pub const HALVING_INTERVAL: u64 = 21_038_400;

/// What all halvings together stay below, in planck: the supply never exceeds this plus genesis.
pub const CAP: Balance = 21_038_400 * ARIA;

/// An initial emission and the interval at which it halves.
///
/// Halving drops fractions of a planck, so that the emission ends and the sum stays below
/// [`EmissionSchedule::cap`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EmissionSchedule {
	/// What block 0 emits, in planck.
	pub initial: Balance,
	/// Blocks between two halvings; with 0 nothing is ever emitted.
	pub interval: u64,
}

impl EmissionSchedule {
	/// The protocol's own schedule.
	pub const DEFAULT: Self = Self { initial: INITIAL_BLOCK_EMISSION, interval: HALVING_INTERVAL };

	/// Emission of one block, in planck.
	pub fn block_emission(&self, block: u64) -> Balance {
		block.checked_div(self.interval).map_or(0, |halvings| self.rate_after(halvings))
	}

	/// Emission of the blocks from `from` up to, and without, `to`, in planck; 0 if `to <= from`.
	///
	/// Exact, at a cost that does not depend on the number of blocks; saturates only if the sum
	/// itself exceeds 128 bits.
	pub fn emission_between(&self, from: u64, to: u64) -> Balance {
		if to <= from {
			return 0;
		}
		let (Some(first), Some(last)) =
			(from.checked_div(self.interval), to.checked_div(self.interval))
		else {
			return 0;
		};
		if first == last {
			return self.rate_after(first).saturating_mul(u128::from(to.saturating_sub(from)));
		}
		let into_first = from.checked_rem(self.interval).unwrap_or(0);
		let into_last = to.checked_rem(self.interval).unwrap_or(0);
		let head = self
			.rate_after(first)
			.saturating_mul(u128::from(self.interval.saturating_sub(into_first)));
		let middle = self
			.sum_of_rates(first.saturating_add(1), last)
			.saturating_mul(u128::from(self.interval));
		let tail = self.rate_after(last).saturating_mul(u128::from(into_last));
		head.saturating_add(middle).saturating_add(tail)
	}

	/// Emission of all blocks before `block`, in planck.
	pub fn total_emission_until(&self, block: u64) -> Balance {
		self.emission_between(0, block)
	}

	/// What the emission never reaches, in planck: `2 × initial × interval`, saturating.
	pub const fn cap(&self) -> Balance {
		self.initial.saturating_mul(2).saturating_mul(self.interval as u128)
	}

	/// Emission of a block after so many halvings, in planck.
	fn rate_after(&self, halvings: u64) -> Balance {
		u32::try_from(halvings).ok().and_then(|n| self.initial.checked_shr(n)).unwrap_or(0)
	}

	/// The rates after `from`, `from + 1`, ... `to - 1` halvings, added up.
	fn sum_of_rates(&self, from: u64, to: u64) -> Balance {
		let (high, low) = (self.rate_after(from), self.rate_after(to.max(from)));
		// The halves of n, its quarters and so on add up to n less its number of one bits
		// (Legendre), so that the sum over a stretch is a difference of two such limits.
		let halves = |n: u128| n.saturating_sub(u128::from(n.count_ones()));
		high.saturating_sub(low).saturating_add(halves(high).saturating_sub(halves(low)))
	}
}

impl Default for EmissionSchedule {
	fn default() -> Self {
		Self::DEFAULT
	}
}

/// Emission of one block under the protocol's own schedule, in planck.
pub fn block_emission(block: u64) -> Balance {
	EmissionSchedule::DEFAULT.block_emission(block)
}

/// Emission of the blocks from `from` up to, and without, `to` under the protocol's own schedule,
/// in planck.
pub fn emission_between(from: u64, to: u64) -> Balance {
	EmissionSchedule::DEFAULT.emission_between(from, to)
}

/// Emission of all blocks before `block` under the protocol's own schedule, in planck.
pub fn total_emission_until(block: u64) -> Balance {
	EmissionSchedule::DEFAULT.total_emission_until(block)
}
