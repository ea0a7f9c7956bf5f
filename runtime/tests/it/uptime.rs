//! Challenges in the assembled runtime: drawn by BABE's beacon, answered by the peer key, counted in the
//! rewards of the era.

use crate::{chain::Chain, flow::*};
use aria_primitives::{uptime::answer_message, AccountId, PPM};
use aria_runtime::{Block, Runtime, RuntimeCall, WorkerRegistry};
use aria_runtime_api::runtime_decl_for_reward_api::RewardApiV1;
use pallet_worker_registry::{Challenge, Challenges, WorkerState};
use sp_core::Pair;
use sp_keyring::Sr25519Keyring;

/// Blocks in which everybody is asked, at one challenge in ten blocks.
const LONG: u32 = 230;
/// Blocks to answer in.
const WINDOW: u32 = 100;

fn challenge(chain: &mut Chain, who: &AccountId) -> Option<Challenge> {
	chain.read(|| WorkerRegistry::challenge(who.clone()))
}

fn state(chain: &mut Chain, who: &AccountId) -> WorkerState {
	chain.read(|| WorkerRegistry::info(who)).unwrap().state
}

/// The answer to a challenge of the last block.
fn answer(chain: &Chain, who: Sr25519Keyring) -> RuntimeCall {
	let (head, worker) = (chain.head(), who.to_account_id());
	let message = answer_message(&chain.genesis(), &worker, head.number, &head.hash);
	Workers::answer { signature: peer(who).sign(message.as_bytes()).into() }.into()
}

#[test]
fn who_answers_should_lose_nothing_and_who_does_not_should_rest() {
	// Given that both earned something in the era.
	let mut flow = Flow::new();
	let draft = flow.draft(1);
	flow.settle(draft);
	flow.chain.accept(vec![(SUDO, sudo(challenges(u32::MAX)))]);
	let (first, last) = (FIRST.to_account_id(), LAST.to_account_id());

	// When the first answers whatever it is asked, and the last nothing.
	let mut asked_last = None;
	for _ in 0..LONG {
		let head = flow.chain.head().number;
		asked_last = asked_last.or(challenge(&mut flow.chain, &last));
		if state(&mut flow.chain, &last) != WorkerState::Active {
			break;
		}
		let calls = match challenge(&mut flow.chain, &first) {
			Some(open) => {
				assert_eq!(open.asked_at, head);
				let call = answer(&flow.chain, FIRST);
				vec![flow.chain.sign(FIRST, call)]
			}
			None => Vec::new(),
		};
		let answers = calls.len();
		let executed = flow.chain.block(calls);
		executed.assert_good();
		(0..answers).for_each(|index| assert_eq!(executed.fee(index), 0));
	}

	// Then the last rests since the end of its window,
	let asked = asked_last.unwrap();
	let since = asked.asked_at + WINDOW + 1;
	assert_eq!(asked.closes, since);
	assert_eq!(state(&mut flow.chain, &last), WorkerState::Resting { since });
	assert_eq!(state(&mut flow.chain, &first), WorkerState::Active);
	// and its reward is less for it.
	let tally =
		|chain: &mut Chain, who: &AccountId| chain.read(|| WorkerRegistry::tally_of(who, 0));
	let tallied = tally(&mut flow.chain, &first).unwrap();
	assert!(tallied.answered >= 3 && tallied.missed == 0, "{tallied:?}");
	assert_eq!(
		tally(&mut flow.chain, &last).map(|tally| (tally.answered, tally.missed)),
		Some((0, 1))
	);
	let explain = |chain: &mut Chain, who: &AccountId| {
		chain.read(|| <Runtime as RewardApiV1<Block>>::explain(0, who.clone())).unwrap()
	};
	let (kept, lost) = (explain(&mut flow.chain, &first), explain(&mut flow.chain, &last));
	assert_eq!((kept.uptime_ppm, kept.quality_ppm), (PPM, PPM));
	assert_eq!((lost.uptime_ppm, lost.quality_ppm), (PPM / 2, PPM / 2));

	// When it is back, it is asked again.
	let executed = flow.chain.submit(LAST, Workers::resume {});
	executed.assert_good();
	assert_eq!(executed.fee(0), 0);
	let mut again = false;
	for _ in 0..LONG {
		flow.chain.block(Vec::new());
		again |= challenge(&mut flow.chain, &last).is_some();
	}
	assert!(again);
}

#[test]
fn who_rests_or_has_closed_should_not_be_asked() {
	let mut flow = Flow::new();
	let mut shut = consent(LAST.to_account_id());
	shut.schedule.windows = Default::default();
	flow.chain.accept(vec![
		(SUDO, sudo(challenges(u32::MAX))),
		(FIRST, Workers::rest {}.into()),
		(LAST, Consents::update_consent { consent: shut }.into()),
	]);
	for block in 0..LONG {
		flow.chain.block(Vec::new());
		let open = flow.chain.read(|| Challenges::<Runtime>::iter().count());
		assert_eq!(open, 0, "block {block}");
	}
	for who in [FIRST, LAST] {
		let who = who.to_account_id();
		let tally = flow.chain.read(|| WorkerRegistry::tally_of(&who, 0));
		assert_eq!(tally.map_or(0, |tally| tally.missed), 0);
	}
}

#[test]
fn the_challenges_of_ten_thousand_workers_should_take_a_fiftieth_of_a_block() {
	use aria_math::uptime::asked;
	use aria_primitives::uptime::UptimeParams;
	use aria_runtime::parameters::{EraLength, RuntimeBlockWeights};
	use pallet_worker_registry::{weights::SubstrateWeight, WeightInfo};
	type Weights = SubstrateWeight<Runtime>;

	let most = asked(10_000, UptimeParams::DEFAULT.challenges, EraLength::get(), 0);
	assert_eq!(most, 12);
	let hooks = Weights::ask(most).saturating_add(Weights::close(most));
	let answers = Weights::answer().saturating_mul(most.into());
	let all = hooks.saturating_add(answers).ref_time();
	let block = RuntimeBlockWeights::get().max_block.ref_time();
	assert!(all <= block / 50, "{all} of {block}");
	assert!(Weights::answer().ref_time() < Weights::register_worker().ref_time());
}
