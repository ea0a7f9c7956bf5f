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
use aria_primitives::consent::ConsentVersion;
use std::{
	mem::{discriminant, Discriminant},
	sync::Arc,
	time::{Duration, Instant},
};

/// How often hours are looked at.
const LOOK: Duration = Duration::from_secs(1);

/// What obeys the consent.
pub struct Enforced {
	/// The budgets.
	pub governor: Arc<Governor>,
	/// The sessions.
	pub stages: Arc<Stages>,
	/// The kernel's fence, where there may be one.
	pub confined: Option<Confined>,
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

	#[test]
	fn each_kind_of_obstacle_should_be_said_once() {
		let of = |obstacle: Obstacle| kind(Some(&obstacle));
		assert_eq!(of(Obstacle::Clock(61_000)), of(Obstacle::Clock(67_000)));
		assert_eq!(of(Obstacle::Hours("a".to_owned())), of(Obstacle::Hours("b".to_owned())));
		assert_ne!(of(Obstacle::Stake), of(Obstacle::Paused));
		assert_ne!(of(Obstacle::Clock(61_000)), kind(None));
	}
}
