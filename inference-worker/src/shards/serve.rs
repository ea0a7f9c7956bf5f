//! Answers peers that fetch shards.

use super::{name, store::PackageStore, PeerKey, LOG};
use crate::{limits::Governor, seldom::Seldom};
use aria_engine::package::{layout::layer_of, Package};
use aria_network::wire::{
	frame::{self, FrameError},
	shard::{ShardAnswer, ShardRequest, SmallFile, MAX_REQUEST, PART},
};
use aria_primitives::{hashing::leaf_hash, ModelId};
use codec::Encode;
use futures::io::{AsyncRead, AsyncWrite};
use sp_core::H256;
use std::{io, sync::Arc, time::Duration};
use tokio::{task::spawn_blocking, time::timeout};
use tracing::{debug, error, warn};

/// Requests that were refused, in the log.
static REFUSED: Seldom = Seldom::new();
/// How long a peer may be silent between requests.
const IDLE: Duration = Duration::from_secs(60);
/// How long a peer may take to receive an answer.
const SLOWEST: Duration = Duration::from_secs(60);
/// Requests for what is not here that a stream may hold.
const MOST_MISSES: usize = 256;
/// When to ask again while all streams are taken.
const FULL_RETRY_MS: u32 = 5_000;
/// When to ask again while the contributor has paused, or does not consent to it at this hour.
const CLOSED_RETRY_MS: u32 = 30_000;

/// Serves a stream of `/aria/shard/1` whose peer the caller does not know; limits for a single peer don't
/// hold then.
pub async fn serve<S>(stream: S, packages: Arc<PackageStore>, governor: Arc<Governor>)
where
	S: AsyncRead + AsyncWrite + Unpin + Send,
{
	run(None, stream, packages, governor).await;
}

/// Serves a stream of `/aria/shard/1` to `peer` until it ends, falls silent or breaks the protocol.
///
/// Bytes are taken from `governor`'s bucket, hashing from its CPU budget. A chunk is compared with its
/// leaf before it is sent: damaged files are logged and not passed on. While the governor is paused, or
/// gives nothing, each request is answered with [`ShardAnswer::Later`], and nothing is read for it.
pub async fn serve_peer<S>(
	peer: PeerKey,
	stream: S,
	packages: Arc<PackageStore>,
	governor: Arc<Governor>,
) where
	S: AsyncRead + AsyncWrite + Unpin + Send,
{
	run(Some(peer), stream, packages, governor).await;
}

async fn run<S>(
	peer: Option<PeerKey>,
	mut stream: S,
	packages: Arc<PackageStore>,
	governor: Arc<Governor>,
) where
	S: AsyncRead + AsyncWrite + Unpin + Send,
{
	let peer_name = peer.as_ref().map_or_else(String::new, name);
	let admission = packages.admit(peer);
	let mut misses = 0usize;
	loop {
		let request = frame::read::<ShardRequest>(&mut stream, MAX_REQUEST);
		let request = match timeout(IDLE, request).await {
			Ok(Ok(request)) => request,
			Ok(Err(FrameError::Io(cause))) => {
				if cause.kind() != io::ErrorKind::UnexpectedEof {
					debug!(target: LOG, peer = peer_name, %cause, "a stream broke");
				}
				return;
			}
			Ok(Err(cause)) => {
				if let Some(unsaid) = REFUSED.turn() {
					warn!(target: LOG, peer = peer_name, %cause, unsaid, "a request is refused");
				}
				return;
			}
			Err(_) => {
				debug!(target: LOG, peer = peer_name, "a silent stream is closed");
				return;
			}
		};
		let answer = if admission.is_none() {
			ShardAnswer::Later { retry_ms: FULL_RETRY_MS }
		} else if governor.is_paused() || !governor.gives() {
			ShardAnswer::Later { retry_ms: CLOSED_RETRY_MS }
		} else {
			answer(request, &packages, &governor).await
		};
		if answer == ShardAnswer::NotHere {
			misses += 1;
			if misses > MOST_MISSES {
				warn!(target: LOG, peer = peer_name, "asks again and again for what is not here");
				return;
			}
		}
		governor.bytes().take(answer.encoded_size()).await;
		match timeout(SLOWEST, frame::write(&mut stream, &answer)).await {
			Ok(Ok(())) => {}
			Ok(Err(cause)) => {
				debug!(target: LOG, peer = peer_name, %cause, "a stream broke");
				return;
			}
			Err(_) => {
				warn!(target: LOG, peer = peer_name, "takes too long to receive an answer");
				return;
			}
		}
		if admission.is_none() {
			return;
		}
	}
}

async fn answer(
	request: ShardRequest,
	packages: &Arc<PackageStore>,
	governor: &Arc<Governor>,
) -> ShardAnswer {
	match request {
		ShardRequest::Part { model, file, offset } => {
			let part = packages.package(&model).and_then(|package| part(&package, file, offset));
			part.unwrap_or(ShardAnswer::NotHere)
		}
		ShardRequest::Chunk { model, tensor, chunk } => {
			let Some(package) = packages.package(&model) else { return ShardAnswer::NotHere };
			match whole_chunk(packages, &package, governor, (tensor, chunk)).await {
				Ok(answer) => answer.unwrap_or(ShardAnswer::NotHere),
				Err(reason) => {
					complain(packages, &package, &model, tensor, &reason);
					ShardAnswer::NotHere
				}
			}
		}
	}
}

/// Bytes of a small file; `None` behind its end.
fn part(package: &Package, file: SmallFile, offset: u32) -> Option<ShardAnswer> {
	let manifest;
	let bytes = match file {
		SmallFile::Manifest => {
			manifest = package.manifest.to_bytes();
			manifest.as_slice()
		}
		SmallFile::Tokenizer => package.tokenizer(),
		SmallFile::ChatTemplate => package.chat_template().as_bytes(),
	};
	let total = u32::try_from(bytes.len()).ok()?;
	// An empty file has an empty part at its beginning.
	if offset >= total && (offset, total) != (0, 0) {
		return None;
	}
	let begin = usize::try_from(offset).ok()?;
	let end = begin.saturating_add(PART as usize).min(bytes.len());
	let bytes = bytes.get(begin..end)?.to_vec().try_into().ok()?;
	Some(ShardAnswer::Part { total, bytes })
}

/// A chunk with its proof; `None` if there is none such here.
///
/// # Errors
/// If the bytes are damaged.
async fn whole_chunk(
	packages: &Arc<PackageStore>,
	package: &Arc<Package>,
	governor: &Arc<Governor>,
	(tensor, chunk): (u16, u32),
) -> Result<Option<ShardAnswer>, String> {
	let Some(listed) = package.manifest.tensors.get(usize::from(tensor)) else { return Ok(None) };
	let (layer, role) = (layer_of(listed.layer), listed.role);
	let Ok(chunk) = usize::try_from(chunk) else { return Ok(None) };
	if !package.has(layer, role) {
		return Ok(None);
	}
	// Looked at before anything is hashed for it.
	let view = package.tensor(layer, role).map_err(|error| error.to_string())?;
	if view.layout().chunk(chunk).is_none() {
		return Ok(None);
	}
	let tree = packages.trees.of(package, tensor, governor).await?;
	let Some((leaf, proof)) = tree.proof(chunk) else { return Ok(None) };
	let (package, governor) = (package.clone(), governor.clone());
	let read = spawn_blocking(move || -> Result<Option<Vec<u8>>, String> {
		let view = package.tensor(layer, role).map_err(|error| error.to_string())?;
		let range = view.layout().chunk(chunk);
		let Some(bytes) = range.and_then(|range| view.bytes.get(range)) else { return Ok(None) };
		governor.cpu().acquire_blocking();
		let bytes = bytes.to_vec();
		if leaf_hash(&bytes) != leaf {
			return Err("its bytes have changed".to_owned());
		}
		Ok(Some(bytes))
	});
	let read = read.await.map_err(|error| format!("reading it was interrupted: {error}"))??;
	Ok(read.and_then(|bytes| shard_answer(bytes, proof)))
}

fn shard_answer(bytes: Vec<u8>, proof: Vec<H256>) -> Option<ShardAnswer> {
	let (bytes, proof) = (bytes.try_into().ok()?, proof.try_into().ok()?);
	Some(ShardAnswer::Chunk { bytes, proof })
}

/// Says once for a tensor that it is damaged.
fn complain(
	packages: &PackageStore,
	package: &Package,
	model: &ModelId,
	tensor: u16,
	reason: &str,
) {
	if !packages.trees.damage((*model, tensor)) {
		return;
	}
	let Some(file) = PackageStore::file_of(package, tensor) else { return };
	packages.doubt(model, &file);
	let path = package.dir.join(file);
	error!(
		target: LOG,
		file = %path.display(),
		tensor,
		reason,
		"damaged, and not served: fetch the file again"
	);
}
