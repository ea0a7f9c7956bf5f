//! How fast this machine reads memory: what decoding, which reads all weights for each token, is
//! bound by.

use anyhow::{Context, Result};
use aria_engine::kernels::HugeVec;
use std::{hint::black_box, thread, time::Instant};

/// A large buffer in huge pages, each of which has been written.
pub struct Probe {
	buffer: HugeVec<u32>,
}

impl Probe {
	/// A buffer of `bytes`, which should be many times the caches'.
	pub fn new(bytes: usize) -> Result<Self> {
		let words = (bytes / size_of::<u32>()).next_multiple_of(LINE).max(LINE);
		let mut buffer = HugeVec::zeroed(words, "the buffer that is read")
			.context("choose a smaller --probe-mib")?;
		for (index, word) in buffer.iter_mut().enumerate() {
			*word = index as u32;
		}
		Ok(Self { buffer })
	}

	/// Bytes a second that `threads` read together, each one stream from its own part.
	pub fn read(&self, threads: usize) -> f64 {
		let words: &[u32] = &self.buffer;
		let lines = words.len() / LINE;
		let part = lines.div_ceil(threads.max(1)).max(1) * LINE;
		let start = Instant::now();
		thread::scope(|scope| {
			for part in words.chunks(part) {
				scope.spawn(move || black_box(sum(part)));
			}
		});
		size_of_val(words) as f64 / start.elapsed().as_secs_f64()
	}
}

/// Words that are added up side by side: enough for the additions never to be waited for.
const LINE: usize = 32;

fn sum(words: &[u32]) -> u32 {
	let mut sums = [0u32; LINE];
	// Whole lines: the buffer has no others.
	for line in words.as_chunks::<LINE>().0 {
		for (sum, word) in sums.iter_mut().zip(line) {
			*sum = sum.wrapping_add(*word);
		}
	}
	sums.iter().fold(0u32, |all, sum| all.wrapping_add(*sum))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;

	#[test]
	fn every_word_should_be_read() {
		let words: Vec<u32> = (0..LINE as u32 * 5).collect();
		assert_eq!(sum(&words), words.iter().sum::<u32>());
		let probe = Probe::new(1 << 20).unwrap();
		for threads in [1, 2, 7] {
			assert!(probe.read(threads) > 0.0);
		}
	}
}
