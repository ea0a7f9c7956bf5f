//! Disputes: forks of trees, traces of a position, and sums that are proven false
//! (`docs/protocol/dispute.md`; paper, 6.1 (d)).
//!
//! The chain and the workers use the same functions: what one computes, the other checks.

use crate::{
	audit::Path,
	hashing::{leaf_hash, merkle_proof, merkle_root, verify_merkle_proof},
	manifest::{Attention, Encoding, Manifest, TensorRole, CHUNK_BYTES},
	record::LayerRange,
	AccountId, Balance, ModelId,
};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_core::{ConstU32, H256};
use sp_runtime::BoundedVec;

/// Most hashes of one call: 64 KiB.
pub const MAX_HASHES: u32 = 2_048;
/// Items of a trace for each layer.
pub const ITEMS_PER_LAYER: u32 = 11;
/// Most columns of a matrix in dispute.
pub const MAX_DISPUTED_COLUMNS: u32 = 65_536;
/// Most leaves of a boundary in dispute.
pub const MAX_DISPUTED_LEAVES: u32 = 1 << 22;
/// Bytes of the scale before a matrix's int8 inputs.
pub const SCALE_BYTES: u32 = 4;
/// Most bytes of a matrix's inputs: scale, and a byte a column.
pub const MAX_INPUT_BYTES: u32 = MAX_DISPUTED_COLUMNS + SCALE_BYTES;

/// The numerics whose traces are defined.
const NUMERICS: u16 = 1;
/// The matrices of a layer, each with the place of its input within the layer's items.
const SUMS: [Option<(TensorRole, u32)>; ITEMS_PER_LAYER as usize] = [
	None,
	Some((TensorRole::Query, 0)),
	Some((TensorRole::Key, 0)),
	Some((TensorRole::Value, 0)),
	None,
	Some((TensorRole::AttentionOutput, 4)),
	None,
	Some((TensorRole::Gate, 6)),
	Some((TensorRole::Up, 6)),
	None,
	Some((TensorRole::Down, 9)),
];

/// Hashes of a post.
pub type Hashes = BoundedVec<H256, ConstU32<MAX_HASHES>>;

/// A side of a dispute.
#[derive(
	Clone,
	Copy,
	PartialEq,
	Eq,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
	Debug,
	Hash,
)]
pub enum Party {
	/// The node of the stage that is accused.
	#[codec(index = 0)]
	Executor,
	/// The verifier that accuses it.
	#[codec(index = 1)]
	Accuser,
}

/// A hash of each side.
#[derive(
	Clone,
	Copy,
	PartialEq,
	Eq,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
	Debug,
)]
pub struct Pair {
	/// The executor's.
	pub executor: H256,
	/// The accuser's.
	pub accuser: H256,
}

impl Pair {
	/// That of `party`.
	pub fn of(&self, party: Party) -> &H256 {
		match party {
			Party::Executor => &self.executor,
			Party::Accuser => &self.accuser,
		}
	}
}

/// A hash in a tree, and its way to the root.
#[derive(
	Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo, Debug,
)]
pub struct Branch {
	/// The hash.
	pub hash: H256,
	/// The siblings on its way, from the bottom up.
	pub path: Path,
}

impl Branch {
	/// The branch of leaf `index` of a tree over `leaves`; `None` if there is no such leaf. `O(n)`.
	pub fn of(leaves: &[H256], index: usize) -> Option<Self> {
		let path = merkle_proof(leaves, index)?.try_into().ok()?;
		Some(Self { hash: *leaves.get(index)?, path })
	}
}

/// The first place at which two trees of the same number of leaves differ.
#[derive(
	Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo, Debug,
)]
pub struct Fork {
	/// The place, from 0.
	pub index: u32,
	/// The executor's branch.
	pub executor: Branch,
	/// The accuser's branch.
	pub accuser: Branch,
}

impl Fork {
	/// The fork of two lists of the same length; `None` if they are equal. `O(n)`.
	pub fn between(executor: &[H256], accuser: &[H256]) -> Option<Self> {
		let index = executor.iter().zip(accuser).position(|(one, other)| one != other)?;
		Some(Self {
			index: u32::try_from(index).ok()?,
			executor: Branch::of(executor, index)?,
			accuser: Branch::of(accuser, index)?,
		})
	}

	/// The two hashes.
	pub fn hashes(&self) -> Pair {
		Pair { executor: self.executor.hash, accuser: self.accuser.hash }
	}

	/// Whether it is the first difference of the trees of `count` leaves under `roots`: the hashes
	/// differ, both lead to their roots, and all siblings on the left are the same.
	pub fn is_first(&self, roots: &Pair, count: u32) -> bool {
		let leads = |root: &H256, branch: &Branch| {
			verify_merkle_proof(root, &branch.hash, size(self.index), size(count), &branch.path)
		};
		self.executor.hash != self.accuser.hash
			&& leads(&roots.executor, &self.executor)
			&& leads(&roots.accuser, &self.accuser)
			&& self.agrees_on_the_left(count)
	}

	fn agrees_on_the_left(&self, count: u32) -> bool {
		let mut siblings = self.executor.path.iter().zip(&self.accuser.path);
		let (mut index, mut width) = (self.index, count);
		while width > 1 {
			if (index ^ 1) < width {
				let Some((one, other)) = siblings.next() else { return false };
				if index & 1 == 1 && one != other {
					return false;
				}
			}
			index >>= 1;
			width = width.div_ceil(2);
		}
		true
	}
}

/// The height of the nodes that an executor posts of a tree of so many leaves: the least at which
/// there are at most [`MAX_HASHES`].
pub fn node_height(leaves: u32) -> u32 {
	(0..u32::BITS).find(|height| node_count(leaves, *height) <= MAX_HASHES).unwrap_or(u32::BITS)
}

/// How many nodes a tree of so many leaves has at `height`, 0 being the leaves'.
pub fn node_count(leaves: u32, height: u32) -> u32 {
	(0..height.min(u32::BITS)).fold(leaves, |width, _| width.div_ceil(2))
}

/// The nodes at `height` of the tree over `leaves`.
pub fn nodes(leaves: &[H256], height: u32) -> Vec<H256> {
	let width = 1usize.checked_shl(height).unwrap_or(usize::MAX);
	leaves.chunks(width).map(merkle_root).collect()
}

/// The first leaf below node `node` at `height` of a tree of `leaves` leaves, and how many there are.
pub fn leaves_below(leaves: u32, height: u32, node: u32) -> (u32, u32) {
	let width = 1u32.checked_shl(height).unwrap_or(u32::MAX);
	let first = width.saturating_mul(node);
	(first, leaves.saturating_sub(first).min(width))
}

/// How many items a trace through these layers has.
pub fn item_count(layers: &LayerRange) -> u32 {
	u32::from(layers.len()).saturating_mul(ITEMS_PER_LAYER)
}

/// Which sums an item of a trace is of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sums {
	/// The layer.
	pub layer: u16,
	/// The matrix.
	pub role: TensorRole,
	/// The item that is its input.
	pub input: u32,
}

/// What item `item` of a trace through `layers` is the sums of; `None` for inputs, and where there is
/// no such item.
pub fn sums_of(layers: &LayerRange, item: u32) -> Option<Sums> {
	let place = item.checked_rem(ITEMS_PER_LAYER)?;
	let (role, input) = (*SUMS.get(size(place))?)?;
	let layer = u16::try_from(item.checked_div(ITEMS_PER_LAYER)?).ok()?;
	let layer = layers.first.checked_add(layer).filter(|layer| *layer < layers.end)?;
	Some(Sums { layer, role, input: item.checked_sub(place)?.checked_add(input)? })
}

/// A ternary matrix of a manifest, in blocks of rows: those of its chunks
/// (`docs/protocol/package.md`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Matrix {
	/// [`Encoding::Ternary2`] or [`Encoding::Ternary5`].
	pub encoding: Encoding,
	/// Outputs.
	pub rows: u32,
	/// Inputs.
	pub columns: u32,
	/// The root over its chunks.
	pub root: H256,
	/// Bytes of a row.
	pub row_bytes: u32,
	/// Rows of a block; the last one may have fewer.
	pub block_rows: u32,
	/// Blocks. There is one chunk more, the scale.
	pub blocks: u32,
}

impl Matrix {
	/// The matrix `role` of `layer`; `None` if there is none whose sums can be in dispute.
	pub fn of(manifest: &Manifest, layer: u16, role: TensorRole) -> Option<Self> {
		let Attention::Gqa { heads, kv_heads, head_dim } = manifest.attention else { return None };
		let wide = |heads: u16| u32::from(heads).checked_mul(u32::from(head_dim));
		let (hidden, feed_forward) = (manifest.hidden, manifest.feed_forward);
		let (rows, columns) = match role {
			TensorRole::Query => (wide(heads)?, hidden),
			TensorRole::Key | TensorRole::Value => (wide(kv_heads)?, hidden),
			TensorRole::AttentionOutput => (hidden, wide(heads)?),
			TensorRole::Gate | TensorRole::Up => (feed_forward, hidden),
			TensorRole::Down => (hidden, feed_forward),
			_ => return None,
		};
		let place = manifest
			.tensors
			.binary_search_by_key(&(layer, role), |tensor| (tensor.layer, tensor.role))
			.ok()?;
		let tensor = manifest.tensors.get(place)?;
		let row_bytes = match tensor.encoding {
			Encoding::Ternary2 => columns.div_ceil(256).checked_mul(64)?,
			Encoding::Ternary5 => columns.div_ceil(5),
			_ => return None,
		};
		let block_rows = CHUNK_BYTES.checked_div(row_bytes).filter(|rows| *rows > 0)?;
		let blocks = rows.div_ceil(block_rows);
		let fits = rows > 0 && columns <= MAX_DISPUTED_COLUMNS && blocks <= MAX_HASHES;
		let (encoding, root) = (tensor.encoding, tensor.root);
		fits.then_some(Self { encoding, rows, columns, root, row_bytes, block_rows, blocks })
	}

	/// How many rows block `block` has; 0 if there is no such block.
	pub fn rows_of(&self, block: u32) -> u32 {
		let first = self.block_rows.saturating_mul(block);
		self.rows.saturating_sub(first).min(self.block_rows)
	}

	/// Bytes of the chunk of block `block`.
	pub fn chunk_bytes(&self, block: u32) -> u32 {
		self.rows_of(block).saturating_mul(self.row_bytes)
	}

	/// The hashes of the blocks of `sums`, one for each row.
	pub fn block_hashes(&self, sums: &[i32]) -> Vec<H256> {
		sums.chunks(size(self.block_rows).max(1)).map(block_hash).collect()
	}
}

/// Whether there can be disputes on a stage of these layers, and a boundary of so many leaves.
pub fn is_disputable(manifest: &Manifest, layers: &LayerRange, leaves: u32) -> bool {
	let items = item_count(layers);
	manifest.numerics_version == NUMERICS
		&& (1..=MAX_HASHES).contains(&items)
		&& (1..=MAX_DISPUTED_LEAVES).contains(&leaves)
		&& (0..items)
			.filter_map(|item| sums_of(layers, item))
			.all(|sums| Matrix::of(manifest, sums.layer, sums.role).is_some())
}

/// The hash of a block of sums.
pub fn block_hash(sums: &[i32]) -> H256 {
	let bytes: Vec<u8> = sums.iter().flat_map(|sum| sum.to_le_bytes()).collect();
	leaf_hash(&bytes)
}

/// The bytes of a matrix's input, whose `leaf_hash` is the item: the scale that the floats were
/// multiplied by, and what came out.
pub fn input_bytes(scale: f32, values: &[i8]) -> Vec<u8> {
	let values = values.iter().flat_map(|value| value.to_le_bytes());
	scale.to_le_bytes().into_iter().chain(values).collect()
}

/// That a party posted a block of sums which is none.
#[derive(
	Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo, Debug,
)]
pub struct BlockProof {
	/// The block.
	pub block: u32,
	/// The hash that the party posted for it.
	pub hash: H256,
	/// From there to the party's item.
	pub path: Path,
	/// The matrix's input: [`input_bytes`].
	pub inputs: BoundedVec<u8, ConstU32<MAX_INPUT_BYTES>>,
	/// From the input's item to the root of the executor's trace.
	pub inputs_path: Path,
	/// The chunk of the block's weights.
	pub weights: BoundedVec<u8, ConstU32<CHUNK_BYTES>>,
	/// From there to the tensor's root.
	pub weights_path: Path,
}

/// What is wrong with a [`BlockProof`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ProofFault {
	/// The hash is not what the party posted.
	Block,
	/// The input is not the one that both parties posted.
	Inputs,
	/// The weights are not the manifest's.
	Weights,
}

impl BlockProof {
	/// Whether everything that is opened is what it was committed to: the block under `item`, the
	/// party's; the input under `trace`, the root of the executor's `items` items; the weights under
	/// the matrix's root. Nothing is computed.
	pub fn check(
		&self,
		matrix: &Matrix,
		item: &H256,
		trace: &H256,
		input: u32,
		items: u32,
	) -> Result<(), ProofFault> {
		let (block, blocks) = (size(self.block), size(matrix.blocks));
		if !verify_merkle_proof(item, &self.hash, block, blocks, &self.path) {
			return Err(ProofFault::Block);
		}
		let hash =
			|bytes: &[u8], length: u32| (bytes.len() == size(length)).then(|| leaf_hash(bytes));
		let length = matrix.columns.saturating_add(SCALE_BYTES);
		let is_input = hash(&self.inputs, length).is_some_and(|hash| {
			verify_merkle_proof(trace, &hash, size(input), size(items), &self.inputs_path)
		});
		if !is_input {
			return Err(ProofFault::Inputs);
		}
		let chunks = blocks.saturating_add(1);
		let is_chunk = hash(&self.weights, matrix.chunk_bytes(self.block)).is_some_and(|hash| {
			verify_merkle_proof(&matrix.root, &hash, block, chunks, &self.weights_path)
		});
		is_chunk.then_some(()).ok_or(ProofFault::Weights)
	}

	/// The int8 values of the input, each in two's complement.
	pub fn values(&self) -> &[u8] {
		self.inputs.get(size(SCALE_BYTES)..).unwrap_or_default()
	}
}

/// How a party stands.
#[derive(
	Clone,
	Copy,
	PartialEq,
	Eq,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
	Debug,
)]
pub enum Standing {
	/// Nothing is found against it.
	#[codec(index = 0)]
	Stands,
	/// It did not post what was its to post.
	#[codec(index = 1)]
	Silent,
	/// It posted sums that are none.
	#[codec(index = 2)]
	False,
}

/// How far a dispute has come.
#[derive(
	Clone,
	Copy,
	PartialEq,
	Eq,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
	Debug,
)]
pub enum Step {
	/// Nothing was posted.
	#[codec(index = 0)]
	Open,
	/// The executor has posted the nodes of its boundary.
	#[codec(index = 1)]
	Nodes {
		/// The roots of both.
		roots: Pair,
	},
	/// The accuser has said below which node the boundaries differ first.
	#[codec(index = 2)]
	Leaf {
		/// The first leaf below it.
		first: u32,
		/// How many leaves there are.
		count: u32,
		/// The nodes.
		nodes: Pair,
	},
	/// The executor has said at which leaf, and posted its trace.
	#[codec(index = 3)]
	Defence {
		/// The leaf's position.
		position: u32,
		/// The root of the executor's trace.
		trace: H256,
	},
	/// The accuser has posted its trace.
	#[codec(index = 4)]
	Traces {
		/// Of which position.
		position: u32,
		/// The roots of both.
		traces: Pair,
	},
	/// The first sums that differ are known, and at least one party's blocks.
	#[codec(index = 5)]
	Blocks {
		/// Of which position.
		position: u32,
		/// The roots of the traces.
		traces: Pair,
		/// The item.
		item: u32,
		/// The sums' hashes.
		sums: Pair,
		/// Whether the executor has posted its blocks.
		executor: bool,
		/// Whether the accuser has.
		accuser: bool,
	},
	/// It is over.
	#[codec(index = 6)]
	Over,
}

/// A dispute between a verifier and the stage that it accuses.
#[derive(
	Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo, Debug,
)]
pub struct Dispute {
	/// Which side opened it.
	pub by: Party,
	/// That side's account.
	pub opener: AccountId,
	/// What that one has on hold for it, in planck.
	pub bond: Balance,
	/// The stage, from 0.
	pub stage: u16,
	/// What the accuser found in place of the boundary's root.
	pub root: H256,
	/// How the executor stands.
	pub executor: Standing,
	/// How the accuser stands.
	pub accuser: Standing,
	/// How far it has come.
	pub step: Step,
}

impl Dispute {
	/// How a party stands.
	pub fn standing(&self, party: Party) -> Standing {
		match party {
			Party::Executor => self.executor,
			Party::Accuser => self.accuser,
		}
	}

	/// Notes something against a party.
	pub fn find(&mut self, party: Party, standing: Standing) {
		match party {
			Party::Executor => self.executor = standing,
			Party::Accuser => self.accuser = standing,
		}
	}
}

/// Manifests of registered models (wired in the runtime).
pub trait Manifests {
	/// The manifest, if it is registered.
	fn manifest(model: &ModelId) -> Option<Manifest>;
	/// Registers a manifest.
	#[cfg(feature = "runtime-benchmarks")]
	fn benchmark_manifest(manifest: Manifest) -> ModelId;
}

fn size(count: u32) -> usize {
	usize::try_from(count).unwrap_or(usize::MAX)
}
