//! What pays for an order, as far as the chain tells at the block at hand.
//!
//! [`Payments::look_up`] reads it when an order comes in, before anybody has to decide; [`judge`] decides
//! by what was read, without waiting (`docs/protocol/ticket.md`, "When a ticket pays").

use aria_chain_client::{
	At, Chain, ChainError, Constants, GatewayState, GatewayView, SpendingKey, WorkerView,
};
use aria_network::wire::pipeline::Order;
use aria_primitives::{
	audit::AuditParams, record::Anchor, ticket::AuditMode, traits::Offer, AccountId, Balance,
	BlockNumber, ModelId, Moment,
};
use std::{
	collections::HashMap,
	sync::{Mutex, MutexGuard, PoisonError},
	time::Duration,
};

/// Payments that are remembered; beyond that the older ones are forgotten.
const MOST: usize = 4_096;
/// How long the chain may take before the order is refused.
const PATIENCE: Duration = Duration::from_secs(5);
/// Blocks that a ticket has to be good for at least: until a record is made and a block takes it.
const ROOM: BlockNumber = 5;
/// Oldest anchor that is taken, in parts of the chain's limit: a record still has to be settled.
const ANCHOR_PART: BlockNumber = 2;

/// Who pays whom for what.
#[derive(Clone, Copy, Debug)]
pub struct Who<'a> {
	/// Whose escrow pays.
	pub requester: &'a AccountId,
	/// The spending key.
	pub key: &'a AccountId,
	/// The gateway.
	pub gateway: &'a AccountId,
	/// The model.
	pub model: ModelId,
}

/// What a worker's stake leaves for a record of several stages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Room {
	/// The worker.
	pub worker: AccountId,
	/// What the record's tokens may cost, in planck; 0 if the chain does not know the worker.
	pub room: Balance,
}

/// A spending key, a gateway, a model.
type Key = (AccountId, AccountId, ModelId);

/// What the chain says of a payment.
#[derive(Clone, Debug, Default)]
pub struct Paid {
	/// The block.
	pub at: BlockNumber,
	/// The chain's clock.
	pub time: Moment,
	/// The spending key, if it is registered and not revoked.
	pub key: Option<SpendingKey>,
	/// What the requester's escrow has free, in planck.
	pub escrow: Balance,
	/// The gateway, if it is registered.
	pub gateway: Option<GatewayView>,
	/// What the gateway's records cost that are not vested, in planck.
	pub answered: Balance,
	/// What the gateway asks for the model's tokens.
	pub offer: Option<Offer>,
	/// Whether the order's anchor is a block of this chain; `None` where it was not asked.
	pub anchor: Option<(Anchor, bool)>,
	/// What the stakes of the order's workers leave, where they answer for each other's parts.
	pub rooms: Vec<Room>,
}

impl Paid {
	/// What further records of the gateway that may be audited can cost together, in planck: beyond that
	/// the chain leaves the price with the requester.
	pub fn room(&self) -> Balance {
		self.gateway.as_ref().map_or(0, |gateway| gateway.room(self.answered))
	}
}

/// Payments, as read at the best block.
pub struct Payments {
	chain: Chain,
	read: Mutex<HashMap<Key, Paid>>,
	/// By worker, as of which block.
	rooms: Mutex<HashMap<AccountId, (BlockNumber, Balance)>>,
}

impl Payments {
	/// Reads from `chain`.
	pub fn new(chain: Chain) -> Self {
		Self { chain, read: Mutex::default(), rooms: Mutex::default() }
	}

	/// Reads what pays for `order`, unless that is known at this block. A failure is for [`judge`] to
	/// see: nothing is remembered then.
	pub async fn look_up(&self, order: &Order) {
		let ticket = &order.ticket.ticket;
		let who = Who {
			requester: &ticket.requester,
			key: &ticket.key,
			gateway: &ticket.gateway,
			model: ticket.model_id,
		};
		let read = async {
			self.paid(who, Some(order.anchor)).await?;
			self.read_rooms(&shared(order)).await
		};
		match tokio::time::timeout(PATIENCE, read).await {
			Ok(Ok(())) => {}
			Ok(Err(error)) => {
				tracing::warn!(target: "aria::worker", %error, "what pays for an order can't be read");
			}
			Err(_) => tracing::warn!(target: "aria::worker", "the node takes too long to answer"),
		}
	}

	/// What the chain says at the best block, read if it is not known; of `anchor` too, where it is given.
	///
	/// # Errors
	/// Those of all reads.
	pub async fn paid(&self, who: Who<'_>, anchor: Option<Anchor>) -> Result<Paid, ChainError> {
		let best = self.chain.head().borrow().best;
		let key = (who.key.clone(), who.gateway.clone(), who.model);
		let known = self.lock().get(&key).filter(|paid| paid.at == best.0).cloned();
		let looked_at = |paid: &Paid, anchor: Anchor| {
			paid.anchor.is_some_and(|(looked_at, _)| looked_at == anchor)
		};
		let mut paid = match known {
			Some(paid) if anchor.is_none_or(|anchor| looked_at(&paid, anchor)) => return Ok(paid),
			Some(paid) => paid,
			None => self.read(who, best).await?,
		};
		if let Some(anchor) = anchor {
			let hash = self.chain.block_hash(anchor.number).await?;
			paid.anchor = Some((anchor, hash == Some(anchor.hash)));
		}
		self.remember(key, paid.clone());
		Ok(paid)
	}

	/// Reads what the stakes of these workers leave, as far as that is not known at the best block.
	async fn read_rooms(&self, workers: &[AccountId]) -> Result<(), ChainError> {
		let (number, hash) = self.chain.head().borrow().best;
		let is_known =
			|worker: &AccountId| self.lock_rooms().get(worker).is_some_and(|(at, _)| *at == number);
		let unknown: Vec<AccountId> =
			workers.iter().filter(|worker| !is_known(worker)).cloned().collect();
		if unknown.is_empty() {
			return Ok(());
		}
		let at = At::Block(hash);
		let (views, terms) =
			tokio::try_join!(self.chain.workers(&unknown, at), self.chain.epoch_terms(at))?;
		let numbers = terms.map(|terms| terms.params).unwrap_or_default();
		let mut rooms = self.lock_rooms();
		if rooms.len() >= MOST {
			rooms.clear();
		}
		for Room { worker, room } in rooms_of(unknown, &views, &numbers) {
			rooms.insert(worker, (number, room));
		}
		Ok(())
	}

	/// What was read for `order`, if it was read at this best block or the one before.
	pub fn current(&self, order: &Order) -> Option<Paid> {
		let best = self.chain.head().borrow().best.0;
		let is_current = |at: BlockNumber| at.saturating_add(1) >= best;
		let ticket = &order.ticket.ticket;
		let key = (ticket.key.clone(), ticket.gateway.clone(), ticket.model_id);
		let mut paid = self.lock().get(&key).filter(|paid| is_current(paid.at)).cloned()?;
		let rooms = self.lock_rooms();
		let room = |worker: AccountId| {
			let (at, room) = rooms.get(&worker).copied()?;
			is_current(at).then_some(Room { worker, room })
		};
		paid.rooms = shared(order).into_iter().map(room).collect::<Option<_>>()?;
		Some(paid)
	}

	/// The numbers that the runtime chose.
	pub fn constants(&self) -> Constants {
		self.chain.constants()
	}

	fn remember(&self, key: Key, paid: Paid) {
		let mut read = self.lock();
		if read.len() >= MOST {
			let newest = paid.at;
			read.retain(|_, paid| paid.at >= newest);
			if read.len() >= MOST {
				read.clear();
			}
		}
		read.insert(key, paid);
	}

	async fn read(
		&self,
		who: Who<'_>,
		best: (BlockNumber, sp_core::H256),
	) -> Result<Paid, ChainError> {
		let at = At::Block(best.1);
		let (key, escrow, gateway, answered, offer, time) = tokio::try_join!(
			self.chain.spending_key(who.key, at),
			self.chain.escrow(who.requester, at),
			self.chain.gateway(who.gateway, at),
			self.chain.answered(who.gateway, at),
			self.chain.offer(who.model, who.gateway, at),
			self.chain.timestamp(at),
		)?;
		let (held, reserved) = escrow;
		Ok(Paid {
			at: best.0,
			time,
			key,
			escrow: held.saturating_sub(reserved),
			gateway,
			answered,
			offer,
			anchor: None,
			rooms: Vec::new(),
		})
	}

	fn lock_rooms(&self) -> MutexGuard<'_, HashMap<AccountId, (BlockNumber, Balance)>> {
		self.rooms.lock().unwrap_or_else(PoisonError::into_inner)
	}

	fn lock(&self) -> MutexGuard<'_, HashMap<Key, Paid>> {
		self.read.lock().unwrap_or_else(PoisonError::into_inner)
	}
}

/// The workers of `order` whose stakes answer for all that it costs: nobody answers for another in an
/// answer of one stage, or in one that nobody may check.
fn shared(order: &Order) -> Vec<AccountId> {
	if order.stages.len() < 2 || order.ticket.ticket.audit_mode == AuditMode::None {
		return Vec::new();
	}
	order.stages.iter().map(|place| place.node.clone()).collect()
}

/// What the stakes of `workers` leave, of which the chain knows `views`.
fn rooms_of(workers: Vec<AccountId>, views: &[WorkerView], numbers: &AuditParams) -> Vec<Room> {
	let room = |worker: AccountId| {
		let view = views.iter().find(|view| view.account == worker);
		let room = view.map_or(0, |view| view.room().min(view.record_limit(numbers)));
		Room { worker, room }
	};
	workers.into_iter().map(room).collect()
}

/// Whether the ticket of `order` would pay a worker that asks for at least `minimum` planck a token of
/// the answer. That the ticket is signed, and is for this query, was checked before.
///
/// # Errors
/// The first reason why not, in words for the gateway.
pub fn judge(
	order: &Order,
	paid: &Paid,
	constants: &Constants,
	minimum: Balance,
) -> Result<(), String> {
	let refuse = |reason: &str| Err(reason.to_owned());
	let ticket = &order.ticket.ticket;
	let best = paid.at;
	// The gateway's node may be a few blocks ahead of ours.
	if order.anchor.number > best.saturating_add(ROOM) {
		return refuse("its anchor is not a block yet");
	}
	let oldest = match order.attempt {
		0 => constants.max_anchor_age / ANCHOR_PART,
		// An answer that runs: better settled late than broken off.
		_ => constants.max_anchor_age.saturating_sub(2 * ROOM),
	};
	if best.saturating_sub(order.anchor.number) > oldest {
		return refuse("its anchor is too old: take the last final block");
	}
	if paid.anchor.is_some_and(|(anchor, known)| anchor == order.anchor && !known)
		&& order.anchor.number <= best
	{
		return refuse("its anchor is on another fork");
	}
	if ticket.gateway != order.gateway {
		return refuse("the ticket is for another gateway");
	}
	match &paid.gateway {
		None => return refuse("the gateway is not registered on chain"),
		Some(GatewayView { state: GatewayState::Unbonding { until }, .. })
			if *until <= best.saturating_add(ROOM) =>
		{
			return refuse("the gateway's unbonding is over");
		}
		Some(gateway) if gateway.stake < constants.gateway_stake / 2 => {
			return refuse("the gateway lost too much of its stake for its records to be settled");
		}
		Some(_) => {}
	}
	let Some(key) = &paid.key else {
		return refuse("the spending key is not registered on chain, or was revoked");
	};
	if key.requester != ticket.requester || key.gateway != ticket.gateway {
		return refuse("the spending key is bound to another requester or gateway");
	}
	if key.expiry < best.saturating_add(ROOM) {
		return refuse("the spending key has expired");
	}
	if ticket.expiry < best.saturating_add(ROOM) {
		return refuse("the ticket has expired, or is about to");
	}
	if ticket.expiry.saturating_sub(best) > constants.max_ticket_lifetime {
		return refuse("the ticket is good for longer than the chain takes");
	}
	if !key.nonces.accepts(ticket.nonce) {
		return refuse("the ticket's nonce is used already");
	}
	let Some(offer) = &paid.offer else {
		return refuse("the gateway has no offer for this model");
	};
	if offer.output_price < minimum {
		return Err(format!(
			"the gateway's price of a token, {} planck, is below the worker's minimum of {minimum}",
			offer.output_price
		));
	}
	let stages = u32::try_from(order.stages.len()).unwrap_or(u32::MAX);
	let most = constants.price(offer, order.prompt_tokens, 0, order.max_tokens, stages);
	let price = most.total();
	if price > ticket.max_price {
		return Err(format!(
			"the answer may cost {price} planck and the ticket pays {} at most",
			ticket.max_price
		));
	}
	if price > key.available(paid.time) {
		return refuse(
			"the spending key's allowance, or its hourly cap, does not cover the answer",
		);
	}
	if price > paid.escrow {
		return refuse("the requester's escrow does not cover the answer");
	}
	// What nobody may check takes none of it.
	if price > paid.room() && ticket.audit_mode != AuditMode::None {
		return refuse(
			"the gateway's stake answers for no more until some of its records have vested",
		);
	}
	match paid.rooms.iter().min_by_key(|of| of.room) {
		Some(Room { worker, room }) if most.tokens > *room => {
			Err(too_little(order, worker, *room, most.tokens))
		}
		_ => Ok(()),
	}
}

/// That a worker's stake leaves too little: the chain would cut the pay of all stages to that.
fn too_little(order: &Order, worker: &AccountId, room: Balance, price: Balance) -> String {
	let mine = order.stages.get(usize::from(order.stage)).is_some_and(|mine| mine.node == *worker);
	let whose =
		if mine { "this worker's stake".to_owned() } else { format!("the stake of {worker}") };
	format!(
		"{whose} answers for {room} planck more in records of several stages until some have vested, and \
		 this one may cost {price}: all of its stages would be paid for as much less. Plan it without \
		 that worker, or ask for fewer tokens; more stake makes room (WorkerRegistry.bond_more)"
	)
}

/// An order that is paid, for tests.
#[cfg(test)]
pub(in crate::run) mod testing {
	use super::*;
	use aria_chain_client::NonceWindow;
	use aria_network::wire::{
		advert::Addresses,
		pipeline::{StagePlace, Stages},
	};
	use aria_primitives::{
		record::LayerRange,
		ticket::{SignedTicket, Ticket, TICKET_VERSION},
		Signature, ARIA,
	};
	use sp_core::{sr25519, H256};

	pub fn account(byte: u8) -> AccountId {
		AccountId::new([byte; 32])
	}

	pub fn order() -> Order {
		let ticket = Ticket {
			version: TICKET_VERSION,
			requester: account(1),
			key: account(2),
			gateway: account(3),
			model_id: H256::repeat_byte(4),
			query_hash: H256::repeat_byte(5),
			max_price: ARIA,
			nonce: 9,
			expiry: 300,
			audit_mode: AuditMode::Any,
		};
		let place = StagePlace {
			node: account(7),
			peer: [0; 32],
			addresses: Addresses::default(),
			layers: LayerRange { first: 0, end: 2 },
		};
		Order {
			session: [0; 16],
			attempt: 0,
			stage: 0,
			stages: Stages::truncate_from(vec![place]),
			gateway: account(3),
			model_id: H256::repeat_byte(4),
			query_hash: H256::repeat_byte(5),
			salt: [0; 32],
			prompt_tokens: 10,
			max_tokens: 100,
			query: None,
			drawn: Vec::new(),
			ticket: SignedTicket {
				ticket,
				signature: Signature::Sr25519(sr25519::Signature::default()),
			},
			anchor: Anchor { number: 95, hash: H256::repeat_byte(6) },
		}
	}

	pub fn paid() -> Paid {
		Paid {
			at: 100,
			time: 0,
			key: Some(SpendingKey {
				requester: account(1),
				gateway: account(3),
				allowance: ARIA,
				spent: 0,
				hourly_cap: ARIA,
				hour: 0,
				spent_in_hour: 0,
				expiry: 1_000,
				nonces: NonceWindow::default(),
				revoked: false,
			}),
			escrow: ARIA,
			gateway: Some(GatewayView {
				stake: 2 * ARIA,
				state: GatewayState::Active,
				registered_at: 1,
			}),
			answered: 0,
			offer: Some(Offer { prompt_price: 1, cached_price: 1, output_price: 1_000 }),
			anchor: Some((Anchor { number: 95, hash: H256::repeat_byte(6) }, true)),
			rooms: Vec::new(),
		}
	}

	pub fn constants() -> Constants {
		Constants {
			max_anchor_age: 100,
			max_ticket_lifetime: 600,
			byte_fee: 1,
			gateway_stake: ARIA,
			..Constants::default()
		}
	}
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::{testing::*, *};
	use aria_network::wire::pipeline::{StagePlace, Stages};
	use aria_primitives::{record::LayerRange, ARIA};

	fn judged(change: impl Fn(&mut Order, &mut Paid)) -> Result<(), String> {
		let (mut order, mut paid) = (order(), paid());
		change(&mut order, &mut paid);
		judge(&order, &paid, &constants(), 500)
	}

	#[test]
	fn a_good_ticket_should_be_taken() {
		assert_eq!(judged(|_, _| ()), Ok(()));
		// The gateway's node may be ahead.
		assert_eq!(judged(|order, _| order.anchor.number = 103), Ok(()));
	}

	#[test]
	fn whatever_the_chain_would_refuse_should_be_refused() {
		type Change = fn(&mut Order, &mut Paid);
		let cases: [(&str, Change); 18] = [
			("anchor", |order, _| order.anchor.number = 40),
			("anchor", |order, _| order.anchor.number = 200),
			("fork", |_, paid| paid.anchor.as_mut().unwrap().1 = false),
			("another gateway", |order, _| order.gateway = account(8)),
			("not registered", |_, paid| paid.gateway = None),
			("unbonding", |_, paid| {
				paid.gateway.as_mut().unwrap().state = GatewayState::Unbonding { until: 90 };
			}),
			("revoked", |_, paid| paid.key = None),
			("bound", |_, paid| paid.key.as_mut().unwrap().gateway = account(9)),
			("key has expired", |_, paid| paid.key.as_mut().unwrap().expiry = 100),
			("about to", |order, _| order.ticket.ticket.expiry = 101),
			("longer", |order, _| order.ticket.ticket.expiry = 900),
			("nonce", |_, paid| paid.key.as_mut().unwrap().nonces.highest = 5_000),
			("no offer", |_, paid| paid.offer = None),
			("minimum", |_, paid| paid.offer.as_mut().unwrap().output_price = 400),
			("allowance", |_, paid| paid.key.as_mut().unwrap().spent = ARIA),
			("escrow", |_, paid| paid.escrow = 10),
			("lost too much", |_, paid| paid.gateway.as_mut().unwrap().stake = ARIA / 2 - 1),
			("answers for no more", |_, paid| paid.answered = 2 * ARIA),
		];
		for (words, change) in cases {
			let error = judged(change).unwrap_err();
			assert!(error.contains(words), "{words}: {error}");
		}
		let dear = judged(|order, _| order.ticket.ticket.max_price = 10).unwrap_err();
		assert!(dear.contains("at most"), "{dear}");
	}

	fn of_two_stages(order: &mut Order) {
		let mut stages = order.stages.clone().into_inner();
		let other = StagePlace {
			node: account(8),
			layers: LayerRange { first: 2, end: 4 },
			..stages[0].clone()
		};
		stages.push(other);
		order.stages = Stages::truncate_from(stages);
	}

	#[test]
	fn a_stake_that_would_cut_the_pay_of_all_should_be_refused() {
		// 10 tokens of the prompt at 1 planck, 100 of the answer at 1,000.
		let price = 100_010;
		let with = |own, other| {
			judged(|order, paid| {
				of_two_stages(order);
				let rooms = [(account(7), own), (account(8), other)];
				paid.rooms = rooms.map(|(worker, room)| Room { worker, room }).into();
			})
		};
		assert_eq!(with(price, price), Ok(()));
		let own = with(price - 1, price).unwrap_err();
		assert!(own.contains("this worker's stake answers for 100009"), "{own}");
		let sibling = with(price, 0).unwrap_err();
		assert!(sibling.contains(&account(8).to_string()), "{sibling}");
		// All of it fits what a refusal can say.
		assert!(with(0, price).unwrap_err().len() <= 512 && sibling.len() <= 512);
	}

	#[test]
	fn each_stake_should_be_looked_at_where_it_answers_for_others() {
		let mut order = order();
		assert!(shared(&order).is_empty());
		of_two_stages(&mut order);
		assert_eq!(shared(&order), [account(7), account(8)]);
		order.ticket.ticket.audit_mode = AuditMode::None;
		assert!(shared(&order).is_empty());

		let snapshot = crate::run::live::testing::snapshot(|_| ());
		let view = WorkerView {
			account: account(7),
			stake: 10 * ARIA,
			shared: 9 * ARIA,
			..snapshot.worker.unwrap()
		};
		let rooms = rooms_of(vec![account(8), account(7)], &[view], &AuditParams::DEFAULT);
		// The chain does not know the first one.
		let expected = [(account(8), 0), (account(7), ARIA)];
		assert_eq!(rooms, expected.map(|(worker, room)| Room { worker, room }));
	}

	#[test]
	fn what_nobody_may_check_should_not_need_the_gateways_stake() {
		let unchecked = judged(|order, paid| {
			order.ticket.ticket.audit_mode = AuditMode::None;
			paid.answered = 2 * ARIA;
		});
		assert_eq!(unchecked, Ok(()));
	}
}
