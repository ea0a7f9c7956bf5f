//! A chain's runtime as its metadata describes it: versions, numbers of calls, names of errors,
//! constants.

use crate::{
	error::SubmitError,
	fit::{self, Mismatch},
};
use aria_primitives::{Balance, BlockNumber, Moment};
use codec::Decode;
use sp_core::H256;
use sp_runtime::{DispatchError, ModuleError};
use std::fmt;
use subxt::{
	config::substrate::SpecVersionForRange, ArcMetadata, Metadata, OfflineClient,
	OfflineClientAtBlock, SubstrateConfig,
};

/// What a runtime says of itself in the constant `System.Version`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Version {
	/// The family of chains.
	pub spec_name: String,
	/// Counts releases.
	pub spec_version: u32,
	/// Counts changes of the form of transactions.
	pub transaction_version: u32,
}

/// The constant's bytes.
#[derive(Decode)]
struct VersionBytes {
	spec_name: String,
	_impl_name: String,
	_authoring_version: u32,
	spec_version: u32,
	_impl_version: u32,
	_apis: Vec<([u8; 8], u32)>,
	transaction_version: u32,
}

impl Version {
	/// The version of the runtime with this metadata, or what is wrong.
	pub(crate) fn of(metadata: &Metadata) -> Result<Self, String> {
		let bytes: VersionBytes = constant(metadata, "System", "Version")?;
		Ok(Self {
			spec_name: bytes.spec_name,
			spec_version: bytes.spec_version,
			transaction_version: bytes.transaction_version,
		})
	}
}

/// Numbers of the protocol that the runtime chooses (`docs/protocol/economics.md`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Constants {
	/// Least balance of an account, in planck.
	pub existential_deposit: Balance,
	/// Stake that a worker needs to register and to work, in planck.
	pub minimum_stake: Balance,
	/// Stake up to which a worker's earnings are taken, in planck.
	pub target_stake: Balance,
	/// Blocks from a worker's `unbond` to its `withdraw`.
	pub unbonding_period: BlockNumber,
	/// Blocks between two calls of a worker that drop served layers.
	pub served_grace: BlockNumber,
	/// Blocks of an era.
	pub era_length: BlockNumber,
	/// Most shards that a worker serves.
	pub max_served: u32,
	/// Blocks for which work settles under a superseded consent.
	pub consent_grace: BlockNumber,
	/// On hold for each model, in planck.
	pub model_deposit_base: Balance,
	/// On hold for each byte of its manifest besides, in planck.
	pub model_deposit_per_byte: Balance,
	/// Price of a byte of a record, in planck.
	pub byte_fee: Balance,
	/// Least price of a record of one stage whose settlement is free, in planck; see
	/// [`crate::price::free_from`].
	pub free_from: Balance,
	/// Stake of a gateway, in planck.
	pub gateway_stake: Balance,
	/// Most spending keys of a requester.
	pub max_keys_per_requester: u32,
	/// Most blocks from a record's anchor to its settlement.
	pub max_anchor_age: BlockNumber,
	/// Blocks after the anchor before a record settles without a stage's signature.
	pub signing_grace: BlockNumber,
	/// Most blocks from a settlement to its ticket's expiry.
	pub max_ticket_lifetime: BlockNumber,
	/// Most milliseconds from a record's end to its settlement.
	pub max_record_age: Moment,
	/// Most milliseconds that a record's clock may be ahead of the chain's.
	pub max_clock_skew: Moment,
	/// Most power that a stage may claim, in milliwatts.
	pub max_stage_power_mw: u64,
}

impl Constants {
	fn of(metadata: &Metadata) -> Result<Self, String> {
		Ok(Self {
			existential_deposit: constant(metadata, "Balances", "ExistentialDeposit")?,
			minimum_stake: constant(metadata, "WorkerRegistry", "MinimumStake")?,
			target_stake: constant(metadata, "WorkerRegistry", "TargetStake")?,
			unbonding_period: constant(metadata, "WorkerRegistry", "UnbondingPeriod")?,
			served_grace: constant(metadata, "WorkerRegistry", "ServedGrace")?,
			era_length: constant(metadata, "WorkerRegistry", "EraLength")?,
			max_served: constant(metadata, "WorkerRegistry", "MaxServed")?,
			consent_grace: constant(metadata, "ConsentRegistry", "GracePeriod")?,
			model_deposit_base: constant(metadata, "ModelRegistry", "DepositBase")?,
			model_deposit_per_byte: constant(metadata, "ModelRegistry", "DepositPerByte")?,
			byte_fee: constant(metadata, "InferenceMarket", "ByteFee")?,
			free_from: constant(metadata, "InferenceMarket", "FreeFrom")?,
			gateway_stake: constant(metadata, "InferenceMarket", "GatewayStake")?,
			max_keys_per_requester: constant(metadata, "InferenceMarket", "MaxKeysPerRequester")?,
			max_anchor_age: constant(metadata, "InferenceMarket", "MaxAnchorAge")?,
			signing_grace: constant(metadata, "InferenceMarket", "SigningGrace")?,
			max_ticket_lifetime: constant(metadata, "InferenceMarket", "MaxTicketLifetime")?,
			max_record_age: constant(metadata, "InferenceMarket", "MaxRecordAge")?,
			max_clock_skew: constant(metadata, "InferenceMarket", "MaxClockSkew")?,
			max_stage_power_mw: constant(metadata, "InferenceMarket", "MaxStagePower")?,
		})
	}

	/// What a manifest of so many bytes puts on hold when it is registered, in planck.
	pub fn model_deposit(&self, manifest_bytes: usize) -> Balance {
		let bytes = self.model_deposit_per_byte.saturating_mul(manifest_bytes as Balance);
		bytes.saturating_add(self.model_deposit_base)
	}
}

/// The value of a constant, or what is wrong.
fn constant<T: Decode>(metadata: &Metadata, pallet: &str, name: &str) -> Result<T, String> {
	let constant = metadata
		.pallet_by_name(pallet)
		.and_then(|pallet| pallet.constant_by_name(name))
		.ok_or_else(|| format!("there is no constant {pallet}.{name}"))?;
	T::decode(&mut constant.value()).map_err(|error| format!("constant {pallet}.{name}: {error}"))
}

/// A runtime that fits, and what transactions for it are made of.
pub(crate) struct Runtime {
	/// Its versions.
	pub version: Version,
	/// Its constants.
	pub constants: Constants,
	metadata: ArcMetadata,
	/// Signs and reads without a connection.
	pub offline: OfflineClientAtBlock<SubstrateConfig>,
}

impl fmt::Debug for Runtime {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.debug_struct("Runtime").field("version", &self.version).finish_non_exhaustive()
	}
}

impl Runtime {
	/// The runtime with this metadata, given as bytes, on the chain with this genesis; an error
	/// unless this crate fits it.
	pub(crate) fn new(bytes: &[u8], genesis: H256) -> Result<Self, Mismatch> {
		let unreadable = |reason: String| Mismatch::Unreadable { reason };
		let metadata =
			Metadata::decode_from(bytes).map_err(|error| unreadable(error.to_string()))?;
		let version = Version::of(&metadata).map_err(unreadable)?;
		fit::check(&metadata, &version)?;
		let constants = Constants::of(&metadata).map_err(unreadable)?;
		let always = SpecVersionForRange {
			block_range: 0..u64::MAX,
			spec_version: version.spec_version,
			transaction_version: version.transaction_version,
		};
		let metadata = metadata.arc();
		let config = SubstrateConfig::builder()
			.set_genesis_hash(genesis)
			.set_spec_version_for_block_ranges([always])
			.set_metadata_for_spec_versions([(version.spec_version, metadata.clone())])
			.build();
		let offline = OfflineClient::new_with_config(config)
			.at_block(0u64)
			.map_err(|error| unreadable(error.to_string()))?;
		Ok(Self { version, constants, metadata, offline })
	}

	/// The two bytes that a call begins with.
	pub(crate) fn call_index(&self, pallet: &str, call: &str) -> Result<[u8; 2], SubmitError> {
		self.metadata
			.pallet_by_name(pallet)
			.and_then(|pallet| {
				Some([pallet.call_index(), pallet.call_variant_by_name(call)?.index])
			})
			.ok_or_else(|| SubmitError::BadCall(format!("the chain has no call {pallet}.{call}")))
	}

	/// `Pallet::Error` for a pallet's error, `Kind::Error` or `Error` for any other.
	pub(crate) fn error_name(&self, error: &DispatchError) -> String {
		match error {
			DispatchError::Module(ModuleError { index, error, .. }) => {
				let number = error.first().copied().unwrap_or_default();
				let name = self.metadata.pallet_by_error_index(*index).and_then(|pallet| {
					let variant = pallet.error_variant_by_index(number)?;
					Some(format!("{}::{}", pallet.name(), variant.name))
				});
				name.unwrap_or_else(|| format!("Pallet{index}::Error{number}"))
			}
			DispatchError::Token(error) => format!("Token::{error:?}"),
			DispatchError::Arithmetic(error) => format!("Arithmetic::{error:?}"),
			DispatchError::Transactional(error) => format!("Transactional::{error:?}"),
			DispatchError::Trie(error) => format!("Trie::{error:?}"),
			DispatchError::Other(_) => "Other".to_owned(),
			plain => format!("{plain:?}"),
		}
	}
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;
	use sp_runtime::TokenError;

	fn runtime() -> Runtime {
		Runtime::new(fit::COMMITTED, H256::repeat_byte(7)).unwrap()
	}

	#[test]
	fn errors_should_have_names() {
		let runtime = runtime();
		let pallet = runtime.metadata.pallet_by_name("InferenceMarket").unwrap();
		let replayed =
			pallet.error_variants().unwrap().iter().find(|one| one.name == "TicketReplayed");
		let error = [replayed.unwrap().index, 0, 0, 0];
		let index = pallet.error_index();

		let module = DispatchError::Module(ModuleError { index, error, message: None });
		assert_eq!(runtime.error_name(&module), "InferenceMarket::TicketReplayed");
		let token = DispatchError::Token(TokenError::FundsUnavailable);
		assert_eq!(runtime.error_name(&token), "Token::FundsUnavailable");
		assert_eq!(runtime.error_name(&DispatchError::BadOrigin), "BadOrigin");
		let unknown =
			DispatchError::Module(ModuleError { index: 250, error: [9; 4], message: None });
		assert_eq!(runtime.error_name(&unknown), "Pallet250::Error9");
	}

	#[test]
	fn constants_should_be_read() {
		let constants = runtime().constants;

		assert_eq!(constants.minimum_stake, aria_primitives::ARIA);
		assert_eq!(constants.max_anchor_age, 100);
		assert!(constants.target_stake >= constants.minimum_stake);
		assert!(constants.model_deposit(0) > 0);
		assert!(constants.model_deposit(1) > constants.model_deposit(0));
	}

	#[test]
	fn a_call_that_is_not_there_should_be_an_error() {
		let runtime = runtime();

		assert!(runtime.call_index("InferenceMarket", "settle").is_ok());
		assert!(runtime.call_index("InferenceMarket", "give_me_money").is_err());
	}

	#[test]
	fn garbage_should_be_no_runtime() {
		assert!(matches!(
			Runtime::new(b"meta garbage", H256::zero()),
			Err(Mismatch::Unreadable { .. })
		));
	}
}
