//! Tells others what is served here: a signed advert, renewed every minute and with every change.

use super::{
	live::{now, Live},
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

/// How often an advert is renewed.
const RENEW: Duration = Duration::from_secs(60);
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
		let mut last: Option<(Said, tokio::time::Instant)> = None;
		let mut provided = BTreeSet::new();
		loop {
			let said = self.said();
			self.provide(&said, &mut provided).await;
			let due = match &last {
				Some((before, at)) => differs(before, said.as_ref()) || at.elapsed() >= RENEW,
				None => said.is_some(),
			};
			if due {
				match &said {
					Some(said) => self.publish(said),
					None => self.handle.unpublish(),
				}
				last = said.map(|said| (said, tokio::time::Instant::now()));
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

	/// What is to be said now; `None` where nothing may be ordered here.
	fn said(&self) -> Option<Said> {
		if self.live.obstacle(&self.chain).is_some() {
			return None;
		}
		let snapshot = self.live.snapshot();
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

	fn publish(&self, said: &Said) {
		let signed = sign(
			&self.pair,
			&self.account,
			self.handle.local_peer(),
			said,
			&self.chain.genesis(),
			now(),
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
	fn only_changes_that_matter_should_be_told_at_once() {
		assert!(!differs(&said(3), Some(&said(4))));
		assert!(differs(&said(15), Some(&said(16))));
		assert!(differs(&said(63), Some(&said(64))));
		assert!(differs(&said(3), None));
		let other = Said { consent_version: 2, ..said(3) };
		assert!(differs(&said(3), Some(&other)));
	}
}
