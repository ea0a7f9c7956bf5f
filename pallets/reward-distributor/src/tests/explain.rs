use super::*;
use aria_primitives::views::RewardExplanation;

/// Two workers of which the first has something of everything.
fn two_workers() {
	run_to(1);
	Uptimes::mutate(|map| map.insert(alice(), 900_000));
	PassRates::mutate(|map| map.insert(alice(), 800_000));
	note(WorkNote { latency_ms_per_token: 400, ..stage(alice(), 10_000) });
	note(stage(bob(), 5_400));
}

#[test]
fn explain_should_list_every_factor_when_the_era_is_open() {
	build_and_execute(|| {
		two_workers();
		let donations = account(99);
		Payouts::mutate(|map| map.insert(alice(), donations.clone()));

		let explanation = RewardDistributor::explain(0, alice()).unwrap();

		let expected = RewardExplanation {
			era: 0,
			worker: alice(),
			settled: false,
			era_start: 1,
			era_end: None,
			pool: 9_000_000,
			work: 10_000,
			records: 1,
			uptime_ppm: 900_000,
			latency_ppm: 500_000,
			audit_ppm: 800_000,
			quality_ppm: 360_000,
			energy_mj: 1_000,
			expected_energy_mj: 1_000,
			efficiency_ceiling_ppm: 1_100_000,
			efficiency_ppm: 1_000_000,
			weighted: 3_600,
			total_weighted: 9_000,
			by_rate: 3_600_000,
			burnt: 1_000_000_000_000,
			burn_bound: 900_000_000_000,
			payout: 3_600_000,
			payout_account: donations,
		};
		assert_eq!(explanation, expected);
	});
}

#[test]
fn explain_should_say_the_same_when_the_era_is_settled() {
	build_and_execute(|| {
		two_workers();
		let open = RewardDistributor::explain(0, alice()).unwrap();

		settle(0);

		let settled = RewardDistributor::explain(0, alice()).unwrap();
		assert_eq!(settled, RewardExplanation { settled: true, era_end: Some(11), ..open });
		assert_eq!(balance(&alice()), settled.payout);
	});
}

#[test]
fn explain_should_not_change_when_the_world_does_after_settlement() {
	build_and_execute(|| {
		two_workers();
		settle(0);
		let before = RewardDistributor::explain(0, alice());

		Uptimes::mutate(|map| map.insert(alice(), 1));
		Payouts::mutate(|map| map.insert(alice(), account(77)));
		Beta::set(1);
		RateCap::set(1);
		LatencyTarget::set(1);

		assert_eq!(RewardDistributor::explain(0, alice()), before);
	});
}

#[test]
fn explain_should_agree_with_payments_when_settlement_is_under_way() {
	build_and_execute(|| {
		MaxWorkersPerBlock::set(1);
		two_workers();
		let open = RewardDistributor::explain(0, alice()).unwrap();
		run_to(20);

		for _ in 0..6 {
			begin_block(System::block_number() + 1);
			let now = RewardDistributor::explain(0, alice()).unwrap();
			assert_eq!((now.payout, now.total_weighted), (open.payout, open.total_weighted));
		}

		assert_eq!(era_info(0).state, EraState::Settled);
	});
}

#[test]
fn explain_should_read_no_other_line_when_the_era_runs() {
	new_test_ext().execute_with(|| {
		two_workers();
		let before = RewardDistributor::explain(0, alice());

		Lines::<Test>::remove(0, bob());

		assert_eq!(RewardDistributor::explain(0, alice()), before);
		assert!(RewardDistributor::do_try_state().is_err());
	});
}

#[test]
fn explain_should_go_by_the_factors_at_the_last_stage_of_others_when_the_era_runs() {
	build_and_execute(|| {
		two_workers();
		let total = |worker| RewardDistributor::explain(0, worker).unwrap().total_weighted;

		// Only Bob's own explanation knows at once that he is reached less.
		Uptimes::mutate(|map| map.insert(bob(), 500_000));
		assert_eq!((total(alice()), total(bob())), (9_000, 6_300));
		note(stage(bob(), 600));
		assert_eq!((total(alice()), total(bob())), (6_600, 6_600));

		// Settlement takes the factors of its own time.
		Uptimes::mutate(|map| map.insert(bob(), 1_000_000));
		settle(0);
		assert_eq!((total(alice()), total(bob())), (9_600, 9_600));
		assert_paid_as_recomputed(0);
	});
}

#[test]
fn explain_should_show_the_burn_bound_when_it_binds() {
	build_and_execute(|| {
		run_to(1);
		note(WorkNote { burnt: 1_000, ..stage(alice(), 1_000) });

		settle(0);

		let explanation = RewardDistributor::explain(0, alice()).unwrap();
		assert_eq!(explanation.by_rate, 9_000_000);
		assert_eq!((explanation.burn_bound, explanation.payout), (900, 900));
	});
}

#[test]
fn explain_should_say_nothing_when_there_is_no_line() {
	build_and_execute(|| {
		two_workers();

		assert_eq!(RewardDistributor::explain(0, account(50)), None);
		assert_eq!(RewardDistributor::explain(1, alice()), None);
	});
}

#[test]
fn views_should_change_nothing_when_they_are_asked() {
	build_and_execute(|| {
		two_workers();

		assert_state_unchanged(|| {
			let _ = RewardDistributor::explain(0, alice());
			let _ = RewardDistributor::era(0);
			let _ = RewardDistributor::pool(0);
			let _ = RewardDistributor::base_rate(0);
			let _ = RewardDistributor::unclaimed(alice());
		});
	});
}
