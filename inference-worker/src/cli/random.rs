//! `aria-worker model random`: a package of random weights.

use super::common::{self, bytes};
use anyhow::{bail, ensure, Context, Result};
use aria_engine::{
	model::random::{write_random_package, RandomShape},
	package::Package,
};
use aria_primitives::manifest::{Architecture, Encoding, Gate, Head};
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// Write a model with random weights
///
/// The weights follow from shape and seed: two machines make the same model, to measure or to test
/// with. Prints the model's id.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  aria-worker model random --shape 2b4t /tmp/2b4t
  aria-worker model random --shape tiny --layers 5 --shards 2 --seed 7 /tmp/tiny
  aria-worker model random --shape custom --hidden 512 --feed-forward 1536 --layers 8 --heads 8 \\
    --kv-heads 2 --head-dim 64 --vocab 4096 /tmp/small")]
pub struct RandomArgs {
	/// Folder to write, which must not hold a package yet
	#[arg(value_name = "OUT")]
	out: PathBuf,

	/// Dimensions to begin with: of BitNet b1.58 2B4T, of a test, or none. The flags below change
	/// single ones
	#[arg(long, value_enum, default_value = "tiny")]
	shape: Shape,

	/// Seed of the weights
	#[arg(long, value_name = "N", default_value_t = 0)]
	seed: u64,

	/// Files that the layers are divided among
	#[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64))]
	shards: Option<u16>,

	/// Width of the residual stream
	#[arg(long, value_name = "N")]
	hidden: Option<u32>,

	/// Width of the feed-forward block
	#[arg(long, value_name = "N")]
	feed_forward: Option<u32>,

	/// Layers
	#[arg(long, value_name = "N")]
	layers: Option<u16>,

	/// Query heads
	#[arg(long, value_name = "N")]
	heads: Option<u16>,

	/// Key and value heads; divides --heads
	#[arg(long, value_name = "N")]
	kv_heads: Option<u16>,

	/// Values of a head; even
	#[arg(long, value_name = "N")]
	head_dim: Option<u16>,

	/// Entries of the vocabulary; with 258 or more the package can write text
	#[arg(long, value_name = "N")]
	vocab: Option<u32>,

	/// Positions
	#[arg(long, value_name = "N")]
	context: Option<u32>,

	/// Base of the rotary embedding
	#[arg(long, value_name = "N")]
	rope_theta: Option<u32>,

	/// Graph of a layer: with sub-norms, as BitNet b1.58, or without
	#[arg(long, value_enum)]
	architecture: Option<ArchitectureName>,

	/// Gate of the feed-forward block
	#[arg(long, value_enum)]
	gate: Option<GateName>,

	/// A head of its own instead of the embedding
	#[arg(long)]
	untied: bool,

	/// Five ternary values a byte in the files instead of four
	#[arg(long)]
	dense: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Shape {
	/// BitNet b1.58 2B4T: 2.4 billion parameters, 0.9 GB
	#[value(name = "2b4t")]
	Bitnet2b4t,
	/// A few hundred thousand parameters
	Tiny,
	/// Each dimension is given by a flag
	Custom,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ArchitectureName {
	Bitnet,
	Llama,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum GateName {
	SquaredRelu,
	Silu,
}

/// Runs the command.
pub fn run(args: RandomArgs) -> Result<()> {
	let shape = args.shape()?;
	let bar = common::progress("writing", "weights");
	let manifest = write_random_package(&args.out, &shape, args.seed, &mut |done, total| {
		bar.set_length(total);
		bar.set_position(done);
	})?;
	bar.finish_and_clear();
	// Reading it back checks the headers that were just written.
	let package = Package::open(&args.out)
		.with_context(|| format!("what was written to {} does not open", args.out.display()))?;
	let mut stored = 0;
	for name in package.files_present() {
		stored += std::fs::metadata(args.out.join(&name)).map_or(0, |file| file.len());
	}
	say!("{:?}", manifest.model_id());
	eprintln!("{} in {}", bytes(stored), args.out.display());
	Ok(())
}

impl RandomArgs {
	fn shape(&self) -> Result<RandomShape> {
		let mut shape = match self.shape {
			Shape::Bitnet2b4t => RandomShape::bitnet_2b4t(),
			Shape::Tiny => tiny(),
			Shape::Custom => {
				let missing: Vec<&str> = [
					("--hidden", self.hidden.is_none()),
					("--feed-forward", self.feed_forward.is_none()),
					("--layers", self.layers.is_none()),
					("--heads", self.heads.is_none()),
					("--kv-heads", self.kv_heads.is_none()),
					("--head-dim", self.head_dim.is_none()),
					("--vocab", self.vocab.is_none()),
				]
				.into_iter()
				.filter_map(|(flag, missing)| missing.then_some(flag))
				.collect();
				ensure!(missing.is_empty(), "--shape custom also needs {}", missing.join(", "));
				tiny()
			}
		};
		set(&mut shape.hidden, self.hidden);
		set(&mut shape.feed_forward, self.feed_forward);
		set(&mut shape.layers, self.layers);
		set(&mut shape.heads, self.heads);
		set(&mut shape.kv_heads, self.kv_heads);
		set(&mut shape.head_dim, self.head_dim);
		set(&mut shape.vocab, self.vocab);
		set(&mut shape.context, self.context);
		set(&mut shape.rope_theta, self.rope_theta);
		shape.shards = self.shards.unwrap_or(shape.shards.min(shape.layers));
		set(
			&mut shape.gate,
			self.gate.map(|gate| match gate {
				GateName::SquaredRelu => Gate::SquaredRelu,
				GateName::Silu => Gate::Silu,
			}),
		);
		if let Some(architecture) = self.architecture {
			let bitnet = architecture == ArchitectureName::Bitnet;
			shape.sub_norms = bitnet;
			shape.architecture =
				if bitnet { Architecture::BitnetB158 } else { Architecture::LlamaTernary };
		}
		if self.untied {
			shape.head = Head::Untied;
		}
		if self.dense {
			shape.encodings.linear = Encoding::Ternary5;
		}
		if shape.shards > shape.layers {
			bail!("--shards {}: the model has {} layers", shape.shards, shape.layers);
		}
		Ok(shape)
	}
}

fn set<T>(field: &mut T, value: Option<T>) {
	if let Some(value) = value {
		*field = value;
	}
}

/// Small enough for a test, and with more than one of everything.
fn tiny() -> RandomShape {
	RandomShape {
		hidden: 128,
		feed_forward: 320,
		layers: 4,
		heads: 4,
		kv_heads: 2,
		head_dim: 32,
		vocab: 258,
		context: 512,
		rope_theta: 10_000,
		shards: 2,
		..RandomShape::bitnet_2b4t()
	}
}
