//! JSON-RPC over HTTP, which a node serves on the port of its WebSocket.

use serde::de::DeserializeOwned;
use serde_json::{json, Value};
use std::{
	sync::atomic::{AtomicU64, Ordering},
	time::Duration,
};

/// Most bytes of an answer: a page of records.
const MAX_ANSWER: usize = 16 << 20;
/// How long a node may take for one answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// The node's word for "no such record, at that block".
pub const UNKNOWN_RECORD: i64 = 7002;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
	/// The URL is none that can be asked.
	#[error("{url}: {reason}")]
	Url {
		/// It.
		url: String,
		/// What is wrong with it.
		reason: &'static str,
	},
	/// Nobody answers there.
	#[error("the node at {url} does not answer ({reason}): see that it runs, and give --node")]
	Unreachable {
		/// Where.
		url: String,
		/// What happened.
		reason: String,
	},
	/// It answers something else.
	#[error("the answer to {method} is not that of an ARIA node ({reason}): check --node")]
	Strange {
		/// What was asked.
		method: String,
		/// What is odd.
		reason: String,
	},
	/// It says no.
	#[error("{method}: {message} (code {code})")]
	Refused {
		/// What was asked.
		method: String,
		/// The error's code (`docs/rpc.md`, "Errors").
		code: i64,
		/// What it says.
		message: String,
	},
}

impl NodeError {
	/// Whether the node says that it has no such record.
	pub fn is_unknown_record(&self) -> bool {
		matches!(self, NodeError::Refused { code: UNKNOWN_RECORD, .. })
	}
}

/// A node.
pub struct Node {
	url: String,
	client: reqwest::Client,
	next: AtomicU64,
}

impl Node {
	/// The node at an `http://` or `ws://` URL.
	///
	/// # Errors
	/// [`NodeError::Url`] for another scheme.
	pub fn at(url: &str) -> Result<Self, NodeError> {
		let mapped = http(url)?;
		let mut builder = reqwest::Client::builder().timeout(PATIENCE);
		if is_local(&mapped) {
			builder = builder.no_proxy();
		}
		let client = builder.build().map_err(|error| NodeError::Unreachable {
			url: url.to_owned(),
			reason: causes(&error),
		})?;
		Ok(Self { url: mapped, client, next: AtomicU64::new(1) })
	}

	/// Calls a method and decodes its result.
	///
	/// # Errors
	/// [`NodeError`].
	pub async fn call<T: DeserializeOwned>(
		&self,
		method: &str,
		parameters: Value,
	) -> Result<T, NodeError> {
		let unreachable = |error: reqwest::Error| NodeError::Unreachable {
			url: self.url.clone(),
			reason: causes(&error),
		};
		let strange = |reason: String| NodeError::Strange { method: method.to_owned(), reason };
		let id = self.next.fetch_add(1, Ordering::Relaxed);
		let request = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": parameters });
		let mut response =
			self.client.post(&self.url).json(&request).send().await.map_err(unreachable)?;
		let status = response.status();
		let mut bytes = Vec::new();
		while let Some(part) = response.chunk().await.map_err(unreachable)? {
			if bytes.len().saturating_add(part.len()) > MAX_ANSWER {
				return Err(strange(format!("it has more than {MAX_ANSWER} bytes")));
			}
			bytes.extend_from_slice(&part);
		}
		let mut answer: Value = serde_json::from_slice(&bytes)
			.map_err(|_| strange(format!("it is no JSON, with HTTP status {status}")))?;
		if let Some(error) = answer.get("error").filter(|error| !error.is_null()) {
			return Err(NodeError::Refused {
				method: method.to_owned(),
				code: error.get("code").and_then(Value::as_i64).unwrap_or_default(),
				message: error
					.get("message")
					.and_then(Value::as_str)
					.unwrap_or("the node gives no reason")
					.to_owned(),
			});
		}
		let result = answer
			.get_mut("result")
			.map(Value::take)
			.ok_or_else(|| strange("it has neither result nor error".to_owned()))?;
		serde_json::from_value(result).map_err(|error| strange(error.to_string()))
	}
}

fn http(url: &str) -> Result<String, NodeError> {
	let wrong = |reason| NodeError::Url { url: url.to_owned(), reason };
	let (scheme, rest) =
		url.split_once("://").ok_or_else(|| wrong("give the scheme too, as in ws://HOST:9944"))?;
	match scheme {
		"http" | "ws" => Ok(format!("http://{rest}")),
		"https" | "wss" => Err(wrong(
			"this command speaks no TLS: ask a node of your own, or through a tunnel (ssh -L)",
		)),
		_ => Err(wrong("the scheme has to be ws or http")),
	}
}

fn is_local(url: &str) -> bool {
	["http://127.", "http://localhost", "http://[::1]"].iter().any(|local| url.starts_with(local))
}

/// An error with all that caused it; reqwest names only itself.
fn causes(error: &dyn std::error::Error) -> String {
	let mut text = error.to_string();
	let mut cause = error.source();
	while let Some(inner) = cause {
		text.push_str(": ");
		text.push_str(&inner.to_string());
		cause = inner.source();
	}
	text
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;
	use tokio::{
		io::{AsyncReadExt, AsyncWriteExt},
		net::TcpListener,
	};

	/// A server that answers one request with `body`.
	async fn server(body: &'static str) -> String {
		let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
		let port = listener.local_addr().unwrap().port();
		tokio::spawn(async move {
			let (mut stream, _) = listener.accept().await.unwrap();
			let mut seen = Vec::new();
			let mut buffer = [0; 1024];
			// The request's JSON ends with its only list of parameters.
			while !seen.ends_with(b"}") {
				let read = stream.read(&mut buffer).await.unwrap();
				assert!(read > 0);
				seen.extend_from_slice(&buffer[..read]);
			}
			let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
			stream.write_all(head.as_bytes()).await.unwrap();
			stream.write_all(body.as_bytes()).await.unwrap();
		});
		format!("ws://127.0.0.1:{port}")
	}

	async fn ask(body: &'static str) -> Result<String, NodeError> {
		Node::at(&server(body).await).unwrap().call("a_method", json!([])).await
	}

	#[test]
	fn urls_should_be_mapped() {
		assert_eq!(http("ws://127.0.0.1:9944").unwrap(), "http://127.0.0.1:9944");
		assert_eq!(http("http://node:1/rpc").unwrap(), "http://node:1/rpc");
		for url in ["wss://node", "https://node", "ftp://node", "node:9944"] {
			assert!(matches!(http(url), Err(NodeError::Url { .. })), "{url}");
		}
	}

	#[tokio::test]
	async fn answers_should_be_read_as_what_they_are() {
		let answer = ask(r#"{"jsonrpc":"2.0","id":1,"result":"0x12"}"#).await;
		assert_eq!(answer.unwrap(), "0x12");
		let refused = ask(r#"{"id":1,"error":{"code":7002,"message":"no record"}}"#).await;
		assert!(refused.unwrap_err().is_unknown_record());
		for strange in ["<html>", r#"{"id":1}"#, r#"{"id":1,"result":7}"#] {
			assert!(matches!(ask(strange).await, Err(NodeError::Strange { .. })), "{strange}");
		}
	}

	#[tokio::test]
	async fn a_node_that_is_not_there_should_be_named() {
		let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
		let url = format!("ws://{}", listener.local_addr().unwrap());
		drop(listener);
		let error = Node::at(&url).unwrap().call::<String>("m", json!([])).await.unwrap_err();
		assert!(matches!(error, NodeError::Unreachable { .. }));
		assert!(error.to_string().contains("127.0.0.1"));
	}
}
