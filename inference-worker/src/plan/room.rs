//! Whose stake answers for an answer of several stages.
//!
//! Until it has vested, what such answers cost is at most the stake of each of their workers, and what
//! exceeds that the chain takes from the pay of all of them (`docs/protocol/audit.md`, "Which records, at
//! what price"). So whose stake answers for less than an answer may cost is no part of it. Who computes
//! an answer alone answers for it alone, and is not looked at here.

use super::{cover::Runner, reason::aria, whole, Candidate, Demand, PassedOver, Reason};
use aria_primitives::Balance;
use std::{fmt, time::Duration};

/// When to ask again where stakes answer for no more: what is settled vests an epoch at a time.
pub const ROOM_RETRY: Duration = Duration::from_secs(60);
/// What a room costs that just suffices, in microseconds as in `cost`; one of ten times as much
/// costs a tenth. As little as the jitter: it only decides between equals.
const TIGHT: Balance = 5_000;

/// Whether the worker's stake answers for it as one of several stages.
pub(crate) fn has_room(candidate: &Candidate, demand: &Demand) -> bool {
	demand.at_stake <= candidate.room
}

/// That it does not.
pub(crate) fn no_room(candidate: &Candidate, demand: &Demand) -> Reason {
	Reason::NoRoom { room: candidate.room, price: demand.at_stake }
}

/// Takes those out of `runners` whose stakes do not answer for `demand`, unless one worker computes it
/// alone; of those that are left, who has little more room than that costs a little more.
pub(super) fn leave_out(runners: &mut Vec<Runner<'_>>, demand: &Demand) -> Vec<PassedOver> {
	if demand.at_stake == 0 || demand.whole_model || !whole(runners, demand).is_empty() {
		return Vec::new();
	}
	let mut passed = Vec::new();
	runners.retain_mut(|runner| {
		let candidate = runner.candidate;
		if !has_room(candidate, demand) {
			let account = candidate.account.clone();
			passed.push(PassedOver { account, reason: no_room(candidate, demand) });
			return false;
		}
		runner.cost = runner.cost.saturating_add(tightness(candidate.room, demand.at_stake));
		true
	});
	passed
}

/// What a room costs of which an answer takes that much.
fn tightness(room: Balance, taken: Balance) -> i64 {
	let times = room.checked_div(taken).unwrap_or(Balance::MAX).max(1);
	i64::try_from(TIGHT / times).unwrap_or_default()
}

/// What is in the way, and what helps: for clients, who tell their gateway's operator.
pub(super) fn explain(f: &mut fmt::Formatter<'_>, passed: &[PassedOver]) -> fmt::Result {
	let prices = passed.iter().filter_map(|passed| match passed.reason {
		Reason::NoRoom { price, .. } => Some(price),
		_ => None,
	});
	let (short, price) =
		prices.fold((0usize, 0), |(count, _), price| (count.saturating_add(1), price));
	write!(
		f,
		"; the stakes of {short} do not answer for the {} ARIA that this answer may cost until earlier \
		 ones have vested. Ask for fewer tokens, or again later; whoever operates these workers can \
		 raise their stakes (WorkerRegistry.bond_more)",
		aria(price)
	)
}
