//! Which models and layers this worker serves.

use super::{
	config::{Layers, ModelName},
	patience::{patiently, Trouble},
};
use crate::shards::{blocks, choose, count, PackageStore};
use anyhow::{anyhow, Result};
use aria_chain_client::{At, Chain, WorkerView};
use aria_engine::package::layout::{layer_of, layouts};
use aria_network::{wire::advert::MAX_ADVERT_LIFE, Handle, KnownWorker};
use aria_primitives::{
	manifest::{Head, Manifest, TensorRole},
	record::LayerRange,
	AccountId, ModelId,
};
use std::{
	cmp::Reverse,
	collections::BTreeSet,
	sync::{Arc, OnceLock},
	time::Duration,
};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// How much more weights may take in memory than in their files: kernels lay them out anew.
const LAYOUT_PERCENT: u64 = 130;
/// How much of the memory limit weights may take: sessions need the rest.
const WEIGHTS_PERCENT: u64 = 60;
/// How long adverts are waited for before workers on chain count as gone: finding them takes a search of
/// the network, and a question to each.
const LISTEN: Duration = Duration::from_secs(12);

/// A range of layers to serve.
#[derive(Clone, Debug)]
pub struct Pick {
	/// The model.
	pub model: ModelId,
	/// Its name on chain.
	pub name: Option<String>,
	/// What it is.
	pub manifest: Arc<Manifest>,
	/// The layers.
	pub layers: LayerRange,
}

/// Bytes that `layers` of a model take in memory at most, sessions not counted; `u64::MAX` for a model
/// that no engine runs.
pub fn weight_bytes(manifest: &Manifest, layers: LayerRange) -> u64 {
	let Ok(layouts) = layouts(manifest) else { return u64::MAX };
	let (first, last) = (layers.first == 0, layers.end == manifest.layers);
	let needed = |role: TensorRole, layer: u16| match layer_of(layer) {
		Some(layer) => layers.first <= layer && layer < layers.end,
		None => match role {
			TensorRole::TokenEmbedding => first || (last && manifest.head == Head::Tied),
			_ => last,
		},
	};
	let bytes = manifest
		.tensors
		.iter()
		.zip(&layouts)
		.filter(|(tensor, _)| needed(tensor.role, tensor.layer))
		.fold(0u64, |sum, (_, layout)| sum.saturating_add(layout.len as u64));
	bytes.saturating_mul(LAYOUT_PERCENT) / 100
}

/// For each shard of the model, how many others hold it, as a part of a range that fits those of others,
/// and stay: who rests will be back.
pub fn replicas(
	manifest: &Manifest,
	model: &ModelId,
	workers: &[WorkerView],
	me: &AccountId,
) -> Vec<(LayerRange, usize)> {
	let others: Vec<Vec<LayerRange>> = workers
		.iter()
		.filter(|worker| !worker.leaves() && worker.account != *me)
		.map(|worker| worker.layers_of(model))
		.collect();
	count(&manifest.shards, &others)
}

/// Those of `workers` who are heard of: who is registered and was killed is not.
pub fn heard(mut workers: Vec<WorkerView>, known: &[KnownWorker]) -> Vec<WorkerView> {
	let life = Duration::from_millis(MAX_ADVERT_LIFE);
	let believed = known.iter().filter(|known| known.seen.elapsed() < life);
	let believed: BTreeSet<_> =
		believed.map(|known| (&known.advert.account, &known.peer)).collect();
	workers.retain(|worker| believed.contains(&(&worker.account, &worker.peer)));
	workers
}

/// Of what a worker `served` of a model before, what lies `here` on its disk and takes at most `room` bytes
/// of memory: in blocks, as large ones as there are.
fn remembered(
	manifest: &Manifest,
	served: &[LayerRange],
	here: &[LayerRange],
	mut room: u64,
) -> Vec<LayerRange> {
	let within = |ranges: &[LayerRange], shard: &LayerRange| {
		ranges.iter().any(|range| range.contains(shard))
	};
	let held = |block: &LayerRange| {
		let mut shards = manifest.shards.iter().filter(|shard| block.contains(shard));
		shards.all(|shard| within(served, shard) && within(here, shard))
	};
	let mut blocks: Vec<LayerRange> = blocks(&manifest.shards).into_iter().filter(held).collect();
	blocks.sort_by_key(|block| (Reverse(block.len()), block.first));
	let mut kept: Vec<LayerRange> = Vec::new();
	for block in blocks {
		let bytes = weight_bytes(manifest, block);
		if bytes <= room && !within(&kept, &block) {
			room -= bytes;
			kept.push(block);
		}
	}
	kept.sort_unstable();
	kept
}

/// Most layers of the model for which `bytes` of memory are enough, the ends' tensors counted.
pub fn most_layers(manifest: &Manifest, bytes: u64) -> u16 {
	let whole = weight_bytes(manifest, LayerRange { first: 0, end: manifest.layers });
	if whole <= bytes {
		return manifest.layers;
	}
	// Ends weigh more than the middle; what fits there fits everywhere.
	let fits = |count: u16| {
		let begin = LayerRange { first: 0, end: count };
		let end = LayerRange { first: manifest.layers.saturating_sub(count), end: manifest.layers };
		weight_bytes(manifest, begin).max(weight_bytes(manifest, end)) <= bytes
	};
	(1..manifest.layers).rev().find(|count| fits(*count)).unwrap_or(0)
}

/// Bytes of memory that weights may take under a limit of `limit` bytes.
pub fn weights_room(limit: u64) -> u64 {
	limit / 100 * WEIGHTS_PERCENT
}

/// Who chooses, and among what.
pub struct Choosing<'a> {
	/// The chain.
	pub chain: &'a Chain,
	/// Other peers.
	pub handle: &'a Handle,
	/// What is on disk.
	pub packages: &'a PackageStore,
	/// This worker.
	pub account: &'a AccountId,
	/// Models by name.
	pub models: &'a [ModelName],
	/// Which layers of each.
	pub layers: Layers,
	/// The memory limit, in bytes.
	pub memory: u64,
	/// The process is to end.
	pub stop: &'a CancellationToken,
}

/// What is known before a model is looked at.
struct View<'a> {
	pinned: BTreeSet<ModelId>,
	/// This worker on chain.
	me: Option<WorkerView>,
	/// Until when adverts are waited for, once they are.
	until: &'a OnceLock<Instant>,
}

impl View<'_> {
	/// What this worker served of a model when it ran last.
	fn served(&self, model: &ModelId) -> Vec<LayerRange> {
		self.me.as_ref().map(|me| me.layers_of(model)).unwrap_or_default()
	}
}

/// What could be served of a model.
struct Found {
	/// Whether it is what was served before.
	before: bool,
	/// Replicas of the rarest shard.
	replicas: usize,
	picks: Vec<Pick>,
	/// In memory.
	bytes: u64,
}

impl Choosing<'_> {
	/// What to serve: what was served before, as far as it is on disk and fits into memory, else where
	/// replicas are fewest. Waits for models that the chain does not know, or that are not pinned yet.
	/// `None` if the process is to end meanwhile.
	///
	/// # Errors
	/// Layers that a model does not have, or that do not fit into memory.
	pub async fn choose(&self) -> Result<Option<Vec<Pick>>> {
		let until = &OnceLock::new();
		patiently("models are looked for on chain", self.stop, || self.look(until)).await
	}

	async fn look(&self, until: &OnceLock<Instant>) -> Result<Vec<Pick>, Trouble> {
		let mut picks: Vec<Pick> = Vec::new();
		let mut taken: BTreeSet<ModelId> = BTreeSet::new();
		let mut looked_at: BTreeSet<ModelId> = BTreeSet::new();
		let mut room = weights_room(self.memory);
		let models = self.chain.models(At::Best).await?;
		let pinned: BTreeSet<ModelId> =
			models.into_iter().filter(|model| model.pinned).map(|model| model.id).collect();
		let me = self.chain.worker(self.account, At::Best).await?;
		let view = View { pinned, me, until };
		for name in self.models {
			let mut models = match name {
				ModelName::Id(id) => vec![*id],
				ModelName::Alias(alias) => match self.chain.resolve_alias(alias, At::Best).await? {
					Some(id) => vec![id],
					None => {
						return Err(Trouble::Passing(format!(
							"no model is named {alias:?} on chain"
						)))
					}
				},
				ModelName::Auto => view.pinned.iter().copied().collect(),
			};
			models.retain(|model| !taken.contains(model));
			// With what was served before nothing else is looked at.
			models.sort_by_key(|model| (view.served(model).is_empty(), *model));
			let mut found: Vec<Found> = Vec::new();
			for model in models {
				looked_at.insert(model);
				if let Some(option) = self.option(model, room, name, &view).await? {
					let before = option.before;
					found.push(option);
					if before {
						break;
					}
				}
			}
			// Of several, the one whose rarest shard is rarest; of equals, the first.
			let best = found.into_iter().min_by_key(|found| (!found.before, found.replicas));
			match best {
				Some(best) => {
					room = room.saturating_sub(best.bytes);
					taken.extend(best.picks.iter().map(|pick| pick.model));
					picks.extend(best.picks);
				}
				None if picks.is_empty() => {
					return Err(Trouble::Passing(format!(
						"no pinned model for {:?} has layers that fit into {} MiB of memory",
						name.to_string(),
						self.memory >> 20
					)))
				}
				None => {}
			}
		}
		let followed = |model: &&ModelId| self.layers == Layers::Auto && taken.contains(*model);
		for model in looked_at.iter().filter(|model| !followed(model)) {
			self.handle.unwatch(*model);
		}
		Ok(picks)
	}

	/// What could be served of `model` in `room` bytes.
	async fn option(
		&self,
		model: ModelId,
		room: u64,
		name: &ModelName,
		view: &View<'_>,
	) -> Result<Option<Found>, Trouble> {
		let Some(manifest) = self.chain.manifest(model, At::Best).await? else {
			return match name {
				ModelName::Auto => Ok(None),
				_ => Err(Trouble::Passing(format!("model {model:?} is not registered on chain"))),
			};
		};
		// The chain takes nothing else as served.
		if !view.pinned.contains(&model) {
			return Err(Trouble::Passing(format!("model {model:?} is not pinned on chain yet")));
		}
		let all = LayerRange { first: 0, end: manifest.layers };
		let mut before = Vec::new();
		if self.layers == Layers::Auto {
			let here = self.packages.layers(&model);
			before = remembered(&manifest, &view.served(&model), &here, room);
		}
		let mut rarest = 0;
		let ranges = match self.layers {
			Layers::Auto if !before.is_empty() => before.clone(),
			Layers::Range(range) if !all.contains(&range) => {
				return Err(Trouble::Lasting(anyhow!(
					"layers {}..{} were asked for, and {name} has {}",
					range.first,
					range.end,
					manifest.layers
				)))
			}
			wanted => {
				let replicas = self.replicas(model, &manifest, view).await?;
				rarest = replicas.iter().map(|(_, count)| *count).min().unwrap_or(0);
				match wanted {
					Layers::All => vec![all],
					Layers::Range(range) => vec![range],
					Layers::Auto => match choose(&replicas, most_layers(&manifest, room)) {
						Some(layers) => vec![layers],
						None => return Ok(None),
					},
				}
			}
		};
		let bytes = ranges
			.iter()
			.fold(0u64, |sum, range| sum.saturating_add(weight_bytes(&manifest, *range)));
		if bytes > self.memory {
			let asked = ranges.first().copied().unwrap_or(all);
			return Err(Trouble::Lasting(anyhow!(
				"layers {}..{} of {name} take {} MiB, and the consent allows {} MiB of memory: choose \
				 fewer layers, or allow more with --memory and --loosen-consent",
				asked.first,
				asked.end,
				bytes >> 20,
				self.memory >> 20
			)));
		}
		let alias = match name {
			ModelName::Alias(alias) => Some(alias.clone()),
			_ => self.chain.aliases_of(model, At::Best).await?.into_iter().next(),
		};
		let manifest = Arc::new(manifest);
		let pick = |layers| Pick { model, name: alias.clone(), manifest: manifest.clone(), layers };
		let picks = ranges.into_iter().map(pick).collect();
		Ok(Some(Found { before: !before.is_empty(), replicas: rarest, picks, bytes }))
	}

	/// For each shard of a model, how many others hold it. Where that decides something, only those count
	/// who are heard of; if nobody is, perhaps because this machine hears nobody, the chain's word counts.
	async fn replicas(
		&self,
		model: ModelId,
		manifest: &Manifest,
		view: &View<'_>,
	) -> Result<Vec<(LayerRange, usize)>, Trouble> {
		let mut others = self.chain.workers_of(model, At::Best).await?;
		others.retain(|worker| !worker.leaves() && worker.account != *self.account);
		let decides = self.layers == Layers::Auto || self.models.contains(&ModelName::Auto);
		if decides && !others.is_empty() {
			self.handle.watch(model, manifest.shards.to_vec());
			let alive = self.listen(&others, view.until).await;
			if !alive.is_empty() {
				others = alive;
			}
		}
		Ok(replicas(manifest, &model, &others, self.account))
	}

	/// Those of `others` who are heard of: at once if all are, else when there was time enough.
	async fn listen(&self, others: &[WorkerView], until: &OnceLock<Instant>) -> Vec<WorkerView> {
		let until = *until.get_or_init(|| Instant::now() + LISTEN);
		let mut directory = self.handle.directory();
		loop {
			let known = directory.borrow_and_update().clone();
			let alive = heard(others.to_vec(), &known);
			if alive.len() == others.len() || self.stop.is_cancelled() {
				return alive;
			}
			let changed = tokio::select! {
				() = self.stop.cancelled() => return alive,
				changed = tokio::time::timeout_at(until, directory.changed()) => changed,
			};
			if !matches!(changed, Ok(Ok(()))) {
				tracing::info!(
					target: "aria::worker",
					registered = others.len(),
					heard = alive.len(),
					"replicas are counted: who is registered and not heard of is none"
				);
				return alive;
			}
		}
	}
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;
	use aria_chain_client::{Shard, WorkerState};
	use aria_network::wire::advert::Advert;

	/// The manifest of the model that comes with the project.
	fn manifest() -> Manifest {
		let bytes = include_bytes!("../../../models/aria-wordnet/manifest.scale");
		Manifest::from_bytes(bytes).unwrap()
	}

	fn worker(byte: u8, model: ModelId, ranges: &[(u16, u16)]) -> WorkerView {
		let served = ranges
			.iter()
			.map(|(first, end)| Shard { model, layers: LayerRange { first: *first, end: *end } })
			.collect();
		WorkerView {
			account: AccountId::new([byte; 32]),
			peer: [byte; 32],
			stake: 1,
			reputation: 0,
			active: true,
			state: WorkerState::Active,
			region: 0,
			served,
			settled: 0,
			registered_at: 0,
			active_at: 0,
			shared: 0,
		}
	}

	#[test]
	fn more_layers_should_take_more_memory() {
		let manifest = manifest();
		let all = LayerRange { first: 0, end: manifest.layers };
		let whole = weight_bytes(&manifest, all);
		let begin = weight_bytes(&manifest, LayerRange { first: 0, end: 1 });
		assert!(begin < whole);
		assert_eq!(most_layers(&manifest, whole), manifest.layers);
		let fewer = most_layers(&manifest, whole - 1);
		assert!(fewer < manifest.layers);
		assert_eq!(most_layers(&manifest, 0), 0);
	}

	#[test]
	fn replicas_should_be_counted_by_shard() {
		let manifest = manifest();
		let model = manifest.model_id();
		let shard = *manifest.shards.first().unwrap();
		let me = AccountId::new([9; 32]);
		let mut workers = vec![
			worker(1, model, &[(0, manifest.layers)]),
			worker(2, model, &[(shard.first, shard.end), (shard.end, manifest.layers)]),
			// In two parts that touch: it can't be two stages.
			worker(3, model, &[(shard.first, shard.first + 1), (shard.first + 1, shard.end)]),
			worker(9, model, &[(0, manifest.layers)]),
		];
		let count = |workers: &[WorkerView]| replicas(&manifest, &model, workers, &me)[0].1;
		assert_eq!(count(&workers), 2);
		workers[0].active = false;
		assert_eq!(count(&workers), 1);
	}

	#[test]
	fn who_is_not_heard_of_should_be_no_replica() {
		let known = |byte: u8, peer: u8| KnownWorker {
			advert: Advert {
				version: 1,
				account: AccountId::new([byte; 32]),
				peer: [peer; 32],
				addresses: Default::default(),
				serves: Default::default(),
				sessions: 0,
				capacity: 1,
				consent_version: 1,
				region: 0,
				bandwidth_mbps: 1,
				made_at: 0,
				expires_at: 1,
			},
			peer: [peer; 32],
			round_trip: None,
			seen: std::time::Instant::now(),
		};
		let model = ModelId::zero();
		let workers: Vec<WorkerView> = (1..=3).map(|byte| worker(byte, model, &[(0, 6)])).collect();
		// The second is spoken for by another peer than the chain's.
		let alive = heard(workers, &[known(1, 1), known(2, 7), known(8, 8)]);
		let accounts: Vec<AccountId> = alive.into_iter().map(|worker| worker.account).collect();
		assert_eq!(accounts, [AccountId::new([1; 32])]);
	}

	#[test]
	fn what_was_served_should_be_remembered_where_it_can_be() {
		let manifest = manifest();
		let range = |first, end| LayerRange { first, end };
		let all = [range(0, manifest.layers)];
		assert_eq!(manifest.shards.to_vec(), [range(0, 2), range(2, 4), range(4, 6)]);
		let of = |served: &[LayerRange], here: &[LayerRange]| {
			remembered(&manifest, served, here, u64::MAX)
		};
		assert_eq!(of(&[range(2, 4)], &all), [range(2, 4)]);
		assert_eq!(of(&[range(0, 2), range(4, 6)], &all), [range(0, 2), range(4, 6)]);
		// Two shards that were taken over one after the other are one block now.
		assert_eq!(of(&[range(0, 2), range(2, 4)], &all), [range(0, 4)]);
		assert_eq!(of(&all, &all), all);
		// What is no block, not on disk, or was never served.
		assert_eq!(of(&[range(2, 6)], &all), [range(2, 4), range(4, 6)]);
		assert_eq!(of(&[range(0, 4)], &[range(2, 6)]), [range(2, 4)]);
		assert!(of(&[range(1, 3)], &all).is_empty() && of(&[], &all).is_empty());
		// As much as there is room for.
		let some = weight_bytes(&manifest, range(0, 4));
		assert_eq!(remembered(&manifest, &all, &all, some), [range(0, 4)]);
		assert!(remembered(&manifest, &all, &all, 0).is_empty());
	}
}
