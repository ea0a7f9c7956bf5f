//! A file of weights as chunks that arrive in any order.

use aria_engine::{
	package::{layout::weight_files, safetensors::write_header, TensorLayout},
	EngineError,
};
use aria_primitives::{manifest::Manifest, record::LayerRange};

use super::FetchError;

/// A tensor's place in its file.
#[derive(Debug)]
pub(super) struct Piece {
	/// Its place in the manifest's list.
	pub(super) tensor: usize,
	/// How its bytes are divided.
	pub(super) layout: TensorLayout,
	/// Where it begins in the file.
	pub(super) at: u64,
	/// Chunks of the file before it.
	first: usize,
}

/// A file that will be written.
#[derive(Debug)]
pub(super) struct FileLayout {
	/// Its name.
	pub(super) name: String,
	/// Its layers; `None` for the tensors that belong to no layer.
	pub(super) layers: Option<LayerRange>,
	/// What stands before the data.
	pub(super) header: Vec<u8>,
	/// Its tensors, in order.
	pub(super) pieces: Vec<Piece>,
	/// Its chunks.
	pub(super) chunks: usize,
	/// Its bytes, the header's included.
	pub(super) len: u64,
}

/// A chunk's place.
pub(super) struct Place<'a> {
	pub(super) piece: &'a Piece,
	/// Which of the tensor's chunks.
	pub(super) index: usize,
	/// Where in the file.
	pub(super) at: u64,
	/// Its bytes.
	pub(super) len: usize,
}

impl FileLayout {
	/// The layout of file `index` of the manifest's, of which `layouts` are those of all tensors.
	///
	/// # Errors
	/// A header or a length that no file may have.
	pub(super) fn new(
		manifest: &Manifest,
		layouts: &[TensorLayout],
		index: usize,
	) -> Result<Self, EngineError> {
		let name = weight_files(manifest).into_iter().nth(index).unwrap_or_default();
		let layers = index.checked_sub(1).and_then(|shard| manifest.shards.get(shard)).copied();
		let tensors = layouts.iter().enumerate().filter(|(_, layout)| layout.file == index);
		let listed: Vec<(String, u64)> =
			tensors.clone().map(|(_, layout)| (layout.name(), layout.len as u64)).collect();
		let header = write_header(&name, &listed)?;
		let (mut at, mut first) = (header.len() as u64, 0usize);
		let mut pieces = Vec::with_capacity(listed.len());
		for (tensor, layout) in tensors {
			pieces.push(Piece { tensor, layout: layout.clone(), at, first });
			// The header's writer has refused lengths that overflow; there are fewer chunks than bytes.
			at = at.saturating_add(layout.len as u64);
			first = first.saturating_add(layout.chunk_count());
		}
		Ok(Self { name, layers, header, pieces, chunks: first, len: at })
	}

	/// Bytes of the data.
	pub(super) fn data(&self) -> u64 {
		self.len.saturating_sub(self.header.len() as u64)
	}

	/// Where chunk `chunk` of the file lies; `None` behind the last.
	pub(super) fn place(&self, chunk: usize) -> Option<Place<'_>> {
		let behind = self.pieces.partition_point(|piece| piece.first <= chunk);
		let piece = self.pieces.get(behind.checked_sub(1)?)?;
		let index = chunk - piece.first;
		let range = piece.layout.chunk(index)?;
		let at = piece.at.checked_add(range.start as u64)?;
		Some(Place { piece, index, at, len: range.len() })
	}
}

/// The files, by their numbers, that whoever runs `layers` needs; all for `None`. The tensors that belong to
/// no layer come with the first shard and the last.
///
/// # Errors
/// Layers that the model does not have.
pub(super) fn files_for(
	manifest: &Manifest,
	layers: Option<LayerRange>,
) -> Result<Vec<usize>, FetchError> {
	let asked = layers.unwrap_or(LayerRange { first: 0, end: manifest.layers });
	if asked.is_empty() || asked.end > manifest.layers {
		return Err(FetchError::Layers { asked, layers: manifest.layers });
	}
	let last = manifest.shards.len().saturating_sub(1);
	let overlaps = |shard: &LayerRange| shard.first < asked.end && asked.first < shard.end;
	let shards = manifest.shards.iter().enumerate().filter(|(_, shard)| overlaps(shard));
	let shards: Vec<usize> = shards.map(|(shard, _)| shard).collect();
	let common = shards.iter().any(|shard| *shard == 0 || *shard == last);
	Ok(common.then_some(0).into_iter().chain(shards.iter().map(|shard| shard + 1)).collect())
}
