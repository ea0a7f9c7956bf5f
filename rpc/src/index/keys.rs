//! The index's bytes.
//!
//! A list's key is `owner (32) ‖ block (4, big-endian) ‖ position (4, big-endian) ‖ id (32)`, so
//! that keys ascend in order of settlement; in the lists by output and by query it is
//! `hash (32) ‖ id (32)`, so that they ascend by id as the state's do. Its value is one byte that says
//! nothing.

use aria_primitives::{BlockNumber, RecordId};
use codec::{Decode, Encode};
use sp_core::H256;

/// Version of this layout and of what is indexed; another one starts afresh.
pub(super) const SCHEMA: u32 = 2;

/// The value of a list's keys. Not empty, for nobody promises that a database keeps those.
pub(super) const PRESENT: &[u8] = &[1];

const OWNER: usize = 32;
const PLACE: usize = 8;
const ID: usize = 32;

/// Where a record was settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
	/// The block.
	pub block: BlockNumber,
	/// Its place among the block's records; 0 for all of a block whose order is not known any more.
	pub position: u32,
}

impl Place {
	pub fn to_bytes(self) -> [u8; PLACE] {
		((u64::from(self.block) << 32) | u64::from(self.position)).to_be_bytes()
	}

	pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
		let both = u64::from_be_bytes(bytes.try_into().ok()?);
		// Each half fits by construction.
		Some(Self { block: (both >> 32) as u32, position: (both & u64::from(u32::MAX)) as u32 })
	}
}

/// A list's key.
pub(super) fn list_key(owner: &[u8; OWNER], place: Place, id: &RecordId) -> Vec<u8> {
	[owner.as_slice(), place.to_bytes().as_slice(), id.as_bytes()].concat()
}

/// The record that a list's key stands for.
pub(super) fn id_of(key: &[u8]) -> Option<RecordId> {
	let id = key.get(OWNER + PLACE..)?;
	(id.len() == ID).then(|| RecordId::from_slice(id))
}

/// A key of the lists by a hash.
pub(super) fn hash_key(hash: &H256, id: &RecordId) -> Vec<u8> {
	[hash.as_bytes(), id.as_bytes()].concat()
}

/// The record that a key of the lists by a hash stands for.
pub(super) fn hashed_id_of(key: &[u8]) -> Option<RecordId> {
	let id = key.get(OWNER..)?;
	(id.len() == ID).then(|| RecordId::from_slice(id))
}

/// Keys of what the index knows about itself; values are SCALE.
pub(super) mod meta {
	/// [`super::Identity`].
	pub const IDENTITY: &[u8] = b"identity";
	/// [`super::Tip`].
	pub const TIP: &[u8] = b"tip";
	/// [`super::Gap`]; absent when there is none.
	pub const GAP: &[u8] = b"gap";
	/// `BlockNumber`: the first block whose records are held.
	pub const START: &[u8] = b"start";
}

/// What the index is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub(super) struct Identity {
	/// [`SCHEMA`].
	pub schema: u32,
	/// The chain.
	pub genesis: H256,
}

/// The last block that is indexed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub(crate) struct Tip {
	/// Its number.
	pub number: BlockNumber,
	/// Its hash, if the node knew it.
	pub hash: Option<H256>,
}

/// Blocks `from..below` whose own states are discarded: their records are being collected from a
/// newer state, in order of ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub(crate) struct Gap {
	/// The first block.
	pub from: BlockNumber,
	/// One past the last block.
	pub below: BlockNumber,
	/// The last id that was looked at.
	pub cursor: Option<RecordId>,
}
