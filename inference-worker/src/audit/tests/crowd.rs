//! A verifier with many audits at once.

use super::*;
use crate::audit::store::{Case, Found, Key};
use std::collections::HashMap;

/// How long a block takes.
const BLOCK: Duration = Duration::from_millis(20);

/// An audit of the one record there is, under a name of its own.
struct Audit {
	window: Window,
	until: u32,
	standing: Standing,
}

struct Many {
	audits: HashMap<RecordId, Audit>,
	seed: H256,
	/// Whether nothing is taken, for good.
	refuses: bool,
	/// In the order in which it was sent.
	sent: Vec<(RecordId, &'static str)>,
}

/// A chain with many audits, and gateways that take every question and answer none.
struct Crowd {
	town: Town,
	pair: sr25519::Pair,
	many: Mutex<Many>,
}

fn id(number: u8) -> RecordId {
	H256::repeat_byte(number)
}

impl Crowd {
	fn new() -> Arc<Self> {
		let (pair, _) = sr25519::Pair::generate();
		let many = Many {
			audits: HashMap::new(),
			seed: H256::repeat_byte(5),
			refuses: false,
			sent: Vec::new(),
		};
		Arc::new(Self { town: Town::new(), pair, many: Mutex::new(many) })
	}

	fn with<T>(&self, change: impl FnOnce(&mut Many) -> T) -> T {
		change(&mut self.many.lock().unwrap())
	}

	fn lots(&self, record: RecordId) -> Lots {
		Lots { record, seed: self.with(|many| many.seed), ..self.town.lots() }
	}

	fn add(&self, number: u8, window: Window, until: u32, standing: Standing) {
		let audit = Audit { window, until, standing };
		self.with(|many| many.audits.insert(id(number), audit));
	}

	/// A record that was run again, and found to be right.
	fn found(&self, number: u8) -> Case {
		let key = Key { record: id(number), round: 0 };
		let seat = self.lots(key.record).draw(&self.pair, STAKE).unwrap();
		let nonce = H256::repeat_byte(number);
		let found =
			Found { kind: FindingKind::Valid, roots: Vec::new(), own_roots: Vec::new(), nonce };
		Case { found: Some(found), ..Case::new(key, seat) }
	}

	fn verifier(self: &Arc<Self>, dir: &Path, cases: &[Case]) -> Arc<Verifier> {
		let store = CaseStore::open(&dir.join("audits.redb"), GENESIS).unwrap();
		for case in cases {
			store.keep(case).unwrap();
		}
		Verifier::new(VerifierParts {
			ledger: self.clone(),
			account: account(9),
			pair: self.pair.clone(),
			store,
			folder: dir.join("audits"),
			gateways: self.clone(),
			library: self.clone(),
			machine: Machine {
				governor: Governor::new(Limits::NONE),
				busy: Arc::new(|| false),
				allowed: Arc::new(|| true),
				weigh: |_, _| 1 << 20,
				threads: 1,
				kernel: kernels::best(),
			},
		})
	}

	/// Looks until so much was sent.
	async fn until_sent(&self, verifier: &Arc<Verifier>, count: usize) {
		for _ in 0..500 {
			verifier.look().await.unwrap();
			if self.with(|many| many.sent.len()) >= count {
				return;
			}
			tokio::time::sleep(BLOCK).await;
		}
		panic!("{} of {count} were sent", self.with(|many| many.sent.len()));
	}
}

impl Ledger for Crowd {
	fn genesis(&self) -> H256 {
		GENESIS
	}

	fn next_block(&self) -> BoxFuture<'_, ()> {
		Box::pin(tokio::time::sleep(BLOCK))
	}

	fn docket(&self) -> BoxFuture<'_, Result<Docket, LedgerError>> {
		let audits: Vec<(RecordId, Window, u32)> = self.with(|many| {
			many.audits.iter().map(|(id, audit)| (*id, audit.window, audit.until)).collect()
		});
		let open = audits.into_iter().map(|(record, window, until)| Open {
			lots: self.lots(record),
			window,
			until,
			length: LENGTH,
			positions: 2,
			beacon: BEACON,
			stake: STAKE,
		});
		let docket = Docket { at: UNTIL - 50, open: open.collect() };
		Box::pin(async move { Ok(docket) })
	}

	fn record(&self, _: RecordId) -> BoxFuture<'_, Result<Option<RecordEntry>, LedgerError>> {
		let entry = self.town.entry.clone();
		Box::pin(async move { Ok(Some(entry)) })
	}

	fn standing(&self, id: RecordId, _: u8) -> BoxFuture<'_, Result<Standing, LedgerError>> {
		let standing = self.with(|many| many.audits.get(&id).map(|audit| audit.standing));
		Box::pin(async move { Ok(standing.unwrap_or(Standing::Nothing)) })
	}

	fn posted<'a>(
		&'a self,
		_: RecordId,
		_: u32,
		_: &'a Accepts<'a>,
	) -> BoxFuture<'a, Result<Option<Sealed>, LedgerError>> {
		Box::pin(async { Ok(None) })
	}

	fn send(&self, id: RecordId, action: Action) -> BoxFuture<'_, Result<(), LedgerError>> {
		let refuses = self.with(|many| {
			many.sent.push((id, action.name()));
			many.refuses
		});
		let standing = match action {
			Action::Commit { .. } => Standing::Committed,
			Action::Claim { .. } => Standing::Claimed,
			Action::Reveal(_) => Standing::Revealed,
			Action::Open(_) => Standing::Counted,
		};
		Box::pin(async move {
			tokio::time::sleep(BLOCK).await;
			if refuses {
				return Err(LedgerError::Never("Verification::NotCommitted".to_owned()));
			}
			self.with(|many| {
				if let Some(audit) = many.audits.get_mut(&id) {
					audit.standing = standing;
				}
			});
			Ok(())
		})
	}
}

impl Gateways for Crowd {
	fn hand_over<'a>(
		&'a self,
		_: &'a AccountId,
		_: AuditRequest,
		_: &'a RecordBody,
	) -> BoxFuture<'a, Result<(Handover, Named), NoHandover>> {
		Box::pin(futures::future::pending())
	}
}

impl Library for Crowd {
	fn package(
		&self,
		_: aria_primitives::ModelId,
		_: Vec<LayerRange>,
	) -> BoxFuture<'_, Result<Arc<Package>, String>> {
		let package = self.town.package.clone();
		Box::pin(async move { Ok(package) })
	}
}

#[tokio::test]
async fn gateways_that_hang_should_keep_nobody_from_revealing() {
	let crowd = Crowd::new();
	for number in 0..60 {
		crowd.add(number, Window::Commit, UNTIL, Standing::Nothing);
	}
	let mut cases = Vec::new();
	for number in 60..200 {
		crowd.add(number, Window::Reveal, UNTIL, Standing::Committed);
		cases.push(crowd.found(number));
	}
	let dir = tempfile::tempdir().unwrap();
	let verifier = crowd.verifier(dir.path(), &cases);
	crowd.until_sent(&verifier, 140).await;
	let sent = crowd.with(|many| many.sent.clone());
	assert!(sent.iter().all(|(_, name)| *name == "reveal"));
	assert_eq!(verifier.counters.seats.load(Ordering::Relaxed), 60);
}

#[tokio::test]
async fn the_first_to_end_should_be_sent_first() {
	let crowd = Crowd::new();
	let mut cases = Vec::new();
	for number in 0..120 {
		// Every third is nearer to its end.
		let until = if number % 3 == 0 { UNTIL - 20 } else { UNTIL };
		crowd.add(number, Window::Reveal, until, Standing::Committed);
		cases.push(crowd.found(number));
	}
	let dir = tempfile::tempdir().unwrap();
	let verifier = crowd.verifier(dir.path(), &cases);
	crowd.until_sent(&verifier, 120).await;
	let sent = crowd.with(|many| many.sent.clone());
	assert!(sent.iter().take(40).all(|(id, _)| id.as_bytes()[0].is_multiple_of(3)));
	// Nothing twice.
	assert_eq!(sent.len(), 120);
}

#[tokio::test]
async fn what_was_committed_to_should_outlive_a_refusal() {
	let crowd = Crowd::new();
	crowd.add(1, Window::Reveal, UNTIL, Standing::Committed);
	crowd.with(|many| many.refuses = true);
	let dir = tempfile::tempdir().unwrap();
	let verifier = crowd.verifier(dir.path(), &[crowd.found(1)]);
	crowd.until_sent(&verifier, 1).await;
	tokio::time::sleep(10 * BLOCK).await;
	// A refusal costs a fee: not at each look.
	verifier.look().await.unwrap();
	tokio::time::sleep(2 * BLOCK).await;
	assert_eq!(crowd.with(|many| many.sent.len()), 1);
	drop(verifier);

	crowd.with(|many| many.refuses = false);
	let verifier = crowd.verifier(dir.path(), &[]);
	crowd.until_sent(&verifier, 2).await;
}

#[tokio::test]
async fn a_seat_should_be_drawn_again_where_the_round_has_another_seed() {
	let crowd = Crowd::new();
	crowd.add(1, Window::Commit, UNTIL, Standing::Nothing);
	let dir = tempfile::tempdir().unwrap();
	let case = crowd.found(1);
	crowd.with(|many| many.seed = H256::repeat_byte(6));
	let verifier = crowd.verifier(dir.path(), &[case]);
	for _ in 0..3 {
		verifier.look().await.unwrap();
		tokio::time::sleep(2 * BLOCK).await;
	}
	// What was found for the other seat is not committed to.
	assert!(crowd.with(|many| many.sent.is_empty()));
	assert_eq!(verifier.counters.seats.load(Ordering::Relaxed), 1);

	// With the seed that it was drawn by it is.
	let crowd = Crowd::new();
	crowd.add(1, Window::Commit, UNTIL, Standing::Nothing);
	let dir = tempfile::tempdir().unwrap();
	let verifier = crowd.verifier(dir.path(), &[crowd.found(1)]);
	crowd.until_sent(&verifier, 1).await;
	assert_eq!(verifier.counters.seats.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn spools_of_nothing_that_is_kept_should_be_removed() {
	let crowd = Crowd::new();
	let dir = tempfile::tempdir().unwrap();
	let case = crowd.found(1);
	let verifier = crowd.verifier(dir.path(), std::slice::from_ref(&case));
	verifier.sweep().unwrap();
	let folder = dir.path().join("audits");
	std::fs::create_dir_all(&folder).unwrap();
	let other = Key { round: 1, ..case.key };
	for name in [case.key.name(), other.name(), "notes-1".to_owned()] {
		std::fs::write(folder.join(name), b"x").unwrap();
	}
	verifier.sweep().unwrap();
	assert!(folder.join(case.key.name()).exists() && folder.join("notes-1").exists());
	assert!(!folder.join(other.name()).exists());
}
