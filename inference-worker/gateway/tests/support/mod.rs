//! A gateway on a free port with a real engine behind it, and a client of it.
#![allow(dead_code, clippy::unwrap_used, missing_docs)]

pub mod backend;
pub mod sse;

use aria_gateway::{Backend, Config, KeyFile, NewKey, RateLimits, Server, Serving};
use backend::EngineBackend;
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode};
use serde_json::{json, Value};
use std::{
	net::{Ipv4Addr, SocketAddr},
	sync::Arc,
	time::Duration,
};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

/// Longer than anything takes, and short enough for a test that hangs.
pub const PATIENCE: Duration = Duration::from_secs(60);

pub fn config() -> Config {
	Config { listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), ..Config::default() }
}

/// A gateway that ends with the test.
pub struct Gateway {
	pub url: String,
	pub client: Client,
	/// Of a key without anything special about it.
	pub token: String,
	pub keys: Arc<KeyFile>,
	pub serving: Option<Serving>,
	stop: CancellationToken,
	folder: TempDir,
}

impl Drop for Gateway {
	fn drop(&mut self) {
		self.stop.cancel();
	}
}

/// A gateway in front of an engine.
pub async fn engine(config: Config) -> (Gateway, Arc<EngineBackend>) {
	let backend = Arc::new(EngineBackend::new());
	(gateway(config, backend.clone()).await, backend)
}

pub async fn gateway(config: Config, backend: Arc<dyn Backend>) -> Gateway {
	let folder = tempfile::tempdir().unwrap();
	let keys = Arc::new(KeyFile::open(folder.path().join("keys.json")).unwrap());
	let stop = CancellationToken::new();
	let serving = Server::start(config, backend, keys.clone(), stop.clone()).await.unwrap();
	let client = Client::builder().no_proxy().timeout(PATIENCE).build().unwrap();
	let url = format!("http://{}", serving.local_addr);
	let mut gateway =
		Gateway { url, client, token: String::new(), keys, serving: Some(serving), stop, folder };
	gateway.token = gateway.key("app", None, None);
	gateway
}

impl Gateway {
	/// Makes a key. The backend takes `fault` for what it should answer its requests with.
	pub fn key(&self, name: &str, fault: Option<&str>, limits: Option<RateLimits>) -> String {
		let new = NewKey {
			name: name.to_owned(),
			requester: "alice".to_owned(),
			spending_key: fault.map(str::to_owned),
			limits,
		};
		self.keys.create(new).unwrap().0
	}

	pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
		self.client.request(method, format!("{}{path}", self.url)).bearer_auth(&self.token)
	}

	pub async fn post_as(&self, token: &str, path: &str, body: &Value) -> Response {
		let url = format!("{}{path}", self.url);
		self.client.post(url).bearer_auth(token).json(body).send().await.unwrap()
	}

	pub async fn post(&self, path: &str, body: &Value) -> Response {
		self.post_as(&self.token, path, body).await
	}

	pub async fn chat(&self, body: &Value) -> Response {
		self.post("/v1/chat/completions", body).await
	}

	/// The answer to a chat, which has to succeed.
	pub async fn answer(&self, body: &Value) -> Value {
		good(self.chat(body).await).await
	}

	pub async fn complete(&self, body: &Value) -> Value {
		good(self.post("/v1/completions", body).await).await
	}

	pub async fn get(&self, path: &str) -> Response {
		self.request(Method::GET, path).send().await.unwrap()
	}

	/// A number out of `/metrics`.
	pub async fn metric(&self, name: &str) -> f64 {
		let text = self.get("/metrics").await.text().await.unwrap();
		text.lines()
			.find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))
			.map_or(0.0, |number| number.trim().parse().unwrap())
	}

	/// What every fault has to leave: a gateway that answers.
	pub async fn should_answer(&self) {
		let answer = self.answer(&ask(3)).await;
		assert_eq!(answer["usage"]["completion_tokens"], 3, "{answer}");
	}

	pub fn stop(&self) {
		self.stop.cancel();
	}
}

/// A chat with an answer of so many tokens.
pub fn ask(max_tokens: u32) -> Value {
	json!({
		"model": "tiny",
		"messages": [{ "role": "user", "content": "hello" }],
		"max_tokens": max_tokens,
		"seed": 7,
	})
}

/// `body` with more members.
pub fn with(mut body: Value, more: Value) -> Value {
	for (key, value) in more.as_object().unwrap() {
		body[key] = value.clone();
	}
	body
}

pub async fn good(response: Response) -> Value {
	let status = response.status();
	let text = response.text().await.unwrap();
	assert_eq!(status, StatusCode::OK, "{text}");
	serde_json::from_str(&text).unwrap()
}

pub fn content(answer: &Value) -> &str {
	answer["choices"][0]["message"]["content"].as_str().unwrap()
}

pub fn header<'a>(response: &'a Response, name: &str) -> &'a str {
	response.headers().get(name).unwrap_or_else(|| panic!("no {name}")).to_str().unwrap()
}

/// Waits until `holds`.
pub async fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
	let begun = std::time::Instant::now();
	while !holds() {
		assert!(begun.elapsed() < PATIENCE, "{what}");
		tokio::time::sleep(Duration::from_millis(5)).await;
	}
}
