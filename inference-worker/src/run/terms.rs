//! The consent on chain, and what the configuration says of it.
//!
//! What the configuration leaves open stays as it is on chain. A consent that allows more than the one
//! on chain, or follows one that was withdrawn, is set only if the contributor says so: a forgotten file
//! must not take back a change of mind.

use super::config::hours;
use aria_primitives::{
	consent::{
		Consent, RewardMode, RewardPreference, Schedule, TaskType, Window, DAY_MINUTES,
		MAX_TASK_TYPES, MAX_WINDOWS,
	},
	AccountId, Balance, Moment, ARIA,
};
use sp_runtime::BoundedVec;

/// Share of all CPUs, if nobody says.
const DEFAULT_CPU_PERCENT: u8 = 25;
/// Megabits a second, if nobody says.
const DEFAULT_BANDWIDTH_MBPS: u32 = 50;
/// Mebibytes, if nobody says.
const DEFAULT_MEMORY_MB: u32 = 2_048;
/// Minutes of a week, after which every schedule repeats itself.
const WEEK: u64 = 7 * DAY_MINUTES as u64;
const MINUTE: Moment = 60_000;

/// What the configuration says of the consent; `None` is left as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Terms {
	/// Share of all logical CPUs.
	pub cpu_percent: Option<u8>,
	/// Bits of [`Schedule::days`].
	pub days: Option<u8>,
	/// Windows of each of these days.
	pub windows: Option<Vec<Window>>,
	/// Local time minus UTC, in minutes.
	pub utc_offset_minutes: Option<i16>,
	/// Kinds of work.
	pub tasks: Option<Vec<TaskType>>,
	/// Network limit.
	pub bandwidth_mbps: Option<u32>,
	/// Memory limit.
	pub memory_mb: Option<u32>,
	/// Where earnings go.
	pub payout: Option<AccountId>,
	/// Least price of an output token, in planck.
	pub minimum_price: Option<Balance>,
	/// Keep or donate.
	pub mode: Option<RewardMode>,
	/// Whether audits are to be among the kinds of work, whatever they are besides.
	pub audit: bool,
}

impl From<super::config::ConsentFields> for Terms {
	fn from(fields: super::config::ConsentFields) -> Self {
		Self {
			cpu_percent: fields.cpu_percent,
			days: fields.days,
			windows: fields.hours,
			utc_offset_minutes: fields.utc_offset,
			tasks: fields.tasks,
			bandwidth_mbps: fields.bandwidth_mbps,
			memory_mb: fields.memory_mb,
			payout: fields.payout,
			minimum_price: fields.minimum_price.map(|amount| amount.0),
			mode: fields.mode,
			audit: false,
		}
	}
}

impl Terms {
	/// The consent of `worker` by these terms, what they leave open as in `current`, or as it is by
	/// default.
	pub fn consent(&self, worker: &AccountId, current: Option<&Consent>) -> Consent {
		let default = default_consent(worker);
		let base = current.unwrap_or(&default);
		let mut tasks = self.tasks.clone().unwrap_or_else(|| base.task_types.to_vec());
		if self.audit {
			tasks.push(TaskType::Audit);
		}
		tasks.sort_unstable();
		tasks.dedup();
		tasks.truncate(MAX_TASK_TYPES as usize);
		let mut windows = self.windows.clone().unwrap_or_else(|| base.schedule.windows.to_vec());
		windows.truncate(MAX_WINDOWS as usize);
		Consent {
			cpu_percent: self.cpu_percent.unwrap_or(base.cpu_percent),
			schedule: Schedule {
				days: self.days.unwrap_or(base.schedule.days),
				utc_offset_minutes: self
					.utc_offset_minutes
					.unwrap_or(base.schedule.utc_offset_minutes),
				windows: BoundedVec::truncate_from(windows),
			},
			task_types: BoundedVec::truncate_from(tasks),
			max_bandwidth_mbps: self.bandwidth_mbps.unwrap_or(base.max_bandwidth_mbps),
			max_memory_mb: self.memory_mb.unwrap_or(base.max_memory_mb),
			reward_preference: RewardPreference {
				payout: self
					.payout
					.clone()
					.unwrap_or_else(|| base.reward_preference.payout.clone()),
				minimum_price: self.minimum_price.unwrap_or(base.reward_preference.minimum_price),
				mode: self.mode.unwrap_or(base.reward_preference.mode),
			},
		}
	}
}

/// What a worker allows if nobody says: a quarter of its CPUs at any hour, for any price.
fn default_consent(worker: &AccountId) -> Consent {
	Consent {
		cpu_percent: DEFAULT_CPU_PERCENT,
		schedule: Schedule::always(),
		task_types: BoundedVec::truncate_from(vec![TaskType::TextGeneration]),
		max_bandwidth_mbps: DEFAULT_BANDWIDTH_MBPS,
		max_memory_mb: DEFAULT_MEMORY_MB,
		reward_preference: RewardPreference {
			payout: worker.clone(),
			minimum_price: 0,
			mode: RewardMode::Keep,
		},
	}
}

/// What to do about the consent on chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
	/// It is as the configuration wants it.
	Keep,
	/// Set this one.
	Set(Consent),
	/// The configuration allows more than the chain does; nothing is done until the contributor says so.
	Ask {
		/// What it would allow, in words.
		more: Vec<String>,
	},
}

/// What to do, where `in_force` is the consent on chain and `had_one` says whether there ever was one.
/// With `loosen` the contributor has said so.
pub fn step(
	terms: &Terms,
	worker: &AccountId,
	in_force: Option<&Consent>,
	had_one: bool,
	loosen: bool,
) -> Step {
	let wanted = terms.consent(worker, in_force);
	let Some(current) = in_force else {
		if had_one && !loosen {
			return Step::Ask { more: vec!["the consent was withdrawn".to_owned()] };
		}
		return Step::Set(wanted);
	};
	if *current == wanted {
		return Step::Keep;
	}
	let more = loosened(current, &wanted);
	if more.is_empty() || loosen {
		Step::Set(wanted)
	} else {
		Step::Ask { more }
	}
}

/// What `new` allows and `old` does not, in words; nothing if it is as strict or stricter.
pub fn loosened(old: &Consent, new: &Consent) -> Vec<String> {
	let mut more = Vec::new();
	let mut number = |what: &str, old: u64, new: u64, unit: &str| {
		if new > old {
			more.push(format!("{what}: {new} {unit} instead of {old}"));
		}
	};
	number("CPU", old.cpu_percent.into(), new.cpu_percent.into(), "%");
	number("network", old.max_bandwidth_mbps.into(), new.max_bandwidth_mbps.into(), "Mbit/s");
	number("memory", old.max_memory_mb.into(), new.max_memory_mb.into(), "MiB");
	if opens_more(&old.schedule, &new.schedule) {
		more.push(format!(
			"hours: {} instead of {}",
			hours::shown(&new.schedule),
			hours::shown(&old.schedule)
		));
	}
	for task in new.task_types.iter().filter(|task| !old.task_types.contains(task)) {
		more.push(format!("tasks: {task:?} too"));
	}
	let (was, is) = (&old.reward_preference, &new.reward_preference);
	if is.minimum_price < was.minimum_price {
		more.push(format!(
			"minimum price: {} planck instead of {}",
			is.minimum_price, was.minimum_price
		));
	}
	// Whoever can change the file must not be able to redirect what the machine earns unseen.
	if is.payout != was.payout {
		more.push(format!("earnings: to {} instead of {}", is.payout, was.payout));
	}
	if is.mode != was.mode {
		more.push(match is.mode {
			RewardMode::Donate => "earnings: donated instead of kept".to_owned(),
			RewardMode::Keep => "earnings: kept instead of donated".to_owned(),
		});
	}
	more
}

/// Whether `new` allows any minute of a week that `old` does not.
fn opens_more(old: &Schedule, new: &Schedule) -> bool {
	(0..WEEK).any(|minute| {
		// Some weeks after 1970, so that no offset leads to before it.
		let at = (4 * WEEK + minute) * MINUTE;
		new.allows(at) && !old.allows(at)
	})
}

/// A consent in one line.
pub fn shown(consent: &Consent) -> String {
	let reward = &consent.reward_preference;
	let price = reward.minimum_price;
	format!(
		"{} % of all CPUs, {}, {} Mbit/s, {} MiB, at least {}.{:012} ARIA a token, earnings {}",
		consent.cpu_percent,
		hours::shown(&consent.schedule),
		consent.max_bandwidth_mbps,
		consent.max_memory_mb,
		price / ARIA,
		price % ARIA,
		match reward.mode {
			RewardMode::Keep => format!("to {}", reward.payout),
			RewardMode::Donate => "donated".to_owned(),
		}
	)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;

	fn worker() -> AccountId {
		AccountId::new([7; 32])
	}

	fn consent(change: impl Fn(&mut Consent)) -> Consent {
		let mut consent = default_consent(&worker());
		change(&mut consent);
		consent
	}

	fn terms(change: impl Fn(&mut Terms)) -> Terms {
		let mut terms = Terms::default();
		change(&mut terms);
		terms
	}

	#[test]
	fn the_first_consent_should_be_set() {
		let step = step(&terms(|t| t.cpu_percent = Some(10)), &worker(), None, false, false);
		assert_eq!(step, Step::Set(consent(|c| c.cpu_percent = 10)));
	}

	#[test]
	fn what_is_not_configured_should_stay_as_it_is() {
		let current = consent(|c| {
			c.cpu_percent = 80;
			c.reward_preference.payout = AccountId::new([1; 32]);
		});
		assert_eq!(step(&Terms::default(), &worker(), Some(&current), true, false), Step::Keep);
		let stricter = terms(|t| t.memory_mb = Some(100));
		let mut wanted = current.clone();
		wanted.max_memory_mb = 100;
		assert_eq!(step(&stricter, &worker(), Some(&current), true, false), Step::Set(wanted));
	}

	#[test]
	fn nothing_should_be_loosened_unasked() {
		let current = consent(|_| ());
		let terms = terms(|t| {
			t.cpu_percent = Some(90);
			t.memory_mb = Some(1);
		});
		match step(&terms, &worker(), Some(&current), true, false) {
			Step::Ask { more } => assert!(more.len() == 1 && more[0].contains("90"), "{more:?}"),
			other => panic!("{other:?}"),
		}
		assert!(matches!(step(&terms, &worker(), Some(&current), true, true), Step::Set(_)));
	}

	#[test]
	fn a_withdrawn_consent_should_stay_withdrawn() {
		let terms = Terms::default();
		assert!(matches!(step(&terms, &worker(), None, true, false), Step::Ask { .. }));
		assert!(matches!(step(&terms, &worker(), None, true, true), Step::Set(_)));
	}

	#[test]
	fn every_way_to_allow_more_should_be_noticed() {
		let night = |c: &mut Consent| {
			c.schedule.windows =
				BoundedVec::truncate_from(vec![Window { from: 22 * 60, to: 7 * 60 }]);
		};
		let (old, new) = (consent(night), consent(|_| ()));
		assert_eq!(loosened(&old, &new).len(), 1);
		assert!(loosened(&new, &old).is_empty());

		let shifted = consent(|c| {
			night(c);
			c.schedule.utc_offset_minutes = 60;
		});
		assert_eq!(loosened(&old, &shifted).len(), 1);
		// The same hours, in other words.
		let same = consent(|c| {
			c.schedule.utc_offset_minutes = 60;
			c.schedule.windows =
				BoundedVec::truncate_from(vec![Window { from: 23 * 60, to: 8 * 60 }]);
		});
		assert!(loosened(&old, &same).is_empty());

		let old = consent(|c| c.reward_preference.minimum_price = 5);
		assert_eq!(loosened(&old, &new).len(), 1);
		let elsewhere = consent(|c| c.reward_preference.payout = AccountId::new([9; 32]));
		assert_eq!(loosened(&new, &elsewhere).len(), 1);
		let audits = consent(|c| {
			c.task_types =
				BoundedVec::truncate_from(vec![TaskType::TextGeneration, TaskType::Audit]);
		});
		assert_eq!(loosened(&new, &audits).len(), 1);
		assert!(loosened(&audits, &new).is_empty());
	}
}
