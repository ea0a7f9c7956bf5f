//! Keys and values of the positions that a session has seen.
//!
//! For each layer and each head of the keys there is a list of pages of [`PAGE`] positions, in f32 as
//! the numerics want it. Pages are added as positions come, so that a short answer costs little, and
//! are never moved.

use super::threads::own;
use crate::error::{EngineError, Result};
use std::sync::RwLock;

/// Positions of a page.
pub const PAGE: usize = 64;

/// Keys and values of all layers of a session.
pub(super) struct KvCache {
	head_dim: usize,
	/// Pages that every head has.
	pages: usize,
	/// `[layer][kv head]`.
	layers: Vec<Vec<RwLock<KvHead>>>,
}

/// Keys and values of one head in one layer.
#[derive(Default)]
pub(super) struct KvHead {
	/// `[PAGE, head_dim]` keys, then as many values.
	pages: Vec<Box<[f32]>>,
}

impl KvCache {
	pub fn new(layers: usize, kv_heads: usize, head_dim: usize) -> Self {
		let heads = || (0..kv_heads).map(|_| RwLock::default()).collect();
		Self { head_dim, pages: 0, layers: (0..layers).map(|_| heads()).collect() }
	}

	/// The heads of layer `layer`, counted from the first of the range.
	pub fn layer(&self, layer: usize) -> &[RwLock<KvHead>] {
		self.layers.get(layer).map_or(&[], Vec::as_slice)
	}

	/// Makes room for `positions`; without memory for all of them, for no more than there was.
	pub fn reserve(&mut self, positions: usize) -> Result<()> {
		let pages = positions.div_ceil(PAGE);
		if pages <= self.pages {
			return Ok(());
		}
		let values = 2 * PAGE * self.head_dim;
		let mut heads = self.layers.iter_mut().flatten().map(own);
		let result = heads.try_for_each(|head| -> Result<()> {
			while head.pages.len() < pages {
				head.pages.push(zeros(values, "keys and values")?.into_boxed_slice());
			}
			Ok(())
		});
		let had = std::mem::replace(&mut self.pages, pages);
		if result.is_err() {
			// Some heads have got theirs.
			self.truncate(had * PAGE);
		}
		result
	}

	/// Gives back the pages behind `positions`.
	pub fn truncate(&mut self, positions: usize) {
		let pages = positions.div_ceil(PAGE);
		if pages < self.pages {
			for head in self.layers.iter_mut().flatten().map(own) {
				head.pages.truncate(pages);
			}
			self.pages = pages;
		}
	}

	/// Bytes of all pages.
	pub fn bytes(&self) -> usize {
		let heads: usize = self.layers.iter().map(Vec::len).sum();
		heads * self.pages * bytes_of_page(self.head_dim)
	}
}

impl KvHead {
	/// Sets key and value of a position that there is room for; each has `head_dim` values.
	pub fn write(&mut self, position: usize, key: &[f32], value: &[f32]) {
		let Some(page) = self.pages.get_mut(position / PAGE) else { return };
		let (keys, values) = page.split_at_mut(page.len() / 2);
		let row = position % PAGE;
		let rows = keys
			.chunks_exact_mut(key.len())
			.nth(row)
			.zip(values.chunks_exact_mut(value.len()).nth(row));
		if let Some((keys, values)) = rows {
			keys.copy_from_slice(key);
			values.copy_from_slice(value);
		}
	}

	/// Keys and values of the first `positions`, page by page, each cut to these positions.
	pub fn pages(
		&self,
		positions: usize,
		head_dim: usize,
	) -> impl Iterator<Item = (&[f32], &[f32])> + '_ {
		self.pages.iter().take(positions.div_ceil(PAGE)).enumerate().map(move |(index, page)| {
			let (keys, values) = page.split_at(page.len() / 2);
			let length = (positions - index * PAGE).min(PAGE) * head_dim;
			(&keys[..length.min(keys.len())], &values[..length.min(values.len())])
		})
	}
}

fn bytes_of_page(head_dim: usize) -> usize {
	2 * PAGE * head_dim * size_of::<f32>()
}

/// Zeros, or an error where there is no memory for them.
pub(super) fn zeros<T: Clone + Default>(count: usize, what: &'static str) -> Result<Vec<T>> {
	let mut values = Vec::new();
	grow(&mut values, count, what)?;
	Ok(values)
}

/// Makes `values` at least `count` long.
pub(super) fn grow<T: Clone + Default>(
	values: &mut Vec<T>,
	count: usize,
	what: &'static str,
) -> Result<()> {
	if values.len() < count {
		let more = count - values.len();
		values.try_reserve_exact(more).map_err(|_| {
			let bytes = (count as u64).saturating_mul(size_of::<T>() as u64);
			EngineError::Memory { what, bytes }
		})?;
		values.resize(count, T::default());
	}
	Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;

	#[test]
	fn positions_should_be_read_as_they_were_written() {
		let (head_dim, positions) = (4, 2 * PAGE + 5);
		let mut cache = KvCache::new(2, 3, head_dim);
		assert_eq!(cache.bytes(), 0);
		cache.reserve(positions).unwrap();
		assert_eq!(cache.bytes(), 2 * 3 * 3 * PAGE * 2 * head_dim * 4);
		let mut head = cache.layer(1)[2].write().unwrap();
		for position in 0..positions {
			let value = position as f32;
			head.write(position, &[value; 4], &[-value; 4]);
		}
		for limit in [1, PAGE - 1, PAGE, PAGE + 1, positions] {
			let (mut keys, mut values) = (Vec::new(), Vec::new());
			for (k, v) in head.pages(limit, head_dim) {
				keys.extend_from_slice(k);
				values.extend_from_slice(v);
			}
			assert_eq!((keys.len(), values.len()), (limit * head_dim, limit * head_dim));
			for (position, key) in keys.chunks(head_dim).enumerate() {
				assert_eq!(key, [position as f32; 4]);
			}
			for (position, value) in values.chunks(head_dim).enumerate() {
				assert_eq!(value, [-(position as f32); 4]);
			}
		}
		drop(head);
		cache.truncate(PAGE);
		assert_eq!(cache.bytes(), 2 * 3 * PAGE * 2 * head_dim * 4);
	}
}
