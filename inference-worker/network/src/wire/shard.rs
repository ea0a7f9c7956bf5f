//! Transfer of models in chunks that each can be verified (`docs/protocol/network.md`, "Shards").

use aria_primitives::ModelId;
use codec::{Decode, Encode};
use sp_core::{ConstU32, H256};
use sp_runtime::BoundedVec;

/// Most bytes of a request.
pub const MAX_REQUEST: usize = 1 << 10;
/// Most bytes of an answer: a chunk of 64 KiB with its proof, or a part of a small file.
pub const MAX_ANSWER: usize = 128 << 10;
/// Most bytes of a part of a small file.
pub const PART: u32 = 64 << 10;

/// What a peer asks, one after another on a stream of [`super::SHARD_PROTOCOL`].
#[derive(Clone, PartialEq, Eq, Encode, Decode, Debug)]
pub enum ShardRequest {
	/// `PART` bytes of a small file, from `offset`.
	Part {
		/// The model.
		model: ModelId,
		/// Which file.
		file: SmallFile,
		/// Where in it.
		offset: u32,
	},
	/// A chunk of a tensor.
	Chunk {
		/// The model.
		model: ModelId,
		/// Place of the tensor in the manifest's list.
		tensor: u16,
		/// The chunk (`docs/protocol/package.md`, "Chunks").
		chunk: u32,
	},
}

/// Files that are not cut into chunks with a root of their own.
#[derive(Clone, Copy, PartialEq, Eq, Encode, Decode, Debug)]
pub enum SmallFile {
	/// `manifest.scale`, whose hash is the model's id.
	Manifest,
	/// `tokenizer.json`, whose hash is in the manifest.
	Tokenizer,
	/// `chat_template.jinja`, whose hash is in the manifest.
	ChatTemplate,
}

/// The answer to a [`ShardRequest`].
#[derive(Clone, PartialEq, Eq, Encode, Decode, Debug)]
pub enum ShardAnswer {
	/// A part of a small file.
	Part {
		/// Bytes of the whole file.
		total: u32,
		/// The part; shorter than [`PART`] only at the file's end.
		bytes: BoundedVec<u8, ConstU32<PART>>,
	},
	/// A chunk, and the path from it to the tensor's root.
	Chunk {
		/// The bytes.
		bytes: BoundedVec<u8, ConstU32<PART>>,
		/// From the leaf upwards.
		proof: BoundedVec<H256, ConstU32<64>>,
	},
	/// It is not here.
	NotHere,
	/// Too much is asked at once; ask again after this many milliseconds.
	Later {
		/// Milliseconds.
		retry_ms: u32,
	},
}
