//! The OpenAI API of a gateway, over HTTP: just enough for the demo and for tests that look at times.
//! What unmodified clients make of it, `scripts/test-openai.sh` tests.

use anyhow::{bail, ensure, Context, Result};
use aria_primitives::RecordId;
use futures::StreamExt;
use serde_json::{json, Value};
use std::time::{Duration, Instant};

/// A gateway, and a key for it.
#[derive(Clone, Debug)]
pub struct Api {
	base_url: String,
	key: String,
	http: reqwest::Client,
}

/// A refusal in OpenAI's schema.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{status}: {error}")]
pub struct Refused {
	/// The HTTP status.
	pub status: u16,
	/// The `error` object.
	pub error: Value,
	/// What `retry-after` says, in seconds.
	pub retry_after: Option<u64>,
}

/// An answer that was streamed.
#[derive(Clone, Debug, Default)]
pub struct Answer {
	/// The text of choice 0.
	pub text: String,
	/// Why it ended.
	pub finish_reason: String,
	/// Its field `aria`.
	pub aria: Value,
	/// Its `usage`.
	pub usage: Value,
	/// From the request to the first text.
	pub first: Duration,
	/// Between one text and the next.
	pub gaps: Vec<Duration>,
	/// From the request to the end.
	pub took: Duration,
}

impl Answer {
	/// The record's id.
	///
	/// # Errors
	/// When the answer has no record.
	pub fn record_id(&self) -> Result<RecordId> {
		record_id(&self.aria)
	}

	/// The longest time without a text behind the first one.
	pub fn longest_gap(&self) -> Duration {
		self.gaps.iter().max().copied().unwrap_or_default()
	}

	/// Tokens of the answer.
	pub fn tokens(&self) -> u64 {
		self.usage["completion_tokens"].as_u64().unwrap_or(0)
	}

	/// Tokens a second behind the first.
	pub fn rate(&self) -> f64 {
		let rest = self.took.saturating_sub(self.first).as_secs_f64();
		if rest > 0.0 {
			self.tokens().saturating_sub(1) as f64 / rest
		} else {
			0.0
		}
	}
}

/// The record's id in a field `aria`.
///
/// # Errors
/// When it has none.
pub fn record_id(aria: &Value) -> Result<RecordId> {
	let text = aria["record_id"].as_str().with_context(|| format!("no record: {aria}"))?;
	text.parse().ok().with_context(|| format!("{text} is no record's id"))
}

impl Api {
	/// The API at `base_url`, which ends in `/v1`.
	pub fn new(base_url: &str, key: &str) -> Self {
		let http = reqwest::Client::builder().no_proxy().build().unwrap_or_default();
		Self { base_url: base_url.to_owned(), key: key.to_owned(), http }
	}

	/// Where it is.
	pub fn base_url(&self) -> &str {
		&self.base_url
	}

	/// With another key.
	pub fn with_key(&self, key: &str) -> Self {
		Self { key: key.to_owned(), ..self.clone() }
	}

	/// A request of one question; members may be added or replaced.
	pub fn question(model: &str, question: &str) -> Value {
		json!({ "model": model, "messages": [{ "role": "user", "content": question }] })
	}

	/// A request of the same question each time, whose answer is always the same.
	pub fn same_question(model: &str) -> Value {
		let mut question = Self::question(model, "What is a lighthouse?");
		question["temperature"] = json!(0);
		question["max_tokens"] = json!(24);
		question
	}

	/// Posts to a path below the base URL; the JSON of the answer.
	///
	/// # Errors
	/// [`Refused`], or what breaks off.
	pub async fn post(&self, path: &str, body: &Value) -> Result<Value> {
		let response = self.send(path, body).await?;
		response.json().await.context("the answer is no JSON")
	}

	async fn send(&self, path: &str, body: &Value) -> Result<reqwest::Response> {
		let url = format!("{}{path}", self.base_url);
		let request = self.http.post(url).bearer_auth(&self.key).json(body);
		let response = request.send().await.context("the gateway does not answer")?;
		let status = response.status();
		if status.is_success() {
			return Ok(response);
		}
		let header = response.headers().get("retry-after").and_then(|value| value.to_str().ok());
		let retry_after = header.and_then(|value| value.parse().ok());
		let text = response.text().await.unwrap_or_default();
		let value: Value = serde_json::from_str(&text).unwrap_or(Value::Null);
		let error = value.get("error").cloned().unwrap_or(Value::String(text));
		Err(Refused { status: status.as_u16(), error, retry_after }.into())
	}

	/// A chat, streamed.
	///
	/// # Errors
	/// [`Refused`], or a stream that breaks off.
	pub async fn chat(&self, body: &Value) -> Result<Answer> {
		self.chat_with(body, |_| ()).await
	}

	/// As [`Api::chat`], and each text is given to `heard` as it comes.
	///
	/// # Errors
	/// As [`Api::chat`].
	pub async fn chat_with(&self, body: &Value, mut heard: impl FnMut(&str)) -> Result<Answer> {
		let mut body = body.clone();
		body["stream"] = json!(true);
		body["stream_options"] = json!({ "include_usage": true });
		let began = Instant::now();
		let response = self.send("/chat/completions", &body).await?;
		let mut bytes = response.bytes_stream();
		let (mut answer, mut buffer) = (Answer::default(), Vec::new());
		let mut last: Option<Instant> = None;
		while let Some(part) = bytes.next().await {
			buffer.extend_from_slice(&part.context("the stream breaks off")?);
			while let Some(end) = buffer.iter().position(|byte| *byte == b'\n') {
				let line: Vec<u8> = buffer.drain(..=end).collect();
				let line = String::from_utf8_lossy(&line);
				let Some(data) = line.trim_end().strip_prefix("data: ") else { continue };
				if data == "[DONE]" {
					answer.took = began.elapsed();
					return Ok(answer);
				}
				let chunk: Value = serde_json::from_str(data).context("an event is no JSON")?;
				if let Some(error) = chunk.get("error") {
					bail!("the stream ends with an error: {error}");
				}
				if chunk["usage"].is_object() {
					answer.usage = chunk["usage"].clone();
				}
				let Some(choice) = chunk["choices"].get(0) else { continue };
				if let Some(text) =
					choice["delta"]["content"].as_str().filter(|text| !text.is_empty())
				{
					let now = Instant::now();
					match last.replace(now) {
						None => answer.first = began.elapsed(),
						Some(before) => answer.gaps.push(now - before),
					}
					answer.text.push_str(text);
					heard(text);
				}
				if let Some(reason) = choice["finish_reason"].as_str() {
					answer.finish_reason = reason.to_owned();
					let aria = choice.get("aria").or(chunk.get("aria"));
					answer.aria = aria.cloned().unwrap_or(Value::Null);
				}
			}
		}
		ensure!(false, "the stream ends without [DONE]");
		Ok(answer)
	}
}
