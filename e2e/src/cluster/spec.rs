//! Which network to start: a model's package, and who holds which layers of it.

use super::suri;
use crate::{node, ports::free_ports, worker::Options};
use anyhow::{anyhow, Context, Result};
use aria_primitives::{manifest::Manifest, record::LayerRange};
use std::{
	fs,
	path::{Path, PathBuf},
};

/// The name of the model that comes with the project.
pub const SHIPPED: &str = "aria-wordnet";
/// What a verifier has at stake, in ARIA: a canary that it passed would take half of it.
const VERIFIER_STAKE: &str = "20";
/// Fewest and most bytes of a model's name on chain.
const ALIAS_BYTES: (usize, usize) = (3, 64);

/// Which network to start.
#[derive(Clone, Debug)]
pub struct Spec {
	/// The node.
	pub node: node::Options,
	/// The folder of the model's package.
	pub package: PathBuf,
	/// The model's name on chain.
	pub alias: String,
	/// The layers of each worker.
	pub layers: Vec<LayerRange>,
	/// Arguments for all workers, name and value.
	pub worker_args: Vec<(String, String)>,
	/// Arguments for one worker each: its index, name and value.
	pub own_args: Vec<(usize, String, String)>,
	/// Where the first worker listens, if that is not left to the system.
	pub port: Option<u16>,
	/// Arguments for the gateway, name and value.
	pub gateway_args: Vec<(String, String)>,
	/// Workers that run the others' records again and are no stage of any.
	pub verifiers: usize,
}

impl Spec {
	/// The shipped model in three parts of two layers, one worker each.
	pub fn thirds() -> Self {
		Self::new(&[(0, 2), (2, 4), (4, 6)])
	}

	/// The shipped model; a worker for each of these ranges of layers.
	pub fn new(layers: &[(u16, u16)]) -> Self {
		let layers = layers.iter().map(|(first, end)| LayerRange { first: *first, end: *end });
		Self::of(shipped(), SHIPPED.to_owned(), layers.collect())
	}

	/// The model of the package in a folder, named as the folder is; a worker for each of so many parts
	/// of its layers, as equal as its shards allow if it has as many.
	///
	/// # Errors
	/// When there is no package, or the model has fewer layers than there are to be parts.
	pub fn divided(package: &Path, parts: u16) -> Result<Self> {
		let package = fs::canonicalize(package).with_context(|| {
			format!("{}: name the folder of a model package", package.display())
		})?;
		let manifest = manifest(&package)?;
		let layers = divide(&manifest, parts).with_context(|| {
			format!(
				"the model has {} layers, too few for {parts} workers with a part each",
				manifest.layers
			)
		})?;
		let alias = alias_of(&package);
		Ok(Self::of(package, alias, layers))
	}

	fn of(package: PathBuf, alias: String, layers: Vec<LayerRange>) -> Self {
		Self {
			node: node::Options::dev(),
			package,
			alias,
			layers,
			worker_args: Vec::new(),
			own_args: Vec::new(),
			port: None,
			gateway_args: Vec::new(),
			verifiers: 0,
		}
	}

	/// So many verifiers besides.
	pub fn verifiers(mut self, count: usize) -> Self {
		self.verifiers = count;
		self
	}

	/// One more worker, with the layers of the worker with this index; none where there is no such
	/// worker.
	pub fn replica(mut self, of: usize) -> Self {
		self.layers.extend(self.layers.get(of).copied());
		self
	}

	/// Another node.
	pub fn node(mut self, node: node::Options) -> Self {
		self.node = node;
		self
	}

	/// An argument for all workers.
	pub fn worker_arg(mut self, name: &str, value: &str) -> Self {
		self.worker_args.push((name.to_owned(), value.to_owned()));
		self
	}

	/// An argument for the worker with this index.
	pub fn own_arg(mut self, worker: usize, name: &str, value: &str) -> Self {
		self.own_args.push((worker, name.to_owned(), value.to_owned()));
		self
	}

	/// Has the first worker, by which all others find the network, listen where it did before when it
	/// is started again.
	///
	/// # Errors
	/// When no port is free.
	pub fn steady(mut self) -> Result<Self> {
		self.port = free_ports(1)?.pop();
		Ok(self)
	}

	/// An argument for the gateway.
	pub fn gateway_arg(mut self, name: &str, value: &str) -> Self {
		self.gateway_args.push((name.to_owned(), value.to_owned()));
		self
	}

	/// What starts the worker with this index.
	pub fn worker(&self, index: usize, layers: LayerRange) -> Options {
		let options = Options::worker(&suri(index), &self.alias, layers, &self.package);
		let options = self
			.worker_args
			.iter()
			.fold(options, |options, (name, value)| options.set(name, value));
		let own = self.own_args.iter().filter(|(worker, ..)| *worker == index);
		let options = own.fold(options, |options, (_, name, value)| options.set(name, value));
		match self.port.filter(|_| index == 0) {
			Some(port) => options
				.args(["--listen", &format!("/ip4/127.0.0.1/udp/{port}/quic-v1")])
				.args(["--listen", &format!("/ip4/127.0.0.1/tcp/{port}")]),
			None => options,
		}
	}

	/// What starts the verifier that has this index among all workers. It serves the first layer alone,
	/// with which nobody plans where no other begins with the second: so it is never a party.
	pub fn verifier(&self, index: usize) -> Options {
		let layers = LayerRange { first: 0, end: 1 };
		self.worker(index, layers).arg("--audit").set("--stake", VERIFIER_STAKE)
	}

	/// What starts the gateway.
	pub fn gateway(&self) -> Options {
		let options =
			Options::gateway("//Dave").args(["--package", &self.package.display().to_string()]);
		self.gateway_args.iter().fold(options, |options, (name, value)| options.set(name, value))
	}
}

/// The package that comes with the project.
pub fn shipped() -> PathBuf {
	let root = std::env::var_os("ARIA_ROOT").map(PathBuf::from);
	let root = root.unwrap_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/..")));
	root.join("models").join(SHIPPED)
}

/// The manifest of the package in a folder.
///
/// # Errors
/// When there is none.
pub fn manifest(package: &Path) -> Result<Manifest> {
	let path = package.join("manifest.scale");
	let bytes = fs::read(&path).with_context(|| format!("{}", path.display()))?;
	Manifest::from_bytes(&bytes).map_err(|error| anyhow!("{}: {error:?}", path.display()))
}

/// All layers in so many parts, each as near to its share as shards allow; by layers where there are
/// fewer shards than parts. `None` if there are fewer layers too.
fn divide(manifest: &Manifest, parts: u16) -> Option<Vec<LayerRange>> {
	let shards: Vec<u16> = manifest.shards.iter().map(|shard| shard.end).collect();
	let ends =
		if shards.len() >= usize::from(parts) { shards } else { (1..=manifest.layers).collect() };
	let mut ranges = Vec::new();
	let (mut first, mut from) = (0, 0);
	for part in 1..=parts {
		// Each part that follows needs an end of its own.
		let until = ends.len().checked_sub(usize::from(parts.saturating_sub(part)))?;
		let goal = u32::from(manifest.layers) * u32::from(part) / u32::from(parts);
		let (index, end) = (0..until)
			.zip(&ends)
			.skip(from)
			.min_by_key(|(_, end)| u32::from(**end).abs_diff(goal))?;
		ranges.push(LayerRange { first, end: *end });
		(first, from) = (*end, index.saturating_add(1));
	}
	Some(ranges)
}

/// A name that the chain takes, out of the folder's.
fn alias_of(package: &Path) -> String {
	let (least, most) = ALIAS_BYTES;
	let name = package.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
	let allowed = |letter: char| match letter {
		'a'..='z' | '0'..='9' | '.' | '-' => letter,
		_ => '-',
	};
	let name: String = name.chars().map(allowed).take(most).collect();
	let begins = name.starts_with(|letter: char| letter.is_ascii_lowercase());
	if begins && name.len() >= least {
		return name;
	}
	let prefixed = format!("model-{name}");
	prefixed.chars().take(most).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;

	fn ranges(manifest: &Manifest, parts: u16) -> Option<Vec<(u16, u16)>> {
		let ranges = divide(manifest, parts)?;
		Some(ranges.iter().map(|range| (range.first, range.end)).collect())
	}

	#[test]
	fn the_shipped_model_should_be_divided_along_its_shards() {
		let spec = Spec::divided(&shipped(), 3).unwrap();

		assert_eq!(spec.layers, Spec::thirds().layers);
		assert_eq!(spec.alias, SHIPPED);
		assert_eq!(spec.replica(1).layers.last(), Some(&LayerRange { first: 2, end: 4 }));
	}

	#[test]
	fn parts_should_be_as_equal_as_they_can_be() {
		let mut manifest = manifest(&shipped()).unwrap();

		assert_eq!(ranges(&manifest, 1), Some(vec![(0, 6)]));
		assert_eq!(ranges(&manifest, 2), Some(vec![(0, 2), (2, 6)]));
		// There are three shards.
		assert_eq!(ranges(&manifest, 4), Some(vec![(0, 1), (1, 3), (3, 4), (4, 6)]));
		assert_eq!(ranges(&manifest, 7), None);
		manifest.layers = 2;
		manifest.shards.truncate(1);
		assert_eq!(ranges(&manifest, 3), None);
	}

	#[test]
	fn a_folder_should_give_a_name_that_the_chain_takes() {
		for (folder, name) in [
			("/models/aria-wordnet", "aria-wordnet"),
			("/tmp/My Model_2B", "my-model-2b"),
			("/tmp/7b", "model-7b"),
			("/tmp/m", "model-m"),
		] {
			assert_eq!(alias_of(Path::new(folder)), name);
		}
		assert_eq!(alias_of(Path::new(&format!("/tmp/{}", "9".repeat(90)))).len(), 64);
	}
}
