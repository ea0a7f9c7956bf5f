//! A maker of canaries against a chain and a gateway that tests move.
#![allow(clippy::unwrap_used)]

use super::{
	ledger::{CanaryLedger, Fate, Forge, Funds, Made, Seen, View},
	maker::{Maker, MakerParts},
	store::CanaryStore,
	Accounts, Orders,
};
use crate::{
	audit::{kept::Kept, ledger::LedgerError},
	settle::testing::{account, pair, settlement, GENESIS},
};
use aria_chain_client::audit::CanaryLots;
use aria_primitives::{
	audit::{canary_hash, verify_canary, Handover, Named, SeatProof},
	query::{CanonicalQuery, Sampling, QUERY_VERSION},
	record::Settlement,
	AccountId, RecordId, ARIA,
};
use futures::future::BoxFuture;
use sp_core::{sr25519, Pair, H256};
use std::{
	path::Path,
	sync::{atomic::Ordering, Arc, Mutex},
};

const EPOCH: u64 = 5;
const SEED: H256 = H256([9; 32]);
/// Who makes canaries, and has the first of two stages.
const MAKER: u8 = 1;

struct Chain {
	view: View,
	funds: Funds,
	commitment: Seen,
	fate: Fate,
	committed: Vec<(AccountId, H256)>,
	revealed: Vec<(AccountId, RecordId, u16, H256, SeatProof)>,
	withdrawn: usize,
	settled: Vec<RecordId>,
	made: u32,
	/// Whether no commitment is taken, for good.
	refuses: bool,
}

struct World(Mutex<Chain>);

impl World {
	fn new() -> Arc<Self> {
		let lots = CanaryLots { epoch: EPOCH, seed: SEED, audits: 1_000, total: 20 * ARIA };
		let view = View {
			best: 1_000,
			epoch: EPOCH,
			slots_left: 40,
			lots,
			rate: 10,
			bond: ARIA / 2,
			stake: 10 * ARIA,
			used: None,
		};
		Arc::new(Self(Mutex::new(Chain {
			view,
			funds: Funds { free: 5 * ARIA, escrow: 0 },
			commitment: Seen::Absent,
			fate: Fate::Unsettled,
			committed: Vec::new(),
			revealed: Vec::new(),
			withdrawn: 0,
			settled: Vec::new(),
			made: 0,
			refuses: false,
		})))
	}

	fn with<T>(&self, work: impl FnOnce(&mut Chain) -> T) -> T {
		work(&mut self.0.lock().unwrap())
	}
}

fn by(pair: &sr25519::Pair) -> AccountId {
	pair.public().into()
}

impl CanaryLedger for World {
	fn genesis(&self) -> H256 {
		GENESIS
	}

	fn next_block(&self) -> BoxFuture<'_, ()> {
		Box::pin(async move {})
	}

	fn view(&self) -> BoxFuture<'_, Result<Option<View>, LedgerError>> {
		Box::pin(async move { Ok(Some(self.with(|chain| chain.view))) })
	}

	fn funds<'a>(&'a self, _: &'a AccountId) -> BoxFuture<'a, Result<Funds, LedgerError>> {
		Box::pin(async move { Ok(self.with(|chain| chain.funds)) })
	}

	fn commitment(&self, _: H256, right: u64) -> BoxFuture<'_, Result<Seen, LedgerError>> {
		assert_eq!(right, EPOCH);
		Box::pin(async move { Ok(self.with(|chain| chain.commitment)) })
	}

	fn fate(&self, _: RecordId) -> BoxFuture<'_, Result<Fate, LedgerError>> {
		Box::pin(async move { Ok(self.with(|chain| chain.fate)) })
	}

	fn commit<'a>(
		&'a self,
		pair: &'a sr25519::Pair,
		hash: H256,
	) -> BoxFuture<'a, Result<(), LedgerError>> {
		Box::pin(async move {
			self.with(|chain| {
				chain.committed.push((by(pair), hash));
				if chain.refuses {
					return Err(LedgerError::Never("Verification::TooManyCanaries".to_owned()));
				}
				chain.commitment = Seen::Fresh;
				Ok(())
			})
		})
	}

	fn reveal<'a>(
		&'a self,
		pair: &'a sr25519::Pair,
		id: RecordId,
		stage: u16,
		nonce: H256,
		proof: SeatProof,
	) -> BoxFuture<'a, Result<(), LedgerError>> {
		Box::pin(async move {
			self.with(|chain| {
				chain.revealed.push((by(pair), id, stage, nonce, proof));
				(chain.commitment, chain.fate) = (Seen::Absent, Fate::HeldBack { shown: true });
			});
			Ok(())
		})
	}

	fn withdraw<'a>(
		&'a self,
		_: &'a sr25519::Pair,
		_: RecordId,
		_: u16,
		_: H256,
	) -> BoxFuture<'a, Result<(), LedgerError>> {
		Box::pin(async move {
			self.with(|chain| {
				chain.withdrawn += 1;
				chain.commitment = Seen::Absent;
			});
			Ok(())
		})
	}
}

impl Forge for World {
	fn make<'a>(&'a self, _: &'a Accounts, _: String) -> BoxFuture<'a, Result<Made, String>> {
		Box::pin(async move {
			let tag = self.with(|chain| {
				chain.made += 1;
				chain.made
			});
			let query = CanonicalQuery {
				version: QUERY_VERSION,
				model_id: H256::repeat_byte(3),
				prompt_tokens: vec![1].try_into().unwrap(),
				sampling: Sampling::GREEDY,
				max_tokens: 2,
				stop: Default::default(),
				salt: [1; 32],
			};
			Ok(Made {
				stage: 0,
				settlement: settlement(tag, &[MAKER, 2], MAKER),
				kept: Kept {
					handed: Handover { query, tokens: vec![4, 5] },
					named: Named::default(),
				},
				expiry: 1_500,
			})
		})
	}

	fn settle(&self, settlement: Settlement, _: Kept) -> BoxFuture<'_, Result<(), String>> {
		Box::pin(async move {
			self.with(|chain| {
				// What the whole of this module is for.
				assert_eq!(chain.commitment, Seen::Final { right: true });
				chain.settled.push(settlement.id);
			});
			Ok(())
		})
	}
}

fn root() -> sr25519::Pair {
	pair(90)
}

fn lots_key() -> sr25519::Pair {
	pair(91)
}

fn maker(world: &Arc<World>, dir: &Path) -> Arc<Maker> {
	Maker::new(MakerParts {
		ledger: world.clone(),
		forge: Some(world.clone()),
		account: account(MAKER),
		pair: lots_key(),
		root: root(),
		store: CanaryStore::open(&dir.join("canaries.redb"), GENESIS).unwrap(),
		orders: Orders::new(0),
		willing: Arc::new(|| true),
	})
	.unwrap()
}

/// A world in which a canary is under audit, and its maker's folder.
async fn under_audit(world: &Arc<World>, dir: &Path) {
	let maker = maker(world, dir);
	maker.look().await.unwrap();
	world.with(|chain| chain.commitment = Seen::Final { right: true });
	maker.look().await.unwrap();
	world.with(|chain| chain.fate = Fate::HeldBack { shown: false });
}

#[tokio::test]
async fn a_canary_should_be_committed_to_settled_and_shown() {
	let (world, dir) = (World::new(), tempfile::tempdir().unwrap());
	let maker = maker(&world, dir.path());
	maker.look().await.unwrap();
	let accounts = Accounts::of(&root(), 0).unwrap();
	let (committed, settled) = world.with(|chain| (chain.committed.clone(), chain.settled.clone()));
	assert_eq!(committed.len(), 1);
	assert_eq!(committed[0].0, by(&accounts.committer));
	assert!(settled.is_empty());

	// Nothing is settled before the commitment is final, and one right makes one canary.
	maker.look().await.unwrap();
	assert_eq!(world.with(|chain| (chain.made, chain.settled.len())), (1, 0));
	world.with(|chain| chain.commitment = Seen::Final { right: true });
	maker.look().await.unwrap();
	maker.look().await.unwrap();
	let settled = world.with(|chain| chain.settled.clone());
	assert_eq!(settled.len(), 1);

	world.with(|chain| {
		(chain.fate, chain.view.epoch) = (Fate::HeldBack { shown: false }, EPOCH + 2);
	});
	maker.look().await.unwrap();
	let revealed = world.with(|chain| chain.revealed.clone());
	let [(who, id, stage, nonce, proof)] = revealed.as_slice() else { panic!("{revealed:?}") };
	assert_eq!((who, *id, *stage), (&by(&accounts.requester), settled[0], 0));
	assert_eq!(canary_hash(&GENESIS, id, *stage, &account(MAKER), nonce), committed[0].1);
	assert!(verify_canary(&lots_key().public(), EPOCH, &SEED, proof).is_some());

	maker.look().await.unwrap();
	assert_eq!(world.with(|chain| chain.revealed.len()), 1);
	world.with(|chain| chain.fate = Fate::Over);
	maker.look().await.unwrap();
	assert_eq!(maker.counters.shown.load(Ordering::Relaxed), 1);
	assert_eq!(maker.counters.lost.load(Ordering::Relaxed), 0);
	drop(maker);
	let store = CanaryStore::open(&dir.path().join("canaries.redb"), GENESIS).unwrap();
	assert!(store.all().unwrap().is_empty());
	// Its accounts are known now.
	assert_eq!(store.accounts().unwrap(), 1);
	assert!(store.has_used(EPOCH).unwrap() && !store.has_used(EPOCH + 1).unwrap());
}

#[tokio::test]
async fn what_is_refused_should_not_be_sent_at_each_block() {
	let (world, dir) = (World::new(), tempfile::tempdir().unwrap());
	world.with(|chain| chain.refuses = true);
	let maker = maker(&world, dir.path());
	for _ in 0..5 {
		maker.look().await.unwrap();
	}
	// When it was made, and once more.
	assert_eq!(world.with(|chain| (chain.made, chain.committed.len())), (1, 2));
	assert_eq!(maker.counters.committed.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn a_restart_should_change_nothing() {
	let (world, dir) = (World::new(), tempfile::tempdir().unwrap());
	maker(&world, dir.path()).look().await.unwrap();
	world.with(|chain| chain.commitment = Seen::Final { right: true });
	maker(&world, dir.path()).look().await.unwrap();
	world.with(|chain| chain.fate = Fate::HeldBack { shown: false });
	let restarted = maker(&world, dir.path());
	restarted.look().await.unwrap();
	world.with(|chain| {
		assert_eq!((chain.made, chain.committed.len(), chain.revealed.len()), (1, 1, 1));
		let (_, id, stage, nonce, _) = &chain.revealed[0];
		let hash = canary_hash(&GENESIS, id, *stage, &account(MAKER), nonce);
		assert_eq!(hash, chain.committed[0].1);
	});
}

#[tokio::test]
async fn what_is_not_drawn_should_be_withdrawn_and_keep_its_accounts() {
	let (world, dir) = (World::new(), tempfile::tempdir().unwrap());
	under_audit(&world, dir.path()).await;
	world.with(|chain| {
		(chain.fate, chain.view.epoch, chain.view.slots_left) = (Fate::PassedOver, EPOCH + 3, 0);
	});
	let maker = maker(&world, dir.path());
	maker.look().await.unwrap();
	maker.look().await.unwrap();
	assert_eq!(world.with(|chain| (chain.withdrawn, chain.revealed.len())), (1, 0));
	assert_eq!(maker.counters.passed_over.load(Ordering::Relaxed), 1);
	drop(maker);
	let store = CanaryStore::open(&dir.path().join("canaries.redb"), GENESIS).unwrap();
	assert!(store.all().unwrap().is_empty());
	assert_eq!(store.accounts().unwrap(), 0);
}

#[tokio::test]
async fn a_record_whose_commitment_came_too_late_should_never_be_settled() {
	let (world, dir) = (World::new(), tempfile::tempdir().unwrap());
	let maker = maker(&world, dir.path());
	maker.look().await.unwrap();
	world.with(|chain| {
		(chain.commitment, chain.view.epoch) = (Seen::Final { right: false }, EPOCH + 1);
		chain.view.slots_left = 0;
	});
	maker.look().await.unwrap();
	assert!(world.with(|chain| chain.settled.is_empty()));
	assert_eq!(maker.counters.lost.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn nothing_should_be_made_without_right_money_or_time() {
	type Change = fn(&mut Chain);
	let changes: [Change; 6] = [
		|chain| chain.view.stake = 0,
		|chain| chain.view.lots.audits = 0,
		|chain| chain.view.lots.epoch = EPOCH - 1,
		|chain| chain.view.used = Some(EPOCH),
		|chain| chain.view.slots_left = 20,
		|chain| chain.funds = Funds { free: ARIA / 4, escrow: 0 },
	];
	for (number, change) in changes.into_iter().enumerate() {
		let (world, dir) = (World::new(), tempfile::tempdir().unwrap());
		world.with(change);
		maker(&world, dir.path()).look().await.unwrap();
		assert_eq!(world.with(|chain| chain.made), 0, "change {number}");
	}
}
