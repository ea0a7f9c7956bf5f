//! `register_gateway`, `unbond_gateway`, `withdraw_gateway_stake`.

use super::fixtures::*;
use crate::{mock::*, Error, Event, GatewayState, HoldReason};
use aria_primitives::ARIA;
use frame_support::{assert_noop, assert_ok};
use sp_runtime::TokenError;

const GATEWAY_STAKE: u128 = 1_000 * ARIA;

#[test]
fn register_gateway_should_hold_the_stake_when_it_is_there() {
	build_and_execute(|| {
		System::reset_events();
		assert_ok!(Market::register_gateway(signed(GATEWAY)));

		let info = Market::gateway(gateway()).unwrap();
		assert_eq!(info.state, GatewayState::Active);
		assert_eq!(info.registered_at, NOW);
		assert_eq!(on_hold(&gateway(), HoldReason::GatewayStake), GATEWAY_STAKE);
		assert_eq!(
			market_events(),
			vec![Event::GatewayRegistered { gateway: gateway(), stake: GATEWAY_STAKE }]
		);
	});
}

#[test]
fn register_gateway_should_fail_when_registered_or_poor() {
	with_setup(|| {
		assert_noop!(Market::register_gateway(signed(GATEWAY)), Error::<Test>::AlreadyGateway);
		assert_noop!(Market::register_gateway(signed(AUTHOR)), TokenError::FundsUnavailable);
	});
}

#[test]
fn gateway_should_get_its_stake_back_when_unbonding_is_over() {
	with_setup(|| {
		assert_noop!(Market::withdraw_gateway_stake(signed(GATEWAY)), Error::<Test>::NotUnbonding);
		assert_ok!(Market::unbond_gateway(signed(GATEWAY)));
		let until = NOW + UNBONDING;
		assert_eq!(Market::gateway(gateway()).unwrap().state, GatewayState::Unbonding { until });
		assert_noop!(Market::unbond_gateway(signed(GATEWAY)), Error::<Test>::AlreadyUnbonding);

		run_to(until - 1);
		assert_noop!(
			Market::withdraw_gateway_stake(signed(GATEWAY)),
			Error::<Test>::StillUnbonding
		);
		run_to(until);
		assert_ok!(Market::withdraw_gateway_stake(signed(GATEWAY)));
		assert_eq!(on_hold(&gateway(), HoldReason::GatewayStake), 0);
		assert_eq!(Market::gateway(gateway()), None);
		assert_eq!(
			market_events(),
			vec![
				Event::GatewayUnbonding { gateway: gateway(), until },
				Event::GatewayWithdrawn { gateway: gateway(), stake: GATEWAY_STAKE },
			]
		);
	});
}

#[test]
fn gateway_calls_should_fail_when_there_is_no_such_gateway() {
	build_and_execute(|| {
		assert_noop!(Market::unbond_gateway(signed(STRANGER)), Error::<Test>::UnknownGateway);
		assert_noop!(
			Market::withdraw_gateway_stake(signed(STRANGER)),
			Error::<Test>::UnknownGateway
		);
	});
}

#[test]
fn settle_should_work_until_unbonding_is_over_when_a_gateway_leaves() {
	with_setup(|| {
		assert_ok!(Market::unbond_gateway(signed(GATEWAY)));
		assert_noop!(
			Market::register_key(signed(STRANGER), account(50), gateway(), 1, 1, NOW + 1),
			Error::<Test>::GatewayLeaving
		);
		assert_ok!(settle(Draft::new(2).settlement()));

		run_to(NOW + UNBONDING - 1);
		assert_ok!(settle(Draft::new(2).nonce(2).at(NOW + UNBONDING - 1).settlement()));

		run_to(NOW + UNBONDING);
		let late = Draft::new(2).nonce(3).at(NOW + UNBONDING);
		refuse(late.settlement(), Error::<Test>::GatewayUnbonded);
		assert_ok!(Market::withdraw_gateway_stake(signed(GATEWAY)));
		refuse(late.settlement(), Error::<Test>::UnknownGateway);
	});
}
