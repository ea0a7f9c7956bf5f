//! `aria-worker model`: packages on disk, and on chain.

use super::{
	card,
	common::{self, bytes, grouped, ModelArgs},
	eval, find, random, register,
};
use anyhow::Result;
use aria_engine::package::{self, Package};
use clap::{Args, Subcommand};
use serde_json::json;
use std::{fs, path::PathBuf};

// What a command does is said at its arguments.
#[derive(Subcommand)]
pub enum Command {
	Random(random::RandomArgs),
	Inspect(InspectArgs),
	Verify(VerifyArgs),
	Split(SplitArgs),
	Eval(eval::EvalArgs),
	Card(card::CardArgs),
	Register(register::RegisterArgs),
}

/// Show a model's dimensions, sizes, shards and id
#[derive(Args)]
pub struct InspectArgs {
	/// Folder of the package [default: ARIA_MODEL, or the embedded model]
	dir: Option<PathBuf>,

	/// Print the manifest and the numbers as JSON
	#[arg(long)]
	json: bool,
}

/// Hash every chunk of a package and compare with the manifest's Merkle roots
///
/// Every value is checked too. A package that holds only some shards is checked as far as it goes.
#[derive(Args)]
pub struct VerifyArgs {
	/// Folder of the package [default: ARIA_MODEL, or the embedded model]
	dir: Option<PathBuf>,

	/// Also fail if a file of the model is missing
	#[arg(long)]
	complete: bool,

	/// Also fail if this is not the model's id
	#[arg(long, value_name = "HEX")]
	model_id: Option<String>,
}

/// Write a package for each shard of a model, as workers fetch them
///
/// Each part holds its layers, the first and the last also embedding and head, and can be verified by
/// itself.
#[derive(Args)]
pub struct SplitArgs {
	/// Folder of the package
	dir: PathBuf,

	/// Folder for the parts
	out: PathBuf,
}

/// Runs a command.
pub fn run(command: Command) -> Result<()> {
	match command {
		Command::Random(args) => random::run(args),
		Command::Inspect(args) => inspect(args),
		Command::Verify(args) => verify(args),
		Command::Split(args) => split(args),
		Command::Eval(args) => eval::run(args),
		Command::Card(args) => card::run(args),
		Command::Register(args) => register::run(args),
	}
}

fn open(dir: Option<PathBuf>) -> Result<Package> {
	// The same order as --model: a folder that was named, ARIA_MODEL, the embedded model.
	let dir = dir.or_else(|| std::env::var_os("ARIA_MODEL").map(PathBuf::from));
	ModelArgs { model: dir }.open()
}

fn inspect(args: InspectArgs) -> Result<()> {
	let package = open(args.dir)?;
	let manifest = &package.manifest;
	let sizes = Sizes::of(&package)?;
	if args.json {
		let report = json!({
			"model_id": format!("{:?}", package.model_id()),
			"dir": package.dir,
			"manifest": manifest,
			"manifest_bytes": manifest.to_bytes().len(),
			"parameters": sizes.parameters,
			"active_parameters": manifest.active_parameters(),
			"stored_bytes": sizes.stored,
			"files": package.files_present(),
			"missing": package.files_missing(),
		});
		say!("{}", serde_json::to_string_pretty(&report)?);
		return Ok(());
	}
	say!("model id           {:?}", package.model_id());
	say!("folder             {}", package.dir.display());
	say!(
		"architecture       {:?}, gate {:?}, head {:?}",
		manifest.architecture,
		manifest.gate,
		manifest.head
	);
	say!("attention          {:?}", manifest.attention);
	say!("layers             {}", manifest.layers);
	say!("hidden             {}", manifest.hidden);
	say!("feed-forward       {}", manifest.feed_forward);
	say!("vocabulary         {}", grouped(manifest.vocab.into()));
	say!("context            {} positions", grouped(manifest.context.into()));
	say!("rotary base        {}", grouped(manifest.rope_theta.into()));
	say!("norm epsilon       {:e}", f32::from_bits(manifest.norm_epsilon_bits));
	say!("numerics           version {}", manifest.numerics_version);
	say!("begin, end         {:?}, {:?}", manifest.bos, manifest.eos.to_vec());
	say!("parameters         {}", grouped(sizes.parameters));
	say!("  active a token   {}", grouped(manifest.active_parameters()));
	say!(
		"manifest           {} bytes, {} tensors",
		manifest.to_bytes().len(),
		manifest.tensors.len()
	);
	for (name, stored) in &sizes.encodings {
		say!("  {name:<16} {}", bytes(*stored));
	}
	say!("weights            {}", bytes(sizes.stored));
	say!("shards             {}", manifest.shards.len());
	for (index, shard) in manifest.shards.iter().enumerate() {
		say!("  {index:<3} layers {}..{}", shard.first, shard.end);
	}
	for name in package.files_present() {
		let length = fs::metadata(package.dir.join(&name)).map_or(0, |file| file.len());
		say!("{name:<24} {}", bytes(length));
	}
	for name in package.files_missing() {
		say!("{name:<24} not here");
	}
	Ok(())
}

/// What the whole model comes to, whether its files are here or not.
struct Sizes {
	/// Weights, norms included.
	parameters: u64,
	/// Bytes of all tensors as they are stored.
	stored: u64,
	/// The same for each encoding that occurs.
	encodings: Vec<(String, u64)>,
}

impl Sizes {
	fn of(package: &Package) -> Result<Self> {
		let manifest = &package.manifest;
		let mut sizes = Self { parameters: 0, stored: 0, encodings: Vec::new() };
		for layout in package::layout::layouts(manifest)? {
			let stored = layout.len as u64;
			sizes.parameters += layout.rows as u64 * layout.cols as u64;
			sizes.stored += stored;
			let name = format!("{:?}", layout.encoding);
			match sizes.encodings.iter_mut().find(|(known, _)| *known == name) {
				Some((_, sum)) => *sum += stored,
				None => sizes.encodings.push((name, stored)),
			}
		}
		Ok(sizes)
	}
}

fn verify(args: VerifyArgs) -> Result<()> {
	let package = open(args.dir)?;
	if let Some(expected) = &args.model_id {
		let id = format!("{:?}", package.model_id());
		let expected = expected.trim_start_matches("0x").to_lowercase();
		anyhow::ensure!(
			id.trim_start_matches("0x") == expected,
			"--model-id: the model in {} is {id}",
			package.dir.display()
		);
	}
	if args.complete {
		package.require_complete()?;
	}
	let bar = common::progress("verifying", "bytes");
	let report = package.verify(&mut |done, total| {
		bar.set_length(total);
		bar.set_position(done);
	})?;
	bar.finish_and_clear();
	say!("model {:?}", report.model_id);
	say!(
		"{} tensors, {}, in {} are what the manifest says",
		report.tensors,
		bytes(report.bytes),
		report.files.join(", ")
	);
	if !report.missing.is_empty() {
		say!("not here: {}", report.missing.join(", "));
	}
	Ok(())
}

fn split(args: SplitArgs) -> Result<()> {
	let package = common::open(find::model(Some(args.dir))?)?;
	let bar = common::progress("splitting", "bytes");
	let report = package::split(&package, &args.out, &mut |done, total| {
		bar.set_length(total);
		bar.set_position(done);
	})?;
	bar.finish_and_clear();
	for folder in &report.folders {
		say!("{}", folder.display());
	}
	eprintln!(
		"{} of weights in {} files, {} of which are links to those of the package",
		bytes(report.bytes),
		report.linked + report.copied,
		report.linked
	);
	Ok(())
}
