//! Who was silent when a window of disputes ends, and what follows when all of an audit are over.

use crate::{
	audit::{
		money::Bond,
		types::{Audit, Phase},
		verdict_of,
	},
	pallet::{Config, Disputes, Event, HoldReason, Pallet, Seats},
	weights::WeightInfo,
};
use alloc::{collections::BTreeMap, vec::Vec};
use aria_primitives::{
	audit::Verdict,
	dispute::{Dispute, Party, Standing, Step},
	traits::{Accountable, Ledger},
	AccountId, RecordId,
};
use frame_support::{
	traits::{
		fungible::MutateHold,
		tokens::{Fortitude, Precision, Restriction},
		Get,
	},
	weights::Weight,
};
use sp_core::H256;
use sp_runtime::SaturatedConversion;

type Disputed = Vec<(AccountId, Dispute)>;

impl<T: Config> Pallet<T> {
	/// Holds a verdict back for those whom it is against.
	pub(crate) fn hold_for_disputes(id: RecordId, mut audit: Audit, verdict: Verdict) -> Weight {
		audit.verdict = Some(verdict);
		Self::enter(id, audit, Phase::Dispute);
		T::WeightInfo::step_audit()
	}

	/// Ends a window of disputes; returns the weight of it.
	pub(crate) fn step_disputes(id: RecordId, audit: Audit) -> Weight {
		let mut all: Disputed = Disputes::<T>::iter_prefix(id).collect();
		let weight = T::WeightInfo::step_disputes(all.len().saturated_into());
		for (accuser, dispute) in &mut all {
			let before = dispute.clone();
			end_window(dispute, audit.phase);
			if *dispute != before {
				Disputes::<T>::insert(id, &*accuser, &*dispute);
			}
		}
		let goes_on = all.iter().any(|(_, dispute)| dispute.step != Step::Over);
		match next_window(audit.phase).filter(|_| goes_on) {
			Some(next) => {
				Self::enter(id, audit, next);
				weight
			}
			None => weight.saturating_add(Self::end_disputes(id, audit, all)),
		}
	}

	/// Lets follow what follows from disputes that are over, and goes on with the verdict.
	fn end_disputes(id: RecordId, mut audit: Audit, all: Disputed) -> Weight {
		let held = audit.verdict.unwrap_or(Verdict::Unaudited);
		// An audit whose record has gone never comes here.
		let Some(record) = T::Ledger::get(&id) else { return Self::decide(id, audit, held) };
		let weight = T::WeightInfo::end_round(Self::seats_of(&id).len().saturated_into());
		let mut struck = false;
		for (accuser, dispute) in &all {
			Disputes::<T>::remove(id, accuser);
			Self::end_bond(dispute);
			struck |= Self::strike(&id, &audit, accuser, dispute.accuser);
			Self::deposit_event(Event::DisputeEnded {
				id,
				accuser: accuser.clone(),
				executor_standing: dispute.executor,
				accuser_standing: dispute.accuser,
			});
		}
		let stages = record.body.stages.len().saturated_into();
		let verdict = if let Some((stage, root)) = proven(&all) {
			let verdict = Verdict::Failed { stage };
			audit.root = root;
			// Who found the record right is not wrong: the stage may have chosen to be false here.
			for (worker, seat) in Self::seats_of(&id) {
				if !Self::is_right(&audit, &seat, stages, verdict) {
					Self::drop_seat(&id, &worker, &seat, Bond::Released);
				}
			}
			verdict
		} else {
			let verdict = if struck { Self::recount(&id, &mut audit, stages) } else { held };
			let is_silent = all.iter().any(|(_, dispute)| dispute.executor == Standing::Silent);
			if is_silent && verdict == Verdict::Passed {
				Verdict::Unaudited
			} else {
				verdict
			}
		};
		weight.saturating_add(Self::decide(id, audit, verdict))
	}

	/// Counts all seats that are left.
	fn recount(id: &RecordId, audit: &mut Audit, stages: u16) -> Verdict {
		let mut votes = BTreeMap::new();
		for (_, seat) in Self::seats_of(id) {
			if let Some(vote) = Self::vote_of(&seat, stages) {
				let count = votes.entry(vote).or_insert(0u32);
				*count = count.saturating_add(1);
			}
		}
		let (verdict, root) = verdict_of(&votes);
		audit.root = root;
		Self::sound(audit, verdict)
	}

	/// Ends the seat of an accuser that was silent or false; returns whether it was.
	fn strike(id: &RecordId, audit: &Audit, accuser: &AccountId, standing: Standing) -> bool {
		if standing == Standing::Stands {
			return false;
		}
		let Some(seat) = Seats::<T>::get(id, accuser) else { return false };
		Self::drop_seat(id, accuser, &seat, Bond::Lost);
		if standing == Standing::False {
			let due = Self::part_of_stake(accuser, audit.params.false_verdict_slash);
			let slashed = T::Workers::slash(accuser, due, &T::AuditPot::get());
			let verifier = accuser.clone();
			Self::deposit_event(Event::Overruled { id: *id, verifier, slashed });
		}
		true
	}

	/// Ends all disputes of an audit whose record has gone: nobody can go on.
	pub(crate) fn drop_disputes(id: &RecordId) {
		for (_, mut dispute) in Disputes::<T>::drain_prefix(id) {
			(dispute.executor, dispute.accuser) = (Standing::Stands, Standing::Stands);
			Self::end_bond(&dispute);
		}
	}

	/// Gives the opener's bond back, or moves it to the pot if the opener was silent or false.
	fn end_bond(dispute: &Dispute) {
		let Dispute { by, opener, bond, .. } = dispute;
		let reason = HoldReason::Dispute.into();
		// A bond is always there in full; were it not, what there is goes the same way.
		let _ = if dispute.standing(*by) == Standing::Stands {
			T::Currency::release(&reason, opener, *bond, Precision::BestEffort)
		} else {
			T::Currency::transfer_on_hold(
				&reason,
				opener,
				&T::AuditPot::get(),
				*bond,
				Precision::BestEffort,
				Restriction::Free,
				Fortitude::Force,
			)
		};
	}
}

/// The first stage that was proven false, and what was found in place of its boundary by an accuser
/// that stands; 0 if none does.
fn proven(all: &[(AccountId, Dispute)]) -> Option<(u16, H256)> {
	let is_false = |dispute: &&Dispute| dispute.executor == Standing::False;
	let found = || all.iter().map(|(_, dispute)| dispute).filter(is_false);
	let stage = found().map(|dispute| dispute.stage).min()?;
	let root = found()
		.find(|dispute| dispute.stage == stage && dispute.accuser == Standing::Stands)
		.map(|dispute| dispute.root);
	Some((stage, root.unwrap_or_default()))
}

/// The window behind one of disputes.
fn next_window(phase: Phase) -> Option<Phase> {
	match phase {
		Phase::Dispute => Some(Phase::Nodes),
		Phase::Nodes => Some(Phase::Leaf),
		Phase::Leaf => Some(Phase::Defence),
		Phase::Defence => Some(Phase::Reply),
		Phase::Reply => Some(Phase::Blocks),
		Phase::Blocks => Some(Phase::Proof),
		_ => None,
	}
}

/// Ends a dispute if somebody did not post what was his to post in this window.
fn end_window(dispute: &mut Dispute, phase: Phase) {
	let silent = match (phase, dispute.step) {
		(_, Step::Over) => return,
		(Phase::Nodes, Step::Open) | (Phase::Defence, Step::Leaf { .. }) => Some(Party::Executor),
		(Phase::Leaf, Step::Nodes { .. }) | (Phase::Reply, Step::Defence { .. }) => {
			Some(Party::Accuser)
		}
		(Phase::Blocks, Step::Blocks { executor: false, .. }) => Some(Party::Executor),
		(Phase::Blocks, Step::Blocks { accuser: false, .. }) => Some(Party::Accuser),
		// The first difference lies in floats, or there is none.
		(Phase::Blocks, Step::Traces { .. }) | (Phase::Proof, _) => None,
		_ => return,
	};
	if let Some(party) = silent {
		dispute.find(party, Standing::Silent);
	}
	dispute.step = Step::Over;
}
