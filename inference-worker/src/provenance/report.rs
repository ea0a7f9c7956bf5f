//! An answer in words, or in JSON.

use super::{
	find::{Answer, Finding},
	proof::Proven,
	views::{Trace, TracedNode},
};
use aria_primitives::{
	record::{EnergySource, FinishReason, Stage},
	AccountId, Balance, Moment, ARIA,
};
use serde_json::{json, Value};
use sp_core::crypto::Ss58Codec;
use std::fmt::{self, Write};

/// The answer for people.
///
/// # Errors
/// None that a `String` gives.
pub fn words(answer: &Answer) -> Result<String, fmt::Error> {
	let mut out = String::new();
	if answer.findings.is_empty() {
		writeln!(out, "NOT FOUND")?;
		for candidate in &answer.tried {
			writeln!(out, "no record of {:?}, {}", candidate.hash, candidate.of)?;
		}
		for hint in &answer.hints {
			writeln!(out, "- {hint}")?;
		}
		return Ok(out);
	}
	for finding in &answer.findings {
		describe(&mut out, finding)?;
		writeln!(out)?;
	}
	if answer.more {
		writeln!(out, "There are more records of this text: ask for more with --limit.")?;
	}
	Ok(out)
}

fn describe(out: &mut String, finding: &Finding) -> fmt::Result {
	writeln!(out, "record     {:?}", finding.id)?;
	if let Some(of) = &finding.of {
		writeln!(out, "found by   the SHA-256 of {of}")?;
	}
	match &finding.proof {
		Ok(proven) => {
			facts(out, proven, finding.trace.as_ref())?;
			verdict(out, proven, finding)
		}
		Err(reason) => {
			if let Some(trace) = &finding.trace {
				writeln!(out, "model      {} (as the node says)", names(trace))?;
			}
			writeln!(out, "NOT PROVEN: {reason}")?;
			writeln!(
				out,
				"The node says that there is such a record; nothing of it is shown to be true."
			)
		}
	}
}

fn facts(out: &mut String, proven: &Proven, trace: Option<&Trace>) -> fmt::Result {
	let entry = &proven.entry;
	let body = &entry.body;
	writeln!(out, "model      {:?}", body.model_id)?;
	if let Some(trace) = trace {
		writeln!(out, "           * {}", names(trace))?;
	}
	writeln!(out, "query      {:?}", body.query_hash)?;
	writeln!(out, "output     {:?}", body.output_hash)?;
	writeln!(
		out,
		"tokens     {} of the prompt ({} cached), {} of the answer, which {}",
		body.prompt_tokens,
		body.cached_tokens,
		body.output_tokens,
		ended(body.finish_reason)
	)?;
	writeln!(
		out,
		"answered   {}, after {}.{:03} s",
		utc(body.timestamp),
		body.latency_ms / 1_000,
		body.latency_ms % 1_000
	)?;
	writeln!(out, "energy     {}", joules(body.energy_mj))?;
	writeln!(
		out,
		"price      {} ARIA, paid by {} to {}",
		aria(entry.price),
		address(&entry.requester),
		address(&entry.gateway)
	)?;
	writeln!(
		out,
		"settled    in block {}, epoch {}, era {}",
		entry.settled_at, entry.epoch, entry.era
	)?;
	let may = if entry.auditable { "anybody eligible may check it" } else { "nobody may check it" };
	writeln!(out, "audit      {may}")?;
	if let Some(trace) = trace {
		writeln!(out, "           * {}", trace.audit.in_words())?;
	}
	for (index, stage) in body.stages.iter().enumerate() {
		let node = trace.and_then(|trace| trace.nodes.get(index));
		describe_stage(out, index, stage, signed(entry.signed_stages, index), node)?;
	}
	Ok(())
}

fn describe_stage(
	out: &mut String,
	index: usize,
	stage: &Stage,
	signed: bool,
	node: Option<&TracedNode>,
) -> fmt::Result {
	let says = if signed { "signed" } else { "did not sign" };
	writeln!(
		out,
		"stage {index:<4} {} {says}: layers {}..{}, {} ({}), consent version {}",
		address(&stage.node),
		stage.layers.first,
		stage.layers.end,
		joules(stage.energy_mj),
		source(stage.energy_source),
		stage.consent_version
	)?;
	let Some(node) = node else { return Ok(()) };
	match &node.consent {
		Some(consent) if consent.version == stage.consent_version => {
			writeln!(out, "           * consent: {}", consent.in_words())?;
		}
		_ => {
			writeln!(out, "           * consent: the terms of that version are not kept any more")?
		}
	}
	let peer = match node.peer {
		Some(peer) => format!("peer {peer:?}"),
		None => "no longer registered".to_owned(),
	};
	let reputation = f64::from(node.reputation_ppm) / 1e6;
	writeln!(out, "           * reputation {reputation:.3} now, {peer}")
}

fn verdict(out: &mut String, proven: &Proven, finding: &Finding) -> fmt::Result {
	match proven.under {
		None => {
			writeln!(out, "PROVEN against block {:?} (number {})", proven.block, proven.number)?;
			writeln!(
				out,
				"What is proven: the state under this block's header has this record, byte for byte, and its \
				 id is the hash of its body, so that the stages marked as signed put their keys to it."
			)?;
		}
		Some((later, number)) => {
			writeln!(out, "PROVEN against block {later:?} (number {number})")?;
			writeln!(
				out,
				"What is proven: this block's header leads to block {:?} (number {}), which settled this \
				 record; the state under that one's header has it, byte for byte, and its id is the hash of \
				 its body, so that the stages marked as signed put their keys to it. It has left the state \
				 since.",
				proven.block, proven.number
			)?;
		}
	}
	if finding.of.is_some() {
		writeln!(out, "The record's output hash is that of the bytes that you gave.")?;
	}
	writeln!(
		out,
		"What is not: that this block is final and of the chain that you mean (compare its hash with a \
		 source that you trust, or give one with --block); that figures which the workers stated, such as \
		 energy, are true; that no other record has the same text; and the lines with *, which are the \
		 node's word."
	)
}

/// The answer for programs. Numbers above 32 bits are decimal strings, as in `docs/rpc.md`.
pub fn json(answer: &Answer) -> Value {
	let findings: Vec<Value> = answer
		.findings
		.iter()
		.map(|finding| {
			let (record, block, error) = match &finding.proof {
				Ok(proven) => {
					let block = match proven.under {
						None => json!({ "hash": proven.block, "number": proven.number }),
						Some((hash, number)) => json!({ "hash": hash, "number": number }),
					};
					(record(proven), block, Value::Null)
				}
				Err(reason) => (Value::Null, Value::Null, json!(reason)),
			};
			json!({
				"id": finding.id,
				"foundBy": finding.of,
				"proven": finding.proof.is_ok(),
				"error": error,
				"block": block,
				"record": record,
				"unproven": finding.trace,
			})
		})
		.collect();
	let tried: Vec<Value> = answer
		.tried
		.iter()
		.map(|candidate| json!({ "hash": candidate.hash, "of": candidate.of }))
		.collect();
	json!({
		"found": !answer.findings.is_empty(),
		"proven": answer.is_proven(),
		"records": findings,
		"more": answer.more,
		"tried": tried,
		"hints": if answer.findings.is_empty() { answer.hints.clone() } else { Vec::new() },
	})
}

fn record(proven: &Proven) -> Value {
	let entry = &proven.entry;
	let body = &entry.body;
	let stages: Vec<Value> = body
		.stages
		.iter()
		.enumerate()
		.map(|(index, stage)| {
			json!({
				"node": address(&stage.node),
				"layers": { "first": stage.layers.first, "end": stage.layers.end },
				"energyMj": stage.energy_mj.to_string(),
				"energySource": stage.energy_source,
				"consentVersion": stage.consent_version,
				"signed": signed(entry.signed_stages, index),
			})
		})
		.collect();
	json!({
		"version": body.version,
		"modelId": body.model_id,
		"queryHash": body.query_hash,
		"outputHash": body.output_hash,
		"outputTokensHash": body.output_tokens_hash,
		"finishReason": body.finish_reason,
		"promptTokens": body.prompt_tokens,
		"cachedTokens": body.cached_tokens,
		"outputTokens": body.output_tokens,
		"stages": stages,
		"boundaries": body.boundaries.to_vec(),
		"energyMj": body.energy_mj.to_string(),
		"latencyMs": body.latency_ms,
		"timestamp": body.timestamp,
		"anchor": { "number": body.anchor.number, "hash": body.anchor.hash },
		"ticketHash": body.ticket_hash,
		"requester": address(&entry.requester),
		"gateway": address(&entry.gateway),
		"price": entry.price.to_string(),
		"settledAt": entry.settled_at,
		"epoch": entry.epoch.to_string(),
		"era": entry.era,
		"auditable": entry.auditable,
	})
}

fn signed(bits: u32, index: usize) -> bool {
	u32::try_from(index)
		.ok()
		.and_then(|index| bits.checked_shr(index))
		.is_some_and(|bits| bits & 1 == 1)
}

fn names(trace: &Trace) -> String {
	let names = match trace.aliases.as_slice() {
		[] => "without a name".to_owned(),
		aliases => aliases.join(", "),
	};
	let pinned = if trace.pinned { "pinned" } else { "not pinned now" };
	match &trace.model {
		Some(model) => format!(
			"{names}; {} layers, {} active parameters, context {}; {pinned}",
			model.layers, model.active_parameters, model.context
		),
		None => format!("{names}; not registered now"),
	}
}

fn ended(reason: FinishReason) -> &'static str {
	match reason {
		FinishReason::Stop => "came to its end",
		FinishReason::Length => "was cut at its length",
		FinishReason::Cancelled => "its client cancelled",
	}
}

fn source(source: EnergySource) -> &'static str {
	match source {
		EnergySource::Estimate => "estimated from CPU time",
		EnergySource::Rapl => "measured by RAPL",
		EnergySource::Powermetrics => "measured by powermetrics",
		EnergySource::Meter => "measured by a meter",
	}
}

fn address(account: &AccountId) -> String {
	account.to_ss58check()
}

fn joules(millijoules: u64) -> String {
	format!("{}.{:03} J", millijoules / 1_000, millijoules % 1_000)
}

fn aria(planck: Balance) -> String {
	format!("{}.{:012}", planck / ARIA, planck % ARIA)
}

/// A moment as `2026-01-01 00:00:00.000 UTC`.
fn utc(moment: Moment) -> String {
	let (seconds, milliseconds) = (moment / 1_000, moment % 1_000);
	let (days, second) = (seconds / 86_400, seconds % 86_400);
	let (year, month, day) = date(days);
	format!(
		"{year}-{month:02}-{day:02} {:02}:{:02}:{:02}.{milliseconds:03} UTC",
		second / 3_600,
		second / 60 % 60,
		second % 60
	)
}

/// Year, month and day of the Gregorian calendar, `days` after the first of January 1970.
fn date(days: u64) -> (u64, u64, u64) {
	// Counted in eras of 400 years that begin on the first of March of the year 0, so that leap days are
	// last.
	let days = days + 719_468;
	let (era, of_era) = (days / 146_097, days % 146_097);
	let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
	let of_year = of_era - (365 * year + year / 4 - year / 100);
	let shifted = (5 * of_year + 2) / 153;
	let day = of_year - (153 * shifted + 2) / 5 + 1;
	let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
	let year = year + 400 * era + u64::from(month <= 2);
	(year, month, day)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::{
		super::{
			input::Candidate,
			proof::{check, tests},
			views::Audit,
		},
		*,
	};
	use sp_core::H256;

	fn answer(proof: Result<Proven, String>) -> Answer {
		let trace = Trace {
			model: None,
			aliases: vec!["aria-2b-1bit".to_owned()],
			pinned: true,
			nodes: vec![TracedNode {
				node: "5C62".to_owned(),
				peer: None,
				consent: None,
				reputation_ppm: 900_000,
			}],
			audit: Audit { status: "not_drawn".to_owned(), draw_epoch: None, at: None },
		};
		let finding = Finding {
			id: H256::repeat_byte(1),
			of: Some("exactly the file".to_owned()),
			proof,
			trace: Some(trace),
		};
		Answer { findings: vec![finding], tried: Vec::new(), more: false, hints: Vec::new() }
	}

	#[test]
	fn a_proven_record_should_be_told_with_what_is_not_proven() {
		let proven = check(&tests::evidence(&tests::entry("an answer")), None).unwrap();
		let text = words(&answer(Ok(proven.clone()))).unwrap();
		for part in [
			"aria-2b-1bit",
			"layers 15..30",
			"did not sign",
			"2.500 J (estimated from CPU time)",
			"5.000 J",
			"after 1.500 s",
			"3.000000000000 ARIA",
			"2026-01-01 00:00:00.000 UTC",
			"consent version 3",
			"reputation 0.900",
			"in block 9",
			"passed it over",
			"PROVEN against block",
			"What is not",
		] {
			assert!(text.contains(part), "{part} is missing:\n{text}");
		}
		let json = json(&answer(Ok(proven)));
		assert_eq!(json["proven"], true);
		assert_eq!(json["records"][0]["record"]["energyMj"], "5000");
		assert_eq!(json["records"][0]["record"]["stages"][1]["signed"], true);
		assert_eq!(json["records"][0]["record"]["stages"][0]["signed"], false);
		assert_eq!(json["records"][0]["unproven"]["aliases"][0], "aria-2b-1bit");
	}

	#[test]
	fn a_record_that_has_left_the_state_should_be_told_with_both_blocks() {
		let proven = check(&tests::past_evidence(&tests::entry("an answer")), None).unwrap();
		let text = words(&answer(Ok(proven.clone()))).unwrap();
		for part in ["(number 59)", "(number 42), which settled", "has left the state"] {
			assert!(text.contains(part), "{part} is missing:\n{text}");
		}
		assert_eq!(json(&answer(Ok(proven)))["records"][0]["block"]["number"], 59);
	}

	#[test]
	fn what_is_not_proven_should_say_so() {
		let answer = answer(Err("the proof is odd".to_owned()));
		let text = words(&answer).unwrap();
		assert!(text.contains("NOT PROVEN: the proof is odd"));
		assert!(!text.contains("layers"));
		assert_eq!(json(&answer)["proven"], false);
	}

	#[test]
	fn what_was_not_found_should_say_what_was_tried() {
		let tried = vec![Candidate { hash: H256::zero(), of: "exactly the text".to_owned() }];
		let hints = vec!["give --salt".to_owned()];
		let answer = Answer { findings: Vec::new(), tried, more: false, hints };
		let text = words(&answer).unwrap();
		assert!(text.contains("NOT FOUND") && text.contains("exactly the text"));
		assert!(text.contains("--salt"));
		assert_eq!(json(&answer)["found"], false);
	}

	#[test]
	fn dates_should_be_those_of_the_calendar() {
		assert_eq!(utc(0), "1970-01-01 00:00:00.000 UTC");
		assert_eq!(utc(951_782_399_999), "2000-02-28 23:59:59.999 UTC");
		assert_eq!(utc(951_782_400_000), "2000-02-29 00:00:00.000 UTC");
		assert_eq!(utc(1_709_251_200_000), "2024-03-01 00:00:00.000 UTC");
		assert_eq!(utc(4_107_542_400_000), "2100-03-01 00:00:00.000 UTC");
	}
}
