//! Attacks of those who check: verdicts without work.

use super::{
	aria,
	campaign::BLOCK_PAY,
	lab::{Attack, Lab},
	outcome::{Caught, Trial},
	rules::Setting,
};
use crate::random::Random;
use aria_math::{audit::guess_q64, draw::draw, odds::ONE_Q64, Balance, PPM};

/// Audits after which a verifier's campaign ends by itself.
const HORIZON: u64 = 2_000;

/// Audits that a verifier may have in an epoch.
const AN_EPOCH: u64 = 5;

/// How a verifier saves itself the work.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Idler {
	/// What part it computes; `None` where the executor hands over all activations.
	computed_ppm: Option<u32>,
	/// Audits that it has open at once.
	at_once: u64,
	/// Of the canaries, those that it knows, in ppm.
	known_ppm: u32,
	/// The part of the blocks by whose authors it is helped, in ppm.
	blocks_ppm: u32,
}

/// All of them.
pub fn attacks(lab: &Lab) -> Vec<Attack> {
	let setting = lab.setting;
	let versus = |name: &'static str, idler: Idler, defence, weaker: Setting| {
		let of = |setting: &Setting| lab.play(name, |random| idle(random, &idler, setting));
		Attack::new(name, of(&setting)).without(defence, of(&weaker))
	};
	let unopened = setting.with(|rules| rules.openings = false);
	let trusting = setting.with(|rules| rules.canaries = false);
	let alone = Idler { computed_ppm: Some(0), at_once: 1, known_ppm: 0, blocks_ppm: 0 };
	let helped = Idler { computed_ppm: None, ..alone };
	vec![
		versus("copying verifier without help", alone, "openings", unopened),
		versus(
			"verifier that computes half",
			Idler { computed_ppm: Some(500_000), ..alone },
			"openings",
			unopened,
		),
		versus(
			"the same, with authors of a third of the blocks choosing the positions",
			Idler { computed_ppm: Some(500_000), blocks_ppm: 333_333, ..alone },
			"openings",
			unopened,
		),
		versus("lazy verifier with the executor's help", helped, "canaries", trusting),
		versus(
			"the same, 1,000 audits at once",
			Idler { at_once: 1_000, ..helped },
			"a canary takes all unpaid fees",
			setting.with(|rules| rules.pending_fees = false),
		),
		versus(
			"lazy verifiers that make a third of the canaries themselves",
			Idler { known_ppm: 333_333, ..helped },
			"canaries by hidden lots",
			setting.with(|rules| rules.canary_lots = false),
		),
	]
}

/// Audits without work until the verifier is caught.
fn idle(random: &mut Random, idler: &Idler, setting: &Setting) -> Trial {
	let parameters = &setting.parameters;
	let (fee, bond) = (aria(parameters.verifier_fee), aria(parameters.commit_bond));
	let slash = aria(parameters.canary_slash);
	let mut trial = Trial::default();
	let mut audits = 0;
	while audits < HORIZON && trial.caught.is_none() {
		let batch = idler.at_once.max(1);
		let (mut paid, mut canaries) = (0.0, 0_u64);
		for _ in 0..batch {
			match idler.computed_ppm {
				Some(computed) if setting.rules.openings => {
					let (passed, skipped) = open(random, computed, idler, setting);
					trial.cost += f64::from(skipped) * BLOCK_PAY;
					if passed {
						paid += fee;
					} else {
						trial.cost += bond;
						trial.caught = Some(at(audits + 1));
					}
				}
				Some(_) => paid += fee,
				None if canary(random, idler, setting) => canaries += 1,
				None => paid += fee,
			}
			audits += 1;
		}
		if canaries > 0 {
			// Its stake is one slash: there is no more to lose.
			trial.cost += slash;
			trial.caught = Some(at(audits));
			if setting.rules.pending_fees {
				paid = 0.0;
			}
		}
		trial.gain += paid;
	}
	trial
}

/// Whether only computed positions are opened, and how many blocks were left out for that.
fn open(random: &mut Random, computed: u32, idler: &Idler, setting: &Setting) -> (bool, u32) {
	let chance = guess_q64(computed, setting.parameters.positions);
	let lucky = |random: &mut Random| Balance::from(random.bits()) < chance.min(ONE_Q64);
	if lucky(random) {
		return (true, 0);
	}
	if idler.blocks_ppm == 0 || !draw(random.bits(), idler.blocks_ppm) {
		return (false, 0);
	}
	// The author of the block that decides is a friend, and leaves it out.
	(lucky(random), 1)
}

/// Whether a record that the verifier passes is a canary.
fn canary(random: &mut Random, idler: &Idler, setting: &Setting) -> bool {
	if !setting.rules.canaries {
		return false;
	}
	let known = if setting.rules.canary_lots {
		idler.known_ppm
	} else if idler.known_ppm > 0 {
		// Who is first at every place for a canary leaves none to others.
		PPM
	} else {
		0
	};
	draw(random.bits(), setting.parameters.canary_share_ppm()) && !draw(random.bits(), known)
}

fn at(audits: u64) -> Caught {
	Caught { records: audits, epochs: audits.div_ceil(AN_EPOCH) }
}
