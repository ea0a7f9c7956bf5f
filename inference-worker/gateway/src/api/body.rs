//! Bodies of requests, as far as they may go.

use crate::error::ApiError;
use axum::body::{Body, BodyDataStream};
use futures::StreamExt;
use std::time::Duration;
use tokio::time::timeout;

/// How long the rest of a refused body is listened to. Who still sends when the connection closes may
/// not get to see why.
const COURTESY: Duration = Duration::from_secs(1);

/// The whole body.
///
/// # Errors
///
/// 413 beyond `limit` bytes, 408 after `wait`, 400 if it breaks off.
pub(super) async fn read(body: Body, limit: usize, wait: Duration) -> Result<Vec<u8>, ApiError> {
	let mut stream = body.into_data_stream();
	let mut bytes = Vec::new();
	let read = async {
		while let Some(chunk) = stream.next().await {
			let Ok(chunk) = chunk else {
				return Err(ApiError::invalid("the body broke off: send the request again"));
			};
			if bytes.len().saturating_add(chunk.len()) > limit {
				return Err(ApiError::too_large(limit));
			}
			bytes.extend_from_slice(&chunk);
		}
		Ok(())
	};
	match timeout(wait, read).await {
		Ok(Ok(())) => Ok(bytes),
		Ok(Err(error)) => {
			discard_stream(stream, limit).await;
			Err(error)
		}
		Err(_) => Err(ApiError::body_late()),
	}
}

/// Lets a body go by whose request is refused.
pub(super) async fn discard(body: Body, limit: usize) {
	discard_stream(body.into_data_stream(), limit).await;
}

async fn discard_stream(mut stream: BodyDataStream, limit: usize) {
	let most = limit.saturating_mul(4);
	let gone_by = async {
		let mut count = 0usize;
		while let Some(Ok(chunk)) = stream.next().await {
			count = count.saturating_add(chunk.len());
			if count > most {
				break;
			}
		}
	};
	// However much there was.
	let _ = timeout(COURTESY, gone_by).await;
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;
	use axum::{body::Bytes, http::StatusCode};
	use futures::stream;
	use std::convert::Infallible;

	fn pieces(pieces: &[&'static str]) -> Body {
		let pieces: Vec<Result<Bytes, Infallible>> =
			pieces.iter().map(|piece| Ok(Bytes::from_static(piece.as_bytes()))).collect();
		Body::from_stream(stream::iter(pieces))
	}

	#[tokio::test]
	async fn bodies_should_be_read_up_to_the_limit() {
		let wait = Duration::from_secs(5);
		assert_eq!(read(pieces(&["ab", "cd"]), 4, wait).await.unwrap(), b"abcd");
		let error = read(pieces(&["ab", "cde"]), 4, wait).await.unwrap_err();
		assert_eq!(error.status, StatusCode::PAYLOAD_TOO_LARGE);
		let endless = Body::from_stream(stream::pending::<Result<Bytes, Infallible>>());
		let error = read(endless, 4, Duration::from_millis(10)).await.unwrap_err();
		assert_eq!(error.status, StatusCode::REQUEST_TIMEOUT);
	}
}
