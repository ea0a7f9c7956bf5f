//! Who used how much CPU time, and what it cost.

use aria_primitives::record::EnergySource;
use std::{collections::BTreeMap, time::Duration};

/// Price of CPU time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Rate {
	/// Microjoules of a second of CPU time.
	pub microjoules: f64,
	pub source: EnergySource,
}

/// What a session has used.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Account {
	/// Lanes that work for it at this moment.
	lanes: u64,
	/// Seconds of CPU time that have no price yet.
	open: f64,
	/// Seconds of CPU time in all.
	pub cpu: f64,
	pub microjoules: f64,
	/// The least of the sources that priced it; `None` before the first.
	pub source: Option<EnergySource>,
}

impl Account {
	fn price(&mut self, rate: Rate) {
		if self.open > 0.0 {
			self.microjoules += self.open * rate.microjoules;
			self.open = 0.0;
			self.source = Some(match self.source {
				Some(EnergySource::Estimate) => EnergySource::Estimate,
				_ => rate.source,
			});
		}
	}
}

/// Divides the CPU time of the process among its sessions.
///
/// Threads of an engine work for whoever's turn it is, so that no thread's clock tells a session's
/// time. At each event the CPU time of the process since the last one goes to the sessions that
/// computed in between, by lanes, and if none did, to all sessions in equal parts: what is then used
/// serves them too (activations received, tokens sent). No CPU time counts twice.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
	accounts: BTreeMap<u64, Account>,
	next: u64,
	/// CPU time of the process at the last event.
	process: Duration,
}

impl Ledger {
	pub fn is_empty(&self) -> bool {
		self.accounts.is_empty()
	}

	/// Opens an account at `process`, the CPU time of the process.
	pub fn open(&mut self, process: Duration) -> u64 {
		self.allot(process);
		let id = self.next;
		self.next += 1;
		self.accounts.insert(id, Account::default());
		id
	}

	/// From now on `lanes` more work for the session.
	pub fn start(&mut self, id: u64, lanes: u64, process: Duration) {
		self.allot(process);
		if let Some(account) = self.accounts.get_mut(&id) {
			account.lanes = account.lanes.saturating_add(lanes);
		}
	}

	/// From now on `lanes` fewer work for the session.
	pub fn stop(&mut self, id: u64, lanes: u64, process: Duration) {
		self.allot(process);
		if let Some(account) = self.accounts.get_mut(&id) {
			account.lanes = account.lanes.saturating_sub(lanes);
		}
	}

	/// Divides what the process used since the last event.
	pub fn allot(&mut self, process: Duration) {
		let used = process.saturating_sub(self.process).as_secs_f64();
		self.process = self.process.max(process);
		if used == 0.0 || self.accounts.is_empty() {
			return;
		}
		let lanes: u64 = self.accounts.values().map(|account| account.lanes).sum();
		let everyone = self.accounts.len() as f64;
		for account in self.accounts.values_mut() {
			let part = match lanes {
				0 => used / everyone,
				_ => used * (account.lanes as f64 / lanes as f64),
			};
			account.open += part;
			account.cpu += part;
		}
	}

	/// Puts a price on all CPU time that has none.
	pub fn price(&mut self, rate: Rate) {
		self.accounts.values_mut().for_each(|account| account.price(rate));
	}

	/// The same for one session.
	pub fn price_one(&mut self, id: u64, rate: Rate) {
		if let Some(account) = self.accounts.get_mut(&id) {
			account.price(rate);
		}
	}

	/// The account as it stands.
	pub fn get(&self, id: u64) -> Option<Account> {
		self.accounts.get(&id).copied()
	}

	pub fn close(&mut self, id: u64) -> Option<Account> {
		self.accounts.remove(&id)
	}
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;

	const RAPL: Rate = Rate { microjoules: 4e6, source: EnergySource::Rapl };
	const ESTIMATE: Rate = Rate { microjoules: 6e6, source: EnergySource::Estimate };

	fn seconds(seconds: f64) -> Duration {
		Duration::from_secs_f64(seconds)
	}

	fn near(left: f64, right: f64) -> bool {
		(left - right).abs() < 1e-6
	}

	#[test]
	fn cpu_time_should_go_to_sessions_that_compute_by_lanes() {
		let mut ledger = Ledger::default();
		let first = ledger.open(seconds(10.0));
		let second = ledger.open(seconds(10.0));
		ledger.start(first, 3, seconds(10.0));
		ledger.allot(seconds(12.0));
		ledger.start(second, 1, seconds(12.0));
		ledger.stop(first, 3, seconds(16.0));
		ledger.stop(second, 1, seconds(17.0));
		// None computes.
		ledger.allot(seconds(19.0));
		assert!(near(ledger.get(first).unwrap().cpu, 2.0 + 3.0 + 1.0));
		assert!(near(ledger.get(second).unwrap().cpu, 1.0 + 1.0 + 1.0));
	}

	#[test]
	fn parts_should_sum_to_what_the_process_used() {
		let mut ledger = Ledger::default();
		let ids: Vec<u64> = (0..7).map(|_| ledger.open(Duration::ZERO)).collect();
		for step in 1..=100u64 {
			let id = ids[(step * 5 % 7) as usize];
			if step % 3 == 0 {
				ledger.stop(id, step % 4, Duration::from_millis(step * 13));
			} else {
				ledger.start(id, step % 4, Duration::from_millis(step * 13));
			}
		}
		let sum: f64 = ids.iter().map(|id| ledger.close(*id).unwrap().cpu).sum();
		assert!(near(sum, 1.3));
		assert!(ledger.is_empty());
	}

	#[test]
	fn one_estimated_part_should_make_the_figure_an_estimate() {
		let mut ledger = Ledger::default();
		let [measured, mixed] = [(); 2].map(|()| ledger.open(Duration::ZERO));
		ledger.allot(seconds(2.0));
		ledger.price(RAPL);
		ledger.start(mixed, 1, seconds(2.0));
		ledger.allot(seconds(3.0));
		ledger.price(ESTIMATE);
		ledger.start(measured, 1, seconds(3.0));
		ledger.allot(seconds(5.0));
		ledger.price(RAPL);
		let measured = ledger.close(measured).unwrap();
		let mixed = ledger.close(mixed).unwrap();
		assert_eq!(measured.source, Some(EnergySource::Rapl));
		assert!(near(measured.microjoules, 2.0 * 4e6));
		assert_eq!(mixed.source, Some(EnergySource::Estimate));
		assert!(near(mixed.microjoules, 4e6 + 6e6 + 4e6));
	}

	#[test]
	fn a_price_should_hold_once() {
		let mut ledger = Ledger::default();
		let id = ledger.open(Duration::ZERO);
		ledger.allot(seconds(1.0));
		ledger.price_one(id, RAPL);
		ledger.price(ESTIMATE);
		assert!(near(ledger.get(id).unwrap().microjoules, 4e6));
	}

	#[test]
	fn unknown_sessions_and_clocks_that_go_back_should_change_nothing() {
		let mut ledger = Ledger::default();
		let id = ledger.open(seconds(5.0));
		ledger.start(99, 1, seconds(5.0));
		ledger.stop(id, 7, seconds(4.0));
		ledger.price_one(99, RAPL);
		assert!(ledger.close(99).is_none());
		assert_eq!(ledger.close(id), Some(Account::default()));
	}
}
