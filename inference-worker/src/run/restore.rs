//! Restores replicas: when a worker leaves or dies, others with room take over what is too rare
//! (paper, 3.1: R replicas of every shard).

use super::{
	choice::{heard, most_layers, replicas, weights_room, Pick},
	worker::Loader,
};
use crate::shards::{restore, Vacancy};
use anyhow::Result;
use aria_chain_client::At;
use aria_primitives::record::LayerRange;
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// How often shards are counted, and how soon what is too rare is taken over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
	look: Duration,
	/// The wait for others to go first is divided by this.
	hurry: u32,
}

impl Pace {
	/// Unhurried; on a development chain (`dev`), whose workers are few and near, at once.
	pub fn of(dev: bool) -> Self {
		match dev {
			false => Self { look: Duration::from_secs(60), hurry: 1 },
			true => Self { look: Duration::from_secs(2), hurry: 30 },
		}
	}
}

/// Counts shards, and takes over what is too rare.
pub struct Restoring {
	/// Gets and loads layers.
	pub loader: Arc<Loader>,
	/// What this worker began with.
	pub picks: Vec<Pick>,
	/// How often, and how soon.
	pub pace: Pace,
}

impl Restoring {
	/// Looks until the process ends.
	pub async fn run(self) {
		let stop = self.loader.common.stop.clone();
		// Of several ranges of a model any one says which model it is.
		let models: BTreeMap<_, _> = self.picks.iter().map(|pick| (pick.model, pick)).collect();
		for pick in models.values() {
			let shards = pick.manifest.shards.to_vec();
			self.loader.common.handle.watch(pick.model, shards);
		}
		loop {
			tokio::select! {
				() = stop.cancelled() => return,
				() = tokio::time::sleep(self.pace.look) => {}
			}
			let live = &self.loader.common.live;
			if live.is_draining() || live.obstacle(&self.loader.common.chain).is_some() {
				continue;
			}
			for pick in models.values() {
				let restored = tokio::select! {
					() = stop.cancelled() => return,
					restored = self.restore(pick) => restored,
				};
				if let Err(error) = restored {
					tracing::warn!(
						target: "aria::worker",
						error = format!("{error:#}"),
						"a rare shard could not be taken over; it is tried again"
					);
				}
			}
		}
	}

	/// Takes over the rarest shard of a model, if it is too rare and there is room.
	async fn restore(&self, pick: &Pick) -> Result<()> {
		let seed = rand::random();
		let Some(vacancy) = self.vacancies(pick, seed).await?.into_iter().next() else {
			return Ok(());
		};
		// Others see the same; who waited least goes first.
		tokio::time::sleep(vacancy.wait / self.pace.hurry).await;
		let still = self.vacancies(pick, seed).await?;
		if !still.iter().any(|other| other.layers == vacancy.layers) {
			return Ok(());
		}
		let layers = vacancy.layers;
		tracing::info!(
			target: "aria::worker",
			model = ?pick.model,
			first = layers.first,
			end = layers.end,
			replicas = vacancy.replicas,
			"a rare shard is taken over"
		);
		self.loader.load(&Pick { layers, ..pick.clone() }).await?;
		self.loader.say().await?;
		Ok(())
	}

	async fn vacancies(&self, pick: &Pick, seed: u64) -> Result<Vec<Vacancy>> {
		let Loader { common, parts, stages, .. } = self.loader.as_ref();
		let workers = common.chain.workers_of(pick.model, At::Best).await?;
		let known = common.handle.directory().borrow().clone();
		let workers = heard(workers, &known);
		let replicas = replicas(&pick.manifest, &pick.model, &workers, &common.account);
		let mine: Vec<LayerRange> = stages
			.units()
			.iter()
			.filter(|unit| unit.model == pick.model)
			.map(|unit| unit.layers)
			.collect();
		let memory = parts.governor.memory();
		let room = weights_room(memory.limit()).saturating_sub(memory.used());
		Ok(restore(&replicas, &mine, most_layers(&pick.manifest, room), seed))
	}
}
