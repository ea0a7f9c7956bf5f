//! What a session computes. It runs on a blocking thread, a unit at a time.

use crate::{
	limits::{Governor, MemoryLease},
	pipeline::{answer::worked_on, narrow, order::Task, types::SessionSpan, wide},
};
use aria_engine::{
	model::{Cancel, Input, Session},
	sampler::{sample, SampleScratch},
	trace::BoundaryTrace,
	EngineError,
};
use aria_primitives::{record::EnergySource, QueryHash};
use sp_core::H256;
use std::{sync::Arc, time::Instant};

/// Bytes of a float on a link.
const FLOAT: usize = size_of::<f32>();

/// What is worked on next.
pub(super) enum Work {
	/// For the first stage.
	Tokens(Vec<u32>),
	/// For others: `[tokens, hidden]` of f32, little-endian.
	Activations(Vec<u8>),
}

/// What a unit of work came to.
#[derive(Debug, Default)]
pub(super) struct Done {
	/// Positions that were worked on.
	pub positions: u32,
	/// What the next stage needs: `[tokens, hidden]` of f32, little-endian; empty for the last.
	pub values: Vec<u8>,
	/// For the last stage: the tokens that were drawn, the first from the first position that has one.
	pub drawn: Vec<u32>,
}

/// Why a unit of work came to nothing.
#[derive(Debug)]
pub(super) enum Fault {
	/// The session has ended meanwhile.
	Ended,
	/// The stage before sent what no stage can give.
	Upstream(&'static str),
	/// Anything else.
	Own(String),
}

impl From<EngineError> for Fault {
	fn from(error: EngineError) -> Self {
		match error {
			EngineError::Cancelled => Self::Ended,
			error => Self::Own(error.to_string()),
		}
	}
}

/// The compute of one session: keys and values, and the boundaries before and behind.
pub(super) struct Worker {
	session: Session,
	task: Arc<Task>,
	cancel: Cancel,
	governor: Arc<Governor>,
	span: Option<Box<dyn SessionSpan>>,
	incoming: BoundaryTrace,
	outgoing: BoundaryTrace,
	input: Vec<f32>,
	/// The residual streams of a unit's positions that tokens are drawn from.
	state: Vec<f32>,
	hidden: Vec<f32>,
	logits: Vec<f32>,
	scratch: SampleScratch,
	/// Of a position on all lanes, as last measured.
	seconds: f64,
	// After everything that it pays for.
	_lease: MemoryLease,
}

/// What a worker is made of.
pub(super) struct WorkerParts {
	pub session: Session,
	pub task: Arc<Task>,
	pub cancel: Cancel,
	pub governor: Arc<Governor>,
	pub span: Box<dyn SessionSpan>,
	pub salt: [u8; 32],
	/// The prompt, for the first stage.
	pub prompt: Option<Vec<u32>>,
	pub lease: MemoryLease,
}

impl Worker {
	pub fn new(parts: WorkerParts) -> Self {
		let WorkerParts { session, task, cancel, governor, span, salt, prompt, lease } = parts;
		let config = session.model().config();
		let (hidden, logits) = if task.is_last() { (config.hidden, config.vocab) } else { (0, 0) };
		Self {
			incoming: match prompt {
				Some(prompt) => BoundaryTrace::prompt(salt, &prompt),
				None => BoundaryTrace::new(salt),
			},
			outgoing: BoundaryTrace::new(salt),
			input: Vec::new(),
			state: Vec::new(),
			hidden: vec![0.0; hidden],
			logits: vec![0.0; logits],
			scratch: SampleScratch::default(),
			seconds: 0.0,
			span: Some(span),
			session,
			task,
			cancel,
			governor,
			_lease: lease,
		}
	}

	/// Most positions that the next unit should have, so that it stays short under a limit.
	pub fn chunk(&self) -> usize {
		self.governor.cpu().suggested_chunk(self.seconds)
	}

	/// Works on the next positions. After a fault the session is of no use any more.
	pub fn work(&mut self, work: &Work) -> Result<Done, Fault> {
		let cancel = self.cancel.clone();
		if !self.governor.cpu().acquire_unless(|| cancel.is_cancelled()) {
			return Err(Fault::Ended);
		}
		let lanes = self.session.model().threads();
		let _computing = self.span.as_ref().map(|span| span.compute(lanes));
		let started = Instant::now();
		let done = self.pass(work)?;
		if done.positions > 0 {
			self.seconds = started.elapsed().as_secs_f64() / f64::from(done.positions);
		}
		Ok(done)
	}

	fn pass(&mut self, work: &Work) -> Result<Done, Fault> {
		let position = self.session.position();
		let hidden = self.session.model().config().hidden;
		let input = match work {
			Work::Tokens(tokens) => Input::Tokens(tokens),
			Work::Activations(bytes) => {
				read_floats(bytes, &mut self.input)?;
				for (position, x) in (position..).zip(self.input.chunks_exact(hidden)) {
					self.incoming.push_activation(position, x)?;
				}
				Input::Activations(&self.input)
			}
		};
		let given = self.session.forward(input, &self.cancel)?;
		let mut done = Done { positions: narrow(given.tokens), ..Done::default() };
		if !self.task.is_last() {
			done.values.reserve_exact(given.values.len() * FLOAT);
			done.values.extend(given.values.iter().flat_map(|value| value.to_le_bytes()));
			for (position, x) in (position..).zip(given.values.chunks_exact(hidden)) {
				self.outgoing.push_activation(position, x)?;
			}
			return Ok(done);
		}
		// The first token is drawn from the prompt's last position.
		let first = self.task.prompt.saturating_sub(1).max(position);
		let skipped = wide(first - position).saturating_mul(hidden);
		self.state.clear();
		self.state.extend_from_slice(given.values.get(skipped..).unwrap_or_default());
		self.draw(first, hidden, &mut done)?;
		Ok(done)
	}

	/// Draws a token from each position from `first` on, as far as the answer may go.
	fn draw(&mut self, first: u32, hidden: usize, done: &mut Done) -> Result<(), Fault> {
		for (position, x) in (first..).zip(self.state.chunks_exact(hidden)) {
			let index = (position + 1).saturating_sub(self.task.prompt);
			if index >= self.task.limit {
				break;
			}
			self.session.final_hidden(x, &mut self.hidden)?;
			self.session.logits(&self.hidden, &mut self.logits)?;
			let token = sample(&self.logits, &self.task.sampling, index, &mut self.scratch)?;
			self.outgoing.push_final(position, &self.hidden, token)?;
			done.drawn.push(token);
		}
		Ok(())
	}

	/// Ends the measurement, and gives both boundaries of an answer of `tokens` tokens; what was worked
	/// on beyond it is no part of it. To be called once.
	pub fn totals(&mut self, tokens: u32, query_hash: &QueryHash) -> (Energy, H256, H256) {
		let end = worked_on(self.task.prompt, tokens);
		if !self.task.is_first() {
			self.incoming.truncate(end);
		}
		// The last token was drawn from the last position.
		self.outgoing.truncate(end);
		let stage = u16::try_from(self.task.stage).unwrap_or(u16::MAX);
		let before = self.incoming.boundary(stage, query_hash);
		let behind = self.outgoing.boundary(stage.saturating_add(1), query_hash);
		let (mj, source) = self.span.take().map_or((0, EnergySource::Estimate), |span| span.end());
		(Energy { mj, source }, before, behind)
	}
}

/// What a session used.
pub(super) struct Energy {
	/// Millijoules.
	pub mj: u64,
	/// Where the figure comes from.
	pub source: EnergySource,
}

/// Floats off a link. Their number was checked when they arrived.
fn read_floats(bytes: &[u8], floats: &mut Vec<f32>) -> Result<(), Fault> {
	floats.clear();
	floats.extend(bytes.chunks_exact(FLOAT).filter_map(|bytes| {
		let bytes: [u8; FLOAT] = bytes.try_into().ok()?;
		Some(f32::from_le_bytes(bytes))
	}));
	if floats.iter().all(|value| value.is_finite()) {
		Ok(())
	} else {
		Err(Fault::Upstream("activations that are not finite"))
	}
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;

	#[test]
	fn floats_should_come_as_they_were_sent_and_be_finite() {
		let mut floats = vec![9.0];
		let bytes: Vec<u8> = [1.5f32, -0.0, 3e38].iter().flat_map(|x| x.to_le_bytes()).collect();
		read_floats(&bytes, &mut floats).unwrap();
		assert_eq!(floats, [1.5, -0.0, 3e38]);
		for wrong in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
			let bytes = wrong.to_le_bytes();
			assert!(matches!(read_floats(&bytes, &mut floats), Err(Fault::Upstream(_))));
		}
	}
}
