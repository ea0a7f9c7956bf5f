//! What parties of a dispute post: traces against the plain model, one changed value found where it is,
//! and stages with other weights caught at their matrix by sums that the chain computes.
#![allow(clippy::unwrap_used)]

mod audit_support;
mod support;

use aria_engine::{
	audit::{
		dispute::{leaves, prove_false, trace, Item, Trace},
		run, Subject,
	},
	kernels::available,
	model::{random::RandomShape, Cancel, Input},
	numerics::{
		reference::{self, Cache, Layer, Matrix as Plainly, Shape},
		rope::{rotate, RopeTable},
	},
	package::{tensor_name, Encodings, Package},
};
use aria_math::bitlinear::{sums, Packing};
use aria_primitives::{
	audit::FindingKind,
	dispute::{
		block_hash, input_bytes, is_disputable, item_count, sums_of, BlockProof, Fork, Matrix,
		Pair, ProofFault, ITEMS_PER_LAYER,
	},
	hashing::merkle_root,
	manifest::{Encoding, Manifest, TensorRole},
	query::Sampling,
	record::{boundary, LayerRange},
};
use audit_support::{tiny_shape, Lie, Made, Plain, Stages, Town};
use std::{collections::BTreeMap, fs};
use support::{folder, random_package, random_shape, reference::reference, Random};

const OUTPUT: [u8; 32] = [9; 32];
/// The matrices of a layer.
const MATRICES: [TensorRole; 7] = [
	TensorRole::Query,
	TensorRole::Key,
	TensorRole::Value,
	TensorRole::AttentionOutput,
	TensorRole::Gate,
	TensorRole::Up,
	TensorRole::Down,
];

fn packing(encoding: Encoding) -> Packing {
	match encoding {
		Encoding::Ternary2 => Packing::Ternary2,
		Encoding::Ternary5 => Packing::Ternary5,
		other => panic!("{other:?} is not ternary"),
	}
}

/// Whether the chain finds that the block of a proof is none.
fn is_false(matrix: &Matrix, proof: &BlockProof) -> bool {
	let sums = sums(packing(matrix.encoding), &proof.weights, proof.values()).unwrap();
	block_hash(&sums) != proof.hash
}

fn plain_sums(matrix: &Plainly, q: &[i8]) -> Vec<i32> {
	let Plainly::Ternary { cols, weights, .. } = matrix else {
		panic!("layers are ternary");
	};
	let product =
		|row: &[i8]| row.iter().zip(q).map(|(w, q)| i32::from(*w) * i32::from(*q)).sum::<i32>();
	weights.chunks_exact(*cols).map(product).collect()
}

/// One token through one layer of the plain model, with the items of a trace.
fn plain_layer(
	shape: &Shape,
	layer: &Layer,
	cache: &mut Cache,
	x: &[f32],
) -> (Vec<f32>, Vec<Vec<u8>>, Vec<Vec<i32>>) {
	let norm = |x: &[f32], gain: &[f32]| reference::rmsnorm(x, gain, shape.epsilon);
	let out = reference::layer(shape, layer, cache, x).unwrap();
	let (mut inputs, mut found) = (Vec::new(), Vec::new());
	let mut given = |x: &[f32], matrices: &[&Plainly]| {
		let (q, s) = reference::quantise(x).unwrap();
		inputs.push(input_bytes(s, &q));
		found.extend(matrices.iter().map(|matrix| plain_sums(matrix, &q)));
	};

	let a = norm(x, &layer.attention_norm);
	given(&a, &[&layer.query, &layer.key, &layer.value]);
	let mut q = layer.query.product(&a).unwrap();
	let half = shape.head_dim / 2;
	let (mut cos, mut sin) = (vec![0.0; half], vec![0.0; half]);
	let position = cache.keys.len() as u32 - 1;
	RopeTable::new(shape.theta, shape.head_dim).at(position, &mut cos, &mut sin);
	q.chunks_exact_mut(shape.head_dim).for_each(|head| rotate(head, &cos, &sin));
	let group = shape.heads / shape.kv_heads;
	let mut h = Vec::new();
	for (head, query) in q.chunks_exact(shape.head_dim).enumerate() {
		let range = head / group * shape.head_dim..(head / group + 1) * shape.head_dim;
		let keys: Vec<&[f32]> = cache.keys.iter().map(|key| &key[range.clone()]).collect();
		let values: Vec<&[f32]> = cache.values.iter().map(|value| &value[range.clone()]).collect();
		h.extend(reference::attention(query, &keys, &values));
	}
	if let Some(gain) = &layer.attention_sub_norm {
		h = norm(&h, gain);
	}
	given(&h, &[&layer.attention_output]);
	let o = layer.attention_output.product(&h).unwrap();
	let x: Vec<f32> = x.iter().zip(&o).map(|(x, o)| x + o).collect();

	let b = norm(&x, &layer.feed_forward_norm);
	given(&b, &[&layer.gate, &layer.up]);
	let (g, u) = (layer.gate.product(&b).unwrap(), layer.up.product(&b).unwrap());
	let mut f: Vec<f32> =
		g.iter().zip(&u).map(|(g, u)| reference::activate(shape.gate, *g) * u).collect();
	if let Some(gain) = &layer.feed_forward_sub_norm {
		f = norm(&f, gain);
	}
	given(&f, &[&layer.down]);
	(out, inputs, found)
}

/// The items of `layers` for the last of `tokens`, by the plain model.
fn plain_trace(package: &Package, layers: LayerRange, tokens: &[u32]) -> Trace {
	let model = reference(package);
	let mut caches = model.caches();
	let mut items = Vec::new();
	for token in tokens {
		items.clear();
		let mut x = model.embedding.row(*token as usize).unwrap();
		for (number, (layer, cache)) in (0u16..).zip(model.layers.iter().zip(&mut caches)) {
			let (out, inputs, found) = plain_layer(&model.shape, layer, cache, &x);
			x = out;
			if !layers.contains(&LayerRange { first: number, end: number + 1 }) {
				continue;
			}
			let (mut inputs, mut found) = (inputs.into_iter(), found.into_iter());
			for place in 0..ITEMS_PER_LAYER {
				let item = u32::from(number - layers.first) * ITEMS_PER_LAYER + place;
				items.push(match sums_of(&layers, item) {
					None => Item::Input(inputs.next().unwrap()),
					Some(at) => {
						let matrix = Matrix::of(&package.manifest, at.layer, at.role).unwrap();
						Item::sums(&matrix, found.next().unwrap())
					}
				});
			}
		}
	}
	Trace { layers, items }
}

#[test]
fn a_trace_should_be_what_the_plain_model_computes_on_every_kernel() {
	let mut random = Random(41);
	for round in 0..12 {
		let mut shape = random_shape(&mut random);
		// A vocabulary with all bytes, so that there is a tokenizer for the answer.
		shape.vocab = shape.vocab.max(300);
		let linear = [Encoding::Ternary2, Encoding::Ternary5][round % 2];
		shape.encodings = Encodings { linear, ..shape.encodings };
		let town = Town::new(random_package(&shape, round as u64));
		let package = &town.package.package;
		let last = shape.layers;
		let cut = random.between(1, usize::from(last)) as u16;
		let cuts: Vec<u16> = [cut, last].into_iter().take(1 + usize::from(cut < last)).collect();
		let query = town.query(&[65, 66, 67, 68, 69], Sampling::GREEDY, 3);
		let mut stages = Stages::new(package, "scalar");
		let made = town.make(&mut stages, &query, &cuts, None);
		let subject = made.subject(&town);
		let fed: Vec<u32> = query.prompt_tokens.iter().chain(&made.tokens).copied().collect();
		for index in 1..=cuts.len() as u16 {
			let layers = made.body.stages[usize::from(index) - 1].layers;
			for position in [0, subject.positions() / 2, subject.positions() - 1] {
				let expected = plain_trace(package, layers, &fed[..=position as usize]);
				for kernel in available() {
					let mut plain = Plain::new(package, kernel, 3);
					let found =
						trace(&subject, &package.manifest, index, position, &mut plain).unwrap();
					assert!(found == expected, "{kernel}, {shape:?}, {layers:?}, {position}");
				}
				check_sums(package, &expected);
			}
		}
	}
}

/// That the chain computes the same sums of every block out of the stored bytes.
fn check_sums(package: &Package, trace: &Trace) {
	assert_eq!(trace.items.len(), item_count(&trace.layers) as usize);
	for item in 0..item_count(&trace.layers) {
		let Some(at) = sums_of(&trace.layers, item) else { continue };
		let matrix = Matrix::of(&package.manifest, at.layer, at.role).unwrap();
		let view = package.tensor(Some(at.layer), at.role).unwrap();
		let values = &trace.input(at.input).unwrap()[4..];
		let mut all = Vec::new();
		for chunk in view.chunks().take(matrix.blocks as usize) {
			all.extend(sums(packing(matrix.encoding), chunk, values).unwrap());
		}
		assert_eq!(trace.sums(item), Some(all.as_slice()), "{at:?}");
		assert_eq!(trace.blocks(item).unwrap().len(), matrix.blocks as usize);
	}
}

/// A model whose matrices have several blocks of rows.
fn wide_shape() -> RandomShape {
	RandomShape {
		hidden: 288,
		feed_forward: 1_300,
		layers: 3,
		heads: 3,
		kv_heads: 1,
		head_dim: 96,
		vocab: 300,
		context: 64,
		shards: 1,
		..RandomShape::bitnet_2b4t()
	}
}

fn honest(town: &Town, cuts: &[u16]) -> Made {
	let query = town.query(&[65, 66, 67, 68], Sampling::GREEDY, 4);
	let mut stages = Stages::new(&town.package.package, "scalar");
	town.make(&mut stages, &query, cuts, None)
}

#[test]
fn one_changed_value_should_be_found_in_its_item_and_its_block() {
	for linear in [Encoding::Ternary2, Encoding::Ternary5] {
		let shape = wide_shape();
		let encodings = Encodings { linear, ..shape.encodings };
		let town = Town::new(random_package(&RandomShape { encodings, ..shape }, 3));
		let package = &town.package.package;
		let made = honest(&town, &[1, 3]);
		let subject = made.subject(&town);
		let mut plain = Plain::new(package, "scalar", 64);
		let right = trace(&subject, &package.manifest, 2, 3, &mut plain).unwrap();
		let mut several = false;
		for item in 0..item_count(&right.layers) {
			let mut wrong = right.clone();
			let at = sums_of(&right.layers, item);
			let row = match &mut wrong.items[item as usize] {
				Item::Input(bytes) => {
					let last = bytes.len() - 1;
					bytes[last] ^= 1;
					None
				}
				Item::Sums { sums, .. } => {
					let row = sums.len() - 2;
					sums[row] += 1;
					let at = at.unwrap();
					let matrix = Matrix::of(&package.manifest, at.layer, at.role).unwrap();
					let sums = sums.clone();
					wrong.items[item as usize] = Item::sums(&matrix, sums);
					several |= matrix.blocks > 1;
					Some((matrix, row as u32))
				}
			};
			let fork = Fork::between(&right.hashes(), &wrong.hashes()).unwrap();
			let traces = Pair { executor: right.root(), accuser: wrong.root() };
			assert_eq!(fork.index, item);
			assert!(fork.is_first(&traces, item_count(&right.layers)), "{item}");
			let Some((matrix, row)) = row else {
				assert_eq!(at, None);
				continue;
			};
			let (input, items) = (at.unwrap().input, item_count(&right.layers));
			let prove = |mine: &Trace, theirs: &Trace| {
				let blocks = theirs.blocks(item).unwrap();
				prove_false(package, mine, item, blocks, &right.hashes()).unwrap().unwrap()
			};
			let proof = prove(&right, &wrong);
			let hash = &fork.accuser.hash;
			assert_eq!(proof.block, row / matrix.block_rows);
			assert_eq!(proof.check(&matrix, hash, &traces.executor, input, items), Ok(()));
			assert!(is_false(&matrix, &proof), "{at:?}");
			// Of who is right, the same shows nothing.
			let vain = prove(&wrong, &right);
			let hash = &fork.executor.hash;
			assert_eq!(vain.check(&matrix, hash, &traces.executor, input, items), Ok(()));
			assert!(!is_false(&matrix, &vain), "{at:?}");
			// There is nothing to say against what one has posted oneself.
			let own = right.blocks(item).unwrap();
			assert_eq!(prove_false(package, &right, item, own, &right.hashes()).unwrap(), None);
			assert!(prove_false(package, &right, item, &own[1..], &right.hashes()).is_err());
			assert!(prove_false(package, &right, input, own, &right.hashes()).is_err());
		}
		assert!(several, "no matrix has several blocks");
	}
}

/// The package with one matrix turned around: each weight is its opposite.
fn turned(package: &Package, layer: u16, role: TensorRole) -> Package {
	let mut files = BTreeMap::new();
	for entry in fs::read_dir(&package.dir).unwrap() {
		let path = entry.unwrap().path();
		let name = path.file_name().unwrap().to_str().unwrap().to_owned();
		files.insert(name, fs::read(&path).unwrap());
	}
	let name = tensor_name(Some(layer), role);
	let ternary2 = package.tensor(Some(layer), role).unwrap().encoding == Encoding::Ternary2;
	let turn = if ternary2 { 0b1010_1010 } else { 242 };
	let mut found = false;
	for (_, file) in files.iter_mut().filter(|(name, _)| name.ends_with(".safetensors")) {
		let (length, rest) = file.split_at_mut(8);
		let length = u64::from_le_bytes(length.try_into().unwrap()) as usize;
		let (header, data) = rest.split_at_mut(length);
		let header: serde_json::Value = serde_json::from_slice(header).unwrap();
		let Some(offsets) = header[&name]["data_offsets"].as_array() else { continue };
		let offset = |place: usize| offsets[place].as_u64().unwrap() as usize;
		// The scale stands behind the rows.
		for byte in &mut data[offset(0)..offset(1) - 4] {
			*byte = turn - *byte;
		}
		found = true;
	}
	assert!(found, "no tensor {name}");
	Package::from_memory(files).unwrap()
}

/// Both parties of a dispute over the boundary behind stage `stage` whose executor has other weights:
/// which sums are the first that differ, and what each side can prove.
fn dispute(town: &Town, cuts: &[u16], stage: u16, layer: u16, role: TensorRole) {
	let package = &town.package.package;
	let other = turned(package, layer, role);
	let prompt = [65, 66, 67, 68, 69, 70];
	let query = town.query(&prompt, Sampling::GREEDY, 4);
	let mut stages = Stages::new(package, "scalar").with_other(&other);
	let made = town.make(&mut stages, &query, cuts, Some((Lie::Weights, stage)));
	let subject: Subject<'_> = made.subject(town);
	let index = stage + 1;
	let what = format!("{role:?} of layer {layer}, stage {stage} of {cuts:?}");

	// The verifier's finding.
	let folder = folder();
	let mut plain = Plain::new(package, "scalar", 64);
	let spool = folder.path().join("spool");
	let found = run(&subject, &town.tokenizer, &OUTPUT, &spool, &mut plain).unwrap();
	let FindingKind::Boundary { index: at, root } = found.finding() else {
		panic!("{what}: {:?}", found.finding());
	};
	assert_eq!(at, index, "{what}");

	// Each side says again what it said before.
	let mut executor = Plain::new(&other, "scalar", 5);
	let mut accuser = Plain::new(package, "scalar", 7);
	let mine = leaves(&subject, index, &mut executor).unwrap();
	let theirs = leaves(&subject, index, &mut accuser).unwrap();
	let made_root = merkle_root(&mine);
	let made_boundary = boundary(index, &made_root, &made.body.query_hash);
	assert_eq!(made_boundary, made.body.boundaries[usize::from(index)], "{what}");
	assert_eq!(merkle_root(&theirs), root, "{what}");
	let fork = Fork::between(&mine, &theirs).unwrap();
	let position = subject.position(index, fork.index);

	let manifest = &package.manifest;
	let one = trace(&subject, manifest, index, position, &mut executor).unwrap();
	let two = trace(&subject, manifest, index, position, &mut accuser).unwrap();
	let fork = Fork::between(&one.hashes(), &two.hashes()).unwrap();
	let at = sums_of(&one.layers, fork.index).unwrap();
	assert_eq!((at.layer, at.role), (layer, role), "{what}");

	let matrix = Matrix::of(manifest, layer, role).unwrap();
	let items = one.hashes();
	let (root, count) = (one.root(), item_count(&one.layers));
	let blocks = |trace: &Trace| trace.blocks(fork.index).unwrap().to_vec();
	let proof = prove_false(package, &two, fork.index, &blocks(&one), &items).unwrap().unwrap();
	let checked = proof.check(&matrix, &fork.executor.hash, &root, at.input, count);
	assert_eq!(checked, Ok(()), "{what}");
	assert!(is_false(&matrix, &proof), "{what}");
	// Whoever has other weights shows that, and nothing else.
	let vain = prove_false(&other, &one, fork.index, &blocks(&two), &items).unwrap().unwrap();
	let checked = vain.check(&matrix, &fork.accuser.hash, &root, at.input, count);
	assert_eq!(checked, Err(ProofFault::Weights), "{what}");
}

#[test]
fn a_stage_with_another_matrix_should_be_caught_at_that_matrix() {
	for (linear, seed) in [(Encoding::Ternary2, 5), (Encoding::Ternary5, 6)] {
		let shape = tiny_shape();
		let encodings = Encodings { linear, ..shape.encodings };
		let town = Town::new(random_package(&RandomShape { encodings, ..shape }, seed));
		for role in MATRICES {
			dispute(&town, &[2, 4, 6], 0, 1, role);
			dispute(&town, &[2, 4, 6], 1, 2, role);
			dispute(&town, &[2, 4, 6], 2, 5, role);
		}
		dispute(&town, &[6], 0, 3, TensorRole::Up);
	}
}

#[test]
fn leaves_should_make_the_boundaries_of_an_honest_record() {
	let town = Town::new(random_package(&tiny_shape(), 5));
	let package = &town.package.package;
	for cuts in [&[6][..], &[1, 6], &[2, 4, 6]] {
		let made = honest(&town, cuts);
		let subject = made.subject(&town);
		for kernel in available() {
			for index in 1..=cuts.len() as u16 {
				let mut plain = Plain::new(package, kernel, 2);
				let leaves = leaves(&subject, index, &mut plain).unwrap();
				let root = merkle_root(&leaves);
				let expected = made.body.boundaries[usize::from(index)];
				assert_eq!(leaves.len(), subject.leaves(index) as usize);
				assert_eq!(boundary(index, &root, &made.body.query_hash), expected);
			}
		}
	}
}

#[test]
fn what_is_not_there_should_be_refused() {
	let town = Town::new(random_package(&tiny_shape(), 5));
	let package = &town.package.package;
	let made = honest(&town, &[2, 6]);
	let subject = made.subject(&town);
	let manifest = &package.manifest;
	let plain = || Plain::new(package, "scalar", 64);
	for index in [0, 3, u16::MAX] {
		assert!(leaves(&subject, index, &mut plain()).is_err());
		assert!(trace(&subject, manifest, index, 0, &mut plain()).is_err());
	}
	for position in [subject.positions(), u32::MAX] {
		assert!(trace(&subject, manifest, 1, position, &mut plain()).is_err());
	}
	// One token at a time is traced, and others are not worked on then.
	let mut session = support::load_plain(package).session(8).unwrap();
	assert!(session.traced(Input::Tokens(&[1, 2]), &Cancel::new()).is_err());
	assert_eq!(session.position(), 0);
	let products = session.traced(Input::Tokens(&[1]), &Cancel::new()).unwrap();
	assert_eq!((products.len(), session.position()), (4 * 6, 1));
	let mut ended = plain();
	ended.turns = Some(1);
	assert!(leaves(&subject, 2, &mut ended).is_err());

	let layers = LayerRange { first: 2, end: 6 };
	assert!(is_disputable(manifest, &layers, subject.leaves(1)));
	let other = Manifest { numerics_version: 2, ..manifest.clone() };
	assert!(!is_disputable(&other, &layers, subject.leaves(1)));
}
