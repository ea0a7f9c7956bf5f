//! Where a model is, if nobody says.

use anyhow::{bail, Result};
use std::{
	env,
	path::{Path, PathBuf},
};

/// The model that comes with the project.
pub const EMBEDDED: &str = "aria-wordnet";
/// What a package is known by.
const MANIFEST: &str = "manifest.scale";

/// The folder of the model: `given`, which is `--model` or `ARIA_MODEL`, else the embedded one, next
/// to the installed program or in the clone that it was built from.
pub fn model(given: Option<PathBuf>) -> Result<PathBuf> {
	match given {
		Some(dir) if dir.join(MANIFEST).is_file() => Ok(dir),
		Some(dir) if dir.is_dir() => bail!(
			"{} is no model package, it has no {MANIFEST}: name the folder of one with --model or \
			 ARIA_MODEL",
			dir.display()
		),
		Some(dir) => bail!(
			"{} is no folder: name that of a model package with --model or ARIA_MODEL",
			dir.display()
		),
		None => first(candidates(env::current_exe().ok().as_deref())),
	}
}

fn first(candidates: Vec<PathBuf>) -> Result<PathBuf> {
	if let Some(dir) = candidates.iter().find(|dir| dir.join(MANIFEST).is_file()) {
		return Ok(dir.clone());
	}
	let looked: Vec<String> = candidates.iter().map(|dir| dir.display().to_string()).collect();
	bail!(
		"the embedded model {EMBEDDED} is neither installed nor in a clone here; looked in {}. Name a \
		 model package with --model DIR or ARIA_MODEL, or make a random one with `aria-worker model \
		 random`",
		looked.join(" and ")
	)
}

/// `bin/aria-worker` lies beside `share/aria/models`. The other place is that of the sources at the
/// time of the build, which is there as long as the clone is.
fn candidates(program: Option<&Path>) -> Vec<PathBuf> {
	let installed = program
		.and_then(Path::parent)
		.and_then(Path::parent)
		.map(|prefix| prefix.join("share/aria/models").join(EMBEDDED));
	let clone = Path::new(env!("CARGO_MANIFEST_DIR"))
		.parent()
		.map(|workspace| workspace.join("models").join(EMBEDDED));
	installed.into_iter().chain(clone).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;
	use std::fs;

	#[test]
	fn installed_model_should_be_preferred() {
		let found = candidates(Some(Path::new("/opt/aria/bin/aria-worker")));
		assert_eq!(found.len(), 2);
		assert_eq!(found[0], Path::new("/opt/aria/share/aria/models/aria-wordnet"));
		assert!(found[1].ends_with("models/aria-wordnet"));
	}

	#[test]
	fn first_package_should_be_taken() {
		let dir = tempfile::tempdir().unwrap();
		let (empty, package) = (dir.path().join("empty"), dir.path().join("package"));
		fs::create_dir(&empty).unwrap();
		fs::create_dir(&package).unwrap();
		fs::write(package.join(MANIFEST), b"").unwrap();
		assert_eq!(first(vec![empty.clone(), package.clone()]).unwrap(), package);
		assert_eq!(model(Some(package.clone())).unwrap(), package);
		let error = first(vec![empty.clone()]).unwrap_err().to_string();
		assert!(error.contains("--model") && error.contains("empty"), "{error}");
		assert!(model(Some(empty)).unwrap_err().to_string().contains(MANIFEST));
		assert!(model(Some(dir.path().join("no"))).unwrap_err().to_string().contains("no folder"));
	}
}
