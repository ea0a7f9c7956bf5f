//! Whether a chain's runtime fits this crate: everything that is called, read or understood has to
//! have the shape that it has in the committed metadata, to the order of fields and the numbers of
//! variants, for the bytes are written and read without asking again.

use crate::runtime::Version;
use scale_info::{form::PortableForm, Field, PortableRegistry, TypeDef};
use sp_crypto_hashing::blake2_256;
use std::{collections::BTreeMap, fmt, sync::OnceLock};
use subxt::Metadata;

/// Metadata of the runtime that this crate was made for, version 15, as bytes.
pub(crate) const COMMITTED: &[u8] = include_bytes!("../metadata.scale");

/// Bytes at which the description of a type is cut off: no type of ours comes near.
const MAX_SHAPE: usize = 1024 * 1024;

/// What a chain's runtime has in another way than this program expects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mismatch {
	/// It is no ARIA chain.
	OtherRuntime {
		/// What its runtime calls itself.
		name: String,
	},
	/// The runtime's metadata can't be read at all.
	Unreadable {
		/// Why.
		reason: String,
	},
	/// Transactions have another form.
	TransactionVersion {
		/// Of this program.
		ours: u32,
		/// Of the chain.
		theirs: u32,
	},
	/// Calls, storage or APIs that this program uses are missing or of another shape.
	Shape {
		/// Which, for example `call InferenceMarket.settle`.
		items: Vec<String>,
		/// Version of the runtime that this program was made for.
		ours: u32,
		/// Version of the chain's runtime.
		theirs: u32,
	},
}

impl fmt::Display for Mismatch {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		match self {
			Mismatch::OtherRuntime { name } => {
				write!(f, "it runs {name:?} and not ARIA: name a node of an ARIA chain")
			}
			Mismatch::Unreadable { reason } => write!(
				f,
				"the metadata of its runtime can't be read ({reason}): update this program"
			),
			Mismatch::TransactionVersion { ours, theirs } if theirs > ours => write!(
				f,
				"its transactions are of version {theirs}, this program knows {ours}: update this \
				 program"
			),
			Mismatch::TransactionVersion { ours, theirs } => write!(
				f,
				"its transactions are of version {theirs}, this program knows {ours}: the chain has \
				 to be upgraded, or take an older release of this program"
			),
			Mismatch::Shape { items, ours, theirs } => write!(
				f,
				"its runtime {theirs} differs from {ours}, for which this program was made, in {}: {}",
				items.join(", "),
				if theirs > ours {
					"update this program"
				} else if theirs < ours {
					"the chain has to be upgraded, or take an older release of this program"
				} else {
					"both were built from different sources under one version: build them from the same"
				}
			),
		}
	}
}

/// Something of a runtime that this crate relies on.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Item {
	/// A call, by pallet and name.
	Call(&'static str, &'static str),
	/// A call that carries any other call; only its outer form counts.
	Carrier(&'static str, &'static str),
	/// An entry of the storage.
	Storage(&'static str, &'static str),
	/// A constant, whatever its value.
	Constant(&'static str, &'static str),
	/// A method of a runtime API.
	Api(&'static str, &'static str),
	/// An event.
	Event(&'static str, &'static str),
}

impl fmt::Display for Item {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		match self {
			Item::Call(pallet, name) | Item::Carrier(pallet, name) => {
				write!(f, "call {pallet}.{name}")
			}
			Item::Storage(pallet, name) => write!(f, "storage {pallet}.{name}"),
			Item::Constant(pallet, name) => write!(f, "constant {pallet}.{name}"),
			Item::Api(api, name) => write!(f, "API {api}.{name}"),
			Item::Event(pallet, name) => write!(f, "event {pallet}.{name}"),
		}
	}
}

use Item::{Api, Call, Carrier, Constant, Event, Storage};

/// Everything that this crate calls, reads and understands.
pub(crate) const ITEMS: &[Item] = &[
	Call("ConsentRegistry", "set_consent"),
	Call("ConsentRegistry", "update_consent"),
	Call("ConsentRegistry", "withdraw_consent"),
	Call("WorkerRegistry", "register_worker"),
	Call("WorkerRegistry", "bond_more"),
	Call("WorkerRegistry", "set_served"),
	Call("WorkerRegistry", "set_region"),
	Call("WorkerRegistry", "rotate_peer"),
	Call("WorkerRegistry", "drain"),
	Call("WorkerRegistry", "resume"),
	Call("WorkerRegistry", "rest"),
	Call("WorkerRegistry", "answer"),
	Call("WorkerRegistry", "unbond"),
	Call("WorkerRegistry", "withdraw"),
	Call("InferenceMarket", "register_gateway"),
	Call("InferenceMarket", "raise_gateway_stake"),
	Call("InferenceMarket", "deposit"),
	Call("InferenceMarket", "register_key"),
	Call("InferenceMarket", "update_key"),
	Call("InferenceMarket", "revoke_key"),
	Call("InferenceMarket", "settle"),
	Call("InferenceMarket", "settle_batch"),
	Call("ModelRegistry", "register_model"),
	Call("ModelRegistry", "set_offer"),
	Call("ModelRegistry", "pin"),
	Call("ModelRegistry", "set_alias"),
	Call("Verification", "register_verifier"),
	Call("Verification", "retire_verifier"),
	Call("Verification", "commit"),
	Call("Verification", "claim_silence"),
	Call("Verification", "post_handover"),
	Call("Verification", "reveal"),
	Call("Verification", "open"),
	Call("Verification", "claim_fees"),
	Call("Verification", "displace_verifier"),
	Call("Verification", "commit_canary"),
	Call("Verification", "reveal_canary"),
	Call("Verification", "withdraw_canary"),
	Call("Verification", "open_dispute"),
	Call("Verification", "post_nodes"),
	Call("Verification", "accuse_leaf"),
	Call("Verification", "defend_leaf"),
	Call("Verification", "reply_trace"),
	Call("Verification", "post_blocks"),
	Call("Verification", "prove_false"),
	Call("Balances", "transfer_keep_alive"),
	Carrier("Sudo", "sudo"),
	Carrier("Utility", "batch_all"),
	Storage("System", "Account"),
	Storage("Timestamp", "Now"),
	Storage("ModelRegistry", "AliasesOf"),
	Storage("WorkerRegistry", "Workers"),
	Storage("WorkerRegistry", "Served"),
	Storage("WorkerRegistry", "Serving"),
	Storage("WorkerRegistry", "Challenges"),
	Storage("WorkerRegistry", "Attendances"),
	Storage("InferenceMarket", "Keys"),
	Storage("InferenceMarket", "Gateways"),
	Storage("InferenceMarket", "UnvestedTotal"),
	Storage("InferenceMarket", "AnsweredTotal"),
	Storage("InferenceMarket", "SharedTotal"),
	Storage("ProvenanceLedger", "Records"),
	Storage("Verification", "Audits"),
	Storage("Verification", "Seats"),
	Storage("Verification", "Verifiers"),
	Storage("Verification", "Canaries"),
	Storage("Verification", "Terms"),
	Storage("Babe", "CurrentSlot"),
	Storage("Verification", "Disputes"),
	Constant("System", "Version"),
	Constant("Balances", "ExistentialDeposit"),
	Constant("WorkerRegistry", "MinimumStake"),
	Constant("WorkerRegistry", "TargetStake"),
	Constant("WorkerRegistry", "UnbondingPeriod"),
	Constant("WorkerRegistry", "ServedGrace"),
	Constant("WorkerRegistry", "EraLength"),
	Constant("WorkerRegistry", "MaxServed"),
	Constant("ConsentRegistry", "GracePeriod"),
	Constant("ModelRegistry", "DepositBase"),
	Constant("ModelRegistry", "DepositPerByte"),
	Constant("InferenceMarket", "ByteFee"),
	Constant("InferenceMarket", "FreeFrom"),
	Constant("InferenceMarket", "GatewayStake"),
	Constant("InferenceMarket", "MaxKeysPerRequester"),
	Constant("InferenceMarket", "MaxAnchorAge"),
	Constant("InferenceMarket", "SigningGrace"),
	Constant("InferenceMarket", "MaxTicketLifetime"),
	Constant("InferenceMarket", "MaxRecordAge"),
	Constant("InferenceMarket", "MaxClockSkew"),
	Constant("InferenceMarket", "MaxStagePower"),
	Api("ProvenanceApi", "record"),
	Api("ProvenanceApi", "records_by_output"),
	Api("ProvenanceApi", "records_by_query"),
	Api("ProvenanceApi", "block_records"),
	Api("ProvenanceApi", "trace"),
	Api("ConsentApi", "consent"),
	Api("ConsentApi", "consent_version"),
	Api("ConsentApi", "permits"),
	Api("SobrietyApi", "network_stats"),
	Api("MarketApi", "models"),
	Api("MarketApi", "manifest"),
	Api("MarketApi", "resolve_alias"),
	Api("MarketApi", "offer"),
	Api("MarketApi", "escrow"),
	Api("AccountNonceApi", "account_nonce"),
	Api("BabeApi", "current_epoch"),
	Event("InferenceMarket", "Settled"),
	Event("InferenceMarket", "SettlementFailed"),
	Event("System", "ExtrinsicSuccess"),
	Event("System", "ExtrinsicFailed"),
	Event("Sudo", "Sudid"),
	Event("TransactionPayment", "TransactionFeePaid"),
];

/// Fingerprints of all items as committed, with the version that they belong to.
struct Expected {
	version: Version,
	shapes: BTreeMap<String, Option<[u8; 32]>>,
}

fn expected() -> Result<&'static Expected, Mismatch> {
	static EXPECTED: OnceLock<Result<Expected, String>> = OnceLock::new();
	let expected = EXPECTED.get_or_init(|| {
		let metadata = Metadata::decode_from(COMMITTED).map_err(|error| error.to_string())?;
		let version = Version::of(&metadata)?;
		let shapes =
			ITEMS.iter().map(|item| (item.to_string(), fingerprint(&metadata, item))).collect();
		Ok(Expected { version, shapes })
	});
	expected.as_ref().map_err(|reason| Mismatch::Unreadable { reason: reason.clone() })
}

/// Whether a runtime with this metadata fits.
pub(crate) fn check(metadata: &Metadata, theirs: &Version) -> Result<(), Mismatch> {
	let expected = expected()?;
	let ours = &expected.version;
	if theirs.spec_name != ours.spec_name {
		return Err(Mismatch::OtherRuntime { name: theirs.spec_name.clone() });
	}
	if theirs.transaction_version != ours.transaction_version {
		return Err(Mismatch::TransactionVersion {
			ours: ours.transaction_version,
			theirs: theirs.transaction_version,
		});
	}
	let items: Vec<String> = ITEMS
		.iter()
		.filter(|item| {
			let found = fingerprint(metadata, item);
			found.is_none() || expected.shapes.get(&item.to_string()) != Some(&found)
		})
		.map(Item::to_string)
		.collect();
	if items.is_empty() {
		Ok(())
	} else {
		Err(Mismatch::Shape { items, ours: ours.spec_version, theirs: theirs.spec_version })
	}
}

/// A hash over everything that the item's bytes depend on; `None` if there is no such item.
pub(crate) fn fingerprint(metadata: &Metadata, item: &Item) -> Option<[u8; 32]> {
	let mut shape = Shape { types: metadata.types(), path: Vec::new(), bytes: Vec::new() };
	match item {
		Call(pallet, name) => {
			let call = metadata.pallet_by_name(pallet)?.call_variant_by_name(name)?;
			shape.fields(&call.fields);
		}
		Carrier(pallet, name) => {
			let call = metadata.pallet_by_name(pallet)?.call_variant_by_name(name)?;
			for field in &call.fields {
				shape.text(field.name.as_deref().unwrap_or_default());
			}
		}
		Storage(pallet, name) => {
			let entry = metadata.pallet_by_name(pallet)?.storage()?.entry_by_name(name)?;
			for key in entry.keys() {
				shape.text(&format!("{:?}", key.hasher));
				shape.of(key.key_id);
			}
			shape.of(entry.value_ty());
		}
		Constant(pallet, name) => {
			shape.of(metadata.pallet_by_name(pallet)?.constant_by_name(name)?.ty());
		}
		Api(api, name) => {
			let method = metadata.runtime_api_trait_by_name(api)?.method_by_name(name)?;
			for input in method.inputs() {
				shape.of(input.id);
			}
			shape.text("->");
			shape.of(method.output_ty());
		}
		Event(pallet, name) => {
			let pallet = metadata.pallet_by_name(pallet)?;
			let event = pallet.event_variants()?.iter().find(|event| event.name == *name)?;
			shape.fields(&event.fields);
		}
	}
	Some(blake2_256(&shape.bytes))
}

/// Writes types down as what their SCALE bytes depend on.
struct Shape<'a> {
	types: &'a PortableRegistry,
	/// The types around the one that is written, so that recursion ends.
	path: Vec<u32>,
	bytes: Vec<u8>,
}

impl Shape<'_> {
	fn number(&mut self, number: u32) {
		self.bytes.extend_from_slice(&number.to_le_bytes());
	}

	fn text(&mut self, text: &str) {
		self.number(u32::try_from(text.len()).unwrap_or(u32::MAX));
		self.bytes.extend_from_slice(text.as_bytes());
	}

	fn fields(&mut self, fields: &[Field<PortableForm>]) {
		self.number(u32::try_from(fields.len()).unwrap_or(u32::MAX));
		for field in fields {
			self.text(field.name.as_deref().unwrap_or_default());
			self.of(field.ty.id);
		}
	}

	fn of(&mut self, id: u32) {
		if self.bytes.len() > MAX_SHAPE {
			return;
		}
		if let Some(depth) = self.path.iter().position(|outer| *outer == id) {
			self.text("again");
			self.number(u32::try_from(depth).unwrap_or(u32::MAX));
			return;
		}
		let types = self.types;
		let Some(ty) = types.resolve(id) else {
			self.text("unknown");
			return;
		};
		self.path.push(id);
		match &ty.type_def {
			TypeDef::Composite(composite) => {
				self.text("composite");
				self.fields(&composite.fields);
			}
			TypeDef::Variant(variant) => {
				self.text("variant");
				for one in &variant.variants {
					self.number(u32::from(one.index));
					self.text(&one.name);
					self.fields(&one.fields);
				}
			}
			TypeDef::Sequence(sequence) => {
				self.text("sequence");
				self.of(sequence.type_param.id);
			}
			TypeDef::Array(array) => {
				self.text("array");
				self.number(array.len);
				self.of(array.type_param.id);
			}
			TypeDef::Tuple(tuple) => {
				self.text("tuple");
				self.number(u32::try_from(tuple.fields.len()).unwrap_or(u32::MAX));
				for field in &tuple.fields {
					self.of(field.id);
				}
			}
			TypeDef::Primitive(primitive) => self.text(&format!("{primitive:?}")),
			TypeDef::Compact(compact) => {
				self.text("compact");
				self.of(compact.type_param.id);
			}
			TypeDef::BitSequence(bits) => {
				self.text("bits");
				self.of(bits.bit_store_type.id);
				self.of(bits.bit_order_type.id);
			}
		}
		self.path.pop();
	}
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;

	fn committed() -> Metadata {
		Metadata::decode_from(COMMITTED).unwrap()
	}

	#[test]
	fn the_committed_metadata_should_have_every_item() {
		let metadata = committed();

		let missing: Vec<String> = ITEMS
			.iter()
			.filter(|item| fingerprint(&metadata, item).is_none())
			.map(Item::to_string)
			.collect();

		assert_eq!(missing, Vec::<String>::new());
	}

	#[test]
	fn the_runtime_that_was_committed_should_fit() {
		let metadata = committed();
		let mut version = Version::of(&metadata).unwrap();

		assert_eq!(check(&metadata, &version), Ok(()));
		// An upgrade that changes nothing of ours is none of our business.
		version.spec_version = version.spec_version.saturating_add(1);
		assert_eq!(check(&metadata, &version), Ok(()));
	}

	#[test]
	fn other_chains_and_forms_should_be_refused() {
		let metadata = committed();
		let version = Version::of(&metadata).unwrap();
		let other = Version { spec_name: "westend".into(), ..version.clone() };
		let newer = Version { transaction_version: 99, ..version.clone() };

		assert!(matches!(check(&metadata, &other), Err(Mismatch::OtherRuntime { .. })));
		let refusal = check(&metadata, &newer).unwrap_err();
		assert!(refusal.to_string().contains("update this program"));
	}

	#[test]
	fn a_changed_shape_should_be_named() {
		let mut metadata = committed();
		let version = Version::of(&metadata).unwrap();
		// Two variants of a consent's kinds of task change places.
		for ty in &mut metadata.types_mut().types {
			if ty.ty.path.segments.last().is_some_and(|name| name == "TaskType") {
				if let TypeDef::Variant(variant) = &mut ty.ty.type_def {
					for one in &mut variant.variants {
						one.index = 2u8.saturating_sub(one.index);
					}
				}
			}
		}

		let refusal = check(&metadata, &version).unwrap_err();

		let Mismatch::Shape { items, .. } = &refusal else { panic!("{refusal}") };
		assert!(items.contains(&"call ConsentRegistry.set_consent".to_owned()));
		assert!(!items.contains(&"call InferenceMarket.settle".to_owned()));
	}
}
