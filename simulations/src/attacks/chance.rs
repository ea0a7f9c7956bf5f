//! Attacks on the lottery for blocks.

use super::{
	aria,
	campaign::BLOCK_PAY,
	lab::{Attack, Lab},
	outcome::Outcome,
	rules::EPOCH_BLOCKS,
	Revenue, PRICE,
};
use aria_math::{
	lottery::{decayed, lottery_weights, LotteryRules},
	PPM,
};

/// The runtime's rules: a tenth at most, or two and a half equal shares; a quarter more an epoch.
const RULES: LotteryRules =
	LotteryRules { share_ppm: 100_000, multiple_ppm: 2_500_000, growth_ppm: 250_000 };

/// What is left of verified work after an epoch.
const KEEP_PPM: u32 = 900_000;

/// Validators that work alike.
const VALIDATORS: usize = 20;

/// Records of each in an epoch.
const RECORDS: u32 = 250;

/// How many times as much the attacker does in one epoch.
const BURST: u32 = 20;

/// Epochs after that.
const EPOCHS: u32 = 80;

/// All of them.
pub fn attacks(_: &Lab) -> Vec<Attack> {
	let name = "hardware for one epoch: twenty times the work, on own queries";
	let unbounded = LotteryRules { share_ppm: PPM, multiple_ppm: u32::MAX, growth_ppm: u32::MAX };
	let free = burst(&unbounded, false);
	vec![Attack::new(name, burst(&RULES, true)).without("work has to be paid for", free)]
}

/// Work in one epoch, blocks in those that follow, until it has faded.
fn burst(rules: &LotteryRules, paid: bool) -> Outcome {
	// In the long run a sum is ten epochs' work.
	let steady = u128::from(RECORDS) * u128::from(PPM) / u128::from(PPM - KEEP_PPM);
	let extra = u128::from(RECORDS) * u128::from(BURST - 1);
	let mut previous = vec![1_600_000_u64; VALIDATORS];
	let mut gain = 0.0;
	for epoch in 0..EPOCHS {
		let mut work = vec![steady; VALIDATORS];
		if let Some(attacker) = work.first_mut() {
			*attacker = attacker.saturating_add(decayed(extra, KEEP_PPM, epoch));
		}
		let weights = lottery_weights(&work, &previous, rules);
		let all: u64 = weights.iter().sum();
		let own = weights.first().copied().unwrap_or(0);
		let share = own as f64 / all.max(1) as f64;
		let equal = 1.0 / VALIDATORS as f64;
		gain += (share - equal) * f64::from(EPOCH_BLOCKS) * BLOCK_PAY;
		previous = weights;
	}
	let each = if paid { aria(Revenue::of(PRICE).lost()) } else { 0.0 };
	Outcome::certain(f64::from(RECORDS * (BURST - 1)) * each, gain, gain)
}
