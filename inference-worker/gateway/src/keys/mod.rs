//! Whose bearer token it is.

mod file;

pub use file::{KeyEntry, KeyFile, KeyFileError, NewKey};

use crate::limits::RateLimits;
use std::{sync::Arc, time::Duration};

/// What every token of a [`KeyFile`] begins with.
pub const TOKEN_PREFIX: &str = "aria-sk-";

/// Knows bearer tokens. It is asked for every request, so it must be quick.
pub trait Keys: Send + Sync + 'static {
	/// Who `token` belongs to; `None` where the request has no token.
	///
	/// # Errors
	///
	/// Why the request is refused.
	fn authenticate(&self, token: Option<&str>) -> Result<Arc<Principal>, KeyRefused>;
}

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
	/// Tells keys apart, also those of one name. Turns in the queue and limits go by it.
	pub id: Arc<str>,
	/// For logs.
	pub name: String,
	/// The account whose escrow pays.
	pub requester: String,
	/// Which spending key signs the tickets, in the words of who holds it.
	pub spending_key: Option<String>,
	/// Limits of its own.
	pub limits: Option<RateLimits>,
}

impl Principal {
	/// The principal `name`, for whom `requester` pays.
	pub fn new(name: impl Into<String>, requester: impl Into<String>) -> Self {
		let name = name.into();
		Self {
			id: name.as_str().into(),
			name,
			requester: requester.into(),
			spending_key: None,
			limits: None,
		}
	}
}

/// Why a token is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyRefused {
	/// There is none: 401.
	#[error("there is no API key: send the header `Authorization: Bearer aria-sk-…`")]
	Missing,
	/// Nobody has it: 401.
	#[error("the API key is not known here: check it for a typing error, or ask for a new one")]
	Unknown,
	/// It was revoked: 401.
	#[error("the API key was revoked: ask for a new one")]
	Revoked,
	/// It has used what it may: 429, or 402 with no `retry_after`.
	#[error("{message}")]
	Exhausted {
		/// Which bound it met.
		message: String,
		/// When it may be used again.
		retry_after: Option<Duration>,
	},
	/// Keys can't be checked: 503.
	#[error("API keys cannot be checked at the moment: send the request again in a moment")]
	Unavailable,
}

/// Takes every request, with any token or none, for the same principal: for a gateway that only its
/// owner can reach.
#[derive(Clone, Debug)]
pub struct AnyKey(pub Arc<Principal>);

impl Keys for AnyKey {
	fn authenticate(&self, _: Option<&str>) -> Result<Arc<Principal>, KeyRefused> {
		Ok(self.0.clone())
	}
}
