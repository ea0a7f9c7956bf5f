use super::*;
use crate::{fixtures, ManifestViewFunction, Models, OFFERS_PAGE};
use aria_primitives::{views::ModelView, AccountId, ModelId};
use codec::{Decode, Encode};
use frame_support::{assert_ok, traits::fungible::Mutate, view_functions::ViewFunction};

#[test]
fn model_and_manifest_should_show_what_is_stored() {
	build_and_execute(|| {
		assert_eq!(ModelRegistry::model(ModelId::zero()), None);
		assert_eq!(ModelRegistry::manifest(ModelId::zero()), None);
		let model = registered(0);
		assert_eq!(ModelRegistry::model(model), Models::<Test>::get(model));
		let bytes = fixtures::bytes(&fixtures::manifest(4));
		assert_eq!(ModelRegistry::manifest(model), Some(bytes));
	});
}

#[test]
fn offers_should_come_in_pages_that_cover_every_seller_once() {
	build_and_execute(|| {
		let model = registered(0);
		assert!(ModelRegistry::offers(model, None).is_empty());
		let sellers = 2 * OFFERS_PAGE + 3;
		for n in 0..sellers {
			let mut bytes = [0xee; 32];
			bytes[0] = n as u8;
			let seller = AccountId::new(bytes);
			assert_ok!(Balances::mint_into(&seller, BALANCE));
			assert_ok!(ModelRegistry::set_offer(RuntimeOrigin::signed(seller), model, OFFER));
		}
		let (mut seen, mut after, mut pages) = (Vec::new(), None, Vec::new());
		loop {
			let page = ModelRegistry::offers(model, after);
			let Some((last, _)) = page.last() else { break };
			after = Some(last.clone());
			pages.push(page.len());
			seen.extend(page.into_iter().map(|(seller, _)| seller));
		}
		assert_eq!(pages, vec![OFFERS_PAGE, OFFERS_PAGE, 3]);
		seen.sort();
		seen.dedup();
		assert_eq!(seen.len(), sellers);
	});
}

#[test]
fn pinned_models_should_list_them_in_order() {
	build_and_execute(|| {
		assert!(ModelRegistry::pinned_models().is_empty());
		let (first, _, third) = (pinned(0), registered(1), pinned(2));
		let view = |id| ModelView { id, info: ModelRegistry::info(&id).unwrap(), pinned: true };
		assert_eq!(ModelRegistry::pinned_models(), vec![view(first), view(third)]);
	});
}

#[test]
fn aliases_should_list_the_names_of_a_model() {
	build_and_execute(|| {
		let model = registered(0);
		let name = alias("aria-2b-1bit");
		let librarian = RuntimeOrigin::signed(LIBRARIAN);
		assert_ok!(ModelRegistry::set_alias(librarian, name.clone(), model));
		assert_eq!(ModelRegistry::aliases(model), vec![name.clone()]);
		assert_eq!(ModelRegistry::alias(name), Some(model));
		assert!(ModelRegistry::aliases(ModelId::zero()).is_empty());
	});
}

#[test]
fn views_should_be_dispatched_by_their_ids() {
	build_and_execute(|| {
		let model = registered(0);
		let id = ManifestViewFunction::<Test>::id();
		let output = Test::execute_view_function(id, model.encode()).unwrap();
		let bytes = Option::<Vec<u8>>::decode(&mut output.as_slice()).unwrap();
		assert_eq!(bytes, Some(fixtures::manifest(4).to_bytes()));
	});
}
