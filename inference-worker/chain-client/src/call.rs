//! The calls that workers, gateways and requesters make, and their bytes.

use crate::{error::SubmitError, runtime::Runtime, types::Shard};
use aria_primitives::{
	audit::{Named, Opening, Reveal, Sealed, SeatProof, MAX_OPENINGS},
	consent::Consent,
	dispute::{BlockProof, Fork, Hashes, Party},
	manifest::MAX_MANIFEST_BYTES,
	record::{Batch, Settlement},
	traits::Offer,
	AccountId, Balance, BlockNumber, ModelId, RecordId,
};
use codec::{Compact, Encode};
use sp_core::{sr25519, H256};
use sp_runtime::MultiAddress;

/// Most calls of one [`Call::BatchAll`].
const MAX_CALLS: usize = 512;
/// How deep calls may lie in each other.
const MAX_DEPTH: usize = 8;

/// A call of the chain's. What each does, and its errors, is in the pallet's own documentation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Call {
	/// `ConsentRegistry.set_consent`: for the first time, or after a withdrawal.
	SetConsent(Consent),
	/// `ConsentRegistry.update_consent`.
	UpdateConsent(Consent),
	/// `ConsentRegistry.withdraw_consent`.
	WithdrawConsent,
	/// `WorkerRegistry.register_worker`.
	RegisterWorker {
		/// The ed25519 public key of the worker's libp2p identity.
		peer: [u8; 32],
		/// That key's signature of [`aria_primitives::hashing::peer_binding`].
		peer_signature: [u8; 64],
		/// UN M49 region code, 0 for unknown.
		region: u16,
		/// In planck.
		stake: Balance,
	},
	/// `WorkerRegistry.bond_more`, in planck.
	BondMore(Balance),
	/// `WorkerRegistry.set_served`: replaces everything said before.
	SetServed(Vec<Shard>),
	/// `WorkerRegistry.set_region`: a UN M49 code, 0 for unknown.
	SetRegion(u16),
	/// `WorkerRegistry.rotate_peer`.
	RotatePeer {
		/// The new ed25519 public key.
		peer: [u8; 32],
		/// That key's signature of [`aria_primitives::hashing::peer_binding`].
		peer_signature: [u8; 64],
	},
	/// `WorkerRegistry.drain`.
	Drain,
	/// `WorkerRegistry.resume`.
	Resume,
	/// `WorkerRegistry.rest`: until [`Call::Resume`].
	Rest,
	/// `WorkerRegistry.answer`: the peer key's signature of
	/// [`aria_primitives::uptime::answer_message`].
	Answer([u8; 64]),
	/// `WorkerRegistry.unbond`.
	Unbond,
	/// `WorkerRegistry.withdraw`.
	Withdraw,
	/// `InferenceMarket.register_gateway`.
	RegisterGateway,
	/// `InferenceMarket.raise_gateway_stake`: what is added, in planck.
	RaiseGatewayStake(Balance),
	/// `InferenceMarket.deposit`: into the caller's escrow, in planck.
	Deposit(Balance),
	/// `InferenceMarket.register_key`.
	RegisterKey {
		/// The key, as an account.
		key: AccountId,
		/// Who may use its tickets.
		gateway: AccountId,
		/// Most that may ever be taken, in planck.
		allowance: Balance,
		/// Most that may be taken within an hour, in planck.
		hourly_cap: Balance,
		/// Last block at which it pays.
		expiry: BlockNumber,
	},
	/// `InferenceMarket.update_key`.
	UpdateKey {
		/// The key.
		key: AccountId,
		/// Most that may ever be taken, in planck.
		allowance: Balance,
		/// Most that may be taken within an hour, in planck.
		hourly_cap: Balance,
		/// Last block at which it pays.
		expiry: BlockNumber,
	},
	/// `InferenceMarket.revoke_key`.
	RevokeKey(AccountId),
	/// `InferenceMarket.settle`.
	Settle(Box<Settlement>),
	/// `InferenceMarket.settle_batch`.
	SettleBatch(Box<Batch>),
	/// `ModelRegistry.register_model`: a manifest's canonical bytes.
	RegisterModel(Vec<u8>),
	/// `ModelRegistry.set_offer`.
	SetOffer {
		/// The model.
		model: ModelId,
		/// What the caller asks for its tokens.
		offer: Offer,
	},
	/// `ModelRegistry.pin`: for [`Call::sudo`].
	Pin(ModelId),
	/// `ModelRegistry.set_alias`: for [`Call::sudo`].
	SetAlias {
		/// 3 to 64 of `a-z 0-9 . -`, a letter first.
		name: String,
		/// What it shall name.
		model: ModelId,
	},
	/// `Verification.register_verifier`: the key of the caller's lots, and of what is handed to it.
	RegisterVerifier(sr25519::Public),
	/// `Verification.retire_verifier`.
	RetireVerifier(AccountId),
	/// `Verification.commit`.
	CommitAudit {
		/// The record.
		record: RecordId,
		/// Of the caller's seat.
		proof: SeatProof,
		/// What is committed to.
		commitment: H256,
		/// The verifiers that the requester named; nobody where anybody may audit.
		named: Named,
	},
	/// `Verification.claim_silence`.
	ClaimSilence {
		/// The record.
		record: RecordId,
		/// Of the caller's seat.
		proof: SeatProof,
		/// As in [`Call::CommitAudit`].
		named: Named,
	},
	/// `Verification.post_handover`.
	PostHandover {
		/// The record.
		record: RecordId,
		/// Who claims silence.
		verifier: AccountId,
		/// The hand-over.
		sealed: Box<Sealed>,
	},
	/// `Verification.reveal`.
	RevealAudit {
		/// The record.
		record: RecordId,
		/// What was committed to.
		reveal: Box<Reveal>,
	},
	/// `Verification.open`.
	OpenAudit {
		/// The record.
		record: RecordId,
		/// The leaves that the beacon picked, in order.
		openings: Vec<Opening>,
	},
	/// `Verification.claim_fees`: those of this verifier.
	ClaimFees(AccountId),
	/// `Verification.displace_verifier`.
	DisplaceVerifier {
		/// As in [`Call::RegisterVerifier`].
		key: sr25519::Public,
		/// The verifier whose place the caller takes.
		other: AccountId,
	},
	/// `Verification.commit_canary`.
	CommitCanary(H256),
	/// `Verification.reveal_canary`.
	RevealCanary {
		/// The record.
		record: RecordId,
		/// The stage that is false, from 0.
		stage: u16,
		/// Whose right it is to make one.
		maker: AccountId,
		/// What made the commitment unguessable.
		nonce: H256,
		/// Of that right.
		proof: SeatProof,
	},
	/// `Verification.withdraw_canary`.
	WithdrawCanary {
		/// As in [`Call::RevealCanary`].
		record: RecordId,
		/// As in [`Call::RevealCanary`].
		stage: u16,
		/// As in [`Call::RevealCanary`].
		maker: AccountId,
		/// As in [`Call::RevealCanary`].
		nonce: H256,
	},
	/// `Verification.open_dispute`.
	OpenDispute {
		/// The record.
		record: RecordId,
		/// The verifier that accuses.
		accuser: AccountId,
	},
	/// `Verification.post_nodes`: as the stage's node.
	PostNodes {
		/// The record.
		record: RecordId,
		/// The verifier that accuses.
		accuser: AccountId,
		/// The nodes of the stage's boundary.
		nodes: Hashes,
	},
	/// `Verification.accuse_leaf`: as the accuser.
	AccuseLeaf {
		/// The record.
		record: RecordId,
		/// Of the nodes.
		fork: Box<Fork>,
		/// The accuser's leaves below its node.
		leaves: Hashes,
	},
	/// `Verification.defend_leaf`: as the stage's node.
	DefendLeaf {
		/// The record.
		record: RecordId,
		/// The verifier that accuses.
		accuser: AccountId,
		/// Of the leaves below the node.
		fork: Box<Fork>,
		/// The trace's items.
		items: Hashes,
	},
	/// `Verification.reply_trace`: as the accuser.
	ReplyTrace {
		/// The record.
		record: RecordId,
		/// The trace's items.
		items: Hashes,
	},
	/// `Verification.post_blocks`: as either of them.
	PostBlocks {
		/// The record.
		record: RecordId,
		/// The verifier that accuses.
		accuser: AccountId,
		/// Of the items.
		fork: Box<Fork>,
		/// The caller's blocks.
		blocks: Hashes,
	},
	/// `Verification.prove_false`.
	ProveFalse {
		/// The record.
		record: RecordId,
		/// The verifier that accuses.
		accuser: AccountId,
		/// Whose sums are none.
		against: Party,
		/// Block, input and weights.
		proof: Box<BlockProof>,
	},
	/// `Balances.transfer_keep_alive`.
	Transfer {
		/// To whom.
		to: AccountId,
		/// In planck.
		amount: Balance,
	},
	/// `Utility.batch_all`: all take effect, or none.
	BatchAll(Vec<Call>),
	/// `Sudo.sudo`: as root; the caller has to be the sudo key.
	Sudo(Box<Call>),
}

impl Call {
	/// A call as root.
	pub fn sudo(call: Call) -> Self {
		Call::Sudo(Box::new(call))
	}

	/// Pallet and name, as in the chain's metadata.
	pub fn name(&self) -> (&'static str, &'static str) {
		match self {
			Call::SetConsent(_) => ("ConsentRegistry", "set_consent"),
			Call::UpdateConsent(_) => ("ConsentRegistry", "update_consent"),
			Call::WithdrawConsent => ("ConsentRegistry", "withdraw_consent"),
			Call::RegisterWorker { .. } => ("WorkerRegistry", "register_worker"),
			Call::BondMore(_) => ("WorkerRegistry", "bond_more"),
			Call::SetServed(_) => ("WorkerRegistry", "set_served"),
			Call::SetRegion(_) => ("WorkerRegistry", "set_region"),
			Call::RotatePeer { .. } => ("WorkerRegistry", "rotate_peer"),
			Call::Drain => ("WorkerRegistry", "drain"),
			Call::Resume => ("WorkerRegistry", "resume"),
			Call::Rest => ("WorkerRegistry", "rest"),
			Call::Answer(_) => ("WorkerRegistry", "answer"),
			Call::Unbond => ("WorkerRegistry", "unbond"),
			Call::Withdraw => ("WorkerRegistry", "withdraw"),
			Call::RegisterGateway => ("InferenceMarket", "register_gateway"),
			Call::RaiseGatewayStake(_) => ("InferenceMarket", "raise_gateway_stake"),
			Call::Deposit(_) => ("InferenceMarket", "deposit"),
			Call::RegisterKey { .. } => ("InferenceMarket", "register_key"),
			Call::UpdateKey { .. } => ("InferenceMarket", "update_key"),
			Call::RevokeKey(_) => ("InferenceMarket", "revoke_key"),
			Call::Settle(_) => ("InferenceMarket", "settle"),
			Call::SettleBatch(_) => ("InferenceMarket", "settle_batch"),
			Call::RegisterModel(_) => ("ModelRegistry", "register_model"),
			Call::SetOffer { .. } => ("ModelRegistry", "set_offer"),
			Call::Pin(_) => ("ModelRegistry", "pin"),
			Call::SetAlias { .. } => ("ModelRegistry", "set_alias"),
			Call::RegisterVerifier(_) => ("Verification", "register_verifier"),
			Call::RetireVerifier(_) => ("Verification", "retire_verifier"),
			Call::CommitAudit { .. } => ("Verification", "commit"),
			Call::ClaimSilence { .. } => ("Verification", "claim_silence"),
			Call::PostHandover { .. } => ("Verification", "post_handover"),
			Call::RevealAudit { .. } => ("Verification", "reveal"),
			Call::OpenAudit { .. } => ("Verification", "open"),
			Call::ClaimFees(_) => ("Verification", "claim_fees"),
			Call::DisplaceVerifier { .. } => ("Verification", "displace_verifier"),
			Call::CommitCanary(_) => ("Verification", "commit_canary"),
			Call::RevealCanary { .. } => ("Verification", "reveal_canary"),
			Call::WithdrawCanary { .. } => ("Verification", "withdraw_canary"),
			Call::OpenDispute { .. } => ("Verification", "open_dispute"),
			Call::PostNodes { .. } => ("Verification", "post_nodes"),
			Call::AccuseLeaf { .. } => ("Verification", "accuse_leaf"),
			Call::DefendLeaf { .. } => ("Verification", "defend_leaf"),
			Call::ReplyTrace { .. } => ("Verification", "reply_trace"),
			Call::PostBlocks { .. } => ("Verification", "post_blocks"),
			Call::ProveFalse { .. } => ("Verification", "prove_false"),
			Call::Transfer { .. } => ("Balances", "transfer_keep_alive"),
			Call::BatchAll(_) => ("Utility", "batch_all"),
			Call::Sudo(_) => ("Sudo", "sudo"),
		}
	}

	/// The bytes of its arguments. Calls within it get the runtime's numbers.
	///
	/// # Errors
	/// [`SubmitError::BadCall`] for lists that are longer than the chain reads.
	pub(crate) fn arguments(&self, runtime: &Runtime) -> Result<Vec<u8>, SubmitError> {
		self.arguments_at(runtime, 0)
	}

	fn arguments_at(&self, runtime: &Runtime, depth: usize) -> Result<Vec<u8>, SubmitError> {
		let bytes = match self {
			Call::SetConsent(consent) | Call::UpdateConsent(consent) => consent.encode(),
			Call::WithdrawConsent
			| Call::Drain
			| Call::Resume
			| Call::Rest
			| Call::Unbond
			| Call::Withdraw
			| Call::RegisterGateway => Vec::new(),
			Call::RegisterWorker { peer, peer_signature, region, stake } => {
				(peer, peer_signature, region, stake).encode()
			}
			Call::BondMore(amount) => amount.encode(),
			Call::Answer(signature) => signature.encode(),
			Call::SetServed(shards) => {
				let most = runtime.constants.max_served as usize;
				ensure(shards.len() <= most, || format!("a worker serves {most} shards at most"))?;
				shards.encode()
			}
			Call::SetRegion(region) => region.encode(),
			Call::RotatePeer { peer, peer_signature } => (peer, peer_signature).encode(),
			Call::RaiseGatewayStake(amount) | Call::Deposit(amount) => Compact(*amount).encode(),
			Call::RegisterKey { key, gateway, allowance, hourly_cap, expiry } => {
				(key, gateway, Compact(*allowance), Compact(*hourly_cap), expiry).encode()
			}
			Call::UpdateKey { key, allowance, hourly_cap, expiry } => {
				(key, Compact(*allowance), Compact(*hourly_cap), expiry).encode()
			}
			Call::RevokeKey(key) => key.encode(),
			Call::Settle(settlement) => settlement.encode(),
			Call::SettleBatch(batch) => batch.encode(),
			Call::RegisterModel(manifest) => {
				let most = MAX_MANIFEST_BYTES as usize;
				ensure(manifest.len() <= most, || format!("a manifest has {most} bytes at most"))?;
				manifest.encode()
			}
			Call::SetOffer { model, offer } => (model, offer).encode(),
			Call::Pin(model) => model.encode(),
			Call::SetAlias { name, model } => {
				ensure(name.len() <= 64, || "an alias has 64 bytes at most".to_owned())?;
				(name, model).encode()
			}
			Call::RegisterVerifier(key) => key.encode(),
			Call::RetireVerifier(worker) => worker.encode(),
			Call::CommitAudit { record, proof, commitment, named } => {
				(record, proof, commitment, named).encode()
			}
			Call::ClaimSilence { record, proof, named } => (record, proof, named).encode(),
			Call::PostHandover { record, verifier, sealed } => {
				(record, verifier, sealed.as_ref()).encode()
			}
			Call::RevealAudit { record, reveal } => (record, reveal.as_ref()).encode(),
			Call::OpenAudit { record, openings } => {
				let most = MAX_OPENINGS as usize;
				ensure(openings.len() <= most, || format!("{most} openings at most"))?;
				(record, openings).encode()
			}
			Call::ClaimFees(verifier) => verifier.encode(),
			Call::DisplaceVerifier { key, other } => (key, other).encode(),
			Call::CommitCanary(hash) => hash.encode(),
			Call::RevealCanary { record, stage, maker, nonce, proof } => {
				(record, stage, maker, nonce, proof).encode()
			}
			Call::WithdrawCanary { record, stage, maker, nonce } => {
				(record, stage, maker, nonce).encode()
			}
			Call::OpenDispute { record, accuser } => (record, accuser).encode(),
			Call::PostNodes { record, accuser, nodes } => (record, accuser, nodes).encode(),
			Call::AccuseLeaf { record, fork, leaves } => (record, fork.as_ref(), leaves).encode(),
			Call::DefendLeaf { record, accuser, fork, items } => {
				(record, accuser, fork.as_ref(), items).encode()
			}
			Call::ReplyTrace { record, items } => (record, items).encode(),
			Call::PostBlocks { record, accuser, fork, blocks } => {
				(record, accuser, fork.as_ref(), blocks).encode()
			}
			Call::ProveFalse { record, accuser, against, proof } => {
				(record, accuser, against, proof.as_ref()).encode()
			}
			Call::Transfer { to, amount } => {
				(MultiAddress::<AccountId, ()>::Id(to.clone()), Compact(*amount)).encode()
			}
			Call::BatchAll(calls) => {
				ensure(calls.len() <= MAX_CALLS, || format!("{MAX_CALLS} calls at most"))?;
				let count = u32::try_from(calls.len()).unwrap_or(u32::MAX);
				let mut bytes = Compact(count).encode();
				for call in calls {
					bytes.extend(call.nested(runtime, depth)?);
				}
				bytes
			}
			Call::Sudo(call) => call.nested(runtime, depth)?,
		};
		Ok(bytes)
	}

	/// The bytes of the call within another one at `depth`.
	fn nested(&self, runtime: &Runtime, depth: usize) -> Result<Vec<u8>, SubmitError> {
		ensure(depth < MAX_DEPTH, || {
			format!("calls lie in each other more than {MAX_DEPTH} deep")
		})?;
		let (pallet, name) = self.name();
		let mut bytes = runtime.call_index(pallet, name)?.to_vec();
		bytes.extend(self.arguments_at(runtime, depth.saturating_add(1))?);
		Ok(bytes)
	}
}

fn ensure(holds: bool, otherwise: impl FnOnce() -> String) -> Result<(), SubmitError> {
	if holds {
		Ok(())
	} else {
		Err(SubmitError::BadCall(otherwise()))
	}
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;
	use crate::fit::COMMITTED;
	use aria_primitives::{
		audit::{Finding, RecordPath},
		consent::{RewardMode, RewardPreference, Schedule, TaskType},
		record::{
			Anchor, EnergySource, FinishReason, LayerRange, Payment, RecordBody, Stage,
			RECORD_VERSION,
		},
		Signature,
	};
	use aria_runtime::RuntimeCall;
	use codec::DecodeAll;

	fn account(byte: u8) -> AccountId {
		AccountId::new([byte; 32])
	}

	fn signature(byte: u8) -> Signature {
		Signature::Sr25519(sr25519::Signature::from_raw([byte; 64]))
	}

	fn consent() -> Consent {
		Consent {
			cpu_percent: 25,
			schedule: Schedule::always(),
			task_types: vec![TaskType::TextGeneration].try_into().unwrap(),
			max_bandwidth_mbps: 20,
			max_memory_mb: 4_096,
			reward_preference: RewardPreference {
				payout: account(1),
				minimum_price: 5,
				mode: RewardMode::Keep,
			},
		}
	}

	fn settlement() -> Settlement {
		let stage = Stage {
			node: account(2),
			layers: LayerRange { first: 0, end: 2 },
			energy_mj: 7,
			energy_source: EnergySource::Rapl,
			consent_version: 3,
		};
		let body = RecordBody {
			version: RECORD_VERSION,
			model_id: H256::repeat_byte(1),
			query_hash: H256::repeat_byte(2),
			output_hash: H256::repeat_byte(3),
			output_tokens_hash: H256::repeat_byte(4),
			finish_reason: FinishReason::Stop,
			prompt_tokens: 5,
			cached_tokens: 0,
			output_tokens: 6,
			stages: vec![stage].try_into().unwrap(),
			boundaries: vec![H256::zero(); 2].try_into().unwrap(),
			energy_mj: 7,
			latency_ms: 8,
			timestamp: 9,
			anchor: Anchor { number: 10, hash: H256::repeat_byte(5) },
			ticket_hash: H256::repeat_byte(6),
		};
		Settlement {
			id: H256::repeat_byte(7),
			body,
			payment: Payment::Request(H256::repeat_byte(6)),
			signatures: vec![Some(signature(1)), None].try_into().unwrap(),
			gateway_signature: signature(2),
		}
	}

	fn proof() -> SeatProof {
		SeatProof { pre_output: [1; 32], proof: [2; 64] }
	}

	fn opening() -> Opening {
		Opening {
			data: vec![5; 100].try_into().unwrap(),
			own_root: H256::repeat_byte(1),
			own_path: vec![H256::repeat_byte(2)].try_into().unwrap(),
			root_path: Default::default(),
			record: RecordPath { root: H256::repeat_byte(3), path: Default::default() },
		}
	}

	fn hashes(count: u8) -> Hashes {
		(0..count).map(H256::repeat_byte).collect::<Vec<_>>().try_into().unwrap()
	}

	fn fork() -> Fork {
		Fork::between(&hashes(3), &[H256::zero(); 3]).unwrap()
	}

	fn all() -> Vec<Call> {
		let model = H256::repeat_byte(9);
		let offer = Offer { prompt_price: 1, cached_price: 2, output_price: 3 };
		let shard = Shard { model, layers: LayerRange { first: 1, end: 3 } };
		let batch = Batch {
			entries: Vec::new().try_into().unwrap(),
			signatures: vec![(account(3), signature(4))].try_into().unwrap(),
		};
		vec![
			Call::SetConsent(consent()),
			Call::UpdateConsent(consent()),
			Call::WithdrawConsent,
			Call::RegisterWorker {
				peer: [1; 32],
				peer_signature: [2; 64],
				region: 756,
				stake: 1 << 70,
			},
			Call::BondMore(7),
			Call::SetServed(vec![shard]),
			Call::SetRegion(40),
			Call::RotatePeer { peer: [3; 32], peer_signature: [4; 64] },
			Call::Drain,
			Call::Resume,
			Call::Rest,
			Call::Answer([5; 64]),
			Call::Unbond,
			Call::Withdraw,
			Call::RegisterGateway,
			Call::RaiseGatewayStake(1 << 75),
			Call::Deposit(1 << 80),
			Call::RegisterKey {
				key: account(4),
				gateway: account(5),
				allowance: 6,
				hourly_cap: 1 << 66,
				expiry: 8,
			},
			Call::UpdateKey { key: account(4), allowance: 0, hourly_cap: 9, expiry: 8 },
			Call::RevokeKey(account(4)),
			Call::Settle(Box::new(settlement())),
			Call::SettleBatch(Box::new(batch)),
			Call::RegisterModel(vec![1, 2, 3]),
			Call::SetOffer { model, offer },
			Call::Pin(model),
			Call::SetAlias { name: "aria-demo".into(), model },
			Call::RegisterVerifier(sr25519::Public::from_raw([7; 32])),
			Call::RetireVerifier(account(7)),
			Call::CommitAudit {
				record: H256::repeat_byte(1),
				proof: proof(),
				commitment: H256::repeat_byte(2),
				named: vec![account(1), account(2)].try_into().unwrap(),
			},
			Call::ClaimSilence {
				record: H256::repeat_byte(1),
				proof: proof(),
				named: Named::default(),
			},
			Call::PostHandover {
				record: H256::repeat_byte(1),
				verifier: account(8),
				sealed: Box::new(Sealed {
					ephemeral: [9; 32],
					bytes: vec![1, 2, 3].try_into().unwrap(),
				}),
			},
			Call::RevealAudit {
				record: H256::repeat_byte(1),
				reveal: Box::new(Reveal {
					root: H256::repeat_byte(3),
					finding: Finding::Boundary {
						index: 1,
						roots: vec![H256::repeat_byte(4)].try_into().unwrap(),
					},
					nonce: H256::repeat_byte(5),
				}),
			},
			Call::OpenAudit { record: H256::repeat_byte(1), openings: vec![opening()] },
			Call::ClaimFees(account(9)),
			Call::DisplaceVerifier { key: sr25519::Public::from_raw([8; 32]), other: account(10) },
			Call::CommitCanary(H256::repeat_byte(6)),
			Call::RevealCanary {
				record: H256::repeat_byte(1),
				stage: 2,
				maker: account(11),
				nonce: H256::repeat_byte(7),
				proof: proof(),
			},
			Call::WithdrawCanary {
				record: H256::repeat_byte(1),
				stage: 2,
				maker: account(11),
				nonce: H256::repeat_byte(7),
			},
			Call::OpenDispute { record: H256::repeat_byte(1), accuser: account(8) },
			Call::PostNodes { record: H256::repeat_byte(1), accuser: account(8), nodes: hashes(2) },
			Call::AccuseLeaf {
				record: H256::repeat_byte(1),
				fork: Box::new(fork()),
				leaves: hashes(3),
			},
			Call::DefendLeaf {
				record: H256::repeat_byte(1),
				accuser: account(8),
				fork: Box::new(fork()),
				items: hashes(11),
			},
			Call::ReplyTrace { record: H256::repeat_byte(1), items: hashes(11) },
			Call::PostBlocks {
				record: H256::repeat_byte(1),
				accuser: account(8),
				fork: Box::new(fork()),
				blocks: hashes(4),
			},
			Call::ProveFalse {
				record: H256::repeat_byte(1),
				accuser: account(8),
				against: Party::Accuser,
				proof: Box::new(BlockProof {
					block: 1,
					hash: H256::repeat_byte(2),
					path: Default::default(),
					inputs: vec![3; 9].try_into().unwrap(),
					inputs_path: vec![H256::repeat_byte(4)].try_into().unwrap(),
					weights: vec![5; 64].try_into().unwrap(),
					weights_path: Default::default(),
				}),
			},
			Call::Transfer { to: account(6), amount: 1 << 65 },
			Call::sudo(Call::Pin(model)),
			Call::BatchAll(vec![Call::Drain, Call::sudo(Call::Pin(model)), Call::Unbond]),
		]
	}

	#[test]
	fn every_call_should_be_read_by_the_runtime() {
		let runtime = Runtime::new(COMMITTED, H256::zero()).unwrap();

		for call in all() {
			let bytes = call.nested(&runtime, 0).unwrap();
			let read = RuntimeCall::decode_all(&mut bytes.as_slice());
			let read = read.unwrap_or_else(|error| panic!("{:?}: {error}", call.name()));
			assert_eq!(read.encode(), bytes, "{:?}", call.name());
			assert!(format!("{read:?}").contains(call.name().1), "{read:?}");
		}
	}

	#[test]
	fn lists_that_the_chain_would_not_read_should_be_refused() {
		let runtime = Runtime::new(COMMITTED, H256::zero()).unwrap();
		let shard = Shard { model: H256::zero(), layers: LayerRange { first: 0, end: 1 } };
		let mut deep = Call::Drain;
		for _ in 0..20 {
			deep = Call::sudo(deep);
		}

		for call in [
			Call::SetServed(vec![shard; 1_000]),
			Call::RegisterModel(vec![0; 100_000]),
			Call::SetAlias { name: "a".repeat(65), model: H256::zero() },
			Call::BatchAll(vec![Call::Drain; 1_000]),
			Call::OpenAudit { record: H256::zero(), openings: vec![opening(); 9] },
			deep,
		] {
			assert!(matches!(call.arguments(&runtime), Err(SubmitError::BadCall(_))));
		}
	}
}
