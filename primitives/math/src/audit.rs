//! The arithmetic of the audit game (paper, 3.2 and 5.3; docs/protocol/audit.md): who gets a seat,
//! how probable a record's audit has to be, who pays whom after a verdict, and what lying is worth.
//!
//! One inequality carries the rest. A record of value `V` is drawn with a probability `p` at which
//!
//! ```text
//! p × ASSURANCE × (V + L) >= V          L: what its stages lose at least if one of them failed
//! ```
//!
//! so that lying in that record has no positive expectation, whatever came before it. Because a
//! failure takes everything that is not vested yet, and nothing vests past an open audit, no order
//! of true and false records changes that ([`strategy`]).

use crate::{
	odds::ONE_Q64,
	reputation::{audit_probability_ppm, AUDIT_FLOOR_PPM},
	wide::{mul_div_ceil, mul_div_floor, mul_ppm, widening_mul},
	Balance, ARIA, PPM,
};
use alloc::{vec, vec::Vec};

/// How sure it is at least that a false record which is drawn fails, in ppm: with half of the
/// verifiers' stake in one liar's hands, at any number of seats within its range.
pub const ASSURANCE_PPM: u32 = 300_000;

/// What products of two probabilities in ppm are parts of.
pub const PPM_SQUARED: u64 = PPM as u64 * PPM as u64;

/// Planck of a thousandth of an ARIA.
const MILLI: Balance = ARIA / 1_000;

/// What records of several stages cost together, as far as they are not vested, is at most this many times
/// the stake of each of their workers: else a stage with little could take the blame for many. What all
/// records of a gateway cost is at most as many times its own stake: else it could have many more
/// false ones paid than its stake can answer for, and hand over none of them.
pub const SHARED_FACTOR: Balance = 1;

/// How many parameters there are.
pub const PARAMETERS: usize = 19;

/// A parameter as governance sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
	/// Its name in docs/protocol/audit.md.
	pub name: &'static str,
	/// What a chain begins with.
	pub default: u128,
	/// The lowest value.
	pub low: u128,
	/// The highest value.
	pub high: u128,
}

/// Numbers of the audit game. What this module promises holds for all values within
/// [`AuditParameters::RANGES`], in any combination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuditParameters {
	/// Blocks of each of a round's three windows.
	pub window_blocks: u32,
	/// Seats of the first round, in the mean.
	pub seats: u32,
	/// Further seats of the second round, in the mean.
	pub further_seats: u32,
	/// Positions that are opened of each commitment.
	pub positions: u32,
	/// Probability of an audit at the best reputation, in ppm.
	pub floor_ppm: u32,
	/// Most that a counted seat is paid, in planck.
	pub verifier_fee: Balance,
	/// Most that an audit may take out of the pot, in ppm of the record's price over the probability
	/// of its draw.
	pub fee_ppm: u32,
	/// Most that an audit may take out of the stages' shares of its record, in ppm of these.
	pub levy_ppm: u32,
	/// What a commitment puts on hold, in planck.
	pub commit_bond: Balance,
	/// What a failed stage loses of its stake, in ppm.
	pub fail_slash_ppm: u32,
	/// What the losing side of a second round loses of its stakes, in ppm.
	pub false_verdict_slash_ppm: u32,
	/// What it costs to call a canary valid, in planck; also the least stake of a verifier.
	pub canary_slash: Balance,
	/// Of so many records one may be a canary.
	pub canary_rate: u32,
	/// What a canary earns its maker, if it is drawn or not, in the mean, in planck.
	pub canary_fee: Balance,
	/// What a canary puts on hold, in planck.
	pub canary_bond: Balance,
	/// What canaries may cost, in ppm of the drawn records' prices over the probability of their draw.
	pub canary_ppm: u32,
	/// Part of a canary slash for those who caught it, in ppm; the maker gets the rest.
	pub catch_ppm: u32,
	/// What silence costs a gateway at least, in planck.
	pub silence_slash: Balance,
	/// Stake beyond which chances of a seat do not grow, in planck.
	pub max_seat_stake: Balance,
}

impl AuditParameters {
	/// What a chain begins with.
	pub const DEFAULT: Self = Self {
		window_blocks: 100,
		seats: 2,
		further_seats: 9,
		positions: 2,
		floor_ppm: AUDIT_FLOOR_PPM,
		verifier_fee: 20 * MILLI,
		fee_ppm: 30_000,
		levy_ppm: 500_000,
		commit_bond: 100 * MILLI,
		fail_slash_ppm: 500_000,
		false_verdict_slash_ppm: 250_000,
		canary_slash: 10 * ARIA,
		canary_rate: 100,
		canary_fee: 10 * MILLI,
		canary_bond: 500 * MILLI,
		canary_ppm: 20_000,
		catch_ppm: 500_000,
		silence_slash: 10 * ARIA,
		max_seat_stake: 1_000 * ARIA,
	};

	/// Defaults and ranges, in the order of [`AuditParameters::values`].
	///
	/// Some ends of ranges depend on each other: the fee's upper end is the bond's lower end
	/// ([`guessing_pays`]), and times the canaries' rate a half of the canary slash's lower end
	/// ([`passing_blindly_pays`]).
	pub const RANGES: [Range; PARAMETERS] = [
		range("Window", Self::DEFAULT.window_blocks as u128, 100, 2_400),
		range("FirstSeats", Self::DEFAULT.seats as u128, 2, 16),
		range("FurtherSeats", Self::DEFAULT.further_seats as u128, 3, 16),
		range("Positions", Self::DEFAULT.positions as u128, 1, 8),
		range("Floor", Self::DEFAULT.floor_ppm as u128, 5_000, 1_000_000),
		range("VerifierFee", Self::DEFAULT.verifier_fee, MILLI, 50 * MILLI),
		range("FeePart", Self::DEFAULT.fee_ppm as u128, 0, 35_000),
		range("Levy", Self::DEFAULT.levy_ppm as u128, 0, 500_000),
		range("CommitBond", Self::DEFAULT.commit_bond, 50 * MILLI, 10 * ARIA),
		range("FailSlash", Self::DEFAULT.fail_slash_ppm as u128, 100_000, 1_000_000),
		range(
			"FalseVerdictSlash",
			Self::DEFAULT.false_verdict_slash_ppm as u128,
			50_000,
			1_000_000,
		),
		range("CanarySlash", Self::DEFAULT.canary_slash, 10 * ARIA, 100 * ARIA),
		range("CanaryRate", Self::DEFAULT.canary_rate as u128, 10, 100),
		range("CanaryFee", Self::DEFAULT.canary_fee, 0, 50 * MILLI),
		range("CanaryBond", Self::DEFAULT.canary_bond, 100 * MILLI, 10 * ARIA),
		range("CanaryPart", Self::DEFAULT.canary_ppm as u128, 0, 35_000),
		range("CatchShare", Self::DEFAULT.catch_ppm as u128, 0, 1_000_000),
		range("SilenceSlash", Self::DEFAULT.silence_slash, ARIA, 100 * ARIA),
		range("MaxSeatStake", Self::DEFAULT.max_seat_stake, 100 * ARIA, 100_000 * ARIA),
	];

	/// All values, in the order of [`AuditParameters::RANGES`].
	pub fn values(&self) -> [u128; PARAMETERS] {
		[
			self.window_blocks.into(),
			self.seats.into(),
			self.further_seats.into(),
			self.positions.into(),
			self.floor_ppm.into(),
			self.verifier_fee,
			self.fee_ppm.into(),
			self.levy_ppm.into(),
			self.commit_bond,
			self.fail_slash_ppm.into(),
			self.false_verdict_slash_ppm.into(),
			self.canary_slash,
			self.canary_rate.into(),
			self.canary_fee,
			self.canary_bond,
			self.canary_ppm.into(),
			self.catch_ppm.into(),
			self.silence_slash,
			self.max_seat_stake,
		]
	}

	/// Parameters of these values, each brought into its range.
	pub fn within_ranges(values: [u128; PARAMETERS]) -> Self {
		let mut clamped = values;
		for (value, range) in clamped.iter_mut().zip(Self::RANGES) {
			*value = (*value).clamp(range.low, range.high);
		}
		// No range with a field of 32 bits ends beyond them.
		let small = |value: u128| u32::try_from(value).unwrap_or(u32::MAX);
		let mut values = clamped.into_iter();
		let mut next = || values.next().unwrap_or(0);
		Self {
			window_blocks: small(next()),
			seats: small(next()),
			further_seats: small(next()),
			positions: small(next()),
			floor_ppm: small(next()),
			verifier_fee: next(),
			fee_ppm: small(next()),
			levy_ppm: small(next()),
			commit_bond: next(),
			fail_slash_ppm: small(next()),
			false_verdict_slash_ppm: small(next()),
			canary_slash: next(),
			canary_rate: small(next()),
			canary_fee: next(),
			canary_bond: next(),
			canary_ppm: small(next()),
			catch_ppm: small(next()),
			silence_slash: next(),
			max_seat_stake: next(),
		}
	}

	/// Whether each value lies in its range; if not, the name of the first that does not.
	pub fn check(&self) -> Result<(), &'static str> {
		let outside = self
			.values()
			.into_iter()
			.zip(Self::RANGES)
			.find(|(value, range)| *value < range.low || *value > range.high);
		outside.map_or(Ok(()), |(_, range)| Err(range.name))
	}

	/// Blocks until a round is over.
	pub fn round_blocks(&self) -> u32 {
		self.window_blocks.saturating_mul(3)
	}

	/// The part of records that may be canaries, in ppm, rounded down.
	pub fn canary_share_ppm(&self) -> u32 {
		PPM.checked_div(self.canary_rate).unwrap_or(PPM)
	}
}

impl Default for AuditParameters {
	fn default() -> Self {
		Self::DEFAULT
	}
}

const fn range(name: &'static str, default: u128, low: u128, high: u128) -> Range {
	Range { name, default, low, high }
}

// --- seats ------------------------------------------------------------------------------------

/// Whether a VRF output is a seat: `output / 2^64 < seats × stake / total`, compared exactly for
/// all arguments. No stake, or a total of zero, has no seat.
pub fn has_seat(output: u64, stake: Balance, total: Balance, seats: u32) -> bool {
	if stake == 0 || total == 0 {
		return false;
	}
	let wanted = widening_mul(u128::from(output), total);
	// Below 2^160, so that 64 more bits still fit.
	let (high, low) = widening_mul(u128::from(seats), stake);
	let granted = ((high << 64) | (low >> 64), low << 64);
	wanted < granted
}

/// How probable it is at least, in ppm, that a false record which is drawn fails: `honest_ppm` of
/// the verifiers' stake say what they find, all others together that nothing is wrong.
///
/// Seats are taken as Poisson distributed, as they are where nobody has much of the stake. An audit
/// without a seat convicts nobody, nor does one whose first round has only the liar's friends; in
/// the second one more than half of the seats of both decides. Rounded down. More than 256 seats in
/// all count as that many.
pub fn detection_ppm(seats: u32, further_seats: u32, honest_ppm: u32) -> u32 {
	/// Of both rounds together.
	const MOST: u32 = 256;
	let honest_ppm = honest_ppm.min(PPM);
	let first = seats.min(MOST);
	let second = further_seats.min(MOST.saturating_sub(first));
	let all = first.saturating_add(second);
	let part = |seats: u32, ppm: u32| u64::from(seats).saturating_mul(u64::from(ppm));
	let liars = poisson(part(all, PPM.saturating_sub(honest_ppm)));
	let outvoted = exceeds(&poisson(part(all, honest_ppm)), &liars);
	// Outvoted, had anybody looked in the first round.
	let nobody = poisson(part(first, honest_ppm)).first().copied().unwrap_or(0);
	let missed = exceeds(&poisson(part(second, honest_ppm)), &liars).saturating_mul(nobody) >> 60;
	let caught = outvoted.saturating_sub(missed).saturating_mul(u128::from(PPM)) >> 60;
	u32::try_from(caught).unwrap_or(PPM).min(PPM).saturating_sub(1)
}

/// The Poisson distribution with a mean in millionths, in parts of 2^60, from 0 on as far as any
/// mean up to 256 needs it.
fn poisson(mean_ppm: u64) -> Vec<u128> {
	const PLACES: usize = 512;
	/// Weight of the likeliest place, before the weights are brought to a sum of one.
	const PEAK: u128 = 1 << 60;
	let mut weights = vec![0_u128; PLACES];
	let (mean, unit) = (u128::from(mean_ppm), u128::from(PPM));
	let mode = usize::try_from(mean / unit).unwrap_or(0).min(PLACES.saturating_sub(1));
	let mut upward = PEAK;
	for (place, weight) in weights.iter_mut().enumerate().skip(mode) {
		*weight = upward;
		let next = u128::try_from(place).unwrap_or(0).saturating_add(1).saturating_mul(unit);
		upward = upward.saturating_mul(mean).checked_div(next).unwrap_or(0);
	}
	let mut downward = PEAK;
	for (place, weight) in weights.iter_mut().enumerate().take(mode.saturating_add(1)).rev() {
		*weight = downward;
		let here = u128::try_from(place).unwrap_or(0).saturating_mul(unit);
		downward = downward.saturating_mul(here).checked_div(mean).unwrap_or(0);
	}
	let sum = weights.iter().fold(0_u128, |sum, weight| sum.saturating_add(*weight));
	for weight in &mut weights {
		*weight = mul_div_floor(*weight, PEAK, sum).unwrap_or(0);
	}
	weights
}

/// How probable it is that the first number is larger than the second, in parts of 2^60.
fn exceeds(first: &[u128], second: &[u128]) -> u128 {
	let mut below = 0_u128;
	let mut sum = 0_u128;
	for (one, other) in first.iter().zip(second) {
		sum = sum.saturating_add(one.saturating_mul(below) >> 60);
		below = below.saturating_add(*other);
	}
	sum
}

// --- draws ------------------------------------------------------------------------------------

/// What is lost at least if a record turns out false: the failed stage's slash, for which the least
/// stake among the record's stages stands, or the gateway's for silence.
pub fn liability(least_stake: Balance, parameters: &AuditParameters) -> Balance {
	mul_ppm(least_stake, parameters.fail_slash_ppm).min(parameters.silence_slash)
}

/// The highest price that a record may take: beyond it not even a certain audit would make lying
/// unprofitable. What exceeds it stays with the requester. Rounded down.
pub fn record_limit(liability: Balance) -> Balance {
	let assured = u128::from(ASSURANCE_PPM);
	let rest = u128::from(PPM).saturating_sub(assured);
	mul_div_floor(liability, assured, rest).unwrap_or(0)
}

/// What records of several stages in which a worker with that stake takes part, or all records of a
/// gateway with that stake, may cost together as far as they are not vested, in planck.
pub fn shared_limit(stake: Balance) -> Balance {
	stake.saturating_mul(SHARED_FACTOR)
}

/// The probability at which lying in a record has no positive expectation, in ppm, rounded up;
/// for a price up to [`record_limit`], a certainty beyond it.
pub fn value_probability_ppm(price: Balance, liability: Balance) -> u32 {
	if price == 0 {
		return 0;
	}
	let at_stake = price.saturating_add(liability);
	// Two steps, so that the product stays below 256 bits; both round up.
	let needed = mul_div_ceil(price, u128::from(PPM_SQUARED), at_stake).unwrap_or(u128::MAX);
	u32::try_from(needed.div_ceil(u128::from(ASSURANCE_PPM))).unwrap_or(PPM).min(PPM)
}

/// The probability in ppm with which a record is drawn: by the lowest reputation of its stages, or
/// by what it is worth compared with what they would lose, whichever is higher.
pub fn draw_probability_ppm(
	reputation_ppm: u32,
	price: Balance,
	liability: Balance,
	parameters: &AuditParameters,
) -> u32 {
	audit_probability_ppm(reputation_ppm, parameters.floor_ppm)
		.max(value_probability_ppm(price, liability))
}

/// The share of all computation that goes into the audits of records drawn with that probability,
/// in ppm, rounded up.
///
/// A seat computes a record once. Canaries, of which nobody computes the answer, have a second
/// round; other records are taken to be true.
pub fn audit_share_ppm(probability_ppm: u32, parameters: &AuditParameters) -> u32 {
	let unit = u64::from(PPM);
	let again = u64::from(parameters.further_seats)
		.saturating_mul(u64::from(parameters.canary_share_ppm()));
	let runs_each = u64::from(parameters.seats).saturating_mul(unit).saturating_add(again);
	let audits = u128::from(runs_each).saturating_mul(u128::from(probability_ppm.min(PPM)));
	let answers = u128::from(PPM_SQUARED);
	let share = mul_div_ceil(audits, u128::from(PPM), answers.saturating_add(audits));
	share.and_then(|share| u32::try_from(share).ok()).unwrap_or(PPM).min(PPM)
}

// --- money ------------------------------------------------------------------------------------

/// What a counted seat of a first round is paid, and out of what, in planck.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SeatFee {
	/// Out of the audit pot.
	pub pot: Balance,
	/// Out of the shares of the record's stages.
	pub shares: Balance,
}

impl SeatFee {
	/// Both.
	pub fn total(&self) -> Balance {
		self.pot.saturating_add(self.shares)
	}
}

/// The fee of each of `counted` seats of a record of that price, which was drawn with that probability
/// and has `shares` for its stages.
///
/// In the mean the pot gives no more than a part of the price, however many seats there are: who
/// arranges audits of his own records to be paid for them gains nothing. What is then missing to a full
/// fee, as it is for newcomers, whose every record is audited, the stages pay, up to the levy.
pub fn seat_fee(
	price: Balance,
	shares: Balance,
	probability_ppm: u32,
	counted: u32,
	parameters: &AuditParameters,
) -> SeatFee {
	let (full, counted) = (parameters.verifier_fee, u128::from(counted));
	let part = mul_ppm(price, parameters.fee_ppm.min(PPM));
	let odds = u128::from(probability_ppm.min(PPM));
	let most = mul_div_floor(part, u128::from(PPM), odds).unwrap_or(0);
	let pot = most.checked_div(counted).unwrap_or(0).min(full);
	let levy = mul_ppm(shares, parameters.levy_ppm.min(PPM)).checked_div(counted).unwrap_or(0);
	SeatFee { pot, shares: full.saturating_sub(pot).min(levy) }
}

/// What becomes of a failed stage's money, in planck. `slashed + forfeited` is the sum of the other
/// three.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Failure {
	/// Taken from the stake.
	pub slashed: Balance,
	/// All that was not vested.
	pub forfeited: Balance,
	/// Given back to the requester.
	pub requester: Balance,
	/// Paid to the accusers, all together.
	pub accusers: Balance,
	/// Burnt.
	pub burnt: Balance,
}

/// The consequences of `Failed` for the stage to blame: the slash is at least the record's price, as
/// far as the stake goes; `fees` is what its accusers are due.
pub fn failure(
	stake: Balance,
	unvested: Balance,
	price: Balance,
	fees: Balance,
	parameters: &AuditParameters,
) -> Failure {
	let slashed = mul_ppm(stake, parameters.fail_slash_ppm).max(price).min(stake);
	let taken = slashed.saturating_add(unvested);
	let requester = price.min(taken);
	let accusers = fees.min(taken.saturating_sub(requester));
	let burnt = taken.saturating_sub(requester).saturating_sub(accusers);
	Failure { slashed, forfeited: unvested, requester, accusers, burnt }
}

/// What becomes of a silent gateway's slash, in planck. `slashed` is the sum of the other three.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Silence {
	/// Taken from the gateway's stake.
	pub slashed: Balance,
	/// Given back to the requester.
	pub requester: Balance,
	/// Paid to the verifiers who could not work, all together.
	pub verifiers: Balance,
	/// Burnt.
	pub burnt: Balance,
}

/// The consequences of `Silent` for the gateway: its slash is at least the record's price.
pub fn silence(
	stake: Balance,
	price: Balance,
	fees: Balance,
	parameters: &AuditParameters,
) -> Silence {
	let slashed = parameters.silence_slash.max(price).min(stake);
	let requester = price.min(slashed);
	let verifiers = fees.min(slashed.saturating_sub(requester));
	let burnt = slashed.saturating_sub(requester).saturating_sub(verifiers);
	Silence { slashed, requester, verifiers, burnt }
}

/// What somebody loses who was of another finding than a second round, in planck, beside the bond.
pub fn false_verdict_slash(stake: Balance, parameters: &AuditParameters) -> Balance {
	mul_ppm(stake, parameters.false_verdict_slash_ppm)
}

/// How a canary slash is divided: the parts of all who caught the canary, and of its maker. Nobody
/// but those who passed it pays them, so that they are nothing where nobody did.
pub fn canary_slash_split(slashed: Balance, parameters: &AuditParameters) -> (Balance, Balance) {
	let caught = mul_ppm(slashed, parameters.catch_ppm.min(PPM));
	(caught, slashed.saturating_sub(caught))
}

/// What the pot pays the maker of a canary that was drawn with that probability, in planck: fee and
/// costs, for this one and for those that were made like it and not drawn. Rounded down; nothing for
/// a probability of zero.
pub fn canary_pay(costs: Balance, probability_ppm: u32, parameters: &AuditParameters) -> Balance {
	let each = parameters.canary_fee.saturating_add(costs);
	match probability_ppm.min(PPM) {
		0 => 0,
		probability => mul_div_floor(each, u128::from(PPM), u128::from(probability)).unwrap_or(0),
	}
}

// --- what lying is worth ------------------------------------------------------------------------

/// An expectation in planck: the gain rounded up, the loss rounded down.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Expectation {
	/// What is won.
	pub gain: Balance,
	/// What is lost.
	pub loss: Balance,
}

/// Whether it pays to lie in one record worth `value` to the liar: the exact comparison of
/// `value × (1 − x)` with `liability × x`, where `x` is the product of both probabilities.
pub fn cheating_pays(
	value: Balance,
	liability: Balance,
	probability_ppm: u32,
	detection_ppm: u32,
) -> bool {
	let caught = caught(probability_ppm, detection_ppm);
	let escaped = PPM_SQUARED.saturating_sub(caught);
	widening_mul(value, escaped.into()) > widening_mul(liability, caught.into())
}

/// What lying in `fraction_ppm` of all records comes to until the first of them fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UntilCaught {
	/// Expected gain in planck, rounded up. It does not depend on the fraction.
	pub gain: Balance,
	/// Expected number of records, true and false, rounded up.
	pub records: u128,
}

/// Records of `value` planck each, drawn with `probability_ppm` (of which reputation and price
/// decide, [`draw_probability_ppm`]); a false one that is drawn fails with `detection_ppm`.
///
/// `None` if it is never caught.
pub fn until_caught(
	value: Balance,
	fraction_ppm: u32,
	probability_ppm: u32,
	detection_ppm: u32,
) -> Option<UntilCaught> {
	let caught = u128::from(caught(probability_ppm, detection_ppm));
	let escaped = u128::from(PPM_SQUARED).saturating_sub(caught);
	let gain = mul_div_ceil(value, escaped, caught)?;
	let unit = u128::from(PPM_SQUARED).saturating_mul(u128::from(PPM));
	let hits = caught.saturating_mul(u128::from(fraction_ppm.min(PPM)));
	(hits > 0).then(|| UntilCaught { gain, records: unit.div_ceil(hits) })
}

/// What a plan of false records comes to: `(value, probability_ppm)` of each, in their order. It may
/// have been made with all that its maker knows when each begins; it ends with the first failure,
/// which costs `liability` and all that came after it.
pub fn strategy(
	records: impl IntoIterator<Item = (Balance, u32)>,
	liability: Balance,
	detection_ppm: u32,
) -> Expectation {
	let whole = u128::from(PPM_SQUARED);
	// The probability to have come that far, from above and from below.
	let (mut most, mut least) = (ONE_Q64, ONE_Q64);
	let mut sum = Expectation::default();
	for (value, probability_ppm) in records {
		let caught = u128::from(caught(probability_ppm, detection_ppm));
		let escaped = whole.saturating_sub(caught);
		let falls = mul_div_floor(least, caught, whole).unwrap_or(0);
		most = mul_div_ceil(most, escaped, whole).unwrap_or(ONE_Q64);
		least = mul_div_floor(least, escaped, whole).unwrap_or(0);
		let gain = mul_div_ceil(value, most, ONE_Q64).unwrap_or(0);
		let loss = mul_div_floor(liability, falls, ONE_Q64).unwrap_or(0);
		sum.gain = sum.gain.saturating_add(gain);
		sum.loss = sum.loss.saturating_add(loss);
	}
	sum
}

/// Whether it pays to call records valid without having run them, where that cannot be told from
/// work because their executors help: `fee × (1 − q)` against `slash × q`.
///
/// `canary_share_ppm` is what part of the records canaries are as far as the verifier can know:
/// those of its friends are none to it. Also decides how many it passes at once, if a canary takes
/// all fees that are not paid yet: `n` fees with the chance that none is a canary, against one slash
/// with the chance that one is, is best at `n` = 1.
pub fn passing_blindly_pays(fee: Balance, canary_share_ppm: u32, slash: Balance) -> bool {
	let share = canary_share_ppm.min(PPM);
	let rest = PPM.saturating_sub(share);
	widening_mul(fee, rest.into()) > widening_mul(slash, share.into())
}

/// The chance that all opened positions fall into the part that a verifier did compute, in parts of
/// 2^64, rounded up.
pub fn guess_q64(computed_ppm: u32, positions: u32) -> u128 {
	let computed = u128::from(computed_ppm.min(PPM));
	// Beyond a few hundred the chance no longer matters.
	(0..positions.min(256)).fold(ONE_Q64, |chance, _| {
		mul_div_ceil(chance, computed, u128::from(PPM)).unwrap_or(ONE_Q64)
	})
}

/// Whether a verifier that computed only a part has a positive expectation: the fee if nothing else
/// is opened, else the bond. Who copies a commitment has computed nothing.
pub fn guessing_pays(fee: Balance, bond: Balance, computed_ppm: u32, positions: u32) -> bool {
	let passed = guess_q64(computed_ppm, positions);
	let caught = ONE_Q64.saturating_sub(passed);
	widening_mul(fee, passed) > widening_mul(bond, caught)
}

/// Whether a verifier to which a whole run costs `cost` does better by leaving a part of it out.
pub fn skipping_pays(
	fee: Balance,
	bond: Balance,
	cost: Balance,
	computed_ppm: u32,
	positions: u32,
) -> bool {
	let passed = guess_q64(computed_ppm, positions);
	let lost = ONE_Q64.saturating_sub(passed);
	let saved = PPM.saturating_sub(computed_ppm.min(PPM));
	let risked = mul_div_floor(fee.saturating_add(bond), lost, ONE_Q64).unwrap_or(0);
	mul_ppm(cost, saved) > risked
}

/// The chance that a false record is found out, in parts of [`PPM_SQUARED`].
fn caught(probability_ppm: u32, detection_ppm: u32) -> u64 {
	u64::from(probability_ppm.min(PPM)).saturating_mul(u64::from(detection_ppm.min(PPM)))
}
