//! Prices that sellers ask.

use crate::{
	Config, Error, Event, HoldReason, Models, OfferCount, OfferEntry, Offers, Pallet, OFFERS_PAGE,
};
use alloc::vec::Vec;
use aria_primitives::{traits::Offer, AccountId, ModelId};
use frame_support::{
	ensure,
	traits::{fungible::MutateHold, tokens::Precision, Get},
};
use sp_runtime::DispatchResult;

impl<T: Config> Pallet<T> {
	pub(crate) fn do_set_offer(seller: AccountId, model: ModelId, offer: Offer) -> DispatchResult {
		ensure!(offer.output_price > 0, Error::<T>::PriceZero);
		let highest = offer.prompt_price.max(offer.cached_price).max(offer.output_price);
		ensure!(highest <= T::MaxTokenPrice::get(), Error::<T>::PriceTooHigh);
		ensure!(Models::<T>::contains_key(model), Error::<T>::UnknownModel);

		let deposit = match Offers::<T>::get(model, &seller) {
			Some(entry) => entry.deposit,
			None => {
				let deposit = T::OfferDeposit::get();
				T::Currency::hold(&HoldReason::OfferDeposit.into(), &seller, deposit)?;
				OfferCount::<T>::mutate(model, |count| *count = count.saturating_add(1));
				deposit
			}
		};
		Offers::<T>::insert(model, &seller, OfferEntry { offer, deposit });
		Self::deposit_event(Event::OfferSet { model, seller, offer });
		Ok(())
	}

	pub(crate) fn do_dismiss_offer(
		who: AccountId,
		model: ModelId,
		seller: AccountId,
	) -> DispatchResult {
		Self::owned_and_not_pinned(&who, &model)?;
		Self::drop_offer(seller, model)
	}

	/// Removes an offer and releases its deposit.
	pub(crate) fn drop_offer(seller: AccountId, model: ModelId) -> DispatchResult {
		let entry = Offers::<T>::get(model, &seller).ok_or(Error::<T>::NoOffer)?;
		let reason = HoldReason::OfferDeposit.into();
		T::Currency::release(&reason, &seller, entry.deposit, Precision::Exact)?;
		Offers::<T>::remove(model, &seller);
		OfferCount::<T>::mutate_exists(model, |count| {
			*count = count.unwrap_or(0).checked_sub(1).filter(|left| *left > 0);
		});
		Self::deposit_event(Event::OfferRemoved { model, seller });
		Ok(())
	}

	pub(crate) fn offers_page(
		model: &ModelId,
		after: Option<AccountId>,
	) -> Vec<(AccountId, Offer)> {
		let offers = match after {
			Some(seller) => {
				Offers::<T>::iter_prefix_from(model, Offers::<T>::hashed_key_for(model, seller))
			}
			None => Offers::<T>::iter_prefix(model),
		};
		offers.take(OFFERS_PAGE).map(|(seller, entry)| (seller, entry.offer)).collect()
	}
}
