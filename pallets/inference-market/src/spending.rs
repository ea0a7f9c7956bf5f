//! Spending keys and the tickets that they sign (`docs/protocol/ticket.md`).

use crate::{
	nonce::{NonceRefusal, NonceWindow},
	pallet::*,
	types::{KeyInfo, KeySlot},
};
use alloc::boxed::Box;
use aria_primitives::{
	record::RecordBody,
	ticket::{SignedTicket, TICKET_VERSION},
	AccountId, Balance, BlockNumber, Moment,
};
use frame_support::{ensure, traits::Get};
use sp_core::H256;
use sp_runtime::{DispatchError, DispatchResult};

/// Milliseconds of an hour.
const HOUR_MS: Moment = 3_600_000;

impl<T: Config> Pallet<T> {
	pub(crate) fn do_register_key(
		requester: AccountId,
		key: AccountId,
		gateway: AccountId,
		allowance: Balance,
		hourly_cap: Balance,
		expiry: BlockNumber,
	) -> DispatchResult {
		let now = Self::now();
		Self::ensure_gateway_active(&gateway)?;
		ensure!(expiry > now, Error::<T>::ExpiryInPast);
		KeysOf::<T>::try_mutate(&requester, |slots| -> Result<(), DispatchError> {
			slots.retain(|slot| {
				let taken = slot.free_from.is_none_or(|block| block > now);
				if !taken {
					Keys::<T>::remove(&slot.key);
				}
				taken
			});
			ensure!(!Keys::<T>::contains_key(&key), Error::<T>::KeyTaken);
			slots
				.try_push(KeySlot { key: key.clone(), free_from: None })
				.map_err(|_| Error::<T>::TooManyKeys)?;
			Ok(())
		})?;
		let info = KeyInfo {
			requester: requester.clone(),
			gateway: gateway.clone(),
			allowance,
			spent: 0,
			hourly_cap,
			hour: 0,
			spent_in_hour: 0,
			expiry,
			nonces: NonceWindow::default(),
			revoked: false,
		};
		Keys::<T>::insert(&key, info);
		Self::deposit_event(Event::KeyRegistered {
			key,
			requester,
			gateway,
			allowance,
			hourly_cap,
			expiry,
		});
		Ok(())
	}

	pub(crate) fn do_update_key(
		requester: &AccountId,
		key: AccountId,
		allowance: Balance,
		hourly_cap: Balance,
		expiry: BlockNumber,
	) -> DispatchResult {
		let mut info = Self::own_key(requester, &key)?;
		ensure!(expiry > Self::now(), Error::<T>::ExpiryInPast);
		(info.allowance, info.hourly_cap, info.expiry) = (allowance, hourly_cap, expiry);
		Keys::<T>::insert(&key, info);
		Self::deposit_event(Event::KeyUpdated { key, allowance, hourly_cap, expiry });
		Ok(())
	}

	pub(crate) fn do_revoke_key(requester: &AccountId, key: AccountId) -> DispatchResult {
		let mut info = Self::own_key(requester, &key)?;
		info.revoked = true;
		Keys::<T>::insert(&key, info);
		// A ticket used in this very block may live as long as tickets may.
		let free_from = Self::now().saturating_add(T::MaxTicketLifetime::get()).saturating_add(1);
		KeysOf::<T>::mutate(requester, |slots| {
			if let Some(slot) = slots.iter_mut().find(|slot| slot.key == key) {
				slot.free_from = Some(free_from);
			}
		});
		Self::deposit_event(Event::KeyRevoked { key });
		Ok(())
	}

	/// The key, unless it is unknown or revoked.
	pub(crate) fn live_key(key: &AccountId) -> Option<KeyInfo> {
		Keys::<T>::get(key).filter(|info| !info.revoked)
	}

	fn own_key(requester: &AccountId, key: &AccountId) -> Result<KeyInfo, DispatchError> {
		let info = Self::live_key(key).ok_or(Error::<T>::UnknownKey)?;
		ensure!(info.requester == *requester, Error::<T>::NotKeyOwner);
		Ok(info)
	}

	/// Whether the ticket pays for this record. Returns its key with the nonce marked as used, for
	/// the caller to charge and to store.
	pub(crate) fn authorise_ticket(
		genesis: &H256,
		body: &RecordBody,
		signed: &SignedTicket,
	) -> Result<Box<KeyInfo>, DispatchError> {
		let (ticket, now) = (&signed.ticket, Self::now());
		ensure!(ticket.version == TICKET_VERSION, Error::<T>::UnknownTicketVersion);
		let hash = ticket.hash(genesis);
		ensure!(hash == body.ticket_hash, Error::<T>::TicketMismatch);
		ensure!(
			ticket.model_id == body.model_id && ticket.query_hash == body.query_hash,
			Error::<T>::TicketForAnotherQuery
		);
		ensure!(now <= ticket.expiry, Error::<T>::TicketExpired);
		ensure!(
			ticket.expiry <= now.saturating_add(T::MaxTicketLifetime::get()),
			Error::<T>::TicketTooFarAhead
		);

		let mut info = Box::new(Self::live_key(&ticket.key).ok_or(Error::<T>::UnknownKey)?);
		ensure!(ticket.requester == info.requester, Error::<T>::ForeignTicket);
		ensure!(ticket.gateway == info.gateway, Error::<T>::WrongGateway);
		ensure!(now <= info.expiry, Error::<T>::KeyExpired);
		Self::ensure_gateway_answers(&ticket.gateway)?;
		info.nonces.accept(ticket.nonce).map_err(|refusal| match refusal {
			NonceRefusal::Replayed => Error::<T>::TicketReplayed,
			NonceRefusal::TooOld => Error::<T>::NonceTooOld,
		})?;
		ensure!(signed.verify(&hash), Error::<T>::BadTicketSignature);
		Ok(info)
	}

	/// Counts `amount` against the key's allowance and the cap of the current hour.
	pub(crate) fn charge_key(info: &mut KeyInfo, amount: Balance) -> DispatchResult {
		let spent = info.spent.saturating_add(amount);
		ensure!(spent <= info.allowance, Error::<T>::AllowanceExceeded);
		let hour = Self::now_ms().checked_div(HOUR_MS).unwrap_or_default();
		let before = if info.hour == hour { info.spent_in_hour } else { 0 };
		let spent_in_hour = before.saturating_add(amount);
		ensure!(spent_in_hour <= info.hourly_cap, Error::<T>::HourlyCapExceeded);
		(info.spent, info.hour, info.spent_in_hour) = (spent, hour, spent_in_hour);
		Ok(())
	}
}
