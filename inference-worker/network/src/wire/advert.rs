//! What a worker says of itself to whoever plans.

use aria_primitives::{
	hashing::domain_hash, record::LayerRange, AccountId, ModelId, Moment, Signature,
};
use codec::{Decode, Encode};
use sp_core::{ConstU32, H256};
use sp_runtime::{traits::Verify, BoundedVec};

/// Domain of what the account signs.
pub const ADVERT_DOMAIN: &[u8] = b"aria/advert/v1";
/// Version of [`Advert`] that this crate writes.
pub const ADVERT_VERSION: u16 = 1;
/// Longest life of an advert, in milliseconds.
pub const MAX_ADVERT_LIFE: u64 = 5 * 60 * 1_000;
/// How far ahead of the reader's clock an advert may have been made, in milliseconds.
pub const MAX_CLOCK_SKEW: u64 = 60 * 1_000;
/// Most bytes of an encoded, signed advert.
pub const MAX_ADVERT: usize = 16 << 10;
/// Most served ranges.
pub const MAX_RANGES: u32 = 64;
/// Most addresses.
pub const MAX_ADDRESSES: u32 = 16;
/// Most bytes of an address.
pub const MAX_ADDRESS: u32 = 256;

/// A multiaddress in its binary form.
pub type Address = BoundedVec<u8, ConstU32<MAX_ADDRESS>>;
/// Where a peer can be reached.
pub type Addresses = BoundedVec<Address, ConstU32<MAX_ADDRESSES>>;

/// What a worker serves now. It expires; a new one replaces it.
#[derive(Clone, PartialEq, Eq, Encode, Decode, Debug)]
pub struct Advert {
	/// [`ADVERT_VERSION`].
	pub version: u16,
	/// The worker.
	pub account: AccountId,
	/// Its libp2p ed25519 public key.
	pub peer: [u8; 32],
	/// Where it can be reached; relayed addresses too.
	pub addresses: Addresses,
	/// The layers of each model that are in memory.
	pub serves: BoundedVec<(ModelId, LayerRange), ConstU32<MAX_RANGES>>,
	/// Sessions that it runs now.
	pub sessions: u16,
	/// Sessions that it runs at most.
	pub capacity: u16,
	/// The consent in force.
	pub consent_version: u32,
	/// ISO 3166 numeric code of the country; 0 is unknown.
	pub region: u16,
	/// Network limit of its consent, in megabits a second.
	pub bandwidth_mbps: u32,
	/// When it was made: milliseconds since the Unix epoch.
	pub made_at: Moment,
	/// When it ends.
	pub expires_at: Moment,
}

/// An advert with its account's signature.
#[derive(Clone, PartialEq, Eq, Encode, Decode, Debug)]
pub struct SignedAdvert {
	/// What is said.
	pub advert: Advert,
	/// By `advert.account`, over [`Advert::digest`].
	pub signature: Signature,
}

/// Why an advert is not believed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum AdvertError {
	/// Made by a later release.
	#[error("of another version: update this worker")]
	UnknownVersion,
	/// It is not from the peer that it names.
	#[error("names another peer than the one that sent it")]
	ForeignPeer,
	/// Its time is over.
	#[error("has expired: check both clocks")]
	Expired,
	/// It was made in the future.
	#[error("was made in the future: check both clocks")]
	FromTheFuture,
	/// It lives longer than allowed, or ends before it begins.
	#[error("has no valid life")]
	BadLife,
	/// The account did not sign it.
	#[error("is not signed by its account")]
	BadSignature,
}

impl Advert {
	/// What the account signs on the chain with this genesis.
	pub fn digest(&self, genesis: &H256) -> H256 {
		domain_hash(ADVERT_DOMAIN, genesis, self)
	}
}

impl SignedAdvert {
	/// Whether `peer`, who sent it, may be believed at `now`. That the chain binds account and peer to
	/// each other is for the caller to look up.
	///
	/// # Errors
	/// The first rule that it breaks.
	pub fn check(&self, genesis: &H256, peer: &[u8; 32], now: Moment) -> Result<(), AdvertError> {
		let advert = &self.advert;
		if advert.version != ADVERT_VERSION {
			return Err(AdvertError::UnknownVersion);
		}
		if advert.peer != *peer {
			return Err(AdvertError::ForeignPeer);
		}
		match advert.expires_at.checked_sub(advert.made_at) {
			Some(life) if life > 0 && life <= MAX_ADVERT_LIFE => {}
			_ => return Err(AdvertError::BadLife),
		}
		if advert.made_at > now.saturating_add(MAX_CLOCK_SKEW) {
			return Err(AdvertError::FromTheFuture);
		}
		if advert.expires_at <= now {
			return Err(AdvertError::Expired);
		}
		if !self.signature.verify(advert.digest(genesis).as_bytes(), &advert.account) {
			return Err(AdvertError::BadSignature);
		}
		Ok(())
	}
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;
	use sp_core::{sr25519, Pair};

	const NOW: Moment = 1_800_000_000_000;

	fn advert(change: impl Fn(&mut Advert)) -> SignedAdvert {
		let pair = sr25519::Pair::from_seed(&[1; 32]);
		let mut advert = Advert {
			version: ADVERT_VERSION,
			account: pair.public().0.into(),
			peer: [2; 32],
			addresses: Default::default(),
			serves: Default::default(),
			sessions: 0,
			capacity: 4,
			consent_version: 1,
			region: 756,
			bandwidth_mbps: 20,
			made_at: NOW - 1_000,
			expires_at: NOW + 60_000,
		};
		change(&mut advert);
		let signature = pair.sign(advert.digest(&H256::zero()).as_bytes()).into();
		SignedAdvert { advert, signature }
	}

	#[test]
	fn an_advert_should_be_believed_on_its_chain_until_it_expires() {
		let signed = advert(|_| ());

		assert_eq!(signed.check(&H256::zero(), &[2; 32], NOW), Ok(()));
		assert_eq!(
			signed.check(&H256::repeat_byte(1), &[2; 32], NOW),
			Err(AdvertError::BadSignature)
		);
		assert_eq!(signed.check(&H256::zero(), &[3; 32], NOW), Err(AdvertError::ForeignPeer));
		assert_eq!(signed.check(&H256::zero(), &[2; 32], NOW + 60_000), Err(AdvertError::Expired));
	}

	#[test]
	fn adverts_that_break_a_rule_should_be_refused() {
		let check = |signed: SignedAdvert| signed.check(&H256::zero(), &[2; 32], NOW);

		assert_eq!(check(advert(|a| a.version = 2)), Err(AdvertError::UnknownVersion));
		assert_eq!(check(advert(|a| a.expires_at = a.made_at)), Err(AdvertError::BadLife));
		assert_eq!(
			check(advert(|a| a.expires_at = a.made_at + MAX_ADVERT_LIFE + 1)),
			Err(AdvertError::BadLife)
		);
		assert_eq!(
			check(advert(|a| {
				a.made_at = NOW + MAX_CLOCK_SKEW + 1;
				a.expires_at = a.made_at + 1;
			})),
			Err(AdvertError::FromTheFuture)
		);
		let mut changed = advert(|_| ());
		changed.advert.capacity += 1;
		assert_eq!(check(changed), Err(AdvertError::BadSignature));
	}
}
