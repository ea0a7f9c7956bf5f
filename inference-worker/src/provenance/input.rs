//! What is asked about, and which hashes it may have on the chain.

use aria_primitives::{hashing::sha256, OutputHash, RecordId};
use sp_core::H256;
use std::{
	fs::File,
	io::{self, Read},
	path::{Path, PathBuf},
};

/// Most bytes of a text; no answer is near that.
pub const MAX_TEXT: u64 = 16 << 20;
/// Texts below this many bytes are hashed with a salt (`docs/protocol/record.md`).
pub const SHORT_TEXT: usize = 64;

/// How to read the argument.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
	/// A record's id.
	Id,
	/// A file's name, or `-` for stdin.
	File,
	/// The text itself.
	Text,
}

/// Where bytes come from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Source {
	/// The argument.
	Text,
	/// A file.
	File(PathBuf),
	/// Stdin.
	Stdin,
}

/// What is asked about.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Input {
	/// A record.
	Id(RecordId),
	/// A text, as bytes.
	Bytes {
		/// They.
		bytes: Vec<u8>,
		/// Where they come from.
		source: Source,
	},
}

/// Why there is nothing to ask about.
#[derive(Debug, thiserror::Error)]
pub enum InputError {
	/// It was to be an id.
	#[error("`{0}` is no record id: 0x and 64 hex digits")]
	NoId(String),
	/// The file can't be read.
	#[error("{path}: {error}")]
	File {
		/// Its name.
		path: String,
		/// Why.
		error: io::Error,
	},
	/// More than an answer can have.
	#[error("{0} has more than {MAX_TEXT} bytes; no answer does: give the answer alone")]
	TooLong(String),
	/// No salt.
	#[error("`{0}` is no salt: 64 hex digits, with or without 0x")]
	NoSalt(String),
	/// Nothing to look for.
	#[error("the text is empty")]
	Empty,
}

impl Input {
	/// Reads `argument` as `kind`, or as what it looks like: an id (0x and 64 hex digits), the name of a
	/// file that is there, `-` for stdin, else a text.
	///
	/// # Errors
	/// [`InputError`].
	pub fn of(argument: &str, kind: Option<Kind>) -> Result<Self, InputError> {
		let kind = kind.unwrap_or_else(|| {
			if id(argument).is_some() {
				Kind::Id
			} else if argument == "-" || Path::new(argument).is_file() {
				Kind::File
			} else {
				Kind::Text
			}
		});
		let (bytes, source) = match kind {
			Kind::Id => {
				let id = id(argument).ok_or_else(|| InputError::NoId(argument.to_owned()))?;
				return Ok(Input::Id(id));
			}
			Kind::File if argument == "-" => (read("stdin", io::stdin())?, Source::Stdin),
			Kind::File => {
				let file = File::open(argument)
					.map_err(|error| InputError::File { path: argument.to_owned(), error })?;
				(read(argument, file)?, Source::File(argument.into()))
			}
			Kind::Text => (argument.as_bytes().to_vec(), Source::Text),
		};
		if bytes.is_empty() {
			return Err(InputError::Empty);
		}
		Ok(Input::Bytes { bytes, source })
	}
}

fn read(name: &str, from: impl Read) -> Result<Vec<u8>, InputError> {
	let mut bytes = Vec::new();
	from.take(MAX_TEXT + 1)
		.read_to_end(&mut bytes)
		.map_err(|error| InputError::File { path: name.to_owned(), error })?;
	if bytes.len() as u64 > MAX_TEXT {
		return Err(InputError::TooLong(name.to_owned()));
	}
	Ok(bytes)
}

fn id(text: &str) -> Option<RecordId> {
	digits(text.strip_prefix("0x")?)
}

fn digits(text: &str) -> Option<H256> {
	let mut bytes = [0; 32];
	hex::decode_to_slice(text, &mut bytes).ok()?;
	Some(H256(bytes))
}

/// 64 hex digits, with or without `0x`.
pub fn hash(text: &str) -> Option<H256> {
	digits(text.strip_prefix("0x").unwrap_or(text))
}

/// A salt: 32 bytes in hex.
///
/// # Errors
/// [`InputError::NoSalt`].
pub fn salt(text: &str) -> Result<[u8; 32], InputError> {
	hash(text).map(|hash| hash.0).ok_or_else(|| InputError::NoSalt(text.to_owned()))
}

/// A hash under which a text may be on the chain.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Candidate {
	/// It.
	pub hash: OutputHash,
	/// What was hashed, in words.
	pub of: String,
}

/// The hashes to look for, the likeliest first: of exactly these bytes; for a file or stdin, to which
/// editors and shells add a line's end, also of them without it or with one; each without a salt and, if
/// there is one, with it behind (`docs/protocol/record.md`, "The hash of the output").
pub fn candidates(bytes: &[u8], source: &Source, salt: Option<&[u8; 32]>) -> Vec<Candidate> {
	let what = match source {
		Source::Text => "the text",
		Source::File(_) => "the file",
		Source::Stdin => "stdin",
	};
	let mut texts = vec![(bytes.to_vec(), format!("exactly {what}"))];
	if *source != Source::Text {
		let trimmed = bytes
			.strip_suffix(b"\r\n")
			.or_else(|| bytes.strip_suffix(b"\n"))
			.filter(|trimmed| !trimmed.is_empty());
		if let Some(trimmed) = trimmed {
			texts.push((trimmed.to_vec(), format!("{what} without its trailing newline")));
		}
		if !bytes.ends_with(b"\n") {
			let mut longer = bytes.to_vec();
			longer.push(b'\n');
			texts.push((longer, format!("{what} with a trailing newline")));
		}
	}
	let mut candidates: Vec<Candidate> =
		texts.iter().map(|(text, of)| Candidate { hash: sha256(text), of: of.clone() }).collect();
	if let Some(salt) = salt {
		let salted = texts.into_iter().map(|(mut text, of)| {
			text.extend_from_slice(salt);
			Candidate { hash: sha256(&text), of: format!("{of}, with the salt") }
		});
		candidates.extend(salted);
	}
	candidates
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;
	use std::fs;

	fn of(text: &str) -> Vec<String> {
		let source = Source::File("f".into());
		candidates(text.as_bytes(), &source, None).into_iter().map(|found| found.of).collect()
	}

	#[test]
	fn arguments_should_be_told_apart() {
		let folder = tempfile::tempdir().unwrap();
		let path = folder.path().join("answer.txt");
		fs::write(&path, "an answer\n").unwrap();
		let name = path.to_str().unwrap();
		let id = format!("0x{}", "ab".repeat(32));

		assert_eq!(Input::of(&id, None).unwrap(), Input::Id(H256::repeat_byte(0xab)));
		assert_eq!(
			Input::of(name, None).unwrap(),
			Input::Bytes { bytes: b"an answer\n".to_vec(), source: Source::File(path.clone()) }
		);
		for text in ["an answer", &id[2..], "0xabcd", "/no/such/file"] {
			let bytes = text.as_bytes().to_vec();
			assert_eq!(
				Input::of(text, None).unwrap(),
				Input::Bytes { bytes, source: Source::Text }
			);
		}
		let forced = Input::of(&id, Some(Kind::Text)).unwrap();
		assert_eq!(forced, Input::Bytes { bytes: id.into_bytes(), source: Source::Text });
	}

	#[test]
	fn what_cannot_be_read_should_be_said() {
		assert!(matches!(Input::of("0x12", Some(Kind::Id)), Err(InputError::NoId(_))));
		assert!(matches!(Input::of("/no/such", Some(Kind::File)), Err(InputError::File { .. })));
		assert!(matches!(Input::of("", None), Err(InputError::Empty)));
		let long = io::repeat(b'x');
		assert!(matches!(read("long", long), Err(InputError::TooLong(_))));
		assert!(matches!(salt("abc"), Err(InputError::NoSalt(_))));
		assert_eq!(salt(&"01".repeat(32)).unwrap(), [1; 32]);
		assert_eq!(salt(&format!("0x{}", "01".repeat(32))).unwrap(), [1; 32]);
	}

	#[test]
	fn a_trailing_newline_should_be_tried_both_ways() {
		assert_eq!(of("a"), ["exactly the file", "the file with a trailing newline"]);
		for text in ["a\n", "a\r\n"] {
			assert_eq!(of(text), ["exactly the file", "the file without its trailing newline"]);
			let source = Source::Stdin;
			let hashes = candidates(text.as_bytes(), &source, None);
			assert_eq!(hashes[0].hash, sha256(text.as_bytes()));
			assert_eq!(hashes[1].hash, sha256(b"a"));
		}
		assert_eq!(of("\n"), ["exactly the file"]);
		assert_eq!(candidates(b"a\n", &Source::Text, None).len(), 1);
	}

	#[test]
	fn a_salt_should_stand_behind_the_text() {
		let found = candidates(b"a", &Source::Text, Some(&[7; 32]));
		assert_eq!(found.len(), 2);
		assert_eq!(found[0].hash, sha256(b"a"));
		let mut salted = b"a".to_vec();
		salted.extend([7; 32]);
		assert_eq!(found[1].hash, sha256(&salted));
		assert!(found[1].of.contains("salt"));
	}
}
