//! The sliding window that keeps a ticket from being used twice (`docs/protocol/ticket.md`).

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

const WORD_BITS: u64 = u64::BITS as u64;
const WORDS: usize = 16;

/// Nonces that a window remembers: the highest used one and the 1,023 below it.
pub const NONCE_WINDOW: u64 = WORD_BITS * WORDS as u64;

/// Why a nonce is refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NonceRefusal {
	/// It was used before.
	Replayed,
	/// It lies too far below the highest used one for the window to know.
	TooOld,
}

/// Which nonces of a key are used: the highest, and a bit for each of the
/// [`NONCE_WINDOW`] nonces that end there. Tickets may thus arrive in any order, and each once.
#[derive(
	Clone,
	Copy,
	PartialEq,
	Eq,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
	Debug,
	Default,
)]
pub struct NonceWindow {
	/// The highest used nonce; 0 in a fresh window, where no bit says that it is used.
	pub highest: u64,
	/// Bit `d` counted from the least bit of the first word is set if `highest - d` is used.
	pub bits: [u64; WORDS],
}

impl NonceWindow {
	/// Marks `nonce` as used, or says why it can't be.
	pub fn accept(&mut self, nonce: u64) -> Result<(), NonceRefusal> {
		let distance = match nonce.checked_sub(self.highest) {
			Some(ahead) => {
				self.advance(ahead);
				self.highest = nonce;
				0
			}
			None => self.highest.saturating_sub(nonce),
		};
		let word = usize::try_from(distance / WORD_BITS)
			.ok()
			.and_then(|index| self.bits.get_mut(index))
			.ok_or(NonceRefusal::TooOld)?;
		let bit = 1u64 << (distance % WORD_BITS);
		if *word & bit != 0 {
			return Err(NonceRefusal::Replayed);
		}
		*word |= bit;
		Ok(())
	}

	/// Whether [`Self::accept`] would take `nonce`.
	pub fn check(&self, nonce: u64) -> Result<(), NonceRefusal> {
		let mut copy = *self;
		copy.accept(nonce)
	}

	/// Moves every bit `by` places away from the highest nonce; what leaves the window is lost.
	fn advance(&mut self, by: u64) {
		let old = self.bits;
		let words = usize::try_from(by / WORD_BITS).unwrap_or(usize::MAX);
		let rest = by % WORD_BITS;
		for (index, word) in self.bits.iter_mut().enumerate() {
			let moved = index.checked_sub(words);
			let same = moved.and_then(|from| old.get(from)).copied().unwrap_or(0);
			let below = moved
				.and_then(|from| from.checked_sub(1))
				.and_then(|from| old.get(from))
				.copied()
				.unwrap_or(0);
			let carried = if rest == 0 { 0 } else { below >> (WORD_BITS - rest) };
			*word = (same << rest) | carried;
		}
	}
}
