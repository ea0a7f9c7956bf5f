//! Keys of this process: who signs, and files that nobody else reads.
//!
//! | module | what it holds |
//! |---|---|
//! | [`account`] | the worker's account: a URI, a file, or one that is generated |
//! | [`private`] | files of mode 0600 |
//! | [`spending`] | spending keys of a gateway's bearer tokens |

pub mod account;
pub mod private;
pub mod spending;

pub use account::{AccountSource, Loaded};
pub use spending::Spending;

use aria_primitives::AccountId;
use sp_core::{sr25519, Pair};

/// The account that `pair` signs for.
pub fn account_of(pair: &sr25519::Pair) -> AccountId {
	AccountId::from(pair.public())
}
