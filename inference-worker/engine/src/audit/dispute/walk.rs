//! The stages up to the one in dispute, once more.

use crate::{
	audit::{Conduct, Subject},
	error::{EngineError, Result},
	model::{Cancel, Input, Session},
	trace::{activation_leaf, final_leaf, Hash},
};
use std::time::Instant;

/// Most bytes of activations that are held: 1 GiB.
const MOST_BYTES: u64 = 1 << 30;

/// The hashes of the leaves of boundary `index`, from 1, as `conduct`'s weights make it.
///
/// # Errors
/// As [`crate::audit::run`]: nothing of this says that anybody is wrong.
pub fn leaves(subject: &Subject<'_>, index: u16, conduct: &mut dyn Conduct) -> Result<Vec<Hash>> {
	let mut walk = Walk::new(subject, index, subject.positions())?;
	walk.before(conduct)?;
	let session = walk.last(conduct, walk.positions)?;
	let (salt, body, hidden) = (&subject.query.salt, subject.body, walk.hidden);
	if index < subject.stages() {
		let rows = walk.values.chunks_exact(hidden);
		return Ok((0u32..).zip(rows).map(|(t, x)| activation_leaf(salt, t, x)).collect());
	}
	let first = body.prompt_tokens.saturating_sub(1);
	let rows = walk.values.chunks_exact(hidden).skip(first as usize);
	let mut state = vec![0.0; hidden];
	(first..)
		.zip(rows)
		.zip(subject.tokens)
		.map(|((t, x), token)| {
			session.final_hidden(x, &mut state)?;
			Ok(final_leaf(salt, t, &state, *token))
		})
		.collect()
}

/// The way of some positions through the stages of a record.
pub(super) struct Walk<'a> {
	subject: &'a Subject<'a>,
	/// The stage in dispute, from 0.
	stage: usize,
	/// How many positions are worked on.
	pub positions: u32,
	hidden: usize,
	/// What left the last stage, `[positions, hidden]`.
	values: Vec<f32>,
	cancel: Cancel,
}

impl<'a> Walk<'a> {
	/// Up to boundary `index`, from 1, for the positions `0..positions`.
	pub fn new(subject: &'a Subject<'a>, index: u16, positions: u32) -> Result<Self> {
		subject.check()?;
		let refused = |reason: String| Err(EngineError::Session { reason });
		if index == 0 || index > subject.stages() {
			return refused(format!("the record has no stage before boundary {index}"));
		}
		if positions == 0 || positions > subject.positions() {
			return refused(format!(
				"{positions} positions are asked for; the record has {}",
				subject.positions()
			));
		}
		let bytes = Self::bytes(subject, positions);
		let count = usize::try_from(bytes / 4).ok().filter(|_| bytes <= MOST_BYTES);
		let lack = EngineError::Memory { what: "activations of a record in dispute", bytes };
		let count = count.ok_or(lack)?;
		Ok(Self {
			subject,
			stage: usize::from(index) - 1,
			positions,
			hidden: usize::try_from(subject.hidden).unwrap_or(usize::MAX).max(1),
			values: vec![0.0; count],
			cancel: Cancel::new(),
		})
	}

	/// Bytes of memory for the activations of so many positions.
	fn bytes(subject: &Subject<'_>, positions: u32) -> u64 {
		u64::from(positions).saturating_mul(subject.hidden.into()).saturating_mul(4)
	}

	/// All stages before the one in dispute, over all positions.
	pub fn before(&mut self, conduct: &mut dyn Conduct) -> Result<()> {
		for stage in 0..self.stage {
			self.through(stage, self.positions, conduct)?;
		}
		Ok(())
	}

	/// The stage in dispute, over the first `positions`. Gives its session, which goes on from there.
	pub fn last(&mut self, conduct: &mut dyn Conduct, positions: u32) -> Result<Session> {
		self.through(self.stage, positions, conduct)
	}

	fn through(
		&mut self,
		stage: usize,
		positions: u32,
		conduct: &mut dyn Conduct,
	) -> Result<Session> {
		let mut session = self.session(stage, conduct)?;
		self.cancel = conduct.cancel();
		while session.position() < positions {
			let most = conduct.turn().ok_or(EngineError::Cancelled)?.max(1);
			let started = Instant::now();
			let first = session.position();
			let left = positions.saturating_sub(first);
			let count = u32::try_from(most).unwrap_or(u32::MAX).min(left);
			let given = match stage {
				0 => {
					let tokens: Vec<u32> = self.fed(first, count).collect();
					session.forward(Input::Tokens(&tokens), &self.cancel)?
				}
				_ => {
					let input = Input::Activations(rows(&self.values, self.hidden, first, count)?);
					session.forward(input, &self.cancel)?
				}
			};
			let start = first as usize * self.hidden;
			let place = self.values.get_mut(start..start.saturating_add(given.values.len()));
			place.ok_or_else(absent)?.copy_from_slice(given.values);
			conduct.worked(count as usize, started.elapsed());
		}
		Ok(session)
	}

	/// A session on the layers of a stage, with room for all positions.
	fn session(&self, stage: usize, conduct: &mut dyn Conduct) -> Result<Session> {
		let Subject { body, hidden, .. } = self.subject;
		let layers = body.stages.get(stage).map(|stage| stage.layers).ok_or_else(absent)?;
		let model = conduct.model(layers)?;
		let is_last = stage.saturating_add(1) == body.stages.len();
		let fits = model.model_id() == body.model_id
			&& model.layers() == layers
			&& model.is_last() == is_last
			&& u32::try_from(model.config().hidden) == Ok(*hidden);
		if !fits {
			let reason = format!("{layers:?} of this model are not stage {stage} of the record");
			return Err(EngineError::Layers { reason });
		}
		model.session(self.positions as usize)
	}

	/// Hands the last position to `work`, with its session: everything before it is done.
	pub fn at_last<T>(
		&mut self,
		conduct: &mut dyn Conduct,
		work: impl FnOnce(&mut Session, Input<'_>, &Cancel) -> Result<T>,
	) -> Result<T> {
		let last = self.positions.saturating_sub(1);
		let mut session = self.last(conduct, last)?;
		conduct.turn().ok_or(EngineError::Cancelled)?;
		if self.stage == 0 {
			let tokens: Vec<u32> = self.fed(last, 1).collect();
			return work(&mut session, Input::Tokens(&tokens), &self.cancel);
		}
		let input = Input::Activations(rows(&self.values, self.hidden, last, 1)?);
		work(&mut session, input, &self.cancel)
	}

	/// The tokens that the first stage is fed with.
	fn fed(&self, first: u32, count: u32) -> impl Iterator<Item = u32> + '_ {
		let all = self.subject.query.prompt_tokens.iter().chain(self.subject.tokens);
		all.skip(first as usize).take(count as usize).copied()
	}
}

/// The values of `count` positions from `first` on.
fn rows(values: &[f32], hidden: usize, first: u32, count: u32) -> Result<&[f32]> {
	let start = (first as usize).saturating_mul(hidden);
	let end = start.saturating_add((count as usize).saturating_mul(hidden));
	values.get(start..end).ok_or_else(absent)
}

fn absent() -> EngineError {
	EngineError::Session { reason: "the record has no such stage or position".to_owned() }
}
