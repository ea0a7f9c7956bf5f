//! Slots and epochs, which genesis sets so that one runtime serves every network.

use crate::{Config, EpochLength, Pallet, SlotDuration};
use core::marker::PhantomData;
use frame_support::traits::Get;

/// A slot in milliseconds where genesis names none.
pub const DEFAULT_SLOT_DURATION: u64 = 2_000;
/// An epoch in slots where genesis names none.
pub const DEFAULT_EPOCH_LENGTH: u64 = 600;

/// [`DEFAULT_SLOT_DURATION`] as a storage default.
pub struct DefaultSlotDuration;
impl Get<u64> for DefaultSlotDuration {
	fn get() -> u64 {
		DEFAULT_SLOT_DURATION
	}
}

/// [`DEFAULT_EPOCH_LENGTH`] as a storage default.
pub struct DefaultEpochLength;
impl Get<u64> for DefaultEpochLength {
	fn get() -> u64 {
		DEFAULT_EPOCH_LENGTH
	}
}

/// [`Pallet::slot_duration`], for the configuration of other pallets.
pub struct SlotDurationOf<T>(PhantomData<T>);
impl<T: Config> Get<u64> for SlotDurationOf<T> {
	fn get() -> u64 {
		Pallet::<T>::slot_duration()
	}
}

/// Half a slot in milliseconds, at least 1: the minimum period of the timestamp pallet.
pub struct MinimumPeriodOf<T>(PhantomData<T>);
impl<T: Config> Get<u64> for MinimumPeriodOf<T> {
	fn get() -> u64 {
		(Pallet::<T>::slot_duration() / 2).max(1)
	}
}

/// [`Pallet::epoch_length`], for the configuration of other pallets.
pub struct EpochLengthOf<T>(PhantomData<T>);
impl<T: Config> Get<u64> for EpochLengthOf<T> {
	fn get() -> u64 {
		Pallet::<T>::epoch_length()
	}
}

impl<T: Config> Pallet<T> {
	/// A slot in milliseconds, at least 1.
	pub fn slot_duration() -> u64 {
		SlotDuration::<T>::get().max(1)
	}

	/// An epoch in slots, at least 1.
	pub fn epoch_length() -> u64 {
		EpochLength::<T>::get().max(1)
	}
}
