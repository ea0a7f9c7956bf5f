use super::{any_ppm, any_u128, any_u64, config};
use aria_math::{efficiency::*, PPM};
use proptest::prelude::*;

#[test]
fn efficiency_should_be_average_over_own() {
	assert_eq!(efficiency(300, 300, CEILING_ATTESTED_PPM), PPM);
	assert_eq!(efficiency(300, 200, CEILING_ATTESTED_PPM), 1_500_000);
	assert_eq!(efficiency(300, 400, CEILING_ATTESTED_PPM), 750_000);
}

#[test]
fn efficiency_should_stop_at_its_bounds() {
	assert_eq!(efficiency(300, 1, CEILING_ESTIMATE_PPM), 1_000_000);
	assert_eq!(efficiency(300, 1, CEILING_SELF_MEASURED_PPM), 1_100_000);
	assert_eq!(efficiency(300, 1, CEILING_ATTESTED_PPM), 2_000_000);
	assert_eq!(efficiency(u128::MAX, 1, u32::MAX), 2_000_000);
	assert_eq!(efficiency(300, 1, 0), 500_000);
	assert_eq!(efficiency(1, u128::MAX, CEILING_ATTESTED_PPM), 500_000);
}

#[test]
fn efficiency_should_be_lowest_when_no_energy_is_claimed() {
	assert_eq!(efficiency(300, 0, CEILING_ATTESTED_PPM), MIN_EFFICIENCY_PPM);
	assert_eq!(efficiency(0, 0, CEILING_ATTESTED_PPM), MIN_EFFICIENCY_PPM);
}

#[test]
fn efficiency_should_be_one_when_there_is_no_average() {
	assert_eq!(efficiency(0, 300, CEILING_ATTESTED_PPM), PPM);
	assert_eq!(efficiency(0, 300, 700_000), 700_000);
}

#[test]
fn energy_per_work_should_be_none_without_work() {
	assert_eq!(energy_per_work(1_000, 2_000_000_000), Some(500_000));
	assert_eq!(energy_per_work(1_000, 0), None);
	assert_eq!(energy_per_work(u128::MAX, 1), Some(u128::MAX));
}

#[test]
fn plausible_energy_should_respect_idle_power_and_floor() {
	// 5 W for 2 s are 10 J.
	assert!(plausible_energy(10_000, 2_000, 5_000, 0));
	assert!(!plausible_energy(9_999, 2_000, 5_000, 0));
	assert!(plausible_energy(10_000, 2_000, 5_000, 10_000));
	assert!(!plausible_energy(10_000, 2_000, 5_000, 10_001));
	// 1 mW for 1 ms is a microjoule: more than nothing.
	assert!(!plausible_energy(0, 1, 1, 0));
	assert!(plausible_energy(1, 1, 1, 0));
}

#[test]
fn plausible_energy_should_refuse_zero_even_without_bounds() {
	assert!(!plausible_energy(0, 0, 0, 0));
	assert!(plausible_energy(1, 0, 0, 0));
	assert!(!plausible_energy(u64::MAX, u64::MAX, u64::MAX, 0));
}

proptest! {
	#![proptest_config(config())]

	#[test]
	fn efficiency_should_be_bounded_at_any_input(
		average in any_u128(),
		own in any_u128(),
		ceiling in prop_oneof![any_ppm(), 500_000_u32..=2_000_000],
	) {
		let bonus = efficiency(average, own, ceiling);
		prop_assert!(bonus >= MIN_EFFICIENCY_PPM);
		prop_assert!(bonus <= ceiling.clamp(MIN_EFFICIENCY_PPM, CEILING_ATTESTED_PPM));
	}

	#[test]
	fn efficiency_should_fall_with_energy(
		average in any_u128(),
		own in 1..=u128::MAX,
		other in 1..=u128::MAX,
	) {
		let (less, more) = (own.min(other), own.max(other));
		prop_assert!(
			efficiency(average, less, CEILING_ATTESTED_PPM)
				>= efficiency(average, more, CEILING_ATTESTED_PPM)
		);
	}

	#[test]
	fn plausible_energy_should_accept_more_where_it_accepts_less(
		energy in any_u64(),
		more in any_u64(),
		duration in any_u64(),
		idle in any_u64(),
		floor in any_u64(),
	) {
		let plausible = plausible_energy(energy, duration, idle, floor);
		prop_assert!(!plausible || plausible_energy(energy.max(more), duration, idle, floor));
	}
}
