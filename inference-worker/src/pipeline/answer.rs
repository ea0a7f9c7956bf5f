//! What ends an answer, and what its text is.
//!
//! The last stage and the gateway both follow this, token by token, and so does
//! [`aria_engine::generate::Generator`]: what ends an answer, in this order, is an end token, a stop
//! sequence wherever tokens cut it, and the limit.

use super::{narrow, wide};
use aria_engine::{
	generate::positions,
	text::{ChatTokenizer, StopScanner, TokenStream},
	EngineError,
};
use aria_primitives::{
	query::{CanonicalQuery, QUERY_VERSION},
	record::FinishReason,
};

/// A query that has passed [`check`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Checked {
	/// Its stop sequences.
	pub stops: Vec<String>,
	/// Most tokens of the answer; 0 if none is wanted.
	pub limit: u32,
}

/// Refuses a query that a model with this vocabulary and context cannot answer.
pub(crate) fn check(query: &CanonicalQuery, vocab: u32, context: u32) -> Result<Checked, String> {
	if query.version != QUERY_VERSION {
		return Err(format!("version {}, and {QUERY_VERSION} is answered", query.version));
	}
	if query.prompt_tokens.is_empty() {
		return Err("the prompt has no tokens: give it at least one".to_owned());
	}
	if let Some(token) = query.prompt_tokens.iter().find(|token| **token >= vocab) {
		return Err(format!("token {token} is not in the vocabulary of {vocab}"));
	}
	if !query.sampling.is_valid() {
		return Err("temperature_milli must be at most 100000 and top_p_ppm in 1..=1000000".into());
	}
	let mut stops = Vec::with_capacity(query.stop.len());
	for stop in &query.stop {
		match String::from_utf8(stop.to_vec()) {
			Ok(text) if !text.is_empty() => stops.push(text),
			_ => return Err("a stop sequence is empty or no UTF-8: leave it out".to_owned()),
		}
	}
	let prompt = narrow(query.prompt_tokens.len());
	let limit = limit(prompt, query.max_tokens, context).ok_or_else(|| {
		format!("a prompt of {prompt} tokens leaves no room in the context of {context}")
	})?;
	Ok(Checked { stops, limit })
}

/// Most tokens of an answer; `None` if the prompt leaves no room for one.
pub(crate) fn limit(prompt: u32, max_tokens: u32, context: u32) -> Option<u32> {
	if prompt == 0 || prompt >= context {
		return None;
	}
	let needed = positions(wide(prompt), max_tokens, wide(context));
	Some(narrow(needed).saturating_sub(prompt))
}

/// Positions that an answer of at most `limit` tokens works on: the last token is drawn and not
/// worked on.
pub(crate) fn worked_on(prompt: u32, tokens: u32) -> u32 {
	prompt.saturating_add(tokens).saturating_sub(1)
}

/// An answer while its tokens arrive.
pub(crate) struct AnswerText<'t> {
	stream: TokenStream<'t>,
	scanner: StopScanner,
	eos: &'t [u32],
	limit: usize,
	count: usize,
	text: String,
	finish: Option<FinishReason>,
}

impl<'t> AnswerText<'t> {
	/// An answer of at most `limit` tokens, which any of `eos` and `stops` ends.
	pub fn new(
		tokenizer: &'t ChatTokenizer,
		stops: Vec<String>,
		eos: &'t [u32],
		limit: u32,
	) -> Self {
		Self {
			stream: tokenizer.stream(),
			scanner: StopScanner::new(stops),
			eos,
			limit: wide(limit),
			count: 0,
			text: String::new(),
			finish: None,
		}
	}

	/// Takes the next token. Gives the text that has become certain with it, and why the answer ends
	/// with it, if it does; nothing may follow then.
	pub fn push(&mut self, token: u32) -> Result<(String, Option<FinishReason>), EngineError> {
		if self.finish.is_some() {
			let reason = "a token behind the one that ended the answer".to_owned();
			return Err(EngineError::Session { reason });
		}
		self.count += 1;
		let mut finish = None;
		let mut text = String::new();
		if self.eos.contains(&token) {
			finish = Some(FinishReason::Stop);
		} else {
			text = self.scanner.push(&self.stream.push(token)?);
			if self.scanner.stopped() {
				finish = Some(FinishReason::Stop);
			} else if self.count >= self.limit {
				finish = Some(FinishReason::Length);
			}
		}
		if let Some(reason) = finish {
			text.push_str(&self.flush()?);
			// What the stream held back may have completed a stop sequence.
			let stopped = self.scanner.stopped();
			finish = Some(if stopped { FinishReason::Stop } else { reason });
		}
		self.text.push_str(&text);
		self.finish = finish;
		Ok((text, finish))
	}

	/// Ends the answer with the tokens that it has.
	pub fn cancel(&mut self) -> Result<(), EngineError> {
		if self.finish.is_none() {
			self.finish = Some(FinishReason::Cancelled);
			let text = self.flush()?;
			self.text.push_str(&text);
		}
		Ok(())
	}

	fn flush(&mut self) -> Result<String, EngineError> {
		let mut text = self.scanner.push(&self.stream.finish()?);
		text.push_str(&self.scanner.finish());
		Ok(text)
	}

	/// The text so far.
	pub fn text(&self) -> &str {
		&self.text
	}

	/// Why the answer has ended, if it has.
	pub fn finish(&self) -> Option<FinishReason> {
		self.finish
	}
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;
	use aria_primitives::query::Sampling;

	fn query(prompt: usize, max_tokens: u32) -> CanonicalQuery {
		CanonicalQuery {
			version: QUERY_VERSION,
			model_id: Default::default(),
			prompt_tokens: vec![7; prompt].try_into().unwrap(),
			sampling: Sampling::GREEDY,
			max_tokens,
			stop: Default::default(),
			salt: [1; 32],
		}
	}

	#[test]
	fn limits_should_be_what_the_context_leaves() {
		assert_eq!(limit(10, 5, 128), Some(5));
		assert_eq!(limit(10, u32::MAX, 128), Some(118));
		assert_eq!(limit(127, 5, 128), Some(1));
		assert_eq!(limit(128, 5, 128), None);
		assert_eq!(limit(0, 5, 128), None);
		assert_eq!(limit(10, 0, 128), Some(0));
		assert_eq!((worked_on(10, 1), worked_on(10, 5)), (10, 14));
	}

	#[test]
	fn queries_that_cannot_be_answered_should_be_refused() {
		assert_eq!(check(&query(3, 4), 300, 128).unwrap().limit, 4);
		fn refused(change: impl Fn(&mut CanonicalQuery), part: &str) {
			let mut query = query(3, 4);
			change(&mut query);
			let error = check(&query, 300, 128).unwrap_err();
			assert!(error.contains(part), "{error}");
		}
		refused(|query| query.version = 9, "version 9");
		refused(|query| query.prompt_tokens = Default::default(), "no tokens");
		refused(|query| query.prompt_tokens = vec![300].try_into().unwrap(), "token 300");
		refused(|query| query.prompt_tokens = vec![1; 128].try_into().unwrap(), "no room");
		refused(|query| query.sampling.top_p_ppm = 0, "top_p_ppm");
		for stop in [&b""[..], b"\xff"] {
			let stop = stop.to_vec();
			refused(
				|query| query.stop.try_push(stop.clone().try_into().unwrap()).unwrap(),
				"stop sequence",
			);
		}
	}
}
