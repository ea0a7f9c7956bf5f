//! That a block of sums is none: the block, its input, and the weights of its rows.

use super::{Item, Trace};
use crate::{
	error::{EngineError, Result},
	package::Package,
	trace::Hash,
};
use aria_primitives::{
	audit::Path,
	dispute::{sums_of, BlockProof, Matrix},
	hashing::{leaf_hash, merkle_proof},
};

/// What shows that `theirs`, the blocks that a party posted of item `item`, hold other sums than these
/// weights give: of the first block that differs from `trace`'s. `None` if there is none.
///
/// `trace` is one's own and `executor` the items that the executor posted, which are the same up to
/// `item`. The proof is as good as `package`: [`BlockProof::check`] says whether its weights are the
/// manifest's.
///
/// # Errors
/// [`EngineError::Session`] for an item that is none of sums, or a list of blocks of another length;
/// weights that are not here.
pub fn prove_false(
	package: &Package,
	trace: &Trace,
	item: u32,
	theirs: &[Hash],
	executor: &[Hash],
) -> Result<Option<BlockProof>> {
	let refused = |reason: &str| EngineError::Session { reason: reason.to_owned() };
	let none = || refused("the item in dispute is none of sums");
	let place = sums_of(&trace.layers, item).ok_or_else(none)?;
	let matrix = Matrix::of(&package.manifest, place.layer, place.role).ok_or_else(none)?;
	let mine = trace.blocks(item).ok_or_else(none)?;
	let bytes = trace.input(place.input).ok_or_else(none)?;
	if mine.len() != theirs.len() {
		return Err(refused("the other party has posted another number of blocks"));
	}
	let Some(block) = mine.iter().zip(theirs).position(|(mine, theirs)| mine != theirs) else {
		return Ok(None);
	};

	let view = package.tensor(Some(place.layer), place.role)?;
	let chunks: Vec<Hash> = view.chunks().map(leaf_hash).collect();
	let weights = view.chunks().nth(block).filter(|_| block < matrix.blocks as usize);
	let weights = weights.ok_or_else(|| refused("the matrix has no such block"))?;
	let input = usize::try_from(place.input).unwrap_or(usize::MAX);
	let long = || refused("what is opened is longer than the chain reads");
	let path = |leaves: &[Hash], index: usize| -> Result<Path> {
		let path = merkle_proof(leaves, index).ok_or_else(none)?;
		path.try_into().map_err(|_| long())
	};
	Ok(Some(BlockProof {
		block: u32::try_from(block).map_err(|_| long())?,
		hash: theirs.get(block).copied().ok_or_else(none)?,
		path: path(theirs, block)?,
		inputs: bytes.to_vec().try_into().map_err(|_| long())?,
		inputs_path: path(executor, input)?,
		weights: weights.to_vec().try_into().map_err(|_| long())?,
		weights_path: path(&chunks, block)?,
	}))
}

impl Trace {
	/// The sums of item `item`; `None` if it is of an input.
	pub fn sums(&self, item: u32) -> Option<&[i32]> {
		match self.items.get(usize::try_from(item).ok()?)? {
			Item::Sums { sums, .. } => Some(sums),
			Item::Input(_) => None,
		}
	}
}
