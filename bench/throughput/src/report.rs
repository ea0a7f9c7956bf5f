//! What was measured, as a table and as JSON.

use crate::{
	load::Limit,
	measure::{Execution, Import, Limits},
};
use serde::Serialize;
use std::{env, fs};

/// Everything that was measured.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
	/// The processor's model.
	pub cpu: String,
	/// What blocks may have.
	pub limits: Limits,
	/// Checking one signature, in microseconds.
	pub signature_us: f64,
	/// Full blocks that settle records.
	pub settling: Vec<Execution>,
	/// Full blocks of other calls that might be heavy.
	pub heavy: Vec<Execution>,
	/// Imports.
	pub imports: Vec<Import>,
	/// Whether the block that took longest took no longer than a block may.
	pub passed: bool,
}

impl Report {
	/// `imports` are of some of the loads of `settling`.
	pub fn new(
		limits: Limits,
		signature_us: f64,
		settling: Vec<Execution>,
		heavy: Vec<Execution>,
		imports: Vec<Import>,
	) -> Self {
		let mut report =
			Self { cpu: cpu(), limits, signature_us, settling, heavy, imports, passed: false };
		report.passed =
			report.heaviest().is_some_and(|heaviest| heaviest.median_ms <= limits.block_ms);
		report
	}

	/// The block whose execution took longest.
	fn heaviest(&self) -> Option<&Execution> {
		let all = self.settling.iter().chain(&self.heavy);
		all.max_by(|a, b| a.median_ms.total_cmp(&b.median_ms))
	}

	/// The report as text.
	pub fn text(&self) -> String {
		let Limits { block_ms, normal_ms, bytes } = self.limits;
		let mut lines = vec![
			self.cpu.clone(),
			format!(
				"A block may weigh {block_ms:.0} ms, its normal calls {normal_ms:.0} ms and {} KiB.",
				bytes / 1024
			),
			format!("Checking one sr25519 signature takes {:.1} µs.", self.signature_us),
			String::new(),
			"Execution of one full block:".into(),
		];
		lines
			.extend(table(EXECUTION, self.settling.iter().chain(&self.heavy).map(|r| self.row(r))));
		lines.extend([String::new(), "Import into a new database:".into()]);
		lines.extend(table(IMPORT, self.imports.iter().map(import_row)));
		lines.push(String::new());
		lines.extend(self.settling.iter().map(|execution| self.what_binds(execution)));
		lines.push(self.verdict());
		lines.join("\n")
	}

	fn row(&self, execution: &Execution) -> Vec<String> {
		let e = execution;
		let rate = if e.records > 0 { format!("{:.0}", e.records_per_second) } else { "-".into() };
		let passed = e.median_ms <= self.limits.block_ms;
		vec![
			e.load.clone(),
			e.records.to_string(),
			e.extrinsics.to_string(),
			format!("{} KiB", e.bytes / 1024),
			format!("{:.0} ms", e.weight_ms),
			format!("{:.0} ms", e.median_ms),
			format!("{:.0} ms", e.worst_ms),
			percent(e.median_ms / e.weight_ms),
			percent(e.signature_share),
			rate,
			limit(e.limit).into(),
			if passed { "PASS" } else { "FAIL" }.into(),
		]
	}

	fn what_binds(&self, execution: &Execution) -> String {
		let e = execution;
		format!(
			"{}: {} binds (weight {}, length {}); checking signatures is {} of the execution.",
			e.load,
			limit(e.limit),
			percent(e.normal_weight_ms / self.limits.normal_ms),
			percent(e.bytes as f64 / self.limits.bytes as f64),
			percent(e.signature_share),
		)
	}

	fn verdict(&self) -> String {
		match self.heaviest() {
			Some(heaviest) => format!(
				"{}: the heaviest block ({}) executes in {:.0} ms of {:.0} ms.",
				if self.passed { "PASS" } else { "FAIL" },
				heaviest.load,
				heaviest.median_ms,
				self.limits.block_ms
			),
			None => "FAIL: no block was measured.".into(),
		}
	}
}

const EXECUTION: &[&str] = &[
	"load",
	"records",
	"calls",
	"length",
	"weight",
	"median",
	"worst",
	"of weight",
	"signatures",
	"records/s",
	"binds",
	"limit",
];

const IMPORT: &[&str] = &["load", "blocks", "records", "imported", "on disk", "records/s"];

fn import_row(import: &Import) -> Vec<String> {
	vec![
		import.load.clone(),
		import.blocks.to_string(),
		import.records.to_string(),
		format!("{:.0} ms", import.imported_ms),
		format!("{:.0} ms", import.closed_ms),
		format!("{:.0}", import.records_per_second),
	]
}

/// How tables call it.
pub fn limit(limit: Limit) -> &'static str {
	match limit {
		Limit::Weight => "weight",
		Limit::Length => "length",
	}
}

/// As a percentage.
pub fn percent(share: f64) -> String {
	format!("{:.0} %", share * 100.0)
}

/// Lines of a table; the first column is text, the others are aligned as numbers.
pub fn table(head: &[&str], rows: impl Iterator<Item = Vec<String>>) -> Vec<String> {
	let head = head.iter().map(|title| (*title).to_owned()).collect();
	let rows: Vec<Vec<String>> = std::iter::once(head).chain(rows).collect();
	let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
	let widths: Vec<usize> = (0..columns)
		.map(|column| {
			let cells = rows.iter().filter_map(|row| row.get(column));
			cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
		})
		.collect();
	rows.iter()
		.map(|row| {
			let cells = row.iter().zip(&widths).enumerate().map(|(column, (cell, width))| {
				if column == 0 {
					format!("{cell:<width$}")
				} else {
					format!("{cell:>width$}")
				}
			});
			format!("  {}", cells.collect::<Vec<_>>().join("  "))
		})
		.collect()
}

/// The model of the processor.
pub fn cpu() -> String {
	let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
	let model = info
		.lines()
		.filter_map(|line| line.split_once(':'))
		.find(|(field, _)| field.trim() == "model name")
		.map(|(_, model)| model.trim().to_owned());
	model.unwrap_or_else(|| format!("An unnamed processor ({}).", env::consts::ARCH))
}

#[cfg(test)]
mod tests {
	use super::*;

	fn execution(load: &str, median_ms: f64) -> Execution {
		Execution {
			load: load.into(),
			records: 100,
			extrinsics: 1,
			bytes: 2_048,
			normal_weight_ms: 262.5,
			weight_ms: 300.0,
			limit: Limit::Weight,
			median_ms,
			worst_ms: median_ms,
			signatures: 10,
			signature_share: 0.25,
			records_per_second: 500.0,
		}
	}

	fn report(slowest: f64) -> Report {
		let limits = Limits { block_ms: 700.0, normal_ms: 525.0, bytes: 8_192 };
		let heavy = vec![execution("heavy", slowest)];
		Report::new(limits, 40.0, vec![execution("settle", 200.0)], heavy, Vec::new())
	}

	#[test]
	fn a_report_should_pass_if_the_slowest_block_is_fast_enough() {
		assert!(report(700.0).passed);
		assert!(!report(700.1).passed);
		assert!(report(900.0).text().ends_with("(heavy) executes in 900 ms of 700 ms."));
	}

	#[test]
	fn a_report_should_say_what_binds() {
		let text = report(100.0).text();
		let line =
			"settle: weight binds (weight 50 %, length 25 %); checking signatures is 25 % of";

		assert!(text.contains(line), "{text}");
	}

	#[test]
	fn columns_should_be_as_wide_as_their_widest_cell() {
		let rows = [vec!["ab".to_owned(), "1".to_owned()]];

		assert_eq!(table(&["a", "count"], rows.into_iter()), ["  a   count", "  ab      1"]);
	}
}
