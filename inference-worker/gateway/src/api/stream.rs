//! Answers as server-sent events.
//!
//! A task turns events into chunks; a short channel leads to the connection. A client that reads
//! slowly fills the channel, then the task waits, then the backend does. A client that reads nothing is
//! given up after a while, and one that went away at once: the channel is closed then.

use super::{answer::Job, tally::End, App};
use crate::{backend::Event, error::ApiError, reply::Done};
use axum::{
	body::{Body, Bytes},
	http::{header, HeaderName, HeaderValue},
	response::Response,
};
use futures::{stream, StreamExt};
use serde_json::Value;
use std::{convert::Infallible, sync::Arc};
use tokio::{
	sync::mpsc::{self, error::SendTimeoutError},
	time::timeout,
};

/// Chunks that wait for the connection.
const CHUNKS: usize = 16;

/// Streams the answers of `job`.
pub(super) fn respond(app: Arc<App>, job: Job) -> Response {
	let (sender, receiver) = mpsc::channel(CHUNKS);
	let held = job._held.clone();
	tokio::spawn(run(app, job, sender));
	let chunks = stream::unfold((receiver, held), |(mut receiver, held)| async move {
		let chunk: Bytes = receiver.recv().await?;
		Some((Ok::<_, Infallible>(chunk), (receiver, held)))
	});
	let mut response = Response::new(Body::from_stream(chunks));
	let headers = response.headers_mut();
	for (name, value) in [
		(header::CONTENT_TYPE, "text/event-stream; charset=utf-8"),
		(header::CACHE_CONTROL, "no-cache"),
		// Proxies would hold tokens back.
		(HeaderName::from_static("x-accel-buffering"), "no"),
	] {
		headers.insert(name, HeaderValue::from_static(value));
	}
	response
}

async fn run(app: Arc<App>, mut job: Job, sender: mpsc::Sender<Bytes>) {
	let out = Out { app: &app, sender };
	let end = out.answers(&mut job).await.err().unwrap_or(End::Complete);
	job.tally.end = end;
	// Places are free before the client sees the end.
	drop(job);
}

struct Out<'a> {
	app: &'a App,
	sender: mpsc::Sender<Bytes>,
}

impl Out<'_> {
	/// Writes all there is. The error is how it ended before that.
	async fn answers(&self, job: &mut Job) -> Result<(), End> {
		for index in 0..job.answers {
			if let Some(opening) = job.reply.opening(index) {
				self.json(&opening).await?;
			}
		}
		let mut done: Vec<Option<Done>> = vec![None; job.answers];
		loop {
			let next = tokio::select! {
				biased;
				() = self.sender.closed() => return Err(End::Cancelled),
				() = self.app.ended.cancelled() => {
					self.json(&ApiError::stopping().json()).await?;
					return Err(End::Stopped);
				}
				next = timeout(self.app.config.keep_alive, job.events.next()) => next,
			};
			let Ok(next) = next else {
				self.write(": still there\n\n".into()).await?;
				continue;
			};
			let Some((index, event)) = next else { break };
			job.tally.note(index, &event);
			match event {
				Event::Token { text } if text.is_empty() => {}
				Event::Token { text } => self.json(&job.reply.piece(index, &text)).await?,
				Event::Replaced => {}
				Event::Finished(finished) => {
					let ended = Done { finished: *finished, replaced: job.tally.replaced(index) };
					self.json(&job.reply.ending(index, &ended)).await?;
					if let Some(place) = done.get_mut(index) {
						*place = Some(ended);
					}
				}
				Event::Failed(refused) => {
					self.json(&ApiError::from(refused).json()).await?;
					return Err(End::Failed);
				}
			}
		}
		if job.reply.include_usage {
			let done: Vec<Done> = done.into_iter().flatten().collect();
			self.json(&job.reply.last(&done)).await?;
		}
		self.write("data: [DONE]\n\n".into()).await
	}

	async fn json(&self, value: &Value) -> Result<(), End> {
		self.write(format!("data: {value}\n\n").into()).await
	}

	async fn write(&self, chunk: Bytes) -> Result<(), End> {
		self.sender.send_timeout(chunk, self.app.config.stall).await.map_err(|error| match error {
			SendTimeoutError::Timeout(_) => End::Stalled,
			SendTimeoutError::Closed(_) => End::Cancelled,
		})
	}
}
