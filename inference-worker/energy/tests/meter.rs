//! The meter on a machine made of files.
#![allow(clippy::unwrap_used, missing_docs)]

use aria_energy::{EnergySource, Meter, MeterConfig, PowerModel, ProcessCpu, ThreadCpu};
use std::{
	fs,
	path::PathBuf,
	sync::{Arc, Mutex, MutexGuard, PoisonError},
	time::{Duration, Instant},
};
use tempfile::TempDir;

/// The tests burn CPU time in one process, and measure its.
static ALONE: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
	ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Machine {
	root: TempDir,
}

impl Machine {
	fn new() -> Self {
		let machine = Self { root: tempfile::tempdir().unwrap() };
		let package = machine.package();
		fs::create_dir_all(&package).unwrap();
		fs::write(package.join("name"), "package-0\n").unwrap();
		fs::write(package.join("max_energy_range_uj"), "262143328850\n").unwrap();
		machine.set_energy(1_000_000);
		machine.set_busy(0);
		machine
	}

	fn package(&self) -> PathBuf {
		self.root.path().join("powercap/intel-rapl:0")
	}

	fn set_energy(&self, microjoules: u64) {
		// In one piece, since a sample may be taken at any time.
		let next = self.root.path().join("next");
		fs::write(&next, format!("{microjoules}\n")).unwrap();
		fs::rename(&next, self.package().join("energy_uj")).unwrap();
	}

	fn set_busy(&self, ticks: u64) {
		fs::write(self.root.path().join("stat"), format!("cpu  {ticks} 0 0 9 9 0 0 0 0 0\n"))
			.unwrap();
	}

	fn config(&self) -> MeterConfig {
		MeterConfig {
			powercap: self.root.path().join("powercap"),
			proc_stat: self.root.path().join("stat"),
			// Samples are taken where sessions end.
			interval: Duration::from_secs(3600),
			model: PowerModel::new(1.0, 5.0).unwrap(),
			logical_cpus: 4,
			hardware: true,
		}
	}

	fn meter(&self) -> Arc<Meter> {
		Meter::detect(self.config())
	}
}

fn burn(cpu: Duration) {
	let until = ThreadCpu::now() + cpu;
	let mut sum = 0u64;
	while ThreadCpu::now() < until {
		for step in 0..1000u64 {
			sum = std::hint::black_box(sum.wrapping_add(step));
		}
	}
}

fn milliseconds(count: u64) -> Duration {
	Duration::from_millis(count)
}

#[test]
fn a_session_should_bear_its_share_of_what_the_package_took() {
	let _alone = alone();
	let machine = Machine::new();
	let meter = machine.meter();
	let span = meter.begin();
	let unit = span.compute(1);
	burn(milliseconds(100));
	drop(unit);
	// The machine used 10 s of CPU time and 50 J meanwhile.
	machine.set_busy(1000);
	machine.set_energy(51_000_000);
	let energy = span.end();
	assert_eq!(energy.source, EnergySource::Rapl);
	let expected = energy.cpu.as_secs_f64() * 5_000.0;
	assert!((energy.mj as f64 - expected).abs() <= 1.0, "{energy:?}");
	assert!(energy.cpu >= milliseconds(100) && energy.wall >= milliseconds(100), "{energy:?}");
}

#[test]
fn sessions_should_not_bear_more_than_there_was() {
	let _alone = alone();
	let machine = Machine::new();
	let meter = machine.meter();
	let spans = [meter.begin(), meter.begin(), meter.begin()];
	let before = ProcessCpu::now();
	for (index, span) in spans.iter().enumerate() {
		let _unit = span.compute(1);
		burn(milliseconds(30 * (index as u64 + 1)));
	}
	// Coarser than the process's clock: it was the only one to work.
	machine.set_energy(7_000_000);
	let [first, second, third] = spans.map(|span| span.end());
	let used = ProcessCpu::now() - before;
	let sum = first.mj + second.mj + third.mj;
	assert!((5_900..=6_100).contains(&sum), "{sum} mJ of 6000");
	assert!(first.cpu + second.cpu + third.cpu <= used + milliseconds(1));
	assert!(first.mj < second.mj && second.mj < third.mj, "{first:?} {second:?} {third:?}");
}

#[test]
fn sessions_that_never_say_when_they_compute_should_get_equal_parts() {
	let _alone = alone();
	let machine = Machine::new();
	let meter = machine.meter();
	let (first, second) = (meter.begin(), meter.begin());
	burn(milliseconds(80));
	machine.set_energy(3_000_000);
	let (first, second) = (first.end(), second.end());
	let ratio = first.mj as f64 / second.mj as f64;
	assert!((0.8..=1.25).contains(&ratio), "{first:?} {second:?}");
}

#[test]
fn an_estimate_should_follow_the_model_and_say_so() {
	let _alone = alone();
	let machine = Machine::new();
	let config = MeterConfig { hardware: false, ..machine.config() };
	let meter = Meter::detect(config);
	assert_eq!(meter.source(), EnergySource::Estimate);
	let span = meter.begin();
	burn(milliseconds(60));
	let energy = span.end();
	assert_eq!(energy.source, EnergySource::Estimate);
	// Nothing else worked: 4 W at all times and 5 W for the CPU that did.
	let model = energy.wall.as_secs_f64() * 4_000.0 + energy.cpu.as_secs_f64() * 5_000.0;
	assert!((energy.mj as f64 - model).abs() <= model * 0.1 + 5.0, "{energy:?}, model {model}");
}

#[test]
fn a_counter_that_vanishes_should_leave_an_estimate() {
	let _alone = alone();
	let machine = Machine::new();
	let meter = machine.meter();
	assert_eq!(meter.source(), EnergySource::Rapl);
	let span = meter.begin();
	burn(milliseconds(60));
	fs::remove_dir_all(machine.package()).unwrap();
	let energy = span.end();
	assert_eq!(energy.source, EnergySource::Estimate);
	assert!(energy.mj > 1);
}

#[test]
fn contents_that_are_none_should_not_stop_a_session() {
	let _alone = alone();
	for text in ["", "x", "-3", "99999999999999999999999", "\u{0}"] {
		let machine = Machine::new();
		let meter = machine.meter();
		let span = meter.begin();
		burn(milliseconds(55));
		fs::write(machine.package().join("energy_uj"), text).unwrap();
		fs::write(machine.root.path().join("stat"), text).unwrap();
		let energy = span.end();
		assert_eq!(energy.source, EnergySource::Estimate, "{text:?}");
		assert!(energy.mj > 1, "{text:?}");
	}
}

#[test]
fn a_session_that_did_nothing_should_have_the_least_energy() {
	let _alone = alone();
	let machine = Machine::new();
	let energy = machine.meter().begin().end();
	assert!(energy.mj >= 1);
	assert!(energy.cpu < milliseconds(50));
}

#[test]
fn time_that_a_caller_measured_should_cost_what_it_cost_then() {
	let _alone = alone();
	let machine = Machine::new();
	let meter = machine.meter();
	let before = Instant::now();
	let estimated = meter.attribute(milliseconds(1000), before, Instant::now());
	assert_eq!((estimated.mj, estimated.source), (6_000, EnergySource::Estimate));
	let span = meter.begin();
	let from = Instant::now();
	burn(milliseconds(60));
	machine.set_busy(100);
	machine.set_energy(3_000_000);
	// 2 J for a second of CPU time.
	let energy = meter.attribute(milliseconds(500), from, Instant::now());
	assert_eq!(energy.source, EnergySource::Rapl);
	assert!((1_000..=1_001).contains(&energy.mj), "{energy:?}");
	span.end();
}

#[test]
fn a_thread_should_sample_while_there_are_sessions() {
	let _alone = alone();
	let machine = Machine::new();
	let config = MeterConfig { interval: milliseconds(50), ..machine.config() };
	let meter = Meter::detect(config);
	let span = meter.begin();
	let from = Instant::now();
	for step in 1..=50 {
		machine.set_energy(1_000_000 + step * 100_000);
		burn(milliseconds(20));
	}
	// What is sampled from here on is estimated.
	fs::remove_dir_all(machine.package()).unwrap();
	let energy = meter.attribute(milliseconds(1), from, from + milliseconds(40));
	assert_eq!(energy.source, EnergySource::Rapl);
	drop(span);
}
