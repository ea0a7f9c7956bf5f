//! Keys in a file, of which only hashes are kept.

use super::{KeyRefused, Keys, Principal, TOKEN_PREFIX};
use crate::{hex, limits::RateLimits, random};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::{
	collections::HashMap,
	fs::{self, File, Metadata, OpenOptions},
	io::{self, Read, Write},
	path::{Path, PathBuf},
	sync::{Arc, Mutex, PoisonError},
	time::{SystemTime, UNIX_EPOCH},
};

/// Version of the file.
const VERSION: u32 = 1;
/// Most bytes of the file: some tens of thousands of keys.
const MAX_FILE: u64 = 16 << 20;
/// Most bytes of a token that is looked up.
const MAX_TOKEN: usize = 512;
/// Digits of a hash that name a key.
const SHORT: usize = 16;

/// A key as the file holds it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyEntry {
	/// SHA-256 of the token, in hexadecimal digits.
	pub hash: String,
	/// For people; no two keys in force have the same.
	pub name: String,
	/// The account whose escrow pays.
	pub requester: String,
	/// Which spending key signs the tickets.
	#[serde(default, skip_serializing_if = "Option::is_none")]
	pub spending_key: Option<String>,
	/// Limits of its own.
	#[serde(default, skip_serializing_if = "Option::is_none")]
	pub limits: Option<RateLimits>,
	/// When it was made, in seconds since 1970.
	pub created: u64,
	/// When it was revoked, in seconds since 1970.
	#[serde(default)]
	pub revoked: Option<u64>,
}

/// What a new key is for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewKey {
	/// For people; no other key in force may have it.
	pub name: String,
	/// The account whose escrow pays.
	pub requester: String,
	/// Which spending key signs the tickets.
	pub spending_key: Option<String>,
	/// Limits of its own.
	pub limits: Option<RateLimits>,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Contents {
	version: u32,
	keys: Vec<KeyEntry>,
}

/// What is wrong with a key file.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
	/// The system refuses.
	#[error("cannot read or write {path}: {source}")]
	Io {
		/// The file.
		path: PathBuf,
		/// The system's reason.
		source: io::Error,
	},
	/// The file is none.
	#[error("{path} is no key file: {reason}")]
	Contents {
		/// The file.
		path: PathBuf,
		/// What is wrong with it.
		reason: String,
	},
	/// A key in force has the name.
	#[error("there is a key named {0:?} already: revoke it first, or choose another name")]
	NameTaken(String),
	/// A key needs a name.
	#[error("the key has no name, or one of more than 100 characters: name it after who uses it")]
	Name,
	/// There is no such key.
	#[error("no key in force has the name or the hash {0:?}")]
	NoSuchKey(String),
}

/// Keys in a JSON file, which others may change at any time: with [`KeyFile::create`] and
/// [`KeyFile::revoke`] from any process, or with an editor.
///
/// The file is looked at for every request and read again when it changed. A file that cannot be read
/// refuses everybody, because a key may have been revoked in it; one that is not there has no keys.
#[derive(Debug)]
pub struct KeyFile {
	path: PathBuf,
	loaded: Mutex<Loaded>,
}

#[derive(Debug, Default)]
struct Loaded {
	stamp: Option<Stamp>,
	/// By the token's hash: looking up tells nothing about how much of a token is right. `None` while
	/// the file cannot be read.
	keys: Option<HashMap<[u8; 32], Known>>,
}

#[derive(Debug)]
struct Known {
	principal: Arc<Principal>,
	revoked: bool,
}

/// Tells versions of a file apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
	modified: Option<SystemTime>,
	len: u64,
	/// Which file it is, and when the system last changed anything about it.
	file: (u64, i64, i64),
}

impl Stamp {
	fn of(metadata: &Metadata) -> Self {
		#[cfg(unix)]
		let file = {
			use std::os::unix::fs::MetadataExt;
			(metadata.ino(), metadata.ctime(), metadata.ctime_nsec())
		};
		#[cfg(not(unix))]
		let file = (0, 0, 0);
		Self { modified: metadata.modified().ok(), len: metadata.len(), file }
	}
}

impl KeyFile {
	/// The keys in `path`. The file need not be there yet.
	///
	/// # Errors
	///
	/// A file that is there and cannot be read, or is no key file.
	pub fn open(path: impl Into<PathBuf>) -> Result<Self, KeyFileError> {
		let path = path.into();
		let contents = read(&path)?;
		table(&path, &contents)?;
		warn_if_open(&path);
		Ok(Self { path, loaded: Mutex::default() })
	}

	/// Makes a key and gives its token, which is kept nowhere.
	///
	/// # Errors
	///
	/// A name that is taken; whatever reading and writing the file meets.
	pub fn create(&self, new: NewKey) -> Result<(String, KeyEntry), KeyFileError> {
		if new.name.trim().is_empty() || new.name.chars().count() > 100 {
			return Err(KeyFileError::Name);
		}
		let token = format!("{TOKEN_PREFIX}{}", hex::encode(&random::bytes::<32>()));
		let entry = KeyEntry {
			hash: hex::encode(&hash(&token)),
			name: new.name,
			requester: new.requester,
			spending_key: new.spending_key,
			limits: new.limits,
			created: now(),
			revoked: None,
		};
		self.change(|contents| {
			if contents.keys.iter().any(|key| key.revoked.is_none() && key.name == entry.name) {
				return Err(KeyFileError::NameTaken(entry.name.clone()));
			}
			contents.keys.push(entry.clone());
			Ok(())
		})?;
		Ok((token, entry))
	}

	/// Revokes the key with the name, token, hash, or beginning of a hash (of 8 digits or more) `which`,
	/// from the next request on.
	///
	/// # Errors
	///
	/// No such key in force; whatever reading and writing the file meets.
	pub fn revoke(&self, which: &str) -> Result<KeyEntry, KeyFileError> {
		let of_token = hex::encode(&hash(which));
		self.change(|contents| {
			let found = contents.keys.iter_mut().find(|key| {
				key.revoked.is_none()
					&& (key.name == which
						|| key.hash == of_token
						|| (which.len() >= 8 && key.hash.starts_with(which)))
			});
			let Some(key) = found else {
				let shown = if which.starts_with(TOKEN_PREFIX) { TOKEN_PREFIX } else { which };
				return Err(KeyFileError::NoSuchKey(shown.to_owned()));
			};
			key.revoked = Some(now());
			Ok(key.clone())
		})
	}

	/// All keys, revoked ones too, in the order in which they were made.
	///
	/// # Errors
	///
	/// Whatever reading the file meets.
	pub fn list(&self) -> Result<Vec<KeyEntry>, KeyFileError> {
		Ok(read(&self.path)?.keys)
	}

	/// Changes the file while nobody else does.
	fn change<T>(
		&self,
		act: impl FnOnce(&mut Contents) -> Result<T, KeyFileError>,
	) -> Result<T, KeyFileError> {
		let failed = |path: &Path| {
			let path = path.to_owned();
			move |source| KeyFileError::Io { path, source }
		};
		let beside = |suffix: &str| {
			let mut name = self.path.as_os_str().to_owned();
			name.push(suffix);
			PathBuf::from(name)
		};
		let lock_path = beside(".lock");
		let lock = private(OpenOptions::new().create(true).write(true).truncate(false))
			.open(&lock_path)
			.map_err(failed(&lock_path))?;
		lock.lock().map_err(failed(&lock_path))?;

		let mut contents = read(&self.path)?;
		let result = act(&mut contents)?;
		contents.version = VERSION;
		let mut text = serde_json::to_vec_pretty(&contents).map_err(|error| {
			KeyFileError::Contents { path: self.path.clone(), reason: error.to_string() }
		})?;
		text.push(b'\n');

		// Written aside and renamed: a reader sees the old file or the new one.
		let aside = beside(".new");
		let written = private(OpenOptions::new().create(true).write(true).truncate(true))
			.open(&aside)
			.and_then(|mut file| {
				restrict(&file)?;
				file.write_all(&text)?;
				file.sync_all()
			})
			.map_err(failed(&aside));
		if let Err(error) = written {
			// What is left of it would only confuse; that it is there is no harm.
			let _ = fs::remove_file(&aside);
			return Err(error);
		}
		fs::rename(&aside, &self.path).map_err(failed(&self.path))?;
		Ok(result)
	}

	/// Reads the file again if it changed.
	fn refresh(&self, loaded: &mut Loaded) {
		let stamp = match fs::metadata(&self.path) {
			Ok(metadata) => Some(Stamp::of(&metadata)),
			Err(error) if error.kind() == io::ErrorKind::NotFound => None,
			Err(error) => {
				if loaded.keys.take().is_some() {
					let path = self.path.display();
					tracing::error!(target: "aria::gateway", "cannot look at {path}: {error}");
				}
				return;
			}
		};
		if loaded.keys.is_some() && loaded.stamp == stamp {
			return;
		}
		let known = loaded.stamp == stamp && stamp.is_some();
		match read(&self.path).and_then(|contents| table(&self.path, &contents)) {
			Ok(keys) => {
				tracing::info!(target: "aria::gateway", keys = keys.len(), "API keys read");
				loaded.keys = Some(keys);
			}
			Err(error) => {
				// Once for each version of the file.
				if !known {
					tracing::error!(target: "aria::gateway", "no request is taken: {error}");
				}
				loaded.keys = None;
			}
		}
		loaded.stamp = stamp;
	}
}

impl Keys for KeyFile {
	fn authenticate(&self, token: Option<&str>) -> Result<Arc<Principal>, KeyRefused> {
		let token = token.ok_or(KeyRefused::Missing)?;
		if token.len() > MAX_TOKEN {
			return Err(KeyRefused::Unknown);
		}
		let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
		self.refresh(&mut loaded);
		let keys = loaded.keys.as_ref().ok_or(KeyRefused::Unavailable)?;
		match keys.get(&hash(token)) {
			None => Err(KeyRefused::Unknown),
			Some(known) if known.revoked => Err(KeyRefused::Revoked),
			Some(known) => Ok(known.principal.clone()),
		}
	}
}

/// What `path` holds; nothing if it is not there.
fn read(path: &Path) -> Result<Contents, KeyFileError> {
	let failed = |source| KeyFileError::Io { path: path.to_owned(), source };
	let wrong = |reason: String| KeyFileError::Contents { path: path.to_owned(), reason };
	let file = match File::open(path) {
		Ok(file) => file,
		Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Contents::default()),
		Err(error) => return Err(failed(error)),
	};
	let mut bytes = Vec::new();
	file.take(MAX_FILE + 1).read_to_end(&mut bytes).map_err(failed)?;
	if bytes.len() as u64 > MAX_FILE {
		return Err(wrong(format!("it has more than {MAX_FILE} bytes: remove revoked keys")));
	}
	let contents: Contents =
		serde_json::from_slice(&bytes).map_err(|error| wrong(error.to_string()))?;
	if contents.version != VERSION {
		return Err(wrong(format!(
			"it has version {}, this program reads version {VERSION}",
			contents.version
		)));
	}
	Ok(contents)
}

fn table(path: &Path, contents: &Contents) -> Result<HashMap<[u8; 32], Known>, KeyFileError> {
	let mut keys = HashMap::with_capacity(contents.keys.len());
	for entry in &contents.keys {
		let Some(hash) = hex::hash(&entry.hash) else {
			return Err(KeyFileError::Contents {
				path: path.to_owned(),
				reason: format!("the hash of {:?} is not 64 hexadecimal digits", entry.name),
			});
		};
		let digits = hex::encode(&hash);
		let principal = Principal {
			id: digits.get(..SHORT).unwrap_or_default().into(),
			name: entry.name.clone(),
			requester: entry.requester.clone(),
			spending_key: entry.spending_key.clone(),
			limits: entry.limits,
		};
		let known = Known { principal: Arc::new(principal), revoked: entry.revoked.is_some() };
		if keys.insert(hash, known).is_some() {
			return Err(KeyFileError::Contents {
				path: path.to_owned(),
				reason: format!("two keys have the hash of {:?}", entry.name),
			});
		}
	}
	Ok(keys)
}

fn hash(token: &str) -> [u8; 32] {
	Sha256::digest(token.as_bytes()).into()
}

fn now() -> u64 {
	SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// Files that only their owner reads.
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
	#[cfg(unix)]
	{
		use std::os::unix::fs::OpenOptionsExt;
		options.mode(0o600);
	}
	options
}

/// The mode of a file that was there before.
fn restrict(file: &File) -> io::Result<()> {
	#[cfg(unix)]
	{
		use std::os::unix::fs::PermissionsExt;
		file.set_permissions(fs::Permissions::from_mode(0o600))?;
	}
	let _ = file;
	Ok(())
}

fn warn_if_open(path: &Path) {
	#[cfg(unix)]
	{
		use std::os::unix::fs::PermissionsExt;
		let open = fs::metadata(path).is_ok_and(|data| data.permissions().mode() & 0o077 != 0);
		if open {
			let path = path.display();
			tracing::warn!(target: "aria::gateway", "others can read {path}: chmod 600 {path}");
		}
	}
	let _ = path;
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;

	fn folder() -> tempfile::TempDir {
		tempfile::tempdir().unwrap()
	}

	fn key(name: &str) -> NewKey {
		NewKey { name: name.to_owned(), requester: "alice".to_owned(), ..NewKey::default() }
	}

	#[test]
	fn tokens_should_be_known_until_they_are_revoked() {
		let folder = folder();
		let path = folder.path().join("keys.json");
		let served = KeyFile::open(&path).unwrap();
		let elsewhere = KeyFile::open(&path).unwrap();
		assert_eq!(served.authenticate(None), Err(KeyRefused::Missing));
		assert_eq!(served.authenticate(Some("aria-sk-1")), Err(KeyRefused::Unknown));

		let (token, entry) = elsewhere.create(key("app")).unwrap();
		assert_eq!((token.len(), token.starts_with(TOKEN_PREFIX)), (72, true));
		let principal = served.authenticate(Some(&token)).unwrap();
		assert_eq!((principal.name.as_str(), principal.requester.as_str()), ("app", "alice"));
		assert!(entry.hash.starts_with(&*principal.id));
		let (second, _) = elsewhere.create(key("other")).unwrap();
		assert!(served.authenticate(Some(&token)).is_ok());

		elsewhere.revoke("app").unwrap();
		assert_eq!(served.authenticate(Some(&token)), Err(KeyRefused::Revoked));
		assert!(served.authenticate(Some(&second)).is_ok());
		elsewhere.revoke(&second).unwrap();
		assert_eq!(served.authenticate(Some(&second)), Err(KeyRefused::Revoked));
		assert_eq!(served.list().unwrap().len(), 2);
		assert!(matches!(elsewhere.revoke("app"), Err(KeyFileError::NoSuchKey(_))));
	}

	#[test]
	fn tokens_should_not_be_in_the_file_and_the_file_should_be_private() {
		let folder = folder();
		let path = folder.path().join("keys.json");
		let keys = KeyFile::open(&path).unwrap();
		let (token, entry) = keys.create(key("app")).unwrap();
		let text = fs::read_to_string(&path).unwrap();
		assert!(!text.contains(&token[TOKEN_PREFIX.len()..]));
		assert!(text.contains(&entry.hash));
		#[cfg(unix)]
		{
			use std::os::unix::fs::PermissionsExt;
			assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
		}
	}

	#[test]
	fn names_should_be_taken_once() {
		let folder = folder();
		let keys = KeyFile::open(folder.path().join("keys.json")).unwrap();
		let (_, entry) = keys.create(key("app")).unwrap();
		assert!(matches!(keys.create(key("app")), Err(KeyFileError::NameTaken(_))));
		assert!(matches!(keys.create(key(" ")), Err(KeyFileError::Name)));
		keys.revoke(&entry.hash[..8]).unwrap();
		keys.create(key("app")).unwrap();
	}

	#[test]
	fn a_file_that_does_not_read_should_refuse_everybody_until_it_does() {
		let folder = folder();
		let path = folder.path().join("keys.json");
		let keys = KeyFile::open(&path).unwrap();
		let (token, _) = keys.create(key("app")).unwrap();
		let good = fs::read(&path).unwrap();
		assert!(keys.authenticate(Some(&token)).is_ok());
		for bad in ["{", "{\"version\": 2, \"keys\": []}", "{\"version\":1,\"keys\":[{}]}"] {
			fs::write(&path, bad).unwrap();
			assert_eq!(keys.authenticate(Some(&token)), Err(KeyRefused::Unavailable), "{bad}");
			assert!(KeyFile::open(&path).is_err());
		}
		fs::write(&path, &good).unwrap();
		assert!(keys.authenticate(Some(&token)).is_ok());
		fs::remove_file(&path).unwrap();
		assert_eq!(keys.authenticate(Some(&token)), Err(KeyRefused::Unknown));
	}

	#[test]
	fn makers_of_keys_should_not_lose_each_others() {
		let folder = folder();
		let path = folder.path().join("keys.json");
		std::thread::scope(|scope| {
			for maker in 0..4 {
				let path = &path;
				scope.spawn(move || {
					let keys = KeyFile::open(path).unwrap();
					for index in 0..5 {
						keys.create(key(&format!("{maker}-{index}"))).unwrap();
					}
				});
			}
		});
		assert_eq!(KeyFile::open(&path).unwrap().list().unwrap().len(), 20);
	}
}
