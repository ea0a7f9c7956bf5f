//! Who computes an answer: stages and standbys out of adverts and chain state (paper, 3.1), and for
//! everybody who was passed over, why.
//!
//! | module | concern |
//! |---|---|
//! | [`reason`] | why a worker gets no work, in words that its owner can act on |
//! | [`hours`] | when a schedule opens |
//! | `room` | whose stake answers for an answer of several stages |
//! | `cost` | what it costs to give a stage to a worker |
//! | `cover` | the cheapest stages that cover all layers |
//!
//! [`plan`] is a function of its arguments alone: the same candidates, demand and seed give the same
//! plan, whatever the order of the candidates.
//!
//! 1. Who may not work, or not on this, is passed over ([`Reason`]).
//! 2. If somebody holds the whole model, the best of them is the only stage.
//! 3. Otherwise ranges of layers are joined so that the sum of the stages' costs is least; who holds
//!    more layers than a stage needs may run a part of them. Nobody takes part whose stake does not
//!    answer for the price: the chain would cut it for all of them.
//! 4. One plan in [`NEWCOMER_SHARE`] prefers a worker with few records, so that newcomers can earn a
//!    reputation at all.
//! 5. Each stage gets the best of the others as standbys that hold its layers.
//!
//! Time: a thousand candidates take a few milliseconds. Loops are bounded by [`MAX_BOUNDARIES`],
//! [`MAX_RUNS`] and constants of `cover`, whatever the adverts say.

mod cost;
mod cover;
pub mod hours;
pub mod reason;
mod room;
#[cfg(test)]
pub(crate) mod tests;

pub use cost::{NEWCOMER_RECORDS, NEWCOMER_SHARE};
pub use cover::{MAX_BOUNDARIES, MAX_RUNS};
pub use reason::Reason;
pub use room::ROOM_RETRY;
pub(crate) use room::{has_room, no_room};

use crate::pipeline::Plan;
use aria_network::wire::{
	advert::{Addresses, MAX_ADVERT_LIFE},
	pipeline::StagePlace,
};
use aria_primitives::{
	consent::{ConsentVersion, TaskType},
	record::LayerRange,
	AccountId, Balance, ModelId, Moment, Ppm,
};
use cost::Draw;
use cover::{cover, Ends, Runner};
use std::{collections::BTreeSet, fmt, time::Duration};

/// Standbys of a stage, at most.
pub const STANDBYS: usize = 4;
/// When to ask again where workers are merely busy.
pub const BUSY_RETRY: Duration = Duration::from_secs(2);

/// A worker that serves the demanded model, out of its advert and the chain's state. An account
/// counts once: a second candidate of the same one is not looked at.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
	/// The worker.
	pub account: AccountId,
	/// Its libp2p ed25519 public key.
	pub peer: [u8; 32],
	/// Where it can be reached.
	pub addresses: Addresses,
	/// The layers of the model that are in its memory.
	pub layers: Vec<LayerRange>,
	/// Its stake on chain, in planck.
	pub stake: Balance,
	/// Whether that is enough to be paid.
	pub minimum_stake_met: bool,
	/// What the tokens of an answer of several stages may cost with it as one of them, in planck: what
	/// its stake answers for beside answers that are under way or not vested
	/// (`docs/protocol/audit.md`, "Which records, at what price").
	pub room: Balance,
	/// Its reputation on chain.
	pub reputation: Ppm,
	/// The consent in force.
	pub consent: Option<ConsentVersion>,
	/// Whether the chain knows it as a worker, draining or not.
	pub registered: bool,
	/// Whether it is registered, and neither rests nor drains.
	pub active: bool,
	/// Whether it rests, and will be back.
	pub resting: bool,
	/// ISO 3166 numeric code of its country; 0 is unknown.
	pub region: u16,
	/// Sessions that it runs in those that it can run: 0 to 1.
	pub load: f32,
	/// A round trip to it, where one was measured.
	pub round_trip: Option<Duration>,
	/// The network limit of its consent, in megabits a second.
	pub bandwidth_mbps: u32,
	/// Records of it that were settled so far.
	pub records: u32,
	/// How long ago its advert was made.
	pub advert_age: Duration,
}

/// What is to be computed, and what the client demands of those who do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Demand {
	/// The model.
	pub model: ModelId,
	/// Its layers.
	pub layers: u16,
	/// What is paid for a token of the answer, in planck.
	pub price: Balance,
	/// What the tokens of prompt and answer may cost at most, in planck, for which the workers' stakes
	/// have to answer; 0 where nobody may audit the answer.
	pub at_stake: Balance,
	/// Now.
	pub at: Moment,
	/// Only workers that hold the whole model.
	pub whole_model: bool,
	/// Who has to run the first stage.
	pub first: Option<AccountId>,
	/// Who has to run the last stage.
	pub last: Option<AccountId>,
	/// Only workers in this country (ISO 3166 numeric).
	pub region: Option<u16>,
	/// Decides between equals, and which plans prefer a newcomer.
	pub seed: u64,
}

/// A worker that gets no part, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PassedOver {
	/// The worker.
	pub account: AccountId,
	/// Why.
	pub reason: Reason,
}

/// A plan. Every candidate is a stage, a standby, or passed over.
#[derive(Clone, Debug)]
pub struct Planned {
	/// Stages, and standbys for each, best first. A standby is no stage; it may stand by for several, and
	/// must not take part a second time once it has replaced one, because the chain refuses a record
	/// that names a worker twice.
	pub plan: Plan,
	/// Everybody else.
	pub passed: Vec<PassedOver>,
}

/// That there is no plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoPlan {
	/// Every candidate, and why it does not help.
	pub passed: Vec<PassedOver>,
	/// The layers that nobody may compute now.
	pub uncovered: Vec<LayerRange>,
	/// When to ask again, if nothing but hours, or load, is in the way: not before that can there be a
	/// plan of the same workers.
	pub retry_after: Option<Duration>,
	/// Whether there would be a plan if the stakes of all workers answered for it, and is none because
	/// those of some ([`Reason::NoRoom`]) do not.
	pub no_room: bool,
}

impl fmt::Display for NoPlan {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		write!(f, "nobody may compute ")?;
		for (index, LayerRange { first, end }) in self.uncovered.iter().enumerate() {
			write!(f, "{}{first}..{end}", if index == 0 { "layers " } else { ", " })?;
		}
		match self.passed.len() {
			0 => write!(f, ": no worker advertises this model")?,
			1 => write!(f, ": the one worker of this model was passed over")?,
			count => write!(f, ": {count} workers of this model were passed over")?,
		}
		if self.no_room {
			room::explain(f, &self.passed)?;
		}
		match self.retry_after {
			Some(wait) => write!(f, "; ask again in {} s", wait.as_secs().max(1)),
			None => Ok(()),
		}
	}
}

impl std::error::Error for NoPlan {}

/// Obstacles that pass by themselves, and are not looked at here.
#[derive(Clone, Copy, Default)]
struct Overlook {
	busy: bool,
	hours: bool,
}

/// Chooses stages and standbys for `demand`.
///
/// # Errors
/// [`NoPlan`] if those who may work do not cover all layers, or the client's demands can't be met.
pub fn plan(candidates: &[Candidate], demand: &Demand) -> Result<Planned, NoPlan> {
	let draw = Draw::new(demand.seed);
	let mut accounts = BTreeSet::new();
	let (mut runners, mut passed) = (Vec::new(), Vec::new());
	for candidate in candidates {
		if !accounts.insert(&candidate.account) {
			continue;
		}
		match judge(candidate, demand, Overlook::default()) {
			Ok(runs) => runners.push(draw.runner(candidate, runs)),
			Err(reason) => passed.push(PassedOver { account: candidate.account.clone(), reason }),
		}
	}
	passed.extend(room::leave_out(&mut runners, demand));
	sort(&mut runners);
	let preferred = draw.newcomer(&eligible_for_stage(&runners, demand));
	match assign(&runners, demand, preferred) {
		Ok(stages) => Ok(finish(&runners, demand, stages, passed)),
		Err(uncovered) => {
			let (retry_after, stakes) = retry(candidates, demand);
			// Of those that are busy it is not known.
			let mut reasons = passed.iter().map(|passed| &passed.reason);
			let no_room = stakes && reasons.any(|reason| matches!(reason, Reason::NoRoom { .. }));
			passed.extend(runners.iter().map(|runner| PassedOver {
				account: runner.candidate.account.clone(),
				reason: helpless(runner, demand, &uncovered),
			}));
			Err(NoPlan { passed, uncovered, retry_after, no_room })
		}
	}
}

/// Whether nothing but its room, and what others hold, decides if `candidate` computes a part of
/// `demand`.
pub(crate) fn may_work(candidate: &Candidate, demand: &Demand) -> bool {
	judge(candidate, demand, Overlook::default()).is_ok()
}

/// The layers that `candidate` may run for `demand`, or the first reason against it.
fn judge(
	candidate: &Candidate,
	demand: &Demand,
	overlook: Overlook,
) -> Result<Vec<LayerRange>, Reason> {
	if !candidate.registered && !candidate.active {
		return Err(Reason::NotRegistered);
	}
	if candidate.resting {
		return Err(Reason::Resting);
	}
	if !candidate.active {
		return Err(Reason::Draining);
	}
	if !candidate.minimum_stake_met {
		return Err(Reason::StakeTooLow { stake: candidate.stake });
	}
	let consent = candidate.consent.as_ref().filter(|version| version.superseded_at.is_none());
	let Some(ConsentVersion { consent, .. }) = consent else { return Err(Reason::NoConsent) };
	if !consent.accepts(TaskType::TextGeneration) {
		return Err(Reason::TaskNotAllowed);
	}
	if !overlook.hours && !hours::is_open(&consent.schedule, demand.at) {
		return Err(Reason::OutsideHours {
			opens: hours::opens(&consent.schedule, demand.at),
			utc_offset_minutes: consent.schedule.utc_offset_minutes,
		});
	}
	let minimum = consent.reward_preference.minimum_price;
	if demand.price < minimum {
		return Err(Reason::PriceTooLow { offered: demand.price, minimum });
	}
	if candidate.advert_age > Duration::from_millis(MAX_ADVERT_LIFE) {
		return Err(Reason::AdvertTooOld { age: candidate.advert_age });
	}
	if let Some(wanted) = demand.region.filter(|wanted| *wanted != candidate.region) {
		return Err(Reason::Region { wanted, is: candidate.region });
	}
	let runs = cover::runs(&candidate.layers, demand.layers);
	if runs.is_empty() {
		return Err(Reason::LayersNotServed);
	}
	let whole = LayerRange { first: 0, end: demand.layers };
	if demand.whole_model && !runs.contains(&whole) {
		return Err(Reason::WholeModelDemanded);
	}
	// What is no number is not free either.
	let is_free = candidate.load < 1.0;
	if !overlook.busy && !is_free {
		return Err(Reason::Busy);
	}
	Ok(runs)
}

/// In the order in which they are considered: a plan must not depend on the order of adverts.
fn sort(runners: &mut [Runner<'_>]) {
	runners.sort_by_key(|runner| (runner.cost, runner.tie));
}

/// Who holds the whole model and is whom the client demands.
fn whole<'r, 'c>(runners: &'r [Runner<'c>], demand: &Demand) -> Vec<&'r Runner<'c>> {
	let range = LayerRange { first: 0, end: demand.layers };
	let is = |named: &Option<AccountId>, account: &AccountId| {
		named.as_ref().is_none_or(|named| named == account)
	};
	runners
		.iter()
		.filter(|runner| runner.runs.contains(&range))
		.filter(|Runner { candidate, .. }| {
			is(&demand.first, &candidate.account) && is(&demand.last, &candidate.account)
		})
		.collect()
}

/// Among whom a newcomer may be preferred: one who holds only some layers is no choice where somebody
/// holds all.
fn eligible_for_stage<'r, 'c>(runners: &'r [Runner<'c>], demand: &Demand) -> Vec<&'r Runner<'c>> {
	let whole = whole(runners, demand);
	if whole.is_empty() {
		runners.iter().collect()
	} else {
		whole
	}
}

/// The stages by runner, or the layers that nobody covers.
fn assign(
	runners: &[Runner<'_>],
	demand: &Demand,
	preferred: Option<&AccountId>,
) -> Result<Vec<(usize, LayerRange)>, Vec<LayerRange>> {
	let all = LayerRange { first: 0, end: demand.layers };
	let place = |account: &AccountId| {
		runners.iter().position(|runner| runner.candidate.account == *account)
	};
	let whole = whole(runners, demand);
	let chosen = whole
		.iter()
		.find(|runner| Some(&runner.candidate.account) == preferred)
		.or_else(|| whole.first());
	if let Some(index) = chosen.and_then(|runner| place(&runner.candidate.account)) {
		return Ok(vec![(index, all)]);
	}
	// Somebody who is demanded and isn't here is nobody: the end stays uncovered.
	let ends =
		Ends { first: demand.first.as_ref().map(place), last: demand.last.as_ref().map(place) };
	if demand.whole_model || demand.layers == 0 {
		return Err(vec![all]);
	}
	cover(runners, demand.layers, ends, preferred.and_then(place))
}

/// Standbys for `stages`, and reasons for all others.
fn finish(
	runners: &[Runner<'_>],
	demand: &Demand,
	stages: Vec<(usize, LayerRange)>,
	mut passed: Vec<PassedOver>,
) -> Planned {
	let mut used: BTreeSet<usize> = stages.iter().map(|(index, _)| *index).collect();
	let working = used.clone();
	let last = stages.len().saturating_sub(1);
	let mut standbys = Vec::with_capacity(stages.len());
	for (stage, (_, layers)) in stages.iter().enumerate() {
		let named =
			(stage == 0 && demand.first.is_some()) || (stage == last && demand.last.is_some());
		let others = runners.iter().enumerate().filter(|(index, runner)| {
			!named && !working.contains(index) && runner.runs.iter().any(|run| run.contains(layers))
		});
		let best: Vec<(usize, StagePlace)> = others
			.take(STANDBYS)
			.map(|(index, runner)| (index, place(runner.candidate, *layers)))
			.collect();
		used.extend(best.iter().map(|(index, _)| *index));
		standbys.push(best.into_iter().map(|(_, place)| place).collect());
	}
	let places: Vec<StagePlace> = stages
		.iter()
		.filter_map(|(index, layers)| Some(place(runners.get(*index)?.candidate, *layers)))
		.collect();
	for (_, runner) in runners.iter().enumerate().filter(|(index, _)| !used.contains(index)) {
		let account = runner.candidate.account.clone();
		passed.push(PassedOver { account, reason: outdone(runner, demand, &places) });
	}
	Planned { plan: Plan { stages: places, standbys }, passed }
}

/// `candidate` as a stage with these layers.
pub(crate) fn place(candidate: &Candidate, layers: LayerRange) -> StagePlace {
	StagePlace {
		node: candidate.account.clone(),
		peer: candidate.peer,
		addresses: candidate.addresses.clone(),
		layers,
	}
}

/// How many layers two ranges share.
fn shared(a: &LayerRange, b: &LayerRange) -> u16 {
	a.end.min(b.end).saturating_sub(a.first.max(b.first))
}

/// Why a worker that might have worked is neither stage nor standby.
fn outdone(runner: &Runner<'_>, demand: &Demand, stages: &[StagePlace]) -> Reason {
	let last = stages.len().saturating_sub(1);
	let named = |stage: usize| {
		if stage == 0 && demand.first.is_some() {
			demand.first.clone().map(|by| Reason::FirstDemanded { by })
		} else if stage == last {
			demand.last.clone().map(|by| Reason::LastDemanded { by })
		} else {
			None
		}
	};
	// Where it would have had most to do; a stage that was nobody else's to have explains least.
	let overlap = |layers: &LayerRange| runner.runs.iter().map(|run| shared(run, layers)).max();
	let contested = stages
		.iter()
		.enumerate()
		.filter_map(|(stage, place)| Some((stage, place, overlap(&place.layers)?)))
		.filter(|(_, _, shared)| *shared > 0)
		.max_by_key(|(stage, _, shared)| (named(*stage).is_none(), *shared, usize::MAX - stage));
	let Some((stage, place, _)) = contested else { return Reason::LayersNotServed };
	if let Some(reason) = named(stage) {
		return reason;
	}
	let by = place.node.clone();
	let holds_it = runner.runs.iter().any(|run| run.contains(&place.layers));
	if stages.len() == 1 && !holds_it {
		return Reason::LayersNotNeeded { by };
	}
	Reason::PassedOver { by }
}

/// Why a worker that may work does not lead to a plan.
fn helpless(runner: &Runner<'_>, demand: &Demand, uncovered: &[LayerRange]) -> Reason {
	let account = &runner.candidate.account;
	let touches = |layer: u16| runner.runs.iter().any(|run| run.first <= layer && layer < run.end);
	let open = |layer: u16| uncovered.iter().any(|range| range.first <= layer && layer < range.end);
	let last = demand.layers.saturating_sub(1);
	if let Some(by) = demand.first.clone().filter(|by| by != account && open(0) && touches(0)) {
		return Reason::FirstDemanded { by };
	}
	if let Some(by) = demand.last.clone().filter(|by| by != account && open(last) && touches(last))
	{
		return Reason::LastDemanded { by };
	}
	let missing = uncovered.first().copied();
	Reason::Incomplete { missing: missing.unwrap_or(LayerRange { first: 0, end: demand.layers }) }
}

/// When to ask again: soon if busy workers would do, later if those would whose stakes answer for no
/// more now, or when enough schedules have opened. And whether the stakes are in the way.
fn retry(candidates: &[Candidate], demand: &Demand) -> (Option<Duration>, bool) {
	let draw = Draw::new(demand.seed);
	let solves = |runners: &[Runner<'_>], demand: &Demand| {
		let mut runners = runners.to_vec();
		room::leave_out(&mut runners, demand);
		sort(&mut runners);
		assign(&runners, demand, None).is_ok()
	};
	let busy = Overlook { busy: true, hours: false };
	let mut accounts = BTreeSet::new();
	let (mut now, mut later) = (Vec::new(), Vec::new());
	for candidate in candidates {
		if !accounts.insert(&candidate.account) {
			continue;
		}
		match judge(candidate, demand, busy) {
			Ok(runs) => now.push(draw.runner(candidate, runs)),
			Err(Reason::OutsideHours { opens: Some(opens), .. }) => {
				if let Ok(runs) = judge(candidate, demand, Overlook { busy: true, hours: true }) {
					later.push((opens, draw.runner(candidate, runs)));
				}
			}
			Err(_) => {}
		}
	}
	if solves(&now, demand) {
		return (Some(BUSY_RETRY), false);
	}
	// Until a schedule opens, earlier answers may have vested.
	let whatever_stakes = Demand { at_stake: 0, ..demand.clone() };
	if solves(&now, &whatever_stakes) {
		return (Some(ROOM_RETRY), true);
	}
	later.sort_by_key(|(opens, runner)| (*opens, runner.cost, runner.tie));
	let solves_with = |count: usize| {
		let mut all = now.clone();
		all.extend(later.iter().take(count).map(|(_, runner)| runner.clone()));
		solves(&all, &whatever_stakes)
	};
	if !solves_with(later.len()) {
		return (None, false);
	}
	// The least number of openings that is enough; more of them never hurt.
	let (mut few, mut enough) = (0, later.len());
	while enough.saturating_sub(few) > 1 {
		let middle = few.midpoint(enough);
		if solves_with(middle) {
			enough = middle;
		} else {
			few = middle;
		}
	}
	let Some((opens, _)) = enough.checked_sub(1).and_then(|last| later.get(last)) else {
		return (None, false);
	};
	(Some(Duration::from_millis(opens.saturating_sub(demand.at))), false)
}
