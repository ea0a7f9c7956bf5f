//! Parameters as they come over the wire, and what they mean.
//!
//! Hashes, accounts and limits are taken in the widest JSON form and checked here, so that a bad
//! one meets an error of [`Error`] rather than the parser's.

use crate::error::Error;
use aria_primitives::{record::RecordEntry, AccountId, ModelId, RecordId};
use serde::Deserialize;
use serde_json::Value;
use sp_core::{crypto::Ss58Codec, H256};

/// Records of a page that asks for no number.
pub const DEFAULT_LIMIT: u32 = 100;
/// Most records of a page.
pub const MAX_LIMIT: u32 = 1_000;

/// Longer than any address of 32 bytes.
const LONGEST_ADDRESS: usize = 64;

/// Which part of a list: `{"after": "0x…", "limit": 100}`, both optional.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PageParams {
	/// The record to begin after: `next` of the page before.
	#[serde(default)]
	pub after: Option<String>,
	/// How many records: `1..=1000`.
	#[serde(default)]
	pub limit: Option<Value>,
}

/// [`PageParams`], checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Page {
	pub after: Option<RecordId>,
	pub limit: u32,
}

impl Page {
	/// Errors: [`Error::InvalidPageSize`] and [`Error::InvalidHash`].
	pub fn parse(params: Option<PageParams>) -> Result<Self, Error> {
		let PageParams { after, limit } = params.unwrap_or_default();
		let limit = match limit {
			None => DEFAULT_LIMIT,
			Some(value) => value
				.as_u64()
				.and_then(|limit| u32::try_from(limit).ok())
				.filter(|limit| (1..=MAX_LIMIT).contains(limit))
				.ok_or_else(|| Error::InvalidPageSize { got: clip(&value.to_string()) })?,
		};
		let after = after.map(|text| hash("page.after", &text)).transpose()?;
		Ok(Self { after, limit })
	}
}

/// Which records a subscription sends: `{"modelId": "0x…", "node": "5…"}`, both optional; records
/// that meet all of what is given.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RecordFilter {
	/// Only records of this model.
	#[serde(default)]
	pub model_id: Option<String>,
	/// Only records in which this node ran a stage, signed or not.
	#[serde(default)]
	pub node: Option<String>,
}

/// [`RecordFilter`], checked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Filter {
	pub model_id: Option<ModelId>,
	pub node: Option<AccountId>,
}

impl Filter {
	/// Errors: [`Error::InvalidHash`] and [`Error::InvalidAccount`].
	pub fn parse(params: Option<RecordFilter>) -> Result<Self, Error> {
		let RecordFilter { model_id, node } = params.unwrap_or_default();
		Ok(Self {
			model_id: model_id.map(|text| hash("filter.modelId", &text)).transpose()?,
			node: node.map(|text| account("filter.node", &text)).transpose()?,
		})
	}

	/// Whether the record meets it.
	pub fn accepts(&self, record: &RecordEntry) -> bool {
		let body = &record.body;
		self.model_id.is_none_or(|model| model == body.model_id)
			&& self
				.node
				.as_ref()
				.is_none_or(|node| body.stages.iter().any(|stage| stage.node == *node))
	}
}

/// 32 bytes in hex, with or without `0x`.
pub(crate) fn hash(parameter: &'static str, text: &str) -> Result<H256, Error> {
	let bytes =
		bytes32(text).ok_or_else(|| Error::InvalidHash { parameter, got: shorten(text) })?;
	Ok(H256(bytes))
}

/// An account: in SS58 of any prefix, for the same key has one address on each chain, or its
/// public key in hex.
pub(crate) fn account(parameter: &'static str, text: &str) -> Result<AccountId, Error> {
	if let Some(key) = bytes32(text) {
		return Ok(AccountId::new(key));
	}
	// Decoding takes time in the square of the length.
	Some(text)
		.filter(|text| text.len() <= LONGEST_ADDRESS)
		.and_then(|text| AccountId::from_ss58check_with_version(text).ok())
		.map(|(account, _)| account)
		.ok_or_else(|| Error::InvalidAccount { parameter, got: shorten(text) })
}

/// Exactly 64 digits: parsers that skip spaces would give one hash several names.
fn bytes32(text: &str) -> Option<[u8; 32]> {
	let digits = text.strip_prefix("0x").unwrap_or(text).as_bytes();
	let mut bytes = [0; 32];
	if digits.len() != 2 * bytes.len() {
		return None;
	}
	for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
		let [high, low] = pair else { return None };
		*byte = (nibble(*high)? << 4) | nibble(*low)?;
	}
	Some(bytes)
}

fn nibble(digit: u8) -> Option<u8> {
	char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

/// What came, short enough for a message, in quotes.
fn shorten(text: &str) -> String {
	format!("{:?}", clip(text))
}

fn clip(text: &str) -> String {
	const LONGEST: usize = 80;
	let mut start: String = text.chars().take(LONGEST).collect();
	if start.len() < text.len() {
		start.push('…');
	}
	start
}
