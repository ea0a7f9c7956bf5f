//! Random calls by three accounts: the invariants hold after each, and nothing panics. Random calls
//! by a worker: what it could take on stays good for as long as a record may refer to it.

use super::*;
use crate::mock::{
	answer, new_test_ext, run_to, small_model, Balances, CurrentEra, ALICE, BOB, CHARLIE, GRACE,
	WINDOW,
};
use aria_primitives::traits::Workers;
use frame_support::dispatch::DispatchResultWithPostInfo;
use proptest::prelude::*;
use sp_runtime::DispatchResult;

#[derive(Clone, Debug)]
enum Act {
	Register(u8, Balance),
	Bond(Balance),
	Serve(Vec<(bool, u16, u16)>),
	Rotate(u8),
	Drain,
	Resume,
	Unbond,
	Withdraw,
	Punish(u32),
	Settle,
	Earn(Balance),
	Wait(u32),
	Rest,
	Ask,
	Answer(u8),
	NextEra,
}

fn act() -> impl Strategy<Value = Act> {
	prop_oneof![
		(0u8..4, 0u128..400).prop_map(|(seed, stake)| Act::Register(seed, stake)),
		(0u128..400).prop_map(Act::Bond),
		prop::collection::vec((any::<bool>(), 0u16..26, 0u16..26), 0..5).prop_map(Act::Serve),
		(0u8..4).prop_map(Act::Rotate),
		Just(Act::Drain),
		Just(Act::Resume),
		Just(Act::Unbond),
		Just(Act::Withdraw),
		(0u32..1_100_000).prop_map(Act::Punish),
		Just(Act::Settle),
		(0u128..400).prop_map(Act::Earn),
		(0u32..60).prop_map(Act::Wait),
		Just(Act::Rest),
		Just(Act::Ask),
		(0u8..4).prop_map(Act::Answer),
		Just(Act::NextEra),
	]
}

/// Without what a success costs.
fn plain(result: DispatchResultWithPostInfo) -> DispatchResult {
	result.map(|_| ()).map_err(|error| error.error)
}

fn perform(who: &AccountId, act: Act) {
	let origin = signed(who);
	let _ = match act {
		Act::Register(seed, stake) => {
			WorkerRegistry::register_worker(origin, peer(seed), binding(seed, who), 0, stake)
		}
		Act::Bond(amount) => WorkerRegistry::bond_more(origin, amount),
		Act::Serve(shards) => WorkerRegistry::set_served(
			origin,
			BoundedVec::truncate_from(
				shards
					.into_iter()
					.map(|(big, first, end)| {
						shard(if big { model() } else { small_model() }, first, end)
					})
					.collect(),
			),
		),
		Act::Rotate(seed) => WorkerRegistry::rotate_peer(origin, peer(seed), binding(seed, who)),
		Act::Drain => WorkerRegistry::drain(origin),
		Act::Resume => plain(WorkerRegistry::resume(origin)),
		Act::Unbond => WorkerRegistry::unbond(origin),
		Act::Withdraw => WorkerRegistry::withdraw(origin),
		Act::Punish(ppm) => WorkerRegistry::punish(RuntimeOrigin::root(), who.clone(), ppm),
		Act::Settle => {
			<WorkerRegistry as Workers>::note_settled(who, 0);
			Ok(())
		}
		Act::Earn(amount) => {
			let _ = <WorkerRegistry as Workers>::stake_from_earnings(who, amount);
			Ok(())
		}
		Act::Wait(blocks) => {
			run_to(System::block_number() + blocks);
			Ok(())
		}
		Act::Rest => plain(WorkerRegistry::rest(origin)),
		Act::Ask => {
			let now = System::block_number();
			WorkerRegistry::ask(now, now + WINDOW + 1, 0..4);
			Ok(())
		}
		Act::Answer(seed) => {
			let waits = WorkerRegistry::challenge(who.clone()).is_some();
			let signature = if waits { answer(seed, who) } else { [0; 64] };
			plain(WorkerRegistry::answer(origin, signature))
		}
		Act::NextEra => {
			CurrentEra::mutate(|era| *era += 1);
			Ok(())
		}
	};
}

/// What a worker can do by itself to what it serves and to where it stands.
fn evasion() -> impl Strategy<Value = Act> {
	let cuts = [0u16, 8, 16, 24];
	prop_oneof![
		3 => (0usize..4, 0usize..4)
			.prop_map(move |(first, end)| Act::Serve(vec![(true, cuts[first], cuts[end])])),
		1 => Just(Act::Serve(vec![])),
		1 => Just(Act::Drain),
		1 => Just(Act::Rest),
		2 => Just(Act::Resume),
		1 => Just(Act::Unbond),
		1 => Just(Act::Withdraw),
		4 => (1u32..9).prop_map(Act::Wait),
	]
}

/// Which thirds of the model ALICE may run in work that began at `began`.
fn thirds(began: u32) -> Vec<u16> {
	(0..3)
		.map(|third| third * 8)
		.filter(|first| {
			let layers = layers(*first, first + 8);
			<WorkerRegistry as Workers>::ensure_may_work(&ALICE, &model(), &layers, began).is_ok()
		})
		.collect()
}

proptest! {
	#![proptest_config(ProptestConfig::with_cases(64))]

	#[test]
	fn the_invariants_should_hold_after_any_calls(
		acts in prop::collection::vec((0usize..3, act()), 1..60),
	) {
		new_test_ext().execute_with(|| {
			for (index, act) in acts {
				let who = [ALICE, BOB, CHARLIE][index].clone();
				let before = Balances::total_issuance();
				let punishes = matches!(act, Act::Punish(_));
				perform(&who, act);
				WorkerRegistry::do_try_state().unwrap();
				assert!(punishes || Balances::total_issuance() == before);
			}
		});
	}

	#[test]
	fn work_should_stay_good_when_its_worker_changes_afterwards(
		acts in prop::collection::vec(evasion(), 1..60),
	) {
		new_test_ext().execute_with(|| {
			register(&ALICE, 1, 100);
			serve(&ALICE, 0, 24);
			let mut taken: Vec<(u32, Vec<u16>)> = Vec::new();
			for act in acts {
				if matches!(act, Act::Wait(_)) {
					// The state after a block is what work is given out by.
					let now = System::block_number();
					taken.push((now, thirds(now)));
				}
				perform(&ALICE, act);
				WorkerRegistry::do_try_state().unwrap();
				taken.retain(|(began, _)| System::block_number() <= began + GRACE);
				for (began, could) in &taken {
					let can = thirds(*began);
					assert!(could.iter().all(|third| can.contains(third)), "{could:?}, {can:?}");
				}
			}
		});
	}
}
