//! A block that is being filled with signed calls, and what came of it.

use crate::chain::{Block, Client};
use anyhow::{ensure, Context, Result};
use aria_primitives::AccountId;
use aria_runtime::{
	Address, Nonce, RuntimeCall, RuntimeEvent, Signature, SignedPayload, TxExtension,
	UncheckedExtrinsic, VERSION,
};
use codec::{Decode, Encode};
use frame_support::{
	dispatch::{DispatchClass, PerDispatchClass},
	storage::storage_prefix,
	weights::Weight,
};
use frame_system::EventRecord;
use sc_block_builder::BlockBuilder;
use sp_blockchain::{ApplyExtrinsicFailed, Error};
use sp_core::{sr25519, Pair as _, H256};
use sp_runtime::{generic::Era, DispatchError, OpaqueExtrinsic};
use std::collections::HashMap;

/// How often each account has signed.
pub type Nonces = HashMap<AccountId, Nonce>;

/// Whether a call went into a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Push {
	/// It did.
	Taken,
	/// The block has no room for it. How many bytes it would have had.
	Full(usize),
}

/// A block that is being filled.
pub struct Draft<'a> {
	builder: BlockBuilder<'a, Block, Client>,
	genesis: H256,
	nonces: Nonces,
	bytes: usize,
	extrinsics: u64,
}

/// A block with what came of it.
pub struct Built {
	/// The block.
	pub block: Block,
	/// What it changed in the state.
	pub changes: sp_api::StorageChanges<Block>,
	/// How often each account has signed after it.
	pub nonces: Nonces,
	/// Bytes of its signed extrinsics.
	pub bytes: usize,
	/// Number of its signed extrinsics.
	pub extrinsics: u64,
}

/// What a block did besides its calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Audits {
	/// Records that it drew for an audit.
	pub drawn: u64,
	/// Rounds of audits that it began.
	pub rounds: u64,
}

impl<'a> Draft<'a> {
	/// `builder` has taken what is inherent to the block.
	pub fn new(builder: BlockBuilder<'a, Block, Client>, genesis: H256, nonces: Nonces) -> Self {
		Self { builder, genesis, nonces, bytes: 0, extrinsics: 0 }
	}

	/// Bytes of the signed extrinsics so far.
	pub fn bytes(&self) -> usize {
		self.bytes
	}

	/// Number of the signed extrinsics so far.
	pub fn extrinsics(&self) -> u64 {
		self.extrinsics
	}

	/// Signs a call and applies it. Whether the call succeeded is in the block's events.
	///
	/// Errors when the transaction is not valid, but for want of room.
	pub fn push(&mut self, signer: &sr25519::Pair, call: RuntimeCall) -> Result<Push> {
		let account = AccountId::from(signer.public());
		let nonce = self.nonces.get(&account).copied().unwrap_or(0);
		let extrinsic = sign(&self.genesis, signer, nonce, call);
		let bytes = extrinsic.encoded_size();
		match self.builder.push(OpaqueExtrinsic::from(extrinsic)) {
			Ok(()) => {
				self.nonces.insert(account, nonce.saturating_add(1));
				self.bytes = self.bytes.saturating_add(bytes);
				self.extrinsics = self.extrinsics.saturating_add(1);
				Ok(Push::Taken)
			}
			Err(Error::ApplyExtrinsicFailed(ApplyExtrinsicFailed::Validity(reason)))
				if reason.exhausted_resources() =>
			{
				Ok(Push::Full(bytes))
			}
			Err(error) => Err(error).context("a transaction is refused"),
		}
	}

	/// Seals nothing and writes nothing: the block as its author has it before signing.
	pub fn finish(self) -> Result<Built> {
		let built = self.builder.build().context("a block cannot be finished")?;
		let (block, changes) = built.into_inner();
		Ok(Built {
			block,
			changes,
			nonces: self.nonces,
			bytes: self.bytes,
			extrinsics: self.extrinsics,
		})
	}
}

impl Built {
	/// The weight that it used, all of it and what its normal calls used.
	pub fn weight(&self) -> Result<(Weight, Weight)> {
		let used: PerDispatchClass<Weight> = self.value(b"BlockWeight")?;
		Ok((used.total(), *used.get(DispatchClass::Normal)))
	}

	/// How many records it settled.
	///
	/// Errors when a call failed, an entry of a batch, or a call as sudo.
	pub fn settled(&self) -> Result<u64> {
		let mut settled = 0u64;
		for record in self.events()? {
			if let Some(error) = failure(&record.event) {
				let name = aria_runtime::RuntimeError::from_dispatch_error(error);
				anyhow::bail!("a call that has to succeed failed: {error:?} ({name:?})");
			}
			if let RuntimeEvent::InferenceMarket(pallet_inference_market::Event::Settled {
				..
			}) = record.event
			{
				settled = settled.saturating_add(1);
			}
		}
		Ok(settled)
	}

	/// What its audits did.
	pub fn audits(&self) -> Result<Audits> {
		let mut audits = Audits::default();
		for record in self.events()? {
			match record.event {
				RuntimeEvent::Verification(pallet_verification::Event::RecordDrawn { .. }) => {
					audits.drawn = audits.drawn.saturating_add(1);
				}
				RuntimeEvent::Verification(pallet_verification::Event::RoundBegan { .. }) => {
					audits.rounds = audits.rounds.saturating_add(1);
				}
				_ => (),
			}
		}
		Ok(audits)
	}

	fn events(&self) -> Result<Vec<EventRecord<RuntimeEvent, H256>>> {
		self.value(b"Events")
	}

	/// What the block left under an item of the system pallet.
	fn value<V: Decode>(&self, item: &[u8]) -> Result<V> {
		let key = storage_prefix(b"System", item);
		let mut written = self.changes.main_storage_changes.iter();
		let value = written
			.find(|(written, _)| written.as_slice() == key.as_slice())
			.and_then(|(_, value)| value.as_ref());
		let name = String::from_utf8_lossy(item);
		ensure!(value.is_some(), "the block wrote no System::{name}");
		let bytes = value.map(Vec::as_slice).unwrap_or_default();
		V::decode(&mut &*bytes).with_context(|| format!("System::{name} is not understood"))
	}
}

/// Why a call failed, or one that it carried.
fn failure(event: &RuntimeEvent) -> Option<DispatchError> {
	match event {
		RuntimeEvent::System(frame_system::Event::ExtrinsicFailed { dispatch_error, .. }) => {
			Some(*dispatch_error)
		}
		RuntimeEvent::Sudo(pallet_sudo::Event::Sudid { sudo_result: Err(error) })
		| RuntimeEvent::InferenceMarket(pallet_inference_market::Event::SettlementFailed {
			error,
			..
		}) => Some(*error),
		_ => None,
	}
}

/// A signed transaction that never expires.
fn sign(
	genesis: &H256,
	signer: &sr25519::Pair,
	nonce: Nonce,
	call: RuntimeCall,
) -> UncheckedExtrinsic {
	let extension: TxExtension = (
		frame_system::CheckNonZeroSender::new(),
		frame_system::CheckSpecVersion::new(),
		frame_system::CheckTxVersion::new(),
		frame_system::CheckGenesis::new(),
		frame_system::CheckMortality::from(Era::Immortal),
		frame_system::CheckNonce::from(nonce),
		frame_system::CheckWeight::new(),
		pallet_transaction_payment::ChargeTransactionPayment::from(0),
		frame_metadata_hash_extension::CheckMetadataHash::new(false),
		frame_system::WeightReclaim::new(),
	);
	let implicit = (
		(),
		VERSION.spec_version,
		VERSION.transaction_version,
		*genesis,
		*genesis,
		(),
		(),
		(),
		None,
		(),
	);
	let payload = SignedPayload::from_raw(call.clone(), extension.clone(), implicit);
	let signature = payload.using_encoded(|bytes| signer.sign(bytes));
	UncheckedExtrinsic::new_signed(
		call,
		Address::Id(AccountId::from(signer.public())),
		Signature::Sr25519(signature),
		extension,
	)
}
