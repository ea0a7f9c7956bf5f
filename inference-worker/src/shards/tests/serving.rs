use super::town::{Manner, Town, Wire};
use crate::{
	limits::{Governor, Limits},
	shards::{serve, serve_peer, PackageStore},
};
use aria_engine::package::layout::layouts;
use aria_network::wire::{
	frame,
	shard::{ShardAnswer, ShardRequest, SmallFile, MAX_ANSWER, PART},
};
use aria_primitives::{
	hashing::{leaf_hash, sha256, verify_merkle_proof},
	ModelId,
};
use codec::Encode;
use futures::{AsyncReadExt, AsyncWriteExt};
use std::{
	fs,
	sync::Arc,
	time::{Duration, Instant},
};
use tokio::io::duplex;
use tokio_util::compat::TokioAsyncReadCompatExt;

fn connect(town: &Town, store: &Arc<PackageStore>) -> Wire {
	let (near, far) = duplex(1 << 20);
	tokio::spawn(serve(far.compat(), store.clone(), town.governor.clone()));
	near.compat()
}

async fn ask(wire: &mut Wire, request: ShardRequest) -> ShardAnswer {
	frame::write(wire, &request).await.unwrap();
	frame::read(wire, MAX_ANSWER).await.unwrap()
}

/// Whether the stream has ended.
async fn is_over(wire: &mut Wire) -> bool {
	matches!(wire.read(&mut [0; 1]).await, Ok(0) | Err(_))
}

#[tokio::test]
async fn every_chunk_should_come_with_its_proof() {
	let town = Town::new(&[]);
	let manifest = town.store.package(&town.model).unwrap().manifest.clone();
	let mut wire = connect(&town, &town.store);
	for (index, layout) in layouts(&manifest).unwrap().iter().enumerate() {
		let tensor = u16::try_from(index).unwrap();
		for index in 0..layout.chunk_count() {
			let chunk = u32::try_from(index).unwrap();
			let request = ShardRequest::Chunk { model: town.model, tensor, chunk };
			let ShardAnswer::Chunk { bytes, proof } = ask(&mut wire, request).await else {
				panic!("no chunk {chunk} of tensor {tensor}");
			};
			assert_eq!(bytes.len(), layout.chunk(index).unwrap().len());
			let root = manifest.tensors[usize::from(tensor)].root;
			let (leaf, count) = (leaf_hash(&bytes), layout.chunk_count());
			assert!(verify_merkle_proof(&root, &leaf, index, count, &proof));
		}
	}
	assert_eq!(town.store.trees.count(), manifest.tensors.len());
}

#[tokio::test]
async fn small_files_should_come_in_parts() {
	let town = Town::new(&[]);
	let manifest = town.store.package(&town.model).unwrap().manifest.clone();
	let mut wire = connect(&town, &town.store);
	let files = [
		(SmallFile::Manifest, town.model),
		(SmallFile::Tokenizer, manifest.tokenizer_hash),
		(SmallFile::ChatTemplate, manifest.chat_template_hash),
	];
	for (file, hash) in files {
		let mut all = Vec::new();
		loop {
			let offset = u32::try_from(all.len()).unwrap();
			let request = ShardRequest::Part { model: town.model, file, offset };
			let ShardAnswer::Part { total, bytes } = ask(&mut wire, request).await else {
				panic!("no part of {file:?} at {offset}");
			};
			all.extend_from_slice(&bytes);
			if all.len() == total as usize {
				break;
			}
			assert_eq!(bytes.len(), PART as usize);
		}
		assert_eq!(sha256(&all), hash);
	}
}

#[tokio::test]
async fn what_is_not_there_should_be_refused_and_the_next_request_served() {
	let town = Town::new(&[]);
	let model = town.model;
	let mut wire = connect(&town, &town.store);
	let hostile = [
		ShardRequest::Chunk { model, tensor: u16::MAX, chunk: 0 },
		ShardRequest::Chunk { model, tensor: 0, chunk: u32::MAX },
		ShardRequest::Chunk { model, tensor: 0, chunk: 1 << 20 },
		ShardRequest::Chunk { model: ModelId::zero(), tensor: 0, chunk: 0 },
		ShardRequest::Part { model, file: SmallFile::Tokenizer, offset: u32::MAX },
		ShardRequest::Part { model: ModelId::zero(), file: SmallFile::Manifest, offset: 0 },
	];
	for request in hostile {
		assert_eq!(ask(&mut wire, request.clone()).await, ShardAnswer::NotHere, "{request:?}");
	}
	let honest = ShardRequest::Chunk { model, tensor: 0, chunk: 0 };
	assert!(matches!(ask(&mut wire, honest).await, ShardAnswer::Chunk { .. }));
}

#[tokio::test]
async fn streams_that_break_the_protocol_should_end() {
	let town = Town::new(&[]);
	let garbage: [&[u8]; 4] = [
		&[2, 0, 0, 0, 9, 9],
		&[0, 0, 0, 0],
		// More than a request may have.
		&[0, 0, 16, 0],
		&u32::MAX.to_le_bytes(),
	];
	for bytes in garbage {
		let mut wire = connect(&town, &town.store);
		wire.write_all(bytes).await.unwrap();
		wire.flush().await.unwrap();
		assert!(is_over(&mut wire).await, "{bytes:?}");
	}

	let mut wire = connect(&town, &town.store);
	let miss = ShardRequest::Chunk { model: ModelId::zero(), tensor: 0, chunk: 0 };
	let mut answered = 0;
	while frame::write(&mut wire, &miss).await.is_ok()
		&& frame::read::<ShardAnswer>(&mut wire, MAX_ANSWER).await.is_ok()
	{
		answered += 1;
	}
	assert_eq!(answered, 256);
}

#[tokio::test]
async fn a_peer_should_have_so_many_streams_and_none_without_consent() {
	let town = Town::new(&[]);
	let request = ShardRequest::Part { model: town.model, file: SmallFile::Manifest, offset: 0 };
	let mut wires = Vec::new();
	for _ in 0..5 {
		let (near, far) = duplex(1 << 20);
		let (store, governor) = (town.store.clone(), town.governor.clone());
		tokio::spawn(serve_peer([7; 32], far.compat(), store, governor));
		let mut wire = near.compat();
		let answer = ask(&mut wire, request.clone()).await;
		wires.push((wire, matches!(answer, ShardAnswer::Part { .. })));
	}
	let served: Vec<bool> = wires.iter().map(|(_, served)| *served).collect();
	assert_eq!(served, [true, true, true, true, false]);

	let later = |answer: ShardAnswer| matches!(answer, ShardAnswer::Later { retry_ms } if retry_ms >= 1_000);
	town.governor.set_paused(true);
	assert!(later(ask(&mut wires[0].0, request.clone()).await));
	town.governor.set_paused(false);
	let chunk = ShardRequest::Chunk { model: town.model, tensor: 0, chunk: 0 };
	town.governor.set_giving(false);
	for request in [&request, &chunk] {
		assert!(later(ask(&mut wires[0].0, request.clone()).await));
	}
	// Nothing was hashed for it.
	assert_eq!(town.store.trees.count(), 0);
	town.governor.set_giving(true);
	assert!(matches!(ask(&mut wires[0].0, chunk).await, ShardAnswer::Chunk { .. }));
}

#[tokio::test]
async fn serving_should_keep_to_the_bandwidth() {
	let town = Town::new(&[]);
	// A megabyte a second, of which an eighth of a second's go at once.
	let limits = Limits { max_bandwidth_mbps: 8, ..Limits::NONE };
	let governor = Governor::new(limits);
	let begin = Instant::now();
	// Two peers share it: one takes the even tensors, the other one the odd.
	let (even, odd) = tokio::join!(take(&town, 0, &governor), take(&town, 1, &governor));
	let bytes = even + odd;
	assert!(bytes > 800_000, "{bytes} bytes show no limit");
	let least = Duration::from_secs_f64(bytes as f64 / 1e6 - 0.125);
	assert!(begin.elapsed() >= least, "{bytes} bytes in {:?}", begin.elapsed());
	assert_eq!(governor.bytes().taken(), bytes as u64);
}

/// Asks for all chunks of every second tensor from `first` on; how many bytes the answers have.
async fn take(town: &Town, first: u8, governor: &Arc<Governor>) -> usize {
	let (near, far) = duplex(1 << 20);
	tokio::spawn(serve_peer([first; 32], far.compat(), town.store.clone(), governor.clone()));
	let mut wire = near.compat();
	let manifest = town.store.package(&town.model).unwrap().manifest.clone();
	let mut bytes = 0;
	let layouts = layouts(&manifest).unwrap();
	for (index, layout) in layouts.iter().enumerate().skip(usize::from(first)).step_by(2) {
		let tensor = u16::try_from(index).unwrap();
		for chunk in 0..u32::try_from(layout.chunk_count()).unwrap() {
			let request = ShardRequest::Chunk { model: town.model, tensor, chunk };
			let answer = ask(&mut wire, request).await;
			assert!(matches!(answer, ShardAnswer::Chunk { .. }));
			bytes += answer.encoded_size();
		}
	}
	bytes
}

#[tokio::test]
async fn a_damaged_tensor_should_not_be_passed_on() {
	let town = Town::new(&[Manner::Honest]);
	let copy = town.folder.path().join("copy");
	fs::create_dir(&copy).unwrap();
	for entry in fs::read_dir(town.package()).unwrap() {
		let entry = entry.unwrap();
		fs::copy(entry.path(), copy.join(entry.file_name())).unwrap();
	}
	let path = copy.join("shard-001.safetensors");
	let mut bytes = fs::read(&path).unwrap();
	// A value of the middle tensor, whatever that is: opening does not look at it.
	let middle = bytes.len() / 2;
	bytes[middle] ^= 1;
	fs::write(&path, bytes).unwrap();

	let store = town.newcomer("damaged");
	store.register(&copy).unwrap();
	let manifest = store.package(&town.model).unwrap().manifest.clone();
	let mut wire = connect(&town, &store);
	let mut refused = Vec::new();
	for tensor in 0..u16::try_from(manifest.tensors.len()).unwrap() {
		let request = ShardRequest::Chunk { model: town.model, tensor, chunk: 0 };
		match ask(&mut wire, request.clone()).await {
			ShardAnswer::NotHere => {
				refused.push(manifest.tensors[usize::from(tensor)].layer);
				assert_eq!(ask(&mut wire, request).await, ShardAnswer::NotHere);
			}
			answer => assert!(matches!(answer, ShardAnswer::Chunk { .. })),
		}
	}
	assert_eq!(refused, [1]);
}
