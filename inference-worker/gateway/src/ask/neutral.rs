//! Parameters that a query has no place for.

use super::fields::Fields;
use crate::error::ApiError;
use serde_json::Value;

/// A parameter, and whether a value of it changes nothing.
pub(super) type Neutral = (&'static str, fn(&Value) -> bool);

/// Of both endpoints.
pub(super) const BOTH: &[Neutral] = &[
	("presence_penalty", zero),
	("frequency_penalty", zero),
	("logit_bias", empty),
	("user", text),
];

/// Of chats.
pub(super) const CHAT: &[Neutral] = &[
	("logprobs", off),
	("top_logprobs", zero),
	("tools", empty),
	("tool_choice", no_tool),
	("parallel_tool_calls", flag),
	("functions", empty),
	("function_call", no_tool),
	("response_format", plain_text),
	("modalities", only_text),
	("audio", never),
	("prediction", never),
	("web_search_options", never),
	("reasoning_effort", no_reasoning),
	("verbosity", medium),
	("store", off),
	("metadata", object),
	("service_tier", ordinary_tier),
	("safety_identifier", text),
	("prompt_cache_key", text),
	("prompt_cache_retention", text),
];

/// Of completions.
pub(super) const COMPLETION: &[Neutral] =
	&[("logprobs", never), ("echo", off), ("suffix", no_text)];

/// Takes the parameters of `known` out of `fields`.
pub(super) fn check(fields: &mut Fields, known: &[Neutral]) -> Result<(), ApiError> {
	for (key, is_neutral) in known {
		if fields.take(key).is_some_and(|value| !is_neutral(&value)) {
			let message = format!(
				"`{key}` with this value is not supported: the record of an answer cannot hold it, so \
				 nobody could check the answer. Leave it out"
			);
			return Err(ApiError::unsupported(*key, message));
		}
	}
	Ok(())
}

fn never(_: &Value) -> bool {
	false
}

fn zero(value: &Value) -> bool {
	value.as_f64() == Some(0.0)
}

fn off(value: &Value) -> bool {
	value == &Value::Bool(false)
}

fn flag(value: &Value) -> bool {
	value.is_boolean()
}

fn text(value: &Value) -> bool {
	value.is_string()
}

fn no_text(value: &Value) -> bool {
	value == ""
}

fn object(value: &Value) -> bool {
	value.is_object()
}

fn empty(value: &Value) -> bool {
	match value {
		Value::Array(list) => list.is_empty(),
		Value::Object(map) => map.is_empty(),
		_ => false,
	}
}

fn no_tool(value: &Value) -> bool {
	value == "none" || value == "auto"
}

fn plain_text(value: &Value) -> bool {
	value.get("type").is_some_and(|kind| kind == "text")
}

fn only_text(value: &Value) -> bool {
	value.as_array().is_some_and(|list| !list.is_empty() && list.iter().all(|one| one == "text"))
}

fn no_reasoning(value: &Value) -> bool {
	value == "none"
}

fn medium(value: &Value) -> bool {
	value == "medium"
}

fn ordinary_tier(value: &Value) -> bool {
	value == "auto" || value == "default"
}
