//! `POST /v1/completions`.

use super::{
	common::{check_answers, common},
	fields::{expected, Fields},
	neutral, Ask, Prompts, MAX_PROMPTS,
};
use crate::error::ApiError;
use serde_json::Value;

/// OpenAI's default at this endpoint.
const DEFAULT_MAX_TOKENS: u32 = 16;

/// Reads the body of a completion.
pub(crate) fn completion(body: &[u8]) -> Result<Ask, ApiError> {
	let mut fields = Fields::parse(body)?;
	let mut ask = common(&mut fields)?;
	ask.prompts = prompts(fields.require("prompt")?)?;
	let count = match &ask.prompts {
		Prompts::Texts(texts) => texts.len(),
		Prompts::Tokens(lists) => lists.len(),
		Prompts::Chat(_) => 1,
	};
	check_answers(count, ask.choices)?;
	let max_tokens = fields.integer("max_tokens", 1..=u32::MAX)?;
	ask.max_tokens = Some(max_tokens.unwrap_or(DEFAULT_MAX_TOKENS));
	// More of them would be drawn than are given.
	if fields.integer("best_of", 1..=u32::MAX)?.is_some_and(|best_of| best_of != ask.choices) {
		let message = "`best_of` is not supported: leave it out, or let it equal `n`";
		return Err(ApiError::unsupported("best_of", message));
	}
	neutral::check(&mut fields, neutral::COMPLETION)?;
	fields.finish()?;
	Ok(ask)
}

/// A text, tokens, or a list of one of both.
fn prompts(value: Value) -> Result<Prompts, ApiError> {
	let list = match value {
		Value::String(text) => return Ok(Prompts::Texts(vec![text])),
		Value::Array(list) => list,
		_ => return Err(wrong()),
	};
	match list.first() {
		Some(Value::Number(_)) => Ok(Prompts::Tokens(vec![tokens(list)?])),
		Some(Value::String(_)) => bounded(list)?
			.into_iter()
			.map(|text| match text {
				Value::String(text) => Ok(text),
				_ => Err(wrong()),
			})
			.collect::<Result<_, _>>()
			.map(Prompts::Texts),
		Some(Value::Array(_)) => bounded(list)?
			.into_iter()
			.map(|list| match list {
				Value::Array(list) => tokens(list),
				_ => Err(wrong()),
			})
			.collect::<Result<_, _>>()
			.map(Prompts::Tokens),
		_ => Err(wrong()),
	}
}

fn bounded(list: Vec<Value>) -> Result<Vec<Value>, ApiError> {
	if list.len() > MAX_PROMPTS {
		let message = format!(
			"`prompt` has {} prompts and may have {MAX_PROMPTS}: divide the request",
			list.len()
		);
		return Err(ApiError::parameter("prompt", message).code("invalid_value"));
	}
	Ok(list)
}

fn tokens(list: Vec<Value>) -> Result<Vec<u32>, ApiError> {
	list.into_iter()
		.map(|token| token.as_u64().and_then(|token| u32::try_from(token).ok()).ok_or_else(wrong))
		.collect()
}

fn wrong() -> ApiError {
	expected("prompt", "a string, a list of strings, a list of tokens, or a list of such lists")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;
	use serde_json::json;

	fn ask(body: Value) -> Result<Ask, ApiError> {
		completion(body.to_string().as_bytes())
	}

	fn param(body: Value) -> String {
		let shown = body.to_string();
		let error = ask(body).expect_err(&shown).json();
		error["error"]["param"].as_str().unwrap_or_default().to_owned()
	}

	#[test]
	fn prompts_should_come_in_four_shapes() {
		for (prompt, is) in [
			(json!("a"), Prompts::Texts(vec!["a".into()])),
			(json!(["a", "b"]), Prompts::Texts(vec!["a".into(), "b".into()])),
			(json!([1, 2]), Prompts::Tokens(vec![vec![1, 2]])),
			(json!([[1], [2, 3]]), Prompts::Tokens(vec![vec![1], vec![2, 3]])),
		] {
			let ask = ask(json!({ "model": "m", "prompt": prompt })).unwrap();
			assert_eq!((ask.prompts, ask.max_tokens), (is, Some(16)));
		}
		for prompt in [
			json!(1),
			json!([]),
			json!([1, "a"]),
			json!(["a", 1]),
			json!([[1], "a"]),
			json!([-1]),
			json!([1.5]),
			json!([4294967296u64]),
			json!({}),
			json!(vec!["a"; MAX_PROMPTS + 1]),
		] {
			assert_eq!(param(json!({ "model": "m", "prompt": prompt })), "prompt");
		}
		assert_eq!(param(json!({ "model": "m" })), "prompt");
	}

	#[test]
	fn what_a_query_cannot_carry_should_be_refused_by_name() {
		let of = |key: &str, value: Value| json!({ "model": "m", "prompt": "a", key: value });
		for (key, value) in [
			("echo", json!(true)),
			("suffix", json!("x")),
			("logprobs", json!(0)),
			("best_of", json!(2)),
			("max_tokens", json!(0)),
			("max_completion_tokens", json!(1)),
			("messages", json!([])),
		] {
			assert_eq!(param(of(key, value)), key);
		}
		for (key, value) in [
			("echo", json!(false)),
			("suffix", json!("")),
			("best_of", json!(1)),
			("user", json!("u")),
		] {
			ask(of(key, value)).unwrap();
		}
		let many = json!({ "model": "m", "prompt": vec!["a"; 16], "n": 3 });
		assert_eq!(param(many), "n");
	}
}
