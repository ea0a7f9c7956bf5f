//! Records leave the state when nothing needs them any more, and each header names what they are proven
//! by.

use crate::flow::*;
use aria_primitives::hashing::MMR_ENGINE_ID;
use aria_runtime::{
	dynamic::{
		dynamic_params::records::{Parameters, Retention},
		RuntimeParameters,
	},
	parameters::RETENTION_LEAST,
	Mmr, ProvenanceLedger, Runtime,
};
use pallet_verification::Drawn;
use sp_runtime::DigestItem;

/// Records stay for as short as they may.
fn shorten(flow: &mut Flow) {
	let key_value = RuntimeParameters::Records(Parameters::Retention(Retention, Some(0)));
	let call = pallet_parameters::Call::<Runtime>::set_parameter { key_value };
	flow.chain.accept(vec![(SUDO, sudo(call))]);
}

/// Ends the era, and lets the blocks go by in which the one before it is settled.
fn end_era(flow: &mut Flow) {
	let force = pallet_reward_distributor::Call::<Runtime>::force_new_era {};
	flow.chain.accept(vec![(SUDO, sudo(force))]);
	flow.chain.blocks(3);
}

#[test]
fn a_header_should_name_the_root_of_its_mountain_range() {
	let mut flow = Flow::new();
	for _ in 0..5 {
		let header = flow.chain.block(vec![]).header;
		let named: Vec<Vec<u8>> = header
			.digest
			.logs
			.iter()
			.filter_map(|log| match log {
				DigestItem::Consensus(MMR_ENGINE_ID, root) => Some(root.clone()),
				_ => None,
			})
			.collect();
		let root = flow.chain.read(Mmr::mmr_root);
		assert_eq!(named, vec![root.as_bytes().to_vec()]);
	}
}

#[test]
fn a_record_should_leave_when_audit_vesting_and_era_are_over_and_not_before() {
	let mut flow = Flow::new();
	shorten(&mut flow);
	let draft = flow.draft(1);
	flow.settle(draft);
	let settlement = flow.last.clone().unwrap();
	let (id, output) = (settlement.id, settlement.body.output_hash);
	let settled = flow.chain.head().number;
	let is_there = |flow: &mut Flow| flow.chain.read(|| ProvenanceLedger::record(id)).is_some();

	// The window is over, and its epoch is not drawn.
	flow.chain.jump_to(settled + RETENTION_LEAST + 1);
	flow.chain.blocks(2);
	assert!(is_there(&mut flow));

	// It is drawn, audited by nobody, and paid; its era goes on.
	flow.chain.epochs(5);
	flow.chain.blocks(3);
	assert!(flow.chain.read(|| Drawn::<Runtime>::contains_key(id)));
	assert!(is_there(&mut flow));
	assert_eq!(flow.chain.read(ProvenanceLedger::records_since), settled);

	end_era(&mut flow);
	assert!(is_there(&mut flow));
	end_era(&mut flow);
	flow.chain.epochs(1);
	flow.chain.blocks(5);
	assert!(!is_there(&mut flow));
	flow.chain.read(|| {
		assert!(!Drawn::<Runtime>::contains_key(id));
		assert!(ProvenanceLedger::by_output(output, None, 10).is_empty());
		assert!(ProvenanceLedger::records_since() > settled);
		assert_eq!(ProvenanceLedger::stats().inferences, 1);
	});
}

#[test]
fn a_record_should_stay_while_its_window_is_open() {
	let mut flow = Flow::new();
	let draft = flow.draft(1);
	flow.settle(draft);
	let id = flow.last.clone().unwrap().id;
	flow.chain.epochs(5);
	end_era(&mut flow);
	end_era(&mut flow);
	flow.chain.epochs(1);
	let next = flow.chain.next_number();
	flow.chain.jump_to(next + 1_000);
	flow.chain.blocks(5);
	assert!(flow.chain.read(|| ProvenanceLedger::record(id)).is_some());
	// It leaves as soon as the window is made shorter.
	shorten(&mut flow);
	flow.chain.blocks(2);
	assert!(flow.chain.read(|| ProvenanceLedger::record(id)).is_none());
}
