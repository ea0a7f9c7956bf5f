//! The tokenizer of a package.
//!
//! The `tokenizers` library was written for files that their user trusts; ours come from anybody. So
//! the file's outline is checked before, the ids after, and what the library gives up on in between
//! becomes an error.

use crate::{
	error::{EngineError, Result},
	package::{layout::TOKENIZER_FILE, Package},
	text::{
		stream::TokenStream,
		template::{ChatTemplate, Message, RenderOptions},
	},
};
use serde::Deserialize;
use serde_json::Value;
use std::{
	collections::BTreeSet,
	panic::{catch_unwind, AssertUnwindSafe},
};
use tokenizers::Tokenizer;

/// Most bytes of a `tokenizer.json`.
pub const MAX_TOKENIZER_BYTES: usize = 64 * 1024 * 1024;
/// Most bytes of a text that is turned into tokens.
pub const MAX_TEXT_BYTES: usize = 4 * 1024 * 1024;

/// What is read of `tokenizer.json` before the library reads it.
#[derive(Deserialize)]
struct Outline {
	decoder: Option<Value>,
	model: Option<ModelOutline>,
}

#[derive(Deserialize)]
struct ModelOutline {
	dropout: Option<f64>,
}

/// Text to tokens and back, and messages to a prompt.
pub struct ChatTokenizer {
	tokenizer: Tokenizer,
	template: ChatTemplate,
	vocab: u32,
	bos: Option<u32>,
	special: BTreeSet<u32>,
	byte_fallback: bool,
}

impl std::fmt::Debug for ChatTokenizer {
	fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
		f.debug_struct("ChatTokenizer").field("vocab", &self.vocab).finish_non_exhaustive()
	}
}

impl ChatTokenizer {
	/// Tokenizer and chat template of `package`, which has held both against the manifest's hashes.
	///
	/// # Errors
	///
	/// Whatever [`ChatTokenizer::new`] refuses.
	pub fn open(package: &Package) -> Result<Self> {
		let manifest = &package.manifest;
		Self::new(
			package.tokenizer(),
			package.chat_template(),
			manifest.vocab,
			manifest.bos,
			&manifest.eos,
		)
	}

	/// A tokenizer from the bytes of a `tokenizer.json` and the source of a chat template. `vocab`,
	/// `bos` and `eos` are the manifest's.
	///
	/// # Errors
	///
	/// [`EngineError::Tokenizer`] if the tokenizer does not load, has an id that is not below `vocab`,
	/// or decodes in a way in which later tokens change earlier text; [`EngineError::Template`] if the
	/// template does not parse.
	pub fn new(
		tokenizer_json: &[u8],
		template: &str,
		vocab: u32,
		bos: Option<u32>,
		eos: &[u32],
	) -> Result<Self> {
		if tokenizer_json.len() > MAX_TOKENIZER_BYTES {
			return Err(refused(format!(
				"{} bytes, at most {MAX_TOKENIZER_BYTES} are allowed",
				tokenizer_json.len()
			)));
		}
		let outline: Outline = serde_json::from_slice(tokenizer_json)
			.map_err(|error| refused(format!("it is no tokenizer: {error}")))?;
		let byte_fallback = check_decoder(outline.decoder.as_ref())?;
		let dropout = outline.model.and_then(|model| model.dropout);
		if dropout.is_some_and(|dropout| dropout != 0.0) {
			return Err(refused(
				"model.dropout: it makes tokens random; it is for training, set it to null"
					.to_owned(),
			));
		}

		let (tokenizer, ids, special) = guarded(|| {
			let mut tokenizer = Tokenizer::from_bytes(tokenizer_json)?;
			// A prompt is never cut or filled up behind its author's back.
			tokenizer.with_truncation(None)?;
			tokenizer.with_padding(None);
			let mut ids: Vec<u32> = tokenizer.get_vocab(true).into_values().collect();
			ids.sort_unstable();
			let special: BTreeSet<u32> = tokenizer
				.get_added_tokens_decoder()
				.iter()
				.filter(|(_, token)| token.special)
				.map(|(id, _)| *id)
				.collect();
			Ok((tokenizer, ids, special))
		})?;
		// Which of two texts the library would take for an id is left to its hash map.
		if let Some(pair) = ids.windows(2).find(|pair| pair.first() == pair.last()) {
			let id = pair.first().copied().unwrap_or_default();
			return Err(refused(format!("tokens with different texts have the id {id}")));
		}
		match ids.last().copied() {
			None => return Err(refused("it has no tokens".to_owned())),
			Some(id) if id >= vocab => {
				return Err(refused(format!(
					"token {id} is not below the manifest's vocab of {vocab}"
				)));
			}
			Some(_) => {}
		}
		let text_of =
			|id: Option<u32>| id.and_then(|id| tokenizer.id_to_token(id)).unwrap_or_default();
		let template = ChatTemplate::new(template, text_of(bos), text_of(eos.first().copied()))?;
		Ok(Self { tokenizer, template, vocab, bos, special, byte_fallback })
	}

	/// The prompt for a chat, in text.
	///
	/// # Errors
	///
	/// [`EngineError::Template`] if the template refuses the messages.
	pub fn render(&self, messages: &[Message], options: &RenderOptions) -> Result<String> {
		self.template.render(messages, options)
	}

	/// The prompt for a chat: rendered, then encoded. The template writes special tokens itself.
	///
	/// # Errors
	///
	/// As [`ChatTokenizer::render`] and [`ChatTokenizer::encode`].
	pub fn chat(&self, messages: &[Message], options: &RenderOptions) -> Result<Vec<u32>> {
		self.encode(&self.render(messages, options)?)
	}

	/// The prompt for a raw text: the token that begins a sequence, if the model has one and `text`
	/// does not begin with it, and the text's.
	///
	/// # Errors
	///
	/// As [`ChatTokenizer::encode`].
	pub fn prompt(&self, text: &str) -> Result<Vec<u32>> {
		let mut tokens = self.encode(text)?;
		if let Some(bos) = self.bos {
			if tokens.first() != Some(&bos) {
				tokens.insert(0, bos);
			}
		}
		Ok(tokens)
	}

	/// The tokens of `text`; special tokens that are written out in it are taken as such, none is
	/// added. Each is below the manifest's `vocab`.
	///
	/// # Errors
	///
	/// [`EngineError::Tokenizer`] if `text` is longer than [`MAX_TEXT_BYTES`] or the tokenizer cannot
	/// encode it.
	pub fn encode(&self, text: &str) -> Result<Vec<u32>> {
		if text.len() > MAX_TEXT_BYTES {
			return Err(refused(format!(
				"the text has {} bytes and at most {MAX_TEXT_BYTES} are encoded: shorten it",
				text.len()
			)));
		}
		let encoding = guarded(|| self.tokenizer.encode_fast(text, false))?;
		let tokens = encoding.get_ids().to_vec();
		match tokens.iter().find(|token| **token >= self.vocab) {
			Some(token) => Err(refused(format!(
				"the text has token {token}, which is not below the manifest's vocab of {}",
				self.vocab
			))),
			None => Ok(tokens),
		}
	}

	/// The text of `tokens`, special tokens left out.
	///
	/// # Errors
	///
	/// [`EngineError::TokenOutOfRange`] for a token that is not below `vocab`;
	/// [`EngineError::Tokenizer`] if the tokenizer cannot decode them.
	pub fn decode(&self, tokens: &[u32]) -> Result<String> {
		for (position, token) in (0u32..).zip(tokens) {
			if *token >= self.vocab {
				return Err(EngineError::TokenOutOfRange {
					token: *token,
					vocab: self.vocab,
					position,
				});
			}
		}
		guarded(|| self.tokenizer.decode(tokens, true))
	}

	/// A decoder for tokens that arrive one by one.
	pub fn stream(&self) -> TokenStream<'_> {
		TokenStream::new(self)
	}

	/// Entries of the vocabulary, those without a text included.
	pub fn vocab(&self) -> u32 {
		self.vocab
	}

	/// Whether `token` has no text of its own.
	pub fn is_special(&self, token: u32) -> bool {
		self.special.contains(&token)
	}

	/// Whether `token` is one byte of a character whose other bytes are tokens as well.
	pub(crate) fn is_byte(&self, token: u32) -> bool {
		self.byte_fallback
			&& self.tokenizer.id_to_token(token).is_some_and(|text| {
				text.strip_prefix("<0x").and_then(|text| text.strip_suffix('>')).is_some_and(
					|digits| digits.len() == 2 && u8::from_str_radix(digits, 16).is_ok(),
				)
			})
	}
}

/// Calls into the library. It panics on some files that parse; a panic there leaves nothing behind
/// but a cache, which it then no longer uses, so that unwinding is stopped here.
fn guarded<T>(call: impl FnOnce() -> tokenizers::Result<T>) -> Result<T> {
	match catch_unwind(AssertUnwindSafe(call)) {
		Ok(Ok(value)) => Ok(value),
		Ok(Err(error)) => Err(refused(error.to_string())),
		Err(_) => Err(refused(
			"the tokenizer contradicts itself: get the package again from its publisher".to_owned(),
		)),
	}
}

/// Refuses decoders in which a later token may change the text of earlier ones beyond an unfinished
/// character: streamed text has to be the beginning of the whole text. Says whether single bytes are
/// tokens.
fn check_decoder(decoder: Option<&Value>) -> Result<bool> {
	let steps = match decoder {
		None | Some(Value::Null) => return Ok(false),
		Some(Value::Object(object))
			if object.get("type").is_some_and(|kind| kind == "Sequence") =>
		{
			object.get("decoders").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
		}
		Some(step) => std::slice::from_ref(step),
	};
	let (mut fused, mut byte_fallback) = (false, false);
	for step in steps {
		let kind = step.get("type").and_then(Value::as_str).unwrap_or_default();
		let streams = match kind {
			"ByteLevel" | "Metaspace" => true,
			"ByteFallback" => {
				byte_fallback = true;
				true
			}
			"Fuse" => {
				fused = true;
				true
			}
			"Strip" => step.get("stop").and_then(Value::as_u64) == Some(0),
			// On single tokens any; on the text what cannot lie across two tokens.
			"Replace" => {
				let pattern = step.get("pattern").and_then(|pattern| pattern.get("String"));
				!fused
					|| pattern
						.and_then(Value::as_str)
						.is_some_and(|pattern| pattern.chars().count() == 1)
			}
			_ => false,
		};
		if !streams {
			return Err(refused(format!(
				"decoder: {kind:?} as it is set up here cannot be streamed; ByteLevel, Metaspace, and \
				 sequences of Replace, ByteFallback, Fuse and Strip can"
			)));
		}
	}
	Ok(byte_fallback)
}

fn refused(reason: String) -> EngineError {
	EngineError::Tokenizer { file: TOKENIZER_FILE.to_owned(), reason }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(crate) mod tests {
	use super::*;
	use serde_json::json;

	/// A byte-level tokenizer without merges: `<s>` is 0, `</s>` 1, and byte `b` is `2 + b`.
	pub(crate) fn byte_level() -> ChatTokenizer {
		// The printable stand-ins that byte-level vocabularies use for bytes.
		let mut vocab = serde_json::Map::new();
		let mut other = 256u32;
		for byte in 0..=255u32 {
			let printable = matches!(byte, 33..=126 | 161..=172 | 174..=255);
			let code = if printable {
				byte
			} else {
				other += 1;
				other - 1
			};
			vocab.insert(char::from_u32(code).unwrap().to_string(), json!(byte + 2));
		}
		vocab.insert("<s>".into(), json!(0));
		vocab.insert("</s>".into(), json!(1));
		let byte_level = json!({
			"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true
		});
		let special = |id: u32, content: &str| {
			json!({
				"id": id, "content": content, "single_word": false, "lstrip": false, "rstrip": false,
				"normalized": false, "special": true
			})
		};
		build(json!({
			"version": "1.0",
			"added_tokens": [special(0, "<s>"), special(1, "</s>")],
			"pre_tokenizer": byte_level,
			"decoder": byte_level,
			"model": { "type": "BPE", "vocab": vocab, "merges": [] },
		}))
		.unwrap()
	}

	/// A tokenizer of whole words and bytes: `▁` begins a word, `<0xNN>` is a byte.
	pub(crate) fn byte_fallback() -> ChatTokenizer {
		let mut vocab = serde_json::Map::new();
		for (id, text) in ["<s>", "</s>", "▁a", "▁b", "c"].into_iter().enumerate() {
			vocab.insert(text.into(), json!(id));
		}
		for byte in 0..=255u32 {
			vocab.insert(format!("<0x{byte:02X}>"), json!(byte + 5));
		}
		build(json!({
			"version": "1.0",
			"added_tokens": [],
			"decoder": { "type": "Sequence", "decoders": [
				{ "type": "Replace", "pattern": { "String": "▁" }, "content": " " },
				{ "type": "ByteFallback" },
				{ "type": "Fuse" },
				{ "type": "Strip", "content": " ", "start": 1, "stop": 0 },
			] },
			"model": { "type": "BPE", "vocab": vocab, "merges": [], "byte_fallback": true },
		}))
		.unwrap()
	}

	fn build(tokenizer: Value) -> Result<ChatTokenizer> {
		let bytes = serde_json::to_vec(&tokenizer).unwrap();
		let template = "{{ bos_token }}{{ messages[0].content }}{{ eos_token }}";
		ChatTokenizer::new(&bytes, template, 300, Some(0), &[1])
	}

	#[test]
	fn text_should_come_back() {
		let tokenizer = byte_level();
		for text in ["", "plain", " two  spaces\n", "é 叫 🦀 \u{fffd}", "a\0b"] {
			let tokens = tokenizer.encode(text).unwrap();
			assert_eq!(tokens.len(), text.len());
			assert_eq!(tokenizer.decode(&tokens).unwrap(), text);
		}
	}

	#[test]
	fn special_tokens_should_be_known() {
		let tokenizer = byte_level();
		assert_eq!(tokenizer.prompt("A").unwrap(), [0, 67]);
		assert_eq!(tokenizer.prompt("<s>A").unwrap(), [0, 67]);
		let chat = tokenizer.chat(&[Message::user("A")], &RenderOptions::default()).unwrap();
		assert_eq!(chat, [0, 67, 1]);
		assert_eq!(tokenizer.decode(&[0, 67, 1]).unwrap(), "A");
		assert!(tokenizer.is_special(1) && !tokenizer.is_special(67));
	}

	#[test]
	fn tokens_out_of_range_should_be_refused() {
		let error = byte_level().decode(&[67, 300]).unwrap_err();
		assert!(matches!(error, EngineError::TokenOutOfRange { token: 300, position: 1, .. }));
	}

	#[test]
	fn bad_files_should_be_errors() {
		let refuse = |bytes: &[u8]| ChatTokenizer::new(bytes, "", 300, None, &[]).unwrap_err();
		let _ = refuse(b"");
		let _ = refuse(b"{}");
		let _ = refuse(b"[1, 2]");
		let _ = refuse(&b"[".repeat(100_000));
		let _ = refuse(br#"{"version": "9", "model": {"type": "BPE", "vocab": {}, "merges": []}}"#);
		let _ = refuse(br#"{"version": "1.0", "model": {"type": "BPE", "vocab": {"a": 1e9}}}"#);
		let error = refuse(
			br#"{"version": "1.0", "model": {"type": "BPE", "vocab": {"a": 3, "b": 3}, "merges": []}}"#,
		);
		assert!(error.to_string().contains("different texts"), "{error}");
		let error = refuse(
			br#"{"version": "1.0", "model": {"type": "BPE", "dropout": 0.1, "vocab": {"a": 3},
				"merges": []}}"#,
		);
		assert!(error.to_string().contains("dropout"), "{error}");
		let error = refuse(
			br#"{"version": "1.0", "model": {"type": "BPE", "vocab": {"a": 300}, "merges": []}}"#,
		);
		assert!(error.to_string().contains("token 300"), "{error}");
		// The library slices behind the prefix without asking whether there is one.
		let _ = refuse(
			br#"{"version": "1.0", "model": {"type": "BPE", "vocab": {"a": 1, "b": 2},
				"merges": [["a", "b"]], "continuing_subword_prefix": "@@@@"}}"#,
		);
	}

	#[test]
	fn decoders_that_cannot_stream_should_be_refused() {
		for decoder in [
			json!({ "type": "WordPiece", "prefix": "##", "cleanup": true }),
			json!({ "type": "BPEDecoder", "suffix": "</w>" }),
			json!({ "type": "Strip", "content": " ", "start": 0, "stop": 1 }),
			json!({ "type": "Sequence", "decoders": [
				{ "type": "Fuse" },
				{ "type": "Replace", "pattern": { "String": "ab" }, "content": "" },
			] }),
			json!({ "type": "Sequence", "decoders": [{ "type": "Sequence", "decoders": [] }] }),
			json!("ByteLevel"),
		] {
			let error = build(json!({
				"version": "1.0",
				"decoder": decoder,
				"model": { "type": "BPE", "vocab": { "a": 1 }, "merges": [] },
			}))
			.unwrap_err();
			assert!(error.to_string().contains("decoder"), "{error}");
		}
	}
}
