//! What to do next about an audit (`docs/protocol/audit.md`, rounds).

use super::ledger::{Standing, Window};
use aria_primitives::BlockNumber;

/// Where an audit stands for this verifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
	/// The best block.
	pub best: BlockNumber,
	/// The window.
	pub window: Window,
	/// The last block that takes something in it.
	pub until: BlockNumber,
	/// Blocks of a window.
	pub length: BlockNumber,
	/// Whether query and tokens are here.
	pub handed: bool,
	/// Whether the record was run again.
	pub found: bool,
	/// What the chain has of this verifier.
	pub standing: Standing,
}

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Step {
	/// Ask the gateway.
	Ask,
	/// Read what the gateway posted on chain.
	Read,
	/// Run the record again.
	Run,
	/// Send the commitment.
	Commit,
	/// Ask once more, then say on chain that nobody answers.
	Claim,
	/// Send what was committed to.
	Reveal,
	/// Send the openings.
	Open,
	/// Nothing before another block.
	Wait,
	/// It is over for this verifier.
	Forget,
}

/// Blocks of a window that go by before something is revealed or opened: the window's first block may be
/// replaced by another, with another beacon, or one in which the window before goes on.
const CALM: BlockNumber = 2;
/// Part of the commit window that is left when a gateway that says nothing counts as silent: a quarter.
/// Until then it is asked again.
const PATIENCE: BlockNumber = 4;

/// What to do. What is sent now is in the next block at the earliest.
pub fn step(place: &Place) -> Step {
	let Place { best, window, until, length, handed, found, standing } = *place;
	let next = best.saturating_add(1);
	let is_late = next > until;
	let is_calm = best >= until.saturating_sub(length).saturating_add(CALM);
	// Towards a commitment, where one is still taken.
	let on = |otherwise: Step| match (found, handed) {
		(true, _) => Step::Commit,
		(false, true) => Step::Run,
		(false, false) => otherwise,
	};
	let wanted = match (window, standing) {
		(_, Standing::Elsewhere) => Step::Forget,
		(Window::Commit, Standing::Nothing) => {
			let left = until.saturating_sub(next);
			let is_silent = left <= length.checked_div(PATIENCE).unwrap_or_default();
			on(if is_silent { Step::Claim } else { Step::Ask })
		}
		(Window::Commit, Standing::Claimed) => on(Step::Ask),
		(Window::Commit | Window::Rebut | Window::Answer, Standing::Rebutted) => on(Step::Read),
		(Window::Rebut | Window::Answer, Standing::Claimed) => Step::Wait,
		(Window::Commit | Window::Rebut | Window::Answer, Standing::Committed) => Step::Wait,
		(Window::Reveal, Standing::Committed) if found => Step::Reveal,
		(Window::Reveal, Standing::Revealed | Standing::Counted) => Step::Wait,
		(Window::Open, Standing::Revealed) if found => Step::Open,
		_ => Step::Forget,
	};
	match wanted {
		Step::Forget => Step::Forget,
		_ if is_late => Step::Wait,
		Step::Reveal | Step::Open if !is_calm => Step::Wait,
		other => other,
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	const ALL: [Standing; 7] = [
		Standing::Nothing,
		Standing::Claimed,
		Standing::Rebutted,
		Standing::Committed,
		Standing::Revealed,
		Standing::Counted,
		Standing::Elsewhere,
	];

	fn at(window: Window, standing: Standing, left: u32, change: impl Fn(&mut Place)) -> Step {
		let mut place = Place {
			best: 1_000 - left,
			window,
			until: 1_000,
			length: 100,
			handed: false,
			found: false,
			standing,
		};
		change(&mut place);
		step(&place)
	}

	#[test]
	fn an_audit_should_go_its_way() {
		use Standing::{Committed, Nothing, Revealed};
		let handed = |place: &mut Place| place.handed = true;
		let found = |place: &mut Place| place.found = true;
		assert_eq!(at(Window::Commit, Nothing, 100, |_| ()), Step::Ask);
		assert_eq!(at(Window::Commit, Nothing, 27, |_| ()), Step::Ask);
		assert_eq!(at(Window::Commit, Nothing, 26, |_| ()), Step::Claim);
		assert_eq!(at(Window::Commit, Nothing, 1, handed), Step::Run);
		assert_eq!(at(Window::Commit, Nothing, 1, found), Step::Commit);
		assert_eq!(at(Window::Commit, Nothing, 0, found), Step::Wait);
		assert_eq!(at(Window::Commit, Committed, 50, found), Step::Wait);
		assert_eq!(at(Window::Reveal, Committed, 50, found), Step::Reveal);
		assert_eq!(at(Window::Reveal, Committed, 0, found), Step::Wait);
		assert_eq!(at(Window::Reveal, Revealed, 50, found), Step::Wait);
		assert_eq!(at(Window::Open, Revealed, 50, found), Step::Open);
		assert_eq!(at(Window::Open, Standing::Counted, 50, found), Step::Forget);
	}

	#[test]
	fn nothing_should_be_revealed_or_opened_in_a_block_that_may_be_replaced() {
		let found = |place: &mut Place| place.found = true;
		for (window, standing, wanted) in [
			(Window::Reveal, Standing::Committed, Step::Reveal),
			(Window::Open, Standing::Revealed, Step::Open),
		] {
			assert_eq!(at(window, standing, 100, found), Step::Wait);
			assert_eq!(at(window, standing, 99, found), Step::Wait);
			assert_eq!(at(window, standing, 98, found), wanted);
			assert_eq!(at(window, standing, 1, found), wanted);
		}
	}

	#[test]
	fn who_claims_should_commit_once_it_is_answered() {
		use Standing::{Claimed, Rebutted};
		let found = |place: &mut Place| place.found = true;
		assert_eq!(at(Window::Commit, Claimed, 9, |_| ()), Step::Ask);
		assert_eq!(at(Window::Commit, Claimed, 9, found), Step::Commit);
		assert_eq!(at(Window::Rebut, Claimed, 9, found), Step::Wait);
		for window in [Window::Commit, Window::Rebut, Window::Answer] {
			assert_eq!(at(window, Rebutted, 9, |_| ()), Step::Read);
			assert_eq!(at(window, Rebutted, 9, |place| place.handed = true), Step::Run);
			assert_eq!(at(window, Rebutted, 9, found), Step::Commit);
		}
		assert_eq!(at(Window::Reveal, Rebutted, 9, found), Step::Forget);
	}

	#[test]
	fn what_came_too_late_should_be_forgotten() {
		let found = |place: &mut Place| place.found = true;
		for window in [Window::Rebut, Window::Answer, Window::Reveal, Window::Open, Window::Other] {
			assert_eq!(at(window, Standing::Nothing, 9, found), Step::Forget);
		}
		assert_eq!(at(Window::Open, Standing::Committed, 9, found), Step::Forget);
		// What was committed to is lost.
		assert_eq!(at(Window::Reveal, Standing::Committed, 9, |_| ()), Step::Forget);
		for standing in ALL {
			assert_eq!(at(Window::Other, standing, 9, found), Step::Forget);
		}
	}
}
