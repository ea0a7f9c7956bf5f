//! Values that the file and the flags write in the same way.

use aria_primitives::{record::LayerRange, Balance, ModelId, ARIA};
use serde::{de::Error as _, Deserialize, Deserializer};
use std::{fmt, str::FromStr};

/// Decimals of an ARIA.
const DECIMALS: usize = 12;

/// An amount of ARIA, written as `10`, `"0.5"` or `"0.000000000001"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Amount(
	/// In planck.
	pub Balance,
);

impl FromStr for Amount {
	type Err = String;

	fn from_str(text: &str) -> Result<Self, String> {
		let refused =
			|| {
				format!("{text:?} is no amount of ARIA: write 10 or 0.5, with at most {DECIMALS} decimals")
			};
		let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
		let (whole, part) = text.trim().split_once('.').unwrap_or((text.trim(), ""));
		if whole.is_empty() || !digits(whole) || !digits(part) || part.len() > DECIMALS {
			return Err(refused());
		}
		let whole: Balance = whole.parse().map_err(|_| refused())?;
		let part: Balance = format!("{part:0<DECIMALS$}").parse().map_err(|_| refused())?;
		let planck = whole.checked_mul(ARIA).and_then(|whole| whole.checked_add(part));
		planck.map(Amount).ok_or_else(refused)
	}
}

impl fmt::Display for Amount {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		let (whole, part) = (self.0 / ARIA, self.0 % ARIA);
		if part == 0 {
			return write!(f, "{whole}");
		}
		let part = format!("{part:0>DECIMALS$}");
		write!(f, "{whole}.{}", part.trim_end_matches('0'))
	}
}

impl<'de> Deserialize<'de> for Amount {
	fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
		#[derive(Deserialize)]
		#[serde(
			untagged,
			expecting = "an amount of ARIA: 10 or \"0.5\", in quotes if it has decimals"
		)]
		enum Written {
			Whole(u64),
			Text(String),
		}
		match Written::deserialize(deserializer)? {
			Written::Whole(whole) => Ok(Amount(Balance::from(whole).saturating_mul(ARIA))),
			Written::Text(text) => text.parse().map_err(D::Error::custom),
		}
	}
}

/// Which model: `auto`, an alias on chain, or an id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ModelName {
	/// The one whose layers have the fewest replicas among those that are pinned.
	Auto,
	/// A name that the chain knows.
	Alias(String),
	/// The hash of its manifest.
	Id(ModelId),
}

impl FromStr for ModelName {
	type Err = String;

	fn from_str(text: &str) -> Result<Self, String> {
		let text = text.trim();
		if text == "auto" {
			return Ok(ModelName::Auto);
		}
		let Some(digits) = text.strip_prefix("0x") else {
			return match text.len() {
				1..=64 => Ok(ModelName::Alias(text.to_owned())),
				_ => Err(format!("{text:?} is neither a model's name, nor an id, nor \"auto\"")),
			};
		};
		let mut id = ModelId::default();
		hex::decode_to_slice(digits, &mut id.0)
			.map_err(|_| format!("{text:?} is no model id: 0x and 64 hexadecimal digits"))?;
		Ok(ModelName::Id(id))
	}
}

impl fmt::Display for ModelName {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		match self {
			ModelName::Auto => write!(f, "auto"),
			ModelName::Alias(alias) => write!(f, "{alias}"),
			ModelName::Id(id) => write!(f, "{id:?}"),
		}
	}
}

/// Which layers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layers {
	/// Those with the fewest replicas, as many as memory holds.
	Auto,
	/// All of them.
	All,
	/// These.
	Range(LayerRange),
}

impl FromStr for Layers {
	type Err = String;

	fn from_str(text: &str) -> Result<Self, String> {
		let refused = || format!("{text:?} is no range of layers: write auto, all or 0..10");
		match text.trim() {
			"auto" => Ok(Layers::Auto),
			"all" => Ok(Layers::All),
			range => {
				let (first, end) = range.split_once("..").ok_or_else(refused)?;
				let number = |text: &str| text.trim().parse::<u16>().map_err(|_| refused());
				let range = LayerRange { first: number(first)?, end: number(end)? };
				if range.is_empty() {
					return Err(refused());
				}
				Ok(Layers::Range(range))
			}
		}
	}
}

/// When to compute for what this worker signed or said, and somebody contests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Defend {
	/// While a consent is in force, within its hours.
	#[default]
	Consent,
	/// At any time.
	Always,
}

impl FromStr for Defend {
	type Err = String;

	fn from_str(text: &str) -> Result<Self, String> {
		match text.trim() {
			"consent" => Ok(Defend::Consent),
			"always" => Ok(Defend::Always),
			other => Err(format!("{other:?} says not when: write consent or always")),
		}
	}
}

/// Reads a text of the file as what its [`FromStr`] makes of it.
macro_rules! from_text {
	($($name:ty),*) => {$(
		impl<'de> Deserialize<'de> for $name {
			fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
				String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
			}
		}
	)*};
}

from_text!(ModelName, Layers, Defend);

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;

	#[test]
	fn amounts_should_be_exact() {
		let planck = |text: &str| text.parse::<Amount>().map(|amount| amount.0);
		assert_eq!(planck("10"), Ok(10 * ARIA));
		assert_eq!(planck("0.5"), Ok(ARIA / 2));
		assert_eq!(planck("0.000000000001"), Ok(1));
		assert_eq!(planck("1.250"), Ok(ARIA + ARIA / 4));
		for text in
			["", ".5", "-1", "1e3", "0.0000000000001", "1,5", "99999999999999999999999999999"]
		{
			assert!(planck(text).is_err(), "{text}");
		}
		for text in ["0", "10", "0.5", "0.000000000001", "3.000125"] {
			assert_eq!(text.parse::<Amount>().unwrap().to_string(), text);
		}
	}

	#[test]
	fn models_should_be_names_or_ids() {
		assert_eq!("auto".parse(), Ok(ModelName::Auto));
		assert_eq!("aria-wordnet".parse(), Ok(ModelName::Alias("aria-wordnet".to_owned())));
		let id = format!("0x{}", "ab".repeat(32));
		assert_eq!(id.parse(), Ok(ModelName::Id(ModelId::repeat_byte(0xab))));
		assert_eq!(id.parse::<ModelName>().unwrap().to_string(), id);
		assert!("".parse::<ModelName>().is_err());
		assert!("0xab".parse::<ModelName>().is_err());
	}

	#[test]
	fn layers_should_be_ranges() {
		assert_eq!("auto".parse(), Ok(Layers::Auto));
		assert_eq!("all".parse(), Ok(Layers::All));
		assert_eq!("2..10".parse(), Ok(Layers::Range(LayerRange { first: 2, end: 10 })));
		for text in ["", "2", "10..2", "2..2", "a..b", "0..70000"] {
			assert!(text.parse::<Layers>().is_err(), "{text}");
		}
	}
}
