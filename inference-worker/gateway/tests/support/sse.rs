//! Reads server-sent events as a client does.

use futures::{Stream, StreamExt};
use reqwest::{Response, StatusCode};
use serde_json::Value;
use std::pin::Pin;

/// Events as they come.
pub struct Events {
	bytes: Pin<Box<dyn Stream<Item = Vec<u8>> + Send>>,
	held: Vec<u8>,
	/// Whether the end was announced.
	pub done: bool,
}

impl Events {
	pub fn of(response: Response) -> Self {
		assert_eq!(response.status(), StatusCode::OK);
		let kind = response.headers()["content-type"].to_str().unwrap();
		assert!(kind.starts_with("text/event-stream"), "{kind}");
		let bytes = response.bytes_stream().map(|chunk| chunk.unwrap().to_vec());
		Self { bytes: Box::pin(bytes), held: Vec::new(), done: false }
	}

	/// The next event that is no comment; `None` behind `[DONE]`, or where the stream ends without.
	pub async fn next(&mut self) -> Option<Value> {
		loop {
			while let Some(end) = self.held.windows(2).position(|pair| pair == b"\n\n") {
				let event: Vec<u8> = self.held.drain(..end + 2).collect();
				let event = String::from_utf8(event).unwrap();
				assert!(!self.done, "behind the end: {event}");
				let Some(data) = event.trim_end().strip_prefix("data: ") else {
					assert!(event.starts_with(':'), "{event}");
					continue;
				};
				if data == "[DONE]" {
					self.done = true;
					continue;
				}
				return Some(serde_json::from_str(data).unwrap());
			}
			match self.bytes.next().await {
				Some(bytes) => self.held.extend(bytes),
				None => {
					assert!(self.held.is_empty(), "{:?}", self.held);
					return None;
				}
			}
		}
	}

	/// All that are left.
	pub async fn all(&mut self) -> Vec<Value> {
		let mut all = Vec::new();
		while let Some(event) = self.next().await {
			all.push(event);
		}
		all
	}
}

/// The text of choice `index`.
pub fn text(events: &[Value], index: usize) -> String {
	events
		.iter()
		.flat_map(|event| event["choices"].as_array().cloned().unwrap_or_default())
		.filter(|choice| choice["index"] == index)
		.filter_map(|choice| {
			let delta = &choice["delta"]["content"];
			delta.as_str().or_else(|| choice["text"].as_str()).map(str::to_owned)
		})
		.collect()
}
