//! How the demo speaks: steps with a spinner, amounts, hashes and accounts in a short form.

use anyhow::{Context, Result};
use aria_primitives::{
	consent::{Consent, RewardMode, Schedule, Window, DAY_MINUTES},
	AccountId, Balance, ARIA,
};
use indicatif::ProgressBar;
use sp_core::H256;
use std::{future::Future, time::Duration};

/// How fast the spinner turns.
const TICK: Duration = Duration::from_millis(100);
/// Digits of an ARIA behind the point.
const DECIMALS: usize = 12;
/// Days in the order of a schedule's bits.
const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/// A line that something new begins with.
pub fn heading(text: &str) {
	println!("\n{text}\n");
}

/// A line beside the steps.
pub fn note(text: &str) {
	println!("  {text}");
}

/// A line for something that is done.
pub fn done(name: &str, text: &str) {
	println!("  ✓ {name:<10} {text}");
}

/// Turns a spinner on the terminal while `work` is under way. Its error says what was being done.
pub async fn step<T>(what: &str, work: impl Future<Output = Result<T>>) -> Result<T> {
	let spinner = ProgressBar::new_spinner().with_message(what.to_owned());
	spinner.enable_steady_tick(TICK);
	let outcome = work.await;
	spinner.finish_and_clear();
	outcome.with_context(|| format!("this failed: {what}"))
}

/// An amount in planck, in ARIA.
pub fn aria(amount: Balance) -> String {
	let (whole, rest) = (amount / ARIA, amount % ARIA);
	let digits = format!("{rest:0DECIMALS$}");
	match digits.trim_end_matches('0') {
		"" => format!("{whole} ARIA"),
		rest => format!("{whole}.{rest} ARIA"),
	}
}

/// The beginning and the end of a hash.
pub fn hash(hash: H256) -> String {
	short(&format!("{hash:?}"))
}

/// The beginning and the end of an address.
pub fn account(account: &AccountId) -> String {
	short(&account.to_string())
}

/// The beginning and the end of a long text in ASCII.
pub fn short(text: &str) -> String {
	match (text.get(..8), text.len().checked_sub(6).and_then(|end| text.get(end..))) {
		(Some(start), Some(end)) if text.len() > 16 => format!("{start}…{end}"),
		_ => text.to_owned(),
	}
}

/// A consent in words, line by line.
pub fn consent(consent: &Consent) -> Vec<String> {
	let tasks: Vec<String> = consent.task_types.iter().map(|task| format!("{task:?}")).collect();
	let preference = &consent.reward_preference;
	let earnings = match preference.mode {
		RewardMode::Keep => format!("earnings go to {}", account(&preference.payout)),
		RewardMode::Donate => "earnings are donated".to_owned(),
	};
	vec![
		format!(
			"{} % of its CPUs, {} MiB of memory, {} Mbit/s",
			consent.cpu_percent, consent.max_memory_mb, consent.max_bandwidth_mbps
		),
		format!("{}, for {}", schedule(&consent.schedule), tasks.join(" and ")),
		format!("at least {} a token; {earnings}", aria(preference.minimum_price)),
	]
}

fn schedule(schedule: &Schedule) -> String {
	let days = if schedule.days == Schedule::ALL_DAYS {
		"every day".to_owned()
	} else {
		let chosen = DAYS.iter().enumerate().filter(|(bit, _)| (schedule.days >> bit) & 1 == 1);
		chosen.map(|(_, day)| *day).collect::<Vec<_>>().join(" ")
	};
	let hours = if schedule.windows.contains(&Window::ALL_DAY) {
		"at any hour".to_owned()
	} else {
		schedule.windows.iter().map(window).collect::<Vec<_>>().join(", ")
	};
	format!("{days} {hours} (UTC{:+} min)", schedule.utc_offset_minutes)
}

fn window(window: &Window) -> String {
	let clock = |minute: u16| format!("{:02}:{:02}", minute / 60, minute % 60);
	format!("{}–{}", clock(window.from), clock(window.to.min(DAY_MINUTES)))
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn amounts_should_be_shown_without_needless_zeros() {
		assert_eq!(aria(0), "0 ARIA");
		assert_eq!(aria(50 * ARIA), "50 ARIA");
		assert_eq!(aria(ARIA / 2), "0.5 ARIA");
		assert_eq!(aria(1), "0.000000000001 ARIA");
	}

	#[test]
	fn long_texts_should_be_shortened() {
		assert_eq!(short("0123456789abcdefg"), "01234567…bcdefg");
		assert_eq!(short("0123456789abcdef"), "0123456789abcdef");
	}

	#[test]
	fn windows_should_be_shown_as_clocks_do() {
		assert_eq!(window(&Window { from: 1_320, to: 450 }), "22:00–07:30");
	}
}
