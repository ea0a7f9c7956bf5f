//! Spending keys (`docs/protocol/ticket.md`): which one signs the tickets of a bearer token.
//!
//! The key file says it in words: `derived/NAME` for a key that follows from the gateway's own, or
//! `file:PATH` for one in a file of mode 0600. A derived key needs no backup of its own, and the chain
//! binds each to this gateway and to its own limits all the same.

use super::{account, private};
use anyhow::{anyhow, Context, Result};
use sp_core::{crypto::DeriveJunction, sr25519, Pair};
use std::{fmt, path::PathBuf, str::FromStr};

/// Where derived keys begin.
const PURPOSE: &str = "aria-spending";

/// Which key signs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Spending {
	/// Derived from the gateway's key, by this name.
	Derived(String),
	/// In a file of mode 0600, as a URI.
	File(PathBuf),
}

impl fmt::Display for Spending {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		match self {
			Spending::Derived(name) => write!(f, "derived/{name}"),
			Spending::File(path) => write!(f, "file:{}", path.display()),
		}
	}
}

impl FromStr for Spending {
	type Err = String;

	fn from_str(text: &str) -> Result<Self, String> {
		if let Some(name) = text.strip_prefix("derived/").filter(|name| !name.is_empty()) {
			return Ok(Spending::Derived(name.to_owned()));
		}
		if let Some(path) = text.strip_prefix("file:").filter(|path| !path.is_empty()) {
			return Ok(Spending::File(path.into()));
		}
		Err(format!("{text:?} names no spending key: write derived/NAME or file:PATH"))
	}
}

impl Spending {
	/// The key; `gateway` is the gateway's own.
	///
	/// # Errors
	/// A file that is missing, that others may read, or that holds no key.
	pub fn pair(&self, gateway: &sr25519::Pair) -> Result<sr25519::Pair> {
		match self {
			Spending::Derived(name) => {
				let path = [DeriveJunction::hard(PURPOSE), DeriveJunction::hard(name.as_str())];
				let derived = gateway.derive(path.into_iter(), None);
				let (pair, _) = derived.map_err(|_| anyhow!("the key {name} can't be derived"))?;
				Ok(pair)
			}
			Spending::File(path) => {
				let text = private::read(path)?
					.with_context(|| format!("the spending key {} is not there", path.display()))?;
				account::parse(&text).with_context(|| format!("{}", path.display()))
			}
		}
	}
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;

	fn gateway(byte: u8) -> sr25519::Pair {
		sr25519::Pair::from_seed(&[byte; 32])
	}

	#[test]
	fn words_should_come_back() {
		for text in ["derived/alice", "file:/etc/aria/key"] {
			assert_eq!(text.parse::<Spending>().unwrap().to_string(), text);
		}
		for text in ["", "derived/", "file:", "//Alice"] {
			assert!(text.parse::<Spending>().is_err(), "{text}");
		}
	}

	#[test]
	fn each_name_and_gateway_should_have_its_own_key() {
		let public = |name: &str, byte| {
			Spending::Derived(name.to_owned()).pair(&gateway(byte)).unwrap().public()
		};
		assert_eq!(public("a", 1), public("a", 1));
		assert_ne!(public("a", 1), public("b", 1));
		assert_ne!(public("a", 1), public("a", 2));
		assert_ne!(public("a", 1), gateway(1).public());
	}

	#[test]
	fn a_file_should_hold_a_key() {
		let dir = tempfile::tempdir().unwrap();
		let path = dir.path().join("key");
		let spending = Spending::File(path.clone());
		assert!(spending.pair(&gateway(1)).is_err());
		private::create(&path, "//Eve//spending").unwrap();
		assert!(spending.pair(&gateway(1)).is_ok());
	}
}
