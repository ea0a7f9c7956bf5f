//! Benchmarks of the draw, of audits and of the calls.
//!
//! Nothing can be signed here: a seat's proof is one that is checked to its end and found wrong, and the
//! rest of the call follows as if it were right.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use crate::types::{DrawCause, DrawInfo, DrawState, DrawnStatus};
use alloc::{boxed::Box, vec, vec::Vec};
use aria_primitives::{
	audit::{
		canary_hash, commitment, leaf, leaves, positions, verify_seat, Finding, FindingKind, Named,
		Opening, Place, RecordPath, Reveal, Roots, Sealed, SeatProof, Verdict, MAX_HANDOVER_BYTES,
		MAX_LEAF_BYTES,
	},
	dispute::{
		BlockProof, Branch, Dispute, Fork, Hashes, Manifests, Matrix, Pair, Party, Standing, Step,
		MAX_HASHES,
	},
	hashing::{leaf_hash, merkle_proof, merkle_root, sha256},
	manifest::{
		Architecture, Attention, Encoding, Gate, Head, Manifest, Tensor, TensorRole, CHUNK_BYTES,
		MANIFEST_VERSION, NO_LAYER,
	},
	record::{
		boundary, Anchor, EnergySource, FinishReason, LayerRange, RecordBody, RecordEntry, Stage,
		MAX_STAGES, RECORD_VERSION,
	},
	traits::{Accountable, AuditDraw, Consents, Ledger, RecordFunds, RecordStakes, StageStake},
	AccountId, Balance, EpochIndex, RecordId, ARIA,
};
use codec::Encode;
use frame_benchmarking::v2::*;
use frame_support::traits::{
	fungible::{Inspect, Mutate, MutateHold},
	tokens::Precision,
	EnsureOrigin, Get, Hooks, Randomness,
};
use frame_system::RawOrigin;
use sp_core::{sr25519, H256};
use sp_runtime::SaturatedConversion;

/// Tokens of the prompt, and of the answer, where leaves are small.
const TOKENS: u32 = 16;
/// The epoch of the records.
const EPOCH: EpochIndex = 0;
/// What vests for each stage.
const SHARE: Balance = ARIA;

/// A public key: somebody's, so that it is a point.
const KEY: [u8; 32] = [
	0xd4, 0x35, 0x93, 0xc7, 0x15, 0xfd, 0xd3, 0x1c, 0x61, 0x14, 0x1a, 0xbd, 0x04, 0xa9, 0x9f, 0xd6,
	0x82, 0x2c, 0x85, 0x58, 0x85, 0x4c, 0xcd, 0xe3, 0x9a, 0x56, 0x84, 0xe7, 0xa5, 0x6d, 0xa2, 0x7d,
];

/// A proof whose parts are a point and two scalars, and which proves nothing.
fn proof() -> SeatProof {
	let mut scalars = [0; 64];
	scalars[0] = 1;
	scalars[32] = 1;
	SeatProof { pre_output: KEY, proof: scalars }
}

fn who(name: &'static str, n: u32) -> AccountId {
	account(name, n, 0)
}

/// An account with money and a stake.
fn worker<T: Config>(n: u32) -> AccountId {
	let worker = who("verifier", n);
	let _ = T::Currency::mint_into(&worker, 1_000 * ARIA);
	T::Workers::benchmark_stake(&worker, 100 * ARIA);
	T::Consents::benchmark_consent(&worker);
	worker
}

/// A verifier whose key is only its own.
fn verifier<T: Config>(n: u32) -> AccountId {
	let worker = worker::<T>(n);
	let key = sr25519::Public::from_raw((b"key", n).using_encoded(sha256).0);
	Pallet::<T>::do_register_verifier(worker.clone(), key).expect("there is room for verifiers");
	worker
}

/// Makes that a worker was a verifier so many times, with a canary that it may have made.
fn former<T: Config>(worker: &AccountId, count: u32) {
	let lots = CanaryLots::default();
	let info = CanaryInfo { by: who("maker", 0), at: 0, bond: 0, lots };
	Canaries::<T>::insert(H256::repeat_byte(1), info);
	let key = sr25519::Public::from_raw(KEY);
	for _ in 0..count {
		let info = VerifierInfo {
			key,
			weight: ARIA,
			from: 0,
			seats: 0,
			owed: 0,
			ripening: 0,
			ripe_at: 0,
			canary: None,
		};
		Pallet::<T>::keep_former(worker, &info);
	}
}

/// Bytes of a leaf.
fn data(index: u16, position: u32, size: usize) -> Vec<u8> {
	let mut bytes = vec![7; 32];
	bytes.extend(position.to_le_bytes());
	bytes.resize(size.max(38), index as u8);
	bytes
}

fn tree(body: &RecordBody, index: u16, size: usize, hash: impl Fn(&[u8]) -> H256) -> Vec<H256> {
	let last = usize::from(index) == body.stages.len();
	let first = if last { body.prompt_tokens - 1 } else { 0 };
	(0..leaves(body, index)).map(|t| hash(&data(index, first + t, size))).collect()
}

/// A record of the most stages, whose leaves have `size` bytes, settled and drawn.
fn record<T: Config>(size: usize, tokens: u32) -> (RecordId, RecordEntry) {
	record_of::<T>(MAX_STAGES, size, tokens)
}

/// The same of so many stages.
fn record_of<T: Config>(count: u32, size: usize, tokens: u32) -> (RecordId, RecordEntry) {
	let stages: Vec<Stage> = (0..count)
		.map(|n| {
			let node = who("stage", n);
			let _ = T::Currency::mint_into(&node, ARIA);
			T::Workers::benchmark_stake(&node, 100 * ARIA);
			T::Consents::benchmark_consent(&node);
			Stage {
				node,
				layers: LayerRange { first: n as u16, end: n as u16 + 1 },
				energy_mj: 1,
				energy_source: EnergySource::Rapl,
				consent_version: 1,
			}
		})
		.collect();
	let nodes: Vec<AccountId> = stages.iter().map(|stage| stage.node.clone()).collect();
	let mut body = RecordBody {
		version: RECORD_VERSION,
		model_id: T::Manifests::benchmark_manifest(model()),
		query_hash: H256::repeat_byte(8),
		output_hash: H256::repeat_byte(9),
		output_tokens_hash: H256::repeat_byte(10),
		finish_reason: FinishReason::Stop,
		prompt_tokens: tokens,
		cached_tokens: 0,
		output_tokens: tokens,
		stages: stages.try_into().expect("there are as many as there may be"),
		boundaries: Default::default(),
		energy_mj: count.into(),
		latency_ms: 1_000,
		timestamp: 0,
		anchor: Anchor { number: 0, hash: H256::zero() },
		ticket_hash: H256::zero(),
	};
	let mut boundaries = vec![H256::zero()];
	for index in 1..=count as u16 {
		let root = merkle_root(&tree(&body, index, size, leaf_hash));
		boundaries.push(boundary(index, &root, &body.query_hash));
	}
	body.boundaries = boundaries.try_into().expect("there is one more than stages");
	let id = body.id(&Pallet::<T>::genesis());
	let (requester, gateway) = (who("requester", 0), who("gateway", 0));
	let _ = T::Currency::mint_into(&requester, ARIA);
	T::Funds::benchmark_funds(&gateway, EPOCH, &nodes, SHARE);
	let entry = RecordEntry {
		body,
		signed_stages: u32::MAX,
		requester,
		gateway,
		price: ARIA,
		settled_at: 1,
		epoch: EPOCH,
		era: 0,
		auditable: true,
	};
	T::Ledger::insert(id, entry.clone()).expect("the block is not full");
	let info = DrawInfo {
		epoch: EPOCH,
		at: 1,
		seed: H256::zero(),
		probability_ppm: 1_000_000,
		cause: DrawCause::Lot,
		status: DrawnStatus::Open,
	};
	Drawn::<T>::insert(id, info);
	let stake = StageStake { share: SHARE, burnt: 1, work: 1_000 };
	let stakes = RecordStakes {
		stages: vec![stake; count as usize].try_into().expect("as many as stages"),
		named: None,
		price: ARIA,
		cost: ARIA / 5,
		stake: 100 * ARIA,
	};
	let record = SettledRecord { reputation: 0, forced: false, stakes };
	Pallet::<T>::enqueue_audit(id, EPOCH, 1_000_000, record);
	Pallet::<T>::endow_pot();
	let _ = T::Currency::mint_into(&T::AuditPot::get(), 1_000 * ARIA);
	(id, entry)
}

/// The record of [`record`] in the first window of its audit.
fn begun<T: Config>(size: usize, tokens: u32) -> (RecordId, RecordEntry) {
	begun_of::<T>(MAX_STAGES, size, tokens)
}

/// The same of so many stages.
fn begun_of<T: Config>(count: u32, size: usize, tokens: u32) -> (RecordId, RecordEntry) {
	let (id, entry) = record_of::<T>(count, size, tokens);
	let audit = Audits::<T>::get(id).expect("it was drawn");
	let ends = WaitingEnds::<T>::get();
	Waiting::<T>::remove(ends.first);
	WaitingEnds::<T>::put(QueueEnds::default());
	Pallet::<T>::begin_round(id, audit, 0);
	(id, entry)
}

/// Puts the audit into a window.
fn enter<T: Config>(id: RecordId, phase: Phase) {
	let audit = Audits::<T>::get(id).expect("it has begun");
	Pallet::<T>::unschedule(&id, &audit);
	Pallet::<T>::enter(id, audit, phase);
}

/// Gives so many verifiers a seat that says this.
fn seats<T: Config>(id: RecordId, count: u32, state: SeatState) {
	let mut audit = Audits::<T>::get(id).expect("it has begun");
	for n in 0..count {
		let committed = SeatState::Committed { commitment: H256::zero() };
		let worker = verifier::<T>(n);
		Pallet::<T>::take_seat(id, &mut audit, worker.clone(), None, [1; 32], committed)
			.expect("there is money for a bond");
		Seats::<T>::mutate(id, worker, |seat| {
			if let Some(seat) = seat {
				seat.state = state;
			}
		});
	}
	Audits::<T>::insert(id, audit);
}

/// Columns of the matrix in dispute: rows of five to a chunk.
const COLUMNS: u32 = 65_535;
/// The item of its sums, and of its input.
const GATE: u32 = 7;
const INPUT: u32 = 6;

/// Chunks of a matrix of which every weight is −1: all alike, and a scale.
fn chunks() -> Vec<H256> {
	let blocks = GATE_ROWS.div_ceil(5) as usize;
	let chunk = vec![0; COLUMNS as usize];
	let mut chunks = vec![leaf_hash(&chunk); blocks];
	chunks.push(leaf_hash(&[0; 4]));
	chunks
}

/// Rows of the matrix in dispute.
const GATE_ROWS: u32 = 1_280;

/// A model with a layer for each stage, whose sums take as long as any.
fn model() -> Manifest {
	let root = merkle_root(&chunks());
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
	let tensor = |layer, role, encoding| Tensor { layer, role, encoding, root };
	let global = [TensorRole::TokenEmbedding, TensorRole::OutputNorm];
	let layers = MAX_STAGES as u16;
	let tensors: Vec<Tensor> = (0..layers)
		.flat_map(|layer| {
			roles.map(|role| match role {
				TensorRole::AttentionNorm | TensorRole::FeedForwardNorm => {
					tensor(layer, role, Encoding::F16)
				}
				_ => tensor(layer, role, Encoding::Ternary5),
			})
		})
		.chain(global.map(|role| tensor(NO_LAYER, role, Encoding::F16)))
		.collect();
	Manifest {
		version: MANIFEST_VERSION,
		architecture: Architecture::LlamaTernary,
		attention: Attention::Gqa { heads: 2, kv_heads: 1, head_dim: 64 },
		hidden: COLUMNS,
		feed_forward: GATE_ROWS,
		layers,
		vocab: 1_000,
		context: 4_096,
		rope_theta: 10_000,
		norm_epsilon_bits: 1e-5f32.to_bits(),
		gate: Gate::Silu,
		head: Head::Tied,
		numerics_version: 1,
		bos: None,
		eos: Default::default(),
		tokenizer_hash: H256::zero(),
		chat_template_hash: H256::zero(),
		tensors: tensors.try_into().expect("there are fewer than may be"),
		shards: vec![LayerRange { first: 0, end: layers }].try_into().expect("there may be one"),
	}
}

/// Leaves that nobody else has.
fn others(count: usize, seed: u8) -> Vec<H256> {
	(0..count as u32).map(|n| (seed, n).using_encoded(sha256)).collect()
}

fn hashes(count: u32) -> Hashes {
	others(count as usize, 9).try_into().expect("as many as there may be")
}

/// A dispute on the last stage in a window, at a step; returns record, stage's node, and accuser.
fn disputed<T: Config>(
	tokens: u32,
	phase: Phase,
	step: Step,
) -> (RecordId, RecordEntry, AccountId, AccountId) {
	let (id, entry) = begun::<T>(64, tokens);
	let root = merkle_root(&others(tokens as usize, 1));
	let index = MAX_STAGES as u16;
	seats::<T>(id, 1, SeatState::Counted { finding: FindingKind::Boundary { index, root } });
	Audits::<T>::mutate(id, |audit| {
		if let Some(audit) = audit {
			audit.verdict = Some(Verdict::Passed);
		}
	});
	let (node, accuser) = (who("stage", MAX_STAGES - 1), who("verifier", 0));
	enter::<T>(id, Phase::Dispute);
	Pallet::<T>::do_open_dispute(id, &accuser, accuser.clone()).expect("there is an accusation");
	Disputes::<T>::mutate(id, &accuser, |dispute| {
		if let Some(dispute) = dispute {
			dispute.step = step;
		}
	});
	enter::<T>(id, phase);
	(id, entry, node, accuser)
}

/// The traces of both, which differ in the sums of a matrix; and the blocks of those.
fn traces() -> ([Vec<H256>; 2], [Vec<H256>; 2]) {
	let blocks = GATE_ROWS.div_ceil(5) as usize;
	let blocks = [others(blocks, 2), others(blocks, 3)];
	let inputs = vec![0u8; COLUMNS as usize + 4];
	let items = |blocks: &[H256]| {
		let mut items = others(11, 4);
		items[INPUT as usize] = leaf_hash(&inputs);
		items[GATE as usize] = merkle_root(blocks);
		items
	};
	([items(&blocks[0]), items(&blocks[1])], blocks)
}

fn pair(of: &[Vec<H256>; 2]) -> Pair {
	Pair { executor: merkle_root(&of[0]), accuser: merkle_root(&of[1]) }
}

fn id(n: u32) -> RecordId {
	sha256(&n.to_le_bytes())
}

/// Notes `n` records of strangers, all of which will be drawn; returns their epoch.
fn note<T: Config>(n: u32) -> EpochIndex {
	for n in 0..n {
		Pallet::<T>::note_settled(id(n), 0, true).expect("the epoch is not full");
	}
	T::CurrentEpoch::get()
}

#[benchmarks]
mod benchmarks {
	use super::*;

	#[benchmark]
	fn on_initialize_idle() {
		note::<T>(1);
		let block = frame_system::Pallet::<T>::block_number();

		#[block]
		{
			Pallet::<T>::on_initialize(block);
		}

		assert!(DrawnThrough::<T>::get().is_none());
	}

	/// The seed is set beforehand, because at genesis no randomness is young enough; the randomness
	/// is read all the same, so that it is paid for.
	#[benchmark]
	fn draw(n: Linear<1, { T::MaxDrawsPerBlock::get().min(T::MaxPerEpoch::get()) }>) {
		let epoch = note::<T>(n);
		let due = epoch.saturating_add(T::DrawDelay::get());
		let (seed, _) = T::Randomness::random(&epoch.encode());
		Cursor::<T>::put(DrawState { epoch, seed, records: 0, drawn: 0 });

		#[block]
		{
			let _ = T::CurrentEpoch::get();
			let _ = T::Randomness::random(&epoch.encode());
			Pallet::<T>::draw_due(due);
		}

		assert_eq!(DrawnThrough::<T>::get(), Some(epoch));
		assert!(Drawn::<T>::contains_key(id(n - 1)));
	}

	#[benchmark]
	fn force_draw() -> Result<(), BenchmarkError> {
		let origin =
			T::DrawOrigin::try_successful_origin().map_err(|_| BenchmarkError::Weightless)?;
		let epoch = note::<T>(1);

		#[extrinsic_call]
		_(origin as T::RuntimeOrigin, id(0), epoch);

		assert!(Settled::<T>::get(epoch, id(0)).is_some_and(|record| record.forced));
		Ok(())
	}

	#[benchmark]
	fn audits_idle() {
		let block = Pallet::<T>::now();

		#[block]
		{
			Pallet::<T>::run_audits(block);
		}

		assert_eq!(Audits::<T>::count(), 0);
	}

	#[benchmark]
	fn put_off() {
		let (id, _) = begun::<T>(64, 4);
		let audit = Audits::<T>::get(id).expect("it has begun");
		Pallet::<T>::unschedule(&id, &audit);
		let now = Pallet::<T>::now();

		#[block]
		{
			Pallet::<T>::put_off(id, now + 1);
		}

		assert_eq!(Audits::<T>::get(id).map(|audit| audit.due), Some(now + 1));
	}

	#[benchmark]
	fn begin_audit() {
		let (id, _) = record::<T>(64, 4);
		verifier::<T>(0);
		// Its weight counts already.
		VerifierWeight::<T>::mutate(|total| total.counted = 1);

		#[block]
		{
			let id = Pallet::<T>::next_waiting().expect("it waits");
			Pallet::<T>::begin(id);
		}

		assert_eq!(Audits::<T>::get(id).map(|audit| audit.phase), Some(Phase::Commit));
	}

	#[benchmark]
	fn step_audit() {
		let (id, _) = begun::<T>(64, 4);
		enter::<T>(id, Phase::Reveal);
		Audits::<T>::mutate(id, |audit| {
			if let Some(audit) = audit {
				audit.revealed = 1;
			}
		});
		let audit = Audits::<T>::get(id).expect("it has begun");
		Pallet::<T>::unschedule(&id, &audit);

		#[block]
		{
			Pallet::<T>::step(id);
		}

		assert_eq!(Audits::<T>::get(id).map(|audit| audit.phase), Some(Phase::Open));
	}

	/// All seats have lost their bonds, and accusers are none: what follows is measured by `conclude`.
	#[benchmark]
	fn end_round(s: Linear<0, 192>) {
		let (id, _) = begun::<T>(64, 4);
		seats::<T>(id, s, SeatState::Committed { commitment: H256::zero() });
		let audit = Audits::<T>::get(id).expect("it has begun");
		Canaries::<T>::insert(
			H256::zero(),
			CanaryInfo { by: who("maker", 0), at: 0, bond: 0, lots: CanaryLots::default() },
		);

		#[block]
		{
			Pallet::<T>::end_round(id, audit);
		}

		assert_eq!(Seats::<T>::iter_prefix(id).count(), 0);
	}

	/// The first of `n` stages failed, all others worked on what is false, and a half of the `s` seats
	/// passed it.
	#[benchmark]
	fn conclude(n: Linear<1, { MAX_STAGES }>, s: Linear<0, 192>) {
		let (id, _) = begun_of::<T>(n, 64, 4);
		seats::<T>(id, s, SeatState::Counted { finding: FindingKind::Valid });
		for (number, (worker, mut seat)) in
			Seats::<T>::iter_prefix(id).collect::<Vec<_>>().into_iter().enumerate()
		{
			if number % 2 == 0 {
				let finding = FindingKind::Boundary { index: 1, root: H256::zero() };
				seat.state = SeatState::Counted { finding };
				Seats::<T>::insert(id, worker, seat);
			}
		}
		let audit = Audits::<T>::get(id).expect("it has begun");

		#[block]
		{
			Pallet::<T>::conclude(id, audit, Verdict::Failed { stage: 0 });
		}

		assert!(!Audits::<T>::contains_key(id));
	}

	#[benchmark]
	fn register_verifier() {
		let caller = worker::<T>(0);

		#[extrinsic_call]
		_(RawOrigin::Signed(caller.clone()), sr25519::Public::from_raw(KEY));

		assert!(Verifiers::<T>::contains_key(&caller));
	}

	/// It may have made a canary, and has been a verifier as often as is kept.
	#[benchmark]
	fn retire_verifier() {
		let caller = verifier::<T>(0);
		Verifiers::<T>::mutate(&caller, |info| {
			if let Some(info) = info {
				info.from = 0;
			}
		});
		former::<T>(&caller, MAX_FORMER_TERMS);

		#[extrinsic_call]
		_(RawOrigin::Signed(caller.clone()), caller.clone());

		assert!(!Verifiers::<T>::contains_key(&caller));
		assert_eq!(FormerVerifiers::<T>::get(&caller).len(), MAX_FORMER_TERMS as usize);
	}

	/// Each is of another worker, which leaves nothing behind.
	#[benchmark]
	fn drop_former(n: Linear<0, { MAX_DROPPED_FORMER }>) {
		for number in 0..n {
			former::<T>(&who("former", number), 1);
		}
		let late = Pallet::<T>::now() + CANARY_LIFE + 1;
		ClosedThrough::<T>::put(T::CurrentEpoch::get() + CANARY_EPOCHS);

		#[block]
		{
			Pallet::<T>::drop_former(late);
		}

		assert_eq!(FormerVerifiers::<T>::iter().count() + FormerQueue::<T>::iter().count(), 0);
	}

	#[benchmark]
	fn commit() {
		let (id, entry) = begun::<T>(64, 4);
		let worker = verifier::<T>(0);
		Verifiers::<T>::mutate(&worker, |info| {
			if let Some(info) = info {
				info.key = sr25519::Public::from_raw(KEY);
				info.from = 0;
			}
		});
		let state = SeatState::Committed { commitment: H256::zero() };
		let key = sr25519::Public::from_raw(KEY);

		#[block]
		{
			let mut audit = Audits::<T>::get(id).expect("it has begun");
			// Everything up to the proof, and the bytes that a good one would give.
			let named = Named::default();
			let _ = Pallet::<T>::seat_output(&id, &audit, &entry, &worker, &proof(), &named);
			let _ = verify_seat(&key, &id, &audit.seed, 0, &proof());
			let _ = T::Ledger::get(&id);
			Pallet::<T>::take_seat(id, &mut audit, worker.clone(), None, [1; 32], state)
				.expect("there is money for a bond");
		}

		assert!(Seats::<T>::contains_key(id, &worker));
	}

	#[benchmark]
	fn claim_silence() {
		let (id, entry) = begun::<T>(64, 4);
		let worker = verifier::<T>(0);
		Verifiers::<T>::mutate(&worker, |info| {
			if let Some(info) = info {
				info.key = sr25519::Public::from_raw(KEY);
				info.from = 0;
			}
		});
		let key = sr25519::Public::from_raw(KEY);

		#[block]
		{
			let mut audit = Audits::<T>::get(id).expect("it has begun");
			let named = Named::default();
			let _ = Pallet::<T>::seat_output(&id, &audit, &entry, &worker, &proof(), &named);
			let _ = verify_seat(&key, &id, &audit.seed, 0, &proof());
			let _ = T::Ledger::get(&id);
			let state = SeatState::Claimed;
			Pallet::<T>::take_seat(id, &mut audit, worker.clone(), None, [1; 32], state)
				.expect("there is money for a bond");
		}

		assert!(Seats::<T>::contains_key(id, &worker));
	}

	#[benchmark]
	fn post_handover() {
		let (id, entry) = begun::<T>(64, 4);
		seats::<T>(id, 1, SeatState::Claimed);
		let verifier = who("verifier", 0);
		let bytes =
			vec![1; MAX_HANDOVER_BYTES as usize].try_into().expect("as many as there may be");
		let sealed = Box::new(Sealed { ephemeral: KEY, bytes });

		#[extrinsic_call]
		_(RawOrigin::Signed(entry.gateway), id, verifier.clone(), sealed);

		assert_eq!(Seats::<T>::get(id, verifier).map(|seat| seat.state), Some(SeatState::Rebutted));
	}

	#[benchmark]
	fn reveal() {
		let (id, _) = begun::<T>(64, 4);
		let worker = who("verifier", 0);
		// The last boundary differs.
		let body = T::Ledger::get(&id).expect("it is settled").body;
		let mut roots: Vec<H256> = (1..=MAX_STAGES as u16)
			.map(|index| merkle_root(&tree(&body, index, 64, leaf_hash)))
			.collect();
		if let Some(last) = roots.last_mut() {
			*last = H256::zero();
		}
		let roots: Roots = roots.try_into().expect("as many as stages");
		let finding = Finding::Boundary { index: MAX_STAGES as u16, roots };
		let said = Reveal { root: H256::zero(), finding, nonce: H256::zero() };
		let commitment = commitment(&Pallet::<T>::genesis(), &id, 0, &worker, &said);
		seats::<T>(id, 1, SeatState::Committed { commitment });
		enter::<T>(id, Phase::Reveal);

		#[extrinsic_call]
		_(RawOrigin::Signed(worker.clone()), id, Box::new(said));

		assert!(Seats::<T>::get(id, worker)
			.is_some_and(|seat| matches!(seat.state, SeatState::Revealed { .. })));
	}

	/// `b` is the sum of the leaves' bytes.
	#[benchmark]
	fn open(b: Linear<0, { 8 * MAX_LEAF_BYTES }>) {
		let count = 8u8;
		// Large leaves are few, so that they can be made.
		let size = (b / u32::from(count)).max(38) as usize;
		let tokens = if size > 4_096 { 2 } else { TOKENS };
		let (id, entry) = begun::<T>(size, tokens);
		let worker = who("verifier", 0);
		let body = &entry.body;
		let output = [1; 32];
		let own = |index: u16| tree(body, index, size, |bytes| leaf(&output, bytes));
		let roots: Vec<H256> =
			(1..=MAX_STAGES as u16).map(|index| merkle_root(&own(index))).collect();
		let root = merkle_root(&roots);
		let finding = FindingKind::Valid;
		seats::<T>(id, 1, SeatState::Revealed { root, finding });
		Audits::<T>::mutate(id, |audit| {
			if let Some(audit) = audit {
				audit.params.positions = count;
			}
		});
		enter::<T>(id, Phase::Open);
		let places = positions(&H256::zero(), &id, &worker, count, MAX_STAGES as u16, body);
		let path = |leaves: &[H256], index: usize| {
			merkle_proof(leaves, index)
				.and_then(|path| path.try_into().ok())
				.expect("there is such a leaf")
		};
		let opening = |place: &Place| {
			let (at, index) = (place.leaf as usize, place.boundary);
			let theirs = tree(body, index, size, leaf_hash);
			let mine = own(index);
			Opening {
				data: data(index, place.position, size).try_into().expect("it is no longer"),
				own_root: merkle_root(&mine),
				own_path: path(&mine, at),
				root_path: path(&roots, usize::from(index) - 1),
				record: RecordPath { root: merkle_root(&theirs), path: path(&theirs, at) },
			}
		};
		let openings: Vec<Opening> = places.iter().map(opening).collect();
		let openings = openings.try_into().expect("as many as there may be");

		#[extrinsic_call]
		_(RawOrigin::Signed(worker.clone()), id, openings);

		assert_eq!(
			Seats::<T>::get(id, worker).map(|seat| seat.state),
			Some(SeatState::Counted { finding })
		);
	}

	#[benchmark]
	fn commit_canary() {
		let caller = worker::<T>(0);

		#[extrinsic_call]
		_(RawOrigin::Signed(caller), H256::zero());

		assert!(Canaries::<T>::contains_key(H256::zero()));
	}

	/// The maker's right is one that does not hold, checked to its end; what a good one writes follows.
	#[benchmark]
	fn reveal_canary() {
		let (id, entry) = begun::<T>(64, 4);
		let maker = verifier::<T>(0);
		Verifiers::<T>::mutate(&maker, |info| {
			if let Some(info) = info {
				info.key = sr25519::Public::from_raw(KEY);
				info.from = 0;
			}
		});
		let nonce = H256::zero();
		let hash = canary_hash(&Pallet::<T>::genesis(), &id, 0, &maker, &nonce);
		Pallet::<T>::do_commit_canary(maker.clone(), hash).expect("there is money for a bond");
		// It was committed to before.
		Canaries::<T>::mutate(hash, |info| {
			if let Some(info) = info {
				info.at = 0;
			}
		});
		Audits::<T>::mutate(id, |audit| {
			if let Some(audit) = audit {
				audit.verdict = Some(Verdict::Passed);
			}
		});
		enter::<T>(id, Phase::Canary);

		#[block]
		{
			let (requester, by) = (&entry.requester, maker.clone());
			let _ = Pallet::<T>::do_reveal_canary(requester, id, 0, by.clone(), nonce, &proof());
			Verifiers::<T>::mutate(&maker, |info| {
				if let Some(info) = info {
					info.canary = Some(EPOCH);
				}
			});
			let info = Canaries::<T>::take(hash).expect("it was committed to");
			let shown =
				ShownCanary { stage: 0, maker: maker.clone(), by, bond: info.bond, unpaid: false };
			Audits::<T>::mutate(id, |audit| {
				if let Some(audit) = audit {
					audit.canary = Some(shown);
				}
			});
		}

		assert!(Audits::<T>::get(id).is_some_and(|audit| audit.canary.is_some()));
	}

	#[benchmark]
	fn forget_canary() {
		let by = worker::<T>(0);
		Pallet::<T>::do_commit_canary(by.clone(), H256::zero()).expect("there is money");
		Pallet::<T>::endow_pot();
		let late = Pallet::<T>::now() + CANARY_LIFE + 1;
		frame_system::Pallet::<T>::set_block_number(late.saturated_into());
		ClosedThrough::<T>::put(Pallet::<T>::terms().lots.epoch + CANARY_EPOCHS);

		#[extrinsic_call]
		_(RawOrigin::Signed(by), H256::zero());

		assert_eq!(Canaries::<T>::count(), 0);
		assert!(T::Currency::balance(&T::AuditPot::get()) > 0);
	}

	#[benchmark]
	fn open_dispute() {
		let (id, _, _, accuser) = disputed::<T>(4, Phase::Dispute, Step::Open);
		for (_, dispute) in Disputes::<T>::drain_prefix(id) {
			// Its bond is free again, so that it can be taken.
			let _ = T::Currency::release(
				&HoldReason::Dispute.into(),
				&dispute.opener,
				dispute.bond,
				Precision::BestEffort,
			);
		}

		#[extrinsic_call]
		_(RawOrigin::Signed(accuser.clone()), id, accuser.clone());

		assert!(Disputes::<T>::contains_key(id, accuser));
	}

	/// As many leaves as nodes, each one of the last boundary.
	#[benchmark]
	fn post_nodes(n: Linear<1, { MAX_HASHES }>) {
		let (id, entry, node, accuser) = disputed::<T>(n, Phase::Nodes, Step::Open);
		let nodes = tree(&entry.body, MAX_STAGES as u16, 64, leaf_hash);
		let nodes: Hashes = nodes.try_into().expect("as many as there may be");

		#[extrinsic_call]
		_(RawOrigin::Signed(node), id, accuser.clone(), nodes);

		let step = Disputes::<T>::get(id, accuser).map(|dispute| dispute.step);
		assert!(matches!(step, Some(Step::Nodes { .. })));
	}

	/// One leaf below the node, and as many hashes as there may be.
	#[benchmark]
	fn accuse_leaf(n: Linear<1, { MAX_HASHES }>) {
		let both = [others(TOKENS as usize, 5), others(TOKENS as usize, 6)];
		let step = Step::Nodes { roots: pair(&both) };
		let (id, _, _, accuser) = disputed::<T>(TOKENS, Phase::Leaf, step);
		let fork = Fork::between(&both[0], &both[1]).expect("they differ");
		let below: Hashes = vec![fork.accuser.hash].try_into().expect("there may be one");
		let more = hashes(n);

		#[block]
		{
			let _ = merkle_root(&more);
			Pallet::<T>::do_accuse_leaf(id, accuser.clone(), &fork, &below)
				.expect("it is the first");
		}

		let step = Disputes::<T>::get(id, accuser).map(|dispute| dispute.step);
		assert!(matches!(step, Some(Step::Leaf { .. })));
	}

	/// The items of one layer, and as many hashes as there may be.
	#[benchmark]
	fn defend_leaf(n: Linear<1, { MAX_HASHES }>) {
		let both = [others(TOKENS as usize, 5), others(TOKENS as usize, 6)];
		let step = Step::Leaf { first: 0, count: TOKENS, nodes: pair(&both) };
		let (id, _, node, accuser) = disputed::<T>(TOKENS, Phase::Defence, step);
		let fork = Fork::between(&both[0], &both[1]).expect("they differ");
		let (items, more) = (hashes(11), hashes(n));

		#[block]
		{
			let _ = merkle_root(&more);
			Pallet::<T>::do_defend_leaf(id, &node, accuser.clone(), &fork, &items)
				.expect("it is the first");
		}

		let step = Disputes::<T>::get(id, accuser).map(|dispute| dispute.step);
		assert!(matches!(step, Some(Step::Defence { .. })));
	}

	/// The items of one layer, and as many hashes as there may be.
	#[benchmark]
	fn reply_trace(n: Linear<1, { MAX_HASHES }>) {
		let step = Step::Defence { position: 0, trace: H256::zero() };
		let (id, _, _, accuser) = disputed::<T>(4, Phase::Reply, step);
		let (items, more) = (hashes(11), hashes(n));

		#[block]
		{
			let _ = merkle_root(&more);
			Pallet::<T>::do_reply_trace(id, accuser.clone(), &items).expect("it is a trace");
		}

		let step = Disputes::<T>::get(id, accuser).map(|dispute| dispute.step);
		assert!(matches!(step, Some(Step::Traces { .. })));
	}

	/// The blocks of a matrix, and as many hashes as there may be.
	#[benchmark]
	fn post_blocks(n: Linear<1, { MAX_HASHES }>) {
		let (items, blocks) = traces();
		let step = Step::Traces { position: 0, traces: pair(&items) };
		let (id, _, _, accuser) = disputed::<T>(4, Phase::Blocks, step);
		let fork = Fork::between(&items[0], &items[1]).expect("they differ");
		let own: Hashes = blocks[1].clone().try_into().expect("as many as there may be");
		let more = hashes(n);

		#[block]
		{
			let _ = merkle_root(&more);
			Pallet::<T>::do_post_blocks(id, &accuser, accuser.clone(), &fork, &own)
				.expect("it is the first");
		}

		let step = Disputes::<T>::get(id, accuser).map(|dispute| dispute.step);
		assert!(matches!(step, Some(Step::Blocks { accuser: true, .. })));
	}

	/// A chunk of the most weights, of the longest rows.
	#[benchmark]
	fn prove_false() {
		let (items, blocks) = traces();
		let step = Step::Blocks {
			position: 0,
			traces: pair(&items),
			item: GATE,
			sums: pair(&blocks),
			executor: true,
			accuser: true,
		};
		let (id, _, node, accuser) = disputed::<T>(4, Phase::Proof, step);
		let matrix = Matrix::of(&model(), MAX_STAGES as u16 - 1, TensorRole::Gate)
			.expect("it can be in dispute");
		assert!(matrix.chunk_bytes(0).saturating_add(matrix.row_bytes) > CHUNK_BYTES);
		let path = |leaves: &[H256], index: usize| {
			merkle_proof(leaves, index)
				.and_then(|path| path.try_into().ok())
				.expect("there is such a leaf")
		};
		let Branch { hash, path: of_block } = Branch::of(&blocks[0], 0).expect("there is one");
		let proof = Box::new(BlockProof {
			block: 0,
			hash,
			path: of_block,
			inputs: vec![0; COLUMNS as usize + 4].try_into().expect("as many as there may be"),
			inputs_path: path(&items[0], INPUT as usize),
			weights: vec![0; matrix.chunk_bytes(0) as usize]
				.try_into()
				.expect("as many as there may be"),
			weights_path: path(&chunks(), 0),
		});

		#[extrinsic_call]
		_(RawOrigin::Signed(node), id, accuser.clone(), Party::Executor, proof);

		let dispute = Disputes::<T>::get(id, accuser).expect("it goes on");
		assert_eq!(dispute.executor, Standing::False);
	}

	/// All accusers were proven false.
	#[benchmark]
	fn step_disputes(d: Linear<0, 128>) {
		let (id, _) = begun::<T>(64, 4);
		let root = H256::zero();
		let index = MAX_STAGES as u16;
		let finding = FindingKind::Boundary { index, root };
		seats::<T>(id, d, SeatState::Counted { finding });
		Audits::<T>::mutate(id, |audit| {
			if let Some(audit) = audit {
				audit.verdict = Some(Verdict::Passed);
			}
		});
		enter::<T>(id, Phase::Dispute);
		for n in 0..d {
			let accuser = who("verifier", n);
			Pallet::<T>::do_open_dispute(id, &accuser, accuser.clone()).expect("it accuses");
			Disputes::<T>::mutate(id, &accuser, |entry: &mut Option<Dispute>| {
				if let Some(dispute) = entry {
					dispute.accuser = Standing::False;
				}
			});
		}
		Canaries::<T>::insert(
			H256::zero(),
			CanaryInfo { by: who("maker", 0), at: 0, bond: 0, lots: CanaryLots::default() },
		);
		enter::<T>(id, Phase::Proof);
		let audit = Audits::<T>::get(id).expect("it has begun");
		Pallet::<T>::unschedule(&id, &audit);

		#[block]
		{
			Pallet::<T>::step_disputes(id, audit);
		}

		assert_eq!(Disputes::<T>::iter_prefix(id).count(), 0);
		assert_eq!(Audits::<T>::get(id).map(|audit| audit.phase), Some(Phase::Canary));
	}

	impl_benchmark_test_suite!(Pallet, crate::mock::new_test_ext(), crate::mock::Test);
}
