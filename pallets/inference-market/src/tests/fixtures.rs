//! A model, a gateway, a key with money, and records to settle.

use crate::{free_from, mock::*, RequestPrompt};
use aria_primitives::{
	query::Sampling,
	record::{
		batch_digest, settlement_digest, Anchor, Batch, BatchEntry, EnergySource, FinishReason,
		LayerRange, Payment, RecordBody, Settlement, Stage, RECORD_VERSION,
	},
	ticket::{AuditMode, SignedTicket, Ticket, TICKET_VERSION},
	traits::Offer,
	AccountId, Balance, BlockNumber, ModelId, PaymentHash, Signature, ARIA,
};
use frame_support::{assert_ok, dispatch::DispatchResultWithPostInfo};
use sp_core::H256;
use sp_runtime::DispatchError;

pub const MODEL: ModelId = H256::repeat_byte(7);
pub const LAYERS: u16 = 24;
pub const QUERY: H256 = H256::repeat_byte(8);
pub const OFFER: Offer =
	Offer { prompt_price: 100_000, cached_price: 50_000, output_price: 300_000 };
/// 80 new tokens of the prompt, 20 cached ones, 50 of the answer.
pub const TOKEN_PRICE: Balance = 80 * 100_000 + 20 * 50_000 + 50 * 300_000;
/// With the bytes of a record of two stages.
pub const PRICE: Balance = TOKEN_PRICE + 427 * BYTE_FEE;
pub const DEPOSIT: Balance = 1_000 * ARIA;
pub const ALLOWANCE: Balance = 500 * ARIA;
pub const HOURLY_CAP: Balance = 100 * ARIA;
pub const KEY_EXPIRY: BlockNumber = NOW + 10_000;

/// Everything that a record needs on chain.
pub fn setup() {
	put_model(MODEL, LAYERS);
	put("offer", (MODEL, gateway()), OFFER);
	assert_ok!(Market::register_gateway(signed(GATEWAY)));
	assert_ok!(Market::deposit(signed(REQUESTER), DEPOSIT));
	assert_ok!(Market::register_key(
		signed(REQUESTER),
		spending_key(),
		gateway(),
		ALLOWANCE,
		HOURLY_CAP,
		KEY_EXPIRY,
	));
	System::reset_events();
}

/// Runs `test` on a chain after [`setup`].
pub fn with_setup(test: impl FnOnce()) {
	build_and_execute(|| {
		setup();
		test();
	});
}

/// A record with its ticket, to be changed and then signed.
#[derive(Clone)]
pub struct Draft {
	pub body: RecordBody,
	pub ticket: Ticket,
	/// The seed of the key that signs the ticket.
	pub signer: u8,
	/// The stages that do not sign.
	pub unsigned: Vec<usize>,
}

impl Draft {
	/// A record of `stages` stages with equal parts of the layers.
	pub fn new(stages: u8) -> Self {
		let count = u16::from(stages);
		let bound = |index: u8| LAYERS * u16::from(index) / count;
		let parts: Vec<Stage> = (0..stages)
			.map(|index| Stage {
				node: worker(index),
				layers: LayerRange { first: bound(index), end: bound(index + 1) },
				energy_mj: 5_000,
				energy_source: EnergySource::Rapl,
				consent_version: 1,
			})
			.collect();
		let boundaries: Vec<H256> = (0..=stages).map(H256::repeat_byte).collect();
		let body = RecordBody {
			version: RECORD_VERSION,
			model_id: MODEL,
			query_hash: QUERY,
			output_hash: H256::repeat_byte(9),
			output_tokens_hash: H256::repeat_byte(10),
			finish_reason: FinishReason::Stop,
			prompt_tokens: 100,
			cached_tokens: 20,
			output_tokens: 50,
			stages: parts.try_into().unwrap(),
			boundaries: boundaries.try_into().unwrap(),
			energy_mj: 5_000 * u64::from(stages),
			latency_ms: 3_000,
			timestamp: NOW_MS - 1_000,
			anchor: Anchor { number: NOW - 10, hash: hash_of(NOW - 10) },
			ticket_hash: H256::zero(),
		};
		let ticket = Ticket {
			version: TICKET_VERSION,
			requester: requester(),
			key: spending_key(),
			gateway: gateway(),
			model_id: MODEL,
			query_hash: QUERY,
			max_price: ARIA,
			nonce: 1,
			expiry: NOW + 100,
			audit_mode: AuditMode::Any,
		};
		Self { body, ticket, signer: KEY, unsigned: Vec::new() }
	}

	/// With another nonce.
	pub fn nonce(mut self, nonce: u64) -> Self {
		self.ticket.nonce = nonce;
		self
	}

	/// Anchored at a block.
	pub fn anchored(mut self, number: BlockNumber) -> Self {
		self.body.anchor = Anchor { number, hash: hash_of(number) };
		self
	}

	/// Without the signatures of some stages.
	pub fn without(mut self, stages: &[usize]) -> Self {
		self.unsigned = stages.to_vec();
		self
	}

	/// As if made at block `number`.
	pub fn at(mut self, number: BlockNumber) -> Self {
		self.ticket.expiry = number + 100;
		self.anchored(number - 10)
	}

	pub fn signed_ticket(&self) -> SignedTicket {
		let hash = self.ticket.hash(&GENESIS);
		SignedTicket { ticket: self.ticket.clone(), signature: sign(self.signer, &hash) }
	}

	/// The body, naming the ticket.
	pub fn finished_body(&self) -> RecordBody {
		RecordBody { ticket_hash: self.ticket.hash(&GENESIS), ..self.body.clone() }
	}

	/// Signed by every stage that does, and by the gateway.
	pub fn settlement(&self) -> Settlement {
		let payment = Payment::Ticket(self.signed_ticket());
		sign_record(self.finished_body(), payment, &self.unsigned)
	}
}

/// Signs a record by its stages' workers, but for some, and by the gateway.
pub fn sign_record(body: RecordBody, payment: Payment, unsigned: &[usize]) -> Settlement {
	let id = body.id(&GENESIS);
	let signatures: Vec<_> = (0..body.stages.len())
		.map(|index| (!unsigned.contains(&index)).then(|| sign(WORKER + index as u8, &id)))
		.collect();
	let signed = stages_in(&signatures);
	Settlement {
		id,
		body,
		payment,
		gateway_signature: sign(GATEWAY, &settlement_digest(&id, signed)),
		signatures: signatures.try_into().unwrap(),
	}
}

/// The set of stages that signed.
pub fn stages_in(signatures: &[Option<Signature>]) -> u32 {
	let signed = signatures.iter().map(|signature| u32::from(signature.is_some()));
	signed.enumerate().fold(0, |set, (index, bit)| set | bit << index)
}

/// A batch of records that the accounts of some seeds signed.
pub fn batch_of(drafts: &[Draft], seeds: &[u8]) -> Batch {
	let entries: Vec<BatchEntry> = drafts
		.iter()
		.map(|draft| {
			let body = draft.finished_body();
			let payment = Payment::Ticket(draft.signed_ticket());
			BatchEntry { id: body.id(&GENESIS), body, payment }
		})
		.collect();
	sign_batch(entries, seeds)
}

/// Signs entries by the accounts of some seeds.
pub fn sign_batch(entries: Vec<BatchEntry>, seeds: &[u8]) -> Batch {
	let ids: Vec<H256> = entries.iter().map(|entry| entry.id).collect();
	let mut signers: Vec<_> = seeds.iter().map(|seed| (account(*seed), *seed)).collect();
	signers.sort();
	let accounts: Vec<_> = signers.iter().map(|(account, _)| account.clone()).collect();
	let digest = batch_digest(&GENESIS, &ids, &accounts);
	let signatures: Vec<_> =
		signers.into_iter().map(|(account, seed)| (account, sign(seed, &digest))).collect();
	Batch { entries: entries.try_into().unwrap(), signatures: signatures.try_into().unwrap() }
}

/// Makes `price` the least at which the settlement of a record of two stages is free.
pub fn two_stages_free_from(price: Balance) {
	let least = (6 * price).div_ceil(7);
	assert_eq!(free_from(least, 2), price);
	MockFreeFrom::set(least);
}

/// Submits a settlement.
pub fn settle(settlement: Settlement) -> DispatchResultWithPostInfo {
	Market::settle(signed(SUBMITTER), Box::new(settlement))
}

/// Submits a settlement that has to fail with `error` and to change nothing.
pub fn refuse(settlement: Settlement, error: impl Into<DispatchError>) {
	assert_state_unchanged(|| settle(settlement).map_err(|refused| refused.error), error);
}

pub fn text(prompt: &str) -> RequestPrompt {
	RequestPrompt::Text(prompt.as_bytes().to_vec().try_into().unwrap())
}

pub const MAX_PRICE: Balance = 30_000_000;
pub const DEADLINE: BlockNumber = NOW + 100;

/// A request of [`REQUESTER`] as its call takes it.
#[derive(Clone)]
pub struct Asked {
	pub model: ModelId,
	pub prompt: RequestPrompt,
	pub sampling: Sampling,
	pub max_tokens: u32,
	pub max_price: Balance,
	pub deadline: BlockNumber,
	pub audit_mode: AuditMode,
}

impl Default for Asked {
	fn default() -> Self {
		Self {
			model: MODEL,
			prompt: RequestPrompt::Hash(QUERY),
			sampling: Sampling::GREEDY,
			max_tokens: 50,
			max_price: MAX_PRICE,
			deadline: DEADLINE,
			audit_mode: AuditMode::Any,
		}
	}
}

impl Asked {
	pub fn by(self, seed: u8) -> Result<PaymentHash, DispatchError> {
		Market::request(
			signed(seed),
			self.model,
			self.prompt,
			self.sampling,
			self.max_tokens,
			self.max_price,
			self.deadline,
			self.audit_mode,
		)?;
		let id = System::events().into_iter().rev().find_map(|record| match record.event {
			RuntimeEvent::Market(crate::Event::Requested { id, .. }) => Some(id),
			_ => None,
		});
		Ok(id.unwrap())
	}
}

/// The workers of a draft with `stages` stages.
pub fn matched(stages: u8) -> crate::MatchedStages {
	let body = Draft::new(stages).body;
	let stages: Vec<(AccountId, LayerRange)> =
		body.stages.iter().map(|stage| (stage.node.clone(), stage.layers)).collect();
	stages.try_into().unwrap()
}

/// A record that answers a request, signed by every stage and the gateway.
pub fn answer(id: PaymentHash, mut body: RecordBody) -> Settlement {
	body.ticket_hash = id;
	sign_record(body, Payment::Request(id), &[])
}
