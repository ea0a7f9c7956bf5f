//! Everything that a client can get wrong, and what can go wrong behind its back. After each of them
//! the next request is answered.
#![allow(clippy::unwrap_used)]

mod support;

use aria_gateway::RateLimits;
use reqwest::{Method, Response, StatusCode};
use serde_json::{json, Value};
use support::{
	ask, config, content, engine, header,
	sse::{text, Events},
	with, Gateway,
};

/// Status, type, param, code.
type Expected<'a> = (u16, &'a str, Option<&'a str>, Option<&'a str>);

async fn should_be(response: Response, expected: Expected<'_>) -> Value {
	let (status, kind, param, code) = expected;
	assert_eq!(header(&response, "content-type"), "application/json");
	assert!(header(&response, "x-request-id").starts_with("req_"));
	let is = response.status();
	let body: Value = response.json().await.unwrap();
	assert_eq!(is, status, "{body}");
	let error = &body["error"];
	assert_eq!(error.as_object().unwrap().len(), 4, "{body}");
	assert!(!error["message"].as_str().unwrap().is_empty());
	assert_eq!(error["type"], kind, "{body}");
	assert_eq!(error["param"].as_str(), param, "{body}");
	assert_eq!(error["code"].as_str(), code, "{body}");
	body
}

const INVALID: &str = "invalid_request_error";

#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_are_no_requests_should_be_refused() {
	let (gateway, _) = engine(config()).await;
	for body in ["", "{", "[1", "{\"model\": tiny}", "\u{0}", "{\"a\":\"\\ud800\"}"] {
		let request = gateway.request(Method::POST, "/v1/chat/completions").body(body);
		let expected = (400, INVALID, None, Some("invalid_json"));
		should_be(request.send().await.unwrap(), expected).await;
	}
	let request = gateway.request(Method::POST, "/v1/completions").body(vec![b'"', 0xff, b'"']);
	should_be(request.send().await.unwrap(), (400, INVALID, None, Some("invalid_json"))).await;
	let request = gateway.request(Method::POST, "/v1/chat/completions").body("[]");
	should_be(request.send().await.unwrap(), (400, INVALID, None, None)).await;
	let deep = "[".repeat(1 << 20);
	let request = gateway.request(Method::POST, "/v1/chat/completions").body(deep);
	should_be(request.send().await.unwrap(), (400, INVALID, None, Some("invalid_json"))).await;
	gateway.should_answer().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn parameters_that_a_query_cannot_carry_should_be_named() {
	let (gateway, _) = engine(config()).await;
	for (more, param, code) in [
		(json!({ "presence_penalty": 0.1 }), "presence_penalty", "unsupported_parameter"),
		(json!({ "logit_bias": { "1": 1 } }), "logit_bias", "unsupported_parameter"),
		(json!({ "logprobs": true }), "logprobs", "unsupported_parameter"),
		(json!({ "tools": [{}] }), "tools", "unsupported_parameter"),
		(
			json!({ "response_format": { "type": "json_object" } }),
			"response_format",
			"unsupported_parameter",
		),
		(json!({ "temperature": 3 }), "temperature", "invalid_value"),
		(json!({ "n": 100 }), "n", "invalid_value"),
		(json!({ "stop": ["a", "b", "c", "d", "e"] }), "stop", "invalid_value"),
		(json!({ "messages": [] }), "messages", "invalid_value"),
		(json!({ "messages": null }), "messages", "missing_required_parameter"),
		(json!({ "model": null }), "model", "missing_required_parameter"),
		(json!({ "temprature": 1 }), "temprature", "unknown_parameter"),
		(json!({ "aria": { "audit": 1 } }), "aria.audit", "invalid_value"),
		(
			json!({ "messages": [{ "role": "user", "content": [{ "type": "image_url" }] }] }),
			"messages[0].content[0]",
			"unsupported_parameter",
		),
	] {
		let response = gateway.chat(&with(ask(2), more)).await;
		should_be(response, (400, INVALID, Some(param), Some(code))).await;
	}
	let response = gateway
		.post("/v1/completions", &json!({ "model": "tiny", "prompt": "a", "echo": true }))
		.await;
	should_be(response, (400, INVALID, Some("echo"), Some("unsupported_parameter"))).await;
	gateway.should_answer().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn models_paths_and_methods_that_are_not_there_should_be_refused() {
	let (gateway, _) = engine(config()).await;
	let unknown = (404, INVALID, Some("model"), Some("model_not_found"));
	should_be(gateway.chat(&with(ask(2), json!({ "model": "gpt-4o" }))).await, unknown).await;
	should_be(gateway.get("/v1/models/gpt-4o").await, unknown).await;
	should_be(gateway.get("/v1/models/%ff").await, unknown).await;
	let nothing = (404, INVALID, None, Some("unknown_url"));
	should_be(gateway.get("/v2/models").await, nothing).await;
	should_be(gateway.chat_at("/v1/embeddings").await, nothing).await;
	let method = (405, INVALID, None, Some("method_not_supported"));
	should_be(gateway.get("/v1/chat/completions").await, method).await;
	should_be(gateway.chat_at("/v1/models").await, method).await;
	gateway.should_answer().await;
}

impl Gateway {
	async fn chat_at(&self, path: &str) -> Response {
		self.post(path, &ask(2)).await
	}
}

#[tokio::test(flavor = "multi_thread")]
async fn prompts_that_do_not_fit_should_be_refused() {
	let (gateway, _) = engine(config()).await;
	let code = Some("context_length_exceeded");
	let mut body = ask(2);
	body["messages"][0]["content"] = json!("x".repeat(512));
	should_be(gateway.chat(&body).await, (400, INVALID, Some("messages"), code)).await;
	let of = |prompt: Value| json!({ "model": "tiny", "prompt": prompt });
	let long = gateway.post("/v1/completions", &of(json!(vec![1; 512]))).await;
	should_be(long, (400, INVALID, Some("prompt"), code)).await;
	for prompt in [json!(""), json!([[]]), json!([256])] {
		let response = gateway.post("/v1/completions", &of(prompt)).await;
		should_be(response, (400, INVALID, Some("prompt"), Some("invalid_value"))).await;
	}
	gateway.should_answer().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_should_be_bounded() {
	let config = aria_gateway::Config {
		body_bytes: 10_000,
		body_wait: std::time::Duration::from_millis(300),
		..config()
	};
	let (gateway, _) = engine(config).await;
	let mut body = ask(2);
	body["messages"][0]["content"] = json!("x".repeat(30_000));
	should_be(gateway.chat(&body).await, (413, INVALID, None, Some("request_too_large"))).await;

	let endless =
		reqwest::Body::wrap_stream(futures::stream::pending::<Result<Vec<u8>, std::io::Error>>());
	let request = gateway.request(Method::POST, "/v1/chat/completions").body(endless);
	should_be(request.send().await.unwrap(), (408, INVALID, None, Some("request_timeout"))).await;
	gateway.should_answer().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_should_be_asked_for() {
	let (gateway, backend) = engine(config()).await;
	let expected = (401, "authentication_error", None, Some("invalid_api_key"));
	let long = "x".repeat(5_000);
	for token in ["", "aria-sk-00", "nonsense", long.as_str()] {
		let response = gateway.post_as(token, "/v1/chat/completions", &ask(2)).await;
		assert_eq!(header(&response, "www-authenticate"), "Bearer");
		should_be(response, expected).await;
	}
	let url = format!("{}/v1/models", gateway.url);
	should_be(gateway.client.get(&url).send().await.unwrap(), expected).await;
	let basic = gateway.client.get(&url).basic_auth("app", Some(&gateway.token));
	should_be(basic.send().await.unwrap(), expected).await;
	assert_eq!(backend.started.load(std::sync::atomic::Ordering::SeqCst), 0);

	let token = gateway.key("short-lived", None, None);
	let path = "/v1/chat/completions";
	assert_eq!(gateway.post_as(&token, path, &ask(2)).await.status(), StatusCode::OK);
	gateway.keys.revoke("short-lived").unwrap();
	should_be(gateway.post_as(&token, path, &ask(2)).await, expected).await;
	gateway.should_answer().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_of_the_backend_should_have_their_status() {
	let (gateway, _) = engine(config()).await;
	let quota = Some("insufficient_quota");
	for (fault, expected, retry_after) in [
		("empty", (402, "insufficient_quota", None, quota), None),
		("used up", (402, "insufficient_quota", None, quota), None),
		("capped", (429, "insufficient_quota", None, quota), Some("7")),
		("nobody", (503, "server_error", None, Some("no_workers")), Some("7")),
		("busy", (429, "requests", None, Some("rate_limit_exceeded")), Some("7")),
		("broken", (500, "server_error", None, Some("internal_error")), None),
		("choosy", (400, INVALID, Some("aria.first_stage"), None), None),
	] {
		let token = gateway.key(fault, Some(fault), None);
		for stream in [false, true] {
			let body = with(ask(2), json!({ "stream": stream }));
			let response = gateway.post_as(&token, "/v1/chat/completions", &body).await;
			let after = response.headers().get("retry-after").map(|value| value.to_str().unwrap());
			assert_eq!(after, retry_after, "{fault}");
			assert!(response.headers().contains_key("x-ratelimit-remaining-requests"));
			let body = should_be(response, expected).await;
			assert_eq!(body["error"]["message"], format!("fault: {fault}"));
		}
		gateway.should_answer().await;
	}
	assert_eq!(gateway.metric("aria_gateway_streams").await, 0.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_that_break_off_should_say_so() {
	let (gateway, backend) = engine(config()).await;
	let path = "/v1/chat/completions";
	for (fault, expected) in [
		("breaks", (503, "server_error", None, Some("no_workers"))),
		("vanishes", (500, "server_error", None, Some("internal_error"))),
	] {
		let token = gateway.key(fault, Some(fault), None);
		for n in [1, 3] {
			let body = with(ask(20), json!({ "n": n }));
			should_be(gateway.post_as(&token, path, &body).await, expected).await;
		}
		let body = with(ask(20), json!({ "stream": true }));
		let mut events = Events::of(gateway.post_as(&token, path, &body).await);
		let all = events.all().await;
		assert!(!events.done, "a broken stream must not look complete");
		assert_eq!(all.last().unwrap()["error"]["type"], expected.1);
		let begun = text(&all, 0);
		assert!(backend.says("hello", 7, 20).starts_with(&begun));
		gateway.should_answer().await;
	}
	assert_eq!(gateway.metric("aria_gateway_failed_total").await, 6.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_should_have_limits_and_be_told_about_them() {
	let (gateway, _) = engine(config()).await;
	let limits = RateLimits { requests_per_minute: 3, tokens_per_minute: 120 };
	let token = gateway.key("small", None, Some(limits));
	let path = "/v1/chat/completions";

	let prompt = "user: hello\nassistant: ".len() as u64;
	let response = gateway.post_as(&token, path, &ask(10)).await;
	for (name, value) in
		[("limit-requests", "3"), ("remaining-requests", "2"), ("limit-tokens", "120")]
	{
		assert_eq!(header(&response, &format!("x-ratelimit-{name}")), value);
	}
	assert!(header(&response, "x-ratelimit-reset-requests").ends_with('s'));
	let left: u64 = header(&response, "x-ratelimit-remaining-tokens").parse().unwrap();
	assert!((120 - prompt - 10..120).contains(&left), "{left}");
	support::good(response).await;

	// What is left is less than this may use.
	let response = gateway.post_as(&token, path, &ask(110)).await;
	let after: u64 = header(&response, "retry-after").parse().unwrap();
	assert!((1..=60).contains(&after), "{after}");
	should_be(response, (429, "tokens", None, Some("rate_limit_exceeded"))).await;
	assert_eq!(gateway.post_as(&token, path, &ask(5)).await.status(), StatusCode::OK);

	let response = gateway.post_as(&token, path, &ask(1)).await;
	assert!(header(&response, "retry-after").parse::<u64>().unwrap() >= 1);
	assert_eq!(header(&response, "x-ratelimit-remaining-requests"), "0");
	should_be(response, (429, "requests", None, Some("rate_limit_exceeded"))).await;
	gateway.should_answer().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn health_metrics_and_origins_should_be_served() {
	let (gateway, _) = engine(aria_gateway::Config { cors: true, ..config() }).await;
	let health = gateway.client.get(format!("{}/healthz", gateway.url)).send().await.unwrap();
	assert_eq!(support::good(health).await["models"], json!(["tiny"]));

	let answer = gateway.answer(&ask(5)).await;
	assert!(!content(&answer).is_empty());
	let metrics = gateway.get("/metrics").await;
	assert!(header(&metrics, "content-type").starts_with("text/plain"));
	let metrics = metrics.text().await.unwrap();
	for line in [
		"aria_gateway_requests_total{route=\"chat\",status=\"200\"} 1",
		"aria_gateway_requests_total{route=\"healthz\",status=\"200\"} 1",
		"aria_gateway_tokens_total{kind=\"completion\"} 5",
		"aria_gateway_first_token_seconds_count 1",
		"aria_gateway_token_seconds_count 4",
		"aria_gateway_streams 0",
		"aria_gateway_queue 0",
	] {
		assert!(metrics.lines().any(|is| is == line), "{line}\n{metrics}");
	}

	let preflight = gateway
		.client
		.request(Method::OPTIONS, format!("{}/v1/chat/completions", gateway.url))
		.header("origin", "https://app.example")
		.header("access-control-request-method", "POST")
		.header("access-control-request-headers", "authorization, x-stainless-os");
	let preflight = preflight.send().await.unwrap();
	assert_eq!(preflight.status(), StatusCode::NO_CONTENT);
	for response in [preflight, gateway.chat(&ask(1)).await] {
		assert_eq!(header(&response, "access-control-allow-origin"), "*");
		assert!(header(&response, "access-control-allow-headers").contains("authorization"));
	}

	let (closed, _) = engine(aria_gateway::Config { metrics: false, ..config() }).await;
	assert_eq!(closed.get("/metrics").await.status(), StatusCode::NOT_FOUND);
	let response = closed.chat(&ask(1)).await;
	assert!(!response.headers().contains_key("access-control-allow-origin"));
}
