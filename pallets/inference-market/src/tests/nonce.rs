//! The window against replays.

use crate::nonce::{NonceRefusal, NonceWindow, NONCE_WINDOW};
use proptest::prelude::*;
use std::collections::BTreeSet;

#[test]
fn accept_should_take_zero_once_when_the_window_is_fresh() {
	let mut window = NonceWindow::default();
	assert_eq!(window.accept(0), Ok(()));
	assert_eq!(window.accept(0), Err(NonceRefusal::Replayed));
}

#[test]
fn accept_should_take_nonces_in_any_order_when_they_are_near() {
	let mut window = NonceWindow::default();
	for nonce in [5, 3, 4, 70, 6, 69, 1] {
		assert_eq!(window.accept(nonce), Ok(()), "{nonce}");
	}
	for nonce in [5, 3, 4, 70, 6, 69, 1] {
		assert_eq!(window.check(nonce), Err(NonceRefusal::Replayed), "{nonce}");
	}
	assert_eq!(window.check(2), Ok(()));
	assert_eq!(window.highest, 70);
}

#[test]
fn accept_should_refuse_when_the_nonce_left_the_window() {
	let mut window = NonceWindow::default();
	assert_eq!(window.accept(5_000), Ok(()));
	assert_eq!(window.accept(5_000 - NONCE_WINDOW), Err(NonceRefusal::TooOld));
	assert_eq!(window.accept(5_000 - NONCE_WINDOW + 1), Ok(()));
	assert_eq!(window.accept(5_001), Ok(()));
	assert_eq!(window.accept(5_000 - NONCE_WINDOW + 1), Err(NonceRefusal::TooOld));
	assert_eq!(window.accept(5_000), Err(NonceRefusal::Replayed));
}

#[test]
fn accept_should_forget_everything_when_the_nonce_jumps_to_the_end() {
	let mut window = NonceWindow::default();
	assert_eq!(window.accept(7), Ok(()));
	assert_eq!(window.accept(u64::MAX), Ok(()));
	assert_eq!(window.bits.iter().map(|word| word.count_ones()).sum::<u32>(), 1);
	assert_eq!(window.accept(u64::MAX), Err(NonceRefusal::Replayed));
	assert_eq!(window.accept(7), Err(NonceRefusal::TooOld));
	assert_eq!(window.accept(u64::MAX - 1), Ok(()));
}

/// Steps that cross words, the window's edge, and the far end.
fn nonces() -> impl Strategy<Value = Vec<u64>> {
	let nonce = prop_oneof![
		6 => 0u64..200,
		6 => 900u64..1_200,
		4 => 1_000u64..5_000,
		1 => any::<u64>(),
		1 => (u64::MAX - 1_100)..=u64::MAX,
	];
	proptest::collection::vec(nonce, 1..300)
}

proptest! {
	#[test]
	fn accept_should_agree_with_a_set_when_any_nonces_come(nonces in nonces()) {
		let mut window = NonceWindow::default();
		let mut used = BTreeSet::new();
		for nonce in nonces {
			let highest = used.last().copied().unwrap_or(0);
			let expected = if nonce < highest && highest - nonce >= NONCE_WINDOW {
				Err(NonceRefusal::TooOld)
			} else if used.contains(&nonce) {
				Err(NonceRefusal::Replayed)
			} else {
				Ok(())
			};
			prop_assert_eq!(window.check(nonce), expected);
			prop_assert_eq!(window.accept(nonce), expected);
			if expected.is_ok() {
				used.insert(nonce);
			}
			prop_assert_eq!(window.highest, used.last().copied().unwrap_or(0));
		}
	}
}
