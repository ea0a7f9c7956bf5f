//! Stages that make records, honestly or not, and a verifier that takes no care of a machine.
#![allow(dead_code, clippy::unwrap_used, missing_docs)]

use crate::support::{load, Random, RandomPackage};
use aria_engine::{
	audit::{Conduct, Subject},
	generate::{positions, QueryTrace},
	model::{random::RandomShape, Activations, Cancel, Input, Model, Session},
	package::Package,
	sampler::{sample, SampleScratch},
	text::{ChatTokenizer, StopScanner},
	EngineError, Result,
};
use aria_primitives::{
	hashing::sha256,
	query::{CanonicalQuery, Sampling, QUERY_VERSION},
	record::{Anchor, EnergySource, FinishReason, LayerRange, RecordBody, Stage, RECORD_VERSION},
	AccountId,
};
use codec::Encode;
use std::{collections::HashMap, sync::Arc};

/// What a stage does instead of its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lie {
	/// One token is another one: the first stage is fed with it, a middle one takes the state of another
	/// position for it, the last one says it.
	Token,
	/// A layer is left out.
	Layer,
	/// The weights are those of another model.
	Weights,
	/// Another token is made likely, or the last stage draws otherwise than it was asked to.
	Sampling,
	/// What a canary's maker does: the feed-forward part of the stage's last layer is left out.
	Short,
}

impl Lie {
	pub const ALL: [Self; 5] =
		[Self::Token, Self::Layer, Self::Weights, Self::Sampling, Self::Short];
}

/// Six layers that are worked on in no time.
pub fn tiny_shape() -> RandomShape {
	RandomShape {
		hidden: 32,
		feed_forward: 48,
		layers: 6,
		heads: 2,
		kv_heads: 1,
		head_dim: 16,
		vocab: 300,
		context: 64,
		shards: 2,
		..RandomShape::bitnet_2b4t()
	}
}

/// Models of ranges of layers that were loaded once.
pub struct Stages<'a> {
	kernel: String,
	package: &'a Package,
	other: Option<&'a Package>,
	loaded: HashMap<(bool, u16, u16), Arc<Model>>,
}

impl<'a> Stages<'a> {
	pub fn new(package: &'a Package, kernel: &str) -> Self {
		Self { kernel: kernel.to_owned(), package, other: None, loaded: HashMap::new() }
	}

	/// Whose weights a liar takes.
	pub fn with_other(mut self, package: &'a Package) -> Self {
		self.other = Some(package);
		self
	}

	fn model(&mut self, layers: LayerRange, honest: bool) -> Arc<Model> {
		let package = if honest { self.package } else { self.other.unwrap() };
		let key = (honest, layers.first, layers.end);
		let kernel = self.kernel.as_str();
		self.loaded.entry(key).or_insert_with(|| load(package, kernel, 1, layers)).clone()
	}
}

/// A verifier's weights, without limits.
pub struct Plain<'a> {
	stages: Stages<'a>,
	pub chunk: usize,
	/// Units that may begin; any number if `None`.
	pub turns: Option<usize>,
}

impl<'a> Plain<'a> {
	pub fn new(package: &'a Package, kernel: &str, chunk: usize) -> Self {
		Self { stages: Stages::new(package, kernel), chunk, turns: None }
	}
}

impl Conduct for Plain<'_> {
	fn model(&mut self, layers: LayerRange) -> Result<Arc<Model>> {
		let all = self.stages.package.manifest.layers;
		if layers.is_empty() || layers.end > all {
			let reason = format!("{layers:?} of {all}");
			return Err(EngineError::Layers { reason });
		}
		Ok(self.stages.model(layers, true))
	}

	fn turn(&mut self) -> Option<usize> {
		if let Some(left) = &mut self.turns {
			*left = left.checked_sub(1)?;
		}
		Some(self.chunk)
	}
}

/// A record, with what a gateway would hand over for it.
#[derive(Clone, Debug)]
pub struct Made {
	pub query: CanonicalQuery,
	pub tokens: Vec<u32>,
	pub body: RecordBody,
	pub context: u32,
}

impl Made {
	pub fn subject<'a>(&'a self, town: &'a Town) -> Subject<'a> {
		let manifest = &town.package.package.manifest;
		Subject {
			query: &self.query,
			tokens: &self.tokens,
			body: &self.body,
			eos: &manifest.eos,
			context: self.context,
			hidden: manifest.hidden,
		}
	}
}

/// A model that everybody knows.
pub struct Town {
	pub package: RandomPackage,
	pub tokenizer: ChatTokenizer,
}

impl Town {
	pub fn new(package: RandomPackage) -> Self {
		let tokenizer = ChatTokenizer::open(&package.package).unwrap();
		Self { package, tokenizer }
	}

	/// Ends of one to four stages.
	pub fn cuts(&self, random: &mut Random) -> Vec<u16> {
		let layers = self.package.package.manifest.layers;
		let mut cuts: Vec<u16> =
			(0..random.between(0, 3)).map(|_| random.between(1, 5) as u16).collect();
		cuts.push(layers);
		cuts.sort_unstable();
		cuts.dedup();
		cuts
	}

	pub fn query(&self, prompt: &[u32], sampling: Sampling, max_tokens: u32) -> CanonicalQuery {
		CanonicalQuery {
			version: QUERY_VERSION,
			model_id: self.package.package.model_id(),
			prompt_tokens: prompt.to_vec().try_into().unwrap(),
			sampling,
			max_tokens,
			stop: Default::default(),
			salt: [7; 32],
		}
	}

	/// An answer by stages that end at `cuts`, one of which may lie, with its record.
	pub fn make(
		&self,
		stages: &mut Stages<'_>,
		query: &CanonicalQuery,
		cuts: &[u16],
		lie: Option<(Lie, u16)>,
	) -> Made {
		self.make_up_to(stages, query, cuts, lie, usize::MAX)
	}

	/// The same, broken off behind `tokens` tokens by the client.
	pub fn make_cancelled(
		&self,
		stages: &mut Stages<'_>,
		query: &CanonicalQuery,
		cuts: &[u16],
		tokens: usize,
	) -> Made {
		self.make_up_to(stages, query, cuts, None, tokens)
	}

	fn make_up_to(
		&self,
		stages: &mut Stages<'_>,
		query: &CanonicalQuery,
		cuts: &[u16],
		lie: Option<(Lie, u16)>,
		most: usize,
	) -> Made {
		let manifest = &self.package.package.manifest;
		let mut first = 0;
		let ranges: Vec<LayerRange> = cuts
			.iter()
			.map(|end| LayerRange { first: std::mem::replace(&mut first, *end), end: *end })
			.collect();
		let context = manifest.context as usize;
		let prompt = query.prompt_tokens.len();
		let room = positions(prompt, query.max_tokens, context);
		let mut actors: Vec<Actor> = (0u16..)
			.zip(&ranges)
			.map(|(stage, range)| {
				let lie = lie.and_then(|(lie, liar)| (liar == stage).then_some(lie));
				Actor::new(stages, *range, manifest.layers, lie, room)
			})
			.collect();
		let mut trace = QueryTrace::new(query, ranges.len());
		let (mut stream, mut scanner) =
			(self.tokenizer.stream(), StopScanner::new(Vec::<String>::new()));
		let (mut tokens, mut text) = (Vec::<u32>::new(), String::new());
		let mut finish = FinishReason::Cancelled;
		let mut work = query.prompt_tokens.to_vec();
		loop {
			let position = actors[0].session.position();
			let mut values = Vec::new();
			let last = actors.len() - 1;
			for (stage, actor) in actors.iter_mut().enumerate() {
				values = actor.forward(&work, &values, prompt);
				if stage < last {
					let count = values.len() / manifest.hidden as usize;
					let given = Activations {
						tokens: count,
						hidden: manifest.hidden as usize,
						values: &values,
					};
					trace.passed(stage, position, given).unwrap();
				}
			}
			let index = tokens.len() as u32;
			let (hidden, token) = actors[last].draw(&values, query, index, manifest.vocab);
			let at = actors[0].session.position() - 1;
			trace.drawn(at, &hidden, token).unwrap();
			tokens.push(token);
			let mut ended = None;
			if manifest.eos.contains(&token) {
				ended = Some(FinishReason::Stop);
			} else {
				text.push_str(&scanner.push(&stream.push(token).unwrap()));
				if tokens.len() >= room - prompt {
					ended = Some(FinishReason::Length);
				}
			}
			if let Some(reason) = ended {
				finish = reason;
				break;
			}
			if tokens.len() >= most {
				break;
			}
			work = vec![token];
		}
		text.push_str(&scanner.push(&stream.finish().unwrap()));
		text.push_str(&scanner.finish());
		let body = self.body(query, &ranges, &tokens, &text, finish, trace.boundaries());
		Made { query: query.clone(), tokens, body, context: manifest.context }
	}

	fn body(
		&self,
		query: &CanonicalQuery,
		ranges: &[LayerRange],
		tokens: &[u32],
		text: &str,
		finish_reason: FinishReason,
		boundaries: Vec<aria_engine::trace::Hash>,
	) -> RecordBody {
		let output_hash = match text.len() {
			0..64 => sha256(&[text.as_bytes(), &query.salt].concat()),
			_ => sha256(text.as_bytes()),
		};
		let stages: Vec<Stage> = ranges
			.iter()
			.zip(1u8..)
			.map(|(layers, byte)| Stage {
				node: AccountId::new([byte; 32]),
				layers: *layers,
				energy_mj: 1,
				energy_source: EnergySource::Estimate,
				consent_version: 1,
			})
			.collect();
		RecordBody {
			version: RECORD_VERSION,
			model_id: query.model_id,
			query_hash: query.hash(),
			output_hash,
			output_tokens_hash: sha256(&tokens.encode()),
			finish_reason,
			prompt_tokens: query.prompt_tokens.len() as u32,
			cached_tokens: 0,
			output_tokens: tokens.len() as u32,
			energy_mj: stages.len() as u64,
			stages: stages.try_into().unwrap(),
			boundaries: boundaries.try_into().unwrap(),
			latency_ms: 1,
			timestamp: 1,
			anchor: Anchor { number: 1, hash: Default::default() },
			ticket_hash: Default::default(),
		}
	}
}

/// A stage while it answers.
struct Actor {
	session: Session,
	lie: Option<Lie>,
	is_first: bool,
	is_last: bool,
	vocab: u32,
	hidden: usize,
	scratch: SampleScratch,
}

impl Actor {
	fn new(
		stages: &mut Stages<'_>,
		range: LayerRange,
		layers: u16,
		lie: Option<Lie>,
		room: usize,
	) -> Self {
		let (is_first, is_last) = (range.first == 0, range.end == layers);
		let LayerRange { first, end } = range;
		let run = match lie {
			// Where the head or the embedding is, the layer farthest from it is missing.
			Some(Lie::Layer) if is_last => LayerRange { first: first + 1, end },
			Some(Lie::Layer) => LayerRange { first, end: end - 1 },
			_ => range,
		};
		let model = stages.model(run, lie != Some(Lie::Weights));
		let (vocab, hidden) = (model.config().vocab as u32, model.config().hidden);
		let mut session = model.session(room).unwrap();
		if lie == Some(Lie::Short) {
			session.cut_short();
		}
		let scratch = SampleScratch::default();
		Self { session, lie, is_first, is_last, vocab, hidden, scratch }
	}

	/// What leaves the stage for the positions of `work`; `given` came from the stage before.
	fn forward(&mut self, work: &[u32], given: &[f32], prompt: usize) -> Vec<f32> {
		let position = self.session.position() as usize;
		let lies_here = |lie: Lie| self.lie == Some(lie) && !self.is_last;
		let mut tokens = work.to_vec();
		if self.is_first && lies_here(Lie::Token) && position == 0 {
			tokens[0] = (tokens[0] + 1) % self.vocab;
		}
		let (token, sampling) = (lies_here(Lie::Token) && !self.is_first, lies_here(Lie::Sampling));
		let input = match self.is_first {
			true => Input::Tokens(&tokens),
			false => Input::Activations(given),
		};
		let mut values = self.session.forward(input, &Cancel::new()).unwrap().values.to_vec();
		if token && position == 0 {
			// The state of the second position stands for the first too.
			let second = values[self.hidden..2 * self.hidden].to_vec();
			values[..self.hidden].copy_from_slice(&second);
		}
		if sampling {
			// States that tokens are drawn from are turned around.
			let first = (prompt - 1).saturating_sub(position) * self.hidden;
			values[first..].iter_mut().for_each(|value| *value = -*value);
		}
		values
	}

	/// The final hidden state of the last position, and the token that is said to be drawn.
	fn draw(
		&mut self,
		values: &[f32],
		query: &CanonicalQuery,
		index: u32,
		vocab: u32,
	) -> (Vec<f32>, u32) {
		let mut hidden = vec![0.0; self.hidden];
		let last = &values[values.len() - self.hidden..];
		self.session.final_hidden(last, &mut hidden).unwrap();
		let mut logits = vec![0.0; vocab as usize];
		self.session.logits(&hidden, &mut logits).unwrap();
		let sampling = match self.lie {
			Some(Lie::Sampling) if self.is_last => {
				Sampling { seed: query.sampling.seed + 1, ..query.sampling }
			}
			_ => query.sampling,
		};
		let token = sample(&logits, &sampling, index, &mut self.scratch).unwrap();
		let token = match self.lie {
			// A byte, which ends nothing.
			Some(Lie::Token) if self.is_last && index == 0 => (token + 1) % 256,
			_ => token,
		};
		(hidden, token)
	}
}
