use super::*;
use crate::{Event, TotalMinted, TotalUnclaimed, Unclaimed, WeightInfo};
use frame_support::traits::Hooks;

#[docify::export]
#[test]
fn worker_should_be_paid_when_its_era_is_settled() {
	build_and_execute(|| {
		// given: the first era has begun, and a worker signs a stage in it
		run_to(1);
		note(stage(alice(), 5_000));

		// when: the era is over, and another one has gone by for audits
		run_to(21);

		// then: the only worker has the workers' part of what ten blocks emit
		assert_eq!(balance(&alice()), 9_000_000);
		System::assert_has_event(
			Event::<Test>::RewardPaid {
				era: 0,
				worker: alice(),
				account: alice(),
				amount: 9_000_000,
			}
			.into(),
		);
		System::assert_has_event(
			Event::<Test>::EraSettled { era: 0, workers: 1, paid: 9_000_000, unminted: 1_000_000 }
				.into(),
		);
	});
}

#[test]
fn era_should_not_be_settled_when_its_delay_is_not_over() {
	build_and_execute(|| {
		SettleDelay::set(3);
		run_to(1);
		note(stage(alice(), 5_000));

		run_to(40);
		assert_eq!(era_info(0).state, EraState::Closed);
		assert_eq!(balance(&alice()), 0);

		run_to(41);
		assert_eq!(era_info(0).state, EraState::Settled);
		assert_eq!(balance(&alice()), 9_000_000);
	});
}

#[test]
fn era_should_be_settled_when_it_ends_if_there_is_no_delay() {
	build_and_execute(|| {
		SettleDelay::set(0);
		run_to(1);
		note(stage(alice(), 5_000));

		run_to(11);

		assert_eq!(era_info(0).state, EraState::Settled);
	});
}

#[test]
fn pool_should_be_shared_by_work_when_nothing_else_differs() {
	build_and_execute(|| {
		run_to(1);
		note(stage(alice(), 1_000));
		note(stage(bob(), 1_500));
		note(stage(bob(), 500));

		settle(0);

		assert_eq!(balance(&alice()), 3_000_000);
		assert_eq!(balance(&bob()), 6_000_000);
		assert_eq!(line(0, &bob()).records, 2);
		assert_paid_as_recomputed(0);
		assert_eq!(RewardDistributor::base_rate(0), Some(9_000_000 * 1_000_000_000_000 / 3_000));
	});
}

#[test]
fn era_should_be_settled_at_once_when_it_has_no_workers() {
	build_and_execute(|| {
		run_to(20);
		assert_eq!(era_info(0).state, EraState::Closed);

		run_to(21);

		assert_eq!(era_info(0).state, EraState::Settled);
		System::assert_has_event(
			Event::<Test>::EraSettled { era: 0, workers: 0, paid: 0, unminted: 10_000_000 }.into(),
		);
		assert_eq!(Balances::total_issuance(), 0);
	});
}

#[test]
fn payout_should_stop_at_the_burn_bound_when_little_was_burnt() {
	build_and_execute(|| {
		run_to(1);
		note(WorkNote { burnt: 1_000, ..stage(alice(), 1_000) });
		note(WorkNote { burnt: 11, ..stage(alice(), 1_000) });
		note(stage(bob(), 2_000));

		settle(0);

		// 0.9 × 1,011, rounded down; what the bound cuts off goes to nobody.
		assert_eq!(balance(&alice()), 909);
		assert_eq!(balance(&bob()), 4_500_000);
		assert_paid_as_recomputed(0);
		assert_eq!(TotalMinted::<Test>::get(), 4_500_909);
	});
}

#[test]
fn paying_oneself_should_lose_money_when_the_whole_pool_is_to_be_had() {
	build_and_execute(|| {
		run_to(1);
		for (number, burnt) in (1..).zip([1_000, 100_000, 9_999_999, 10_000_000, 90_000_000]) {
			let era = RewardDistributor::current_era();
			note(WorkNote { burnt, ..stage(account(number), 1_000) });

			settle(era);

			let earned = balance(&account(number));
			assert!(earned > 0 && earned < burnt);
		}
	});
}

#[test]
fn payout_should_stop_at_the_rate_cap_when_there_is_little_work() {
	build_and_execute(|| {
		// 100 planck a unit of weighted work.
		RateCap::set(100 * 1_000_000_000_000);
		run_to(1);
		note(stage(alice(), 5_000));

		settle(0);

		assert_eq!(balance(&alice()), 500_000);
		assert_paid_as_recomputed(0);
		assert_eq!(RewardDistributor::base_rate(0), Some(100 * 1_000_000_000_000));
	});
}

#[test]
fn terms_should_stay_when_parameters_change_within_an_era() {
	build_and_execute(|| {
		run_to(1);
		note(WorkNote { burnt: 1_000, ..stage(alice(), 1_000) });
		Beta::set(100_000);
		AuthorShare::set(500_000);
		LatencyTarget::set(1);

		settle(0);

		assert_eq!(balance(&alice()), 900);
		assert_eq!(era_info(0).worker_pool, 9_000_000);
		assert_eq!(era_info(1).worker_pool, 5_000_000);
	});
}

#[test]
fn worker_should_earn_less_when_its_quality_is_lower() {
	build_and_execute(|| {
		run_to(1);
		Uptimes::mutate(|map| map.insert(account(1), 500_000));
		PassRates::mutate(|map| map.insert(account(2), 250_000));
		Uptimes::mutate(|map| map.insert(account(4), 0));
		note(stage(account(1), 1_000));
		note(stage(account(2), 1_000));
		// Twice the target, for half of the work at 600 ms and half at 200.
		note(WorkNote { latency_ms_per_token: 600, ..stage(account(3), 500) });
		note(stage(account(3), 500));
		note(stage(account(4), 1_000));
		note(stage(account(5), 1_000));

		settle(0);

		// Weighted: 500, 250, 500, 0 and 1,000.
		assert_eq!(balance(&account(1)), 2_000_000);
		assert_eq!(balance(&account(2)), 1_000_000);
		assert_eq!(balance(&account(3)), 2_000_000);
		assert_eq!(balance(&account(4)), 0);
		assert_eq!(balance(&account(5)), 4_000_000);
		assert_eq!(line(0, &account(4)).payout, None);
		assert_paid_as_recomputed(0);
	});
}

#[test]
fn reward_should_go_to_the_donation_account_when_the_consent_says_so() {
	build_and_execute(|| {
		let donations = account(99);
		run_to(1);
		note(stage(alice(), 1_000));
		Payouts::mutate(|map| map.insert(alice(), donations.clone()));

		settle(0);

		assert_eq!(balance(&alice()), 0);
		assert_eq!(balance(&donations), 9_000_000);
		System::assert_has_event(
			Event::<Test>::RewardPaid {
				era: 0,
				worker: alice(),
				account: donations.clone(),
				amount: 9_000_000,
			}
			.into(),
		);
		let payout = Payout { account: donations, amount: 9_000_000 };
		assert_eq!(line(0, &alice()).payout, Some(payout));
	});
}

#[test]
fn reward_should_wait_when_the_account_cannot_receive_it() {
	build_and_execute(|| {
		run_to(1);
		note(WorkNote { burnt: 50, ..stage(alice(), 1_000) });

		settle(0);

		assert_eq!(balance(&alice()), 0);
		assert_eq!(Unclaimed::<Test>::get(alice()), 45);
		assert_eq!(RewardDistributor::unclaimed(alice()), 45);
		assert_eq!(TotalUnclaimed::<Test>::get(), 45);
		assert_eq!(TotalMinted::<Test>::get(), 0);
		assert_eq!((era_info(0).paid_workers, era_info(0).minted), (45, 0));
		System::assert_has_event(
			Event::<Test>::RewardDeferred { era: 0, account: alice(), amount: 45 }.into(),
		);
		System::assert_has_event(
			Event::<Test>::EraSettled { era: 0, workers: 1, paid: 45, unminted: 9_999_955 }.into(),
		);
	});
}

#[test]
fn nobody_should_be_paid_when_there_was_no_work() {
	build_and_execute(|| {
		run_to(1);
		note(stage(alice(), 0));
		note(stage(bob(), 0));
		assert_eq!(RewardDistributor::explain(0, alice()), None);

		settle(0);

		assert_eq!(Balances::total_issuance(), 0);
		assert_eq!(era_info(0).workers, 0);
		assert_paid_as_recomputed(0);
	});
}

#[test]
fn settlement_should_take_several_blocks_when_there_are_1000_workers() {
	build_and_execute(|| {
		const WORKERS: u32 = 1_000;
		const LIMIT: u32 = 100;
		MaxWorkersPerBlock::set(LIMIT);
		run_to(1);
		for number in 0..WORKERS {
			note(stage(account(number), 1_000 + u128::from(number)));
		}
		run_to(20);

		let progress = || {
			Lines::<Test>::iter_prefix_values(0).fold(0_u32, |sum, line| {
				sum + u32::from(line.factors.is_some()) + u32::from(line.payout.is_some())
			})
		};
		let bound = <() as WeightInfo>::sum_lines(LIMIT)
			.saturating_add(<() as WeightInfo>::pay_authors(LIMIT))
			.saturating_add(<() as WeightInfo>::pay_workers(LIMIT))
			.saturating_add(<() as WeightInfo>::roll_over());
		let mut blocks = 0;
		while era_info(0).state != EraState::Settled {
			let before = progress();
			let number = System::block_number() + 1;
			System::set_block_number(number);
			let weight = RewardDistributor::on_initialize(number);
			assert!(progress() - before <= LIMIT);
			assert!(weight.all_lte(bound));
			blocks += 1;
		}

		// Ten to sum up and ten to pay; one more finds that nobody is left.
		assert_eq!(blocks, 21);
		assert_eq!(progress(), 2 * WORKERS);
		assert_paid_as_recomputed(0);
		let sum: Balance = (0..WORKERS).map(|number| balance(&account(number))).sum();
		assert_eq!(sum, era_info(0).paid_workers);
	});
}

#[test]
fn eras_should_be_settled_in_order_when_several_are_due() {
	build_and_execute(|| {
		MaxWorkersPerBlock::set(1);
		EraLength::set(2);
		SettleDelay::set(0);
		run_to(1);
		for era in 0..3 {
			run_to(era * 2 + 1);
			for number in 0..5 {
				note(stage(account(number), 1_000));
			}
		}

		settle(0);
		assert_eq!(era_info(1).state, EraState::Closed);
		settle(1);
		assert_eq!(era_info(2).state, EraState::Closed);
		settle(2);

		for era in 0..3 {
			assert_eq!(era_info(era).paid_workers, 1_800_000);
		}
	});
}

#[test]
fn nothing_should_overflow_when_figures_are_absurd() {
	build_and_execute(|| {
		run_to(1);
		for number in 0..3 {
			let absurd = WorkNote {
				energy_mj: u64::MAX,
				burnt: Balance::MAX,
				latency_ms_per_token: u32::MAX,
				..stage(account(number), u128::MAX)
			};
			note(absurd.clone());
			note(absurd);
		}

		// The averages of the first era are as absurd.
		run_to(11);
		note(stage(alice(), u128::MAX));

		settle(1);

		for era in 0..2 {
			assert!(era_info(era).paid_workers <= era_info(era).worker_pool);
		}
	});
}
