//! A re-run in the chain's words: what is committed to, what is revealed, what is opened.

use super::store::{Case, Found};
use aria_engine::audit::{Opened, Rerun, Subject};
use aria_primitives::{
	audit::{self, Finding, FindingKind, Opening, Place, RecordPath, Reveal},
	hashing::merkle_root,
	AccountId,
};
use sp_core::H256;

/// Something does not fit what the chain takes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
	/// A list is longer than the chain reads.
	#[error("the record has more {0} than the chain reads")]
	TooMany(&'static str),
	/// The re-run can't open what was picked.
	#[error("a leaf can't be opened: {0}")]
	Leaf(String),
}

impl Found {
	/// What `rerun` came to, hidden behind `nonce`.
	pub fn of(rerun: &Rerun, nonce: H256) -> Self {
		Self { kind: rerun.finding(), roots: rerun.roots(), own_roots: rerun.own_roots(), nonce }
	}

	/// That something else than the record's query and tokens was posted for it: nothing was run.
	pub fn query(nonce: H256) -> Self {
		Self { kind: FindingKind::Query, roots: Vec::new(), own_roots: Vec::new(), nonce }
	}

	/// The root over the verifier's own trees.
	pub fn own_root(&self) -> H256 {
		merkle_root(&self.own_roots)
	}

	/// What is revealed.
	///
	/// # Errors
	/// [`Unfit::TooMany`].
	pub fn reveal(&self) -> Result<Reveal, Unfit> {
		let roots = || self.roots.clone().try_into().map_err(|_| Unfit::TooMany("stages"));
		let finding = match self.kind {
			FindingKind::Valid => Finding::Valid,
			FindingKind::Boundary { index, .. } => Finding::Boundary { index, roots: roots()? },
			FindingKind::Output => Finding::Output { roots: roots()? },
			FindingKind::Query => Finding::Query,
		};
		Ok(Reveal { root: self.own_root(), finding, nonce: self.nonce })
	}
}

/// What `account` commits to for a case whose record was run again.
///
/// # Errors
/// [`Unfit::TooMany`].
pub fn commitment(
	genesis: &H256,
	case: &Case,
	found: &Found,
	account: &AccountId,
) -> Result<H256, Unfit> {
	let reveal = found.reveal()?;
	Ok(audit::commitment(genesis, &case.key.record, case.key.round, account, &reveal))
}

/// Opens the places that `beacon` picks for `account`.
///
/// # Errors
/// [`Unfit`].
pub fn openings(
	rerun: &mut Rerun,
	subject: &Subject<'_>,
	case: &Case,
	account: &AccountId,
	beacon: &H256,
	positions: u8,
) -> Result<Vec<Opening>, Unfit> {
	let opens = rerun.finding().opens(subject.stages());
	let record = &case.key.record;
	let places = audit::positions(beacon, record, account, positions, opens, subject.body);
	let (roots, own_roots) = (rerun.roots(), rerun.own_roots());
	places.iter().map(|place| one(rerun, subject, place, &roots, &own_roots)).collect()
}

fn one(
	rerun: &mut Rerun,
	subject: &Subject<'_>,
	place: &Place,
	roots: &[H256],
	own_roots: &[H256],
) -> Result<Opening, Unfit> {
	let Opened { data, own, root, record } = rerun
		.open(subject, place.boundary, place.leaf)
		.map_err(|error| Unfit::Leaf(error.to_string()))?;
	let tree = usize::from(place.boundary).saturating_sub(1);
	let of = |roots: &[H256]| roots.get(tree).copied().unwrap_or_default();
	let long = |_| Unfit::TooMany("positions");
	let record = RecordPath { root: of(roots), path: record.try_into().map_err(long)? };
	Ok(Opening {
		data: data.try_into().map_err(|_| Unfit::TooMany("values a position"))?,
		own_root: of(own_roots),
		own_path: own.try_into().map_err(long)?,
		root_path: root.try_into().map_err(long)?,
		record,
	})
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;

	#[test]
	fn what_is_revealed_should_be_what_was_committed_to() {
		let seat = crate::audit::seat::Seat {
			output: [1; 32],
			proof: aria_primitives::audit::SeatProof { pre_output: [2; 32], proof: [3; 64] },
		};
		let key = crate::audit::store::Key { record: H256::repeat_byte(4), round: 1 };
		let case = Case::new(key, seat);
		let found = Found {
			kind: FindingKind::Boundary { index: 2, root: H256::repeat_byte(5) },
			roots: vec![H256::repeat_byte(5); 3],
			own_roots: vec![H256::repeat_byte(6); 3],
			nonce: H256::repeat_byte(7),
		};
		let (genesis, me) = (H256::repeat_byte(8), AccountId::new([9; 32]));
		let committed = commitment(&genesis, &case, &found, &me).unwrap();
		let reveal = found.reveal().unwrap();
		assert_eq!(reveal.finding.kind(), found.kind);
		assert_eq!(audit::commitment(&genesis, &key.record, 1, &me, &reveal), committed);
		let other = AccountId::new([10; 32]);
		assert_ne!(commitment(&genesis, &case, &found, &other).unwrap(), committed);

		let long = Found { roots: vec![H256::zero(); 40], ..found };
		assert_eq!(long.reveal(), Err(Unfit::TooMany("stages")));
	}
}
