//! Batches that are not sound, and lists beyond their bound, which can't even be decoded.

use super::{call, refuse_calls, MarketError, NONCE};
use crate::{chain::Chain, flow::*};
use aria_primitives::{
	consent::{TaskType, Window, MAX_TASK_TYPES, MAX_WINDOWS},
	manifest::MAX_MANIFEST_BYTES,
	query::Sampling,
	record::{
		BatchEntry, LayerRange, Settlement, Stage, MAX_BATCH, MAX_BATCH_SIGNERS, MAX_BOUNDARIES,
		MAX_STAGES,
	},
	ticket::AuditMode,
	AccountId, Signature, ARIA,
};
use aria_runtime::{parameters, RuntimeCall, UncheckedExtrinsic};
use codec::{Compact, Decode, Encode};
use pallet_inference_market::MAX_PROMPT_BYTES;
use pallet_model_registry::MAX_ALIAS_BYTES;
use pallet_worker_registry::ServedShard;
use sp_core::{Pair, H256};

#[test]
fn batches_should_be_refused_when_their_signatures_are_wrong_or_no_entry_is_good() {
	refuse_calls(vec![
		call("empty", MarketError::EmptyBatch, SUBMITTER, |flow| {
			settle_batch(batch(&flow.chain, Vec::new(), &SIGNERS))
		}),
		call("signers out of order", MarketError::BatchSignersUnordered, SUBMITTER, |flow| {
			let mut batch = batch(&flow.chain, vec![flow.draft(NONCE)], &SIGNERS);
			let first = batch.signatures.remove(0);
			batch.signatures.try_push(first).unwrap();
			settle_batch(batch)
		}),
		call("a signer twice", MarketError::BatchSignersUnordered, SUBMITTER, |flow| {
			let drafts = vec![flow.draft(NONCE)];
			settle_batch(batch(&flow.chain, drafts, &[FIRST, LAST, LAST, GATEWAY]))
		}),
		call("a signature of another", MarketError::BadBatchSignature, SUBMITTER, |flow| {
			let mut batch = batch(&flow.chain, vec![flow.draft(NONCE)], &SIGNERS);
			let forged: Signature = strange_key().sign(batch.entries[0].id.as_bytes()).into();
			batch.signatures[0].1 = forged;
			settle_batch(batch)
		}),
		call("an entry that was not signed", MarketError::BadBatchSignature, SUBMITTER, |flow| {
			let (good, more) = (flow.draft(NONCE), flow.draft(NONCE + 1));
			let mut signed = batch(&flow.chain, vec![good], &SIGNERS);
			let other = batch(&flow.chain, vec![more], &SIGNERS);
			signed.entries.try_push(other.entries[0].clone()).unwrap();
			settle_batch(signed)
		}),
		call("entries in another order", MarketError::BadBatchSignature, SUBMITTER, |flow| {
			let drafts = vec![flow.draft(NONCE), flow.draft(NONCE + 1)];
			let mut batch = batch(&flow.chain, drafts, &SIGNERS);
			let first = batch.entries.remove(0);
			batch.entries.try_push(first).unwrap();
			settle_batch(batch)
		}),
		call("a batch of another chain", MarketError::BadBatchSignature, SUBMITTER, |flow| {
			let drafts = vec![flow.draft(NONCE)];
			let mut batch = batch(&flow.chain, drafts, &SIGNERS);
			let ids = [batch.entries[0].id];
			let signers: Vec<_> = batch.signatures.iter().map(|(who, _)| who.clone()).collect();
			let digest = aria_primitives::record::batch_digest(&NOTHING, &ids, &signers);
			for (signer, key) in batch.signatures.iter_mut().zip(by_account(&SIGNERS)) {
				signer.1 = key.sign(digest.as_bytes()).into();
			}
			settle_batch(batch)
		}),
		call("a signer left out", MarketError::BadBatchSignature, SUBMITTER, |flow| {
			let drafts = vec![flow.draft(NONCE)];
			let mut batch = batch(&flow.chain, drafts, &SIGNERS);
			batch.signatures.remove(0);
			settle_batch(batch)
		}),
		call("a stage that is no signer", MarketError::BatchFailed, SUBMITTER, |flow| {
			let drafts = vec![flow.draft(NONCE)];
			settle_batch(batch(&flow.chain, drafts, &[FIRST, GATEWAY]))
		}),
		call("one record twice, settled before", MarketError::BatchFailed, SUBMITTER, |flow| {
			let draft = flow.draft(NONCE);
			flow.settle(draft.clone());
			settle_batch(batch(&flow.chain, vec![draft.clone(), draft], &SIGNERS))
		}),
		call("a gateway that is no signer", MarketError::BatchFailed, SUBMITTER, |flow| {
			let drafts = vec![flow.draft(NONCE), flow.draft(NONCE + 1)];
			settle_batch(batch(&flow.chain, drafts, &[FIRST, LAST]))
		}),
		call("each entry bad in its own way", MarketError::BatchFailed, SUBMITTER, |flow| {
			let mut drafts: Vec<Draft> = (0..6).map(|more| flow.draft(NONCE + more)).collect();
			drafts[0].ticket.expiry = 0;
			drafts[1].record_genesis = NOTHING;
			drafts[2].body.anchor.hash = NOTHING;
			drafts[3].stage(0, |stage| stage.energy_mj = u64::MAX);
			drafts[4].ticket.max_price = 0;
			drafts[5].body.model_id = NOTHING;
			settle_batch(batch(&flow.chain, drafts, &SIGNERS))
		}),
	]);
}

/// Keys in the order of their accounts.
fn by_account(signers: &[sp_keyring::Sr25519Keyring]) -> Vec<sp_core::sr25519::Pair> {
	let mut signers = signers.to_vec();
	signers.sort_by_key(|signer| signer.to_account_id());
	signers.into_iter().map(|signer| signer.pair()).collect()
}

/// The bytes of a signed extrinsic with a call that is given in bytes.
fn extrinsic(chain: &mut Chain, call: &[u8]) -> Vec<u8> {
	const SIGNED_VERSION_4: u8 = 0x84;
	let remark = RuntimeCall::System(frame_system::Call::remark { remark: Vec::new() });
	let signed = chain.sign(SUBMITTER, remark);
	let (address, signature, extension) = signed.preamble.to_signed().unwrap();
	let mut bytes = vec![SIGNED_VERSION_4];
	(address, signature, extension).encode_to(&mut bytes);
	bytes.extend_from_slice(call);
	bytes.encode()
}

/// The bytes of a call with a list of so many elements.
type Calls = Box<dyn Fn(usize) -> Vec<u8>>;

fn call_bytes(pallet: u8, index: u8, arguments: impl Encode) -> Vec<u8> {
	[vec![pallet, index], arguments.encode()].concat()
}

const MODELS: u8 = 40;
const WORKERS: u8 = 41;
const CONSENTS: u8 = 42;
const MARKET: u8 = 43;

/// A call that sets a consent.
fn consent_bytes(windows: usize, tasks: usize) -> Vec<u8> {
	let terms = consent(PAYOUT);
	let (days, offset) = (terms.schedule.days, terms.schedule.utc_offset_minutes);
	let schedule = (days, offset, vec![Window::ALL_DAY; windows]);
	let tasks = vec![TaskType::Audit; tasks];
	let limits = (terms.max_bandwidth_mbps, terms.max_memory_mb);
	let all = (terms.cpu_percent, schedule, tasks, limits, terms.reward_preference);
	call_bytes(CONSENTS, 0, all)
}

/// A call that settles.
fn settle_bytes(good: &Settlement, stages: usize, boundaries: usize, signatures: usize) -> Vec<u8> {
	let body = &good.body;
	let stages: Vec<Stage> = vec![body.stages[0].clone(); stages];
	let boundaries: Vec<H256> = vec![body.boundaries[0]; boundaries];
	let signatures: Vec<Option<Signature>> = vec![good.signatures[0].clone(); signatures];
	let hashes = (body.model_id, body.query_hash, body.output_hash, body.output_tokens_hash);
	let tokens = (body.prompt_tokens, body.cached_tokens, body.output_tokens);
	let times = (body.energy_mj, body.latency_ms, body.timestamp, body.anchor);
	let rest = (times, body.ticket_hash);
	let body = (body.version, hashes, body.finish_reason, tokens, stages, boundaries, rest);
	call_bytes(MARKET, 8, (good.id, body, &good.payment, signatures, &good.gateway_signature))
}

#[test]
fn extrinsics_should_not_decode_when_a_list_is_beyond_its_bound() {
	let mut flow = Flow::new();
	let model = flow.model;
	let good = flow.draft(NONCE).seal();
	let entry = BatchEntry { id: good.id, body: good.body.clone(), payment: good.payment.clone() };
	let signer: (AccountId, Signature) =
		(FIRST.to_account_id(), good.signatures[0].clone().unwrap());
	let shard = ServedShard { model, layers: LayerRange { first: 0, end: 1 } };
	let matched = (FIRST.to_account_id(), shard.layers);
	let (one, two, three) = (good.clone(), good.clone(), good.clone());
	let (entries, signers) = (vec![entry.clone()], vec![signer.clone()]);

	let cases: Vec<(&str, u32, Calls)> = vec![
		("windows of a schedule", MAX_WINDOWS, Box::new(|n| consent_bytes(n, 1))),
		("kinds of task", MAX_TASK_TYPES, Box::new(|n| consent_bytes(1, n))),
		(
			"bytes of a manifest",
			MAX_MANIFEST_BYTES,
			Box::new(|n| call_bytes(MODELS, 0, vec![0u8; n])),
		),
		(
			"bytes of an alias",
			MAX_ALIAS_BYTES,
			Box::new(move |n| call_bytes(MODELS, 6, (vec![b'a'; n], model))),
		),
		(
			"shards",
			parameters::MaxServed::get(),
			Box::new(move |n| call_bytes(WORKERS, 2, vec![shard; n])),
		),
		("stages", MAX_STAGES, Box::new(move |n| settle_bytes(&one, n, 1, 1))),
		("boundaries", MAX_BOUNDARIES, Box::new(move |n| settle_bytes(&two, 1, n, 1))),
		("signatures", MAX_STAGES, Box::new(move |n| settle_bytes(&three, 1, 2, n))),
		(
			"entries of a batch",
			MAX_BATCH,
			Box::new(move |n| call_bytes(MARKET, 9, (vec![entry.clone(); n], &signers))),
		),
		(
			"signers of a batch",
			MAX_BATCH_SIGNERS,
			Box::new(move |n| call_bytes(MARKET, 9, (&entries, vec![signer.clone(); n]))),
		),
		(
			"bytes of a prompt",
			MAX_PROMPT_BYTES,
			Box::new(move |n| {
				let prompt = (0u8, vec![b'a'; n]);
				let (price, deadline) = (Compact(ARIA), 1_000u32);
				let terms = (Sampling::GREEDY, 16u32, price, deadline, AuditMode::Any);
				call_bytes(MARKET, 12, (model, prompt, terms))
			}),
		),
		(
			"stages of a match",
			MAX_STAGES,
			Box::new(move |n| call_bytes(MARKET, 13, (model, vec![matched.clone(); n]))),
		),
	];

	for (name, bound, calls) in cases {
		let bound = bound as usize;
		let most = extrinsic(&mut flow.chain, &calls(bound));
		let decoded = UncheckedExtrinsic::decode(&mut &most[..]);
		let decoded = decoded.unwrap_or_else(|error| panic!("{bound} {name}: {error}"));
		assert_eq!(decoded.encode(), most, "{bound} {name}");
		for beyond in [bound + 1, 2 * bound, 10 * bound] {
			let more = extrinsic(&mut flow.chain, &calls(beyond));
			assert!(UncheckedExtrinsic::decode(&mut &more[..]).is_err(), "{beyond} {name}");
		}
	}
}

#[test]
fn extrinsics_should_not_decode_when_their_bytes_are_cut_or_altered() {
	let mut flow = Flow::new();
	let call = settle(flow.draft(NONCE).seal());
	let good = flow.chain.sign(SUBMITTER, call);
	let bytes = good.encode();
	flow.chain.fork().block(vec![good]).assert_good();
	for length in 0..bytes.len() {
		assert!(UncheckedExtrinsic::decode(&mut &bytes[..length]).is_err(), "{length} bytes");
	}
	// What still decodes after a byte was flipped is refused by its signature.
	for index in (0..bytes.len()).step_by(7) {
		let mut altered = bytes.clone();
		altered[index] ^= 0x55;
		if let Ok(extrinsic) = UncheckedExtrinsic::decode(&mut &altered[..]) {
			let executed = flow.chain.fork().block(vec![extrinsic]);
			assert!(executed.refusal(0).is_some(), "byte {index}");
		}
	}
}
