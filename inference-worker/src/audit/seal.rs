//! Hand-overs for one verifier alone (`docs/protocol/network.md`, "Audits").
//!
//! The verifier's key is an sr25519 key, that is a point of ristretto255: no second key has to be
//! registered, and whoever drew a seat with it can read what the seat is for.

use aria_network::wire::audit::MAX_SEALED;
use aria_primitives::{audit::Handover, hashing::sha256, RecordId};
use chacha20poly1305::{
	aead::{Aead, KeyInit, Payload},
	ChaCha20Poly1305, Key, Nonce,
};
use codec::{DecodeAll, Encode};
use curve25519_dalek::{
	ristretto::{CompressedRistretto, RistrettoPoint},
	scalar::Scalar,
	traits::IsIdentity,
};
use sp_core::{sr25519, ByteArray, Pair};

/// Beginning of what a message's key is the hash of.
const DOMAIN: &[u8] = b"aria/seal/v1";
/// Bytes of a point.
const POINT: usize = 32;

/// Why something is not sealed, or does not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
	/// The verifier's key is no point.
	#[error("the verifier's key is no sr25519 key: it has to register another one")]
	Key,
	/// It is longer than a message may be.
	#[error("query and answer are longer than a hand-over may be")]
	TooLong,
	/// It was changed on its way, is for another key or another record, or holds something else.
	#[error("what came is not sealed to this verifier's key for this record")]
	Unreadable,
}

/// Seals `handed` to `key` for the audit of `record`.
///
/// # Errors
/// [`SealError::Key`], [`SealError::TooLong`].
pub fn seal(
	handed: &Handover,
	key: &sr25519::Public,
	record: &RecordId,
) -> Result<Vec<u8>, SealError> {
	let receiver = point(key.as_slice()).ok_or(SealError::Key)?;
	// 64 random bytes, so that the scalar is as good as uniform.
	let (low, high): ([u8; 32], [u8; 32]) = (rand::random(), rand::random());
	let mut wide = [0; 64];
	wide[..32].copy_from_slice(&low);
	wide[32..].copy_from_slice(&high);
	let scalar = Scalar::from_bytes_mod_order_wide(&wide);
	let ephemeral = RistrettoPoint::mul_base(&scalar).compress().to_bytes();
	let shared = (scalar * receiver).compress().to_bytes();
	let cipher = cipher(&ephemeral, key, &shared);
	let message = handed.encode();
	let payload = Payload { msg: &message, aad: record.as_bytes() };
	let sealed = cipher.encrypt(&Nonce::default(), payload).map_err(|_| SealError::TooLong)?;
	let sealed = [ephemeral.as_slice(), &sealed].concat();
	match sealed.len() <= MAX_SEALED as usize {
		true => Ok(sealed),
		false => Err(SealError::TooLong),
	}
}

/// Opens what was sealed to the key of `pair`.
///
/// # Errors
/// [`SealError::Unreadable`].
pub fn unseal(
	sealed: &[u8],
	pair: &sr25519::Pair,
	record: &RecordId,
) -> Result<Handover, SealError> {
	let (ephemeral, sealed) = sealed.split_at_checked(POINT).ok_or(SealError::Unreadable)?;
	let sender = point(ephemeral).ok_or(SealError::Unreadable)?;
	let ephemeral: [u8; POINT] = ephemeral.try_into().map_err(|_| SealError::Unreadable)?;
	let secret = secret(pair).ok_or(SealError::Unreadable)?;
	let shared = (secret * sender).compress().to_bytes();
	let cipher = cipher(&ephemeral, &pair.public(), &shared);
	let payload = Payload { msg: sealed, aad: record.as_bytes() };
	let message = cipher.decrypt(&Nonce::default(), payload).map_err(|_| SealError::Unreadable)?;
	Handover::decode_all(&mut message.as_slice()).map_err(|_| SealError::Unreadable)
}

/// Every message has a key of its own, so that its nonce may be the same.
fn cipher(
	ephemeral: &[u8; POINT],
	receiver: &sr25519::Public,
	shared: &[u8; POINT],
) -> ChaCha20Poly1305 {
	let key = sha256(&[DOMAIN, ephemeral, receiver.as_slice(), shared].concat());
	ChaCha20Poly1305::new(Key::from_slice(key.as_bytes()))
}

/// The point of these bytes, unless it is none or gives everybody the same secret.
fn point(bytes: &[u8]) -> Option<RistrettoPoint> {
	let bytes: [u8; POINT] = bytes.try_into().ok()?;
	CompressedRistretto(bytes).decompress().filter(|point| !point.is_identity())
}

/// The scalar of a key: the first half of what schnorrkel keeps of it.
fn secret(pair: &sr25519::Pair) -> Option<Scalar> {
	let bytes = pair.to_raw_vec();
	let scalar: [u8; 32] = bytes.get(..32)?.try_into().ok()?;
	Scalar::from_canonical_bytes(scalar).into()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;
	use aria_primitives::query::{CanonicalQuery, Sampling, QUERY_VERSION};
	use sp_core::H256;

	fn handed() -> Handover {
		let query = CanonicalQuery {
			version: QUERY_VERSION,
			model_id: H256::repeat_byte(1),
			prompt_tokens: vec![1, 2, 3].try_into().unwrap(),
			sampling: Sampling::GREEDY,
			max_tokens: 9,
			stop: Default::default(),
			salt: [4; 32],
		};
		Handover { query, tokens: vec![5, 6] }
	}

	fn pair(name: &str) -> sr25519::Pair {
		sr25519::Pair::from_string(name, None).unwrap()
	}

	#[test]
	fn a_hand_over_should_be_read_by_its_verifier_alone() {
		let (bob, record) = (pair("//Bob"), H256::repeat_byte(7));
		let sealed = seal(&handed(), &bob.public(), &record).unwrap();

		assert_eq!(unseal(&sealed, &bob, &record).unwrap(), handed());
		assert!(unseal(&sealed, &pair("//Eve"), &record).is_err());
		assert!(unseal(&sealed, &bob, &H256::repeat_byte(8)).is_err());
		assert_ne!(seal(&handed(), &bob.public(), &record).unwrap(), sealed);
	}

	#[test]
	fn generated_keys_should_open_too() {
		let record = H256::repeat_byte(7);
		for _ in 0..8 {
			let (pair, _) = sr25519::Pair::generate();
			let sealed = seal(&handed(), &pair.public(), &record).unwrap();
			assert_eq!(unseal(&sealed, &pair, &record).unwrap(), handed());
		}
	}

	#[test]
	fn what_was_changed_should_not_open() {
		let (bob, record) = (pair("//Bob"), H256::repeat_byte(7));
		let sealed = seal(&handed(), &bob.public(), &record).unwrap();
		for place in [0, 31, 32, sealed.len() / 2, sealed.len() - 1] {
			let mut changed = sealed.clone();
			changed[place] ^= 1;
			assert_eq!(unseal(&changed, &bob, &record), Err(SealError::Unreadable), "{place}");
		}
		for length in [0, 1, 31, 32, 40] {
			assert!(unseal(&sealed[..length], &bob, &record).is_err());
		}
		// The identity gives a secret that everybody knows.
		let mut weak = sealed;
		weak[..POINT].fill(0);
		assert!(unseal(&weak, &bob, &record).is_err());
		let nobody = sr25519::Public::from_raw([0; 32]);
		assert_eq!(seal(&handed(), &nobody, &record), Err(SealError::Key));
	}
}
