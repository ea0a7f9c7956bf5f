//! Fetches a model, or the part of one that a worker needs, from several peers.
//!
//! First the manifest, whose hash is the model's id; then tokenizer and chat template, whose hashes are in
//! the manifest; then the files of weights, each from several peers at once, chunk by chunk, each checked
//! by its Merkle proof before it is written. A peer that sends anything else is dropped, one that is
//! silent is asked less; their chunks go to others. What is there stays there when the process ends
//! (`part`), and a file gets its name only when all of it has been checked once more on the disk.

mod disk;
mod error;
mod job;
mod layout;
mod part;
mod roster;
mod talk;

pub use disk::{Disk, SystemDisk};
pub use error::FetchError;

use super::{store::PackageStore, PeerKey, Progress, LOG};
use crate::limits::Governor;
use aria_engine::package::{
	layout::{layouts, weight_files},
	read_manifest, Package, MANIFEST_FILE, MANIFEST_VIEW, TEMPLATE_FILE, TOKENIZER_FILE,
};
use aria_network::wire::shard::SmallFile;
use aria_primitives::{
	hashing::sha256,
	manifest::{Manifest, MAX_MANIFEST_BYTES},
	record::LayerRange,
	ModelId,
};
use disk::taken;
use error::io_error;
use futures::{
	future::BoxFuture,
	io::{AsyncRead, AsyncWrite},
};
use job::{Job, Meter};
use layout::{files_for, FileLayout};
use part::{part_path, write_small, Finished, PartFile};
use roster::Roster;
use sp_core::H256;
use std::{
	collections::{BTreeSet, HashMap},
	fs::{self, File, TryLockError},
	io,
	path::Path,
	sync::{atomic::AtomicU64, Arc},
	time::Duration,
};
use talk::{fetch_chunks, fetch_small, End};
use tokio::{
	task::{self, spawn_blocking, JoinSet},
	time::{sleep, timeout},
};
use tracing::info;

/// Largest tokenizer, in bytes (`docs/protocol/package.md`).
const MAX_TOKENIZER: u32 = 64 << 20;
/// Largest chat template, in bytes.
const MAX_TEMPLATE: u32 = 1 << 20;
/// Bytes that stay free on the disk.
const RESERVE: u64 = 16 << 20;
/// How often a file that the disk damaged is fetched again.
const MOST_REPAIRS: u32 = 2;
/// Keeps a second process out of a model's folder.
const LOCK_FILE: &str = ".lock";

/// How a fetcher reaches peers.
pub trait Source: Send + Sync + 'static {
	/// A stream of `/aria/shard/1`.
	type Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static;

	/// Peers that may have these layers of a model, best first; `None` for any part of it.
	fn peers(&self, model: ModelId, layers: Option<LayerRange>) -> BoxFuture<'_, Vec<PeerKey>>;

	/// Opens a stream to a peer.
	fn open(&self, peer: PeerKey) -> BoxFuture<'_, io::Result<Self::Stream>>;
}

/// How a fetcher goes about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchOptions {
	/// Peers that are asked at once.
	pub peers: usize,
	/// Requests that are on their way to a peer at once.
	pub depth: usize,
	/// How long a peer may take for an answer. Above what a chunk takes at the slowest rate that a
	/// contributor may set, shared with others.
	pub answer: Duration,
	/// How long opening a stream may take.
	pub dial: Duration,
	/// How often the list of peers is asked for again without anything having come.
	pub rounds: u32,
	/// What is waited before the first of these; before each later one, that much more.
	pub pause: Duration,
}

impl Default for FetchOptions {
	fn default() -> Self {
		Self {
			peers: 4,
			depth: 8,
			answer: Duration::from_secs(30),
			dial: Duration::from_secs(20),
			rounds: 5,
			pause: Duration::from_secs(2),
		}
	}
}

/// Fetches packages into a store.
pub struct Fetcher<S> {
	source: Arc<S>,
	store: Arc<PackageStore>,
	governor: Arc<Governor>,
	disk: Arc<dyn Disk>,
	options: FetchOptions,
}

impl<S: Source> Fetcher<S> {
	/// Fetches from `source` into `store`, within the limits of `governor`.
	pub fn new(source: Arc<S>, store: Arc<PackageStore>, governor: Arc<Governor>) -> Self {
		let (disk, options) = (Arc::new(SystemDisk), FetchOptions::default());
		Self { source, store, governor, disk, options }
	}

	/// With other times and numbers.
	pub fn with_options(mut self, options: FetchOptions) -> Self {
		self.options = options;
		self
	}

	/// With another disk.
	pub fn with_disk(mut self, disk: Arc<dyn Disk>) -> Self {
		self.disk = disk;
		self
	}

	/// Fetches what is missing of the shards that hold `layers` of a model, of all for `None`, and gives the
	/// package that is then here. `progress` gets the bytes of weights that are here and checked, and
	/// all that are needed, as often as that changes.
	///
	/// Dropped or ended half-way, it keeps what is here; called again, it goes on.
	///
	/// # Errors
	/// [`FetchError`]. Peers that fail or lie are none, as long as others have what is asked for.
	pub async fn fetch(
		&self,
		model: ModelId,
		layers: Option<LayerRange>,
		progress: Progress,
	) -> Result<Arc<Package>, FetchError> {
		if let Some(package) = self.complete(&model, layers)? {
			progress(0, 0);
			return Ok(package);
		}
		let folder = self.store.folder(&model);
		fs::create_dir_all(&folder).map_err(io_error(&folder))?;
		let _lock = lock(&folder)?;
		let mut roster = Roster::default();

		let here = self.store.package(&model);
		let manifest = self.manifest(&model, &folder, here.as_deref(), &mut roster).await?;
		let numbers = files_for(&manifest, layers)?;
		let (file, hash) = (SmallFile::Tokenizer, manifest.tokenizer_hash);
		let known = here.as_ref().map(|package| package.tokenizer());
		self.small(model, file, (hash, MAX_TOKENIZER), &folder, known, &mut roster).await?;
		let (file, hash) = (SmallFile::ChatTemplate, manifest.chat_template_hash);
		let known = here.as_ref().map(|package| package.chat_template().as_bytes());
		self.small(model, file, (hash, MAX_TEMPLATE), &folder, known, &mut roster).await?;

		for job in self.jobs(model, &manifest, &numbers, &folder, progress).await? {
			let done = self.weights(&job, &mut roster).await;
			if done.is_err() {
				let _ = spawn_blocking(move || job.part.pause()).await;
			}
			done?;
		}
		// The manifest comes last: a folder without one is no package.
		let view = serde_json::to_vec_pretty(manifest.as_ref()).unwrap_or_default();
		self.write(&folder, MANIFEST_VIEW, view).await?;
		self.write(&folder, MANIFEST_FILE, manifest.to_bytes()).await?;
		let package = self.store.reload(&model)?;
		info!(target: LOG, ?model, layers = ?package.layers_present(), "fetched");
		Ok(package)
	}

	/// The package that is here, if nothing of `layers` is missing in it.
	fn complete(
		&self,
		model: &ModelId,
		layers: Option<LayerRange>,
	) -> Result<Option<Arc<Package>>, FetchError> {
		let Some(package) = self.store.package(model) else { return Ok(None) };
		let names = weight_files(&package.manifest);
		let missing = package.files_missing();
		let needed = files_for(&package.manifest, layers)?;
		let lacks = |file: &usize| names.get(*file).is_none_or(|name| missing.contains(name));
		Ok((!needed.iter().any(lacks)).then_some(package))
	}

	/// The manifest: from the folder, from a package elsewhere, or from a peer.
	async fn manifest(
		&self,
		model: &ModelId,
		folder: &Path,
		here: Option<&Package>,
		roster: &mut Roster,
	) -> Result<Arc<Manifest>, FetchError> {
		let named = [folder.join(MANIFEST_FILE), part_path(folder, MANIFEST_FILE)];
		let kept = named.iter().find_map(|path| {
			let small = fs::metadata(path).ok()?.len() <= u64::from(MAX_MANIFEST_BYTES);
			let bytes = small.then(|| fs::read(path).ok()).flatten()?;
			(sha256(&bytes) == *model).then_some(bytes)
		});
		let bytes = match kept.or_else(|| here.map(|package| package.manifest.to_bytes())) {
			Some(bytes) => bytes,
			None => {
				let wanted = (*model, SmallFile::Manifest, *model);
				let bytes = self.ask_peers(wanted, MAX_MANIFEST_BYTES, roster).await?;
				// Not under its own name yet; whoever goes on later need not ask for it again.
				let path = part_path(folder, MANIFEST_FILE);
				fs::write(&path, &bytes).map_err(io_error(&path))?;
				bytes
			}
		};
		let label = folder.join(MANIFEST_FILE);
		Ok(Arc::new(read_manifest(&label.display().to_string(), &bytes)?))
	}

	/// Sees to it that a small file is in the folder.
	async fn small(
		&self,
		model: ModelId,
		file: SmallFile,
		(hash, limit): (H256, u32),
		folder: &Path,
		known: Option<&[u8]>,
		roster: &mut Roster,
	) -> Result<(), FetchError> {
		let name = match file {
			SmallFile::Tokenizer => TOKENIZER_FILE,
			_ => TEMPLATE_FILE,
		};
		let path = folder.join(name);
		let fits = fs::metadata(&path).is_ok_and(|found| found.len() <= u64::from(limit));
		if fits && fs::read(&path).is_ok_and(|bytes| sha256(&bytes) == hash) {
			return Ok(());
		}
		let bytes = match known.filter(|bytes| sha256(bytes) == hash) {
			Some(bytes) => bytes.to_vec(),
			None => self.ask_peers((model, file, hash), limit, roster).await?,
		};
		self.write(folder, name, bytes).await
	}

	/// A small file from the first peer that gives it.
	async fn ask_peers(
		&self,
		(model, file, hash): (ModelId, SmallFile, H256),
		limit: u32,
		roster: &mut Roster,
	) -> Result<Vec<u8>, FetchError> {
		for round in 0..=self.options.rounds {
			if round > 0 {
				sleep(self.options.pause.saturating_mul(round)).await;
				roster.forgive();
			}
			for peer in self.peers(model, None).await {
				if !roster.may_ask(&peer) {
					continue;
				}
				let (source, governor) = (self.source.as_ref(), &self.governor);
				let wanted = (model, file, hash);
				match fetch_small(source, peer, wanted, limit, &self.options, governor).await {
					Ok(bytes) => return Ok(bytes),
					Err(End::Lied(reason)) => roster.ban(&peer, reason),
					Err(End::Absent | End::Drained) => roster.lacks(&peer),
					Err(End::Broken(reason)) => roster.failed(&peer, reason),
					Err(End::Fatal(error)) => return Err(error),
				}
			}
		}
		let what = match file {
			SmallFile::Manifest => MANIFEST_FILE,
			SmallFile::Tokenizer => TOKENIZER_FILE,
			SmallFile::ChatTemplate => TEMPLATE_FILE,
		};
		Err(FetchError::NoPeer { model, what: what.to_owned(), tried: roster.summary() })
	}

	async fn peers(&self, model: ModelId, layers: Option<LayerRange>) -> Vec<PeerKey> {
		timeout(self.options.dial, self.source.peers(model, layers)).await.unwrap_or_default()
	}

	async fn write(
		&self,
		folder: &Path,
		name: &'static str,
		bytes: Vec<u8>,
	) -> Result<(), FetchError> {
		let (folder, disk) = (folder.to_owned(), self.disk.clone());
		let write = spawn_blocking(move || write_small(&folder, name, &bytes, disk.as_ref()));
		write.await.map_err(|_| FetchError::Interrupted)?
	}

	/// The files that are missing, begun or taken up, once there is room for all of them.
	async fn jobs(
		&self,
		model: ModelId,
		manifest: &Arc<Manifest>,
		numbers: &[usize],
		folder: &Path,
		progress: Progress,
	) -> Result<Vec<Arc<Job>>, FetchError> {
		let all = layouts(manifest)?;
		let mut files = Vec::new();
		let (mut needed, mut total, mut done) = (0u64, 0u64, 0u64);
		for number in numbers {
			let file = FileLayout::new(manifest, &all, *number)?;
			total = total.saturating_add(file.data());
			if folder.join(&file.name).is_file() {
				done = done.saturating_add(file.data());
				continue;
			}
			let taken = taken(&part_path(folder, &file.name));
			needed = needed.saturating_add(file.len.saturating_sub(taken));
			files.push(file);
		}
		let free = self.disk.free(folder).map_err(io_error(folder))?.saturating_sub(RESERVE);
		if needed > free {
			let path = folder.to_owned();
			return Err(FetchError::DiskFull { path, missing: needed.saturating_sub(free) });
		}
		let (disk, governor) = (self.disk.clone(), self.governor.clone());
		let dir = folder.to_owned();
		let open = spawn_blocking(move || -> Result<Vec<PartFile>, FetchError> {
			let open = |file| PartFile::open(&dir, file, &model, disk.clone(), &governor);
			files.into_iter().map(open).collect()
		});
		let parts = open.await.map_err(|_| FetchError::Interrupted)??;
		let here: u64 = parts.iter().map(PartFile::bytes).sum();
		let meter =
			Arc::new(Meter { done: AtomicU64::new(done.saturating_add(here)), total, progress });
		meter.add(0);
		let job = |part| {
			let (options, governor) = (self.options.clone(), self.governor.clone());
			Arc::new(Job::new(model, manifest.clone(), part, options, governor, meter.clone()))
		};
		Ok(parts.into_iter().map(job).collect())
	}

	/// Fetches a file of weights, checks it as a whole and gives it its name.
	async fn weights(&self, job: &Arc<Job>, roster: &mut Roster) -> Result<(), FetchError> {
		for _ in 0..=MOST_REPAIRS {
			self.download(job, roster).await?;
			let here = job.clone();
			let finish = spawn_blocking(move || here.part.finish(&here.manifest, &here.governor));
			match finish.await.map_err(|_| FetchError::Interrupted)?? {
				Finished::Whole => return Ok(()),
				Finished::Damaged => {
					let name = &job.part.layout.name;
					tracing::warn!(target: LOG, file = name, "damaged on the disk; fetched again");
					job.meter.subtract(job.part.layout.data().saturating_sub(job.part.bytes()));
					job.restart();
				}
			}
		}
		let path = self.store.folder(&job.model).join(&job.part.layout.name);
		let source = io::Error::other("what is written is not what is read: check the disk");
		Err(FetchError::Io { path, source })
	}

	/// Fetches all chunks of a file that are missing.
	async fn download(&self, job: &Arc<Job>, roster: &mut Roster) -> Result<(), FetchError> {
		let layers = job.part.layout.layers;
		let mut tasks: JoinSet<End> = JoinSet::new();
		let mut active: HashMap<task::Id, PeerKey> = HashMap::new();
		let mut absent: BTreeSet<PeerKey> = BTreeSet::new();
		let mut peers = self.peers(job.model, layers).await;
		let (mut round, mut missing) = (0, job.part.missing());
		while job.part.missing() > 0 {
			if job.has_work() {
				for peer in &peers {
					if tasks.len() >= self.options.peers.max(1) {
						break;
					}
					let busy = active.values().any(|other| other == peer);
					if busy || absent.contains(peer) || !roster.may_ask(peer) {
						continue;
					}
					let talk = fetch_chunks(self.source.clone(), *peer, job.clone());
					active.insert(tasks.spawn(talk).id(), *peer);
				}
			}
			let Some(ended) = tasks.join_next_with_id().await else {
				if round >= self.options.rounds {
					let what = format!("{} ({missing} chunks)", job.part.layout.name);
					let tried = roster.summary();
					return Err(FetchError::NoPeer { model: job.model, what, tried });
				}
				round += 1;
				sleep(self.options.pause.saturating_mul(round)).await;
				absent.clear();
				roster.forgive();
				peers = self.peers(job.model, layers).await;
				continue;
			};
			let (id, end) = match ended {
				Ok(ended) => ended,
				Err(error) => (error.id(), End::Broken(error.to_string())),
			};
			if job.part.missing() < missing {
				(round, missing) = (0, job.part.missing());
			}
			let Some(peer) = active.remove(&id) else { continue };
			match end {
				End::Drained => {}
				End::Absent => {
					roster.lacks(&peer);
					absent.insert(peer);
				}
				End::Lied(reason) => roster.ban(&peer, reason),
				End::Broken(reason) => roster.failed(&peer, reason),
				End::Fatal(error) => return Err(error),
			}
		}
		Ok(())
	}
}

/// Keeps other processes out until it is dropped, or this process ends however it ends.
fn lock(folder: &Path) -> Result<File, FetchError> {
	let path = folder.join(LOCK_FILE);
	let file = File::create(&path).map_err(io_error(&path))?;
	match file.try_lock() {
		Ok(()) => Ok(file),
		Err(TryLockError::WouldBlock) => Err(FetchError::InUse { path: folder.to_owned() }),
		Err(TryLockError::Error(error)) => Err(io_error(&path)(error)),
	}
}
