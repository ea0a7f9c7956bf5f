//! Uptime by challenge: what a worker signs to show that it is there, and how often it is asked
//! (`docs/protocol/uptime.md`).

use crate::{hashing::domain_hash, AccountId, BlockNumber};
use sp_core::H256;

/// Domain of what a peer signs to answer a challenge.
pub const UPTIME_DOMAIN: &[u8] = b"aria/uptime/v1";
/// Domain of the numbers that challenges are drawn by.
pub const DRAW_DOMAIN: &[u8] = b"aria/uptime/draw/v1";

/// The message that the peer of `worker` signs to answer the challenge of block `asked_at`, whose
/// hash is `block`. Nobody knows that hash before the block is made, and it differs on every branch.
pub fn answer_message(
	genesis: &H256,
	worker: &AccountId,
	asked_at: BlockNumber,
	block: &H256,
) -> H256 {
	domain_hash(UPTIME_DOMAIN, genesis, &(worker, asked_at, block))
}

/// How often workers are asked, and how long they have to answer. Root may change it; what lies
/// outside of its range counts as its nearest end ([`UptimeParams::clamped`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UptimeParams {
	/// Challenges of a worker in an era, on average: 0 to 360. With 0 nobody is asked.
	pub challenges: u32,
	/// Blocks to answer in, behind the one that asks: 100 to 600, so that no author can keep an answer
	/// out.
	pub window: BlockNumber,
}

impl UptimeParams {
	/// As a chain begins.
	pub const DEFAULT: Self = Self { challenges: 4, window: 100 };

	/// The nearest parameters within the ranges.
	pub fn clamped(self) -> Self {
		Self { challenges: self.challenges.min(360), window: self.window.clamp(100, 600) }
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::hashing::sha256;
	use codec::Encode;

	#[test]
	fn an_answer_should_be_for_one_chain_worker_and_block() {
		let (genesis, block) = (H256::repeat_byte(1), H256::repeat_byte(2));
		let worker = AccountId::new([3; 32]);
		let message = answer_message(&genesis, &worker, 77, &block);

		let mut bytes = b"aria/uptime/v1".to_vec();
		bytes.extend_from_slice(genesis.as_bytes());
		bytes.extend_from_slice(&[3; 32]);
		bytes.extend_from_slice(&77u32.encode());
		bytes.extend_from_slice(block.as_bytes());
		assert_eq!(message, sha256(&bytes));

		let other = AccountId::new([4; 32]);
		for different in [
			answer_message(&block, &worker, 77, &block),
			answer_message(&genesis, &other, 77, &block),
			answer_message(&genesis, &worker, 78, &block),
			answer_message(&genesis, &worker, 77, &genesis),
		] {
			assert_ne!(message, different);
		}
	}

	#[test]
	fn parameters_should_stay_in_their_ranges() {
		assert_eq!(UptimeParams::DEFAULT.clamped(), UptimeParams::DEFAULT);
		let clamped = |challenges, window| UptimeParams { challenges, window }.clamped();
		assert_eq!(clamped(0, 0), UptimeParams { challenges: 0, window: 100 });
		assert_eq!(clamped(361, 601), UptimeParams { challenges: 360, window: 600 });
	}
}
