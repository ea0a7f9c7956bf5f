//! What must hold of the pallet's state after every block.

use crate::{Config, Current, Histories, HoldReason, Pallet, Versions};
use frame_support::{ensure, traits::fungible::InspectHold};
use sp_runtime::TryRuntimeError;

impl<T: Config> Pallet<T> {
	/// Checks the invariants; the first that is broken as an error.
	pub(crate) fn do_try_state() -> Result<(), TryRuntimeError> {
		for (worker, history) in Histories::<T>::iter() {
			// 1. The range of kept versions is one.
			ensure!(history.oldest >= 1, "a version below 1 is kept");
			ensure!(
				history.oldest <= history.last.saturating_add(1),
				"the oldest kept version is beyond the last"
			);

			// 2. Exactly the versions of that range are kept.
			let stored = Versions::<T>::iter_prefix(&worker).count();
			ensure!(
				u32::try_from(stored) == Ok(history.kept()),
				"the number of versions kept is not what the history says"
			);
			let mut previous_end = 0;
			for version in history.oldest..=history.last {
				let entry = Versions::<T>::get(&worker, version)
					.ok_or("a version of the range is missing")?;
				ensure!(entry.version == version, "a version lies under another's number");

				// 3. Terms are valid.
				ensure!(Self::validate(&entry.consent).is_ok(), "terms that validation refuses");

				// 4. Versions follow each other in time, and only the last can be in force.
				ensure!(entry.set_at >= previous_end, "a version began before the last one ended");
				let end = entry.superseded_at.unwrap_or(entry.set_at);
				ensure!(end >= entry.set_at, "a version ended before it began");
				ensure!(
					entry.superseded_at.is_some() || Current::<T>::get(&worker) == Some(version),
					"a version that is not superseded is not in force"
				);
				previous_end = end;
			}

			// 5. Nothing is on hold for versions that are not kept. (How much is on hold for the
			// others depends on the prices when they were written.)
			let held = T::Currency::balance_on_hold(&HoldReason::ConsentDeposit.into(), &worker);
			ensure!(history.kept() > 0 || held == 0, "a deposit without versions");
		}

		// 6. What is in force is kept, is the last version and is not superseded.
		for (worker, version) in Current::<T>::iter() {
			let entry = Versions::<T>::get(&worker, version).ok_or("in force and not kept")?;
			ensure!(entry.superseded_at.is_none(), "in force and superseded");
			ensure!(Histories::<T>::get(&worker).last == version, "in force and not the last");
		}

		// 7. No version lies outside a history.
		for (worker, version, _) in Versions::<T>::iter() {
			let history = Histories::<T>::get(&worker);
			ensure!(
				(history.oldest..=history.last).contains(&version),
				"a version outside of its worker's history"
			);
		}
		Ok(())
	}
}
