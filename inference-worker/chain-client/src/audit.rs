//! Audits of drawn records (`docs/protocol/audit.md`): what `pallet-verification` keeps of them, and
//! reading it.

use crate::{
	chain::{decode, At, Chain},
	error::ChainError,
	keys,
};
use aria_primitives::{
	audit::{AuditParams, FindingKind, Sealed, Verdict},
	traits::RecordStakes,
	AccountId, Balance, BlockNumber, EpochIndex, Ppm, RecordId,
};
use codec::{Decode, Encode};
use sp_core::{sr25519, H256};

const PALLET: &str = "Verification";
/// Most audits that are read: 10,000 wait at most, and a block takes on 64, for windows of 2,400 blocks at
/// most.
const MAX_AUDITS: usize = 10_000 + 64 * 2_401;
/// Most verifiers that are read.
const MAX_VERIFIERS: usize = 10_000;
/// Most seats of one audit that are read.
const MAX_SEATS: usize = 256;
/// Values that are read with one request.
const CHUNK: usize = 200;

/// The window that an audit is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Phase {
	/// It has not begun.
	#[codec(index = 0)]
	Waiting,
	/// Verifiers commit, or say that they are not answered.
	#[codec(index = 1)]
	Commit,
	/// The gateway answers those who say so.
	#[codec(index = 2)]
	Rebut,
	/// Those commit.
	#[codec(index = 3)]
	Answer,
	/// Verifiers say what they committed to.
	#[codec(index = 4)]
	Reveal,
	/// Verifiers open leaves.
	#[codec(index = 5)]
	Open,
	/// Whoever made a canary may show it.
	#[codec(index = 6)]
	Canary,
	/// Whom the verdict is against may contest it (`docs/protocol/dispute.md`).
	#[codec(index = 7)]
	Dispute,
	/// Executors post the nodes of their boundaries.
	#[codec(index = 8)]
	Nodes,
	/// Accusers say below which node theirs differ first.
	#[codec(index = 9)]
	Leaf,
	/// Executors say at which leaf, and post their traces.
	#[codec(index = 10)]
	Defence,
	/// Accusers post theirs.
	#[codec(index = 11)]
	Reply,
	/// Both post the blocks of the first sums that differ.
	#[codec(index = 12)]
	Blocks,
	/// Anybody proves a block false.
	#[codec(index = 13)]
	Proof,
}

/// A canary that was shown.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct ShownCanary {
	/// The stage that is false, from 0.
	pub stage: u16,
	/// Who made it.
	pub maker: AccountId,
	/// Who committed to it.
	pub by: AccountId,
	/// On hold, in planck.
	pub bond: Balance,
	/// Whether its maker's right was used for another one before.
	pub unpaid: bool,
}

/// `Verification.Audits`: an audit that is not over.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Audit {
	/// The epoch that settled the record.
	pub epoch: EpochIndex,
	/// How probable the draw was, in parts per million.
	pub probability_ppm: Ppm,
	/// What hangs on the record.
	pub stakes: RecordStakes,
	/// Parameters, as they were when it began.
	pub params: AuditParams,
	/// The round, from 0.
	pub round: u8,
	/// The epoch in which the round began.
	pub round_epoch: EpochIndex,
	/// What the seats of the round are drawn by.
	pub seed: H256,
	/// What all verifiers had at stake when the round began, in planck.
	pub total: Balance,
	/// What positions are picked by, from [`Phase::Open`] on.
	pub beacon: H256,
	/// The window.
	pub phase: Phase,
	/// The last block of the window.
	pub until: BlockNumber,
	/// The block that ends the window.
	pub due: BlockNumber,
	/// Seats of this round that committed.
	pub committed: u32,
	/// Seats of this round that say that they are not answered.
	pub claimed: u32,
	/// Seats of this round that said so, were answered on chain, and have not committed.
	pub rebutted: u32,
	/// Seats of this round that revealed.
	pub revealed: u32,
	/// What the seats said, once they have.
	pub verdict: Option<Verdict>,
	/// What they found in place of the boundary of the stage that failed.
	pub root: H256,
	/// The canary, once it was shown.
	pub canary: Option<ShownCanary>,
}

/// What a seat has said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub enum SeatState {
	/// That it is not answered.
	#[codec(index = 0)]
	Claimed,
	/// That, and it was answered on chain.
	#[codec(index = 1)]
	Rebutted,
	/// A commitment.
	#[codec(index = 2)]
	Committed {
		/// It.
		commitment: H256,
	},
	/// What it committed to.
	#[codec(index = 3)]
	Revealed {
		/// The root over its own trees.
		root: H256,
		/// What it found.
		finding: FindingKind,
	},
	/// What it found, and that it ran the record.
	#[codec(index = 4)]
	Counted {
		/// What it found.
		finding: FindingKind,
	},
}

/// `Verification.Seats`: a verifier's seat in an audit.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Seat {
	/// In which round.
	pub round: u8,
	/// The VRF's output that it was won by.
	pub output: [u8; 32],
	/// On hold for it, in planck.
	pub bond: Balance,
	/// What it has said.
	pub state: SeatState,
}

/// `Verification.Verifiers`: a worker that runs others' records again.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct VerifierInfo {
	/// The key of its lots and of what is handed to it.
	pub key: sr25519::Public,
	/// What counts of its stake, in planck.
	pub weight: Balance,
	/// The first epoch whose rounds it may sit in.
	pub from: EpochIndex,
	/// Its seats in audits that have no verdict.
	pub seats: u32,
	/// Fees of the last while that are not paid, in planck.
	pub owed: Balance,
	/// Fees of the while before, in planck.
	pub ripening: Balance,
	/// The block from which on those are paid.
	pub ripe_at: BlockNumber,
	/// The last epoch whose right to make a canary was used.
	pub canary: Option<EpochIndex>,
}

/// What rights to make a canary are drawn by in an epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct CanaryLots {
	/// The epoch.
	pub epoch: EpochIndex,
	/// The seed.
	pub seed: H256,
	/// Audits that began in the epoch before.
	pub audits: u32,
	/// What all verifiers had at stake, in planck.
	pub total: Balance,
}

/// `Verification.Terms`: what an epoch began with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct EpochTerms {
	/// The numbers of the game.
	pub params: AuditParams,
	/// Rights to make a canary.
	pub lots: CanaryLots,
}

/// `Verification.Canaries`: a canary that was committed to and not shown.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct CanaryInfo {
	/// Who committed.
	pub by: AccountId,
	/// When.
	pub at: BlockNumber,
	/// On hold, in planck.
	pub bond: Balance,
	/// What the right to make it was drawn by.
	pub lots: CanaryLots,
}

/// `Epoch` of `BabeApi`, as far as anybody here looks at it.
#[derive(Decode)]
struct BabeEpoch {
	_index: u64,
	start_slot: u64,
	duration: u64,
	_authorities: Vec<([u8; 32], u64)>,
	_randomness: [u8; 32],
	_c: (u64, u64),
	_allowed_slots: u8,
}

impl Chain {
	/// What the epoch of a block began with; `None` before the first.
	///
	/// # Errors
	/// Those of all reads.
	pub async fn epoch_terms(&self, at: At) -> Result<Option<EpochTerms>, ChainError> {
		self.storage("Verification.Terms", keys::item(PALLET, "Terms"), at).await
	}

	/// A canary that was committed to and not shown.
	///
	/// # Errors
	/// Those of all reads.
	pub async fn canary(&self, hash: H256, at: At) -> Result<Option<CanaryInfo>, ChainError> {
		let key = keys::identity(PALLET, "Canaries", hash.as_bytes());
		self.storage("Verification.Canaries", key, at).await
	}

	/// Slots that are left of the epoch of a block, those that are late not counted.
	///
	/// # Errors
	/// Those of all reads.
	pub async fn slots_left(&self, at: At) -> Result<u64, ChainError> {
		let block = At::Block(self.fixed_hash(at).await?);
		let epoch: BabeEpoch = self.api("BabeApi_current_epoch", Vec::new(), block).await?;
		let slot = keys::item("Babe", "CurrentSlot");
		let slot: Option<u64> = self.storage("Babe.CurrentSlot", slot, block).await?;
		let end = epoch.start_slot.saturating_add(epoch.duration);
		Ok(end.saturating_sub(slot.unwrap_or(end)))
	}

	/// All verifiers, in no order.
	///
	/// # Errors
	/// Those of all reads.
	pub async fn verifiers(&self, at: At) -> Result<Vec<(AccountId, VerifierInfo)>, ChainError> {
		let prefix = keys::item(PALLET, "Verifiers");
		self.entries("Verification.Verifiers", &prefix, MAX_VERIFIERS, at, |key| {
			key.last_chunk::<32>().copied().map(AccountId::new)
		})
		.await
	}

	/// The audits that are not over, in no order.
	///
	/// # Errors
	/// Those of all reads.
	pub async fn audits(&self, at: At) -> Result<Vec<(RecordId, Audit)>, ChainError> {
		let prefix = keys::item(PALLET, "Audits");
		self.entries("Verification.Audits", &prefix, MAX_AUDITS, at, |key| {
			key.last_chunk::<32>().copied().map(RecordId::from)
		})
		.await
	}

	/// The audit of a record, while it is not over.
	///
	/// # Errors
	/// Those of all reads.
	pub async fn audit(&self, record: RecordId, at: At) -> Result<Option<Audit>, ChainError> {
		let key = keys::identity(PALLET, "Audits", record.as_bytes());
		self.storage("Verification.Audits", key, at).await
	}

	/// Who has said something in the audit of a record, in no order.
	///
	/// # Errors
	/// Those of all reads.
	pub async fn seats(
		&self,
		record: RecordId,
		at: At,
	) -> Result<Vec<(AccountId, Seat)>, ChainError> {
		let prefix = keys::identity(PALLET, "Seats", record.as_bytes());
		self.entries("Verification.Seats", &prefix, MAX_SEATS, at, |key| {
			key.last_chunk::<32>().copied().map(AccountId::new)
		})
		.await
	}

	/// What a verifier is registered with.
	///
	/// # Errors
	/// Those of all reads.
	pub async fn verifier(
		&self,
		account: &AccountId,
		at: At,
	) -> Result<Option<VerifierInfo>, ChainError> {
		self.entry_of(PALLET, "Verifiers", account, at).await
	}

	/// A hand-over that was posted for `verifier` in one of the last `blocks` blocks and that `accepts`, the
	/// latest if there are several. The chain keeps it in the block's body alone, where anybody can put
	/// another one beside it, in a call that fails.
	///
	/// # Errors
	/// Those of all reads.
	pub async fn posted_handover(
		&self,
		record: RecordId,
		verifier: &AccountId,
		blocks: BlockNumber,
		accepts: impl Fn(&Sealed) -> bool,
	) -> Result<Option<Sealed>, ChainError> {
		let arguments = (record, verifier).encode();
		self.posted("post_handover", &arguments, blocks, accepts).await
	}

	/// What stands behind `arguments` in the latest call of that name within the last `blocks` blocks that
	/// `accepts`: what a call posts lies in the block's body alone. The call may have failed.
	pub(crate) async fn posted<T: Decode>(
		&self,
		call: &str,
		arguments: &[u8],
		blocks: BlockNumber,
		accepts: impl Fn(&T) -> bool,
	) -> Result<Option<T>, ChainError> {
		let runtime = self.session().await?.runtime;
		let index = runtime.call_index(PALLET, call).map_err(|error| ChainError::BadAnswer {
			method: call.to_owned(),
			reason: error.to_string(),
		})?;
		// The call may lie within others, in a batch say.
		let beginning = [index.as_slice(), arguments].concat();
		let best = self.header(At::Best).await?.number;
		for number in (best.saturating_sub(blocks)..=best).rev() {
			let Some(hash) = self.block_hash(number).await? else { continue };
			let block = self
				.read("chain_getBlock", |session| async move {
					session.methods.chain_get_block(Some(hash)).await
				})
				.await?;
			let transactions = block.into_iter().flat_map(|details| details.block.extrinsics);
			let found =
				transactions.filter_map(|bytes| behind(&bytes.0, &beginning, &accepts)).next_back();
			if found.is_some() {
				return Ok(found);
			}
		}
		Ok(None)
	}

	/// The entries of a map whose keys begin with `prefix`; `name` reads a key's end. An error where there
	/// are more than `most`: who is bound by what it said on chain may not take a part for all of it.
	pub(crate) async fn entries<K, V: codec::DecodeAll>(
		&self,
		what: &str,
		prefix: &[u8],
		most: usize,
		at: At,
		name: impl Fn(&[u8]) -> Option<K>,
	) -> Result<Vec<(K, V)>, ChainError> {
		let block = self.fixed_hash(at).await?;
		let keys = self.keys_under(prefix, most.saturating_add(1), block).await?;
		if keys.len() > most {
			let reason = format!("there are more than {most} entries");
			return Err(ChainError::BadAnswer { method: what.to_owned(), reason });
		}
		let mut entries = Vec::with_capacity(keys.len());
		for chunk in keys.chunks(CHUNK) {
			let values = self.values(chunk, block).await?;
			for key in chunk {
				let (Some(name), Some(bytes)) = (name(key), values.get(key)) else { continue };
				entries.push((name, decode(what, bytes)?));
			}
		}
		Ok(entries)
	}
}

/// What stands behind `beginning` in a transaction, the first that is `accepted`.
fn behind<T: Decode>(
	transaction: &[u8],
	beginning: &[u8],
	accepted: impl Fn(&T) -> bool,
) -> Option<T> {
	let places = transaction.windows(beginning.len().max(1)).enumerate();
	places
		.filter(|(_, part)| *part == beginning)
		.filter_map(|(place, _)| {
			let mut rest = transaction.get(place.checked_add(beginning.len())?..)?;
			T::decode(&mut rest).ok()
		})
		.find(accepted)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;
	use crate::fit::COMMITTED;
	use aria_primitives::traits::StageStake;
	use subxt::{
		ext::scale_value::{scale::decode_as_type, Composite, Value, ValueDef},
		Metadata,
	};

	/// Names of the fields of a value as the committed metadata reads its bytes.
	fn names(entry: &str, bytes: &[u8]) -> Vec<String> {
		let metadata = Metadata::decode_from(COMMITTED).unwrap();
		let storage = metadata.pallet_by_name(PALLET).unwrap().storage().unwrap();
		let ty = storage.entry_by_name(entry).unwrap().value_ty();
		let mut bytes = bytes;
		let value: Value<u32> = decode_as_type(&mut bytes, ty, metadata.types()).unwrap();
		assert!(bytes.is_empty(), "{entry} is shorter on the chain");
		match value.value {
			ValueDef::Composite(Composite::Named(fields)) => {
				fields.into_iter().map(|(name, _)| name).collect()
			}
			_ => Vec::new(),
		}
	}

	#[test]
	fn audits_should_be_read_as_the_chain_writes_them() {
		let audit = Audit {
			epoch: 1,
			probability_ppm: 2,
			stakes: RecordStakes {
				stages: vec![StageStake::default()].try_into().unwrap(),
				named: Some(H256::repeat_byte(3)),
				price: 14,
				cost: 15,
				stake: 16,
			},
			params: AuditParams::DEFAULT,
			round: 1,
			round_epoch: 4,
			seed: H256::repeat_byte(5),
			total: 6,
			beacon: H256::repeat_byte(7),
			phase: Phase::Reveal,
			until: 8,
			due: 9,
			committed: 10,
			claimed: 11,
			rebutted: 12,
			revealed: 13,
			verdict: Some(Verdict::Failed { stage: 1 }),
			root: H256::repeat_byte(17),
			canary: Some(ShownCanary {
				stage: 1,
				maker: AccountId::new([1; 32]),
				by: AccountId::new([2; 32]),
				bond: 2,
				unpaid: false,
			}),
		};
		let expected = [
			"epoch",
			"probability_ppm",
			"stakes",
			"params",
			"round",
			"round_epoch",
			"seed",
			"total",
			"beacon",
			"phase",
			"until",
			"due",
			"committed",
			"claimed",
			"rebutted",
			"revealed",
			"verdict",
			"root",
			"canary",
		];
		assert_eq!(names("Audits", &audit.encode()), expected);
	}

	#[test]
	fn seats_and_verifiers_should_be_read_as_the_chain_writes_them() {
		for state in [
			SeatState::Claimed,
			SeatState::Rebutted,
			SeatState::Committed { commitment: H256::zero() },
			SeatState::Revealed { root: H256::zero(), finding: FindingKind::Output },
			SeatState::Counted { finding: FindingKind::Boundary { index: 3, root: H256::zero() } },
		] {
			let seat = Seat { round: 1, output: [2; 32], bond: 3, state };
			assert_eq!(names("Seats", &seat.encode()), ["round", "output", "bond", "state"]);
		}
		let key = sr25519::Public::from_raw([1; 32]);
		let info = VerifierInfo {
			key,
			weight: 2,
			from: 3,
			seats: 4,
			owed: 5,
			ripening: 6,
			ripe_at: 7,
			canary: Some(8),
		};
		let expected = ["key", "weight", "from", "seats", "owed", "ripening", "ripe_at", "canary"];
		assert_eq!(names("Verifiers", &info.encode()), expected);
	}

	#[test]
	fn canaries_and_terms_should_be_read_as_the_chain_writes_them() {
		let lots = CanaryLots { epoch: 1, seed: H256::repeat_byte(2), audits: 3, total: 4 };
		let info = CanaryInfo { by: AccountId::new([5; 32]), at: 6, bond: 7, lots };
		assert_eq!(names("Canaries", &info.encode()), ["by", "at", "bond", "lots"]);
		let terms = EpochTerms { params: AuditParams::DEFAULT, lots };
		assert_eq!(names("Terms", &terms.encode()), ["params", "lots"]);
	}

	#[test]
	fn a_posted_hand_over_should_be_found_within_other_calls() {
		let sealed = Sealed { ephemeral: [5; 32], bytes: vec![1, 2, 3].try_into().unwrap() };
		let beginning = ([7u8, 8], H256::repeat_byte(1), AccountId::new([2; 32])).encode();
		let mut transaction = vec![9; 40];
		transaction.extend(&beginning);
		transaction.extend(sealed.encode());
		transaction.extend([1; 8]);
		assert_eq!(behind(&transaction, &beginning, |_: &Sealed| true), Some(sealed));
		assert_eq!(behind(&transaction[..90], &beginning, |_: &Sealed| true), None);
		assert_eq!(behind(&[], &beginning, |_: &Sealed| true), None);
		assert_eq!(behind(&transaction, &beginning, |_: &Sealed| false), None);
	}
}
