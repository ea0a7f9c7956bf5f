//! Records of blocks whose own states are discarded, collected from a newer state.
//!
//! The records in state are gone through once, in order of ids, over as many states as become final
//! meanwhile: a record that is in one of them is in the later ones too, unless it has left, and what is
//! settled meanwhile is indexed with its block. Of blocks whose records have left nothing is found: the
//! lists begin behind them. The order of records within such a block is not known any
//! more; they are listed by their ids.

use super::{StepError, LOG};
use crate::{
	chain::{Chain, ChainError},
	index::{Gap, Place, RecordIndex, Settled},
};
use aria_primitives::BlockNumber;
use log::{info, warn};
use sp_core::H256;

/// Records that one step looks at.
const BATCH: usize = 512;

/// Goes one step through the records in the state of the last final block.
pub(super) fn step<Ch: Chain>(
	chain: &Ch,
	index: &RecordIndex,
	gap: Gap,
	finalized: BlockNumber,
	at: H256,
) -> Result<(), StepError> {
	let Some(ids) =
		chain.stored_ids(at, gap.cursor, BATCH).map_err(|error| no_state(error, finalized))?
	else {
		warn!(
			target: LOG,
			"records do not lie in the state as this node knows it: the lists begin at block {}",
			gap.below
		);
		return Ok(index.close_gap(Some(gap))?);
	};
	let Some(last) = ids.last().copied() else {
		let since = chain.records_since(at).map_err(|error| no_state(error, finalized))?;
		// Those of later blocks were indexed with their blocks, or have been found now.
		let below = since.min(gap.below);
		if gap.from < below {
			warn!(
				target: LOG,
				"records of blocks before {below} have left the state, and those blocks' states are \
				 discarded: the lists begin at block {below}"
			);
			return Ok(index.close_gap(Some(Gap { below, ..gap }))?);
		}
		info!(target: LOG, "the records of blocks from {} and below {} are indexed", gap.from, gap.below);
		return Ok(index.close_gap(None)?);
	};

	let mut records = Vec::new();
	for id in ids {
		if index.place(&id)?.is_some() {
			continue;
		}
		let record = chain.record(at, id).map_err(|error| no_state(error, finalized))?;
		if let Some(record) = record.filter(|it| (gap.from..gap.below).contains(&it.settled_at)) {
			let place = Place { block: record.settled_at, position: 0 };
			records.push(Settled::new(id, place, &record));
		}
	}
	Ok(index.fill(Gap { cursor: Some(last), ..gap }, &records)?)
}

fn no_state(error: ChainError, finalized: BlockNumber) -> StepError {
	match error {
		ChainError::NoState => StepError::NoFinalState(finalized),
		error => error.into(),
	}
}
