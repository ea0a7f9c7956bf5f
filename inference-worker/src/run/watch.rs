//! Follows the chain: each new best block is asked what it says of this worker, and that is obeyed at
//! once.

use super::{
	common::Common,
	live::{self, now, Freshness, Live, Obstacle, Snapshot},
	patience::patiently,
	stages::Stages,
};
use crate::limits::{cgroup::Confined, watch as watch_clock, Governor, Limits, SystemClock};
use anyhow::Result;
use aria_network::RelayBudget;
use aria_primitives::consent::ConsentVersion;
use std::{
	mem::{discriminant, Discriminant},
	sync::Arc,
	time::{Duration, Instant},
};

/// How often hours are looked at.
const LOOK: Duration = Duration::from_secs(1);
/// Shortest time over which it is measured what is relayed.
const SPAN: Duration = Duration::from_millis(500);
/// Bytes a second of a megabit a second.
const MEGABIT: u64 = 125_000;

/// What obeys the consent.
pub struct Enforced {
	/// The budgets.
	pub governor: Arc<Governor>,
	/// The sessions.
	pub stages: Arc<Stages>,
	/// The kernel's fence, where there may be one.
	pub confined: Option<Confined>,
	/// What is relayed for others.
	pub relayed: RelayBudget,
}

/// Reads the chain before it is followed. `None` if the process is to end meanwhile.
///
/// # Errors
/// What no later try mends.
pub async fn first(common: &Common) -> Result<Option<Snapshot>> {
	patiently("the chain is read", &common.stop, || async move {
		let head = *common.chain.head().borrow();
		let snapshot = live::read(&common.chain, &common.account, head, false).await?;
		common.live.set_snapshot(snapshot.clone());
		Ok(snapshot)
	})
	.await
}

/// Follows the chain until the process ends. Without `enforced` it is a gateway alone.
pub async fn follow(common: Common, enforced: Option<Enforced>) {
	let mut head = common.chain.head();
	let mut freshness = Freshness::default();
	let mut changes = common.live.changes();
	let mut said: Option<Kind> = None;
	let mut open = true;
	let mut passing = Passing::default();
	loop {
		let tip = *head.borrow_and_update();
		if common.live.snapshot().at != tip.best.0 {
			let fresh = freshness.observe(tip.best.0, Instant::now());
			match live::read(&common.chain, &common.account, tip, fresh).await {
				Ok(mut snapshot) => {
					snapshot.clock_off = snapshot.clock_off.or(common.live.snapshot().clock_off);
					common.live.set_snapshot(snapshot);
				}
				Err(error) => {
					tracing::debug!(target: "aria::worker", %error, "a block could not be read");
				}
			}
		}
		if let Some(enforced) = &enforced {
			enforce(&common.live, enforced, &mut open);
			passing.measure(enforced, Instant::now());
			let obstacle = common.live.obstacle(&common.chain);
			let kind = kind(obstacle.as_ref());
			if said != Some(kind) {
				tell(obstacle.as_ref());
				said = Some(kind);
			}
		}
		tokio::select! {
			() = common.shutdown.cancelled() => return,
			changed = head.changed() => {
				if changed.is_err() {
					return;
				}
			}
			_ = changes.changed() => {}
			() = tokio::time::sleep(LOOK) => {}
		}
	}
}

/// Applies limits, pause and hours.
fn enforce(live: &Live, enforced: &Enforced, open: &mut bool) {
	let snapshot = live.snapshot();
	let paused = live.is_paused();
	if paused && !enforced.governor.is_paused() {
		// Others take over at once; whoever pauses wants the machine now.
		enforced.stages.end_all("its contributor has paused it");
	}
	enforced.governor.set_paused(paused);
	live.set_weights(enforced.stages.weights());
	give(live, &enforced.governor, &enforced.relayed);
	let Some(ConsentVersion { consent, .. }) = &snapshot.consent else { return };
	let limits = Limits::of(consent);
	if enforced.governor.limits() != limits {
		enforced.governor.set(limits);
		if let Some(confined) = &enforced.confined {
			if let Err(error) = confined.set(limits.cpu_percent, limits.memory_bytes()) {
				tracing::warn!(target: "aria::worker", %error, "the control group keeps its old limits");
			}
		}
	}
	let allowed = consent.schedule.allows(now());
	if *open && !allowed {
		enforced.stages.end_all("its hours are over");
	}
	*open = allowed;
}

/// Lets others have what consent, hours and owner allow now: shards, and a relay with at most half of
/// the consent's bandwidth.
pub fn give(live: &Live, governor: &Governor, relayed: &RelayBudget) {
	let snapshot = live.snapshot();
	let giving = live::gives(&snapshot, now());
	governor.set_giving(giving);
	let open = giving && !live.is_paused();
	let consent = snapshot.consent.filter(|_| open);
	let mbps = consent.map_or(0, |version| version.consent.max_bandwidth_mbps);
	relayed.set_rate(u64::from(mbps) * MEGABIT / 2);
}

/// What is relayed, whose bytes are the consent's too: what the worker itself sends and receives keeps to
/// the rest.
#[derive(Default)]
struct Passing {
	last: Option<(u64, Instant)>,
}

impl Passing {
	fn measure(&mut self, enforced: &Enforced, now: Instant) {
		let passed = enforced.relayed.passed();
		if let Some(rate) = self.rate(passed, now) {
			enforced.governor.bytes().leave(rate);
		}
	}

	/// Bytes a second since the last time, unless that was just now.
	fn rate(&mut self, passed: u64, now: Instant) -> Option<f64> {
		let Some((before, then)) = self.last else {
			self.last = Some((passed, now));
			return None;
		};
		let span = now.saturating_duration_since(then);
		if span < SPAN {
			return None;
		}
		self.last = Some((passed, now));
		Some(passed.saturating_sub(before) as f64 / span.as_secs_f64())
	}
}

/// What sort of obstacle there is, if any.
type Kind = Option<Discriminant<Obstacle>>;

/// A clock that is off is so by another amount at each block; that is said once.
fn kind(obstacle: Option<&Obstacle>) -> Kind {
	obstacle.map(discriminant)
}

fn tell(obstacle: Option<&Obstacle>) {
	match obstacle {
		None => tracing::info!(target: "aria::worker", "orders are taken"),
		Some(Obstacle::Clock(off)) => tracing::error!(
			target: "aria::worker",
			"no orders are taken: {}; records with such a time would be refused",
			Obstacle::Clock(*off)
		),
		Some(obstacle) => {
			tracing::warn!(target: "aria::worker", "no orders are taken: {obstacle}");
		}
	}
}

/// Notices when the machine slept: what others were told is renewed at once.
pub async fn wake(common: Common) {
	let live = common.live.clone();
	watch_clock(Arc::new(SystemClock::new()), common.shutdown.clone(), move |_| live.touch()).await;
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::run::live::testing::snapshot;

	#[test]
	fn without_consent_nothing_should_be_given() {
		let (live, relayed) = (Live::default(), RelayBudget::default());
		let governor = Governor::new(Limits::NONE);
		let given = |change: &dyn Fn(&mut Snapshot), paused: bool| {
			live.set_snapshot(snapshot(|snapshot| change(snapshot)));
			live.set_paused(paused);
			give(&live, &governor, &relayed);
			(governor.gives(), relayed.rate())
		};
		let mbps = |s: &mut Snapshot| {
			if let Some(version) = &mut s.consent {
				version.consent.max_bandwidth_mbps = 20;
			}
		};
		assert_eq!(given(&mbps, false), (true, 1_250_000));
		// Serving a shard asks for the pause itself.
		assert_eq!(given(&mbps, true), (true, 0));
		assert_eq!(given(&|s| s.consent = None, false), (false, 0));
		assert_eq!(given(&mbps, false), (true, 1_250_000));
	}

	#[test]
	fn what_is_relayed_should_be_measured_over_a_while() {
		let (mut passing, begin) = (Passing::default(), Instant::now());
		let at = |ms| begin + Duration::from_millis(ms);
		assert_eq!(passing.rate(1_000, begin), None);
		assert_eq!(passing.rate(2_000, at(100)), None);
		assert_eq!(passing.rate(3_000, at(1_000)), Some(2_000.0));
		assert_eq!(passing.rate(3_000, at(2_000)), Some(0.0));
	}

	#[test]
	fn each_kind_of_obstacle_should_be_said_once() {
		let of = |obstacle: Obstacle| kind(Some(&obstacle));
		assert_eq!(of(Obstacle::Clock(61_000)), of(Obstacle::Clock(67_000)));
		assert_eq!(of(Obstacle::Hours("a".to_owned())), of(Obstacle::Hours("b".to_owned())));
		assert_ne!(of(Obstacle::Stake), of(Obstacle::Paused));
		assert_ne!(of(Obstacle::Clock(61_000)), kind(None));
	}
}
