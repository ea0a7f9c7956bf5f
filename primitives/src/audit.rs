//! Audits: seats, commitments, findings, openings (`docs/protocol/audit.md`; paper, 3.2 and 5.3).
//!
//! The chain and the verifiers use the same functions: what one computes, the other checks.

use crate::{
	hashing::{domain_hash, leaf_hash, sha256, verify_merkle_proof},
	query::CanonicalQuery,
	record::{boundary, RecordBody, MAX_STAGES},
	AccountId, Balance, BlockNumber, EpochIndex, Ppm, RecordId, ARIA, PPM,
};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_core::{
	crypto::VrfPublic,
	sr25519::{
		self,
		vrf::{VrfInput, VrfSignature, VrfTranscript},
	},
	ConstU32, H256, U256,
};
use sp_runtime::BoundedVec;

/// Domain of a verifier's commitment, and label of the transcript that its seats are drawn by.
pub const AUDIT_DOMAIN: &[u8] = b"aria/audit/v1";
/// Context of the bytes that a seat's VRF gives.
pub const SEAT_CONTEXT: &[u8] = b"aria/audit/seat/v1";
/// Domain of the seed of a round.
pub const SEED_DOMAIN: &[u8] = b"aria/audit/seed/v1";
/// Domain of the positions that are opened.
pub const OPEN_DOMAIN: &[u8] = b"aria/audit/open/v1";
/// Domain of the commitment to a canary, and label of the transcript that rights to make one are drawn
/// by.
pub const CANARY_DOMAIN: &[u8] = b"aria/canary/v1";
/// Context of the bytes that the VRF of such a right gives.
pub const CANARY_CONTEXT: &[u8] = b"aria/canary/right/v1";
/// Domain of the seed of an epoch's rights.
pub const CANARY_SEED_DOMAIN: &[u8] = b"aria/canary/seed/v1";

/// Most seats of a round.
pub const MAX_SEATS: u32 = 64;
/// Rounds of an audit: the draw's, the second, and the review of a canary that was passed.
pub const MAX_ROUNDS: u32 = 3;
/// The round in which a canary that was passed is looked at again.
pub const REVIEW_ROUND: u8 = 2;
/// Most positions that a verifier opens.
pub const MAX_OPENINGS: u32 = 8;
/// Most bytes of a leaf that is opened.
pub const MAX_LEAF_BYTES: u32 = 64 * 1024;
/// Most hashes of a path: of a tree over every position that a `u32` counts.
pub const MAX_PATH: u32 = 32;
/// Most bytes of a hand-over that a gateway posts.
pub const MAX_HANDOVER_BYTES: u32 = 64 * 1024;
/// Most verifiers that a requester names.
pub const MAX_NAMED: u32 = 64;

/// One more than the greatest lot.
const TWO_TO_64: u128 = 1 << 64;

/// The VRF proof of a seat, which [`verify_seat`] checks.
#[derive(
	Clone,
	Copy,
	PartialEq,
	Eq,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
	Debug,
)]
pub struct SeatProof {
	/// The VRF's output before it is hashed, a compressed point.
	pub pre_output: [u8; 32],
	/// That the key made it: challenge and response.
	pub proof: [u8; 64],
}

impl SeatProof {
	fn signature(&self) -> Option<VrfSignature> {
		VrfSignature::decode(&mut self.encode().as_slice()).ok()
	}
}

/// What the seats of one round of an audit are drawn by.
pub fn seat_input(record: &RecordId, seed: &H256, round: u8) -> VrfInput {
	VrfTranscript::new(
		AUDIT_DOMAIN,
		&[(b"record", record.as_bytes()), (b"seed", seed.as_bytes()), (b"round", &[round])],
	)
}

/// The VRF's output of `key` for a round, if `proof` proves it: decides whether there is a seat, and
/// hides the verifier's tree.
pub fn verify_seat(
	key: &sr25519::Public,
	record: &RecordId,
	seed: &H256,
	round: u8,
	proof: &SeatProof,
) -> Option<[u8; 32]> {
	verify_lot(key, seat_input(record, seed, round), SEAT_CONTEXT, proof)
}

fn verify_lot(
	key: &sr25519::Public,
	input: VrfInput,
	context: &[u8],
	proof: &SeatProof,
) -> Option<[u8; 32]> {
	let signature = proof.signature()?;
	if !key.vrf_verify(&input.clone().into_sign_data(), &signature) {
		return None;
	}
	key.make_bytes::<32>(context, &input, &signature.pre_output).ok()
}

/// The VRF's output for a round, and its proof: what [`verify_seat`] gives and takes.
#[cfg(feature = "std")]
pub fn prove_seat(
	pair: &sr25519::Pair,
	record: &RecordId,
	seed: &H256,
	round: u8,
) -> ([u8; 32], SeatProof) {
	prove_lot(pair, seat_input(record, seed, round), SEAT_CONTEXT)
}

#[cfg(feature = "std")]
fn prove_lot(pair: &sr25519::Pair, input: VrfInput, context: &[u8]) -> ([u8; 32], SeatProof) {
	use sp_core::crypto::VrfSecret;
	let signature = pair.vrf_sign(&input.clone().into_sign_data());
	let mut pre_output = [0; 32];
	pre_output.copy_from_slice(&signature.pre_output.encode());
	let mut proof = [0; 64];
	proof.copy_from_slice(&signature.proof.encode());
	(pair.make_bytes::<32>(context, &input), SeatProof { pre_output, proof })
}

/// What the rights of an epoch to make a canary are drawn by.
pub fn canary_input(epoch: EpochIndex, seed: &H256) -> VrfInput {
	VrfTranscript::new(
		CANARY_DOMAIN,
		&[(b"epoch", epoch.to_le_bytes().as_slice()), (b"seed", seed.as_bytes())],
	)
}

/// The lot of `key` for the right to make a canary, if `proof` proves it.
pub fn verify_canary(
	key: &sr25519::Public,
	epoch: EpochIndex,
	seed: &H256,
	proof: &SeatProof,
) -> Option<u64> {
	verify_lot(key, canary_input(epoch, seed), CANARY_CONTEXT, proof)
		.map(|output| seat_number(&output))
}

/// The lot for the right to make a canary, and its proof: what [`verify_canary`] gives and takes.
#[cfg(feature = "std")]
pub fn prove_canary(pair: &sr25519::Pair, epoch: EpochIndex, seed: &H256) -> (u64, SeatProof) {
	let (output, proof) = prove_lot(pair, canary_input(epoch, seed), CANARY_CONTEXT);
	(seat_number(&output), proof)
}

/// The seed of an epoch's rights: of the randomness of its first block.
pub fn canary_seed(epoch: EpochIndex, randomness: &H256) -> H256 {
	let mut bytes = CANARY_SEED_DOMAIN.to_vec();
	(epoch, randomness).encode_to(&mut bytes);
	sha256(&bytes)
}

/// Whether the lot `number` is a right to make a canary, where one is wanted for each `rate` of
/// `audits`: `number × total × rate < 2^64 × audits × stake`, exactly.
pub fn has_canary(number: u64, audits: u32, rate: u32, stake: Balance, total: Balance) -> bool {
	let wide = |value: u32| U256::from(value);
	let lot = U256::from(number).saturating_mul(U256::from(total)).saturating_mul(wide(rate));
	let chance =
		wide(audits).saturating_mul(U256::from(stake)).saturating_mul(U256::from(TWO_TO_64));
	total > 0 && rate > 0 && lot < chance
}

/// The lot of a VRF's output: its first eight bytes, little-endian.
pub fn seat_number(output: &[u8; 32]) -> u64 {
	word(output, 0)
}

/// Whether the lot `number` wins a seat where `seats` are expected of verifiers with `total` at stake,
/// `stake` of it this one's: `number × total < 2^64 × seats × stake`, exactly.
pub fn has_seat(number: u64, seats: u32, stake: Balance, total: Balance) -> bool {
	let lot = U256::from(number).saturating_mul(U256::from(total));
	let chance =
		U256::from(seats).saturating_mul(U256::from(stake)).saturating_mul(U256::from(TWO_TO_64));
	total > 0 && lot < chance
}

/// The seed of a round: of the randomness of the block that begins it.
pub fn round_seed(record: &RecordId, round: u8, randomness: &H256) -> H256 {
	let mut bytes = SEED_DOMAIN.to_vec();
	(record, round, randomness).encode_to(&mut bytes);
	sha256(&bytes)
}

/// A leaf of a verifier's own tree: over the same data as the record's, behind the VRF's output.
pub fn leaf(output: &[u8; 32], data: &[u8]) -> H256 {
	leaf_hash(&[output.as_slice(), data].concat())
}

/// The roots of all boundaries that a run made, `root_1 ..= root_n`.
pub type Roots = BoundedVec<H256, ConstU32<MAX_STAGES>>;
/// A path up a Merkle tree.
pub type Path = BoundedVec<H256, ConstU32<MAX_PATH>>;
/// The verifiers that a requester named, strictly ascending; empty where anybody may audit.
pub type Named = BoundedVec<AccountId, ConstU32<MAX_NAMED>>;

/// What a verifier's run came to.
#[derive(
	Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo, Debug,
)]
pub enum Finding {
	/// Everything is as the record says.
	#[codec(index = 0)]
	Valid,
	/// A boundary is another than the record's.
	#[codec(index = 1)]
	Boundary {
		/// The first one, in `1..=n`.
		index: u16,
		/// The roots that the run made.
		roots: Roots,
	},
	/// All boundaries agree, and tokens, their number, text or finish reason do not follow from them.
	#[codec(index = 2)]
	Output {
		/// The roots that the run made.
		roots: Roots,
	},
	/// What was handed over is not the record's query, answer or prompt: the gateway is to blame.
	#[codec(index = 3)]
	Query,
}

impl Finding {
	/// The finding with no root but the one that differs.
	pub fn kind(&self) -> FindingKind {
		match self {
			Self::Valid => FindingKind::Valid,
			Self::Boundary { index, roots } => {
				let place = usize::from(*index).checked_sub(1);
				let root = place.and_then(|place| roots.get(place)).copied().unwrap_or_default();
				FindingKind::Boundary { index: *index, root }
			}
			Self::Output { .. } => FindingKind::Output,
			Self::Query => FindingKind::Query,
		}
	}

	/// Whether its roots say of the record what the finding says: those before the index make the
	/// record's boundaries, that at the index does not.
	pub fn agrees_with(&self, body: &RecordBody) -> bool {
		let (roots, first_other) = match self {
			Self::Valid | Self::Query => return true,
			Self::Boundary { index, roots } if *index > 0 => (roots, usize::from(*index)),
			Self::Boundary { .. } => return false,
			Self::Output { roots } => (roots, roots.len().saturating_add(1)),
		};
		let stages = body.stages.len();
		let is_record = |index: usize, root: &H256| {
			let name = u16::try_from(index).unwrap_or(u16::MAX);
			body.boundaries.get(index) == Some(&boundary(name, root, &body.query_hash))
		};
		let in_range = first_other <= stages || matches!(self, Self::Output { .. });
		roots.len() == stages
			&& in_range
			&& (1usize..).zip(roots).take(first_other).all(|(index, root)| {
				// Up to the one that differs, which has to differ.
				is_record(index, root) == (index < first_other)
			})
	}
}

/// A [`Finding`] with no root but the one that differs.
#[derive(
	Clone,
	Copy,
	PartialEq,
	Eq,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
	Debug,
)]
pub enum FindingKind {
	/// Everything is as the record says.
	Valid,
	/// A boundary is another than the record's.
	Boundary {
		/// The first one, in `1..=n`.
		index: u16,
		/// What the run made of it.
		root: H256,
	},
	/// What follows from the last boundary is not the record's answer.
	Output,
	/// What was handed over does not belong to the record.
	Query,
}

impl FindingKind {
	/// Who is to blame in a record of `stages` stages.
	pub fn blame(&self, stages: u16) -> Blame {
		match self {
			Self::Valid => Blame::Nobody,
			Self::Boundary { index, .. } => Blame::Stage(index.saturating_sub(1)),
			Self::Output => Blame::Stage(stages.saturating_sub(1)),
			Self::Query => Blame::Gateway,
		}
	}

	/// How many boundaries, counted from 1, are opened.
	pub fn opens(&self, stages: u16) -> u16 {
		match self {
			Self::Valid | Self::Output => stages,
			Self::Boundary { index, .. } => (*index).min(stages),
			Self::Query => 0,
		}
	}

	/// Whether the run made boundary `index` as the record has it.
	pub fn agrees_at(&self, index: u16) -> bool {
		match self {
			Self::Valid | Self::Output => true,
			Self::Boundary { index: other, .. } => index < *other,
			Self::Query => false,
		}
	}

	/// What seats have to say alike to be counted together: whom they blame, and what they say that the
	/// boundary should have been. Everybody who runs the record finds the same.
	pub fn vote(&self, stages: u16) -> (Blame, H256) {
		let root = match self {
			Self::Boundary { root, .. } => *root,
			Self::Valid | Self::Output | Self::Query => H256::zero(),
		};
		(self.blame(stages), root)
	}
}

/// Who is to blame.
#[derive(
	Clone,
	Copy,
	PartialEq,
	Eq,
	PartialOrd,
	Ord,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
	Debug,
)]
pub enum Blame {
	/// Nobody: the record is as it should be.
	Nobody,
	/// A stage, from 0.
	Stage(u16),
	/// The gateway.
	Gateway,
}

/// What an audit comes to.
#[derive(
	Clone,
	Copy,
	PartialEq,
	Eq,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
	Debug,
)]
pub enum Verdict {
	/// The record is as it should be.
	#[codec(index = 0)]
	Passed,
	/// A stage computed something else than it should.
	#[codec(index = 1)]
	Failed {
		/// Which one, from 0.
		stage: u16,
	},
	/// The gateway did not hand over what belongs to the record.
	#[codec(index = 2)]
	Silent,
	/// There was nobody to say, or no majority: no emission, no failure.
	#[codec(index = 3)]
	Unaudited,
}

impl From<Blame> for Verdict {
	fn from(blame: Blame) -> Self {
		match blame {
			Blame::Nobody => Self::Passed,
			Blame::Stage(stage) => Self::Failed { stage },
			Blame::Gateway => Self::Silent,
		}
	}
}

/// Whether `some` of `all` are more than half.
pub fn is_majority(some: u32, all: u32) -> bool {
	u64::from(some).saturating_mul(2) > u64::from(all)
}

/// What a verifier commits to:
/// `sha256(AUDIT_DOMAIN ‖ genesis ‖ SCALE((record, round, account, root, finding, nonce)))`, `root`
/// being that over the roots of its own trees.
pub fn commitment(
	genesis: &H256,
	record: &RecordId,
	round: u8,
	account: &AccountId,
	reveal: &Reveal,
) -> H256 {
	let Reveal { root, finding, nonce } = reveal;
	domain_hash(AUDIT_DOMAIN, genesis, &(record, round, account, root, finding, nonce))
}

/// What a commitment was to.
#[derive(
	Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo, Debug,
)]
pub struct Reveal {
	/// The root over the roots of the verifier's own trees, in order of the boundaries; anything
	/// where nothing was run.
	pub root: H256,
	/// What the run came to.
	pub finding: Finding,
	/// What made the commitment unguessable.
	pub nonce: H256,
}

/// What a canary's maker commits to before the record is settled:
/// `sha256(CANARY_DOMAIN ‖ genesis ‖ SCALE((record, stage, maker, nonce)))`.
pub fn canary_hash(
	genesis: &H256,
	record: &RecordId,
	stage: u16,
	maker: &AccountId,
	nonce: &H256,
) -> H256 {
	domain_hash(CANARY_DOMAIN, genesis, &(record, stage, maker, nonce))
}

/// A leaf that is to be opened.
#[derive(Clone, Copy, PartialEq, Eq, Encode, Decode, TypeInfo, Debug)]
pub struct Place {
	/// The boundary, in `1..=n`.
	pub boundary: u16,
	/// The leaf's index in the boundary's tree.
	pub leaf: u32,
	/// The position that the leaf is for.
	pub position: u32,
}

/// Leaves of boundary `index`, from 1: every position that was worked on, and behind the last stage
/// every token of the answer.
pub fn leaves(body: &RecordBody, index: u16) -> u32 {
	if usize::from(index) < body.stages.len() {
		body.prompt_tokens.saturating_add(body.output_tokens).saturating_sub(1)
	} else {
		body.output_tokens
	}
}

/// The leaves that `account` opens: `count` of the boundaries `1..=opens`, fewer where a boundary
/// without leaves is picked.
pub fn positions(
	beacon: &H256,
	record: &RecordId,
	account: &AccountId,
	count: u8,
	opens: u16,
	body: &RecordBody,
) -> Vec<Place> {
	let pick = |j: u8| {
		let mut bytes = OPEN_DOMAIN.to_vec();
		(beacon, record, account, j).encode_to(&mut bytes);
		let random = sha256(&bytes);
		let index = word(random.as_fixed_bytes(), 0).checked_rem(u64::from(opens))?;
		let boundary = u16::try_from(index).ok()?.checked_add(1)?;
		let count = u64::from(leaves(body, boundary));
		let leaf = u32::try_from(word(random.as_fixed_bytes(), 8).checked_rem(count)?).ok()?;
		let first = if usize::from(boundary) < body.stages.len() {
			0
		} else {
			body.prompt_tokens.saturating_sub(1)
		};
		Some(Place { boundary, leaf, position: first.saturating_add(leaf) })
	};
	(0..count).filter_map(pick).collect()
}

/// An opened leaf.
#[derive(
	Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo, Debug,
)]
pub struct Opening {
	/// What the leaf's hash is taken of: salt, position, raw values, and for the last boundary the
	/// token (`docs/protocol/numerics.md`, trace).
	pub data: BoundedVec<u8, ConstU32<MAX_LEAF_BYTES>>,
	/// The root of the verifier's own tree of the boundary.
	pub own_root: H256,
	/// From the verifier's own leaf to `own_root`.
	pub own_path: Path,
	/// From `own_root` to the root that was revealed.
	pub root_path: Path,
	/// The way to the record's boundary or, where the run differs, to the root that was revealed.
	pub record: RecordPath,
}

/// From a leaf to a boundary's root.
#[derive(
	Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo, Debug,
)]
pub struct RecordPath {
	/// The root that makes the boundary.
	pub root: H256,
	/// From the leaf to it.
	pub path: Path,
}

/// Why an opening is refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OpeningFault {
	/// It is of another position.
	Position,
	/// It does not lead to the root that was revealed.
	Own,
	/// It does not lead to the record's boundary, or does where it must not.
	Record,
}

/// Bytes before the position in a leaf's data: the salt.
const SALT_BYTES: usize = 32;

impl Opening {
	/// Whether it opens `place` of the tree behind `root`, made under the VRF's `output` by who says
	/// `kind` of the record.
	pub fn check(
		&self,
		place: &Place,
		root: &H256,
		output: &[u8; 32],
		kind: FindingKind,
		body: &RecordBody,
	) -> Result<(), OpeningFault> {
		let end = SALT_BYTES.saturating_add(4);
		let position = place.position.to_le_bytes();
		if self.data.get(SALT_BYTES..end) != Some(position.as_slice()) {
			return Err(OpeningFault::Position);
		}
		let (index, count) = (size(place.leaf), size(leaves(body, place.boundary)));
		let (tree, trees) = (usize::from(place.boundary).saturating_sub(1), body.stages.len());
		let own = leaf(output, &self.data);
		if !verify_merkle_proof(&self.own_root, &own, index, count, &self.own_path)
			|| !verify_merkle_proof(root, &self.own_root, tree, trees, &self.root_path)
		{
			return Err(OpeningFault::Own);
		}
		let RecordPath { root: plain, path } = &self.record;
		let leads = verify_merkle_proof(plain, &leaf_hash(&self.data), index, count, path);
		let agrees = leads
			&& match kind {
				// Who accuses has to have run it: what it found instead is opened as well.
				FindingKind::Boundary { index, root } if index == place.boundary => *plain == root,
				_ => {
					kind.agrees_at(place.boundary)
						&& body.boundaries.get(usize::from(place.boundary))
							== Some(&boundary(place.boundary, plain, &body.query_hash))
				}
			};
		agrees.then_some(()).ok_or(OpeningFault::Record)
	}
}

/// What a gateway hands to a verifier.
#[derive(Clone, PartialEq, Eq, Encode, Decode, TypeInfo, Debug)]
pub struct Handover {
	/// The record's query.
	pub query: CanonicalQuery,
	/// The answer's tokens.
	pub tokens: Vec<u32>,
}

/// A [`Handover`] that one verifier can read (`docs/protocol/audit.md`, hand-over).
#[derive(
	Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo, Debug,
)]
pub struct Sealed {
	/// The ephemeral key that it was sealed with, a compressed point.
	pub ephemeral: [u8; 32],
	/// The ciphertext with its tag.
	pub bytes: BoundedVec<u8, ConstU32<MAX_HANDOVER_BYTES>>,
}

/// Numbers of the audit game, in one place. An audit keeps those of its beginning.
///
/// `aria_math::audit::AuditParameters` has the same numbers with the same ranges, and proves what holds
/// within them; a test of pallet-verification compares the two.
#[derive(
	Clone,
	Copy,
	PartialEq,
	Eq,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
	Debug,
)]
pub struct AuditParams {
	/// Blocks of a window.
	pub window: BlockNumber,
	/// Seats expected in the first round.
	pub first_seats: u32,
	/// Seats expected in each further round.
	pub further_seats: u32,
	/// Positions that a verifier opens.
	pub positions: u8,
	/// The probability of an audit at the best reputation.
	pub floor_ppm: Ppm,
	/// Most that a counted seat is paid, in planck.
	pub verifier_fee: Balance,
	/// Most that all seats of an audit are paid out of the pot, as a part of the record's price over
	/// the probability of its draw.
	pub fee_ppm: Ppm,
	/// Most of the stages' shares that goes into fees which are missing then.
	pub levy_ppm: Ppm,
	/// On hold for a seat, in planck.
	pub commit_bond: Balance,
	/// What a stage that failed loses of its stake.
	pub fail_slash: Ppm,
	/// What a verifier that was overruled loses of its stake.
	pub false_verdict_slash: Ppm,
	/// What a verifier that passed a canary loses, in planck; it has to have that much at stake.
	pub canary_slash: Balance,
	/// Audits for each right to make a canary.
	pub canary_rate: u32,
	/// What a canary brings its maker on top of what it cost, in planck.
	pub canary_fee: Balance,
	/// On hold for a canary, in planck.
	pub canary_bond: Balance,
	/// What canaries may cost, as a part of the drawn records' prices over the probability of their
	/// draw.
	pub canary_ppm: Ppm,
	/// Part of what those lose who passed a canary, for those who caught it. The maker gets the rest.
	pub catch_ppm: Ppm,
	/// What a silent gateway loses, in planck.
	pub silence_slash: Balance,
	/// Most of a worker's stake that counts for seats, in planck.
	pub max_seat_stake: Balance,
}

impl AuditParams {
	/// The defaults (`docs/protocol/audit.md`, parameters).
	pub const DEFAULT: Self = Self {
		window: 100,
		first_seats: 2,
		further_seats: 9,
		positions: 2,
		floor_ppm: 20_000,
		verifier_fee: ARIA / 50,
		fee_ppm: 30_000,
		levy_ppm: 500_000,
		commit_bond: ARIA / 10,
		fail_slash: 500_000,
		false_verdict_slash: 250_000,
		canary_slash: 10 * ARIA,
		canary_rate: 100,
		canary_fee: ARIA / 100,
		canary_bond: ARIA / 2,
		canary_ppm: 20_000,
		catch_ppm: 500_000,
		silence_slash: 10 * ARIA,
		max_seat_stake: 1_000 * ARIA,
	};

	/// Each number at the nearest end of its range, if it lies outside.
	pub fn clamped(self) -> Self {
		let milli = ARIA / 1_000;
		Self {
			window: self.window.clamp(100, 2_400),
			first_seats: self.first_seats.clamp(2, 16),
			further_seats: self.further_seats.clamp(3, 16),
			positions: self.positions.clamp(1, 8),
			floor_ppm: self.floor_ppm.clamp(5_000, PPM),
			verifier_fee: self.verifier_fee.clamp(milli, 50 * milli),
			fee_ppm: self.fee_ppm.min(35_000),
			levy_ppm: self.levy_ppm.min(500_000),
			commit_bond: self.commit_bond.clamp(50 * milli, 10 * ARIA),
			fail_slash: self.fail_slash.clamp(100_000, PPM),
			false_verdict_slash: self.false_verdict_slash.clamp(50_000, PPM),
			canary_slash: self.canary_slash.clamp(10 * ARIA, 100 * ARIA),
			canary_rate: self.canary_rate.clamp(10, 100),
			canary_fee: self.canary_fee.min(50 * milli),
			canary_bond: self.canary_bond.clamp(100 * milli, 10 * ARIA),
			canary_ppm: self.canary_ppm.min(35_000),
			catch_ppm: self.catch_ppm.min(PPM),
			silence_slash: self.silence_slash.clamp(ARIA, 100 * ARIA),
			max_seat_stake: self.max_seat_stake.clamp(100 * ARIA, 100_000 * ARIA),
		}
	}

	/// Seats expected in a round.
	pub fn seats(&self, round: u8) -> u32 {
		if round == 0 {
			self.first_seats
		} else {
			self.further_seats
		}
	}

	/// Most seats that may speak in a round.
	pub fn most_seats(&self, round: u8) -> u32 {
		self.seats(round).saturating_mul(4).min(MAX_SEATS)
	}
}

impl Default for AuditParams {
	fn default() -> Self {
		Self::DEFAULT
	}
}

/// Eight bytes from `at` on, little-endian; 0 where there are none.
fn word(bytes: &[u8; 32], at: usize) -> u64 {
	let mut word = [0; 8];
	if let Some(part) = bytes.get(at..at.saturating_add(8)) {
		word.copy_from_slice(part);
	}
	u64::from_le_bytes(word)
}

fn size(count: u32) -> usize {
	usize::try_from(count).unwrap_or(usize::MAX)
}
