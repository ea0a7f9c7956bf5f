//! Who may ask: on loopback, programs of this machine; from elsewhere, whoever has the token.

use anyhow::{bail, Context, Result};
use axum::http::{
	header::{AUTHORIZATION, HOST, ORIGIN},
	HeaderMap, StatusCode,
};
use sha2::{Digest, Sha256};
use std::{
	net::{IpAddr, SocketAddr},
	path::Path,
};

/// Fewest characters of a token.
const SHORTEST: usize = 16;

/// What a request has to show.
#[derive(Clone, Debug)]
pub enum Access {
	/// Nothing, but it must not come from a web page.
	Loopback,
	/// A token, whose hash this is.
	Token([u8; 32]),
}

impl Access {
	/// What requests to `listen` have to show, with the token in `file` if there is one.
	///
	/// # Errors
	/// A file that is missing, that others may read, or that holds no token; an address that others
	/// reach, without a token.
	pub fn new(listen: SocketAddr, file: Option<&Path>) -> Result<Self> {
		match token(file)? {
			Some(token) => Ok(Access::Token(hash(&token))),
			None if listen.ip().is_loopback() => Ok(Access::Loopback),
			None => bail!("{listen} can be reached from elsewhere: name a file with a token"),
		}
	}

	/// Whether a request with these headers may ask.
	///
	/// # Errors
	/// The status and words to refuse it with.
	pub fn check(&self, headers: &HeaderMap) -> Result<(), (StatusCode, &'static str)> {
		match self {
			// Hashes are compared, so that the time it takes tells nothing of the token.
			Access::Token(expected) => match bearer(headers).map(hash) {
				Some(given) if given == *expected => Ok(()),
				_ => Err((
					StatusCode::UNAUTHORIZED,
					"send the header `Authorization: Bearer …` with the token of admin.token_file",
				)),
			},
			// A page in a browser can send requests here, by this address or by a name of its own that
			// leads here. A browser says so in these headers.
			Access::Loopback if headers.contains_key(ORIGIN) || !is_local(headers) => Err((
				StatusCode::FORBIDDEN,
				"web pages may not ask here: use `aria-worker status`, or curl with 127.0.0.1",
			)),
			Access::Loopback => Ok(()),
		}
	}
}

/// The token in `file`.
///
/// # Errors
/// As [`Access::new`].
pub fn token(file: Option<&Path>) -> Result<Option<String>> {
	let Some(path) = file else { return Ok(None) };
	let shown = path.display();
	let text = crate::keys::private::read(path)?.with_context(|| {
		format!("{shown} is not there: it has to hold the administrator's token")
	})?;
	let token = text.trim();
	if token.len() < SHORTEST || token.contains(char::is_whitespace) {
		bail!("{shown} holds no token: one word of {SHORTEST} characters or more");
	}
	Ok(Some(token.to_owned()))
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
	let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
	let (scheme, token) = value.split_once(' ')?;
	scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn is_local(headers: &HeaderMap) -> bool {
	let Some(host) = headers.get(HOST).and_then(|host| host.to_str().ok()) else { return false };
	let name = match host.rsplit_once(':') {
		Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
		_ => host,
	};
	let name = name.trim_start_matches('[').trim_end_matches(']');
	name == "localhost" || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

fn hash(token: &str) -> [u8; 32] {
	Sha256::digest(token.as_bytes()).into()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;

	fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
		pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
	}

	#[test]
	fn web_pages_should_not_reach_loopback() {
		let check = |pairs: &[_]| Access::Loopback.check(&headers(pairs)).is_ok();
		assert!(check(&[("host", "127.0.0.1:9955")]));
		assert!(check(&[("host", "localhost")]));
		assert!(check(&[("host", "[::1]:9955")]));
		assert!(!check(&[("host", "evil.example:9955")]));
		assert!(!check(&[("host", "127.0.0.1:9955"), ("origin", "https://evil.example")]));
		assert!(!check(&[]));
	}

	#[test]
	fn a_token_should_be_asked_for() {
		let access = Access::Token(hash("0123456789abcdef"));
		let check = |pairs: &[_]| access.check(&headers(pairs)).is_ok();
		assert!(check(&[("authorization", "Bearer 0123456789abcdef")]));
		assert!(!check(&[("authorization", "Bearer 0123456789abcdeg")]));
		assert!(!check(&[("authorization", "0123456789abcdef")]));
		assert!(!check(&[("host", "127.0.0.1")]));
	}

	#[test]
	fn short_tokens_should_be_refused() {
		let dir = tempfile::tempdir().unwrap();
		let path = dir.path().join("token");
		assert!(token(Some(&path)).is_err());
		crate::keys::private::create(&path, "short").unwrap();
		assert!(token(Some(&path)).is_err());
		assert!(Access::new("0.0.0.0:1".parse().unwrap(), None).is_err());
	}
}
