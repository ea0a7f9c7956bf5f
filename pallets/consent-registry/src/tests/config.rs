use super::*;
use crate::Histories;
use frame_support::traits::Hooks;

#[test]
fn integrity_test_should_pass_when_the_constants_fit() {
	build_and_execute(<ConsentRegistry as Hooks<u32>>::integrity_test);
}

#[test]
fn kept_should_count_the_range_when_it_is_empty_too() {
	build_and_execute(|| {
		assert_eq!(Histories::<Test>::get(ALICE).kept(), 0);
		give_terms(ALICE, 1);
		give_terms(ALICE, 2);
		assert_eq!(Histories::<Test>::get(ALICE).kept(), 2);
	});
}

#[test]
fn try_state_should_notice_when_an_invariant_is_broken() {
	let breaks: [fn(); 6] = [
		|| crate::Current::<Test>::insert(ALICE, 1),
		|| crate::Current::<Test>::remove(ALICE),
		|| crate::Versions::<Test>::remove(ALICE, 1),
		|| Histories::<Test>::remove(ALICE),
		|| {
			crate::Versions::<Test>::mutate(ALICE, 1, |entry| {
				entry.as_mut().unwrap().superseded_at = Some(0);
			});
		},
		|| {
			crate::Versions::<Test>::mutate(ALICE, 2, |entry| {
				entry.as_mut().unwrap().consent.cpu_percent = 0;
			});
		},
	];
	for change in breaks {
		new_test_ext().execute_with(|| {
			give_terms(ALICE, 1);
			give_terms(ALICE, 2);
			ConsentRegistry::do_try_state().unwrap();
			change();
			ConsentRegistry::do_try_state().unwrap_err();
		});
	}
}
