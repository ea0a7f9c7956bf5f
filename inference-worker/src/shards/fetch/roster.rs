//! Which peers are worth asking.

use crate::shards::{name, PeerKey, LOG};
use std::collections::BTreeMap;
use tracing::{debug, warn};

/// How often a peer may fail without having lied before others are asked instead.
const PATIENCE: u32 = 2;
/// Peers that an error names.
const NAMED: usize = 8;

/// What became of the peers of one transfer.
#[derive(Default)]
pub(super) struct Roster {
	peers: BTreeMap<PeerKey, Standing>,
}

#[derive(Default)]
struct Standing {
	/// It sent what is not of the model; it is not asked again.
	lied: bool,
	failures: u32,
	last: String,
}

impl Roster {
	/// Whether to ask it.
	pub(super) fn may_ask(&self, peer: &PeerKey) -> bool {
		self.peers.get(peer).is_none_or(|peer| !peer.lied && peer.failures < PATIENCE)
	}

	/// It sent what is false: the transfer goes on without it.
	pub(super) fn ban(&mut self, peer: &PeerKey, reason: String) {
		warn!(target: LOG, peer = name(peer), reason, "a peer is dropped");
		let standing = self.peers.entry(*peer).or_default();
		(standing.lied, standing.last) = (true, reason);
	}

	/// It was not reached, broke off or took too long.
	pub(super) fn failed(&mut self, peer: &PeerKey, reason: String) {
		warn!(target: LOG, peer = name(peer), reason, "a peer fails");
		let standing = self.peers.entry(*peer).or_default();
		standing.failures = standing.failures.saturating_add(1);
		standing.last = reason;
	}

	/// It does not have what was asked for.
	pub(super) fn lacks(&mut self, peer: &PeerKey) {
		debug!(target: LOG, peer = name(peer), "a peer does not have it");
		self.peers.entry(*peer).or_default().last = "does not have it".to_owned();
	}

	/// Gives those another chance who have not lied.
	pub(super) fn forgive(&mut self) {
		self.peers.values_mut().for_each(|peer| peer.failures = 0);
	}

	/// What happened, for an error.
	pub(super) fn summary(&self) -> String {
		if self.peers.is_empty() {
			return "nobody says to have it".to_owned();
		}
		let shown = self.peers.iter().take(NAMED);
		let mut lines: Vec<String> =
			shown.map(|(peer, standing)| format!("{}: {}", name(peer), standing.last)).collect();
		if let Some(more) = self.peers.len().checked_sub(NAMED).filter(|more| *more > 0) {
			lines.push(format!("and {more} more"));
		}
		lines.join("; ")
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn who_lied_should_not_be_asked_again_and_who_failed_should() {
		let mut roster = Roster::default();
		assert_eq!(roster.summary(), "nobody says to have it");
		roster.ban(&[1; 32], "a false proof".to_owned());
		for _ in 0..PATIENCE {
			assert!(roster.may_ask(&[2; 32]));
			roster.failed(&[2; 32], "too late".to_owned());
		}
		roster.lacks(&[3; 32]);
		assert!(!roster.may_ask(&[1; 32]) && !roster.may_ask(&[2; 32]));
		assert!(roster.may_ask(&[3; 32]) && roster.may_ask(&[4; 32]));
		assert_eq!(
			roster.summary(),
			"010101010101: a false proof; 020202020202: too late; 030303030303: does not have it"
		);

		roster.forgive();
		assert!(!roster.may_ask(&[1; 32]) && roster.may_ask(&[2; 32]));
	}
}
