//! Clients that go away, that do not read, that do not finish, and too many of them.
#![allow(clippy::unwrap_used)]

mod support;

use aria_gateway::Config;
use futures::{future::join_all, stream::FuturesUnordered, StreamExt};
use reqwest::StatusCode;
use serde_json::{json, Value};
use std::{
	sync::{atomic::Ordering, Arc},
	time::{Duration, Instant},
};
use support::{
	ask,
	backend::{Endless, ENDLESS_TOKEN},
	config, engine, eventually, gateway, header,
	sse::Events,
	with,
};
use tokio::{
	io::{AsyncReadExt, AsyncWriteExt},
	net::TcpStream,
	time::timeout,
};

fn streamed(max_tokens: u32) -> Value {
	with(ask(max_tokens), json!({ "stream": true }))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_goes_away_should_free_its_place() {
	let (gateway, backend) = engine(Config { streams: 1, ..config() }).await;
	backend.slow(20);
	let mut events = Events::of(gateway.chat(&streamed(480)).await);
	events.next().await.unwrap();
	events.next().await.unwrap();
	assert!(!backend.is_idle());
	drop(events);
	eventually("the stream goes on", || backend.is_idle()).await;

	// Several choices, and an answer that is not streamed.
	let url = format!("{}/v1/chat/completions", gateway.url);
	let body = with(ask(480), json!({ "n": 2 }));
	let request = gateway.client.post(url).bearer_auth(&gateway.token).json(&body).send();
	assert!(timeout(Duration::from_secs(1), request).await.is_err());
	eventually("the answer goes on", || backend.is_idle()).await;

	backend.slow(0);
	gateway.should_answer().await;
	assert!(gateway.metric("aria_gateway_cancelled_total").await >= 2.0);
	assert_eq!(gateway.metric("aria_gateway_streams").await, 0.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_leaves_the_queue_should_not_be_answered() {
	let (gateway, backend) = engine(Config { streams: 1, ..config() }).await;
	backend.slow(20);
	let mut events = Events::of(gateway.chat(&streamed(480)).await);
	events.next().await.unwrap();
	let url = format!("{}/v1/chat/completions", gateway.url);
	let request = gateway.client.post(url).bearer_auth(&gateway.token).json(&ask(2)).send();
	assert!(timeout(Duration::from_millis(500), request).await.is_err());
	let begun = Instant::now();
	while gateway.metric("aria_gateway_queue").await > 0.0 {
		assert!(begun.elapsed() < support::PATIENCE, "it still waits");
		tokio::time::sleep(Duration::from_millis(5)).await;
	}
	drop(events);
	backend.slow(0);
	gateway.should_answer().await;
	assert_eq!(backend.started.load(Ordering::SeqCst), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flooding_key_should_not_starve_others() {
	let (gateway, backend) = engine(Config { streams: 2, ..config() }).await;
	backend.slow(25);
	let path = "/v1/chat/completions";
	let other = gateway.key("other", None, None);
	let body = ask(6);
	let flood: FuturesUnordered<_> = (0..40).map(|_| gateway.chat(&body)).collect();
	let served = async {
		// Until nearly all of them wait.
		let begun = Instant::now();
		while gateway.metric("aria_gateway_queue").await < 25.0 {
			assert!(begun.elapsed() < support::PATIENCE, "the flood does not come");
			tokio::time::sleep(Duration::from_millis(2)).await;
		}
		let before = backend.started.load(Ordering::SeqCst);
		let response = gateway.post_as(&other, path, &body).await;
		assert_eq!(response.status(), StatusCode::OK);
		backend.started.load(Ordering::SeqCst) - before
	};
	let (statuses, started) =
		tokio::join!(flood.map(|response| response.status()).collect::<Vec<StatusCode>>(), served);
	assert!(statuses.iter().all(|status| *status == StatusCode::OK));
	// Those that ran already, one before it in turn, and those that begin while it runs.
	assert!(started <= 8, "{started} requests of the flood began first");
	assert!(backend.most.load(Ordering::SeqCst) <= 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn more_than_the_queue_holds_should_be_sent_away() {
	let (gateway, backend) = engine(Config { streams: 1, queue: 3, ..config() }).await;
	backend.slow(30);
	let body = ask(10);
	let responses = join_all((0..12).map(|_| gateway.chat(&body))).await;
	let mut answered = 0;
	for response in responses {
		if response.status() == StatusCode::OK {
			answered += 1;
			continue;
		}
		assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
		assert!(header(&response, "retry-after").parse::<u64>().unwrap() >= 1);
		let error: Value = response.json().await.unwrap();
		assert_eq!(error["error"]["type"], "requests");
		assert_eq!(error["error"]["code"], "rate_limit_exceeded");
	}
	assert!((4..12).contains(&answered), "{answered}");
	gateway.should_answer().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn waiting_should_end() {
	let queue_wait = Duration::from_millis(100);
	let (gateway, backend) = engine(Config { streams: 1, queue_wait, ..config() }).await;
	backend.slow(20);
	let mut events = Events::of(gateway.chat(&streamed(480)).await);
	events.next().await.unwrap();
	let response = gateway.chat(&ask(1)).await;
	assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
	assert!(response.headers().contains_key("retry-after"));
	drop(events);
	backend.slow(0);
	eventually("the stream goes on", || backend.is_idle()).await;
	gateway.should_answer().await;
}

/// A request on a connection of our own, whose answer we may leave unread.
async fn raw(gateway: &support::Gateway, body: &Value) -> TcpStream {
	let mut stream = TcpStream::connect(gateway.url.trim_start_matches("http://")).await.unwrap();
	let body = body.to_string();
	let request = format!(
		"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\
		 content-length: {}\r\n\r\n{body}",
		gateway.token,
		body.len()
	);
	stream.write_all(request.as_bytes()).await.unwrap();
	stream
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_does_not_read_should_be_given_up() {
	let backend = Arc::new(Endless::new());
	let stall = Duration::from_millis(400);
	let gateway = gateway(Config { stall, ..config() }, backend.clone()).await;
	let stream = raw(&gateway, &streamed(400)).await;
	eventually("it never began", || backend.sent.load(Ordering::SeqCst) > 0).await;
	eventually("it goes on", || backend.running.load(Ordering::SeqCst) == 0).await;
	// What the kernel and the connection buffer, not what the model says.
	let bytes = backend.sent.load(Ordering::SeqCst) * ENDLESS_TOKEN;
	assert!(bytes < 64 << 20, "{bytes} bytes were taken");
	let begun = Instant::now();
	while gateway.metric("aria_gateway_connections").await > 1.0 {
		assert!(begun.elapsed() < support::PATIENCE, "the connection stays");
		tokio::time::sleep(Duration::from_millis(20)).await;
	}
	assert_eq!(gateway.metric("aria_gateway_stalled_total").await, 1.0);
	drop(stream);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_reader_should_get_everything() {
	let (gateway, _) = engine(config()).await;
	let mut stream = raw(&gateway, &streamed(300)).await;
	let mut answer = Vec::new();
	let mut buffer = [0; 997];
	while !answer.windows(6).any(|part| part == b"[DONE]") {
		let count = timeout(support::PATIENCE, stream.read(&mut buffer)).await.unwrap().unwrap();
		assert!(count > 0, "{}", String::from_utf8_lossy(&answer));
		answer.extend_from_slice(&buffer[..count]);
		tokio::time::sleep(Duration::from_micros(300)).await;
	}
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_without_a_request_should_be_closed() {
	let idle = Duration::from_millis(200);
	let (gateway, backend) = engine(Config { idle, connections: 2, ..config() }).await;
	let address = gateway.url.trim_start_matches("http://").to_owned();
	let mut silent = TcpStream::connect(&address).await.unwrap();
	let mut dripping = TcpStream::connect(&address).await.unwrap();
	dripping.write_all(b"POST /v1/chat/completions HTTP/1.1\r\nhost:").await.unwrap();
	let mut buffer = Vec::new();
	for stream in [&mut silent, &mut dripping] {
		// It may be reset.
		let _ = timeout(support::PATIENCE, stream.read_to_end(&mut buffer)).await.unwrap();
	}
	// An answer that takes longer is no idleness.
	backend.slow(100);
	gateway.should_answer().await;
	let all = Events::of(gateway.chat(&streamed(8)).await).all().await;
	assert_eq!(all.last().unwrap()["choices"][0]["finish_reason"], "length");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quiet_stream_should_be_kept_alive() {
	let keep_alive = Duration::from_millis(30);
	let (gateway, backend) = engine(Config { keep_alive, ..config() }).await;
	backend.slow(150);
	let response = gateway.chat(&streamed(2)).await;
	let text = response.text().await.unwrap();
	assert!(text.lines().filter(|line| line.starts_with(':')).count() >= 2, "{text}");
	assert!(text.ends_with("data: [DONE]\n\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn stopping_should_let_answers_end() {
	let (mut gateway, backend) = engine(Config { streams: 1, ..config() }).await;
	backend.slow(20);
	let mut events = Events::of(gateway.chat(&streamed(20)).await);
	events.next().await.unwrap();
	let body = ask(2);
	let waiting = gateway.chat(&body);
	let stopped = async {
		while gateway.metric("aria_gateway_queue").await < 1.0 {
			tokio::time::sleep(Duration::from_millis(2)).await;
		}
		gateway.stop();
	};
	let (waiting, ()) = tokio::join!(waiting, stopped);
	assert_eq!(waiting.status(), StatusCode::SERVICE_UNAVAILABLE);
	assert!(waiting.headers().contains_key("retry-after"));
	let all = events.all().await;
	assert!(events.done);
	assert_eq!(all.last().unwrap()["choices"][0]["finish_reason"], "length");
	let serving = gateway.serving.take().unwrap();
	timeout(support::PATIENCE, serving.finished()).await.unwrap();
	let url = format!("{}/healthz", gateway.url);
	assert!(gateway.client.get(url).send().await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn stopping_should_not_wait_for_ever() {
	let drain = Duration::from_millis(200);
	let (mut gateway, backend) = engine(Config { drain, ..config() }).await;
	backend.slow(50);
	let mut events = Events::of(gateway.chat(&streamed(480)).await);
	events.next().await.unwrap();
	let body = ask(480);
	let whole = gateway.chat(&body);
	let stopped = async {
		eventually("the second never began", || backend.running.load(Ordering::SeqCst) == 2).await;
		gateway.stop();
	};
	let (whole, ()) = tokio::join!(whole, stopped);
	assert_eq!(whole.status(), StatusCode::SERVICE_UNAVAILABLE);
	let all = events.all().await;
	assert!(!events.done);
	assert_eq!(all.last().unwrap()["error"]["code"], "shutting_down");
	let serving = gateway.serving.take().unwrap();
	timeout(support::PATIENCE, serving.finished()).await.unwrap();
	eventually("the backend goes on", || backend.is_idle()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_streams_should_be_held_at_once() {
	let (gateway, backend) = engine(config()).await;
	backend.slow(5);
	let expected = backend.says("hello", 7, 20);
	let body = streamed(20);
	let streams = (0..50).map(|_| async {
		let mut events = Events::of(gateway.chat(&body).await);
		let all = events.all().await;
		(events.done, support::sse::text(&all, 0))
	});
	for (done, text) in join_all(streams).await {
		assert!(done);
		assert_eq!(text, expected);
	}
	assert_eq!(gateway.metric("aria_gateway_streams").await, 0.0);
}
