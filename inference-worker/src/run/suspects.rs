//! Workers that failed answers lately: the last to be asked again, until that is forgotten.

use crate::plan::Candidate;
use aria_primitives::AccountId;
use std::{
	collections::HashMap,
	sync::{Mutex, PoisonError},
	time::{Duration, Instant},
};

/// How long a worker comes last after its first failure; twice as long after each further one.
const FIRST: Duration = Duration::from_secs(10);
/// The longest time.
const MOST: Duration = Duration::from_secs(600);
/// After how long without a failure all are forgotten.
const FORGET: Duration = Duration::from_secs(3_600);
/// Workers that are remembered.
const MAX: usize = 1_024;
/// More than any round trip that was measured counts for.
const FAR: Duration = Duration::from_secs(60);

/// Who failed lately. The chain's reputation says the rest.
#[derive(Debug, Default)]
pub struct Suspects(Mutex<HashMap<AccountId, Suspect>>);

#[derive(Debug)]
struct Suspect {
	last: Instant,
	until: Instant,
	failures: u32,
}

impl Suspects {
	/// Notes that a worker failed an answer at `now`.
	pub fn note(&self, account: &AccountId, now: Instant) {
		let mut suspects = self.0.lock().unwrap_or_else(PoisonError::into_inner);
		suspects.retain(|_, suspect| now.saturating_duration_since(suspect.last) < FORGET);
		if suspects.len() >= MAX && !suspects.contains_key(account) {
			return;
		}
		let new = Suspect { last: now, until: now, failures: 0 };
		let suspect = suspects.entry(account.clone()).or_insert(new);
		suspect.last = now;
		suspect.until = now + (FIRST * 2u32.pow(suspect.failures.min(8))).min(MOST);
		suspect.failures = suspect.failures.saturating_add(1);
	}

	/// Makes these workers the last to be chosen: they still are where nobody else can.
	pub fn put_last(&self, candidates: &mut [Candidate], now: Instant) {
		let suspects = self.0.lock().unwrap_or_else(PoisonError::into_inner);
		for candidate in candidates {
			if suspects.get(&candidate.account).is_some_and(|suspect| suspect.until > now) {
				candidate.round_trip = Some(FAR);
				// Nor is it preferred for being new.
				candidate.records = u32::MAX;
			}
		}
	}
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;
	use crate::plan::tests::candidate as with_layers;

	fn candidate(account: u8) -> Candidate {
		with_layers(account, &[(0, 6)])
	}

	fn is_last(suspects: &Suspects, account: u8, now: Instant) -> bool {
		let mut candidates = [candidate(account)];
		suspects.put_last(&mut candidates, now);
		candidates[0].round_trip == Some(FAR) && candidates[0].records == u32::MAX
	}

	#[test]
	fn who_failed_should_come_last_for_a_while() {
		let (suspects, now) = (Suspects::default(), Instant::now());
		let account = candidate(1).account;
		suspects.note(&account, now);

		assert!(is_last(&suspects, 1, now) && !is_last(&suspects, 2, now));
		assert!(!is_last(&suspects, 1, now + FIRST));
	}

	#[test]
	fn who_fails_again_should_come_last_for_longer_and_not_for_ever() {
		let (suspects, now) = (Suspects::default(), Instant::now());
		let account = candidate(1).account;
		for _ in 0..40 {
			suspects.note(&account, now);
		}

		assert!(is_last(&suspects, 1, now + MOST - FIRST));
		assert!(!is_last(&suspects, 1, now + MOST));
		suspects.note(&account, now + FORGET);
		assert!(!is_last(&suspects, 1, now + FORGET + FIRST));
	}

	#[test]
	fn strangers_should_not_fill_the_memory() {
		let (suspects, now) = (Suspects::default(), Instant::now());
		for number in 0..(MAX as u32 + 10) {
			let mut bytes = [0; 32];
			bytes[..4].copy_from_slice(&number.to_le_bytes());
			suspects.note(&AccountId::new(bytes), now);
		}

		assert_eq!(suspects.0.lock().unwrap().len(), MAX);
	}
}
