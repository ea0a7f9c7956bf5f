use super::*;
use crate::mock::{build_and_execute, ALICE, BOB, MINIMUM};
use frame_support::assert_noop;

#[test]
fn rotate_peer_should_bind_the_new_key_and_free_the_old_one() {
	build_and_execute(|| {
		register(&ALICE, 1, MINIMUM);
		assert_ok!(WorkerRegistry::rotate_peer(signed(&ALICE), peer(2), binding(2, &ALICE)));

		assert_eq!(WorkerRegistry::peer_of(&ALICE), Some(peer(2)));
		assert_eq!(WorkerRegistry::worker_by_peer(peer(1)), None);
		assert_last(Event::PeerRotated { worker: ALICE, old: peer(1), new: peer(2) });
		register(&BOB, 1, MINIMUM);
	});
}

#[test]
fn rotate_peer_should_fail_when_a_worker_has_the_key() {
	build_and_execute(|| {
		register(&ALICE, 1, MINIMUM);
		register(&BOB, 2, MINIMUM);
		for seed in [1, 2] {
			assert_noop!(
				WorkerRegistry::rotate_peer(signed(&ALICE), peer(seed), binding(seed, &ALICE)),
				Error::PeerTaken
			);
		}
	});
}

#[test]
fn rotate_peer_should_fail_when_the_signature_is_of_the_old_key() {
	build_and_execute(|| {
		register(&ALICE, 1, MINIMUM);
		assert_noop!(
			WorkerRegistry::rotate_peer(signed(&ALICE), peer(2), binding(1, &ALICE)),
			Error::BadPeerSignature
		);
	});
}

#[test]
fn rotate_peer_should_fail_when_not_registered() {
	build_and_execute(|| {
		assert_noop!(
			WorkerRegistry::rotate_peer(signed(&ALICE), peer(2), binding(2, &ALICE)),
			Error::NotRegistered
		);
	});
}
