//! Peers that say to have a model, and send something else.

use super::{Peer, Target};
use aria_e2e::node::program;
use aria_network::{
	wire::{
		frame,
		shard::{ShardAnswer, ShardRequest, SmallFile, MAX_REQUEST, PART},
		SHARD_PROTOCOL,
	},
	Identity, Stream,
};
use aria_primitives::{manifest::Manifest, ModelId};
use futures::AsyncWriteExt;
use sp_core::H256;
use std::{
	fs,
	path::{Path, PathBuf},
	process::{Command, Stdio},
	sync::{
		atomic::{AtomicUsize, Ordering},
		Arc,
	},
};
use tokio::task::{JoinHandle, JoinSet};

/// What it sends in place of a chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lie {
	/// Other bytes.
	Corrupt,
	/// Half an answer, and the end.
	Truncated,
	/// An answer that has no end.
	Endless,
}

impl Lie {
	/// All of them.
	pub const ALL: [Self; 3] = [Self::Corrupt, Self::Truncated, Self::Endless];
}

/// The small files of a package, which it sends as they are: a model is known by their hashes.
struct Files {
	manifest: Vec<u8>,
	tokenizer: Vec<u8>,
	template: Vec<u8>,
}

/// A peer that says to have a model, and lies about its chunks.
pub struct FalseSource {
	asked: Arc<AtomicUsize>,
	task: JoinHandle<()>,
	_peer: Peer,
}

impl Drop for FalseSource {
	fn drop(&mut self) {
		self.task.abort();
	}
}

impl FalseSource {
	/// Says to have all of a model whose package lies in a folder.
	pub async fn start(
		genesis: H256,
		near: &Target,
		package: &Path,
		manifest: &Manifest,
		lie: Lie,
	) -> Self {
		let bootstrap = std::slice::from_ref(&near.address);
		let peer = Peer::with(Identity::generate(), genesis, bootstrap);
		let mut incoming = peer.handle.accept(SHARD_PROTOCOL).unwrap();
		peer.handle.listen_addresses().await;
		for layers in manifest.shards.iter() {
			peer.handle.provide(manifest.model_id(), *layers).await.unwrap();
		}
		let read = |name| fs::read(package.join(name)).unwrap();
		let files = Arc::new(Files {
			manifest: read("manifest.scale"),
			tokenizer: read("tokenizer.json"),
			template: read("chat_template.jinja"),
		});
		let asked = Arc::<AtomicUsize>::default();
		let counted = asked.clone();
		let task = tokio::spawn(async move {
			let mut talks = JoinSet::new();
			while let Some((_, stream)) = incoming.next().await {
				while talks.try_join_next().is_some() {}
				talks.spawn(serve(stream, files.clone(), lie, counted.clone()));
			}
		});
		Self { asked, task, _peer: peer }
	}

	/// Chunks that it was asked for.
	pub fn asked(&self) -> usize {
		self.asked.load(Ordering::SeqCst)
	}
}

async fn serve(mut stream: Stream, files: Arc<Files>, lie: Lie, asked: Arc<AtomicUsize>) {
	while let Ok(request) = frame::read::<ShardRequest>(&mut stream, MAX_REQUEST).await {
		let answer = match request {
			ShardRequest::Part { file, offset, .. } => part(&files, file, offset),
			ShardRequest::Chunk { .. } => {
				asked.fetch_add(1, Ordering::SeqCst);
				match lie {
					Lie::Corrupt => ShardAnswer::Chunk {
						bytes: vec![7; PART as usize].try_into().unwrap(),
						proof: Default::default(),
					},
					Lie::Truncated => {
						let _ = stream.write_all(&1_000u32.to_le_bytes()).await;
						let _ = stream.write_all(&[1; 100]).await;
						let _ = stream.close().await;
						return;
					}
					Lie::Endless => {
						let _ = stream.write_all(&u32::MAX.to_le_bytes()).await;
						while stream.write_all(&[7; 4_096]).await.is_ok() {}
						return;
					}
				}
			}
		};
		if frame::write(&mut stream, &answer).await.is_err() {
			return;
		}
	}
}

fn part(files: &Files, file: SmallFile, offset: u32) -> ShardAnswer {
	let whole = match file {
		SmallFile::Manifest => &files.manifest,
		SmallFile::Tokenizer => &files.tokenizer,
		SmallFile::ChatTemplate => &files.template,
	};
	let begin = (offset as usize).min(whole.len());
	let end = (begin + PART as usize).min(whole.len());
	let bytes = whole[begin..end].to_vec().try_into().unwrap();
	ShardAnswer::Part { total: u32::try_from(whole.len()).unwrap(), bytes }
}

/// Writes a model with random weights, of four megabytes in three files, and gives its manifest.
pub fn random_model(folder: &Path) -> Manifest {
	let made = Command::new(program("aria-worker", "ARIA_WORKER").unwrap())
		.args(["model", "random", "--shape", "custom", "--layers", "3", "--shards", "3"])
		.args(["--hidden", "512", "--feed-forward", "1536", "--heads", "8", "--kv-heads", "2"])
		.args(["--head-dim", "64", "--vocab", "4096", "--seed", "11"])
		.arg(folder)
		.stdin(Stdio::null())
		.output()
		.unwrap();
	assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
	aria_e2e::cluster::manifest(folder).unwrap()
}

/// The files of weights of a package.
fn weights(package: &Path) -> Vec<PathBuf> {
	let files = fs::read_dir(package).unwrap().map(|entry| entry.unwrap().path());
	let is_weights = |path: &PathBuf| path.extension().is_some_and(|end| end == "safetensors");
	files.filter(is_weights).collect()
}

/// Where a worker with this base path has a model that it fetched.
fn folder(base: &Path, model: ModelId) -> PathBuf {
	let name: String = model.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
	base.join("models").join(name)
}

/// Bytes of a package's weights.
pub fn size(package: &Path) -> u64 {
	weights(package).iter().map(|path| fs::metadata(path).unwrap().len()).sum()
}

/// Bytes of a package's weights that a worker with this base path has on its disk, whole files and begun
/// ones. Zeros are not counted, for what has not come is zeros too.
pub fn arrived(base: &Path, model: ModelId, package: &Path) -> u64 {
	let folder = folder(base, model);
	let mut count = 0;
	for path in weights(package) {
		let name = path.file_name().unwrap().to_str().unwrap();
		let there = fs::read(folder.join(name));
		let Ok(there) = there.or_else(|_| fs::read(folder.join(format!("{name}.part")))) else {
			continue;
		};
		let bytes = fs::read(&path).unwrap();
		let same = bytes.iter().zip(&there).filter(|(byte, here)| **byte != 0 && byte == here);
		count += same.count() as u64;
	}
	count
}

/// Whether a worker with this base path has fetched exactly the files of a package.
pub fn same_files(base: &Path, model: ModelId, package: &Path) {
	let folder = folder(base, model);
	let files = weights(package);
	for path in &files {
		let there = folder.join(path.file_name().unwrap());
		assert!(
			fs::read(path).unwrap() == fs::read(&there).unwrap(),
			"{} differs",
			there.display()
		);
	}
	assert!(files.len() > 1, "{} files in {}", files.len(), package.display());
}
