//! `scripts/recompute-era` against real nodes: from the records of an era it comes to each worker's
//! reward as the chain paid it, to the planck, and says so where it can't.
//!
//! Four workers, whose shares, energy, sources and latencies differ; offers that change within a block,
//! requests, a stage that did not sign, a record that nobody may audit, one on which next to nothing is
//! burnt. No model runs: what the records say is made up.
#![allow(clippy::unwrap_used)]

use aria_e2e::{
	client::{eventually, Client, Included},
	flow::{self, Inference, Network, OFFER},
	keys::{self, Pair},
	node::{Node, Options},
};
use aria_primitives::{
	hashing::peer_binding,
	query::Sampling,
	record::{settlement_digest, EnergySource, LayerRange, Payment, Settlement, Stage},
	ticket::AuditMode,
	traits::Offer,
	AccountId, Balance, BlockNumber, EraIndex, ModelId, PaymentHash, Signature, ARIA,
};
use aria_runtime::{
	parameters::SigningGrace, RewardDistributor, Runtime, RuntimeCall, RuntimeEvent,
};
use frame_support::{dispatch::CallableCallFor, storage::storage_prefix};
use jsonrpsee::rpc_params;
use pallet_inference_market::RequestPrompt;
use pallet_worker_registry::ServedShard;
use serde_json::Value;
use sp_core::Pair as _;
use sp_runtime::BoundedVec;
use std::{
	collections::BTreeSet,
	process::{Output, Stdio},
	time::Duration,
};
use tokio::{process::Command, sync::Mutex, time::timeout};

/// The reward distributor's calls.
type RewardCall = CallableCallFor<RewardDistributor, Runtime>;

/// The script, which installs what it needs before it runs for the first time.
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../scripts/recompute-era/run.sh");
/// How long it may take with that.
const RUN: Duration = Duration::from_secs(300);
/// How long an era may take until it is settled, once its turn has come: its epoch has to be over, which
/// is a minute long.
const SETTLING: Duration = Duration::from_secs(180);
/// Between two empty blocks, in milliseconds.
const IDLE: u64 = 500;

const PROMPT: &str = "What did it cost, and who gets what of it?";
const ANSWER: &str =
	"Each stage by its layers, each worker by what it did; whoever doubts it takes \
	the records of the era, and adds them up again.";
/// The workers by their place in [`people`].
const BOB: usize = 0;
const CHARLIE: usize = 1;
const FERDIE: usize = 2;
const ALICE: usize = 3;
/// Twice what is asked for otherwise.
const DEAR: Offer =
	Offer { prompt_price: 100_000_000, cached_price: 10_000_000, output_price: 600_000_000 };
/// Next to nothing.
const DUST: Offer = Offer { prompt_price: 1, cached_price: 1, output_price: 1 };

/// The first use installs, which two at a time must not.
static SCRIPTS: Mutex<()> = Mutex::const_new(());

/// Workers: two with a layer each, and two with both.
fn people() -> [Pair; 4] {
	let [bob, charlie] = keys::workers();
	[bob, charlie, keys::stranger(), keys::owner()]
}

fn account(person: usize) -> AccountId {
	keys::account(&people()[person])
}

fn bounded<T, S: frame_support::traits::Get<u32>>(items: Vec<T>) -> BoundedVec<T, S> {
	BoundedVec::try_from(items).ok().unwrap()
}

struct Chain {
	client: Client,
	network: Network,
	/// Versions of the workers' consents.
	consents: [u32; 4],
	node: Node,
}

impl Chain {
	async fn new() -> Self {
		let options = Options::dev_with_idle(IDLE).arg("--state-pruning").arg("archive");
		let node = Node::start(options).await.unwrap();
		let client = Client::connect(&node.url()).await.unwrap();
		let network = flow::set_up(&client).await.unwrap();
		// Ferdie's earnings go to an account that is not there: too little to make it exist.
		let payout = keys::account(&keys::seeded("payout"));
		let ferdie = join(&client, FERDIE, network.model.id, payout).await;
		let alice = join(&client, ALICE, network.model.id, account(ALICE)).await;
		let [bob, charlie] = network.consents;
		Self { client, network, consents: [bob, charlie, ferdie, alice], node }
	}

	fn stage(
		&self,
		person: usize,
		layers: (u16, u16),
		energy_mj: u64,
		energy_source: EnergySource,
	) -> Stage {
		Stage {
			node: account(person),
			layers: LayerRange { first: layers.0, end: layers.1 },
			energy_mj,
			energy_source,
			consent_version: self.consents[person],
		}
	}

	/// Bob and Charlie, with so much energy each.
	fn halves(&self, bob: u64, charlie: u64) -> Vec<Stage> {
		vec![
			self.stage(BOB, (0, 1), bob, EnergySource::Rapl),
			self.stage(CHARLIE, (1, 2), charlie, EnergySource::Estimate),
		]
	}

	/// Somebody alone, with so much energy.
	fn alone(&self, person: usize, energy_mj: u64, source: EnergySource) -> Vec<Stage> {
		vec![self.stage(person, (0, flow::LAYERS), energy_mj, source)]
	}

	/// An answer that these stages computed.
	async fn answer(&self, nonce: u64, stages: Vec<Stage>) -> Inference {
		let mut inference = self.network.infer(&self.client, PROMPT, ANSWER, nonce).await.unwrap();
		let body = &mut inference.body;
		body.boundaries.truncate(stages.len() + 1);
		body.energy_mj = stages.iter().map(|stage| stage.energy_mj).sum();
		body.stages = bounded(stages);
		inference
	}

	/// Signed by everybody, or by all stages but one; paid by its ticket, or by a request.
	fn signed(
		&self,
		inference: &Inference,
		request: Option<PaymentHash>,
		missing: Option<usize>,
	) -> Settlement {
		let genesis = self.client.genesis();
		let mut settlement = inference.settlement(&genesis).unwrap();
		if let Some(request) = request {
			settlement.payment = Payment::Request(request);
			settlement.body.ticket_hash = request;
			settlement.id = settlement.body.id(&genesis);
		}
		let id = settlement.id;
		let signatures: Vec<Option<Signature>> = settlement
			.body
			.stages
			.iter()
			.enumerate()
			.map(|(index, stage)| {
				let node = people().into_iter().find(|pair| keys::account(pair) == stage.node);
				node.filter(|_| missing != Some(index)).map(|pair| keys::sign(&pair, &id))
			})
			.collect();
		let digest = settlement_digest(&id, flow::stage_set(&signatures));
		settlement.gateway_signature = keys::sign(&keys::gateway(), &digest);
		settlement.signatures = bounded(signatures);
		settlement
	}

	/// The gateway settles it.
	async fn settle(&self, settlement: Settlement) -> Included {
		let included = self.client.submit(&keys::gateway(), flow::settle(settlement)).await;
		included.unwrap().success().unwrap()
	}

	/// A ticket pays, and all have signed.
	async fn settle_plain(&self, inference: &Inference) {
		self.settle(self.signed(inference, None, None)).await;
	}

	fn offer(&self, offer: Offer) -> RuntimeCall {
		let model = self.network.model.id;
		RuntimeCall::ModelRegistry(pallet_model_registry::Call::set_offer { model, offer })
	}

	/// A request for this answer.
	async fn request(&self, inference: &Inference) -> PaymentHash {
		let call = pallet_inference_market::Call::<Runtime>::request {
			model_id: self.network.model.id,
			prompt: RequestPrompt::Hash(inference.query.hash()),
			sampling: Sampling::GREEDY,
			max_tokens: inference.body.output_tokens,
			max_price: ARIA,
			deadline: self.client.best().await.unwrap().0 + 200,
			audit_mode: AuditMode::Any,
		};
		let included = self.client.submit(&keys::requester(), call).await.unwrap();
		let id = included.success().unwrap().find(|event| match event {
			RuntimeEvent::InferenceMarket(pallet_inference_market::Event::Requested {
				id, ..
			}) => Some(*id),
			_ => None,
		});
		id.unwrap()
	}

	fn matching(&self, request: PaymentHash, inference: &Inference) -> RuntimeCall {
		let stages = inference.body.stages.iter();
		let stages = stages.map(|stage| (stage.node.clone(), stage.layers)).collect();
		RuntimeCall::InferenceMarket(pallet_inference_market::Call::match_request {
			id: request,
			stages: bounded(stages),
		})
	}

	/// All of it in one block, by the gateway.
	async fn together(&self, calls: Vec<RuntimeCall>) {
		self.client.submit_all(&keys::gateway(), calls).await.unwrap();
	}

	/// Ends the era, and waits for the first block of the next one.
	async fn next_era(&self) {
		next_era(&self.client).await;
	}

	/// What `reward_explain` says of a worker in an era.
	async fn explain(&self, person: usize, era: EraIndex) -> Value {
		let params = rpc_params![account(person).to_string(), era];
		self.client.call("reward_explain", params).await.unwrap()
	}

	/// Waits until an era is settled in a final block.
	async fn settled(&self, era: EraIndex) {
		eventually("the era's settlement", SETTLING, || async {
			Ok((self.explain(BOB, era).await["settled"] == true).then_some(()))
		})
		.await
		.unwrap();
		let (number, _) = self.client.best().await.unwrap();
		self.client.finalized_after(number).await.unwrap();
	}
}

/// Sets a consent that permits any price, registers, and serves all layers; returns the consent's
/// version.
async fn join(client: &Client, person: usize, model: ModelId, payout: AccountId) -> u32 {
	let pair = &people()[person];
	let mut consent = flow::consent(pair).unwrap();
	consent.reward_preference.payout = payout;
	consent.reward_preference.minimum_price = 1;
	let peer = keys::peer(person);
	let binding = peer_binding(&client.genesis(), &keys::account(pair));
	let layers = LayerRange { first: 0, end: flow::LAYERS };
	let calls = vec![
		RuntimeCall::ConsentRegistry(pallet_consent_registry::Call::set_consent { consent }),
		RuntimeCall::WorkerRegistry(pallet_worker_registry::Call::register_worker {
			peer: peer.public().0,
			peer_signature: peer.sign(binding.as_bytes()).0,
			region: 756,
			stake: flow::STAKE,
		}),
		RuntimeCall::WorkerRegistry(pallet_worker_registry::Call::set_served {
			shards: bounded(vec![ServedShard { model, layers }]),
		}),
	];
	let included = client.submit_all(pair, calls).await.unwrap();
	let version = included.find(|event| match event {
		RuntimeEvent::ConsentRegistry(pallet_consent_registry::Event::ConsentSet {
			version,
			..
		}) => Some(*version),
		_ => None,
	});
	version.unwrap()
}

/// Ends the era. Its records are passed over by the draw: there are no verifiers, and what is drawn earns
/// nothing then.
async fn next_era(client: &Client) {
	let system = [
		frame_system::Call::<Runtime>::kill_prefix {
			prefix: storage_prefix(b"Verification", b"Settled").to_vec(),
			subkeys: 1_000,
		},
		frame_system::Call::kill_storage {
			keys: vec![storage_prefix(b"Verification", b"PendingEpochs").to_vec()],
		},
	];
	let mut calls: Vec<RuntimeCall> = system.into_iter().map(RuntimeCall::System).collect();
	calls.push(RuntimeCall::RewardDistributor(RewardCall::force_new_era {}));
	let call = Box::new(RuntimeCall::Utility(pallet_utility::Call::batch_all { calls }));
	let call = RuntimeCall::Sudo(pallet_sudo::Call::sudo { call });
	let included = client.submit(&keys::owner(), call).await.unwrap().success().unwrap();
	client.finalized_after(included.number).await.unwrap();
}

/// Runs the script.
async fn script(url: &str, args: &[&str]) -> Output {
	let _turn = SCRIPTS.lock().await;
	let mut command = Command::new("bash");
	command.arg(SCRIPT).args(["--url", url]).args(args).stdin(Stdio::null()).kill_on_drop(true);
	timeout(RUN, command.output()).await.unwrap().unwrap()
}

/// The comparison of an era, which has to be equal.
async fn recomputed(url: &str, era: EraIndex) -> Value {
	let output = script(url, &["--era", &era.to_string(), "--json"]).await;
	let (said, wrong) = (text(&output.stdout), text(&output.stderr));
	assert_eq!(output.status.code(), Some(0), "{said}\n{wrong}");
	let report: Value = serde_json::from_str(&said).unwrap();
	assert_eq!(report["equal"], true, "{report:#}");
	assert_eq!(report["differences"], Value::Array(Vec::new()));
	report
}

/// It should end with 3, and say why.
async fn should_not_answer(url: &str, era: EraIndex, reason: &str) {
	let output = script(url, &["--era", &era.to_string()]).await;
	let wrong = text(&output.stderr);
	assert_eq!(output.status.code(), Some(3), "{}\n{wrong}", text(&output.stdout));
	assert!(wrong.contains(reason), "{reason} is not in: {wrong}");
}

fn text(bytes: &[u8]) -> String {
	String::from_utf8_lossy(bytes).into_owned()
}

/// A worker's place in a comparison.
fn worker(report: &Value, person: usize) -> &Value {
	let address = account(person).to_string();
	let workers = report["workers"].as_array().unwrap();
	workers.iter().find(|entry| entry["worker"] == address.as_str()).unwrap()
}

/// A figure of a worker, as it was computed anew.
fn figure(report: &Value, person: usize, name: &str) -> u128 {
	let rows = worker(report, person)["rows"].as_array().unwrap();
	let row = rows.iter().find(|row| row["name"] == name).unwrap();
	row["recomputed"].as_str().unwrap().parse().unwrap()
}

/// Records of the first era, which has no average of energy before it. One is left to settle later.
async fn first_era(chain: &Chain) {
	chain.settle_plain(&chain.answer(1, chain.halves(41_500, 38_200)).await).await;
	let ferdie = chain.alone(FERDIE, 60_000, EnergySource::Meter);
	chain.settle_plain(&chain.answer(2, ferdie).await).await;
}

/// Records of the second era: each that something is special about.
async fn second_era(chain: &Chain) {
	// A stage that will not have signed in time.
	let late = chain.answer(10, chain.halves(33_000, 44_000)).await;

	// Cached tokens, and a latency beyond the target.
	let mut slow = chain.answer(11, chain.halves(30_000, 90_000)).await;
	slow.body.cached_tokens = 7;
	slow.body.latency_ms = 300_000;
	chain.settle_plain(&slow).await;

	// Nobody may audit it, so that it is no work.
	let mut private = chain.answer(12, chain.halves(1, 1)).await;
	private.ticket.audit_mode = AuditMode::None;
	chain.settle_plain(&private).await;

	// Matched at one price in one block, settled in another when the gateway asks for another.
	let asked = chain.answer(13, chain.halves(45_000, 36_000)).await;
	let request = chain.request(&asked).await;
	chain.together(vec![chain.offer(DEAR), chain.matching(request, &asked)]).await;
	chain.together(vec![chain.offer(OFFER)]).await;
	chain.settle(chain.signed(&asked, Some(request), None)).await;

	// Three prices in one block: for a match, for one ticket, for another.
	let ferdie = |energy| chain.alone(FERDIE, energy, EnergySource::Powermetrics);
	let asked = chain.answer(14, ferdie(20_000)).await;
	let request = chain.request(&asked).await;
	let dust = chain.answer(15, chain.alone(ALICE, 70_000, EnergySource::Rapl)).await;
	let plain = chain.answer(16, ferdie(85_000)).await;
	let settle = |inference, request| flow::settle(chain.signed(inference, request, None));
	chain
		.together(vec![
			chain.offer(DEAR),
			chain.matching(request, &asked),
			chain.offer(DUST),
			settle(&asked, Some(request)),
			settle(&dust, None),
			chain.offer(OFFER),
			settle(&plain, None),
		])
		.await;

	let grace: BlockNumber = SigningGrace::get();
	chain.client.finalized_after(late.body.anchor.number + grace).await.unwrap();
	chain.settle(chain.signed(&late, None, Some(0))).await;
}

#[tokio::test]
async fn an_era_should_be_recomputed_to_the_planck() {
	let chain = Chain::new().await;
	let url = chain.node.url();
	first_era(&chain).await;
	should_not_answer(&url, 0, "era 0 is not over").await;
	chain.next_era().await;
	should_not_answer(&url, 0, "era 0 is not settled yet").await;
	second_era(&chain).await;
	chain.next_era().await;
	chain.settled(0).await;

	// The first era: nobody's energy is compared with anything.
	let report = recomputed(&url, 0).await;
	assert_eq!(report["records"], "2");
	for person in [BOB, CHARLIE, FERDIE] {
		assert_eq!(figure(&report, person, "efficiency, ppm"), 1_000_000);
	}
	let works: Vec<u128> = [BOB, CHARLIE, FERDIE].map(|who| figure(&report, who, "work")).into();
	assert_eq!(works[0], works[1]);
	assert!(
		works[2].abs_diff(2 * works[0]) <= 1,
		"who did both layers did twice as much: {works:?}"
	);

	// The third era has no work at all, and is settled like any other.
	chain.next_era().await;
	chain.settled(1).await;
	chain.next_era().await;

	let report = recomputed(&url, 1).await;
	assert_eq!(report["records"], "7");
	assert_eq!(report["workers"].as_array().unwrap().len(), 4);
	let mut rewards = BTreeSet::new();
	for person in [BOB, CHARLIE, FERDIE, ALICE] {
		let reward: Balance = figure(&report, person, "reward, planck");
		assert!(reward > 0);
		let explained = chain.explain(person, 1).await;
		for (name, field) in [
			("reward, planck", "payout"),
			("by rate, planck", "byRate"),
			("bound by β, planck", "burnBound"),
			("weighted work", "weighted"),
			("energy, mJ", "energyMj"),
			("energy at the average, mJ", "expectedEnergyMj"),
		] {
			let number = figure(&report, person, name).to_string();
			assert_eq!(explained[field], number.as_str(), "{field}: {explained:#}");
		}
		rewards.insert(reward);
	}
	assert_eq!(rewards.len(), 4, "no two workers earned the same");
	// What the era was made for.
	assert!(figure(&report, CHARLIE, "latency score, ppm") < 1_000_000);
	assert_eq!(figure(&report, FERDIE, "largest efficiency, ppm"), 1_100_000);
	assert_eq!(figure(&report, BOB, "stages") + 1, figure(&report, CHARLIE, "stages"));
	assert_eq!(
		figure(&report, ALICE, "reward, planck"),
		figure(&report, ALICE, "bound by β, planck"),
		"burnt fees bound what dust earns"
	);
	assert!(figure(&report, ALICE, "work") < 10, "and how much of it counts");
	assert_eq!(worker(&report, FERDIE)["how"], "kept for a claim");
	assert_eq!(worker(&report, BOB)["how"], "minted");

	// The tables say the same.
	let output = script(&url, &["--era", "1"]).await;
	let said = text(&output.stdout);
	assert_eq!(output.status.code(), Some(0), "{said}\n{}", text(&output.stderr));
	assert!(said.contains("EQUAL: the rewards of era 1"), "{said}");
	assert!(said.contains(&format!("worker {}", account(BOB))), "{said}");

	let report = eventually("the empty era's settlement", SETTLING, || async {
		let output = script(&url, &["--era", "2", "--json"]).await;
		Ok((output.status.code() == Some(0)).then(|| text(&output.stdout)))
	})
	.await
	.unwrap();
	let report: Value = serde_json::from_str(&report).unwrap();
	assert_eq!(report["workers"], Value::Array(Vec::new()));
	assert_eq!(report["authors"].as_array().unwrap().len(), 1);

	should_not_answer(&url, 1_000, "era 1000 has not begun").await;
	let output = script(&url, &[]).await;
	assert_eq!(output.status.code(), Some(2), "{}", text(&output.stderr));
}

#[tokio::test]
async fn a_node_without_old_states_should_be_told_from_one_that_has_them() {
	let options = Options::dev_with_idle(IDLE).arg("--state-pruning").arg("8");
	let node = Node::start(options).await.unwrap();
	let client = Client::connect(&node.url()).await.unwrap();
	for _ in 0..2 {
		next_era(&client).await;
	}
	// The first one is settled once its epoch is over.
	let key = storage_prefix(b"RewardDistributor", b"NextToSettle");
	eventually("the first era's settlement", SETTLING, || async {
		let next: Option<EraIndex> = client.storage(&key, None).await?;
		Ok(next.filter(|next| *next > 0))
	})
	.await
	.unwrap();
	let (number, _) = client.finalized().await.unwrap();
	client.finalized_after(number + 20).await.unwrap();

	should_not_answer(&node.url(), 0, "--state-pruning archive").await;
}
