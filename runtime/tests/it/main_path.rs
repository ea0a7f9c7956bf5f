//! From consent to payment, and what the runtime API says about it.

use crate::{chain::Executed, flow::*, state::issuance};
use aria_math::split::split_exact;
use aria_primitives::{
	consent::TaskType,
	hashing::merkle_root,
	record::{RecordBody, RecordEntry},
	traits::Offer,
	views::AuditStatus,
	AccountId, Balance, Moment,
};
use aria_runtime::{
	parameters, Block, InferenceMarket, Mmr, Runtime, RuntimeEvent, RuntimeOrigin,
	ValidatorRegistry, Verification,
};
use aria_runtime_api::{
	runtime_decl_for_consent_api::ConsentApiV1, runtime_decl_for_market_api::MarketApiV1,
	runtime_decl_for_provenance_api::ProvenanceApiV1, runtime_decl_for_sobriety_api::SobrietyApiV1,
};
use codec::Decode;
use pallet_inference_market::{free_from, Error, Event, UnvestedBurn, UnvestedTotal};
use sp_core::H256;
use sp_runtime::DispatchError;
use std::collections::BTreeMap;

const HOUR: Moment = 3_600_000;

/// The parts of a price for tokens: stages, gateway, author, audit, storage, burn.
fn parts(body: &RecordBody) -> [Balance; 6] {
	split_exact(tokens_price(body), &parameters::Split::get().weights()).unwrap()
}

fn record(flow: &mut Flow, id: H256) -> Option<RecordEntry> {
	flow.chain.read(|| <Runtime as ProvenanceApiV1<Block>>::record(id))
}

fn unvested(flow: &mut Flow, who: &AccountId) -> Balance {
	flow.chain.read(|| UnvestedTotal::<Runtime>::get(who))
}

fn market_event<R>(executed: &Executed, pick: impl Fn(&Event<Runtime>) -> Option<R>) -> Vec<R> {
	executed
		.events()
		.filter_map(|event| match event {
			RuntimeEvent::InferenceMarket(event) => pick(event),
			_ => None,
		})
		.collect()
}

#[test]
fn a_ticket_should_pay_for_a_record_and_cost_the_submitter_nothing() {
	// Given a record of two stages and a ticket for it.
	let mut flow = Flow::new();
	let submitter = SUBMITTER.to_account_id();
	let (free, (held, _)) = (flow.free(&submitter), flow.escrow());
	let issued = issuance(&mut flow.chain);
	let settlement = flow.draft(1).seal();
	let (id, body) = (settlement.id, settlement.body.clone());

	// When somebody submits it.
	let executed = flow.chain.submit(SUBMITTER, settle(settlement));

	// Then the fee is given back ...
	executed.assert_good();
	assert_eq!(executed.fee(0), 0);
	assert_eq!(flow.free(&submitter), free);
	// ... the escrow paid the price, of which every part waits, and nothing was made or burnt ...
	let price = price(&body);
	assert_eq!(flow.escrow(), (held - price, 0));
	let [stages, gateway, author, audit, storage, burn] = parts(&body);
	assert_eq!(unvested(&mut flow, &FIRST.to_account_id()), stages / 2);
	assert_eq!(unvested(&mut flow, &LAST.to_account_id()), stages / 2);
	assert_eq!(unvested(&mut flow, &GATEWAY.to_account_id()), gateway);
	assert_eq!(unvested(&mut flow, &SUDO.to_account_id()), author);
	assert_eq!(unvested(&mut flow, &parameters::AuditPot::get()), audit);
	let bytes = price - tokens_price(&body);
	assert_eq!(unvested(&mut flow, &parameters::StoragePot::get()), storage + bytes);
	assert_eq!(flow.chain.read(|| UnvestedBurn::<Runtime>::get(0)), burn);
	assert_eq!(issuance(&mut flow.chain), issued);
	// ... and the record is there, for the node to serve.
	let entry = record(&mut flow, id).unwrap();
	assert_eq!(entry.body, body);
	assert_eq!((entry.signed_stages, entry.price, entry.auditable), (0b11, price, true));
	assert_eq!(entry.requester, REQUESTER.to_account_id());
	assert_eq!(entry.gateway, GATEWAY.to_account_id());
	assert_eq!(entry.settled_at, flow.chain.head().number);
	flow.chain.read(|| {
		let (output, query) = (body.output_hash, body.query_hash);
		assert_eq!(by_output(output, None, 10), [id]);
		assert!(by_output(output, Some(id), 10).is_empty());
		assert!(by_output(output, None, 0).is_empty());
		assert_eq!(by_query(query, None, u32::MAX), [id]);
		assert!(by_query(NOTHING, None, 10).is_empty());
		assert_eq!(<Runtime as ProvenanceApiV1<Block>>::block_records(), [id]);
		let key = <Runtime as ProvenanceApiV1<Block>>::record_storage_key(id);
		let stored = sp_io::storage::get(&key).unwrap();
		assert_eq!(RecordEntry::decode(&mut &stored[..]).unwrap(), entry);
	});
}

/// A good record with an answer of so many tokens.
fn answered(flow: &Flow, nonce: u64, tokens: u32) -> Draft {
	let mut draft = flow.draft(nonce);
	draft.body.output_tokens = tokens;
	draft
}

/// Fewest tokens of an answer by both workers at whose price a settlement is free.
fn fewest_free(flow: &Flow) -> u32 {
	let least = free_from(parameters::FreeFrom::get(), 2);
	(1..1_000).find(|tokens| price(&answered(flow, 1, *tokens).body) >= least).unwrap()
}

#[test]
fn a_record_should_cost_its_submitter_a_fee_when_its_price_is_dust() {
	let mut flow = Flow::new();
	let submitter = SUBMITTER.to_account_id();
	let fewest = fewest_free(&flow);

	for (tokens, free) in [(fewest - 1, false), (fewest, true)] {
		let mut flow = flow.fork();
		let before = flow.free(&submitter);
		let draft = answered(&flow, 1, tokens);
		let executed = flow.settle(draft);

		// It is settled in either case.
		assert_eq!(executed.fee(0) == 0, free, "{tokens} tokens");
		assert_eq!(flow.free(&submitter), before - executed.fee(0));
		let id = flow.last.clone().unwrap().id;
		assert!(record(&mut flow, id).is_some());
	}
}

#[test]
fn a_batch_should_cost_a_fee_when_its_prices_are_dust_together() {
	let mut flow = Flow::new();
	let fewest = fewest_free(&flow);
	// A good price may stand in for a small one beside it.
	for (tokens, free) in [([1, 1], false), ([1, 2 * fewest], true), ([fewest, fewest], true)] {
		let mut flow = flow.fork();
		let drafts = vec![answered(&flow, 1, tokens[0]), answered(&flow, 2, tokens[1])];
		let batch = batch(&flow.chain, drafts, &SIGNERS);
		let executed = flow.chain.submit(SUBMITTER, settle_batch(batch));

		executed.assert_good();
		assert_eq!(executed.fee(0) == 0, free, "{tokens:?} tokens");
	}
}

fn by_output(hash: H256, after: Option<H256>, limit: u32) -> Vec<H256> {
	<Runtime as ProvenanceApiV1<Block>>::records_by_output(hash, after, limit)
}

fn by_query(hash: H256, after: Option<H256>, limit: u32) -> Vec<H256> {
	<Runtime as ProvenanceApiV1<Block>>::records_by_query(hash, after, limit)
}

#[test]
fn a_trace_should_show_the_model_the_nodes_and_the_consent_they_worked_under() {
	let mut flow = Flow::new();
	let draft = flow.draft(1);
	let body = draft.body.clone();
	flow.settle(draft);
	let id = flow.last.clone().unwrap().id;
	// A consent that changed later is not the one that the work was done under.
	let mut stricter = consent(PAYOUT);
	stricter.cpu_percent = 10;
	flow.chain.accept(vec![(FIRST, Consents::update_consent { consent: stricter }.into())]);

	flow.chain.read(|| {
		let trace = <Runtime as ProvenanceApiV1<Block>>::trace(id).unwrap();
		assert_eq!((trace.id, trace.record.body.latency_ms), (id, body.latency_ms));
		assert_eq!(trace.model.map(|model| model.layers), Some(LAYERS));
		assert_eq!(trace.aliases, [ALIAS.to_vec()]);
		assert!(trace.pinned);
		assert_eq!(trace.audit, AuditStatus::Pending { draw_epoch: 2 });
		assert_eq!(trace.nodes.len(), 2);
		for (node, worker) in trace.nodes.iter().zip([FIRST, LAST]) {
			assert_eq!(node.node, worker.to_account_id());
			let key: [u8; 32] = sp_core::Pair::public(&peer(worker)).into();
			assert_eq!(node.peer, Some(key));
			assert!(node.reputation > 0, "a settled stage is the begin of a reputation");
			let version = node.consent.clone().unwrap();
			assert_eq!((version.version, version.consent.cpu_percent), (1, 50));
		}
		assert_eq!(trace.nodes[0].consent.clone().unwrap().superseded_at, Some(5));
		assert!(<Runtime as ProvenanceApiV1<Block>>::trace(NOTHING).is_none());
	});
}

#[test]
fn the_api_should_answer_about_consents_models_and_escrows() {
	let mut flow = Flow::new();
	let (model, now) = (flow.model, flow.chain.now());
	let nobody = SUBMITTER.to_account_id();
	let seller = GATEWAY.to_account_id();
	// The last worker works from 22 to 6 o'clock, two hours east of Greenwich.
	let mut nightly = consent(LAST.to_account_id());
	nightly.schedule.utc_offset_minutes = 120;
	nightly.schedule.windows =
		vec![aria_primitives::consent::Window { from: 22 * 60, to: 6 * 60 }].try_into().unwrap();
	flow.chain.accept(vec![(LAST, Consents::update_consent { consent: nightly }.into())]);

	flow.chain.read(|| {
		let (first, last) = (FIRST.to_account_id(), LAST.to_account_id());
		let permits = |who: &AccountId, task, at| {
			<Runtime as ConsentApiV1<Block>>::permits(who.clone(), task, at)
		};
		assert!(permits(&first, TaskType::TextGeneration, now));
		assert!(!permits(&first, TaskType::Embedding, now));
		assert!(!permits(&nobody, TaskType::TextGeneration, now));
		// It is 17 o'clock there now.
		assert!(!permits(&last, TaskType::TextGeneration, now + 4 * HOUR));
		assert!(permits(&last, TaskType::TextGeneration, now + 5 * HOUR));
		assert!(permits(&last, TaskType::TextGeneration, now + 12 * HOUR));
		assert!(!permits(&last, TaskType::TextGeneration, now + 13 * HOUR));
		let current = <Runtime as ConsentApiV1<Block>>::consent(last.clone()).unwrap();
		assert_eq!(current.version, 2);
		assert!(<Runtime as ConsentApiV1<Block>>::consent_version(last, 1).is_some());
		assert_eq!(<Runtime as ConsentApiV1<Block>>::consent(nobody.clone()), None);

		let models = <Runtime as MarketApiV1<Block>>::models();
		assert_eq!(models.iter().map(|view| view.id).collect::<Vec<_>>(), [model]);
		let bytes = <Runtime as MarketApiV1<Block>>::manifest(model).unwrap();
		assert_eq!(bytes, manifest().to_bytes());
		assert_eq!(<Runtime as MarketApiV1<Block>>::resolve_alias(ALIAS.to_vec()), Some(model));
		assert_eq!(<Runtime as MarketApiV1<Block>>::resolve_alias(b"none".to_vec()), None);
		assert_eq!(<Runtime as MarketApiV1<Block>>::resolve_alias(vec![b'a'; 10_000]), None);
		assert_eq!(<Runtime as MarketApiV1<Block>>::offer(model, seller), Some(OFFER));
		assert_eq!(<Runtime as MarketApiV1<Block>>::offer(model, nobody), None);
		let requester = REQUESTER.to_account_id();
		assert_eq!(<Runtime as MarketApiV1<Block>>::escrow(requester), (ESCROW, 0));
	});
}

#[test]
fn statistics_should_tell_measured_energy_from_estimated() {
	let mut flow = Flow::new();
	let mut draft = flow.draft(1);
	draft.stage(1, |stage| {
		stage.energy_source = aria_primitives::record::EnergySource::Estimate;
		stage.energy_mj = 7_000;
	});
	flow.settle(draft);
	let draft = flow.draft(2);
	flow.settle(draft);

	let stats = flow.chain.read(<Runtime as SobrietyApiV1<Block>>::network_stats);
	assert_eq!((stats.inferences, stats.prompt_tokens, stats.output_tokens), (2, 96, 256));
	assert_eq!((stats.measured_mj, stats.estimated_mj), (60_000, 7_000));
	assert_eq!(stats.measured_output_tokens, 128);
}

#[test]
fn a_request_should_be_matched_settled_and_paid_out_of_what_it_reserved() {
	// Given a request and a gateway that named the workers.
	let mut flow = Flow::new();
	let requester = REQUESTER.to_account_id();
	let id = flow.request(1);
	assert_eq!(flow.escrow(), (ESCROW, aria_primitives::ARIA));
	flow.match_request(id, &[FIRST, LAST]);
	let free = flow.free(&SUBMITTER.to_account_id());

	// When they answered and somebody settles.
	let mut draft = flow.draft(1);
	draft.request = Some(id);
	let price = price(&draft.body);
	flow.settle(draft);

	// Then the price is paid, the rest is free again, and the record names who matched.
	assert_eq!(flow.free(&SUBMITTER.to_account_id()), free);
	assert_eq!(flow.escrow(), (ESCROW - price, 0));
	let record_id = flow.last.clone().unwrap().id;
	let entry = record(&mut flow, record_id).unwrap();
	assert_eq!((entry.body.ticket_hash, entry.price), (id, price));
	assert_eq!((entry.requester, entry.gateway), (requester, GATEWAY.to_account_id()));
	assert_eq!(flow.chain.read(|| InferenceMarket::open_request(id)), None);
}

#[test]
fn a_match_should_fix_what_the_gateway_asks() {
	// Given a request that is matched at the gateway's prices.
	let mut flow = Flow::new();
	let (id, model) = (flow.request(1), flow.model);
	flow.match_request(id, &[FIRST, LAST]);
	let mut draft = flow.draft(1);
	draft.request = Some(id);
	let price = price(&draft.body);

	// When it asks for more afterwards, or for nothing any more.
	let offer = Offer { output_price: 2 * OFFER.output_price, ..OFFER };
	for call in [Models::set_offer { model, offer }, Models::remove_offer { model }] {
		let mut flow = flow.fork();
		flow.chain.accept(vec![(GATEWAY, call.into())]);
		flow.settle(draft.clone());

		// Then the requester pays what was asked at the match.
		assert_eq!(flow.escrow(), (ESCROW - price, 0));
	}
}

#[test]
fn a_request_should_be_refunded_at_its_deadline_when_nobody_settles_it() {
	let mut flow = Flow::new();
	let id = flow.request(1);
	flow.match_request(id, &[FIRST]);

	let executed = flow.pass_deadline(id);

	let refunded = market_event(&executed, |event| match event {
		Event::RequestRefunded { id, amount, .. } => Some((*id, *amount)),
		_ => None,
	});
	assert_eq!(refunded, [(id, aria_primitives::ARIA)]);
	assert_eq!(flow.escrow(), (ESCROW, 0));
	assert_eq!(flow.chain.read(|| InferenceMarket::open_request(id)), None);
}

#[test]
fn a_batch_should_be_settled_for_nothing_when_every_entry_is_good() {
	let mut flow = Flow::new();
	let submitter = SUBMITTER.to_account_id();
	let drafts = vec![flow.draft(1), flow.draft(2), flow.draft_by(3, &[LAST])];
	let prices: Balance = drafts.iter().map(|draft| price(&draft.body)).sum();
	let free = flow.free(&submitter);

	let batch = batch(&flow.chain, drafts, &SIGNERS);
	let ids: Vec<H256> = batch.entries.iter().map(|entry| entry.id).collect();
	let executed = flow.chain.submit(SUBMITTER, settle_batch(batch));

	executed.assert_good();
	assert_eq!(flow.free(&submitter), free);
	assert_eq!(flow.escrow(), (ESCROW - prices, 0));
	let settled = market_event(&executed, |event| match event {
		Event::BatchSettled { settled, failed } => Some((*settled, *failed)),
		_ => None,
	});
	assert_eq!(settled, [(3, 0)]);
	let written = flow.chain.read(<Runtime as ProvenanceApiV1<Block>>::block_records);
	assert_eq!(written, ids);
}

#[test]
fn a_batch_should_settle_what_is_good_for_nothing_when_that_covers_what_is_not() {
	let mut flow = Flow::new();
	let submitter = SUBMITTER.to_account_id();
	let mut replayed = flow.draft(1);
	replayed.body.output_tokens += 1;
	let drafts = vec![flow.draft(1), replayed, flow.draft(2)];
	let prices = price(&drafts[0].body) + price(&drafts[2].body);
	let free = flow.free(&submitter);

	let batch = batch(&flow.chain, drafts, &SIGNERS);
	let refused = batch.entries[1].id;
	let executed = flow.chain.submit(SUBMITTER, settle_batch(batch));

	executed.assert_good();
	let failed = market_event(&executed, |event| match event {
		Event::SettlementFailed { index, id, error } => Some((*index, *id, *error)),
		_ => None,
	});
	let error: DispatchError = Error::<Runtime>::TicketReplayed.into();
	assert_eq!(failed, [(1, refused, error)]);
	assert_eq!((executed.fee(0), flow.free(&submitter)), (0, free));
	assert_eq!(flow.escrow(), (ESCROW - prices, 0));
	assert_eq!(record(&mut flow, refused), None);
}

#[test]
fn a_batch_should_cost_a_fee_when_its_good_entries_do_not_cover_the_others() {
	let mut flow = Flow::new();
	let submitter = SUBMITTER.to_account_id();
	let good = answered(&flow, 1, fewest_free(&flow));
	let mut replayed = good.clone();
	replayed.body.output_tokens += 1;
	let free = flow.free(&submitter);

	let batch = batch(&flow.chain, vec![good, replayed], &SIGNERS);
	let executed = flow.chain.submit(SUBMITTER, settle_batch(batch));

	executed.assert_good();
	assert!(executed.fee(0) > 0);
	assert_eq!(flow.free(&submitter), free - executed.fee(0));
}

#[test]
fn a_record_should_be_paid_as_far_as_its_stages_stakes_answer_for_it() {
	use aria_math::audit::{liability, record_limit, AuditParameters};
	// Given answers of 4,000 tokens at the highest price, four ARIA each, and a last stage with the
	// least stake, one ARIA.
	let mut flow = Flow::new();
	let (model, mut offer) = (flow.model, OFFER);
	offer.output_price = parameters::MaxTokenPrice::get();
	let set_offer = Models::set_offer { model, offer };
	flow.chain.accept(vec![(GATEWAY, set_offer.into())]);
	let stake = aria_primitives::ARIA;
	let limit = record_limit(liability(stake, &AuditParameters::DEFAULT));
	assert!(4 * limit < stake && stake < 5 * limit);
	let (held, _) = flow.escrow();

	// When they are settled, then each costs what an audit makes lying too dear for, and all together
	// what one of the stakes is.
	let mut tokens = 0;
	for nonce in 1..=6 {
		let draft = answered(&flow, nonce, 4_000);
		let bytes = price(&draft.body) - tokens_price(&draft.body);
		let executed = flow.settle(draft);
		let id = flow.last.clone().unwrap().id;
		let entry = record(&mut flow, id).unwrap();
		let expected = limit.min(stake - tokens);
		assert_eq!(entry.price, expected + bytes, "{nonce}");
		tokens += expected;
		assert_eq!(flow.escrow(), (held - tokens - Balance::from(nonce) * bytes, 0));
		// Who settles for next to nothing pays for it.
		assert_eq!(executed.fee(0) > 0, entry.price < parameters::FreeFrom::get());
	}
	assert_eq!(tokens, stake);
	// Two stages, by their layers.
	let last = unvested(&mut flow, &LAST.to_account_id());
	assert!(last.abs_diff(stake * 7 / 20) < 10);
}

#[test]
fn a_stage_that_did_not_sign_should_be_left_out_when_the_grace_is_over() {
	let mut flow = Flow::new();
	let mut draft = flow.draft(1);
	draft.stage_keys[0] = None;
	let body = draft.body.clone();
	flow.chain.blocks(parameters::SigningGrace::get());

	flow.settle(draft);

	// Its share stays with the requester, and it earns no reputation.
	let [stages, ..] = parts(&body);
	assert_eq!(flow.escrow(), (ESCROW - price(&body) + stages / 2, 0));
	assert_eq!(unvested(&mut flow, &FIRST.to_account_id()), 0);
	assert_eq!(unvested(&mut flow, &LAST.to_account_id()), stages / 2);
	let id = flow.last.clone().unwrap().id;
	assert_eq!(record(&mut flow, id).unwrap().signed_stages, 0b10);
}

#[test]
fn earnings_should_be_paid_and_the_burn_burnt_when_the_epochs_of_vesting_are_over() {
	// Given a settled record.
	let mut flow = Flow::new();
	let draft = flow.draft(1);
	let body = draft.body.clone();
	flow.settle(draft);
	let issued = issuance(&mut flow.chain);
	let (last, pot) = (LAST.to_account_id(), InferenceMarket::pot());

	// Nothing is paid while it can be audited.
	let early = flow.chain.epochs(2);
	let paid = early.iter().map(|block| market_event(block, released).len()).sum::<usize>();
	assert_eq!((paid, flow.free(&PAYOUT)), (0, 0));

	// When the epochs of vesting are over.
	flow.chain.epochs(1);
	// The block that begins an epoch has no idle time.
	let block = flow.chain.block(vec![]);

	// Then everybody is paid what was promised ...
	let [stages, gateway, author, audit, storage, burn] = parts(&body);
	let bytes = price(&body) - tokens_price(&body);
	let (audit_pot, storage_pot) = (parameters::AuditPot::get(), parameters::StoragePot::get());
	let expected = BTreeMap::from([
		(FIRST.to_account_id(), stages / 2),
		(last.clone(), stages / 2),
		(GATEWAY.to_account_id(), gateway),
		(SUDO.to_account_id(), author),
		(audit_pot.clone(), audit),
		(storage_pot.clone(), storage + bytes),
	]);
	let paid: BTreeMap<_, _> = market_event(&block, released).into_iter().collect();
	assert_eq!(paid, expected);
	// ... one worker to the account that its consent names, the other into the stake it lacks ...
	assert_eq!(flow.free(&PAYOUT), stages / 2);
	let stake = flow.chain.read(|| pallet_worker_registry::Workers::<Runtime>::get(&last));
	assert_eq!(stake.unwrap().stake, aria_primitives::ARIA + stages / 2);
	let deposit = parameters::ExistentialDeposit::get();
	assert_eq!(flow.free(&audit_pot), deposit + audit);
	assert_eq!(flow.free(&storage_pot), storage + bytes);
	// ... and the burn is gone; nothing else is, and the pot owes nobody anything.
	let burnt = market_event(&block, |event| match event {
		Event::Burnt { amount, .. } => Some(*amount),
		_ => None,
	});
	assert_eq!(burnt, [burn]);
	let minted = flow.chain.read(pallet_reward_distributor::TotalMinted::<Runtime>::get);
	assert_eq!(issuance(&mut flow.chain), issued - burn + minted);
	assert_eq!(flow.free(&pot), parameters::ExistentialDeposit::get());
}

#[test]
fn a_bucket_should_stay_closed_until_its_records_are_drawn() {
	// Given records of two epochs, and a silence that is longer than the vesting of both.
	let mut flow = Flow::new();
	let draft = flow.draft(1);
	flow.settle(draft);
	flow.chain.epochs(1);
	let draft = flow.draft(2);
	flow.settle(draft);
	let silence = 5 * flow.chain.read(ValidatorRegistry::epoch_length);

	// When blocks come after it, then they draw and pay the older one only: what the seed is made of
	// was known when the other one was settled, for no epoch has had a block since.
	let payee = FIRST.to_account_id();
	let share = unvested(&mut flow, &payee) / 2;
	flow.chain.block_after(silence, vec![]);
	flow.chain.blocks(3);
	let drawn = [0, 1].map(|epoch| flow.chain.read(|| Verification::is_drawn(epoch)));
	assert_eq!(drawn, [true, false]);
	assert_eq!(unvested(&mut flow, &payee), share);
	let early = flow.chain.read(|| {
		let origin = RuntimeOrigin::signed(SUBMITTER.to_account_id());
		InferenceMarket::release(origin, 1, payee.clone())
	});
	assert_eq!(early.err(), Some(Error::<Runtime>::EpochNotClosed.into()));

	// The first block of the epoch after these draws it (and, as it begins a session, has no room for
	// payments); the next one pays it.
	flow.chain.epochs(1);
	assert!(flow.chain.read(|| Verification::is_drawn(1)));
	let block = flow.chain.block(vec![]);
	assert!(market_event(&block, released).contains(&(payee.clone(), share)));
	assert_eq!(unvested(&mut flow, &payee), 0);
}

fn released(event: &Event<Runtime>) -> Option<(AccountId, Balance)> {
	match event {
		Event::Released { payee, amount, .. } => Some((payee.clone(), *amount)),
		_ => None,
	}
}

#[test]
fn a_block_should_be_proven_against_its_successors_by_the_root_of_its_records() {
	let mut flow = Flow::new();
	let drafts = vec![flow.draft(1), flow.draft(2)];
	let batch = batch(&flow.chain, drafts, &SIGNERS);
	let leaves: Vec<H256> = batch
		.entries
		.iter()
		.map(|entry| aria_primitives::hashing::leaf_hash(entry.id.as_bytes()))
		.collect();
	flow.chain.accept(vec![(SUBMITTER, settle_batch(batch))]);
	let settled = flow.chain.head();
	flow.chain.blocks(5);

	flow.chain.with_offchain_index().read(|| {
		// The leaf that a block adds stands for its parent.
		let (proven, proof) = Mmr::generate_proof(vec![settled.number + 1], None).unwrap();
		let ((number, hash), root) = proven[0];
		assert_eq!((number, hash), (settled.number, settled.hash));
		assert_eq!(root, merkle_root(&leaves));
		assert_eq!(Mmr::verify_leaves(proven.clone(), proof.clone()), Ok(()));
		let altered = vec![((number, hash), NOTHING)];
		assert!(Mmr::verify_leaves(altered, proof).is_err());
	});
}
