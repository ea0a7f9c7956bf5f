//! How the demo speaks: steps with a spinner, an answer as it comes, amounts, hashes and accounts in a
//! short form.

use anyhow::{Context, Result};
use aria_primitives::{
	consent::{Consent, RewardMode, Schedule, Window, DAY_MINUTES},
	AccountId, Balance, ARIA,
};
use indicatif::ProgressBar;
use sp_core::H256;
use std::{
	future::Future,
	io::{self, Write},
	time::Duration,
};

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
	println!("  ✓ {name:<8} {text}");
}

/// A line with a value; without a name it belongs to the line before.
pub fn line(name: &str, text: &str) {
	println!("  {name:<10} {text}");
}

/// Something that turns on the terminal while something is under way, and is gone when it is dropped.
pub struct Spinner(ProgressBar);

impl Spinner {
	/// Begins with this.
	pub fn start(what: &str) -> Self {
		let bar = ProgressBar::new_spinner().with_message(what.to_owned());
		bar.enable_steady_tick(TICK);
		Self(bar)
	}

	/// What is under way now.
	pub fn now(&self, what: &str) {
		self.0.set_message(what.to_owned());
	}

	/// [`done`], above the spinner.
	pub fn done(&self, name: &str, text: &str) {
		self.0.suspend(|| done(name, text));
	}

	/// A line that belongs to the one before, above the spinner.
	pub fn note(&self, text: &str) {
		self.0.suspend(|| note(&format!("           {text}")));
	}
}

impl Drop for Spinner {
	fn drop(&mut self) {
		self.0.finish_and_clear();
	}
}

/// Turns a spinner on the terminal while `work` is under way. Its error says what was being done.
pub async fn step<T>(what: &str, work: impl Future<Output = Result<T>>) -> Result<T> {
	let spinner = Spinner::start(what);
	let outcome = work.await;
	drop(spinner);
	outcome.with_context(|| format!("this failed: {what}"))
}

/// An answer that is written as it comes.
pub struct Typing;

impl Typing {
	/// Writes the question.
	pub fn begin(question: &str) -> Self {
		println!("  > {question}\n");
		print!("  ");
		Self::flush();
		Self
	}

	/// Writes the next piece. What the terminal does not take is not worth an error.
	pub fn text(&mut self, text: &str) {
		print!("{}", text.replace('\n', "\n  "));
		Self::flush();
	}

	/// Ends the line.
	pub fn end(self) {
		println!("\n");
	}

	fn flush() {
		let _ = io::stdout().flush();
	}
}

/// A duration in milliseconds.
pub fn milliseconds(duration: Duration) -> String {
	format!("{:.0} ms", duration.as_secs_f64() * 1_000.0)
}

/// An energy given in millijoules.
pub fn joules(millijoules: u64) -> String {
	format!("{}.{:03} J", millijoules / 1_000, millijoules % 1_000)
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
	fn small_energies_should_be_told_to_the_millijoule() {
		assert_eq!(joules(7), "0.007 J");
		assert_eq!(joules(12_345), "12.345 J");
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
