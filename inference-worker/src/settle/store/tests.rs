//! What is on disk stays there; what is no store is refused.
#![allow(clippy::unwrap_used)]

use super::{super::testing, *};
use aria_primitives::RecordId;
use redb::TableDefinition;
use std::fs;
use tempfile::{tempdir, TempDir};

const NOW: u64 = 1_700_000_000_000;

struct Place {
	folder: TempDir,
	copies: u32,
}

impl Place {
	fn new() -> Self {
		Self { folder: tempdir().unwrap(), copies: 0 }
	}

	fn path(&self) -> PathBuf {
		self.folder.path().join(self.copies.to_string())
	}

	fn open(&self) -> SettlementStore {
		SettlementStore::open(self.path(), testing::GENESIS).unwrap()
	}

	/// What is on disk while the store is open: all that kill -9 leaves.
	fn crashed(&mut self) -> SettlementStore {
		let old = self.path();
		self.copies += 1;
		fs::copy(old, self.path()).unwrap();
		self.open()
	}
}

fn refused(path: &Path, genesis: H256) -> StoreError {
	match SettlementStore::open(path, genesis) {
		Ok(_) => panic!("{} opened", path.display()),
		Err(error) => error,
	}
}

fn settle(at: u64) -> Change {
	Change::Settle(Settled { at, block: 7 })
}

#[test]
fn settlements_should_survive_a_crash_at_every_step() {
	let mut place = Place::new();
	let store = place.open();
	let all: Vec<_> = (0..3).map(|tag| testing::settlement(tag, &[1, 2], 100)).collect();
	for settlement in &all {
		assert!(store.insert(settlement, &State::fresh(NOW, 5)).unwrap());
		assert!(!store.insert(settlement, &State::fresh(NOW + 9, 5)).unwrap());
	}

	let store = place.crashed();
	assert_eq!(store.pending().unwrap(), 3);
	for settlement in &all {
		assert_eq!(store.settlement(&settlement.id).unwrap().as_ref(), Some(settlement));
	}
	let sent = State {
		attempts: 1,
		phase: Phase::Sent { at: 9, since: NOW },
		last_error: Some("no word".to_owned()),
		..State::fresh(NOW, 5)
	};
	let gone = "TicketReplayed".to_owned();
	store
		.apply(&[
			(all[0].id, Change::Keep(sent.clone())),
			(all[1].id, settle(NOW + 1)),
			(all[2].id, Change::Fail { at: NOW + 2, reason: gone.clone() }),
			(H256::zero(), settle(NOW)),
		])
		.unwrap();

	let store = place.crashed();
	assert_eq!(store.states().unwrap(), [(all[0].id, sent)]);
	assert_eq!(store.settled(&all[1].id).unwrap(), Some(Settled { at: NOW + 1, block: 7 }));
	assert_eq!(store.settled(&H256::zero()).unwrap(), None);
	let failed = store.failed().unwrap();
	assert_eq!(failed.len(), 1);
	assert_eq!((&failed[0].settlement, &failed[0].reason), (&all[2], &gone));
	assert!(!store.insert(&all[1], &State::fresh(NOW, 0)).unwrap(), "it is settled");
	assert!(store.insert(&all[2], &State::fresh(NOW, 0)).unwrap(), "it may be tried again");
	assert!(store.failed().unwrap().is_empty());
}

#[test]
fn bounds_should_hold() {
	let place = Place::new();
	let bounds = Bounds { pending: 4, failed: 2, settled: 2, settled_for: 1_000, signed: 3 };
	let store = SettlementStore::open_with(place.path(), testing::GENESIS, bounds).unwrap();
	let all: Vec<_> = (0..8).map(|tag| testing::settlement(tag, &[1], 100)).collect();
	let ids: Vec<RecordId> = all.iter().map(|settlement| settlement.id).collect();
	for settlement in &all[..4] {
		store.insert(settlement, &State::fresh(NOW, 0)).unwrap();
	}
	assert!(matches!(store.insert(&all[4], &State::fresh(NOW, 0)), Err(StoreError::Full(4))));

	store.apply(&[(ids[0], settle(NOW)), (ids[1], settle(NOW + 1))]).unwrap();
	store.apply(&[(ids[2], settle(NOW + 2))]).unwrap();
	assert_eq!(store.settled(&ids[0]).unwrap(), None, "there are newer ones");
	assert!(store.settled(&ids[1]).unwrap().is_some());
	store.apply(&[(ids[3], settle(NOW + 1_003))]).unwrap();
	assert_eq!(store.settled_count().unwrap(), 1, "the others are too old");

	for (index, settlement) in all[4..].iter().enumerate() {
		store.insert(settlement, &State::fresh(NOW, 0)).unwrap();
		let fail = Change::Fail { at: NOW + index as u64, reason: String::new() };
		store.apply(&[(settlement.id, fail)]).unwrap();
	}
	let mut kept: Vec<u64> =
		store.failed().unwrap().iter().map(|failed| failed.failed_at - NOW).collect();
	kept.sort_unstable();
	assert_eq!(kept, [2, 3]);

	for settlement in &all[..5] {
		store.note_signed(&settlement.id, &settlement.body).unwrap();
		store.note_signed(&settlement.id, &settlement.body).unwrap();
	}
	let known: Vec<bool> = ids[..5].iter().map(|id| store.signed(id).unwrap().is_some()).collect();
	assert_eq!(known, [false, false, true, true, true]);
	assert_eq!(store.signed(&ids[4]).unwrap(), Some(body_hash(&all[4].body)));
}

#[test]
fn nonces_should_never_repeat() {
	let mut place = Place::new();
	let mut store = place.open();
	let (one, other) = (testing::account(1), testing::account(2));
	let mut last = 0;
	for life in 0..4 {
		for _ in 0..=life * 20 {
			let nonce = store.next_nonce(&one).unwrap();
			assert!(nonce > last);
			last = nonce;
		}
		store = place.crashed();
	}
	assert!(last < 400, "a crash skips few: {last}");
	assert_eq!(store.next_nonce(&other).unwrap(), 1);

	store.raise_nonce(&other, 1_000).unwrap();
	assert_eq!(store.next_nonce(&other).unwrap(), 1_000);
	store.raise_nonce(&other, 5).unwrap();
	assert_eq!(store.next_nonce(&other).unwrap(), 1_001);
	let store = place.crashed();
	assert!(store.next_nonce(&other).unwrap() > 1_001);
	store.raise_nonce(&other, u64::MAX - 40).unwrap();
	assert_eq!(store.next_nonce(&other).unwrap(), u64::MAX - 40);
	assert!(matches!(store.raise_nonce(&other, u64::MAX), Err(StoreError::NoncesSpent)));
}

#[test]
fn what_was_signed_should_be_known_after_a_restart() {
	let place = Place::new();
	let settlement = testing::settlement(1, &[1], 100);
	place.open().note_signed(&settlement.id, &settlement.body).unwrap();
	assert_eq!(place.open().signed(&settlement.id).unwrap(), Some(body_hash(&settlement.body)));
}

#[test]
fn files_of_others_should_be_refused_and_left_alone() {
	let folder = tempdir().unwrap();
	let text = folder.path().join("text");
	fs::write(&text, "my diary, not a database ".repeat(400)).unwrap();
	let before = fs::read(&text).unwrap();
	assert!(matches!(refused(&text, testing::GENESIS), StoreError::Foreign(_)));
	assert_eq!(fs::read(&text).unwrap(), before);

	let other = folder.path().join("other");
	{
		let database = Database::create(&other).unwrap();
		let transaction = database.begin_write().unwrap();
		let table: TableDefinition<&str, u64> = TableDefinition::new("theirs");
		transaction.open_table(table).unwrap().insert("a", 1u64).unwrap();
		transaction.commit().unwrap();
	}
	assert!(matches!(refused(&other, testing::GENESIS), StoreError::Foreign(_)));

	let ours = folder.path().join("ours");
	let store = SettlementStore::open(&ours, testing::GENESIS).unwrap();
	assert!(matches!(refused(&ours, testing::GENESIS), StoreError::InUse(_)));
	drop(store);
	assert!(matches!(refused(&ours, H256::zero()), StoreError::OtherChain { .. }));
	{
		let database = Database::open(&ours).unwrap();
		let transaction = database.begin_write().unwrap();
		let meta: TableDefinition<&str, &[u8]> = TableDefinition::new("aria/meta");
		let later = 2u32.to_le_bytes();
		transaction.open_table(meta).unwrap().insert("version", later.as_slice()).unwrap();
		transaction.commit().unwrap();
	}
	assert!(matches!(refused(&ours, testing::GENESIS), StoreError::Version { found: 2, .. }));
}

#[test]
fn damaged_files_should_be_refused_with_a_sentence() {
	let folder = tempdir().unwrap();
	let path = folder.path().join("s");
	{
		let store = SettlementStore::open(&path, testing::GENESIS).unwrap();
		for tag in 0..40 {
			let settlement = testing::settlement(tag, &[1, 2], 100);
			store.insert(&settlement, &State::fresh(NOW, 0)).unwrap();
		}
	}
	let whole = fs::read(&path).unwrap();
	fs::write(&path, &whole[..whole.len() / 2]).unwrap();
	let error = refused(&path, testing::GENESIS).to_string();
	assert!(error.contains("damaged"), "{error}");

	// Every settlement has this account in it; one bit of each copy is enough.
	let account = testing::account(100);
	let needle: &[u8; 32] = account.as_ref();
	let mut bent = whole.clone();
	let places: Vec<usize> = whole
		.windows(32)
		.enumerate()
		.filter(|(_, window)| window == needle)
		.map(|(place, _)| place)
		.collect();
	assert!(!places.is_empty());
	for place in places {
		bent[place] ^= 1;
	}
	fs::write(&path, &bent).unwrap();
	let error = refused(&path, testing::GENESIS).to_string();
	assert!(error.contains("damaged"), "{error}");

	fs::write(&path, &whole).unwrap();
	let store = SettlementStore::open(&path, testing::GENESIS).unwrap();
	assert_eq!(store.pending().unwrap(), 40);
}

#[test]
fn a_store_that_was_half_made_should_be_made_again() {
	let folder = tempdir().unwrap();
	let path = folder.path().join("deep").join("s");
	fs::create_dir_all(folder.path().join("deep")).unwrap();
	fs::write(path.with_extension("new"), "half").unwrap();
	SettlementStore::open(&path, testing::GENESIS).unwrap();
	assert!(!path.with_extension("new").exists());
}
