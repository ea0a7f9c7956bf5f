//! What the chain keeps of workers, gateways, keys and accounts: structures of its pallets as this
//! crate reads them. Their bytes are checked against the committed metadata.

use aria_math::audit::{liability, record_limit, shared_limit, AuditParameters};
use aria_primitives::{
	audit::AuditParams, record::LayerRange, AccountId, Balance, BlockNumber, EraIndex, ModelId,
	Moment, Ppm,
};
use codec::{Decode, Encode};

/// Milliseconds of the hour by which a spending key's cap is counted.
const HOUR: Moment = 3_600_000;

/// Layers of a model that a worker holds and runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub struct Shard {
	/// The model.
	pub model: ModelId,
	/// The layers.
	pub layers: LayerRange,
}

/// Where a worker stands between coming and going.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub enum WorkerState {
	/// It takes work.
	Active,
	/// It finishes what began before `since` and takes nothing new.
	Draining {
		/// The block in which it stopped taking work.
		since: BlockNumber,
	},
	/// It finishes what began before `since`, and its stake unlocks at `until`.
	Unbonding {
		/// The block in which it stopped taking work, by draining.
		since: BlockNumber,
		/// The first block in which it may withdraw.
		until: BlockNumber,
	},
	/// It takes no work until it says that it is back: its machine sleeps, or it missed a challenge.
	Resting {
		/// The block in which it stopped taking work.
		since: BlockNumber,
	},
}

/// `WorkerRegistry.Challenges`: the chain asks a worker to show that it is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Challenge {
	/// The block that asks, whose hash has to be signed.
	pub asked_at: BlockNumber,
	/// The block at whose beginning it is too late.
	pub closes: BlockNumber,
}

/// What came of a worker's challenges in an era: a part of `WorkerRegistry.Attendances`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct EraTally {
	/// The era.
	pub era: EraIndex,
	/// Those that were answered.
	pub answered: u32,
	/// Those that were not.
	pub missed: u32,
	/// How often the worker said that it rests.
	pub rests: u32,
}

/// `WorkerRegistry.Workers`.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub(crate) struct WorkerInfo {
	pub peer: [u8; 32],
	pub region: u16,
	pub stake: Balance,
	pub state: WorkerState,
	/// As of `active_at`.
	pub reputation: Ppm,
	pub settled: u64,
	pub registered_at: BlockNumber,
	pub active_at: BlockNumber,
}

/// `WorkerRegistry.Served`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub(crate) struct Services {
	pub shards: Vec<Shard>,
	pub superseded: Option<(Vec<Shard>, BlockNumber)>,
}

/// A worker as the chain knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkerView {
	/// Its account.
	pub account: AccountId,
	/// The ed25519 public key of its libp2p identity.
	pub peer: [u8; 32],
	/// What it has on hold, in planck.
	pub stake: Balance,
	/// Its score in ppm, as of the block that was read.
	pub reputation: Ppm,
	/// Whether it takes work: it neither rests, drains nor unbonds. Its stake counts too, see
	/// [`crate::Constants::minimum_stake`].
	pub active: bool,
	/// Where it stands.
	pub state: WorkerState,
	/// UN M49 code of its region; 0 if it does not say.
	pub region: u16,
	/// What it serves, ordered by model and first layer.
	pub served: Vec<Shard>,
	/// Stages that were settled.
	pub settled: u64,
	/// The block in which it registered.
	pub registered_at: BlockNumber,
	/// The block of its last settled stage or, before the first, of its registration.
	pub active_at: BlockNumber,
	/// What the tokens of auditable records of several stages cost that are not vested and in which it
	/// took part, in planck.
	pub shared: Balance,
}

impl WorkerView {
	/// What the tokens of further records of several stages can cost together before some have
	/// vested, in planck, with this worker as one of their stages: beyond that the chain leaves the
	/// price of a record that may be audited with the requester, whoever else computed it
	/// (`docs/protocol/audit.md`, "Which records, at what price").
	pub fn room(&self) -> Balance {
		shared_limit(self.stake).saturating_sub(self.shared)
	}

	/// Most that the tokens of one record can cost, in planck, by what this worker would lose for a
	/// false one: beyond that the price stays with the requester too. `numbers` are the epoch's.
	pub fn record_limit(&self, numbers: &AuditParams) -> Balance {
		let numbers = AuditParameters {
			fail_slash_ppm: numbers.fail_slash,
			silence_slash: numbers.silence_slash,
			..AuditParameters::DEFAULT
		};
		record_limit(liability(self.stake, &numbers))
	}

	/// Whether it rests, and will be back.
	pub fn rests(&self) -> bool {
		matches!(self.state, WorkerState::Resting { .. })
	}

	/// Whether it leaves: it drains or unbonds.
	pub fn leaves(&self) -> bool {
		!self.active && !self.rests()
	}

	/// The layers of one model that it serves, ascending.
	pub fn layers_of(&self, model: &ModelId) -> Vec<LayerRange> {
		self.served.iter().filter(|shard| shard.model == *model).map(|shard| shard.layers).collect()
	}

	/// `shared` is in planck; `now` and `era_length` are in blocks.
	pub(crate) fn new(
		account: AccountId,
		info: WorkerInfo,
		services: Services,
		shared: Balance,
		now: BlockNumber,
		era_length: BlockNumber,
	) -> Self {
		let idle = now.saturating_sub(info.active_at).checked_div(era_length).unwrap_or_default();
		Self {
			account,
			peer: info.peer,
			stake: info.stake,
			reputation: aria_math::reputation::decay(info.reputation, idle),
			active: info.state == WorkerState::Active,
			state: info.state,
			region: info.region,
			served: services.shards,
			settled: info.settled,
			registered_at: info.registered_at,
			active_at: info.active_at,
			shared,
		}
	}
}

/// Whether a gateway stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub enum GatewayState {
	/// It takes keys and requests.
	Active,
	/// It takes no new ones; what it accepted is settled.
	Unbonding {
		/// The first block at which nothing more is settled.
		until: BlockNumber,
	},
}

/// A registered gateway.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct GatewayView {
	/// On hold, in planck.
	pub stake: Balance,
	/// Whether it stays.
	pub state: GatewayState,
	/// The block that registered it.
	pub registered_at: BlockNumber,
}

impl GatewayView {
	/// What further records that may be audited can cost together before some have vested, in planck,
	/// where those that are not vested cost `answered` (`docs/protocol/audit.md`).
	pub fn room(&self, answered: Balance) -> Balance {
		shared_limit(self.stake).saturating_sub(answered)
	}
}

/// Which nonces of a spending key are used (`docs/protocol/ticket.md`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct NonceWindow {
	/// The highest used nonce; 0 in a fresh window, where no bit says that it is used.
	pub highest: u64,
	/// Bit `d` counted from the least bit of the first word is set if `highest - d` is used.
	pub bits: [u64; 16],
}

impl NonceWindow {
	/// Whether a ticket with this nonce would be taken.
	pub fn accepts(&self, nonce: u64) -> bool {
		let Some(below) = self.highest.checked_sub(nonce) else { return true };
		let word = usize::try_from(below / 64).ok().and_then(|index| self.bits.get(index));
		word.is_some_and(|word| (word >> (below % 64)) & 1 == 0)
	}
}

/// A spending key: what the tickets that it signs may take, and what they took.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct SpendingKey {
	/// Whose escrow pays.
	pub requester: AccountId,
	/// The gateway that the key is bound to.
	pub gateway: AccountId,
	/// Most that may ever be taken, in planck.
	pub allowance: Balance,
	/// What was taken, in planck.
	pub spent: Balance,
	/// Most that may be taken within an hour of the chain's clock, in planck.
	pub hourly_cap: Balance,
	/// The hour that `spent_in_hour` counts: milliseconds since the Unix epoch / 3,600,000.
	pub hour: u64,
	/// What was taken within that hour, in planck.
	pub spent_in_hour: Balance,
	/// Last block at which the key pays.
	pub expiry: BlockNumber,
	/// Which nonces are used.
	pub nonces: NonceWindow,
	/// Whether the requester revoked it.
	pub revoked: bool,
}

impl SpendingKey {
	/// What the key may still take at time `now` of the chain's clock, in planck; the escrow behind
	/// it may hold less.
	pub fn available(&self, now: Moment) -> Balance {
		let in_hour = if self.hour == now / HOUR { self.spent_in_hour } else { 0 };
		let left = self.allowance.saturating_sub(self.spent);
		left.min(self.hourly_cap.saturating_sub(in_hour))
	}
}

/// `System.Account`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub(crate) struct AccountInfo {
	pub nonce: u32,
	pub consumers: u32,
	pub providers: u32,
	pub sufficients: u32,
	pub data: AccountData,
}

/// The balances of an account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub(crate) struct AccountData {
	pub free: Balance,
	pub reserved: Balance,
	pub frozen: Balance,
	pub flags: u128,
}

/// What an account has, in planck.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Funds {
	/// Not on hold.
	pub free: Balance,
	/// On hold: stakes, escrows, deposits.
	pub held: Balance,
	/// Of which part of both together must stay.
	pub frozen: Balance,
}

impl Funds {
	/// What can be sent away or put on hold while the account lives on.
	pub fn spendable(&self, existential_deposit: Balance) -> Balance {
		let locked = self.frozen.saturating_sub(self.held).max(existential_deposit);
		self.free.saturating_sub(locked)
	}
}

impl From<AccountInfo> for Funds {
	fn from(info: AccountInfo) -> Self {
		Self { free: info.data.free, held: info.data.reserved, frozen: info.data.frozen }
	}
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;
	use crate::fit::COMMITTED;
	use aria_primitives::ARIA;
	use sp_core::H256;
	use subxt::{
		ext::scale_value::{scale::decode_as_type, Composite, Value, ValueDef},
		Metadata,
	};

	/// The value as the committed metadata reads its bytes.
	fn read(pallet: &str, entry: &str, bytes: &[u8]) -> Value<u32> {
		let metadata = Metadata::decode_from(COMMITTED).unwrap();
		let storage = metadata.pallet_by_name(pallet).unwrap().storage().unwrap();
		let ty = storage.entry_by_name(entry).unwrap().value_ty();
		let mut bytes = bytes;
		let value = decode_as_type(&mut bytes, ty, metadata.types()).unwrap();
		assert!(bytes.is_empty(), "{pallet}.{entry} is shorter on the chain");
		value
	}

	fn names(value: &Value<u32>) -> Vec<String> {
		match &value.value {
			ValueDef::Composite(Composite::Named(fields)) => {
				fields.iter().map(|(name, _)| name.clone()).collect()
			}
			_ => Vec::new(),
		}
	}

	fn account(byte: u8) -> AccountId {
		AccountId::new([byte; 32])
	}

	#[test]
	fn workers_should_be_read_as_the_chain_writes_them() {
		let info = WorkerInfo {
			peer: [3; 32],
			region: 756,
			stake: 5,
			state: WorkerState::Unbonding { since: 1, until: 2 },
			reputation: 7,
			settled: 9,
			registered_at: 11,
			active_at: 13,
		};
		let value = read("WorkerRegistry", "Workers", &info.encode());
		assert_eq!(
			names(&value),
			[
				"peer",
				"region",
				"stake",
				"state",
				"reputation",
				"settled",
				"registered_at",
				"active_at"
			]
		);

		let shard = Shard { model: H256::zero(), layers: LayerRange { first: 1, end: 2 } };
		let services = Services { shards: vec![shard], superseded: Some((vec![shard], 4)) };
		let value = read("WorkerRegistry", "Served", &services.encode());
		assert_eq!(names(&value), ["shards", "superseded"]);

		let resting = WorkerInfo { state: WorkerState::Resting { since: 1 }, ..info };
		read("WorkerRegistry", "Workers", &resting.encode());
	}

	#[test]
	fn challenges_should_be_read_as_the_chain_writes_them() {
		let challenge = Challenge { asked_at: 1, closes: 2 };
		let value = read("WorkerRegistry", "Challenges", &challenge.encode());
		assert_eq!(names(&value), ["asked_at", "closes"]);

		let tally = EraTally { era: 1, answered: 2, missed: 3, rests: 4 };
		let bytes = vec![tally; 32].encode();
		let value = read("WorkerRegistry", "Attendances", &bytes);
		assert!(format!("{value:?}").contains("missed"), "{value:?}");
	}

	#[test]
	fn keys_and_gateways_should_be_read_as_the_chain_writes_them() {
		let value = read("InferenceMarket", "Keys", &key().encode());
		assert_eq!(
			names(&value),
			[
				"requester",
				"gateway",
				"allowance",
				"spent",
				"hourly_cap",
				"hour",
				"spent_in_hour",
				"expiry",
				"nonces",
				"revoked"
			]
		);

		let gateway =
			GatewayView { stake: 1, state: GatewayState::Unbonding { until: 3 }, registered_at: 2 };
		let value = read("InferenceMarket", "Gateways", &gateway.encode());
		assert_eq!(names(&value), ["stake", "state", "registered_at"]);
	}

	#[test]
	fn accounts_should_be_read_as_the_chain_writes_them() {
		let value = read("System", "Account", &AccountInfo::default().encode());

		assert_eq!(names(&value), ["nonce", "consumers", "providers", "sufficients", "data"]);
	}

	fn key() -> SpendingKey {
		SpendingKey {
			requester: account(1),
			gateway: account(2),
			allowance: 100,
			spent: 40,
			hourly_cap: 30,
			hour: 5,
			spent_in_hour: 20,
			expiry: 9,
			nonces: NonceWindow::default(),
			revoked: false,
		}
	}

	#[test]
	fn a_gateway_should_answer_for_what_its_stake_leaves() {
		let gateway = GatewayView { stake: 10, state: GatewayState::Active, registered_at: 2 };
		assert_eq!([0, 7, 10, 11].map(|answered| gateway.room(answered)), [10, 3, 0, 0]);
	}

	#[test]
	fn a_workers_stake_should_answer_for_what_is_not_vested_and_for_each_record() {
		let view = |stake, shared| {
			let info = WorkerInfo {
				peer: [0; 32],
				region: 0,
				stake,
				state: WorkerState::Active,
				reputation: 0,
				settled: 0,
				registered_at: 0,
				active_at: 0,
			};
			WorkerView::new(account(1), info, Services::default(), shared, 1, 10)
		};
		assert_eq!([0, 7, 10, 11].map(|shared| view(10, shared).room()), [10, 3, 0, 0]);

		// Three sevenths of what a false record costs: half of the stake, 10 ARIA at most.
		let numbers = AuditParams::DEFAULT;
		let limit = |stake| view(stake * ARIA, ARIA).record_limit(&numbers) / (ARIA / 1_000);
		assert_eq!([0, 1, 10, 20, 1_000].map(limit), [0, 214, 2_142, 4_285, 4_285]);
		let numbers = AuditParams { fail_slash: 100_000, ..numbers };
		assert_eq!(view(10 * ARIA, 0).record_limit(&numbers) / (ARIA / 1_000), 428);
	}

	#[test]
	fn a_key_should_have_what_allowance_and_hour_leave() {
		assert_eq!(key().available(5 * HOUR), 10);
		assert_eq!(key().available(6 * HOUR), 30);
		assert_eq!(SpendingKey { spent: 95, ..key() }.available(6 * HOUR), 5);
		assert_eq!(SpendingKey { spent: 200, ..key() }.available(6 * HOUR), 0);
	}

	#[test]
	fn a_nonce_should_be_taken_once() {
		let mut window = NonceWindow::default();
		assert!(window.accepts(0) && window.accepts(u64::MAX));

		window.highest = 2_000;
		window.bits[0] = 0b101;
		assert!(!window.accepts(2_000));
		assert!(window.accepts(1_999));
		assert!(!window.accepts(1_998));
		assert!(window.accepts(977));
		assert!(!window.accepts(976));
		assert!(window.accepts(2_001));
	}

	#[test]
	fn held_money_should_count_towards_what_is_frozen() {
		let funds = Funds { free: 100, held: 50, frozen: 70 };

		assert_eq!(funds.spendable(1), 80);
		assert_eq!(Funds { frozen: 0, ..funds }.spendable(1), 99);
	}

	#[test]
	fn a_worker_should_lose_reputation_while_it_is_idle() {
		let info = WorkerInfo {
			peer: [0; 32],
			region: 0,
			stake: 0,
			state: WorkerState::Active,
			reputation: 500_000,
			settled: 1,
			registered_at: 0,
			active_at: 100,
		};
		let at = |now| {
			WorkerView::new(account(1), info.clone(), Services::default(), 0, now, 10).reputation
		};

		assert_eq!(at(100), 500_000);
		assert!(at(100_000) < 500_000);
	}
}
