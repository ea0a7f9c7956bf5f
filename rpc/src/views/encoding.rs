//! How values are written that JSON has no type for.

use aria_primitives::AccountId;
use sp_core::crypto::{Ss58AddressFormat, Ss58Codec};

/// The prefix of ARIA's addresses until one is registered. Fixed here, for the process-wide default
/// is whatever the chain specification says.
const SS58_PREFIX: u16 = 42;

/// The account's address.
pub(crate) fn ss58(account: &AccountId) -> String {
	account.to_ss58check_with_version(Ss58AddressFormat::custom(SS58_PREFIX))
}

/// Integers wider than 32 bits, as decimal strings.
pub(super) mod decimal {
	use serde::{de::Error, Deserialize, Deserializer, Serializer};
	use std::{fmt::Display, str::FromStr};

	pub fn serialize<T, S>(value: &T, serializer: S) -> Result<S::Ok, S::Error>
	where
		T: Display,
		S: Serializer,
	{
		serializer.collect_str(value)
	}

	pub fn deserialize<'de, T, D>(deserializer: D) -> Result<T, D::Error>
	where
		T: FromStr,
		T::Err: Display,
		D: Deserializer<'de>,
	{
		String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
	}
}

/// Accounts, as addresses.
pub(super) mod account {
	use aria_primitives::AccountId;
	use serde::{de::Error, Deserialize, Deserializer, Serializer};
	use sp_core::crypto::Ss58Codec;

	pub fn serialize<S: Serializer>(account: &AccountId, serializer: S) -> Result<S::Ok, S::Error> {
		serializer.serialize_str(&super::ss58(account))
	}

	pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<AccountId, D::Error> {
		AccountId::from_ss58check_with_version(&String::deserialize(deserializer)?)
			.map(|(account, _)| account)
			.map_err(|error| D::Error::custom(format!("{error:?}")))
	}
}
