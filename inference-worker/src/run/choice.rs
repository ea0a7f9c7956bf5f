//! Which models and layers this worker serves.

use super::{
	config::{Layers, ModelName},
	patience::{patiently, Trouble},
};
use crate::shards::choose;
use anyhow::{anyhow, Result};
use aria_chain_client::{At, Chain, WorkerView};
use aria_engine::package::layout::{layer_of, layouts};
use aria_primitives::{
	manifest::{Head, Manifest, TensorRole},
	record::LayerRange,
	AccountId, ModelId,
};
use std::{collections::BTreeSet, sync::Arc};
use tokio_util::sync::CancellationToken;

/// How much more weights may take in memory than in their files: kernels lay them out anew.
const LAYOUT_PERCENT: u64 = 130;
/// How much of the memory limit weights may take: sessions need the rest.
const WEIGHTS_PERCENT: u64 = 60;

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

/// For each shard of the model, how many others hold it and take work.
pub fn replicas(
	manifest: &Manifest,
	model: &ModelId,
	workers: &[WorkerView],
	me: &AccountId,
) -> Vec<(LayerRange, usize)> {
	let others: Vec<Vec<LayerRange>> = workers
		.iter()
		.filter(|worker| worker.active && worker.account != *me)
		.map(|worker| worker.layers_of(model))
		.collect();
	let holds = |ranges: &Vec<LayerRange>, shard: &LayerRange| {
		// A worker may serve a range in parts.
		(shard.first..shard.end)
			.all(|layer| ranges.iter().any(|range| range.first <= layer && layer < range.end))
	};
	manifest
		.shards
		.iter()
		.map(|shard| (*shard, others.iter().filter(|ranges| holds(ranges, shard)).count()))
		.collect()
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

impl Choosing<'_> {
	/// What to serve. Waits for models that the chain does not know, or that are not pinned yet. `None` if
	/// the process is to end meanwhile.
	///
	/// # Errors
	/// Layers that a model does not have, or that do not fit into memory.
	pub async fn choose(&self) -> Result<Option<Vec<Pick>>> {
		patiently("models are looked for on chain", self.stop, || self.look()).await
	}

	async fn look(&self) -> Result<Vec<Pick>, Trouble> {
		let mut picks = Vec::new();
		let mut taken = BTreeSet::new();
		let mut room = weights_room(self.memory);
		let models = self.chain.models(At::Best).await?;
		let pinned: BTreeSet<ModelId> =
			models.into_iter().filter(|model| model.pinned).map(|model| model.id).collect();
		for name in self.models {
			let models = match name {
				ModelName::Id(id) => vec![*id],
				ModelName::Alias(alias) => match self.chain.resolve_alias(alias, At::Best).await? {
					Some(id) => vec![id],
					None => {
						return Err(Trouble::Passing(format!(
							"no model is named {alias:?} on chain"
						)))
					}
				},
				ModelName::Auto => pinned.iter().copied().collect(),
			};
			let mut found: Vec<(usize, Pick, u64)> = Vec::new();
			for model in models.into_iter().filter(|model| !taken.contains(model)) {
				if let Some(option) = self.option(model, room, name, &pinned).await? {
					found.push(option);
				}
			}
			// Of several, the one whose rarest shard is rarest.
			let best = found.into_iter().min_by_key(|(replicas, pick, _)| (*replicas, pick.model));
			match best {
				Some((_, pick, bytes)) => {
					room = room.saturating_sub(bytes);
					taken.insert(pick.model);
					picks.push(pick);
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
		Ok(picks)
	}

	/// What could be served of `model`, with the replicas of its rarest shard and its bytes.
	async fn option(
		&self,
		model: ModelId,
		room: u64,
		name: &ModelName,
		pinned: &BTreeSet<ModelId>,
	) -> Result<Option<(usize, Pick, u64)>, Trouble> {
		let Some(manifest) = self.chain.manifest(model, At::Best).await? else {
			return match name {
				ModelName::Auto => Ok(None),
				_ => Err(Trouble::Passing(format!("model {model:?} is not registered on chain"))),
			};
		};
		// The chain takes nothing else as served.
		if !pinned.contains(&model) {
			return Err(Trouble::Passing(format!("model {model:?} is not pinned on chain yet")));
		}
		let all = LayerRange { first: 0, end: manifest.layers };
		let workers = self.chain.workers_of(model, At::Best).await?;
		let replicas = replicas(&manifest, &model, &workers, self.account);
		let rarest = replicas.iter().map(|(_, count)| *count).min().unwrap_or(0);
		let layers = match self.layers {
			Layers::All => all,
			Layers::Range(range) if all.contains(&range) => range,
			Layers::Range(range) => {
				return Err(Trouble::Lasting(anyhow!(
					"layers {}..{} were asked for, and {name} has {}",
					range.first,
					range.end,
					manifest.layers
				)))
			}
			Layers::Auto => match choose(&replicas, most_layers(&manifest, room)) {
				Some(layers) => layers,
				None => return Ok(None),
			},
		};
		let bytes = weight_bytes(&manifest, layers);
		if bytes > self.memory {
			return Err(Trouble::Lasting(anyhow!(
				"layers {}..{} of {name} take {} MiB, and the consent allows {} MiB of memory: choose \
				 fewer layers, or allow more with --memory and --loosen-consent",
				layers.first,
				layers.end,
				bytes >> 20,
				self.memory >> 20
			)));
		}
		let alias = match name {
			ModelName::Alias(alias) => Some(alias.clone()),
			_ => self.chain.aliases_of(model, At::Best).await?.into_iter().next(),
		};
		let pick = Pick { model, name: alias, manifest: Arc::new(manifest), layers };
		Ok(Some((rarest, pick, bytes)))
	}
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;
	use aria_chain_client::{Shard, WorkerState};

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
			// In two parts that touch.
			worker(2, model, &[(shard.first, shard.first + 1), (shard.first + 1, shard.end)]),
			worker(9, model, &[(0, manifest.layers)]),
		];
		let count = |workers: &[WorkerView]| replicas(&manifest, &model, workers, &me)[0].1;
		assert_eq!(count(&workers), 2);
		workers[0].active = false;
		assert_eq!(count(&workers), 1);
	}
}
