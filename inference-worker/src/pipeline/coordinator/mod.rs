//! A gateway's side: orders an answer from stages, keeps it going, and collects the record.
//!
//! One task a job waits and decides (`run.rs`, `tokens.rs`); a task for each stage speaks with its
//! worker (`seat.rs`). When the answer has ended, stages say their totals, the gateway makes the
//! record's body of them, and each stage signs it (`finish.rs`).

mod finish;
mod run;
mod seat;
mod tokens;

use crate::pipeline::{
	answer::{self, AnswerText, Checked},
	error::{NoRecord, PipelineError},
	narrow,
	order::check_order_of_layers,
	types::{Answered, Dialer, Event, Job, Outcome, Timing},
	wide,
};
use aria_primitives::record::{FinishReason, MAX_STAGES};
use run::Run;
use sp_core::H256;
use std::{sync::Arc, time::Duration};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Has answers computed by stages.
pub struct Coordinator<D> {
	dialer: Arc<D>,
	genesis: H256,
	timing: Timing,
}

impl<D: Dialer> Coordinator<D> {
	/// A coordinator for the chain with this genesis.
	pub fn new(dialer: D, genesis: H256, timing: Timing) -> Self {
		Self { dialer: Arc::new(dialer), genesis, timing }
	}

	/// Has `job` computed, and its record signed.
	///
	/// `events` gets each token, and waits for a reader as long as it takes without holding anything
	/// up; without a receiver nobody is told. `cancel` ends the answer with the tokens that there are,
	/// which are paid; once the answer has ended by itself it does nothing but drop events that nobody
	/// has taken. Dropping the future ends the sessions of all stages without a record.
	///
	/// # Errors
	/// [`PipelineError`], within a bounded time; no token is paid then. An answer that is complete but
	/// has no record is no error: see [`Outcome::unrecorded`].
	pub async fn run(
		&self,
		job: Job,
		events: mpsc::Sender<Event>,
		cancel: CancellationToken,
	) -> Result<Outcome, PipelineError> {
		let checked = answer::check(&job.query, job.tokenizer.vocab(), job.context)
			.map_err(PipelineError::Query)?;
		if checked.limit == 0 {
			return Ok(nothing(&job));
		}
		check(&job).map_err(|reason| PipelineError::Job(reason.to_owned()))?;
		Run::new(self, &job, &checked, events).drive(cancel).await
	}
}

/// The text of `job`'s answer, before its first token.
fn answer_text<'a>(job: &'a Job, checked: &Checked) -> AnswerText<'a> {
	AnswerText::new(&job.tokenizer, checked.stops.clone(), &job.eos, checked.limit)
}

/// What was asked for no token is answered without any stage.
fn nothing(job: &Job) -> Outcome {
	Outcome {
		session: None,
		answer: Answered {
			tokens: Vec::new(),
			text: String::new(),
			finish_reason: FinishReason::Length,
			prompt_tokens: narrow(job.query.prompt_tokens.len()),
			cached_tokens: 0,
		},
		record: None,
		unrecorded: Some(NoRecord::NoTokens),
		first_token: Duration::ZERO,
		rest: Duration::ZERO,
		replaced: 0,
		failed: Vec::new(),
	}
}

fn check(job: &Job) -> Result<(), &'static str> {
	check_order_of_layers(&job.plan.stages)?;
	if job.plan.stages.len() > wide(MAX_STAGES) {
		return Err("there are more stages than a record can name");
	}
	let ticket = &job.payment.ticket;
	if ticket.query_hash != job.query.hash() || ticket.model_id != job.query.model_id {
		return Err("the ticket is for another query");
	}
	if ticket.gateway != job.gateway {
		return Err("the ticket is for another gateway");
	}
	Ok(())
}
