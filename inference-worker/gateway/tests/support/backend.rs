//! What is behind a gateway in tests: an engine with a tiny random model, and a source without end.

use aria_engine::{
	generate::{positions, Generator, Step},
	kernels,
	model::{
		random::{write_random_package, RandomShape},
		Cancel, Model, ModelOptions, Pipeline,
	},
	package::Package,
	text::{ChatTokenizer, Message, RenderOptions},
};
use aria_gateway::{
	fingerprint, Backend, Event, FinishReason, Finished, ModelCard, Receipt, Refused, Request,
	Running, StageReceipt, Usage,
};
use aria_primitives::{
	query::{CanonicalQuery, Sampling, QUERY_VERSION},
	record,
};
use futures::{future::BoxFuture, FutureExt};
use sha2::{Digest, Sha256};
use std::{
	ops::ControlFlow,
	sync::{
		atomic::{AtomicU64, AtomicUsize, Ordering},
		Arc, Mutex,
	},
	time::Duration,
};
use tempfile::TempDir;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Positions of the model.
pub const CONTEXT: u32 = 512;

/// A model whose every byte is a token, and which never ends an answer by itself: an answer has as many
/// tokens as were asked for.
fn shape() -> RandomShape {
	RandomShape {
		hidden: 64,
		feed_forward: 160,
		layers: 2,
		heads: 4,
		kv_heads: 2,
		head_dim: 16,
		vocab: 256,
		context: CONTEXT,
		shards: 1,
		..RandomShape::bitnet_2b4t()
	}
}

/// Answers with an engine.
pub struct EngineBackend {
	engine: Arc<Engine>,
	card: ModelCard,
	/// Answers that are being computed.
	pub running: Arc<AtomicUsize>,
	/// Most of them at the same time.
	pub most: Arc<AtomicUsize>,
	/// Requests that were started.
	pub started: AtomicUsize,
	/// Milliseconds before each token.
	pub delay: Arc<AtomicU64>,
	/// The last request.
	pub last: Mutex<Option<Request>>,
	_folder: TempDir,
}

struct Engine {
	package: Package,
	model: Arc<Model>,
	tokenizer: Arc<ChatTokenizer>,
}

impl EngineBackend {
	pub fn new() -> Self {
		let folder = tempfile::tempdir().unwrap();
		let dir = folder.path().join("model");
		write_random_package(&dir, &shape(), 3, &mut |_, _| ()).unwrap();
		let package = Package::open(&dir).unwrap();
		let options = ModelOptions { layers: None, kernel: kernels::best(), threads: 1 };
		let model = Model::load(&package, options, &mut |_, _| ()).unwrap();
		let tokenizer = Arc::new(ChatTokenizer::open(&package).unwrap());
		let id = package.model_id().0;
		let card = ModelCard {
			name: "tiny".to_owned(),
			id,
			context: CONTEXT,
			fingerprint: fingerprint(&id, package.manifest.numerics_version),
			created: 1_700_000_000,
			tokenizer: tokenizer.clone(),
			eos: Vec::new(),
		};
		Self {
			engine: Arc::new(Engine { package, model, tokenizer }),
			card,
			running: Arc::default(),
			most: Arc::default(),
			started: AtomicUsize::new(0),
			delay: Arc::default(),
			last: Mutex::default(),
			_folder: folder,
		}
	}

	pub fn model_id(&self) -> String {
		self.card.id.iter().map(|byte| format!("{byte:02x}")).collect()
	}

	pub fn slow(&self, milliseconds: u64) {
		self.delay.store(milliseconds, Ordering::SeqCst);
	}

	pub fn is_idle(&self) -> bool {
		self.running.load(Ordering::SeqCst) == 0
	}

	/// What the engine says to a chat, without a gateway.
	pub fn says(&self, content: &str, seed: u64, max_tokens: u32) -> String {
		let messages = [Message::user(content)];
		let prompt = self.engine.tokenizer.chat(&messages, &RenderOptions::default()).unwrap();
		let sampling = Sampling { temperature_milli: 1_000, top_k: 0, top_p_ppm: 1_000_000, seed };
		let query = self.engine.query(&prompt, sampling, max_tokens, &[]);
		self.engine.generate(&query, &mut |_| ControlFlow::Continue(())).text
	}
}

impl Engine {
	fn query(
		&self,
		prompt: &[u32],
		sampling: Sampling,
		max_tokens: u32,
		stops: &[String],
	) -> CanonicalQuery {
		let mut query = CanonicalQuery {
			version: QUERY_VERSION,
			model_id: self.package.model_id(),
			prompt_tokens: prompt.to_vec().try_into().unwrap(),
			sampling,
			max_tokens,
			stop: Default::default(),
			salt: [3; 32],
		};
		for stop in stops {
			query.stop.try_push(stop.clone().into_bytes().try_into().unwrap()).unwrap();
		}
		query
	}

	fn generate(
		&self,
		query: &CanonicalQuery,
		on_step: &mut dyn FnMut(&Step<'_>) -> ControlFlow<()>,
	) -> aria_engine::generate::Answer {
		let room = positions(query.prompt_tokens.len(), query.max_tokens, CONTEXT as usize);
		let pipeline = Pipeline::new(vec![self.model.session(room).unwrap()]).unwrap();
		let mut generator = Generator::new(&self.package, pipeline, self.tokenizer.clone());
		generator.generate(query, None, &Cancel::new(), on_step).unwrap()
	}
}

/// The refusal that a key asks for by its name.
fn fault(name: &str) -> Option<Refused> {
	let message = format!("fault: {name}");
	let retry_after = Duration::from_secs(7);
	Some(match name {
		"empty" => Refused::InsufficientFunds { message },
		"used up" => Refused::KeyExhausted { message, retry_after: None },
		"capped" => Refused::KeyExhausted { message, retry_after: Some(retry_after) },
		"nobody" => Refused::Unavailable { message, retry_after },
		"busy" => Refused::Busy { message, retry_after },
		"broken" => Refused::Internal { message },
		"choosy" => Refused::Invalid { param: Some("aria.first_stage".into()), message },
		_ => return None,
	})
}

impl Backend for EngineBackend {
	fn models(&self) -> Vec<ModelCard> {
		vec![self.card.clone()]
	}

	fn start(&self, request: Request) -> BoxFuture<'_, Result<Running, Refused>> {
		async move {
			self.started.fetch_add(1, Ordering::SeqCst);
			*self.last.lock().unwrap() = Some(request.clone());
			let wish = request.principal.spending_key.clone().unwrap_or_default();
			if let Some(refused) = fault(&wish) {
				return Err(refused);
			}
			let (sender, events) = mpsc::channel(4);
			let cancel = CancellationToken::new();
			let work = Work {
				engine: self.engine.clone(),
				running: Counted::new(&self.running, &self.most),
				delay: self.delay.clone(),
				cancel: cancel.clone(),
				breaks: wish == "breaks",
				vanishes: wish == "vanishes",
				request,
				sender,
			};
			tokio::task::spawn_blocking(move || work.run());
			Ok(Running::new(events, cancel))
		}
		.boxed()
	}
}

struct Work {
	engine: Arc<Engine>,
	running: Counted,
	delay: Arc<AtomicU64>,
	cancel: CancellationToken,
	/// Fails at the fourth token.
	breaks: bool,
	/// Ends at the fourth token without a word.
	vanishes: bool,
	request: Request,
	sender: mpsc::Sender<Event>,
}

impl Work {
	fn run(self) {
		let Self { engine, running, delay, cancel, breaks, vanishes, request, sender } = self;
		let sampling = Sampling {
			temperature_milli: request.sampling.temperature_milli,
			top_k: request.sampling.top_k,
			top_p_ppm: request.sampling.top_p_ppm,
			seed: request.sampling.seed,
		};
		let query =
			engine.query(&request.prompt_tokens, sampling, request.max_tokens, &request.stops);
		let answer = engine.generate(&query, &mut |step| {
			let wait = delay.load(Ordering::SeqCst);
			if wait > 0 {
				std::thread::sleep(Duration::from_millis(wait));
			}
			let ends = (breaks || vanishes) && step.index == 3;
			let event = Event::Token { text: step.text.to_owned() };
			if ends || cancel.is_cancelled() || sender.blocking_send(event).is_err() {
				return ControlFlow::Break(());
			}
			ControlFlow::Continue(())
		});
		let query_hash = query.hash().0;
		let output_hash: [u8; 32] = Sha256::digest(answer.text.as_bytes()).into();
		let record_id: [u8; 32] =
			Sha256::new().chain_update(query_hash).chain_update(output_hash).finalize().into();
		let finish_reason = match answer.finish_reason {
			record::FinishReason::Stop => Some(FinishReason::Stop),
			record::FinishReason::Length => Some(FinishReason::Length),
			record::FinishReason::Cancelled => None,
		};
		let last = match finish_reason {
			Some(finish_reason) => Event::Finished(Box::new(Finished {
				finish_reason,
				usage: Usage {
					prompt_tokens: answer.prompt_tokens,
					completion_tokens: answer.tokens.len() as u32,
					cached_tokens: answer.cached_tokens,
				},
				receipt: Receipt {
					record_id: Some(record_id),
					query_hash,
					output_hash,
					salt: request.demands.salted.then_some([9; 32]),
					stages: vec![StageReceipt {
						node: "worker".to_owned(),
						first: 0,
						end: 2,
						energy_mj: 12,
						energy_source: "estimate".to_owned(),
						consent_version: 1,
					}],
					energy_mj: 12,
					energy_source: "estimate".to_owned(),
					latency_ms: 5,
				},
			})),
			None if breaks => Event::Failed(Refused::Unavailable {
				message: "no replica is left".to_owned(),
				retry_after: Duration::from_secs(3),
			}),
			None => {
				drop(running);
				return;
			}
		};
		drop(running);
		// A client that went away needs no end.
		let _ = sender.blocking_send(last);
	}
}

/// Counts what runs.
pub struct Counted(Arc<AtomicUsize>);

impl Counted {
	pub fn new(running: &Arc<AtomicUsize>, most: &Arc<AtomicUsize>) -> Self {
		let now = running.fetch_add(1, Ordering::SeqCst) + 1;
		most.fetch_max(now, Ordering::SeqCst);
		Self(running.clone())
	}
}

impl Drop for Counted {
	fn drop(&mut self) {
		self.0.fetch_sub(1, Ordering::SeqCst);
	}
}

/// Answers with text that never ends.
pub struct Endless {
	card: ModelCard,
	/// Answers that run.
	pub running: Arc<AtomicUsize>,
	/// Tokens that were taken off its hands.
	pub sent: Arc<AtomicUsize>,
}

/// Bytes of each of its tokens.
pub const ENDLESS_TOKEN: usize = 16 << 10;

impl Endless {
	pub fn new() -> Self {
		let card = EngineBackend::new().card;
		Self { card, running: Arc::default(), sent: Arc::default() }
	}
}

impl Backend for Endless {
	fn models(&self) -> Vec<ModelCard> {
		vec![self.card.clone()]
	}

	fn start(&self, _: Request) -> BoxFuture<'_, Result<Running, Refused>> {
		let (sender, events) = mpsc::channel(4);
		let counted = Counted::new(&self.running, &Arc::default());
		let sent = self.sent.clone();
		tokio::spawn(async move {
			let text = "x".repeat(ENDLESS_TOKEN);
			while sender.send(Event::Token { text: text.clone() }).await.is_ok() {
				sent.fetch_add(1, Ordering::SeqCst);
			}
			drop(counted);
		});
		futures::future::ready(Ok(Running::new(events, CancellationToken::new()))).boxed()
	}
}
