//! The protocol's main path with development keys: a model, two workers with half of its layers
//! each, a gateway, a requester with a spending key, and records that its stages sign. No model
//! runs: what the records say of tokens, energy and time is made up.

use crate::{
	client::{Client, Included},
	keys::{self, Pair},
};
use anyhow::{anyhow, Context, Result};
use aria_primitives::{
	consent::{Consent, RewardMode, RewardPreference, Schedule, TaskType},
	hashing::{peer_binding, sha256},
	manifest::{
		Architecture, Attention, Encoding, Gate, Head, Manifest, Tensor, TensorRole,
		MANIFEST_VERSION, NO_LAYER,
	},
	query::{CanonicalQuery, Sampling, QUERY_VERSION},
	record::{
		boundary, settlement_digest, Anchor, EnergySource, FinishReason, LayerRange, Payment,
		RecordBody, RecordEntry, Settlement, Stage, RECORD_VERSION,
	},
	ticket::{AuditMode, SignedTicket, Ticket, TICKET_VERSION},
	traits::Offer,
	AccountId, Balance, BlockNumber, EpochIndex, ModelId, RecordId, Signature, ARIA,
};
use aria_runtime::{
	dynamic::{
		dynamic_params::uptime::{Challenges, Parameters as Uptime},
		RuntimeParameters,
	},
	Hash, Runtime, RuntimeCall, RuntimeEvent,
};
use codec::Encode;
use frame_support::traits::Get;
use pallet_worker_registry::ServedShard;
use sp_core::{Pair as _, H256};
use sp_runtime::BoundedVec;

/// Layers of the model.
pub const LAYERS: u16 = 2;
/// The name under which the model is known.
pub const ALIAS: &str = "aria-demo";
/// What the gateway asks for, in planck a token: an answer of a hundred tokens costs enough that its
/// settlement is free.
pub const OFFER: Offer =
	Offer { prompt_price: 50_000_000, cached_price: 5_000_000, output_price: 300_000_000 };
/// What each worker puts on hold, in planck.
pub const STAKE: Balance = 10 * ARIA;
/// What the requester puts into its escrow, in planck.
pub const ESCROW: Balance = 50 * ARIA;
/// Most that the spending key may ever take, in planck.
pub const ALLOWANCE: Balance = 20 * ARIA;
/// Most that it may take in an hour, in planck.
pub const HOURLY_CAP: Balance = 5 * ARIA;
/// Blocks for which a ticket is good.
pub const TICKET_LIFE: BlockNumber = 300;

/// Blocks for which the spending key is good.
const KEY_LIFE: BlockNumber = 100_000;
/// Parts of a layer, in canonical order.
const LAYER_ROLES: [TensorRole; 9] = [
	TensorRole::AttentionNorm,
	TensorRole::Query,
	TensorRole::Key,
	TensorRole::Value,
	TensorRole::AttentionOutput,
	TensorRole::FeedForwardNorm,
	TensorRole::Gate,
	TensorRole::Up,
	TensorRole::Down,
];

/// A model that is registered, pinned and named.
#[derive(Clone, Copy, Debug)]
pub struct Model {
	/// Its id.
	pub id: ModelId,
	/// What is on hold for its manifest, in planck.
	pub deposit: Balance,
}

/// Everything that an inference needs, on chain.
#[derive(Clone, Debug)]
pub struct Network {
	/// The model.
	pub model: Model,
	/// The workers' consents in force.
	pub consents: [u32; 2],
}

/// An inference that was not settled yet. Tests change what they like before they sign it.
#[derive(Clone, Debug)]
pub struct Inference {
	/// What was asked.
	pub query: CanonicalQuery,
	/// What pays.
	pub ticket: Ticket,
	/// What the stages sign; its ticket hash is filled in by [`Inference::settlement`].
	pub body: RecordBody,
}

/// A small model: two layers with grouped-query attention. Another name gives another model.
pub fn manifest(name: &str) -> Result<Manifest> {
	let tensor = |layer: u16, role: TensorRole| Tensor {
		layer,
		role,
		encoding: match role {
			TensorRole::TokenEmbedding => Encoding::Int8Row,
			TensorRole::OutputNorm | TensorRole::AttentionNorm | TensorRole::FeedForwardNorm => {
				Encoding::F32
			}
			_ => Encoding::Ternary2,
		},
		root: sha256(&(name, layer, role).encode()),
	};
	let tensors = (0..LAYERS)
		.flat_map(|layer| LAYER_ROLES.map(|role| (layer, role)))
		.chain([(NO_LAYER, TensorRole::TokenEmbedding), (NO_LAYER, TensorRole::OutputNorm)])
		.map(|(layer, role)| tensor(layer, role))
		.collect();
	Ok(Manifest {
		version: MANIFEST_VERSION,
		architecture: Architecture::LlamaTernary,
		attention: Attention::Gqa { heads: 4, kv_heads: 2, head_dim: 16 },
		hidden: 64,
		feed_forward: 192,
		layers: LAYERS,
		vocab: 512,
		context: 2_048,
		rope_theta: 10_000,
		norm_epsilon_bits: 1e-5_f32.to_bits(),
		gate: Gate::SquaredRelu,
		head: Head::Tied,
		numerics_version: 1,
		bos: Some(1),
		eos: bounded(vec![2])?,
		tokenizer_hash: sha256(b"a tokenizer whose tokens are bytes"),
		chat_template_hash: sha256(b"a template that changes nothing"),
		tensors: bounded(tensors)?,
		shards: bounded((0..LAYERS).map(layer).collect())?,
	})
}

/// What each worker allows: a quarter of its CPUs, at any hour.
pub fn consent(worker: &Pair) -> Result<Consent> {
	Ok(Consent {
		cpu_percent: 25,
		schedule: Schedule::always(),
		task_types: bounded(vec![TaskType::TextGeneration, TaskType::Audit])?,
		max_bandwidth_mbps: 20,
		max_memory_mb: 4_096,
		reward_preference: RewardPreference {
			payout: keys::account(worker),
			minimum_price: OFFER.output_price / 2,
			mode: RewardMode::Keep,
		},
	})
}

// --- what each party does once ------------------------------------------------------------------

/// The owner registers the model, and pins and names it as sudo.
pub async fn add_model(client: &Client, manifest: &Manifest, alias: &str) -> Result<Model> {
	let id = manifest.model_id();
	let as_root = |call| {
		let call = Box::new(RuntimeCall::ModelRegistry(call));
		RuntimeCall::Sudo(pallet_sudo::Call::sudo { call })
	};
	let calls = vec![
		RuntimeCall::ModelRegistry(pallet_model_registry::Call::register_model {
			manifest: bounded(manifest.to_bytes())?,
		}),
		as_root(pallet_model_registry::Call::pin { model: id }),
		as_root(pallet_model_registry::Call::set_alias {
			name: bounded(alias.as_bytes().to_vec())?,
			model: id,
		}),
	];
	let included = client.submit_all(&keys::owner(), calls).await?;
	let deposit = included
		.find(|event| match event {
			RuntimeEvent::ModelRegistry(pallet_model_registry::Event::ModelRegistered {
				model,
				deposit,
				..
			}) if *model == id => Some(*deposit),
			_ => None,
		})
		.context("the chain does not say that the model is registered under its id")?;
	Ok(Model { id, deposit })
}

/// A worker sets its consent and registers; returns the version of the consent.
pub async fn join(client: &Client, worker: usize) -> Result<u32> {
	let pair = worker_pair(worker)?;
	let peer = keys::peer(worker);
	let binding = peer_binding(&client.genesis(), &keys::account(&pair));
	let calls = vec![
		RuntimeCall::ConsentRegistry(pallet_consent_registry::Call::set_consent {
			consent: consent(&pair)?,
		}),
		RuntimeCall::WorkerRegistry(pallet_worker_registry::Call::register_worker {
			peer: peer.public().0,
			peer_signature: peer.sign(binding.as_bytes()).0,
			region: 756,
			stake: STAKE,
		}),
	];
	let included = client.submit_all(&pair, calls).await?;
	included
		.find(|event| match event {
			RuntimeEvent::ConsentRegistry(pallet_consent_registry::Event::ConsentSet {
				version,
				..
			}) => Some(*version),
			_ => None,
		})
		.context("the chain does not say that the consent is set")
}

/// A worker says that it serves its half of the model's layers.
pub async fn serve(client: &Client, worker: usize, model: ModelId) -> Result<Included> {
	let layers = layer(u16::try_from(worker)?);
	let shards = bounded(vec![ServedShard { model, layers }])?;
	let call = pallet_worker_registry::Call::<Runtime>::set_served { shards };
	client.submit(&worker_pair(worker)?, call).await?.success()
}

/// The gateway registers, with its stake on hold.
pub async fn open_gateway(client: &Client) -> Result<Included> {
	let call = pallet_inference_market::Call::<Runtime>::register_gateway {};
	client.submit(&keys::gateway(), call).await?.success()
}

/// The gateway says what it asks for the model's tokens.
pub async fn sell(client: &Client, model: ModelId) -> Result<Included> {
	let call = pallet_model_registry::Call::<Runtime>::set_offer { model, offer: OFFER };
	client.submit(&keys::gateway(), call).await?.success()
}

/// The requester fills its escrow.
pub async fn fund(client: &Client) -> Result<Included> {
	let call = pallet_inference_market::Call::<Runtime>::deposit { amount: ESCROW };
	client.submit(&keys::requester(), call).await?.success()
}

/// The requester registers its spending key, bound to the gateway.
pub async fn authorise(client: &Client) -> Result<Included> {
	let call = pallet_inference_market::Call::<Runtime>::register_key {
		key: keys::account(&keys::spending_key()),
		gateway: keys::account(&keys::gateway()),
		allowance: ALLOWANCE,
		hourly_cap: HOURLY_CAP,
		expiry: client.best().await?.0.saturating_add(KEY_LIFE),
	};
	client.submit(&keys::requester(), call).await?.success()
}

/// The first version of the runtime that challenges workers.
const CHALLENGES_SINCE: u32 = 2;

/// Has each worker be asked so many times in an era whether it is there: not at all, where workers are
/// accounts without a process.
pub async fn ask_workers(client: &Client, times: u32) -> Result<Included> {
	let value = RuntimeParameters::Uptime(Uptime::Challenges(Challenges, Some(times)));
	let call = RuntimeCall::Parameters(pallet_parameters::Call::set_parameter { key_value: value });
	let sudo = RuntimeCall::Sudo(pallet_sudo::Call::sudo { call: Box::new(call) });
	client.submit(&keys::owner(), sudo).await?.success()
}

/// All of this, in two blocks: what does not depend on each other goes together.
pub async fn set_up(client: &Client) -> Result<Network> {
	let manifest = manifest(ALIAS)?;
	let (model, first, second, _, _) = tokio::try_join!(
		add_model(client, &manifest, ALIAS),
		join(client, 0),
		join(client, 1),
		open_gateway(client),
		fund(client),
	)?;
	tokio::try_join!(
		serve(client, 0, model.id),
		serve(client, 1, model.id),
		sell(client, model.id),
		authorise(client),
	)?;
	// Nobody was asked before there were challenges.
	if client.spec_version() >= CHALLENGES_SINCE {
		ask_workers(client, 0).await?;
	}
	Ok(Network { model, consents: [first, second] })
}

// --- what happens for each question -------------------------------------------------------------

impl Network {
	/// An answer to a question, computed by both workers, anchored at the last final block.
	/// `nonce` is the ticket's, new for each.
	pub async fn infer(
		&self,
		client: &Client,
		prompt: &str,
		answer: &str,
		nonce: u64,
	) -> Result<Inference> {
		let (number, hash) = client.finalized().await?;
		let (prompt_tokens, output_tokens) = (tokens(prompt), tokens(answer));
		let query = CanonicalQuery {
			version: QUERY_VERSION,
			model_id: self.model.id,
			prompt_tokens: bounded(prompt_tokens)?,
			sampling: Sampling::GREEDY,
			max_tokens: 1_024,
			stop: BoundedVec::new(),
			salt: sha256(&("salt", nonce).encode()).0,
		};
		let query_hash = query.hash();
		let ticket = Ticket {
			version: TICKET_VERSION,
			requester: keys::account(&keys::requester()),
			key: keys::account(&keys::spending_key()),
			gateway: keys::account(&keys::gateway()),
			model_id: self.model.id,
			query_hash,
			max_price: ARIA,
			nonce,
			expiry: number.saturating_add(TICKET_LIFE),
			audit_mode: AuditMode::Any,
		};
		let stages = self.stages()?;
		let boundaries = (0..=LAYERS).map(|index| {
			let root = sha256(&("activations", index, query_hash).encode());
			boundary(index, &root, &query_hash)
		});
		let body = RecordBody {
			version: RECORD_VERSION,
			model_id: self.model.id,
			query_hash,
			output_hash: output_hash(answer, &query.salt),
			output_tokens_hash: sha256(&output_tokens.encode()),
			finish_reason: FinishReason::Stop,
			prompt_tokens: u32::try_from(query.prompt_tokens.len())?,
			cached_tokens: 0,
			output_tokens: u32::try_from(output_tokens.len())?,
			energy_mj: stages.iter().map(|stage| stage.energy_mj).sum(),
			stages: bounded(stages)?,
			boundaries: bounded(boundaries.collect())?,
			latency_ms: 840,
			timestamp: client.now().await?,
			anchor: Anchor { number, hash },
			ticket_hash: H256::zero(),
		};
		Ok(Inference { query, ticket, body })
	}

	/// [`Network::infer`], signed by everybody and settled by the stranger.
	pub async fn settle(
		&self,
		client: &Client,
		prompt: &str,
		answer: &str,
		nonce: u64,
	) -> Result<(RecordId, Included)> {
		let inference = self.infer(client, prompt, answer, nonce).await?;
		let settlement = inference.settlement(&client.genesis())?;
		let id = settlement.id;
		let included = client.submit(&keys::stranger(), settle(settlement)).await?.success()?;
		Ok((id, included))
	}

	fn stages(&self) -> Result<Vec<Stage>> {
		let measured = [(41_500, EnergySource::Rapl), (38_200, EnergySource::Estimate)];
		keys::workers()
			.iter()
			.zip(self.consents)
			.zip(measured)
			.enumerate()
			.map(|(index, ((worker, consent_version), (energy_mj, energy_source)))| {
				Ok(Stage {
					node: keys::account(worker),
					layers: layer(u16::try_from(index)?),
					energy_mj,
					energy_source,
					consent_version,
				})
			})
			.collect()
	}
}

impl Inference {
	/// Signed by the spending key, by the worker of each stage and by the gateway, for the chain with
	/// this genesis.
	pub fn settlement(&self, genesis: &Hash) -> Result<Settlement> {
		let hash = self.ticket.hash(genesis);
		let mut body = self.body.clone();
		body.ticket_hash = hash;
		let id = body.id(genesis);
		let workers = keys::workers();
		let signatures: Vec<Option<Signature>> = body
			.stages
			.iter()
			.map(|stage| {
				let worker = workers.iter().find(|pair| keys::account(pair) == stage.node);
				worker.map(|pair| keys::sign(pair, &id))
			})
			.collect();
		let digest = settlement_digest(&id, stage_set(&signatures));
		let ticket = SignedTicket {
			ticket: self.ticket.clone(),
			signature: keys::sign(&keys::spending_key(), &hash),
		};
		Ok(Settlement {
			id,
			body,
			payment: Payment::Ticket(ticket),
			signatures: bounded(signatures)?,
			gateway_signature: keys::sign(&keys::gateway(), &digest),
		})
	}
}

/// The set of stages that signed: bit `i` is set for stage `i`.
pub fn stage_set(signatures: &[Option<Signature>]) -> u32 {
	(0..u32::BITS)
		.zip(signatures)
		.filter(|(_, signature)| signature.is_some())
		.fold(0, |set, (index, _)| set | 1u32.checked_shl(index).unwrap_or(0))
}

/// The call that settles a record.
pub fn settle(settlement: Settlement) -> RuntimeCall {
	RuntimeCall::InferenceMarket(pallet_inference_market::Call::settle {
		settlement: Box::new(settlement),
	})
}

/// The record as it lies in the state of a block.
pub async fn record(client: &Client, id: RecordId, at: Hash) -> Result<Option<RecordEntry>> {
	let key = pallet_provenance_ledger::Records::<Runtime>::hashed_key_for(id);
	client.storage(&key, Some(at)).await
}

/// What an account earned in an epoch and is not paid yet, in planck, in the state of a block.
pub async fn unvested(
	client: &Client,
	epoch: EpochIndex,
	account: &AccountId,
	at: Hash,
) -> Result<Balance> {
	let key = pallet_inference_market::Unvested::<Runtime>::hashed_key_for(epoch, account);
	Ok(client.storage(&key, Some(at)).await?.unwrap_or(0))
}

/// What is burnt of an epoch's prices, in planck, in the state of a block.
pub async fn unvested_burn(client: &Client, epoch: EpochIndex, at: Hash) -> Result<Balance> {
	let key = pallet_inference_market::UnvestedBurn::<Runtime>::hashed_key_for(epoch);
	Ok(client.storage(&key, Some(at)).await?.unwrap_or(0))
}

/// `sha256` of the answer, the salt behind it if it is shorter than 64 bytes
/// (`docs/protocol/record.md`).
pub fn output_hash(answer: &str, salt: &[u8; 32]) -> H256 {
	let mut bytes = answer.as_bytes().to_vec();
	if bytes.len() < 64 {
		bytes.extend_from_slice(salt);
	}
	sha256(&bytes)
}

/// One layer, from this one on.
fn layer(first: u16) -> LayerRange {
	LayerRange { first, end: first.saturating_add(1) }
}

/// A token for each byte.
fn tokens(text: &str) -> Vec<u32> {
	text.bytes().map(|byte| u32::from(byte).saturating_add(3)).collect()
}

fn worker_pair(worker: usize) -> Result<Pair> {
	keys::workers().into_iter().nth(worker).with_context(|| format!("there is no worker {worker}"))
}

fn bounded<T, S: Get<u32>>(items: Vec<T>) -> Result<BoundedVec<T, S>> {
	let count = items.len();
	BoundedVec::try_from(items)
		.map_err(|_| anyhow!("{count} items are more than {} allow", S::get()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;

	#[test]
	fn the_manifest_should_be_valid() {
		let manifest = manifest("a").unwrap();

		assert_eq!(manifest.check(), Ok(()));
		assert_ne!(manifest.model_id(), super::manifest("b").unwrap().model_id());
	}

	#[test]
	fn only_short_answers_should_be_salted() {
		let long = "x".repeat(64);

		assert_eq!(output_hash(&long, &[7; 32]), sha256(long.as_bytes()));
		assert_ne!(output_hash("yes", &[7; 32]), output_hash("yes", &[8; 32]));
	}

	#[test]
	fn a_set_of_stages_should_have_a_bit_for_each_signature() {
		let signature = Some(keys::sign(&keys::gateway(), &H256::zero()));

		assert_eq!(stage_set(&[]), 0);
		assert_eq!(stage_set(&[signature.clone(), None, signature.clone()]), 0b101);
		assert_eq!(stage_set(&vec![signature; 32]), u32::MAX);
	}
}
