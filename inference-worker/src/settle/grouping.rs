//! Which settlements go into a batch together.

use super::store::State;
use aria_primitives::{
	record::{BatchEntry, Payment, Settlement, MAX_BATCH_SIGNERS},
	AccountId,
};
use codec::Encode;
use std::collections::BTreeSet;

/// A settlement that is to be submitted.
pub type Ready = (Settlement, State);

/// Bounds of a batch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bounds {
	/// Most entries.
	pub entries: usize,
	/// Most bytes of the entries.
	pub bytes: usize,
}

/// The batch entry of a settlement.
pub fn entry(settlement: &Settlement) -> BatchEntry {
	BatchEntry {
		id: settlement.id,
		body: settlement.body.clone(),
		payment: settlement.payment.clone(),
	}
}

/// All who have to sign a batch of these: their stages and `gateway`.
pub fn signers(group: &[Ready], gateway: &AccountId) -> BTreeSet<AccountId> {
	let stages = group.iter().flat_map(|(settlement, _)| settlement.body.stages.iter());
	let mut signers: BTreeSet<AccountId> = stages.map(|stage| stage.node.clone()).collect();
	signers.insert(gateway.clone());
	signers
}

/// Divides `ready` into groups: batches of two or more within the bounds, the rest alone. Alone is
/// also what a batch can't carry: a missing signature, another gateway's ticket, a request on chain.
pub fn group(ready: Vec<Ready>, gateway: &AccountId, bounds: Bounds) -> Vec<Vec<Ready>> {
	let mut groups = Vec::new();
	let mut open = Vec::new();
	let mut open_signers = BTreeSet::from([gateway.clone()]);
	let mut open_bytes = 0usize;
	for (settlement, state) in ready {
		if state.alone || !fits_a_batch(&settlement, gateway) {
			groups.push(vec![(settlement, state)]);
			continue;
		}
		let bytes = entry(&settlement).encoded_size();
		let with_it = {
			let stages = settlement.body.stages.iter().map(|stage| stage.node.clone());
			open_signers.iter().cloned().chain(stages).collect::<BTreeSet<_>>()
		};
		let full = open.len() >= bounds.entries
			|| open_bytes.saturating_add(bytes) > bounds.bytes
			|| with_it.len() > MAX_BATCH_SIGNERS as usize;
		if full && !open.is_empty() {
			groups.push(std::mem::take(&mut open));
			open_bytes = 0;
			open_signers = BTreeSet::from([gateway.clone()]);
			open_signers.extend(settlement.body.stages.iter().map(|stage| stage.node.clone()));
		} else {
			open_signers = with_it;
		}
		open_bytes = open_bytes.saturating_add(bytes);
		open.push((settlement, state));
	}
	if !open.is_empty() {
		groups.push(open);
	}
	groups
}

fn fits_a_batch(settlement: &Settlement, gateway: &AccountId) -> bool {
	let own =
		matches!(&settlement.payment, Payment::Ticket(paid) if paid.ticket.gateway == *gateway);
	own && settlement.signatures.iter().all(Option::is_some)
}

#[cfg(test)]
mod tests {
	use super::{super::testing, *};

	const WIDE: Bounds = Bounds { entries: 512, bytes: 1 << 20 };

	fn ready(tag: u32, stages: &[u8]) -> Ready {
		(testing::settlement(tag, stages, 100), State::fresh(0, 0))
	}

	fn sizes(ready: Vec<Ready>, bounds: Bounds) -> Vec<usize> {
		group(ready, &testing::account(100), bounds).iter().map(Vec::len).collect()
	}

	#[test]
	fn what_may_go_together_should() {
		let all = (0..5).map(|tag| ready(tag, &[1, 2])).collect::<Vec<_>>();
		assert_eq!(sizes(all.clone(), WIDE), [5]);
		assert_eq!(sizes(all.clone(), Bounds { entries: 2, ..WIDE }), [2, 2, 1]);
		let each = entry(&all[0].0).encoded_size();
		assert_eq!(sizes(all.clone(), Bounds { bytes: 3 * each, ..WIDE }), [3, 2]);
		assert_eq!(sizes(all, Bounds { bytes: 1, ..WIDE }), [1, 1, 1, 1, 1]);
		assert!(sizes(Vec::new(), WIDE).is_empty());
	}

	#[test]
	fn what_a_batch_cannot_carry_should_stay_alone() {
		let failed_before = (testing::settlement(1, &[1], 100), {
			let mut state = State::fresh(0, 0);
			state.alone = true;
			state
		});
		let unsigned =
			(testing::without(testing::settlement(2, &[1, 2], 100), 0), State::fresh(0, 0));
		let elsewhere = (testing::settlement(3, &[1], 101), State::fresh(0, 0));
		let mut on_chain = ready(4, &[1]);
		on_chain.0.payment = Payment::Request(on_chain.0.body.ticket_hash);
		let all =
			vec![failed_before, unsigned, elsewhere, on_chain, ready(5, &[1]), ready(6, &[1])];
		assert_eq!(sizes(all, WIDE), [1, 1, 1, 1, 2]);
	}

	#[test]
	fn a_batch_should_have_no_more_signers_than_it_may() {
		// Two stages each that no other record has: 31 records and the gateway are 63 signers.
		let all = (0..40u8).map(|tag| ready(tag.into(), &[2 * tag + 101, 2 * tag + 102])).collect();
		assert_eq!(sizes(all, WIDE), [31, 9]);
	}
}
