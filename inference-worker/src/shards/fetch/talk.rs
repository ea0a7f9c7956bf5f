//! What is said on a stream to one peer.

use super::{
	job::{Job, Refused},
	FetchError, FetchOptions, Source,
};
use crate::{limits::Governor, shards::PeerKey};
use aria_network::wire::{
	frame::{self, FrameError},
	shard::{ShardAnswer, ShardRequest, SmallFile, MAX_ANSWER, PART},
};
use aria_primitives::{hashing::sha256, ModelId};
use codec::Encode;
use futures::io::{AsyncRead, AsyncWrite};
use sp_core::H256;
use std::{collections::VecDeque, sync::Arc, time::Duration};
use tokio::{
	task::spawn_blocking,
	time::{sleep, timeout},
};

/// How often in a row a peer may ask to wait.
const MOST_DELAYS: u32 = 20;
/// The longest that such a wait lasts.
const LONGEST_DELAY: Duration = Duration::from_secs(5);

/// How a conversation ended.
pub(super) enum End {
	/// There is nothing more to ask for.
	Drained,
	/// The peer does not have it.
	Absent,
	/// The peer sent what is false.
	Lied(String),
	/// The peer was not reached, broke off or took too long.
	Broken(String),
	/// The fault lies here.
	Fatal(FetchError),
}

/// Opens a stream within the time that is allowed.
pub(super) async fn dial<S: Source>(
	source: &S,
	peer: PeerKey,
	options: &FetchOptions,
) -> Result<S::Stream, End> {
	match timeout(options.dial, source.open(peer)).await {
		Ok(Ok(stream)) => Ok(stream),
		Ok(Err(error)) => Err(End::Broken(format!("can't be reached: {error}"))),
		Err(_) => Err(End::Broken("can't be reached in time".to_owned())),
	}
}

async fn ask<T>(stream: &mut T, request: &ShardRequest, options: &FetchOptions) -> Result<(), End>
where
	T: AsyncRead + AsyncWrite + Unpin,
{
	match timeout(options.answer, frame::write(stream, request)).await {
		Ok(Ok(())) => Ok(()),
		Ok(Err(error)) => Err(End::Broken(error.to_string())),
		Err(_) => Err(End::Broken("takes no request".to_owned())),
	}
}

/// The next answer. Its bytes are charged, which holds this machine to its own limit.
async fn hear<T>(
	stream: &mut T,
	options: &FetchOptions,
	governor: &Governor,
) -> Result<ShardAnswer, End>
where
	T: AsyncRead + AsyncWrite + Unpin,
{
	let answer = match timeout(options.answer, frame::read::<ShardAnswer>(stream, MAX_ANSWER)).await
	{
		Ok(Ok(answer)) => answer,
		Ok(Err(FrameError::Io(error))) => {
			return Err(End::Broken(format!("the stream broke: {error}")));
		}
		Ok(Err(error)) => return Err(End::Lied(error.to_string())),
		Err(_) => {
			let seconds = options.answer.as_secs_f32();
			return Err(End::Broken(format!("no answer within {seconds} s")));
		}
	};
	governor.bytes().take(answer.encoded_size()).await;
	Ok(answer)
}

/// Waits while the contributor has paused.
async fn while_paused(governor: &Governor) {
	while governor.is_paused() {
		sleep(Duration::from_millis(250)).await;
	}
}

/// Requests whose answers are still to come; they go back to the job when this ends.
struct Asked<'a> {
	job: &'a Job,
	chunks: VecDeque<usize>,
}

impl Drop for Asked<'_> {
	fn drop(&mut self) {
		self.job.give_back(self.chunks.drain(..));
	}
}

/// Fetches chunks of `job` from a peer as long as there are any.
pub(super) async fn fetch_chunks<S: Source>(source: Arc<S>, peer: PeerKey, job: Arc<Job>) -> End {
	while_paused(&job.governor).await;
	let mut stream = match dial(source.as_ref(), peer, &job.options).await {
		Ok(stream) => stream,
		Err(end) => return end,
	};
	match converse(&mut stream, &job).await {
		Ok(()) => End::Drained,
		Err(end) => end,
	}
}

async fn converse<T>(stream: &mut T, job: &Arc<Job>) -> Result<(), End>
where
	T: AsyncRead + AsyncWrite + Unpin,
{
	let mut asked = Asked { job, chunks: VecDeque::new() };
	let mut delays = 0;
	let mut delay: Option<Duration> = None;
	loop {
		if asked.chunks.is_empty() {
			if let Some(delay) = delay.take() {
				sleep(delay).await;
			}
			while_paused(&job.governor).await;
		}
		// Several requests are on their way at once, so that a long round trip costs little.
		while delay.is_none() && asked.chunks.len() < job.options.depth.max(1) {
			let Some(chunk) = job.take() else { break };
			asked.chunks.push_back(chunk);
			let Some(request) = job.request(chunk) else {
				return Err(End::Fatal(FetchError::Interrupted));
			};
			ask(stream, &request, &job.options).await?;
		}
		let Some(chunk) = asked.chunks.front().copied() else { return Ok(()) };
		match hear(stream, &job.options, &job.governor).await? {
			ShardAnswer::Chunk { bytes, proof } => {
				let worker = job.clone();
				let put = spawn_blocking(move || worker.put(chunk, &bytes, &proof));
				match put.await {
					Ok(Ok(())) => {}
					Ok(Err(Refused::False(reason))) => return Err(End::Lied(reason)),
					Ok(Err(Refused::Here(error))) => return Err(End::Fatal(error)),
					Err(_) => return Err(End::Fatal(FetchError::Interrupted)),
				}
				delays = 0;
				asked.chunks.pop_front();
			}
			ShardAnswer::Later { retry_ms } => {
				delays += 1;
				if delays > MOST_DELAYS {
					return Err(End::Broken("asks to wait again and again".to_owned()));
				}
				asked.chunks.pop_front();
				job.give_back([chunk]);
				delay = Some(Duration::from_millis(retry_ms.into()).min(LONGEST_DELAY));
			}
			ShardAnswer::NotHere => return Err(End::Absent),
			ShardAnswer::Part { .. } => {
				return Err(End::Lied("answers another question".to_owned()))
			}
		}
	}
}

/// Fetches a small file from a peer; at most `limit` bytes, with this hash.
pub(super) async fn fetch_small<S: Source>(
	source: &S,
	peer: PeerKey,
	(model, file, hash): (ModelId, SmallFile, H256),
	limit: u32,
	options: &FetchOptions,
	governor: &Governor,
) -> Result<Vec<u8>, End> {
	while_paused(governor).await;
	let mut stream = dial(source, peer, options).await?;
	let lied = |reason: &str| Err(End::Lied(reason.to_owned()));
	let mut bytes: Vec<u8> = Vec::new();
	let mut whole: Option<u32> = None;
	let mut delays = 0;
	loop {
		let offset = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
		ask(&mut stream, &ShardRequest::Part { model, file, offset }, options).await?;
		match hear(&mut stream, options, governor).await? {
			ShardAnswer::Part { total, bytes: part } => {
				if total > limit {
					return lied("a file that is longer than it may be");
				}
				if *whole.get_or_insert(total) != total {
					return lied("changes the length of a file");
				}
				let left = total.saturating_sub(offset);
				if part.len() != left.min(PART) as usize {
					return lied("a part of another length");
				}
				delays = 0;
				bytes.extend_from_slice(&part);
				if left <= PART {
					break;
				}
			}
			ShardAnswer::Later { retry_ms } => {
				delays += 1;
				if delays > MOST_DELAYS {
					return Err(End::Broken("asks to wait again and again".to_owned()));
				}
				sleep(Duration::from_millis(retry_ms.into()).min(LONGEST_DELAY)).await;
			}
			ShardAnswer::NotHere => return Err(End::Absent),
			ShardAnswer::Chunk { .. } => return lied("answers another question"),
		}
	}
	if sha256(&bytes) == hash {
		Ok(bytes)
	} else {
		lied("a file with another hash")
	}
}
