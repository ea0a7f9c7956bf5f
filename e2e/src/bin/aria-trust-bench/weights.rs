//! What an audit weighs, out of the runtime's own weights, and how many records a second audits leave
//! room for.

use crate::report::{percent, Figure, Section};
use aria_math::audit::AuditParameters;
use aria_primitives::{audit::AuditParams, PPM};
use aria_runtime::{
	dynamic::AuditParameters as Dynamic,
	genesis::{EPOCH_SLOTS, LIVE_EPOCH_CONFIG, LOCAL_SLOT_MILLIS},
	parameters::{records_per_epoch, MaxAuditSteps, MaxDrawsPerBlock, RuntimeBlockWeights},
	Runtime,
};
use aria_simulations::table::Table;
use frame_support::{
	dispatch::DispatchClass,
	traits::Get,
	weights::{constants::WEIGHT_REF_TIME_PER_MILLIS, Weight},
};
use pallet_inference_market::WeightInfo as _;
use pallet_verification::WeightInfo as _;
use serde_json::json;
use sp_state_machine::BasicExternalities;

type Audits = <Runtime as pallet_verification::Config>::WeightInfo;
type Market = <Runtime as pallet_inference_market::Config>::WeightInfo;

/// Values of a position in the model that audits are counted for: as many as 2 billion parameters have.
const HIDDEN: u32 = 2_560;
/// Bytes of an opened position besides its values: salt, position, token.
const LEAF_HEAD: u32 = 32 + 4 + 4;
/// Stages of a record.
const STAGES: u32 = 1;
/// Records of a batch, and signers of it: eight workers and the gateway.
const ENTRIES: u32 = 256;
const SIGNERS: u32 = 9;
/// Part of a block after which no further audit is taken on, as the pallet has it.
const BLOCK_PART: u64 = 5;

/// The numbers of the audit game that the runtime begins with.
pub fn parameters() -> AuditParams {
	BasicExternalities::new_empty().execute_with(Dynamic::get)
}

/// The same for [`aria_math`].
pub fn arithmetic(params: &AuditParams) -> AuditParameters {
	AuditParameters {
		window_blocks: params.window,
		seats: params.first_seats,
		further_seats: params.further_seats,
		positions: params.positions.into(),
		floor_ppm: params.floor_ppm,
		verifier_fee: params.verifier_fee,
		fee_ppm: params.fee_ppm,
		levy_ppm: params.levy_ppm,
		commit_bond: params.commit_bond,
		fail_slash_ppm: params.fail_slash,
		false_verdict_slash_ppm: params.false_verdict_slash,
		canary_slash: params.canary_slash,
		canary_rate: params.canary_rate,
		canary_fee: params.canary_fee,
		canary_bond: params.canary_bond,
		canary_ppm: params.canary_ppm,
		catch_ppm: params.catch_ppm,
		silence_slash: params.silence_slash,
		max_seat_stake: params.max_seat_stake,
	}
}

/// What an audit takes of blocks.
#[derive(Clone, Copy, Debug)]
struct Audit {
	/// Signed calls of its verifiers, their transactions included.
	calls: Weight,
	/// What the chain's hooks do for it.
	hooks: Weight,
	/// How often hooks take it on.
	steps: u32,
}

impl Audit {
	/// Of a record that passes with these seats, or of one that is disputed if there are `further`.
	fn of(seats: u32, further: u32, params: &AuditParams) -> Self {
		let mut audit = Self { calls: Weight::zero(), hooks: one_draw(), steps: 0 };
		audit.step(Audits::begin_audit());
		audit.round(seats, seats, params);
		if further > 0 {
			audit.round(further, seats.saturating_add(further), params);
		}
		audit.hooks =
			audit.hooks.saturating_add(Audits::conclude(STAGES, seats.saturating_add(further)));
		audit
	}

	/// Three windows: so many verifiers commit, reveal and open; `counted` are looked at in the end.
	fn round(&mut self, seats: u32, counted: u32, params: &AuditParams) {
		let opened = u32::from(params.positions).saturating_mul(LEAF_HEAD + 4 * HIDDEN);
		let each = [Audits::commit(), Audits::reveal(), Audits::open(opened)];
		for call in each {
			let call = call.saturating_add(base()).saturating_mul(seats.into());
			self.calls = self.calls.saturating_add(call);
		}
		self.step(Audits::step_audit());
		self.step(Audits::step_audit());
		self.step(Audits::end_round(counted));
	}

	fn step(&mut self, weight: Weight) {
		self.hooks = self.hooks.saturating_add(weight);
		self.steps = self.steps.saturating_add(1);
	}

	fn all(&self) -> Weight {
		self.calls.saturating_add(self.hooks)
	}
}

/// What one more record adds to a draw.
fn one_draw() -> Weight {
	Audits::draw(2).saturating_sub(Audits::draw(1))
}

/// What every signed transaction weighs.
fn base() -> Weight {
	RuntimeBlockWeights::get().get(DispatchClass::Normal).base_extrinsic
}

fn millis(weight: Weight) -> f64 {
	weight.ref_time() as f64 / WEIGHT_REF_TIME_PER_MILLIS as f64
}

/// How many records a second something leaves room for.
struct Bound {
	what: String,
	per_block: f64,
}

/// The weights of all audit calls and of whole audits, and what bounds settlement where records are
/// drawn at the floor.
///
/// The runtime tells all of it; nothing is measured here.
pub fn section() -> Section {
	let params = parameters();
	let limits = RuntimeBlockWeights::get();
	let block = millis(limits.max_block);
	let normal = limits.get(DispatchClass::Normal).max_total.map_or(block, millis);

	let opened = u32::from(params.positions).saturating_mul(LEAF_HEAD + 4 * HIDDEN);
	let seats = params.first_seats;
	let both = seats.saturating_add(params.further_seats);
	let calls = [
		("`register_verifier`", Audits::register_verifier(), true),
		("`retire_verifier`", Audits::retire_verifier(), true),
		("`commit`", Audits::commit(), true),
		("`claim_silence`", Audits::claim_silence(), true),
		("`post_handover`", Audits::post_handover(), true),
		("`reveal`", Audits::reveal(), true),
		("`open`", Audits::open(opened), true),
		("`commit_canary`", Audits::commit_canary(), true),
		("`reveal_canary`, `withdraw_canary`", Audits::reveal_canary(), true),
		("`forget_canary`", Audits::forget_canary(), true),
		("a draw, each record", one_draw(), false),
		("an audit begins", Audits::begin_audit(), false),
		("a window ends", Audits::step_audit(), false),
		("a first round ends", Audits::end_round(seats), false),
		("a second round ends", Audits::end_round(both), false),
		("a verdict of the first round", Audits::conclude(STAGES, seats), false),
		("a verdict of the second", Audits::conclude(STAGES, both), false),
	];
	let mut table = Table::new(["what", "weight", "of a block"]);
	let mut rows = Vec::new();
	for (name, weight, signed) in calls {
		let weight = if signed { weight.saturating_add(base()) } else { weight };
		let time = millis(weight);
		table.push([name.to_owned(), format!("{time:.2} ms"), percent(time / block)]);
		rows.push(json!({ "name": name, "milliseconds": time, "share": time / block }));
	}

	let passed = Audit::of(seats, 0, &params);
	let disputed = Audit::of(seats, params.further_seats, &params);
	let mut whole =
		Table::new(["a whole audit", "seats", "calls", "hooks", "all", "of a block", "steps"]);
	let named = [("that passes", seats, passed), ("that is disputed", both, disputed)];
	for (name, seats, audit) in named {
		let all = millis(audit.all());
		whole.push([
			name.to_owned(),
			seats.to_string(),
			format!("{:.2} ms", millis(audit.calls)),
			format!("{:.2} ms", millis(audit.hooks)),
			format!("{all:.2} ms"),
			percent(all / block),
			audit.steps.to_string(),
		]);
	}

	let bounds = bounds(&params, &passed, normal, block);
	let seconds = block_seconds();
	let mut room = Table::new(["what bounds settlement", "records a block", "records/s"]);
	for bound in &bounds {
		let rate = bound.per_block / seconds;
		room.push([bound.what.clone(), format!("{:.0}", bound.per_block), format!("{rate:.0}")]);
	}
	let least = bounds.iter().min_by(|a, b| a.per_block.total_cmp(&b.per_block));
	let binds = least.map_or_else(String::new, |bound| {
		format!("{:.0} records/s: {}", bound.per_block / seconds, bound.what)
	});

	let text = format!(
		"A block may weigh {block:.0} ms, {normal:.0} ms of them calls. `open` is of {} positions of a \
		 model with {HIDDEN} values each, {opened} bytes together; calls have their transaction's own \
		 weight in theirs. Verdicts are those of records of one stage.\n\n{}\n{}\n\
		 For blocks of {seconds:.0} s in the mean, records of one stage in batches of {ENTRIES}, all \
		 drawn with a probability of {} and passing in the first round:\n\n{}",
		params.positions,
		table.markdown(),
		whole.markdown(),
		percent(f64::from(params.floor_ppm) / f64::from(PPM)),
		room.markdown(),
	);
	let json = json!({
		"block_ms": block,
		"normal_ms": normal,
		"calls": rows,
		"audits": named.map(|(name, seats, audit)| json!({
			"name": name,
			"seats": seats,
			"calls_ms": millis(audit.calls),
			"hooks_ms": millis(audit.hooks),
			"share": millis(audit.all()) / block,
			"steps": audit.steps,
		})),
		"bounds": bounds.iter().map(|bound| json!({
			"what": bound.what,
			"records_per_block": bound.per_block,
			"records_per_second": bound.per_block / seconds,
		})).collect::<Vec<_>>(),
	});
	let weight = millis(passed.all());
	let figures = vec![
		Figure::plain(
			&format!("weight of an audit of {seats} seats that passes"),
			format!("{weight:.1} ms, {} of a block", percent(weight / block)),
		),
		Figure::plain("what binds settlement in the long run, at the floor", binds),
	];
	Section { name: "weights", text, json, figures }
}

/// Records that a block settles at most in the long run, by each limit that audits set, and without.
fn bounds(params: &AuditParams, audit: &Audit, normal: f64, block: f64) -> Vec<Bound> {
	let drawn = f64::from(params.floor_ppm.max(1)) / f64::from(PPM);
	let batch = Market::settle_batch(SIGNERS, ENTRIES, 0, 0).saturating_add(base());
	let record = millis(batch) / f64::from(ENTRIES);
	let hooks = millis(audit.hooks.saturating_sub(one_draw()));
	let steps = f64::from(MaxAuditSteps::get());
	// Blocks of an epoch in the mean; a sixth of its slots is what the runtime counts on.
	let blocks = EPOCH_SLOTS as f64 * LOCAL_SLOT_MILLIS as f64 / 1_000.0 / block_seconds();
	[
		("weight of calls, without audits".to_owned(), normal / record),
		(
			"weight of calls, those of verifiers among them".to_owned(),
			normal / (record + drawn * millis(audit.calls)),
		),
		(
			"weight of hooks: a fifth of a block for audits".to_owned(),
			block / BLOCK_PART as f64 / hooks / drawn,
		),
		(
			format!("steps of audits in a block: {steps:.0}, {} an audit", audit.steps),
			steps / f64::from(audit.steps.max(1)) / drawn,
		),
		("draws of a block".to_owned(), f64::from(MaxDrawsPerBlock::get())),
		("records of an epoch".to_owned(), f64::from(records_per_epoch(EPOCH_SLOTS)) / blocks),
	]
	.map(|(what, per_block)| Bound { what, per_block })
	.into()
}

/// Seconds from a block to the next, in the mean, where there are several validators.
fn block_seconds() -> f64 {
	let (blocks, slots) = LIVE_EPOCH_CONFIG.c;
	LOCAL_SLOT_MILLIS as f64 / 1_000.0 * slots as f64 / blocks.max(1) as f64
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn the_runtime_should_begin_with_the_numbers_that_are_documented() {
		assert_eq!(arithmetic(&parameters()), AuditParameters::DEFAULT);
	}

	#[test]
	fn a_dispute_should_weigh_more_than_an_audit_that_passes() {
		let params = parameters();
		let passed = Audit::of(params.first_seats, 0, &params);
		let disputed = Audit::of(params.first_seats, params.further_seats, &params);

		assert_eq!((passed.steps, disputed.steps), (4, 7));
		assert!(disputed.calls.ref_time() > passed.calls.ref_time());
		assert!(disputed.hooks.ref_time() > passed.hooks.ref_time());
	}

	#[test]
	fn blocks_should_come_each_six_seconds() {
		assert_eq!(block_seconds(), 6.0);
	}
}
