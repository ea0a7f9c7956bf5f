//! Writes packages tensor by tensor. Headers come first, because dimensions and encodings decide all
//! lengths; so tensors may come in any order, and memory stays at one row and a buffer.

use super::{
	fault,
	layout::{
		self, layer_number, layer_of, weight_files, TensorLayout, MANIFEST_FILE, MANIFEST_VIEW,
		TEMPLATE_FILE, TOKENIZER_FILE,
	},
	manifest::check_manifest,
	safetensors::write_header,
	verify::TensorDigest,
	Hash,
};
use crate::error::{EngineError, Result};
use aria_primitives::{
	hashing::sha256,
	manifest::{
		Architecture, Attention, Encoding, Gate, Head, Manifest, Tensor, TensorRole,
		MANIFEST_VERSION, MAX_EOS, MAX_SHARDS, MAX_TENSORS,
	},
	record::LayerRange,
};
use std::{
	fs::{self, File},
	io::{self, BufWriter, Seek, SeekFrom, Write},
	path::{Path, PathBuf},
};

const BUFFER: usize = 1 << 20;

/// A manifest but for what follows from the files: hashes and roots. Fields as in [`Manifest`].
#[derive(Clone, Debug, PartialEq)]
pub struct ManifestHead {
	/// The graph of a layer.
	pub architecture: Architecture,
	/// How attention keeps keys and values.
	pub attention: Attention,
	/// Width of the residual stream.
	pub hidden: u32,
	/// Width of the feed-forward block.
	pub feed_forward: u32,
	/// Number of layers.
	pub layers: u16,
	/// Entries of the vocabulary.
	pub vocab: u32,
	/// Positions that the model was made for.
	pub context: u32,
	/// Base of the rotary embedding.
	pub rope_theta: u32,
	/// The norms' epsilon.
	pub norm_epsilon: f32,
	/// The gate of the feed-forward block.
	pub gate: Gate,
	/// The output head.
	pub head: Head,
	/// The arithmetic.
	pub numerics_version: u16,
	/// Token that begins a sequence.
	pub bos: Option<u32>,
	/// Tokens that end a sequence.
	pub eos: Vec<u32>,
	/// Which tensors there are, in any order; [`ManifestHead::standard_tensors`] lists the usual ones.
	pub tensors: Vec<TensorPlan>,
	/// Which layers share a file; [`super::even_shards`] divides them evenly.
	pub shards: Vec<LayerRange>,
}

/// A tensor that will be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TensorPlan {
	/// The layer, or `None`.
	pub layer: Option<u16>,
	/// What it is for.
	pub role: TensorRole,
	/// How its values are stored.
	pub encoding: Encoding,
}

/// How the kinds of tensors are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Encodings {
	/// The matrices of the layers.
	pub linear: Encoding,
	/// The embedding.
	pub embedding: Encoding,
	/// The head, if it is a matrix of its own.
	pub output: Encoding,
	/// All norms.
	pub norm: Encoding,
}

impl Default for Encodings {
	/// Four ternary values a byte, an embedding and a head of int8, norms in f32.
	fn default() -> Self {
		Self {
			linear: Encoding::Ternary2,
			embedding: Encoding::Int8Row,
			output: Encoding::Int8Row,
			norm: Encoding::F32,
		}
	}
}

impl ManifestHead {
	/// The tensors that a model of this architecture, attention and head has, in order; with
	/// sub-norms for [`Architecture::BitnetB158`].
	pub fn standard_tensors(&self, encodings: &Encodings) -> Vec<TensorPlan> {
		use TensorRole as Role;
		let mut roles = vec![Role::AttentionNorm, Role::Query];
		match self.attention {
			Attention::Gqa { .. } => roles.extend([Role::Key, Role::Value]),
			Attention::Mla { q_rank, .. } => {
				roles.extend([Role::KvCompress, Role::KvExpand]);
				roles.extend((q_rank > 0).then_some(Role::QueryCompress));
			}
		}
		if self.architecture == Architecture::BitnetB158 {
			roles.extend([Role::AttentionSubNorm, Role::FeedForwardSubNorm]);
		}
		roles.extend([
			Role::AttentionOutput,
			Role::FeedForwardNorm,
			Role::Gate,
			Role::Up,
			Role::Down,
		]);
		roles.sort_unstable();
		let encoding = |role| match role {
			Role::TokenEmbedding => encodings.embedding,
			Role::Output => encodings.output,
			Role::OutputNorm
			| Role::AttentionNorm
			| Role::AttentionSubNorm
			| Role::FeedForwardNorm
			| Role::FeedForwardSubNorm => encodings.norm,
			_ => encodings.linear,
		};
		let plan = |layer, role| TensorPlan { layer, role, encoding: encoding(role) };
		let mut plans = Vec::new();
		for layer in 0..self.layers {
			plans.extend(roles.iter().map(|role| plan(Some(layer), *role)));
		}
		plans.extend([plan(None, Role::TokenEmbedding), plan(None, Role::OutputNorm)]);
		if self.head == Head::Untied {
			plans.push(plan(None, Role::Output));
		}
		plans
	}

	/// The manifest with hashes of zeros, checked.
	fn manifest(&self) -> Result<Manifest> {
		let mut tensors: Vec<Tensor> = self
			.tensors
			.iter()
			.map(|plan| Tensor {
				layer: layer_number(plan.layer),
				role: plan.role,
				encoding: plan.encoding,
				root: Hash::zero(),
			})
			.collect();
		tensors.sort_by_key(|tensor| (tensor.layer, tensor.role));
		let too_many = |field: &'static str, is: usize, most: u32| {
			fault(MANIFEST_FILE, field, format!("{is} are listed; at most {most} fit"))
		};
		let (listed, shards, eos) = (tensors.len(), self.shards.len(), self.eos.len());
		let manifest = Manifest {
			version: MANIFEST_VERSION,
			architecture: self.architecture,
			attention: self.attention,
			hidden: self.hidden,
			feed_forward: self.feed_forward,
			layers: self.layers,
			vocab: self.vocab,
			context: self.context,
			rope_theta: self.rope_theta,
			norm_epsilon_bits: self.norm_epsilon.to_bits(),
			gate: self.gate,
			head: self.head,
			numerics_version: self.numerics_version,
			bos: self.bos,
			eos: self.eos.clone().try_into().map_err(|_| too_many("eos", eos, MAX_EOS))?,
			tokenizer_hash: Hash::zero(),
			chat_template_hash: Hash::zero(),
			tensors: tensors.try_into().map_err(|_| too_many("tensors", listed, MAX_TENSORS))?,
			shards: self
				.shards
				.clone()
				.try_into()
				.map_err(|_| too_many("shards", shards, MAX_SHARDS))?,
		};
		check_manifest(&manifest)?;
		Ok(manifest)
	}
}

/// Writes a package into a folder: give it every tensor of the head, the tokenizer and the chat
/// template, in any order, then [`PackageBuilder::finish`].
///
/// Files carry `.partial` behind their names until then, and the manifest is the last to appear, so
/// that an interrupted writer never leaves something that looks like a package. Dropped unfinished, it
/// takes its files away.
pub struct PackageBuilder {
	dir: PathBuf,
	manifest: Manifest,
	layouts: Vec<TensorLayout>,
	/// Where each tensor begins in its file.
	places: Vec<u64>,
	roots: Vec<Option<Hash>>,
	files: Vec<OutFile>,
	tokenizer: bool,
	template: bool,
	/// Names of the files that are written under a partial name.
	partial: Vec<String>,
}

struct OutFile {
	path: PathBuf,
	file: File,
}

impl PackageBuilder {
	/// Begins a package in folder `dir`, which is made if it isn't there.
	///
	/// # Errors
	/// A head that no manifest may have, with the field; a folder that holds a package already; what
	/// the system refuses.
	pub fn new(dir: &Path, head: &ManifestHead) -> Result<Self> {
		let manifest = head.manifest()?;
		let layouts = layout::layouts(&manifest)?;
		fs::create_dir_all(dir).map_err(io_error(dir))?;
		let taken = dir.join(MANIFEST_FILE);
		if fs::symlink_metadata(&taken).is_ok() {
			let reason = "the folder holds a package already; choose another or remove it";
			return Err(fault(taken.display(), "file", reason));
		}
		let mut builder = Self {
			dir: dir.to_owned(),
			roots: vec![None; layouts.len()],
			places: vec![0; layouts.len()],
			layouts,
			files: Vec::new(),
			tokenizer: false,
			template: false,
			partial: Vec::new(),
			manifest,
		};
		for (index, name) in weight_files(&builder.manifest).into_iter().enumerate() {
			builder.begin_file(index, &name)?;
		}
		Ok(builder)
	}

	/// Writes a tensor's stored bytes at once: rows, then the scale of a ternary one. Encoding and
	/// shape are named again, so that a mistake shows before it is in a package.
	///
	/// # Errors
	/// A tensor that the head doesn't list or that is written already; another encoding or shape; bytes
	/// that are too many or too few, or hold a value that is refused.
	pub fn tensor(
		&mut self,
		layer: Option<u16>,
		role: TensorRole,
		encoding: Encoding,
		rows: usize,
		cols: usize,
		bytes: &[u8],
	) -> Result<()> {
		let mut writer = self.begin(layer, role, encoding, rows, cols)?;
		writer.write(bytes)?;
		writer.end()
	}

	/// Begins a tensor whose bytes come in pieces.
	///
	/// # Errors
	/// As [`Self::tensor`].
	pub fn begin(
		&mut self,
		layer: Option<u16>,
		role: TensorRole,
		encoding: Encoding,
		rows: usize,
		cols: usize,
	) -> Result<TensorWriter<'_>> {
		let name = layout::tensor_name(layer, role);
		let key = (layer_number(layer), role);
		let index = self.manifest.tensors.binary_search_by_key(&key, |t| (t.layer, t.role));
		let unlisted = || fault(MANIFEST_FILE, &name, "is not among the head's tensors");
		let index = index.map_err(|_| unlisted())?;
		let layout = self.layouts.get(index).ok_or_else(unlisted)?;
		let place = self.places.get(index).ok_or_else(unlisted)?;
		let root = self.roots.get_mut(index).ok_or_else(unlisted)?;
		let out = self.files.get_mut(layout.file).ok_or_else(unlisted)?;
		if (layout.encoding, layout.rows, layout.cols) != (encoding, rows, cols) {
			let reason = format!(
				"is {rows} rows of {cols} in {encoding:?}; the head makes it {} of {} in {:?}",
				layout.rows, layout.cols, layout.encoding
			);
			return Err(fault(out.path.display(), &name, reason));
		}
		if root.is_some() {
			return Err(fault(out.path.display(), &name, "is written already"));
		}
		out.file.seek(SeekFrom::Start(*place)).map_err(io_error(&out.path))?;
		Ok(TensorWriter {
			name,
			digest: TensorDigest::new(layout),
			file: BufWriter::with_capacity(BUFFER, &mut out.file),
			path: &out.path,
			root,
		})
	}

	/// Writes `tokenizer.json`.
	///
	/// # Errors
	/// What the system refuses.
	pub fn tokenizer(&mut self, bytes: &[u8]) -> Result<()> {
		self.small_file(TOKENIZER_FILE, bytes)?;
		self.manifest.tokenizer_hash = sha256(bytes);
		self.tokenizer = true;
		Ok(())
	}

	/// Writes `chat_template.jinja`.
	///
	/// # Errors
	/// What the system refuses, and a template that is no UTF-8.
	pub fn template(&mut self, bytes: &[u8]) -> Result<()> {
		if let Err(error) = std::str::from_utf8(bytes) {
			return Err(fault(TEMPLATE_FILE, "text", format!("is no UTF-8: {error}")));
		}
		self.small_file(TEMPLATE_FILE, bytes)?;
		self.manifest.chat_template_hash = sha256(bytes);
		self.template = true;
		Ok(())
	}

	/// Ends the package: fills in the roots, flushes everything to disk, gives the files their names.
	///
	/// # Errors
	/// What was not written, by name; what the system refuses.
	pub fn finish(mut self) -> Result<Manifest> {
		let mut missing = Vec::new();
		for (tensor, root) in self.manifest.tensors.iter_mut().zip(&self.roots) {
			match root {
				Some(root) => tensor.root = *root,
				None => missing.push(layout::tensor_name(layer_of(tensor.layer), tensor.role)),
			}
		}
		missing.extend((!self.tokenizer).then(|| TOKENIZER_FILE.to_owned()));
		missing.extend((!self.template).then(|| TEMPLATE_FILE.to_owned()));
		if let Some(first) = missing.first() {
			let reason =
				format!("{} parts were not written: {}", missing.len(), missing.join(", "));
			return Err(fault(self.dir.display(), first, reason));
		}
		check_manifest(&self.manifest)?;
		for out in self.files.drain(..) {
			out.file.sync_all().map_err(io_error(&out.path))?;
		}
		let view = self.dir.join(MANIFEST_VIEW);
		let mut json = serde_json::to_vec_pretty(&self.manifest)
			.map_err(|error| fault(view.display(), "json", error))?;
		json.push(b'\n');
		self.small_file(MANIFEST_VIEW, &json)?;
		let bytes = self.manifest.to_bytes();
		self.small_file(MANIFEST_FILE, &bytes)?;
		// In the order of beginning, which ends with the manifest. On an error the rest is taken away.
		while let Some(name) = self.partial.first().cloned() {
			let path = self.dir.join(&name);
			fs::rename(self.partial_path(&name), &path).map_err(io_error(&path))?;
			self.partial.remove(0);
		}
		Ok(self.manifest.clone())
	}

	/// Makes a file of weights with its header, in its final length.
	fn begin_file(&mut self, index: usize, name: &str) -> Result<()> {
		let mut tensors = Vec::new();
		let mut end = 0u64;
		for (layout, place) in self.layouts.iter().zip(&mut self.places) {
			if layout.file == index {
				*place = end;
				tensors.push((layout.name(), layout.len as u64));
				end = end.saturating_add(layout.len as u64);
			}
		}
		let path = self.partial_path(name);
		let header = write_header(&path.display().to_string(), &tensors)?;
		let begin = header.len() as u64;
		for (layout, place) in self.layouts.iter().zip(&mut self.places) {
			if layout.file == index {
				*place = place.saturating_add(begin);
			}
		}
		let mut file = self.create(name)?;
		file.set_len(end.saturating_add(begin)).map_err(io_error(&path))?;
		file.write_all(&header).map_err(io_error(&path))?;
		self.files.push(OutFile { path, file });
		Ok(())
	}

	fn small_file(&mut self, name: &str, bytes: &[u8]) -> Result<()> {
		let path = self.partial_path(name);
		let mut file = self.create(name)?;
		file.write_all(bytes).and_then(|()| file.sync_all()).map_err(io_error(&path))
	}

	/// A new file under its partial name, in the place of one that an interrupted writer left.
	fn create(&mut self, name: &str) -> Result<File> {
		let path = self.partial_path(name);
		match fs::remove_file(&path) {
			Err(error) if error.kind() != io::ErrorKind::NotFound => {
				return Err(io_error(&path)(error));
			}
			_ => {}
		}
		let file = File::create_new(&path).map_err(io_error(&path))?;
		if !self.partial.iter().any(|known| known == name) {
			self.partial.push(name.to_owned());
		}
		Ok(file)
	}

	fn partial_path(&self, name: &str) -> PathBuf {
		self.dir.join(format!("{name}.partial"))
	}
}

impl Drop for PackageBuilder {
	fn drop(&mut self) {
		self.files.clear();
		for name in std::mem::take(&mut self.partial) {
			// Nothing can be done about a file that doesn't go; it is no package.
			let _ = fs::remove_file(self.partial_path(&name));
		}
	}
}

/// A tensor that is being written; [`TensorWriter::end`] counts it as there.
pub struct TensorWriter<'a> {
	name: String,
	digest: TensorDigest,
	file: BufWriter<&'a mut File>,
	path: &'a Path,
	root: &'a mut Option<Hash>,
}

impl TensorWriter<'_> {
	/// The next stored bytes, any number of them.
	///
	/// # Errors
	/// A value that is refused; more bytes than the tensor has; what the system refuses.
	pub fn write(&mut self, bytes: &[u8]) -> Result<()> {
		self.digest
			.update(bytes)
			.map_err(|reason| fault(self.path.display(), &self.name, reason))?;
		self.file.write_all(bytes).map_err(io_error(self.path))
	}

	/// Ends the tensor.
	///
	/// # Errors
	/// If bytes are missing; what the system refuses.
	pub fn end(mut self) -> Result<()> {
		self.file.flush().map_err(io_error(self.path))?;
		let root = self.digest.finish();
		let root = root.map_err(|reason| fault(self.path.display(), &self.name, reason))?;
		*self.root = Some(root);
		Ok(())
	}
}

/// Names the file in an error of the system.
pub(super) fn io_error(path: &Path) -> impl FnOnce(io::Error) -> EngineError + '_ {
	move |source| EngineError::Io { path: path.to_owned(), source }
}
