//! Records leave the state (`docs/protocol/retention.md`).

use crate::{
	pallet::{ByOutput, ByQuery, Config, Event, Oldest, Pallet, PrunedStats, Records, SettledIn},
	stats,
	types::OldestRecord,
	weights::WeightInfo,
};
use aria_primitives::{traits::RecordUses, views::NetworkStats, BlockNumber, RecordId};
use frame_support::{traits::Get, weights::Weight};
use sp_runtime::SaturatedConversion;

impl<T: Config> Pallet<T> {
	/// Removes as many records as `remaining` and [`Config::MaxPrunedPerBlock`] allow; returns what
	/// that weighs.
	pub(crate) fn prune_within(now: BlockNumber, remaining: Weight) -> Weight {
		let base = T::WeightInfo::prune(0);
		let each = T::WeightInfo::prune(1).saturating_sub(base);
		let Some(room) = remaining.checked_sub(&base) else { return Weight::zero() };
		let most = T::MaxPrunedPerBlock::get();
		let budget: u32 = room
			.checked_div_per_component(&each)
			.map_or(most, |affordable| most.min(affordable.saturated_into()));
		T::WeightInfo::prune(Self::prune(now, budget))
	}

	/// Takes up to `budget` steps in block `now`; returns how many it took.
	pub(crate) fn prune(now: BlockNumber, budget: u32) -> u32 {
		let begin = Oldest::<T>::get();
		// A record stays through the window behind its block.
		let end = now.saturating_sub(T::Window::get());
		let mut walk = Walk { oldest: begin, steps: 0, gone: NetworkStats::default() };
		while walk.oldest.block < end && walk.steps < budget {
			if !walk.leave_block::<T>(budget) {
				break;
			}
		}
		if walk.oldest != begin {
			Oldest::<T>::put(walk.oldest);
		}
		if walk.gone.inferences > 0 {
			PrunedStats::<T>::mutate(|sums| stats::add_all(sums, &walk.gone));
			Self::deposit_event(Event::RecordsPruned {
				records: walk.gone.inferences.saturated_into(),
				since: walk.oldest.whole_since(),
			});
		}
		walk.steps
	}
}

/// What one block removes.
struct Walk {
	oldest: OldestRecord,
	steps: u32,
	gone: NetworkStats,
}

impl Walk {
	/// Removes the rest of the oldest block's records, and steps to the next block; `false` if a record
	/// is needed or the budget is spent before.
	fn leave_block<T: Config>(&mut self, budget: u32) -> bool {
		let ids = SettledIn::<T>::get(self.oldest.block).unwrap_or_default();
		for id in ids.iter().skip(self.oldest.position as usize) {
			if self.steps >= budget || !self.leave::<T>(id) {
				return false;
			}
			self.steps = self.steps.saturating_add(1);
			self.oldest.position = self.oldest.position.saturating_add(1);
		}
		if self.steps >= budget {
			return false;
		}
		if !ids.is_empty() {
			SettledIn::<T>::remove(self.oldest.block);
		}
		self.steps = self.steps.saturating_add(1);
		let block = self.oldest.block.saturating_add(1);
		self.oldest = OldestRecord { block, position: 0 };
		true
	}

	/// Removes a record, unless it is needed; returns whether it is gone.
	fn leave<T: Config>(&mut self, id: &RecordId) -> bool {
		// One that is listed is there; were it not, those behind it should not wait for it.
		let Some(record) = Records::<T>::get(id) else { return true };
		if T::Uses::is_needed(id, &record) {
			return false;
		}
		Records::<T>::remove(id);
		ByOutput::<T>::remove(record.body.output_hash, id);
		ByQuery::<T>::remove(record.body.query_hash, id);
		T::Uses::forget(id);
		stats::add(&mut self.gone, &record);
		true
	}
}
