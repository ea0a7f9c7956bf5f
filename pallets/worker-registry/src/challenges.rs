//! Uptime: who is asked, who answered, who did not, and who rests (`docs/protocol/uptime.md`).

use crate::{
	Attendances, Challenge, Challenges, Closing, Config, EraTally, Error, Event, Pallet,
	PeerSignature, Places, Roster, RosterSize, Served, WeightInfo, WorkerInfo, WorkerState,
	Workers, FREE_RESTS, MAX_ASKED,
};
use aria_math::{draw::reduce, reputation, uptime};
use aria_primitives::{
	hashing::sha256,
	traits::{self, Consents},
	uptime::{answer_message, UptimeParams, DRAW_DOMAIN},
	AccountId, BlockNumber, EraIndex, Moment, Ppm,
};
use codec::Encode;
use frame_support::{
	ensure,
	traits::{Get, UnixTime},
	weights::Weight,
};
use frame_system::pallet_prelude::BlockNumberFor;
use sp_core::{ed25519, H256};
use sp_runtime::{DispatchError, DispatchResult, SaturatedConversion};

impl<T: Config> Pallet<T> {
	/// What a block does at its beginning: closes the challenges that are over, then asks others.
	pub(crate) fn run_challenges(now: BlockNumber) -> Weight {
		let closed = T::WeightInfo::close(Self::close_challenges(now));
		let asked = T::WeightInfo::ask(Self::draw_challenges(now));
		closed.saturating_add(asked)
	}

	/// Counts the challenges that nobody answered until now; returns how many were looked at.
	pub(crate) fn close_challenges(now: BlockNumber) -> u32 {
		let due = Closing::<T>::take(now);
		for worker in &due {
			// Answered, given up by resting or leaving, or another one since.
			let open = Challenges::<T>::get(worker).is_some_and(|open| open.closes == now);
			if !open {
				continue;
			}
			Challenges::<T>::remove(worker);
			// Whose hours ended meanwhile was perhaps away with good reason.
			if Self::takes_work(worker) {
				Self::note_missed(worker, now);
			}
		}
		due.len().saturated_into()
	}

	/// Draws whom this block asks, and asks them; returns how many were drawn.
	fn draw_challenges(now: BlockNumber) -> u32 {
		let size = RosterSize::<T>::get();
		if size == 0 {
			return 0;
		}
		let UptimeParams { challenges, window } = T::Uptime::get();
		let beacon = T::Beacon::get();
		let count = uptime::asked(size, challenges, T::EraLength::get(), lot(&beacon, 0));
		let count = count.min(MAX_ASKED);
		let places = (1..=count).filter_map(|index| uptime::pick(lot(&beacon, index), size));
		Self::ask(now, now.saturating_add(window).saturating_add(1), places);
		count
	}

	/// Asks the workers in these places of the roster, who have until the block before `closes`.
	pub(crate) fn ask(now: BlockNumber, closes: BlockNumber, places: impl Iterator<Item = u32>) {
		let mut closing = None;
		for place in places {
			let Some(worker) = Roster::<T>::get(place) else { continue };
			if Challenges::<T>::get(&worker).is_some_and(|open| open.closes > now)
				|| !Self::takes_work(&worker)
			{
				continue;
			}
			let list = closing.get_or_insert_with(|| Closing::<T>::get(closes));
			// Windows that were changed may close in one block; who has no room is not asked.
			if list.try_push(worker.clone()).is_err() {
				break;
			}
			Challenges::<T>::insert(&worker, Challenge { asked_at: now, closes });
			Self::deposit_event(Event::Challenged { worker, until: closes.saturating_sub(1) });
		}
		if let Some(list) = closing {
			Closing::<T>::insert(closes, list);
		}
	}

	/// Whether the worker could be given work now: active, with the minimum stake, serving something,
	/// within the hours of its consent.
	fn takes_work(worker: &AccountId) -> bool {
		let active = Workers::<T>::get(worker).is_some_and(|info| {
			info.state == WorkerState::Active && info.stake >= T::MinimumStake::get()
		});
		let time = Moment::try_from(T::Time::now().as_millis()).unwrap_or(Moment::MAX);
		active && !Served::<T>::get(worker).shards.is_empty() && T::Consents::is_open(worker, time)
	}

	/// Takes a worker's answer.
	pub(crate) fn take_answer(worker: &AccountId, signature: &PeerSignature) -> DispatchResult {
		let info = Workers::<T>::get(worker).ok_or(Error::<T>::NotRegistered)?;
		let now = Self::now();
		let challenge = Challenges::<T>::get(worker)
			.filter(|open| open.asked_at < now && now < open.closes)
			.ok_or(Error::<T>::NotChallenged)?;
		let number = BlockNumberFor::<T>::from(challenge.asked_at);
		let block: H256 = frame_system::BlockHash::<T>::get(number);
		let message = answer_message(&Self::genesis(), worker, challenge.asked_at, &block);
		let signed = sp_io::crypto::ed25519_verify(
			&ed25519::Signature::from_raw(*signature),
			message.as_bytes(),
			&ed25519::Public::from_raw(info.peer),
		);
		ensure!(signed, Error::<T>::BadAnswer);
		Challenges::<T>::remove(worker);
		Self::tally(worker, |tally| tally.answered = tally.answered.saturating_add(1));
		Ok(())
	}

	/// Counts a challenge that nobody answered, and lets the worker rest: nobody is asked twice for one
	/// absence.
	fn note_missed(worker: &AccountId, since: BlockNumber) {
		let tally = Self::tally(worker, |tally| tally.missed = tally.missed.saturating_add(1));
		Workers::<T>::mutate(worker, |entry| {
			if let Some(info) = entry {
				info.state = WorkerState::Resting { since };
				if tally.missed > 1 {
					info.reputation =
						reputation::fall(info.reputation, reputation::LAPSE_FACTOR_PPM);
				}
			}
		});
		let EraTally { era, missed, .. } = tally;
		Self::deposit_event(Event::Missed { worker: worker.clone(), era, missed });
		if missed > 1 {
			let reputation = Self::info(worker).map_or(0, |info| info.reputation);
			Self::deposit_event(Event::ReputationCut { worker: worker.clone(), reputation });
		}
		Self::deposit_event(Event::Resting { worker: worker.clone(), since });
	}

	/// Lets an active worker rest; whether that is free.
	pub(crate) fn begin_rest(worker: &AccountId) -> Result<bool, DispatchError> {
		let since = Self::now();
		Self::mutate(worker, |info| {
			ensure!(info.state == WorkerState::Active, Error::<T>::NotActive);
			info.state = WorkerState::Resting { since };
			Ok(())
		})?;
		// Who says so is there: it neither answered nor missed.
		Self::give_up_challenge(worker);
		let tally = Self::tally(worker, |tally| tally.rests = tally.rests.saturating_add(1));
		Self::deposit_event(Event::Resting { worker: worker.clone(), since });
		Ok(tally.rests <= FREE_RESTS)
	}

	/// Forgets a challenge that waits for an answer.
	pub(crate) fn give_up_challenge(worker: &AccountId) {
		Challenges::<T>::remove(worker);
	}

	/// Changes a worker's tally of this era; returns it.
	fn tally(worker: &AccountId, change: impl FnOnce(&mut EraTally)) -> EraTally {
		let era = T::Era::get();
		Attendances::<T>::mutate(worker, |tallies| {
			if tallies.last().is_none_or(|last| last.era < era) {
				let next = EraTally { era, ..EraTally::default() };
				if let Err(next) = tallies.try_push(next) {
					tallies.remove(0);
					// There is room now.
					let _ = tallies.try_push(next);
				}
			}
			match tallies.iter_mut().find(|tally| tally.era == era) {
				Some(tally) => {
					change(tally);
					*tally
				}
				// Eras only grow; were one to come back that is forgotten, nothing is counted.
				None => EraTally { era, ..EraTally::default() },
			}
		})
	}

	/// A worker's tally of an era, if there is one.
	pub fn tally_of(worker: &AccountId, era: EraIndex) -> Option<EraTally> {
		Attendances::<T>::get(worker).into_iter().find(|tally| tally.era == era)
	}

	// --- the roster --------------------------------------------------------------------------------

	/// Gives a new worker the next place.
	pub(crate) fn enlist(worker: &AccountId) {
		let place = RosterSize::<T>::get();
		Roster::<T>::insert(place, worker);
		Places::<T>::insert(worker, place);
		RosterSize::<T>::put(place.saturating_add(1));
	}

	/// Takes a worker's place; the last one moves there. Everything of its uptime is forgotten.
	pub(crate) fn delist(worker: &AccountId) {
		Challenges::<T>::remove(worker);
		Attendances::<T>::remove(worker);
		let Some(place) = Places::<T>::take(worker) else { return };
		let last = RosterSize::<T>::get().saturating_sub(1);
		RosterSize::<T>::put(last);
		let moved = Roster::<T>::take(last);
		if let Some(moved) = moved.filter(|_| place != last) {
			Places::<T>::insert(&moved, place);
			Roster::<T>::insert(place, moved);
		}
	}
}

/// Number `index` of those that a block draws challenges by.
pub(crate) fn lot(beacon: &H256, index: u32) -> u64 {
	let random = (beacon, index).using_encoded(|drawn| {
		let mut bytes = DRAW_DOMAIN.to_vec();
		bytes.extend_from_slice(drawn);
		sha256(&bytes)
	});
	reduce(random.as_fixed_bytes())
}

impl EraTally {
	/// The factor uptime, in ppm; `None` if the worker was not asked.
	pub fn uptime(&self) -> Option<Ppm> {
		let asked = self.answered > 0 || self.missed > 0;
		asked.then(|| uptime::uptime_ppm(self.answered, self.missed))
	}
}

impl<T: Config> traits::Uptime for Pallet<T> {
	fn uptime(worker: &AccountId, era: EraIndex) -> Option<Ppm> {
		Self::tally_of(worker, era)?.uptime()
	}

	/// Others count audits.
	fn audit_pass_rate(_: &AccountId, _: EraIndex) -> Option<Ppm> {
		None
	}
}

/// Since when a worker takes no work that drains now; `None` if it can't, because it leaves already.
pub(crate) fn stands_since(info: &WorkerInfo, now: BlockNumber) -> Option<BlockNumber> {
	match info.state {
		WorkerState::Active => Some(now),
		WorkerState::Resting { since } => Some(since),
		WorkerState::Draining { .. } | WorkerState::Unbonding { .. } => None,
	}
}
