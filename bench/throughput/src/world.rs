//! Who takes part: accounts that are made for the purpose, two models, and the calls that register
//! them all.

use crate::{
	chain::{Chain, Site},
	draft::Push,
};
use anyhow::{anyhow, ensure, Result};
use aria_primitives::{
	consent::{Consent, RewardMode, RewardPreference, Schedule, TaskType},
	hashing::{peer_binding, sha256},
	manifest::{
		Architecture, Attention, Encoding, Gate, Head, Manifest, Tensor, TensorRole,
		MANIFEST_VERSION, NO_LAYER,
	},
	record::LayerRange,
	traits::Offer,
	AccountId, Balance, BlockNumber, ModelId, ARIA,
};
use aria_runtime::{
	dynamic::{
		dynamic_params::uptime::{Challenges, Parameters as Uptime},
		RuntimeParameters,
	},
	parameters::FreeFrom,
	Address, Parameters, Runtime, RuntimeCall,
};
use codec::Encode;
use frame_support::{dispatch::CallableCallFor, traits::Get};
use pallet_inference_market::free_from;
use pallet_worker_registry::ServedShard;
use sp_core::{ed25519, sr25519, Pair as _, H256};
use sp_keyring::Sr25519Keyring;
use sp_runtime::BoundedVec;
use std::collections::VecDeque;

pub type Pair = sr25519::Pair;
pub type Balances = pallet_balances::Call<Runtime>;
pub type Consents = pallet_consent_registry::Call<Runtime>;
pub type Market = pallet_inference_market::Call<Runtime>;
pub type Models = pallet_model_registry::Call<Runtime>;
pub type Workers = pallet_worker_registry::Call<Runtime>;
/// Calls of the pallet that keeps parameters.
type ParameterCall = CallableCallFor<Parameters, Runtime>;

/// Layers of both models: as many as a record may have stages.
pub const LAYERS: u16 = 32;
/// Layers of the largest manifest.
pub const MOST_LAYERS: u16 = 49;
/// Different workers and requesters, so that records don't all touch the same keys.
pub const WORKERS: usize = 64;
pub const REQUESTERS: usize = 64;
/// Tokens of each record, those of the prompt that were cached included.
pub const PROMPT_TOKENS: u32 = 64;
pub const OUTPUT_TOKENS: u32 = 128;

const STAKE: Balance = 60 * ARIA;
const ESCROW: Balance = 600 * ARIA;
const KEY_LIFE: BlockNumber = 1_000_000;
/// What each kind of account begins with.
const WORKER_FUNDS: Balance = 65 * ARIA;
const REQUESTER_FUNDS: Balance = 1_000 * ARIA;
const GATEWAY_FUNDS: Balance = 200_000 * ARIA;
/// What the gateway stakes on top of the least stake: enough for all that is settled.
const GATEWAY_MORE: Balance = 199_000 * ARIA;
const SUBMITTER_FUNDS: Balance = 100_000 * ARIA;

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

/// An account that pays for records, and the key that signs its tickets.
pub struct Requester {
	/// The account.
	pub account: Pair,
	/// Its spending key.
	pub key: Pair,
}

/// Who takes part.
pub struct World {
	/// Registers models; also sudo.
	pub owner: Pair,
	/// Serves all queries.
	pub gateway: Pair,
	/// Sends settlements.
	pub submitter: Pair,
	/// Run stages; each serves all layers of the first model.
	pub workers: Vec<Pair>,
	/// Pay.
	pub requesters: Vec<Requester>,
	/// The pinned models. The records are the first one's.
	pub models: [ModelId; 2],
	/// What a token costs.
	offer: Offer,
	/// Grows by one with all that has to differ from what was made before.
	made: u64,
}

impl World {
	/// Makes the accounts and registers everything on a new chain, in as many blocks as it takes.
	/// Tokens cost as much as makes the settlement of a record of so many stages free.
	pub fn set_up(chain: &mut Chain, stages: u32) -> Result<Self> {
		let manifests = [manifest(LAYERS, 0)?, manifest(LAYERS, 1)?];
		let world = Self {
			owner: Sr25519Keyring::Alice.pair(),
			gateway: seeded("gateway", 0),
			submitter: seeded("submitter", 0),
			workers: (0..WORKERS).map(|index| seeded("worker", index)).collect(),
			requesters: (0..REQUESTERS)
				.map(|index| Requester {
					account: seeded("requester", index),
					key: seeded("spending key", index),
				})
				.collect(),
			models: [manifests[0].model_id(), manifests[1].model_id()],
			offer: offer(stages),
			made: 0,
		};
		let site = chain.site();
		let mut calls = world.endowments();
		for manifest in manifests {
			calls.push((world.owner.clone(), register(&manifest)?));
			let pin = Models::pin { model: manifest.model_id() };
			let sudo = pallet_sudo::Call::<Runtime>::sudo { call: Box::new(pin.into()) };
			calls.push((world.owner.clone(), RuntimeCall::Sudo(sudo)));
		}
		// Nobody is here who would answer challenges.
		let value = RuntimeParameters::Uptime(Uptime::Challenges(Challenges, Some(0)));
		let quiet = ParameterCall::set_parameter { key_value: value };
		let quiet = Box::new(RuntimeCall::Parameters(quiet));
		let sudo = pallet_sudo::Call::<Runtime>::sudo { call: quiet };
		calls.push((world.owner.clone(), RuntimeCall::Sudo(sudo)));
		calls.extend(world.registrations(&site)?);
		include(chain, calls)?;
		Ok(world)
	}

	/// A number that was not given before.
	pub fn next(&mut self) -> u64 {
		self.made = self.made.saturating_add(1);
		self.made
	}

	fn endowments(&self) -> Vec<(Pair, RuntimeCall)> {
		let workers = self.workers.iter().map(|worker| (worker, WORKER_FUNDS));
		let requesters =
			self.requesters.iter().map(|requester| (&requester.account, REQUESTER_FUNDS));
		workers
			.chain(requesters)
			.chain([(&self.gateway, GATEWAY_FUNDS), (&self.submitter, SUBMITTER_FUNDS)])
			.map(|(pair, value)| {
				let dest = Address::Id(account(pair));
				let call = Balances::transfer_allow_death { dest, value };
				(self.owner.clone(), RuntimeCall::Balances(call))
			})
			.collect()
	}

	fn registrations(&self, site: &Site) -> Result<Vec<(Pair, RuntimeCall)>> {
		let mut calls: Vec<(Pair, RuntimeCall)> = vec![
			(self.gateway.clone(), Market::register_gateway {}.into()),
			(self.gateway.clone(), Market::raise_gateway_stake { amount: GATEWAY_MORE }.into()),
			(
				self.gateway.clone(),
				Models::set_offer { model: self.models[0], offer: self.offer }.into(),
			),
		];
		for (index, worker) in self.workers.iter().enumerate() {
			let peer = ed25519::Pair::from_seed(&seed("peer", index));
			let binding = peer_binding(&site.genesis, &account(worker));
			let all = LayerRange { first: 0, end: LAYERS };
			let of_worker: [RuntimeCall; 3] = [
				Consents::set_consent { consent: consent(worker, &self.offer)? }.into(),
				Workers::register_worker {
					peer: peer.public().0,
					peer_signature: peer.sign(binding.as_bytes()).0,
					region: 756,
					stake: STAKE,
				}
				.into(),
				Workers::set_served {
					shards: bounded(vec![ServedShard { model: self.models[0], layers: all }])?,
				}
				.into(),
			];
			calls.extend(of_worker.map(|call| (worker.clone(), call)));
		}
		for requester in &self.requesters {
			let of_requester: [RuntimeCall; 2] = [
				Market::deposit { amount: ESCROW }.into(),
				Market::register_key {
					key: account(&requester.key),
					gateway: account(&self.gateway),
					allowance: ESCROW,
					hourly_cap: ESCROW,
					expiry: site.number.saturating_add(KEY_LIFE),
				}
				.into(),
			];
			calls.extend(of_requester.map(|call| (requester.account.clone(), call)));
		}
		Ok(calls)
	}
}

/// Puts the calls into blocks, in order; all have to succeed.
pub fn include(chain: &mut Chain, calls: Vec<(Pair, RuntimeCall)>) -> Result<()> {
	let mut queue = VecDeque::from(calls);
	while !queue.is_empty() {
		let mut draft = chain.draft()?;
		while let Some((signer, call)) = queue.front() {
			if let Push::Full(bytes) = draft.push(signer, call.clone())? {
				ensure!(draft.extrinsics() > 0, "a call of {bytes} bytes fits into no block");
				break;
			}
			queue.pop_front();
		}
		let built = draft.finish()?;
		built.settled()?;
		chain.append(built)?;
	}
	Ok(())
}

/// The call that registers a model.
pub fn register(manifest: &Manifest) -> Result<RuntimeCall> {
	Ok(Models::register_model { manifest: bounded(manifest.to_bytes())? }.into())
}

/// A model with that many layers; another seed gives another one.
pub fn manifest(layers: u16, seed: u64) -> Result<Manifest> {
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
		root: sha256(&(seed, layer, role).encode()),
	};
	let tensors = (0..layers)
		.flat_map(|layer| LAYER_ROLES.map(|role| (layer, role)))
		.chain([(NO_LAYER, TensorRole::TokenEmbedding), (NO_LAYER, TensorRole::OutputNorm)])
		.map(|(layer, role)| tensor(layer, role))
		.collect();
	Ok(Manifest {
		version: MANIFEST_VERSION,
		architecture: Architecture::LlamaTernary,
		attention: Attention::Gqa { heads: 20, kv_heads: 5, head_dim: 128 },
		hidden: 2_560,
		feed_forward: 6_912,
		layers,
		vocab: 128_256,
		context: 4_096,
		rope_theta: 500_000,
		norm_epsilon_bits: 1e-5_f32.to_bits(),
		gate: Gate::SquaredRelu,
		head: Head::Tied,
		numerics_version: 1,
		bos: Some(128_000),
		eos: bounded(vec![128_001])?,
		tokenizer_hash: sha256(b"tokenizer"),
		chat_template_hash: sha256(b"chat template"),
		tensors: bounded(tensors)?,
		shards: bounded(vec![LayerRange { first: 0, end: layers }])?,
	})
}

/// Planck a token: as much as makes the settlement of a record of so many stages free, and no more, so
/// that no limit on earnings is reached.
fn offer(stages: u32) -> Offer {
	let tokens = Balance::from(PROMPT_TOKENS + OUTPUT_TOKENS);
	let price = free_from(FreeFrom::get(), stages).div_ceil(tokens);
	Offer { prompt_price: price, cached_price: price, output_price: price }
}

fn consent(worker: &Pair, offer: &Offer) -> Result<Consent> {
	Ok(Consent {
		cpu_percent: 25,
		schedule: Schedule::always(),
		task_types: bounded(vec![TaskType::TextGeneration, TaskType::Audit])?,
		max_bandwidth_mbps: 20,
		max_memory_mb: 4_096,
		reward_preference: RewardPreference {
			payout: account(worker),
			minimum_price: offer.output_price,
			mode: RewardMode::Keep,
		},
	})
}

/// The account that a key signs for.
pub fn account(pair: &Pair) -> AccountId {
	AccountId::from(pair.public())
}

fn seed(name: &str, index: usize) -> [u8; 32] {
	let H256(bytes) = sha256(format!("aria-throughput {name} {index}").as_bytes());
	bytes
}

/// The key with this name and number; no chain knows it.
pub fn seeded(name: &str, index: usize) -> Pair {
	Pair::from_seed(&seed(name, index))
}

/// Items within a bound, or an error that tells the bound.
pub fn bounded<T, S: Get<u32>>(items: Vec<T>) -> Result<BoundedVec<T, S>> {
	let count = items.len();
	BoundedVec::try_from(items)
		.map_err(|_| anyhow!("{count} items are more than {} allow", S::get()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;
	use aria_primitives::manifest::MAX_MANIFEST_BYTES;

	#[test]
	fn the_largest_manifest_should_be_valid_and_almost_as_large_as_may_be() {
		let manifest = manifest(MOST_LAYERS, 7).unwrap();
		let bytes = u32::try_from(manifest.to_bytes().len()).unwrap();

		assert_eq!(manifest.check(), Ok(()));
		assert!(bytes <= MAX_MANIFEST_BYTES && bytes > MAX_MANIFEST_BYTES * 9 / 10, "{bytes}");
	}

	#[test]
	fn keys_should_differ_by_name_and_number() {
		let keys = [seeded("a", 0), seeded("a", 1), seeded("b", 0)].map(|pair| pair.public());

		assert!(keys[0] != keys[1] && keys[0] != keys[2] && keys[1] != keys[2]);
	}
}
