//! Tables, as CSV for machines and as Markdown for people.

/// Rows of cells below a head.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
	head: Vec<String>,
	rows: Vec<Vec<String>>,
}

impl Table {
	/// A table without rows, with the titles of its columns.
	pub fn new<T: Into<String>>(head: impl IntoIterator<Item = T>) -> Self {
		Self { head: head.into_iter().map(Into::into).collect(), rows: Vec::new() }
	}

	/// Adds a row.
	pub fn push<T: Into<String>>(&mut self, cells: impl IntoIterator<Item = T>) {
		self.rows.push(cells.into_iter().map(Into::into).collect());
	}

	/// How many rows there are.
	pub fn len(&self) -> usize {
		self.rows.len()
	}

	/// Whether there is no row.
	pub fn is_empty(&self) -> bool {
		self.rows.is_empty()
	}

	/// As CSV (RFC 4180, with line feeds): cells with a comma, a quote or a line break are quoted.
	pub fn csv(&self) -> String {
		let mut text = String::new();
		for row in std::iter::once(&self.head).chain(&self.rows) {
			let cells: Vec<String> = row.iter().map(|cell| quoted(cell)).collect();
			text.push_str(&cells.join(","));
			text.push('\n');
		}
		text
	}

	/// As Markdown: the first column is text, the others are aligned as numbers.
	pub fn markdown(&self) -> String {
		let mut text = line(&self.head);
		let rule = (0..self.head.len()).map(|column| if column == 0 { "---" } else { "---:" });
		text.push_str(&format!("|{}|\n", rule.collect::<Vec<_>>().join("|")));
		for row in &self.rows {
			text.push_str(&line(row));
		}
		text
	}
}

fn line(cells: &[String]) -> String {
	let cells: Vec<String> = cells.iter().map(|cell| cell.replace('|', "\\|")).collect();
	format!("| {} |\n", cells.join(" | "))
}

fn quoted(cell: &str) -> String {
	if cell.contains([',', '"', '\n', '\r']) {
		format!("\"{}\"", cell.replace('"', "\"\""))
	} else {
		cell.to_owned()
	}
}

/// A number with spaces between groups of three digits, for people: `12 345 678`.
pub fn grouped(value: u128) -> String {
	let digits = value.to_string();
	let mut text = String::with_capacity(digits.len() + digits.len() / 3);
	for (index, digit) in digits.chars().enumerate() {
		if index > 0 && (digits.len() - index).is_multiple_of(3) {
			text.push(' ');
		}
		text.push(digit);
	}
	text
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_table_should_be_written_in_both_forms() {
		let mut table = Table::new(["name", "value"]);
		table.push(["a|b", "1"]);
		table.push(["c, \"d\"", "2"]);

		assert_eq!(table.len(), 2);
		assert_eq!(table.csv(), "name,value\na|b,1\n\"c, \"\"d\"\"\",2\n");
		assert_eq!(
			table.markdown(),
			"| name | value |\n|---|---:|\n| a\\|b | 1 |\n| c, \"d\" | 2 |\n"
		);
	}

	#[test]
	fn digits_should_be_grouped_from_the_right() {
		let shown = [0, 12, 999, 1_000, 1_234_567].map(grouped);
		assert_eq!(shown, ["0", "12", "999", "1 000", "1 234 567"]);
	}
}
