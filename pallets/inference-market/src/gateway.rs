//! Gateways: registered and staked accounts that answer for the tickets that they accept.

use crate::{
	pallet::*,
	types::{GatewayInfo, GatewayState},
};
use aria_primitives::{AccountId, Balance};
use frame_support::{
	ensure,
	traits::{fungible::MutateHold, tokens::Precision, Get},
};
use sp_runtime::{traits::Zero, DispatchError, DispatchResult};

impl<T: Config> Pallet<T> {
	pub(crate) fn do_register_gateway(gateway: &AccountId) -> DispatchResult {
		ensure!(!Gateways::<T>::contains_key(gateway), Error::<T>::AlreadyGateway);
		let stake = T::GatewayStake::get();
		T::Currency::hold(&HoldReason::GatewayStake.into(), gateway, stake)?;
		let info = GatewayInfo { stake, state: GatewayState::Active, registered_at: Self::now() };
		Gateways::<T>::insert(gateway, info);
		Self::deposit_event(Event::GatewayRegistered { gateway: gateway.clone(), stake });
		Ok(())
	}

	pub(crate) fn do_unbond_gateway(gateway: &AccountId) -> DispatchResult {
		let until = Self::now().saturating_add(T::GatewayUnbonding::get());
		Gateways::<T>::try_mutate(gateway, |entry| -> Result<(), DispatchError> {
			let info = entry.as_mut().ok_or(Error::<T>::UnknownGateway)?;
			ensure!(info.state == GatewayState::Active, Error::<T>::AlreadyUnbonding);
			info.state = GatewayState::Unbonding { until };
			Ok(())
		})?;
		Self::deposit_event(Event::GatewayUnbonding { gateway: gateway.clone(), until });
		Ok(())
	}

	pub(crate) fn do_withdraw_gateway_stake(gateway: &AccountId) -> DispatchResult {
		let info = Gateways::<T>::take(gateway).ok_or(Error::<T>::UnknownGateway)?;
		let GatewayState::Unbonding { until } = info.state else {
			return Err(Error::<T>::NotUnbonding.into());
		};
		ensure!(Self::now() >= until, Error::<T>::StillUnbonding);
		let (reason, stake) = (HoldReason::GatewayStake.into(), info.stake);
		T::Currency::release(&reason, gateway, stake, Precision::Exact)?;
		Self::deposit_event(Event::GatewayWithdrawn { gateway: gateway.clone(), stake });
		Ok(())
	}

	/// Brings a gateway's stake back to what it has to be.
	pub(crate) fn do_restore_gateway_stake(gateway: &AccountId) -> DispatchResult {
		Gateways::<T>::try_mutate(gateway, |entry| -> DispatchResult {
			let info = entry.as_mut().ok_or(Error::<T>::UnknownGateway)?;
			let amount = T::GatewayStake::get().saturating_sub(info.stake);
			ensure!(!amount.is_zero(), Error::<T>::AmountZero);
			T::Currency::hold(&HoldReason::GatewayStake.into(), gateway, amount)?;
			info.stake = info.stake.saturating_add(amount);
			Self::deposit_event(Event::GatewayStakeRestored { gateway: gateway.clone(), amount });
			Ok(())
		})
	}

	/// Puts more on hold than a gateway has to, so that it answers for more.
	pub(crate) fn do_raise_gateway_stake(gateway: &AccountId, amount: Balance) -> DispatchResult {
		ensure!(!amount.is_zero(), Error::<T>::AmountZero);
		Gateways::<T>::try_mutate(gateway, |entry| -> DispatchResult {
			let info = entry.as_mut().ok_or(Error::<T>::UnknownGateway)?;
			T::Currency::hold(&HoldReason::GatewayStake.into(), gateway, amount)?;
			info.stake = info.stake.saturating_add(amount);
			Self::deposit_event(Event::GatewayStakeRaised { gateway: gateway.clone(), amount });
			Ok(())
		})
	}

	/// Whether `gateway` takes new keys and requests.
	pub(crate) fn ensure_gateway_active(gateway: &AccountId) -> DispatchResult {
		let info = Gateways::<T>::get(gateway).ok_or(Error::<T>::UnknownGateway)?;
		ensure!(info.state == GatewayState::Active, Error::<T>::GatewayLeaving);
		ensure!(info.stake >= T::GatewayStake::get(), Error::<T>::GatewayUnderstaked);
		Ok(())
	}

	/// Whether `gateway` still answers for what it accepted.
	pub(crate) fn ensure_gateway_answers(gateway: &AccountId) -> DispatchResult {
		let info = Gateways::<T>::get(gateway).ok_or(Error::<T>::UnknownGateway)?;
		let least = T::GatewayStake::get().checked_div(2).unwrap_or_default();
		ensure!(info.stake >= least, Error::<T>::GatewayUnderstaked);
		match info.state {
			GatewayState::Unbonding { until } if Self::now() >= until => {
				Err(Error::<T>::GatewayUnbonded.into())
			}
			_ => Ok(()),
		}
	}
}
