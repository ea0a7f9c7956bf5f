//! Merkle trees over tensors, kept so that a chunk's proof costs no hashing (`docs/protocol/hashing.md`).

use crate::limits::Governor;
use aria_engine::package::{layout::layer_of, Package};
use aria_primitives::{
	hashing::{leaf_hash, node_hash},
	ModelId,
};
use sp_core::H256;
use std::{
	collections::{BTreeMap, BTreeSet},
	sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::{
	sync::{OnceCell, Semaphore},
	task::spawn_blocking,
};

/// Bytes of hashes that are kept: enough for the trees of 60 GB of weights.
const KEPT: usize = 64 << 20;

/// All levels of a tree, the leaves first.
#[derive(Debug)]
pub(super) struct Tree(Vec<Vec<H256>>);

impl Tree {
	/// The tree over `leaves`.
	pub(super) fn new(leaves: Vec<H256>) -> Self {
		let mut levels = vec![leaves];
		while let Some(level) = levels.last().filter(|level| level.len() > 1) {
			let above = level
				.chunks(2)
				.filter_map(|pair| match pair {
					[left, right] => Some(node_hash(left, right)),
					[single] => Some(*single),
					_ => None,
				})
				.collect();
			levels.push(above);
		}
		Self(levels)
	}

	/// `None` for a tree without leaves, which no tensor has.
	pub(super) fn root(&self) -> Option<&H256> {
		self.0.last()?.first()
	}

	/// Leaf `index`, and the path from it to the root.
	pub(super) fn proof(&self, index: usize) -> Option<(H256, Vec<H256>)> {
		let leaf = *self.0.first()?.get(index)?;
		let mut place = index;
		let mut path = Vec::with_capacity(self.0.len());
		for level in &self.0 {
			// A node without a sibling moves up unchanged; so does the root.
			path.extend(level.get(place ^ 1));
			place >>= 1;
		}
		Some((leaf, path))
	}

	fn bytes(&self) -> usize {
		self.0.iter().map(|level| level.len().saturating_mul(32)).sum()
	}
}

/// A tensor of a model, by its place in the manifest.
type Key = (ModelId, u16);

#[derive(Default)]
struct Slot {
	tree: Arc<OnceCell<Arc<Tree>>>,
	used: u64,
}

#[derive(Default)]
struct Kept {
	slots: BTreeMap<Key, Slot>,
	/// Tensors whose bytes are not what the manifest says.
	damaged: BTreeSet<Key>,
	clock: u64,
}

/// The trees that were needed last.
pub(super) struct Trees {
	kept: Mutex<Kept>,
	limit: usize,
	/// One tensor is hashed at a time, whatever is asked.
	building: Semaphore,
}

impl Trees {
	pub(super) fn new() -> Self {
		Self::with_limit(KEPT)
	}

	pub(super) fn with_limit(limit: usize) -> Self {
		Self { kept: Mutex::default(), limit, building: Semaphore::new(1) }
	}

	fn kept(&self) -> MutexGuard<'_, Kept> {
		self.kept.lock().unwrap_or_else(PoisonError::into_inner)
	}

	/// The tree of tensor `index` of `package`, in which the tensor is.
	///
	/// # Errors
	/// If the bytes are not what the manifest says; whoever calls says so by [`Self::damage`].
	pub(super) async fn of(
		&self,
		package: &Arc<Package>,
		index: u16,
		governor: &Arc<Governor>,
	) -> Result<Arc<Tree>, String> {
		let key = (package.model_id(), index);
		let cell = {
			let mut kept = self.kept();
			if kept.damaged.contains(&key) {
				return Err("its bytes are damaged".to_owned());
			}
			kept.clock += 1;
			let clock = kept.clock;
			let slot = kept.slots.entry(key).or_default();
			slot.used = clock;
			slot.tree.clone()
		};
		let built = cell
			.get_or_try_init(|| async {
				// Never closed.
				let _turn = self.building.acquire().await;
				let (package, governor) = (package.clone(), governor.clone());
				let tree = spawn_blocking(move || build(&package, index, &governor)).await;
				tree.map_err(|error| format!("hashing it was interrupted: {error}"))?.map(Arc::new)
			})
			.await
			.cloned();
		if built.is_ok() {
			self.evict(&key);
		}
		built
	}

	/// Notes that a tensor is not what the manifest says: it is not hashed again until [`Self::forget`].
	/// Gives whether that is new.
	pub(super) fn damage(&self, key: Key) -> bool {
		let mut kept = self.kept();
		kept.slots.remove(&key);
		kept.damaged.insert(key)
	}

	/// Forgets what is known about a model's files, because they have changed.
	pub(super) fn forget(&self, model: &ModelId) {
		let mut kept = self.kept();
		kept.slots.retain(|(of, _), _| of != model);
		kept.damaged.retain(|(of, _)| of != model);
	}

	/// Lets the trees go that were not used for longest, but for `needed`, until the rest is small enough.
	fn evict(&self, needed: &Key) {
		let mut kept = self.kept();
		let size = |slot: &Slot| slot.tree.get().map_or(0, |tree| tree.bytes());
		let mut bytes: usize = kept.slots.values().map(size).sum();
		while bytes > self.limit {
			let others = kept.slots.iter().filter(|(key, slot)| *key != needed && size(slot) > 0);
			let Some(oldest) = others.min_by_key(|(_, slot)| slot.used).map(|(key, _)| *key) else {
				return;
			};
			if let Some(slot) = kept.slots.remove(&oldest) {
				bytes = bytes.saturating_sub(size(&slot));
			}
		}
	}

	#[cfg(test)]
	pub(super) fn count(&self) -> usize {
		self.kept().slots.len()
	}
}

/// Hashes a tensor and compares with its root.
fn build(package: &Package, index: u16, governor: &Governor) -> Result<Tree, String> {
	let tensor = package.manifest.tensors.get(usize::from(index));
	let tensor = tensor.ok_or_else(|| "the model has no such tensor".to_owned())?;
	let layer = layer_of(tensor.layer);
	let view = package.tensor(layer, tensor.role).map_err(|error| error.to_string())?;
	let mut leaves = Vec::with_capacity(view.layout().chunk_count());
	for chunk in view.chunks() {
		governor.cpu().acquire_blocking();
		leaves.push(leaf_hash(chunk));
	}
	package.release(layer, tensor.role);
	let tree = Tree::new(leaves);
	if tree.root() == Some(&tensor.root) {
		Ok(tree)
	} else {
		Err(format!("{} does not have the manifest's root", view.name()))
	}
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;
	use aria_primitives::hashing::{merkle_proof, merkle_root};

	#[test]
	fn trees_should_be_those_of_the_primitives() {
		for count in 1..40usize {
			let leaves: Vec<H256> =
				(0..count).map(|leaf| H256::repeat_byte(u8::try_from(leaf).unwrap())).collect();
			let tree = Tree::new(leaves.clone());
			assert_eq!(tree.root(), Some(&merkle_root(&leaves)));
			for (index, leaf) in leaves.iter().enumerate() {
				assert_eq!(tree.proof(index), Some((*leaf, merkle_proof(&leaves, index).unwrap())));
			}
			assert_eq!(tree.proof(count), None);
		}
		assert_eq!(Tree::new(Vec::new()).root(), None);
	}
}
