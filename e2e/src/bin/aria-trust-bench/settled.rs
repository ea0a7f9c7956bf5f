//! Settled records a second beside draws, out of what `aria-throughput --audits --json` wrote.

use crate::report::{percent, Figure, Section};
use anyhow::{Context, Result};
use aria_simulations::table::Table;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::{fs, path::Path};

/// Records a second that are to be executed and imported.
const AIM: f64 = 1_000.0;

/// The file, as far as it is looked at.
#[derive(Debug, Deserialize)]
struct Report {
	cpu: String,
	rows: Vec<Row>,
}

/// Blocks beside one kind of draws.
#[derive(Debug, Deserialize, Serialize)]
struct Row {
	draws: String,
	blocks: u32,
	records: u64,
	drawn: u64,
	drawn_share: f64,
	rounds: u64,
	weight_ms: f64,
	normal_weight_ms: f64,
	median_ms: f64,
	executed_per_second: f64,
	imported_per_second: f64,
	limit: String,
}

impl Row {
	fn name(&self) -> &str {
		match self.draws.as_str() {
			"none" => "audits off: nothing is drawn",
			"floor" => "audits on, reputation at its best",
			"all" => "audits on, newcomers",
			other => other,
		}
	}
}

/// The rates that were measured.
///
/// # Errors
/// When the file is not that of `aria-throughput --audits`.
pub fn section(path: &Path) -> Result<Section> {
	let text = fs::read_to_string(path)
		.with_context(|| format!("{} cannot be read: run aria-throughput", path.display()))?;
	let report: Report = serde_json::from_str(&text).with_context(|| {
		format!("{}: run `aria-throughput --audits --json` again", path.display())
	})?;
	Ok(of(&report))
}

fn of(report: &Report) -> Section {
	let mut table = Table::new([
		"blocks of `settle_batch`, 1 stage",
		"records",
		"drawn",
		"audits begun",
		"weight",
		"calls' weight",
		"median",
		"executed/s",
		"imported/s",
		"binds",
	]);
	let mut figures = Vec::new();
	for row in &report.rows {
		let blocks = f64::from(row.blocks.max(1));
		table.push([
			row.name().to_owned(),
			format!("{:.0}", row.records as f64 / blocks),
			format!("{:.0} ({})", row.drawn as f64 / blocks, percent(row.drawn_share)),
			format!("{:.1}", row.rounds as f64 / blocks),
			format!("{:.0} ms", row.weight_ms),
			format!("{:.0} ms", row.normal_weight_ms),
			format!("{:.0} ms", row.median_ms),
			format!("{:.0}", row.executed_per_second),
			format!("{:.0}", row.imported_per_second),
			row.limit.clone(),
		]);
		let slower = row.executed_per_second.min(row.imported_per_second);
		figures.push(Figure::aimed(
			&format!("settled records/s, executed and imported; {}", row.name()),
			format!("{:.0}, {:.0}", row.executed_per_second, row.imported_per_second),
			"at least 1 000",
			slower >= AIM,
		));
	}
	let text = format!(
		"{}. All columns but the rates are of a block in the mean.\n\n{}",
		report.cpu,
		table.markdown()
	);
	Section { name: "settled", text, json: json!({ "rows": report.rows }), figures }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;

	#[test]
	fn a_rate_should_pass_if_both_execution_and_import_are_fast_enough() {
		let row = |imported: f64| {
			let text = format!(
				r#"{{ "draws": "floor", "blocks": 2, "records": 1000, "drawn": 40, "drawn_share": 0.02,
				"rounds": 8, "weight_ms": 600.0, "normal_weight_ms": 500.0, "median_ms": 200.0,
				"worst_ms": 210.0, "executed_per_second": 2500.0, "import_ms": 1.0,
				"imported_per_second": {imported}, "limit": "weight" }}"#
			);
			Report { cpu: "x".into(), rows: vec![serde_json::from_str(&text).unwrap()] }
		};

		assert!(of(&row(1_000.0)).figures[0].aim.ends_with("PASS"));
		assert!(of(&row(999.0)).figures[0].aim.ends_with("FAIL"));
	}
}
