//! Records with real trees, and verifiers with real keys that run them again.

use crate::{
	mock::{
		build_and_execute, enter_epoch, free, mint, next_block, stake_account, AuditPot, Balances,
		BurntSum, MaxSteps, Records, RuntimeOrigin, System, Test, Unvested, Verification, MARKET,
	},
	Audit, Audits, Phase, Seat,
};
use aria_primitives::{
	audit::{
		commitment, leaf, leaves, positions, prove_seat, Finding, Named, Opening, RecordPath,
		Reveal, Roots, SeatProof, Verdict,
	},
	hashing::{leaf_hash, merkle_proof, merkle_root},
	record::{
		boundary, Anchor, EnergySource, FinishReason, LayerRange, RecordBody, RecordEntry, Stage,
		RECORD_VERSION,
	},
	traits::{AuditDraw, RecordStakes, StageStake},
	AccountId, Balance, EpochIndex, RecordId, ARIA,
};
use frame_support::{assert_ok, dispatch::DispatchResultWithPostInfo};
use sp_core::{sr25519, Pair, H256};
use sp_runtime::DispatchResult;

/// The epoch in which records of these tests are settled.
pub const SETTLED_IN: EpochIndex = 4;
/// The epoch in which they are drawn.
pub const DRAWN_IN: EpochIndex = 6;
/// What a record costs.
pub const PRICE: Balance = ARIA;
/// What of it vests for each stage.
pub const SHARE: Balance = ARIA / 5;
/// What of it nobody has who made the record.
pub const COST: Balance = ARIA / 5;
/// What each worker has at stake.
pub const STAKE: Balance = 20 * ARIA;
/// What each gateway has at stake.
pub const GATEWAY_STAKE: Balance = 100 * ARIA;
/// What everybody has free.
pub const FREE: Balance = 10 * ARIA;

pub fn account(seed: u8) -> AccountId {
	AccountId::new([seed; 32])
}

pub fn requester() -> AccountId {
	account(1)
}

pub fn gateway() -> AccountId {
	account(2)
}

/// The worker of a stage.
pub fn node(stage: u8) -> AccountId {
	account(10 + stage)
}

pub fn signed(who: &AccountId) -> RuntimeOrigin {
	RuntimeOrigin::signed(who.clone())
}

/// Bytes of the leaf of a position behind a stage. Behind the stage that lies, and all after it, they
/// are others.
fn data(body: &RecordBody, index: u16, t: u32, liar: Option<u16>) -> Vec<u8> {
	let last = usize::from(index) == body.stages.len();
	let position = if last { body.prompt_tokens - 1 + t } else { t };
	let value: u8 = match liar {
		Some(stage) if stage < index => 0xee,
		_ => 0x11,
	};
	let mut bytes = vec![7; 32];
	bytes.extend(position.to_le_bytes());
	bytes.extend([value, index as u8, t as u8, 0, 0, 0, 0, 0]);
	if last {
		bytes.extend(9u32.to_le_bytes());
	}
	bytes
}

fn tree(
	body: &RecordBody,
	index: u16,
	liar: Option<u16>,
	hash: impl Fn(&[u8]) -> H256,
) -> Vec<H256> {
	(0..leaves(body, index)).map(|t| hash(&data(body, index, t, liar))).collect()
}

/// A record, and which of its stages lies.
#[derive(Clone)]
pub struct Game {
	pub id: RecordId,
	pub entry: RecordEntry,
}

impl Game {
	/// A record of `stages` stages, of which one may lie, with another text for each number.
	pub fn make(stages: u8, liar: Option<u16>, number: u8) -> Self {
		let parts: Vec<Stage> = (0..stages)
			.map(|stage| Stage {
				node: node(stage),
				layers: LayerRange { first: stage.into(), end: u16::from(stage) + 1 },
				energy_mj: 1_000,
				energy_source: EnergySource::Rapl,
				consent_version: 1,
			})
			.collect();
		let query_hash = H256::repeat_byte(8);
		let mut body = RecordBody {
			version: RECORD_VERSION,
			model_id: H256::repeat_byte(7),
			query_hash,
			output_hash: H256::repeat_byte(number),
			output_tokens_hash: H256::repeat_byte(10),
			finish_reason: FinishReason::Stop,
			prompt_tokens: 5,
			cached_tokens: 0,
			output_tokens: 3,
			stages: parts.try_into().unwrap(),
			boundaries: Default::default(),
			energy_mj: 1_000 * u64::from(stages),
			latency_ms: 800,
			timestamp: 1_749_999_999_000,
			anchor: Anchor { number: 0, hash: H256::zero() },
			ticket_hash: H256::repeat_byte(11),
		};
		let mut boundaries = vec![H256::repeat_byte(12)];
		for index in 1..=u16::from(stages) {
			let root = merkle_root(&tree(&body, index, liar, leaf_hash));
			boundaries.push(boundary(index, &root, &query_hash));
		}
		body.boundaries = boundaries.try_into().unwrap();
		let id = body.id(&Verification::genesis());
		let entry = RecordEntry {
			body,
			signed_stages: u32::MAX >> (32 - u32::from(stages)),
			requester: requester(),
			gateway: gateway(),
			price: PRICE,
			settled_at: System::block_number(),
			epoch: SETTLED_IN,
			era: 3,
			auditable: true,
		};
		Self { id, entry }
	}

	/// Settles the record in this block.
	pub fn settle(mut self, named: Option<H256>) -> Self {
		self.entry.settled_at = System::block_number();
		let stages = self.entry.body.stages.len();
		for stage in &self.entry.body.stages {
			mint(&MARKET, SHARE);
			Unvested::mutate(|unvested| {
				*unvested.entry((SETTLED_IN, stage.node.clone())).or_default() += SHARE;
			});
		}
		Records::mutate(|records| records.insert(self.id, self.entry.clone()));
		assert_ok!(Verification::note_settled(self.id, 0, true));
		let stake = StageStake { share: SHARE, burnt: 77, work: 5_000 };
		let stages = vec![stake; stages].try_into().unwrap();
		let stakes = RecordStakes { stages, named, price: PRICE, cost: COST, stake: STAKE };
		assert_ok!(Verification::note_stakes(self.id, stakes));
		self
	}

	/// Settles a record, and draws it.
	pub fn begin(stages: u8, liar: Option<u16>) -> Self {
		enter_epoch(SETTLED_IN);
		let game = Self::make(stages, liar, 0).settle(None);
		enter_epoch(DRAWN_IN);
		assert_eq!(game.audit().phase, Phase::Commit);
		game
	}

	pub fn audit(&self) -> Audit {
		Audits::<Test>::get(self.id).unwrap()
	}

	pub fn phase(&self) -> Option<Phase> {
		Audits::<Test>::get(self.id).map(|audit| audit.phase)
	}

	pub fn seat(&self, verifier: &Verifier) -> Option<Seat> {
		Verification::seat(self.id, verifier.account.clone())
	}

	/// Goes on to the window after this one, past that in which nobody contests the verdict.
	pub fn end_window(&self) {
		self.next_window();
		if self.phase() == Some(Phase::Dispute) {
			self.next_window();
		}
	}

	/// Goes on to the window after this one.
	pub fn next_window(&self) {
		let audit = self.audit();
		while self.phase() == Some(audit.phase) && self.audit().until == audit.until {
			next_block();
			Verification::do_try_state().unwrap();
		}
	}

	/// Plays a round in which verifiers say what their runs come to: each what it is told.
	pub fn play(&self, verifiers: &[(&Verifier, Conduct)]) {
		assert_eq!(self.phase(), Some(Phase::Commit));
		for (verifier, conduct) in verifiers {
			assert_ok!(verifier.commit(self, *conduct));
		}
		self.end_window();
		assert_eq!(self.phase(), Some(Phase::Reveal));
		for (verifier, conduct) in verifiers {
			assert_ok!(verifier.reveal(self, *conduct));
		}
		self.end_window();
		if self.phase() != Some(Phase::Open) {
			return;
		}
		for (verifier, conduct) in verifiers {
			if *conduct != Conduct::Garbage {
				assert_ok!(verifier.open(self, *conduct));
			}
		}
		self.end_window();
	}

	/// Plays a round of verifiers whom the requester named.
	pub fn play_named(&self, verifiers: &[(&Verifier, Conduct)], names: &Named) {
		for (verifier, conduct) in verifiers {
			assert_ok!(verifier.commit_named(self, *conduct, names));
		}
		self.next_window();
		for (verifier, conduct) in verifiers {
			assert_ok!(verifier.reveal(self, *conduct));
		}
		self.next_window();
		for (verifier, conduct) in verifiers {
			assert_ok!(verifier.open(self, *conduct));
		}
		self.end_window();
	}

	/// The leaves that the stages signed.
	pub fn leaves(&self, index: u16) -> Vec<H256> {
		tree(&self.entry.body, index, lie(self), leaf_hash)
	}

	pub fn verdict(&self) -> Option<Verdict> {
		match Verification::drawn(self.id)?.status {
			crate::DrawnStatus::Open => None,
			crate::DrawnStatus::Decided { verdict, .. } => Some(verdict),
		}
	}
}

/// What a verifier does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Conduct {
	/// It runs the record, and says what comes out.
	Honest,
	/// It says that all is well, with what the executors computed; it ran nothing.
	Echo,
	/// It accuses this stage, whatever came out.
	Accuse(u16),
	/// It says that the last stage's answer is another.
	Output,
	/// It says that it was handed garbage.
	Garbage,
}

/// A verifier.
pub struct Verifier {
	pub account: AccountId,
	pub pair: sr25519::Pair,
}

impl Verifier {
	/// A worker with a stake and a key, not registered.
	pub fn new(seed: u8) -> Self {
		let account = account(seed);
		mint(&account, FREE);
		mint(&stake_account(&account), STAKE);
		Self { account, pair: sr25519::Pair::from_seed(&[seed; 32]) }
	}

	pub fn register(self) -> Self {
		let key = self.pair.public();
		assert_ok!(Verification::register_verifier(signed(&self.account), key));
		self
	}

	pub fn stake(&self) -> Balance {
		free(&stake_account(&self.account))
	}

	pub fn free(&self) -> Balance {
		free(&self.account)
	}

	pub fn proof(&self, game: &Game) -> SeatProof {
		let audit = game.audit();
		prove_seat(&self.pair, &game.id, &audit.seed, audit.round).1
	}

	fn output(&self, game: &Game) -> [u8; 32] {
		let audit = game.audit();
		prove_seat(&self.pair, &game.id, &audit.seed, audit.round).0
	}

	/// Which stage's lie is in the data that the verifier has.
	fn sees(&self, game: &Game, conduct: Conduct) -> Option<u16> {
		match conduct {
			Conduct::Honest | Conduct::Garbage => None,
			Conduct::Echo | Conduct::Output => lie(game),
			// Another lie, so that the boundary differs from the record's.
			Conduct::Accuse(stage) => match lie(game) {
				Some(liar) if liar <= stage => None,
				_ => Some(stage),
			},
		}
	}

	fn own_roots(&self, game: &Game, conduct: Conduct) -> Vec<H256> {
		let (body, output) = (&game.entry.body, self.output(game));
		let liar = self.sees(game, conduct);
		let own = |bytes: &[u8]| leaf(&output, bytes);
		(1..=body.stages.len() as u16)
			.map(|index| merkle_root(&tree(body, index, liar, own)))
			.collect()
	}

	pub fn finding(&self, game: &Game, conduct: Conduct) -> Finding {
		let body = &game.entry.body;
		let count = body.stages.len() as u16;
		let liar = self.sees(game, conduct);
		let roots: Roots = (1..=count)
			.map(|index| merkle_root(&tree(body, index, liar, leaf_hash)))
			.collect::<Vec<_>>()
			.try_into()
			.unwrap();
		let other = (1..=count).find(|index| {
			let root = &roots[usize::from(*index) - 1];
			boundary(*index, root, &body.query_hash) != body.boundaries[usize::from(*index)]
		});
		match (conduct, other) {
			(Conduct::Garbage, _) => Finding::Query,
			(Conduct::Output, _) => Finding::Output { roots },
			(Conduct::Echo, _) | (_, None) => Finding::Valid,
			(_, Some(index)) => Finding::Boundary { index, roots },
		}
	}

	/// The leaves of its run, without what hides them.
	pub fn leaves(&self, game: &Game, conduct: Conduct, index: u16) -> Vec<H256> {
		tree(&game.entry.body, index, self.sees(game, conduct), leaf_hash)
	}

	pub fn what(&self, game: &Game, conduct: Conduct) -> Reveal {
		let root = merkle_root(&self.own_roots(game, conduct));
		let nonce = H256::from_slice(self.account.as_ref());
		Reveal { root, finding: self.finding(game, conduct), nonce }
	}

	pub fn commitment(&self, game: &Game, conduct: Conduct) -> H256 {
		let (round, reveal) = (game.audit().round, self.what(game, conduct));
		commitment(&Verification::genesis(), &game.id, round, &self.account, &reveal)
	}

	pub fn commit_hash(&self, game: &Game, commitment: H256) -> DispatchResultWithPostInfo {
		let (origin, proof) = (signed(&self.account), self.proof(game));
		Verification::commit(origin, game.id, proof, commitment, Named::default())
	}

	/// Commits as one of those whom the requester named.
	pub fn commit_named(
		&self,
		game: &Game,
		conduct: Conduct,
		names: &Named,
	) -> DispatchResultWithPostInfo {
		let (commitment, proof) = (self.commitment(game, conduct), self.proof(game));
		Verification::commit(signed(&self.account), game.id, proof, commitment, names.clone())
	}

	pub fn commit(&self, game: &Game, conduct: Conduct) -> DispatchResultWithPostInfo {
		self.commit_hash(game, self.commitment(game, conduct))
	}

	pub fn claim(&self, game: &Game) -> DispatchResult {
		let (origin, proof) = (signed(&self.account), self.proof(game));
		Verification::claim_silence(origin, game.id, proof, Named::default())
	}

	pub fn reveal_what(&self, game: &Game, reveal: Reveal) -> DispatchResultWithPostInfo {
		Verification::reveal(signed(&self.account), game.id, Box::new(reveal))
	}

	pub fn reveal(&self, game: &Game, conduct: Conduct) -> DispatchResultWithPostInfo {
		self.reveal_what(game, self.what(game, conduct))
	}

	pub fn openings(&self, game: &Game, conduct: Conduct) -> Vec<Opening> {
		let (body, audit) = (&game.entry.body, game.audit());
		let kind = self.finding(game, conduct).kind();
		let opens = kind.opens(body.stages.len() as u16);
		let count = audit.params.positions;
		let places = positions(&audit.beacon, &game.id, &self.account, count, opens, body);
		let (output, liar) = (self.output(game), self.sees(game, conduct));
		let roots = self.own_roots(game, conduct);
		let path = |leaves: &[H256], index: usize| {
			merkle_proof(leaves, index).unwrap().try_into().unwrap()
		};
		places
			.iter()
			.map(|place| {
				let at = place.leaf as usize;
				let own = tree(body, place.boundary, liar, |bytes| leaf(&output, bytes));
				let theirs = tree(body, place.boundary, liar, leaf_hash);
				Opening {
					data: data(body, place.boundary, place.leaf, liar).try_into().unwrap(),
					own_root: merkle_root(&own),
					own_path: path(&own, at),
					root_path: path(&roots, usize::from(place.boundary) - 1),
					record: RecordPath { root: merkle_root(&theirs), path: path(&theirs, at) },
				}
			})
			.collect()
	}

	pub fn open_with(&self, game: &Game, openings: Vec<Opening>) -> DispatchResultWithPostInfo {
		Verification::open(signed(&self.account), game.id, openings.try_into().unwrap())
	}

	pub fn open(&self, game: &Game, conduct: Conduct) -> DispatchResultWithPostInfo {
		self.open_with(game, self.openings(game, conduct))
	}
}

/// Which stage of the record lies: the first whose boundary is not that of an honest run.
fn lie(game: &Game) -> Option<u16> {
	let body = &game.entry.body;
	(1..=body.stages.len() as u16)
		.find(|index| {
			let root = merkle_root(&tree(body, *index, None, leaf_hash));
			boundary(*index, &root, &body.query_hash) != body.boundaries[usize::from(*index)]
		})
		.map(|index| index - 1)
}

/// The list that names these.
pub fn names_of(verifiers: &[Verifier]) -> Named {
	let names: Vec<AccountId> = verifiers.iter().map(|one| one.account.clone()).collect();
	names.try_into().unwrap()
}

/// Registers so many verifiers, with seeds from `first` on.
pub fn verifiers(first: u8, count: u8) -> Vec<Verifier> {
	(first..first + count).map(|seed| Verifier::new(seed).register()).collect()
}

/// The sum of all that lies on accounts.
fn on_accounts() -> Balance {
	frame_system::Account::<Test>::iter_values()
		.map(|account| account.data.free + account.data.reserved)
		.sum()
}

/// Runs a game on a chain of its own: stages and gateway with stakes, a pot with money. After it, the
/// invariants hold, and no money was made or lost but what the pallet says that it burnt.
pub fn with_game(test: impl FnOnce()) {
	build_and_execute(|| {
		MaxSteps::set(8);
		mint(&MARKET, ARIA);
		mint(&AuditPot::get(), 50 * ARIA);
		mint(&stake_account(&gateway()), GATEWAY_STAKE);
		for who in [requester(), gateway()] {
			mint(&who, FREE);
		}
		for stage in 0..4 {
			mint(&node(stage), FREE);
			mint(&stake_account(&node(stage)), STAKE);
		}
		test();
		assert_eq!(on_accounts(), Balances::total_issuance());
	});
}

/// What there is, and what the pallet has burnt: never changes but by what a test mints.
pub fn all_money() -> Balance {
	Balances::total_issuance() + BurntSum::get()
}
