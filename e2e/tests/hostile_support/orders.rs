//! Orders that nobody pays for, and batches that nobody signed.

use super::{scene::Scene, Peer, Target};
use aria_e2e::{cluster::Cluster, keys};
use aria_network::wire::{
	frame,
	pipeline::{said, FromStage, Hello, Order, StagePlace, Text, MAX_CONTROL},
	BATCH_PROTOCOL, PIPELINE_PROTOCOL,
};
use aria_primitives::{
	query::{CanonicalQuery, Sampling, QUERY_VERSION},
	record::{Anchor, BatchEntry},
	ticket::{AuditMode, SignedTicket, Ticket, TICKET_VERSION},
	AccountId, Signature, ARIA,
};
use codec::Decode;
use std::time::Duration;
use tokio::time::timeout;

/// How long a worker may take to refuse.
const SOON: Duration = Duration::from_secs(15);
/// Most bytes of the answer to a batch.
const MAX_BATCH_ANSWER: usize = 1 << 10;

/// What is wrong with an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forgery {
	/// Its ticket is signed by a key that the chain does not know.
	UnknownKey,
	/// Nobody has signed its ticket.
	Unsigned,
	/// It is for another worker.
	OtherWorker,
	/// It names another query than it has.
	OtherQuery,
	/// Its anchor is no block.
	NoAnchor,
}

impl Forgery {
	/// All kinds.
	pub const ALL: [Self; 5] =
		[Self::UnknownKey, Self::Unsigned, Self::OtherWorker, Self::OtherQuery, Self::NoAnchor];
}

/// Orders for the first stage of a plan as the gateway would make it.
pub struct Forger {
	genesis: sp_core::H256,
	order: Order,
}

impl Forger {
	/// Knows everything that is public.
	pub async fn new(scene: &Scene) -> Self {
		let (number, hash) = scene.cluster.client.finalized().await.unwrap();
		let mut stages = Vec::new();
		for (index, layers) in scene.cluster.spec.layers.iter().enumerate().take(3) {
			let Target { key, addresses, .. } = scene.target(index).await;
			let node = Cluster::account(index);
			stages.push(StagePlace { node, peer: key, addresses, layers: *layers });
		}
		let query = CanonicalQuery {
			version: QUERY_VERSION,
			model_id: scene.cluster.model,
			prompt_tokens: vec![1, 2, 3].try_into().unwrap(),
			sampling: Sampling::GREEDY,
			max_tokens: 16,
			stop: Default::default(),
			salt: [5; 32],
		};
		let gateway = keys::account(&keys::gateway());
		let thief = keys::seeded("thief");
		let ticket = Ticket {
			version: TICKET_VERSION,
			requester: keys::account(&keys::requester()),
			key: keys::account(&thief),
			gateway: gateway.clone(),
			model_id: query.model_id,
			query_hash: query.hash(),
			max_price: ARIA,
			nonce: 1,
			expiry: number.saturating_add(100),
			audit_mode: AuditMode::Any,
		};
		let genesis = scene.genesis();
		let signature = keys::sign(&thief, &ticket.hash(&genesis));
		let order = Order {
			session: [0; 16],
			attempt: 0,
			stage: 0,
			stages: stages.try_into().unwrap(),
			gateway,
			model_id: query.model_id,
			query_hash: query.hash(),
			salt: query.salt,
			prompt_tokens: 3,
			max_tokens: query.max_tokens,
			query: Some(query),
			drawn: Vec::new(),
			ticket: SignedTicket { ticket, signature },
			anchor: Anchor { number, hash },
		};
		Self { genesis, order }
	}

	fn order(&self, forgery: Forgery, number: u64) -> Order {
		let mut order = self.order.clone();
		order.session[..8].copy_from_slice(&number.to_le_bytes());
		order.session[8] = forgery as u8;
		match forgery {
			Forgery::UnknownKey => {}
			Forgery::Unsigned => order.ticket.ticket.nonce += 1,
			Forgery::OtherWorker => order.stage = 1,
			Forgery::OtherQuery => order.query_hash = self.genesis,
			Forgery::NoAnchor => order.anchor.hash = self.genesis,
		}
		order
	}

	/// Sends one; what the worker says to it, if it says anything before it ends the stream.
	pub async fn send(
		&self,
		peer: &Peer,
		target: &Target,
		forgery: Forgery,
		number: u64,
	) -> Option<FromStage> {
		let mut stream = peer.open(target, PIPELINE_PROTOCOL).await.ok()?;
		let hello = Hello::Order(self.order(forgery, number));
		frame::write(&mut stream, &hello).await.ok()?;
		let answer = frame::read::<FromStage>(&mut stream, MAX_CONTROL);
		timeout(SOON, answer).await.expect("a worker answers an order, or ends the stream").ok()
	}
}

/// The answer to a batch (`docs/protocol/record.md`, "Batches").
#[derive(Decode)]
enum BatchAnswer {
	Signed(Signature),
	Refused(Text),
}

/// Asks a worker to sign a batch; why it does not.
pub async fn ask_batch(
	peer: &Peer,
	target: &Target,
	signers: Vec<AccountId>,
	entries: Vec<BatchEntry>,
) -> String {
	let mut stream = peer.open(target, BATCH_PROTOCOL).await.unwrap();
	frame::write(&mut stream, &(signers, entries)).await.unwrap();
	let answer = frame::read::<BatchAnswer>(&mut stream, MAX_BATCH_ANSWER);
	match timeout(SOON, answer).await.unwrap().unwrap() {
		BatchAnswer::Refused(reason) => said(&reason),
		BatchAnswer::Signed(signature) => panic!("it signs: {signature:?}"),
	}
}
