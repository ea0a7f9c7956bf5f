//! Verdicts that are contested: sums that the chain computes itself, and who is silent.

use super::support::*;
use crate::{
	mock::{
		assert_state_unchanged, free, mint, stake_account, AuditPot, BurntSum, Faults, Models,
		Records, Revoked, System, Test, Verification, ED,
	},
	Disputes, Error, Event, Phase,
};
use aria_math::bitlinear::{sums, Packing};
use aria_primitives::{
	audit::{AuditParams, Verdict},
	dispute::{
		block_hash, input_bytes, nodes, BlockProof, Branch, Dispute, Fork, Hashes, Matrix, Party,
		Standing, Step,
	},
	hashing::{leaf_hash, merkle_proof, merkle_root},
	manifest::{
		Architecture, Attention, Encoding, Head, Manifest, Tensor, TensorRole, MANIFEST_VERSION,
		NO_LAYER,
	},
	record::LayerRange,
	AccountId, Balance, ARIA,
};
use frame_support::{
	assert_noop, assert_ok,
	dispatch::{DispatchResultWithPostInfo, Pays},
	traits::{fungible::Mutate, tokens::Preservation},
};
use sp_core::H256;
use sp_runtime::{DispatchError, TokenError};

const BOND: Balance = AuditParams::DEFAULT.commit_bond;
const FEE: Balance = AuditParams::DEFAULT.verifier_fee;
/// Rows of the matrix in dispute: three blocks.
const ROWS: usize = 2_500;
/// Rows of a block, of 64 bytes each.
const BLOCK_ROWS: usize = 1_024;
const COLUMNS: usize = 250;
/// The item in dispute, and its input.
const GATE: usize = 7;
const INPUT: usize = 6;
/// The block that is false.
const BLOCK: usize = 1;

/// Numbers that look like chance.
fn noise(count: usize) -> impl Iterator<Item = u8> {
	let mut state = 1u32;
	(0..count).map(move |_| {
		state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
		(state >> 24) as u8
	})
}

/// Codes 0 to 2 where there are columns, 1 behind them.
fn weights() -> Vec<u8> {
	let mut codes = noise(ROWS * 256).map(|byte| byte % 3);
	let mut bytes = Vec::new();
	for _ in 0..ROWS {
		let row: Vec<u8> = codes.by_ref().take(256).collect();
		let code = |column: usize| if column < COLUMNS { row[column] } else { 1 };
		bytes.extend((0..64).map(|place| {
			(0..4).fold(0, |byte, plane| byte | (code(64 * plane + place) << (2 * plane)))
		}));
	}
	bytes
}

fn inputs() -> Vec<u8> {
	let values: Vec<i8> = noise(COLUMNS).map(|byte| byte as i8).collect();
	input_bytes(3.5, &values)
}

fn chunks() -> Vec<H256> {
	let weights = weights();
	let chunks = weights.chunks(BLOCK_ROWS * 64).map(leaf_hash);
	chunks.chain([leaf_hash(&1.0f32.to_le_bytes())]).collect()
}

fn manifest() -> Manifest {
	use TensorRole::*;
	let root = merkle_root(&chunks());
	let roles = [
		AttentionNorm,
		Query,
		Key,
		Value,
		AttentionOutput,
		FeedForwardNorm,
		TensorRole::Gate,
		Up,
		Down,
	];
	let tensor = |layer, role| Tensor {
		layer,
		role,
		encoding: match role {
			AttentionNorm | FeedForwardNorm | TokenEmbedding | OutputNorm => Encoding::F16,
			Down => Encoding::Ternary5,
			_ => Encoding::Ternary2,
		},
		root,
	};
	let tensors: Vec<Tensor> = (0..2)
		.flat_map(|layer| roles.map(|role| tensor(layer, role)))
		.chain([tensor(NO_LAYER, TokenEmbedding), tensor(NO_LAYER, OutputNorm)])
		.collect();
	Manifest {
		version: MANIFEST_VERSION,
		architecture: Architecture::LlamaTernary,
		attention: Attention::Gqa { heads: 4, kv_heads: 2, head_dim: 64 },
		hidden: COLUMNS as u32,
		feed_forward: ROWS as u32,
		layers: 2,
		vocab: 1_000,
		context: 2_048,
		rope_theta: 10_000,
		norm_epsilon_bits: 1e-5f32.to_bits(),
		gate: aria_primitives::manifest::Gate::Silu,
		head: Head::Tied,
		numerics_version: 1,
		bos: None,
		eos: Default::default(),
		tokenizer_hash: H256::zero(),
		chat_template_hash: H256::zero(),
		tensors: tensors.try_into().unwrap(),
		shards: vec![LayerRange { first: 0, end: 2 }].try_into().unwrap(),
	}
}

/// What a party says that it computed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Said {
	/// What is right.
	Right,
	/// A sum that is none, in the matrix `Gate`.
	FalseSums,
	/// An input that nobody can check here.
	OtherFloats,
}

struct Trace {
	items: Vec<H256>,
	blocks: Vec<H256>,
}

impl Trace {
	fn of(said: Said) -> Self {
		let inputs = inputs();
		let matrix = Matrix::of(&manifest(), 0, TensorRole::Gate).unwrap();
		let mut right: Vec<i32> = weights()
			.chunks(BLOCK_ROWS * 64)
			.flat_map(|chunk| sums(Packing::Ternary2, chunk, &inputs[4..]).unwrap())
			.collect();
		if said == Said::FalseSums {
			right[BLOCK * BLOCK_ROWS + 7] += 1;
		}
		let blocks = matrix.block_hashes(&right);
		let mut items: Vec<H256> = (0..11u8).map(H256::repeat_byte).collect();
		items[INPUT] = leaf_hash(&inputs);
		items[GATE] = merkle_root(&blocks);
		if said == Said::OtherFloats {
			items[4] = H256::repeat_byte(77);
		}
		Self { items, blocks }
	}

	fn items(&self) -> Hashes {
		self.items.clone().try_into().unwrap()
	}

	fn blocks(&self) -> Hashes {
		self.blocks.clone().try_into().unwrap()
	}

	/// The proof that this trace's block is none, or not; `executor` is the trace of the executor.
	fn proof(&self, executor: &Trace) -> BlockProof {
		let Branch { hash, path } = Branch::of(&self.blocks, BLOCK).unwrap();
		let chunk = weights().chunks(BLOCK_ROWS * 64).nth(BLOCK).unwrap().to_vec();
		let path_of =
			|leaves: &[H256], index| merkle_proof(leaves, index).unwrap().try_into().unwrap();
		BlockProof {
			block: BLOCK as u32,
			hash,
			path,
			inputs: inputs().try_into().unwrap(),
			inputs_path: path_of(&executor.items, INPUT),
			weights: chunk.try_into().unwrap(),
			weights_path: path_of(&chunks(), BLOCK),
		}
	}
}

/// A verdict that is held back, with what everybody says of the first stage's first position.
struct Case {
	game: Game,
	accuser: AccountId,
	theirs: Vec<H256>,
	ours: Vec<H256>,
	executor: Trace,
	trace: Trace,
}

impl Case {
	fn new(game: &Game, accuser: &Verifier, conduct: Conduct, said: [Said; 2]) -> Self {
		Self {
			game: game.clone(),
			accuser: accuser.account.clone(),
			theirs: game.leaves(1),
			ours: accuser.leaves(game, conduct, 1),
			executor: Trace::of(said[0]),
			trace: Trace::of(said[1]),
		}
	}

	fn open_by(&self, who: &AccountId) -> DispatchResultWithPostInfo {
		let result = Verification::open_dispute(signed(who), self.game.id, self.accuser.clone());
		result.map(Into::into).map_err(Into::into)
	}

	fn nodes_by(&self, who: &AccountId, nodes: Vec<H256>) -> DispatchResultWithPostInfo {
		let nodes = nodes.try_into().unwrap();
		Verification::post_nodes(signed(who), self.game.id, self.accuser.clone(), nodes)
	}

	fn nodes(&self) -> DispatchResultWithPostInfo {
		self.nodes_by(&node(0), nodes(&self.theirs, 0))
	}

	fn leaf_fork(&self) -> Fork {
		Fork::between(&self.theirs, &self.ours).unwrap()
	}

	fn accuse_with(&self, fork: Fork, below: Vec<H256>) -> DispatchResultWithPostInfo {
		let below = below.try_into().unwrap();
		Verification::accuse_leaf(signed(&self.accuser), self.game.id, Box::new(fork), below)
	}

	fn accuse(&self) -> DispatchResultWithPostInfo {
		let fork = self.leaf_fork();
		let hash = fork.accuser.hash;
		self.accuse_with(fork, vec![hash])
	}

	fn defend_with(
		&self,
		who: &AccountId,
		fork: Fork,
		items: Hashes,
	) -> DispatchResultWithPostInfo {
		let (id, accuser) = (self.game.id, self.accuser.clone());
		Verification::defend_leaf(signed(who), id, accuser, Box::new(fork), items)
	}

	/// The fork below a node that is a leaf.
	fn below(&self) -> Fork {
		let pair = self.leaf_fork().hashes();
		Fork::between(&[pair.executor], &[pair.accuser]).unwrap()
	}

	fn defend(&self) -> DispatchResultWithPostInfo {
		self.defend_with(&node(0), self.below(), self.executor.items())
	}

	fn reply(&self) -> DispatchResultWithPostInfo {
		Verification::reply_trace(signed(&self.accuser), self.game.id, self.trace.items())
	}

	fn item_fork(&self) -> Fork {
		Fork::between(&self.executor.items, &self.trace.items).unwrap()
	}

	fn blocks_with(
		&self,
		who: &AccountId,
		fork: Fork,
		blocks: Hashes,
	) -> DispatchResultWithPostInfo {
		let (id, accuser) = (self.game.id, self.accuser.clone());
		Verification::post_blocks(signed(who), id, accuser, Box::new(fork), blocks)
	}

	fn blocks_of(&self, party: Party) -> DispatchResultWithPostInfo {
		match party {
			Party::Executor => self.blocks_with(&node(0), self.item_fork(), self.executor.blocks()),
			Party::Accuser => {
				self.blocks_with(&self.accuser, self.item_fork(), self.trace.blocks())
			}
		}
	}

	fn proof(&self, against: Party) -> BlockProof {
		match against {
			Party::Executor => self.executor.proof(&self.executor),
			Party::Accuser => self.trace.proof(&self.executor),
		}
	}

	fn prove_with(&self, against: Party, proof: BlockProof) -> DispatchResultWithPostInfo {
		let (id, accuser) = (self.game.id, self.accuser.clone());
		Verification::prove_false(signed(&account(99)), id, accuser, against, Box::new(proof))
	}

	fn prove(&self, against: Party) -> DispatchResultWithPostInfo {
		self.prove_with(against, self.proof(against))
	}

	fn dispute(&self) -> Dispute {
		Verification::dispute(self.game.id, self.accuser.clone()).unwrap()
	}
}

/// Plays on from the opening of disputes until something can be proven.
fn to_proof(cases: &[&Case]) {
	let game = &cases[0].game;
	let all = |call: &dyn Fn(&Case) -> DispatchResultWithPostInfo| {
		for case in cases {
			assert_eq!(call(case).unwrap().pays_fee, Pays::No);
		}
		game.next_window();
	};
	assert_eq!(game.phase(), Some(Phase::Dispute));
	game.next_window();
	all(&Case::nodes);
	all(&Case::accuse);
	all(&Case::defend);
	all(&Case::reply);
	all(&|case| {
		case.blocks_of(Party::Executor)?;
		case.blocks_of(Party::Accuser)
	});
	assert_eq!(game.phase(), Some(Phase::Proof));
}

/// The first stage lies, and two of three pass it: the verdict that is held back is against the third.
fn outvoted() -> (Game, Vec<Verifier>) {
	outvoted_of(2)
}

/// The same, of a record of so many stages.
fn outvoted_of(stages: u8) -> (Game, Vec<Verifier>) {
	Models::mutate(|models| models.insert(H256::repeat_byte(7), manifest()));
	let all = verifiers(50, 3);
	let game = Game::begin(stages, Some(0));
	game.play(&[(&all[0], Conduct::Honest), (&all[1], Conduct::Echo), (&all[2], Conduct::Echo)]);
	game.next_window();
	assert_eq!((game.phase(), game.audit().verdict), (Some(Phase::Dispute), Some(Verdict::Passed)));
	(game, all)
}

/// All is well, and two of three say that the first stage lies: the verdict is against it.
fn convicted() -> (Game, Vec<Verifier>) {
	Models::mutate(|models| models.insert(H256::repeat_byte(7), manifest()));
	let all = verifiers(50, 3);
	let game = Game::begin(2, None);
	game.play(&[
		(&all[0], Conduct::Accuse(0)),
		(&all[1], Conduct::Accuse(0)),
		(&all[2], Conduct::Honest),
	]);
	game.next_window();
	let failed = Some(Verdict::Failed { stage: 0 });
	assert_eq!((game.phase(), game.audit().verdict), (Some(Phase::Dispute), failed));
	(game, all)
}

fn refused(call: impl FnOnce() -> DispatchResultWithPostInfo, error: impl Into<DispatchError>) {
	let result = assert_state_unchanged(call);
	assert_eq!(result.unwrap_err().error, error.into());
}

#[test]
fn an_outvoted_verifier_should_convict_a_stage_of_a_false_sum() {
	with_game(|| {
		let (game, all) = outvoted();
		let (money, pot) = (all_money(), free(&AuditPot::get()));
		let case = Case::new(&game, &all[0], Conduct::Honest, [Said::FalseSums, Said::Right]);
		assert_ok!(case.open_by(&case.accuser));
		System::assert_last_event(
			Event::<Test>::DisputeOpened {
				id: game.id,
				accuser: case.accuser.clone(),
				stage: 0,
				by: Party::Accuser,
			}
			.into(),
		);
		assert_eq!(all[0].free(), FREE - 2 * BOND);
		to_proof(&[&case]);
		assert_ok!(case.prove(Party::Executor));
		System::assert_last_event(
			Event::<Test>::DisputeProven {
				id: game.id,
				accuser: case.accuser.clone(),
				against: Party::Executor,
			}
			.into(),
		);
		game.next_window();

		assert_eq!(game.verdict(), Some(Verdict::Failed { stage: 0 }));
		assert_eq!(Faults::get(), [node(0)]);
		assert_eq!(free(&stake_account(&node(0))), STAKE / 2);
		assert_eq!(free(&requester()), FREE + PRICE);
		assert_eq!(all[0].free(), FREE + FEE);
		// Who passed it is not wrong: the stage may have chosen to be false here.
		assert!(all[1..].iter().all(|one| (one.free(), one.stake()) == (FREE, STAKE)));
		assert_eq!((all_money(), free(&AuditPot::get())), (money, pot));
		assert_eq!(Disputes::<Test>::iter().count(), 0);
	});
}

#[test]
fn the_position_in_dispute_should_be_in_the_state_to_the_end() {
	with_game(|| {
		let (game, all) = outvoted_of(1);
		let case = Case::new(&game, &all[0], Conduct::Honest, [Said::FalseSums, Said::Right]);
		assert_ok!(case.open_by(&case.accuser));
		game.next_window();
		assert_ok!(case.nodes());
		game.next_window();
		assert_ok!(case.accuse());
		game.next_window();
		assert_ok!(case.defend());
		// The first leaf of the last boundary is the prompt's last token.
		let at = game.entry.body.prompt_tokens - 1;
		assert!(matches!(case.dispute().step, Step::Defence { position, .. } if position == at));
		game.next_window();
		assert_ok!(case.reply());
		assert!(matches!(case.dispute().step, Step::Traces { position, .. } if position == at));
		game.next_window();
		for party in [Party::Executor, Party::Accuser] {
			assert_ok!(case.blocks_of(party));
			assert!(matches!(case.dispute().step, Step::Blocks { position, .. } if position == at));
		}
	});
}

#[test]
fn a_convicted_stage_should_strike_accusers_with_false_sums() {
	with_game(|| {
		let (game, all) = convicted();
		let (money, pot) = (all_money(), free(&AuditPot::get()));
		let said = [Said::Right, Said::FalseSums];
		let cases = [0, 1].map(|n| Case::new(&game, &all[n], Conduct::Accuse(0), said));
		for case in &cases {
			assert_ok!(case.open_by(&node(0)));
		}
		assert_eq!(free(&node(0)), FREE - 2 * BOND);
		to_proof(&[&cases[0], &cases[1]]);
		for case in &cases {
			assert_ok!(case.prove(Party::Accuser));
		}
		game.next_window();

		// One seat is left, and says that all is well.
		assert_eq!(game.verdict(), Some(Verdict::Passed));
		assert_eq!(free(&node(0)), FREE);
		for accuser in &all[..2] {
			assert_eq!((accuser.free(), accuser.stake()), (FREE - BOND, STAKE * 3 / 4));
		}
		assert!(all[2].free() > FREE && Faults::get().is_empty());
		assert_eq!(free(&AuditPot::get()), pot + 2 * (BOND + STAKE / 4) - FEE);
		assert_eq!((all_money(), BurntSum::get()), (money, 0));
	});
}

#[test]
fn accusers_that_are_silent_should_have_no_say() {
	with_game(|| {
		let (game, all) = convicted();
		let money = all_money();
		let said = [Said::Right, Said::Right];
		let cases = [0, 1].map(|n| Case::new(&game, &all[n], Conduct::Accuse(0), said));
		for case in &cases {
			assert_ok!(case.open_by(&node(0)));
		}
		game.next_window();
		for case in &cases {
			assert_ok!(case.nodes());
		}
		game.next_window();
		assert_eq!(game.phase(), Some(Phase::Leaf));
		// One says where, and has no trace; the other says nothing.
		assert_ok!(cases[0].accuse());
		game.next_window();
		assert_eq!(cases[1].dispute().accuser, Standing::Silent);
		refused(|| cases[1].defend(), Error::<Test>::NoDispute);
		assert_ok!(cases[0].defend());
		game.next_window();
		game.next_window();

		assert_eq!(game.verdict(), Some(Verdict::Passed));
		for accuser in &all[..2] {
			assert_eq!((accuser.free(), accuser.stake()), (FREE - BOND, STAKE));
		}
		assert_eq!(free(&node(0)), FREE);
		assert_eq!((all_money(), BurntSum::get()), (money, 0));
	});
}

#[test]
fn one_accuser_that_is_struck_should_not_acquit_by_itself() {
	with_game(|| {
		let (game, all) = convicted();
		// It loses on purpose, for a stage that the other still accuses: no majority is left.
		let case = Case::new(&game, &all[0], Conduct::Accuse(0), [Said::Right, Said::FalseSums]);
		assert_ok!(case.open_by(&node(0)));
		to_proof(&[&case]);
		assert_ok!(case.prove(Party::Accuser));
		game.next_window();
		assert_eq!(game.verdict(), Some(Verdict::Unaudited));
		assert_eq!((all[1].free(), all[1].stake()), (FREE, STAKE));
	});
}

#[test]
fn a_stage_that_is_silent_should_not_have_passed() {
	with_game(|| {
		let (game, all) = outvoted();
		let money = all_money();
		let case = Case::new(&game, &all[0], Conduct::Honest, [Said::Right; 2]);
		assert_ok!(case.open_by(&case.accuser));
		game.next_window();
		game.next_window();
		assert_eq!(game.verdict(), Some(Verdict::Unaudited));
		assert!(all.iter().all(|one| (one.free(), one.stake()) == (FREE, STAKE)));
		assert!(Faults::get().is_empty());
		assert_eq!(Revoked::get().len(), 2);
		assert_eq!((all_money(), BurntSum::get()), (money, 0));
	});
}

#[test]
fn a_stage_that_is_silent_should_stay_convicted_and_lose_its_bond() {
	with_game(|| {
		let (game, all) = convicted();
		let money = all_money();
		let case = Case::new(&game, &all[0], Conduct::Accuse(0), [Said::Right; 2]);
		assert_ok!(case.open_by(&node(0)));
		game.next_window();
		assert_ok!(case.nodes());
		game.next_window();
		assert_ok!(case.accuse());
		game.next_window();
		game.next_window();
		assert_eq!(game.verdict(), Some(Verdict::Failed { stage: 0 }));
		assert_eq!(free(&node(0)), FREE - BOND);
		assert_eq!(all_money(), money);
	});
}

#[test]
fn floats_should_stay_with_the_quorum() {
	with_game(|| {
		let (game, all) = outvoted();
		let money = all_money();
		let case = Case::new(&game, &all[0], Conduct::Honest, [Said::OtherFloats, Said::Right]);
		assert_ok!(case.open_by(&case.accuser));
		game.next_window();
		assert_ok!(case.nodes());
		game.next_window();
		assert_ok!(case.accuse());
		game.next_window();
		assert_ok!(case.defend());
		game.next_window();
		assert_ok!(case.reply());
		game.next_window();
		assert_eq!(case.item_fork().index, 4);
		refused(|| case.blocks_of(Party::Accuser), Error::<Test>::NotIntegers);
		game.next_window();
		// What the seats said.
		assert_eq!(game.verdict(), Some(Verdict::Passed));
		assert_eq!((all[0].free(), all[0].stake()), (FREE - BOND, STAKE * 3 / 4));
		assert_eq!((all_money(), BurntSum::get()), (money, 0));
	});
}

#[test]
fn who_does_not_post_its_blocks_should_be_silent() {
	for (posts, verdict) in
		[(Party::Accuser, Verdict::Unaudited), (Party::Executor, Verdict::Passed)]
	{
		with_game(|| {
			let (game, all) = outvoted();
			let said = [Said::FalseSums, Said::Right];
			let case = Case::new(&game, &all[0], Conduct::Honest, said);
			assert_ok!(case.open_by(&case.accuser));
			game.next_window();
			assert_ok!(case.nodes());
			game.next_window();
			assert_ok!(case.accuse());
			game.next_window();
			assert_ok!(case.defend());
			game.next_window();
			assert_ok!(case.reply());
			game.next_window();
			assert_ok!(case.blocks_of(posts));
			game.next_window();
			assert_eq!(game.verdict(), Some(verdict));
			let lost = if posts == Party::Accuser { 0 } else { 2 * BOND };
			assert_eq!(all[0].free(), FREE - lost);
		});
	}
}

#[test]
fn both_may_be_false() {
	with_game(|| {
		let (game, all) = outvoted();
		let money = all_money();
		let mut case = Case::new(&game, &all[0], Conduct::Honest, [Said::FalseSums; 2]);
		// Another false sum than the executor's.
		case.trace.blocks[BLOCK] = block_hash(&[1; BLOCK_ROWS]);
		case.trace.items[GATE] = merkle_root(&case.trace.blocks);
		assert_ok!(case.open_by(&case.accuser));
		to_proof(&[&case]);
		assert_ok!(case.prove(Party::Executor));
		assert_ok!(case.prove(Party::Accuser));
		refused(|| case.prove(Party::Accuser), Error::<Test>::AlreadyProven);
		game.next_window();
		assert_eq!(game.verdict(), Some(Verdict::Failed { stage: 0 }));
		assert_eq!((all[0].free(), all[0].stake()), (FREE - 2 * BOND, STAKE * 3 / 4));
		assert!(all[1..].iter().all(|one| (one.free(), one.stake()) == (FREE, STAKE)));
		assert_eq!(all_money(), money);
	});
}

#[test]
fn a_verdict_that_nobody_contests_should_be_carried_out() {
	with_game(|| {
		let (game, _) = convicted();
		game.next_window();
		assert_eq!(game.verdict(), Some(Verdict::Failed { stage: 0 }));
	});
}

#[test]
fn a_dispute_should_end_without_harm_when_its_record_is_pruned() {
	with_game(|| {
		let (game, all) = outvoted();
		let money = all_money();
		let case = Case::new(&game, &all[0], Conduct::Honest, [Said::Right; 2]);
		assert_ok!(case.open_by(&case.accuser));
		game.next_window();
		Records::mutate(|records| records.remove(&game.id));
		refused(|| case.nodes(), Error::<Test>::NoRecord);
		game.next_window();
		assert_eq!(game.verdict(), Some(Verdict::Unaudited));
		assert_eq!(all[0].free(), FREE);
		assert_eq!(Disputes::<Test>::iter().count(), 0);
		assert_eq!(all_money(), money);
	});
}

#[test]
fn open_dispute_should_be_for_whom_the_verdict_is_against() {
	with_game(|| {
		let (game, all) = outvoted();
		let case = Case::new(&game, &all[0], Conduct::Honest, [Said::Right; 2]);
		let echo = Case::new(&game, &all[1], Conduct::Echo, [Said::Right; 2]);
		refused(|| echo.open_by(&echo.accuser), Error::<Test>::NoAccusation);
		refused(|| case.open_by(&node(0)), Error::<Test>::NotYourDispute);
		refused(|| case.open_by(&account(99)), Error::<Test>::NotYourDispute);
		let unknown = Game::make(1, None, 9);
		assert_noop!(
			Verification::open_dispute(signed(&case.accuser), unknown.id, case.accuser.clone()),
			Error::<Test>::NoAudit
		);

		// What can't be computed here is not disputed.
		let model = H256::repeat_byte(7);
		Models::mutate(|models| models.clear());
		refused(|| case.open_by(&case.accuser), Error::<Test>::NotDisputable);
		let other = Manifest { numerics_version: 2, ..manifest() };
		Models::mutate(|models| models.insert(model, other));
		refused(|| case.open_by(&case.accuser), Error::<Test>::NotDisputable);
		Models::mutate(|models| models.insert(model, manifest()));

		// A stage that did not sign has said nothing.
		let mut entry = game.entry.clone();
		entry.signed_stages = 0b10;
		Records::mutate(|records| records.insert(game.id, entry));
		refused(|| case.open_by(&case.accuser), Error::<Test>::NoAccusation);
		Records::mutate(|records| records.insert(game.id, game.entry.clone()));

		let left = all[0].free() - ED;
		let keep = Preservation::Preserve;
		assert_ok!(<crate::mock::Balances as Mutate<_>>::transfer(
			&case.accuser,
			&gateway(),
			left,
			keep
		));
		refused(|| case.open_by(&case.accuser), TokenError::FundsUnavailable);
		mint(&case.accuser, ARIA);
		assert_ok!(case.open_by(&case.accuser));
		refused(|| case.open_by(&case.accuser), Error::<Test>::DisputeKnown);
		game.next_window();
		refused(|| case.open_by(&case.accuser), Error::<Test>::NotInWindow);
	});
	with_game(|| {
		let (game, all) = convicted();
		let case = Case::new(&game, &all[0], Conduct::Accuse(0), [Said::Right; 2]);
		refused(|| case.open_by(&case.accuser), Error::<Test>::NotYourDispute);
		assert_ok!(case.open_by(&node(0)));
	});
}

#[test]
fn posts_about_a_record_whose_verifiers_were_named_should_pay_for_their_place() {
	with_game(|| {
		let (game, all) = outvoted();
		let case = Case::new(&game, &all[0], Conduct::Honest, [Said::FalseSums, Said::Right]);
		assert_ok!(case.open_by(&case.accuser));
		crate::Audits::<Test>::mutate(game.id, |audit| {
			audit.as_mut().unwrap().stakes.named = Some(H256::repeat_byte(3));
		});
		game.next_window();
		let pays =
			|result: DispatchResultWithPostInfo| assert_eq!(result.unwrap().pays_fee, Pays::Yes);
		pays(case.nodes());
		game.next_window();
		pays(case.accuse());
		game.next_window();
		pays(case.defend());
		game.next_window();
		pays(case.reply());
		game.next_window();
		pays(case.blocks_of(Party::Executor));
		pays(case.blocks_of(Party::Accuser));
		game.next_window();
		pays(case.prove(Party::Executor));
		game.next_window();
		// What the chain has computed counts, whoever was named.
		assert_eq!(game.verdict(), Some(Verdict::Failed { stage: 0 }));
		assert_eq!(Faults::get(), [node(0)]);
		assert_eq!(Verification::tally(node(0), 3).failed, 1);
	});
}

#[test]
fn posts_should_be_what_they_were_committed_to() {
	with_game(|| {
		let (game, all) = outvoted();
		let case = Case::new(&game, &all[0], Conduct::Honest, [Said::FalseSums, Said::Right]);
		assert_ok!(case.open_by(&case.accuser));
		refused(|| case.nodes(), Error::<Test>::NotInWindow);
		game.next_window();

		let other = Case::new(&game, &all[1], Conduct::Honest, [Said::Right; 2]);
		refused(|| other.nodes(), Error::<Test>::NoDispute);
		refused(
			|| case.nodes_by(&case.accuser, case.theirs.clone()),
			Error::<Test>::NotYourDispute,
		);
		let short = case.theirs[1..].to_vec();
		refused(|| case.nodes_by(&node(0), short), Error::<Test>::HashCount);
		refused(|| case.nodes_by(&node(0), case.ours.clone()), Error::<Test>::NodesNotOfRecord);
		refused(|| case.accuse(), Error::<Test>::NotInWindow);
		assert_ok!(case.nodes());
		refused(|| case.nodes(), Error::<Test>::PostedAlready);
		game.next_window();

		let hash = case.leaf_fork().accuser.hash;
		refused(|| case.accuse_with(case.leaf_fork(), vec![hash; 2]), Error::<Test>::HashCount);
		// The second leaf differs, too, but is not the first that does.
		let late = Fork {
			index: 1,
			executor: Branch::of(&case.theirs, 1).unwrap(),
			accuser: Branch::of(&case.ours, 1).unwrap(),
		};
		refused(|| case.accuse_with(late, vec![case.ours[1]]), Error::<Test>::NoFork);
		refused(
			|| case.accuse_with(case.leaf_fork(), vec![H256::zero()]),
			Error::<Test>::LeavesMismatch,
		);
		assert_ok!(case.accuse());
		refused(|| case.accuse(), Error::<Test>::PostedAlready);
		game.next_window();

		let items = case.executor.items();
		refused(
			|| case.defend_with(&case.accuser, case.below(), items.clone()),
			Error::<Test>::NotYourDispute,
		);
		let few: Hashes = items[..10].to_vec().try_into().unwrap();
		refused(|| case.defend_with(&node(0), case.below(), few.clone()), Error::<Test>::HashCount);
		let mut fork = case.below();
		fork.index = 1;
		refused(|| case.defend_with(&node(0), fork, items), Error::<Test>::NoFork);
		assert_ok!(case.defend());
		refused(|| case.defend(), Error::<Test>::PostedAlready);
		assert!(matches!(case.dispute().step, Step::Defence { position: 0, .. }));
		game.next_window();

		let reply = |items| Verification::reply_trace(signed(&case.accuser), game.id, items);
		refused(|| reply(few), Error::<Test>::HashCount);
		assert_ok!(case.reply());
		refused(|| case.reply(), Error::<Test>::PostedAlready);
		game.next_window();

		let (right, fork) = (case.trace.blocks(), || case.item_fork());
		refused(
			|| case.blocks_with(&account(99), fork(), right.clone()),
			Error::<Test>::NotYourDispute,
		);
		let mut bad = fork();
		bad.executor.path = Default::default();
		refused(|| case.blocks_with(&case.accuser, bad, right.clone()), Error::<Test>::NoFork);
		let few: Hashes = right[..2].to_vec().try_into().unwrap();
		refused(|| case.blocks_with(&case.accuser, fork(), few), Error::<Test>::HashCount);
		let theirs = case.executor.blocks();
		refused(|| case.blocks_with(&case.accuser, fork(), theirs), Error::<Test>::BlocksMismatch);
		assert_ok!(case.blocks_of(Party::Accuser));
		refused(|| case.blocks_of(Party::Accuser), Error::<Test>::PostedAlready);
		assert_ok!(case.blocks_of(Party::Executor));
		refused(|| case.prove(Party::Executor), Error::<Test>::NotInWindow);
		game.next_window();

		let with = |change: &dyn Fn(&mut BlockProof)| {
			let mut proof = case.proof(Party::Executor);
			change(&mut proof);
			case.prove_with(Party::Executor, proof)
		};
		refused(|| with(&|proof| proof.block = 3), Error::<Test>::BlockMismatch);
		refused(|| with(&|proof| proof.hash = H256::zero()), Error::<Test>::BlockMismatch);
		refused(|| with(&|proof| proof.inputs[9] ^= 1), Error::<Test>::InputMismatch);
		refused(
			|| with(&|proof| proof.inputs_path = Default::default()),
			Error::<Test>::InputMismatch,
		);
		refused(|| with(&|proof| proof.weights[9] ^= 1), Error::<Test>::WeightMismatch);
		refused(
			|| with(&|proof| proof.weights = Default::default()),
			Error::<Test>::WeightMismatch,
		);
		refused(|| case.prove(Party::Accuser), Error::<Test>::NotFalse);
		Models::mutate(|models| models.clear());
		refused(|| case.prove(Party::Executor), Error::<Test>::NotDisputable);
		Models::mutate(|models| models.insert(H256::repeat_byte(7), manifest()));
		assert_ok!(case.prove(Party::Executor));
		game.next_window();
		assert_eq!(game.verdict(), Some(Verdict::Failed { stage: 0 }));
	});
}
