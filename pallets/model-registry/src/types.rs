//! What the pallet stores beside the primitives.

use crate::Error;
use aria_primitives::{
	manifest::{Manifest, ManifestError, MAX_MANIFEST_BYTES},
	traits::{ModelInfo, Offer},
	AccountId, Balance, BlockNumber,
};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_core::ConstU32;
use sp_runtime::BoundedVec;

/// Least bytes of an alias.
pub const MIN_ALIAS_BYTES: usize = 3;
/// Most bytes of an alias.
pub const MAX_ALIAS_BYTES: u32 = 64;
/// Most offers that the view function `offers` answers with.
pub const OFFERS_PAGE: usize = 64;

/// A manifest in canonical bytes.
pub type ManifestBytes = BoundedVec<u8, ConstU32<MAX_MANIFEST_BYTES>>;
/// The name of a model, for example `aria-2b-1bit`: 3 to 64 of `a-z 0-9 . -`, a letter first.
pub type AliasName = BoundedVec<u8, ConstU32<MAX_ALIAS_BYTES>>;

/// A registered model.
#[derive(
	Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo, Debug,
)]
pub struct ModelEntry {
	/// Who registered it and may unregister it.
	pub owner: AccountId,
	/// What is on hold for it on the owner's account, in planck.
	pub deposit: Balance,
	/// What the chain keeps of the manifest at hand.
	pub info: ModelInfo,
	/// The block that registered it.
	pub registered_at: BlockNumber,
	/// The block that pinned it, if it is pinned.
	pub pinned_at: Option<BlockNumber>,
}

/// An offer and the deposit behind it.
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
pub struct OfferEntry {
	/// The prices.
	pub offer: Offer,
	/// What is on hold for it on the seller's account, in planck.
	pub deposit: Balance,
}

/// What the chain keeps of a manifest at hand.
pub(crate) fn info_of(manifest: &Manifest) -> ModelInfo {
	ModelInfo {
		layers: manifest.layers,
		active_parameters: manifest.active_parameters(),
		context: manifest.context,
		task_type: manifest.task_type(),
	}
}

/// Whether the bytes make an alias.
pub(crate) fn is_valid_alias(name: &[u8]) -> bool {
	name.len() >= MIN_ALIAS_BYTES
		&& name.len() <= MAX_ALIAS_BYTES as usize
		&& name.first().is_some_and(u8::is_ascii_lowercase)
		&& name.iter().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-'))
}

impl<T> From<ManifestError> for Error<T> {
	fn from(error: ManifestError) -> Self {
		match error {
			ManifestError::Malformed => Self::MalformedManifest,
			ManifestError::UnknownVersion => Self::UnknownManifestVersion,
			ManifestError::BadDimensions => Self::BadDimensions,
			ManifestError::BadTensors => Self::BadTensors,
			ManifestError::BadShards => Self::BadShards,
		}
	}
}
