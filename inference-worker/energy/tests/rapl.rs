//! RAPL on folders that look like sysfs.
#![allow(clippy::unwrap_used, missing_docs)]

use aria_energy::rapl::{Rapl, RaplError};
use std::{fs, path::Path, time::Duration};

const RANGE: u64 = 262_143_328_850;
const SECOND: Duration = Duration::from_secs(1);

fn zone(root: &Path, folder: &str, name: &str, energy: u64) {
	let folder = root.join(folder);
	fs::create_dir_all(&folder).unwrap();
	fs::write(folder.join("name"), format!("{name}\n")).unwrap();
	fs::write(folder.join("max_energy_range_uj"), format!("{RANGE}\n")).unwrap();
	set(root, folder.file_name().unwrap().to_str().unwrap(), &energy.to_string());
}

fn set(root: &Path, folder: &str, energy: &str) {
	fs::write(root.join(folder).join("energy_uj"), format!("{energy}\n")).unwrap();
}

#[test]
fn packages_should_be_summed_without_parts_platform_and_repetition() {
	let root = tempfile::tempdir().unwrap();
	let zones = [
		("intel-rapl:0", "package-0"),
		("intel-rapl:0:0", "core"),
		("intel-rapl:0:1", "dram"),
		("intel-rapl:1", "package-1"),
		("intel-rapl:2", "psys"),
		("intel-rapl-mmio:0", "package-0"),
	];
	for (folder, name) in zones {
		zone(root.path(), folder, name, 1_000);
	}
	fs::create_dir(root.path().join("intel-rapl")).unwrap();
	let mut rapl = Rapl::open(root.path()).unwrap();
	assert_eq!(rapl.packages(), 2);
	for (index, (folder, _)) in zones.iter().enumerate() {
		set(root.path(), folder, &(1_000 + 10u64.pow(index as u32)).to_string());
	}
	// package-0 of the first driver and package-1.
	assert_eq!(rapl.advance(SECOND).unwrap(), 1 + 1_000);
}

#[test]
fn counters_that_go_round_should_be_followed() {
	let root = tempfile::tempdir().unwrap();
	zone(root.path(), "intel-rapl:0", "package-0", RANGE - 30_000_000);
	let mut rapl = Rapl::open(root.path()).unwrap();
	// 20 W seven times, seen every second; it goes round in the second one.
	let mut sum = 0;
	for second in 1..=7u64 {
		let value = (RANGE - 30_000_000 + second * 20_000_000) % RANGE;
		set(root.path(), "intel-rapl:0", &value.to_string());
		let counted = rapl.advance(SECOND).unwrap();
		assert_eq!(counted, 20_000_000);
		sum += counted;
	}
	assert_eq!(sum, 140_000_000);
}

#[test]
fn a_short_range_that_goes_round_again_and_again_should_be_followed() {
	let root = tempfile::tempdir().unwrap();
	zone(root.path(), "intel-rapl:0", "package-0", 0);
	let range = 65_000_000_000u64;
	fs::write(root.path().join("intel-rapl:0/max_energy_range_uj"), range.to_string()).unwrap();
	let mut rapl = Rapl::open(root.path()).unwrap();
	// Ten minutes at 400 W: three and a half rounds.
	let mut sum = 0;
	for sample in 1..=60u64 {
		set(root.path(), "intel-rapl:0", &(sample * 4_000_000_000 % range).to_string());
		sum += rapl.advance(10 * SECOND).unwrap();
	}
	assert_eq!(sum, 240_000_000_000);
}

#[test]
fn a_gap_in_which_a_counter_may_have_gone_round_should_not_be_measured() {
	let root = tempfile::tempdir().unwrap();
	zone(root.path(), "intel-rapl:0", "package-0", 5);
	let mut rapl = Rapl::open(root.path()).unwrap();
	set(root.path(), "intel-rapl:0", "10");
	let error = rapl.advance(Duration::from_secs(3600)).unwrap_err();
	assert!(matches!(error, RaplError::Implausible { .. }));
	rapl.restart().unwrap();
	set(root.path(), "intel-rapl:0", "25");
	assert_eq!(rapl.advance(SECOND).unwrap(), 15);
}

#[test]
fn odd_contents_should_be_refused() {
	let root = tempfile::tempdir().unwrap();
	zone(root.path(), "intel-rapl:0", "package-0", 5);
	let mut rapl = Rapl::open(root.path()).unwrap();
	let wrong = ["", "abc", "-1", "1e9", "18446744073709551616", "\u{0}\u{0}", "5 6"];
	for energy in wrong {
		set(root.path(), "intel-rapl:0", energy);
		let error = rapl.advance(SECOND).unwrap_err();
		assert!(matches!(error, RaplError::Unreadable { .. }), "{energy:?}: {error}");
	}
	// Beyond the range, and more than a processor can take.
	for energy in [u64::MAX, RANGE - 1] {
		set(root.path(), "intel-rapl:0", &energy.to_string());
		let error = rapl.advance(SECOND).unwrap_err();
		assert!(matches!(error, RaplError::Implausible { .. }), "{energy}: {error}");
	}
	fs::write(root.path().join("intel-rapl:0/energy_uj"), [0xff, 0xfe]).unwrap();
	assert!(rapl.advance(SECOND).is_err());
	set(root.path(), "intel-rapl:0", "7");
	assert_eq!(rapl.advance(SECOND).unwrap(), 2);
}

#[test]
fn a_counter_that_goes_back_without_a_range_should_not_be_measured() {
	let root = tempfile::tempdir().unwrap();
	zone(root.path(), "intel-rapl:0", "package-0", 500);
	for range in ["", "0", "no number"] {
		fs::write(root.path().join("intel-rapl:0/max_energy_range_uj"), range).unwrap();
		set(root.path(), "intel-rapl:0", "500");
		let mut rapl = Rapl::open(root.path()).unwrap();
		set(root.path(), "intel-rapl:0", "700");
		assert_eq!(rapl.advance(SECOND).unwrap(), 200);
		set(root.path(), "intel-rapl:0", "1");
		assert!(rapl.advance(SECOND).is_err());
	}
}

#[test]
fn a_package_that_vanishes_should_be_an_error() {
	let root = tempfile::tempdir().unwrap();
	zone(root.path(), "intel-rapl:0", "package-0", 5);
	zone(root.path(), "intel-rapl:1", "package-1", 5);
	let mut rapl = Rapl::open(root.path()).unwrap();
	fs::remove_dir_all(root.path().join("intel-rapl:1")).unwrap();
	assert!(matches!(rapl.advance(SECOND), Err(RaplError::Unreadable { .. })));
	assert!(rapl.restart().is_err());
}

#[test]
fn a_machine_without_packages_should_have_no_rapl() {
	let root = tempfile::tempdir().unwrap();
	assert!(matches!(Rapl::open(&root.path().join("absent")), Err(RaplError::Absent(_))));
	assert!(matches!(Rapl::open(root.path()), Err(RaplError::Absent(_))));
	zone(root.path(), "intel-rapl:0", "psys", 5);
	assert!(matches!(Rapl::open(root.path()), Err(RaplError::Absent(_))));
	// A package without a counter.
	let folder = root.path().join("intel-rapl:1");
	fs::create_dir(&folder).unwrap();
	fs::write(folder.join("name"), "package-0").unwrap();
	assert!(matches!(Rapl::open(root.path()), Err(RaplError::Unreadable { .. })));
}
