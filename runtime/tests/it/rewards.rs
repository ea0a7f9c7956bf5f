//! Draws for audit, eras, and who gains what.

use crate::{
	chain::{Chain, Executed},
	flow::*,
	state::issuance,
};
use aria_primitives::{
	ticket::AuditMode,
	views::{AuditStatus, RewardExplanation},
	AccountId, Balance, EraIndex,
};
use aria_runtime::{parameters, Block, Runtime, RuntimeEvent, Verification};
use aria_runtime_api::{
	runtime_decl_for_provenance_api::ProvenanceApiV1, runtime_decl_for_reward_api::RewardApiV1,
};
use pallet_reward_distributor::{Event, TotalMinted};

fn explain(chain: &mut Chain, era: EraIndex, worker: AccountId) -> Option<RewardExplanation> {
	chain.read(|| <Runtime as RewardApiV1<Block>>::explain(era, worker))
}

fn audit(flow: &mut Flow) -> AuditStatus {
	let id = flow.last.clone().unwrap().id;
	flow.chain.read(|| <Runtime as ProvenanceApiV1<Block>>::trace(id)).unwrap().audit
}

/// Ends the current era, and lets the blocks go by in which the one before it is settled.
fn end_era(chain: &mut Chain) -> Vec<Executed> {
	let force = pallet_reward_distributor::Call::<Runtime>::force_new_era {};
	let mut blocks = vec![chain.accept(vec![(SUDO, sudo(force))])];
	blocks.extend((0..3).map(|_| chain.block(Vec::new())));
	blocks
}

/// Has the draw pass over all records that wait for it, as it does most of the trusted.
pub fn pass_over(chain: &mut Chain) {
	chain.read(|| {
		for pending in pallet_verification::PendingEpochs::<Runtime>::take() {
			pallet_verification::Settled::<Runtime>::drain_prefix(pending.epoch).for_each(drop);
		}
	});
}

/// Rewards of workers: era, worker, account, amount.
fn rewards(blocks: &[Executed]) -> Vec<(EraIndex, AccountId, AccountId, Balance)> {
	let events = blocks.iter().flat_map(|block| block.events());
	let rewards = events.filter_map(|event| match event {
		RuntimeEvent::RewardDistributor(Event::RewardPaid { era, worker, account, amount }) => {
			Some((*era, worker.clone(), account.clone(), *amount))
		}
		_ => None,
	});
	rewards.collect()
}

#[test]
fn a_newcomers_record_should_be_drawn_at_the_start_of_the_epoch_after_the_next() {
	let mut flow = Flow::new();
	let draft = flow.draft(1);
	flow.settle(draft);

	assert_eq!(audit(&mut flow), AuditStatus::Pending { draw_epoch: 2 });
	flow.chain.epochs(1);
	assert_eq!(audit(&mut flow), AuditStatus::Pending { draw_epoch: 2 });
	flow.chain.epochs(1);
	let at = flow.chain.head().number;
	let id = flow.last.clone().unwrap().id;
	let drawn = flow.chain.read(|| Verification::drawn(id)).unwrap();
	assert_eq!((drawn.at, drawn.probability_ppm), (at, 1_000_000));
	// There is no verifier: nobody can look, and it earns nothing from emission.
	assert_eq!(audit(&mut flow), AuditStatus::Unaudited);
	assert_eq!(explain(&mut flow.chain, 0, FIRST.to_account_id()), None);
}

#[test]
fn a_record_that_nobody_may_audit_should_earn_nothing_from_emission() {
	let mut flow = Flow::new();
	let mut draft = flow.draft(1);
	draft.ticket.audit_mode = AuditMode::None;
	flow.settle(draft);

	assert_eq!(audit(&mut flow), AuditStatus::Unaudited);
	assert_eq!(explain(&mut flow.chain, 0, FIRST.to_account_id()), None);
	flow.chain.epochs(3);
	assert_eq!(audit(&mut flow), AuditStatus::Unaudited);
	// Its fee is paid like any other, in the first block that has idle time.
	flow.chain.block(vec![]);
	assert!(flow.free(&PAYOUT) > 0);
}

#[test]
fn an_era_should_pay_what_its_explanation_says_and_no_more_than_nine_tenths_of_the_burn() {
	// Given a settled record.
	let mut flow = Flow::new();
	let draft = flow.draft(1);
	let body = draft.body.clone();
	flow.settle(draft);
	let first = FIRST.to_account_id();
	let promised = explain(&mut flow.chain, 0, first.clone()).unwrap();

	// Then each factor of the reward can be read before the era ends ...
	let active = u128::from(manifest().active_parameters());
	let half = 15 * u128::from(body.new_tokens()) * active / (u128::from(LAYERS) * 1_000);
	assert_eq!((promised.work, promised.records, promised.settled), (half, 1, false));
	assert_eq!((promised.uptime_ppm, promised.audit_ppm), (1_000_000, 1_000_000));
	assert_eq!((promised.latency_ppm, promised.quality_ppm), (1_000_000, 1_000_000));
	assert_eq!(promised.efficiency_ppm, 1_000_000);
	assert_eq!(promised.energy_mj, 20_000);
	assert_eq!(promised.weighted * 2, promised.total_weighted);
	assert_eq!(promised.burnt, tokens_price(&body) / 20);
	assert_eq!(promised.burn_bound, promised.burnt * 9 / 10);
	assert_eq!(promised.payout_account, PAYOUT);

	// ... and when it is settled, what is paid is what the final explanation says.
	let mut blocks = end_era(&mut flow.chain);
	// Its epoch has to be over, and what was drawn of it decided.
	pass_over(&mut flow.chain);
	blocks.extend(flow.chain.epochs(1));
	blocks.extend(end_era(&mut flow.chain));
	let paid = explain(&mut flow.chain, 0, first.clone()).unwrap();
	assert!(paid.settled);
	assert_eq!(paid.payout, paid.by_rate.min(paid.burn_bound));
	assert!(paid.payout > 0);
	let rewards = rewards(&blocks);
	assert_eq!(rewards.len(), 2);
	assert!(rewards.contains(&(0, first, PAYOUT, paid.payout)));
	assert_eq!(flow.free(&PAYOUT), paid.payout);
	assert!(explain(&mut flow.chain, 0, SUBMITTER.to_account_id()).is_none());
	assert!(explain(&mut flow.chain, 9_999, PAYOUT).is_none());
}

#[test]
fn who_pays_themselves_should_lose_money() {
	// Given that requester, gateway and workers are one.
	let mut flow = Flow::new();
	let minted = |chain: &mut Chain| chain.read(TotalMinted::<Runtime>::get);
	let wealth = |chain: &mut Chain| -> Balance {
		let own = [FIRST, LAST, GATEWAY, REQUESTER, SUBMITTER];
		let accounts = own.map(|key| key.to_account_id()).into_iter().chain([PAYOUT]);
		chain.read(|| {
			let infos = accounts.map(frame_system::Account::<Runtime>::get);
			infos.map(|info| info.data.free + info.data.reserved).sum()
		})
	};
	let before = (wealth(&mut flow.chain), issuance(&mut flow.chain));

	// When they settle among themselves, vest, and earn from emission.
	let mut cost = 0;
	for nonce in 1..=5 {
		let draft = flow.draft(nonce);
		cost += tokens_price(&draft.body);
		flow.settle(draft);
	}
	let mut blocks = end_era(&mut flow.chain);
	pass_over(&mut flow.chain);
	blocks.extend(flow.chain.epochs(1));
	blocks.extend(end_era(&mut flow.chain));
	flow.chain.epochs(4);
	flow.chain.block(vec![]);

	// Then they have less than before, although they earned a reward.
	let earned: Balance = rewards(&blocks).into_iter().map(|(.., amount)| amount).sum();
	assert!(earned > 0);
	let after = (wealth(&mut flow.chain), issuance(&mut flow.chain));
	let burnt = cost / 10;
	assert!(earned <= burnt * 9 / 10, "emission gives at most nine tenths of what is burnt");
	assert!(before.0 - after.0 >= burnt / 10, "a tenth of the burn at least is lost");
	assert_eq!(after.1, before.1 - burnt + minted(&mut flow.chain));
	let schedule = parameters::Schedule::get();
	let number = u64::from(flow.chain.head().number);
	assert!(minted(&mut flow.chain) <= schedule.emission_between(1, number + 1));
}
