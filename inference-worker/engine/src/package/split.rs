//! One folder a shard: what a worker needs that holds only some layers.

use super::{
	fault,
	layout::{shard_file, MANIFEST_FILE, MANIFEST_VIEW, TEMPLATE_FILE, TOKENIZER_FILE},
	source::Bytes,
	write::io_error,
	Package, WeightFile,
};
use crate::error::Result;
use std::{
	fs::{self, File},
	io::{self, Write},
	path::{Path, PathBuf},
};

const PIECE: usize = 1 << 20;

/// What [`split`] made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SplitReport {
	/// The folders, by shard: `shard-000`, `shard-001`, …
	pub folders: Vec<PathBuf>,
	/// Bytes of weights in them altogether.
	pub bytes: u64,
	/// Files of weights that share their bytes with the package, by hard links.
	pub linked: usize,
	/// Files of weights that were copied, because a link was not possible.
	pub copied: usize,
}

/// Makes a partial package of each shard in folder `out`: manifest, tokenizer, chat template, the
/// shard's file, and the common tensors for the first shard and the last. `progress` is called with
/// the bytes of weights done and altogether, first with 0.
///
/// # Errors
/// A file that is missing in the package, a folder that is there already, what the system refuses.
pub fn split(
	package: &Package,
	out: &Path,
	progress: &mut dyn FnMut(u64, u64),
) -> Result<SplitReport> {
	package.require_complete()?;
	let shards = package.manifest.shards.len();
	let mut plan = Vec::new();
	for shard in 0..shards {
		let common = shard == 0 || shard + 1 == shards;
		let files = package.files.iter().enumerate();
		plan.push(files.filter(move |(index, _)| *index == shard + 1 || (*index == 0 && common)));
	}
	let mut total = 0u64;
	for (_, file) in plan.iter().cloned().flatten() {
		total += length(file)?;
	}
	let mut report = SplitReport { folders: Vec::new(), bytes: 0, linked: 0, copied: 0 };
	progress(0, total);
	fs::create_dir_all(out).map_err(io_error(out))?;
	for (shard, files) in plan.into_iter().enumerate() {
		let name = shard_file(shard);
		let folder = out.join(name.trim_end_matches(".safetensors"));
		fs::create_dir(&folder).map_err(|error| match error.kind() {
			io::ErrorKind::AlreadyExists => {
				fault(folder.display(), "folder", "is there already; choose another or remove it")
			}
			_ => io_error(&folder)(error),
		})?;
		for (_, file) in files {
			if place(package, file, &folder, progress, (report.bytes, total))? {
				report.linked += 1;
			} else {
				report.copied += 1;
			}
			report.bytes += length(file)?;
			progress(report.bytes, total);
		}
		// The manifest comes last: a folder without one is no package.
		let manifest = package.manifest.to_bytes();
		let view = serde_json::to_vec_pretty(&package.manifest)
			.map_err(|error| fault(folder.join(MANIFEST_VIEW).display(), "json", error))?;
		for (name, bytes) in [
			(TOKENIZER_FILE, package.tokenizer()),
			(TEMPLATE_FILE, package.chat_template().as_bytes()),
			(MANIFEST_VIEW, view.as_slice()),
			(MANIFEST_FILE, manifest.as_slice()),
		] {
			let path = folder.join(name);
			fs::write(&path, bytes).map_err(io_error(&path))?;
		}
		report.folders.push(folder);
	}
	Ok(report)
}

fn length(file: &WeightFile) -> Result<u64> {
	let bytes = file.bytes.as_ref().map(|bytes| bytes.get(&file.label)).transpose()?;
	Ok(bytes.map_or(0, |bytes| bytes.len() as u64))
}

/// Puts a file of weights into `folder`; says whether by a link.
fn place(
	package: &Package,
	file: &WeightFile,
	folder: &Path,
	progress: &mut dyn FnMut(u64, u64),
	(done, total): (u64, u64),
) -> Result<bool> {
	let target = folder.join(&file.name);
	if let Some(Bytes::Mapped(_)) = &file.bytes {
		if fs::hard_link(package.dir.join(&file.name), &target).is_ok() {
			return Ok(true);
		}
	}
	let Some(bytes) = &file.bytes else {
		return Err(fault(&file.label, "file", "is missing"));
	};
	let mut out = File::create_new(&target).map_err(io_error(&target))?;
	let mut copied = done;
	for piece in bytes.get(&file.label)?.chunks(PIECE) {
		out.write_all(piece).map_err(io_error(&target))?;
		copied += piece.len() as u64;
		progress(copied, total);
	}
	out.sync_all().map_err(io_error(&target))?;
	bytes.release(0..usize::try_from(length(file)?).unwrap_or(usize::MAX));
	Ok(false)
}
