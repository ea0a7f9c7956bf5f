//! The worker's account.

use super::private;
use anyhow::{anyhow, bail, Context, Result};
use sp_core::{sr25519, Pair};
use std::path::{Path, PathBuf};

/// Where the account's key comes from.
#[derive(Clone, PartialEq, Eq)]
pub enum AccountSource {
	/// A URI: `//Alice`, or a seed phrase with or without derivations.
	Uri(String),
	/// A file of mode 0600 with such a URI.
	File(PathBuf),
	/// A file in the base path with a phrase that is generated when it is needed first.
	Keystore,
}

// A seed phrase has no place in a log.
impl std::fmt::Debug for AccountSource {
	fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
		match self {
			AccountSource::Uri(uri) if uri.starts_with("//") => write!(f, "Uri({uri})"),
			AccountSource::Uri(_) => write!(f, "Uri(…)"),
			AccountSource::File(path) => write!(f, "File({})", path.display()),
			AccountSource::Keystore => write!(f, "Keystore"),
		}
	}
}

/// A key, and whether it was made just now.
pub struct Loaded {
	/// The key.
	pub pair: sr25519::Pair,
	/// Whether it was made just now.
	pub new: bool,
}

/// The key of `source`; `keystore` is the file of a generated one.
///
/// # Errors
/// A file that is missing or that others may read, or a text that is no URI. No error has the secret.
pub fn load(source: &AccountSource, keystore: &Path) -> Result<Loaded> {
	match source {
		AccountSource::Uri(uri) => {
			let pair = parse(uri).context("the account's URI")?;
			Ok(Loaded { pair, new: false })
		}
		AccountSource::File(path) => match private::read(path)? {
			Some(text) => {
				let pair = parse(&text).with_context(|| format!("{}", path.display()))?;
				Ok(Loaded { pair, new: false })
			}
			None => {
				bail!("{} is not there: it has to hold the account's seed phrase", path.display())
			}
		},
		AccountSource::Keystore => generated(keystore),
	}
}

/// The key in `keystore`, or a new one that is written there.
fn generated(keystore: &Path) -> Result<Loaded> {
	let read = || private::read(keystore);
	let stored = match read()? {
		Some(text) => Some((text, false)),
		None => {
			let (_, phrase, _) = sr25519::Pair::generate_with_phrase(None);
			let new = private::create(keystore, &format!("{phrase}\n"))?;
			// Another process may have been first: then its key is the account's.
			read()?.map(|text| (text, new))
		}
	};
	let (text, new) = stored.ok_or_else(|| anyhow!("{} has vanished", keystore.display()))?;
	let pair = parse(&text).with_context(|| format!("{}", keystore.display()))?;
	Ok(Loaded { pair, new })
}

/// A key out of a URI.
///
/// # Errors
/// A text that is none; the error does not repeat it.
pub fn parse(uri: &str) -> Result<sr25519::Pair> {
	let uri = uri.trim();
	if uri.is_empty() {
		bail!("it is empty: write a seed phrase of 12 words, or //Alice on a development chain");
	}
	sr25519::Pair::from_string(uri, None).map_err(|_| {
		anyhow!("it is neither a seed phrase of 12 words, nor a seed, nor a path like //Alice")
	})
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;
	use crate::keys::account_of;

	#[test]
	fn generated_keys_should_stay() {
		let dir = tempfile::tempdir().unwrap();
		let path = dir.path().join("keys/account");
		let first = load(&AccountSource::Keystore, &path).unwrap();
		let second = load(&AccountSource::Keystore, &path).unwrap();
		assert!(first.new && !second.new);
		assert_eq!(account_of(&first.pair), account_of(&second.pair));
		let by_file = load(&AccountSource::File(path), Path::new("/nowhere")).unwrap();
		assert_eq!(account_of(&by_file.pair), account_of(&first.pair));
	}

	#[test]
	fn errors_should_not_tell_the_secret() {
		let secret = "bottom drive obey lake curtain smoke basket hold race lonely fit zzzz";
		let failed = load(&AccountSource::Uri(secret.into()), Path::new("")).err().unwrap();
		let error = format!("{failed:#}");
		assert!(!error.contains("bottom"), "{error}");
		assert!(!format!("{:?}", AccountSource::Uri(secret.into())).contains("bottom"));
		assert!(parse(" ").is_err());
		assert!(parse("//Alice\n").is_ok());
	}
}
