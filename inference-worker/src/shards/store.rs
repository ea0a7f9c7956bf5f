//! The packages of this machine.

use super::{tree::Trees, PeerKey, LOG};
use aria_engine::{
	package::{
		layout::{layer_of, weight_files},
		Package, VerifyReport, COMMON_FILE, MANIFEST_FILE,
	},
	EngineError,
};
use aria_primitives::{record::LayerRange, ModelId};
use std::{
	collections::{BTreeMap, BTreeSet},
	fs, io,
	path::{Path, PathBuf},
	sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};
use tracing::{info, warn};

/// Streams that are served at once.
const MOST_STREAMS: usize = 64;
/// Of these, for one peer.
const MOST_STREAMS_A_PEER: usize = 4;

/// Why a store can't do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
	/// A package is not what its manifest says.
	#[error(transparent)]
	Package(#[from] EngineError),
	/// The system refused.
	#[error("cannot read or write {path}: {source}")]
	Io {
		/// What was to be read or written.
		path: PathBuf,
		/// The system's reason.
		source: io::Error,
	},
	/// The model is not here.
	#[error("there is no package of model {0:?} here: fetch it, or register its folder")]
	NotHere(ModelId),
}

/// A file of weights of a package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holding {
	/// Its name.
	pub file: String,
	/// Its layers; `None` for the tensors that belong to no layer.
	pub layers: Option<LayerRange>,
	/// Whether it is here.
	pub present: bool,
	/// Whether all of its bytes are known to be the manifest's: files that were fetched, and those that
	/// [`PackageStore::verify`] has been through.
	pub verified: bool,
}

struct Entry {
	package: Arc<Package>,
	verified: BTreeSet<String>,
}

/// The packages of a folder, which has a folder named by its id for each model, and packages elsewhere
/// that were registered.
pub struct PackageStore {
	root: PathBuf,
	packages: RwLock<BTreeMap<ModelId, Entry>>,
	pub(super) trees: Trees,
	streams: Mutex<Streams>,
}

#[derive(Default)]
struct Streams {
	count: usize,
	by_peer: BTreeMap<PeerKey, usize>,
}

/// Permission to serve one stream; given back when dropped.
pub(super) struct Admission<'a> {
	store: &'a PackageStore,
	peer: Option<PeerKey>,
}

impl PackageStore {
	/// Opens the store in folder `root`, which is made if it isn't there. A folder in it whose package
	/// does not open is left out, with a warning; one that is still being fetched is left out too.
	///
	/// # Errors
	/// What the system refuses.
	pub fn open(root: &Path) -> Result<Arc<Self>, StoreError> {
		fs::create_dir_all(root).map_err(io_error(root))?;
		let store = Self {
			root: root.to_owned(),
			packages: RwLock::default(),
			trees: Trees::new(),
			streams: Mutex::default(),
		};
		for entry in fs::read_dir(root).map_err(io_error(root))? {
			let path = entry.map_err(io_error(root))?.path();
			let Some(model) = model_of(&path) else { continue };
			if !path.join(MANIFEST_FILE).is_file() {
				continue;
			}
			if let Err(error) = store.reload(&model) {
				warn!(target: LOG, folder = %path.display(), %error, "a package does not open");
			}
		}
		Ok(Arc::new(store))
	}

	/// The store's folder.
	pub fn root(&self) -> &Path {
		&self.root
	}

	/// Where the store keeps a model; it need not be there.
	pub fn folder(&self, model: &ModelId) -> PathBuf {
		self.root.join(hex::encode(model.as_bytes()))
	}

	/// Adds the package in folder `dir`, which stays where it is, and gives the model's id. If the store
	/// has more of that model already, that is kept.
	///
	/// # Errors
	/// A package that does not open.
	pub fn register(&self, dir: &Path) -> Result<ModelId, StoreError> {
		let package = Package::open(dir)?;
		let model = package.model_id();
		self.insert(package, false);
		Ok(model)
	}

	/// Opens the store's own package of a model again, after files were added.
	///
	/// # Errors
	/// A package that does not open.
	pub fn reload(&self, model: &ModelId) -> Result<Arc<Package>, StoreError> {
		let package = Package::open_expecting(&self.folder(model), model)?;
		Ok(self.insert(package, true))
	}

	/// Puts in `package`, unless what is here is of another folder and has more files. Gives what is here.
	/// The store's own files have their names only because every chunk was proved.
	fn insert(&self, package: Package, own: bool) -> Arc<Package> {
		let (model, package) = (package.model_id(), Arc::new(package));
		let present = package.files_present();
		let mut packages = self.write();
		if let Some(entry) = packages.get(&model) {
			let known = entry.package.files_present().len();
			if entry.package.dir != package.dir && known >= present.len() {
				return entry.package.clone();
			}
		}
		let layers = package.layers_present();
		info!(target: LOG, ?model, folder = %package.dir.display(), ?layers, "package opened");
		// What was found to be damaged stays so until the file is another one.
		let before = packages.get(&model).filter(|entry| entry.package.dir == package.dir);
		let doubted: BTreeSet<String> = before.map_or_else(BTreeSet::new, |entry| {
			let files = entry.package.files_present().into_iter();
			files.filter(|file| !entry.verified.contains(file)).collect()
		});
		let trusted = present.into_iter().filter(|file| own && !doubted.contains(file));
		let verified = trusted.collect();
		packages.insert(model, Entry { package: package.clone(), verified });
		drop(packages);
		self.trees.forget(&model);
		package
	}

	/// The package of a model, whole or partial.
	pub fn package(&self, model: &ModelId) -> Option<Arc<Package>> {
		self.read().get(model).map(|entry| entry.package.clone())
	}

	/// The models of which something is here.
	pub fn models(&self) -> Vec<ModelId> {
		self.read().keys().copied().collect()
	}

	/// The layers of a model that are here, neighbours joined.
	pub fn layers(&self, model: &ModelId) -> Vec<LayerRange> {
		self.package(model).map(|package| package.layers_present()).unwrap_or_default()
	}

	/// The files of a model, those that are missing too; empty for an unknown one.
	pub fn holdings(&self, model: &ModelId) -> Vec<Holding> {
		let packages = self.read();
		let Some(Entry { package, verified }) = packages.get(model) else { return Vec::new() };
		let present: BTreeSet<String> = package.files_present().into_iter().collect();
		let shards = package.manifest.shards.iter().map(|layers| Some(*layers));
		let layers = std::iter::once(None).chain(shards);
		let files = weight_files(&package.manifest).into_iter().zip(layers);
		files
			.map(|(file, layers)| Holding {
				present: present.contains(&file),
				verified: verified.contains(&file),
				file,
				layers,
			})
			.collect()
	}

	/// Reads all bytes of a model's files and compares them with the manifest; blocks. `progress` gets the
	/// bytes done and all.
	///
	/// # Errors
	/// The first tensor that differs, with its file; [`Self::discard`] makes room to fetch that again.
	pub fn verify(
		&self,
		model: &ModelId,
		progress: &mut dyn FnMut(u64, u64),
	) -> Result<VerifyReport, StoreError> {
		let package = self.package(model).ok_or(StoreError::NotHere(*model))?;
		let report = package.verify(progress)?;
		if let Some(entry) = self.write().get_mut(model) {
			if Arc::ptr_eq(&entry.package, &package) {
				entry.verified.extend(report.files.iter().cloned());
			}
		}
		Ok(report)
	}

	/// Removes a file of weights from the store's own folder of a model, because it is damaged or no longer
	/// wanted. Whoever has it open keeps it until then.
	///
	/// # Errors
	/// A model that is not here or lies elsewhere, a name that is no file of its weights, what the system
	/// refuses.
	pub fn discard(&self, model: &ModelId, file: &str) -> Result<Arc<Package>, StoreError> {
		let folder = self.folder(model);
		let package = self.package(model).filter(|package| package.dir == folder);
		let package = package.ok_or(StoreError::NotHere(*model))?;
		if !weight_files(&package.manifest).iter().any(|name| name == file) {
			return Err(StoreError::NotHere(*model));
		}
		let path = folder.join(file);
		match fs::remove_file(&path) {
			Err(source) if source.kind() != io::ErrorKind::NotFound => {
				Err(StoreError::Io { path, source })
			}
			_ => self.reload(model),
		}
	}

	/// Which file of weights tensor `index` of a model lies in.
	pub(super) fn file_of(package: &Package, index: u16) -> Option<String> {
		let tensor = package.manifest.tensors.get(usize::from(index))?;
		let Some(layer) = layer_of(tensor.layer) else { return Some(COMMON_FILE.to_owned()) };
		let holds = |shard: &LayerRange| shard.first <= layer && layer < shard.end;
		let shard = package.manifest.shards.iter().position(holds)?;
		Some(aria_engine::package::layout::shard_file(shard))
	}

	/// Notes that a file turned out to be damaged.
	pub(super) fn doubt(&self, model: &ModelId, file: &str) {
		if let Some(entry) = self.write().get_mut(model) {
			entry.verified.remove(file);
		}
	}

	/// Room for one more stream of `peer`.
	pub(super) fn admit(&self, peer: Option<PeerKey>) -> Option<Admission<'_>> {
		let mut streams = self.streams();
		if streams.count >= MOST_STREAMS {
			return None;
		}
		if let Some(peer) = peer {
			let count = streams.by_peer.entry(peer).or_default();
			if *count >= MOST_STREAMS_A_PEER {
				return None;
			}
			*count += 1;
		}
		streams.count += 1;
		Some(Admission { store: self, peer })
	}

	fn streams(&self) -> MutexGuard<'_, Streams> {
		self.streams.lock().unwrap_or_else(PoisonError::into_inner)
	}

	fn read(&self) -> RwLockReadGuard<'_, BTreeMap<ModelId, Entry>> {
		self.packages.read().unwrap_or_else(PoisonError::into_inner)
	}

	fn write(&self) -> RwLockWriteGuard<'_, BTreeMap<ModelId, Entry>> {
		self.packages.write().unwrap_or_else(PoisonError::into_inner)
	}
}

impl Drop for Admission<'_> {
	fn drop(&mut self) {
		let mut streams = self.store.streams();
		streams.count = streams.count.saturating_sub(1);
		let Some(peer) = self.peer else { return };
		if let Some(count) = streams.by_peer.get_mut(&peer) {
			*count = count.saturating_sub(1);
			if *count == 0 {
				streams.by_peer.remove(&peer);
			}
		}
	}
}

/// The model that a folder of the store is named after.
fn model_of(path: &Path) -> Option<ModelId> {
	let mut id = [0; 32];
	hex::decode_to_slice(path.file_name()?.to_str()?, &mut id).ok()?;
	Some(ModelId::from(id))
}

fn io_error(path: &Path) -> impl FnOnce(io::Error) -> StoreError + '_ {
	move |source| StoreError::Io { path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_peer_should_not_take_all_streams() {
		let folder = tempfile::tempdir().expect("a temporary folder");
		let store = PackageStore::open(folder.path()).expect("an empty store");
		let mine: Vec<_> = (0..10).filter_map(|_| store.admit(Some([1; 32]))).collect();
		assert_eq!(mine.len(), MOST_STREAMS_A_PEER);
		let all: Vec<_> = (0..100).filter_map(|_| store.admit(None)).collect();
		assert_eq!(all.len(), MOST_STREAMS - MOST_STREAMS_A_PEER);
		assert!(store.admit(Some([2; 32])).is_none());
		drop((mine, all));
		assert!(store.admit(Some([1; 32])).is_some());
		assert!(store.streams().by_peer.is_empty());
	}

	#[test]
	fn folders_that_are_no_packages_should_be_left_out() {
		let folder = tempfile::tempdir().expect("a temporary folder");
		let name = "ab".repeat(32);
		fs::create_dir(folder.path().join(&name)).expect("a folder");
		fs::create_dir(folder.path().join("photos")).expect("a folder");
		fs::create_dir(folder.path().join("cd".repeat(32))).expect("a folder");
		fs::write(folder.path().join(name).join(MANIFEST_FILE), b"no manifest").expect("a file");
		let store = PackageStore::open(folder.path()).expect("a store");
		assert!(store.models().is_empty());
		assert!(store.holdings(&ModelId::zero()).is_empty());
		assert!(matches!(
			store.verify(&ModelId::zero(), &mut |_, _| ()),
			Err(StoreError::NotHere(_))
		));
	}
}
