//! A node that restarts, refuses, forgets or changes, as its users see it.

#![allow(clippy::unwrap_used)]

mod support;

use aria_chain_client::{
	Advice, At, Call, Chain, ChainError, FinalizedBlock, Mismatch, Refusal, SubmitError,
};
use aria_primitives::AccountId;
use futures::StreamExt;
use sp_core::{sr25519, Pair as _};
use std::time::Duration;
use support::{error_of, Node, METADATA};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

/// More than anything here takes, and less than anybody would wait for.
const SOON: Duration = Duration::from_secs(20);

fn pair() -> sr25519::Pair {
	sr25519::Pair::from_seed(&[1; 32])
}

fn account() -> AccountId {
	AccountId::from(pair().public())
}

/// Waits until something holds.
async fn eventually(holds: impl Fn() -> bool) {
	timeout(SOON, async {
		while !holds() {
			sleep(Duration::from_millis(20)).await;
		}
	})
	.await
	.unwrap();
}

#[tokio::test]
async fn the_head_should_follow_the_chain() {
	let blocks = support::Chain::new(1);
	let node = Node::start(&blocks, None).await;
	let chain = Chain::connect(&node.url(), None).await.unwrap();
	assert_eq!(chain.genesis(), blocks.tip());
	assert_eq!(chain.consent(&account(), At::Best).await.unwrap(), None);
	assert_eq!(chain.unreachable_for(), None);

	blocks.produce();

	let mut head = chain.head();
	let tip = blocks.tip();
	timeout(SOON, head.wait_for(|head| head.best == (1, tip) && head.finalized == (1, tip)))
		.await
		.unwrap()
		.unwrap();
	node.stop().await;
}

#[tokio::test]
async fn a_node_that_restarts_should_be_ridden_out() {
	let blocks = support::Chain::new(1);
	let node = Node::start(&blocks, None).await;
	let chain = Chain::connect(&node.url(), None).await.unwrap();
	let address = node.stop().await;
	eventually(|| chain.unreachable_for().is_some()).await;

	// A call that is made while the node is away waits for it.
	let asked = account();
	let (consent, node) = tokio::join!(chain.consent(&asked, At::Best), async {
		sleep(Duration::from_millis(500)).await;
		Node::start(&blocks, Some(address)).await
	});

	assert_eq!(consent.unwrap(), None);
	assert_eq!(chain.unreachable_for(), None);
	node.stop().await;
}

#[tokio::test]
async fn another_chain_at_the_same_address_should_be_refused() {
	let blocks = support::Chain::new(1);
	let node = Node::start(&blocks, None).await;
	let chain = Chain::connect(&node.url(), None).await.unwrap();
	let address = node.stop().await;
	eventually(|| chain.unreachable_for().is_some()).await;

	let node = Node::start(&support::Chain::new(2), Some(address)).await;

	let error = chain.consent(&account(), At::Best).await.unwrap_err();
	assert!(matches!(error, ChainError::OtherChain { .. }), "{error}");
	node.stop().await;
}

#[tokio::test]
async fn a_runtime_that_does_not_fit_should_be_refused_by_name() {
	let blocks = support::Chain::new(1);
	let name = b"settle_batch";
	let mut metadata = METADATA.to_vec();
	for at in 0..metadata.len() - name.len() {
		if &metadata[at..at + name.len()] == name {
			metadata[at..at + name.len()].copy_from_slice(b"settle_botch");
		}
	}
	blocks.set_metadata(metadata);
	let node = Node::start(&blocks, None).await;

	let error = Chain::connect(&node.url(), None).await.unwrap_err();

	let ChainError::Incompatible { mismatch: Mismatch::Shape { items, .. }, .. } = &error else {
		panic!("{error}")
	};
	assert_eq!(items, &["call InferenceMarket.settle_batch"]);
	node.stop().await;
}

#[tokio::test]
async fn a_connection_should_end_with_its_token() {
	let blocks = support::Chain::new(1);
	let node = Node::start(&blocks, None).await;
	let stop = CancellationToken::new();
	let chain = Chain::connect(&node.url(), Some(stop.clone())).await.unwrap();
	let mut finalized = chain.follow_finalized(None);

	stop.cancel();

	assert_eq!(timeout(SOON, finalized.next()).await.unwrap(), None);
	timeout(SOON, async {
		while !matches!(chain.consent(&account(), At::Best).await, Err(ChainError::Closed)) {
			sleep(Duration::from_millis(20)).await;
		}
	})
	.await
	.unwrap();
	node.stop().await;
}

#[tokio::test]
async fn submissions_at_the_same_time_should_have_nonces_of_their_own() {
	let blocks = support::Chain::new(1);
	blocks.set_instant(false);
	let node = Node::start(&blocks, None).await;
	let chain = Chain::connect(&node.url(), None).await.unwrap();

	let pair = pair();
	let calls = (0..5).map(|_| chain.submit(&pair, Call::Drain));
	let (included, ()) = tokio::join!(futures::future::join_all(calls), async {
		eventually(|| blocks.nonces().len() == 5).await;
		blocks.produce();
	});

	assert!(included.iter().all(|one| one.as_ref().is_ok_and(|one| one.number == 1)));
	let mut nonces = blocks.nonces();
	nonces.sort_unstable();
	assert_eq!(nonces, [0, 1, 2, 3, 4]);

	// Nothing is under way any more: the chain's own count is what counts.
	blocks.set_instant(true);
	chain.submit_finalized(&pair, Call::Resume).await.unwrap();
	assert_eq!(blocks.nonces().last(), Some(&5));
	node.stop().await;
}

#[tokio::test]
async fn a_call_that_fails_should_say_so_by_name() {
	let blocks = support::Chain::new(1);
	blocks.set_failure(Some(error_of("InferenceMarket", "TicketReplayed")));
	let node = Node::start(&blocks, None).await;
	let chain = Chain::connect(&node.url(), None).await.unwrap();

	let error = chain.submit(&pair(), Call::Drain).await.unwrap_err();

	assert_eq!(error.name(), Some("InferenceMarket::TicketReplayed"));
	assert_eq!(error.advice(), Advice::Never);
	node.stop().await;
}

#[tokio::test]
async fn a_transaction_should_be_found_after_the_node_was_away() {
	let blocks = support::Chain::new(1);
	blocks.set_instant(false);
	let node = Node::start(&blocks, None).await;
	let chain = Chain::connect(&node.url(), None).await.unwrap();

	let pair = pair();
	let (included, node) = tokio::join!(chain.submit(&pair, Call::Drain), async {
		eventually(|| blocks.nonces().len() == 1).await;
		let address = node.stop().await;
		// Other nodes made the block.
		blocks.produce();
		Node::start(&blocks, Some(address)).await
	});

	let included = included.unwrap();
	assert_eq!((included.number, included.block), (1, blocks.tip()));
	assert_eq!(included.events, ["System::ExtrinsicSuccess"]);
	assert_eq!(blocks.nonces(), [0]);
	node.stop().await;
}

#[tokio::test]
async fn a_call_that_can_not_be_sent_should_not_be_sent() {
	let blocks = support::Chain::new(1);
	let node = Node::start(&blocks, None).await;
	let chain = Chain::connect(&node.url(), None).await.unwrap();

	let error = chain.submit(&pair(), Call::RegisterModel(vec![0; 100_000])).await.unwrap_err();

	assert!(matches!(error, SubmitError::BadCall(_)), "{error}");
	assert!(blocks.nonces().is_empty());
	assert!(!matches!(error, SubmitError::Refused { reason: Refusal::Other, .. }));
	node.stop().await;
}

#[tokio::test]
async fn final_blocks_should_come_one_after_the_other() {
	let blocks = support::Chain::new(1);
	blocks.produce();
	blocks.produce();
	let node = Node::start(&blocks, None).await;
	let chain = Chain::connect(&node.url(), None).await.unwrap();

	let mut finalized = chain.follow_finalized(Some(1));
	blocks.produce();

	for number in 1..=3 {
		let FinalizedBlock { number: found, records, .. } =
			timeout(SOON, finalized.next()).await.unwrap().unwrap();
		assert_eq!((found, records), (number, Some(Vec::new())));
	}
	node.stop().await;
}
