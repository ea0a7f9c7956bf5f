//! Whatever clients get wrong, against a gateway with a chain and workers behind it: they are told in
//! OpenAI's schema what it was, the next request is answered, and the books hold the answers that were
//! given and nothing else.
//!
//! The gateway has few places, so that a flood need not be large.
#![allow(clippy::unwrap_used)]

mod books;

use aria_e2e::{
	client::{eventually, Client},
	cluster::{Cluster, Spec, SHIPPED},
	flow,
	node::program,
	openai::{Api, Refused},
};
use aria_primitives::{AccountId, Balance, RecordId};
use books::Books;
use futures::future::join_all;
use reqwest::{header::HeaderMap, Method, RequestBuilder};
use serde_json::{json, Value};
use std::{
	collections::BTreeSet,
	fs::{self, OpenOptions},
	io::Write,
	net::SocketAddr,
	os::unix::fs::OpenOptionsExt,
	process::Stdio,
	time::{Duration, Instant},
};
use tempfile::TempDir;
use tokio::{
	io::AsyncWriteExt,
	net::{TcpSocket, TcpStream},
	process::Command,
	time::{sleep, timeout},
};

/// Answers at once, those of one key among them, and requests that wait.
const PLACES: usize = 4;
const OF_A_KEY: usize = 3;
const QUEUE: usize = 16;
/// Requests of a flood: so many more than that, that some are sent away however fast others are
/// answered.
const FLOOD: usize = 80;
/// How long anything may take that takes a few seconds.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long a client does not read.
const UNREAD: Duration = Duration::from_secs(2);
/// For how long nothing has to run until nothing comes any more: from an answer that is cancelled to its
/// record.
const QUIET: Duration = Duration::from_secs(2);
/// Before the next request of a client that is in no hurry.
const BREATH: Duration = Duration::from_millis(400);
/// How often something is looked at.
const GLANCE: Duration = Duration::from_millis(50);
/// Requests a minute of a key with a small limit.
const FEW: &str = "30";
/// Less than any answer costs, in ARIA.
const TOO_LITTLE: &str = "0.000001";
/// Prompts of a request that is long under way, and answers to each.
const PROMPTS: usize = 16;
const CHOICES: usize = 2;

const INVALID: &str = "invalid_request_error";
const QUOTA: &str = "insufficient_quota";

/// What a refusal says: status, type, param, code.
type Expected<'a> = (u16, &'a str, Option<&'a str>, &'a str);

struct Town {
	cluster: Cluster,
	api: Api,
	http: reqwest::Client,
	/// What the question is answered with.
	expected: String,
	/// The records of all answers.
	ids: Vec<RecordId>,
	/// When nothing was under way the last time.
	books: Books,
	folder: TempDir,
}

/// A question whose answer is always the same.
fn question() -> Value {
	Api::same_question(SHIPPED)
}

/// The question with another member.
fn question_with(name: &str, value: Value) -> Value {
	let mut question = question();
	question[name] = value;
	question
}

impl Town {
	async fn new() -> Self {
		let folder = tempfile::tempdir().unwrap();
		let config = folder.path().join("gateway.toml");
		let limits = format!(
			"[gateway]\nmax_streams = {PLACES}\nmax_streams_per_key = {OF_A_KEY}\nqueue = {QUEUE}\n"
		);
		fs::write(&config, limits).unwrap();
		fs::write(folder.path().join("none.toml"), "").unwrap();
		// Who pays: nobody else may read it.
		let requester = folder.path().join("requester");
		let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(requester);
		file.unwrap().write_all(b"//Eve\n").unwrap();

		let spec = Spec::thirds()
			.node(books::node(2_000))
			.gateway_arg("--config", &config.display().to_string());
		let cluster = Cluster::start(spec).await.unwrap();
		let api = cluster.api().await.unwrap();
		let answer = api.chat(&question()).await.unwrap();
		assert!(!answer.text.is_empty());
		let ids = vec![answer.record_id().unwrap()];
		let books = Books::settled(&cluster.client, &ids).await.unwrap();
		let http = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build().unwrap();
		Self { cluster, api, http, expected: answer.text, ids, books, folder }
	}

	fn client(&self) -> &Client {
		&self.cluster.client
	}

	/// An API key that Eve pays for, made while the gateway runs.
	async fn key(&self, name: &str, options: &[&str]) -> String {
		let made = Command::new(program("aria-worker", "ARIA_WORKER").unwrap())
			.args(["key", "new", name, "--suri", "//Dave", "--escrow", "1"])
			.args(["--node", &self.cluster.node.url()])
			.arg("--config")
			.arg(self.folder.path().join("none.toml"))
			.arg("--base-path")
			.arg(self.cluster.gateway.base())
			.arg("--requester-file")
			.arg(self.folder.path().join("requester"))
			.args(options)
			.stdin(Stdio::null())
			.kill_on_drop(true)
			.output();
		let made = timeout(PATIENCE, made).await.unwrap().unwrap();
		assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
		String::from_utf8(made.stdout).unwrap().trim().to_owned()
	}

	/// A request without a key, to a path below the base URL.
	fn anonymous(&self, method: Method, path: &str) -> RequestBuilder {
		self.http.request(method, format!("{}{path}", self.api.base_url()))
	}

	/// The same with the key of all honest requests.
	fn request(&self, method: Method, path: &str) -> RequestBuilder {
		let key = self.cluster.gateway.api_key().unwrap();
		self.anonymous(method, path).bearer_auth(key)
	}

	/// A chat in one piece, by who has this key.
	fn chat(&self, key: &str, body: &Value) -> RequestBuilder {
		self.anonymous(Method::POST, "/chat/completions").bearer_auth(key).json(body)
	}

	/// A chat that is refused like this.
	async fn refuses(&self, body: &Value, expected: Expected<'_>) {
		let key = self.cluster.gateway.api_key().unwrap();
		should_be(self.chat(&key, body), expected).await;
	}

	/// A figure of the gateway's metrics.
	async fn metric(&self, name: &str) -> f64 {
		let url = format!("{}/metrics", self.api.base_url().trim_end_matches("/v1"));
		let text = self.http.get(url).send().await.unwrap().text().await.unwrap();
		let mut lines = text.lines().filter_map(|line| line.split_once(' '));
		let (_, value) = lines.find(|(of, _)| *of == name).unwrap();
		value.trim().parse().unwrap()
	}

	/// The next request of an honest client is answered as the first one was.
	async fn served(&mut self, when: &str) {
		let answer = match self.api.chat(&question()).await {
			Ok(answer) => answer,
			Err(error) => panic!(
				"{when}: an honest client gets no answer: {error:#}\nThe gateway's log ends:\n{}",
				self.cluster.gateway.log_tail()
			),
		};
		assert_eq!(answer.text, self.expected, "{when}");
		self.ids.push(answer.record_id().unwrap());
	}

	fn asked(&self) -> BTreeSet<RecordId> {
		self.ids.iter().copied().collect()
	}

	/// After a fault the next request is answered, the books add up, and they have no record of anything
	/// but answers.
	async fn after(&mut self, fault: &str) {
		self.served(fault).await;
		let books = Books::read(self.client()).await.unwrap();
		books.check().unwrap_or_else(|error| panic!("{fault}: {error:#}"));
		assert!(
			books.ids().is_subset(&self.asked()),
			"{fault}: a record that belongs to no answer"
		);
	}

	/// Once all is settled: the records of all answers and no others, for which the escrow gave their
	/// prices and nothing else, and of which everybody got the part that is due, and nobody else anything.
	async fn balanced(&mut self, after: &str) {
		let books = Books::settled(self.client(), &self.ids).await.unwrap();
		assert_eq!(self.asked().len(), self.ids.len(), "{after}: two answers have the same record");
		assert_eq!(books.ids(), self.asked(), "{after}: records that belong to no answer");
		books.check_shares(&flow::OFFER).unwrap_or_else(|error| panic!("{after}: {error:#}"));
		let escrows = [&self.books, &books].map(|books| books.escrow(&books::requester()));
		let [before, now] = escrows;
		let new = books.added(&self.books);
		let prices: Balance = new.iter().map(|id| books.records[id].price).sum();
		assert_eq!(before.held, now.held + prices, "{after}: what the escrow gave");
		assert_eq!(now.reserved, 0, "{after}: tickets lock nothing");
		let burnt = |books: &Books| books.unburnt + books.moved.burnt;
		assert!(burnt(&books) - burnt(&self.books) <= prices, "{after}: what is burnt");
		self.books = books;
	}

	/// As [`Town::balanced`], once the gateway has nothing left to settle: nothing comes after that.
	async fn at_rest(&mut self) {
		self.balanced("in the end").await;
		let settled = || async {
			let status = self.cluster.gateway.status().await?;
			Ok((status["settlements"] == json!({ "pending": 0, "failed": 0 })).then_some(()))
		};
		eventually("a gateway with nothing left to settle", PATIENCE, settled).await.unwrap();
		let (number, _) = self.client().finalized().await.unwrap();
		self.client().finalized_after(number + 1).await.unwrap();
		let later = Books::read(self.client()).await.unwrap();
		self.books.unchanged(&later).unwrap();
	}

	/// Waits until nothing runs any more, and what ran is settled.
	async fn quiet(&self) {
		let deadline = Instant::now() + PATIENCE;
		let mut since = Instant::now();
		while since.elapsed() < QUIET {
			assert!(Instant::now() < deadline, "something goes on and on");
			let mut busy = self.metric("aria_gateway_streams").await > 0.0;
			for worker in &self.cluster.workers {
				busy |= worker.status().await.unwrap()["sessions"].as_u64() > Some(0);
			}
			let status = self.cluster.gateway.status().await.unwrap();
			busy |= status["settlements"]["pending"].as_u64() > Some(0);
			if busy {
				since = Instant::now();
			}
			sleep(GLANCE).await;
		}
	}
}

/// Sends a request that is refused like this; the headers of the refusal.
async fn should_be(request: RequestBuilder, expected: Expected<'_>) -> HeaderMap {
	let (status, kind, param, code) = expected;
	let response = request.send().await.unwrap();
	let (is, headers) = (response.status(), response.headers().clone());
	let text = response.text().await.unwrap();
	assert_eq!(is, status, "{text}");
	assert_eq!(header(&headers, "content-type"), Some("application/json"), "{text}");
	assert!(header(&headers, "x-request-id").is_some_and(|id| id.starts_with("req_")));
	let body: Value = serde_json::from_str(&text).unwrap();
	let error = &body["error"];
	assert_eq!(error.as_object().map(|members| members.len()), Some(4), "{body}");
	assert!(error["message"].as_str().is_some_and(|message| !message.is_empty()), "{body}");
	assert_eq!(error["type"], kind, "{body}");
	assert_eq!(error["param"].as_str(), param, "{body}");
	assert_eq!(error["code"], code, "{body}");
	headers
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
	headers.get(name).map(|value| value.to_str().unwrap())
}

/// When to come back, in seconds.
fn retry_after(headers: &HeaderMap) -> Option<u64> {
	header(headers, "retry-after").map(|seconds| seconds.parse().unwrap())
}

// --- requests that are none -----------------------------------------------------------------------

async fn what_is_no_request(town: &mut Town) {
	let deep = "[".repeat(1 << 20);
	for body in ["", "{\"model\":", "\"\\ud800\"", deep.as_str()] {
		let request = town.request(Method::POST, "/chat/completions").body(body.to_owned());
		should_be(request, (400, INVALID, None, "invalid_json")).await;
	}
	town.after("invalid JSON").await;

	let expected = (405, INVALID, None, "method_not_supported");
	should_be(town.request(Method::GET, "/chat/completions"), expected).await;
	should_be(town.request(Method::DELETE, "/models"), expected).await;
	town.after("a wrong method").await;

	let expected = (404, INVALID, None, "unknown_url");
	should_be(town.request(Method::POST, "/embeddings").json(&question()), expected).await;
	should_be(town.request(Method::GET, "/../admin/status"), expected).await;
	town.after("a wrong path").await;

	let large = Api::question(SHIPPED, &"x".repeat(3 << 20));
	town.refuses(&large, (413, INVALID, None, "request_too_large")).await;
	town.after("a body that is too large").await;
	town.balanced("what is no request").await;
}

// --- questions that can't be answered -------------------------------------------------------------

async fn what_cannot_be_answered(town: &mut Town) {
	let unknown = question_with("model", json!("no-such-model"));
	town.refuses(&unknown, (404, INVALID, Some("model"), "model_not_found")).await;
	town.after("an unknown model").await;

	let long = Api::question(SHIPPED, &"a river ".repeat(2_000));
	let expected = (400, INVALID, Some("messages"), "context_length_exceeded");
	town.refuses(&long, expected).await;
	town.after("a prompt beyond the context").await;

	for (name, value, code) in [
		("presence_penalty", json!(0.5), "unsupported_parameter"),
		("logprobs", json!(true), "unsupported_parameter"),
		("response_format", json!({ "type": "json_object" }), "unsupported_parameter"),
		("temprature", json!(1), "unknown_parameter"),
		("temperature", json!(3), "invalid_value"),
	] {
		for stream in [false, true] {
			let mut body = question_with(name, value.clone());
			body["stream"] = json!(stream);
			town.refuses(&body, (400, INVALID, Some(name), code)).await;
		}
		town.after(name).await;
	}
	town.balanced("what cannot be answered").await;
}

// --- keys -----------------------------------------------------------------------------------------

async fn keys_that_do_not_pay(town: &mut Town) {
	let nobody = (401, "authentication_error", None, "invalid_api_key");
	let request = town.anonymous(Method::POST, "/chat/completions").json(&question());
	let headers = should_be(request, nobody).await;
	assert_eq!(header(&headers, "www-authenticate"), Some("Bearer"));
	town.after("no key").await;

	let unknown = format!("aria-sk-{}", "0".repeat(64));
	should_be(town.chat(&unknown, &question()), nobody).await;
	should_be(town.anonymous(Method::GET, "/models").bearer_auth(&unknown), nobody).await;
	town.after("an unknown key").await;

	let spent = town.key("spent", &["--allowance", TOO_LITTLE]).await;
	let capped = town.key("capped", &["--hourly-cap", TOO_LITTLE]).await;
	for stream in [false, true] {
		let body = question_with("stream", json!(stream));
		let headers = should_be(town.chat(&spent, &body), (402, QUOTA, None, QUOTA)).await;
		assert_eq!(retry_after(&headers), None, "that does not mend itself");
		let headers = should_be(town.chat(&capped, &body), (429, QUOTA, None, QUOTA)).await;
		let after = retry_after(&headers);
		assert!(after.is_some_and(|after| (1..=3_600).contains(&after)), "{after:?}");
	}
	town.after("keys that are used up").await;
	town.balanced("keys that do not pay").await;
}

/// A key with a small limit of its own meets it, and goes on when it was told to.
async fn a_key_that_is_limited(town: &mut Town) {
	let limits = ["--requests-per-minute", FEW, "--tokens-per-minute", "1000000"];
	let limited = town.key("limited", &limits).await;
	let few: usize = FEW.parse().unwrap();
	let mut answered = 0;
	loop {
		let models = town.anonymous(Method::GET, "/models").bearer_auth(&limited);
		let response = models.send().await.unwrap();
		if !response.status().is_success() {
			break;
		}
		answered += 1;
		assert!(answered < 4 * few, "the limit of {few} requests a minute is none");
	}
	assert!(answered >= few, "{answered} of {few} requests");

	let limit = (429, "requests", None, "rate_limit_exceeded");
	let headers = should_be(town.chat(&limited, &question()), limit).await;
	let after = retry_after(&headers).unwrap();
	assert!((1..=60).contains(&after), "{after}");
	assert_eq!(header(&headers, "x-ratelimit-limit-requests"), Some(FEW));
	assert_eq!(header(&headers, "x-ratelimit-remaining-requests"), Some("0"));
	// Others have nothing to do with it.
	town.after("a key at its limit").await;

	sleep(Duration::from_secs(after)).await;
	let answer = town.api.with_key(&limited).chat(&question()).await.unwrap();
	assert_eq!(answer.text, town.expected);
	town.ids.push(answer.record_id().unwrap());
	town.balanced("a key that is limited").await;
}

// --- too many, and too slow -----------------------------------------------------------------------

/// More requests at once than there are places and seats to wait: some are sent away in words, all
/// others are answered, and another key is answered meanwhile.
async fn flood(town: &mut Town) {
	let flooding = town.api.with_key(&town.key("flooding", &[]).await);
	let body = question();
	let requests = (0..FLOOD).map(|_| timeout(PATIENCE, flooding.chat(&body)));
	let meanwhile = async {
		for _ in 0..3 {
			town.served("in a flood").await;
		}
	};
	let (answers, ()) = tokio::join!(join_all(requests), meanwhile);

	let (mut answered, mut refused) = (0, 0);
	for answer in answers {
		let error = match answer.expect("a request of a flood hangs") {
			Ok(answer) => {
				assert_eq!(answer.text, town.expected);
				town.ids.push(answer.record_id().unwrap());
				answered += 1;
				continue;
			}
			Err(error) => error,
		};
		let refusal = error.downcast_ref::<Refused>().unwrap_or_else(|| panic!("{error:#}"));
		assert!(matches!(refusal.status, 429 | 503), "{refusal}");
		assert!(refusal.retry_after.is_some_and(|after| after >= 1), "{refusal:?}");
		let kind = if refusal.status == 429 { "requests" } else { "server_error" };
		assert_eq!(refusal.error["type"], kind, "{refusal}");
		assert!(refusal.error["code"].is_string(), "{refusal}");
		assert!(refusal.error["param"].is_null(), "{refusal}");
		refused += 1;
	}
	assert!(refused > 0, "all {answered} requests of a flood were answered");
	assert!(answered >= OF_A_KEY + QUEUE, "{answered} answered, {refused} sent away");
	town.after("a flood").await;
	town.balanced("a flood").await;
}

/// A client that asks for much and reads nothing of it has its places and no others; when it is gone,
/// what was produced until then is paid by its own key, once.
async fn a_client_that_never_reads(town: &mut Town) {
	let known: BTreeSet<AccountId> =
		Books::read(town.client()).await.unwrap().keys.into_keys().collect();
	let deaf = town.key("deaf", &["--hourly-cap", "20"]).await;
	let connection = ask_and_do_not_read(&town.api, &deaf).await;
	let begun = || async { Ok((town.metric("aria_gateway_streams").await > 0.0).then_some(())) };
	eventually("an answer that nobody reads", PATIENCE, begun).await.unwrap();
	let began = Instant::now();
	while began.elapsed() < UNREAD {
		town.served("while a client does not read").await;
		sleep(BREATH).await;
	}
	drop(connection);
	town.served("after a client that never reads").await;
	town.quiet().await;

	let books = Books::settled(town.client(), &town.ids).await.unwrap();
	let theirs: Vec<RecordId> = books.ids().difference(&town.asked()).copied().collect();
	assert!((1..=PROMPTS * CHOICES).contains(&theirs.len()), "{} records", theirs.len());
	let cost: Balance = theirs.iter().map(|id| books.records[id].price).sum();
	let spent: Balance =
		books.keys.iter().filter(|(key, _)| !known.contains(*key)).map(|(_, key)| key.spent).sum();
	assert_eq!(spent, cost, "what the key paid, and what its answers cost");
	town.ids.extend(theirs);
	town.balanced("a client that never reads").await;
}

/// Sends a request for answers that are under way for seconds, on a connection of its own.
async fn ask_and_do_not_read(api: &Api, key: &str) -> TcpStream {
	let url = api.base_url();
	let address = url.trim_start_matches("http://").trim_end_matches("/v1");
	let address: SocketAddr = address.parse().unwrap();
	let body = json!({
		"model": SHIPPED,
		"prompt": vec!["A river is"; PROMPTS],
		"n": CHOICES,
		"max_tokens": 400,
		"temperature": 2,
		"seed": 1,
		"stream": true,
	})
	.to_string();
	let request = format!(
		"POST /v1/completions HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {key}\r\n\
		 content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
		body.len()
	);
	let socket = TcpSocket::new_v4().unwrap();
	// What waits in the system, waits at the gateway.
	socket.set_recv_buffer_size(4 << 10).unwrap();
	let mut connection = socket.connect(address).await.unwrap();
	connection.write_all(request.as_bytes()).await.unwrap();
	connection
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn faults_of_clients_should_be_named_and_cost_nothing() {
	let mut town = Town::new().await;
	what_is_no_request(&mut town).await;
	what_cannot_be_answered(&mut town).await;
	keys_that_do_not_pay(&mut town).await;
	a_key_that_is_limited(&mut town).await;
	flood(&mut town).await;
	a_client_that_never_reads(&mut town).await;
	town.at_rest().await;
	assert_eq!(town.cluster.fallen(), None);
}
