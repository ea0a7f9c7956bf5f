//! Comparing what the code makes with the files of vectors.

use codec::{Decode, DecodeAll, Encode};
use serde_json::Value;
use sp_core::bytes;
use std::{fmt::Debug, fs, path::PathBuf};

/// A file of vectors, and what in it is not what the code makes.
pub struct Vectors {
	file: &'static str,
	json: Value,
	wrong: Vec<String>,
}

impl Vectors {
	pub fn read(file: &'static str) -> Self {
		let folder = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").unwrap())
			.join("../docs/protocol/vectors");
		let path = folder.join(file);
		let text = fs::read_to_string(&path)
			.unwrap_or_else(|error| panic!("{}: {error}: run make.py there", path.display()));
		let json = serde_json::from_str(&text)
			.unwrap_or_else(|error| panic!("{}: {error}: run make.py there", path.display()));
		Self { file, json, wrong: Vec::new() }
	}

	/// The value at a JSON pointer.
	pub fn at(&self, pointer: &str) -> &Value {
		self.json.pointer(pointer).unwrap_or_else(|| panic!("{}: no {pointer}", self.file))
	}

	pub fn length(&self, pointer: &str) -> usize {
		self.at(pointer).as_array().map_or(0, Vec::len)
	}

	/// The bytes at a JSON pointer.
	pub fn bytes(&self, pointer: &str) -> Vec<u8> {
		self.at(pointer)
			.as_str()
			.and_then(|text| bytes::from_hex(text).ok())
			.unwrap_or_else(|| panic!("{}: {pointer} is not hexadecimal", self.file))
	}

	pub fn expect<T: PartialEq + Debug>(&mut self, what: &str, committed: T, made: T) {
		if committed != made {
			self.wrong.push(format!(
				"{}: {what}: {committed:?} is committed, the code makes {made:?}",
				self.file
			));
		}
	}

	/// Compares what the code makes with the bytes at a JSON pointer.
	pub fn expect_bytes(&mut self, pointer: &str, made: &[u8]) {
		let committed = self.bytes(pointer);
		self.expect(pointer, bytes::to_hex(&committed, false), bytes::to_hex(made, false));
	}

	/// Compares a structure with the vector at `index`: its name, each field, all bytes, and that
	/// the bytes decode to it.
	pub fn expect_structure<T: Encode + Decode + PartialEq + Debug>(
		&mut self,
		index: usize,
		name: &str,
		value: &T,
		fields: Vec<(&str, Vec<u8>)>,
	) {
		let at = format!("/vectors/{index}");
		self.expect(&format!("{at}/name"), self.at(&format!("{at}/name")).clone(), name.into());
		let count = self.length(&format!("{at}/fields"));
		self.expect(&format!("{at}: number of fields"), count, fields.len());
		for (place, (field, made)) in fields.into_iter().enumerate().take(count) {
			let at = format!("{at}/fields/{place}");
			self.expect(
				&format!("{at}/name"),
				self.at(&format!("{at}/name")).clone(),
				field.into(),
			);
			let committed = bytes::to_hex(&self.bytes(&format!("{at}/bytes")), false);
			self.expect(&format!("{name}: field {field}"), committed, bytes::to_hex(&made, false));
		}
		self.expect_encoding(&format!("{at}/bytes"), value);
	}

	/// Compares a value with the bytes at a JSON pointer, both ways.
	pub fn expect_encoding<T: Encode + Decode + PartialEq + Debug>(&mut self, at: &str, value: &T) {
		self.expect_bytes(at, &value.encode());
		match T::decode_all(&mut &self.bytes(at)[..]) {
			Ok(decoded) if decoded == *value => (),
			other => self.wrong.push(format!("{}: {at} decodes to {other:?}", self.file)),
		}
	}

	pub fn finish(self) {
		assert!(
			self.wrong.is_empty(),
			"golden vectors differ; a change of bytes needs a new version, see docs/protocol:\n{}",
			self.wrong.join("\n")
		);
	}
}
