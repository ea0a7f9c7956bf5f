//! One signature over many records (`docs/protocol/record.md`, "Batches"): the gateway asks every stage
//! of a batch for it on [`BATCH_PROTOCOL`](aria_network::wire::BATCH_PROTOCOL), one request a stream.
//!
//! Whoever signs a batch signs every record in it of which its account is a stage or the gateway. So a
//! signer looks at each entry before it signs: those that name it as a stage it must have signed before,
//! and none may be paid by a ticket of its own gateway, if it is one, since that one signs for itself.

use super::store::{body_hash, SettlementStore};
use aria_network::wire::{
	frame::{self, FrameError},
	pipeline::{said, text, Text},
};
use aria_primitives::{
	record::{batch_digest, BatchEntry, Payment, MAX_BATCH, MAX_BATCH_SIGNERS},
	AccountId, RecordId, Signature,
};
use codec::{Decode, Encode};
use futures::{
	future::{join_all, BoxFuture},
	io::{AsyncRead, AsyncWrite, AsyncWriteExt},
};
use sp_core::{sr25519, ConstU32, Pair, H256};
use sp_runtime::{traits::Verify, BoundedVec};
use std::{collections::BTreeSet, sync::Arc, time::Duration};

/// Most bytes of a [`BatchRequest`]: 512 records of 32 stages are 1.7 MB.
pub const MAX_REQUEST: usize = 3 << 20;
/// Most bytes of a [`BatchAnswer`].
pub const MAX_ANSWER: usize = 1 << 10;
/// How long a peer may take to send its request, or to read the answer.
const PATIENCE: Duration = Duration::from_secs(20);

/// Sign all of these at once.
#[derive(Clone, PartialEq, Eq, Encode, Decode, Debug)]
pub struct BatchRequest {
	/// All who are asked, the gateway included; strictly ascending.
	pub signers: BoundedVec<AccountId, ConstU32<MAX_BATCH_SIGNERS>>,
	/// The records in the order in which they will be submitted.
	pub entries: BoundedVec<BatchEntry, ConstU32<MAX_BATCH>>,
}

/// The answer to a [`BatchRequest`].
#[derive(Clone, PartialEq, Eq, Encode, Decode, Debug)]
pub enum BatchAnswer {
	/// Over [`BatchRequest::digest`].
	Signed(Signature),
	/// The receiver does not sign this.
	Refused(Text),
}

/// Why there is no signature.
#[derive(Debug, thiserror::Error)]
pub enum BatchError {
	/// The stream failed, or the peer sent something else.
	#[error(transparent)]
	Frame(#[from] FrameError),
	/// The peer took too long.
	#[error("the peer took more than {} s", PATIENCE.as_secs())]
	Late,
	/// The peer does not sign.
	#[error("the peer does not sign: {0}")]
	Refused(String),
}

/// Asks nodes for their signatures; over the network outside of tests.
pub trait BatchSigners: Send + Sync {
	/// The signature of `node` over the request's digest, or `None` if it gives none. What comes is
	/// checked by the caller.
	fn sign(&self, node: AccountId, request: Arc<BatchRequest>)
		-> BoxFuture<'_, Option<Signature>>;
}

impl BatchRequest {
	/// What every signer signs on the chain with this genesis.
	pub fn digest(&self, genesis: &H256) -> H256 {
		let ids: Vec<RecordId> = self.entries.iter().map(|entry| entry.id).collect();
		batch_digest(genesis, &ids, &self.signers)
	}

	/// Whether `me` may sign; `signed` gives the hash of the body that it signed under an id. Returns
	/// what is to be signed.
	///
	/// # Errors
	/// The first thing that is wrong, in words for the asker.
	pub fn check(
		&self,
		genesis: &H256,
		me: &AccountId,
		mut signed: impl FnMut(&RecordId) -> Option<H256>,
	) -> Result<H256, String> {
		if !self.signers.windows(2).all(|pair| pair[0] < pair[1]) {
			return Err("the signers are not strictly ascending".to_owned());
		}
		let among = |node: &AccountId| self.signers.binary_search(node).is_ok();
		if !among(me) {
			return Err("this worker is not among the signers".to_owned());
		}
		let mut ids = BTreeSet::new();
		let mut mine = false;
		for (index, BatchEntry { id, body, payment }) in self.entries.iter().enumerate() {
			let wrong = |what: &str| Err(format!("entry {index}: {what}"));
			if body.id(genesis) != *id {
				return wrong("its id is not that of its body on this chain");
			}
			if !ids.insert(*id) {
				return wrong("its id is there twice");
			}
			// The body names its ticket by hash, so that the ticket's gateway is beyond doubt.
			let Payment::Ticket(paid) = payment else {
				return wrong("a request on chain is settled alone");
			};
			if paid.ticket.hash(genesis) != body.ticket_hash {
				return wrong("its ticket is another one than the body names");
			}
			if paid.ticket.gateway == *me {
				return wrong("its ticket is of the gateway that is asked, which signs for itself");
			}
			if !among(&paid.ticket.gateway) || !body.stages.iter().all(|stage| among(&stage.node)) {
				return wrong("its gateway or a stage is not among the signers");
			}
			if body.stages.iter().any(|stage| stage.node == *me) {
				if signed(id) != Some(body_hash(body)) {
					return wrong("this worker did not sign it as a stage");
				}
				mine = true;
			}
		}
		if !mine {
			return Err("no entry names this worker as a stage".to_owned());
		}
		Ok(self.digest(genesis))
	}
}

/// Answers the one request of a stream: with a signature if [`BatchRequest::check`] allows it.
///
/// # Errors
/// [`BatchError::Frame`] and [`BatchError::Late`]. A refusal was sent and is no error.
pub async fn serve_batch<S: AsyncRead + AsyncWrite + Unpin>(
	mut stream: S,
	store: &SettlementStore,
	pair: &sr25519::Pair,
) -> Result<(), BatchError> {
	let request: BatchRequest = in_time(frame::read(&mut stream, MAX_REQUEST)).await?;
	let me = AccountId::from(pair.public());
	let checked = request.check(&store.genesis(), &me, |id| match store.signed(id) {
		Ok(hash) => hash,
		Err(error) => {
			tracing::warn!(target: "aria::settle", %error, "what was signed can't be read");
			None
		}
	});
	let answer = match checked {
		Ok(digest) => BatchAnswer::Signed(pair.sign(digest.as_bytes()).into()),
		Err(reason) => {
			tracing::debug!(target: "aria::settle", %reason, "a batch is not signed");
			BatchAnswer::Refused(text(reason))
		}
	};
	in_time(frame::write(&mut stream, &answer)).await?;
	// The answer is on its way; how the stream ends does not matter.
	let _ = stream.close().await;
	Ok(())
}

/// Asks for a signature on a fresh stream: the other side of [`serve_batch`].
///
/// # Errors
/// [`BatchError`].
pub async fn ask_batch<S: AsyncRead + AsyncWrite + Unpin>(
	mut stream: S,
	request: &BatchRequest,
) -> Result<Signature, BatchError> {
	in_time(frame::write(&mut stream, request)).await?;
	match in_time(frame::read(&mut stream, MAX_ANSWER)).await? {
		BatchAnswer::Signed(signature) => Ok(signature),
		BatchAnswer::Refused(reason) => Err(BatchError::Refused(said(&reason))),
	}
}

async fn in_time<T>(
	work: impl std::future::Future<Output = Result<T, FrameError>>,
) -> Result<T, BatchError> {
	match tokio::time::timeout(PATIENCE, work).await {
		Ok(result) => Ok(result?),
		Err(_) => Err(BatchError::Late),
	}
}

/// The signatures of all signers in their order, the gateway's by its own hand; or, if one is missing
/// when `within` is over, who did not sign.
pub async fn collect(
	request: Arc<BatchRequest>,
	genesis: &H256,
	gateway: &sr25519::Pair,
	signers: &dyn BatchSigners,
	within: Duration,
) -> Result<Vec<(AccountId, Signature)>, Vec<AccountId>> {
	let digest = request.digest(genesis);
	let own = AccountId::from(gateway.public());
	let asked = request.signers.iter().map(|node| {
		let (node, request, own) = (node.clone(), request.clone(), &own);
		async move {
			if node == *own {
				return (node, Some(Signature::from(gateway.sign(digest.as_bytes()))));
			}
			let answer = tokio::time::timeout(within, signers.sign(node.clone(), request)).await;
			let signature = answer
				.ok()
				.flatten()
				.filter(|signature| signature.verify(digest.as_bytes(), &node));
			(node, signature)
		}
	});
	let (mut given, mut missing) = (Vec::new(), Vec::new());
	for (node, signature) in join_all(asked).await {
		match signature {
			Some(signature) => given.push((node, signature)),
			None => missing.push(node),
		}
	}
	if missing.is_empty() {
		Ok(given)
	} else {
		Err(missing)
	}
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::{super::testing, *};
	use aria_primitives::record::Settlement;
	use futures::io::Cursor;
	use tempfile::tempdir;
	use tokio_util::compat::TokioAsyncReadCompatExt;

	const GATEWAY: u8 = 100;

	fn entry(settlement: Settlement) -> BatchEntry {
		let Settlement { id, body, payment, .. } = settlement;
		BatchEntry { id, body, payment }
	}

	fn request(entries: Vec<BatchEntry>) -> BatchRequest {
		let mut signers = BTreeSet::from([testing::account(GATEWAY)]);
		for entry in &entries {
			signers.extend(entry.body.stages.iter().map(|stage| stage.node.clone()));
		}
		BatchRequest {
			signers: BoundedVec::truncate_from(signers.into_iter().collect()),
			entries: BoundedVec::truncate_from(entries),
		}
	}

	fn sorted(who: &[u8]) -> BoundedVec<AccountId, ConstU32<MAX_BATCH_SIGNERS>> {
		let accounts: BTreeSet<_> = who.iter().map(|who| testing::account(*who)).collect();
		BoundedVec::truncate_from(accounts.into_iter().collect())
	}

	fn check(request: &BatchRequest, who: u8) -> Result<H256, String> {
		let signed = |id: &RecordId| {
			request.entries.iter().find(|entry| entry.id == *id).map(|entry| body_hash(&entry.body))
		};
		request.check(&testing::GENESIS, &testing::account(who), signed)
	}

	fn two() -> BatchRequest {
		request(vec![
			entry(testing::settlement(1, &[1, 2], GATEWAY)),
			entry(testing::settlement(2, &[2, 3], GATEWAY)),
		])
	}

	#[test]
	fn stages_should_sign_what_they_signed_before() {
		let request = two();
		for who in [1, 2, 3] {
			assert_eq!(check(&request, who), Ok(request.digest(&testing::GENESIS)));
		}
		let me = testing::account(1);
		let refused = request.check(&testing::GENESIS, &me, |_| None).unwrap_err();
		assert!(refused.contains("did not sign"), "{refused}");
		let other = |_: &RecordId| Some(H256::zero());
		assert!(request.check(&testing::GENESIS, &me, other).is_err());
	}

	#[test]
	fn batches_that_break_a_rule_should_be_refused() {
		let refused = |request: &BatchRequest, who: u8, why: &str| {
			let error = check(request, who).unwrap_err();
			assert!(error.contains(why), "{error}");
		};

		refused(&two(), 9, "not among the signers");
		let mut unordered = two();
		let reversed = unordered.signers.iter().rev().cloned().collect();
		unordered.signers = BoundedVec::truncate_from(reversed);
		refused(&unordered, 1, "ascending");
		let mut foreign = two();
		foreign.entries[1].body.latency_ms += 1;
		refused(&foreign, 1, "id is not that");
		let mut twice = two();
		twice.entries[1] = twice.entries[0].clone();
		refused(&twice, 1, "twice");
		let mut on_chain = two();
		on_chain.entries[0].payment = Payment::Request(on_chain.entries[0].body.ticket_hash);
		refused(&on_chain, 1, "alone");
		let mut swapped = two();
		swapped.entries[0].payment = swapped.entries[1].payment.clone();
		refused(&swapped, 1, "another one");
		let mut left_out = two();
		left_out.signers = sorted(&[1, GATEWAY]);
		refused(&left_out, 1, "stage is not among");
	}

	#[test]
	fn a_signer_should_not_be_tricked_into_signing_as_a_gateway() {
		// Whoever holds a ticket of this worker's gateway could pay any record with it otherwise.
		let own_ticket = request(vec![
			entry(testing::settlement(1, &[1, 2], GATEWAY)),
			entry(testing::settlement(2, &[3], 1)),
		]);
		let refused = check(&own_ticket, 1).unwrap_err();
		assert!(refused.contains("signs for itself"), "{refused}");

		let nothing_of_mine = BatchRequest {
			signers: sorted(&[1, 2, 3, GATEWAY]),
			entries: BoundedVec::truncate_from(vec![entry(testing::settlement(
				2,
				&[2, 3],
				GATEWAY,
			))]),
		};
		assert!(check(&nothing_of_mine, 1).unwrap_err().contains("no entry names"));
	}

	#[tokio::test]
	async fn a_worker_should_answer_over_a_stream() {
		let folder = tempdir().unwrap();
		let store = SettlementStore::open(folder.path().join("s"), testing::GENESIS).unwrap();
		let request = two();
		let pair = testing::pair(2);
		for signed in [false, true] {
			if signed {
				for entry in &request.entries {
					store.note_signed(&entry.id, &entry.body).unwrap();
				}
			}
			let (near, far) = tokio::io::duplex(1 << 16);
			let (answer, served) = tokio::join!(
				ask_batch(near.compat(), &request),
				serve_batch(far.compat(), &store, &pair)
			);
			served.unwrap();
			match answer {
				Ok(signature) => {
					let digest = request.digest(&testing::GENESIS);
					assert!(signed && signature.verify(digest.as_bytes(), &testing::account(2)));
				}
				Err(BatchError::Refused(_)) => assert!(!signed),
				Err(error) => panic!("{error}"),
			}
		}
	}

	#[tokio::test]
	async fn garbage_should_end_the_stream_alone() {
		let folder = tempdir().unwrap();
		let store = SettlementStore::open(folder.path().join("s"), testing::GENESIS).unwrap();
		for bytes in [vec![255; 4], vec![3, 0, 0, 0, 1, 2, 3], vec![9, 0, 0, 0, 1]] {
			let served = serve_batch(Cursor::new(bytes), &store, &testing::pair(1)).await;
			assert!(matches!(served, Err(BatchError::Frame(_))));
		}
	}

	#[tokio::test]
	async fn collecting_should_name_who_did_not_sign() {
		let request = Arc::new(two());
		let gateway = testing::pair(GATEWAY);
		let within = Duration::from_millis(50);
		let all = testing::Signers::new(&[1, 2, 3]);
		let signed =
			collect(request.clone(), &testing::GENESIS, &gateway, &all, within).await.unwrap();
		assert!(signed.iter().map(|(node, _)| node).eq(request.signers.iter()));
		let digest = request.digest(&testing::GENESIS);
		assert!(signed.iter().all(|(node, given)| given.verify(digest.as_bytes(), node)));

		let few = testing::Signers::new(&[1, 3]);
		let missing = collect(request.clone(), &testing::GENESIS, &gateway, &few, within).await;
		assert_eq!(missing, Err(vec![testing::account(2)]));
	}
}
