//! Trying again what a node that is away, or a full pool, stood in the way of.

use aria_chain_client::{ChainError, Refusal, SubmitError};
use std::{future::Future, time::Duration};
use tokio_util::sync::CancellationToken;

/// Before something is tried again.
pub const AGAIN: Duration = Duration::from_secs(3);
/// How often a wait is mentioned: every so many tries.
pub const SAY: u32 = 20;

/// What went wrong.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
	/// The same may work a little later without anybody's doing.
	#[error("{0}")]
	Passing(String),
	/// Somebody has to see to it.
	#[error("{0:#}")]
	Lasting(anyhow::Error),
}

impl From<ChainError> for Trouble {
	fn from(error: ChainError) -> Self {
		if error.is_transient() {
			Trouble::Passing(error.to_string())
		} else {
			Trouble::Lasting(error.into())
		}
	}
}

impl From<SubmitError> for Trouble {
	fn from(error: SubmitError) -> Self {
		let passing = match &error {
			SubmitError::Chain(error) => error.is_transient(),
			SubmitError::Refused { reason, .. } => {
				!matches!(reason, Refusal::Payment | Refusal::TooLarge)
			}
			// Whoever tries again looks at the chain first.
			SubmitError::Undecided { .. } => true,
			SubmitError::Failed { .. } | SubmitError::BadCall(_) => false,
		};
		if passing {
			Trouble::Passing(error.to_string())
		} else {
			Trouble::Lasting(error.into())
		}
	}
}

/// Does `work`, named by `what`, until it is done. `None` if the process is to end meanwhile.
///
/// # Errors
/// What lasts.
pub async fn patiently<T, F>(
	what: &str,
	stop: &CancellationToken,
	work: impl FnMut() -> F,
) -> anyhow::Result<Option<T>>
where
	F: Future<Output = Result<T, Trouble>>,
{
	every(AGAIN, what, stop, work).await
}

async fn every<T, F>(
	pause: Duration,
	what: &str,
	stop: &CancellationToken,
	mut work: impl FnMut() -> F,
) -> anyhow::Result<Option<T>>
where
	F: Future<Output = Result<T, Trouble>>,
{
	let mut tries = 0u32;
	loop {
		let result = tokio::select! {
			biased;
			() = stop.cancelled() => return Ok(None),
			result = work() => result,
		};
		match result {
			Ok(done) => return Ok(Some(done)),
			Err(Trouble::Passing(reason)) => {
				if tries.is_multiple_of(SAY) {
					tracing::warn!(target: "aria::worker", %reason, "{what}: tried again");
				}
				tries = tries.wrapping_add(1);
			}
			Err(Trouble::Lasting(error)) => return Err(error.context(what.to_owned())),
		}
		tokio::select! {
			() = stop.cancelled() => return Ok(None),
			() = tokio::time::sleep(pause) => {}
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use std::sync::atomic::{AtomicU32, Ordering};

	fn away() -> Trouble {
		let error = ChainError::Unreachable {
			url: "ws://127.0.0.1:1".to_owned(),
			away: Duration::ZERO,
			reason: "refused".to_owned(),
		};
		error.into()
	}

	#[tokio::test]
	async fn a_node_that_is_away_should_be_waited_for() {
		let tries = AtomicU32::new(0);
		let pause = Duration::from_millis(1);
		let shutdown = CancellationToken::new();
		let done = every(pause, "test", &shutdown, || async {
			match tries.fetch_add(1, Ordering::Relaxed) {
				0..3 => Err(away()),
				_ => Ok(7),
			}
		});
		assert_eq!(done.await.ok().flatten(), Some(7));
		assert_eq!(tries.load(Ordering::Relaxed), 4);
	}

	#[tokio::test]
	async fn what_waiting_does_not_mend_should_be_an_error() {
		let shutdown = CancellationToken::new();
		let failed = patiently("test", &shutdown, || async {
			Err::<(), _>(SubmitError::BadCall("no".to_owned()).into())
		});
		assert!(failed.await.is_err());
		let ended = CancellationToken::new();
		ended.cancel();
		let ended = patiently("test", &ended, || async { Err::<(), _>(away()) }).await;
		assert!(matches!(ended, Ok(None)));
	}
}
