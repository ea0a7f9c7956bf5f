//! How often records are drawn.

use crate::{
	mock::{
		build_and_execute, enter_epoch, id, note, seed_of, MaxDrawsPerBlock, MaxPerEpoch, Test,
		Verification, DELAY, FLOOR,
	},
	Drawn,
};
use aria_math::reputation::audit_probability_ppm;
use aria_primitives::{Ppm, PPM};

const RECORDS: u32 = 10_000;
/// What the statistic of a fair draw exceeds once in a thousand times.
const CHI_SQUARE_BOUND: f64 = 10.83;

/// Draws for 10,000 records of this reputation in one epoch; returns how many were picked.
fn draw_for(reputation: Ppm) -> u32 {
	let mut drawn = 0;
	build_and_execute(|| {
		MaxPerEpoch::set(RECORDS);
		MaxDrawsPerBlock::set(RECORDS);
		note(0..RECORDS, reputation);
		enter_epoch(DELAY);
		drawn = Drawn::<Test>::iter_keys().count() as u32;
	});
	drawn
}

/// Pearson's statistic of two classes, with one degree of freedom.
fn chi_square(drawn: u32, probability: Ppm) -> f64 {
	let share = f64::from(probability) / f64::from(PPM);
	let expected = share * f64::from(RECORDS);
	let off = f64::from(drawn) - expected;
	off * off / expected + off * off / (f64::from(RECORDS) - expected)
}

#[test]
fn draw_should_pick_all_records_when_there_is_no_reputation() {
	assert_eq!(draw_for(0), RECORDS);
}

#[test]
fn draw_should_pick_half_and_half_the_floor_when_reputation_is_half() {
	let probability = audit_probability_ppm(PPM / 2, FLOOR);
	assert_eq!(probability, PPM / 2 + FLOOR / 2);
	let drawn = draw_for(PPM / 2);
	assert!(chi_square(drawn, probability) < CHI_SQUARE_BOUND, "{drawn} of {RECORDS}");
}

#[test]
fn draw_should_pick_the_floor_when_reputation_is_full() {
	let drawn = draw_for(PPM);
	assert!(chi_square(drawn, FLOOR) < CHI_SQUARE_BOUND, "{drawn} of {RECORDS}");
	// Nothing is above the best reputation.
	assert_eq!(draw_for(u32::MAX), drawn);
}

#[test]
fn lots_should_be_fair_under_many_seeds() {
	for epoch in 0..20 {
		for probability in [10_000, 100_000, 500_000, 990_000] {
			let picked = (0..RECORDS)
				.filter(|n| Verification::lot_falls_on(&id(*n), &seed_of(epoch), probability))
				.count() as u32;
			// Eighty draws: the bound is that of one in a million.
			assert!(chi_square(picked, probability) < 23.9, "{picked} at {probability}");
		}
	}
}

#[test]
fn lots_should_be_certain_at_the_ends() {
	for n in 0..100 {
		assert!(Verification::lot_falls_on(&id(n), &seed_of(0), PPM));
		assert!(!Verification::lot_falls_on(&id(n), &seed_of(0), 0));
	}
}
