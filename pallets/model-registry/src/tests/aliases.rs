use super::*;
use crate::{Aliases, AliasesOf};
use aria_primitives::ModelId;
use frame_support::{assert_noop, assert_ok};
use sp_runtime::{DispatchError, DispatchResult};

fn set(name: &str, model: ModelId) -> DispatchResult {
	ModelRegistry::set_alias(RuntimeOrigin::signed(LIBRARIAN), alias(name), model)
}

fn remove(name: &str) -> DispatchResult {
	ModelRegistry::remove_alias(RuntimeOrigin::signed(LIBRARIAN), alias(name))
}

#[test]
fn set_alias_should_name_a_model() {
	build_and_execute(|| {
		let model = registered(0);
		assert_ok!(set("aria-2b-1bit", model));
		assert_eq!(ModelRegistry::alias(alias("aria-2b-1bit")), Some(model));
		assert_eq!(ModelRegistry::aliases_of(&model), vec![b"aria-2b-1bit".to_vec()]);
		let event = Event::AliasSet { name: alias("aria-2b-1bit"), model, previous: None };
		System::assert_last_event(event.into());
	});
}

#[test]
fn set_alias_should_take_the_name_from_the_model_that_had_it() {
	build_and_execute(|| {
		let (old, new) = (registered(0), registered(1));
		assert_ok!(set("aria", old));
		assert_ok!(set("aria-old", old));
		assert_ok!(set("aria", new));
		assert_eq!(ModelRegistry::alias(alias("aria")), Some(new));
		assert_eq!(ModelRegistry::aliases_of(&old), vec![b"aria-old".to_vec()]);
		assert_eq!(ModelRegistry::aliases_of(&new), vec![b"aria".to_vec()]);
		let event = Event::AliasSet { name: alias("aria"), model: new, previous: Some(old) };
		System::assert_last_event(event.into());

		assert_ok!(set("aria-old", new));
		assert!(!AliasesOf::<Test>::contains_key(old));
	});
}

#[test]
fn set_alias_should_fail_when_the_name_is_not_of_the_form() {
	build_and_execute(|| {
		let model = registered(0);
		let longest = "a".repeat(64);
		for name in [
			"", "a", "ab", "1ab", "-ab", ".ab", "Aria", "ariA", "ar ia", "ar_ia", "ar/ia",
			"aria\n", "äria", "ari\0a",
		] {
			assert_noop!(set(name, model), Error::InvalidAlias);
		}
		for name in ["abc", "a.-", longest.as_str()] {
			assert_ok!(set(name, model));
			assert_ok!(remove(name));
		}
	});
}

#[test]
fn set_alias_should_fail_when_the_model_is_unknown() {
	build_and_execute(|| {
		assert_noop!(set("aria", ModelId::zero()), Error::UnknownModel);
	});
}

#[test]
fn set_alias_should_fail_when_it_names_the_model_already() {
	build_and_execute(|| {
		let model = registered(0);
		assert_ok!(set("aria", model));
		assert_noop!(set("aria", model), Error::AliasUnchanged);
	});
}

#[test]
fn set_alias_should_fail_when_the_model_has_too_many() {
	build_and_execute(|| {
		let (model, other) = (registered(0), registered(1));
		assert_ok!(set("other", other));
		for n in 0..MAX_ALIASES {
			assert_ok!(set(&format!("aria-{n}"), model));
		}
		assert_noop!(set("aria", model), Error::TooManyAliases);
		// Nor may one be taken from another model.
		assert_noop!(set("other", model), Error::TooManyAliases);
	});
}

#[test]
fn remove_alias_should_leave_the_name_free() {
	build_and_execute(|| {
		let model = registered(0);
		assert_ok!(set("aria", model));
		assert_ok!(remove("aria"));
		assert_eq!(ModelRegistry::alias(alias("aria")), None);
		assert!(!AliasesOf::<Test>::contains_key(model));
		assert_eq!(Aliases::<Test>::iter().count(), 0);
		System::assert_last_event(Event::AliasRemoved { name: alias("aria"), model }.into());
	});
}

#[test]
fn remove_alias_should_fail_when_there_is_none() {
	build_and_execute(|| {
		assert_noop!(remove("aria"), Error::UnknownAlias);
	});
}

#[test]
fn alias_calls_should_fail_when_the_origin_is_not_the_one_that_names() {
	build_and_execute(|| {
		let model = registered(0);
		for origin in [RuntimeOrigin::signed(ALICE), RuntimeOrigin::root()] {
			assert_noop!(
				ModelRegistry::set_alias(origin.clone(), alias("aria"), model),
				DispatchError::BadOrigin
			);
			assert_noop!(
				ModelRegistry::remove_alias(origin, alias("aria")),
				DispatchError::BadOrigin
			);
		}
	});
}
