//! Benchmarks. Keys are made and used by host functions, so that they work in wasm too.

use super::*;
use crate::Pallet as Market;
use alloc::{boxed::Box, format, vec::Vec};
use aria_primitives::{
	query::Sampling,
	record::{
		batch_digest, Anchor, Batch, BatchEntry, EnergySource, FinishReason, LayerRange, Payment,
		RecordBody, Settlement, Stage, MAX_STAGES, RECORD_VERSION,
	},
	ticket::{AuditMode, SignedTicket, Ticket, TICKET_VERSION},
	traits::{AuditDraw, Consents, Ledger, Models, Offer, Workers},
	AccountId, Balance, BlockNumber, ModelId, Moment, PaymentHash, Signature, ARIA,
};
use frame_benchmarking::v2::*;
use frame_support::traits::{
	fungible::{Inspect, Mutate},
	Get, Hooks,
};
use frame_system::{pallet_prelude::BlockNumberFor, RawOrigin};
use sp_core::{crypto::KeyTypeId, sr25519, H256};

const KEY_TYPE: KeyTypeId = KeyTypeId(*b"benc");
const LAYERS: u16 = MAX_STAGES as u16;
/// When consents and workers are made.
const BEGIN: BlockNumber = 5;
/// When records are settled.
const NOW: BlockNumber = 10;
const NOW_MS: Moment = 1_750_000_000_000;
const OFFER: Offer =
	Offer { prompt_price: 1_000_000, cached_price: 1_000_000, output_price: 1_000_000 };

fn key(index: u32) -> sr25519::Public {
	sp_io::crypto::sr25519_generate(KEY_TYPE, Some(format!("//{index}").into_bytes()))
}

fn sign(key: &sr25519::Public, message: &H256) -> Signature {
	sp_io::crypto::sr25519_sign(KEY_TYPE, key, message.as_bytes())
		.expect("the key was made by this host")
		.into()
}

/// An account with plenty of money.
fn rich<T: Config>(who: AccountId) -> AccountId {
	let plenty = T::Currency::minimum_balance()
		.saturating_add(T::GatewayStake::get())
		.saturating_mul(1_000)
		.saturating_add(1_000_000 * ARIA);
	T::Currency::set_balance(&who, plenty);
	who
}

fn anybody() -> AccountId {
	whitelisted_caller()
}

fn requester<T: Config>() -> AccountId {
	rich::<T>(account("requester", 0, 0))
}

fn set_block<T: Config>(number: BlockNumber) {
	frame_system::Pallet::<T>::set_block_number(number.into());
}

/// A gateway with an offer, workers with consents, a requester with an escrow and a key.
struct World {
	requester: AccountId,
	gateway: AccountId,
	model: ModelId,
	ticket_key: sr25519::Public,
	workers: Vec<(sr25519::Public, u32)>,
	anchor: Anchor,
	genesis: H256,
}

impl World {
	fn new<T: Config>(workers: u32) -> Self {
		Market::<T>::endow_pot();
		T::BenchmarkHelper::set_time(NOW_MS);
		T::BenchmarkHelper::set_author(account("author", 0, 0));
		set_block::<T>(BEGIN);
		let gateway = rich::<T>(account("gateway", 0, 0));
		Market::<T>::register_gateway(RawOrigin::Signed(gateway.clone()).into()).unwrap();
		let model = T::Models::benchmark_model(LAYERS, &gateway, OFFER);
		let workers = (0..workers)
			.map(|index| {
				let key = key(index);
				let worker = rich::<T>(key.into());
				let layers = LayerRange { first: 0, end: LAYERS };
				let consent = T::Consents::benchmark_consent(&worker);
				T::Workers::benchmark_worker(&worker, &model, layers);
				(key, consent)
			})
			.collect();
		let requester = requester::<T>();
		Market::<T>::do_deposit(&requester, 1_000 * ARIA).unwrap();
		let ticket_key = key(1_000);
		Market::<T>::do_register_key(
			requester.clone(),
			ticket_key.into(),
			gateway.clone(),
			Balance::MAX,
			Balance::MAX,
			BlockNumber::MAX,
		)
		.unwrap();

		let anchor = Anchor { number: NOW - 1, hash: H256::repeat_byte(9) };
		set_block::<T>(NOW);
		frame_system::BlockHash::<T>::insert(BlockNumberFor::<T>::from(anchor.number), anchor.hash);
		let genesis = Market::<T>::genesis();
		Self { requester, gateway, model, ticket_key, workers, anchor, genesis }
	}

	/// The first `count` workers; the last of them runs what the others leave.
	fn stages(&self, count: u32) -> Vec<Stage> {
		let last = count as u16 - 1;
		(0..=last)
			.zip(self.workers.iter())
			.map(|(index, (worker, consent))| Stage {
				node: (*worker).into(),
				layers: LayerRange {
					first: index,
					end: if index == last { LAYERS } else { index + 1 },
				},
				energy_mj: 1,
				energy_source: EnergySource::Rapl,
				consent_version: *consent,
			})
			.collect()
	}

	fn body(&self, stages: u32, ticket_hash: PaymentHash) -> RecordBody {
		let boundaries: Vec<H256> = (0..=stages).map(|i| H256::repeat_byte(i as u8)).collect();
		RecordBody {
			version: RECORD_VERSION,
			model_id: self.model,
			query_hash: H256::repeat_byte(1),
			output_hash: H256::repeat_byte(2),
			output_tokens_hash: H256::repeat_byte(3),
			finish_reason: FinishReason::Stop,
			prompt_tokens: 10,
			cached_tokens: 5,
			output_tokens: 10,
			stages: self.stages(stages).try_into().unwrap(),
			boundaries: boundaries.try_into().unwrap(),
			energy_mj: stages.into(),
			latency_ms: 1_000,
			timestamp: NOW_MS,
			anchor: self.anchor,
			ticket_hash,
		}
	}

	fn ticket(&self, nonce: u64) -> (SignedTicket, PaymentHash) {
		let ticket = Ticket {
			version: TICKET_VERSION,
			requester: self.requester.clone(),
			key: self.ticket_key.into(),
			gateway: self.gateway.clone(),
			model_id: self.model,
			query_hash: H256::repeat_byte(1),
			max_price: Balance::MAX,
			nonce,
			expiry: NOW + 1,
			audit_mode: AuditMode::Any,
		};
		let hash = ticket.hash(&self.genesis);
		(SignedTicket { ticket, signature: sign(&self.ticket_key, &hash) }, hash)
	}

	fn settlement(&self, body: RecordBody, payment: Payment) -> Settlement {
		let id = body.id(&self.genesis);
		let signatures: Vec<_> = self
			.workers
			.iter()
			.take(body.stages.len())
			.map(|(worker, _)| Some(sign(worker, &id)))
			.collect();
		Settlement { id, body, payment, signatures: signatures.try_into().unwrap() }
	}

	fn matched(&self, stages: u32) -> MatchedStages {
		let stages: Vec<_> =
			self.stages(stages).into_iter().map(|stage| (stage.node, stage.layers)).collect();
		stages.try_into().unwrap()
	}

	fn request<T: Config>(&self, requester: AccountId) -> (PaymentHash, Request) {
		let request = Request {
			requester,
			model_id: self.model,
			prompt: RequestPrompt::Hash(H256::repeat_byte(1)),
			sampling: Sampling::GREEDY,
			max_tokens: 10,
			max_price: ARIA,
			deadline: NOW + T::RequestDeadlineMax::get(),
			audit_mode: AuditMode::Any,
			state: RequestState::Open,
		};
		let count = RequestCount::<T>::get();
		let id = Market::<T>::request_id(&self.genesis, count, &request);
		Market::<T>::do_request(request.clone()).unwrap();
		(id, request)
	}
}

/// A pot that owes `payees` workers something in bucket 0, which is closed, and has to burn.
fn closed_bucket<T: Config>(world: &World, payees: u32) -> Vec<AccountId> {
	const AMOUNT: Balance = ARIA;
	let pot = Market::<T>::pot();
	let payees: Vec<AccountId> = (0..payees)
		.map(|index| match world.workers.get(index as usize) {
			Some((worker, _)) => (*worker).into(),
			None => rich::<T>(account("payee", index, 0)),
		})
		.collect();
	let owed = AMOUNT.saturating_mul(payees.len() as Balance + 1);
	T::Currency::mint_into(&pot, owed).unwrap();
	for payee in &payees {
		Unvested::<T>::insert(0, payee, AMOUNT);
		UnvestedTotal::<T>::insert(payee, AMOUNT);
	}
	UnvestedBurn::<T>::insert(0, AMOUNT);
	T::BenchmarkHelper::set_epoch(T::VestingEpochs::get());
	assert!(T::Audit::current_epoch() >= T::VestingEpochs::get());
	payees
}

#[benchmarks]
mod benchmarks {
	use super::*;

	#[benchmark]
	fn deposit() {
		let caller = requester::<T>();

		#[extrinsic_call]
		_(RawOrigin::Signed(caller.clone()), ARIA);

		assert_eq!(Escrows::<T>::get(&caller).held, ARIA);
	}

	#[benchmark]
	fn withdraw() {
		let caller = requester::<T>();
		Market::<T>::do_deposit(&caller, 2 * ARIA).unwrap();

		#[extrinsic_call]
		_(RawOrigin::Signed(caller.clone()), ARIA);

		assert_eq!(Escrows::<T>::get(&caller).held, ARIA);
	}

	#[benchmark]
	fn register_gateway() {
		let caller = rich::<T>(account("gateway", 0, 0));

		#[extrinsic_call]
		_(RawOrigin::Signed(caller.clone()));

		assert!(Gateways::<T>::contains_key(&caller));
	}

	#[benchmark]
	fn unbond_gateway() {
		let world = World::new::<T>(0);

		#[extrinsic_call]
		_(RawOrigin::Signed(world.gateway.clone()));

		assert!(Gateways::<T>::get(&world.gateway)
			.is_some_and(|info| info.state != GatewayState::Active));
	}

	#[benchmark]
	fn withdraw_gateway_stake() {
		let world = World::new::<T>(0);
		Market::<T>::do_unbond_gateway(&world.gateway).unwrap();
		set_block::<T>(NOW + T::GatewayUnbonding::get());

		#[extrinsic_call]
		_(RawOrigin::Signed(world.gateway.clone()));

		assert!(!Gateways::<T>::contains_key(&world.gateway));
	}

	#[benchmark]
	fn register_key() {
		// Every place of the caller is taken by a key that may be forgotten.
		let world = World::new::<T>(0);
		let caller = rich::<T>(account("caller", 0, 0));
		let register = |key: AccountId| {
			Market::<T>::do_register_key(
				caller.clone(),
				key,
				world.gateway.clone(),
				ARIA,
				ARIA,
				BlockNumber::MAX,
			)
		};
		for index in 0..T::MaxKeysPerRequester::get() {
			let key: AccountId = account("key", index, 0);
			register(key.clone()).unwrap();
			Market::<T>::do_revoke_key(&caller, key).unwrap();
		}
		set_block::<T>(NOW + T::MaxTicketLifetime::get() + 1);
		let key: AccountId = account("new key", 0, 0);

		#[extrinsic_call]
		_(
			RawOrigin::Signed(caller.clone()),
			key.clone(),
			world.gateway.clone(),
			ARIA,
			ARIA,
			BlockNumber::MAX,
		);

		assert!(Keys::<T>::contains_key(&key));
		assert_eq!(KeysOf::<T>::get(&caller).len(), 1);
	}

	#[benchmark]
	fn update_key() {
		let world = World::new::<T>(0);
		let key: AccountId = world.ticket_key.into();

		#[extrinsic_call]
		_(RawOrigin::Signed(world.requester.clone()), key.clone(), 1, 1, BlockNumber::MAX);

		assert_eq!(Keys::<T>::get(&key).map(|info| info.allowance), Some(1));
	}

	#[benchmark]
	fn revoke_key() {
		let world = World::new::<T>(0);
		let key: AccountId = world.ticket_key.into();
		for index in 1..T::MaxKeysPerRequester::get() {
			let (requester, gateway) = (world.requester.clone(), world.gateway.clone());
			let other = account("key", index, 0);
			let expiry = BlockNumber::MAX;
			Market::<T>::do_register_key(requester, other, gateway, 1, 1, expiry).unwrap();
		}

		#[extrinsic_call]
		_(RawOrigin::Signed(world.requester.clone()), key.clone());

		assert!(Keys::<T>::get(&key).is_some_and(|info| info.revoked));
	}

	#[benchmark]
	fn settle(s: Linear<1, { MAX_STAGES }>) {
		let world = World::new::<T>(s);
		let (ticket, hash) = world.ticket(1);
		let settlement = world.settlement(world.body(s, hash), Payment::Ticket(ticket));
		let id = settlement.id;

		#[extrinsic_call]
		_(RawOrigin::Signed(anybody()), Box::new(settlement));

		assert!(T::Ledger::contains(&id));
	}

	#[benchmark]
	fn settle_request(s: Linear<1, { MAX_STAGES }>) {
		// As many requests as may have the same deadline.
		let world = World::new::<T>(s);
		let (asked, _) = world.request::<T>(world.requester.clone());
		for index in 1..T::MaxOpenRequestsPerBlock::get() {
			world.request::<T>(rich::<T>(account("other", index, 0)));
		}
		Market::<T>::do_match_request(world.gateway.clone(), asked, world.matched(s)).unwrap();
		let settlement = world.settlement(world.body(s, asked), Payment::Request(asked));
		let id = settlement.id;

		#[extrinsic_call]
		settle(RawOrigin::Signed(anybody()), Box::new(settlement));

		assert!(T::Ledger::contains(&id));
	}

	/// `k` signers, `n` entries, and `s` stages beyond the first of each entry.
	#[benchmark]
	fn settle_batch(k: Linear<32, 64>, n: Linear<1, 32>, s: Linear<0, 31>) {
		let world = World::new::<T>(MAX_STAGES);
		let entries: Vec<BatchEntry> = (0..n)
			.map(|index| {
				let stages = 1 + s / n + u32::from(index < s % n);
				let (ticket, hash) = world.ticket(u64::from(index) + 1);
				let body = world.body(stages, hash);
				let id = body.id(&world.genesis);
				BatchEntry { id, body, payment: Payment::Ticket(ticket) }
			})
			.collect();
		let ids: Vec<H256> = entries.iter().map(|entry| entry.id).collect();
		let digest = batch_digest(&world.genesis, &ids);
		let extra = (MAX_STAGES..k).map(|index| key(2_000 + index));
		let mut signatures: Vec<(AccountId, Signature)> = world
			.workers
			.iter()
			.map(|(worker, _)| *worker)
			.chain(extra)
			.map(|signer| (signer.into(), sign(&signer, &digest)))
			.collect();
		signatures.sort_by(|a, b| a.0.cmp(&b.0));
		let batch = Batch {
			entries: entries.try_into().unwrap(),
			signatures: signatures.try_into().unwrap(),
		};

		#[extrinsic_call]
		_(RawOrigin::Signed(anybody()), Box::new(batch));

		for id in ids {
			assert!(T::Ledger::contains(&id));
		}
	}

	#[benchmark]
	fn release() {
		let world = World::new::<T>(1);
		let payee = closed_bucket::<T>(&world, 1).remove(0);

		#[extrinsic_call]
		_(RawOrigin::Signed(anybody()), 0, payee.clone());

		assert!(!Unvested::<T>::contains_key(0, &payee));
		assert!(!Unclaimed::<T>::contains_key(&payee));
	}

	#[benchmark]
	fn claim() {
		let world = World::new::<T>(1);
		let payee: AccountId = world.workers[0].0.into();
		T::Currency::mint_into(&Market::<T>::pot(), ARIA).unwrap();
		Unclaimed::<T>::insert(&payee, ARIA);

		#[extrinsic_call]
		_(RawOrigin::Signed(anybody()), payee.clone());

		assert!(!Unclaimed::<T>::contains_key(&payee));
	}

	#[benchmark]
	fn request(p: Linear<1, { MAX_PROMPT_BYTES }>) {
		let world = World::new::<T>(0);
		let caller = rich::<T>(account("caller", 0, 0));
		for index in 1..T::MaxOpenRequestsPerBlock::get() {
			world.request::<T>(rich::<T>(account("other", index, 0)));
		}
		let text = alloc::vec![b'a'; p as usize];
		let deadline = NOW + T::RequestDeadlineMax::get();

		#[extrinsic_call]
		_(
			RawOrigin::Signed(caller.clone()),
			world.model,
			RequestPrompt::Text(text.try_into().unwrap()),
			Sampling::GREEDY,
			10,
			ARIA,
			deadline,
			AuditMode::Any,
		);

		assert_eq!(Escrows::<T>::get(&caller).reserved, ARIA);
	}

	#[benchmark]
	fn match_request(s: Linear<1, { MAX_STAGES }>) {
		let world = World::new::<T>(s);
		let (id, _) = world.request::<T>(world.requester.clone());

		#[extrinsic_call]
		_(RawOrigin::Signed(world.gateway.clone()), id, world.matched(s));

		assert!(Requests::<T>::get(id).is_some_and(|kept| !kept.is_open(NOW)));
	}

	#[benchmark]
	fn cancel_request() {
		let world = World::new::<T>(0);
		let (id, _) = world.request::<T>(world.requester.clone());
		for index in 1..T::MaxOpenRequestsPerBlock::get() {
			world.request::<T>(rich::<T>(account("other", index, 0)));
		}

		#[extrinsic_call]
		_(RawOrigin::Signed(world.requester.clone()), id);

		assert!(!Requests::<T>::contains_key(id));
	}

	/// `r` requests of as many requesters meet their deadline.
	#[benchmark]
	fn expire_requests(r: Linear<0, { T::MaxOpenRequestsPerBlock::get() }>) {
		let world = World::new::<T>(0);
		for index in 0..r {
			world.request::<T>(rich::<T>(account("other", index, 0)));
		}
		let deadline = NOW + T::RequestDeadlineMax::get();

		#[block]
		{
			Market::<T>::on_initialize(deadline.into());
		}

		assert_eq!(Requests::<T>::iter().count(), 0);
	}

	/// `r` payments out of a closed bucket.
	#[benchmark]
	fn drain(r: Linear<0, { T::MaxReleasesPerBlock::get() }>) {
		let world = World::new::<T>(r.min(MAX_STAGES));
		let payees = closed_bucket::<T>(&world, r);

		#[block]
		{
			Market::<T>::drain(r);
		}

		for payee in payees {
			assert!(!Unvested::<T>::contains_key(0, &payee));
		}
	}

	impl_benchmark_test_suite!(Market, crate::mock::new_test_ext(), crate::mock::Test);
}
