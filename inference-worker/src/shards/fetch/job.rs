//! A file that several conversations fetch together.

use super::{layout::Place, part::PartFile, FetchError, FetchOptions};
use crate::{limits::Governor, shards::Progress};
use aria_network::wire::shard::ShardRequest;
use aria_primitives::{
	hashing::{leaf_hash, verify_merkle_proof},
	manifest::Manifest,
	ModelId,
};
use sp_core::H256;
use std::{
	collections::VecDeque,
	sync::{
		atomic::{AtomicU64, Ordering},
		Arc, Mutex, MutexGuard, PoisonError,
	},
};

/// How far the whole transfer is.
pub(super) struct Meter {
	pub(super) done: AtomicU64,
	pub(super) total: u64,
	pub(super) progress: Progress,
}

impl Meter {
	/// Counts `bytes` more, and tells.
	pub(super) fn add(&self, bytes: u64) {
		let before = self.done.fetch_add(bytes, Ordering::Relaxed);
		(self.progress)(before.saturating_add(bytes).min(self.total), self.total);
	}

	/// Takes back what turned out not to be there.
	pub(super) fn subtract(&self, bytes: u64) {
		self.done.fetch_sub(bytes, Ordering::Relaxed);
	}
}

/// Why a chunk is not written.
pub(super) enum Refused {
	/// It is not what the manifest says.
	False(String),
	/// It could not be written.
	Here(FetchError),
}

/// A file, and which of its chunks nobody asks for yet.
pub(super) struct Job {
	pub(super) model: ModelId,
	pub(super) manifest: Arc<Manifest>,
	pub(super) part: PartFile,
	pub(super) options: FetchOptions,
	pub(super) governor: Arc<Governor>,
	pub(super) meter: Arc<Meter>,
	queue: Mutex<Queue>,
}

#[derive(Default)]
struct Queue {
	/// The first chunk that was never given out.
	next: usize,
	/// Those that came back.
	back: VecDeque<usize>,
}

impl Job {
	pub(super) fn new(
		model: ModelId,
		manifest: Arc<Manifest>,
		part: PartFile,
		options: FetchOptions,
		governor: Arc<Governor>,
		meter: Arc<Meter>,
	) -> Self {
		Self { model, manifest, part, options, governor, meter, queue: Mutex::default() }
	}

	fn queue(&self) -> MutexGuard<'_, Queue> {
		self.queue.lock().unwrap_or_else(PoisonError::into_inner)
	}

	/// A chunk that is missing and that nobody fetches.
	pub(super) fn take(&self) -> Option<usize> {
		let mut queue = self.queue();
		while let Some(chunk) = queue.back.pop_front() {
			if !self.part.has(chunk) {
				return Some(chunk);
			}
		}
		while queue.next < self.part.layout.chunks {
			let chunk = queue.next;
			queue.next += 1;
			if !self.part.has(chunk) {
				return Some(chunk);
			}
		}
		None
	}

	/// Chunks that were taken and did not come.
	pub(super) fn give_back(&self, chunks: impl IntoIterator<Item = usize>) {
		self.queue().back.extend(chunks);
	}

	/// Whether [`Self::take`] may give something.
	pub(super) fn has_work(&self) -> bool {
		let queue = self.queue();
		!queue.back.is_empty() || queue.next < self.part.layout.chunks
	}

	/// Begins again with what is missing.
	pub(super) fn restart(&self) {
		*self.queue() = Queue::default();
	}

	/// How to ask for a chunk; `None` for one that the file doesn't have.
	pub(super) fn request(&self, chunk: usize) -> Option<ShardRequest> {
		let Place { piece, index, .. } = self.part.layout.place(chunk)?;
		Some(ShardRequest::Chunk {
			model: self.model,
			tensor: u16::try_from(piece.tensor).ok()?,
			chunk: u32::try_from(index).ok()?,
		})
	}

	/// Checks a chunk and writes it; blocks.
	///
	/// # Errors
	/// Whose fault it is.
	pub(super) fn put(&self, chunk: usize, bytes: &[u8], proof: &[H256]) -> Result<(), Refused> {
		let Some(place) = self.part.layout.place(chunk) else { return Ok(()) };
		let tensor = self.manifest.tensors.get(place.piece.tensor);
		let (Some(tensor), layout) = (tensor, &place.piece.layout) else { return Ok(()) };
		let what = || format!("chunk {} of {}", place.index, layout.name());
		if bytes.len() != place.len {
			let reason = format!("{} bytes as {}, which has {}", bytes.len(), what(), place.len);
			return Err(Refused::False(reason));
		}
		self.governor.cpu().acquire_blocking();
		let leaf = leaf_hash(bytes);
		if !verify_merkle_proof(&tensor.root, &leaf, place.index, layout.chunk_count(), proof) {
			return Err(Refused::False(format!("false bytes as {}", what())));
		}
		let new = self.part.put(chunk, bytes, &leaf).map_err(Refused::Here)?;
		self.meter.add(new);
		Ok(())
	}
}
