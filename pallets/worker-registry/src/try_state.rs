//! What must hold of the registry's state.

use crate::{
	Attendances, Challenges, Closing, Config, HoldReason, Pallet, Peers, Places, Roster,
	RosterSize, Served, ServedShard, Serving, WorkerState, Workers,
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
	/// 5. No worker began to drain or rest in the future, no stake unlocks later than a period from now, and
	///    no reputation is above the whole.
	/// 6. What is superseded is not empty, and was not superseded in the future.
	/// 7. Each worker has one place in the roster, and places are counted from 0 without a gap.
	/// 8. A challenge is a worker's, was not made in the future, and stands in the list of the block that
	///    closes it.
	/// 9. Tallies are a worker's, ascending by era.
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
				WorkerState::Draining { since } | WorkerState::Resting { since } => {
					ensure!(since <= now, "5: a worker drains or rests in the future")
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
		Self::try_uptime(now, workers)?;

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

	/// Invariants 7 to 9.
	fn try_uptime(
		now: aria_primitives::BlockNumber,
		workers: u32,
	) -> Result<(), sp_runtime::TryRuntimeError> {
		let size = RosterSize::<T>::get();
		ensure!(size == workers, "7: the roster has another length than there are workers");
		ensure!(
			Roster::<T>::iter_keys().count() as u32 == size
				&& Places::<T>::iter_keys().count() as u32 == size,
			"7: a place without a worker, or a worker without a place"
		);
		for place in 0..size {
			let worker = Roster::<T>::get(place).ok_or("7: there is a gap in the roster")?;
			ensure!(Workers::<T>::contains_key(&worker), "7: a stranger is in the roster");
			ensure!(Places::<T>::get(&worker) == Some(place), "7: a worker's place is another's");
		}
		for (worker, challenge) in Challenges::<T>::iter() {
			ensure!(Workers::<T>::contains_key(&worker), "8: a stranger is challenged");
			ensure!(
				challenge.asked_at <= now && challenge.asked_at < challenge.closes,
				"8: a challenge is made in the future, or has no window"
			);
			ensure!(
				Closing::<T>::get(challenge.closes).contains(&worker),
				"8: no block closes a challenge"
			);
		}
		for (worker, tallies) in Attendances::<T>::iter() {
			ensure!(Workers::<T>::contains_key(&worker), "9: a stranger has tallies");
			ensure!(
				tallies
					.iter()
					.zip(tallies.iter().skip(1))
					.all(|(left, right)| left.era < right.era),
				"9: tallies are not in order"
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
