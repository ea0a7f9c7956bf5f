//! Bodies of records: built by a gateway out of what stages say, and checked by each stage before it
//! signs (`docs/protocol/record.md`).

use super::{
	answer::AnswerText,
	error::NoRecord,
	narrow,
	types::{Answered, Job},
};
use aria_engine::trace::BoundaryTrace;
use aria_network::wire::pipeline::{Order, StagePlace, Totals};
use aria_primitives::{
	hashing::sha256,
	query::CanonicalQuery,
	record::{settlement_digest, Payment, RecordBody, Settlement, Stage, RECORD_VERSION},
	AccountId, Moment, OutputHash, RecordId, Signature,
};
use codec::Encode;
use sp_core::{sr25519, Pair, H256};
use sp_runtime::{traits::Verify, BoundedVec};

/// Shortest text whose hash stands without a salt, in bytes.
const LEAST_UNSALTED: usize = 64;

/// A record with the signatures of its stages, ready for settlement but for the gateway's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedRecord {
	/// The record's id on its chain.
	pub id: RecordId,
	/// What was signed.
	pub body: RecordBody,
	/// For each stage in order its signature over the id; `None` for one that did not sign in time,
	/// which is never the last.
	pub signatures: Vec<Option<Signature>>,
	/// What pays.
	pub payment: Payment,
}

impl SignedRecord {
	/// Bit `i` is set if stage `i` signed.
	pub fn signed_stages(&self) -> u32 {
		(0u32..32)
			.zip(&self.signatures)
			.filter(|(_, signature)| signature.is_some())
			.fold(0, |set, (stage, _)| set | (1 << stage))
	}

	/// Signs for the gateway, which has to be the one that the ticket names.
	pub fn settlement(self, gateway: &sr25519::Pair) -> Settlement {
		let digest = settlement_digest(&self.id, self.signed_stages());
		Settlement {
			id: self.id,
			body: self.body,
			payment: self.payment,
			signatures: BoundedVec::truncate_from(self.signatures),
			gateway_signature: gateway.sign(digest.as_bytes()).into(),
		}
	}
}

/// SHA-256 of the answer's text; `salt`, which is the query's, stands behind it where the text is
/// shorter than 64 bytes or `salted` asks for it.
pub fn output_hash(text: &str, salt: &[u8; 32], salted: bool) -> OutputHash {
	if salted || text.len() < LEAST_UNSALTED {
		sha256(&[text.as_bytes(), salt].concat())
	} else {
		sha256(text.as_bytes())
	}
}

/// SHA-256 of the answer's SCALE-encoded tokens.
pub fn output_tokens_hash(tokens: &[u32]) -> H256 {
	sha256(&tokens.encode())
}

/// `B_0` of a query.
pub(crate) fn prompt_boundary(query: &CanonicalQuery) -> H256 {
	BoundaryTrace::prompt(query.salt, &query.prompt_tokens).boundary(0, &query.hash())
}

/// The two neighbours that disagree first, if any: which of them is wrong is for an audit.
fn disagreement(totals: &[Totals]) -> Option<NoRecord> {
	(0u16..).zip(totals.windows(2)).find_map(|(before, pair)| match pair {
		[left, right] if left.behind != right.before => {
			Some(NoRecord::Disagreement { before, behind: before.saturating_add(1) })
		}
		_ => None,
	})
}

/// When an answer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ended {
	/// From the query's arrival to the last token, in milliseconds.
	pub latency_ms: u32,
	/// Milliseconds since the Unix epoch.
	pub timestamp: Moment,
}

/// The body of a record, from what each stage said.
pub(crate) fn build(
	job: &Job,
	genesis: &H256,
	answer: &Answered,
	ended: Ended,
	stages: &[StagePlace],
	totals: &[Totals],
) -> Result<RecordBody, NoRecord> {
	if let Some(pair) = disagreement(totals) {
		return Err(pair);
	}
	let first = totals.first().map(|totals| totals.before);
	if first != Some(prompt_boundary(&job.query)) {
		return Err(NoRecord::OtherPrompt);
	}
	let boundaries: Vec<H256> =
		first.into_iter().chain(totals.iter().map(|totals| totals.behind)).collect();
	let entries: Vec<Stage> = stages
		.iter()
		.zip(totals)
		.map(|(place, totals)| Stage {
			node: place.node.clone(),
			layers: place.layers,
			energy_mj: totals.energy_mj,
			energy_source: totals.energy_source,
			consent_version: totals.consent_version,
		})
		.collect();
	Ok(RecordBody {
		version: RECORD_VERSION,
		model_id: job.query.model_id,
		query_hash: job.query.hash(),
		output_hash: output_hash(&answer.text, &job.query.salt, job.salted_output),
		output_tokens_hash: output_tokens_hash(&answer.tokens),
		finish_reason: answer.finish_reason,
		prompt_tokens: answer.prompt_tokens,
		cached_tokens: answer.cached_tokens,
		output_tokens: narrow(answer.tokens.len()),
		energy_mj: energy(&entries),
		stages: BoundedVec::truncate_from(entries),
		boundaries: BoundedVec::truncate_from(boundaries),
		latency_ms: ended.latency_ms,
		timestamp: ended.timestamp,
		anchor: job.anchor,
		ticket_hash: job.payment.ticket.hash(genesis),
	})
}

fn energy(stages: &[Stage]) -> u64 {
	stages.iter().fold(0, |sum, stage| sum.saturating_add(stage.energy_mj))
}

/// What a stage knows of a record.
pub(crate) struct Known<'a> {
	/// The order that it took.
	pub order: &'a Order,
	/// The stages as they are now.
	pub stages: &'a [StagePlace],
	/// Which of them it is.
	pub stage: usize,
	/// What it said itself.
	pub totals: &'a Totals,
	/// Tokens of the answer.
	pub tokens: u32,
	/// The chain.
	pub genesis: &'a H256,
	/// Now.
	pub now: Moment,
}

/// How far a record's time may be from a stage's clock, in milliseconds: as far as it may be ahead of the
/// chain's (`docs/protocol/settlement.md`).
const MAX_CLOCKS_APART: u64 = 60_000;

/// Whether a stage can sign `body`: all of it that the stage knows is as it knows it. What the last
/// stage knows of the answer is for [`check_answer`].
pub(crate) fn check(body: &RecordBody, known: &Known<'_>) -> Result<(), String> {
	let Known { order, stages, stage, totals, tokens, genesis, now } = *known;
	let is = |right: bool, what: &str| if right { Ok(()) } else { Err(what.to_owned()) };
	is(body.version == RECORD_VERSION, "version")?;
	is(body.model_id == order.model_id, "model_id")?;
	is(body.query_hash == order.query_hash, "query_hash")?;
	is(body.ticket_hash == order.ticket.ticket.hash(genesis), "ticket_hash")?;
	is(body.anchor == order.anchor, "anchor")?;
	is(body.prompt_tokens == order.prompt_tokens, "prompt_tokens")?;
	is(body.cached_tokens == 0, "cached_tokens")?;
	is(body.latency_ms > 0, "latency_ms")?;
	is(body.timestamp.abs_diff(now) <= MAX_CLOCKS_APART, "timestamp")?;
	is(body.output_tokens == tokens, "output_tokens")?;
	is(body.stages.len() == stages.len(), "number of stages")?;
	is(body.boundaries.len() == stages.len() + 1, "number of boundaries")?;
	let same = |(entry, place): (&Stage, &StagePlace)| {
		entry.node == place.node && entry.layers == place.layers
	};
	is(body.stages.iter().zip(stages).all(same), "nodes and layers of the stages")?;
	let own = body.stages.get(stage).is_some_and(|own| {
		own.energy_mj == totals.energy_mj
			&& own.energy_source == totals.energy_source
			&& own.consent_version == totals.consent_version
	});
	is(own, "own energy and consent")?;
	let boundary = |index: usize| body.boundaries.get(index).copied();
	is(boundary(stage) == Some(totals.before), "the boundary before this stage")?;
	is(boundary(stage + 1) == Some(totals.behind), "the boundary behind this stage")?;
	is(body.energy_mj == energy(&body.stages), "energy_mj, which is the sum over the stages")
}

/// Whether the last stage, which drew `tokens` and made `text` of them, can speak for the answer that
/// `body` names. The text may have a salt behind it, as only the requester and the gateway know whether
/// one was asked for.
pub(crate) fn check_answer(
	body: &RecordBody,
	query: &CanonicalQuery,
	tokens: &[u32],
	text: &AnswerText<'_>,
) -> Result<(), String> {
	let is = |right: bool, what: &str| if right { Ok(()) } else { Err(what.to_owned()) };
	let hashed = |salted| output_hash(text.text(), &query.salt, salted) == body.output_hash;
	is(body.output_tokens_hash == output_tokens_hash(tokens), "output_tokens_hash")?;
	is(text.finish() == Some(body.finish_reason), "finish_reason")?;
	is(hashed(false) || hashed(true), "output_hash")
}

/// Whether `node` signed `id`.
pub(crate) fn is_signed(id: &RecordId, signature: &Signature, node: &AccountId) -> bool {
	signature.verify(id.as_bytes(), node)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;
	use aria_primitives::record::EnergySource;

	fn totals(before: u8, behind: u8) -> Totals {
		Totals {
			energy_mj: 5,
			energy_source: EnergySource::Estimate,
			consent_version: 1,
			before: H256::repeat_byte(before),
			behind: H256::repeat_byte(behind),
		}
	}

	#[test]
	fn the_first_pair_that_disagrees_should_be_named() {
		assert_eq!(disagreement(&[totals(0, 1), totals(1, 2), totals(2, 3)]), None);
		assert_eq!(disagreement(&[totals(0, 1)]), None);
		assert_eq!(
			disagreement(&[totals(0, 1), totals(1, 2), totals(9, 3), totals(8, 4)]),
			Some(NoRecord::Disagreement { before: 1, behind: 2 })
		);
	}

	#[test]
	fn short_texts_and_those_that_ask_for_it_should_be_salted() {
		let long = "x".repeat(64);
		let salt = [7; 32];
		assert_eq!(output_hash(&long, &salt, false), sha256(long.as_bytes()));
		assert_eq!(
			output_hash(&long, &salt, true),
			sha256(&[long.as_bytes(), salt.as_slice()].concat())
		);
		assert_eq!(output_hash("yes", &salt, false), output_hash("yes", &salt, true));
		assert_ne!(output_hash("yes", &salt, false), output_hash("yes", &[8; 32], false));
	}

	#[test]
	fn tokens_should_be_hashed_as_a_list() {
		assert_eq!(output_tokens_hash(&[1, 2, 3]), sha256(&vec![1u32, 2, 3].encode()));
		assert_ne!(output_tokens_hash(&[1, 2]), output_tokens_hash(&[2, 1]));
	}
}
