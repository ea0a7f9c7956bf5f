//! JSON-RPC with a node: the connection's limits, and what its errors mean.

use crate::error::ChainError;
use aria_primitives::{AccountId, BlockNumber};
use sp_core::H256;
use sp_runtime::{generic, traits::BlakeTwo256};
use std::{future::Future, time::Duration};
use subxt::{
	ext::jsonrpsee::ws_client::{PingConfig, WsClientBuilder},
	rpcs::{client::RpcClient, methods::legacy::LegacyRpcMethods, Error as RpcError, RpcConfig},
};
use tokio::time::timeout;

/// A block's header; its hash is `sp_runtime::traits::Header::hash`.
pub type Header = generic::Header<BlockNumber, BlakeTwo256>;

/// How long one request may take.
pub(crate) const REQUEST: Duration = Duration::from_secs(15);
/// How long a connection may take to come up.
const CONNECTION: Duration = Duration::from_secs(10);
/// How often a silent connection is pinged.
const PING: Duration = Duration::from_secs(10);
/// After how long without a sign of life a connection counts as dead.
const INACTIVE: Duration = Duration::from_secs(25);
/// Largest answer in bytes: a full block in hex, and room to spare.
const MAX_ANSWER: u32 = 32 * 1024 * 1024;
/// Largest request in bytes: a full batch of settlements in hex.
const MAX_REQUEST: u32 = 16 * 1024 * 1024;
/// Notifications that may wait for their reader.
const MAX_WAITING: usize = 4096;

/// The types in which this chain's node speaks.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Types {}

impl RpcConfig for Types {
	type Header = Header;
	type Hash = H256;
	type AccountId = AccountId;
}

/// The methods that every node has.
pub(crate) type Methods = LegacyRpcMethods<Types>;

/// Opens a connection.
pub(crate) async fn open(url: &str) -> Result<RpcClient, ChainError> {
	let ping = PingConfig::new().ping_interval(PING).inactive_limit(INACTIVE);
	let client = WsClientBuilder::new()
		.max_request_size(MAX_REQUEST)
		.max_response_size(MAX_ANSWER)
		.max_buffer_capacity_per_subscription(MAX_WAITING)
		.request_timeout(REQUEST.saturating_mul(2))
		.connection_timeout(CONNECTION)
		.set_tcp_no_delay(true)
		.enable_ws_ping(ping)
		.build(url)
		.await
		.map_err(|error| unreachable(url, Duration::ZERO, error.to_string()))?;
	Ok(RpcClient::new(client))
}

/// An answer to one request, in time.
pub(crate) async fn ask<T>(
	url: &str,
	method: &str,
	request: impl Future<Output = Result<T, RpcError>>,
) -> Result<T, ChainError> {
	match timeout(REQUEST, request).await {
		Ok(answer) => answer.map_err(|error| explain(url, method, error)),
		Err(_) => Err(silent(url, method)),
	}
}

/// Whether the connection is at fault, and not the request.
pub(crate) fn is_lost(error: &RpcError) -> bool {
	matches!(error, RpcError::Client(_) | RpcError::DisconnectedWillReconnect(_))
}

/// What an error of a request means.
pub(crate) fn explain(url: &str, method: &str, error: RpcError) -> ChainError {
	match error {
		RpcError::User(error) => {
			let detail = error.data.as_ref().map(|data| data.get()).unwrap_or_default();
			let message = if detail.is_empty() {
				error.message.clone()
			} else {
				format!("{}: {}", error.message, detail.trim_matches('"'))
			};
			ChainError::Refused { method: method.to_owned(), code: error.code, message }
		}
		error if is_lost(&error) => unreachable(url, Duration::ZERO, error.to_string()),
		error => ChainError::BadAnswer { method: method.to_owned(), reason: error.to_string() },
	}
}

/// Nobody answered in time.
pub(crate) fn silent(url: &str, method: &str) -> ChainError {
	unreachable(url, REQUEST, format!("no answer to {method}"))
}

/// The error of a node that can't be reached.
pub(crate) fn unreachable(url: &str, away: Duration, reason: impl Into<String>) -> ChainError {
	ChainError::Unreachable { url: url.to_owned(), away, reason: reason.into() }
}

/// Bytes as JSON-RPC writes them.
pub(crate) fn to_hex(bytes: &[u8]) -> String {
	format!("0x{}", hex::encode(bytes))
}
