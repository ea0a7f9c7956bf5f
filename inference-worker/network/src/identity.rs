//! The libp2p key of this peer, and what it signs (`docs/protocol/hashing.md`, "Binding a peer to an
//! account").

use crate::PeerKey;
use aria_primitives::{hashing::peer_binding, uptime::answer_message, AccountId, BlockNumber};
use libp2p::{
	identity::{ed25519, Keypair, PublicKey},
	PeerId,
};
use sp_core::H256;
use std::{
	fmt,
	fs::{self, File, OpenOptions},
	io::{self, Read, Write},
	path::{Path, PathBuf},
};

/// Most bytes that are read of a key file; an encoded ed25519 key has 68.
const MAX_FILE: u64 = 256;

/// An ed25519 key pair that names this peer.
#[derive(Clone)]
pub struct Identity {
	key: ed25519::Keypair,
}

/// Why there is no identity.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
	/// The file can't be read.
	#[error("can't read the peer key {path}: {source}")]
	Read {
		/// The file.
		path: PathBuf,
		/// Why.
		source: io::Error,
	},
	/// The file can't be written.
	#[error(
		"can't write the peer key {path}: {source}; is the folder writable and the disk not full?"
	)]
	Write {
		/// The file.
		path: PathBuf,
		/// Why.
		source: io::Error,
	},
	/// Others may read the file.
	#[error("others may read the peer key {path} (mode {mode:o}): run `chmod 600` on it")]
	Exposed {
		/// The file.
		path: PathBuf,
		/// Its permissions.
		mode: u32,
	},
	/// The file holds no ed25519 key.
	#[error(
		"{path} holds no libp2p ed25519 key: move it away, and a new key is made; then rotate the \
		 worker's peer on chain"
	)]
	NotAKey {
		/// The file.
		path: PathBuf,
	},
}

impl Identity {
	/// A new identity.
	pub fn generate() -> Self {
		Self { key: ed25519::Keypair::generate() }
	}

	/// The identity with this secret, for tests and development chains.
	pub fn from_seed(mut seed: [u8; 32]) -> Self {
		// 32 bytes are always a secret.
		let secret = ed25519::SecretKey::try_from_bytes(&mut seed[..])
			.expect("an ed25519 secret is any 32 bytes; qed");
		Self { key: secret.into() }
	}

	/// The key in `path` (libp2p's protobuf encoding), or a new one that is written there with mode 0600.
	///
	/// # Errors
	/// [`IdentityError`]; a file that others may read is not used.
	pub fn load_or_create(path: &Path) -> Result<Self, IdentityError> {
		match Self::load(path) {
			Err(IdentityError::Read { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
			}
			loaded => return loaded,
		}
		let identity = Self::generate();
		match identity.create(path) {
			Ok(()) => Ok(identity),
			// Another process was first: its key is the peer's.
			Err(source) if source.kind() == io::ErrorKind::AlreadyExists => Self::load(path),
			Err(source) => Err(IdentityError::Write { path: path.to_owned(), source }),
		}
	}

	fn load(path: &Path) -> Result<Self, IdentityError> {
		let unread = |source| IdentityError::Read { path: path.to_owned(), source };
		let file = File::open(path).map_err(unread)?;
		#[cfg(unix)]
		{
			use std::os::unix::fs::PermissionsExt;
			let mode = file.metadata().map_err(unread)?.permissions().mode() & 0o777;
			if mode & 0o077 != 0 {
				return Err(IdentityError::Exposed { path: path.to_owned(), mode });
			}
		}
		let mut bytes = Vec::new();
		file.take(MAX_FILE).read_to_end(&mut bytes).map_err(unread)?;
		Keypair::from_protobuf_encoding(&bytes)
			.ok()
			.and_then(|pair| pair.try_into_ed25519().ok())
			.map(|key| Self { key })
			.ok_or_else(|| IdentityError::NotAKey { path: path.to_owned() })
	}

	/// Writes the key beside `path` and links it there, so that `path` never holds half a key.
	fn create(&self, path: &Path) -> io::Result<()> {
		if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
			fs::create_dir_all(folder)?;
		}
		let mut beside = path.as_os_str().to_owned();
		beside.push(format!(".{}.new", std::process::id()));
		let beside = PathBuf::from(beside);
		let written = self.write(&beside).and_then(|()| fs::hard_link(&beside, path));
		let removed = fs::remove_file(&beside);
		written.and(removed)
	}

	fn write(&self, path: &Path) -> io::Result<()> {
		let bytes = self.keypair().to_protobuf_encoding().map_err(io::Error::other)?;
		let mut options = OpenOptions::new();
		options.write(true).create(true).truncate(true);
		#[cfg(unix)]
		std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
		let mut file = options.open(path)?;
		file.write_all(&bytes)?;
		file.sync_all()
	}

	/// The key pair, as libp2p has it.
	pub fn keypair(&self) -> Keypair {
		self.key.clone().into()
	}

	/// The public key.
	pub fn peer_key(&self) -> PeerKey {
		self.key.public().to_bytes()
	}

	/// The name of this peer in libp2p.
	pub fn peer_id(&self) -> PeerId {
		PublicKey::from(self.key.public()).to_peer_id()
	}

	/// The signature that binds this peer to `account` on the chain with this genesis: what
	/// `register_worker` and `rotate_peer` take.
	pub fn sign_binding(&self, genesis: &H256, account: &AccountId) -> [u8; 64] {
		self.sign(&peer_binding(genesis, account))
	}

	/// The answer to the challenge of block `asked_at`, whose hash is `block`, for the worker that this
	/// peer is bound to: what `WorkerRegistry.answer` takes (`docs/protocol/uptime.md`).
	pub fn sign_answer(
		&self,
		genesis: &H256,
		worker: &AccountId,
		asked_at: BlockNumber,
		block: &H256,
	) -> [u8; 64] {
		self.sign(&answer_message(genesis, worker, asked_at, block))
	}

	fn sign(&self, message: &H256) -> [u8; 64] {
		let signature = self.key.sign(message.as_bytes());
		signature.try_into().expect("an ed25519 signature has 64 bytes; qed")
	}
}

impl fmt::Debug for Identity {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.debug_tuple("Identity").field(&self.peer_id()).finish()
	}
}

/// Whether `peer` signed that `account` speaks for it on the chain with this genesis.
pub fn verify_binding(
	peer: &PeerKey,
	genesis: &H256,
	account: &AccountId,
	signature: &[u8; 64],
) -> bool {
	ed25519::PublicKey::try_from_bytes(peer)
		.is_ok_and(|key| key.verify(peer_binding(genesis, account).as_bytes(), signature))
}

/// The name in libp2p of the peer with this ed25519 public key; `None` if these bytes are no key.
pub fn peer_id(key: &PeerKey) -> Option<PeerId> {
	let key = ed25519::PublicKey::try_from_bytes(key).ok()?;
	Some(PublicKey::from(key).to_peer_id())
}

/// The ed25519 public key of a peer; `None` for keys of other kinds.
pub fn peer_key(peer: &PeerId) -> Option<PeerKey> {
	/// The code of a multihash that holds its input.
	const IDENTITY: u64 = 0;
	let hash = libp2p::multihash::Multihash::<64>::from(*peer);
	if hash.code() != IDENTITY {
		return None;
	}
	let key = PublicKey::try_decode_protobuf(hash.digest()).ok()?;
	Some(key.try_into_ed25519().ok()?.to_bytes())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;

	struct Folder(PathBuf);

	impl Folder {
		fn new(name: &str) -> Self {
			let folder =
				std::env::temp_dir().join(format!("aria-network-{name}-{}", std::process::id()));
			let _ = fs::remove_dir_all(&folder);
			Self(folder)
		}
	}

	impl Drop for Folder {
		fn drop(&mut self) {
			let _ = fs::remove_dir_all(&self.0);
		}
	}

	#[test]
	fn an_identity_should_be_created_once_and_loaded_afterwards() {
		let folder = Folder::new("create");
		let path = folder.0.join("deeper").join("peer.key");

		let created = Identity::load_or_create(&path).unwrap();
		let loaded = Identity::load_or_create(&path).unwrap();

		assert_eq!(created.peer_key(), loaded.peer_key());
		assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
		#[cfg(unix)]
		{
			use std::os::unix::fs::PermissionsExt;
			assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
		}
	}

	#[cfg(unix)]
	#[test]
	fn a_key_that_others_may_read_should_be_refused() {
		use std::os::unix::fs::PermissionsExt;
		let folder = Folder::new("exposed");
		let path = folder.0.join("peer.key");
		Identity::load_or_create(&path).unwrap();
		fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();

		let refused = Identity::load_or_create(&path);

		assert!(matches!(refused, Err(IdentityError::Exposed { mode: 0o644, .. })));
	}

	#[test]
	fn a_file_without_a_key_should_be_refused_and_kept() {
		let folder = Folder::new("garbage");
		let path = folder.0.join("peer.key");
		Identity::load_or_create(&path).unwrap();
		fs::write(&path, b"not a key").unwrap();

		assert!(matches!(Identity::load_or_create(&path), Err(IdentityError::NotAKey { .. })));
		assert_eq!(fs::read(&path).unwrap(), b"not a key");
	}

	#[test]
	fn keys_and_peer_ids_should_convert_both_ways() {
		let identity = Identity::from_seed([7; 32]);

		assert_eq!(peer_id(&identity.peer_key()), Some(identity.peer_id()));
		assert_eq!(peer_key(&identity.peer_id()), Some(identity.peer_key()));
		assert_eq!(peer_key(&PeerId::random()), None);
	}

	#[test]
	fn a_binding_should_hold_for_its_account_and_chain_alone() {
		let identity = Identity::from_seed([7; 32]);
		let (genesis, account) = (H256::repeat_byte(1), AccountId::new([2; 32]));
		let signature = identity.sign_binding(&genesis, &account);
		let holds = |genesis: H256, account: AccountId| {
			verify_binding(&identity.peer_key(), &genesis, &account, &signature)
		};

		assert!(holds(genesis, account.clone()));
		assert!(!holds(H256::repeat_byte(9), account));
		assert!(!holds(genesis, AccountId::new([3; 32])));
	}

	#[test]
	fn an_answer_should_be_the_peers_over_the_block() {
		let identity = Identity::from_seed([1; 32]);
		let (genesis, block) = (H256::repeat_byte(8), H256::repeat_byte(9));
		let worker = AccountId::new([2; 32]);
		let signature = identity.sign_answer(&genesis, &worker, 7, &block);
		let holds = |number| {
			let message = answer_message(&genesis, &worker, number, &block);
			identity.key.public().verify(message.as_bytes(), &signature)
		};
		assert!(holds(7) && !holds(8));
	}
}
