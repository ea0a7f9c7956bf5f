//! Reads a manifest, and says more about a bad one than the primitives' error does: which field.

use super::{
	fault,
	layout::{layer_of, tensor_name, MANIFEST_FILE},
};
use crate::error::{EngineError, Result};
use aria_primitives::manifest::{
	Attention, Manifest, ManifestError, MANIFEST_VERSION, MAX_LAYERS, MAX_MANIFEST_BYTES, NO_LAYER,
};
use codec::Decode;

/// Reads canonical bytes; `file` names them in an error.
///
/// # Errors
/// Whatever `docs/protocol/manifest.md` refuses, with the field.
pub fn read_manifest(file: &str, bytes: &[u8]) -> Result<Manifest> {
	Manifest::from_bytes(bytes).map_err(|error| {
		let (field, reason) = match Manifest::decode(&mut &*bytes) {
			Ok(manifest) if error != ManifestError::Malformed => explain(&manifest, error),
			_ => malformed(bytes),
		};
		fault(file, field, reason)
	})
}

/// As [`Manifest::check`], with the field, for a manifest that is being written.
///
/// # Errors
/// Whatever `docs/protocol/manifest.md` refuses.
pub(super) fn check_manifest(manifest: &Manifest) -> Result<()> {
	manifest.check().map_err(|error| {
		let (field, reason) = explain(manifest, error);
		fault(MANIFEST_FILE, field, reason)
	})?;
	let len = manifest.to_bytes().len();
	if len > MAX_MANIFEST_BYTES as usize {
		let reason = format!("{len} bytes; at most {MAX_MANIFEST_BYTES}: use fewer shards");
		return Err(fault(MANIFEST_FILE, "length", reason));
	}
	Ok(())
}

/// The same error, of another file.
pub(super) fn in_file<T>(file: &str, result: Result<T>) -> Result<T> {
	result.map_err(|error| match error {
		EngineError::Package { field, reason, .. } => {
			EngineError::Package { file: file.to_owned(), field, reason }
		}
		other => other,
	})
}

fn malformed(bytes: &[u8]) -> (String, String) {
	let mut input = bytes;
	if bytes.len() > MAX_MANIFEST_BYTES as usize {
		let reason = format!("{} bytes; at most {MAX_MANIFEST_BYTES}", bytes.len());
		return ("length".to_owned(), reason);
	}
	match Manifest::decode(&mut input) {
		Ok(_) => ("length".to_owned(), format!("{} bytes follow the manifest", input.len())),
		Err(error) => {
			let reason = format!("is no SCALE manifest, or one cut short: {error}");
			("bytes".to_owned(), reason)
		}
	}
}

/// The field that `error` is about, and what is wrong with it.
fn explain(manifest: &Manifest, error: ManifestError) -> (String, String) {
	let (field, reason) = match error {
		ManifestError::Malformed => ("bytes", "is no manifest".to_owned()),
		ManifestError::UnknownVersion => {
			("version", format!("is {}; this program reads {MANIFEST_VERSION}", manifest.version))
		}
		ManifestError::BadDimensions => dimension(manifest),
		ManifestError::BadTensors => return tensors(manifest),
		ManifestError::BadShards => return shards(manifest),
	};
	(field.to_owned(), reason)
}

fn dimension(manifest: &Manifest) -> (&'static str, String) {
	const LARGEST: u32 = 1 << 20;
	let sizes = [
		("hidden", manifest.hidden),
		("feed_forward", manifest.feed_forward),
		("vocab", manifest.vocab),
		("context", manifest.context),
	];
	for (field, value) in sizes {
		if value == 0 || value > LARGEST {
			return (field, format!("is {value}; it has to be 1 to {LARGEST}"));
		}
	}
	if manifest.layers == 0 || manifest.layers > MAX_LAYERS {
		return ("layers", format!("is {}; it has to be 1 to {MAX_LAYERS}", manifest.layers));
	}
	if manifest.rope_theta == 0 {
		return ("rope_theta", "is 0".to_owned());
	}
	let epsilon = f32::from_bits(manifest.norm_epsilon_bits);
	if !(epsilon.is_finite() && epsilon > 0.0) {
		return ("norm_epsilon_bits", format!("mean {epsilon}; it has to be finite and above 0"));
	}
	if manifest.numerics_version == 0 {
		return ("numerics_version", "is 0".to_owned());
	}
	let special = [("bos", manifest.bos.as_slice()), ("eos", &manifest.eos[..])];
	for (field, tokens) in special {
		if let Some(token) = tokens.iter().find(|token| **token >= manifest.vocab) {
			let reason = format!("token {token} is beyond the vocabulary of {}", manifest.vocab);
			return (field, reason);
		}
	}
	let reason = match manifest.attention {
		Attention::Gqa { heads, kv_heads, head_dim } => format!(
			"{heads} heads, {kv_heads} key heads of {head_dim}: none may be 0, the key heads divide \
			 the heads, and a head is even"
		),
		Attention::Mla { .. } => "a dimension but q_rank is 0, or rope_dim is odd".to_owned(),
	};
	("attention", reason)
}

fn tensors(manifest: &Manifest) -> (String, String) {
	let name = |layer: u16, role| tensor_name(layer_of(layer), role);
	let pairs = manifest.tensors.iter().zip(manifest.tensors.iter().skip(1));
	for (a, b) in pairs {
		if (a.layer, a.role) >= (b.layer, b.role) {
			let reason = format!("follows {}: tensors ascend", name(a.layer, a.role));
			return (name(b.layer, b.role), reason);
		}
	}
	let astray = |layer: u16| layer != NO_LAYER && layer >= manifest.layers;
	if let Some(tensor) = manifest.tensors.iter().find(|tensor| astray(tensor.layer)) {
		let reason = format!("the model has {} layers", manifest.layers);
		return (name(tensor.layer, tensor.role), reason);
	}
	let reason = format!(
		"one that is required is missing, an output matrix is there although the head is tied or \
		 the other way round, or one is in a layer and belongs to none, or the other way round \
		 ({} are listed)",
		manifest.tensors.len()
	);
	("tensors".to_owned(), reason)
}

fn shards(manifest: &Manifest) -> (String, String) {
	let mut next = 0;
	for (index, shard) in manifest.shards.iter().enumerate() {
		if shard.first != next || shard.end <= shard.first {
			let reason = format!(
				"is {}..{} and has to begin at {next} and hold a layer",
				shard.first, shard.end
			);
			return (format!("shards[{index}]"), reason);
		}
		next = shard.end;
	}
	("shards".to_owned(), format!("end at layer {next}, and the model has {}", manifest.layers))
}
