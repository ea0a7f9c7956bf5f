//! Whether text, end and length of an answer follow from its tokens (`docs/protocol/query.md`,
//! `docs/protocol/record.md`, "The hash of the output").
//!
//! That the tokens follow from the states is the re-run's business.

use super::Subject;
use crate::{
	error::Result,
	generate::positions,
	text::{ChatTokenizer, StopScanner},
};
use aria_primitives::{hashing::sha256, record::FinishReason};

/// Shortest text whose hash stands without a salt, in bytes.
const LEAST_UNSALTED: usize = 64;

/// What does not follow, in words; `None` if all does.
pub(super) fn contradiction(
	subject: &Subject<'_>,
	tokenizer: &ChatTokenizer,
) -> Result<Option<&'static str>> {
	let Subject { query, tokens, body, eos, context, .. } = subject;
	let mut stops = Vec::with_capacity(query.stop.len());
	for stop in &query.stop {
		match String::from_utf8(stop.to_vec()) {
			Ok(text) if !text.is_empty() => stops.push(text),
			_ => return Ok(Some("the query has a stop sequence that nobody may answer")),
		}
	}
	if !query.sampling.is_valid() {
		return Ok(Some("the query asks for a sampling that nobody may answer"));
	}
	let prompt = query.prompt_tokens.len();
	let context = usize::try_from(*context).unwrap_or(usize::MAX);
	let limit = positions(prompt, query.max_tokens, context).saturating_sub(prompt);
	if tokens.len() > limit {
		return Ok(Some("the answer is longer than the query allows"));
	}

	let (mut stream, mut scanner) = (tokenizer.stream(), StopScanner::new(stops));
	let (mut text, mut finish) = (String::new(), None);
	for (count, token) in (1usize..).zip(*tokens) {
		if finish.is_some() {
			return Ok(Some("a token stands behind the one that ended the answer"));
		}
		if *token >= tokenizer.vocab() {
			return Ok(Some("a token is not in the vocabulary"));
		}
		if eos.contains(token) {
			finish = Some(FinishReason::Stop);
		} else {
			text.push_str(&scanner.push(&stream.push(*token)?));
			if scanner.stopped() {
				finish = Some(FinishReason::Stop);
			} else if count >= limit {
				finish = Some(FinishReason::Length);
			}
		}
		if let Some(reason) = finish {
			text.push_str(&scanner.push(&stream.finish()?));
			text.push_str(&scanner.finish());
			// What the stream held back may have completed a stop sequence.
			finish = Some(if scanner.stopped() { FinishReason::Stop } else { reason });
		}
	}
	if finish.is_none() {
		text.push_str(&scanner.push(&stream.finish()?));
		text.push_str(&scanner.finish());
	}
	if finish.unwrap_or(FinishReason::Cancelled) != body.finish_reason {
		return Ok(Some("the answer does not end as the record says"));
	}
	let salted = sha256(&[text.as_bytes(), &query.salt].concat());
	let plain = text.len() >= LEAST_UNSALTED && sha256(text.as_bytes()) == body.output_hash;
	if !plain && salted != body.output_hash {
		return Ok(Some("the text is not that of the tokens"));
	}
	Ok(None)
}
