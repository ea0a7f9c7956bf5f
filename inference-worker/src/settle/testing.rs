//! What tests of this folder share: settlements, signers, and a chain in memory that forks, loses
//! transactions and can be cut off.
#![allow(clippy::unwrap_used)]

use super::{
	batch::{BatchRequest, BatchSigners},
	ledger::{Heads, Ledger, Presence, SubmitError, Submitted, Unreachable},
};
use aria_primitives::{
	hashing::sha256,
	record::{
		batch_digest, settlement_digest, Anchor, Batch, EnergySource, FinishReason, LayerRange,
		Payment, RecordBody, Settlement, Stage,
	},
	ticket::{AuditMode, SignedTicket, Ticket},
	AccountId, BlockNumber, RecordId, Signature,
};
use codec::Encode;
use futures::future::BoxFuture;
use sp_core::{sr25519, Pair, H256};
use sp_runtime::{traits::Verify, BoundedVec};
use std::{
	collections::{HashSet, VecDeque},
	sync::{Arc, Mutex, MutexGuard},
};

pub const GENESIS: H256 = H256([0x67; 32]);
/// What every settlement here names.
pub const ANCHOR: Anchor = Anchor { number: 1_000, hash: H256([0xa0; 32]) };

pub fn pair(who: u8) -> sr25519::Pair {
	sr25519::Pair::from_seed(&[who; 32])
}

pub fn account(who: u8) -> AccountId {
	pair(who).public().into()
}

/// A settlement that all of `stages` signed, and that a ticket of `gateway` pays; another one for each
/// `tag`.
pub fn settlement(tag: u32, stages: &[u8], gateway: u8) -> Settlement {
	let ticket = Ticket {
		version: 1,
		requester: account(200),
		key: account(201),
		gateway: account(gateway),
		model_id: H256::repeat_byte(3),
		query_hash: sha256(&tag.encode()),
		max_price: 1,
		nonce: tag.into(),
		expiry: ANCHOR.number + 500,
		audit_mode: AuditMode::Any,
	};
	let ticket_hash = ticket.hash(&GENESIS);
	let list = (0u16..)
		.zip(stages)
		.map(|(index, who)| Stage {
			node: account(*who),
			layers: LayerRange { first: index, end: index + 1 },
			energy_mj: 5,
			energy_source: EnergySource::Estimate,
			consent_version: 1,
		})
		.collect::<Vec<_>>();
	let body = RecordBody {
		version: 1,
		model_id: ticket.model_id,
		query_hash: ticket.query_hash,
		output_hash: H256::repeat_byte(5),
		output_tokens_hash: H256::repeat_byte(6),
		finish_reason: FinishReason::Stop,
		prompt_tokens: 4,
		cached_tokens: 0,
		output_tokens: 2,
		boundaries: BoundedVec::truncate_from(vec![H256::zero(); stages.len() + 1]),
		energy_mj: 5 * stages.len() as u64,
		stages: BoundedVec::truncate_from(list),
		latency_ms: 10,
		timestamp: 1_700_000_000_000,
		anchor: ANCHOR,
		ticket_hash,
	};
	let id = body.id(&GENESIS);
	let signatures =
		stages.iter().map(|who| Some(pair(*who).sign(id.as_bytes()).into())).collect::<Vec<_>>();
	let signature = pair(201).sign(ticket_hash.as_bytes()).into();
	let all = stages.iter().enumerate().fold(0, |bits, (index, _)| bits | (1u32 << index));
	Settlement {
		id,
		body,
		payment: Payment::Ticket(SignedTicket { ticket, signature }),
		signatures: BoundedVec::truncate_from(signatures),
		gateway_signature: pair(gateway).sign(settlement_digest(&id, all).as_bytes()).into(),
	}
}

/// The same without the signature of a stage. The gateway's does not fit any more, which nobody here
/// looks at.
pub fn without(mut settlement: Settlement, stage: usize) -> Settlement {
	let mut signatures = settlement.signatures.into_inner();
	signatures[stage] = None;
	settlement.signatures = BoundedVec::truncate_from(signatures);
	settlement
}

/// Nodes that sign whatever they are asked to.
pub struct Signers(Vec<u8>);

impl Signers {
	pub fn new(who: &[u8]) -> Self {
		Self(who.to_vec())
	}
}

impl BatchSigners for Signers {
	fn sign(
		&self,
		node: AccountId,
		request: Arc<BatchRequest>,
	) -> BoxFuture<'_, Option<Signature>> {
		Box::pin(async move {
			let who = self.0.iter().find(|who| account(**who) == node)?;
			Some(Signature::from(pair(*who).sign(request.digest(&GENESIS).as_bytes())))
		})
	}
}

/// What becomes of a submission.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
	/// A block includes it, and the submitter hears of it.
	Included,
	/// It is in the pool, and the submitter hears nothing.
	Silent,
	/// It got lost, and the submitter hears nothing.
	Lost,
	/// The chain refuses it.
	Refused(SubmitError),
}

#[derive(Clone)]
struct Block {
	hash: H256,
	records: Vec<RecordId>,
}

struct Chain {
	/// The block with the number `ANCHOR.number + index`.
	blocks: Vec<Block>,
	finalized: usize,
	/// Transactions that no block has yet.
	pool: Vec<Vec<RecordId>>,
	reachable: bool,
	fates: VecDeque<Fate>,
	submitting: HashSet<RecordId>,
	submissions: Vec<Vec<RecordId>>,
	/// Records in transactions that found them settled: fees for nothing.
	wasted: usize,
	made: u64,
}

/// A chain in memory.
pub struct World(Mutex<Chain>);

impl World {
	/// A chain whose only block is the anchor, final.
	pub fn new() -> Arc<Self> {
		Arc::new(Self(Mutex::new(Chain {
			blocks: vec![Block { hash: ANCHOR.hash, records: Vec::new() }],
			finalized: 0,
			pool: Vec::new(),
			reachable: true,
			fates: VecDeque::new(),
			submitting: HashSet::new(),
			submissions: Vec::new(),
			wasted: 0,
			made: 0,
		})))
	}

	fn chain(&self) -> MutexGuard<'_, Chain> {
		self.0.lock().unwrap()
	}

	/// What the next submissions come to; [`Fate::Included`] for those without an entry.
	pub fn fate(&self, fates: impl IntoIterator<Item = Fate>) {
		self.chain().fates.extend(fates);
	}

	pub fn set_reachable(&self, reachable: bool) {
		self.chain().reachable = reachable;
	}

	/// A block out of all that is in the pool.
	pub fn make_block(&self) {
		self.chain().make_block();
	}

	/// Makes blocks until the best one has this number.
	pub fn grow_to(&self, number: BlockNumber) {
		let mut chain = self.chain();
		while chain.best() < number {
			chain.make_block();
		}
	}

	/// Makes the best block final.
	pub fn finalize(&self) {
		let mut chain = self.chain();
		chain.finalized = chain.blocks.len() - 1;
	}

	/// Replaces up to `depth` blocks that are not final by one more empty ones. Their transactions come
	/// back into the pool, or are forgotten.
	pub fn reorg(&self, depth: usize, keep: bool) {
		let mut chain = self.chain();
		let kept = (chain.finalized + 1).max(chain.blocks.len().saturating_sub(depth));
		let dropped = chain.blocks.split_off(kept);
		let pool = std::mem::take(&mut chain.pool);
		for _ in 0..=dropped.len() {
			chain.make_block();
		}
		chain.pool = pool;
		if keep {
			chain
				.pool
				.extend(dropped.into_iter().flat_map(|block| block.records).map(|id| vec![id]));
		}
	}

	/// Somebody else's transaction.
	pub fn settle_elsewhere(&self, id: RecordId) {
		self.chain().pool.push(vec![id]);
	}

	/// Every transaction that was handed over, by its records.
	pub fn submissions(&self) -> Vec<Vec<RecordId>> {
		self.chain().submissions.clone()
	}

	pub fn wasted(&self) -> usize {
		self.chain().wasted
	}

	/// The records of all final blocks, in their order.
	pub fn final_records(&self) -> Vec<RecordId> {
		let chain = self.chain();
		chain.blocks[..=chain.finalized].iter().flat_map(|block| block.records.clone()).collect()
	}

	async fn submit(&self, ids: Vec<RecordId>) -> Result<Submitted, SubmitError> {
		let _held = Held::new(self, &ids);
		let fate = {
			let mut chain = self.chain();
			if !chain.reachable {
				return Err(SubmitError::Unreachable("cut off".to_owned()));
			}
			chain.submissions.push(ids.clone());
			if ids.iter().all(|id| chain.in_best(id)) {
				chain.wasted += ids.len();
				return Err(SubmitError::AlreadySettled);
			}
			chain.fates.pop_front().unwrap_or(Fate::Included)
		};
		match fate {
			Fate::Included => self.chain().pool.push(ids.clone()),
			Fate::Silent => {
				self.chain().pool.push(ids.clone());
				tokio::task::yield_now().await;
				return Err(SubmitError::Unreachable("the connection broke".to_owned()));
			}
			Fate::Lost => return Err(SubmitError::Unreachable("the connection broke".to_owned())),
			Fate::Refused(error) => return Err(error),
		}
		// Here a crash of the submitter leaves the transaction in the pool.
		tokio::task::yield_now().await;
		let mut chain = self.chain();
		let already: HashSet<RecordId> =
			ids.iter().copied().filter(|id| chain.in_best(id)).collect();
		chain.make_block();
		let outcome = |id: &RecordId| match already.contains(id) {
			true => Err(SubmitError::AlreadySettled),
			false => Ok(()),
		};
		let outcomes = ids.iter().map(|id| (*id, outcome(id))).collect();
		Ok(Submitted { block: chain.best(), outcomes })
	}
}

impl Chain {
	fn best(&self) -> BlockNumber {
		ANCHOR.number + self.blocks.len() as u32 - 1
	}

	fn in_best(&self, id: &RecordId) -> bool {
		self.blocks.iter().any(|block| block.records.contains(id))
	}

	fn make_block(&mut self) {
		let mut records = Vec::new();
		for transaction in std::mem::take(&mut self.pool) {
			for id in transaction {
				if self.in_best(&id) || records.contains(&id) {
					self.wasted += 1;
				} else {
					records.push(id);
				}
			}
		}
		self.made += 1;
		self.blocks.push(Block { hash: sha256(&self.made.encode()), records });
	}
}

/// Sees that no record is submitted twice at the same time.
struct Held<'a> {
	world: &'a World,
	ids: Vec<RecordId>,
}

impl<'a> Held<'a> {
	fn new(world: &'a World, ids: &[RecordId]) -> Self {
		let mut chain = world.chain();
		for id in ids {
			assert!(chain.submitting.insert(*id), "{id:?} is submitted twice at the same time");
		}
		Self { world, ids: ids.to_vec() }
	}
}

impl Drop for Held<'_> {
	fn drop(&mut self) {
		if let Ok(mut chain) = self.world.0.lock() {
			for id in &self.ids {
				chain.submitting.remove(id);
			}
		}
	}
}

impl Ledger for World {
	fn genesis(&self) -> H256 {
		GENESIS
	}

	fn heads(&self) -> BoxFuture<'_, Result<Heads, Unreachable>> {
		Box::pin(async move {
			let chain = self.chain();
			if !chain.reachable {
				return Err(Unreachable("cut off".to_owned()));
			}
			let finalized = ANCHOR.number + chain.finalized as u32;
			Ok(Heads { best: chain.best(), finalized })
		})
	}

	fn hash_of(&self, number: BlockNumber) -> BoxFuture<'_, Result<Option<H256>, Unreachable>> {
		Box::pin(async move {
			let index = number.checked_sub(ANCHOR.number).map(|index| index as usize);
			let chain = self.chain();
			Ok(index.and_then(|index| chain.blocks.get(index)).map(|block| block.hash))
		})
	}

	fn record(&self, id: RecordId) -> BoxFuture<'_, Result<Presence, Unreachable>> {
		Box::pin(async move {
			let chain = self.chain();
			if !chain.reachable {
				return Err(Unreachable("cut off".to_owned()));
			}
			let place = chain.blocks.iter().position(|block| block.records.contains(&id));
			Ok(match place {
				None => Presence::Absent,
				Some(index) if index <= chain.finalized => Presence::Final,
				Some(_) => Presence::Best,
			})
		})
	}

	fn submit_settle(
		&self,
		settlement: Settlement,
	) -> BoxFuture<'_, Result<Submitted, SubmitError>> {
		for (stage, signature) in settlement.body.stages.iter().zip(&settlement.signatures) {
			let Some(signature) = signature else { continue };
			assert!(signature.verify(settlement.id.as_bytes(), &stage.node));
		}
		Box::pin(self.submit(vec![settlement.id]))
	}

	fn submit_batch(&self, batch: Batch) -> BoxFuture<'_, Result<Submitted, SubmitError>> {
		let ids: Vec<RecordId> = batch.entries.iter().map(|entry| entry.id).collect();
		let signers: Vec<AccountId> =
			batch.signatures.iter().map(|(account, _)| account.clone()).collect();
		assert!(signers.windows(2).all(|two| two[0] < two[1]));
		let digest = batch_digest(&GENESIS, &ids, &signers);
		for (account, signature) in &batch.signatures {
			assert!(signature.verify(digest.as_bytes(), account));
		}
		for entry in &batch.entries {
			assert!(entry.body.stages.iter().all(|stage| signers.contains(&stage.node)));
		}
		Box::pin(self.submit(ids))
	}
}
