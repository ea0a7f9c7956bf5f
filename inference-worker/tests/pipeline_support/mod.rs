//! Workers with a tiny model in one process, and what they should answer.
#![allow(dead_code, clippy::unwrap_used, missing_docs)]

pub mod net;

use aria_engine::{
	generate::{Answer, Generator, QueryTrace},
	kernels,
	model::{
		random::{write_random_package, RandomShape},
		Cancel, Model, ModelOptions, Pipeline,
	},
	package::Package,
	text::ChatTokenizer,
};
use aria_network::wire::pipeline::{Order, Refusal, StagePlace};
use aria_primitives::{
	query::{CanonicalQuery, Sampling, QUERY_VERSION},
	record::{Anchor, LayerRange, Payment},
	ticket::{AuditMode, SignedTicket, Ticket, TICKET_VERSION},
	AccountId,
};
use aria_worker::{
	limits::{Governor, Limits},
	pipeline::{
		record::{output_hash, output_tokens_hash},
		Admission, Coordinator, Event, Guard, HostParts, HostTiming, Job, Outcome, PipelineError,
		Plan, StageHost, Timing,
	},
};
use futures::FutureExt;
use net::{Hub, Meter, Net, Switch};
use sp_core::{sr25519, Pair, H256};
use sp_runtime::traits::Verify;
use std::{
	ops::ControlFlow,
	path::Path,
	sync::{Arc, Mutex},
	time::{Duration, Instant},
};
use tempfile::TempDir;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// The peer id of the gateway.
pub const GATEWAY: [u8; 32] = [0; 32];
/// The third-of-a-model stages of most tests.
pub const THIRDS: [u16; 3] = [1, 2, 4];

pub fn genesis() -> H256 {
	H256::repeat_byte(9)
}

pub fn gateway_pair() -> sr25519::Pair {
	sr25519::Pair::from_seed(&[200; 32])
}

pub fn timing() -> Timing {
	Timing {
		ping: Duration::from_millis(50),
		stall: Duration::from_secs(2),
		connect: Duration::from_secs(2),
		idle: Duration::from_secs(8),
		sign: Duration::from_secs(1),
		close: Duration::from_millis(500),
	}
}

pub fn host_timing() -> HostTiming {
	HostTiming {
		early: Duration::from_secs(1),
		patience: Duration::from_secs(4),
		dial: Duration::from_secs(2),
		look: Duration::from_millis(50),
		..HostTiming::default()
	}
}

/// Admits whom it is not told to refuse.
pub struct TestGuard {
	governor: Arc<Governor>,
	pub refusal: Mutex<Option<Refusal>>,
}

impl Guard for TestGuard {
	fn admit(&self, _: &[u8; 32], _: &Order, bytes: u64) -> Result<Admission, Refusal> {
		if let Some(refusal) = self.refusal.lock().unwrap().clone() {
			return Err(refusal);
		}
		let lease = self.governor.memory().reserve(bytes);
		let lease = lease.map_err(|_| Refusal::Busy { retry_ms: 700 })?;
		Ok(Admission { consent_version: 3, lease })
	}
}

pub struct Worker {
	pub place: StagePlace,
	pub host: Arc<StageHost<Net>>,
	pub guard: Arc<TestGuard>,
	pub switch: Arc<Switch>,
	pub governor: Arc<Governor>,
}

pub struct Cluster {
	pub package: Package,
	pub tokenizer: Arc<ChatTokenizer>,
	pub models: Vec<Arc<Model>>,
	pub hub: Arc<Hub>,
	/// For each stage the worker that is planned, then its standbys.
	pub workers: Vec<Vec<Worker>>,
	_folder: TempDir,
}

fn folder() -> TempDir {
	let memory = Path::new("/dev/shm");
	if memory.is_dir() {
		if let Ok(folder) = tempfile::Builder::new().prefix("aria").tempdir_in(memory) {
			return folder;
		}
	}
	tempfile::tempdir().unwrap()
}

fn shape() -> RandomShape {
	RandomShape {
		hidden: 64,
		feed_forward: 160,
		layers: 4,
		heads: 4,
		kv_heads: 2,
		head_dim: 16,
		vocab: 300,
		context: 128,
		shards: 2,
		..RandomShape::bitnet_2b4t()
	}
}

impl Cluster {
	/// Stages that end at the layers `ends`, and for each so many standbys.
	pub fn new(ends: &[u16], standbys: usize) -> Self {
		Self::with(ends, standbys, None, 64)
	}

	pub fn with(ends: &[u16], standbys: usize, eos: Option<u32>, max_sessions: usize) -> Self {
		let folder = folder();
		let dir = folder.path().join("model");
		write_random_package(&dir, &shape(), 11, &mut |_, _| ()).unwrap();
		let mut package = Package::open(&dir).unwrap();
		if let Some(eos) = eos {
			package.manifest.eos = vec![eos].try_into().unwrap();
		}
		let tokenizer = Arc::new(ChatTokenizer::open(&package).unwrap());
		let hub = Arc::new(Hub::default());
		let mut first = 0;
		let models: Vec<Arc<Model>> = ends
			.iter()
			.map(|end| {
				let layers = LayerRange { first, end: *end };
				first = *end;
				let kernel = kernels::by_name("scalar").unwrap();
				let options = ModelOptions { layers: Some(layers), kernel, threads: 1 };
				Model::load(&package, options, &mut |_, _| ()).unwrap()
			})
			.collect();
		let mut id = 0;
		let workers = models
			.iter()
			.map(|model| {
				let mut worker = || {
					id += 1;
					worker(id, model, &package, &tokenizer, &hub, max_sessions)
				};
				(0..=standbys).map(|_| worker()).collect()
			})
			.collect();
		Self { package, tokenizer, models, hub, workers, _folder: folder }
	}

	pub fn worker(&self, stage: usize) -> &Worker {
		&self.workers[stage][0]
	}

	pub fn plan(&self) -> Plan {
		let place = |worker: &Worker| worker.place.clone();
		Plan {
			stages: self.workers.iter().map(|workers| place(&workers[0])).collect(),
			standbys: self
				.workers
				.iter()
				.map(|workers| workers[1..].iter().map(place).collect())
				.collect(),
		}
	}

	/// A prompt of so many tokens, for an answer of at most so many.
	pub fn query(&self, prompt: u32, max_tokens: u32) -> CanonicalQuery {
		CanonicalQuery {
			version: QUERY_VERSION,
			model_id: self.package.model_id(),
			prompt_tokens: (0..prompt)
				.map(|index| (index * 37 + 65) % 250)
				.collect::<Vec<u32>>()
				.try_into()
				.unwrap(),
			sampling: Sampling { temperature_milli: 900, top_k: 0, top_p_ppm: 1_000_000, seed: 5 },
			max_tokens,
			stop: Default::default(),
			salt: [3; 32],
		}
	}

	/// The same, with an answer that nothing ends before.
	pub fn long_query(&self, prompt: u32, max_tokens: u32) -> CanonicalQuery {
		(0..200)
			.map(|seed| {
				let mut query = self.query(prompt, max_tokens);
				query.sampling.seed = seed;
				query
			})
			.find(|query| self.expected(query).0.tokens.len() == max_tokens as usize)
			.unwrap()
	}

	pub fn job(&self, query: &CanonicalQuery) -> Job {
		let key = sr25519::Pair::from_seed(&[201; 32]);
		let gateway: AccountId = gateway_pair().public().into();
		let ticket = Ticket {
			version: TICKET_VERSION,
			requester: AccountId::from([202; 32]),
			key: key.public().into(),
			gateway: gateway.clone(),
			model_id: query.model_id,
			query_hash: query.hash(),
			max_price: 1_000,
			nonce: 1,
			expiry: 100,
			audit_mode: AuditMode::Any,
		};
		let signature = key.sign(ticket.hash(&genesis()).as_bytes()).into();
		Job {
			query: query.clone(),
			payment: SignedTicket { ticket, signature },
			anchor: Anchor { number: 7, hash: H256::repeat_byte(7) },
			plan: self.plan(),
			gateway,
			tokenizer: self.tokenizer.clone(),
			eos: self.package.manifest.eos.to_vec(),
			context: self.package.manifest.context,
			salted_output: false,
		}
	}

	/// What the coordinator would say to a stage first.
	pub fn order(&self, job: &Job, stage: u16) -> Order {
		let last = job.plan.stages.len() as u16 - 1;
		Order {
			session: [42; 16],
			attempt: 0,
			stage,
			stages: job.plan.stages.clone().try_into().unwrap(),
			gateway: job.gateway.clone(),
			model_id: job.query.model_id,
			query_hash: job.query.hash(),
			salt: job.query.salt,
			prompt_tokens: job.query.prompt_tokens.len() as u32,
			max_tokens: job.query.max_tokens,
			query: (stage == 0 || stage == last).then(|| job.query.clone()),
			drawn: Vec::new(),
			ticket: job.payment.clone(),
			anchor: job.anchor,
		}
	}

	/// What one process answers, ended after `tokens` tokens, and its boundaries.
	pub fn expected_until(&self, query: &CanonicalQuery, tokens: u32) -> (Answer, Vec<H256>) {
		let context = self.package.manifest.context as usize;
		let sessions = self.models.iter().map(|model| model.session(context).unwrap()).collect();
		let pipeline = Pipeline::new(sessions).unwrap();
		let mut generator = Generator::new(&self.package, pipeline, self.tokenizer.clone());
		generator.set_chunk(7);
		let mut trace = QueryTrace::new(query, self.models.len());
		let answer = generator
			.generate(query, Some(&mut trace), &Cancel::new(), &mut |step| {
				if step.index + 1 >= tokens {
					ControlFlow::Break(())
				} else {
					ControlFlow::Continue(())
				}
			})
			.unwrap();
		(answer, trace.boundaries())
	}

	pub fn expected(&self, query: &CanonicalQuery) -> (Answer, Vec<H256>) {
		self.expected_until(query, u32::MAX)
	}

	pub fn coordinator(&self) -> Coordinator<Net> {
		let net = Net { me: GATEWAY, hub: Arc::downgrade(&self.hub) };
		Coordinator::new(net, genesis(), timing())
	}

	pub async fn run(&self, job: Job) -> Result<(Outcome, Vec<Event>), PipelineError> {
		self.run_with(job, CancellationToken::new(), |_| ()).await
	}

	/// Tells `on_event` of each event as it comes.
	pub async fn run_with(
		&self,
		job: Job,
		cancel: CancellationToken,
		mut on_event: impl FnMut(&Event),
	) -> Result<(Outcome, Vec<Event>), PipelineError> {
		let (sender, mut receiver) = mpsc::channel(1);
		let coordinator = self.coordinator();
		let collect = async {
			let mut events = Vec::new();
			while let Some(event) = receiver.recv().await {
				on_event(&event);
				events.push(event);
			}
			events
		};
		let (outcome, events) = tokio::join!(coordinator.run(job, sender, cancel), collect);
		outcome.map(|outcome| (outcome, events))
	}

	/// Runs `query`, and holds all of the outcome against what one process answers.
	pub async fn answer(&self, query: &CanonicalQuery) -> (Outcome, Vec<Event>) {
		let (outcome, events) = self.run(self.job(query)).await.unwrap();
		self.assert_answer(query, &outcome, &events, &self.expected(query));
		(outcome, events)
	}

	pub fn assert_answer(
		&self,
		query: &CanonicalQuery,
		outcome: &Outcome,
		events: &[Event],
		expected: &(Answer, Vec<H256>),
	) {
		let (answer, boundaries) = expected;
		let is = &outcome.answer;
		assert_eq!(is.tokens, answer.tokens);
		assert_eq!(is.text, answer.text);
		assert_eq!(is.finish_reason, answer.finish_reason);
		assert_eq!((is.prompt_tokens, is.cached_tokens), (answer.prompt_tokens, 0));
		let tokens = events.iter().filter_map(|event| match event {
			Event::Token { token, .. } => Some(*token),
			Event::Replaced { .. } => None,
		});
		assert_eq!(tokens.collect::<Vec<u32>>(), answer.tokens);
		let replaced =
			events.iter().filter(|event| matches!(event, Event::Replaced { .. })).count();
		assert_eq!(replaced, outcome.replaced as usize);

		let record = outcome.record.as_ref().unwrap_or_else(|| panic!("{:?}", outcome.unrecorded));
		let body = &record.body;
		assert_eq!(body.boundaries.to_vec(), *boundaries);
		assert_eq!(body.output_hash, output_hash(&answer.text, &query.salt, false));
		assert_eq!(body.output_tokens_hash, output_tokens_hash(&answer.tokens));
		assert_eq!(body.finish_reason, answer.finish_reason);
		assert_eq!(body.query_hash, query.hash());
		assert_eq!(body.output_tokens as usize, answer.tokens.len());
		assert_eq!(body.energy_mj, body.stages.iter().map(|stage| stage.energy_mj).sum::<u64>());
		assert!(body.stages.iter().all(|stage| stage.energy_mj > 0 && stage.consent_version == 3));
		assert_eq!(record.id, body.id(&genesis()));
		assert_eq!(body.stages.len(), self.workers.len());
		assert_eq!(record.signatures.len(), body.stages.len());
		assert!(record.signatures.last().unwrap().is_some());
		for (stage, signature) in body.stages.iter().zip(&record.signatures) {
			if let Some(signature) = signature {
				assert!(signature.verify(record.id.as_bytes(), &stage.node));
			}
		}
		let settlement = record.clone().settlement(&gateway_pair());
		let digest = aria_primitives::record::settlement_digest(&record.id, record.signed_stages());
		let gateway: AccountId = gateway_pair().public().into();
		assert!(settlement.gateway_signature.verify(digest.as_bytes(), &gateway));
		let Payment::Ticket(ticket) = settlement.payment else { panic!() };
		assert_eq!(body.ticket_hash, ticket.ticket.hash(&genesis()));
	}

	/// Waits until nothing of any session is left.
	pub async fn rest(&self) {
		self.hub.bury();
		let until = Instant::now() + Duration::from_secs(10);
		loop {
			let workers = || self.workers.iter().flatten();
			let sessions: usize = workers().map(|worker| worker.host.sessions()).sum();
			let memory: u64 = workers().map(|worker| worker.governor.memory().used()).sum();
			let left = (sessions, memory, self.hub.streams());
			if left == (0, 0, 0) {
				return;
			}
			assert!(Instant::now() < until, "sessions, bytes, streams: {left:?}");
			tokio::time::sleep(Duration::from_millis(20)).await;
		}
	}
}

fn worker(
	id: u8,
	model: &Arc<Model>,
	package: &Package,
	tokenizer: &Arc<ChatTokenizer>,
	hub: &Arc<Hub>,
	max_sessions: usize,
) -> Worker {
	let pair = sr25519::Pair::from_seed(&[id; 32]);
	let place = StagePlace {
		node: pair.public().into(),
		peer: [id; 32],
		addresses: Default::default(),
		layers: model.layers(),
	};
	let governor = Governor::new(Limits::NONE);
	let guard = Arc::new(TestGuard { governor: governor.clone(), refusal: Mutex::new(None) });
	let switch = Arc::new(Switch::default());
	let host = StageHost::new(HostParts {
		pair,
		genesis: genesis(),
		model: model.clone(),
		eos: package.manifest.eos.to_vec(),
		tokenizer: Some(tokenizer.clone()),
		governor: governor.clone(),
		meter: Arc::new(Meter(switch.clone())),
		guard: guard.clone(),
		dialer: Arc::new(Net { me: place.peer, hub: Arc::downgrade(hub) }),
		max_sessions,
		timing: host_timing(),
	});
	let serving = host.clone();
	hub.add(
		place.peer,
		switch.clone(),
		Box::new(move |peer, stream| serving.clone().serve(peer, stream).boxed()),
	);
	Worker { place, host, guard, switch, governor }
}
