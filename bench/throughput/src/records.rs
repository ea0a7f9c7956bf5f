//! Records that the world's workers could have made, with their tickets and signatures.

use crate::{
	chain::Site,
	world::{account, bounded, Pair, World, LAYERS, OUTPUT_TOKENS, PROMPT_TOKENS},
};
use anyhow::Result;
use aria_primitives::{
	hashing::sha256,
	record::{
		batch_digest, boundary, settlement_digest, Batch, BatchEntry, EnergySource, FinishReason,
		LayerRange, Payment, RecordBody, Settlement, Stage, RECORD_VERSION,
	},
	ticket::{AuditMode, SignedTicket, Ticket, TICKET_VERSION},
	AccountId, BlockNumber, Signature, ARIA,
};
use codec::Encode;
use sp_core::{Pair as _, H256};
use std::collections::BTreeMap;

/// Blocks for which a ticket is good.
const TICKET_LIFE: BlockNumber = 100;
/// Groups of workers whose records share a batch.
const GROUPS: usize = 8;
const ENERGY_MJ: u64 = 40_000;

/// A record and its ticket, which neither a stage nor the gateway has signed.
struct Unsigned {
	body: RecordBody,
	payment: Payment,
	workers: Vec<usize>,
}

impl World {
	/// A record with its own signatures, one of each stage and the gateway's.
	pub fn settlement(&mut self, site: &Site, stages: usize) -> Result<Settlement> {
		let first = self.index().saturating_mul(stages);
		let Unsigned { body, payment, workers } = self.record(site, first, stages)?;
		let id = body.id(&site.genesis);
		let signatures =
			workers.iter().map(|worker| Some(sign(&self.workers[*worker], &id))).collect();
		let every_stage = workers.iter().fold(0, |set: u32, _| (set << 1) | 1);
		let gateway_signature = sign(&self.gateway, &settlement_digest(&id, every_stage));
		let signatures = bounded(signatures)?;
		Ok(Settlement { id, body, payment, signatures, gateway_signature })
	}

	/// Records of a few groups of workers, each of whom signs once, as the gateway does.
	pub fn batch(&mut self, site: &Site, entries: usize, stages: usize) -> Result<Batch> {
		let first = self.index();
		let mut signers = BTreeMap::from([(account(&self.gateway), self.gateway.clone())]);
		let entries = (0..entries)
			.map(|entry| {
				let group = first.saturating_add(entry % GROUPS * stages);
				let Unsigned { body, payment, workers } = self.record(site, group, stages)?;
				for worker in workers {
					let worker = &self.workers[worker];
					signers.insert(account(worker), worker.clone());
				}
				Ok(BatchEntry { id: body.id(&site.genesis), body, payment })
			})
			.collect::<Result<Vec<_>>>()?;
		let ids: Vec<H256> = entries.iter().map(|entry| entry.id).collect();
		let accounts: Vec<AccountId> = signers.keys().cloned().collect();
		let digest = batch_digest(&site.genesis, &ids, &accounts);
		let signatures: Vec<(AccountId, Signature)> = signers
			.into_iter()
			.map(|(account, signer)| (account, sign(&signer, &digest)))
			.collect();
		Ok(Batch { entries: bounded(entries)?, signatures: bounded(signatures)? })
	}

	/// A number to begin with that was not given before.
	fn index(&mut self) -> usize {
		usize::try_from(self.next()).unwrap_or_default()
	}

	/// A record by as many workers from `first` on, who share the layers evenly.
	fn record(&mut self, site: &Site, first: usize, stages: usize) -> Result<Unsigned> {
		let made = self.next();
		let query_hash = sha256(&("query", made).encode());
		let (ticket, hash) = self.ticket(site, made, query_hash);
		let workers: Vec<usize> =
			(0..stages).map(|stage| (first + stage) % self.workers.len()).collect();
		let parts = u16::try_from(stages)?;
		let stage = |(worker, part): (&usize, u16)| Stage {
			node: account(&self.workers[*worker]),
			layers: LayerRange { first: LAYERS * part / parts, end: LAYERS * (part + 1) / parts },
			energy_mj: ENERGY_MJ,
			energy_source: EnergySource::Rapl,
			consent_version: 1,
		};
		let boundaries = (0..=parts)
			.map(|index| boundary(index, &sha256(&(index, made).encode()), &query_hash))
			.collect();
		let body = RecordBody {
			version: RECORD_VERSION,
			model_id: self.models[0],
			query_hash,
			output_hash: sha256(&("output", made).encode()),
			output_tokens_hash: sha256(&("tokens", made).encode()),
			finish_reason: FinishReason::Stop,
			prompt_tokens: PROMPT_TOKENS,
			cached_tokens: PROMPT_TOKENS / 4,
			output_tokens: OUTPUT_TOKENS,
			stages: bounded(workers.iter().zip(0..parts).map(stage).collect())?,
			boundaries: bounded(boundaries)?,
			energy_mj: ENERGY_MJ * u64::from(parts),
			latency_ms: 8_000,
			timestamp: site.time,
			anchor: site.parent,
			ticket_hash: hash,
		};
		Ok(Unsigned { body, payment: Payment::Ticket(ticket), workers })
	}

	/// The requesters take turns.
	fn ticket(&self, site: &Site, made: u64, query_hash: H256) -> (SignedTicket, H256) {
		let turn = usize::try_from(made).unwrap_or_default() % self.requesters.len();
		let requester = &self.requesters[turn];
		let ticket = Ticket {
			version: TICKET_VERSION,
			requester: account(&requester.account),
			key: account(&requester.key),
			gateway: account(&self.gateway),
			model_id: self.models[0],
			query_hash,
			max_price: ARIA,
			// One more each time; those of calls that did not fit are never used.
			nonce: made / self.requesters.len() as u64 + 1,
			expiry: site.number.saturating_add(TICKET_LIFE),
			audit_mode: AuditMode::Any,
		};
		let hash = ticket.hash(&site.genesis);
		(SignedTicket { ticket, signature: sign(&requester.key, &hash) }, hash)
	}
}

fn sign(pair: &Pair, message: &H256) -> Signature {
	Signature::Sr25519(pair.sign(message.as_bytes()))
}
