//! Accounts, a model, two workers, a gateway and a requester; and records that they could have
//! made.

use crate::chain::{account_of, Chain, Executed};
use aria_primitives::{
	consent::{Consent, RewardMode, RewardPreference, Schedule, TaskType},
	hashing::{peer_binding, sha256},
	manifest::{
		Architecture, Attention, Encoding, Gate, Head, Manifest, Tensor, TensorRole,
		MANIFEST_VERSION, NO_LAYER,
	},
	query::Sampling,
	record::{
		batch_digest, boundary, settlement_digest, Anchor, Batch, BatchEntry, EnergySource,
		FinishReason, LayerRange, Payment, RecordBody, Settlement, Stage, RECORD_VERSION,
	},
	ticket::{AuditMode, SignedTicket, Ticket, TICKET_VERSION},
	traits::Offer,
	AccountId, Balance, BlockNumber, ModelId, PaymentHash, Signature, ARIA,
};
use aria_runtime::{
	dynamic::{
		dynamic_params::uptime::{Challenges, Parameters as Uptime},
		RuntimeParameters,
	},
	parameters, Runtime, RuntimeCall, RuntimeEvent, System,
};
use codec::Encode;
use pallet_inference_market::{record_bytes, RequestPrompt};
use pallet_worker_registry::ServedShard;
use sp_core::{ed25519, sr25519, Pair, H256};
use sp_genesis_builder::DEV_RUNTIME_PRESET;
use sp_keyring::Sr25519Keyring::{self, Alice, Bob, Charlie, Dave, Eve, Ferdie};

pub type Models = pallet_model_registry::Call<Runtime>;
pub type Workers = pallet_worker_registry::Call<Runtime>;
pub type Consents = pallet_consent_registry::Call<Runtime>;
pub type Market = pallet_inference_market::Call<Runtime>;

/// Governs the development chain, and makes its blocks.
pub const SUDO: Sr25519Keyring = Alice;
/// Runs the first layers. Has the stake that workers aim at, and is paid elsewhere.
pub const FIRST: Sr25519Keyring = Bob;
/// Runs the last layers. Has the least stake, and is paid itself.
pub const LAST: Sr25519Keyring = Charlie;
/// Serves queries, and registered the model.
pub const GATEWAY: Sr25519Keyring = Dave;
/// Pays.
pub const REQUESTER: Sr25519Keyring = Eve;
/// Has nothing to do with anything, and submits settlements.
pub const SUBMITTER: Sr25519Keyring = Ferdie;

/// Who signs a batch of records by both workers.
pub const SIGNERS: [Sr25519Keyring; 3] = [FIRST, LAST, GATEWAY];

/// Where [`FIRST`] is paid.
pub const PAYOUT: AccountId = AccountId::new([0xb0; 32]);
/// A hash that names nothing.
pub const NOTHING: H256 = H256::repeat_byte(0xee);
/// Layers of the model.
pub const LAYERS: u16 = 30;
/// The model's alias.
pub const ALIAS: &[u8] = b"aria-2b-1bit";
/// What the gateway asks.
pub const OFFER: Offer =
	Offer { prompt_price: 100_000_000, cached_price: 10_000_000, output_price: 500_000_000 };
/// What the requester has in escrow.
pub const ESCROW: Balance = 1_000 * ARIA;
/// The last block of the spending key.
pub const KEY_EXPIRY: BlockNumber = 1_000_000;

/// The chain with everything registered.
pub struct Flow {
	pub chain: Chain,
	pub model: ModelId,
	/// The settlement that [`Flow::settle`] submitted last.
	pub last: Option<Settlement>,
	/// The request that [`Flow::request`] made last.
	pub request: PaymentHash,
}

impl Flow {
	/// A development chain with a pinned model, an offer, two workers who consent, a gateway, an
	/// escrow and a spending key.
	pub fn new() -> Self {
		let mut chain = Chain::new(DEV_RUNTIME_PRESET);
		let manifest = manifest();
		let (model, bytes) = (manifest.model_id(), manifest.to_bytes());
		let genesis = chain.genesis();
		let register = Models::register_model { manifest: bytes.try_into().unwrap() };
		chain.accept(vec![(GATEWAY, register.into())]);
		let alias = ALIAS.to_vec().try_into().unwrap();
		let mut calls = vec![
			(SUDO, sudo(Models::pin { model })),
			(SUDO, sudo(Models::set_alias { name: alias, model })),
			(GATEWAY, Models::set_offer { model, offer: OFFER }.into()),
			(GATEWAY, Market::register_gateway {}.into()),
			(REQUESTER, Market::deposit { amount: ESCROW }.into()),
			(REQUESTER, register_key(&spending_key(), KEY_EXPIRY)),
			// Nobody is here who would answer.
			(SUDO, sudo(challenges(0))),
		];
		for (worker, stake, payout) in
			[(FIRST, 10 * ARIA, PAYOUT), (LAST, ARIA, LAST.to_account_id())]
		{
			calls.push((worker, register_worker(worker, &genesis, stake)));
			calls.push((worker, serve(model, 0, LAYERS)));
			calls.push((worker, Consents::set_consent { consent: consent(payout) }.into()));
		}
		chain.accept(calls);
		Self { chain, model, last: None, request: NOTHING }
	}

	/// The same in a copy of the chain.
	pub fn fork(&mut self) -> Self {
		Self {
			chain: self.chain.fork(),
			model: self.model,
			last: self.last.clone(),
			request: self.request,
		}
	}

	/// Settles; it has to succeed.
	#[track_caller]
	pub fn settle(&mut self, draft: Draft) -> Executed {
		let settlement = draft.seal();
		self.last = Some(settlement.clone());
		self.chain.accept(vec![(SUBMITTER, settle(settlement))])
	}

	/// Requests an inference of query `nonce` and keeps the request's id.
	pub fn request(&mut self, nonce: u64) -> PaymentHash {
		let call = self.request_call(nonce);
		let executed = self.chain.accept(vec![(REQUESTER, call.into())]);
		self.request = executed.find(|event| match event {
			RuntimeEvent::InferenceMarket(pallet_inference_market::Event::Requested {
				id, ..
			}) => Some(*id),
			_ => None,
		});
		self.request
	}

	/// A request of query `nonce` that is good for 200 blocks.
	pub fn request_call(&self, nonce: u64) -> Market {
		Market::request {
			model_id: self.model,
			prompt: RequestPrompt::Hash(query_hash(nonce)),
			sampling: Sampling::GREEDY,
			max_tokens: 256,
			max_price: ARIA,
			deadline: self.chain.next_number() + 200,
			audit_mode: AuditMode::Any,
		}
	}

	/// Matches a request to these workers, who share the layers evenly.
	pub fn match_request(&mut self, id: PaymentHash, workers: &[Sr25519Keyring]) -> Executed {
		self.chain.accept(vec![(GATEWAY, match_call(id, workers).into())])
	}

	/// Makes the block at the deadline of a request, as if all blocks before had been made.
	pub fn pass_deadline(&mut self, id: PaymentHash) -> Executed {
		let request = self.chain.read(|| pallet_inference_market::Requests::<Runtime>::get(id));
		self.chain.jump_to(request.unwrap().deadline);
		self.chain.block(Vec::new())
	}

	/// A good record by both workers, and a ticket for it.
	pub fn draft(&self, nonce: u64) -> Draft {
		self.draft_by(nonce, &[FIRST, LAST])
	}

	/// A good record by these workers, who share the layers evenly, and a ticket for it.
	pub fn draft_by(&self, nonce: u64, workers: &[Sr25519Keyring]) -> Draft {
		let (genesis, head) = (self.chain.genesis(), self.chain.head());
		let stages: Vec<Stage> = shares(workers)
			.into_iter()
			.map(|(node, layers)| Stage {
				node,
				layers,
				energy_mj: 20_000,
				energy_source: EnergySource::Rapl,
				consent_version: 1,
			})
			.collect();
		let query_hash = query_hash(nonce);
		let boundaries: Vec<H256> = (0..=stages.len() as u16)
			.map(|index| boundary(index, &sha256(&index.encode()), &query_hash))
			.collect();
		let key = spending_key();
		Draft {
			ticket_genesis: genesis,
			record_genesis: genesis,
			ticket: Ticket {
				version: TICKET_VERSION,
				requester: REQUESTER.to_account_id(),
				key: account_of(&key),
				gateway: GATEWAY.to_account_id(),
				model_id: self.model,
				query_hash,
				max_price: 10 * ARIA,
				nonce,
				expiry: head.number + 100,
				audit_mode: AuditMode::Any,
			},
			ticket_key: key,
			request: None,
			paid_by: None,
			stage_keys: workers.iter().map(|worker| Some(worker.pair())).collect(),
			gateway_key: GATEWAY.pair(),
			body: RecordBody {
				version: RECORD_VERSION,
				model_id: self.model,
				query_hash,
				output_hash: sha256(&("an answer", nonce).encode()),
				output_tokens_hash: sha256(&("its tokens", nonce).encode()),
				finish_reason: FinishReason::Stop,
				prompt_tokens: 64,
				cached_tokens: 16,
				output_tokens: 128,
				energy_mj: stages.iter().map(|stage| stage.energy_mj).sum(),
				stages: stages.try_into().unwrap(),
				boundaries: boundaries.try_into().unwrap(),
				latency_ms: 8_000,
				timestamp: self.chain.now(),
				anchor: Anchor { number: head.number, hash: head.hash },
				ticket_hash: NOTHING,
			},
		}
	}

	/// The draft's anchor, moved to block `number`.
	pub fn anchor(&mut self, number: BlockNumber) -> Anchor {
		let head = self.chain.head();
		let hash = if number == head.number {
			head.hash
		} else {
			self.chain.read(|| System::block_hash(number))
		};
		Anchor { number, hash }
	}

	/// Free balance, in planck.
	pub fn free(&mut self, who: &AccountId) -> Balance {
		self.chain.read(|| System::account(who).data.free)
	}

	/// What the requester has in escrow, and what of it is reserved, in planck.
	pub fn escrow(&mut self) -> (Balance, Balance) {
		let requester = REQUESTER.to_account_id();
		let escrow =
			self.chain.read(|| pallet_inference_market::Escrows::<Runtime>::get(requester));
		(escrow.held, escrow.reserved)
	}
}

/// A record before it is hashed and signed, for tests to change.
#[derive(Clone)]
pub struct Draft {
	/// The chain that the ticket is for.
	pub ticket_genesis: H256,
	/// The chain that the record is for.
	pub record_genesis: H256,
	pub ticket: Ticket,
	/// Who signs the ticket.
	pub ticket_key: sr25519::Pair,
	/// The request that pays in the ticket's place.
	pub request: Option<PaymentHash>,
	/// What the record says that pays, if not what does.
	pub paid_by: Option<PaymentHash>,
	/// Who signs each stage.
	pub stage_keys: Vec<Option<sr25519::Pair>>,
	/// Who signs the settlement.
	pub gateway_key: sr25519::Pair,
	pub body: RecordBody,
}

impl Draft {
	/// Changes stage `index` and keeps the sum of energy right.
	pub fn stage(&mut self, index: usize, change: impl FnOnce(&mut Stage)) {
		let mut stages = self.body.stages.clone().into_inner();
		change(&mut stages[index]);
		self.stages(stages);
	}

	/// Replaces the stages and keeps the sum of energy right.
	pub fn stages(&mut self, stages: Vec<Stage>) {
		self.body.energy_mj =
			stages.iter().fold(0, |sum: u64, stage| sum.saturating_add(stage.energy_mj));
		self.body.stages = stages.try_into().unwrap();
	}

	fn bind(mut self) -> (H256, RecordBody, Payment) {
		let (hash, payment) = match self.request {
			Some(id) => (id, Payment::Request(id)),
			None => {
				let hash = self.ticket.hash(&self.ticket_genesis);
				let signature = self.ticket_key.sign(hash.as_bytes()).into();
				(hash, Payment::Ticket(SignedTicket { ticket: self.ticket, signature }))
			}
		};
		self.body.ticket_hash = self.paid_by.unwrap_or(hash);
		(self.body.id(&self.record_genesis), self.body, payment)
	}

	/// Hashes and signs.
	pub fn seal(self) -> Settlement {
		let (keys, gateway) = (self.stage_keys.clone(), self.gateway_key.clone());
		let (id, body, payment) = self.bind();
		let signatures: Vec<Option<Signature>> =
			keys.into_iter().map(|key| key.map(|key| key.sign(id.as_bytes()).into())).collect();
		let digest = settlement_digest(&id, stage_set(&signatures));
		Settlement {
			id,
			body,
			payment,
			signatures: signatures.try_into().unwrap(),
			gateway_signature: gateway.sign(digest.as_bytes()).into(),
		}
	}
}

/// Bit `i` is set if stage `i` signed.
pub fn stage_set(signatures: &[Option<Signature>]) -> u32 {
	let signed = (0..).zip(signatures).filter(|(_, signature)| signature.is_some());
	signed.fold(0, |set, (index, _): (u32, _)| set | (1 << index))
}

/// A batch of these records that these accounts sign.
pub fn batch(chain: &Chain, drafts: Vec<Draft>, signers: &[Sr25519Keyring]) -> Batch {
	let entries: Vec<BatchEntry> = drafts
		.into_iter()
		.map(|draft| {
			let (id, body, payment) = draft.bind();
			BatchEntry { id, body, payment }
		})
		.collect();
	let ids: Vec<H256> = entries.iter().map(|entry| entry.id).collect();
	let mut signers: Vec<_> =
		signers.iter().map(|signer| (signer.to_account_id(), signer)).collect();
	signers.sort_by(|(one, _), (other, _)| one.cmp(other));
	let accounts: Vec<AccountId> = signers.iter().map(|(account, _)| account.clone()).collect();
	let digest = batch_digest(&chain.genesis(), &ids, &accounts);
	let signatures: Vec<(AccountId, Signature)> = signers
		.into_iter()
		.map(|(account, signer)| (account, signer.pair().sign(digest.as_bytes()).into()))
		.collect();
	Batch { entries: entries.try_into().unwrap(), signatures: signatures.try_into().unwrap() }
}

/// What a record costs at the gateway's offer.
pub fn price(body: &RecordBody) -> Balance {
	tokens_price(body)
		+ parameters::ByteFee::get() * Balance::from(record_bytes(body.stages.len() as u32))
}

/// What the tokens of a record cost at the gateway's offer.
pub fn tokens_price(body: &RecordBody) -> Balance {
	OFFER.prompt_price * Balance::from(body.prompt_tokens - body.cached_tokens)
		+ OFFER.cached_price * Balance::from(body.cached_tokens)
		+ OFFER.output_price * Balance::from(body.output_tokens)
}

/// The hash of query `nonce`.
pub fn query_hash(nonce: u64) -> H256 {
	sha256(&("a query", nonce).encode())
}

/// The key whose tickets spend the requester's escrow.
pub fn spending_key() -> sr25519::Pair {
	sr25519::Pair::from_string("//Eve//spending", None).unwrap()
}

/// A key that nobody knows.
pub fn strange_key() -> sr25519::Pair {
	sr25519::Pair::from_string("//Nobody", None).unwrap()
}

/// The peer key of a worker.
pub fn peer(worker: Sr25519Keyring) -> ed25519::Pair {
	ed25519::Pair::from_seed(&worker.to_raw_public())
}

/// A consent that is good at any time.
pub fn consent(payout: AccountId) -> Consent {
	Consent {
		cpu_percent: 50,
		schedule: Schedule::always(),
		task_types: vec![TaskType::TextGeneration, TaskType::Audit].try_into().unwrap(),
		max_bandwidth_mbps: 100,
		max_memory_mb: 8_192,
		reward_preference: RewardPreference {
			payout,
			minimum_price: 1_000_000,
			mode: RewardMode::Keep,
		},
	}
}

/// The layers in even parts.
fn shares(workers: &[Sr25519Keyring]) -> Vec<(AccountId, LayerRange)> {
	let (count, mut first) = (workers.len() as u16, 0);
	let share = |(index, worker): (u16, &Sr25519Keyring)| {
		let end = LAYERS * (index + 1) / count;
		let layers = LayerRange { first, end };
		first = end;
		(worker.to_account_id(), layers)
	};
	(0..).zip(workers).map(share).collect()
}

/// A manifest in the shape of the two-billion-parameter model.
pub fn manifest() -> Manifest {
	let global = [TensorRole::TokenEmbedding, TensorRole::OutputNorm].map(|role| (NO_LAYER, role));
	let roles = [
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
	let tensors: Vec<Tensor> = (0..LAYERS)
		.flat_map(|layer| roles.map(|role| (layer, role)))
		.chain(global)
		.map(|(layer, role)| Tensor {
			layer,
			role,
			encoding: Encoding::Ternary2,
			root: sha256(&(layer, role).encode()),
		})
		.collect();
	let shards = [(0, 10), (10, 20), (20, LAYERS)].map(|(first, end)| LayerRange { first, end });
	Manifest {
		version: MANIFEST_VERSION,
		architecture: Architecture::LlamaTernary,
		attention: Attention::Gqa { heads: 20, kv_heads: 5, head_dim: 128 },
		hidden: 2_560,
		feed_forward: 6_912,
		layers: LAYERS,
		vocab: 128_256,
		context: 4_096,
		rope_theta: 500_000,
		norm_epsilon_bits: 1e-5f32.to_bits(),
		gate: Gate::SquaredRelu,
		head: Head::Tied,
		numerics_version: 1,
		bos: Some(128_000),
		eos: vec![128_001].try_into().unwrap(),
		tokenizer_hash: sha256(b"tokenizer.json"),
		chat_template_hash: sha256(b"chat template"),
		tensors: tensors.try_into().unwrap(),
		shards: shards.to_vec().try_into().unwrap(),
	}
}

/// A call by root.
pub fn sudo(call: impl Into<RuntimeCall>) -> RuntimeCall {
	RuntimeCall::Sudo(pallet_sudo::Call::sudo { call: Box::new(call.into()) })
}

/// Sets how often workers are asked in an era.
pub fn challenges(count: u32) -> RuntimeCall {
	let value = RuntimeParameters::Uptime(Uptime::Challenges(Challenges, Some(count)));
	RuntimeCall::Parameters(pallet_parameters::Call::set_parameter { key_value: value })
}

/// Settles a record.
pub fn settle(settlement: Settlement) -> RuntimeCall {
	Market::settle { settlement: Box::new(settlement) }.into()
}

/// Settles a batch.
pub fn settle_batch(batch: Batch) -> RuntimeCall {
	Market::settle_batch { batch: Box::new(batch) }.into()
}

/// Matches a request to these workers, who share the layers evenly.
pub fn match_call(id: PaymentHash, workers: &[Sr25519Keyring]) -> Market {
	Market::match_request { id, stages: shares(workers).try_into().unwrap() }
}

/// Registers a spending key.
pub fn register_key(key: &sr25519::Pair, expiry: BlockNumber) -> RuntimeCall {
	Market::register_key {
		key: account_of(key),
		gateway: GATEWAY.to_account_id(),
		allowance: ESCROW,
		hourly_cap: ESCROW,
		expiry,
	}
	.into()
}

/// Changes the limits of the spending key.
pub fn update_key(allowance: Balance, hourly_cap: Balance, expiry: BlockNumber) -> RuntimeCall {
	Market::update_key { key: account_of(&spending_key()), allowance, hourly_cap, expiry }.into()
}

/// Registers a worker whose peer key signed its account on the chain with this genesis.
pub fn register_worker(worker: Sr25519Keyring, genesis: &H256, stake: Balance) -> RuntimeCall {
	let message = peer_binding(genesis, &worker.to_account_id());
	let peer = peer(worker);
	Workers::register_worker {
		peer: peer.public().into(),
		peer_signature: peer.sign(message.as_bytes()).into(),
		region: 276,
		stake,
	}
	.into()
}

/// Serves layers of a model.
pub fn serve(model: ModelId, first: u16, end: u16) -> RuntimeCall {
	let shard = ServedShard { model, layers: LayerRange { first, end } };
	Workers::set_served { shards: vec![shard].try_into().unwrap() }.into()
}
