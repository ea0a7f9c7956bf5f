//! The header of a safetensors file, as far as packages use it: 8 bytes of length, that many bytes of
//! JSON, then the data. Every tensor is `U8` with one dimension, its stored bytes.
//!
//! A reader of its own, because a header may come from anybody: it is at most 256 KiB, read without
//! recursion into anything that isn't expected, a name counts once, and the tensors cover the data
//! exactly.

use super::fault;
use crate::error::Result;
use aria_primitives::manifest::MAX_TENSORS;
use serde::{
	de::{Deserializer, Error as _, MapAccess, Visitor},
	Deserialize,
};
use std::{collections::BTreeSet, fmt, ops::Range};

/// Most bytes of JSON in a header. 448 tensors take 70 KB.
pub const MAX_HEADER: usize = 256 * 1024;
/// Data begin at a multiple of this in the files that we write.
const ALIGNMENT: usize = 64;
const PREFIX: usize = 8;

/// A tensor in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
	/// Its name.
	pub name: String,
	/// Its bytes, counted from the beginning of the file.
	pub range: Range<usize>,
}

/// Everything before the data, for tensors that follow each other with the given lengths.
///
/// # Errors
/// A header of more than [`MAX_HEADER`] bytes, or lengths that overflow.
pub fn write_header(file: &str, tensors: &[(String, u64)]) -> Result<Vec<u8>> {
	let mut json = String::from("{");
	let mut begin = 0u64;
	for (index, (name, len)) in tensors.iter().enumerate() {
		let Some(end) = begin.checked_add(*len) else {
			return Err(fault(file, name, "the file's length overflows"));
		};
		let comma = if index == 0 { "" } else { "," };
		// Names are of our making: letters, digits, dots and underscores.
		json.push_str(&format!(
			"{comma}\"{name}\":{{\"dtype\":\"U8\",\"shape\":[{len}],\"data_offsets\":[{begin},{end}]}}"
		));
		begin = end;
	}
	json.push('}');
	let padded = (PREFIX + json.len()).next_multiple_of(ALIGNMENT) - PREFIX;
	if padded > MAX_HEADER {
		return Err(fault(file, "header", format!("{padded} bytes; at most {MAX_HEADER}")));
	}
	let mut bytes = (padded as u64).to_le_bytes().to_vec();
	bytes.extend_from_slice(json.as_bytes());
	bytes.resize(PREFIX + padded, b' ');
	Ok(bytes)
}

/// Reads and checks the header of a file; the entries come in the order of their bytes.
///
/// # Errors
/// Whatever the format or the module's documentation does not allow, with `file` and the tensor.
pub fn read_header(file: &str, bytes: &[u8]) -> Result<Vec<Entry>> {
	let broken = |reason: String| fault(file, "header", reason);
	let Some((length, rest)) = bytes.split_first_chunk::<PREFIX>() else {
		return Err(broken(format!("{} bytes hold no header; the file is cut short", bytes.len())));
	};
	let length = u64::from_le_bytes(*length);
	if length > MAX_HEADER as u64 {
		return Err(broken(format!("says it has {length} bytes; at most {MAX_HEADER}")));
	}
	// At most 2^18, by the check above.
	let Some((json, data)) = rest.split_at_checked(length as usize) else {
		let there = rest.len();
		return Err(broken(format!("says it has {length} bytes, and {there} are there")));
	};
	// Copied, so that what is checked is what is used even if the file changes meanwhile.
	let json = json.to_vec();
	if json.first() != Some(&b'{') {
		return Err(broken("does not begin with a brace".to_owned()));
	}
	let header: Header =
		serde_json::from_slice(&json).map_err(|error| broken(clipped(&error.to_string(), 200)))?;

	let mut names = BTreeSet::new();
	let mut tensors = Vec::with_capacity(header.0.len());
	for (name, info) in &header.0 {
		let refuse = |field: &str, reason: String| {
			Err(fault(file, format!("{}.{field}", shown(name)), reason))
		};
		if !names.insert(name.as_str()) {
			return Err(fault(file, shown(name), "is named twice"));
		}
		if info.dtype != "U8" {
			return refuse("dtype", format!("is {}; a package stores U8", shown(&info.dtype)));
		}
		let [begin, end] = info.data_offsets;
		if begin > end || end > data.len() as u64 {
			let reason = format!("{begin}..{end} is no range of the {} bytes of data", data.len());
			return refuse("data_offsets", reason);
		}
		let [len] = info.shape;
		if len != end - begin {
			return refuse(
				"shape",
				format!("is {len} bytes, and the offsets hold {}", end - begin),
			);
		}
		tensors.push((begin, end, name));
	}
	tensors.sort_unstable_by_key(|(begin, end, _)| (*begin, *end));
	let mut next = 0u64;
	let mut entries = Vec::with_capacity(tensors.len());
	let start = bytes.len() - data.len();
	for (begin, end, name) in tensors {
		if begin != next {
			let what = if begin < next { "overlaps the tensor before it" } else { "leaves a gap" };
			let reason = format!("begins at {begin} and not at {next}: it {what}");
			return Err(fault(file, format!("{}.data_offsets", shown(name)), reason));
		}
		next = end;
		// Both are at most the data's length.
		let range = start + begin as usize..start + end as usize;
		entries.push(Entry { name: name.clone(), range });
	}
	if next != data.len() as u64 {
		let reason = format!("{} bytes of data, and the tensors hold {next}", data.len());
		return Err(fault(file, "length", reason));
	}
	Ok(entries)
}

/// A name out of a hostile file, fit for an error: short and without control characters.
pub(super) fn shown(name: &str) -> String {
	if name.is_empty() {
		return "(no name)".to_owned();
	}
	clipped(name, 64)
}

fn clipped(text: &str, limit: usize) -> String {
	let mut short: String = text.chars().take(limit).flat_map(char::escape_debug).collect();
	if text.chars().nth(limit).is_some() {
		short.push('…');
	}
	short
}

struct Header(Vec<(String, Info)>);

struct Info {
	dtype: String,
	shape: [u64; 1],
	data_offsets: [u64; 2],
}

impl<'de> Deserialize<'de> for Info {
	// Not derived: that would read an array of the values, without names, too.
	fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
		struct Fields;
		impl<'de> Visitor<'de> for Fields {
			type Value = Info;

			fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
				f.write_str("dtype, shape and data_offsets")
			}

			fn visit_map<A: MapAccess<'de>>(
				self,
				mut map: A,
			) -> std::result::Result<Info, A::Error> {
				const FIELDS: &[&str] = &["dtype", "shape", "data_offsets"];
				let (mut dtype, mut shape, mut data_offsets) = (None, None, None);
				while let Some(field) = map.next_key::<String>()? {
					match field.as_str() {
						"dtype" if dtype.is_some() => {
							return Err(A::Error::duplicate_field("dtype"));
						}
						"shape" if shape.is_some() => {
							return Err(A::Error::duplicate_field("shape"));
						}
						"data_offsets" if data_offsets.is_some() => {
							return Err(A::Error::duplicate_field("data_offsets"));
						}
						"dtype" => dtype = Some(map.next_value()?),
						"shape" => shape = Some(map.next_value()?),
						"data_offsets" => data_offsets = Some(map.next_value()?),
						_ => return Err(A::Error::unknown_field(&field, FIELDS)),
					}
				}
				let missing = A::Error::missing_field;
				Ok(Info {
					dtype: dtype.ok_or_else(|| missing("dtype"))?,
					shape: shape.ok_or_else(|| missing("shape"))?,
					data_offsets: data_offsets.ok_or_else(|| missing("data_offsets"))?,
				})
			}
		}
		deserializer.deserialize_map(Fields)
	}
}

/// `__metadata__`: strings by string, which say nothing here.
struct Metadata;

impl<'de> Deserialize<'de> for Header {
	fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
		struct Tensors;
		impl<'de> Visitor<'de> for Tensors {
			type Value = Header;

			fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
				f.write_str("tensors by name")
			}

			fn visit_map<A: MapAccess<'de>>(
				self,
				mut map: A,
			) -> std::result::Result<Header, A::Error> {
				let (mut tensors, mut metadata) = (Vec::new(), false);
				while let Some(name) = map.next_key::<String>()? {
					if name == "__metadata__" {
						if std::mem::replace(&mut metadata, true) {
							return Err(A::Error::custom("__metadata__ is there twice"));
						}
						map.next_value::<Metadata>()?;
					} else if tensors.len() >= MAX_TENSORS as usize {
						let reason = format!("more than {MAX_TENSORS} tensors");
						return Err(A::Error::custom(reason));
					} else {
						tensors.push((name, map.next_value::<Info>()?));
					}
				}
				Ok(Header(tensors))
			}
		}
		deserializer.deserialize_map(Tensors)
	}
}

impl<'de> Deserialize<'de> for Metadata {
	fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
		struct Strings;
		impl<'de> Visitor<'de> for Strings {
			type Value = Metadata;

			fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
				f.write_str("strings by name")
			}

			fn visit_map<A: MapAccess<'de>>(
				self,
				mut map: A,
			) -> std::result::Result<Metadata, A::Error> {
				while map.next_entry::<String, String>()?.is_some() {}
				Ok(Metadata)
			}
		}
		deserializer.deserialize_map(Strings)
	}
}
