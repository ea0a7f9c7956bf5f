//! Adverts between nodes, and from peers that lie.
#![allow(clippy::unwrap_used)]

mod support;

use aria_network::{
	wire::{advert::AdvertError, frame::FrameError},
	FetchError,
};
use codec::Encode;
use std::time::{Duration, Instant};
use support::{
	advert_of, eventually,
	hostile::{hostile, Answer, Hostile},
	layers, node, node_of, soon, Node, MODEL,
};

/// A node that is connected to a peer.
async fn asker(peer: &Hostile) -> Node {
	let asker = node(|config| {
		config.bootstrap = vec![peer.address.clone()];
		config.timing.advert = Duration::from_millis(500);
	});
	let handle = &asker.handle;
	eventually("connected", || async { !handle.connected_peers().is_empty() }).await;
	asker
}

fn framed(message: &impl Encode) -> Vec<u8> {
	let bytes = message.encode();
	let length = u32::try_from(bytes.len()).unwrap().to_le_bytes();
	[&length[..], &bytes].concat()
}

/// What a node says of a peer that gives these bytes as its advert.
async fn verdict(answer: impl FnOnce([u8; 32]) -> Answer) -> (FetchError, u64) {
	let peer = hostile(answer).await;
	let asker = asker(&peer).await;
	let error = soon("an answer", asker.handle.advert(peer.key)).await.unwrap_err();
	(error, asker.handle.metrics().adverts_refused)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_peers_should_exchange_adverts() {
	let one = node(|_| ());
	let address = one.tcp().await;
	let two = node(|config| config.bootstrap = vec![address]);
	one.publish(MODEL, layers(0, 4));
	two.publish(MODEL, layers(4, 8));
	let (here, there) = (&one.handle, &two.handle);
	eventually("connected", || async { there.connected_peers() == [one.key()] }).await;

	let of_one = soon("an advert", there.advert(one.key())).await.unwrap();
	let of_two = soon("an advert", here.advert(two.key())).await.unwrap();
	assert_eq!(of_one.advert.serves.to_vec(), [(MODEL, layers(0, 4))]);
	assert_eq!(of_two.advert.serves.to_vec(), [(MODEL, layers(4, 8))]);

	eventually("both", || async { there.adverts(MODEL).await.len() == 2 }).await;
	let mut all = there.adverts(MODEL).await;
	all.sort_by_key(|signed| signed.advert.serves[0].1);
	assert_eq!(all, [of_one, of_two]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_that_publishes_nothing_should_say_so() {
	let one = node(|_| ());
	let address = one.tcp().await;
	let two = node(|config| config.bootstrap = vec![address]);
	let handle = &two.handle;
	eventually("connected", || async { !handle.connected_peers().is_empty() }).await;

	assert!(matches!(handle.advert(one.key()).await, Err(FetchError::Nothing)));
	one.publish(MODEL, layers(0, 4));
	assert!(handle.advert(one.key()).await.is_ok());
	one.handle.unpublish();
	assert!(handle.advert(one.key()).await.is_ok(), "it was kept");
	assert!(matches!(handle.refresh(one.key()).await, Err(FetchError::Nothing)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_advert_that_others_would_refuse_should_not_be_published() {
	let node = node(|_| ());
	let advert = node.advert(MODEL, layers(0, 4), |advert| advert.peer = [9; 32]);
	assert_eq!(node.handle.publish(advert), Err(AdvertError::ForeignPeer));

	// The helper signs for the chain of the other tests.
	let other = node_of(sp_core::H256::repeat_byte(9), |_| ());
	let foreign = other.advert(MODEL, layers(0, 4), |_| ());
	assert_eq!(other.handle.publish(foreign), Err(AdvertError::BadSignature));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_expired_advert_should_be_refused() {
	let (error, refused) = verdict(|key| {
		let expired = advert_of(key, |advert| {
			advert.made_at -= 120_000;
			advert.expires_at -= 120_000;
		});
		Answer::Bytes(framed(&Some(expired)))
	})
	.await;

	assert!(matches!(error, FetchError::Refused(AdvertError::Expired)), "{error}");
	assert_eq!(refused, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_forged_advert_should_be_refused() {
	let (error, _) = verdict(|key| {
		let mut forged = advert_of(key, |_| ());
		forged.advert.capacity += 1;
		Answer::Bytes(framed(&Some(forged)))
	})
	.await;

	assert!(matches!(error, FetchError::Refused(AdvertError::BadSignature)), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_advert_of_another_peer_should_be_refused() {
	let other = advert_of([3; 32], |_| ());
	let (error, _) = verdict(|_| Answer::Bytes(framed(&Some(other)))).await;

	assert!(matches!(error, FetchError::Refused(AdvertError::ForeignPeer)), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn garbage_should_be_refused() {
	let (error, refused) = verdict(|_| Answer::Bytes(framed(&[0xffu8; 100]))).await;

	assert!(matches!(error, FetchError::Frame(FrameError::Malformed(_))), "{error}");
	assert_eq!(refused, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_endless_advert_should_not_be_read() {
	let (error, _) = verdict(|_| Answer::Stall(u32::MAX.to_le_bytes().to_vec())).await;

	assert!(matches!(error, FetchError::Frame(FrameError::TooLong { .. })), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_that_stalls_should_be_given_up_in_time() {
	let peer = hostile(|_| Answer::Stall(vec![100, 0, 0, 0, 1])).await;
	let asker = asker(&peer).await;
	let asked = Instant::now();
	let error = asker.handle.advert(peer.key).await.unwrap_err();

	assert!(matches!(error, FetchError::TimedOut), "{error}");
	assert!(asked.elapsed() < Duration::from_secs(5), "{:?}", asked.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_questions_should_be_limited_and_answered_again_later() {
	let one = node(|_| ());
	let address = one.tcp().await;
	let two = node(|config| config.bootstrap = vec![address]);
	one.publish(MODEL, layers(0, 4));
	let handle = &two.handle;
	eventually("connected", || async { !handle.connected_peers().is_empty() }).await;

	let flood = (0..200).map(|_| handle.refresh(one.key()));
	let answers = soon("all answers", futures::future::join_all(flood)).await;
	let answered = answers.iter().filter(|answer| answer.is_ok()).count();
	assert!(answered < 200, "{answered}");
	assert!(one.handle.metrics().streams_refused > 0);
	eventually("an answer", || async { handle.refresh(one.key()).await.is_ok() }).await;
}
