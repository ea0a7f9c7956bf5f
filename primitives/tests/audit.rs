//! Seats, positions and openings.

#![allow(clippy::unwrap_used)]

use aria_primitives::{
	audit::*,
	hashing::{leaf_hash, merkle_proof, merkle_root},
	record::{
		boundary, Anchor, EnergySource, FinishReason, LayerRange, RecordBody, Stage, RECORD_VERSION,
	},
	AccountId, ARIA,
};
use codec::{Decode, Encode};
use proptest::prelude::*;
use sp_core::{sr25519, Pair, H256};
use std::collections::BTreeSet;

fn pair(seed: u8) -> sr25519::Pair {
	sr25519::Pair::from_seed(&[seed; 32])
}

fn body(stages: u8, prompt: u32, output: u32) -> RecordBody {
	let parts: Vec<Stage> = (0..stages)
		.map(|n| Stage {
			node: AccountId::new([n; 32]),
			layers: LayerRange { first: n.into(), end: u16::from(n) + 1 },
			energy_mj: 1,
			energy_source: EnergySource::Estimate,
			consent_version: 1,
		})
		.collect();
	RecordBody {
		version: RECORD_VERSION,
		model_id: H256::repeat_byte(1),
		query_hash: H256::repeat_byte(2),
		output_hash: H256::repeat_byte(3),
		output_tokens_hash: H256::repeat_byte(4),
		finish_reason: FinishReason::Stop,
		prompt_tokens: prompt,
		cached_tokens: 0,
		output_tokens: output,
		stages: parts.try_into().unwrap(),
		boundaries: vec![H256::zero(); usize::from(stages) + 1].try_into().unwrap(),
		energy_mj: stages.into(),
		latency_ms: 1,
		timestamp: 1,
		anchor: Anchor { number: 0, hash: H256::zero() },
		ticket_hash: H256::zero(),
	}
}

#[test]
fn a_seat_should_be_proven_for_its_key_record_seed_and_round_alone() {
	let (record, seed) = (H256::repeat_byte(5), H256::repeat_byte(6));
	let (output, proof) = prove_seat(&pair(1), &record, &seed, 0);
	let key = pair(1).public();
	assert_eq!(verify_seat(&key, &record, &seed, 0, &proof), Some(output));
	assert_eq!(SeatProof::decode(&mut proof.encode().as_slice()), Ok(proof));
	// The output is the key's alone: it can't be drawn again.
	assert_eq!(prove_seat(&pair(1), &record, &seed, 0).0, output);

	assert_eq!(verify_seat(&pair(2).public(), &record, &seed, 0, &proof), None);
	assert_eq!(verify_seat(&key, &seed, &seed, 0, &proof), None);
	assert_eq!(verify_seat(&key, &record, &record, 0, &proof), None);
	assert_eq!(verify_seat(&key, &record, &seed, 1, &proof), None);
	for byte in 0..96 {
		let mut bytes = proof.encode();
		bytes[byte] ^= 0x10;
		let bad = SeatProof::decode(&mut bytes.as_slice()).unwrap();
		assert_eq!(verify_seat(&key, &record, &seed, 0, &bad), None, "{byte}");
	}
	let nothing = SeatProof { pre_output: [0; 32], proof: [0; 64] };
	assert_eq!(verify_seat(&key, &record, &seed, 0, &nothing), None);
}

#[test]
fn seats_should_fall_by_stake() {
	let records: Vec<H256> = (0..400u64).map(H256::from_low_u64_be).collect();
	let seats = |seed: u8, stake: u128| {
		let won = |record: &&H256| {
			let (output, _) = prove_seat(&pair(seed), record, &H256::zero(), 0);
			has_seat(seat_number(&output), 3, stake, 100 * ARIA)
		};
		records.iter().filter(won).count() as f64
	};
	// 400 records, seats with a probability of 0.3 and 0.03: four deviations either way.
	assert!((seats(1, 10 * ARIA) - 120.0).abs() < 4.0 * (400.0f64 * 0.3 * 0.7).sqrt());
	assert!((seats(2, ARIA) - 12.0).abs() < 4.0 * (400.0f64 * 0.03 * 0.97).sqrt());
	assert_eq!(seats(3, 0), 0.0);
	assert_eq!(seats(4, 34 * ARIA), 400.0);
}

#[test]
fn has_seat_should_be_exact_at_its_ends() {
	assert!(!has_seat(0, 3, 0, 0) && !has_seat(0, 3, 1, 0));
	assert!(has_seat(u64::MAX, 1, 1, 1) && has_seat(u64::MAX, 16, u128::MAX, u128::MAX));
	// A half: 2^63 is the first that does not win.
	assert!(has_seat((1 << 63) - 1, 1, 1, 2) && !has_seat(1 << 63, 1, 1, 2));
	assert!(has_seat(0, 1, 1, u128::MAX) && !has_seat(1, 1, 1, u128::MAX));
}

#[test]
fn rounds_should_have_seeds_of_their_own() {
	let (one, two) = (H256::repeat_byte(1), H256::repeat_byte(2));
	let seeds: BTreeSet<H256> = [
		round_seed(&one, 0, &one),
		round_seed(&one, 1, &one),
		round_seed(&two, 0, &one),
		round_seed(&one, 0, &two),
	]
	.into();
	assert_eq!(seeds.len(), 4);
}

#[test]
fn every_part_of_a_commitment_should_count() {
	let roots: Roots = vec![H256::zero()].try_into().unwrap();
	let reveal = Reveal { root: H256::zero(), finding: Finding::Valid, nonce: H256::zero() };
	let (id, who) = (H256::repeat_byte(1), AccountId::new([1; 32]));
	let make = |genesis: u8, id: &H256, round, who: &AccountId, reveal: &Reveal| {
		commitment(&H256::repeat_byte(genesis), id, round, who, reveal)
	};
	let all: BTreeSet<H256> = [
		make(0, &id, 0, &who, &reveal),
		make(1, &id, 0, &who, &reveal),
		make(0, &H256::zero(), 0, &who, &reveal),
		make(0, &id, 1, &who, &reveal),
		make(0, &id, 0, &AccountId::new([2; 32]), &reveal),
		make(0, &id, 0, &who, &Reveal { root: id, ..reveal.clone() }),
		make(0, &id, 0, &who, &Reveal { nonce: id, ..reveal.clone() }),
		make(0, &id, 0, &who, &Reveal { finding: Finding::Query, ..reveal.clone() }),
		make(0, &id, 0, &who, &Reveal { finding: Finding::Output { roots }, ..reveal }),
	]
	.into();
	assert_eq!(all.len(), 9);
}

#[test]
fn positions_should_be_leaves_that_there_are() {
	let record = H256::repeat_byte(1);
	let who = AccountId::new([1; 32]);
	for (stages, prompt, output) in [(1, 1, 1), (3, 5, 3), (32, 1_000, 1), (2, 1, 0), (2, 0, 0)] {
		let body = body(stages, prompt, output);
		for opens in 0..=u16::from(stages) {
			let places = positions(&H256::zero(), &record, &who, 8, opens, &body);
			assert!(places.len() <= 8);
			for place in &places {
				assert!((1..=opens).contains(&place.boundary));
				assert!(place.leaf < leaves(&body, place.boundary));
				let last = place.boundary == u16::from(stages);
				let first = if last { prompt - 1 } else { 0 };
				assert_eq!(place.position, first + place.leaf);
			}
			let all = (1..=opens).all(|index| leaves(&body, index) > 0);
			assert_eq!(places.len() == 8, all && opens > 0);
		}
	}
	// Each account has its own, and a longer list goes on with the shorter one.
	let body = body(3, 50, 20);
	let of = |who: u8, count| {
		positions(&H256::zero(), &record, &AccountId::new([who; 32]), count, 3, &body)
	};
	assert_eq!(of(1, 8)[..2], of(1, 2)[..]);
	assert_ne!(of(1, 8), of(2, 8));
}

#[test]
fn positions_should_reach_every_leaf_evenly() {
	let body = body(2, 3, 2);
	let mut counts = std::collections::BTreeMap::<(u16, u32), u32>::new();
	for number in 0..3_000u64 {
		let record = H256::from_low_u64_be(number);
		for place in positions(&H256::zero(), &record, &AccountId::new([1; 32]), 2, 2, &body) {
			*counts.entry((place.boundary, place.leaf)).or_default() += 1;
		}
	}
	// 6,000 picks: 3,000 for each boundary, of four leaves and of two.
	assert_eq!(counts.len(), 6);
	for ((boundary, _), count) in counts {
		let mean = if boundary == 1 { 750.0 } else { 1_500.0 };
		assert!((f64::from(count) - mean).abs() < 5.0 * f64::sqrt(mean), "{count} of {mean}");
	}
}

proptest! {
	#[test]
	fn an_opening_should_hold_for_its_place_and_no_other(
		prompt in 1u32..20,
		output in 1u32..20,
		seed in any::<u64>(),
		size in 0usize..64,
		agrees in any::<bool>(),
	) {
		let lot = [9; 32];
		let mut body = body(2, prompt, output);
		let data = |index: u16, t: u32| {
			let first = if index == 2 { prompt - 1 } else { 0 };
			let mut bytes = vec![7; 32];
			bytes.extend((first + t).to_le_bytes());
			bytes.extend(vec![index as u8; size]);
			bytes
		};
		let tree = |index: u16, own: bool| -> Vec<H256> {
			let count = if index == 2 { output } else { prompt + output - 1 };
			let hash = |t| {
				let bytes = data(index, t);
				if own { leaf(&lot, &bytes) } else { leaf_hash(&bytes) }
			};
			(0..count).map(hash).collect()
		};
		let run = merkle_root(&tree(1, false));
		for index in 1..=2u16 {
			let root = merkle_root(&tree(index, false));
			// A run that differs made another root than the record has.
			let root = if agrees { root } else { leaf_hash(root.as_bytes()) };
			body.boundaries[usize::from(index)] = boundary(index, &root, &body.query_hash);
		}
		let differs = FindingKind::Boundary { index: 1, root: run };
		let kind = if agrees { FindingKind::Valid } else { differs };
		let own_roots = [merkle_root(&tree(1, true)), merkle_root(&tree(2, true))];
		let root = merkle_root(&own_roots);
		let record = H256::from_low_u64_be(seed);
		let who = AccountId::new([1; 32]);
		let places = positions(&H256::zero(), &record, &who, 4, kind.opens(2), &body);
		prop_assert_eq!(places.len(), 4);
		for place in &places {
			let (at, own) = (place.leaf as usize, tree(place.boundary, true));
			let theirs = tree(place.boundary, false);
			let path = |leaves: &[H256], at| merkle_proof(leaves, at).unwrap().try_into().unwrap();
			let opening = Opening {
				data: data(place.boundary, place.leaf).try_into().unwrap(),
				own_root: merkle_root(&own),
				own_path: path(&own, at),
				root_path: path(&own_roots, usize::from(place.boundary) - 1),
				record: RecordPath { root: merkle_root(&theirs), path: path(&theirs, at) },
			};
			let check = |place: &Place, root: &H256, lot: &[u8; 32], kind| {
				opening.check(place, root, lot, kind, &body)
			};
			prop_assert_eq!(check(place, &root, &lot, kind), Ok(()));
			prop_assert_eq!(check(place, &H256::zero(), &lot, kind), Err(OpeningFault::Own));
			prop_assert_eq!(check(place, &root, &[8; 32], kind), Err(OpeningFault::Own));
			let other = Place { position: place.position + 1, ..*place };
			prop_assert_eq!(check(&other, &root, &lot, kind), Err(OpeningFault::Position));
			let lazy = FindingKind::Boundary { index: place.boundary, root: H256::zero() };
			let said = if agrees { lazy } else { FindingKind::Valid };
			prop_assert_eq!(check(place, &root, &lot, said), Err(OpeningFault::Record));
		}
	}
}

#[test]
fn more_than_half_should_be_a_majority() {
	for (some, all, is) in
		[(0, 0, false), (1, 1, true), (1, 2, false), (2, 3, true), (3, 5, true), (3, 6, false)]
	{
		assert_eq!(is_majority(some, all), is, "{some} of {all}");
	}
	assert!(is_majority(u32::MAX, u32::MAX));
}

#[test]
fn blame_should_follow_from_the_first_boundary_that_differs() {
	assert_eq!(FindingKind::Valid.blame(3), Blame::Nobody);
	assert_eq!(FindingKind::Boundary { index: 1, root: H256::zero() }.blame(3), Blame::Stage(0));
	assert_eq!(
		FindingKind::Boundary { index: 3, root: H256::zero() }.blame(3),
		FindingKind::Output.blame(3)
	);
	assert_eq!(FindingKind::Query.blame(3), Blame::Gateway);
	// Who blames the same stage has to have found the same.
	let vote = |byte| FindingKind::Boundary { index: 1, root: H256::repeat_byte(byte) }.vote(3);
	assert_ne!(vote(1), vote(2));
	assert_eq!(FindingKind::Output.vote(3), (Blame::Stage(2), H256::zero()));
	assert_eq!(Verdict::from(Blame::Stage(2)), Verdict::Failed { stage: 2 });
}

#[test]
fn parameters_should_lie_in_their_ranges() {
	assert_eq!(AuditParams::DEFAULT.clamped(), AuditParams::DEFAULT);
	let most = AuditParams {
		window: u32::MAX,
		first_seats: u32::MAX,
		further_seats: u32::MAX,
		positions: u8::MAX,
		floor_ppm: u32::MAX,
		verifier_fee: u128::MAX,
		fee_ppm: u32::MAX,
		levy_ppm: u32::MAX,
		commit_bond: u128::MAX,
		fail_slash: u32::MAX,
		false_verdict_slash: u32::MAX,
		canary_slash: u128::MAX,
		canary_fee: u128::MAX,
		catch_ppm: u32::MAX,
		canary_bond: u128::MAX,
		canary_ppm: u32::MAX,
		canary_rate: u32::MAX,
		silence_slash: u128::MAX,
		max_seat_stake: u128::MAX,
	}
	.clamped();
	assert_eq!(most.clamped(), most);
	assert_eq!((most.most_seats(0), most.most_seats(1)), (MAX_SEATS, MAX_SEATS));
	assert!(u32::from(most.positions) <= MAX_OPENINGS);
	// What verifiers and canaries may cost is less than what of a price nobody gets back, less what
	// emission may give for it: 170,000 ppm of a price are for others, 90,000 come back.
	assert!(most.fee_ppm + most.canary_ppm < 80_000);
	assert_eq!(AuditParams::DEFAULT.most_seats(0), 8);
}

#[test]
fn rights_to_make_canaries_should_fall_by_stake_and_audits() {
	let seed = canary_seed(7, &H256::repeat_byte(1));
	assert_ne!(seed, canary_seed(8, &H256::repeat_byte(1)));
	let (number, proof) = prove_canary(&pair(1), 7, &seed);
	let key = pair(1).public();
	assert_eq!(verify_canary(&key, 7, &seed, &proof), Some(number));
	assert_eq!(verify_canary(&key, 8, &seed, &proof), None);
	assert_eq!(verify_canary(&key, 7, &H256::zero(), &proof), None);
	assert_eq!(verify_canary(&pair(2).public(), 7, &seed, &proof), None);
	// A seat's proof is no proof of it.
	let (_, seat) = prove_seat(&pair(1), &seed, &seed, 0);
	assert_eq!(verify_canary(&key, 7, &seed, &seat), None);

	// One for a hundred audits, half of the stake: a half of the lots wins.
	assert!(has_canary((1 << 63) - 1, 100, 100, 1, 2) && !has_canary(1 << 63, 100, 100, 1, 2));
	assert!(!has_canary(0, 0, 100, 1, 2) && !has_canary(0, 100, 100, 0, 2));
	assert!(!has_canary(0, 100, 0, 1, 2) && !has_canary(0, 100, 100, 1, 0));
	assert!(has_canary(u64::MAX, u32::MAX, 1, u128::MAX, u128::MAX));
}
