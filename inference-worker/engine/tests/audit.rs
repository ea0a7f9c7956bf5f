//! Records run again: honest ones are valid whatever kernel made them and whatever kernel checks them,
//! and each lie is found at the stage that told it.
#![allow(clippy::unwrap_used)]

mod audit_support;
mod support;

use aria_engine::{
	audit::{run, Rerun},
	kernels,
	trace::verify,
	EngineError,
};
use aria_primitives::{
	audit::{self, Blame, FindingKind},
	hashing::{leaf_hash, merkle_root},
	query::Sampling,
	record::{boundary, FinishReason},
};
use audit_support::{tiny_shape, Lie, Made, Plain, Stages, Town};
use support::{folder, random_package, tokens, Random};

/// The verifier's VRF output in these tests.
const OUTPUT: [u8; 32] = [0xA5; 32];

fn audited(town: &Town, made: &Made, kernel: &str, chunk: usize) -> Rerun {
	let folder = folder();
	let path = folder.path().join("spool");
	let mut plain = Plain::new(&town.package.package, kernel, chunk);
	run(&made.subject(town), &town.tokenizer, &OUTPUT, &path, &mut plain).unwrap()
}

#[test]
fn honest_records_should_be_valid_across_kernels() {
	const RECORDS: usize = 1_000;
	let names = kernels::available();
	let mut random = Random(17);
	let town = Town::new(random_package(&tiny_shape(), 5));
	let mut stages: Vec<Stages<'_>> =
		names.iter().map(|name| Stages::new(&town.package.package, name)).collect();
	let mut verifiers: Vec<Plain<'_>> =
		names.iter().map(|name| Plain::new(&town.package.package, name, 7)).collect();
	let folder = folder();
	let path = folder.path().join("spool");
	let mut checked = 0;
	for number in 0..RECORDS {
		let cuts = town.cuts(&mut random);
		let prompt = tokens(&mut random, 256, 1 + number % 9);
		let sampling = match number % 3 {
			0 => Sampling::GREEDY,
			1 => Sampling {
				temperature_milli: 800,
				top_k: 0,
				top_p_ppm: 1_000_000,
				seed: number as u64,
			},
			_ => Sampling {
				temperature_milli: 1_300,
				top_k: 40,
				top_p_ppm: 900_000,
				seed: number as u64,
			},
		};
		let query = town.query(&prompt, sampling, 1 + (number % 7) as u32);
		let kernel = number % names.len();
		let made = town.make(&mut stages[kernel], &query, &cuts, None);
		// Each kernel checks each: the pairs come in turn.
		let verifier = (number / names.len()) % names.len();
		verifiers[verifier].chunk = 1 + number % 5;
		let found =
			run(&made.subject(&town), &town.tokenizer, &OUTPUT, &path, &mut verifiers[verifier])
				.unwrap();
		assert_eq!(
			found.finding(),
			FindingKind::Valid,
			"record {number}, made by {}, checked by {}: {:?}",
			names[kernel],
			names[verifier],
			found.reason()
		);
		checked += 1;
	}
	assert_eq!(checked, RECORDS);
}

#[test]
fn each_lie_should_be_found_at_the_stage_that_told_it() {
	let town = Town::new(random_package(&tiny_shape(), 5));
	let other = random_package(&tiny_shape(), 6);
	let cuts = [2u16, 4, 6];
	let mut random = Random(3);
	let prompt = tokens(&mut random, 256, 6);
	let sampling = Sampling { temperature_milli: 900, top_k: 0, top_p_ppm: 1_000_000, seed: 99 };
	let query = town.query(&prompt, sampling, 10);
	let mut stages = Stages::new(&town.package.package, "scalar").with_other(&other.package);
	let honest = town.make(&mut stages, &query, &cuts, None);
	assert_eq!(audited(&town, &honest, "scalar", 64).finding(), FindingKind::Valid);

	for lie in Lie::ALL {
		for stage in 0..3u16 {
			let made = town.make(&mut stages, &query, &cuts, Some((lie, stage)));
			assert!(made.body != honest.body, "{lie:?} at {stage} changed nothing");
			for chunk in [1, 64] {
				let found = audited(&town, &made, kernels::best().name(), chunk);
				let expected = match (lie, stage) {
					(Lie::Token | Lie::Sampling, 2) => FindingKind::Output,
					_ => {
						let root = found.roots()[usize::from(stage)];
						FindingKind::Boundary { index: stage + 1, root }
					}
				};
				assert_eq!(found.finding(), expected, "{lie:?} at {stage}: {:?}", found.reason());
				assert_eq!(found.finding().blame(3), Blame::Stage(stage), "{lie:?}");
				assert!(found.reason().is_some());
			}
		}
	}
}

#[test]
fn what_the_text_and_the_end_say_should_follow_from_the_tokens() {
	let town = Town::new(random_package(&tiny_shape(), 5));
	let query = town.query(&[65, 66, 67], Sampling::GREEDY, 6);
	let mut stages = Stages::new(&town.package.package, "scalar");
	let honest = town.make(&mut stages, &query, &[3, 6], None);

	let mut other_text = honest.clone();
	other_text.body.output_hash = leaf_hash(b"another text");
	let mut cancelled = honest.clone();
	cancelled.body.finish_reason = match honest.body.finish_reason {
		FinishReason::Cancelled => FinishReason::Length,
		_ => FinishReason::Cancelled,
	};
	for made in [other_text, cancelled] {
		let found = audited(&town, &made, "scalar", 64);
		assert_eq!(found.finding(), FindingKind::Output);
		assert_eq!(found.finding().blame(2), Blame::Stage(1));
	}

	// An answer that was broken off has no end, and is honest.
	let broken = town.make_cancelled(&mut stages, &query, &[3, 6], 2);
	assert_eq!(broken.body.finish_reason, FinishReason::Cancelled);
	assert_eq!(audited(&town, &broken, "scalar", 64).finding(), FindingKind::Valid);
}

#[test]
fn what_does_not_belong_to_the_record_should_be_said_without_a_run() {
	let town = Town::new(random_package(&tiny_shape(), 5));
	let query = town.query(&[65, 66, 67], Sampling::GREEDY, 6);
	let mut stages = Stages::new(&town.package.package, "scalar");
	let honest = town.make(&mut stages, &query, &[3, 6], None);

	let changes: [fn(&mut Made); 5] = [
		|made| made.query.salt = [9; 32],
		|made| made.tokens[0] ^= 1,
		|made| made.tokens.push(1),
		|made| made.body.prompt_tokens += 1,
		|made| made.body.boundaries[0] = leaf_hash(b"another prompt"),
	];
	for (number, change) in changes.into_iter().enumerate() {
		let mut made = honest.clone();
		change(&mut made);
		let found = audited(&town, &made, "scalar", 64);
		assert_eq!(found.finding(), FindingKind::Query, "{number}");
		assert!(found.roots().is_empty() && found.finding().blame(2) == Blame::Gateway);
	}
}

#[test]
fn openings_should_lead_to_both_roots() {
	let town = Town::new(random_package(&tiny_shape(), 5));
	let query = town.query(&[65, 66, 67, 68], Sampling::GREEDY, 5);
	let mut stages = Stages::new(&town.package.package, "scalar");
	let cuts = [2, 4, 6];
	let honest = town.make(&mut stages, &query, &cuts, None);
	let lying = town.make(&mut stages, &query, &cuts, Some((Lie::Layer, 1)));

	for (made, agreeing) in [(&honest, 3u16), (&lying, 1)] {
		let subject = made.subject(&town);
		let folder = folder();
		let path = folder.path().join("spool");
		let mut plain = Plain::new(&town.package.package, "scalar", 3);
		let mut found = run(&subject, &town.tokenizer, &OUTPUT, &path, &mut plain).unwrap();
		let roots = found.own_roots();
		assert_eq!(found.own_root(), merkle_root(&roots));
		let mut restored = Rerun::restore(&subject, found.finding(), &OUTPUT, &path).unwrap();
		assert_eq!(restored.own_root(), found.own_root());
		assert_eq!(restored.roots(), found.roots());

		for index in 1..=found.finding().opens(3) {
			let leaves = subject.leaves(index);
			for leaf in [0, leaves / 2, leaves - 1] {
				let opened = found.open(&subject, index, leaf).unwrap();
				assert_eq!(restored.open(&subject, index, leaf).unwrap(), opened);
				let own = audit::leaf(&OUTPUT, &opened.data);
				let (place, count) = (leaf as usize, leaves as usize);
				let root = &roots[usize::from(index) - 1];
				assert!(verify(root, &own, place, count, &opened.own));
				let tree = usize::from(index) - 1;
				assert!(verify(&found.own_root(), root, tree, 3, &opened.root));
				let root = found.roots()[usize::from(index) - 1];
				assert!(verify(&root, &leaf_hash(&opened.data), place, count, &opened.record));
				let made = boundary(index, &root, &subject.body.query_hash);
				let is_record = subject.body.boundaries[usize::from(index)] == made;
				assert_eq!(is_record, index <= agreeing, "{index}");
			}
			assert!(found.open(&subject, index, leaves).is_err());
		}
		assert!(found.open(&subject, 0, 0).is_err() && found.open(&subject, 4, 0).is_err());
		Rerun::remove(&path).unwrap();
		Rerun::remove(&path).unwrap();
		let gone = Rerun::restore(&subject, found.finding(), &OUTPUT, &path);
		assert!(matches!(gone, Err(EngineError::Io { .. })));
	}
}

#[test]
fn the_chain_should_take_what_a_rerun_opens() {
	let town = Town::new(random_package(&tiny_shape(), 5));
	let query = town.query(&[65, 66, 67, 68], Sampling::GREEDY, 5);
	let mut stages = Stages::new(&town.package.package, "scalar");
	let cuts = [2, 4, 6];
	for lie in [None, Some((Lie::Layer, 0)), Some((Lie::Layer, 2)), Some((Lie::Token, 2))] {
		let made = town.make(&mut stages, &query, &cuts, lie);
		let subject = made.subject(&town);
		let folder = folder();
		let path = folder.path().join("spool");
		let mut plain = Plain::new(&town.package.package, "scalar", 64);
		let mut found = run(&subject, &town.tokenizer, &OUTPUT, &path, &mut plain).unwrap();
		let kind = found.finding();
		let roots: audit::Roots = found.roots().try_into().unwrap();
		let said = match kind {
			FindingKind::Valid => audit::Finding::Valid,
			FindingKind::Boundary { index, .. } => audit::Finding::Boundary { index, roots },
			FindingKind::Output => audit::Finding::Output { roots },
			FindingKind::Query => audit::Finding::Query,
		};
		assert!(said.agrees_with(&made.body), "{lie:?}");

		let account = aria_primitives::AccountId::new([8; 32]);
		for seed in 0..8u8 {
			let beacon = leaf_hash(&[seed]);
			let record = leaf_hash(b"record");
			let opens = kind.opens(3);
			for place in audit::positions(&beacon, &record, &account, 8, opens, &made.body) {
				let opened = found.open(&subject, place.boundary, place.leaf).unwrap();
				let boundary = usize::from(place.boundary) - 1;
				let mut opening = audit::Opening {
					data: opened.data.try_into().unwrap(),
					own_root: found.own_roots()[boundary],
					own_path: opened.own.try_into().unwrap(),
					root_path: opened.root.try_into().unwrap(),
					record: audit::RecordPath {
						root: found.roots()[boundary],
						path: opened.record.try_into().unwrap(),
					},
				};
				let root = found.own_root();
				let check = |opening: &audit::Opening, output: &[u8; 32]| {
					opening.check(&place, &root, output, kind, &made.body)
				};
				assert_eq!(check(&opening, &OUTPUT), Ok(()), "{lie:?} {place:?}");
				assert!(check(&opening, &[1; 32]).is_err());
				opening.data[40] ^= 1;
				assert!(check(&opening, &OUTPUT).is_err());
			}
		}
	}
}

#[test]
fn a_verifiers_trees_should_be_of_no_use_to_another() {
	let town = Town::new(random_package(&tiny_shape(), 5));
	let query = town.query(&[65, 66, 67, 68], Sampling::GREEDY, 5);
	let mut stages = Stages::new(&town.package.package, "scalar");
	let made = town.make(&mut stages, &query, &[2, 4, 6], None);
	let folder = folder();
	let path = folder.path().join("spool");
	let root = |output: &[u8; 32]| {
		let mut plain = Plain::new(&town.package.package, "scalar", 64);
		let found = run(&made.subject(&town), &town.tokenizer, output, &path, &mut plain).unwrap();
		(found.own_root(), found.roots())
	};
	let (one, two) = (root(&[1; 32]), root(&[2; 32]));
	assert_ne!(one.0, two.0);
	assert_eq!(one.1, two.1);
}

#[test]
fn a_rerun_should_end_when_it_is_told_and_take_records_that_make_no_sense() {
	let town = Town::new(random_package(&tiny_shape(), 5));
	let query = town.query(&[65, 66, 67, 68], Sampling::GREEDY, 5);
	let mut stages = Stages::new(&town.package.package, "scalar");
	let made = town.make(&mut stages, &query, &[2, 4, 6], None);
	let folder = folder();
	let path = folder.path().join("spool");
	let mut plain = Plain::new(&town.package.package, "scalar", 1);
	plain.turns = Some(6);
	let ended = run(&made.subject(&town), &town.tokenizer, &OUTPUT, &path, &mut plain);
	assert!(matches!(ended, Err(EngineError::Cancelled)));

	let changes: [fn(&mut Made); 4] = [
		|made| made.body.stages[1].layers.first = 3,
		|made| made.body.stages[2].layers.end = 5,
		|made| made.body.stages = Default::default(),
		|made| {
			let _ = made.body.boundaries.pop();
		},
	];
	for (number, change) in changes.into_iter().enumerate() {
		let mut made = made.clone();
		change(&mut made);
		let mut plain = Plain::new(&town.package.package, "scalar", 64);
		let failed = run(&made.subject(&town), &town.tokenizer, &OUTPUT, &path, &mut plain);
		assert!(failed.is_err(), "{number}");
	}
	let mut short = made.clone();
	short.context = 3;
	let mut plain = Plain::new(&town.package.package, "scalar", 64);
	let failed = run(&short.subject(&town), &town.tokenizer, &OUTPUT, &path, &mut plain);
	assert!(matches!(failed, Err(EngineError::ContextExceeded { .. })));
}
