//! Random calls, sessions and offences: the invariants hold after each, the chain keeps a set, and
//! nothing panics.

use super::*;
use crate::mock::{end_session_without, new_test_ext, ALICE, BOB, CHARLIE, DAVE, EVE, FERDIE};
use proptest::prelude::*;
use sp_runtime::Perbill;
use sp_staking::offence::{OffenceDetails, OnOffenceHandler};

#[derive(Clone, Debug)]
enum Act {
	Register(Balance),
	Keys,
	Bond(Balance),
	Chill,
	Resume,
	Unbond,
	Withdraw,
	Link(usize),
	Accept(usize),
	Unlink(usize),
	Heartbeat,
	Author,
	Offend(u32),
	EndSession,
}

fn act() -> impl Strategy<Value = Act> {
	prop_oneof![
		1 => (0u128..400).prop_map(Act::Register),
		1 => Just(Act::Keys),
		1 => (0u128..100).prop_map(Act::Bond),
		1 => Just(Act::Chill),
		1 => Just(Act::Resume),
		1 => Just(Act::Unbond),
		1 => Just(Act::Withdraw),
		1 => (0usize..6).prop_map(Act::Link),
		1 => (0usize..6).prop_map(Act::Accept),
		1 => (0usize..6).prop_map(Act::Unlink),
		1 => Just(Act::Heartbeat),
		1 => Just(Act::Author),
		1 => (0u32..=100).prop_map(Act::Offend),
		4 => Just(Act::EndSession),
	]
}

fn perform(who: &AccountId, act: Act, all: &[AccountId; 6]) {
	let origin = signed(who);
	let _ = match act {
		Act::Register(stake) => ValidatorRegistry::register_candidate(origin, stake),
		Act::Keys => Session::set_keys(origin, keys(who), vec![]),
		Act::Bond(amount) => ValidatorRegistry::bond_more(origin, amount),
		Act::Chill => ValidatorRegistry::chill(origin),
		Act::Resume => ValidatorRegistry::resume(origin),
		Act::Unbond => ValidatorRegistry::unbond(origin),
		Act::Withdraw => ValidatorRegistry::withdraw(origin),
		Act::Link(worker) => ValidatorRegistry::link_worker(origin, all[worker].clone()),
		Act::Accept(validator) => ValidatorRegistry::accept_link(origin, all[validator].clone()),
		Act::Unlink(worker) => ValidatorRegistry::unlink(origin, who.clone(), all[worker].clone()),
		Act::Heartbeat => {
			ValidatorRegistry::heartbeat(origin).map(|_| ()).map_err(|failed| failed.error)
		}
		Act::Author => {
			ValidatorRegistry::note_author(who);
			Ok(())
		}
		Act::Offend(percent) => {
			let details = OffenceDetails { offender: (who.clone(), ()), reporters: vec![] };
			let session = pallet_session::CurrentIndex::<Test>::get();
			ValidatorRegistry::on_offence(&[details], &[Perbill::from_percent(percent)], session);
			Ok(())
		}
		Act::EndSession => {
			end_session_without(all);
			Ok(())
		}
	};
}

proptest! {
	#![proptest_config(ProptestConfig::with_cases(64))]

	#[test]
	fn the_invariants_should_hold_after_any_calls(
		acts in prop::collection::vec((0usize..6, act()), 1..80),
	) {
		new_test_ext().execute_with(|| {
			let all = [ALICE, BOB, CHARLIE, DAVE, EVE, FERDIE];
			for (index, act) in acts {
				perform(&all[index], act, &all);
				ValidatorRegistry::do_try_state().unwrap();
				assert!(Session::validators().len() >= 3);
			}
		});
	}
}
