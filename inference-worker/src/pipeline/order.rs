//! What an order has to be before a worker looks at whether it may take it.

use super::{answer, narrow, wide};
use aria_network::wire::pipeline::{text, Order, Refusal, StagePlace};
use aria_primitives::{
	query::{CanonicalQuery, Sampling},
	record::LayerRange,
	ticket::TICKET_VERSION,
	AccountId, ModelId,
};
use sp_core::H256;
use std::collections::BTreeSet;

/// What a worker knows of itself.
#[derive(Clone, Debug)]
pub(crate) struct Own {
	/// Its account.
	pub account: AccountId,
	/// The chain.
	pub genesis: H256,
	/// The model that it serves.
	pub model_id: ModelId,
	/// The layers of it that are here.
	pub layers: LayerRange,
	/// Layers of the whole model.
	pub all_layers: u16,
	/// Entries of the vocabulary.
	pub vocab: u32,
	/// Positions of the model.
	pub context: u32,
	/// Whether the tokenizer is here, without which the last stage can't know where an answer ends.
	pub tokenizer: bool,
}

/// A stage of an answer: an order that has passed [`check`], without what was only there to be
/// checked.
#[derive(Clone, Debug)]
pub(crate) struct Task {
	/// Which stage.
	pub stage: usize,
	/// How many there are.
	pub stages: usize,
	/// Tokens of the prompt; at least 1.
	pub prompt: u32,
	/// Most tokens of the answer; at least 1.
	pub limit: u32,
	/// How tokens are drawn; only the last stage is told.
	pub sampling: Sampling,
	/// Stop sequences; only the last stage is told.
	pub stops: Vec<String>,
}

impl Task {
	/// Whether the stage takes tokens.
	pub fn is_first(&self) -> bool {
		self.stage == 0
	}

	/// Whether the stage draws tokens.
	pub fn is_last(&self) -> bool {
		self.stage + 1 == self.stages
	}

	/// The stage that sends to this one, over the ring.
	pub fn previous(&self) -> usize {
		self.stage.checked_sub(1).unwrap_or(self.stages.saturating_sub(1))
	}

	/// The stage that this one sends to.
	pub fn next(&self) -> usize {
		(self.stage + 1) % self.stages.max(1)
	}

	/// Most positions that are worked on.
	pub fn capacity(&self) -> u32 {
		answer::worked_on(self.prompt, self.limit)
	}
}

fn malformed(words: impl AsRef<str>) -> Refusal {
	Refusal::Malformed(text(words))
}

fn unpaid(words: impl AsRef<str>) -> Refusal {
	Refusal::Payment(text(words))
}

/// Holds an order against itself, against the worker, and against its ticket.
pub(crate) fn check(order: &Order, own: &Own) -> Result<Task, Refusal> {
	check_stages(&order.stages, own.all_layers).map_err(malformed)?;
	let stage = usize::from(order.stage);
	let Some(place) = order.stages.get(stage) else {
		return Err(malformed("there is no such stage"));
	};
	if place.node != own.account {
		return Err(malformed("the stage is another worker's"));
	}
	let mut task = Task {
		stage,
		stages: order.stages.len(),
		prompt: order.prompt_tokens,
		limit: 0,
		sampling: Sampling::GREEDY,
		stops: Vec::new(),
	};
	let unserved = order.model_id != own.model_id
		|| place.layers != own.layers
		|| (task.is_last() && !own.tokenizer);
	if unserved {
		return Err(Refusal::NotServed);
	}
	task.limit = answer::limit(order.prompt_tokens, order.max_tokens, own.context)
		.filter(|limit| *limit > 0)
		.ok_or_else(|| malformed("prompt and answer do not fit the context"))?;
	match &order.query {
		Some(query) if task.is_first() || task.is_last() => {
			let checked = check_query(order, query, own)?;
			task.sampling = query.sampling;
			task.stops = checked.stops;
		}
		None if !task.is_first() && !task.is_last() => {}
		Some(_) => return Err(malformed("a stage in between gets no prompt")),
		None => return Err(malformed("the first and the last stage need the query")),
	}
	if order.drawn.len() > wide(task.limit) {
		return Err(malformed("more tokens were drawn than the answer may have"));
	}
	if order.drawn.iter().any(|token| *token >= own.vocab) {
		return Err(malformed("a token that was drawn is not in the vocabulary"));
	}
	check_ticket(order, own)?;
	Ok(task)
}

fn check_query(
	order: &Order,
	query: &CanonicalQuery,
	own: &Own,
) -> Result<answer::Checked, Refusal> {
	if query.model_id != order.model_id
		|| query.salt != order.salt
		|| query.max_tokens != order.max_tokens
		|| narrow(query.prompt_tokens.len()) != order.prompt_tokens
	{
		return Err(malformed("it does not say what its query says"));
	}
	let checked = answer::check(query, own.vocab, own.context).map_err(malformed)?;
	if query.hash() != order.query_hash {
		return Err(malformed("query_hash is not the query's"));
	}
	Ok(checked)
}

fn check_ticket(order: &Order, own: &Own) -> Result<(), Refusal> {
	let ticket = &order.ticket.ticket;
	if ticket.version != TICKET_VERSION {
		return Err(unpaid("the ticket has a version that is not known here"));
	}
	if ticket.model_id != order.model_id || ticket.query_hash != order.query_hash {
		return Err(unpaid("the ticket is for another query"));
	}
	if ticket.gateway != order.gateway {
		return Err(unpaid("the ticket is for another gateway"));
	}
	if !order.ticket.verify(&ticket.hash(&own.genesis)) {
		return Err(unpaid("the ticket is not signed by its key, or is of another chain"));
	}
	Ok(())
}

/// Whether `stages` are different workers whose layers follow each other from the first of the model
/// to the last.
pub(crate) fn check_stages(stages: &[StagePlace], all_layers: u16) -> Result<(), &'static str> {
	let end = check_order_of_layers(stages)?;
	if end != all_layers {
		return Err("the stages do not end with the model's last layer");
	}
	Ok(())
}

/// As [`check_stages`], where the number of layers is not known. Gives the last layer's end.
pub(crate) fn check_order_of_layers(stages: &[StagePlace]) -> Result<u16, &'static str> {
	let mut next = 0;
	let (mut nodes, mut peers) = (BTreeSet::new(), BTreeSet::new());
	for place in stages {
		if place.layers.first != next || place.layers.is_empty() {
			return Err("the stages leave layers out, or have some of them twice");
		}
		next = place.layers.end;
		if !nodes.insert(&place.node) || !peers.insert(place.peer) {
			return Err("a worker has two stages");
		}
	}
	if stages.is_empty() {
		return Err("there are no stages");
	}
	Ok(next)
}

/// Whether the stages of a replacement can follow `old` for the worker of `stage`.
pub(crate) fn check_replan(
	old: &[StagePlace],
	new: &[StagePlace],
	stage: usize,
	all_layers: u16,
) -> Result<(), &'static str> {
	check_stages(new, all_layers)?;
	let same_layers =
		old.len() == new.len() && old.iter().zip(new).all(|(old, new)| old.layers == new.layers);
	if !same_layers {
		return Err("the layers of a stage have changed");
	}
	let same_self = match (old.get(stage), new.get(stage)) {
		(Some(old), Some(new)) => old.node == new.node && old.peer == new.peer,
		_ => false,
	};
	if same_self {
		Ok(())
	} else {
		Err("the stage is another worker's")
	}
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;
	use aria_primitives::{
		query::QUERY_VERSION,
		record::Anchor,
		ticket::{AuditMode, SignedTicket, Ticket},
	};
	use sp_core::{sr25519, Pair};

	const VOCAB: u32 = 300;

	fn place(id: u8, first: u16, end: u16) -> StagePlace {
		StagePlace {
			node: AccountId::from([id; 32]),
			peer: [id; 32],
			addresses: Default::default(),
			layers: LayerRange { first, end },
		}
	}

	fn own(stage: u8) -> Own {
		Own {
			account: AccountId::from([stage; 32]),
			genesis: H256::repeat_byte(9),
			model_id: H256::repeat_byte(1),
			layers: LayerRange { first: u16::from(stage), end: u16::from(stage) + 1 },
			all_layers: 3,
			vocab: VOCAB,
			context: 64,
			tokenizer: true,
		}
	}

	fn sign(order: &mut Order) {
		let key = sr25519::Pair::from_seed(&[4; 32]);
		order.ticket.ticket.key = key.public().into();
		let hash = order.ticket.ticket.hash(&H256::repeat_byte(9));
		order.ticket.signature = key.sign(hash.as_bytes()).into();
	}

	fn order(stage: u16) -> Order {
		let query = CanonicalQuery {
			version: QUERY_VERSION,
			model_id: H256::repeat_byte(1),
			prompt_tokens: vec![1, 2, 3].try_into().unwrap(),
			sampling: Sampling::GREEDY,
			max_tokens: 8,
			stop: Default::default(),
			salt: [5; 32],
		};
		let gateway = AccountId::from([8; 32]);
		let mut order = Order {
			session: [0; 16],
			attempt: 0,
			stage,
			stages: vec![place(0, 0, 1), place(1, 1, 2), place(2, 2, 3)].try_into().unwrap(),
			gateway: gateway.clone(),
			model_id: query.model_id,
			query_hash: query.hash(),
			salt: query.salt,
			prompt_tokens: 3,
			max_tokens: 8,
			drawn: Vec::new(),
			ticket: SignedTicket {
				ticket: Ticket {
					version: TICKET_VERSION,
					requester: AccountId::from([7; 32]),
					key: AccountId::from([0; 32]),
					gateway,
					model_id: query.model_id,
					query_hash: query.hash(),
					max_price: 1,
					nonce: 1,
					expiry: 9,
					audit_mode: AuditMode::Any,
				},
				signature: sr25519::Pair::from_seed(&[4; 32]).sign(b"later").into(),
			},
			anchor: Anchor { number: 1, hash: H256::zero() },
			query: (stage != 1).then_some(query),
		};
		sign(&mut order);
		order
	}

	#[test]
	fn orders_should_become_tasks() {
		for stage in 0..3u8 {
			let task = check(&order(stage.into()), &own(stage)).unwrap();
			assert_eq!((task.stage, task.stages, task.limit), (stage.into(), 3, 8));
			assert_eq!(task.capacity(), 10);
			assert_eq!((task.is_first(), task.is_last()), (stage == 0, stage == 2));
			assert_eq!(task.next(), usize::from((stage + 1) % 3));
			assert_eq!(task.previous(), usize::from((stage + 2) % 3));
		}
	}

	#[test]
	fn orders_that_contradict_themselves_should_be_refused() {
		fn refused(stage: u8, change: impl Fn(&mut Order), part: &str) {
			let mut order = order(stage.into());
			change(&mut order);
			let refusal = check(&order, &own(stage)).unwrap_err();
			assert!(matches!(refusal, Refusal::Malformed(_)), "{refusal}");
			assert!(refusal.to_string().contains(part), "{refusal}");
		}
		refused(0, |order| order.stages = Default::default(), "no stages");
		refused(0, |order| order.stages[1].layers.first = 2, "leave layers out");
		refused(0, |order| order.stages[1].layers.end = 1, "leave layers out");
		refused(0, |order| order.stages[2].layers.end = 4, "last layer");
		refused(0, |order| order.stages[2].node = AccountId::from([1; 32]), "two stages");
		refused(0, |order| order.stages[2].peer = [1; 32], "two stages");
		refused(0, |order| order.stage = 3, "no such stage");
		refused(0, |order| order.stage = 1, "another worker's");
		refused(0, |order| order.prompt_tokens = 4, "does not say what its query says");
		refused(2, |order| order.max_tokens = 9, "does not say what its query says");
		refused(2, |order| order.salt = [6; 32], "does not say what its query says");
		refused(2, |order| order.query_hash = H256::zero(), "query_hash");
		refused(0, |order| order.query = None, "need the query");
		refused(1, |order| order.query = super::tests::order(0).query, "no prompt");
		refused(1, |order| order.prompt_tokens = 64, "do not fit");
		refused(1, |order| order.prompt_tokens = 0, "do not fit");
		refused(1, |order| order.max_tokens = 0, "do not fit");
		refused(0, |order| order.drawn = vec![1; 9], "more tokens");
		refused(0, |order| order.drawn = vec![VOCAB], "not in the vocabulary");
	}

	#[test]
	fn other_models_and_layers_should_not_be_served() {
		let mut other = own(0);
		other.model_id = H256::zero();
		assert_eq!(check(&order(0), &other).unwrap_err(), Refusal::NotServed);
		let mut other = own(0);
		other.layers.end = 2;
		assert_eq!(check(&order(0), &other).unwrap_err(), Refusal::NotServed);
		let mut mute = own(2);
		mute.tokenizer = false;
		assert_eq!(check(&order(2), &mute).unwrap_err(), Refusal::NotServed);
		mute.account = AccountId::from([0; 32]);
		mute.layers = LayerRange { first: 0, end: 1 };
		assert!(check(&order(0), &mute).is_ok());
	}

	#[test]
	fn tickets_that_do_not_pay_should_be_refused() {
		fn refused(change: impl Fn(&mut Order), sign_again: bool, part: &str) {
			let mut order = order(1);
			change(&mut order);
			if sign_again {
				sign(&mut order);
			}
			let refusal = check(&order, &own(1)).unwrap_err();
			assert!(matches!(refusal, Refusal::Payment(_)), "{refusal}");
			assert!(refusal.to_string().contains(part), "{refusal}");
		}
		refused(|order| order.ticket.ticket.version = 9, true, "version");
		refused(|order| order.ticket.ticket.query_hash = H256::zero(), true, "another query");
		refused(|order| order.ticket.ticket.model_id = H256::zero(), true, "another query");
		refused(
			|order| order.ticket.ticket.gateway = AccountId::from([3; 32]),
			true,
			"another gateway",
		);
		refused(|order| order.ticket.ticket.max_price = 2, false, "not signed");
	}

	#[test]
	fn replacements_should_change_others_only() {
		let old = [place(0, 0, 1), place(1, 1, 2), place(2, 2, 3)];
		let new = [place(0, 0, 1), place(5, 1, 2), place(2, 2, 3)];
		assert_eq!(check_replan(&old, &new, 0, 3), Ok(()));
		assert!(check_replan(&old, &new, 1, 3).is_err());
		assert!(check_replan(&old, &new[..2], 0, 3).is_err());
		let moved = [place(0, 0, 1), place(5, 1, 3)];
		assert!(check_replan(&old, &moved, 0, 3).is_err());
	}
}
