//! Tokens to text while they are drawn.

use crate::{
	error::{EngineError, Result},
	package::layout::TOKENIZER_FILE,
	text::tokenizer::ChatTokenizer,
};

/// What a decoder writes for bytes that are no UTF-8, or not yet.
const REPLACEMENT: char = '\u{FFFD}';

/// Decodes tokens one by one, so that all pieces together are what decoding all tokens at once gives.
///
/// A piece ends before whatever a later token may still change: an unfinished character, a
/// replacement character that may be one, bytes that are single tokens. Decoding goes over a window
/// of the last few tokens, so that a long answer costs no more a token than a short one.
#[derive(Debug)]
pub struct TokenStream<'a> {
	tokenizer: &'a ChatTokenizer,
	/// The last tokens.
	window: Vec<u32>,
	/// The part of the window's text that was given out: its beginning.
	given: String,
	/// The part of the window before which the text was complete, and would be without the rest.
	complete: usize,
}

impl<'a> TokenStream<'a> {
	/// A stream that decodes with `tokenizer`.
	pub fn new(tokenizer: &'a ChatTokenizer) -> Self {
		Self { tokenizer, window: Vec::new(), given: String::new(), complete: 0 }
	}

	/// Takes the next token and gives the text that is certain now; often a word, sometimes nothing.
	///
	/// # Errors
	///
	/// [`EngineError::TokenOutOfRange`], and [`EngineError::Tokenizer`] if the decoder takes text back
	/// that it gave before.
	pub fn push(&mut self, token: u32) -> Result<String> {
		if self.tokenizer.is_special(token) {
			return Ok(String::new());
		}
		self.window.push(token);
		if self.tokenizer.is_byte(token) {
			return Ok(String::new());
		}
		let text = self.tokenizer.decode(&self.window)?;
		let certain = text.trim_end_matches(REPLACEMENT);
		let piece = self.piece(certain)?;
		if certain.len() == text.len() {
			self.slide(text)?;
		} else if !piece.is_empty() {
			self.given.push_str(&piece);
		}
		Ok(piece)
	}

	/// What was held back, once there are no more tokens: bytes that never became a character come
	/// out as replacement characters.
	///
	/// # Errors
	///
	/// As [`TokenStream::push`].
	pub fn finish(&mut self) -> Result<String> {
		let text = self.tokenizer.decode(&self.window)?;
		let piece = self.piece(&text)?;
		self.window.clear();
		self.given.clear();
		self.complete = 0;
		Ok(piece)
	}

	/// What of `certain` is new.
	fn piece(&self, certain: &str) -> Result<String> {
		certain.strip_prefix(self.given.as_str()).map(str::to_owned).ok_or_else(|| {
			EngineError::Tokenizer {
				file: TOKENIZER_FILE.to_owned(),
				reason: "decoder: it changes text that earlier tokens gave".to_owned(),
			}
		})
	}

	/// Drops the tokens before the last complete place. Those behind it stay as context, because
	/// decoders treat the first token, or the first blank, in a way of its own; so they must have a
	/// text.
	fn slide(&mut self, text: String) -> Result<()> {
		let context = self.window.get(self.complete..).unwrap_or_default();
		let context_text = self.tokenizer.decode(context)?;
		if context_text.is_empty() || self.complete == 0 {
			self.given = text;
			if !self.given.is_empty() {
				self.complete = self.window.len();
			}
		} else {
			self.window.drain(..self.complete);
			self.given = context_text;
			self.complete = self.window.len();
		}
		Ok(())
	}
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;
	use crate::text::tokenizer::tests::{byte_fallback, byte_level};
	use proptest::prelude::*;

	fn pieces(tokenizer: &ChatTokenizer, tokens: &[u32]) -> Vec<String> {
		let mut stream = tokenizer.stream();
		let mut pieces: Vec<String> =
			tokens.iter().map(|token| stream.push(*token).unwrap()).collect();
		pieces.push(stream.finish().unwrap());
		pieces
	}

	#[test]
	fn characters_should_come_whole() {
		let tokenizer = byte_level();
		let tokens = tokenizer.encode("a叫é").unwrap();
		assert_eq!(pieces(&tokenizer, &tokens), ["a", "", "", "叫", "", "é", ""]);
	}

	#[test]
	fn broken_characters_should_come_once_they_are_certain() {
		let tokenizer = byte_level();
		let byte = |byte: u32| byte + 2;
		let tokens = [byte(0xE5), byte(0x8F), byte(0x61), byte(0xE5)];
		assert_eq!(pieces(&tokenizer, &tokens), ["", "", "\u{fffd}a", "", "\u{fffd}"]);
	}

	#[test]
	fn byte_tokens_should_wait_for_the_end_of_their_run() {
		let tokenizer = byte_fallback();
		let byte = |byte: u32| byte + 5;
		// Two bytes that are a character, and a third that makes all of them unreadable.
		let tokens = [2, byte(0xC3), byte(0xA9), 3, byte(0xC3), byte(0xA9), byte(0xC3), 4];
		let pieces = pieces(&tokenizer, &tokens);
		assert_eq!(pieces, ["a", "", "", "é b", "", "", "", "\u{fffd}\u{fffd}\u{fffd}c", ""]);
	}

	#[test]
	fn special_tokens_should_be_silent() {
		let tokenizer = byte_level();
		let tokens = [0, 2 + 0xC3, 1, 2 + 0xA9, 1];
		assert_eq!(pieces(&tokenizer, &tokens).concat(), tokenizer.decode(&tokens).unwrap());
	}

	#[test]
	fn window_should_stay_small() {
		let tokenizer = byte_level();
		let mut stream = tokenizer.stream();
		for token in tokenizer.encode(&"word ".repeat(200)).unwrap() {
			stream.push(token).unwrap();
			assert!(stream.window.len() <= 4, "{}", stream.window.len());
		}
	}

	proptest! {
		#![proptest_config(ProptestConfig::with_cases(64))]

		#[test]
		fn stream_should_equal_decoding_at_once(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
			let tokenizer = byte_level();
			let tokens: Vec<u32> = bytes.iter().map(|byte| u32::from(*byte) + 2).collect();
			prop_assert_eq!(pieces(&tokenizer, &tokens).concat(), tokenizer.decode(&tokens).unwrap());
		}

		#[test]
		fn fallback_should_equal_decoding_at_once(tokens in prop::collection::vec(0u32..261, 0..80)) {
			let tokenizer = byte_fallback();
			prop_assert_eq!(pieces(&tokenizer, &tokens).concat(), tokenizer.decode(&tokens).unwrap());
		}
	}
}
