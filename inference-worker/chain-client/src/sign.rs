//! Signed transactions.

use crate::{call::Call, error::SubmitError, runtime::Runtime};
use aria_primitives::BlockNumber;
use sp_core::{sr25519, Pair as _, H256};
use subxt::{
	config::DefaultExtrinsicParamsBuilder,
	ext::scale_encode::{EncodeAsFields, Error as EncodeError, FieldIter, TypeResolver},
	transactions::{Payload, Signer},
	utils::{AccountId32, MultiSignature},
	SubstrateConfig,
};

/// Blocks for which a transaction can be taken: a power of two, as its bytes demand.
pub(crate) const LIFE: u32 = 64;

/// A signed transaction.
pub(crate) struct Signed {
	/// Its bytes, as blocks hold them.
	pub bytes: Vec<u8>,
	/// The last block that may take it.
	pub expires: BlockNumber,
}

/// Signs a call for [`LIFE`] blocks from block `birth` on.
pub(crate) fn sign(
	runtime: &Runtime,
	pair: &sr25519::Pair,
	call: &Call,
	nonce: u32,
	birth: (BlockNumber, H256),
) -> Result<Signed, SubmitError> {
	let (number, hash) = birth;
	let raw = RawCall { name: call.name(), arguments: Raw(call.arguments(runtime)?) };
	let parameters = DefaultExtrinsicParamsBuilder::<SubstrateConfig>::new()
		.mortal_from_unchecked(LIFE.into(), number.into(), hash)
		.nonce(nonce.into())
		.build();
	let bad = |error: subxt::error::ExtrinsicError| SubmitError::BadCall(error.to_string());
	let transactions = runtime.offline.transactions();
	let mut signable = transactions.create_v4_signable_offline(&raw, parameters).map_err(bad)?;
	let signed = signable.sign(&Key(pair)).map_err(bad)?;
	// It is born with the block of its checkpoint, and dead LIFE blocks later.
	let expires = number.saturating_add(LIFE).saturating_sub(1);
	Ok(Signed { bytes: signed.into_encoded(), expires })
}

/// A call whose arguments are bytes already.
struct RawCall {
	name: (&'static str, &'static str),
	arguments: Raw,
}

impl Payload for RawCall {
	type CallData = Raw;

	fn pallet_name(&self) -> &str {
		self.name.0
	}

	fn call_name(&self) -> &str {
		self.name.1
	}

	fn call_data(&self) -> &Raw {
		&self.arguments
	}
}

/// Bytes that stand for themselves: their shape was checked when the chain's runtime was.
struct Raw(Vec<u8>);

impl EncodeAsFields for Raw {
	fn encode_as_fields_to<R: TypeResolver>(
		&self,
		_fields: &mut dyn FieldIter<'_, R::TypeId>,
		_types: &R,
		out: &mut Vec<u8>,
	) -> Result<(), EncodeError> {
		out.extend_from_slice(&self.0);
		Ok(())
	}
}

/// A key that signs.
struct Key<'a>(&'a sr25519::Pair);

impl Signer<SubstrateConfig> for Key<'_> {
	fn account_id(&self) -> AccountId32 {
		AccountId32(self.0.public().0)
	}

	fn sign(&self, payload: &[u8]) -> MultiSignature {
		MultiSignature::Sr25519(self.0.sign(payload).0)
	}
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;
	use crate::fit::COMMITTED;
	use aria_primitives::{AccountId, Signature};
	use aria_runtime::{SignedPayload, UncheckedExtrinsic, VERSION};
	use codec::{DecodeAll, Encode};
	use sp_runtime::{generic::Preamble, traits::Verify, MultiAddress};

	const GENESIS: H256 = H256::repeat_byte(7);
	const BIRTH: (BlockNumber, H256) = (100, H256::repeat_byte(8));

	fn pair() -> sr25519::Pair {
		sr25519::Pair::from_seed(&[5; 32])
	}

	/// Signs a call as this crate does, and checks the signature as the runtime does.
	fn check(call: &Call) {
		let runtime = Runtime::new(COMMITTED, GENESIS).unwrap();
		let signed = sign(&runtime, &pair(), call, 3, BIRTH).unwrap();

		let read = UncheckedExtrinsic::decode_all(&mut signed.bytes.as_slice()).unwrap();
		assert_eq!(read.encode(), signed.bytes);
		let Preamble::Signed(address, signature, extension) = read.preamble else {
			panic!("the transaction is not signed")
		};
		let account = AccountId::from(pair().public());
		assert_eq!(address, MultiAddress::Id(account.clone()));
		let implicit = (
			(),
			VERSION.spec_version,
			VERSION.transaction_version,
			GENESIS,
			BIRTH.1,
			(),
			(),
			(),
			None,
			(),
		);
		let payload = SignedPayload::from_raw(read.function, extension, implicit);
		let good = payload.using_encoded(|bytes| {
			let signature: &Signature = &signature;
			signature.verify(bytes, &account)
		});
		assert!(good);
	}

	#[test]
	fn a_transaction_should_be_signed_as_the_runtime_expects() {
		check(&Call::Drain);
		// Long payloads are hashed before they are signed.
		check(&Call::RegisterModel(vec![9; 5_000]));
	}

	#[test]
	fn a_transaction_should_live_for_a_while() {
		let runtime = Runtime::new(COMMITTED, GENESIS).unwrap();

		let signed = sign(&runtime, &pair(), &Call::Drain, 0, BIRTH).unwrap();

		assert_eq!(signed.expires, 163);
	}
}
