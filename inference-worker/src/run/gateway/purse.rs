//! What answers cost, and whether the client's key and escrow cover it and the stakes of gateway and workers
//! answer for it: what is under way counts.

use crate::{
	run::{payments::Paid, planner::Held},
	settle::{SettlementStore, StoreError},
};
use aria_chain_client::Constants;
use aria_gateway::Refused;
use aria_primitives::{
	price::Price, record::Payment, ticket::AuditMode, AccountId, Balance, Moment, RecordId, ARIA,
};
use sp_core::crypto::Ss58Codec;
use std::{
	collections::{BTreeSet, HashMap},
	sync::{Arc, Mutex, MutexGuard, PoisonError},
	time::Duration,
};

/// Milliseconds of the hour by which a key's cap is counted.
const HOUR: Moment = 3_600_000;
/// How often it is looked whether settlements of an earlier process are final.
const LOOK: Duration = Duration::from_secs(3);
/// After how many looks the money that they will take is counted no more: 15 minutes.
const LOOKS: usize = 300;
/// When to ask again where the gateway's stake answers for no more: records vest a bucket at a time.
const ROOM_RETRY: Duration = Duration::from_secs(60);
/// When to ask again where another answer took the room of these workers at the same moment: the next plan
/// counts it.
const SHARED_RETRY: Duration = Duration::from_secs(1);

/// Amounts that answers under way may cost.
#[derive(Default)]
pub struct Purse {
	reserved: Mutex<Reserved>,
}

#[derive(Default)]
struct Reserved {
	/// By key and by requester.
	accounts: HashMap<AccountId, Balance>,
	/// Of answers that may be audited, for which the gateway's stake answers.
	answers: Balance,
	/// By worker, of those of several stages, for which the stake of each worker answers.
	shared: Held,
}

/// Amounts that are kept for an answer; given back when dropped.
pub struct Reservation {
	purse: Arc<Purse>,
	key: AccountId,
	requester: AccountId,
	amount: Balance,
	auditable: bool,
	/// Workers whose stakes answer for it, and what of each is kept.
	shared: (Vec<AccountId>, Balance),
}

/// What an answer is to be paid with.
#[derive(Clone, Debug)]
pub struct Asked<'a> {
	/// The spending key.
	pub key: &'a AccountId,
	/// Whose escrow pays.
	pub requester: &'a AccountId,
	/// The gateway.
	pub gateway: &'a AccountId,
	/// Most that the answer may cost.
	pub price: Price,
	/// Whether it may be audited.
	pub auditable: bool,
	/// The workers of its stages, each with what answers of several stages may cost by its stake, in
	/// planck.
	pub stages: &'a [(AccountId, Balance)],
}

impl Asked<'_> {
	/// Most that it may cost, in planck.
	fn total(&self) -> Balance {
		self.price.total()
	}
}

impl Purse {
	/// Keeps the price of an answer, if key and escrow cover it and the stakes of gateway and workers
	/// answer for it beside all others under way.
	///
	/// # Errors
	/// What the client is told.
	pub fn reserve(
		self: &Arc<Self>,
		asked: &Asked<'_>,
		paid: &Paid,
	) -> Result<Reservation, Refused> {
		let mut reserved = self.lock();
		let of = |account: &AccountId| reserved.accounts.get(account).copied().unwrap_or(0);
		judge(asked, paid, of(asked.key), of(asked.requester))?;
		judge_room(asked, paid, reserved.answers)?;
		judge_shared(asked, &reserved.shared)?;
		let stages = asked.stages.iter().map(|(worker, _)| worker.clone()).collect();
		let shared = (sharing(stages, asked.auditable), asked.price.tokens);
		reserved.add([asked.key, asked.requester], asked.total(), asked.auditable);
		reserved.share(&shared);
		drop(reserved);
		Ok(self.reservation(asked.key, asked.requester, asked.total(), asked.auditable, shared))
	}

	/// What answers under way may cost for which the stakes of workers answer.
	pub fn held(&self) -> Held {
		self.lock().shared.clone()
	}

	/// Keeps an amount that is promised already, covered or not. `stages` are its workers.
	pub fn hold(
		self: &Arc<Self>,
		key: &AccountId,
		requester: &AccountId,
		amount: Balance,
		auditable: bool,
		stages: Vec<AccountId>,
	) -> Reservation {
		let shared = (sharing(stages, auditable), amount);
		let mut reserved = self.lock();
		reserved.add([key, requester], amount, auditable);
		reserved.share(&shared);
		drop(reserved);
		self.reservation(key, requester, amount, auditable, shared)
	}

	/// Keeps what the settlements that wait in `store` may take at most: those of an earlier process, of
	/// which nothing else here knows. [`release`] gives it back.
	///
	/// # Errors
	/// A failure of the store.
	pub fn take_up(
		self: &Arc<Self>,
		store: &SettlementStore,
	) -> Result<Vec<(RecordId, Reservation)>, StoreError> {
		let mut held = Vec::new();
		for (id, _) in store.states()? {
			// Settled meanwhile, or paid by a request, for which the chain keeps the money.
			let Some(settlement) = store.settlement(&id)? else { continue };
			let Payment::Ticket(signed) = &settlement.payment else { continue };
			let ticket = &signed.ticket;
			let auditable = ticket.audit_mode != AuditMode::None;
			let stages = settlement.body.stages.iter().map(|stage| stage.node.clone()).collect();
			let (key, requester) = (&ticket.key, &ticket.requester);
			let hold = self.hold(key, requester, ticket.max_price, auditable, stages);
			held.push((id, hold));
		}
		Ok(held)
	}

	fn reservation(
		self: &Arc<Self>,
		key: &AccountId,
		requester: &AccountId,
		amount: Balance,
		auditable: bool,
		shared: (Vec<AccountId>, Balance),
	) -> Reservation {
		let (key, requester) = (key.clone(), requester.clone());
		Reservation { purse: self.clone(), key, requester, amount, auditable, shared }
	}

	fn lock(&self) -> MutexGuard<'_, Reserved> {
		self.reserved.lock().unwrap_or_else(PoisonError::into_inner)
	}
}

impl Reserved {
	fn add(&mut self, accounts: [&AccountId; 2], amount: Balance, auditable: bool) {
		for account in accounts {
			let sum = self.accounts.entry(account.clone()).or_default();
			*sum = sum.saturating_add(amount);
		}
		if auditable {
			self.answers = self.answers.saturating_add(amount);
		}
	}

	fn release(&mut self, accounts: [&AccountId; 2], amount: Balance, auditable: bool) {
		for account in accounts {
			if let Some(sum) = self.accounts.get_mut(account) {
				*sum = sum.saturating_sub(amount);
				if *sum == 0 {
					self.accounts.remove(account);
				}
			}
		}
		if auditable {
			self.answers = self.answers.saturating_sub(amount);
		}
	}

	fn share(&mut self, (workers, amount): &(Vec<AccountId>, Balance)) {
		for worker in workers {
			let sum = self.shared.entry(worker.clone()).or_default();
			*sum = sum.saturating_add(*amount);
		}
	}

	fn unshare(&mut self, (workers, amount): &(Vec<AccountId>, Balance)) {
		for worker in workers {
			if let Some(sum) = self.shared.get_mut(worker) {
				*sum = sum.saturating_sub(*amount);
				if *sum == 0 {
					self.shared.remove(worker);
				}
			}
		}
	}
}

impl Reservation {
	/// Gives back all but `price`: the answer costs no more. These workers' stakes answer for it, some of
	/// which may have taken over stages of others.
	pub fn shrink_to(&mut self, price: &Price, stages: Vec<AccountId>) {
		let amount = self.amount.min(price.total());
		let less = self.amount.saturating_sub(amount);
		let shared = (sharing(stages, self.auditable), self.shared.1.min(price.tokens));
		let mut reserved = self.purse.lock();
		reserved.release([&self.key, &self.requester], less, self.auditable);
		reserved.unshare(&self.shared);
		reserved.share(&shared);
		drop(reserved);
		(self.amount, self.shared) = (amount, shared);
	}
}

impl Drop for Reservation {
	fn drop(&mut self) {
		let mut reserved = self.purse.lock();
		reserved.release([&self.key, &self.requester], self.amount, self.auditable);
		reserved.unshare(&self.shared);
	}
}

/// Whether the stake of each worker of an answer of so many stages answers for all of it.
fn is_shared(stages: usize, auditable: bool) -> bool {
	stages > 1 && auditable
}

/// The workers whose stakes each answer for all of an answer with these stages.
fn sharing(stages: Vec<AccountId>, auditable: bool) -> Vec<AccountId> {
	if is_shared(stages.len(), auditable) {
		stages
	} else {
		Vec::new()
	}
}

/// Gives back what [`Purse::take_up`] kept, each amount when its settlement waits no more, and all of them
/// after a while.
pub async fn release(store: Arc<SettlementStore>, mut held: Vec<(RecordId, Reservation)>) {
	for _ in 0..LOOKS {
		if held.is_empty() {
			return;
		}
		tokio::time::sleep(LOOK).await;
		// Tried again if the store can't be read now.
		let _ = retain_waiting(&store, &mut held);
	}
}

/// Drops what is held for settlements that wait no more.
fn retain_waiting(
	store: &SettlementStore,
	held: &mut Vec<(RecordId, Reservation)>,
) -> Result<(), StoreError> {
	let waiting: BTreeSet<RecordId> = store.states()?.into_iter().map(|(id, _)| id).collect();
	held.retain(|(id, _)| waiting.contains(id));
	Ok(())
}

/// Whether key and escrow cover the price beside `of_key` and `of_requester`, which are under way.
fn judge(
	asked: &Asked<'_>,
	paid: &Paid,
	of_key: Balance,
	of_requester: Balance,
) -> Result<(), Refused> {
	let price = asked.total();
	let Some(key) = &paid.key else {
		return Err(Refused::InsufficientFunds {
			message: format!(
				"the spending key {} of this API key is not registered on chain, or was revoked: {} \
				 registers it with InferenceMarket.register_key for the gateway {}",
				asked.key.to_ss58check(),
				asked.requester.to_ss58check(),
				asked.gateway.to_ss58check()
			),
		});
	};
	if key.requester != *asked.requester || key.gateway != *asked.gateway {
		return Err(Refused::InsufficientFunds {
			message:
				"the spending key of this API key is bound to another account or gateway: ask \
			          whoever gave you the API key"
					.to_owned(),
		});
	}
	if key.expiry <= paid.at {
		return Err(Refused::KeyExhausted {
			message: format!(
				"the spending key of this API key expired at block {}: extend it with \
				 InferenceMarket.update_key",
				key.expiry
			),
			retry_after: None,
		});
	}
	let left = key.allowance.saturating_sub(key.spent).saturating_sub(of_key);
	if price > left {
		return Err(Refused::KeyExhausted {
			message: format!(
				"this answer may cost {} ARIA, and {} are left of this key's allowance: ask for fewer \
				 tokens, or raise it with InferenceMarket.update_key",
				aria(price),
				aria(left)
			),
			retry_after: None,
		});
	}
	let in_hour = key.available(paid.time).saturating_sub(of_key);
	if price > in_hour {
		let rest = HOUR.saturating_sub(paid.time.checked_rem(HOUR).unwrap_or(0));
		return Err(Refused::KeyExhausted {
			message: format!(
				"this answer may cost {} ARIA, and {} are left of this key's cap for the hour",
				aria(price),
				aria(in_hour)
			),
			retry_after: Some(Duration::from_millis(rest)),
		});
	}
	let free = paid.escrow.saturating_sub(of_requester);
	if price > free {
		return Err(Refused::InsufficientFunds {
			message: format!(
				"this answer may cost {} ARIA, and the escrow of {} has {} free: add to it with \
				 InferenceMarket.deposit, or ask for fewer tokens",
				aria(price),
				asked.requester.to_ss58check(),
				aria(free)
			),
		});
	}
	Ok(())
}

/// Whether the gateway's stake answers for the price beside `answers`, which are under way: beyond that
/// the chain would leave it with the requester, and nobody would be paid.
fn judge_room(asked: &Asked<'_>, paid: &Paid, answers: Balance) -> Result<(), Refused> {
	let room = paid.room().saturating_sub(answers);
	if !asked.auditable || asked.total() <= room {
		return Ok(());
	}
	Err(Refused::Busy {
		message: format!(
			"this answer may cost {} ARIA, and the stake of this gateway answers for {} more until \
			 earlier answers have vested: ask again later, ask for fewer tokens, or ask another gateway",
			aria(asked.total()),
			aria(room)
		),
		retry_after: ROOM_RETRY,
	})
}

/// Whether the workers' stakes answer for the price beside what is `held` of them: the plan says so too, and
/// another answer may have been planned at the same moment.
fn judge_shared(asked: &Asked<'_>, held: &Held) -> Result<(), Refused> {
	if !is_shared(asked.stages.len(), asked.auditable) {
		return Ok(());
	}
	let price = asked.price.tokens;
	for (worker, room) in asked.stages {
		let room = room.saturating_sub(held.get(worker).copied().unwrap_or_default());
		if price > room {
			return Err(Refused::Busy {
				message: format!(
					"this answer may cost {} ARIA, and the stake of the worker {} answers for {} more \
					 until earlier answers have vested: ask again, or for fewer tokens; its operator can \
					 raise it (WorkerRegistry.bond_more)",
					aria(price),
					worker.to_ss58check(),
					aria(room)
				),
				retry_after: SHARED_RETRY,
			});
		}
	}
	Ok(())
}

/// Most that an answer may cost.
pub fn most(
	constants: &Constants,
	paid: &Paid,
	prompt: u32,
	output: u32,
	stages: u32,
) -> Option<Price> {
	let offer = paid.offer.as_ref()?;
	Some(constants.price(offer, prompt, 0, output, stages))
}

/// An amount for clients: ARIA, rounded up to a millionth.
fn aria(planck: Balance) -> String {
	let micro = planck.div_ceil(ARIA / 1_000_000);
	format!("{}.{:06}", micro / 1_000_000, micro % 1_000_000)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;
	use crate::{
		run::payments::testing::{account, paid},
		settle::{
			store::Change,
			testing::{settlement, GENESIS},
			Settled, State,
		},
	};

	fn asked<'a>(accounts: &'a [AccountId; 3], price: Balance) -> Asked<'a> {
		let [requester, key, gateway] = accounts;
		Asked { key, requester, gateway, price: tokens(price), auditable: true, stages: &[] }
	}

	fn tokens(tokens: Balance) -> Price {
		Price { tokens, bytes: 0 }
	}

	fn is_empty(purse: &Purse) -> bool {
		let reserved = purse.lock();
		reserved.accounts.is_empty() && reserved.answers == 0 && reserved.shared.is_empty()
	}

	fn accounts() -> [AccountId; 3] {
		[account(1), account(2), account(3)]
	}

	#[test]
	fn what_is_under_way_should_count() {
		let (purse, accounts) = (Arc::<Purse>::default(), accounts());
		let half = asked(&accounts, ARIA / 2);
		let mut first = purse.reserve(&half, &paid()).unwrap();
		let second = purse.reserve(&half, &paid()).unwrap();
		assert!(purse.reserve(&half, &paid()).is_err());
		first.shrink_to(&tokens(ARIA / 4), Vec::new());
		assert!(purse.reserve(&half, &paid()).is_err());
		drop(second);
		let third = purse.reserve(&half, &paid()).unwrap();
		drop((first, third));
		assert!(is_empty(&purse));
	}

	#[test]
	fn a_gateway_should_sell_no_more_than_its_stake_answers_for() {
		let (purse, accounts) = (Arc::<Purse>::default(), accounts());
		let half = asked(&accounts, ARIA / 2);
		let mut paid = paid();
		// Of 2 ARIA three quarters are not vested.
		paid.answered = 3 * ARIA / 2;
		let mut first = purse.reserve(&half, &paid).unwrap();
		let refused = purse.reserve(&asked(&accounts, ARIA / 8), &paid).err().unwrap();
		assert!(matches!(refused, Refused::Busy { .. }) && refused.to_string().contains("stake"));
		// What nobody may audit takes none of it, and none is left for it to take.
		let unchecked = Asked { auditable: false, ..asked(&accounts, ARIA / 8) };
		let second = purse.reserve(&unchecked, &paid).unwrap();
		first.shrink_to(&tokens(ARIA / 4), Vec::new());
		let third = purse.reserve(&asked(&accounts, ARIA / 4), &paid).unwrap();
		drop((first, second, third));
		assert!(is_empty(&purse));

		// A slash leaves it with less than is not vested.
		paid.gateway.as_mut().unwrap().stake = ARIA;
		assert!(purse.reserve(&half, &paid).is_err());
		paid.gateway = None;
		assert!(purse.reserve(&half, &paid).is_err());
	}

	#[test]
	fn answers_of_several_stages_should_take_of_each_workers_room() {
		let (purse, accounts) = (Arc::<Purse>::default(), accounts());
		let [one, other, third] = [7, 8, 9].map(account);
		let stages = [(one.clone(), ARIA), (other.clone(), ARIA / 4)];
		let asked = Asked { stages: &stages, ..asked(&accounts, ARIA / 8) };
		let held = |worker: &AccountId| purse.held().get(worker).copied();
		let mut first = purse.reserve(&asked, &paid()).unwrap();
		let second = purse.reserve(&asked, &paid()).unwrap();
		assert_eq!((held(&one), held(&other)), (Some(ARIA / 4), Some(ARIA / 4)));
		let refused = purse.reserve(&asked, &paid()).err().unwrap();
		assert!(
			matches!(refused, Refused::Busy { .. }) && refused.to_string().contains("bond_more")
		);
		// One stage, or nobody who checks: nobody answers for another.
		let alone =
			purse.reserve(&Asked { stages: &stages[1..], ..asked.clone() }, &paid()).unwrap();
		let unchecked =
			purse.reserve(&Asked { auditable: false, ..asked.clone() }, &paid()).unwrap();
		drop((alone, unchecked));

		// It cost less, and a third worker took over a stage.
		first.shrink_to(&tokens(ARIA / 16), vec![one.clone(), third.clone()]);
		assert_eq!((held(&one), held(&other)), (Some(3 * ARIA / 16), Some(ARIA / 8)));
		assert_eq!(held(&third), Some(ARIA / 16));
		let again = purse.reserve(&asked, &paid()).unwrap();
		drop((first, second, again));
		assert!(is_empty(&purse));
	}

	#[test]
	fn what_is_held_should_count_even_if_it_is_not_covered() {
		let (purse, accounts) = (Arc::<Purse>::default(), accounts());
		let [requester, key, _] = &accounts;
		let held = purse.hold(key, requester, 2 * ARIA, true, Vec::new());
		assert!(purse.reserve(&asked(&accounts, 1), &paid()).is_err());
		drop(held);
		assert!(is_empty(&purse));
		purse.reserve(&asked(&accounts, ARIA), &paid()).unwrap();
	}

	#[test]
	fn settlements_of_an_earlier_process_should_be_held_until_they_are_final() {
		let dir = tempfile::tempdir().unwrap();
		let path = dir.path().join("settlements.redb");
		let (one, other) = (settlement(1, &[1], 100), settlement(2, &[1, 2], 100));
		{
			let store = SettlementStore::open(&path, GENESIS).unwrap();
			for settlement in [&one, &other] {
				store.insert(settlement, &State::fresh(5, 0)).unwrap();
			}
		}

		let store = SettlementStore::open(&path, GENESIS).unwrap();
		let purse = Arc::<Purse>::default();
		let mut held = purse.take_up(&store).unwrap();
		let Payment::Ticket(signed) = &one.payment else { panic!("{one:?}") };
		let (key, requester) = (&signed.ticket.key, &signed.ticket.requester);
		let sum = |account: &AccountId| purse.lock().accounts.get(account).copied();
		// A planck each, and of several stages for each worker too.
		assert!(purse.held().values().eq(&[1, 1]));
		assert_eq!((sum(key), sum(requester)), (Some(2), Some(2)));

		retain_waiting(&store, &mut held).unwrap();
		assert_eq!(held.len(), 2);
		let settled = Change::Settle(Settled { at: 6, block: 7 });
		store.apply(&[(one.id, settled)]).unwrap();
		retain_waiting(&store, &mut held).unwrap();
		assert_eq!((held.len(), held[0].0), (1, other.id));
		assert_eq!(sum(key), Some(1));
		assert_eq!(purse.held().len(), 2);
		drop(held);
		assert!(is_empty(&purse));
	}

	#[test]
	fn each_bound_should_say_what_to_do() {
		let accounts = accounts();
		let asked = asked(&accounts, ARIA / 2);
		let of = |change: &dyn Fn(&mut Paid)| {
			let mut paid = paid();
			change(&mut paid);
			judge(&asked, &paid, 0, 0).unwrap_err()
		};
		let key = |change: fn(&mut aria_chain_client::SpendingKey)| {
			of(&move |paid: &mut Paid| change(paid.key.as_mut().unwrap()))
		};
		assert!(matches!(of(&|paid| paid.key = None), Refused::InsufficientFunds { .. }));
		assert!(matches!(of(&|paid| paid.escrow = 1), Refused::InsufficientFunds { .. }));
		assert!(matches!(
			key(|key| key.spent = ARIA),
			Refused::KeyExhausted { retry_after: None, .. }
		));
		assert!(matches!(
			key(|key| key.expiry = 1),
			Refused::KeyExhausted { retry_after: None, .. }
		));
		let hour = key(|key| key.hourly_cap = 1);
		assert!(matches!(hour, Refused::KeyExhausted { retry_after: Some(_), .. }));
		assert!(hour.to_string().contains("0.500000"), "{hour}");
	}
}
