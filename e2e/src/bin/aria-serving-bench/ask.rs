//! A streamed answer with its times.

use anyhow::{bail, ensure, Context, Result};
use aria_e2e::cluster::Cluster;
use serde_json::{json, Value};
use std::time::{Duration, Instant};
use tokio::time::timeout;

/// How long an answer may take: none that is measured takes near as long.
const PATIENCE: Duration = Duration::from_secs(600);
/// Seeds that are tried for an answer of full length.
const SEEDS: u64 = 64;

/// A gateway as an application sees it.
#[derive(Clone, Debug)]
pub struct Gateway {
	url: String,
	key: String,
	http: reqwest::Client,
}

/// What is asked.
#[derive(Clone, Debug)]
pub struct Question {
	/// The model's name.
	pub model: String,
	/// What the user says.
	pub text: String,
	/// Most tokens of the answer.
	pub tokens: u32,
	/// 0 takes the most probable token.
	pub temperature: f64,
	/// Of the generator.
	pub seed: u64,
}

/// An answer, with times since the request was sent.
#[derive(Clone, Debug, Default)]
pub struct Timed {
	/// The text.
	pub text: String,
	/// Why it ended.
	pub finish: String,
	/// Its tokens.
	pub tokens: u64,
	/// Whether it has a record.
	pub recorded: bool,
	/// Workers that were replaced.
	pub replaced: u64,
	/// The response began, which it does with the first token.
	pub opened: Duration,
	/// Each piece of text.
	pub pieces: Vec<Duration>,
	/// The end: every stage has signed, and the record is on the gateway's disk.
	pub closed: Duration,
}

impl Timed {
	/// Whether each token was seen as a piece of text.
	pub fn is_visible(&self) -> bool {
		self.tokens > 0 && self.pieces.len() as u64 == self.tokens
	}

	/// Tokens a second behind the first. Where a token shows no text, up to the answer's end, which is
	/// later than its last token.
	pub fn rate(&self) -> f64 {
		let (first, last) = match (self.is_visible(), self.pieces.first(), self.pieces.last()) {
			(true, Some(first), Some(last)) => (*first, *last),
			_ => (self.opened, self.closed),
		};
		let seconds = last.saturating_sub(first).as_secs_f64();
		if seconds > 0.0 {
			self.tokens.saturating_sub(1) as f64 / seconds
		} else {
			0.0
		}
	}

	/// Between the first piece of text and the request; the response's beginning if there is no text.
	pub fn first(&self) -> Duration {
		self.pieces.first().copied().unwrap_or(self.opened)
	}

	/// Between one piece of text and the next.
	pub fn gaps(&self) -> impl Iterator<Item = Duration> + '_ {
		let next = self.pieces.iter().skip(1);
		self.pieces.iter().zip(next).map(|(before, after)| after.saturating_sub(*before))
	}
}

impl Gateway {
	/// The gateway at `url`, which ends in `/v1`.
	///
	/// # Errors
	/// When there can be no client here.
	pub fn new(url: &str, key: &str) -> Result<Self> {
		let http = reqwest::Client::builder().no_proxy().build()?;
		Ok(Self { url: url.to_owned(), key: key.to_owned(), http })
	}

	/// The gateway of `cluster`, with its development key.
	///
	/// # Errors
	/// When it does not answer.
	pub async fn of(cluster: &Cluster) -> Result<Self> {
		Self::new(&cluster.gateway.base_url().await?, &cluster.gateway.api_key()?)
	}

	/// Asks, and reads to the end.
	///
	/// # Errors
	/// What the gateway refuses; a stream that breaks off; an answer that is not as it has to be.
	pub async fn ask(&self, question: &Question) -> Result<Timed> {
		let answer = timeout(PATIENCE, self.stream(question));
		answer.await.with_context(|| format!("no answer within {PATIENCE:?}"))?
	}

	async fn stream(&self, question: &Question) -> Result<Timed> {
		let Question { model, text, tokens, temperature, seed } = question;
		let body = json!({
			"model": model,
			"messages": [{ "role": "user", "content": text }],
			"max_tokens": tokens,
			"temperature": temperature,
			"seed": seed,
			"stream": true,
		});
		let began = Instant::now();
		let request = self.http.post(format!("{}/chat/completions", self.url));
		let sent = request.bearer_auth(&self.key).json(&body).send().await;
		let mut response = sent.context("the gateway does not answer")?;
		let status = response.status();
		if !status.is_success() {
			bail!("{status}: {}", response.text().await.unwrap_or_default().trim());
		}
		let mut answer = Timed { opened: began.elapsed(), ..Timed::default() };
		let mut lines = Lines::default();
		while let Some(part) = response.chunk().await.context("the stream breaks off")? {
			let now = began.elapsed();
			lines.add(&part);
			while let Some(line) = lines.next() {
				let Some(data) = line.strip_prefix("data: ") else { continue };
				if data == "[DONE]" {
					answer.check()?;
					return Ok(answer);
				}
				let event: Value = serde_json::from_str(data).context("an event is no JSON")?;
				answer.hear(&event, now)?;
			}
		}
		bail!("the stream ends without [DONE]")
	}

	/// The question with a seed for which its answer has all of its tokens, and shows all of them if that
	/// is to be had; with that answer.
	///
	/// # Errors
	/// When each answer ends early.
	pub async fn lengthen(&self, question: &Question) -> Result<(Question, Timed)> {
		// Without temperature the seed changes nothing.
		let seeds = if question.temperature > 0.0 { SEEDS } else { 1 };
		let mut found = None;
		for seed in 0..seeds {
			let question = Question { seed, ..question.clone() };
			let answer = self.ask(&question).await?;
			if answer.tokens < u64::from(question.tokens) {
				continue;
			}
			let visible = answer.is_visible();
			if visible || found.is_none() {
				found = Some((question, answer));
			}
			if visible {
				break;
			}
		}
		found.with_context(|| {
			let Question { model, tokens, .. } = question;
			format!("{model} ends each answer before {tokens} tokens: measure fewer")
		})
	}
}

impl Timed {
	fn hear(&mut self, event: &Value, now: Duration) -> Result<()> {
		if let Some(error) = event.get("error") {
			bail!("the stream ends with an error: {error}");
		}
		let Some(choice) = event["choices"].get(0) else { return Ok(()) };
		if let Some(text) = choice["delta"]["content"].as_str().filter(|text| !text.is_empty()) {
			self.text.push_str(text);
			self.pieces.push(now);
		}
		if let Some(reason) = choice["finish_reason"].as_str() {
			let aria = &event["aria"];
			self.finish = reason.to_owned();
			self.closed = now;
			self.tokens = aria["completion_tokens"].as_u64().unwrap_or(0);
			self.replaced = aria["replaced"].as_u64().unwrap_or(0);
			self.recorded = aria["record_id"].is_string();
		}
		Ok(())
	}

	fn check(&self) -> Result<()> {
		ensure!(!self.finish.is_empty(), "the answer has no finish_reason");
		ensure!(self.tokens > 0, "the answer has no tokens");
		ensure!(self.recorded, "the answer has no record");
		Ok(())
	}
}

/// Lines out of parts that end anywhere.
#[derive(Default)]
struct Lines {
	bytes: Vec<u8>,
	/// Where what was not given out begins.
	begin: usize,
}

impl Lines {
	fn add(&mut self, part: &[u8]) {
		self.bytes.drain(..self.begin);
		self.begin = 0;
		self.bytes.extend_from_slice(part);
	}

	/// The next whole line, without its end.
	fn next(&mut self) -> Option<String> {
		let rest = self.bytes.get(self.begin..)?;
		let end = rest.iter().position(|byte| *byte == b'\n')?;
		let line = String::from_utf8_lossy(rest.get(..end)?).trim_end().to_owned();
		self.begin = self.begin.saturating_add(end).saturating_add(1);
		Some(line)
	}
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;

	fn piece(text: &str) -> Value {
		json!({ "choices": [{ "delta": { "content": text }, "finish_reason": null }] })
	}

	fn ending(tokens: u64) -> Value {
		let aria = json!({ "completion_tokens": tokens, "replaced": 0, "record_id": "0x00" });
		json!({ "choices": [{ "delta": {}, "finish_reason": "length" }], "aria": aria })
	}

	fn answer(texts: &[&str], tokens: u64) -> Timed {
		let mut answer = Timed { opened: Duration::from_millis(10), ..Timed::default() };
		let mut now = Duration::from_millis(10);
		for text in texts {
			answer.hear(&piece(text), now).unwrap();
			now += Duration::from_millis(100);
		}
		answer.hear(&ending(tokens), Duration::from_millis(510)).unwrap();
		answer.check().unwrap();
		answer
	}

	#[test]
	fn the_rate_should_be_that_behind_the_first_token() {
		let visible = answer(&["a", "b", "c"], 3);
		assert_eq!(visible.text, "abc");
		assert!((visible.rate() - 10.0).abs() < 1e-9);
		assert_eq!(visible.gaps().count(), 2);

		// What shows no text is counted up to the end.
		let hidden = answer(&["", "b"], 6);
		assert_eq!(hidden.pieces.len(), 1);
		assert!((hidden.rate() - 10.0).abs() < 1e-9);
		assert_eq!(answer(&[], 1).rate(), 0.0);
	}

	#[test]
	fn an_answer_that_lacks_something_should_be_an_error() {
		assert!(Timed::default().check().is_err());
		let mut answer = answer(&["a"], 1);
		answer.recorded = false;
		assert!(answer.check().is_err());
		assert!(answer.hear(&json!({ "error": { "message": "no" } }), Duration::ZERO).is_err());
	}

	#[test]
	fn lines_should_be_whole_whatever_the_parts() {
		let mut lines = Lines::default();
		lines.add(b"da");
		assert_eq!(lines.next(), None);
		lines.add("ta: é\r\n\ndata".as_bytes());
		assert_eq!(lines.next().as_deref(), Some("data: é"));
		assert_eq!(lines.next().as_deref(), Some(""));
		assert_eq!(lines.next(), None);
		lines.add(b": 2\n");
		assert_eq!(lines.next().as_deref(), Some("data: 2"));
	}
}
