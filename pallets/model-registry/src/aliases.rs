//! Names of models.

use crate::{
	types::is_valid_alias, AliasName, Aliases, AliasesOf, Config, Error, Event, Models, Pallet,
};
use aria_primitives::ModelId;
use frame_support::ensure;
use sp_runtime::DispatchResult;

impl<T: Config> Pallet<T> {
	pub(crate) fn do_set_alias(name: AliasName, model: ModelId) -> DispatchResult {
		ensure!(is_valid_alias(&name), Error::<T>::InvalidAlias);
		ensure!(Models::<T>::contains_key(model), Error::<T>::UnknownModel);
		let previous = Aliases::<T>::get(&name);
		ensure!(previous != Some(model), Error::<T>::AliasUnchanged);

		AliasesOf::<T>::try_mutate(model, |names| names.try_push(name.clone()))
			.map_err(|_| Error::<T>::TooManyAliases)?;
		if let Some(previous) = previous {
			Self::unlink(&name, &previous);
		}
		Aliases::<T>::insert(&name, model);
		Self::deposit_event(Event::AliasSet { name, model, previous });
		Ok(())
	}

	pub(crate) fn do_remove_alias(name: AliasName) -> DispatchResult {
		let model = Aliases::<T>::take(&name).ok_or(Error::<T>::UnknownAlias)?;
		Self::unlink(&name, &model);
		Self::deposit_event(Event::AliasRemoved { name, model });
		Ok(())
	}

	/// Takes the name from the model's list; leaves no empty list behind.
	fn unlink(name: &AliasName, model: &ModelId) {
		AliasesOf::<T>::mutate_exists(model, |list| {
			*list = list.take().and_then(|mut names| {
				names.retain(|other| other != name);
				(!names.is_empty()).then_some(names)
			});
		});
	}
}
