//! Disputes, put together: a worker that answers for its stages, and for what it says of others'
//! (`docs/protocol/dispute.md`).

use super::{
	audit::{later, next_block, unsent, NetworkGateways},
	choice::weight_bytes,
	common::Common,
	config::{Config, Defend},
	live::now,
	stages::Stages,
	worker::Loader,
};
use crate::{
	audit::{conduct::Machine, ledger::LedgerError, NoHandover, Verifier},
	dispute::{
		chain::{Accusation, Action, DisputeChain, Hearing, Hearings, Wanted, Window},
		evidence::{Evidence, Handed},
		Disputer, DisputerParts,
	},
	limits::Governor,
};
use aria_chain_client::{
	audit::{Phase, Seat, SeatState},
	At, Call, Chain,
};
use aria_network::wire::audit::DisputeRequest;
use aria_primitives::{
	audit::{FindingKind, Handover},
	consent::ConsentVersion,
	dispute::{Fork, Hashes, Party},
	record::RecordEntry,
	AccountId, BlockNumber, Moment, RecordId,
};
use futures::future::BoxFuture;
use sp_core::{sr25519, H256};
use std::{
	collections::{HashMap, HashSet},
	sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Records whose parties are remembered.
const MOST_KNOWN: usize = 10_000;

/// Begins to answer for what this worker computed and says. It goes on in the background until the
/// process ends.
pub(super) fn defend(
	config: &Config,
	common: &Common,
	loader: &Arc<Loader>,
	governor: &Arc<Governor>,
	stages: &Arc<Stages>,
	verifier: Option<Arc<Verifier>>,
) -> Arc<Disputer> {
	let (paid, live, when) = (stages.clone(), common.live.clone(), config.defend);
	let machine = Machine {
		governor: governor.clone(),
		busy: Arc::new(move || paid.sessions() > 0),
		allowed: Arc::new(move || {
			let consent = live.snapshot().consent;
			!live.is_paused() && may_defend(when, consent.as_ref(), now())
		}),
		weigh: weight_bytes,
		threads: config.threads,
		kernel: config.kernel.clone(),
	};
	let sources = Sources {
		gateways: NetworkGateways::new(common.handle.clone(), common.pair.clone()),
		account: common.account.clone(),
		verifier,
	};
	let evidence = Evidence::new(Arc::new(sources), loader.clone(), machine);
	let chain = PartyChain {
		chain: common.chain.clone(),
		pair: common.pair.clone(),
		account: common.account.clone(),
		known: Mutex::default(),
	};
	let disputer = Disputer::new(DisputerParts {
		chain: Arc::new(chain),
		account: common.account.clone(),
		evidence,
	});
	tokio::spawn(disputer.clone().run(common.shutdown.clone()));
	disputer
}

/// Whether there may be a run for a dispute at `time`. Tasks of a consent are for what others ask for;
/// hours are its owner's, even where it costs the owner something.
fn may_defend(when: Defend, consent: Option<&ConsentVersion>, time: Moment) -> bool {
	when == Defend::Always
		|| consent.is_some_and(|version| {
			version.superseded_at.is_none() && version.consent.schedule.allows(time)
		})
}

/// The window of disputes that a phase of an audit is; `None` if it is another.
pub(super) fn window(phase: Phase) -> Option<Window> {
	match phase {
		Phase::Dispute => Some(Window::Dispute),
		Phase::Nodes => Some(Window::Nodes),
		Phase::Leaf => Some(Window::Leaf),
		Phase::Defence => Some(Window::Defence),
		Phase::Reply => Some(Window::Reply),
		Phase::Blocks => Some(Window::Blocks),
		Phase::Proof => Some(Window::Proof),
		_ => None,
	}
}

/// The boundary that a counted seat says to be another, and what it found in its place.
pub(super) fn accused(seat: &Seat) -> Option<(u16, H256)> {
	match seat.state {
		SeatState::Counted { finding: FindingKind::Boundary { index, root } } => {
			Some((index, root))
		}
		_ => None,
	}
}

/// Where query and tokens come from: an executor asks the gateway, an accuser has kept what it verified.
struct Sources {
	gateways: NetworkGateways,
	account: AccountId,
	verifier: Option<Arc<Verifier>>,
}

impl Handed for Sources {
	fn handed<'a>(
		&'a self,
		me: Party,
		record: RecordId,
		entry: &'a RecordEntry,
	) -> BoxFuture<'a, Result<Handover, NoHandover>> {
		Box::pin(async move {
			match me {
				Party::Executor => {
					let request = DisputeRequest { record, node: self.account.clone() };
					let found = self.gateways.search(&entry.gateway, &request, &entry.body).await;
					found.map(|(handed, _)| handed)
				}
				Party::Accuser => {
					let silent = |reason: String| NoHandover::Silent(reason);
					let verifier = self.verifier.as_ref();
					let verifier = verifier.ok_or_else(|| {
						silent("this worker runs without audits: start it with --audit".to_owned())
					})?;
					let kept = verifier.accused(record);
					let kept = kept.map_err(|error| silent(error.to_string()))?;
					kept.ok_or_else(|| {
						silent("what was verified of it is not in this base path".to_owned())
					})
				}
			}
		})
	}
}

/// The chain, for a party.
struct PartyChain {
	chain: Chain,
	pair: sr25519::Pair,
	account: AccountId,
	/// Records that are disputed, with what the chain has of them; `None` where this worker is no party.
	known: Mutex<HashMap<RecordId, Option<RecordEntry>>>,
}

impl PartyChain {
	fn known(&self) -> MutexGuard<'_, HashMap<RecordId, Option<RecordEntry>>> {
		self.known.lock().unwrap_or_else(PoisonError::into_inner)
	}

	/// The record with its accusations, if this worker has a part in any. Who has, stays the same as long
	/// as a verdict is held back.
	async fn accusations(
		&self,
		record: RecordId,
		at: At,
	) -> Result<Option<(RecordEntry, Vec<Accusation>)>, LedgerError> {
		let known = self.known().get(&record).cloned();
		if known == Some(None) {
			return Ok(None);
		}
		let entry = match known.flatten() {
			Some(entry) => entry,
			None => match self.chain.record(record, at).await.map_err(later)? {
				Some(entry) => entry,
				None => return Ok(None),
			},
		};
		let seats = self.chain.seats(record, at).await.map_err(later)?;
		let accusations: Vec<Accusation> = seats
			.into_iter()
			.filter_map(|(accuser, seat)| {
				let (index, root) = accused(&seat)?;
				let stage = index.checked_sub(1)?;
				let node = &entry.body.stages.get(usize::from(stage))?.node;
				let signed =
					entry.signed_stages.checked_shr(stage.into()).is_some_and(|bits| bits & 1 == 1);
				let is_mine = *node == self.account || accuser == self.account;
				let accusation = Accusation { accuser, index, root, dispute: None };
				(signed && is_mine).then_some(accusation)
			})
			.collect();
		let mine = (!accusations.is_empty()).then(|| entry.clone());
		self.known().insert(record, mine);
		Ok((!accusations.is_empty()).then_some((entry, accusations)))
	}
}

impl DisputeChain for PartyChain {
	fn next_block(&self) -> BoxFuture<'_, ()> {
		Box::pin(next_block(&self.chain))
	}

	fn hearings(&self) -> BoxFuture<'_, Result<Hearings, LedgerError>> {
		Box::pin(async move {
			let (number, hash) = self.chain.head().borrow().best;
			let at = At::Block(hash);
			let mut hearings = Hearings { at: number, open: Vec::new() };
			let mut disputed = HashSet::new();
			for (record, audit) in self.chain.audits(at).await.map_err(later)? {
				let Some(window) = window(audit.phase) else { continue };
				disputed.insert(record);
				let Some((entry, mut accusations)) = self.accusations(record, at).await? else {
					continue;
				};
				let mut disputes: HashMap<_, _> =
					self.chain.disputes(record, at).await.map_err(later)?.into_iter().collect();
				for accusation in &mut accusations {
					accusation.dispute = disputes.remove(&accusation.accuser);
				}
				hearings.open.push(Hearing {
					record,
					entry,
					window,
					until: audit.until,
					length: audit.params.window,
					verdict: audit.verdict,
					root: audit.root,
					accusations,
				});
			}
			let mut known = self.known();
			known.retain(|record, _| disputed.contains(record));
			if known.len() > MOST_KNOWN {
				known.clear();
			}
			drop(known);
			Ok(hearings)
		})
	}

	fn posted<'a>(
		&'a self,
		wanted: Wanted,
		record: RecordId,
		accuser: &'a AccountId,
		blocks: BlockNumber,
	) -> BoxFuture<'a, Result<Option<Vec<H256>>, LedgerError>> {
		Box::pin(async move {
			let chain = &self.chain;
			let plain = Hashes::into_inner;
			let forked = |(_, hashes): (Fork, Hashes)| hashes.into_inner();
			let found = match wanted {
				Wanted::Nodes(root) => {
					let found = chain.posted_nodes(record, accuser, root, blocks).await;
					found.map(|found| found.map(plain))
				}
				Wanted::Leaf(nodes) => {
					let found = chain.posted_leaf(record, nodes, blocks).await;
					found.map(|found| found.map(forked))
				}
				Wanted::Defence(trace) => {
					let found = chain.posted_defence(record, accuser, trace, blocks).await;
					found.map(|found| found.map(forked))
				}
				Wanted::Reply(trace) => {
					let found = chain.posted_reply(record, trace, blocks).await;
					found.map(|found| found.map(plain))
				}
				Wanted::Blocks(sums) => {
					let found = chain.posted_blocks(record, accuser, sums, blocks).await;
					found.map(|found| found.map(forked))
				}
			};
			found.map_err(later)
		})
	}

	fn send<'a>(
		&'a self,
		record: RecordId,
		accuser: &'a AccountId,
		action: Action,
	) -> BoxFuture<'a, Result<(), LedgerError>> {
		let accuser = accuser.clone();
		let call = match action {
			Action::Open => Call::OpenDispute { record, accuser },
			Action::Nodes(nodes) => Call::PostNodes { record, accuser, nodes },
			Action::Leaf(fork, leaves) => Call::AccuseLeaf { record, fork, leaves },
			Action::Defence(fork, items) => Call::DefendLeaf { record, accuser, fork, items },
			Action::Reply(items) => Call::ReplyTrace { record, items },
			Action::Blocks(fork, blocks) => Call::PostBlocks { record, accuser, fork, blocks },
			Action::Prove(against, proof) => Call::ProveFalse { record, accuser, against, proof },
		};
		Box::pin(
			async move { self.chain.submit(&self.pair, call).await.map(|_| ()).map_err(unsent) },
		)
	}
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;
	use crate::run::live::testing::{snapshot, MONDAY};
	use aria_primitives::consent::{Schedule, Window as Hours};

	#[test]
	fn disputes_should_keep_to_the_hours_unless_the_owner_says_otherwise() {
		// At midnight, with hours from eight to noon.
		let morning = [Hours { from: 8 * 60, to: 12 * 60 }];
		let version = snapshot(|live| {
			let consent = &mut live.consent.as_mut().unwrap().consent;
			consent.schedule = Schedule {
				windows: morning.to_vec().try_into().unwrap(),
				..consent.schedule.clone()
			};
		})
		.consent
		.unwrap();
		let may = |when, consent: Option<&ConsentVersion>, hour: u64| {
			may_defend(when, consent, MONDAY + hour * 3_600_000)
		};
		assert!(!may(Defend::Consent, Some(&version), 0));
		assert!(may(Defend::Consent, Some(&version), 9));
		assert!(may(Defend::Always, Some(&version), 0));
		let withdrawn = ConsentVersion { superseded_at: Some(9), ..version };
		for consent in [Some(&withdrawn), None] {
			assert!(!may(Defend::Consent, consent, 9));
			assert!(may(Defend::Always, consent, 9));
		}
	}

	#[test]
	fn windows_of_disputes_should_follow_each_other() {
		let phases = [
			Phase::Dispute,
			Phase::Nodes,
			Phase::Leaf,
			Phase::Defence,
			Phase::Reply,
			Phase::Blocks,
			Phase::Proof,
		];
		let windows: Vec<Window> = phases.into_iter().filter_map(window).collect();
		assert_eq!(windows.len(), phases.len());
		assert!(windows.windows(2).all(|pair| pair[0] < pair[1]));
		for phase in [Phase::Waiting, Phase::Commit, Phase::Reveal, Phase::Open, Phase::Canary] {
			assert_eq!(window(phase), None);
		}
	}

	#[test]
	fn counted_seats_alone_should_accuse() {
		let root = H256::repeat_byte(1);
		let finding = FindingKind::Boundary { index: 2, root };
		let seat = |state| Seat { round: 0, output: [0; 32], bond: 1, state };
		assert_eq!(accused(&seat(SeatState::Counted { finding })), Some((2, root)));
		assert_eq!(accused(&seat(SeatState::Revealed { root, finding })), None);
		let valid = SeatState::Counted { finding: FindingKind::Valid };
		assert_eq!(accused(&seat(valid)), None);
		assert_eq!(accused(&seat(SeatState::Claimed)), None);
	}
}
