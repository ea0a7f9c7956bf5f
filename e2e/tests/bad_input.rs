//! Settlements that a real node refuses, directly, in a batch and through a proxy: each with the
//! error that is its own, and nothing changes but for the fee.
#![allow(clippy::unwrap_used)]

use aria_e2e::{
	client::{Client, Included},
	flow::{self, Inference, Network},
	keys,
	node::{Node, Options},
	state::Snapshot,
};
use aria_primitives::{
	record::{settlement_digest, LayerRange, Payment, Settlement},
	AccountId, ARIA,
};
use aria_runtime::{
	configs::ProxyType, parameters::SigningGrace, Address, Hash, Nonce, Runtime, RuntimeCall,
};
use sp_core::H256;

/// Pallets that write in every block, whatever it holds.
const BOOKKEEPING: [&str; 12] = [
	"System",
	"Timestamp",
	"Babe",
	"TransactionPayment",
	"Authorship",
	"ValidatorRegistry",
	"Scheduler",
	"Session",
	"Historical",
	"Grandpa",
	"Offences",
	"Mmr",
];
/// An answer of more than a hundred tokens, at whose price a settlement is free.
const ANSWER: &str =
	"Who asks pays, as soon as the record of the answer is settled; who settled it \
	pays nothing, and who computed it waits until it was drawn, or was not.";
/// How often a settlement is tried whose block also begins an epoch, which changes more.
const ATTEMPTS: usize = 3;

/// How a settlement gets to the chain.
#[derive(Clone, Copy, Debug)]
enum Way {
	Direct,
	Batch,
	BatchAll,
	Proxy,
}

struct Chain {
	client: Client,
	network: Network,
	_node: Node,
}

impl Chain {
	async fn new() -> Self {
		// Few empty blocks, so that no record's anchor grows old on a slow machine.
		let node = Node::start(Options::dev_with_idle(60_000)).await.unwrap();
		let client = Client::connect(&node.url()).await.unwrap();
		let network = flow::set_up(&client).await.unwrap();
		Self { client, network, _node: node }
	}

	async fn infer(&self, nonce: u64) -> Inference {
		self.network.infer(&self.client, "Who pays?", ANSWER, nonce).await.unwrap()
	}

	fn signed(&self, inference: &Inference) -> Settlement {
		inference.settlement(&self.client.genesis()).unwrap()
	}

	/// The stranger sends it.
	async fn send(&self, settlement: &Settlement, way: Way) -> Included {
		let call = flow::settle(settlement.clone());
		let call = match way {
			Way::Direct => call,
			Way::Batch => utility(pallet_utility::Call::batch { calls: vec![call] }),
			Way::BatchAll => utility(pallet_utility::Call::batch_all { calls: vec![call] }),
			Way::Proxy => RuntimeCall::Proxy(pallet_proxy::Call::proxy {
				real: Address::Id(keys::account(&keys::gateway())),
				force_proxy_type: Some(ProxyType::Gateway),
				call: Box::new(call),
			}),
		};
		self.client.submit(&keys::stranger(), call).await.unwrap()
	}

	/// The chain should refuse it with this error and keep only the fee.
	async fn should_refuse(&self, settlement: &Settlement, way: Way, error: &str) {
		let mut unexpected = Vec::new();
		for _ in 0..ATTEMPTS {
			let included = self.send(settlement, way).await;
			let refusal = included.outcome.clone().err().or_else(|| included.inner_failure());
			assert_eq!(refusal.as_deref(), Some(error), "{way:?}");
			unexpected = self.beyond_the_fee(&included).await;
			if unexpected.is_empty() {
				return;
			}
		}
		panic!("refused with {error} ({way:?}), but these changed: {unexpected:?}");
	}

	/// What a block with one transaction of the stranger changed besides its fee.
	async fn beyond_the_fee(&self, included: &Included) -> Vec<String> {
		let block = included.block;
		let parent = self.client.header(Some(block)).await.unwrap().parent_hash;
		let before = Snapshot::at(&self.client, parent).await.unwrap();
		let after = Snapshot::at(&self.client, block).await.unwrap();
		let payer = keys::account(&keys::stranger());
		let author = keys::account(&keys::owner());
		let (who, fee) = included.fee().unwrap();
		assert_eq!(who, payer);
		assert!(fee > 0, "a refused settlement has to cost its fee");

		let (was, is) = self.account(&payer, parent, block).await;
		let (author_was, author_is) = self.account(&author, parent, block).await;
		assert_eq!(is.0, was.0 + 1, "the payer's nonce");
		assert_eq!(is.1 + fee, was.1, "the payer's balance");
		assert_eq!(is.2, was.2, "what the payer has on hold");
		assert_eq!(author_is, (author_was.0, author_was.1 + fee, author_was.2), "the author");

		let accounts = [payer, author].map(frame_system::Account::<Runtime>::hashed_key_for);
		before
			.changes(&after)
			.into_iter()
			.filter(|change| match change.item.as_str() {
				"System.Account" => !accounts.contains(&change.key),
				// They count the block for its author and its era.
				"RewardDistributor.Authored" | "RewardDistributor.Eras" => false,
				_ => !BOOKKEEPING.contains(&change.pallet()),
			})
			.map(|change| change.item)
			.collect()
	}

	/// Nonce, free balance and what is on hold, before and after.
	async fn account(
		&self,
		account: &AccountId,
		before: Hash,
		after: Hash,
	) -> ((Nonce, u128, u128), (Nonce, u128, u128)) {
		let at = |block| async move {
			let info = self.client.account(account, Some(block)).await.unwrap();
			(info.nonce, info.data.free, info.data.reserved)
		};
		(at(before).await, at(after).await)
	}
}

fn utility(call: pallet_utility::Call<Runtime>) -> RuntimeCall {
	RuntimeCall::Utility(call)
}

/// The ticket within a settlement.
fn ticket(settlement: &mut Settlement) -> &mut aria_primitives::ticket::SignedTicket {
	match &mut settlement.payment {
		Payment::Ticket(ticket) => ticket,
		Payment::Request(_) => panic!("a request pays"),
	}
}

#[tokio::test]
async fn a_replay_should_be_refused_in_every_way() {
	let chain = Chain::new().await;
	let delegate = keys::account(&keys::stranger());
	let add = pallet_proxy::Call::<Runtime>::add_proxy {
		delegate: Address::Id(delegate),
		proxy_type: ProxyType::Gateway,
		delay: 0,
	};
	chain.client.submit(&keys::gateway(), add).await.unwrap().success().unwrap();
	let inference = chain.infer(7).await;
	let settlement = chain.signed(&inference);
	let settled = chain.send(&settlement, Way::Direct).await.success().unwrap();
	assert_eq!(settled.fee().map(|(_, fee)| fee), Some(0), "a settlement costs its sender nothing");
	// The list of a block's records is emptied in the next block.
	chain.client.finalized_after(settled.number).await.unwrap();

	let mut another = inference.clone();
	another.body.output_hash = H256::repeat_byte(1);
	let replay = chain.signed(&another);
	for way in [Way::Direct, Way::Batch, Way::BatchAll, Way::Proxy] {
		chain.should_refuse(&settlement, way, "InferenceMarket::AlreadySettled").await;
		chain.should_refuse(&replay, way, "InferenceMarket::TicketReplayed").await;
	}

	// The same ways take what is sound.
	for (nonce, way) in [(8, Way::Batch), (9, Way::Proxy)] {
		let settlement = chain.signed(&chain.infer(nonce).await);
		let included = chain.send(&settlement, way).await.success().unwrap();
		let record = flow::record(&chain.client, settlement.id, included.block).await.unwrap();
		assert!(record.is_some(), "{way:?}");
	}
}

#[tokio::test]
async fn unsound_settlements_should_be_refused_by_name() {
	let chain = Chain::new().await;
	let sound = chain.infer(1).await;
	let genesis = chain.client.genesis();
	let changed = |change: &dyn Fn(&mut Inference)| {
		let mut inference = sound.clone();
		change(&mut inference);
		chain.signed(&inference)
	};
	let tampered = |tamper: &dyn Fn(&mut Settlement)| {
		let mut settlement = chain.signed(&sound);
		tamper(&mut settlement);
		settlement
	};
	let stranger = keys::stranger();

	let cases = [
		("RecordIdMismatch", sound.settlement(&H256::repeat_byte(9)).unwrap()),
		("RecordIdMismatch", tampered(&|settlement| settlement.body.output_tokens += 1)),
		("UnknownRecordVersion", changed(&|inference| inference.body.version = 2)),
		(
			"BadStageSignature",
			tampered(&|settlement| {
				settlement.signatures[0] = Some(keys::sign(&stranger, &settlement.id));
			}),
		),
		("MissingSignature", tampered(&|settlement| settlement.signatures[1] = None)),
		(
			"SignatureCount",
			tampered(&|settlement| {
				settlement.signatures.pop();
			}),
		),
		(
			"LayersOverlap",
			changed(&|inference| {
				inference.body.stages[1].layers = LayerRange { first: 0, end: 2 };
			}),
		),
		(
			"LayersIncomplete",
			changed(&|inference| {
				inference.body.stages.pop();
				inference.body.boundaries.pop();
				inference.body.energy_mj = inference.body.stages[0].energy_mj;
			}),
		),
		(
			"EnergyZero",
			changed(&|inference| {
				inference.body.energy_mj -= inference.body.stages[0].energy_mj;
				inference.body.stages[0].energy_mj = 0;
			}),
		),
		("AnchorOnFork", changed(&|inference| inference.body.anchor.hash = H256::repeat_byte(3))),
		("TicketMismatch", {
			let mut other = sound.clone();
			other.ticket.nonce += 1;
			let other = chain.signed(&other);
			tampered(&|settlement| settlement.payment = other.payment.clone())
		}),
		(
			"TicketForAnotherQuery",
			changed(&|inference| inference.ticket.query_hash = H256::repeat_byte(4)),
		),
		("TicketExpired", changed(&|inference| inference.ticket.expiry = 1)),
		("TicketTooFarAhead", changed(&|inference| inference.ticket.expiry += 1_000_000)),
		(
			"UnknownKey",
			changed(&|inference| inference.ticket.key = keys::account(&keys::stranger())),
		),
		(
			"ForeignTicket",
			changed(&|inference| inference.ticket.requester = keys::account(&keys::owner())),
		),
		(
			"WrongGateway",
			changed(&|inference| inference.ticket.gateway = keys::account(&keys::owner())),
		),
		("PriceAboveTicket", changed(&|inference| inference.ticket.max_price = 1)),
		(
			"BadTicketSignature",
			tampered(&|settlement| {
				let hash = settlement.body.ticket_hash;
				ticket(settlement).signature = keys::sign(&stranger, &hash);
			}),
		),
		("BadGatewaySignature", {
			// Who saw the settlement in the pool takes its ticket for another answer.
			let mut theft = sound.clone();
			theft.body.output_hash = H256::repeat_byte(6);
			let theft = chain.signed(&theft);
			tampered(&|settlement| {
				let seen = settlement.gateway_signature.clone();
				*settlement = theft.clone();
				settlement.gateway_signature = seen;
			})
		}),
		(
			"BadGatewaySignature",
			tampered(&|settlement| {
				let digest = settlement_digest(&settlement.id, 0b11);
				settlement.gateway_signature = keys::sign(&stranger, &digest);
			}),
		),
	];
	for (error, settlement) in cases {
		let error = format!("InferenceMarket::{error}");
		chain.should_refuse(&settlement, Way::Direct, &error).await;
	}

	// Errors of other pallets come through.
	let unknown = changed(&|inference| {
		inference.body.model_id = H256::repeat_byte(5);
		inference.ticket.model_id = H256::repeat_byte(5);
	});
	chain.should_refuse(&unknown, Way::Direct, "ModelRegistry::UnknownModel").await;
	let version = changed(&|inference| inference.body.stages[0].consent_version = 9);
	chain.should_refuse(&version, Way::Batch, "ConsentRegistry::UnknownVersion").await;

	// By now the first stage may be missing, but only if the gateway says so.
	let grace = sound.body.anchor.number + SigningGrace::get();
	assert!(chain.client.best().await.unwrap().0 >= grace, "each case has made a block");
	let stripped = tampered(&|settlement| settlement.signatures[0] = None);
	chain.should_refuse(&stripped, Way::Direct, "InferenceMarket::BadGatewaySignature").await;

	// After all that, the sound one settles, and costs its requester what the record says.
	let settlement = sound.settlement(&genesis).unwrap();
	let included = chain.send(&settlement, Way::Direct).await.success().unwrap();
	let record = flow::record(&chain.client, settlement.id, included.block).await.unwrap().unwrap();
	assert!(record.price > 0 && record.price < ARIA);
}
