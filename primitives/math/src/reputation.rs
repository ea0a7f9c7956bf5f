//! Reputation: a score in `[0, 1]` that grows slowly with good work, falls fast with bad work, and
//! fades while there is none (paper, sections 5.2 and 5.3; docs/protocol/verification.md).
//!
//! Scores and factors are in ppm; what exceeds [`MAX_SCORE`] counts as [`MAX_SCORE`]. Every
//! function keeps the order of two scores.

use crate::{quality::ratio_ppm, PPM};

/// The best score.
pub const MAX_SCORE: u32 = PPM;

/// The score of a newcomer: trust is earned, and leaving to come back gains nothing.
pub const INITIAL_SCORE: u32 = 0;

/// Growth for good work, as a fraction of what is missing to [`MAX_SCORE`]. From nothing to half of
/// it takes 693 steps.
pub const GROWTH_STEP_PPM: u32 = 1_000;

/// Growth for an audit that was passed, as a fraction of what is missing to [`MAX_SCORE`]: as much as
/// ten settled stages, since somebody looked.
pub const AUDIT_STEP_PPM: u32 = 10_000;

/// What a score keeps after a proven fault: a failed audit.
pub const FAULT_FACTOR_PPM: u32 = 500_000;

/// What a score keeps after a lapse that need not be malice: a challenge that was missed, if it was
/// not the only one of its era (docs/protocol/uptime.md).
pub const LAPSE_FACTOR_PPM: u32 = 950_000;

/// Eras without work that cost nothing: a laptop may sleep.
pub const IDLE_GRACE_ERAS: u32 = 28;

/// What a score keeps for each idle era beyond the grace.
pub const IDLE_FACTOR_PPM: u32 = 990_000;

/// Default of the lowest probability of an audit, the one of a perfect score.
pub const AUDIT_FLOOR_PPM: u32 = 20_000;

const ONE: u64 = PPM as u64;

/// The score after good work: it moves towards [`MAX_SCORE`] by `step_ppm` of the distance, rounded
/// up.
pub fn grow(score: u32, step_ppm: u32) -> u32 {
	let score = score.min(MAX_SCORE);
	let missing = MAX_SCORE.saturating_sub(score);
	let gain = u64::from(missing).saturating_mul(u64::from(step_ppm.min(PPM))).div_ceil(ONE);
	score.saturating_add(to_score(gain)).min(MAX_SCORE)
}

/// The score after bad work: `factor_ppm` of it is kept, rounded down.
pub fn fall(score: u32, factor_ppm: u32) -> u32 {
	let kept = u64::from(score.min(MAX_SCORE)).saturating_mul(u64::from(factor_ppm.min(PPM)));
	to_score(kept / ONE)
}

/// The score after a settled stage, of a record whose latency score ([`crate::quality::latency_score`])
/// is `latency_ppm`: answers that are slower than what clients are promised make it grow as much
/// slower. It never falls by them, for one slow stage delays all others.
pub fn settle(score: u32, latency_ppm: u32) -> u32 {
	grow(score, fall(GROWTH_STEP_PPM, latency_ppm))
}

/// The score after an audit found nothing wrong with a stage.
pub fn pass_audit(score: u32) -> u32 {
	grow(score, AUDIT_STEP_PPM)
}

/// The score after an audit found a stage to be false.
pub fn fail_audit(score: u32) -> u32 {
	fall(score, FAULT_FACTOR_PPM)
}

/// The audits of a worker's stages that ended with a verdict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AuditTally {
	/// Those that found nothing wrong.
	pub passed: u32,
	/// Those that found the stage to be false.
	pub failed: u32,
}

impl AuditTally {
	/// With one more that found nothing wrong.
	pub fn and_passed(self) -> Self {
		Self { passed: self.passed.saturating_add(1), ..self }
	}

	/// With one more that found the stage to be false.
	pub fn and_failed(self) -> Self {
		Self { failed: self.failed.saturating_add(1), ..self }
	}

	/// The audits' factor of quality ([`crate::quality`]), in ppm, rounded down: the part that was
	/// passed, one where there was none.
	pub fn pass_rate_ppm(&self) -> u32 {
		let all = u64::from(self.passed).saturating_add(u64::from(self.failed));
		ratio_ppm(self.passed.into(), all, PPM)
	}
}

/// The score after `eras_idle` eras in a row without work: [`IDLE_FACTOR_PPM`] of it is kept for
/// each beyond [`IDLE_GRACE_ERAS`], rounded down.
pub fn decay(score: u32, eras_idle: u32) -> u32 {
	/// The fraction one while powers are taken: fine enough that rounding does not reach a score.
	const SCALE: u128 = 1_000_000_000_000_000_000;
	let mul = |a: u128, b: u128| a.saturating_mul(b) / SCALE;

	let mut eras = eras_idle.saturating_sub(IDLE_GRACE_ERAS);
	let mut power = u128::from(IDLE_FACTOR_PPM).saturating_mul(SCALE / PPM as u128);
	let mut kept = SCALE;
	while eras > 0 {
		if eras & 1 == 1 {
			kept = mul(kept, power);
		}
		power = mul(power, power);
		eras >>= 1;
	}
	let score = mul(u128::from(score.min(MAX_SCORE)), kept);
	u32::try_from(score).unwrap_or(MAX_SCORE).min(MAX_SCORE)
}

/// The probability in ppm with which a worker's record is audited: it falls in a straight line from
/// 1 at a score of 0 to `floor_ppm` at [`MAX_SCORE`], rounded up.
pub fn audit_probability_ppm(reputation_ppm: u32, floor_ppm: u32) -> u32 {
	let span = PPM.saturating_sub(floor_ppm.min(PPM));
	PPM.saturating_sub(fall(reputation_ppm, span))
}

fn to_score(value: u64) -> u32 {
	u32::try_from(value).unwrap_or(MAX_SCORE).min(MAX_SCORE)
}
