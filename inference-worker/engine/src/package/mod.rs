//! Model packages: a folder with a manifest, weights, tokenizer and chat template
//! (`docs/protocol/package.md`).
//!
//! ```text
//! manifest.scale            decides everything else; its hash is the model's id
//! manifest.json             the same for people, never read
//! common.safetensors        embedding, output norm, head
//! shard-000.safetensors     the layers of the manifest's first shard, and so on
//! tokenizer.json
//! chat_template.jinja
//! ```
//!
//! | to | use |
//! |---|---|
//! | read | [`Package::open`], [`Package::tensor`], then the methods of [`TensorView`] |
//! | trust what somebody sent | [`Package::open_expecting`] and [`Package::verify`] |
//! | write | [`PackageBuilder`], with values from [`encode`] |
//! | give each worker its part | [`split`] |
//!
//! A package may be partial: any file of weights may be absent, and only asking for a tensor in it is
//! an error, which names the file. Opening reads the small files, hashes tokenizer and template,
//! checks the headers of what is there against the manifest, and maps the weights; it does not hash
//! them.
//!
//! Architecture invariant: bytes of a package decide nothing before they are checked, allocations
//! never exceed the size of the file they are for, and every error names the file and the field.

pub mod encode;
pub mod layout;
mod manifest;
mod map;
pub mod safetensors;
mod source;
mod split;
mod verify;
mod view;
mod write;

pub use layout::{
	even_shards, role_name, shape, tensor_name, TensorLayout, COMMON_FILE, MANIFEST_FILE,
	MANIFEST_VIEW, TEMPLATE_FILE, TOKENIZER_FILE,
};
pub use manifest::read_manifest;
pub use split::{split, SplitReport};
pub use verify::{TensorDigest, VerifyReport};
pub use view::TensorView;
pub use write::{Encodings, ManifestHead, PackageBuilder, TensorPlan, TensorWriter};

use crate::error::{EngineError, Result};
use aria_primitives::{
	hashing::sha256,
	manifest::{Manifest, TensorRole, MAX_MANIFEST_BYTES},
	record::LayerRange,
	ModelId,
};
use layout::{layer_number, weight_files};
use source::{Bytes, Source, MAX_TEMPLATE, MAX_TOKENIZER};
use std::{
	collections::BTreeMap,
	fmt,
	ops::Range,
	path::{Path, PathBuf},
};

/// A SHA-256 hash; the primitives have one type for all of them.
pub(crate) type Hash = ModelId;

/// An open package.
pub struct Package {
	/// What the model is.
	pub manifest: Manifest,
	/// The folder; empty for a package in memory.
	pub dir: PathBuf,
	model_id: ModelId,
	tokenizer: Vec<u8>,
	chat_template: String,
	/// As [`weight_files`] lists them.
	files: Vec<WeightFile>,
	/// In the manifest's order.
	layouts: Vec<TensorLayout>,
	/// Where each tensor lies in its file; `None` where the file is not here.
	ranges: Vec<Option<Range<usize>>>,
}

struct WeightFile {
	name: String,
	label: String,
	bytes: Option<Bytes>,
}

impl Package {
	/// Opens the package in folder `dir`.
	///
	/// # Errors
	/// The file and field that is wrong or missing; [`EngineError::Io`] where the system refuses.
	pub fn open(dir: &Path) -> Result<Self> {
		Self::load(Source::Folder(dir.to_owned()), dir.to_owned(), None)
	}

	/// As [`Self::open`], for a package that has to be the model `model_id`.
	///
	/// # Errors
	/// As [`Self::open`], and if the manifest has another hash.
	pub fn open_expecting(dir: &Path, model_id: &ModelId) -> Result<Self> {
		Self::load(Source::Folder(dir.to_owned()), dir.to_owned(), Some(model_id))
	}

	/// Opens a package whose files, by name, are in memory.
	///
	/// # Errors
	/// As [`Self::open`].
	pub fn from_memory(files: impl IntoIterator<Item = (String, Vec<u8>)>) -> Result<Self> {
		let files: BTreeMap<String, Vec<u8>> = files.into_iter().collect();
		Self::load(Source::Memory(files), PathBuf::new(), None)
	}

	fn load(mut source: Source, dir: PathBuf, expected: Option<&ModelId>) -> Result<Self> {
		let label = source.label(MANIFEST_FILE);
		let bytes = source.small(MANIFEST_FILE, MAX_MANIFEST_BYTES as usize)?;
		let model_id = sha256(&bytes);
		if let Some(expected) = expected.filter(|expected| **expected != model_id) {
			let reason = format!("is {model_id:?}, and {expected:?} was asked for");
			return Err(fault(label, "model_id", reason));
		}
		let manifest = read_manifest(&label, &bytes)?;
		let layouts = manifest::in_file(&label, layout::layouts(&manifest))?;

		let tokenizer = source.small(TOKENIZER_FILE, MAX_TOKENIZER)?;
		let label = source.label(TOKENIZER_FILE);
		same_hash(&label, "tokenizer_hash", &tokenizer, &manifest.tokenizer_hash)?;
		let template = source.small(TEMPLATE_FILE, MAX_TEMPLATE)?;
		let label = source.label(TEMPLATE_FILE);
		same_hash(&label, "chat_template_hash", &template, &manifest.chat_template_hash)?;
		let chat_template = String::from_utf8(template)
			.map_err(|error| fault(&label, "text", format!("is no UTF-8: {error}")))?;

		let mut package = Self {
			ranges: vec![None; layouts.len()],
			manifest,
			dir,
			model_id,
			tokenizer,
			chat_template,
			files: Vec::new(),
			layouts,
		};
		for (index, name) in weight_files(&package.manifest).into_iter().enumerate() {
			let label = source.label(&name);
			let bytes = source.weights(&name)?;
			if let Some(bytes) = &bytes {
				package.place(index, &label, bytes.get(&label)?)?;
			}
			package.files.push(WeightFile { name, label, bytes });
		}
		Ok(package)
	}

	/// Finds the tensors of file `index` in its bytes.
	fn place(&mut self, index: usize, label: &str, bytes: &[u8]) -> Result<()> {
		let mut expected: BTreeMap<String, (&TensorLayout, &mut Option<Range<usize>>)> = self
			.layouts
			.iter()
			.zip(&mut self.ranges)
			.filter(|(layout, _)| layout.file == index)
			.map(|(layout, range)| (layout.name(), (layout, range)))
			.collect();
		for entry in safetensors::read_header(label, bytes)? {
			let shown = safetensors::shown(&entry.name);
			let Some((layout, place)) = expected.remove(&entry.name) else {
				return Err(fault(label, shown, "does not belong into this file by the manifest"));
			};
			if entry.range.len() != layout.len {
				let reason = format!(
					"is {} bytes; {} rows of {} in {:?} are {}",
					entry.range.len(),
					layout.rows,
					layout.cols,
					layout.encoding,
					layout.len
				);
				return Err(fault(label, format!("{shown}.shape"), reason));
			}
			let stored = bytes.get(entry.range.clone()).unwrap_or_default();
			// Checks the scale.
			TensorView::new(layout, stored, label)?;
			*place = Some(entry.range);
		}
		match expected.keys().next() {
			Some(name) => Err(fault(label, name, "is in the manifest and not in the file")),
			None => Ok(()),
		}
	}

	/// The model's id: the manifest's hash.
	pub fn model_id(&self) -> ModelId {
		self.model_id
	}

	/// The bytes of `tokenizer.json`, whose hash is the manifest's.
	pub fn tokenizer(&self) -> &[u8] {
		&self.tokenizer
	}

	/// The chat template, whose hash is the manifest's.
	pub fn chat_template(&self) -> &str {
		&self.chat_template
	}

	/// Whether the model has such a tensor, here or elsewhere.
	pub fn lists(&self, layer: Option<u16>, role: TensorRole) -> bool {
		self.find(layer, role).is_some()
	}

	/// Whether the model has such a tensor and it is here.
	pub fn has(&self, layer: Option<u16>, role: TensorRole) -> bool {
		self.find(layer, role)
			.is_some_and(|index| self.ranges.get(index).is_some_and(Option::is_some))
	}

	/// A tensor.
	///
	/// # Errors
	/// If the model has none such, if its file is not here, or if the file was cut short since it was
	/// opened.
	pub fn tensor(&self, layer: Option<u16>, role: TensorRole) -> Result<TensorView<'_>> {
		let name = || tensor_name(layer, role);
		let unknown = || {
			let label = self.dir.join(MANIFEST_FILE);
			fault(label.display(), name(), "the model has no such tensor")
		};
		let index = self.find(layer, role).ok_or_else(unknown)?;
		let layout = self.layouts.get(index).ok_or_else(unknown)?;
		let file = self.files.get(layout.file).ok_or_else(unknown)?;
		let range = self.ranges.get(index).cloned().flatten();
		let (Some(bytes), Some(range)) = (&file.bytes, range) else {
			return Err(fault(&file.label, name(), self.absent(layout.file)));
		};
		let stored = bytes.get(&file.label)?.get(range).ok_or_else(unknown)?;
		TensorView::new(layout, stored, &file.label)
	}

	/// Lets go of the memory that a tensor's file takes for it; reading it again reads the file again.
	/// For loaders that copy tensors one by one and should not hold the model twice.
	pub fn release(&self, layer: Option<u16>, role: TensorRole) {
		let Some(index) = self.find(layer, role) else { return };
		let range = self.ranges.get(index).cloned().flatten();
		let file = self.layouts.get(index).and_then(|layout| self.files.get(layout.file));
		if let (Some(range), Some(WeightFile { bytes: Some(bytes), .. })) = (range, file) {
			bytes.release(range);
		}
	}

	/// The layers that are here, neighbouring shards joined.
	pub fn layers_present(&self) -> Vec<LayerRange> {
		let mut ranges: Vec<LayerRange> = Vec::new();
		for (shard, file) in self.manifest.shards.iter().zip(self.files.iter().skip(1)) {
			if file.bytes.is_none() {
				continue;
			}
			match ranges.last_mut() {
				Some(last) if last.end == shard.first => last.end = shard.end,
				_ => ranges.push(*shard),
			}
		}
		ranges
	}

	/// Whether the tensors outside the layers are here.
	pub fn has_common(&self) -> bool {
		self.files.first().is_some_and(|file| file.bytes.is_some())
	}

	/// The names of the files of weights that are here.
	pub fn files_present(&self) -> Vec<String> {
		self.names(true)
	}

	/// The names of the files of weights that are not here.
	pub fn files_missing(&self) -> Vec<String> {
		self.names(false)
	}

	/// That no file is missing.
	///
	/// # Errors
	/// The first file that is.
	pub fn require_complete(&self) -> Result<()> {
		match self.files.iter().position(|file| file.bytes.is_none()) {
			Some(index) => {
				let label = self.files.get(index).map_or("", |file| file.label.as_str());
				Err(fault(label, "file", self.absent(index)))
			}
			None => Ok(()),
		}
	}

	fn names(&self, present: bool) -> Vec<String> {
		let files = self.files.iter().filter(|file| file.bytes.is_some() == present);
		files.map(|file| file.name.clone()).collect()
	}

	/// How an error names the file of a tensor.
	fn file_of(&self, layout: &TensorLayout) -> &str {
		self.files.get(layout.file).map_or("", |file| file.label.as_str())
	}

	/// Why the tensors of a file are not here.
	fn absent(&self, file: usize) -> String {
		let shard = file.checked_sub(1);
		match shard.and_then(|shard| Some((shard, self.manifest.shards.get(shard)?))) {
			Some((shard, LayerRange { first, end })) => {
				format!("the file is missing; fetch shard {shard}, layers {first}..{end}")
			}
			None => "the file is missing; it comes with the first and the last shard".to_owned(),
		}
	}

	fn find(&self, layer: Option<u16>, role: TensorRole) -> Option<usize> {
		let key = (layer_number(layer), role);
		self.manifest.tensors.binary_search_by_key(&key, |t| (t.layer, t.role)).ok()
	}
}

impl fmt::Debug for Package {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.debug_struct("Package")
			.field("dir", &self.dir)
			.field("model_id", &self.model_id)
			.field("files", &self.files_present())
			.finish_non_exhaustive()
	}
}

fn same_hash(file: &str, field: &str, bytes: &[u8], expected: &Hash) -> Result<()> {
	let hash = sha256(bytes);
	if hash == *expected {
		return Ok(());
	}
	let reason = format!(
		"the manifest says {expected:?}, the file has {hash:?}; fetch the file that belongs to the model"
	);
	Err(fault(file, field, reason))
}

/// What is wrong with which field of which file.
pub(crate) fn fault(
	file: impl fmt::Display,
	field: impl fmt::Display,
	reason: impl fmt::Display,
) -> EngineError {
	EngineError::Package {
		file: file.to_string(),
		field: field.to_string(),
		reason: reason.to_string(),
	}
}
