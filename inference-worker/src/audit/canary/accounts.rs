//! In whose name canaries are made. Whoever reads the chain would know a canary by an account that the
//! worker shows itself by, and by one that commits and asks; so there are two for each, and new ones after
//! one was shown.

use anyhow::{anyhow, Result};
use sp_core::{crypto::DeriveJunction, sr25519, Pair};

/// Where the keys begin.
const PURPOSE: &str = "aria-canary";

/// The keys of a canary.
#[derive(Clone)]
pub struct Accounts {
	/// Whose escrow pays, and who shows and withdraws.
	pub requester: sr25519::Pair,
	/// Signs the tickets, and nothing else.
	pub key: sr25519::Pair,
	/// Commits, and has the bond on hold.
	pub committer: sr25519::Pair,
}

impl Accounts {
	/// The keys with this number under `root`: `//aria-canary//requester//NUMBER` and so on.
	///
	/// # Errors
	/// A key that can't be derived.
	pub fn of(root: &sr25519::Pair, number: u64) -> Result<Self> {
		let key = |role: &str| {
			let path = [
				DeriveJunction::hard(PURPOSE),
				DeriveJunction::hard(role),
				DeriveJunction::hard(number),
			];
			let derived = root.derive(path.into_iter(), None);
			derived.map(|(pair, _)| pair).map_err(|_| anyhow!("no key {role} for a canary"))
		};
		Ok(Self { requester: key("requester")?, key: key("key")?, committer: key("committer")? })
	}
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;

	#[test]
	fn each_role_and_number_should_have_its_own_key() {
		let root = sr25519::Pair::from_seed(&[7; 32]);
		let (one, other) = (Accounts::of(&root, 0).unwrap(), Accounts::of(&root, 1).unwrap());
		let mut keys: Vec<[u8; 32]> = [&one, &other]
			.iter()
			.flat_map(|accounts| [&accounts.requester, &accounts.key, &accounts.committer])
			.map(|pair| pair.public().0)
			.collect();
		keys.sort_unstable();
		keys.dedup();
		assert_eq!(keys.len(), 6);
		assert_eq!(Accounts::of(&root, 1).unwrap().key.public(), other.key.public());
	}

	#[test]
	fn keys_should_be_those_of_their_path() {
		let phrase = "bottom drive obey lake curtain smoke basket hold race lonely fit walk";
		let root = sr25519::Pair::from_string(phrase, None).unwrap();
		let path = format!("{phrase}//aria-canary//committer//3");
		let pair = sr25519::Pair::from_string(&path, None).unwrap();
		assert_eq!(Accounts::of(&root, 3).unwrap().committer.public(), pair.public());
	}
}
