//! What executors, accusers, and whoever proves something post within the windows of a dispute.
//!
//! Everything that a few reads refuse is refused before anything is hashed. What was posted lies in the
//! block's body; the state keeps roots.

use crate::{
	audit::types::{Phase, Seat, SeatState},
	pallet::{Audits, Config, Disputes, Error, Event, HoldReason, Pallet, Seats},
};
use aria_math::bitlinear::{sums, Packing};
use aria_primitives::{
	audit::{leaves, FindingKind, Verdict},
	dispute::{
		block_hash, is_disputable, item_count, leaves_below, node_count, node_height, sums_of,
		BlockProof, Dispute, Fork, Hashes, Manifests, Matrix, Pair, Party, ProofFault, Standing,
		Step, Sums,
	},
	hashing::merkle_root,
	manifest::{Encoding, Manifest},
	record::{boundary, LayerRange, RecordEntry},
	traits::Ledger,
	AccountId, RecordId,
};
use frame_support::{dispatch::Pays, ensure, traits::fungible::MutateHold};
use sp_core::H256;
use sp_runtime::{DispatchError, DispatchResult};

impl<T: Config> Pallet<T> {
	/// Which stage a counted seat accuses by a boundary, and what it found in its place.
	pub(crate) fn accusation(record: &RecordEntry, seat: &Seat) -> Option<(u16, H256)> {
		match seat.state {
			SeatState::Counted { finding: FindingKind::Boundary { index, root } } => {
				let stage = index.checked_sub(1)?;
				Self::stage_signed(record, stage).then_some((stage, root))
			}
			_ => None,
		}
	}

	pub(crate) fn do_open_dispute(
		id: RecordId,
		caller: &AccountId,
		accuser: AccountId,
	) -> DispatchResult {
		let audit = Audits::<T>::get(id).ok_or(Error::<T>::NoAudit)?;
		ensure!(Self::is_in(&audit, Phase::Dispute), Error::<T>::NotInWindow);
		let seat = Seats::<T>::get(id, &accuser).ok_or(Error::<T>::NoAccusation)?;
		let record = T::Ledger::get(&id).ok_or(Error::<T>::NoRecord)?;
		let (stage, root) = Self::accusation(&record, &seat).ok_or(Error::<T>::NoAccusation)?;
		// Whom the verdict is against.
		let is_right = audit.verdict == Some(Verdict::Failed { stage }) && audit.root == root;
		let by = if is_right { Party::Executor } else { Party::Accuser };
		let opener = match by {
			Party::Executor => Self::executor(&record, stage)?,
			Party::Accuser => &accuser,
		};
		ensure!(caller == opener, Error::<T>::NotYourDispute);
		ensure!(!Disputes::<T>::contains_key(id, &accuser), Error::<T>::DisputeKnown);
		let layers = Self::layers(&record, stage)?;
		let leaves = leaves(&record.body, stage.saturating_add(1));
		let manifest = Self::manifest(&record)?;
		ensure!(is_disputable(&manifest, &layers, leaves), Error::<T>::NotDisputable);

		let bond = audit.params.commit_bond;
		T::Currency::hold(&HoldReason::Dispute.into(), opener, bond)?;
		let (stands, step) = (Standing::Stands, Step::Open);
		let dispute = Dispute {
			by,
			opener: opener.clone(),
			bond,
			stage,
			root,
			executor: stands,
			accuser: stands,
			step,
		};
		Disputes::<T>::insert(id, &accuser, dispute);
		Self::deposit_event(Event::DisputeOpened { id, accuser, stage, by });
		Ok(())
	}

	pub(crate) fn do_post_nodes(
		id: RecordId,
		caller: &AccountId,
		accuser: AccountId,
		nodes: &Hashes,
	) -> DispatchResult {
		let (record, mut dispute) = Self::disputed(&id, &accuser, Phase::Nodes)?;
		ensure!(caller == Self::executor(&record, dispute.stage)?, Error::<T>::NotYourDispute);
		ensure!(dispute.step == Step::Open, Error::<T>::PostedAlready);
		let (index, count) = Self::boundary_of(&record, &dispute);
		let expected = node_count(count, node_height(count));
		ensure!(nodes.len() as u64 == u64::from(expected), Error::<T>::HashCount);
		let root = merkle_root(nodes);
		let made = boundary(index, &root, &record.body.query_hash);
		let is_own = record.body.boundaries.get(usize::from(index)) == Some(&made);
		ensure!(is_own, Error::<T>::NodesNotOfRecord);
		dispute.step = Step::Nodes { roots: Pair { executor: root, accuser: dispute.root } };
		Self::post(id, accuser, dispute, Party::Executor)
	}

	pub(crate) fn do_accuse_leaf(
		id: RecordId,
		accuser: AccountId,
		fork: &Fork,
		below: &Hashes,
	) -> DispatchResult {
		let (record, mut dispute) = Self::disputed(&id, &accuser, Phase::Leaf)?;
		let Step::Nodes { roots } = dispute.step else {
			return Err(Error::<T>::PostedAlready.into());
		};
		let (_, leaves) = Self::boundary_of(&record, &dispute);
		let height = node_height(leaves);
		let (first, count) = leaves_below(leaves, height, fork.index);
		ensure!(below.len() as u64 == u64::from(count), Error::<T>::HashCount);
		ensure!(fork.is_first(&roots, node_count(leaves, height)), Error::<T>::NoFork);
		ensure!(merkle_root(below) == fork.accuser.hash, Error::<T>::LeavesMismatch);
		dispute.step = Step::Leaf { first, count, nodes: fork.hashes() };
		Self::post(id, accuser, dispute, Party::Accuser)
	}

	pub(crate) fn do_defend_leaf(
		id: RecordId,
		caller: &AccountId,
		accuser: AccountId,
		fork: &Fork,
		items: &Hashes,
	) -> DispatchResult {
		let (record, mut dispute) = Self::disputed(&id, &accuser, Phase::Defence)?;
		ensure!(caller == Self::executor(&record, dispute.stage)?, Error::<T>::NotYourDispute);
		let Step::Leaf { first, count, nodes } = dispute.step else {
			return Err(Error::<T>::PostedAlready.into());
		};
		Self::ensure_items(&record, &dispute, items)?;
		ensure!(fork.is_first(&nodes, count), Error::<T>::NoFork);
		let body = &record.body;
		let leaf = first.saturating_add(fork.index);
		let is_last = usize::from(dispute.stage).saturating_add(1) == body.stages.len();
		let begin = if is_last { body.prompt_tokens.saturating_sub(1) } else { 0 };
		let position = begin.saturating_add(leaf);
		dispute.step = Step::Defence { position, trace: merkle_root(items) };
		Self::post(id, accuser, dispute, Party::Executor)
	}

	pub(crate) fn do_reply_trace(
		id: RecordId,
		accuser: AccountId,
		items: &Hashes,
	) -> DispatchResult {
		let (record, mut dispute) = Self::disputed(&id, &accuser, Phase::Reply)?;
		let Step::Defence { position, trace } = dispute.step else {
			return Err(Error::<T>::PostedAlready.into());
		};
		Self::ensure_items(&record, &dispute, items)?;
		let traces = Pair { executor: trace, accuser: merkle_root(items) };
		dispute.step = Step::Traces { position, traces };
		Self::post(id, accuser, dispute, Party::Accuser)
	}

	pub(crate) fn do_post_blocks(
		id: RecordId,
		caller: &AccountId,
		accuser: AccountId,
		fork: &Fork,
		blocks: &Hashes,
	) -> DispatchResult {
		let (record, mut dispute) = Self::disputed(&id, &accuser, Phase::Blocks)?;
		let party = if *caller == accuser {
			Party::Accuser
		} else {
			ensure!(caller == Self::executor(&record, dispute.stage)?, Error::<T>::NotYourDispute);
			Party::Executor
		};
		let (position, traces, mut executor, mut accuser_did) = match dispute.step {
			Step::Traces { position, traces } => (position, traces, false, false),
			Step::Blocks { position, traces, executor, accuser, .. } => {
				(position, traces, executor, accuser)
			}
			_ => return Err(Error::<T>::PostedAlready.into()),
		};
		let posted = match party {
			Party::Executor => &mut executor,
			Party::Accuser => &mut accuser_did,
		};
		ensure!(!*posted, Error::<T>::PostedAlready);
		*posted = true;
		let layers = Self::layers(&record, dispute.stage)?;
		ensure!(fork.is_first(&traces, item_count(&layers)), Error::<T>::NoFork);
		let (_, matrix) = Self::matrix(&record, &layers, fork.index)?;
		ensure!(blocks.len() as u64 == u64::from(matrix.blocks), Error::<T>::HashCount);
		let pair = fork.hashes();
		ensure!(merkle_root(blocks) == *pair.of(party), Error::<T>::BlocksMismatch);
		dispute.step = Step::Blocks {
			position,
			traces,
			item: fork.index,
			sums: pair,
			executor,
			accuser: accuser_did,
		};
		Self::post(id, accuser, dispute, party)
	}

	pub(crate) fn do_prove_false(
		id: RecordId,
		accuser: AccountId,
		against: Party,
		proof: &BlockProof,
	) -> DispatchResult {
		let (record, mut dispute) = Self::disputed(&id, &accuser, Phase::Proof)?;
		let Step::Blocks { traces, item, sums: pair, .. } = dispute.step else {
			return Err(Error::<T>::NoDispute.into());
		};
		let stands = dispute.standing(against) == Standing::Stands;
		ensure!(stands, Error::<T>::AlreadyProven);
		let layers = Self::layers(&record, dispute.stage)?;
		let (place, matrix) = Self::matrix(&record, &layers, item)?;
		let (posted, items) = (pair.of(against), item_count(&layers));
		proof.check(&matrix, posted, &traces.executor, place.input, items).map_err(|fault| {
			match fault {
				ProofFault::Block => Error::<T>::BlockMismatch,
				ProofFault::Inputs => Error::<T>::InputMismatch,
				ProofFault::Weights => Error::<T>::WeightMismatch,
			}
		})?;
		let packing = match matrix.encoding {
			Encoding::Ternary5 => Packing::Ternary5,
			_ => Packing::Ternary2,
		};
		// A manifest may name bytes that stand for no weights: they prove nothing.
		let right = sums(packing, &proof.weights, proof.values())
			.map_err(|_| Error::<T>::WeightMismatch)?;
		ensure!(block_hash(&right) != proof.hash, Error::<T>::NotFalse);
		dispute.find(against, Standing::False);
		Disputes::<T>::insert(id, &accuser, dispute);
		Self::deposit_event(Event::DisputeProven { id, accuser, against });
		Ok(())
	}

	/// Whether what was posted in an audit pays the fee of its place in the block. Where the requester named
	/// who audits, both sides may be one person's, who could fill blocks for nothing.
	pub(crate) fn fee_of_post(id: &RecordId) -> Pays {
		match Audits::<T>::get(id) {
			Some(audit) if audit.stakes.named.is_none() => Pays::No,
			_ => Pays::Yes,
		}
	}

	/// The dispute of `accuser`, if it goes on and this is its window, and the record.
	fn disputed(
		id: &RecordId,
		accuser: &AccountId,
		phase: Phase,
	) -> Result<(RecordEntry, Dispute), DispatchError> {
		let audit = Audits::<T>::get(id).ok_or(Error::<T>::NoAudit)?;
		ensure!(Self::is_in(&audit, phase), Error::<T>::NotInWindow);
		let dispute = Disputes::<T>::get(id, accuser)
			.filter(|dispute| dispute.step != Step::Over)
			.ok_or(Error::<T>::NoDispute)?;
		let record = T::Ledger::get(id).ok_or(Error::<T>::NoRecord)?;
		Ok((record, dispute))
	}

	/// Writes down what `party` has posted.
	fn post(id: RecordId, accuser: AccountId, dispute: Dispute, party: Party) -> DispatchResult {
		Disputes::<T>::insert(id, &accuser, dispute);
		Self::deposit_event(Event::DisputePosted { id, accuser, by: party });
		Ok(())
	}

	/// The node of a stage.
	fn executor(record: &RecordEntry, stage: u16) -> Result<&AccountId, Error<T>> {
		let stage = record.body.stages.get(usize::from(stage));
		stage.map(|stage| &stage.node).ok_or(Error::<T>::NotAStage)
	}

	fn layers(record: &RecordEntry, stage: u16) -> Result<LayerRange, Error<T>> {
		let stage = record.body.stages.get(usize::from(stage));
		stage.map(|stage| stage.layers).ok_or(Error::<T>::NotAStage)
	}

	fn manifest(record: &RecordEntry) -> Result<Manifest, Error<T>> {
		T::Manifests::manifest(&record.body.model_id).ok_or(Error::<T>::NotDisputable)
	}

	/// The number of the boundary behind the stage, and how many leaves it has.
	fn boundary_of(record: &RecordEntry, dispute: &Dispute) -> (u16, u32) {
		let index = dispute.stage.saturating_add(1);
		(index, leaves(&record.body, index))
	}

	fn ensure_items(record: &RecordEntry, dispute: &Dispute, items: &Hashes) -> DispatchResult {
		let expected = item_count(&Self::layers(record, dispute.stage)?);
		ensure!(items.len() as u64 == u64::from(expected), Error::<T>::HashCount);
		Ok(())
	}

	/// Whose sums an item is, and the matrix that makes them.
	fn matrix(
		record: &RecordEntry,
		layers: &LayerRange,
		item: u32,
	) -> Result<(Sums, Matrix), Error<T>> {
		let sums = sums_of(layers, item).ok_or(Error::<T>::NotIntegers)?;
		let manifest = Self::manifest(record)?;
		let matrix = Matrix::of(&manifest, sums.layer, sums.role);
		Ok((sums, matrix.ok_or(Error::<T>::NotDisputable)?))
	}
}
