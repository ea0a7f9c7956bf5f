//! Lots (`docs/protocol/audit.md`, "Verifiers").

use crate::keys::{account, AccountSource};
use anyhow::Result;
use aria_primitives::{
	audit::{has_seat, prove_seat, seat_number, verify_seat, SeatProof},
	Balance, RecordId,
};
use sp_core::{sr25519, H256};
use std::path::Path;

/// A round of an audit, as its lots are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lots {
	/// The record.
	pub record: RecordId,
	/// The seed of the round.
	pub seed: H256,
	/// The round, from 0.
	pub round: u8,
	/// Seats that are expected.
	pub expected: u32,
	/// What all verifiers had at stake when the round began, as far as it counts, in planck.
	pub total: Balance,
	/// The hash of the verifiers that the requester named, who need no luck; `None` if anybody may audit.
	pub named: Option<H256>,
}

/// A lot that is a seat, with its proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seat {
	/// The VRF's output: the verifier's own trees stand behind it.
	pub output: [u8; 32],
	/// That it is the key's.
	pub proof: SeatProof,
}

/// The key for lots and hand-overs, kept beside the worker's; whether it was made just now.
///
/// # Errors
/// A file that can't be read or written.
pub fn key(path: &Path) -> Result<(sr25519::Pair, bool)> {
	let loaded = account::load(&AccountSource::Keystore, path)?;
	Ok((loaded.pair, loaded.new))
}

impl Lots {
	fn wins(&self, output: &[u8; 32], stake: Balance) -> bool {
		match self.named {
			Some(_) => stake > 0,
			None => has_seat(seat_number(output), self.expected, stake, self.total),
		}
	}

	/// The seat of `pair`, if it has one with `stake`.
	pub fn draw(&self, pair: &sr25519::Pair, stake: Balance) -> Option<Seat> {
		let (output, proof) = prove_seat(pair, &self.record, &self.seed, self.round);
		self.wins(&output, stake).then_some(Seat { output, proof })
	}

	/// Whether `proof` shows a seat of the verifier with this key and stake; its output.
	pub fn proves(
		&self,
		key: &sr25519::Public,
		stake: Balance,
		proof: &SeatProof,
	) -> Option<[u8; 32]> {
		let output = verify_seat(key, &self.record, &self.seed, self.round, proof)?;
		self.wins(&output, stake).then_some(output)
	}
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;
	use aria_primitives::ARIA;
	use sp_core::Pair;

	fn lots(byte: u8) -> Lots {
		Lots {
			record: H256::repeat_byte(byte),
			seed: H256::repeat_byte(9),
			round: 0,
			expected: 3,
			total: 30 * ARIA,
			named: None,
		}
	}

	#[test]
	fn seats_should_be_as_many_as_stake_says_and_prove_themselves() {
		let (pair, _) = sr25519::Pair::generate();
		let (other, _) = sr25519::Pair::generate();
		let mut seats = 0;
		for byte in 0..=255 {
			let lots = lots(byte);
			// A tenth of the stake and three seats: three in ten.
			let Some(seat) = lots.draw(&pair, 3 * ARIA) else { continue };
			seats += 1;
			assert_eq!(lots.proves(&pair.public(), 3 * ARIA, &seat.proof), Some(seat.output));
			assert_eq!(lots.proves(&other.public(), 3 * ARIA, &seat.proof), None);
			let next = Lots { round: 1, ..lots };
			assert_eq!(next.proves(&pair.public(), 3 * ARIA, &seat.proof), None);
			let mut broken = seat.proof;
			broken.proof[18] ^= 1;
			assert_eq!(lots.proves(&pair.public(), 3 * ARIA, &broken), None);
		}
		assert!((40..=120).contains(&seats), "{seats} seats of 256 rounds");
	}

	#[test]
	fn without_stake_there_should_be_no_seat_and_with_enough_always() {
		let (pair, _) = sr25519::Pair::generate();
		for byte in 0..40 {
			assert_eq!(lots(byte).draw(&pair, 0), None);
			assert!(lots(byte).draw(&pair, 10 * ARIA).is_some());
		}
	}

	#[test]
	fn keys_should_stay() {
		let dir = tempfile::tempdir().unwrap();
		let path = dir.path().join("keys/verifier");
		let (first, new) = key(&path).unwrap();
		let (second, again) = key(&path).unwrap();
		assert!(new && !again);
		assert_eq!(first.public(), second.public());
	}
}
