//! Sums over all records (paper, 3.2: Proof of Sobriety).

use aria_primitives::{record::RecordEntry, views::NetworkStats};

/// Adds a record. A stage that did not sign attested nothing, so its figure is an estimate whatever
/// it claims; a record without stages has no measured token.
pub(crate) fn add(sums: &mut NetworkStats, entry: &RecordEntry) {
	let body = &entry.body;
	let mut all_measured = !body.stages.is_empty();
	for (bit, stage) in (0u32..).zip(body.stages.iter()) {
		let signed = 1u32.checked_shl(bit).is_some_and(|mask| entry.signed_stages & mask != 0);
		let energy = u128::from(stage.energy_mj);
		if signed && stage.energy_source.is_measured() {
			sums.measured_mj = sums.measured_mj.saturating_add(energy);
		} else {
			sums.estimated_mj = sums.estimated_mj.saturating_add(energy);
			all_measured = false;
		}
	}

	let computed = u64::from(body.prompt_tokens.saturating_sub(body.cached_tokens));
	let output = u64::from(body.output_tokens);
	sums.inferences = sums.inferences.saturating_add(1);
	sums.prompt_tokens = sums.prompt_tokens.saturating_add(computed);
	sums.output_tokens = sums.output_tokens.saturating_add(output);
	if all_measured {
		sums.measured_output_tokens = sums.measured_output_tokens.saturating_add(output);
	}
}

/// Adds what was summed up elsewhere.
pub(crate) fn add_all(sums: &mut NetworkStats, more: &NetworkStats) {
	let NetworkStats {
		inferences,
		prompt_tokens,
		output_tokens,
		measured_mj,
		estimated_mj,
		measured_output_tokens,
	} = *more;
	sums.inferences = sums.inferences.saturating_add(inferences);
	sums.prompt_tokens = sums.prompt_tokens.saturating_add(prompt_tokens);
	sums.output_tokens = sums.output_tokens.saturating_add(output_tokens);
	sums.measured_mj = sums.measured_mj.saturating_add(measured_mj);
	sums.estimated_mj = sums.estimated_mj.saturating_add(estimated_mj);
	sums.measured_output_tokens =
		sums.measured_output_tokens.saturating_add(measured_output_tokens);
}
