//! Numbers that root and the council change by `Parameters::set_parameter`, without another runtime
//! (`docs/protocol/governance.md`; the parameters of `docs/protocol/audit.md`,
//! `docs/protocol/retention.md` and `docs/protocol/uptime.md`).
//!
//! A value outside of its range counts as the nearest end of it, whoever set it: the ranges are those of
//! [`AuditParams::clamped`], [`UptimeParams::clamped`] and [`RecordRetention`].

use crate::{
	parameters::{RETENTION_DEFAULT, RETENTION_LEAST, RETENTION_MOST},
	Balance, BlockNumber, Runtime,
};
use aria_primitives::{audit::AuditParams, uptime::UptimeParams, Ppm};
use frame_support::{
	dynamic_params::{dynamic_pallet_params, dynamic_params},
	traits::Get,
};

#[dynamic_params(RuntimeParameters, pallet_parameters::Parameters::<Runtime>)]
pub mod dynamic_params {
	use super::*;

	/// The audit game: the fields of [`AuditParams`].
	#[dynamic_pallet_params]
	#[codec(index = 0)]
	pub mod audit {
		#[codec(index = 0)]
		pub static Window: BlockNumber = AuditParams::DEFAULT.window;
		#[codec(index = 1)]
		pub static FirstSeats: u32 = AuditParams::DEFAULT.first_seats;
		#[codec(index = 2)]
		pub static FurtherSeats: u32 = AuditParams::DEFAULT.further_seats;
		#[codec(index = 3)]
		pub static Positions: u8 = AuditParams::DEFAULT.positions;
		#[codec(index = 4)]
		pub static Floor: Ppm = AuditParams::DEFAULT.floor_ppm;
		#[codec(index = 5)]
		pub static VerifierFee: Balance = AuditParams::DEFAULT.verifier_fee;
		#[codec(index = 6)]
		pub static FeePart: Ppm = AuditParams::DEFAULT.fee_ppm;
		#[codec(index = 7)]
		pub static Levy: Ppm = AuditParams::DEFAULT.levy_ppm;
		#[codec(index = 8)]
		pub static CommitBond: Balance = AuditParams::DEFAULT.commit_bond;
		#[codec(index = 9)]
		pub static FailSlash: Ppm = AuditParams::DEFAULT.fail_slash;
		#[codec(index = 10)]
		pub static FalseVerdictSlash: Ppm = AuditParams::DEFAULT.false_verdict_slash;
		#[codec(index = 11)]
		pub static CanarySlash: Balance = AuditParams::DEFAULT.canary_slash;
		#[codec(index = 12)]
		pub static CanaryRate: u32 = AuditParams::DEFAULT.canary_rate;
		#[codec(index = 13)]
		pub static CanaryFee: Balance = AuditParams::DEFAULT.canary_fee;
		#[codec(index = 14)]
		pub static CanaryBond: Balance = AuditParams::DEFAULT.canary_bond;
		#[codec(index = 15)]
		pub static CanaryPart: Ppm = AuditParams::DEFAULT.canary_ppm;
		#[codec(index = 16)]
		pub static CatchShare: Ppm = AuditParams::DEFAULT.catch_ppm;
		#[codec(index = 17)]
		pub static SilenceSlash: Balance = AuditParams::DEFAULT.silence_slash;
		#[codec(index = 18)]
		pub static MaxSeatStake: Balance = AuditParams::DEFAULT.max_seat_stake;
	}

	/// Challenges: the fields of [`UptimeParams`].
	#[dynamic_pallet_params]
	#[codec(index = 1)]
	pub mod uptime {
		#[codec(index = 0)]
		pub static Challenges: u32 = UptimeParams::DEFAULT.challenges;
		#[codec(index = 1)]
		pub static AnswerWindow: BlockNumber = UptimeParams::DEFAULT.window;
	}

	/// Records: for how many blocks they stay in the state.
	#[dynamic_pallet_params]
	#[codec(index = 3)]
	pub mod records {
		#[codec(index = 0)]
		pub static Retention: BlockNumber = RETENTION_DEFAULT;
	}
}

#[cfg(feature = "runtime-benchmarks")]
impl Default for RuntimeParameters {
	fn default() -> Self {
		use dynamic_params::audit::{Parameters, Window};
		Self::Audit(Parameters::Window(Window, Some(AuditParams::DEFAULT.window)))
	}
}

/// The parameters of the audit game as they are set now.
pub struct AuditParameters;

impl Get<AuditParams> for AuditParameters {
	fn get() -> AuditParams {
		use dynamic_params::audit::*;
		AuditParams {
			window: Window::get(),
			first_seats: FirstSeats::get(),
			further_seats: FurtherSeats::get(),
			positions: Positions::get(),
			floor_ppm: Floor::get(),
			verifier_fee: VerifierFee::get(),
			fee_ppm: FeePart::get(),
			levy_ppm: Levy::get(),
			commit_bond: CommitBond::get(),
			fail_slash: FailSlash::get(),
			false_verdict_slash: FalseVerdictSlash::get(),
			canary_slash: CanarySlash::get(),
			canary_rate: CanaryRate::get(),
			canary_fee: CanaryFee::get(),
			canary_bond: CanaryBond::get(),
			canary_ppm: CanaryPart::get(),
			catch_ppm: CatchShare::get(),
			silence_slash: SilenceSlash::get(),
			max_seat_stake: MaxSeatStake::get(),
		}
		.clamped()
	}
}

/// The parameters of challenges as they are set now.
pub struct UptimeParameters;

impl Get<UptimeParams> for UptimeParameters {
	fn get() -> UptimeParams {
		use dynamic_params::uptime::*;
		UptimeParams { challenges: Challenges::get(), window: AnswerWindow::get() }.clamped()
	}
}

/// For how many blocks a record stays in the state, as it is set now.
pub struct RecordRetention;

impl Get<BlockNumber> for RecordRetention {
	fn get() -> BlockNumber {
		dynamic_params::records::Retention::get().clamp(RETENTION_LEAST, RETENTION_MOST)
	}
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;
	use crate::{
		parameters::{
			BlockHashCount, GatewayStake, GatewayUnbonding, MaxAnchorAge, WorkerUnbonding,
		},
		Parameters, RuntimeOrigin,
	};
	use frame_support::assert_ok;
	use pallet_verification::MOST_WINDOWS;

	#[test]
	fn stakes_should_outlast_the_longest_audit() {
		let longest = AuditParams { window: u32::MAX, ..AuditParams::DEFAULT }.clamped().window;
		let blocks = longest * MOST_WINDOWS;
		assert!(blocks < WorkerUnbonding::get());
		assert!(blocks < GatewayUnbonding::get());
		let most = AuditParams { silence_slash: u128::MAX, ..AuditParams::DEFAULT }.clamped();
		assert!(most.silence_slash <= GatewayStake::get());
	}

	#[test]
	fn challenges_should_be_set_within_their_range() {
		sp_io::TestExternalities::default().execute_with(|| {
			use dynamic_params::uptime::{AnswerWindow, Challenges, Parameters as Uptime};
			assert_eq!(UptimeParameters::get(), UptimeParams::DEFAULT);
			for value in [
				RuntimeParameters::Uptime(Uptime::Challenges(Challenges, Some(u32::MAX))),
				RuntimeParameters::Uptime(Uptime::AnswerWindow(AnswerWindow, Some(1))),
			] {
				assert_ok!(Parameters::set_parameter(RuntimeOrigin::root(), value));
			}
			let set = UptimeParams { challenges: 360, window: 100 };
			assert_eq!(UptimeParameters::get(), set);
		});
	}

	#[test]
	fn a_record_that_has_left_the_state_should_be_too_old_to_be_settled() {
		// Its anchor is of a block before the one that settled it.
		assert!(RETENTION_LEAST > MaxAnchorAge::get());
		assert!((RETENTION_LEAST..=RETENTION_MOST).contains(&RETENTION_DEFAULT));
	}

	#[test]
	fn retention_should_change_by_a_call_and_stay_within_its_range() {
		sp_io::TestExternalities::default().execute_with(|| {
			use dynamic_params::records::{Parameters as Records, Retention};
			assert_eq!(RecordRetention::get(), RETENTION_DEFAULT);
			for (set, counts) in [(1_000, 1_000), (0, RETENTION_LEAST), (u32::MAX, RETENTION_MOST)]
			{
				let value = RuntimeParameters::Records(Records::Retention(Retention, Some(set)));
				assert_ok!(Parameters::set_parameter(RuntimeOrigin::root(), value));
				assert_eq!(RecordRetention::get(), counts);
			}
		});
	}

	#[test]
	fn answers_should_find_the_hash_of_the_block_that_asks() {
		let longest = UptimeParams { window: u32::MAX, ..UptimeParams::DEFAULT }.clamped().window;
		assert!(longest < BlockHashCount::get());
		assert!(longest < WorkerUnbonding::get());
	}

	#[test]
	fn a_parameter_should_change_by_a_call_and_stay_within_its_range() {
		sp_io::TestExternalities::default().execute_with(|| {
			use dynamic_params::audit::{Parameters as Audit, Window};
			assert_eq!(AuditParameters::get(), AuditParams::DEFAULT);
			for (set, counts) in [(250, 250), (3, 100), (u32::MAX, 2_400)] {
				let value = RuntimeParameters::Audit(Audit::Window(Window, Some(set)));
				assert_ok!(Parameters::set_parameter(RuntimeOrigin::root(), value));
				assert_eq!(AuditParameters::get().window, counts);
			}
			let value = RuntimeParameters::Audit(Audit::Window(Window, None));
			let nobody = RuntimeOrigin::none();
			assert!(Parameters::set_parameter(nobody, value.clone()).is_err());
			assert_ok!(Parameters::set_parameter(RuntimeOrigin::root(), value));
			assert_eq!(AuditParameters::get(), AuditParams::DEFAULT);
		});
	}
}
