//! Development accounts, and who plays what in the demo and the tests. Their keys are known to
//! everybody: the presets fund them on chains of one machine only.

use aria_primitives::{hashing::sha256, AccountId, Signature};
use sp_core::{ed25519, sr25519, Pair as _, H256};
use sp_keyring::Sr25519Keyring as Dev;

/// A key that signs transactions, tickets and records.
pub type Pair = sr25519::Pair;

/// Registers models; on the development chains also sudo and the author of the blocks.
pub fn owner() -> Pair {
	Dev::Alice.pair()
}

/// Two workers, each for half of the layers.
pub fn workers() -> [Pair; 2] {
	[Dev::Bob.pair(), Dev::Charlie.pair()]
}

/// Serves the requester and sells tokens.
pub fn gateway() -> Pair {
	Dev::Dave.pair()
}

/// Pays out of an escrow.
pub fn requester() -> Pair {
	Dev::Eve.pair()
}

/// Takes part in nothing: sends settlements, and makes load.
pub fn stranger() -> Pair {
	Dev::Ferdie.pair()
}

/// Signs the requester's tickets. Has no balance and needs none.
pub fn spending_key() -> Pair {
	seeded("spending key")
}

/// A key that no chain knows; another one for each name.
pub fn seeded(name: &str) -> Pair {
	Pair::from_seed(&sha256(format!("aria-e2e {name}").as_bytes()).0)
}

/// The libp2p identity of the worker with this index.
pub fn peer(worker: usize) -> ed25519::Pair {
	ed25519::Pair::from_seed(&sha256(format!("aria-e2e peer {worker}").as_bytes()).0)
}

/// The account that a key signs for.
pub fn account(pair: &Pair) -> AccountId {
	AccountId::from(pair.public())
}

/// A signature over the 32 bytes of a hash, as tickets and records carry it.
pub fn sign(pair: &Pair, message: &H256) -> Signature {
	Signature::Sr25519(pair.sign(message.as_bytes()))
}
