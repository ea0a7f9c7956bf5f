//! The items of a position: what the matrices of a stage were given, and what they gave.

use super::walk::Walk;
use crate::{
	audit::{Conduct, Subject},
	error::{EngineError, Result},
	model::Products,
	trace::Hash,
};
use aria_primitives::{
	dispute::{input_bytes, item_count, sums_of, Matrix},
	hashing::{leaf_hash, merkle_root},
	manifest::Manifest,
	record::LayerRange,
};

/// One item of a trace.
#[derive(Clone, Debug, PartialEq)]
pub enum Item {
	/// What matrices were given: scale and integers, as their hash is taken of them.
	Input(Vec<u8>),
	/// What a matrix gave.
	Sums {
		/// One a row.
		sums: Vec<i32>,
		/// The hashes of the blocks.
		blocks: Vec<Hash>,
	},
}

impl Item {
	/// The sums of a matrix, in its blocks.
	pub fn sums(matrix: &Matrix, sums: Vec<i32>) -> Self {
		let blocks = matrix.block_hashes(&sums);
		Self::Sums { sums, blocks }
	}

	/// The item's hash.
	pub fn hash(&self) -> Hash {
		match self {
			Self::Input(bytes) => leaf_hash(bytes),
			Self::Sums { blocks, .. } => merkle_root(blocks),
		}
	}
}

/// The items of a stage at one position, in order.
#[derive(Clone, Debug, PartialEq)]
pub struct Trace {
	/// The layers of the stage.
	pub layers: LayerRange,
	/// Eleven for each layer.
	pub items: Vec<Item>,
}

impl Trace {
	/// The hashes of all items: what is posted.
	pub fn hashes(&self) -> Vec<Hash> {
		self.items.iter().map(Item::hash).collect()
	}

	/// The root over them.
	pub fn root(&self) -> Hash {
		merkle_root(&self.hashes())
	}

	/// The hashes of the blocks of the sums that item `item` is of; `None` if it is of an input.
	pub fn blocks(&self, item: u32) -> Option<&[Hash]> {
		match self.items.get(usize::try_from(item).ok()?)? {
			Item::Sums { blocks, .. } => Some(blocks),
			Item::Input(_) => None,
		}
	}

	/// The bytes of the input that item `item` is of; `None` if it is of sums.
	pub fn input(&self, item: u32) -> Option<&[u8]> {
		match self.items.get(usize::try_from(item).ok()?)? {
			Item::Input(bytes) => Some(bytes),
			Item::Sums { .. } => None,
		}
	}

	/// Of what the layers of a stage gave, four products a layer.
	fn new(manifest: &Manifest, layers: LayerRange, products: Vec<Products>) -> Result<Self> {
		let mut items = Vec::with_capacity(item_count(&layers) as usize);
		for Products { scale, inputs, sums } in products {
			items.push(Item::Input(input_bytes(scale, &inputs)));
			for sums in sums {
				let item = u32::try_from(items.len()).unwrap_or(u32::MAX);
				let place = sums_of(&layers, item).ok_or_else(|| unlike(&layers))?;
				let matrix = Matrix::of(manifest, place.layer, place.role);
				let matrix = matrix.ok_or_else(|| unlike(&layers))?;
				items.push(Item::sums(&matrix, sums));
			}
		}
		let count = usize::try_from(item_count(&layers));
		match count == Ok(items.len()) {
			true => Ok(Self { layers, items }),
			false => Err(unlike(&layers)),
		}
	}
}

/// What the stage before boundary `index`, from 1, computes at `position`, as `conduct`'s weights have
/// it. `manifest` is the model's.
///
/// # Errors
/// As [`crate::audit::run`]; [`EngineError::Layers`] for a model of which the chain judges nothing.
pub fn trace(
	subject: &Subject<'_>,
	manifest: &Manifest,
	index: u16,
	position: u32,
	conduct: &mut dyn Conduct,
) -> Result<Trace> {
	let mut walk = Walk::new(subject, index, position.saturating_add(1))?;
	walk.before(conduct)?;
	let products = walk.at_last(conduct, |session, input, cancel| session.traced(input, cancel))?;
	let stage = subject.body.stages.get(usize::from(index).saturating_sub(1));
	let layers = stage.map(|stage| stage.layers).unwrap_or(LayerRange { first: 0, end: 0 });
	Trace::new(manifest, layers, products)
}

fn unlike(layers: &LayerRange) -> EngineError {
	EngineError::Layers {
		reason: format!(
			"the matrices of layers {}..{} are none whose sums the chain can judge",
			layers.first, layers.end
		),
	}
}
