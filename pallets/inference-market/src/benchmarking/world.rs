//! What benchmarks find on chain: gateway, workers, requesters, models, and what they sign.

use crate::{
	types::{MatchedStages, Request, RequestPrompt, RequestState},
	Answered, AnsweredTotal, BenchmarkHelper, Config, Pallet as Market, RequestCount, Shared,
	SharedTotal, Unvested, UnvestedBurn, UnvestedTotal,
};
use alloc::{format, vec::Vec};
use aria_primitives::{
	hashing::sha256,
	query::Sampling,
	record::{
		batch_digest, settlement_digest, Anchor, Batch, BatchEntry, EnergySource, FinishReason,
		LayerRange, Payment, RecordBody, Settlement, Stage, MAX_STAGES, RECORD_VERSION,
	},
	ticket::{AuditMode, SignedTicket, Ticket, TICKET_VERSION},
	traits::{AuditDraw, Consents, Models, Offer, Workers},
	AccountId, Balance, BlockNumber, ModelId, Moment, OutputHash, PaymentHash, QueryHash, RecordId,
	Signature, ARIA,
};
use frame_benchmarking::{account, whitelisted_caller};
use frame_support::traits::{
	fungible::{Inspect, Mutate},
	Get,
};
use frame_system::{pallet_prelude::BlockNumberFor, RawOrigin};
use sp_core::{crypto::KeyTypeId, sr25519, H256};

/// A hash that differs from that of any other number.
fn numbered(number: u64) -> H256 {
	sha256(&number.to_le_bytes())
}

const KEY_TYPE: KeyTypeId = KeyTypeId(*b"benc");
/// Layers of the first model; each other one has one less.
const LAYERS: u16 = MAX_STAGES as u16;
/// When consents and workers are made.
const BEGIN: BlockNumber = 5;
/// When records are settled.
pub const NOW: BlockNumber = 100;
const NOW_MS: Moment = 1_750_000_000_000;
const OFFER: Offer =
	Offer { prompt_price: 1_000_000, cached_price: 1_000_000, output_price: 1_000_000 };
/// Where the keys of gateway and requesters begin; those of workers begin at 0.
const GATEWAY_KEY: u32 = 1_000;
const TICKET_KEYS: u32 = 2_000;

fn key(index: u32) -> sr25519::Public {
	sp_io::crypto::sr25519_generate(KEY_TYPE, Some(format!("//{index}").into_bytes()))
}

fn sign(key: &sr25519::Public, message: &H256) -> Signature {
	sp_io::crypto::sr25519_sign(KEY_TYPE, key, message.as_bytes())
		.expect("the key was made by this host")
		.into()
}

/// An account with plenty of money.
pub fn rich<T: Config>(who: AccountId) -> AccountId {
	let plenty = T::Currency::minimum_balance()
		.saturating_add(T::GatewayStake::get())
		.saturating_mul(1_000)
		.saturating_add(1_000_000 * ARIA);
	T::Currency::set_balance(&who, plenty);
	who
}

pub fn anybody() -> AccountId {
	whitelisted_caller()
}

pub fn set_block<T: Config>(number: BlockNumber) {
	frame_system::Pallet::<T>::set_block_number(number.into());
}

/// A worker's key and the version of its consent.
#[derive(Clone, Copy)]
pub struct Worker {
	key: sr25519::Public,
	consent: u32,
}

impl Worker {
	pub fn account(&self) -> AccountId {
		self.key.into()
	}
}

/// Who asks what of which model. Nothing of it is shared with another one.
pub struct Case {
	pub requester: AccountId,
	/// The spending key.
	pub key: sr25519::Public,
	pub model: ModelId,
	layers: u16,
	query: QueryHash,
	output: OutputHash,
	anchor: Anchor,
}

impl Case {
	fn new<T: Config>(index: u32, gateway: &AccountId) -> Self {
		let layers = LAYERS - index as u16;
		let requester = rich::<T>(account("requester", index, 0));
		Market::<T>::do_deposit(&requester, 1_000 * ARIA).unwrap();
		let key = key(TICKET_KEYS + index);
		Market::<T>::do_register_key(
			requester.clone(),
			key.into(),
			gateway.clone(),
			Balance::MAX,
			Balance::MAX,
			BlockNumber::MAX,
		)
		.unwrap();
		// So old that a stage may be missing.
		let number = NOW - T::SigningGrace::get() - 1 - index;
		let anchor = Anchor { number, hash: numbered(number.into()) };
		frame_system::BlockHash::<T>::insert(BlockNumberFor::<T>::from(number), anchor.hash);
		Self {
			requester,
			key,
			model: T::Models::benchmark_model(layers, gateway, OFFER),
			layers,
			query: numbered(u64::from(index) + 1),
			output: numbered(u64::from(index) + 1_001),
			anchor,
		}
	}

	/// Registers the workers for the whole model.
	fn serve<T: Config>(&self, workers: &[Worker]) {
		let layers = LayerRange { first: 0, end: self.layers };
		for worker in workers {
			T::Workers::benchmark_worker(&worker.account(), &self.model, layers);
		}
	}

	/// The workers in order, a layer each; the last of them runs what the others leave.
	fn stages(&self, workers: &[Worker]) -> Vec<Stage> {
		let last = workers.len() as u16 - 1;
		(0..=last)
			.zip(workers)
			.map(|(index, worker)| Stage {
				node: worker.account(),
				layers: LayerRange {
					first: index,
					end: if index == last { self.layers } else { index + 1 },
				},
				energy_mj: 1,
				energy_source: EnergySource::Rapl,
				consent_version: worker.consent,
			})
			.collect()
	}

	pub fn body(&self, workers: &[Worker], ticket_hash: PaymentHash) -> RecordBody {
		let boundaries: Vec<H256> =
			(0..=workers.len()).map(|i| H256::repeat_byte(i as u8)).collect();
		RecordBody {
			version: RECORD_VERSION,
			model_id: self.model,
			query_hash: self.query,
			output_hash: self.output,
			output_tokens_hash: H256::repeat_byte(3),
			finish_reason: FinishReason::Stop,
			prompt_tokens: 10,
			cached_tokens: 5,
			output_tokens: 10,
			stages: self.stages(workers).try_into().unwrap(),
			boundaries: boundaries.try_into().unwrap(),
			energy_mj: workers.len() as u64,
			latency_ms: 1_000,
			timestamp: NOW_MS,
			anchor: self.anchor,
			ticket_hash,
		}
	}
}

/// A gateway with offers, workers with consents, requesters with escrows and keys.
pub struct World {
	pub gateway: AccountId,
	gateway_key: sr25519::Public,
	pub cases: Vec<Case>,
	pub workers: Vec<Worker>,
	pub genesis: H256,
}

impl World {
	/// One case, and workers that serve its model.
	pub fn new<T: Config>(workers: u32) -> Self {
		let world = Self::with_cases::<T>(workers, 1);
		world.case().serve::<T>(&world.workers);
		world
	}

	/// Up to [`MAX_STAGES`] cases, and workers that serve nothing yet.
	fn with_cases<T: Config>(workers: u32, cases: u32) -> Self {
		Market::<T>::endow_pot();
		T::BenchmarkHelper::set_time(NOW_MS);
		T::BenchmarkHelper::set_author(account("author", 0, 0));
		set_block::<T>(BEGIN);
		let gateway_key = key(GATEWAY_KEY);
		let gateway = rich::<T>(gateway_key.into());
		Market::<T>::register_gateway(RawOrigin::Signed(gateway.clone()).into()).unwrap();
		let cases = (0..cases).map(|index| Case::new::<T>(index, &gateway)).collect();
		let workers = (0..workers)
			.map(|index| {
				let key = key(index);
				let worker = rich::<T>(key.into());
				Worker { key, consent: T::Consents::benchmark_consent(&worker) }
			})
			.collect();
		set_block::<T>(NOW);
		let genesis = Market::<T>::genesis();
		Self { gateway, gateway_key, cases, workers, genesis }
	}

	/// The first case.
	pub fn case(&self) -> &Case {
		&self.cases[0]
	}

	pub fn ticket(&self, case: &Case) -> (SignedTicket, PaymentHash) {
		let ticket = Ticket {
			version: TICKET_VERSION,
			requester: case.requester.clone(),
			key: case.key.into(),
			gateway: self.gateway.clone(),
			model_id: case.model,
			query_hash: case.query,
			max_price: Balance::MAX,
			nonce: 1,
			expiry: NOW + 1,
			audit_mode: AuditMode::Any,
		};
		let hash = ticket.hash(&self.genesis);
		(SignedTicket { ticket, signature: sign(&case.key, &hash) }, hash)
	}

	/// A record of the first case by all workers, with its ticket.
	pub fn ticketed(&self) -> Settlement {
		let (ticket, hash) = self.ticket(self.case());
		self.settlement(self.case().body(&self.workers, hash), Payment::Ticket(ticket))
	}

	/// Signed by all workers, which are the stages, and by the gateway.
	pub fn settlement(&self, body: RecordBody, payment: Payment) -> Settlement {
		let id = body.id(&self.genesis);
		let signatures: Vec<_> =
			self.workers.iter().map(|worker| Some(sign(&worker.key, &id))).collect();
		let signed = (0..signatures.len()).fold(0u32, |set, index| set | 1 << index);
		let gateway_signature = sign(&self.gateway_key, &settlement_digest(&id, signed));
		let signatures = signatures.try_into().unwrap();
		Settlement { id, body, payment, signatures, gateway_signature }
	}

	/// The stages of the first case by all workers.
	pub fn matched(&self) -> MatchedStages {
		let stages = self.case().stages(&self.workers);
		let stages: Vec<_> = stages.into_iter().map(|stage| (stage.node, stage.layers)).collect();
		stages.try_into().unwrap()
	}

	/// A request for the first case's model.
	pub fn request<T: Config>(&self, requester: AccountId) -> PaymentHash {
		let request = Request {
			requester,
			model_id: self.case().model,
			prompt: RequestPrompt::Hash(self.case().query),
			sampling: Sampling::GREEDY,
			max_tokens: 10,
			max_price: ARIA,
			deadline: NOW + T::RequestDeadlineMax::get(),
			audit_mode: AuditMode::Any,
			state: RequestState::Open,
		};
		let count = RequestCount::<T>::get();
		let id = Market::<T>::request_id(&self.genesis, count, &request);
		Market::<T>::do_request(request).unwrap();
		id
	}

	/// As many requests as may have the same deadline but for one, of as many requesters.
	pub fn crowd<T: Config>(&self) {
		for index in 1..T::MaxOpenRequestsPerBlock::get() {
			self.request::<T>(rich::<T>(account("other", index, 0)));
		}
	}

	/// A batch of `entries` records with a case of their own each, in which the first of `signers`
	/// accounts is the gateway and the others are workers. These workers take turns at the last
	/// stage of each record and `more` stages before those. `absent` stages before them all did not
	/// sign, each by a worker that has no other one.
	pub fn batch<T: Config>(signers: u32, entries: u32, more: u32, absent: u32) -> Batch {
		let world = Self::with_cases::<T>(signers - 1 + absent, entries);
		let (present, strangers) = world.workers.split_at(signers as usize - 1);
		let (mut turns, mut strangers) = (present.iter().cycle(), strangers.iter());
		let part = |whole: u32, index: u32| {
			(whole / entries + u32::from(index < whole % entries)) as usize
		};
		let mut batch = Vec::new();
		for (index, case) in (0..entries).zip(&world.cases) {
			let mut workers: Vec<Worker> =
				strangers.by_ref().take(part(absent, index)).copied().collect();
			workers.extend(turns.by_ref().take(1 + part(more, index)));
			case.serve::<T>(&workers);
			let (ticket, hash) = world.ticket(case);
			let body = case.body(&workers, hash);
			let id = body.id(&world.genesis);
			batch.push(BatchEntry { id, body, payment: Payment::Ticket(ticket) });
		}
		let ids: Vec<RecordId> = batch.iter().map(|entry| entry.id).collect();
		let keys = present.iter().map(|worker| worker.key).chain([world.gateway_key]);
		let mut signers: Vec<(AccountId, _)> = keys.map(|key| (key.into(), key)).collect();
		signers.sort_by(|a, b| a.0.cmp(&b.0));
		let accounts: Vec<AccountId> = signers.iter().map(|(account, _)| account.clone()).collect();
		let digest = batch_digest(&world.genesis, &ids, &accounts);
		let signatures: Vec<(AccountId, Signature)> =
			signers.into_iter().map(|(account, key)| (account, sign(&key, &digest))).collect();
		Batch { entries: batch.try_into().unwrap(), signatures: signatures.try_into().unwrap() }
	}
}

/// A pot that owes `payees` workers something in bucket 0, which is closed, and has to burn.
pub fn closed_bucket<T: Config>(world: &World, payees: u32) -> Vec<AccountId> {
	const AMOUNT: Balance = ARIA;
	let pot = Market::<T>::pot();
	let payees: Vec<AccountId> = (0..payees)
		.map(|index| match world.workers.get(index as usize) {
			Some(worker) => worker.account(),
			None => rich::<T>(account("payee", index, 0)),
		})
		.collect();
	let owed = AMOUNT.saturating_mul(payees.len() as Balance + 1);
	T::Currency::mint_into(&pot, owed).unwrap();
	for payee in &payees {
		Unvested::<T>::insert(0, payee, AMOUNT);
		UnvestedTotal::<T>::insert(payee, AMOUNT);
		// As one of several stages, and as a gateway.
		Shared::<T>::insert(0, payee, AMOUNT);
		SharedTotal::<T>::insert(payee, AMOUNT);
		Answered::<T>::insert(0, payee, AMOUNT);
		AnsweredTotal::<T>::insert(payee, AMOUNT);
	}
	UnvestedBurn::<T>::insert(0, AMOUNT);
	T::BenchmarkHelper::set_epoch(T::VestingEpochs::get());
	assert!(T::Audit::current_epoch() >= T::VestingEpochs::get());
	assert!(T::Audit::is_drawn(0));
	payees
}
