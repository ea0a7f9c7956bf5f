//! What a stage gave, kept for a replacement behind it.

/// Rows of equal size, one a position from 0 on, in blocks that are never moved.
pub(super) struct Kept {
	/// Bytes of a row.
	row: usize,
	/// Rows of a block.
	rows: usize,
	blocks: Vec<Vec<u8>>,
	count: usize,
}

impl Kept {
	/// Nothing yet, of rows of `row` bytes; at most `rows` of them are taken at once.
	pub fn new(row: usize, rows: usize) -> Self {
		Self { row: row.max(1), rows: rows.max(1), blocks: Vec::new(), count: 0 }
	}

	/// Rows that are kept.
	pub fn len(&self) -> usize {
		self.count
	}

	/// Keeps `rows`, whole ones.
	pub fn push(&mut self, mut rows: &[u8]) {
		let full = self.row * self.rows;
		while rows.len() >= self.row {
			if self.blocks.last().is_none_or(|block| block.len() >= full) {
				self.blocks.push(Vec::new());
			}
			let Some(block) = self.blocks.last_mut() else { return };
			let fits = (full - block.len()).min(rows.len() - rows.len() % self.row);
			let (now, later) = rows.split_at(fits);
			block.extend_from_slice(now);
			self.count += fits / self.row;
			rows = later;
		}
	}

	/// The rows from `position` on, at most to the end of their block: a frame.
	pub fn from(&self, position: usize) -> &[u8] {
		let start = (position % self.rows) * self.row;
		self.blocks
			.get(position / self.rows)
			.and_then(|block| block.get(start..))
			.unwrap_or_default()
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn rows_should_be_had_from_any_position() {
		let mut kept = Kept::new(2, 4);
		assert!(kept.from(0).is_empty());
		let rows: Vec<u8> = (0..22).collect();
		for (start, end) in [(0, 2), (2, 12), (12, 12), (12, 22)] {
			kept.push(&rows[start..end]);
		}
		assert_eq!(kept.len(), 11);
		assert_eq!(kept.from(0), &rows[..8]);
		assert_eq!(kept.from(3), &rows[6..8]);
		assert_eq!(kept.from(4), &rows[8..16]);
		assert_eq!(kept.from(9), &rows[18..]);
		assert!(kept.from(11).is_empty());
		assert!(kept.from(100).is_empty());
	}
}
