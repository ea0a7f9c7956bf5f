use super::*;
use crate::mock::{build_and_execute, ALICE, MINIMUM};
use frame_support::assert_noop;

#[test]
fn set_region_should_change_the_region() {
	build_and_execute(|| {
		register(&ALICE, 1, MINIMUM);
		assert_ok!(WorkerRegistry::set_region(signed(&ALICE), 276));
		assert_eq!(WorkerRegistry::info(&ALICE).unwrap().region, 276);
		assert_last(Event::RegionSet { worker: ALICE, region: 276 });
	});
}

#[test]
fn set_region_should_fail_when_it_is_no_code() {
	build_and_execute(|| {
		register(&ALICE, 1, MINIMUM);
		assert_noop!(WorkerRegistry::set_region(signed(&ALICE), 1_000), Error::BadRegion);
	});
}

#[test]
fn set_region_should_fail_when_not_registered() {
	build_and_execute(|| {
		assert_noop!(WorkerRegistry::set_region(signed(&ALICE), 276), Error::NotRegistered);
	});
}
