//! powermetrics on reports as the program writes them.
#![allow(clippy::unwrap_used, missing_docs)]

use aria_energy::powermetrics::{Counted, Parser, Powermetrics, Report};
use std::{
	process::Command,
	time::{Duration, Instant},
};

const APPLE: &str = include_str!("fixtures/apple-silicon.txt");
const INTEL: &str = include_str!("fixtures/intel.txt");

fn reports(text: &str) -> Vec<Report> {
	let mut parser = Parser::default();
	text.lines().filter_map(|line| parser.line(line)).collect()
}

fn close(left: Duration, right: Duration) -> bool {
	left.abs_diff(right) < Duration::from_micros(10)
}

#[test]
fn reports_of_apple_silicon_should_give_energy_and_busy_time() {
	let reports = reports(APPLE);
	assert_eq!(reports.len(), 2);
	assert_eq!(reports[0].elapsed, Duration::from_secs(1));
	assert_eq!(reports[0].microjoules, 8_250_000);
	assert!(close(reports[0].busy.unwrap(), Duration::from_millis(2000)));
	// Twice as long.
	assert_eq!(reports[1].microjoules, 3_000_000);
	assert!(close(reports[1].busy.unwrap(), Duration::from_secs(1)));
}

#[test]
fn reports_of_intel_should_give_the_energy_of_the_package() {
	let reports = reports(INTEL);
	assert_eq!(reports.len(), 1);
	assert_eq!(reports[0].microjoules, 2_750_000);
	assert_eq!(reports[0].busy, None);
}

#[test]
fn odd_reports_should_count_nothing() {
	let header = "*** Sampled system activity (now) (1000.00ms elapsed) ***";
	for power in [
		"CPU Power: mW",
		"CPU Power: -5 mW",
		"CPU Power: NaN mW",
		"CPU Power: inf W",
		"CPU Power: 99999999999999 mW",
		"CPU Power: 5",
		"GPU Power: 5 mW",
		"Combined Power (CPU + GPU + ANE): 5 mW",
	] {
		assert!(reports(&format!("{header}\n{power}\n")).is_empty(), "{power}");
	}
	for header in [
		"",
		"*** Sampled system activity ***",
		"*** Sampled system activity (now) (-1ms elapsed) ***",
		"*** Sampled system activity (now) (NaNms elapsed) ***",
		"*** Sampled system activity (now) (1e300ms elapsed) ***",
	] {
		assert!(reports(&format!("{header}\nCPU Power: 5 mW\n")).is_empty(), "{header}");
	}
	// Residencies that are none leave the energy.
	let text =
		format!("{header}\nCPU 0 idle residency: 900%\nCPU x idle residency: 1%\nCPU Power: 5 mW");
	assert_eq!(reports(&text)[0].busy, None);
	// A second line of power in the same report.
	let text = format!("{header}\nCPU Power: 5 mW\nCPU Power: 5 mW\n");
	assert_eq!(reports(&text).len(), 1);
}

#[cfg(unix)]
#[test]
fn a_process_should_be_read_and_its_end_noticed() {
	let fixture = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/apple-silicon.txt");
	let mut command = Command::new("cat");
	command.arg(fixture);
	let mut powermetrics = Powermetrics::start(command).unwrap();
	let (mut microjoules, mut busy) = (0, Duration::ZERO);
	let give_up = Instant::now() + Duration::from_secs(20);
	let error = loop {
		assert!(Instant::now() < give_up, "the end of the process was not noticed");
		match powermetrics.advance() {
			Ok(Some(Counted { microjoules: more, busy: worked })) => {
				microjoules += more;
				busy += worked.unwrap();
			}
			Ok(None) => std::thread::sleep(Duration::from_millis(2)),
			Err(error) => break error,
		}
	};
	assert!(error.to_string().contains("ended"));
	assert_eq!(microjoules, 11_250_000);
	assert!(close(busy, Duration::from_secs(3)));
}

#[cfg(unix)]
#[test]
fn a_process_that_writes_an_endless_line_should_be_given_up() {
	let mut powermetrics = Powermetrics::start({
		let mut command = Command::new("head");
		command.args(["-c", "1000000", "/dev/zero"]);
		command
	})
	.unwrap();
	let give_up = Instant::now() + Duration::from_secs(20);
	while powermetrics.advance().is_ok() {
		assert!(Instant::now() < give_up, "the line was read on");
		std::thread::sleep(Duration::from_millis(2));
	}
}

#[test]
fn a_program_that_is_absent_should_be_an_error() {
	assert!(Powermetrics::start(Command::new("/nonexistent/powermetrics")).is_err());
}
