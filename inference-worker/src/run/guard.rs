//! Whether this worker takes an order now: consent in force, hours, pause, room, and payment.

use super::{
	live::{memory_obstacle, obstacle, Live, Obstacle, Snapshot, MAX_AWAY},
	payments::{judge, Paid, Payments},
};
use crate::{
	audit::canary::Orders,
	limits::Governor,
	pipeline::{Admission, Guard, Order, Refusal},
	seldom::Seldom,
	settle::SettlementStore,
};
use aria_chain_client::{Chain, Constants};
use aria_network::wire::pipeline::text;
use aria_primitives::{record::RecordBody, AccountId, Moment, RecordId};
use std::sync::{
	atomic::{AtomicU64, Ordering},
	Arc,
};

/// Orders that were refused, in the log.
static REFUSED: Seldom = Seldom::new();
/// When a gateway may ask a busy worker again.
const RETRY_MS: u32 = 1_000;

/// Everything that a decision depends on, at one moment.
#[derive(Clone, Debug)]
pub struct Facts<'a> {
	/// Whether this process is to end.
	pub draining: bool,
	/// Whether the contributor paused it.
	pub paused: bool,
	/// Whether the chain is away.
	pub away: bool,
	/// What the chain says of this worker.
	pub snapshot: &'a Snapshot,
	/// What it says of the payment; `None` if it could not be read.
	pub paid: Option<&'a Paid>,
	/// The numbers that the runtime chose.
	pub constants: &'a Constants,
	/// Bytes of memory of the layers that are served.
	pub weights: u64,
	/// Sessions that run.
	pub sessions: usize,
	/// Sessions that can run.
	pub capacity: usize,
	/// Now.
	pub now: Moment,
}

/// The version of the consent under which `order` is taken.
///
/// # Errors
/// What the gateway is told.
pub fn decide(order: &Order, facts: &Facts<'_>) -> Result<u32, Refusal> {
	let busy = Refusal::Busy { retry_ms: RETRY_MS };
	if facts.draining {
		return Err(busy);
	}
	if facts.paused {
		return Err(Refusal::Paused);
	}
	if facts.away {
		return Err(Refusal::ChainUnreachable);
	}
	let in_the_way = obstacle(facts.snapshot, facts.now)
		.or_else(|| memory_obstacle(facts.snapshot, facts.weights));
	match in_the_way {
		None => {}
		Some(Obstacle::Chain) => return Err(Refusal::ChainUnreachable),
		Some(Obstacle::Paused | Obstacle::Resting) => return Err(Refusal::Paused),
		Some(_) => return Err(Refusal::Consent),
	}
	let Some(version) = &facts.snapshot.consent else { return Err(Refusal::Consent) };
	// The chain refuses a record whose consent was set after its anchor.
	if version.set_at > order.anchor.number {
		return Err(Refusal::Busy { retry_ms: RETRY_MS.saturating_mul(5) });
	}
	if facts.sessions >= facts.capacity {
		return Err(busy);
	}
	let Some(paid) = facts.paid else { return Err(Refusal::ChainUnreachable) };
	let minimum = version.consent.reward_preference.minimum_price;
	judge(order, paid, facts.constants, minimum)
		.map_err(|reason| Refusal::Payment(text(reason)))?;
	Ok(version.version)
}

/// The guard of a running worker.
pub struct WorkerGuard {
	/// The chain.
	pub chain: Chain,
	/// What it says, and the owner.
	pub live: Arc<Live>,
	/// What pays.
	pub payments: Arc<Payments>,
	/// Memory.
	pub governor: Arc<Governor>,
	/// What this worker signed.
	pub store: Arc<SettlementStore>,
	/// Sessions that run, counted by whoever hosts them.
	pub sessions: Arc<dyn Fn() -> usize + Send + Sync>,
	/// Sessions that can run.
	pub capacity: usize,
	/// Answers that it makes false on purpose.
	pub canaries: Arc<Orders>,
	/// What it did.
	pub counters: Counters,
}

/// What a worker did since its process began.
#[derive(Debug, Default)]
pub struct Counters {
	/// Orders that were refused.
	pub refused: AtomicU64,
	/// Records that it signed.
	pub signed: AtomicU64,
	/// Tokens of prompts and answers in these records, whose layers it computed.
	pub tokens: AtomicU64,
	/// Energy that it says of itself in these records, in millijoules.
	pub energy_mj: AtomicU64,
}

impl Counters {
	/// Takes note of a record that `me` signed.
	fn note(&self, me: &AccountId, body: &RecordBody) {
		let tokens = body.prompt_tokens.saturating_sub(body.cached_tokens);
		let tokens = u64::from(tokens) + u64::from(body.output_tokens);
		let mine = body.stages.iter().filter(|stage| stage.node == *me);
		let energy = mine.fold(0u64, |sum, stage| sum.saturating_add(stage.energy_mj));
		self.signed.fetch_add(1, Ordering::Relaxed);
		self.tokens.fetch_add(tokens, Ordering::Relaxed);
		self.energy_mj.fetch_add(energy, Ordering::Relaxed);
	}
}

impl WorkerGuard {
	fn admit_now(&self, order: &Order, bytes: u64) -> Result<Admission, Refusal> {
		let snapshot = self.live.snapshot();
		let paid = self.payments.current(order);
		let facts = Facts {
			draining: self.live.is_draining(),
			paused: self.live.is_paused(),
			away: self.chain.unreachable_for().is_some_and(|away| away > MAX_AWAY),
			snapshot: &snapshot,
			paid: paid.as_ref(),
			constants: &self.payments.constants(),
			weights: self.live.weights(),
			sessions: (self.sessions)(),
			capacity: self.capacity,
			now: super::live::now(),
		};
		let consent_version = decide(order, &facts)?;
		let lease = self
			.governor
			.memory()
			.reserve(bytes)
			.map_err(|_| Refusal::Busy { retry_ms: RETRY_MS })?;
		Ok(Admission { consent_version, lease })
	}
}

impl Guard for WorkerGuard {
	fn admit(&self, _peer: &[u8; 32], order: &Order, bytes: u64) -> Result<Admission, Refusal> {
		let admitted = self.admit_now(order, bytes);
		if let Err(refusal) = &admitted {
			self.counters.refused.fetch_add(1, Ordering::Relaxed);
			if let Some(unsaid) = REFUSED.turn() {
				tracing::info!(
					target: "aria::worker", gateway = %order.gateway, %refusal, unsaid, "an order is refused"
				);
			}
		}
		admitted
	}

	fn is_canary(&self, order: &Order) -> bool {
		self.canaries.has(&order.ticket.ticket.hash(&self.chain.genesis()))
	}

	fn signed(&self, id: RecordId, body: &RecordBody) {
		if let Some(worker) = self.live.snapshot().worker {
			self.counters.note(&worker.account, body);
		}
		let (store, body) = (self.store.clone(), body.clone());
		// The file may be busy with a write that waits for the disk.
		tokio::task::spawn_blocking(move || {
			if let Err(error) = store.note_signed(&id, &body) {
				tracing::warn!(
					target: "aria::worker", record = ?id, %error,
					"that it was signed is not noted: no batch with it will be"
				);
			}
		});
	}
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;
	use crate::run::{live, payments};

	fn with<T>(change: impl Fn(&mut Facts<'_>), decide: impl Fn(&Facts<'_>) -> T) -> T {
		let (snapshot, paid) = (live::testing::snapshot(|_| ()), payments::testing::paid());
		let constants = payments::testing::constants();
		let mut facts = Facts {
			draining: false,
			paused: false,
			away: false,
			snapshot: &snapshot,
			paid: Some(&paid),
			constants: &constants,
			weights: 1 << 20,
			sessions: 1,
			capacity: 2,
			now: live::testing::MONDAY,
		};
		change(&mut facts);
		decide(&facts)
	}

	fn decided(change: impl Fn(&mut Facts<'_>)) -> Result<u32, Refusal> {
		with(change, |facts| super::decide(&payments::testing::order(), facts))
	}

	#[test]
	fn an_order_should_be_taken_under_the_consent_in_force() {
		assert_eq!(decided(|_| ()), Ok(3));
	}

	#[test]
	fn owners_should_be_obeyed_first() {
		assert_eq!(decided(|facts| facts.paused = true), Err(Refusal::Paused));
		assert!(matches!(decided(|facts| facts.draining = true), Err(Refusal::Busy { .. })));
		// Noon is outside no hours of this consent.
		assert!(decided(|facts| facts.now += 12 * 3_600_000).is_ok());
	}

	#[test]
	fn without_the_chain_nothing_should_be_taken() {
		assert_eq!(decided(|facts| facts.away = true), Err(Refusal::ChainUnreachable));
		assert_eq!(decided(|facts| facts.paid = None), Err(Refusal::ChainUnreachable));
	}

	#[test]
	fn room_and_payment_should_count() {
		assert!(matches!(decided(|facts| facts.sessions = 2), Err(Refusal::Busy { .. })));
		let unpaid = with(
			|_| (),
			|facts| {
				let mut paid = payments::testing::paid();
				paid.key = None;
				let facts = Facts { paid: Some(&paid), ..facts.clone() };
				super::decide(&payments::testing::order(), &facts)
			},
		);
		assert!(matches!(unpaid, Err(Refusal::Payment(_))));
	}

	#[test]
	fn layers_beyond_the_memory_of_the_consent_should_take_nothing() {
		assert_eq!(decided(|facts| facts.weights = u64::MAX), Err(Refusal::Consent));
	}

	#[test]
	fn a_withdrawn_consent_should_take_nothing() {
		let decision = with(
			|_| (),
			|facts| {
				let snapshot = live::testing::snapshot(|snapshot| snapshot.consent = None);
				let facts = Facts { snapshot: &snapshot, ..facts.clone() };
				super::decide(&payments::testing::order(), &facts)
			},
		);
		assert_eq!(decision, Err(Refusal::Consent));
	}

	#[test]
	fn a_consent_should_be_older_than_the_anchor() {
		let decision = with(
			|_| (),
			|facts| {
				let snapshot = live::testing::snapshot(|snapshot| {
					snapshot.consent.as_mut().unwrap().set_at = 96;
				});
				let facts = Facts { snapshot: &snapshot, ..facts.clone() };
				super::decide(&payments::testing::order(), &facts)
			},
		);
		assert!(matches!(decision, Err(Refusal::Busy { .. })));
	}
}
