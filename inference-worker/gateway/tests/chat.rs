//! Answers: what they hold, and that they are the engine's.
#![allow(clippy::unwrap_used)]

mod support;

use reqwest::StatusCode;
use serde_json::{json, Value};
use support::{
	ask, config, content, engine, good, header,
	sse::{text, Events},
	with,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_chat_should_be_answered_with_what_the_engine_says() {
	let (gateway, backend) = engine(config()).await;
	let response = gateway.chat(&ask(20)).await;
	assert_eq!(response.status(), StatusCode::OK);
	assert!(header(&response, "x-request-id").starts_with("req_"));
	let record = header(&response, "x-aria-record").to_owned();
	let answer = good(response).await;

	assert_eq!(content(&answer), backend.says("hello", 7, 20));
	assert_eq!(answer["object"], "chat.completion");
	assert_eq!(answer["model"], "tiny");
	assert!(answer["id"].as_str().unwrap().starts_with("chatcmpl-"));
	assert!(answer["created"].as_u64().unwrap() > 1_700_000_000);
	let choice = &answer["choices"][0];
	assert_eq!(choice["finish_reason"], "length");
	assert_eq!(choice["message"]["role"], "assistant");
	assert!(choice["message"]["refusal"].is_null() && choice["logprobs"].is_null());

	let prompt = "user: hello\nassistant: ".len();
	assert_eq!(answer["usage"]["prompt_tokens"], prompt);
	assert_eq!(answer["usage"]["completion_tokens"], 20);
	assert_eq!(answer["usage"]["total_tokens"], prompt + 20);
	assert_eq!(answer["usage"]["prompt_tokens_details"]["cached_tokens"], 0);

	let aria = &answer["aria"];
	assert_eq!(aria["record_id"], record.as_str());
	assert_eq!(aria["model_id"], format!("0x{}", backend.model_id()));
	assert_eq!(aria["seed"], 7);
	assert_eq!(aria["nodes"][0]["layers"], json!({ "first": 0, "end": 2 }));
	assert_eq!((&aria["energy_mj"], &aria["energy_source"]), (&json!(12), &json!("estimate")));
	assert!(aria["salt"].is_null());
	assert_eq!(&choice["aria"], aria);

	let models = good(gateway.get("/v1/models").await).await;
	assert_eq!(answer["system_fingerprint"], models["data"][0]["aria"]["system_fingerprint"]);
	assert_eq!(answer["system_fingerprint"].as_str().unwrap().len(), 13);
}

#[tokio::test(flavor = "multi_thread")]
async fn seeds_should_repeat_answers_and_be_told() {
	let (gateway, _) = engine(config()).await;
	let mut body = ask(24);
	body.as_object_mut().unwrap().remove("seed");
	let first = gateway.answer(&body).await;
	let again = with(body.clone(), json!({ "seed": first["aria"]["seed"] }));
	assert_eq!(content(&gateway.answer(&again).await), content(&first));
	assert_ne!(gateway.answer(&body).await["aria"]["seed"], first["aria"]["seed"]);
	let negative = with(body, json!({ "seed": -1 }));
	assert_eq!(gateway.answer(&negative).await["aria"]["seed"], u64::MAX);
}

#[tokio::test(flavor = "multi_thread")]
async fn sampling_and_demands_should_reach_the_backend() {
	let (gateway, backend) = engine(config()).await;
	let body = with(
		ask(4),
		json!({
			"temperature": 0.5,
			"top_p": 0.25,
			"stop": ["\u{1}\u{2}\u{3}"],
			"aria": {
				"whole_model": true, "first_stage": "5A", "last_stage": "5B", "audit": "none",
				"salted": true, "top_k": 9,
			},
		}),
	);
	let answer = gateway.answer(&body).await;
	assert_eq!(answer["aria"]["salt"], format!("0x{}", "09".repeat(32)));
	let request = backend.last.lock().unwrap().clone().unwrap();
	let sampling = request.sampling;
	assert_eq!((sampling.temperature_milli, sampling.top_p_ppm, sampling.top_k), (500, 250_000, 9));
	assert_eq!((request.max_tokens, request.stops), (4, vec!["\u{1}\u{2}\u{3}".to_owned()]));
	let demands = request.demands;
	assert!(demands.salted && demands.whole_model);
	assert_eq!((demands.first.as_deref(), demands.last.as_deref()), (Some("5A"), Some("5B")));
	assert_eq!(demands.audit, aria_gateway::Audit::None);
	assert_eq!(
		(request.principal.name.as_str(), request.principal.requester.as_str()),
		("app", "alice")
	);
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_should_stop_at_a_sequence() {
	let (gateway, _) = engine(config()).await;
	let whole = gateway.answer(&ask(60)).await;
	let whole = content(&whole);
	let stop: String = whole.chars().skip(5).take(2).collect();
	let expected = whole.split(&stop).next().unwrap();
	for stops in [json!(stop), json!(["\u{0}never\u{0}", stop])] {
		let stopped = gateway.answer(&with(ask(60), json!({ "stop": stops }))).await;
		assert_eq!(content(&stopped), expected);
		assert_eq!(stopped["choices"][0]["finish_reason"], "stop");
	}
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_should_end_with_the_context() {
	let (gateway, _) = engine(config()).await;
	let mut body = with(ask(1), json!({ "max_tokens": null }));
	body["messages"][0]["content"] = json!("x".repeat(450));
	let answer = gateway.answer(&body).await;
	assert_eq!(answer["usage"]["total_tokens"], support::backend::CONTEXT);
	assert_eq!(answer["choices"][0]["finish_reason"], "length");
	body["max_completion_tokens"] = json!(100_000);
	assert_eq!(content(&gateway.answer(&body).await).len(), content(&answer).len());
}

#[tokio::test(flavor = "multi_thread")]
async fn choices_should_be_queries_with_consecutive_seeds() {
	let (gateway, backend) = engine(config()).await;
	let response = gateway.chat(&with(ask(12), json!({ "n": 3 }))).await;
	assert_eq!(header(&response, "x-aria-record").split(',').count(), 3);
	let answer = good(response).await;
	for index in 0..3 {
		let choice = &answer["choices"][index as usize];
		assert_eq!(choice["index"], index);
		assert_eq!(choice["aria"]["seed"], 7 + index);
		assert_eq!(choice["message"]["content"], backend.says("hello", 7 + index, 12));
	}
	assert_eq!(answer["usage"]["completion_tokens"], 36);
	assert_eq!(answer["usage"]["prompt_tokens"], "user: hello\nassistant: ".len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_should_be_the_answer_in_pieces() {
	let (gateway, _) = engine(config()).await;
	let whole = gateway.answer(&ask(30)).await;
	for usage in [false, true] {
		let options = json!({ "stream": true, "stream_options": { "include_usage": usage } });
		let response = gateway.chat(&with(ask(30), options)).await;
		assert!(header(&response, "x-ratelimit-limit-requests").parse::<u32>().is_ok());
		let mut events = Events::of(response);
		let all = events.all().await;
		assert!(events.done);

		assert_eq!(text(&all, 0), content(&whole));
		assert_eq!(all[0]["choices"][0]["delta"]["role"], "assistant");
		let chunks = if usage { &all[..all.len() - 1] } else { &all[..] };
		let (ending, pieces) = chunks.split_last().unwrap();
		for chunk in chunks {
			assert_eq!(chunk["object"], "chat.completion.chunk");
			assert_eq!(chunk["id"], all[0]["id"]);
			assert_eq!(chunk["system_fingerprint"], whole["system_fingerprint"]);
			assert_eq!(chunk.get("usage"), usage.then_some(&Value::Null));
		}
		assert!(pieces.iter().all(|chunk| chunk["choices"][0]["finish_reason"].is_null()));
		assert_eq!(ending["choices"][0]["finish_reason"], "length");
		assert_eq!(ending["choices"][0]["delta"], json!({}));
		assert_eq!(ending["aria"]["record_id"], whole["aria"]["record_id"]);
		if usage {
			let last = all.last().unwrap();
			assert_eq!(last["choices"], json!([]));
			assert_eq!(last["usage"], whole["usage"]);
			assert_eq!(last["aria"]["record_id"], whole["aria"]["record_id"]);
		}
	}
}

#[tokio::test(flavor = "multi_thread")]
async fn choices_should_be_interleaved_in_a_stream() {
	let (gateway, backend) = engine(config()).await;
	backend.slow(5);
	let body = with(ask(16), json!({ "n": 3, "stream": true }));
	let all = Events::of(gateway.chat(&body).await).all().await;
	for index in 0..3 {
		assert_eq!(text(&all, index), backend.says("hello", 7 + index as u64, 16));
	}
	let ended = all.iter().position(|chunk| !chunk["choices"][0]["finish_reason"].is_null());
	let begun: std::collections::BTreeSet<u64> = all[..ended.unwrap()]
		.iter()
		.filter(|chunk| chunk["choices"][0]["delta"]["role"].is_null())
		.map(|chunk| chunk["choices"][0]["index"].as_u64().unwrap())
		.collect();
	assert_eq!(begun.len(), 3, "one after the other");
}

#[tokio::test(flavor = "multi_thread")]
async fn more_choices_than_places_should_follow_each_other() {
	let (gateway, backend) = engine(aria_gateway::Config { streams: 2, ..config() }).await;
	let answer = gateway.answer(&with(ask(6), json!({ "n": 8 }))).await;
	for index in 0..8 {
		let choice = &answer["choices"][index as usize];
		assert_eq!(choice["message"]["content"], backend.says("hello", 7 + index, 6));
	}
	assert!(backend.most.load(std::sync::atomic::Ordering::SeqCst) <= 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_should_come_to_the_template_as_texts() {
	let (gateway, backend) = engine(config()).await;
	let body = with(
		ask(8),
		json!({ "messages": [{ "role": "user", "name": "eve", "content": [
		{ "type": "text", "text": "hel" }, { "type": "text", "text": "lo" },
	] }] }),
	);
	assert_eq!(content(&gateway.answer(&body).await), backend.says("hello", 7, 8));
	let body = with(
		ask(1),
		json!({ "messages": [
		{ "role": "developer", "content": "be brief" },
		{ "role": "user", "content": "hi" },
	] }),
	);
	let prompt = "system: be brief\nuser: hi\nassistant: ";
	assert_eq!(gateway.answer(&body).await["usage"]["prompt_tokens"], prompt.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn completions_should_continue_texts_and_tokens() {
	let (gateway, _) = engine(config()).await;
	let of = |prompt: Value| {
		let body = json!({ "model": "tiny", "max_tokens": 10, "seed": 1, "temperature": 0.8 });
		with(body, json!({ "prompt": prompt }))
	};
	let one = gateway.complete(&of(json!("ab"))).await;
	assert_eq!(one["object"], "text_completion");
	assert!(one["id"].as_str().unwrap().starts_with("cmpl-"));
	assert_eq!(one["usage"]["prompt_tokens"], 2);
	let text_of = |answer: &Value, index: usize| answer["choices"][index]["text"].clone();
	let other = gateway.complete(&of(json!("cd"))).await;
	assert_eq!(text_of(&gateway.complete(&of(json!([97, 98]))).await, 0), text_of(&one, 0));

	let both = gateway.complete(&with(of(json!(["ab", "cd"])), json!({ "n": 2 }))).await;
	assert_eq!(both["choices"].as_array().unwrap().len(), 4);
	assert_eq!(text_of(&both, 0), text_of(&one, 0));
	assert_eq!(text_of(&both, 2), text_of(&other, 0));
	assert_eq!(both["choices"][3]["aria"]["seed"], 2);
	assert_eq!(both["usage"]["prompt_tokens"], 4);
	assert_eq!(both["usage"]["completion_tokens"], 40);

	let body = with(of(json!([[97, 98], [99, 100]])), json!({ "stream": true }));
	let mut events = Events::of(gateway.post("/v1/completions", &body).await);
	let all = events.all().await;
	assert_eq!(text(&all, 0), text_of(&one, 0).as_str().unwrap());
	assert_eq!(text(&all, 1), text_of(&other, 0).as_str().unwrap());

	let short = json!({ "model": "tiny", "prompt": "ab" });
	assert_eq!(gateway.complete(&short).await["usage"]["completion_tokens"], 16);
}

#[tokio::test(flavor = "multi_thread")]
async fn models_should_be_found_by_name_and_id() {
	let (gateway, backend) = engine(config()).await;
	let list = good(gateway.get("/v1/models").await).await;
	assert_eq!(list["object"], "list");
	let shown = &list["data"][0];
	assert_eq!((&shown["id"], &shown["object"]), (&json!("tiny"), &json!("model")));
	assert_eq!((&shown["created"], &shown["owned_by"]), (&json!(1_700_000_000), &json!("aria")));
	assert_eq!(shown["aria"]["context"], support::backend::CONTEXT);
	let id = backend.model_id();
	for name in ["tiny".to_owned(), id.clone(), format!("0x{id}")] {
		assert_eq!(&good(gateway.get(&format!("/v1/models/{name}")).await).await, shown);
		let answer = gateway.answer(&with(ask(2), json!({ "model": name }))).await;
		assert_eq!(answer["model"], "tiny");
	}
}
