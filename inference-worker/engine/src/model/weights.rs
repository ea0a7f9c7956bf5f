//! Tensors of a package into memory, in the layout that the kernel wants.

use super::{
	config::Config,
	kv::zeros,
	layer::Layer,
	linear::{Group, Head, HeadWeights},
};
use crate::{
	error::Result,
	kernels::{Kernel, PackedInt8, PackedTernary},
	package::{
		fault,
		layout::{is_ternary, weight_files},
		Package, TensorView,
	},
};
use aria_primitives::{
	manifest::{Encoding, TensorRole as Role},
	record::LayerRange,
};

/// A matrix of halves or floats, row after row.
pub(super) enum FloatRows {
	Half { cols: usize, values: Vec<u16> },
	Single { cols: usize, values: Vec<f32> },
}

impl FloatRows {
	pub fn cols(&self) -> usize {
		match self {
			Self::Half { cols, .. } | Self::Single { cols, .. } => *cols,
		}
	}

	pub fn rows(&self) -> usize {
		let values = match self {
			Self::Half { values, .. } => values.len(),
			Self::Single { values, .. } => values.len(),
		};
		values / self.cols().max(1)
	}

	pub fn bytes(&self) -> usize {
		match self {
			Self::Half { values, .. } => size_of_val(values.as_slice()),
			Self::Single { values, .. } => size_of_val(values.as_slice()),
		}
	}

	/// Row `index`, in `buffer` if it has to be converted; `buffer` has at least `cols` values.
	pub fn row<'a>(&'a self, index: usize, buffer: &'a mut [f32]) -> &'a [f32] {
		match self {
			Self::Single { cols, values } => &values[index * cols..(index + 1) * cols],
			Self::Half { cols, values } => {
				let out = &mut buffer[..*cols];
				let halves = &values[index * cols..(index + 1) * cols];
				out.iter_mut().zip(halves).for_each(|(out, half)| *out = finite_half(*half));
				out
			}
		}
	}
}

/// A finite half as a float, exactly. Without a branch, so that it compiles to vector code; halves
/// are known to be finite since they were loaded.
fn finite_half(half: u16) -> f32 {
	/// 2^-14, the least normal half.
	const LEAST: u32 = 0x3880_0000;
	let (sign, magnitude) = (u32::from(half & 0x8000) << 16, u32::from(half & 0x7FFF) << 13);
	let normal = magnitude.wrapping_add(112 << 23);
	// Without an exponent: a fraction of 2^-14, found as the difference to it.
	let subnormal = (f32::from_bits(LEAST | magnitude) - f32::from_bits(LEAST)).to_bits();
	f32::from_bits(sign | if magnitude < 1 << 23 { subnormal } else { normal })
}

/// A matrix of 8-bit integers with a scale a row.
pub(super) struct Int8Rows {
	cols: usize,
	values: Vec<i8>,
	scales: Vec<f32>,
}

/// An embedding that is no head.
pub(super) enum Rows {
	Int8(Int8Rows),
	Float(FloatRows),
}

/// Where the embedding is.
pub(super) enum EmbeddingTable {
	Own(Rows),
	/// In the head, which is tied to it.
	Head,
}

/// The rows of an embedding.
pub(super) enum Embedding<'a> {
	Rows(&'a Rows),
	Head(&'a HeadWeights),
}

impl Embedding<'_> {
	/// Writes row `index` into `out`, which has `hidden` values.
	pub fn row(&self, index: usize, out: &mut [f32]) {
		match self {
			Self::Rows(Rows::Int8(rows)) => {
				let values = &rows.values[index * rows.cols..(index + 1) * rows.cols];
				let scale = rows.scales[index];
				for (out, value) in out.iter_mut().zip(values) {
					*out = scale * f32::from(*value);
				}
			}
			Self::Rows(Rows::Float(rows)) | Self::Head(HeadWeights::Float(rows)) => match rows {
				FloatRows::Single { .. } => out.copy_from_slice(rows.row(index, &mut [])),
				FloatRows::Half { .. } => {
					rows.row(index, out);
				}
			},
			Self::Head(HeadWeights::Int8(matrix)) => {
				let scale = matrix.scales[index];
				for (block, out) in out.chunks_mut(PackedInt8::COLUMNS).enumerate() {
					for (out, value) in out.iter_mut().zip(matrix.weights(index, block)) {
						*out = scale * f32::from(*value as i8);
					}
				}
			}
		}
	}
}

/// What a range of layers consists of.
pub(super) struct Loaded {
	pub embedding: Option<EmbeddingTable>,
	pub layers: Vec<Layer>,
	/// Output norm and head.
	pub output: Option<(Vec<f32>, Head)>,
}

/// Reads a range of layers.
pub(super) struct Loader<'a> {
	package: &'a Package,
	kernel: &'a dyn Kernel,
	lanes: usize,
	range: LayerRange,
	is_first: bool,
	is_last: bool,
	tied: bool,
	progress: &'a mut dyn FnMut(u64, u64),
	done: u64,
	total: u64,
}

impl<'a> Loader<'a> {
	/// `range` is one of the model's.
	pub fn new(
		package: &'a Package,
		config: &Config,
		kernel: &'a dyn Kernel,
		lanes: usize,
		range: LayerRange,
		progress: &'a mut dyn FnMut(u64, u64),
	) -> Self {
		let (is_first, is_last) = (range.first == 0, range.end == config.layers);
		let wanted = |layer: u16, role: Role| match role {
			Role::TokenEmbedding => is_first || (is_last && config.tied),
			Role::OutputNorm | Role::Output => is_last,
			_ => range.first <= layer && layer < range.end,
		};
		let tensors = package.manifest.tensors.iter();
		let total = tensors.filter(|tensor| wanted(tensor.layer, tensor.role)).count() as u64;
		let tied = config.tied;
		Self { package, kernel, lanes, range, is_first, is_last, tied, progress, done: 0, total }
	}

	pub fn load(mut self) -> Result<Loaded> {
		(self.progress)(0, self.total);
		let layers = (self.range.first..self.range.end)
			.map(|layer| self.layer(layer))
			.collect::<Result<Vec<_>>>()?;
		let mut embedding = None;
		let mut output = None;
		if self.is_last {
			let role = if self.tied { Role::TokenEmbedding } else { Role::Output };
			let norm = self.norm(None, Role::OutputNorm)?;
			let weights = self.head(role)?;
			output = Some((norm, Head::new(weights, self.kernel, self.lanes)));
			if self.tied && self.is_first {
				embedding = Some(EmbeddingTable::Head);
			}
		}
		if self.is_first && embedding.is_none() {
			embedding = Some(EmbeddingTable::Own(self.embedding()?));
		}
		// A role that the arithmetic does not use is not read.
		(self.progress)(self.total, self.total);
		Ok(Loaded { embedding, layers, output })
	}

	fn layer(&mut self, number: u16) -> Result<Layer> {
		let layer = Some(number);
		Ok(Layer {
			number,
			attention_norm: self.norm(layer, Role::AttentionNorm)?,
			attention_input: self.group(number, &[Role::Query, Role::Key, Role::Value])?,
			attention_sub_norm: self.optional_norm(layer, Role::AttentionSubNorm)?,
			attention_output: self.group(number, &[Role::AttentionOutput])?,
			feed_forward_norm: self.norm(layer, Role::FeedForwardNorm)?,
			feed_forward_input: self.group(number, &[Role::Gate, Role::Up])?,
			feed_forward_sub_norm: self.optional_norm(layer, Role::FeedForwardSubNorm)?,
			down: self.group(number, &[Role::Down])?,
		})
	}

	fn norm(&mut self, layer: Option<u16>, role: Role) -> Result<Vec<f32>> {
		let values = self.package.tensor(layer, role)?.floats()?;
		self.read(layer, role);
		Ok(values)
	}

	fn optional_norm(&mut self, layer: Option<u16>, role: Role) -> Result<Option<Vec<f32>>> {
		// Listed and not here is an error, which reading it gives.
		if self.package.lists(layer, role) {
			self.norm(layer, role).map(Some)
		} else {
			Ok(None)
		}
	}

	fn group(&mut self, layer: u16, roles: &[Role]) -> Result<Group> {
		let matrices =
			roles.iter().map(|role| self.ternary(layer, *role)).collect::<Result<Vec<_>>>()?;
		Ok(Group::new(matrices, self.kernel, self.lanes))
	}

	fn ternary(&mut self, layer: u16, role: Role) -> Result<PackedTernary> {
		let view = self.package.tensor(Some(layer), role)?;
		if !is_ternary(view.encoding) {
			let reason = format!(
				"is stored as {:?}; this engine runs layers of ternary matrices: convert it",
				view.encoding
			);
			return Err(self.fault(&view, reason));
		}
		let matrix =
			PackedTernary::pack(self.kernel, view.rows, view.cols, view.scale(), |row, bytes| {
				view.ternary2_row(row, bytes)
			})?;
		self.read(Some(layer), role);
		Ok(matrix)
	}

	fn head(&mut self, role: Role) -> Result<HeadWeights> {
		let view = self.package.tensor(None, role)?;
		let weights = if view.encoding == Encoding::Int8Row {
			let matrix = PackedInt8::pack(self.kernel, view.rows, view.cols, |row, out| {
				let (bytes, scale) = view.int8_row(row)?;
				// Both have `cols` bytes: opening the package checked the lengths.
				out.copy_from_slice(bytes);
				Ok(scale)
			})?;
			HeadWeights::Int8(matrix)
		} else {
			HeadWeights::Float(self.float_rows(&view)?)
		};
		self.read(None, role);
		Ok(weights)
	}

	fn embedding(&mut self) -> Result<Rows> {
		let view = self.package.tensor(None, Role::TokenEmbedding)?;
		let rows = if view.encoding == Encoding::Int8Row {
			let mut values = zeros(view.rows * view.cols, "the embedding")?;
			let mut scales = zeros(view.rows, "the embedding's scales")?;
			let outs = values.chunks_exact_mut(view.cols).zip(&mut scales);
			for (row, (out, scale)) in outs.enumerate() {
				let (bytes, of_row) = view.int8_row(row)?;
				*scale = of_row;
				out.iter_mut().zip(bytes).for_each(|(out, byte)| *out = *byte as i8);
			}
			Rows::Int8(Int8Rows { cols: view.cols, values, scales })
		} else {
			Rows::Float(self.float_rows(&view)?)
		};
		self.read(None, Role::TokenEmbedding);
		Ok(rows)
	}

	/// All rows of a tensor of floats, which checks that they are finite.
	fn float_rows(&self, view: &TensorView<'_>) -> Result<FloatRows> {
		let (cols, count) = (view.cols, view.rows * view.cols);
		match view.encoding {
			Encoding::F16 => {
				view.check()?;
				let mut values = zeros(count, "a matrix of halves")?;
				for (value, bytes) in values.iter_mut().zip(view.bytes.chunks_exact(2)) {
					if let [low, high] = bytes {
						*value = u16::from_le_bytes([*low, *high]);
					}
				}
				Ok(FloatRows::Half { cols, values })
			}
			Encoding::F32 => {
				let mut values = zeros(count, "a matrix of floats")?;
				for (row, out) in values.chunks_exact_mut(cols).enumerate() {
					view.float_row(row, out)?;
				}
				Ok(FloatRows::Single { cols, values })
			}
			_ => {
				let reason = format!("is stored as {:?}: convert it to Int8Row", view.encoding);
				Err(self.fault(view, reason))
			}
		}
	}

	/// Counts a tensor that is in memory now, and lets go of its pages in the file's mapping.
	fn read(&mut self, layer: Option<u16>, role: Role) {
		self.package.release(layer, role);
		self.done += 1;
		(self.progress)(self.done, self.total);
	}

	fn fault(&self, view: &TensorView<'_>, reason: String) -> crate::error::EngineError {
		let files = weight_files(&self.package.manifest);
		let file = files.get(view.layout().file).map_or("", String::as_str);
		fault(file, view.name(), reason)
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::numerics::elementary::f16_to_f32;

	#[test]
	fn halves_should_be_converted_exactly() {
		for half in (0..=u16::MAX).filter(|half| half & 0x7C00 != 0x7C00) {
			assert_eq!(finite_half(half).to_bits(), f16_to_f32(half).to_bits(), "{half:#x}");
		}
	}
}
