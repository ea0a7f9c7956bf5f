//! `POST /v1/chat/completions`.

use super::{
	common::common,
	fields::{expected, Fields},
	neutral, Ask, Prompts, MAX_MESSAGES,
};
use crate::error::ApiError;
use aria_engine::text::Message;
use serde_json::Value;

/// Reads the body of a chat.
pub(crate) fn chat(body: &[u8]) -> Result<Ask, ApiError> {
	let mut fields = Fields::parse(body)?;
	let mut ask = common(&mut fields)?;
	ask.prompts = Prompts::Chat(messages(fields.require("messages")?)?);
	let old = fields.integer("max_tokens", 1..=u32::MAX)?;
	let new = fields.integer("max_completion_tokens", 1..=u32::MAX)?;
	if old.is_some() && new.is_some() {
		let message = "`max_tokens` and `max_completion_tokens` mean the same: give one of them";
		return Err(ApiError::parameter("max_tokens", message).code("invalid_value"));
	}
	ask.max_tokens = new.or(old);
	neutral::check(&mut fields, neutral::CHAT)?;
	fields.finish()?;
	Ok(ask)
}

fn messages(value: Value) -> Result<Vec<Message>, ApiError> {
	let what = format!("a list of 1 to {MAX_MESSAGES} messages");
	match value {
		Value::Array(list) if (1..=MAX_MESSAGES).contains(&list.len()) => {
			list.into_iter().enumerate().map(|(index, value)| message(index, value)).collect()
		}
		_ => Err(expected("messages", &what)),
	}
}

fn message(index: usize, value: Value) -> Result<Message, ApiError> {
	let mut fields = Fields::of(format!("messages[{index}]"), value)?;
	let role_path = fields.path("role");
	let role = match fields.require("role")?.as_str() {
		Some("system" | "developer") => "system",
		Some("user") => "user",
		Some("assistant") => "assistant",
		Some("tool" | "function") => {
			let message = "answers of tools are not supported: put them into a user's message";
			return Err(ApiError::unsupported(role_path, message));
		}
		_ => return Err(expected(&role_path, "system, developer, user or assistant")),
	};
	for key in ["tool_calls", "function_call", "audio", "refusal", "annotations"] {
		let given = fields.take(key);
		if given.is_some_and(|value| value.as_array().is_none_or(|list| !list.is_empty())) {
			let path = fields.path(key);
			let message = format!("`{path}` is not supported: leave it out");
			return Err(ApiError::unsupported(path, message));
		}
	}
	// Templates have no place for it.
	fields.text("name")?;
	let content_path = fields.path("content");
	let content = content(&content_path, fields.require("content")?)?;
	fields.finish()?;
	Ok(Message::new(role, content))
}

/// A text, or parts that are texts.
fn content(path: &str, value: Value) -> Result<String, ApiError> {
	let parts = match value {
		Value::String(text) => return Ok(text),
		Value::Array(parts) => parts,
		_ => return Err(expected(path, "a string, or a list of parts")),
	};
	let mut content = String::new();
	for (index, part) in parts.into_iter().enumerate() {
		let mut part = Fields::of(format!("{path}[{index}]"), part)?;
		match part.text("type")?.as_deref() {
			Some("text") => match part.text("text")? {
				Some(text) => content.push_str(&text),
				None => return Err(expected(&part.path("text"), "a string")),
			},
			Some(kind) => {
				let kind: String = kind.chars().take(40).collect();
				let message = format!("parts of type `{kind}` are not supported: send text only");
				return Err(ApiError::unsupported(format!("{path}[{index}]"), message));
			}
			None => return Err(expected(&part.path("type"), "\"text\"")),
		}
		part.finish()?;
	}
	Ok(content)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;
	use crate::backend::{Audit, Demands};
	use serde_json::json;

	fn with(key: &str, value: Value) -> Value {
		let mut body = json!({ "model": "m", "messages": [{ "role": "user", "content": "hi" }] });
		body[key] = value;
		body
	}

	fn ask(body: Value) -> Result<Ask, ApiError> {
		chat(body.to_string().as_bytes())
	}

	fn refused(body: Value) -> (String, String) {
		let shown = body.to_string();
		let error = ask(body).expect_err(&shown).json();
		let text = |name: &str| error["error"][name].as_str().unwrap_or_default().to_owned();
		(text("param"), text("code"))
	}

	#[test]
	fn a_chat_should_have_openais_defaults() {
		let ask = ask(with("stream", json!(null))).unwrap();
		assert_eq!(ask.prompts, Prompts::Chat(vec![Message::user("hi")]));
		assert_eq!((ask.temperature_milli, ask.top_p_ppm, ask.top_k), (1_000, 1_000_000, 0));
		assert_eq!((ask.choices, ask.seed, ask.max_tokens), (1, None, None));
		assert!(!ask.stream && !ask.include_usage && ask.stops.is_empty());
		assert_eq!(ask.demands, Demands::default());
	}

	#[test]
	fn parameters_should_be_taken() {
		let mut body = with(
			"aria",
			json!({
				"whole_model": true, "first_stage": "5A", "last_stage": "5B", "audit": ["5C"],
				"salted": true, "top_k": 40, "region": 756,
			}),
		);
		for (key, value) in [
			("temperature", json!(0.7)),
			("top_p", json!(0.9)),
			("n", json!(3)),
			("seed", json!(-1)),
			("stop", json!(["a", "b"])),
			("max_completion_tokens", json!(5)),
			("stream", json!(true)),
			("stream_options", json!({ "include_usage": true, "include_obfuscation": false })),
		] {
			body[key] = value;
		}
		let ask = ask(body).unwrap();
		assert_eq!((ask.temperature_milli, ask.top_p_ppm, ask.top_k), (700, 900_000, 40));
		assert_eq!((ask.choices, ask.seed, ask.max_tokens), (3, Some(u64::MAX), Some(5)));
		assert_eq!(ask.stops, ["a", "b"]);
		assert!(ask.stream && ask.include_usage);
		let demands = Demands {
			salted: true,
			whole_model: true,
			first: Some("5A".into()),
			last: Some("5B".into()),
			region: Some(756),
			audit: Audit::Named(vec!["5C".into()]),
		};
		assert_eq!(ask.demands, demands);
	}

	#[test]
	fn what_a_query_cannot_carry_should_be_refused_by_name() {
		for (key, value) in [
			("presence_penalty", json!(0.5)),
			("frequency_penalty", json!(-1)),
			("logit_bias", json!({ "50256": -100 })),
			("logprobs", json!(true)),
			("top_logprobs", json!(2)),
			("tools", json!([{ "type": "function", "function": { "name": "f" } }])),
			("tool_choice", json!("required")),
			("functions", json!([{ "name": "f" }])),
			("function_call", json!({ "name": "f" })),
			("response_format", json!({ "type": "json_object" })),
			("modalities", json!(["text", "audio"])),
			("audio", json!({ "voice": "x", "format": "wav" })),
			("prediction", json!({ "type": "content", "content": "x" })),
			("web_search_options", json!({})),
			("reasoning_effort", json!("high")),
			("verbosity", json!("low")),
			("store", json!(true)),
			("service_tier", json!("priority")),
		] {
			let (param, code) = refused(with(key, value));
			assert_eq!((param.as_str(), code.as_str()), (key, "unsupported_parameter"));
		}
	}

	#[test]
	fn values_that_change_nothing_should_pass() {
		for (key, value) in [
			("presence_penalty", json!(0)),
			("frequency_penalty", json!(0.0)),
			("logit_bias", json!({})),
			("logprobs", json!(false)),
			("top_logprobs", json!(0)),
			("tools", json!([])),
			("tool_choice", json!("none")),
			("parallel_tool_calls", json!(true)),
			("response_format", json!({ "type": "text" })),
			("modalities", json!(["text"])),
			("audio", json!(null)),
			("store", json!(false)),
			("metadata", json!({ "a": "b" })),
			("service_tier", json!("auto")),
			("user", json!("u")),
			("n", json!(1)),
			("stop", json!([])),
			("seed", json!(null)),
		] {
			assert!(ask(with(key, value.clone())).is_ok(), "{key}: {value}");
		}
	}

	#[test]
	fn values_outside_their_range_should_be_refused_by_name() {
		for (key, value) in [
			("temperature", json!(2.1)),
			("temperature", json!("1")),
			("top_p", json!(-0.1)),
			("n", json!(0)),
			("n", json!(9)),
			("seed", json!(1.5)),
			("stop", json!("")),
			("stop", json!(["a", "b", "c", "d", "e"])),
			("stop", json!([1])),
			("stop", json!("x".repeat(129))),
			("max_tokens", json!(0)),
			("max_completion_tokens", json!(-1)),
			("stream", json!("yes")),
			("stream_options", json!({ "include_usage": true })),
			("model", json!(1)),
			("model", json!(null)),
			("messages", json!([])),
			("messages", json!("hi")),
			("temprature", json!(1)),
		] {
			assert_eq!(refused(with(key, value)).0, key);
		}
		let mut both = with("max_tokens", json!(1));
		both["max_completion_tokens"] = json!(1);
		assert_eq!(refused(both).0, "max_tokens");
		for (value, param) in [
			(json!({ "audit": "some" }), "aria.audit"),
			(json!({ "audit": [] }), "aria.audit"),
			(json!({ "first_stage": "" }), "aria.first_stage"),
			(json!({ "region": 0 }), "aria.region"),
			(json!({ "region": 1_000 }), "aria.region"),
			(json!({ "region": 65_536 + 756 }), "aria.region"),
			(json!({ "region": "CH" }), "aria.region"),
			(json!({ "whole": true }), "aria.whole"),
			(json!(1), "aria"),
		] {
			assert_eq!(refused(with("aria", value)).0, param);
		}
	}

	#[test]
	fn messages_should_be_texts_of_known_roles() {
		let body = with(
			"messages",
			json!([
				{ "role": "developer", "content": "be brief" },
				{ "role": "user", "name": "eve", "content": [
					{ "type": "text", "text": "a" }, { "type": "text", "text": "b" },
				] },
				{ "role": "assistant", "content": "c", "refusal": null, "tool_calls": [] },
			]),
		);
		let is = vec![
			Message::new("system", "be brief"),
			Message::user("ab"),
			Message::new("assistant", "c"),
		];
		assert_eq!(ask(body).unwrap().prompts, Prompts::Chat(is));

		for (message, param) in [
			(json!({ "content": "a" }), "messages[0].role"),
			(json!({ "role": "user" }), "messages[0].content"),
			(json!({ "role": "user", "content": null }), "messages[0].content"),
			(json!({ "role": "user", "content": 1 }), "messages[0].content"),
			(json!({ "role": "wizard", "content": "a" }), "messages[0].role"),
			(json!({ "role": "tool", "content": "a" }), "messages[0].role"),
			(
				json!({ "role": "assistant", "content": "a", "tool_calls": [{}] }),
				"messages[0].tool_calls",
			),
			(
				json!({ "role": "user", "content": [{ "type": "image_url", "image_url": {} }] }),
				"messages[0].content[0]",
			),
			(
				json!({ "role": "user", "content": [{ "type": "text" }] }),
				"messages[0].content[0].text",
			),
			(json!({ "role": "user", "content": "a", "x": 1 }), "messages[0].x"),
			(json!("hi"), "messages[0]"),
		] {
			assert_eq!(refused(with("messages", json!([message]))).0, param);
		}
	}
}
