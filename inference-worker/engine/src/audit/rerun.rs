//! Every layer again, at the record's own cuts.

use super::{
	answer,
	spool::Spool,
	trees::{data, Opened, Trees},
	Subject,
};
use crate::{
	error::{EngineError, Result},
	model::{Cancel, Input, Model, Session},
	sampler::{sample, SampleScratch},
	text::ChatTokenizer,
	trace::Hash,
};
use aria_primitives::{
	audit::FindingKind,
	hashing::{merkle_proof, merkle_root},
	record::LayerRange,
};
use std::{
	path::Path,
	sync::Arc,
	time::{Duration, Instant},
};

/// How a re-run goes about its work: where weights come from, and when it may compute.
pub trait Conduct {
	/// The weights of `layers` of the record's model, which the re-run lets go of before it asks for
	/// the next.
	///
	/// # Errors
	/// Whatever stands in the way of having them; the re-run ends with it.
	fn model(&mut self, layers: LayerRange) -> Result<Arc<Model>>;

	/// Waits until a unit of compute may begin. Most positions of it, at least 1; `None` to end the
	/// re-run, which then fails with [`EngineError::Cancelled`].
	fn turn(&mut self) -> Option<usize>;

	/// A unit of so many positions took so long.
	fn worked(&mut self, positions: usize, took: Duration) {
		let _ = (positions, took);
	}

	/// What ends a unit early, from any thread.
	fn cancel(&self) -> Cancel {
		Cancel::new()
	}
}

/// What a re-run came to, with what openings need.
#[derive(Debug)]
pub struct Rerun {
	finding: FindingKind,
	reason: Option<String>,
	/// Of the boundaries `1..=n`; empty for [`FindingKind::Query`].
	trees: Vec<Trees>,
	spool: Option<Spool>,
}

/// Runs the record of `subject` again, and gives the finding.
///
/// `output` are the 32 bytes of the verifier's VRF output, which its own trees stand behind. What passes
/// between stages goes into the new file `spool`, which is on disk when this returns; the caller removes
/// it, [`Rerun::remove`], once nothing will be opened any more.
///
/// # Errors
///
/// What is no finding: [`EngineError::Cancelled`]; a file, weights or memory that are not to be had;
/// [`EngineError::NotFinite`] and [`EngineError::TokenOutOfRange`] where the numerics have no result at
/// all, about which a verifier says nothing; a record that contradicts itself.
pub fn run(
	subject: &Subject<'_>,
	tokenizer: &ChatTokenizer,
	output: &[u8; 32],
	spool: &Path,
	conduct: &mut dyn Conduct,
) -> Result<Rerun> {
	if !subject.belongs_together() {
		return Ok(Rerun::foreign());
	}
	subject.check()?;
	let mut run = Run {
		subject,
		output,
		spool: Spool::create(spool, subject)?,
		trees: Vec::with_capacity(subject.body.stages.len()),
		drawn_otherwise: None,
		input: Vec::new(),
	};
	for index in 1..=subject.stages() {
		run.stage(index, conduct)?;
	}
	run.spool.sync()?;
	let (finding, reason) = run.judge(tokenizer)?;
	Ok(Rerun { finding, reason, trees: run.trees, spool: Some(run.spool) })
}

struct Run<'a> {
	subject: &'a Subject<'a>,
	output: &'a [u8; 32],
	spool: Spool,
	trees: Vec<Trees>,
	/// The first token of the answer that the last stage does not draw: its place, and what is drawn.
	drawn_otherwise: Option<(u32, u32)>,
	input: Vec<f32>,
}

impl Run<'_> {
	/// The stage before boundary `index`, over all positions.
	fn stage(&mut self, index: u16, conduct: &mut dyn Conduct) -> Result<()> {
		let subject = self.subject;
		let stage = usize::from(index).saturating_sub(1);
		let Some(layers) = subject.body.stages.get(stage).map(|stage| stage.layers) else {
			return Ok(());
		};
		let model = conduct.model(layers)?;
		self.check(&model, layers, index)?;
		let positions = subject.positions();
		let mut session = model.session(positions as usize)?;
		let mut trees = Trees::new(index, subject.query.salt);
		let mut drawing = (index == subject.stages()).then(|| Drawing::new(&model));
		let cancel = conduct.cancel();
		let mut tokens: Vec<u32> = Vec::new();
		while session.position() < positions {
			let most = conduct.turn().ok_or(EngineError::Cancelled)?.max(1);
			let started = Instant::now();
			let first = session.position();
			let left = positions - first;
			let count = u32::try_from(most).unwrap_or(u32::MAX).min(left);
			let input = if index == 1 {
				tokens.clear();
				tokens.extend(self.fed(first, count));
				Input::Tokens(&tokens)
			} else {
				self.spool.read(index - 1, first, count, &mut self.input)?;
				Input::Activations(&self.input)
			};
			let given = session.forward(input, &cancel)?;
			match &mut drawing {
				None => {
					for (position, x) in (first..).zip(given.values.chunks_exact(given.hidden)) {
						trees.push(self.output, position, x, None)?;
					}
					self.spool.write(index, first, given.values)?;
				}
				Some(drawing) => {
					// Tokens are drawn from the prompt's last position on.
					let from = subject.body.prompt_tokens.saturating_sub(1).max(first);
					let skipped = (from - first) as usize * given.hidden;
					drawing.states.clear();
					drawing.states.extend_from_slice(given.values.get(skipped..).unwrap_or(&[]));
					self.draw(&mut session, drawing, &mut trees, from)?;
				}
			}
			conduct.worked(count as usize, started.elapsed());
		}
		self.trees.push(trees);
		Ok(())
	}

	fn check(&self, model: &Model, layers: LayerRange, index: u16) -> Result<()> {
		let config = model.config();
		let is_last = index == self.subject.stages();
		let fits = model.model_id() == self.subject.body.model_id
			&& model.layers() == layers
			&& model.is_last() == is_last
			&& config.hidden as u64 == u64::from(self.subject.hidden);
		if fits {
			return Ok(());
		}
		Err(EngineError::Layers {
			reason: format!(
				"layers {}..{} of a model of {} layers do not fit stage {} of the record",
				layers.first,
				layers.end,
				config.layers,
				index.saturating_sub(1)
			),
		})
	}

	/// The tokens that the first stage is fed with, for `count` positions from `first` on.
	fn fed(&self, first: u32, count: u32) -> impl Iterator<Item = u32> + '_ {
		let prompt = self.subject.query.prompt_tokens.iter();
		let all = prompt.chain(self.subject.tokens);
		all.skip(first as usize).take(count as usize).copied()
	}

	/// Draws from each of the states in `drawing`, the first of which is of position `from`.
	fn draw(
		&mut self,
		session: &mut Session,
		drawing: &mut Drawing,
		trees: &mut Trees,
		from: u32,
	) -> Result<()> {
		let Subject { query, tokens, body, .. } = self.subject;
		let Drawing { states, hidden, logits, scratch } = drawing;
		let width = hidden.len().max(1);
		for (position, x) in (from..).zip(states.chunks_exact(width)) {
			let index = position.saturating_add(1).saturating_sub(body.prompt_tokens);
			let Some(token) = tokens.get(index as usize).copied() else { break };
			session.final_hidden(x, hidden)?;
			// The leaf has the record's token: whether it follows is another question than whether
			// the states agree.
			trees.push(self.output, position, hidden, Some(token))?;
			self.spool.write(self.subject.stages(), index, hidden)?;
			if self.drawn_otherwise.is_some() || !query.sampling.is_valid() {
				continue;
			}
			session.logits(hidden, logits)?;
			let drawn = sample(logits, &query.sampling, index, scratch)?;
			if drawn != token {
				self.drawn_otherwise = Some((index, drawn));
			}
		}
		Ok(())
	}

	fn judge(&self, tokenizer: &ChatTokenizer) -> Result<(FindingKind, Option<String>)> {
		for (index, trees) in (1u16..).zip(&self.trees) {
			if !trees.agrees(self.subject) {
				let reason = format!("boundary {index} is not what stage {} makes", index - 1);
				let root = trees.record.root();
				return Ok((FindingKind::Boundary { index, root }, Some(reason)));
			}
		}
		if let Some((index, drawn)) = self.drawn_otherwise {
			let reason = format!("token {index} of the answer is not {drawn}, which is drawn");
			return Ok((FindingKind::Output, Some(reason)));
		}
		Ok(match answer::contradiction(self.subject, tokenizer)? {
			Some(reason) => (FindingKind::Output, Some(reason.to_owned())),
			None => (FindingKind::Valid, None),
		})
	}
}

/// What the last stage needs for tokens.
struct Drawing {
	/// `[tokens, hidden]`.
	states: Vec<f32>,
	hidden: Vec<f32>,
	logits: Vec<f32>,
	scratch: SampleScratch,
}

impl Drawing {
	fn new(model: &Model) -> Self {
		let config = model.config();
		Self {
			states: Vec::new(),
			hidden: vec![0.0; config.hidden],
			logits: vec![0.0; config.vocab],
			scratch: SampleScratch::default(),
		}
	}
}

impl Rerun {
	/// Nothing could be run.
	fn foreign() -> Self {
		let reason = "what was handed over is not the record's query and tokens".to_owned();
		Self { finding: FindingKind::Query, reason: Some(reason), trees: Vec::new(), spool: None }
	}

	/// Takes up what an earlier process ran: hashes its spool again, without any layer. `finding` and
	/// `output` are those of then; whether all is as it was shows in [`Rerun::own_root`].
	///
	/// # Errors
	///
	/// [`EngineError::Io`] if the file is gone or not whole: then the record has to be run again.
	pub fn restore(
		subject: &Subject<'_>,
		finding: FindingKind,
		output: &[u8; 32],
		spool: &Path,
	) -> Result<Self> {
		/// Leaves that are read at once.
		const BATCH: u32 = 64;
		if finding == FindingKind::Query {
			return Ok(Self::foreign());
		}
		subject.check()?;
		let mut spool = Spool::open(spool, subject)?;
		let mut all = Vec::with_capacity(subject.body.stages.len());
		let mut values = Vec::new();
		let width = usize::try_from(subject.hidden).unwrap_or(usize::MAX).max(1);
		for index in 1..=subject.stages() {
			let mut trees = Trees::new(index, subject.query.salt);
			let (mut leaf, leaves) = (0, subject.leaves(index));
			while leaf < leaves {
				let count = BATCH.min(leaves - leaf);
				spool.read(index, leaf, count, &mut values)?;
				for (leaf, x) in (leaf..).zip(values.chunks_exact(width)) {
					let position = subject.position(index, leaf);
					trees.push(output, position, x, token(subject, index, leaf))?;
				}
				leaf += count;
			}
			all.push(trees);
		}
		Ok(Self { finding, reason: None, trees: all, spool: Some(spool) })
	}

	/// What came out.
	pub fn finding(&self) -> FindingKind {
		self.finding
	}

	/// What is wrong, in words, where something is.
	pub fn reason(&self) -> Option<&str> {
		self.reason.as_deref()
	}

	/// The roots of the boundaries `1..=n` as the run made them: `root_1 … root_n`.
	pub fn roots(&self) -> Vec<Hash> {
		self.trees.iter().map(|trees| trees.record.root()).collect()
	}

	/// The roots of the verifier's own trees: `root'_1 … root'_n`.
	pub fn own_roots(&self) -> Vec<Hash> {
		self.trees.iter().map(|trees| trees.own.root()).collect()
	}

	/// `root'`: what the commitment holds.
	pub fn own_root(&self) -> Hash {
		merkle_root(&self.own_roots())
	}

	/// Opens leaf `leaf` of boundary `boundary`, from 1.
	///
	/// # Errors
	///
	/// [`EngineError::Session`] if there is no such leaf, [`EngineError::Io`].
	pub fn open(&mut self, subject: &Subject<'_>, boundary: u16, leaf: u32) -> Result<Opened> {
		let absent = || EngineError::Session {
			reason: format!("boundary {boundary} has no leaf {leaf} to open"),
		};
		let place = usize::from(boundary).checked_sub(1).ok_or_else(absent)?;
		let trees = self.trees.get(place).ok_or_else(absent)?;
		let own = trees.own.proof(leaf as usize).ok_or_else(absent)?;
		let record = trees.record.proof(leaf as usize).ok_or_else(absent)?;
		let mut values = Vec::new();
		self.spool.as_mut().ok_or_else(absent)?.read(boundary, leaf, 1, &mut values)?;
		let position = subject.position(boundary, leaf);
		let token = token(subject, boundary, leaf);
		let root = merkle_proof(&self.own_roots(), place).ok_or_else(absent)?;
		let data = data(&subject.query.salt, position, &values, token);
		Ok(Opened { data, own, root, record })
	}

	/// Bytes that the spool of `subject` takes on the disk; `None` if more than can be counted.
	pub fn spool_bytes(subject: &Subject<'_>) -> Option<u64> {
		Spool::bytes(subject)
	}

	/// Removes the file of a re-run that nobody needs any more.
	///
	/// # Errors
	///
	/// [`EngineError::Io`].
	pub fn remove(spool: &Path) -> Result<()> {
		Spool::remove(spool)
	}
}

/// The record's token in a leaf of the last boundary.
fn token(subject: &Subject<'_>, index: u16, leaf: u32) -> Option<u32> {
	let is_last = index == subject.stages();
	is_last.then(|| subject.tokens.get(leaf as usize).copied()).flatten()
}
