//! The same arguments give the same files, to the byte, on any number of processors; and what is
//! committed is what they give.

#![allow(clippy::unwrap_used)]

use aria_simulations::{
	document,
	economics::{
		figures,
		history::History,
		report,
		study::{Outcome, Study},
		Scenario, Setting,
	},
};
use std::{collections::BTreeMap, fs, path::PathBuf};

fn docs() -> PathBuf {
	PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs")
}

/// All files of a year of one scenario, computed by so many threads.
fn files(threads: usize, seed: u64) -> BTreeMap<String, String> {
	let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
	let studies = pool.install(|| [Study::run(Scenario::Fast, 1, seed, || ()).unwrap()]);
	let sections = report::sections(&studies, 1, seed);
	let all = report::files(&studies).into_iter().chain(figures::files(&studies));
	all.chain(sections).collect()
}

/// The runs at the defaults alone.
fn defaults() -> Vec<Study> {
	let studies = Scenario::ALL.map(|scenario| {
		let history = History::run(&Setting::new(scenario), 10, 1).unwrap();
		Study {
			scenario,
			outcome: Outcome::of(&history),
			history,
			kwh: Vec::new(),
			floors: Vec::new(),
			turned: Vec::new(),
		}
	});
	studies.into()
}

#[test]
fn reruns_should_be_identical_to_the_bit() {
	let first = files(1, 1);
	assert_eq!(first, files(3, 1));
	assert_ne!(first, files(1, 2), "another seed gives other numbers");
}

#[test]
fn the_document_should_have_a_place_for_every_section_and_no_other() {
	let text = fs::read_to_string(docs().join("economics.md")).unwrap();
	let updated = document::update(&text, "economics", &report::sections(&defaults(), 10, 1));
	assert!(updated.is_ok(), "{updated:?}");
}

#[test]
fn the_document_should_name_every_figure_and_table() {
	let text = fs::read_to_string(docs().join("economics.md")).unwrap();
	let studies = defaults();
	for (name, _) in report::files(&studies).into_iter().chain(figures::files(&studies)) {
		assert!(text.contains(&format!("economics/{name}")), "docs/economics.md lacks {name}");
	}
}

#[test]
fn the_committed_tables_should_be_what_a_run_makes() {
	for (name, made) in report::files(&defaults()) {
		if !["months.csv", "years.csv"].contains(&name.as_str()) {
			continue;
		}
		let committed =
			fs::read_to_string(docs().join("economics").join(&name)).unwrap_or_default();
		assert!(made == committed, "docs/economics/{name} is not up to date: run `make economics`");
	}
}
