//! Whether bytes are what a manifest says: values that make sense, and Merkle roots.

use super::{
	encode::{digits, get_code},
	fault,
	layout::{layer_of, TensorLayout, BLOCK, BLOCK_BYTES, SCALE_BYTES},
	Hash, Package,
};
use crate::error::Result;
use aria_primitives::{
	hashing::{merkle_root, node_hash},
	manifest::{Encoding, Tensor},
	ModelId,
};
use sha2::{Digest, Sha256};

/// What [`Package::verify`] found to be right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifyReport {
	/// The model.
	pub model_id: ModelId,
	/// Tensors whose root was recomputed.
	pub tensors: usize,
	/// Their bytes.
	pub bytes: u64,
	/// The files they lie in.
	pub files: Vec<String>,
	/// Files of the model that are not in this package. Empty for a whole one.
	pub missing: Vec<String>,
}

impl Package {
	/// Hashes every chunk of every tensor that is here, compares with the roots, and checks every
	/// value. `progress` is called with the bytes done and altogether, first with 0.
	///
	/// A file that is not here is no error but a name in the report; see
	/// [`Package::require_complete`].
	///
	/// # Errors
	/// The first tensor that differs, or holds a value that is refused, with its file.
	pub fn verify(&self, progress: &mut dyn FnMut(u64, u64)) -> Result<VerifyReport> {
		let is_here = |tensor: &&Tensor| self.has(layer_of(tensor.layer), tensor.role);
		let here: Vec<&Tensor> = self.manifest.tensors.iter().filter(is_here).collect();
		let mut total = 0u64;
		for tensor in &here {
			total += self.tensor(layer_of(tensor.layer), tensor.role)?.bytes.len() as u64;
		}
		let (mut done, mut tensors) = (0u64, 0);
		progress(done, total);
		for tensor in here {
			let layer = layer_of(tensor.layer);
			let view = self.tensor(layer, tensor.role)?;
			let file = self.file_of(view.layout());
			let bad = |reason: String| fault(file, view.name(), reason);
			let mut digest = TensorDigest::new(view.layout());
			for chunk in view.chunks() {
				digest.update(chunk).map_err(bad)?;
				done += chunk.len() as u64;
				progress(done, total);
			}
			let root = digest.finish().map_err(bad)?;
			if root != tensor.root {
				return Err(bad(format!(
					"the bytes have the root {root:?}, the manifest says {:?}; fetch the file again",
					tensor.root
				)));
			}
			self.release(layer, tensor.role);
			tensors += 1;
		}
		Ok(VerifyReport {
			model_id: self.model_id(),
			tensors,
			bytes: done,
			files: self.files_present(),
			missing: self.files_missing(),
		})
	}
}

/// Checks a tensor's stored bytes while they pass, in pieces of any length, and hashes its chunks.
/// Memory: one row at most, and a hash for each level of the tree.
pub struct TensorDigest {
	layout: TensorLayout,
	at: usize,
	row: Vec<u8>,
	chunk: usize,
	chunk_left: usize,
	hasher: Sha256,
	tree: MerkleStack,
}

impl TensorDigest {
	/// For the bytes of a tensor from its first on.
	pub fn new(layout: &TensorLayout) -> Self {
		Self {
			layout: layout.clone(),
			at: 0,
			row: Vec::new(),
			chunk: 0,
			chunk_left: 0,
			hasher: Sha256::new(),
			tree: MerkleStack::default(),
		}
	}

	/// The next bytes.
	///
	/// # Errors
	/// A value that is refused, or more bytes than the tensor has: what is wrong, without the
	/// tensor's name.
	pub fn update(&mut self, mut bytes: &[u8]) -> std::result::Result<(), String> {
		if bytes.len() > self.layout.len.saturating_sub(self.at) {
			return Err(format!("more than its {} bytes", self.layout.len));
		}
		while !bytes.is_empty() {
			let rows_len = self.layout.rows_len();
			let unit = if self.at < rows_len { self.layout.row_bytes } else { SCALE_BYTES };
			let missing = unit.saturating_sub(self.row.len());
			let (piece, rest) = bytes.split_at(missing.min(bytes.len()));
			if piece.len() == unit {
				self.check_unit(piece)?;
			} else {
				self.row.extend_from_slice(piece);
				if self.row.len() == unit {
					let row = std::mem::take(&mut self.row);
					self.check_unit(&row)?;
					self.row = row;
					self.row.clear();
				}
			}
			self.hash(piece);
			self.at += piece.len();
			bytes = rest;
		}
		Ok(())
	}

	/// The Merkle root over the chunks.
	///
	/// # Errors
	/// If bytes are missing.
	pub fn finish(self) -> std::result::Result<Hash, String> {
		if self.at != self.layout.len {
			return Err(format!("{} of its {} bytes", self.at, self.layout.len));
		}
		Ok(self.tree.root())
	}

	/// `unit` is a whole row, or the scale behind the rows.
	fn check_unit(&self, unit: &[u8]) -> std::result::Result<(), String> {
		if self.at < self.layout.rows_len() {
			let row = self.at / self.layout.row_bytes.max(1);
			check_row(&self.layout, unit).map_err(|reason| format!("row {row}: {reason}"))
		} else {
			let scale = <[u8; SCALE_BYTES]>::try_from(unit).map_err(|_| "no scale".to_owned())?;
			check_scale(scale).map(|_| ()).map_err(|reason| format!("scale: {reason}"))
		}
	}

	fn hash(&mut self, mut bytes: &[u8]) {
		while !bytes.is_empty() {
			if self.chunk_left == 0 {
				// `update` takes no byte beyond the last chunk.
				let Some(range) = self.layout.chunk(self.chunk) else { return };
				self.chunk += 1;
				self.chunk_left = range.len();
				self.hasher.update([0u8]);
			}
			let (piece, rest) = bytes.split_at(self.chunk_left.min(bytes.len()));
			self.hasher.update(piece);
			self.chunk_left -= piece.len();
			bytes = rest;
			if self.chunk_left == 0 {
				let leaf: [u8; 32] = self.hasher.finalize_reset().into();
				self.tree.push(Hash::from(leaf));
			}
		}
	}
}

/// A Merkle tree of `docs/protocol/hashing.md` that is given its leaves one by one: the roots of the
/// perfect trees that the leaves so far consist of, with their heights, highest first.
#[derive(Default)]
struct MerkleStack(Vec<(u32, Hash)>);

impl MerkleStack {
	fn push(&mut self, leaf: Hash) {
		let (mut height, mut hash) = (0, leaf);
		while let Some((_, left)) = self.0.pop_if(|(top, _)| *top == height) {
			hash = node_hash(&left, &hash);
			height += 1;
		}
		self.0.push((height, hash));
	}

	fn root(mut self) -> Hash {
		let Some((_, mut root)) = self.0.pop() else { return merkle_root(&[]) };
		while let Some((_, left)) = self.0.pop() {
			root = node_hash(&left, &root);
		}
		root
	}
}

/// A scale's value.
pub(super) fn check_scale(bytes: [u8; SCALE_BYTES]) -> std::result::Result<f32, String> {
	let scale = f32::from_le_bytes(bytes);
	if scale.is_finite() && scale > 0.0 {
		Ok(scale)
	} else {
		Err(format!("{scale} is not finite and above 0"))
	}
}

/// Checks the values of a whole stored row.
pub(super) fn check_row(layout: &TensorLayout, row: &[u8]) -> std::result::Result<(), String> {
	if row.len() != layout.row_bytes {
		return Err(format!("{} of {} bytes", row.len(), layout.row_bytes));
	}
	match layout.encoding {
		Encoding::Ternary2 => check_ternary2(layout.cols, row),
		Encoding::Ternary5 => check_ternary5(layout.cols, row),
		Encoding::Int8Row => check_int8(row),
		Encoding::F16 => {
			// A half is infinite or NaN exactly if all bits of its exponent are set.
			let bad =
				row.chunks_exact(2).position(|half| matches!(half, [_, h] if h & 0x7C == 0x7C));
			bad.map_or(Ok(()), |column| Err(format!("column {column} is not finite")))
		}
		Encoding::F32 => {
			let exponent =
				|float: &[u8]| matches!(float, [_, _, c, d] if d & 0x7F == 0x7F && c & 0x80 != 0);
			let bad = row.chunks_exact(4).position(exponent);
			bad.map_or(Ok(()), |column| Err(format!("column {column} is not finite")))
		}
	}
}

fn check_ternary2(cols: usize, row: &[u8]) -> std::result::Result<(), String> {
	// Code 3 has both of its bits set. Folded, so that rows without one pass at memory's speed.
	let both = |byte: u8| byte & (byte >> 1) & 0b0101_0101;
	if row.iter().fold(0, |found, byte| found | both(*byte)) != 0 {
		let place = row.iter().position(|byte| both(*byte) != 0).unwrap_or_default();
		let mask = row.get(place).map_or(1, |byte| both(*byte));
		let column = place / BLOCK_BYTES * BLOCK
			+ mask.trailing_zeros() as usize / 2 * BLOCK_BYTES
			+ place % BLOCK_BYTES;
		return Err(format!("column {column} has the code 3"));
	}
	let last = row.rchunks(BLOCK_BYTES).next().unwrap_or_default();
	let used = cols - cols.saturating_sub(1) / BLOCK * BLOCK;
	match (used..BLOCK).find(|place| get_code(last, *place) != 1) {
		Some(place) => Err(format!("the padding behind column {cols} is not 0 (place {place})")),
		None => Ok(()),
	}
}

fn check_ternary5(cols: usize, row: &[u8]) -> std::result::Result<(), String> {
	if let Some(place) = row.iter().position(|byte| *byte > 242) {
		return Err(format!("column {}: a byte above 242", place * 5));
	}
	let used = cols - cols.saturating_sub(1) / 5 * 5;
	let padding = row.last().map(|byte| digits(*byte)).unwrap_or_default();
	if padding.iter().skip(used).any(|digit| *digit != 1) {
		return Err(format!("the padding behind column {cols} is not 0"));
	}
	Ok(())
}

fn check_int8(row: &[u8]) -> std::result::Result<(), String> {
	let Some((values, scale)) = row.split_last_chunk::<SCALE_BYTES>() else {
		return Err("no scale".to_owned());
	};
	if let Some(column) = values.iter().position(|value| *value == 0x80) {
		return Err(format!("column {column} is -128; values are -127 to 127"));
	}
	check_scale(*scale).map(|_| ()).map_err(|reason| format!("scale: {reason}"))
}
