//! The golden vectors of `docs/protocol/vectors`: the same values, built here, must come to the
//! bytes and hashes that are committed there, which `make.py` makes without any of this code.
#![allow(clippy::unwrap_used)]

#[path = "golden/values.rs"]
mod values;
#[path = "golden/vectors.rs"]
mod vectors;

use aria_primitives::{
	consent::Consent,
	hashing::{
		domain_hash, leaf_hash, merkle_proof, merkle_root, peer_binding, verify_merkle_proof,
		REQUEST_DOMAIN,
	},
	manifest::Manifest,
	query::CanonicalQuery,
	record::{
		batch_digest, boundary, settlement_digest, Batch, BatchEntry, Payment, RecordBody,
		Settlement,
	},
	ticket::Ticket,
};
use codec::Encode;
use sp_core::{ed25519, Pair, H256};
use sp_runtime::traits::Verify;
use values::*;
use vectors::Vectors;

/// Every field of a structure with its bytes, in order. Names all of them, so that a new field does
/// not compile before it is here.
macro_rules! fields {
	($value:expr, $structure:ident { $($field:ident),+ $(,)? }) => {{
		let $structure { $($field),+ } = $value;
		vec![$((stringify!($field), $field.encode())),+]
	}};
}

#[test]
fn manifests_should_have_the_committed_bytes_and_ids() {
	let mut vectors = Vectors::read("manifest.json");
	let manifests = [("gqa", gqa()), ("mla", mla())];
	vectors.expect("number of vectors", vectors.length("/vectors"), manifests.len());
	for (index, (name, manifest)) in manifests.iter().enumerate() {
		let fields = fields!(
			manifest,
			Manifest {
				version,
				architecture,
				attention,
				hidden,
				feed_forward,
				layers,
				vocab,
				context,
				rope_theta,
				norm_epsilon_bits,
				gate,
				head,
				numerics_version,
				bos,
				eos,
				tokenizer_hash,
				chat_template_hash,
				tensors,
				shards,
			}
		);
		vectors.expect_structure(index, name, manifest, fields);
		let at = format!("/vectors/{index}");
		vectors.expect_bytes(&format!("{at}/model_id"), manifest.model_id().as_bytes());
		let active = format!("{at}/active_parameters");
		let committed = vectors.at(&active).as_str().map(str::to_owned);
		vectors.expect(&active, committed, Some(manifest.active_parameters().to_string()));
		let read = Manifest::from_bytes(&vectors.bytes(&format!("{at}/bytes")));
		vectors.expect(&format!("{name}: from_bytes"), Ok(manifest.clone()), read);
	}
	vectors.finish();
}

#[test]
fn queries_should_have_the_committed_bytes_and_hashes() {
	let mut vectors = Vectors::read("query.json");
	let queries = [("greedy", greedy()), ("sampled", sampled())];
	vectors.expect("number of vectors", vectors.length("/vectors"), queries.len());
	for (index, (name, query)) in queries.iter().enumerate() {
		let fields = fields!(
			query,
			CanonicalQuery { version, model_id, prompt_tokens, sampling, max_tokens, stop, salt }
		);
		vectors.expect_structure(index, name, query, fields);
		vectors.expect_bytes(&format!("/vectors/{index}/query_hash"), query.hash().as_bytes());
	}
	vectors.finish();
}

#[test]
fn tickets_should_have_the_committed_bytes_hashes_and_signatures() {
	let mut vectors = Vectors::read("ticket.json");
	vectors.expect_bytes("/genesis", GENESIS.as_bytes());
	vectors.expect_bytes("/key_seed", &[0x21; 32]);
	let tickets = [("any", ticket()), ("named", named_ticket()), ("none", private_ticket())];
	vectors.expect("number of vectors", vectors.length("/vectors"), tickets.len());
	for (index, (name, ticket)) in tickets.iter().enumerate() {
		let fields = fields!(
			ticket,
			Ticket {
				version,
				requester,
				key,
				gateway,
				model_id,
				query_hash,
				max_price,
				nonce,
				expiry,
				audit_mode,
			}
		);
		vectors.expect_structure(index, name, ticket, fields);
		let hash = ticket.hash(&GENESIS);
		vectors.expect_bytes(&format!("/vectors/{index}/ticket_hash"), hash.as_bytes());
		let signed = signed(ticket.clone());
		vectors.expect_encoding(&format!("/vectors/{index}/signed_ticket"), &signed);
		vectors.expect(&format!("{name}: the key's signature"), true, signed.verify(&hash));
	}
	vectors.finish();
}

#[test]
fn requests_should_have_the_committed_bytes_and_ids() {
	let mut vectors = Vectors::read("request.json");
	vectors.expect_bytes("/genesis", GENESIS.as_bytes());
	let requests = [("text", text_request()), ("hash", hash_request())];
	vectors.expect("number of vectors", vectors.length("/vectors"), requests.len());
	for (index, (name, request)) in requests.iter().enumerate() {
		let fields = fields!(
			request,
			RequestContent {
				requester,
				count,
				model_id,
				prompt,
				sampling,
				max_tokens,
				max_price,
				deadline,
				audit_mode,
			}
		);
		vectors.expect_structure(index, name, request, fields);
		let id = domain_hash(REQUEST_DOMAIN, &GENESIS, request);
		vectors.expect_bytes(&format!("/vectors/{index}/request_id"), id.as_bytes());
	}
	vectors.finish();
}

#[test]
fn records_should_have_the_committed_bytes_and_ids() {
	let mut vectors = Vectors::read("record.json");
	vectors.expect_bytes("/genesis", GENESIS.as_bytes());
	let bodies = [("two stages", body()), ("one stage", short_body())];
	vectors.expect("number of vectors", vectors.length("/vectors"), bodies.len());
	for (index, (name, body)) in bodies.iter().enumerate() {
		let fields = fields!(
			body,
			RecordBody {
				version,
				model_id,
				query_hash,
				output_hash,
				output_tokens_hash,
				finish_reason,
				prompt_tokens,
				cached_tokens,
				output_tokens,
				stages,
				boundaries,
				energy_mj,
				latency_ms,
				timestamp,
				anchor,
				ticket_hash,
			}
		);
		vectors.expect_structure(index, name, body, fields);
		let id = body.id(&GENESIS);
		vectors.expect_bytes(&format!("/vectors/{index}/record_id"), id.as_bytes());
	}
	vectors.finish();
}

#[test]
fn the_hashes_of_an_answer_should_be_the_committed_ones() {
	let mut vectors = Vectors::read("record.json");
	let text = vectors.at("/output/text").as_str().map(str::to_owned);
	vectors.expect("/output/text", text, Some(OUTPUT_TEXT.to_owned()));
	vectors.expect_bytes("/output/output_hash", body().output_hash.as_bytes());
	let tokens = vectors.at("/output/tokens").clone();
	vectors.expect("/output/tokens", tokens, OUTPUT_TOKENS.to_vec().into());
	vectors.expect_bytes("/output/output_tokens_hash", body().output_tokens_hash.as_bytes());
	vectors.finish();
}

#[test]
fn boundaries_should_be_the_committed_ones() {
	let mut vectors = Vectors::read("record.json");
	vectors.expect("number of boundaries", vectors.length("/boundaries"), 3);
	for index in 0..3u16 {
		let at = format!("/boundaries/{index}");
		let committed = vectors.at(&format!("{at}/index")).clone();
		vectors.expect(&format!("{at}/index"), committed, index.into());
		vectors.expect_bytes(&format!("{at}/root"), root(index).as_bytes());
		let made = boundary(index, &root(index), &greedy().hash());
		vectors.expect_bytes(&format!("{at}/boundary"), made.as_bytes());
	}
	vectors.finish();
}

#[test]
fn batch_digests_should_be_the_committed_ones() {
	let mut vectors = Vectors::read("record.json");
	let ids = [body().id(&GENESIS), short_body().id(&GENESIS), hash(0x33)];
	vectors.expect("number of digests", vectors.length("/batch_digests"), ids.len());
	for count in 1..=ids.len() {
		let at = format!("/batch_digests/{}", count - 1);
		vectors.expect(&format!("{at}: ids"), vectors.length(&format!("{at}/ids")), count);
		for (index, id) in ids.iter().take(count).enumerate() {
			vectors.expect_bytes(&format!("{at}/ids/{index}"), id.as_bytes());
		}
		let mut signers: Vec<_> =
			[pair(0x11), pair(0x12), pair(0x22)].iter().map(account_of).collect();
		signers.sort();
		for (index, signer) in signers.iter().enumerate() {
			vectors.expect_bytes(&format!("{at}/signers/{index}"), signer.as_ref());
		}
		let digest = batch_digest(&GENESIS, &ids[..count], &signers);
		vectors.expect_bytes(&format!("{at}/digest"), digest.as_bytes());
	}
	vectors.finish();
}

#[test]
fn settlement_digests_should_be_the_committed_ones() {
	let mut vectors = Vectors::read("record.json");
	let id = body().id(&GENESIS);
	let sets = [0b00, 0b01, 0b10, 0b11, 1 << 31, u32::MAX];
	vectors.expect("number of digests", vectors.length("/settlement_digests"), sets.len());
	for (index, signed_stages) in sets.into_iter().enumerate() {
		let at = format!("/settlement_digests/{index}");
		vectors.expect_bytes(&format!("{at}/id"), id.as_bytes());
		let committed = vectors.at(&format!("{at}/signed_stages")).clone();
		vectors.expect(&format!("{at}/signed_stages"), committed, signed_stages.into());
		let digest = settlement_digest(&id, signed_stages);
		vectors.expect_bytes(&format!("{at}/digest"), digest.as_bytes());
	}
	vectors.finish();
}

#[test]
fn settlements_should_have_the_committed_bytes_and_signatures() {
	let mut vectors = Vectors::read("record.json");
	let (nodes, gateway) = ([pair(0x11), pair(0x12)], pair(0x22));
	vectors.expect_bytes("/gateway_seed", &[0x22; 32]);
	for (index, seed) in [0x11u8, 0x12].into_iter().enumerate() {
		vectors.expect_bytes(&format!("/node_seeds/{index}"), &[seed; 32]);
	}
	let (id, other) = (body().id(&GENESIS), short_body().id(&GENESIS));
	let payment = Payment::Ticket(signed(ticket()));

	let settlement = Settlement {
		id,
		body: body(),
		payment: payment.clone(),
		signatures: bounded(vec![Some(sign(&nodes[0], &id)), None]),
		gateway_signature: sign(&gateway, &settlement_digest(&id, 0b01)),
	};
	let by_gateway = settlement
		.gateway_signature
		.verify(settlement_digest(&id, 0b01).as_bytes(), &ticket().gateway);
	vectors.expect("the gateway's signature", true, by_gateway);
	vectors.expect_encoding("/settlement", &settlement);

	let mut keys: Vec<_> =
		nodes.iter().chain([&gateway]).map(|key| (account_of(key), key)).collect();
	keys.sort_by(|a, b| a.0.cmp(&b.0));
	let signers: Vec<_> = keys.iter().map(|(account, _)| account.clone()).collect();
	let digest = batch_digest(&GENESIS, &[id, other], &signers);
	let signatures: Vec<_> =
		keys.into_iter().map(|(account, key)| (account, sign(key, &digest))).collect();
	let verified = signatures.iter().all(|(who, by)| by.verify(digest.as_bytes(), who));
	vectors.expect("the batch's signatures", true, verified);
	let batch = Batch {
		entries: bounded(vec![
			BatchEntry { id, body: body(), payment },
			BatchEntry { id: other, body: short_body(), payment: Payment::Request(hash(0xF1)) },
		]),
		signatures: bounded(signatures),
	};
	vectors.expect_encoding("/batch", &batch);
	vectors.finish();
}

#[test]
fn merkle_trees_should_have_the_committed_roots_and_proofs() {
	let mut vectors = Vectors::read("merkle.json");
	vectors.expect("number of trees", vectors.length("/vectors"), 6);
	for count in 0..6usize {
		let at = format!("/vectors/{count}");
		let leaves: Vec<H256> =
			(0..count).map(|index| leaf_hash(format!("leaf {index}").as_bytes())).collect();
		vectors.expect(&format!("{at}: leaves"), vectors.length(&format!("{at}/leaves")), count);
		for (index, leaf) in leaves.iter().enumerate() {
			vectors.expect_bytes(&format!("{at}/leaves/{index}"), leaf.as_bytes());
		}
		let root = merkle_root(&leaves);
		vectors.expect_bytes(&format!("{at}/root"), root.as_bytes());
		vectors.expect(&format!("{at}: proofs"), vectors.length(&format!("{at}/proofs")), count);
		for (index, leaf) in leaves.iter().enumerate() {
			let at = format!("{at}/proofs/{index}");
			let proof = merkle_proof(&leaves, index).unwrap();
			vectors.expect(&format!("{at}: steps"), vectors.length(&at), proof.len());
			for (step, sibling) in proof.iter().enumerate() {
				vectors.expect_bytes(&format!("{at}/{step}"), sibling.as_bytes());
			}
			let verified = verify_merkle_proof(&root, leaf, index, count, &proof);
			vectors.expect(&format!("{at}: verifies"), true, verified);
		}
	}
	vectors.finish();
}

#[test]
fn consents_should_have_the_committed_bytes() {
	let mut vectors = Vectors::read("consent.json");
	let consents = [("always", always()), ("nights", nights())];
	vectors.expect("number of vectors", vectors.length("/vectors"), consents.len());
	for (index, (name, consent)) in consents.iter().enumerate() {
		let fields = fields!(
			consent,
			Consent {
				cpu_percent,
				schedule,
				task_types,
				max_bandwidth_mbps,
				max_memory_mb,
				reward_preference,
			}
		);
		vectors.expect_structure(index, name, consent, fields);
	}
	vectors.finish();
}

#[test]
fn a_peer_should_be_bound_by_the_committed_message_and_signature() {
	let mut vectors = Vectors::read("peer.json");
	let (peer, worker) = (pair(0x31), account_of(&pair(0x11)));
	let message = peer_binding(&GENESIS, &worker);
	let signature = peer.sign(message.as_bytes());
	vectors.expect_bytes("/genesis", GENESIS.as_bytes());
	vectors.expect_bytes("/account", &worker.encode());
	vectors.expect_bytes("/peer_seed", &[0x31; 32]);
	vectors.expect_bytes("/peer", &peer.public().0);
	vectors.expect_bytes("/message", message.as_bytes());
	vectors.expect_bytes("/signature", &signature.0);
	let verified = ed25519::Pair::verify(&signature, message.as_bytes(), &peer.public());
	vectors.expect("the peer's signature", true, verified);
	vectors.finish();
}
