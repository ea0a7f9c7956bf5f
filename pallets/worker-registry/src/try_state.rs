//! What must hold of the registry's state.

use crate::{
	Config, HoldReason, Pallet, Peers, Served, ServedShard, Serving, WorkerState, Workers,
};
use aria_primitives::PPM;
use frame_support::{
	ensure,
	traits::{fungible::hold::Inspect as _, Get},
};

impl<T: Config> Pallet<T> {
	/// Checks the invariants:
	///
	/// 1. A worker's recorded stake is exactly what it has on hold.
	/// 2. `Peers` is the inverse of the workers' peer keys.
	/// 3. Who serves or served is a worker, an entry holds at least one shard, and shards are in
	///    order, not empty and without overlap.
	/// 4. `Serving` lists exactly the models that are served now.
	/// 5. No worker began to drain in the future, no stake unlocks later than a period from now, and
	///    no reputation is above the whole.
	/// 6. What is superseded is not empty, and was not superseded in the future.
	pub(crate) fn do_try_state() -> Result<(), sp_runtime::TryRuntimeError> {
		let now = Self::now();
		let mut workers = 0u32;
		for (worker, info) in Workers::<T>::iter() {
			workers = workers.saturating_add(1);
			let held = T::Currency::balance_on_hold(&HoldReason::Stake.into(), &worker);
			ensure!(held == info.stake, "1: recorded stake differs from the hold");
			ensure!(
				Peers::<T>::get(info.peer).as_ref() == Some(&worker),
				"2: a worker's peer key does not lead back to it"
			);
			match info.state {
				WorkerState::Active => (),
				WorkerState::Draining { since } => {
					ensure!(since <= now, "5: a worker drains in the future")
				}
				WorkerState::Unbonding { since, until } => {
					ensure!(since <= now, "5: a worker drains in the future");
					ensure!(
						until <= now.saturating_add(T::UnbondingPeriod::get()),
						"5: a stake unlocks too late"
					);
				}
			}
			ensure!(info.reputation <= PPM, "5: a reputation is above the whole");
		}
		ensure!(
			Peers::<T>::iter_keys().count() as u32 == workers,
			"2: a peer key without a worker"
		);

		for (worker, services) in Served::<T>::iter() {
			ensure!(Workers::<T>::contains_key(&worker), "3: a stranger serves");
			ensure!(
				!services.shards.is_empty() || services.superseded.is_some(),
				"3: an entry without shards is stored"
			);
			ensure!(in_order(&services.shards), "3: served shards are not in order");
			if let Some(last) = &services.superseded {
				ensure!(in_order(&last.shards), "3: superseded shards are not in order");
				ensure!(!last.shards.is_empty(), "6: nothing is superseded");
				ensure!(last.at <= now, "6: shards are superseded in the future");
			}
			ensure!(
				services
					.shards
					.iter()
					.all(|shard| Serving::<T>::contains_key(shard.model, &worker)),
				"4: a served model is not in the index"
			);
		}
		for (model, worker, ()) in Serving::<T>::iter() {
			ensure!(
				Served::<T>::get(&worker).shards.iter().any(|shard| shard.model == model),
				"4: the index names a model that is not served"
			);
		}
		Ok(())
	}
}

/// Whether no shard is empty, and they are ordered without overlap.
fn in_order(shards: &[ServedShard]) -> bool {
	shards.iter().all(|shard| !shard.layers.is_empty())
		&& shards.iter().zip(shards.iter().skip(1)).all(|(left, right)| {
			left.model < right.model
				|| (left.model == right.model && left.layers.end <= right.layers.first)
		})
}
