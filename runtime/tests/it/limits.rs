//! Weights and lengths of blocks and calls; metadata as wallets read it.

use crate::{chain::Chain, flow::*};
use aria_primitives::{
	record::{Batch, BatchEntry, LayerRange, Settlement, Stage, MAX_BATCH, MAX_STAGES},
	AccountId, ARIA,
};
use aria_runtime::{
	parameters::{self, RuntimeBlockLength as Length, RuntimeBlockWeights as Weights},
	Runtime, RuntimeCall, RuntimeEvent, System, UncheckedExtrinsic, VERSION,
};
use codec::{Decode, Encode};
use frame_support::{
	__private::metadata::{RuntimeMetadata, RuntimeMetadataPrefixed},
	dispatch::{DispatchClass, GetDispatchInfo},
	weights::Weight,
};
use pallet_inference_market::{Event, RequestPrompt, MAX_PROMPT_BYTES};
use pallet_worker_registry::ServedShard;
use sp_core::H256;
use sp_genesis_builder::DEV_RUNTIME_PRESET;
use sp_keyring::Sr25519Keyring;
use sp_runtime::transaction_validity::{InvalidTransaction, TransactionValidityError};

/// The most that one extrinsic may weigh.
fn most() -> Weight {
	Weights::get().get(DispatchClass::Normal).max_extrinsic.unwrap()
}

fn fits(extrinsic: &UncheckedExtrinsic) -> bool {
	let length = extrinsic.encoded_size();
	let weight = extrinsic.get_dispatch_info().total_weight();
	let longest = *Length::get().max.get(DispatchClass::Normal) as usize;
	weight.saturating_add(Weight::from_parts(0, length as u64)).all_lte(most()) && length <= longest
}

/// A settlement with so many stages; only its size matters.
fn wide(good: &Settlement, stages: u32) -> Settlement {
	let mut wide = good.clone();
	let count = stages as usize;
	let stage: Stage = good.body.stages[0].clone();
	wide.body.stages = vec![stage; count].try_into().unwrap();
	wide.body.boundaries = vec![H256::zero(); count + 1].try_into().unwrap();
	wide.signatures = vec![good.signatures[0].clone(); count].try_into().unwrap();
	wide
}

/// A motion whose call has as many members of a new council as there may be.
fn council_motion(members: u32) -> RuntimeCall {
	let new_members = vec![FIRST.to_account_id(); members as usize];
	let call =
		pallet_collective::Call::set_members { new_members, prime: None, old_count: members };
	let proposal = Box::new(RuntimeCall::Council(call));
	let length_bound = proposal.encoded_size() as u32;
	let motion = pallet_collective::Call::propose { threshold: members, proposal, length_bound };
	RuntimeCall::Council(motion)
}

#[test]
fn every_call_should_fit_a_block_when_its_lists_are_as_long_as_they_may_be() {
	let mut flow = Flow::new();
	let model = flow.model;
	let good = flow.draft(1).seal();
	let widest = wide(&good, MAX_STAGES);
	let mut requested = widest.clone();
	requested.payment = aria_primitives::record::Payment::Request(NOTHING);
	let shard = ServedShard { model, layers: LayerRange { first: 0, end: 1 } };
	let shards = vec![shard; parameters::MaxServed::get() as usize];
	let mut text = flow.request_call(1);
	if let Market::request { prompt, .. } = &mut text {
		let bytes = vec![b'a'; MAX_PROMPT_BYTES as usize];
		*prompt = RequestPrompt::Text(bytes.try_into().unwrap());
	}
	let matched: Vec<(AccountId, LayerRange)> =
		vec![(FIRST.to_account_id(), shard.layers); MAX_STAGES as usize];
	let matches = Market::match_request { id: NOTHING, stages: matched.try_into().unwrap() };
	let manifest = vec![0u8; 16 * 1_024].try_into().unwrap();
	let key = FIRST.to_account_id();
	let calls: Vec<RuntimeCall> = vec![
		settle(widest),
		settle(requested),
		matches.into(),
		text.into(),
		Market::release { epoch: 0, payee: key.clone() }.into(),
		Market::claim { payee: key.clone() }.into(),
		Market::deposit { amount: ARIA }.into(),
		Market::withdraw { amount: ARIA }.into(),
		Market::register_gateway {}.into(),
		Market::raise_gateway_stake { amount: ARIA }.into(),
		Market::unbond_gateway {}.into(),
		Market::withdraw_gateway_stake {}.into(),
		Market::cancel_request { id: NOTHING }.into(),
		Market::revoke_key { key: key.clone() }.into(),
		register_key(&strange_key(), KEY_EXPIRY),
		update_key(ARIA, ARIA, KEY_EXPIRY),
		Models::register_model { manifest }.into(),
		Models::unregister_model { model }.into(),
		Models::set_offer { model, offer: OFFER }.into(),
		Models::dismiss_offer { model, seller: key.clone() }.into(),
		sudo(Models::pin { model }),
		sudo(Models::unpin { model }),
		Workers::set_served { shards: shards.try_into().unwrap() }.into(),
		register_worker(SUBMITTER, &NOTHING, ARIA),
		Workers::withdraw {}.into(),
		Workers::rest {}.into(),
		Workers::answer { signature: [1; 64] }.into(),
		sudo(Workers::punish { worker: key.clone(), slash_ppm: 1 }),
		Consents::set_consent { consent: consent(PAYOUT) }.into(),
		Consents::update_consent { consent: consent(PAYOUT) }.into(),
		Consents::withdraw_consent {}.into(),
		Consents::prune { worker: key }.into(),
		pallet_validator_registry::Call::<Runtime>::register_candidate { stake: ARIA }.into(),
		pallet_validator_registry::Call::<Runtime>::heartbeat {}.into(),
		pallet_reward_distributor::Call::<Runtime>::claim {}.into(),
		sudo(pallet_reward_distributor::Call::<Runtime>::force_new_era {}),
		council_motion(parameters::MaxCouncil::get()),
	];
	for call in calls {
		let shown = format!("{call:?}");
		let extrinsic = flow.chain.sign(SUBMITTER, call);
		let weight = extrinsic.get_dispatch_info().total_weight();
		assert!(fits(&extrinsic), "{weight:?} is above {:?}: {shown:.80}", most());
		assert!(weight.ref_time() > 0, "{shown:.80}");
	}
}

#[test]
fn an_empty_block_should_leave_room_for_the_heaviest_extrinsic() {
	let mut flow = Flow::new();
	let executed = flow.chain.block(Vec::new());
	let left = Weights::get().max_block.saturating_sub(executed.weight);
	assert!(left.all_gte(most()), "hooks weigh {:?} and leave {left:?}", executed.weight);
}

/// A batch of copies of an entry with the signers of another; only its size matters.
fn copies(entry: &BatchEntry, signed: &Batch, count: u32) -> Batch {
	Batch {
		entries: vec![entry.clone(); count as usize].try_into().unwrap(),
		signatures: signed.signatures.clone(),
	}
}

#[test]
fn a_batch_of_a_hundred_records_and_more_should_settle_in_one_block() {
	// Given the longest batch that one extrinsic may hold by weight and length.
	let mut flow = Flow::new();
	let single = |nonce: u64, flow: &Flow| flow.draft_by(nonce, &[FIRST]);
	let signers = [FIRST, GATEWAY];
	let one = batch(&flow.chain, vec![single(1, &flow)], &signers);
	let mut scratch = flow.chain.fork();
	let (mut longest, mut most) = (0, MAX_BATCH);
	while longest < most {
		let count = (longest + most).div_ceil(2);
		let call = settle_batch(copies(&one.entries[0], &one, count));
		if fits(&scratch.sign(SUBMITTER, call)) {
			longest = count;
		} else {
			most = count - 1;
		}
	}
	assert!(longest >= 100, "only {longest} records fit a batch");

	// When it is full of good records.
	let drafts = (1..=u64::from(longest)).map(|nonce| single(nonce, &flow)).collect();
	let batch = batch(&flow.chain, drafts, &signers);
	let executed = flow.chain.submit(SUBMITTER, settle_batch(batch));

	// Then all of them are settled.
	executed.assert_good();
	let settled = executed.find(|event| match event {
		RuntimeEvent::InferenceMarket(Event::BatchSettled { settled, failed }) => {
			Some((*settled, *failed))
		}
		_ => None,
	});
	assert_eq!(settled, (longest, 0));
	println!("{longest} records of one stage fit a batch; the block weighs {:?}", executed.weight);
}

#[test]
fn a_batch_that_is_too_heavy_should_be_refused_before_it_costs_anything() {
	let mut flow = Flow::new();
	let one = batch(&flow.chain, vec![flow.draft_by(1, &[FIRST])], &[FIRST, GATEWAY]);
	let mut entry = one.entries[0].clone();
	let good = flow.draft_by(1, &[FIRST]).seal();
	entry.body = wide(&good, MAX_STAGES).body;
	let heavy = flow.chain.sign(SUBMITTER, settle_batch(copies(&entry, &one, MAX_BATCH)));
	assert!(!fits(&heavy), "nothing is too heavy: raise the bounds of a batch");

	let submitter = SUBMITTER.to_account_id();
	let before = flow.chain.read(|| System::account(&submitter));
	let executed = flow.chain.block(vec![heavy]);

	let exhausted = TransactionValidityError::Invalid(InvalidTransaction::ExhaustsResources);
	assert_eq!(executed.refusal(0), Some(exhausted));
	assert_eq!(flow.chain.read(|| System::account(&submitter)), before);
}

#[test]
fn settlements_should_fill_a_block_and_no_more_than_fit() {
	// Given more settlements than a block has room for.
	let mut flow = Flow::new();
	let one = flow.chain.fork().sign(SUBMITTER, settle(flow.draft_by(1, &[FIRST]).seal()));
	let weights = Weights::get();
	let normal = weights.get(DispatchClass::Normal);
	let each = one.get_dispatch_info().total_weight().saturating_add(normal.base_extrinsic);
	let room = normal.max_total.unwrap();
	let count = room.ref_time() / each.ref_time() + 10;
	let submitters = [SUBMITTER, REQUESTER, GATEWAY];
	let extrinsics: Vec<_> = (1..=count)
		.map(|nonce| {
			let settlement = flow.draft_by(nonce, &[FIRST]).seal();
			// Each of its own, lest one that is refused stops all behind it.
			let by: Sr25519Keyring = submitters[nonce as usize % submitters.len()];
			flow.chain.sign(by, settle(settlement))
		})
		.collect();

	let executed = flow.chain.block(extrinsics);

	let settled = (0..executed.results.len()).filter(|i| executed.refusal(*i).is_none()).count();
	assert!((settled as u64) < count, "the block has an end");
	assert!(settled as u64 + 20 >= count, "{settled} of {count} were settled");
	assert!(executed.weight.all_lte(Weights::get().max_block), "{:?}", executed.weight);
	for index in 0..settled {
		assert_eq!(executed.outcome(index), Ok(()));
	}
	println!("{settled} records settle one by one in a block of {:?}", executed.weight);
}

#[test]
fn a_record_that_is_settled_already_should_take_little_of_a_block() {
	// Given two who submit the same record.
	let mut flow = Flow::new();
	let call = settle(flow.draft(1).seal());
	let first = flow.chain.sign(SUBMITTER, call.clone());
	let second = flow.chain.sign(REQUESTER, call);
	let declared = second.get_dispatch_info().total_weight();

	// When both come into one block.
	let alone = flow.fork().chain.block(vec![first.clone()]);
	let both = flow.chain.block(vec![first, second]);

	// Then the later one takes less than half of what a settlement weighs.
	let error = pallet_inference_market::Error::<Runtime>::AlreadySettled;
	assert_eq!((both.outcome(0), both.outcome(1)), (Ok(()), Err(error.into())));
	let more = both.weight.saturating_sub(alone.weight);
	assert!(2 * more.ref_time() < declared.ref_time(), "{more:?} of {declared:?}");
}

/// Extensions in the order in which they are signed, as wallets know them.
const EXTENSIONS: [&str; 10] = [
	"CheckNonZeroSender",
	"CheckSpecVersion",
	"CheckTxVersion",
	"CheckGenesis",
	"CheckMortality",
	"CheckNonce",
	"CheckWeight",
	"ChargeTransactionPayment",
	"CheckMetadataHash",
	"WeightReclaim",
];

const PALLETS: [(&str, u8); 7] = [
	("ModelRegistry", 40),
	("WorkerRegistry", 41),
	("ConsentRegistry", 42),
	("InferenceMarket", 43),
	("ProvenanceLedger", 44),
	("Verification", 45),
	("RewardDistributor", 46),
];

const APIS: [&str; 5] = ["ProvenanceApi", "ConsentApi", "RewardApi", "SobrietyApi", "MarketApi"];

fn metadata(version: u32) -> RuntimeMetadata {
	// Within a chain, because some constants are genesis values.
	let bytes = Chain::new(DEV_RUNTIME_PRESET)
		.read(|| Runtime::metadata_at_version(version))
		.expect("the version is supported");
	let mut input = &bytes[..];
	let prefixed = RuntimeMetadataPrefixed::decode(&mut input).expect("metadata decodes");
	assert!(input.is_empty(), "bytes follow metadata {version}");
	assert_eq!(prefixed.1.version(), version);
	prefixed.1
}

#[test]
fn metadata_should_decode_in_each_version_that_clients_ask_for() {
	let versions = Runtime::metadata_versions();
	for version in [14, 15, 16] {
		assert!(versions.contains(&version));
		metadata(version);
	}
	assert!(Chain::new(DEV_RUNTIME_PRESET).read(|| Runtime::metadata_at_version(13)).is_none());
}

#[test]
fn metadata_should_list_the_extensions_that_polkadot_js_signs() {
	let RuntimeMetadata::V14(old) = metadata(14) else { unreachable!() };
	let RuntimeMetadata::V15(stable) = metadata(15) else { unreachable!() };
	let RuntimeMetadata::V16(new) = metadata(16) else { unreachable!() };
	let old: Vec<_> =
		old.extrinsic.signed_extensions.iter().map(|e| e.identifier.clone()).collect();
	let stable: Vec<_> =
		stable.extrinsic.signed_extensions.iter().map(|e| e.identifier.clone()).collect();
	let new: Vec<_> =
		new.extrinsic.transaction_extensions.iter().map(|e| e.identifier.clone()).collect();
	assert_eq!(old, EXTENSIONS);
	assert_eq!(stable, EXTENSIONS);
	assert_eq!(new, EXTENSIONS);
}

#[test]
fn metadata_should_describe_our_pallets_apis_and_view_functions() {
	let RuntimeMetadata::V16(metadata) = metadata(16) else { unreachable!() };
	for (name, index) in PALLETS {
		let pallet = metadata.pallets.iter().find(|pallet| pallet.name == name).expect(name);
		assert_eq!(pallet.index, index, "{name}");
		assert!(pallet.event.is_some(), "{name} has events");
		assert!(pallet.storage.is_some(), "{name} has storage");
		assert!(!pallet.view_functions.is_empty(), "{name} has view functions");
	}
	for name in APIS {
		assert!(metadata.apis.iter().any(|api| api.name == name), "{name}");
	}
}

#[test]
fn an_extrinsic_should_encode_its_extensions_as_wallets_do() {
	let mut flow = Flow::new();
	let remark = RuntimeCall::System(frame_system::Call::remark { remark: vec![1, 2, 3] });
	let extrinsic = flow.chain.sign(SUBMITTER, remark.clone());
	let (_, _, extension) = extrinsic.preamble.to_signed().unwrap();
	// Immortal, nonce 0, tip 0, no hash of metadata; the others have no bytes.
	assert_eq!(extension.encode(), [0, 0, 0, 0]);
	let call = [vec![0, 0], vec![1u8, 2, 3].encode()].concat();
	assert_eq!(remark.encode(), call);
	assert_eq!((&*VERSION.spec_name, VERSION.transaction_version), ("aria", 1));
}
