//! A package, and peers that serve it, each in its manner.

use crate::{
	limits::{Governor, Limits},
	shards::{serve, FetchOptions, Fetcher, PackageStore, PeerKey, Progress, Source},
};
use aria_engine::{
	model::random::{write_random_package, RandomShape},
	package::{layout::layouts, Encodings, Package},
};
use aria_network::wire::{
	frame,
	shard::{ShardAnswer, ShardRequest, MAX_ANSWER, MAX_REQUEST},
};
use aria_primitives::{
	manifest::{Architecture, Encoding, Gate, Head},
	record::LayerRange,
	ModelId,
};
use codec::Encode;
use futures::{future::BoxFuture, AsyncWriteExt, FutureExt};
use std::{
	fs, io,
	path::Path,
	sync::{
		atomic::{AtomicIsize, AtomicUsize, Ordering},
		Arc, Mutex,
	},
	time::Duration,
};
use tempfile::TempDir;
use tokio::io::{duplex, DuplexStream};
use tokio_util::compat::{Compat, TokioAsyncReadCompatExt};

pub type Wire = Compat<DuplexStream>;

/// What a peer does once it has given some right answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
	Honest,
	/// Changes a byte.
	Corrupts,
	/// Ends the stream inside an answer.
	Truncates,
	/// Says nothing any more.
	Stalls,
	/// Announces four gigabytes and begins to send them.
	Endless,
	/// Sends more bytes than the chunk has.
	Lengthens,
	/// Is no SCALE.
	Babbles,
	/// Asks to wait, again and again.
	Delays,
	/// Never has anything.
	Lacks,
	/// Can't be reached.
	Unreachable,
}

/// The shape of a model of three layers in three shards, some tensors of which have several chunks.
fn shape() -> RandomShape {
	RandomShape {
		architecture: Architecture::BitnetB158,
		sub_norms: true,
		hidden: 256,
		feed_forward: 2048,
		layers: 3,
		heads: 4,
		kv_heads: 2,
		head_dim: 64,
		vocab: 600,
		context: 64,
		rope_theta: 10_000,
		norm_epsilon: 1e-5,
		gate: Gate::SquaredRelu,
		head: Head::Untied,
		encodings: Encodings { output: Encoding::F16, ..Encodings::default() },
		shards: 3,
	}
}

/// Peers, and the package that the honest ones have.
pub struct Town {
	pub folder: TempDir,
	pub model: ModelId,
	pub store: Arc<PackageStore>,
	pub governor: Arc<Governor>,
	manners: Mutex<Vec<Manner>>,
	/// Chunks that each peer was asked for.
	given: Arc<Vec<AtomicUsize>>,
	/// Chunks that were asked for.
	pub chunks: Arc<AtomicUsize>,
	/// Chunks that are given before everybody falls silent.
	budget: Arc<AtomicIsize>,
}

impl Town {
	pub fn new(manners: &[Manner]) -> Arc<Self> {
		let folder = tempfile::tempdir().unwrap();
		let package = folder.path().join("package");
		let manifest = write_random_package(&package, &shape(), 7, &mut |_, _| ()).unwrap();
		let store = PackageStore::open(&folder.path().join("genuine")).unwrap();
		let model = store.register(&package).unwrap();
		assert_eq!(model, manifest.model_id());
		Arc::new(Self {
			folder,
			model,
			store,
			governor: Governor::new(Limits::NONE),
			manners: Mutex::new(manners.to_vec()),
			given: Arc::new((0..=u8::MAX).map(|_| AtomicUsize::new(0)).collect()),
			chunks: Arc::default(),
			budget: Arc::new(AtomicIsize::new(isize::MAX)),
		})
	}

	pub fn package(&self) -> std::path::PathBuf {
		self.folder.path().join("package")
	}

	/// Other peers from now on.
	pub fn replace(&self, manners: &[Manner]) {
		*self.manners.lock().unwrap() = manners.to_vec();
	}

	/// Lets `chunks` more chunks pass.
	pub fn allow(&self, chunks: isize) {
		self.budget.store(chunks, Ordering::SeqCst);
	}

	/// How many chunks the whole model has.
	pub fn all_chunks(&self) -> usize {
		let package = self.store.package(&self.model).unwrap();
		layouts(&package.manifest).unwrap().iter().map(|layout| layout.chunk_count()).sum()
	}

	/// An empty store of a newcomer.
	pub fn newcomer(&self, name: &str) -> Arc<PackageStore> {
		PackageStore::open(&self.folder.path().join(name)).unwrap()
	}

	pub fn fetcher(self: &Arc<Self>, store: &Arc<PackageStore>) -> Fetcher<Self> {
		Fetcher::new(self.clone(), store.clone(), self.governor.clone()).with_options(
			FetchOptions {
				peers: 4,
				depth: 4,
				answer: Duration::from_millis(500),
				dial: Duration::from_secs(5),
				rounds: 2,
				pause: Duration::from_millis(10),
			},
		)
	}
}

impl Source for Town {
	type Stream = Wire;

	fn peers(&self, model: ModelId, _: Option<LayerRange>) -> BoxFuture<'_, Vec<PeerKey>> {
		assert!(model == self.model || model == ModelId::zero());
		let count = u8::try_from(self.manners.lock().unwrap().len()).unwrap();
		async move { (0..count).map(|peer| [peer; 32]).collect() }.boxed()
	}

	fn open(&self, peer: PeerKey) -> BoxFuture<'_, io::Result<Wire>> {
		let manner = self.manners.lock().unwrap()[usize::from(peer[0])];
		let (near, far) = duplex(1 << 20);
		let (chunks, budget) = (self.chunks.clone(), self.budget.clone());
		let behaves = behave(
			(peer, manner),
			self.given.clone(),
			far.compat(),
			(self.store.clone(), self.governor.clone()),
			(chunks, budget),
		);
		async move {
			if manner == Manner::Unreachable {
				return Err(io::ErrorKind::ConnectionRefused.into());
			}
			tokio::spawn(behaves);
			Ok(near.compat())
		}
		.boxed()
	}
}

/// Right chunks that a bad peer gives before it shows its manner.
const RIGHT: usize = 3;

/// Passes requests and answers on between a peer and a real server, in its manner.
async fn behave(
	(peer, manner): (PeerKey, Manner),
	given: Arc<Vec<AtomicUsize>>,
	mut far: Wire,
	(store, governor): (Arc<PackageStore>, Arc<Governor>),
	(chunks, budget): (Arc<AtomicUsize>, Arc<AtomicIsize>),
) {
	let (ours, theirs) = duplex(1 << 20);
	tokio::spawn(serve(theirs.compat(), store, governor));
	let mut ours = ours.compat();
	loop {
		let Ok(request) = frame::read::<ShardRequest>(&mut far, MAX_REQUEST).await else { return };
		let mut right = manner != Manner::Lacks;
		if matches!(request, ShardRequest::Chunk { .. }) {
			if budget.fetch_sub(1, Ordering::SeqCst) <= 0 {
				std::future::pending::<()>().await;
			}
			chunks.fetch_add(1, Ordering::SeqCst);
			right &= given[usize::from(peer[0])].fetch_add(1, Ordering::SeqCst) < RIGHT;
		}
		frame::write(&mut ours, &request).await.unwrap();
		let mut answer = frame::read::<ShardAnswer>(&mut ours, MAX_ANSWER).await.unwrap();
		if !right {
			match manner {
				Manner::Honest | Manner::Unreachable => {}
				Manner::Corrupts => answer = changed(answer, |bytes| bytes[0] ^= 1),
				Manner::Lengthens => answer = changed(answer, |bytes| bytes.resize(64 << 10, 0)),
				Manner::Lacks => answer = ShardAnswer::NotHere,
				Manner::Delays => answer = ShardAnswer::Later { retry_ms: 1 },
				Manner::Stalls => std::future::pending().await,
				Manner::Truncates => {
					let bytes = answer.encode();
					let length = u32::try_from(bytes.len()).unwrap();
					let _ = far.write_all(&length.to_le_bytes()).await;
					let _ = far.write_all(&bytes[..bytes.len() / 2]).await;
					let _ = far.flush().await;
					return;
				}
				Manner::Endless => {
					let _ = far.write_all(&u32::MAX.to_le_bytes()).await;
					while far.write_all(&[7; 4096]).await.is_ok() {}
					return;
				}
				Manner::Babbles => {
					if frame::write(&mut far, &[0xFFu8; 100]).await.is_err() {
						return;
					}
					continue;
				}
			}
		}
		if frame::write(&mut far, &answer).await.is_err() {
			return;
		}
	}
}

fn changed(answer: ShardAnswer, change: impl Fn(&mut Vec<u8>)) -> ShardAnswer {
	match answer {
		ShardAnswer::Chunk { bytes, proof } => {
			let mut bytes = bytes.into_inner();
			change(&mut bytes);
			ShardAnswer::Chunk { bytes: bytes.try_into().unwrap(), proof }
		}
		ShardAnswer::Part { total, bytes } => {
			let mut bytes = bytes.into_inner();
			change(&mut bytes);
			ShardAnswer::Part { total, bytes: bytes.try_into().unwrap() }
		}
		other => other,
	}
}

/// Progress that is written down.
pub fn watched() -> (Progress, Arc<Mutex<Vec<(u64, u64)>>>) {
	let seen: Arc<Mutex<Vec<(u64, u64)>>> = Arc::default();
	let notes = seen.clone();
	(Arc::new(move |done, total| notes.lock().unwrap().push((done, total))), seen)
}

/// That everything that `package` has is what the model's maker wrote, to the byte.
pub fn same_files(original: &Path, package: &Package) {
	let mut names = package.files_present();
	names.extend(["manifest.scale", "tokenizer.json", "chat_template.jinja"].map(str::to_owned));
	for name in names {
		let (a, b) = (fs::read(original.join(&name)), fs::read(package.dir.join(&name)));
		assert!(a.unwrap() == b.unwrap(), "{name} differs");
	}
	package.verify(&mut |_, _| ()).unwrap();
	for entry in fs::read_dir(&package.dir).unwrap() {
		let name = entry.unwrap().file_name().into_string().unwrap();
		let rest = name.contains(".part") && name != "manifest.scale.part";
		assert!(!rest, "{name} was left");
	}
}
