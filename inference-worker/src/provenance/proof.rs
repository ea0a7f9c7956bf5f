//! Checking that a record is in the state of a block.
//!
//! Believed is one thing: the block's hash. The header hashes to it, the header names the state's root,
//! the proof's nodes lead from the root to the record, and the record's id is the hash of its body
//! (`docs/rpc.md`, `provenance_getProof`). For a record that has left the state, what is believed is the
//! hash of a later block, whose header leads to that of the block that settled the record ([`past`]).

use super::{
	past::{self, PastError},
	views::StoredProof,
};
use aria_primitives::{record::RecordEntry, BlockNumber, RecordId};
use codec::DecodeAll;
use sp_core::H256;
use sp_runtime::{generic, traits::BlakeTwo256};
use sp_trie::{read_trie_value, LayoutV1, StorageProof};

/// A header of this chain; from JSON as `chain_getHeader` gives it.
pub type Header = generic::Header<BlockNumber, BlakeTwo256>;

/// All that the check needs.
#[derive(Clone, Debug)]
pub struct Evidence {
	/// The record that is claimed to be there.
	pub id: RecordId,
	/// The chain's first block.
	pub genesis: H256,
	/// Of the block whose state is proven.
	pub header: Header,
	/// What leads from it to the record.
	pub proof: StoredProof,
	/// Of the later block, where there is one.
	pub later: Option<Header>,
}

/// What a proof proves.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Proven {
	/// The record, out of the proof itself.
	pub entry: RecordEntry,
	/// The block whose state has it.
	pub block: H256,
	/// Its number.
	pub number: BlockNumber,
	/// For a record that has left the state: hash and number of the later block whose header leads to
	/// that one.
	pub under: Option<(H256, BlockNumber)>,
}

impl Proven {
	/// The block that all of it hangs on.
	pub fn believed(&self) -> H256 {
		self.under.map_or(self.block, |(block, _)| block)
	}
}

/// Why evidence proves nothing.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ProofError {
	/// The header is another one.
	#[error("the header hashes to {found:?}, not to the block {named:?} of the proof")]
	Header {
		/// What it hashes to.
		found: H256,
		/// The block of the proof.
		named: H256,
	},
	/// The block is not the trusted one.
	#[error("the proof is of block {found:?}, not of the trusted {trusted:?}")]
	OtherBlock {
		/// The block of the proof.
		found: H256,
		/// The trusted one.
		trusted: H256,
	},
	/// The number is another one.
	#[error("the block has the number {header}, not {named}")]
	Number {
		/// In the header.
		header: BlockNumber,
		/// In the proof.
		named: BlockNumber,
	},
	/// A later block is named without its header, or the other way round.
	#[error("the proof names a later block whose header is missing, or has a header too many")]
	Later,
	/// The later block does not lead to the one that settled the record.
	#[error(transparent)]
	Past(#[from] PastError),
	/// Another place of the state is proven.
	#[error("the proof is of another place in the state than that of this record")]
	Key,
	/// The nodes do not lead there.
	#[error("the proof does not lead from the state's root to the record: {0}")]
	Trie(String),
	/// The value is another one.
	#[error("the node claims another value than it proves")]
	Value,
	/// The value is no record.
	#[error("the proven value is no record that this release knows: {0}")]
	Entry(String),
	/// The record is another one.
	#[error("the body of the record has the id {found:?}, not {named:?}")]
	Id {
		/// The id of the body.
		found: RecordId,
		/// The id that was asked.
		named: RecordId,
	},
}

/// Where the chain's state keeps a record: `twox128("ProvenanceLedger") ‖ twox128("Records") ‖ id`.
pub fn record_key(id: &RecordId) -> Vec<u8> {
	let mut key = Vec::with_capacity(64);
	key.extend(sp_crypto_hashing::twox_128(b"ProvenanceLedger"));
	key.extend(sp_crypto_hashing::twox_128(b"Records"));
	key.extend(id.as_bytes());
	key
}

/// Checks all of `evidence`, and that it is of the block `trusted`, if there is one.
///
/// # Errors
/// The first thing that does not hold.
pub fn check(evidence: &Evidence, trusted: Option<H256>) -> Result<Proven, ProofError> {
	let Evidence { id, genesis, header, proof, later } = evidence;
	let block = is_of(header, proof.block_hash, proof.block_number)?;
	let under = match (&proof.past, later) {
		(None, None) => None,
		(Some(past), Some(later)) => {
			let hash = is_of(later, past.block_hash, past.block_number)?;
			past::check(past, later, header.number, block, id)?;
			Some((hash, later.number))
		}
		_ => return Err(ProofError::Later),
	};
	let believed = under.map_or(block, |(block, _)| block);
	if let Some(trusted) = trusted.filter(|trusted| *trusted != believed) {
		return Err(ProofError::OtherBlock { found: believed, trusted });
	}
	let key = record_key(id);
	if proof.storage_key.0 != key {
		return Err(ProofError::Key);
	}
	let parts = proof.proof.iter().map(|part| part.0.clone());
	let parts = StorageProof::new_with_duplicate_nodes_check(parts)
		.map_err(|_| ProofError::Trie("a part is there twice".to_owned()))?;
	let database = parts.into_memory_db::<BlakeTwo256>();
	let root = header.state_root;
	let value = read_trie_value::<LayoutV1<BlakeTwo256>, _>(&database, &root, &key, None, None)
		.map_err(|error| ProofError::Trie(error.to_string()))?
		.ok_or_else(|| ProofError::Trie("the state has nothing there".to_owned()))?;
	if value != proof.value.0 {
		return Err(ProofError::Value);
	}
	let entry = RecordEntry::decode_all(&mut value.as_slice())
		.map_err(|error| ProofError::Entry(error.to_string()))?;
	let found = entry.body.id(genesis);
	if found != *id {
		return Err(ProofError::Id { found, named: *id });
	}
	Ok(Proven { entry, block, number: header.number, under })
}

/// The hash of a header, which has to be that of the block with this hash and number.
fn is_of(header: &Header, named: H256, number: BlockNumber) -> Result<H256, ProofError> {
	let found = header.hash();
	if found != named {
		return Err(ProofError::Header { found, named });
	}
	if header.number != number {
		return Err(ProofError::Number { header: header.number, named: number });
	}
	Ok(found)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(crate) mod tests {
	use super::*;
	use aria_primitives::{
		hashing::sha256,
		record::{Anchor, EnergySource, FinishReason, LayerRange, RecordBody, Stage},
	};
	use codec::Encode;
	use sp_core::Bytes;
	use sp_runtime::BoundedVec;
	use sp_trie::{
		recorder::Recorder, trie_types::TrieDBMutBuilderV1, MemoryDB, Trie as _, TrieDBBuilder,
		TrieMut as _,
	};

	pub const GENESIS: H256 = H256([0x67; 32]);

	pub fn entry(text: &str) -> RecordEntry {
		let stage = |node: u8, first, end| Stage {
			node: [node; 32].into(),
			layers: LayerRange { first, end },
			energy_mj: 2_500,
			energy_source: EnergySource::Estimate,
			consent_version: 3,
		};
		RecordEntry {
			body: RecordBody {
				version: 1,
				model_id: H256::repeat_byte(1),
				query_hash: H256::repeat_byte(2),
				output_hash: sha256(text.as_bytes()),
				output_tokens_hash: H256::repeat_byte(4),
				finish_reason: FinishReason::Stop,
				prompt_tokens: 40,
				cached_tokens: 8,
				output_tokens: 12,
				stages: BoundedVec::truncate_from(vec![stage(1, 0, 15), stage(2, 15, 30)]),
				boundaries: BoundedVec::truncate_from(vec![H256::zero(); 3]),
				energy_mj: 5_000,
				latency_ms: 1_500,
				timestamp: 1_767_225_600_000,
				anchor: Anchor { number: 8, hash: H256::repeat_byte(5) },
				ticket_hash: H256::repeat_byte(6),
			},
			signed_stages: 0b10,
			requester: [7; 32].into(),
			gateway: [8; 32].into(),
			price: 3_000_000_000_000,
			settled_at: 9,
			epoch: 5,
			era: 7,
			auditable: true,
		}
	}

	/// A state of a few hundred values with the record among them, and the proof of it.
	pub fn evidence(entry: &RecordEntry) -> Evidence {
		let id = entry.body.id(&GENESIS);
		let (key, value) = (record_key(&id), entry.encode());
		let mut database: MemoryDB<BlakeTwo256> = MemoryDB::default();
		let mut root = H256::default();
		{
			let mut trie = TrieDBMutBuilderV1::<BlakeTwo256>::new(&mut database, &mut root).build();
			for other in 0u32..300 {
				let mut near = record_key(&sha256(&other.encode()));
				near.truncate(if other % 3 == 0 { 20 } else { 64 });
				near.push(other as u8);
				trie.insert(&near, &other.encode().repeat(1 + other as usize % 20)).unwrap();
			}
			trie.insert(&key, &value).unwrap();
		}
		let recorder = Recorder::<BlakeTwo256>::default();
		{
			let mut recording = recorder.as_trie_recorder(root);
			let trie = TrieDBBuilder::<LayoutV1<BlakeTwo256>>::new(&database, &root)
				.with_recorder(&mut recording)
				.build();
			assert_eq!(trie.get(&key).unwrap(), Some(value.clone()));
		}
		let nodes = recorder.to_storage_proof().into_nodes();
		let header = Header {
			parent_hash: H256::repeat_byte(9),
			number: 42,
			state_root: root,
			extrinsics_root: H256::repeat_byte(10),
			digest: Default::default(),
		};
		let proof = StoredProof {
			block_hash: header.hash(),
			block_number: 42,
			storage_key: Bytes(key),
			proof: nodes.into_iter().map(Bytes).collect(),
			value: Bytes(value),
			past: None,
		};
		Evidence { id, genesis: GENESIS, header, proof, later: None }
	}

	/// The same of a record that has left the state, under block 59.
	pub fn past_evidence(entry: &RecordEntry) -> Evidence {
		let mut evidence = evidence(entry);
		let (later, past) = past::tests::later(59, &evidence.header, evidence.id);
		evidence.proof.past = Some(past);
		evidence.later = Some(later);
		evidence
	}

	#[test]
	fn a_record_that_has_left_the_state_should_be_proven_by_a_later_header() {
		let entry = entry("an answer");
		let sound = past_evidence(&entry);
		let later = sound.later.clone().unwrap().hash();
		let proven = check(&sound, Some(later)).unwrap();
		assert_eq!((&proven.entry, proven.under), (&entry, Some((later, 59))));
		assert_eq!(proven.believed(), later);
		// It is the later block that has to be trusted.
		assert!(matches!(check(&sound, Some(proven.block)), Err(ProofError::OtherBlock { .. })));
	}

	#[test]
	fn any_other_byte_of_the_past_should_make_it_fail() {
		let sound = past_evidence(&entry("an answer"));
		assert!(check(&sound, None).is_ok());
		let mut tampered = Vec::new();
		let mut change = |what: &dyn Fn(&mut super::super::views::StoredPast)| {
			let mut evidence = sound.clone();
			what(evidence.proof.past.as_mut().unwrap());
			tampered.push(evidence);
		};
		let past = sound.proof.past.clone().unwrap();
		for place in 0..past.leaf.0.len() {
			change(&|past| past.leaf.0[place] ^= 1);
		}
		for (index, _) in past.items.iter().enumerate() {
			change(&|past| past.items[index].0[7] ^= 1);
		}
		for (index, _) in past.record_path.iter().enumerate() {
			change(&|past| past.record_path[index].0[7] ^= 1);
		}
		change(&|past| past.block_hash.0[0] ^= 1);
		change(&|past| past.block_number += 1);
		change(&|past| past.record_index += 1);
		change(&|past| past.record_count = 0);
		change(&|past| past.items.clear());
		change(&|past| past.items.push(H256::zero()));
		change(&|past| past.record_path.clear());
		for evidence in tampered {
			assert!(check(&evidence, None).is_err());
		}

		let mut other = sound.clone();
		other.proof.value.0[300] ^= 1;
		assert!(check(&other, None).is_err());
		let mut without = sound.clone();
		without.later = None;
		assert_eq!(check(&without, None), Err(ProofError::Later));
		let mut unnamed = sound;
		unnamed.proof.past = None;
		assert_eq!(check(&unnamed, None), Err(ProofError::Later));
	}

	#[test]
	fn a_header_without_a_root_should_lead_nowhere() {
		let mut evidence = past_evidence(&entry("an answer"));
		let later = evidence.later.as_mut().unwrap();
		later.digest.logs.clear();
		evidence.proof.past.as_mut().unwrap().block_hash = later.hash();
		assert_eq!(check(&evidence, None), Err(ProofError::Past(PastError::NoRoot)));
	}

	#[test]
	fn evidence_should_prove_the_record() {
		let entry = entry("an answer");
		let evidence = evidence(&entry);
		let proven = check(&evidence, None).unwrap();
		assert_eq!(
			proven,
			Proven { entry, block: evidence.header.hash(), number: 42, under: None }
		);
		assert_eq!(check(&evidence, Some(proven.block)).unwrap(), proven);
		let other = H256::zero();
		assert_eq!(
			check(&evidence, Some(other)),
			Err(ProofError::OtherBlock { found: proven.block, trusted: other })
		);
	}

	#[test]
	fn the_key_should_be_that_of_the_pallet() {
		// As docs/examples/verify-proof computes it.
		let prefix = "58aa0a7dbbb51c84cfe415ae90eb1fc8bb8fcc88c3da5bf159c1e1a5f46fe432";
		let key = hex::encode(record_key(&H256::zero()));
		assert_eq!(key, format!("{prefix}{}", "00".repeat(32)));
	}

	#[test]
	fn any_other_byte_should_make_it_fail() {
		let sound = evidence(&entry("an answer"));
		let mut tampered = Vec::new();
		let mut change = |change: &dyn Fn(&mut Evidence)| {
			let mut copy = sound.clone();
			change(&mut copy);
			tampered.push(copy);
		};
		change(&|evidence| evidence.id.0[0] ^= 1);
		change(&|evidence| evidence.genesis.0[0] ^= 1);
		change(&|evidence| evidence.header.state_root.0[0] ^= 1);
		change(&|evidence| evidence.header.parent_hash.0[0] ^= 1);
		change(&|evidence| evidence.header.number += 1);
		change(&|evidence| evidence.proof.block_hash.0[0] ^= 1);
		change(&|evidence| evidence.proof.block_number += 1);
		change(&|evidence| evidence.proof.storage_key.0[40] ^= 1);
		change(&|evidence| evidence.proof.value.0.truncate(100));
		change(&|evidence| evidence.proof.proof.truncate(1));
		change(&|evidence| evidence.proof.proof.clear());
		change(&|evidence| {
			let first = evidence.proof.proof[0].clone();
			evidence.proof.proof.push(first);
		});
		for (index, part) in sound.proof.proof.iter().enumerate() {
			for place in 0..part.0.len() {
				change(&|evidence| evidence.proof.proof[index].0[place] ^= 1);
			}
		}
		for place in 0..sound.proof.value.0.len() {
			change(&|evidence| evidence.proof.value.0[place] ^= 1);
		}
		assert!(tampered.len() > 500);
		for evidence in tampered {
			assert!(check(&evidence, None).is_err());
		}
	}

	#[test]
	fn a_record_of_another_chain_or_another_id_should_fail() {
		let other = evidence(&entry("another answer"));
		let mut foreign = evidence(&entry("an answer"));
		foreign.genesis = H256::zero();
		assert!(matches!(check(&foreign, None), Err(ProofError::Id { .. })));
		foreign.genesis = GENESIS;
		foreign.id = other.id;
		assert_eq!(check(&foreign, None), Err(ProofError::Key));
		foreign.proof.storage_key = other.proof.storage_key;
		assert!(matches!(check(&foreign, None), Err(ProofError::Trie(_))));
	}

	#[test]
	fn proofs_in_order_should_not_be_needed() {
		let mut shuffled = evidence(&entry("an answer"));
		shuffled.proof.proof.reverse();
		assert!(check(&shuffled, None).is_ok());
	}

	#[test]
	fn a_header_should_be_read_from_json() {
		let json = serde_json::json!({
			"parentHash": format!("0x{}", "00".repeat(32)),
			"number": "0x0",
			"stateRoot": "0x29d0d972cd27cbc511e9589fcb7a4506d5eb6a9e8df205f00472e5ab354a4e17",
			"extrinsicsRoot": "0x03170a2e7597b7b7e3d84c05391d139a62b157e78786d8c082f29dcf4c111314",
			"digest": { "logs": [] },
		});
		let header: Header = serde_json::from_value(json).unwrap();
		// Polkadot's first block.
		assert_eq!(
			format!("{:?}", header.hash()),
			"0x91b171bb158e2d3848fa23a9f1c25182fb8e20313b2c1eb49219da7a70ce90c3"
		);
	}
}
