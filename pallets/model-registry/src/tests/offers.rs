use super::*;
use crate::{HoldReason, OfferCount, Offers};
use aria_primitives::{traits::Offer, ModelId};
use frame_support::{assert_noop, assert_ok};
use sp_runtime::{DispatchError, DispatchResult, TokenError};

fn offer(model: ModelId, offer: Offer) -> DispatchResult {
	ModelRegistry::set_offer(RuntimeOrigin::signed(BOB), model, offer)
}

#[test]
fn set_offer_should_store_prices_and_hold_a_deposit() {
	build_and_execute(|| {
		let model = registered(0);
		assert_ok!(offer(model, OFFER));
		assert_eq!(Offers::<Test>::get(model, BOB).unwrap().offer, OFFER);
		assert_eq!(OfferCount::<Test>::get(model), 1);
		assert_eq!(held(HoldReason::OfferDeposit, &BOB), PER_OFFER);
		System::assert_last_event(Event::OfferSet { model, seller: BOB, offer: OFFER }.into());
	});
}

#[test]
fn set_offer_should_replace_prices_without_a_second_deposit() {
	build_and_execute(|| {
		let model = registered(0);
		assert_ok!(offer(model, OFFER));
		OfferDeposit::set(9 * PER_OFFER);
		let free_prompts = Offer { prompt_price: 0, cached_price: 0, output_price: 1 };
		assert_ok!(offer(model, free_prompts));
		assert_eq!(Offers::<Test>::get(model, BOB).unwrap().offer, free_prompts);
		assert_eq!(OfferCount::<Test>::get(model), 1);
		assert_eq!(held(HoldReason::OfferDeposit, &BOB), PER_OFFER);
	});
}

#[test]
fn set_offer_should_keep_sellers_and_models_apart() {
	build_and_execute(|| {
		let (first, second) = (registered(0), registered(1));
		assert_ok!(offer(first, OFFER));
		assert_ok!(offer(second, OFFER));
		assert_ok!(ModelRegistry::set_offer(RuntimeOrigin::signed(ALICE), first, OFFER));
		assert_eq!((OfferCount::<Test>::get(first), OfferCount::<Test>::get(second)), (2, 1));
		assert_eq!(held(HoldReason::OfferDeposit, &BOB), 2 * PER_OFFER);
	});
}

#[test]
fn set_offer_should_fail_when_the_model_is_unknown() {
	build_and_execute(|| {
		assert_noop!(offer(ModelId::zero(), OFFER), Error::UnknownModel);
	});
}

#[test]
fn set_offer_should_fail_when_output_is_free() {
	build_and_execute(|| {
		let model = registered(0);
		assert_noop!(offer(model, Offer { output_price: 0, ..OFFER }), Error::PriceZero);
	});
}

#[test]
fn set_offer_should_fail_when_any_price_is_above_the_limit() {
	build_and_execute(|| {
		let model = registered(0);
		for price in [MAX_PRICE + 1, u128::MAX] {
			for too_high in [
				Offer { prompt_price: price, ..OFFER },
				Offer { cached_price: price, ..OFFER },
				Offer { output_price: price, ..OFFER },
			] {
				assert_noop!(offer(model, too_high), Error::PriceTooHigh);
			}
		}
		let dearest =
			Offer { prompt_price: MAX_PRICE, cached_price: MAX_PRICE, output_price: MAX_PRICE };
		assert_ok!(offer(model, dearest));
	});
}

#[test]
fn set_offer_should_fail_when_the_deposit_is_not_affordable() {
	build_and_execute(|| {
		let model = registered(0);
		assert_noop!(
			ModelRegistry::set_offer(RuntimeOrigin::signed(PAUPER), model, OFFER),
			TokenError::FundsUnavailable
		);
	});
}

#[test]
fn remove_offer_should_release_the_deposit_that_was_taken() {
	build_and_execute(|| {
		let model = registered(0);
		assert_ok!(offer(model, OFFER));
		OfferDeposit::set(9 * PER_OFFER);
		assert_ok!(ModelRegistry::remove_offer(RuntimeOrigin::signed(BOB), model));
		assert!(!Offers::<Test>::contains_key(model, BOB));
		assert!(!OfferCount::<Test>::contains_key(model));
		assert_eq!(Balances::free_balance(BOB), BALANCE);
		System::assert_last_event(Event::OfferRemoved { model, seller: BOB }.into());
	});
}

#[test]
fn remove_offer_should_fail_when_there_is_none() {
	build_and_execute(|| {
		let model = registered(0);
		assert_ok!(offer(model, OFFER));
		assert_noop!(
			ModelRegistry::remove_offer(RuntimeOrigin::signed(ALICE), model),
			Error::NoOffer
		);
	});
}

#[test]
fn dismiss_offer_should_return_the_sellers_deposit_when_the_model_is_not_pinned() {
	build_and_execute(|| {
		let model = registered(0);
		assert_ok!(offer(model, OFFER));
		assert_ok!(ModelRegistry::set_offer(RuntimeOrigin::signed(ALICE), model, OFFER));
		assert_ok!(ModelRegistry::dismiss_offer(RuntimeOrigin::signed(ALICE), model, BOB));
		assert_eq!(OfferCount::<Test>::get(model), 1);
		assert_eq!(Balances::free_balance(BOB), BALANCE);
		System::assert_last_event(Event::OfferRemoved { model, seller: BOB }.into());
	});
}

#[test]
fn dismiss_offer_should_fail_when_it_is_not_the_owners_to_dismiss() {
	build_and_execute(|| {
		let model = registered(0);
		assert_ok!(offer(model, OFFER));
		let dismiss =
			|who, model| ModelRegistry::dismiss_offer(RuntimeOrigin::signed(who), model, BOB);
		assert_noop!(dismiss(ALICE, ModelId::zero()), Error::UnknownModel);
		assert_noop!(dismiss(BOB, model), Error::NotOwner);
		assert_ok!(ModelRegistry::pin(RuntimeOrigin::root(), model));
		assert_noop!(dismiss(ALICE, model), Error::StillPinned);
		assert_ok!(ModelRegistry::unpin(RuntimeOrigin::root(), model));
		assert_ok!(dismiss(ALICE, model));
		assert_noop!(dismiss(ALICE, model), Error::NoOffer);
	});
}

#[test]
fn offer_calls_should_fail_when_not_signed() {
	build_and_execute(|| {
		let model = registered(0);
		let root = RuntimeOrigin::root;
		assert_noop!(ModelRegistry::set_offer(root(), model, OFFER), DispatchError::BadOrigin);
		assert_noop!(ModelRegistry::remove_offer(root(), model), DispatchError::BadOrigin);
		assert_noop!(ModelRegistry::dismiss_offer(root(), model, BOB), DispatchError::BadOrigin);
	});
}
