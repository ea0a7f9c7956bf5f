//! Tells others what is served here: a signed advert, renewed every minute and with every change.

use super::{
	live::{gives, now, Live, Obstacle, Snapshot},
	stages::Stages,
};
use aria_chain_client::Chain;
use aria_network::{
	wire::advert::{Addresses, Advert, SignedAdvert, ADVERT_VERSION, MAX_RANGES},
	Handle,
};
use aria_primitives::{record::LayerRange, AccountId, Moment};
use sp_core::{sr25519, Pair, H256};
use sp_runtime::BoundedVec;
use std::{collections::BTreeSet, sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;

/// How often an advert is renewed, in milliseconds.
const RENEW: Moment = 60 * 1_000;
/// How long it is believed: a worker that is killed is forgotten after that at the latest.
const LIFE: Moment = 3 * 60 * 1_000;
/// How often it is looked whether something changed.
const LOOK: Duration = Duration::from_millis(500);

/// What an advert says, but for when.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Said {
	addresses: Addresses,
	serves: Vec<(aria_primitives::ModelId, LayerRange)>,
	sessions: u16,
	capacity: u16,
	consent_version: u32,
	region: u16,
	bandwidth_mbps: u32,
}

/// Publishes this worker's adverts.
pub struct Adverts {
	/// The chain.
	pub chain: Chain,
	/// The network.
	pub handle: Handle,
	/// The worker's key.
	pub pair: sr25519::Pair,
	/// Its account.
	pub account: AccountId,
	/// Country, ISO 3166 numeric.
	pub region: u16,
	/// Sessions at once.
	pub capacity: u16,
	/// What the chain and the owner say.
	pub live: Arc<Live>,
	/// What is in memory.
	pub stages: Arc<Stages>,
}

impl Adverts {
	/// Publishes until `shutdown`, then takes the advert back.
	pub async fn run(self, shutdown: CancellationToken) {
		let mut changes = self.live.changes();
		let mut reach = self.handle.reach();
		let mut last: Option<(Said, Moment)> = None;
		let mut provided = BTreeSet::new();
		loop {
			let said = self.said();
			self.provide(&said, &mut provided).await;
			let time = now();
			let due = match &last {
				Some((before, made_at)) => differs(before, said.as_ref()) || is_old(*made_at, time),
				None => said.is_some(),
			};
			if due {
				match &said {
					Some(said) => self.publish(said, time),
					None => self.handle.unpublish(),
				}
				last = said.map(|said| (said, time));
			}
			tokio::select! {
				() = shutdown.cancelled() => break,
				_ = changes.changed() => {}
				_ = reach.changed() => {}
				() = tokio::time::sleep(LOOK) => {}
			}
		}
		self.handle.unpublish();
	}

	/// What is to be said now; `None` where there is nothing to be had.
	fn said(&self) -> Option<Said> {
		let snapshot = self.live.snapshot();
		if !is_found(self.live.obstacle(&self.chain).as_ref(), &snapshot, now()) {
			return None;
		}
		let version = snapshot.consent?;
		let mut serves: Vec<_> =
			self.stages.units().iter().map(|unit| (unit.model, unit.layers)).collect();
		serves.truncate(MAX_RANGES as usize);
		if serves.is_empty() {
			return None;
		}
		Some(Said {
			addresses: self.handle.advertised_addresses(),
			serves,
			sessions: u16::try_from(self.stages.sessions()).unwrap_or(u16::MAX),
			capacity: self.capacity,
			consent_version: version.version,
			region: self.region,
			bandwidth_mbps: version.consent.max_bandwidth_mbps,
		})
	}

	fn publish(&self, said: &Said, made_at: Moment) {
		let signed = sign(
			&self.pair,
			&self.account,
			self.handle.local_peer(),
			said,
			&self.chain.genesis(),
			made_at,
		);
		if let Err(error) = self.handle.publish(signed) {
			tracing::warn!(target: "aria::worker", %error, "the advert is not published");
		} else {
			tracing::debug!(target: "aria::worker", sessions = said.sessions, "advert published");
		}
	}

	/// Keeps the table of providers as `said` has it.
	async fn provide(
		&self,
		said: &Option<Said>,
		provided: &mut BTreeSet<(aria_primitives::ModelId, LayerRange)>,
	) {
		let wanted: BTreeSet<_> =
			said.iter().flat_map(|said| said.serves.iter().copied()).collect();
		for (model, layers) in provided.difference(&wanted).copied().collect::<Vec<_>>() {
			if self.handle.stop_providing(model, layers).await.is_ok() {
				provided.remove(&(model, layers));
			}
		}
		for (model, layers) in wanted.difference(provided).copied().collect::<Vec<_>>() {
			if self.handle.provide(model, layers).await.is_ok() {
				provided.insert((model, layers));
			}
		}
	}
}

/// Whether others should find this worker: to order, or to fetch its shards before it is gone. That a worker
/// leaves, and takes no orders, they read on chain.
fn is_found(obstacle: Option<&Obstacle>, snapshot: &Snapshot, now: Moment) -> bool {
	match obstacle {
		None => true,
		Some(Obstacle::Leaving) => gives(snapshot, now),
		Some(_) => false,
	}
}

/// Whether an advert that was made at `made_at` is to be renewed. Others read its time by the clock, which
/// goes on while a machine sleeps and may be set back; a timer would do neither.
fn is_old(made_at: Moment, now: Moment) -> bool {
	now < made_at || now - made_at >= RENEW
}

/// Whether others should hear of the difference before the advert is due.
fn differs(before: &Said, now: Option<&Said>) -> bool {
	let Some(now) = now else { return true };
	// Whether there is room matters at once; how much, with the next advert.
	let full = |said: &Said| said.sessions >= said.capacity;
	let share = |said: &Said| u32::from(said.sessions) * 4 / u32::from(said.capacity.max(1));
	let without = |said: &Said| Said { sessions: 0, ..said.clone() };
	full(before) != full(now) || share(before) != share(now) || without(before) != without(now)
}

fn sign(
	pair: &sr25519::Pair,
	account: &AccountId,
	peer: [u8; 32],
	said: &Said,
	genesis: &H256,
	now: Moment,
) -> SignedAdvert {
	let advert = Advert {
		version: ADVERT_VERSION,
		account: account.clone(),
		peer,
		addresses: said.addresses.clone(),
		serves: BoundedVec::truncate_from(said.serves.clone()),
		sessions: said.sessions,
		capacity: said.capacity,
		consent_version: said.consent_version,
		region: said.region,
		bandwidth_mbps: said.bandwidth_mbps,
		made_at: now,
		expires_at: now.saturating_add(LIFE),
	};
	let signature = pair.sign(advert.digest(genesis).as_bytes()).into();
	SignedAdvert { advert, signature }
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::run::live::{
		obstacle,
		testing::{snapshot, MONDAY},
	};

	fn said(sessions: u16) -> Said {
		Said {
			addresses: Addresses::default(),
			serves: vec![(H256::repeat_byte(1), LayerRange { first: 0, end: 2 })],
			sessions,
			capacity: 64,
			consent_version: 1,
			region: 756,
			bandwidth_mbps: 50,
		}
	}

	#[test]
	fn others_should_believe_an_advert() {
		let pair = sr25519::Pair::from_seed(&[1; 32]);
		let account = AccountId::from(pair.public());
		let genesis = H256::repeat_byte(7);
		let signed = sign(&pair, &account, [9; 32], &said(3), &genesis, 1_800_000_000_000);
		assert_eq!(signed.check(&genesis, &[9; 32], 1_800_000_000_000), Ok(()));
	}

	#[test]
	fn who_leaves_should_be_found_until_it_is_gone() {
		let found = |change: &dyn Fn(&mut Snapshot)| {
			let snapshot = snapshot(change);
			is_found(obstacle(&snapshot, MONDAY).as_ref(), &snapshot, MONDAY)
		};
		let leave = |snapshot: &mut Snapshot| {
			if let Some(worker) = &mut snapshot.worker {
				worker.active = false;
			}
		};
		assert!(found(&|_| ()) && found(&leave));
		let without_consent = |snapshot: &mut Snapshot| {
			leave(snapshot);
			snapshot.consent = None;
		};
		assert!(!found(&without_consent));
		assert!(!found(&|snapshot| snapshot.worker = None));
		assert!(!found(&|snapshot| snapshot.minimum_stake = u128::MAX));
		let leaving = snapshot(leave);
		assert!(!is_found(Some(&Obstacle::Paused), &leaving, MONDAY));
		assert!(!is_found(Some(&Obstacle::Draining), &leaving, MONDAY));
	}

	#[test]
	fn an_advert_should_be_renewed_by_the_clock() {
		let made_at = 1_800_000_000_000;
		assert!(!is_old(made_at, made_at) && !is_old(made_at, made_at + RENEW - 1));
		assert!(is_old(made_at, made_at + RENEW));
		// A night of sleep; and a clock that was an hour ahead.
		assert!(is_old(made_at, made_at + 8 * 3_600_000));
		assert!(is_old(made_at, made_at - 3_600_000));
		// There is time for one that is late.
		const { assert!(2 * RENEW <= LIFE) };
	}

	#[test]
	fn only_changes_that_matter_should_be_told_at_once() {
		assert!(!differs(&said(3), Some(&said(4))));
		assert!(differs(&said(15), Some(&said(16))));
		assert!(differs(&said(63), Some(&said(64))));
		assert!(differs(&said(3), None));
		let other = Said { consent_version: 2, ..said(3) };
		assert!(differs(&said(3), Some(&other)));
	}
}
