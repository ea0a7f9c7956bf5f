//! What to do next in a dispute (`docs/protocol/dispute.md`, windows).

use super::chain::Window;
use aria_primitives::{
	dispute::{Dispute, Party, Standing, Step},
	BlockNumber,
};

/// Where a dispute stands for a party.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
	/// The best block.
	pub best: BlockNumber,
	/// The window.
	pub window: Window,
	/// The last block that takes something in it.
	pub until: BlockNumber,
	/// Which side this is.
	pub me: Party,
	/// Who has to open it.
	pub opener: Party,
	/// The dispute, once there is one.
	pub dispute: Option<&'a Dispute>,
}

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Move {
	/// Open it.
	Open,
	/// Post one's nodes.
	Nodes,
	/// Find the node that differs.
	Leaf,
	/// Find the leaf that differs, and post the items of its position.
	Defence,
	/// Post the items of that position.
	Reply,
	/// Find the sums that differ, and post their blocks.
	Blocks,
	/// Prove a block of the other's false.
	Prove,
	/// Nothing now, but it may come to this side: run the record again meanwhile.
	Prepare,
	/// Nothing.
	Wait,
}

/// The other side.
pub fn other(party: Party) -> Party {
	match party {
		Party::Executor => Party::Accuser,
		Party::Accuser => Party::Executor,
	}
}

/// What to do. What is sent now is in the next block at the earliest.
pub fn step(place: &Place<'_>) -> Move {
	let Place { best, window, until, me, opener, dispute } = *place;
	let wanted = match dispute {
		None if window == Window::Dispute && me == opener => Move::Open,
		// Before it is opened, or where nobody did.
		None => Move::Wait,
		Some(dispute) => wanted(window, me, dispute),
	};
	let is_late = best.saturating_add(1) > until;
	match wanted {
		Move::Wait | Move::Prepare => wanted,
		_ if is_late => Move::Wait,
		_ => wanted,
	}
}

fn wanted(window: Window, me: Party, dispute: &Dispute) -> Move {
	let is_mine = |turn: Party, wanted: Move| if me == turn { wanted } else { Move::Prepare };
	match (window, dispute.step) {
		(_, Step::Over) => Move::Wait,
		(Window::Dispute, _) => Move::Prepare,
		(Window::Nodes, Step::Open) => is_mine(Party::Executor, Move::Nodes),
		(Window::Leaf, Step::Nodes { .. }) => is_mine(Party::Accuser, Move::Leaf),
		(Window::Defence, Step::Leaf { .. }) => is_mine(Party::Executor, Move::Defence),
		(Window::Reply, Step::Defence { .. }) => is_mine(Party::Accuser, Move::Reply),
		(Window::Blocks, Step::Traces { .. }) => Move::Blocks,
		(Window::Blocks, Step::Blocks { executor, accuser, .. }) => {
			let posted = match me {
				Party::Executor => executor,
				Party::Accuser => accuser,
			};
			match posted {
				true => Move::Wait,
				false => Move::Blocks,
			}
		}
		(Window::Proof, Step::Blocks { .. }) if dispute.standing(other(me)) == Standing::Stands => {
			Move::Prove
		}
		(Window::Proof, _) => Move::Wait,
		// Posted early in this window: the next one is another's, or one's own.
		_ => Move::Prepare,
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use aria_primitives::{dispute::Pair, AccountId};
	use sp_core::H256;

	fn dispute(step: Step) -> Dispute {
		Dispute {
			by: Party::Executor,
			opener: AccountId::new([1; 32]),
			bond: 1,
			stage: 0,
			root: H256::zero(),
			executor: Standing::Stands,
			accuser: Standing::Stands,
			step,
		}
	}

	fn at(window: Window, me: Party, left: u32, step_is: Option<Step>) -> Move {
		let dispute = step_is.map(dispute);
		step(&Place {
			best: 100 - left,
			window,
			until: 100,
			me,
			opener: Party::Executor,
			dispute: dispute.as_ref(),
		})
	}

	const PAIR: Pair = Pair { executor: H256([1; 32]), accuser: H256([2; 32]) };

	fn blocks(executor: bool, accuser: bool) -> Step {
		Step::Blocks { position: 1, traces: PAIR, item: 1, sums: PAIR, executor, accuser }
	}

	#[test]
	fn each_side_should_move_in_its_windows() {
		use Party::{Accuser, Executor};
		let steps = [
			(Window::Nodes, Step::Open, Executor, Move::Nodes),
			(Window::Leaf, Step::Nodes { roots: PAIR }, Accuser, Move::Leaf),
			(
				Window::Defence,
				Step::Leaf { first: 0, count: 1, nodes: PAIR },
				Executor,
				Move::Defence,
			),
			(
				Window::Reply,
				Step::Defence { position: 1, trace: PAIR.executor },
				Accuser,
				Move::Reply,
			),
		];
		for (window, step, turn, wanted) in steps {
			assert_eq!(at(window, turn, 9, Some(step)), wanted);
			assert_eq!(at(window, turn, 0, Some(step)), Move::Wait, "too late");
			assert_eq!(at(window, other(turn), 9, Some(step)), Move::Prepare);
			assert_eq!(at(window, turn, 9, Some(Step::Over)), Move::Wait);
		}
		for me in [Executor, Accuser] {
			let traces = Step::Traces { position: 1, traces: PAIR };
			assert_eq!(at(Window::Blocks, me, 9, Some(traces)), Move::Blocks);
			assert_eq!(at(Window::Blocks, me, 9, Some(blocks(true, true))), Move::Wait);
			assert_eq!(at(Window::Proof, me, 9, Some(blocks(true, true))), Move::Prove);
		}
		assert_eq!(at(Window::Blocks, Executor, 9, Some(blocks(false, true))), Move::Blocks);
		assert_eq!(at(Window::Blocks, Accuser, 9, Some(blocks(false, true))), Move::Wait);
	}

	#[test]
	fn who_has_to_should_open_and_nobody_else() {
		assert_eq!(at(Window::Dispute, Party::Executor, 9, None), Move::Open);
		assert_eq!(at(Window::Dispute, Party::Executor, 0, None), Move::Wait);
		assert_eq!(at(Window::Dispute, Party::Accuser, 9, None), Move::Wait);
		assert_eq!(at(Window::Nodes, Party::Executor, 9, None), Move::Wait);
		assert_eq!(at(Window::Dispute, Party::Accuser, 9, Some(Step::Open)), Move::Prepare);
	}

	#[test]
	fn who_was_proven_false_should_be_left_alone() {
		let mut over = dispute(blocks(true, true));
		over.find(Party::Accuser, Standing::False);
		let place = |me| Place {
			best: 1,
			window: Window::Proof,
			until: 9,
			me,
			opener: Party::Executor,
			dispute: Some(&over),
		};
		assert_eq!(step(&place(Party::Executor)), Move::Wait);
		assert_eq!(step(&place(Party::Accuser)), Move::Prove);
	}
}
