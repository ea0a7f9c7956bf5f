#![allow(clippy::unwrap_used, clippy::expect_used)]

mod authors;
mod claim;
mod efficiency;
mod eras;
mod explain;
mod force_new_era;
mod properties;
mod prune;
mod revoke;
mod settle;
mod support;
mod vectors;

use crate::{mock::*, types::*, Eras, Lines, Pallet};
use aria_primitives::{
	record::EnergySource,
	traits::{WorkNote, WorkSink},
	AccountId, Balance, EraIndex, ModelId,
};
use sp_runtime::StateVersion;
use std::collections::BTreeMap;

/// The account of a number.
pub fn account(number: u32) -> AccountId {
	let mut bytes = [0_u8; 32];
	bytes[..4].copy_from_slice(&number.to_le_bytes());
	bytes[31] = 1;
	AccountId::new(bytes)
}

pub fn alice() -> AccountId {
	account(1)
}

pub fn bob() -> AccountId {
	account(2)
}

pub fn model() -> ModelId {
	ModelId::repeat_byte(7)
}

/// A stage with a fee so high that only the pool bounds the reward, at the latency target.
pub fn stage(worker: AccountId, work: u128) -> WorkNote {
	WorkNote {
		worker,
		model: model(),
		work,
		energy_mj: 1_000,
		energy_source: EnergySource::Rapl,
		burnt: 1_000_000_000_000,
		latency_ms_per_token: 200,
	}
}

pub fn note(note: WorkNote) {
	<Pallet<Test> as WorkSink>::note_work(note);
}

pub fn era_info(era: EraIndex) -> EraInfo {
	Eras::<Test>::get(era).expect("the era has begun")
}

pub fn line(era: EraIndex, worker: &AccountId) -> WorkLine {
	Lines::<Test>::get(era, worker).expect("the worker has a line")
}

pub fn balance(account: &AccountId) -> Balance {
	Balances::free_balance(account)
}

/// Runs blocks until an era is settled.
pub fn settle(era: EraIndex) {
	for _ in 0..10_000 {
		if Eras::<Test>::get(era).is_some_and(|info| info.state == EraState::Settled) {
			return;
		}
		run_to(System::block_number() + 1);
	}
	panic!("era {era} is never settled");
}

/// Runs something, and checks that it changed nothing.
pub fn assert_state_unchanged<R>(action: impl FnOnce() -> R) -> R {
	let before = sp_io::storage::root(StateVersion::V1);
	let result = action();
	assert_eq!(before, sp_io::storage::root(StateVersion::V1), "the state has changed");
	result
}

/// Recomputes the payouts of an era from its lines and pool, with arithmetic of its own.
pub fn naive_payouts(era: EraIndex) -> BTreeMap<AccountId, Balance> {
	const ONE: u128 = 1_000_000;
	let info = era_info(era);
	let mut weights = BTreeMap::new();
	for (worker, line) in Lines::<Test>::iter_prefix(era) {
		let measured = |map: BTreeMap<AccountId, u32>| {
			map.get(&worker).copied().map_or(ONE, |part| u128::from(part).min(ONE))
		};
		let mean = line.latency_work.checked_div(line.work).unwrap_or(0);
		let target = u128::from(info.terms.latency_target_ms);
		let latency = if mean <= target { ONE } else { target * ONE / mean };
		let quality = measured(Uptimes::get()) * latency * measured(PassRates::get()) / (ONE * ONE);
		let expected = line.expected_energy_nj.div_ceil(ONE);
		let ceiling = u128::from(line.ceiling_ppm);
		let own = line.energy_nj.div_ceil(ONE);
		let efficiency = match (expected, own) {
			(_, 0) => ONE / 2,
			(0, _) => ONE.min(ceiling),
			(expected, own) => (expected * ONE / own).clamp(ONE / 2, ceiling),
		};
		weights.insert(worker, (line.work * quality * efficiency / (ONE * ONE), line.burnt));
	}
	let total: u128 = weights.values().map(|(weight, _)| weight).sum();
	let payout = |weight: u128, burnt: u128| {
		let share = (info.worker_pool * weight).checked_div(total).unwrap_or(0);
		let capped = info.terms.rate_cap * weight / 1_000_000_000_000;
		share.min(capped).min(burnt * u128::from(info.terms.beta_ppm) / ONE)
	};
	weights.into_iter().map(|(worker, (weight, burnt))| (worker, payout(weight, burnt))).collect()
}

/// Checks a settled era against [`naive_payouts`], to the planck.
pub fn assert_paid_as_recomputed(era: EraIndex) {
	let info = era_info(era);
	assert_eq!(info.state, EraState::Settled);
	let expected = naive_payouts(era);
	for (worker, line) in Lines::<Test>::iter_prefix(era) {
		let paid = line.payout.map_or(0, |payout| payout.amount);
		assert_eq!(paid, expected[&worker], "payout of {worker:?}");
	}
	let sum: Balance = expected.values().sum();
	assert_eq!(info.paid_workers, sum);
	assert!(sum <= info.worker_pool);
}
