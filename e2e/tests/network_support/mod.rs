//! What looks at whole networks from outside needs: the reference program, the chain's books, and a
//! network of which any process can be killed and comes back where it was.
#![allow(dead_code)] // Each program uses a part of it.

use anyhow::{bail, ensure, Context, Result};
use aria_e2e::{
	client::{eventually, Client},
	cluster::{self, Cluster, Spec},
	flow, keys,
	node::{program, Node},
	openai::{Answer, Api},
	ports::free_ports,
	worker::{write_model, Options, Worker},
};
use aria_primitives::{
	hashing::sha256,
	record::{LayerRange, RecordBody, RecordEntry},
	AccountId, Balance, RecordId,
};
use aria_runtime::{parameters::ByteFee, Runtime};
use codec::Encode;
use pallet_inference_market::{EscrowAccount, KeyInfo, KeySlot};
use serde_json::{json, Value};
use sp_core::{crypto::Ss58Codec, H256};
use std::{
	collections::BTreeMap,
	path::Path,
	process::Stdio,
	time::{Duration, Instant},
};
use tokio::{
	process::Command,
	sync::watch,
	task::JoinHandle,
	time::{sleep, timeout},
};

/// [`flow::OFFER`] as the gateway's flag has it.
pub const OFFER: &str = "0.00005,0.000005,0.0003";
/// The name of the model that [`write_slow_model`] writes.
pub const SLOW: &str = "aria-slow";
/// Its shape. A token is a byte, and there are no others.
const SLOW_SHAPE: &str = "--seed 4 --layers 12 --shards 3 --hidden 1536 --feed-forward 4096 \
	--heads 12 --kv-heads 4 --head-dim 128 --vocab 256 --context 1024";
/// Its stages, each with a replica: worker `i` and worker `i + 3` have the same layers.
pub const WITH_REPLICAS: [(u16, u16); 6] = [(0, 4), (4, 8), (8, 12), (0, 4), (4, 8), (8, 12)];

/// Longest wait for records, and for processes that come back.
const PATIENCE: Duration = Duration::from_secs(60);
/// Longest wait until workers that were lost take part again: a QUIC connection whose other end was
/// killed counts as open for half a minute.
const RETURN: Duration = Duration::from_secs(90);

// --- the reference program ------------------------------------------------------------------------

/// A question for the network and for the reference program.
#[derive(Clone, Debug)]
pub struct Ask {
	/// What a user says.
	pub text: String,
	/// 0 takes the most probable token.
	pub temperature: f64,
	/// Of the generator.
	pub seed: u64,
	/// Most tokens of the answer.
	pub max_tokens: u32,
}

impl Ask {
	/// A question.
	pub fn new(text: &str, temperature: f64, seed: u64, max_tokens: u32) -> Self {
		Self { text: text.to_owned(), temperature, seed, max_tokens }
	}

	/// The body of the request.
	pub fn body(&self, model: &str) -> Value {
		let mut body = Api::question(model, &self.text);
		body["temperature"] = json!(self.temperature);
		body["seed"] = json!(self.seed);
		body["max_tokens"] = json!(self.max_tokens);
		body
	}

	/// The body of the request, with what the client wants besides.
	pub fn with(&self, model: &str, aria: Value) -> Value {
		let mut body = self.body(model);
		body["aria"] = aria;
		body
	}
}

/// What `aria-worker generate` answers.
#[derive(Clone, Debug)]
pub struct Reference {
	/// The text.
	pub text: String,
	/// The tokens, the one that ended it included.
	pub tokens: Vec<u32>,
	/// Tokens of the prompt.
	pub prompt_tokens: usize,
	/// `stop` or `length`.
	pub finish_reason: String,
	/// The hash of the query with the salt that was given.
	pub query_hash: String,
	/// The boundaries with that salt.
	pub boundaries: Vec<String>,
}

/// Has the package in a folder answer in one process, its layers divided as among `stages` workers.
///
/// # Errors
/// When the program is not built, or ends with an error.
pub async fn generate(
	package: &Path,
	ask: &Ask,
	salt: Option<&str>,
	stages: usize,
) -> Result<Reference> {
	let trace = tempfile::NamedTempFile::new()?;
	let mut command = Command::new(program("aria-worker", "ARIA_WORKER")?);
	command
		.args(["generate", "--json", "--chat", &ask.text])
		.arg("--model")
		.arg(package)
		.args(["--temperature", &ask.temperature.to_string()])
		.args(["--seed", &ask.seed.to_string()])
		.args(["--max-tokens", &ask.max_tokens.to_string()])
		.args(["--stages", &stages.to_string()])
		.arg("--trace")
		.arg(trace.path());
	if let Some(salt) = salt {
		command.args(["--salt", salt]);
	}
	let output = command.stdin(Stdio::null()).kill_on_drop(true).output().await?;
	let errors = String::from_utf8_lossy(&output.stderr);
	ensure!(output.status.success(), "aria-worker generate: {errors}");
	let answer: Value = serde_json::from_slice(&output.stdout)?;
	let trace: Value = serde_json::from_slice(&std::fs::read(trace.path())?)?;
	let text = |name: &str| {
		let text = answer[name].as_str().map(str::to_owned);
		text.with_context(|| format!("aria-worker generate does not say {name}: {answer}"))
	};
	let boundaries = trace["boundaries"].as_array().into_iter().flatten();
	Ok(Reference {
		text: text("text")?,
		tokens: serde_json::from_value(answer["output_tokens"].clone())?,
		prompt_tokens: answer["prompt_tokens"].as_array().map_or(0, Vec::len),
		finish_reason: text("finish_reason")?,
		query_hash: text("query_hash")?,
		boundaries: boundaries
			.filter_map(|boundary| boundary["boundary"].as_str().map(str::to_owned))
			.collect(),
	})
}

impl Reference {
	/// The output hash with this salt behind the text, or without one.
	pub fn output_hash(&self, salt: Option<&H256>) -> H256 {
		let mut bytes = self.text.as_bytes().to_vec();
		bytes.extend(salt.into_iter().flat_map(|salt| salt.0));
		sha256(&bytes)
	}

	/// Whether an answer, whose field `aria` is given too, is this one.
	///
	/// # Errors
	/// What differs.
	pub fn check(&self, text: &str, aria: &Value) -> Result<()> {
		ensure!(text == self.text, "the text is {text:?}, that of one process {:?}", self.text);
		let expected = format!("{:?}", self.output_hash(salt(aria)?.as_ref()));
		ensure!(
			aria["output_hash"] == json!(expected),
			"the output hash is not {expected}: {aria}"
		);
		Ok(())
	}

	/// Whether the record of an answer, whose field `aria` is given too, is of this one.
	///
	/// # Errors
	/// What differs.
	pub fn check_record(&self, body: &RecordBody, aria: &Value) -> Result<()> {
		let hash = self.output_hash(salt(aria)?.as_ref());
		ensure!(body.output_hash == hash, "output hash: {body:?}");
		ensure!(body.output_tokens_hash == sha256(&self.tokens.encode()), "tokens: {body:?}");
		ensure!(body.output_tokens as usize == self.tokens.len(), "number of tokens: {body:?}");
		ensure!(body.prompt_tokens as usize == self.prompt_tokens, "prompt: {body:?}");
		let reason = serde_json::to_value(body.finish_reason)?;
		ensure!(reason == json!(self.finish_reason), "finish reason: {body:?}");
		ensure!(aria["query_hash"] == json!(format!("{:?}", body.query_hash)), "query: {aria}");
		Ok(())
	}

	/// Whether a record has this one's query hash and boundaries, which needs the query's salt.
	///
	/// # Errors
	/// What differs.
	pub fn check_trace(&self, body: &RecordBody) -> Result<()> {
		let query = format!("{:?}", body.query_hash);
		ensure!(query == self.query_hash, "the query's hash is {query}, not {}", self.query_hash);
		let boundaries: Vec<String> =
			body.boundaries.iter().map(|hash| format!("{hash:?}")).collect();
		ensure!(boundaries == self.boundaries, "{boundaries:?} are not {:?}", self.boundaries);
		Ok(())
	}
}

/// The salt in a field `aria`, where the output hash has one.
///
/// # Errors
/// When it is no salt.
pub fn salt(aria: &Value) -> Result<Option<H256>> {
	let Some(text) = aria["salt"].as_str() else { return Ok(None) };
	Ok(Some(text.parse().ok().with_context(|| format!("{text} is no salt"))?))
}

// --- the chain's books ----------------------------------------------------------------------------

/// What the chain says in its last final block about records and who pays for them.
#[derive(Clone, Debug)]
pub struct Books {
	/// What the requester has in escrow, in planck.
	pub held: Balance,
	/// What it has free, in planck.
	pub free: Balance,
	/// What its spending keys have spent, in planck.
	pub spent: Balance,
	/// All records.
	pub records: BTreeMap<RecordId, RecordEntry>,
}

impl Books {
	/// Reads them.
	///
	/// # Errors
	/// Those of the node.
	pub async fn read(client: &Client) -> Result<Self> {
		use pallet_inference_market::{Escrows, Keys, KeysOf};
		let (_, head) = client.finalized().await?;
		let requester = keys::account(&keys::requester());
		let key = Escrows::<Runtime>::hashed_key_for(&requester);
		let escrow: Option<EscrowAccount> = client.storage(&key, Some(head)).await?;
		let key = KeysOf::<Runtime>::hashed_key_for(&requester);
		let slots: Option<Vec<KeySlot>> = client.storage(&key, Some(head)).await?;
		let mut spent: Balance = 0;
		for slot in slots.unwrap_or_default() {
			let key = Keys::<Runtime>::hashed_key_for(&slot.key);
			let known: Option<KeyInfo> = client.storage(&key, Some(head)).await?;
			spent = spent.saturating_add(known.map_or(0, |known| known.spent));
		}
		let mut records = BTreeMap::new();
		for id in client.record_ids(Some(head)).await? {
			let entry = flow::record(client, id, head).await?;
			records.insert(id, entry.context("a record vanished")?);
		}
		let free = client.account(&requester, Some(head)).await?.data.free;
		Ok(Self { held: escrow.unwrap_or_default().held, free, spent, records })
	}

	/// The records that `before` does not have. Each has the price of its tokens and bytes, and the
	/// spending key has spent the sum.
	///
	/// # Errors
	/// A price, or a sum, that is not as it has to be.
	pub fn since(&self, before: &Self) -> Result<Vec<(RecordId, RecordEntry)>> {
		let is_new = |(id, _): &(&RecordId, &RecordEntry)| !before.records.contains_key(*id);
		let new: Vec<(RecordId, RecordEntry)> =
			self.records.iter().filter(is_new).map(|(id, entry)| (*id, entry.clone())).collect();
		for (id, entry) in &new {
			let price = price(&entry.body);
			ensure!(entry.price == price, "{id:?} cost {}, not {price}", entry.price);
		}
		let sum: Balance = new.iter().map(|(_, entry)| entry.price).sum();
		let spent = self.spent.checked_sub(before.spent);
		ensure!(spent == Some(sum), "spent: {spent:?} for records of {sum}");
		Ok(new)
	}

	/// As [`Self::since`], and the escrow gave the sum, and nothing else was taken from the requester.
	///
	/// # Errors
	/// As [`Self::since`].
	pub fn paid_since(&self, before: &Self) -> Result<Vec<(RecordId, RecordEntry)>> {
		let new = self.since(before)?;
		let sum: Balance = new.iter().map(|(_, entry)| entry.price).sum();
		let given = before.held.checked_sub(self.held);
		ensure!(given == Some(sum), "the escrow gave {given:?} for records of {sum}");
		ensure!(self.free == before.free, "{} was free and is {}", before.free, self.free);
		Ok(new)
	}
}

/// What a record costs by [`OFFER`], in planck (`docs/protocol/settlement.md`).
fn price(body: &RecordBody) -> Balance {
	let cost = |price: Balance, count: u32| price.saturating_mul(Balance::from(count));
	let offer = flow::OFFER;
	let stages = u32::try_from(body.stages.len()).unwrap_or(u32::MAX);
	cost(offer.prompt_price, body.prompt_tokens.saturating_sub(body.cached_tokens))
		.saturating_add(cost(offer.cached_price, body.cached_tokens))
		.saturating_add(cost(offer.output_price, body.output_tokens))
		.saturating_add(cost(ByteFee::get(), pallet_inference_market::record_bytes(stages)))
}

/// Waits until a gateway has no record that is not final.
///
/// # Errors
/// When one was refused for good, or takes too long.
pub async fn settled(gateway: &Worker) -> Result<()> {
	eventually("a gateway whose records are all final", PATIENCE, || async {
		let status = gateway.status().await?;
		let waiting = &status["settlements"];
		ensure!(waiting["failed"] == json!(0), "a record was refused: {waiting}");
		Ok((waiting["pending"] == json!(0)).then_some(()))
	})
	.await
}

// --- a network that can be hurt -------------------------------------------------------------------

/// How peers are connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
	/// TCP: others hear at once of a process that was killed.
	Tcp,
	/// QUIC: they notice by its silence.
	Quic,
}

impl Transport {
	fn address(self, port: u16) -> String {
		match self {
			Self::Tcp => format!("/ip4/127.0.0.1/tcp/{port}"),
			Self::Quic => format!("/ip4/127.0.0.1/udp/{port}/quic-v1"),
		}
	}
}

/// Writes a random model of 300 million parameters, which takes some milliseconds a token, into a new
/// folder `dir`. It has no token that ends an answer.
///
/// # Errors
/// When the program is not built, or the disk is full.
pub async fn write_slow_model(dir: &Path) -> Result<()> {
	write_model(dir, SLOW_SHAPE).await
}

/// A chain, a worker for each of `layers`, and a gateway, for the package in a folder. Unlike in
/// [`Cluster::start`] each listens on a port of its own and knows those of all others, so that any of
/// them finds the network again after it was killed.
///
/// # Errors
/// Whatever does not come up.
pub async fn start(package: &Path, layers: &[(u16, u16)], transport: Transport) -> Result<Cluster> {
	let spec = Spec { package: package.to_owned(), alias: SLOW.to_owned(), ..Spec::new(layers) };
	let spec = spec.gateway_arg("--offer", OFFER);
	let node = Node::start(spec.node.clone()).await?;
	let client = Client::connect(&node.url()).await?;
	let manifest = cluster::manifest(&spec.package)?;
	flow::add_model(&client, &manifest, &spec.alias).await?;
	cluster::fund(&client, spec.layers.len()).await?;

	let ports = free_ports(spec.layers.len() + 1)?;
	let addresses: Vec<String> = ports.iter().map(|port| transport.address(*port)).collect();
	let connected = |own: usize, options: Options| {
		addresses.iter().enumerate().fold(options, |options, (index, address)| {
			if index == own {
				options.args(["--listen", address.as_str()])
			} else {
				options.bootstrap(address)
			}
		})
	};
	let mut workers = Vec::new();
	for (index, layers) in spec.layers.iter().enumerate() {
		let options = connected(index, spec.worker(index, *layers));
		workers.push(Worker::spawn(&node.url(), options)?);
	}
	let mut gateway = Worker::spawn(&node.url(), connected(spec.layers.len(), spec.gateway()))?;
	for worker in &mut workers {
		worker.ready().await?;
	}
	gateway.ready().await?;
	let model = manifest.model_id();
	let cluster = Cluster { spec, gateway, workers, verifiers: Vec::new(), client, model, node };
	cluster.planned(cluster.workers.len()).await?;
	Ok(cluster)
}

/// The account of the worker with this index, as JSON has it.
pub fn address(worker: usize) -> String {
	let account: AccountId = Cluster::account(worker);
	account.to_ss58check()
}

/// The accounts of an answer's stages, by its field `aria`.
pub fn nodes(aria: &Value) -> Vec<String> {
	let nodes = aria["nodes"].as_array().into_iter().flatten();
	nodes.filter_map(|node| node["node"].as_str().map(str::to_owned)).collect()
}

/// Asks, and returns once so many pieces of text have come; the rest comes by the handle.
///
/// # Errors
/// When the answer ends before that.
pub async fn ask_until(
	api: &Api,
	body: &Value,
	pieces: usize,
) -> Result<JoinHandle<Result<Answer>>> {
	let (sender, mut heard) = watch::channel(0usize);
	let (api, body) = (api.clone(), body.clone());
	let asked = tokio::spawn(async move {
		api.chat_with(&body, move |_| sender.send_modify(|count| *count += 1)).await
	});
	let reached =
		matches!(timeout(PATIENCE, heard.wait_for(|count| *count >= pieces)).await, Ok(Ok(_)));
	if reached {
		return Ok(asked);
	}
	if !asked.is_finished() {
		asked.abort();
		bail!("there are not {pieces} pieces of an answer after {} s", PATIENCE.as_secs());
	}
	let answer = asked.await?.context("the answer broke off too early")?;
	bail!("the answer has not {pieces} pieces: {:?}", answer.text)
}

/// The worker that computes these layers right now.
///
/// # Errors
/// When nobody does.
pub async fn busy(cluster: &Cluster, layers: LayerRange) -> Result<usize> {
	eventually("a worker that computes", Duration::from_secs(5), || async {
		for (index, worker) in cluster.workers.iter().enumerate() {
			if cluster.spec.layers.get(index) != Some(&layers) || worker.pid().is_none() {
				continue;
			}
			let status = worker.status().await?;
			if status["sessions"].as_u64() > Some(0) {
				return Ok(Some(index));
			}
		}
		Ok(None)
	})
	.await
}

/// Waits until no worker that runs has a session.
///
/// # Errors
/// When one has for too long.
pub async fn idle(cluster: &Cluster) -> Result<()> {
	eventually("workers without sessions", PATIENCE, || async {
		for worker in cluster.workers.iter().filter(|worker| worker.pid().is_some()) {
			if worker.status().await?["sessions"].as_u64() > Some(0) {
				return Ok(None);
			}
		}
		Ok(Some(()))
	})
	.await
}

/// Waits until the gateway would ask each of these workers, at once or as a standby.
///
/// # Errors
/// When one does not come back for too long.
pub async fn back(cluster: &Cluster, workers: &[usize]) -> Result<()> {
	let deadline = Instant::now() + RETURN;
	loop {
		let plan = cluster.gateway.plan().await?;
		let stages = plan["stages"].as_array().cloned().unwrap_or_default();
		let asked = |node: &str| {
			stages.iter().any(|stage| {
				let standbys = stage["standbys"].as_array().into_iter().flatten();
				stage["node"] == node || standbys.into_iter().any(|standby| standby == node)
			})
		};
		if workers.iter().all(|worker| asked(&address(*worker))) {
			return Ok(());
		}
		ensure!(Instant::now() < deadline, "not back after {} s: {plan:#}", RETURN.as_secs());
		sleep(Duration::from_millis(200)).await;
	}
}
